package gs1

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A symbology identifier (ISO/IEC 15424) is what many scanners send in front of a scan: "]", the
// letter of the symbology and a modifier. No GS1 value begins with "]", so a text that does is never
// read without it.

// gs1Symbologies mark a GS1 element string (General Specifications, "Symbology identifiers").
var gs1Symbologies = map[string]string{
	"]C1": "GS1-128", "]e0": "GS1 DataBar", "]e1": "GS1 Composite", "]e2": "GS1 Composite", "]d2": "GS1 DataMatrix",
	"]Q3": "GS1 QR Code", "]J1": "GS1 DotCode",
}

// symbologies are the letters of those that stand on packages and boxes, GS1's or not.
var symbologies = map[byte]string{
	'A': "Code 39", 'C': "Code 128", 'E': "EAN/UPC", 'F': "Codabar", 'G': "Code 93", 'I': "Interleaved 2 of 5", 'J': "DotCode",
	'L': "PDF417", 'Q': "QR Code", 'X': "some other barcode", 'd': "Data Matrix", 'e': "GS1 DataBar", 'h': "Han Xin", 'z': "Aztec",
}

// A prefix is what stands in front of a scan.
type prefix struct {
	id       string // "]d2"
	gs1      bool   // the symbol said that it holds GS1 data
	capsLock bool   // Caps Lock turned the letter around, and so every letter behind it
	problem  *Problem
}

// cutPrefix takes the symbology identifier off a text.
func cutPrefix(text string) (prefix, string) {
	if text == "" || text[0] != ']' {
		return mangledPrefix(text)
	}
	if len(text) < 3 {
		return prefix{problem: &Problem{ProblemSymbology, "the scan ends inside its symbology identifier (such as ]d2); scan again"}}, ""
	}
	p, rest := prefix{id: text[:3]}, text[3:]
	_, p.gs1 = gs1Symbologies[p.id]
	if p.gs1 {
		return p, rest
	}
	turned := swapCase(p.id)
	_, marks := gs1Symbologies[turned]
	_, known := symbologies[p.id[1]]
	_, knownTurned := symbologies[turned[1]]
	switch {
	case p.id[1] == 'E' && marks: // ]E0 is EAN-13 and ]e0 GS1 DataBar: an EAN holds its digits and no more
		p.capsLock = len(rest) > 14 || !isDigits(rest)
	case !known && knownTurned:
		p.capsLock = true
	case !known || !isDigit(p.id[2]):
		p.problem = &Problem{ProblemSymbology, quoteStart(p.id) + " in front is no symbology identifier that a scanner sends for a package's barcode (]d2, ]C1, ]Q3, ]e0, ]J1); set up the scanner and the computer for the same keyboard, then scan again"}
	}
	p.gs1 = p.capsLock && marks
	return p, rest
}

// mangledPrefix finds a symbology identifier whose "]" came out as another sign, because the scanner
// types for another keyboard than the computer's. Then no letter or sign behind it can be trusted
// either.
func mangledPrefix(text string) (prefix, string) {
	_, at := utf8.DecodeRuneInString(text)
	if len(text) < at+2 || isAlnum(text[0]) || text[0] == '(' || text[0] == gs {
		return prefix{}, text
	}
	id, rest := "]"+text[at:at+2], text[at+2:]
	_, marks := gs1Symbologies[id]
	if _, _, begins := lookupAI(rest); !marks || !begins {
		return prefix{}, text
	}
	return prefix{problem: &Problem{ProblemSymbology, strconv.Quote(text[:at+2]) + " in front should be " + id + ": the scanner types for another keyboard than the computer's, so letters and signs come out wrong; set up both alike and scan again"}}, rest
}

func isAlnum(c byte) bool { return isDigit(c) || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }

// swapCase is a text as Caps Lock turns it around.
func swapCase(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z':
			return c - 'a' + 'A'
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		}
		return c
	}, s)
}

// withCapsLock reads a scan whose prefix shows that Caps Lock is on. A scanner in keyboard mode then
// turns every letter around, but nothing proves that it did so behind the prefix too: both readings
// are offered, the turned one first.
func withCapsLock(id, text string, refYear int) ScanResult {
	why := Problem{ProblemCapsLock, "Caps Lock is on: a scanner does not send " + id + " for GS1 but " + swapCase(id) + ", so large and small letters are turned around; turn Caps Lock off and scan again"}
	_, isGS1 := gs1Symbologies[swapCase(id)]
	turned := readText(swapCase(text), isGS1, refYear)
	if swapCase(text) == text {
		return turned.noting(why)
	}
	asIs := readText(text, isGS1, refYear)
	readings := distinct(turned.Readings, asIs.Readings)
	if len(readings) == 0 {
		return turned.noting(why)
	}
	problems := []Problem{why}
	for _, p := range turned.Problems {
		if turned.Verdict == Ambiguous {
			problems = append(problems, p)
		}
	}
	return ScanResult{Verdict: Ambiguous, Readings: readings, Problems: problems}
}

// capsLockedURN reads a URN that is none as it stands, but is one with its letters turned around.
func capsLockedURN(text string) (ScanResult, bool) {
	epc, err := ParseEPC(swapCase(text))
	if err != nil || epc.Key().Kind() == KindURI {
		return ScanResult{}, false
	}
	why := Problem{ProblemCapsLock, "Caps Lock is on: the text is an EPC URN when large and small letters are turned around; turn Caps Lock off and scan again"}
	r := readingOf(epc.Key())
	if problems := serialProblem(r); len(problems) > 0 {
		r.Key = Key{}
		return refuse(r, append(problems, why)...), true
	}
	return ScanResult{Verdict: Ambiguous, Readings: []Reading{r}, Problems: []Problem{why}}, true
}

// distinct joins lists of readings, leaving out what says the same again.
func distinct(lists ...[]Reading) (all []Reading) {
	for _, list := range lists {
		for _, r := range list {
			known := false
			for i := range all {
				known = known || all[i].Key == r.Key && all[i].Lot == r.Lot && all[i].Expiry == r.Expiry
			}
			if !known {
				all = append(all, r)
			}
		}
	}
	return all
}
