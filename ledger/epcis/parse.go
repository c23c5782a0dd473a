package epcis

import "io"

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

	// OnProblem receives the problems of ParseStream in document order, those of an event before the event. Its
	// error ends the parse. Parse does not call it.
	OnProblem func(Problem) error
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
	Index        int // from 0, in document order; events left out are counted
	Line, Column int // of its start tag, from 1; the column counts bytes
}

// Document is a parsed document: the events without an error-level problem, and every problem found.
type Document struct {
	Header   Header
	Events   []EventAt
	Problems []Problem
	Rejected int // events left out because of errors
}

// Parse reads an EPCIS XML document: 1.0 to 1.2, and 2.0 as far as it is alike. A document that is not well-formed or
// not EPCIS fails as a whole with a *ParseError. An event with an error-level problem is reported and left out,
// so that the caller can choose between refusing the document and going on with the rest.
func Parse(r io.Reader, opt Options) (*Document, error) {
	opt = opt.withDefaults()
	doc := &Document{}
	more := 0
	opt.OnProblem = func(p Problem) error {
		if len(doc.Problems) < opt.MaxProblems {
			doc.Problems = append(doc.Problems, p)
		} else {
			more++
		}
		return nil
	}
	p, err := newParser(r, opt,
		func(*Header) error { return nil },
		func(e EventAt) error { doc.Events = append(doc.Events, e); return nil })
	if err != nil {
		return nil, err
	}
	if err := p.document(); err != nil {
		return nil, err
	}
	if more > 0 {
		doc.Problems = append(doc.Problems, Problem{
			Severity: SeverityWarning, Code: CodeTruncated, Event: -1,
			Message: "there are " + itoa(more) + " more problems", Hint: "repair those above and send the document again",
		})
	}
	doc.Header, doc.Rejected = p.header, p.rejected
	return doc, nil
}

// ParseStream is Parse for documents that should not be held in memory. It calls header once, before the first
// event, and event for every good event; an error of theirs ends the parse and is returned as it is. The pointer
// given to header stays valid, and its target is complete when ParseStream returns: in a document with the header
// behind the body, it is empty before. A document can turn out not to be well-formed behind its last event, so what
// was received counts only when ParseStream returns nil.
func ParseStream(r io.Reader, opt Options, header func(*Header) error, event func(EventAt) error) error {
	p, err := newParser(r, opt.withDefaults(), header, event)
	if err != nil {
		return err
	}
	return p.document()
}
