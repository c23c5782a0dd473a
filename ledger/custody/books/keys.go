package books

import (
	"slices"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
)

// PutKeys appends key texts: how many, and each behind its length (docs/spec.md section 9).
func PutKeys(b []byte, keys []string) []byte {
	b = canonical.U32(slices.Grow(b, SizeOf(keys)), uint32(len(keys)))
	for _, k := range keys {
		b = canonical.Str16(b, k)
	}
	return b
}

// SizeOf is how many bytes putKeys appends.
func SizeOf(keys []string) int {
	size := 4
	for _, k := range keys {
		size += 2 + len(k)
	}
	return size
}

// ReadKeys reads what PutKeys wrote.
func ReadKeys(r *canonical.Reader) []string {
	n := int(r.U32())
	if n > r.Len()/2 {
		r.Fail(canonical.ErrShort)
		return nil
	}
	keys := make([]string, 0, n)
	for range n {
		keys = append(keys, string(r.Str16()))
	}
	return keys
}

// AsByte is 1 for true.
func AsByte(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// MustKey reads a key text that we wrote ourselves.
func MustKey(text string) gs1.Key {
	if text == "" {
		return gs1.Key{}
	}
	k, err := gs1.ParseKey(text)
	if err != nil {
		panic("books: damaged key " + text + ": " + err.Error())
	}
	return k
}

// IsUnit says whether a key text is one of an SGTIN: 01 gtin14 21 serial.
func IsUnit(key string) bool { return len(key) > 18 && key[:2] == "01" && key[16:18] == "21" }

// GTINOf is the GTIN in the key text of a unit.
func GTINOf(key string) string { return key[2:16] }

// Serials are the serial numbers of units.
func Serials(keys []string) []string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k[18:]
	}
	return list
}

// LGTIN is the key text of a lot.
func LGTIN(gtin, lot string) string { return "01" + gtin + "10" + lot }

// AtPosition is where something about the event at a position is stored.
func AtPosition(prefix string, p canonical.Position) string {
	var room [32]byte
	return string(p.Append(append(room[:0], prefix...)))
}

// Under appends a position to a key that other positions share.
func Under(prefix string, p canonical.Position) string {
	b := make([]byte, 0, 128)
	return string(p.Append(append(b, prefix...)))
}

// Damaged stops the process over a record that does not decode: a rule cannot go on over half an answer.
func Damaged(d *canonical.Reader, what string) {
	if err := d.Done(); err != nil {
		panic("books: damaged record " + what + ": " + err.Error())
	}
}
