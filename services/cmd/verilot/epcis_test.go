package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"verilot.dev/epcis/gs1"
	"verilot.dev/services/cmd/verilot/internal/epcischeck"
)

// gs1Files are in the shared GS1 collection.
func gs1Files(t *testing.T, names ...string) (paths []string) {
	t.Helper()
	for _, name := range names {
		file := filepath.Join("..", "..", "..", "..", "shared", "gs1", filepath.FromSlash(name))
		if _, err := os.Stat(file); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("the shared GS1 examples are needed in CI: %v", err)
			}
			t.Skipf("the shared GS1 examples are not beside the repository: %v", err)
		}
		paths = append(paths, file)
	}
	return paths
}

// epcisXML is a document of version 1.2 with events around given fields.
func epcisXML(events ...string) string {
	return `<?xml version="1.0"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-11-20T10:00:00Z">
<EPCISBody><EventList>
` + strings.Join(events, "\n") + `
</EventList></EPCISBody>
</epcis:EPCISDocument>
`
}

func observation(time, action, epc string) string {
	return fmt.Sprintf("<ObjectEvent><eventTime>%s</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList><epc>%s</epc></epcList><action>%s</action></ObjectEvent>", time, epc, action)
}

const (
	goodTime = "2026-11-20T06:00:00Z"
	goodEPC  = "urn:epc:id:sgtin:0614141.107346.2017"
)

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// asStdin makes a text standard input for the rest of the test.
func asStdin(t *testing.T, text string) {
	t.Helper()
	f, err := os.Open(writeFile(t, "stdin", text))
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdin
	os.Stdin = f
	t.Cleanup(func() {
		os.Stdin = old
		_ = f.Close()
	})
}

// What check answers has exactly the members that scripts rely on, whatever the document is.
func TestEPCISCheckMembers(t *testing.T) {
	for name, doc := range map[string]string{
		"fine": epcisXML(observation(goodTime, "ADD", goodEPC)), "faulty": epcisXML(observation("yesterday", "add", goodEPC)),
		"broken": "<a><b></a>", "empty": "", "not EPCIS": "<a/>",
	} {
		_, out, stderr := verilot(t, "epcis", "check", "--json", writeFile(t, "doc", doc))
		members := slices.Sorted(maps.Keys(decodeAs[map[string]json.RawMessage](t, out)))
		if want := []string{"epcs", "errors", "eventTypes", "events", "format", "level", "valid", "wellFormed"}; !slices.Equal(members, want) {
			t.Errorf("%s: members %v, want %v", name, members, want)
		}
		if strings.Count(out, "\n") != 1 || stderr != "" || strings.Contains(out, ":null,\"events\"") || strings.Contains(out, "\"errors\":null") {
			t.Errorf("%s: %s%s", name, out, stderr)
		}
		for _, f := range decodeAs[struct{ Errors []map[string]json.RawMessage }](t, out).Errors {
			want := []string{"code", "column", "hint", "line", "message", "path", "pointer", "schema", "severity"}
			if got := slices.Sorted(maps.Keys(f)); !slices.Equal(got, want) {
				t.Errorf("%s: members of a problem %v, want %v", name, got, want)
			}
		}
	}
}

func TestEPCISCheck(t *testing.T) {
	no, yes := false, true
	const second = "urn:epc:id:sscc:4012345.0000000333"
	for _, tt := range []struct {
		name, doc    string
		want         epcischeck.Answer
		codes        []string
		exit, strict int
	}{
		{
			"valid", epcisXML(observation(goodTime, "ADD", goodEPC), observation(goodTime, "OBSERVE", goodEPC), observation(goodTime, "OBSERVE", second)),
			epcischeck.Answer{Format: "xml-1.2", WellFormed: true, Valid: &yes, Level: epcischeck.Strict, Events: 3, EventTypes: map[string]int{"ObjectEvent": 3}, EPCs: []string{goodEPC, second}},
			nil, 0, 0,
		},
		{
			"one of two events is bad: it is counted all the same", epcisXML(observation(goodTime, "add", second), observation(goodTime, "ADD", goodEPC)),
			epcischeck.Answer{Format: "xml-1.2", WellFormed: true, Valid: &no, Level: epcischeck.Refused, Events: 2, EventTypes: map[string]int{"ObjectEvent": 2}, EPCs: []string{second, goodEPC}},
			[]string{"action_invalid"},
			1, 1,
		},
		{
			"two events with one id", strings.ReplaceAll(epcisXML(observation(goodTime, "ADD", goodEPC), observation(goodTime, "OBSERVE", second)),
				"</eventTimeZoneOffset>", "</eventTimeZoneOffset><baseExtension><eventID>urn:uuid:0af5e5b1-4a3c-4a67-a1ff-3b4d0b7f5c11</eventID></baseExtension>"),
			epcischeck.Answer{Format: "xml-1.2", WellFormed: true, Valid: &yes, Level: epcischeck.Refused, Events: 2, EventTypes: map[string]int{"ObjectEvent": 2}, EPCs: []string{goodEPC, second}},
			[]string{"event_id_repeated"},
			1, 1,
		},
		{
			"fields in another order can only mean one thing",
			epcisXML(`<ObjectEvent><action>ADD</action><eventTime>` + goodTime + `</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList><epc>` + goodEPC + `</epc></epcList></ObjectEvent>`),
			epcischeck.Answer{Format: "xml-1.2", WellFormed: true, Valid: &no, Level: epcischeck.Tolerant, Events: 1, EventTypes: map[string]int{"ObjectEvent": 1}, EPCs: []string{goodEPC}},
			[]string{"field_order"},
			0, 1,
		},
		{
			"a quantity event keeps its name", epcisXML(`<QuantityEvent><eventTime>` + goodTime + `</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcClass>urn:epc:idpat:sgtin:0614141.107346.*</epcClass><quantity>3</quantity></QuantityEvent>`),
			epcischeck.Answer{Format: "xml-1.2", WellFormed: true, Valid: &yes, Level: epcischeck.Strict, Events: 1, EventTypes: map[string]int{"QuantityEvent": 1}, EPCs: []string{}},
			[]string{"event_deprecated"},
			0, 0,
		},
		{
			"an event alone: no schema says anything", observation(goodTime, "ADD", goodEPC),
			epcischeck.Answer{Format: "xml-2.0", WellFormed: true, Level: epcischeck.Tolerant, Events: 1, EventTypes: map[string]int{"ObjectEvent": 1}, EPCs: []string{goodEPC}},
			nil, 0, 1,
		},
		{
			"not well-formed behind a good event: nothing counts", strings.TrimSuffix(epcisXML(observation(goodTime, "ADD", goodEPC)), "</epcis:EPCISDocument>\n"),
			epcischeck.Answer{Format: "xml-1.2", Valid: &no, Level: epcischeck.Refused, EventTypes: map[string]int{}, EPCs: []string{}},
			[]string{"document_malformed"},
			1, 1,
		},
		{
			"well-formed, but something else", `<invoice/>`,
			epcischeck.Answer{WellFormed: true, Valid: &no, Level: epcischeck.Refused, EventTypes: map[string]int{}, EPCs: []string{}},
			[]string{"not_epcis"},
			1, 1,
		},
		{
			"nothing", "", epcischeck.Answer{Valid: &no, Level: epcischeck.Refused, EventTypes: map[string]int{}, EPCs: []string{}}, []string{"not_epcis"}, 1, 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "doc", tt.doc)
			code, out, _ := verilot(t, "epcis", "check", "--json", file)
			got := decodeAs[epcischeck.Answer](t, out)
			if d := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(epcischeck.Answer{}, "Errors")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			var codes []string
			for _, f := range got.Errors {
				codes = append(codes, f.Code)
			}
			if !slices.Equal(codes, tt.codes) {
				t.Errorf("problems %v, want %v", got.Errors, tt.codes)
			}
			strict, _, _ := verilot(t, "epcis", "check", "--level", "strict", file)
			if code != tt.exit || strict != tt.strict {
				t.Errorf("exit codes %d and %d, want %d and %d", code, strict, tt.exit, tt.strict)
			}
		})
	}
}

func TestEPCISCheckForPeople(t *testing.T) {
	file := writeFile(t, "doc.xml", epcisXML(observation(goodTime, "ADD", goodEPC), observation(goodTime, "add", goodEPC)))
	code, out, _ := verilot(t, "epcis", "check", file)
	want := file + `
  format  xml-1.2
  schema  not valid
  level   refused
  events  2: 2 ObjectEvent
  EPCs    1
  5:`
	if code != 1 || !strings.HasPrefix(out, want) || !strings.Contains(out, ` EPCISBody/EventList/ObjectEvent[2]/action error (action_invalid, schema): "add" is not an action
      write ADD`) {
		t.Errorf("exit %d:\n%s", code, out)
	}

	// Several files are told apart, and standard input is one of them.
	asStdin(t, epcisXML(observation(goodTime, "ADD", goodEPC)))
	code, out, _ = verilot(t, "epcis", "check", "-", file)
	if code != 1 || !strings.HasPrefix(out, "standard input\n") || !strings.HasSuffix(out, "\n2 documents, 1 not acceptable\n") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	code, out, _ = verilot(t, "epcis", "check", "--json", file, file)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 1 || len(lines) != 2 || decodeAs[epcischeck.Answer](t, lines[1]).File != file {
		t.Errorf("exit %d:\n%s", code, out)
	}

	// Many problems are cut short for people alone.
	var events []string
	for range 40 {
		events = append(events, observation(goodTime, "add", goodEPC))
	}
	file = writeFile(t, "many.xml", epcisXML(events...))
	if _, out, _ = verilot(t, "epcis", "check", file); strings.Count(out, "action_invalid") != 25 || !strings.HasSuffix(out, "  … and 15 more; --show 0 prints all\n") {
		t.Errorf("%s", out)
	}
	if _, out, _ = verilot(t, "epcis", "check", "--show", "0", file); strings.Count(out, "action_invalid") != 40 {
		t.Errorf("%s", out)
	}
}

func TestEPCISHash(t *testing.T) {
	file := writeFile(t, "doc.xml", epcisXML(observation(goodTime, "ADD", goodEPC), observation(goodTime, "add", goodEPC)))
	const prehash = "eventType=ObjectEventeventTime=2026-11-20T06:00:00.000ZeventTimeZoneOffset=-05:00epcListepc=https://id.gs1.org/01/10614141073464/21/2017action=ADD"
	sum := sha256.Sum256([]byte(prehash))
	id := "ni:///sha-256;" + hex.EncodeToString(sum[:]) + "?ver=CBV2.0"

	code, out, stderr := verilot(t, "epcis", "hash", file)
	lines := strings.Split(out, "\n")
	if code != 0 || stderr != "" || len(lines) != 3 || lines[0] != "0 "+id || !strings.HasPrefix(lines[1], "1 ni:///sha-256;") {
		t.Errorf("exit %d:\n%s%s", code, out, stderr)
	}
	if _, out, _ = verilot(t, "epcis", "hash", "--prehash", file); !strings.HasPrefix(out, "0 "+id+" "+prehash+"\n") {
		t.Errorf("%s", out)
	}
	_, out, _ = verilot(t, "epcis", "hash", "--json", file)
	if want := `{"index":0,"hash":"` + id + `","prehash":"` + prehash + `"}` + "\n"; !strings.HasPrefix(out, want) {
		t.Errorf("%s", out)
	}
	if _, out, _ = verilot(t, "epcis", "hash", file, file); !strings.HasPrefix(out, file+" 0 "+id+"\n") {
		t.Errorf("%s", out)
	}
	asStdin(t, epcisXML(observation(goodTime, "ADD", goodEPC)))
	if _, out, _ = verilot(t, "epcis", "hash", "-"); out != "0 "+id+"\n" {
		t.Errorf("%s", out)
	}

	// An event without a time has no hash; the others have theirs.
	file = writeFile(t, "doc.xml", epcisXML(observation("yesterday", "ADD", goodEPC), observation(goodTime, "ADD", goodEPC)))
	code, out, _ = verilot(t, "epcis", "hash", file)
	if lines := strings.Split(out, "\n"); code != 1 || len(lines) != 3 || !strings.HasPrefix(lines[0], "0 - eventTime: ") || lines[1] != "1 "+id {
		t.Errorf("exit %d:\n%s", code, out)
	}
	code, out, _ = verilot(t, "epcis", "hash", "--json", file)
	if line, _, _ := strings.Cut(out, "\n"); code != 1 || !strings.HasPrefix(line, `{"index":0,"hash":"","prehash":"","error":"eventTime: `) {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if code, _, stderr = verilot(t, "epcis", "hash", writeFile(t, "x", "<a>")); code != 2 || !strings.Contains(stderr, "not_epcis") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// The same numbers as the library's, through the command: three documents of the shared vectors.
func TestEPCISHashOfVectors(t *testing.T) {
	files := gs1Files(t, "examples/xml-2.0/hashgen/ReferenceEventHashAlgorithm.xml", "examples/jsonld-2.0/hashgen/ReferenceEventHashAlgorithm.json",
		"examples/jsonld-2.0/hashgen/epcisDocHavingEventWithIgnoreFields.jsonld")
	code, out, stderr := verilot(t, append([]string{"epcis", "hash"}, files...)...)
	const a, b = "ni:///sha-256;6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7?ver=CBV2.0", "ni:///sha-256;b3d481c5590757ab8361a6cb0e924820feb3b61eb568e7d7703f21a96f76f51d?ver=CBV2.0"
	want := files[0] + " 0 " + a + "\n" + files[1] + " 0 " + a + "\n" + files[1] + " 1 " + a + "\n" + files[2] + " 0 " + b + "\n" + files[2] + " 1 " + b + "\n"
	if code != 0 || out != want {
		t.Errorf("exit %d:\n%s%s, want\n%s", code, out, stderr, want)
	}
}

func TestEPCISUsage(t *testing.T) {
	for _, args := range [][]string{
		{"check"},
		{"hash"},
		{"check", "no such file"},
		{"hash", "no such file"},
		{"check", "."},
		{"check", "-", "-"},
		{"hash", "-", "-"},
		{"check", "--level", "loose", "-"},
		{"check", "--show", "-1", "-"},
		{"check", "--colour", "-"},
		{"hash", "--level", "strict", "-"},
	} {
		asStdin(t, "")
		if code, out, stderr := verilot(t, append([]string{"epcis"}, args...)...); code != 2 || out != "" || !strings.HasPrefix(stderr, "verilot: ") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, stderr)
		}
	}
}

// Two well-known files of partners are in order; a jumbled one is not, and says where.
func TestEPCISCheckOfExamples(t *testing.T) {
	files := gs1Files(t, "examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml", "examples/xml-1.2/openepcis/Jumbled_attributes_order.xml")
	code, out, _ := verilot(t, "epcis", "check", "--level", "strict", "--json", files[0])
	if a := decodeAs[epcischeck.Answer](t, out); code != 0 || a.Events != 8 || len(a.EPCs) != 16 || len(a.Errors) != 0 {
		t.Errorf("exit %d: %s", code, out)
	}
	code, out, _ = verilot(t, "epcis", "check", files[1])
	if code != 0 || !strings.Contains(out, "  schema  not valid\n  level   tolerant") || !strings.Contains(out, "7:17 EPCISBody/EventList/ObjectEvent[1]/eventTimeZoneOffset warning (field_order, schema)") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// A document goes from XML 1.2 to JSON-LD and back, and means the same everywhere; its events keep their hashes.
func TestEPCISConvert(t *testing.T) {
	src := writeFile(t, "a.xml", epcisXML(observation(goodTime, "ADD", goodEPC), observation(goodTime, "OBSERVE", goodEPC)))
	dir := t.TempDir()
	j, x := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.xml")

	code, out, stderr := verilot(t, "epcis", "convert", "--to", "jsonld", src, "-o", j)
	if code != 0 || out != "" || stderr != j+": jsonld-2.0, 2 events\n" {
		t.Fatalf("exit %d, %q, %q", code, out, stderr)
	}
	if code, out, stderr = verilot(t, "epcis", "convert", "--to", "xml-1.2", "--strict", j, "--out", x); code != 0 {
		t.Fatalf("exit %d, %q, %q", code, out, stderr)
	}
	for _, file := range []string{j, x} {
		if code, out, _ = verilot(t, "epcis", "check", "--level", "strict", file); code != 0 {
			t.Errorf("exit %d:\n%s", code, out)
		}
		if code, out, _ = verilot(t, "epcis", "diff", src, file); code != 0 || out != "equal: 2 events\n" {
			t.Errorf("exit %d:\n%s", code, out)
		}
		_, before, _ := verilot(t, "epcis", "hash", src)
		if _, after, _ := verilot(t, "epcis", "hash", file); before != after {
			t.Errorf("hashes\n%s, before\n%s", after, before)
		}
	}

	// To standard output, from standard input, in the form asked for.
	asStdin(t, epcisXML(observation(goodTime, "ADD", goodEPC)))
	code, out, _ = verilot(t, "epcis", "convert", "--to", "xml-2.0", "--epc", "digital-link", "--compact", "-")
	if code != 0 || !strings.Contains(out, "<epc>https://id.gs1.org/01/10614141073464/21/2017</epc>") || strings.Contains(out, "\n\n") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("files left behind: %v, %v", left, err)
	}
}

// What a format cannot hold is told with its place, and counts only with --strict. A prefix length is never guessed.
func TestEPCISConvertLosses(t *testing.T) {
	const link = "https://id.gs1.org/01/10614141073464/21/2017"
	src := writeFile(t, "a.xml", epcisXML(observation(goodTime, "ADD", link)))
	code, out, stderr := verilot(t, "epcis", "convert", "--to", "xml-1.2", "--epc", "urn", src)
	if code != 0 || !strings.Contains(out, link) || !strings.HasPrefix(stderr, "4:1 ") || !strings.Contains(stderr, "(not_convertible") {
		t.Errorf("exit %d: %s\n%s", code, stderr, out)
	}
	if code, _, _ = verilot(t, "epcis", "convert", "--to", "xml-1.2", "--epc", "urn", "--strict", src); code != 1 {
		t.Errorf("exit %d with --strict, want 1", code)
	}
	file := filepath.Join(t.TempDir(), "out.xml")
	code, out, stderr = verilot(t, "epcis", "convert", "--to", "xml-1.2", "--epc", "urn", "--json", "-o", file, src)
	report := decodeAs[conversion](t, out)
	if code != 0 || stderr != "" || report.Format != "xml-1.2" || report.To != "xml-1.2" || report.Events != 1 || report.Lossless || len(report.Losses) != 1 || report.Losses[0].Line != 4 {
		t.Errorf("exit %d: %s%s", code, out, stderr)
	}
	if members := slices.Sorted(maps.Keys(decodeAs[map[string]json.RawMessage](t, out))); !slices.Equal(members, []string{"events", "format", "losses", "lossless", "to"}) {
		t.Errorf("members %v", members)
	}
	if code, out, stderr = verilot(t, "epcis", "convert", "--to", "xml-1.2", "--json", src); code != 0 || !strings.HasPrefix(out, "<?xml") || !strings.HasPrefix(stderr, `{"format":"xml-1.2","to":"xml-1.2"`) {
		t.Errorf("exit %d: %s%s", code, out, stderr)
	}

	lengths := writeFile(t, "gcp.json", `{"GCPPrefixFormatList":{"date":"2026-11-20T00:00:00Z","entry":[{"prefix":"06","gcpLength":8},{"prefix":"0614","gcpLength":7},{"prefix":"952","gcpLength":0}]}}`)
	code, out, stderr = verilot(t, "epcis", "convert", "--to", "xml-1.2", "--epc", "urn", "--prefix-lengths", lengths, "--strict", src)
	if code != 0 || !strings.Contains(out, "<epc>"+goodEPC+"</epc>") {
		t.Errorf("exit %d: %s\n%s", code, stderr, out)
	}

	// An event with errors is converted as far as it can be read, and named; a broken document is not, and leaves no file.
	src = writeFile(t, "a.xml", epcisXML(observation(goodTime, "add", goodEPC)))
	code, out, stderr = verilot(t, "epcis", "convert", "--to", "jsonld", src)
	if code != 0 || !strings.Contains(out, goodEPC) || !strings.Contains(stderr, "action_invalid") {
		t.Errorf("exit %d: %s\n%s", code, stderr, out)
	}
	dir := t.TempDir()
	code, _, stderr = verilot(t, "epcis", "convert", "--to", "jsonld", writeFile(t, "a.xml", "<a>"), "-o", filepath.Join(dir, "x"))
	if left, err := os.ReadDir(dir); code != 2 || err != nil || len(left) != 0 {
		t.Errorf("exit %d: %s; left behind: %v, %v", code, stderr, left, err)
	}
	for _, args := range [][]string{
		{"--to", "csv", src},
		{src},
		{"--to", "jsonld", "--epc", "short", src},
		{"--to", "jsonld", "--cbv", "x", src},
		{"--to", "jsonld", "no such file"},
		{"--to", "jsonld", "--prefix-lengths", src, src},
		{"--to", "jsonld", "--prefix-lengths", "no such file", src},
		{"--to", "jsonld", "--prefix-lengths", writeFile(t, "x", `{"entry":[]}`), src},
		{"--to", "jsonld", src, src},
		{"--to", "jsonld", src, "-o", "no/such/folder"},
	} {
		if code, out, stderr := verilot(t, append([]string{"epcis", "convert"}, args...)...); code != 2 || out != "" || !strings.HasPrefix(stderr, "verilot: ") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, stderr)
		}
	}
}

func TestPrefixLengths(t *testing.T) {
	table := prefixLengths{"06": 8, "0614": 7, "952": 0, "1": 4}
	for _, tt := range []struct {
		epc  string
		want int
	}{
		{"https://id.gs1.org/01/10614141073464/21/2017", 7},
		{"https://id.gs1.org/01/10614141073464/10/L1", 7},
		{"https://id.gs1.org/00/106141412345678908", 7},
		{"https://id.gs1.org/414/0614141000005", 7},
		{"https://id.gs1.org/8003/00614141000005A", 7},
		{"https://id.gs1.org/8004/0614141A", 7},
		{"https://id.gs1.org/01/10634567890124", 8},
		{"https://id.gs1.org/01/09520000000004", 0},
		{"https://id.gs1.org/414/1234567890128", 0},
		{"https://id.gs1.org/414/4012345000115", 0},
		{"urn:x:y", 0},
	} {
		epc, err := gs1.ParseEPC(tt.epc)
		if err != nil {
			t.Error(err)
			continue
		}
		n, ok := table.of(epc.Key())
		if ok != (tt.want > 0) || ok && n != tt.want {
			t.Errorf("%s: %d, %v, want %d", tt.epc, n, ok, tt.want)
		}
	}
}

func TestEPCISDiff(t *testing.T) {
	a := writeFile(t, "a.xml", epcisXML(observation(goodTime, "ADD", goodEPC)))
	b := writeFile(t, "b.xml", epcisXML(observation("2026-11-20T01:00:00.000-05:00", "ADD", "https://id.gs1.org/01/10614141073464/21/2017")))
	c := writeFile(t, "c.xml", epcisXML(observation(goodTime, "DELETE", goodEPC)))
	if code, out, _ := verilot(t, "epcis", "diff", a, b); code != 0 || out != "equal: 1 event\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	code, out, _ := verilot(t, "epcis", "diff", a, c)
	if code != 1 || out != "event 0 action: ADD / DELETE\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	code, out, _ = verilot(t, "epcis", "diff", "--json", a, c)
	if want := `{"equal":false,"differences":[{"event":0,"path":"action","a":"ADD","b":"DELETE"}]}` + "\n"; code != 1 || out != want {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, out, _ = verilot(t, "epcis", "diff", "--json", a, b); code != 0 || out != `{"equal":true,"differences":[]}`+"\n" {
		t.Errorf("exit %d: %s", code, out)
	}
	asStdin(t, epcisXML())
	if code, out, _ = verilot(t, "epcis", "diff", a, "-"); code != 1 || !strings.HasPrefix(out, "event 0: only A has ObjectEvent") {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, args := range [][]string{{a}, {a, "no such file"}, {"-", "-"}, {a, writeFile(t, "x", "<a>")}} {
		if code, out, stderr := verilot(t, append([]string{"epcis", "diff"}, args...)...); code != 2 || out != "" || !strings.HasPrefix(stderr, "verilot: ") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, stderr)
		}
	}
}
