// Package jsonld knows the official context of EPCIS in JSON-LD.
package jsonld

import "strings"

// Vocabulary is the namespace of the standard's own terms in JSON-LD.
const Vocabulary = "https://ref.gs1.org/epcis/"

// Prefixes are those of the official context. They hold in every document; the context protects
// them.
var Prefixes = map[string]string{
	"epcis":   Vocabulary,
	"cbv":     "https://ref.gs1.org/cbv/",
	"cbvmda":  "urn:epcglobal:cbv:mda:",
	"gs1":     "https://gs1.org/voc/",
	"rdfs":    "http://www.w3.org/2000/01/rdf-schema#",
	"owl":     "http://www.w3.org/2002/07/owl#",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
	"dcterms": "http://purl.org/dc/terms/",
}

// MaxTerms bounds what contexts may declare.
const MaxTerms = 4096

// SplitURI splits behind the last #, / or :, if something follows.
func SplitURI(s string) (space, name string) {
	i := strings.LastIndexAny(s, "#/:") + 1
	if i == len(s) {
		return "", s
	}
	return s[:i], s[i:]
}

// Context is the official JSON-LD context. It is protected: what it declares must not be declared
// again.
const Context = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
