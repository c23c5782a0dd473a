// Package epcisjson reads and writes EPCIS 2.0 in JSON and JSON-LD. Read keeps one event and the
// header in memory, Parse the whole document. How JSON maps to the model, where the model leaves a
// choice; writing is the reverse:
//
//   - What is read. A document (EPCISDocument, EPCISQueryDocument) or one bare event; drafts from before 2022, with isA
//     for type and event for eventList. A list of one may be written without its brackets, a number or boolean stands
//     for its text, a place may be its id alone: each is read as meant and reported, because the official schema refuses
//     it. A repeated member name is refused with the document: which one counts, JSON does not say.
//   - Names. An extension `prefix:name` has the IRI that @context declares for the prefix as its namespace, exactly as
//     declared; the prefixes of the official context (cbvmda, cbv, gs1, epcis, …) always hold. With no such prefix the
//     key is a URI: it is split behind its last "#", "/" or ":", and what stands before, the separator included, is the
//     namespace. A key without any of these has no namespace, unless @context defines it as a term.
//   - Contexts of the document, its body, an event or an object inside are honoured, from their own text alone: nothing
//     is fetched. Another name for a standard member ("myStep": "bizStep" or {"@id": "epcis:bizStep"}) is understood.
//   - Values. A string is Text ("" is Empty), a number is Number with its digits as they stand there, true and false are
//     Boolean, null is Null. An object is NoValue with its members as Children.
//   - Arrays. Two or more strings, numbers, booleans or objects are siblings of one name. Every other array (empty, of
//     one, holding arrays or null) is one extension, whose only attribute is {Name: "[]", Type: Empty}, with the elements
//     as Children named "[]". A list of one that is a judged field of an ILMD (IsJudgedILMD) is the plain value.
//   - Attributes. In an object of an extension, "@name" and "@prefix:name" with a scalar are the attributes XML has
//     there; so are @type, @id and @value. "#text" is the text beside them, or between children.
//   - White space around a standard value is not part of it. null in the place of a standard value is no value.
//   - Header. sender, receiver and instanceIdentifier are those of the SBDH; epcisMasterData is Vocabularies;
//     dscsaTransactionStatement of GS1 US Healthcare is TransactionStatement and LegalNotice wherever in the header or
//     at the root it stands. Further members of both, of the body and of query results are Extensions.
//   - Order. @context counts for its whole object. In its own object it may come late when the document is small
//     (4 MiB) or can be read twice (io.Seeker); in a larger stream whose @context comes behind the events, every event
//     that needs it is an error, never a guess. An object inside an event has to begin with its @context.
//
// A Problem with Schema says that the official JSON Schema, with the formats uri and date-time asserted, refuses the
// document; without one it accepts it. schema_test.go holds the two against each other.
package epcisjson

import (
	"bufio"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/xsd"
)

const bom = "\xEF\xBB\xBF"

// parser reads EPCIS JSON into the model. Every method that reads a value is called before it, when nothing or a
// member name was read, and returns behind it.
type parser struct {
	*scanner
	opt    epcis.Options
	source io.Reader // an io.Seeker, for a second pass; nil: none
	start  int64     // of the document in it
	header epcis.Header
	to     epcis.Handler
	sum    epcis.Summary
	err    error // of Handler.Problem

	ctx       *context
	ctxRaw    string   // of the last extension of a context, which is usually the next one too
	ctxOf     *context // what it extended
	ctxMade   *context
	ctxGiven  bool // @context of the root was read
	ctxAhead  bool // it was found by reading ahead
	ahead     *context
	ctxNeeded bool // something needed it before it was read
	ctxLate   bool // and it could not be found

	undeclared map[string]bool // prefixes, told once each

	words    map[string]*word
	recent   [256]*word
	uriStart string // see isURI
	check    epcis.Checker
	nodes    int
	root     rootState

	headerSent bool
	rejected   int
	index      int // of the next event
	ordinal    map[string]int

	// The event list being read.
	listPath, listPointer string

	eventState
}

// word is a text that occurs often, with what is known about it.
type word struct {
	text          string
	judged, taken uint32 // by rule, a bit for each
	field         field.ID
	context       *context // of which name is
	name          qname
}

// Limits on what is remembered of words.
const (
	maxWords = 4096
	maxWord  = 256
)

// Read reads an EPCIS document in JSON, in bounded memory. What was received counts only when it
// returns nil: a document can turn out not to be well-formed behind its last event. Of a reader
// that is an io.Seeker, a late @context is found by reading the document twice.
func Read(r io.Reader, opt epcis.Options, h epcis.Handler) (epcis.Summary, error) {
	in := bufio.NewReaderSize(r, reading.ReadAhead)
	p := &parser{
		opt: reading.Defaults(opt), to: h, ctx: baseContext, words: map[string]*word{}, ordinal: map[string]int{},
		sum: epcis.Summary{Format: epcis.FormatJSON},
	}
	p.header.Format = string(epcis.FormatJSON)
	if s, ok := r.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			p.source, p.start = r, at-int64(in.Buffered())
		}
	}
	head, _ := in.Peek(3) // a read error comes again with the first token
	switch {
	case len(head) > 1 && (head[0] == 0 || head[1] == 0 || head[0] >= 0xFE):
		return p.sum, &epcis.ParseError{
			Code: epcis.CodeMalformed, Line: 1, Column: 1,
			Message: "the document is encoded in UTF-16 or UTF-32", Hint: "save it as UTF-8: JSON is exchanged in no other encoding (RFC 8259 section 8.1)",
		}
	case string(head) == bom:
		_, _ = in.Discard(len(bom))
		p.start += int64(len(bom))
	}
	p.scanner = newScanner(in, &p.opt)
	if string(head) == bom {
		p.at = pos{1, 1}
		p.warn(epcis.CodeBOM, "the document begins with a byte order mark", "leave it out: JSON has none")
	}
	err := p.document()
	p.sum.Events, p.sum.Rejected = p.index, p.rejected
	return p.sum, err
}

// Parse reads a whole document. One that is not well-formed or not EPCIS fails with a *ParseError.
// An event with an error-level problem is reported and left out.
func Parse(r io.Reader, opt epcis.Options) (*epcis.Document, error) {
	return reading.Collect(r, opt, Read)
}

// problem reports what is wrong at the last token: in an event with it, elsewhere at once.
func (p *parser) problem(sev epcis.Severity, code, message, hint string, schema bool) {
	if p.inEvent {
		p.found(sev, code, message, hint, schema)
		return
	}
	pointer := string(p.dec.StackPointer())
	p.tell(epcis.Problem{
		Severity: sev, Code: code, Line: p.at.line, Column: p.at.col, Pointer: pointer, Path: strings.TrimPrefix(pointer, "/"),
		Message: message, Hint: hint, Event: -1, Schema: schema,
	})
}

func (p *parser) tell(pr epcis.Problem) {
	p.sum.SchemaInvalid = p.sum.SchemaInvalid || pr.Schema
	if p.to.Problem != nil && p.err == nil {
		p.err = p.to.Problem(pr)
	}
}

// warn reports what the schema accepts; refuse what it does not; fault what we do not accept either.
func (p *parser) warn(code, message, hint string) {
	p.problem(epcis.SeverityWarning, code, message, hint, false)
}

// drop warns of something that is not kept.
func (p *parser) drop(code, message, hint string) {
	pointer := string(p.dec.StackPointer())
	p.tell(epcis.Problem{
		Severity: epcis.SeverityWarning, Code: code, Line: p.at.line, Column: p.at.col, Pointer: pointer, Path: strings.TrimPrefix(pointer, "/"),
		Message: message, Hint: hint, Event: -1, Dropped: true,
	})
}

func (p *parser) refuse(code, message, hint string) {
	p.problem(epcis.SeverityWarning, code, message, hint, true)
}

func (p *parser) fault(code, message, hint string) {
	p.problem(epcis.SeverityError, code, message, hint, true)
}

func (p *parser) node(weight int) error {
	if !p.inEvent || p.opt.KeepsAll { // what is not in memory any more does not count
		if p.nodes += weight; p.nodes > reading.MaxDocumentNodes {
			return p.exceeded("the document has more than %d extension elements, attributes or sensor data", reading.MaxDocumentNodes)
		}
	}
	if p.nodesIn += weight; p.inEvent && p.nodesIn > reading.MaxEventNodes {
		return reading.ErrEventTooLarge
	}
	return nil
}

func (p *parser) word(b []byte) *word {
	// The dozen words of an event come again and again: one comparison finds them.
	recent := &p.recent[0]
	if n := len(b); n > 0 {
		recent = &p.recent[(n+int(b[0])*5+int(b[n/2])*17+int(b[n-1])*31)%len(p.recent)]
	}
	if *recent != nil && (*recent).text == string(b) {
		return *recent
	}
	w := p.remember(b)
	*recent = w
	return w
}

func (p *parser) remember(b []byte) *word {
	if w, ok := p.words[string(b)]; ok {
		return w
	}
	w := &word{text: string(b)}
	if id, ok := field.IDs[w.text]; ok && id < field.EPCClass {
		w.field = id
	}
	if len(p.words) < maxWords && len(b) <= maxWord {
		p.words[w.text] = w
	}
	return w
}

// intern is word for texts that no rule judges.
func (p *parser) intern(b []byte) string {
	if len(p.words) >= maxWords || len(b) > maxWord {
		if w, ok := p.words[string(b)]; ok {
			return w.text
		}
		return string(b)
	}
	return p.word(b).text
}

// takes is rule.takes with a memory.
func (w *word) takes(r rule) bool {
	bit := uint32(1) << r
	if w.judged&bit == 0 {
		w.judged |= bit
		if r.takes([]byte(w.text)) {
			w.taken |= bit
		}
	}
	return w.taken&bit != 0
}

// object reads an object. fn reads the value of one member.
func (p *parser) object(fn func(key *word) error) error {
	if err := p.open(); err != nil {
		return err
	}
	for {
		switch p.peek() {
		case '}':
			if err := p.close(); err != nil {
				return err
			}
			return p.err
		default:
			b, err := p.str()
			if err != nil {
				return err
			}
			if err := fn(p.word(b)); err != nil {
				return err
			}
		}
	}
}

// array reads an array, or one value that stands where an array should. fn reads one element.
func (p *parser) array(fn func() error) error {
	switch p.peek() {
	case '[':
	case 'n':
		_, err := p.text(ruleText)
		return err
	default:
		at := p.at
		p.refuse(epcis.CodeContent, "a value stands where a list should", "put it into brackets: [ ]")
		p.single = true
		err := fn()
		p.single, p.at = false, at
		return err
	}
	if err := p.open(); err != nil {
		return err
	}
	for p.peek() != ']' {
		if err := fn(); err != nil {
			return err
		}
	}
	if err := p.close(); err != nil {
		return err
	}
	return p.err
}

// text reads a standard value that is a string. What the schema refuses is reported.
func (p *parser) text(r rule) (string, error) {
	switch p.peek() {
	case '"':
		b, err := p.str()
		if err != nil {
			return "", err
		}
		if r == ruleText {
			return string(b), nil
		}
		w := p.word(b)
		if !w.takes(r) {
			p.refused(r, b)
			return strings.Trim(w.text, xsd.Blank), nil
		}
		return w.text, nil
	case '0', 't', 'f':
		b, err := p.raw()
		if err != nil {
			return "", err
		}
		s := string(b)
		p.refuse(epcis.CodeContent, s+" is no string", "write "+excerpt.Quote(s)+", in quotes")
		return s, nil
	case 'n':
		_, err := p.raw()
		p.refuse(epcis.CodeFieldEmpty, "the value is null", "leave the member out; it was read as absent")
		return "", err
	case '[':
		return p.textOfOne(r)
	default:
		return "", p.misfit("a value")
	}
}

// own is text for values of which hardly two are the same.
func (p *parser) own(r rule) (string, error) {
	if p.peek() != '"' {
		return p.text(r)
	}
	b, err := p.str()
	if err != nil {
		return "", err
	}
	if !r.takes(b) {
		p.refused(r, b)
	}
	return string(xsd.Trim(b)), nil
}

// refused reports a text that a rule does not take.
func (p *parser) refused(r rule, b []byte) {
	if len(xsd.Trim(b)) == 0 {
		p.refuse(epcis.CodeFieldEmpty, "the value is empty", "leave the member out; it was read as absent")
		return
	}
	code, message, hint := r.refusal(string(b))
	p.refuse(code, message, hint)
}

// textOfOne reads a list of one string as that string.
func (p *parser) textOfOne(r rule) (s string, err error) {
	if err := p.open(); err != nil {
		return "", err
	}
	if p.peek() == '"' {
		if s, err = p.text(r); err != nil {
			return "", err
		}
		if p.peek() == ']' {
			p.refuse(epcis.CodeContent, "a list stands where one value should", "leave the brackets out")
			return s, p.close()
		}
	}
	p.fault(epcis.CodeContent, "a list stands where one value should", "write one value as a string")
	return "", p.unwind(p.depth - 1)
}

// misfit refuses and skips the value that comes.
func (p *parser) misfit(want string) error {
	kind := p.peek()
	what := map[jsontext.Kind]string{'{': "an object", '[': "a list", '"': "a string", '0': "a number", 't': "a boolean", 'f': "a boolean", 'n': "null"}[kind]
	depth := p.depth
	var err error
	if kind == '{' || kind == '[' {
		err = p.open()
	} else {
		_, err = p.raw()
	}
	if err != nil {
		return err
	}
	p.fault(epcis.CodeContent, what+" stands where "+want+" should", "write "+want+"; this was not kept")
	return p.unwind(depth)
}
