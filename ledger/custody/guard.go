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
	IsHeld                        // in quarantine, damaged or on hold
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
	IsHeld: books.OverlayQuarantined | books.OverlayDamaged | books.OverlayHold, IsUnreleased: books.OverlayReturned, IsExpired: books.OverlayExpired,
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

// cases are those of some containers that are under a recall, and those that they are out of, as of record.outOf.
func (g *goods) cases(around []*books.Record) (list string) {
	for _, c := range around {
		if books.IsUnit(c.Key) && g.recalled(c.Key, books.GTINOf(c.Key), c.Lot) != nil {
			list = books.Together(list, " "+c.Key)
		}
		list = books.Together(g.stillRecalled(c.OutOf), list)
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
	if r := g.books.Get(key); r != nil {
		lot = r.Lot
	}
	return g.recalled(key, books.GTINOf(key), lot)
}

// outOf is the fault of what came out of a recalled case, nil if there is none.
func (g *goods) outOf(list string) *Reason {
	for c := range strings.FieldsSeq(list) {
		if rc := g.recalledCase(c); rc != nil {
			return &Reason{Fault: IsRecalled, Out: books.MustKey(c), GTIN: books.GTINOf(c), Recall: rc}
		}
	}
	return nil
}

// own are the faults of a thing without regard to what is around it or inside.
func (g *goods) own(r *books.Record, where Where, day string) (list []Reason) {
	for f := IsSuspect; f <= IsExpired; f++ {
		if bits := r.Overlays & faultMarks[f] &^ books.NamedByRecall; bits != 0 {
			list = append(list, Reason{Fault: f, Where: where, Key: books.MustKey(r.Key), Marks: books.OverlayList(bits)})
		}
	}
	if out := g.outOf(r.OutOf); out != nil {
		out.Where, out.Key = where, books.MustKey(r.Key)
		list = append(list, *out)
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
			list = append(list, Reason{Fault: f, Where: Within, Key: books.MustKey(r.Key), Units: uint64(units), All: all, Marks: books.OverlayList(bits &^ books.NamedByRecall)})
		}
	}
	var recalled, out, expired *Reason
	for i := range c.Stocks {
		s := &c.Stocks[i]
		if rc := g.recalled("", s.GTIN, s.Lot); rc != nil {
			if recalled == nil {
				recalled = &Reason{Fault: IsRecalled, Where: Within, Key: books.MustKey(r.Key), All: all, GTIN: s.GTIN, Lot: s.Lot, Recall: rc}
			}
			recalled.Units += uint64(s.Units)
		} else if x := g.outOf(s.OutOf); x != nil {
			if out == nil {
				out = x
				out.Where, out.Key, out.All = Within, books.MustKey(r.Key), all
			}
			out.Units += uint64(s.Units)
		}
		if s.Expiry != "" && s.Expiry < day {
			if expired == nil {
				expired = &Reason{Fault: IsExpired, Where: Within, Key: books.MustKey(r.Key), All: all, GTIN: s.GTIN, Lot: s.Lot, Expiry: s.Expiry}
			}
			expired.Units += uint64(s.Units)
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

// saleCode is the code of what must not be sold for a fault.
func (f Fault) saleCode() verdict.Code {
	switch f {
	case IsSuspect:
		return verdict.ShipSuspect
	case IsRecalled:
		return verdict.ShipRecalled
	case IsHeld:
		return verdict.ShipQuarantined
	case IsUnreleased:
		return verdict.ShipUnreleasedReturn
	case IsExpired:
	}
	return verdict.ShipExpired
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
		j.hold(f.saleCode(), bad, "%s %s: it must not be sold, and is with another already. It is on hold", f.was(), when)
	}
}

// was is the fault in a sentence about the past.
func (f Fault) was() string {
	return [...]string{"", "it was suspect", "it was recalled", "it was in quarantine, damaged or on hold", "it was a return that was not released", "it had expired"}[f]
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
			j.reject(f.Fault.saleCode(), k, "%s %s: it must not be shipped for sale. Set it aside; a return names its authorisation (rma) and goes to its seller or maker", k, f)
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

// bornLater says whether a thing, or something inside it, was made after a time. Minutes are compared: a container counts births
// by the minute, and many documents have no finer times.
func (j *judging) bornLater(key string, ms int64) bool {
	r := j.Get(key)
	return r != nil && (r.Made != 0 && books.Minute(r.Made) > books.Minute(ms) || j.Look(r).BornAfter(ms))
}

// shippedEarlier says whether a thing was shipped, itself or with something around it, before a time, by the minute.
func (j *judging) shippedEarlier(key string, ms int64) bool {
	return slices.ContainsFunc(j.Chain(key), func(r *books.Record) bool {
		trips := r.Trips
		if r.Phase == InTransit {
			trips = append(slices.Clone(trips), r.Shipment)
		}
		return slices.ContainsFunc(trips, func(at canonical.Position) bool {
			s := j.Shipment(at)
			return s != nil && books.Minute(s.EventTime) < books.Minute(ms)
		})
	})
}

const bornAfterShipping = "shipped before it was made, by the times of its events: one of the two times is wrong"
