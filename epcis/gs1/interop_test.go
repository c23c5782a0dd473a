package gs1_test

import (
	"encoding/csv"
	"regexp"
	"slices"
	"strings"
	"testing"

	"verilot.dev/epcis/gs1"
)

// The CBV event-hash tool writes every GS1 URN of an event into its pre-hash as a canonical Digital Link. Ours must be
// the same strings, or our event hashes would not be anybody else's.
func TestDigitalLinksOfTheHashVectors(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(shared(t, "gs1/hash-vectors/vectors.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	path, prehash := slices.Index(rows[0], "path"), slices.Index(rows[0], "prehash")
	if path < 0 || prehash < 0 {
		t.Fatal(rows[0])
	}
	all := map[string]string{}
	for _, row := range rows[1:] {
		all[row[path]] += row[prehash] + "\n"
	}
	urn := regexp.MustCompile(`urn:epc:(?:id|class|idpat):[a-z]+:[^"<\s]+`)
	seen := map[string]bool{}
	for file, text := range all {
		for _, s := range urn.FindAllString(shared(t, "gs1/"+file), -1) {
			epc, err := gs1.ParseEPC(s)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			seen[s] = true
			if link := epc.Key().DigitalLink(); !strings.Contains(text, link) {
				t.Errorf("%s: %s is %s, which is not in the pre-hash", file, s, link)
			}
		}
	}
	t.Logf("%d URNs", len(seen))
}
