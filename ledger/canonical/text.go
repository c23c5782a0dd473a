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
	s := d.take(width)
	for i := range len(s) {
		v = v<<8 | uint64(s[i])
	}
	return v
}

// U8 reads one byte.
func (d *TextReader) U8() uint8 {
	if d.s == "" {
		d.bad = true
		return 0
	}
	v := d.s[0]
	d.s = d.s[1:]
	return v
}

// U16 reads two bytes.
func (d *TextReader) U16() uint16 { return uint16(d.Number(2)) }

// U32 reads four bytes.
func (d *TextReader) U32() uint32 {
	if s := d.take(4); s != "" {
		return be32(s)
	}
	return 0
}

// U64 reads eight bytes.
func (d *TextReader) U64() uint64 {
	if s := d.take(8); s != "" {
		return be64(s)
	}
	return 0
}

// I64 reads eight bytes as two's complement.
func (d *TextReader) I64() int64 { return int64(d.U64()) }

func be32(s string) uint32 {
	_ = s[3]
	return uint32(s[3]) | uint32(s[2])<<8 | uint32(s[1])<<16 | uint32(s[0])<<24
}

func be64(s string) uint64 {
	_ = s[7]
	return uint64(be32(s))<<32 | uint64(be32(s[4:]))
}

// Text reads a text behind its length, a number of width bytes.
func (d *TextReader) Text(width int) string { return d.take(int(d.Number(width))) }

// Position reads a position.
func (d *TextReader) Position() Position {
	s := d.take(16)
	if s == "" {
		return Position{}
	}
	return Position{Height: be64(s), Entry: be32(s[8:]), Item: be32(s[12:])}
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
