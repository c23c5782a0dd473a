package partner

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/onboard"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

// Everything that is wrong with a capture has its own code, status, and a sentence that says what to do; nothing half-done
// stays behind.
func TestBadInput(t *testing.T) {
	const when = "2026-11-20T06:00:00-05:00"
	good := event(when, "commissioning", "ADD", ilmd, sgtins(2, "G")...)
	future := event("2026-11-20T13:00:00-05:00", "commissioning", "ADD", ilmd, sgtins(1, "F")...)
	foreign := event(when, "commissioning", "ADD", ilmd, "urn:epc:id:sgtin:0614141.010001.X1")
	dispensing := event(when, "dispensing", "OBSERVE", "", sgtins(1, "D")...)
	bad := event(when, "commissioning", "ADDED", ilmd, sgtins(1, "B")...)
	huge := event(when, "commissioning", "ADD", ilmd, sgtins(16385, "H")...)
	many := document(event(when, "commissioning", "ADD", ilmd, sgtins(9000, "M")...), event(when, "commissioning", "ADD", ilmd, sgtins(9000, "N")...))
	lot := `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31"}`

	w := newWorld(t, Manufacturer(), "maker")
	pharmacy := newWorld(t, Pharmacy(), "pharm")
	stranger := &world{tb: t, ledger: w.ledger, clock: w.clock, dir: t.TempDir(), profile: Manufacturer(), party: "nobody"}
	stranger.start()
	t.Cleanup(stranger.kill)
	production := &world{tb: t, ledger: outboxtest.NewLedger(t, outboxtest.Genesis(t, false)), clock: w.clock, dir: t.TempDir(), profile: Manufacturer(), party: "maker"}
	production.start()
	t.Cleanup(production.kill)
	if rec := w.call("POST", "/v1/lots", map[string]string{"Content-Type": jsonType, "Idempotency-Key": "taken"}, lot); rec.Code != http.StatusAccepted {
		t.Fatal(rec.Body)
	}

	for _, tt := range []struct {
		name, path, contentType, body string
		header                        string // name: value
		on                            *world
		status                        int
		code                          httpapi.Code
		says                          string
	}{
		{"not XML", "/capture", "application/xml", "hello", "", w, 400, httpapi.MalformedDocument, "line 1"},
		{"cut off", "/capture", "application/xml", document(good)[:400], "", w, 400, httpapi.MalformedDocument, "line "},
		{"another document", "/capture", "application/xml", "<invoice/>", "", w, 400, httpapi.MalformedDocument, "EPCISDocument"},
		{"no event", "/capture", "application/xml", document(), "", w, 400, httpapi.EmptyDocument, "EventList"},
		{"JSON-LD", "/capture", "application/ld+json", "{}", "", w, 400, httpapi.MalformedDocument, "line 1"},
		{"XML called JSON", "/capture", "application/ld+json", document(good), "", w, 415, httpapi.UnsupportedMediaType, "begins like XML"},
		{"JSON called XML", "/capture", "text/xml", " \n{}", "", w, 415, httpapi.UnsupportedMediaType, "begins like JSON"},
		{"another format", "/capture", "text/csv", document(good), "", w, 415, httpapi.UnsupportedMediaType, "application/json or application/ld+json"},
		{"compressed", "/capture", "application/xml", document(good), "Content-Encoding: gzip", w, 415, httpapi.UnsupportedMediaType, "not compressed"},
		{"a version to come", "/capture", "application/xml", document(good), "GS1-EPCIS-Version: 3.0.0", w, 406, httpapi.NotAcceptable, "EPCIS 1.0.0 to 2.0.0"},
		{"only later versions", "/capture", "application/xml", document(good), "GS1-EPCIS-Min: 2.1", w, 406, httpapi.NotAcceptable, "speaks EPCIS"},
		{"only earlier versions", "/capture", "application/xml", document(good), "GS1-CBV-Max: 0.9", w, 406, httpapi.NotAcceptable, "speaks CBV"},
		{"no version", "/capture", "application/xml", document(good), "GS1-CBV-Version: new", w, 400, httpapi.InvalidParameter, "like 2.0.0"},
		{"a document as an event", "/events", "application/xml", document(good), "", w, 400, httpapi.MalformedDocument, "/events takes one event"},
		{"no content type", "/capture", "", document(good), "", w, 415, httpapi.UnsupportedMediaType, "application/xml or text/xml"},
		{"unknown behaviour", "/capture", "application/xml", document(good), "GS1-Capture-Error-Behaviour: maybe", w, 400, httpapi.InvalidParameter, "rollback or proceed"},
		{"bad event", "/capture", "application/xml", document(good, bad), "", w, 400, httpapi.InvalidEvent, `"line":4`},
		{"future event", "/capture", "application/xml", document(good, future), "", w, 400, httpapi.FutureEvent, "clock"},
		{"foreign GTIN", "/capture", "application/xml", document(good, foreign), "", w, 403, httpapi.GTINNotOwned, "own company prefixes"},
		{"wrong role", "/capture", "application/xml", document(good, dispensing), "", w, 403, httpapi.RoleForbidden, "does not allow dispensing"},
		{"several faults", "/capture", "application/xml", document(good, bad, future, foreign, dispensing), "", w, 400, httpapi.EventsRefused, "4 of 5 events"},
		{"event too large", "/capture", "application/xml", document(huge), "", w, 413, httpapi.EventTooLarge, "16384"},
		{"document too large", "/capture", "application/xml", many, "", w, 413, httpapi.CaptureLimitExceeded, "proceed"},
		{"body too large", "/v1/lots", jsonType, strings.Repeat(" ", 9<<20), "", w, 413, httpapi.BodyTooLarge, "in parts"},
		{"key reused", "/v1/lots", jsonType, strings.Replace(lot, "L1", "L2", 1), "Idempotency-Key: taken", w, 409, httpapi.IdempotencyKeyReused, "new key"},
		{"unknown key", "/v1/lots", jsonType, lot, "", stranger, 403, httpapi.KeyUnknown, "authority"},
		{"forbidden command", "/v1/commission", jsonType, `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31","count":1}`, "", pharmacy, 403, httpapi.RoleForbidden, "a pharmacy does not commission"},
		{"foreign product", "/v1/products", jsonType, `{"gtin":"10614141007346","name":"x"}`, "", w, 403, httpapi.GTINNotOwned, "prefix that is registered"},
		{"bad check digit", "/v1/lots", jsonType, strings.Replace(lot, "00013", "00014", 1), "", w, 400, httpapi.InvalidIdentifier, "check digit"},
		{"bad lot", "/v1/lots", jsonType, strings.Replace(lot, `"L1"`, `"L 1"`, 1), "", w, 400, httpapi.InvalidParameter, "lot"},
		{"bad date", "/v1/lots", jsonType, strings.Replace(lot, "01-31", "02-31", 1), "", w, 400, httpapi.InvalidParameter, "xpiry"},
		{"missing parameter", "/v1/ship", jsonType, `{"to":{"party":"dist"}}`, "", w, 400, httpapi.MissingParameter, "items"},
		{"nobody named", "/v1/ship", jsonType, `{"items":["urn:epc:id:sgtin:0399990.010001.1"],"to":{}}`, "", w, 400, httpapi.MissingParameter, "to.party"},
		{"neither serials nor count", "/v1/commission", jsonType, lot, "", w, 400, httpapi.MissingParameter, "count"},
		{"unknown party", "/v1/ship", jsonType, `{"items":["urn:epc:id:sgtin:0399990.010001.1"],"to":{"party":"who"}}`, "", w, 422, httpapi.PartyUnknown, "GLN"},
		{"no place", "/v1/pack", jsonType, `{"children":["urn:epc:id:sgtin:0399990.010001.1"],"location":"0399991000015"}`, "", w, 403, httpapi.Forbidden, "belongs to dist"},
		{"ambiguous scan", "/v1/pack", jsonType, `{"children":["010039999010001321CMQTY98L1QF20J45NA0817280204105WPGHPR"]}`, "", w, 422, httpapi.AmbiguousScan, `"readings":["(01)`},
		{"GTIN without serial", "/v1/pack", jsonType, `{"children":["00399990100013"]}`, "", w, 400, httpapi.InvalidIdentifier, "children[0]"},
		{"named twice", "/v1/pack", jsonType, `{"children":["urn:epc:id:sgtin:0399990.010001.1","(01)00399990100013(21)1"]}`, "", w, 400, httpapi.InvalidIdentifier, "same thing"},
		{"command from the future", "/v1/pack", jsonType, `{"children":["urn:epc:id:sgtin:0399990.010001.1"],"eventTime":"2026-11-21T00:00:00Z"}`, "", w, 400, httpapi.FutureEvent, "clock"},
		{"time without zone", "/v1/pack", jsonType, `{"children":["urn:epc:id:sgtin:0399990.010001.1"],"eventTime":"2026-11-20T00:00:00"}`, "", w, 400, httpapi.InvalidParameter, "eventTime"},
		{"recall of nothing", "/v1/recall", jsonType, `{"recallNumber":"R-1"}`, "", w, 400, httpapi.MissingParameter, "gtin"},
		{"broken JSON", "/v1/pack", jsonType, `{"children":`, "", w, 400, httpapi.MalformedRequest, "JSON"},
		{"licences outside development", "/v1/onboarding/licences", jsonType, `[{"party":"dist","number":"1","kind":"state_wholesale"}]`, "", production, 403, httpapi.OnboardingForbidden, "authority"},
		{"a licence of nobody", "/v1/onboarding/licences", jsonType, `[{"party":"who","number":"1","kind":"state_wholesale"}]`, "", w, 400, httpapi.InvalidParameter, "licence 1 (1)"},
		{"a licence without kind", "/v1/onboarding/licences", jsonType, `[{"party":"dist","number":"1"}]`, "", w, 400, httpapi.MissingParameter, "kind"},
		{"onboarding outside development", "/v1/onboarding", "application/xml", document(good), "", production, 403, httpapi.OnboardingForbidden, "authority"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, _, err := tt.on.s.jobs.List(200, "")
			if err != nil {
				t.Fatal(err)
			}
			h := map[string]string{"Content-Type": tt.contentType}
			if k, v, ok := strings.Cut(tt.header, ": "); ok {
				h[k] = v
			}
			rec := tt.on.call("POST", tt.path, h, tt.body)
			var p httpapi.Problem
			if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
				t.Fatalf("%v: %s", err, rec.Body)
			}
			if rec.Code != tt.status || p.Code != tt.code || p.Status != tt.status {
				t.Errorf("got %d %s, want %d %s: %.600s", rec.Code, p.Code, tt.status, tt.code, rec.Body)
			}
			if !strings.Contains(rec.Body.String(), tt.says) {
				t.Errorf("does not say %q: %.600s", tt.says, rec.Body)
			}
			if want := "epcisException:"; (strings.HasPrefix(tt.path, "/capture") || tt.path == "/events") != strings.HasPrefix(p.Type, want) {
				t.Errorf("type %q", p.Type)
			}
			after, _, err := tt.on.s.jobs.List(200, "")
			if err != nil || len(after) != len(before) {
				t.Errorf("%d jobs before, %d after (%v): something was left behind", len(before), len(after), err)
			}
		})
	}
	for path, want := range map[string]httpapi.Code{
		"/capture/nonsense": httpapi.JobNotFound, "/capture/01a1fb68-fb49-7594-aac6-cf35fb24f6a9": httpapi.JobNotFound,
		"/capture?nextPageToken=x": httpapi.PageTokenInvalid, "/capture?perPage=x": httpapi.InvalidParameter, "/nowhere": httpapi.NotFound,
	} {
		if rec := w.call("GET", path, nil, ""); !strings.Contains(rec.Body.String(), `"code":"`+string(want)+`"`) {
			t.Errorf("%s: %s", path, rec.Body)
		}
	}
}

// A party of which nothing but its key is registered is told what it lacks.
func TestNothingRegistered(t *testing.T) {
	g := outboxtest.Genesis(t, true)
	for i := range g.Parties {
		if g.Parties[i].Party == "maker" {
			g.Parties[i].GLNs, g.Parties[i].Prefixes, g.Parties[i].Places = nil, nil, nil
		}
	}
	raw, err := genesis.Format(g)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = genesis.Parse(raw); err != nil {
		t.Fatal(err)
	}
	w := &world{tb: t, ledger: outboxtest.NewLedger(t, g), clock: outboxtest.NewClock(), dir: t.TempDir(), profile: Manufacturer(), party: "maker"}
	w.start()
	t.Cleanup(w.kill)
	for _, tt := range []struct {
		body string
		code httpapi.Code
		says string
	}{
		{`{"children":["urn:epc:id:sgtin:0399990.010001.1"]}`, httpapi.PlaceUnknown, "send location"},
		{`{"children":["urn:epc:id:sgtin:0399990.010001.1"],"location":"0614141000012"}`, httpapi.PrefixUnknown, "send parent"},
	} {
		rec := w.call("POST", "/v1/pack", map[string]string{"Content-Type": jsonType}, tt.body)
		if want := httpapi.Lookup(tt.code).Status; rec.Code != want || !strings.Contains(rec.Body.String(), `"code":"`+string(tt.code)+`"`) || !strings.Contains(rec.Body.String(), tt.says) {
			t.Errorf("want %d %s: %d %s", want, tt.code, rec.Code, rec.Body)
		}
	}
}

// Onboarding that is not certified in time is not lost: its job goes on, and the answer names it.
func TestOnboardingNotCertifiedInTime(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	w.ledger.Auto(false)
	doc := document(outboxtest.EventAt("2026-11-20T06:00:00-05:00", "commissioning", "ADD", "urn:epc:id:sgln:0614141.00001.0", ilmd, "urn:epc:id:sgtin:0614141.010001.X1"))
	answered := make(chan *httptest.ResponseRecorder)
	go func() {
		answered <- w.call("POST", "/v1/onboarding", map[string]string{"Content-Type": "application/xml"}, doc)
	}()
	var rec *httptest.ResponseRecorder
	for tick := time.NewTicker(5 * time.Millisecond); rec == nil; {
		select {
		case rec = <-answered:
			tick.Stop()
		case <-tick.C:
			w.clock.Advance(onboard.Timeout)
		}
	}
	if body := rec.Body.String(); rec.Code != http.StatusGatewayTimeout || !strings.Contains(body, `"code":"`+string(httpapi.WaitTimeout)+`"`) || !strings.Contains(body, "/capture/") {
		t.Errorf("%d %s", rec.Code, body)
	}
}
