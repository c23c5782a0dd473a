package epcisjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
)

// bigJSON is what bigDocument is in XML.
func bigJSON(events, epcs int) []byte {
	var b bytes.Buffer
	b.WriteString(`{
  "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"gs1ushc": "http://epcis.gs1us.org/hc/ns"}],
  "type": "EPCISDocument",
  "schemaVersion": "2.0",
  "creationDate": "2026-11-20T10:00:00Z",
  "epcisBody": {
    "eventList": [
`)
	for i := range events {
		fmt.Fprintf(&b, `      {
        "type": "ObjectEvent",
        "eventTime": "2026-11-20T06:%02d:%02d.%03dZ",
        "eventTimeZoneOffset": "-05:00",
        "epcList": [
`, i/60%60, i%60, i%1000)
		for j := range epcs {
			comma := ","
			if j == epcs-1 {
				comma = ""
			}
			fmt.Fprintf(&b, "          \"urn:epc:id:sgtin:030001.0012345.%d\"%s\n", 10_000_000+i*epcs+j, comma)
		}
		fmt.Fprintf(&b, `        ],
        "action": "ADD",
        "bizStep": "commissioning",
        "disposition": "active",
        "readPoint": {
          "id": "urn:epc:id:sgln:030001.111111.0"
        },
        "bizLocation": {
          "id": "urn:epc:id:sgln:030001.111111.0"
        },
        "ilmd": {
          "cbvmda:lotNumber": "A%d",
          "cbvmda:itemExpirationDate": "2028-03-27"
        }
      }`, i)
		if i < events-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("    ]\n  }\n}\n")
	return b.Bytes()
}

// The floor is jsontext reading all tokens of the same document and dropping them.
func BenchmarkParseJSON(b *testing.B) {
	for _, size := range []struct {
		name         string
		events, epcs int
	}{{"1600events10epcs", 1600, 10}, {"8events5000epcs", 8, 5000}} {
		doc := bigJSON(size.events, size.epcs)
		b.Run(size.name+"/floor", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				d := jsontext.NewDecoder(bytes.NewReader(doc))
				for {
					if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		// The standard library's decoder with the same tokens, as strings: what most programs read JSON with.
		b.Run(size.name+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				d := json.NewDecoder(bytes.NewReader(doc))
				for {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(size.name+"/parse", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				sum, err := Read(bytes.NewReader(doc), epcis.Options{}, epcis.Handler{Event: func(epcis.EventAt) error { n++; return nil }})
				if err != nil || sum.SchemaInvalid {
					b.Fatal(sum, err)
				}
			}
			if n != b.N*size.events {
				b.Fatalf("%d events, want %d", n, b.N*size.events)
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
