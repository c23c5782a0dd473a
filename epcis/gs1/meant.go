package gs1

import (
	"slices"
	"strings"

	"verilot.dev/epcis/internal/vocabulary"
)

// Meant returns the GS1 identifier that a text was probably meant to be, "" if there is none: sgtin:…, urn:sgtin:… and
// urn:epc:id:sgtn:… are meant to be urn:epc:id:sgtin:…, and https:/id.gs1.org/01/… is meant to be a Digital Link. Only the
// beginning is repaired, and only where what follows makes a GS1 identifier of it: a URI of somebody else's stays what it
// is. An identifier that is well-formed is not meant to be another.
func Meant(s string) string {
	if len(s) > maxURI || strings.IndexFunc(s, func(r rune) bool { return '0' <= r && r <= '9' }) < 0 {
		return ""
	}
	if epc, err := ParseEPC(s); err == nil && epc.Form() != FormURI {
		return ""
	}
	if m := meantURN(s); m != "" {
		return m
	}
	return meantLink(s)
}

// maxHead is how many words may stand before the scheme: urn, epc, id.
const maxHead = 4

func meantURN(s string) string {
	head := [maxHead]string{}
	rest := s
	for n := range maxHead {
		i := strings.IndexAny(rest, ":;")
		if i < 0 {
			return ""
		}
		word := vocabulary.Lower(rest[:i])
		rest = rest[i+1:]
		if schemes, number := nearSchemes(word); len(schemes) > 0 {
			return meantOne(s, schemes, kindsOf(head[:n]), number, rest)
		}
		if !nearAny(word, "urn", "epc", "id", "idpat", "class", "tag", "pat", "raw", "gs1", "epcglobal", "uri") {
			return ""
		}
		head[n] = word
	}
	return ""
}

// meantOne is the identifier of the one scheme that makes one of what follows.
func meantOne(s string, schemes, kinds []string, number bool, body string) string {
	if number { // a tag URI: a filter value comes first
		if len(body) < 2 || !isDigit(body[0]) || body[1] != '.' {
			return ""
		}
		body = body[2:]
	}
	found := ""
	for _, scheme := range schemes {
		for _, kind := range kinds {
			m := "urn:epc:" + kind + ":" + scheme + ":" + body
			if _, known := urnSchemes[kind+":"+scheme]; !known || m == s {
				continue
			}
			if _, err := ParseEPC(m); err != nil {
				continue
			}
			if found != "" {
				return ""
			}
			found = m
			break
		}
	}
	return found
}

// kindsOf are the kinds of identifier to try behind the words that stand before the scheme, the likeliest first.
func kindsOf(head []string) []string {
	if len(head) > 0 {
		switch last := head[len(head)-1]; {
		case nearAny(last, "idpat", "pat"):
			return []string{"idpat", "id", "class"}
		case nearAny(last, "class"):
			return []string{"class", "id", "idpat"}
		}
	}
	return []string{"id", "class", "idpat"}
}

// schemeWords are the schemes of GS1 keys, sorted.
var schemeWords = func() (list []string) {
	for name := range urnSchemes {
		_, scheme, _ := strings.Cut(name, ":")
		list = append(list, scheme)
	}
	slices.Sort(list)
	return slices.Compact(list)
}()

// nearSchemes returns the scheme that a word is, or those that it is one letter away from. number tells that it is one of
// a tag URI, such as sgtin-96.
func nearSchemes(word string) (schemes []string, number bool) {
	if base, bits, found := strings.Cut(word, "-"); found && isDigits(bits) {
		word, number = base, true
	}
	if slices.Contains(schemeWords, word) {
		return []string{word}, number
	}
	for _, w := range schemeWords {
		if len(w) > 3 && vocabulary.OneEdit(word, w) {
			schemes = append(schemes, w)
		}
	}
	return schemes, number
}

func nearAny(word string, words ...string) bool {
	for _, w := range words {
		if word == w || vocabulary.OneEdit(word, w) {
			return true
		}
	}
	return false
}

// meantLink repairs the scheme of a web address: https:/, https;//, htps://, http:\\, or none at all.
func meantLink(s string) string {
	i := 0
	for i < len(s) && 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z' {
		i++
	}
	j := i
	for j < len(s) && strings.IndexByte(`:;/\`, s[j]) >= 0 {
		j++
	}
	host := s[j:]
	switch word := vocabulary.Lower(s[:i]); {
	case j > i && (word == "" || nearAny(word, "http", "https")):
	case j == i: // id.gs1.org/01/…
		host = s
	default:
		return ""
	}
	end := strings.IndexAny(host, `/\`)
	if end < 0 || strings.IndexByte(host[:end], '.') <= 0 {
		return ""
	}
	m := "https://" + strings.ReplaceAll(host, `\`, "/")
	if epc, err := ParseEPC(m); m != s && err == nil && epc.Form() == FormDigitalLink {
		return m
	}
	return ""
}

// IsURI reports whether s is an absolute URI by its scheme and its characters (RFC 3986).
func IsURI(s string) bool { return checkURI(s) == nil }
