package ledgerrest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/localnet/demo"
)

// tell sends a command that the ledger must take, and returns the units that it made.
func (w *world) tell(t *testing.T, service, command string, body map[string]any) []string {
	t.Helper()
	job, err := demo.Command(t.Context(), w.n.URLs[service], command, body)
	if err != nil || !job.Success {
		t.Fatalf("%s at %s: %v %+v", command, service, err, job)
	}
	var made struct {
		EPCs []string `json:"epcs"`
	}
	_ = json.Unmarshal(job.Result, &made) // other commands make nothing
	return made.EPCs
}

// makeUnits makes units of a new lot.
func (w *world) makeUnits(t *testing.T, lot string, n int) []string {
	t.Helper()
	return w.tell(t, "manufacturer", "commission", map[string]any{"gtin": w.told.Product.GTIN, "lot": lot, "expiry": "2029-01-31", "count": n})
}

func party(id string) map[string]any { return map[string]any{"party": id} }

// Whoever works through the open shipments receives them between one page and the next; none is lost for that.
func TestPagesOfOpenShipmentsWhileReceiving(t *testing.T) {
	w := newWorld(t)
	units := w.makeUnits(t, "PAGES", 3)
	for _, u := range units {
		w.tell(t, "manufacturer", "ship", map[string]any{"items": []string{u}, "to": party("corner")})
	}
	const open = "/v1/shipments?to=corner&from=lakeside&open=true&limit=1"
	first := ask[tracing.Shipments](t, w, open)
	if len(first.Shipments) != 1 || first.Next == "" {
		t.Fatalf("%+v", first)
	}
	w.tell(t, "pharmacy", "receive", map[string]any{"items": units[2:], "from": party("lakeside")})
	second := ask[tracing.Shipments](t, w, open+"&after="+first.Next)
	if len(second.Shipments) != 1 || second.Shipments[0].Open != 1 || second.Next == "" {
		t.Fatalf("after the first was received, the next page is %+v, want the second of three shipments", second)
	}
	w.tell(t, "pharmacy", "receive", map[string]any{"items": units[:2], "from": party("lakeside")})
}

// What has ended on its way will never be received, so nobody waits for it.
func TestEndedOnTheWayIsNotOpen(t *testing.T) {
	w := newWorld(t)
	units := w.makeUnits(t, "ENDED", 2)
	w.tell(t, "manufacturer", "ship", map[string]any{"items": units, "to": party("corner")})
	w.tell(t, "manufacturer", "destroy", map[string]any{"items": units[:1]})
	s := ask[tracing.Shipments](t, w, "/v1/shipments?to=corner&from=lakeside&limit=1").Shipments[0]
	if s.Total != 2 || s.Open != 1 {
		t.Errorf("%d of %d are open, want 1 of 2: the other was destroyed", s.Open, s.Total)
	}
	w.tell(t, "pharmacy", "receive", map[string]any{"items": units[1:], "from": party("lakeside")})
}

// A token is of the list that gave it: that of another list is refused, and not taken for the end of this one.
func TestTokenOfAnotherList(t *testing.T) {
	w := newWorld(t)
	token := ask[tracing.Products](t, w, "/v1/products?limit=1").Next
	if token == "" {
		t.Fatal("the story's two products are on one page of one")
	}
	for _, path := range []string{"/v1/lots?after=", "/v1/shipments?to=midland&after="} {
		resp, b := w.call(t, "api", http.MethodGet, path+token, nil)
		if p := problemOf(t, resp, b); p.Code != httpapi.PageTokenInvalid {
			t.Errorf("%s: %d %s", path, resp.StatusCode, b)
		}
	}
}
