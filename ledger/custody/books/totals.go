package books

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

func slotOf(r *Record) slot {
	s := slot{known: true, state: r.State, phase: r.Phase, holder: r.Holder}
	if r.Phase == InTransit {
		s.shipment = r.Shipment
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
type Books struct {
	st     state.Store
	pos    canonical.Position
	things table[string, thing]
	blank  []Record // room for records
	ships  table[canonical.Position, *Shipment]
	filled []*Record           // things whose contents are known or changed
	totals table[total, int64] // changes
	links  map[string]bool     // entries in the lists of what is inside what, and whether they are there; nil until one changes
	linked []string            // the same in order of first change
	Silent bool                // no event is being judged: a timer or a recall changes overlays
}

// thing is what was asked for by key.
type thing struct {
	at string  // where its record is stored
	r  *Record // nil: it has none
}

// newBooks opens the books for an event that names a number of things.
func Open(st state.Store, pos canonical.Position, size int) Books {
	return Books{st: st, pos: pos, things: newTable[string, thing](size)}
}

func (b *Books) Get(key string) *Record {
	if t := b.things.at(key); t != nil {
		return t.r
	}
	at := unitAt + key
	var r *Record
	if v, ok := b.st.Get(at); ok {
		r = b.newRecord()
		r.read(at, v)
		if r.Parent == "" {
			r.slot = slotOf(r)
		}
	}
	b.things.put(at[len(unitAt):], thing{at, r})
	return r
}

// known is the record of a thing if it was asked for before.
func (b *Books) Known(key string) *Record {
	if t := b.things.at(key); t != nil {
		return t.r
	}
	return nil
}

// add gives a thing without a record an empty one.
func (b *Books) Add(key string) *Record {
	b.Get(key)
	t := b.things.at(key)
	t.r = b.newRecord()
	t.r.Key = t.at[len(unitAt):]
	return t.r
}

func (b *Books) newRecord() *Record {
	const most = 32
	if len(b.blank) == 0 {
		b.blank = make([]Record, min(max(1, cap(b.things.rows)-len(b.things.rows)), most))
	}
	r := &b.blank[0]
	b.blank = b.blank[1:]
	return r
}

// chain are the containers around key, innermost first, beginning with the thing itself.
func (b *Books) Chain(key string) []*Record { return ChainOf(key, b.Get) }

func (b *Books) Shipment(pos canonical.Position) *Shipment {
	if s := b.ships.at(pos); s != nil {
		return *s
	}
	s := readShipment(b.st, pos)
	b.ships.put(pos, s)
	return s
}

// sail begins the shipment of this event.
func (b *Books) Sail(s *Shipment) {
	s.dirty = true
	switch before := b.ships.at(s.Pos); {
	case before == nil:
		b.ships.put(s.Pos, s)
	case *before == nil:
		*before = s
	default:
		**before = *s
	}
}

// in is what is inside a thing, to be changed.
func (b *Books) in(r *Record) *contents {
	if r.inside == nil {
		if r.Height > 0 {
			r.inside = readContents(b.st, r.Key)
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
func (b *Books) Look(r *Record) *contents {
	if !r.everFilled() {
		return &nothing
	}
	return b.in(r)
}

// everFilled says that something is or was in a thing.
func (r *Record) everFilled() bool { return r.Height > 0 || r.inside != nil }

// whole is a thing with everything inside it, as the container around it counts them.
func (b *Books) whole(r *Record) contents {
	var c contents
	if r.everFilled() {
		c = b.in(r).clone()
	}
	if IsUnit(r.Key) {
		one := stock{GTIN: GTINOf(r.Key), Lot: r.Lot, Expiry: r.Expiry, Units: 1, Newest: r.Made}
		if c.Stocks == nil {
			c.Stocks = append(c.Stocks, one)
		} else {
			c.addStock(&one, 1)
		}
	}
	for m := range Marks {
		if r.Overlays&(1<<m) == 0 {
			continue
		}
		c.Things[m]++
		for i := range c.Stocks {
			c.Stocks[i].marked[m] = c.Stocks[i].Units
		}
	}
	if IsUnit(r.Key) {
		for i, t := range r.Trips {
			s := b.Shipment(t)
			again := slices.ContainsFunc(r.Trips[:i], func(t canonical.Position) bool {
				before := b.Shipment(t)
				return before.From == s.From && before.To == s.To
			})
			if !again {
				c.addSale(sale{s.From, s.To, 1}, 1)
			}
		}
	}
	return c
}

// alter applies a change to a thing that is already where it is, and passes on what of it the containers around it see.
func (b *Books) Alter(r *Record, change func()) {
	if r.Parent == "" {
		change()
		return
	}
	before := b.whole(r)
	change()
	after := b.whole(r)
	after.add(&before, -1)
	b.fill(r.Parent, &after, 1)
}

// fill adds d to a container, or takes it away, and to those around it.
func (b *Books) fill(key string, d *contents, sign int64) {
	for depth := 0; key != "" && depth < MaxDepth && !d.Empty(); depth++ {
		r := b.Get(key)
		var before contents
		if r.Parent != "" {
			before = b.whole(r)
		}
		b.in(r).add(d, sign)
		if r.Parent == "" {
			return
		}
		after := b.whole(r)
		after.add(&before, -1)
		key, d, sign = r.Parent, &after, 1
	}
}

// count moves units of lots from one slot to another.
func (b *Books) count(stocks []stock, from, to slot) {
	if from == to {
		return
	}
	for i := range stocks {
		s := &stocks[i]
		if s.Lot == "" || s.Units == 0 {
			continue
		}
		b.tally(s, from, -s.Units)
		b.tally(s, to, s.Units)
	}
}

// countOne moves a unit from one slot to another.
func (b *Books) countOne(r *Record, from, to slot) {
	if from != to {
		one := stock{GTIN: GTINOf(r.Key), Lot: r.Lot}
		b.tally(&one, from, -1)
		b.tally(&one, to, 1)
	}
}

func (b *Books) tally(s *stock, at slot, units int64) {
	if !at.known {
		return
	}
	short := false
	if at.moving() {
		if ship := b.Shipment(at.shipment); ship != nil {
			short = ship.counted
			ship.carry(s, units)
		}
	}
	b.total(total{s.GTIN, s.Lot, at.holder, at.name(short)}, units)
}

// total is what units of a lot are counted by.
type total struct{ gtin, lot, party, state string }

func (t *total) key() string {
	return totalsAt + "01" + t.gtin + "10" + t.lot + nul + t.party + nul + t.state // as of lgtin
}

func (b *Books) total(of total, units int64) {
	if n := b.totals.at(of); n != nil {
		*n += units
		return
	}
	b.totals.put(of, units)
}

// carry notes how many units of a lot are on their way with the shipment.
func (s *Shipment) carry(x *stock, units int64) {
	lot := stock{GTIN: x.GTIN, Lot: x.Lot}
	at, ok := findStock(s.lots, &lot)
	if !ok {
		s.lots = slices.Insert(s.lots, at, lot)
	}
	if s.lots[at].Units += units; s.lots[at].Units == 0 {
		s.lots = slices.Delete(s.lots, at, at+1)
	}
	s.dirty = true
}

// enter puts a thing into a container: the totals count it with the outermost one from now on.
func (b *Books) Enter(r *Record, parent string) { b.EnterSince(r, parent, b.pos) }

// enterSince puts a thing into a container where it was since the event at packed. What was sold with the containers around
// it since then was sold with it.
func (b *Books) EnterSince(r *Record, parent string, packed canonical.Position) {
	chain := b.Chain(parent)
	// What is in the container already was sold with those around it. What comes in now was not, so the container itself
	// remembers those sales from now on.
	for i := len(chain) - 1; i > 0; i-- {
		for _, t := range passedOn(chain[i-1:], 1) {
			b.Travelled(chain[i-1], t)
		}
	}
	d := b.whole(r)
	b.recount(r, chain[len(chain)-1].slot.inside())
	r.Parent, r.Packed = parent, packed
	chain = b.Chain(r.Key)
	for i, c := range chain[1:] {
		c.leaned = true
		b.sold(passedOn(chain, i+1), &d)
		if c.Parent == "" {
			b.in(c).add(&d, 1)
			return
		}
		before := b.whole(c)
		b.in(c).add(&d, 1)
		d = b.whole(c)
		d.add(&before, -1)
	}
}

// passedOn are the sales of the i-th container around a thing that are sales of all of that thing: it was inside at the time.
func passedOn(chain []*Record, i int) (sold []canonical.Position) {
	for _, t := range chain[i].Trips {
		if !slices.ContainsFunc(chain[:i], func(c *Record) bool { return t.Compare(c.Packed) <= 0 || slices.Contains(c.Trips, t) }) {
			sold = append(sold, t)
		}
	}
	return sold
}

// SoldBy says whether one party once sold a thing, with everything inside it, to another.
func (b *Books) SoldBy(key, from, to string) bool {
	sold := func(trips []canonical.Position) bool {
		return slices.ContainsFunc(trips, func(at canonical.Position) bool {
			s := b.Shipment(at)
			return s.From == from && s.To == to
		})
	}
	chain := b.Chain(key)
	if len(chain) == 0 {
		return false
	}
	c := b.Look(chain[0])
	if n := c.Units(); n > 0 && c.Sold(from, to) >= n || n == 0 && sold(chain[0].Trips) {
		return true
	}
	for i := 1; i < len(chain); i++ {
		if sold(passedOn(chain, i)) {
			return true
		}
	}
	return false
}

// sold adds sales to the sums of what was sold with them.
func (b *Books) sold(trips []canonical.Position, d *contents) {
	for _, t := range trips {
		s := b.Shipment(t)
		if n := d.Units() - d.Sold(s.From, s.To); n > 0 {
			d.addSale(sale{s.From, s.To, n}, 1)
		}
	}
}

// exit takes a thing out of its container. What was sold with the containers around it was sold with it.
func (b *Books) Exit(r *Record) {
	chain := b.Chain(r.Key)
	d := b.whole(r)
	var sold []canonical.Position
	for i, c := range chain[1:] {
		c.leaned = true
		trips := passedOn(chain, i+1)
		sold = append(sold, trips...)
		b.sold(trips, &d)
		if c.Parent == "" {
			b.in(c).add(&d, -1)
			break
		}
		before := b.whole(c)
		b.in(c).add(&d, -1)
		after := b.whole(c)
		before.add(&after, -1)
		d = before
	}
	r.slot = chain[len(chain)-1].slot.inside()
	r.Parent, r.Packed = "", canonical.Position{}
	for _, t := range sold {
		b.Travelled(r, t)
	}
}

// travelled notes a sale of a thing and of everything inside it.
func (b *Books) Travelled(r *Record, pos canonical.Position) {
	at, ok := slices.BinarySearchFunc(r.Trips, pos, canonical.Position.Compare)
	if ok {
		return
	}
	r.Trips = slices.Insert(slices.Clone(r.Trips), at, pos)
	if len(r.Trips) > maxTrips {
		r.Trips = r.Trips[1:]
	}
	if r.everFilled() {
		s, c := b.Shipment(pos), b.in(r)
		if n := c.Units() - c.Sold(s.From, s.To); n > 0 {
			c.addSale(sale{s.From, s.To, n}, 1)
		}
	}
}

// cancelled takes a sale back.
func (b *Books) Cancelled(r *Record, pos canonical.Position) {
	at, ok := slices.BinarySearchFunc(r.Trips, pos, canonical.Position.Compare)
	if !ok {
		return
	}
	r.Trips = slices.Delete(slices.Clone(r.Trips), at, at+1)
	if r.everFilled() {
		s, c := b.Shipment(pos), b.in(r)
		c.addSale(sale{s.From, s.To, c.Sold(s.From, s.To)}, -1)
	}
}

// recount moves a thing that is in no container to the slot that it is in now.
func (b *Books) recount(r *Record, to slot) {
	if r.slot == to {
		return
	}
	if IsUnit(r.Key) && r.Lot != "" {
		b.countOne(r, r.slot, to)
	}
	if r.everFilled() {
		b.count(b.in(r).Stocks, r.slot.inside(), to.inside())
	}
	r.slot = to
}

// label gives a unit its lot and expiry.
func (b *Books) Label(r *Record, lot, expiry string, made int64) {
	chain := b.Chain(r.Key)
	at := chain[len(chain)-1].slot
	if len(chain) > 1 {
		at = at.inside()
	}
	if r.Lot != "" {
		b.countOne(r, at, slot{})
	}
	b.Alter(r, func() { r.Lot, r.Expiry, r.Made = lot, expiry, made })
	if lot != "" {
		b.countOne(r, slot{}, at)
	}
}

// setMark sets or clears an overlay.
func (b *Books) SetMark(r *Record, bit uint16, on bool) {
	b.Alter(r, func() {
		r.Overlays &^= bit
		if on {
			r.Overlays |= bit
		}
	})
	r.dirty = true
}

// link puts a thing into the list of what is directly inside a container, or takes it out.
func (b *Books) Link(parent, child string, on bool) {
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
func (b *Books) Children(parent string, fn func(string) bool) {
	ChildrenOf(b.st, parent, func(child string) bool {
		if on, ok := b.links[childAt+parent+nul+child]; ok && !on {
			return true
		}
		return fn(child)
	})
}

// empty says that nothing is inside a container any more.
func (b *Books) Empty(parent string) bool {
	empty := true
	b.Children(parent, func(string) bool {
		empty = false
		return false
	})
	return empty
}

// listBirths notes which units this event put into a lot.
func (b *Books) ListBirths(gtin, lot string, units []string) {
	b.st.Put(BirthsAt(gtin, lot, b.pos), PutKeys(nil, Serials(units)))
}

// listShipped notes what the shipment of this event names.
func (b *Books) ListShipped(keys []string) {
	if len(keys) > 0 {
		b.st.Put(AtPosition(shippedAt, b.pos), PutKeys(nil, keys))
	}
}

// write brings contents, shipments and totals up to date and writes them with the records.
func (b *Books) Write() {
	for i := range b.things.rows {
		at, r := b.things.rows[i].value.at, b.things.rows[i].value.r
		if r == nil || r.gone || !r.dirty && !r.leaned {
			continue
		}
		if r.Parent == "" {
			b.recount(r, slotOf(r))
		}
		if r.dirty && !r.quiet && !b.Silent {
			r.last = b.pos
		}
		if r.leaned && !r.quiet && !b.Silent {
			r.used = b.pos
		}
		b.st.Put(at, r.encode())
	}
	for i := range b.ships.rows {
		s := b.ships.rows[i].value
		if s == nil {
			continue
		}
		if s.Short != s.counted { // what is missing of it
			for i := range s.lots {
				x, moving := &s.lots[i], slot{state: Active, phase: InTransit}
				b.total(total{x.GTIN, x.Lot, s.From, moving.name(s.counted)}, -x.Units)
				b.total(total{x.GTIN, x.Lot, s.From, moving.name(s.Short)}, x.Units)
			}
			s.counted, s.dirty = s.Short, true
		}
		switch {
		case s.gone:
			b.st.Delete(AtPosition(shipmentAt, s.Pos))
		case s.dirty:
			if !s.quiet && !b.Silent {
				s.Last = b.pos
			}
			b.st.Put(AtPosition(shipmentAt, s.Pos), s.encode())
		}
	}
	for _, r := range b.filled {
		switch c := r.inside; {
		case !c.changed:
		case c.Empty():
			b.st.Delete(contentsAt + r.Key)
		default:
			b.st.Put(contentsAt+r.Key, c.encode())
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
			panic("books: the total " + at + " would be negative")
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
	at := totalsAt + LGTIN(g.String(), lot) + nul
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
