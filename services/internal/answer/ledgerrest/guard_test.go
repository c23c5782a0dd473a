package ledgerrest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
)

// pack packs and returns the container.
func (w *world) pack(t *testing.T, service string, of ...string) string {
	t.Helper()
	job, err := demo.Command(t.Context(), w.n.URLs[service], "pack", map[string]any{"children": of})
	var made struct{ Parent string }
	if err != nil || !job.Success || json.Unmarshal(job.Result, &made) != nil {
		t.Fatalf("pack: %v %+v", err, job)
	}
	return made.Parent
}

// post sends a body that is to be refused, and returns the problem.
func (w *world) post(t *testing.T, service, path, body string) *httpapi.Problem {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.n.URLs[service]+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	p := &httpapi.Problem{}
	if err := errors.Join(err, json.Unmarshal(b, p)); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	if resp.StatusCode < 400 {
		t.Errorf("%s at %s was not refused: %s", path, service, b)
	}
	return p
}

func (w *world) sgln(t *testing.T, party string) string {
	t.Helper()
	p := ask[tracing.Party](t, w, "/v1/parties/"+party)
	return p.Places[0].ID
}

// shipDocument is a document with one shipping event, as another system would write it.
func (w *world) shipDocument(t *testing.T, item, from, to string, more string) string {
	t.Helper()
	owner, buyer := w.sgln(t, from), w.sgln(t, to)
	return fmt.Sprintf(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0",
		"creationDate":%[1]q,"epcisBody":{"eventList":[{"type":"ObjectEvent","eventTime":%[1]q,"eventTimeZoneOffset":"+00:00","epcList":[%[2]q],
		"action":"OBSERVE","bizStep":"shipping","disposition":"in_transit","readPoint":{"id":%[3]q},%[5]s
		"sourceList":[{"type":"owning_party","source":%[3]q}],"destinationList":[{"type":"owning_party","destination":%[4]q}]}]}}`,
		time.Now().UTC().Format(time.RFC3339), item, owner, buyer, more)
}

// Goods that must not move are refused before anything is captured: by command and by document alike, with the same code and in the
// same words, which are the ledger's.
func TestGoodsThatMustNotMove(t *testing.T) {
	w := newWorld(t)
	const maker, wholesaler = "manufacturer", "distributor"
	gtin := w.told.Product.GTIN
	unit := func(t *testing.T, lot string) string { t.Helper(); return w.makeUnits(t, lot, 1)[0] }
	marked := func(reason string) func(*testing.T, string) string {
		return func(t *testing.T, at string) string {
			t.Helper()
			u := unit(t, "MARKED")
			if at == "around" {
				box := w.pack(t, maker, u, unit(t, "MARKED"))
				w.tell(t, maker, "quarantine", map[string]any{"items": []string{box}, "reason": reason})
				return u
			}
			w.tell(t, maker, "quarantine", map[string]any{"items": []string{u}, "reason": reason})
			if at == "inside" {
				return w.pack(t, maker, u, unit(t, "MARKED"))
			}
			return u
		}
	}
	placed := func(t *testing.T, at, u string) string {
		t.Helper()
		if at == "inside" {
			return w.pack(t, maker, u)
		}
		return u
	}
	recalled := func(number string, body map[string]any) {
		t.Helper()
		body["recallNumber"], body["classification"], body["reason"] = number, "I", "Glass"
		w.tell(t, maker, "recall", body)
	}
	tests := []struct {
		mark   string
		places string
		make   func(t *testing.T, at string) string
		want   httpapi.Code
		says   string
	}{
		{"quarantined", "itself around inside", marked("suspect"), httpapi.GoodsQuarantined, "marked quarantined"},
		{"marked recalled", "itself around inside", marked("recalled"), httpapi.GoodsRecalled, "marked recalled"},
		{"marked expired", "itself around inside", marked("expired"), httpapi.GoodsExpired, "marked expired"},
		{"on hold", "inside", func(t *testing.T, _ string) string {
			t.Helper()
			u := unit(t, "HELD")
			w.tell(t, maker, "quarantine", map[string]any{"items": []string{u}, "reason": "stolen"})
			return w.pack(t, maker, u) // what was stolen turns up
		}, httpapi.GoodsQuarantined, "hold"},
		{"recalled unit", "itself inside", func(t *testing.T, at string) string {
			t.Helper()
			u := unit(t, "RECALLED-UNIT")
			recalled("R-UNIT-"+at, map[string]any{"units": []string{u}})
			return placed(t, at, u)
		}, httpapi.GoodsRecalled, ""},
		{"recalled lot", "itself inside", func(t *testing.T, at string) string {
			t.Helper()
			u := unit(t, "RECALLED-"+at)
			recalled("R-LOT-"+at, map[string]any{"gtin": gtin, "lot": "RECALLED-" + at})
			return placed(t, at, u)
		}, httpapi.GoodsRecalled, "class I: Glass"},
		{"returned", "itself inside", func(t *testing.T, at string) string {
			t.Helper()
			u := unit(t, "RETURNED")
			w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoDistributor)})
			w.tell(t, wholesaler, "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
			w.tell(t, wholesaler, "return", map[string]any{"items": []string{u}, "to": party(localnet.DemoMaker), "returnAuthorization": "RMA-1"})
			w.tell(t, maker, "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoDistributor), "returnAuthorization": "RMA-1"})
			return placed(t, at, u)
		}, httpapi.GoodsUnreleasedReturn, "marked returned"},
	}
	for _, tt := range tests {
		for at := range strings.FieldsSeq(tt.places) {
			t.Run(tt.mark+"/"+at, func(t *testing.T) {
				item := tt.make(t, at)
				body, err := json.Marshal(map[string]any{"items": []string{item}, "to": party(localnet.DemoDistributor)})
				if err != nil {
					t.Fatal(err)
				}
				w.refusedAlike(t, maker, "/v1/ship", string(body), w.shipDocument(t, item, localnet.DemoMaker, localnet.DemoDistributor, ""), tt.want, tt.says)
			})
		}
	}
	t.Run("suspect", func(t *testing.T) { // two places: the wholesaler has what the maker never shipped
		u := unit(t, "TWO-PLACES")
		w.tell(t, wholesaler, "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
		if _, err := demo.Command(t.Context(), w.n.URLs[maker], "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)}); err != nil {
			t.Fatal(err)
		}
		body := `{"items":["` + u + `"],"to":{"party":"` + localnet.DemoPharmacy + `"}}`
		w.refusedAlike(t, wholesaler, "/v1/ship", body, w.shipDocument(t, u, localnet.DemoDistributor, localnet.DemoPharmacy, ""), httpapi.GoodsSuspect, "suspect")
	})
	t.Run("expired", func(t *testing.T) {
		made := w.tell(t, maker, "commission", map[string]any{"gtin": gtin, "lot": "OLD", "expiry": "2026-06-30", "count": 1, "eventTime": "2026-02-01T09:00:00Z"})
		for _, item := range []string{made[0], w.pack(t, maker, made[0])} {
			body := `{"items":["` + item + `"],"to":{"party":"` + localnet.DemoDistributor + `"}}`
			w.refusedAlike(t, maker, "/v1/ship", body, w.shipDocument(t, item, localnet.DemoMaker, localnet.DemoDistributor, ""), httpapi.GoodsExpired, "2026-06-30")
		}
	})
	t.Run("to whom", func(t *testing.T) {
		u := unit(t, "TO-WHOM")
		body := `{"items":["` + u + `"],"to":{"owner":"urn:epc:id:sgln:0614141.00001.0"}}`
		document := strings.ReplaceAll(w.shipDocument(t, u, localnet.DemoMaker, localnet.DemoDistributor, ""), w.sgln(t, localnet.DemoDistributor), "urn:epc:id:sgln:0614141.00001.0")
		w.refusedAlike(t, maker, "/v1/ship", body, document, httpapi.PartnerNotAuthorized, "is not registered")
	})
	t.Run("without licence on that day", func(t *testing.T) {
		u := unit(t, "NO-LICENCE")
		body := `{"items":["` + u + `"],"to":{"party":"` + localnet.DemoDistributor + `"},"eventTime":"1999-02-01T09:00:00Z"}`
		document := w.shipDocument(t, u, localnet.DemoMaker, localnet.DemoDistributor, "")
		document = regexp.MustCompile(`"eventTime":"[^"]*"`).ReplaceAllString(document, `"eventTime":"1999-02-01T09:00:00Z"`)
		a, b := w.post(t, maker, "/v1/ship", body), w.post(t, maker, "/capture", document)
		if a.Code != httpapi.ActorNotAuthorized || b.Code != httpapi.ActorNotAuthorized || a.Status != http.StatusForbidden {
			t.Errorf("%+v\n%+v", a, b)
		}
	})
	t.Run("without parties", func(t *testing.T) {
		document := w.shipDocument(t, unit(t, "NOBODY"), localnet.DemoMaker, localnet.DemoDistributor, "")
		before, _, _ := strings.Cut(document, `"sourceList"`)
		if p := w.post(t, maker, "/capture", strings.TrimRight(strings.TrimSpace(before), ",")+"}]}}"); p.Code != httpapi.ShipmentWithoutParties {
			t.Errorf("%+v", p)
		}
	})
	t.Run("to a patient", func(t *testing.T) {
		u := unit(t, "DISPENSED")
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)})
		w.tell(t, "pharmacy", "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
		w.tell(t, "pharmacy", "quarantine", map[string]any{"items": []string{u}})
		document := strings.Replace(w.shipDocument(t, u, localnet.DemoPharmacy, localnet.DemoMaker, ""), `"shipping","disposition":"in_transit"`, `"dispensing","disposition":"dispensed"`, 1)
		before, _, _ := strings.Cut(document, `"sourceList"`)
		document = strings.TrimRight(strings.TrimSpace(before), ",") + "}]}}"
		w.refusedAlike(t, "pharmacy", "/v1/dispense", `{"items":["`+u+`"]}`, document, httpapi.GoodsQuarantined, "marked quarantined")
		w.tell(t, "pharmacy", "release", map[string]any{"items": []string{u}})
		w.tell(t, "pharmacy", "dispense", map[string]any{"items": []string{u}})
	})
	t.Run("sent back to somebody", func(t *testing.T) {
		u := unit(t, "NOT-SOLD")
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)})
		w.tell(t, "pharmacy", "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
		body := `{"items":["` + u + `"],"to":{"party":"` + localnet.DemoDistributor + `"},"returnAuthorization":"RMA-2"}`
		more := `"bizTransactionList":[{"type":"rma","bizTransaction":"urn:epcglobal:cbv:bt:0399990000005:RMA-2"}],`
		w.refusedAlike(t, "pharmacy", "/v1/return", body, w.shipDocument(t, u, localnet.DemoPharmacy, localnet.DemoDistributor, more), httpapi.ReturnNotSold, "neither sold it")
	})
}

func (w *world) refusedAlike(t *testing.T, service, path, body, document string, want httpapi.Code, says string) {
	t.Helper()
	byCommand := w.post(t, service, path, body)
	byDocument := w.post(t, service, "/capture", document)
	for how, p := range map[string]*httpapi.Problem{"command": byCommand, "document": byDocument} {
		if p.Code != want || p.Status != httpapi.Lookup(want).Status || len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Message, says) || p.Errors[0].Hint == "" {
			t.Errorf("by %s: %+v, want %s and %q", how, p, want, says)
		}
	}
	if byCommand.Detail != byDocument.Detail {
		t.Errorf("in other words:\n%s\n%s", byCommand.Detail, byDocument.Detail)
	}
}

// A mistaken dispense is taken back by the pharmacy that recorded it, and by nobody else. What later events build upon stays.
func TestTakeBack(t *testing.T) {
	w := newWorld(t)
	u := w.makeUnits(t, "TAKEN-BACK", 1)[0]
	w.tell(t, "manufacturer", "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy), "po": "PO-77"})
	w.tell(t, "pharmacy", "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
	w.tell(t, "pharmacy", "dispense", map[string]any{"items": []string{u}})
	state := func() string { return ask[tracing.Trace](t, w, "/v1/trace?id="+url.QueryEscape(u)).State }
	steps := ask[tracing.Trace](t, w, "/v1/trace?id="+url.QueryEscape(u)).Steps
	at := func(step string) tracing.Step {
		t.Helper()
		i := slices.IndexFunc(steps, func(s tracing.Step) bool { return s.Step == step })
		return steps[i]
	}
	dispensed, shipped := at("dispensing"), at("shipping")
	if got := state(); got != "dispensed" {
		t.Fatal(got)
	}
	body := func(event string) string { return `{"event":"` + event + `"}` }
	if p := w.post(t, "pharmacy", "/v1/take-back", body(shipped.Position.String())); p.Code != httpapi.TakeBackNotAuthor {
		t.Errorf("another's event: %+v", p)
	}
	p := w.post(t, "manufacturer", "/v1/take-back", body(shipped.EventID))
	if p.Code != httpapi.TakeBackBlocked || !strings.Contains(p.Detail, dispensed.Position.String()) {
		t.Errorf("with later events: %+v", p)
	}
	if p := w.post(t, "pharmacy", "/v1/take-back", body("999999/0/0")); p.Code != httpapi.UnknownEvent {
		t.Errorf("no event: %+v", p)
	}
	w.tell(t, "pharmacy", "take-back", map[string]any{"event": dispensed.Position.String(), "reason": "incorrect_data"})
	if got := state(); got != "active" {
		t.Errorf("after taking it back it is %s", got)
	}
	w.tell(t, "pharmacy", "dispense", map[string]any{"items": []string{u}})
}
