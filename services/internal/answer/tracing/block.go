package tracing

import (
	"context"
	"encoding/hex"
	"strconv"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/edge/httpapi"
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
	Position canonical.Position  `json:"position"`
	Kind     string              `json:"kind"`
	Type     string              `json:"type,omitempty"`
	BizStep  string              `json:"bizStep,omitempty"`
	EventID  string              `json:"eventID,omitempty"`
	Units    int                 `json:"units"`
	Hash     string              `json:"itemHash"`
	Verdict  string              `json:"verdict"`
	Code     string              `json:"code,omitempty"`
	Detail   string              `json:"detail,omitempty"`
	Findings []index.FindingView `json:"findings,omitempty"`
	Repeats  *canonical.Position `json:"repeats,omitempty"`
}

// Blocks is a page of blocks, newest first, without entries.
type Blocks struct {
	Blocks  []Block    `json:"blocks"`
	Next    string     `json:"next,omitempty" doc:"Ask with before=next for older ones"`
	RestsOn index.Rest `json:"restsOn"`
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

var itemKinds = map[uint8]string{
	wire.KindDocumentHeader: "document_header", wire.KindEvent: "event", wire.KindPartyAct: "party_act", wire.KindProduct: "product",
	wire.KindLot: "lot", wire.KindRecall: "recall", wire.KindResolution: "resolution", wire.KindGrant: "grant",
	wire.KindAnchor: "anchor", wire.KindGovernance: "governance",
}

func itemKind(k uint8) string {
	if s, ok := itemKinds[k]; ok {
		return s
	}
	return "kind_" + strconv.Itoa(int(k))
}

func (s *Service) summary(res *consensus.Result) (Block, error) {
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
	cert, err := s.Copy.Certificate(h.Height)
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

func (s *Service) load(height uint64) (*consensus.Result, error) {
	res, err := s.Copy.Block(height)
	if err != nil && s.NoBlock(err) {
		return nil, httpapi.NewProblem(httpapi.UnknownBlock, "there is no block %d yet; /v1/status says how far the ledger is", height)
	}
	return res, err
}

func (s *Service) blocks(_ context.Context, in *struct {
	Before uint64 `query:"before" doc:"Only blocks below this height; 0: from the newest"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"30"`
},
) (out *body[Blocks], err error) {
	err = s.read(func(r *index.Reader) error {
		rest := s.rest(r.Head())
		out = &body[Blocks]{Blocks{Blocks: []Block{}, RestsOn: rest}}
		next := rest.Height + 1
		if in.Before > 0 {
			next = min(next, in.Before)
		}
		for ; next > 0 && len(out.Body.Blocks) < in.Limit; next-- {
			res, err := s.load(next - 1)
			if err != nil {
				return err
			}
			b, err := s.summary(res)
			if err != nil {
				return err
			}
			out.Body.Blocks = append(out.Body.Blocks, b)
		}
		if next > 0 {
			out.Body.Next = strconv.FormatUint(next, 10)
		}
		return nil
	})
	return out, err
}

func (s *Service) block(_ context.Context, in *struct {
	Height uint64 `path:"height"`
},
) (out *body[Block], err error) {
	err = s.read(func(r *index.Reader) error {
		res, err := s.load(in.Height)
		if err != nil {
			return err
		}
		b, err := s.summary(res)
		if err != nil {
			return err
		}
		verdicts, err := verdictsOf(res)
		if err != nil {
			return err
		}
		if b.Amendments, err = amendmentsOf(res); err != nil {
			return err
		}
		for i := range res.Entries {
			b.Entries = append(b.Entries, entryView(r, res, uint32(i), verdicts))
		}
		out = &body[Block]{b}
		return nil
	})
	return out, err
}

// remarks are the verdict and findings of one position.
type remarks struct {
	verdict  *block.Verdict
	findings []index.FindingView
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
			at(l.Pos).findings = append(at(l.Pos).findings, index.FindingView{
				Code: string(l.Code), Severity: index.SeverityName(l.Severity), State: "open", Position: l.Pos, Count: l.Count,
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
		shown := Amendment{Position: a.Pos, Code: string(a.Code), From: index.FindingState(a.Old), To: index.FindingState(a.New), Count: a.Count}
		if a.Cause != block.TimerCause(res.Header.Height) {
			shown.Cause = &a.Cause
		}
		out = append(out, shown)
	}
	return out, nil
}

func entryView(r *index.Reader, res *consensus.Result, i uint32, verdicts map[canonical.Position]*remarks) Entry {
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
		out.Items = append(out.Items, itemView(r, e, pos, verdicts[pos]))
	}
	return out
}

func itemView(r *index.Reader, e *consensus.Entry, pos canonical.Position, rem *remarks) Item {
	it := &e.Submission.Items[pos.Item]
	out := Item{Position: pos, Kind: itemKind(it.Kind), Units: len(it.Committed.Units), Hash: hex32(e.Submission.Hashes[pos.Item])}
	if ev, ok := it.Message.(*epcis.Event); ok {
		out.Type, out.BizStep, out.EventID = ev.Type, epcis.CBVName(ev.BizStep), ev.EventID
	}
	if rem != nil {
		out.Findings = rem.findings
		if rem.verdict != nil {
			out.Verdict, out.Code = index.VerdictName(rem.verdict.Verdict), string(rem.verdict.Code)
		}
	}
	out.Detail, out.Repeats = index.Note(r.View, pos)
	return out
}

func (s *Service) event(_ context.Context, in *struct {
	Height uint64 `path:"height"`
	Entry  uint32 `path:"entry" maximum:"4294967295"`
	Item   uint32 `path:"item" maximum:"4294967295"`
},
) (out *body[Item], err error) {
	err = s.read(func(r *index.Reader) error {
		res, err := s.load(in.Height)
		if err != nil {
			return err
		}
		pos := canonical.Position{Height: in.Height, Entry: in.Entry, Item: in.Item}
		if int(in.Entry) >= len(res.Entries) || res.Entries[in.Entry].Submission == nil || int(in.Item) >= len(res.Entries[in.Entry].Submission.Items) {
			return httpapi.NewProblem(httpapi.UnknownEvent, "block %d has no item at %s; /v1/blocks/%d lists what it has", in.Height, pos, in.Height)
		}
		verdicts, err := verdictsOf(res)
		if err != nil {
			return err
		}
		out = &body[Item]{itemView(r, &res.Entries[in.Entry], pos, verdicts[pos])}
		return nil
	})
	return out, err
}

// Recalls are all recalls on the ledger, newest last.
type Recalls struct {
	Recalls []index.RecallView `json:"recalls"`
	RestsOn index.Rest         `json:"restsOn"`
}

func (s *Service) recalls(context.Context, *struct{}) (out *body[Recalls], err error) {
	err = s.read(func(r *index.Reader) error {
		list, err := r.RecallList()
		if err != nil {
			return err
		}
		out = &body[Recalls]{Recalls{Recalls: list, RestsOn: s.rest(r.Head())}}
		return nil
	})
	return out, err
}
