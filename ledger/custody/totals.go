package custody

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// The units of a lot are counted by party and state. All units inside a container have one slot, that of the outermost
// container, so a move costs as much as there are lots inside.
//
//	n/<LGTIN key>\x00<party>\x00<state>    units
const totalsAt = "n/"

// slot is what the totals of a lot tell apart: custody and state of the outermost container.
type slot struct {
	known    bool // false: not counted anywhere yet
	state    UnitState
	phase    Phase
	holder   string
	shipment canonical.Position
}

func slotOf(r *record) slot {
	s := slot{known: true, state: r.state, phase: r.phase, holder: r.holder}
	if r.phase == InTransit {
		s.shipment = r.shipment
	}
	return s
}

// inside is the slot of what is in a container of this slot. A number taken out of use is only that number.
func (s slot) inside() slot {
	if s.state == Decommissioned {
		s.state = Active
	}
	return s
}

// moving says whether things of this slot are on their way with the shipment.
func (s slot) moving() bool { return s.known && s.state == Active && s.phase == InTransit }

// name is how totals call the slot. short says that part of the shipment has been received.
func (s slot) name(short bool) string {
	switch {
	case s.state != Active:
		return s.state.String()
	case s.phase == InTransit && short:
		return Unaccounted
	case s.phase == InTransit:
		return OnItsWay
	case s.holder == "":
		return Nowhere
	}
	return OnHand
}

// books keeps records, contents and totals while items are judged. Nothing is written before flush.
type books struct {
	st     state.Store
	pos    canonical.Position
	things table[string, thing]
	blank  []record // room for records
	ships  table[canonical.Position, *shipment]
	filled []*record           // things whose contents are known or changed
	totals table[total, int64] // changes
	links  map[string]bool     // entries in the lists of what is inside what, and whether they are there; nil until one changes
	linked []string            // the same in order of first change
	silent bool                // no event is being judged: a timer or a recall changes overlays
}

// thing is what was asked for by key.
type thing struct {
	at string  // where its record is stored
	r  *record // nil: it has none
}

// newBooks opens the books for an event that names a number of things.
func newBooks(st state.Store, pos canonical.Position, size int) books {
	return books{st: st, pos: pos, things: newTable[string, thing](size)}
}

func (b *books) get(key string) *record {
	if t := b.things.at(key); t != nil {
		return t.r
	}
	at := unitAt + key
	var r *record
	if v, ok := b.st.Get(at); ok {
		r = b.newRecord()
		r.read(at, v)
		if r.parent == "" {
			r.slot = slotOf(r)
		}
	}
	b.things.put(at[len(unitAt):], thing{at, r})
	return r
}

// known is the record of a thing if it was asked for before.
func (b *books) known(key string) *record {
	if t := b.things.at(key); t != nil {
		return t.r
	}
	return nil
}

// add gives a thing without a record an empty one.
func (b *books) add(key string) *record {
	b.get(key)
	t := b.things.at(key)
	t.r = b.newRecord()
	t.r.key = t.at[len(unitAt):]
	return t.r
}

func (b *books) newRecord() *record {
	const most = 32
	if len(b.blank) == 0 {
		b.blank = make([]record, min(max(1, cap(b.things.rows)-len(b.things.rows)), most))
	}
	r := &b.blank[0]
	b.blank = b.blank[1:]
	return r
}

// chain are the containers around key, innermost first, beginning with the thing itself.
func (b *books) chain(key string) []*record { return chainOf(key, b.get) }

func (b *books) shipment(pos canonical.Position) *shipment {
	if s := b.ships.at(pos); s != nil {
		return *s
	}
	s := readShipment(b.st, pos)
	b.ships.put(pos, s)
	return s
}

// sail begins the shipment of this event.
func (b *books) sail(s *shipment) {
	s.dirty = true
	switch before := b.ships.at(s.pos); {
	case before == nil:
		b.ships.put(s.pos, s)
	case *before == nil:
		*before = s
	default:
		**before = *s
	}
}

// in is what is inside a thing, to be changed.
func (b *books) in(r *record) *contents {
	if r.inside == nil {
		if r.height > 0 {
			r.inside = readContents(b.st, r.key)
		} else {
			r.inside = &contents{}
		}
		b.filled = append(b.filled, r)
	}
	return r.inside
}

// nothing is inside most things. It is never changed.
var nothing contents

// look is what is inside a thing, to be read.
func (b *books) look(r *record) *contents {
	if !r.everFilled() {
		return &nothing
	}
	return b.in(r)
}

// everFilled says that something is or was in a thing.
func (r *record) everFilled() bool { return r.height > 0 || r.inside != nil }

// whole is a thing with everything inside it, as the container around it counts them.
func (b *books) whole(r *record) contents {
	var c contents
	if r.everFilled() {
		c = b.in(r).clone()
	}
	if isUnit(r.key) {
		one := stock{gtin: gtinOf(r.key), lot: r.lot, expiry: r.expiry, units: 1}
		if r.made != 0 {
			c.addBirths(births{r.made, 1}, 1)
		}
		if c.stocks == nil {
			c.stocks = append(c.stocks, one)
		} else {
			c.addStock(&one, 1)
		}
	}
	c.out(r.outOf)
	for m := range marks {
		if r.overlays&(1<<m) == 0 {
			continue
		}
		c.things[m]++
		for i := range c.stocks {
			c.stocks[i].marked[m] = c.stocks[i].units
		}
	}
	if isUnit(r.key) {
		for i, t := range r.trips {
			s := b.shipment(t)
			again := slices.ContainsFunc(r.trips[:i], func(t canonical.Position) bool {
				before := b.shipment(t)
				return before.from == s.from && before.to == s.to
			})
			if !again {
				c.addSale(sale{s.from, s.to, 1}, 1)
			}
		}
	}
	return c
}

// alter applies a change to a thing that is already where it is, and passes on what of it the containers around it see.
func (b *books) alter(r *record, change func()) {
	if r.parent == "" {
		change()
		return
	}
	before := b.whole(r)
	change()
	after := b.whole(r)
	after.add(&before, -1)
	b.fill(r.parent, &after, 1)
}

// fill adds d to a container, or takes it away, and to those around it. d is used up.
func (b *books) fill(key string, d *contents, sign int64) {
	for depth := 0; key != "" && depth < maxDepth && !d.empty(); depth++ {
		r := b.get(key)
		b.in(r).add(d, sign)
		r.lift(d)
		key = r.parent
	}
}

// lift makes of a change inside a thing the change that the container around it sees: what is inside carries the thing's marks.
func (r *record) lift(d *contents) {
	d.out(r.outOf)
	if r.overlays == 0 {
		return
	}
	for m := range marks {
		if r.overlays&(1<<m) == 0 {
			continue
		}
		for i := range d.stocks {
			d.stocks[i].marked[m] = d.stocks[i].units
		}
	}
	d.stocks = slices.DeleteFunc(d.stocks, func(s stock) bool { return s.units == 0 && s.marked == [marks]int64{} })
}

// count moves units of lots from one slot to another.
func (b *books) count(stocks []stock, from, to slot) {
	if from == to {
		return
	}
	for i := range stocks {
		s := &stocks[i]
		if s.lot == "" || s.units == 0 {
			continue
		}
		b.tally(s, from, -s.units)
		b.tally(s, to, s.units)
	}
}

// countOne moves a unit from one slot to another.
func (b *books) countOne(r *record, from, to slot) {
	if from != to {
		one := stock{gtin: gtinOf(r.key), lot: r.lot}
		b.tally(&one, from, -1)
		b.tally(&one, to, 1)
	}
}

func (b *books) tally(s *stock, at slot, units int64) {
	if !at.known {
		return
	}
	short := false
	if at.moving() {
		if ship := b.shipment(at.shipment); ship != nil {
			short = ship.counted
			ship.carry(s, units)
		}
	}
	b.total(total{s.gtin, s.lot, at.holder, at.name(short)}, units)
}

// total is what units of a lot are counted by.
type total struct{ gtin, lot, party, state string }

func (t *total) key() string {
	return totalsAt + "01" + t.gtin + "10" + t.lot + nul + t.party + nul + t.state // as of lgtin
}

func (b *books) total(of total, units int64) {
	if n := b.totals.at(of); n != nil {
		*n += units
		return
	}
	b.totals.put(of, units)
}

// carry notes how many units of a lot are on their way with the shipment.
func (s *shipment) carry(x *stock, units int64) {
	lot := stock{gtin: x.gtin, lot: x.lot}
	at, ok := findStock(s.lots, &lot)
	if !ok {
		s.lots = slices.Insert(s.lots, at, lot)
	}
	if s.lots[at].units += units; s.lots[at].units == 0 {
		s.lots = slices.Delete(s.lots, at, at+1)
	}
	s.dirty = true
}

// enter puts things into a container: the totals count them with the outermost one from now on. packed says since which event
// each was in there; what was sold with the containers around it since then was sold with it.
func (b *books) enter(rs []*record, parent string, packed func(*record) canonical.Position) {
	if len(rs) == 0 {
		return
	}
	chain := b.chain(parent)
	// What is in the container already was sold with those around it. What comes in now was not, so the container itself
	// remembers those sales from now on.
	for i := len(chain) - 1; i > 0; i-- {
		for _, t := range passedOn(chain[i-1:], 1) {
			chain[i].counts(t, -b.travelled(chain[i-1], t).units)
		}
	}
	up := b.upward(chain)
	for _, r := range rs {
		since := packed(r)
		up.join(r, since)
		b.recount(r, chain[len(chain)-1].slot.inside())
		r.parent, r.packed = parent, since
	}
	up.pass(1)
}

// upward collects things that go into one container, or leave it, in one event: their sum is passed up once.
type upward struct {
	b     *books
	chain []*record              // the container and those around it
	sold  [][]canonical.Position // by each of them: sales of what is in the container
	sum   contents
	more  [][]sale // what the sales by each of them add to the sum
	first []map[canonical.Position]int64
}

// counted notes that a sale by the i-th container is the earliest one of n units.
func (u *upward) counted(i int, t canonical.Position, n int64) {
	if u.first == nil {
		u.first = make([]map[canonical.Position]int64, len(u.chain))
	}
	if u.first[i] == nil {
		u.first[i] = map[canonical.Position]int64{}
	}
	u.first[i][t] += n
}

func (b *books) upward(chain []*record) *upward {
	u := &upward{b: b, chain: chain, sold: make([][]canonical.Position, len(chain)), more: make([][]sale, len(chain))}
	for i, c := range chain {
		if u.sold[i] = c.trips; i > 0 {
			u.sold[i] = passedOn(chain, i)
		}
	}
	return u
}

// join adds a thing that is in the container since an event, and returns the sales that it took part in there.
func (u *upward) join(r *record, since canonical.Position) (sold []canonical.Position) {
	d := u.b.whole(r)
	u.sum.gather(&d)
	for i, list := range u.sold {
		for _, t := range list {
			if t.Compare(since) <= 0 || slices.Contains(r.trips, t) {
				continue
			}
			sold = append(sold, t)
			s := u.b.shipment(t)
			if n := d.units() - d.sold(s.from, s.to); n > 0 {
				x := sale{s.from, s.to, n}
				d.addSale(x, 1)
				u.more[i] = append(u.more[i], x)
				u.counted(i, t, n)
			}
		}
	}
	return sold
}

// pass adds the sum to the containers, or takes it away.
func (u *upward) pass(sign int64) {
	u.sum.settle()
	for i, c := range u.chain {
		c.leaned = true
		for _, x := range u.more[i] {
			u.sum.addSale(x, 1)
		}
		if u.first != nil {
			for t, n := range u.first[i] {
				c.counts(t, sign*n)
			}
		}
		u.b.in(c).add(&u.sum, sign)
		c.lift(&u.sum)
	}
}

// passedOn are the sales of the i-th container around a thing that are sales of all of that thing: it was inside at the time.
func passedOn(chain []*record, i int) (sold []canonical.Position) {
	for _, t := range chain[i].trips {
		if !slices.ContainsFunc(chain[:i], func(c *record) bool { return t.Compare(c.packed) <= 0 || slices.Contains(c.trips, t) }) {
			sold = append(sold, t)
		}
	}
	return sold
}

// exit takes things out of the container that all of them are in. What was sold with the containers around them was sold with them.
func (b *books) exit(rs []*record) {
	chain := b.chain(rs[0].parent)
	up := b.upward(chain)
	sold := make([][]canonical.Position, len(rs))
	for i, r := range rs {
		sold[i] = up.join(r, r.packed)
	}
	up.pass(-1)
	for i, r := range rs {
		r.slot = chain[len(chain)-1].slot.inside()
		r.parent, r.packed = "", canonical.Position{}
		for _, t := range sold[i] {
			b.travelled(r, t)
		}
	}
}

// counts changes the number of units for which a sale is the earliest between its parties.
func (r *record) counts(t canonical.Position, n int64) {
	if at, ok := slices.BinarySearchFunc(r.trips, t, canonical.Position.Compare); ok && n != 0 {
		r.first = slices.Clone(r.first)
		r.first[at] += n
	}
}

// between lists the sales of a thing by one party to another, as places in its trips.
func (b *books) between(r *record, from, to string) (list []int) {
	for i, t := range r.trips {
		if s := b.shipment(t); s.from == from && s.to == to {
			list = append(list, i)
		}
	}
	return list
}

// travelled notes a sale of a thing and of everything inside it, and returns how many units had not been sold so before.
func (b *books) travelled(r *record, pos canonical.Position) (new sale) {
	at, ok := slices.BinarySearchFunc(r.trips, pos, canonical.Position.Compare)
	if ok {
		return new
	}
	s := b.shipment(pos)
	new = sale{from: s.from, to: s.to}
	same := b.between(r, s.from, s.to)
	r.trips, r.first = slices.Insert(slices.Clone(r.trips), at, pos), slices.Insert(slices.Clone(r.first), at, 0)
	if isUnit(r.key) && len(same) == 0 {
		new.units = 1
	}
	if r.everFilled() {
		c := b.in(r)
		n := c.units() - c.sold(s.from, s.to)
		if n > 0 {
			c.addSale(sale{s.from, s.to, n}, 1)
			new.units += n
		}
		for _, i := range same { // what a later sale was the first of, this one is
			if i >= at {
				n += r.first[i+1]
				r.first[i+1] = 0
			}
		}
		r.first[at] = n
	}
	if len(r.trips) > maxTrips {
		b.forget(r, 0)
	}
	return new
}

// travelledInside notes a sale of a thing that may be inside others, which perhaps were sold so themselves.
func (b *books) travelledInside(r *record, pos canonical.Position) {
	b.passSale(r, b.travelled(r, pos), pos, 1)
}

// passSale tells the containers around a thing that units in it were sold, or that they were not. What they were sold with
// themselves counts with that sale alone.
func (b *books) passSale(r *record, x sale, pos canonical.Position, sign int64) {
	chain := b.chain(r.key)
	for i := 1; i < len(chain) && x.units > 0; i++ {
		c := chain[i]
		for _, t := range c.trips {
			s := b.shipment(t)
			if s.from == x.from && s.to == x.to && !slices.ContainsFunc(chain[:i], func(d *record) bool {
				return t.Compare(d.packed) <= 0 || t != pos && slices.Contains(d.trips, t)
			}) {
				c.counts(t, -sign*x.units)
				c.leaned = true
				return
			}
		}
		b.in(c).addSale(x, sign)
		c.leaned = true
	}
}

// cancelled takes a sale back.
func (b *books) cancelled(r *record, pos canonical.Position) {
	if at, ok := slices.BinarySearchFunc(r.trips, pos, canonical.Position.Compare); ok {
		b.passSale(r, b.forget(r, at), pos, -1)
	}
}

// forget takes a sale off the list of a thing, and returns what was sold by it alone.
func (b *books) forget(r *record, at int) (gone sale) {
	s, n := b.shipment(r.trips[at]), r.first[at]
	r.trips, r.first = slices.Delete(slices.Clone(r.trips), at, at+1), slices.Delete(slices.Clone(r.first), at, at+1)
	gone = sale{from: s.from, to: s.to}
	same := b.between(r, s.from, s.to)
	if isUnit(r.key) && len(same) == 0 {
		gone.units = 1
	}
	if !r.everFilled() || n == 0 {
		return gone
	}
	for _, i := range same {
		if i >= at { // a later one sold them, too
			r.first[i] += n
			return gone
		}
	}
	b.in(r).addSale(sale{s.from, s.to, n}, -1)
	gone.units += n
	return gone
}

// recount moves a thing that is in no container to the slot that it is in now.
func (b *books) recount(r *record, to slot) {
	if r.slot == to {
		return
	}
	if isUnit(r.key) && r.lot != "" {
		b.countOne(r, r.slot, to)
	}
	if r.everFilled() {
		b.count(b.in(r).stocks, r.slot.inside(), to.inside())
	}
	r.slot = to
}

// label gives a unit its lot and expiry.
func (b *books) label(r *record, lot, expiry string, made int64) {
	chain := b.chain(r.key)
	at := chain[len(chain)-1].slot
	if len(chain) > 1 {
		at = at.inside()
	}
	if r.lot != "" {
		b.countOne(r, at, slot{})
	}
	b.alter(r, func() { r.lot, r.expiry, r.made = lot, expiry, made })
	if lot != "" {
		b.countOne(r, slot{}, at)
	}
}

// setMark sets or clears an overlay.
func (b *books) setMark(r *record, bit uint16, on bool) {
	b.alter(r, func() {
		r.overlays &^= bit
		if on {
			r.overlays |= bit
		}
	})
	r.dirty = true
}

// link puts a thing into the list of what is directly inside a container, or takes it out.
func (b *books) link(parent, child string, on bool) {
	k := childAt + parent + nul + child
	if b.links == nil {
		size := cap(b.things.rows)
		b.links, b.linked = make(map[string]bool, size), make([]string, 0, size)
	}
	if _, ok := b.links[k]; !ok {
		b.linked = append(b.linked, k)
	}
	b.links[k] = on
}

// children lists what is directly inside a container, this event's removals included: no step lists a container that it fills.
func (b *books) children(parent string, fn func(string) bool) {
	childrenOf(b.st, parent, func(child string) bool {
		if on, ok := b.links[childAt+parent+nul+child]; ok && !on {
			return true
		}
		return fn(child)
	})
}

// empty says that nothing is inside a container any more.
func (b *books) empty(parent string) bool {
	empty := true
	b.children(parent, func(string) bool {
		empty = false
		return false
	})
	return empty
}

// listBirths notes which units this event put into a lot.
func (b *books) listBirths(gtin, lot string, units []string) {
	b.st.Put(birthsAt(gtin, lot, b.pos), putKeys(nil, serials(units)))
}

// listShipped notes what the shipment of this event names.
func (b *books) listShipped(keys []string) {
	if len(keys) > 0 {
		b.st.Put(atPosition(shippedAt, b.pos), putKeys(nil, keys))
	}
}

// write brings contents, shipments and totals up to date and writes them with the records.
func (b *books) write() {
	for i := range b.things.rows {
		at, r := b.things.rows[i].value.at, b.things.rows[i].value.r
		if r == nil || r.gone || !r.dirty && !r.leaned {
			continue
		}
		if r.parent == "" {
			b.recount(r, slotOf(r))
		}
		if r.dirty && !r.quiet && !b.silent {
			r.last = b.pos
		}
		if r.leaned && !r.quiet && !b.silent {
			r.used = b.pos
		}
		b.st.Put(at, r.encode())
	}
	for i := range b.ships.rows {
		s := b.ships.rows[i].value
		if s == nil {
			continue
		}
		if s.short != s.counted { // what is missing of it
			for i := range s.lots {
				x, moving := &s.lots[i], slot{state: Active, phase: InTransit}
				b.total(total{x.gtin, x.lot, s.from, moving.name(s.counted)}, -x.units)
				b.total(total{x.gtin, x.lot, s.from, moving.name(s.short)}, x.units)
			}
			s.counted, s.dirty = s.short, true
		}
		switch {
		case s.gone:
			b.st.Delete(atPosition(shipmentAt, s.pos))
		case s.dirty:
			if !s.quiet && !b.silent {
				s.last = b.pos
			}
			b.st.Put(atPosition(shipmentAt, s.pos), s.encode())
		}
	}
	for _, r := range b.filled {
		switch c := r.inside; {
		case !c.changed:
		case c.empty():
			b.st.Delete(contentsAt + r.key)
		default:
			b.st.Put(contentsAt+r.key, c.encode())
		}
	}
	for _, k := range b.linked {
		if b.links[k] {
			b.st.Put(k, present)
		} else {
			b.st.Delete(k)
		}
	}
	for i := range b.totals.rows {
		d := b.totals.rows[i].value
		if d == 0 {
			continue
		}
		at := b.totals.rows[i].key.key()
		n := int64(0)
		if v, ok := b.st.Get(at); ok {
			n = int64(binary.BigEndian.Uint64(v))
		}
		switch n += d; {
		case n < 0:
			panic("custody: the total " + at + " would be negative")
		case n == 0:
			b.st.Delete(at)
		default:
			b.st.Put(at, binary.BigEndian.AppendUint64(nil, uint64(n)))
		}
	}
}

// LotTotals counts a lot's units per (party, state), sorted; they add up to the units commissioned (second result).
// Units in transit count with their sender; in_transit becomes unaccounted for what is missing of a shipment that has
// partly been received.
func LotTotals(v state.View, g gs1.GTIN, lot string) ([]Total, uint64) {
	at := totalsAt + lgtin(g.String(), lot) + nul
	var totals []Total
	var sum uint64
	v.Scan(at, func(k string, b []byte) bool {
		party, name, _ := strings.Cut(k[len(at):], nul)
		n := binary.BigEndian.Uint64(b)
		totals = append(totals, Total{Party: party, State: name, Units: n})
		sum += n
		return true
	})
	slices.SortFunc(totals, func(a, b Total) int {
		return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.State, b.State))
	})
	return totals, sum
}
