package epcis

import "testing"

// How XML writes standard values.
func TestXMLTerms(t *testing.T) {
	for _, tt := range []struct {
		name        string
		kind        TermKind
		in          string
		xml2, xml12 string // CBVDefault
	}{
		{"bare word", TermBizStep, "shipping", "urn:epcglobal:cbv:bizstep:shipping", "urn:epcglobal:cbv:bizstep:shipping"},
		{"Web URI stays in 2.0 XML", TermDisposition, "https://ref.gs1.org/cbv/Disp-active", "https://ref.gs1.org/cbv/Disp-active", "urn:epcglobal:cbv:disp:active"},
		{"CURIE", TermSourceDest, "cbv:SDT-location", "urn:epcglobal:cbv:sdt:location", "urn:epcglobal:cbv:sdt:location"},
		{"the address of the draft", TermBizTransaction, "https://ns.gs1.org/cbv/BTT-po", "https://ns.gs1.org/cbv/BTT-po", "urn:epcglobal:cbv:btt:po"},
		{"a word that is to come", TermBizStep, "urn:epcglobal:cbv:bizstep:teleporting", "urn:epcglobal:cbv:bizstep:teleporting", "urn:epcglobal:cbv:bizstep:teleporting"},
		{"a word of another list", TermDisposition, "shipping", "shipping", "shipping"},
		{"a URI of one's own", TermBizStep, "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping"},
		{"measurement", TermMeasurement, "Temperature", "gs1:Temperature", "gs1:Temperature"},
		{"a measurement that is to come", TermMeasurement, "https://gs1.org/voc/Beauty", "https://gs1.org/voc/Beauty", "https://gs1.org/voc/Beauty"},
		{"component", TermComponent, "x", "cbv:Comp-x", "cbv:Comp-x"},
		{"component as URN", TermComponent, "urn:epcglobal:cbv:comp:x", "urn:epcglobal:cbv:comp:x", "urn:epcglobal:cbv:comp:x"},
	} {
		if got := xmlTerm(tt.kind, tt.in, CBVDefault, false); got != tt.xml2 {
			t.Errorf("%s, in 2.0: %q, want %q", tt.name, got, tt.xml2)
		}
		if got := xmlTerm(tt.kind, tt.in, CBVDefault, true); got != tt.xml12 {
			t.Errorf("%s, in 1.2: %q, want %q", tt.name, got, tt.xml12)
		}
		if xmlTerm(tt.kind, tt.in, CBVAsCaptured, true) != tt.in || xmlTerm(tt.kind, tt.in, CBVWebURI, true) != tt.kind.WebURI(tt.in) || xmlTerm(tt.kind, tt.in, CBVURN, true) != tt.kind.URN(tt.in) {
			t.Errorf("%s: a form that was asked for was not given", tt.name)
		}
	}
}
