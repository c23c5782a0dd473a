package consensus

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// Errors of Execute. A node that meets one stops.
var (
	// ErrNoEpochRecord means that message 1 of the stream is not this network's epoch record (spec section 6): it is
	// another stream, or somebody wrote to it first.
	ErrNoEpochRecord = errors.New("consensus: stream message 1 is not the epoch record of this network")
	// ErrSequence means that the messages do not follow the parent's last sequence without a gap.
	ErrSequence = errors.New("consensus: messages do not follow the parent block")
)

// Zero computes block 0 from the genesis file. Its writes start an empty store.
func Zero(g *genesis.Genesis) (*Result, error) {
	st := state.NewOverlay(state.NewMemory())
	authorities := make([]registry.Authority, len(g.Authorities))
	for i, a := range g.Authorities {
		authorities[i] = registry.Authority(a)
	}
	if err := registry.Seed(st, g.Parties, authorities); err != nil {
		return nil, fmt.Errorf("seed the registry from genesis: %w", err)
	}
	effect := custody.Registered{What: custody.RegistryGenesis, ID: "genesis", Hash: g.Hash}.Encode()
	set := g.Validators.Hash(g.Network)
	r := &Result{
		Header: block.Header{
			Epoch:          g.Epoch,
			Time:           g.CreatedAt,
			EntriesRoot:    merkle.Root(nil),
			VerdictsRoot:   merkle.Root(nil),
			StateKind:      g.StateKind,
			StateRoot:      block.StateRoot(g.Network, canonical.Hash{}, [][]byte{effect}),
			Validators:     set,
			NextValidators: set,
			RulesVersion:   g.RulesVersion,
		},
		Effects: [][]byte{effect},
	}
	return r, r.seal(g, st, g.VerdictKey)
}

// seal makes the header the newest block in st and takes the writes out.
func (r *Result) seal(g *genesis.Genesis, st *state.Overlay, verdictKey canonical.Hash) error {
	r.Raw = r.Header.Encode(g.Network)
	r.Hash = block.HeaderHash(r.Raw)
	if err := putHead(st, g.Network, &Head{Header: r.Header, Raw: r.Raw, Hash: r.Hash, VerdictKey: verdictKey}); err != nil {
		return err
	}
	r.Writes = st.WriteSet()
	return nil
}

// Execute opens and judges messages over view (the state after the parent) and builds the block. It is a pure function:
// validators and followers get the same bytes. The messages must follow the parent's last sequence without a gap.
//
// Where a block ends is not its business: a validator asks its Cutter, a follower compares the header.
func Execute(g *genesis.Genesis, view state.View, messages []Message) (*Result, error) {
	parent, ok := ReadHead(view)
	if !ok {
		return nil, ErrEmpty
	}
	if len(messages) == 0 {
		return nil, fmt.Errorf("%w: there are none", ErrSequence)
	}
	for i, m := range messages {
		if want := parent.Header.LastSeq + 1 + uint64(i); m.Seq != want {
			return nil, fmt.Errorf("%w: sequence %d where %d is due", ErrSequence, m.Seq, want)
		}
	}
	prepared := make([]*Prepared, len(messages))
	writes := 8 // usually: per message its counter, what recognises its event and a list of the lot, and a record per unit
	for i := range messages {
		prepared[i] = prepare(g, &messages[i])
		writes += 3 + prepared[i].units
	}
	x := execution{
		g:      g,
		parent: parent,
		height: parent.Header.Height + 1,
		st:     state.NewOverlayFor(view, min(writes, 4*MaxBlockUnits)), // what a message counts with is up to its sender
		res:    &Result{Entries: make([]Entry, len(messages))},
	}
	if err := x.pulses(view, messages, prepared); err != nil {
		return nil, err
	}
	// What has waited too long comes first, whatever this block brings.
	x.lapsed = custody.Lapse(x.st, custody.Context{Network: g.Network, Pos: block.TimerCause(x.height), Time: x.time})
	for i := range messages {
		if e := &x.res.Entries[i]; e.Leaf == nil {
			x.submission(uint32(i), e, prepared[i])
		}
	}
	x.emit()
	return x.res, x.finish()
}

// execution is one run of Execute.
type execution struct {
	g      *genesis.Genesis
	parent Head
	height uint64
	time   int64
	st     *state.Overlay // state after the entries judged so far
	salts  [][32]byte     // item salts of the opened submissions so far
	res    *Result
	lapsed []custody.Lapsed

	verdictKey canonical.Hash // K_h, once all entries are opened
}

// pulses opens the validators' own messages, which depend on nothing but the set, and with them fixes the block time that
// every item is judged at. It leaves all other entries without a leaf.
func (x *execution) pulses(view state.View, messages []Message, prepared []*Prepared) error {
	n := x.g.Network
	readings := readClocks(x.g, view)
	changed := make([]bool, len(readings))
	for i, m := range messages {
		e, p := &x.res.Entries[i], prepared[i]
		e.Seq, e.Payload = m.Seq, m.Payload
		switch p.kind {
		case block.EpochRecord:
			if m.Seq != 1 {
				x.notOpened(e, &openError{verdict.UnknownPurpose, "an epoch record counts as stream message 1 only"})
				continue
			}
		case block.Cut, block.Tick, block.Heartbeat:
			pulse := p.pulse
			e.Pulse = &pulse
			if readings.note(p.validator, &pulse) {
				changed[p.validator] = true
			}
		case block.NotOpened:
			if p.failed != nil {
				x.notOpened(e, p.failed)
			}
			continue
		default:
			continue
		}
		e.Kind = p.kind
		e.Leaf = block.EntryLeaf(n, m.Seq, p.kind, p.signed, p.sig)
	}
	if first := &x.res.Entries[0]; first.Seq == 1 && first.Kind != block.EpochRecord {
		return fmt.Errorf("%w: %s", ErrNoEpochRecord, cmp.Or(first.Detail, "it is something else"))
	}
	for i, r := range readings {
		if changed[i] {
			x.st.Put(clockKey(voteKeyID(x.g, i)), canonical.I64(canonical.U64(nil, r.counter), r.clock))
		}
	}
	x.time = readings.blockTime(x.parent.Header.Time)
	return nil
}

// notOpened makes e an entry of kind 0.
func (x *execution) notOpened(e *Entry, why *openError) {
	e.Kind = block.NotOpened
	e.Code, e.Detail = why.code, why.detail
	e.Leaf = block.NotOpenedLeaf(x.g.Network, e.Seq, e.Payload)
}

// submission opens and judges one submission. The keys that count are those registered up to the entry before.
func (x *execution) submission(index uint32, e *Entry, p *Prepared) {
	sub, failed := p.open(registry.Registry{View: x.st})
	if failed != nil {
		x.notOpened(e, failed)
		return
	}
	e.Kind = block.Submission
	e.Submission = sub
	e.Leaf = block.EntryLeaf(x.g.Network, e.Seq, block.Submission, sub.RawHeader, sub.Signature)
	for i := range sub.Items {
		x.salts = append(x.salts, sub.Items[i].Salt)
		if sub.Items[i].Kind == wire.KindEvent {
			x.res.Header.Events++
		}
	}

	key := counterPrefix + string(sub.Header.KeyID[:])
	stored, _ := x.st.Get(key)
	seen := decodeCounters(stored)
	if e.Code = seen.see(sub.Header.Counter); e.Code != "" {
		e.Detail = fmt.Sprintf("counter %d of this key, highest %d", sub.Header.Counter, seen.highest)
		return
	}
	x.st.Put(key, seen.encode())
	e.Items = x.judge(index, e)
}

// judge applies the rules to the items of a submission in order.
func (x *execution) judge(index uint32, e *Entry) []custody.Judgement {
	sub := e.Submission
	items := make([]custody.Judgement, len(sub.Items))
	judge := func() bool {
		ok, contents := true, submission.MaxUnits
		for i := range sub.Items {
			items[i] = custody.Judge(x.st, custody.Context{
				Network:   x.g.Network,
				Pos:       canonical.Position{Height: x.height, Entry: index, Item: uint32(i)},
				Time:      x.time,
				Grace:     x.g.GraceSeconds * 1000,
				Party:     sub.Header.Party,
				Authority: sub.Authority,
				ItemHash:  sub.Hashes[i],
				Contents:  &contents,
			}, &sub.Items[i])
			ok = ok && items[i].Verdict != block.Rejected
		}
		return ok
	}
	if sub.Header.OnError != submission.Rollback {
		judge()
		return items
	}
	x.st.Attempt(func() bool {
		if judge() {
			return true
		}
		// The failing ones keep their code, so that the sender knows which they are.
		for i := range items {
			if items[i].Verdict != block.Rejected {
				items[i] = custody.Judgement{
					Verdict: block.Rejected,
					Code:    verdict.RolledBack,
					Detail:  "another item of this submission was rejected",
				}
			}
		}
		return false
	})
	return items
}

// emit writes the verdict leaves, subject sets and effects of all entries. It runs after all are judged, because the salts
// of subjects depend on every opened submission of the block (spec section 7.3).
func (x *execution) emit() {
	x.res.Header.Height = x.height
	x.verdictKey = block.NextVerdictKey(x.g.Network, x.parent.VerdictKey, x.salts)
	salts := block.NewSalts(x.g.Network, x.verdictKey)
	for i := range x.lapsed {
		x.amend(&x.lapsed[i].Amendment, block.TimerCause(x.height), salts)
		x.res.Effects = append(x.res.Effects, x.lapsed[i].Effects...)
	}
	for i := range x.res.Entries {
		e := &x.res.Entries[i]
		pos := canonical.Position{Height: x.height, Entry: uint32(i), Item: canonical.WholeEntry}
		if e.Code != "" {
			v := block.Verdict{Pos: pos, Verdict: block.Rejected, Code: e.Code}
			if e.Code == verdict.CounterUsed {
				v.Verdict = block.Duplicate
			}
			x.res.Verdicts = append(x.res.Verdicts, v.Encode())
			continue
		}
		for j := range e.Items {
			pos.Item = uint32(j)
			x.emitItem(pos, &e.Items[j], salts)
		}
	}
}

func (x *execution) emitItem(pos canonical.Position, j *custody.Judgement, salts *block.Salts) {
	x.res.Verdicts = append(x.res.Verdicts, block.Verdict{Pos: pos, Verdict: j.Verdict, Code: j.Code}.Encode())
	x.res.Effects = append(x.res.Effects, j.Effects...)
	slices.SortStableFunc(j.Findings, func(a, b custody.Finding) int { return cmp.Compare(a.Code, b.Code) })
	for _, f := range j.Findings {
		keys := make([]string, len(f.Subjects))
		for i, k := range f.Subjects {
			keys[i] = k.String()
		}
		if len(keys) == 0 {
			keys = []string{block.EventSubject(pos)}
		}
		leaf := block.Finding{Pos: pos, Code: f.Code, Severity: f.Severity, Count: uint32(len(keys))}
		leaf.Subjects = x.subjects(keys, salts)
		x.remark(custody.EffectFinding, leaf.Encode())
	}
	for i := range j.Amendments {
		x.amend(&j.Amendments[i], pos, salts)
	}
}

func (x *execution) amend(a *custody.Amendment, cause canonical.Position, salts *block.Salts) {
	leaf := block.Amendment{Pos: a.Pos, Code: a.Code, Old: a.Old, New: a.New, Cause: cause, Count: uint32(len(a.Subjects))}
	leaf.Subjects = x.subjects(a.Subjects, salts)
	x.remark(custody.EffectAmendment, leaf.Encode())
}

// subjects commits to the subjects of the leaf that comes next.
func (x *execution) subjects(keys []string, salts *block.Salts) (root canonical.Hash) {
	set := SubjectSet{Leaf: uint32(len(x.res.Verdicts)), Keys: keys}
	root, set.Salts, set.Index = salts.Subjects(keys)
	x.res.Subjects = append(x.res.Subjects, set)
	return root
}

// remark adds a finding or amendment leaf, which is an effect too.
func (x *execution) remark(kind uint8, leaf []byte) {
	x.res.Verdicts = append(x.res.Verdicts, leaf)
	x.res.Effects = append(x.res.Effects, append([]byte{kind}, leaf...))
}

// finish computes the roots and writes the head.
func (x *execution) finish() error {
	r := x.res
	set := x.g.Validators.Hash(x.g.Network)
	h := &r.Header
	h.Epoch = x.g.Epoch
	h.Parent = x.parent.Hash
	h.FirstSeq, h.LastSeq = r.Entries[0].Seq, r.Entries[len(r.Entries)-1].Seq
	h.Time = x.time
	h.EntriesRoot = block.Root(r.EntryLeaves())
	h.VerdictsRoot = block.Root(r.Verdicts)
	h.VerdictLeaves = uint32(len(r.Verdicts))
	h.StateKind = x.parent.Header.StateKind
	h.StateRoot = block.StateRoot(x.g.Network, x.parent.Header.StateRoot, r.Effects)
	h.Validators, h.NextValidators = set, set // they change with governance acts, which no rules version knows yet
	h.RulesVersion = x.parent.Header.RulesVersion
	return r.seal(x.g, x.st, x.verdictKey)
}

// EntryLeaves returns the leaf data of the entries in order.
func (r *Result) EntryLeaves() [][]byte {
	leaves := make([][]byte, len(r.Entries))
	for i := range r.Entries {
		leaves[i] = r.Entries[i].Leaf
	}
	return leaves
}
