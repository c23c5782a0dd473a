package ledgerrest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"verilot.dev/ledger/proof"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet/demo"
)

// A package comes to the pharmacy before its papers. When they come, its trace and its proof say that what was found is closed,
// and by what; a package is not told apart for ever by a record that was late.
func TestFindingThatIsCured(t *testing.T) {
	w := newWorld(t)
	id := "(01)" + w.told.Product.GTIN + "(21)LATE1"
	do := func(service, command string, body map[string]any) {
		t.Helper()
		job, err := demo.Command(t.Context(), w.n.URLs[service], command, body)
		if err != nil || !job.Success {
			t.Fatalf("%s: %v %+v", command, err, job)
		}
	}
	trace := func() (tr tracing.Trace) {
		t.Helper()
		_, b := w.call(t, "api", http.MethodGet, "/v1/trace?id="+url.QueryEscape(id), nil)
		if err := json.Unmarshal(b, &tr); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		return tr
	}
	do("pharmacy", "receive", map[string]any{"items": []string{id}, "from": map[string]any{"party": "midland"}})
	before := trace()
	if len(before.Findings) != 2 || before.Findings[0].Code != "NOT_COMMISSIONED" || before.Findings[0].State != "open" || before.Findings[1].Code != "RECEIVE_NO_SHIP" {
		t.Fatalf("%+v", before.Findings)
	}
	do("manufacturer", "commission", map[string]any{"gtin": w.told.Product.GTIN, "lot": "LATE", "expiry": "2029-01-31", "serials": []string{"LATE1"}})
	after := trace()
	f := after.Findings[0]
	if f.State != "closed" || len(f.Changes) != 1 || f.Changes[0].State != "closed" || f.Changes[0].Cause == nil || f.Changes[0].Cause.Height != f.Changes[0].Height {
		t.Errorf("%+v", f)
	}
	if after.Findings[1].State != "open" {
		t.Errorf("%+v", after.Findings[1])
	}
	first := after.Steps[0]
	if first.Step != "receiving" { // the display goes by event time
		first = after.Steps[1]
	}
	if len(first.Findings) != 2 || first.Findings[0].State != "closed" || first.Findings[0].Changes[0].Height != f.Changes[0].Height {
		t.Errorf("%+v", first)
	}

	_, b := w.call(t, "api", http.MethodGet, "/v1/proof?id="+url.QueryEscape(id), nil)
	bundle, err := proof.ParseJSON(b)
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	r, err := proof.Verify(w.n.Genesis, bundle)
	if err != nil || len(r.Amendments) != 1 || r.Amendments[0].Code != "NOT_COMMISSIONED" || len(r.Amendments[0].OfSubject) != 1 {
		t.Errorf("%v %+v", err, r)
	}

	resp, b := w.call(t, "api", http.MethodGet, "/v1/blocks/"+strconv.FormatUint(f.Changes[0].Height, 10), nil)
	var block struct {
		Amendments []struct{ Code, From, To string }
	}
	if err := json.Unmarshal(b, &block); err != nil || len(block.Amendments) != 1 || block.Amendments[0].From != "open" || block.Amendments[0].To != "closed" {
		t.Errorf("%d %v: %s", resp.StatusCode, err, b)
	}
}
