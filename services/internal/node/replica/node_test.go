package replica

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/chain/chaintest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

// world is a broker and a genesis file, and what a test starts of them. Everything is stopped when the test ends.
type world struct {
	t       testing.TB
	dir     string
	g       *genesis.Genesis
	server  *bus.Server
	options chain.Options
	counter uint64
	// auditEvery is how often validators read their own blocks; 0: often.
	auditEvery time.Duration
}

func newWorld(tb testing.TB, validators int) *world {
	tb.Helper()
	w := &world{t: tb, dir: tb.TempDir(), g: chaintest.Genesis(tb, validators, time.Now().Add(-time.Minute))}
	w.startBroker()
	return w
}

func (w *world) brokerDir() string { return filepath.Join(w.dir, "broker") }

func (w *world) startBroker() {
	w.t.Helper()
	s, err := bus.Embed(bus.EmbedOptions{Dir: w.brokerDir()})
	if err != nil {
		w.t.Fatal(err)
	}
	w.server = s
	w.t.Cleanup(func() { s.Close() })
}

func (w *world) connect() *bus.Bus {
	w.t.Helper()
	b, err := bus.Connect(w.t.Context(), bus.Options{Server: w.server})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(b.Close)
	if err := b.Ensure(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) open(name string) *chain.Chain {
	w.t.Helper()
	c, err := chain.Open(filepath.Join(w.dir, name), w.g, w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// running is a node at work.
type running struct {
	t     testing.TB
	chain *chain.Chain
	stop  func() error // and wait; closes the chain
	done  chan error   // what Run returned
	state func() Status
}

func (w *world) run(c *chain.Chain, run func(context.Context) error, state func() Status) *running {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	r := &running{t: w.t, chain: c, done: done, state: state}
	r.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-done, c.Close())
	})
	w.t.Cleanup(func() { _ = r.stop() })
	return r
}

func (w *world) validator(name string) *running {
	w.t.Helper()
	v := w.newValidator(name)
	return w.run(v.chain, v.Run, v.Status)
}

func (w *world) newValidator(name string) *Validator {
	w.t.Helper()
	v, err := NewValidator(w.config(name, w.open(name)))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) config(name string, c *chain.Chain) ValidatorConfig {
	return ValidatorConfig{
		Chain: c, Bus: w.connect(), Journal: filepath.Join(w.dir, name, "journal"), AuditEvery: cmp.Or(w.auditEvery, 200*time.Millisecond),
		Vote: chaintest.Key(name + "/vote"), Cosign: chaintest.Key(name + "/cosign"), Metrics: prometheus.NewRegistry(),
	}
}

func (w *world) follower(name string) *running {
	w.t.Helper()
	c := w.open(name)
	f, err := NewFollower(FollowerConfig{Chain: c, Bus: w.connect(), Metrics: prometheus.NewRegistry()})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.run(c, f.Run, f.Status)
}

// wait until the node has height, while it runs.
func (r *running) wait(height uint64) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if err := r.chain.Wait(ctx, height); err != nil {
		select {
		case err := <-r.done:
			r.t.Fatalf("stopped at height %d: %v", r.chain.Head().Header.Height, err)
		default:
			r.t.Fatalf("at height %d, want %d: %v", r.chain.Head().Header.Height, height, err)
		}
	}
}

// waitSeq until the node has a block with the message seq.
func (r *running) waitSeq(seq uint64) {
	r.t.Helper()
	for r.chain.Head().Header.LastSeq < seq {
		r.wait(r.chain.Head().Header.Height + 1)
	}
}

func (r *running) halted(reason string) {
	r.t.Helper()
	select {
	case err := <-r.done:
		r.done <- nil
		if h, ok := errors.AsType[*HaltError](err); !ok || !strings.Contains(h.Reason, reason) {
			r.t.Errorf("stopped with %v, want %q", err, reason)
		}
		if s := r.state(); !strings.Contains(s.Halted, reason) {
			r.t.Errorf("%+v", s)
		}
	case <-time.After(30 * time.Second):
		r.t.Fatal("did not halt")
	}
}

// submit publishes n submissions of 48 units and returns the last sequence.
func (w *world) submit(b *bus.Bus, n int) (seq uint64) {
	w.t.Helper()
	for range n {
		w.counter++
		a, err := b.Publish(w.t.Context(), "acme", chaintest.Commission(w.t, w.g, w.counter, int(w.counter)*48, 48))
		if err != nil {
			w.t.Fatal(err)
		}
		seq = a.Seq
	}
	return seq
}

// opened waits for the epoch record: publishers do.
func (w *world) opened(b *bus.Bus) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	if err := b.Read(ctx, 1, 1, func(bus.Message) error { return nil }); err != nil {
		w.t.Fatal(err)
	}
}

// equal compares two copies up to the lower head: every header, and the whole state if the heads are the same.
func equal(t *testing.T, a, b *chain.Chain) {
	t.Helper()
	top := min(a.Head().Header.Height, b.Head().Header.Height)
	for h := uint64(1); h <= top; h++ {
		x, errA := a.Stored(h)
		y, errB := b.Stored(h)
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x.Header, y.Header) {
			t.Fatalf("block %d differs", h)
		}
	}
	if a.Head().Hash != b.Head().Hash {
		return
	}
	if x, y := dump(t, a), dump(t, b); !slices.Equal(x, y) {
		t.Errorf("state differs at height %d: %d and %d keys", top, len(x), len(y))
	}
}

func dump(t *testing.T, c *chain.Chain) (out []string) {
	t.Helper()
	v, done, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	v.Scan("", func(k string, v []byte) bool {
		out = append(out, fmt.Sprintf("%q=%x", k, v))
		return true
	})
	return out
}

func TestPublishedIsCertifiedAndFollowed(t *testing.T) {
	w := newWorld(t, 1)
	b := w.connect()
	v, f := w.validator("v1"), w.follower("f")
	w.opened(b)
	w.submit(b, 5)
	dup := chaintest.Commission(t, w.g, 2, 2*48, 48)
	if a, err := b.Publish(t.Context(), "acme", dup); err != nil || !a.Duplicate {
		t.Fatal(a, err)
	}
	if _, err := b.Publish(t.Context(), "stranger", []byte("garbage")); err != nil {
		t.Fatal(err)
	}
	last := w.submit(b, 3)
	v.waitSeq(last)
	f.waitSeq(last)
	if s := f.state(); s.Height == 0 || s.LastSeq < last || s.Halted != "" {
		t.Errorf("%+v", s)
	}
	late := w.follower("late")
	late.waitSeq(last)
	if err := v.stop(); err != nil {
		t.Error(err)
	}
	for _, r := range []*running{f, late} {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	}
	x, y, z := w.open("v1"), w.open("f"), w.open("late")
	equal(t, x, y)
	equal(t, x, z)
	accepted := 0
	for h := uint64(1); h <= x.Head().Header.Height; h++ {
		res, err := x.Block(h)
		if err != nil {
			t.Fatal(err)
		}
		accepted += int(res.Header.Events)
		c, err := x.Checkpoint(h)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := y.Certificate(h)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.g.Validators.Check(c, cert); err != nil {
			t.Errorf("block %d: %v", h, err)
		}
	}
	if accepted != 8 {
		t.Errorf("%d events are in blocks, want 8", accepted)
	}
}

func TestValidatorIsStoppedAndStartedAgain(t *testing.T) {
	w := newWorld(t, 1)
	b := w.connect()
	var last uint64
	for i := range 4 {
		v := w.validator("v1")
		w.opened(b)
		last = w.submit(b, 3)
		if i%2 == 0 {
			v.waitSeq(last)
		}
		if err := v.stop(); err != nil { // otherwise in the middle of it
			t.Fatal(err)
		}
		last = w.submit(b, 2)
	}
	v := w.validator("v1")
	v.waitSeq(last)
	f := w.follower("f")
	f.waitSeq(last)
	equal(t, v.chain, f.chain)
}

// TestBlocksAreRepublished starts a validator whose blocks never reached BLOCKS, where garbage is.
func TestBlocksAreRepublished(t *testing.T) {
	w := newWorld(t, 1)
	b := w.connect()
	c := w.open("v1")
	var certs [][]byte
	for h := range uint64(4) {
		payloads := [][]byte{chaintest.Commission(t, w.g, h+1, int(h)*48, 48)}
		if h == 0 {
			payloads = append([][]byte{chaintest.Epoch(t, w.g)}, payloads...)
		}
		res, cert := chaintest.Block(t, w.g, c.Live(), payloads...)
		if err := c.Commit(t.Context(), res, cert); err != nil {
			t.Fatal(err)
		}
		certs = append(certs, res.Record(cert).Encode())
		for _, p := range payloads {
			if _, err := b.Publish(t.Context(), "acme", p); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Close()
	unsigned, err := consensus.DecodeBlockRecord(certs[0])
	if err != nil {
		t.Fatal(err)
	}
	unsigned.Certificate[0].Signature[3] ^= 1
	for _, rec := range [][]byte{[]byte("garbage"), unsigned.Encode(), certs[2], {}} {
		if err := b.PublishBlock(t.Context(), 1, rec); err != nil {
			t.Fatal(err)
		}
	}
	f := w.follower("f")
	v := w.validator("v1")
	f.wait(4)
	equal(t, v.chain, f.chain)
}

func TestBrokerLostItsTail(t *testing.T) {
	for name, reuse := range map[string]bool{"the message is missing": false, "the number was reused": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			b := w.connect()
			v, f := w.validator("v1"), w.follower("f")
			w.opened(b)
			last := w.submit(b, 2)
			v.waitSeq(last)
			f.waitSeq(last)
			stop := func(nodes ...*running) {
				for _, n := range nodes {
					if err := n.stop(); err != nil {
						t.Error(err)
					}
				}
			}
			stop(v, f)
			w.server.Close()
			old := filepath.Join(w.dir, "old")
			if err := os.CopyFS(old, os.DirFS(w.brokerDir())); err != nil {
				t.Fatal(err)
			}
			w.startBroker()
			b = w.connect()
			v, f = w.validator("v1"), w.follower("f")
			last = w.submit(b, 3)
			v.waitSeq(last)
			f.waitSeq(last)
			stop(v, f)
			w.server.Close()
			if err := errors.Join(os.RemoveAll(w.brokerDir()), os.Rename(old, w.brokerDir())); err != nil {
				t.Fatal(err)
			}
			w.startBroker()
			b = w.connect()
			if reuse {
				for {
					n, err := b.LastSeq(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if n > last+5 {
						break
					}
					if _, err := b.Publish(t.Context(), "acme", fmt.Appendf(nil, "other %d", n)); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.validator("v1").halted("lost its tail or shows a different history")
			w.follower("f").halted("lost its tail or shows a different history")
		})
	}
}

func TestDamagedBlockHalts(t *testing.T) {
	w := newWorld(t, 1)
	b := w.connect()
	v := w.validator("v1")
	w.opened(b)
	v.waitSeq(w.submit(b, 2))
	if err := v.stop(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.dir, "v1", "blocks", "0000000000000000.log")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-20] ^= 1 // the last record: taken for unfinished, but the state has seen it
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Open(filepath.Join(w.dir, "v1"), w.g, chain.Options{}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
}

// cpuTime is what this process has used so far: on a busy machine it says more than the clock.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLoneValidator: from the bus to certified, by one validator, and followed by one follower on the same machine.
func BenchmarkLoneValidator(b *testing.B) {
	for _, units := range []int{1, 48} {
		b.Run(fmt.Sprint(units), func(b *testing.B) {
			w := newWorld(b, 1)
			benchmarkBus(b, w, units, w.validator("v1"), w.follower("f"))
		})
	}
}

// BenchmarkServingValidator: from the bus to certified and indexed, by one validator that also answers queries.
func BenchmarkServingValidator(b *testing.B) {
	for _, units := range []int{1, 48} {
		b.Run(fmt.Sprint(units), func(b *testing.B) {
			w := newWorld(b, 1)
			w.options.Project = index.Project
			benchmarkBus(b, w, units, w.validator("v1"))
		})
	}
}

// benchmarkBus publishes commissioning events of some units until every node has them in a block.
func benchmarkBus(b *testing.B, w *world, units int, nodes ...*running) {
	b.Helper()
	c := w.connect()
	w.opened(c)
	const n = 4000
	var counter, events int
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		batch := make([][]byte, n)
		for i := range batch {
			counter++
			batch[i] = chaintest.Commission(b, w.g, uint64(counter), counter*units, units)
		}
		used -= cpuTime(b)
		b.StartTimer()
		var last uint64
		for part := range slices.Chunk(batch, 500) {
			acks, err := c.PublishBatch(b.Context(), "acme", part)
			if err != nil {
				b.Fatal(err)
			}
			last = acks[len(acks)-1].Seq
		}
		events += n
		for _, r := range nodes {
			r.waitSeq(last)
		}
		used += cpuTime(b)
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(events*units)/b.Elapsed().Seconds(), "units/s")
	b.ReportMetric(float64(used.Microseconds())/float64(events*units), "cpu-µs/unit")
	b.ReportMetric(float64(nodes[0].chain.Head().Header.Height), "blocks")
}
