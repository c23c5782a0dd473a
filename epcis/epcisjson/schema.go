package epcisjson

import (
	"net/netip"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// The rules of the official JSON Schema for texts, with its formats "uri" (RFC 3986) and "date-time" (RFC 3339)
// asserted. What else it asks for, members and lists, is checked where they are read and in parser.finish.

// rule is what the schema wants of a text.
type rule uint8

const (
	ruleText rule = iota
	ruleURI
	ruleTime
	ruleOffset
	ruleVersion
	ruleUOM
	ruleHex
	ruleAction
	ruleStep
	ruleDisposition
	ruleBTT
	ruleSDT
	ruleReason
	ruleMeasurement
	ruleAlert
	ruleComponent
	numRules
)

// terms are the bare words that a rule takes beside URIs.
var terms = [numRules]map[string]bool{
	ruleAction:      {"ADD": true, "OBSERVE": true, "DELETE": true},
	ruleStep:        vocabulary.Lists[vocabulary.BizStep].Words,
	ruleDisposition: vocabulary.Lists[vocabulary.Disposition].Words,
	ruleBTT:         vocabulary.Lists[vocabulary.BizTransaction].Words,
	ruleSDT:         vocabulary.Lists[vocabulary.SourceDest].Words,
	ruleReason:      vocabulary.Lists[vocabulary.ErrorReason].Words,
	ruleMeasurement: vocabulary.Lists[vocabulary.Measurement].Words,
	ruleAlert:       vocabulary.Lists[vocabulary.SensorAlert].Words,
	ruleComponent:   vocabulary.Lists[vocabulary.Component].Words,
}

// kinds are the code lists of the rules for standard values.
var kinds = [numRules]epcis.TermKind{
	ruleStep: epcis.TermBizStep, ruleDisposition: epcis.TermDisposition, ruleBTT: epcis.TermBizTransaction, ruleSDT: epcis.TermSourceDest,
	ruleReason: epcis.TermErrorReason, ruleMeasurement: epcis.TermMeasurement, ruleAlert: epcis.TermSensorAlert, ruleComponent: epcis.TermComponent,
}

// takes reports whether the schema takes the text.
func (r rule) takes(b []byte) bool {
	switch r {
	case ruleURI:
		return isURI(b)
	case ruleTime:
		return isDateTime(b)
	case ruleOffset:
		_, err := xsd.ParseOffset(string(b))
		return err == nil
	case ruleVersion: // ^\d+(\.\d+)*$
		for part := range strings.SplitSeq(string(b), ".") {
			if _, ok := xsd.Digits(part); !ok || part == "" {
				return false
			}
		}
		return true
	case ruleUOM: // ^[A-Z0-9]{2,3}$
		for _, c := range b {
			if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
				return false
			}
		}
		return len(b) == 2 || len(b) == 3
	case ruleHex:
		for _, c := range b {
			if !xsd.IsHex(c) {
				return false
			}
		}
		return len(b) > 0
	case ruleAction:
		return terms[r][string(b)]
	case ruleStep, ruleDisposition, ruleBTT, ruleSDT, ruleReason, ruleComponent:
		return terms[r][string(b)] || isURI(b) && !hasAnyPrefix(b, "urn:epcglobal:cbv", "http://ns.gs1.org/cbv/", "https://ns.gs1.org/cbv/")
	case ruleMeasurement, ruleAlert:
		return terms[r][string(b)] || isURI(b) &&
			!hasAnyPrefix(b, "http://gs1.org/voc/", "https://gs1.org/voc/", "http://www.gs1.org/voc/", "https://www.gs1.org/voc/")
	default: // any text
		return true
	}
}

// refusal is what is wrong with a text that the rule does not take, and what to do.
func (r rule) refusal(text string) (code, message, hint string) {
	code, s := epcis.CodeFieldInvalid, excerpt.Quote(text)
	switch r {
	case ruleTime:
		return epcis.CodeTimeInvalid, s + " is not a date and time with a zone (RFC 3339)", xsd.TimeHint
	case ruleOffset:
		return epcis.CodeOffsetInvalid, s + " is " + xsd.ErrOffset.Error(), "write it as -05:00"
	case ruleVersion:
		return code, s + " is not a version", `write "2.0"`
	case ruleUOM:
		return code, s + " is not a unit code of UN/CEFACT recommendation 20", `write two or three capitals or digits, for example "KGM"`
	case ruleHex:
		return code, s + " is not hexadecimal", "write the digits 0 to 9 and A to F"
	case ruleAction:
		return epcis.CodeActionInvalid, s + " is not an action", "write ADD, OBSERVE or DELETE"
	case ruleURI:
		return code, s + " is not a URI", "write a URI, for example urn:epc:id:sgtin:030001.0012345.1001"
	case ruleStep, ruleDisposition, ruleBTT, ruleSDT, ruleReason, ruleMeasurement, ruleAlert, ruleComponent:
		if word := r.bare(text); word != "" {
			return code, s + " stands where JSON has the bare word", "write " + excerpt.Quote(word)
		}
		hint = "use a word of the Core Business Vocabulary, or a URI of your own"
		if word := kinds[r].Nearest(text); word != "" {
			hint = "was " + word + " meant?"
		}
		return code, s + " is neither a standard word nor a URI", hint
	default:
		return code, s + " is not accepted", ""
	}
}

// bare is the standard word of a value that is written as URN or in capitals, "" if it is none.
func (r rule) bare(text string) string {
	if word := kinds[r].Word(text); terms[r][word] {
		return word
	}
	return ""
}

func hasAnyPrefix(b []byte, prefixes ...string) bool {
	for _, p := range prefixes {
		if len(b) >= len(p) && string(b[:len(p)]) == p {
			return true
		}
	}
	return false
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// Classes of the bytes of a URI.
const (
	uriName  = 1 << iota // unreserved and sub-delims
	uriColon             // : (user information, paths)
	uriAt                // @ (paths)
	uriSlash             // /
	uriAsk               // ?
)

const uriPath = uriName | uriColon | uriAt | uriSlash

var uriClass = func() (t [256]uint8) {
	for _, c := range []byte("-._~!$&'()*+,;=") {
		t[c] = uriName
	}
	for c := range 256 {
		if isAlpha(byte(c)) && c < 0x80 || '0' <= c && c <= '9' {
			t[c] = uriName
		}
	}
	t[':'], t['@'], t['/'], t['?'] = uriColon, uriAt, uriSlash, uriAsk
	return t
}()

// uriRun returns how many bytes of s, from i on, are of a class or percent-encoded; -1 for a bad percent-encoding.
func uriRun(s []byte, i int, class uint8) int {
	for ; i < len(s); i++ {
		if uriClass[s[i]]&class != 0 {
			continue
		}
		if s[i] != '%' {
			break
		}
		if i+2 >= len(s) || !xsd.IsHex(s[i+1]) || !xsd.IsHex(s[i+2]) {
			return -1
		}
		i += 2
	}
	return i
}

// isURI reports whether s is a URI with a scheme (RFC 3986 section 3). net/url is not used: it takes spaces, quotes
// and other letters than those of the standard, and so would not see what the schema's other implementations refuse.
func isURI(s []byte) bool {
	if len(s) == 0 || !isAlpha(s[0]) {
		return false
	}
	i := 1
	for i < len(s) && (uriClass[s[i]]&uriName != 0 && (isAlpha(s[i]) || '0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
		i++
	}
	if i == len(s) || s[i] != ':' {
		return false
	}
	i++
	if i+1 < len(s) && s[i] == '/' && s[i+1] == '/' {
		if i = uriAuthority(s, i+2); i < 0 || i < len(s) && s[i] != '/' && s[i] != '?' && s[i] != '#' {
			return false
		}
	}
	if i = uriRun(s, i, uriPath); i >= 0 && i < len(s) && s[i] == '?' {
		i = uriRun(s, i+1, uriPath|uriAsk)
	}
	if i >= 0 && i < len(s) && s[i] == '#' {
		i = uriRun(s, i+1, uriPath|uriAsk)
	}
	return i == len(s)
}

// uriAuthority returns the end of [userinfo@]host[:port] from i on, -1 if there is none.
func uriAuthority(s []byte, i int) int {
	if end := uriRun(s, i, uriName|uriColon); end < 0 {
		return -1
	} else if end < len(s) && s[end] == '@' {
		i = end + 1
	}
	if i < len(s) && s[i] == '[' {
		n := strings.IndexByte(string(s[i:]), ']')
		if n < 0 || !isIPLiteral(string(s[i+1:i+n])) {
			return -1
		}
		i += n + 1
	} else if i = uriRun(s, i, uriName); i < 0 {
		return -1
	}
	if i < len(s) && s[i] == ':' {
		for i++; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		}
	}
	return i
}

func isIPLiteral(s string) bool {
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "v"); ok { // IPvFuture
		version, address, ok := strings.Cut(rest, ".")
		return ok && ruleHex.takes([]byte(version)) && address != "" && uriRun([]byte(address), 0, uriName|uriColon) == len(address) &&
			!strings.Contains(address, "%")
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.Zone() == ""
}

// isDateTime reports whether s is a date-time of RFC 3339. It differs from xsd.ParseTime, which reads XML Schema's: here
// a zone is required, T and Z may be small, 24:00 does not exist and a leap second does.
func isDateTime(b []byte) bool {
	if len(b) < len("2006-01-02T15:04:05Z") || b[4] != '-' || b[7] != '-' || b[10]|0x20 != 't' || b[13] != ':' || b[16] != ':' {
		return false
	}
	two := func(i int) int {
		hi, lo := b[i]-'0', b[i+1]-'0'
		if hi > 9 || lo > 9 {
			return 100
		}
		return int(hi)*10 + int(lo)
	}
	century, year, month, day := two(0), two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if century > 99 || year > 99 || month < 1 || month > 12 || day < 1 || day > xsd.DaysIn(century*100+year, month) ||
		hour > 23 || minute > 59 || second > 60 {
		return false
	}
	i := 19
	if b[i] == '.' {
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
		}
		if i == 20 || i == len(b) {
			return false
		}
	}
	utc := hour*60 + minute
	switch {
	case len(b) == i+1 && b[i]|0x20 == 'z':
	case len(b) == i+6 && (b[i] == '+' || b[i] == '-') && b[i+3] == ':':
		h, m := two(i+1), two(i+4)
		if h > 23 || m > 59 {
			return false
		}
		if b[i] == '-' {
			h, m = -h, -m
		}
		utc = (utc - h*60 - m + 24*60) % (24 * 60)
	default:
		return false
	}
	return second < 60 || utc == 23*60+59
}
