package epcisjson

import (
	"errors"
	"strconv"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/jsonld"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/xsd"
)

// eventState is the state of the event being read. Its problems are kept until its end: only then is its type known,
// which may stand last and decides what the schema asks for.
type eventState struct {
	inEvent  bool
	typeSeen bool
	typeText string // as it stands there
	noEvent  bool   // something else stands in the list
	eventAt  pos
	pointer  string // of the event
	units    int
	nodesIn  int
	extended int // extension members read

	// What is being read.
	id      field.ID
	item    int    // -1: the field itself
	sub     string // member of the item
	aliased bool   // under another name than the schema knows
	single  bool   // an item without the list around it

	findings []finding
	faults   int
	warnings int
	beyond   bool // a problem that is not told has Schema

	seen    [field.Count]bool
	named   [field.Count]bool // under the name that the schema knows
	count   [field.Count]int  // elements of a list
	field   [field.Count]pos
	names   [field.Count]string // of the members, where they are not the field's
	items   [field.Count][]pos
	epcText []byte // of a list
	epcEnds []int
}

// finding is a problem of the event being read.
type finding struct {
	epcis.Problem
	id   field.ID
	item int
	sub  string
	// common tells that the schema has the rule for events of every type, also for types that are not the standard's.
	common bool
	merged bool // the checker said it better
}

// found keeps a problem at the last token.
func (p *parser) found(sev epcis.Severity, code, message, hint string, schema bool) {
	p.add(finding{
		Problem: epcis.Problem{
			Severity: sev, Code: code, Line: p.at.line, Column: p.at.col, Pointer: string(p.dec.StackPointer()),
			Message: message, Hint: hint, Schema: schema && !p.aliased,
		},
		id: p.id, item: p.item, sub: p.sub, common: isCommon(p.id),
	})
}

// isCommon reports whether the schema knows the field in events of every type.
func isCommon(id field.ID) bool {
	switch id {
	case field.None, field.EventTime, field.RecordTime, field.EventTimeZoneOffset, field.EventID, field.CertificationInfo, field.ErrorDeclaration:
		return true
	default:
		return false
	}
}

func (p *parser) add(f finding) {
	told := &p.warnings
	if f.Severity == epcis.SeverityError {
		told = &p.faults
	}
	if *told++; *told > reading.MaxEventProblems {
		p.beyond = p.beyond || f.Schema
		return
	}
	p.findings = append(p.findings, f)
}

// begin makes ready for an event whose { was read or is the root.
func (p *parser) begin(at pos, pointer string) {
	e := &p.eventState
	e.inEvent, e.typeSeen, e.typeText, e.noEvent, e.eventAt, e.pointer = true, false, "", false, at, pointer
	e.units, e.nodesIn, e.extended, e.faults, e.warnings, e.beyond = 0, 0, 0, 0, 0, false
	e.id, e.item, e.sub, e.aliased, e.single = field.None, -1, "", false, false
	e.findings = e.findings[:0]
	clear(e.seen[:])
	clear(e.named[:])
	clear(e.count[:])
	clear(e.names[:])
	p.stop = p.dec.InputOffset() + p.opt.MaxEventBytes
}

// events reads an event list.
func (p *parser) events() error {
	p.listPointer = string(p.dec.StackPointer())
	switch p.peek() {
	case '[':
	case '{':
		p.refuse(epcis.CodeContent, "one event stands where a list of events should", "put it into brackets: [ ]")
		return p.event(p.listPointer)
	case 'n':
		_, err := p.raw()
		p.refuse(epcis.CodeFieldEmpty, "the list of events is null", "write [] for none")
		return err
	default:
		return p.misfit("a list of events")
	}
	if err := p.open(); err != nil {
		return err
	}
	for i := 0; p.peek() != ']'; i++ {
		if err := p.event(p.listPointer + "/" + strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return p.close()
}

// event reads one element of an event list.
func (p *parser) event(pointer string) error {
	outer, depth := p.ctx, p.depth
	var e epcis.Event
	kind := p.peek()
	var err error
	if kind == '{' {
		if err = p.open(); err != nil {
			return err
		}
	} else if kind != '[' {
		if _, err := p.raw(); err != nil {
			return err
		}
	} else if err = p.open(); err != nil {
		return err
	}
	if err := p.room(); err != nil {
		return err
	}
	p.begin(p.at, pointer)
	if kind != '{' {
		p.fault(epcis.CodeEventUnknown, "this is no event", "write an object with type, eventTime and so on")
		p.noEvent = true
		err = p.unwind(depth)
	}
	for err == nil && p.depth > depth {
		if p.peek() == '}' {
			err = p.close()
			break
		}
		var b []byte
		if b, err = p.str(); err == nil {
			err = p.member(&e, p.word(b))
		}
	}
	p.restore(outer)
	return p.end(&e, err, depth)
}

// room refuses one event too many.
func (p *parser) room() error {
	if p.index < p.opt.MaxEvents {
		return p.sendHeader()
	}
	return &epcis.ParseError{
		Code: epcis.CodeDocumentTooLarge, Line: p.at.line, Column: p.at.col,
		Message: "the document has more than " + strconv.Itoa(p.opt.MaxEvents) + " events", Hint: "send it in several documents",
	}
}

func (p *parser) sendHeader() error {
	if p.headerSent {
		return nil
	}
	p.headerSent = true
	p.header.Prefixes = p.ctx.declared()
	if p.root.typeText == "EPCISQueryDocument" && p.header.Query == nil {
		p.header.Query = &epcis.QueryResults{}
	}
	if p.to.Header == nil {
		return nil
	}
	return p.to.Header(&p.header)
}

// end checks the event, tells its problems and hands it over. err is why reading it ended; depth is that around it.
func (p *parser) end(e *epcis.Event, err error, depth int) error {
	p.stop = 0
	if errors.Is(err, reading.ErrEventTooLarge) {
		p.id, p.item, p.sub, p.aliased = field.None, -1, "", false
		p.add(p.at0(finding{Problem: epcis.Problem{
			Severity: epcis.SeverityError, Code: epcis.CodeEventTooLarge,
			Message: "the event names more than " + strconv.Itoa(p.opt.MaxEPCs) + " EPCs, is longer than " + strconv.Itoa(int(p.opt.MaxEventBytes)) +
				" bytes or has more than " + strconv.Itoa(reading.MaxEventNodes) + " extensions",
			Hint: "send it as several events",
		}, item: -1}))
		if err = p.unwind(depth); err != nil {
			return err
		}
	} else if err != nil {
		return err
	} else if !p.noEvent {
		p.finish(e)
	}
	p.inEvent = false
	label := e.Type
	if label == "" {
		label = excerpt.Clip(p.typeText)
	}
	if label == "" {
		label = "event"
	}
	p.ordinal[label]++
	p.flush(label)
	at := epcis.EventAt{Event: *e, Index: p.index, Line: p.eventAt.line, Column: p.eventAt.col, Pointer: p.pointer}
	p.index++
	if p.faults > 0 {
		p.rejected++
		at.Faults = p.faults
	}
	if p.err != nil || p.to.Event == nil || p.faults > 0 && !p.opt.KeepFaulty {
		return p.err
	}
	return p.to.Event(at)
}

// at0 puts a finding at the beginning of the event.
func (p *parser) at0(f finding) finding {
	f.Line, f.Column, f.Pointer = p.eventAt.line, p.eventAt.col, p.pointer
	return f
}

// flush tells the problems of the event.
func (p *parser) flush(label string) {
	more := max(p.faults-reading.MaxEventProblems, 0) + max(p.warnings-reading.MaxEventProblems, 0)
	if len(p.findings) == 0 && more == 0 {
		return
	}
	path := p.listPath
	if path != "" {
		path += "/" + label + "[" + strconv.Itoa(p.ordinal[label]) + "]"
	} else {
		path = label
	}
	if more > 0 {
		p.findings = append(p.findings, p.at0(finding{Problem: epcis.Problem{
			Severity: epcis.SeverityWarning, Code: epcis.CodeTruncated, Schema: p.beyond,
			Message: "the event has " + strconv.Itoa(more) + " more problems", Hint: "repair those above and send the document again",
		}, item: -1}))
	}
	for i := range p.findings {
		f := &p.findings[i]
		if f.merged {
			continue
		}
		f.Event, f.Path = p.index, path
		if f.id != field.None {
			f.Path += "/" + field.Path(f.id, f.item)
		}
		if f.sub != "" {
			f.Path += "/" + excerpt.Clip(f.sub)
		}
		p.tell(f.Problem)
	}
}

// member reads one member of an event.
func (p *parser) member(e *epcis.Event, key *word) error {
	p.id, p.item, p.sub, p.aliased = field.None, -1, "", false
	name := key.text
	id := key.field
	if id == field.None {
		switch name {
		case "type":
			return p.eventType(e)
		case "@context":
			return p.localContext(true, p.extended)
		}
		p.needContext()
		std, alias := p.ctx.std[name]
		p.sub = name
		switch {
		case alias && std == "type":
			p.refuse(epcis.CodeFieldUnknown, excerpt.Quote(name)+" is a name of this document's @context for type", "write type: the schema knows no other name")
			return p.eventType(e)
		case alias && std != "id":
			id = field.IDs[std]
			p.aliased = true
		case (name == "isA" || name == "@type") && !p.typeSeen:
			p.refuse(epcis.CodeFieldUnknown, name+" stands where type should", "write type")
			return p.eventType(e)
		default:
			if id = p.meantField(key); id == field.None {
				p.extensionKey(key, "EPCIS", field.Names[:])
				return p.strange(e, key)
			}
			std = field.Names[id]
			if p.seen[id] {
				p.fault(epcis.CodeFieldRepeated, excerpt.Quote(name)+" stands beside "+std, "was "+std+" meant? Keep one")
				return p.skip()
			}
			p.problem(epcis.SeverityWarning, epcis.CodeFieldUnknown, "EPCIS has no field "+excerpt.Quote(name), "was "+std+" meant? It was read as "+std, !key.takes(ruleURI))
			p.aliased = true
		}
		if alias && !key.takes(ruleURI) {
			p.aliased = false
			p.refuse(epcis.CodeFieldUnknown, excerpt.Quote(name)+" is a name of this document's @context for "+std, "write "+std+": the schema knows no other name")
			p.aliased = true
		}
		p.names[id], p.sub = name, ""
	} else {
		p.named[id] = true
	}
	if p.seen[id] {
		p.fault(epcis.CodeFieldRepeated, field.Names[id]+" stands in the event twice, once under another name", "keep one")
		return p.skip()
	}
	p.id = id
	p.seen[id], p.field[id] = true, p.at
	if p.items[id] != nil {
		p.items[id] = p.items[id][:0]
	}
	err := p.read(id, e)
	p.id, p.item, p.sub, p.aliased = field.None, -1, "", false
	return err
}

// eventType reads the type. A standard type written out as URI is read as that; the schema takes it for one of its own.
func (p *parser) eventType(e *epcis.Event) error {
	if p.typeSeen {
		p.fault(epcis.CodeFieldRepeated, "the type stands in the event twice, once under another name", "keep one")
		return p.skip()
	}
	p.typeSeen = true
	p.sub = "type"
	s, err := p.text(ruleText)
	p.typeText = s
	e.Type = strings.Trim(s, xsd.Blank)
	short := strings.TrimPrefix(strings.TrimPrefix(e.Type, "epcis:"), jsonld.Vocabulary)
	if short != e.Type && field.LayoutOf(2, short) != nil {
		p.warn(epcis.CodeFieldInvalid, excerpt.Quote(e.Type)+" is written out, where "+short+" is enough", "write "+excerpt.Quote(short))
		e.Type = short
	}
	return err
}

// read reads one field.
func (p *parser) read(id field.ID, e *epcis.Event) (err error) {
	switch id {
	case field.EventTime:
		e.EventTime, err = p.own(ruleTime)
	case field.RecordTime:
		e.RecordTime, err = p.own(ruleTime)
	case field.EventTimeZoneOffset:
		e.EventTimeZoneOffset, err = p.text(ruleOffset)
	case field.EventID:
		e.EventID, err = p.own(ruleURI)
	case field.ErrorDeclaration:
		e.ErrorDeclaration, err = p.errorDeclaration()
	case field.CertificationInfo:
		err = p.certificationInfo(e)
	case field.Action:
		e.Action, err = p.text(ruleAction)
	case field.TransformationID:
		e.TransformationID, err = p.own(ruleURI)
	case field.BizStep:
		e.BizStep, err = p.text(ruleStep)
	case field.Disposition:
		e.Disposition, err = p.text(ruleDisposition)
	case field.PersistentDisposition:
		e.PersistentDisposition, err = p.persistentDisposition()
	case field.ReadPoint:
		e.ReadPoint, err = p.place()
	case field.BizLocation:
		e.BizLocation, err = p.place()
	case field.BizTransactionList:
		err = p.typed("bizTransaction", ruleBTT, func(t, v string) {
			e.BizTransactionList = append(e.BizTransactionList, epcis.BizTransaction{Type: t, Value: v})
		})
	case field.SourceList:
		err = p.typed("source", ruleSDT, func(t, v string) { e.SourceList = append(e.SourceList, epcis.SourceDest{Type: t, Value: v}) })
	case field.DestinationList:
		err = p.typed("destination", ruleSDT, func(t, v string) { e.DestinationList = append(e.DestinationList, epcis.SourceDest{Type: t, Value: v}) })
	case field.QuantityList:
		e.QuantityList, err = p.quantities()
	case field.ChildQuantityList:
		e.ChildQuantityList, err = p.quantities()
	case field.InputQuantityList:
		e.InputQuantityList, err = p.quantities()
	case field.OutputQuantityList:
		e.OutputQuantityList, err = p.quantities()
	case field.SensorElementList:
		err = p.sensors(e)
	case field.ILMD:
		err = p.ilmd(e)
	case field.EPCList:
		e.EPCList, err = p.epcs()
	case field.ChildEPCs:
		e.ChildEPCs, err = p.epcs()
	case field.InputEPCList:
		e.InputEPCList, err = p.epcs()
	case field.OutputEPCList:
		e.OutputEPCList, err = p.epcs()
	case field.ParentID:
		if p.units++; p.units > p.opt.MaxEPCs {
			return reading.ErrEventTooLarge
		}
		e.ParentID, err = p.own(ruleURI)
	default:
		err = p.skip()
	}
	return err
}

// uniqueLists are the lists that the schema wants without repetition.
func uniqueList(kind string, id field.ID) bool {
	switch id {
	case field.EPCList:
		return kind == "ObjectEvent"
	case field.InputEPCList, field.OutputEPCList:
		return kind == "TransformationEvent"
	default:
		return false
	}
}

// finish checks an event that was read.
func (p *parser) finish(e *epcis.Event) {
	p.id, p.item, p.sub, p.aliased = field.None, -1, "", false
	l := field.LayoutOf(2, e.Type)
	standard := l != nil && e.Type == p.typeText // the schema sees the text
	if !standard {
		p.otherType(e, l)
	}
	for id := range field.Count {
		if p.seen[id] && l != nil && !l.Slots[id].Allowed {
			p.missing(epcis.SeverityError, epcis.CodeFieldNotAllowed, id, e.Type+" has no field "+field.Names[id], "remove it, or send another event for it", standard && p.named[id])
		}
	}
	if p.seen[field.PersistentDisposition] && l != nil && e.Type != "ObjectEvent" && e.Type != "TransformationEvent" {
		p.missing(epcis.SeverityWarning, epcis.CodeFieldNotAllowed, field.PersistentDisposition, e.Type+" has persistentDisposition in XML only", "remove it for readers that use the JSON Schema; it was kept", standard && p.named[field.PersistentDisposition])
	}
	p.required(field.EventTime, "eventTime is missing", "add the time at which it happened")
	p.required(field.EventTimeZoneOffset, "eventTimeZoneOffset is missing", "add the local offset where the event happened, for example -05:00")
	if standard {
		p.requirements(e)
	}
	suspects := [field.Count]bool{}
	p.check.Check(e, p.opt.MaxEPCs, func(pr epcis.Problem, name string, item int) {
		if pr.Code == epcis.CodeEventUnknown {
			return // otherType said it
		}
		id := field.IDs[name]
		suspects[id] = suspects[id] || pr.Code == epcis.CodeEPCDuplicate || pr.Code == epcis.CodeEPCInvalid
		p.checked(pr, id, item)
	})
	if standard {
		for _, l := range [...]struct {
			id   field.ID
			epcs []string
		}{{field.EPCList, e.EPCList}, {field.InputEPCList, e.InputEPCList}, {field.OutputEPCList, e.OutputEPCList}} {
			if suspects[l.id] && p.named[l.id] && uniqueList(e.Type, l.id) {
				p.unique(l.id, l.epcs)
			}
		}
	}
}

// otherType judges an event whose type is not one of the five as the schema writes them.
func (p *parser) otherType(e *epcis.Event, l *field.Layout) {
	uri := isURI([]byte(p.typeText))
	for i := range p.findings {
		if f := &p.findings[i]; !f.common {
			f.Schema = f.Schema && !uri // the schema does not look at it
		}
	}
	p.sub = "type"
	switch {
	case !p.typeSeen:
		p.sub = ""
		p.missing(epcis.SeverityError, epcis.CodeFieldMissing, field.None, "the event has no type", "add ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent", true)
	case l != nil && !uri:
		p.missing(epcis.SeverityWarning, epcis.CodeFieldInvalid, field.None, excerpt.Quote(p.typeText)+" has white space around it", "write "+excerpt.Quote(e.Type), true)
	case l == nil:
		hint := "use ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent"
		if near := epcis.Nearest(e.Type, eventTypes); near != "" {
			hint = "was " + near + " meant?"
		}
		p.missing(epcis.SeverityError, epcis.CodeEventUnknown, field.None, excerpt.Quote(e.Type)+" is no event type that is understood", hint, !uri)
	}
	p.sub = ""
}

var eventTypes = []string{"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"}

// missing reports a problem of a field as a whole, where the field stands or, without it, the event.
func (p *parser) missing(sev epcis.Severity, code string, id field.ID, message, hint string, schema bool) {
	f := p.at0(finding{Problem: epcis.Problem{Severity: sev, Code: code, Message: message, Hint: hint, Schema: schema}, id: id, item: -1, sub: p.sub, common: isCommon(id)})
	if id != field.None && p.seen[id] {
		f.Line, f.Column, f.Pointer = p.field[id].line, p.field[id].col, p.pointerTo(id, -1)
	}
	p.add(f)
}

func (p *parser) pointerTo(id field.ID, item int) string {
	name := p.names[id]
	if name == "" {
		name = field.Names[id]
	}
	s := p.pointer + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	if item >= 0 {
		s += "/" + strconv.Itoa(item)
	}
	return s
}

// required reports a field that the schema requires; the checker may say it once more, which checked joins.
func (p *parser) required(id field.ID, message, hint string) {
	if !p.named[id] {
		p.missing(epcis.SeverityWarning, epcis.CodeFieldMissing, id, message, hint, true)
	}
}

// requirements are those of the schema for each of the five types.
func (p *parser) requirements(e *epcis.Event) {
	some := func(ids ...field.ID) bool {
		for _, id := range ids {
			if p.named[id] && p.count[id] > 0 {
				return true
			}
		}
		return false
	}
	if e.Type != "TransformationEvent" {
		p.required(field.Action, "action is missing", "add ADD, OBSERVE or DELETE")
	}
	remove := p.named[field.Action] && e.Action == "DELETE"
	want := func(ok bool, id field.ID, message, hint string) {
		if !ok {
			p.missing(epcis.SeverityWarning, epcis.CodeFieldMissing, id, message, hint, true)
		}
	}
	switch e.Type {
	case "ObjectEvent":
		want(p.named[field.EPCList] || some(field.QuantityList) || some(field.SensorElementList) && p.named[field.ReadPoint], field.EPCList,
			"epcList is missing, and there is neither a quantityList nor a sensorElementList with a readPoint", "add epcList; it may be empty")
		if p.named[field.ILMD] && e.Action != "ADD" {
			p.missing(epcis.SeverityWarning, epcis.CodeILMDNotAllowed, field.ILMD, "ilmd is only for action ADD", "remove it", true)
		}
	case "AggregationEvent", "AssociationEvent":
		if e.Type == "AssociationEvent" {
			p.required(field.ParentID, "parentID is missing", "name the container")
		}
		want(remove || some(field.ChildEPCs, field.ChildQuantityList), field.ChildEPCs, "the event names no children", "name them in childEPCs; only DELETE may leave them out, for all")
	case "TransactionEvent":
		want(some(field.BizTransactionList), field.BizTransactionList, "the event names no business transaction", "add bizTransactionList")
		want(remove || p.named[field.EPCList] || some(field.QuantityList), field.EPCList, "epcList and quantityList are missing", "add epcList; it may be empty")
	case "TransformationEvent":
		in, out := some(field.InputEPCList, field.InputQuantityList), some(field.OutputEPCList, field.OutputQuantityList)
		want(in && out || p.named[field.TransformationID] && (in || out), field.InputEPCList, "a transformation needs inputs and outputs",
			"add them, or a transformationID that ties this event to another one")
	}
}

// checked takes a finding of the checker. Where the schema refuses the same, one problem tells both.
func (p *parser) checked(pr epcis.Problem, id field.ID, item int) {
	sev := pr.Severity
	f := p.at0(finding{Problem: epcis.Problem{Severity: sev, Code: pr.Code, Message: pr.Message, Hint: pr.Hint}, id: id, item: item, common: isCommon(id)})
	if id != field.None && p.seen[id] {
		f.Line, f.Column = p.field[id].line, p.field[id].col
		if item >= 0 && item < len(p.items[id]) {
			f.Line, f.Column = p.items[id][item].line, p.items[id][item].col
		}
		f.Pointer = p.pointerTo(id, item)
	}
	sub := subject(id, pr.Code)
	if part, ok := strings.CutPrefix(pr.Path, field.Path(id, item)+"/"); ok {
		sub, f.sub = part, part
	}
	for i := range p.findings {
		o := &p.findings[i]
		if o.id != id || o.item != item || o.merged || o.sub != sub || o.Severity == epcis.SeverityError && sev != epcis.SeverityError ||
			o.Code == epcis.CodeContent || o.Code == epcis.CodeFieldNotAllowed {
			continue
		}
		o.merged = true
		f.Schema = f.Schema || o.Schema
		f.Line, f.Column, f.Pointer, f.sub = o.Line, o.Column, o.Pointer, o.sub
		if o.Severity == epcis.SeverityError {
			p.faults--
		} else {
			p.warnings--
		}
	}
	p.add(f)
}

// subject is the member of an item that a finding of the checker is about.
func subject(id field.ID, code string) string {
	switch id {
	case field.QuantityList, field.ChildQuantityList, field.InputQuantityList, field.OutputQuantityList:
		if code == epcis.CodeFieldInvalid {
			return "quantity"
		}
		return "epcClass"
	case field.SourceList, field.DestinationList:
		if code == epcis.CodeFieldMissing {
			return "type"
		}
		return field.ItemNames[id]
	case field.BizTransactionList:
		return field.ItemNames[id]
	case field.ReadPoint, field.BizLocation:
		return "id"
	default:
		return ""
	}
}

// unique marks EPCs that stand in a list twice, letter by letter: the schema compares nothing else. The checker, which
// compares identifiers, has told of each of them.
func (p *parser) unique(id field.ID, epcs []string) {
	first := make(map[string]bool, len(epcs))
	for i, s := range epcs {
		if !first[s] {
			first[s] = true
			continue
		}
		told := false
		for k := range p.findings {
			if f := &p.findings[k]; f.id == id && f.item == i && !f.merged {
				f.Schema, told = true, true
			}
		}
		p.beyond = p.beyond || !told
	}
}
