package consensus

import (
	"slices"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/state"
)

// reading is a validator's newest clock reading, by counter.
type reading struct {
	counter uint64
	clock   int64
	seen    bool
}

// clocks holds the newest readings of the current set, by validator index.
type clocks []reading

func readClocks(g *genesis.Genesis, v state.View) clocks {
	c := make(clocks, len(g.Validators.Validators))
	for i := range c {
		if b, ok := v.Get(clockKey(voteKeyID(g, i))); ok {
			r := canonical.NewReader(b)
			c[i] = reading{r.U64(), r.I64(), true}
		}
	}
	return c
}

// note takes the reading of an opened pulse. Of two with one counter the first in the stream stays.
func (c clocks) note(validator int, p *block.Pulse) (newer bool) {
	if r := &c[validator]; !r.seen || p.Counter > r.counter {
		*r = reading{p.Counter, p.Clock, true}
		return true
	}
	return false
}

// blockTime is spec section 11: the lower median of the newest readings, but never before the parent.
func (c clocks) blockTime(parent int64) int64 {
	times := make([]int64, len(c))
	for i, r := range c {
		times[i] = parent
		if r.seen {
			times[i] = r.clock
		}
	}
	slices.Sort(times)
	return max(parent, times[(len(times)-1)/2])
}

func clockKey(id canonical.Hash) string { return clockPrefix + string(id[:]) }

func voteKeyID(g *genesis.Genesis, validator int) canonical.Hash {
	return keys.ID(keys.Vote, g.Validators.Validators[validator].VoteKey)
}
