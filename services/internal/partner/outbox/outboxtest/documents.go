package outboxtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

// Documents of the maker, as EPCIS 1.2.

// Event is one ObjectEvent of the maker's.
func Event(time, step, action, extra string, epcs ...string) string {
	return EventAt(time, step, action, "urn:epc:id:sgln:0399990.00001.0", extra, epcs...)
}

// EventAt is one of somebody else's, at their place.
func EventAt(time, step, action, place, extra string, epcs ...string) string {
	var b strings.Builder
	for _, e := range epcs {
		b.WriteString("<epc>" + e + "</epc>")
	}
	list := b.String()
	return "<ObjectEvent><eventTime>" + time + "</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList>" + list + "</epcList><action>" + action +
		"</action><bizStep>urn:epcglobal:cbv:bizstep:" + step + "</bizStep><readPoint><id>" + place + "</id></readPoint><bizLocation><id>" + place + "</id></bizLocation>" + extra + "</ObjectEvent>\n"
}

// masterData registers the product and the lot that the documents commission.
func masterData(tb testing.TB, st state.Store) {
	tb.Helper()
	const gtin = "00399990100013"
	if err := errors.Join(
		registry.ApplyProduct(st, &registry.Product{GTIN: gtin, NDC: "99990-100-01", Name: "Examplin", Manufacturer: "maker"}),
		registry.ApplyLot(st, &registry.Lot{GTIN: gtin, Lot: "L1", Expiry: "2028-01-31"}),
	); err != nil {
		tb.Fatal(err)
	}
}

// ILMD is what belongs to a commissioning.
const ILMD = `<extension><ilmd><cbvmda:lotNumber xmlns:cbvmda="urn:epcglobal:cbv:mda">L1</cbvmda:lotNumber><cbvmda:itemExpirationDate xmlns:cbvmda="urn:epcglobal:cbv:mda">2028-01-31</cbvmda:itemExpirationDate></ilmd></extension>`

// Document is one of events.
func Document(events ...string) string {
	return `<?xml version="1.0"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T00:00:00Z"><EPCISBody><EventList>
` + strings.Join(events, "") + `</EventList></EPCISBody></epcis:EPCISDocument>`
}

// SGTINs are units of the maker.
func SGTINs(n int, from string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.%s%d", from, i)
	}
	return list
}

// EventTime is when they happened.
const EventTime = "2026-11-20T06:00:00-05:00"

// ManyEvents is a document of n events of one unit each.
func ManyEvents(n int, serial string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = Event(EventTime, "commissioning", "ADD", ILMD, fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.%s%d", serial, i))
	}
	return Document(list...)
}
