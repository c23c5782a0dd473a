package api

import (
	"context"
	"encoding/hex"
	"errors"
	"iter"

	"verilot.dev/epcis"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/partner/command"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/service"
)

// office is the service that takes the recalls of this service's own party; nil if it has none.
func office(cfg *Config, c *chain.Chain, env *service.Env) (*partner.Service, error) {
	if cfg.Party == "" {
		return nil, nil
	}
	return partner.OpenService(partner.Regulator(), partner.ServiceConfig{
		Genesis: cfg.Genesis, Data: cfg.Data, Party: cfg.Party, Key: cfg.Key, Broker: cfg.Broker, Server: cfg.Server,
	}, c.Genesis(), own{c}, env)
}

// own tells a partner service in this one what others ask it over HTTP.
type own struct{ chain *chain.Chain }

// Indexed implements partner.Peer.
func (o own) Indexed(context.Context) (uint64, error) { return o.chain.Head().Header.Height, nil }

// Event implements partner.Peer. A regulator takes nothing back.
func (o own) Event(context.Context, string) (*epcis.Event, error) { return nil, command.ErrNoEvent }

// Foresee implements partner.Peer. A regulator ships and dispenses nothing, so nothing is asked.
func (o own) Foresee(context.Context, string, iter.Seq[[]byte]) (int, []foresee.Judgement, error) {
	return 0, nil, errors.New("an api service does not ask itself what the rules would say")
}

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
