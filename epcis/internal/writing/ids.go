package writing

import (
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
)

func newTranslator(o *epcis.WriteOptions) translator {
	t := translator{form: o.EPC, length: o.PrefixLength}
	if t.form == epcis.AsCaptured && o.Format == epcis.FormatXML12 {
		t.form = epcis.URN
	}
	return t
}

// translator writes identifiers in one form and counts those it could not.
type translator struct {
	form   epcis.EPCForm
	length func(gs1.Key) (int, bool)
	last   gs1.Prefix // of the URN before: runs of one prefix are usual

	words  map[string]string // see Writer.Word
	kept   int               // left as captured
	first  string            // of them
	shrunk string            // the first Digital Link that said more than its URN can
}

func (t *translator) id(s string) string {
	switch t.form {
	case epcis.DigitalLink:
		if !strings.HasPrefix(s, "urn:epc:") {
			return s
		}
		prefix, tail := gs1.SplitEPC(s)
		if prefix != t.last.String() {
			p, err := gs1.ParsePrefix(prefix)
			if err != nil {
				return t.keep(s)
			}
			t.last = p
		}
		key, err := t.last.Key(tail)
		if err != nil {
			return t.keep(s)
		}
		return key.DigitalLink()
	case epcis.URN:
		if !strings.HasPrefix(s, "http") {
			return s
		}
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			return t.keep(s)
		}
		if epc.Form() != gs1.FormDigitalLink {
			return s
		}
		if t.length == nil {
			return t.keep(s)
		}
		n, known := t.length(epc.Key())
		if !known {
			return t.keep(s)
		}
		urn, err := epc.Key().URN(n)
		if err != nil {
			return t.keep(s)
		}
		if t.shrunk == "" && saysMore(s, epc.Key()) {
			t.shrunk = s
		}
		return urn
	default:
		return s
	}
}

func (t *translator) keep(s string) string {
	if t.kept++; t.kept == 1 {
		t.first = s
	}
	return s
}

// saysMore reports whether a Digital Link carries more than its key: a query, a variant, or a lot beside the serial.
func saysMore(s string, key gs1.Key) bool {
	if strings.ContainsAny(s, "?#") || strings.Contains(s, "/22/") || strings.Contains(s, "/cpv/") {
		return true
	}
	return key.Kind() != gs1.KindLGTIN && (strings.Contains(s, "/10/") || strings.Contains(s, "/lot/"))
}
