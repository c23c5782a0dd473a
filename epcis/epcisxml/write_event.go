package epcisxml

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/accessor"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/writing"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// writer writes XML 2.0 and 1.2. What differs between them is where the layouts put the fields, and what the schemas
// leave open for extensions:
//
//   - In EPCISHeader, 1.2 takes any foreign element behind the SBDH; without an SBDH there is no header, and they stand at the
//     end of the root. 2.0 takes none: there they stand in extension/extension/extension, of which the second takes any
//     unqualified element, the third is such an element, and nothing is said of what is in it.
//   - In events, 1.2 takes unqualified elements in extension/extension, 2.0 none.
//   - Everywhere else, unqualified elements stand in an element extension, behind them foreign elements.
//   - A sensorReport and a sensorMetadata take attributes only.
type writer struct {
	*writing.Writer
	to    io.Writer
	b     []byte
	depth int
	flat  int // > 0: inside mixed content, where white space counts
	head  epcis.Head

	rootName string
	master   bool               // it is an EPCISMasterDataDocument
	trailing []*epcis.Extension // to stand at the end of the root
}

func (x *writer) flush() error {
	_, err := x.to.Write(x.b)
	x.b = x.b[:0]
	return err
}

// start writes "<name", to be followed by attributes and begin or leaf.
func (x *writer) start(name string) {
	x.newline()
	x.b = append(append(x.b, '<'), name...)
}

func (x *writer) newline() {
	if x.Options.Indent && x.flat == 0 && x.depth > 0 {
		x.b = append(x.b, '\n')
		for range x.depth {
			x.b = append(x.b, ' ', ' ')
		}
	}
}

func (x *writer) attr(name, value string) {
	x.b = append(append(append(x.b, ' '), name...), '=', '"')
	x.text(value)
	x.b = append(x.b, '"')
}

func (x *writer) endStart() {
	x.b = append(x.b, '>')
	x.depth++
}

func (x *writer) open(name string) {
	x.start(name)
	x.endStart()
}

func (x *writer) close(name string) {
	x.depth--
	x.newline()
	x.endTag(name)
}

// wrap writes an element around what inside writes, if that is anything.
func (x *writer) wrap(name string, inside func()) {
	before := len(x.b)
	x.open(name)
	begun := len(x.b)
	if inside(); len(x.b) == begun {
		x.b = x.b[:before]
		x.depth--
		return
	}
	x.close(name)
}

func (x *writer) endTag(name string) {
	x.b = append(append(append(x.b, '<', '/'), name...), '>')
}

// value ends an element behind its attributes: with text, or as an empty one.
func (x *writer) value(name, text string) {
	if text == "" {
		x.b = append(x.b, '/', '>')
		return
	}
	x.b = append(x.b, '>')
	x.text(text)
	x.endTag(name)
}

func (x *writer) leaf(name, text string) {
	x.start(name)
	x.value(name, text)
}

type appender struct{ b *[]byte }

func (a appender) Write(p []byte) (int, error) {
	*a.b = append(*a.b, p...)
	return len(p), nil
}

// text writes text, in an element or an attribute.
func (x *writer) text(s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ', c == '<', c == '>', c == '&', c == '"', c == '\'', c >= utf8.RuneSelf:
			_ = xml.EscapeText(appender{&x.b}, []byte(x.Whole(s))) // appending does not fail
			return
		}
	}
	x.b = append(x.b, s...)
}

func (x *writer) declarations(list []writing.Declaration) {
	for _, d := range list {
		if d.Prefix != "xml" {
			x.attr("xmlns:"+d.Prefix, d.Space)
		}
	}
}

func (x *writer) Begin(head epcis.Head, empty bool) error {
	x.head = head
	h := head.Header
	ns, version := xmlns.EPCIS2, "2.0"
	if x.Old {
		ns, version = xmlns.EPCIS1, "1.2"
	}
	prefix := "epcis"
	switch {
	case head.Query != nil:
		x.rootName, prefix, ns = "epcisq:EPCISQueryDocument", "epcisq", strings.Replace(ns, ":epcis:", ":epcis-query:", 1)
	case empty && len(h.Vocabularies) > 0 && (head.MasterData || x.Old && h.SBDH == nil):
		x.rootName, prefix, ns = "epcismd:EPCISMasterDataDocument", "epcismd", strings.Replace(ns, ":epcis:", ":epcis-masterdata:", 1)
		x.master = true
	default:
		x.rootName = "epcis:EPCISDocument"
	}
	x.b = append(x.b, xml.Header[:len(xml.Header)-1]...)
	x.b = append(x.b, '\n')
	x.b = append(append(x.b, '<'), x.rootName...)
	x.attr("xmlns:"+prefix, ns)
	x.declarations(x.Root)
	x.attr("schemaVersion", version)
	x.At = append(x.At[:0], "creationDate")
	if head.CreationDate == "" {
		x.Refused("the document has no creationDate", "give the time at which it is made")
	} else {
		x.attr("creationDate", head.CreationDate)
	}
	x.At = x.At[:0]
	if h.ID != "" { // an attribute of no meaning in XML: the schema lets it be, and our reader takes it back
		x.attr("id", h.ID)
	}
	x.ownAttributes(h.Extensions, "id", "schemaVersion", "creationDate")
	x.endStart()
	x.header(h)
	x.open("EPCISBody")
	if x.master {
		x.vocabularies(h.Vocabularies)
		return x.flush()
	}
	if q := head.Query; q != nil {
		x.open("epcisq:QueryResults")
		x.leaf("queryName", q.Name)
		if q.SubscriptionID != "" {
			x.leaf("subscriptionID", q.SubscriptionID)
		}
		x.open("resultsBody")
	}
	x.open("EventList")
	return x.flush()
}

func (x *writer) End() error {
	if !x.master {
		x.close("EventList")
	}
	if x.head.Query != nil {
		x.close("resultsBody")
		x.close("epcisq:QueryResults")
	}
	x.close("EPCISBody")
	for _, t := range x.trailing {
		x.foreign(t)
	}
	x.close(x.rootName)
	x.b = append(x.b, '\n')
	return x.flush()
}

// split takes extensions apart: those without and those with a namespace. Attributes are neither: see ownAttributes.
func split(list []epcis.Extension) (local, foreign []*epcis.Extension) {
	for i := range list {
		if extension.IsAttribute(&list[i]) {
			continue
		}
		if list[i].Namespace == "" {
			local = append(local, &list[i])
		} else {
			foreign = append(foreign, &list[i])
		}
	}
	return local, foreign
}

func (x *writer) Event(e *epcis.Event, recordTime string, bare bool) error {
	l := x.Layout(e)
	x.At = append(x.At[:0], e.Type)
	if l == nil {
		x.Lost("XML has no events of the type "+excerpt.Quote(e.Type)+"; the event was left out", "use one of the five event types")
		return nil
	}
	end := x.Names.EventScope()
	defer end()
	x.EventNamespaces(e, x.Declare)
	wrappers := strings.Split(strings.TrimSuffix(l.Wrapper, "/"), "/")
	if l.Wrapper == "" || bare {
		wrappers = nil
	}
	for _, name := range wrappers {
		x.open(name)
	}
	x.start(l.Name)
	if bare {
		x.declarations(x.Root)
	}
	x.declarations(x.Names.Local)
	x.ownAttributes(e.Extensions, "schemaVersion", "creationDate")
	x.endStart()
	x.fields(e, recordTime, l)
	x.close(l.Name)
	for range wrappers {
		x.close("extension")
	}
	x.At = x.At[:0]
	return x.flush()
}

// fields writes the fields of an event where its layout has them.
func (x *writer) fields(e *epcis.Event, recordTime string, l *field.Layout) {
	x.Strangers(e, l)
	x.Required(e)
	local, foreign := split(e.Extensions)
	inner := l.Slots[field.SensorElementList].Wrapper // where what no schema orders stands
	for _, id := range field.Order(l, "") {
		if x.field(id, e, recordTime); id == field.EventTimeZoneOffset {
			x.wrapped("baseExtension", e, field.Order(l, "baseExtension/"), nil, nil)
		}
	}
	switch {
	case !x.Old || inner == "":
		for _, t := range local {
			if !x.Old {
				x.In(excerpt.Clip(t.Name))
				x.Refused("XML 2.0 has no place for an element without a namespace; it was written behind the fields of the event", "put it into a namespace")
				x.Out()
			}
			x.unqualified(t, inEvent)
		}
	case inner == "extension/":
		x.wrapped("extension", e, field.Order(l, "extension/"), nil, local)
	default:
		x.wrapped("extension", e, field.Order(l, "extension/"), field.Order(l, "extension/extension/"), local)
	}
	for _, t := range foreign {
		x.foreign(t)
	}
}

// wrapped writes fields, and others one level deeper with the unqualified extensions, if there are any.
func (x *writer) wrapped(name string, e *epcis.Event, outer, inner []field.ID, local []*epcis.Extension) {
	x.wrap(name, func() {
		for _, id := range outer {
			x.present(id, e)
		}
		rest := func() {
			for _, id := range inner {
				x.present(id, e)
			}
			for _, t := range local {
				x.unqualified(t, inEvent)
			}
		}
		if inner == nil {
			rest()
			return
		}
		x.wrap("extension", rest)
	})
}

// present writes a field if it is there.
func (x *writer) present(id field.ID, e *epcis.Event) {
	if accessor.Present(e, id) {
		x.field(id, e, "")
	}
}

// field writes one field if it is there, or if XML 1.2 wants it all the same.
func (x *writer) field(id field.ID, e *epcis.Event, recordTime string) {
	name := field.Names[id]
	if id == field.RecordTime && recordTime != "" {
		x.leaf(name, recordTime)
		return
	}
	if !accessor.Present(e, id) {
		if x.Old && (id == field.EPCList && e.Type != "TransformationEvent" || id == field.ChildEPCs && e.Type == "AggregationEvent") {
			x.leaf(name, "")
		}
		return
	}
	x.In(name)
	defer x.Out()
	switch id {
	case field.EventTime:
		x.leaf(name, x.Time(e.EventTime, e.EventTimeZoneOffset))
	case field.RecordTime:
		x.leaf(name, x.Time(e.RecordTime, ""))
	case field.EventTimeZoneOffset:
		x.leaf(name, e.EventTimeZoneOffset)
	case field.EventID:
		x.leaf(name, e.EventID)
	case field.ErrorDeclaration:
		x.errorDeclaration(e.ErrorDeclaration)
	case field.CertificationInfo:
		for i, s := range e.CertificationInfo {
			if i > 0 && !x.Old {
				x.Lost("XML 2.0 has place for one certificate; "+strconv.Itoa(len(e.CertificationInfo)-1)+" more were left out", "send them in JSON")
				break
			}
			x.leaf(name, s)
		}
	case field.Action:
		x.leaf(name, e.Action)
	case field.TransformationID:
		x.leaf(name, x.ID(e.TransformationID))
	case field.BizStep:
		x.leaf(name, x.term(epcis.TermBizStep, e.BizStep))
	case field.Disposition:
		x.leaf(name, x.term(epcis.TermDisposition, e.Disposition))
	case field.PersistentDisposition:
		x.open(name)
		for _, s := range e.PersistentDisposition.Unset {
			x.leaf("unset", x.term(epcis.TermDisposition, s))
		}
		for _, s := range e.PersistentDisposition.Set {
			x.leaf("set", x.term(epcis.TermDisposition, s))
		}
		x.close(name)
	case field.ReadPoint:
		x.place(name, e.ReadPoint)
	case field.BizLocation:
		x.place(name, e.BizLocation)
	case field.BizTransactionList:
		x.open(name)
		for _, t := range e.BizTransactionList {
			x.typed("bizTransaction", x.term(epcis.TermBizTransaction, t.Type), t.Value)
		}
		x.close(name)
	case field.QuantityList, field.ChildQuantityList, field.InputQuantityList, field.OutputQuantityList:
		x.quantities(name, accessor.Quantities(e, id))
	case field.SourceList:
		x.open(name)
		for _, s := range e.SourceList {
			x.typed("source", x.term(epcis.TermSourceDest, s.Type), s.Value)
		}
		x.close(name)
	case field.DestinationList:
		x.open(name)
		for _, s := range e.DestinationList {
			x.typed("destination", x.term(epcis.TermSourceDest, s.Type), s.Value)
		}
		x.close(name)
	case field.SensorElementList:
		x.sensors(e.SensorElementList)
	case field.ILMD:
		x.openWith(name, e.ILMD)
		x.extensions(e.ILMD)
		x.close(name)
	case field.ParentID:
		x.leaf(name, x.ID(e.ParentID))
	case field.EPCList, field.ChildEPCs, field.InputEPCList, field.OutputEPCList:
		x.open(name)
		for _, s := range accessor.EPCs(e, id) {
			x.leaf("epc", x.ID(s))
		}
		x.close(name)
	default: // no field
	}
	x.IDsDone()
}

func (x *writer) term(kind epcis.TermKind, s string) string {
	if s == "" {
		return ""
	}
	return termOf(kind, s, x.Options.CBV, x.Old)
}

func (x *writer) typed(name, kind, value string) {
	x.start(name)
	if kind != "" {
		x.attr("type", kind)
	} else if name != "bizTransaction" {
		x.Refused("the type is missing", "add owning_party, possessing_party or location")
	}
	x.value(name, x.Word(value))
}

func (x *writer) quantities(name string, list []epcis.Quantity) {
	x.open(name)
	for i, q := range list {
		x.open("quantityElement")
		if q.EPCClass == "" {
			x.Refused("epcClass is missing", "say of what class the quantity is")
		}
		x.leaf("epcClass", x.Word(q.EPCClass))
		if q.Quantity == "" && q.UOM != "" { // no unit without a quantity, but it may be nil
			x.start("quantity")
			x.attr("xsi:nil", "true")
			x.value("quantity", "")
		}
		if q.Quantity != "" {
			n, ok := extension.Decimal(q.Quantity)
			if _, number := extension.Number(q.Quantity); !ok || !number || strings.ContainsAny(n, "eE") {
				x.InItem("quantityElement", i)
				x.Refused(excerpt.Quote(q.Quantity)+" is no decimal number", "write digits, with a point if needed")
				x.Out()
			}
			x.leaf("quantity", n)
		}
		if q.UOM != "" {
			x.leaf("uom", q.UOM)
		}
		x.close("quantityElement")
	}
	x.close(name)
}

func (x *writer) place(name string, p *epcis.Place) {
	x.openWith(name, p.Extensions)
	if p.ID != "" {
		x.leaf("id", x.Word(p.ID))
	} else {
		x.Refused("the place has no id", "add it")
	}
	x.extensions(p.Extensions, "id")
	x.close(name)
}

func (x *writer) errorDeclaration(d *epcis.ErrorDeclaration) {
	x.openWith("errorDeclaration", d.Extensions)
	if d.DeclarationTime != "" {
		x.In("declarationTime")
		x.leaf("declarationTime", x.Time(d.DeclarationTime, ""))
		x.Out()
	} else if x.Old {
		x.Refused("declarationTime is missing", "say when the event was declared an error")
	}
	if d.Reason != "" {
		x.leaf("reason", x.term(epcis.TermErrorReason, d.Reason))
	}
	if len(d.CorrectiveEventIDs) > 0 {
		x.open("correctiveEventIDs")
		for _, s := range d.CorrectiveEventIDs {
			x.leaf("correctiveEventID", s)
		}
		x.close("correctiveEventIDs")
	}
	x.extensions(d.Extensions, "declarationTime", "reason", "correctiveEventIDs")
	x.close("errorDeclaration")
}

func (x *writer) sensors(list []epcis.SensorElement) {
	x.open("sensorElementList")
	for i := range list {
		s := &list[i]
		x.InItem("sensorElement", i)
		x.openWith("sensorElement", s.Extensions)
		if s.Metadata != nil {
			x.In("sensorMetadata")
			x.start("sensorMetadata")
			for _, name := range accessor.MetadataFields {
				x.sensorField(name, *accessor.MetadataField(s.Metadata, name))
			}
			x.attributesOnly(s.Metadata.Extensions, func(name string) bool { return accessor.MetadataField(s.Metadata, name) != nil })
			x.value("sensorMetadata", "")
			x.Out()
		}
		for j := range s.Reports {
			r := &s.Reports[j]
			x.InItem("sensorReport", j)
			x.start("sensorReport")
			for _, name := range accessor.ReportFields {
				x.sensorField(name, *accessor.ReportField(r, name))
			}
			x.attributesOnly(r.Extensions, func(name string) bool { return accessor.ReportField(r, name) != nil })
			x.value("sensorReport", "")
			x.Out()
		}
		if len(s.Reports) == 0 {
			x.Refused("the sensor element has no report", "add one")
		}
		x.extensions(s.Extensions, "sensorMetadata", "sensorReport")
		x.close("sensorElement")
		x.Out()
	}
	x.close("sensorElementList")
}

func (x *writer) sensorField(name, s string) {
	if s == "" {
		return
	}
	switch name {
	case "type":
		s = x.term(epcis.TermMeasurement, s)
	case "exception":
		s = x.term(epcis.TermSensorAlert, s)
	case "component":
		s = x.term(epcis.TermComponent, s)
	case "deviceID":
		s = x.ID(s)
	case "time", "startTime", "endTime":
		x.In(name)
		s = x.Time(s, "")
		x.Out()
	default:
		if bad, hint := sensorValue(name, xsd.Trimmed(s)); bad != "" && !x.Old {
			x.In(name)
			x.Refused(excerpt.Quote(s)+bad, hint)
			x.Out()
		}
	}
	x.attr(name, s)
}

// sensorValue says what the schema of XML 2.0 has against a value.
func sensorValue(name, s string) (problem, hint string) {
	switch name {
	case "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue":
		if _, ok := extension.Number(s); !ok && s != "INF" && s != "-INF" && s != "NaN" {
			return " is no number", "write a number"
		}
	case "booleanValue":
		if v := xsd.Boolean(s); v != "true" && v != "false" {
			return " is neither true nor false", "write true or false"
		}
	case "hexBinaryValue":
		if len(s)%2 == 1 || strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || !xsd.IsHex(byte(r)) }) >= 0 {
			return " is no sequence of bytes in hexadecimal digits", "write two digits for every byte"
		}
	}
	return "", ""
}

// attributesOnly writes extensions where XML has attributes and nothing else.
func (x *writer) attributesOnly(list []epcis.Extension, standard func(name string) bool) {
	for i := range list {
		t := &list[i]
		x.In(excerpt.Clip(t.Name))
		name, ok := x.name(t.Namespace, t.Name)
		first := true
		for j := range i {
			first = first && (list[j].Name != t.Name || extension.Canonical(list[j].Namespace) != extension.Canonical(t.Namespace))
		}
		switch {
		case !ok, t.Namespace == "" && standard(t.Name), t.Name == "xmlns":
			x.Lost("no attribute of XML can have the name "+excerpt.Quote(t.Name)+"; it was left out", "rename it")
		case !first || extension.IsArray(t):
			x.Lost("XML has one attribute of a name here; this value was left out", "send another sensorReport")
		case len(t.Children)+len(t.Attributes) > 0 || t.Type == epcis.NoValue:
			x.Lost("XML has place for plain attributes here, not for anything with parts; it was left out", "put it into the sensorElement")
		default:
			if t.Type == epcis.Number || t.Type == epcis.Boolean || t.Type == epcis.Null {
				x.Lost("an attribute of XML has no type: "+excerpt.Quote(t.Text)+" became text", "")
			}
			x.attr(name, t.Text)
		}
		x.Out()
	}
}

// name returns a name with its prefix. ok is false when XML cannot have it.
func (x *writer) name(space, local string) (string, bool) {
	if !xmlns.IsNCName(local) {
		return "", false
	}
	space = extension.Canonical(space)
	if space == "" {
		return local, true
	}
	prefix := x.Prefix(space)
	if prefix == "" || space == xmlns.XMLNS || standardSpace(space) {
		return "", false
	}
	return prefix + ":" + local, true
}

// standardSpace reports whether a reader takes an element of the namespace for a standard one.
func standardSpace(space string) bool {
	switch space {
	case xmlns.EPCIS1, xmlns.EPCIS2, xmlns.Query1, xmlns.Query2, xmlns.MasterData1, xmlns.MasterData2:
		return true
	}
	return false
}
