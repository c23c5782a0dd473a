package epcis

import (
	"strconv"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// terms checks the standard values of an event. A word that CBV does not have is read as a value of somebody else's, so
// that it has no effect: its sender has to know.
func (c *Checker) terms(e *Event, report report) {
	if e.BizStep != "" && !KnownStep(e.BizStep) {
		report(SeverityWarning, CodeCBVUnknown, field.BizStep, -1, excerpt.Quote(e.BizStep)+" is not a business step of CBV", near(NearestStep(e.BizStep)))
	}
	if e.Disposition != "" && !KnownDisposition(e.Disposition) {
		report(SeverityWarning, CodeCBVUnknown, field.Disposition, -1, excerpt.Quote(e.Disposition)+" is not a disposition of CBV", near(NearestDisposition(e.Disposition)))
	}
	if p := e.PersistentDisposition; p != nil {
		for _, s := range p.Set {
			c.term(TermDisposition, field.PersistentDisposition, -1, "set", "a disposition", s, report)
		}
		for _, s := range p.Unset {
			c.term(TermDisposition, field.PersistentDisposition, -1, "unset", "a disposition", s, report)
		}
	}
	for i := range e.BizTransactionList {
		c.term(TermBizTransaction, field.BizTransactionList, i, "type", "a type of business transactions", e.BizTransactionList[i].Type, report)
	}
	for i := range e.SourceList {
		c.term(TermSourceDest, field.SourceList, i, "type", "a type of sources", e.SourceList[i].Type, report)
	}
	for i := range e.DestinationList {
		c.term(TermSourceDest, field.DestinationList, i, "type", "a type of destinations", e.DestinationList[i].Type, report)
	}
	if d := e.ErrorDeclaration; d != nil {
		c.term(TermErrorReason, field.ErrorDeclaration, -1, "reason", "a reason of error declarations", d.Reason, report)
	}
	for i := range e.SensorElementList {
		for j := range e.SensorElementList[i].Reports {
			r := &e.SensorElementList[i].Reports[j]
			c.term(TermMeasurement, field.SensorElementList, i, "sensorReport/type", "a measurement", r.Type, report)
			c.term(TermSensorAlert, field.SensorElementList, i, "sensorReport/exception", "an alert of a sensor", r.Exception, report)
			c.term(TermComponent, field.SensorElementList, i, "sensorReport/component", "a component of a measurement", r.Component, report)
		}
	}
}

type termKey struct {
	kind TermKind
	text string
}

// term checks a value that may as well be a URI of somebody else's, unless that ends like a word of the standard.
func (c *Checker) term(kind TermKind, id field.ID, item int, sub, what, s string, report report) {
	s = strings.Trim(s, xsd.Blank)
	if s == "" || kind.Known(s) {
		return
	}
	if c.silent[termKey{kind, s}] {
		return
	}
	word := kind.Nearest(s)
	if strings.IndexByte(s, ':') >= 0 && !claims(kind, s) && !vocabulary.IsNear(s[strings.LastIndexAny(s, ":/#-")+1:], word) {
		if c.silent == nil {
			c.silent = map[termKey]bool{}
		}
		if len(c.silent) < 1024 {
			c.silent[termKey{kind, s}] = true
		}
		return
	}
	hint := "see the Core Business Vocabulary; the value was kept"
	if word != "" {
		hint = "was " + word + " meant?"
	}
	c.sub = sub
	report(SeverityWarning, CodeCBVUnknown, id, item, excerpt.Quote(s)+" is not "+what+" of CBV", hint)
	c.sub = ""
}

// claims reports whether a URI says that its value is the standard's.
func claims(kind TermKind, s string) bool {
	s = vocabulary.Lower(s)
	if kind >= TermMeasurement && (strings.HasPrefix(s, "gs1:") || strings.Contains(s, "gs1.org/voc/")) {
		return true
	}
	return strings.HasPrefix(s, "urn:epcglobal") || strings.HasPrefix(s, "cbv:") || strings.Contains(s, "gs1.org/cbv")
}

// eventURIs checks that the ids of events are URIs. They are recorded and found as they are, but no other system has to take
// them.
func (c *Checker) eventURIs(e *Event, report report) {
	const hint = "write a URI, for example urn:uuid: and a UUID; it was kept as it is"
	if s := strings.Trim(e.EventID, xsd.Blank); s != "" && !gs1.IsURI(s) {
		report(SeverityWarning, CodeIDInvalid, field.EventID, -1, "the event id "+excerpt.Quote(s)+" is no URI", hint)
	}
	if e.ErrorDeclaration == nil {
		return
	}
	c.sub = "correctiveEventIDs"
	for i, s := range e.ErrorDeclaration.CorrectiveEventIDs {
		if s = strings.Trim(s, xsd.Blank); s != "" && !gs1.IsURI(s) {
			report(SeverityWarning, CodeIDInvalid, field.ErrorDeclaration, -1, "the id "+excerpt.Quote(s)+" of corrective event "+strconv.Itoa(i+1)+" is no URI", hint)
		}
	}
	c.sub = ""
}
