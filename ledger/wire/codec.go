package wire

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/commit"
)

// The tables of schema.go say, per message, which field number is kept where in the model. Everything else is derived
// from them here: decoding, encoding, the walk of spec section 4.2, and putting sealed texts back. A test compares the
// tables with the descriptors of item.proto, and the bytes with those of the protobuf library.
//
// Decoding gives one reading because each way to write a message differently is refused where it would begin: numbers
// in more bytes than needed, fields that go backwards or occur again, wrong wire types, zero values, unknown fields,
// EPC runs cut elsewhere than the encoder cuts them. So what decodes is what the encoder would write.

// MaxDepth bounds the nesting of messages; the body itself is level 1 (spec section 5.2).
const MaxDepth = 32

// message is the codec of one message type.
type message[M any] struct {
	fields []field[M] // by number
	check  func(*M) error
	// Of an Extension: the name that stands in paths, and its own value.
	name func(*M) (namespace, local string)
	own  func(*M) (*epcis.ValueType, *string)
}

// field is one row of a table.
type field[M any] struct {
	num      uint32
	typ      protowire.Type
	repeated bool
	decode   func(d *decoder, m *M, v value) error
	encode   func(b []byte, m *M) []byte
	walk     func(w *walker, m *M)                                // nil: gives no leaf
	set      func(m *M, path []commit.Segment, leaf change) error // path begins behind the field's own segment
}

// change is what set does to a leaf: give it a value, or take the value away.
type change struct {
	typ  commit.Type
	text string // empty when taken
	take bool
}

// value is what stands behind a tag: a number or bytes.
type value struct {
	n uint64
	s string
}

// Errors of strict decoding. They are wrapped with the item and field they were met in.
var (
	ErrMalformed = errors.New("wire: malformed body")
	errEnds      = errors.New("input ends early")
	errVarint    = errors.New("number not in its shortest form")
	errOrder     = errors.New("fields out of order, or a single one twice")
	errUnknown   = errors.New("unknown field")
	errType      = errors.New("wrong wire type")
	errZero      = errors.New("zero value written out")
	errUTF8      = errors.New("text is not UTF-8")
	errRange     = errors.New("number out of range")
	errDepth     = errors.New("nested too deep")
	errElements  = fmt.Errorf("more than %d elements", MaxLeaves)
	errPaths     = fmt.Errorf("%w: longer than %d bytes, or more than %d together", commit.ErrPath, commit.MaxPath, MaxPathBytes)
	errGiven     = errors.New("a text as captured can only be sealed here")
	errUnitKey   = fmt.Errorf("EPC with a key of more than %d bytes", MaxUnitKey)
)

// decoder reads one body. Strings it makes share the memory of that body.
type decoder struct {
	depth int
	units []commit.Unit
	// What may still come: unit references, elements of lists, bytes of paths.
	room, elements, paths int
}

func newDecoder() *decoder {
	return &decoder{room: MaxUnits, elements: MaxLeaves, paths: MaxPathBytes}
}

// element counts one element of a list.
func (d *decoder) element() error {
	if d.elements--; d.elements < 0 {
		return errElements
	}
	return nil
}

// uvarint takes a number in its shortest form off s.
func uvarint(s string) (v uint64, rest string, err error) {
	for i := range min(len(s), 10) {
		c := s[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i > 0 && c == 0 || i == 9 && c > 1 {
				return 0, "", errVarint
			}
			return v, s[i+1:], nil
		}
	}
	if len(s) < 10 {
		return 0, "", errEnds
	}
	return 0, "", errVarint
}

// next takes one field off s. Only the two wire types of the schema exist here.
func next(s string) (num uint32, typ protowire.Type, v value, rest string, err error) {
	tag, s, err := uvarint(s)
	if err != nil {
		return 0, 0, v, "", err
	}
	if tag>>3 == 0 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return 0, 0, v, "", errUnknown
	}
	num, typ = uint32(tag>>3), protowire.Type(tag&7)
	switch typ {
	case protowire.VarintType:
		v.n, rest, err = uvarint(s)
	case protowire.BytesType:
		var n uint64
		if n, rest, err = uvarint(s); err == nil {
			if n > uint64(len(rest)) {
				return num, typ, v, "", errEnds
			}
			v.s, rest = rest[:n], rest[n:]
		}
	default:
		err = errType
	}
	return num, typ, v, rest, err
}

func (c *message[M]) decode(d *decoder, m *M, s string) error {
	if d.depth++; d.depth > MaxDepth {
		return errDepth
	}
	last, at := uint32(0), 0
	for s != "" {
		num, typ, v, rest, err := next(s)
		s = rest
		for at < len(c.fields) && c.fields[at].num < num {
			at++
		}
		switch {
		case err != nil && num == 0:
			return err
		case err != nil:
			return fmt.Errorf("field %d: %w", num, err)
		case num < last:
			return fmt.Errorf("field %d: %w", num, errOrder)
		case at == len(c.fields) || c.fields[at].num != num:
			return fmt.Errorf("field %d: %w", num, errUnknown)
		}
		f := &c.fields[at]
		switch {
		case num == last && !f.repeated:
			return fmt.Errorf("field %d: %w", num, errOrder)
		case typ != f.typ:
			return fmt.Errorf("field %d: %w", num, errType)
		}
		if err := f.decode(d, m, v); err != nil {
			return fmt.Errorf("field %d: %w", num, err)
		}
		last = num
	}
	d.depth-- // an error ends the decoding, so it need not count
	if c.check != nil {
		return c.check(m)
	}
	return nil
}

func (c *message[M]) encode(b []byte, m *M) []byte {
	for i := range c.fields {
		b = c.fields[i].encode(b, m)
	}
	return b
}

// appendMessage appends a length-prefixed message. The length is known last, so the bytes move up for it.
func appendMessage[M any](b []byte, num uint32, c *message[M], m *M) []byte {
	return appendPrefixed(b, num, func(b []byte) []byte { return c.encode(b, m) })
}

func appendPrefixed(b []byte, num uint32, content func([]byte) []byte) []byte {
	b = protowire.AppendTag(b, protowire.Number(num), protowire.BytesType)
	from := len(b)
	b = content(b)
	n := len(b) - from
	size := protowire.SizeVarint(uint64(n))
	b = append(b, make([]byte, size)...)
	copy(b[from+size:], b[from:from+n])
	protowire.AppendVarint(b[:from], uint64(n))
	return b
}

func appendText(b []byte, num uint32, s string) []byte {
	b = protowire.AppendTag(b, protowire.Number(num), protowire.BytesType)
	return protowire.AppendString(b, s)
}

// text is a singular string.
func text[M any](num uint32, at func(*M) *string) field[M] {
	f := hidden(num, at)
	f.walk = func(w *walker, m *M) {
		if s := *at(m); s != "" {
			w.leaf(num, commit.Text, s)
		}
	}
	f.set = func(m *M, path []commit.Segment, leaf change) error {
		if len(path) != 0 || leaf.typ != commit.Text {
			return errNoPlace
		}
		*at(m) = leaf.text
		return nil
	}
	return f
}

// hidden is a singular string that gives no leaf.
func hidden[M any](num uint32, at func(*M) *string) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType,
		decode: func(_ *decoder, m *M, v value) error {
			switch {
			case v.s == "":
				return errZero
			case !utf8.ValidString(v.s):
				return errUTF8
			}
			*at(m) = v.s
			return nil
		},
		encode: func(b []byte, m *M) []byte {
			if s := *at(m); s != "" {
				b = appendText(b, num, s)
			}
			return b
		},
	}
}

// texts is a repeated string.
func texts[M any](num uint32, at func(*M) *[]string) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType, repeated: true,
		decode: func(d *decoder, m *M, v value) error {
			if !utf8.ValidString(v.s) {
				return errUTF8
			}
			*at(m) = append(*at(m), v.s)
			return d.element()
		},
		encode: func(b []byte, m *M) []byte {
			for _, s := range *at(m) {
				b = appendText(b, num, s)
			}
			return b
		},
		walk: func(w *walker, m *M) {
			for i, s := range *at(m) {
				w.element(num, i, commit.Text, s)
			}
		},
		set: func(m *M, path []commit.Segment, leaf change) error {
			list := *at(m)
			if len(path) != 1 || path[0].Kind != commit.IndexSegment || int(path[0].N) >= len(list) || leaf.typ != commit.Text {
				return errNoPlace
			}
			list[path[0].N] = leaf.text
			return nil
		},
	}
}

// number is a singular unsigned integer of 32 or 64 bits.
func number[M any, N ~uint8 | ~uint32 | ~uint64](num uint32, at func(*M) *N) field[M] {
	f := hiddenNumber(num, at)
	f.walk = func(w *walker, m *M) {
		if n := *at(m); n != 0 {
			w.leaf(num, commit.Number, strconv.FormatUint(uint64(n), 10))
		}
	}
	f.set = func(m *M, path []commit.Segment, leaf change) error {
		n, err := parseDecimal(leaf)
		if len(path) != 0 || leaf.typ != commit.Number || err != nil || uint64(N(n)) != n {
			return errNoPlace
		}
		*at(m) = N(n)
		return nil
	}
	return f
}

// hiddenNumber is an integer that gives no leaf.
func hiddenNumber[M any, N ~uint8 | ~uint32 | ~uint64](num uint32, at func(*M) *N) field[M] {
	return field[M]{
		num: num, typ: protowire.VarintType,
		decode: func(_ *decoder, m *M, v value) error {
			switch {
			case v.n == 0:
				return errZero
			case uint64(N(v.n)) != v.n:
				return errRange
			}
			*at(m) = N(v.n)
			return nil
		},
		encode: func(b []byte, m *M) []byte {
			if n := *at(m); n != 0 {
				b = protowire.AppendTag(b, protowire.Number(num), protowire.VarintType)
				b = protowire.AppendVarint(b, uint64(n))
			}
			return b
		},
	}
}

// octets is a singular bytes field.
func octets[M any](num uint32, at func(*M) *[]byte) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType,
		decode: func(_ *decoder, m *M, v value) error {
			if v.s == "" {
				return errZero
			}
			*at(m) = []byte(v.s)
			return nil
		},
		encode: func(b []byte, m *M) []byte {
			if s := *at(m); len(s) != 0 {
				b = appendText(b, num, string(s))
			}
			return b
		},
		walk: func(w *walker, m *M) {
			if s := *at(m); len(s) != 0 {
				w.leaf(num, commit.Bytes, hex.EncodeToString(s))
			}
		},
		set: func(m *M, path []commit.Segment, leaf change) error {
			b, err := hex.DecodeString(leaf.text)
			if len(path) != 0 || leaf.typ != commit.Bytes || err != nil {
				return errNoPlace
			}
			*at(m) = b
			return nil
		},
	}
}

// octetLists is a repeated bytes field.
func octetLists[M any](num uint32, at func(*M) *[][]byte) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType, repeated: true,
		decode: func(d *decoder, m *M, v value) error {
			*at(m) = append(*at(m), []byte(v.s))
			return d.element()
		},
		encode: func(b []byte, m *M) []byte {
			for _, s := range *at(m) {
				b = appendText(b, num, string(s))
			}
			return b
		},
		walk: func(w *walker, m *M) {
			for i, s := range *at(m) {
				w.element(num, i, commit.Bytes, hex.EncodeToString(s))
			}
		},
		set: func(m *M, path []commit.Segment, leaf change) error {
			list := *at(m)
			b, err := hex.DecodeString(leaf.text)
			if len(path) != 1 || path[0].Kind != commit.IndexSegment || int(path[0].N) >= len(list) || leaf.typ != commit.Bytes || err != nil {
				return errNoPlace
			}
			list[path[0].N] = b
			return nil
		},
	}
}

// one is a singular message.
func one[M, N any](num uint32, c *message[N], at func(*M) **N) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType,
		decode: func(d *decoder, m *M, v value) error {
			*at(m) = new(N)
			return c.decode(d, *at(m), v.s)
		},
		encode: func(b []byte, m *M) []byte {
			if sub := *at(m); sub != nil {
				b = appendMessage(b, num, c, sub)
			}
			return b
		},
		walk: func(w *walker, m *M) {
			if sub := *at(m); sub != nil {
				w.enter(num, -1)
				walkMessage(w, c, sub)
				w.leave()
			}
		},
		set: func(m *M, path []commit.Segment, leaf change) error {
			if *at(m) == nil {
				return errNoPlace
			}
			return c.set(*at(m), path, leaf)
		},
	}
}

// many is a repeated message.
func many[M, N any](num uint32, c *message[N], at func(*M) *[]N) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType, repeated: true,
		decode: func(d *decoder, m *M, v value) error {
			if err := d.element(); err != nil {
				return err
			}
			var sub N
			if err := c.decode(d, &sub, v.s); err != nil {
				return err
			}
			*at(m) = append(*at(m), sub)
			return nil
		},
		encode: func(b []byte, m *M) []byte {
			list := *at(m)
			for i := range list {
				b = appendMessage(b, num, c, &list[i])
			}
			return b
		},
		walk: func(w *walker, m *M) {
			list := *at(m)
			for i := range list {
				w.enter(num, i)
				walkMessage(w, c, &list[i])
				w.leave()
			}
		},
		set: func(m *M, path []commit.Segment, leaf change) error {
			list := *at(m)
			if len(path) == 0 || path[0].Kind != commit.IndexSegment || int(path[0].N) >= len(list) {
				return errNoPlace
			}
			return c.set(&list[path[0].N], path[1:], leaf)
		},
	}
}

// set changes the leaf at a path: the inverse of the walk.
func (c *message[M]) set(m *M, path []commit.Segment, leaf change) error {
	if c.name != nil {
		ns, local := c.name(m)
		if len(path) == 0 || path[0].Kind != commit.NameSegment || path[0].Namespace != ns || path[0].Local != local {
			return errNoPlace
		}
		if path = path[1:]; len(path) == 0 {
			typ, text := c.own(m)
			if leaf.take && leaf.typ == commit.Empty && *typ == epcis.NoValue {
				return errNothing
			}
			if *typ, *text = epcis.ValueType(leaf.typ), leaf.text; leaf.take {
				*typ = epcis.NoValue
			}
			return nil
		}
	}
	if len(path) == 0 {
		// The leaf of an empty message: there is nothing to put anywhere.
		if leaf.typ != commit.Empty {
			return errNoPlace
		}
		return nil
	}
	if path[0].Kind == commit.FieldSegment {
		for i := range c.fields {
			if f := &c.fields[i]; f.num == path[0].N && f.set != nil {
				return f.set(m, path[1:], leaf)
			}
		}
	}
	return errNoPlace
}

func parseDecimal(leaf change) (uint64, error) {
	if leaf.take {
		return 0, nil
	}
	return strconv.ParseUint(leaf.text, 10, 64)
}

var (
	errNoPlace = errors.New("no such field in the message")
	// errNothing is of the leaf of an extension without a value of its own: there is nothing to take.
	errNothing = errors.New("there is nothing to seal")
)

// walker collects the leaves of spec section 4.2. Paths are gathered in one piece of memory and cut out of it at the end.
type walker struct {
	path   []byte
	marks  []int // lengths of path to go back to
	fields []commit.Field
	arena  []byte
	ends   []int
	sealed []string // sealed paths, sorted
	room   int      // bytes of paths that fit
	long   bool     // a path, or all together, got longer than may be: nothing more is gathered
}

// put adds a leaf at the present path.
func (w *walker) put(t commit.Type, text string) {
	if len(w.path) > commit.MaxPath || len(w.arena)+len(w.path) > w.room {
		w.long = true
	}
	if w.long {
		return
	}
	w.fields = append(w.fields, commit.Field{Type: t, Text: text})
	w.arena = append(w.arena, w.path...)
	w.ends = append(w.ends, len(w.arena))
}

func (w *walker) leaf(num uint32, t commit.Type, text string) {
	w.enter(num, -1)
	w.put(t, text)
	w.leave()
}

// element is one value of a repeated scalar. It has a leaf even when it is empty, unless its text is sealed.
func (w *walker) element(num uint32, i int, t commit.Type, text string) {
	w.enter(num, i)
	if text != "" || w.long || !w.isSealed() {
		w.put(t, text)
	}
	w.leave()
}

func (w *walker) enter(num uint32, index int) {
	w.marks = append(w.marks, len(w.path))
	w.path = commit.AppendField(w.path, num)
	if index >= 0 {
		w.path = commit.AppendIndex(w.path, uint32(index))
	}
}

func (w *walker) leave() {
	w.path = w.path[:w.marks[len(w.marks)-1]]
	w.marks = w.marks[:len(w.marks)-1]
}

// isSealed reports whether the present path is sealed.
func (w *walker) isSealed() bool {
	_, found := slices.BinarySearch(w.sealed, string(w.path))
	return found
}

// holdsSealed reports whether the present path or one below it is sealed.
func (w *walker) holdsSealed() bool {
	if len(w.sealed) == 0 || w.long {
		return false
	}
	at, _ := slices.BinarySearch(w.sealed, string(w.path))
	return at < len(w.sealed) && strings.HasPrefix(w.sealed[at], string(w.path))
}

// finish cuts the paths.
func (w *walker) finish() []commit.Field {
	all := commit.Path(w.arena)
	from := 0
	for i, to := range w.ends {
		w.fields[i].Path = all[from:to]
		from = to
	}
	return w.fields
}

// walkMessage walks a message inside another one.
func walkMessage[M any](w *walker, c *message[M], m *M) {
	before := len(w.fields)
	if c.name != nil {
		ns, local := c.name(m)
		if len(ns) > commit.MaxPath || len(local) > commit.MaxPath {
			w.long = true
			return
		}
		w.path = commit.AppendName(w.path, ns, local)
		if typ, text := c.own(m); *typ != 0 {
			w.put(commit.Type(*typ), *text)
		}
	}
	c.walkFields(w, m)
	if len(w.fields) == before && !w.holdsSealed() {
		w.put(commit.Empty, "")
	}
}

func (c *message[M]) walkFields(w *walker, m *M) {
	for i := range c.fields {
		if f := &c.fields[i]; f.walk != nil {
			f.walk(w, m)
		}
	}
}

// epcs is an EPCList: its members are units, in runs that share what gs1.SplitEPC cuts off.
func epcs[M any](num uint32, at func(*M) *[]string) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType,
		decode: func(d *decoder, m *M, v value) error {
			list, err := d.runs(commit.List(num-firstList), v.s)
			*at(m) = list
			return err
		},
		encode: func(b []byte, m *M) []byte { return appendRuns(b, num, *at(m)) },
	}
}

// epc is an EPCList of exactly one.
func epc[M any](num uint32, at func(*M) *string) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType,
		decode: func(d *decoder, m *M, v value) error {
			list, err := d.runs(commit.List(num-firstList), v.s)
			if err != nil {
				return err
			}
			if len(list) != 1 {
				return fmt.Errorf("%d EPCs where one stands", len(list))
			}
			*at(m) = list[0]
			return nil
		},
		encode: func(b []byte, m *M) []byte {
			if s := *at(m); s != "" {
				b = appendRuns(b, num, []string{s})
			}
			return b
		},
	}
}

// firstList is what separates field numbers of EPC lists from list numbers (spec section 4.3).
const firstList = 30

func appendRuns(b []byte, num uint32, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	return appendPrefixed(b, num, func(b []byte) []byte {
		for len(list) > 0 {
			prefix, _ := gs1.SplitEPC(list[0])
			n := 1
			for n < len(list) {
				if p, _ := gs1.SplitEPC(list[n]); p != prefix {
					break
				}
				n++
			}
			run := list[:n]
			list = list[n:]
			b = appendPrefixed(b, 1, func(b []byte) []byte {
				if prefix != "" {
					b = appendText(b, 1, prefix)
				}
				for _, s := range run {
					b = appendText(b, 2, s[len(prefix):])
				}
				return b
			})
		}
		return b
	})
}

// runs decodes an EPCList message into the forms as captured, and adds its units.
func (d *decoder) runs(list commit.List, s string) ([]string, error) {
	if d.depth+2 > MaxDepth {
		return nil, errDepth
	}
	var forms []string
	before := "" // the prefix of the run before
	for first := true; s != "" || first; first = false {
		if s == "" {
			return nil, fmt.Errorf("EPC list: %w", errZero)
		}
		num, typ, v, rest, err := next(s)
		switch {
		case err != nil:
			return nil, err
		case num != 1:
			return nil, errUnknown
		case typ != protowire.BytesType:
			return nil, errType
		}
		s = rest
		var prefix string
		if forms, prefix, err = d.run(list, v.s, forms); err != nil {
			return nil, err
		}
		if !first && prefix == before {
			return nil, fmt.Errorf("two EPC runs in place of one")
		}
		before = prefix
	}
	return forms, nil
}

// run decodes an EPCRun message. It takes the forms out of one piece of memory.
func (d *decoder) run(list commit.List, s string, forms []string) (_ []string, prefix string, err error) {
	tails := s
	if num, typ, v, rest, err := next(s); err == nil && num == 1 {
		switch {
		case typ != protowire.BytesType:
			return nil, "", errType
		case v.s == "":
			return nil, "", errZero
		case !utf8.ValidString(v.s):
			return nil, "", errUTF8
		}
		prefix, tails = v.s, rest
	}
	n, size := 0, 0
	for s := tails; s != "" && n <= d.room; n++ {
		_, _, v, rest, err := next(s)
		if err != nil {
			return nil, "", err
		}
		size += len(prefix) + len(v.s)
		s = rest
	}
	if tails == "" {
		return nil, "", fmt.Errorf("EPC run: %w", errZero)
	}
	read, err := gs1.ParsePrefix(prefix)
	if err != nil {
		return nil, "", err
	}
	var arena strings.Builder
	arena.Grow(size)
	forms = slices.Grow(forms, n)
	d.units = slices.Grow(d.units, n)
	for s := tails; s != ""; {
		num, typ, v, rest, err := next(s)
		switch {
		case err != nil:
			return nil, "", err
		case num == 1:
			return nil, "", errOrder
		case num != 2:
			return nil, "", errUnknown
		case typ != protowire.BytesType:
			return nil, "", errType
		}
		s = rest
		if d.room == 0 {
			return nil, "", ErrUnits
		}
		d.room--
		if !utf8.ValidString(v.s) {
			return nil, "", errUTF8
		}
		from := arena.Len()
		arena.WriteString(prefix)
		arena.WriteString(v.s)
		form := arena.String()[from:]
		if p, _ := gs1.SplitEPC(form); len(p) != len(prefix) {
			return nil, "", fmt.Errorf("EPC %q is cut in the wrong place", form)
		}
		key, err := read.Key(v.s)
		if err != nil {
			return nil, "", err
		}
		if len(key.String()) > MaxUnitKey {
			return nil, "", errUnitKey
		}
		forms = append(forms, form)
		d.units = append(d.units, commit.Unit{List: list, Key: key, Form: form})
	}
	return forms, prefix, nil
}
