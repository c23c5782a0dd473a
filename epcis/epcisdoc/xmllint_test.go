package epcisdoc

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/sample"
)

// Every example, written as XML, is taken by libxml2 with the official schemas, unless the example was not or the writer said that
// it would not be. It needs xmllint, so it runs in make test-long only.
func TestXMLLintTakesWhatIsWritten(t *testing.T) {
	sample.NeedXMLLint(t)
	index := string(sample.File(t, "examples/index.csv"))
	dir := t.TempDir()
	files := map[string][]string{} // by schema
	for name, raw := range exampleFiles(t, "jsonld-2.0", "xml-2.0", "xml-1.2", "xml-1.0-1.1") {
		if !strings.Contains(lineOf(index, "examples/"+name+","), ",yes,yes,") {
			continue
		}
		if _, err := Parse(bytes.NewReader(raw), epcis.Options{}); err != nil { // one has a DOCTYPE
			continue
		}
		for _, f := range []epcis.Format{epcis.FormatXML2, epcis.FormatXML12} {
			out, doc, losses := convert(t, raw, epcis.WriteOptions{Format: f, CreationDate: "2026-11-20T00:00:00Z"})
			if refusedKnown(losses) {
				continue
			}
			version, part := strings.TrimPrefix(string(f), "xml-"), ""
			switch doc.Summary.Root {
			case "EPCISQueryDocument":
				part = "query-"
			case "EPCISMasterDataDocument":
				part = "masterdata-"
			}
			schema := fmt.Sprintf("schema/xsd-%s/EPCglobal-epcis-%s%s.xsd", version, part, strings.ReplaceAll(version, ".", "_"))
			path := filepath.Join(dir, fmt.Sprintf("%s-%s%d.xml", version, part, len(files[schema])))
			if err := os.WriteFile(path, out, 0o600); err != nil {
				t.Fatal(err)
			}
			files[schema] = append(files[schema], path)
		}
	}
	n := 0
	for schema, paths := range files {
		n += len(paths)
		args := append([]string{"--noout", "--nonet", "--schema", sample.Path(schema)}, paths...)
		if out, err := exec.CommandContext(t.Context(), "xmllint", args...).CombinedOutput(); err != nil {
			for line := range strings.Lines(string(out)) {
				if !strings.HasSuffix(line, " validates\n") {
					t.Errorf("%s: %.500s", schema, line)
				}
			}
		}
	}
	if n < 300 {
		t.Errorf("only %d documents", n)
	}
}

func lineOf(text, prefix string) string {
	_, rest, _ := strings.Cut("\n"+text, "\n"+prefix)
	line, _, _ := strings.Cut(rest, "\n")
	return "," + line + ","
}
