package custody

import (
	"fmt"
	"runtime"
	"testing"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// pile is a container with n units of n lots, inside deep others, and an event that packs n more units of as many lots into it.
func pile(t tester, n, deep int) (*world, *wire.Item) {
	w := newWorld(t)
	for i := range 2 * n {
		w.run(fmt.Sprintf("M commissions u%d lot L%d exp 2028-03-31", i+1, i))
	}
	w.run(fmt.Sprintf("M packs u1..u%d into c1", n))
	for i := range deep {
		w.run(fmt.Sprintf("M packs c%d into c%d", i+1, i+2))
	}
	return w, w.item("M", "packs", []string{fmt.Sprintf("u%d..u%d", n+1, 2*n), "into", "c1"})
}

// What goes into a container is passed up once, so what stands around it hardly counts. What is allocated says so without a
// clock: the sums of a container are copied where they change.
func TestCostOfDepth(t *testing.T) {
	const units, deep = 200, 14
	cost := func(deep int) uint64 {
		w, it := pile(t, units, deep)
		over, c := state.NewOverlay(w.st), w.context("M")
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		j := Judge(over, c, it)
		runtime.ReadMemStats(&after)
		if j.Verdict == block.Rejected {
			t.Fatal(j.Detail)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	if flat, piled := cost(0), cost(deep); piled > (1+deep)*flat {
		t.Errorf("%d bytes to pack %d units with nothing around, %d with %d containers around", flat, units, piled, deep)
	}
}

func BenchmarkDepth(b *testing.B) {
	for _, deep := range []int{0, 14} {
		b.Run(fmt.Sprintf("pack 500 units, %d around", deep), func(b *testing.B) {
			w, it := pile(b, 500, deep)
			base, c := w.st, w.context("M")
			b.ReportAllocs()
			for b.Loop() {
				if j := Judge(state.NewOverlay(base), c, it); j.Verdict == block.Rejected {
					b.Fatal(j.Detail)
				}
			}
		})
	}
}
