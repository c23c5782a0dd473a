package custody

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
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
	IsSuspect: overlaySuspect | overlayIllegitimate, IsRecalled: overlayRecalled | namedByRecall,
	IsHeld: overlayQuarantined | overlayHold, IsUnreleased: overlayReturned, IsExpired: overlayExpired,
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
	Out    gs1.Key  // the recalled case that it came out of
	GTIN   string   // of what is recalled or expired
	Lot    string
	Expiry string
	Recall *registry.RecallRecord
}

// String says it in a sentence without subject: "is marked suspect".
func (r *Reason) String() string {
	is, expired, out := "is", "expired on "+r.Expiry, ""
	if r.Out != (gs1.Key{}) {
		out = fmt.Sprintf("came out of %s, which is", r.Out)
		is = out
	}
	switch r.Where {
	case Around:
		is = fmt.Sprintf("is inside %s, which %s", r.Key, is)
		expired = fmt.Sprintf("is inside %s, which expired on %s", r.Key, r.Expiry)
	case Within:
		be, have := "are", "have"
		if r.Units == 1 {
			be, have = "is", "has"
		}
		is = fmt.Sprintf("contains %d units, and %d of them %s", r.All, r.Units, cmp.Or(out, be))
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
	books *books

	gtin    string          // the first that was asked for
	open    bool            // something of it is recalled
	recalls map[string]bool // the same of others
}

// faults lists what speaks against selling or dispensing a thing on a day, gravest first, one reason per fault and place.
func (g *goods) faults(key, day string) (list []Reason) {
	chain := g.books.chain(key)
	if len(chain) == 0 {
		if isUnit(key) {
			if rc := g.recalled(key, gtinOf(key), ""); rc != nil {
				list = append(list, Reason{Fault: IsRecalled, Where: Itself, Key: mustKey(key), GTIN: gtinOf(key), Recall: rc})
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
	rc, ok := g.reg.Recalled(mustKey(unit), number, lot)
	if !ok {
		return nil
	}
	return &rc
}

// cases are those of some containers that are under a recall, and those that they are out of, as of record.outOf.
func (g *goods) cases(around []*record) (list string) {
	for _, c := range around {
		if isUnit(c.key) && g.recalled(c.key, gtinOf(c.key), c.lot) != nil {
			list = together(list, " "+c.key)
		}
		list = together(g.stillRecalled(c.outOf), list)
	}
	return list
}

// stillRecalled are those of a list of cases whose recall is open. A list has a limit: a thing is recalled by any of them.
func (g *goods) stillRecalled(list string) (still string) {
	const most = 16
	for i, c := range strings.Fields(list) {
		if i < most && g.recalledCase(c) != nil {
			still += " " + c
		}
	}
	return still
}

func (g *goods) recalledCase(key string) *registry.RecallRecord {
	lot := ""
	if r := g.books.get(key); r != nil {
		lot = r.lot
	}
	return g.recalled(key, gtinOf(key), lot)
}

// outOf is the fault of what came out of a recalled case, nil if there is none.
func (g *goods) outOf(list string) *Reason {
	for _, c := range strings.Fields(list) {
		if rc := g.recalledCase(c); rc != nil {
			return &Reason{Fault: IsRecalled, Out: mustKey(c), GTIN: gtinOf(c), Recall: rc}
		}
	}
	return nil
}

// own are the faults of a thing without regard to what is around it or inside.
func (g *goods) own(r *record, where Where, day string) (list []Reason) {
	for f := IsSuspect; f <= IsExpired; f++ {
		if bits := r.overlays & faultMarks[f] &^ namedByRecall; bits != 0 {
			list = append(list, Reason{Fault: f, Where: where, Key: mustKey(r.key), Marks: overlayList(bits)})
		}
	}
	if out := g.outOf(r.outOf); out != nil {
		out.Where, out.Key = where, mustKey(r.key)
		list = append(list, *out)
	}
	if !isUnit(r.key) {
		return list
	}
	if rc := g.recalled(r.key, gtinOf(r.key), r.lot); rc != nil {
		list = append(list, Reason{Fault: IsRecalled, Where: where, Key: mustKey(r.key), GTIN: gtinOf(r.key), Lot: r.lot, Recall: rc})
	}
	if r.expiry != "" && r.expiry < day { // both are YYYY-MM-DD; the day of expiry is the last good one
		list = append(list, Reason{Fault: IsExpired, Where: where, Key: mustKey(r.key), GTIN: gtinOf(r.key), Lot: r.lot, Expiry: r.expiry})
	}
	return list
}

// inside are the faults of what is inside a thing: read from its sums, and recalls and expiry from the lots in it.
func (g *goods) inside(r *record, day string) (list []Reason) {
	c := g.books.look(r)
	if c.empty() {
		return nil
	}
	all, marked := uint64(c.units()), c.marked()
	for f := IsSuspect; f <= IsExpired; f++ {
		var bits uint16
		var units int64
		for m := range marks {
			if faultMarks[f]&(1<<m) == 0 || c.things[m] == 0 && marked[m] == 0 {
				continue
			}
			if bits |= 1 << m; 1<<m == namedByRecall {
				bits |= overlayRecalled
			}
			units = max(units, marked[m])
		}
		if bits != 0 {
			list = append(list, Reason{Fault: f, Where: Within, Key: mustKey(r.key), Units: uint64(units), All: all, Marks: overlayList(bits &^ namedByRecall)})
		}
	}
	var recalled, out, expired *Reason
	for i := range c.stocks {
		s := &c.stocks[i]
		if rc := g.recalled("", s.gtin, s.lot); rc != nil {
			if recalled == nil {
				recalled = &Reason{Fault: IsRecalled, Where: Within, Key: mustKey(r.key), All: all, GTIN: s.gtin, Lot: s.lot, Recall: rc}
			}
			recalled.Units += uint64(s.units)
		} else if x := g.outOf(s.outOf); x != nil {
			if out == nil {
				out = x
				out.Where, out.Key, out.All = Within, mustKey(r.key), all
			}
			out.Units += uint64(s.units)
		}
		if s.expiry != "" && s.expiry < day {
			if expired == nil {
				expired = &Reason{Fault: IsExpired, Where: Within, Key: mustKey(r.key), All: all, GTIN: s.gtin, Lot: s.lot, Expiry: s.expiry}
			}
			expired.Units += uint64(s.units)
		}
	}
	for _, r := range []*Reason{recalled, out, expired} {
		if r != nil {
			list = append(list, *r)
		}
	}
	return list
}

// Faults lists what speaks against selling or dispensing a thing on a day (YYYY-MM-DD), gravest first: of itself, of the
// containers around it, and of what is inside it. The cost grows with the lots inside, not with the units.
func Faults(v state.View, key gs1.Key, day string) []Reason {
	b := newBooks(state.NewOverlay(v), canonical.Position{}, 1)
	g := goods{reg: registry.Registry{View: v}, books: &b}
	return g.faults(key.String(), day)
}

// authorisations are the numbers of the return authorisations that an event names, sorted.
func authorisations(ev *epcis.Event) []string {
	var list []string
	for _, t := range ev.BizTransactionList {
		if epcis.CBVName(t.Type) == epcis.ReturnAuthorization {
			list = append(list, clip(t.Value))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// saleCodes are the codes of what must not be sold for a fault.
var saleCodes = [...]verdict.Code{
	IsSuspect: verdict.ShipSuspect, IsRecalled: verdict.ShipRecalled, IsHeld: verdict.ShipQuarantined, IsUnreleased: verdict.ShipUnreleasedReturn,
	IsExpired: verdict.ShipExpired,
}

// faultBits notes which faults there are.
func faultBits(list []Reason) (bits uint8) {
	for i := range list {
		bits |= 1 << list[i].Fault
	}
	return bits
}

// gravest is the gravest of noted faults, 0 if there is none.
func gravest(bits uint8) Fault {
	for f := IsSuspect; f <= IsExpired; f++ {
		if bits&(1<<f) != 0 {
			return f
		}
	}
	return 0
}

// graver is the graver of two faults, of which either may be none.
func graver(a, b Fault) Fault { return gravest((1<<a | 1<<b) &^ 1) }

// movedOn puts on hold what has gone to another although it must not be sold: a refusal would only hide where it is.
func (j *judging) movedOn(keys []string, fault func(string) Fault, when string) {
	for f := IsSuspect; f <= IsExpired; f++ {
		bad, _ := split(keys, func(k string) bool { return fault(k) == f })
		j.hold(saleCodes[f], bad, "%s %s: it must not be sold, and is with another already. It is on hold", f.was(), when)
	}
}

// was is the fault in a sentence about the past.
func (f Fault) was() string {
	return [...]string{"", "it was suspect", "it was recalled", "it was in quarantine or on hold", "it was a return that was not released", "it had expired"}[f]
}

// checkReturn remarks on what goes back to a party that has nothing to do with it.
func (j *judging) checkReturn(keys []string, to string) {
	if wrong, _ := split(keys, func(k string) bool { return !j.returning(k, to) }); len(wrong) > 0 {
		j.find(verdict.ReturnWrongParty, block.Flag, wrong, fmt.Sprintf("sent back to %s, which neither sold it to %s nor owns its GTIN", companyName(to), j.actor))
	}
}

// checkMade remarks on what is shipped and was made later.
func (j *judging) checkMade(keys []string) {
	if early, _ := split(keys, func(k string) bool { return j.bornLater(k, j.ms) }); len(early) > 0 {
		j.find(verdict.ShipBeforeCommission, block.Flag, early, bornAfterShipping)
	}
}

// checkSale rejects the shipping of what must not be sold, and returns what is only held for it: what has expired. A return
// to its seller, or to the owner of its GTIN, is no sale.
func (j *judging) checkSale(keys []string, to string) (expired []string, why string) {
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
		if f.Fault != IsExpired {
			j.reject(saleCodes[f.Fault], k, "%s %s: it must not be shipped for sale. Set it aside; a return names its authorisation (rma) and goes to its seller or maker", k, f)
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
	return to != "" && (j.owns(key, to) || j.soldBy(key, to, j.actor))
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
	if isUnit(key) && !owner(gtinOf(key)) {
		return false
	}
	r := j.get(key)
	if r == nil {
		return isUnit(key)
	}
	c := j.look(r)
	for i := range c.stocks {
		if !owner(c.stocks[i].gtin) {
			return false
		}
	}
	return isUnit(key) || len(c.stocks) > 0
}

// soldBy says whether one party once sold a thing, with everything inside it, to another.
func (j *judging) soldBy(key, from, to string) bool {
	sold := func(trips []canonical.Position) bool {
		return slices.ContainsFunc(trips, func(at canonical.Position) bool {
			s := j.shipment(at)
			return s.from == from && s.to == to
		})
	}
	chain := j.chain(key)
	if len(chain) == 0 {
		return false
	}
	c := j.look(chain[0])
	if n := c.units(); n > 0 && c.sold(from, to) >= n || n == 0 && sold(chain[0].trips) {
		return true
	}
	for i := 1; i < len(chain); i++ {
		if sold(passedOn(chain, i)) {
			return true
		}
	}
	return false
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
	j.overlay(overlayQuarantined, true, aside)
}

// bornLater says whether a thing, or something inside it, was made after a time.
func (j *judging) bornLater(key string, ms int64) bool {
	r := j.get(key)
	if r == nil {
		return false
	}
	if r.made > ms {
		return true
	}
	list := j.look(r).births
	return len(list) > 0 && list[len(list)-1].made > ms
}

// shippedEarlier says whether a thing was shipped, itself or with something around it, before a time.
func (j *judging) shippedEarlier(key string, ms int64) bool {
	return slices.ContainsFunc(j.chain(key), func(r *record) bool {
		trips := r.trips
		if r.phase == InTransit {
			trips = append(slices.Clone(trips), r.shipment)
		}
		return slices.ContainsFunc(trips, func(at canonical.Position) bool {
			s := j.shipment(at)
			return s != nil && s.ms < ms
		})
	})
}

const bornAfterShipping = "shipped before it was made, by the times of its events: one of the two times is wrong"
