package canonical

// TextReader reads encoded fields from a string. What it returns shares the string's memory: a record with many texts takes
// one allocation.
type TextReader struct {
	s   string
	bad bool
}

// NewTextReader reads s from its beginning.
func NewTextReader(s string) *TextReader { return &TextReader{s: s} }

func (d *TextReader) take(n int) string {
	if n < 0 || n > len(d.s) {
		d.bad, d.s = true, ""
		return ""
	}
	v := d.s[:n]
	d.s = d.s[n:]
	return v
}

// Number reads a big-endian number of width bytes.
func (d *TextReader) Number(width int) (v uint64) {
	for _, c := range []byte(d.take(width)) {
		v = v<<8 | uint64(c)
	}
	return v
}

// U8 reads one byte.
func (d *TextReader) U8() uint8 { return uint8(d.Number(1)) }

// Text reads a text behind its length, a number of width bytes.
func (d *TextReader) Text(width int) string { return d.take(int(d.Number(width))) }

// Position reads a position.
func (d *TextReader) Position() Position {
	return Position{Height: d.Number(8), Entry: uint32(d.Number(4)), Item: uint32(d.Number(4))}
}

// Hash reads a hash.
func (d *TextReader) Hash() (h Hash) {
	copy(h[:], d.take(len(h)))
	return h
}

// Texts reads a list: how many, a number of count bytes, and the texts, each behind a length of width bytes.
func (d *TextReader) Texts(count, width int) []string {
	n := int(d.Number(count))
	if n == 0 || n > len(d.s) {
		d.bad = d.bad || n > 0
		return nil
	}
	list := make([]string, n, n+1)
	for i := range list {
		list[i] = d.Text(width)
	}
	return list
}

// Len is how many bytes are left.
func (d *TextReader) Len() int { return len(d.s) }

// Damaged reports whether something was missing, or is left over.
func (d *TextReader) Damaged() bool { return d.bad || d.s != "" }
