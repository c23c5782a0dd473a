package gs1

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An aiRow is one line of GS1's Barcode Syntax Dictionary: an application identifier, or a range of
// them, its format in the dictionary's notation, the identifiers that may not stand beside it, and its
// title.
type aiRow struct{ first, last, spec, excludes, title string }

// An aiFormat is the data format of an application identifier. With min equal to max the length is
// fixed, and no separator is needed to find the end of a value.
type aiFormat struct {
	name     string
	min, max int
	parts    []aiPart
	excludes []string // "37", or "394n" for all identifiers 3940 to 3949
}

// An aiPart is one component of a value.
type aiPart struct {
	set      *set
	setName  string
	min, max int
	optional bool // nothing of it and of the parts behind it need be there
	check    func(*aiFormat, string, int) string
}

func (f *aiFormat) fixed() bool { return f.min == f.max }

// digitsOnly reports whether no value of the format has anything but digits.
func (f *aiFormat) digitsOnly() bool {
	return !slices.ContainsFunc(f.parts, func(p aiPart) bool { return p.set != &digitSet })
}

var (
	digitSet = charset("0123456789")
	// cset64 is the alphabet of base64url, in which digital signatures are written (General
	// Specifications 7.11).
	cset64 = charset(`-=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)
)

// aiNames are the application identifiers that we have a plainer word for than GS1's title.
var aiNames = map[string]string{
	"01": "GTIN", "02": "content GTIN", "03": "made-to-order GTIN", "10": "lot", "11": "production date", "12": "due date",
	"13": "packaging date", "15": "best-before date", "16": "sell-by date", "17": "expiry", "20": "variant", "21": "serial",
	"22": "consumer product variant", "235": "third-party serial", "240": "additional item id", "254": "GLN extension",
	"255": "coupon number", "402": "GSIN", "401": "GINC", "410": "ship-to GLN", "411": "bill-to GLN", "412": "purchased-from GLN",
	"413": "ship-for GLN", "414": "GLN", "415": "invoicing GLN", "416": "production GLN", "417": "party GLN",
	"715": "national number US (NDC)", "7003": "expiry date and time", "8006": "ITIP", "8010": "CPI", "8011": "CPI serial",
	"8017": "GSRN provider", "8018": "GSRN recipient", "8026": "content ITIP", "8030": "digital signature",
}

// aiFormats are the application identifiers of GS1's dictionary, ranges written out. tools/aigen
// makes aiTable.
var aiFormats = formatsOf(aiTable)

func formatsOf(rows []aiRow) map[string]*aiFormat {
	formats := make(map[string]*aiFormat, 4*len(rows))
	for _, row := range rows {
		last := row.last
		if last == "" {
			last = row.first
		}
		from, _ := strconv.Atoi(row.first) // the table is generated, and a test reads all of it
		to, _ := strconv.Atoi(last)
		for n := from; n <= to; n++ {
			ai := fmt.Sprintf("%0*d", len(row.first), n)
			f := formatOf(row.spec)
			if f.name = aiNames[ai]; f.name == "" {
				f.name = row.title
			}
			if row.excludes != "" {
				f.excludes = strings.Split(row.excludes, ",")
			}
			formats[ai] = f
		}
	}
	return formats
}

// formatOf reads a format of the dictionary, such as "N6,yymmdd [N4],hhmi" or "N13,csum,gcppos1 [X..17]".
func formatOf(spec string) *aiFormat {
	f := &aiFormat{}
	for component := range strings.FieldsSeq(spec) {
		shape, checks, _ := strings.Cut(component, ",")
		p := aiPart{optional: shape[0] == '['}
		shape = strings.Trim(shape, "[]")
		switch shape[0] {
		case 'N':
			p.set, p.setName = &digitSet, "the digits"
		case 'Y':
			p.set, p.setName = &cset39, "GS1 character set 39 (digits, capitals and #-/)"
		case 'Z':
			p.set, p.setName = &cset64, "GS1 character set 64 (letters, digits and -_=)"
		default:
			p.set, p.setName = &cset82, cset82Name
		}
		length, variable := strings.CutPrefix(shape[1:], "..")
		p.max, _ = strconv.Atoi(length)
		if p.min = p.max; variable {
			p.min = 1
		}
		for name := range strings.SplitSeq(checks, ",") {
			if check := aiChecks[name]; check != nil {
				p.check = check
			}
		}
		f.parts = append(f.parts, p)
		f.max += p.max
		if !p.optional {
			f.min += p.min
		}
	}
	return f
}

// aiChecks are the dictionary's tests of a component that we make. The others look at lists of
// countries and currencies, at company prefixes and at the inside of addresses and coupons, on which
// nothing about a package rests.
var aiChecks = map[string]func(f *aiFormat, s string, refYear int) string{
	"csum": func(f *aiFormat, s string, _ int) string {
		if len(s) == 14 {
			_, problem := padGTIN(s)
			return problem
		}
		return checkNumber(f.name, s, len(s))
	},
	"yymmd0": func(_ *aiFormat, s string, refYear int) string {
		if _, err := ParseExpiry(s, refYear); err != nil {
			return problemOf(err).Detail
		}
		return ""
	},
	"yymmdd": func(_ *aiFormat, s string, refYear int) string {
		if _, err := ParseExpiry(s, refYear); err != nil {
			return problemOf(err).Detail
		}
		if s[4:] == "00" {
			return "the day is 00, which is no day here"
		}
		return ""
	},
	"yyyymmdd": func(_ *aiFormat, s string, _ int) string {
		if _, err := newDate(s, two(s)*100+two(s[2:]), two(s[4:]), two(s[6:])); err != nil {
			return problemOf(err).Detail
		}
		return ""
	},
	"hh": func(_ *aiFormat, s string, _ int) string { return clockTime(s + "00") },
	"mi": func(_ *aiFormat, s string, _ int) string { return clockTime("00" + s) },
	"ss": func(_ *aiFormat, s string, _ int) string { return clockTime("00" + s) },
	"hhmi": func(_ *aiFormat, s string, _ int) string {
		return clockTime(s)
	},
	"zero": func(_ *aiFormat, s string, _ int) string {
		if s != "0" {
			return "it must begin with 0"
		}
		return ""
	},
}

// clockTime checks four digits of hour and minute, or of minute and second behind two zeros.
func clockTime(s string) string {
	if two(s) > 23 || two(s[2:]) > 59 {
		return s + " is no time of day"
	}
	return ""
}

// lookupAI finds the application identifier at the start of s. They are prefix-free, so the first hit
// is the only one.
func lookupAI(s string) (ai string, f *aiFormat, ok bool) {
	for n := 2; n <= 4 && n <= len(s); n++ {
		if f, ok := aiFormats[s[:n]]; ok {
			return s[:n], f, true
		}
	}
	return "", nil, false
}

// isAI reports whether s is an application identifier and nothing else.
func isAI(s string) bool {
	_, ok := aiFormats[s]
	return ok
}

// looksLikeAI reports whether s is two to four digits, as application identifiers are, known or not.
func looksLikeAI(s string) bool { return len(s) >= 2 && len(s) <= 4 && isDigits(s) }

// codeAI is the code of a malformed value that has no code of its own.
const codeAI = "FMT_AI"

// checkField checks one value against its format, its check digit and the calendar. nil means well formed.
func checkField(ai, value string, refYear int) *Problem {
	f := aiFormats[ai]
	code := codeOf(ai)
	if code == CodeEPC {
		code = codeAI
	}
	if detail := f.problem(f.name+" ("+ai+")", value, refYear); detail != "" {
		return &Problem{code, detail}
	}
	return nil
}

// problem says what is wrong with a value, "" if nothing is. name is how to call it.
func (f *aiFormat) problem(name, value string, refYear int) string {
	if f.fixed() && len(value) != f.max {
		unit := "character"
		if f.digitsOnly() {
			unit = "digit"
		}
		return name + " has " + count(len(value), "character") + ", want " + count(f.max, unit)
	}
	rest := value
	for i, p := range f.parts {
		if rest == "" && p.optional {
			break
		}
		n := min(len(rest), p.max)
		if i == len(f.parts)-1 && p.min != p.max {
			n = len(rest) // checkText says that it is too long
		}
		if n < p.min && p.min == p.max {
			return name + " has " + count(len(value), "character") + ", which is too short: it ends inside one of its parts"
		}
		what := rest[:n]
		if problem := checkText(name, what, p.max, p.set, p.setName); problem != "" {
			if i == 0 && len(f.parts) > 1 && p.set == &digitSet && n == p.max {
				return name + " must begin with " + count(p.max, "digit")
			}
			return problem
		}
		if p.check != nil {
			if problem := p.check(f, what, refYear); problem != "" {
				if len(f.parts) == 1 && p.max > 10 { // a number with a check digit, which names itself
					return problem
				}
				return name + " " + value + ": " + problem
			}
		}
		rest = rest[n:]
	}
	if rest != "" {
		return name + " has " + count(len(value), "character") + ", at most " + strconv.Itoa(f.max) + " are allowed"
	}
	return ""
}

// excluded finds two application identifiers that may not stand beside each other. The dictionary's
// requirements ("a lot needs a GTIN") are not looked at: another symbol on the same package may meet
// them, and one scan sees only one.
func excluded(had map[string]string) (ai, beside string, ok bool) {
	for _, ai := range sortedKeys(had) {
		for _, pattern := range aiFormats[ai].excludes {
			for _, other := range sortedKeys(had) {
				family, many := strings.CutSuffix(pattern, "n")
				if other != ai && (other == pattern || many && len(other) == len(pattern) && strings.HasPrefix(other, family)) {
					return ai, other, true
				}
			}
		}
	}
	return "", "", false
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
