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

// xml is the problem as the standard writes it: RFC 7807 in its XML form, under the root epcis:EPCISException.
func (p *Problem) xml() []byte {
	b, err := xml.Marshal(struct {
		XMLName  xml.Name `xml:"epcis:EPCISException"`
		EPCIS    string   `xml:"xmlns:epcis,attr"`
		Type     string   `xml:"type"`
		Title    string   `xml:"title"`
		Status   int      `xml:"status"`
		Code     Code     `xml:"code"`
		Detail   string   `xml:"detail"`
		Instance string   `xml:"instance,omitempty"`
	}{EPCIS: "urn:epcglobal:epcis:xsd:2", Type: p.Type, Title: p.Title, Status: p.Status, Code: p.Code, Detail: p.Detail, Instance: p.Instance})
	if err != nil {
		return nil // texts and a number: it cannot fail
	}
	return append([]byte(xml.Header), b...)
}
