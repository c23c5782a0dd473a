package chain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// Beginning in the middle and going backwards find the keys that a scan finds, no more and no less, beside keys that only look alike.
func TestOrderedScans(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var keys []string
	for range 300 {
		b := make([]byte, random.IntN(6))
		for i := range b {
			b[i] = []byte{0, 1, 'a', 'b', 0xfe, 0xff}[random.IntN(6)]
		}
		keys = append(keys, "x/"+string(b))
	}
	keys = append(keys, "w", "x", "x0", "y", "x/\xff\xff\xff\xff\xff\xff\xff\xff")
	slices.Sort(keys)
	keys = slices.Compact(keys)
	c, err := Open(t.TempDir(), chaintest.Genesis(t, 1, created), Options{Project: func(*consensus.Result, state.View) (state.WriteSet, error) {
		var ws state.WriteSet
		for _, k := range keys {
			ws = append(ws, state.Write{Key: k, Value: []byte("v" + k)})
		}
		return ws, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	v, done, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	own := v.(view)
	for _, prefix := range []string{"x/", "x/a", "x/\x00", "x/\xff", "x/\xff\xff", "x/nothing"} {
		for _, from := range append(slices.Clone(keys), "", "x/", "x/a\x00", "zzz", prefix+"\xff") {
			var up, down []string
			for _, k := range keys {
				if strings.HasPrefix(k, prefix) {
					if k >= from {
						up = append(up, k)
					}
					if from == "" || k <= from {
						down = append(down, k)
					}
				}
			}
			slices.Reverse(down)
			collect := func(scan func(string, string, func(string, []byte) bool)) (out []string) {
				scan(prefix, from, func(k string, b []byte) bool {
					if string(b) != "v"+k {
						t.Fatalf("%q holds %q", k, b)
					}
					out = append(out, k)
					return len(out) < 1000
				})
				return out
			}
			if got := collect(own.ScanFrom); !slices.Equal(got, up) {
				t.Errorf("%q from %q: %q, want %q", prefix, from, got, up)
			}
			if got := collect(own.ScanBack); !slices.Equal(got, down) {
				t.Errorf("%q back from %q: %q, want %q", prefix, from, got, down)
			}
		}
	}
	n := 0
	own.ScanBack("x/", "", func(string, []byte) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("it went on to %d", n)
	}
}

// A block of which one entry is read says the same as the block read as a whole, in the cache and from disk.
func TestOpened(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	dir := t.TempDir()
	c, err := Open(dir, g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	grow(t, c, 4)
	check := func() {
		t.Helper()
		for h := uint64(1); h <= 4; h++ {
			o, err := c.Opened(h)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := c.Block(h)
			if err != nil {
				t.Fatal(err)
			}
			if o.Time != whole.Header.Time {
				t.Errorf("block %d: time %d, want %d", h, o.Time, whole.Header.Time)
			}
			for i := range whole.Entries {
				sub, err := o.Submission(uint32(i))
				if want := whole.Entries[i].Submission; want == nil {
					if err == nil {
						t.Errorf("block %d: entry %d is no submission", h, i)
					}
				} else if err != nil || fmt.Sprint(sub.Header) != fmt.Sprint(want.Header) || len(sub.Items) != len(want.Items) {
					t.Errorf("block %d, entry %d: %v", h, i, err)
				}
			}
			if _, err := o.Submission(999); err == nil {
				t.Error("there is no entry 999")
			}
		}
		if _, err := c.Opened(5); err == nil {
			t.Error("there is no block 5")
		}
	}
	check()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err = Open(dir, g, Options{}); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check()
}
