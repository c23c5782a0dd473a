// Package books keeps what is recorded of units and containers, and everything that follows from it by counting alone: what is
// inside a container, how many units of a lot each party has in each state, and what is still on its way with a shipment. It
// knows no rule: package custody judges, and reads and writes this state only through Books.
//
// Units and containers have one kind of record. Whatever is inside a container stores only that it is there: holder, place and
// phase are those of the outermost container (Inherit), so moving a sealed pallet writes one record however much is in it.
//
// A container knows what is inside it, at any depth, as Sums: how many units of each lot, how many of them carry a mark, and who
// sold them to whom. Packing, unpacking and marking keep these sums up to date on the way up, so that a rule or a reader sees into
// a pallet without a walk over its units. All units inside a container have one slot in the totals of their lots, that of the
// outermost container: a move costs as much as there are lots inside. docs/adr/0015 has the reasons.
//
// Every method keeps records, sums and totals in step. Recount says whether they are.
package books

import (
	"encoding/binary"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// Books are open while one event is judged, or while a timer or a recall changes overlays. Write writes what has changed; until
// then the state is what it was before the event, except for lists (ListBirths, ListShipped) and what Unborn and RestoreShipment
// take away. Books must not be copied once something was read.
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

// Open opens the books for an event that names a number of things.
func Open(st state.Store, pos canonical.Position, size int) Books {
	return Books{st: st, pos: pos, things: newTable[string, thing](size)}
}

// Get is the record of a thing, nil if it has none. A rule that changes it calls Touch.
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

// Known is the record of a thing if it was asked for before.
func (b *Books) Known(key string) *Record {
	if t := b.things.at(key); t != nil {
		return t.r
	}
	return nil
}

// Add gives a thing without a record an empty one.
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

// Chain are the containers around key, innermost first, beginning with the thing itself.
func (b *Books) Chain(key string) []*Record { return ChainOf(key, b.Get) }

// Shipment is the shipment that the event at pos began, nil if there is none.
func (b *Books) Shipment(pos canonical.Position) *Shipment {
	if s := b.ships.at(pos); s != nil {
		return *s
	}
	s := readShipment(b.st, pos)
	b.ships.put(pos, s)
	return s
}

// Sail begins the shipment of this event.
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
func (b *Books) in(r *Record) *Sums {
	if r.inside == nil {
		if r.Height > 0 {
			r.inside = readContents(b.st, r.Key)
		} else {
			r.inside = &Sums{}
		}
		b.filled = append(b.filled, r)
	}
	return r.inside
}

// nothing is inside most things. It is never changed.
var nothing Sums

// Look is what is inside a thing, to be read.
func (b *Books) Look(r *Record) *Sums {
	if !r.everFilled() {
		return &nothing
	}
	return b.in(r)
}

// everFilled says that something is or was in a thing.
func (r *Record) everFilled() bool { return r.Height > 0 || r.inside != nil }

// Link puts a thing into the list of what is directly inside a container, or takes it out.
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

// Children lists what is directly inside a container, this event's removals included: no step lists a container that it fills.
func (b *Books) Children(parent string, fn func(string) bool) {
	ChildrenOf(b.st, parent, func(child string) bool {
		if on, ok := b.links[childAt+parent+nul+child]; ok && !on {
			return true
		}
		return fn(child)
	})
}

// Empty says that nothing is inside a container any more.
func (b *Books) Empty(parent string) bool {
	empty := true
	b.Children(parent, func(string) bool {
		empty = false
		return false
	})
	return empty
}

// ListBirths notes which units this event put into a lot.
func (b *Books) ListBirths(gtin, lot string, units []string) {
	b.st.Put(BirthsAt(gtin, lot, b.pos), PutKeys(nil, Serials(units)))
}

// ListShipped notes what the shipment of this event names.
func (b *Books) ListShipped(keys []string) {
	if len(keys) > 0 {
		b.st.Put(AtPosition(shippedAt, b.pos), PutKeys(nil, keys))
	}
}

// Write brings contents, shipments and totals up to date and writes them with the records.
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
