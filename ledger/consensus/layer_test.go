package consensus

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/ledger/state"
)

func dump(v state.View, prefix string) (out []string) {
	v.Scan(prefix, func(k string, val []byte) bool {
		out = append(out, fmt.Sprintf("%q=%x", k, val))
		return true
	})
	return out
}

// A layer over a view reads like the store after the writes were applied.
func TestLayerReadsLikeTheStore(t *testing.T) {
	key := rapid.StringMatching(`[ab]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		applied, base := state.NewMemory(), state.NewMemory()
		for _, k := range rapid.SliceOf(key).Draw(t, "base") {
			base.Put(k, []byte{1})
			applied.Put(k, []byte{1})
		}
		var view state.View = base
		for h := range uint64(rapid.IntRange(1, 3).Draw(t, "layers")) {
			o := state.NewOverlay(view)
			for _, k := range rapid.SliceOf(key).Draw(t, "put") {
				o.Put(k, []byte{byte(h + 2)})
			}
			for _, k := range rapid.SliceOf(key).Draw(t, "delete") {
				o.Delete(k)
			}
			view = &layer{base: view, height: h, writes: o.WriteSet()}
			applied.Apply(o.WriteSet())
		}
		for _, prefix := range []string{"", "a", "b", "ab"} {
			if got, want := dump(view, prefix), dump(applied, prefix); !slices.Equal(got, want) {
				t.Fatalf("scan %q: %v, want %v", prefix, got, want)
			}
		}
		k := key.Draw(t, "key")
		got, ok := view.Get(k)
		want, wantOK := applied.Get(k)
		if ok != wantOK || ok && !slices.Equal(got, want) {
			t.Fatalf("get %q: %v %v, want %v %v", k, got, ok, want, wantOK)
		}
		// Stopping early stops.
		n := 0
		view.Scan("", func(string, []byte) bool { n++; return n < 2 })
		if n > 2 {
			t.Fatalf("%d calls after fn returned false", n)
		}
	})
}
