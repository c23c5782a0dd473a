package books

import (
	"fmt"
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// Recount counts again, from the records alone, what the books keep as lists and sums, and returns the first difference. It
// walks everything: it is for tests.
func Recount(v state.View) error {
	c := counter{v: v, inside: map[string]*Sums{}, moving: map[canonical.Position]*Sums{}, named: map[canonical.Position]uint32{}, lots: map[string]map[Total]uint64{}}
	Each(v, func(r *Record) bool {
		c.add(r)
		return true
	})
	c.lists()
	Each(v, func(r *Record) bool {
		c.Sums(r.Key)
		return true
	})
	c.shipments()
	c.totals()
	return c.err
}

type counter struct {
	v      state.View
	err    error
	inside map[string]*Sums
	moving map[canonical.Position]*Sums
	named  map[canonical.Position]uint32
	lots   map[string]map[Total]uint64 // by LGTIN key; units of each are 0
}

func (c *counter) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *counter) chain(key string) []*Record {
	return ChainOf(key, func(k string) *Record { return Read(c.v, k) })
}

// add counts a thing in the containers around it, in its shipment and in its lot.
func (c *counter) add(thing *Record) {
	key := thing.Key
	chain := c.chain(key)
	if thing.Is(Named) {
		c.named[thing.Shipment]++
	}
	if thing.Parent != "" {
		if _, ok := c.v.Get(childAt + thing.Parent + nul + key); !ok {
			c.fail("%s is not among the contents of %s", key, thing.Parent)
		}
		for i := 1; i < len(chain); i++ {
			if chain[i].Height <= chain[i-1].Height {
				c.fail("%s has height %d, %s inside it %d", chain[i].Key, chain[i].Height, chain[i-1].Key, chain[i-1].Height)
			}
		}
	}
	if thing.Lot != "" {
		c.inLot(thing, chain)
	}
	carried, sold, out := uint16(0), map[sale]bool{}, ""
	for i, r := range chain {
		trips := r.Trips
		if i > 0 {
			trips = passedOn(chain, i)
			in := c.inside[r.Key]
			if in == nil {
				in = &Sums{}
				c.inside[r.Key] = in
			}
			d := &Sums{}
			if IsUnit(key) {
				d.Stocks = []LotSum{{GTIN: GTINOf(key), Lot: thing.Lot, Expiry: thing.Expiry, OutOf: out, Units: 1}}
				if thing.Made != 0 {
					d.births = []births{{Minute(thing.Made), 1}}
				}
			}
			for m := range Marks {
				if len(d.Stocks) > 0 && carried&(1<<m) != 0 {
					d.Stocks[0].marked[m] = 1
				}
				if thing.Overlays&(1<<m) != 0 {
					d.Things[m] = 1
				}
			}
			in.add(d, 1)
		}
		for _, at := range trips {
			if s := readShipment(c.v, at); s != nil {
				sold[sale{from: s.From, to: s.To}] = true
			} else {
				c.fail("%s was sold with shipment %s, which is missing", r.Key, at)
			}
		}
		if i > 0 && IsUnit(key) {
			for s := range sold {
				c.inside[r.Key].addSale(sale{s.from, s.to, 1}, 1)
			}
		}
		carried |= r.Overlays
		out = Together(out, r.OutOf)
	}
}

func (c *counter) inLot(unit *Record, chain []*Record) {
	b, _ := c.v.Get(BirthsAt(GTINOf(unit.Key), unit.Lot, unit.Born))
	if d := canonical.NewReader(b); !slices.Contains(ReadKeys(d), unit.Key[18:]) {
		c.fail("%s is not listed in its lot", unit.Key)
	}
	at := slotOf(chain[len(chain)-1])
	if len(chain) > 1 {
		at = at.inside()
	}
	short := false
	if at.moving() {
		if c.moving[at.shipment] == nil {
			c.moving[at.shipment] = &Sums{}
		}
		c.moving[at.shipment].addStock(&LotSum{GTIN: GTINOf(unit.Key), Lot: unit.Lot, Units: 1}, 1)
		if s := readShipment(c.v, at.shipment); s != nil {
			short = s.Short
		} else {
			c.fail("%s is on its way with shipment %s, which is missing", unit.Key, at.shipment)
		}
	}
	lot := LGTIN(GTINOf(unit.Key), unit.Lot)
	if c.lots[lot] == nil {
		c.lots[lot] = map[Total]uint64{}
	}
	c.lots[lot][Total{Party: at.holder, State: at.name(short)}]++
}

// lists looks for things that are listed as inside something, and are elsewhere.
func (c *counter) lists() {
	c.v.Scan(childAt, func(k string, _ []byte) bool {
		parent, child, _ := strings.Cut(k[len(childAt):], nul)
		if r := Read(c.v, child); r == nil || r.Parent != parent {
			c.fail("%s lists %s, which is elsewhere", parent, child)
		}
		return true
	})
}

func (c *counter) Sums(key string) {
	got, want := readContents(c.v, key), c.inside[key]
	if want == nil {
		want = &Sums{}
	}
	if !slices.Equal(got.Stocks, want.Stocks) || got.Things != want.Things {
		c.fail("inside %s are %+v and marked %v, and it says %+v and %v", key, want.Stocks, want.Things, got.Stocks, got.Things)
	}
	if !slices.Equal(got.sales, want.sales) {
		c.fail("of what is inside %s were sold %+v, and it says %+v", key, want.sales, got.sales)
	}
	if !slices.Equal(got.births, want.births) {
		c.fail("inside %s were born by the minute %+v, and it says %+v", key, want.births, got.births)
	}
}

func (c *counter) shipments() {
	c.v.Scan(shipmentAt, func(k string, b []byte) bool {
		s := decodeShipment(canonical.NewReader([]byte(k[len(shipmentAt):])).Position(), string(b))
		if s.Outstanding != c.named[s.Pos] {
			c.fail("shipment %s counts %d outstanding, %d are on their way", s.Pos, s.Outstanding, c.named[s.Pos])
		}
		var want []LotSum
		if m := c.moving[s.Pos]; m != nil {
			want = m.Stocks
		}
		if !slices.Equal(want, s.lots) {
			c.fail("with shipment %s %+v are on their way, and it says %+v", s.Pos, want, s.lots)
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

// Facts writes out what is recorded of things, containers, shipments and lots, without what says only which event wrote it. It
// is for tests, which compare the facts after two histories.
func Facts(v state.View) map[string]string {
	out := map[string]string{}
	for _, at := range []string{unitAt, childAt, contentsAt, totalsAt, shipmentAt, shippedAt, lotAt} {
		v.Scan(at, func(k string, b []byte) bool {
			text := fmt.Sprintf("%x", b)
			switch at {
			case unitAt:
				r := decodeRecord(k[len(unitAt):], string(b))
				r.last, r.used, r.first = canonical.Position{}, canonical.Position{}, nil // Recount counts what was sold
				chain := ChainOf(r.Key, func(k string) *Record { return Read(v, k) })
				for i := range chain[1:] {
					r.Trips = append(r.Trips, passedOn(chain, i+1)...)
				}
				slices.SortFunc(r.Trips, canonical.Position.Compare)
				text = fmt.Sprintf("%+v", r)
			case contentsAt:
				c := readContents(v, k[len(contentsAt):])
				c.sales = nil
				if c.Empty() {
					return true
				}
				text = fmt.Sprintf("%+v", c)
			case shipmentAt:
				s := decodeShipment(canonical.NewReader([]byte(k[len(shipmentAt):])).Position(), string(b))
				s.Last, s.stored = canonical.Position{}, ""
				text = fmt.Sprintf("%+v", s)
			}
			out[fmt.Sprintf("%q", k)] = text
			return true
		})
	}
	return out
}
