package epcisxml

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// The scanner sits between encoding/xml and the reader. encoding/xml alone is too forgiving for a document that is
// signed: it takes several roots, undeclared prefixes, repeated attributes and text outside the root, and it has
// no limits. It is used for raw tokens; namespaces, nesting and limits are kept here.

type tokenKind uint8

const (
	tokenStart tokenKind = 1 + iota
	tokenEnd
	tokenText
	tokenEOF
)

// pos is where a token begins: line and byte in the line, both from 1.
type pos struct{ line, col int }

type binding struct{ prefix, space string }

type frame struct {
	raw      xml.Name
	bindings int // in scope before this element
}

type scanner struct {
	dec      *xml.Decoder
	input    *guard
	maxDepth int
	maxAttrs int

	frames   []frame
	bindings []binding
	started  bool  // something but white space was seen
	rooted   bool  // the root was opened
	doctype  pos   // of a document type declaration that declares nothing
	encErr   error // why the declared encoding cannot be read
	wide     bool  // the document is in UTF-16
	stop     int64 // offset at which the event being read is too large; 0: none is being read

	mislabelled string // another encoding that a document in UTF-16 says it has

	// The current token. attrs is without namespace declarations; text is valid until the next call of next.
	kind  tokenKind
	name  xml.Name
	attrs []xml.Attr
	text  []byte
	at    pos
}

// guard ends the input when the document, or one tag, text or comment of it, is too long. Without the second limit
// a single tag could make encoding/xml collect millions of attributes.
type guard struct {
	r           io.Reader
	left        int64
	token, full int
}

func (g *guard) Read(b []byte) (int, error) {
	if g.token <= 0 {
		return 0, reading.ErrTokenBytes
	}
	if int64(len(b)) > g.left+1 {
		b = b[:g.left+1]
	}
	n, err := g.r.Read(b)
	g.left -= int64(n)
	g.token -= n
	if g.left < 0 {
		return 0, reading.ErrDocumentBytes
	}
	return n, err
}

const (

	// maxBindings bounds the search for a prefix.
	maxBindings = 256
)

func newScanner(r io.Reader, opt *epcis.Options) *scanner {
	s := &scanner{
		input:    &guard{r: r, left: opt.MaxBytes, token: reading.MaxToken, full: reading.MaxToken},
		maxDepth: opt.MaxDepth,
		maxAttrs: opt.MaxAttributes,
	}
	in := bufio.NewReaderSize(s.input, reading.ReadAhead)
	var text io.Reader
	text, s.wide = decoded(in)
	s.dec = xml.NewDecoder(text)
	s.dec.CharsetReader = s.charset
	return s
}

func (s *scanner) here() pos {
	line, col := s.dec.InputPos()
	return pos{line, col}
}

func (s *scanner) malformed(format string, args ...any) error {
	return &epcis.ParseError{
		Code: epcis.CodeMalformed, Line: s.at.line, Column: s.at.col,
		Message: fmt.Sprintf(format, args...), Hint: "the document is not well-formed XML; have it written again by its sender",
	}
}

func (s *scanner) exceeded(format string, args ...any) error {
	return &epcis.ParseError{
		Code: epcis.CodeLimit, Line: s.at.line, Column: s.at.col,
		Message: fmt.Sprintf(format, args...), Hint: "no EPCIS document needs this; have it written again by its sender",
	}
}

// next moves to the next token. Comments and processing instructions are passed over.
func (s *scanner) next() error {
	for {
		if s.stop != 0 && s.dec.InputOffset() > s.stop {
			return reading.ErrEventTooLarge
		}
		s.at = s.here()
		s.input.token = s.input.full
		t, err := s.dec.RawToken()
		if err != nil {
			return s.fail(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			s.started = true
			return s.open(t)
		case xml.EndElement:
			return s.close(t)
		case xml.CharData:
			if len(s.frames) == 0 {
				if !xsd.IsBlank(t) {
					return s.malformed("text stands outside the root element")
				}
				s.started = true
				continue
			}
			s.kind, s.text = tokenText, t
			return nil
		case xml.Comment:
			s.started = true
		case xml.ProcInst:
			if s.wide && t.Target == "xml" && !s.started {
				s.labelled(string(t.Inst))
			}
			if strings.EqualFold(t.Target, "xml") && s.started {
				return s.malformed("an XML declaration stands in the middle of the document")
			}
			s.started = true
		case xml.Directive:
			// One that only names a root declares nothing; every other could change what is read.
			if name, ok := strings.CutPrefix(string(t), "DOCTYPE "); ok && !s.rooted && s.doctype.line == 0 && nameForm(strings.Trim(name, xsd.Blank), lexName) {
				s.doctype, s.started = s.at, true
				continue
			}
			return &epcis.ParseError{
				Code: epcis.CodeMalformed, Line: s.at.line, Column: s.at.col,
				Message: "the document has a document type declaration", Hint: "remove <!DOCTYPE …>: EPCIS needs none and it is not read",
			}
		}
	}
}

func (s *scanner) open(t xml.StartElement) error {
	if len(s.frames) == 0 && s.rooted {
		return s.malformed("a second root element <%s> follows the first", excerpt.Clip(t.Name.Local))
	}
	s.rooted = true
	if len(s.frames) >= s.maxDepth {
		return s.exceeded("elements are nested more than %d deep", s.maxDepth)
	}
	if len(t.Attr) > s.maxAttrs {
		return s.exceeded("<%s> has %d attributes, at most %d are read", excerpt.Clip(t.Name.Local), len(t.Attr), s.maxAttrs)
	}
	s.frames = append(s.frames, frame{t.Name, len(s.bindings)})
	n := 0
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns":
			if a.Value == "" {
				return s.malformed("the prefix %s is declared without a namespace", excerpt.Quote(a.Name.Local))
			}
			if a.Name.Local == "xmlns" || a.Name.Local == "xml" && a.Value != xmlns.XML {
				return s.malformed("the prefix %s cannot be declared", excerpt.Quote(a.Name.Local))
			}
			s.bindings = append(s.bindings, binding{a.Name.Local, a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			s.bindings = append(s.bindings, binding{"", a.Value})
		default:
			t.Attr[n] = a
			n++
		}
	}
	if len(s.bindings) > maxBindings {
		return s.exceeded("more than %d namespace declarations are in force", maxBindings)
	}
	declared := s.bindings[s.frames[len(s.frames)-1].bindings:]
	for i := range declared {
		for j := range i {
			if declared[i].prefix == declared[j].prefix {
				return s.malformed("the prefix %s is declared twice on <%s>", excerpt.Quote(declared[i].prefix), excerpt.Clip(t.Name.Local))
			}
		}
	}
	s.attrs = t.Attr[:n]
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.Name.Space == "" { // the default namespace is not for attributes
			if strings.IndexByte(a.Name.Local, ':') >= 0 {
				return s.malformed("%s is not a name", excerpt.Quote(a.Name.Local))
			}
		} else if err := s.resolve(&a.Name); err != nil {
			return err
		}
		for j := range i {
			if s.attrs[j].Name == a.Name {
				return s.malformed("the attribute %s stands twice on <%s>", excerpt.Quote(a.Name.Local), excerpt.Clip(t.Name.Local))
			}
		}
	}
	s.kind, s.name = tokenStart, t.Name
	return s.resolve(&s.name)
}

func (s *scanner) close(t xml.EndElement) error {
	last := len(s.frames) - 1
	if last < 0 {
		return s.malformed("</%s> closes nothing", excerpt.Clip(t.Name.Local))
	}
	if f := s.frames[last]; f.raw != t.Name {
		return s.malformed("<%s> is closed by </%s>", excerpt.Clip(rawName(f.raw)), excerpt.Clip(rawName(t.Name)))
	}
	s.bindings = s.bindings[:s.frames[last].bindings]
	s.frames = s.frames[:last]
	s.kind = tokenEnd
	return nil
}

// resolve puts the namespace in the place of the prefix.
func (s *scanner) resolve(n *xml.Name) error {
	if strings.IndexByte(n.Local, ':') >= 0 {
		return s.malformed("%s is not a name", excerpt.Quote(n.Local))
	}
	space, ok := s.lookup(n.Space)
	if !ok {
		return s.malformed("the prefix %s of %s is not declared", excerpt.Quote(n.Space), excerpt.Quote(n.Local))
	}
	n.Space = space
	return nil
}

func (s *scanner) lookup(prefix string) (string, bool) {
	for _, b := range slices.Backward(s.bindings) {
		if b.prefix == prefix {
			return b.space, true
		}
	}
	if prefix == "xml" {
		return xmlns.XML, true
	}
	return "", prefix == ""
}

// fail says what a read error means.
func (s *scanner) fail(err error) error {
	end := s.here()
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		s.at = pos{syntax.Line, end.col}
		return s.malformed("%s", excerpt.Clip(syntax.Msg))
	}
	switch {
	case errors.Is(err, io.EOF):
		switch {
		case len(s.frames) > 0:
			return s.malformed("the document ends inside <%s>", excerpt.Clip(rawName(s.frames[len(s.frames)-1].raw)))
		case !s.rooted:
			return &epcis.ParseError{Code: epcis.CodeNotEPCIS, Line: end.line, Column: end.col, Message: "the document is empty", Hint: reading.NotEPCISHint}
		}
		s.kind = tokenEOF
		return nil
	case s.encErr != nil:
		return s.encErr
	case errors.Is(err, reading.ErrDocumentBytes):
		return &epcis.ParseError{
			Code: epcis.CodeDocumentTooLarge, Line: end.line, Column: end.col,
			Message: "the document is larger than what is accepted", Hint: "send it in several documents",
		}
	case errors.Is(err, reading.ErrTokenBytes):
		return s.exceeded("one tag, text or comment is longer than %d bytes", s.input.full)
	case errors.Is(err, errNotASCII), errors.Is(err, errNoLetter), errors.Is(err, errUTF16), strings.HasPrefix(err.Error(), "xml: "):
		s.at = end
		return s.malformed("%s", excerpt.Clip(strings.TrimPrefix(err.Error(), "xml: ")))
	}
	return fmt.Errorf("read EPCIS document: %w", err)
}

func rawName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}
