package gs1

import "testing"

func TestMeant(t *testing.T) {
	const (
		sgtin = "urn:epc:id:sgtin:0390777.012345.D1"
		link  = "https://id.gs1.org/01/00390777123454/21/D1"
	)
	for in, want := range map[string]string{
		"sgtin:0390777.012345.D1":                         sgtin,
		"SGTIN:0390777.012345.D1":                         sgtin,
		"epc:id:sgtin:0390777.012345.D1":                  sgtin,
		"id:sgtin:0390777.012345.D1":                      sgtin,
		"urn:sgtin:0390777.012345.D1":                     sgtin,
		"urn:epc:sgtin:0390777.012345.D1":                 sgtin,
		"urn:id:sgtin:0390777.012345.D1":                  sgtin,
		"urn:epc:id:sgtn:0390777.012345.D1":               sgtin,
		"urn:epc:id:sgitn:0390777.012345.D1":              sgtin,
		"urn:epc:di:sgtin:0390777.012345.D1":              sgtin,
		"urm:epc:id:sgtin:0390777.012345.D1":              sgtin,
		"urn:ecp:id:sgtin:0390777.012345.D1":              sgtin,
		"urn;epc:id:sgtin:0390777.012345.D1":              sgtin,
		"URN:EPC:ID:SGTIN:0390777.012345.D1":              sgtin,
		"urn:epc:idpat:sgtin:0390777.012345.D1":           sgtin,
		"urn:epc:tag:sgtin-96:3.0390777.012345.17":        "urn:epc:id:sgtin:0390777.012345.17",
		"urn:epc:id:lgtin:0390777.012345.L1":              "urn:epc:class:lgtin:0390777.012345.L1",
		"lgtin:0390777.012345.L1":                         "urn:epc:class:lgtin:0390777.012345.L1",
		"urn:epc:id:sgtin:0390777.012345.*":               "", // a serial of one asterisk
		"sscc:0390777.0000000001":                         "urn:epc:id:sscc:0390777.0000000001",
		"sgln:0390777.00001.0":                            "urn:epc:id:sgln:0390777.00001.0",
		"https:/id.gs1.org/01/00390777123454/21/D1":       link,
		"https//id.gs1.org/01/00390777123454/21/D1":       link,
		"htps://id.gs1.org/01/00390777123454/21/D1":       link,
		"http:\\\\id.gs1.org\\01\\00390777123454\\21\\D1": link,
		"id.gs1.org/01/00390777123454/21/D1":              link,
		"//id.gs1.org/01/00390777123454/21/D1":            link,

		// What somebody else may mean.
		sgtin: "", link: "",
		"urn:acme:sgtin:0390777.012345.D1":              "",
		"urn:acme:item:17":                              "",
		"sgtin:17":                                      "",
		"sgtin:0390777.012345":                          "",
		"https://acme.example/items/17":                 "",
		"https:/acme.example/items/17":                  "",
		"ftp://id.gs1.org/01/00390777123454/21/D1":      "",
		"urn:uuid:77770000-2222-4222-8222-222222222221": "",
		"urn:epc:id:gid:1.2.3":                          "", "": "", "17": "", ":": "", "::::::1": "", "1/": "", "/1": "", "a.b/1": "",
	} {
		if got := Meant(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What is meant is an identifier of GS1, and was none before.
func FuzzMeant(f *testing.F) {
	for _, s := range []string{"sgtin:0390777.012345.D1", "urn:epc:tag:sgtin-96:3.0390777.012345.17", "https:/id.gs1.org/01/00390777123454/21/D1", "id.gs1.org/01/00390777123454"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := Meant(s)
		if m == "" {
			return
		}
		if epc, err := ParseEPC(m); err != nil || epc.Form() == FormURI || m == s || Meant(m) != "" {
			t.Fatalf("%q is meant to be %q: %v", s, m, err)
		}
	})
}
