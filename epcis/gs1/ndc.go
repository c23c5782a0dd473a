package gs1

import (
	"slices"
	"strings"
)

// NDCFormat says how a National Drug Code is written: the lengths of labeler, product and package parts, or that
// the parts are not marked.
type NDCFormat uint8

// The formats. 4-4-2, 5-3-2 and 5-4-1 are the FDA's ten-digit forms (21 CFR 207.33); 5-4-2 is the billing form;
// 6-4-2 is the FDA's form from 7 March 2033 (docs/dscsa.md section 3).
const (
	NDCInvalid NDCFormat = iota
	NDC442
	NDC532
	NDC541
	NDC542
	NDC642
	NDCBare10
	NDCBare11
	NDCBare12
)

var ndcFormatNames = [...]string{"invalid", "4-4-2", "5-3-2", "5-4-1", "5-4-2", "6-4-2", "10", "11", "12"}

// String returns "5-4-1" and the like, or the number of digits of a bare form.
func (f NDCFormat) String() string {
	if int(f) < len(ndcFormatNames) {
		return ndcFormatNames[f]
	}
	return "invalid"
}

// An NDC is a National Drug Code as written. Two different NDCs can share one 11-digit form (49799-0001-1 and
// 49799-001-01), so index by the hyphenated text. The zero value is invalid.
type NDC struct {
	text   string
	format NDCFormat
}

// ParseNDC reads a hyphenated NDC (4-4-2, 5-3-2, 5-4-1, 5-4-2, 6-4-2) or 10, 11 or 12 bare digits.
func ParseNDC(s string) (NDC, error) {
	if isDigits(s) {
		switch len(s) {
		case 10:
			return NDC{s, NDCBare10}, nil
		case 11:
			return NDC{s, NDCBare11}, nil
		case 12:
			return NDC{s, NDCBare12}, nil
		}
		return NDC{}, fail(CodeNDC, s, "NDC has %s, want 10, 11 or 12", count(len(s), "digit"))
	}
	seg := strings.Split(s, "-")
	if len(seg) != 3 || !isDigits(seg[0]) || !isDigits(seg[1]) || !isDigits(seg[2]) {
		return NDC{}, fail(CodeNDC, s, "want three groups of digits joined by hyphens, such as 0001-0123-45, or 10 to 12 digits")
	}
	lengths := itoa(len(seg[0])) + "-" + itoa(len(seg[1])) + "-" + itoa(len(seg[2]))
	for f := NDC442; f <= NDC642; f++ {
		if ndcFormatNames[f] == lengths {
			return NDC{s, f}, nil
		}
	}
	return NDC{}, fail(CodeNDC, s, "the groups have %s digits, want 4-4-2, 5-3-2, 5-4-1, 5-4-2 or 6-4-2", lengths)
}

// String returns the NDC as written.
func (n NDC) String() string { return n.text }

// Format returns how it is written.
func (n NDC) Format() NDCFormat { return n.format }

// IsZero reports whether n is the invalid zero value.
func (n NDC) IsZero() bool { return n.format == NDCInvalid }

// Digits returns the digits without hyphens.
func (n NDC) Digits() string { return strings.ReplaceAll(n.text, "-", "") }

// NDC10 returns the ten digits of a ten-digit form. The billing form has none: which zero was added is not
// recorded in it.
func (n NDC) NDC10() (string, bool) {
	switch n.format {
	case NDC442, NDC532, NDC541, NDCBare10:
		return n.Digits(), true
	default:
		return "", false
	}
}

// NDC11 returns the eleven digits of the 5-4-2 billing form. Ten bare digits have none: where the groups end is
// not recorded in them.
func (n NDC) NDC11() (string, bool) {
	switch n.format {
	case NDCBare11:
		return n.text, true
	case NDC442, NDC532, NDC541, NDC542:
		seg := strings.Split(n.text, "-")
		return "0"[:5-len(seg[0])] + seg[0] + "0"[:4-len(seg[1])] + seg[1] + "0"[:2-len(seg[2])] + seg[2], true
	default:
		return "", false
	}
}

// InGTIN reports whether g holds n: its ten digits, as GTINFromNDC puts them there. The 5-4-2 billing form and the
// twelve digits of 6-4-2 are ten digits with zeros put in front of groups, so they have up to three readings; one
// that g holds is enough. A twelve-digit NDC whose labeler code needs six digits is in no GTIN.
func (n NDC) InGTIN(g GTIN) bool {
	digits, ok := g.NDC10()
	if !ok {
		return false
	}
	text := n.Digits()
	switch n.format {
	case NDC442, NDC532, NDC541, NDCBare10:
		return text == digits
	case NDC642, NDCBare12:
		if text[0] != '0' {
			return false
		}
		text = text[1:]
	case NDC542, NDCBare11:
	default:
		return false
	}
	for _, zero := range []int{0, 5, 9} { // in front of labeler, product and package
		if text[zero] == '0' && text[:zero]+text[zero+1:] == digits {
			return true
		}
	}
	return false
}

// Labeler returns the labeler code of a hyphenated NDC.
func (n NDC) Labeler() (string, bool) {
	labeler, _, ok := strings.Cut(n.text, "-")
	if !ok {
		return "", false
	}
	return labeler, true
}

// GTINFromNDC builds indicator, "03", the ten NDC digits, check digit (docs/dscsa.md section 3). Indicators are 0 to 8; 9 is for
// goods of variable measure.
func GTINFromNDC(indicator int, ndc10 string) (GTIN, error) {
	if indicator < 0 || indicator > 8 {
		return GTIN{}, fail(CodeGTIN, ndc10, "the indicator is %d, want 0 to 8", indicator)
	}
	if len(ndc10) != 10 || !isDigits(ndc10) {
		return GTIN{}, fail(CodeNDC, ndc10, "want the ten NDC digits without hyphens; the 11-digit billing form must not be used to build a GTIN")
	}
	body := itoa(indicator) + "03" + ndc10
	return GTIN{body + string(rune(CheckDigit(body)))}, nil
}

// A DirectoryEntry says that a GTIN is a package of an NDC.
type DirectoryEntry struct {
	GTIN GTIN
	NDC  NDC
}

// A Directory answers NDC of GTIN and back from master data. Deriving one from the other is only a fallback and is
// always labelled: the group lengths are not in a GTIN, and a 12-digit NDC will not fit in one.
type Directory struct {
	ndcs   map[GTIN]NDC
	gtins  map[NDC][]GTIN
	digits map[string][]GTIN // by bare 10, 11 or 12 digits; 11 is a lossy alias
}

// NewDirectory indexes master data. Many GTINs may have one NDC (its packaging levels); a GTIN with two NDCs is an
// error.
func NewDirectory(entries []DirectoryEntry) (*Directory, error) {
	d := &Directory{ndcs: map[GTIN]NDC{}, gtins: map[NDC][]GTIN{}, digits: map[string][]GTIN{}}
	for _, e := range entries {
		if e.GTIN.IsZero() || e.NDC.IsZero() {
			return nil, fail(CodeNDC, e.GTIN.String()+" = "+e.NDC.String(), "a directory entry needs a GTIN and an NDC")
		}
		if had, ok := d.ndcs[e.GTIN]; ok {
			if had != e.NDC {
				return nil, fail(CodeNDC, e.GTIN.String(), "the GTIN has two NDCs, %s and %s: correct the master data", had, e.NDC)
			}
			continue
		}
		d.ndcs[e.GTIN] = e.NDC
		d.gtins[e.NDC] = append(d.gtins[e.NDC], e.GTIN)
		d.digits[e.NDC.Digits()] = append(d.digits[e.NDC.Digits()], e.GTIN)
		if n11, ok := e.NDC.NDC11(); ok && n11 != e.NDC.Digits() {
			d.digits[n11] = append(d.digits[n11], e.GTIN)
		}
	}
	return d, nil
}

// NDC returns the NDC of a GTIN. derived is true when master data has none and the ten digits were read out of the
// GTIN, without group lengths.
func (d *Directory) NDC(g GTIN) (ndc NDC, derived, ok bool) {
	if n, found := d.ndcs[g]; found {
		return n, false, true
	}
	if digits, found := g.NDC10(); found {
		return NDC{digits, NDCBare10}, true, true
	}
	return NDC{}, false, false
}

// GTINs returns the GTINs of an NDC in ascending order: those recorded under exactly this text; for a bare or
// billing form, every one whose NDC has these digits. derived is true when master data has none and the GTIN with
// indicator 0 was computed.
func (d *Directory) GTINs(n NDC) (gtins []GTIN, derived bool) {
	found := d.gtins[n]
	switch n.format {
	case NDCBare10, NDCBare11, NDCBare12, NDC542:
		found = d.digits[n.Digits()]
	default: // a ten-digit or 6-4-2 form names one NDC
	}
	if len(found) > 0 {
		found = slices.SortedFunc(slices.Values(found), func(a, b GTIN) int { return strings.Compare(a.digits, b.digits) })
		return slices.Compact(found), false
	}
	if digits, ok := n.NDC10(); ok {
		if g, err := GTINFromNDC(0, digits); err == nil {
			return []GTIN{g}, true
		}
	}
	return nil, false
}
