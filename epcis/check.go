package epcis

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/epckey"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// Check says what is wrong with an event by itself, without any ledger: the checks of Parse, for events that were
// built or read otherwise. Problems have no line.
func Check(e *Event) []Problem {
	var c Checker
	var list []Problem
	c.Check(e, MaxEPCs, func(p Problem, _ string, _ int) { list = append(list, p) })
	return list
}

// Checker checks the events of a document. It keeps its buffers and the ids of the events, so it must not be used by two
// goroutines at once. The zero value is ready.
type Checker struct {
	ids    epckey.Reader
	parent gs1.Key
	keys   []gs1.Key
	seen   map[gs1.Key]int
	texts  map[string]struct{}
	class  Severity         // of a class in the place of a thing
	good   map[string]bool  // places and parties that parse
	silent map[termKey]bool // values of others, with nothing to say about them
	sub    string           // the part of a field that a problem is about, behind its path
	events eventIDs
}

// Check calls report for every problem of an event that may name maxEPCs things, with the field
// that it is about, "" for the event, and the item of a list field, from 0; -1 for the field.
func (c *Checker) Check(e *Event, maxEPCs int, report func(p Problem, field string, item int)) {
	c.check(e, maxEPCs, func(sev Severity, code string, id field.ID, item int, message, hint string) {
		path := field.Path(id, item)
		if c.sub != "" {
			path += "/" + c.sub
		}
		report(Problem{Severity: sev, Code: code, Path: path, Message: message, Hint: hint, Event: -1}, field.Names[id], item)
	})
}

// report tells a problem of a field, or of one item of a list field (from 0; -1 for the field).
type report func(sev Severity, code string, id field.ID, item int, message, hint string)

func (c *Checker) check(e *Event, maxEPCs int, report report) {
	fault := func(code string, id field.ID, message, hint string) {
		report(SeverityError, code, id, -1, message, hint)
	}
	warn := func(code string, id field.ID, message, hint string) {
		report(SeverityWarning, code, id, -1, message, hint)
	}

	c.times(e, fault, warn)
	c.eventID(e, fault)

	switch e.Type {
	case "ObjectEvent", "AggregationEvent", "TransactionEvent", "AssociationEvent":
		switch e.Action {
		case "ADD", "OBSERVE", "DELETE":
		case "":
			fault(CodeFieldMissing, field.Action, "action is missing", "add ADD, OBSERVE or DELETE")
		default:
			hint := "write ADD, OBSERVE or DELETE"
			if near := nearest(e.Action, []string{"ADD", "OBSERVE", "DELETE"}); near != "" {
				hint = "write " + near
			}
			fault(CodeActionInvalid, field.Action, excerpt.Quote(e.Action)+" is not an action", hint)
		}
	case "TransformationEvent":
	default:
		fault(CodeEventUnknown, field.None, excerpt.Quote(e.Type)+" is no event type of EPCIS", "use one of the five")
	}

	c.eventURIs(e, report)
	c.terms(e, report)
	c.class = SeverityWarning
	if judged(e) {
		c.class = SeverityError
	}

	if len(e.EPCList)+len(e.ChildEPCs)+len(e.InputEPCList)+len(e.OutputEPCList)+len(e.parent()) > maxEPCs {
		fault(CodeEventTooLarge, field.None, "the event names more than "+strconv.Itoa(maxEPCs)+" EPCs", "send it as several events")
		return
	}
	c.list(field.EPCList, e.EPCList, report)
	c.list(field.ParentID, e.parent(), report)
	if c.parent = (gs1.Key{}); len(c.keys) > 0 {
		c.parent = c.keys[0]
	}
	c.list(field.ChildEPCs, e.ChildEPCs, report)
	c.list(field.InputEPCList, e.InputEPCList, report)
	c.list(field.OutputEPCList, e.OutputEPCList, report)
	c.quantities(field.QuantityList, e.QuantityList, report)
	c.quantities(field.ChildQuantityList, e.ChildQuantityList, report)
	c.quantities(field.InputQuantityList, e.InputQuantityList, report)
	c.quantities(field.OutputQuantityList, e.OutputQuantityList, report)
	c.what(e, fault, warn)
	c.where(e, report)
	c.ilmd(e, fault)
}

func near(word string) string {
	if word == "" {
		return "see the Core Business Vocabulary; the value was kept"
	}
	return "was " + word + " meant?"
}

type tell = func(code string, id field.ID, message, hint string)

func (c *Checker) times(e *Event, fault, warn tell) {
	offsetOK := false
	if e.EventTimeZoneOffset == "" {
		warn(CodeTZMissing, field.EventTimeZoneOffset, "eventTimeZoneOffset is missing", "add the local offset where the event happened, for example -05:00")
	} else if _, err := xsd.ParseOffset(e.EventTimeZoneOffset); err != nil {
		hint := "write it as -05:00"
		if e.EventTimeZoneOffset == "Z" {
			hint = "write +00:00"
		}
		fault(CodeOffsetInvalid, field.EventTimeZoneOffset, excerpt.Quote(e.EventTimeZoneOffset)+" is "+err.Error(), hint)
	} else {
		offsetOK = true
	}
	if e.EventTime == "" {
		fault(CodeFieldMissing, field.EventTime, "eventTime is missing", "add the time at which it happened")
	} else if t, err := xsd.ParseTime(e.EventTime); err != nil {
		fault(CodeTimeInvalid, field.EventTime, err.Error(), xsd.TimeHint)
	} else if !t.Zoned {
		if offsetOK {
			warn(CodeZoneless, field.EventTime, "the time has no zone; it is taken to be local, in eventTimeZoneOffset", "add the zone, for example Z")
		} else {
			fault(CodeTimeInvalid, field.EventTime, excerpt.Quote(e.EventTime)+" has no zone and there is no eventTimeZoneOffset to tell it", "add the zone, for example Z")
		}
	}
	if e.RecordTime != "" {
		if _, err := xsd.ParseTime(e.RecordTime); err != nil {
			warn(CodeTimeInvalid, field.RecordTime, err.Error(), "leave it out: the ledger sets it")
		}
	}
}

// list checks one list of EPCs and leaves its keys in c.keys.
func (c *Checker) list(id field.ID, epcs []string, report report) {
	c.keys = c.keys[:0]
	if c.plain(id, epcs) {
		return
	}
	usesMap := len(epcs) > 16
	if usesMap {
		if c.seen == nil {
			c.seen = make(map[gs1.Key]int, len(epcs))
		}
		clear(c.seen)
		if len(epcs) > 4096 { // clearing costs what the largest list cost
			defer func() { c.seen = nil }()
		}
	}
	for i, s := range epcs {
		k, err := c.ids.Key(s)
		if err != nil {
			report(SeverityError, CodeEPCInvalid, id, i, epcMessage(s, err), correct(s))
			c.keys = append(c.keys, gs1.Key{})
			continue
		}
		c.single(id, i, s, k, report)
		if id == field.ChildEPCs && k == c.parent {
			report(SeverityError, CodeEventInvalid, id, i, "the parent is its own child", "name the children only")
		}
		first := -1
		if usesMap {
			if j, ok := c.seen[k]; ok {
				first = j
			} else {
				c.seen[k] = i
			}
		} else {
			first = slices.Index(c.keys, k)
		}
		c.keys = append(c.keys, k)
		if first >= 0 {
			message := excerpt.Quote(s) + " stands in the list twice, first as number " + strconv.Itoa(first+1)
			if epcs[first] != s {
				message += ", written " + excerpt.Quote(epcs[first])
			}
			report(SeverityError, CodeEPCDuplicate, id, i, message, "name it once")
		}
	}
}

// plain reports that there is nothing to say about a list, if that can be told without making a key of each identifier:
// all have one prefix, none is there twice, and none is the parent.
func (c *Checker) plain(id field.ID, epcs []string) bool {
	if len(epcs) < 2 {
		return false
	}
	first, err := c.ids.Key(epcs[0])
	if err != nil || id == field.ChildEPCs && c.parent.Kind() == first.Kind() || first.Kind() == gs1.KindLGTIN {
		return false
	}
	prefix, last, ascending := c.ids.Prefix.String(), "", true
	for _, s := range epcs {
		tail, ok := strings.CutPrefix(s, prefix)
		if !ok || !c.ids.Prefix.Plain(tail) {
			return false
		}
		// A partner who numbers in turn saves us the search.
		ascending = ascending && (len(tail) > len(last) || len(tail) == len(last) && tail > last)
		last = tail
	}
	return ascending || c.distinct(epcs)
}

func (c *Checker) distinct(list []string) bool {
	if len(list) <= 16 {
		for i := range list {
			if slices.Contains(list[:i], list[i]) {
				return false
			}
		}
		return true
	}
	if c.texts == nil {
		c.texts = make(map[string]struct{}, len(list))
	}
	for _, s := range list {
		c.texts[s] = struct{}{}
	}
	n := len(c.texts)
	if clear(c.texts); len(list) > 4096 { // clearing costs what the largest list cost
		c.texts = nil
	}
	return n == len(list)
}

func epcMessage(s string, err error) string {
	if e, ok := errors.AsType[*gs1.Error](err); ok {
		return excerpt.Quote(s) + ": " + e.Code + ": " + excerpt.Clip(e.Detail)
	}
	return excerpt.Quote(s) + ": " + excerpt.Clip(err.Error())
}

func (c *Checker) quantities(id field.ID, list []Quantity, report report) {
	for i, q := range list {
		if q.EPCClass == "" {
			report(SeverityError, CodeFieldMissing, id, i, "epcClass is missing", "say of what class the quantity is")
		} else if k, err := c.ids.Key(q.EPCClass); err != nil {
			report(SeverityError, CodeEPCInvalid, id, i, epcMessage(q.EPCClass, err), correct(q.EPCClass))
		} else if m := c.lookalike(q.EPCClass, k); m != "" {
			report(SeverityError, CodeEPCInvalid, id, i, lookalikeMessage(q.EPCClass), wasMeant(m))
		}
		if q.Quantity != "" && !isDecimal(q.Quantity) {
			report(SeverityError, CodeFieldInvalid, id, i, excerpt.Quote(q.Quantity)+" is not a decimal number", "write digits, with a point if needed")
		}
	}
}

// isDecimal reports whether s is an xsd:decimal that is not negative.
func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "+")
	whole, fraction, _ := strings.Cut(s, ".")
	_, ok1 := xsd.Digits(whole)
	_, ok2 := xsd.Digits(fraction)
	return ok1 && ok2 && len(whole)+len(fraction) > 0 && len(s) <= 40
}

// what checks that the event names things (epcis.md section 2.2).
func (c *Checker) what(e *Event, fault, warn tell) {
	children := len(e.ChildEPCs) + len(e.ChildQuantityList)
	switch e.Type {
	case "ObjectEvent":
		if len(e.EPCList)+len(e.QuantityList)+len(e.SensorElementList) == 0 {
			warn(CodeEventEmpty, field.EPCList, "the event names no EPC and no quantity", "name what it is about")
		}
	case "AggregationEvent", "AssociationEvent":
		if e.ParentID == "" && (e.Type == "AssociationEvent" || e.Action == "ADD" || e.Action == "DELETE") {
			fault(CodeFieldMissing, field.ParentID, "parentID is missing", "name the container")
		}
		if children == 0 && e.Action != "DELETE" {
			fault(CodeFieldMissing, field.ChildEPCs, "the event names no children", "name them in childEPCs; only DELETE may leave them out, for all")
		}
	case "TransactionEvent":
		if len(e.BizTransactionList) == 0 {
			fault(CodeFieldMissing, field.BizTransactionList, "a TransactionEvent without a business transaction says nothing", "add bizTransactionList")
		}
		if len(e.EPCList)+len(e.QuantityList) == 0 && e.Action != "DELETE" {
			warn(CodeEventEmpty, field.EPCList, "the event names no EPC and no quantity", "name what it is about")
		}
	case "TransformationEvent":
		in, out := len(e.InputEPCList)+len(e.InputQuantityList), len(e.OutputEPCList)+len(e.OutputQuantityList)
		if in+out == 0 || e.TransformationID == "" && (in == 0 || out == 0) {
			fault(CodeFieldMissing, field.InputEPCList, "a transformation needs inputs and outputs", "add them, or a transformationID that ties this event to another one")
		}
	}
}

// where checks identifiers of places and parties. They may be anything that is a URI, so a bad one is a warning.
func (c *Checker) where(e *Event, report report) {
	id := func(f field.ID, item int, s string) {
		if s == "" {
			return
		}
		if c.good[s] {
			return
		}
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			report(SeverityWarning, CodeIDInvalid, f, item, epcMessage(s, err), correct(s))
			return
		}
		if m := c.lookalike(s, epc.Key()); m != "" {
			report(SeverityWarning, CodeIDInvalid, f, item, lookalikeMessage(s), wasMeant(m))
			return
		}
		if c.good == nil {
			c.good = map[string]bool{}
		}
		if len(c.good) < 1024 {
			c.good[s] = true
		}
	}
	if e.ReadPoint != nil {
		id(field.ReadPoint, -1, e.ReadPoint.ID)
	}
	if e.BizLocation != nil {
		id(field.BizLocation, -1, e.BizLocation.ID)
	}
	for _, l := range [...]struct {
		f    field.ID
		list []SourceDest
	}{{field.SourceList, e.SourceList}, {field.DestinationList, e.DestinationList}} {
		for i, s := range l.list {
			if s.Type == "" {
				report(SeverityWarning, CodeFieldMissing, l.f, i, "the type is missing", "add the attribute type: owning_party, possessing_party or location")
			}
			if s.Value == "" {
				report(SeverityWarning, CodeFieldEmpty, l.f, i, "the value is missing", "name the party or place")
			}
			id(l.f, i, s.Value)
		}
	}
	for i, t := range e.BizTransactionList {
		if t.Value == "" {
			report(SeverityWarning, CodeFieldEmpty, field.BizTransactionList, i, "the value is missing", "name the document")
		} else if m := gs1.Meant(t.Value); m != "" {
			report(SeverityWarning, CodeIDInvalid, field.BizTransactionList, i, lookalikeMessage(t.Value), wasMeant(m))
		}
	}
}

// ilmd checks master data of instances and lots.
func (c *Checker) ilmd(e *Event, fault tell) {
	if len(e.ILMD) == 0 {
		return
	}
	if e.Type != "TransformationEvent" && (e.Type != "ObjectEvent" || e.Action != "ADD") {
		fault(CodeILMDNotAllowed, field.ILMD, "ilmd is only for an ObjectEvent with action ADD or a TransformationEvent", "remove it, or commission the items")
	}
	for _, name := range [...]string{vocabulary.LotNumber, vocabulary.ExpirationDate} {
		first, found := "", false
		for i := range e.ILMD {
			x := &e.ILMD[i]
			if !isILMD(x, name) {
				continue
			}
			text := strings.Trim(x.Text, xsd.Blank)
			if found && text != first {
				fault(CodeFieldRepeated, field.ILMD, name+" is both "+excerpt.Quote(first)+" and "+excerpt.Quote(text), "send one event per lot")
			}
			first, found = text, true
		}
	}
	if s := e.Expiry(); s != "" {
		if _, err := gs1.ParseDate(s); err != nil {
			fault(CodeExpiryInvalid, field.ILMD, excerpt.Quote(s)+" is not an expiration date", "write it as 2027-05-31")
		}
	}
}
