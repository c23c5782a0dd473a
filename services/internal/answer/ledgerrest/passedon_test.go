package ledgerrest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/answer/subscription"
	"verilot.dev/services/internal/edge/httpapi"
)

// A partner service passes on what its api reads, so that its web interface asks nothing of another
// origin. Whatever is added to the api is passed on, or is listed here with the reason why it is
// not.
func TestWhatIsPassedOn(t *testing.T) {
	notPassedOn := map[httpapi.Route]string{
		{Method: http.MethodGet, Path: "/v1/ndc"}:     "a partner service has an NDC directory of its own",
		{Method: http.MethodGet, Path: "/v1/session"}: "each service has sign-ins of its own",
		{Method: http.MethodOptions, Path: "/events"}: "events are captured at the partner service, which says so itself",
	}
	passedOn := slices.Concat(ledgerrest.PassedOn(), epcisrest.PassedOn(), subscription.PassedOn())
	for i := range passedOn {
		passedOn[i].Endless = false // whether its answer ends is not asked here
	}
	for route := range notPassedOn {
		if slices.Contains(passedOn, route) {
			t.Errorf("%v is passed on, and listed as not", route)
		}
	}
	listed := func(method, path string) bool {
		route := httpapi.Route{Method: method, Path: path}
		return slices.Contains(passedOn, route) || notPassedOn[route] != ""
	}
	reads, others := 0, 0
	for path, item := range newWorld(t).document(t, "api").Paths.Map() {
		for method, op := range item.Operations() {
			switch {
			case len(op.Tags) > 0 && op.Tags[0] == httpapi.ServiceTag: // about the service itself
				continue
			case path == "/capture" || strings.HasPrefix(path, "/capture/"), len(op.Tags) > 0 && op.Tags[0] != "EPCIS" && method != http.MethodGet:
				continue // captures, sign-ins and orders are each service's
			case method == http.MethodGet:
				reads++
			default:
				others++
			}
			if !listed(method, path) {
				t.Errorf("%s %s of the api is neither passed on nor listed as not", method, path)
			}
		}
	}
	for _, path := range []string{"/queries", "/queries/{name}", "/queries/{name}/events", "/queries/{name}/subscriptions", "/queries/{name}/subscriptions/{id}"} {
		if !listed(http.MethodOptions, path) {
			t.Errorf("OPTIONS %s is not passed on", path)
		}
	}
	if reads < 40 || others < 20 {
		t.Errorf("the api has %d reads and %d other operations, want more", reads, others)
	}
}
