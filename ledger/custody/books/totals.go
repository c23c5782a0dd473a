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
		one := LotSum{GTIN: GTINOf(r.Key), Lot: r.Lot, Expiry: r.Expiry, Units: 1, Newest: r.Made}
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

// fill adds d to a container, or takes it away, and to those around it.
func (b *Books) fill(key string, d *Sums, sign int64) {
	for depth := 0; key != "" && depth < MaxDepth && !d.Empty(); depth++ {
		r := b.Get(key)
		var before Sums
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

// Enter puts a thing into a container: the totals count it with the outermost one from now on.
func (b *Books) Enter(r *Record, parent string) { b.EnterSince(r, parent, b.pos) }

// EnterSince puts a thing into a container where it was since the event at packed. What was sold with the containers around
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
func (b *Books) sold(trips []canonical.Position, d *Sums) {
	for _, t := range trips {
		s := b.Shipment(t)
		if n := d.Units() - d.Sold(s.From, s.To); n > 0 {
			d.addSale(sale{s.From, s.To, n}, 1)
		}
	}
}

// Exit takes a thing out of its container. What was sold with the containers around it was sold with it.
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

// Travelled notes a sale of a thing and of everything inside it.
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

// Cancelled takes a sale back.
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
