package gs1

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// The table is GS1's dictionary, every line of which can be read; no application identifier begins
// with another.
func TestAITable(t *testing.T) {
	if len(aiFormats) != 541 {
		t.Errorf("%d application identifiers, the dictionary of 2026-01-27 has 541", len(aiFormats))
	}
	for ai, f := range aiFormats {
		if f.min < 1 || f.max < f.min || len(f.parts) == 0 || f.name == "" && ai != "8110" && ai != "8112" {
			t.Errorf("%s: %+v", ai, f)
		}
		for n := 2; n < len(ai); n++ {
			if isAI(ai[:n]) {
				t.Errorf("%s begins with %s", ai, ai[:n])
			}
		}
	}
	for _, row := range aiTable {
		if got := spell(aiFormats[row.first].parts); got != unchecked(row.spec) {
			t.Errorf("%s is read as %s, the dictionary says %s", row.first, got, row.spec)
		}
	}
}

// spell writes components in the dictionary's notation.
func spell(parts []aiPart) string {
	var words []string
	for _, p := range parts {
		kind := map[*set]string{&digitSet: "N", &cset82: "X", &cset39: "Y", &cset64: "Z"}[p.set]
		if p.min != p.max {
			kind += ".."
		}
		word := kind + strconv.Itoa(p.max)
		if p.optional {
			word = "[" + word + "]"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// unchecked is a format of the dictionary without its tests of content.
func unchecked(spec string) string {
	words := strings.Fields(spec)
	for i, w := range words {
		shape, _, _ := strings.Cut(w, ",")
		words[i] = shape
	}
	return strings.Join(words, " ")
}

func TestCheckField(t *testing.T) {
	for _, tt := range []struct{ ai, value, code string }{
		{"00", "503999900000000011", ""},
		{"00", "503999900000000012", CodeSSCC},
		{"03", "00399990012348", CodeGTIN},
		{"253", "4012345123457", codeAI},
		{"253", "4012345000009AB", ""},
		{"3103", "001234", ""},
		{"3106", "", ""}, // there is none
		{"394", "", ""},
		{"3943", "0050", ""},
		{"4307", "US", ""},
		{"4307", "USA", codeAI},
		{"4326", "280331", ""},
		{"4326", "280300", codeAI},
		{"4330", "001234", ""},
		{"4330", "001234-", ""},
		{"7003", "2704011530", ""},
		{"7003", "2704012430", CodeExpiry},
		{"7003", "2704011560", CodeExpiry},
		{"7003", "27040115", CodeExpiry},
		{"7005", "27.3.a", ""},
		{"7005", "27.3.a 27.3.a", codeAI},
		{"7007", "260401", ""},
		{"7007", "260401260402", ""},
		{"7007", "2604012604", codeAI},
		{"7008", "COD", ""},
		{"7009", "PS", ""},
		{"7010", "01", ""},
		{"7011", "280101", ""},
		{"7011", "2801011530", ""},
		{"7011", "280101153", codeAI},
		{"7040", "123A", ""},
		{"7040", "A23A", codeAI},
		{"7041", "PX", ""},
		{"715", "5486866241", ""},
		{"7230", "EM1", ""},
		{"7230", "E", codeAI},
		{"7250", "19850630", ""},
		{"7250", "19850631", codeAI},
		{"7251", "198506301530", ""},
		{"7252", "1", ""},
		{"7256", "Ann+Doe", ""},
		{"7258", "1/2", ""},
		{"7259", "Doe", ""},
		{"8003", "04012345123450A", codeAI},
		{"8008", "28040115", ""},
		{"8008", "280401153059", ""},
		{"8008", "2804011561", codeAI},
		{"8010", "0614141#A", ""},
		{"8010", "0614141a", codeAI},
		{"8030", "abc-_=", ""},
		{"8030", "abc+", codeAI},
		{"8111", "0100", ""},
		{"99", strings.Repeat("x", 90), ""},
		{"99", strings.Repeat("x", 91), codeAI},
	} {
		t.Run(tt.ai+" "+tt.value, func(t *testing.T) {
			if !isAI(tt.ai) {
				if tt.value != "" {
					t.Fatal("the application identifier is not in the table")
				}
				return
			}
			got := ""
			if p := checkField(tt.ai, tt.value, 2026); p != nil {
				got = p.Code
				t.Log(p.Detail)
			}
			if got != tt.code {
				t.Errorf("got %q, want %q", got, tt.code)
			}
		})
	}
}

// Every pattern of the dictionary that excludes means an identifier of the table.
func TestExcluded(t *testing.T) {
	for ai, f := range aiFormats {
		for _, pattern := range f.excludes {
			if !isAI(pattern) && !isAI(strings.Replace(pattern, "n", "0", 1)) {
				t.Errorf("%s excludes %s, which is no application identifier", ai, pattern)
			}
		}
	}
	for _, tt := range []struct {
		had  string
		want string
	}{{"01 21", ""}, {"01 37", "01 37"}, {"3103", ""}, {"01 3103 3102", "3102 3103"}, {"01 235 21", "21 235"}, {"255 3901 8111", "3901 8111"}} {
		had := map[string]string{}
		for ai := range strings.FieldsSeq(tt.had) {
			had[ai] = ""
		}
		got := ""
		if ai, beside, ok := excluded(had); ok {
			got = fmt.Sprint(ai, " ", beside)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.had, got, tt.want)
		}
	}
}
