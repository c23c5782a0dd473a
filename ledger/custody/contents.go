package custody

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// A container knows what is inside it, at any depth: how many units of each lot, how many of them carry a mark, and who
// sold them to whom. Packing, unpacking and marking keep these sums up to date on the way up, so that a rule or a reader
// sees into a pallet without a walk over its units.
//
//	i/<container>                 contents
const contentsAt = "i/"

// marks are the overlays, and the mark of a unit that an open recall names.
const marks = 9

// stock is how many units of one lot and expiry are somewhere.
type stock struct {
	gtin, lot, expiry string // lot and expiry are empty without a birth record
	outOf             string // as of records: their own and those of the containers around them, inside this one
	units             int64
	marked            [marks]int64 // units with the mark on themselves or on a container around them, inside this one
}

// births is how many units of somewhere were born at one event time.
type births struct {
	made, units int64
}

func compareBirths(a, b births) int { return cmp.Compare(a.made, b.made) }

// findStock finds the lot and expiry of x in a sorted list, or where they belong.
func findStock(list []stock, x *stock) (at int, ok bool) {
	return sort.Find(len(list), func(i int) int { return x.compare(&list[i]) })
}

func (s *stock) compare(x *stock) int {
	return cmp.Or(strings.Compare(s.gtin, x.gtin), strings.Compare(s.lot, x.lot), strings.Compare(s.expiry, x.expiry), strings.Compare(s.outOf, x.outOf))
}

// sale is how many units somewhere were once sold by one party to another.
type sale struct {
	from, to string
	units    int64
}

func compareSales(a, b sale) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) }

// contents are sums over everything inside a container, or over a thing with what is inside it. Lists are sorted.
type contents struct {
	stocks []stock
	things [marks]int64 // units and containers that carry the mark themselves
	sales  []sale
	births []births // of units with a birth record, by time

	changed bool
}

func (c *contents) units() (n int64) {
	for i := range c.stocks {
		n += c.stocks[i].units
	}
	return n
}

// marked is how many units carry each mark.
func (c *contents) marked() (list [marks]int64) {
	for i := range c.stocks {
		for m, n := range &c.stocks[i].marked {
			list[m] += n
		}
	}
	return list
}

func (c *contents) sold(from, to string) int64 {
	if i, ok := slices.BinarySearchFunc(c.sales, sale{from: from, to: to}, compareSales); ok {
		return c.sales[i].units
	}
	return 0
}

// add adds d, or takes it away (sign -1).
func (c *contents) add(d *contents, sign int64) {
	c.changed = true
	if len(d.stocks) > few {
		c.merge(d.stocks, sign)
	} else {
		for i := range d.stocks {
			c.addStock(&d.stocks[i], sign)
		}
	}
	for m := range marks {
		c.things[m] += sign * d.things[m]
	}
	for _, s := range d.sales {
		c.addSale(s, sign)
	}
	if len(d.births) <= few {
		for _, x := range d.births {
			c.addBirths(x, sign)
		}
		return
	}
	list := slices.Clone(c.births)
	for _, x := range d.births {
		list = append(list, births{x.made, sign * x.units})
	}
	slices.SortFunc(list, compareBirths)
	c.births = list[:0]
	for _, x := range list {
		if n := len(c.births); n > 0 && c.births[n-1].made == x.made {
			c.births[n-1].units += x.units
		} else {
			c.births = append(c.births, x)
		}
	}
	c.births = slices.DeleteFunc(c.births, func(x births) bool { return x.units == 0 })
}

func (c *contents) addBirths(x births, sign int64) {
	at, ok := slices.BinarySearchFunc(c.births, x, compareBirths)
	if !ok {
		c.births = slices.Insert(c.births, at, births{made: x.made})
	}
	if c.births[at].units += sign * x.units; c.births[at].units == 0 {
		c.births = slices.Delete(c.births, at, at+1)
	}
}

func (c *contents) addStock(s *stock, sign int64) {
	at, ok := findStock(c.stocks, s)
	if !ok {
		c.stocks = slices.Insert(c.stocks, at, stock{gtin: s.gtin, lot: s.lot, expiry: s.expiry, outOf: s.outOf})
	}
	if c.stocks[at].add(s, sign); c.stocks[at].none() {
		c.stocks = slices.Delete(c.stocks, at, at+1)
	}
}

func (s *stock) add(d *stock, sign int64) {
	s.units += sign * d.units
	for m := range marks {
		s.marked[m] += sign * d.marked[m]
	}
}

func (s *stock) none() bool { return s.units == 0 && s.marked == [marks]int64{} }

// merge adds many stocks, sorted, or takes them away, in one walk.
func (c *contents) merge(d []stock, sign int64) {
	out := make([]stock, 0, len(c.stocks)+len(d))
	have := c.stocks
	for len(have) > 0 || len(d) > 0 {
		var s stock
		order := 1
		switch {
		case len(d) == 0:
			order = -1
		case len(have) > 0:
			order = have[0].compare(&d[0])
		}
		if order <= 0 {
			s, have = have[0], have[1:]
		} else {
			s = stock{gtin: d[0].gtin, lot: d[0].lot, expiry: d[0].expiry, outOf: d[0].outOf}
		}
		if order >= 0 {
			s.add(&d[0], sign)
			d = d[1:]
		}
		if !s.none() {
			out = append(out, s)
		}
	}
	c.stocks = out
}

// out notes the cases that everything is out of.
func (c *contents) out(of string) {
	if of == "" || len(c.stocks) == 0 {
		return
	}
	for i := range c.stocks {
		c.stocks[i].outOf = together(c.stocks[i].outOf, of)
	}
	c.settle()
}

// together are the cases of two lists, sorted, each once.
func together(a, b string) string {
	if a == "" || a == b {
		return b
	}
	list := slices.Concat(strings.Fields(a), strings.Fields(b))
	slices.Sort(list)
	return " " + strings.Join(slices.Compact(list), " ")
}

// gather adds what is still to be settled.
func (c *contents) gather(d *contents) {
	for i := range d.stocks {
		if n := len(c.stocks); n > 0 && c.stocks[n-1].compare(&d.stocks[i]) == 0 {
			c.stocks[n-1].add(&d.stocks[i], 1)
		} else {
			c.stocks = append(c.stocks, d.stocks[i])
		}
	}
	for m := range marks {
		c.things[m] += d.things[m]
	}
	for _, s := range d.sales {
		c.addSale(s, 1)
	}
	for _, x := range d.births {
		c.addBirths(x, 1)
	}
}

// settle sorts what was gathered, each lot once.
func (c *contents) settle() {
	slices.SortFunc(c.stocks, func(a, b stock) int { return a.compare(&b) })
	out := c.stocks[:0]
	for i := range c.stocks {
		if n := len(out); n > 0 && out[n-1].compare(&c.stocks[i]) == 0 {
			out[n-1].add(&c.stocks[i], 1)
		} else {
			out = append(out, c.stocks[i])
		}
	}
	c.stocks = out
}

func (c *contents) addSale(s sale, sign int64) {
	c.changed = true
	at, ok := slices.BinarySearchFunc(c.sales, s, compareSales)
	if !ok {
		c.sales = slices.Insert(c.sales, at, sale{from: s.from, to: s.to})
	}
	if c.sales[at].units += sign * s.units; c.sales[at].units == 0 {
		c.sales = slices.Delete(c.sales, at, at+1)
	}
}

func (c *contents) empty() bool {
	return len(c.stocks) == 0 && len(c.sales) == 0 && len(c.births) == 0 && c.things == [marks]int64{}
}

func (c *contents) clone() contents {
	return contents{stocks: slices.Clone(c.stocks), things: c.things, sales: slices.Clone(c.sales), births: slices.Clone(c.births)}
}

func putMarks(b []byte, list *[marks]int64) []byte {
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

func readMarks(d *canonical.TextReader, list *[marks]int64) {
	for m, bits := 0, d.U16(); bits != 0 && m < marks; m, bits = m+1, bits>>1 {
		if bits&1 != 0 {
			list[m] = d.I64()
		}
	}
}

func (c *contents) encode() []byte {
	size := 64 + 16*len(c.births)
	for i := range c.stocks {
		size += 50 + len(c.stocks[i].outOf) + len(c.stocks[i].gtin) + len(c.stocks[i].lot) + len(c.stocks[i].expiry)
	}
	for i := range c.sales {
		size += 10 + len(c.sales[i].from) + len(c.sales[i].to)
	}
	b := canonical.U32(make([]byte, 0, size), uint32(len(c.stocks)))
	for i := range c.stocks {
		s := &c.stocks[i]
		b = canonical.Str8(b, s.gtin)
		b = canonical.Str8(b, s.lot)
		b = canonical.Str16(canonical.Str8(b, s.expiry), s.outOf)
		b = canonical.U64(b, uint64(s.units))
		b = putMarks(b, &s.marked)
	}
	b = canonical.U32(putMarks(b, &c.things), uint32(len(c.sales)))
	for _, s := range c.sales {
		b = canonical.Str8(b, s.from)
		b = canonical.U64(canonical.Str8(b, s.to), uint64(s.units))
	}
	b = canonical.U32(b, uint32(len(c.births)))
	for _, x := range c.births {
		b = canonical.U64(canonical.I64(b, x.made), uint64(x.units))
	}
	return b
}

func readContents(v state.View, container string) *contents {
	c := &contents{}
	b, ok := v.Get(contentsAt + container)
	if !ok {
		return c
	}
	d := canonical.NewTextReader(string(b)) // one allocation for all texts
	if n := min(int(d.U32()), d.Len()/minStock); n > 0 {
		c.stocks = make([]stock, n)
	}
	for i := range c.stocks {
		s := &c.stocks[i]
		s.gtin, s.lot, s.expiry, s.outOf, s.units = d.Text(1), d.Text(1), d.Text(1), d.Text(2), d.I64()
		readMarks(d, &s.marked)
	}
	readMarks(d, &c.things)
	if n := min(int(d.U32()), d.Len()/minSale); n > 0 {
		c.sales = make([]sale, n, n+1)
	}
	for i := range c.sales {
		c.sales[i] = sale{d.Text(1), d.Text(1), d.I64()}
	}
	if n := min(int(d.U32()), d.Len()/16); n > 0 {
		c.births = make([]births, n, n+1)
	}
	for i := range c.births {
		c.births[i] = births{d.I64(), d.I64()}
	}
	if d.Damaged() {
		panic("custody: damaged record contents of " + container)
	}
	return c
}

// The least bytes of a stock and of a sale: no more of them are made room for than there can be.
const (
	minStock = 15
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
	out := Contents{Units: uint64(c.units()), Things: markNames(&c.things)}
	for i := range c.stocks {
		s := &c.stocks[i]
		if n := len(out.Stocks); n > 0 && out.Stocks[n-1].GTIN == s.gtin && out.Stocks[n-1].Lot == s.lot && out.Stocks[n-1].Expiry == s.expiry {
			have := &out.Stocks[n-1] // it differs in the cases that they are out of
			have.Units += uint64(s.units)
			for name, units := range markNames(&s.marked) {
				if have.Marked == nil {
					have.Marked = map[string]uint64{}
				}
				have.Marked[name] += units
			}
			continue
		}
		out.Stocks = append(out.Stocks, Stock{GTIN: s.gtin, Lot: s.lot, Expiry: s.expiry, Units: uint64(s.units), Marked: markNames(&s.marked)})
	}
	return out
}

func markNames(list *[marks]int64) map[string]uint64 {
	var names map[string]uint64
	for m, n := range list {
		if n == 0 {
			continue
		}
		if names == nil {
			names = map[string]uint64{}
		}
		name := "recalled"
		if m < len(overlayNames) {
			name = overlayNames[m]
		}
		names[name] = max(names[name], uint64(n))
	}
	return names
}
