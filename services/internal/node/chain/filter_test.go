package chain

import (
	"fmt"
	"testing"

	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/chain/chaintest"
)

func keysOf(from, n int) state.WriteSet {
	ws := make(state.WriteSet, n)
	for i := range ws {
		ws[i] = state.Write{Key: fmt.Sprintf("u/%d", from+i), Value: []byte{1}}
	}
	return ws
}

// What was put is never absent, and most of what was not is.
func TestFilter(t *testing.T) {
	f := newFilter()
	const n = 700_000 // more than one part
	f.addAll(keysOf(0, n))
	wrong := 0
	for _, w := range keysOf(0, n) {
		if f.absent(w.Key) {
			t.Fatalf("%s was put", w.Key)
		}
	}
	for _, w := range keysOf(n, n) {
		if !f.absent(w.Key) {
			wrong++
		}
	}
	if share := float64(wrong) / n; share > 0.03 {
		t.Errorf("%.1f %% of absent keys are not known to be", 100*share)
	}
	if len(*f.parts.Load()) < 2 || f.absent("with\x00NUL") {
		t.Error("it did not grow, or answers for keys that it does not hold")
	}
	f.reset()
	if !f.absent("u/1") {
		t.Error("not empty")
	}
}

// After a start the filter is silent until it has seen every key, and then knows them.
func TestFilterAfterOpen(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	dir := t.TempDir()
	c := open(t, dir, g, Options{})
	grow(t, c, 4)
	want := dump(t, c)
	c.Close()
	c = open(t, dir, g, Options{})
	c.filter.walk.Wait()
	if !c.filter.complete.Load() {
		t.Fatal("the walk ended early")
	}
	c.hot.drop()
	_ = c.read(func(v state.View) error {
		v.Scan("", func(k string, _ []byte) bool {
			if _, ok := c.Live().Get(k); !ok {
				t.Errorf("%q is lost", k)
			}
			return true
		})
		return nil
	})
	if !c.filter.absent("u/no such unit") {
		t.Error("it says nothing")
	}
	if err := c.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, dump(t, c), want)
}

func BenchmarkAbsent(b *testing.B) {
	f := newFilter()
	f.addAll(keysOf(0, 1_000_000))
	for b.Loop() {
		f.absent("u/01006141411073462112345678")
	}
}
