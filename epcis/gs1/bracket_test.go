package gs1

import "testing"

func TestBracketKeys(t *testing.T) {
	for in, want := range map[string]string{
		"0100399990100013212A/7 is recalled":                   "(01)00399990100013(21)2A/7 is recalled",
		"is inside 00003999900000000122, which is recalled":    "is inside (00)003999900000000122, which is recalled",
		"0100399990100013 has no owner; 010039999010001310L1.": "(01)00399990100013 has no owner; (01)00399990100013(10)L1.",
		"at 4140399990000016254A: closed":                      "at (414)0399990000016(254)A: closed",
		"at 120/0/3 of 2026-01-01 and GTIN 00399990100013":     "at 120/0/3 of 2026-01-01 and GTIN 00399990100013",
		"urn:epc:id:sgtin:0399990.010001.1 is recalled":        "urn:epc:id:sgtin:0399990.010001.1 is recalled",
		"01003999901000142112 has a wrong check digit":         "01003999901000142112 has a wrong check digit",
		"": "",
	} {
		if got := BracketKeys(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
