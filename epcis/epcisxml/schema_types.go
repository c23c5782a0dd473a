package epcisxml

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"

	"verilot.dev/epcis/internal/xsd"
)

// The simple types of XML Schema, as far as EPCIS uses them, or a document may with xsi:type. Only the lexical form is
// checked. encoding/xml and its kind have no such checks; the patterns of a regexp package cannot count days.

type lexical uint8

const (
	lexText lexical = iota // any text
	lexBoolean
	lexDecimal
	lexInteger
	lexDouble
	lexDateTime
	lexStamp // DateTimeStamp of EPCIS 2.0: a dateTime of four year digits, with zone
	lexDate
	lexTime
	lexYear
	lexYearMonth
	lexMonth
	lexMonthDay
	lexDay
	lexDuration
	lexHex
	lexBase64
	lexURI
	lexName
	lexNCName
	lexNMTOKEN
	lexQName
	lexLanguage
)

// lexicalNames are for messages.
var lexicalNames = [...]string{
	lexText: "a text", lexBoolean: "true or false", lexDecimal: "a decimal number", lexInteger: "a whole number in the range of its type",
	lexDouble: "a number", lexDateTime: "a date and time", lexStamp: "a date and time with zone", lexDate: "a date", lexTime: "a time of day",
	lexYear: "a year", lexYearMonth: "a year and month", lexMonth: "a month", lexMonthDay: "a month and day", lexDay: "a day",
	lexDuration: "a duration", lexHex: "hexadecimal", lexBase64: "base64", lexURI: "a URI", lexName: "a name", lexNCName: "a name without colon",
	lexNMTOKEN: "a name token", lexQName: "a name with or without prefix", lexLanguage: "a language",
}

// builtin describes a type of XML Schema: its base, its lexical form, and for integers the range, as text ("" is none).
type builtin struct {
	name, base string
	lex        lexical
	min, max   string
}

var builtins = []builtin{
	{name: "anyType"},
	{name: "anySimpleType", base: "anyType"},
	{name: "string", base: "anySimpleType"},
	{name: "normalizedString", base: "string"},
	{name: "token", base: "normalizedString"},
	{name: "language", base: "token", lex: lexLanguage},
	{name: "NMTOKEN", base: "token", lex: lexNMTOKEN},
	{name: "Name", base: "token", lex: lexName},
	{name: "NCName", base: "Name", lex: lexNCName},
	{name: "ID", base: "NCName", lex: lexNCName},
	{name: "IDREF", base: "NCName", lex: lexNCName},
	{name: "ENTITY", base: "NCName", lex: lexNCName},
	{name: "boolean", base: "anySimpleType", lex: lexBoolean},
	{name: "decimal", base: "anySimpleType", lex: lexDecimal},
	{name: "integer", base: "decimal", lex: lexInteger},
	{name: "nonPositiveInteger", base: "integer", lex: lexInteger, max: "0"},
	{name: "negativeInteger", base: "nonPositiveInteger", lex: lexInteger, max: "-1"},
	{name: "long", base: "integer", lex: lexInteger, min: "-9223372036854775808", max: "9223372036854775807"},
	{name: "int", base: "long", lex: lexInteger, min: "-2147483648", max: "2147483647"},
	{name: "short", base: "int", lex: lexInteger, min: "-32768", max: "32767"},
	{name: "byte", base: "short", lex: lexInteger, min: "-128", max: "127"},
	{name: "nonNegativeInteger", base: "integer", lex: lexInteger, min: "0"},
	{name: "unsignedLong", base: "nonNegativeInteger", lex: lexInteger, min: "0", max: "18446744073709551615"},
	{name: "unsignedInt", base: "unsignedLong", lex: lexInteger, min: "0", max: "4294967295"},
	{name: "unsignedShort", base: "unsignedInt", lex: lexInteger, min: "0", max: "65535"},
	{name: "unsignedByte", base: "unsignedShort", lex: lexInteger, min: "0", max: "255"},
	{name: "positiveInteger", base: "nonNegativeInteger", lex: lexInteger, min: "1"},
	{name: "float", base: "anySimpleType", lex: lexDouble},
	{name: "double", base: "anySimpleType", lex: lexDouble},
	{name: "duration", base: "anySimpleType", lex: lexDuration},
	{name: "dateTime", base: "anySimpleType", lex: lexDateTime},
	{name: "date", base: "anySimpleType", lex: lexDate},
	{name: "time", base: "anySimpleType", lex: lexTime},
	{name: "gYear", base: "anySimpleType", lex: lexYear},
	{name: "gYearMonth", base: "anySimpleType", lex: lexYearMonth},
	{name: "gMonth", base: "anySimpleType", lex: lexMonth},
	{name: "gMonthDay", base: "anySimpleType", lex: lexMonthDay},
	{name: "gDay", base: "anySimpleType", lex: lexDay},
	{name: "hexBinary", base: "anySimpleType", lex: lexHex},
	{name: "base64Binary", base: "anySimpleType", lex: lexBase64},
	{name: "anyURI", base: "anySimpleType", lex: lexURI},
	{name: "QName", base: "anySimpleType", lex: lexQName},
}

// ok reports whether a text has the lexical form of its type. Around everything but texts, white space is no part of it: XML
// Schema collapses it, though some tools do not for dates.
func (t *xtype) ok(s string) bool {
	if t.enum != nil {
		if t.lex != lexText {
			s = strings.Trim(s, xsd.Blank)
		}
		return slices.Contains(t.enum, s)
	}
	if t.lex == lexText {
		return true
	}
	s = strings.Trim(s, xsd.Blank)
	switch t.lex {
	case lexText:
	case lexBoolean:
		return s == "true" || s == "false" || s == "1" || s == "0"
	case lexDecimal:
		return decimalForm(s)
	case lexInteger:
		return integerForm(s, t.min, t.max)
	case lexDouble:
		return doubleForm(s)
	case lexDateTime:
		date, clock, ok := strings.Cut(s, "T")
		if !ok {
			return false
		}
		date, yearOK := cutYear(date)
		clock, clockOK := cutTime(clock)
		return yearOK && clockOK && date == "" && zoneForm(clock)
	case lexStamp:
		date, clock, ok := strings.Cut(s, "T")
		rest, dateOK := cutYear(date)
		zone, clockOK := cutTime(clock)
		return ok && dateOK && rest == "" && len(date) == len("2006-01-02") && clockOK && clock[:2] != "24" && zone != "" && zoneForm(zone)
	case lexDate:
		rest, ok := cutYear(s)
		return ok && zoneForm(rest)
	case lexTime:
		rest, ok := cutTime(s)
		return ok && zoneForm(rest)
	case lexYear:
		rest, ok := cutDigitsYear(s)
		return ok && zoneForm(rest)
	case lexYearMonth:
		rest, ok := cutDigitsYear(s)
		return ok && len(rest) >= 3 && rest[0] == '-' && upTo(rest[1:3], 12) && zoneForm(rest[3:])
	case lexMonth:
		return len(s) >= 4 && s[:2] == "--" && upTo(s[2:4], 12) && zoneForm(strings.TrimPrefix(s[4:], "--"))
	case lexMonthDay:
		if len(s) < 7 || s[:2] != "--" || s[4] != '-' || !upTo(s[2:4], 12) || !zoneForm(s[7:]) {
			return false
		}
		month, _ := xsd.Digits(s[2:4])
		return upTo(s[5:7], xsd.DaysIn(2000, month))
	case lexDay:
		return len(s) >= 5 && s[:3] == "---" && upTo(s[3:5], 31) && zoneForm(s[5:])
	case lexDuration:
		return durationForm(s)
	case lexHex:
		for i := range len(s) {
			if !xsd.IsHex(s[i]) {
				return false
			}
		}
		return len(s)%2 == 0
	case lexBase64:
		return base64Form(s)
	case lexURI:
		return uriForm(s)
	case lexName, lexNCName, lexNMTOKEN:
		return nameForm(s, t.lex)
	case lexQName:
		prefix, local, ok := strings.Cut(s, ":")
		return nameForm(prefix, lexNCName) && (!ok || nameForm(local, lexNCName))
	case lexLanguage:
		return languageForm(s)
	}
	return true
}

func decimalForm(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	return isDigits(whole) && isDigits(fraction) && len(whole)+len(fraction) > 0
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func integerForm(s, low, high string) bool {
	sign, n := splitInteger(s)
	if n == "" {
		return false
	}
	return (low == "" || compareIntegers(sign, n, low) >= 0) && (high == "" || compareIntegers(sign, n, high) <= 0)
}

// splitInteger gives the sign and the digits without leading zeros; no digits: s is no integer.
func splitInteger(s string) (sign int, digits string) {
	sign = 1
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if s == "" || !isDigits(s) {
		return 0, ""
	}
	if s = strings.TrimLeft(s, "0"); s == "" {
		return 0, "0"
	}
	return sign, s
}

func compareIntegers(sign int, n, limit string) int {
	s, l := splitInteger(limit)
	switch {
	case sign != s:
		return sign - s
	case len(n) != len(l):
		return sign * (len(n) - len(l))
	}
	switch {
	case n < l:
		return -sign
	case n > l:
		return sign
	}
	return 0
}

func doubleForm(s string) bool {
	switch s {
	case "INF", "-INF", "NaN":
		return true
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if _, n := splitInteger(s[i+1:]); n == "" {
			return false
		}
		s = s[:i]
	}
	return decimalForm(s)
}

// cutDigitsYear takes a year off: four digits or more, no leading zero in more than four, not zero.
func cutDigitsYear(s string) (rest string, ok bool) {
	s = strings.TrimPrefix(s, "-")
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	if n < 4 || n > 4 && s[0] == '0' || strings.Trim(s[:n], "0") == "" || n > 18 {
		return "", false
	}
	return s[n:], true
}

// cutYear takes a date off.
func cutYear(s string) (rest string, ok bool) {
	rest, ok = cutDigitsYear(s)
	if !ok || len(rest) < 6 || rest[0] != '-' || rest[3] != '-' {
		return "", false
	}
	month, ok1 := xsd.Digits(rest[1:3])
	day, ok2 := xsd.Digits(rest[4:6])
	year := 0
	for _, c := range []byte(strings.TrimPrefix(s[:len(s)-len(rest)], "-")) {
		year = (year*10 + int(c-'0')) % 400
	}
	if !ok1 || !ok2 || month < 1 || month > 12 || day < 1 || day > xsd.DaysIn(year, month) {
		return "", false
	}
	return rest[6:], true
}

// cutTime takes a time of day off.
func cutTime(s string) (rest string, ok bool) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return "", false
	}
	hour, ok1 := xsd.Digits(s[:2])
	minute, ok2 := xsd.Digits(s[3:5])
	second, ok3 := xsd.Digits(s[6:8])
	rest = s[8:]
	fraction := ""
	if strings.HasPrefix(rest, ".") {
		n := 1
		for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
			n++
		}
		if n == 1 {
			return "", false
		}
		fraction, rest = rest[1:n], rest[n:]
	}
	if !ok1 || !ok2 || !ok3 || hour > 24 || minute > 59 || second > 59 {
		return "", false
	}
	if hour == 24 && (minute > 0 || second > 0 || strings.Trim(fraction, "0") != "") {
		return "", false
	}
	return rest, true
}

func zoneForm(s string) bool {
	if s == "" || s == "Z" {
		return true
	}
	_, err := xsd.ParseOffset(s)
	return err == nil
}

// upTo reports whether s is a number from 1 on.
func upTo(s string, most int) bool {
	n, ok := xsd.Digits(s)
	return ok && 1 <= n && n <= most
}

func durationForm(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if !strings.HasPrefix(s, "P") {
		return false
	}
	date, clock, timed := strings.Cut(s[1:], "T")
	part := func(s, units string) (n int, ok bool) {
		for s != "" {
			i := 0
			for i < len(s) && '0' <= s[i] && s[i] <= '9' {
				i++
			}
			whole := i
			if i < len(s) && s[i] == '.' {
				for i++; i < len(s) && '0' <= s[i] && s[i] <= '9'; {
					i++
				}
				if i == whole+1 || i == len(s) || s[i] != 'S' {
					return 0, false
				}
			}
			if whole == 0 || i == len(s) {
				return 0, false
			}
			at := strings.IndexByte(units, s[i])
			if at < 0 {
				return 0, false
			}
			units, s = units[at+1:], s[i+1:]
			n++
		}
		return n, true
	}
	d, ok1 := part(date, "YMD")
	c, ok2 := part(clock, "HMS")
	return ok1 && ok2 && d+c > 0 && (!timed || c > 0)
}

func base64Form(s string) bool {
	n, pad := 0, 0
	last := byte(0)
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		case c == '=':
			pad++
		case pad > 0, (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/':
			return false
		default:
			last = c
		}
		n++
	}
	switch pad { // the last digit may have no bits that are dropped
	case 0:
	case 1:
		if strings.IndexByte("AEIMQUYcgkosw048", last) < 0 {
			return false
		}
	case 2:
		if strings.IndexByte("AQgw", last) < 0 {
			return false
		}
	default:
		return false
	}
	return n%4 == 0
}

// plainURI reports whether b is a URI at the first glance, as nearly all are: a scheme and nothing that can be wrong behind it.
func plainURI(b []byte) bool {
	i := bytes.IndexByte(b, ':')
	if i < 1 || b[0]|0x20 < 'a' || b[0]|0x20 > 'z' {
		return false
	}
	for _, c := range b[:i] {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	authority := false
	rest := b[i+1:]
	if len(rest) > 1 && rest[0] == '/' && rest[1] == '/' {
		authority, rest = true, rest[2:]
	}
	for _, c := range rest {
		switch c {
		case '%', '[', ']', '#':
			return false
		case ':', '@', '?':
			if authority {
				return false
			}
		case '/':
			authority = false
		}
	}
	return true
}

// uriForm reports whether s is an anyURI: a URI reference once everything is escaped that URIs do not allow. Hence spaces and
// letters of any script are fine, and what is left to be wrong is a percent sign without two digits, brackets, a second #, and
// a colon in the first segment behind something that is no scheme.
func uriForm(s string) bool {
	if s == "" {
		return true
	}
	rest := s
	if scheme, after, ok := strings.Cut(s, ":"); ok && isScheme(scheme) {
		rest = after
	} else if i := strings.IndexAny(s, ":/?#"); i >= 0 && s[i] == ':' {
		return false
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	if !uriPart(fragment, "[]") {
		return false
	}
	rest, query, _ := strings.Cut(rest, "?")
	if !uriPart(query, "") {
		return false
	}
	if authority, ok := strings.CutPrefix(rest, "//"); ok {
		rest = ""
		if i := strings.IndexByte(authority, '/'); i >= 0 {
			authority, rest = authority[:i], authority[i:]
		}
		if !authorityForm(authority) {
			return false
		}
	}
	return uriPart(rest, "")
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if letter := 'a' <= c && c <= 'z'; !letter && (i == 0 || !('0' <= s[i] && s[i] <= '9') && s[i] != '+' && s[i] != '-' && s[i] != '.') {
			return false
		}
	}
	return s != ""
}

// authorityForm reports whether s is user@host:port, each part but the host optional.
func authorityForm(s string) bool {
	if i := strings.IndexByte(s, '@'); i >= 0 {
		if !uriPart(s[:i], "") {
			return false
		}
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "[") {
		i := strings.IndexByte(s, ']')
		if i < 0 {
			return false
		}
		s = s[i+1:]
		return s == "" || s[0] == ':' && portForm(s[1:])
	}
	host, port, ok := strings.Cut(s, ":")
	return uriPart(host, "") && strings.IndexByte(host, '@') < 0 && (!ok || portForm(port))
}

func portForm(s string) bool {
	sign, n := splitInteger(s)
	return n != "" && s[0] != '+' && sign >= 0 && compareIntegers(sign, n, strconv.Itoa(math.MaxInt32)) <= 0
}

// uriPart reports whether every percent sign is an escape and no delimiter stands where it may not.
func uriPart(s, allowed string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '%':
			if i+2 >= len(s) || !xsd.IsHex(s[i+1]) || !xsd.IsHex(s[i+2]) {
				return false
			}
		case '[', ']', '#':
			if strings.IndexByte(allowed, c) < 0 {
				return false
			}
		}
	}
	return true
}

// nameForm checks names as far as ASCII goes; letters beyond it all count.
func nameForm(s string, lex lexical) bool {
	for i := range len(s) {
		c := s[i]
		switch letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80; {
		case letter:
		case c == ':':
			if lex == lexNCName {
				return false
			}
		case i == 0 && lex != lexNMTOKEN, (c < '0' || c > '9') && c != '-' && c != '.':
			return false
		}
	}
	return s != ""
}

func languageForm(s string) bool {
	for i, more := 0, true; more; i++ {
		var part string
		part, s, more = strings.Cut(s, "-")
		if part == "" || len(part) > 8 {
			return false
		}
		for j := range len(part) {
			c := part[j] | 0x20
			if (c < 'a' || c > 'z') && (i == 0 || part[j] < '0' || part[j] > '9') {
				return false
			}
		}
	}
	return true
}
