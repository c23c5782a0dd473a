package node

import (
	"context"
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/bus"
	"verilot.dev/services/internal/chain"
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

// Follow is NewFollower and Run.
func Follow(ctx context.Context, cfg FollowerConfig) error {
	f, err := NewFollower(cfg)
	if err != nil {
		return err
	}
	return f.Run(ctx)
}

// Run follows until ctx ends or the follower halts.
func (f *Follower) Run(ctx context.Context) error {
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
	return f.ended(g.Wait())
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
		return false, f.stop(err)
	}
	messages, err := f.messages(ctx, int(b.Header.Entries()))
	if err != nil {
		return false, err
	}
	res, err := consensus.Follow(f.chain.Genesis(), f.chain.Live(), rec, messages)
	if err != nil {
		return false, f.stop(err)
	}
	if err := f.chain.Commit(ctx, res, rec.Certificate); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return false, &HaltError{"a certified block cannot be stored", err}
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

func (f *Follower) stop(err error) error {
	reason := "a certified block cannot be followed"
	switch {
	case errors.Is(err, consensus.ErrDiverged):
		reason = "own execution differs from what a quorum of validators signed"
	case errors.Is(err, consensus.ErrBodies), errors.Is(err, consensus.ErrSequence):
		reason = "the broker lost its tail or shows a different history"
	case errors.Is(err, consensus.ErrNoEpochRecord):
		reason = "the stream is not that of this network"
	}
	return &HaltError{reason, err}
}
