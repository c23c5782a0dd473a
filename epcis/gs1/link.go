package gs1

import (
	"slices"
	"strings"
)

// A link is a GS1 Digital Link URI taken apart, decoded but not yet checked.
type link struct {
	input string
	key0  Field   // the primary key
	quals []Field // the qualifiers in the path, in the standard's order
	query []Field // the attributes in the query that have a numeric or short name
}

// linkKey describes a primary key in a Digital Link path.
type linkKey struct {
	kind  Kind
	quals []string // allowed qualifiers, in the order the standard fixes
	shape func(string) bool
}

func digitsOf(lengths ...int) func(string) bool {
	return func(s string) bool { return slices.Contains(lengths, len(s)) && isDigits(s) }
}

// numbered accepts n digits followed by anything up to a limit.
func numbered(n, limit int) func(string) bool {
	return func(s string) bool { return len(s) >= n && len(s) <= limit && isDigits(s[:n]) }
}

// linkKeys are the primary keys of the Digital Link standard (URI syntax 4.3) that EPCIS uses. A shape only tells
// a Digital Link from an unrelated web address; checks come later.
var linkKeys = map[string]linkKey{
	"01":   {KindGTIN, []string{"22", "10", "21", "235"}, digitsOf(8, 12, 13, 14)},
	"00":   {KindSSCC, nil, digitsOf(18)},
	"253":  {KindGDTI, nil, numbered(13, 30)},
	"255":  {KindSGCN, nil, numbered(13, 25)},
	"401":  {KindGINC, nil, numbered(minFree-1, 30)},
	"402":  {KindGSIN, nil, digitsOf(17)},
	"414":  {KindSGLN, []string{"254"}, digitsOf(13)},
	"417":  {KindPGLN, nil, digitsOf(13)},
	"8003": {KindGRAI, nil, func(s string) bool { return s != "" && s[0] == '0' && numbered(14, 30)(s) }},
	"8004": {KindGIAI, nil, numbered(minFree-1, 30)},
	"8006": {KindITIP, []string{"22", "10", "21"}, digitsOf(18)},
	"8010": {KindCPI, []string{"8011"}, numbered(minFree-1, 30)},
	"8017": {KindGSRNP, nil, digitsOf(18)},
	"8018": {KindGSRN, nil, digitsOf(18)},
}

// shortNames are the words Digital Link 1.1 allowed instead of numbers.
var shortNames = map[string]string{
	"gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
	"gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004",
	"cpv": "22", "lot": "10", "ser": "21", "cpsn": "8011", "glnx": "254", "exp": "17", "expdt": "7003",
}

func aiOf(segment string) string {
	if ai, ok := shortNames[segment]; ok {
		return ai
	}
	return segment
}

// linkRaw marks what may stand bare in a path segment (RFC 3986 pchar).
var linkRaw = charset("!$&'()*+,-.0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")

// parseLink finds the GS1 key in an http(s) address: the leftmost segment that names a primary key, is followed by
// a value of its shape, and then by nothing but its qualifiers. found is false for an address that holds no GS1
// key at all. An address that holds one but breaks the rules around it is an error, because reading it as a
// private URI would give the same package a second identity.
func parseLink(s string) (l link, found bool, bad *Error) {
	rest := s[strings.Index(s, "//")+2:]
	body, _, _ := strings.Cut(rest, "#")
	body, query, _ := strings.Cut(body, "?")
	host, path, _ := strings.Cut(body, "/")
	if host == "" {
		return link{}, false, fail(CodeEPC, s, "the address names no host")
	}
	base := len(s) - len(rest) + len(host) + 1 // where path begins in s
	segs := strings.Split(path, "/")
	pos := base
	for i, seg := range segs {
		name := aiOf(seg)
		key, primary := linkKeys[name]
		if primary && i+1 < len(segs) {
			value, _, problem := unescape(segs[i+1], &linkRaw)
			if problem == "" && key.shape(value) {
				l, e := readLink(s, key, Field{name, value}, segs[i+2:], pos+len(seg)+len(segs[i+1])+2)
				if e == nil && i >= 2 && slices.Contains(key.quals, aiOf(segs[i-2])) {
					e = fail(CodeEPC, s, "at character %d: the qualifier %s stands before its key %s; the key comes first", pos-len(segs[i-2])-len(segs[i-1])-1, segs[i-2], seg)
				}
				if e == nil {
					e = checkURI(s)
				}
				if e == nil {
					l.query = readQuery(query)
					return l, true, nil
				}
				if bad == nil {
					bad = e
				}
			}
		}
		pos += len(seg) + 1
	}
	if bad != nil {
		return link{}, false, bad
	}
	if strings.EqualFold(host, "id.gs1.org") {
		return link{}, false, fail(CodeEPC, s, "at character %d: no GS1 key with a value of the right length in the path, such as /01/ and 14 digits", base)
	}
	return link{}, false, nil
}

// readLink reads the qualifiers that follow a primary key.
func readLink(s string, key linkKey, first Field, segs []string, pos int) (link, *Error) {
	l := link{input: s, key0: first}
	allowed := key.quals
	for i := 0; i < len(segs); i += 2 {
		name := aiOf(segs[i])
		n := slices.Index(allowed, name)
		switch {
		case i+1 == len(segs) && segs[i] == "":
			return link{}, fail(CodeEPC, s, "at character %d: the address must not end in a slash", pos)
		case n < 0 && slices.Contains(key.quals, name):
			return link{}, fail(CodeEPC, s, "at character %d: qualifier %s is repeated or out of order; the order after %s is %s", pos+1, segs[i], first.AI, strings.Join(key.quals, ", "))
		case n < 0:
			return link{}, fail(CodeEPC, s, "at character %d: %q is not a qualifier of %s; other attributes belong behind a question mark", pos+1, segs[i], first.AI)
		case i+1 == len(segs):
			return link{}, fail(CodeEPC, s, "at character %d: qualifier %s has no value", pos+1, segs[i])
		}
		allowed = allowed[n+1:]
		pos += len(segs[i]) + 1
		value, at, problem := unescape(segs[i+1], &linkRaw)
		if problem == "" && value == "" {
			problem = "the value of " + segs[i] + " is empty"
		}
		if problem != "" {
			return link{}, fail(codeOf(name), s, "at character %d: %s", pos+at+1, problem)
		}
		l.quals = append(l.quals, Field{name, value})
		pos += len(segs[i+1]) + 1
	}
	return l, nil
}

// codeOf returns the error code of an application identifier's value.
func codeOf(ai string) string {
	switch ai {
	case "00":
		return CodeSSCC
	case "01", "02", "03":
		return CodeGTIN
	case "10":
		return CodeLot
	case "21", "235", "8011":
		return CodeSerial
	case "254", "414", "417":
		return CodeGLN
	case "17", "7003":
		return CodeExpiry
	}
	return CodeEPC
}

// readQuery keeps the attributes whose names are numbers or short names; what else stands in a query is the
// web site's business. Values that do not decode are kept raw, and then fail their check if anyone needs them.
func readQuery(query string) (fields []Field) {
	for _, item := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(item, "=")
		name = aiOf(name)
		if !isDigits(name) {
			continue
		}
		if decoded, _, problem := unescape(value, &linkRaw); problem == "" {
			value = decoded
		}
		fields = append(fields, Field{name, value})
	}
	return fields
}

// key checks everything and keeps the finest level: serial before lot, consumer product variant dropped (Digital
// Link URI syntax 4.12, CBV 8.9).
func (l link) key() (Key, *Error) {
	p := parts{kind: linkKeys[l.key0.AI].kind, id: l.key0.Value}
	switch p.kind {
	case KindGTIN:
		gtin, problem := padGTIN(p.id)
		if problem != "" {
			return Key{}, fail(CodeGTIN, l.input, "%s", problem)
		}
		p.id = gtin
	case KindGRAI:
		p.id, p.tail = p.id[:14], p.id[14:]
	case KindGDTI, KindSGCN:
		p.id, p.tail = p.id[:13], p.id[13:]
	default: // the number is the whole value
	}
	for _, q := range l.quals {
		switch q.AI {
		case "22":
			if problem := checkText("consumer product variant", q.Value, 20, &cset82, cset82Name); problem != "" {
				return Key{}, fail(CodeEPC, l.input, "%s", problem)
			}
		case "10":
			if problem := checkText("lot", q.Value, 20, &cset82, cset82Name); problem != "" {
				return Key{}, fail(CodeLot, l.input, "%s", problem)
			}
			if p.kind == KindGTIN {
				p.kind, p.tail = KindLGTIN, q.Value
			}
		case "21":
			if p.kind != KindITIP {
				p.kind = KindSGTIN
			}
			p.tail = q.Value
		case "235":
			if p.kind != KindGTIN {
				return Key{}, fail(CodeEPC, l.input, "a third-party serial (235) may not be combined with a lot or a serial")
			}
			p.kind, p.tail = KindUPUI, q.Value
		default: // 254, 8011
			p.tail = q.Value
		}
	}
	if p.kind == KindITIP && p.tail == "" && len(l.quals) > 0 {
		return Key{}, fail(CodeEPC, l.input, "a piece of a trade item (8006) can be named by its serial (21), not by a variant or lot alone")
	}
	return makeKey(p, l.input)
}
