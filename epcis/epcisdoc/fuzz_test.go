package epcisdoc

import (
	"bytes"
	"os"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
	"verilot.dev/epcis/internal/sample"
)

// Whatever can be read can be written in every format and read again, and is the same where nothing else was told.
func FuzzConvert(f *testing.F) {
	f.Add([]byte(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"x":"https://x.example/"}],"type":"EPCISDocument","schemaVersion":"2.0",` +
		`"creationDate":"2026-11-20T00:00:00Z","sender":"a","id":"urn:x:1","epcisHeader":{"x:h":[1],"epcisMasterData":{"vocabularyList":[{"type":"urn:t","vocabularyElementList":[` +
		`{"id":"urn:e","attributes":[{"id":"urn:a","attribute":{"x:b":"c"}}],"children":["urn:c"]}]}]}},"epcisBody":{"eventList":[{"type":"ObjectEvent","action":"ADD","eventTime":` +
		`"2026-11-20T00:00:00Z","eventTimeZoneOffset":"-05:00","epcList":["urn:epc:id:sscc:0614141.1234567890"],"ilmd":{"cbvmda:lotNumber":"A"},"x:y":[{"@z":"1","#text":"t","x:n":null},true]}]}}`))
	f.Add([]byte(`<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" xmlns:x="http://x.example" schemaVersion="1.2" creationDate="2026-11-20T00:00:00Z"><EPCISBody><EventList><ObjectEvent>` +
		`<eventTime>2026-11-20T00:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sscc:0614141.1234567890</epc></epcList><action>OBSERVE</action>` +
		`<x:a b="c">t<x:d/>u</x:a></ObjectEvent></EventList></EPCISBody></e:EPCISDocument>`))
	if _, err := os.Stat(sample.Path("")); err == nil {
		for _, raw := range exampleFiles(f, "jsonld-2.0", "xml-2.0", "xml-1.2") {
			if len(raw) < 20_000 {
				f.Add(raw)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before, err := Parse(bytes.NewReader(raw), epcis.Options{})
		if err != nil {
			return
		}
		for _, format := range allFormats {
			var b bytes.Buffer
			_, problems, err := Convert(bytes.NewReader(raw), &b, epcis.Options{MaxProblems: 1 << 20}, epcis.WriteOptions{Format: format})
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			after, err := Parse(bytes.NewReader(b.Bytes()), epcis.Options{MaxDepth: 1024, MaxBytes: 1 << 30, MaxEventBytes: 1 << 30, MaxAttributes: 1024})
			if err != nil {
				t.Fatalf("%s: what was written cannot be read: %v\n%s", format, err, b.Bytes())
			}
			var losses []epcis.Problem
			for _, p := range problems {
				if p.Code == epcis.CodeNotConvertible {
					losses = append(losses, p)
				}
			}
			if changed(losses) {
				continue
			}
			if d := diff.Documents(before, after); len(d) > 0 {
				t.Fatalf("%s: %+v\n%v\n%s", format, d, losses, b.Bytes())
			}
		}
	})
}
