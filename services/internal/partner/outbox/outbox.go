// Package outbox signs what a trading partner captures and brings it to the ledger. Its promise: a
// draft that Submit has taken ends in a block with exactly one verdict that is not "duplicate",
// whatever is killed in between.
//
// It rests on three rules. Job, outbox row, counter, idempotency record and sealed values are one
// durable write, made before Submit returns. The same bytes are sent again only while no ack came,
// or when a certified block shows another message at the acknowledged sequence. A row leaves the
// outbox only with its certified verdict.
//
// States. captured: durable here. accepted: the broker stored it. certified: a quorum of the
// validators stands behind a block with its verdicts, which this package checks itself (it follows
// headers, certificates and verdicts, not bodies). "included" is never shown: blocks are published
// when they are decided, so inclusion and certification are seen in the same instant.
//
// Where to look: store in submit.go is the write path, publish.go sends, follow.go and judge.go
// settle, package journal says what is on disk.
//
// The broker is trusted with nothing but carrying bytes; nor is any caller.
package outbox

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
)

// Bus is what the outbox needs of the broker. Publish and PublishBatch must not return an ack
// before the message is stored; a batch keeps its order, and its acks are those of its first
// members that are certain.
type Bus interface {
	LastSeq(ctx context.Context) (uint64, error)
	Publish(ctx context.Context, party string, payload []byte) (bus.Ack, error)
	PublishBatch(ctx context.Context, party string, payloads [][]byte) ([]bus.Ack, error)
	ConsumeBlocks(ctx context.Context, from uint64, handle func(height uint64, record []byte) (bool, error)) error
}

// Config of an outbox. Journal, Spool, Genesis, Party, Key and Bus are required.
type Config struct {
	Journal *journal.Journal
	Genesis *genesis.Genesis
	Party   string        // whose outbox this is
	Key     crypto.Signer // the party's event key
	// AuthorityKey signs drafts for an authority, AuthorityParty. nil: there are none.
	AuthorityParty string
	AuthorityKey   crypto.Signer
	Bus            Bus
	Clock          clock.Clock
	Log            *slog.Logger
	Registry       *prometheus.Registry
	// Spool is the folder of the signed messages of divided documents' parts.
	Spool string
	// Step is called between any two steps that a crash could part; an error stops the outbox
	// there, as a kill would. For tests.
	Step func(name string) error
}

// Outbox is one party's. Methods may be called concurrently.
type Outbox struct {
	cfg     Config
	n       canonical.Network
	syncDir func(string) error // SyncDir, but in tests
	j       *journal.Journal
	sealer  *draft.Sealer
	metrics *metrics
	event   *keyQueue
	astray  atomic.Pointer[string] // why nothing is published; nil or empty: it is

	// mu guards the queues, their rows and the fields below, all in memory: nothing is read from
	// disk, signed or sent under it. What is decided under mu is handed to the journal before mu is
	// released, so the order of writes is that of the decisions. A row that waits for an ack is
	// changed by its queue's publisher only; one that has its ack, by its judge (see
	// judge.go).
	mu          sync.Mutex
	queues      map[string]*keyQueue
	authority   *keyQueue // nil: no drafts for an authority are taken
	followed    uint64
	followedSeq uint64
	lowest      uint64 // first height whose record may be stored

	// watching guards watchers, the channels that are closed when a job changes. A change is
	// durable before its channel is closed.
	watching sync.Mutex
	watchers map[uuid.UUID]chan struct{}

	// asking guards inflight: a key of a request in it is in use by one request, and the channel is
	// closed when that one is answered.
	asking   sync.Mutex
	inflight map[canonical.Hash]chan struct{}
}

// Open reads what is outstanding. Run does the work.
func Open(cfg Config) (*Outbox, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	if cfg.Step == nil {
		cfg.Step = func(string) error { return nil }
	}
	o := &Outbox{
		cfg: cfg, n: cfg.Genesis.Network, j: cfg.Journal, queues: map[string]*keyQueue{}, watchers: map[uuid.UUID]chan struct{}{},
		inflight: map[canonical.Hash]chan struct{}{}, syncDir: SyncDir,
	}
	var err error
	if o.sealer, err = draft.NewSealer(o.n, o.j); err != nil {
		return nil, err
	}
	if err := o.load(); err != nil {
		return nil, err
	}
	o.metrics = newMetrics(cfg.Registry, o)
	return o, nil
}

// Run publishes and follows until ctx ends or something is broken that going on would hide.
func (o *Outbox) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o.mu.Lock()
	queues := make([]*keyQueue, 0, len(o.queues))
	for _, q := range o.queues {
		queues = append(queues, q)
	}
	late := o.acknowledgedBeforeStart()
	o.mu.Unlock()
	var wg sync.WaitGroup
	for _, q := range queues {
		wg.Go(func() {
			if err := o.publish(ctx, q); err != nil {
				cancel(fmt.Errorf("outbox of %s: %w", q.party, err))
			}
		})
	}
	wg.Go(func() {
		if err := o.follow(ctx, late); err != nil {
			cancel(fmt.Errorf("follow blocks: %w", err))
		}
	})
	every := func(d time.Duration, do func()) {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-o.cfg.Clock.After(d):
					do()
				}
			}
		})
	}
	every(10*time.Minute, o.j.Collect)
	every(streamCheck, func() { _ = o.sameStream(ctx) }) // it says so itself
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Height is the newest certified height that was checked here.
func (o *Outbox) Height() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.followed
}

// Judged returns a function that reports whether all submissions that are outstanding now have a certified verdict.
func (o *Outbox) Judged() func() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := map[*keyQueue]uint64{}
	for _, q := range o.queues {
		last[q] = q.counter
	}
	return func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		for q, counter := range last {
			for c := range q.rows {
				if c <= counter {
					return false
				}
			}
		}
		return true
	}
}

// Authority reports whether drafts for an authority are taken.
func (o *Outbox) Authority() bool { return o.authority != nil }

// Unacknowledged is how many submissions of a job wait for the broker.
func (o *Outbox) Unacknowledged(job uuid.UUID) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.event.queue {
		if r.job == job {
			n++
		}
	}
	return n
}

// Watch returns a channel that is closed when the job changes. done must be called when nobody
// waits on it any more.
func (o *Outbox) Watch(id uuid.UUID) (changed <-chan struct{}, done func()) {
	o.watching.Lock()
	defer o.watching.Unlock()
	ch := o.watchers[id]
	if ch == nil {
		ch = make(chan struct{})
		o.watchers[id] = ch
	}
	return ch, func() {
		o.watching.Lock()
		defer o.watching.Unlock()
		if o.watchers[id] == ch {
			// Others may wait on it too; they find a new channel when they look again.
			delete(o.watchers, id)
			close(ch)
		}
	}
}

// Changed wakes who waits for the jobs. It is called after the change is durable.
func (o *Outbox) Changed(ids ...uuid.UUID) {
	o.watching.Lock()
	defer o.watching.Unlock()
	for _, id := range ids {
		if ch := o.watchers[id]; ch != nil {
			delete(o.watchers, id)
			close(ch)
		}
	}
}

// load reads the journal. Nothing else runs yet, so it holds no mutex.
func (o *Outbox) load() error {
	var err error
	if o.event, err = o.newQueue(o.cfg.Party, keys.Event, o.cfg.Key); err != nil {
		return err
	}
	if o.cfg.AuthorityKey != nil {
		if o.authority, err = o.newQueue(o.cfg.AuthorityParty, keys.Authority, o.cfg.AuthorityKey); err != nil {
			return err
		}
	}
	ov := state.NewOverlay(o.j.Light())
	chain, err := consensus.NewLightChain(o.cfg.Genesis, ov)
	if err != nil {
		return fmt.Errorf("open light chain: %w", err)
	}
	w := &journal.Write{}
	w.PutLight(ov.WriteSet())
	if err := o.j.Put(w); err != nil {
		return err
	}
	head := chain.Head().Header
	o.followed, o.followedSeq = head.Height, head.LastSeq
	lowest, kept, err := o.j.LowestBlock()
	if err != nil {
		return err
	}
	if o.lowest = o.followed + 1; kept {
		o.lowest = lowest
	}
	if err := os.MkdirAll(o.cfg.Spool, 0o700); err != nil {
		return fmt.Errorf("make spool: %w", err)
	}
	if err := o.j.Rows(o.loadRow); err != nil {
		return err
	}
	return o.cleanSpool()
}

func (o *Outbox) newQueue(party, use string, key crypto.Signer) (_ *keyQueue, err error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("key of party %s is not Ed25519", party)
	}
	id := keys.ID(use, pub)
	q := o.queue(hex.EncodeToString(id[:8]), party)
	q.signer, q.keyID = key, id
	q.counter, err = o.j.Counter(q.id)
	return q, err
}

func (o *Outbox) queue(id, party string) *keyQueue {
	q := o.queues[id]
	if q == nil {
		q = &keyQueue{id: id, party: party, rows: map[uint64]*row{}, bySeq: map[uint64]*row{}, wake: make(chan struct{}, 1)}
		o.queues[id] = q
	}
	return q
}
