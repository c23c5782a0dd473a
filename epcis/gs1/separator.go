package gs1

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The separator between the elements of a scan is the control character GS. Keyboards cannot type it,
// so scanners and programs put something else in its place. What that was is named, so that the
// scanner can be set right.

// writtenSeparators are the ways to write GS or FNC1 in plain characters. Those of the second group
// hold only characters that a serial or a lot may have too.
var (
	writtenSeparators = regexp.MustCompile(`(?i)\[(?:FNC1|GS|0x1D)\]|\{(?:FNC1|GS|0x1D)\}|\\x1d|\\x\{1d\}|\\u001d|\\u\{1d\}|\\035|\\F|~d029|~1|&#29;|&#x1d;|\^FNC1`)
	spelledSeparators = regexp.MustCompile(`(?i)<(?:FNC1|GS|0x1D)>|\((?:FNC1|GS)\)|%1D`)
)

// isBlank reports what stands around data and is none: white space, and the marks that files and web
// pages begin with.
func isBlank(c rune) bool {
	return unicode.IsSpace(c) || c == '\ufeff' || c == '\u200b' || c == '\u2060'
}

// unblank drops white space around separators.
func unblank(text string) string {
	if !strings.ContainsFunc(text, isBlank) {
		return text
	}
	parts := strings.Split(text, "\x1d")
	for i := range parts {
		parts[i] = strings.TrimFunc(parts[i], isBlank)
	}
	return strings.Join(parts, "\x1d")
}

// A respelling is a text in which something was taken for the separator.
type respelling struct {
	text  string
	token string // what was taken for it
	name  string // how to call it
	data  bool   // the token may also be data
	loose bool   // it is so common in data that only a complete product identifier counts
}

// maxRespellings bounds how many kinds of characters are tried.
const maxRespellings = 12

// respellings lists the ways in which a text without GS may show its separators, the surest first.
func respellings(text string) (all []respelling) {
	if token := writtenSeparators.FindString(text); token != "" {
		all = append(all, respelling{text: writtenSeparators.ReplaceAllString(text, "\x1d"), token: token, name: token})
	}
	if token := spelledSeparators.FindString(text); token != "" {
		all = append(all, respelling{text: spelledSeparators.ReplaceAllString(text, "\x1d"), token: token, name: token, data: true})
	}
	if strings.ContainsFunc(text, isBlank) {
		all = append(all, respelling{text: joinWords(strings.FieldsFunc(text, isBlank)), token: " ", name: "a space"})
	}
	tried := map[rune]bool{}
	for _, c := range text {
		if tried[c] || c == unicode.ReplacementChar || isBlank(c) || c < 0x80 && isAlnum(byte(c)) || len(all) > maxRespellings {
			continue
		}
		tried[c] = true
		data := c < 0x80 && cset82[c]
		all = append(all, respelling{text: strings.ReplaceAll(text, string(c), "\x1d"), token: string(c), name: nameOfSign(c), data: data, loose: data})
	}
	slices.SortStableFunc(all, func(a, b respelling) int { return rankOf(a) - rankOf(b) })
	return all
}

func rankOf(r respelling) int {
	if r.data {
		return 1
	}
	return 0
}

// joinWords puts separators between words; a word that is an application identifier and no more
// belongs to the word behind it.
func joinWords(words []string) string {
	var elements []string
	for i := 0; i < len(words); i++ {
		if isAI(words[i]) && i+1 < len(words) {
			elements = append(elements, words[i]+words[i+1])
			i++
			continue
		}
		elements = append(elements, words[i])
	}
	return strings.Join(elements, "\x1d")
}

func nameOfSign(c rune) string {
	if unicode.IsPrint(c) {
		return string(c)
	}
	return "the control character " + quoteRune(c)
}

// readRespelled reads a text without GS in which something may stand in the separator's place. When
// that is something that no GS1 value can hold, and it makes sense as the separator, the result is the
// answer. Otherwise others are the further readings in which a sign that may be data is the separator,
// and why names the sign.
func readRespelled(text string, flagged bool, asIs reader) (result *ScanResult, others []Reading, why []Problem) {
	best := len(asIs.problems)
	asWell := best == 0 || best == 1 && asIs.problems[0].Code == ProblemNoSerial // the text is well formed as it stands
	for _, way := range respellings(text) {
		inner := strings.Trim(unblank(way.text), "\x1d")
		switch {
		case way.loose && (!asWell || asIs.reading.completeness() == 4):
			continue // serials and lots have such signs, and the text reads well with it
		case strings.IndexByte(inner, gs) < 0: // it stood only in front or behind
			if !way.data && len(asIs.problems) > 0 {
				r := readElements(inner, true, asIs.refYear).noting(way.problem())
				return &r, nil, nil
			}
			continue
		}
		r := readSeparated(inner, flagged || way.text[0] == gs, asIs.refYear)
		fits := len(r.problems) == 0 && len(r.unknown) == 0 && (!way.loose || r.reading.completeness() == 4)
		switch {
		case fits && (way.loose || best == 0 && result == nil):
			others = distinct(others, []Reading{r.reading})
			if len(why) == 0 {
				why = []Problem{way.problem()}
			}
		case fits:
			r := r.conclude().noting(way.problem())
			return &r, nil, nil
		case len(r.problems) < best && !way.data:
			refused := r.conclude().noting(way.problem())
			result, best = &refused, len(r.problems)
		}
	}
	return result, others, why
}

func (r respelling) problem() Problem {
	return Problem{ProblemSeparator, "the scanner sends " + r.name + " in place of the separator (GS); set it up to send GS, so that no scan can be misread"}
}
