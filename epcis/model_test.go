package epcis_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisxml"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/vocabulary"
)

const (
	unit      = `urn:epc:id:sgtin:030001.0012345.`
	container = `urn:epc:id:sscc:030001.41234567890`
)

func found(problems []epcis.Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, fmt.Sprintf("%s %s %s", p.Severity, p.Code, p.Path))
	}
	return list
}

func TestEventDay(t *testing.T) {
	for _, tt := range []struct{ time, offset, want string }{
		{"2027-01-01T04:30:00Z", "-05:00", "2026-12-31"},
		{"2026-12-31T23:30:00-05:00", "-05:00", "2026-12-31"},
		{"2026-12-31T23:30:00-05:00", "+01:00", "2027-01-01"}, // the offset counts, not the zone of the text
		{"2026-12-31T23:30:00", "-05:00", "2026-12-31"},
		{"2026-12-31T23:30:00-05:00", "", "2026-12-31"},
		{"2027-01-01T04:30:00Z", "", "2027-01-01"},
		{"2027-01-01T04:30:00Z", "Z", "2027-01-01"},
		{"2026-12-31T24:00:00Z", "+00:00", "2027-01-01"},
		{"1969-12-31T23:59:59.999Z", "+00:00", "1969-12-31"},
	} {
		got, err := epcis.EventDay(&epcis.Event{EventTime: tt.time, EventTimeZoneOffset: tt.offset})
		if err != nil || got != tt.want {
			t.Errorf("%s at %q: %q, %v; want %s", tt.time, tt.offset, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "2026-12-31", "2026-12-31T23:30:00"} {
		if got, err := epcis.EventDay(&epcis.Event{EventTime: bad}); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
}

func TestEventTimeMillis(t *testing.T) {
	for _, tt := range []struct {
		name, time, offset string
		want               int64
	}{
		{"UTC", "1970-01-01T00:00:01Z", "-05:00", 1000},
		{"the time's own zone counts, not the offset", "1970-01-01T01:00:00+01:00", "-05:00", 0},
		{"no zone: the offset", "1970-01-01T00:00:00", "-05:00", 5 * 3600 * 1000},
		{"digits behind the millisecond are cut", "1970-01-01T00:00:00.0019999999Z", "", 1},
		{"one digit", "1970-01-01T00:00:00.5Z", "", 500},
		{"before 1970 down too", "1969-12-31T23:59:59.9999Z", "", -1},
		{"midnight at the end of the day", "1969-12-31T24:00:00Z", "", 0},
		{"leap day", "2024-02-29T00:00:00Z", "", 1709164800000},
	} {
		got, err := epcis.EventTimeMillis(&epcis.Event{EventTime: tt.time, EventTimeZoneOffset: tt.offset})
		if err != nil || got != tt.want {
			t.Errorf("%s: %d, %v; want %d", tt.name, got, err, tt.want)
		}
	}
	for _, bad := range []string{
		"", "2026-11-20", "2026-11-20 00:00:00Z", "2026-11-20T00:00Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-11-20T24:00:01Z", "2026-11-20T24:00:00.001Z", "2026-11-20T25:00:00Z", "2026-11-20T00:60:00Z", "2026-11-20T00:00:60Z",
		"2026-11-20T00:00:00.Z", "2026-11-20T00:00:00z", "2026-11-20T00:00:00+0100", "2026-11-20T00:00:00+15:00", "2026-11-20T00:00:00ZZ",
		"0000-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "２026-11-20T00:00:00Z", "2026-11-20T00:00:00,5Z", "2026-11-20T00:00:00",
	} {
		if got, err := epcis.EventTimeMillis(&epcis.Event{EventTime: bad, EventTimeZoneOffset: ""}); err == nil {
			t.Errorf("%q was read as %d", bad, got)
		}
	}
}

// Package time agrees, where both read a text.
func TestTimesAgreeWithPackageTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms")).UTC()
		offset := rapid.IntRange(-14*60, 14*60).Draw(t, "offset")
		local := at.In(time.FixedZone("", offset*60))
		if y := local.Year(); y < 1 || y > 9999 {
			return
		}
		text := local.Format("2006-01-02T15:04:05.000-07:00")
		got, err := epcis.EventTimeMillis(&epcis.Event{EventTime: text})
		if err != nil || got != at.UnixMilli() {
			t.Fatalf("%s: %d, %v; want %d", text, got, err, at.UnixMilli())
		}
	})
}

// One vocabulary is read one way: see TestOneReading in package epcisdoc for all who read it.
func TestWord(t *testing.T) {
	for in, want := range map[string]string{
		"urn:epcglobal:cbv:bizstep:shipping":       "shipping",
		"https://ref.gs1.org/cbv/BizStep-shipping": "shipping",
		"http://ref.gs1.org/cbv/BizStep-shipping":  "shipping",
		"https://ns.gs1.org/cbv/BizStep-shipping":  "shipping",
		"cbv:BizStep-shipping":                     "shipping",
		"URN:EPCGLOBAL:CBV:BIZSTEP:Shipping":       "shipping",
		" shipping\n":                              "shipping",
		"Shipping":                                 "shipping",
		"Teleporting":                              "teleporting",
		"in transit":                               "in transit",
		"urn:acme:bizstep:shipping":                "urn:acme:bizstep:shipping",
		"urn:epcglobal:cbv:disp:shipping":          "urn:epcglobal:cbv:disp:shipping",
		"cbv:Disp-shipping":                        "cbv:Disp-shipping",
		"https://example.com/step-shipping":        "https://example.com/step-shipping",
		"https://example.com/cbv/BizStep-shipping": "https://example.com/cbv/BizStep-shipping",
		"urn:epcglobal:cbv:bizstep:":               "urn:epcglobal:cbv:bizstep:",
		"":                                         "",
		"\u0130STANBUL":                            "\u0130stanbul",
		"https://ref.gs1.org/cbv/BizStep-a-b":      "a-b",
	} {
		if got := epcis.TermBizStep.Word(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := epcis.TermMeasurement.Word("https://gs1.org/voc/Temperature"); got != "Temperature" {
		t.Errorf("a measurement is %q", got)
	}
	if !epcis.KnownStep("urn:epcglobal:cbv:bizstep:void_shipping") || epcis.KnownStep("returning") || !epcis.KnownDisposition("Returned") || epcis.KnownDisposition("") {
		t.Error("CBV is not known")
	}
	for in, want := range map[string]string{
		"urn:epcglobal:cbv:bizstep:commissionin": "commissioning", "urn:acme:bizstep:commissioning": "commissioning", "https://acme.example/BizStep-packng": "packing", "receivng": "receiving", "packng": "packing", "zzzzzz": "", "": "",
		strings.Repeat("a", 1000): "",
	} {
		if got := epcis.NearestStep(in); got != want {
			t.Errorf("%q is near %q, want %q", in, got, want)
		}
	}
}

func TestCBVListsAreComplete(t *testing.T) {
	terms := string(sample.File(t, "cbv/cbv-terms.csv"))
	var wantSteps, wantDispositions []string
	for line := range strings.Lines(terms) {
		switch f := strings.SplitN(line, ",", 3); f[0] {
		case "bizStep":
			wantSteps = append(wantSteps, f[1])
		case "disposition":
			wantDispositions = append(wantDispositions, f[1])
		}
	}
	for _, l := range []struct{ want, got []string }{{wantSteps, vocabulary.Steps}, {wantDispositions, vocabulary.Dispositions}} {
		if len(l.want) != len(l.got) {
			t.Errorf("%d terms, want %d", len(l.got), len(l.want))
		}
		for _, term := range l.want {
			if !strings.Contains(" "+strings.Join(l.got, " ")+" ", " "+term+" ") {
				t.Errorf("%s is missing", term)
			}
		}
	}
}

func TestLotAndExpiryInEverySpelling(t *testing.T) {
	for _, ns := range []string{"urn:epcglobal:cbv:mda", "urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda#", epcis.NamespaceHC} {
		e := epcis.Event{ILMD: []epcis.Extension{
			{Namespace: "http://x.example", Name: "lotNumber", Type: epcis.Text, Text: "other"},
			{Namespace: ns, Name: "lotNumber", Type: epcis.Text, Text: " A123\n"},
			{Namespace: ns, Name: "itemExpirationDate", Type: epcis.Text, Text: "2027-05-31"},
		}}
		d, ok := e.ExpiryDate()
		if e.Lot() != "A123" || e.Expiry() != "2027-05-31" || !ok || d.String() != "2027-05-31" {
			t.Errorf("%s: lot %q, expiry %q", ns, e.Lot(), e.Expiry())
		}
	}
	if epcis.IsMDA("urn:epcglobal:cbv:mda/x") || epcis.IsMDA("") {
		t.Error("another namespace taken for CBV master data")
	}
}

// Events that no document tells the lines of are checked all the same.
func TestCheckWithoutDocument(t *testing.T) {
	e := epcis.Commission(epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "Z"}, []string{unit + "1", unit + "1", unit + "x y"}, "A", "soon")
	want := []string{
		"error offset_invalid eventTimeZoneOffset", "error epc_duplicate epcList/epc[2]", "error epc_invalid epcList/epc[3]", "error expiry_invalid ilmd",
	}
	if diff := cmp.Diff(want, found(epcis.Check(&e))); diff != "" {
		t.Error(diff)
	}
	many := make([]string, epcis.MaxEPCs+1)
	e = epcis.Hold(epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00"}, many, "")
	if diff := cmp.Diff([]string{"error event_too_large "}, found(epcis.Check(&e))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"warning TZ_MISSING eventTimeZoneOffset", "error field_missing eventTime", "error event_unknown "}, found(epcis.Check(&epcis.Event{}))); diff != "" {
		t.Error(diff)
	}
}

// An id stands for one event of a document. The same event twice is no fault, and who declares an event wrong repeats its id.
func TestEventIDRepeated(t *testing.T) {
	named := func(id string, epcs ...string) epcis.Event {
		e := epcis.Hold(epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00"}, epcs, "")
		e.EventID = id
		return e
	}
	withdrawn := epcis.Withdraw(named("urn:x:1", unit+"9"), "2026-11-21T00:00:00Z", epcis.DidNotOccur)
	var c epcis.Checker
	for i, tt := range []struct {
		event epcis.Event
		want  []string
	}{
		{named("", unit+"1"), nil},
		{named("", unit+"2"), nil},
		{named("urn:x:1", unit+"1"), nil},
		{named("urn:x:1", unit+"1"), nil},
		{withdrawn, nil},
		{named("urn:x:1", unit+"1", unit+"2"), []string{"error event_id_repeated eventID"}},
		{named("urn:x:2", unit+"1", unit+"2"), nil},
		{named("urn:x:2", unit+"12"), []string{"error event_id_repeated eventID"}},
	} {
		var got []epcis.Problem
		c.Check(&tt.event, epcis.MaxEPCs, func(p epcis.Problem, _ string, _ int) { got = append(got, p) })
		if diff := cmp.Diff(tt.want, found(got)); diff != "" {
			t.Errorf("event %d: %s", i, diff)
		}
	}
}

// What we build, we would accept.
func TestBuiltEventsPassTheCheck(t *testing.T) {
	at := epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00", ReadPoint: "urn:epc:id:sgln:030001.111111.0", BizLocation: "urn:epc:id:sgln:030001.111111.0"}
	units := []string{unit + "1", unit + "2"}
	s := epcis.Shipment{
		SourceOwner: "urn:epc:id:sgln:030001.111111.0", SourceLocation: "urn:epc:id:sgln:030001.111121.0",
		DestinationOwner: "urn:epc:id:sgln:039999.999999.0", DestinationLocation: "urn:epc:id:sgln:039999.345678.0",
		Documents: []epcis.BizTransaction{epcis.BusinessDocument(epcis.PurchaseOrder, "0399999999991", "XYZPO189"), epcis.BusinessDocument(epcis.DespatchAdvice, "0300011111215", "DEL100")},
	}
	for step, e := range map[string]epcis.Event{
		"commissioning": epcis.Commission(at, units, "A123", "2028-03-27"),
		"packing":       epcis.Pack(at, container, units), "unpacking": epcis.Unpack(at, container, nil), "shipping": epcis.Ship(at, units, s),
		"void_shipping": epcis.VoidShip(at, units, s), "receiving": epcis.Receive(at, units, s), "dispensing": epcis.Dispense(at, units, true),
		"decommissioning": epcis.Decommission(at, units), "destroying": epcis.Destroy(at, units), "holding": epcis.Hold(at, units, ""),
	} {
		for _, p := range epcis.Check(&e) {
			t.Errorf("%s: %s", step, p)
		}
		if e.Step() != step || !epcis.KnownStep(e.BizStep) || !epcis.KnownDisposition(e.Disposition) {
			t.Errorf("%s: step %q, disposition %q", step, e.BizStep, e.Disposition)
		}
		e := epcis.Withdraw(e, "2026-11-21T00:00:00Z", epcis.DidNotOccur)
		if p := epcis.Check(&e); p != nil || e.ErrorDeclaration.Reason != "urn:epcglobal:cbv:er:did_not_occur" {
			t.Errorf("%s withdrawn: %v", step, p)
		}
	}
	if e := epcis.Ship(at, units, s); e.Source(epcis.Location) != s.SourceLocation || e.Destination(epcis.OwningParty) != s.DestinationOwner || e.Destination(epcis.PossessingParty) != "" {
		t.Errorf("shipment: %+v", e)
	}
	r := epcis.ShipReturn(at, units, s, "0300011111215", "R1")
	if r.BizTransaction(epcis.ReturnAuthorization) != "urn:epcglobal:cbv:bt:0300011111215:R1" || len(s.Documents) != 2 || r.Step() != epcis.StepShipping {
		t.Errorf("return: %+v", r)
	}
	if e := epcis.ReceiveReturn(at, units, s, "0300011111215", "R1"); epcis.TermDisposition.Word(e.Disposition) != epcis.DispReturned {
		t.Errorf("return received: %+v", e)
	}
}

// The shipping event of GS1's example, from the builder.
func TestBuildTheExample(t *testing.T) {
	doc, err := epcisxml.Parse(bytes.NewReader(sample.File(t, "examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml")), epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := epcis.At{Offset: "-05:00", ReadPoint: "urn:epc:id:sgln:030001.111121.0", BizLocation: "urn:epc:id:sgln:030001.111121.0"}
	pallet := "urn:epc:id:sscc:030001.41234567890"
	in := func(tm string) epcis.At { at := at; at.Time = tm; return at }
	for i, want := range map[int]epcis.Event{
		5: epcis.Commission(in("2023-04-01T06:47:16Z"), []string{pallet}, "", ""),
		6: epcis.Pack(in("2023-04-01T06:48:16Z"), pallet, []string{"urn:epc:id:sgtin:030001.1012345.110", "urn:epc:id:sgtin:030001.1012345.111", "urn:epc:id:sgtin:030001.1012345.121"}),
		7: epcis.Ship(in("2023-04-01T07:48:16Z"), []string{pallet}, epcis.Shipment{
			SourceOwner: "urn:epc:id:sgln:030001.111111.0", SourceLocation: "urn:epc:id:sgln:030001.111121.0",
			DestinationOwner: "urn:epc:id:sgln:039999.999999.0", DestinationLocation: "urn:epc:id:sgln:039999.345678.0",
			Documents: []epcis.BizTransaction{epcis.BusinessDocument(epcis.PurchaseOrder, "0399999999991", "XYZPO189"), epcis.BusinessDocument(epcis.DespatchAdvice, "0300011111215", "DEL100")},
		}),
	} {
		if diff := cmp.Diff(want, doc.Events[i].Event); diff != "" {
			t.Errorf("event %d (-built +example):\n%s", i, diff)
		}
	}
}
