package consensus

import (
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/verdict"
)

// maxGaps is the number of intervals of unseen counters remembered per key (spec section 5.4).
const maxGaps = 1024

// counters remembers which counters of one key were seen: all up to highest but those in the gaps. Stored as u64 highest,
// then per gap u64 first, u64 last.
type counters struct {
	highest uint64
	gaps    []gap // ascending, never adjacent
}

// gap is an interval of unseen counters, both ends included.
type gap struct{ first, last uint64 }

// see marks counter n as seen, or returns why it may not be used.
func (c *counters) see(n uint64) (code verdict.Code) {
	if n > c.highest {
		if n > c.highest+1 {
			if len(c.gaps) == maxGaps {
				return verdict.CounterGap
			}
			c.gaps = append(c.gaps, gap{c.highest + 1, n - 1})
		}
		c.highest = n
		return ""
	}
	i, _ := slices.BinarySearchFunc(c.gaps, n, func(g gap, n uint64) int {
		switch {
		case g.last < n:
			return -1
		case g.first > n:
			return 1
		}
		return 0
	})
	if i == len(c.gaps) || n < c.gaps[i].first {
		return verdict.CounterUsed
	}
	switch g := &c.gaps[i]; {
	case g.first == g.last:
		c.gaps = slices.Delete(c.gaps, i, i+1)
	case n == g.first:
		g.first++
	case n == g.last:
		g.last--
	case len(c.gaps) == maxGaps:
		return verdict.CounterGap
	default:
		upper := gap{n + 1, g.last}
		g.last = n - 1
		c.gaps = slices.Insert(c.gaps, i+1, upper)
	}
	return ""
}

func (c *counters) encode() []byte {
	b := canonical.U64(make([]byte, 0, 8+16*len(c.gaps)), c.highest)
	for _, g := range c.gaps {
		b = canonical.U64(canonical.U64(b, g.first), g.last)
	}
	return b
}

func decodeCounters(b []byte) (c counters) {
	r := canonical.NewReader(b)
	c.highest = r.U64()
	for r.Len() > 0 && r.Err() == nil {
		c.gaps = append(c.gaps, gap{r.U64(), r.U64()})
	}
	return c
}
