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
	l := &Lists[kind]
	word, spelled := l.Cut(s)
	switch {
	case spelled == "" && !l.Words[word]:
		return s
	case kind >= TermComponent:
		if spelled == "" {
			return l.CURIE + word
		}
		return s
	case old || spelled == "" || spelled == l.CURIE:
		return l.URN + word
	}
	return s
}
