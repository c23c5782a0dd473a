// Package chaintest makes small ledgers for tests: a genesis file, signed messages, and certified blocks of them.
//
// Trust: all keys follow from their names. Never use one outside a test.
package chaintest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/registry/registrytest"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

// Key is the test key of a name such as "v1/vote", "v1/cosign" or "acme/event".
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(name string) ed25519.PublicKey { return Key(name).Public().(ed25519.PublicKey) }

const site = "urn:epc:id:sgln:0614141.00001.0"

// Genesis has validators v1, v2, … and the manufacturer acme. It begins at the given time.
func Genesis(tb testing.TB, validators int, created time.Time) *genesis.Genesis {
	tb.Helper()
	g := &genesis.Genesis{
		Name: "test", Development: true, CreatedAt: created.UnixMilli() / 1000 * 1000, Epoch: 1, RulesVersion: 1, StateKind: 1,
		VerdictKey: sha256.Sum256([]byte("verilot test verdict key")), GraceSeconds: 86400,
		Authorities: []genesis.Authority{{Party: "board", Key: public("board/authority")}},
	}
	for i := range validators {
		v := fmt.Sprintf("v%d", i+1)
		g.Validators.Validators = append(g.Validators.Validators, quorum.Validator{
			Name: v + ".test.example", Party: v, VoteKey: public(v + "/vote"), CosignKey: public(v + "/cosign"),
		})
		g.Parties = append(g.Parties, registry.Act{Party: v, Name: "Validator " + v, Roles: []string{"validator"}})
	}
	g.Parties = append(
		g.Parties,
		registry.Act{Party: "board", Name: "Board", Roles: []string{"authority", "regulator"}},
		registry.Act{
			Party: "acme", Name: "Acme", Roles: []string{"manufacturer"},
			Keys:     []registry.Key{{PublicKey: public("acme/event"), Use: keys.Event}},
			GLNs:     []string{"0614141000012"},
			Prefixes: []string{"0614141"},
			Licences: registrytest.Licences("acme", "manufacturer"),
			Places:   []registry.Place{{ID: site, Name: "Acme", City: "Newark", State: "NJ", Country: "US"}},
		},
	)
	file, err := genesis.Format(g)
	if err != nil {
		tb.Fatal(err)
	}
	if g, err = genesis.Parse(file); err != nil {
		tb.Fatal(err)
	}
	return g
}

// Commission is acme's submission number counter: one event that commissions units serials beginning with first.
func Commission(tb testing.TB, g *genesis.Genesis, counter uint64, first, units int) []byte {
	tb.Helper()
	epcs := make([]string, units)
	for i := range epcs {
		epcs[i] = fmt.Sprintf("urn:epc:id:sgtin:0614141.107346.%d", first+i)
	}
	when := epcis.At{
		Time: time.UnixMilli(g.CreatedAt).UTC().Format("2006-01-02T15:04:05.000Z"), Offset: "+00:00", ReadPoint: site, BizLocation: site,
	}
	e := epcis.Commission(when, epcs, "A", "2035-12-31")
	id := sha256.Sum256(fmt.Appendf(nil, "submission %d", counter))
	h := submission.Header{
		Epoch: g.Epoch, Party: "acme", Counter: counter, ID: enc16(id), CreatedAt: g.CreatedAt, OnError: submission.Rollback,
	}
	item := wire.Item{Kind: wire.KindEvent, Message: &e, Salt: sha256.Sum256(fmt.Appendf(nil, "salt %d", counter))}
	b, err := submission.Sign(g.Network, h, []wire.Item{item}, Key("acme/event"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func enc16(h canonical.Hash) (id [16]byte) {
	copy(id[:], h[:])
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f // a UUIDv7
	return id
}

// Epoch is the record that opens the stream.
func Epoch(tb testing.TB, g *genesis.Genesis) []byte {
	tb.Helper()
	b, err := block.SignEpoch(g.Network, block.Epoch{Epoch: g.Epoch, Genesis: g.Hash}, Key("v1/vote"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Certify makes the certificate of an executed block over the state before it.
func Certify(tb testing.TB, g *genesis.Genesis, view state.View, res *consensus.Result) quorum.Certificate {
	tb.Helper()
	after := state.NewOverlay(view)
	for _, w := range res.Writes {
		if w.Value == nil {
			after.Delete(w.Key)
		} else {
			after.Put(w.Key, w.Value)
		}
	}
	size := res.Header.Height + 1
	root, _, err := consensus.LogRoot(after, size, nil)
	if err != nil {
		tb.Fatal(err)
	}
	c := quorum.Checkpoint{Origin: g.Origin(), Size: size, Root: root}
	var cert quorum.Certificate
	for i := range g.Validators.Quorum() {
		cs := quorum.Cosignature{Validator: uint16(i), Time: uint64(res.Header.Time / 1000)}
		if cs.Signature, err = quorum.Cosign(c, cs.Time, Key(fmt.Sprintf("v%d/cosign", i+1))); err != nil {
			tb.Fatal(err)
		}
		cert = append(cert, cs)
	}
	if err := g.Validators.Check(c, cert); err != nil {
		tb.Fatal(err)
	}
	return cert
}

// Block executes messages over view as the block after its head and certifies it.
func Block(tb testing.TB, g *genesis.Genesis, view state.View, payloads ...[]byte) (*consensus.Result, quorum.Certificate) {
	tb.Helper()
	head, ok := consensus.ReadHead(view)
	if !ok {
		tb.Fatal("the view holds no block")
	}
	messages := make([]consensus.Message, len(payloads))
	for i, p := range payloads {
		messages[i] = consensus.Message{Seq: head.Header.LastSeq + 1 + uint64(i), Payload: p}
	}
	res, err := consensus.Execute(g, view, messages)
	if err != nil {
		tb.Fatal(err)
	}
	return res, Certify(tb, g, view, res)
}
