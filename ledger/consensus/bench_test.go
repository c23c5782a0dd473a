package consensus_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/wire"
)

// seeded is a source of batch blinding that is good enough for a benchmark.
type seeded struct{ *rand.ChaCha8 }

// benchMessages is an epoch record and n commissioning submissions of one event with u units.
func benchMessages(b *testing.B, g *genesis.Genesis, n, u int) []consensus.Message {
	b.Helper()
	out := []consensus.Message{{Seq: 1, Payload: epochRecord(b, g)}}
	for i := range n {
		units := make([]string, u)
		for j := range units {
			units[j] = epcOf(fmt.Sprintf("%06d%05d", i, j))
		}
		out = append(out, consensus.Message{Seq: uint64(i) + 2, Payload: sign(b, g, message{
			party: "acme", counter: uint64(i) + 1,
			items: []wire.Item{event(epcis.Commission(at("acme", created+int64(i)), units, "A", "2028-12-31"))},
		})})
	}
	return out
}

func benchmark(b *testing.B, n, u int) {
	b.Helper()
	g := testGenesis(b, 1)
	st := zeroStore(b, g)
	if err := errors.Join(
		registry.ApplyProduct(st, &registry.Product{GTIN: gtinOf("acme"), Name: "Tablets"}),
		registry.ApplyLot(st, &registry.Lot{GTIN: gtinOf("acme"), Lot: "A", Expiry: "2028-12-31"}),
	); err != nil {
		b.Fatal(err)
	}
	messages := benchMessages(b, g, n, u)
	opener := consensus.Opener{Genesis: g, Known: registry.Registry{View: st}, Verifier: &keys.Verifier{}, Random: seeded{rand.NewChaCha8([32]byte{})}}
	payloads := make([][]byte, len(messages))
	for i := range messages {
		payloads[i] = messages[i].Payload
	}
	perUnit := func(b *testing.B) {
		b.Helper()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n*u), "ns/unit")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/submission")
	}
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			opener.Prepare(payloads...)
		}
		perUnit(b)
	})
	b.Run("execute", func(b *testing.B) {
		for i, p := range opener.Prepare(payloads...) {
			messages[i].Prepared = p
		}
		b.ReportAllocs()
		for b.Loop() {
			res, err := consensus.Execute(g, st, messages)
			if err != nil {
				b.Fatal(err)
			}
			if int(res.Header.Events) != n || len(res.Verdicts) < n {
				b.Fatal("not all judged")
			}
		}
		perUnit(b)
	})
}

func BenchmarkSingleEvents(b *testing.B) { benchmark(b, 1000, 1) }

func BenchmarkDocuments(b *testing.B) { benchmark(b, 300, 48) }
