package state_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/ledger/state"
)

func scanned(v state.View, prefix string, limit int) (list []string) {
	v.Scan(prefix, func(k string, b []byte) bool {
		list = append(list, k+"="+string(b))
		return len(list) != limit
	})
	return list
}

// An overlay over an overlay shows what a plain store with the same writes shows, whatever is scanned and when.
func TestOverlayIsAStore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain, base := state.NewMemory(), state.NewMemory()
		outer := state.NewOverlay(base)
		inner := state.NewOverlay(outer)
		keys := rapid.SampledFrom([]string{"a", "a\x00", "a\x00b", "a\x00b\x00c", "a\x00c", "ab", "b\x00a", "\x00", "\x00a", ""})
		for i := range rapid.IntRange(0, 60).Draw(t, "writes") {
			k := keys.Draw(t, "key")
			to := rapid.SampledFrom([]state.Store{base, outer, inner}).Draw(t, "where")
			if i > 20 {
				to = inner // what lies below does not change under an overlay that is in use
			}
			if to != inner {
				plain, base = state.NewMemory(), state.NewMemory()
				base.Put(k, []byte(fmt.Sprint(i)))
				plain.Put(k, []byte(fmt.Sprint(i)))
				outer = state.NewOverlay(base)
				inner = state.NewOverlay(outer)
				continue
			}
			write := func(plain state.Store, k string) {
				if rapid.IntRange(0, 3).Draw(t, "what") == 0 {
					inner.Delete(k)
					plain.Delete(k)
					return
				}
				inner.Put(k, []byte(fmt.Sprint(i)))
				plain.Put(k, []byte(fmt.Sprint(i)))
			}
			if rapid.Bool().Draw(t, "attempt") {
				inner.Attempt(func() bool {
					tried := state.NewMemory()
					plain.Scan("", func(k string, v []byte) bool { tried.Put(k, v); return true })
					for range rapid.IntRange(0, 12).Draw(t, "tries") {
						write(tried, keys.Draw(t, "tried"))
						if rapid.Bool().Draw(t, "look") {
							scanned(inner, keys.Draw(t, "at"), 0)
						}
					}
					ok := rapid.Bool().Draw(t, "succeeds")
					if ok {
						plain = tried
					}
					return ok
				})
			} else {
				write(plain, k)
			}
			prefix, limit := keys.Draw(t, "prefix"), rapid.IntRange(0, 3).Draw(t, "limit")
			if got, want := scanned(inner, prefix, limit), scanned(plain, prefix, limit); !slices.Equal(got, want) {
				t.Fatalf("scan of %q gives %q, want %q", prefix, got, want)
			}
		}
	})
}

// A scan goes on over what it began with while its function writes and scans.
func TestScanWhileWriting(t *testing.T) {
	o := state.NewOverlay(state.NewMemory())
	for i := range 20 {
		o.Put(fmt.Sprintf("p\x00%02d", 2*i), nil)
	}
	var got []string
	o.Scan("p\x00", func(k string, _ []byte) bool {
		got = append(got, k)
		o.Put(fmt.Sprintf("p\x00%02d", 39-len(got)), nil)
		o.Delete(k)
		scanned(o, "p\x00", 0)
		return true
	})
	if len(got) < 20 || !slices.IsSorted(got) {
		t.Errorf("scanned %d keys: %q", len(got), got)
	}
}

// One scan among many writes costs what it finds.
func BenchmarkOverlayScan(b *testing.B) {
	o := state.NewOverlay(state.NewMemory())
	for i := range 50_000 {
		o.Put(fmt.Sprintf("c/%d\x00x", i), nil)
	}
	b.ReportAllocs()
	for b.Loop() {
		o.Scan("c/77\x00", func(string, []byte) bool { return true })
	}
}
