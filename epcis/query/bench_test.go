package query

import (
	"fmt"
	"testing"
	"time"

	"verilot.dev/epcis"
)

var benchQueries = []struct{ name, query string }{
	{"step", "EQ_bizStep=shipping"},
	{"step and time", "EQ_bizStep=shipping\nGE_eventTime=2026-01-01T00:00:00Z"},
	{"object", "MATCH_anyEPC=urn:epc:id:sgtin:0614141.107346.9999999"},
	{"class", "MATCH_anyEPC=https://id.gs1.org/01/00614141073467"},
	{"place", "EQ_bizLocation=https://id.gs1.org/414/0614141073474"},
	{"lot", "EQ_ILMD_cbvmda:lotNumber=B77"},
	{"extension", "GE_https://ns.acme.example/epcis#humidity=60"},
	{"sensor", "EQ_type=Temperature\nGE_value_CEL=30"},
	{"dashboard", "eventType=ObjectEvent|AggregationEvent\nEQ_action=ADD|OBSERVE\nGE_recordTime=2026-11-01T00:00:00Z\nGE_eventTime=2026-11-01T00:00:00Z\nEQ_disposition=active|in_progress|in_transit"},
}

// The cost of one event of the small world, most of which do not match.
func BenchmarkMatch(b *testing.B) {
	list := records()
	for _, x := range benchQueries {
		q, err := ParseValues(parameters(b, x.query), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				q.Match(list[i], nil)
				if i++; i == len(list) {
					i = 0
				}
			}
		})
	}
}

// The same of an event that names a thousand units, none of them asked for.
func BenchmarkMatchLarge(b *testing.B) {
	e := *world["commission"]
	e.EPCList = nil
	for i := range 1000 {
		e.EPCList = append(e.EPCList, fmt.Sprintf("urn:epc:id:sgtin:0614141.107346.%d", 1_000_000+i))
	}
	r := &Record{Event: &e, RecordTime: time.Unix(0, 0)}
	for _, x := range benchQueries[2:4] {
		q, err := ParseValues(parameters(b, x.query), nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(x.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if q.Match(r, nil) {
					b.Fatal("found")
				}
			}
		})
	}
	b.Run("terms", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			TermsOf(&e, func(TermKind, string) {})
		}
	})
}

func BenchmarkParseValues(b *testing.B) {
	v := parameters(b, benchQueries[len(benchQueries)-1].query)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseValues(v, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTermsOf(b *testing.B) {
	var events []*epcis.Event
	for _, name := range order {
		events = append(events, world[name])
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		TermsOf(events[i], func(TermKind, string) {})
		if i++; i == len(events) {
			i = 0
		}
	}
}
