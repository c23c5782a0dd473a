package epcisdoc

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
	"verilot.dev/epcis/internal/heading"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/writing"
)

const pharma = "examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml"

// What a partner sends comes back from every format with its header: parties, master data, and the statement of DSCSA.
func TestHeaderSurvives(t *testing.T) {
	raw := sample.File(t, pharma)
	before, err := Parse(bytes.NewReader(raw), epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range allFormats {
		_, after, losses := convert(t, raw, epcis.WriteOptions{Format: f})
		for _, p := range losses {
			t.Errorf("%s: %v", f, p)
		}
		h := *heading.LiftSBDH(&after.Header)
		h.Format, h.SchemaVersion, h.Prefixes = before.Header.Format, before.Header.SchemaVersion, nil
		if d := cmp.Diff(before.Header, h); d != "" {
			t.Errorf("%s (-before +after):\n%s", f, d)
		}
	}
}

// A loss says where: in the source, with line or pointer, and in the event.
func TestLossesTellWhere(t *testing.T) {
	const doc = `{"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"x": "https://x.example/"}],
 "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-11-20T00:00:00Z", "epcisBody": {"eventList": [
  {"type": "ObjectEvent", "action": "WRONG", "eventTime": "2026-11-20T00:00:00Z", "eventTimeZoneOffset": "-05:00", "epcList": ["urn:epc:id:sscc:0614141.1234567890"]},
  {"type": "ObjectEvent", "action": "ADD", "eventTime": "2026-11-20T00:00:00Z", "eventTimeZoneOffset": "-05:00", "epcList": ["https://id.gs1.org/00/106141412345678908"],
   "x:list": ["one"], "certificationInfo": ["urn:c:1", "urn:c:2"],
   "sensorElementList": [{"sensorReport": [{"type": "Temperature", "value": 1}, {"type": "Temperature", "value": 2, "x:deep": {"x:a": 1}}]}]}]}}`
	for _, tt := range []struct {
		format epcis.Format
		want   []string
	}{
		{epcis.FormatXML12, []string{
			"4 /epcisBody/eventList/1 ObjectEvent/epcList",
			"4 /epcisBody/eventList/1 ObjectEvent/sensorElementList/sensorElement[1]/sensorReport[2]/deep",
			"4 /epcisBody/eventList/1 ObjectEvent/list",
		}},
		{epcis.FormatXML2, []string{
			"4 /epcisBody/eventList/1 ObjectEvent/certificationInfo",
			"4 /epcisBody/eventList/1 ObjectEvent/sensorElementList/sensorElement[1]/sensorReport[2]/deep",
			"4 /epcisBody/eventList/1 ObjectEvent/list",
		}},
		{epcis.FormatJSON, nil},
	} {
		_, _, losses := convert(t, []byte(doc), epcis.WriteOptions{Format: tt.format})
		var got []string
		for _, p := range losses {
			got = append(got, strconv.Itoa(p.Line)+" "+p.Pointer+" "+p.Path)
			if p.Event != 1 || p.Severity != epcis.SeverityWarning || p.Message == "" {
				t.Errorf("%s: %+v", tt.format, p)
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.format, d)
		}
	}
}

// onlyReader hides that a document can be read twice.
type onlyReader struct{ io.Reader }

// A document that comes as a stream is converted as well: what its first events need is declared at the beginning, the rest on the
// events, and a header that comes too late is told.
func TestConvertAStream(t *testing.T) {
	event := func(i int) string {
		ns := ""
		if i%100 == 0 {
			ns = strconv.Itoa(i)
		}
		return `<ObjectEvent><eventTime>2026-11-20T00:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList/><action>OBSERVE</action><x:a xmlns:x="http://x.example/` + ns + `">1</x:a></ObjectEvent>`
	}
	var b strings.Builder
	b.WriteString(`<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T00:00:00Z"><EPCISBody><EventList>`)
	for i := 1; i <= 300; i++ {
		b.WriteString(event(i))
	}
	b.WriteString(`</EventList></EPCISBody></e:EPCISDocument>`)
	before, err := Parse(strings.NewReader(b.String()), epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range allFormats {
		for _, r := range []io.Reader{strings.NewReader(b.String()), onlyReader{strings.NewReader(b.String())}} {
			var out bytes.Buffer
			sum, problems, err := Convert(r, &out, epcis.Options{}, epcis.WriteOptions{Format: f})
			if err != nil || sum.Events != 300 {
				t.Fatalf("%s: %d events, %v", f, sum.Events, err)
			}
			for _, p := range problems {
				if p.Code == epcis.CodeNotConvertible {
					t.Errorf("%s: %v", f, p)
				}
			}
			after, err := Parse(bytes.NewReader(out.Bytes()), epcis.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := diff.Documents(before, after); len(d) > 0 {
				t.Errorf("%s: %+v", f, d[0])
			}
			_, twice := r.(io.Seeker)
			n := strings.Count(out.String(), "http://x.example/")
			if want := 4; twice && n != want || !twice && n != want {
				t.Errorf("%s, read twice %v: %d declarations, want %d", f, twice, n, want)
			}
		}
	}
}

func TestLateHeader(t *testing.T) {
	const doc = `{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", "type": "EPCISDocument", "schemaVersion": "2.0",
 "epcisBody": {"eventList": [{"type": "ObjectEvent", "action": "ADD", "eventTime": "2026-11-20T00:00:00Z", "eventTimeZoneOffset": "-05:00", "epcList": []}]},
 "creationDate": "2026-11-20T00:00:00Z", "sender": "urn:epc:id:sgln:030001.111111.0"}`
	var out bytes.Buffer
	if _, _, err := Convert(strings.NewReader(doc), &out, epcis.Options{}, epcis.WriteOptions{Format: epcis.FormatXML2}); err != nil || !strings.Contains(out.String(), "030001.111111") {
		t.Errorf("%v\n%s", err, out.String())
	}
	_, problems, err := Convert(onlyReader{strings.NewReader(doc)}, io.Discard, epcis.Options{}, epcis.WriteOptions{Format: epcis.FormatXML2})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if p.Path == "EPCISHeader" && p.Code == epcis.CodeNotConvertible {
			return
		}
	}
	// Held back, the header was read in time: then it must be there.
	out.Reset()
	if _, _, err := Convert(onlyReader{strings.NewReader(doc)}, &out, epcis.Options{}, epcis.WriteOptions{Format: epcis.FormatXML2}); err != nil || !strings.Contains(out.String(), "030001.111111") {
		t.Errorf("the late header was neither written nor told: %v", problems)
	}
}

// A query document stays one, with the name of its query.
func TestQueryDocumentStaysOne(t *testing.T) {
	for name, raw := range exampleFiles(t, "jsonld-2.0/openepcis/query", "xml-2.0/openepcis/query", "jsonld-2.0/hashgen/query") {
		for _, f := range allFormats {
			out, after, _ := convert(t, raw, epcis.WriteOptions{Format: f, CreationDate: "2026-11-20T00:00:00Z"})
			if after.Summary.Root != "EPCISQueryDocument" || bytes.Contains(raw, []byte("SimpleEventQuery")) != bytes.Contains(out, []byte("SimpleEventQuery")) {
				t.Errorf("%s to %s: root %s\n%s", name, f, after.Summary.Root, clipped(out))
			}
		}
	}
}

// The prefixes of a source are kept: values of the standard's fields may use them.
func TestPrefixesAreKept(t *testing.T) {
	e := epcis.Event{
		Type: "ObjectEvent", EventTime: "2026-11-20T06:45:16Z", EventTimeZoneOffset: "-05:00", Action: "OBSERVE", BizStep: "acme:polishing",
		Extensions: []epcis.Extension{{Namespace: "https://acme.example/", Name: "shine", Type: epcis.Text, Text: "1"}},
	}
	h := &epcis.Header{Prefixes: map[string]string{"acme": "https://acme.example/", "xml": "urn:no", "cbvmda": "urn:no:2", "a b": "urn:no:3", "me": "acme:x", "voc": "https://gs1.org/voc/"}}
	for _, f := range allFormats {
		raw, _, losses := writeAll(t, h, []epcis.Event{e}, epcis.WriteOptions{Format: f})
		if len(losses) > 0 || !strings.Contains(string(raw), "acme:shine") || strings.Contains(string(raw), "urn:no") || strings.Count(string(raw), "https://acme.example/") != 1 {
			t.Errorf("%s: %v\n%s", f, losses, raw)
		}
	}
}

func TestEncoderOrder(t *testing.T) {
	if _, err := NewEncoder(io.Discard, epcis.Head{}, epcis.WriteOptions{Format: epcis.FormatXML1}); err == nil {
		t.Error("an encoder for a format that is not written")
	}
	if _, err := EncodeEvent(io.Discard, &epcis.Event{}, "", epcis.WriteOptions{}); err == nil {
		t.Error("an event without a format")
	}
	enc, err := NewEncoder(io.Discard, epcis.Head{}, epcis.WriteOptions{Format: epcis.FormatJSON})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := enc.Close(); err != nil {
		t.Error(err)
	}
	if enc.Event(&epcis.Event{}, "") == nil {
		t.Error("an event after Close")
	}
	if _, err := enc.Close(); err == nil {
		t.Error("closed twice")
	}
}

// One event by itself, as it is answered and shown.
func TestEncodeEvent(t *testing.T) {
	e := epcis.Commission(epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00"}, []string{"urn:epc:id:sgtin:0614141.107346.1"}, "A1", "")
	e.Extensions = []epcis.Extension{{Namespace: "http://x.example/", Name: "n", Type: epcis.Number, Text: "1.50"}}
	for _, tt := range []struct {
		o    epcis.WriteOptions
		want string
	}{
		{epcis.WriteOptions{Format: epcis.FormatJSON, EPC: epcis.DigitalLink}, `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ns1":"http://x.example/"}],"type":"ObjectEvent",` +
			`"eventTime":"2026-11-20T06:45:16Z","recordTime":"2026-11-21T00:00:00Z","eventTimeZoneOffset":"-05:00","epcList":["https://id.gs1.org/01/10614141073464/21/1"],"action":"ADD",` +
			`"bizStep":"commissioning","disposition":"active","ilmd":{"cbvmda:lotNumber":"A1"},"ns1:n":1.50}`},
		{epcis.WriteOptions{Format: epcis.FormatXML2, CBV: epcis.CBVWebURI}, `<ObjectEvent xmlns:cbvmda="urn:epcglobal:cbv:mda" xmlns:ns1="http://x.example/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ` +
			`xmlns:xsd="http://www.w3.org/2001/XMLSchema"><eventTime>2026-11-20T06:45:16Z</eventTime><recordTime>2026-11-21T00:00:00Z</recordTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>` +
			`<epcList><epc>urn:epc:id:sgtin:0614141.107346.1</epc></epcList><action>ADD</action><bizStep>https://ref.gs1.org/cbv/BizStep-commissioning</bizStep>` +
			`<disposition>https://ref.gs1.org/cbv/Disp-active</disposition><ilmd><cbvmda:lotNumber>A1</cbvmda:lotNumber></ilmd><ns1:n xsi:type="xsd:decimal">1.50</ns1:n></ObjectEvent>`},
	} {
		var b bytes.Buffer
		losses, err := EncodeEvent(&b, &e, "2026-11-21T00:00:00Z", tt.o)
		if err != nil || len(losses) > 0 {
			t.Errorf("%v %v", losses, err)
		}
		if d := cmp.Diff(tt.want, strings.TrimSpace(b.String())); d != "" {
			t.Errorf("%s:\n%s", tt.o.Format, d)
		}
	}
}

// The flat parties of JSON become the header that XML wants; nobody is made up.
func TestPartiesOfJSONBecomeAnSBDH(t *testing.T) {
	const doc = `{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": "2026-11-20T00:00:00Z",
 "sender": "urn:epc:id:sgln:030001.111111.0", %s "epcisBody": {"eventList": []}}`
	whole := strings.Replace(doc, "%s", `"receiver": "urn:epc:id:sgln:039999.999999.0", "instanceIdentifier": "1",`, 1)
	out, _, losses := convert(t, []byte(whole), epcis.WriteOptions{Format: epcis.FormatXML12})
	const want = `<EPCISHeader><sbdh:StandardBusinessDocumentHeader><sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>` +
		`<sbdh:Sender><sbdh:Identifier>urn:epc:id:sgln:030001.111111.0</sbdh:Identifier></sbdh:Sender><sbdh:Receiver><sbdh:Identifier>urn:epc:id:sgln:039999.999999.0</sbdh:Identifier></sbdh:Receiver>` +
		`<sbdh:DocumentIdentification><sbdh:Standard>EPCglobal</sbdh:Standard><sbdh:TypeVersion>1.0</sbdh:TypeVersion><sbdh:InstanceIdentifier>1</sbdh:InstanceIdentifier>` +
		`<sbdh:Type>Events</sbdh:Type><sbdh:CreationDateAndTime>2026-11-20T00:00:00Z</sbdh:CreationDateAndTime></sbdh:DocumentIdentification></sbdh:StandardBusinessDocumentHeader></EPCISHeader>`
	if len(losses) > 0 || !strings.Contains(string(out), want) {
		t.Errorf("%v\n%s", losses, out)
	}
	out, _, losses = convert(t, []byte(strings.Replace(doc, "%s", "", 1)), epcis.WriteOptions{Format: epcis.FormatXML12})
	var told []string
	for _, p := range losses {
		told = append(told, p.Message)
		if !p.Schema || p.Event != -1 {
			t.Errorf("%+v", p)
		}
	}
	if d := cmp.Diff([]string{"the header of the document lacks Receiver", "the header of the document lacks InstanceIdentifier"}, told); d != "" || strings.Contains(string(out), "Receiver") {
		t.Errorf("%s\n%s", d, out)
	}
}

// What XML cannot hold is replaced and told; JSON holds it.
func TestControlCharacters(t *testing.T) {
	e := epcis.Commission(epcis.At{Time: "2026-11-20T06:45:16Z", Offset: "-05:00"}, []string{"urn:epc:id:sgtin:0614141.107346.1"}, "A\x01B\uFFFE", "")
	for _, f := range allFormats {
		raw, doc, losses := writeAll(t, nil, []epcis.Event{e}, epcis.WriteOptions{Format: f})
		want, lost := "A\uFFFDB\uFFFD", 1
		if f == epcis.FormatJSON {
			want, lost = "A\x01B\uFFFE", 0
		}
		if got := doc.Events[0].Event.Lot(); got != want || len(losses) != lost {
			t.Errorf("%s: %q, %v\n%s", f, got, losses, raw)
		}
	}
	e.ILMD[0].Text = "A\xFFB"
	for _, f := range allFormats {
		if _, doc, losses := writeAll(t, nil, []epcis.Event{e}, epcis.WriteOptions{Format: f}); doc.Events[0].Event.Lot() != "A\uFFFDB" || len(losses) != 1 {
			t.Errorf("%s: %q, %v", f, doc.Events[0].Event.Lot(), losses)
		}
	}
}

// What is told is bounded, for an event and for a document.
func TestLossesAreBounded(t *testing.T) {
	e := epcis.Event{Type: "ObjectEvent", EventTime: "2026-11-20T06:45:16Z", EventTimeZoneOffset: "-05:00", Action: "OBSERVE"}
	for range 1000 {
		e.Extensions = append(e.Extensions, epcis.Extension{Namespace: "urn:x", Name: "not a name", Type: epcis.Text, Text: "x"})
	}
	events := make([]epcis.Event, 200)
	for i := range events {
		events[i] = e
	}
	_, _, losses := writeAll(t, nil, events[:1], epcis.WriteOptions{Format: epcis.FormatXML2})
	if len(losses) != writing.MaxEventLosses+1 || losses[writing.MaxEventLosses].Code != epcis.CodeTruncated {
		t.Errorf("%d losses of an event", len(losses))
	}
	_, _, losses = writeAll(t, nil, events, epcis.WriteOptions{Format: epcis.FormatXML2})
	if len(losses) != writing.MaxLosses+1 || losses[writing.MaxLosses].Code != epcis.CodeTruncated {
		t.Errorf("%d losses of a document", len(losses))
	}
}
