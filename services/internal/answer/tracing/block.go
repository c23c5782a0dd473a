package tracing

import (
	"encoding/hex"
	"strconv"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/index"
)

// Header is a block header as shown; the members are those of docs/spec.md section 7.2.
type Header struct {
	Epoch          uint32    `json:"epoch"`
	Height         uint64    `json:"height,string"`
	Parent         string    `json:"parent"`
	FirstSeq       uint64    `json:"firstSequence,string"`
	LastSeq        uint64    `json:"lastSequence,string"`
	Time           time.Time `json:"time"`
	EntriesRoot    string    `json:"entriesRoot"`
	VerdictsRoot   string    `json:"verdictsRoot"`
	VerdictLeaves  uint32    `json:"verdictLeaves"`
	Events         uint32    `json:"events"`
	StateRootKind  uint8     `json:"stateRootKind"`
	StateRoot      string    `json:"stateRoot"`
	Validators     string    `json:"validatorSetHash"`
	NextValidators string    `json:"nextValidatorSetHash"`
	RulesVersion   uint32    `json:"rulesVersion"`
}

// Cosigner is one line of a certificate.
type Cosigner struct {
	Validator string    `json:"validator"`
	Party     string    `json:"party"`
	Time      time.Time `json:"time"`
	Signature string    `json:"signature"`
}

// Block is a block as shown.
type Block struct {
	Hash        string     `json:"hash"`
	Header      Header     `json:"header"`
	RawHeader   string     `json:"rawHeader" doc:"The bytes that are hashed, hex"`
	Certificate []Cosigner `json:"certificate"`
	Entries     []Entry    `json:"entries,omitempty"`
	// Amendments change findings of earlier blocks, or of earlier items of this one.
	Amendments []Amendment `json:"amendments,omitempty"`
}

// Amendment changes the state of a finding for some of its subjects; which ones, the trace of each says.
type Amendment struct {
	Position canonical.Position  `json:"position" doc:"Of the item with the finding"`
	Code     string              `json:"code"`
	From     string              `json:"from" enum:"open,held"`
	To       string              `json:"to" enum:"held,closed"`
	Count    uint32              `json:"count" doc:"How many subjects of the finding"`
	Cause    *canonical.Position `json:"cause,omitempty" doc:"The item that closes it; none when the grace time was over"`
}

// Entry is a stream message of a block.
type Entry struct {
	Sequence     uint64 `json:"sequence,string"`
	Kind         string `json:"kind"`
	Party        string `json:"party,omitempty"`
	SubmissionID string `json:"submissionID,omitempty"`
	Code         string `json:"code,omitempty" doc:"Verdict on the whole entry, if it has one"`
	Items        []Item `json:"items,omitempty"`
}

// Item is an item of the ledger as judged. What an event says is in the trace of its units, for those entitled to it.
type Item struct {
	Position    canonical.Position  `json:"position"`
	Kind        string              `json:"kind"`
	Type        string              `json:"type,omitempty"`
	BizStep     string              `json:"bizStep,omitempty"`
	Disposition string              `json:"disposition,omitempty" doc:"What is dispensed in part says so here"`
	EventID     string              `json:"eventID,omitempty"`
	Units       int                 `json:"units"`
	Hash        string              `json:"itemHash"`
	Verdict     string              `json:"verdict"`
	Code        string              `json:"code,omitempty"`
	Detail      string              `json:"detail,omitempty"`
	Findings    []FindingView       `json:"findings,omitempty"`
	Repeats     *canonical.Position `json:"repeats,omitempty"`
}

// Blocks is a page of blocks, newest first, without entries.
type Blocks struct {
	Blocks  []Block `json:"blocks"`
	Next    string  `json:"next,omitempty" doc:"Ask with before=next for older ones"`
	RestsOn AsOf    `json:"restsOn"`
}

func hex32(h canonical.Hash) string { return hex.EncodeToString(h[:]) }

func kindName(k block.Kind) string {
	switch k {
	case block.EpochRecord:
		return "epoch"
	case block.Submission:
		return "submission"
	case block.Cut:
		return "cut"
	case block.Tick:
		return "tick"
	case block.Heartbeat:
		return "heartbeat"
	case block.NotOpened:
	}
	return "not_opened"
}

func (s *Snapshot) summary(res *consensus.Result) (Block, error) {
	h := &res.Header
	b := Block{
		Hash: hex32(res.Hash), RawHeader: hex.EncodeToString(res.Raw), Certificate: []Cosigner{},
		Header: Header{
			Epoch: h.Epoch, Height: h.Height, Parent: hex32(h.Parent), FirstSeq: h.FirstSeq, LastSeq: h.LastSeq,
			Time: time.UnixMilli(h.Time).UTC(), EntriesRoot: hex32(h.EntriesRoot), VerdictsRoot: hex32(h.VerdictsRoot),
			VerdictLeaves: h.VerdictLeaves, Events: h.Events, StateRootKind: h.StateKind, StateRoot: hex32(h.StateRoot),
			Validators: hex32(h.Validators), NextValidators: hex32(h.NextValidators), RulesVersion: h.RulesVersion,
		},
	}
	if h.Height == 0 {
		return b, nil // computed from the genesis file, never cosigned
	}
	cert, err := s.Log.Certificate(h.Height)
	if err != nil {
		return b, err
	}
	for _, c := range cert {
		v := s.Genesis.Validators.Validators[c.Validator]
		b.Certificate = append(b.Certificate, Cosigner{
			Validator: v.Name, Party: v.Party, Time: time.Unix(int64(c.Time), 0).UTC(), Signature: hex.EncodeToString(c.Signature[:]),
		})
	}
	return b, nil
}

// Blocks lists blocks, newest first: at most limit of those below a height, or from the newest if
// before is 0.
func (s *Snapshot) Blocks(before uint64, limit int) (*Blocks, error) {
	out := &Blocks{Blocks: []Block{}, RestsOn: s.AsOf()}
	next := out.RestsOn.Height + 1
	if before > 0 {
		next = min(next, before)
	}
	for ; next > 0 && len(out.Blocks) < limit; next-- {
		res, err := s.Log.Block(next - 1)
		if err != nil {
			return nil, err
		}
		b, err := s.summary(res)
		if err != nil {
			return nil, err
		}
		out.Blocks = append(out.Blocks, b)
	}
	if next > 0 {
		out.Next = strconv.FormatUint(next, 10)
	}
	return out, nil
}

// Block is one block with its entries; chain.ErrNoBlock if there is none of that height.
func (s *Snapshot) Block(height uint64) (*Block, error) {
	res, err := s.block(height)
	if err != nil {
		return nil, err
	}
	b, err := s.summary(res)
	if err != nil {
		return nil, err
	}
	verdicts, err := verdictsOf(res)
	if err != nil {
		return nil, err
	}
	if b.Amendments, err = amendmentsOf(res); err != nil {
		return nil, err
	}
	for i := range res.Entries {
		b.Entries = append(b.Entries, s.entry(res, uint32(i), verdicts))
	}
	return &b, nil
}

// remarks are the verdict and findings of one position.
type remarks struct {
	verdict  *block.Verdict
	findings []FindingView
}

func verdictsOf(res *consensus.Result) (map[canonical.Position]*remarks, error) {
	out := map[canonical.Position]*remarks{}
	at := func(p canonical.Position) *remarks {
		if out[p] == nil {
			out[p] = &remarks{}
		}
		return out[p]
	}
	for _, leaf := range res.Verdicts {
		decoded, err := block.DecodeVerdictLeaf(leaf)
		if err != nil {
			return nil, err
		}
		switch l := decoded.(type) {
		case block.Verdict:
			at(l.Pos).verdict = &l
		case block.Finding:
			at(l.Pos).findings = append(at(l.Pos).findings, FindingView{
				Code: string(l.Code), Severity: l.Severity.String(), State: "open", Position: l.Pos, Count: l.Count,
			})
		}
	}
	return out, nil
}

func amendmentsOf(res *consensus.Result) ([]Amendment, error) {
	var out []Amendment
	for _, leaf := range res.Verdicts {
		decoded, err := block.DecodeVerdictLeaf(leaf)
		if err != nil {
			return nil, err
		}
		a, ok := decoded.(block.Amendment)
		if !ok {
			continue
		}
		shown := Amendment{Position: a.Pos, Code: string(a.Code), From: findingState(a.Old), To: findingState(a.New), Count: a.Count}
		if a.Cause != block.TimerCause(res.Header.Height) {
			shown.Cause = &a.Cause
		}
		out = append(out, shown)
	}
	return out, nil
}

func (s *Snapshot) entry(res *consensus.Result, i uint32, verdicts map[canonical.Position]*remarks) Entry {
	e := &res.Entries[i]
	out := Entry{Sequence: e.Seq, Kind: kindName(e.Kind)}
	pos := canonical.Position{Height: res.Header.Height, Entry: i, Item: canonical.WholeEntry}
	whole := verdicts[pos]
	if whole != nil && whole.verdict != nil {
		out.Code = string(whole.verdict.Code)
	}
	if e.Submission == nil {
		return out
	}
	out.Party = e.Submission.Header.Party
	out.SubmissionID = hex.EncodeToString(e.Submission.Header.ID[:])
	if out.Code != "" {
		return out
	}
	for j := range e.Submission.Items {
		pos.Item = uint32(j)
		out.Items = append(out.Items, s.item(e, pos, verdicts[pos]))
	}
	return out
}

func (s *Snapshot) item(e *consensus.Entry, pos canonical.Position, rem *remarks) Item {
	it := &e.Submission.Items[pos.Item]
	out := Item{Position: pos, Kind: wire.KindName(it.Kind), Units: len(it.Committed.Units), Hash: hex32(e.Submission.Hashes[pos.Item])}
	if ev, ok := it.Message.(*epcis.Event); ok {
		out.Type, out.BizStep, out.Disposition, out.EventID = ev.Type, epcis.TermBizStep.Word(ev.BizStep), epcis.TermDisposition.Word(ev.Disposition), ev.EventID
	}
	if rem != nil {
		out.Findings = rem.findings
		if rem.verdict != nil {
			out.Verdict, out.Code = rem.verdict.Verdict.String(), string(rem.verdict.Code)
		}
	}
	out.Detail, out.Repeats = index.Note(s.View, pos)
	return out
}

// Item is one item of the ledger; chain.ErrNoBlock if there is no such block, ErrNoItem if the
// block has no such item.
func (s *Snapshot) Item(pos canonical.Position) (*Item, error) {
	res, err := s.block(pos.Height)
	if err != nil {
		return nil, err
	}
	if int(pos.Entry) >= len(res.Entries) || res.Entries[pos.Entry].Submission == nil || int(pos.Item) >= len(res.Entries[pos.Entry].Submission.Items) {
		return nil, ErrNoItem
	}
	verdicts, err := verdictsOf(res)
	if err != nil {
		return nil, err
	}
	item := s.item(&res.Entries[pos.Entry], pos, verdicts[pos])
	return &item, nil
}
