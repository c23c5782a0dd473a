// Package diff compares what two EPCIS documents mean, whatever their formats.
package diff

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/accessor"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/heading"
	"verilot.dev/epcis/internal/xsd"
)

// Difference is one thing that two documents say differently. A or B is empty when one of them does not say it at all.
type Difference struct {
	Event int    `json:"event"` // index in a, or in b for an event that only b has; -1: the header
	Path  string `json:"path"`  // sourceList/source
	A     string `json:"a"`
	B     string `json:"b"`
}

// Documents compares what two documents mean. Equal are: the spellings of a standard value, the forms of one identifier, the three
// namespaces of CBV master data, the spellings of a number and of a moment, the order of lists and of events, what JSON and XML
// write in different ways (see package extension), and what only says how a document is written: its format and version.
func Documents(a, b *epcis.Document) []Difference {
	var list []Difference
	ha, hb := headerTree(&a.Header), headerTree(&b.Header)
	diffNodes(-1, "", ha, hb, &list)

	ta, tb := make([]*node, len(a.Events)), make([]*node, len(b.Events))
	for i := range a.Events {
		ta[i] = eventTree(&a.Events[i].Event)
	}
	for i := range b.Events {
		tb[i] = eventTree(&b.Events[i].Event)
	}
	restA, restB := unmatched(ta, tb)
	for _, p := range pairs(ta, tb, &restA, &restB) {
		diffNodes(p[0], "", ta[p[0]], tb[p[1]], &list)
	}
	for len(restA) > 0 && len(restB) > 0 {
		diffNodes(restA[0], "", ta[restA[0]], tb[restB[0]], &list)
		restA, restB = restA[1:], restB[1:]
	}
	for _, i := range restA {
		list = append(list, Difference{Event: i, A: ta[i].summary()})
	}
	for _, i := range restB {
		list = append(list, Difference{Event: i, B: tb[i].summary()})
	}
	slices.SortStableFunc(list, func(x, y Difference) int { return cmp.Compare(x.Event, y.Event) })
	return list
}

// pairs finds events that are versions of one event: of one id, else the most alike. It takes them out of the lists.
func pairs(a, b []*node, restA, restB *[]int) (found [][2]int) {
	const most = 1 << 24 // all are compared with all
	work := 0
	for _, y := range *restB {
		work += 1 + len(b[y].children)
	}
	if work *= len(*restA); work > most {
		return nil
	}
	take := func(x, y int) {
		found = append(found, [2]int{x, y})
		*restA = slices.DeleteFunc(*restA, func(i int) bool { return i == x })
		*restB = slices.DeleteFunc(*restB, func(i int) bool { return i == y })
	}
	for _, x := range slices.Clone(*restA) {
		if j := slices.IndexFunc(*restB, func(y int) bool { return a[x].key != "" && a[x].key == b[y].key }); j >= 0 {
			take(x, (*restB)[j])
		}
	}
	type candidate struct{ x, y, common int }
	var candidates []candidate
	for _, x := range *restA {
		parts := map[string]bool{}
		for _, c := range a[x].children {
			parts[c.text()] = true
		}
		for _, y := range *restB {
			n := 0
			for _, c := range b[y].children {
				if parts[c.text()] {
					n++
				}
			}
			if a[x].value == b[y].value {
				candidates = append(candidates, candidate{x, y, n})
			}
		}
	}
	slices.SortStableFunc(candidates, func(p, q candidate) int { return q.common - p.common })
	for _, c := range candidates {
		if slices.Contains(*restA, c.x) && slices.Contains(*restB, c.y) {
			take(c.x, c.y)
		}
	}
	slices.SortFunc(found, func(p, q [2]int) int { return p[0] - q[0] })
	return found
}

// node is a piece of an event in normal form.
type node struct {
	name, value string // in normal form
	shown       string // the value as captured
	key         string // of an event: its id
	children    []*node
	canon       string // all of it, once asked
}

// text is the whole node in normal form: nodes are equal when their texts are. Lengths stand before strings, so no content can
// look like structure.
func (n *node) text() string {
	if n.canon != "" {
		return n.canon
	}
	parts := make([]string, len(n.children))
	for i, c := range n.children {
		parts[i] = c.text()
	}
	slices.Sort(parts)
	var b strings.Builder
	for _, s := range []string{n.name, n.value} {
		b.WriteString(strconv.Itoa(len(s)))
		b.WriteByte(':')
		b.WriteString(s)
	}
	b.WriteByte('(')
	for _, p := range parts {
		b.WriteString(p)
	}
	b.WriteByte(')')
	n.canon = b.String()
	return n.canon
}

// summary says what a node is, for a difference of the whole of it.
func (n *node) summary() string {
	var b strings.Builder
	n.summarize(&b)
	return excerpt.Clip(b.String())
}

func (n *node) summarize(b *strings.Builder) {
	if b.WriteString(n.shown); len(n.children) == 0 || b.Len() > 200 {
		return
	}
	if n.shown != "" {
		b.WriteByte(' ')
	}
	b.WriteByte('{')
	for i, c := range n.children {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name)
		b.WriteByte(' ')
		c.summarize(b)
	}
	b.WriteByte('}')
}

// add adds a leaf, unless it says nothing.
func (n *node) add(name, value, shown string) {
	if shown != "" {
		n.children = append(n.children, &node{name: name, value: value, shown: shown})
	}
}

// word adds a standard value, of which white space around is no part.
func (n *node) word(name, s string) { n.add(name, xsd.Trimmed(s), xsd.Trimmed(s)) }

func (n *node) child(name string) *node {
	c := &node{name: name}
	n.children = append(n.children, c)
	return c
}

// unmatched returns the indexes of what is not equal to anything of the other list.
func unmatched(a, b []*node) (restA, restB []int) {
	index := map[string][]int{}
	for j, n := range b {
		index[n.text()] = append(index[n.text()], j)
	}
	used := make([]bool, len(b))
	for i, n := range a {
		if same := index[n.text()]; len(same) > 0 {
			used[same[0]] = true
			index[n.text()] = same[1:]
		} else {
			restA = append(restA, i)
		}
	}
	for j := range b {
		if !used[j] {
			restB = append(restB, j)
		}
	}
	return restA, restB
}

// diffNodes tells how two nodes of one name differ.
func diffNodes(event int, path string, a, b *node, list *[]Difference) {
	if a.value != b.value {
		*list = append(*list, Difference{event, path, a.shown, b.shown})
		if len(a.children)+len(b.children) == 0 {
			return
		}
	}
	restA, restB := unmatched(a.children, b.children)
	left := map[string][]*node{} // of b, by name
	for _, j := range restB {
		left[b.children[j].name] = append(left[b.children[j].name], b.children[j])
	}
	for _, i := range restA {
		x := a.children[i]
		if same := left[x.name]; len(same) > 0 {
			left[x.name] = same[1:]
			diffNodes(event, join(path, x.name), x, same[0], list)
		} else {
			*list = append(*list, Difference{event, join(path, x.name), x.summary(), ""})
		}
	}
	for _, j := range restB {
		y := b.children[j]
		if same := left[y.name]; len(same) > 0 && same[0] == y {
			left[y.name] = same[1:]
			*list = append(*list, Difference{event, join(path, y.name), "", y.summary()})
		}
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// eventTree is an event in normal form.
func eventTree(e *epcis.Event) *node {
	n := &node{name: "event", value: e.Type, shown: e.Type, key: xsd.Trimmed(e.EventID)}
	leaf := func(name, s string) { n.add(name, xsd.Trimmed(s), xsd.Trimmed(s)) }
	term := func(n *node, name string, kind epcis.TermKind, s string) {
		s = xsd.Trimmed(s)
		n.add(name, kind.WebURI(s), s)
	}
	id := func(n *node, name, s string) { n.add(name, sameID(s), xsd.Trimmed(s)) }
	time := func(n *node, name, s, offset string) { n.add(name, xsd.Moment(s, offset), xsd.Trimmed(s)) }

	time(n, "eventTime", e.EventTime, e.EventTimeZoneOffset)
	time(n, "recordTime", e.RecordTime, "")
	leaf("eventTimeZoneOffset", e.EventTimeZoneOffset)
	leaf("eventID", e.EventID)
	if d := e.ErrorDeclaration; d != nil {
		c := n.child("errorDeclaration")
		time(c, "declarationTime", d.DeclarationTime, "")
		term(c, "reason", epcis.TermErrorReason, d.Reason)
		for _, s := range d.CorrectiveEventIDs {
			c.add("correctiveEventID", xsd.Trimmed(s), xsd.Trimmed(s))
		}
		c.extensions(d.Extensions)
	}
	for _, s := range e.CertificationInfo {
		leaf("certificationInfo", s)
	}
	leaf("action", e.Action)
	id(n, "transformationID", e.TransformationID)
	term(n, "bizStep", epcis.TermBizStep, e.BizStep)
	term(n, "disposition", epcis.TermDisposition, e.Disposition)
	if p := e.PersistentDisposition; p != nil {
		for _, s := range p.Set {
			term(n, "persistentDisposition/set", epcis.TermDisposition, s)
		}
		for _, s := range p.Unset {
			term(n, "persistentDisposition/unset", epcis.TermDisposition, s)
		}
	}
	for _, p := range []struct {
		name string
		at   *epcis.Place
	}{{"readPoint", e.ReadPoint}, {"bizLocation", e.BizLocation}} {
		if p.at != nil {
			c := n.child(p.name)
			id(c, "id", p.at.ID)
			c.extensions(p.at.Extensions)
		}
	}
	typed := func(name string, kind epcis.TermKind, t, value string) {
		c := n.child(name)
		term(c, "type", kind, t)
		id(c, "value", value)
	}
	for _, t := range e.BizTransactionList {
		typed("bizTransactionList/bizTransaction", epcis.TermBizTransaction, t.Type, t.Value)
	}
	for _, s := range e.SourceList {
		typed("sourceList/source", epcis.TermSourceDest, s.Type, s.Value)
	}
	for _, s := range e.DestinationList {
		typed("destinationList/destination", epcis.TermSourceDest, s.Type, s.Value)
	}
	for _, f := range []field.ID{field.QuantityList, field.ChildQuantityList, field.InputQuantityList, field.OutputQuantityList} {
		for _, q := range accessor.Quantities(e, f) {
			c := n.child(field.Names[f] + "/quantityElement")
			id(c, "epcClass", q.EPCClass)
			c.add("quantity", sameNumber(q.Quantity), q.Quantity)
			c.add("uom", xsd.Trimmed(q.UOM), xsd.Trimmed(q.UOM))
		}
	}
	for _, f := range []field.ID{field.EPCList, field.ChildEPCs, field.InputEPCList, field.OutputEPCList} {
		for _, s := range accessor.EPCs(e, f) {
			id(n, field.Names[f]+"/epc", s)
		}
	}
	id(n, "parentID", e.ParentID)
	for i := range e.SensorElementList {
		sensorTree(n.child("sensorElementList/sensorElement"), &e.SensorElementList[i])
	}
	n.child("ilmd").extensions(e.ILMD)
	n.extensions(e.Extensions)
	return n
}

func sensorTree(n *node, s *epcis.SensorElement) {
	field := func(n *node, name, v string) {
		switch name {
		case "type":
			n.add(name, epcis.TermMeasurement.WebURI(xsd.Trimmed(v)), v)
		case "exception":
			n.add(name, epcis.TermSensorAlert.WebURI(xsd.Trimmed(v)), v)
		case "component":
			n.add(name, epcis.TermComponent.WebURI(xsd.Trimmed(v)), v)
		case "deviceID":
			n.add(name, sameID(v), v)
		case "time", "startTime", "endTime":
			n.add(name, xsd.Moment(v, ""), v)
		case "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue":
			n.add(name, sameNumber(v), v)
		case "booleanValue":
			n.add(name, xsd.Boolean(v), v)
		case "stringValue", "uom":
			n.add(name, v, v)
		default:
			n.add(name, xsd.Trimmed(v), v)
		}
	}
	if m := s.Metadata; m != nil {
		c := n.child("sensorMetadata")
		for _, name := range accessor.MetadataFields {
			field(c, name, *accessor.MetadataField(m, name))
		}
		c.extensions(m.Extensions)
	}
	for i := range s.Reports {
		c := n.child("sensorReport")
		for _, name := range accessor.ReportFields {
			field(c, name, *accessor.ReportField(&s.Reports[i], name))
		}
		c.extensions(s.Reports[i].Extensions)
	}
	n.extensions(s.Extensions)
}

// extensions adds extensions as JSON has them. What is one value in an array of one is marked, since JSON tells it from the
// value alone.
func (n *node) extensions(list []epcis.Extension) {
	for _, g := range extension.Grouped(list) {
		items, single := g.Spread()
		array := !single && len(items) < 2
		name := g.Name
		if g.Space != "" {
			name = "{" + g.Space + "}" + name
		}
		if array {
			name += "[]"
		}
		if len(items) == 0 {
			n.child(name)
		}
		for _, x := range items {
			n.child(name).extension(x)
		}
	}
}

func (n *node) extension(x *epcis.Extension) {
	if extension.IsArray(x) {
		n.value = "array"
		for i := range x.Children {
			n.child(extension.ListName).extension(&x.Children[i])
		}
		return
	}
	typed := extension.TypeOf(x)
	children := x.Children
	text := epcis.Extension{Name: extension.TextName, Type: typed, Text: x.Text}
	if len(children) == 1 && extension.IsText(&children[0]) && typed == epcis.NoValue && len(children[0].Children)+len(children[0].Attributes) == 0 {
		text, children = children[0], nil // text alone is text
		typed = extension.TypeOf(&text)
	}
	attributes := 0
	for i := range x.Attributes {
		a := &x.Attributes[i]
		if extension.SaysType(a, typed, x.Type) {
			continue
		}
		attributes++
		c := n.child("@{" + extension.Canonical(a.Namespace) + "}" + a.Name)
		c.extension(a)
	}
	scalar := func(n *node, t epcis.ValueType, text string) {
		switch t {
		case epcis.NoValue:
			n.value = "object"
		case epcis.Number:
			n.value, n.shown = "number "+sameNumber(text), text
		case epcis.Boolean:
			n.value, n.shown = "boolean "+text, text
		case epcis.Null:
			n.value, n.shown = "null", "null"
		default:
			n.value, n.shown = "text "+text, text
		}
	}
	switch {
	case attributes == 0 && len(children) == 0:
		scalar(n, typed, text.Text)
		return
	case typed != epcis.NoValue && typed != epcis.Empty:
		scalar(n.child(extension.TextName), typed, text.Text)
	}
	n.extensions(children)
}

// headerTree is a header in normal form.
func headerTree(h *epcis.Header) *node {
	h = heading.LiftSBDH(h)
	n := &node{name: "header"}
	n.add("creationDate", xsd.Moment(h.CreationDate, ""), h.CreationDate)
	n.word("id", h.ID)
	if b := heading.FilledSBDH(h, h.CreationDate); b != nil {
		c := n.child("sbdh")
		for _, f := range []struct{ name, value string }{
			{"HeaderVersion", b.HeaderVersion},
			{"Standard", b.Standard},
			{"TypeVersion", b.TypeVersion},
			{"InstanceIdentifier", b.InstanceIdentifier},
			{"Type", b.Type},
		} {
			c.word(f.name, f.value)
		}
		c.add("CreationDateAndTime", xsd.Moment(b.CreationDateAndTime, ""), xsd.Trimmed(b.CreationDateAndTime))
		for _, p := range []struct {
			name string
			list []epcis.SBDHPartner
		}{{"Sender", b.Senders}, {"Receiver", b.Receivers}} {
			for _, partner := range p.list {
				s := c.child(p.name)
				s.word("Authority", partner.Authority)
				s.add("Identifier", sameID(partner.Identifier), xsd.Trimmed(partner.Identifier))
				s.extensions(partner.Extensions)
			}
		}
		c.extensions(b.Extensions)
	}
	for i := range h.Vocabularies {
		v := &h.Vocabularies[i]
		c := n.child("vocabulary")
		c.word("type", v.Type)
		for j := range v.Elements {
			e := &v.Elements[j]
			x := c.child("element")
			x.add("id", sameID(e.ID), xsd.Trimmed(e.ID))
			for k := range e.Attributes {
				a := x.child("attribute")
				a.word("id", e.Attributes[k].ID)
				a.child("attribute").extension(&epcis.Extension{Type: epcis.Text, Text: e.Attributes[k].Text, Children: e.Attributes[k].Children})
			}
			for _, s := range e.Children {
				x.add("children/id", sameID(s), xsd.Trimmed(s))
			}
			x.extensions(e.Extensions)
		}
		c.extensions(v.Extensions)
	}
	n.extensions(heading.Extensions(h))
	return n
}

// sameNumber is what all spellings of a number have in common; anything else is returned as it is.
func sameNumber(s string) string {
	n, ok := extension.Number(s)
	if !ok {
		return s
	}
	if n, ok = extension.Decimal(n); !ok {
		return s
	}
	if strings.Contains(n, ".") {
		n = strings.TrimSuffix(strings.TrimRight(n, "0"), ".")
	}
	if n == "-0" {
		return "0"
	}
	return n
}

// sameID is what two identifiers of one thing have in common.
func sameID(s string) string {
	s = strings.Trim(s, xsd.Blank)
	if !strings.HasPrefix(s, "urn:epc:") && !strings.HasPrefix(s, "http") {
		return s
	}
	epc, err := gs1.ParseEPC(s)
	if err != nil {
		return s
	}
	return epc.Key().String()
}
