package custody

import (
	"fmt"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// A Fault is a reason why goods must not be sold or dispensed.
type Fault uint8

// The faults, gravest first.
const (
	IsSuspect    Fault = 1 + iota // suspect or illegitimate
	IsRecalled                    // an open recall, or marked recalled by a holder
	IsHeld                        // in quarantine or on hold
	IsUnreleased                  // came back as a return and was not released
	IsExpired                     // past its expiry date, or marked expired
)

// String is suspect, recalled, held, unreleased or expired.
func (f Fault) String() string {
	return [...]string{"", "suspect", "recalled", "held", "unreleased", "expired"}[f]
}

// faultMarks are the overlays behind a fault.
var faultMarks = [...]uint16{
	IsSuspect: books.OverlaySuspect | books.OverlayIllegitimate, IsRecalled: books.OverlayRecalled | books.NamedByRecall,
	IsHeld: books.OverlayQuarantined | books.OverlayHold, IsUnreleased: books.OverlayReturned, IsExpired: books.OverlayExpired,
}

// Where says where a fault lies, seen from the thing that is asked about.
type Where uint8

// The places of a fault.
const (
	Itself Where = 1 + iota
	Around
	Within
)

// String is itself, around or inside.
func (w Where) String() string { return [...]string{"", "itself", "around", "inside"}[w] }

// Reason is one fault of a thing: its own, of a container around it, or of something inside it.
type Reason struct {
	Fault  Fault
	Where  Where
	Key    gs1.Key // the thing itself, or the container around it that has the fault
	Units  uint64  // inside: how many units have it, of All; it may be none, where an empty container is marked
	All    uint64
	Marks  []string // overlays that say so
	GTIN   string   // of what is recalled or expired
	Lot    string
	Expiry string
	Recall *registry.RecallRecord
}

// String says it in a sentence without subject: "is marked suspect".
func (r *Reason) String() string {
	is, expired := "is", "expired on "+r.Expiry
	switch r.Where {
	case Around:
		is = fmt.Sprintf("is inside %s, which is", r.Key)
		expired = fmt.Sprintf("is inside %s, which expired on %s", r.Key, r.Expiry)
	case Within:
		be, have := "are", "have"
		if r.Units == 1 {
			be, have = "is", "has"
		}
		is = fmt.Sprintf("contains %d units, and %d of them %s", r.All, r.Units, be)
		if r.Units == 0 {
			is = "contains something that is"
		}
		expired = fmt.Sprintf("contains %d units, and %d of them %s expired (lot %s on %s)", r.All, r.Units, have, r.Lot, r.Expiry)
	case Itself:
	}
	switch {
	case r.Recall != nil:
		return fmt.Sprintf("%s recalled (%s, class %s: %s)", is, r.Recall.RecallNumber, r.Recall.Classification, short(r.Recall.Reason))
	case r.Expiry != "":
		return expired
	}
	return is + " marked " + strings.Join(r.Marks, ", ")
}

// goods is what finding faults asks for.
type goods struct {
	reg   registry.Registry
	books *books.Books

	gtin    string          // the first that was asked for
	open    bool            // something of it is recalled
	recalls map[string]bool // the same of others
}

// faults lists what speaks against selling or dispensing a thing on a day, gravest first, one reason per fault and place.
func (g *goods) faults(key, day string) (list []Reason) {
	chain := g.books.Chain(key)
	if len(chain) == 0 {
		if books.IsUnit(key) {
			if rc := g.recalled(key, books.GTINOf(key), ""); rc != nil {
				list = append(list, Reason{Fault: IsRecalled, Where: Itself, Key: books.MustKey(key), GTIN: books.GTINOf(key), Recall: rc})
			}
		}
		return list
	}
	for i, r := range chain {
		where := Around
		if i == 0 {
			where = Itself
		}
		list = append(list, g.own(r, where, day)...)
	}
	list = append(list, g.inside(chain[0], day)...)
	slices.SortStableFunc(list, func(a, b Reason) int { return int(a.Fault) - int(b.Fault) })
	return list
}

// anyRecalled reports whether anything of a GTIN is recalled. Most products have no recall, and every unit asks.
func (g *goods) anyRecalled(gtin string) bool {
	if g.gtin == gtin {
		return g.open
	}
	open, known := g.recalls[gtin]
	switch {
	case known:
	case g.gtin == "":
		open = g.reg.AnyRecalled(gtin)
		g.gtin, g.open = gtin, open
	default:
		open = g.reg.AnyRecalled(gtin)
		if g.recalls == nil {
			g.recalls = map[string]bool{}
		}
		g.recalls[gtin] = open
	}
	return open
}

// recalled finds an open recall of a unit, its lot or its GTIN; without a unit, of the lot or the GTIN. nil: there is none.
func (g *goods) recalled(unit, gtin, lot string) *registry.RecallRecord {
	if !g.anyRecalled(gtin) {
		return nil
	}
	number, err := gs1.ParseGTIN(gtin)
	if err != nil {
		return nil
	}
	rc, ok := g.reg.Recalled(books.MustKey(unit), number, lot)
	if !ok {
		return nil
	}
	return &rc
}

// own are the faults of a thing without regard to what is around it or inside.
func (g *goods) own(r *books.Record, where Where, day string) (list []Reason) {
	for f := IsSuspect; f <= IsExpired; f++ {
		if bits := r.Overlays & faultMarks[f] &^ books.NamedByRecall; bits != 0 {
			list = append(list, Reason{Fault: f, Where: where, Key: books.MustKey(r.Key), Marks: books.OverlayList(bits)})
		}
	}
	if !books.IsUnit(r.Key) {
		return list
	}
	if rc := g.recalled(r.Key, books.GTINOf(r.Key), r.Lot); rc != nil {
		list = append(list, Reason{Fault: IsRecalled, Where: where, Key: books.MustKey(r.Key), GTIN: books.GTINOf(r.Key), Lot: r.Lot, Recall: rc})
	}
	if r.Expiry != "" && r.Expiry < day { // both are YYYY-MM-DD; the day of expiry is the last good one
		list = append(list, Reason{Fault: IsExpired, Where: where, Key: books.MustKey(r.Key), GTIN: books.GTINOf(r.Key), Lot: r.Lot, Expiry: r.Expiry})
	}
	return list
}

// inside are the faults of what is inside a thing: read from its sums, and recalls and expiry from the lots in it.
func (g *goods) inside(r *books.Record, day string) (list []Reason) {
	c := g.books.Look(r)
	if c.Empty() {
		return nil
	}
	all, marked := uint64(c.Units()), c.Marked()
	for f := IsSuspect; f <= IsExpired; f++ {
		var bits uint16
		var units int64
		for m := range books.Marks {
			if faultMarks[f]&(1<<m) == 0 || c.Things[m] == 0 && marked[m] == 0 {
				continue
			}
			if bits |= 1 << m; 1<<m == books.NamedByRecall {
				bits |= books.OverlayRecalled
			}
			units = max(units, marked[m])
		}
		if bits != 0 {
			list = append(list, Reason{Fault: f, Where: Within, Key: books.MustKey(r.Key), Units: uint64(units), All: all, Marks: books.OverlayList(bits&^books.NamedByRecall | bits&books.NamedByRecall>>5)})
		}
	}
	var recalled, expired *Reason
	for i := range c.Stocks {
		s := &c.Stocks[i]
		if rc := g.recalled("", s.GTIN, s.Lot); rc != nil {
			if recalled == nil {
				recalled = &Reason{Fault: IsRecalled, Where: Within, Key: books.MustKey(r.Key), All: all, GTIN: s.GTIN, Lot: s.Lot, Recall: rc}
			}
			recalled.Units += uint64(s.Units)
		}
		if s.Expiry != "" && s.Expiry < day {
			if expired == nil {
				expired = &Reason{Fault: IsExpired, Where: Within, Key: books.MustKey(r.Key), All: all, GTIN: s.GTIN, Lot: s.Lot, Expiry: s.Expiry}
			}
			expired.Units += uint64(s.Units)
		}
	}
	for _, r := range []*Reason{recalled, expired} {
		if r != nil {
			list = append(list, *r)
		}
	}
	return list
}

// Faults lists what speaks against selling or dispensing a thing on a day (YYYY-MM-DD), gravest first: of itself, of the
// containers around it, and of what is inside it. The cost grows with the lots inside, not with the units.
func Faults(v state.View, key gs1.Key, day string) []Reason {
	b := books.Open(state.NewOverlay(v), canonical.Position{}, 1)
	g := goods{reg: registry.Registry{View: v}, books: &b}
	return g.faults(key.String(), day)
}

// authorisations are the numbers of the return authorisations that an event names, sorted.
func authorisations(ev *epcis.Event) []string {
	var list []string
	for _, t := range ev.BizTransactionList {
		if epcis.TermBizTransaction.Word(t.Type) == epcis.ReturnAuthorization {
			list = append(list, clip(t.Value))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// checkSale rejects the shipping of what must not be sold, and returns what is only held for it: what has expired. A return
// to its seller, or to the owner of its GTIN, is no sale.
func (j *judging) checkSale(keys []string, to string) (expired []string, why string) {
	codes := [...]verdict.Code{
		IsSuspect: verdict.ShipSuspect, IsRecalled: verdict.ShipRecalled, IsHeld: verdict.ShipQuarantined, IsUnreleased: verdict.ShipUnreleasedReturn,
		IsExpired: "",
	}
	returns := isReturn(j.ev)
	for _, k := range keys {
		if returns && j.returning(k, to) {
			continue
		}
		j.needLicence() // it is a sale, whatever it calls itself
		faults := j.goods.faults(k, j.day)
		if len(faults) == 0 {
			continue
		}
		f := &faults[0]
		if code := codes[f.Fault]; code != "" {
			j.reject(code, k, "%s %s: it must not be shipped for sale. Set it aside; a return names its authorisation (rma) and goes to its seller or maker", k, f)
			continue
		}
		if len(expired) == 0 {
			why = f.String()
		}
		expired = append(expired, k)
	}
	return expired, why
}

// returning says whether a party to which a thing is sent back owns its GTIN, or sold it to the actor.
func (j *judging) returning(key, to string) bool {
	return to != "" && (j.owns(key, to) || j.SoldBy(key, to, j.actor))
}

// owns says whether a thing, with everything inside it, is of GTINs that a party owns.
func (j *judging) owns(key, party string) bool {
	owner := func(gtin string) bool {
		g, err := gs1.ParseGTIN(gtin)
		if err != nil {
			return false
		}
		owner, ok := j.reg.OwnerOfGTIN(g)
		return ok && owner == party
	}
	if books.IsUnit(key) && !owner(books.GTINOf(key)) {
		return false
	}
	r := j.Get(key)
	if r == nil {
		return books.IsUnit(key)
	}
	c := j.Look(r)
	for i := range c.Stocks {
		if !owner(c.Stocks[i].GTIN) {
			return false
		}
	}
	return books.IsUnit(key) || len(c.Stocks) > 0
}

// setAside quarantines what was received although it is recalled or has expired, alone or inside something.
func (j *judging) setAside(arrived []string) {
	var aside []string
	for _, f := range []struct {
		fault Fault
		code  verdict.Code
	}{{IsRecalled, verdict.ReceiveRecalled}, {IsExpired, verdict.ReceiveExpired}} {
		var keys []string
		why := ""
		for _, k := range arrived {
			reasons := j.goods.faults(k, j.day)
			if i := slices.IndexFunc(reasons, func(r Reason) bool { return r.Fault == f.fault }); i >= 0 {
				if keys = append(keys, k); why == "" {
					why = reasons[i].String()
				}
			}
		}
		if len(keys) > 0 {
			j.find(f.code, block.Flag, keys, fmt.Sprintf("%s %s: set aside from now on", keys[0], why))
			aside = append(aside, keys...)
		}
	}
	j.overlay(books.OverlayQuarantined, true, aside)
}

// bornLater says whether a thing, or something inside it, was made after a time.
func (j *judging) bornLater(key string, ms int64) bool {
	r := j.Get(key)
	if r == nil {
		return false
	}
	if r.Made > ms {
		return true
	}
	stocks := j.Look(r).Stocks
	for i := range stocks {
		if stocks[i].Newest > ms {
			return true
		}
	}
	return false
}

// shippedEarlier says whether a thing was shipped, itself or with something around it, before a time.
func (j *judging) shippedEarlier(key string, ms int64) bool {
	return slices.ContainsFunc(j.Chain(key), func(r *books.Record) bool {
		trips := r.Trips
		if r.Phase == InTransit {
			trips = append(slices.Clone(trips), r.Shipment)
		}
		return slices.ContainsFunc(trips, func(at canonical.Position) bool {
			s := j.Shipment(at)
			return s != nil && s.EventTime < ms
		})
	})
}

const bornAfterShipping = "shipped before it was made, by the times of its events: one of the two times is wrong"
