package gs1

import "strings"

// Form says how an identifier was written.
type Form uint8

// The forms. FormURI is any legal absolute URI that is neither a GS1 EPC URN nor a Digital Link.
const (
	FormInvalid Form = iota
	FormURN
	FormDigitalLink
	FormURI
)

// String returns "urn", "digital-link", "uri" or "invalid".
func (f Form) String() string {
	switch f {
	case FormURN:
		return "urn"
	case FormDigitalLink:
		return "digital-link"
	case FormURI:
		return "uri"
	case FormInvalid:
	}
	return "invalid"
}

// An EPC is an identifier as somebody wrote it, with the identity it stands for. Compare Keys, not EPCs: two EPCs
// may differ and name one thing. The zero value is invalid.
type EPC struct {
	captured string
	key      Key
	form     Form
	gcpLen   uint8
}

// Key returns the identity.
func (e EPC) Key() Key { return e.key }

// Captured returns the text as given, byte for byte.
func (e EPC) Captured() string { return e.captured }

// String returns the text as given, byte for byte.
func (e EPC) String() string { return e.captured }

// Form returns how it was written.
func (e EPC) Form() Form { return e.form }

// GCPLength returns the length of the company prefix the writer of a URN stated, 0 when unknown.
func (e EPC) GCPLength() int { return int(e.gcpLen) }

// IsZero reports whether e is the invalid zero value.
func (e EPC) IsZero() bool { return e.form == FormInvalid }

// URN returns the identifier as EPC URN. That needs the company-prefix length, so it fails for a Digital Link.
func (e EPC) URN() (string, error) { return e.key.URN(int(e.gcpLen)) }

// maxURI bounds identifiers GS1 does not bound itself.
const maxURI = 2048

// ParseEPC reads an identifier as EPCIS events carry it (epcis.md 4): an EPC URN (urn:epc:id:…, urn:epc:class:lgtin:…,
// urn:epc:idpat:… of one class), a GS1 Digital Link on any host and below any path, or any other absolute URI,
// which stands for itself.
//
// A URI that tries to be a GS1 identifier and fails is an error, never a private URI: a mistyped number must not
// become a second identity.
func ParseEPC(s string) (EPC, error) {
	if len(s) > maxURI {
		return EPC{}, fail(CodeEPC, s, "identifier has %d characters, at most %d are allowed", len(s), maxURI)
	}
	switch {
	case hasPrefixFold(s, "urn:epc:"):
		return parseURN(s)
	case hasPrefixFold(s, "http://"), hasPrefixFold(s, "https://"):
		link, found, bad := parseLink(s)
		if bad != nil {
			return EPC{}, bad
		}
		if found {
			k, bad := link.key()
			if bad != nil {
				return EPC{}, bad
			}
			return EPC{captured: s, key: k, form: FormDigitalLink}, nil
		}
	}
	if bad := checkURI(s); bad != nil {
		return EPC{}, bad
	}
	return EPC{captured: s, key: Key{"uri:" + s}, form: FormURI}, nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// otherSchemes are the EPC schemes without a GS1 key. They are legal identifiers and pass through verbatim.
var otherSchemes = map[string]bool{"gid": true, "usdod": true, "adi": true, "bic": true, "imovn": true}

// urnScheme describes the GS1 part of an EPC URN scheme.
type urnScheme struct {
	kind  Kind
	total int  // digits of company prefix and reference together; 0: the reference is free text
	lead  bool // the reference begins with the indicator or extension digit, which belongs in front
	tail  bool // a serial, lot or extension follows
}

var urnSchemes = map[string]urnScheme{
	"id:sgtin": {KindSGTIN, 13, true, true}, "idpat:sgtin": {KindGTIN, 13, true, true},
	"class:lgtin": {KindLGTIN, 13, true, true},
	"id:upui":     {KindUPUI, 13, true, true}, "idpat:upui": {KindGTIN, 13, true, true},
	"id:itip": {KindITIP, 13, true, true}, "idpat:itip": {KindITIP, 13, true, true},
	"id:sscc": {KindSSCC, 17, true, false},
	"id:sgln": {KindSGLN, 12, false, true}, "id:pgln": {KindPGLN, 12, false, false},
	"id:grai": {KindGRAI, 12, false, true}, "idpat:grai": {KindGRAI, 12, false, true},
	"id:gdti": {KindGDTI, 12, false, true}, "idpat:gdti": {KindGDTI, 12, false, true},
	"id:sgcn": {KindSGCN, 12, false, true}, "idpat:sgcn": {KindSGCN, 12, false, true},
	"id:gsrn": {KindGSRN, 17, false, false}, "id:gsrnp": {KindGSRNP, 17, false, false},
	"id:gsin": {KindGSIN, 16, false, false},
	"id:giai": {KindGIAI, 0, false, false}, "id:ginc": {KindGINC, 0, false, false},
	"id:cpi": {KindCPI, 0, false, true}, "idpat:cpi": {KindCPI, 0, false, true},
}

// parseURN reads "urn:epc:" id|class|idpat ":" scheme ":" prefix "." reference ["." tail] (Tag Data Standard 6, 7).
func parseURN(s string) (EPC, error) {
	at := func(code string, pos int, format string, args ...any) (EPC, error) {
		e := fail(code, s, format, args...)
		e.Detail = "at character " + itoa(pos+1) + ": " + e.Detail
		return EPC{}, e
	}
	const lead = len("urn:epc:")
	if s[:lead] != "urn:epc:" {
		return at(CodeEPC, 0, "write \"urn:epc:\" in lower case")
	}
	colon := strings.IndexByte(s[lead:], ':')
	if colon < 0 {
		return at(CodeEPC, lead, "want urn:epc:id:…, urn:epc:class:… or urn:epc:idpat:…")
	}
	colon2 := strings.IndexByte(s[lead+colon+1:], ':')
	if colon2 < 0 {
		return at(CodeEPC, lead+colon+1, "the scheme (sgtin, sscc, sgln, …) must be followed by a colon")
	}
	start := lead + colon + 1 + colon2 + 1 // of the company prefix
	name := s[lead : start-1]
	scheme, ok := urnSchemes[name]
	if !ok {
		if otherSchemes[name[colon+1:]] {
			if bad := checkURI(s); bad != nil {
				return EPC{}, bad
			}
			return EPC{captured: s, key: Key{"uri:" + s}, form: FormURI}, nil
		}
		return at(CodeEPC, lead, "%q is not an EPC scheme that names an object or a class", name)
	}
	pattern := strings.HasPrefix(name, "idpat:")

	dot := strings.IndexByte(s[start:], '.')
	if dot < 0 {
		return at(CodeEPC, start, "the company prefix must be followed by a dot")
	}
	gcp := s[start : start+dot]
	if !isDigits(gcp) || len(gcp) < 6 || len(gcp) > 12 {
		return at(CodeEPC, start, "%q is not a company prefix: want 6 to 12 digits", gcp)
	}
	pos := start + dot + 1 // of the reference
	ref, tail := s[pos:], ""
	if scheme.tail {
		var more bool
		if ref, tail, more = strings.Cut(s[pos:], "."); !more {
			return at(CodeEPC, pos, "%s needs a third part after a dot", name)
		}
	}
	p := parts{kind: scheme.kind}
	if scheme.total == 0 {
		raw, i, problem := unescape(ref, &urnRaw)
		if problem == "" && raw == "" {
			problem = "the reference is empty"
		}
		if problem != "" {
			return at(CodeEPC, pos+i, "%s", problem)
		}
		p.id = gcp + raw
	} else {
		if want := scheme.total - len(gcp); len(ref) != want || want > 0 && !isDigits(ref) {
			return at(CodeEPC, pos, "the reference is %q, want exactly %s: company prefix and reference total %d digits", ref, count(want, "digit"), scheme.total)
		}
		body := gcp + ref
		if scheme.lead {
			body = ref[:1] + gcp + ref[1:]
		}
		p.id = body + string(rune(CheckDigit(body)))
		if scheme.kind == KindGRAI {
			p.id = "0" + p.id // the filler digit of the GRAI element string
		}
	}
	pos += len(ref) + 1
	if scheme.kind == KindITIP {
		// piece "." total "." serial
		if len(tail) < 6 || !isDigits(tail[:2]) || tail[2] != '.' || !isDigits(tail[3:5]) || tail[5] != '.' {
			return at(CodeEPC, pos, "want two digits of piece, a dot, two digits of total, a dot, and the serial")
		}
		p.id += tail[:2] + tail[3:5]
		tail = tail[6:]
		pos += 6
	}
	switch {
	case pattern && tail != "*":
		return at(CodeEPC, pos, "a pattern names a class only when it ends in \".*\"")
	case scheme.tail && !pattern:
		code := CodeSerial
		switch scheme.kind {
		case KindLGTIN:
			code = CodeLot
		case KindSGLN:
			code = CodeGLN
		default:
		}
		raw, i, problem := unescape(tail, &urnRaw)
		if problem == "" && raw == "" {
			problem = "nothing follows the last dot"
		}
		if problem != "" {
			return at(code, pos+i, "%s", problem)
		}
		p.tail = raw
	}
	k, bad := makeKey(p, s)
	if bad != nil {
		return EPC{}, bad
	}
	return EPC{captured: s, key: k, form: FormURN, gcpLen: uint8(len(gcp))}, nil
}

// uriChars marks what RFC 3986 allows anywhere in a URI; "%" is checked on its own.
var uriChars = charset("!#$&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~%")

// checkURI checks that s is an absolute URI (RFC 3986 section 3) by its characters and its scheme.
func checkURI(s string) *Error {
	colon := strings.IndexByte(s, ':')
	if colon < 1 {
		return fail(CodeEPC, s, "not a URI: it must begin with a scheme such as urn: or https:")
	}
	for i := range colon {
		c := s[i]
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && (i == 0 || !isDigit(c) && c != '+' && c != '-' && c != '.') {
			return fail(CodeEPC, s, "at character %d: %q may not stand in a URI scheme", i+1, s[i:i+1])
		}
	}
	if colon == len(s)-1 {
		return fail(CodeEPC, s, "nothing follows the URI scheme")
	}
	hash := false
	for i := colon; i < len(s); i++ {
		c := s[i]
		switch {
		case !uriChars[c], c == '#' && hash:
			return fail(CodeEPC, s, "at character %d: %q may not stand in a URI; percent-encode it", i+1, s[i:i+1])
		case c == '%' && (i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0):
			return fail(CodeEPC, s, "at character %d: \"%%\" must be followed by two hexadecimal digits", i+1)
		case c == '#':
			hash = true
		}
	}
	return nil
}
