package consensus

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/ledger/verdict"
)

func TestCounters(t *testing.T) {
	for _, tt := range []struct {
		name string
		seen []uint64
		next uint64
		want verdict.Code
	}{
		{"the first", nil, 1, ""},
		{"in order", []uint64{1, 2}, 3, ""},
		{"twice", []uint64{1, 2}, 2, verdict.CounterUsed},
		{"ahead of others", []uint64{1}, 9, ""},
		{"late, in a gap", []uint64{1, 9}, 5, ""},
		{"twice, in what was a gap", []uint64{1, 9, 5}, 5, verdict.CounterUsed},
		{"beside it", []uint64{1, 9, 5}, 6, ""},
		{"zero is never unseen", nil, 0, verdict.CounterUsed},
		{"the last number", []uint64{math.MaxUint64}, math.MaxUint64, verdict.CounterUsed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c counters
			for _, n := range tt.seen {
				if code := c.see(n); code != "" {
					t.Fatalf("counter %d: %s", n, code)
				}
			}
			if got := c.see(tt.next); got != tt.want {
				t.Errorf("counter %d after %v: %q, want %q", tt.next, tt.seen, got, tt.want)
			}
		})
	}
}

func TestCounterGaps(t *testing.T) {
	var c counters
	for i := range uint64(maxGaps) {
		if code := c.see(10 * (i + 1)); code != "" {
			t.Fatalf("gap %d: %s", i, code)
		}
	}
	highest := c.highest
	for _, tt := range []struct {
		name string
		n    uint64
		want verdict.Code
	}{
		{"another gap at the end", highest + 2, verdict.CounterGap},
		{"no gap: the next", highest + 1, ""},
		{"splitting a gap", 15, verdict.CounterGap},
		{"shrinking a gap from below", 11, ""},
		{"shrinking a gap from above", 19, ""},
		{"a refused one stays unseen", 12, ""},
	} {
		if got := c.see(tt.n); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for n := uint64(13); n <= 18; n++ { // closing a gap makes room for one
		if got := c.see(n); got != "" {
			t.Fatalf("counter %d: %s", n, got)
		}
	}
	if got := c.see(c.highest + 2); got != "" {
		t.Errorf("after a gap was closed: %s", got)
	}
}

// The intervals say the same as a list of everything seen.
func TestCountersAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c counters
		seen := map[uint64]bool{}
		for _, n := range rapid.SliceOf(rapid.Uint64Range(1, 60)).Draw(t, "counters") {
			want := verdict.Code("")
			if seen[n] {
				want = verdict.CounterUsed
			}
			if got := c.see(n); got != want {
				t.Fatalf("counter %d: %q, want %q", n, got, want)
			}
			seen[n] = true
			b := c.encode()
			c = decodeCounters(b)
			if !bytes.Equal(b, c.encode()) {
				t.Fatal("encoding is not stable")
			}
			for i, g := range c.gaps {
				if g.first > g.last || i > 0 && c.gaps[i-1].last+1 >= g.first {
					t.Fatalf("gaps %v", c.gaps)
				}
			}
		}
	})
}
