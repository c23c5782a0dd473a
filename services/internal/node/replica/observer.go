package replica

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
)

// ObserverConfig is what an Observer is made of.
type ObserverConfig struct {
	Chain   *chain.Chain
	Broker  bus.Options
	Metrics prometheus.Registerer
}

// Observer is a full follower that also collects the votes of the validators. It may start before
// its broker: until the broker answers, the copy stays as it is, and says how old it is. Methods
// may be called concurrently, Run once.
type Observer struct {
	cfg    ObserverConfig
	roster *Roster
	node   atomic.Pointer[Follower] // nil before there is a broker
}

// NewObserver gets ready to Run.
func NewObserver(cfg ObserverConfig) *Observer {
	return &Observer{cfg: cfg, roster: NewRoster(cfg.Chain.Genesis())}
}

// Run waits for the broker and follows until ctx ends or the follower halts.
func (o *Observer) Run(ctx context.Context) error {
	b, err := bus.Dial(ctx, o.cfg.Broker)
	if err != nil {
		return err
	}
	defer b.Close()
	if o.cfg.Chain.Head().Header.Height > 0 { // then there was a stream
		if gone := Gone(b.Check(ctx)); gone != nil {
			return gone
		}
	}
	if err := b.Await(ctx); err != nil {
		return err
	}
	stop, err := b.WatchVotes(o.cfg.Chain.Genesis().Epoch, func(m bus.PeerMessage) { o.roster.Saw(m.Data, time.Now()) })
	if err != nil {
		return err
	}
	defer stop()
	n, err := NewFollower(FollowerConfig{Bus: b, Chain: o.cfg.Chain, Log: o.cfg.Broker.Log, Metrics: o.cfg.Metrics})
	if err != nil {
		return err
	}
	o.node.Store(n)
	return n.Run(ctx)
}

// Ready says why the copy does not follow the network, or nil.
func (o *Observer) Ready(ctx context.Context) error {
	if n := o.node.Load(); n != nil {
		return n.Ready(ctx)
	}
	return errors.New("waiting for the broker")
}

// Waiting is the number of stream messages known that are in no block of this copy yet.
func (o *Observer) Waiting() uint64 {
	if n := o.node.Load(); n != nil {
		return n.Status().Waiting
	}
	return 0
}

// LastVote is where a validator stands, as far as the votes received say.
func (o *Observer) LastVote(validator int) Seen { return o.roster.Of(validator) }
