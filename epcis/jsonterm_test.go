package epcis

import "testing"

// How JSON writes standard values.
func TestJSONTerms(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind TermKind
		in   string
		want string
	}{
		{"bare word", TermBizStep, "shipping", "shipping"},
		{"Web URI stays in 2.0 XML", TermDisposition, "https://ref.gs1.org/cbv/Disp-active", "active"},
		{"CURIE", TermSourceDest, "cbv:SDT-location", "location"},
		{"the address of the draft", TermBizTransaction, "https://ns.gs1.org/cbv/BTT-po", "po"},
		{"a word that is to come", TermBizStep, "urn:epcglobal:cbv:bizstep:teleporting", "https://ref.gs1.org/cbv/BizStep-teleporting"},
		{"a word of another list", TermDisposition, "shipping", "shipping"},
		{"a URI of one's own", TermBizStep, "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping"},
		{"measurement", TermMeasurement, "Temperature", "Temperature"},
		{"a measurement that is to come", TermMeasurement, "https://gs1.org/voc/Beauty", "gs1:Beauty"},
		{"component", TermComponent, "x", "x"},
		{"component as URN", TermComponent, "urn:epcglobal:cbv:comp:x", "x"},
	} {
		if got := jsonTerm(tt.kind, tt.in); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
