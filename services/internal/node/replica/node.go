// Package replica runs the two kinds of node that hold a full copy of the ledger: a Validator, which is a consensus.Core
// with a disk, a clock and a broker, and a Follower, which executes what validators have certified.
//
// Format: a validator keeps a journal of its votes (store.Log) beside its chain.Chain. Both read CUSTODY in order from
// the end of their own newest block on; decided blocks travel as consensus.BlockRecord on BLOCKS.
//
// Trust: nothing that comes in is believed. When what the broker shows contradicts the own copy, or the own rules
// contradict a certificate, the node halts and says why: a halted node is safer than a guessing one.
package replica

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
)

// Status is where a node stands.
type Status struct {
	Height  uint64
	Time    time.Time // of the newest block
	LastSeq uint64    // its last message
	Waiting uint64    // messages of the stream that are in no block here yet
	Halted  string    // why, if it is
}

// metrics of a node; all under verilot_node_.
type metrics struct {
	blocks, entries, halts prometheus.Counter
	syncs                  prometheus.Histogram
}

// core is what both kinds of node share.
type core struct {
	chain *chain.Chain
	bus   *bus.Bus
	log   *slog.Logger
	m     metrics

	newest atomic.Uint64 // sequence of the newest message read
	halted atomic.Pointer[string]
	mu     sync.Mutex  // guards last
	last   bus.Message // the newest message read
}

func newCore(c *chain.Chain, b *bus.Bus, log *slog.Logger, reg prometheus.Registerer) (*core, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	n := &core{chain: c, bus: b, log: log}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "verilot", Subsystem: "node", Name: name, Help: help})
	}
	n.m = metrics{
		blocks:  counter("blocks_total", "Blocks added to the own copy since the start."),
		entries: counter("entries_total", "Stream messages in those blocks."),
		halts:   counter("halts_total", "1 when the node has halted: look at the log."),
		syncs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "verilot", Subsystem: "node", Name: "journal_sync_seconds", Help: "Time to make votes durable.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16),
		}),
	}
	if reg == nil {
		return n, nil
	}
	gauge := func(name, help string, f func(Status) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "verilot", Subsystem: "node", Name: name, Help: help},
			func() float64 { return f(n.Status()) })
	}
	for _, c := range []prometheus.Collector{
		n.m.blocks, n.m.entries, n.m.halts, n.m.syncs,
		gauge("height", "Newest block in the own copy.", func(s Status) float64 { return float64(s.Height) }),
		gauge("age_seconds", "Age of the newest block, by its own time.", func(s Status) float64 { return time.Since(s.Time).Seconds() }),
		gauge("waiting_messages", "Stream messages that are in no block here yet.", func(s Status) float64 { return float64(s.Waiting) }),
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return n, nil
}

// Status may be called at any time.
func (n *core) Status() Status {
	h := n.chain.Head().Header
	s := Status{Height: h.Height, Time: time.UnixMilli(h.Time).UTC(), LastSeq: h.LastSeq}
	if newest := n.newest.Load(); newest > s.LastSeq {
		s.Waiting = newest - s.LastSeq
	}
	if why := n.halted.Load(); why != nil {
		s.Halted = *why
	}
	return s
}

// Ready is a condition of readiness: not halted, and connected.
func (n *core) Ready(context.Context) error {
	if why := n.halted.Load(); why != nil {
		return errors.New(*why)
	}
	if !n.bus.Connected() {
		return bus.ErrUnavailable
	}
	return nil
}

// reportHalt makes a halt known.
func (n *core) reportHalt(err error) error {
	if h, ok := errors.AsType[*HaltError](err); ok {
		why := h.Error()
		n.halted.Store(&why)
		n.m.halts.Inc()
		n.log.Error("node halted", "reason", h.Reason, "remedy", h.Remedy, "err", h.Err)
	}
	return err
}

func (n *core) committed(res *consensus.Result) {
	n.m.blocks.Inc()
	n.m.entries.Add(float64(len(res.Entries)))
	n.log.Debug("block", "height", res.Header.Height, "entries", len(res.Entries), "last_seq", res.Header.LastSeq)
}

// sameHistory asks the broker for the last message of the own newest block, and for the newest one read, and compares
// (docs/design.md section 4, Consumers). The stream is never re-created, and nothing is decided over another one.
func (n *core) sameHistory(ctx context.Context) error {
	if err := n.bus.Check(ctx); err != nil {
		if gone := Gone(err); gone != nil {
			return gone
		}
		return fmt.Errorf("%w: %w", bus.ErrUnavailable, err)
	}
	h := n.chain.Head().Header
	if h.Height > 0 {
		b, err := n.chain.Stored(h.Height)
		if err != nil {
			return damagedBlock.because(err)
		}
		if err := n.sameMessage(ctx, h.LastSeq, b.Payloads[len(b.Payloads)-1]); err != nil {
			return err
		}
	}
	n.mu.Lock()
	last := n.last
	n.mu.Unlock()
	if last.Seq > h.LastSeq {
		return n.sameMessage(ctx, last.Seq, last.Data)
	}
	return nil
}

func (n *core) sameMessage(ctx context.Context, seq uint64, want []byte) error {
	m, err := n.bus.GetMessage(ctx, seq)
	switch {
	case errors.Is(err, bus.ErrGone):
		return streamGone.because(err)
	case errors.Is(err, bus.ErrNotFound):
		return otherStream.because(fmt.Errorf("message %d: %w", seq, err))
	case err != nil:
		return fmt.Errorf("%w: %w", bus.ErrUnavailable, err)
	case !bytes.Equal(m.Data, want):
		return otherStream.because(fmt.Errorf("message %d is not the one this node has", seq))
	}
	return nil
}

// read delivers the stream from the end of the own newest block on, prepared, in batches, to out.
func (n *core) read(ctx context.Context, out chan<- []consensus.Message) error {
	const most = 1024
	raw := make(chan consensus.Message, 4*most)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			var batch []consensus.Message
			select {
			case m := <-raw:
				batch = append(batch, m)
			case <-ctx.Done():
				return
			}
			for more := true; more && len(batch) < most; {
				select {
				case m := <-raw:
					batch = append(batch, m)
				default:
					more = false
				}
			}
			if err := chain.Guard(func() error { n.chain.Prepare(batch); return nil }); err != nil {
				cancel(err)
				return
			}
			select {
			case out <- batch:
			case <-ctx.Done():
				return
			}
		}
	})
	defer wg.Wait()
	defer cancel(nil)
	err := n.bus.Consume(ctx, n.chain.Head().Header.LastSeq+1, n.sameHistory, func(m bus.Message) error {
		select {
		case raw <- consensus.Message{Seq: m.Seq, Payload: m.Data}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		n.mu.Lock()
		n.last = m
		n.mu.Unlock()
		n.newest.Store(m.Seq)
		return nil
	})
	if g, ok := errors.AsType[*bus.GapError](err); ok {
		return damagedStream.because(g)
	}
	return err
}

// audit reads the own blocks again and again: a copy that has changed must not go on speaking for this node. It rests ten times as
// long as it works, after every block, so that whoever waits for an answer does not wait for this.
func (n *core) audit(ctx context.Context, every time.Duration) error {
	for {
		var parent *consensus.Head
		for h := uint64(1); h <= n.chain.Head().Header.Height; h++ {
			start := time.Now()
			b, err := n.chain.Stored(h)
			if err != nil {
				return damagedBlock.because(err)
			}
			header, err := b.Record().Check(n.chain.Genesis())
			if err != nil {
				return damagedBlock.because(fmt.Errorf("block %d: %w", h, err))
			}
			if parent != nil && header.Parent != parent.Hash {
				return damagedBlock.because(fmt.Errorf("block %d does not follow block %d", h, h-1))
			}
			parent = &consensus.Head{Header: header, Hash: block.HeaderHash(b.Header)}
			if !sleep(ctx, min(every/10, 10*time.Since(start))) {
				return ctx.Err()
			}
		}
		if !sleep(ctx, every) {
			return ctx.Err()
		}
	}
}

// sleep waits for d or the end of ctx; false if ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
