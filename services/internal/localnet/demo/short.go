package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/partner/capture"
)

// Product is what the story is about. CaseGTIN is the same drug's GTIN one packaging level up.
type Product struct {
	GTIN, CaseGTIN, NDC, Name, Form, Strength, Content, Maker string
}

// Invented is the product of a story that has no real directory to choose from.
var Invented = Product{
	GTIN: "00399990012347", CaseGTIN: "50399990012342", NDC: "99990-012-34", Name: "Lakesidol", Form: "TABLET", Strength: "100 mg",
	Content: "30 TABLET in 1 BOTTLE", Maker: "Lakeside Pharma",
}

// ShortSize is the size of the short story: units commissioned = Cases × PerCase; the wholesaler receives all cases but one.
type ShortSize struct{ Cases, PerCase int }

// ShortStory is what happened in the short story.
type ShortStory struct {
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

// shortRun is one run of the short story.
type shortRun struct {
	ctx context.Context
	n   Network
	say func(step string)
	now func() time.Time
	out *ShortStory
}

// PlayShort plays the short story. say is called before each step.
func PlayShort(ctx context.Context, n Network, p Product, size ShortSize, now func() time.Time, say func(string)) (*ShortStory, error) {
	r := &shortRun{ctx: ctx, n: n, say: say, now: now, out: &ShortStory{
		Product: p, Lot: "A" + now().UTC().Format("0601021504"), Expiry: now().UTC().AddDate(2, 0, 0).Format("2006-01") + "-28",
		Units: size.Cases * size.PerCase, Counterfeit: "(01)" + p.GTIN + "(21)FAKE" + now().UTC().Format("150405"), Checks: map[string]tracing.Check{},
		RecallNumber: "R-" + now().UTC().Format("060102-1504"),
	}}
	for _, step := range []func(ShortSize) error{r.register, r.make, r.sell, r.serve, r.counterfeit, r.recall} {
		if err := step(size); err != nil {
			return r.out, err
		}
	}
	return r.out, nil
}

func (r *shortRun) register(size ShortSize) error {
	p := &r.out.Product
	r.say(fmt.Sprintf("%s registers %s %s and lot %s", r.n.Maker, p.Name, p.Strength, r.out.Lot))
	if _, err := r.do("manufacturer", "products", map[string]any{
		"gtin": p.GTIN, "ndc": p.NDC, "ndcFormat": "US_FDA_NDC", "name": p.Name, "manufacturer": p.Maker, "dosageForm": p.Form, "strength": p.Strength, "netContent": p.Content,
	}); err != nil {
		return err
	}
	if _, err := r.do("manufacturer", "products", map[string]any{
		"gtin": p.CaseGTIN, "ndc": p.NDC, "ndcFormat": "US_FDA_NDC", "name": p.Name + " (case)", "manufacturer": p.Maker, "containsGtin": p.GTIN, "containsCount": size.PerCase,
	}); err != nil {
		return err
	}
	_, err := r.do("manufacturer", "lots", map[string]any{"gtin": p.GTIN, "lot": r.out.Lot, "expiry": r.out.Expiry, "size": r.out.Units})
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

func (r *shortRun) make(size ShortSize) error {
	r.say(fmt.Sprintf("%s commissions %d units and packs them into %d cases", r.n.Maker, r.out.Units, size.Cases))
	job, err := r.do("manufacturer", "commission", map[string]any{"gtin": r.out.Product.GTIN, "lot": r.out.Lot, "expiry": r.out.Expiry, "count": r.out.Units})
	if err != nil {
		return err
	}
	units, err := serials(job)
	if err != nil {
		return err
	}
	for c := range size.Cases {
		job, err := r.do("manufacturer", "pack", map[string]any{"children": units[c*size.PerCase : (c+1)*size.PerCase]})
		if err != nil {
			return err
		}
		var packed struct {
			Parent string `json:"parent"`
		}
		if err := json.Unmarshal(job.Result, &packed); err != nil || packed.Parent == "" {
			return fmt.Errorf("the pack command named no container: %s", job.Result)
		}
		r.out.Cases = append(r.out.Cases, packed.Parent)
	}
	r.out.Dispensed, r.out.Returned, r.out.InPharmacy = units[0], units[1], units[2]
	return nil
}

func (r *shortRun) sell(size ShortSize) error {
	r.say(fmt.Sprintf("%s ships %d cases to %s", r.n.Maker, size.Cases, r.n.Wholesaler))
	if _, err := r.do("manufacturer", "ship", map[string]any{"items": r.out.Cases, "to": map[string]any{"party": r.n.Wholesaler}, "po": "PO-4711", "desadv": "DA-1"}); err != nil {
		return err
	}
	r.say(fmt.Sprintf("%s receives %d of %d units: one case is missing", r.n.Wholesaler, (size.Cases-1)*size.PerCase, r.out.Units))
	if _, err := r.do("distributor", "receive", map[string]any{"items": r.out.Cases[:size.Cases-1], "from": map[string]any{"party": r.n.Maker}, "po": "PO-4711", "desadv": "DA-1"}); err != nil {
		return err
	}
	r.say(r.n.Wholesaler + " opens a case and ships three units to " + r.n.Dispenser)
	if _, err := r.do("distributor", "unpack", map[string]any{"parent": r.out.Cases[0]}); err != nil {
		return err
	}
	three := []string{r.out.Dispensed, r.out.Returned, r.out.InPharmacy}
	_, err := r.do("distributor", "ship", map[string]any{"items": three, "to": map[string]any{"party": r.n.Dispenser}, "po": "PO-88"})
	return err
}

func (r *shortRun) serve(ShortSize) error {
	r.say(r.n.Dispenser + " receives them, checks one at the counter and dispenses it")
	three := []string{r.out.Dispensed, r.out.Returned, r.out.InPharmacy}
	if _, err := r.do("pharmacy", "receive", map[string]any{"items": three, "from": map[string]any{"party": r.n.Wholesaler}, "po": "PO-88"}); err != nil {
		return err
	}
	if err := r.check("before dispensing", r.out.Dispensed); err != nil {
		return err
	}
	if _, err := r.do("pharmacy", "dispense", map[string]any{"items": []string{r.out.Dispensed}}); err != nil {
		return err
	}
	r.say(r.n.Dispenser + " sends one back; " + r.n.Wholesaler + " receives the return")
	if _, err := r.do("pharmacy", "return", map[string]any{"items": []string{r.out.Returned}, "to": map[string]any{"party": r.n.Wholesaler}, "returnAuthorization": "RMA-7"}); err != nil {
		return err
	}
	_, err := r.do("distributor", "receive", map[string]any{"items": []string{r.out.Returned}, "from": map[string]any{"party": r.n.Dispenser}, "returnAuthorization": "RMA-7"})
	return err
}

func (r *shortRun) counterfeit(ShortSize) error {
	r.say("a package with a serial that nobody made is scanned at the counter")
	return r.check("counterfeit", r.out.Counterfeit)
}

func (r *shortRun) recall(ShortSize) error {
	r.say(r.n.Maker + " recalls the lot")
	if _, err := r.do("manufacturer", "recall", map[string]any{
		"recallNumber": r.out.RecallNumber, "gtin": r.out.Product.GTIN, "lot": r.out.Lot, "classification": "II", "depth": "retail", "reason": "Out of specification: dissolution",
	}); err != nil {
		return err
	}
	return r.check("recalled", r.out.InPharmacy)
}

// do sends a business command and waits until the api has its verdicts. An item that the ledger rejected is an error.
func (r *shortRun) do(service, command string, body map[string]any) (*capture.Job, error) {
	job, err := r.n.At(service).Command(r.ctx, command, body)
	if err != nil {
		return nil, err
	}
	if !job.Success {
		return nil, fmt.Errorf("%s at the %s: %+v", command, service, job.Verdicts)
	}
	return job, nil
}

func (r *shortRun) check(situation, id string) error {
	c, err := Check(r.ctx, r.n.API, id)
	if err != nil {
		return err
	}
	r.out.Checks[situation] = *c
	return nil
}
