package epcisdoc

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
)

// Examples with some values, names and elements replaced: nearer to what is sent than random events, and odder than any example.
// What can be read is written in every format, and is the same or told.
func TestMutatedExamplesSurvive(t *testing.T) {
	files := exampleFiles(t, "jsonld-2.0", "xml-2.0", "xml-1.2")
	var names []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, err := Parse(bytes.NewReader(files[name]), epcis.Options{}); err == nil && len(files[name]) < 30_000 {
			names = append(names, name)
		}
	}
	read, whole := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "example")
		raw := files[name]
		if strings.HasPrefix(name, "json") {
			raw = mutateJSON(t, raw)
		} else {
			raw = mutateXML(t, raw)
		}
		before, err := Parse(bytes.NewReader(raw), epcis.Options{})
		if err != nil {
			return
		}
		read++
		f := rapid.SampledFrom(allFormats).Draw(t, "format")
		out, after, losses := convertAny(t, raw, epcis.WriteOptions{Format: f, CreationDate: before.Header.CreationDate})
		if after.Summary.SchemaInvalid && !before.Summary.SchemaInvalid && before.Rejected == 0 && strings.HasSuffix(before.Summary.Root, "Document") && !refusedKnown(losses) {
			t.Fatalf("%s to %s: the schema refuses it: %v\n%v\n%s\n---\n%s", name, f, after.Problems, losses, raw, out)
		}
		if changed(losses) {
			return
		}
		whole++
		if d := diff.Documents(before, after); len(d) > 0 {
			t.Fatalf("%s to %s: %+v\n%v\n%s\n---\n%s", name, f, d, losses, raw, out)
		}
	})
	t.Logf("%d read, %d lost nothing", read, whole)
}

func convertAny(t *rapid.T, raw []byte, o epcis.WriteOptions) (out []byte, doc *epcis.Document, losses []epcis.Problem) {
	var b bytes.Buffer
	_, problems, err := Convert(bytes.NewReader(raw), &b, epcis.Options{MaxProblems: 1 << 20}, o)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	for _, p := range problems {
		if p.Code == epcis.CodeNotConvertible {
			losses = append(losses, p)
		}
	}
	if doc, err = Parse(bytes.NewReader(b.Bytes()), epcis.Options{MaxDepth: 1024}); err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s\n---\n%s", err, raw, b.Bytes())
	}
	return b.Bytes(), doc, losses
}

var oddKeys = []string{
	"a", "x:y", "cbvmda:lotNumber", "cbvmda:a", "urn:epcglobal:cbv:mda#a", "urn:epcglobal:cbv:mda:a", "@a", "@type", "@id", "@context", "#text", "id", "type", "ext1:a", "example:b", "https://x.example/p/q",
	"https://x.example/p#q", "gs1:x", "epcis:bizStep", "bizStep", "quantity", "epcClass", "extension", "foo:bar", "ns1:a", "ns1", "a b", "1", "isA", "gs1ushc:dscsaTransactionStatement",
}

var oddValues = []any{
	"", " ", "a", json.Number("10"), json.Number("1.50"), json.Number("1e3"), true, nil,
	[]any{},
	[]any{"a"},
	[]any{"a", "b"},
	[]any{"a", nil},
	[]any{[]any{"a"}, "b"},
	map[string]any{},
	map[string]any{"@a": "b"},
	map[string]any{"#text": "t"},
	map[string]any{"#text": "t", "@a": json.Number("1")},
	map[string]any{"#text": []any{"t", "u"}, "a": "b"},
	map[string]any{"a": map[string]any{"b": nil}},
	"2026-11-20T00:00:00Z", "urn:epc:id:sgtin:0614141.107346.2017", "https://id.gs1.org/01/10614141073464", "shipping", "urn:epcglobal:cbv:bizstep:foo", "x\x01y", "ä", "1.50", "true", "xsd:integer", "INF",
}

func mutateJSON(t *rapid.T, raw []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) != nil {
		return raw
	}
	type place struct {
		object map[string]any
		key    string
		list   []any
		i      int
	}
	var places []place
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				places = append(places, place{object: v, key: key})
				walk(v[key])
			}
		case []any:
			for i := range v {
				places = append(places, place{list: v, i: i})
				walk(v[i])
			}
		}
	}
	walk(doc)
	for range rapid.IntRange(1, 4).Draw(t, "mutations") {
		p := rapid.SampledFrom(places).Draw(t, "place")
		value := rapid.SampledFrom(oddValues).Draw(t, "value")
		if p.object == nil {
			p.list[p.i] = value
			continue
		}
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			p.object[p.key] = value
		case 1:
			p.object[rapid.SampledFrom(oddKeys).Draw(t, "key")] = value
		case 2:
			p.object[rapid.SampledFrom(oddKeys).Draw(t, "key")] = p.object[p.key]
		case 3:
			delete(p.object, p.key)
		}
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	oddElements = []string{
		`<x:a xmlns:x="http://x.example">1</x:a>`, `<a>1</a>`, `<x:a xmlns:x="urn:x:" b="c"/>`, `<x:a xmlns:x="urn:x:" x:b="c"> </x:a>`, `<x:a xmlns:x="urn:x:">t<x:b/>u</x:a>`, `<x:a xmlns:x="urn:x:"><b/><b>1</b></x:a>`,
		`<x:lotNumber xmlns:x="urn:epcglobal:cbv:mda#">A</x:lotNumber>`, `<x:a xmlns:x="urn:x" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="x:t">1</x:a>`,
		`<x:a xmlns:x="urn:x" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="http://www.w3.org/2001/XMLSchema" i:type="s:integer">1</x:a>`,
		`<x:a xmlns:x="urn:x" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>`, `<x:a xmlns:x="urn:x" xml:lang="de">&lt;&#13;</x:a>`, `<x:ä xmlns:x="urn:x"/>`,
		`<x:a xmlns:x="https://gs1.org/voc/"/>`, `<x:a xmlns:x="https://ref.gs1.org/epcis/"/>`, `<extension><b>1</b></extension>`, `<x:a xmlns:x="urn:x"><y:b xmlns:y="urn:y"><x:c/></y:b></x:a>`, `<x:a xmlns:x="ns1:"/>`,
	}
	oddText = []string{"", " ", "a", "10", "INF", "1e3", "+5", "shipping", "urn:epcglobal:cbv:bizstep:foo", "https://ref.gs1.org/cbv/BizStep-shipping", "2026-11-20T00:00:00", "true", "a b", "é", "&#x85;"}
)

func mutateXML(t *rapid.T, raw []byte) []byte {
	var ends, texts []int64 // where an element may be put, and where text is
	var textEnds []int64
	d := xml.NewDecoder(bytes.NewReader(raw))
	for {
		from := d.InputOffset()
		tok, err := d.RawToken()
		if err != nil {
			break
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			ends = append(ends, from)
		case xml.CharData:
			if len(bytes.TrimSpace(tok)) > 0 {
				texts, textEnds = append(texts, from), append(textEnds, d.InputOffset())
			}
		}
	}
	if len(ends) == 0 || len(texts) == 0 {
		return raw
	}
	if rapid.Bool().Draw(t, "element") {
		at := rapid.SampledFrom(ends).Draw(t, "place")
		return slices.Concat(raw[:at], []byte(rapid.SampledFrom(oddElements).Draw(t, "element")), raw[at:])
	}
	i := rapid.IntRange(0, len(texts)-1).Draw(t, "text")
	return slices.Concat(raw[:texts[i]], []byte(rapid.SampledFrom(oddText).Draw(t, "text")), raw[textEnds[i]:])
}
