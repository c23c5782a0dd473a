package epcisxml

import (
	"testing"

	"verilot.dev/epcis"
)

// How XML writes standard values.
func TestTerms(t *testing.T) {
	for _, tt := range []struct {
		name        string
		kind        epcis.TermKind
		in          string
		xml2, xml12 string // CBVDefault
	}{
		{"bare word", epcis.TermBizStep, "shipping", "urn:epcglobal:cbv:bizstep:shipping", "urn:epcglobal:cbv:bizstep:shipping"},
		{"Web URI stays in 2.0 XML", epcis.TermDisposition, "https://ref.gs1.org/cbv/Disp-active", "https://ref.gs1.org/cbv/Disp-active", "urn:epcglobal:cbv:disp:active"},
		{"CURIE", epcis.TermSourceDest, "cbv:SDT-location", "urn:epcglobal:cbv:sdt:location", "urn:epcglobal:cbv:sdt:location"},
		{"the address of the draft", epcis.TermBizTransaction, "https://ns.gs1.org/cbv/BTT-po", "https://ns.gs1.org/cbv/BTT-po", "urn:epcglobal:cbv:btt:po"},
		{"a word that is to come", epcis.TermBizStep, "urn:epcglobal:cbv:bizstep:teleporting", "urn:epcglobal:cbv:bizstep:teleporting", "urn:epcglobal:cbv:bizstep:teleporting"},
		{"a word of another list", epcis.TermDisposition, "shipping", "shipping", "shipping"},
		{"a URI of one's own", epcis.TermBizStep, "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping"},
		{"measurement", epcis.TermMeasurement, "Temperature", "gs1:Temperature", "gs1:Temperature"},
		{"a measurement that is to come", epcis.TermMeasurement, "https://gs1.org/voc/Beauty", "https://gs1.org/voc/Beauty", "https://gs1.org/voc/Beauty"},
		{"component", epcis.TermComponent, "x", "cbv:Comp-x", "cbv:Comp-x"},
		{"component as URN", epcis.TermComponent, "urn:epcglobal:cbv:comp:x", "urn:epcglobal:cbv:comp:x", "urn:epcglobal:cbv:comp:x"},
	} {
		if got := termOf(tt.kind, tt.in, epcis.CBVDefault, false); got != tt.xml2 {
			t.Errorf("%s, in 2.0: %q, want %q", tt.name, got, tt.xml2)
		}
		if got := termOf(tt.kind, tt.in, epcis.CBVDefault, true); got != tt.xml12 {
			t.Errorf("%s, in 1.2: %q, want %q", tt.name, got, tt.xml12)
		}
		if termOf(tt.kind, tt.in, epcis.CBVAsCaptured, true) != tt.in || termOf(tt.kind, tt.in, epcis.CBVWebURI, true) != tt.kind.WebURI(tt.in) || termOf(tt.kind, tt.in, epcis.CBVURN, true) != tt.kind.URN(tt.in) {
			t.Errorf("%s: a form that was asked for was not given", tt.name)
		}
	}
}
