package epcis

// jsonTerm writes a standard value for JSON. The schema refuses the spellings of XML even for words that the list does not
// have; those are written in the one it takes.
func jsonTerm(kind TermKind, s string) string {
	l := &Lists[kind]
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
