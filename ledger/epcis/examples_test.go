package epcis

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
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
				var pe *ParseError
				if !errors.As(err, &pe) {
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
