package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Count is how many of a kind of expectation were met.
type Count struct {
	Agree int `json:"agree"`
	Known int `json:"known"` // disagree for a reason that is listed
	Total int `json:"total"`
}

// String is a line for people.
func (c Count) String() string {
	s := fmt.Sprintf("%d of %d", c.Agree, c.Total)
	if c.Total > 0 {
		s += fmt.Sprintf(" (%.1f %%)", 100*float64(c.Agree)/float64(c.Total))
	}
	if c.Known > 0 {
		s += fmt.Sprintf(", %d differ for a known reason", c.Known)
	}
	return s
}

// Cell is one expectation about a document and what came of it.
type Cell struct {
	Want  string `json:"want"` // "" where nothing is expected
	Got   string `json:"got"`
	Known string `json:"known,omitempty"` // why they may differ
}

// Agrees reports whether what was expected came.
func (c Cell) Agrees() bool { return c.Want == "" || c.Want == c.Got }

// Row is what is expected of one document and what came of it.
type Row struct {
	Path   string `json:"path"`
	Format Cell   `json:"format"`
	Valid  Cell   `json:"valid"`
	Events Cell   `json:"events"` // count and types
	EPCs   Cell   `json:"epcs"`   // how many different ones
	Level  string `json:"level"`
	Hashes []Cell `json:"hashes,omitempty"` // by vector
}

// Report compares what verilot finds in the shared examples with what is known of them.
type Report struct {
	Rows      []Row `json:"rows"`
	Valid     Count `json:"valid"`
	Events    Count `json:"events"`
	EPCs      Count `json:"epcs"`
	Hashes    Count `json:"hashes"`    // vectors in the standard's order
	Reordered Count `json:"reordered"` // vectors that the reference implementation wrote in an order of its own
	// Unexpected are the disagreements that no known reason explains, and the known reasons that explain nothing.
	Unexpected []string `json:"unexpected"`
}

// known are the disagreements with the index and the vectors that are not ours, by path and expectation.
var known = map[string]string{}

func init() {
	const order = "the reference implementation writes destinationList before sourceList, the standard's table the other way round"
	for _, vector := range []string{
		"xml-1.0-1.1/hashgen/differentRepresentationsOfObjectEvent.xml#0", "xml-1.0-1.1/hashgen/differentRepresentationsOfObjectEvent.xml#1",
		"xml-1.0-1.1/hashgen/differentRepresentationsOfObjectEvent.xml#2", "jsonld-2.0/hashgen/epcisDocWithShippingAndTransportingEvent.jsonld#0",
		"xml-2.0/hashgen/epcisDocWithShippingAndTransportingEvent.xml#0",
	} {
		known[vector] = order
	}
	for _, document := range []string{"Namespace_document.xml", "Namespace_event.xml"} {
		known["xml-2.0/openepcis/"+document+" epcs"] = "the event has a namespace prefix on every element, and the index did not look into those: it names one EPC"
	}
}

// run makes the report of the collection in a folder, see its README.md.
func run(v verilot, dir string) (*Report, error) {
	index, err := table(filepath.Join(dir, "examples", "index.csv"))
	if err != nil {
		return nil, err
	}
	vectors, err := table(filepath.Join(dir, "hash-vectors", "vectors.csv"))
	if err != nil {
		return nil, err
	}
	var files []string
	for _, want := range index {
		files = append(files, fileOf(dir, want["path"]))
	}
	checked, err := v.check(files)
	if err != nil {
		return nil, err
	}
	byPath := map[string][]map[string]string{}
	for _, v := range vectors {
		byPath[v["path"]] = append(byPath[v["path"]], v)
	}
	r := &Report{Unexpected: []string{}}
	used := map[string]bool{}
	for i, want := range index {
		var hashes []string
		if len(byPath[want["path"]]) > 0 {
			if hashes, err = v.hashes(files[i]); err != nil {
				return nil, err
			}
		}
		r.add(&checked[i], want, byPath[want["path"]], hashes, used)
		delete(byPath, want["path"])
	}
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		r.Unexpected = append(r.Unexpected, path+": a hash vector of a document that is not in the index")
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if !used[key] {
			r.Unexpected = append(r.Unexpected, key+": listed as known to differ, but does not")
		}
	}
	return r, nil
}

func fileOf(dir, path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }

// add compares one document: what verilot answered, with what the index wants and with the vectors
// of its events.
func (r *Report) add(got *answer, want map[string]string, vectors []map[string]string, hashes []string, used map[string]bool) {
	path := want["path"]
	name := strings.TrimPrefix(path, "examples/")
	row := Row{Path: name, Level: got.Level, Format: Cell{Want: want["format"], Got: got.Format}}
	compare := func(c *Count, cell *Cell, key string) {
		if cell.Want == "" {
			return
		}
		c.Total++
		switch {
		case cell.Agrees():
			c.Agree++
		case known[key] != "":
			c.Known++
			cell.Known, used[key] = known[key], true
		default:
			r.Unexpected = append(r.Unexpected, fmt.Sprintf("%s: %s, want %s", key, cell.Got, cell.Want))
		}
	}

	row.Valid.Got = "n/a"
	if got.Valid != nil {
		row.Valid.Got = map[bool]string{true: "yes", false: "no"}[*got.Valid]
	}
	if want["valid_official_schema"] != "n/a" {
		row.Valid.Want = want["valid_official_schema"]
	}
	compare(&r.Valid, &row.Valid, name+" valid")
	compare(new(Count), &row.Format, name+" format")

	row.Events.Got, row.EPCs.Got = types(got.EventTypes), strconv.Itoa(len(got.EPCs))
	if want["well_formed"] == "yes" {
		row.Events.Want, row.EPCs.Want = strings.Join(sorted(want["event_types"]), " "), want["n_unique_epcs"]
		if row.Events.Want == "" {
			row.Events.Want = "0"
		}
	} else if got.WellFormed {
		r.Unexpected = append(r.Unexpected, name+": taken to be well-formed")
	}
	compare(&r.Events, &row.Events, name+" events")
	compare(&r.EPCs, &row.EPCs, name+" epcs")

	if len(vectors) > 0 {
		for _, v := range vectors {
			cell := Cell{Want: v["hash"], Got: "none"}
			if i, err := strconv.Atoi(v["event_index"]); err == nil && 0 <= i && i < len(hashes) {
				cell.Got = hashes[i]
			}
			count := &r.Hashes
			if v["prehash_in_documented_canonical_order"] != "yes" {
				count = &r.Reordered
			}
			compare(count, &cell, name+"#"+v["event_index"])
			row.Hashes = append(row.Hashes, cell)
		}
	}
	r.Rows = append(r.Rows, row)
}

// types is "AggregationEvent=1 ObjectEvent=4", or "0".
func types(counts map[string]int) string {
	var list []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, kind+"="+strconv.Itoa(counts[kind]))
	}
	if len(list) == 0 {
		return "0"
	}
	return strings.Join(list, " ")
}

func sorted(eventTypes string) []string {
	list := strings.FieldsFunc(eventTypes, func(r rune) bool { return r == ';' || r == ' ' })
	slices.Sort(list)
	return list
}

// table reads a CSV file as one map per row.
func table(file string) ([]map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", file)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		list = append(list, m)
	}
	return list, nil
}

// Print writes the report as a table, of Markdown if asked, and the totals behind it.
func (r *Report) Print(w io.Writer, markdown bool) {
	var rows [][]string
	head := []string{"document", "valid", "events", "EPCs", "hashes", "level"}
	for _, row := range r.Rows {
		var hashes []string
		for _, h := range row.Hashes {
			h.Want, h.Got = short(h.Want), short(h.Got)
			hashes = append(hashes, show(h))
		}
		rows = append(rows, []string{row.Path, show(row.Valid), show(row.Events), show(row.EPCs), strings.Join(hashes, ", "), row.Level})
	}
	width := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	line := func(cells []string) {
		var b strings.Builder
		for i, cell := range cells {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			switch {
			case markdown:
				fmt.Fprintf(&b, "| %s ", strings.ReplaceAll(cell, "|", `\|`))
			case i == len(cells)-1:
				b.WriteString(cell)
			default:
				b.WriteString(cell + pad + "  ")
			}
		}
		if markdown {
			b.WriteString("|")
		}
		fmt.Fprintln(w, b.String())
	}
	line(head)
	if markdown {
		fmt.Fprintln(w, strings.Repeat("| --- ", len(head))+"|")
	}
	for _, row := range rows {
		line(row)
	}
	bullet := ""
	if markdown {
		bullet = "- "
	}
	fmt.Fprintln(w)
	for _, total := range []struct {
		name  string
		count Count
	}{
		{"validity", r.Valid},
		{"event counts and types", r.Events},
		{"EPC sets", r.EPCs},
		{"hash vectors", r.Hashes},
		{"hash vectors in another order", r.Reordered},
	} {
		fmt.Fprintf(w, "%s%s: %s\n", bullet, total.name, total.count)
	}
	for _, row := range r.Rows {
		for _, c := range append([]Cell{row.Valid, row.Events, row.EPCs}, row.Hashes...) {
			if c.Known != "" {
				fmt.Fprintf(w, "%sknown: %s: %s\n", bullet, row.Path, c.Known)
			}
		}
	}
	for _, u := range r.Unexpected {
		fmt.Fprintf(w, "%sUNEXPECTED %s\n", bullet, u)
	}
}

// short is the beginning of a hash ID's digest.
func short(id string) string {
	digest := strings.TrimPrefix(id, "ni:///sha-256;")
	return digest[:min(8, len(digest))]
}

// show is the value both agree on, or both: expected, then actual.
func show(c Cell) string {
	switch {
	case c.Agrees():
		return c.Got
	case c.Known != "":
		return c.Want + " / " + c.Got + " (known)"
	}
	return c.Want + " / " + c.Got + " !"
}
