package outboxtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/node/bus"
)

func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot capture test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func testPub(name string) ed25519.PublicKey { return testKey(name).Public().(ed25519.PublicKey) }

// The test network: made in Iowa, sold in Kentucky, dispensed in Ohio.
func testGenesis(tb testing.TB, development bool) *genesis.Genesis {
	tb.Helper()
	g := &genesis.Genesis{
		Name: "test", Development: development, CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), Epoch: 1, RulesVersion: 1, StateKind: 1,
		VerdictKey: sha256.Sum256([]byte("k0")), GraceSeconds: 86400,
		Authorities: []genesis.Authority{{Party: "board", Key: testPub("board/authority")}},
	}
	g.Validators.Validators = []quorum.Validator{{Name: "v1.test", Party: "board", VoteKey: testPub("v1/vote"), CosignKey: testPub("v1/cosign")}}
	g.Parties = []registry.Act{{Party: "board", Name: "Board", Roles: []string{"authority", "regulator", "validator"}}}
	for _, p := range []struct{ id, role, prefix, gln string }{
		{"maker", "manufacturer", "0399990", "0399990000016"}, {"dist", "distributor", "0399991", "0399991000015"}, {"pharm", "dispenser", "0399992", "0399992000014"},
	} {
		g.Parties = append(g.Parties, registry.Act{
			Party: p.id, Name: p.id, Roles: []string{p.role}, GLNs: []string{p.gln}, Prefixes: []string{p.prefix},
			Keys:     []registry.Key{{PublicKey: testPub(p.id + "/event"), Use: keys.Event}},
			Licences: []registry.Licence{{Number: "L", Kind: p.role, Jurisdiction: "US", ValidFrom: "2020-01-01", ValidTo: "2040-12-31"}},
			Places:   []registry.Place{{ID: "urn:epc:id:sgln:" + p.prefix + ".00001.0", Name: p.id + " site"}},
		})
	}
	raw, err := genesis.Format(g)
	if err != nil {
		tb.Fatal(err)
	}
	if g, err = genesis.Parse(raw); err != nil {
		tb.Fatal(err)
	}
	return g
}

// fakeClock stands still until told; timers fire when it is moved past them.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []fakeTimer
	eager  bool // timers of up to a minute fire at once
}

type fakeTimer struct {
	at time.Time
	ch chan time.Time
}

func (c *fakeClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *fakeClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	if c.eager && d <= time.Minute {
		ch <- c.now
		return ch
	}
	c.timers = append(c.timers, fakeTimer{c.now.Add(d), ch})
	return ch
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.timers = slices.DeleteFunc(c.timers, func(t fakeTimer) bool {
		if t.at.After(c.now) {
			return false
		}
		t.ch <- c.now
		return true
	})
}

// ledger is a broker and a validator in one: it keeps the stream, executes the real rules, and certifies blocks. It
// checks its callers: nothing before the epoch record, no other bytes under a counter once sent, batches within bounds.
type ledger struct {
	tb testing.TB
	g  *genesis.Genesis

	mu      sync.Mutex
	stream  [][]byte
	ids     map[[32]byte]uint64
	sent    map[string][32]byte // key and counter to bytes
	view    *state.Memory
	blocks  [][]byte
	cut     int // messages that are in blocks
	pulses  uint64
	changed chan struct{}
	auto    bool // a block after every publish

	// fault decides what goes wrong with the n-th publish, counted from 1.
	fault func(n int) fault
	n     int
	// restored allows other bytes under a counter that was sent: somebody put back an old data folder.
	restored bool
}

type fault int

const (
	works    fault = iota
	down           // not stored, and the caller is told so
	silent         // stored, but no ack comes
	forgets        // the duplicate window has passed: an old id is stored again
	hijacked       // acknowledged with a place that another message gets
)

func newLedger(tb testing.TB, g *genesis.Genesis) *ledger {
	tb.Helper()
	zero, err := consensus.Zero(g)
	if err != nil {
		tb.Fatal(err)
	}
	l := &ledger{tb: tb, g: g, ids: map[[32]byte]uint64{}, sent: map[string][32]byte{}, view: state.NewMemory(), changed: make(chan struct{}), auto: true}
	l.view.Apply(zero.Writes)
	epoch, err := block.SignEpoch(g.Network, block.Epoch{Epoch: g.Epoch, Genesis: g.Hash}, testKey("v1/vote"))
	if err != nil {
		tb.Fatal(err)
	}
	l.stream = append(l.stream, epoch)
	return l
}

func (l *ledger) LastSeq(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.stream)), nil
}

func (l *ledger) Publish(_ context.Context, party string, payload []byte) (bus.Ack, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	f := works
	if l.fault != nil {
		f = l.fault(l.n)
	}
	a, err := l.store(party, payload, f)
	if l.auto {
		l.block()
	}
	return a, err
}

func (l *ledger) PublishBatch(_ context.Context, party string, payloads [][]byte) ([]bus.Ack, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(payloads) < 2 || len(payloads) > bus.MaxBatch {
		l.tb.Errorf("batch of %d", len(payloads))
	}
	var acks []bus.Ack
	var err error
	for _, p := range payloads {
		l.n++
		f := works
		if l.fault != nil {
			f = l.fault(l.n)
		}
		var a bus.Ack
		if a, err = l.store(party, p, f); err != nil {
			break
		}
		acks = append(acks, a)
	}
	if l.auto {
		l.block()
	}
	return acks, err
}

func (l *ledger) store(party string, payload []byte, f fault) (bus.Ack, error) {
	h, _, err := submission.DecodeHeader(l.g.Network, payload)
	if err != nil || h.Party != party || len(payload) > submission.MaxMessage {
		l.tb.Errorf("published under %s: party %q, %d bytes, %v", party, h.Party, len(payload), err)
	}
	id := sha256.Sum256(payload)
	name := fmt.Sprintf("%x/%d", h.KeyID, h.Counter)
	if was, ok := l.sent[name]; ok && was != id && !l.restored {
		l.tb.Errorf("counter %d was sent with two different messages", h.Counter)
	}
	l.sent[name] = id
	if f == down {
		return bus.Ack{}, bus.ErrUnavailable
	}
	if seq, ok := l.ids[id]; ok && f != forgets {
		return bus.Ack{Seq: seq, Duplicate: true}, nil
	}
	if f == hijacked {
		l.stream = append(l.stream, []byte("something else"))
		return bus.Ack{Seq: uint64(len(l.stream))}, nil
	}
	l.stream = append(l.stream, slices.Clone(payload))
	l.ids[id] = uint64(len(l.stream))
	if f == silent {
		return bus.Ack{}, bus.ErrUnknown
	}
	return bus.Ack{Seq: uint64(len(l.stream))}, nil
}

// block cuts everything stored into one certified block.
func (l *ledger) block() {
	l.pulses++
	clock := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).UnixMilli() + int64(l.pulses)
	head, _ := consensus.ReadHead(l.view)
	pulse, err := block.SignPulse(l.g.Network, block.Pulse{What: block.Cut, Epoch: 1, Height: head.Header.Height + 1, Clock: clock, Counter: l.pulses}, testKey("v1/vote"))
	if err != nil {
		l.tb.Error(err)
		return
	}
	l.stream = append(l.stream, pulse)
	var msgs []consensus.Message
	for i := l.cut; i < len(l.stream); i++ {
		msgs = append(msgs, consensus.Message{Seq: uint64(i + 1), Payload: l.stream[i]})
	}
	res, err := consensus.Execute(l.g, l.view, msgs)
	if err != nil {
		l.tb.Error(err)
		return
	}
	l.view.Apply(res.Writes)
	l.cut = len(l.stream)
	root, _, err := consensus.LogRoot(l.view, res.Header.Height+1, nil)
	if err != nil {
		l.tb.Error(err)
		return
	}
	cp := quorum.Checkpoint{Origin: l.g.Origin(), Size: res.Header.Height + 1, Root: root}
	sig, err := quorum.Cosign(cp, uint64(clock/1000), testKey("v1/cosign"))
	if err != nil {
		l.tb.Error(err)
		return
	}
	rec := res.Record(quorum.Certificate{{Validator: 0, Time: uint64(clock / 1000), Signature: sig}})
	// Garbage and a forged copy come first: a follower must not be misled.
	forged := *rec
	forged.Certificate = quorum.Certificate{{Validator: 0, Time: 1, Signature: sig}}
	l.blocks = append(l.blocks, []byte("garbage"), forged.Encode(), rec.Encode())
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *ledger) cutNow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.block()
}

func (l *ledger) ConsumeBlocks(ctx context.Context, from uint64, handle func(uint64, []byte) (bool, error)) error {
	next := from
	for at := 0; ; {
		l.mu.Lock()
		if at == len(l.blocks) {
			ch := l.changed
			l.mu.Unlock()
			select {
			case <-ch:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		raw := l.blocks[at]
		l.mu.Unlock()
		at++
		if (at-1)/3+1 < int(from) {
			continue
		}
		taken, err := handle(next, raw)
		if err != nil {
			return err
		}
		if taken {
			next++
		}
	}
}

// world is one service over a ledger; kill and restart keep only what is on disk.
type world struct {
	tb      testing.TB
	ledger  *ledger
	clock   *fakeClock
	dir     string
	profile Profile
	party   string
	step    func(string) error
	peer    Peer
	items   int // of a part of a divided document
	free    func(string) (uint64, error)

	e         *Engine
	handler   http.Handler
	handlerOf *Engine
	stop      context.CancelFunc
	done      chan error
}

func newWorld(tb testing.TB, profile Profile, party string) *world {
	tb.Helper()
	w := &world{
		tb: tb, ledger: newLedger(tb, testGenesis(tb, true)), dir: tb.TempDir(), profile: profile, party: party,
		clock: &fakeClock{now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), eager: true},
	}
	w.start()
	tb.Cleanup(func() { w.kill() })
	return w
}

func (w *world) config() Config {
	return Config{
		Dir: w.dir, Genesis: w.ledger.g, Profile: w.profile, Party: w.party, Key: testKey(w.party + "/event"), Bus: w.ledger, Clock: w.clock,
		AuthorityParty: "board", AuthorityKey: testKey("board/authority"), Peer: w.peer, partItems: w.items, free: w.free,
		step: func(name string) error {
			if w.step != nil {
				return w.step(name)
			}
			return nil
		},
	}
}

func (w *world) start() {
	w.tb.Helper()
	e, err := Open(w.config())
	if err != nil {
		w.tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	w.e, w.stop, w.done = e, stop, done
}

var errKilled = errors.New("killed")

// kill ends the service; what it had not made durable is gone.
func (w *world) kill() {
	w.tb.Helper()
	if w.e == nil {
		return
	}
	w.stop()
	if err := <-w.done; err != nil && !errors.Is(err, errKilled) {
		w.tb.Errorf("run: %v", err)
	}
	if err := w.e.Close(); err != nil {
		w.tb.Error(err)
	}
	w.e = nil
}

func (w *world) restart() {
	w.tb.Helper()
	w.kill()
	w.start()
}

// judged counts, per event id, the verdicts of the ledger that are no duplicates.
func (l *ledger) judged() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int{}
	for i := 2; i < len(l.blocks); i += 3 {
		rec, err := consensus.DecodeBlockRecord(l.blocks[i])
		if err != nil {
			l.tb.Fatal(err)
		}
		h, err := block.DecodeHeader(l.g.Network, rec.Header)
		if err != nil {
			l.tb.Fatal(err)
		}
		for _, leaf := range rec.Verdicts {
			x, _ := block.DecodeVerdictLeaf(leaf)
			v, ok := x.(block.Verdict)
			if !ok || v.Verdict == block.Duplicate || v.Pos.Item == canonical.WholeEntry {
				continue
			}
			msg := l.stream[h.FirstSeq-1+uint64(v.Pos.Entry)]
			sh, _, err := submission.DecodeHeader(l.g.Network, msg)
			if err != nil {
				l.tb.Fatal(err)
			}
			out[fmt.Sprintf("%x/%d", sh.ID, v.Pos.Item)]++
		}
	}
	return out
}
