package main

import (
	"regexp"
	"strings"
	"testing"

	"verilot.dev/epcis/gs1"
)

// Places where an example identifier ends in a check digit: element strings, Digital Links (also
// percent-encoded), scans, and members of JSON and headings of forms.
var checked = []*regexp.Regexp{
	regexp.MustCompile(`\((?:01|02)\)(\d{14})\b`),
	regexp.MustCompile(`\(00\)(\d{18})\b`),
	regexp.MustCompile(`\(41[0-7]\)(\d{13})\b`),
	regexp.MustCompile(`(?i)(?:/|%2F)(?:01|02)(?:/|%2F)(\d{14})\b`),
	regexp.MustCompile(`(?i)(?:/|%2F)00(?:/|%2F)(\d{18})\b`),
	regexp.MustCompile(`(?i)(?:/|%2F)41[0-7](?:/|%2F)(\d{13})\b`),
	regexp.MustCompile(`\b01(\d{14})(?:10|11|17|21)[0-9A-Z]`),
	regexp.MustCompile(`\b00(\d{18})\b`),
	regexp.MustCompile(`(?i)\bgtin["'\x60]?\s*[:=]?\s*["'\x60]?(\d{8}|\d{12,14})\b`),
	regexp.MustCompile(`(?i)\bgln["'\x60]?\s*[:=]?\s*["'\x60]?(\d{13})\b`),
	regexp.MustCompile(`(?i)\bsscc["'\x60]?\s*[:=]?\s*["'\x60]?(\d{18})\b`),
}

// URNs have no check digit; their company prefix and reference have so many digits together.
var urns = []struct {
	of     *regexp.Regexp
	digits int
}{
	{regexp.MustCompile(`urn:epc:(?:id:sgtin|idpat:sgtin|class:lgtin):(\d+)\.(\d+)\b`), 13},
	{regexp.MustCompile(`urn:epc:id:sscc:(\d+)\.(\d+)\b`), 17},
	{regexp.MustCompile(`urn:epc:id:sgln:(\d+)\.(\d+)\b`), 12},
}

// wrongIdentifiers are the example identifiers of a text that cannot be right, with their line.
func wrongIdentifiers(text string) (wrong map[string]int, seen int) {
	wrong = map[string]int{}
	for _, re := range checked {
		for _, m := range re.FindAllStringSubmatchIndex(text, -1) {
			digits := text[m[2]:m[3]]
			seen++
			if last := len(digits) - 1; gs1.CheckDigit(digits[:last]) != digits[last] {
				wrong[digits] = lineOf(text, m[2])
			}
		}
	}
	for _, u := range urns {
		for _, m := range u.of.FindAllStringSubmatchIndex(text, -1) {
			seen++
			if m[3]-m[2]+m[5]-m[4] != u.digits {
				wrong[text[m[0]:m[1]]] = lineOf(text, m[0])
			}
		}
	}
	return wrong, seen
}

// Example identifiers that people read (pages, help texts, OpenAPI examples, words of the screens)
// can be typed in: their check digits are right.
func TestExampleIdentifiers(t *testing.T) {
	seen := 0
	for name, text := range textFiles(t) {
		read := strings.HasSuffix(name, ".md") || strings.HasPrefix(name, "web/src/i18n/") ||
			strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.Contains(name, "storetest/") && !strings.HasPrefix(name, "epcis/internal/")
		if !read {
			continue
		}
		wrong, n := wrongIdentifiers(text)
		seen += n
		for id, line := range wrong {
			t.Errorf("%s:%d: %s has a wrong check digit or a wrong length", name, line, id)
		}
	}
	if seen < 50 {
		t.Errorf("%d example identifiers were found, want dozens", seen)
	}
}

func TestWrongIdentifiers(t *testing.T) {
	for _, tt := range []struct {
		text string
		good bool
	}{
		{"(01)00399990012347(21)A", true},
		{"(01)00399990012346(21)A", false},
		{"https://id.gs1.org/01/00399990012346/21/A", false},
		{"https%3A%2F%2Fid.gs1.org%2F01%2F00399990012346%2F21%2FA", false},
		{"010039999001234621CMQ", false},
		{"https://id.gs1.org/00/003999900000099998", false},
		{"(414)0399990000017", false},
		{`"gln": "0399990000017"`, false},
		{`"gln": "0399990000016"`, true},
		{"urn:epc:id:sgtin:0399990.001234.A", true},
		{"urn:epc:id:sgtin:0399990.01234.A", false},
		{"urn:epc:id:sscc:0399990.000000001", false},
		{"urn:epc:id:sgln:0399990.0001.0", false},
	} {
		if wrong, _ := wrongIdentifiers(tt.text); (len(wrong) == 0) != tt.good {
			t.Errorf("%s: %v", tt.text, wrong)
		}
	}
}
