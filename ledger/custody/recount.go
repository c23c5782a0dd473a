package custody

import (
	"fmt"
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// recount counts again, from the records alone, what the books keep as lists and sums, and returns the first difference. It
// walks everything: it is for tests.
func recount(v state.View) error {
	c := counter{v: v, inside: map[string]*contents{}, moving: map[canonical.Position]*contents{}, named: map[canonical.Position]uint32{}, lots: map[string]map[Total]uint64{}}
	each(v, func(r *record) bool {
		c.add(r)
		return true
	})
	c.lists()
	each(v, func(r *record) bool {
		c.contents(r.key)
		return true
	})
	c.shipments()
	c.totals()
	return c.err
}

type counter struct {
	v      state.View
	err    error
	inside map[string]*contents
	moving map[canonical.Position]*contents
	named  map[canonical.Position]uint32
	lots   map[string]map[Total]uint64 // by LGTIN key; units of each are 0
}

func (c *counter) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *counter) chain(key string) []*record {
	return chainOf(key, func(k string) *record { return read(c.v, k) })
}

// add counts a thing in the containers around it, in its shipment and in its lot.
func (c *counter) add(thing *record) {
	key := thing.key
	chain := c.chain(key)
	if thing.is(bitNamed) {
		c.named[thing.shipment]++
	}
	if thing.parent != "" {
		if _, ok := c.v.Get(childAt + thing.parent + nul + key); !ok {
			c.fail("%s is not among the contents of %s", key, thing.parent)
		}
		for i := 1; i < len(chain); i++ {
			if chain[i].height <= chain[i-1].height {
				c.fail("%s has height %d, %s inside it %d", chain[i].key, chain[i].height, chain[i-1].key, chain[i-1].height)
			}
		}
	}
	if thing.lot != "" {
		c.inLot(thing, chain)
	}
	carried, sold := uint16(0), map[sale]bool{}
	for i, r := range chain {
		trips := r.trips
		if i > 0 {
			trips = passedOn(chain, i)
			in := c.inside[r.key]
			if in == nil {
				in = &contents{}
				c.inside[r.key] = in
			}
			d := &contents{}
			if isUnit(key) {
				d.stocks = []stock{{gtin: gtinOf(key), lot: thing.lot, expiry: thing.expiry, units: 1}}
			}
			for m := range marks {
				if len(d.stocks) > 0 && carried&(1<<m) != 0 {
					d.stocks[0].marked[m] = 1
				}
				if thing.overlays&(1<<m) != 0 {
					d.things[m] = 1
				}
			}
			in.add(d, 1)
		}
		for _, at := range trips {
			s := readShipment(c.v, at)
			sold[sale{from: s.from, to: s.to}] = true
		}
		if i > 0 && isUnit(key) {
			for s := range sold {
				c.inside[r.key].addSale(sale{s.from, s.to, 1}, 1)
			}
		}
		carried |= r.overlays
	}
}

func (c *counter) inLot(unit *record, chain []*record) {
	b, _ := c.v.Get(birthsAt(gtinOf(unit.key), unit.lot, unit.born))
	if d := canonical.NewReader(b); !slices.Contains(readKeys(d), unit.key[18:]) {
		c.fail("%s is not listed in its lot", unit.key)
	}
	at := slotOf(chain[len(chain)-1])
	if len(chain) > 1 {
		at = at.inside()
	}
	short := false
	if at.moving() {
		if c.moving[at.shipment] == nil {
			c.moving[at.shipment] = &contents{}
		}
		c.moving[at.shipment].addStock(&stock{gtin: gtinOf(unit.key), lot: unit.lot, units: 1}, 1)
		s := readShipment(c.v, at.shipment)
		short = s != nil && s.short
	}
	lot := lgtin(gtinOf(unit.key), unit.lot)
	if c.lots[lot] == nil {
		c.lots[lot] = map[Total]uint64{}
	}
	c.lots[lot][Total{Party: at.holder, State: at.name(short)}]++
}

// lists looks for things that are listed as inside something, and are elsewhere.
func (c *counter) lists() {
	c.v.Scan(childAt, func(k string, _ []byte) bool {
		parent, child, _ := strings.Cut(k[len(childAt):], nul)
		if r := read(c.v, child); r == nil || r.parent != parent {
			c.fail("%s lists %s, which is elsewhere", parent, child)
		}
		return true
	})
}

func (c *counter) contents(key string) {
	got, want := readContents(c.v, key), c.inside[key]
	if want == nil {
		want = &contents{}
	}
	for i := range got.stocks {
		got.stocks[i].newest = 0
	}
	for _, s := range got.sales { // a cancelled shipment may make it forget an earlier one of the same two parties
		if n := want.sold(s.from, s.to); s.units < 0 || s.units > n {
			c.fail("of what is inside %s, %d units were sold by %s to %s, and it says %d", key, n, s.from, s.to, s.units)
		}
	}
	if !slices.Equal(got.stocks, want.stocks) || got.things != want.things {
		c.fail("inside %s are %+v and marked %v, and it says %+v and %v", key, want.stocks, want.things, got.stocks, got.things)
	}
}

func (c *counter) shipments() {
	c.v.Scan(shipmentAt, func(k string, b []byte) bool {
		s := decodeShipment(canonical.NewReader([]byte(k[len(shipmentAt):])).Position(), string(b))
		if s.outstanding != c.named[s.pos] {
			c.fail("shipment %s counts %d outstanding, %d are on their way", s.pos, s.outstanding, c.named[s.pos])
		}
		var want []stock
		if m := c.moving[s.pos]; m != nil {
			want = m.stocks
		}
		if !slices.Equal(want, s.lots) {
			c.fail("with shipment %s %+v are on their way, and it says %+v", s.pos, want, s.lots)
		}
		return true
	})
}

func (c *counter) totals() {
	c.v.Scan(totalsAt, func(k string, _ []byte) bool {
		lot, _, _ := strings.Cut(k[len(totalsAt):], nul)
		if c.lots[lot] == nil {
			c.fail("totals of %s, of which there are no units", lot)
		}
		return true
	})
	for lot, want := range c.lots {
		g, err := gs1.ParseGTIN(lot[2:16])
		if err != nil {
			c.fail("the lot %s: %v", lot, err)
			continue
		}
		totals, _ := LotTotals(c.v, g, lot[18:])
		for _, x := range totals {
			is := Total{Party: x.Party, State: x.State}
			if want[is] != x.Units {
				c.fail("lot %s: %d units are %s with %q, totals say %d", lot, want[is], x.State, x.Party, x.Units)
			}
			delete(want, is)
		}
		if len(want) > 0 {
			c.fail("lot %s: the totals miss %v", lot, want)
		}
	}
}

// facts writes out what is recorded of things, containers, shipments and lots, without what says only which event wrote it. It
// is for tests, which compare the facts after two histories.
func facts(v state.View) map[string]string {
	out := map[string]string{}
	for _, at := range []string{unitAt, childAt, contentsAt, totalsAt, shipmentAt, shippedAt, lotAt} {
		v.Scan(at, func(k string, b []byte) bool {
			text := fmt.Sprintf("%x", b)
			switch at {
			case unitAt:
				r := decodeRecord(k[len(unitAt):], string(b))
				r.last, r.used = canonical.Position{}, canonical.Position{}
				chain := chainOf(r.key, func(k string) *record { return read(v, k) })
				for i := range chain[1:] {
					r.trips = append(r.trips, passedOn(chain, i+1)...)
				}
				slices.SortFunc(r.trips, canonical.Position.Compare)
				text = fmt.Sprintf("%+v", r)
			case contentsAt:
				c := readContents(v, k[len(contentsAt):])
				c.sales = nil
				for i := range c.stocks {
					c.stocks[i].newest = 0
				}
				if c.empty() {
					return true
				}
				text = fmt.Sprintf("%+v", c)
			case shipmentAt:
				s := decodeShipment(canonical.NewReader([]byte(k[len(shipmentAt):])).Position(), string(b))
				s.last, s.stored = canonical.Position{}, ""
				text = fmt.Sprintf("%+v", s)
			}
			out[fmt.Sprintf("%q", k)] = text
			return true
		})
	}
	return out
}
