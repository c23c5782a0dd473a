package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	cbv "verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// trim is xsd.Trimmed, without its cost when there is no white space.
func trim(s string) string {
	if s == "" || s[0] > ' ' && s[len(s)-1] > ' ' {
		return s
	}
	return xsd.Trimmed(s)
}

// A decimal is a number as it is written, compared exactly and without allocating. Its value is the digits of whole and
// fraction from the first that is not zero, with the point at their place, times ten to the exponent.
type decimal struct {
	negative        bool
	whole, fraction string
	first, digits   int // of whole+fraction: the first digit that is not zero, and how many count from there
	point           int // the value is 0.digits × 10^point
}

func (d decimal) at(i int) byte {
	if i += d.first; i < len(d.whole) {
		return d.whole[i]
	}
	return d.fraction[i-len(d.whole)]
}

// parseDecimal reads [+-]digits[.digits][(e|E)[+-]digits]. big.Rat would read the same and more (1/3, 0x10), and allocate
// a million digits for 1e1000000.
func parseDecimal(s string) (d decimal, ok bool) {
	if s == "" {
		return d, false
	}
	if s[0] == '+' || s[0] == '-' {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	exponent := 0
	for i := range len(s) {
		if s[i]|0x20 != 'e' {
			continue
		}
		text := s[i+1:]
		minus := false
		if text != "" && (text[0] == '+' || text[0] == '-') {
			minus, text = text[0] == '-', text[1:]
		}
		if !isDigits(text) || len(text) > 5 {
			return d, false
		}
		exponent, _ = strconv.Atoi(text)
		if minus {
			exponent = -exponent
		}
		s = s[:i]
		break
	}
	var point bool
	if d.whole, d.fraction, point = strings.Cut(s, "."); !point {
		if !isDigits(d.whole) {
			return d, false
		}
	} else if d.whole == "" && d.fraction == "" || d.whole != "" && !isDigits(d.whole) || d.fraction != "" && !isDigits(d.fraction) {
		return d, false
	}
	n := len(d.whole) + len(d.fraction)
	for d.first < n && (decimal{whole: d.whole, fraction: d.fraction}).at(d.first) == '0' {
		d.first++
	}
	d.digits = n - d.first
	for d.digits > 0 && d.at(d.digits-1) == '0' {
		d.digits--
	}
	if d.digits == 0 {
		return decimal{}, true // zero has no sign and no exponent
	}
	d.point = len(d.whole) - d.first + exponent
	return d, true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// compare returns -1, 0 or 1.
func (d decimal) compare(o decimal) int {
	sign := 1
	switch {
	case d.digits == 0 && o.digits == 0:
		return 0
	case d.digits == 0:
		if o.negative {
			return 1
		}
		return -1
	case o.digits == 0, d.negative != o.negative:
		if d.negative {
			return -1
		}
		return 1
	case d.negative:
		sign = -1
	}
	if d.point != o.point {
		if d.point < o.point {
			return -sign
		}
		return sign
	}
	for i := range min(d.digits, o.digits) {
		if a, b := d.at(i), o.at(i); a != b {
			if a < b {
				return -sign
			}
			return sign
		}
	}
	switch {
	case d.digits < o.digits:
		return -sign
	case d.digits > o.digits:
		return sign
	}
	return 0
}

// String is the one way to write the number: a JSON number without needless zeros.
func (d decimal) String() string {
	if d.digits == 0 {
		return "0"
	}
	var b strings.Builder
	if d.negative {
		b.WriteByte('-')
	}
	if d.point < -8 || d.point > 40 {
		b.WriteByte(d.at(0))
		for i := 1; i < d.digits; i++ {
			if i == 1 {
				b.WriteByte('.')
			}
			b.WriteByte(d.at(i))
		}
		b.WriteByte('e')
		b.WriteString(strconv.Itoa(d.point - 1))
		return b.String()
	}
	if d.point <= 0 {
		b.WriteString("0.")
		for range -d.point {
			b.WriteByte('0')
		}
	}
	for i := range max(d.digits, d.point) {
		if i == d.point && i > 0 {
			b.WriteByte('.')
		}
		if i < d.digits {
			b.WriteByte(d.at(i))
		} else {
			b.WriteByte('0')
		}
	}
	return b.String()
}

// parseDouble reads an xsd:double. NaN is not equal to, below or above anything, so it is none.
func parseDouble(s string) (float64, bool) {
	switch s {
	case "INF", "+INF":
		return math.Inf(1), true
	case "-INF":
		return math.Inf(-1), true
	}
	for i := range len(s) { // not what only Go writes: inf, 0x1p-2, 1_000
		if c := s[i]; (c < '0' || c > '9') && c != '.' && c != '+' && c != '-' && c|0x20 != 'e' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || f != 0 // beyond the range it is infinite, and that is how it compares
}

// instant reads a time with a zone. zone, which may be "", is used for a time without one.
func instant(s, zone string) (time.Time, bool) {
	s = trim(s)
	if len(s) < len("2006-01-02T15:04:05") || s[4] != '-' || s[10] != 'T' {
		return time.Time{}, false
	}
	if t, err := time.ParseInLocation(time.RFC3339Nano, s, time.UTC); err == nil {
		return t, true
	}
	// What RFC 3339 has not: no zone, and midnight as hour 24.
	ms, err := epcis.EventTimeMillis(&epcis.Event{EventTime: s, EventTimeZoneOffset: zone})
	if err != nil {
		return time.Time{}, false
	}
	t := time.UnixMilli(ms).UTC()
	if dot := strings.IndexByte(s, '.'); dot > 0 { // finer than EventTimeMillis
		fraction := s[dot+1:]
		if end := strings.IndexAny(fraction, "Z+-"); end >= 0 {
			fraction = fraction[:end]
		}
		if len(fraction) > 3 {
			ns, _ := strconv.Atoi((fraction[3:] + "000000")[:6])
			t = t.Add(time.Duration(ns))
		}
	}
	return t, true
}

// instantOrDate reads a time with a zone, or a date as its beginning in UTC.
func instantOrDate(s string) (time.Time, bool) {
	s = trim(s)
	if len(s) == len("2006-01-02") {
		t, err := time.ParseInLocation(time.DateOnly, s, time.UTC)
		return t, err == nil
	}
	return instant(s, "")
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// A vocabulary is a list of standard values.
type vocabulary struct {
	what string // in messages
	kind epcis.TermKind
	// prefixes and words are of a list that is not CBV's.
	prefixes, words []string
}

var (
	vocStep   = &vocabulary{what: "business step", kind: epcis.TermBizStep}
	vocDisp   = &vocabulary{what: "disposition", kind: epcis.TermDisposition}
	vocBTT    = &vocabulary{what: "business transaction type", kind: epcis.TermBizTransaction}
	vocSDT    = &vocabulary{what: "source or destination type", kind: epcis.TermSourceDest}
	vocReason = &vocabulary{what: "error reason", kind: epcis.TermErrorReason}
	vocType   = &vocabulary{what: "measurement type", kind: epcis.TermMeasurement}
	vocEvent  = &vocabulary{
		what: "event type", prefixes: []string{"epcis:", "https://ref.gs1.org/epcis/", "https://ns.gs1.org/epcis/", "http://ref.gs1.org/epcis/", "http://ns.gs1.org/epcis/"},
		words: strings.Fields("ObjectEvent AggregationEvent TransactionEvent TransformationEvent AssociationEvent"),
	}
)

// bare is a value without what only says that it is a standard one: equal exactly for equal values.
func (v *vocabulary) bare(s string) string {
	if v != vocEvent {
		return v.kind.Word(s)
	}
	s = trim(s)
	for _, p := range v.prefixes {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest
		}
	}
	return s
}

// list are the standard values.
func (v *vocabulary) list() []string {
	if v == vocEvent {
		return v.words
	}
	return cbv.Lists[v.kind].Sorted
}

func (v *vocabulary) knows(word string) bool {
	if v == vocEvent {
		return slices.Contains(v.words, word)
	}
	return v.kind.Known(word)
}

func (v *vocabulary) nearest(word string) string {
	if v == vocEvent {
		return epcis.Nearest(word, v.words)
	}
	return v.kind.Nearest(word)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && (s[:len(prefix)] == prefix || strings.EqualFold(s[:len(prefix)], prefix)) {
		return s[len(prefix):], true
	}
	return s, false
}

// identity is equal for two identifiers of places, parties, documents and devices exactly when they name one thing. What
// is no identifier by the rules of GS1 stands for itself.
func identity(s string) string {
	s = trim(s)
	if s == "" {
		return ""
	}
	epc, err := gs1.ParseEPC(s)
	if err != nil {
		return s
	}
	return epc.Key().String()
}

// eventID is equal for equal event IDs: of a UUID the case does not count (RFC 9562 section 4).
func eventID(s string) string {
	s = trim(s)
	if rest, ok := cutFold(s, "urn:uuid:"); ok {
		return "urn:uuid:" + cbv.Lower(rest)
	}
	return s
}

// namespace is what namespaces are compared by: see the package comment.
func namespace(s string) string {
	for s != "" {
		switch s[len(s)-1] {
		case '#', '/', ':':
			s = s[:len(s)-1]
			continue
		}
		break
	}
	return s
}
