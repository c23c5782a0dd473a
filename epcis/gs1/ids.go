package gs1

import "strings"

// A GTIN is a Global Trade Item Number in its 14-digit form (General Specifications 2.1): the class of a trade
// item at one packaging level. The zero value is invalid; a GTIN exists only if its check digit held.
type GTIN struct{ digits string }

// ParseGTIN reads a GTIN of 8, 12, 13 or 14 digits with its check digit; the shorter forms are padded with zeros
// on the left, as the standard has it.
func ParseGTIN(s string) (GTIN, error) {
	d, problem := padGTIN(s)
	if problem != "" {
		return GTIN{}, fail(CodeGTIN, s, "%s", problem)
	}
	return GTIN{d}, nil
}

func padGTIN(s string) (gtin14, problem string) {
	switch len(s) {
	case 8, 12, 13, 14:
	default:
		if isDigits(s) {
			return "", "GTIN has " + count(len(s), "digit") + ", want 8, 12, 13 or 14"
		}
		return "", "GTIN has " + count(len(s), "character") + ", want 8, 12, 13 or 14 digits"
	}
	d := "00000000000000"[:14-len(s)] + s
	if p := checkNumber("GTIN", s, len(s)); p != "" {
		return "", p
	}
	if strings.Trim(d, "0") == "" {
		return "", "GTIN is all zeros, which is assigned to nothing"
	}
	return d, ""
}

// String returns the 14 digits, "" for the zero value.
func (g GTIN) String() string { return g.digits }

// IsZero reports whether g is the invalid zero value.
func (g GTIN) IsZero() bool { return g.digits == "" }

// Indicator returns the first digit: 0 by custom for the each, 1-8 for other packaging levels (the number is not
// a depth), 9 for variable measure. It returns -1 for the zero value.
func (g GTIN) Indicator() int {
	if g.IsZero() {
		return -1
	}
	return int(g.digits[0] - '0')
}

// NDC10 returns the ten NDC digits when the GTIN carries GS1 US's drug prefix (indicator, "03", ten digits, check
// digit). Where the labeler part ends is not in the GTIN: see [Directory].
func (g GTIN) NDC10() (string, bool) {
	if g.IsZero() || g.digits[1:3] != "03" {
		return "", false
	}
	return g.digits[3:13], true
}

// Key returns the identity of the class.
func (g GTIN) Key() Key {
	if g.IsZero() {
		return Key{}
	}
	return Key{"01" + g.digits}
}

// An SGTIN is one serialised trade item: for a US drug, the package or the homogeneous case (Tag Data Standard
// 6.3.1). The zero value is invalid.
type SGTIN struct {
	gtin   GTIN
	serial string
}

// NewSGTIN joins a GTIN and a decoded serial of 1-20 characters of GS1 character set 82. Serials are case-sensitive
// and keep leading zeros: "007" and "7" are two packages.
func NewSGTIN(gtin GTIN, serial string) (SGTIN, error) {
	if gtin.IsZero() {
		return SGTIN{}, fail(CodeGTIN, "", "GTIN is missing")
	}
	if p := checkText("serial", serial, 20, &cset82, cset82Name); p != "" {
		return SGTIN{}, fail(CodeSerial, serial, "%s", p)
	}
	return SGTIN{gtin, serial}, nil
}

// ParseSGTIN reads an SGTIN written as Key text ("01…21…"), EPC URN or Digital Link.
func ParseSGTIN(s string) (SGTIN, error) {
	k, err := parseAs(s, KindSGTIN, "SGTIN: want a GTIN and a serial")
	if err != nil {
		return SGTIN{}, err
	}
	u, _ := k.AsSGTIN()
	return u, nil
}

// GTIN returns the class.
func (u SGTIN) GTIN() GTIN { return u.gtin }

// Serial returns the decoded serial.
func (u SGTIN) Serial() string { return u.serial }

// IsZero reports whether u is the invalid zero value.
func (u SGTIN) IsZero() bool { return u.gtin.IsZero() }

// Key returns the identity of the unit.
func (u SGTIN) Key() Key {
	if u.IsZero() {
		return Key{}
	}
	return Key{"01" + u.gtin.digits + "21" + u.serial}
}

// String returns the Key text.
func (u SGTIN) String() string { return u.Key().String() }

// An LGTIN is a GTIN and a lot: a class of units (Tag Data Standard 7.7). The zero value is invalid.
type LGTIN struct {
	gtin GTIN
	lot  string
}

// NewLGTIN joins a GTIN and a decoded lot of 1-20 characters of GS1 character set 82.
func NewLGTIN(gtin GTIN, lot string) (LGTIN, error) {
	if gtin.IsZero() {
		return LGTIN{}, fail(CodeGTIN, "", "GTIN is missing")
	}
	if p := checkText("lot", lot, 20, &cset82, cset82Name); p != "" {
		return LGTIN{}, fail(CodeLot, lot, "%s", p)
	}
	return LGTIN{gtin, lot}, nil
}

// ParseLGTIN reads an LGTIN written as Key text ("01…10…"), EPC URN or Digital Link.
func ParseLGTIN(s string) (LGTIN, error) {
	k, err := parseAs(s, KindLGTIN, "LGTIN: want a GTIN and a lot")
	if err != nil {
		return LGTIN{}, err
	}
	l, _ := k.AsLGTIN()
	return l, nil
}

// GTIN returns the class.
func (l LGTIN) GTIN() GTIN { return l.gtin }

// Lot returns the decoded lot.
func (l LGTIN) Lot() string { return l.lot }

// IsZero reports whether l is the invalid zero value.
func (l LGTIN) IsZero() bool { return l.gtin.IsZero() }

// Key returns the identity of the lot.
func (l LGTIN) Key() Key {
	if l.IsZero() {
		return Key{}
	}
	return Key{"01" + l.gtin.digits + "10" + l.lot}
}

// String returns the Key text.
func (l LGTIN) String() string { return l.Key().String() }

// An SSCC is a Serial Shipping Container Code: one logistic unit (General Specifications 2.2). It has no lot and
// no expiry and is never a product serial. The zero value is invalid.
type SSCC struct{ digits string }

// ParseSSCC reads the 18 digits.
func ParseSSCC(s string) (SSCC, error) {
	if p := checkNumber("SSCC", s, 18); p != "" {
		return SSCC{}, fail(CodeSSCC, s, "%s", p)
	}
	return SSCC{s}, nil
}

// NewSSCC completes 17 digits with their check digit; 18 digits are checked as [ParseSSCC] does.
func NewSSCC(digits string) (SSCC, error) {
	if len(digits) == 17 && isDigits(digits) {
		return SSCC{digits + string(rune(CheckDigit(digits)))}, nil
	}
	return ParseSSCC(digits)
}

// String returns the 18 digits, "" for the zero value.
func (s SSCC) String() string { return s.digits }

// IsZero reports whether s is the invalid zero value.
func (s SSCC) IsZero() bool { return s.digits == "" }

// Key returns the identity of the container.
func (s SSCC) Key() Key {
	if s.IsZero() {
		return Key{}
	}
	return Key{"00" + s.digits}
}

// A GLN is a Global Location Number (General Specifications 2.4). Whether it names a place ([SGLN]) or a party
// ([PGLN]) is not in its digits, so a GLN alone has no Key. The zero value is invalid.
type GLN struct{ digits string }

// ParseGLN reads the 13 digits.
func ParseGLN(s string) (GLN, error) {
	if p := checkNumber("GLN", s, 13); p != "" {
		return GLN{}, fail(CodeGLN, s, "%s", p)
	}
	return GLN{s}, nil
}

// String returns the 13 digits, "" for the zero value.
func (g GLN) String() string { return g.digits }

// IsZero reports whether g is the invalid zero value.
func (g GLN) IsZero() bool { return g.digits == "" }

// An SGLN is a place: a GLN, or a spot within it named by an extension (Tag Data Standard 6.3.3). The zero value
// is invalid.
type SGLN struct {
	gln GLN
	ext string
}

// NewSGLN joins a GLN and an extension. "" and "0" both mean no extension: the URN spells it "0", the Digital Link
// leaves it out.
func NewSGLN(gln GLN, ext string) (SGLN, error) {
	if gln.IsZero() {
		return SGLN{}, fail(CodeGLN, "", "GLN is missing")
	}
	if ext == "" || ext == "0" {
		return SGLN{gln, ""}, nil
	}
	if p := checkText("GLN extension", ext, 20, &cset82, cset82Name); p != "" {
		return SGLN{}, fail(CodeGLN, ext, "%s", p)
	}
	return SGLN{gln, ext}, nil
}

// ParseSGLN reads an SGLN written as Key text ("414…"), EPC URN or Digital Link.
func ParseSGLN(s string) (SGLN, error) {
	k, err := parseAs(s, KindSGLN, "SGLN: want a location GLN")
	if err != nil {
		return SGLN{}, err
	}
	p := k.split()
	return SGLN{GLN{p.id}, p.tail}, nil
}

// GLN returns the location number.
func (s SGLN) GLN() GLN { return s.gln }

// Extension returns the decoded extension, "" for none.
func (s SGLN) Extension() string { return s.ext }

// IsZero reports whether s is the invalid zero value.
func (s SGLN) IsZero() bool { return s.gln.IsZero() }

// Key returns the identity of the place.
func (s SGLN) Key() Key {
	switch {
	case s.IsZero():
		return Key{}
	case s.ext == "":
		return Key{"414" + s.gln.digits}
	}
	return Key{"414" + s.gln.digits + "254" + s.ext}
}

// String returns the Key text.
func (s SGLN) String() string { return s.Key().String() }

// A PGLN is a party: a GLN naming who, not where (Tag Data Standard 6.3.14). The zero value is invalid.
type PGLN struct{ gln GLN }

// NewPGLN makes the party of a GLN.
func NewPGLN(gln GLN) (PGLN, error) {
	if gln.IsZero() {
		return PGLN{}, fail(CodeGLN, "", "GLN is missing")
	}
	return PGLN{gln}, nil
}

// ParsePGLN reads a PGLN written as Key text ("417…"), EPC URN or Digital Link.
func ParsePGLN(s string) (PGLN, error) {
	k, err := parseAs(s, KindPGLN, "PGLN: want a party GLN")
	if err != nil {
		return PGLN{}, err
	}
	return PGLN{GLN{k.split().id}}, nil
}

// GLN returns the party's number.
func (p PGLN) GLN() GLN { return p.gln }

// IsZero reports whether p is the invalid zero value.
func (p PGLN) IsZero() bool { return p.gln.IsZero() }

// Key returns the identity of the party.
func (p PGLN) Key() Key {
	if p.IsZero() {
		return Key{}
	}
	return Key{"417" + p.gln.digits}
}

// String returns the Key text.
func (p PGLN) String() string { return p.Key().String() }

// parseAs reads Key text or an EPC of one wanted kind. The two grammars cannot collide: Key text of a GS1 key
// begins with a digit, a URI with a letter.
func parseAs(s string, want Kind, wanted string) (Key, error) {
	var k Key
	if s != "" && isDigit(s[0]) {
		parsed, err := ParseKey(s)
		if err != nil {
			return Key{}, err
		}
		k = parsed
	} else {
		epc, err := ParseEPC(s)
		if err != nil {
			return Key{}, err
		}
		k = epc.Key()
	}
	if k.Kind() != want {
		return Key{}, fail(CodeEPC, s, "this is a %s, not an %s", k.Kind(), wanted)
	}
	return k, nil
}
