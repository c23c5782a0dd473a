package books

import (
	"testing"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

const (
	gtin          = "00399990012347"
	loose, packed = "01" + gtin + "21A1", "01" + gtin + "21A2"
	pallet        = "00003999900000000018"
)

// tell writes the births of two units, one of them in a container, and sells the container.
func tell(st state.Store) {
	pos := canonical.Position{Height: 1}
	b := Open(st, pos, 3)
	units := []string{loose, packed}
	for _, k := range units {
		r := b.Add(k)
		r.State, r.Phase, r.Holder, r.Born = Active, Held, "m", pos
		b.Label(r, "A", "2028-03-31", 1)
		r.Touch()
	}
	b.ListBirths(gtin, "A", units)
	c := b.Add(pallet)
	c.State, c.Phase, c.Holder, c.Height = Active, Held, "m", 1
	r := b.Get(packed)
	b.Enter([]*Record{r}, pallet, func(*Record) canonical.Position { return pos })
	r.Phase, r.Holder = NotSeen, ""
	b.Link(pallet, packed, true)
	c.Touch()
	r.Touch()
	b.Write()

	pos.Height++
	b = Open(st, pos, 1)
	c = b.Get(pallet)
	b.Sail(&Shipment{Pos: pos, From: "m", To: "w", Outstanding: 1})
	b.Travelled(c, pos)
	c.Phase, c.To, c.Shipment = InTransit, "w", pos
	c.Set(Named, true)
	c.Touch()
	b.ListShipped([]string{pallet})
	b.Write()
}

// What the books keep agrees with a recount, and the recount finds whatever is missing.
func TestRecount(t *testing.T) {
	st := state.NewMemory()
	tell(st)
	if err := Recount(st); err != nil {
		t.Fatal(err)
	}
	var keys []string
	st.Scan("", func(k string, _ []byte) bool {
		keys = append(keys, k)
		return true
	})
	for _, k := range keys {
		if k[:2] == shippedAt { // what a shipment named says nothing of where it is now
			continue
		}
		st := state.NewMemory()
		tell(st)
		st.Delete(k)
		if Recount(st) == nil {
			t.Errorf("nothing is said of %q, which is missing", k)
		}
	}
}

// A change of a unit inside a container reaches the sums of the container, and is taken back from them.
func TestSums(t *testing.T) {
	st := state.NewMemory()
	tell(st)
	recalled := func() int64 {
		b := Open(st, canonical.Position{}, 1)
		return b.Look(b.Get(pallet)).Marked()[3]
	}
	for i, on := range []bool{true, false} {
		b := Open(st, canonical.Position{Height: uint64(3 + i)}, 1)
		b.SetMark(b.Get(packed), OverlayRecalled, on)
		b.Write()
		if n := recalled(); (n == 1) != on {
			t.Errorf("set %t: %d units inside are recalled", on, n)
		}
		if err := Recount(st); err != nil {
			t.Error(err)
		}
	}
	b := Open(st, canonical.Position{Height: 5}, 1)
	if sums := b.Look(b.Get(pallet)); sums.Units() != 1 || !b.SoldBy(packed, "m", "w") || b.SoldBy(loose, "m", "w") {
		t.Errorf("inside are %+v", sums)
	}
	b.Link(pallet, packed, false)
	r := b.Get(packed)
	b.Exit([]*Record{r})
	r.Phase, r.Holder, r.Shipment = InTransit, "m", b.Get(pallet).Shipment
	r.Touch()
	b.Write()
	if err := Recount(st); err != nil {
		t.Error(err)
	}
	if b := Open(st, canonical.Position{}, 1); !b.Look(b.Get(pallet)).Empty() || !b.SoldBy(packed, "m", "w") {
		t.Error("the unit has left, and the container still counts it, or the sale is forgotten")
	}
}

// Values are found by key whether they are few or many, and keep their order.
func TestTable(t *testing.T) {
	for _, size := range []int{0, 2, 3, 20} {
		tab := newTable[int, int](size)
		for i := range 20 {
			if tab.at(i) != nil {
				t.Fatalf("%d is there before it was put", i)
			}
			tab.put(i, 10*i)
			for j := 0; j <= i; j++ {
				if v := tab.at(j); v == nil || *v != 10*j || tab.rows[j].key != j {
					t.Fatalf("%d of %d: %v", j, i, v)
				}
			}
		}
	}
}
