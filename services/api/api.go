// Package api is the query service: a full follower with its own verified copy of the ledger, and the way out over HTTP.
// It may also take the recalls of one party, a regulator, that has no goods and so no service of its own.
package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/answer/ndc"
	"verilot.dev/services/internal/answer/subscription"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/edge/webapp"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/replica"
	"verilot.dev/services/internal/node/store"
	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/service"
)

// Config of an api service. Zero values work but for Genesis and NATS.
type Config struct {
	service.Common `yaml:",inline"`
	// Genesis is the network's genesis file.
	Genesis string `yaml:"genesis"`
	// Data is the folder of this node's own copy. Default "data".
	Data string `yaml:"data"`
	// NATS is the broker's address; of a cluster several with commas, the preferred one first.
	NATS string `yaml:"nats"`
	// Creds is the path of a NATS .creds file, for a broker that asks for one.
	Creds string `yaml:"creds"`
	// Server is an embedded broker; it replaces NATS.
	Server bus.InProcess `yaml:"-"`

	// Party is a party for which this service takes recalls, such as a regulator, and Key the path of its event key. Empty: it only answers.
	Party string `yaml:"party"`
	Key   string `yaml:"key"`
	// NDC is the folder of the FDA's NDC Directory (ndctext.zip, unpacked). Empty: a small selection of it.
	NDC string `yaml:"ndc"`
	// SignIn says who may order them, and who reads every party's events (EPCIS queries).
	SignIn signin.Config `yaml:"sign_in"`
	// Standing is about subscriptions to events.
	Standing subscription.Config `yaml:"standing"`
}

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config, env *service.Env) (err error) {
	raw, err := os.ReadFile(cfg.Genesis)
	if err != nil {
		return fmt.Errorf("read genesis: %w", err)
	}
	g, err := genesis.Parse(raw)
	if err != nil {
		return fmt.Errorf("read genesis %s: %w", cfg.Genesis, err)
	}
	if cfg.Data == "" {
		cfg.Data = "data"
	}
	c, err := chain.Open(filepath.Join(cfg.Data, "chain"), g, chain.Options{Project: index.Project, ProjectVersion: index.Version, Log: env.Log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	f := &following{cfg: &cfg, chain: c, env: env, roster: replica.NewRoster(g)}
	env.Ready("follower", f.ready)
	if (cfg.Party == "") != (cfg.Key == "") {
		return errors.New("configuration: party and key belong together; set both, or neither")
	}
	guard, err := signin.New(cfg.SignIn, signin.Place{Service: "api", Party: cfg.Party, Genesis: g})
	if err != nil {
		return err
	}
	guard.Announce(env.Log)

	gate := &epcisrest.Gate{Genesis: g, Snapshot: c.Snapshot, SignIn: guard, Now: time.Now}
	h := httpapi.New(httpapi.Options{ //nolint:contextcheck // Gin carries it in the request
		Title: "Verilot api", Version: "1", Log: env.Log, Registry: env.Metrics, Ready: env.CheckReady, Guard: gate.Check,
		Description: "Trace, check and recall queries over a verified copy of the ledger. Every answer says which certified block it rests on and how old that is; /v1/proof gives what is needed to check it without trusting this service.",
	})
	guard.Mount(h)
	tracing.Mount(h, tracing.Options{ //nolint:contextcheck // as above
		Genesis: g, Copy: c, Now: time.Now, Waiting: f.waiting, Heard: f.heard,
		NoBlock: func(err error) bool { return errors.Is(err, store.ErrNotFound) },
	})
	answers := epcisrest.Mount(h, epcisrest.Options{Genesis: g, Copy: c, Now: time.Now, Callers: gate.Caller}) //nolint:contextcheck // as above
	options := subscription.Options{Config: cfg.Standing, Dir: filepath.Join(cfg.Data, "standing"), Development: g.Development, Log: env.Log, Registry: env.Metrics}
	queries, err := subscription.Open(options.Over(answers)) //nolint:contextcheck // as above
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, queries.Close()) }()
	subscription.Mount(h, subscription.CallerOf(gate.Caller), queries) //nolint:contextcheck // as above
	drugs, err := ndc.Open(cfg.NDC)
	if err != nil {
		return fmt.Errorf("configuration: ndc: %w", err)
	}
	ndc.Mount(h, drugs, nil)
	recalls, err := office(&cfg, c, env)
	if err != nil {
		return err
	}
	if recalls != nil {
		defer func() { err = errors.Join(err, recalls.Close()) }()
		env.Ready("outbox", recalls.Ready)
		recalls.Mount(h) //nolint:contextcheck // as above
	} else {
		epcisrest.MountNoCapture(h) //nolint:contextcheck // as above
	}
	if err := webapp.Mount(h, webapp.Setting{Service: "api", Network: g.Name, Development: g.Development, Party: cfg.Party, PartyName: guard.Place().PartyName}); err != nil {
		return err
	}
	ln, err := httpapi.Listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	group := service.NewGroup(ctx)
	group.Go("follower", f.run)
	group.Go("standing queries", queries.Run)
	if recalls != nil {
		group.Go("outbox", recalls.Run)
	}
	group.Go("http", func(ctx context.Context) error { return httpapi.Serve(ctx, ln, h.Engine) })
	return group.Wait()
}

// office is the service that takes the recalls of this service's own party; nil if it has none.
func office(cfg *Config, c *chain.Chain, env *service.Env) (*partner.Service, error) {
	if cfg.Party == "" {
		return nil, nil
	}
	return partner.OpenService(partner.Regulator(), partner.ServiceConfig{
		Genesis: cfg.Genesis, Data: cfg.Data, Party: cfg.Party, Key: cfg.Key, NATS: cfg.NATS, NATSCreds: cfg.Creds, Broker: cfg.Server,
	}, c.Genesis(), own{c}, env)
}

// own tells a partner service in this one what others ask it over HTTP.
type own struct{ chain *chain.Chain }

// Indexed implements partner.Peer.
func (o own) Indexed(context.Context) (uint64, error) { return o.chain.Head().Header.Height, nil }

// Parties implements partner.Peer.
func (o own) Parties(context.Context) ([]directory.KnownParty, error) {
	view, done, err := o.chain.Snapshot()
	if err != nil {
		return nil, err
	}
	defer done()
	var out []directory.KnownParty
	for _, p := range (registry.Registry{View: view}).Parties() {
		known := directory.KnownParty{ID: p.ID, Name: p.Name, Roles: p.Roles, GLNs: p.GLNs, Prefixes: p.Prefixes, Places: p.Places}
		for _, k := range p.Keys {
			known.KeyIDs = append(known.KeyIDs, hex.EncodeToString(k[:]))
		}
		out = append(out, known)
	}
	return out, nil
}

// following is the follower once there is a broker. Until then the service answers from its own copy, which says how old it is.
type following struct {
	cfg    *Config
	chain  *chain.Chain
	env    *service.Env
	roster *replica.Roster
	node   atomic.Pointer[replica.Follower]
}

func (f *following) run(ctx context.Context) error {
	b, err := bus.Dial(ctx, bus.Options{URL: f.cfg.NATS, Creds: f.cfg.Creds, Server: f.cfg.Server, Name: f.env.Name, Log: f.env.Log})
	if err != nil {
		return err
	}
	defer b.Close()
	if f.chain.Head().Header.Height > 0 { // then there was a stream
		if gone := replica.Gone(b.Check(ctx)); gone != nil {
			return gone
		}
	}
	if err := b.Await(ctx); err != nil {
		return err
	}
	deaf, err := b.WatchVotes(f.chain.Genesis().Epoch, func(m bus.PeerMessage) { f.roster.Saw(m.Data, time.Now()) })
	if err != nil {
		return err
	}
	defer deaf()
	n, err := replica.NewFollower(replica.FollowerConfig{Bus: b, Chain: f.chain, Log: f.env.Log, Metrics: f.env.Metrics})
	if err != nil {
		return err
	}
	f.node.Store(n)
	return n.Run(ctx)
}

func (f *following) ready(ctx context.Context) error {
	if n := f.node.Load(); n != nil {
		return n.Ready(ctx)
	}
	return errors.New("waiting for the broker")
}

// waiting is the number of stream messages known that are in no block of this copy yet.
func (f *following) waiting() uint64 {
	if n := f.node.Load(); n != nil {
		return n.Status().Waiting
	}
	return 0
}

func (f *following) heard(validator int) tracing.Heard {
	s := f.roster.Of(validator)
	return tracing.Heard{Height: s.Height, Round: s.Round, At: s.At, Evidence: s.Evidence}
}
