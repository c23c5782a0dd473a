package epcis

// xmlTerm writes a standard value for XML.
func xmlTerm(kind TermKind, s string, form CBVForm, old bool) string {
	switch form {
	case CBVAsCaptured:
		return s
	case CBVWebURI:
		return kind.WebURI(s)
	case CBVURN:
		return kind.URN(s)
	default:
	}
	l := &codeLists[kind]
	word, spelled := l.cut(s)
	switch {
	case spelled == "" && !l.words[word]:
		return s
	case kind >= TermComponent:
		if spelled == "" {
			return l.curie + word
		}
		return s
	case old || spelled == "" || spelled == l.curie:
		return l.urn + word
	}
	return s
}
