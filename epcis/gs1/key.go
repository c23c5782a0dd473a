package gs1

import "strings"

// Kind says what sort of thing a Key names.
type Kind uint8

// The kinds. KindInvalid is the zero Key's; KindURI is every identifier GS1 does not define.
const (
	KindInvalid Kind = iota
	KindSGTIN
	KindGTIN
	KindLGTIN
	KindUPUI
	KindSSCC
	KindSGLN
	KindPGLN
	KindGRAI
	KindGIAI
	KindGSRN
	KindGSRNP
	KindGDTI
	KindSGCN
	KindCPI
	KindGINC
	KindGSIN
	KindITIP
	KindURI
)

var kindNames = [...]string{
	"invalid", "sgtin", "gtin", "lgtin", "upui", "sscc", "sgln", "pgln", "grai", "giai", "gsrn", "gsrnp", "gdti",
	"sgcn", "cpi", "ginc", "gsin", "itip", "uri",
}

// String returns the lower-case name, which is the EPC scheme's name where there is one.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// A Key is the identity of an EPC-like object however it was written. Keys are comparable, and equal exactly when
// they name the same thing. The text is described in the package comment; it is hashed on the ledger. The zero
// value is invalid.
type Key struct{ text string }

// ParseKey reads Key text. It is strict: it accepts exactly what [Key.String] produces.
func ParseKey(text string) (Key, error) {
	p, ok := splitKey(text)
	if !ok {
		return Key{}, fail(CodeEPC, text, "not a key: it must begin with an application identifier (00, 01, 253, 255, 401, 402, 414, 417, 8003, 8004, 8006, 8010, 8017, 8018) and a full number, or with \"uri:\"")
	}
	if p.kind == KindURI {
		epc, err := ParseEPC(p.id)
		if err != nil {
			return Key{}, err
		}
		if epc.form != FormURI {
			return Key{}, fail(CodeEPC, text, "this URI is a GS1 %s and has the key %q", epc.key.Kind(), epc.key.text)
		}
		return epc.key, nil
	}
	k, bad := makeKey(p, text)
	if bad != nil {
		return Key{}, bad
	}
	if k.text != text { // an extension spelled "0", for one: two texts must not mean one thing
		return Key{}, fail(CodeEPC, text, "not the canonical key, which is %q", k.text)
	}
	return k, nil
}

// String returns the Key text, "" for the zero Key.
func (k Key) String() string { return k.text }

// IsZero reports whether k is the invalid zero value.
func (k Key) IsZero() bool { return k.text == "" }

// Compare orders Keys by their text, bytewise.
func Compare(a, b Key) int { return strings.Compare(a.text, b.text) }

// Kind returns what sort of thing k names.
func (k Key) Kind() Kind { return k.split().kind }

// IsUnit reports whether k names one serialised trade item (an SGTIN).
func (k Key) IsUnit() bool { return k.Kind() == KindSGTIN }

// GTIN returns the trade item class of an SGTIN, GTIN, LGTIN, UPUI or ITIP.
func (k Key) GTIN() (GTIN, bool) {
	p := k.split()
	switch p.kind {
	case KindSGTIN, KindGTIN, KindLGTIN, KindUPUI:
		return GTIN{p.id}, true
	case KindITIP:
		return GTIN{p.id[:14]}, true
	default:
		return GTIN{}, false
	}
}

// Serial returns the decoded serial of an SGTIN, UPUI, ITIP, GRAI, GDTI, SGCN or CPI; "" for everything else and
// for classes.
func (k Key) Serial() string {
	p := k.split()
	switch p.kind {
	case KindSGTIN, KindUPUI, KindITIP, KindGRAI, KindGDTI, KindSGCN, KindCPI:
		return p.tail
	default:
		return ""
	}
}

// Lot returns the decoded lot of an LGTIN, "" for everything else.
func (k Key) Lot() string {
	if p := k.split(); p.kind == KindLGTIN {
		return p.tail
	}
	return ""
}

// AsSGTIN returns k as an SGTIN, if it is one.
func (k Key) AsSGTIN() (SGTIN, bool) {
	if p := k.split(); p.kind == KindSGTIN {
		return SGTIN{GTIN{p.id}, p.tail}, true
	}
	return SGTIN{}, false
}

// AsLGTIN returns k as an LGTIN, if it is one.
func (k Key) AsLGTIN() (LGTIN, bool) {
	if p := k.split(); p.kind == KindLGTIN {
		return LGTIN{GTIN{p.id}, p.tail}, true
	}
	return LGTIN{}, false
}

// AsSSCC returns k as an SSCC, if it is one.
func (k Key) AsSSCC() (SSCC, bool) {
	if p := k.split(); p.kind == KindSSCC {
		return SSCC{p.id}, true
	}
	return SSCC{}, false
}

// AsSGLN returns k as an SGLN, if it is one.
func (k Key) AsSGLN() (SGLN, bool) {
	if p := k.split(); p.kind == KindSGLN {
		return SGLN{GLN{p.id}, p.tail}, true
	}
	return SGLN{}, false
}

// AsPGLN returns k as a PGLN, if it is one.
func (k Key) AsPGLN() (PGLN, bool) {
	if p := k.split(); p.kind == KindPGLN {
		return PGLN{GLN{p.id}}, true
	}
	return PGLN{}, false
}

// GLN returns the number of an SGLN or PGLN.
func (k Key) GLN() (GLN, bool) {
	if p := k.split(); p.kind == KindSGLN || p.kind == KindPGLN {
		return GLN{p.id}, true
	}
	return GLN{}, false
}

// parts is a Key taken apart: id is the number with its check digit, tail the decoded serial, lot or extension.
type parts struct {
	kind Kind
	id   string
	tail string
}

func (k Key) split() parts {
	p, _ := splitKey(k.text)
	return p
}

// splitKey cuts Key text at fixed places; it validates nothing but lengths. The application identifiers in front
// are prefix-free, so at most one case fits.
func splitKey(t string) (parts, bool) {
	cut := func(kind Kind, ai, n int) (parts, bool) {
		if len(t) < ai+n {
			return parts{}, false
		}
		return parts{kind, t[ai : ai+n], t[ai+n:]}, true
	}
	whole := func(kind Kind, ai int) (parts, bool) { return parts{kind: kind, id: t[ai:]}, true }
	switch {
	case strings.HasPrefix(t, "01"):
		p, ok := cut(KindGTIN, 2, 14)
		switch {
		case !ok || p.tail == "":
			return p, ok
		case strings.HasPrefix(p.tail, "21"):
			return parts{KindSGTIN, p.id, p.tail[2:]}, true
		case strings.HasPrefix(p.tail, "10"):
			return parts{KindLGTIN, p.id, p.tail[2:]}, true
		case strings.HasPrefix(p.tail, "235"):
			return parts{KindUPUI, p.id, p.tail[3:]}, true
		}
		return parts{}, false
	case strings.HasPrefix(t, "00"):
		return whole(KindSSCC, 2)
	case strings.HasPrefix(t, "uri:"):
		return whole(KindURI, 4)
	case strings.HasPrefix(t, "414"):
		p, ok := cut(KindSGLN, 3, 13)
		if !ok || p.tail == "" {
			return p, ok
		}
		ext, ok := strings.CutPrefix(p.tail, "254")
		if !ok || ext == "" {
			return parts{}, false
		}
		return parts{KindSGLN, p.id, ext}, true
	case strings.HasPrefix(t, "417"):
		return whole(KindPGLN, 3)
	case strings.HasPrefix(t, "253"):
		return cut(KindGDTI, 3, 13)
	case strings.HasPrefix(t, "255"):
		return cut(KindSGCN, 3, 13)
	case strings.HasPrefix(t, "401"):
		return whole(KindGINC, 3)
	case strings.HasPrefix(t, "402"):
		return whole(KindGSIN, 3)
	case strings.HasPrefix(t, "8003"):
		return cut(KindGRAI, 4, 14)
	case strings.HasPrefix(t, "8004"):
		return whole(KindGIAI, 4)
	case strings.HasPrefix(t, "8006"):
		p, ok := cut(KindITIP, 4, 18)
		if !ok || p.tail == "" {
			return p, ok
		}
		serial, ok := strings.CutPrefix(p.tail, "21")
		if !ok || serial == "" {
			return parts{}, false
		}
		return parts{KindITIP, p.id, serial}, true
	case strings.HasPrefix(t, "8010"):
		// The part reference may itself hold "8011". The last one that leaves a part and a serial of digits is the
		// separator; makeKey refuses the rare CPI for which that rule would read something else.
		if i := strings.LastIndex(t, "8011"); i >= 4+minFree && len(t)-i-4 <= 12 && isDigits(t[i+4:]) {
			return parts{KindCPI, t[4:i], t[i+4:]}, true
		}
		return whole(KindCPI, 4)
	case strings.HasPrefix(t, "8017"):
		return whole(KindGSRNP, 4)
	case strings.HasPrefix(t, "8018"):
		return whole(KindGSRN, 4)
	}
	return parts{}, false
}

// minFree is the shortest company-built identifier (GIAI, CPI, GINC): a company prefix of at least four digits
// and one character of reference.
const minFree = 5

// makeKey is the one place where Keys of GS1 kinds come from: it checks every part and spells the text.
func makeKey(p parts, input string) (Key, *Error) {
	need := func(code, problem string) *Error {
		if problem == "" {
			return nil
		}
		return fail(code, input, "%s", problem)
	}
	optional := func(name string, limit int) string {
		if p.tail == "" {
			return ""
		}
		return checkText(name, p.tail, limit, &cset82, cset82Name)
	}
	free := func(name string, allowed *set, setName string) string {
		if problem := checkText(name, p.id, 30, allowed, setName); problem != "" {
			return problem
		}
		if len(p.id) < minFree || !isDigits(p.id[:minFree-1]) {
			return name + " must begin with a company prefix (at least four digits) and go on with a reference"
		}
		return ""
	}
	var bad *Error
	text := ""
	switch p.kind {
	case KindGTIN, KindSGTIN, KindLGTIN, KindUPUI:
		_, problem := padGTIN(p.id)
		if problem == "" && len(p.id) != 14 {
			problem = "GTIN must be written with 14 digits here"
		}
		bad = need(CodeGTIN, problem)
		text = "01" + p.id
		if bad != nil {
			break
		}
		switch p.kind {
		case KindSGTIN:
			bad = need(CodeSerial, checkText("serial", p.tail, 20, &cset82, cset82Name))
			text += "21" + p.tail
		case KindLGTIN:
			bad = need(CodeLot, checkText("lot", p.tail, 20, &cset82, cset82Name))
			text += "10" + p.tail
		case KindUPUI:
			bad = need(CodeSerial, checkText("serial", p.tail, 28, &cset82, cset82Name))
			text += "235" + p.tail
		default: // the class is complete
		}
	case KindSSCC:
		bad = need(CodeSSCC, checkNumber("SSCC", p.id, 18))
		text = "00" + p.id
	case KindSGLN:
		bad = need(CodeGLN, checkNumber("GLN", p.id, 13))
		text = "414" + p.id
		if bad == nil && p.tail != "" && p.tail != "0" {
			bad = need(CodeGLN, optional("GLN extension", 20))
			text += "254" + p.tail
		}
	case KindPGLN:
		bad = need(CodeGLN, checkNumber("GLN", p.id, 13))
		text = "417" + p.id
	case KindGRAI:
		problem := "GRAI must begin with 0 and 13 digits"
		if len(p.id) == 14 && p.id[0] == '0' {
			problem = checkNumber("GRAI", p.id[1:], 13)
		}
		if bad = need(CodeEPC, problem); bad == nil {
			bad = need(CodeSerial, optional("GRAI serial", 16))
		}
		text = "8003" + p.id + p.tail
	case KindGDTI:
		if bad = need(CodeEPC, checkNumber("GDTI", p.id, 13)); bad == nil {
			bad = need(CodeSerial, optional("GDTI serial", 17))
		}
		text = "253" + p.id + p.tail
	case KindSGCN:
		if bad = need(CodeEPC, checkNumber("GCN", p.id, 13)); bad == nil {
			bad = need(CodeSerial, checkDigitSerial("coupon serial", p.tail))
		}
		text = "255" + p.id + p.tail
	case KindGIAI:
		bad = need(CodeEPC, free("GIAI", &cset82, cset82Name))
		text = "8004" + p.id
	case KindGINC:
		bad = need(CodeEPC, free("GINC", &cset82, cset82Name))
		text = "401" + p.id
	case KindCPI:
		if bad = need(CodeEPC, free("CPI", &cset39, "GS1 character set 39 (digits, capitals and #-/)")); bad == nil {
			bad = need(CodeSerial, checkDigitSerial("CPI serial", p.tail))
		}
		text = "8010" + p.id
		if p.tail != "" {
			text += "8011" + p.tail
		}
		if again, _ := splitKey(text); bad == nil && again != p {
			bad = fail(CodeEPC, input, "this CPI holds \"8011\" where its serial would begin, so its key would have two readings; it cannot be recorded")
		}
	case KindGSRN, KindGSRNP:
		bad = need(CodeEPC, checkNumber("GSRN", p.id, 18))
		text = "8018" + p.id
		if p.kind == KindGSRNP {
			text = "8017" + p.id
		}
	case KindGSIN:
		bad = need(CodeEPC, checkNumber("GSIN", p.id, 17))
		text = "402" + p.id
	case KindITIP:
		problem := "ITIP must have 18 digits: GTIN, piece and total"
		if len(p.id) == 18 && isDigits(p.id) {
			_, problem = padGTIN(p.id[:14])
		}
		if bad = need(CodeEPC, problem); bad == nil {
			bad = need(CodeSerial, optional("serial", 20))
		}
		text = "8006" + p.id
		if p.tail != "" {
			text += "21" + p.tail
		}
	default:
		bad = fail(CodeEPC, input, "not a GS1 key")
	}
	if bad != nil {
		return Key{}, bad
	}
	return Key{text}, nil
}

// checkDigitSerial checks an optional serial of up to twelve digits.
func checkDigitSerial(name, s string) string {
	if s == "" || isDigits(s) && len(s) <= 12 {
		return ""
	}
	return name + " must have 1 to 12 digits"
}

// dlKeep marks what stands bare in a canonical Digital Link. The Digital Link standard (URI syntax, table 7-1)
// demands encoding of ! # % & ( ) * + , / : and RFC 3986 of " < > ?; the CBV event hash leaves ' ; = bare, and so
// do we, or our hashes would differ.
var dlKeep = charset(`'-.0123456789;=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)

// urnRaw marks what stands bare in an EPC URN (Tag Data Standard 5, GS3A3Char); the rest is escaped.
var urnRaw = charset(`!'()*+,-.0123456789:;=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)

// DigitalLink returns the canonical GS1 Digital Link URI on https://id.gs1.org (epcis.md 4.2, 4.4). Identifiers
// GS1 does not define have none and come back verbatim, which is also what the CBV event hash uses for them.
func (k Key) DigitalLink() string {
	const host = "https://id.gs1.org/"
	p := k.split()
	tail := escapeWith(p.tail, &dlKeep)
	with := func(base, ai string) string {
		if tail == "" {
			return host + base
		}
		return host + base + "/" + ai + "/" + tail
	}
	switch p.kind {
	case KindGTIN, KindSGTIN:
		return with("01/"+p.id, "21")
	case KindLGTIN:
		return with("01/"+p.id, "10")
	case KindUPUI:
		return with("01/"+p.id, "235")
	case KindSSCC:
		return host + "00/" + p.id
	case KindSGLN:
		return with("414/"+p.id, "254")
	case KindPGLN:
		return host + "417/" + p.id
	case KindGRAI:
		return host + "8003/" + p.id + tail
	case KindGIAI:
		return host + "8004/" + escapeWith(p.id, &dlKeep)
	case KindGSRN:
		return host + "8018/" + p.id
	case KindGSRNP:
		return host + "8017/" + p.id
	case KindGDTI:
		return host + "253/" + p.id + tail
	case KindSGCN:
		return host + "255/" + p.id + tail
	case KindCPI:
		return with("8010/"+escapeWith(p.id, &dlKeep), "8011")
	case KindGINC:
		return host + "401/" + escapeWith(p.id, &dlKeep)
	case KindGSIN:
		return host + "402/" + p.id
	case KindITIP:
		return with("8006/"+p.id, "21")
	case KindURI:
		return p.id
	case KindInvalid:
	}
	return ""
}

// URN returns the EPC URN (epcis.md 4.1) for a company prefix of gcpLen digits, 6 to 12. The length is not in the
// key and cannot be guessed (epcis.md 4.3): it must come from the party that owns the prefix, for example from
// [EPC.GCPLength] of something it wrote. Identifiers GS1 does not define come back verbatim, whatever gcpLen is.
func (k Key) URN(gcpLen int) (string, error) {
	p := k.split()
	switch p.kind {
	case KindInvalid:
		return "", fail(CodeEPC, "", "the zero key has no URN")
	case KindURI:
		return p.id, nil
	default:
	}
	if gcpLen < 6 || gcpLen > 12 {
		return "", fail(CodeEPC, k.text, "the company prefix length is %d, want 6 to 12: take it from the owner's master data, it cannot be guessed", gcpLen)
	}
	// number splits digits into prefix and reference; lead is the indicator or extension digit, which the URN
	// moves in front of the reference.
	number := func(lead, digits string) string { return digits[:gcpLen] + "." + lead + digits[gcpLen:] }
	serial := escapeWith(p.tail, &urnRaw)
	// class writes the pattern URI when there is no serial.
	class := func(scheme, body string) string {
		if serial == "" {
			return "urn:epc:idpat:" + scheme + ":" + body + ".*"
		}
		return "urn:epc:id:" + scheme + ":" + body + "." + serial
	}
	free := func(scheme string) (string, error) {
		if len(p.id) <= gcpLen || !isDigits(p.id[:gcpLen]) {
			return "", fail(CodeEPC, k.text, "the identifier does not begin with a company prefix of %d digits and a reference", gcpLen)
		}
		return scheme + ":" + p.id[:gcpLen] + "." + escapeWith(p.id[gcpLen:], &urnRaw), nil
	}
	switch p.kind {
	case KindSGTIN, KindGTIN:
		return class("sgtin", number(p.id[:1], p.id[1:13])), nil
	case KindUPUI:
		return class("upui", number(p.id[:1], p.id[1:13])), nil
	case KindLGTIN:
		return "urn:epc:class:lgtin:" + number(p.id[:1], p.id[1:13]) + "." + serial, nil
	case KindSSCC:
		return "urn:epc:id:sscc:" + number(p.id[:1], p.id[1:17]), nil
	case KindSGLN:
		if serial == "" {
			serial = "0"
		}
		return class("sgln", number("", p.id[:12])), nil
	case KindPGLN:
		return "urn:epc:id:pgln:" + number("", p.id[:12]), nil
	case KindGRAI:
		return class("grai", number("", p.id[1:13])), nil
	case KindGDTI:
		return class("gdti", number("", p.id[:12])), nil
	case KindSGCN:
		return class("sgcn", number("", p.id[:12])), nil
	case KindGSRN:
		return "urn:epc:id:gsrn:" + number("", p.id[:17]), nil
	case KindGSRNP:
		return "urn:epc:id:gsrnp:" + number("", p.id[:17]), nil
	case KindGSIN:
		return "urn:epc:id:gsin:" + number("", p.id[:16]), nil
	case KindITIP:
		return class("itip", number(p.id[:1], p.id[1:13])+"."+p.id[14:16]+"."+p.id[16:18]), nil
	case KindGIAI:
		return free("urn:epc:id:giai")
	case KindGINC:
		return free("urn:epc:id:ginc")
	default: // what is left is the CPI; its part reference cannot hold a dot
		body, err := free("")
		if err != nil {
			return "", err
		}
		return class("cpi", body[1:]), nil
	}
}
