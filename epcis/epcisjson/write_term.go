package epcisjson

import (
	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/vocabulary"
)

// termOf writes a standard value for JSON. The schema refuses the spellings of XML even for words that the list does not
// have; those are written in the one it takes.
func termOf(kind epcis.TermKind, s string) string {
	l := &vocabulary.Lists[kind]
	word, spelled := l.Cut(s)
	switch {
	case l.Words[word]:
		return word
	case spelled == "" || spelled == l.CURIE:
		return s
	case l.URN == "":
		return l.CURIE + word
	}
	return l.Web + word
}
