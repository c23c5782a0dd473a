package books

import (
	"slices"

	"verilot.dev/ledger/canonical"
)

// Was is the state of some things before an event.
type Was struct {
	Stored   string   // the record as stored; "" if there was none
	Leaned   bool     // the event changed what is inside, and nothing else
	Overlays uint16   // those that the event changed
	Keys     []string // of things with this record
}

// ShipWas is a shipment before an event.
type ShipWas struct {
	Pos    canonical.Position
	Stored string // "" if there was none
}

// Before lists what the event changes as it was, things that were alike once. It is asked before write.
func (b *Books) Before() (things []Was, ships []ShipWas) {
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
		if r == nil || !r.Changed() {
			continue
		}
		k := kind{stored: r.stored, leaned: !r.dirty, bits: r.Overlays ^ r.marked}
		if at < 0 || k != last { // most often what was alike before the event comes together
			if i := kinds.at(k); i != nil {
				at = *i
			} else {
				at = len(things)
				kinds.put(k, at)
				w := Was{Stored: k.stored, Leaned: k.leaned, Overlays: k.bits}
				if at == 0 { // often the only one
					w.Keys = make([]string, 0, len(b.things.rows)-n)
				}
				things = append(things, w)
			}
			last = k
		}
		things[at].Keys = append(things[at].Keys, r.Key)
	}
	for i := range b.ships.rows {
		if s := b.ships.rows[i].value; s != nil && (s.dirty || s.Short != s.counted) {
			ships = append(ships, ShipWas{s.Pos, s.stored})
		}
	}
	return things, ships
}

// Changed says that this event changes a thing, or what is inside it.
func (r *Record) Changed() bool { return r.dirty || r.leaned }

// Touch says that this event changes a thing, or rests on what is recorded of it.
func (r *Record) Touch() { r.dirty = true }

// Touch says that this event changes a shipment.
func (s *Shipment) Touch() { s.dirty = true }

// TouchedAt is when a thing was last changed. leaned asks for changes of its contents too.
func (r *Record) TouchedAt(leaned bool) canonical.Position {
	if leaned && r.used.Compare(r.last) > 0 {
		return r.used
	}
	return r.last
}

// Record is one of the things as it was, nil if there was none.
func (w *Was) Record(key string) *Record {
	if w.Stored == "" {
		return nil
	}
	return decodeRecord(key, w.Stored)
}

// Shipment is the shipment as it was, nil if there was none.
func (s *ShipWas) Shipment() *Shipment {
	if s.Stored == "" {
		return nil
	}
	return decodeShipment(s.Pos, s.Stored)
}

// Emptied takes back that the event at pos changed what is inside a thing, and nothing else.
func (b *Books) Emptied(r *Record, w *Was, pos canonical.Position) {
	if r.used == pos {
		r.used = decodeRecord(r.Key, w.Stored).used
	}
	r.quiet = true
}

// Restore makes a thing again what it was by itself before the event at pos. Overlays that the event did not change may have
// been changed since, by a timer or a resolution.
func (b *Books) Restore(r, before *Record, bits uint16, pos canonical.Position) {
	if r.Lot != before.Lot || r.Expiry != before.Expiry || r.Made != before.Made {
		b.Label(r, before.Lot, before.Expiry, before.Made)
	}
	for _, t := range slices.Clone(r.Trips) {
		if !slices.Contains(before.Trips, t) {
			b.Cancelled(r, t)
		}
	}
	overlays := before.Overlays&bits | r.Overlays&^bits
	b.Alter(r, func() { r.Overlays, r.OutOf = overlays, before.OutOf })
	r.Flags, r.State, r.Phase, r.Height = before.Flags, before.State, before.Phase, before.Height
	r.Holder, r.Owner, r.To, r.Place, r.Shipment = before.Holder, before.Owner, before.To, before.Place, before.Shipment
	r.Born, r.Trips, r.first = before.Born, before.Trips, before.first
	r.Recorders, r.Owed, r.Against = before.Recorders, before.Owed, before.Against
	if r.Since.Compare(pos) <= 0 { // a resolution may have changed it since
		r.Since = before.Since
	}
	r.last, r.used = before.last, before.used
	r.dirty, r.quiet = true, true
}

// Unborn takes a thing off the books that had no record before.
func (b *Books) Unborn(r *Record) {
	b.recount(r, slot{})
	b.st.Delete(unitAt + r.Key)
	r.dirty, r.leaned, r.gone = false, false, true
}

// RestoreShipment makes a shipment again what it was before an event.
func (b *Books) RestoreShipment(was *ShipWas) {
	s := b.Shipment(was.Pos)
	if s == nil {
		return
	}
	s.dirty, s.quiet = true, true
	before := was.Shipment()
	if before == nil {
		s.gone = true
		b.st.Delete(AtPosition(shippedAt, s.Pos))
		return
	}
	s.Outstanding, s.Short, s.Last = before.Outstanding, before.Short, before.Last
}
