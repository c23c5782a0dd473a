package query

import (
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
)

// A field is the name of an extension field.
type field struct{ namespace, name string } // namespace as namespace() gives it

// String is the name as namespace#name.
func (f field) String() string { return f.namespace + "#" + f.name }

func (f field) is(x *epcis.Extension) bool {
	return x.Name == f.name && namespace(x.Namespace) == f.namespace
}

// field reads namespace#name, #name, prefix:name, or a name written as one URI.
func (p *parser) field(s string) (field, *Error) {
	var f field
	if i := strings.LastIndexByte(s, '#'); i >= 0 {
		f = field{namespace(s[:i]), s[i+1:]}
	} else if prefix, name, _ := strings.Cut(s, ":"); prefix == "urn" || strings.HasPrefix(name, "//") {
		i := strings.LastIndexAny(s, "/:")
		f = field{namespace(s[:i]), s[i+1:]}
	} else {
		ns, ok := p.prefix(prefix)
		if !ok {
			return f, &Error{Message: "the prefix " + excerpt.Quote(prefix) + " is not declared", Hint: "declare it (GS1-Extensions: " + excerpt.Clip(prefix) + "=namespace, or @context), or write namespace#" + excerpt.Clip(name)}
		}
		f = field{namespace(ns), name}
	}
	if strings.Contains(f.namespace, "#") {
		return f, &Error{Message: excerpt.Quote(f.namespace) + " is not a namespace: a # may only end it"}
	}
	if f.name == "" {
		return f, &Error{Message: "the name of the extension field is missing", Hint: "write prefix:name or namespace#name"}
	}
	return f, nil
}

// find calls fn for the fields of this name in a list of extensions, or with inner for all elements and attributes of this
// name inside them, until fn is true.
func (f field) find(list []epcis.Extension, inner bool, fn func(*epcis.Extension) bool) bool {
	for i := range list {
		x := &list[i]
		if inner {
			if f.inside(x, fn) {
				return true
			}
		} else if f.is(x) && fn(x) {
			return true
		}
	}
	return false
}

func (f field) inside(x *epcis.Extension, fn func(*epcis.Extension) bool) bool {
	for i := range x.Attributes {
		if a := &x.Attributes[i]; f.is(a) && fn(a) {
			return true
		}
	}
	for i := range x.Children {
		c := &x.Children[i]
		if f.is(c) && fn(c) || f.inside(c, fn) {
			return true
		}
	}
	return false
}

// The names that the model gives to what has none: elements of a JSON array, and text between elements.
const (
	nameElement = "[]"
	nameText    = "#text"
)

// values calls fn for the texts of a field: one, or those of an array, until fn is true.
func values(x *epcis.Extension, fn func(typ epcis.ValueType, text string) bool) bool {
	switch x.Type {
	case epcis.Text, epcis.Number, epcis.Boolean:
		return fn(x.Type, x.Text)
	case epcis.NoValue, epcis.Null, epcis.Empty:
	}
	for i := range x.Children {
		if c := &x.Children[i]; c.Namespace == "" && (c.Name == nameElement || c.Name == nameText) && values(c, fn) {
			return true
		}
	}
	return false
}

// empty reports whether a field holds nothing at all.
func empty(x *epcis.Extension) bool {
	switch x.Type {
	case epcis.Text, epcis.Number, epcis.Boolean:
		return false
	case epcis.NoValue, epcis.Null, epcis.Empty:
	}
	for i := range x.Attributes {
		if x.Attributes[i].Name != nameElement {
			return false
		}
	}
	return len(x.Children) == 0
}

// Where an extension may stand.
type area uint8

const (
	inEvent area = iota
	inILMD
	inErrorDeclaration
	inReadPoint
	inBizLocation
	inSensorElement
	inSensorMetadata
	inSensorReport
)

var areas = [...]struct {
	area   area
	prefix string
}{
	{inEvent, ""},
	{inILMD, "ILMD_"},
	{inErrorDeclaration, "ERROR_DECLARATION_"},
	{inReadPoint, "readPoint_"},
	{inBizLocation, "bizLocation_"},
	{inSensorElement, "SENSORELEMENT_"},
	{inSensorMetadata, "SENSORMETADATA_"},
	{inSensorReport, "SENSORREPORT_"},
}

// find looks for a field in an area of an event.
func (a area) find(e *epcis.Event, f field, inner bool, fn func(*epcis.Extension) bool) bool {
	switch a {
	case inEvent:
		return f.find(e.Extensions, inner, fn)
	case inILMD:
		return f.find(e.ILMD, inner, fn)
	case inErrorDeclaration:
		return e.ErrorDeclaration != nil && f.find(e.ErrorDeclaration.Extensions, inner, fn)
	case inReadPoint:
		return e.ReadPoint != nil && f.find(e.ReadPoint.Extensions, inner, fn)
	case inBizLocation:
		return e.BizLocation != nil && f.find(e.BizLocation.Extensions, inner, fn)
	case inSensorElement, inSensorMetadata, inSensorReport:
	}
	for i := range e.SensorElementList {
		s := &e.SensorElementList[i]
		switch a {
		case inSensorElement:
			if f.find(s.Extensions, inner, fn) {
				return true
			}
		case inSensorMetadata:
			if s.Metadata != nil && f.find(s.Metadata.Extensions, inner, fn) {
				return true
			}
		default:
			for j := range s.Reports {
				if f.find(s.Reports[j].Extensions, inner, fn) {
					return true
				}
			}
		}
	}
	return false
}

// extension is a parameter on an extension field.
func extension(o op, in area, inner bool, f field) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		if o == opEXISTS {
			if !v.flag {
				return nil, nil
			}
			exists := func(x *epcis.Extension) bool { return !empty(x) }
			return &cond{cost: costList, term: in.term(), match: func(r *Record, _ Vocabulary) bool {
				return in.find(r.Event, f, inner, exists)
			}}, nil
		}
		is := comparison(o, v)
		holds := func(x *epcis.Extension) bool { return values(x, is) }
		c := &cond{cost: costList, term: in.term(), match: func(r *Record, _ Vocabulary) bool {
			return in.find(r.Event, f, inner, holds)
		}}
		if o == opEQ && in == inILMD && !inner && epcis.IsJudgedILMD(f.namespace, f.name) && f.name == "lotNumber" {
			if lots, ok := lotTerms(v); ok {
				c.term = term(Lot, lots)
			}
		}
		return c, nil
	}
}

// term is what only events with something in an area have.
func (a area) term() func(Vocabulary) (Term, bool) {
	switch a {
	case inErrorDeclaration:
		return FeatureError.term()
	case inSensorElement, inSensorMetadata, inSensorReport:
		return FeatureSensor.term()
	default:
		return nil
	}
}

// comparison is what a value must be. In a list of texts, a text equals itself, a number as JSON wrote it when it is that
// number, and a time when it is the same instant.
func comparison(o op, v *value) func(typ epcis.ValueType, text string) bool {
	switch v.kind {
	case kindNumber, kindNumbers:
		want := v.numbers
		return func(_ epcis.ValueType, text string) bool {
			n, ok := parseDecimal(trim(text))
			return ok && slices.ContainsFunc(want, func(w decimal) bool { return o.holds(n.compare(w)) })
		}
	case kindTime:
		want := v.time
		return func(_ epcis.ValueType, text string) bool {
			t, ok := instantOrDate(text)
			return ok && o.holds(t.Compare(want))
		}
	default:
	}
	set := newSet(trim, v.texts)
	var numbers []decimal
	var times []time.Time
	for _, s := range v.texts {
		if n, ok := parseDecimal(s); ok {
			numbers = append(numbers, n)
		}
		if t, ok := instant(s, ""); ok {
			times = append(times, t)
		}
	}
	return func(typ epcis.ValueType, text string) bool {
		if set.has(text) {
			return true
		}
		if len(numbers) > 0 && typ == epcis.Number {
			if n, ok := parseDecimal(text); ok && slices.ContainsFunc(numbers, func(w decimal) bool { return n.compare(w) == 0 }) {
				return true
			}
		}
		if len(times) > 0 {
			if t, ok := instant(text, ""); ok && slices.ContainsFunc(times, t.Equal) {
				return true
			}
		}
		return false
	}
}

// An attributed field is one whose value may have master data.
type attributed struct {
	name  string
	field field // of an extension
	each  some  // of a standard field
}

// attributedFields are the standard fields whose values are vocabulary elements.
var attributedFields = []struct {
	name string
	each some
}{
	{"bizStep", func(e *epcis.Event, has func(string) bool) bool { return has(e.BizStep) }},
	{"disposition", func(e *epcis.Event, has func(string) bool) bool { return has(e.Disposition) }},
	{"readPoint", func(e *epcis.Event, has func(string) bool) bool { return e.ReadPoint != nil && has(e.ReadPoint.ID) }},
	{"bizLocation", func(e *epcis.Event, has func(string) bool) bool { return e.BizLocation != nil && has(e.BizLocation.ID) }},
	{"bizTransaction", func(e *epcis.Event, has func(string) bool) bool {
		for i := range e.BizTransactionList {
			if has(e.BizTransactionList[i].Value) {
				return true
			}
		}
		return false
	}},
	{"source", func(e *epcis.Event, has func(string) bool) bool {
		return hasTyped(e.SourceList, func(_, value string) bool { return has(value) })
	}},
	{"destination", func(e *epcis.Event, has func(string) bool) bool {
		return hasTyped(e.DestinationList, func(_, value string) bool { return has(value) })
	}},
	{"epcClass", func(e *epcis.Event, has func(string) bool) bool {
		for _, list := range [...][]epcis.Quantity{e.QuantityList, e.ChildQuantityList, e.InputQuantityList, e.OutputQuantityList} {
			for i := range list {
				if has(list[i].EPCClass) {
					return true
				}
			}
		}
		return false
	}},
	{"epc", func(e *epcis.Event, has func(string) bool) bool {
		return slices.ContainsFunc(e.EPCList, has) || slices.ContainsFunc(e.ChildEPCs, has) ||
			slices.ContainsFunc(e.InputEPCList, has) || slices.ContainsFunc(e.OutputEPCList, has)
	}},
	{"parentID", func(e *epcis.Event, has func(string) bool) bool { return has(e.ParentID) }},
}

// attributed reads the field of HASATTR_.
func (p *parser) attributed(s string) (attributed, *Error) {
	var names []string
	for _, a := range attributedFields {
		if a.name == s {
			return attributed{name: s, each: a.each}, nil
		}
		names = append(names, a.name)
	}
	if !strings.ContainsAny(s, ":#") {
		e := &Error{Message: excerpt.Quote(s) + " is not a field with master data", Hint: "write one of " + strings.Join(names, ", ") + ", or an extension field"}
		if near := epcis.Nearest(s, names); near != "" {
			e.Hint = "was " + near + " meant?"
		}
		return attributed{}, e
	}
	f, e := p.field(s)
	return attributed{name: f.String(), field: f}, e
}

// attribute reads the field and the attribute of EQATTR_. The name of an extension field ends at the first _ behind its
// colon or #; the standard lets an implementation refuse fields with a _ in their name, and here nothing else can be read.
func (p *parser) attribute(s string) (at attributed, name string, e *Error) {
	field, ok := "", false
	for _, a := range attributedFields {
		if name, ok = strings.CutPrefix(s, a.name+"_"); ok {
			field = a.name
			break
		}
	}
	if !ok {
		from := strings.IndexByte(s, '#')
		if prefix, _, _ := strings.Cut(s, ":"); from < 0 || p.knowsPrefix(prefix) {
			from = strings.IndexByte(s, ':')
		}
		if end := strings.IndexByte(s[max(from, 0):], '_'); from >= 0 && end > 0 {
			field, name, ok = s[:from+end], s[from+end+1:], true
		} else {
			field, name, ok = strings.Cut(s, "_")
		}
	}
	if !ok || name == "" {
		return at, "", &Error{Message: "names a field, but no attribute of it", Hint: "write EQATTR_bizLocation_cbvmda:countryCode"}
	}
	at, e = p.attributed(field)
	return at, p.attributeName(name), e
}

func (p *parser) knowsPrefix(s string) bool {
	_, ok := p.prefix(s)
	return ok
}

// attributeName writes the name of an attribute in full: those of CBV as urn:epcglobal:cbv:mda#name, others of a declared
// prefix as one URI, and what is neither as it is.
func (p *parser) attributeName(s string) string {
	if i := strings.LastIndexByte(s, '#'); i >= 0 {
		if epcis.IsMDA(s[:i]) {
			return epcis.NamespaceMDA + "#" + s[i+1:]
		}
		return s
	}
	if name, ok := strings.CutPrefix(s, epcis.NamespaceMDA+":"); ok {
		return epcis.NamespaceMDA + "#" + name
	}
	prefix, name, ok := strings.Cut(s, ":")
	if !ok || strings.HasPrefix(name, "//") {
		return s
	}
	switch ns, ok := p.prefix(prefix); {
	case !ok:
		return s
	case epcis.IsMDA(ns):
		return epcis.NamespaceMDA + "#" + name
	case strings.HasSuffix(ns, "#"), strings.HasSuffix(ns, "/"), strings.HasSuffix(ns, ":"):
		return ns + name
	default:
		return ns + "#" + name
	}
}

// some calls has for every value of the field.
func (a attributed) some(e *epcis.Event, has func(string) bool) bool {
	if a.each != nil {
		return a.each(e, func(s string) bool { return s != "" && has(s) })
	}
	return a.field.find(e.Extensions, false, func(x *epcis.Extension) bool {
		return values(x, func(_ epcis.ValueType, text string) bool { return text != "" && has(text) })
	})
}

func (a attributed) has(p *parser, v *value) (*cond, *Error) {
	for i, s := range v.texts {
		v.texts[i] = p.attributeName(s)
	}
	names := slices.Clone(v.texts)
	return &cond{cost: costMaster, match: func(r *Record, m Vocabulary) bool {
		return m != nil && a.some(r.Event, func(id string) bool {
			return slices.ContainsFunc(names, func(name string) bool { return len(m.Attribute(id, name)) > 0 })
		})
	}}, nil
}

func (a attributed) equals(name string) func(*parser, *value) (*cond, *Error) {
	return func(_ *parser, v *value) (*cond, *Error) {
		is := newSet(trim, v.texts).has
		return &cond{cost: costMaster, match: func(r *Record, m Vocabulary) bool {
			return m != nil && a.some(r.Event, func(id string) bool { return slices.ContainsFunc(m.Attribute(id, name), is) })
		}}, nil
	}
}
