package epcis

import (
	"fmt"
)

// Severity of a problem.
type Severity string

// An error keeps its event out; a warning does not.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Codes of problems and parse errors. They are stable; texts are not. The two in capitals are findings of the DSCSA
// rules (docs/dscsa.md section 7) that can be seen without the ledger.
const (
	// Of the document as a whole.
	CodeMalformed          = "document_malformed"
	CodeNotEPCIS           = "not_epcis"
	CodeUnsupportedVersion = "unsupported_version"
	CodeDocumentTooLarge   = "document_too_large"
	CodeLimit              = "limit_exceeded" // depth, attributes, length of one token

	// Of an event: errors.
	CodeEventTooLarge   = "event_too_large"
	CodeEventUnknown    = "event_unknown"     // no event type of EPCIS
	CodeFieldRepeated   = "field_repeated"    // two readings
	CodeFieldNotAllowed = "field_not_allowed" // this event type has no such field
	CodeContent         = "content_unexpected"
	CodeEPCInvalid      = "epc_invalid"
	CodeEPCClass        = "epc_class" // a class or a place in a list of things; a warning where no rule of DSCSA is broken
	CodeEPCDuplicate    = "epc_duplicate"
	CodeOffsetInvalid   = "offset_invalid"
	CodeActionInvalid   = "action_invalid"
	CodeILMDNotAllowed  = "ilmd_not_allowed"
	CodeExpiryInvalid   = "expiry_invalid"
	CodeEventInvalid    = "event_invalid" // the fields do not go together
	CodeEventIDRepeated = "event_id_repeated"

	// Errors or warnings, by field.
	CodeFieldMissing = "field_missing"
	CodeFieldInvalid = "field_invalid"
	CodeTimeInvalid  = "time_invalid"

	// Warnings: read as meant.
	CodeFieldEmpty      = "field_empty"
	CodeFieldOrder      = "field_order"
	CodeFieldMisplaced  = "field_misplaced"
	CodeFieldUnknown    = "field_unknown"
	CodeEventMisplaced  = "event_misplaced"
	CodeEventDeprecated = "event_deprecated"
	CodeEventEmpty      = "event_empty"
	CodeNamespace       = "namespace_unexpected"
	CodeText            = "text_ignored"
	CodeAttribute       = "attribute_ignored"
	CodeElement         = "element_ignored"
	CodeIDInvalid       = "id_invalid"
	CodeSBDH            = "sbdh_incomplete"
	CodeZoneless        = "zone_missing"
	CodeDoctype         = "doctype_ignored"
	CodeEncoding        = "encoding_unexpected" // the document says that it is encoded otherwise than it is
	CodeTZMissing       = "TZ_MISSING"
	CodeCBVUnknown      = "CBV_UNKNOWN"
	CodeTruncated       = "problems_truncated"
)

// Codes of problems that only JSON has.
const (
	CodeContext = "context_unexpected" // @context is late, redefines a protected prefix, or lies elsewhere
	CodeBOM     = "byte_order_mark"
)

// Problem is one thing wrong with a document, told so that its sender can repair it.
type Problem struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Line     int      `json:"line,omitempty"`   // 0: not from a document
	Column   int      `json:"column,omitempty"` // in bytes
	Path     string   `json:"path,omitempty"`   // EPCISBody/EventList/ObjectEvent[3]/eventTime
	Message  string   `json:"message"`          // what is wrong
	Hint     string   `json:"hint,omitempty"`   // what to do
	Event    int      `json:"event"`            // index of the event, -1: the document
	// Pointer is the place as a JSON Pointer (RFC 6901), for JSON documents.
	Pointer string `json:"pointer,omitempty"`
	// Schema tells that the official schema of the document's format refuses it for this; Severity is our own verdict.
	Schema bool `json:"schema,omitempty"`
	// Dropped tells that something that stands in the document is not in what was read.
	Dropped bool `json:"dropped,omitempty"`
}

// String is one line for a terminal.
func (p Problem) String() string {
	s := fmt.Sprintf("%s %s: %s", p.Severity, p.Code, p.Message)
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Line > 0 {
		s = fmt.Sprintf("%d:%d: %s", p.Line, p.Column, s)
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// ParseError says why a document cannot be read at all.
type ParseError struct {
	Code         string
	Line, Column int
	Message      string
	Hint         string
}

func (e *ParseError) Error() string {
	s := fmt.Sprintf("line %d, column %d: %s: %s", e.Line, e.Column, e.Code, e.Message)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}
