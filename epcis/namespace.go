package epcis

import (
	"encoding/xml"
	"strings"
	"unicode/utf8"
)

// Namespaces. Prefixes mean nothing: only these do.
const (
	nsDoc1    = "urn:epcglobal:epcis:xsd:1" // EPCIS 1.0, 1.1 and 1.2
	nsDoc2    = "urn:epcglobal:epcis:xsd:2"
	nsQuery1  = "urn:epcglobal:epcis-query:xsd:1"
	nsQuery2  = "urn:epcglobal:epcis-query:xsd:2"
	nsMaster1 = "urn:epcglobal:epcis-masterdata:xsd:1"
	nsMaster2 = "urn:epcglobal:epcis-masterdata:xsd:2"
	nsSBDH    = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
	nsXML     = "http://www.w3.org/XML/1998/namespace"
	nsXSI     = "http://www.w3.org/2001/XMLSchema-instance"
	nsXSD     = "http://www.w3.org/2001/XMLSchema"
	nsSOAP11  = "http://schemas.xmlsoap.org/soap/envelope/"
	nsSOAP12  = "http://www.w3.org/2003/05/soap-envelope"
	// nsXMLNS is the namespace of declarations themselves. It cannot be declared.
	nsXMLNS = "http://www.w3.org/2000/xmlns/"
)

// epcisVocabulary is the namespace of the standard's own terms in JSON-LD.
const epcisVocabulary = "https://ref.gs1.org/epcis/"

// officialPrefixes are those of the official context. They hold in every document; the context protects them.
var officialPrefixes = map[string]string{
	"epcis":   epcisVocabulary,
	"cbv":     "https://ref.gs1.org/cbv/",
	"cbvmda":  "urn:epcglobal:cbv:mda:",
	"gs1":     "https://gs1.org/voc/",
	"rdfs":    "http://www.w3.org/2000/01/rdf-schema#",
	"owl":     "http://www.w3.org/2002/07/owl#",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
	"dcterms": "http://purl.org/dc/terms/",
}

// maxTerms bounds what contexts may declare.
const maxTerms = 4096

// splitURI splits behind the last #, / or :, if something follows.
func splitURI(s string) (space, name string) {
	i := strings.LastIndexAny(s, "#/:") + 1
	if i == len(s) {
		return "", s
	}
	return s[:i], s[i:]
}

// contextURL is the official JSON-LD context. It is protected: what it declares must not be declared again.
const contextURL = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

// isNCName reports whether s can be the local part of a name in XML. Beyond ASCII, encoding/xml is asked.
func isNCName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_', i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.'):
		case c >= utf8.RuneSelf:
			if strings.ContainsAny(s, " \t\r\n<>/=&:\"'") {
				return false
			}
			t, err := xml.NewDecoder(strings.NewReader("<" + s + "/>")).RawToken()
			start, ok := t.(xml.StartElement)
			return err == nil && ok && start.Name.Local == s && start.Name.Space == ""
		default:
			return false
		}
	}
	return s != ""
}

// bracedName splits "{namespace}local", as parser.attribute writes the value of xsi:type.
func bracedName(s string) (space, local string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", "", false
	}
	i := strings.LastIndexByte(s, '}')
	if i < 2 || !isNCName(s[i+1:]) {
		return "", "", false
	}
	return s[1:i], s[i+1:], true
}
