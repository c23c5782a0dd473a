// Package outboxtest is a network for tests of what is above the outbox: a genesis file, and a
// broker and a validator in one.
//
// All keys follow from their names. Never use one outside a test.
package outboxtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/registry/registrytest"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/clock/clocktest"
	"verilot.dev/services/internal/node/bus"
)

// Key is the test key of a name such as "v1/vote" or "maker/event".
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot capture test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Public is its public half.
func Public(name string) ed25519.PublicKey { return Key(name).Public().(ed25519.PublicKey) }

// Genesis is the test network: made in Iowa, sold in Kentucky, dispensed in Ohio.
func Genesis(tb testing.TB, development bool) *genesis.Genesis {
	tb.Helper()
	g := &genesis.Genesis{
		Name: "test", Development: development, CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), Epoch: 1, RulesVersion: 1, StateKind: 1,
		VerdictKey: sha256.Sum256([]byte("k0")), GraceSeconds: 86400,
		Authorities: []genesis.Authority{{Party: "board", Key: Public("board/authority")}},
	}
	g.Validators.Validators = []quorum.Validator{{Name: "v1.test", Party: "board", VoteKey: Public("v1/vote"), CosignKey: Public("v1/cosign")}}
	g.Parties = []registry.Act{{Party: "board", Name: "Board", Roles: []string{"authority", "regulator", "validator"}}}
	for _, p := range []struct{ id, role, prefix, gln string }{
		{"maker", "manufacturer", "0399990", "0399990000016"}, {"dist", "distributor", "0399991", "0399991000015"}, {"pharm", "dispenser", "0399992", "0399992000014"},
	} {
		g.Parties = append(g.Parties, registry.Act{
			Party: p.id, Name: p.id, Roles: []string{p.role}, GLNs: []string{p.gln}, Prefixes: []string{p.prefix},
			Keys:     []registry.Key{{PublicKey: Public(p.id + "/event"), Use: keys.Event}},
			Licences: registrytest.Licences(p.id, p.role),
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

// eager is how long the outbox waits at most between attempts.
const eager = time.Minute

// NewClock is a clock that shows noon of the day of these tests. Its timers of up to a minute fire at once: see Patient.
func NewClock() *clocktest.Fake {
	c := clocktest.New(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	c.SetEager(eager)
	return c
}

// Patient makes new timers of a clock wait for their time or, if not patient, fire at once again.
func Patient(c *clocktest.Fake, patient bool) {
	if patient {
		c.SetEager(0)
	} else {
		c.SetEager(eager)
	}
}

// Ledger is a broker and a validator in one: it keeps the stream, executes the real rules, and
// certifies blocks. It checks its callers: nothing before the epoch record, no other bytes under a
// counter once sent, batches within bounds.
type Ledger struct {
	tb testing.TB
	G  *genesis.Genesis

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

	fault    func(n int) Fault
	n        int
	restored bool
}

type Fault int

const (
	Works    Fault = iota
	Down           // not stored, and the caller is told so
	Silent         // stored, but no ack comes
	Forgets        // the duplicate window has passed: an old id is stored again
	Hijacked       // acknowledged with a place that another message gets
)

// NewLedger makes a ledger that cuts a block after every publish.
func NewLedger(tb testing.TB, g *genesis.Genesis) *Ledger {
	tb.Helper()
	zero, err := consensus.Zero(g)
	if err != nil {
		tb.Fatal(err)
	}
	l := &Ledger{tb: tb, G: g, ids: map[[32]byte]uint64{}, sent: map[string][32]byte{}, view: state.NewMemory(), changed: make(chan struct{}), auto: true}
	l.view.Apply(zero.Writes)
	masterData(tb, l.view)
	epoch, err := block.SignEpoch(g.Network, block.Epoch{Epoch: g.Epoch, Genesis: g.Hash}, Key("v1/vote"))
	if err != nil {
		tb.Fatal(err)
	}
	l.stream = append(l.stream, epoch)
	return l
}

// LastSeq implements outbox.Bus.
func (l *Ledger) LastSeq(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.stream)), nil
}

// Publish implements outbox.Bus.
func (l *Ledger) Publish(_ context.Context, party string, payload []byte) (bus.Ack, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	f := Works
	if l.fault != nil {
		f = l.fault(l.n)
	}
	a, err := l.store(party, payload, f)
	if l.auto {
		l.block()
	}
	return a, err
}

// PublishBatch implements outbox.Bus.
func (l *Ledger) PublishBatch(_ context.Context, party string, payloads [][]byte) ([]bus.Ack, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(payloads) < 2 || len(payloads) > bus.MaxBatch {
		l.tb.Errorf("batch of %d", len(payloads))
	}
	var acks []bus.Ack
	var err error
	for _, p := range payloads {
		l.n++
		f := Works
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

func (l *Ledger) store(party string, payload []byte, f Fault) (bus.Ack, error) {
	h, _, err := submission.DecodeHeader(l.G.Network, payload)
	if err != nil || h.Party != party || len(payload) > submission.MaxMessage {
		l.tb.Errorf("published under %s: party %q, %d bytes, %v", party, h.Party, len(payload), err)
	}
	id := sha256.Sum256(payload)
	name := fmt.Sprintf("%x/%d", h.KeyID, h.Counter)
	if was, ok := l.sent[name]; ok && was != id && !l.restored {
		l.tb.Errorf("counter %d was sent with two different messages", h.Counter)
	}
	l.sent[name] = id
	if f == Down {
		return bus.Ack{}, bus.ErrUnavailable
	}
	if seq, ok := l.ids[id]; ok && f != Forgets {
		return bus.Ack{Seq: seq, Duplicate: true}, nil
	}
	if f == Hijacked {
		l.stream = append(l.stream, []byte("something else"))
		return bus.Ack{Seq: uint64(len(l.stream))}, nil
	}
	l.stream = append(l.stream, slices.Clone(payload))
	l.ids[id] = uint64(len(l.stream))
	if f == Silent {
		return bus.Ack{}, bus.ErrUnknown
	}
	return bus.Ack{Seq: uint64(len(l.stream))}, nil
}

// block cuts everything stored into one certified block.
func (l *Ledger) block() {
	l.pulses++
	clock := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).UnixMilli() + int64(l.pulses)
	head, _ := consensus.ReadHead(l.view)
	pulse, err := block.SignPulse(l.G.Network, block.Pulse{What: block.Cut, Epoch: 1, Height: head.Header.Height + 1, Clock: clock, Counter: l.pulses}, Key("v1/vote"))
	if err != nil {
		l.tb.Error(err)
		return
	}
	l.stream = append(l.stream, pulse)
	var msgs []consensus.Message
	for i := l.cut; i < len(l.stream); i++ {
		msgs = append(msgs, consensus.Message{Seq: uint64(i + 1), Payload: l.stream[i]})
	}
	res, err := consensus.Execute(l.G, l.view, msgs)
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
	cp := quorum.Checkpoint{Origin: l.G.Origin(), Size: res.Header.Height + 1, Root: root}
	sig, err := quorum.Cosign(cp, uint64(clock/1000), Key("v1/cosign"))
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

// Auto says whether a block is cut after every publish.
func (l *Ledger) Auto(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.auto = on
}

// Faults decides what goes wrong with the n-th publish, counted from 1; it runs under the ledger's
// lock. nil: nothing does.
func (l *Ledger) Faults(f func(n int) Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = f
}

// Restored allows other bytes under a counter that was sent: somebody put back an old data folder.
func (l *Ledger) Restored() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.restored = true
}

// Sends is how often something was published.
func (l *Ledger) Sends() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

// Registry calls fn with what the ledger has registered.
func (l *Ledger) Registry(fn func(registry.Registry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn(registry.Registry{View: l.view})
}

// Groups counts, per part of a divided document, the submissions that were made of it.
func (l *Ledger) Groups() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	subs := map[string]map[uuid.UUID]bool{}
	for _, msg := range l.stream {
		h, _, err := submission.DecodeHeader(l.G.Network, msg)
		if err != nil || h.GroupCount == 0 {
			continue
		}
		part := fmt.Sprintf("%x %d of %d", h.GroupID, h.GroupIndex, h.GroupCount)
		if subs[part] == nil {
			subs[part] = map[uuid.UUID]bool{}
		}
		subs[part][h.ID] = true
	}
	out := map[string]int{}
	for part, ids := range subs {
		out[part] = len(ids)
	}
	return out
}

// Cut cuts a block now.
func (l *Ledger) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.block()
}

// ConsumeBlocks implements outbox.Bus.
func (l *Ledger) ConsumeBlocks(ctx context.Context, from uint64, handle func(uint64, []byte) (bool, error)) error {
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

// Judged counts, per event id, the verdicts of the ledger that are no duplicates.
func (l *Ledger) Judged() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int{}
	for i := 2; i < len(l.blocks); i += 3 {
		rec, err := consensus.DecodeBlockRecord(l.blocks[i])
		if err != nil {
			l.tb.Fatal(err)
		}
		h, err := block.DecodeHeader(l.G.Network, rec.Header)
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
			sh, _, err := submission.DecodeHeader(l.G.Network, msg)
			if err != nil {
				l.tb.Fatal(err)
			}
			out[fmt.Sprintf("%x/%d", sh.ID, v.Pos.Item)]++
		}
	}
	return out
}

// ErrKilled stops a service at a step.
var ErrKilled = errors.New("killed")
