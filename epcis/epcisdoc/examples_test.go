package epcisdoc

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
	"verilot.dev/epcis/internal/sample"
)

// exampleFiles returns the shared examples of the formats given, by their path below examples/.
func exampleFiles(tb testing.TB, formats ...string) map[string][]byte {
	tb.Helper()
	sample.File(tb, "examples/index.csv")
	files := map[string][]byte{}
	for _, format := range formats {
		root := sample.Path("examples/" + format)
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(sample.Path("examples"), path)
			files[filepath.ToSlash(name)] = raw
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return files
}

// convert converts a document and reads the result.
func convert(tb testing.TB, raw []byte, o epcis.WriteOptions) (out []byte, doc *epcis.Document, losses []epcis.Problem) {
	tb.Helper()
	var b bytes.Buffer
	_, problems, err := Convert(bytes.NewReader(raw), &b, epcis.Options{}, o)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range problems {
		if p.Code == epcis.CodeNotConvertible || p.Code == epcis.CodeTruncated {
			losses = append(losses, p)
		}
	}
	doc, err = Parse(bytes.NewReader(b.Bytes()), epcis.Options{})
	if err != nil {
		tb.Fatalf("what was written cannot be read: %v\n%s", err, clipped(b.Bytes()))
	}
	return b.Bytes(), doc, losses
}

func clipped(b []byte) string {
	if len(b) > 4000 {
		return string(b[:4000]) + "…"
	}
	return string(b)
}

// changed reports whether something was changed or left out. An identifier that was kept as captured is not.
func changed(losses []epcis.Problem) bool {
	for _, p := range losses {
		if !p.Schema && !strings.Contains(p.Message, "kept as captured") {
			return true
		}
	}
	return false
}

// refusedKnown reports whether the writer said that the schema refuses what it wrote.
func refusedKnown(losses []epcis.Problem) bool {
	for _, p := range losses {
		if p.Schema {
			return true
		}
	}
	return false
}

var allFormats = []epcis.Format{epcis.FormatJSON, epcis.FormatXML2, epcis.FormatXML12}

// Every example is written in every format and read again. It means the same, or what was lost is told; and what the official
// schema took before it takes then, or it is told why not. With WRITE_OUT the files are kept there, for xmllint.
func TestExamplesSurviveEveryFormat(t *testing.T) {
	out := os.Getenv("WRITE_OUT")
	n := 0
	for name, raw := range exampleFiles(t, "jsonld-2.0", "xml-2.0", "xml-1.2", "xml-1.0-1.1") {
		before, err := Parse(bytes.NewReader(raw), epcis.Options{})
		if err != nil {
			continue
		}
		n++
		for _, f := range allFormats {
			written, after, losses := convert(t, raw, epcis.WriteOptions{Format: f, Indent: true, CreationDate: "2026-11-20T00:00:00Z"})
			if out != "" {
				_ = os.MkdirAll(out, 0o755)
				_ = os.WriteFile(filepath.Join(out, strings.ReplaceAll(name, "/", "_")+"."+string(f)+".xml"), written, 0o644)
			}
			for _, p := range losses {
				if !strings.Contains(p.Message, "kept as captured") {
					t.Logf("%s to %s: %v schema %v", name, f, p, p.Schema)
				}
			}
			if after.Rejected > 0 {
				t.Errorf("%s to %s: %d events are rejected: %v", name, f, after.Rejected, after.Problems)
			}
			if after.Summary.SchemaInvalid && !before.Summary.SchemaInvalid && !refusedKnown(losses) {
				t.Errorf("%s to %s: the schema refuses it: %v", name, f, after.Problems)
			}
			if changed(losses) {
				continue
			}
			if before.Header.CreationDate == "" {
				before.Header.CreationDate = after.Header.CreationDate
			}
			for _, d := range diff.Documents(before, after) {
				t.Errorf("%s to %s: %+v", name, f, d)
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d examples", n)
	}
}

// From the format of the example to another one and back: nothing that was not told is lost. Diff is not the only judge: but for
// the spelling of standard values, events are the same in every text.
func TestExamplesComeBack(t *testing.T) {
	n := 0
	for name, raw := range exampleFiles(t, "jsonld-2.0", "xml-2.0", "xml-1.2") {
		before, err := Parse(bytes.NewReader(raw), epcis.Options{})
		if err != nil {
			continue
		}
		home := epcis.FormatJSON
		switch {
		case strings.HasPrefix(name, "xml-2.0/"):
			home = epcis.FormatXML2
		case strings.HasPrefix(name, "xml-1.2/"):
			home = epcis.FormatXML12
		}
		for _, via := range allFormats {
			o := epcis.WriteOptions{Format: via, CreationDate: before.Header.CreationDate}
			there, _, losses := convert(t, raw, o)
			o.Format = home
			_, after, more := convert(t, there, o)
			if changed(losses) || changed(more) {
				continue
			}
			for _, d := range diff.Documents(before, after) {
				t.Errorf("%s by way of %s: %+v", name, via, d)
			}
			if len(before.Events) != len(after.Events) {
				t.Errorf("%s by way of %s: %d events, want %d", name, via, len(after.Events), len(before.Events))
				continue
			}
			for i := range before.Events {
				n++
				a, b := spelled(before.Events[i].Event), spelled(after.Events[i].Event)
				if d := cmp.Diff(a, b); d != "" {
					t.Errorf("%s by way of %s: event %d: %s", name, via, i, d)
				}
			}
		}
	}
	if n < 3000 {
		t.Errorf("%d events compared", n)
	}
}

// spelled writes every standard value as a Web URI.
func spelled(e epcis.Event) epcis.Event {
	word := func(kind epcis.TermKind, s *string) {
		if *s != "" {
			*s = kind.WebURI(*s)
		}
	}
	word(epcis.TermBizStep, &e.BizStep)
	word(epcis.TermDisposition, &e.Disposition)
	if p := e.PersistentDisposition; p != nil {
		for i := range p.Set {
			word(epcis.TermDisposition, &p.Set[i])
		}
		for i := range p.Unset {
			word(epcis.TermDisposition, &p.Unset[i])
		}
	}
	for i := range e.BizTransactionList {
		word(epcis.TermBizTransaction, &e.BizTransactionList[i].Type)
	}
	for i := range e.SourceList {
		word(epcis.TermSourceDest, &e.SourceList[i].Type)
	}
	for i := range e.DestinationList {
		word(epcis.TermSourceDest, &e.DestinationList[i].Type)
	}
	if d := e.ErrorDeclaration; d != nil {
		word(epcis.TermErrorReason, &d.Reason)
	}
	for i := range e.SensorElementList {
		for j := range e.SensorElementList[i].Reports {
			r := &e.SensorElementList[i].Reports[j]
			word(epcis.TermMeasurement, &r.Type)
			word(epcis.TermComponent, &r.Component)
			word(epcis.TermSensorAlert, &r.Exception)
		}
	}
	return e
}
