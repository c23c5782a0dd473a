// Package epcischeck says what an EPCIS document is found to be, and what the hash IDs of its
// events are, for the command line. It reads files and decides nothing: the rules are those of
// epcis.
package epcischeck

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
)

// A Source opens a document at its beginning, every time it is called. Some documents cannot be read in one pass: their
// context stands behind the events.
type Source func() (io.ReadSeekCloser, error)

// Memory is the source of a document at hand.
func Memory(doc []byte) Source {
	return func() (io.ReadSeekCloser, error) { return memory{bytes.NewReader(doc)}, nil }
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// Limits of what is read here, from a disk at the wish of whoever started the program. Documents are streamed; only
// identifiers and problems are kept.
var Limits = epcis.Options{MaxBytes: 8 << 30, MaxEvents: 100_000_000, MaxEventBytes: 64 << 20, MaxProblems: 10_000, KeepFaulty: true}

// Level is how far a document is acceptable.
type Level string

// The levels, best first.
const (
	Strict   Level = "strict"   // the official schema accepts it, and so do we
	Tolerant Level = "tolerant" // it deviates, but can only mean one thing; or no schema exists for it
	Refused  Level = "refused"  // it, or an event of it, cannot be accepted
)

// Finding is one thing to say about a document, at a place in it.
type Finding struct {
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Pointer  string `json:"pointer"`
	Path     string `json:"path"`
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Schema   bool   `json:"schema"` // the official schema says so
	Message  string `json:"message"`
	Hint     string `json:"hint"`
}

// FindingOf is a problem as a finding.
func FindingOf(p epcis.Problem) Finding {
	return Finding{p.Line, p.Column, p.Pointer, p.Path, p.Code, string(p.Severity), p.Schema, p.Message, p.Hint}
}

// Answer is what a document was found to be. Counts are of all events, faulty ones included.
type Answer struct {
	File       string         `json:"file,omitempty"`
	Format     string         `json:"format"`
	WellFormed bool           `json:"wellFormed"`
	Valid      *bool          `json:"valid"` // the verdict of the official schema; null where there is none for such a root
	Level      Level          `json:"level"`
	Events     int            `json:"events"`
	EventTypes map[string]int `json:"eventTypes"`
	EPCs       []string       `json:"epcs"` // as captured, each once, in the order of the document
	Errors     []Finding      `json:"errors"`
}

// Check reads a document. The error is of reading the source, never of what is in it.
func Check(open Source) (*Answer, error) {
	a := &Answer{WellFormed: true, EventTypes: map[string]int{}, EPCs: []string{}, Errors: []Finding{}}
	in, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	source := &errReader{r: in}
	seen := map[string]bool{}
	failed, more := false, 0
	old := map[int]bool{} // events that were written as a QuantityEvent
	summary, err := epcisdoc.Read(source, Limits, epcis.Handler{
		Event: func(e epcis.EventAt) error {
			kind := e.Event.Type
			if old[e.Index] {
				kind = "QuantityEvent"
				delete(old, e.Index)
			}
			a.EventTypes[kind]++
			add := func(epc string) {
				if epc != "" && !seen[epc] {
					seen[epc] = true
					a.EPCs = append(a.EPCs, epc)
				}
			}
			add(e.Event.ParentID)
			e.Event.EPCs(func(_ int, epc string) bool { add(epc); return true })
			return nil
		},
		Problem: func(p epcis.Problem) error {
			if p.Code == epcis.CodeEventDeprecated {
				old[p.Event] = true
			}
			failed = failed || p.Severity == epcis.SeverityError
			if len(a.Errors) == Limits.MaxProblems {
				more++
				return nil
			}
			a.Errors = append(a.Errors, FindingOf(p))
			return nil
		},
	})
	if source.err != nil {
		return nil, source.err
	}
	a.Format, a.Events = string(summary.Format), summary.Events
	if err != nil {
		return a.refuse(open, err)
	}
	if more > 0 {
		a.Errors = append(a.Errors, Finding{
			Code: epcis.CodeTruncated, Severity: string(epcis.SeverityWarning),
			Message: fmt.Sprintf("there are %d more problems", more), Hint: "repair those above and check again",
		})
	}
	valid := !summary.SchemaInvalid
	if !summary.NoSchema {
		a.Valid = &valid
	}
	switch {
	case failed:
		a.Level = Refused
	case !valid, summary.NoSchema:
		a.Level = Tolerant
	default:
		a.Level = Strict
	}
	return a, nil
}

// refuse is the answer about a document that cannot be read as a whole. What was read before that does not count.
func (a *Answer) refuse(open Source, cause error) (*Answer, error) {
	no := false
	a.Valid, a.Level, a.Events = &no, Refused, 0
	clear(a.EventTypes)
	a.EPCs = a.EPCs[:0]
	f := Finding{Code: epcis.CodeMalformed, Severity: string(epcis.SeverityError), Schema: true, Message: cause.Error()}
	if p, ok := errors.AsType[*epcis.ParseError](cause); ok {
		f.Line, f.Column, f.Code, f.Message, f.Hint = p.Line, p.Column, p.Code, p.Message, p.Hint
	}
	a.Errors = append(a.Errors, f)
	head, whole, err := second(open)
	if err != nil {
		return nil, err
	}
	a.WellFormed = f.Code != epcis.CodeMalformed && whole
	if a.Format == "" || f.Code == epcis.CodeNotEPCIS {
		a.Format = string(head)
	}
	return a, nil
}

// second looks at a document that is not EPCIS once more: what it seems to be, and whether it is well-formed at all.
func second(open Source) (epcis.Format, bool, error) {
	in, err := open()
	if err != nil {
		return "", false, err
	}
	defer func() { _ = in.Close() }()
	source := &errReader{r: in}
	b := bufio.NewReaderSize(inUTF8(source), 8<<10)
	start, _ := b.Peek(8 << 10)
	text := string(bytes.TrimLeft(start, " \t\r\n"))
	var format epcis.Format
	var whole bool
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		format = epcis.FormatJSON
		whole = jsonEnds(b)
	} else {
		switch {
		case strings.Contains(text, ":xsd:2"):
			format = epcis.FormatXML2
		case strings.Contains(text, ":xsd:1") && strings.Contains(text, `schemaVersion="1.2"`):
			format = epcis.FormatXML12
		case strings.Contains(text, ":xsd:1"):
			format = epcis.FormatXML1
		}
		whole = xmlEnds(b)
	}
	return format, whole, source.err
}

// inUTF8 reads a document without its byte order mark, and one in UTF-16 in UTF-8.
func inUTF8(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(transform.Nop))
}

func jsonEnds(r io.Reader) bool {
	d := json.NewDecoder(r)
	for depth := 0; ; {
		t, err := d.Token()
		if err != nil {
			return false
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			_, err := d.Token()
			return errors.Is(err, io.EOF)
		}
	}
}

func xmlEnds(r io.Reader) bool {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	elements := 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements > 0
		}
		if err != nil {
			return false
		}
		if _, ok := t.(xml.StartElement); ok {
			elements++
		}
	}
}

// errReader remembers that reading failed, which is not the document's fault.
type errReader struct {
	r   io.ReadSeeker
	err error
}

// Seek lets the reader of epcis look for a context that stands behind the events.
func (r *errReader) Seek(offset int64, whence int) (int64, error) { return r.r.Seek(offset, whence) }

func (r *errReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}
