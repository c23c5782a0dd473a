package epcis

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

	// KeepsAll tells that the caller keeps every event in memory, so that limits on extensions
	// count for the whole document. Parse sets it.
	KeepsAll bool
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
