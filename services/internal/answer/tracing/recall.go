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

// setAside are the marks of what cannot be dispensed or is told to be apart. The ledger's own hold sets "quarantined" with
// it (docs/spec.md section 9) and counts: which of the two it was cannot be told from the marks.
var setAside = []string{"quarantined", "recalled", "suspect", "illegitimate", "damaged"}

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

// recalledUnits visits every unit under the recall once, lot by lot; seen is called with a lot
// before its units.
func (s *Snapshot) recalledUnits(d *RecallDetail, seen func(g gs1.GTIN, lot string), fn func(u custody.Unit, state string) bool) {
	lots := map[string]bool{}
	goOn := true
	visit := func(g gs1.GTIN, lot string) {
		if k := g.String() + "\x00" + lot; goOn && !lots[k] {
			lots[k] = true
			seen(g, lot)
			custody.LotUnits(s.View, g, lot, func(u custody.Unit, state string) bool {
				goOn = fn(u, state)
				return goOn
			})
		}
	}
	for i := range d.Scope {
		rc := &d.Scope[i]
		g, err := gs1.ParseGTIN(rc.GTIN)
		switch {
		case err != nil:
		case rc.Lot != "":
			visit(g, rc.Lot)
		default:
			index.LotsOf(s.View, rc.GTIN, func(lot string) bool { visit(g, lot); return goOn })
		}
	}
	single := map[gs1.Key]bool{}
	for i := range d.Scope {
		for _, text := range d.Scope[i].Units {
			epc, err := gs1.ParseEPC(text)
			if err != nil || single[epc.Key()] || !goOn {
				continue
			}
			single[epc.Key()] = true
			u, _, ok := custody.Locate(s.View, epc.Key())
			g, _ := epc.Key().GTIN()
			if ok && !lots[g.String()+"\x00"+u.Lot] {
				goOn = fn(u, custody.StateName(s.View, &u))
			}
		}
	}
}

// outcome classifies a unit.
func (o *RecallOutcomes) add(u *custody.Unit, state, maker string) (aside, remaining bool) {
	switch {
	case u.State == custody.Dispensed:
		o.Dispensed++
	case u.State == custody.Destroyed, u.State == custody.Decommissioned:
		o.Destroyed++
	case u.State != custody.Active, state == custody.Unaccounted, u.Holder == "":
		o.Lost++
	case u.Phase == custody.InTransit:
		o.InTransit++
	case u.Holder == maker:
		o.WithMaker++
		return true, false
	case slices.ContainsFunc(u.Overlays, func(m string) bool { return slices.Contains(setAside, m) }):
		o.Quarantined++
		return true, false
	default:
		o.Remaining++
		return false, true
	}
	return false, false
}

// Recall is everything under a recall number; ErrNoRecall if the ledger has no such recall.
func (s *Snapshot) Recall(number string) (*RecallDetail, error) {
	d, err := s.recallOf(number)
	if err != nil {
		return nil, err
	}
	d.RestsOn = s.AsOf()
	holders := map[string]*RecallHolder{}
	maker := ""
	s.recalledUnits(d, func(g gs1.GTIN, lot string) {
		maker, _ = s.registry().OwnerOfGTIN(g)
		v := s.viewGTIN(g.String())
		l := RecalledLot{GTIN: g.String(), Lot: lot, Product: v.product, Totals: []LotTotal{}}
		if reg, ok := s.registry().Lot(g, lot); ok {
			l.Expiry = reg.Expiry
		}
		d.Lots = append(d.Lots, l)
	}, func(u custody.Unit, state string) bool {
		e := &d.Effectiveness
		e.Units++
		g, _ := u.Key.GTIN()
		owner, n := maker, len(d.Lots)
		switch {
		case n == 0 || d.Lots[n-1].GTIN != g.String():
			owner, _ = s.registry().OwnerOfGTIN(g)
		case d.Lots[n-1].Lot == u.Lot: // a single unit may be of a lot of that name of another product
			d.Lots[n-1].count(s, &u, state)
		}
		aside, remaining := e.Outcomes.add(&u, state, owner)
		if aside || remaining {
			h := holders[u.Holder]
			if h == nil {
				h = &RecallHolder{Party: s.party(u.Holder)}
				holders[u.Holder] = h
			}
			h.Units++
			if aside {
				h.SetAside++
			} else {
				h.Remaining++
			}
		}
		return true
	})
	d.Effectiveness.Holders = []RecallHolder{}
	for id, h := range holders {
		if p, ok := s.registry().Party(id); ok && len(p.Places) > 0 {
			if epc, err := gs1.ParseEPC(p.Places[0].ID); err == nil {
				h.Place = s.place(epc.Key().String())
			}
		}
		d.Effectiveness.Holders = append(d.Effectiveness.Holders, *h)
	}
	slices.SortFunc(d.Effectiveness.Holders, func(a, b RecallHolder) int {
		return cmp.Or(cmp.Compare(b.Remaining, a.Remaining), cmp.Compare(b.Units, a.Units), cmp.Compare(a.Party.ID, b.Party.ID))
	})
	for i := range d.Lots {
		slices.SortFunc(d.Lots[i].Totals, func(a, b LotTotal) int {
			return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.State, b.State))
		})
	}
	return d, nil
}

func (l *RecalledLot) count(s *Snapshot, u *custody.Unit, state string) {
	l.Commissioned++
	if l.Expiry == "" {
		l.Expiry = u.Expiry
	}
	for i := range l.Totals {
		if l.Totals[i].Party == u.Holder && l.Totals[i].State == state {
			l.Totals[i].Units++
			return
		}
	}
	t := LotTotal{Total: custody.Total{Party: u.Holder, State: state, Units: 1}}
	if p := s.party(u.Holder); p != nil {
		t.Name = p.Name
	}
	l.Totals = append(l.Totals, t)
}

// RecallUnits calls fn for every unit under a recall, each once, until fn returns false;
// ErrNoRecall if the ledger has no such recall.
func (s *Snapshot) RecallUnits(number string, fn func(u custody.Unit, state string) bool) error {
	d, err := s.recallOf(number)
	if err != nil {
		return err
	}
	s.recalledUnits(d, func(gs1.GTIN, string) {}, fn)
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
