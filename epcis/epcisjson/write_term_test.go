package epcisjson

import (
	"testing"

	"verilot.dev/epcis"
)

// How JSON writes standard values.
func TestTerms(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind epcis.TermKind
		in   string
		want string
	}{
		{"bare word", epcis.TermBizStep, "shipping", "shipping"},
		{"Web URI stays in 2.0 XML", epcis.TermDisposition, "https://ref.gs1.org/cbv/Disp-active", "active"},
		{"CURIE", epcis.TermSourceDest, "cbv:SDT-location", "location"},
		{"the address of the draft", epcis.TermBizTransaction, "https://ns.gs1.org/cbv/BTT-po", "po"},
		{"a word that is to come", epcis.TermBizStep, "urn:epcglobal:cbv:bizstep:teleporting", "https://ref.gs1.org/cbv/BizStep-teleporting"},
		{"a word of another list", epcis.TermDisposition, "shipping", "shipping"},
		{"a URI of one's own", epcis.TermBizStep, "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping"},
		{"measurement", epcis.TermMeasurement, "Temperature", "Temperature"},
		{"a measurement that is to come", epcis.TermMeasurement, "https://gs1.org/voc/Beauty", "gs1:Beauty"},
		{"component", epcis.TermComponent, "x", "x"},
		{"component as URN", epcis.TermComponent, "urn:epcglobal:cbv:comp:x", "x"},
	} {
		if got := termOf(tt.kind, tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
