package directory

import (
	"context"
	"strings"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newDirectory(t *testing.T, parties func(context.Context) ([]KnownParty, error)) *Directory {
	t.Helper()
	return directoryOf(t, "maker", parties)
}

func directoryOf(t *testing.T, party string, parties func(context.Context) ([]KnownParty, error)) *Directory {
	t.Helper()
	d, err := New(Config{
		Genesis: outboxtest.Genesis(t, true), Party: party, KeyID: keys.ID(keys.Event, outboxtest.Public(party+"/event")), Parties: parties,
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// An identifier is a URN where its company prefix is registered, else a Digital Link.
func TestIdentifiersAreNeverGuessed(t *testing.T) {
	d := newDirectory(t, nil)
	for gtin, want := range map[string]string{
		"00399990100013": "urn:epc:id:sgtin:0399990.010001.1",
		"10614141007346": "https://id.gs1.org/01/10614141007346/21/1",
	} {
		g, err := gs1.ParseGTIN(gtin)
		if err != nil {
			t.Fatal(err)
		}
		u, err := gs1.NewSGTIN(g, "1")
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Write(u.Key()); got != want {
			t.Errorf("%s is written %s", gtin, got)
		}
	}
	if d.Home() == "" || d.OwnPrefix() != "0399990" || d.Owner("nobody") != "" {
		t.Errorf("home %q, prefix %q", d.Home(), d.OwnPrefix())
	}
}

// What another party did is left to the ledger; what this one did is held against its roles and prefixes, and time against the clock.
func TestCheckEvent(t *testing.T) {
	asked := 0
	d := newDirectory(t, func(context.Context) ([]KnownParty, error) {
		asked++
		return []KnownParty{{ID: "corner", Name: "Corner", Roles: []string{"dispenser"}, GLNs: []string{"0614141000012"}, Prefixes: []string{"0614141"}}}, nil
	})
	const ours, dist, corner = "urn:epc:id:sgln:0399990.00001.0", "urn:epc:id:sgln:0399991.00001.0", "urn:epc:id:sgln:0614141.00001.0"
	commission := func(site, epc string) *epcis.Event {
		e := epcis.Commission(epcis.At{Time: "2026-11-20T11:00:00Z", Offset: "+00:00", ReadPoint: site, BizLocation: site}, []string{epc}, "L1", "2028-01-31")
		return &e
	}
	dispense := func(site string) *epcis.Event {
		e := epcis.Dispense(epcis.At{Time: "2026-11-20T11:00:00Z", Offset: "+00:00", ReadPoint: site, BizLocation: site}, []string{"urn:epc:id:sgtin:0399990.010001.1"}, false)
		return &e
	}
	future := commission(ours, "urn:epc:id:sgtin:0399990.010001.1")
	future.EventTime = "2026-11-20T13:00:00Z"
	ship := func(from, to string) *epcis.Event {
		e := epcis.Ship(epcis.At{Time: "2026-11-20T11:00:00Z", Offset: "+00:00", ReadPoint: ours}, []string{"urn:epc:id:sgtin:0399990.010001.1"}, epcis.Shipment{SourceOwner: from, DestinationOwner: to})
		return &e
	}
	declared := epcis.Withdraw(*ship("", ""), "2026-11-20T11:30:00Z", epcis.DidNotOccur)
	for name, tt := range map[string]struct {
		event *epcis.Event
		want  httpapi.Code
	}{
		"a shipment":              {ship(ours, dist), ""},
		"a shipment of nobody's":  {ship("", dist), httpapi.ShipmentWithoutParties},
		"a shipment to nobody":    {ship(ours, ""), httpapi.ShipmentWithoutParties},
		"another's to nobody":     {ship(dist, ""), httpapi.ShipmentWithoutParties},
		"a shipment taken back":   {&declared, ""},
		"ours":                    {commission(ours, "urn:epc:id:sgtin:0399990.010001.1"), ""},
		"from the future":         {future, httpapi.FutureEvent},
		"another's GTIN":          {commission(ours, "urn:epc:id:sgtin:0399991.010001.1"), httpapi.GTINNotOwned},
		"a step of others":        {dispense(ours), httpapi.RoleForbidden},
		"a known party's":         {dispense(dist), ""},
		"a party's the api knows": {dispense(corner), ""},
	} {
		var once bool
		f := d.CheckEvent(t.Context(), tt.event, &once)
		if f == nil {
			f = &httpapi.Fault{}
		}
		if f.Code != string(tt.want) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if asked != 1 {
		t.Errorf("the api was asked %d times", asked)
	}
}

// Who may do what is said by the ledger's table of steps. A step without effect on custody is captured for any trading
// partner, and for nobody else.
func TestRolesOfSteps(t *testing.T) {
	const unit, box = "urn:epc:id:sgtin:0399990.010001.1", "urn:epc:id:sscc:0399990.5000000001"
	const traders = "manufacturer or repackager or distributor or 3pl or dispenser"
	for _, tt := range []struct {
		party, step, thing string
		needs              string // "": it may
	}{
		{"maker", epcis.StepCommissioning, box, ""},
		{"dist", epcis.StepCommissioning, box, ""},
		{"dist", epcis.StepCommissioning, unit, "manufacturer or repackager"},
		{"dist", epcis.StepShipping, unit, ""},
		{"dist", epcis.StepDispensing, unit, "dispenser"},
		{"pharm", epcis.StepDispensing, unit, ""},
		{"pharm", "sampling", unit, ""},
		{"board", "sampling", unit, traders},
		{"board", epcis.StepShipping, unit, traders},
		{"nobody", "sampling", unit, traders},
	} {
		d := directoryOf(t, tt.party, nil)
		f := d.CheckOwn(&epcis.Event{Type: "ObjectEvent", Action: "OBSERVE", BizStep: epcis.StepPrefix + tt.step, EPCList: []string{tt.thing}})
		switch {
		case f == nil && tt.needs != "":
			t.Errorf("%s may do %s", tt.party, tt.step)
		case f != nil && (tt.needs == "" || f.Code != string(httpapi.RoleForbidden) || !strings.HasSuffix(f.Message, "(needs "+tt.needs+")")):
			t.Errorf("%s, %s: %+v", tt.party, tt.step, f)
		}
		if d.IsMaker() != (tt.party == "maker") {
			t.Errorf("%s is a maker: %v", tt.party, d.IsMaker())
		}
	}
}

// A registration is known at once, whole, and one that contradicts the ledger's registry is ignored.
func TestRegistrations(t *testing.T) {
	d := newDirectory(t, nil)
	if err := d.Load([]byte(`{"act":{"party":"new","name":"New","roles":["distributor"],"companyPrefixes":["0614141"]}}`)); err != nil {
		t.Fatal(err)
	}
	d.Add(Registration{Act: &registry.Act{Party: "other", Prefixes: []string{"0614141"}}})
	d.Add(Registration{Foreign: []string{"0614141000012"}})
	if party, ok := d.PartyOf("urn:epc:id:sgln:0614141.00001.0"); !ok || party == "maker" {
		t.Errorf("%q %v", party, ok)
	}
	if err := d.Load([]byte("{")); err == nil {
		t.Error("half a record was taken")
	}
}
