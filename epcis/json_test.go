package epcis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

func parseWith(t *testing.T, doc string, opt Options) *Document {
	t.Helper()
	d, err := parseJSON(strings.NewReader(doc), opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func places(list []Problem) string {
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

func ext(space, name string, kind ValueType, text string, children ...Extension) Extension {
	return Extension{Namespace: space, Name: name, Type: kind, Text: text, Children: children}
}

// The mapping of the package comment, value by value.
func TestJSONExtensions(t *testing.T) {
	const ns = "http://ex.org/ns/"
	list := func(space, name string, children ...Extension) Extension {
		x := ext(space, name, NoValue, "", children...)
		x.Attributes = []Extension{{Name: "[]", Type: Empty}}
		return x
	}
	with := func(x Extension, attributes ...Extension) Extension {
		x.Attributes = attributes
		return x
	}
	for _, tt := range []struct {
		name, member string
		want         []Extension
	}{
		{"text", `"ex:a":" x "`, []Extension{ext(ns, "a", Text, " x ")}},
		{"escaped", `"ex:\u0061":"\u00e9\n"`, []Extension{ext(ns, "a", Text, "é\n")}},
		{"empty text", `"ex:a":""`, []Extension{ext(ns, "a", Empty, "")}},
		{"number with its digits", `"ex:a":-1.50e+3`, []Extension{ext(ns, "a", Number, "-1.50e+3")}},
		{"booleans", `"ex:a":true,"ex:b":false`, []Extension{ext(ns, "a", Boolean, "true"), ext(ns, "b", Boolean, "false")}},
		{"null", `"ex:a":null`, []Extension{ext(ns, "a", Null, "")}},
		{"object", `"ex:a":{"ex:b":"1","c":2}`, []Extension{ext(ns, "a", NoValue, "", ext(ns, "b", Text, "1"), ext("", "c", Number, "2"))}},
		{"empty object", `"ex:a":{}`, []Extension{ext(ns, "a", NoValue, "")}},
		{"siblings", `"ex:a":["x",2,true,{}]`, []Extension{ext(ns, "a", Text, "x"), ext(ns, "a", Number, "2"), ext(ns, "a", Boolean, "true"), ext(ns, "a", NoValue, "")}},
		{"empty array", `"ex:a":[]`, []Extension{list(ns, "a")}},
		{"array of one", `"ex:a":["x"]`, []Extension{list(ns, "a", ext("", "[]", Text, "x"))}},
		{"array with null", `"ex:a":["x",null]`, []Extension{list(ns, "a", ext("", "[]", Text, "x"), ext("", "[]", Null, ""))}},
		{
			"arrays in an array", `"ex:a":[["x","y"],[]]`,
			[]Extension{list(ns, "a", list("", "[]", ext("", "[]", Text, "x"), ext("", "[]", Text, "y")), list("", "[]"))},
		},
		{"siblings deep inside", `"ex:a":{"ex:b":["x","y"]}`, []Extension{ext(ns, "a", NoValue, "", ext(ns, "b", Text, "x"), ext(ns, "b", Text, "y"))}},
		{
			"attributes", `"ex:a":{"@u":"C","@ex:v":"1","@type":"T","ex:b":"x"}`,
			[]Extension{with(ext(ns, "a", NoValue, "", ext(ns, "b", Text, "x")), ext("", "u", Text, "C"), ext(ns, "v", Text, "1"), ext("", "type", Text, "T"))},
		},
		{"text beside attributes", `"ex:a":{"#text":"5","@u":""}`, []Extension{with(ext(ns, "a", Text, "5"), ext("", "u", Empty, ""))}},
		{"text alone stays a child", `"ex:a":{"#text":"5"}`, []Extension{ext(ns, "a", NoValue, "", ext("", "#text", Text, "5"))}},
		{
			"mixed content", `"ex:a":{"#text":["x","y"],"ex:b":"1"}`,
			[]Extension{ext(ns, "a", NoValue, "", ext("", "#text", Text, "x"), ext("", "#text", Text, "y"), ext(ns, "b", Text, "1"))},
		},
		{"an attribute that is none", `"ex:a":{"@l":["x"],"@[]":""}`, []Extension{ext(ns, "a", NoValue, "", list("", "@l", ext("", "[]", Text, "x")), ext("", "@[]", Empty, ""))}},
		{"full URI", `"http://a.org/x#b":"1"`, []Extension{ext("http://a.org/x#", "b", Text, "1")}},
		{"URN", `"urn:a:b":"1"`, []Extension{ext("urn:a:", "b", Text, "1")}},
		{"undeclared", `"no:b":"1"`, []Extension{ext("no:", "b", Text, "1")}},
		{"official prefix", `"cbvmda:lotNumber":"1"`, []Extension{ext("urn:epcglobal:cbv:mda:", "lotNumber", Text, "1")}},
		{"nothing behind the prefix", `"ex:":"1"`, []Extension{ext("", "ex:", Text, "1")}},
		{"no prefix", `"foo":"1"`, []Extension{ext("", "foo", Text, "1")}},
		{"a context inside", `"ex:a":{"@context":{"y":"urn:y:"},"y:b":"1"},"ex:c":{"y:b":"2"}`, []Extension{ext(ns, "a", NoValue, "", ext("urn:y:", "b", Text, "1")), ext(ns, "c", NoValue, "", ext("y:", "b", Text, "2"))}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parseWith(t, jsonDocument(jsonObserve(","+tt.member)), Options{})
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
	d := parseWith(t, jsonDocument(strings.Replace(jsonObserve(`,"ilmd":{"cbvmda:lotNumber":["L1"],"cbvmda:itemExpirationDate":"2028-01-31","ex:a":["x"]}`), "OBSERVE", "ADD", 1)), Options{})
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
			d := parseWith(t, tt.doc, Options{})
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
	d := parseWith(t, event, Options{})
	want := Event{
		Type: "ObjectEvent", EventTime: "2026-11-20T10:00:00Z", EventTimeZoneOffset: "+01:00", Action: "OBSERVE", BizStep: "shipping",
		Extensions: []Extension{ext("http://ex.org/", "temperature", Number, "5")},
	}
	if diff := cmp.Diff(want, d.Events[0].Event); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !d.Summary.SchemaInvalid {
		t.Error("the schema knows no aliases")
	}
	d = parseWith(t, strings.Replace(event, `"step":"shipping"`, `"step":"shipping","bizStep":"receiving"`, 1), Options{})
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
	d := parseWith(t, jsonDocument(events...), Options{})
	want := `4:190 /epcisBody/eventList/1/disposition warning field_invalid (schema)
4:166 /epcisBody/eventList/1/bizStep warning CBV_UNKNOWN (schema)
5:80 /epcisBody/eventList/2/eventTimeZoneOffset error offset_invalid (schema)
7:3 /epcisBody/eventList/3/epcList/0 error epc_invalid (schema)
9:227 /epcisBody/eventList/4/bizTransactionList/1/type warning field_invalid (schema)
9:249 /epcisBody/eventList/4/bizTransactionList/1/bizTransaction warning content_unexpected (schema)
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
	var problems []Problem
	events := 0
	sum, err := readJSON(bytes.NewReader(doc), Options{}, Handler{
		Event:   func(EventAt) error { events++; return nil },
		Problem: func(p Problem) error { problems = append(problems, p); return nil },
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
"ex:root":{"ex:c":1},"epcisBody":{"eventList":[]}}`, Options{})
	if len(d.Problems) > 0 {
		t.Error(d.Problems)
	}
	want := Header{
		Format: "jsonld-2.0", ID: "urn:uuid:1", SchemaVersion: "2.0", CreationDate: "2026-11-20T10:00:00Z",
		SBDH:                 &SBDH{Senders: []SBDHPartner{{Identifier: "urn:s"}}, Receivers: []SBDHPartner{{Identifier: "urn:r"}}, InstanceIdentifier: "77"},
		TransactionStatement: "true", LegalNotice: "We affirm.",
		Prefixes:   map[string]string{"ex": "urn:ex:", "gs1ushc": NamespaceHC},
		Extensions: []Extension{ext("urn:ex:", "a", Text, "1"), ext("urn:ex:", "root", NoValue, "", ext("urn:ex:", "c", Number, "1"))},
		Vocabularies: []Vocabulary{{Type: "urn:epcglobal:epcis:vtype:EPCClass", Elements: []VocabularyElement{{
			ID: "urn:epc:idpat:sgtin:030001.0012345.*",
			Attributes: []VocabularyAttribute{
				{ID: "urn:epcglobal:cbv:mda#regulatedProductName", Text: "Aspirin"},
				{ID: "urn:n", Text: "5"},
				{ID: "urn:o", Children: []Extension{ext("urn:ex:", "b", Text, "x")}},
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
	long := strings.Repeat("x", MaxToken+ReadAhead*2)
	deep := strings.Repeat(`{"a":`, 70)
	for _, tt := range []struct {
		name, doc, want string
		opt             Options
	}{
		{"a list", `[{}]`, "1:1 not_epcis", Options{}},
		{"something else", `{"a":1}`, "1:1 not_epcis", Options{}},
		{"cut off", jsonHead + `{"type":"Obj`, "3:13 document_malformed", Options{}},
		{"cut off between", jsonDocument(jsonObserve("")) + ",", "4:4 document_malformed", Options{}},
		{"two documents", jsonDocument() + jsonDocument(), "4:4 document_malformed", Options{}},
		{"a member twice", jsonDocument(jsonObserve(`,"action":"ADD"`)), "3:156 document_malformed", Options{}},
		{"a member twice, escaped", jsonDocument(jsonObserve(`,"\u0061ction":"ADD"`)), "3:156 document_malformed", Options{}},
		{"no comma", jsonDocument(jsonObserve(` "a":1`)), "3:156 document_malformed", Options{}},
		{"not UTF-8", jsonDocument(jsonObserve(",\"ex:a\":\"\xff\"")), "3:164 document_malformed", Options{}},
		{"half a surrogate", jsonDocument(jsonObserve(`,"ex:a":"\ud800"`)), "3:164 document_malformed", Options{}},
		{"UTF-16", "{\x00}\x00", "1:1 document_malformed", Options{}},
		{"too large", jsonDocument(jsonObserve("")), "2:23 document_too_large", Options{MaxBytes: 200}},
		{"too deep", jsonDocument(jsonObserve(`,"ex:a":` + deep + `1` + strings.Repeat("}", 70))), "3:463 limit_exceeded", Options{}},
		{"too deep where nothing is read", `{"type":"EPCISDocument","epcisBody":{"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}}`, "1:104 limit_exceeded", Options{}},
		{"a long string", jsonDocument(jsonObserve(`,"ex:a":"` + long + `"`)), "3:162 limit_exceeded", Options{}},
		{"much white space", jsonDocument(strings.Repeat(" ", len(long)) + jsonObserve("")), "2:110 limit_exceeded", Options{}},
		{"too many events", jsonDocument(jsonObserve(""), jsonObserve("")), "4:1 document_too_large", Options{MaxEvents: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readJSON(strings.NewReader(tt.doc), tt.opt, Handler{})
			e, ok := errors.AsType[*ParseError](err)
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
	d := parseWith(t, bom+jsonDocument(jsonObserve("")), Options{})
	if got := places(d.Problems); got != "1:1  warning byte_order_mark\n" || len(d.Events) != 1 {
		t.Error(got)
	}
}

// An event that is too large in one way or another is an error of its own.
func TestJSONLargeEvents(t *testing.T) {
	many := strings.Repeat(`"urn:epc:id:sgtin:030001.0012345.1",`, 40)
	for _, tt := range []struct {
		name, event string
		opt         Options
	}{
		{"EPCs", strings.Replace(jsonObserve(""), `"epcList":[`, `"epcList":[`+many, 1), Options{MaxEPCs: 40}},
		{"bytes", jsonObserve(`,"ex:a":"` + strings.Repeat("x", 1000) + `","ex:b":{"a":[{"b":1}]}`), Options{MaxEventBytes: 1000}},
		{"extensions", jsonObserve(`,"ex:a":[` + strings.Repeat("1,", MaxEventNodes) + `1]`), Options{}},
		{"nesting of small things", jsonObserve(`,"ex:a":[` + strings.Repeat("[],", MaxEventNodes) + `1]`), Options{}},
		{"sensors", jsonObserve(`,"sensorElementList":[` + strings.Repeat("{},", MaxEventNodes) + `{}]`), Options{}},
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
	d := parseWith(t, jsonDocument(strings.Replace(jsonObserve(""), `"epcList":[`, `"epcList":[`+strings.Repeat(`"x",`, 1000), 1)), Options{})
	if n := len(d.Problems); n != MaxEventProblems+1 || d.Problems[n-1].Code != CodeTruncated {
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
			sum, err := readJSON(tt.in(), Options{}, Handler{Event: func(e EventAt) error {
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
			sum, err := readJSON(r, Options{KeepFaulty: true, MaxEvents: 1000}, Handler{
				Event: func(e EventAt) error {
					fmt.Fprintf(&b, "%+v\n", e.Event)
					return nil
				},
				Problem: func(p Problem) error {
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
				e, ok := errors.AsType[*ParseError](err)
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
	sum, err := readJSON(lateStream(size, `,"cbvmda:a":"1"`), Options{MaxBytes: 2 * size, MaxEvents: 1 << 30}, Handler{Event: func(EventAt) error {
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
