package epcisdoc

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/sample"
)

// 10,000 events of ten EPCs, written in every format. The floor is the library copying the same document token by token.
func BenchmarkWrite(b *testing.B) {
	const n = 10_000
	doc, err := Parse(bytes.NewReader(sample.Document(n, 10)), epcis.Options{})
	if err != nil {
		b.Fatal(err)
	}
	write := func(w io.Writer, o epcis.WriteOptions) {
		enc, err := NewEncoder(w, epcis.Head{Header: &doc.Header}, o)
		if err != nil {
			b.Fatal(err)
		}
		for i := range doc.Events {
			if err := enc.Event(&doc.Events[i].Event, ""); err != nil {
				b.Fatal(err)
			}
		}
		if losses, err := enc.Close(); err != nil || len(losses) > 0 {
			b.Fatal(losses, err)
		}
	}
	for _, o := range []epcis.WriteOptions{
		{Format: epcis.FormatJSON}, {Format: epcis.FormatJSON, EPC: epcis.DigitalLink}, {Format: epcis.FormatXML2}, {Format: epcis.FormatXML12}, {Format: epcis.FormatXML12, Indent: true},
	} {
		name := string(o.Format)
		if o.EPC == epcis.DigitalLink {
			name += "/links"
		}
		if o.Indent {
			name += "/indent"
		}
		var out bytes.Buffer
		write(&out, o)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(out.Len()))
			b.ReportAllocs()
			for b.Loop() {
				write(io.Discard, o)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
		})
		if o.EPC == epcis.DigitalLink || o.Indent {
			continue
		}
		b.Run(name+"/floor", func(b *testing.B) {
			b.SetBytes(int64(out.Len()))
			b.ReportAllocs()
			if o.Format == epcis.FormatJSON {
				tokens := jsonTokens(b, out.Bytes())
				for b.Loop() {
					enc := jsontext.NewEncoder(io.Discard)
					for _, t := range tokens {
						if err := enc.WriteToken(t); err != nil {
							b.Fatal(err)
						}
					}
				}
				return
			}
			tokens := xmlTokens(b, out.Bytes())
			for b.Loop() {
				enc := xml.NewEncoder(io.Discard)
				for _, t := range tokens {
					if err := enc.EncodeToken(t); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func jsonTokens(tb testing.TB, raw []byte) (list []jsontext.Token) {
	tb.Helper()
	for d := jsontext.NewDecoder(bytes.NewReader(raw)); ; {
		t, err := d.ReadToken()
		if err != nil {
			return list
		}
		list = append(list, t.Clone())
	}
}

func xmlTokens(tb testing.TB, raw []byte) (list []xml.Token) {
	tb.Helper()
	for d := xml.NewDecoder(bytes.NewReader(raw)); ; {
		t, err := d.RawToken()
		if err != nil {
			return list
		}
		if _, ok := t.(xml.ProcInst); ok {
			continue
		}
		list = append(list, xml.CopyToken(t))
	}
}

func BenchmarkConvert(b *testing.B) {
	raw := sample.Document(10_000, 10)
	for _, f := range allFormats {
		b.Run(string(f), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Convert(bytes.NewReader(raw), io.Discard, epcis.Options{}, epcis.WriteOptions{Format: f}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
