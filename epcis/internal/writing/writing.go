// Package writing is what the encoders of all formats share: namespaces and their prefixes, the
// forms of identifiers, and the report of what a format cannot hold.
package writing

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/accessor"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/heading"
	"verilot.dev/epcis/internal/xsd"
)

// Encoder is the Encoder of every format.
type Encoder struct {
	w       *Writer
	f       Format
	head    epcis.Head
	started bool
	closed  bool
	err     error
}

// Format is how one format writes.
type Format interface {
	// Begin begins a document. empty tells that no event follows.
	Begin(head epcis.Head, empty bool) error
	// Event writes an event; bare tells that it is no part of a document.
	Event(e *epcis.Event, recordTime string, bare bool) error
	// End ends the document.
	End() error
}

// NewEncoder returns an encoder that writes with f, of which w is the part that all formats share.
func NewEncoder(w *Writer, f Format, head epcis.Head) *Encoder {
	if head.Header == nil {
		head.Header = &epcis.Header{}
	}
	head.Header = heading.LiftSBDH(head.Header)
	if head.CreationDate == "" {
		head.CreationDate = head.Header.CreationDate
	}
	if head.CreationDate == "" {
		head.CreationDate = w.Options.CreationDate
	}
	return &Encoder{w: w, f: f, head: head}
}

// New returns a Writer for one of the formats that are written.
func New(o epcis.WriteOptions) (*Writer, error) {
	switch o.Format {
	case epcis.FormatJSON, epcis.FormatXML2, epcis.FormatXML12:
	default:
		return nil, fmt.Errorf("write EPCIS: %q is no format that is written: use %s, %s or %s", o.Format, epcis.FormatJSON, epcis.FormatXML2, epcis.FormatXML12)
	}
	w := &Writer{Options: o, JSON: o.Format == epcis.FormatJSON, Old: o.Format == epcis.FormatXML12, IDs: newTranslator(&o)}
	w.told.event = -1
	w.Names.init(w.JSON)
	return w, nil
}

// Event writes one event. recordTime takes the place of the event's own, unless it is empty.
func (e *Encoder) Event(ev *epcis.Event, recordTime string) error {
	switch {
	case e.closed:
		return errors.New("write EPCIS: an event after Close")
	case e.err != nil:
		return e.err
	case !e.started:
		e.begin(ev)
	}
	e.w.told.next()
	if e.err == nil {
		e.err = e.f.Event(ev, recordTime, false)
	}
	return e.err
}

func (e *Encoder) begin(first *epcis.Event) {
	e.started = true
	n := &e.w.Names
	for _, ev := range e.head.Declare {
		e.w.EventNamespaces(ev, n.Declare)
	}
	n.Prefer(e.head.Namespaces)
	n.Prefer(e.head.Header.Prefixes)
	e.w.headerNamespaces(e.head.Header, n.Declare)
	if first != nil {
		e.w.EventNamespaces(first, n.Declare)
	}
	n.declared()
	e.err = e.f.Begin(e.head, first == nil)
}

// Close ends the document and says what of it the format could not hold.
func (e *Encoder) Close() (losses []epcis.Problem, err error) {
	if e.closed {
		return nil, errors.New("write EPCIS: closed twice")
	}
	e.closed = true
	if !e.started {
		e.begin(nil)
	}
	if e.err == nil {
		e.err = e.f.End()
	}
	return e.w.told.problems(), e.err
}

// Losses are what the format could not hold so far.
func (e *Encoder) Losses() []epcis.Problem { return e.w.told.list }

// EncodeEvent writes one event by itself with f.
func EncodeEvent(w *Writer, f Format, ev *epcis.Event, recordTime string) (losses []epcis.Problem, err error) {
	w.told.next()
	w.EventNamespaces(ev, w.Names.Declare)
	w.Names.declared()
	err = f.Event(ev, recordTime, true)
	return w.told.problems(), err
}

// Writer is what all formats share.
type Writer struct {
	Options epcis.WriteOptions
	JSON    bool
	Old     bool // XML 1.2
	IDs     translator
	told    reporter
	At      []string // path of what is being written
	Names
}

// In, InItem and Out keep the path of what is being written.
func (w *Writer) In(name string)            { w.At = append(w.At, name) }
func (w *Writer) InItem(name string, i int) { w.At = append(w.At, name+"["+strconv.Itoa(i+1)+"]") }
func (w *Writer) Out()                      { w.At = w.At[:len(w.At)-1] }

// Lost reports that something was changed or left out.
func (w *Writer) Lost(message, hint string) {
	w.told.add(strings.Join(w.At, "/"), message, hint, false)
}

// Refused reports that the schema of the format refuses something that was written.
func (w *Writer) Refused(message, hint string) {
	w.told.add(strings.Join(w.At, "/"), message, hint, true)
}

const (
	// Limits on what is reported; what is behind them is counted.
	MaxLosses      = 10_000
	MaxEventLosses = 100
)

type reporter struct {
	list  []epcis.Problem
	event int
	count int // of the event
	more  int
}

func (r *reporter) next() {
	r.event++
	r.count = 0
}

func (r *reporter) add(path, message, hint string, schema bool) {
	if r.count++; r.count > MaxEventLosses || len(r.list) >= MaxLosses {
		r.more++
		return
	}
	r.list = append(r.list, epcis.Problem{
		Severity: epcis.SeverityWarning, Code: epcis.CodeNotConvertible, Path: path, Message: message, Hint: hint, Event: r.event, Schema: schema,
	})
}

func (r *reporter) problems() []epcis.Problem {
	if r.more > 0 {
		r.list = append(r.list, epcis.Problem{
			Severity: epcis.SeverityWarning, Code: epcis.CodeTruncated, Event: -1,
			Message: "there are " + strconv.Itoa(r.more) + " more things that could not be converted", Hint: "those told are examples of all kinds in the first events",
		})
		r.more = 0
	}
	return r.list
}

// ID writes an identifier; idsDone reports, once for a whole list, those that could not be
// translated.
func (w *Writer) ID(s string) string { return w.IDs.id(s) }

// Word writes an identifier that a document repeats: of a class, a place or a party.
func (w *Writer) Word(s string) string {
	if w.IDs.form == epcis.AsCaptured {
		return s
	}
	if id, ok := w.IDs.words[s]; ok {
		return id
	}
	kept, shrunk := w.IDs.kept, w.IDs.shrunk
	id := w.IDs.id(s)
	if w.IDs.kept == kept && w.IDs.shrunk == shrunk && len(w.IDs.words) < 4096 { // what is told is told every time
		if w.IDs.words == nil {
			w.IDs.words = map[string]string{}
		}
		w.IDs.words[s] = id
	}
	return id
}

// IDsDone reports the identifiers of a list that could not be translated.
func (w *Writer) IDsDone() {
	if w.IDs.kept == 0 && w.IDs.shrunk == "" {
		return
	}
	if n := w.IDs.kept; n > 0 {
		what := excerpt.Quote(w.IDs.first) + " was kept as captured"
		if n > 1 {
			what = strconv.Itoa(n) + " identifiers were kept as captured, the first is " + excerpt.Quote(w.IDs.first)
		}
		switch {
		case w.IDs.form == epcis.DigitalLink:
			w.Lost(what+": it is no GS1 identifier that has a Digital Link", "correct the identifier")
		case w.Old && w.Options.EPC == epcis.AsCaptured:
			w.Lost(what+": EPCIS 1.2 is older than Digital Links, and the length of the company prefix is not known", "give the length of the prefix, or send the URN")
		default:
			w.Lost(what+": the length of the company prefix is not known, so there is no URN", "give the length of the prefix")
		}
	}
	if s := w.IDs.shrunk; s != "" {
		w.Lost(excerpt.Quote(s)+" says more than its URN, which has no place for variants, for a lot beside a serial and for queries", "keep Digital Links to keep that")
	}
	w.IDs.kept, w.IDs.first, w.IDs.shrunk = 0, "", ""
}

// Whole returns s as the format can hold it: text in UTF-8 and, for XML, without control
// characters.
func (w *Writer) Whole(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	bad := false
	fixed := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !w.JSON && (r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF) {
			bad = true
			return utf8.RuneError
		}
		return r
	}, s)
	if !bad || fixed == s { // a replacement character that was there before
		return s
	}
	w.Lost("the text "+excerpt.Quote(s)+" has characters that the format cannot hold; they were replaced", "remove them")
	return fixed
}

// Time writes a time of the standard. 2.0 wants a zone: that of the event is added to the event's own time, where it is
// known what is meant (see EventTimeMillis); any other time is left alone.
func (w *Writer) Time(s, offset string) string {
	if s == "" {
		return s
	}
	t, err := xsd.ParseTime(s)
	switch {
	case err != nil:
		w.Refused(excerpt.Quote(s)+" is not a date and time", xsd.TimeHint)
	case w.Old:
	case t.Zoned && s[11:13] != "24":
	case t.Zoned:
		w.Refused(excerpt.Quote(s)+" is midnight written as 24 o'clock, which EPCIS 2.0 does not know", "write the next day at 00:00:00")
	default:
		if _, bad := xsd.ParseOffset(offset); bad == nil {
			w.Lost(excerpt.Quote(s)+" has no zone; that of eventTimeZoneOffset was added", "write times with their zone")
			return s + offset
		}
		w.Refused(excerpt.Quote(s)+" has no zone, which EPCIS 2.0 wants", "write times with their zone")
	}
	return s
}

// Layout returns what the schema says of an event, nil for a type that the format has not.
func (w *Writer) Layout(e *epcis.Event) *field.Layout {
	version := 2
	if w.Old {
		version = 1
	}
	l := field.LayoutOf(version, e.Type)
	if l == nil || l.Modelled != e.Type {
		return nil
	}
	return l
}

// Strangers reports fields that the event type does not have; no format writes them.
func (w *Writer) Strangers(e *epcis.Event, l *field.Layout) {
	for id := field.EventTime; id < field.EPCClass; id++ {
		if !l.Slots[id].Allowed && accessor.Present(e, id) {
			w.In(field.Names[id])
			w.Lost(e.Type+" has no field "+field.Names[id]+"; it was left out", "send another event for it")
			w.Out()
		}
	}
}

// Required reports what the schema of the format misses in an event.
func (w *Writer) Required(e *epcis.Event) {
	if w.Old && e.Type == "AssociationEvent" { // 1.2 knows nothing of it
		return
	}
	for _, f := range []struct {
		id   field.ID
		want bool
	}{
		{field.EventTime, true},
		{field.EventTimeZoneOffset, true},
		{field.Action, e.Type != "TransformationEvent"},
		{field.ParentID, e.Type == "AssociationEvent"},
		{field.BizTransactionList, e.Type == "TransactionEvent"},
	} {
		if f.want && !accessor.Present(e, f.id) {
			w.In(field.Names[f.id])
			w.Refused(field.Names[f.id]+" is missing", "add it")
			w.Out()
		}
	}
	if !w.JSON {
		return
	}
	in, out := len(e.InputEPCList)+len(e.InputQuantityList), len(e.OutputEPCList)+len(e.OutputQuantityList)
	switch {
	case (e.Type == "AggregationEvent" || e.Type == "AssociationEvent") && len(e.ChildEPCs)+len(e.ChildQuantityList) == 0 && e.Action != "DELETE":
		w.Refused("the event names no children", "name them; only DELETE may leave them out, for all")
	case e.Type == "TransformationEvent" && (in+out == 0 || e.TransformationID == "" && (in == 0 || out == 0)):
		w.Refused("a transformation needs inputs and outputs", "add them, or a transformationID that ties this event to another one")
	}
}
