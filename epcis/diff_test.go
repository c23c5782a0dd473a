package epcis

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func documentOf(events ...Event) *Document {
	d := &Document{}
	for i := range events {
		d.Events = append(d.Events, EventAt{Event: events[i], Index: i})
	}
	return d
}

// What means the same is no difference.
func TestDiffSeesThroughSpellings(t *testing.T) {
	text := func(space, name, text string) Extension {
		return Extension{Namespace: space, Name: name, Type: Text, Text: text}
	}
	for _, tt := range []struct {
		name string
		a, b Event
	}{
		{"standard values", Event{BizStep: "shipping", Disposition: "urn:epcglobal:cbv:disp:active"}, Event{BizStep: "https://ref.gs1.org/cbv/BizStep-shipping", Disposition: "cbv:Disp-active"}},
		{"identifiers", Event{EPCList: []string{"urn:epc:id:sgtin:0614141.107346.2017"}}, Event{EPCList: []string{"https://example.com/01/10614141073464/21/2017"}}},
		{"the wrong split of a prefix", Event{ParentID: "urn:epc:id:sscc:0614141.1234567890"}, Event{ParentID: "urn:epc:id:sscc:061414.11234567890"}},
		{"order", Event{EPCList: []string{"urn:a:1", "urn:a:2"}}, Event{EPCList: []string{"urn:a:2", "urn:a:1"}}},
		{"moments", Event{EventTime: "2026-11-20T00:00:00Z"}, Event{EventTime: "2026-11-19T19:00:00.000-05:00"}},
		{"a moment without zone", Event{EventTime: "2026-11-20T00:00:00", EventTimeZoneOffset: "-05:00"}, Event{EventTime: "2026-11-20T05:00:00Z", EventTimeZoneOffset: "-05:00"}},
		{"numbers", Event{QuantityList: []Quantity{{EPCClass: "urn:c:1", Quantity: "10.0", UOM: ""}}}, Event{QuantityList: []Quantity{{EPCClass: "urn:c:1", Quantity: "+010", UOM: ""}}}},
		{"master data namespaces", Event{ILMD: []Extension{text("urn:epcglobal:cbv:mda", "lotNumber", "A")}}, Event{ILMD: []Extension{text("urn:epcglobal:cbv:mda:", "lotNumber", "A")}}},
		{
			"typed values",
			Event{ILMD: []Extension{{Name: "n", Type: Number, Text: "1"}}},
			Event{ILMD: []Extension{{Name: "n", Type: Text, Text: "1", Attributes: []Extension{text(XSI, "type", "xsd:integer")}}}},
		},
		{
			"arrays",
			Event{ILMD: []Extension{text("", "n", "1"), text("", "n", "2")}},
			Event{ILMD: []Extension{{Name: "n", Attributes: []Extension{{Name: ListName, Type: Empty}}, Children: []Extension{text("", ListName, "1"), text("", ListName, "2")}}}},
		},
		{"nothing", Event{PersistentDisposition: &PersistentDisposition{}}, Event{}},
	} {
		if d := Documents(documentOf(tt.a), documentOf(tt.b)); len(d) > 0 {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

func TestDiffTellsWhat(t *testing.T) {
	at := At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00", ReadPoint: "urn:epc:id:sgln:030001.111111.0"}
	first := Commission(at, []string{"urn:a:1", "urn:a:2"}, "A1", "2028-01-01")
	second := Ship(at, []string{"urn:a:1"}, Shipment{SourceOwner: "urn:p:1", DestinationOwner: "urn:p:2", Documents: []BizTransaction{BusinessDocument(PurchaseOrder, "0300011111116", "1")}})
	third := Hold(at, []string{"urn:a:9"}, "")

	changed := second
	changed.DestinationList = []SourceDest{{Type: SDTPrefix + OwningParty, Value: "urn:p:3"}}
	changed.Extensions = nil
	other := first
	other.EPCList = []string{"urn:a:1", "urn:a:3"}
	other.ILMD = []Extension{{Namespace: "urn:epcglobal:cbv:mda:", Name: "lotNumber", Type: Text, Text: "A2"}, first.ILMD[1]}

	a, b := documentOf(first, second, third), documentOf(changed, other)
	a.Header.CreationDate, b.Header.CreationDate = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"
	a.Header.SBDH = &SBDH{Senders: []SBDHPartner{{Identifier: "x"}}}
	got := Documents(a, b)
	want := []Difference{
		{-1, "creationDate", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"},
		{-1, "sbdh", "{HeaderVersion 1.0, Standard EPCglobal, TypeVersion 1.0, Type Events, CreationDateAndTime 2026-11-20T00:00:00Z, Sender {…", ""},
		{0, "epcList/epc", "urn:a:2", "urn:a:3"},
		{0, "ilmd/{urn:epcglobal:cbv:mda}lotNumber", "A1", "A2"},
		{1, "destinationList/destination/value", "urn:p:2", "urn:p:3"},
		{1, "{http://epcis.gs1us.org/hc/ns}dropShipment", "false", ""},
		{2, "", got[len(got)-1].A, ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(Documents(a, a)) != 0 {
		t.Error("a document differs from itself")
	}
}

// No text of an event can change without a difference.
func TestDiffMissesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := someEvent(t)
		var b Event
		deepCopy(reflect.ValueOf(&b).Elem(), reflect.ValueOf(a))
		if len(Documents(documentOf(a), documentOf(b))) > 0 {
			t.Fatal("a copy differs")
		}
		var leaves []reflect.Value
		leavesOf(reflect.ValueOf(&b).Elem(), &leaves)
		leaf := rapid.SampledFrom(leaves).Draw(t, "leaf")
		leaf.SetString("Q" + leaf.String()) // not behind it: a link may say more than its key
		if len(Documents(documentOf(a), documentOf(b))) == 0 {
			t.Fatalf("%q was not missed:\n%s", leaf.String(), cmp.Diff(a, b))
		}
	})
}

func deepCopy(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			deepCopy(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
			for i := range from.Len() {
				deepCopy(to.Index(i), from.Index(i))
			}
		}
	case reflect.Struct:
		for i := range from.NumField() {
			deepCopy(to.Field(i), from.Field(i))
		}
	default:
		to.Set(from)
	}
}

// leavesOf collects the texts that say something: those of extensions whose type has one, and names but that of arrays.
func leavesOf(v reflect.Value, list *[]reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		*list = append(*list, v)
	case reflect.Pointer:
		if !v.IsNil() {
			leavesOf(v.Elem(), list)
		}
	case reflect.Slice:
		for i := range v.Len() {
			leavesOf(v.Index(i), list)
		}
	case reflect.Struct:
		x, isExtension := reflect.TypeAssert[Extension](v)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch {
			case isExtension && name == "Text" && x.Type != Text && x.Type != Number && x.Type != Boolean:
			case isExtension && (name == "Name" || name == "Namespace") && (x.Name == ListName || x.Name == TextName):
			default:
				leavesOf(v.Field(i), list)
			}
		}
	default: // the type of a value
	}
}
