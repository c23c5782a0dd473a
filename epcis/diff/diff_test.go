package diff

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/xmlns"
)

func documentOf(events ...epcis.Event) *epcis.Document {
	d := &epcis.Document{}
	for i := range events {
		d.Events = append(d.Events, epcis.EventAt{Event: events[i], Index: i})
	}
	return d
}

// What means the same is no difference.
func TestDiffSeesThroughSpellings(t *testing.T) {
	text := func(space, name, text string) epcis.Extension {
		return epcis.Extension{Namespace: space, Name: name, Type: epcis.Text, Text: text}
	}
	for _, tt := range []struct {
		name string
		a, b epcis.Event
	}{
		{"standard values", epcis.Event{BizStep: "shipping", Disposition: "urn:epcglobal:cbv:disp:active"}, epcis.Event{BizStep: "https://ref.gs1.org/cbv/BizStep-shipping", Disposition: "cbv:Disp-active"}},
		{"identifiers", epcis.Event{EPCList: []string{"urn:epc:id:sgtin:0614141.107346.2017"}}, epcis.Event{EPCList: []string{"https://example.com/01/10614141073464/21/2017"}}},
		{"the wrong split of a prefix", epcis.Event{ParentID: "urn:epc:id:sscc:0614141.1234567890"}, epcis.Event{ParentID: "urn:epc:id:sscc:061414.11234567890"}},
		{"order", epcis.Event{EPCList: []string{"urn:a:1", "urn:a:2"}}, epcis.Event{EPCList: []string{"urn:a:2", "urn:a:1"}}},
		{"moments", epcis.Event{EventTime: "2026-11-20T00:00:00Z"}, epcis.Event{EventTime: "2026-11-19T19:00:00.000-05:00"}},
		{"a moment without zone", epcis.Event{EventTime: "2026-11-20T00:00:00", EventTimeZoneOffset: "-05:00"}, epcis.Event{EventTime: "2026-11-20T05:00:00Z", EventTimeZoneOffset: "-05:00"}},
		{"numbers", epcis.Event{QuantityList: []epcis.Quantity{{EPCClass: "urn:c:1", Quantity: "10.0", UOM: ""}}}, epcis.Event{QuantityList: []epcis.Quantity{{EPCClass: "urn:c:1", Quantity: "+010", UOM: ""}}}},
		{"master data namespaces", epcis.Event{ILMD: []epcis.Extension{text("urn:epcglobal:cbv:mda", "lotNumber", "A")}}, epcis.Event{ILMD: []epcis.Extension{text("urn:epcglobal:cbv:mda:", "lotNumber", "A")}}},
		{
			"typed values",
			epcis.Event{ILMD: []epcis.Extension{{Name: "n", Type: epcis.Number, Text: "1"}}},
			epcis.Event{ILMD: []epcis.Extension{{Name: "n", Type: epcis.Text, Text: "1", Attributes: []epcis.Extension{text(xmlns.XSI, "type", "xsd:integer")}}}},
		},
		{
			"arrays",
			epcis.Event{ILMD: []epcis.Extension{text("", "n", "1"), text("", "n", "2")}},
			epcis.Event{ILMD: []epcis.Extension{{Name: "n", Attributes: []epcis.Extension{{Name: extension.ListName, Type: epcis.Empty}}, Children: []epcis.Extension{text("", extension.ListName, "1"), text("", extension.ListName, "2")}}}},
		},
		{"nothing", epcis.Event{PersistentDisposition: &epcis.PersistentDisposition{}}, epcis.Event{}},
	} {
		if d := Documents(documentOf(tt.a), documentOf(tt.b)); len(d) > 0 {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

func TestDiffTellsWhat(t *testing.T) {
	at := epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00", ReadPoint: "urn:epc:id:sgln:030001.111111.0"}
	first := epcis.Commission(at, []string{"urn:a:1", "urn:a:2"}, "A1", "2028-01-01")
	second := epcis.Ship(at, []string{"urn:a:1"}, epcis.Shipment{SourceOwner: "urn:p:1", DestinationOwner: "urn:p:2", Documents: []epcis.BizTransaction{epcis.BusinessDocument(epcis.PurchaseOrder, "0300011111116", "1")}})
	third := epcis.Hold(at, []string{"urn:a:9"}, "")

	changed := second
	changed.DestinationList = []epcis.SourceDest{{Type: epcis.SDTPrefix + epcis.OwningParty, Value: "urn:p:3"}}
	changed.Extensions = nil
	other := first
	other.EPCList = []string{"urn:a:1", "urn:a:3"}
	other.ILMD = []epcis.Extension{{Namespace: "urn:epcglobal:cbv:mda:", Name: "lotNumber", Type: epcis.Text, Text: "A2"}, first.ILMD[1]}

	a, b := documentOf(first, second, third), documentOf(changed, other)
	a.Header.CreationDate, b.Header.CreationDate = "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"
	a.Header.SBDH = &epcis.SBDH{Senders: []epcis.SBDHPartner{{Identifier: "x"}}}
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
		a := sample.Event(t)
		var b epcis.Event
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
		x, isExtension := reflect.TypeAssert[epcis.Extension](v)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			switch {
			case isExtension && name == "Text" && x.Type != epcis.Text && x.Type != epcis.Number && x.Type != epcis.Boolean:
			case isExtension && (name == "Name" || name == "Namespace") && (x.Name == extension.ListName || x.Name == extension.TextName):
			default:
				leavesOf(v.Field(i), list)
			}
		}
	default: // the type of a value
	}
}
