package epcis

import "verilot.dev/epcis/gs1"

// CodeNotConvertible is what a format cannot hold of what is written to it. Problem.Schema tells the two cases apart: with
// it, all was written, but the official schema of the format refuses the document for it; without it, something was
// changed or left out.
const CodeNotConvertible = "not_convertible"

// WriteOptions say how events are written. The zero value of everything but Format is a good choice.
type WriteOptions struct {
	Format Format  // FormatJSON, FormatXML2 or FormatXML12
	EPC    EPCForm // of identifiers of things, classes, places and parties
	// PrefixLength tells how many digits the company prefix of a key has, when that is known. Without it only identifiers
	// captured as URNs are written as URNs: a length is never guessed.
	PrefixLength func(gs1.Key) (int, bool)
	CBV          CBVForm // of standard values in XML
	Indent       bool
	// CreationDate is for documents whose source tells none, such as a single event: there is no
	// clock here.
	CreationDate string
}

// QueryResults are what an EPCISQueryDocument says beside its events.
type QueryResults struct{ Name, SubscriptionID string }

// Head is what a document begins with. What is left out is not written; a schema may miss it.
type Head struct {
	Header       *Header
	CreationDate string        // "": the header's
	Query        *QueryResults // makes the document an EPCISQueryDocument
	// Namespaces are prefixes for namespaces of extensions, declared at the beginning of the document, before those of
	// Header.Prefixes. Others are declared there when the header or the first event has them, else on the event, as ns1, ns2….
	Namespaces map[string]string

	// Declare are events whose namespaces are declared at the beginning too, before those of
	// Namespaces.
	Declare []*Event
	// MasterData makes XML an EPCISMasterDataDocument, if there are no events.
	MasterData bool
}

// Encoder writes a document, event by event. Nothing is written before the first event or Close.
type Encoder interface {
	// Event writes one event. recordTime takes the place of the event's own, unless it is empty.
	Event(e *Event, recordTime string) error
	// Losses are what the format could not hold of what was written so far.
	Losses() []Problem
	// Close ends the document and says what of it the format could not hold.
	Close() (losses []Problem, err error)
}

// EPCForm says how identifiers are written (GS1-EPC-Format of the REST interface).
type EPCForm uint8

// The forms. An identifier that is in the form asked for already is left as it is; one that GS1 does not define stands in
// every form for itself.
const (
	// AsCaptured changes nothing. Only XML 1.2, which is older than Digital Links, asks for URNs all the same.
	AsCaptured EPCForm = iota
	// DigitalLink is the canonical address on id.gs1.org, which every GS1 key has.
	DigitalLink
	// URN is the EPC URN. A Digital Link can be one only when the length of its company prefix is known.
	URN
)

// CBVForm says how XML writes standard values (GS1-CBV-XML-Format of the REST interface). JSON has one way: bare words.
type CBVForm uint8

// The forms.
const (
	// CBVDefault is what partners expect: in XML 1.2 URNs; in XML 2.0 URNs for what was captured as a bare word or CURIE, and
	// URIs as captured. Sensor values are written as GS1's examples do, gs1:Temperature and cbv:Comp-x.
	CBVDefault CBVForm = iota
	CBVWebURI
	CBVURN
	CBVAsCaptured
)
