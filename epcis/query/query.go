package query

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
)

// Bounds of a query.
const (
	MaxParameters = 100     // parameters of one query
	MaxValues     = 1000    // values of one list
	MaxText       = 2048    // bytes of a name or a value
	MaxJSON       = 1 << 20 // bytes of a query as JSON
)

// ErrorKind says which exception of the standard an Error is.
type ErrorKind uint8

// The kinds of errors.
const (
	KindParameter  ErrorKind = iota // QueryParameterException: an unknown parameter, or a value it cannot have
	KindValidation                  // QueryValidationException: the JSON of the query is malformed
	KindTooComplex                  // QueryTooComplexException: a bound of this package is passed
)

// String is the name of the exception in the standard.
func (k ErrorKind) String() string {
	switch k {
	case KindValidation:
		return "QueryValidationException"
	case KindTooComplex:
		return "QueryTooComplexException"
	case KindParameter:
	}
	return "QueryParameterException"
}

// Error says what is wrong with a query, where, and what to do.
type Error struct {
	Param   string // as given; "" when it is about the query as a whole
	Message string
	Hint    string
	Kind    ErrorKind
}

func (e *Error) Error() string {
	s := e.Message
	if e.Param != "" {
		s = excerpt.Clip(e.Param) + ": " + s
	}
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Record is an event as a query sees it.
type Record struct {
	Event      *epcis.Event
	RecordTime time.Time
	Hash       string // its CBV hash id, by which EQ_eventID finds it too; may be ""
}

// Vocabulary is the master data known. Implementations compare ids by what they name, in any form, and understand the
// spellings of namespaces.
type Vocabulary interface {
	// Descendants are the direct and indirect children of a place, without itself.
	Descendants(id string) []string
	// Attribute is the values of an attribute, none if it has none. Attributes of CBV are named
	// urn:epcglobal:cbv:mda#countryCode.
	Attribute(id, name string) []string
}

// Query is a parsed query. It does not change and may be used by many at once.
type Query struct {
	params     []param // sorted by name; And may leave two of one name, and both must hold
	order      Order
	orderField field
	event      window // GE_ and LT_eventTime, the tightest
	record     window
	byCost     []*cond
}

type param struct {
	name  string // canonical
	value value
	cond  *cond // nil when it restricts nothing by itself: windows, order, EXISTS_ with false
}

// A cond is what one parameter demands.
type cond struct {
	cost  uint8 // the cheap ones are asked first
	match func(r *Record, v Vocabulary) bool
	term  func(v Vocabulary) (Term, bool)
}

type window struct{ from, before time.Time } // zero: open

func (w *window) narrow(o window) {
	if !o.from.IsZero() && (w.from.IsZero() || o.from.After(w.from)) {
		w.from = o.from
	}
	if !o.before.IsZero() && (w.before.IsZero() || o.before.Before(w.before)) {
		w.before = o.before
	}
}

func (w window) open() bool { return w.from.IsZero() && w.before.IsZero() }

func (w window) has(t time.Time) bool {
	return (w.from.IsZero() || !t.Before(w.from)) && (w.before.IsZero() || t.Before(w.before))
}

// Match reports whether the event answers the query. v may be nil: then nothing is known of any id.
func (q *Query) Match(r *Record, v Vocabulary) bool {
	if !q.record.open() && !q.record.has(r.RecordTime) {
		return false
	}
	for _, c := range q.byCost {
		if !c.match(r, v) {
			return false
		}
	}
	return true
}

// RecordTime is the window of record times outside of which nothing matches; zero times are open ends.
func (q *Query) RecordTime() (from, before time.Time) { return q.record.from, q.record.before }

// EventTime is the window of event times outside of which nothing matches. It is in whole milliseconds, as
// epcis.EventTimeMillis is, and so may be a little wider than the query.
func (q *Query) EventTime() (from, before time.Time) {
	from, before = q.event.from, q.event.before
	if !from.IsZero() {
		from = from.Truncate(time.Millisecond)
	}
	if !before.IsZero() {
		if t := before.Truncate(time.Millisecond); t.Before(before) {
			before = t.Add(time.Millisecond)
		}
	}
	return from, before
}

// And is the query that matches what both match. Order and limits are q's, or p's when q has neither.
func (q *Query) And(p *Query) *Query {
	if p == nil {
		return q
	}
	if q == nil {
		return p
	}
	params := slices.Clone(q.params)
	isOrder := func(x param) bool { return x.value.kind == kindOrder }
	ordered := slices.ContainsFunc(params, isOrder)
	for _, x := range p.params {
		if !ordered || !isOrder(x) {
			params = append(params, x)
		}
	}
	return newQuery(params)
}

// newQuery puts parameters together.
func newQuery(params []param) *Query {
	q := &Query{params: params}
	slices.SortStableFunc(q.params, func(a, b param) int { return strings.Compare(a.name, b.name) })
	q.params = slices.CompactFunc(q.params, func(a, b param) bool {
		return a.name == b.name && a.value.equal(&b.value)
	})
	for i := range q.params {
		x := &q.params[i]
		if x.cond != nil {
			q.byCost = append(q.byCost, x.cond)
		}
		switch x.name {
		case "GE_eventTime":
			q.event.narrow(window{from: x.value.time})
		case "LT_eventTime":
			q.event.narrow(window{before: x.value.time})
		case "GE_recordTime":
			q.record.narrow(window{from: x.value.time})
		case "LT_recordTime":
			q.record.narrow(window{before: x.value.time})
		case "orderBy":
			if q.order.By == "" {
				q.order.By, q.orderField = x.value.texts[0], x.value.field
			}
		case "orderDirection":
			q.order.Ascending = x.value.texts[0] == "ASC"
		case "eventCountLimit":
			q.order.Limit = x.value.n
		case "maxEventCount":
			q.order.Max = x.value.n
		}
	}
	if w := q.event; !w.open() {
		q.byCost = append(q.byCost, &cond{cost: costTime, match: func(r *Record, _ Vocabulary) bool {
			t, ok := eventTime(r.Event)
			return ok && w.has(t)
		}})
	}
	slices.SortStableFunc(q.byCost, func(a, b *cond) int { return cmp.Compare(a.cost, b.cost) })
	return q
}

func eventTime(e *epcis.Event) (time.Time, bool) { return instant(e.EventTime, e.EventTimeZoneOffset) }

// Order is how the result is to be ordered and bounded.
type Order struct {
	By        string // "" for any order, eventTime, recordTime, or an extension field as namespace#name
	Ascending bool
	Limit     int // eventCountLimit: only the first so many, 0 for all
	Max       int // maxEventCount: more than so many are a QueryTooLargeException, 0 for no limit
}

// Order returns it.
func (q *Query) Order() Order { return q.order }

// Less orders two records as the query asks. Events without the field come last. Of two that are equal neither is less;
// the caller breaks ties, for example by position.
func (q *Query) Less(a, b *Record) bool {
	var c int
	switch q.order.By {
	case "":
		return false
	case "recordTime":
		c = a.RecordTime.Compare(b.RecordTime)
	case "eventTime":
		x, okX := eventTime(a.Event)
		y, okY := eventTime(b.Event)
		if !okX || !okY {
			return okX && !okY
		}
		c = x.Compare(y)
	default:
		x, y := q.orderField.sortKey(a.Event), q.orderField.sortKey(b.Event)
		if x.class == 0 || y.class == 0 {
			return x.class > y.class
		}
		c = x.compare(&y)
	}
	if q.order.Ascending {
		return c < 0
	}
	return c > 0
}

// A sortKey is a value of an extension field. Numbers come before times, times before texts.
type sortKey struct {
	class  int // 0 for none, 1 number, 2 time, 3 text
	number decimal
	time   time.Time
	text   string
}

func (k *sortKey) compare(o *sortKey) int {
	if k.class != o.class {
		return cmp.Compare(k.class, o.class)
	}
	switch k.class {
	case 1:
		return k.number.compare(o.number)
	case 2:
		return k.time.Compare(o.time)
	}
	return strings.Compare(k.text, o.text)
}

func (f field) sortKey(e *epcis.Event) (key sortKey) {
	f.find(e.Extensions, false, func(x *epcis.Extension) bool {
		return values(x, func(_ epcis.ValueType, text string) bool {
			text = trim(text)
			if n, ok := parseDecimal(text); ok {
				key = sortKey{class: 1, number: n}
			} else if t, ok := instantOrDate(text); ok {
				key = sortKey{class: 2, time: t}
			} else {
				key = sortKey{class: 3, text: text}
			}
			return true
		})
	})
	return key
}

// andName is where JSON puts further queries that must match too. It is not a parameter of the standard: a query that was
// made by And may demand one parameter twice, which an object cannot say.
const andName = "verilot:and"

// JSON is the query as an object that ParseJSON reads, whatever the prefixes were when it was parsed: names are in one
// spelling and namespaces in full.
func (q *Query) JSON() []byte {
	raw, err := json.Marshal(q.object())
	if err != nil { // strings, numbers and lists of them
		panic("query: " + err.Error())
	}
	return raw
}

func (q *Query) object() map[string]any {
	object, context := map[string]any{}, map[string]string{}
	var rest []param
	for _, x := range q.params {
		_, twice := object[x.name]
		for prefix, ns := range x.value.context {
			if other, ok := context[prefix]; ok && other != ns {
				twice = true // and what it needs is in an object of its own
			}
		}
		if twice {
			rest = append(rest, x)
			continue
		}
		object[x.name] = x.value.json()
		maps.Copy(context, x.value.context)
	}
	if len(context) > 0 {
		object["@context"] = context
	}
	if len(rest) > 0 {
		object[andName] = []any{(&Query{params: rest}).object()}
	}
	return object
}
