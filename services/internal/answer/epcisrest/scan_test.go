package epcisrest

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/state"
)

func (w *world) service() *Service {
	if w.s == nil {
		w.s = New(Options{Genesis: w.chain.Genesis(), Copy: w.chain, Now: nil})
	}
	return w.s
}

func query(tb testing.TB, text string) *epcisquery.Query {
	tb.Helper()
	v, err := url.ParseQuery(text)
	if err != nil {
		tb.Fatal(err)
	}
	q, err := epcisquery.ParseValues(v, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return q
}

// pages reads a whole answer, page by page; between is called after each page.
func (w *world) pages(caller Caller, text string, limit int, between func()) []Item {
	w.tb.Helper()
	r := &request{caller: caller, q: query(w.tb, text), limit: limit}
	var all []Item
	for range 500 {
		var out *page
		err := w.service().read(w.tb.Context(), func(v state.View) (err error) {
			if r.after == nil {
				r.to, _ = headOf(v)
			}
			out, err = w.s.page(w.tb.Context(), v, r)
			return err
		})
		if err != nil {
			w.tb.Fatalf("%s: %v", text, err)
		}
		if len(out.items) > limit {
			w.tb.Fatalf("%s: a page of %d, at most %d were asked for", text, len(out.items), limit)
		}
		all = append(all, out.items...)
		if out.next == nil {
			return all
		}
		r.after, r.given = out.next, r.given+len(out.items)
		if between != nil {
			between()
		}
	}
	w.tb.Fatalf("%s: the pages do not end", text)
	return nil
}

func names(items []Item) []string {
	var out []string
	for _, it := range items {
		out = append(out, it.Event.EventID)
	}
	return out
}

// event with an id, so that tests can tell them apart.
func (w *world) told(party, id string, e epcis.Event) {
	e.EventID = "urn:x:" + id
	w.event(party, e)
}

// A reader that follows the pages sees every event that was there when it began, once and in order, whatever is captured meanwhile.
func TestPagesWhileCapturing(t *testing.T) {
	w := newWorld(t)
	n := 0
	more := func() {
		for range 3 {
			n++
			at := w.at("acme")
			if n%2 == 0 { // late events sort among the earlier ones
				at.Time = fmt.Sprintf("2025-12-01T00:00:%02d.000Z", n%60)
			}
			w.told("acme", fmt.Sprintf("e%03d", n), epcis.Commission(at, []string{unit(n)}, "A", "2035-12-31"))
		}
		w.block()
	}
	for range 15 {
		more()
	}
	all := w.pages(Caller{All: true}, "", 1000, nil)
	if len(all) != 45 {
		t.Fatalf("%d events", len(all))
	}
	for _, text := range []string{
		"", "orderBy=recordTime&orderDirection=ASC", "orderBy=recordTime", "orderBy=eventTime", "orderBy=eventTime&orderDirection=ASC", "EQ_bizStep=commissioning&orderBy=eventTime",
		"EQ_bizStep=commissioning|shipping", "eventType=ObjectEvent|AggregationEvent&orderBy=recordTime&orderDirection=ASC", "MATCH_epc=urn:epc:idpat:sgtin:0614141.107346.*",
	} {
		for _, size := range []int{1, 7, 1000} {
			before, pages := n, 0
			got := names(w.pages(Caller{All: true}, text, size, func() {
				if pages++; pages <= 3 {
					more()
				}
			}))
			if len(got) != before {
				t.Errorf("%q in pages of %d: %d events, want %d", text, size, len(got), before)
			}
			seen := map[string]bool{}
			for _, id := range got {
				if seen[id] {
					t.Errorf("%q in pages of %d: %s twice", text, size, id)
				}
				seen[id] = true
			}
		}
	}
}

// Every plan leads to the same answer: what a look at every event finds.
func TestPlansAgree(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		e := epcis.Commission(w.at("acme"), []string{unit(i)}, fmt.Sprintf("L%d", i%3), "2035-12-31")
		w.told("acme", fmt.Sprintf("c%02d", i), e)
		if i%5 == 4 {
			w.told("acme", fmt.Sprintf("p%02d", i), epcis.Pack(w.at("acme"), box(i), []string{unit(i), unit(i - 1)}))
		}
		if i%7 == 6 {
			w.block()
		}
	}
	w.block()
	all := w.pages(Caller{All: true}, "orderBy=recordTime&orderDirection=ASC", 1000, nil)
	if len(all) != 72 {
		t.Fatalf("%d events", len(all))
	}
	for _, text := range []string{
		"EQ_bizStep=packing", "EQ_bizStep=packing|commissioning&eventType=AggregationEvent", "EQ_disposition=active&EQ_ILMD_cbvmda:lotNumber=L1", "MATCH_anyEPC=" + unit(8),
		"MATCH_epc=" + unit(9), "MATCH_parentID=" + box(9), "GE_eventTime=2026-01-01T00:00:20Z&LT_eventTime=2026-01-01T00:00:40Z", "EQ_readPoint=" + site("acme"),
		"EQ_readPoint=" + site("corner"), "EQ_eventID=urn:x:c07|urn:x:p09", "EQ_action=ADD&EQ_bizStep=packing", "MATCH_anyEPC=" + unit(8) + "|" + unit(20) + "|" + unit(44),
	} {
		q := query(t, text)
		var want []string
		for _, it := range all {
			if q.Match(&epcisquery.Record{Event: it.Event, RecordTime: it.RecordTime}, nil) {
				want = append(want, it.Event.EventID)
			}
		}
		if text != "EQ_readPoint="+site("corner") && len(want) == 0 {
			t.Errorf("%s: nothing matches", text)
		}
		for _, order := range []string{"", "&orderBy=recordTime&orderDirection=ASC", "&orderBy=eventTime", "&orderBy=eventTime&orderDirection=ASC"} {
			for _, size := range []int{1, 3, 1000} {
				got := names(w.pages(Caller{All: true}, text+order, size, nil))
				switch order {
				case "", "&orderBy=eventTime":
					slices.Reverse(got) // times follow the ledger here
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s%s in pages of %d: %v, want %v", text, order, size, got, want)
				}
			}
		}
	}
	if got := names(w.pages(Caller{All: true}, "orderBy=eventTime&eventCountLimit=5", 2, nil)); !slices.Equal(got, []string{"urn:x:p59", "urn:x:c59", "urn:x:c58", "urn:x:c57", "urn:x:c56"}) {
		t.Errorf("eventCountLimit: %v", got)
	}
}
