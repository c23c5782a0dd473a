package writing

import (
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
)

func TestIdentifierForms(t *testing.T) {
	seven := func(gs1.Key) (int, bool) { return 7, true }
	nobody := func(gs1.Key) (int, bool) { return 0, false }
	for _, tt := range []struct {
		name, in string
		o        epcis.WriteOptions
		want     string
		ok       bool
	}{
		{"as captured", "https://example.com/01/10614141073464/21/2017", epcis.WriteOptions{}, "https://example.com/01/10614141073464/21/2017", true},
		{"an instance", "urn:epc:id:sgtin:0614141.107346.2017", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://id.gs1.org/01/10614141073464/21/2017", true},
		{"escapes differ", "urn:epc:id:sgtin:0614141.107346.a%2Fb!", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://id.gs1.org/01/10614141073464/21/a%2Fb%21", true},
		{"a class", "urn:epc:idpat:sgtin:0614141.107346.*", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://id.gs1.org/01/10614141073464", true},
		{"a lot", "urn:epc:class:lgtin:4012345.012345.998877", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://id.gs1.org/01/04012345123456/10/998877", true},
		{"a place", "urn:epc:id:sgln:0614141.07346.0", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://id.gs1.org/414/0614141073467", true},
		{"a place with extension", "urn:epc:id:sgln:0614141.07346.1234", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://id.gs1.org/414/0614141073467/254/1234", true},
		{"a party", "urn:epc:id:pgln:4012345.00225", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://id.gs1.org/417/4012345002256", true},
		{"a Digital Link stays where it is", "https://example.com/01/10614141073464/21/2017", epcis.WriteOptions{EPC: epcis.DigitalLink}, "https://example.com/01/10614141073464/21/2017", true},
		{"not GS1's", "urn:epc:id:gid:1.2.3", epcis.WriteOptions{EPC: epcis.DigitalLink}, "urn:epc:id:gid:1.2.3", true},
		{"private", "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", epcis.WriteOptions{EPC: epcis.DigitalLink}, "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", true},
		{"mistyped", "urn:epc:id:sgtin:0614141.10734.2017", epcis.WriteOptions{EPC: epcis.DigitalLink}, "urn:epc:id:sgtin:0614141.10734.2017", false},
		{"a URN stays", "urn:epc:id:sgtin:0614141.107346.2017", epcis.WriteOptions{EPC: epcis.URN}, "urn:epc:id:sgtin:0614141.107346.2017", true},
		{"never guessed", "https://id.gs1.org/01/10614141073464/21/2017", epcis.WriteOptions{EPC: epcis.URN}, "https://id.gs1.org/01/10614141073464/21/2017", false},
		{"not known", "https://id.gs1.org/01/10614141073464/21/2017", epcis.WriteOptions{EPC: epcis.URN, PrefixLength: nobody}, "https://id.gs1.org/01/10614141073464/21/2017", false},
		{"known", "https://id.gs1.org/01/10614141073464/21/2017", epcis.WriteOptions{EPC: epcis.URN, PrefixLength: seven}, "urn:epc:id:sgtin:0614141.107346.2017", true},
		{"a class, known", "https://id.gs1.org/01/10614141073464", epcis.WriteOptions{EPC: epcis.URN, PrefixLength: seven}, "urn:epc:idpat:sgtin:0614141.107346.*", true},
		{"a place, known", "https://id.gs1.org/414/0614141073467", epcis.WriteOptions{EPC: epcis.URN, PrefixLength: seven}, "urn:epc:id:sgln:0614141.07346.0", true},
		{"a web page", "https://example.com/orders/1", epcis.WriteOptions{EPC: epcis.URN, PrefixLength: seven}, "https://example.com/orders/1", true},
		{"1.2 asks for URNs by itself", "https://id.gs1.org/00/106141412345678908", epcis.WriteOptions{Format: epcis.FormatXML12, PrefixLength: seven}, "urn:epc:id:sscc:0614141.1234567890", true},
	} {
		ids := newTranslator(&tt.o)
		if got := ids.id(tt.in); got != tt.want || ids.kept == 0 != tt.ok {
			t.Errorf("%s: %q, %d kept; want %q, %v", tt.name, got, ids.kept, tt.want, tt.ok)
		}
	}
}
