package consensus

import (
	"cmp"
	"fmt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
)

type tallyKey struct {
	height uint64
	round  uint32
	kind   quorum.VoteKind
}

func (k tallyKey) compare(o tallyKey) int {
	return cmp.Or(cmp.Compare(k.height, o.height), cmp.Compare(k.round, o.round), cmp.Compare(k.kind, o.kind))
}

type accusation struct {
	tallyKey
	validator int
}

// voteReceived counts a vote for this height or the next, and helps those who still vote for an earlier one.
func (c *Core) voteReceived(payload []byte) error {
	v, by, err := c.set.OpenVote(c.g.Network, payload)
	if err != nil || v.Vote.Epoch != c.g.Epoch {
		return nil //nolint:nilerr // not a vote of this set
	}
	if v.Vote.Height < c.rs.height {
		return c.helpBehind(by, v.Vote.Height)
	}
	c.count(v, by)
	return nil
}

// count takes a vote into the tallies: of the height being decided up to its round, of the next height in round 0. Votes of
// later rounds are kept one per validator and kind, however many are sent.
func (c *Core) count(v quorum.SignedVote, by int) {
	rs := c.rs
	c.noteHeight(v.Vote.Height, by)
	var ev *quorum.Evidence
	switch {
	case v.Vote.Height == rs.height && v.Vote.Round > rs.round:
		rs.anyLater = true
		had := &rs.laterVotes[by][v.Vote.Kind-1]
		switch {
		case *had == nil || (*had).Vote.Round < v.Vote.Round:
			*had = &v
		case (*had).Vote.Round == v.Vote.Round && (*had).Vote != v.Vote:
			ev = &quorum.Evidence{Validator: by, First: **had, Second: v}
		}
	case v.Vote.Height == rs.height || v.Vote.Height == rs.height+1 && v.Vote.Round == 0:
		_, ev = c.tally(v.Vote.Height, v.Vote.Round, v.Vote.Kind).Add(v, by)
	}
	if ev == nil {
		return
	}
	a := accusation{tallyKey{v.Vote.Height, v.Vote.Round, v.Vote.Kind}, by}
	if c.accused[a] {
		return
	}
	c.accused[a] = true
	c.do(Alarm{
		Code:     AlarmEquivocation,
		Detail:   fmt.Sprintf("%s cast two different votes at height %d", c.set.Validators[by].Name, v.Vote.Height),
		Evidence: ev,
	})
}

func (c *Core) tally(height uint64, round uint32, kind quorum.VoteKind) *quorum.Tally {
	k := tallyKey{height, round, kind}
	t := c.tallies[k]
	if t == nil {
		t = quorum.NewTally(SetAt(c.g, height), c.g.Epoch, height, round, kind)
		c.tallies[k] = t
	}
	return t
}

// quorumSize is how many equal votes decide.
func (c *Core) quorumSize() int {
	q := c.set.Quorum()
	if c.sabotage.quorum {
		q--
	}
	return q
}

// winner is the value with a quorum of votes, in this validator's tally or as shown by others; a zero header is nil.
func (c *Core) winner(round uint32, kind quorum.VoteKind) (header canonical.Hash, ok bool) {
	if b := c.rs.peerQuorums[tallyKey{c.rs.height, round, kind}]; b != nil {
		return b.Header, true
	}
	t := c.tallies[tallyKey{c.rs.height, round, kind}]
	if t == nil {
		return header, false
	}
	return t.AtLeast(c.quorumSize())
}

// proof is the quorum of votes behind a winner that is not nil.
func (c *Core) proof(round uint32, kind quorum.VoteKind, header canonical.Hash) *quorum.Bundle {
	if b := c.rs.peerQuorums[tallyKey{c.rs.height, round, kind}]; b != nil {
		return b
	}
	return c.tally(c.rs.height, round, kind).Bundle(header)
}

// acceptQuorum takes in a quorum that others saw. A liar who showed this validator another vote cannot hide it.
func (c *Core) acceptQuorum(b *quorum.Bundle) {
	key := tallyKey{b.Height, b.Round, b.Kind}
	if b.Epoch != c.g.Epoch || b.Height != c.rs.height || c.rs.peerQuorums[key] != nil {
		return
	}
	if header, ok := c.winner(b.Round, b.Kind); ok && header == b.Header {
		return
	}
	if c.set.CheckBundle(c.g.Network, b, c.quorumSize()) == nil {
		c.rs.peerQuorums[key] = b
	}
}
