package tracing

import (
	"fmt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// Foreseen is what the rules would say of items that a party submitted now. Nothing is recorded.
type Foreseen struct {
	Items   []ForeseenItem `json:"items" doc:"One for each item, in order"`
	RestsOn AsOf           `json:"restsOn"`
}

// ForeseenItem is what the rules would say of one item.
type ForeseenItem struct {
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

// Foresee judges items of a party in order, as the next block would, and forgets what they change. An error says which
// item cannot be committed to.
func (s *Snapshot) Foresee(party string, items []wire.Item) (*Foreseen, error) {
	head, ok := consensus.ReadHead(s.View)
	if !ok {
		return nil, ErrNotCertified
	}
	st := state.NewOverlay(s.View)
	out := &Foreseen{Items: []ForeseenItem{}, RestsOn: s.AsOf()}
	contents := wire.MaxUnits
	for i := range items {
		roots, err := commit.Commit(s.Genesis.Network, &items[i].Committed)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		j := custody.Judge(st, custody.Context{
			Network: s.Genesis.Network, Pos: canonical.Position{Height: head.Header.Height + 1, Item: uint32(i)},
			Time: max(s.Now.UnixMilli(), head.Header.Time), Grace: s.Genesis.GraceSeconds * 1000, Party: party, ItemHash: roots.Item, Contents: &contents,
		}, &items[i])
		out.Items = append(out.Items, foreseen(&j))
	}
	return out, nil
}

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
