package replica

import (
	"sync"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
)

// Roster remembers what each validator was heard to vote. Only votes that verify count.
type Roster struct {
	g    *genesis.Genesis
	mu   sync.Mutex // guards seen
	seen []seen
}

// Seen is where a validator stands, as far as its votes say.
type Seen struct {
	Height   uint64 // of its newest vote; 0: nothing was heard
	Round    uint32
	At       time.Time // when that was heard first
	Missed   uint64    // blocks that were decided while nothing was heard of it for two heights
	Evidence int       // pairs of votes that contradict each other
}

type seen struct {
	Seen
	votes map[quorum.Vote]bool // the newest, at most keptVotes
	order []quorum.Vote
}

const keptVotes = 64

// NewRoster is empty.
func NewRoster(g *genesis.Genesis) *Roster {
	return &Roster{g: g, seen: make([]seen, len(g.Validators.Validators))}
}

// Saw takes in what was sent as a vote.
func (r *Roster) Saw(payload []byte, at time.Time) {
	sv, i, err := r.g.Validators.OpenVote(r.g.Network, payload)
	if err != nil || sv.Vote.Epoch != r.g.Epoch {
		return
	}
	v := sv.Vote
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.seen[i]
	if s.votes[v] {
		return
	}
	for _, o := range s.order {
		if o.Height == v.Height && o.Round == v.Round && o.Kind == v.Kind {
			s.Evidence++
		}
	}
	if s.votes == nil {
		s.votes = map[quorum.Vote]bool{}
	}
	s.votes[v], s.order = true, append(s.order, v)
	if len(s.order) > keptVotes {
		delete(s.votes, s.order[0])
		s.order = s.order[1:]
	}
	if v.Height > s.Height || v.Height == s.Height && v.Round >= s.Round {
		s.Height, s.Round, s.At = v.Height, v.Round, at
	}
}

// decided counts who was not heard of.
func (r *Roster) decided(height uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.seen {
		if s := &r.seen[i]; s.Height+1 < height {
			s.Missed++
		}
	}
}

// Of returns where a validator stands.
func (r *Roster) Of(validator int) Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[validator].Seen
}

// Newest is the highest height voted for by more than f validators: one of them is honest.
func (r *Roster) Newest() (height uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.seen {
		n := 0
		for j := range r.seen {
			if r.seen[j].Height >= r.seen[i].Height {
				n++
			}
		}
		if n > r.g.Validators.Faults() {
			height = max(height, r.seen[i].Height)
		}
	}
	return height
}
