package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/store"
)

// runPeers hears the other validators and serves them blocks.
func (v *Validator) runPeers(ctx context.Context) error {
	hear := func(in consensus.Input) {
		select {
		case v.fromPeers <- in:
		case <-ctx.Done():
		}
	}
	stop, err := v.peers.Listen(func(m bus.PeerMessage) {
		switch m.Kind {
		case bus.Vote:
			v.roster.Saw(m.Data, v.cfg.Now())
			hear(consensus.VoteReceived{Payload: m.Data})
		case bus.Cosignature:
			hear(consensus.CosignatureReceived{Payload: m.Data})
		case bus.Gossip:
			hear(consensus.PeerReceived{Payload: m.Data})
		}
	})
	if err != nil {
		return err
	}
	defer stop()
	stopServing, err := v.peers.Serve(v.wholeBlock)
	if err != nil {
		return err
	}
	defer stopServing()
	<-ctx.Done()
	return ctx.Err()
}

// runSend says what the Core has to say. What does not get through the Core says again.
func (v *Validator) runSend(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.send.ready:
		}
		for _, s := range v.send.take() {
			if s.kind == bus.Vote {
				v.roster.Saw(s.payload, v.cfg.Now())
			}
			if err := v.peers.Send(s.kind, s.to, s.payload); err != nil && ctx.Err() == nil {
				v.log.Debug("send to validators", "err", err)
			}
		}
	}
}

// A block between peers is its record with the bodies: str32 record (docs/spec.md section 13.1) || u32 n × str32 payload.
func (v *Validator) wholeBlock(height uint64) []byte {
	b, err := v.chain.Stored(height)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			v.log.Error("an own block cannot be read for another validator", "height", height, "err", err)
		}
		return nil
	}
	out := canonical.Str32(nil, b.Record().Encode())
	out = canonical.U32(out, uint32(len(b.Payloads)))
	for _, p := range b.Payloads {
		out = canonical.Str32(out, p)
	}
	return out
}

func decodeWhole(raw []byte) (rec *consensus.BlockRecord, payloads [][]byte, err error) {
	r := canonical.NewReader(raw)
	record, n := r.Str32(), int(r.U32())
	if 4*n > r.Len() {
		r.Fail(canonical.ErrShort)
		n = 0
	}
	payloads = make([][]byte, n)
	for i := range payloads {
		payloads[i] = r.Str32()
	}
	if err := r.Done(); err != nil {
		return nil, nil, fmt.Errorf("block of a peer: %w", err)
	}
	rec, err = consensus.DecodeBlockRecord(record)
	return rec, payloads, err
}

// How long one source of a block may take, and the Core to take it over.
const (
	firstTimeout  = time.Second
	sourceTimeout = 5 * time.Second
	takeTimeout   = 10 * time.Second
)

// runFetch gets the blocks that others have decided, from the one asked for up to the newest.
func (v *Validator) runFetch(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-v.fetch.ready:
		}
		heights := v.fetch.take()
		for h := heights[len(heights)-1]; ; h++ {
			taken, err := v.fetchBlock(ctx, h)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				v.log.Debug("fetch block", "height", h, "err", err)
			}
			if !taken {
				break // the Core asks again
			}
		}
	}
}

// fetchBlock hands the Core a block that holds, and waits until it is stored.
func (v *Validator) fetchBlock(ctx context.Context, height uint64) (taken bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, takeTimeout+2*sourceTimeout)
	defer cancel()
	if err := v.chain.Wait(ctx, height-1); err != nil {
		return false, err
	}
	if v.chain.Head().Header.Height >= height {
		return true, nil
	}
	view, done, err := v.chain.Snapshot()
	if err != nil {
		return false, err
	}
	defer done()
	if head, ok := consensus.ReadHead(view); !ok || head.Header.Height != height-1 {
		return true, nil // decided meanwhile
	}
	var failed error
	for _, from := range v.sources(height) {
		rec, messages, err := from(ctx, view)
		if err == nil {
			v.chain.Prepare(messages)
			_, err = consensus.Follow(v.chain.Genesis(), view, rec, messages)
		}
		if err != nil && !errors.Is(err, consensus.ErrDiverged) { // that is for the Core to say
			failed = errors.Join(failed, err)
			continue
		}
		v.vm.fetched.Inc()
		v.inputs.put(consensus.Certified{Record: rec, Messages: messages})
		return true, v.chain.Wait(ctx, height)
	}
	return false, failed
}

type source func(ctx context.Context, before state.View) (*consensus.BlockRecord, []consensus.Message, error)

// sources are another validator, which answers at once with the whole block if it has it; BLOCKS with the bodies from CUSTODY,
// for which a consumer has to be made; and then the rest of the validators.
func (v *Validator) sources(height uint64) []source {
	fromBlocks := func(ctx context.Context, before state.View) (*consensus.BlockRecord, []consensus.Message, error) {
		ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
		defer cancel()
		raw, err := v.bus.Block(ctx, height)
		if err != nil {
			return nil, nil, err
		}
		rec, err := consensus.DecodeBlockRecord(raw)
		if err != nil {
			return nil, nil, err
		}
		// The certificate first: a record that nobody signed must not make us read what was never in a block.
		light, err := consensus.NewLightChain(v.chain.Genesis(), state.NewOverlay(before))
		if err != nil {
			return nil, nil, err
		}
		b, err := light.Append(rec)
		if err != nil {
			return nil, nil, err
		}
		messages := make([]consensus.Message, 0, b.Header.Entries())
		err = v.bus.Read(ctx, b.Header.FirstSeq, b.Header.LastSeq, func(m bus.Message) error {
			messages = append(messages, consensus.Message{Seq: m.Seq, Payload: m.Data})
			return nil
		})
		return rec, messages, err
	}
	var all []source
	n := uint64(len(v.set.Validators))
	for i := range n {
		other := int((height + i) % n)
		if other == v.self {
			continue
		}
		of, wait := v.set.Validators[other].Party, sourceTimeout
		if len(all) == 0 {
			wait = firstTimeout
		}
		all = append(all, func(ctx context.Context, _ state.View) (*consensus.BlockRecord, []consensus.Message, error) {
			ctx, cancel := context.WithTimeout(ctx, wait)
			defer cancel()
			raw, err := v.peers.Fetch(ctx, of, height)
			if err != nil {
				return nil, nil, err
			}
			rec, payloads, err := decodeWhole(raw)
			if err != nil {
				return nil, nil, err
			}
			h, err := rec.Check(v.chain.Genesis())
			if err != nil {
				return nil, nil, err
			}
			messages := make([]consensus.Message, len(payloads))
			for i, p := range payloads {
				messages[i] = consensus.Message{Seq: h.FirstSeq + uint64(i), Payload: p}
			}
			return rec, messages, nil
		})
		if len(all) == 1 {
			all = append(all, fromBlocks)
		}
	}
	if len(all) == 0 {
		all = append(all, fromBlocks)
	}
	return all
}

// validatorMetrics are those of a validator alone; all under verilot_validator_.
type validatorMetrics struct {
	alarms  *prometheus.CounterVec
	fetched prometheus.Counter
	clock   prometheus.Gauge
}

func (v *Validator) register() error {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "verilot", Subsystem: "validator", Name: name, Help: help}
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts(name, help)), f)
	}
	v.vm = validatorMetrics{
		alarms:  prometheus.NewCounterVec(prometheus.CounterOpts(opts("alarms_total", "Alarms, by code: look at the log.")), []string{"code"}),
		fetched: prometheus.NewCounter(prometheus.CounterOpts(opts("fetched_blocks_total", "Blocks taken over from others after they had decided them."))),
		clock: prometheus.NewGauge(prometheus.GaugeOpts(opts("clock_offset_seconds",
			"Own clock when a block was decided, less the block's time: the median of all clocks, and so a little late. Negative: the own clock is behind."))),
	}
	if v.cfg.Metrics == nil {
		return nil
	}
	list := []prometheus.Collector{
		v.vm.alarms, v.vm.fetched, v.vm.clock,
		gauge("round", "Round of the own newest vote; 0 when all is well.", func() float64 { return float64(v.roster.Of(v.self).Round) }),
		gauge("lag_blocks", "Blocks that others vote behind the own newest one.", func() float64 { return float64(v.Lag()) }),
		gauge("evidence", "Pairs of contradicting votes of other validators, kept on disk.", func() float64 { return float64(v.Evidence()) }),
	}
	for i := range v.set.Validators {
		if i != v.self {
			labels := prometheus.Labels{"validator": v.set.Validators[i].Party}
			list = append(list,
				prometheus.NewCounterFunc(prometheus.CounterOpts{
					Namespace: "verilot", Subsystem: "validator", Name: "missing_votes_total", ConstLabels: labels,
					Help: "Blocks decided while this validator had not been heard to vote for two heights.",
				}, func() float64 { return float64(v.roster.Of(i).Missed) }),
			)
		}
	}
	for _, c := range list {
		if err := v.cfg.Metrics.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}

// Lag is how many blocks are decided elsewhere and not here, as the votes of others show.
func (v *Validator) Lag() uint64 {
	newest, next := v.roster.Newest(), v.chain.Head().Header.Height+1
	return max(newest, next) - next
}

// Evidence is how many pairs of contradicting votes are kept.
func (v *Validator) Evidence() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.evidence
}
