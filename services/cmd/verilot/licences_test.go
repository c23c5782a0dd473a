package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/services/internal/partner/onboard"
)

func TestLicencesFile(t *testing.T) {
	want := []onboard.LicenceEntry{
		{Party: "blue", Number: "WDD-KY-4471", Kind: "state_wholesale", Jurisdiction: "US-KY", ValidFrom: "2024-01-01", ValidTo: "2027-12-31"},
		{Party: "0399991000015", Number: "AR-1", Kind: "fda_annual_report"},
	}
	for name, text := range map[string]string{
		"YAML": "# licences\n- party: blue\n  number: WDD-KY-4471\n  kind: state_wholesale\n  jurisdiction: US-KY\n  validFrom: 2024-01-01\n  validTo: 2027-12-31\n" +
			"- {party: 0399991000015, number: AR-1, kind: fda_annual_report}\n",
		"JSON": `[{"party": "blue", "number": "WDD-KY-4471", "kind": "state_wholesale", "jurisdiction": "US-KY", "validFrom": "2024-01-01", "validTo": "2027-12-31"},
			{"party": "0399991000015", "number": "AR-1", "kind": "fda_annual_report"}]`,
	} {
		got, err := parseLicences([]byte(text))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	const good = "- {party: a, number: n, kind: k}\n"
	for _, tt := range []struct{ text, want string }{
		{"", "line 1: the file is empty"},
		{"[]", "line 1: the list is empty"},
		{"party: a\n", "line 1: the file must be a list"},
		{good + "---\n" + good, "line 3: the file must be a list"},
		{good + "- {party: a, number: n}\n", "line 2: the licence has no kind"},
		{good + good + "- party: a\n  number: n\n  kind: k\n  valid_to: 2027-12-31\n", "line 6: "},
		{good + "- party: a\n  number: n\n  kind: k\n  validTo: 31.12.2027\n", `line 2: validTo is "31.12.2027": write a day as YYYY-MM-DD`},
		{good + "- {party: a, number: n, kind: k, validFrom: 2027-01-01, validTo: 2026-12-31}\n", "line 2: licence n ends on 2026-12-31, before it begins on 2027-01-01"},
		{good + "- a licence\n", "line 2: "},
		{good + "- {party: a, number: n, kind: k\n", "line 2: "},
	} {
		if list, err := parseLicences([]byte(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, %v; want %s", tt.text, list, err, tt.want)
		}
	}

	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("- nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"capture", "x.xml", "--licences", bad}, {"capture", "x.xml", "--onboard", "--licences", bad}, {"capture", "x.xml", "--onboard", "--licences", filepath.Join(dir, "none")},
	} {
		if code, _ := cli(t, args...); code != 2 {
			t.Errorf("%v: exit %d, want 2", args, code)
		}
	}
}
