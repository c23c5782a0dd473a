// Package epckey reads the keys of many EPCs.
package epckey

import "verilot.dev/epcis/gs1"

// Reader reads the keys of EPCs, of which runs with one prefix are usual. The zero value is ready.
type Reader struct {
	Prefix gs1.Prefix // of the EPC before
}

// Key is gs1.ParseEPC(s).Key(), faster for a run of one prefix.
func (r *Reader) Key(s string) (gs1.Key, error) {
	prefix, tail := gs1.SplitEPC(s)
	if prefix == r.Prefix.String() {
		return r.Prefix.Key(tail)
	}
	p, err := gs1.ParsePrefix(prefix)
	if err != nil {
		_, err = gs1.ParseEPC(s) // tells the place in the whole identifier
		return gs1.Key{}, err
	}
	r.Prefix = p
	return p.Key(tail)
}
