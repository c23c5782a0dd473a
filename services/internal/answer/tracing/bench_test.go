package tracing_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/chain/chaintest"
)

const (
	benchUnits = 201_600 // 48 to a case, 50 cases to a pallet, 84 pallets in one load
	perCase    = 48
	perPallet  = 50
	benchSite  = "urn:epc:id:sgln:0614141.00001.0"
	benchGTIN  = "10614141073464"
)

// warehouse is an api's copy: everything made, packed three levels deep and then moved through 16 more steps.
type warehouse struct {
	tb      testing.TB
	dir     string
	chain   *chain.Chain
	waiting [][]byte
	count   uint64
	when    time.Time
}

// benchUnit has serials in no order, as the law's spirit and the trade's habit want them.
func benchUnit(i int) string {
	return fmt.Sprintf("urn:epc:id:sgtin:0614141.107346.%012d", uint64(i+1)*618_033_988_749%1_000_000_000_000)
}

func benchBox(i int) string { return fmt.Sprintf("urn:epc:id:sscc:0614141.%010d", i) }

func newWarehouse(tb testing.TB, dir string) *warehouse {
	tb.Helper()
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g := chaintest.Genesis(tb, 1, created)
	c, err := chain.Open(dir, g, chain.Options{Project: index.Project})
	if err != nil {
		tb.Fatal(err)
	}
	w := &warehouse{tb: tb, dir: dir, chain: c, when: created, waiting: [][]byte{chaintest.Epoch(tb, g)}}
	var units, cases, pallets []string
	for i := range benchUnits {
		units = append(units, benchUnit(i))
		if len(units) < perCase {
			continue
		}
		w.event(epcis.Commission(w.at(), units, "A", "2035-12-31"))
		w.event(epcis.Pack(w.at(), benchBox(i/perCase), units))
		units, cases = nil, append(cases, benchBox(i/perCase))
		if len(cases) == perPallet {
			pallet := benchBox(1_000_000 + len(pallets))
			w.event(epcis.Pack(w.at(), pallet, cases))
			cases, pallets = nil, append(pallets, pallet)
		}
	}
	w.event(epcis.Pack(w.at(), benchBox(2_000_000), pallets))
	for range 16 {
		w.event(epcis.Hold(w.at(), []string{benchBox(2_000_000)}, ""))
	}
	w.block()
	return w
}

func (w *warehouse) at() epcis.At {
	w.when = w.when.Add(time.Millisecond)
	return epcis.At{Time: w.when.Format("2006-01-02T15:04:05.000Z"), Offset: "+00:00", ReadPoint: benchSite, BizLocation: benchSite}
}

// event signs one event as acme's next submission; blocks close at 300 of them.
func (w *warehouse) event(e epcis.Event) {
	w.tb.Helper()
	w.count++
	g := w.chain.Genesis()
	id := sha256.Sum256(fmt.Appendf(nil, "submission %d", w.count))
	h := submission.Header{Epoch: g.Epoch, Party: "acme", Counter: w.count, CreatedAt: g.CreatedAt, OnError: submission.Rollback}
	copy(h.ID[:], id[:])
	h.ID[6], h.ID[8] = 0x70|h.ID[6]&0x0f, 0x80|h.ID[8]&0x3f
	item := wire.Item{Kind: wire.KindEvent, Message: &e, Salt: sha256.Sum256(id[:])}
	raw, err := submission.Sign(g.Network, h, []wire.Item{item}, acmeKey())
	if err != nil {
		w.tb.Fatal(err)
	}
	if w.waiting = append(w.waiting, raw); len(w.waiting) == 300 {
		w.block()
	}
}

var acmeKey = sync.OnceValue(func() ed25519.PrivateKey { return chaintest.Key("acme/event") })

func (w *warehouse) block() {
	w.tb.Helper()
	res, cert := chaintest.Block(w.tb, w.chain.Genesis(), w.chain.Live(), w.waiting...)
	for _, e := range res.Entries {
		for _, j := range e.Items {
			if j.Code != "" {
				w.tb.Fatal(j.Code, j.Detail)
			}
		}
	}
	if err := w.chain.Commit(w.tb.Context(), res, cert); err != nil {
		w.tb.Fatal(err)
	}
	w.waiting = nil
}

// ask runs fn over a snapshot, as for one request.
func (w *warehouse) ask(fn func(*tracing.Snapshot) error) {
	view, done, err := w.chain.Snapshot()
	if err != nil {
		w.tb.Fatal(err)
	}
	defer done()
	if err := fn(&tracing.Snapshot{Genesis: w.chain.Genesis(), View: view, Log: w.chain, Now: w.when}); err != nil {
		w.tb.Fatal(err)
	}
}

func keyOf(tb testing.TB, id string) gs1.Key {
	tb.Helper()
	epc, err := gs1.ParseEPC(id)
	if err != nil {
		tb.Fatal(err)
	}
	return epc.Key()
}

// BenchmarkQuery asks a copy that holds 201,600 units of one lot, each with 20 steps through three levels of containers.
func BenchmarkQuery(b *testing.B) {
	w := newWarehouse(b, b.TempDir())
	defer w.chain.Close()
	hot := keyOf(b, benchUnit(77_777))
	random := func() gs1.Key { return keyOf(b, benchUnit(rand.IntN(benchUnits))) }
	for name, next := range map[string]func() gs1.Key{"hot": func() gs1.Key { return hot }, "random": random} {
		b.Run("trace/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.ask(func(s *tracing.Snapshot) error {
					t, err := s.Trace(next())
					if err == nil && len(t.Steps) != 20 {
						err = fmt.Errorf("%d steps", len(t.Steps))
					}
					return err
				})
			}
		})
		b.Run("check/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.ask(func(s *tracing.Snapshot) error {
					if c := s.Check(next(), tracing.Printed{}); !c.Verified {
						return fmt.Errorf("%+v", c)
					}
					return nil
				})
			}
		})
	}
	gtin, err := gs1.ParseGTIN(benchGTIN)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("lot/totals", func(b *testing.B) {
		for b.Loop() {
			w.ask(func(s *tracing.Snapshot) error {
				l, err := s.Lot(gtin, "A")
				if err == nil && l.Commissioned != benchUnits {
					err = fmt.Errorf("%+v", l)
				}
				return err
			})
		}
	})
	b.Run("lot/units", func(b *testing.B) {
		h := httpapi.New(httpapi.Options{})
		ledgerrest.Mount(h, ledgerrest.Options{Genesis: w.chain.Genesis(), Copy: w.chain, Now: func() time.Time { return w.when }})
		for b.Loop() {
			rec := &counter{header: http.Header{}}
			h.Engine.ServeHTTP(rec, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/lots/"+benchGTIN+"/A/units", http.NoBody))
			if rec.lines != benchUnits {
				b.Fatal(rec.lines)
			}
		}
		b.ReportMetric(float64(b.N)*benchUnits/b.Elapsed().Seconds(), "units/s")
	})
}

// counter is a client that counts lines.
type counter struct {
	header http.Header
	lines  int
}

func (c *counter) Header() http.Header { return c.header }
func (c *counter) WriteHeader(int)     {}
func (c *counter) Write(p []byte) (int, error) {
	c.lines += strings.Count(string(p), "\n")
	return len(p), nil
}

// BenchmarkDisk is what a serving node keeps per unit after each was made and packed in a batch, after an orderly stop.
func BenchmarkDisk(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		w := newWarehouse(b, dir)
		if err := w.chain.Close(); err != nil {
			b.Fatal(err)
		}
		for _, part := range []string{"blocks", "state", "writes"} {
			var size int64
			err := filepath.WalkDir(filepath.Join(dir, part), func(_ string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				info, err := d.Info()
				size += info.Size()
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(size)/benchUnits, part+"-B/unit")
		}
	}
}
