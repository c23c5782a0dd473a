package index_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// BenchmarkApply is what a serving node does with each block: execute, project, store. One event per submission, as from
// packing lines, or documents of events with 48 units.
func BenchmarkApply(b *testing.B) {
	for _, shape := range []struct {
		name          string
		events, units int
	}{{"single", 500, 1}, {"cases", 100, 48}} {
		b.Run(shape.name, func(b *testing.B) {
			g := chaintest.Genesis(b, 1, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
			c, err := chain.Open(b.TempDir(), g, chain.Options{Project: index.Project, ProjectVersion: index.Version})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			n, written := 0, 0
			var blocks, projects []time.Duration // of processors, and the median: the machine may be busy
			for b.Loop() {
				b.StopTimer()
				var payloads [][]byte
				if n == 0 {
					payloads = append(payloads, chaintest.Epoch(b, g))
				}
				for range shape.events {
					payloads = append(payloads, benchEvent(b, c, n, shape.units))
					n++
				}
				head, _ := consensus.ReadHead(c.Live())
				messages := make([]consensus.Message, len(payloads))
				for i, p := range payloads {
					messages[i] = consensus.Message{Seq: head.Header.LastSeq + 1 + uint64(i), Payload: p}
				}
				var cert quorum.Certificate
				var took time.Duration
				b.StartTimer()
				start := cpu()
				c.Prepare(messages)
				res, err := consensus.Execute(g, c.Live(), messages)
				if err != nil {
					b.Fatal(err)
				}
				took += cpu() - start
				b.StopTimer()
				cert = chaintest.Certify(b, g, c.Live(), res)
				start = cpu()
				own, err := index.Project(res, c.Live())
				projects = append(projects, cpu()-start)
				if err != nil {
					b.Fatal(err)
				}
				for i := range own {
					written += len(own[i].Key) + len(own[i].Value)
				}
				b.StartTimer()
				start = cpu()
				if err := c.Commit(b.Context(), res, cert); err != nil {
					b.Fatal(err)
				}
				blocks = append(blocks, took+cpu()-start)
			}
			median := func(list []time.Duration) float64 {
				slices.Sort(list)
				return float64(list[len(list)/2].Microseconds()) / float64(shape.events)
			}
			b.ReportMetric(median(blocks), "cpu-µs/event")
			b.ReportMetric(median(projects), "project-µs/event")
			b.ReportMetric(float64(written)/float64(n), "index-B/event")
		})
	}
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchEvent(tb testing.TB, c *chain.Chain, n, units int) []byte {
	tb.Helper()
	g := c.Genesis()
	when := epcis.At{
		Time: time.UnixMilli(g.CreatedAt + int64(n)).UTC().Format("2006-01-02T15:04:05.000Z"), Offset: "+00:00",
		ReadPoint: fmt.Sprintf("urn:epc:id:sgln:0614141.00001.%d", n%20), BizLocation: "urn:epc:id:sgln:0614141.00001.0",
	}
	epcs := make([]string, units)
	for i := range epcs {
		epcs[i] = fmt.Sprintf("urn:epc:id:sgtin:0614141.107346.%012d", uint64(n*units+i+1)*618_033_988_749%1_000_000_000_000)
	}
	e := epcis.Commission(when, epcs, fmt.Sprintf("L%d", n/5000), "2035-12-31")
	id := sha256.Sum256(fmt.Appendf(nil, "submission %d", n))
	e.EventID = fmt.Sprintf("ni:///sha-256;%x?ver=CBV2.0", id)
	h := submission.Header{Epoch: g.Epoch, Party: "acme", Counter: uint64(n + 1), CreatedAt: g.CreatedAt, OnError: submission.Rollback}
	copy(h.ID[:], id[:])
	h.ID[6], h.ID[8] = 0x70|h.ID[6]&0x0f, 0x80|h.ID[8]&0x3f
	item := wire.Item{Kind: wire.KindEvent, Message: &e, Salt: sha256.Sum256(id[:])}
	raw, err := submission.Sign(g.Network, h, []wire.Item{item}, chaintest.Key("acme/event"))
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}
