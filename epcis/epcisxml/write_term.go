package epcisxml

import (
	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/vocabulary"
)

// termOf writes a standard value for XML.
func termOf(kind epcis.TermKind, s string, form epcis.CBVForm, old bool) string {
	switch form {
	case epcis.CBVAsCaptured:
		return s
	case epcis.CBVWebURI:
		return kind.WebURI(s)
	case epcis.CBVURN:
		return kind.URN(s)
	default:
	}
	l := &vocabulary.Lists[kind]
	word, spelled := l.Cut(s)
	switch {
	case spelled == "" && !l.Words[word]:
		return s
	case kind >= epcis.TermComponent:
		if spelled == "" {
			return l.CURIE + word
		}
		return s
	case old || spelled == "" || spelled == l.CURIE:
		return l.URN + word
	}
	return s
}
