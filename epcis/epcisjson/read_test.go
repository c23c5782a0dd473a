package epcisjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/reading"
)

const jsonHead = `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"http://ex.org/ns/"}],
"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z","epcisBody":{"eventList":[
`

// jsonEvent makes an event; more is further members, each with a comma before it.
func jsonObserve(more string) string {
	return `{"type":"ObjectEvent","eventTime":"2026-11-20T10:00:00Z","eventTimeZoneOffset":"+01:00","epcList":["urn:epc:id:sgtin:030001.0012345.1"],"action":"OBSERVE"` + more + `}`
}

func jsonDocument(events ...string) string {
	return jsonHead + strings.Join(events, ",\n") + "\n]}}"
}

func parseWith(t *testing.T, doc string, opt epcis.Options) *epcis.Document {
	t.Helper()
	d, err := Parse(strings.NewReader(doc), opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func places(list []epcis.Problem) string {
	var b strings.Builder
	for _, p := range list {
		schema := ""
		if p.Schema {
			schema = " (schema)"
		}
		fmt.Fprintf(&b, "%d:%d %s %s %s%s\n", p.Line, p.Column, p.Pointer, p.Severity, p.Code, schema)
	}
	return b.String()
}

func ext(space, name string, kind epcis.ValueType, text string, children ...epcis.Extension) epcis.Extension {
	return epcis.Extension{Namespace: space, Name: name, Type: kind, Text: text, Children: children}
}

// The mapping of the package comment, value by value.
func TestJSONExtensions(t *testing.T) {
	const ns = "http://ex.org/ns/"
	list := func(space, name string, children ...epcis.Extension) epcis.Extension {
		x := ext(space, name, epcis.NoValue, "", children...)
		x.Attributes = []epcis.Extension{{Name: "[]", Type: epcis.Empty}}
		return x
	}
	with := func(x epcis.Extension, attributes ...epcis.Extension) epcis.Extension {
		x.Attributes = attributes
		return x
	}
	for _, tt := range []struct {
		name, member string
		want         []epcis.Extension
	}{
		{"text", `"ex:a":" x "`, []epcis.Extension{ext(ns, "a", epcis.Text, " x ")}},
		{"escaped", `"ex:\u0061":"\u00e9\n"`, []epcis.Extension{ext(ns, "a", epcis.Text, "é\n")}},
		{"empty text", `"ex:a":""`, []epcis.Extension{ext(ns, "a", epcis.Empty, "")}},
		{"number with its digits", `"ex:a":-1.50e+3`, []epcis.Extension{ext(ns, "a", epcis.Number, "-1.50e+3")}},
		{"booleans", `"ex:a":true,"ex:b":false`, []epcis.Extension{ext(ns, "a", epcis.Boolean, "true"), ext(ns, "b", epcis.Boolean, "false")}},
		{"null", `"ex:a":null`, []epcis.Extension{ext(ns, "a", epcis.Null, "")}},
		{"object", `"ex:a":{"ex:b":"1","c":2}`, []epcis.Extension{ext(ns, "a", epcis.NoValue, "", ext(ns, "b", epcis.Text, "1"), ext("", "c", epcis.Number, "2"))}},
		{"empty object", `"ex:a":{}`, []epcis.Extension{ext(ns, "a", epcis.NoValue, "")}},
		{"siblings", `"ex:a":["x",2,true,{}]`, []epcis.Extension{ext(ns, "a", epcis.Text, "x"), ext(ns, "a", epcis.Number, "2"), ext(ns, "a", epcis.Boolean, "true"), ext(ns, "a", epcis.NoValue, "")}},
		{"empty array", `"ex:a":[]`, []epcis.Extension{list(ns, "a")}},
		{"array of one", `"ex:a":["x"]`, []epcis.Extension{list(ns, "a", ext("", "[]", epcis.Text, "x"))}},
		{"array with null", `"ex:a":["x",null]`, []epcis.Extension{list(ns, "a", ext("", "[]", epcis.Text, "x"), ext("", "[]", epcis.Null, ""))}},
		{
			"arrays in an array", `"ex:a":[["x","y"],[]]`,
			[]epcis.Extension{list(ns, "a", list("", "[]", ext("", "[]", epcis.Text, "x"), ext("", "[]", epcis.Text, "y")), list("", "[]"))},
		},
		{"siblings deep inside", `"ex:a":{"ex:b":["x","y"]}`, []epcis.Extension{ext(ns, "a", epcis.NoValue, "", ext(ns, "b", epcis.Text, "x"), ext(ns, "b", epcis.Text, "y"))}},
		{
			"attributes", `"ex:a":{"@u":"C","@ex:v":"1","@type":"T","ex:b":"x"}`,
			[]epcis.Extension{with(ext(ns, "a", epcis.NoValue, "", ext(ns, "b", epcis.Text, "x")), ext("", "u", epcis.Text, "C"), ext(ns, "v", epcis.Text, "1"), ext("", "type", epcis.Text, "T"))},
		},
		{"text beside attributes", `"ex:a":{"#text":"5","@u":""}`, []epcis.Extension{with(ext(ns, "a", epcis.Text, "5"), ext("", "u", epcis.Empty, ""))}},
		{"text alone stays a child", `"ex:a":{"#text":"5"}`, []epcis.Extension{ext(ns, "a", epcis.NoValue, "", ext("", "#text", epcis.Text, "5"))}},
		{
			"mixed content", `"ex:a":{"#text":["x","y"],"ex:b":"1"}`,
			[]epcis.Extension{ext(ns, "a", epcis.NoValue, "", ext("", "#text", epcis.Text, "x"), ext("", "#text", epcis.Text, "y"), ext(ns, "b", epcis.Text, "1"))},
		},
		{"an attribute that is none", `"ex:a":{"@l":["x"],"@[]":""}`, []epcis.Extension{ext(ns, "a", epcis.NoValue, "", list("", "@l", ext("", "[]", epcis.Text, "x")), ext("", "@[]", epcis.Empty, ""))}},
		{"full URI", `"http://a.org/x#b":"1"`, []epcis.Extension{ext("http://a.org/x#", "b", epcis.Text, "1")}},
		{"URN", `"urn:a:b":"1"`, []epcis.Extension{ext("urn:a:", "b", epcis.Text, "1")}},
		{"undeclared", `"no:b":"1"`, []epcis.Extension{ext("no:", "b", epcis.Text, "1")}},
		{"official prefix", `"cbvmda:lotNumber":"1"`, []epcis.Extension{ext("urn:epcglobal:cbv:mda:", "lotNumber", epcis.Text, "1")}},
		{"nothing behind the prefix", `"ex:":"1"`, []epcis.Extension{ext("", "ex:", epcis.Text, "1")}},
		{"no prefix", `"foo":"1"`, []epcis.Extension{ext("", "foo", epcis.Text, "1")}},
		{"a context inside", `"ex:a":{"@context":{"y":"urn:y:"},"y:b":"1"},"ex:c":{"y:b":"2"}`, []epcis.Extension{ext(ns, "a", epcis.NoValue, "", ext("urn:y:", "b", epcis.Text, "1")), ext(ns, "c", epcis.NoValue, "", ext("y:", "b", epcis.Text, "2"))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parseWith(t, jsonDocument(jsonObserve(","+tt.member)), epcis.Options{})
			if len(d.Events) != 1 {
				t.Fatal(d.Problems)
			}
			if diff := cmp.Diff(tt.want, d.Events[0].Event.Extensions); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONJudgedILMD(t *testing.T) {
	d := parseWith(t, jsonDocument(strings.Replace(jsonObserve(`,"ilmd":{"cbvmda:lotNumber":["L1"],"cbvmda:itemExpirationDate":"2028-01-31","ex:a":["x"]}`), "OBSERVE", "ADD", 1)), epcis.Options{})
	if len(d.Problems) > 0 {
		t.Error(d.Problems)
	}
	e := d.Events[0].Event
	if e.Lot() != "L1" || e.Expiry() != "2028-01-31" || len(e.ILMD) != 3 || len(e.ILMD[2].Children) != 1 {
		t.Errorf("%+v", e.ILMD)
	}
}

func TestJSONContexts(t *testing.T) {
	event := jsonObserve(`,"ex:a":"1"`)
	for _, tt := range []struct{ name, doc, space, problems string }{
		{"before", `{"@context":{"ex":"urn:x:"},"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z","epcisBody":{"eventList":[` + event + `]}}`, "urn:x:", ""},
		{"behind the events", `{"epcisBody":{"eventList":[` + event + `]},"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z","@context":{"ex":"urn:x:"}}`, "urn:x:", ""},
		{
			"behind the events, of the body", `{"@context":{},"epcisBody":{"eventList":[` + event + `],"@context":{"ex":"urn:x:"}},"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z"}`, "ex:",
			"1:197 /epcisBody/eventList/0/ex:a warning namespace_unexpected\n1:221 /epcisBody/@context error context_unexpected\n",
		},
		{"of the body, then of the document", `{"epcisBody":{"@context":{"ex":"b:x/"},"eventList":[` + event + `]},"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z","@context":{"b":"http://b/"}}`, "http://b/x/", ""},
		{"of the event", jsonDocument(`{"@context":{"ex":"urn:e:"},` + event[1:]), "urn:e:", ""},
		{"of the event, too late", jsonDocument(event[:len(event)-1] + `,"@context":{"ex":"urn:e:"}}`), "", "3:178 /epcisBody/eventList/0/@context error context_unexpected\n"},
		{"of a bare event, last", event[:len(event)-1] + `,"@context":{"ex":"urn:e:"}}`, "urn:e:", ""},
		{"expanded term", `{"@context":[{"ex":{"@id":"urn:x:","@prefix":true}}],` + event[1:], "urn:x:", ""},
		{"a prefix by another", `{"@context":[{"ex":"q:z/","q":"http://q/"}],` + event[1:], "http://q/z/", ""},
		{"in a circle", `{"@context":[{"ex":"q:z","q":"ex:y"}],` + event[1:], "*", ""},
		{"nullified", `{"@context":[{"ex":"http://q/"},{"ex":null}],` + event[1:], "ex:", "1:200 /ex:a warning namespace_unexpected\n"},
		{"elsewhere", `{"@context":["https://x.org/c.jsonld",{"ex":"http://q/"}],` + event[1:], "http://q/", "1:13 /@context warning context_unexpected\n"},
		{"redefined", `{"@context":{"ex":"http://q/","cbvmda":"http://q/mda/"},` + event[1:], "http://q/", "1:13 /@context warning context_unexpected\n"},
		{"redefined without the last sign", `{"@context":{"ex":"http://q/","cbvmda":"urn:epcglobal:cbv:mda"},` + event[1:], "http://q/", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parseWith(t, tt.doc, epcis.Options{})
			if got := places(d.Problems); got != tt.problems {
				t.Errorf("problems:\n%swant:\n%s", got, tt.problems)
			}
			if tt.space == "" {
				if len(d.Events) > 0 {
					t.Error("the event was accepted")
				}
				return
			}
			if got := d.Events[0].Event.Extensions[0].Namespace; got != tt.space && tt.space != "*" {
				t.Errorf("namespace %q, want %q", got, tt.space)
			}
		})
	}
}

// Other names for standard members, where @context says so.
func TestJSONAliases(t *testing.T) {
	const event = `{"@context":{"kind":"@type","when":"eventTime","step":{"@id":"epcis:bizStep"},"t":"ex:temperature","ex":"http://ex.org/"},
"kind":"ObjectEvent","when":"2026-11-20T10:00:00Z","eventTimeZoneOffset":"+01:00","epcList":[],"action":"OBSERVE","step":"shipping","t":5}`
	d := parseWith(t, event, epcis.Options{})
	want := epcis.Event{
		Type: "ObjectEvent", EventTime: "2026-11-20T10:00:00Z", EventTimeZoneOffset: "+01:00", Action: "OBSERVE", BizStep: "shipping",
		Extensions: []epcis.Extension{ext("http://ex.org/", "temperature", epcis.Number, "5")},
	}
	if diff := cmp.Diff(want, d.Events[0].Event); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !d.Summary.SchemaInvalid {
		t.Error("the schema knows no aliases")
	}
	d = parseWith(t, strings.Replace(event, `"step":"shipping"`, `"step":"shipping","bizStep":"receiving"`, 1), epcis.Options{})
	if len(d.Events) != 0 || !strings.Contains(places(d.Problems), "/bizStep error field_repeated") {
		t.Errorf("two bizSteps were accepted: %v", d.Problems)
	}
}

// Places and pointers of problems, and what the good events lose by the bad ones: nothing.
func TestJSONProblems(t *testing.T) {
	events := []string{
		jsonObserve(""),
		jsonObserve(`,"bizStep":"shippin","disposition":"urn:epcglobal:cbv:disp:active"`),
		strings.Replace(jsonObserve(""), "+01:00", "Z", 1),
		strings.Replace(jsonObserve(""), `["urn:`, "[\n  \"bad\",\n  \"urn:", 1),
		jsonObserve(`,"bizTransactionList":[{"type":"po","bizTransaction":"urn:x:1"},{"type":"xx","bizTransaction":5}]`),
		jsonObserve(`,"childEPCs":["urn:epc:id:sgtin:030001.0012345.2"]`),
		`5`,
		jsonObserve(`,"readPoint":"urn:epc:id:sgln:030001.111111.0","a~b/c":1`),
		jsonObserve(""),
	}
	d := parseWith(t, jsonDocument(events...), epcis.Options{})
	want := `4:190 /epcisBody/eventList/1/disposition warning field_invalid (schema)
4:166 /epcisBody/eventList/1/bizStep warning CBV_UNKNOWN (schema)
5:80 /epcisBody/eventList/2/eventTimeZoneOffset error offset_invalid (schema)
7:3 /epcisBody/eventList/3/epcList/0 error epc_invalid (schema)
9:249 /epcisBody/eventList/4/bizTransactionList/1/bizTransaction warning content_unexpected (schema)
9:227 /epcisBody/eventList/4/bizTransactionList/1/type warning CBV_UNKNOWN (schema)
10:156 /epcisBody/eventList/5/childEPCs error field_not_allowed (schema)
11:1 /epcisBody/eventList/6 error event_unknown (schema)
12:168 /epcisBody/eventList/7/readPoint warning content_unexpected (schema)
12:202 /epcisBody/eventList/7/a~0b~1c warning field_unknown (schema)
`
	if diff := cmp.Diff(want, places(d.Problems)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p := d.Problems[1]; p.Hint != "was shipping meant?" || p.Path != "EPCISBody/EventList/ObjectEvent[2]/bizStep" || p.Event != 1 {
		t.Errorf("%+v", p)
	}
	if p := d.Problems[3]; p.Path != "EPCISBody/EventList/ObjectEvent[4]/epcList/epc[1]" {
		t.Errorf("%+v", p)
	}
	if len(d.Events) != 5 || d.Rejected != 4 || d.Events[4].Index != 8 || d.Events[4].Pointer != "/epcisBody/eventList/8" || d.Events[4].Line != 13 {
		t.Errorf("%d events, %d rejected, %+v", len(d.Events), d.Rejected, d.Events)
	}
	if p := d.Events[3].Event.ReadPoint; p == nil || p.ID != "urn:epc:id:sgln:030001.111111.0" {
		t.Error("the read point is lost")
	}
}

func TestJSONOneBadOfThousands(t *testing.T) {
	doc := bytes.Replace(bigJSON(3000, 2), []byte(`sgtin:030001.0012345.10004001"`), []byte(`sgtin:030001.012345.10004001"`), 1)
	var problems []epcis.Problem
	events := 0
	sum, err := Read(bytes.NewReader(doc), epcis.Options{}, epcis.Handler{
		Event:   func(epcis.EventAt) error { events++; return nil },
		Problem: func(p epcis.Problem) error { problems = append(problems, p); return nil },
	})
	if err != nil || events != 2999 || sum.Events != 3000 || sum.Rejected != 1 || sum.SchemaInvalid {
		t.Errorf("%d events, %+v, %v", events, sum, err)
	}
	before, _, _ := bytes.Cut(doc, []byte("030001.012345."))
	line := 1 + bytes.Count(before, []byte("\n"))
	if want := fmt.Sprintf("%d:11 /epcisBody/eventList/2000/epcList/1 error epc_invalid\n", line); places(problems) != want {
		t.Errorf("%swant %s", places(problems), want)
	}
}

func TestJSONHeader(t *testing.T) {
	d := parseWith(t, `{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"gs1ushc":"http://epcis.gs1us.org/hc/ns","ex":"urn:ex:"}],
"id":"urn:uuid:1","type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z","sender":"urn:s","receiver":"urn:r","instanceIdentifier":"77",
"epcisHeader":{"ex:a":"1","gs1ushc:dscsaTransactionStatement":{"gs1ushc:affirmTransactionStatement":true,"gs1ushc:legalNotice":"We affirm."},
"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:EPCClass","vocabularyElementList":[{"id":"urn:epc:idpat:sgtin:030001.0012345.*",
"attributes":[{"id":"urn:epcglobal:cbv:mda#regulatedProductName","attribute":"Aspirin"},{"id":"urn:n","attribute":5},{"id":"urn:o","attribute":{"ex:b":"x"}}],"children":["urn:c:1"]}]}]}},
"ex:root":{"ex:c":1},"epcisBody":{"eventList":[]}}`, epcis.Options{})
	if len(d.Problems) > 0 {
		t.Error(d.Problems)
	}
	want := epcis.Header{
		Format: "jsonld-2.0", ID: "urn:uuid:1", SchemaVersion: "2.0", CreationDate: "2026-11-20T10:00:00Z",
		SBDH:                 &epcis.SBDH{Senders: []epcis.SBDHPartner{{Identifier: "urn:s"}}, Receivers: []epcis.SBDHPartner{{Identifier: "urn:r"}}, InstanceIdentifier: "77"},
		TransactionStatement: "true", LegalNotice: "We affirm.",
		Prefixes:   map[string]string{"ex": "urn:ex:", "gs1ushc": epcis.NamespaceHC},
		Extensions: []epcis.Extension{ext("urn:ex:", "a", epcis.Text, "1"), ext("urn:ex:", "root", epcis.NoValue, "", ext("urn:ex:", "c", epcis.Number, "1"))},
		Vocabularies: []epcis.Vocabulary{{Type: "urn:epcglobal:epcis:vtype:EPCClass", Elements: []epcis.VocabularyElement{{
			ID: "urn:epc:idpat:sgtin:030001.0012345.*",
			Attributes: []epcis.VocabularyAttribute{
				{ID: "urn:epcglobal:cbv:mda#regulatedProductName", Text: "Aspirin"},
				{ID: "urn:n", Text: "5"},
				{ID: "urn:o", Children: []epcis.Extension{ext("urn:ex:", "b", epcis.Text, "x")}},
			},
			Children: []string{"urn:c:1"},
		}}}},
	}
	if diff := cmp.Diff(want, d.Header); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What fails as a whole, and what is told of it.
func TestJSONRefused(t *testing.T) {
	long := strings.Repeat("x", reading.MaxToken+reading.ReadAhead*2)
	deep := strings.Repeat(`{"a":`, 70)
	for _, tt := range []struct {
		name, doc, want string
		opt             epcis.Options
	}{
		{"a list", `[{}]`, "1:1 not_epcis", epcis.Options{}},
		{"something else", `{"a":1}`, "1:1 not_epcis", epcis.Options{}},
		{"cut off", jsonHead + `{"type":"Obj`, "3:13 document_malformed", epcis.Options{}},
		{"cut off between", jsonDocument(jsonObserve("")) + ",", "4:4 document_malformed", epcis.Options{}},
		{"two documents", jsonDocument() + jsonDocument(), "4:4 document_malformed", epcis.Options{}},
		{"a member twice", jsonDocument(jsonObserve(`,"action":"ADD"`)), "3:156 document_malformed", epcis.Options{}},
		{"a member twice, escaped", jsonDocument(jsonObserve(`,"\u0061ction":"ADD"`)), "3:156 document_malformed", epcis.Options{}},
		{"no comma", jsonDocument(jsonObserve(` "a":1`)), "3:156 document_malformed", epcis.Options{}},
		{"not UTF-8", jsonDocument(jsonObserve(",\"ex:a\":\"\xff\"")), "3:164 document_malformed", epcis.Options{}},
		{"half a surrogate", jsonDocument(jsonObserve(`,"ex:a":"\ud800"`)), "3:164 document_malformed", epcis.Options{}},
		{"UTF-16", "{\x00}\x00", "1:1 document_malformed", epcis.Options{}},
		{"too large", jsonDocument(jsonObserve("")), "2:23 document_too_large", epcis.Options{MaxBytes: 200}},
		{"too deep", jsonDocument(jsonObserve(`,"ex:a":` + deep + `1` + strings.Repeat("}", 70))), "3:463 limit_exceeded", epcis.Options{}},
		{"too deep where nothing is read", `{"type":"EPCISDocument","epcisBody":{"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}}`, "1:104 limit_exceeded", epcis.Options{}},
		{"a long string", jsonDocument(jsonObserve(`,"ex:a":"` + long + `"`)), "3:162 limit_exceeded", epcis.Options{}},
		{"much white space", jsonDocument(strings.Repeat(" ", len(long)) + jsonObserve("")), "2:110 limit_exceeded", epcis.Options{}},
		{"too many events", jsonDocument(jsonObserve(""), jsonObserve("")), "4:1 document_too_large", epcis.Options{MaxEvents: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.doc), tt.opt, epcis.Handler{})
			e, ok := errors.AsType[*epcis.ParseError](err)
			if !ok {
				t.Fatalf("want a ParseError, got %v", err)
			}
			if got := fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Code); got != tt.want || e.Message == "" || e.Hint == "" || len(e.Error()) > 600 {
				t.Errorf("%s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestJSONByteOrderMark(t *testing.T) {
	d := parseWith(t, bom+jsonDocument(jsonObserve("")), epcis.Options{})
	if got := places(d.Problems); got != "1:1  warning byte_order_mark\n" || len(d.Events) != 1 {
		t.Error(got)
	}
}

// An event that is too large in one way or another is an error of its own.
func TestJSONLargeEvents(t *testing.T) {
	many := strings.Repeat(`"urn:epc:id:sgtin:030001.0012345.1",`, 40)
	for _, tt := range []struct {
		name, event string
		opt         epcis.Options
	}{
		{"EPCs", strings.Replace(jsonObserve(""), `"epcList":[`, `"epcList":[`+many, 1), epcis.Options{MaxEPCs: 40}},
		{"bytes", jsonObserve(`,"ex:a":"` + strings.Repeat("x", 1000) + `","ex:b":{"a":[{"b":1}]}`), epcis.Options{MaxEventBytes: 1000}},
		{"extensions", jsonObserve(`,"ex:a":[` + strings.Repeat("1,", reading.MaxEventNodes) + `1]`), epcis.Options{}},
		{"nesting of small things", jsonObserve(`,"ex:a":[` + strings.Repeat("[],", reading.MaxEventNodes) + `1]`), epcis.Options{}},
		{"sensors", jsonObserve(`,"sensorElementList":[` + strings.Repeat("{},", reading.MaxEventNodes) + `{}]`), epcis.Options{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parseWith(t, jsonDocument(jsonObserve(""), tt.event, jsonObserve("")), tt.opt)
			if len(d.Events) != 2 || d.Rejected != 1 || !strings.Contains(places(d.Problems), "4:1 /epcisBody/eventList/1 error event_too_large") {
				t.Errorf("%d events, %v", len(d.Events), places(d.Problems))
			}
			bare := strings.Replace(tt.event, "{", `{"@context":{"ex":"urn:x:"},`, 1)
			if d := parseWith(t, bare, tt.opt); len(d.Events) != 0 || d.Rejected != 1 {
				t.Errorf("the bare event was accepted")
			}
		})
	}
}

func TestJSONManyProblems(t *testing.T) {
	d := parseWith(t, jsonDocument(strings.Replace(jsonObserve(""), `"epcList":[`, `"epcList":[`+strings.Repeat(`"x",`, 1000), 1)), epcis.Options{})
	if n := len(d.Problems); n != reading.MaxEventProblems+1 || d.Problems[n-1].Code != epcis.CodeTruncated {
		t.Errorf("%d problems, the last is %v", n, d.Problems[n-1])
	}
}

// lateStream is a document of about size bytes whose context comes last.
func lateStream(size int, member string) io.Reader {
	first := strings.NewReader(`{"epcisBody":{"eventList":[` + jsonObserve(""))
	rest := io.LimitReader(&repeat{text: []byte("," + jsonObserve(member))}, int64(size/len(","+jsonObserve(member))*len(","+jsonObserve(member))))
	last := strings.NewReader(`]},"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T10:00:00Z","@context":{"ex":"urn:x:"}}`)
	return io.MultiReader(first, rest, last)
}

type repeat struct {
	text []byte
	at   int
}

func (r *repeat) Read(b []byte) (int, error) {
	n := copy(b, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// A context behind the events is found in a small document, and in a large one that can be read twice. In a large stream
// nothing is guessed: events that need it are errors.
func TestJSONLateContext(t *testing.T) {
	for _, tt := range []struct {
		name   string
		in     func() io.Reader
		events bool
		want   string
	}{
		{"small", func() io.Reader { return lateStream(1<<20, `,"ex:a":1`) }, true, "urn:x:"},
		{"large stream", func() io.Reader { return lateStream(5<<20, `,"ex:a":1`) }, false, ""},
		{"large stream that does not need it", func() io.Reader { return lateStream(5<<20, `,"cbvmda:a":1`) }, true, "urn:epcglobal:cbv:mda:"},
		{"large, can be read twice", func() io.Reader {
			b, err := io.ReadAll(lateStream(5<<20, `,"ex:a":1`))
			if err != nil {
				t.Fatal(err)
			}
			r := bytes.NewReader(append([]byte("something before"+bom), b...))
			_, _ = r.Seek(int64(len("something before")), io.SeekStart)
			return r
		}, true, "urn:x:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			sum, err := Read(tt.in(), epcis.Options{}, epcis.Handler{Event: func(e epcis.EventAt) error {
				if n++; e.Index > 0 && e.Event.Extensions[0].Namespace != tt.want {
					t.Fatalf("namespace %q, want %q", e.Event.Extensions[0].Namespace, tt.want)
				}
				return nil
			}})
			if err != nil || sum.SchemaInvalid {
				t.Error(sum, err)
			}
			if want := 1; !tt.events && (n != want || sum.Rejected != sum.Events-want) || tt.events && n != sum.Events {
				t.Errorf("%d events of %+v", n, sum)
			}
		})
	}
}

// Numbers that a decimal can hold lose their exponent, because the model's quantity has none.
func TestPlainDecimal(t *testing.T) {
	for in, want := range map[string]string{
		"5": "5", "1.50": "1.50", "1e3": "1000", "1.5E2": "150", "1.25e1": "12.5", "25e-1": "2.5", "1e-3": "0.001", "-1.5e+1": "-15", "0e5": "0", "1e99": "1e99",
	} {
		if got := plainDecimal(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(jsonDocument(jsonObserve(""), jsonObserve(`,"ex:a":{"@b":[1,{"#text":""}],"@context":null}`))))
	f.Add([]byte(`{"@context":{"kind":"@type","a":"b:c","b":"a:d"},"kind":"AggregationEvent","childEPCs":["x"],"ilmd":{"a":[]}}`))
	f.Add([]byte(`{"epcisBody":{"queryResults":{"resultsBody":{"eventList":[{"type":"TransformationEvent","sensorElementList":[{"sensorReport":[{"value":1e5}]}]}]}}},"@context":[]}`))
	f.Add([]byte(bom + `{"type":"EPCISDocument","epcisHeader":{"epcisMasterData":{"vocabularyList":[{"vocabularyElementList":[{"attributes":[{"attribute":{}}]}]}]}}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		read := func(r io.Reader) string {
			var b strings.Builder
			bytes := 0
			sum, err := Read(r, epcis.Options{KeepFaulty: true, MaxEvents: 1000}, epcis.Handler{
				Event: func(e epcis.EventAt) error {
					fmt.Fprintf(&b, "%+v\n", e.Event)
					return nil
				},
				Problem: func(p epcis.Problem) error {
					if bytes += len(p.String()); p.Line < 1 || p.Column < 1 || p.Severity == "" || p.Code == "" {
						t.Errorf("%+v", p)
					}
					if len(p.Message) > 2000 || len(p.Hint) > 1000 {
						t.Errorf("a long message: %s", p)
					}
					fmt.Fprintf(&b, "%+v\n", p)
					return nil
				},
			})
			if err != nil {
				e, ok := errors.AsType[*epcis.ParseError](err)
				if !ok || e.Line < 1 || e.Column < 1 {
					t.Errorf("%v", err)
				}
			}
			return fmt.Sprintf("%s%+v %v", b.String(), sum, err)
		}
		// Where the input is cut into pieces must not matter.
		if a, b := read(bytes.NewReader(doc)), read(iotestOneByte{bytes.NewReader(doc)}); a != b {
			t.Errorf("two readings:\n%s\n%s", a, b)
		}
	})
}

type iotestOneByte struct{ r io.Reader }

func (o iotestOneByte) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return o.r.Read(b[:1])
}

// Memory does not grow with the document: every event is handed over and forgotten.
func TestJSONBoundedMemory(t *testing.T) {
	const size = 40 << 20
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	most, n := uint64(0), 0
	sum, err := Read(lateStream(size, `,"cbvmda:a":"1"`), epcis.Options{MaxBytes: 2 * size, MaxEvents: 1 << 30}, epcis.Handler{Event: func(epcis.EventAt) error {
		if n++; n%20_000 == 0 {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse)
		}
		return nil
	}})
	if err != nil || sum.Events < 200_000 || n != sum.Events {
		t.Fatal(sum, n, err)
	}
	// 4 MiB are kept for a late context; the rest is what the collector has not seen yet.
	if grown := int64(most) - int64(before.HeapInuse); grown > 24<<20 {
		t.Errorf("%d MiB more in use at %d MiB read", grown>>20, size>>20)
	}
}
