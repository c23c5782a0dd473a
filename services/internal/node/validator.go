package node

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/services/internal/bus"
	"verilot.dev/services/internal/chain"
	"verilot.dev/services/internal/keyring"
	"verilot.dev/services/internal/service"
	"verilot.dev/services/internal/store"
)

// ValidatorConfig is what a validator is made of. Log, Metrics, Peers and Now may be nil.
type ValidatorConfig struct {
	Chain   *chain.Chain
	Bus     *bus.Bus
	Journal string // directory
	Vote    crypto.Signer
	Cosign  crypto.Signer
	Peers   Peers
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Peers carries votes and cosignatures to the other validators. It must not block; what it loses is sent again.
type Peers interface {
	SendVote(payload []byte)
	SendCosignature(payload []byte)
}

// Validator is one running validator.
type Validator struct {
	*core
	cfg     ValidatorConfig
	rules   *consensus.Core
	self    int
	journal *store.Log

	in      mailbox[consensus.Event]
	persist mailbox[consensus.Persist]
	publish mailbox[consensus.Publish]
	decided mailbox[consensus.Decided]

	mu      sync.Mutex
	heights []journalled // where each height begins in the journal
}

type journalled struct{ height, offset uint64 }

// NewValidator opens the journal and gets ready to Run.
func NewValidator(cfg ValidatorConfig) (*Validator, error) {
	n, err := newCore(cfg.Chain, cfg.Bus, cfg.Log, cfg.Metrics)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	g := cfg.Chain.Genesis()
	v := &Validator{core: n, cfg: cfg, self: -1}
	for i := range g.Validators.Validators {
		if bytes.Equal(g.Validators.Validators[i].VoteKey, keyring.Public(cfg.Vote)) {
			v.self = i
		}
	}
	for _, m := range []interface{ init() }{&v.in, &v.persist, &v.publish, &v.decided} {
		m.init()
	}
	c, err := consensus.New(consensus.Config{Genesis: g, Vote: cfg.Vote, Cosign: cfg.Cosign}, cfg.Chain.Live())
	if err != nil {
		return nil, fmt.Errorf("start validator: %w", err)
	}
	v.rules = c
	if v.journal, err = store.OpenLog(cfg.Journal, store.LogOptions{SegmentSize: 16 << 20}); err != nil {
		return nil, fmt.Errorf("start validator: %w", err)
	}
	if err := v.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("start validator: %w", err), v.journal.Close())
	}
	return v, nil
}

// recover gives the Core its journal. The heights of its records are the Core's business: what is below the head now may
// be dropped as soon as a block is applied.
func (v *Validator) recover() error {
	var records [][]byte
	err := v.journal.Iterate(0, func(_ uint64, r store.Record) error {
		records = append(records, r.Data)
		return nil
	})
	if err != nil {
		return err
	}
	v.heights = []journalled{{v.chain.Head().Header.Height + 1, v.journal.First()}}
	return v.rules.Recover(records)
}

// Run validates until ctx ends or the validator halts; it closes the journal.
func (v *Validator) Run(ctx context.Context) error {
	defer func() { _ = v.journal.Close() }() // what mattered was synced
	arrivals := make(chan []consensus.Message)
	g := service.NewGroup(ctx)
	g.Go("read stream", func(ctx context.Context) error { return v.read(ctx, arrivals) })
	g.Go("journal", v.runJournal)
	g.Go("publish", v.runPublish)
	g.Go("store", v.runStore)
	g.Go("announce", v.runAnnounce)
	g.Go("core", func(ctx context.Context) error { return v.run(ctx, arrivals) })
	return v.ended(g.Wait())
}

// Vote takes in what another validator sent as a vote.
func (v *Validator) Vote(payload []byte) { v.in.put(consensus.VoteReceived{Payload: payload}) }

// Cosignature takes in what another validator sent as a cosignature.
func (v *Validator) Cosignature(payload []byte) {
	v.in.put(consensus.CosignatureReceived{Payload: payload})
}

// Back-pressure: beyond these the stream waits.
const (
	mostBacklog   = 8192
	mostUnapplied = 8
)

// run is the only goroutine that touches the Core.
func (v *Validator) run(ctx context.Context, arrivals <-chan []consensus.Message) error {
	timer := time.NewTimer(0) // the first Step is the start
	defer timer.Stop()
	unapplied := 0
	step := func(ev consensus.Event) error {
		if _, ok := ev.(consensus.Applied); ok {
			unapplied--
		}
		var out consensus.Output
		err := chain.Guard(func() error {
			out = v.rules.Step(consensus.Input{Now: v.cfg.Now().UnixMilli(), Event: ev})
			return nil
		})
		if err != nil {
			return &HaltError{"the own state cannot be read", err}
		}
		for _, a := range out.Actions {
			switch a := a.(type) {
			case consensus.Persist:
				v.persist.put(a)
			case consensus.Publish:
				v.publish.put(a)
			case consensus.SendVote:
				if v.cfg.Peers != nil {
					v.cfg.Peers.SendVote(a.Payload)
				}
			case consensus.SendCosignature:
				if v.cfg.Peers != nil {
					v.cfg.Peers.SendCosignature(a.Payload)
				}
			case consensus.Decided:
				unapplied++
				v.decided.put(a)
			case consensus.SetTimer:
				timer.Reset(time.UnixMilli(a.At).Sub(v.cfg.Now()))
			case consensus.Alarm:
				v.log.Error("alarm", "code", a.Code, "detail", a.Detail)
			}
		}
		if out.Halt != nil {
			return halt(out.Halt)
		}
		return nil
	}
	for {
		from := arrivals
		if v.rules.Backlog() > mostBacklog || unapplied > mostUnapplied {
			from = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			err = step(nil)
		case <-v.in.ready:
			for _, ev := range v.in.take() {
				if err = step(ev); err != nil {
					break
				}
			}
		case batch := <-from:
			for _, m := range batch {
				if err = step(consensus.Arrived{Message: m}); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

func halt(err error) error {
	reason := "the rules stopped"
	switch {
	case errors.Is(err, consensus.ErrStream):
		reason = "the broker lost its tail or shows a different history"
	case errors.Is(err, consensus.ErrNoEpochRecord):
		reason = "the stream is not that of this network"
	case errors.Is(err, consensus.ErrVoted):
		reason = "own execution differs from the own recorded vote"
	}
	return &HaltError{reason, err}
}

// runJournal appends what must be persisted, many records with one sync, and says so.
func (v *Validator) runJournal(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.persist.ready:
		}
		batch := v.persist.take()
		records, sync := make([]store.Record, len(batch)), false
		for i, p := range batch {
			records[i], sync = store.Record{Type: store.Type(p.Kind), Data: p.Record}, sync || p.Sync
		}
		start := time.Now()
		offsets, err := v.journal.Append(sync, records...)
		if err != nil {
			return &HaltError{"votes cannot be stored", err}
		}
		took := time.Since(start)
		v.mu.Lock()
		for i, p := range batch {
			if n := len(v.heights); n == 0 || v.heights[n-1].height < p.Height {
				v.heights = append(v.heights, journalled{p.Height, offsets[i]})
			}
		}
		v.mu.Unlock()
		if sync {
			v.m.syncs.Observe(took.Seconds())
			v.in.put(consensus.Persisted{ID: batch[len(batch)-1].ID, Took: took})
		}
	}
}

// forget drops the journal of heights that are stored.
func (v *Validator) forget(height uint64) error {
	v.mu.Lock()
	for len(v.heights) > 0 && v.heights[0].height <= height {
		v.heights = v.heights[1:]
	}
	offset := uint64(0)
	if len(v.heights) > 0 {
		offset = v.heights[0].offset
	}
	v.mu.Unlock()
	if offset == 0 {
		return nil // the next record will say
	}
	return v.journal.DropBefore(offset)
}

// runPublish sends pulses. One that gets lost is followed by another, so nothing is tried twice.
func (v *Validator) runPublish(ctx context.Context) error {
	name := v.chain.Genesis().Validators.Validators[v.self].Party
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.publish.ready:
		}
		for _, p := range v.publish.take() {
			var err error
			if p.Kind == block.EpochRecord {
				_, err = v.bus.PublishEpoch(ctx, name, p.Payload)
			} else {
				_, err = v.bus.PublishPulse(ctx, name, p.Payload)
			}
			if err != nil && ctx.Err() == nil {
				v.log.Warn("publish", "kind", int(p.Kind), "err", err)
			}
		}
	}
}

// runStore makes decided blocks the newest.
func (v *Validator) runStore(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.decided.ready:
		}
		for _, d := range v.decided.take() {
			// A block that is decided is finished, even when the service is told to stop meanwhile.
			if err := v.chain.Commit(context.WithoutCancel(ctx), d.Result, d.Certificate); err != nil {
				return &HaltError{"a decided block cannot be stored", err}
			}
			v.committed(d.Result)
			v.in.put(consensus.Applied{Height: d.Result.Header.Height})
			if err := v.forget(d.Result.Header.Height); err != nil {
				return &HaltError{"the journal cannot be trimmed", err}
			}
		}
	}
}

// second is how long the next validator in rank waits for a good copy of a block to appear.
const second = time.Second

// runAnnounce sees to it that every block is on BLOCKS. The validator whose turn it is publishes at once, and f others in
// turn look whether a good copy came: among f + 1 one is honest and up.
func (v *Validator) runAnnounce(ctx context.Context) error {
	next, err := v.unannounced(ctx)
	if err != nil {
		return err
	}
	type due struct {
		height uint64
		at     time.Time
	}
	var queue []due
	set := &v.chain.Genesis().Validators
	n := uint64(len(set.Validators))
	for {
		news := v.chain.Changed()
		for ; next <= v.chain.Head().Header.Height; next++ {
			if rank := (next + uint64(v.self)) % n; rank == 0 {
				if err := v.announce(ctx, next, false); err != nil {
					return err
				}
			} else if rank <= uint64(set.Faults()) {
				queue = append(queue, due{next, time.Now().Add(time.Duration(rank) * second)})
			}
		}
		for len(queue) > 0 && !time.Now().Before(queue[0].at) {
			if err := v.announce(ctx, queue[0].height, true); err != nil {
				return err
			}
			queue = queue[1:]
		}
		wait := time.Hour
		if len(queue) > 0 {
			wait = time.Until(queue[0].at)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		case <-news:
			t.Stop()
		}
	}
}

// unannounced is the lowest of the newest heights that BLOCKS has no good copy of.
func (v *Validator) unannounced(ctx context.Context) (uint64, error) {
	for h := v.chain.Head().Header.Height; h > 0; {
		ok, err := v.announced(ctx, h)
		switch {
		case err != nil && ctx.Err() != nil:
			return 0, ctx.Err()
		case err != nil:
			v.log.Warn("look for a published block", "height", h, "err", err)
			if !sleep(ctx, second) {
				return 0, ctx.Err()
			}
		case ok:
			return h + 1, nil
		default:
			h--
		}
	}
	return 1, nil
}

// announced reports whether the newest copy of a block on BLOCKS is a good one.
func (v *Validator) announced(ctx context.Context, height uint64) (bool, error) {
	raw, err := v.bus.Block(ctx, height)
	if errors.Is(err, bus.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := v.chain.Stored(height)
	if err != nil {
		return false, err
	}
	rec, err := consensus.DecodeBlockRecord(raw)
	if err != nil {
		return false, nil //nolint:nilerr // an unreadable copy is no copy
	}
	good := bytes.Equal(rec.Header, b.Header) && len(rec.Entries) == len(b.Leaves) && len(rec.Verdicts) == len(b.Verdicts)
	if !good {
		return false, nil
	}
	if _, err := rec.Check(v.chain.Genesis()); err != nil {
		return false, nil //nolint:nilerr // a bad copy is no copy
	}
	c, err := v.chain.Checkpoint(height)
	if err != nil {
		return false, err
	}
	return rec.CheckCertificate(v.chain.Genesis(), height, c.Root) == nil, nil
}

// announce publishes a block, unless a good copy is there already, until it succeeds.
func (v *Validator) announce(ctx context.Context, height uint64, look bool) error {
	b, err := v.chain.Stored(height)
	if err != nil {
		return &HaltError{"an own block cannot be read", err}
	}
	record := b.Record().Encode()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*second) {
		there := false
		if err = nil; look {
			there, err = v.announced(ctx, height)
		}
		if err == nil && !there {
			err = v.bus.PublishBlock(ctx, height, record)
		}
		if err == nil || errors.Is(err, bus.ErrTooLarge) {
			if err != nil {
				v.log.Error("publish block", "height", height, "err", err)
			}
			return nil
		}
		v.log.Warn("publish block, will try again", "height", height, "err", err)
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
		look = true // the attempt may have got through
	}
}

// mailbox is a queue without a limit: its writers are held back elsewhere, and must not wait for its reader, who may be
// waiting for them.
type mailbox[T any] struct {
	mu    sync.Mutex
	items []T
	ready chan struct{}
}

func (m *mailbox[T]) init() { m.ready = make(chan struct{}, 1) }

func (m *mailbox[T]) put(item T) {
	m.mu.Lock()
	m.items = append(m.items, item)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

func (m *mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := m.items
	m.items = nil
	return items
}
