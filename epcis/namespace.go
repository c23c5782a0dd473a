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
