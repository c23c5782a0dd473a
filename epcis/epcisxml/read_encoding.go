package epcisxml

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
)

// Encodings. Every processor of XML reads UTF-8 and UTF-16 (XML 1.0 section 4.3.3); partners also send the single-byte
// encodings of western computers. A document in any of them is unambiguous, or refused.

var (
	errNotASCII = errors.New("a byte above 127 in a document that declares US-ASCII")
	errNoLetter = errors.New("a byte that is no character in the encoding that the document declares")
	errUTF16    = errors.New("a character in UTF-16 that is cut in half")
)

// decoded returns the document in UTF-8, as far as its first bytes tell its encoding. wide tells that it is in UTF-16.
func decoded(in *bufio.Reader) (r io.Reader, wide bool) {
	head, _ := in.Peek(4) // a read error comes again with the first token
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		_, _ = in.Discard(3)
	case bytes.HasPrefix(head, []byte("\xFE\xFF")):
		_, _ = in.Discard(2)
		return &wideReader{in: in, big: true}, true
	case bytes.HasPrefix(head, []byte("\xFF\xFE")) && !bytes.Equal(head[2:], []byte{0, 0}): // that would be UTF-32
		_, _ = in.Discard(2)
		return &wideReader{in: in}, true
	case bytes.HasPrefix(head, []byte("\x00<\x00")):
		return &wideReader{in: in, big: true}, true
	case bytes.HasPrefix(head, []byte("<\x00")) && len(head) == 4 && head[3] == 0:
		return &wideReader{in: in}, true
	}
	return in, false
}

// wideReader turns UTF-16 into UTF-8.
type wideReader struct {
	in      *bufio.Reader
	big     bool
	pending [utf8.UTFMax]byte
	n, at   int
}

func (w *wideReader) unit() (rune, error) {
	var b [2]byte
	n, err := io.ReadFull(w.in, b[:])
	if n == 1 && errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, errUTF16
	}
	if err != nil {
		return 0, err
	}
	if w.big {
		return rune(b[0])<<8 | rune(b[1]), nil
	}
	return rune(b[1])<<8 | rune(b[0]), nil
}

func (w *wideReader) ReadByte() (byte, error) {
	if w.at == w.n {
		r, err := w.unit()
		if err != nil {
			return 0, err
		}
		if utf16.IsSurrogate(r) {
			low, err := w.unit()
			if err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return 0, errUTF16
			}
		}
		w.n, w.at = utf8.EncodeRune(w.pending[:], r), 0
	}
	w.at++
	return w.pending[w.at-1], nil
}

func (w *wideReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		b, err := w.ReadByte()
		if err != nil {
			if n > 0 { // it comes again
				return n, nil
			}
			return 0, err
		}
		p[n] = b
		n++
		if n > 1 && w.at == w.n && w.in.Buffered() < 4 {
			break
		}
	}
	return n, nil
}

// single are the single-byte encodings that are read, by the names that documents give them.
var single = map[string]*charmap.Charmap{
	"iso-8859-1": charmap.ISO8859_1, "iso_8859-1": charmap.ISO8859_1, "latin1": charmap.ISO8859_1, "l1": charmap.ISO8859_1,
	"iso-8859-15": charmap.ISO8859_15, "iso_8859-15": charmap.ISO8859_15, "latin-9": charmap.ISO8859_15, "latin9": charmap.ISO8859_15,
	"windows-1252": charmap.Windows1252, "cp1252": charmap.Windows1252, "cp-1252": charmap.Windows1252,
	"us-ascii": nil, "ascii": nil,
}

// charset reads the encoding that a document declares, if that is not UTF-8.
func (s *scanner) charset(label string, input io.Reader) (io.Reader, error) {
	name := strings.ToLower(label)
	if s.wide {
		return input, nil // the bytes told: see labelled
	}
	if table, ok := single[name]; ok {
		in, ok := input.(io.ByteReader)
		if !ok {
			in = bufio.NewReader(input)
		}
		return &byteReader{in: in, table: table}, nil
	}
	hint := "use UTF-8 (UTF-16, ISO-8859-1, ISO-8859-15, windows-1252 and US-ASCII are read too)"
	message := "the document declares the encoding " + excerpt.Quote(label)
	if strings.HasPrefix(name, "utf-16") {
		message += ", but is written in another"
	}
	s.encErr = &epcis.ParseError{Code: epcis.CodeMalformed, Line: 1, Column: 1, Message: message, Hint: hint}
	return nil, s.encErr
}

// labelled looks at what a document in UTF-16 says of its encoding. inst is the content of its XML declaration.
func (s *scanner) labelled(inst string) {
	_, rest, ok := strings.Cut(inst, "encoding")
	if rest = strings.TrimLeft(rest, " \t\r\n="); !ok || len(rest) < 2 {
		return
	}
	if name, _, ok := strings.Cut(rest[1:], rest[:1]); ok && !strings.HasPrefix(strings.ToLower(name), "utf-16") && !strings.EqualFold(name, "iso-10646-ucs-2") {
		s.mislabelled = name
	}
}

// byteReader turns a single-byte encoding into UTF-8, byte by byte. Without a table it is US-ASCII.
type byteReader struct {
	in      io.ByteReader
	table   *charmap.Charmap
	pending [utf8.UTFMax]byte
	n, at   int
}

func (l *byteReader) ReadByte() (byte, error) {
	if l.at < l.n {
		l.at++
		return l.pending[l.at-1], nil
	}
	b, err := l.in.ReadByte()
	if err != nil || b < utf8.RuneSelf {
		return b, err
	}
	if l.table == nil {
		return 0, errNotASCII
	}
	r := l.table.DecodeByte(b)
	if r == utf8.RuneError {
		return 0, errNoLetter
	}
	l.n, l.at = utf8.EncodeRune(l.pending[:], r), 1
	return l.pending[0], nil
}

func (l *byteReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := l.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}
