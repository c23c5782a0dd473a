package query

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/epcis"
)

// sharedFile reads a file of the shared GS1 collection, which is not part of the repository. Without it a test says so
// and stops; where the tests count (CI=true) it fails.
func sharedFile(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("../../../shared/gs1", name))
	if err == nil {
		return b
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("the shared GS1 files are needed in CI: %v", err)
	}
	tb.Skipf("the shared GS1 files are not beside the repository: %v", err)
	return nil
}

const (
	mda  = "urn:epcglobal:cbv:mda"
	acme = "https://ns.acme.example/epcis"
	ns   = "https://ns.acme.example/epcis/"
)

func text(namespace, name, value string, children ...epcis.Extension) epcis.Extension {
	x := epcis.Extension{Namespace: namespace, Name: name, Type: epcis.Text, Text: value, Children: children}
	if value == "" {
		x.Type = epcis.NoValue
	}
	return x
}

func number(namespace, name, value string) epcis.Extension {
	return epcis.Extension{Namespace: namespace, Name: name, Type: epcis.Number, Text: value}
}

// The events that the stories are about, by name.
var world = map[string]*epcis.Event{
	// A manufacturer makes three packages and a lot of bulk.
	"commission": {
		Type: "ObjectEvent", Action: "ADD", EventTime: "2026-11-20T08:00:00.000-05:00", EventTimeZoneOffset: "-05:00",
		EventID: "urn:uuid:B99D9099-2A3C-4D8E-8B5F-2F2B7B2F7B11",
		BizStep: "urn:epcglobal:cbv:bizstep:commissioning", Disposition: "https://ref.gs1.org/cbv/Disp-active",
		EPCList: []string{
			"urn:epc:id:sgtin:0614141.107346.2017", "urn:epc:id:sgtin:0614141.107346.2018", "urn:epc:id:sgtin:0614141.107346.20%2F19",
		},
		QuantityList: []epcis.Quantity{{EPCClass: "urn:epc:class:lgtin:4012345.012345.998877", Quantity: "200.50", UOM: "KGM"}},
		ReadPoint:    &epcis.Place{ID: "urn:epc:id:sgln:0614141.07346.1234", Extensions: []epcis.Extension{text(ns, "gate", "7")}},
		BizLocation: &epcis.Place{ID: "urn:epc:id:sgln:0614141.07346.0", Extensions: []epcis.Extension{
			text(acme, "floor", "", text(acme, "room", "12")),
		}},
		ILMD: []epcis.Extension{
			text(mda, "lotNumber", "0012"), text(mda, "itemExpirationDate", "2028-05-31"),
			text(ns, "purity", "", number(ns, "percent", "99.90")),
		},
		Extensions: []epcis.Extension{
			number(ns, "humidity", "45.0"), text(ns, "line", "L-7"),
			{
				Namespace: ns, Name: "checks", Attributes: []epcis.Extension{{Name: "[]", Type: epcis.Empty}},
				Children: []epcis.Extension{text("", "[]", "visual"), text("", "[]", "weight")},
			},
			{
				Namespace: ns, Name: "box", Type: epcis.Text, Text: "12", Attributes: []epcis.Extension{{Name: "unit", Type: epcis.Text, Text: "cm"}},
			},
			text(ns, "shift", "", text("", "leader", "R. Roe"), text(ns, "from", "2026-11-20T06:00:00-05:00"), text(ns, "deep", "", text(ns, "deeper", "5"))),
			{Namespace: ns, Name: "nothing", Type: epcis.Empty},
		},
	},
	// It packs them, …
	"pack": {
		Type: "AggregationEvent", Action: "ADD", EventTime: "2026-11-20T14:00:00Z", EventTimeZoneOffset: "-05:00",
		BizStep: "packing", Disposition: "in_progress", ParentID: "urn:epc:id:sscc:0614141.1234567890",
		ChildEPCs:             []string{"https://example.com/some/path/01/10614141073464/21/2017?x=y", "urn:epc:id:sgtin:0614141.107346.2018"},
		ChildQuantityList:     []epcis.Quantity{{EPCClass: "https://id.gs1.org/01/04012345123456", Quantity: "10"}},
		BizLocation:           &epcis.Place{ID: "https://id.gs1.org/414/0614141073467"},
		PersistentDisposition: &epcis.PersistentDisposition{Set: []string{"completeness_verified"}, Unset: []string{"https://ref.gs1.org/cbv/Disp-completeness_inferred"}},
	},
	// … sells them, …
	"ship": {
		Type: "TransactionEvent", Action: "OBSERVE", EventTime: "2026-11-20T15:30:00.500+01:00", EventTimeZoneOffset: "+01:00",
		EventID: "urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8",
		BizStep: "https://ref.gs1.org/cbv/BizStep-shipping", Disposition: "in_transit", EPCList: []string{"https://id.gs1.org/00/106141412345678908"},
		BizTransactionList: []epcis.BizTransaction{
			{Type: "po", Value: "urn:epcglobal:cbv:bt:0614141073467:1152"},
			{Type: "urn:epcglobal:cbv:btt:desadv", Value: "https://id.gs1.org/253/0614141000005D1"},
			{Value: "urn:epcglobal:cbv:bt:0614141073467:untyped"},
		},
		SourceList:      []epcis.SourceDest{{Type: "owning_party", Value: "urn:epc:id:pgln:4012345.00001"}, {Type: "urn:acme:sdt:broker", Value: "urn:epc:id:pgln:4012345.00003"}},
		DestinationList: []epcis.SourceDest{{Type: "https://ref.gs1.org/cbv/SDT-location", Value: "https://id.gs1.org/414/4012345000023"}},
		Extensions:      []epcis.Extension{text(epcis.NamespaceHC, "dropShipment", "true")},
	},
	// … withdraws that, …
	"withdraw": {
		Type: "ObjectEvent", Action: "OBSERVE", EventTime: "2026-11-20T15:30:00.500+01:00", EventTimeZoneOffset: "+01:00",
		BizStep: "urn:acme:bizstep:shipping", EPCList: []string{"urn:epc:id:gid:95100000.12345.400", "urn:epc:id:grai:0614141.12345.400"},
		ErrorDeclaration: &epcis.ErrorDeclaration{
			DeclarationTime: "2026-11-21T08:00:00Z", Reason: "urn:epcglobal:cbv:er:incorrect_data",
			CorrectiveEventIDs: []string{"urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"},
			Extensions:         []epcis.Extension{text(ns, "ticket", "T1", text(ns, "line", "3"))},
		},
	},
	// … makes something else of the bulk, …
	"transform": {
		Type: "TransformationEvent", EventTime: "2026-11-21T08:00:00Z", EventTimeZoneOffset: "+00:00", TransformationID: "urn:epc:id:gdti:0614141.12345.400",
		BizStep: "creating_class_instance", Disposition: "https://example.com/disp#almost_done",
		InputEPCList: []string{"urn:epc:id:sgtin:4012345.011122.25"}, OutputEPCList: []string{"urn:epc:id:sgtin:4012345.077889.26"},
		InputQuantityList:  []epcis.Quantity{{EPCClass: "urn:epc:class:lgtin:4012345.011111.4444", Quantity: "10", UOM: "KGM"}},
		OutputQuantityList: []epcis.Quantity{{EPCClass: "urn:epc:idpat:grai:0614141.12345.*", Quantity: "3"}},
		ILMD:               []epcis.Extension{number(mda+":", "lotNumber", "77")},
	},
	// … and watches the temperature.
	"sensor": {
		Type: "AssociationEvent", Action: "OBSERVE", EventTime: "2026-11-21T09:00:00Z", EventTimeZoneOffset: "+00:00", BizStep: "sensor_reporting",
		ParentID: "urn:epc:id:grai:4012345.55555.987", ChildEPCs: []string{"urn:epc:id:giai:4000001.12345"}, ReadPoint: &epcis.Place{ID: "urn:epc:id:sgln:4012345.00005.0"},
		SensorElementList: []epcis.SensorElement{{
			Metadata: &epcis.SensorMetadata{
				Time: "2026-11-21T08:55:00Z", StartTime: "2026-11-21T08:00:00Z", EndTime: "2026-11-21T08:55:00Z", DeviceID: "urn:epc:id:giai:4000001.111",
				BizRules: "https://example.com/253/4012345000054987", DataProcessingMethod: "https://example.com/253/4012345000054987",
				Extensions: []epcis.Extension{text(ns, "mode", "slow")},
			},
			Reports: []epcis.SensorReport{
				{Type: "Temperature", Value: "26.0", UOM: "CEL", MinValue: "2", MaxValue: "26.5", MeanValue: "8.25", SDev: "0.1", PercRank: "50", PercValue: "8.1", Extensions: []epcis.Extension{text(ns, "note", "hot")}},
				{Type: "https://gs1.org/voc/RelativeHumidity", Value: "12.1", UOM: "A93", Time: "2026-11-21T08:30:00+01:00", DeviceID: "https://id.gs1.org/8004/4000001222"},
				{Type: "gs1:MolarMass", Microorganism: "https://www.ncbi.nlm.nih.gov/taxonomy/1126011", ChemicalSubstance: "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N"},
				{Type: "urn:acme:measured", StringValue: "OK", BooleanValue: "1", HexBinaryValue: "F0f0", URIValue: "urn:epc:id:sgtin:4012345.011122.25"},
			},
			Extensions: []epcis.Extension{text(ns, "calibration", "", text(ns, "by", "us"))},
		}},
	},
}

// recorded is when the ledger wrote them down: in this order, a second apart.
var order = []string{"commission", "pack", "ship", "withdraw", "transform", "sensor"}

func sortRecords(q *Query, list []*Record) {
	slices.SortStableFunc(list, func(a, b *Record) int {
		switch {
		case q.Less(a, b):
			return -1
		case q.Less(b, a):
			return 1
		}
		return 0
	})
}

func records() []*Record {
	var list []*Record
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for i, name := range order {
		r := &Record{Event: world[name], RecordTime: at.Add(time.Duration(i) * time.Second)}
		if name == "pack" {
			r.Hash = "ni:///sha-256;" + strings.Repeat("ab", 32) + "?ver=CBV2.0"
		}
		list = append(list, r)
	}
	return list
}

// masterData is a small world of places.
type masterData struct{}

func (masterData) Descendants(id string) []string {
	if identity(id) == identity("urn:epc:id:sgln:0614141.07346.0") {
		return []string{"https://id.gs1.org/414/0614141073467/254/1234", "https://id.gs1.org/414/0614141073467/254/5"}
	}
	return nil
}

func (masterData) Attribute(id, name string) []string {
	switch {
	case name == mda+"#countryCode" && identity(id) == identity("urn:epc:id:sgln:0614141.07346.0"):
		return []string{"US"}
	case name == "colour" && id == "L-7":
		return []string{"red", "blue"}
	}
	return nil
}

// found is the names of the events that match.
func found(q *Query) string {
	var names []string
	for i, r := range records() {
		if q.Match(r, masterData{}) {
			names = append(names, order[i])
		}
	}
	return strings.Join(names, " ")
}

// prefixes that the stories declare.
var declared2 = map[string]string{"acme": ns, "x": "urn:acme:"}

func terms(e *epcis.Event, hash string) map[Term0]bool {
	all := map[Term0]bool{}
	TermsOf(e, func(kind TermKind, value string) { all[Term0{kind, value}] = true })
	e.EPCs(func(_ int, epc string) bool { all[Term0{Object, identity(epc)}] = true; return true })
	if hash != "" {
		all[Term0{EventID, hash}] = true
	}
	return all
}

// Term0 is a pair of an index.
type Term0 struct {
	kind  TermKind
	value string
}

// checkTerms fails when an index would not find what matches.
func checkTerms(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, q *Query, r *Record,
) {
	t.Helper()
	if !q.Match(r, masterData{}) {
		return
	}
	all := terms(r.Event, r.Hash)
	for _, term := range q.Terms(masterData{}) {
		if !slices.ContainsFunc(term.Values, func(v string) bool { return all[Term0{term.Kind, v}] }) {
			t.Fatalf("%s matches, but has none of %q", q.JSON(), term)
		}
	}
	if from, before := q.RecordTime(); !(window{from, before}).has(r.RecordTime) {
		t.Fatalf("%s matches outside of its record times", q.JSON())
	}
	if from, before := q.EventTime(); !from.IsZero() || !before.IsZero() {
		ms, err := epcis.EventTimeMillis(r.Event)
		if err != nil || !(window{from, before}).has(time.UnixMilli(ms)) {
			t.Fatalf("%s matches outside of its event times %v to %v", q.JSON(), from, before)
		}
	}
}
