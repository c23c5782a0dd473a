package epcisjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/reading"
)

// pos is where a token begins: line and byte in the line, both from 1.
type pos struct{ line, col int }

// input stands between the document and the tokenizer. It bounds the document and each token, knows the line of
// every offset, and can look ahead: see preread.
type input struct {
	r     io.Reader
	left  int64 // of Options.MaxBytes
	token int   // of maxToken; the tokenizer itself would collect a string of any length

	off       int64   // handed to the tokenizer
	lines     []int64 // offsets of line ends from here on, as far as handed out
	passed    int     // how many of them are behind
	line      int
	lineStart int64

	head []byte // with keep, everything read; otherwise what was read ahead
	next int    // in head
	keep bool
}

// maxBuffered is how much of a document is kept to find a context that comes behind the events.
const maxBuffered = 4 << 20

func (in *input) Read(b []byte) (int, error) {
	if in.token <= 0 {
		return 0, reading.ErrTokenBytes
	}
	if int64(len(b)) > in.left+1 {
		b = b[:in.left+1]
	}
	if len(b) > reading.ReadAhead {
		b = b[:reading.ReadAhead]
	}
	var n int
	var err error
	if in.next < len(in.head) {
		n = copy(b, in.head[in.next:])
		if in.next += n; in.next == len(in.head) && !in.keep {
			in.head, in.next = nil, 0
		}
	} else {
		n, err = in.r.Read(b)
		if in.keep && n > 0 {
			in.head = append(in.head, b[:n]...)
			if in.next = len(in.head); in.next > maxBuffered {
				in.release()
			}
		}
	}
	in.left -= int64(n)
	in.token -= n
	if in.left < 0 {
		return 0, reading.ErrDocumentBytes
	}
	if in.passed > 0 && in.passed == len(in.lines) {
		in.lines, in.passed = in.lines[:0], 0
	}
	for i := 0; i < n; {
		j := bytes.IndexByte(b[i:n], '\n')
		if j < 0 {
			break
		}
		i += j + 1
		in.lines = append(in.lines, in.off+int64(i-1))
	}
	in.off += int64(n)
	return n, err
}

// release ends keeping.
func (in *input) release() {
	in.keep = false
	if in.next >= len(in.head) {
		in.head, in.next = nil, 0
	}
}

// preread reads the rest of the document, if it is small, and returns all of it; nil if it is not.
func (in *input) preread() []byte {
	if !in.keep {
		return nil
	}
	rest, err := io.ReadAll(io.LimitReader(in.r, int64(maxBuffered-len(in.head)+1)))
	in.head = append(in.head, rest...)
	all := in.head
	if in.keep = false; err != nil || len(all) > maxBuffered {
		// A read error comes again from the reader, or the document ends too early.
		return nil
	}
	return all
}

// pos is the line and column of an offset. Offsets must not go back.
func (in *input) pos(off int64) pos {
	for in.passed < len(in.lines) && in.lines[in.passed] < off {
		in.line++
		in.lineStart = in.lines[in.passed] + 1
		in.passed++
	}
	return pos{in.line, int(off-in.lineStart) + 1}
}

// scanner reads tokens with their places and limits.
type scanner struct {
	dec      *jsontext.Decoder
	in       *input
	maxDepth int
	depth    int
	stop     int64 // offset at which the event being read is too large; 0: none is being read
	at       pos   // of the last token
	inside   bool  // whole reads
	failed   bool  // peek saw an error, which the next read returns
	scratch  []byte
}

func newScanner(r io.Reader, opt *epcis.Options) *scanner {
	in := &input{r: r, left: opt.MaxBytes, token: reading.MaxToken, line: 1, keep: true}
	return &scanner{dec: jsontext.NewDecoder(in), in: in, maxDepth: opt.MaxDepth}
}

// peek tells what comes: one of { } [ ] " 0 t f n, or 0 when reading it will fail.
func (s *scanner) peek() jsontext.Kind {
	if !s.failed {
		s.in.token = reading.MaxToken
	}
	kind := s.dec.PeekKind()
	s.failed = kind == 0 // another look would try again
	return kind
}

func (s *scanner) mark(size int) error {
	end := s.dec.InputOffset()
	s.at = s.in.pos(end - int64(size))
	if s.stop != 0 && end > s.stop {
		return reading.ErrEventTooLarge
	}
	return nil
}

// raw reads a string, number or literal as it stands there. The result is valid until the next peek.
func (s *scanner) raw() ([]byte, error) {
	b, err := s.dec.ReadValue()
	if err != nil {
		return nil, s.fail(err)
	}
	return b, s.mark(len(b))
}

// whole is raw for an object or array; it counts as one token.
func (s *scanner) whole() ([]byte, error) {
	s.inside = true
	b, err := s.raw()
	s.inside = false
	return b, err
}

// str reads a string, or the name of a member. The result is valid until the next peek.
func (s *scanner) str() ([]byte, error) {
	b, err := s.raw()
	if err != nil {
		return nil, err
	}
	return s.unquote(b)
}

func (s *scanner) unquote(b []byte) ([]byte, error) {
	if len(b) < 2 || b[0] != '"' {
		return b, nil
	}
	if bytes.IndexByte(b, '\\') < 0 {
		return b[1 : len(b)-1], nil
	}
	var err error
	s.scratch, err = jsontext.AppendUnquote(s.scratch[:0], b)
	if err != nil {
		return nil, s.malformed(err.Error())
	}
	return s.scratch, nil
}

// open reads { or [.
func (s *scanner) open() error {
	if _, err := s.dec.ReadToken(); err != nil {
		return s.fail(err)
	}
	err := s.mark(1)
	if s.depth++; s.depth > s.maxDepth {
		return s.exceeded("objects and arrays are nested more than %d deep", s.maxDepth)
	}
	return err
}

// close reads } or ]. It sets no place: s.at stays that of what was read last.
func (s *scanner) close() error {
	if _, err := s.dec.ReadToken(); err != nil {
		return s.fail(err)
	}
	s.depth--
	return nil
}

// skip passes over a value.
func (s *scanner) skip() error {
	switch s.peek() {
	case '{', '[':
		if err := s.open(); err != nil {
			return err
		}
		return s.unwind(s.depth - 1)
	default:
		_, err := s.raw()
		return err
	}
}

// unwind passes over everything until depth objects and arrays are open. The names are counted: the tokenizer keeps
// those of an open object to find repeated ones.
func (s *scanner) unwind(depth int) error {
	names := 0
	for s.depth > depth {
		switch s.peek() {
		case '{', '[':
			if err := s.open(); err != nil {
				return err
			}
		case '}', ']':
			if err := s.close(); err != nil {
				return err
			}
		default:
			if _, err := s.raw(); err != nil {
				return err
			}
			if names++; names > reading.MaxDocumentNodes {
				return s.exceeded("a part that is not read has more than %d values", reading.MaxDocumentNodes)
			}
		}
	}
	return nil
}

func (s *scanner) malformed(message string) *epcis.ParseError {
	return &epcis.ParseError{
		Code: epcis.CodeMalformed, Line: s.at.line, Column: s.at.col,
		Message: message, Hint: "the document is not well-formed JSON; have it written again by its sender",
	}
}

func (s *scanner) exceeded(format string, args ...any) error {
	return &epcis.ParseError{
		Code: epcis.CodeLimit, Line: s.at.line, Column: s.at.col,
		Message: fmt.Sprintf(format, args...), Hint: "no EPCIS document needs this; have it written again by its sender",
	}
}

// fail says what a read error means.
func (s *scanner) fail(err error) error {
	switch {
	case errors.Is(err, reading.ErrDocumentBytes):
		s.at = s.in.pos(s.dec.InputOffset())
		return &epcis.ParseError{
			Code: epcis.CodeDocumentTooLarge, Line: s.at.line, Column: s.at.col,
			Message: "the document is larger than what is accepted", Hint: "send it in several documents",
		}
	case errors.Is(err, reading.ErrTokenBytes):
		s.at = s.in.pos(s.dec.InputOffset())
		return s.exceeded("one string, number or white space is longer than %d bytes", reading.MaxToken)
	}
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read EPCIS document: %w", err)
	}
	if s.at = s.in.pos(s.dec.InputOffset()); ok {
		s.at = s.in.pos(syntax.ByteOffset)
	}
	where := s.dec.StackPointer()
	if ok && !s.inside { // in there, it depends on where the input was cut into pieces
		where = syntax.JSONPointer
	}
	switch {
	case !ok || errors.Is(err, io.ErrUnexpectedEOF):
		if s.depth == 0 && !ok {
			return &epcis.ParseError{Code: epcis.CodeNotEPCIS, Line: 1, Column: 1, Message: "the document is empty", Hint: reading.NotEPCISHint}
		}
		return s.malformed("the document ends inside " + place(s.dec.StackPointer()))
	case errors.Is(err, jsontext.ErrDuplicateName):
		p := syntax.JSONPointer
		e := s.malformed("the member " + excerpt.Quote(p.LastToken()) + " stands twice in " + place(p.Parent()))
		e.Hint = "keep one: which one counts is not defined"
		return e
	}
	text := excerpt.Clip(withoutExcerpt(syntax.Err.Error()))
	e := s.malformed(text + ", in " + place(where))
	if strings.Contains(text, " after ") { // the pointer depends on where the input was cut into pieces
		e = s.malformed(text)
	}
	if strings.Contains(text, "UTF-8") {
		e.Hint = "save the document as UTF-8"
	}
	return e
}

// withoutExcerpt drops what a message quotes from the document, unless it is one plain character: how much that is
// depends on where the input was cut into pieces, and what is told about a document must not.
func withoutExcerpt(s string) string {
	from := strings.IndexAny(s, "'\"`")
	if from < 0 || strings.HasSuffix(s[:from], "(expecting ") {
		return s
	}
	rest := s[from+1:]
	to := strings.Index(rest, s[from:from+1]+" ")
	if s[from] != '\'' {
		to = strings.LastIndexByte(rest, s[from])
	}
	if to <= 1 {
		return s
	}
	return strings.TrimSuffix(s[:from], " ") + rest[to+1:]
}

// place names a part of the document in a message.
func place(p jsontext.Pointer) string {
	if p == "" {
		return "the document"
	}
	return excerpt.Clip(string(p))
}
