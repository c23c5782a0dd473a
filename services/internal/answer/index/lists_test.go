package index

import (
	"slices"
	"testing"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

// A lot is one lot however its GTIN was written: announced in twelve digits, and born in fourteen as effects have it.
func TestOneLotHoweverItsGTINIsWritten(t *testing.T) {
	view := state.NewMemory()
	p := projection{look: state.NewOverlay(view)}
	born := custody.Commissioned{GTIN: "00399990012347", Lot: "A", Expiry: "2029-01-31", Serials: []string{"1"}}.Encode()
	p.list(canonical.Position{Height: 1}, &registry.Product{GTIN: "399990012347", Name: "Lakesidol"}, nil)
	p.list(canonical.Position{Height: 2}, &registry.Lot{GTIN: "399990012347", Lot: "A"}, nil)
	p.list(canonical.Position{Height: 3}, &registry.Product{GTIN: "00399990012347", Name: "Lakesidol"}, nil)
	p.list(canonical.Position{Height: 4}, nil, [][]byte{born})
	view.Apply(append(p.writes, p.look.WriteSet()...))
	var got []string
	Lots(view, func(l LotRef) bool { got = append(got, l.GTIN+" "+l.Lot+" "+l.First.String()); return true })
	LotsOf(view, "00399990012347", func(lot string) bool { got = append(got, lot); return true })
	Products(view, func(gtin string, first canonical.Position) bool {
		got = append(got, gtin+" "+first.String())
		return true
	})
	if want := []string{"00399990012347 A 2/0/0", "A", "00399990012347 1/0/0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
