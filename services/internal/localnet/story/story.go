// Package story plays a scripted story on a running network through its public interfaces, as the people in it would: a
// maker makes a lot and ships it, a wholesaler receives less than was shipped, a pharmacy dispenses, returns, meets a
// counterfeit, and the maker recalls the lot. `verilot up` shows it on first start, and tests run it over real products.
package story

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/journal"
)

// Network is where the services are.
type Network struct {
	API, Manufacturer, Distributor, Pharmacy string
	// Party ids of the three.
	Maker, Wholesaler, Dispenser string
	// Tokens by service (api, manufacturer, distributor, pharmacy) sign in there; none: the services are open.
	Tokens map[string]string
}

// Service is one service, and the token that opens it.
type Service struct{ URL, Token string }

// At is a service by its name: api, manufacturer, distributor or pharmacy.
func (n Network) At(name string) Service {
	return Service{URL: map[string]string{"api": n.API, "manufacturer": n.Manufacturer, "distributor": n.Distributor, "pharmacy": n.Pharmacy}[name], Token: n.Tokens[name]}
}

// Product is what the story is about. CaseGTIN is the same drug's GTIN one packaging level up.
type Product struct {
	GTIN, CaseGTIN, NDC, Name, Form, Strength, Content, Maker string
}

// Invented is the product of a story that has no real directory to choose from.
var Invented = Product{
	GTIN: "00399990012347", CaseGTIN: "50399990012342", NDC: "99990-012-34", Name: "Lakesidol", Form: "TABLET", Strength: "100 mg",
	Content: "30 TABLET in 1 BOTTLE", Maker: "Lakeside Pharma",
}

// Size of the story: units commissioned = Cases × PerCase; the wholesaler receives all cases but one.
type Size struct{ Cases, PerCase int }

// Told is what happened, for whoever wants to look at it or test it.
type Told struct {
	Product      Product
	Lot          string
	Expiry       string
	Units        int
	Cases        []string
	Dispensed    string // a unit that reached a patient
	Returned     string // a unit that went back to the wholesaler
	InPharmacy   string // a unit that is on the pharmacy's shelf
	Counterfeit  string // a serial that nobody made
	RecallNumber string
	Checks       map[string]tracing.Check // by the situation
}

// teller runs the steps.
type teller struct {
	ctx  context.Context
	n    Network
	say  func(step string)
	now  func() time.Time
	told *Told
}

// Tell plays the story. say is called before each step.
func Tell(ctx context.Context, n Network, p Product, size Size, now func() time.Time, say func(string)) (*Told, error) {
	t := &teller{ctx: ctx, n: n, say: say, now: now, told: &Told{
		Product: p, Lot: "A" + now().UTC().Format("0601021504"), Expiry: now().UTC().AddDate(2, 0, 0).Format("2006-01") + "-28",
		Units: size.Cases * size.PerCase, Counterfeit: "(01)" + p.GTIN + "(21)FAKE" + now().UTC().Format("150405"), Checks: map[string]tracing.Check{},
		RecallNumber: "R-" + now().UTC().Format("060102-1504"),
	}}
	for _, step := range []func(Size) error{t.register, t.make, t.sell, t.serve, t.counterfeit, t.recall} {
		if err := step(size); err != nil {
			return t.told, err
		}
	}
	return t.told, nil
}

func (t *teller) register(size Size) error {
	p := &t.told.Product
	t.say(fmt.Sprintf("%s registers %s %s and lot %s", t.n.Maker, p.Name, p.Strength, t.told.Lot))
	if _, err := t.do("manufacturer", "products", map[string]any{
		"gtin": p.GTIN, "ndc": p.NDC, "ndcFormat": "US_FDA_NDC", "name": p.Name, "manufacturer": p.Maker, "dosageForm": p.Form, "strength": p.Strength, "netContent": p.Content,
	}); err != nil {
		return err
	}
	if _, err := t.do("manufacturer", "products", map[string]any{
		"gtin": p.CaseGTIN, "ndc": p.NDC, "ndcFormat": "US_FDA_NDC", "name": p.Name + " (case)", "manufacturer": p.Maker, "containsGtin": p.GTIN, "containsCount": size.PerCase,
	}); err != nil {
		return err
	}
	_, err := t.do("manufacturer", "lots", map[string]any{"gtin": p.GTIN, "lot": t.told.Lot, "expiry": t.told.Expiry, "size": t.told.Units})
	return err
}

// serials are the units of a commission command's result, in Digital Link or URN form.
func serials(job *capture.Job) ([]string, error) {
	var r struct {
		EPCs []string `json:"epcs"`
	}
	if err := json.Unmarshal(job.Result, &r); err != nil || len(r.EPCs) == 0 {
		return nil, fmt.Errorf("the commission command named no units: %s", job.Result)
	}
	return r.EPCs, nil
}

func (t *teller) make(size Size) error {
	t.say(fmt.Sprintf("%s commissions %d units and packs them into %d cases", t.n.Maker, t.told.Units, size.Cases))
	job, err := t.do("manufacturer", "commission", map[string]any{"gtin": t.told.Product.GTIN, "lot": t.told.Lot, "expiry": t.told.Expiry, "count": t.told.Units})
	if err != nil {
		return err
	}
	units, err := serials(job)
	if err != nil {
		return err
	}
	for c := range size.Cases {
		job, err := t.do("manufacturer", "pack", map[string]any{"children": units[c*size.PerCase : (c+1)*size.PerCase]})
		if err != nil {
			return err
		}
		var packed struct {
			Parent string `json:"parent"`
		}
		if err := json.Unmarshal(job.Result, &packed); err != nil || packed.Parent == "" {
			return fmt.Errorf("the pack command named no container: %s", job.Result)
		}
		t.told.Cases = append(t.told.Cases, packed.Parent)
	}
	t.told.Dispensed, t.told.Returned, t.told.InPharmacy = units[0], units[1], units[2]
	return nil
}

func (t *teller) sell(size Size) error {
	t.say(fmt.Sprintf("%s ships %d cases to %s", t.n.Maker, size.Cases, t.n.Wholesaler))
	if _, err := t.do("manufacturer", "ship", map[string]any{"items": t.told.Cases, "to": map[string]any{"party": t.n.Wholesaler}, "po": "PO-4711", "desadv": "DA-1"}); err != nil {
		return err
	}
	t.say(fmt.Sprintf("%s receives %d of %d units: one case is missing", t.n.Wholesaler, (size.Cases-1)*size.PerCase, t.told.Units))
	if _, err := t.do("distributor", "receive", map[string]any{"items": t.told.Cases[:size.Cases-1], "from": map[string]any{"party": t.n.Maker}, "po": "PO-4711", "desadv": "DA-1"}); err != nil {
		return err
	}
	t.say(t.n.Wholesaler + " opens a case and ships three units to " + t.n.Dispenser)
	if _, err := t.do("distributor", "unpack", map[string]any{"parent": t.told.Cases[0]}); err != nil {
		return err
	}
	three := []string{t.told.Dispensed, t.told.Returned, t.told.InPharmacy}
	_, err := t.do("distributor", "ship", map[string]any{"items": three, "to": map[string]any{"party": t.n.Dispenser}, "po": "PO-88"})
	return err
}

func (t *teller) serve(Size) error {
	t.say(t.n.Dispenser + " receives them, checks one at the counter and dispenses it")
	three := []string{t.told.Dispensed, t.told.Returned, t.told.InPharmacy}
	if _, err := t.do("pharmacy", "receive", map[string]any{"items": three, "from": map[string]any{"party": t.n.Wholesaler}, "po": "PO-88"}); err != nil {
		return err
	}
	if err := t.check("before dispensing", t.told.Dispensed); err != nil {
		return err
	}
	if _, err := t.do("pharmacy", "dispense", map[string]any{"items": []string{t.told.Dispensed}}); err != nil {
		return err
	}
	t.say(t.n.Dispenser + " sends one back; " + t.n.Wholesaler + " receives the return")
	if _, err := t.do("pharmacy", "return", map[string]any{"items": []string{t.told.Returned}, "to": map[string]any{"party": t.n.Wholesaler}, "returnAuthorization": "RMA-7"}); err != nil {
		return err
	}
	_, err := t.do("distributor", "receive", map[string]any{"items": []string{t.told.Returned}, "from": map[string]any{"party": t.n.Dispenser}, "returnAuthorization": "RMA-7"})
	return err
}

func (t *teller) counterfeit(Size) error {
	t.say("a package with a serial that nobody made is scanned at the counter")
	return t.check("counterfeit", t.told.Counterfeit)
}

func (t *teller) recall(Size) error {
	t.say(t.n.Maker + " recalls the lot")
	if _, err := t.do("manufacturer", "recall", map[string]any{
		"recallNumber": t.told.RecallNumber, "gtin": t.told.Product.GTIN, "lot": t.told.Lot, "classification": "II", "depth": "retail", "reason": "Out of specification: dissolution",
	}); err != nil {
		return err
	}
	return t.check("recalled", t.told.InPharmacy)
}

// Do sends a business command and waits until the api has its verdicts. An item that the ledger rejected is an error.
func (t *teller) do(service, command string, body map[string]any) (*capture.Job, error) {
	job, err := t.n.At(service).Command(t.ctx, command, body)
	if err != nil {
		return nil, err
	}
	if !job.Success {
		return nil, fmt.Errorf("%s at the %s: %+v", command, service, job.Verdicts)
	}
	return job, nil
}

// Command sends a business command to an open service; [Service.Command] signs in.
func Command(ctx context.Context, base, command string, body map[string]any) (*capture.Job, error) {
	return Service{URL: base}.Command(ctx, command, body)
}

// Command sends a business command and waits until the api has its verdicts.
func (s Service) Command(ctx context.Context, command string, body map[string]any) (*capture.Job, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/"+command, bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	var job capture.Job
	if err := send(req, http.StatusAccepted, &job); err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	for job.State != journal.Indexed {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%s: job %s is still %s: %w", command, job.CaptureID, job.State, err)
		}
		if err := Get(ctx, s.URL+"/capture/"+job.CaptureID+"?wait=indexed&timeout=20s", &job); err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
	}
	return &job, nil
}

func (t *teller) check(situation, id string) error {
	c, err := Check(t.ctx, t.n.API, id)
	if err != nil {
		return err
	}
	t.told.Checks[situation] = *c
	return nil
}

// Check asks the api what a pharmacist would.
func Check(ctx context.Context, api, id string) (*tracing.Check, error) {
	var c tracing.Check
	return &c, Get(ctx, api+"/v1/verify?"+url.Values{"id": {id}}.Encode(), &c)
}

// Trace asks the api for a unit's history.
func Trace(ctx context.Context, api, id string) (*index.Trace, error) {
	var tr index.Trace
	return &tr, Get(ctx, api+"/v1/trace?"+url.Values{"id": {id}}.Encode(), &tr)
}

// Lot asks the api where every unit of a lot is.
func Lot(ctx context.Context, api, gtin, lot string) (*tracing.LotTotals, error) {
	var l tracing.LotTotals
	return &l, Get(ctx, api+"/v1/lots/"+url.PathEscape(gtin)+"/"+url.PathEscape(lot), &l)
}

// Get decodes a JSON answer.
func Get(ctx context.Context, address string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("GET %s: %w", address, err)
	}
	return send(req, http.StatusOK, v)
}

func send(req *http.Request, want int, v any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL, err)
	}
	if resp.StatusCode != want {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL, resp.Status, b)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL, err)
	}
	return nil
}
