package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/tracing"
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

// Foresee implements partner.Peer. The chain is this service's own, so nobody is asked.
func (o own) Foresee(_ context.Context, party string, bodies iter.Seq[[]byte]) (int, []foresee.Judgement, error) {
	view, done, err := o.chain.Snapshot()
	if err != nil {
		return 0, nil, err
	}
	defer done()
	f, err := (&tracing.Snapshot{Genesis: o.chain.Genesis(), View: view, Log: o.chain, Now: time.Now()}).Foresee(party)
	if err != nil {
		return 0, nil, err
	}
	for raw := range bodies {
		items, err := wire.DecodeBody(raw)
		if err == nil {
			err = f.Next(items)
		}
		if err != nil {
			return 0, nil, fmt.Errorf("what the rules would say: %w", err)
		}
	}
	out := f.Foreseen()
	said := make([]foresee.Judgement, len(out.Items))
	for i, it := range out.Items {
		said[i] = foresee.Judgement{Item: it.Item, Verdict: it.Verdict, Code: it.Code, Detail: it.Detail}
		for _, f := range it.Findings {
			said[i].Findings = append(said[i].Findings, foresee.Finding(f))
		}
	}
	return out.Judged, said, nil
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
