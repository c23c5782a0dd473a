package api

import (
	"context"
	"encoding/hex"

	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/service"
)

// office is the engine that takes the recalls of this service's own party; nil if it has none.
func office(cfg *Config, c *chain.Chain, env *service.Env) (*capture.Engine, func() error, error) {
	if cfg.Party == "" {
		return nil, func() error { return nil }, nil
	}
	e, closeLine, err := capture.OpenService(capture.Regulator(), capture.ServiceConfig{
		Genesis: cfg.Genesis, Data: cfg.Data, Party: cfg.Party, Key: cfg.Key, Broker: cfg.Broker, Server: cfg.Server,
	}, c.Genesis(), own{c}, env)
	if err != nil {
		return nil, nil, err
	}
	return e, func() error {
		err := e.Close()
		closeLine()
		return err
	}, nil
}

// own tells an engine in this service what others ask it over HTTP.
type own struct{ chain *chain.Chain }

// Indexed implements capture.Peer.
func (o own) Indexed(context.Context) (uint64, error) { return o.chain.Head().Header.Height, nil }

// Parties implements capture.Peer.
func (o own) Parties(context.Context) ([]capture.KnownParty, error) {
	view, done, err := o.chain.Snapshot()
	if err != nil {
		return nil, err
	}
	defer done()
	var out []capture.KnownParty
	for _, p := range (registry.Registry{View: view}).Parties() {
		known := capture.KnownParty{ID: p.ID, Name: p.Name, Roles: p.Roles, GLNs: p.GLNs, Prefixes: p.Prefixes, Places: p.Places}
		for _, k := range p.Keys {
			known.KeyIDs = append(known.KeyIDs, hex.EncodeToString(k[:]))
		}
		out = append(out, known)
	}
	return out, nil
}
