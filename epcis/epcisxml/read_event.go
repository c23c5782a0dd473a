package epcisxml

import (
	"errors"
	"strconv"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/reading"
)

func (p *parser) event(name, wrapper string) error {
	p.tell(p.at)
	if err := p.sendHeader(); err != nil {
		return err
	}
	if p.index >= p.opt.MaxEvents {
		return &epcis.ParseError{
			Code: epcis.CodeDocumentTooLarge, Line: p.at.line, Column: p.at.col,
			Message: "the document has more than " + strconv.Itoa(p.opt.MaxEvents) + " events", Hint: "send it in several documents",
		}
	}
	l := field.LayoutOf(p.version, name)
	known := l != nil
	if !known {
		if l = field.LayoutOf(3-p.version, name); l == nil { // QuantityEvent in 2.0
			l = unknownEvent
		}
	}
	label := excerpt.Clip(p.name.Local)
	p.ordinal[label]++
	p.layout, p.eventAt, p.path = l, p.at, p.list+"/"+label+"["+strconv.Itoa(p.ordinal[label])+"]"
	if p.bare {
		p.path = label
	}
	p.eventDepth = len(p.judge.open)
	for i := range p.judge.pending {
		p.judge.pending[i].path = nil // the event itself
	}
	p.faults, p.warnings, p.units, p.nodesIn, p.rank, p.disorder, p.unlisted = 0, 0, 0, 0, 0, false, false
	clear(p.seen[:])
	depth := len(p.frames)
	p.stop = p.dec.InputOffset() + p.opt.MaxEventBytes

	e := epcis.EventAt{Event: epcis.Event{Type: l.Modelled}, Index: p.index, Line: p.at.line, Column: p.at.col}
	var err error
	switch l {
	case unknownEvent:
		hint := "use ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent"
		if p.name.Space != "" {
			hint += ", in no namespace"
		}
		p.fault(p.at, epcis.CodeEventUnknown, "", "<"+label+"> in the namespace "+excerpt.Quote(p.name.Space)+" is no EPCIS event", hint)
		err = p.skip()
	default:
		if wrapper != l.Wrapper && !p.bare {
			where := "directly in EventList"
			if l.Wrapper != "" {
				where = "inside EventList/" + strings.TrimSuffix(l.Wrapper, "/")
			}
			p.warn(p.at, epcis.CodeEventMisplaced, "", name+" does not stand "+where, "put it there")
		}
		if name == "QuantityEvent" {
			p.warn(p.at, epcis.CodeEventDeprecated, "", "QuantityEvent is read as an ObjectEvent with action OBSERVE and one quantity", "send an ObjectEvent with quantityList")
			e.Event.Action = "OBSERVE"
		}
		known := []string(nil)
		if p.bare {
			known = []string{"schemaVersion", "creationDate"}
		}
		if err = p.onlyAttrs(&e.Event.Extensions, "", known...); err == nil {
			err = p.fields("", &e.Event)
		}
	}
	if errors.Is(err, reading.ErrEventTooLarge) {
		p.stop = 0
		p.fault(p.eventAt, epcis.CodeEventTooLarge, "", "the event names more than "+strconv.Itoa(p.opt.MaxEPCs)+" EPCs, is longer than "+strconv.Itoa(int(p.opt.MaxEventBytes))+" bytes or has more than "+strconv.Itoa(reading.MaxEventNodes)+" extensions",
			"send it as several events")
		err = p.unwind(depth - 1)
	} else if err == nil && l != unknownEvent {
		p.finish(&e.Event)
	}
	p.stop = 0
	if err != nil {
		return err
	}
	p.tell(pos{})
	if more := max(p.faults-reading.MaxEventProblems, 0) + max(p.warnings-reading.MaxEventProblems, 0); more > 0 {
		p.warnings = 0
		p.emit(p.eventAt, epcis.Problem{
			Severity: epcis.SeverityWarning, Code: epcis.CodeTruncated, Schema: p.unlisted,
			Message: "the event has " + strconv.Itoa(more) + " more problems", Hint: "repair those above and send the document again",
		})
	}
	p.layout = nil
	p.index++
	if p.faults > 0 {
		p.rejected++
		e.Faults = p.faults
	}
	if p.err != nil || p.to.Event == nil || p.faults > 0 && !p.opt.KeepFaulty {
		return p.err
	}
	return p.to.Event(e)
}

var unknownEvent = &field.Layout{}

// fields reads the fields of an event, or of a wrapper in it.
func (p *parser) fields(wrapper string, e *epcis.Event) error {
	return p.each(strings.TrimSuffix(wrapper, "/"), func() error {
		name := p.std()
		switch name {
		case "":
			if wrapper == "" {
				p.rank = 1 << 16 // nothing standard may follow
			}
			return p.extension(&e.Extensions)
		case "extension", "baseExtension":
			return p.wrapper(wrapper+name+"/", e)
		}
		id, known := field.IDs[name]
		if !known || id >= field.EPCClass && p.layout.Name != "QuantityEvent" {
			return p.misspelt(name, wrapper, e)
		}
		if !p.place(id, wrapper) {
			return p.skip()
		}
		return p.read(id, e)
	})
}

// wrapper reads a wrapper of 1.x, whose path is given.
func (p *parser) wrapper(path string, e *epcis.Event) error {
	p.wrapped = true
	if err := p.onlyAttrs(&e.Extensions, strings.TrimSuffix(path, "/")); err != nil {
		return err
	}
	return p.fields(path, e)
}

// place notes where a field is and reports what is unusual about it. It returns false when the field cannot be kept.
func (p *parser) place(id field.ID, wrapper string) bool {
	name, s := field.Names[id], p.layout.Slots[id]
	switch {
	case !s.Allowed:
		p.fault(p.at, epcis.CodeFieldNotAllowed, name, p.layout.Name+" has no field "+name, "remove it, or send another event for it")
		return false
	case p.seen[id] && id != field.CertificationInfo:
		p.fault(p.at, epcis.CodeFieldRepeated, name, name+" stands in the event twice", "keep one: "+p.layout.Name+" has one "+name)
		return false
	}
	p.seen[id], p.field[id] = true, p.at
	if p.items[id] != nil {
		p.items[id] = p.items[id][:0]
	}
	if p.anyVersion || p.version == 1 && p.layout.Name == "AssociationEvent" {
		return true
	}
	if wrapper != s.Wrapper {
		where := "directly in " + p.layout.Name
		if s.Wrapper != "" {
			where = "in " + strings.TrimSuffix(s.Wrapper, "/")
		}
		p.warn(p.at, epcis.CodeFieldMisplaced, wrapper+name, name+" belongs "+where, "move it there; it was read as if it were")
		return true
	}
	if s.Rank < p.rank && !p.disorder {
		p.disorder = true
		p.warn(p.at, epcis.CodeFieldOrder, wrapper+name, name+" comes too late", "write the fields in the order of the EPCIS schema")
	}
	p.rank = max(p.rank, s.Rank)
	return true
}

// read reads one field.
func (p *parser) read(id field.ID, e *epcis.Event) error {
	path := field.Names[id]
	switch id {
	case field.ErrorDeclaration, field.ReadPoint, field.BizLocation, field.ILMD: // they have extensions
	default:
		if len(p.attrs) > 0 {
			if err := p.onlyAttrs(nil, path); err != nil {
				return err
			}
		}
	}
	switch id {
	case field.EventTime:
		return p.into(&e.EventTime, path)
	case field.RecordTime:
		return p.into(&e.RecordTime, path)
	case field.EventTimeZoneOffset:
		return p.intoWord(&e.EventTimeZoneOffset, path)
	case field.EventID:
		return p.into(&e.EventID, path)
	case field.ErrorDeclaration:
		return p.errorDeclaration(e)
	case field.CertificationInfo:
		var s string
		if err := p.into(&s, path); err != nil || s == "" {
			return err
		}
		e.CertificationInfo = append(e.CertificationInfo, s)
		return nil
	case field.Action:
		return p.intoWord(&e.Action, path)
	case field.TransformationID:
		return p.into(&e.TransformationID, path)
	case field.BizStep:
		return p.intoWord(&e.BizStep, path)
	case field.Disposition:
		return p.intoWord(&e.Disposition, path)
	case field.PersistentDisposition:
		e.PersistentDisposition = &epcis.PersistentDisposition{}
		return p.persistentDisposition(e.PersistentDisposition)
	case field.ReadPoint:
		return p.location(&e.ReadPoint, path)
	case field.BizLocation:
		return p.location(&e.BizLocation, path)
	case field.BizTransactionList:
		return p.typed(id, "type", func(t, v string) {
			e.BizTransactionList = append(e.BizTransactionList, epcis.BizTransaction{Type: t, Value: v})
		})
	case field.SourceList:
		return p.typed(id, "type", func(t, v string) { e.SourceList = append(e.SourceList, epcis.SourceDest{Type: t, Value: v}) })
	case field.DestinationList:
		return p.typed(id, "type", func(t, v string) { e.DestinationList = append(e.DestinationList, epcis.SourceDest{Type: t, Value: v}) })
	case field.QuantityList:
		return p.quantities(id, &e.QuantityList)
	case field.ChildQuantityList:
		return p.quantities(id, &e.ChildQuantityList)
	case field.InputQuantityList:
		return p.quantities(id, &e.InputQuantityList)
	case field.OutputQuantityList:
		return p.quantities(id, &e.OutputQuantityList)
	case field.SensorElementList:
		return p.sensors(e)
	case field.ILMD:
		return p.ilmd(e, path)
	case field.EPCList:
		return p.epcs(id, &e.EPCList)
	case field.ChildEPCs:
		return p.epcs(id, &e.ChildEPCs)
	case field.InputEPCList:
		return p.epcs(id, &e.InputEPCList)
	case field.OutputEPCList:
		return p.epcs(id, &e.OutputEPCList)
	case field.ParentID:
		if p.units++; p.units > p.opt.MaxEPCs {
			return reading.ErrEventTooLarge
		}
		return p.into(&e.ParentID, path)
	case field.EPCClass, field.Quantity:
		if len(e.QuantityList) == 0 {
			e.QuantityList = []epcis.Quantity{{}}
		}
		if id == field.EPCClass {
			return p.into(&e.QuantityList[0].EPCClass, path)
		}
		return p.into(&e.QuantityList[0].Quantity, path)
	default: // fNone and numFields are no fields
		return p.skip()
	}
}

func (p *parser) into(s *string, path string) (err error) {
	at := p.at
	if *s, err = p.value(path); *s == "" && err == nil {
		p.empty(at, path)
	}
	return err
}

func (p *parser) intoWord(s *string, path string) (err error) {
	at := p.at
	if *s, err = p.word(path); *s == "" && err == nil {
		p.empty(at, path)
	}
	return err
}

func (p *parser) empty(at pos, path string) {
	p.warn(at, epcis.CodeFieldEmpty, path, "the field is empty", "leave it out; it was read as absent")
}

// finish checks an event that was read.
func (p *parser) finish(e *epcis.Event) {
	if p.version == 1 && !p.anyVersion { // the 1.x schema wants the lists even when they are empty
		var id field.ID
		switch p.layout.Name {
		case "ObjectEvent", "TransactionEvent":
			id = field.EPCList
		case "AggregationEvent":
			id = field.ChildEPCs
		}
		if id != field.None && !p.seen[id] {
			p.warn(p.eventAt, epcis.CodeFieldMissing, field.Names[id], field.Names[id]+" is missing", "write an empty <"+field.Names[id]+"/>")
		}
	}
	p.check.Check(e, p.opt.MaxEPCs, func(pr epcis.Problem, name string, item int) {
		at, id := p.eventAt, field.IDs[name]
		if id != field.None && p.seen[id] {
			at = p.field[id]
			if item >= 0 && item < len(p.items[id]) {
				at = p.items[id][item]
			}
		}
		p.problem(at, pr)
	})
}
