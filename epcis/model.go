// Package epcis is the event model of EPCIS 2.0 with its vocabulary and its checks. All times,
// numbers and booleans stay the text that was captured; extensions are kept with their namespaces,
// without loss.
//
// Package epcisdoc reads and writes documents of any format, epcisxml and epcisjson those of one.
// What they share stands here: Options, Document and Handler for reading, WriteOptions, Head and
// Encoder for writing, Problem for what is wrong.
//
// There are two verdicts. Problem.Severity is ours: what deviates from the schema but can only mean one thing is read and
// reported as a warning; what can mean two things is an error and keeps its event out. Problem.Schema is that of the official
// schema of the format. A warning with Schema is a known harmless deviation and says so. Check is the second half of our
// verdict, for events from anywhere.
package epcis

// Extension is an element or member outside the standard. Text between children is a child named
// #text. An attribute of an element of the standard is an extension of it, too: its name begins with @. An array of JSON that cannot be siblings of one name has an attribute {Name: "[]", Type:
// Empty}, and children named "[]". The comments of the packages epcisxml and epcisjson have the
// whole mapping.
type Extension struct {
	Namespace, Name string
	Type            ValueType // 0: no value of its own
	Text            string
	Attributes      []Extension
	Children        []Extension
}

// ValueType is the type byte of docs/spec.md section 4.2.
type ValueType uint8

// The value types of extensions.
const (
	NoValue ValueType = iota
	Text
	Number
	Boolean
	Null
	Empty
)

// Event is an event of any of the five types. Absent is the zero value.
type Event struct {
	Type                  string // ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, AssociationEvent
	EventTime             string
	RecordTime            string
	EventTimeZoneOffset   string
	EventID               string
	ErrorDeclaration      *ErrorDeclaration
	CertificationInfo     []string
	Action                string
	TransformationID      string
	BizStep               string
	Disposition           string
	PersistentDisposition *PersistentDisposition
	ReadPoint             *Place
	BizLocation           *Place
	BizTransactionList    []BizTransaction
	QuantityList          []Quantity
	ChildQuantityList     []Quantity
	InputQuantityList     []Quantity
	OutputQuantityList    []Quantity
	SourceList            []SourceDest
	DestinationList       []SourceDest
	SensorElementList     []SensorElement
	ILMD                  []Extension
	Extensions            []Extension
	EPCList               []string // as captured
	ParentID              string
	ChildEPCs             []string
	InputEPCList          []string
	OutputEPCList         []string
}

// ErrorDeclaration withdraws an event (EPCIS 2.0 section 7.4.1.2).
type ErrorDeclaration struct {
	DeclarationTime    string
	Reason             string
	CorrectiveEventIDs []string
	Extensions         []Extension
}

// PersistentDisposition of EPCIS 2.0 section 7.3.5.
type PersistentDisposition struct{ Set, Unset []string }

// Place is a read point or business location.
type Place struct {
	ID         string
	Extensions []Extension
}

// BizTransaction is a typed reference to a business document.
type BizTransaction struct{ Type, Value string }

// Quantity is a class-level element.
type Quantity struct{ EPCClass, Quantity, UOM string }

// SourceDest is a typed source or destination.
type SourceDest struct{ Type, Value string }

// SensorElement of EPCIS 2.0 section 7.3.7.
type SensorElement struct {
	Metadata   *SensorMetadata
	Reports    []SensorReport
	Extensions []Extension
}

// SensorMetadata holds what all reports of an element share.
type SensorMetadata struct {
	Time, StartTime, EndTime, DeviceID, DeviceMetadata, RawData, DataProcessingMethod, BizRules string
	Extensions                                                                                  []Extension
}

// SensorReport is one observation.
type SensorReport struct {
	Type, Exception, DeviceID, DeviceMetadata, RawData, DataProcessingMethod, BizRules, Time string
	Microorganism, ChemicalSubstance, CoordinateReferenceSystem                              string
	Value, Component, StringValue, BooleanValue, HexBinaryValue, URIValue                    string
	MinValue, MaxValue, MeanValue, SDev, PercRank, PercValue, UOM                            string
	Extensions                                                                               []Extension
}

// Header is everything of a document around its events.
type Header struct {
	SchemaVersion, CreationDate, Format, ID string
	SBDH                                    *SBDH
	Vocabularies                            []Vocabulary
	Extensions                              []Extension
	TransactionStatement                    string // "true" when the seller affirms it (FD&C Act section 581(27))
	LegalNotice                             string
	// Query is what a query document says beside its events; nil for any other document.
	Query *QueryResults
	// Prefixes are those that the context of a JSON document declares beyond the standard's, and what they stand for.
	Prefixes map[string]string
}

// SBDH is the Standard Business Document Header.
type SBDH struct {
	Senders, Receivers                                                                  []SBDHPartner
	Standard, TypeVersion, InstanceIdentifier, Type, CreationDateAndTime, HeaderVersion string
	Extensions                                                                          []Extension
}

// SBDHPartner is a sender or receiver.
type SBDHPartner struct {
	Authority, Identifier string
	Extensions            []Extension
}

// Vocabulary is a list of master data.
type Vocabulary struct {
	Type       string
	Elements   []VocabularyElement
	Extensions []Extension
}

// VocabularyElement is one master data record.
type VocabularyElement struct {
	ID         string
	Attributes []VocabularyAttribute
	Children   []string
	Extensions []Extension
}

// VocabularyAttribute is one attribute of it.
type VocabularyAttribute struct {
	ID, Text string
	Children []Extension
}
