package replica

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/quorum"
	"verilot.dev/services/internal/keyring"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/store"
	"verilot.dev/services/internal/service"
)

// ValidatorConfig is what a validator is made of. Log, Metrics, Now and AuditEvery may be zero.
type ValidatorConfig struct {
	Chain    *chain.Chain
	Bus      *bus.Bus
	Journal  string // directory
	Evidence string // directory: votes that convict others; "": beside the journal
	Vote     crypto.Signer
	Cosign   crypto.Signer
	Log      *slog.Logger
	Metrics  prometheus.Registerer
	Now      func() time.Time
	// AuditEvery is the time between two readings of all own blocks. Default ten minutes.
	AuditEvery time.Duration
}

// Validator is one running validator.
type Validator struct {
	*core
	cfg     ValidatorConfig
	rules   *consensus.Core
	set     *quorum.Set
	self    int
	journal *store.Log
	peers   *bus.Peers
	roster  *Roster

	inputs    mailbox[consensus.Input]
	persist   mailbox[consensus.Persist]
	publish   mailbox[consensus.Publish]
	decided   mailbox[consensus.Decided]
	send      mailbox[peerMessage]
	fetch     mailbox[uint64]
	fromPeers chan consensus.Input // from others; whoever floods it waits
	reread    chan uint64

	vm validatorMetrics

	mu            sync.Mutex     // guards journalStarts and evidence
	journalStarts []journalStart // where each height begins in the journal
	evidence      int
}

type journalStart struct{ height, offset uint64 }

// peerMessage is a message for other validators.
type peerMessage struct {
	kind    bus.PeerKind
	to      string // "": all
	payload []byte
}

// NewValidator opens the journal and gets ready to Run.
func NewValidator(cfg ValidatorConfig) (*Validator, error) {
	v, err := newValidator(cfg)
	if err != nil {
		return nil, fmt.Errorf("start validator: %w", err)
	}
	return v, nil
}

func newValidator(cfg ValidatorConfig) (*Validator, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.AuditEvery <= 0 {
		cfg.AuditEvery = 10 * time.Minute
	}
	if cfg.Evidence == "" {
		cfg.Evidence = filepath.Join(filepath.Dir(cfg.Journal), "evidence")
	}
	n, err := newCore(cfg.Chain, cfg.Bus, cfg.Log, cfg.Metrics)
	if err != nil {
		return nil, err
	}
	g := cfg.Chain.Genesis()
	v := &Validator{
		core: n, cfg: cfg, set: &g.Validators, self: -1, roster: NewRoster(g),
		fromPeers: make(chan consensus.Input, 256), reread: make(chan uint64, 1),
	}
	for i := range v.set.Validators {
		if bytes.Equal(v.set.Validators[i].VoteKey, keyring.Public(cfg.Vote)) {
			v.self = i
		}
	}
	for _, m := range []interface{ init() }{&v.inputs, &v.persist, &v.publish, &v.decided, &v.send, &v.fetch} {
		m.init()
	}
	if _, err := v.newRules(); err != nil {
		return nil, err
	}
	if v.peers, err = cfg.Bus.Peers(g.Epoch, v.set.Validators[v.self].Party); err != nil {
		return nil, err
	}
	known, err := readEvidence(cfg.Evidence, g)
	if err != nil {
		return nil, err
	}
	v.evidence = len(known)
	if err := v.register(); err != nil {
		return nil, err
	}
	if v.journal, err = store.OpenLog(cfg.Journal, store.LogOptions{SegmentSize: 16 << 20}); err != nil {
		if errors.Is(err, store.ErrCorrupt) {
			return nil, v.reportHalt(damagedJournal.because(err))
		}
		return nil, err
	}
	return v, nil
}

func (v *Validator) newRules() (*consensus.Core, error) {
	return consensus.New(consensus.Config{Genesis: v.chain.Genesis(), Vote: v.cfg.Vote, Cosign: v.cfg.Cosign}, v.chain.Live())
}

// begin takes over what was certified meanwhile, and then gives the Core its journal. What the journal holds counts as
// durable from then on, so it is synced first.
func (v *Validator) begin(ctx context.Context) error {
	if err := v.catchUp(ctx); err != nil {
		return err
	}
	var records [][]byte
	err := v.journal.Sync()
	if err == nil {
		err = v.journal.Iterate(0, func(_ uint64, r store.Record) error {
			records = append(records, r.Data)
			return nil
		})
	}
	if err != nil {
		return damagedJournal.because(err)
	}
	if v.rules, err = v.newRules(); err != nil {
		return fmt.Errorf("start rules: %w", err)
	}
	v.journalStarts = []journalStart{{v.chain.Head().Header.Height + 1, v.journal.First()}}
	if err := v.rules.Recover(records); err != nil {
		return haltFor(err)
	}
	return nil
}

// catchUpTimeout is how long catchUp waits for the next block before it gives up: the newest height in BLOCKS is hearsay.
const catchUpTimeout = 5 * time.Second

// catchUp follows the blocks that BLOCKS has, as a follower does: what a quorum has signed needs no vote any more.
func (v *Validator) catchUp(ctx context.Context) error {
	newest, err := v.bus.NewestBlock(ctx)
	head := v.chain.Head().Header.Height
	if err != nil || newest <= head {
		return nil //nolint:nilerr // without it the blocks are fetched one by one
	}
	v.log.Info("catching up", "height", head, "newest", newest)
	f := &Follower{core: v.core}
	if err := f.followUntil(ctx, newest, catchUpTimeout); err != nil {
		return err
	}
	v.log.Info("caught up", "height", v.chain.Head().Header.Height)
	return ctx.Err()
}

// Run validates until ctx ends or the validator halts; it closes the journal.
func (v *Validator) Run(ctx context.Context) error {
	defer func() { _ = v.journal.Close() }() // what mattered was synced
	if err := v.begin(ctx); err != nil {
		return v.reportHalt(err)
	}
	arrivals := make(chan []consensus.Message)
	g := service.NewGroup(ctx)
	g.Go("read stream", func(ctx context.Context) error { return v.runRead(ctx, arrivals) })
	g.Go("journal", v.runJournal)
	g.Go("publish", v.runPublish)
	g.Go("store", v.runStore)
	g.Go("announce", v.runAnnounce)
	g.Go("audit", func(ctx context.Context) error { return v.audit(ctx, v.cfg.AuditEvery) })
	g.Go("send", v.runSend) // also of a lone one: others may watch
	if len(v.set.Validators) > 1 {
		g.Go("peers", v.runPeers)
		g.Go("fetch", v.runFetch)
	}
	g.Go("core", func(ctx context.Context) error { return v.run(ctx, arrivals) })
	return v.reportHalt(g.Wait())
}

// runRead reads the stream, and from another place on when the Core says so.
func (v *Validator) runRead(ctx context.Context, arrivals chan<- []consensus.Message) error {
	for {
		reading, cancel := context.WithCancelCause(ctx)
		var wg sync.WaitGroup
		from := uint64(0)
		wg.Go(func() {
			select {
			case from = <-v.reread:
				cancel(errReread)
			case <-reading.Done():
			}
		})
		err := v.read(reading, arrivals)
		cancel(nil)
		wg.Wait()
		if from == 0 {
			return err
		}
		// The block that the stream did not lead to must be stored before the stream can be compared with it.
		for v.chain.Head().Header.LastSeq+1 < from {
			if err := v.chain.Wait(ctx, v.chain.Head().Header.Height+1); err != nil {
				return err
			}
		}
		v.core.mu.Lock()
		v.last = bus.Message{}
		v.core.mu.Unlock()
	}
}

var errReread = errors.New("node: read the stream again")

// Back-pressure: beyond these the stream waits.
const (
	mostBacklog   = 8192
	mostUnapplied = 8
)

// run is the only goroutine that touches the Core.
func (v *Validator) run(ctx context.Context, arrivals <-chan []consensus.Message) error {
	l := &loop{v: v, timer: time.NewTimer(0)} // the first Step is the start
	defer l.timer.Stop()
	for {
		from := arrivals
		if v.rules.Backlog() > mostBacklog || l.unapplied > mostUnapplied {
			from = nil
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.timer.C:
			err = l.step(nil)
		case <-v.inputs.ready:
			for _, in := range v.inputs.take() {
				if err = l.step(in); err != nil {
					break
				}
			}
		case in := <-v.fromPeers:
			err = l.step(in)
		case batch := <-from:
			for _, m := range batch {
				if err = l.step(consensus.Arrived{Message: m}); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
	}
}

// loop is what belongs to the goroutine of run alone.
type loop struct {
	v         *Validator
	timer     *time.Timer
	unapplied int
}

func (l *loop) step(in consensus.Input) error {
	if _, ok := in.(consensus.Applied); ok {
		l.unapplied--
	}
	var out consensus.Output
	err := chain.Guard(func() error {
		out = l.v.rules.Step(l.v.cfg.Now().UnixMilli(), in)
		return nil
	})
	if err != nil {
		return unreadableState.because(err)
	}
	for _, a := range out.Actions {
		if err := l.perform(a); err != nil {
			return err
		}
	}
	if out.Halt != nil {
		return haltFor(out.Halt)
	}
	return nil
}

func (l *loop) perform(a consensus.Action) error {
	v := l.v
	switch a := a.(type) {
	case consensus.Persist:
		v.persist.put(a)
	case consensus.Publish:
		v.publish.put(a)
	case consensus.SendVote:
		v.send.put(peerMessage{kind: bus.Vote, payload: a.Payload})
	case consensus.SendCosignature:
		v.send.put(peerMessage{kind: bus.Cosignature, payload: a.Payload})
	case consensus.Send:
		to := ""
		if a.To != consensus.Everyone {
			to = v.set.Validators[a.To].Party
		}
		v.send.put(peerMessage{bus.Gossip, to, a.Payload})
	case consensus.FetchBlock:
		v.fetch.put(a.Height)
	case consensus.Reread:
		v.log.Warn("reading the stream again", "from", a.From)
		select {
		case <-v.reread: // an older wish that nobody has heard yet
		default:
		}
		v.reread <- a.From
	case consensus.Decided:
		l.unapplied++
		v.clock(a.Result.Header.Time)
		v.decided.put(a)
	case consensus.SetTimer:
		l.timer.Reset(time.UnixMilli(a.At).Sub(v.cfg.Now()))
	case consensus.Alarm:
		return v.alarm(a)
	}
	return nil
}

// alarm tells the operator, and keeps what convicts a validator.
func (v *Validator) alarm(a consensus.Alarm) error {
	v.log.Error("alarm", "code", a.Code, "detail", a.Detail)
	v.vm.alarms.WithLabelValues(a.Code).Inc()
	if a.Evidence == nil {
		return nil
	}
	if err := keepEvidence(v.cfg.Evidence, v.chain.Genesis(), a.Evidence); err != nil {
		return disk.because(fmt.Errorf("keep evidence: %w", err))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.evidence++
	return nil
}

// farBehind is how far this validator's clock may be behind the median of all clocks before it logs an error. There is
// no such limit for a clock that is ahead: readings in the stream are up to ten seconds old when nothing is submitted, and
// a block waits for its end.
const farBehind = 5 * time.Second

// clock compares the own clock with the time of a block decided now.
func (v *Validator) clock(blockTime int64) {
	off := v.cfg.Now().Sub(time.UnixMilli(blockTime))
	v.vm.clock.Set(off.Seconds())
	if off < -farBehind {
		v.log.Error("the own clock is behind those of the other validators", "by", -off)
	}
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
			return disk.because(fmt.Errorf("votes: %w", err))
		}
		took := time.Since(start)
		v.mu.Lock()
		for i, p := range batch {
			if n := len(v.journalStarts); n == 0 || v.journalStarts[n-1].height < p.Height {
				v.journalStarts = append(v.journalStarts, journalStart{p.Height, offsets[i]})
			}
		}
		v.mu.Unlock()
		if sync {
			v.m.syncs.Observe(took.Seconds())
			v.inputs.put(consensus.Persisted{ID: batch[len(batch)-1].ID, Took: took})
		}
	}
}

// forget drops the journal of heights that are stored.
func (v *Validator) forget(height uint64) error {
	v.mu.Lock()
	for len(v.journalStarts) > 0 && v.journalStarts[0].height <= height {
		v.journalStarts = v.journalStarts[1:]
	}
	offset := uint64(0)
	if len(v.journalStarts) > 0 {
		offset = v.journalStarts[0].offset
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
				if errors.Is(err, chain.ErrDiffers) {
					return damagedBlock.because(err)
				}
				return disk.because(fmt.Errorf("decided block: %w", err))
			}
			v.committed(d.Result)
			v.roster.decided(d.Result.Header.Height)
			v.inputs.put(consensus.Applied{Height: d.Result.Header.Height})
			if err := v.forget(d.Result.Header.Height); err != nil {
				return disk.because(fmt.Errorf("trim journal: %w", err))
			}
		}
	}
}
