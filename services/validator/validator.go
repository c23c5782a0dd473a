// Package validator is the service of one validator organisation: it orders nothing and trusts nobody, and signs the
// blocks that its own rules make of the broker's stream.
package validator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/keyring"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/replica"
	"verilot.dev/services/internal/service"
)

// Config of a validator. Zero values work but for Genesis.
type Config struct {
	service.Common `yaml:",inline"`
	// Genesis is the network's genesis file.
	Genesis string `yaml:"genesis"`
	// Data is the folder of this validator's copy and journal. Losing the journal alone means that it may vote twice:
	// keep the folder together. Default "data".
	Data string `yaml:"data"`
	// VoteKey and CosignKey are key files. Default vote.pem and cosign.pem in Data.
	VoteKey   string `yaml:"vote_key"`
	CosignKey string `yaml:"cosign_key"`
	// Broker is the broker to use. Without a URL it is a broker inside this process, for a lone developer.
	Broker service.Broker `yaml:"broker"`
	// Replicas is how many servers of a cluster keep a stream that this validator makes, and the fewest that it accepts. Default 1.
	Replicas int `yaml:"replicas"`
	// BrokerPort is where the broker inside this process listens on 127.0.0.1. 0: nowhere; -1: any free port.
	BrokerPort int `yaml:"broker_port"`
	// Server is an embedded broker that somebody else runs; it replaces Broker.
	Server bus.InProcess `yaml:"-"`
}

// Run validates until ctx ends or the validator halts.
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
	in := func(path, name string) string {
		if path != "" {
			return path
		}
		return filepath.Join(cfg.Data, name)
	}
	vote, err := keyring.Load(in(cfg.VoteKey, "vote.pem"), keys.Vote)
	if err != nil {
		return err
	}
	cosign, err := keyring.Load(in(cfg.CosignKey, "cosign.pem"), keys.Cosign)
	if err != nil {
		return err
	}
	if cfg.Broker.URL == "" && cfg.Server == nil {
		s, failed := bus.Embed(bus.EmbedOptions{Dir: filepath.Join(cfg.Data, "broker"), Port: cfg.BrokerPort, Log: env.Log})
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		cfg.Server = s
	}
	c, err := chain.Open(filepath.Join(cfg.Data, "chain"), g, chain.Options{Log: env.Log})
	if err != nil {
		return replica.Damaged(err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	b, err := bus.Dial(ctx, bus.Options{URL: cfg.Broker.URL, Creds: cfg.Broker.Creds, Server: cfg.Server, Name: env.Name, Replicas: cfg.Replicas, Log: env.Log})
	if err != nil {
		return err
	}
	defer b.Close()
	if err := streams(ctx, b, c); err != nil {
		return err
	}
	v, err := replica.NewValidator(replica.ValidatorConfig{
		Chain: c, Bus: b, Journal: filepath.Join(cfg.Data, "journal"), Vote: vote, Cosign: cosign, Log: env.Log, Metrics: env.Metrics,
	})
	if err != nil {
		return err
	}
	env.Ready("validator", v.Ready)
	group := service.NewGroup(ctx)
	group.Go("validator", v.Run)
	group.Go("http", func(ctx context.Context) error { return env.Serve(ctx, nil, nil) })
	return group.Wait()
}

// streams makes the streams of a new network. Whoever has a block knows that there was a stream, and must not make another.
func streams(ctx context.Context, b *bus.Bus, c *chain.Chain) error {
	var err error
	if c.Head().Header.Height > 0 {
		err = b.Check(ctx)
	}
	if err == nil {
		err = b.Ensure(ctx)
	}
	if gone := replica.Gone(err); gone != nil {
		return gone
	}
	return err
}
