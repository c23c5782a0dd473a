package epcisdoc

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
	"verilot.dev/epcis/internal/sample"
)

// writeAll writes events as a document and reads it again, faulty events included.
func writeAll(t interface{ Fatalf(string, ...any) }, h *epcis.Header, events []epcis.Event, o epcis.WriteOptions) (raw []byte, doc *epcis.Document, losses []epcis.Problem) {
	var b bytes.Buffer
	enc, err := NewEncoder(&b, epcis.Head{Header: h, CreationDate: "2026-11-20T00:00:00Z"}, o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i := range events {
		if err := enc.Event(&events[i], ""); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if losses, err = enc.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	doc, err = Parse(bytes.NewReader(b.Bytes()), epcis.Options{KeepFaulty: true, MaxDepth: 512, MaxBytes: 1 << 30})
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, b.Bytes())
	}
	return b.Bytes(), doc, losses
}

// Whatever an event holds, it comes back from every format, or what does not is told.
func TestRandomEventsSurvive(t *testing.T) {
	total, whole := 0, 0
	defer func() {
		if t.Logf("%d of %d documents lost nothing", whole, total); whole < total/5 {
			t.Error("too few documents lost nothing: the test tests nothing")
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		events := []epcis.Event{sample.Event(t)}
		if rapid.Bool().Draw(t, "two") {
			events = append(events, sample.Event(t)) // needs namespaces that the root does not have
		}
		o := epcis.WriteOptions{
			Format: rapid.SampledFrom(allFormats).Draw(t, "format"), Indent: rapid.Bool().Draw(t, "indent"),
			EPC: rapid.SampledFrom([]epcis.EPCForm{epcis.AsCaptured, epcis.DigitalLink, epcis.URN}).Draw(t, "form"), CBV: rapid.SampledFrom([]epcis.CBVForm{epcis.CBVDefault, epcis.CBVWebURI, epcis.CBVURN}).Draw(t, "cbv"),
		}
		raw, doc, losses := writeAll(t, nil, events, o)
		if total++; changed(losses) {
			return
		}
		whole++
		for i := range events {
			if i >= len(doc.Events) {
				t.Fatalf("%d events, want %d\n%s", len(doc.Events), len(events), raw)
			}
			a, b := &epcis.Document{Events: []epcis.EventAt{{Event: events[i]}}}, &epcis.Document{Events: []epcis.EventAt{doc.Events[i]}}
			if d := diff.Documents(a, b); len(d) > 0 {
				t.Fatalf("event %d: %+v\n%v\n%s\n%s", i, d, losses, raw, cmp.Diff(events[i], doc.Events[i].Event))
			}
		}
	})
}

// The losses are told for what they are: an event of which nothing is told is taken by the schema.
func TestRandomEventsAreValidOrToldNot(t *testing.T) {
	total, valid := 0, 0
	defer func() { t.Logf("%d of %d documents are valid", valid, total) }()
	rapid.Check(t, func(t *rapid.T) {
		raw, doc, losses := writeAll(t, nil, []epcis.Event{sample.Event(t)}, epcis.WriteOptions{Format: rapid.SampledFrom(allFormats).Draw(t, "format")})
		if total++; !refusedKnown(losses) {
			valid++
		}
		if !doc.Summary.SchemaInvalid || refusedKnown(losses) {
			return
		}
		for _, p := range doc.Problems {
			if p.Schema {
				t.Fatalf("%v\n%v\n%s", p, losses, strings.TrimSpace(string(raw)))
			}
		}
	})
}
