package books

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// Marks is how many bits of Record.Overlays there are: the overlays, and the mark of a unit that an open recall names.
const Marks = 9

// LotSum is how many units of one lot and expiry are somewhere.
type LotSum struct {
	GTIN, Lot, Expiry string // lot and expiry are empty without a birth record
	Units             int64
	marked            [Marks]int64 // units with the mark on themselves or on a container around them, inside this one
	Newest            int64        // event time of the latest birth among them, ms; not lowered when units leave
}

// findStock finds the lot and expiry of x in a sorted list, or where they belong.
func findStock(list []LotSum, x *LotSum) (at int, ok bool) {
	return sort.Find(len(list), func(i int) int {
		s := &list[i]
		return cmp.Or(strings.Compare(x.GTIN, s.GTIN), strings.Compare(x.Lot, s.Lot), strings.Compare(x.Expiry, s.Expiry))
	})
}

// sale is how many units somewhere were once sold by one party to another.
type sale struct {
	from, to string
	units    int64
}

func compareSales(a, b sale) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) }

// Sums are over everything inside a container, or over a thing with what is inside it. Lists are sorted.
type Sums struct {
	Stocks []LotSum
	Things [Marks]int64 // units and containers that carry the mark themselves
	sales  []sale

	changed bool
}

// Units is how many units there are.
func (c *Sums) Units() (n int64) {
	for i := range c.Stocks {
		n += c.Stocks[i].Units
	}
	return n
}

// Marked is how many units carry each mark.
func (c *Sums) Marked() (list [Marks]int64) {
	for i := range c.Stocks {
		for m, n := range &c.Stocks[i].marked {
			list[m] += n
		}
	}
	return list
}

// Sold is how many of the units one party once sold to another.
func (c *Sums) Sold(from, to string) int64 {
	if i, ok := slices.BinarySearchFunc(c.sales, sale{from: from, to: to}, compareSales); ok {
		return c.sales[i].units
	}
	return 0
}

// add adds d, or takes it away (sign -1).
func (c *Sums) add(d *Sums, sign int64) {
	c.changed = true
	for i := range d.Stocks {
		c.addStock(&d.Stocks[i], sign)
	}
	for m := range Marks {
		c.Things[m] += sign * d.Things[m]
	}
	for _, s := range d.sales {
		c.addSale(s, sign)
	}
}

func (c *Sums) addStock(s *LotSum, sign int64) {
	at, ok := findStock(c.Stocks, s)
	if !ok {
		c.Stocks = slices.Insert(c.Stocks, at, LotSum{GTIN: s.GTIN, Lot: s.Lot, Expiry: s.Expiry})
	}
	have := &c.Stocks[at]
	have.Units += sign * s.Units
	for m := range Marks {
		have.marked[m] += sign * s.marked[m]
	}
	have.Newest = max(have.Newest, s.Newest)
	if have.Units == 0 && have.marked == [Marks]int64{} {
		c.Stocks = slices.Delete(c.Stocks, at, at+1)
	}
}

func (c *Sums) addSale(s sale, sign int64) {
	c.changed = true
	at, ok := slices.BinarySearchFunc(c.sales, s, compareSales)
	if !ok {
		c.sales = slices.Insert(c.sales, at, sale{from: s.from, to: s.to})
	}
	if c.sales[at].units += sign * s.units; c.sales[at].units == 0 {
		c.sales = slices.Delete(c.sales, at, at+1)
	}
}

// Empty says that nothing is counted.
func (c *Sums) Empty() bool {
	return len(c.Stocks) == 0 && len(c.sales) == 0 && c.Things == [Marks]int64{}
}

func (c *Sums) clone() Sums {
	return Sums{Stocks: slices.Clone(c.Stocks), Things: c.Things, sales: slices.Clone(c.sales)}
}

func putMarks(b []byte, list *[Marks]int64) []byte {
	var bits uint16
	for m, n := range list {
		if n != 0 {
			bits |= 1 << m
		}
	}
	b = canonical.U16(b, bits)
	for _, n := range list {
		if n != 0 {
			b = canonical.U64(b, uint64(n))
		}
	}
	return b
}

func readMarks(d *canonical.TextReader, list *[Marks]int64) {
	for m, bits := 0, d.U16(); bits != 0 && m < Marks; m, bits = m+1, bits>>1 {
		if bits&1 != 0 {
			list[m] = d.I64()
		}
	}
}

func (c *Sums) encode() []byte {
	size := 64
	for i := range c.Stocks {
		size += 48 + len(c.Stocks[i].GTIN) + len(c.Stocks[i].Lot) + len(c.Stocks[i].Expiry)
	}
	for i := range c.sales {
		size += 10 + len(c.sales[i].from) + len(c.sales[i].to)
	}
	b := canonical.U32(make([]byte, 0, size), uint32(len(c.Stocks)))
	for i := range c.Stocks {
		s := &c.Stocks[i]
		b = canonical.Str8(b, s.GTIN)
		b = canonical.Str8(b, s.Lot)
		b = canonical.Str8(b, s.Expiry)
		b = canonical.U64(b, uint64(s.Units))
		b = canonical.I64(putMarks(b, &s.marked), s.Newest)
	}
	b = canonical.U32(putMarks(b, &c.Things), uint32(len(c.sales)))
	for _, s := range c.sales {
		b = canonical.Str8(b, s.from)
		b = canonical.U64(canonical.Str8(b, s.to), uint64(s.units))
	}
	return b
}

func readContents(v state.View, container string) *Sums {
	c := &Sums{}
	b, ok := v.Get(contentsAt + container)
	if !ok {
		return c
	}
	d := canonical.NewTextReader(string(b)) // one allocation for all texts
	if n := min(int(d.U32()), d.Len()/minStock); n > 0 {
		c.Stocks = make([]LotSum, n)
	}
	for i := range c.Stocks {
		s := &c.Stocks[i]
		s.GTIN, s.Lot, s.Expiry, s.Units = d.Text(1), d.Text(1), d.Text(1), d.I64()
		readMarks(d, &s.marked)
		s.Newest = d.I64()
	}
	readMarks(d, &c.Things)
	if n := min(int(d.U32()), d.Len()/minSale); n > 0 {
		c.sales = make([]sale, n, n+1)
	}
	for i := range c.sales {
		c.sales[i] = sale{d.Text(1), d.Text(1), d.I64()}
	}
	if d.Damaged() {
		panic("books: damaged record contents of " + container)
	}
	return c
}

// The least bytes of a stock and of a sale: no more of them are made room for than there can be.
const (
	minStock = 21
	minSale  = 10
)

// Stock is how many units of one lot and expiry are inside a container.
type Stock struct {
	GTIN, Lot, Expiry string // lot and expiry are empty for units without a birth record
	Units             uint64
	// Marked counts the units with an overlay on themselves or on a container around them, by overlay. "recalled" counts
	// units that an open recall names as well, but not recalls of the lot: those are read there.
	Marked map[string]uint64
}

// Contents are sums over everything inside a container, at any depth.
type Contents struct {
	Units  uint64
	Stocks []Stock // by GTIN, lot and expiry
	// Things counts units and containers that carry an overlay themselves, by overlay: a marked container may be empty.
	Things map[string]uint64
}

// Inside returns what is inside a container. The cost grows with the number of lots in it, not with its units.
func Inside(v state.View, key gs1.Key) Contents {
	c := readContents(v, key.String())
	out := Contents{Units: uint64(c.Units()), Things: markNames(&c.Things)}
	for i := range c.Stocks {
		s := &c.Stocks[i]
		out.Stocks = append(out.Stocks, Stock{GTIN: s.GTIN, Lot: s.Lot, Expiry: s.Expiry, Units: uint64(s.Units), Marked: markNames(&s.marked)})
	}
	return out
}

func markNames(list *[Marks]int64) map[string]uint64 {
	var names map[string]uint64
	for m, n := range list {
		if n == 0 {
			continue
		}
		if names == nil {
			names = map[string]uint64{}
		}
		name := "recalled"
		if m < len(OverlayNames) {
			name = OverlayNames[m]
		}
		names[name] = max(names[name], uint64(n))
	}
	return names
}
