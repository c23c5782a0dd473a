package epcisrest

import (
	"fmt"
	"net/http"
	"testing"

	"verilot.dev/epcis"
)

// BenchmarkEvents asks a copy with 40,000 events, one unit each, in blocks of 500.
func BenchmarkEvents(b *testing.B) {
	w := newWorld(b).mount()
	const events = 40_000
	for i := range events {
		e := epcis.Commission(w.at("acme"), []string{unit(i)}, fmt.Sprintf("L%d", i/1000), "2035-12-31")
		if i%100 == 99 {
			e = epcis.Hold(w.at("acme"), []string{unit(i - 1)}, "")
		}
		w.told("acme", fmt.Sprint(i), e)
		if i%500 == 499 {
			w.block()
		}
	}
	for _, bm := range []struct {
		name, path string
		caller     Caller
	}{
		{"newest", "/events", Caller{All: true}},
		{"newest of a party", "/events", Caller{Party: "acme"}},
		{"nothing to see", "/events", Caller{Party: "faraway"}},
		{"by id", "/events/urn%3Ax%3A20000", Caller{All: true}},
		{"by unit", "/events?MATCH_anyEPC=" + unit(777), Caller{All: true}},
		{"common step by event time", "/events?EQ_bizStep=commissioning&orderBy=eventTime&orderDirection=ASC", Caller{All: true}},
		{"rare step by event time", "/events?EQ_bizStep=holding&orderBy=eventTime", Caller{All: true}},
		{"lot", "/events?EQ_ILMD_cbvmda:lotNumber=L7", Caller{All: true}},
		{"a lot and a step", "/events?EQ_ILMD_cbvmda:lotNumber=L7&EQ_bizStep=commissioning&orderBy=eventTime", Caller{All: true}},
		{"1000 to a page", "/events?perPage=1000", Caller{All: true}},
		{"no index", "/events?EXISTS_INNER_example:x=true&GE_eventTime=2020-01-01T00:00:00Z", Caller{All: true}},
		{"units", "/epcs?perPage=100", Caller{All: true}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			w.caller = bm.caller
			n := 0
			for b.Loop() {
				rec := w.ask("GET", bm.path, "GS1-Extensions: example=http://ns.example.com/")
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Code, rec.Body)
				}
				n += rec.Body.Len()
			}
			b.ReportMetric(float64(n)/float64(b.N), "B/page")
		})
	}
}
