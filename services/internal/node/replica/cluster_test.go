package replica

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"verilot.dev/ledger/quorum"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// cluster starts four validators and waits for the stream to open.
func (w *world) cluster(b *bus.Bus) []*running {
	w.t.Helper()
	var all []*running
	for i := range w.g.Validators.Validators {
		all = append(all, w.validator(fmt.Sprintf("v%d", i+1)))
	}
	w.opened(b)
	return all
}

func waitAll(seq uint64, nodes ...*running) {
	for _, n := range nodes {
		n.t.Helper()
		n.waitSeq(seq)
	}
}

func stopNow(t *testing.T, nodes ...*running) {
	t.Helper()
	for _, n := range nodes {
		if err := n.stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestFourValidators(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	all := w.cluster(b)
	f := w.follower("f")
	for range 5 {
		waitAll(w.submit(b, 4), append(all, f)...)
	}
	// One may fail. It is in turn to publish some of the next blocks; another does it.
	stopNow(t, all[1])
	rest := []*running{all[0], all[2], all[3], f}
	for range 5 {
		waitAll(w.submit(b, 4), rest...)
	}
	// It was away and comes back, while the others go on.
	back := w.validator("v2")
	for range 3 {
		waitAll(w.submit(b, 4), append(rest, back)...)
	}
	for _, r := range append(rest, back) {
		equal(t, f.chain, r.chain)
	}
}

// TestTwoOfFourDown: no block without a quorum; what is submitted meanwhile is certified after they return.
func TestTwoOfFourDown(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	all := w.cluster(b)
	waitAll(w.submit(b, 4), all...)
	stopNow(t, all[1], all[3])
	up := []*running{all[0], all[2]}
	last := w.submit(b, 4)
	// A block of what came before may be decided still; then there is none.
	time.Sleep(1500 * time.Millisecond)
	before := [2]uint64{all[0].chain.Head().Header.Height, all[2].chain.Head().Header.Height}
	last = max(last, w.submit(b, 4))
	time.Sleep(3 * time.Second) // several rounds
	for i, r := range up {
		if h := r.chain.Head().Header; h.Height != before[i] || h.LastSeq >= last {
			t.Errorf("%d blocks without a quorum", h.Height-before[i])
		}
	}
	up = append(up, w.validator("v2"))
	waitAll(last, up...)
	up = append(up, w.validator("v4"))
	waitAll(w.submit(b, 2), up...)
	for _, r := range up[1:] {
		equal(t, up[0].chain, r.chain)
	}
}

// TestAwayForLong: a validator that misses many blocks gets them from BLOCKS; one that lost its copy too, and keeps its
// journal.
func TestAwayForLong(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	all := w.cluster(b)
	waitAll(w.submit(b, 2), all...)
	stopNow(t, all[3])
	for range 12 {
		waitAll(w.submit(b, 1), all[:3]...)
	}
	missed := all[0].chain.Head().Header.Height
	if err := os.RemoveAll(filepath.Join(w.dir, "v4", "blocks")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"state", "writes", "clean"} {
		if err := os.RemoveAll(filepath.Join(w.dir, "v4", dir)); err != nil {
			t.Fatal(err)
		}
	}
	back := w.validator("v4")
	back.wait(missed)
	// It votes again: another one may fail now.
	stopNow(t, all[0])
	waitAll(w.submit(b, 3), all[1], all[2], back)
	equal(t, all[1].chain, back.chain)
}

// TestBlocksFromPeers: BLOCKS holds nothing good, so a validator that was cut off gets its blocks from the others.
func TestBlocksFromPeers(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	all := w.cluster(b)
	last := w.submit(b, 2)
	waitAll(last, all...)
	stopNow(t, all[3])
	for range 3 {
		waitAll(w.submit(b, 1), all[:3]...)
	}
	top := all[0].chain.Head().Header.Height
	for h := uint64(1); h <= top; h++ {
		if err := b.PublishBlock(t.Context(), h, []byte("garbage")); err != nil {
			t.Fatal(err)
		}
	}
	v := w.newValidator("v4")
	for h := v.chain.Head().Header.Height + 1; h <= top; h++ {
		view, done, err := v.chain.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		const fromBlocks = 1
		for i, from := range v.sources(h) {
			rec, messages, err := from(t.Context(), view)
			if (err == nil) != (i != fromBlocks) {
				t.Fatalf("block %d from source %d: %v", h, i, err)
			}
			if i != fromBlocks && len(messages) != len(rec.Entries) {
				t.Errorf("%d messages of %d", len(messages), len(rec.Entries))
			}
		}
		done()
	}
	back := w.run(v.chain, v.Run, v.Status)
	waitAll(w.submit(b, 2), all[0], all[1], all[2], back)
	equal(t, all[0].chain, back.chain)
}

// damage changes a byte in the middle of a stored log.
func damage(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestChangedBlock: whoever's own copy has changed stops and says so; the others go on; and it can come back.
func TestChangedBlock(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	all := w.cluster(b)
	for range 4 {
		waitAll(w.submit(b, 2), all...)
	}
	dir := filepath.Join(w.dir, "v3")
	damage(t, filepath.Join(dir, "blocks", "0000000000000000.log")) // while it runs
	all[2].halted("an own block was changed on disk")
	rest := []*running{all[0], all[1], all[3]}
	waitAll(w.submit(b, 4), rest...)
	stopNow(t, all[2])

	// So it does when started again: it finds the damage when it opens its copy, or soon after.
	c, err := chain.Open(dir, w.g, chain.Options{})
	if err == nil {
		v, err := NewValidator(w.config("v3", c))
		if err != nil {
			t.Fatal(err)
		}
		w.run(c, v.Run, v.Status).halted("an own block was changed on disk")
		c.Close()
	} else if halt := Damaged(err); !strings.Contains(halt.Error(), "an own block was changed on disk") {
		t.Error(err)
	}
	// The remedy works.
	for _, name := range []string{"blocks", "state", "writes", "clean"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	back := w.validator("v3")
	waitAll(w.submit(b, 2), append(rest, back)...)
	equal(t, all[0].chain, back.chain)
}

func TestStreamIsDeleted(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	all := append(w.cluster(b), w.follower("f"))
	waitAll(w.submit(b, 3), all...)
	w.deleteStream()
	for _, r := range all {
		r.halted("no stream CUSTODY any more")
	}
	stopNow(t, all...)
	if err := b.Ensure(t.Context()); !errors.Is(err, bus.ErrGone) {
		t.Errorf("the stream was created again: %v", err)
	}
}

// deleteStream does what an operator's wrong command does. Deny delete does not cover it.
func (w *world) deleteStream() {
	w.t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(w.server))
	if err != nil {
		w.t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := js.DeleteStream(w.t.Context(), bus.Custody); err != nil {
		w.t.Fatal(err)
	}
}

// TestReadAgain: what the Core asks for when another block was decided than the one that the stream led to.
func TestReadAgain(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	v := w.newValidator("v4")
	all := append([]*running{w.run(v.chain, v.Run, v.Status)}, w.validator("v1"), w.validator("v2"))
	w.opened(b)
	for range 3 {
		waitAll(w.submit(b, 2), all...)
		v.reread <- v.chain.Head().Header.LastSeq + 1
	}
	waitAll(w.submit(b, 2), all...)
	equal(t, all[0].chain, all[1].chain)
}

// TestEquivocation: two votes of one validator for one thing are kept, and counted again after a restart.
func TestEquivocation(t *testing.T) {
	w := newWorld(t, 4)
	b := w.connect()
	liar, err := w.connect().Peers(w.g.Epoch, "v4")
	if err != nil {
		t.Fatal(err)
	}
	v := w.newValidator("v1")
	one := w.run(v.chain, v.Run, v.Status)
	w.opened(b)
	vote := func(header byte) []byte {
		sv, err := quorum.SignVote(w.g.Network, quorum.Vote{Epoch: w.g.Epoch, Height: 1, Kind: quorum.Prepare, Header: [32]byte{header}}, chaintest.Key("v4/vote"))
		if err != nil {
			t.Fatal(err)
		}
		return sv.Payload()
	}
	deadline := time.Now().Add(20 * time.Second)
	for v.Evidence() == 0 {
		for h := range byte(2) {
			if err := liar.Send(bus.Vote, "", vote(h+1)); err != nil {
				t.Fatal(err)
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("no evidence")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if s := v.roster.Of(3); s.Evidence == 0 || s.Height != 1 {
		t.Errorf("%+v", s)
	}
	stopNow(t, one)
	if n := w.newValidator("v1").Evidence(); n != 1 {
		t.Errorf("%d pieces of evidence on disk", n)
	}
}

// BenchmarkCluster: from the bus to certified by four validators in this process, one submission after the other.
func BenchmarkCluster(b *testing.B) {
	w := newWorld(b, 4)
	c := w.connect()
	all := w.cluster(c)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		all[0].waitSeq(w.submit(c, 1))
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(all[0].chain.Head().Header.Height)/b.Elapsed().Seconds(), "blocks/s")
}
