package epcis

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// encoder is the Encoder of every format.
type encoder struct {
	w       *writer
	f       format
	head    Head
	started bool
	closed  bool
	err     error
}

// format is how one format writes.
type format interface {
	// begin begins a document. empty tells that no event follows.
	begin(head Head, empty bool) error
	event(e *Event, recordTime string, bare bool) error
	end() error
}

// newEncoder returns an encoder that writes with f, of which w is the part that all formats share.
func newEncoder(w *writer, f format, head Head) *encoder {
	if head.Header == nil {
		head.Header = &Header{}
	}
	head.Header = liftSBDH(head.Header)
	if head.CreationDate == "" {
		head.CreationDate = head.Header.CreationDate
	}
	if head.CreationDate == "" {
		head.CreationDate = w.o.CreationDate
	}
	return &encoder{w: w, f: f, head: head}
}

func newWriter(o WriteOptions) (*writer, error) {
	switch o.Format {
	case FormatJSON, FormatXML2, FormatXML12:
	default:
		return nil, fmt.Errorf("write EPCIS: %q is no format that is written: use %s, %s or %s", o.Format, FormatJSON, FormatXML2, FormatXML12)
	}
	w := &writer{o: o, json: o.Format == FormatJSON, old: o.Format == FormatXML12, ids: newTranslator(&o)}
	w.told.event = -1
	w.names.init(w.json)
	return w, nil
}

// Event writes one event. recordTime takes the place of the event's own, unless it is empty.
func (e *encoder) Event(ev *Event, recordTime string) error {
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
		e.err = e.f.event(ev, recordTime, false)
	}
	return e.err
}

func (e *encoder) begin(first *Event) {
	e.started = true
	n := &e.w.names
	for _, ev := range e.head.Declare {
		e.w.eventNamespaces(ev, n.declare)
	}
	n.prefer(e.head.Namespaces)
	n.prefer(e.head.Header.Prefixes)
	e.w.headerNamespaces(e.head.Header, n.declare)
	if first != nil {
		e.w.eventNamespaces(first, n.declare)
	}
	n.declared()
	e.err = e.f.begin(e.head, first == nil)
}

// Close ends the document and says what of it the format could not hold.
func (e *encoder) Close() (losses []Problem, err error) {
	if e.closed {
		return nil, errors.New("write EPCIS: closed twice")
	}
	e.closed = true
	if !e.started {
		e.begin(nil)
	}
	if e.err == nil {
		e.err = e.f.end()
	}
	return e.w.told.problems(), e.err
}

// Losses are what the format could not hold so far.
func (e *encoder) Losses() []Problem { return e.w.told.list }

// encodeEvent writes one event by itself with f.
func encodeEvent(w *writer, f format, ev *Event, recordTime string) (losses []Problem, err error) {
	w.told.next()
	w.eventNamespaces(ev, w.names.declare)
	w.names.declared()
	err = f.event(ev, recordTime, true)
	return w.told.problems(), err
}

// writer is what all formats share.
type writer struct {
	o    WriteOptions
	json bool
	old  bool // XML 1.2
	ids  translator
	told reporter
	at   []string // path of what is being written
	names
}

func (w *writer) in(name string)            { w.at = append(w.at, name) }
func (w *writer) inItem(name string, i int) { w.at = append(w.at, name+"["+strconv.Itoa(i+1)+"]") }
func (w *writer) out()                      { w.at = w.at[:len(w.at)-1] }

// lost reports that something was changed or left out.
func (w *writer) lost(message, hint string) {
	w.told.add(strings.Join(w.at, "/"), message, hint, false)
}

// refused reports that the schema of the format refuses something that was written.
func (w *writer) refused(message, hint string) {
	w.told.add(strings.Join(w.at, "/"), message, hint, true)
}

const (
	// Limits on what is reported; what is behind them is counted.
	maxLosses      = 10_000
	maxEventLosses = 100
)

type reporter struct {
	list  []Problem
	event int
	count int // of the event
	more  int
}

func (r *reporter) next() {
	r.event++
	r.count = 0
}

func (r *reporter) add(path, message, hint string, schema bool) {
	if r.count++; r.count > maxEventLosses || len(r.list) >= maxLosses {
		r.more++
		return
	}
	r.list = append(r.list, Problem{
		Severity: SeverityWarning, Code: CodeNotConvertible, Path: path, Message: message, Hint: hint, Event: r.event, Schema: schema,
	})
}

func (r *reporter) problems() []Problem {
	if r.more > 0 {
		r.list = append(r.list, Problem{
			Severity: SeverityWarning, Code: CodeTruncated, Event: -1,
			Message: "there are " + strconv.Itoa(r.more) + " more things that could not be converted", Hint: "those told are examples of all kinds in the first events",
		})
		r.more = 0
	}
	return r.list
}

// id writes an identifier; idsDone reports, once for a whole list, those that could not be translated.
func (w *writer) id(s string) string { return w.ids.id(s) }

// word writes an identifier that a document repeats: of a class, a place or a party.
func (w *writer) word(s string) string {
	if w.ids.form == AsCaptured {
		return s
	}
	if id, ok := w.ids.words[s]; ok {
		return id
	}
	kept, shrunk := w.ids.kept, w.ids.shrunk
	id := w.ids.id(s)
	if w.ids.kept == kept && w.ids.shrunk == shrunk && len(w.ids.words) < 4096 { // what is told is told every time
		if w.ids.words == nil {
			w.ids.words = map[string]string{}
		}
		w.ids.words[s] = id
	}
	return id
}

func (w *writer) idsDone() {
	if w.ids.kept == 0 && w.ids.shrunk == "" {
		return
	}
	if n := w.ids.kept; n > 0 {
		what := quote(w.ids.first) + " was kept as captured"
		if n > 1 {
			what = strconv.Itoa(n) + " identifiers were kept as captured, the first is " + quote(w.ids.first)
		}
		switch {
		case w.ids.form == DigitalLink:
			w.lost(what+": it is no GS1 identifier that has a Digital Link", "correct the identifier")
		case w.old && w.o.EPC == AsCaptured:
			w.lost(what+": EPCIS 1.2 is older than Digital Links, and the length of the company prefix is not known", "give the length of the prefix, or send the URN")
		default:
			w.lost(what+": the length of the company prefix is not known, so there is no URN", "give the length of the prefix")
		}
	}
	if s := w.ids.shrunk; s != "" {
		w.lost(quote(s)+" says more than its URN, which has no place for variants, for a lot beside a serial and for queries", "keep Digital Links to keep that")
	}
	w.ids.kept, w.ids.first, w.ids.shrunk = 0, "", ""
}

// whole returns s as the format can hold it: text in UTF-8 and, for XML, without control characters.
func (w *writer) whole(s string) string {
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
		if r == utf8.RuneError || !w.json && (r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF) {
			bad = true
			return utf8.RuneError
		}
		return r
	}, s)
	if !bad || fixed == s { // a replacement character that was there before
		return s
	}
	w.lost("the text "+quote(s)+" has characters that the format cannot hold; they were replaced", "remove them")
	return fixed
}

// time writes a time of the standard. 2.0 wants a zone: that of the event is added to the event's own time, where it is
// known what is meant (see EventTimeMillis); any other time is left alone.
func (w *writer) time(s, offset string) string {
	if s == "" {
		return s
	}
	t, err := parseTime(s)
	switch {
	case err != nil:
		w.refused(quote(s)+" is not a date and time", hintTime)
	case w.old:
	case t.zoned && s[11:13] != "24":
	case t.zoned:
		w.refused(quote(s)+" is midnight written as 24 o'clock, which EPCIS 2.0 does not know", "write the next day at 00:00:00")
	default:
		if _, bad := parseOffset(offset); bad == nil {
			w.lost(quote(s)+" has no zone; that of eventTimeZoneOffset was added", "write times with their zone")
			return s + offset
		}
		w.refused(quote(s)+" has no zone, which EPCIS 2.0 wants", "write times with their zone")
	}
	return s
}

// layout returns what the schema says of an event, nil for a type that the format has not.
func (w *writer) layout(e *Event) *layout {
	version := 2
	if w.old {
		version = 1
	}
	l := layoutOf(version, e.Type)
	if l == nil || l.modelled != e.Type {
		return nil
	}
	return l
}

// strangers reports fields that the event type does not have; no format writes them.
func (w *writer) strangers(e *Event, l *layout) {
	for id := fEventTime; id < fEPCClass; id++ {
		if !l.slots[id].allowed && present(e, id) {
			w.in(fieldNames[id])
			w.lost(e.Type+" has no field "+fieldNames[id]+"; it was left out", "send another event for it")
			w.out()
		}
	}
}

// required reports what the schema of the format misses in an event.
func (w *writer) required(e *Event) {
	if w.old && e.Type == "AssociationEvent" { // 1.2 knows nothing of it
		return
	}
	for _, f := range []struct {
		id   fieldID
		want bool
	}{
		{fEventTime, true},
		{fEventTimeZoneOffset, true},
		{fAction, e.Type != "TransformationEvent"},
		{fParentID, e.Type == "AssociationEvent"},
		{fBizTransactionList, e.Type == "TransactionEvent"},
	} {
		if f.want && !present(e, f.id) {
			w.in(fieldNames[f.id])
			w.refused(fieldNames[f.id]+" is missing", "add it")
			w.out()
		}
	}
	if !w.json {
		return
	}
	in, out := len(e.InputEPCList)+len(e.InputQuantityList), len(e.OutputEPCList)+len(e.OutputQuantityList)
	switch {
	case (e.Type == "AggregationEvent" || e.Type == "AssociationEvent") && len(e.ChildEPCs)+len(e.ChildQuantityList) == 0 && e.Action != "DELETE":
		w.refused("the event names no children", "name them; only DELETE may leave them out, for all")
	case e.Type == "TransformationEvent" && (in+out == 0 || e.TransformationID == "" && (in == 0 || out == 0)):
		w.refused("a transformation needs inputs and outputs", "add them, or a transformationID that ties this event to another one")
	}
}
