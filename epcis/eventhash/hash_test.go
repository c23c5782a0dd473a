package eventhash

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/internal/sample"
)

// vector is a row of the shared event-hash vectors.
type vector struct {
	path, hash, prehash, canonical string
	index                          int
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	rows, err := csv.NewReader(bytes.NewReader(sample.File(tb, "hash-vectors/vectors.csv"))).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	col := map[string]int{}
	for i, name := range rows[0] {
		col[name] = i
	}
	var list []vector
	for _, row := range rows[1:] {
		index, err := strconv.Atoi(row[col["event_index"]])
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, vector{
			row[col["path"]], row[col["hash"]], row[col["prehash"]], row[col["prehash_in_documented_canonical_order"]], index,
		})
	}
	return list
}

// readAll reads a document with the events that have errors, and a Hasher that heeds the document's ignoreFields.
func readAll(tb testing.TB, doc []byte) (events []epcis.Event, h *Hasher) {
	tb.Helper()
	var header *epcis.Header
	_, err := epcisdoc.Read(bytes.NewReader(doc), epcis.Options{KeepFaulty: true}, epcis.Handler{
		Header: func(h *epcis.Header) error { header = h; return nil },
		Event:  func(e epcis.EventAt) error { events = append(events, e.Event); return nil },
	})
	if err != nil {
		tb.Fatal(err)
	}
	return events, &Hasher{Ignore: IgnoredFields(header)}
}

// Every vector whose pre-hash is in the standard's order is met. The reference implementation wrote the others in an
// order of its own; of those, ours has the same parts, and the test says which stand elsewhere.
func TestHashVectors(t *testing.T) {
	same, reordered := 0, 0
	for _, v := range vectors(t) {
		t.Run(v.path+"#"+strconv.Itoa(v.index), func(t *testing.T) {
			events, h := readAll(t, sample.File(t, v.path))
			if v.index >= len(events) {
				t.Fatalf("there are %d events", len(events))
			}
			id, prehash, err := h.Hash(&events[v.index])
			if err != nil {
				t.Fatal(err)
			}
			if v.canonical == "yes" {
				if string(prehash) != v.prehash || id != v.hash {
					t.Fatalf("%s\n got %s\nwant %s", id, prehash, v.prehash)
				}
				same++
				return
			}
			ours, theirs := parts(t, string(prehash)), parts(t, v.prehash)
			if d := misplaced(ours, theirs); d == nil {
				t.Errorf("more than the order differs:\n got %s\nwant %s", prehash, v.prehash)
			} else if want := []string{"destinationList", "sourceList"}; !slices.Equal(d, want) {
				t.Errorf("moved: %v, want %v", d, want)
			}
			reordered++
		})
	}
	if same != 30 || reordered != 5 {
		t.Errorf("%d vectors met and %d differ in order alone, want 30 and 5", same, reordered)
	}
}

// topLevel are the names that begin a part of a pre-hash, in the standard's order; extensions follow.
var topLevel = []string{
	"eventType=", "eventTime=", "eventTimeZoneOffset=", "epcListepc=", "parentID=", "inputEPCListepc=", "childEPCsepc=",
	"quantityListquantityElement", "childQuantityListquantityElement", "inputQuantityListquantityElement", "outputEPCListepc=",
	"outputQuantityListquantityElement", "action=ADD", "action=OBSERVE", "action=DELETE", "transformationID=", "bizStep=", "disposition=", "persistentDisposition",
	"readPointid=", "bizLocationid=", "bizTransactionListtype=", "sourceListtype=", "destinationListtype=", "sensorElementListsensorElement",
	"ilmd{",
}

// parts cuts a pre-hash where a part begins.
func parts(tb testing.TB, prehash string) []string {
	tb.Helper()
	var cuts []int
	for _, name := range topLevel {
		if strings.Count(prehash, name) > 1 {
			tb.Fatalf("%s occurs twice: cut by hand", name)
		}
		if i := strings.Index(prehash, name); i >= 0 {
			cuts = append(cuts, i)
		}
	}
	slices.Sort(cuts)
	var list []string
	for i, from := range cuts {
		to := len(prehash)
		if i+1 < len(cuts) {
			to = cuts[i+1]
		}
		list = append(list, prehash[from:to])
	}
	if strings.Join(list, "") != prehash {
		tb.Fatalf("%s does not begin with a known part", prehash)
	}
	return list
}

// misplaced names the parts that stand at another place in b than in a, nil when more than the order differs.
func misplaced(a, b []string) (names []string) {
	x, y := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	if !slices.Equal(x, y) {
		return nil
	}
	for i := range a {
		if a[i] != b[i] {
			for _, name := range topLevel {
				if strings.HasPrefix(b[i], name) {
					names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, "type="), "{"))
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

// examplePaths are the shared example documents of every format.
func examplePaths(tb testing.TB) (paths []string) {
	tb.Helper()
	rows, err := csv.NewReader(bytes.NewReader(sample.File(tb, "examples/index.csv"))).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	col := slices.Index(rows[0], "path")
	for _, row := range rows[1:] {
		paths = append(paths, "examples/"+strings.TrimPrefix(row[col], "examples/"))
	}
	return paths
}

// exampleDocuments are some shared examples to start fuzzing from; none where there are none.
func exampleDocuments() (docs [][]byte) {
	for _, pattern := range []string{"*/hashgen/*", "jsonld-2.0/gs1/*_all_possible_fields.jsonld", "xml-2.0/gs1/*_all_possible_fields.xml"} {
		files, _ := filepath.Glob(sample.Path("examples/" + pattern))
		for _, file := range files {
			if b, err := os.ReadFile(file); err == nil {
				docs = append(docs, b)
			}
		}
	}
	return docs
}
