package epcisdoc

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
	"verilot.dev/epcis/eventhash"
	"verilot.dev/epcis/internal/sample"
)

// Documents of the field, after public reports: what must not be passed over, what is kept, what is told. Each is one of a
// kind, of which the tables below have more.

const (
	xmlHead  = `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" xmlns:x="https://x.example/ns" xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="1.2" creationDate="2026-11-11T00:00:00Z">`
	xmlTail  = `</e:EPCISDocument>`
	xmlTimes = `<eventTime>2026-11-10T09:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>`
	xmlEvent = `<ObjectEvent>` + xmlTimes + `<epcList><epc>urn:epc:id:sgtin:0390777.012345.A1</epc></epcList><action>OBSERVE</action></ObjectEvent>`
	xmlList  = `<EventList>` + xmlEvent + `</EventList>`

	jsonHead  = `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://ex.example/ns/"}],"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-12T00:00:00Z",`
	jsonEvent = `{"type":"ObjectEvent","eventTime":"2026-11-10T11:00:00Z","eventTimeZoneOffset":"+02:00","epcList":["urn:epc:id:sgtin:0390777.012345.A1"],"action":"OBSERVE"}`
)

// xmlWith is a document with one event of these fields behind its action.
func xmlWith(fields string) string {
	return xmlHead + `<EPCISBody><EventList>` + strings.Replace(xmlEvent, "</ObjectEvent>", fields+"</ObjectEvent>", 1) + `</EventList></EPCISBody>` + xmlTail
}

func jsonWith(members string) string {
	return jsonHead + `"epcisBody":{"eventList":[` + strings.TrimSuffix(jsonEvent, "}") + `,` + members + `}]}}`
}

func fieldCase(tb testing.TB, name string) string {
	tb.Helper()
	b, err := os.ReadFile(sample.Path("../cases/field/" + name))
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("the field cases are needed in CI: %v", err)
		}
		tb.Skipf("the field cases are not beside the repository: %v", err)
	}
	return string(b)
}

// told is "severity code" of each problem.
func told(list []epcis.Problem) (told []string) {
	for _, p := range list {
		told = append(told, string(p.Severity)+" "+p.Code)
	}
	return told
}

type verdict struct {
	events int    // that are handed over
	want   string // among what is told; "" for nothing but what the schema says
	says   string // in a message or hint
	check  func(*epcis.Document) bool
}

func (v *verdict) judge(t *testing.T, doc string) {
	t.Helper()
	d, err := Parse(strings.NewReader(doc), epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Events) != v.events || v.want != "" && !slices.Contains(told(d.Problems), v.want) {
		t.Errorf("%d events, told %q; want %d, %q\n%v", len(d.Events), told(d.Problems), v.events, v.want, d.Problems)
	}
	if v.want == "" && len(d.Problems) > 0 {
		t.Errorf("told %v", d.Problems)
	}
	if v.says != "" && !slices.ContainsFunc(d.Problems, func(p epcis.Problem) bool { return strings.Contains(p.String(), v.says) }) {
		t.Errorf("nobody says %q:\n%v", v.says, d.Problems)
	}
	if v.check != nil && len(d.Events) == v.events && !v.check(d) {
		t.Errorf("read as %+v", d)
	}
}

func TestFieldCases(t *testing.T) {
	unit := func(serials ...string) func(*epcis.Document) bool {
		return func(d *epcis.Document) bool {
			return slices.EqualFunc(d.Events, serials, func(e epcis.EventAt, s string) bool {
				return slices.Equal(e.Event.EPCList, []string{"urn:epc:id:sgtin:0390777.012345." + s})
			})
		}
	}
	for name, v := range map[string]verdict{
		"k1a-event-beside-eventlist.xml":      {2, "warning event_misplaced", "", func(d *epcis.Document) bool { return d.Events[1].Event.Destination(epcis.OwningParty) != "" }},
		"k1b-body-lowercase.xml":              {1, "warning field_unknown", "was EPCISBody meant? It was read as EPCISBody", unit("A1")},
		"k1c-second-eventlist-lowercase.json": {1, "error field_repeated", "eventlist", nil},
		"k1d-second-epclist-wrong-case.xml":   {0, "error field_repeated", "EPCList", nil},
		"k1e-destinationlist-wrong-case.xml": {2, "warning field_unknown", "It was read as destinationList", func(d *epcis.Document) bool {
			return d.Events[1].Event.Destination(epcis.OwningParty) == "urn:epc:id:sgln:0390900.00001.0"
		}},
		"k1f-querydoc-results-at-root.xml":  {1, "warning field_misplaced", "", func(d *epcis.Document) bool { return d.Header.Query.Name == "SimpleEventQuery" }},
		"k2a-queryresults-extension.json":   {1, "", "", func(d *epcis.Document) bool { return len(eventhash.IgnoredFields(&d.Header)) == 1 }},
		"k2b-root-attribute.xml":            {1, "warning sbdh_incomplete", "", nil},
		"k3a-same-eventid-two-events.xml":   {1, "error event_id_repeated", "", nil},
		"k5a-destination-type-misspelt.xml": {2, "warning CBV_UNKNOWN", "was owning_party meant?", nil},
		"k6a-epc-scheme-misspelt.xml":       {0, "error epc_invalid", "was urn:epc:id:sgtin:0390777.012345.D2 meant?", nil},
		"k7a-class-in-epclist.xml":          {0, "error epc_class", "", nil},
		"k8a-curie-bizstep.xml":             {1, "", "", func(d *epcis.Document) bool { return d.Events[0].Event.Step() == epcis.StepCommissioning }},
		"k8b-foreign-step.xml":              {1, "warning CBV_UNKNOWN", "was commissioning meant?", func(d *epcis.Document) bool { return d.Events[0].Event.Step() != epcis.StepCommissioning }},
		"k10a-utf16.xml":                    {1, "", "", unit("G1")},
		"k13a-eventid-not-a-uri.xml":        {1, "warning id_invalid", "is no URI", func(d *epcis.Document) bool { return d.Events[0].Event.EventID == "1234" }},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "k2b-root-attribute.xml" {
				v.want = ""
			}
			v.judge(t, fieldCase(t, name))
		})
	}
}

// Kind 1: what is misspelt or misplaced is read as meant where it can mean one thing, else it is an error.
func TestMisspeltAndMisplaced(t *testing.T) {
	one := func(ok func(*epcis.Event) bool) func(*epcis.Document) bool {
		return func(d *epcis.Document) bool { return ok(&d.Events[0].Event) }
	}
	parties := `<SourceList><source Type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:sgln:0390777.00001.0</source></SourceList>`
	for _, tt := range []struct {
		name, doc string
		verdict
	}{
		{"events in the root", xmlHead + xmlList + xmlTail, verdict{1, "warning field_misplaced", "", nil}},
		{"an event in the root", xmlHead + xmlEvent + xmlTail, verdict{1, "warning event_misplaced", "", nil}},
		{"events in the header", xmlHead + `<EPCISHeader>` + xmlList + `</EPCISHeader><EPCISBody><EventList/></EPCISBody>` + xmlTail, verdict{1, "warning field_misplaced", "", nil}},
		{"events in the extension of the body", xmlHead + `<EPCISBody><extension>` + xmlList + `</extension></EPCISBody>` + xmlTail, verdict{1, "warning field_misplaced", "", nil}},
		{"a list in the singular of its case", xmlHead + `<EPCISBody><eventlist>` + xmlEvent + `</eventlist></EPCISBody>` + xmlTail, verdict{1, "warning field_unknown", "was EventList meant?", nil}},
		{"a list in the plural", xmlHead + `<EPCISBody><EventLists>` + xmlEvent + `</EventLists></EPCISBody>` + xmlTail, verdict{1, "warning field_unknown", "was EventList meant?", nil}},
		{"one letter wrong", xmlHead + `<EPCISBdoy>` + xmlList + `</EPCISBdoy>` + xmlTail, verdict{1, "warning field_unknown", "was EPCISBody meant?", nil}},
		{"in the namespace of EPCIS", xmlHead + `<e:epcisbody>` + xmlList + `</e:epcisbody>` + xmlTail, verdict{1, "warning field_unknown", "was EPCISBody meant?", nil}},
		{"a name nobody knows, with events", xmlHead + `<EPCISBody><Batch>` + xmlEvent + `</Batch></EPCISBody>` + xmlTail, verdict{0, "error element_ignored", "holds ObjectEvent", nil}},
		{"a name nobody knows, with an identifier", xmlHead + `<EPCISBody><EventList/><Items>urn:epc:id:sgtin:0390777.012345.A1</Items></EPCISBody>` + xmlTail, verdict{0, "error element_ignored", "", nil}},
		{"a name nobody knows, with neither", xmlHead + `<EPCISBody>` + xmlList + `<Note>hello</Note></EPCISBody>` + xmlTail, verdict{1, "warning field_unknown", "it was kept", func(d *epcis.Document) bool { return d.Header.Extensions[0].Text == "hello" }}},
		{"an extension of somebody's own with an event", xmlHead + `<EPCISBody>` + xmlList + `<x:old>` + xmlEvent + `</x:old></EPCISBody>` + xmlTail, verdict{1, "warning event_misplaced", "it was kept", nil}},
		{"an extension of somebody's own", xmlHead + `<EPCISBody>` + xmlList + `<x:unit>urn:epc:id:sgtin:0390777.012345.A1</x:unit></EPCISBody>` + xmlTail, verdict{1, "", "", func(d *epcis.Document) bool { return len(d.Header.Extensions) == 1 }}},
		{"an extension of an event list", strings.Replace(strings.Replace(xmlHead+`<EPCISBody><EventList>`+xmlEvent+`<extension><x:note>n</x:note></extension></EventList></EPCISBody>`+xmlTail, "xsd:1", "xsd:2", 1), `"1.2"`, `"2.0"`, 1), verdict{1, "", "", func(d *epcis.Document) bool { return d.Header.Extensions[0].Name == "note" }}},
		{"SOAP", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:body>` + xmlHead + `<EPCISBody>` + xmlList + `</EPCISBody>` + xmlTail + `</s:body></s:Envelope>`, verdict{1, "warning field_unknown", "was Body meant?", nil}},
		{"SOAP with events in its header", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>` + xmlList + `</s:Header><s:Body>` + xmlHead + `<EPCISBody>` + xmlList + `</EPCISBody>` + xmlTail + `</s:Body></s:Envelope>`, verdict{1, "error element_ignored", "", nil}},
		{"two documents in SOAP", `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + xmlHead + `<EPCISBody>` + xmlList + `</EPCISBody>` + xmlTail + xmlHead + `<EPCISBody>` + xmlList + `</EPCISBody>` + xmlTail + `</s:Body></s:Envelope>`, verdict{1, "error element_ignored", "", nil}},

		{"a field in lower case", xmlWith(`<bizstep>urn:epcglobal:cbv:bizstep:shipping</bizstep>`), verdict{1, "warning field_unknown", "was bizStep meant? It was read", one(func(e *epcis.Event) bool { return e.Step() == epcis.StepShipping })}},
		{"a field with an underscore", xmlWith(`<biz_step>urn:epcglobal:cbv:bizstep:shipping</biz_step>`), verdict{1, "warning field_unknown", "was bizStep meant?", one(func(e *epcis.Event) bool { return e.Step() == epcis.StepShipping })}},
		{"a field in the plural, its item in capitals", xmlWith(`<readPoints><ID>urn:epc:id:sgln:0390777.00001.0</ID></readPoints>`), verdict{1, "warning field_unknown", "was id meant?", one(func(e *epcis.Event) bool { return e.ReadPoint != nil && e.ReadPoint.ID != "" })}},
		{"a list and an attribute in capitals", xmlWith(`<extension>` + parties + `</extension>`), verdict{1, "warning field_unknown", "was type meant?", one(func(e *epcis.Event) bool { return e.Source(epcis.OwningParty) != "" })}},
		{"a wrapper in capitals", xmlWith(`<Extension>` + strings.NewReplacer("SourceList", "sourceList", "Type", "type").Replace(parties) + `</Extension>`), verdict{1, "warning field_unknown", "was extension meant?", one(func(e *epcis.Event) bool { return e.Source(epcis.OwningParty) != "" })}},
		{"the right field beside it", xmlWith(`<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep><bizstep>urn:epcglobal:cbv:bizstep:receiving</bizstep>`), verdict{0, "error field_repeated", "", nil}},
		{"the right field behind it", xmlWith(`<bizstep>urn:epcglobal:cbv:bizstep:shipping</bizstep><bizStep>urn:epcglobal:cbv:bizstep:receiving</bizStep>`), verdict{0, "error field_repeated", "", nil}},
		{"a list nobody knows", xmlWith(`<EPCs><epc>urn:acme:item:1</epc></EPCs>`), verdict{0, "error field_unknown", "holds <epc>", nil}},
		{"a field nobody knows", xmlWith(`<weather>fine</weather>`), verdict{1, "warning field_unknown", "it was kept", one(func(e *epcis.Event) bool { return len(e.Extensions) == 1 })}},
		{"a lot in other letters", strings.Replace(xmlWith(`<extension><ilmd><cbvmda:LotNumber>L1</cbvmda:LotNumber></ilmd></extension>`), "OBSERVE", "ADD", 1), verdict{1, "warning field_unknown", "was lotNumber meant?", one(func(e *epcis.Event) bool { return e.Lot() == "L1" })}},
		{"two lots", strings.Replace(xmlWith(`<extension><ilmd><cbvmda:lotNumber>L1</cbvmda:lotNumber><cbvmda:lotnumber>L2</cbvmda:lotnumber></ilmd></extension>`), "OBSERVE", "ADD", 1), verdict{0, "error field_repeated", "", nil}},

		{"JSON: the body in capitals", jsonHead + `"EPCISBody":{"eventList":[` + jsonEvent + `]}}`, verdict{1, "warning field_unknown", "was epcisBody meant?", nil}},
		{"JSON: events in the root", jsonHead + `"eventList":[` + jsonEvent + `]}`, verdict{1, "warning field_misplaced", "", nil}},
		{"JSON: events in the header", jsonHead + `"epcisHeader":{"eventList":[` + jsonEvent + `]},"epcisBody":{"ex:none":1}}`, verdict{1, "warning field_misplaced", "", nil}},
		{"JSON: results in the root", strings.Replace(jsonHead, "EPCISDocument", "EPCISQueryDocument", 1) + `"queryName":"q","resultsBody":{"eventList":[` + jsonEvent + `]}}`, verdict{1, "warning field_misplaced", "", nil}},
		{"JSON: results in the body", strings.Replace(jsonHead, "EPCISDocument", "EPCISQueryDocument", 1) + `"epcisBody":{"resultsBody":{"eventlist":[` + jsonEvent + `]}}}`, verdict{1, "warning field_unknown", "was eventList meant?", nil}},
		{"JSON: written out", jsonHead + `"epcisBody":{"epcis:eventList":[` + jsonEvent + `]}}`, verdict{1, "warning field_unknown", "was eventList meant?", nil}},
		{"JSON: a name nobody knows, with events", jsonHead + `"epcisBody":{"eventList":[],"batch":[` + jsonEvent + `]}}`, verdict{0, "error element_ignored", "holds ObjectEvent", nil}},
		{"JSON: in the root", jsonHead + `"batch":[` + jsonEvent + `],"epcisBody":{"eventList":[]}}`, verdict{0, "error element_ignored", "", nil}},
		{"JSON: with an identifier", jsonHead + `"epcisBody":{"eventList":[],"units":["https://id.gs1.org/01/00390777123454/21/A1"]}}`, verdict{0, "error element_ignored", "", nil}},
		{"JSON: with neither", jsonHead + `"epcisBody":{"eventList":[` + jsonEvent + `],"note":"hello"}}`, verdict{1, "warning field_unknown", "it was kept", func(d *epcis.Document) bool { return d.Header.Extensions[0].Text == "hello" }}},
		{"JSON: an extension of somebody's own", jsonHead + `"epcisBody":{"eventList":[` + jsonEvent + `],"ex:unit":"urn:epc:id:sgtin:0390777.012345.A1"}}`, verdict{1, "", "", func(d *epcis.Document) bool { return len(d.Header.Extensions) == 1 }}},
		{"JSON: master data in the body", jsonHead + `"epcisBody":{"eventList":[` + jsonEvent + `],"vocabularyList":[{"type":"urn:t","vocabularyElementList":[{"id":"urn:e"}]}]}}`, verdict{1, "warning field_misplaced", "", func(d *epcis.Document) bool { return len(d.Header.Vocabularies) == 1 }}},
		{"JSON: a field in lower case", jsonWith(`"bizstep":"shipping"`), verdict{1, "warning field_unknown", "was bizStep meant?", one(func(e *epcis.Event) bool { return e.Step() == epcis.StepShipping })}},
		{"JSON: a field written out", jsonWith(`"epcis:bizStep":"shipping"`), verdict{1, "warning field_unknown", "was bizStep meant?", one(func(e *epcis.Event) bool { return e.Step() == epcis.StepShipping })}},
		{"JSON: a list in capitals", jsonWith(`"DestinationList":[{"Type":"owning_party","Destination":"urn:epc:id:sgln:0390900.00001.0"}]`), verdict{1, "warning field_unknown", "was destinationList meant?", one(func(e *epcis.Event) bool { return e.Destination(epcis.OwningParty) != "" })}},
		{"JSON: the right field beside it", jsonWith(`"EPCList":["urn:epc:id:sgtin:0390777.012345.A2"]`), verdict{0, "error field_repeated", "", nil}},
		{"JSON: a list nobody knows", jsonWith(`"items":["urn:epc:id:sgtin:0390777.012345.A2"]`), verdict{0, "error field_unknown", "holds", nil}},
		{"JSON: a lookalike nobody knows", jsonWith(`"items":["sgtin:0390777.012345.A2"]`), verdict{0, "error field_unknown", "holds", nil}},
		{"JSON: a place in capitals", jsonWith(`"readPoint":{"ID":"urn:epc:id:sgln:0390777.00001.0"}`), verdict{1, "warning field_unknown", "was id meant?", one(func(e *epcis.Event) bool { return e.ReadPoint != nil && e.ReadPoint.ID != "" })}},
		{"JSON: a bare event with a misspelt field first", `{"Action":"OBSERVE",` + strings.Replace(jsonEvent[1:], `,"action":"OBSERVE"`, "", 1), verdict{1, "warning field_unknown", "was action meant?", one(func(e *epcis.Event) bool { return e.Action == "OBSERVE" })}},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.judge(t, tt.doc) })
	}
}

// Kind 2: what the schema allows around events and on elements is kept, compared and written, or told as a loss.
func TestNothingIsDropped(t *testing.T) {
	for name, doc := range map[string]string{
		"attribute of the root":        strings.Replace(xmlHead, "schemaVersion", `x:batch="K1" schemaVersion`, 1) + `<EPCISBody>` + xmlList + `</EPCISBody>` + xmlTail,
		"attribute of the body":        xmlHead + `<EPCISBody x:batch="K1">` + xmlList + `</EPCISBody>` + xmlTail,
		"attribute of the event list":  xmlHead + `<EPCISBody><EventList x:batch="K1">` + xmlEvent + `</EventList></EPCISBody>` + xmlTail,
		"attribute of an event":        xmlHead + `<EPCISBody>` + strings.Replace(xmlList, "<ObjectEvent>", `<ObjectEvent x:batch="K1">`, 1) + `</EPCISBody>` + xmlTail,
		"attribute of an ILMD":         strings.Replace(xmlWith(`<extension><ilmd x:batch="K1"><cbvmda:lotNumber>L1</cbvmda:lotNumber></ilmd></extension>`), "OBSERVE", "ADD", 1),
		"attribute of a place":         xmlWith(`<readPoint x:batch="K1"><id>urn:epc:id:sgln:0390777.00001.0</id></readPoint>`),
		"attribute of an EPC":          strings.Replace(xmlWith(""), "<epc>", `<epc x:batch="K1">`, 1),
		"attribute of a time":          strings.Replace(xmlWith(""), "<eventTime>", `<eventTime x:batch="K1">`, 1),
		"element of the body":          xmlHead + `<EPCISBody>` + xmlList + `<x:batch>K1</x:batch></EPCISBody>` + xmlTail,
		"text in a list":               strings.Replace(xmlWith(""), "<epcList>", `<epcList>batch K1`, 1),
		"JSON: member of the body":     jsonHead + `"epcisBody":{"ex:batch":"K1","eventList":[` + jsonEvent + `]}}`,
		"JSON: member of the results":  strings.Replace(jsonHead, "EPCISDocument", "EPCISQueryDocument", 1) + `"epcisBody":{"queryResults":{"queryName":"q","ex:batch":"K1","resultsBody":{"ex:batch":"K2","eventList":[` + jsonEvent + `]}}}}`,
		"JSON: member of master data":  jsonHead + `"epcisHeader":{"epcisMasterData":{"vocabularyList":[],"ex:batch":"K1"}},"epcisBody":{"eventList":[` + jsonEvent + `]}}`,
		"JSON: member of an attribute": jsonHead + `"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"urn:t","vocabularyElementList":[{"id":"urn:e","attributes":[{"id":"urn:a","attribute":"v","ex:batch":"K1"}]}]}]}},"epcisBody":{"eventList":[` + jsonEvent + `]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			before, err := Parse(strings.NewReader(doc), epcis.Options{})
			if err != nil {
				t.Fatal(err)
			}
			other, err := Parse(strings.NewReader(strings.NewReplacer("K1", "K9", "batch K1", "").Replace(doc)), epcis.Options{})
			if err != nil {
				t.Fatal(err)
			}
			lost := func(list []epcis.Problem) bool {
				return slices.ContainsFunc(list, func(p epcis.Problem) bool { return p.Dropped || p.Code == epcis.CodeNotConvertible && !p.Schema })
			}
			if len(diff.Documents(before, other)) == 0 && !lost(before.Problems) {
				t.Error("a document that says something else is equal")
			}
			for _, format := range allFormats {
				var b bytes.Buffer
				_, problems, err := Convert(strings.NewReader(doc), &b, epcis.Options{}, epcis.WriteOptions{Format: format})
				if err != nil {
					t.Fatal(err)
				}
				after, err := Parse(bytes.NewReader(b.Bytes()), epcis.Options{})
				if err != nil {
					t.Fatal(err)
				}
				d := diff.Documents(before, after)
				if kept := bytes.Contains(b.Bytes(), []byte("K1")); !kept && !lost(problems) || kept && len(d) > 0 {
					t.Errorf("%s: kept %v, told %v, different %v\n%s", format, kept, told(problems), d, b.Bytes())
				}
			}
		})
	}
}

// Kind 8: one vocabulary is read one way, by the checks, the hash, the converter and queries.
func TestOneReading(t *testing.T) {
	for step, want := range map[string]string{
		"shipping": "shipping", "urn:epcglobal:cbv:bizstep:shipping": "shipping", "https://ref.gs1.org/cbv/BizStep-shipping": "shipping", "cbv:BizStep-shipping": "shipping",
		"Shipping": "shipping", "URN:epcglobal:cbv:bizstep:SHIPPING": "shipping", "http://ns.gs1.org/cbv/BizStep-shipping": "shipping",
		"urn:acme:bizstep:shipping": "", "https://acme.example/BizStep-shipping": "", "urn:epcglobal:cbv:disp:shipping": "", "urn:epcglobal:fmcg:bizstep:shipping": "",
	} {
		doc := xmlWith(`<bizStep>` + step + `</bizStep>`)
		d, err := Parse(strings.NewReader(doc), epcis.Options{})
		if err != nil {
			t.Fatal(err)
		}
		e := &d.Events[0].Event
		_, pre, err := eventhash.Hash(e)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, _, err := Convert(strings.NewReader(doc), &b, epcis.Options{}, epcis.WriteOptions{Format: epcis.FormatJSON}); err != nil {
			t.Fatal(err)
		}
		known := want != ""
		unknown := slices.Contains(told(d.Problems), "warning CBV_UNKNOWN")
		if (e.Step() == want) != known || unknown == known ||
			strings.Contains(pre+"|", "bizStep=https://ref.gs1.org/cbv/BizStep-shipping|") != known || strings.Contains(b.String(), `"bizStep":"shipping"`) != known {
			t.Errorf("%q: step %q, unknown %v, hashed %q, written %s", step, e.Step(), unknown, pre, b.String())
		}
	}
}

// Kind 3: one id for two events; kinds 5, 6, 7 and 13 in both formats.
func TestTold(t *testing.T) {
	events := func(list ...string) string {
		return xmlHead + `<EPCISBody><EventList>` + strings.Join(list, "") + `</EventList></EPCISBody>` + xmlTail
	}
	id := func(id, rest string) string {
		return `<ObjectEvent>` + strings.Replace(xmlTimes, "</eventTimeZoneOffset>", "</eventTimeZoneOffset><baseExtension><eventID>"+id+"</eventID></baseExtension>", 1) + rest + `</ObjectEvent>`
	}
	const (
		uuid  = "urn:uuid:77770000-2222-4222-8222-22222222222a"
		two   = `<epcList><epc>urn:epc:id:sgtin:0390777.012345.A1</epc><epc>urn:epc:id:sgtin:0390777.012345.A2</epc></epcList><action>OBSERVE</action>`
		turn  = `<epcList><epc>urn:epc:id:sgtin:0390777.012345.A2</epc><epc>urn:epc:id:sgtin:0390777.012345.A1</epc></epcList><action>OBSERVE</action>`
		class = "urn:epc:class:lgtin:0390777.012345.L1"
	)
	pack := func(step, parent, child string) string {
		return events(`<AggregationEvent>` + xmlTimes + `<parentID>` + parent + `</parentID><childEPCs><epc>` + child + `</epc></childEPCs><action>ADD</action><bizStep>` + step + `</bizStep></AggregationEvent>`)
	}
	const sscc, sgln, sgtin = "urn:epc:id:sscc:0390777.0000000001", "urn:epc:id:sgln:0390777.00001.0", "urn:epc:id:sgtin:0390777.012345.A1"
	for _, tt := range []struct {
		name, doc string
		verdict
	}{
		{"the same event twice", events(id(uuid, two), id(uuid, two)), verdict{2, "", "", nil}},
		{"the same in another order", events(id(uuid, two), id(uuid, turn)), verdict{2, "", "", nil}},
		{"an extension differs", events(id(uuid, two), id(uuid, two+`<x:a>1</x:a>`)), verdict{1, "error event_id_repeated", "", nil}},
		{"a UUID in capitals", events(id(uuid, two), id(strings.ToUpper(uuid), two+`<x:a>1</x:a>`)), verdict{1, "error event_id_repeated", "", nil}},
		{"an attribute differs", events(id(uuid, two), strings.Replace(id(uuid, two), "<ObjectEvent>", `<ObjectEvent x:a="1">`, 1)), verdict{1, "error event_id_repeated", "", nil}},

		{"a type of documents", xmlWith(`<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:pos">urn:x:1</bizTransaction></bizTransactionList>`), verdict{1, "warning CBV_UNKNOWN", "was po meant?", nil}},
		{"a prefix that is CBV's in part", xmlWith(`<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:bt:po">urn:x:1</bizTransaction></bizTransactionList>`), verdict{1, "warning CBV_UNKNOWN", "was po meant?", nil}},
		{"a foreign type that ends like CBV's", xmlWith(`<bizTransactionList><bizTransaction type="urn:acme:btt:rma">urn:x:1</bizTransaction></bizTransactionList>`), verdict{1, "warning CBV_UNKNOWN", "was rma meant?", nil}},
		{"a foreign type", xmlWith(`<bizTransactionList><bizTransaction type="urn:acme:btt:freight">urn:x:1</bizTransaction></bizTransactionList>`), verdict{1, "", "", nil}},
		{"JSON: a type of sources", jsonWith(`"sourceList":[{"type":"ownning_party","source":"urn:epc:id:sgln:0390777.00001.0"}]`), verdict{1, "warning CBV_UNKNOWN", "was owning_party meant?", nil}},
		{"JSON: a reason", jsonWith(`"errorDeclaration":{"declarationTime":"2026-11-11T00:00:00Z","reason":"did_not_ocur"}`), verdict{1, "warning CBV_UNKNOWN", "was did_not_occur meant?", nil}},
		{"JSON: a persistent disposition", jsonWith(`"persistentDisposition":{"set":["completness_verified"]}`), verdict{1, "warning CBV_UNKNOWN", "was completeness_verified meant?", nil}},
		{"JSON: sensor values", jsonWith(`"sensorElementList":[{"sensorReport":[{"type":"Temprature","component":"cbv:Comp-azimut","exception":"ALARM_CONDITIONS","value":1,"uom":"CEL"}]}]`), verdict{1, "warning CBV_UNKNOWN", "was azimuth meant?", nil}},

		{"JSON: an address with one slash", strings.Replace(jsonWith(`"bizStep":"shipping"`), "urn:epc:id:sgtin:0390777.012345.A1", "https:/id.gs1.org/01/00390777123454/21/A1", 1), verdict{0, "error epc_invalid", "was https://id.gs1.org/01/00390777123454/21/A1 meant?", nil}},
		{"a pattern with a serial", strings.Replace(xmlWith(""), ":id:sgtin", ":idpat:sgtin", 1), verdict{0, "error epc_invalid", "was urn:epc:id:sgtin:0390777.012345.A1 meant?", nil}},
		{"a scheme misspelt", strings.Replace(xmlWith(""), ":id:sgtin", ":id:sgitn", 1), verdict{0, "error epc_invalid", "was urn:epc:id:sgtin:0390777.012345.A1 meant?", nil}},
		{"a place", xmlWith(`<readPoint><id>sgln:0390777.00001.0</id></readPoint>`), verdict{1, "warning id_invalid", "was urn:epc:id:sgln:0390777.00001.0 meant?", nil}},
		{"a URI of somebody's own", strings.Replace(xmlWith(""), "urn:epc:id:sgtin:0390777.012345.A1", "urn:acme:sgtin:0390777.012345.A1", 1), verdict{1, "", "", nil}},

		{"a class in a case", pack("urn:epcglobal:cbv:bizstep:packing", sscc, class), verdict{0, "error epc_class", "childQuantityList", nil}},
		{"a place in a case", pack("packing", sscc, sgln), verdict{0, "error epc_class", "place", nil}},
		{"a thing in a case", pack("packing", sscc, sgtin), verdict{1, "", "", nil}},
		{"a class where no rule is", pack("urn:epcglobal:cbv:bizstep:assembling", sscc, class), verdict{1, "warning epc_class", "", nil}},
		{"a place where no rule is", pack("urn:epcglobal:cbv:bizstep:assembling", sgln, sgtin), verdict{1, "", "", nil}},
		{"JSON: a class by its address", strings.Replace(jsonWith(`"bizStep":"shipping"`), "urn:epc:id:sgtin:0390777.012345.A1", "https://id.gs1.org/01/00390777123454", 1), verdict{0, "error epc_class", "", nil}},

		{"JSON: an id that is no URI", jsonWith(`"eventID":"1234"`), verdict{1, "warning id_invalid", "is no URI", nil}},
		{"JSON: a corrective id that is no URI", jsonWith(`"errorDeclaration":{"declarationTime":"2026-11-11T00:00:00Z","reason":"incorrect_data","correctiveEventIDs":["77"]}`), verdict{1, "warning id_invalid", "is no URI", nil}},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.judge(t, tt.doc) })
	}
}
