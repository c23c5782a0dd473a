package epcisjson

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strconv"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/sample"
)

// jsonExamples are the rows of the index that are JSON, by column name.
func jsonExamples(t *testing.T) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(sample.File(t, "examples/index.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		if m["format"] == "jsonld-2.0" {
			list = append(list, m)
		}
	}
	if len(list) < 121 {
		t.Fatalf("%d JSON examples, want 121", len(list))
	}
	return list
}

// The verdict of the official schema, the number of events and of EPCs of every shared JSON example.
func TestJSONExamples(t *testing.T) {
	for _, row := range jsonExamples(t) {
		t.Run(strings.TrimPrefix(row["path"], "examples/jsonld-2.0/"), func(t *testing.T) {
			types, epcs, schema := map[string]int{}, map[string]bool{}, 0
			sum, err := Read(bytes.NewReader(sample.File(t, row["path"])), epcis.Options{KeepFaulty: true}, epcis.Handler{
				Event: func(e epcis.EventAt) error {
					types[e.Event.Type]++
					e.Event.EPCs(func(_ int, epc string) bool { epcs[epc] = true; return true })
					return nil
				},
				Problem: func(p epcis.Problem) error {
					t.Log(p, "schema", p.Schema, p.Pointer)
					if p.Schema {
						schema++
					}
					if p.Line == 0 {
						t.Error("no line")
					}
					return nil
				},
			})
			if row["well_formed"] != "yes" || row["valid_official_schema"] == "n/a" {
				if _, ok := errors.AsType[*epcis.ParseError](err); !ok {
					t.Fatalf("want a ParseError, got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := row["valid_official_schema"] == "no"; sum.SchemaInvalid != want || schema > 0 != want {
				t.Errorf("refused by the schema: %v (%d problems), want %v: %s", sum.SchemaInvalid, schema, want, row["first_error"])
			}
			if n, _ := strconv.Atoi(row["n_events"]); sum.Events != n {
				t.Errorf("%d events, want %d", sum.Events, n)
			}
			if n, _ := strconv.Atoi(row["n_unique_epcs"]); len(epcs) != n {
				t.Errorf("%d EPCs, want %d", len(epcs), n)
			}
			var want []string
			for s := range strings.SplitSeq(row["event_types"], ";") {
				name, count, _ := strings.Cut(s, "=")
				if strconv.Itoa(types[name]) != count {
					want = append(want, s)
				}
			}
			if want != nil && sum.Events > 0 {
				t.Errorf("types %v, want %v", types, want)
			}
		})
	}
}
