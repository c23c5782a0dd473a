package quorum

import (
	"errors"
	"fmt"
	"slices"

	"verilot.dev/ledger/canonical"
)

// Evidence is two different votes of one validator for one (epoch, height, round, kind): proof that it lies.
type Evidence struct {
	Validator     int
	First, Second SignedVote
}

// OpenEvidence verifies that two payloads convict a validator of s.
func (s *Set) OpenEvidence(n canonical.Network, first, second []byte) (Evidence, error) {
	a, i, err := s.OpenVote(n, first)
	if err != nil {
		return Evidence{}, fmt.Errorf("first vote: %w", err)
	}
	b, j, err := s.OpenVote(n, second)
	if err != nil {
		return Evidence{}, fmt.Errorf("second vote: %w", err)
	}
	if i != j || slotOf(&a.Vote) != slotOf(&b.Vote) {
		return Evidence{}, errors.New("quorum: the votes are not for one slot of one validator")
	}
	if a.Vote == b.Vote {
		return Evidence{}, errors.New("quorum: the votes say the same")
	}
	return Evidence{Validator: i, First: a, Second: b}, nil
}

// A slot is what a validator may fill once.
type slot struct {
	epoch  uint32
	height uint64
	round  uint32
	kind   VoteKind
}

func slotOf(v *Vote) slot { return slot{v.Epoch, v.Height, v.Round, v.Kind} }

// Tally counts the opened votes for one (epoch, height, round, kind): one vote per validator, the first that came.
// A different later one is evidence and is not counted. Votes of a quorum that somebody else saw are checked with
// [Set.CheckBundle] and need no Tally, so that a liar who showed us another vote first cannot hide that quorum from us.
type Tally struct {
	slot  slot
	votes []*SignedVote // by validator
}

// NewTally starts an empty count.
func NewTally(s *Set, epoch uint32, height uint64, round uint32, kind VoteKind) *Tally {
	return &Tally{slot: slot{epoch, height, round, kind}, votes: make([]*SignedVote, len(s.Validators))}
}

// Add counts a vote that OpenVote returned, with its validator. A vote for another slot is ignored, as is the same vote
// again: added is then false.
func (t *Tally) Add(v SignedVote, validator int) (added bool, ev *Evidence) {
	if validator < 0 || validator >= len(t.votes) || slotOf(&v.Vote) != t.slot {
		return false, nil
	}
	switch had := t.votes[validator]; {
	case had == nil:
		t.votes[validator] = &v
		return true, nil
	case had.Vote != v.Vote:
		return false, &Evidence{Validator: validator, First: *had, Second: v}
	}
	return false, nil
}

// Count is the number of votes for a header; the zero hash counts the nil votes.
func (t *Tally) Count(header canonical.Hash) int {
	c := 0
	for _, v := range t.votes {
		if v != nil && v.Vote.Header == header {
			c++
		}
	}
	return c
}

// Total is the number of validators that voted.
func (t *Tally) Total() int {
	c := 0
	for _, v := range t.votes {
		if v != nil {
			c++
		}
	}
	return c
}

// AtLeast returns a header with k or more votes, the one with the most; among equals the smallest, so that every
// validator that holds the same votes picks the same.
func (t *Tally) AtLeast(k int) (header canonical.Hash, ok bool) { return t.atLeast(k, true) }

// Value is AtLeast without the nil votes: however many there are, they hide no header with k votes.
func (t *Tally) Value(k int) (header canonical.Hash, ok bool) { return t.atLeast(k, false) }

func (t *Tally) atLeast(k int, withNil bool) (header canonical.Hash, ok bool) {
	if t.Total() < k {
		return header, false // most calls: a count costs a comparison per pair of validators
	}
	most := 0
	for _, v := range t.votes {
		if v == nil || v.Vote.Nil && !withNil {
			continue
		}
		h := v.Vote.Header
		if c := t.Count(h); c >= k && (c > most || c == most && slices.Compare(h[:], header[:]) < 0) {
			header, most, ok = h, c, true
		}
	}
	return header, ok
}

// Vote returns the counted vote of a validator.
func (t *Tally) Vote(validator int) (SignedVote, bool) {
	if validator < 0 || validator >= len(t.votes) || t.votes[validator] == nil {
		return SignedVote{}, false
	}
	return *t.votes[validator], true
}

// All returns every counted vote in validator order.
func (t *Tally) All() []SignedVote {
	var out []SignedVote
	for _, v := range t.votes {
		if v != nil {
			out = append(out, *v)
		}
	}
	return out
}
