package tracing_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// depot is a copy on disk with one lot: made, packed, half of it sold, some of that set aside, and recalled.
type depot struct {
	*market
	chain   *chain.Chain
	units   int
	waiting [][]byte
}

func newDepot(tb testing.TB, units int) *depot {
	tb.Helper()
	d := &depot{market: newMarket(tb), units: units}
	c, err := chain.Open(tb.TempDir(), d.g, chain.Options{Project: index.Project})
	if err != nil {
		tb.Fatal(err)
	}
	d.chain, d.waiting = c, [][]byte{chaintest.Epoch(tb, d.g)}
	const inCase = 50
	onPallet := min(50, units/inCase/8)
	var cases, pallets []string
	for i := 0; i < units; i += inCase {
		made := make([]string, inCase)
		for n := range made {
			made[n] = benchUnit(i + n)
		}
		d.event("acme", epcis.Commission(d.at("acme"), made, "A", "2035-12-31"))
		d.event("acme", epcis.Pack(d.at("acme"), benchBox(i/inCase), made))
		if cases = append(cases, benchBox(i/inCase)); len(cases) == onPallet || i+inCase == units {
			pallet := benchBox(1_000_000 + len(pallets))
			d.event("acme", epcis.Pack(d.at("acme"), pallet, cases))
			cases, pallets = nil, append(pallets, pallet)
		}
	}
	d.move("acme", "whole", pallets[:len(pallets)/2])
	d.move("whole", "care1", pallets[:len(pallets)/8])
	d.move("whole", "care2", pallets[len(pallets)/8:len(pallets)/4])
	d.event("care2", epcis.Hold(d.at("care2"), pallets[len(pallets)/8:len(pallets)/4], ""))
	d.event("whole", epcis.Hold(d.at("whole"), []string{benchBox((len(pallets)/2 - 1) * onPallet)}, ""))
	d.tell(d.say("acme", d.recall("")))
	d.block()
	return d
}

func (d *depot) recall(status string) *registry.Recall {
	return &registry.Recall{RecallNumber: "R-1", GTIN: benchGTIN, Lot: "A", Classification: "II", Depth: "consumer", Reason: "Label", InitiatedOn: "2026-01-01", Status: status}
}

func (d *depot) move(from, to string, what []string) {
	d.event(from, epcis.Ship(d.at(from), what, d.between(from, to)))
	d.event(to, epcis.Receive(d.at(to), what, d.between(from, to)))
}

func (d *depot) event(party string, e epcis.Event) {
	d.tb.Helper()
	d.tell(d.say(party, &e))
}

func (d *depot) tell(raw []byte) {
	d.tb.Helper()
	if d.waiting = append(d.waiting, raw); len(d.waiting) == 300 {
		d.block()
	}
}

func (d *depot) block() {
	d.tb.Helper()
	res, cert := chaintest.Block(d.tb, d.g, d.chain.Live(), d.waiting...)
	for _, e := range res.Entries {
		for _, j := range e.Items {
			if j.Code != "" {
				d.tb.Fatal(j.Code, j.Detail)
			}
		}
	}
	if err := d.chain.Commit(d.tb.Context(), res, cert); err != nil {
		d.tb.Fatal(err)
	}
	d.waiting = nil
}

func (d *depot) ask(fn func(*tracing.Snapshot) error) {
	view, done, err := d.chain.Snapshot()
	if err != nil {
		d.tb.Fatal(err)
	}
	defer done()
	if err := fn(&tracing.Snapshot{Genesis: d.g, View: view, Log: d.chain, Now: d.when}); err != nil {
		d.tb.Fatal(err)
	}
}

// samples times single calls, at least five and for at least a second. It reports the median and the least of the clock,
// and of the processor time of the thread: on a machine that is shared, a mean of the clock says more about the others.
func samples(b *testing.B, fn func()) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var clock, processor []time.Duration
	for b.Loop() {
		for begun := time.Now(); len(clock) < 5 || time.Since(begun) < time.Second; {
			start, used := time.Now(), threadTime()
			fn()
			processor = append(processor, threadTime()-used)
			clock = append(clock, time.Since(start))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(clock)), "samples")
	report := func(name string, list []time.Duration) {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Nanoseconds())/1e3, name+"-µs-median")
		b.ReportMetric(float64(list[0].Nanoseconds())/1e3, name+"-µs-least")
	}
	report("clock", clock)
	if slices.Max(clock) > 100*time.Millisecond { // the system counts it in steps of milliseconds
		report("processor", processor)
	}
}

// threadTime is the processor time that the calling thread has used.
func threadTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD of Linux
	var u syscall.Rusage
	if syscall.Getrusage(thread, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLot asks for one lot of 10^3 to 10^6 units, and judges its recall. Run it with -benchtime 1x: it counts itself.
func BenchmarkLot(b *testing.B) {
	for _, units := range []int{1_000, 10_000, 100_000, 1_000_000} {
		if units > 10_000 && testing.Short() {
			continue
		}
		b.Run(fmt.Sprintf("units=%d", units), func(b *testing.B) {
			d := newDepot(b, units)
			defer d.chain.Close()
			d.benchmark(b)
		})
	}
}

func (d *depot) benchmark(b *testing.B) {
	b.Helper()
	gtin := gtinOf(b, benchGTIN)
	b.Run("totals", func(b *testing.B) {
		samples(b, func() {
			d.ask(func(s *tracing.Snapshot) error {
				l, err := s.Lot(gtin, "A")
				if err == nil && l.Commissioned != uint64(d.units) {
					err = fmt.Errorf("%+v", l)
				}
				return err
			})
		})
	})
	b.Run("recall", func(b *testing.B) {
		samples(b, func() {
			d.ask(func(s *tracing.Snapshot) error {
				r, err := s.Recall("R-1")
				if err == nil && (r.Effectiveness.Units != uint64(d.units) || r.Effectiveness.Outcomes.Quarantined == 0) {
					err = fmt.Errorf("%+v", r.Effectiveness)
				}
				return err
			})
		})
	})
	b.Run("lots", func(b *testing.B) {
		samples(b, func() {
			d.ask(func(s *tracing.Snapshot) error {
				l, err := s.Lots(tracing.LotsQuery{Page: tracing.Page{Limit: 50}})
				if err == nil && len(l.Lots) != 1 {
					err = fmt.Errorf("%+v", l)
				}
				return err
			})
		})
	})
	h := httpapi.New(httpapi.Options{})
	ledgerrest.Mount(h, ledgerrest.Options{Genesis: d.g, Copy: d.chain, Now: func() time.Time { return d.when }})
	for _, list := range []struct {
		name, query string
		lines       int
	}{{"units/first100", "?limit=100", 100}, {"units/all", "", d.units}} {
		if list.lines > 100_000 { // it grows with the lot, and smaller ones show how
			continue
		}
		b.Run(list.name, func(b *testing.B) {
			samples(b, func() {
				rec := &counter{header: http.Header{}}
				h.Engine.ServeHTTP(rec, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/lots/"+benchGTIN+"/A/units"+list.query, http.NoBody))
				if rec.lines != list.lines {
					b.Fatal(rec.lines)
				}
			})
		})
	}
	// A block of one submission that ends the recall: the recall's writes are the same.
	raw := d.say("acme", d.recall("ended"))
	head, _ := consensus.ReadHead(d.chain.Live())
	b.Run("judge", func(b *testing.B) {
		samples(b, func() {
			res, err := consensus.Execute(d.g, d.chain.Live(), []consensus.Message{{Seq: head.Header.LastSeq + 1, Payload: raw}})
			if err != nil {
				b.Fatal(err)
			}
			if j := res.Entries[0].Items[0]; j.Code != "" {
				b.Fatal(j.Code, j.Detail)
			}
		})
	})
}
