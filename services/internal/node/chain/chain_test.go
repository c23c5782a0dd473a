package chain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/chain/chaintest"
	"verilot.dev/services/internal/node/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var created = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// project counts entries per height and keeps a running total, so that order and repetition would show.
func project(res *consensus.Result, v state.View) (state.WriteSet, error) {
	total, _ := v.Get("x/total")
	return state.WriteSet{
		{Key: fmt.Sprintf("x/%08d", res.Header.Height), Value: fmt.Appendf(nil, "%d", len(res.Entries))},
		{Key: "x/total", Value: append(bytes.Clone(total), byte(len(res.Entries)))},
	}, nil
}

func open(tb testing.TB, dir string, g *genesis.Genesis, o Options) *Chain {
	tb.Helper()
	o.Project = project
	c, err := Open(dir, g, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// next is the block after the head of c: the epoch record first, then commissions.
func next(tb testing.TB, c *Chain, units int) (*consensus.Result, [][]byte) {
	tb.Helper()
	h := c.Head().Header
	var payloads [][]byte
	if h.Height == 0 {
		payloads = append(payloads, chaintest.Epoch(tb, c.g))
	}
	payloads = append(payloads, chaintest.Commission(tb, c.g, h.Height+1, int(h.Height)*units+1, units))
	if h.Height%3 == 2 {
		payloads = append(payloads, []byte("nothing that opens"))
	}
	res, _ := chaintest.Block(tb, c.g, c.Live(), payloads...)
	return res, payloads
}

func commit(tb testing.TB, c *Chain, units int) error {
	tb.Helper()
	res, _ := next(tb, c, units)
	return c.Commit(tb.Context(), res, chaintest.Certify(tb, c.g, c.Live(), res))
}

func grow(tb testing.TB, c *Chain, to uint64) {
	tb.Helper()
	for c.Head().Header.Height < to {
		if err := commit(tb, c, 48); err != nil {
			tb.Fatal(err)
		}
	}
}

// dump is every key and value, and the hash of the head.
func dump(t *testing.T, c *Chain) []string {
	t.Helper()
	v, done, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	var out []string
	v.Scan("", func(k string, v []byte) bool {
		out = append(out, fmt.Sprintf("%q=%x", k, v))
		return true
	})
	return append(out, fmt.Sprintf("head %x", c.Head().Hash))
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("state differs: %d keys, want %d; first at %d", len(got), len(want), i)
		}
	}
}

func TestChain(t *testing.T) {
	g := chaintest.Genesis(t, 4, created)
	dir := t.TempDir()
	c := open(t, dir, g, Options{})
	zero, err := consensus.Zero(g)
	if err != nil {
		t.Fatal(err)
	}
	if c.Head().Hash != zero.Hash {
		t.Error("block 0 is not that of the genesis file")
	}
	early, done, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() { waited <- c.Wait(t.Context(), 7) }()
	grow(t, c, 7)
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if h, _ := consensus.ReadHead(early); h.Header.Height != 0 {
		t.Errorf("a snapshot moved to height %d", h.Header.Height)
	}
	n := 0
	early.Scan("x/", func(string, []byte) bool { n++; return true })
	if n != 2 {
		t.Errorf("a snapshot of block 0 shows %d projected keys", n)
	}
	done()
	done()

	res, payloads := next(t, c, 48)
	cert := chaintest.Certify(t, g, c.Live(), res)
	if err := c.Commit(t.Context(), res, cert); err != nil {
		t.Fatal(err)
	}
	if err := c.Commit(t.Context(), res, cert); err != nil {
		t.Errorf("the same block again: %v", err)
	}
	other := *res
	other.Raw = bytes.Clone(res.Raw)
	other.Raw[50] ^= 1
	if err := c.Commit(t.Context(), &other, cert); !errors.Is(err, ErrDiffers) {
		t.Error(err)
	}
	other.Header.Height = 10
	if err := c.Commit(t.Context(), &other, cert); !errors.Is(err, store.ErrGap) {
		t.Error(err)
	}

	check := func() {
		t.Helper()
		b, err := c.Block(8)
		if err != nil {
			t.Fatal(err)
		}
		last := b.Entries[len(b.Entries)-1]
		if !bytes.Equal(b.Raw, res.Raw) || b.Hash != res.Hash || !bytes.Equal(last.Payload, payloads[len(payloads)-1]) || len(b.Verdicts) != len(res.Verdicts) {
			t.Error("block 8 is not what was committed")
		}
		if b, err = c.Block(3); err != nil {
			t.Fatal(err)
		}
		if s := b.Entries[0].Submission; b.Entries[0].Kind != block.Submission || s == nil || len(s.Items[0].Committed.Units) != 48 {
			t.Errorf("block 3 was not opened again: %+v", b.Entries[0])
		}
		if e := b.Entries[1]; e.Kind != block.NotOpened || e.Code != "UNKNOWN_PURPOSE" {
			t.Errorf("%+v", e)
		}
		cp, err := c.Checkpoint(8)
		if err != nil {
			t.Fatal(err)
		}
		have, err := c.Certificate(8)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Validators.Check(cp, have); err != nil {
			t.Error(err)
		}
		root, proof, err := c.Log(9, []uint64{2, 5})
		if err != nil || root != cp.Root || len(proof) == 0 {
			t.Error(root, len(proof), err)
		}
		if _, err := c.Block(9); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		if _, err := c.Certificate(0); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		if b, err := c.Block(0); err != nil || b.Hash != zero.Hash {
			t.Error(err)
		}
	}
	check()
	want := dump(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(t.Context(), 99); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, _, err := c.Snapshot(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := c.Commit(t.Context(), res, cert); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	c = open(t, dir, g, Options{step: func(string) error { return errors.New("an orderly stop needs no repair") }})
	same(t, dump(t, c), want)
	check()
	c.o.step = nil
	if err := c.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, dump(t, c), want)
	grow(t, c, 10)
	c.Close()
	if _, err := Open(dir, chaintest.Genesis(t, 5, created), Options{}); err == nil {
		t.Error("opened as another network")
	}
}

// Blocks that other rules judged are not judged again: the folder is refused, and the sentence says what to do.
func TestOtherRules(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	for name, tt := range map[string]struct{ file, says string }{
		"before the rules were noted": {fmt.Sprintf("%x\n", g.Hash), "rules 1"},
		"another revision":            {fmt.Sprintf("%x\nrules 9999\n", g.Hash), "rules 9999"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "genesis"), []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, g, Options{}); err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "make the network anew") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// reference is the state at each height of a chain that was never stopped.
func reference(t *testing.T, g *genesis.Genesis, to uint64) map[uint64][]string {
	t.Helper()
	c := open(t, t.TempDir(), g, Options{})
	want := map[uint64][]string{0: dump(t, c)}
	for h := uint64(1); h <= to; h++ {
		grow(t, c, h)
		want[h] = dump(t, c)
	}
	return want
}

func TestKilledAtEveryStep(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	want := reference(t, g, 6)
	killed := errors.New("killed")
	for _, at := range []struct {
		step   string
		height uint64
	}{{"before log", 3}, {"after log", 4}, {"after chunk", 4}} {
		t.Run(at.step, func(t *testing.T) {
			dir := t.TempDir()
			c := open(t, dir, g, Options{})
			grow(t, c, 3)
			c.o.step = func(s string) error {
				if s == at.step {
					return killed
				}
				return nil
			}
			if err := commit(t, c, 48); !errors.Is(err, killed) {
				t.Fatal(err)
			}
			if err := commit(t, c, 48); !errors.Is(err, killed) {
				t.Errorf("a commit after one that broke off: %v", err)
			}
			same(t, dump(t, c), want[3])
			c.Close()
			c = open(t, dir, g, Options{})
			same(t, dump(t, c), want[at.height])
			grow(t, c, 6)
			same(t, dump(t, c), want[6])
		})
	}
}

// TestPowerCut puts an old state beside new logs: that is what Badger leaves when its memtables were not synced.
func TestPowerCut(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	want := reference(t, g, 9)
	dir := t.TempDir()
	c := open(t, dir, g, Options{})
	grow(t, c, 2)
	c.Close()
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(dir, "state"))); err != nil {
		t.Fatal(err)
	}
	c = open(t, dir, g, Options{})
	grow(t, c, 8)
	c.Close()
	for name, spoil := range map[string]func(dir string) error{
		"memtables lost": func(string) error { return nil },
		"write-sets lost too": func(dir string) error {
			return os.RemoveAll(filepath.Join(dir, "writes"))
		},
		"all state lost": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "state")) },
	} {
		t.Run(name, func(t *testing.T) {
			cut := filepath.Join(t.TempDir(), "cut")
			if err := os.CopyFS(cut, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.RemoveAll(filepath.Join(cut, "state")), os.CopyFS(filepath.Join(cut, "state"), os.DirFS(old)),
				os.Remove(filepath.Join(cut, cleanFile)), spoil(cut)); err != nil {
				t.Fatal(err)
			}
			c := open(t, cut, g, Options{})
			same(t, dump(t, c), want[8])
			grow(t, c, 9)
			same(t, dump(t, c), want[9])
		})
	}
	t.Run("a block that the state has seen is gone", func(t *testing.T) {
		if err := os.RemoveAll(filepath.Join(dir, "blocks")); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, g, Options{}); !errors.Is(err, store.ErrCorrupt) {
			t.Error(err)
		}
	})
}

// TestTrim keeps few write-sets, as after months.
func TestTrim(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	want := reference(t, g, 41)
	dir := t.TempDir()
	o := Options{KeepWrites: 40 << 10, smallKeep: true}
	c := open(t, dir, g, o)
	grow(t, c, 40)
	if c.keptWrites[0].height < 10 || c.keptWrites[0].height > 39 {
		t.Errorf("write-sets are kept from height %d", c.keptWrites[0].height)
	}
	c.Close()
	if err := os.Remove(filepath.Join(dir, cleanFile)); err != nil {
		t.Fatal(err)
	}
	c = open(t, dir, g, o)
	same(t, dump(t, c), want[40])
	grow(t, c, 41)
	same(t, dump(t, c), want[41])
}

func TestDamagedBlock(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	dir := t.TempDir()
	c := open(t, dir, g, Options{})
	grow(t, c, 5)
	c.Close()
	path := filepath.Join(dir, "blocks", "0000000000000000.log")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir, g, Options{})
	if e, ok := errors.AsType[*store.CorruptError](err); !ok || e.Segment != path {
		t.Error(err)
	}
}

// TestKilledWhileAFileIsMade: kill -9 between the making of a memtable's file and its first byte.
func TestKilledWhileAFileIsMade(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	dir := t.TempDir()
	c := open(t, dir, g, Options{})
	grow(t, c, 3)
	want := dump(t, c)
	c.Close()
	for _, name := range []string{"00099.mem", "000099.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, "state", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	same(t, dump(t, open(t, dir, g, Options{})), want)
}

func TestWaitEndsWithContext(t *testing.T) {
	c := open(t, t.TempDir(), chaintest.Genesis(t, 1, created), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Wait(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, events := range []int{1, 20} {
		b.Run(fmt.Sprintf("%dx48", events), func(b *testing.B) {
			g := chaintest.Genesis(b, 1, created)
			c := open(b, b.TempDir(), g, Options{})
			grow(b, c, 1)
			var units int
			for b.Loop() {
				b.StopTimer()
				h := c.Head().Header
				var payloads [][]byte
				for i := range events {
					n := int(h.Height)*events + i
					payloads = append(payloads, chaintest.Commission(b, g, uint64(n+10), 1000+n*48, 48))
				}
				res, cert := chaintest.Block(b, g, c.Live(), payloads...)
				units += events * 48
				b.StartTimer()
				if err := c.Commit(b.Context(), res, cert); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(units)/b.Elapsed().Seconds(), "units/s")
		})
	}
}
