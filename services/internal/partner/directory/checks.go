package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/custody"
	"verilot.dev/services/internal/edge/httpapi"
)

// What can be known of a request without the ledger. The ledger has the last word.

// futureSkew is how far the clocks of sender and service may be apart.
const futureSkew = 5 * time.Minute

// IsMaker reports whether the party is registered as one that may make what it sells.
func (d *Directory) IsMaker() bool {
	p, _ := d.party(d.self)
	return custody.Allowed(epcis.StepCommissioning, true, p.Roles)
}

// MayCapture refuses everything while nobody would believe our signature.
func (d *Directory) MayCapture(ctx context.Context) error {
	id := d.cfg.KeyID
	if d.keyKnown(id) {
		return nil
	}
	d.Refresh(ctx)
	if d.keyKnown(id) {
		return nil
	}
	return httpapi.NewProblem(httpapi.KeyUnknown, "the event key %x… of this service is not registered for party %s, so the ledger would refuse every submission; have an authority register it", id[:8], d.self)
}

// actor returns the party that performed ev, by the ledger's own rule with what is known here. said
// is the identifier that the rule rests on, "" when the event names none.
func (d *Directory) actor(ev *epcis.Event) (party, said string) {
	party, said, _ = custody.Actor(ev, d) // epcis.Check has refused what cannot be read
	return party, said
}

// CheckEvent applies what can be known here without the ledger. Another party's act that we only
// pass on is not ours to check: the ledger knows that party better than we do. asked says whether
// the api service was asked for the parties already.
func (d *Directory) CheckEvent(ctx context.Context, ev *epcis.Event, asked *bool) *httpapi.Fault {
	if f := d.CheckTime(ev); f != nil {
		return f
	}
	if f := checkParties(ev); f != nil {
		return f
	}
	party, said := d.actor(ev)
	if party == "" && said != "" && !*asked {
		*asked = true
		d.Refresh(ctx)
		party, _ = d.actor(ev)
	}
	if party != "" && party != d.self {
		return nil
	}
	return d.CheckOwn(ev)
}

// CheckTime refuses what has not happened yet.
func (d *Directory) CheckTime(ev *epcis.Event) *httpapi.Fault {
	if ms, err := epcis.EventTimeMillis(ev); err == nil {
		if now := d.cfg.Now(); ms > now.Add(futureSkew).UnixMilli() {
			return &httpapi.Fault{
				Pointer: "eventTime", Code: string(httpapi.FutureEvent),
				Message: fmt.Sprintf("the event's time %s %s lies after the time here, %s", ev.EventTime, ev.EventTimeZoneOffset, now.UTC().Format(time.RFC3339)),
				Hint:    "capture an event when it has happened; if it has, correct the clock or the offset of the system that wrote it",
			}
		}
	}
	return nil
}

// checkParties refuses a shipment, whoever tells of it, that does not name seller and buyer: the ledger would (SHIP_NO_PARTIES).
func checkParties(ev *epcis.Event) *httpapi.Fault {
	list := custody.Unnamed(ev)
	if list == "" {
		return nil
	}
	return &httpapi.Fault{
		Pointer: list, Code: string(httpapi.ShipmentWithoutParties), Message: "the shipment does not name both seller and buyer", Hint: "add the company as owning_party to " + list,
	}
}

// CheckOwn holds an act of this party against its roles and prefixes.
func (d *Directory) CheckOwn(ev *epcis.Event) *httpapi.Fault {
	step := ev.Step()
	units := step == epcis.StepCommissioning && len(gtins(ev)) > 0
	need := custody.Roles(step, units)
	if need == nil { // any registered party may; this service captures for trading partners
		need = custody.Traders()
	}
	if p, _ := d.party(d.self); !custody.Allowed(step, units, p.Roles) || !p.Has(custody.Traders()...) {
		return &httpapi.Fault{
			Pointer: "bizStep", Code: string(httpapi.RoleForbidden),
			Message: fmt.Sprintf("%s is registered as %s, which does not allow %s (needs %s)", d.self, words(p.Roles), step, strings.Join(need, " or ")),
			Hint:    "have the party that did it capture the event, or name its location in bizLocation if this is a copy of its event",
		}
	}
	if step == epcis.StepCommissioning && ev.Action == "ADD" {
		for _, g := range gtins(ev) {
			if f := d.CheckOwner(g); f != nil {
				return f
			}
		}
	}
	return nil
}

// CheckOwner refuses a GTIN under a company prefix that is not registered for this party.
func (d *Directory) CheckOwner(g gs1.GTIN) *httpapi.Fault {
	owner, ok := d.OwnerOf(g)
	if ok && owner == d.self {
		return nil
	}
	whose := "under no company prefix that is registered, so not"
	if ok {
		whose = "registered for " + owner + ", not"
	}
	return &httpapi.Fault{
		Pointer: "epcList", Code: string(httpapi.GTINNotOwned),
		Message: fmt.Sprintf("GTIN %s is %s for %s", g, whose, d.self),
		Hint:    "commission only under your own company prefixes; a new prefix is registered by an authority",
	}
}

// gtins lists the trade items whose units an event's epcList names.
func gtins(ev *epcis.Event) []gs1.GTIN {
	var list []gs1.GTIN
	last := ""
	for _, s := range ev.EPCList {
		prefix, _ := gs1.SplitEPC(s)
		if prefix != "" && prefix == last {
			continue // a run of serials of the GTIN just seen
		}
		last = prefix
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			continue // epcis.Check has refused it
		}
		if g, ok := epc.Key().GTIN(); ok && epc.Key().IsUnit() && !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	return list
}

func words(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
