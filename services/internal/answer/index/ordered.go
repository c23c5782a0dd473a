package index

import (
	"slices"

	"verilot.dev/ledger/state"
)

// Ordered is what a view may offer beside Get and Scan: to begin in the middle, and to go backwards. Without it the functions
// below scan from the start, with the same answer.
type Ordered interface {
	// ScanFrom is Scan beginning at the first key that is not below from.
	ScanFrom(prefix, from string, fn func(key string, value []byte) bool)
	// ScanBack calls fn for every key with the prefix that is not above from, in descending order, until fn returns false; an
	// empty from is above all of them.
	ScanBack(prefix, from string, fn func(key string, value []byte) bool)
}

func scanFrom(v state.View, prefix, from string, fn func(string, []byte) bool) {
	if o, ok := v.(Ordered); ok {
		o.ScanFrom(prefix, from, fn)
		return
	}
	v.Scan(prefix, func(key string, value []byte) bool { return key < from || fn(key, value) })
}

func scanBack(v state.View, prefix, from string, fn func(string, []byte) bool) {
	if o, ok := v.(Ordered); ok {
		o.ScanBack(prefix, from, fn)
		return
	}
	var all []state.Write
	v.Scan(prefix, func(key string, value []byte) bool {
		if from == "" || key <= from {
			all = append(all, state.Write{Key: key, Value: value})
		}
		return true
	})
	for _, w := range slices.Backward(all) {
		if !fn(w.Key, w.Value) {
			return
		}
	}
}
