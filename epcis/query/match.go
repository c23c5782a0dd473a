package query

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	cbv "verilot.dev/epcis/internal/vocabulary"
)

// What conditions cost, roughly: comparing a field, reading a time or an identifier, walking lists, asking master data.
const (
	costField uint8 = iota
	costTime
	costID
	costList
	costMaster
)

type op uint8

// The operators of parameters.
const (
	opEQ op = iota
	opGT
	opGE
	opLT
	opLE
	opEXISTS
)

// holds tells whether a comparison that gave c, as cmp.Compare does, is what the operator asks for.
func (o op) holds(c int) bool {
	switch o {
	case opGT:
		return c > 0
	case opGE:
		return c >= 0
	case opLT:
		return c < 0
	case opLE:
		return c <= 0
	case opEQ, opEXISTS:
	}
	return c == 0
}

// some is a way through values of an event: it calls has for one after the other until has is true, and tells whether it was.
type some func(e *epcis.Event, has func(string) bool) bool

// A textSet is the list of a parameter.
type textSet struct {
	written map[string]struct{} // as given: no normalising for an event that has it the same way
	normal  map[string]struct{}
	form    func(string) string
}

func newSet(form func(string) string, list []string) *textSet {
	s := &textSet{written: make(map[string]struct{}, len(list)), normal: make(map[string]struct{}, len(list)), form: form}
	for _, x := range list {
		s.written[x] = struct{}{}
		s.normal[form(x)] = struct{}{}
	}
	return s
}

func (s *textSet) has(x string) bool {
	if x == "" {
		return false
	}
	if _, ok := s.written[x]; ok {
		return true
	}
	_, ok := s.normal[s.form(x)]
	return ok
}

func (s *textSet) sorted() []string {
	list := make([]string, 0, len(s.normal))
	for x := range s.normal {
		list = append(list, x)
	}
	slices.Sort(list)
	return list
}

// term is a fixed index term, or none when kind is "".
func term(kind TermKind, list []string) func(Vocabulary) (Term, bool) {
	if kind == "" {
		return nil
	}
	return func(Vocabulary) (Term, bool) { return Term{kind, list}, true }
}

// words is a parameter on one field with CBV values.
func words(voc *vocabulary, kind TermKind, get func(*epcis.Event) string) func(*parser, *value) (*cond, *Error) {
	return func(p *parser, v *value) (*cond, *Error) {
		set, e := p.wordSet(voc, v)
		if e != nil {
			return nil, e
		}
		return &cond{
			match: func(r *Record, _ Vocabulary) bool { return set.has(get(r.Event)) },
			term:  term(kind, set.sorted()),
		}, nil
	}
}

// eachWord is one on a field that an event may have more than once. An event that has it has the feature.
func eachWord(voc *vocabulary, has Feature, each some) func(*parser, *value) (*cond, *Error) {
	return func(p *parser, v *value) (*cond, *Error) {
		set, e := p.wordSet(voc, v)
		if e != nil {
			return nil, e
		}
		is := set.has
		return &cond{
			cost:  costList,
			match: func(r *Record, _ Vocabulary) bool { return each(r.Event, is) },
			term:  has.term(),
		}, nil
	}
}

func (p *parser) wordSet(voc *vocabulary, v *value) (*textSet, *Error) {
	for i, s := range v.texts {
		w, e := p.word(voc, s)
		if e != nil {
			return nil, e
		}
		v.texts[i] = w
	}
	if e := p.expand(v); e != nil {
		return nil, e
	}
	return newSet(voc.bare, v.texts), nil
}

// ids is a parameter on identifiers: URIs that name one thing in more than one form. Those of sensors have no term of
// their own, but only events with sensor data have them.
func ids(kind TermKind, each some) func(*parser, *value) (*cond, *Error) {
	return func(p *parser, v *value) (*cond, *Error) {
		if e := p.uris(v, kind); e != nil {
			return nil, e
		}
		set := newSet(identity, v.texts)
		is := set.has
		c := &cond{
			cost:  costID,
			match: func(r *Record, _ Vocabulary) bool { return each(r.Event, is) },
			term:  term(kind, set.sorted()),
		}
		if kind == "" {
			c.cost, c.term = costList, FeatureSensor.term()
		}
		return c, nil
	}
}

// uris checks that all values are URIs. Ids of events and transformations, and numbers of documents, are recorded as they
// are, and asked for with the same text.
func (p *parser) uris(v *value, kind TermKind) *Error {
	for _, s := range v.texts {
		if kind == EventID || kind == TransformationID || kind == BizTransaction {
			break
		}
		if i := strings.IndexByte(s, ':'); i < 1 || i == len(s)-1 {
			return &Error{Message: excerpt.Quote(s) + " is not a URI", Hint: "write it in full, for example urn:epc:id:sgln:0614141.07346.0"}
		}
	}
	return p.expand(v)
}

func texts(form func(string) string, each some) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		is := newSet(form, v.texts).has
		return &cond{
			cost:  costList,
			match: func(r *Record, _ Vocabulary) bool { return each(r.Event, is) },
			term:  FeatureSensor.term(),
		}, nil
	}
}

func hexadecimal(s string) string { return cbv.Lower(trim(s)) }

func action(_ *parser, v *value) (*cond, *Error) {
	for _, s := range v.texts {
		if s != "ADD" && s != "OBSERVE" && s != "DELETE" {
			e := &Error{Message: excerpt.Quote(s) + " is not an action", Hint: "write ADD, OBSERVE or DELETE"}
			if near := epcis.Nearest(s, []string{"ADD", "OBSERVE", "DELETE"}); near != "" {
				e.Hint = "write " + near
			}
			return nil, e
		}
	}
	set := newSet(trim, v.texts)
	return &cond{
		match: func(r *Record, _ Vocabulary) bool { return set.has(r.Event.Action) },
		term:  term(Action, set.sorted()),
	}, nil
}

func readPoint(e *epcis.Event) *epcis.Place   { return e.ReadPoint }
func bizLocation(e *epcis.Event) *epcis.Place { return e.BizLocation }

func place(kind TermKind, get func(*epcis.Event) *epcis.Place, within bool) func(*parser, *value) (*cond, *Error) {
	return func(p *parser, v *value) (*cond, *Error) {
		if e := p.uris(v, ""); e != nil {
			return nil, e
		}
		set := newSet(identity, v.texts)
		given := slices.Clone(v.texts)
		c := &cond{cost: costID, term: term(kind, set.sorted())}
		c.match = func(r *Record, m Vocabulary) bool {
			place := get(r.Event)
			switch {
			case place == nil || place.ID == "":
				return false
			case set.has(place.ID):
				return true
			case !within || m == nil:
				return false
			}
			id := identity(place.ID)
			for _, s := range given {
				for _, d := range m.Descendants(s) {
					if d == place.ID || identity(d) == id {
						return true
					}
				}
			}
			return false
		}
		if within {
			c.cost = costMaster
			c.term = func(m Vocabulary) (Term, bool) {
				list := set.sorted()
				if m != nil {
					for _, s := range given {
						for _, d := range m.Descendants(s) {
							list = append(list, identity(d))
						}
					}
					slices.Sort(list)
					list = slices.Compact(list)
				}
				return Term{kind, list}, true
			}
		}
		return c, nil
	}
}

// typed is a list of pairs of a type and a value.
func typed(voc *vocabulary, kind TermKind, word string, each func(e *epcis.Event, has func(typ, value string) bool) bool) func(*parser, *value) (*cond, *Error) {
	return func(p *parser, v *value) (*cond, *Error) {
		if e := p.uris(v, kind); e != nil {
			return nil, e
		}
		set := newSet(identity, v.texts)
		types := value{texts: []string{word}}
		if e := p.expand(&types); e != nil {
			return nil, e
		}
		if prefix, _, _ := strings.Cut(word, ":"); len(types.texts) > 1 {
			v.context = map[string]string{prefix: p.ext[prefix]}
		}
		kinds := newSet(voc.bare, types.texts)
		has := func(typ, value string) bool { return kinds.has(typ) && set.has(value) }
		return &cond{
			cost:  costID,
			match: func(r *Record, _ Vocabulary) bool { return each(r.Event, has) },
			term:  term(kind, set.sorted()),
		}, nil
	}
}

func bizTransaction(word string) func(*parser, *value) (*cond, *Error) {
	return typed(vocBTT, BizTransaction, word, func(e *epcis.Event, has func(typ, value string) bool) bool {
		for i := range e.BizTransactionList {
			if t := &e.BizTransactionList[i]; has(t.Type, t.Value) {
				return true
			}
		}
		return false
	})
}

func source(word string) func(*parser, *value) (*cond, *Error) {
	return typed(vocSDT, Source, word, func(e *epcis.Event, has func(typ, value string) bool) bool {
		return hasTyped(e.SourceList, has)
	})
}

func destination(word string) func(*parser, *value) (*cond, *Error) {
	return typed(vocSDT, Destination, word, func(e *epcis.Event, has func(typ, value string) bool) bool {
		return hasTyped(e.DestinationList, has)
	})
}

func hasTyped(list []epcis.SourceDest, has func(typ, value string) bool) bool {
	for i := range list {
		if has(list[i].Type, list[i].Value) {
			return true
		}
	}
	return false
}

// Which lists a MATCH_ parameter looks at.
type lists uint8

const (
	epcs lists = 1 << iota
	parents
	inputs
	outputs
	classes
	inputClasses
	outputClasses
)

func match(in lists) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		set := &epcSet{}
		for _, s := range v.texts {
			if err := set.add(s); err != nil {
				return nil, &Error{Message: excerpt.Quote(s) + ": " + excerpt.Clip(err.Error()), Hint: "want an EPC URN, a GS1 Digital Link, another URI, or a pattern such as urn:epc:idpat:sgtin:0614141.107346.*"}
			}
		}
		c := &cond{cost: costList, match: func(r *Record, _ Vocabulary) bool {
			e := r.Event
			switch {
			case in&epcs != 0 && (set.hasAny(e.EPCList) || set.hasAny(e.ChildEPCs)),
				in&parents != 0 && e.ParentID != "" && set.has(e.ParentID, &walk{}),
				in&inputs != 0 && set.hasAny(e.InputEPCList),
				in&outputs != 0 && set.hasAny(e.OutputEPCList),
				in&classes != 0 && (set.hasClass(e.QuantityList) || set.hasClass(e.ChildQuantityList)),
				in&inputClasses != 0 && set.hasClass(e.InputQuantityList),
				in&outputClasses != 0 && set.hasClass(e.OutputQuantityList):
				return true
			}
			return false
		}}
		if t, ok := set.term(in&(epcs|parents|inputs|outputs) != 0); ok {
			c.term = term(t.Kind, t.Values)
		}
		return c, nil
	}
}

func eventIDs(p *parser, v *value) (*cond, *Error) {
	if e := p.uris(v, EventID); e != nil {
		return nil, e
	}
	set := newSet(eventID, v.texts)
	return &cond{
		match: func(r *Record, _ Vocabulary) bool { return set.has(r.Event.EventID) || set.has(r.Hash) },
		term:  term(EventID, set.sorted()),
	}, nil
}

func corrective(p *parser, v *value) (*cond, *Error) {
	if e := p.uris(v, EventID); e != nil {
		return nil, e
	}
	is := newSet(eventID, v.texts).has
	return &cond{
		match: func(r *Record, _ Vocabulary) bool {
			d := r.Event.ErrorDeclaration
			return d != nil && slices.ContainsFunc(d.CorrectiveEventIDs, is)
		},
		term: FeatureError.term(),
	}, nil
}

func feature(f Feature, has func(*epcis.Event) bool) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		if !v.flag {
			return nil, nil
		}
		return &cond{match: func(r *Record, _ Vocabulary) bool { return has(r.Event) }, term: f.term()}, nil
	}
}

func declared(o op) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		at := v.time
		return &cond{cost: costTime, term: FeatureError.term(), match: func(r *Record, _ Vocabulary) bool {
			d := r.Event.ErrorDeclaration
			if d == nil {
				return false
			}
			t, ok := instant(d.DeclarationTime, r.Event.EventTimeZoneOffset)
			return ok && o.holds(t.Compare(at))
		}}, nil
	}
}

func sensorTime(o op, each some) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		at := v.time
		return &cond{cost: costList, term: FeatureSensor.term(), match: func(r *Record, _ Vocabulary) bool {
			zone := r.Event.EventTimeZoneOffset
			return each(r.Event, func(s string) bool {
				if s == "" {
					return false
				}
				t, ok := instant(s, zone)
				return ok && o.holds(t.Compare(at))
			})
		}}, nil
	}
}

func reports(get func(*epcis.SensorReport) string) some { return both(nil, get) }

func metadataOnly(get func(*epcis.SensorMetadata) string) some { return both(get, nil) }

var sensorTimes = both(func(m *epcis.SensorMetadata) string { return m.Time }, func(r *epcis.SensorReport) string { return r.Time })

// both is a field that sensor metadata and reports may have.
func both(ofMetadata func(*epcis.SensorMetadata) string, ofReport func(*epcis.SensorReport) string) some {
	return func(e *epcis.Event, has func(string) bool) bool {
		for i := range e.SensorElementList {
			s := &e.SensorElementList[i]
			if ofMetadata != nil && s.Metadata != nil && has(ofMetadata(s.Metadata)) {
				return true
			}
			if ofReport == nil {
				continue
			}
			for j := range s.Reports {
				if has(ofReport(&s.Reports[j])) {
					return true
				}
			}
		}
		return false
	}
}

func boolean(_ *parser, v *value) (*cond, *Error) {
	word, digit := "false", "0"
	if v.flag {
		word, digit = "true", "1"
	}
	each := reports(func(r *epcis.SensorReport) string { return r.BooleanValue })
	return &cond{cost: costList, term: FeatureSensor.term(), match: func(r *Record, _ Vocabulary) bool {
		return each(r.Event, func(s string) bool { s = trim(s); return s == word || s == digit })
	}}, nil
}

// quantity is a parameter on quantities, of one unit or of any. An element without a unit counts pieces, and has no unit
// to be asked by.
func quantity(o op, uom string) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		want := v.numbers
		return &cond{cost: costList, match: func(r *Record, _ Vocabulary) bool {
			e := r.Event
			for _, list := range [...][]epcis.Quantity{e.QuantityList, e.ChildQuantityList, e.InputQuantityList, e.OutputQuantityList} {
				for i := range list {
					q := &list[i]
					if q.Quantity == "" || uom != "" && trim(q.UOM) != uom {
						continue
					}
					n, ok := parseDecimal(trim(q.Quantity))
					if ok && slices.ContainsFunc(want, func(w decimal) bool { return o.holds(n.compare(w)) }) {
						return true
					}
				}
			}
			return false
		}}, nil
	}
}

// measures are the numbers of a sensor report that have its unit.
var measures = map[string]func(*epcis.SensorReport) string{
	"value":     func(r *epcis.SensorReport) string { return r.Value },
	"minValue":  func(r *epcis.SensorReport) string { return r.MinValue },
	"maxValue":  func(r *epcis.SensorReport) string { return r.MaxValue },
	"meanValue": func(r *epcis.SensorReport) string { return r.MeanValue },
	"sDev":      func(r *epcis.SensorReport) string { return r.SDev },
	"percValue": func(r *epcis.SensorReport) string { return r.PercValue },
}

func measure(o op, uom string, get func(*epcis.SensorReport) string) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		want := make([]float64, len(v.numbers))
		for i, n := range v.numbers {
			want[i], _ = parseDouble(n.String())
		}
		return &cond{cost: costList, term: FeatureSensor.term(), match: func(r *Record, _ Vocabulary) bool {
			for i := range r.Event.SensorElementList {
				list := r.Event.SensorElementList[i].Reports
				for j := range list {
					text := get(&list[j])
					if text == "" || uom != "" && trim(list[j].UOM) != uom {
						continue
					}
					x, ok := parseDouble(trim(text))
					if !ok {
						continue
					}
					for _, w := range want {
						c := 0
						switch {
						case x < w:
							c = -1
						case x > w:
							c = 1
						}
						if o.holds(c) {
							return true
						}
					}
				}
			}
			return false
		}}, nil
	}
}

func orderBy(p *parser, v *value) (*cond, *Error) {
	s := v.texts[0]
	if s == "eventTime" || s == "recordTime" {
		return nil, nil
	}
	if !strings.ContainsAny(s, ":#") {
		e := &Error{Message: "events are not ordered by " + excerpt.Quote(s), Hint: "write eventTime, recordTime, or an extension field as prefix:name or namespace#name"}
		if near := epcis.Nearest(s, []string{"eventTime", "recordTime"}); near != "" {
			e.Hint = "was " + near + " meant?"
		}
		return nil, e
	}
	f, e := p.field(s)
	if e != nil {
		return nil, e
	}
	v.texts[0], v.field = f.String(), f
	return nil, nil
}

func direction(_ *parser, v *value) (*cond, *Error) {
	if s := v.texts[0]; s != "ASC" && s != "DESC" {
		return nil, &Error{Message: excerpt.Quote(s) + " is no direction", Hint: "write ASC or DESC"}
	}
	return nil, nil
}
