package tracing

import (
	"fmt"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// Foreseen is what the rules would say of items that a party submitted now. Nothing is recorded.
type Foreseen struct {
	Judged  int            `json:"judged" doc:"How many items were judged"`
	Items   []ForeseenItem `json:"items" doc:"One for each item that is not simply accepted, in order"`
	RestsOn AsOf           `json:"restsOn"`
}

// ForeseenItem is what the rules would say of one item.
type ForeseenItem struct {
	Item     int               `json:"item" doc:"Its place among all items that were sent, from 0"`
	Verdict  string            `json:"verdict"`
	Code     string            `json:"code,omitempty"`
	Detail   string            `json:"detail,omitempty"`
	Findings []ForeseenFinding `json:"findings,omitempty"`
}

// ForeseenFinding is what the rules would remark on.
type ForeseenFinding struct {
	Code     string   `json:"code"`
	Severity string   `json:"severity"`
	Detail   string   `json:"detail,omitempty"`
	Subjects []string `json:"subjects,omitempty" doc:"Keys of the things that it is about, at most 100"`
}

const maxSubjects = 100

// Foresight judges the submissions that a party would make, one after the other, as the next block
// would, and forgets what they change.
type Foresight struct {
	s      *Snapshot
	party  string
	st     *state.Overlay
	height uint64
	time   int64
	entry  uint32
	out    Foreseen
}

// Foresee begins with the ledger as the snapshot has it.
func (s *Snapshot) Foresee(party string) (*Foresight, error) {
	head, ok := consensus.ReadHead(s.View)
	if !ok {
		return nil, ErrNotCertified
	}
	return &Foresight{
		s: s, party: party, st: state.NewOverlay(s.View), height: head.Header.Height + 1, time: max(s.Now.UnixMilli(), head.Header.Time),
		out: Foreseen{Items: []ForeseenItem{}, RestsOn: s.AsOf()},
	}, nil
}

// Next judges the items of one submission over what the earlier ones changed. An error says which
// item cannot be committed to.
func (f *Foresight) Next(items []wire.Item) error {
	contents := wire.MaxUnits
	for i := range items {
		roots, err := commit.Commit(f.s.Genesis.Network, &items[i].Committed)
		if err != nil {
			return fmt.Errorf("item %d: %w", f.out.Judged, err)
		}
		j := custody.Judge(f.st, custody.Context{
			Network: f.s.Genesis.Network, Pos: canonical.Position{Height: f.height, Entry: f.entry, Item: uint32(i)},
			Time: f.time, Grace: f.s.Genesis.GraceSeconds * 1000, Party: f.party, ItemHash: roots.Item, Contents: &contents,
		}, &items[i])
		if j.Verdict != block.Accepted || len(j.Findings) > 0 {
			out := foreseen(&j)
			out.Item = f.out.Judged
			f.out.Items = append(f.out.Items, out)
		}
		f.out.Judged++
	}
	f.entry++
	return nil
}

// Foreseen is what the rules said so far.
func (f *Foresight) Foreseen() *Foreseen { return &f.out }

func foreseen(j *custody.Judgement) ForeseenItem {
	out := ForeseenItem{Verdict: j.Verdict.String(), Code: string(j.Code), Detail: j.Detail}
	for _, f := range j.Findings {
		found := ForeseenFinding{Code: string(f.Code), Severity: f.Severity.String(), Detail: f.Detail}
		for _, k := range f.Subjects[:min(len(f.Subjects), maxSubjects)] {
			found.Subjects = append(found.Subjects, k.String())
		}
		out.Findings = append(out.Findings, found)
	}
	return out
}
