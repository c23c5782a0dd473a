package epcis

// jsonTerm writes a standard value for JSON. The schema refuses the spellings of XML even for words that the list does not
// have; those are written in the one it takes.
func jsonTerm(kind TermKind, s string) string {
	l := &codeLists[kind]
	word, spelled := l.cut(s)
	switch {
	case l.words[word]:
		return word
	case spelled == "" || spelled == l.curie:
		return s
	case l.urn == "":
		return l.curie + word
	}
	return l.web + word
}
