package partner

import (
	"slices"

	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/answer/subscription"
	"verilot.dev/services/internal/edge/httpapi"
)

// describePassedOn adds to the OpenAPI document of a partner what it passes on.
func describePassedOn(api *httpapi.API) error {
	of := httpapi.New(httpapi.Options{})
	ledgerrest.Mount(of, ledgerrest.Options{})
	epcisrest.Mount(of, epcisrest.Options{})
	subscription.Mount(of, nil, nil)
	return api.DescribePassedOn(of)
}

// passedOn lists the routes that a partner passes on to its api, as the api registers them: those
// that everybody may read, and those of the EPCIS query interface, which are asked in the party's
// name.
func passedOn() (open, party []httpapi.Route) {
	return ledgerrest.PassedOn(), slices.Concat(epcisrest.PassedOn(), subscription.PassedOn())
}
