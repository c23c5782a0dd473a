// Package api is the query service: a full follower with its own verified copy of the ledger, and the way out over HTTP.
// It may also take the recalls of one party, a regulator, that has no goods and so no service of its own.
package api

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/answer/ndc"
	"verilot.dev/services/internal/answer/subscription"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/edge/webapp"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/replica"
	"verilot.dev/services/internal/service"
)

// Config of an api service. Zero values work but for Genesis and Broker.
type Config struct {
	service.Common `yaml:",inline"`
	// Genesis is the network's genesis file.
	Genesis string `yaml:"genesis"`
	// Data is the folder of this node's own copy. Default "data".
	Data string `yaml:"data"`
	// Broker is the broker to use.
	Broker service.Broker `yaml:"broker"`
	// Server is an embedded broker; it replaces Broker.
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
	node := replica.NewObserver(replica.ObserverConfig{
		Chain: c, Metrics: env.Metrics, Broker: bus.Options{URL: cfg.Broker.URL, Creds: cfg.Broker.Creds, Server: cfg.Server, Name: env.Name, Log: env.Log},
	})
	env.Ready("follower", node.Ready)
	if (cfg.Party == "") != (cfg.Key == "") {
		return errors.New("configuration: party and key belong together; set both, or neither")
	}
	guard, err := signin.New(cfg.SignIn, signin.Identity{Service: "api", Party: cfg.Party, Genesis: g})
	if err != nil {
		return err
	}
	guard.Announce(env.Log)

	callers := &epcisrest.Authenticator{Genesis: g, Snapshot: c.Snapshot, SignIn: guard, Now: time.Now}
	h := httpapi.New(httpapi.Options{ //nolint:contextcheck // Gin carries it in the request
		Title: "Verilot api", Version: "1", Log: env.Log, Registry: env.Metrics, Ready: env.CheckReady, Guard: callers.Check,
		Description: "Trace, check and recall queries over a verified copy of the ledger. Every answer says which certified block it rests on and how old that is; /v1/proof gives what is needed to check it without trusting this service.",
	})
	guard.Mount(h)
	ledgerrest.Mount(h, ledgerrest.Options{ //nolint:contextcheck // as above
		Genesis: g, Copy: c, Now: time.Now, Waiting: node.Waiting, LastVote: func(validator int) tracing.LastVote {
			v := node.LastVote(validator)
			return tracing.LastVote{Height: v.Height, Round: v.Round, At: v.At, Evidence: v.Evidence}
		},
	})
	answers := epcisrest.Mount(h, epcisrest.Options{Genesis: g, Copy: c, Now: time.Now, Callers: callers.Caller}) //nolint:contextcheck // as above
	options := subscription.Options{Config: cfg.Standing, Dir: filepath.Join(cfg.Data, "standing"), Development: g.Development, Log: env.Log, Registry: env.Metrics}
	queries, err := subscription.Open(options.Over(answers)) //nolint:contextcheck // as above
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, queries.Close()) }()
	subscription.Mount(h, subscription.CallerOf(callers.Caller), queries) //nolint:contextcheck // as above
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
	if err := webapp.Mount(h, webapp.Setting{Service: "api", Network: g.Name, Development: g.Development, Party: cfg.Party, PartyName: guard.Identity().PartyName}); err != nil {
		return err
	}
	ln, err := httpapi.Listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	group := service.NewGroup(ctx)
	group.Go("follower", node.Run)
	group.Go("standing queries", queries.Run)
	if recalls != nil {
		group.Go("outbox", recalls.Run)
	}
	group.Go("http", func(ctx context.Context) error { return httpapi.Serve(ctx, ln, h.Engine) })
	return group.Wait()
}
