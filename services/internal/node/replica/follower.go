package replica

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/service"
)

// FollowerConfig is what a full follower is made of. Log and Metrics may be nil.
type FollowerConfig struct {
	Chain   *chain.Chain
	Bus     *bus.Bus
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Follower keeps a chain.Chain at the newest certified block: certificates and headers from BLOCKS, bodies from CUSTODY,
// and everything executed here.
type Follower struct {
	*core
	arrivals chan []consensus.Message
	bodies   []consensus.Message // read and not in a block yet
}

// NewFollower gets ready to Run.
func NewFollower(cfg FollowerConfig) (*Follower, error) {
	n, err := newCore(cfg.Chain, cfg.Bus, cfg.Log, cfg.Metrics)
	if err != nil {
		return nil, err
	}
	return &Follower{core: n}, nil
}

// Run follows until ctx ends or the follower halts.
func (f *Follower) Run(ctx context.Context) error { return f.reportHalt(f.follow(ctx)) }

func (f *Follower) follow(ctx context.Context) error {
	f.arrivals, f.bodies = make(chan []consensus.Message, 4), nil
	g := service.NewGroup(ctx)
	g.Go("read stream", func(ctx context.Context) error { return f.read(ctx, f.arrivals) })
	g.Go("follow", func(ctx context.Context) error {
		return f.bus.ConsumeBlocks(ctx, f.chain.Head().Header.Height+1, func(_ uint64, raw []byte) (bool, error) {
			var taken bool
			err := chain.Guard(func() (err error) {
				taken, err = f.block(ctx, raw)
				return err
			})
			return taken, err
		})
	})
	return g.Wait()
}

// errCaughtUp ends followUntil.
var errCaughtUp = errors.New("node: caught up")

// followUntil follows up to a height, or until nothing comes for a while.
func (f *Follower) followUntil(ctx context.Context, height uint64, idle time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			head := f.chain.Head().Header.Height
			wait, stop := context.WithTimeout(ctx, idle)
			err := f.chain.Wait(wait, head+1)
			stop()
			if err != nil || head+1 >= height {
				cancel(errCaughtUp)
				return
			}
		}
	})
	err := f.follow(ctx)
	cancel(nil)
	wg.Wait()
	if errors.Is(context.Cause(ctx), errCaughtUp) && (err == nil || errors.Is(err, errCaughtUp) || errors.Is(err, context.Canceled)) {
		return nil
	}
	return err
}

// block takes the next block if the record is a good copy of it.
func (f *Follower) block(ctx context.Context, raw []byte) (taken bool, err error) {
	rec, err := consensus.DecodeBlockRecord(raw)
	if err != nil {
		f.log.Warn("an unreadable block record was skipped", "err", err)
		return false, nil
	}
	// The certificate first: a record that nobody signed must not make us wait for messages that never come.
	light, err := consensus.NewLightChain(f.chain.Genesis(), state.NewOverlay(f.chain.Live()))
	if err != nil {
		return false, err
	}
	b, err := light.Append(rec)
	switch {
	case errors.Is(err, consensus.ErrOld), errors.Is(err, consensus.ErrGap), errors.Is(err, consensus.ErrRecord):
		f.log.Warn("a block record that does not verify was skipped", "err", err)
		return false, nil
	case err != nil:
		return false, haltFor(err)
	}
	messages, err := f.messages(ctx, int(b.Header.Entries()))
	if err != nil {
		return false, err
	}
	res, err := consensus.Follow(f.chain.Genesis(), f.chain.Live(), rec, messages)
	if err != nil {
		return false, haltFor(err)
	}
	// A block that is certified is finished, even when the service is told to stop meanwhile.
	if err := f.chain.Commit(context.WithoutCancel(ctx), res, rec.Certificate); err != nil {
		return false, disk.because(err)
	}
	f.bodies = f.bodies[len(messages):]
	f.committed(res)
	return true, nil
}

// messages waits for the next n messages of the stream.
func (f *Follower) messages(ctx context.Context, n int) ([]consensus.Message, error) {
	for len(f.bodies) < n {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case batch := <-f.arrivals:
			f.bodies = append(f.bodies, batch...)
		}
	}
	return f.bodies[:n:n], nil
}
