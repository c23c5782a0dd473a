package tracing

import (
	"time"

	"verilot.dev/ledger/canonical"
)

// FeedBlock is one message of the feed: a block and what is in it.
type FeedBlock struct {
	Height  uint64     `json:"height,string"`
	Time    time.Time  `json:"time"`
	Hash    string     `json:"hash"`
	LastSeq uint64     `json:"lastSequence,string"`
	Items   []FeedItem `json:"items" doc:"At most 50"`
	More    int        `json:"more,omitempty" doc:"Items that are not listed"`
}

// FeedItem is an event or registration in the feed. Which units it is about is not told.
type FeedItem struct {
	Position    canonical.Position `json:"position"`
	Kind        string             `json:"kind"`
	Type        string             `json:"type,omitempty"`
	BizStep     string             `json:"bizStep,omitempty"`
	Disposition string             `json:"disposition,omitempty"`
	Party       *PartyRef          `json:"party,omitempty"`
	Verdict     string             `json:"verdict"`
	Code        string             `json:"code,omitempty"`
	Findings    []string           `json:"findings,omitempty"`
	Objects     int                `json:"objects"`
}

// feedItems is how many items of a block are listed.
const feedItems = 50

// FeedBlock is one block as the feed has it; chain.ErrNoBlock if there is none of that height.
func (s *Snapshot) FeedBlock(height uint64) (*FeedBlock, error) {
	res, err := s.block(height)
	if err != nil {
		return nil, err
	}
	b := &FeedBlock{Height: height, Time: time.UnixMilli(res.Header.Time).UTC(), Hash: hex32(res.Hash), LastSeq: res.Header.LastSeq, Items: []FeedItem{}}
	verdicts, err := verdictsOf(res)
	if err != nil {
		return nil, err
	}
	for i := range res.Entries {
		e := s.entry(res, uint32(i), verdicts)
		for j := range e.Items {
			if len(b.Items) == feedItems {
				b.More++
				continue
			}
			it := &e.Items[j]
			shown := FeedItem{
				Position: it.Position, Kind: it.Kind, Type: it.Type, BizStep: it.BizStep, Disposition: it.Disposition, Party: s.party(e.Party), Verdict: it.Verdict, Code: it.Code, Objects: it.Units,
			}
			for _, f := range it.Findings {
				shown.Findings = append(shown.Findings, f.Code)
			}
			b.Items = append(b.Items, shown)
		}
	}
	return b, nil
}
