// Package epcisxml reads and writes EPCIS in XML. It reads the versions 1.0 to 1.2 and 2.0:
// documents, query documents, master data documents, the results of a query alone, a single event,
// and each of these in a SOAP envelope, 1.1 or 1.2, in UTF-8, UTF-16, ISO-8859-1 and -15, windows-1252 or US-ASCII. It
// writes 1.2 and 2.0.
//
// Reading trusts nothing: the document is bounded in every direction, declares no document type,
// and is read by namespace and local name, never by prefix. Read keeps one event and the header in
// memory, Parse the whole document.
//
// Problem.Schema is the verdict of the official XML Schemas, 1.2 and 2.0, which a judge follows
// beside the reader, element by element, with a table of what they say: order and number of
// elements, forms of values, attributes, wildcards, xsi:type. It agrees with xmllint on every
// example and on many thousands of damaged documents (TestXMLLint), but for white space around a
// date, which XML Schema collapses and libxml2 refuses. A single event has no official schema:
// Summary.NoSchema.
//
// How XML maps to the model, where the model leaves a choice:
//
//   - White space around a standard value is not part of it. The text of an extension is kept exactly.
//   - The wrappers baseExtension and extension of 1.x are looked through: their content is where 2.0 has it.
//   - An extension element with text alone is Text, with nothing Empty, with children NoValue. Text between children
//     is a child named #text, unless it is white space. Attributes are Text or Empty. Namespace declarations are not
//     attributes. The value of xsi:type is a name: it is written xsd:… for XML Schema's types, {namespace}… for others.
//   - An unqualified element that the standard does not know is an extension without namespace.
//   - A QuantityEvent is an ObjectEvent with action OBSERVE and one quantity. A quantity that is nil is absent.
//   - Foreign elements beside or in EPCISBody, and what stands in the extension of document, body or event list, are
//     Header.Extensions.
//   - An attribute that the standard does not name, on an element of it, is an extension of the nearest part that has some:
//     its name begins with @. One on an element without extensions, such as epc, is not kept, which is told.
//   - A single event takes its version from its namespace, or one declared on it, or schemaVersion; of one without any of
//     these, fields and wrappers of both versions are read.
package epcisxml

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// parser reads EPCIS XML into the model. Elements without a namespace and elements in an EPCIS namespace are
// standard, everything else is an extension. Every method that reads an element is called behind its start tag and
// returns behind its end tag.
type parser struct {
	*scanner
	opt    epcis.Options
	header epcis.Header
	to     epcis.Handler
	sum    epcis.Summary

	version    int    // of the namespace: 1 or 2
	bare       bool   // the root is an event
	anyVersion bool   // of which nothing tells the version
	wrapped    bool   // a wrapper of 1.x was seen
	list       string // path of the event list
	headerDone bool
	bodySeen   bool
	headerSent bool
	qualified  bool // namespace_unexpected was reported
	rejected   int
	index      int // of the next event
	ordinal    map[string]int
	buf        []byte
	interned   map[string]string
	check      epcis.Checker
	judge      judge
	nodes      int   // see node
	err        error // of Handler.Problem

	// The event being read.
	layout     *field.Layout
	eventAt    pos
	eventDepth int  // of the judge, inside it
	unlisted   bool // a problem that was not told any more is one of the schema's
	path       string
	faults     int
	warnings   int
	units      int
	nodesIn    int
	rank       int
	disorder   bool
	seen       [field.Count]bool
	field      [field.Count]pos
	items      [field.Count][]pos
}

// node counts an extension, or something as large as several of them. What is not in memory any more does not count.
func (p *parser) node(weight int) error {
	if p.layout == nil || p.opt.KeepsAll {
		if p.nodes += weight; p.nodes > reading.MaxDocumentNodes {
			return p.exceeded("the document has more than %d extension elements, attributes or sensor data", reading.MaxDocumentNodes)
		}
	}
	if p.nodesIn += weight; p.layout != nil && p.nodesIn > reading.MaxEventNodes {
		return reading.ErrEventTooLarge
	}
	return nil
}

// Read reads an EPCIS document in XML, in bounded memory. What was received counts only when it
// returns nil: a document can turn out not to be well-formed behind its last event.
func Read(r io.Reader, opt epcis.Options, h epcis.Handler) (epcis.Summary, error) {
	opt = reading.Defaults(opt)
	p := &parser{scanner: newScanner(r, &opt), opt: opt, to: h, ordinal: map[string]int{}, interned: map[string]string{}}
	err := p.document()
	p.sum.Events, p.sum.Rejected = p.index, p.rejected
	p.sum.SchemaInvalid = p.judge.refused && !p.sum.NoSchema
	return p.sum, err
}

// Parse reads a whole document. One that is not well-formed or not EPCIS fails with a *ParseError.
// An event with an error-level problem is reported and left out.
func Parse(r io.Reader, opt epcis.Options) (*epcis.Document, error) {
	return reading.Collect(r, opt, Read)
}

// next moves to the next token and has it judged.
func (p *parser) next() error {
	if err := p.scanner.next(); err != nil {
		return err
	}
	if p.judge.set != nil {
		p.judgeToken()
	}
	return nil
}

// std returns the local name of a standard element, "" for any other.
func (p *parser) std() string {
	switch p.name.Space {
	case "":
		return p.name.Local
	case xmlns.EPCIS1, xmlns.EPCIS2:
		if !p.qualified {
			p.qualified = true
			p.warn(p.at, epcis.CodeNamespace, p.name.Local,
				"<"+p.name.Local+"> is in the namespace "+p.name.Space+", where only the root belongs",
				hintQualified)
		}
		return p.name.Local
	case xmlns.Query1, xmlns.Query2, xmlns.MasterData1, xmlns.MasterData2:
		return p.name.Local
	}
	return ""
}

// problem tells what the reader has found, with what the judge has found about it.
func (p *parser) problem(at pos, pr epcis.Problem) {
	if len(p.judge.pending) > 0 && p.claim(at, &pr) {
		pr.Schema = true
	}
	p.emit(at, pr)
}

func (p *parser) emit(at pos, pr epcis.Problem) {
	pr.Line, pr.Column = at.line, at.col
	pr.Event = -1
	if p.sum.NoSchema {
		pr.Schema = false
	}
	if pr.Schema && pr.Severity == epcis.SeverityWarning && !strings.Contains(pr.Hint, "not kept") {
		pr.Hint = "known harmless deviation; " + pr.Hint
	}
	if p.layout != nil {
		pr.Event = p.index
		told := &p.warnings
		if pr.Severity == epcis.SeverityError {
			told = &p.faults
		}
		if *told++; *told > reading.MaxEventProblems {
			p.unlisted = p.unlisted || pr.Schema
			return
		}
		if pr.Path == "" {
			pr.Path = p.path
		} else {
			pr.Path = p.path + "/" + pr.Path
		}
	}
	if p.to.Problem != nil && p.err == nil {
		p.err = p.to.Problem(pr)
	}
}

func (p *parser) warn(at pos, code, path, message, hint string) {
	p.problem(at, epcis.Problem{Severity: epcis.SeverityWarning, Code: code, Path: path, Message: message, Hint: hint})
}

// drop warns of something that is not kept.
func (p *parser) drop(at pos, code, path, message, hint string) {
	p.problem(at, epcis.Problem{Severity: epcis.SeverityWarning, Code: code, Path: path, Message: message, Hint: hint, Dropped: true})
}

func (p *parser) fault(at pos, code, path, message, hint string) {
	p.problem(at, epcis.Problem{Severity: epcis.SeverityError, Code: code, Path: path, Message: message, Hint: hint})
}

// each reads the children of an element that holds only elements. fn reads one child; p.at is its start.
func (p *parser) each(path string, fn func() error) error {
	told := false
	for {
		if err := p.next(); err != nil {
			return err
		}
		switch p.kind {
		case tokenStart:
			if err := fn(); err != nil {
				return err
			}
		case tokenText:
			if !told && !xsd.IsBlank(p.text) {
				told = true
				p.drop(p.at, epcis.CodeText, path, "bare text "+excerpt.Quote(string(xsd.Trim(p.text)))+" stands where only elements may", "remove it; it was not kept")
			}
		case tokenEnd:
			return p.err
		case tokenEOF:
			return nil
		}
	}
}

// skip passes over the rest of an element.
func (p *parser) skip() error { return p.unwind(len(p.frames) - 1) }

// unwind passes over everything until depth elements are open.
func (p *parser) unwind(depth int) error {
	for len(p.frames) > depth {
		if err := p.next(); err != nil {
			return err
		}
	}
	return nil
}

// raw reads a leaf. The result is valid until the next read.
func (p *parser) raw(path string) ([]byte, error) {
	p.buf = p.buf[:0]
	for {
		if err := p.next(); err != nil {
			return nil, err
		}
		switch p.kind {
		case tokenText:
			p.buf = append(p.buf, p.text...)
		case tokenStart:
			p.fault(p.at, epcis.CodeContent, path, "the element <"+excerpt.Clip(p.name.Local)+"> stands where a value should", "write the value as text")
			if err := p.skip(); err != nil {
				return nil, err
			}
		default:
			return p.buf, nil
		}
	}
}

// value reads a standard value: without white space around it.
func (p *parser) value(path string) (string, error) {
	b, err := p.raw(path)
	return string(xsd.Trim(b)), err
}

// word reads a value of which a document has few different ones.
func (p *parser) word(path string) (string, error) {
	b, err := p.raw(path)
	return p.intern(xsd.Trim(b)), err
}

func (p *parser) intern(b []byte) string {
	if s, ok := p.interned[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(p.interned) < 4096 && len(s) <= 256 {
		p.interned[s] = s
	}
	return s
}

// attr returns a standard attribute of the current start tag, or the one that was meant to be it.
func (p *parser) attr(name string) string {
	meant := ""
	for _, a := range p.attrs {
		switch {
		case a.Name.Space != "":
		case a.Name.Local == name:
			return strings.Trim(a.Value, xsd.Blank)
		case meant == "" && vocabulary.IsNear(a.Name.Local, name):
			meant = strings.Trim(a.Value, xsd.Blank)
		}
	}
	return meant
}

// isNil reports whether the current start tag says that there is no value.
func (p *parser) isNil() bool {
	for _, a := range p.attrs {
		if v := strings.Trim(a.Value, xsd.Blank); a.Name.Space == xmlns.XSI && a.Name.Local == "nil" && (v == "true" || v == "1") {
			return true
		}
	}
	return false
}

// onlyAttrs keeps the attributes that the standard does not name as extensions in list, and reports those that it has no
// place for: all, when list is nil.
func (p *parser) onlyAttrs(list *[]epcis.Extension, path string, known ...string) error {
	for i, a := range p.attrs {
		if a.Name.Space == xmlns.XSI { // schemaLocation, a redundant type
			continue
		}
		if a.Name.Space == "" && slices.Contains(known, a.Name.Local) {
			continue
		}
		told := p.judge.set != nil && p.judge.attrBad&(1<<(i&63)) != 0 // by the judge
		label := excerpt.Clip(p.name.Local)
		quoted := "the attribute " + excerpt.Quote(a.Name.Local)
		if a.Name.Space == "" {
			if name := vocabulary.Near(a.Name.Local, known); name != "" {
				if !slices.ContainsFunc(p.attrs, func(b xml.Attr) bool { return b.Name.Space == "" && b.Name.Local == name }) {
					hint := "was " + name + " meant? It was read as " + name
					p.keptAttribute(a.Name.Local, hint)
					if !told {
						p.warn(p.at, epcis.CodeFieldUnknown, path, quoted+" does not belong on <"+label+">", hint)
					}
					continue
				}
				p.fault(p.at, epcis.CodeFieldRepeated, path, quoted+" stands beside "+name, "was "+name+" meant? Keep one")
				continue
			}
		}
		if list == nil {
			if !told {
				p.drop(p.at, epcis.CodeAttribute, path, quoted+" does not belong on <"+label+">", "remove it; it was not kept")
			}
			continue
		}
		if err := p.node(1); err != nil {
			return err
		}
		x := p.attribute(a)
		x.Name = "@" + x.Name
		*list = append(*list, x)
		if told {
			p.keptAttribute(a.Name.Local, "remove it; it was kept as an extension")
		}
	}
	return nil
}
