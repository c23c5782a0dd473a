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

// whole is a thing with everything inside it, as the container around it counts them.
func (b *Books) whole(r *Record) Sums {
	var c Sums
	if r.everFilled() {
		c = b.in(r).clone()
	}
	if IsUnit(r.Key) {
		one := LotSum{GTIN: GTINOf(r.Key), Lot: r.Lot, Expiry: r.Expiry, Units: 1}
		if r.Made != 0 {
			c.addBirths(births{Minute(r.Made), 1}, 1)
		}
		if c.Stocks == nil {
			c.Stocks = append(c.Stocks, one)
		} else {
			c.addStock(&one, 1)
		}
	}
	c.out(r.OutOf)
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

// Alter applies a change to a thing that is already where it is, and passes on what of it the containers around it see.
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

// fill adds d to a container, or takes it away, and to those around it. d is used up.
func (b *Books) fill(key string, d *Sums, sign int64) {
	for depth := 0; key != "" && depth < MaxDepth && !d.Empty(); depth++ {
		r := b.Get(key)
		b.in(r).add(d, sign)
		r.lift(d)
		key = r.Parent
	}
}

// lift makes of a change inside a thing the change that the container around it sees: what is inside carries the thing's Marks.
func (r *Record) lift(d *Sums) {
	d.out(r.OutOf)
	if r.Overlays == 0 {
		return
	}
	for m := range Marks {
		if r.Overlays&(1<<m) == 0 {
			continue
		}
		for i := range d.Stocks {
			d.Stocks[i].marked[m] = d.Stocks[i].Units
		}
	}
	d.Stocks = slices.DeleteFunc(d.Stocks, func(s LotSum) bool { return s.Units == 0 && s.marked == [Marks]int64{} })
}

// count moves units of lots from one slot to another.
func (b *Books) count(stocks []LotSum, from, to slot) {
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
		one := LotSum{GTIN: GTINOf(r.Key), Lot: r.Lot}
		b.tally(&one, from, -1)
		b.tally(&one, to, 1)
	}
}

func (b *Books) tally(s *LotSum, at slot, units int64) {
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
func (s *Shipment) carry(x *LotSum, units int64) {
	lot := LotSum{GTIN: x.GTIN, Lot: x.Lot}
	at, ok := findStock(s.lots, &lot)
	if !ok {
		s.lots = slices.Insert(s.lots, at, lot)
	}
	if s.lots[at].Units += units; s.lots[at].Units == 0 {
		s.lots = slices.Delete(s.lots, at, at+1)
	}
	s.dirty = true
}

// Enter puts things into a container: the totals count them with the outermost one from now on. packed says since which event
// each was in there; what was sold with the containers around it since then was sold with it.
func (b *Books) Enter(rs []*Record, parent string, packed func(*Record) canonical.Position) {
	if len(rs) == 0 {
		return
	}
	chain := b.Chain(parent)
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
		r.Parent, r.Packed = parent, since
	}
	up.pass(1)
}

// upward collects things that go into one container, or leave it, in one event: their sum is passed up once.
type upward struct {
	b     *Books
	chain []*Record              // the container and those around it
	sold  [][]canonical.Position // by each of them: sales of what is in the container
	sum   Sums
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

func (b *Books) upward(chain []*Record) *upward {
	u := &upward{b: b, chain: chain, sold: make([][]canonical.Position, len(chain)), more: make([][]sale, len(chain))}
	for i, c := range chain {
		if u.sold[i] = c.Trips; i > 0 {
			u.sold[i] = passedOn(chain, i)
		}
	}
	return u
}

// join adds a thing that is in the container since an event, and returns the sales that it took part in there.
func (u *upward) join(r *Record, since canonical.Position) (sold []canonical.Position) {
	d := u.b.whole(r)
	u.sum.gather(&d)
	for i, list := range u.sold {
		for _, t := range list {
			if t.Compare(since) <= 0 || slices.Contains(r.Trips, t) {
				continue
			}
			sold = append(sold, t)
			s := u.b.Shipment(t)
			if n := d.Units() - d.Sold(s.From, s.To); n > 0 {
				x := sale{s.From, s.To, n}
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

// Exit takes things out of the container that all of them are in. What was sold with the containers around them was sold with them.
func (b *Books) Exit(rs []*Record) {
	chain := b.Chain(rs[0].Parent)
	up := b.upward(chain)
	sold := make([][]canonical.Position, len(rs))
	for i, r := range rs {
		sold[i] = up.join(r, r.Packed)
	}
	up.pass(-1)
	for i, r := range rs {
		r.slot = chain[len(chain)-1].slot.inside()
		r.Parent, r.Packed = "", canonical.Position{}
		for _, t := range sold[i] {
			b.travelled(r, t)
		}
	}
}

// counts changes the number of units for which a sale is the earliest between its parties.
func (r *Record) counts(t canonical.Position, n int64) {
	if at, ok := slices.BinarySearchFunc(r.Trips, t, canonical.Position.Compare); ok && n != 0 {
		r.first = slices.Clone(r.first)
		r.first[at] += n
	}
}

// between lists the sales of a thing by one party to another, as places in its trips.
func (b *Books) between(r *Record, from, to string) (list []int) {
	for i, t := range r.Trips {
		if s := b.Shipment(t); s.From == from && s.To == to {
			list = append(list, i)
		}
	}
	return list
}

// Travelled notes a sale of a thing that is in no container, and of everything inside it.
func (b *Books) Travelled(r *Record, pos canonical.Position) { b.travelled(r, pos) }

// travelled notes a sale of a thing and of everything inside it, and returns how many units had not been sold so before.
func (b *Books) travelled(r *Record, pos canonical.Position) (more sale) {
	at, ok := slices.BinarySearchFunc(r.Trips, pos, canonical.Position.Compare)
	if ok {
		return more
	}
	s := b.Shipment(pos)
	more = sale{from: s.From, to: s.To}
	same := b.between(r, s.From, s.To)
	r.Trips, r.first = slices.Insert(slices.Clone(r.Trips), at, pos), slices.Insert(slices.Clone(r.first), at, 0)
	if IsUnit(r.Key) && len(same) == 0 {
		more.units = 1
	}
	if r.everFilled() {
		c := b.in(r)
		n := c.Units() - c.Sold(s.From, s.To)
		if n > 0 {
			c.addSale(sale{s.From, s.To, n}, 1)
			more.units += n
		}
		for _, i := range same { // what a later sale was the first of, this one is
			if i >= at {
				n += r.first[i+1]
				r.first[i+1] = 0
			}
		}
		r.first[at] = n
	}
	if len(r.Trips) > maxTrips {
		b.forget(r, 0)
	}
	return more
}

// TravelledInside notes a sale of a thing that may be inside others, which perhaps were sold so themselves.
func (b *Books) TravelledInside(r *Record, pos canonical.Position) {
	b.passSale(r, b.travelled(r, pos), pos, 1)
}

// passSale tells the containers around a thing that units in it were sold, or that they were not. What they were sold with
// themselves counts with that sale alone.
func (b *Books) passSale(r *Record, x sale, pos canonical.Position, sign int64) {
	chain := b.Chain(r.Key)
	for i := 1; i < len(chain) && x.units > 0; i++ {
		c := chain[i]
		for _, t := range c.Trips {
			s := b.Shipment(t)
			if s.From == x.from && s.To == x.to && !slices.ContainsFunc(chain[:i], func(d *Record) bool {
				return t.Compare(d.Packed) <= 0 || t != pos && slices.Contains(d.Trips, t)
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

// Cancelled takes a sale back.
func (b *Books) Cancelled(r *Record, pos canonical.Position) {
	if at, ok := slices.BinarySearchFunc(r.Trips, pos, canonical.Position.Compare); ok {
		b.passSale(r, b.forget(r, at), pos, -1)
	}
}

// forget takes a sale off the list of a thing, and returns what was sold by it alone.
func (b *Books) forget(r *Record, at int) (gone sale) {
	s, n := b.Shipment(r.Trips[at]), r.first[at]
	r.Trips, r.first = slices.Delete(slices.Clone(r.Trips), at, at+1), slices.Delete(slices.Clone(r.first), at, at+1)
	gone = sale{from: s.From, to: s.To}
	same := b.between(r, s.From, s.To)
	if IsUnit(r.Key) && len(same) == 0 {
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
	b.in(r).addSale(sale{s.From, s.To, n}, -1)
	gone.units += n
	return gone
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

// Label gives a unit its lot and expiry.
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

// SetMark sets or clears an overlay.
func (b *Books) SetMark(r *Record, bit uint16, on bool) {
	b.Alter(r, func() {
		r.Overlays &^= bit
		if on {
			r.Overlays |= bit
		}
	})
	r.dirty = true
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
