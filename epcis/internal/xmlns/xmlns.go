// Package xmlns has the namespaces of EPCIS documents and the names in them.
package xmlns

import (
	"encoding/xml"
	"strings"
	"unicode/utf8"
)

// Namespaces. Prefixes mean nothing: only these do.
const (
	EPCIS1      = "urn:epcglobal:epcis:xsd:1" // EPCIS 1.0, 1.1 and 1.2
	EPCIS2      = "urn:epcglobal:epcis:xsd:2"
	Query1      = "urn:epcglobal:epcis-query:xsd:1"
	Query2      = "urn:epcglobal:epcis-query:xsd:2"
	MasterData1 = "urn:epcglobal:epcis-masterdata:xsd:1"
	MasterData2 = "urn:epcglobal:epcis-masterdata:xsd:2"
	SBDH        = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
	XML         = "http://www.w3.org/XML/1998/namespace"
	XSI         = "http://www.w3.org/2001/XMLSchema-instance"
	XSD         = "http://www.w3.org/2001/XMLSchema"
	SOAP11      = "http://schemas.xmlsoap.org/soap/envelope/"
	SOAP12      = "http://www.w3.org/2003/05/soap-envelope"
	// XMLNS is the namespace of declarations themselves. It cannot be declared.
	XMLNS = "http://www.w3.org/2000/xmlns/"
)

// IsNCName reports whether s can be the local part of a name in XML. Beyond ASCII, encoding/xml is
// asked.
func IsNCName(s string) bool {
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

// Braced splits "{namespace}local", as the reader of XML keeps the value of xsi:type.
func Braced(s string) (space, local string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", "", false
	}
	i := strings.LastIndexByte(s, '}')
	if i < 2 || !IsNCName(s[i+1:]) {
		return "", "", false
	}
	return s[1:i], s[i+1:], true
}
