package epcisrest

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/registry/registrytest"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// The parties of the tests: acme makes, midland deals, corner dispenses, and faraway has nothing to do with them.
var parties = []struct{ id, role, prefix, gln, site string }{
	{"acme", "manufacturer", "0614141", "0614141000012", "urn:epc:id:sgln:0614141.00001.0"},
	{"midland", "distributor", "0399993", "0399993000013", "urn:epc:id:sgln:0399993.00001.0"},
	{"corner", "dispenser", "0399995", "0399995000011", "urn:epc:id:sgln:0399995.00001.0"},
	{"faraway", "distributor", "0399997", "0399997000019", "urn:epc:id:sgln:0399997.00001.0"},
}

// world is an api's copy of a ledger that the test writes block by block.
type world struct {
	tb      testing.TB
	g       *genesis.Genesis
	chain   *chain.Chain
	s       *Service
	api     *httpapi.API
	caller  Caller
	waiting [][]byte
	counter map[string]uint64
	when    time.Time // of the next event
}

func testGenesis(tb testing.TB, created time.Time) *genesis.Genesis {
	tb.Helper()
	g := &genesis.Genesis{
		Name: "test", Development: true, CreatedAt: created.UnixMilli(), Epoch: 1, RulesVersion: 1, StateKind: 1,
		VerdictKey: sha256.Sum256([]byte("verilot test verdict key")), GraceSeconds: 86400,
		Authorities: []genesis.Authority{{Party: "board", Key: pub("board/authority")}},
		Parties: []registry.Act{
			{Party: "v1", Name: "Validator", Roles: []string{"validator"}},
			{Party: "board", Name: "Board", Roles: []string{"authority", "regulator"}},
		},
	}
	g.Validators.Validators = []quorum.Validator{{Name: "v1.test.example", Party: "v1", VoteKey: pub("v1/vote"), CosignKey: pub("v1/cosign")}}
	for _, p := range parties {
		g.Parties = append(g.Parties, registry.Act{
			Party: p.id, Name: p.id, Roles: []string{p.role}, Keys: []registry.Key{{PublicKey: pub(p.id + "/event"), Use: keys.Event}},
			GLNs: []string{p.gln}, Prefixes: []string{p.prefix},
			Licences: registrytest.Licences(p.id, p.role),
			Places:   []registry.Place{{ID: p.site, Name: p.id, City: "Newark", State: "NJ", Country: "US"}},
		})
	}
	file, err := genesis.Format(g)
	if err != nil {
		tb.Fatal(err)
	}
	if g, err = genesis.Parse(file); err != nil {
		tb.Fatal(err)
	}
	return g
}

func pub(name string) []byte { return chaintest.Key(name)[32:] }

func newWorld(tb testing.TB) *world {
	tb.Helper()
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g := testGenesis(tb, created)
	c, err := chain.Open(tb.TempDir(), g, chain.Options{Project: index.Project, ProjectVersion: index.Version})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	w := &world{tb: tb, g: g, chain: c, counter: map[string]uint64{}, when: created, caller: Caller{All: true}, waiting: [][]byte{chaintest.Epoch(tb, g)}}
	w.api = httpapi.New(httpapi.Options{})
	return w
}

func site(party string) string {
	for _, p := range parties {
		if p.id == party {
			return p.site
		}
	}
	return ""
}

// at is a moment later than all before, at a party's site.
func (w *world) at(party string) epcis.At {
	w.when = w.when.Add(time.Second)
	return epcis.At{Time: w.when.Format("2006-01-02T15:04:05.000Z"), Offset: "+00:00", ReadPoint: site(party), BizLocation: site(party)}
}

// submit signs items as a party's next submission. It is in the next block.
func (w *world) submit(party string, items ...wire.Item) {
	w.tb.Helper()
	w.counter[party]++
	id := sha256.Sum256(fmt.Appendf(nil, "submission %s %d", party, w.counter[party]))
	h := submission.Header{Epoch: w.g.Epoch, Party: party, Counter: w.counter[party], CreatedAt: w.g.CreatedAt, OnError: submission.Proceed}
	copy(h.ID[:], id[:])
	h.ID[6], h.ID[8] = 0x70|h.ID[6]&0x0f, 0x80|h.ID[8]&0x3f
	raw, err := submission.Sign(w.g.Network, h, items, chaintest.Key(party+"/event"))
	if err != nil {
		w.tb.Fatal(err)
	}
	w.waiting = append(w.waiting, raw)
}

var salts int

func item(e epcis.Event) wire.Item {
	salts++
	return wire.Item{Kind: wire.KindEvent, Message: &e, Salt: sha256.Sum256(fmt.Appendf(nil, "salt %d", salts))}
}

// event submits one event.
func (w *world) event(party string, e epcis.Event) {
	w.tb.Helper()
	w.submit(party, item(e))
}

// block closes a block; events that are rejected fail the test.
func (w *world) block() uint64 {
	w.tb.Helper()
	w.g = w.chain.Genesis()
	res, cert := chaintest.Block(w.tb, w.g, w.chain.Live(), w.waiting...)
	for i := range res.Entries {
		if res.Entries[i].Kind == block.NotOpened {
			w.tb.Fatal(res.Entries[i].Code, res.Entries[i].Detail)
		}
		for _, j := range res.Entries[i].Items {
			if j.Verdict != block.Accepted && j.Verdict != block.Flagged {
				w.tb.Fatal(j.Code, j.Detail)
			}
		}
	}
	if err := w.chain.Commit(w.tb.Context(), res, cert); err != nil {
		w.tb.Fatal(err)
	}
	w.waiting = nil
	return res.Header.Height
}

func unit(serial int) string { return fmt.Sprintf("urn:epc:id:sgtin:0614141.107346.%d", serial) }

func box(n int) string { return fmt.Sprintf("urn:epc:id:sscc:0614141.%010d", n) }

func shipment(from, to string) epcis.Shipment {
	return epcis.Shipment{SourceOwner: site(from), SourceLocation: site(from), DestinationOwner: site(to), DestinationLocation: site(to)}
}
