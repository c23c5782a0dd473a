package demo

import (
	"context"
	"net/url"
	"slices"
	"testing"
	"time"

	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
)

// The whole story, small, on a real network with sign-in: what it promises to look at is there, and every unit is accounted for.
func TestNationalStory(t *testing.T) {
	n, err := localnet.Start(t.Context(), localnet.Options{Dir: t.TempDir(), Validators: 1, SignIn: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	start := time.Now()
	last, total := 0, 0
	h, err := PlayNational(ctx, n, Options{Size: Small, Seed: 1, Now: time.Now(), Progress: func(step string, done, steps int) {
		t.Logf("%5.1fs %d/%d %s", time.Since(start).Seconds(), done, steps, step)
		if done < last {
			t.Errorf("step %d after %d", done, last)
		}
		last, total = done, steps
	}})
	if err != nil {
		t.Fatal(err)
	}
	if last != total {
		t.Errorf("%d of %d steps were told", last, total)
	}
	api := n.URLs["api"]
	for _, tt := range []struct{ name, id, colour, reason string }{
		{"good", h.Good, "green", ""},
		{"counterfeit", h.Counterfeit, "red", "No_match_GTIN_Serial"},
		{"dispensed", h.Unit, "red", "Not_active"},
		{"recalled", h.Recalled, "red", "Recalled"},
		{"expired", h.OldUnit, "red", "Expired"},
		{"stolen", h.Stolen, "red", "Overlay_hold"},
	} {
		c, err := Check(ctx, api, tt.id)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		found := tt.reason == ""
		for _, r := range c.Reasons {
			found = found || r.Code == tt.reason
		}
		if c.Colour != tt.colour || !found {
			t.Errorf("%s: %s %+v, want %s for %s", tt.name, c.Colour, c.Reasons, tt.colour, tt.reason)
		}
	}
	findings := func(id, code string) bool {
		tr, err := Trace(ctx, api, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range tr.Findings { // of what does not arrive no step tells
			if f.Code == code {
				return true
			}
		}
		for _, s := range tr.Steps {
			for _, f := range s.Findings {
				if f.Code == code {
					return true
				}
			}
			if s.Code == code {
				return true
			}
		}
		return false
	}
	if !findings(h.WrongDoor, "WRONG_RECEIVER") {
		t.Error("the case that went to the wrong door: no WRONG_RECEIVER")
	}
	if !findings(h.Missing, "QTY_SHORT") {
		t.Error("the case that did not arrive: no QTY_SHORT")
	}
	if !findings(h.Stolen, "THEFT_REAPPEARS") {
		t.Error("the stolen package: no THEFT_REAPPEARS")
	}
	// What went well says so: nothing was short on the way of a package that reached its patient.
	if findings(h.Unit, "QTY_SHORT") {
		t.Error("the dispensed package: QTY_SHORT, although all of its shipment came")
	}
	var lot tracing.RecallDetail
	if err := Get(ctx, api+"/v1/recalls/"+url.PathEscape(h.RecalledBy), &lot); err != nil {
		t.Fatal(err)
	}
	want := uint64(Small.Cases * Small.PerCase)
	if lot.Effectiveness.Units != want || lot.Effectiveness.Outcomes.Quarantined == 0 || lot.Effectiveness.Outcomes.Remaining == 0 {
		t.Errorf("recall %+v, want %d units, some set aside and some not", lot.Effectiveness, want)
	}
	var in tracing.Shipments
	if err := Get(ctx, api+"/v1/shipments?open=true&to="+localnet.DemoPharmacy, &in); err != nil {
		t.Fatal(err)
	}
	if len(in.Shipments) < 1 {
		t.Errorf("nothing waits for the pharmacy: %+v", in.Shipments)
	}
}

// The same seed casts the same people with the same work.
func TestCast(t *testing.T) {
	c, err := newCast(National.Pharmacies, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, p := range slices.Concat([]member{c.second, c.side, c.makers[1].member}, c.pharmacies) {
		if ids[p.id] || len(p.id) > 32 || len(p.gln) != 13 {
			t.Errorf("%+v", p)
		}
		ids[p.id] = true
		party := registry.Party{Roles: []string{p.role}, Licences: p.licences}
		if ok, why := party.Authorized(p.role, time.Now().Format(time.DateOnly)); !ok {
			t.Errorf("%s is not authorized: %s", p.id, why)
		}
	}
	if len(c.pharmacies) != National.Pharmacies {
		t.Errorf("%d pharmacies, want %d", len(c.pharmacies), National.Pharmacies)
	}
}
