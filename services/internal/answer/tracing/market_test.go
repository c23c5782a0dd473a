package tracing_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/registry/registrytest"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// The traders of the market: chaintest's maker and regulator, a wholesaler and pharmacies.
var traders = []struct{ id, role, place string }{
	{"whole", "distributor", "urn:epc:id:sgln:0614142.00001.0"},
	{"care1", "dispenser", "urn:epc:id:sgln:0614143.00001.0"},
	{"care2", "dispenser", "urn:epc:id:sgln:0614144.00001.0"},
	{"care3", "dispenser", "urn:epc:id:sgln:0614145.00001.0"},
}

// market signs what its traders say.
type market struct {
	tb      testing.TB
	g       *genesis.Genesis
	when    time.Time
	counted map[string]uint64
	said    uint64
}

func newMarket(tb testing.TB) *market {
	tb.Helper()
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g := chaintest.Genesis(tb, 1, created)
	for i := range g.Parties {
		if p := &g.Parties[i]; p.Party == "board" {
			p.Keys = append(p.Keys, marketKey(p.Party))
		}
	}
	for _, t := range traders {
		gln, _ := keyOf(tb, t.place).GLN()
		g.Parties = append(g.Parties, registry.Act{
			Party: t.id, Name: "The " + t.id, Roles: []string{t.role}, Keys: []registry.Key{marketKey(t.id)}, GLNs: []string{gln.String()},
			Licences: registrytest.Licences(t.id, t.role),
			Places:   []registry.Place{{ID: t.place, Name: t.id, City: "Newark", State: "NJ", Country: "US"}},
		})
	}
	file, err := genesis.Format(g)
	if err != nil {
		tb.Fatal(err)
	}
	if g, err = genesis.Parse(file); err != nil {
		tb.Fatal(err)
	}
	return &market{tb: tb, g: g, when: created, counted: map[string]uint64{}}
}

func marketKey(party string) registry.Key {
	return registry.Key{PublicKey: chaintest.Key(party + "/event").Public().(ed25519.PublicKey), Use: keys.Event}
}

func placeOf(party string) string {
	for _, t := range traders {
		if t.id == party {
			return t.place
		}
	}
	return benchSite
}

// at is now at a party's place; each time is later than the one before.
func (m *market) at(party string) epcis.At {
	m.when = m.when.Add(time.Millisecond)
	return epcis.At{Time: m.when.Format("2006-01-02T15:04:05.000Z"), Offset: "+00:00", ReadPoint: placeOf(party), BizLocation: placeOf(party)}
}

// between are the two sides of a shipment.
func (m *market) between(from, to string) epcis.Shipment {
	owner := func(party string) string {
		gln, _ := keyOf(m.tb, placeOf(party)).GLN()
		return "https://id.gs1.org/417/" + gln.String()
	}
	return epcis.Shipment{
		SourceOwner: owner(from), SourceLocation: placeOf(from), DestinationOwner: owner(to), DestinationLocation: placeOf(to),
	}
}

// say signs an event, recall or resolution as the party's next submission.
func (m *market) say(party string, message any) []byte {
	m.tb.Helper()
	m.said++
	m.counted[party]++
	id := sha256.Sum256(fmt.Appendf(nil, "market %d", m.said))
	h := submission.Header{Epoch: m.g.Epoch, Party: party, Counter: m.counted[party], CreatedAt: m.g.CreatedAt, OnError: submission.Rollback}
	copy(h.ID[:], id[:])
	h.ID[6], h.ID[8] = 0x70|h.ID[6]&0x0f, 0x80|h.ID[8]&0x3f
	item := wire.Item{Kind: wire.KindEvent, Message: message, Salt: sha256.Sum256(id[:])}
	switch message.(type) {
	case *registry.Recall:
		item.Kind = wire.KindRecall
	case *registry.Resolution:
		item.Kind = wire.KindResolution
	}
	raw, err := submission.Sign(m.g.Network, h, []wire.Item{item}, chaintest.Key(party+"/event"))
	if err != nil {
		m.tb.Fatal(err)
	}
	return raw
}

func gtinOf(tb testing.TB, text string) gs1.GTIN {
	tb.Helper()
	g, err := gs1.ParseGTIN(text)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}
