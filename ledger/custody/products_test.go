package custody

import "verilot.dev/ledger/registry"

// masterData registers what the stories take for granted: the products of all series but o, and their lots A and B, and S,
// which expires soon.
func (w *world) masterData() {
	w.t.Helper()
	for _, series := range []byte("uvkr") {
		if err := registry.ApplyProduct(w.st, &registry.Product{GTIN: gtin(series), Name: "Product " + string(series)}); err != nil {
			w.t.Fatal(err)
		}
		for lot, expiry := range map[string]string{"A": "2028-03-31", "B": "2028-03-31", "S": "2026-03-03"} {
			if err := registry.ApplyLot(w.st, &registry.Lot{GTIN: gtin(series), Lot: lot, Expiry: expiry}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// seriesOf is the series that a line of a story names with "of"; u without.
func seriesOf(name string) byte {
	if name == "" {
		return 'u'
	}
	return name[0]
}
