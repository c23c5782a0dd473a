package epcis

import (
	"bufio"
	"bytes"
	"io"
)

// Namespaces. Prefixes mean nothing: only these do.
const (
	nsDoc1    = "urn:epcglobal:epcis:xsd:1" // EPCIS 1.0, 1.1 and 1.2
	nsDoc2    = "urn:epcglobal:epcis:xsd:2"
	nsQuery1  = "urn:epcglobal:epcis-query:xsd:1"
	nsQuery2  = "urn:epcglobal:epcis-query:xsd:2"
	nsMaster1 = "urn:epcglobal:epcis-masterdata:xsd:1"
	nsMaster2 = "urn:epcglobal:epcis-masterdata:xsd:2"
	nsSBDH    = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
	nsXML     = "http://www.w3.org/XML/1998/namespace"
	nsXSI     = "http://www.w3.org/2001/XMLSchema-instance"
	nsXSD     = "http://www.w3.org/2001/XMLSchema"
	nsSOAP11  = "http://schemas.xmlsoap.org/soap/envelope/"
	nsSOAP12  = "http://www.w3.org/2003/05/soap-envelope"

	// NamespaceHC is GS1 US Healthcare's, usually written gs1ushc (epcis.md section 7).
	NamespaceHC = "http://epcis.gs1us.org/hc/ns"
	// NamespaceMDA is CBV master data as XML writes it. It has two more spellings: see IsMDA.
	NamespaceMDA = "urn:epcglobal:cbv:mda"
)

// MaxEPCs is how many EPCs one event may name, all its lists together: a submission holds no more.
const MaxEPCs = 16384

// Options are the limits of a parse. Zero values stand for the defaults given.
type Options struct {
	MaxBytes      int64 // of the document: 32 MiB
	MaxDepth      int   // of elements: 64
	MaxAttributes int   // of one element: 64
	MaxEvents     int   // of the document: 100,000
	MaxEPCs       int   // of one event: MaxEPCs
	MaxEventBytes int64 // of one event: 4 MiB
	MaxProblems   int   // kept by Parse: 10,000

	// KeepFaulty hands events with errors over too, as far as they could be read; EventAt.Faults tells.
	KeepFaulty bool

	keepsAll bool // the whole document stays in memory: set by Parse
}

func (o Options) withDefaults() Options {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def64(&o.MaxBytes, 32<<20)
	def64(&o.MaxEventBytes, 4<<20)
	def(&o.MaxDepth, 64)
	def(&o.MaxAttributes, 64)
	def(&o.MaxEvents, 100_000)
	def(&o.MaxEPCs, MaxEPCs)
	def(&o.MaxProblems, 10_000)
	return o
}

// EventAt is an event with its place in the document.
type EventAt struct {
	Event        Event
	Index        int    // from 0, in document order; events left out are counted
	Line, Column int    // of its start tag, from 1; the column counts bytes
	Pointer      string // JSON Pointer of it (RFC 6901), of JSON documents
	Faults       int    // problems of severity error; only with Options.KeepFaulty
}

// Document is a parsed document: the events without an error-level problem, and every problem found.
type Document struct {
	Header   Header
	Events   []EventAt
	Problems []Problem
	Rejected int     // events left out because of errors
	Summary  Summary `json:"-"`
}

// Format of a document.
type Format string

// The formats that are read. Those of EPCIS 1.x share a namespace and differ by schemaVersion alone.
const (
	FormatJSON  Format = "jsonld-2.0"
	FormatXML2  Format = "xml-2.0"
	FormatXML12 Format = "xml-1.2"
	FormatXML1  Format = "xml-1.0/1.1"
)

// Summary is what was read.
type Summary struct {
	Format   Format
	Root     string // EPCISDocument, EPCISQueryDocument, EPCISMasterDataDocument, or the type of a single event
	Events   int    // all of them, faulty ones included
	Rejected int    // events with errors
	// SchemaInvalid tells that a Problem with Schema was found: the official schema refuses the document.
	SchemaInvalid bool
	// NoSchema tells that the official schemas say nothing about such a root, a single XML event: SchemaInvalid is false and
	// means nothing.
	NoSchema bool
}

// Handler receives a document piece by piece. Header is called once, before the first event; its target is complete when
// Read returns. A function that is nil is not called.
type Handler struct {
	Header  func(*Header) error
	Event   func(EventAt) error
	Problem func(Problem) error
}

// Read reads an EPCIS document of any format, told by its content, in bounded memory. What was received counts only when
// it returns nil: a document can turn out not to be well-formed behind its last event.
func Read(r io.Reader, opt Options, h Handler) (Summary, error) {
	in := bufio.NewReaderSize(r, readAhead)
	head, _ := in.Peek(512) // a read error comes again later
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), blank)
	if len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		return readJSON(in, r, opt.withDefaults(), h)
	}
	return readXML(in, opt.withDefaults(), h)
}

// Parse reads an EPCIS document of any format. A document that is not well-formed or
// not EPCIS fails as a whole with a *ParseError. An event with an error-level problem is reported and left out,
// so that the caller can choose between refusing the document and going on with the rest.
func Parse(r io.Reader, opt Options) (*Document, error) {
	opt = opt.withDefaults()
	opt.keepsAll = true
	doc := &Document{}
	more, schema := 0, false
	header := &Header{}
	var err error
	doc.Summary, err = Read(r, opt, Handler{
		Header: func(h *Header) error { header = h; return nil },
		Event:  func(e EventAt) error { doc.Events = append(doc.Events, e); return nil },
		Problem: func(p Problem) error {
			if len(doc.Problems) < opt.MaxProblems {
				doc.Problems = append(doc.Problems, p)
			} else {
				more++
				schema = schema || p.Schema
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	if more > 0 {
		doc.Problems = append(doc.Problems, Problem{
			Severity: SeverityWarning, Code: CodeTruncated, Event: -1, Schema: schema,
			Message: "there are " + itoa(more) + " more problems", Hint: "repair those above and send the document again",
		})
	}
	doc.Header, doc.Rejected = *header, doc.Summary.Rejected
	return doc, nil
}
