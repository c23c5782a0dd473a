package ledgerrest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/journal"
)

// remarked is an act that the ledger records with a finding. Each way of telling it gets goods of its own.
type remarked struct {
	code, severity string
	service        string // who tells it
	// ready makes the goods. It returns one act twice: as a command, and as the event of a document.
	ready func(t *testing.T, n int) (command string, body map[string]any, event string)
}

// What the table of issue 12 does not refuse is recorded with its finding, by command and by document alike: the same code, the same
// severity, and what to do in the same words.
func TestWhatIsRecordedWithAFinding(t *testing.T) {
	w := newWorld(t)
	const maker, wholesaler, pharmacy = "manufacturer", "distributor", "pharmacy"
	gtin := w.told.Product.GTIN
	here, there := w.sgln(t, localnet.DemoMaker), w.sgln(t, localnet.DemoDistributor)
	event := func(when time.Time, action, step, place string, items []string, more string) string {
		list, err := json.Marshal(items)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"type":"ObjectEvent","eventTime":%q,"eventTimeZoneOffset":"+00:00","epcList":%s,"action":%q,"bizStep":%q,"readPoint":{"id":%q},"bizLocation":{"id":%[5]q}%s}`,
			when.UTC().Format(time.RFC3339), list, action, step, place, more)
	}
	parties := func(from, to string) string {
		return fmt.Sprintf(`,"sourceList":[{"type":"owning_party","source":%q}],"destinationList":[{"type":"owning_party","destination":%q}]`, from, to)
	}
	rmaOf := func(number string) string {
		return `,"bizTransactionList":[{"type":"rma","bizTransaction":"urn:epcglobal:cbv:bt:0399990000005:` + number + `"}]`
	}
	born := func(items []string, lot string) string {
		return event(time.Now(), "ADD", "commissioning", here, items, `,"ilmd":{"cbvmda:lotNumber":"`+lot+`","cbvmda:itemExpirationDate":"2029-01-31"}`)
	}
	unit := func(t *testing.T, lot string) string { t.Helper(); return w.makeUnits(t, lot, 1)[0] }
	stem := unit(t, "REMARKS")
	stem = stem[:strings.LastIndexByte(stem, '.')+1]
	sold := func(t *testing.T, u string) {
		t.Helper()
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoDistributor)})
	}
	receive := func(u string) (string, map[string]any, string) {
		return "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)}, event(time.Now(), "OBSERVE", "receiving", there, []string{u}, parties(here, there))
	}
	commission := func(product, lot, serial string, count int) (string, map[string]any, string) {
		var serials, epcs []string
		root := stem
		if product != gtin {
			root = strings.Replace(stem, "."+gtin[:1], "."+product[:1], 1)
		}
		for i := range count {
			serials = append(serials, fmt.Sprint(serial, "C", i))
			epcs = append(epcs, fmt.Sprint(root, serial, "D", i))
		}
		return "commission", map[string]any{"gtin": product, "lot": lot, "expiry": "2029-01-31", "serials": serials}, born(epcs, lot)
	}
	lots := func(t *testing.T, lot string, size int) {
		t.Helper()
		w.tell(t, maker, "lots", map[string]any{"gtin": gtin, "lot": lot, "expiry": "2029-01-31", "size": size})
	}
	for _, tt := range []remarked{
		{"RECEIVE_RECALLED", "flag", wholesaler, func(t *testing.T, n int) (string, map[string]any, string) {
			t.Helper()
			u := unit(t, fmt.Sprint("RR", n))
			sold(t, u)
			w.tell(t, maker, "recall", map[string]any{"recallNumber": fmt.Sprint("R-RR-", n), "classification": "I", "reason": "Glass", "units": []string{u}})
			return receive(u)
		}},
		{"RECEIVE_EXPIRED", "flag", wholesaler, func(t *testing.T, n int) (string, map[string]any, string) {
			t.Helper()
			u := w.tell(t, maker, "commission", map[string]any{"gtin": gtin, "lot": fmt.Sprint("RE", n), "expiry": "2026-06-30", "count": 1, "eventTime": "2026-02-01T09:00:00Z"})[0]
			w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoDistributor), "eventTime": "2026-06-29T09:00:00Z"})
			return receive(u)
		}},
		{"RETURN_NO_SALE", "hold", wholesaler, func(t *testing.T, _ int) (string, map[string]any, string) {
			t.Helper()
			u := unit(t, "NO-SALE")
			w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)})
			w.tell(t, pharmacy, "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
			body := map[string]any{"items": []string{u}, "from": party(localnet.DemoPharmacy), "returnAuthorization": "RMA-9"}
			return "receive", body, event(time.Now(), "OBSERVE", "receiving", there, []string{u}, parties(w.sgln(t, localnet.DemoPharmacy), there)+rmaOf("RMA-9"))
		}},
		{"RETURN_AUTH_MISMATCH", "flag", maker, func(t *testing.T, _ int) (string, map[string]any, string) {
			t.Helper()
			u := unit(t, "OTHER-RMA")
			sold(t, u)
			w.tell(t, wholesaler, "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
			w.tell(t, wholesaler, "return", map[string]any{"items": []string{u}, "to": party(localnet.DemoMaker), "returnAuthorization": "RMA-10"})
			body := map[string]any{"items": []string{u}, "from": party(localnet.DemoDistributor), "returnAuthorization": "RMA-11"}
			return "receive", body, event(time.Now(), "OBSERVE", "receiving", here, []string{u}, parties(there, here)+rmaOf("RMA-11"))
		}},
		{"SHIP_BEFORE_COMMISSION", "flag", maker, func(t *testing.T, _ int) (string, map[string]any, string) {
			t.Helper()
			u, early := unit(t, "EARLY"), time.Now().Add(-time.Hour)
			body := map[string]any{"items": []string{u}, "to": party(localnet.DemoDistributor), "eventTime": early.UTC().Format(time.RFC3339)}
			return "ship", body, event(early, "OBSERVE", "shipping", here, []string{u}, parties(here, there)) // on hold when the grace time ends
		}},
		{"SELF_SHIP", "flag", maker, func(t *testing.T, _ int) (string, map[string]any, string) {
			t.Helper()
			u := unit(t, "SELF")
			body := map[string]any{"items": []string{u}, "to": party(localnet.DemoMaker)}
			return "ship", body, event(time.Now(), "OBSERVE", "shipping", here, []string{u}, parties(here, here))
		}},
		{"AGG_UNKNOWN_CHILD", "flag", maker, func(t *testing.T, n int) (string, map[string]any, string) {
			t.Helper()
			u := fmt.Sprint(stem, "NEVER", n)
			return "pack", map[string]any{"children": []string{u}}, fmt.Sprintf(`{"type":"AggregationEvent","eventTime":%q,"eventTimeZoneOffset":"+00:00",
				"parentID":"urn:epc:id:sscc:0399990.9000000001","childEPCs":[%q],"action":"ADD","bizStep":"packing","readPoint":{"id":%q},"bizLocation":{"id":%[3]q}}`,
				time.Now().UTC().Format(time.RFC3339), u, here)
		}},
		{"LOT_UNREGISTERED", "flag", maker, func(t *testing.T, n int) (string, map[string]any, string) {
			t.Helper()
			return commission(gtin, fmt.Sprint("NO-LOT", n), fmt.Sprint("NL", n), 1)
		}},
		{"LOT_OVERRUN", "flag", maker, func(t *testing.T, n int) (string, map[string]any, string) {
			t.Helper()
			lot := fmt.Sprint("OVERRUN", n)
			lots(t, lot, 1)
			return commission(gtin, lot, fmt.Sprint("LO", n), 2)
		}},
		{"GTIN_UNKNOWN", "flag", maker, func(t *testing.T, n int) (string, map[string]any, string) {
			t.Helper()
			return commission(sibling(gtin, 6), fmt.Sprint("UNKNOWN", n), fmt.Sprint("GU", n), 1)
		}},
	} {
		t.Run(tt.code, func(t *testing.T) {
			var found []capture.Verdict
			for n, how := range []string{"command", "document"} {
				command, body, event := tt.ready(t, n)
				var job *capture.Job
				if how == "command" {
					var err error
					if job, err = demo.Command(t.Context(), w.n.URLs[tt.service], command, body); err != nil {
						t.Fatal(err)
					}
				} else {
					job = w.captured(t, tt.service, event)
				}
				v := job.Verdicts[len(job.Verdicts)-1]
				if !slices.ContainsFunc(v.Findings, func(f journal.Finding) bool { return f.Code == tt.code && f.Severity == tt.severity }) {
					t.Errorf("by %s: %+v, want %s %s", how, v, tt.severity, tt.code)
				}
				found = append(found, v)
			}
			if a, b := of(found[0], tt.code), of(found[1], tt.code); a.Detail == "" || a.Detail != b.Detail || found[0].Verdict != found[1].Verdict {
				t.Errorf("in other words:\n%+v\n%+v", found[0], found[1])
			}
		})
	}
	t.Run("received recalled", func(t *testing.T) { // what is set aside by a receipt must not move either
		u := unit(t, "ASIDE")
		sold(t, u)
		w.tell(t, maker, "recall", map[string]any{"recallNumber": "R-ASIDE", "classification": "I", "reason": "Glass", "units": []string{u}})
		w.tell(t, wholesaler, "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
		if got := ask[tracing.Trace](t, w, "/v1/trace?id="+u); !slices.Contains(got.Overlays, "quarantined") {
			t.Errorf("%+v", got.Overlays)
		}
	})
}

// captured captures a document with one event, and waits for its job.
func (w *world) captured(t *testing.T, service, event string) *capture.Job {
	t.Helper()
	resp, b := w.send(t, service, fmt.Sprintf(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0",
		"creationDate":"2026-11-01T00:00:00Z","epcisBody":{"eventList":[%s]}}`, event))
	j := &capture.Job{}
	if err := json.Unmarshal(b, j); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%v: %d %s", err, resp.StatusCode, b)
	}
	for j.Running || j.State != "indexed" {
		if _, b := w.call(t, service, http.MethodGet, "/capture/"+j.CaptureID+"?wait=indexed&timeout=30s", nil); json.Unmarshal(b, j) != nil || t.Context().Err() != nil {
			t.Fatalf("%s", b)
		}
	}
	return j
}

// of is the finding of a verdict that has a code.
func of(v capture.Verdict, code string) journal.Finding {
	for _, f := range v.Findings {
		if f.Code == code {
			return f
		}
	}
	return journal.Finding{}
}
