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
	OutOf             string // as of records: their own and those of the containers around them, inside this one
	Units             int64
	marked            [Marks]int64 // units with the mark on themselves or on a container around them, inside this one
}

// births is how many units of somewhere were born in one minute. They are counted by the minute and not by the time: a line may
// give each package of a pallet a time of its own, and what a move costs must not grow with the packages.
type births struct {
	minute, units int64
}

func compareBirths(a, b births) int { return cmp.Compare(a.minute, b.minute) }

// Minute is the minute of a time in ms, counted from 1970.
func Minute(ms int64) int64 {
	const minute = 60_000
	m := ms / minute
	if ms%minute < 0 {
		m--
	}
	return m
}

// BornAfter says whether a unit was born in a later minute than that of a time in ms.
func (c *Sums) BornAfter(ms int64) bool {
	n := len(c.births)
	return n > 0 && c.births[n-1].minute > Minute(ms)
}

// findStock finds the lot and expiry of x in a sorted list, or where they belong.
func findStock(list []LotSum, x *LotSum) (at int, ok bool) {
	return sort.Find(len(list), func(i int) int { return x.compare(&list[i]) })
}

func (s *LotSum) compare(x *LotSum) int {
	return cmp.Or(strings.Compare(s.GTIN, x.GTIN), strings.Compare(s.Lot, x.Lot), strings.Compare(s.Expiry, x.Expiry), strings.Compare(s.OutOf, x.OutOf))
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
	births []births // of units with a birth record, by minute

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
	if len(d.Stocks) > few {
		c.merge(d.Stocks, sign)
	} else {
		for i := range d.Stocks {
			c.addStock(&d.Stocks[i], sign)
		}
	}
	for m := range Marks {
		c.Things[m] += sign * d.Things[m]
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
		list = append(list, births{x.minute, sign * x.units})
	}
	slices.SortFunc(list, compareBirths)
	c.births = list[:0]
	for _, x := range list {
		if n := len(c.births); n > 0 && c.births[n-1].minute == x.minute {
			c.births[n-1].units += x.units
		} else {
			c.births = append(c.births, x)
		}
	}
	c.births = slices.DeleteFunc(c.births, func(x births) bool { return x.units == 0 })
}

func (c *Sums) addBirths(x births, sign int64) {
	at, ok := slices.BinarySearchFunc(c.births, x, compareBirths)
	if !ok {
		c.births = slices.Insert(c.births, at, births{minute: x.minute})
	}
	if c.births[at].units += sign * x.units; c.births[at].units == 0 {
		c.births = slices.Delete(c.births, at, at+1)
	}
}

func (c *Sums) addStock(s *LotSum, sign int64) {
	at, ok := findStock(c.Stocks, s)
	if !ok {
		c.Stocks = slices.Insert(c.Stocks, at, LotSum{GTIN: s.GTIN, Lot: s.Lot, Expiry: s.Expiry, OutOf: s.OutOf})
	}
	if c.Stocks[at].add(s, sign); c.Stocks[at].none() {
		c.Stocks = slices.Delete(c.Stocks, at, at+1)
	}
}

func (s *LotSum) add(d *LotSum, sign int64) {
	s.Units += sign * d.Units
	for m := range Marks {
		s.marked[m] += sign * d.marked[m]
	}
}

func (s *LotSum) none() bool { return s.Units == 0 && s.marked == [Marks]int64{} }

// merge adds many stocks, sorted, or takes them away, in one walk.
func (c *Sums) merge(d []LotSum, sign int64) {
	out := make([]LotSum, 0, len(c.Stocks)+len(d))
	have := c.Stocks
	for len(have) > 0 || len(d) > 0 {
		var s LotSum
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
			s = LotSum{GTIN: d[0].GTIN, Lot: d[0].Lot, Expiry: d[0].Expiry, OutOf: d[0].OutOf}
		}
		if order >= 0 {
			s.add(&d[0], sign)
			d = d[1:]
		}
		if !s.none() {
			out = append(out, s)
		}
	}
	c.Stocks = out
}

// out notes the cases that everything is out of.
func (c *Sums) out(of string) {
	if of == "" || len(c.Stocks) == 0 {
		return
	}
	for i := range c.Stocks {
		c.Stocks[i].OutOf = Together(c.Stocks[i].OutOf, of)
	}
	c.settle()
}

// Together are the cases of two lists, sorted, each once.
func Together(a, b string) string {
	if a == "" || a == b {
		return b
	}
	list := slices.Concat(strings.Fields(a), strings.Fields(b))
	slices.Sort(list)
	return " " + strings.Join(slices.Compact(list), " ")
}

// gather adds what is still to be settled.
func (c *Sums) gather(d *Sums) {
	for i := range d.Stocks {
		if n := len(c.Stocks); n > 0 && c.Stocks[n-1].compare(&d.Stocks[i]) == 0 {
			c.Stocks[n-1].add(&d.Stocks[i], 1)
		} else {
			c.Stocks = append(c.Stocks, d.Stocks[i])
		}
	}
	for m := range Marks {
		c.Things[m] += d.Things[m]
	}
	for _, s := range d.sales {
		c.addSale(s, 1)
	}
	for _, x := range d.births {
		c.addBirths(x, 1)
	}
}

// settle sorts what was gathered, each lot once.
func (c *Sums) settle() {
	slices.SortFunc(c.Stocks, func(a, b LotSum) int { return a.compare(&b) })
	out := c.Stocks[:0]
	for i := range c.Stocks {
		if n := len(out); n > 0 && out[n-1].compare(&c.Stocks[i]) == 0 {
			out[n-1].add(&c.Stocks[i], 1)
		} else {
			out = append(out, c.Stocks[i])
		}
	}
	c.Stocks = out
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
	return len(c.Stocks) == 0 && len(c.sales) == 0 && len(c.births) == 0 && c.Things == [Marks]int64{}
}

func (c *Sums) clone() Sums {
	return Sums{Stocks: slices.Clone(c.Stocks), Things: c.Things, sales: slices.Clone(c.sales), births: slices.Clone(c.births)}
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
	size := 64 + 16*len(c.births)
	for i := range c.Stocks {
		size += 50 + len(c.Stocks[i].OutOf) + len(c.Stocks[i].GTIN) + len(c.Stocks[i].Lot) + len(c.Stocks[i].Expiry)
	}
	for i := range c.sales {
		size += 10 + len(c.sales[i].from) + len(c.sales[i].to)
	}
	b := canonical.U32(make([]byte, 0, size), uint32(len(c.Stocks)))
	for i := range c.Stocks {
		s := &c.Stocks[i]
		b = canonical.Str8(b, s.GTIN)
		b = canonical.Str8(b, s.Lot)
		b = canonical.Str16(canonical.Str8(b, s.Expiry), s.OutOf)
		b = canonical.U64(b, uint64(s.Units))
		b = putMarks(b, &s.marked)
	}
	b = canonical.U32(putMarks(b, &c.Things), uint32(len(c.sales)))
	for _, s := range c.sales {
		b = canonical.Str8(b, s.from)
		b = canonical.U64(canonical.Str8(b, s.to), uint64(s.units))
	}
	b = canonical.U32(b, uint32(len(c.births)))
	for _, x := range c.births {
		b = canonical.U64(canonical.I64(b, x.minute), uint64(x.units))
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
		s.GTIN, s.Lot, s.Expiry, s.OutOf, s.Units = d.Text(1), d.Text(1), d.Text(1), d.Text(2), d.I64()
		readMarks(d, &s.marked)
	}
	readMarks(d, &c.Things)
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
		panic("books: damaged record contents of " + container)
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
	out := Contents{Units: uint64(c.Units()), Things: markNames(&c.Things)}
	for i := range c.Stocks {
		s := &c.Stocks[i]
		if n := len(out.Stocks); n > 0 && out.Stocks[n-1].GTIN == s.GTIN && out.Stocks[n-1].Lot == s.Lot && out.Stocks[n-1].Expiry == s.Expiry {
			have := &out.Stocks[n-1] // it differs in the cases that they are out of
			have.Units += uint64(s.Units)
			for name, units := range markNames(&s.marked) {
				if have.Marked == nil {
					have.Marked = map[string]uint64{}
				}
				have.Marked[name] += units
			}
			continue
		}
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
