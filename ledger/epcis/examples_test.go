package epcis

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
)

const shared = "../../../shared/gs1"

// sharedFile reads a file of the shared GS1 collection, which is not part of the repository. Without it a test says so
// and stops; where the tests count (CI=true) it fails.
func sharedFile(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(shared, name))
	if err == nil {
		return b
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("the shared GS1 examples are needed in CI: %v", err)
	}
	tb.Skipf("the shared GS1 examples are not beside the repository: %v", err)
	return nil
}

// What differs from the index, and why.
var (
	notDocuments = map[string]string{
		"xml-1.2/fastnt/AggregationEvent_Full.xml": "a bare event: neither namespace nor version can be known",
		"xml-1.2/fastnt/ObjectEvent_Full.xml":      "a bare event: neither namespace nor version can be known",
	}
	rejected = map[string]struct {
		events int
		epcs   int // left in the good events
		why    string
	}{
		"xml-1.0-1.1/fastnt-old/negative/CaptureInvalidUri.xml":   {1, 0, "a child EPC is the bare number 5900000818"},
		"xml-1.0-1.1/epcisjs/AggregationEvents.xml":               {1, 4, "an epcClass is urn:epc:idpat:sgtin:mypart"},
		"xml-1.2/openepcis/All_eventTypes_in_single_document.xml": {1, 12, "a GRAI fails its check digit"},
	}
)

func TestExamples(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(string(sharedFile(t, "examples/index.csv")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := map[string]int{}
	for i, name := range rows[0] {
		col[name] = i
	}
	n := 0
	for _, row := range rows[1:] {
		path := strings.TrimPrefix(row[col["path"]], "examples/")
		if !strings.HasPrefix(path, "xml-1.2/") && !strings.HasPrefix(path, "xml-1.0-1.1/") {
			continue
		}
		n++
		t.Run(path, func(t *testing.T) {
			doc, err := Parse(strings.NewReader(string(sharedFile(t, "examples/"+path))), Options{})
			if row[col["well_formed"]] != "yes" || notDocuments[path] != "" {
				if _, ok := errors.AsType[*ParseError](err); !ok {
					t.Fatalf("want a ParseError, got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range doc.Problems {
				t.Log(p)
			}
			wantEvents, _ := strconv.Atoi(row[col["n_events"]])
			wantEPCs, _ := strconv.Atoi(row[col["n_unique_epcs"]])
			exception := rejected[path]
			if exception.why != "" {
				wantEPCs = exception.epcs
			}
			types, epcs := map[string]int{}, map[string]bool{}
			for _, e := range doc.Events {
				types[e.Event.Type]++
				e.Event.EPCs(func(_ int, epc string) bool { epcs[epc] = true; return true })
			}
			if doc.Rejected != exception.events || len(doc.Events)+doc.Rejected != wantEvents {
				t.Errorf("%d good and %d rejected events, want %d and %d", len(doc.Events), doc.Rejected, wantEvents-exception.events, exception.events)
			}
			if len(epcs) != wantEPCs {
				t.Errorf("%d EPCs, want %d", len(epcs), wantEPCs)
			}
			if exception.events == 0 {
				want := map[string]int{}
				for _, s := range strings.FieldsFunc(row[col["event_types"]], func(r rune) bool { return r == ';' }) {
					name, count, _ := strings.Cut(s, "=")
					if name == "QuantityEvent" {
						name = "ObjectEvent" // read as one
					}
					k, _ := strconv.Atoi(count)
					want[name] += k
				}
				if d := cmp.Diff(want, types); d != "" {
					t.Errorf("event types (-index +parsed):\n%s", d)
				}
			}
		})
	}
	if n < 39 {
		t.Errorf("%d examples in the index, want 39", n)
	}
}

// A partner's file is read without a word of complaint.
func TestPharmaExampleHasNoProblems(t *testing.T) {
	doc, err := Parse(strings.NewReader(string(sharedFile(t, "examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml"))), Options{})
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
	doc, err := Parse(bytes.NewReader(sharedFile(t, "examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml")), Options{})
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
	sharedFile(t, "examples/index.csv")
	files, err := filepath.Glob(filepath.Join(shared, "examples/xml-1*/*/*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := Parse(bytes.NewReader(raw), Options{})
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
			if name := v.Type().Field(i).Name; v.Type() != reflect.TypeFor[Extension]() || name != "Namespace" && name != "Name" {
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
	in, text := 0, ""
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
			if tok.Name.Local == "EventList" {
				in++
			}
			add(text)
			text = ""
			for _, a := range tok.Attr {
				isNil := a.Name.Space == nsXSI && a.Name.Local == "nil" // says that there is nothing
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
