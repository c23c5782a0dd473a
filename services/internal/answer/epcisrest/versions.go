package epcisrest

import (
	"net/http"

	"verilot.dev/services/internal/edge/httpapi"
)

// What the addresses of named queries, which are served elsewhere, have in common with those here.

// SpokenEPCIS and SpokenCBV are the versions that are spoken.
const (
	SpokenEPCIS = epcisVersion
	SpokenCBV   = cbvVersion
)

// Announce sets what every answer of EPCIS addresses says of itself.
func Announce(h http.Header) {
	h.Set("GS1-EPCIS-Version", epcisVersion)
	h.Set("GS1-CBV-Version", cbvVersion)
	h.Set("GS1-Extensions", httpapi.EPCISExtensions)
}

// CheckVersions refuses who cannot take the versions that are spoken here.
func CheckVersions(h http.Header) *httpapi.Problem { return checkVersions(h) }

// ProblemOf says what went wrong with a query.
func ProblemOf(err error) *httpapi.Problem { return problemOf(err) }
