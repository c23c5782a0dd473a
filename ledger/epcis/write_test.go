package epcis

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examples returns the shared examples of the formats given, by their path below examples/.
func examples(tb testing.TB, formats ...string) map[string][]byte {
	tb.Helper()
	sharedFile(tb, "examples/index.csv")
	files := map[string][]byte{}
	for _, format := range formats {
		root := filepath.Join(shared, "examples", format)
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(filepath.Join(shared, "examples"), path)
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
func convert(tb testing.TB, raw []byte, o WriteOptions) (out []byte, doc *Document, losses []Problem) {
	tb.Helper()
	var b bytes.Buffer
	_, problems, err := Convert(bytes.NewReader(raw), &b, Options{}, o)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range problems {
		if p.Code == CodeNotConvertible || p.Code == CodeTruncated {
			losses = append(losses, p)
		}
	}
	doc, err = Parse(bytes.NewReader(b.Bytes()), Options{})
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

// lossy reports whether something was changed or left out.
func lossy(losses []Problem) bool {
	for _, p := range losses {
		if !p.Schema {
			return true
		}
	}
	return false
}

func TestXMLExamplesSurviveXML(t *testing.T) {
	out := os.Getenv("WRITE_OUT")
	for name, raw := range examples(t, "xml-2.0", "xml-1.2", "xml-1.0-1.1") {
		before, err := Parse(bytes.NewReader(raw), Options{})
		if err != nil {
			continue
		}
		for _, f := range []Format{FormatXML2, FormatXML12} {
			written, after, losses := convert(t, raw, WriteOptions{Format: f, Indent: true})
			if out != "" {
				_ = os.MkdirAll(out, 0o755)
				_ = os.WriteFile(filepath.Join(out, strings.ReplaceAll(name, "/", "_")+"."+string(f)+".xml"), written, 0o644)
			}
			for _, p := range losses {
				t.Logf("%s to %s: %v schema %v", name, f, p, p.Schema)
			}
			if after.Rejected > 0 {
				t.Errorf("%s to %s: %d events are rejected", name, f, after.Rejected)
			}
			if lossy(losses) {
				continue
			}
			for _, d := range Diff(before, after) {
				t.Errorf("%s to %s: %+v", name, f, d)
			}
		}
	}
}
