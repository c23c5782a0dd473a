package query

import (
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
)

// TermKind says what a term is about.
type TermKind string

// The kinds of terms. Their names may be stored.
const (
	EventType        TermKind = "type"
	Action           TermKind = "action"
	BizStep          TermKind = "step"
	Disposition      TermKind = "disposition"
	ReadPoint        TermKind = "readPoint"
	BizLocation      TermKind = "bizLocation"
	BizTransaction   TermKind = "document"
	Source           TermKind = "source"
	Destination      TermKind = "destination"
	EventID          TermKind = "eventID"          // an index that knows hash ids keeps them as terms of this kind too
	TransformationID TermKind = "transformationID" //
	Object           TermKind = "object"           // key text of an EPC in any list; not among TermsOf
	GTIN             TermKind = "gtin"             // 14 digits, of EPCs and of classes in quantity lists
	Class            TermKind = "class"            // key text of other classes in quantity lists
	Lot              TermKind = "lot"              // lot number of the ILMD
	Has              TermKind = "has"              // a Feature
)

// A Feature is something that few events have.
type Feature string

// The features.
const (
	FeatureError  Feature = "errorDeclaration"
	FeatureSensor Feature = "sensorElementList"
)

func (f Feature) term() func(Vocabulary) (Term, bool) {
	if f == "" {
		return nil
	}
	return term(Has, []string{string(f)})
}

// A Term is a necessary condition of Match: the event has one of the values among its terms of this kind.
type Term struct {
	Kind   TermKind
	Values []string // sorted
}

// Terms are what an event must have to match, as an index can look it up: of every Term one value. None says that nothing
// of the query can be looked up. Match decides all the same.
func (q *Query) Terms(v Vocabulary) []Term {
	var list []Term
	for i := range q.params {
		c := q.params[i].cond
		if c == nil || c.term == nil {
			continue
		}
		t, ok := c.term(v)
		if ok && !slices.ContainsFunc(list, func(o Term) bool { return o.Kind == t.Kind && slices.Equal(o.Values, t.Values) }) {
			list = append(list, t)
		}
	}
	return list
}

// TermsOf calls fn for the terms of an event, each pair once: what an index stores. Objects are left out, the ledger's
// index has them by key; so is the hash id, which is not in the event.
func TermsOf(e *epcis.Event, fn func(kind TermKind, value string)) {
	one := func(kind TermKind, value string) {
		if value != "" {
			fn(kind, value)
		}
	}
	one(EventType, vocEvent.bare(e.Type))
	one(Action, trim(e.Action))
	one(BizStep, vocStep.bare(e.BizStep))
	one(Disposition, vocDisp.bare(e.Disposition))
	if e.ReadPoint != nil {
		one(ReadPoint, identity(e.ReadPoint.ID))
	}
	if e.BizLocation != nil {
		one(BizLocation, identity(e.BizLocation.ID))
	}
	one(EventID, eventID(e.EventID))
	one(TransformationID, identity(e.TransformationID))
	if e.ErrorDeclaration != nil {
		fn(Has, string(FeatureError))
	}
	if len(e.SensorElementList) > 0 {
		fn(Has, string(FeatureSensor))
	}

	// many is one for what an event may have in many places.
	var seen map[[2]string]struct{}
	many := func(kind TermKind, value string) {
		if value == "" {
			return
		}
		pair := [2]string{string(kind), value}
		if _, ok := seen[pair]; ok {
			return
		}
		if seen == nil {
			seen = map[[2]string]struct{}{}
		}
		seen[pair] = struct{}{}
		fn(kind, value)
	}
	for i := range e.BizTransactionList {
		many(BizTransaction, identity(e.BizTransactionList[i].Value))
	}
	for i := range e.SourceList {
		many(Source, identity(e.SourceList[i].Value))
	}
	for i := range e.DestinationList {
		many(Destination, identity(e.DestinationList[i].Value))
	}
	for i := range e.ILMD {
		x := &e.ILMD[i]
		if x.Name != "lotNumber" || !epcis.IsJudgedILMD(namespace(x.Namespace), x.Name) {
			continue
		}
		values(x, func(typ epcis.ValueType, text string) bool {
			text = trim(text)
			many(Lot, text)
			if n, ok := parseDecimal(text); ok && typ == epcis.Number {
				many(Lot, n.String())
			}
			return false
		})
	}

	// Of a run of EPCs with one prefix, the GTIN is in the prefix: one of them tells it.
	last, same := "", false
	e.EPCs(func(_ int, epc string) bool {
		head, _ := gs1.SplitEPC(epc)
		if same && head == last {
			return true
		}
		last, same = head, false
		parsed, err := gs1.ParseEPC(epc)
		if err != nil {
			return true
		}
		k := parsed.Key()
		if g, ok := k.GTIN(); ok {
			many(GTIN, g.String())
			same = k.IsUnit()
		}
		return true
	})
	for _, list := range [...][]epcis.Quantity{e.QuantityList, e.ChildQuantityList, e.InputQuantityList, e.OutputQuantityList} {
		for i := range list {
			parsed, err := gs1.ParseEPC(list[i].EPCClass)
			if err != nil {
				continue
			}
			if g, ok := parsed.Key().GTIN(); ok {
				many(GTIN, g.String())
			} else {
				many(Class, parsed.Key().String())
			}
		}
	}
}

// term is what events that match the list must have. instances tells whether it is asked of EPCs or of classes.
func (m *epcSet) term(instances bool) (Term, bool) {
	if len(m.patterns) > 0 {
		return Term{}, false
	}
	if instances && len(m.gtins) == 0 {
		return m.keyTerm(Object)
	}
	t := Term{Kind: GTIN}
	for k := range m.keys {
		g, ok := k.GTIN()
		if !ok {
			break
		}
		t.Values = append(t.Values, g.String())
	}
	if len(t.Values) == len(m.keys) {
		slices.Sort(t.Values)
		t.Values = slices.Compact(t.Values)
		return t, true
	}
	for k := range m.keys {
		if _, ok := k.GTIN(); ok {
			return Term{}, false
		}
	}
	if instances {
		return Term{}, false
	}
	return m.keyTerm(Class)
}

func (m *epcSet) keyTerm(kind TermKind) (Term, bool) {
	t := Term{Kind: kind}
	for k := range m.keys {
		t.Values = append(t.Values, k.String())
	}
	slices.Sort(t.Values)
	return t, true
}

// lotTerms are the lots that EQ_ILMD_cbvmda:lotNumber asks for; ok is false when it may find lots that are written
// otherwise.
func lotTerms(v *value) (list []string, ok bool) {
	if v.kind != kindTexts {
		return nil, false
	}
	for _, s := range v.texts {
		if _, isTime := instant(s, ""); isTime {
			return nil, false
		}
		list = append(list, trim(s))
		if n, isNumber := parseDecimal(s); isNumber {
			list = append(list, n.String())
		}
	}
	slices.Sort(list)
	return slices.Compact(list), true
}
