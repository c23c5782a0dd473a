package main

import (
	"os"
	"strings"
	"testing"
)

// A few lines in the dictionary's syntax, and what the table makes of them.
func TestGenerate(t *testing.T) {
	const dictionary = `# A dictionary
# Release: 2026-01-27

# AI  Flags Specification            Attributes               Title
01         *?  N14,csum,gcppos2      ex=255,37 dlpkey=22,10,21|235 # GTIN
3100-3105  *?  N6                    req=01,02 ex=310n        # NET WEIGHT (kg)
7011        ?  N6,yymmdd [N4],hhmi   req=01,02,03             # TEST BY DATE
7040           N1 X1 X1 X1,importeridx                        # UIC+EXT
8110        ?  X..70,couponcode
`
	source, err := generate([]byte(dictionary))
	if err != nil {
		t.Fatal(err)
	}
	table, err := os.ReadFile("../../epcis/gs1/ai_table.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(source)) {
		if strings.HasPrefix(line, "\t{") {
			rows++
			if !strings.Contains(string(table), line) {
				t.Errorf("the table has no line %s", line)
			}
		}
	}
	if rows != 5 {
		t.Errorf("%d rows of 5 lines:\n%s", rows, source)
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, dictionary := range map[string]string{
		"no release":             "01 *? N14 # GTIN",
		"no format":              "# Release: x\n01 *? req=02 # GTIN",
		"an unknown sign":        "# Release: x\n01 *? N14 §5 # GTIN",
		"a range of two lengths": "# Release: x\n91-999 X..90 # INTERNAL",
	} {
		if source, err := generate([]byte(dictionary)); err == nil {
			t.Errorf("%s: %s", name, source)
		}
	}
}
