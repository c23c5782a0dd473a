package custody

import (
	"fmt"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// classes are identifiers that name no single thing.
var classes = []gs1.Kind{gs1.KindInvalid, gs1.KindGTIN, gs1.KindLGTIN, gs1.KindSGLN, gs1.KindPGLN}

func (j *judging) step() {
	if j.ev.ErrorDeclaration != nil {
		j.declare()
		return
	}
	step := j.ev.Step()
	r := byStep[step]
	if r == nil {
		return
	}
	if j.ev.Type != r.event || !slices.Contains(r.actions, j.ev.Action) {
		if !r.loose {
			j.reject(verdict.StepMismatch, "", "%s is told by an %s with action %s, not by %q with action %q", step, r.event, r.actions[0], short(j.ev.Type), short(j.ev.Action))
		}
		return
	}
	if j.rule = r; !j.roles.Has(r.roles...) {
		j.forbid(step)
		return
	}
	if j.checkActor(); j.no != nil {
		return
	}
	for i := range j.it.Committed.Units {
		if k := j.it.Committed.Units[i].Key; slices.Contains(classes, k.Kind()) {
			j.reject(verdict.FmtEPC, "", "%s names a class or a place, not one thing: list serialised units and containers", k)
		}
	}
	// What others tell of the making, packing and moving of goods fills gaps. Nobody can end, mark or clear another's goods:
	// a party that is silent could not undo it.
	if j.no == nil && !(r.own && j.hearsay) {
		r.apply(j)
	}
}

func (j *judging) forbid(step string) {
	j.reject(verdict.RoleForbidden, "", "%s is registered as %s, which does not allow %s", j.actor, strings.Join(j.roles.Roles, ", "), step)
}

// subjects are the things an ObjectEvent names; an event about nothing is rejected.
func (j *judging) subjects() []string {
	keys := j.keys(commit.EPCList)
	if len(keys) == 0 {
		j.reject(verdict.MissingField, "", "the event names no unit or container: fill in its epcList")
	}
	return keys
}

// alone leaves out what is inside something else that the event names: it goes along.
func (j *judging) alone(keys []string) []string {
	var named map[string]bool
	_, out := split(keys, func(k string) bool {
		chain := j.Chain(k)
		if len(chain) == 1 {
			return false
		}
		if named == nil {
			named = make(map[string]bool, len(keys))
			for _, k := range keys {
				named[k] = true
			}
		}
		return slices.ContainsFunc(chain[1:], func(c *books.Record) bool { return named[c.Key] })
	})
	return out
}

// living rejects events about what has ended. Lost and stolen things may turn up again.
func (j *judging) living(keys []string, ended verdict.Code) {
	for _, k := range keys {
		chain := j.Chain(k)
		if len(chain) == 0 {
			continue
		}
		at := books.Inherit(chain)
		code := ended
		switch at.State {
		case Dispensed, Decommissioned:
			if code == "" {
				code = verdict.DecomThenUsed
			}
		case Destroyed:
			if code == "" {
				code = verdict.DestroyedThenUsed
			}
		default:
			continue
		}
		j.reject(code, k, "%s was %s at %s: nothing may happen to it any more. Treat it as suspect", k, at.State, at.Since)
	}
}

// withActor says whether the actor has a thing, or nobody is known to.
func (j *judging) withActor(at *books.Record) bool {
	return at.Holder == "" || at.Holder == j.actor || at.Owner == j.actor
}

// heard leaves out what hearsay has nothing to tell about.
func (j *judging) heard(keys []string) []string {
	if !j.hearsay {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), j.deaf)
}

// split separates keys by a condition, keeping order.
func split(keys []string, cond func(string) bool) (yes, no []string) {
	if len(keys) == 0 {
		return keys, nil
	}
	first, same := cond(keys[0]), 1
	for same < len(keys) && cond(keys[same]) == first {
		same++
	}
	if same == len(keys) { // the common case
		if first {
			return keys, nil
		}
		return nil, keys
	}
	for i, k := range keys {
		if i < same && first || i > same && cond(k) || i == same && !first {
			yes = append(yes, k)
		} else {
			no = append(no, k)
		}
	}
	return yes, no
}

func (j *judging) commission() {
	keys := j.subjects()
	lot, expiry := j.ev.Lot(), j.ev.Expiry()
	j.checkBirth(keys, lot, expiry)
	if j.no != nil {
		return
	}
	keys = j.heard(keys)
	for _, k := range keys {
		r := j.Get(k)
		switch {
		case r == nil || r.Is(books.Provisional|books.Implied):
		case r.State == Decommissioned || r.State == Destroyed:
			j.reject(verdict.SerialReused, k, "%s was %s at %s: a serial number is never used again", k, r.State, r.Since)
		default:
			j.reject(verdict.DupCommission, k, "%s was already commissioned, at %s", k, r.Born)
		}
	}
	if j.no != nil {
		return
	}

	// Custody begins with the actor unless the thing has moved on before its birth record came.
	var fresh, moved, mismatch []string
	var early []string
	added := map[string]uint64{} // units new in the lot, by GTIN
	for _, k := range keys {
		r := j.Get(k)
		if r == nil {
			r = j.provisional(k)
		} else if j.shippedEarlier(k, j.ms) {
			early = append(early, k)
		}
		if books.IsUnit(k) {
			if j.hearsay && r.Lot != "" && (r.Lot != lot || r.Expiry != expiry) {
				mismatch = append(mismatch, k)
				continue
			}
			if r.Lot != lot {
				added[books.GTINOf(k)]++
			}
			j.inLot = append(j.inLot, k)
			j.Label(r, lot, expiry, j.ms)
		} else {
			r.Made = j.ms
		}
		if r.Is(books.Provisional) && r.Since != j.c.Pos { // known before its birth record came
			j.explained(k)
		}
		r.Set(books.Provisional, j.hearsay)
		r.Set(books.Implied, false)
		r.Born = j.c.Pos
		if r.Parent == "" && r.Phase != InTransit && r.State == Active && (r.Holder == "" || r.Holder == j.actor) {
			r.Holder, r.Owner, r.Place, r.Phase = j.actor, j.actor, j.place, Held
			fresh = append(fresh, k)
		} else {
			moved = append(moved, k)
		}
		j.change(r)
	}
	j.born(fresh, lot, expiry, j.actor, j.hearsay)
	j.born(moved, lot, expiry, "", j.hearsay)
	j.hold(verdict.LotMismatch, mismatch, "two relayed birth records give different lots or expiry dates: ask the maker")
	if len(early) > 0 {
		j.find(verdict.ShipBeforeCommission, block.Flag, early, bornAfterShipping)
	}
	piled, _ := split(keys, func(k string) bool { r := j.Get(k); return r.Parent != "" || len(j.Look(r).Stocks) > 0 })
	j.checkOneLot(piled)
	j.checkRegisteredLot(keys, lot, expiry, added)
	j.checkProducts(keys, lot)
}

// checkBirth holds what can be said of a commissioning before looking at any record.
func (j *judging) checkBirth(keys []string, lot, expiry string) {
	units, _ := split(keys, books.IsUnit)
	if len(units) == 0 {
		return
	}
	if !j.roles.Has(j.rule.needed(true)...) {
		j.forbid("commissioning of units")
		return
	}
	for _, g := range group(units, books.GTINOf) {
		gtin, _ := books.MustKey(g.keys[0]).GTIN()
		if owner, ok := j.reg.OwnerOfGTIN(gtin); !ok || owner != j.actor {
			for _, k := range g.keys {
				j.reject(verdict.GTINNotOwned, k, "GTIN %s is %s, not %s's: only its owner may commission it", gtin, ownerName(owner, ok), j.actor)
			}
		}
		if lot != "" {
			if _, err := gs1.NewLGTIN(gtin, lot); err != nil {
				j.reject(verdict.FmtLot, "", "the lot %q is malformed: %v", short(lot), err)
			}
		}
	}
	if lot == "" || expiry == "" {
		j.reject(verdict.MissingILMD, "", "units are commissioned with lotNumber and itemExpirationDate, but the event has lot %q and expiry %q", short(lot), short(expiry))
		return
	}
	date, err := gs1.ParseDate(expiry)
	if err != nil {
		j.reject(verdict.FmtExpiry, "", "itemExpirationDate %q is not a date: write YYYY-MM-DD", short(expiry))
		return
	}
	if today := j.day; date.String() <= today {
		j.reject(verdict.BornExpired, "", "the expiry date %s is not after the day of commissioning, %s", date, today)
	}
}

func (j *judging) checkRegisteredLot(keys []string, lot, expiry string, added map[string]uint64) {
	units, _ := split(keys, books.IsUnit)
	for _, g := range group(units, books.GTINOf) {
		gtin, _ := books.MustKey(g.keys[0]).GTIN()
		reg, ok := j.reg.Lot(gtin, lot)
		if ok && reg.Expiry != expiry {
			j.hold(verdict.ExpiryMismatch, g.keys, "lot %s is registered with expiry %s, these units were commissioned with %s", lot, reg.Expiry, expiry)
		}
		if ok && reg.Size > 0 {
			if _, n := LotTotals(j.st, gtin, lot); n+added[g.by] > reg.Size {
				j.find(verdict.LotOverrun, block.Flag, g.keys, fmt.Sprintf("lot %s is registered with %d units, and these make %d", lot, reg.Size, n+added[g.by]))
			}
		}
	}
}

// checkMasterData compares what a later event says of lot and expiry with the birth record.
func (j *judging) checkMasterData(keys []string) {
	lot, expiry := j.ev.Lot(), j.ev.Expiry()
	if lot == "" && expiry == "" {
		return
	}
	differs := func(said string, have func(*books.Record) string) []string {
		yes, _ := split(keys, func(k string) bool {
			r := j.Get(k)
			return said != "" && books.IsUnit(k) && have(r) != "" && have(r) != said
		})
		return yes
	}
	j.hold(verdict.LotMismatch, differs(lot, func(r *books.Record) string { return r.Lot }), "the event says lot %s, the birth record another", short(lot))
	j.hold(verdict.ExpiryMismatch, differs(expiry, func(r *books.Record) string { return r.Expiry }), "the event says expiry %s, the birth record another", short(expiry))
}

const packedLate = "the record of packing comes late: what has moved on since stays where it is, the rest is taken to be where the container is now"

func (j *judging) pack() {
	parents, keys := j.keys(commit.ParentID), j.keys(commit.ChildEPCs)
	if len(parents) != 1 || len(keys) == 0 {
		j.reject(verdict.MissingField, "", "packing names one container (parentID) and what goes into it (childEPCs)")
		return
	}
	parent := parents[0]
	j.living([]string{parent}, "")
	// What the actor once had and has passed on since was packed before that: the record comes too late to matter.
	late, keys := split(j.heard(keys), func(k string) bool {
		chain := j.Chain(k)
		if len(chain) == 0 || chain[0].Parent == parent {
			return false
		}
		at := books.Inherit(chain)
		if j.hearsay && at.Parent != "" {
			return true
		}
		return !j.withActor(at) && (j.hearsay || slices.ContainsFunc(chain, func(c *books.Record) bool { return slices.Contains(c.Recorders, j.actor) }))
	})
	if len(late) > 0 {
		j.find(verdict.AggAfterShip, block.Flag, late, packedLate)
	}
	j.living(keys, "")
	for _, k := range keys {
		if k == parent || slices.ContainsFunc(j.Chain(parent), func(c *books.Record) bool { return c.Key == k }) {
			j.reject(verdict.AggCycle, k, "%s would be inside itself: %s is, or is inside, it", k, parent)
		}
		if r := j.Get(k); r != nil && r.Parent != "" && r.Parent != parent && !(r.Is(books.HearsayLink) && !j.hearsay) {
			j.reject(verdict.AggTwoParents, k, "%s is already inside %s: unpack it there first", k, r.Parent)
		}
	}
	j.checkNesting(parent, keys)
	if j.no != nil || len(keys) == 0 {
		return
	}
	p := j.Get(parent)
	if p == nil && !books.IsUnit(parent) {
		// Packing is the birth of a container that nobody commissioned: it has no lot and is never counted.
		p = j.provisional(parent)
		p.Set(books.Provisional, j.hearsay)
		p.Set(books.Implied, true)
		p.Holder, p.Owner, p.Place, p.Phase = j.actor, j.actor, j.place, Held
		j.born([]string{parent}, "", "", j.actor, j.hearsay)
	}
	j.unknown([]string{parent}, j.actor)
	j.stranger(verdict.AggUnknownChild, keys, j.actor)
	p = j.Get(parent)
	at := j.located(parent)

	keys, strange := split(keys, func(k string) bool {
		u := j.located(k)
		return j.withActor(u) || j.Get(k).Parent == parent
	})
	j.hold(verdict.AggHolderDiff, strange, "%s does not hold what it says it packed: not taken to be packed", j.actor)
	if len(keys) == 0 {
		return
	}
	if !j.withActor(at) || at.Phase == InTransit {
		if !j.withActor(at) && !slices.Contains(p.Recorders, j.actor) && !p.Is(books.Provisional) {
			j.hold(verdict.AggHolderDiff, []string{parent}, "%s does not hold the container, %s does: nothing is taken to be packed into it", j.actor, at.Holder)
			return
		}
		j.find(verdict.AggAfterShip, block.Flag, []string{parent}, packedLate)
		j.packedToo(keys, at)
	}

	var packed []string
	var entering []*books.Record
	for _, k := range keys {
		r := j.Get(k)
		if r.Parent == parent { // told before, by hearsay or otherwise
			if !j.hearsay {
				r.Set(books.HearsayLink, false)
				j.change(r)
			}
			continue
		}
		if r.Parent != "" {
			j.unpack([]string{k})
		}
		j.reappear(r)
		j.leave(r)
		entering = append(entering, r)
		r.Phase, r.Holder, r.Owner, r.To, r.Place, r.Shipment = NotSeen, "", "", "", "", canonical.Position{}
		r.Set(books.HearsayLink, j.hearsay)
		j.Link(parent, k, true)
		j.change(r)
		packed = append(packed, k)
	}
	if !j.hearsay && !books.IsUnit(parent) && len(j.Look(p).Stocks) == 0 {
		p.OutOf = "" // what it once brought out of a case is gone
	}
	j.Enter(entering, parent, func(*books.Record) canonical.Position { return j.c.Pos })
	if !j.hearsay {
		j.change(p)
		// Nobody need commission a container. One that turned up before the record of its packing is explained by that record,
		// unless it is the finder's own.
		if p.Is(books.Provisional) && (p.Is(books.Implied) || !books.IsUnit(parent) && !j.withActor(at)) {
			p.Set(books.Provisional, false)
			p.Set(books.Implied, true)
			j.born([]string{parent}, "", "", "", false)
			j.explained(parent)
		}
	}
	if len(packed) > 0 {
		j.emit(Packed{Parent: parent, Keys: packed})
		j.checkOneLot([]string{parent})
	}
	height := uint8(0)
	for _, k := range packed {
		height = max(height, j.Get(k).Height)
	}
	for _, c := range j.Chain(parent) {
		if len(packed) > 0 && c.Height <= height {
			c.Height = height + 1
			c.Touch()
		}
		height = c.Height
	}
}

// packedToo puts on hold what turns out to have moved with its container although it must not be sold.
func (j *judging) packedToo(keys []string, container *books.Record) {
	entering, _ := split(keys, func(k string) bool { return j.Get(k).Parent != container.Key })
	s := j.Shipment(container.Shipment)
	back := s != nil && len(s.Returns) > 0
	j.movedOn(entering, func(k string) Fault {
		if back && j.returning(k, s.To) {
			return 0
		}
		return gravest(faultBits(j.goods.faults(k, j.day)))
	}, "when it was packed")
}

// checkOneLot looks at containers with a GTIN of their own, at things and around them: each stands for one product and one lot.
func (j *judging) checkOneLot(keys []string) {
	seen := map[string]bool{}
	for _, k := range keys {
		for _, r := range j.Chain(k) {
			if seen[r.Key] {
				break
			}
			seen[r.Key] = true
			if books.IsUnit(r.Key) && mixed(r, j.Look(r).Stocks) {
				j.find(verdict.AggMixedLot, block.Flag, []string{r.Key}, "has a GTIN of its own, so it stands for one product and one lot, and what is inside is of several")
			}
		}
	}
}

// mixed says whether a container's own lot and what is inside it are more than one lot, or what is inside more than one product.
func mixed(r *books.Record, inside []books.LotSum) bool {
	gtin, lot := "", r.Lot
	for i := range inside {
		s := &inside[i]
		if gtin != "" && s.GTIN != gtin || lot != "" && s.Lot != "" && s.Lot != lot {
			return true
		}
		gtin = s.GTIN
		if s.Lot != "" {
			lot = s.Lot
		}
	}
	return false
}

// maxNesting is how many containers may stand around a thing: what has to be followed stays short, and AGG_CYCLE sees
// every cycle. Unit, bundle, case, pallet, lorry, ship are five.
const maxNesting = 16

// checkNesting rejects piles that would become too deep. A container keeps the height it once had until it is packed
// empty: only then is it worth a look.
func (j *judging) checkNesting(parent string, keys []string) {
	around := max(1, len(j.Chain(parent)))
	for _, k := range keys {
		r := j.Get(k)
		if r == nil || r.Parent == parent || around+int(r.Height) <= maxNesting {
			continue
		}
		if r.Height = 0; !j.Empty(k) || around > maxNesting {
			j.reject(verdict.AggTooDeep, k, "%s would have more than %d containers inside and around it", k, maxNesting)
		}
	}
	if around > maxNesting {
		j.reject(verdict.AggTooDeep, parent, "%s is inside so many containers that nothing more goes into it", parent)
	}
}

// MaxContents is how much one event may take out of a container without naming it.
const MaxContents = 1024

// TakesAll says whether an item may act on things that it does not name: an aggregation event that takes out nothing in
// particular, or a declaration that has later events looked up. A block counts it with MaxContents unit references
// (docs/spec.md section 11).
func TakesAll(it *wire.Item) bool {
	ev, ok := it.Message.(*epcis.Event)
	if !ok {
		return false
	}
	return ev.ErrorDeclaration != nil || ev.Type == aggregationEvent && ev.Action == "DELETE" && len(keysIn(it, commit.ChildEPCs)) == 0
}

// contents lists what is in a container that is emptied as a whole.
func (j *judging) contents(parent string) (keys []string) {
	room := MaxContents
	if j.c.Contents != nil {
		room = min(room, *j.c.Contents)
	}
	j.Children(parent, func(k string) bool {
		keys = append(keys, k)
		return len(keys) <= room
	})
	if len(keys) > room {
		j.reject(verdict.UnpackUnnamed, parent, "%s holds more than the %d things that may be unpacked here without being named: list childEPCs", parent, room)
		return nil
	}
	if j.c.Contents != nil {
		*j.c.Contents -= len(keys)
	}
	return keys
}

func (j *judging) unpackStep() {
	parents, keys := j.keys(commit.ParentID), j.keys(commit.ChildEPCs)
	if len(parents) != 1 {
		j.reject(verdict.MissingField, "", "unpacking names one container (parentID)")
		return
	}
	parent := parents[0]
	j.living(keys, "")
	if chain := j.Chain(parent); len(chain) > 0 {
		// A container whose number was taken out of use may still be emptied.
		if at := books.Inherit(chain); at.State == Dispensed || at.State == Destroyed {
			j.living([]string{parent}, "")
		}
	}
	if j.no != nil || j.deaf(parent) {
		return
	}
	j.unknown(append([]string{parent}, keys...), j.actor)
	at := j.located(parent)
	if !j.withActor(at) && (at.Phase != InTransit || at.To != j.actor) {
		j.hold(verdict.AggHolderDiff, []string{parent}, "%s does not hold the container, %s does: not taken to be unpacked", j.actor, at.Holder)
		return
	}
	if len(keys) == 0 {
		keys = j.contents(parent)
	}
	inside, strange := split(keys, func(k string) bool { return j.Get(k) != nil && j.Get(k).Parent == parent })
	if len(strange) > 0 {
		j.find(verdict.AggDeleteNoAdd, block.Flag, strange, "not recorded as inside this container: its packing event is missing")
	}
	if len(inside) > 0 {
		j.unpack(inside)
	}
	j.change(j.Get(parent))
}
