package epcisxml

import (
	"encoding/binary"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
)

// A document says the same in every encoding that is read.
func TestEncodings(t *testing.T) {
	body := document(object(when + epcs("epcList", "1") + "<action>OBSERVE</action>"))
	body = strings.Replace(body, "</EPCISBody>", `<x:by>Zoë € 𝄞</x:by></EPCISBody>`, 1)
	wide := func(order binary.AppendByteOrder, s string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	want := mustParse(t, body)
	narrow := strings.Replace(body, " 𝄞", "", 1)
	for _, tt := range []struct {
		name, doc, code string
	}{
		{name: "UTF-8 with a byte order mark", doc: "\ufeff" + body},
		{name: "UTF-16, little end first", doc: wide(binary.LittleEndian, "\ufeff"+`<?xml version="1.0" encoding="UTF-16"?>`+body)},
		{name: "UTF-16, big end first", doc: wide(binary.BigEndian, "\ufeff"+`<?xml version="1.0" encoding="utf-16"?>`+body)},
		{name: "UTF-16, undeclared", doc: wide(binary.LittleEndian, "\ufeff"+body)},
		{name: "UTF-16LE, no mark", doc: wide(binary.LittleEndian, `<?xml version="1.0" encoding="UTF-16LE"?>`+body)},
		{name: "UTF-16BE, no mark", doc: wide(binary.BigEndian, `<?xml version='1.0' encoding='UTF-16BE'?>`+body)},
		{name: "UTF-16 that says UTF-8", doc: wide(binary.LittleEndian, "\ufeff"+`<?xml version="1.0" encoding="UTF-8"?>`+body), code: epcis.CodeEncoding},
		{name: "UTF-16 that says latin 1", doc: wide(binary.BigEndian, "\ufeff"+`<?xml version="1.0" encoding="ISO-8859-1"?>`+body), code: epcis.CodeEncoding},
		{name: "windows-1252", doc: `<?xml version="1.0" encoding="Windows-1252"?>` + strings.NewReplacer("ë", "\xeb", "€", "\x80").Replace(narrow)},
		{name: "ISO-8859-15", doc: `<?xml version="1.0" encoding="ISO-8859-15"?>` + strings.NewReplacer("ë", "\xeb", "€", "\xa4").Replace(narrow)},
		{name: "ISO-8859-1", doc: `<?xml version="1.0" encoding="ISO-8859-1"?>` + strings.NewReplacer("ë", "\xeb", "€", "&#8364;").Replace(narrow)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []func() (*epcis.Document, error){
				func() (*epcis.Document, error) { return Parse(strings.NewReader(tt.doc), epcis.Options{}) },
				func() (*epcis.Document, error) {
					return Parse(iotest.OneByteReader(strings.NewReader(tt.doc)), epcis.Options{})
				},
			} {
				d, err := r()
				if err != nil {
					t.Fatal(err)
				}
				told := ""
				if len(d.Problems) > len(want.Problems) {
					told = d.Problems[0].Code
				}
				if told != tt.code || len(d.Events) != 1 || d.Summary.SchemaInvalid != want.Summary.SchemaInvalid {
					t.Errorf("told %q, %d events, %v", told, len(d.Events), d.Problems)
				}
				if diff := cmp.Diff(want.Events[0].Event, d.Events[0].Event); diff != "" {
					t.Error(diff)
				}
				x := d.Header.Extensions
				if len(x) != 1 || x[0].Text != "Zoë € 𝄞" && x[0].Text != "Zoë €" {
					t.Errorf("the text is %+v", x)
				}
			}
		})
	}
}
