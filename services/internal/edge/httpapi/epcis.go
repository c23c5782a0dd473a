package httpapi

import (
	"encoding/xml"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2/negotiation"
)

// epcisPaths are the first parts of the addresses that EPCIS 2.0 (chapter 12) gives to its REST interface, beside the root.
var epcisPaths = []string{"capture", "events", "eventTypes", "epcs", "bizSteps", "dispositions", "readPoints", "bizLocations", "queries", "nextPageToken"}

// IsEPCIS reports whether a path is one of the EPCIS standard's.
func IsEPCIS(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return path == "/" || slices.Contains(epcisPaths, first)
}

var (
	xmlTypes  = []string{"application/problem+xml", "application/xml", "text/xml"}
	jsonTypes = []string{"application/problem+json", "application/json", "application/ld+json"}
)

// prefersXML reports whether who asks would rather be told of a problem in XML.
func prefersXML(accept string) bool {
	best := negotiation.SelectQValue(accept, slices.Concat(jsonTypes, xmlTypes))
	return slices.Contains(xmlTypes, best)
}

// EPCISExtensions are the namespaces that every service knows of itself: GS1-Extensions of answers. The OpenAPI file's text and its
// schema differ on how the header is written (name=value,… or name,value,…); an even number of them can be read both ways.
const EPCISExtensions = "cbvmda=urn:epcglobal:cbv:mda,gs1ushc=http://epcis.gs1us.org/hc/ns"

// xmlBody is a problem as the schema of EPCIS 2.0 has it; what is ours comes last, in a namespace of its own.
type xmlBody struct {
	XMLName  xml.Name   `xml:"epcis:EPCISException"`
	EPCIS    string     `xml:"xmlns:epcis,attr"`
	Verilot  string     `xml:"xmlns:verilot,attr"`
	Type     string     `xml:"type"`
	Title    string     `xml:"title"`
	Status   int        `xml:"status"`
	Detail   string     `xml:"detail"`
	Instance string     `xml:"instance,omitempty"`
	Code     Code       `xml:"verilot:code"`
	Errors   []xmlFault `xml:"verilot:error"`
}

type xmlFault struct {
	Pointer string `xml:"verilot:pointer,omitempty"`
	Line    int    `xml:"verilot:line,omitempty"`
	Column  int    `xml:"verilot:column,omitempty"`
	Event   *int   `xml:"verilot:event"`
	Code    string `xml:"verilot:code,omitempty"`
	Message string `xml:"verilot:message"`
	Hint    string `xml:"verilot:hint,omitempty"`
}

// xml is the problem as the standard writes it: RFC 7807 in its XML form, under the root epcis:EPCISException.
func (p *Problem) xml() []byte {
	x := xmlBody{
		EPCIS: "urn:epcglobal:epcis:xsd:2", Verilot: strings.TrimSuffix(typePrefix, ":"),
		Type: p.Type, Title: p.Title, Status: p.Status, Detail: p.Detail, Instance: p.Instance, Code: p.Code,
	}
	for _, f := range p.Errors {
		x.Errors = append(x.Errors, xmlFault(f))
	}
	b, err := xml.Marshal(&x)
	if err != nil {
		return nil // texts and numbers: it cannot fail
	}
	return append([]byte(xml.Header), b...)
}
