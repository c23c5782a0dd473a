package epcisxml

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/xmlns"
)

// verdict is a document with one thing in question. want is what is told of it, "" if the schema has nothing against it. They
// are compared with xmllint too, by TestXMLLint, so the list is no opinion of ours.
type verdict struct {
	name, doc, want string
}

func doc1(events string) string { return document(events) }

func doc2(events string) string {
	return strings.Replace(document(events), "xsd:1", "xsd:2", 1)
}

func head(version int, header string) string {
	d := strings.Replace(document(""), "<EPCISBody>", "<EPCISHeader>"+header+"</EPCISHeader><EPCISBody>", 1)
	if version == 2 {
		d = strings.Replace(d, "xsd:1", "xsd:2", 1)
	}
	return d
}

const (
	goodSBDH = `<s:StandardBusinessDocumentHeader xmlns:s="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"><s:HeaderVersion>1.0</s:HeaderVersion><s:Sender><s:Identifier Authority="GLN">1</s:Identifier></s:Sender>` +
		`<s:Receiver><s:Identifier>2</s:Identifier></s:Receiver><s:DocumentIdentification><s:Standard>EPCglobal</s:Standard><s:TypeVersion>1.0</s:TypeVersion><s:InstanceIdentifier>3</s:InstanceIdentifier><s:Type>Events</s:Type>` +
		`<s:CreationDateAndTime>2026-11-20T10:00:00Z</s:CreationDateAndTime></s:DocumentIdentification></s:StandardBusinessDocumentHeader>`
	xsi     = ` xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="http://www.w3.org/2001/XMLSchema"`
	observe = `<epcList/><action>OBSERVE</action>`
)

func verdicts() []verdict {
	o1 := func(more string) string { return doc1(object(when + observe + more)) }
	o2 := func(more string) string { return doc2(object(when + observe + more)) }
	time2 := func(s string) string {
		return doc2(object("<eventTime>" + s + "</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>" + observe))
	}
	time1 := func(s string) string {
		return doc1(object("<eventTime>" + s + "</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>" + observe))
	}
	report := func(attrs string) string {
		return o2("<sensorElementList><sensorElement><sensorReport " + attrs + "/></sensorElement></sensorElementList>")
	}
	quantity := func(fields string) string {
		return o2("<quantityList><quantityElement>" + fields + "</quantityElement></quantityList>")
	}
	vocabulary := func(s string) string {
		return head(1, goodSBDH+`<extension><EPCISMasterData><VocabularyList><Vocabulary type="urn:v"><VocabularyElementList>`+s+`</VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension>`)
	}
	query := func(body string) string {
		return `<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" xmlns:e="urn:epcglobal:epcis:xsd:2"` + xsi + ` schemaVersion="2.0" creationDate="2026-11-20T10:00:00Z"><EPCISBody>` + body + `</EPCISBody></q:EPCISQueryDocument>`
	}
	const class = "<epcClass>urn:epc:idpat:sgtin:030001.0012345.*</epcClass>"
	return []verdict{
		// Documents.
		{"1.2", o1(""), ""},
		{"2.0", o2(""), ""},
		{"schemaVersion is no number", strings.Replace(o1(""), `"1.2"`, `"1.2.0"`, 1), "field_invalid "},
		{"creationDate without time", strings.Replace(o1(""), "2026-11-20T10:00:00Z", "2026-11-20", 1), "time_invalid "},
		{"creationDate without zone", strings.Replace(o1(""), "2026-11-20T10:00:00Z", "2026-11-20T10:00:00", 1), ""},
		{"foreign element behind the body", strings.Replace(o1(""), "</EPCISBody>", "</EPCISBody><x:a/>", 1), ""},
		{"extension behind the body", strings.Replace(o1(""), "</EPCISBody>", "</EPCISBody><extension><a/></extension>", 1), ""},
		{"empty extension behind the body", strings.Replace(o1(""), "</EPCISBody>", "</EPCISBody><extension/>", 1), "field_missing extension"},
		{"text in the body", strings.Replace(o1(""), "<EventList>", "text<EventList>", 1), "text_ignored EPCISBody"},
		{"another element in the body", strings.Replace(o1(""), "<EventList>", "<Events/><EventList>", 1), "field_unknown EPCISBody/Events"},
		{"foreign attributes", strings.Replace(o1(""), "<EventList>", "<EventList x:a='1' b='2'>", 1), ""},
		// Headers.
		{"foreign elements in the header of 1.2", head(1, goodSBDH+"<x:a/>"), ""},
		{"foreign elements in the header of 2.0", head(2, goodSBDH+"<x:a/>"), "element_ignored EPCISHeader/a"},
		{"no SBDH in 1.2", head(1, ""), "sbdh_incomplete EPCISHeader"},
		{"no SBDH in 2.0", head(2, ""), ""},
		{"a second SBDH in 1.2 is an element of another namespace", head(1, goodSBDH+goodSBDH), ""},
		{"a second SBDH in 2.0", head(2, goodSBDH+goodSBDH), "field_repeated EPCISHeader/StandardBusinessDocumentHeader"},
		{"SBDH out of order", head(1, strings.Replace(goodSBDH, "<s:HeaderVersion>1.0</s:HeaderVersion>", "", 1)), "sbdh_incomplete EPCISHeader/StandardBusinessDocumentHeader"},
		{"SBDH without sender's identifier", head(1, strings.Replace(goodSBDH, `<s:Identifier Authority="GLN">1</s:Identifier>`, "", 1)), "field_missing EPCISHeader/StandardBusinessDocumentHeader/Sender/Identifier"},
		{"SBDH with another attribute", head(1, strings.Replace(goodSBDH, "Authority=", "Author=", 1)), "attribute_ignored EPCISHeader/StandardBusinessDocumentHeader/Sender/Identifier"},
		{"SBDH with a day for a time", head(1, strings.Replace(goodSBDH, "2026-11-20T10:00:00Z", "2026-11-20", 1)), "time_invalid EPCISHeader/StandardBusinessDocumentHeader/DocumentIdentification/CreationDateAndTime"},
		{"SBDH without namespace", head(1, strings.NewReplacer("s:Receiver", "Receiver").Replace(goodSBDH)), "namespace_unexpected EPCISHeader/StandardBusinessDocumentHeader/Receiver"},
		// Master data.
		{"master data", vocabulary(`<VocabularyElement id="urn:e" x:k="1"><attribute id="urn:a" any="1">text <x:b/></attribute><children><id>urn:f</id></children><x:c/></VocabularyElement>`), ""},
		{"master data without id", vocabulary(`<VocabularyElement><attribute id="urn:a"/></VocabularyElement>`), "field_missing EPCISHeader/extension/EPCISMasterData/VocabularyList/Vocabulary/VocabularyElementList/VocabularyElement"},
		{"attribute without id", vocabulary(`<VocabularyElement id="urn:e"><attribute>1</attribute></VocabularyElement>`), "field_missing EPCISHeader/extension/EPCISMasterData/VocabularyList/Vocabulary/VocabularyElementList/VocabularyElement/attribute"},
		{"no master data at all", vocabulary(""), "field_missing EPCISHeader/extension/EPCISMasterData/VocabularyList/Vocabulary/VocabularyElementList/VocabularyElement"},
		{"children before attributes", vocabulary(`<VocabularyElement id="urn:e"><children/><attribute id="urn:a"/></VocabularyElement>`), "field_order EPCISHeader/extension/EPCISMasterData/VocabularyList/Vocabulary/VocabularyElementList/VocabularyElement/attribute"},
		// Times.
		{"no zone in 1.2", time1("2026-11-20T06:45:16"), ""},
		{"no zone in 2.0", time2("2026-11-20T06:45:16"), "zone_missing ObjectEvent[1]/eventTime"},
		{"midnight in 1.2", time1("2026-11-20T24:00:00Z"), ""},
		{"midnight in 2.0", time2("2026-11-20T24:00:00Z"), "time_invalid ObjectEvent[1]/eventTime"},
		{"many digits", time2("2026-11-20T06:45:16.12345678901234567890Z"), ""},
		{"far zone", time2("2026-11-20T06:45:16+14:00"), ""},
		{"white space around a time", time2(" 2026-11-20T06:45:16Z\n"), "white space"}, // libxml2 would refuse it
		{"recordTime is no time", strings.Replace(o1(""), "<eventTimeZoneOffset>", "<recordTime>now</recordTime><eventTimeZoneOffset>", 1), "time_invalid ObjectEvent[1]/recordTime"},
		// Fields of events.
		{"white space around an action", doc1(object(when + "<epcList/><action>ADD </action>")), "action_invalid ObjectEvent[1]/action"},
		{"white space around an identifier", o1("<bizStep> urn:epcglobal:cbv:bizstep:other\n</bizStep>"), ""},
		{"no URI", o1("<bizStep>urn:a:%</bizStep>"), "CBV_UNKNOWN ObjectEvent[1]/bizStep"},
		{"a URI with spaces", o1("<bizStep>a b</bizStep>"), ""},
		{"empty fields", o1("<bizStep/><disposition></disposition>"), ""},
		{"epcList missing in 1.2", doc1(object(when + "<action>OBSERVE</action>")), "field_missing ObjectEvent[1]/epcList"},
		{"epcList missing in 2.0", doc2(object(when + "<action>OBSERVE</action>")), ""},
		{"an unknown field", o1("<mine>1</mine>"), "field_unknown ObjectEvent[1]/mine"},
		{"a field of one's own", o1("<x:mine>1</x:mine>"), ""},
		{"a field of one's own too early", o1("<x:mine>1</x:mine><bizStep>urn:epcglobal:cbv:bizstep:other</bizStep>"), "field_order ObjectEvent[1]/bizStep"},
		{"attributes of one's own", strings.Replace(o1(""), "<ObjectEvent>", "<ObjectEvent a='1' x:b='2'>", 1), ""},
		{"an attribute on a field", doc1(object(when + "<epcList/><action x:a='1'>OBSERVE</action>")), "attribute_ignored ObjectEvent[1]/action"},
		{"an element in a field", o1("<bizStep>urn:epcglobal:cbv:bizstep:other<a/></bizStep>"), "content_unexpected ObjectEvent[1]/bizStep"},
		{"quantityList outside extension", o1("<quantityList/>"), "field_misplaced ObjectEvent[1]/quantityList"},
		{"empty extension in 1.2", o1("<extension/>"), ""},
		{"empty extension in 2.0", o2("<extension/>"), "field_missing ObjectEvent[1]/extension"},
		{"an extension in 2.0", o2("<extension><x:a/></extension>"), ""},
		{"a standard field in an extension of 2.0", o2("<extension><sourceList/></extension>"), "field_misplaced ObjectEvent[1]/extension/sourceList"},
		{"fields of 2.0 where GS1 puts them in 1.2", o1("<extension><extension><persistentDisposition><set>urn:a:b</set></persistentDisposition></extension></extension>"), ""},
		{"transformation not wrapped", doc1("<TransformationEvent>" + when + epcs("inputEPCList", "1") + epcs("outputEPCList", "2") + "</TransformationEvent>"), "event_misplaced TransformationEvent[1]"},
		{"transformation wrapped in 2.0", doc2("<extension><TransformationEvent>" + when + epcs("inputEPCList", "1") + epcs("outputEPCList", "2") + "</TransformationEvent></extension>"), "event_misplaced TransformationEvent[1]"},
		{"association in 1.2", doc1("<extension><extension><AssociationEvent>" + when + "<parentID>" + sscc + "</parentID>" + epcs("childEPCs", "1") + "<action>ADD</action></AssociationEvent></extension></extension>"), ""},
		{"two events in one extension", doc1("<extension><TransformationEvent>" + when + epcs("inputEPCList", "1") + epcs("outputEPCList", "2") + "</TransformationEvent><TransformationEvent>" + when + epcs("inputEPCList", "1") + epcs("outputEPCList", "2") + "</TransformationEvent></extension>"), "content_unexpected TransformationEvent[2]"},
		{"QuantityEvent in 1.2", doc1("<QuantityEvent>" + when + class + "<quantity>5</quantity></QuantityEvent>"), ""},
		{"QuantityEvent of half a thing", doc1("<QuantityEvent>" + when + class + "<quantity>5.5</quantity></QuantityEvent>"), "field_invalid QuantityEvent[1]/quantity"},
		{"QuantityEvent in 2.0", doc2("<QuantityEvent>" + when + class + "<quantity>5</quantity></QuantityEvent>"), "event_deprecated QuantityEvent[1]"},
		// Lists.
		{"empty quantityList", o2("<quantityList/>"), ""},
		{"empty sourceList", o2("<sourceList/>"), "field_empty ObjectEvent[1]/sourceList"},
		{"source without type", o2("<sourceList><source>urn:a:b</source></sourceList>"), "field_missing ObjectEvent[1]/sourceList/source[1]"},
		{"business transaction without type", o2("<bizTransactionList><bizTransaction>urn:a:b</bizTransaction></bizTransactionList>"), ""},
		{"business transaction with a date", o1("<bizTransactionList><bizTransaction type='urn:t' date='2026-11-20'>urn:a:b</bizTransaction></bizTransactionList>"), "attribute_ignored ObjectEvent[1]/bizTransactionList/bizTransaction"},
		{"quantity is a decimal", quantity(class + "<quantity>200.50</quantity><uom>KGM</uom>"), ""},
		{"quantity below zero", quantity(class + "<quantity>-1</quantity>"), ""},
		{"quantity with an exponent", quantity(class + "<quantity>1e3</quantity>"), "field_invalid ObjectEvent[1]/quantityList/quantityElement[1]"},
		{"quantity is nil", quantity(class + `<quantity` + xsi + ` i:nil="true"/>`), ""},
		{"quantity is empty", quantity(class + `<quantity/>`), "field_empty ObjectEvent[1]/quantityList/quantityElement/quantity"},
		{"uom without quantity", quantity(class + "<uom>KGM</uom>"), "field_missing ObjectEvent[1]/quantityList/quantityElement/quantity"},
		{"quantity without class", quantity("<quantity>1</quantity>"), "field_missing ObjectEvent[1]/quantityList/quantityElement[1]"},
		{"action is nil", doc2(object(when + `<epcList/><action` + xsi + ` i:nil="false">ADD</action>`)), "field_invalid ObjectEvent[1]/action"},
		{"read point without id", o2("<readPoint><x:a/></readPoint>"), "field_missing ObjectEvent[1]/readPoint"},
		{"read point with an extension", o2("<readPoint><id>urn:a:b</id><x:a/></readPoint>"), ""},
		{"read point with its extension first", o2("<readPoint><x:a/><id>urn:a:b</id></readPoint>"), "field_order ObjectEvent[1]/readPoint/id"},
		{"dispositions set", o2("<persistentDisposition><unset>urn:a:b</unset><set>urn:a:c</set></persistentDisposition>"), ""},
		{"dispositions set before unset", o2("<persistentDisposition><set>urn:a:c</set><unset>urn:a:b</unset></persistentDisposition>"), "field_order ObjectEvent[1]/persistentDisposition/unset"},
		{"ilmd without namespace", doc1(object(when + "<epcList/><action>ADD</action><extension><ilmd><lot>1</lot></ilmd></extension>")), "field_unknown ObjectEvent[1]/ilmd/lot"},
		{"attributes on ilmd", doc1(object(when + "<epcList/><action>ADD</action><extension><ilmd a='1'><x:lot b='2'>1</x:lot></ilmd></extension>")), ""},
		{"error declaration in any order in 2.0", doc2(object(`<eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><errorDeclaration><x:a/><reason>urn:a:b</reason><declarationTime>2026-11-20T06:45:16Z</declarationTime></errorDeclaration>` + observe)), ""},
		{"error declaration in any order in 1.2", doc1(object(`<eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><baseExtension><errorDeclaration><reason>urn:a:b</reason><declarationTime>2026-11-20T06:45:16Z</declarationTime></errorDeclaration></baseExtension>` + observe)), "field_order ObjectEvent[1]/baseExtension/errorDeclaration/declarationTime"},
		{"error declaration without time in 1.2", doc1(object(`<eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><baseExtension><errorDeclaration/></baseExtension>` + observe)), "field_missing ObjectEvent[1]/errorDeclaration"},
		{"error declaration without time in 2.0", doc2(object(`<eventTime>2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><errorDeclaration/>` + observe)), ""},
		{"association without parent", doc2("<AssociationEvent>" + when + epcs("childEPCs", "1") + "<action>ADD</action></AssociationEvent>"), "field_missing AssociationEvent[1]/parentID"},
		{"aggregation without parent", doc2(aggregation(when + epcs("childEPCs", "1") + "<action>ADD</action>")), ""},
		// Sensors.
		{"sensor data", report(`type="gs1:Temperature" value="26.0e0" booleanValue="1" hexBinaryValue="F0f0" time="2026-11-20T06:45:16Z" uriValue="urn:a:b" sDev="INF" x:a="1" b="2"`), ""},
		{"sensor value is no number", report(`value="warm"`), "field_invalid ObjectEvent[1]/sensorElementList/sensorElement/sensorReport"},
		{"sensor boolean", report(`booleanValue="yes"`), "field_invalid ObjectEvent[1]/sensorElementList/sensorElement/sensorReport"},
		{"sensor hexadecimal", report(`hexBinaryValue="f"`), "field_invalid ObjectEvent[1]/sensorElementList/sensorElement/sensorReport"},
		{"sensor time without zone", report(`time="2026-11-20T06:45:16"`), "time_invalid ObjectEvent[1]/sensorElementList/sensorElement/sensorReport"},
		{"sensor without report", o2("<sensorElementList><sensorElement><sensorMetadata/></sensorElement></sensorElementList>"), "field_missing ObjectEvent[1]/sensorElementList/sensorElement/sensorReport"},
		{"no sensor", o2("<sensorElementList/>"), "field_missing ObjectEvent[1]/sensorElementList/sensorElement"},
		{"sensor report first", o2("<sensorElementList><sensorElement><sensorReport/><sensorMetadata/></sensorElement></sensorElementList>"), "field_order ObjectEvent[1]/sensorElementList/sensorElement/sensorMetadata"},
		{"sensor attribute", o2("<sensorElementList><sensorElement a='1'><sensorReport/></sensorElement></sensorElementList>"), "attribute_ignored ObjectEvent[1]/sensorElementList/sensorElement"},
		// xsi:type.
		{"an extension of a known type", o1(`<x:a` + xsi + ` i:type="s:integer"> 5 </x:a>`), ""},
		{"an extension of a small type", o1(`<x:a` + xsi + ` i:type="s:byte"> 5 </x:a>`), "white space"}, // libxml2 would refuse it
		{"an extension not of its type", o1(`<x:a` + xsi + ` i:type="s:integer">5.5</x:a>`), "field_invalid ObjectEvent[1]/a"},
		{"an extension of a type that is not declared", o1(`<x:a` + xsi + ` i:type="xs:integer">5</x:a>`), "field_invalid ObjectEvent[1]/a"},
		{"an extension of a type that is not there", o1(`<x:a` + xsi + ` i:type="x:integer">5</x:a>`), "field_invalid ObjectEvent[1]/a"},
		{"deep in an extension", o1(`<x:a` + xsi + `><b><x:c i:type="s:date">tomorrow</x:c></b></x:a>`), "field_invalid ObjectEvent[1]/a/b/c"},
		{"a field of its own type", doc2(object(when + `<epcList/><action` + xsi + ` i:type="epcis:ActionType">ADD</action>`)), ""},
		{"a field of another type", doc2(object(when + `<epcList/><action` + xsi + ` i:type="s:string">ADD</action>`)), "field_invalid ObjectEvent[1]/action"},
		{"a time of a narrower type", doc2(object(`<eventTime` + xsi + ` i:type="epcis:DateTimeStamp">2026-11-20T06:45:16Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>` + observe)), ""},
		// Namespaces.
		{"event with the prefix of the root", doc1("<epcis:ObjectEvent>" + when + observe + "</epcis:ObjectEvent>"), "namespace_unexpected ObjectEvent"},
		// Queries.
		{"query results", query("<q:QueryResults><queryName>SimpleEventQuery</queryName><resultsBody><EventList/></resultsBody></q:QueryResults>"), ""},
		{"query results in no namespace", query("<QueryResults><queryName>SimpleEventQuery</queryName><resultsBody><EventList/></resultsBody></QueryResults>"), "namespace_unexpected EPCISBody/QueryResults"},
		{"query results without name", query("<q:QueryResults><resultsBody><EventList/></resultsBody></q:QueryResults>"), "field_missing EPCISBody/QueryResults/queryName"},
		{"query results without body", query("<q:QueryResults><queryName>a</queryName><resultsBody/></q:QueryResults>"), "field_missing EPCISBody/QueryResults/resultsBody"},
		{"poll", query(`<q:Poll><queryName>a</queryName><params><param><name>n</name><value i:type="q:ArrayOfString"><string>s</string></value></param></params></q:Poll>`), ""},
		{"poll without value", query("<q:Poll><queryName>a</queryName><params><param><name>n</name></param></params></q:Poll>"), "field_missing EPCISBody/Poll/params/param/value"},
		{"an array of something else", query(`<q:Poll><queryName>a</queryName><params><param><name>n</name><value i:type="q:ArrayOfString"><int>1</int></value></param></params></q:Poll>`), "element_ignored EPCISBody/Poll/params/param/value/int"},
		{"nothing asked", query(""), "field_missing EPCISBody"},
		{"two answers", query("<q:GetQueryNames/><q:GetQueryNames/>"), "element_ignored EPCISBody/GetQueryNames"},
		{"white space in what is empty", query("<q:GetQueryNames> </q:GetQueryNames>"), "text_ignored EPCISBody/GetQueryNames"},
		{"an exception", query("<q:ImplementationException><reason>r</reason><severity>ERROR</severity></q:ImplementationException>"), ""},
		{"an exception without severity", query("<q:ImplementationException><reason>r</reason></q:ImplementationException>"), "field_missing EPCISBody/ImplementationException/severity"},
	}
}

// What the schema refuses is told once, at its place.
func TestVerdicts(t *testing.T) {
	for _, v := range verdicts() {
		t.Run(v.name, func(t *testing.T) {
			var told []string
			sum, err := Read(strings.NewReader(v.doc), epcis.Options{}, epcis.Handler{Problem: func(p epcis.Problem) error {
				if p.Schema {
					told = append(told, p.Code+" "+strings.TrimPrefix(p.Path, "EPCISBody/EventList/"))
				}
				if p.Line < 1 || p.Column < 1 || p.Message == "" || p.Hint == "" {
					t.Errorf("incomplete: %+v", p)
				}
				if kept := !strings.Contains(p.Hint, "not kept"); strings.Contains(p.Hint, "known harmless deviation; ") != (p.Schema && p.Severity == epcis.SeverityWarning && kept) {
					t.Errorf("not named as a deviation, or wrongly: %s", p)
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			switch v.want {
			case "", "white space":
			default:
				want = []string{v.want}
			}
			if d := cmp.Diff(want, told); d != "" || sum.SchemaInvalid != (want != nil) {
				t.Errorf("SchemaInvalid %v; (-want +told):\n%s", sum.SchemaInvalid, d)
			}
		})
	}
}

// An event that stands alone, as partners' tools write it.
func TestBareEvents(t *testing.T) {
	const ns1, ns2 = ` xmlns:e="urn:epcglobal:epcis:xsd:1"`, ` xmlns:e="urn:epcglobal:epcis:xsd:2"`
	good := when + epcs("epcList", "1") + "<action>OBSERVE</action>"
	wrapped := good + "<extension><quantityList><quantityElement><epcClass>urn:epc:idpat:sgtin:030001.0012345.*</epcClass></quantityElement></quantityList></extension>"
	for _, tt := range []struct {
		name, doc, root string
		format          epcis.Format
		want            []string
	}{
		{"no namespace", "<ObjectEvent>" + good + "</ObjectEvent>", "ObjectEvent", epcis.FormatXML2, nil},
		{"no namespace, 1.2 by its wrappers", "<ObjectEvent>" + wrapped + "</ObjectEvent>", "ObjectEvent", epcis.FormatXML12, nil},
		{"namespace declared", "<ObjectEvent" + ns1 + ">" + wrapped + "</ObjectEvent>", "ObjectEvent", epcis.FormatXML12, nil},
		{"prefix of 2.0", "<e:ObjectEvent" + ns2 + " schemaVersion='2.0' creationDate='2026-11-20T10:00:00Z'>" + good + "</e:ObjectEvent>", "ObjectEvent", epcis.FormatXML2, []string{"warning namespace_unexpected ObjectEvent"}},
		{"version told", "<ObjectEvent schemaVersion='1.1'>" + wrapped + "</ObjectEvent>", "ObjectEvent", epcis.FormatXML1, nil},
		{"transformation of 1.2", "<TransformationEvent" + ns1 + ">" + when + epcs("inputEPCList", "1") + epcs("outputEPCList", "2") + "</TransformationEvent>", "TransformationEvent", epcis.FormatXML12, nil},
		{"out of order", "<ObjectEvent" + ns2 + "><action>OBSERVE</action>" + when + epcs("epcList", "1") + "</ObjectEvent>", "ObjectEvent", epcis.FormatXML2, []string{"warning field_order ObjectEvent/eventTime"}},
		{"a declaration of nothing", "<?xml version='1.0'?><!DOCTYPE project>\n<ObjectEvent" + ns2 + ">" + good + "</ObjectEvent>", "ObjectEvent", epcis.FormatXML2, []string{"warning doctype_ignored "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, tt.doc)
			if diff := cmp.Diff(tt.want, summary(d.Problems)); diff != "" || len(d.Events) != 1 || d.Events[0].Event.Type != tt.root {
				t.Errorf("%d events; problems (-want +got):\n%s", len(d.Events), diff)
			}
			want := epcis.Summary{Format: tt.format, Root: tt.root, Events: 1, NoSchema: true}
			if diff := cmp.Diff(want, d.Summary); diff != "" {
				t.Error(diff)
			}
			for _, p := range d.Problems {
				if p.Schema {
					t.Errorf("there is no schema for it: %s", p)
				}
			}
		})
	}
}

// SOAP messages are looked through.
func TestEnvelope(t *testing.T) {
	good := object(when + observe)
	results := `<q:QueryResults xmlns:q="urn:epcglobal:epcis-query:xsd:1"><queryName>SimpleEventQuery</queryName><subscriptionID>7</subscriptionID><resultsBody><EventList>` + good + `</EventList></resultsBody></q:QueryResults>`
	wrap := func(ns, header, body string) string {
		return `<?xml version="1.0"?><s:Envelope xmlns:s="` + ns + `" xmlns:w="urn:w">` + header + "<s:Body>\n" + body + "\n</s:Body></s:Envelope>\n"
	}
	for _, tt := range []struct {
		name, doc, root string
		invalid         bool
	}{
		{"document in SOAP 1.1", wrap(xmlns.SOAP11, "", doc1(good)), "EPCISDocument", false},
		{"document in SOAP 1.2, with a header", wrap(xmlns.SOAP12, "<s:Header><w:Security><w:a/></w:Security></s:Header>", doc2(good)), "EPCISDocument", false},
		{"answer to a poll", wrap(xmlns.SOAP11, "", results), "QueryResults", false},
		{"query document", wrap(xmlns.SOAP11, "", `<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z"><EPCISBody>`+results+`</EPCISBody></q:EPCISQueryDocument>`), "EPCISQueryDocument", false},
		{"what the schema refuses", wrap(xmlns.SOAP11, "", doc1(object(when+"<action>OBSERVE</action>"))), "EPCISDocument", true},
		{"results without envelope", results, "QueryResults", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, tt.doc)
			if len(d.Events) != 1 || d.Summary.Root != tt.root || d.Summary.SchemaInvalid != tt.invalid || d.Summary.NoSchema {
				t.Errorf("%d events, %+v, %v", len(d.Events), d.Summary, d.Problems)
			}
		})
	}
	for name, tt := range map[string]struct{ doc, message string }{
		"fault":       {wrap(xmlns.SOAP11, "", "<s:Fault><faultcode>s:Server</faultcode></s:Fault>"), "fault"},
		"empty":       {wrap(xmlns.SOAP11, "", ""), "empty body"},
		"a poll":      {wrap(xmlns.SOAP11, "", `<q:Poll xmlns:q="urn:epcglobal:epcis-query:xsd:1"><queryName>SimpleEventQuery</queryName><params/></q:Poll>`), "<Poll>"},
		"bare poll":   {`<q:Poll xmlns:q="urn:epcglobal:epcis-query:xsd:2"/>`, "<Poll>"},
		"other body":  {wrap(xmlns.SOAP11, "", "<w:a/>"), "urn:w"},
		"no envelope": {`<s:Body xmlns:s="` + xmlns.SOAP11 + `"/>`, "<Envelope>"},
	} {
		_, err := Parse(strings.NewReader(tt.doc), epcis.Options{})
		pe, ok := errors.AsType[*epcis.ParseError](err)
		if !ok || pe.Code != epcis.CodeNotEPCIS || !strings.Contains(pe.Message, tt.message) || pe.Hint == "" || pe.Line < 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A document of any length is read in the memory of one event, extensions and all.
func TestLongDocumentsStream(t *testing.T) {
	event := []byte(object(when + epcs("epcList", "1") + "<action>ADD</action>" + strings.Repeat("<x:a/>", 1000)))
	start, end, _ := strings.Cut(document("|"), "|")
	const n = 1100 // more than maxDocumentNodes in all
	readers := []io.Reader{strings.NewReader(start)}
	for range n {
		readers = append(readers, bytes.NewReader(event))
	}
	readers = append(readers, strings.NewReader(end))
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	events := 0
	sum, err := Read(io.MultiReader(readers...), epcis.Options{MaxBytes: 1 << 30}, epcis.Handler{
		Event: func(epcis.EventAt) error {
			if events++; events%400 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&during)
				most = max(most, during.HeapAlloc)
			}
			return nil
		},
		Problem: func(p epcis.Problem) error { return errors.New(p.String()) },
	})
	if err != nil || sum.Events != n || sum.SchemaInvalid {
		t.Fatalf("%+v, %v", sum, err)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes while %d were read", grown, n*len(event))
	}
}

// What is wrong by our rules alone is no matter of the schema, however bad.
func TestErrorsThatNoSchemaKnows(t *testing.T) {
	for name, events := range map[string]string{
		epcis.CodeEPCDuplicate:   object(when + epcs("epcList", "1", "1") + "<action>OBSERVE</action>"),
		epcis.CodeEPCInvalid:     object(when + "<epcList><epc>urn:epc:id:sgtin:0300.0012345.1</epc></epcList><action>OBSERVE</action>"),
		epcis.CodeILMDNotAllowed: object(when + epcs("epcList", "1") + "<action>OBSERVE</action><extension><ilmd><x:a/></ilmd></extension>"),
		epcis.CodeExpiryInvalid:  object(when + epcs("epcList", "1") + "<action>ADD</action><extension><ilmd><cbvmda:itemExpirationDate>2028-02-30</cbvmda:itemExpirationDate></ilmd></extension>"),
		epcis.CodeFieldMissing:   aggregation(when + epcs("childEPCs", "1") + "<action>ADD</action>"),
		epcis.CodeEventInvalid:   aggregation(when + "<parentID>" + sscc + "</parentID><childEPCs><epc>" + sscc + "</epc></childEPCs><action>ADD</action>"),
		epcis.CodeOffsetInvalid:  object("<eventTime>2026-11-20T00:00:00Z</eventTime><eventTimeZoneOffset>Z</eventTimeZoneOffset>" + observe),
		epcis.CodeFieldInvalid:   object(when + observe + "<extension><quantityList><quantityElement><epcClass>urn:epc:idpat:sgtin:030001.0012345.*</epcClass><quantity>-1</quantity></quantityElement></quantityList></extension>"),
	} {
		d := mustParse(t, document(events))
		if d.Rejected != 1 || d.Summary.SchemaInvalid {
			t.Errorf("%s: %d events rejected, %+v", name, d.Rejected, d.Summary)
		}
		found := false
		for _, p := range d.Problems {
			found = found || p.Code == name && p.Severity == epcis.SeverityError
			if p.Schema {
				t.Errorf("%s: the schema has nothing against it: %s", name, p)
			}
		}
		if !found {
			t.Errorf("no %s: %v", name, d.Problems)
		}
	}
}
