package epcis_test

import (
	"bytes"
	"encoding/csv"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/sample"
	"verilot.dev/epcis/internal/vocabulary"
)

// The words are those of the standard, and so are their spellings.
func TestCodeListsAreTheStandards(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(sample.File(t, "cbv/cbv-terms.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]epcis.TermKind{
		"bizStep": epcis.TermBizStep, "disposition": epcis.TermDisposition, "bizTransaction type": epcis.TermBizTransaction, "source/destination type": epcis.TermSourceDest,
		"error reason": epcis.TermErrorReason, "sensor component": epcis.TermComponent, "measurement type": epcis.TermMeasurement, "sensor alert type": epcis.TermSensorAlert,
	}
	want := map[epcis.TermKind][]string{}
	for _, row := range rows[1:] {
		kind, ok := kinds[row[0]]
		if !ok {
			t.Fatalf("a new list: %s", row[0])
		}
		word, web, urn := row[1], row[2], row[3]
		want[kind] = append(want[kind], word)
		if urn == "" {
			urn = "gs1:" + word
		}
		for _, s := range []string{word, web, urn} {
			if kind.Word(s) != word || kind.WebURI(s) != web || kind.URN(s) != urn || !kind.Known(s) {
				t.Errorf("%s: %q, %q, %q", s, kind.Word(s), kind.WebURI(s), kind.URN(s))
			}
		}
	}
	for kind, words := range want {
		slices.Sort(words)
		if d := cmp.Diff(words, slices.Sorted(maps.Keys(vocabulary.Lists[kind].Words))); d != "" {
			t.Errorf("list %d (-standard +ours):\n%s", kind, d)
		}
	}
}

func TestSpellingsOfTerms(t *testing.T) {
	for _, tt := range []struct {
		name           string
		kind           epcis.TermKind
		in             string
		word, urn, web string
	}{
		{"bare word", epcis.TermBizStep, "shipping", "shipping", "urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping"},
		{"Web URI stays in 2.0 XML", epcis.TermDisposition, "https://ref.gs1.org/cbv/Disp-active", "active", "urn:epcglobal:cbv:disp:active", "https://ref.gs1.org/cbv/Disp-active"},
		{"CURIE", epcis.TermSourceDest, "cbv:SDT-location", "location", "urn:epcglobal:cbv:sdt:location", "https://ref.gs1.org/cbv/SDT-location"},
		{"the address of the draft", epcis.TermBizTransaction, "https://ns.gs1.org/cbv/BTT-po", "po", "urn:epcglobal:cbv:btt:po", "https://ref.gs1.org/cbv/BTT-po"},
		{"a word that is to come", epcis.TermBizStep, "urn:epcglobal:cbv:bizstep:teleporting", "teleporting", "urn:epcglobal:cbv:bizstep:teleporting", "https://ref.gs1.org/cbv/BizStep-teleporting"},
		{"a word of another list", epcis.TermDisposition, "shipping", "shipping", "shipping", "shipping"},
		{"a URI of one's own", epcis.TermBizStep, "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping"},
		{"measurement", epcis.TermMeasurement, "Temperature", "Temperature", "gs1:Temperature", "https://gs1.org/voc/Temperature"},
		{"a measurement that is to come", epcis.TermMeasurement, "https://gs1.org/voc/Beauty", "Beauty", "gs1:Beauty", "https://gs1.org/voc/Beauty"},
		{"component", epcis.TermComponent, "x", "x", "urn:epcglobal:cbv:comp:x", "https://ref.gs1.org/cbv/Comp-x"},
		{"component as URN", epcis.TermComponent, "urn:epcglobal:cbv:comp:x", "x", "urn:epcglobal:cbv:comp:x", "https://ref.gs1.org/cbv/Comp-x"},
	} {
		got := []string{tt.kind.Word(tt.in), tt.kind.URN(tt.in), tt.kind.WebURI(tt.in)}
		if d := cmp.Diff([]string{tt.word, tt.urn, tt.web}, got); d != "" {
			t.Errorf("%s:\n%s", tt.name, d)
		}
	}
}
