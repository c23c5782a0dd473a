package epcisxml

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/xmlns"
)

// example is a row of the index of example documents.
type example struct {
	path, format, root, valid string
	wellFormed                bool
	events, epcs              int
	types                     map[string]int
}

// examples are the example documents of a format: "xml" or "jsonld".
func examples(tb testing.TB, format string) (list []example) {
	tb.Helper()
	rows, err := csv.NewReader(bytes.NewReader(sample.File(tb, "examples/index.csv"))).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	col := map[string]int{}
	for i, name := range rows[0] {
		col[name] = i
	}
	for _, row := range rows[1:] {
		if !strings.HasPrefix(row[col["format"]], format) {
			continue
		}
		x := example{
			path: row[col["path"]], format: row[col["format"]], root: row[col["root"]], valid: row[col["valid_official_schema"]],
			wellFormed: row[col["well_formed"]] == "yes", types: map[string]int{},
		}
		x.events, _ = strconv.Atoi(row[col["n_events"]])
		x.epcs, _ = strconv.Atoi(row[col["n_unique_epcs"]])
		for _, s := range strings.FieldsFunc(row[col["event_types"]], func(r rune) bool { return r == ';' }) {
			name, count, _ := strings.Cut(s, "=")
			if name == "QuantityEvent" {
				name = "ObjectEvent" // read as one
			}
			k, _ := strconv.Atoi(count)
			x.types[name] += k
		}
		list = append(list, x)
	}
	return list
}

// rejected are the examples with an event that is refused, though read, and why.
var rejected = map[string]string{
	"xml-1.0-1.1/fastnt-old/negative/CaptureInvalidUri.xml":                    "a child EPC is the bare number 5900000818",
	"xml-1.0-1.1/epcisjs/AggregationEvents.xml":                                "an epcClass is urn:epc:idpat:sgtin:mypart",
	"xml-1.2/openepcis/All_eventTypes_in_single_document.xml":                  "a GRAI fails its check digit",
	"xml-1.2/fastnt/ObjectEvent_Full.xml":                                      "ilmd with action OBSERVE",
	"xml-2.0/openepcis/epcisDocWithAllGS1Keys.xml":                             "an SSCC stands in epcList twice",
	"xml-2.0/openepcis/negative/ObjectEvent_bare_event_without_action.xml":     "no action",
	"xml-2.0/openepcis/negative/ObjectEvent_with_invalid_action.xml":           "no such action",
	"xml-2.0/openepcis/negative/ObjectEvent_with_invalid_eventTime_format.xml": "not a time",
	"xml-2.0/openepcis/negative/ObjectEvent_without_eventTime.xml":             "no time",
	"xml-2.0/openepcis/negative/QueryDocument_with_invalid_action.xml":         "no such action",
	"xml-2.0/openepcis/query/Combination_of_different_event.xml":               "a GRAI fails its check digit",
	"xml-2.0/openepcis/query/queryDocument.xml":                                "a GRAI fails its check digit",
}

// qualified are the examples whose events have the prefix of the root on every element: the index sees no EPC in them. They are
// schema-invalid, and read as meant.
var qualified = map[string]int{"xml-2.0/openepcis/Namespace_document.xml": 1, "xml-2.0/openepcis/Namespace_event.xml": 1}

// Every XML example is judged as its official schema does, and what is in it is found.
func TestExamples(t *testing.T) {
	list := examples(t, "xml")
	for _, x := range list {
		t.Run(x.path, func(t *testing.T) {
			types, epcs, faulty := map[string]int{}, map[string]bool{}, 0
			schema := false
			sum, err := Read(bytes.NewReader(sample.File(t, x.path)), epcis.Options{KeepFaulty: true}, epcis.Handler{
				Event: func(e epcis.EventAt) error {
					types[e.Event.Type]++
					e.Event.EPCs(func(_ int, epc string) bool { epcs[epc] = true; return true })
					if e.Faults > 0 {
						faulty++
					}
					return nil
				},
				Problem: func(p epcis.Problem) error {
					t.Log(p)
					schema = schema || p.Schema
					return nil
				},
			})
			if !x.wellFormed {
				if _, ok := errors.AsType[*epcis.ParseError](err); !ok {
					t.Fatalf("want a ParseError, got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if bare := field.LayoutOf(2, x.root) != nil; sum.NoSchema != bare {
				t.Errorf("NoSchema is %v", sum.NoSchema)
			}
			if invalid := x.valid == "no"; x.valid != "n/a" && (sum.SchemaInvalid != invalid || schema != invalid) {
				t.Errorf("the schema refuses it: %v, a problem says so: %v; want %v", sum.SchemaInvalid, schema, invalid)
			}
			if string(sum.Format) != x.format {
				t.Errorf("the format is %s, want %s", sum.Format, x.format)
			}
			if sum.Events != x.events {
				t.Errorf("%d events, want %d", sum.Events, x.events)
			}
			name := strings.TrimPrefix(x.path, "examples/")
			if want := x.epcs + qualified[name]; len(epcs) != want {
				t.Errorf("%d EPCs, want %d", len(epcs), want)
			}
			if sum.Root != x.root && strings.HasSuffix(x.root, "Document") {
				t.Errorf("the root is %s, want %s", sum.Root, x.root)
			}
			if d := cmp.Diff(x.types, types); d != "" {
				t.Errorf("event types (-index +parsed):\n%s", d)
			}
			if why := rejected[name]; (faulty == 1) != (why != "") || sum.Rejected != faulty {
				t.Errorf("%d events refused, want one if there is a reason: %s", faulty, why)
			}
		})
	}
	if len(list) < 124 {
		t.Errorf("%d examples in the index, want 124", len(list))
	}
}

// A partner's file is read without a word of complaint.
func TestPharmaExampleHasNoProblems(t *testing.T) {
	doc, err := Parse(strings.NewReader(string(sample.File(t, "examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml"))), epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range doc.Problems {
		t.Error(p)
	}
}

var update = flag.Bool("update", false, "rewrite golden files")

// The example a partner would send first, field by field.
func TestPharmaExampleGolden(t *testing.T) {
	doc, err := Parse(bytes.NewReader(sample.File(t, "examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml")), epcis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := dump(t, doc)
	const path = "testdata/pharma.golden.json"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("(-golden +parsed):\n%s", d)
	}
}

// dump is JSON without zero values.
func dump(tb testing.TB, v any) []byte {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(b, &tree); err != nil {
		tb.Fatal(err)
	}
	if b, err = json.MarshalIndent(prune(tree), "", " "); err != nil {
		tb.Fatal(err)
	}
	return append(b, '\n')
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			if c := prune(child); c == nil || c == "" || c == float64(0) {
				delete(v, k)
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

// Nothing inside an event gets lost: every text and every attribute value of it is in the model, as often as in the
// document. encoding/xml reads the document a second time, knowing nothing of EPCIS.
func TestExamplesAreKeptWithoutLoss(t *testing.T) {
	sample.File(t, "examples/index.csv")
	files, err := filepath.Glob(sample.Path("examples/xml-*/*/*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse(bytes.NewReader(raw), epcis.Options{})
		if err != nil || doc.Rejected > 0 {
			continue // TestExamples knows which
		}
		n++
		got := map[string]int{}
		for _, e := range doc.Events {
			if bytes.Contains(raw, []byte("<QuantityEvent>")) {
				e.Event.Action = "" // added by reading
			}
			e.Event.Type = ""
			texts(reflect.ValueOf(e.Event), got)
		}
		if d := cmp.Diff(rawTexts(t, raw), got); d != "" {
			t.Errorf("%s (-document +model):\n%s", path, d)
		}
	}
	if n < 30 {
		t.Errorf("only %d documents compared", n)
	}
}

func texts(v reflect.Value, into map[string]int) {
	switch v.Kind() {
	case reflect.String:
		if s := strings.TrimSpace(v.String()); s != "" {
			into[s]++
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), into)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			texts(v.Elem(), into)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Type() != reflect.TypeFor[epcis.Extension]() || name != "Namespace" && name != "Name" {
				texts(v.Field(i), into)
			}
		}
	default: // numbers hold no text
	}
}

func rawTexts(tb testing.TB, raw []byte) map[string]int {
	tb.Helper()
	texts := map[string]int{}
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			texts[s]++
		}
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	in, depth, text := 0, 0, ""
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			tb.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if depth++; tok.Name.Local == "EventList" {
				in++
			}
			add(text)
			text = ""
			if depth == 1 && isEventName(tok.Name.Local) { // its attributes are those of a document
				in++
				continue
			}
			for _, a := range tok.Attr {
				isNil := a.Name.Space == xmlns.XSI && a.Name.Local == "nil" // says that there is nothing
				if a.Name.Space == xmlns.XSI {                              // a name of the schema, in any prefix
					a.Value = strings.Replace(a.Value, "epcis:", "{"+xmlns.EPCIS2+"}", 1)
				}
				if in > 0 && a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && !isNil {
					add(a.Value)
				}
			}
		case xml.EndElement:
			add(text)
			text = ""
			if tok.Name.Local == "EventList" {
				in--
			}
		case xml.CharData:
			if in > 0 {
				text += string(tok)
			}
		}
	}
}
