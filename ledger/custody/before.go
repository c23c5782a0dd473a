package custody

import (
	"slices"

	"verilot.dev/ledger/canonical"
)

// was is the state of some things before an event.
type was struct {
	stored   string   // the record as stored; "" if there was none
	leaned   bool     // the event changed what is inside, and nothing else
	overlays uint16   // those that the event changed
	keys     []string // of things with this record
}

// shipWas is a shipment before an event.
type shipWas struct {
	pos    canonical.Position
	stored string // "" if there was none
}

// before lists what the event changes as it was, things that were alike once. It is asked before write.
func (b *books) before() (things []was, ships []shipWas) {
	type kind struct {
		stored string
		leaned bool
		bits   uint16
	}
	var kinds table[kind, int]
	last := kind{}
	at := -1
	for n := range b.things.rows {
		r := b.things.rows[n].value.r
		if r == nil || !r.changed() {
			continue
		}
		k := kind{stored: r.stored, leaned: !r.dirty, bits: r.overlays ^ r.marked}
		if at < 0 || k != last { // most often what was alike before the event comes together
			if i := kinds.at(k); i != nil {
				at = *i
			} else {
				at = len(things)
				kinds.put(k, at)
				w := was{stored: k.stored, leaned: k.leaned, overlays: k.bits}
				if at == 0 { // often the only one
					w.keys = make([]string, 0, len(b.things.rows)-n)
				}
				things = append(things, w)
			}
			last = k
		}
		things[at].keys = append(things[at].keys, r.key)
	}
	for i := range b.ships.rows {
		if s := b.ships.rows[i].value; s != nil && (s.dirty || s.short != s.counted) {
			ships = append(ships, shipWas{s.pos, s.stored})
		}
	}
	return things, ships
}

// changed says that this event changes a thing, or what is inside it.
func (r *record) changed() bool { return r.dirty || r.leaned }

// touch says that this event changes a thing, or rests on what is recorded of it.
func (r *record) touch() { r.dirty = true }

func (s *shipment) touch() { s.dirty = true }

// touchedAt is when a thing was last changed. leaned asks for changes of its contents too.
func (r *record) touchedAt(leaned bool) canonical.Position {
	if leaned && r.used.Compare(r.last) > 0 {
		return r.used
	}
	return r.last
}

// record is one of the things as it was, nil if there was none.
func (w *was) record(key string) *record {
	if w.stored == "" {
		return nil
	}
	return decodeRecord(key, w.stored)
}

// shipment is the shipment as it was, nil if there was none.
func (s *shipWas) shipment() *shipment {
	if s.stored == "" {
		return nil
	}
	return decodeShipment(s.pos, s.stored)
}

// emptied takes back that the event at pos changed what is inside a thing, and nothing else.
func (b *books) emptied(r *record, w *was, pos canonical.Position) {
	if r.used == pos {
		r.used = decodeRecord(r.key, w.stored).used
	}
	r.quiet = true
}

// restore makes a thing again what it was by itself before the event at pos. Overlays that the event did not change may have
// been changed since, by a timer or a resolution.
func (b *books) restore(r, before *record, bits uint16, pos canonical.Position) {
	if r.lot != before.lot || r.expiry != before.expiry || r.made != before.made {
		b.label(r, before.lot, before.expiry, before.made)
	}
	for _, t := range slices.Clone(r.trips) {
		if !slices.Contains(before.trips, t) {
			b.cancelled(r, t)
		}
	}
	overlays := before.overlays&bits | r.overlays&^bits
	b.alter(r, func() { r.overlays = overlays })
	r.bits, r.state, r.phase, r.height = before.bits, before.state, before.phase, before.height
	r.holder, r.owner, r.to, r.place, r.shipment = before.holder, before.owner, before.to, before.place, before.shipment
	r.born, r.trips, r.recorders, r.owed = before.born, before.trips, before.recorders, before.owed
	if r.since.Compare(pos) <= 0 { // a resolution may have changed it since
		r.since = before.since
	}
	r.last, r.used = before.last, before.used
	r.dirty, r.quiet = true, true
}

// unborn takes a thing off the books that had no record before.
func (b *books) unborn(r *record) {
	b.recount(r, slot{})
	b.st.Delete(unitAt + r.key)
	r.dirty, r.leaned, r.gone = false, false, true
}

// restoreShipment makes a shipment again what it was before an event.
func (b *books) restoreShipment(was *shipWas) {
	s := b.shipment(was.pos)
	if s == nil {
		return
	}
	s.dirty, s.quiet = true, true
	before := was.shipment()
	if before == nil {
		s.gone = true
		b.st.Delete(atPosition(shippedAt, s.pos))
		return
	}
	s.outstanding, s.short, s.last = before.outstanding, before.short, before.last
}
