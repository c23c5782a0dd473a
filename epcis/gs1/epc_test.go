package gs1_test

import (
	"errors"
	"testing"

	"verilot.dev/epcis/gs1"
)

func TestParseEPC(t *testing.T) {
	for _, tt := range []struct {
		name, captured, key, kind, link string
		gcpLen                          int
	}{
		{"a package of a five-digit labeler", "urn:epc:id:sgtin:0399990.001234.7QX4M81K2", "0100399990012347217QX4M81K2", "sgtin", "https://id.gs1.org/01/00399990012347/21/7QX4M81K2", 7},
		{"the indicator digit opens the second part", "urn:epc:id:sgtin:0614141.107346.2017", "0110614141073464212017", "sgtin", "https://id.gs1.org/01/10614141073464/21/2017", 7},
		{"a serial with a dot and a slash", "urn:epc:id:sgtin:0614141.107346.A.B%2FC", "0110614141073464" + "21A.B/C", "sgtin", "https://id.gs1.org/01/10614141073464/21/A.B%2FC", 7},
		{"characters the two forms escape differently", "urn:epc:id:sgtin:0614141.107346.!(*)+,:;='%25", "0110614141073464" + "21!(*)+,:;='%", "sgtin", "https://id.gs1.org/01/10614141073464/21/%21%28%2A%29%2B%2C%3A;='%25", 7},
		{"a product", "urn:epc:idpat:sgtin:0399990.001234.*", "0100399990012347", "gtin", "https://id.gs1.org/01/00399990012347", 7},
		{"a lot", "urn:epc:class:lgtin:0399990.001234.AB4471", "010039999001234710AB4471", "lgtin", "https://id.gs1.org/01/00399990012347/10/AB4471", 7},
		{"a pallet", "urn:epc:id:sscc:0399990.5000000001", "00503999900000000011", "sscc", "https://id.gs1.org/00/503999900000000011", 7},
		{"a site", "urn:epc:id:sgln:0399990.00001.0", "4140399990000016", "sgln", "https://id.gs1.org/414/0399990000016", 7},
		{"a shelf in a site", "urn:epc:id:sgln:0399990.00001.A%2F1", "4140399990000016254A/1", "sgln", "https://id.gs1.org/414/0399990000016/254/A%2F1", 7},
		{"a prefix of twelve digits leaves no location", "urn:epc:id:sgln:012345678901..0", "4140123456789012", "sgln", "https://id.gs1.org/414/0123456789012", 12},
		{"a party", "urn:epc:id:pgln:0399990.00001", "4170399990000016", "pgln", "https://id.gs1.org/417/0399990000016", 7},
		{"a national number", "urn:epc:id:sgtin:415001647778.0.X1", "010415001647778821X1", "sgtin", "https://id.gs1.org/01/04150016477788/21/X1", 12},
		{"an unclean address of the same package", "HTTPS://shop.example/a/b/gtin/399990012347/lot/AB/ser/7QX4M81K2?17=280331#top", "0100399990012347217QX4M81K2", "sgtin", "https://id.gs1.org/01/00399990012347/21/7QX4M81K2", 0},
		{"a consumer variant is dropped", "https://id.gs1.org/01/00399990012347/22/2A/10/AB4471", "010039999001234710AB4471", "lgtin", "https://id.gs1.org/01/00399990012347/10/AB4471", 0},
		{"a private location", "urn:example:warehouse:7", "uri:urn:example:warehouse:7", "uri", "urn:example:warehouse:7", 0},
		{"an EPC scheme without a GS1 key", "urn:epc:id:gid:95100000.12345.400", "uri:urn:epc:id:gid:95100000.12345.400", "uri", "urn:epc:id:gid:95100000.12345.400", 0},
		{"a web page that is no Digital Link", "https://example.com/2024/01/15/news", "uri:https://example.com/2024/01/15/news", "uri", "https://example.com/2024/01/15/news", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			epc, err := gs1.ParseEPC(tt.captured)
			if err != nil {
				t.Fatal(err)
			}
			k := epc.Key()
			if k.String() != tt.key || k.Kind().String() != tt.kind || k.DigitalLink() != tt.link || epc.GCPLength() != tt.gcpLen {
				t.Errorf("got  %s %s %s gcp %d\nwant %s %s %s gcp %d", k, k.Kind(), k.DigitalLink(), epc.GCPLength(), tt.key, tt.kind, tt.link, tt.gcpLen)
			}
			if back, err := gs1.ParseKey(k.String()); err != nil || back != k {
				t.Errorf("ParseKey(%q) = %v, %v", k, back, err)
			}
			if linked, err := gs1.ParseEPC(k.DigitalLink()); err != nil || linked.Key() != k {
				t.Errorf("ParseEPC(%q) = %v, %v", k.DigitalLink(), linked.Key(), err)
			}
			if epc.Form() == gs1.FormURN {
				if urn, err := epc.URN(); err != nil || urn != tt.captured {
					t.Errorf("URN() = %q, %v", urn, err)
				}
			}
		})
	}
}

func TestParseEPCRefuses(t *testing.T) {
	for _, tt := range []struct{ name, captured, code string }{
		{"nothing", "", gs1.CodeEPC},
		{"no scheme", "0399990", gs1.CodeEPC},
		{"prefix and item reference do not total 13", "urn:epc:id:sgtin:0399990.01234.1", gs1.CodeEPC},
		{"prefix of five digits", "urn:epc:id:sgtin:03999.00001234.1", gs1.CodeEPC},
		{"no serial", "urn:epc:id:sgtin:0399990.001234", gs1.CodeEPC},
		{"empty serial", "urn:epc:id:sgtin:0399990.001234.", gs1.CodeSerial},
		{"serial of 21 characters", "urn:epc:id:sgtin:0399990.001234.123456789012345678901", gs1.CodeSerial},
		{"serial with a space", "urn:epc:id:sgtin:0399990.001234.A%20B", gs1.CodeSerial},
		{"slash not escaped", "urn:epc:id:sgtin:0399990.001234.A/B", gs1.CodeSerial},
		{"half an escape", "urn:epc:id:sgtin:0399990.001234.A%2", gs1.CodeSerial},
		{"pattern over many products", "urn:epc:idpat:sgtin:0399990.*.*", gs1.CodeEPC},
		{"upper-case URN would be a second identity", "URN:EPC:ID:SGTIN:0399990.001234.1", gs1.CodeEPC},
		{"mistyped scheme", "urn:epc:id:sgtn:0399990.001234.1", gs1.CodeEPC},
		{"check digit of the address", "https://id.gs1.org/01/00399990012348/21/1", gs1.CodeGTIN},
		{"check digit of the pallet", "https://id.gs1.org/00/503999900000000012", gs1.CodeSSCC},
		{"check digit of the site", "https://id.gs1.org/414/0399990000017", gs1.CodeGLN},
		{"serial before the product", "https://id.gs1.org/21/12345/01/00399990012347", gs1.CodeEPC},
		{"lot after the serial", "https://id.gs1.org/01/00399990012347/21/1/10/A", gs1.CodeEPC},
		{"GS1's own host without a key", "https://id.gs1.org/01/123", gs1.CodeEPC},
		{"qualifier without value", "https://id.gs1.org/01/00399990012347/21/", gs1.CodeSerial},
		{"lot outside the character set", "https://id.gs1.org/01/00399990012347/10/A%23", gs1.CodeLot},
		{"space in a private URI", "urn:example:a b", gs1.CodeEPC},
	} {
		t.Run(tt.name, func(t *testing.T) {
			epc, err := gs1.ParseEPC(tt.captured)
			e, ok := errors.AsType[*gs1.Error](err)
			if !ok || e.Code != tt.code || !epc.IsZero() {
				t.Errorf("got %v, %v; want %s", epc.Key(), err, tt.code)
			}
		})
	}
}
