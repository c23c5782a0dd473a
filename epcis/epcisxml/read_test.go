package epcisxml

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/xmlns"
)

// document puts events into an EPCIS 1.2 document.
func document(events string) string {
	return `<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" xmlns:x="http://x.example" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z"><EPCISBody><EventList>` +
		events + `</EventList></EPCISBody></epcis:EPCISDocument>`
}

const (
	when = `<eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>`
	unit = `urn:epc:id:sgtin:030001.0012345.`
	sscc = `urn:epc:id:sscc:030001.41234567890`
)

func object(fields string) string      { return "<ObjectEvent>" + fields + "</ObjectEvent>" }
func aggregation(fields string) string { return "<AggregationEvent>" + fields + "</AggregationEvent>" }

func epcs(list string, serials ...string) string {
	var s strings.Builder
	s.WriteString("<" + list + ">")
	for _, n := range serials {
		s.WriteString("<epc>" + unit + n + "</epc>")
	}
	return s.String() + "</" + list + ">"
}

func mustParse(tb testing.TB, doc string) *epcis.Document {
	tb.Helper()
	d, err := Parse(strings.NewReader(doc), epcis.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func summary(problems []epcis.Problem) []string {
	var list []string
	for _, p := range problems {
		list = append(list, fmt.Sprintf("%s %s %s", p.Severity, p.Code, strings.TrimPrefix(p.Path, "EPCISBody/EventList/")))
	}
	return list
}

// What partners really send (epcis.md section 7): read as meant, and reported.
func TestTolerance(t *testing.T) {
	observe := epcs("epcList", "1") + "<action>OBSERVE</action>"
	for _, tt := range []struct {
		name, events string
		want         []string // problems
		check        func(*epcis.Event) bool
	}{
		{name: "nothing unusual", events: object(when + observe)},
		{
			name: "fields in wrong order", events: object("<action>OBSERVE</action>" + when + epcs("epcList", "1")),
			want:  []string{"warning field_order ObjectEvent[1]/eventTime"},
			check: func(e *epcis.Event) bool { return e.EventTime != "" && len(e.EPCList) == 1 },
		},
		{
			name:   "quantityList outside extension",
			events: object(when + observe + "<quantityList><quantityElement><epcClass>urn:epc:idpat:sgtin:030001.0012345.*</epcClass><quantity>5</quantity></quantityElement></quantityList>"),
			want:   []string{"warning field_misplaced ObjectEvent[1]/quantityList"},
			check:  func(e *epcis.Event) bool { return e.QuantityList[0].Quantity == "5" },
		},
		{
			name: "event with the prefix of the root", events: `<epcis:ObjectEvent>` + when + observe + `</epcis:ObjectEvent>`,
			want: []string{"warning namespace_unexpected ObjectEvent"},
		},
		{
			name: "event with a default namespace", events: `<ObjectEvent xmlns="urn:epcglobal:epcis:xsd:1">` + when + observe + `</ObjectEvent>`,
			want: []string{"warning namespace_unexpected ObjectEvent"},
		},
		{
			name:   "epcList missing",
			events: object(when + "<action>OBSERVE</action><extension><quantityList><quantityElement><epcClass>urn:epc:idpat:sgtin:030001.0012345.*</epcClass></quantityElement></quantityList></extension>"),
			want:   []string{"warning field_missing ObjectEvent[1]/epcList"},
		},
		{
			name: "bare text in extension", events: object(when + observe + "<extension> oops <sourceList/></extension>"),
			want: []string{"warning text_ignored ObjectEvent[1]/extension", "warning field_empty ObjectEvent[1]/sourceList"},
		},
		{
			name:   "date on a business transaction",
			events: object(when + observe + `<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po" date="2026-11-20">urn:epcglobal:cbv:bt:0399999999991:7</bizTransaction></bizTransactionList>`),
			want:   []string{"warning attribute_ignored ObjectEvent[1]/bizTransactionList/bizTransaction"},
			check: func(e *epcis.Event) bool {
				return e.BizTransaction(epcis.PurchaseOrder) == "urn:epcglobal:cbv:bt:0399999999991:7"
			},
		},
		{
			name: "TransformationEvent not wrapped", events: "<TransformationEvent>" + when + epcs("inputEPCList", "1") + epcs("outputEPCList", "2") + "</TransformationEvent>",
			want: []string{"warning event_misplaced TransformationEvent[1]"},
		},
		{
			name: "TransformationEvent wrapped", events: "<extension><TransformationEvent>" + when + epcs("inputEPCList", "1") + epcs("outputEPCList", "2") + "</TransformationEvent></extension>",
			check: func(e *epcis.Event) bool { return len(e.InputEPCList) == 1 && len(e.OutputEPCList) == 1 },
		},
		{
			name: "offset missing", events: object("<eventTime>2026-11-20T06:45:16Z</eventTime>" + observe),
			want: []string{"warning TZ_MISSING ObjectEvent[1]/eventTimeZoneOffset"},
		},
		{
			name: "time without zone", events: object("<eventTime>2026-11-20T06:45:16</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>" + observe),
			want: []string{"warning zone_missing ObjectEvent[1]/eventTime"},
		},
		{
			name: "white space around values", events: object(when + "<epcList><epc>\n " + unit + "1\t</epc></epcList><action> OBSERVE </action><disposition>\r\n urn:epcglobal:cbv:disp:active </disposition>"),
			want: []string{"warning action_invalid ObjectEvent[1]/action"}, // XML Schema keeps white space in texts
			check: func(e *epcis.Event) bool {
				return e.EPCList[0] == unit+"1" && e.Disposition == "urn:epcglobal:cbv:disp:active"
			},
		},
		{
			name: "comments and CDATA inside values", events: object(when + "<epcList><epc>" + unit + "<!-- the first -->1</epc></epcList><action><![CDATA[OBSERVE]]></action>"),
			check: func(e *epcis.Event) bool { return e.EPCList[0] == unit+"1" },
		},
		{
			name: "a misspelt field", events: object(when + observe + "<bizstep>urn:epcglobal:cbv:bizstep:shipping</bizstep>"),
			want:  []string{"warning field_unknown ObjectEvent[1]/bizstep"},
			check: func(e *epcis.Event) bool { return e.Step() == epcis.StepShipping && e.Extensions == nil },
		},
		{
			name: "a step that CBV has not", events: object(when + observe + "<bizStep>urn:epcglobal:cbv:bizstep:shippng</bizStep>"),
			want: []string{"warning CBV_UNKNOWN ObjectEvent[1]/bizStep"},
		},
		{
			name: "a location that is no URI", events: object(when + observe + "<readPoint><id>Dock 4</id></readPoint>"),
			want:  []string{"warning id_invalid ObjectEvent[1]/readPoint"},
			check: func(e *epcis.Event) bool { return e.ReadPoint.ID == "Dock 4" },
		},
		{
			name: "sensor data where the down-conversion puts them", events: object(when + observe + `<extension><extension><sensorElementList><sensorElement><sensorReport type="gs1:Temperature" value="4.0" x:note="cold"/></sensorElement></sensorElementList></extension></extension>`),
			check: func(e *epcis.Event) bool {
				r := e.SensorElementList[0].Reports[0]
				return r.Value == "4.0" && r.Extensions[0].Text == "cold" && r.Extensions[0].Namespace == "http://x.example"
			},
		},
		{
			name:   "base extension",
			events: object(`<eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><baseExtension><eventID>urn:uuid:1</eventID><errorDeclaration><declarationTime>2026-11-21T00:00:00Z</declarationTime><reason>urn:epcglobal:cbv:er:incorrect_data</reason><correctiveEventIDs><correctiveEventID>urn:uuid:2</correctiveEventID><correctiveEventID>urn:uuid:3</correctiveEventID></correctiveEventIDs><x:by>QA</x:by></errorDeclaration></baseExtension>` + observe),
			check: func(e *epcis.Event) bool {
				return e.EventID == "urn:uuid:1" && cmp.Equal(e.ErrorDeclaration, &epcis.ErrorDeclaration{
					DeclarationTime: "2026-11-21T00:00:00Z", Reason: "urn:epcglobal:cbv:er:incorrect_data",
					CorrectiveEventIDs: []string{"urn:uuid:2", "urn:uuid:3"},
					Extensions:         []epcis.Extension{{Namespace: "http://x.example", Name: "by", Type: epcis.Text, Text: "QA"}},
				})
			},
		},
		{
			name: "unpacking everything names no children", events: aggregation(when + "<parentID>" + sscc + "</parentID><childEPCs/><action>DELETE</action>"),
		},
		{
			name: "aggregation observed without its parent", events: aggregation(when + epcs("childEPCs", "1") + "<action>OBSERVE</action>"),
		},
		{
			name: "children by quantity", events: aggregation(when + "<parentID>" + sscc + "</parentID><childEPCs/><action>ADD</action><extension><childQuantityList><quantityElement><epcClass>urn:epc:class:lgtin:030001.0012345.A1</epcClass><quantity>20.0</quantity><uom>KGM</uom></quantityElement></childQuantityList></extension>"),
			check: func(e *epcis.Event) bool {
				return e.ChildQuantityList[0] == epcis.Quantity{EPCClass: "urn:epc:class:lgtin:030001.0012345.A1", Quantity: "20.0", UOM: "KGM"}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, document(tt.events))
			if diff := cmp.Diff(tt.want, summary(d.Problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if len(d.Events) != 1 {
				t.Fatalf("%d events, want 1", len(d.Events))
			}
			if tt.check != nil && !tt.check(&d.Events[0].Event) {
				t.Errorf("not read as meant:\n%s", dump(t, d.Events[0]))
			}
		})
	}
}

// What keeps an event out.
func TestBadEvents(t *testing.T) {
	observe := epcs("epcList", "1") + "<action>OBSERVE</action>"
	ilmd := "<extension><ilmd><cbvmda:lotNumber>A</cbvmda:lotNumber></ilmd></extension>"
	for _, tt := range []struct {
		name, events string
		want         []string // errors
	}{
		{"no time", object("<eventTimeZoneOffset>-05:00</eventTimeZoneOffset>" + observe), []string{"field_missing ObjectEvent[1]/eventTime"}},
		{"not a time", object("<eventTime>2026-11-31T00:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>" + observe), []string{"time_invalid ObjectEvent[1]/eventTime"}},
		{"neither zone nor offset", object("<eventTime>2026-11-20T00:00:00</eventTime>" + observe), []string{"time_invalid ObjectEvent[1]/eventTime"}},
		{"offset Z", object("<eventTime>2026-11-20T00:00:00Z</eventTime><eventTimeZoneOffset>Z</eventTimeZoneOffset>" + observe), []string{"offset_invalid ObjectEvent[1]/eventTimeZoneOffset"}},
		{"offset too large", object("<eventTime>2026-11-20T00:00:00Z</eventTime><eventTimeZoneOffset>+14:01</eventTimeZoneOffset>" + observe), []string{"offset_invalid ObjectEvent[1]/eventTimeZoneOffset"}},
		{"no action", object(when + epcs("epcList", "1")), []string{"field_missing ObjectEvent[1]/action"}},
		{"no such action", object(when + epcs("epcList", "1") + "<action>add</action>"), []string{"action_invalid ObjectEvent[1]/action"}},
		{"EPC with a bad company prefix", object(when+epcs("epcList", "1")+"<action>OBSERVE</action>"+"") + object(when+"<epcList><epc>urn:epc:id:sgtin:0300.0012345.1</epc></epcList><action>OBSERVE</action>"), []string{"epc_invalid ObjectEvent[2]/epcList/epc[1]"}},
		{"empty EPC", object(when + "<epcList><epc/></epcList><action>OBSERVE</action>"), []string{"epc_invalid ObjectEvent[1]/epcList/epc[1]"}},
		{"EPC twice", object(when + epcs("epcList", "1", "2", "1") + "<action>OBSERVE</action>"), []string{"epc_duplicate ObjectEvent[1]/epcList/epc[3]"}},
		{"EPC twice in two spellings", object(when + "<epcList><epc>" + unit + "1</epc><epc>https://id.gs1.org/01/00300010123455/21/1</epc></epcList><action>OBSERVE</action>"), []string{"epc_duplicate ObjectEvent[1]/epcList/epc[2]"}},
		{"master data without birth", object(when + observe + ilmd), []string{"ilmd_not_allowed ObjectEvent[1]/ilmd"}},
		{"two lots", object(when + epcs("epcList", "1") + "<action>ADD</action><extension><ilmd><cbvmda:lotNumber>A</cbvmda:lotNumber><cbvmda:lotNumber>B</cbvmda:lotNumber></ilmd></extension>"), []string{"field_repeated ObjectEvent[1]/ilmd"}},
		{"expiry is no date", object(when + epcs("epcList", "1") + "<action>ADD</action><extension><ilmd><cbvmda:itemExpirationDate>2028-02-30</cbvmda:itemExpirationDate></ilmd></extension>"), []string{"expiry_invalid ObjectEvent[1]/ilmd"}},
		{"packing into nothing", aggregation(when + epcs("childEPCs", "1") + "<action>ADD</action>"), []string{"field_missing AggregationEvent[1]/parentID"}},
		{"packing nothing", aggregation(when + "<parentID>" + sscc + "</parentID><childEPCs/><action>ADD</action>"), []string{"field_missing AggregationEvent[1]/childEPCs"}},
		{"packing into itself", aggregation(when + "<parentID>" + sscc + "</parentID><childEPCs><epc>" + sscc + "</epc></childEPCs><action>ADD</action>"), []string{"event_invalid AggregationEvent[1]/childEPCs/epc[1]"}},
		{"ilmd on an aggregation", aggregation(when + "<parentID>" + sscc + "</parentID>" + epcs("childEPCs", "1") + "<action>ADD</action>" + ilmd), []string{"field_not_allowed AggregationEvent[1]/ilmd"}},
		{"two times", object(when + "<eventTime>2026-11-20T06:45:17Z</eventTime>" + observe), []string{"field_repeated ObjectEvent[1]/eventTime"}},
		{"a time in a wrapper beside another", object(when + "<baseExtension><eventTime>2026-11-20T06:45:17Z</eventTime></baseExtension>" + observe), []string{"field_repeated ObjectEvent[1]/eventTime"}},
		{"an element inside a value", object(when + epcs("epcList", "1") + "<action>OBSERVE<b/></action>"), []string{"content_unexpected ObjectEvent[1]/action"}},
		{"something else in a list", object(when + "<epcList><x:epc>1</x:epc></epcList><action>OBSERVE</action>"), []string{"content_unexpected ObjectEvent[1]/epcList"}},
		{"quantity is no number", object(when + "<epcList/><action>OBSERVE</action><extension><quantityList><quantityElement><epcClass>urn:epc:idpat:sgtin:030001.0012345.*</epcClass><quantity>1e3</quantity></quantityElement></quantityList></extension>"), []string{"field_invalid ObjectEvent[1]/quantityList/quantityElement[1]"}},
		{"no event of EPCIS", "<x:ShippingEvent>" + when + "</x:ShippingEvent>", []string{"event_unknown ShippingEvent[1]"}},
		{"a transaction without document", "<TransactionEvent>" + when + observe + "</TransactionEvent>", []string{"field_missing TransactionEvent[1]/bizTransactionList"}},
		{"a transformation without output", "<extension><TransformationEvent>" + when + epcs("inputEPCList", "1") + "</TransformationEvent></extension>", []string{"field_missing TransformationEvent[1]/inputEPCList"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, document(object(when+epcs("epcList", "77")+"<action>OBSERVE</action>")+tt.events+object(when+epcs("epcList", "78")+"<action>OBSERVE</action>")))
			var got []string
			for _, p := range d.Problems {
				if p.Severity == epcis.SeverityError {
					path := strings.TrimPrefix(p.Path, "EPCISBody/EventList/")
					if rest, ok := strings.CutPrefix(path, "ObjectEvent["); ok { // the good one comes first
						n := int(rest[0] - '0')
						path = fmt.Sprintf("ObjectEvent[%d%s", n-1, rest[1:])
					}
					got = append(got, p.Code+" "+path)
					if p.Line != 1 || p.Column < 200 || p.Message == "" || p.Hint == "" || p.Event < 1 {
						t.Errorf("incomplete: %+v", p)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if d.Rejected != 1 || d.Events[0].Event.EPCList[0] != unit+"77" || d.Events[len(d.Events)-1].Event.EPCList[0] != unit+"78" {
				t.Errorf("%d rejected; the good events must go through", d.Rejected)
			}
			if last := d.Events[len(d.Events)-1]; last.Index != len(d.Events)+d.Rejected-1 {
				t.Errorf("the last event has index %d", last.Index)
			}
		})
	}
}

func TestProblemTellsThePlace(t *testing.T) {
	d := mustParse(t, strings.Replace(document(`
  <ObjectEvent>
    <eventTime>2026-11-20T06:45:16Z</eventTime>
    <eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
    <epcList>
      <epc>urn:epc:id:sgtin:030001.0012345.1</epc>
      <epc>urn:epc:id:sgtin:030001.0012345.1</epc>
    </epcList>
    <action>OBSERVE</action>
    <bizStep>urn:epcglobal:cbv:bizstep:receivng</bizStep>
  </ObjectEvent>`), "?>", "?>\r\n", 1))
	want := []epcis.Problem{
		{
			Severity: epcis.SeverityWarning, Code: epcis.CodeCBVUnknown, Line: 10, Column: 5, Path: "EPCISBody/EventList/ObjectEvent[1]/bizStep",
			Message: `"urn:epcglobal:cbv:bizstep:receivng" is not a business step of CBV`, Hint: "was receiving meant?",
		},
		{
			Severity: epcis.SeverityError, Code: epcis.CodeEPCDuplicate, Line: 7, Column: 7, Path: "EPCISBody/EventList/ObjectEvent[1]/epcList/epc[2]",
			Message: `"urn:epc:id:sgtin:030001.0012345.1" stands in the list twice, first as number 1`, Hint: "name it once",
		},
	}
	if diff := cmp.Diff(want, d.Problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := d.Problems[1].String(); !strings.HasPrefix(s, "7:7: EPCISBody/") {
		t.Error(s)
	}
}

// Extensions come out as they went in, with namespaces, attributes, order and repetition.
func TestExtensionsAreLossless(t *testing.T) {
	const content = `<x:a xmlns:y="http://y.example" xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" y:k=" v " plain="" i:type="s:integer">
		<x:b> two  spaces </x:b><y:b>&lt;1&amp;2&gt;</y:b>
		<!-- no comment -->
		<x:b/><x:b></x:b><z xmlns="urn:z"><deep>1</deep></z>
		before<x:i i:type="y:own" xml:lang="de">mid</x:i>after
	</x:a><x:a> </x:a>`
	want := []epcis.Extension{
		{
			Namespace: "http://x.example", Name: "a",
			Attributes: []epcis.Extension{
				{Namespace: "http://y.example", Name: "k", Type: epcis.Text, Text: " v "},
				{Name: "plain", Type: epcis.Empty},
				{Namespace: xmlns.XSI, Name: "type", Type: epcis.Text, Text: "xsd:integer"},
			},
			Children: []epcis.Extension{
				{Namespace: "http://x.example", Name: "b", Type: epcis.Text, Text: " two  spaces "},
				{Namespace: "http://y.example", Name: "b", Type: epcis.Text, Text: "<1&2>"},
				{Namespace: "http://x.example", Name: "b", Type: epcis.Empty},
				{Namespace: "http://x.example", Name: "b", Type: epcis.Empty},
				{Namespace: "urn:z", Name: "z", Children: []epcis.Extension{{Namespace: "urn:z", Name: "deep", Type: epcis.Text, Text: "1"}}},
				{Name: "#text", Type: epcis.Text, Text: "\n\t\tbefore"},
				{
					Namespace: "http://x.example", Name: "i", Type: epcis.Text, Text: "mid",
					Attributes: []epcis.Extension{
						{Namespace: xmlns.XSI, Name: "type", Type: epcis.Text, Text: "{http://y.example}own"},
						{Namespace: xmlns.XML, Name: "lang", Type: epcis.Text, Text: "de"},
					},
				},
				{Name: "#text", Type: epcis.Text, Text: "after\n\t"},
			},
		},
		{Namespace: "http://x.example", Name: "a", Type: epcis.Text, Text: " "},
	}
	d := mustParse(t, document(object(when+
		"<baseExtension><errorDeclaration><declarationTime>2026-11-21T00:00:00Z</declarationTime>"+content+"</errorDeclaration></baseExtension>"+
		epcs("epcList", "1")+"<action>ADD</action>"+
		"<readPoint><id>urn:a:1</id>"+content+"</readPoint><bizLocation><id>urn:a:2</id>"+content+"</bizLocation>"+
		"<extension><ilmd>"+content+"</ilmd></extension>"+content)))
	for _, p := range d.Problems {
		if !p.Schema || !strings.Contains(p.Message, "xsi:type") { // an integer with children, a type nobody knows: kept all the same
			t.Error(p)
		}
	}
	e := d.Events[0].Event
	for name, got := range map[string][]epcis.Extension{
		"event": e.Extensions, "ilmd": e.ILMD, "readPoint": e.ReadPoint.Extensions, "bizLocation": e.BizLocation.Extensions,
		"errorDeclaration": e.ErrorDeclaration.Extensions,
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPrefixesMeanNothing(t *testing.T) {
	one := document(object(when + epcs("epcList", "1") + "<action>OBSERVE</action><x:f x:k='1'><x:g/></x:f>"))
	two := strings.NewReplacer("<x:", "<epcis:", "</x:", "</epcis:", "xmlns:x", "xmlns:epcis", " x:k", " epcis:k",
		"epcis:EPCISDocument", "Q:EPCISDocument", "xmlns:epcis", "xmlns:Q").Replace(one)
	if one == two {
		t.Fatal("nothing was renamed")
	}
	a, b := mustParse(t, one).Events[0], mustParse(t, two).Events[0]
	if diff := cmp.Diff(a.Event, b.Event); diff != "" {
		t.Error(diff)
	}
}

func TestHeader(t *testing.T) {
	const header = `<EPCISHeader>
	<sbdh:StandardBusinessDocumentHeader xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">
		<sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>
		<sbdh:Sender><sbdh:Identifier Authority="GLN">0300011111116</sbdh:Identifier><sbdh:ContactInformation><sbdh:Contact>Ann</sbdh:Contact></sbdh:ContactInformation></sbdh:Sender>
		<sbdh:DocumentIdentification><sbdh:Standard>EPCglobal</sbdh:Standard><sbdh:CreationDateAndTime>2026-11-20T10:00:00.1234567</sbdh:CreationDateAndTime></sbdh:DocumentIdentification>
		<sbdh:BusinessScope><sbdh:Scope>1</sbdh:Scope></sbdh:BusinessScope>
	</sbdh:StandardBusinessDocumentHeader>
	<extension><EPCISMasterData><VocabularyList><Vocabulary type="urn:v"><VocabularyElementList>
		<VocabularyElement id="urn:e"><attribute id="a">1</attribute><attribute id="b"><x:c>2</x:c></attribute><children><id>urn:f</id></children></VocabularyElement>
	</VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension>
	<hc:guidelineVersion xmlns:hc="http://epcis.gs1us.org/hc/ns">R1.3</hc:guidelineVersion>
	<hc:dscsaTransactionStatement xmlns:hc="http://epcis.gs1us.org/hc/ns"><hc:affirmTransactionStatement>true</hc:affirmTransactionStatement><hc:legalNotice> Seller has complied. </hc:legalNotice>%s</hc:dscsaTransactionStatement>
	<x:note>n</x:note>
</EPCISHeader><EPCISBody>`
	parse := func(more string) *epcis.Document {
		return mustParse(t, strings.Replace(document(""), "<EPCISBody>", fmt.Sprintf(header, more), 1))
	}
	ext := func(namespace, name, text string, children ...epcis.Extension) epcis.Extension {
		x := epcis.Extension{Namespace: namespace, Name: name, Children: children}
		if text != "" {
			x.Type, x.Text = epcis.Text, text
		}
		return x
	}
	want := epcis.Header{
		SchemaVersion: "1.2", CreationDate: "2026-11-20T10:00:00Z", Format: "xml-1.2",
		SBDH: &epcis.SBDH{
			HeaderVersion: "1.0", Standard: "EPCglobal", CreationDateAndTime: "2026-11-20T10:00:00.1234567",
			Senders:    []epcis.SBDHPartner{{Authority: "GLN", Identifier: "0300011111116", Extensions: []epcis.Extension{ext(xmlns.SBDH, "ContactInformation", "", ext(xmlns.SBDH, "Contact", "Ann"))}}},
			Extensions: []epcis.Extension{ext(xmlns.SBDH, "BusinessScope", "", ext(xmlns.SBDH, "Scope", "1"))},
		},
		Vocabularies: []epcis.Vocabulary{{Type: "urn:v", Elements: []epcis.VocabularyElement{{
			ID: "urn:e", Children: []string{"urn:f"},
			Attributes: []epcis.VocabularyAttribute{{ID: "a", Text: "1"}, {ID: "b", Children: []epcis.Extension{ext("http://x.example", "c", "2")}}},
		}}}},
		TransactionStatement: "true", LegalNotice: "Seller has complied.",
		Extensions: []epcis.Extension{ext(epcis.NamespaceHC, "guidelineVersion", "R1.3"), ext("http://x.example", "note", "n")},
	}
	d := parse("")
	if diff := cmp.Diff(want, d.Header); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"warning zone_missing EPCISHeader/StandardBusinessDocumentHeader/DocumentIdentification/CreationDateAndTime",
		"warning sbdh_incomplete EPCISHeader/StandardBusinessDocumentHeader",
		"warning text_ignored EPCISHeader/StandardBusinessDocumentHeader/BusinessScope/Scope",
	}, summary(d.Problems)); diff != "" {
		t.Error(diff)
	}

	// The statement is told once; what else stands in it is kept beside.
	rest := ext(epcis.NamespaceHC, "dscsaTransactionStatement", "", ext(epcis.NamespaceHC, "signedBy", "CEO"))
	want.Extensions = []epcis.Extension{want.Extensions[0], rest, want.Extensions[1]}
	if diff := cmp.Diff(want, parse("<hc:signedBy>CEO</hc:signedBy>").Header); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOddDocuments(t *testing.T) {
	good := object(when + epcs("epcList", "1") + "<action>OBSERVE</action>")
	const sbdh = `<s:StandardBusinessDocumentHeader xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader">%s</s:StandardBusinessDocumentHeader>`
	header := func(content string) string {
		return strings.Replace(document(good), "<EPCISBody>", "<EPCISHeader>"+content+"</EPCISHeader><EPCISBody>", 1)
	}
	statement := func(affirm string) string {
		return header(fmt.Sprintf(sbdh, "") + `<g:dscsaTransactionStatement xmlns:g="http://epcis.gs1us.org/hc/ns">` + affirm + `</g:dscsaTransactionStatement>`)
	}
	incomplete := "warning sbdh_incomplete EPCISHeader/StandardBusinessDocumentHeader"
	for _, tt := range []struct {
		name, doc string
		events    int
		want      []string
	}{
		{"no attributes", `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"><EPCISBody/></e:EPCISDocument>`, 0, []string{"warning field_missing ", "warning field_missing "}},
		{"creation date", strings.Replace(document(good), "2026-11-20T10:00:00Z", "yesterday", 1), 1, []string{"warning time_invalid "}},
		{"no body", `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z"/>`, 0, []string{"warning field_missing EPCISBody"}},
		{"header behind the body", strings.Replace(document(good), "</EPCISBody>", "</EPCISBody><EPCISHeader>"+fmt.Sprintf(sbdh, "")+"</EPCISHeader>", 1), 1, []string{"warning field_order EPCISHeader", incomplete}},
		{"strange elements", strings.NewReplacer("<EPCISBody>", "<x:mine/><Body/><EPCISBody><Events/>").Replace(document(good)), 1, []string{"warning field_unknown Body", "warning field_unknown EPCISBody/Events", "warning field_order EPCISBody"}},
		{"header without SBDH", header(""), 1, []string{"warning sbdh_incomplete EPCISHeader"}},
		{"header with an unknown field", header(fmt.Sprintf(sbdh, "") + "<note>1</note>"), 1, []string{incomplete, "warning field_unknown EPCISHeader/note"}},
		{
			"SBDH time", header(fmt.Sprintf(sbdh, "<s:DocumentIdentification><s:CreationDateAndTime>20.11.2026</s:CreationDateAndTime></s:DocumentIdentification>")), 1,
			[]string{"warning time_invalid EPCISHeader/StandardBusinessDocumentHeader/DocumentIdentification/CreationDateAndTime", incomplete},
		},
		{
			"SBDH twice the same", header(fmt.Sprintf(sbdh, "<s:HeaderVersion>1.0</s:HeaderVersion><s:HeaderVersion>2.0</s:HeaderVersion>")), 1,
			[]string{"warning field_repeated EPCISHeader/StandardBusinessDocumentHeader/HeaderVersion", incomplete},
		},
		{"statement not affirmed", statement(""), 1, []string{incomplete, "warning field_missing EPCISHeader/dscsaTransactionStatement/affirmTransactionStatement"}},
		{"statement unclear", statement("<g:affirmTransactionStatement>yes</g:affirmTransactionStatement>"), 1, []string{incomplete, "warning field_invalid EPCISHeader/dscsaTransactionStatement/affirmTransactionStatement"}},
		{"answer to a query", `<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z"><EPCISBody><q:QueryResults><queryName>SimpleEventQuery</queryName><resultsBody><EventList>` + good + `</EventList></resultsBody></q:QueryResults></EPCISBody></q:EPCISQueryDocument>`, 1, nil},
		{
			"master data document", `<m:EPCISMasterDataDocument xmlns:m="urn:epcglobal:epcis-masterdata:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z"><EPCISBody><VocabularyList><Vocabulary type="urn:v"><VocabularyElementList><VocabularyElement/></VocabularyElementList></Vocabulary></VocabularyList></EPCISBody></m:EPCISMasterDataDocument>`, 0,
			[]string{"warning field_missing EPCISBody/VocabularyList/Vocabulary/VocabularyElementList/VocabularyElement"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, tt.doc)
			if diff := cmp.Diff(tt.want, summary(d.Problems)); diff != "" || len(d.Events) != tt.events {
				t.Errorf("%d events; problems (-want +got):\n%s", len(d.Events), diff)
			}
			if strings.Contains(tt.doc, "Header>") && strings.Contains(tt.doc, "s:Standard") && d.Header.SBDH == nil {
				t.Error("the header is lost")
			}
			for _, p := range d.Problems {
				if p.Event != -1 {
					t.Errorf("%s is not a problem of event %d", p, p.Event)
				}
			}
		})
	}
}

// 2.0 has no wrappers; the same reader takes both.
func TestXML2(t *testing.T) {
	doc := strings.Replace(document(`<ObjectEvent>`+when+`<eventID>urn:uuid:1</eventID><certificationInfo>urn:c</certificationInfo>`+
		epcs("epcList", "1")+`<action>ADD</action><bizStep>https://ref.gs1.org/cbv/BizStep-commissioning</bizStep><sourceList><source type="https://ref.gs1.org/cbv/SDT-owning_party">urn:s</source></sourceList><persistentDisposition><unset>urn:epcglobal:cbv:disp:in_transit</unset><set>urn:epcglobal:cbv:disp:active</set></persistentDisposition><ilmd><cbvmda:lotNumber>A</cbvmda:lotNumber></ilmd></ObjectEvent>
		<AssociationEvent>`+when+`<parentID>urn:epc:id:giai:4000001.111</parentID>`+epcs("childEPCs", "1")+`<action>ADD</action></AssociationEvent>`), "xsd:1", "xsd:2", 1)
	d := mustParse(t, doc)
	for _, p := range d.Problems {
		t.Error(p)
	}
	e := &d.Events[0].Event
	if e.EventID != "urn:uuid:1" || e.Lot() != "A" || e.Source(epcis.OwningParty) != "urn:s" || e.Step() != epcis.StepCommissioning ||
		!cmp.Equal(e.PersistentDisposition, &epcis.PersistentDisposition{Set: []string{"urn:epcglobal:cbv:disp:active"}, Unset: []string{"urn:epcglobal:cbv:disp:in_transit"}}) ||
		d.Events[1].Event.Type != "AssociationEvent" || d.Header.Format != "xml-2.0" {
		t.Errorf("%s", dump(t, d))
	}
	// The same fields in 1.2 are read all the same, and reported.
	d = mustParse(t, strings.Replace(doc, "xsd:2", "xsd:1", 1))
	if len(d.Events) != 2 || len(d.Problems) == 0 || d.Rejected != 0 {
		t.Errorf("%d events, %v", len(d.Events), d.Problems)
	}
}

func TestRefusedDocuments(t *testing.T) {
	good := object(when + epcs("epcList", "1") + "<action>OBSERVE</action>")
	utf16doc := func() string {
		b := []byte{0xFF, 0xFE}
		for _, u := range utf16.Encode([]rune(document(good))) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return string(b)
	}
	laughs := `<!DOCTYPE l [<!ENTITY a "lol">` + strings.Repeat(`<!ENTITY b "&a;&a;">`, 30) + `]>`
	for _, tt := range []struct{ name, doc, code string }{
		{"empty", "", epcis.CodeNotEPCIS},
		{"not XML", "hello", epcis.CodeMalformed},
		{"HTML", "<html><body></body></html>", epcis.CodeNotEPCIS},
		{"no namespace", "<EPCISDocument/>", epcis.CodeNotEPCIS},
		{"wrong root", `<Envelope xmlns="urn:epcglobal:epcis:xsd:1"/>`, epcis.CodeNotEPCIS},
		{"a later version", `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:3"/>`, epcis.CodeUnsupportedVersion},
		{"cut off", document(good)[:400], epcis.CodeMalformed},
		{"crossed tags", document("<ObjectEvent><a></ObjectEvent></a>"), epcis.CodeMalformed},
		{"two roots", document(good) + document(good), epcis.CodeMalformed},
		{"text after the root", document(good) + "x", epcis.CodeMalformed},
		{"undeclared prefix", document("<q:a/>"), epcis.CodeMalformed},
		{"undeclared prefix of an attribute", document("<ObjectEvent q:a='1'/>"), epcis.CodeMalformed},
		{"attribute twice", document("<ObjectEvent a='1' a='2'/>"), epcis.CodeMalformed},
		{"attribute twice by namespace", document("<ObjectEvent xmlns:y='http://x.example' x:a='1' y:a='2'/>"), epcis.CodeMalformed},
		{"prefix declared twice", document("<ObjectEvent xmlns:y='a' xmlns:y='b'/>"), epcis.CodeMalformed},
		{"prefix undeclared again", document("<ObjectEvent xmlns:x=''/>"), epcis.CodeMalformed},
		{"XML declaration in the middle", document("<?xml version='1.0'?>"), epcis.CodeMalformed},
		{"billion laughs", laughs + document("&b;"), epcis.CodeMalformed},
		{"external entity", `<!DOCTYPE l SYSTEM "file:///etc/passwd">` + document(""), epcis.CodeMalformed},
		{"unknown entity", document("&nbsp;"), epcis.CodeMalformed},
		{"deep", document(strings.Repeat("<a>", 100_000)), epcis.CodeLimit},
		{"deep extension", document(object(strings.Repeat("<x:a>", 100) + strings.Repeat("</x:a>", 100))), epcis.CodeLimit},
		{"many attributes", document("<ObjectEvent" + func() (s string) {
			for i := range 100 {
				s += fmt.Sprintf(" a%d='1'", i)
			}
			return s
		}() + "/>"), epcis.CodeLimit},
		{"many namespaces in force", document(func() (s string) {
			for i := range 10 {
				s += "<ObjectEvent"
				for j := range 40 {
					s += fmt.Sprintf(" xmlns:n%d_%d='urn:n'", i, j)
				}
				s += ">"
			}
			return s
		}()), epcis.CodeLimit},
		{"many extensions", strings.Replace(document(""), "<EPCISBody>", "<EPCISHeader>"+strings.Repeat("<x:a/>", reading.MaxDocumentNodes+1), 1), epcis.CodeLimit},
		{"huge attribute", document("<ObjectEvent a='" + strings.Repeat("x", 2<<20) + "'/>"), epcis.CodeLimit},
		{"huge comment", document("<!--" + strings.Repeat("x", 2<<20) + "-->"), epcis.CodeLimit},
		{"huge name", document("<" + strings.Repeat("x", 2<<20) + "/>"), epcis.CodeLimit},
		{"NUL", document("<ObjectEvent>\x00</ObjectEvent>"), epcis.CodeMalformed},
		{"control character by reference", document("<ObjectEvent>&#1;</ObjectEvent>"), epcis.CodeMalformed},
		{"not UTF-8", document("<ObjectEvent>\xff</ObjectEvent>"), epcis.CodeMalformed},
		{"UTF-16 that ends in half a character", utf16doc() + "\x20", epcis.CodeMalformed},
		{"UTF-16 declared, but not written", `<?xml version="1.0" encoding="UTF-16"?>` + document(good), epcis.CodeMalformed},
		{"unsupported encoding", `<?xml version="1.0" encoding="Shift_JIS"?>` + document(good), epcis.CodeMalformed},
		{"a byte that windows-1252 does not have", `<?xml version="1.0" encoding="windows-1252"?>` + document("<ObjectEvent>\x81</ObjectEvent>"), epcis.CodeMalformed},
		{"a byte above 127 in ASCII", `<?xml version="1.0" encoding="US-ASCII"?>` + document("<ObjectEvent>\xe9</ObjectEvent>"), epcis.CodeMalformed},
		{"XML 1.1", `<?xml version="1.1"?>` + document(good), epcis.CodeMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse(strings.NewReader(tt.doc), epcis.Options{})
			pe, ok := errors.AsType[*epcis.ParseError](err)
			if !ok || pe.Code != tt.code || pe.Message == "" || pe.Hint == "" || pe.Line < 1 || pe.Column < 1 || d != nil {
				t.Fatalf("want %s, got %#v", tt.code, err)
			}
			if len(err.Error()) > 600 {
				t.Errorf("the error has %d characters", len(err.Error()))
			}
		})
	}
}

func TestHarmlessForms(t *testing.T) {
	good := document(object(when + epcs("epcList", "1") + "<action>OBSERVE</action><x:a>é\n</x:a>"))
	want := mustParse(t, good).Events[0].Event
	for name, doc := range map[string]string{
		"BOM":         "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\n" + good,
		"CRLF":        strings.NewReplacer("><", ">\r\n<", "é\n", "é\r\n").Replace(good),
		"ISO-8859-1":  "<?xml version='1.0' encoding='ISO-8859-1'?>" + strings.ReplaceAll(good, "é", "\xe9"),
		"references":  strings.ReplaceAll(good, "é", "&#233;"),
		"CDATA":       strings.ReplaceAll(good, "é", "<![CDATA[é]]>"),
		"after words": good + "\n<!-- the end --><?pi?>\n",
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(doc), iotest.OneByteReader(strings.NewReader(doc)), iotest.DataErrReader(strings.NewReader(doc))} {
				d, err := Parse(r, epcis.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, d.Events[0].Event); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	many := func(n int) string {
		var serials []string
		for i := range n {
			serials = append(serials, strconv.Itoa(i))
		}
		return object(when + epcs("epcList", serials...) + "<action>OBSERVE</action>")
	}
	d := mustParse(t, document(many(epcis.MaxEPCs)))
	if len(d.Events) != 1 || len(d.Events[0].Event.EPCList) != epcis.MaxEPCs {
		t.Fatal("the largest event is refused")
	}
	// One EPC more: this event is left out, the one behind it is read.
	d = mustParse(t, document(many(epcis.MaxEPCs+1)+many(1)))
	if diff := cmp.Diff([]string{"error event_too_large ObjectEvent[1]"}, summary(d.Problems)); diff != "" || len(d.Events) != 1 || d.Events[0].Index != 1 {
		t.Errorf("%d events; %s", len(d.Events), diff)
	}
	// The same by bytes, wherever they are.
	long := object(when + strings.Repeat("<x:a>"+strings.Repeat("y", 1000)+"</x:a>", 5000))
	d = mustParse(t, document(long+many(1)))
	if diff := cmp.Diff([]string{"error event_too_large ObjectEvent[1]", "warning field_missing ObjectEvent[1]/epcList", "warning field_missing ObjectEvent[1]/action"}, summary(d.Problems)); diff != "" || len(d.Events) != 1 {
		t.Errorf("%d events; %s", len(d.Events), diff)
	}
	// Extensions are larger in memory than in the document.
	d = mustParse(t, document(object(when+strings.Repeat("<x:a/>", reading.MaxEventNodes+1))+many(1)))
	if diff := cmp.Diff([]string{"error event_too_large ObjectEvent[1]", "warning field_missing ObjectEvent[1]/epcList", "warning field_missing ObjectEvent[1]/action"}, summary(d.Problems)); diff != "" || len(d.Events) != 1 {
		t.Errorf("%d events; %s", len(d.Events), diff)
	}
	for name, opt := range map[string]epcis.Options{"events": {MaxEvents: 2}, "bytes": {MaxBytes: 600}} {
		_, err := Parse(strings.NewReader(document(many(1)+many(1)+many(1))), opt)
		if pe, ok := errors.AsType[*epcis.ParseError](err); !ok || pe.Code != epcis.CodeDocumentTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	doc := document(many(1))
	if _, err := Parse(strings.NewReader(doc), epcis.Options{MaxBytes: int64(len(doc))}); err != nil {
		t.Error(err)
	}
	// A list of nonsense does not make a book of problems, and is still an error.
	d = mustParse(t, document(object(when+"<epcList>"+strings.Repeat("<epc z='1'/>", 5000)+"</epcList><action>OBSERVE</action>")))
	if len(d.Problems) != 2*reading.MaxEventProblems+1 || d.Rejected != 1 {
		t.Errorf("%d problems", len(d.Problems))
	}
	d, err := Parse(strings.NewReader(document(strings.Repeat("<ObjectEvent/>", 50))), epcis.Options{MaxProblems: 10})
	if err != nil || len(d.Problems) != 11 || d.Problems[10].Code != epcis.CodeTruncated || d.Rejected != 50 {
		t.Errorf("%v, %d problems", err, len(d.Problems))
	}
}

func TestStream(t *testing.T) {
	doc := strings.Replace(document(object(when+epcs("epcList", "1")+"<action>OBSERVE</action>")+object("")+object(when+epcs("epcList", "2")+"<action>OBSERVE</action><bizStep>x:y</bizStep>")),
		"<EPCISBody>", "<EPCISHeader><x:a>1</x:a></EPCISHeader><EPCISBody>", 1)
	var log []string
	sum, err := Read(strings.NewReader(doc), epcis.Options{}, epcis.Handler{
		Problem: func(p epcis.Problem) error { log = append(log, p.Code); return nil },
		Header:  func(h *epcis.Header) error { log = append(log, "header "+h.Extensions[0].Text); return nil },
		Event:   func(e epcis.EventAt) error { log = append(log, "event "+strconv.Itoa(e.Index)); return nil },
	})
	want := []string{
		epcis.CodeSBDH, "header 1", "event 0", epcis.CodeFieldMissing, epcis.CodeTZMissing, epcis.CodeFieldMissing, epcis.CodeFieldMissing, epcis.CodeEventEmpty,
		epcis.CodeCBVUnknown, "event 2",
	}
	if diff := cmp.Diff(want, log); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if sum.Events != 3 || sum.Rejected != 1 || sum.Format != epcis.FormatXML12 || sum.Root != "EPCISDocument" {
		t.Errorf("summary %+v", sum)
	}

	stop := errors.New("stop")
	for _, h := range []epcis.Handler{
		{Header: func(*epcis.Header) error { return stop }}, {Event: func(epcis.EventAt) error { return stop }}, {Problem: func(epcis.Problem) error { return stop }},
	} {
		if _, err := Read(strings.NewReader(doc), epcis.Options{}, h); !errors.Is(err, stop) {
			t.Error(err)
		}
	}
	if _, err := Parse(iotest.ErrReader(stop), epcis.Options{}); !errors.Is(err, stop) {
		t.Error(err)
	}
	if _, err := Parse(io.MultiReader(strings.NewReader(doc[:500]), iotest.ErrReader(stop)), epcis.Options{}); !errors.Is(err, stop) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(document(object(when + epcs("epcList", "1", "2") + "<action>ADD</action><extension><ilmd><cbvmda:lotNumber>A</cbvmda:lotNumber></ilmd></extension><x:a b='c'>d<e/></x:a>"))))
	f.Add([]byte(document(aggregation(when + "<parentID>" + sscc + "</parentID>" + epcs("childEPCs", "1") + "<action>DELETE</action>"))))
	f.Add([]byte(document("<extension><TransformationEvent>" + when + epcs("inputEPCList", "1") + "</TransformationEvent></extension>")))
	f.Add(sample.Document(2, 3))
	for _, v := range verdicts() {
		f.Add([]byte(v.doc))
	}
	good := object(when + epcs("epcList", "1") + "<action>OBSERVE</action>")
	for _, doc := range []string{
		good, "<!DOCTYPE a>" + strings.Replace(good, "<ObjectEvent>", `<e:ObjectEvent xmlns:e="urn:epcglobal:epcis:xsd:2">`, 1),
		`<s:Envelope xmlns:s="` + xmlns.SOAP11 + `"><s:Header/><s:Body>` + document(good) + `</s:Body></s:Envelope>`,
		`<s:Envelope xmlns:s="` + xmlns.SOAP12 + `"><s:Body><q:QueryResults xmlns:q="urn:epcglobal:epcis-query:xsd:1"><queryName>a</queryName><resultsBody><EventList>` + good + `</EventList></resultsBody></q:QueryResults></s:Body></s:Envelope>`,
		`<m:EPCISMasterDataDocument xmlns:m="urn:epcglobal:epcis-masterdata:xsd:2" schemaVersion="2.0" creationDate="2026-11-20T10:00:00Z"><EPCISBody><VocabularyList><Vocabulary type="urn:v"/></VocabularyList></EPCISBody></m:EPCISMasterDataDocument>`,
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		checkReading(t, b)
	})
}

// checkReading reads any bytes and checks what holds for all of them.
func checkReading(t interface{ Fatalf(string, ...any) }, b []byte) {
	opt := epcis.Options{MaxEPCs: 50, MaxEvents: 50, MaxEventBytes: 4 << 10}
	doc, err := Parse(bytes.NewReader(b), opt)
	if err != nil {
		if _, ok := errors.AsType[*epcis.ParseError](err); !ok {
			t.Fatalf("not a ParseError: %v", err)
		}
		return
	}
	again, err := Parse(iotest.HalfReader(bytes.NewReader(b)), opt)
	if err != nil || !cmp.Equal(doc, again) {
		t.Fatalf("read differently the second time: %v", err)
	}
	bad, schema := map[int]bool{}, false
	for _, p := range doc.Problems {
		schema = schema || p.Schema
		if p.Severity == epcis.SeverityError {
			bad[p.Event] = true
		}
		if p.Line < 1 || p.Column < 1 || p.Code == "" || p.Message == "" {
			t.Fatalf("incomplete problem %+v", p)
		}
	}
	if doc.Summary.SchemaInvalid != schema || doc.Summary.NoSchema && schema {
		t.Fatalf("%+v, but a problem of the schema: %v", doc.Summary, schema)
	}
	for _, e := range doc.Events {
		n := 0
		e.Event.EPCs(func(int, string) bool { n++; return true })
		if bad[e.Index] || n > opt.MaxEPCs {
			t.Fatalf("event %d should have been left out", e.Index)
		}
		for _, p := range epcis.Check(&e.Event) {
			if p.Severity == epcis.SeverityError {
				t.Fatalf("a good event has an error: %s", p)
			}
		}
		if _, err := epcis.EventTimeMillis(&e.Event); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

// Documents of the right words in any order and nesting: nearer to what goes wrong than random bytes.
func TestAnyDocument(t *testing.T) {
	values := []string{
		"", " ", "x", "2026-11-20T06:45:16Z", "2026-11-20T06:45:16", "-05:00", "Z", "ADD", "OBSERVE", "DELETE", unit + "1", unit + "2", sscc,
		"urn:epc:idpat:sgtin:030001.0012345.*", "urn:epcglobal:cbv:bizstep:shipping", "5", "urn:a:b", "<!-- c -->", "&amp;", "<![CDATA[<]]>",
	}
	names := []string{"extension", "baseExtension", "epc", "id", "x:a", "cbvmda:lotNumber", "quantityElement", "bizTransaction", "source", "sensorElement", "sensorReport", "set", "declarationTime", "EventList"}
	for _, n := range field.Names {
		if n != "" {
			names = append(names, n)
		}
	}
	fieldsAndParts := names
	events := []string{"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent", "QuantityEvent", "x:Event", "extension"}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		var element func(names []string, depth int)
		element = func(names []string, depth int) {
			name := rapid.SampledFrom(names).Draw(t, "name")
			b.WriteString("<" + name)
			if rapid.IntRange(0, 5).Draw(t, "attribute") == 0 {
				b.WriteString(rapid.SampledFrom([]string{` type="urn:t"`, ` id=""`, ` x:a="1"`, ` xmlns="urn:epcglobal:epcis:xsd:1"`, ` xmlns="urn:other"`}).Draw(t, "value"))
			}
			b.WriteString(">")
			if depth > 0 {
				for range rapid.IntRange(0, 6).Draw(t, "children") {
					element(fieldsAndParts, depth-1)
				}
			}
			b.WriteString(rapid.SampledFrom(values).Draw(t, "text") + "</" + name + ">")
		}
		for range rapid.IntRange(0, 4).Draw(t, "events") {
			if rapid.Bool().Draw(t, "good") {
				b.WriteString(object(when + epcs("epcList", "1") + "<action>ADD</action>"))
				continue
			}
			element(events, 3)
		}
		checkReading(t, []byte(document(b.String())))
	})
}
