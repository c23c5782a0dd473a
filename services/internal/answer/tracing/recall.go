package tracing

import (
	"cmp"
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/answer/index"
)

// Recall is registry.Recall as shown, with the names that the capture commands use.
type Recall struct {
	RecallNumber   string   `json:"recallNumber"`
	GTIN           string   `json:"gtin,omitempty"`
	Lot            string   `json:"lot,omitempty"`
	Classification string   `json:"classification,omitempty"`
	Depth          string   `json:"depth,omitempty"`
	Reason         string   `json:"reason,omitempty"`
	InitiatedOn    string   `json:"initiatedOn,omitempty"`
	Status         string   `json:"status"`
	Units          []string `json:"units,omitempty"`
}

// RecallView is a recall that covers a unit or lot.
type RecallView struct {
	Recall
	Party    string             `json:"party"`
	Position canonical.Position `json:"position"`
}

// RecallDetail is everything under one recall number, and how far it has come.
type RecallDetail struct {
	RecallNumber   string    `json:"recallNumber"`
	Party          *PartyRef `json:"party" doc:"Who opened it"`
	Classification string    `json:"classification,omitempty"`
	Depth          string    `json:"depth,omitempty"`
	Reason         string    `json:"reason,omitempty"`
	InitiatedOn    string    `json:"initiatedOn,omitempty"`
	Status         string    `json:"status" enum:"open,ended" doc:"open while any part of it is"`
	// Scope is what was recalled under the number, each with its newest status.
	Scope         []RecallView  `json:"scope"`
	Lots          []RecalledLot `json:"lots"`
	Effectiveness Effectiveness `json:"effectiveness"`
	RestsOn       AsOf          `json:"restsOn"`
}

// RecalledLot is a lot under the recall.
type RecalledLot struct {
	GTIN         string     `json:"gtin"`
	Lot          string     `json:"lot"`
	Product      *Product   `json:"product,omitempty"`
	Expiry       string     `json:"expiry,omitempty"`
	Commissioned uint64     `json:"commissioned"`
	Totals       []LotTotal `json:"totals"`
}

// Effectiveness counts every recalled unit once, by what has become of it (21 CFR 7.42 and 7.50 ask how far a recall has
// reached). The first class that fits counts.
type Effectiveness struct {
	Units    uint64         `json:"units"`
	Outcomes RecallOutcomes `json:"outcomes"`
	Holders  []RecallHolder `json:"holders" doc:"Those with units still to be set aside first"`
}

// RecallOutcomes are the classes, in the order in which they are tried.
type RecallOutcomes struct {
	Dispensed   uint64 `json:"dispensed" doc:"Reached a patient"`
	Destroyed   uint64 `json:"destroyed" doc:"Destroyed or decommissioned"`
	Lost        uint64 `json:"lost" doc:"Reported lost or stolen, missing from a shipment, or with nobody known"`
	InTransit   uint64 `json:"inTransit" doc:"On its way, wherever to"`
	WithMaker   uint64 `json:"withMaker" doc:"With the company whose GTIN it is"`
	Quarantined uint64 `json:"quarantined" doc:"Set aside: quarantined, or marked recalled, suspect, illegitimate or damaged. What a finding put on hold is quarantined, too"`
	Remaining   uint64 `json:"remaining" doc:"With a holder that has not set it aside: still to be acted on"`
}

// RecallHolder is where recalled units are.
type RecallHolder struct {
	Party     *PartyRef `json:"party"`
	Place     *PlaceRef `json:"place,omitempty" doc:"The party's first registered place"`
	Units     uint64    `json:"units"`
	SetAside  uint64    `json:"setAside"`
	Remaining uint64    `json:"remaining"`
}

func (s *Snapshot) recallOf(number string) (*RecallDetail, error) {
	all, err := s.recallList()
	if err != nil {
		return nil, err
	}
	d := &RecallDetail{RecallNumber: number, Status: "ended", Scope: []RecallView{}, Lots: []RecalledLot{}}
	type covered struct{ gtin, lot, units string } // whoever says so: another party may end it
	at := map[covered]int{}
	for _, rc := range all {
		if rc.RecallNumber != number {
			continue
		}
		if g, err := gs1.ParseGTIN(rc.GTIN); err == nil {
			rc.GTIN = g.String()
		}
		k := covered{rc.GTIN, rc.Lot, strings.Join(rc.Units, "\n")}
		if _, ok := at[k]; ok {
			continue
		}
		at[k] = len(d.Scope)
		// The registry says what is open: the counter and the rules ask it, too.
		if rc.Status = "ended"; isOpen(s.registry(), &rc.Recall) {
			rc.Status = "open"
		}
		d.Scope = append(d.Scope, rc)
	}
	if len(d.Scope) == 0 {
		return nil, ErrNoRecall
	}
	first := &d.Scope[0]
	d.Party, d.Classification, d.Depth, d.Reason, d.InitiatedOn = s.party(first.Party), first.Classification, first.Depth, first.Reason, first.InitiatedOn
	for i := range d.Scope {
		if d.Scope[i].Status == "open" {
			d.Status = "open"
		}
	}
	return d, nil
}

// isOpen reports whether any of what a recall covers is still recalled under its number.
func isOpen(reg registry.Registry, rc *Recall) bool {
	for _, text := range rc.Units {
		epc, err := gs1.ParseEPC(text)
		if err == nil && slices.ContainsFunc(reg.UnitRecalls(epc.Key()), func(o registry.RecallRecord) bool { return o.RecallNumber == rc.RecallNumber }) {
			return true
		}
	}
	g, err := gs1.ParseGTIN(rc.GTIN)
	return err == nil && len(rc.Units) == 0 && slices.ContainsFunc(reg.Recalls(g, rc.Lot), func(o registry.RecallRecord) bool {
		return o.RecallNumber == rc.RecallNumber && o.Lot == rc.Lot
	})
}

// recallScope is what a recall covers, each lot and each unit once.
type recallScope struct {
	lots  []recalledLot
	units []recalledUnit // that are in none of the lots
}

type recalledLot struct {
	gtin gs1.GTIN
	lot  string
}

type recalledUnit struct {
	custody.Unit
	state string
}

// covers lists the lots under the recall, and the single units that are in none of them.
func (s *Snapshot) covers(d *RecallDetail) (c recallScope) {
	lots := map[recalledLot]bool{}
	lot := func(l recalledLot) {
		if !lots[l] {
			lots[l] = true
			c.lots = append(c.lots, l)
		}
	}
	for i := range d.Scope {
		rc := &d.Scope[i]
		g, err := gs1.ParseGTIN(rc.GTIN)
		switch {
		case err != nil:
		case rc.Lot != "":
			lot(recalledLot{g, rc.Lot})
		default:
			index.LotsOf(s.View, rc.GTIN, func(name string) bool {
				lot(recalledLot{g, name})
				return true
			})
		}
	}
	single := map[gs1.Key]bool{}
	for i := range d.Scope {
		for _, text := range d.Scope[i].Units {
			epc, err := gs1.ParseEPC(text)
			if err != nil || single[epc.Key()] {
				continue
			}
			single[epc.Key()] = true
			u, _, ok := custody.Locate(s.View, epc.Key())
			g, _ := epc.Key().GTIN()
			if ok && !lots[recalledLot{g, u.Lot}] {
				c.units = append(c.units, recalledUnit{u, custody.StateName(s.View, &u)})
			}
		}
	}
	return c
}

// recalled is a number of units with one party in one state.
type recalled struct {
	custody.Total
	maker string
	aside uint64 // of those that the party has on hand
}

// add classifies units.
func (o *RecallOutcomes) add(r *recalled) {
	switch {
	case r.State == custody.Dispensed.String():
		o.Dispensed += r.Units
	case r.State == custody.Destroyed.String(), r.State == custody.Decommissioned.String():
		o.Destroyed += r.Units
	case r.State != custody.OnHand && r.State != custody.OnItsWay, r.Party == "":
		o.Lost += r.Units
	case r.State == custody.OnItsWay:
		o.InTransit += r.Units
	case r.Party == r.maker:
		o.WithMaker += r.Units
	default:
		o.Quarantined += r.aside
		o.Remaining += r.Units - r.aside
	}
}

// reached is how far a recall has come.
type reached struct {
	Effectiveness
	snapshot *Snapshot
	holders  map[string]*RecallHolder
}

func (e *reached) add(r *recalled) {
	e.Units += r.Units
	e.Outcomes.add(r)
	if r.State != custody.OnHand {
		return
	}
	h := e.holders[r.Party]
	if h == nil {
		h = &RecallHolder{Party: e.snapshot.party(r.Party)}
		e.holders[r.Party] = h
	}
	aside := r.aside
	if r.Party == r.maker {
		aside = r.Units
	}
	h.Units += r.Units
	h.SetAside += aside
	h.Remaining += r.Units - aside
}

// sum lists the holders, those with the most still to do first.
func (e *reached) sum() Effectiveness {
	e.Holders = []RecallHolder{}
	for id, h := range e.holders {
		if p, ok := e.snapshot.registry().Party(id); ok && len(p.Places) > 0 {
			if epc, err := gs1.ParseEPC(p.Places[0].ID); err == nil {
				h.Place = e.snapshot.place(epc.Key().String())
			}
		}
		e.Holders = append(e.Holders, *h)
	}
	slices.SortFunc(e.Holders, func(a, b RecallHolder) int {
		return cmp.Or(cmp.Compare(b.Remaining, a.Remaining), cmp.Compare(b.Units, a.Units), cmp.Compare(a.Party.ID, b.Party.ID))
	})
	return e.Effectiveness
}

// Recall is everything under a recall number; ErrNoRecall if the ledger has no such recall. It reads the totals of each
// lot, so its cost grows with the lots and their holders, and not with their units.
func (s *Snapshot) Recall(number string) (*RecallDetail, error) {
	d, err := s.recallOf(number)
	if err != nil {
		return nil, err
	}
	d.RestsOn = s.AsOf()
	covered := s.covers(d)
	e := reached{snapshot: s, holders: map[string]*RecallHolder{}}
	for _, c := range covered.lots {
		d.Lots = append(d.Lots, s.recalledLot(&c, &e))
	}
	for i := range covered.units {
		u := &covered.units[i]
		g, _ := u.Key.GTIN()
		r := recalled{Total: custody.Total{Party: u.Holder, State: u.state, Units: 1}}
		r.maker, _ = s.registry().OwnerOfGTIN(g)
		if index.IsSetAside(u.Overlays) {
			r.aside = 1
		}
		e.add(&r)
	}
	d.Effectiveness = e.sum()
	return d, nil
}

// recalledLot is a lot with its totals, which it adds to what has become of the recall.
func (s *Snapshot) recalledLot(c *recalledLot, e *reached) RecalledLot {
	maker, _ := s.registry().OwnerOfGTIN(c.gtin)
	l := RecalledLot{GTIN: c.gtin.String(), Lot: c.lot, Product: s.viewGTIN(c.gtin.String()).product, Totals: []LotTotal{}}
	totals, commissioned := custody.LotTotals(s.View, c.gtin, c.lot)
	l.Commissioned = commissioned
	if reg, ok := s.registry().Lot(c.gtin, c.lot); ok {
		l.Expiry = reg.Expiry
	}
	if l.Expiry == "" {
		l.Expiry = custody.LotExpiry(s.View, c.gtin, c.lot)
	}
	aside := index.AsideOnHand(s.View, c.gtin, c.lot)
	for _, t := range totals {
		row := LotTotal{Total: t}
		if p := s.party(t.Party); p != nil {
			row.Name = p.Name
		}
		l.Totals = append(l.Totals, row)
		r := recalled{Total: t, maker: maker}
		if t.State == custody.OnHand {
			r.aside = aside[t.Party]
		}
		e.add(&r)
	}
	return l
}

// RecallUnits calls fn for every unit under a recall, each once, until fn returns false;
// ErrNoRecall if the ledger has no such recall.
func (s *Snapshot) RecallUnits(number string, fn func(u custody.Unit, state string) bool) error {
	d, err := s.recallOf(number)
	if err != nil {
		return err
	}
	covered, goOn := s.covers(d), true
	for _, c := range covered.lots {
		custody.LotUnits(s.View, c.gtin, c.lot, func(u custody.Unit, state string) bool {
			goOn = fn(u, state)
			return goOn
		})
		if !goOn {
			return nil
		}
	}
	for i := range covered.units {
		if !fn(covered.units[i].Unit, covered.units[i].state) {
			return nil
		}
	}
	return nil
}

// Recalls are all recalls on the ledger, newest last.
type Recalls struct {
	Recalls []RecallView `json:"recalls"`
	RestsOn AsOf         `json:"restsOn"`
}

// Recalls lists every accepted recall in ledger order.
func (s *Snapshot) Recalls() (*Recalls, error) {
	list, err := s.recallList()
	if err != nil {
		return nil, err
	}
	return &Recalls{Recalls: list, RestsOn: s.AsOf()}, nil
}

// recallList returns every accepted recall in ledger order.
func (s *Snapshot) recallList() ([]RecallView, error) {
	out := []RecallView{}
	var failed error
	index.Recalls(s.View, func(pos canonical.Position) bool {
		res, err := s.Log.Block(pos.Height)
		if err != nil {
			failed = err
			return false
		}
		sub := res.Entries[pos.Entry].Submission
		if rc, ok := sub.Items[pos.Item].Message.(*registry.Recall); ok {
			out = append(out, RecallView{Recall: Recall(*rc), Party: sub.Header.Party, Position: pos})
		}
		return true
	})
	return out, failed
}

// recallsOf returns the open recalls that cover a unit: of its lot, of its GTIN, or of the unit
// itself.
func (s *Snapshot) recallsOf(key gs1.Key, lot string) []registry.RecallRecord {
	reg := s.registry()
	out := reg.UnitRecalls(key)
	if g, ok := key.GTIN(); ok && key.IsUnit() {
		out = append(slices.Clip(out), reg.Recalls(g, lot)...)
	}
	return out
}
