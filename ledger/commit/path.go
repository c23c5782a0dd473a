package commit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"verilot.dev/ledger/canonical"
)

// The first bytes of path segments (spec section 4.1).
const (
	segField = 0x01
	segIndex = 0x02
	segName  = 0x03
)

// Path is an encoded path (spec section 4.1).
type Path string

// Field appends a field-number segment.
func (p Path) Field(n uint32) Path { return Path(AppendField([]byte(p), n)) }

// Index appends an index segment.
func (p Path) Index(i uint32) Path { return Path(AppendIndex([]byte(p), i)) }

// Name appends a namespace and local-name segment. Longer names than str16 holds are a programming error: see MaxPath.
func (p Path) Name(namespace, local string) Path {
	return Path(AppendName([]byte(p), namespace, local))
}

// MaxPath bounds a path, and with it every name in it, so that a proof can hold it as str16.
const MaxPath = 0xFFFF

// AppendField, AppendIndex and AppendName build paths in a buffer that is used again and again.
func AppendField(b []byte, n uint32) []byte { return canonical.U32(append(b, segField), n) }

// AppendIndex appends an index segment.
func AppendIndex(b []byte, i uint32) []byte { return canonical.U32(append(b, segIndex), i) }

// AppendName appends a name segment.
func AppendName(b []byte, namespace, local string) []byte {
	return canonical.Str16(canonical.Str16(append(b, segName), namespace), local)
}

// SegmentKind says what a segment holds.
type SegmentKind uint8

// The kinds, with the byte that begins each.
const (
	FieldSegment SegmentKind = segField
	IndexSegment SegmentKind = segIndex
	NameSegment  SegmentKind = segName
)

// Segment is one step of a path.
type Segment struct {
	Kind             SegmentKind
	N                uint32 // field number or index
	Namespace, Local string // of a name
}

// ErrPath is what every refused path wraps.
var ErrPath = errors.New("commit: malformed path")

// cut takes the first segment off p.
func (p Path) cut() (s Segment, rest Path, err error) {
	if p == "" {
		return s, "", fmt.Errorf("%w: it ends early", ErrPath)
	}
	s.Kind = SegmentKind(p[0])
	rest = p[1:]
	switch s.Kind {
	case FieldSegment, IndexSegment:
		if len(rest) < 4 {
			return s, "", fmt.Errorf("%w: a number ends early", ErrPath)
		}
		s.N = binary.BigEndian.Uint32([]byte(rest[:4]))
		return s, rest[4:], nil
	case NameSegment:
		if s.Namespace, rest, err = rest.cutText(); err != nil {
			return s, "", err
		}
		if s.Local, rest, err = rest.cutText(); err != nil {
			return s, "", err
		}
		return s, rest, nil
	}
	return s, "", fmt.Errorf("%w: no segment begins with 0x%02x", ErrPath, p[0])
}

func (p Path) cutText() (text string, rest Path, err error) {
	if len(p) < 2 {
		return "", "", fmt.Errorf("%w: a name ends early", ErrPath)
	}
	n := int(p[0])<<8 | int(p[1])
	if len(p) < 2+n {
		return "", "", fmt.Errorf("%w: a name ends early", ErrPath)
	}
	text = string(p[2 : 2+n])
	if !utf8.ValidString(text) {
		return "", "", fmt.Errorf("%w: a name is not UTF-8", ErrPath)
	}
	return text, p[2+n:], nil
}

// Check says whether p is well-formed: one or more segments, of which the first is a field, with names in UTF-8, and not
// over MaxPath.
func (p Path) Check() error {
	switch {
	case p == "" || p[0] != segField:
		return fmt.Errorf("%w: it must begin with a field", ErrPath)
	case len(p) > MaxPath:
		return fmt.Errorf("%w: %d bytes long", ErrPath, len(p))
	}
	for rest := p; rest != ""; {
		var err error
		if _, rest, err = rest.cut(); err != nil {
			return err
		}
	}
	return nil
}

// ParsePath takes a well-formed path apart.
func ParsePath(p Path) ([]Segment, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	var out []Segment
	for rest := p; rest != ""; {
		var s Segment
		s, rest, _ = rest.cut() // Check has been here
		out = append(out, s)
	}
	return out, nil
}

// BuildPath is the inverse of ParsePath.
func BuildPath(segments []Segment) Path {
	var b []byte
	for _, s := range segments {
		switch s.Kind {
		case FieldSegment:
			b = AppendField(b, s.N)
		case IndexSegment:
			b = AppendIndex(b, s.N)
		case NameSegment:
			b = AppendName(b, s.Namespace, s.Local)
		}
	}
	return Path(b)
}

// String is for people: field(15)/index(0)/field(2), or field(24)/index(0)/name("urn:x","note").
func (p Path) String() string {
	switch p {
	case "":
		return "whole"
	case CountPath:
		return "count"
	}
	segments, err := ParsePath(p)
	if err != nil {
		return fmt.Sprintf("malformed(%x)", string(p))
	}
	var b strings.Builder
	for i, s := range segments {
		if i > 0 {
			b.WriteByte('/')
		}
		switch s.Kind {
		case FieldSegment:
			b.WriteString("field(" + strconv.FormatUint(uint64(s.N), 10) + ")")
		case IndexSegment:
			b.WriteString("index(" + strconv.FormatUint(uint64(s.N), 10) + ")")
		case NameSegment:
			fmt.Fprintf(&b, "name(%q,%q)", s.Namespace, s.Local)
		}
	}
	return b.String()
}
