package custody

import (
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// What package gs1 finds wrong with an identifier becomes the verdict.
func TestMalformedIdentifiers(t *testing.T) {
	w := newWorld(t)
	shipment := func(change func(*epcis.Event)) *wire.Item {
		it := w.item("M", "ships", strings.Fields("u1 to W"))
		change(it.Message.(*epcis.Event))
		return it
	}
	at := func(id string) *wire.Item {
		return shipment(func(ev *epcis.Event) { ev.BizLocation = &epcis.Place{ID: id} })
	}
	owner := func(verb, id string) *wire.Item {
		it := w.item("W", verb, []string{"u1"})
		it.Message.(*epcis.Event).DestinationList = []epcis.SourceDest{{Type: "owning_party", Value: id}}
		return it
	}
	class := shipment(func(*epcis.Event) {})
	class.Committed.Units = append(class.Committed.Units, named(commit.EPCList, "https://id.gs1.org/01/"+gtin('u'))...)
	recall := func(rc registry.Recall) *wire.Item { return &wire.Item{Kind: wire.KindRecall, Message: &rc} }
	closes := func(unit string) *wire.Item {
		return &wire.Item{Kind: wire.KindResolution, Message: &registry.Resolution{Code: "TWO_PLACES", Outcome: "cleared", Units: []string{unit}}}
	}
	for _, tt := range []struct {
		name string
		who  string
		it   *wire.Item
		want verdict.Code
	}{
		{"a place with a wrong check digit", "M", at("https://id.gs1.org/414/0399990000017"), verdict.FmtGLN},
		{"a package with a wrong check digit as place", "M", at("https://id.gs1.org/01/00399990012340/21/A"), verdict.FmtGTIN},
		{"a package with a long serial as place", "M", at("https://id.gs1.org/01/00399990012347/21/" + strings.Repeat("A", 21)), verdict.FmtSerial},
		{"a lot with a long number as place", "M", at("https://id.gs1.org/01/00399990012347/10/" + strings.Repeat("A", 21)), verdict.FmtLot},
		{"a container with a wrong check digit as place", "M", at("https://id.gs1.org/00/003999950000000010"), verdict.FmtSSCC},
		{"a place that is no identifier", "M", at("nowhere"), verdict.FmtEPC},
		{"a class among the things", "M", class, verdict.FmtEPC},
		{"a sender with a wrong check digit", "M", shipment(func(ev *epcis.Event) { ev.SourceList[0].Value = "https://id.gs1.org/417/0399990000017" }), verdict.FmtGLN},
		{"a destination with a wrong check digit", "M", shipment(func(ev *epcis.Event) { ev.DestinationList[0].Value = "https://id.gs1.org/417/0399990000017" }), verdict.FmtGLN},
		{"a receiver with a wrong check digit", "W", owner("receives", "https://id.gs1.org/417/0399990000017"), verdict.FmtGLN},
		{"a product with a wrong check digit", "M", &wire.Item{Kind: wire.KindProduct, Message: &registry.Product{GTIN: "00399990012340"}}, verdict.FmtGTIN},
		{"a lot of a product with a wrong check digit", "M", &wire.Item{Kind: wire.KindLot, Message: &registry.Lot{GTIN: "00399990012340"}}, verdict.FmtGTIN},
		{"a recall of a product with a wrong check digit", "M", recall(registry.Recall{RecallNumber: "1", GTIN: "00399990012340"}), verdict.FmtGTIN},
		{"a recall of a long serial", "M", recall(registry.Recall{RecallNumber: "1", Units: []string{"https://id.gs1.org/01/00399990012347/21/" + strings.Repeat("A", 21)}}), verdict.FmtSerial},
		{"a recall of no identifier", "G", recall(registry.Recall{RecallNumber: "1", Units: []string{"u1"}}), verdict.FmtEPC},
		{"a recall that begins soon", "G", recall(registry.Recall{RecallNumber: "1", GTIN: gtin('u'), InitiatedOn: "soon"}), verdict.FmtExpiry},
		{"a recall of a long lot", "G", recall(registry.Recall{RecallNumber: "1", GTIN: gtin('u'), Lot: strings.Repeat("A", 21)}), verdict.FmtLot},
		{"a recall without number", "G", recall(registry.Recall{GTIN: gtin('u')}), verdict.MissingField},
		{"a finding about no identifier", "G", closes("u1"), verdict.FmtEPC},
		{"a finding about a wrong check digit", "G", closes("https://id.gs1.org/01/00399990012340/21/A"), verdict.FmtGTIN},
		{"a finding about a long serial", "G", closes("https://id.gs1.org/01/00399990012347/21/" + strings.Repeat("A", 21)), verdict.FmtSerial},
		{"a finding about a long lot", "G", closes("https://id.gs1.org/01/00399990012347/10/" + strings.Repeat("A", 21)), verdict.FmtLot},
		{"a finding about a container with a wrong check digit", "G", closes("https://id.gs1.org/00/003999950000000010"), verdict.FmtSSCC},
		{"a finding about a place with a wrong check digit", "G", closes("https://id.gs1.org/414/0399990000017"), verdict.FmtGLN},
		{"a recall of nothing", "G", recall(registry.Recall{RecallNumber: "1"}), verdict.MissingField},
	} {
		over := state.NewOverlay(w.st)
		if j := Judge(over, w.context(tt.who), tt.it); j.Code != tt.want || len(over.WriteSet()) > 0 {
			t.Errorf("%s: %q (%s), want %s", tt.name, j.Code, j.Detail, tt.want)
		}
	}
}

// Days are compared as text, so there is none after the year 9999.
func TestDayOfFiveDigits(t *testing.T) {
	w := newWorld(t)
	for offset, want := range map[string]verdict.Code{"+14:00": verdict.MissingField, "+00:00": ""} {
		it := w.item("M", "transports", []string{"u1"})
		ev := it.Message.(*epcis.Event)
		ev.EventTime, ev.EventTimeZoneOffset = "9999-12-31T23:30:00Z", offset
		if j := w.judge("M", it); j.Code != want {
			t.Errorf("%s: %q %s, want %q", offset, j.Code, j.Detail, want)
		}
	}
}
