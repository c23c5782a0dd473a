package partner

import (
	"net/http"

	"verilot.dev/services/internal/edge/httpapi"
)

// passedOn lists the routes that a partner passes on to its api: those that everybody may read, and
// those of the EPCIS query interface, which are asked in the party's name.
func passedOn() (open, party []httpapi.Route) {
	for _, path := range []string{
		"/v1/trace", "/v1/verify", "/v1/scan", "/v1/lots", "/v1/products", "/v1/blocks", "/v1/events/{height}/{entry}/{item}", "/v1/parties", "/v1/recalls", "/v1/status",
		"/v1/validators", "/v1/genesis", "/v1/checkpoint", "/v1/proof", "/v1/search", "/v1/shipments", "/v1/feed", "/01/{gtin}/21/{serial}",
	} {
		open = append(open, httpapi.Route{Method: http.MethodGet, Path: path})
	}
	for _, path := range []string{"/", "/events", "/eventTypes", "/epcs", "/bizSteps", "/dispositions", "/readPoints", "/bizLocations", "/queries"} {
		party = append(party, httpapi.Route{Method: http.MethodGet, Path: path})
	}
	return open, append(
		party,
		httpapi.Route{Method: http.MethodPost, Path: "/queries"},
		httpapi.Route{Method: http.MethodDelete, Path: "/queries/{name}"},
		httpapi.Route{Method: http.MethodDelete, Path: "/nextPageToken/{token}"},
	)
}
