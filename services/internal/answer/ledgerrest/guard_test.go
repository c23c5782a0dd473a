package ledgerrest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/epcis/gs1"
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
	if strings.HasPrefix(body, "<") {
		req.Header.Set("Content-Type", "application/xml")
	}
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

// documentOf is a document with one event, as another system would write it: as JSON, or as XML.
func documentOf(step, disposition, place, item, more string) string {
	return fmt.Sprintf(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0",
		"creationDate":%[1]q,"epcisBody":{"eventList":[{"type":"ObjectEvent","eventTime":%[1]q,"eventTimeZoneOffset":"+00:00","epcList":[%[2]q],
		"action":"OBSERVE","bizStep":%[3]q,"disposition":%[4]q,"readPoint":{"id":%[5]q}%[6]s}]}}`,
		time.Now().UTC().Format(time.RFC3339), item, step, disposition, place, more)
}

func xmlDocumentOf(step, disposition, place, item, more string) string {
	return fmt.Sprintf(`<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate=%[1]q><EPCISBody><EventList>
		<ObjectEvent><eventTime>%[2]s</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>%[3]s</epc></epcList><action>OBSERVE</action>
		<bizStep>urn:epcglobal:cbv:bizstep:%[4]s</bizStep><disposition>urn:epcglobal:cbv:disp:%[5]s</disposition><readPoint><id>%[6]s</id></readPoint>%[7]s</ObjectEvent>
		</EventList></EPCISBody></epcis:EPCISDocument>`,
		time.Now().UTC().Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339), item, step, disposition, place, more)
}

// rma names a return authorisation as documents do.
const rma = "urn:epcglobal:cbv:bt:0399990000005:RMA-2"

// shipDocuments are documents with one shipping event, in every format. returned adds a return authorisation.
func (w *world) shipDocuments(t *testing.T, item, from, to string, returned bool) map[string]string {
	t.Helper()
	owner, buyer := w.sgln(t, from), w.sgln(t, to)
	inJSON := fmt.Sprintf(`,"sourceList":[{"type":"owning_party","source":%q}],"destinationList":[{"type":"owning_party","destination":%q}]`, owner, buyer)
	inXML := fmt.Sprintf(`<extension><sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">%s</source></sourceList>`+
		`<destinationList><destination type="urn:epcglobal:cbv:sdt:owning_party">%s</destination></destinationList></extension>`, owner, buyer)
	if returned {
		inJSON += `,"bizTransactionList":[{"type":"rma","bizTransaction":"` + rma + `"}]`
		inXML = `<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:rma">` + rma + `</bizTransaction></bizTransactionList>` + inXML
	}
	return map[string]string{
		"JSON": documentOf("shipping", "in_transit", owner, item, inJSON), "XML": xmlDocumentOf("shipping", "in_transit", owner, item, inXML),
	}
}

// guardRow is a row of testdata/guard.json: why goods must not move, and what refuses them. The journey of the web interface of the
// same name (web/scripts/journeys/guard.mjs) goes through the same rows at the page Ship.
type guardRow struct {
	Mark   string   `json:"mark"`
	Places []string `json:"places"` // of the mark, seen from what is shipped: itself, around, inside
	By     string   `json:"by"`     // whose service ships: the manufacturer's, if left out
	To     string   `json:"to"`     // to whom; left out: the next in the chain
	Made   struct {
		Expiry    string `json:"expiry"`
		EventTime string `json:"eventTime"`
	} `json:"made"`
	Product bool            `json:"product"` // it is of a product of its own
	Before  []guardStep     `json:"before"`
	Code    httpapi.Code    `json:"code"`
	Says    string          `json:"says"`
	Shown   json.RawMessage `json:"shown"` // for the journey: what the page says before anything is sent
}

// guardStep is a command that comes before. In its body {marked}, {gtin}, {lot} and {n} stand for what the row is about, and {event} for
// the position of the event before.
type guardStep struct {
	By      string          `json:"by"`
	Command string          `json:"command"`
	Body    json.RawMessage `json:"body"`
	Flawed  bool            `json:"flawed"` // the ledger records it with a finding
}

func guardRows(t *testing.T) (rows []guardRow) {
	t.Helper()
	b, err := os.ReadFile("testdata/guard.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

var guardParties = map[string]string{"manufacturer": localnet.DemoMaker, "distributor": localnet.DemoDistributor, "pharmacy": localnet.DemoPharmacy}

// goods makes the goods of a row, and returns what is to be shipped.
func (w *world) goods(t *testing.T, row *guardRow, at string, n int) string {
	t.Helper()
	const maker = "manufacturer"
	gtin, lot := w.told.Product.GTIN, fmt.Sprintf("GUARD-%d", n)
	if row.Product {
		gtin = sibling(gtin, n)
		w.tell(t, maker, "products", map[string]any{"gtin": gtin, "name": "Guardol", "strength": "5 mg"})
	}
	body := map[string]any{"gtin": gtin, "lot": lot, "expiry": cmp.Or(row.Made.Expiry, "2029-01-31"), "count": 2}
	if row.Made.EventTime != "" {
		body["eventTime"] = row.Made.EventTime
	}
	made := w.tell(t, maker, "commission", body)
	shipped, marked := made[0], made[0]
	if at == "around" {
		marked = w.pack(t, maker, made...)
	}
	event := ""
	for _, step := range row.Before {
		text := strings.NewReplacer("{marked}", marked, "{gtin}", gtin, "{lot}", lot, "{n}", fmt.Sprint(n), "{event}", event).Replace(string(step.Body))
		var body map[string]any
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
		job, err := demo.Command(t.Context(), w.n.URLs[step.By], step.Command, body)
		if err != nil || !job.Success && !step.Flawed {
			t.Fatalf("%s at %s: %v %+v", step.Command, step.By, err, job)
		}
		event = job.Verdicts[len(job.Verdicts)-1].Position.String()
	}
	if at == "inside" {
		others := made[:1]
		if row.By == "" {
			others = made
		}
		return w.pack(t, cmp.Or(row.By, maker), others...)
	}
	return shipped
}

// sibling is another GTIN of the same company.
func sibling(gtin string, n int) string {
	body := fmt.Sprint(n%8+1) + gtin[1:13]
	sum := 0
	for i, c := range body {
		sum += int(c-'0') * (3 - 2*(i%2))
	}
	return body + fmt.Sprint((10-sum%10)%10)
}

// Goods that must not move are refused before anything is captured: by command and by document of any format alike, with the same code
// and in the same words, which are the ledger's.
func TestGoodsThatMustNotMove(t *testing.T) {
	w := newWorld(t)
	const maker = "manufacturer"
	unit := func(t *testing.T, lot string) string { t.Helper(); return w.makeUnits(t, lot, 1)[0] }
	n := 0
	for _, row := range guardRows(t) {
		for _, at := range row.Places {
			n++
			t.Run(row.Mark+"/"+at, func(t *testing.T) {
				item := w.goods(t, &row, at, n)
				by := cmp.Or(row.By, maker)
				to := cmp.Or(row.To, map[string]string{maker: localnet.DemoDistributor}[by], localnet.DemoPharmacy)
				body := `{"items":["` + item + `"],"to":{"party":"` + to + `"}}`
				w.refusedAlike(t, by, "/v1/ship", body, w.shipDocuments(t, item, guardParties[by], to, false), row.Code, row.Says)
			})
		}
	}
	t.Run("to whom", func(t *testing.T) {
		const nobody = "urn:epc:id:sgln:0614141.00001.0"
		u := unit(t, "TO-WHOM")
		documents := w.shipDocuments(t, u, localnet.DemoMaker, localnet.DemoDistributor, false)
		for format := range documents {
			documents[format] = strings.ReplaceAll(documents[format], w.sgln(t, localnet.DemoDistributor), nobody)
		}
		w.refusedAlike(t, maker, "/v1/ship", `{"items":["`+u+`"],"to":{"owner":"`+nobody+`"}}`, documents, httpapi.PartnerNotAuthorized, "is not registered")
	})
	t.Run("without licence on that day", func(t *testing.T) {
		u := unit(t, "NO-LICENCE")
		body := `{"items":["` + u + `"],"to":{"party":"` + localnet.DemoDistributor + `"},"eventTime":"1999-02-01T09:00:00Z"}`
		asked := map[string]*httpapi.Problem{"command": w.post(t, maker, "/v1/ship", body)}
		for format, document := range w.shipDocuments(t, u, localnet.DemoMaker, localnet.DemoDistributor, false) {
			document = regexp.MustCompile(`"eventTime":"[^"]*"|<eventTime>[^<]*`).ReplaceAllStringFunc(document, func(old string) string {
				return old[:strings.IndexAny(old, ":>")+1] + map[bool]string{true: `"1999-02-01T09:00:00Z"`, false: "1999-02-01T09:00:00Z"}[format == "JSON"]
			})
			asked[format] = w.post(t, maker, "/capture", document)
		}
		for how, p := range asked {
			if p.Code != httpapi.ActorNotAuthorized || p.Status != http.StatusForbidden || len(p.Errors) != 1 || p.Errors[0].Message != asked["command"].Errors[0].Message {
				t.Errorf("by %s: %+v", how, p)
			}
		}
	})
	t.Run("without parties", func(t *testing.T) { // a command always has them
		u, place := unit(t, "NOBODY"), w.sgln(t, localnet.DemoMaker)
		a := w.post(t, maker, "/capture", documentOf("shipping", "in_transit", place, u, ""))
		b := w.post(t, maker, "/capture", xmlDocumentOf("shipping", "in_transit", place, u, ""))
		if a.Code != httpapi.ShipmentWithoutParties || b.Code != a.Code || a.Errors[0].Message != b.Errors[0].Message || a.Errors[0].Hint != b.Errors[0].Hint {
			t.Errorf("%+v\n%+v", a, b)
		}
	})
	t.Run("to a patient", func(t *testing.T) {
		u, place := unit(t, "DISPENSED"), w.sgln(t, localnet.DemoPharmacy)
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)})
		w.tell(t, "pharmacy", "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
		w.tell(t, "pharmacy", "quarantine", map[string]any{"items": []string{u}, "reason": "other"})
		documents := map[string]string{
			"JSON": documentOf("dispensing", "dispensed", place, u, ""), "XML": xmlDocumentOf("dispensing", "dispensed", place, u, ""),
		}
		w.refusedAlike(t, "pharmacy", "/v1/dispense", `{"items":["`+u+`"]}`, documents, httpapi.GoodsQuarantined, "marked quarantined")
		w.tell(t, "pharmacy", "release", map[string]any{"items": []string{u}})
		w.tell(t, "pharmacy", "dispense", map[string]any{"items": []string{u}})
	})
	t.Run("sent back to somebody", func(t *testing.T) {
		u := unit(t, "NOT-SOLD")
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)})
		w.tell(t, "pharmacy", "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
		body := `{"items":["` + u + `"],"to":{"party":"` + localnet.DemoDistributor + `"},"returnAuthorization":"RMA-2"}`
		w.refusedAlike(t, "pharmacy", "/v1/return", body, w.shipDocuments(t, u, localnet.DemoPharmacy, localnet.DemoDistributor, true), httpapi.ReturnNotSold, "neither sold it")
	})
}

func (w *world) refusedAlike(t *testing.T, service, path, body string, documents map[string]string, want httpapi.Code, says string) {
	t.Helper()
	asked := map[string]*httpapi.Problem{"command": w.post(t, service, path, body)}
	for format, document := range documents {
		asked[format] = w.post(t, service, "/capture", document)
	}
	for how, p := range asked {
		if p.Code != want || p.Status != httpapi.Lookup(want).Status || len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Message, says) || p.Errors[0].Hint == "" {
			t.Errorf("by %s: %+v, want %s and %q", how, p, want, says)
		}
		if p.Detail != asked["command"].Detail {
			t.Errorf("in other words by %s:\n%s\n%s", how, p.Detail, asked["command"].Detail)
		}
	}
}

// Whatever the ledger would reject is refused before the 202, and so is what would put the goods of another company on hold.
func TestWhatTheLedgerWouldReject(t *testing.T) {
	w := newWorld(t)
	const maker, pharmacy = "manufacturer", "pharmacy"
	unit := func(t *testing.T, lot string) string { t.Helper(); return w.makeUnits(t, lot, 1)[0] }
	here, there := w.sgln(t, localnet.DemoMaker), w.sgln(t, localnet.DemoPharmacy)
	ship := func(u, to string) string { return `{"items":["` + u + `"],"to":{"party":"` + to + `"}}` }
	delivered := func(t *testing.T, lot string) string {
		t.Helper()
		u := unit(t, lot)
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)})
		w.tell(t, pharmacy, "receive", map[string]any{"items": []string{u}, "from": party(localnet.DemoMaker)})
		return u
	}
	printed := func(u string) string {
		k, err := gs1.ParseEPC(u)
		if err != nil {
			t.Fatal(err)
		}
		return k.Key().Bracketed()
	}
	t.Run("not held", func(t *testing.T) {
		u := delivered(t, "NOT-HELD")
		w.refusedAlike(t, maker, "/v1/ship", ship(u, localnet.DemoDistributor), w.shipDocuments(t, u, localnet.DemoMaker, localnet.DemoDistributor, false), httpapi.GoodsNotHeld, printed(u)+" is with another company")
		if got := ask[tracing.Trace](t, w, "/v1/trace?id="+u); len(got.Overlays) != 0 {
			t.Errorf("the goods of another company: %q", got.Overlays)
		}
	})
	t.Run("on their way", func(t *testing.T) {
		u := unit(t, "ON-THEIR-WAY")
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoPharmacy)})
		w.refusedAlike(t, maker, "/v1/ship", ship(u, localnet.DemoDistributor), w.shipDocuments(t, u, localnet.DemoMaker, localnet.DemoDistributor, false), httpapi.GoodsOnTheirWay, printed(u)+" is already on its way")
	})
	t.Run("used up", func(t *testing.T) {
		u := delivered(t, "USED-UP")
		w.tell(t, pharmacy, "dispense", map[string]any{"items": []string{u}})
		documents := map[string]string{"JSON": documentOf("dispensing", "dispensed", there, u, ""), "XML": xmlDocumentOf("dispensing", "dispensed", there, u, "")}
		w.refusedAlike(t, pharmacy, "/v1/dispense", `{"items":["`+u+`"]}`, documents, httpapi.GoodsUsedUp, printed(u)+" is already dispensed")
		body := `{"items":["` + u + `"],"to":{"party":"` + localnet.DemoMaker + `"},"returnAuthorization":"RMA-2"}`
		w.refusedAlike(t, pharmacy, "/v1/return", body, w.shipDocuments(t, u, localnet.DemoPharmacy, localnet.DemoMaker, true), httpapi.GoodsUsedUp, printed(u)+" was dispensed")
		documents = map[string]string{"JSON": documentOf("holding", "non_sellable_other", there, u, ""), "XML": xmlDocumentOf("holding", "non_sellable_other", there, u, "")}
		w.refusedAlike(t, pharmacy, "/v1/quarantine", `{"items":["`+u+`"],"reason":"other"}`, documents, httpapi.GoodsUsedUp, "")
	})
	t.Run("made twice", func(t *testing.T) {
		u := unit(t, "MADE-TWICE")
		serial := u[strings.LastIndexByte(u, '.')+1:]
		p := w.post(t, maker, "/v1/commission", `{"gtin":"`+w.told.Product.GTIN+`","lot":"MADE-TWICE","expiry":"2029-01-31","serials":["`+serial+`"]}`)
		if p.Code != httpapi.RefusedByRules || p.Status != http.StatusConflict || !strings.Contains(p.Detail, "DUP_COMMISSION") || p.Errors[0].Hint == "" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("an id of another event", func(t *testing.T) { // commands draw ids of their own
		named := func(document string) string {
			return strings.Replace(document, `"type":"ObjectEvent"`, `"type":"ObjectEvent","eventID":"urn:uuid:5a3c1f0e-9d1b-4d6f-8f0a-0a4f7a0c1d2e"`, 1)
		}
		if resp, b := w.send(t, maker, named(documentOf("inspecting", "active", here, unit(t, "REUSED"), ""))); resp.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", resp.StatusCode, b)
		}
		if p := w.post(t, maker, "/capture", named(documentOf("inspecting", "active", here, unit(t, "REUSED"), ""))); p.Code != httpapi.EventIDReused || p.Status != http.StatusConflict {
			t.Errorf("%+v", p)
		}
	})
	t.Run("a class among packages", func(t *testing.T) {
		document := documentOf("inspecting", "active", here, "urn:epc:id:sgtin:0399990.010001.1", "")
		p := w.post(t, maker, "/capture", strings.Replace(document, "urn:epc:id:sgtin:0399990.010001.1", "https://id.gs1.org/01/"+w.told.Product.GTIN, 1))
		if p.Status != http.StatusConflict && p.Status != http.StatusBadRequest {
			t.Errorf("%+v", p)
		}
	})
	t.Run("a finding of others", func(t *testing.T) {
		u := unit(t, "SELF")
		job, err := demo.Command(t.Context(), w.n.URLs[maker], "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoMaker)})
		if err != nil {
			t.Fatal(err)
		}
		at := job.Verdicts[len(job.Verdicts)-1].Position.String()
		p := w.post(t, "distributor", "/v1/findings/resolve", `{"event":"`+at+`","code":"SELF_SHIP","outcome":"acknowledged"}`)
		if p.Code != httpapi.ResolveForbidden || p.Status != http.StatusForbidden {
			t.Errorf("%+v", p)
		}
		if p := w.post(t, maker, "/v1/findings/resolve", `{"event":"999999/0/0","code":"SELF_SHIP","outcome":"acknowledged","units":["`+u+`"]}`); p.Code != httpapi.RefusedByRules || !strings.Contains(p.Detail, "FINDING_UNKNOWN") {
			t.Errorf("%+v", p)
		}
		if p := w.post(t, maker, "/v1/findings/resolve", `{"event":"999999/0/0","code":"DOUBLE_SHIP","outcome":"cleared"}`); !strings.Contains(p.Detail, "MISSING_FIELD") || strings.Contains(p.Detail, "packing") || !strings.Contains(p.Errors[0].Hint, "units") {
			t.Errorf("without its units: %+v", p)
		}
	})
	t.Run("of several kinds", func(t *testing.T) {
		used, way := delivered(t, "KINDS"), unit(t, "KINDS")
		w.tell(t, maker, "ship", map[string]any{"items": []string{way}, "to": party(localnet.DemoPharmacy)})
		a := w.shipDocuments(t, used, localnet.DemoMaker, localnet.DemoDistributor, false)["JSON"]
		_, b, _ := strings.Cut(w.shipDocuments(t, way, localnet.DemoMaker, localnet.DemoDistributor, false)["JSON"], `"eventList":[`)
		p := w.post(t, maker, "/capture", strings.TrimSuffix(a, "]}}")+","+b)
		if p.Code != httpapi.RefusedByRules || p.Status != http.StatusConflict || len(p.Errors) != 2 || p.Errors[0].Code != string(httpapi.GoodsNotHeld) || p.Errors[1].Code != string(httpapi.GoodsOnTheirWay) {
			t.Errorf("%+v", p)
		}
	})
	t.Run("right behind what allows it", func(t *testing.T) { // nothing is refused for the api's not knowing yet what came before
		u := unit(t, "RIGHT-BEHIND")
		w.tell(t, maker, "ship", map[string]any{"items": []string{u}, "to": party(localnet.DemoDistributor)})
		for _, act := range []struct{ path, body string }{
			{"/v1/receive", `{"items":["` + u + `"],"from":{"party":"` + localnet.DemoMaker + `"}}`}, {"/v1/ship", ship(u, localnet.DemoPharmacy)},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.n.URLs["distributor"]+act.path, strings.NewReader(act.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			if resp, b := w.do(t, req); resp.StatusCode != http.StatusAccepted {
				t.Errorf("%s: %d %s", act.path, resp.StatusCode, b)
			}
		}
	})
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
