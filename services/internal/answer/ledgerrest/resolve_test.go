package ledgerrest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/proof"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet/demo"
)

// A finding that a party closes says so wherever the package is looked at: who, with which outcome, and whether it is the
// party that raised it.
func TestFindingThatIsResolved(t *testing.T) {
	w := newWorld(t)
	gtin := w.told.Product.GTIN
	id := func(serial string) string { return "(01)" + gtin + "(21)" + serial }
	do := func(service, command string, body map[string]any) (code string) {
		t.Helper()
		job, err := demo.Command(t.Context(), w.n.URLs[service], command, body)
		if err != nil {
			t.Fatalf("%s: %v", command, err)
		}
		for _, v := range job.Verdicts {
			code = v.Code
		}
		return code
	}
	get := func(path, serial string, answer any) {
		t.Helper()
		_, b := w.call(t, "api", http.MethodGet, path+"?id="+url.QueryEscape(id(serial)), nil)
		if err := json.Unmarshal(b, answer); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
	}
	finding := func(serial, code string) tracing.FindingView {
		t.Helper()
		var tr tracing.Trace
		get("/v1/trace", serial, &tr)
		for _, f := range tr.Findings {
			if f.Code == code {
				return f
			}
		}
		t.Fatalf("no %s: %+v", code, tr.Findings)
		return tracing.FindingView{}
	}

	do("pharmacy", "receive", map[string]any{"items": []string{id("FOUND1")}, "from": map[string]any{"party": "midland"}})
	f := finding("FOUND1", "NOT_COMMISSIONED")
	if f.State != "open" || f.Author == nil || len(f.Closers) != 2 || len(f.Outcomes) != 3 || f.Outcomes[0] != custody.Cleared {
		t.Errorf("%+v", f)
	}
	resolution := map[string]any{
		"event": f.Position.String(), "code": f.Code, "outcome": "cleared", "note": "printed on our line 4", "units": []string{id("FOUND1")},
	}
	if _, err := demo.Command(t.Context(), w.n.URLs["pharmacy"], "findings/resolve", resolution); err == nil || !strings.Contains(err.Error(), "resolve_forbidden") {
		t.Errorf("its author: %v", err)
	}
	if code := do("manufacturer", "findings/resolve", resolution); code != "" {
		t.Errorf("the maker: %s", code)
	}
	if code := do("manufacturer", "findings/resolve", resolution); code != "DUP_EVENT" {
		t.Errorf("again: %s", code)
	}
	f = finding("FOUND1", "NOT_COMMISSIONED")
	if f.State != "closed" || len(f.Changes) != 1 || f.Outcomes != nil || f.Closers != nil {
		t.Fatalf("%+v", f)
	}
	c := f.Changes[0]
	if c.By == nil || c.By.ID == f.Author.ID || c.ByAuthor || c.Outcome != custody.Cleared || c.Meaning == "" || c.Note != "printed on our line 4" || c.Time == nil || c.Cause == nil {
		t.Errorf("%+v", c)
	}
	var check tracing.Check
	get("/v1/verify", "FOUND1", &check)
	if len(check.Closed) != 1 || check.Closed[0].Changes[0].Outcome != custody.Cleared {
		t.Errorf("%+v", check.Closed)
	}
	_, b := w.call(t, "api", http.MethodGet, "/v1/proof?id="+url.QueryEscape(id("FOUND1")), nil)
	bundle, err := proof.ParseJSON(b)
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if r, err := proof.Verify(w.n.Genesis, bundle); err != nil || len(r.Amendments) != 1 || r.Amendments[0].Cause != *c.Cause {
		t.Errorf("%v %+v", err, r)
	}

	// An author closes its flag.
	do("manufacturer", "commission", map[string]any{"gtin": gtin, "lot": "FLAGS", "expiry": "2029-01-31", "serials": []string{"FLAG1", "FLAG2"}})
	do("manufacturer", "pack", map[string]any{"children": []string{id("FLAG1"), id("FLAG2")}})
	do("manufacturer", "quarantine", map[string]any{"items": []string{id("FLAG1")}, "reason": "damaged"})
	f = finding("FLAG1", "CHILD_EVENT_WHILE_PACKED")
	if code := do("manufacturer", "findings/resolve", map[string]any{
		"event": f.Position.String(), "code": f.Code, "outcome": "acknowledged", "units": []string{id("FLAG1")},
	}); code != "" {
		t.Error(code)
	}
	if f = finding("FLAG1", "CHILD_EVENT_WHILE_PACKED"); len(f.Changes) != 1 || !f.Changes[0].ByAuthor {
		t.Errorf("%+v", f)
	}
}
