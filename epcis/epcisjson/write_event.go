package epcisjson

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/accessor"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/heading"
	"verilot.dev/epcis/internal/jsonld"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/writing"
	"verilot.dev/epcis/internal/xsd"
)

// writer writes JSON-LD 2.0. The keys of an event stand in the order of the XML schema, behind its
// context and type.
type writer struct {
	*writing.Writer
	enc  *jsontext.Encoder
	err  error // the first of enc
	head epcis.Head
	buf  []byte
}

func (j *writer) token(t jsontext.Token) {
	if j.err == nil {
		j.err = j.enc.WriteToken(t)
	}
}

func (j *writer) object()      { j.token(jsontext.BeginObject) }
func (j *writer) endObject()   { j.token(jsontext.EndObject) }
func (j *writer) array()       { j.token(jsontext.BeginArray) }
func (j *writer) endArray()    { j.token(jsontext.EndArray) }
func (j *writer) key(s string) { j.token(jsontext.String(s)) }

func (j *writer) string(s string) { j.token(jsontext.String(j.Whole(s))) }

func (j *writer) member(key, value string) {
	j.key(key)
	j.string(value)
}

// optional writes a member that has something to say.
func (j *writer) optional(key, value string) {
	if value != "" {
		j.member(key, value)
	}
}

func (j *writer) number(s string) {
	if j.err == nil {
		j.err = j.enc.WriteValue(jsontext.Value(s))
	}
}

func (j *writer) context(list []writing.Declaration) {
	j.key("@context")
	j.array()
	j.string(jsonld.Context)
	if len(list) > 0 {
		j.prefixes(list)
	}
	j.endArray()
}

func (j *writer) prefixes(list []writing.Declaration) {
	j.object()
	for _, d := range list {
		j.member(d.Prefix, d.Space)
	}
	j.endObject()
}

func (j *writer) Begin(head epcis.Head, _ bool) error {
	j.head = head
	h := head.Header
	j.object()
	j.context(j.Root)
	kind := "EPCISDocument"
	if head.Query != nil {
		kind = "EPCISQueryDocument"
	}
	j.member("type", kind)
	if h.ID != "" {
		j.In("id")
		j.member("id", j.uri(h.ID))
		j.Out()
	}
	j.member("schemaVersion", "2.0")
	j.In("creationDate")
	if head.CreationDate != "" {
		j.member("creationDate", j.Time(head.CreationDate, ""))
	} else if head.Query == nil {
		j.Refused("the document has no creationDate", "give the time at which it is made")
	}
	j.Out()
	j.header(h)
	j.key("epcisBody")
	j.object()
	if q := head.Query; q != nil {
		j.key("queryResults")
		j.object()
		j.member("queryName", q.Name)
		j.optional("subscriptionID", q.SubscriptionID)
		j.key("resultsBody")
		j.object()
	}
	j.key("eventList")
	j.array()
	return j.err
}

func (j *writer) End() error {
	j.endArray()
	if j.head.Query != nil {
		if v := j.head.Header.Vocabularies; len(v) > 0 {
			j.vocabularies(v)
		}
		j.endObject()
		j.endObject()
	}
	j.endObject()
	j.endObject()
	return j.err
}

// header writes what a document says of itself. A query document has no header: extensions stand at the root there, and
// master data with the results.
func (j *writer) header(h *epcis.Header) {
	extensions := heading.Extensions(h)
	if b := h.SBDH; b != nil {
		flat := heading.FlatSBDH(b, j.head.CreationDate)
		if j.head.Query == nil {
			if len(b.Senders) > 0 {
				j.optional("sender", b.Senders[0].Identifier)
			}
			if len(b.Receivers) > 0 {
				j.optional("receiver", b.Receivers[0].Identifier)
			}
			j.optional("instanceIdentifier", b.InstanceIdentifier)
		}
		if !flat || j.head.Query != nil {
			extensions = append(slices.Clone(extensions), heading.SBDHExtension(b))
		}
	}
	if j.head.Query != nil {
		j.members(extensions, inDocument)
		return
	}
	if len(h.Vocabularies)+len(extensions) == 0 {
		return
	}
	j.In("epcisHeader")
	j.key("epcisHeader")
	j.object()
	if len(h.Vocabularies) > 0 {
		j.key("epcisMasterData")
		j.object()
		j.vocabularies(h.Vocabularies)
		j.endObject()
	}
	j.members(extensions, func(key string) bool { return key == "epcisMasterData" || key == "@context" })
	j.endObject()
	j.Out()
}

func inDocument(key string) bool {
	switch key {
	case "@context", "id", "type", "isA", "schemaVersion", "creationDate", "instanceIdentifier", "sender", "receiver", "epcisHeader", "epcisBody":
		return true
	}
	return false
}

func (j *writer) vocabularies(list []epcis.Vocabulary) {
	j.key("vocabularyList")
	j.array()
	for i := range list {
		v := &list[i]
		j.In("vocabulary")
		j.object()
		j.member("type", j.uri(v.Type))
		j.key("vocabularyElementList")
		j.array()
		for k := range v.Elements {
			j.vocabularyElement(&v.Elements[k])
		}
		j.endArray()
		j.members(v.Extensions, func(key string) bool { return key == "type" || key == "vocabularyElementList" })
		j.endObject()
		j.Out()
	}
	j.endArray()
}

func (j *writer) vocabularyElement(e *epcis.VocabularyElement) {
	j.In("vocabularyElement")
	defer j.Out()
	j.object()
	j.member("id", j.uri(j.ID(e.ID)))
	if len(e.Attributes) > 0 {
		j.key("attributes")
		j.array()
		for i := range e.Attributes {
			a := &e.Attributes[i]
			j.object()
			j.member("id", j.uri(a.ID))
			j.key("attribute")
			j.value(&epcis.Extension{Type: epcis.Text, Text: a.Text, Children: a.Children})
			j.endObject()
		}
		j.endArray()
	}
	if len(e.Children) > 0 {
		j.key("children")
		j.array()
		for _, s := range e.Children {
			j.writeURI(j.ID(s))
		}
		j.endArray()
	}
	j.IDsDone()
	j.members(e.Extensions, func(key string) bool { return key == "id" || key == "attributes" || key == "children" })
	j.endObject()
}

// uri passes s on; it reports what the schema does not take for a URI.
func (j *writer) uri(s string) string {
	if !j.isURI(s) {
		j.Refused(excerpt.Quote(s)+" is no URI, which JSON wants here", "write a URI")
	}
	return s
}

// writeURI writes a value that the schema wants to be a URI.
func (j *writer) writeURI(s string) {
	if j.isURI(s) {
		j.token(jsontext.String(s)) // its characters are plain
		return
	}
	j.string(j.uri(s))
}

func (j *writer) isURI(s string) bool {
	j.buf = append(j.buf[:0], s...)
	return isURI(j.buf)
}

func (j *writer) Event(e *epcis.Event, recordTime string, bare bool) error {
	j.At = append(j.At[:0], e.Type)
	end := j.Names.EventScope()
	defer end()
	j.EventNamespaces(e, j.Declare)
	l := j.Layout(e)
	j.object()
	switch {
	case bare:
		j.context(append(slices.Clone(j.Root), j.Local...))
	case len(j.Local) > 0:
		j.key("@context")
		j.prefixes(j.Local)
	}
	j.member("type", e.Type)
	if l == nil {
		if !j.isURI(e.Type) {
			j.Refused(excerpt.Quote(e.Type)+" is no event type of EPCIS", "use one of the five")
		}
		l = field.LayoutOf(2, "ObjectEvent")
	}
	j.Strangers(e, l)
	j.Required(e)
	for _, id := range field.Order(l, "") {
		j.field(id, e, recordTime)
	}
	j.members(e.Extensions, inEvent)
	j.endObject()
	j.At = j.At[:0]
	return j.err
}

func inEvent(key string) bool {
	id, known := field.IDs[key]
	return known && id < field.EPCClass || key == "type" || key == "@context"
}

// emptyEPCList reports whether the schema wants an epcList though there is none.
func emptyEPCList(e *epcis.Event) bool {
	switch e.Type {
	case "ObjectEvent":
		return len(e.QuantityList) == 0 && (len(e.SensorElementList) == 0 || e.ReadPoint == nil)
	case "TransactionEvent":
		return len(e.QuantityList) == 0 && e.Action != "DELETE"
	}
	return false
}

func (j *writer) field(id field.ID, e *epcis.Event, recordTime string) {
	name := field.Names[id]
	if id == field.RecordTime && recordTime != "" {
		j.member(name, recordTime)
		return
	}
	if !accessor.Present(e, id) {
		if id == field.EPCList && emptyEPCList(e) {
			j.key(name)
			j.array()
			j.endArray()
		}
		return
	}
	j.In(name)
	defer j.Out()
	j.key(name)
	switch id {
	case field.EventTime:
		j.string(j.Time(e.EventTime, e.EventTimeZoneOffset))
	case field.RecordTime:
		j.string(j.Time(e.RecordTime, ""))
	case field.EventTimeZoneOffset:
		if _, err := xsd.ParseOffset(e.EventTimeZoneOffset); err != nil {
			j.Refused(excerpt.Quote(e.EventTimeZoneOffset)+" is "+err.Error(), "write it as -05:00")
		}
		j.string(e.EventTimeZoneOffset)
	case field.EventID:
		j.writeURI(e.EventID)
	case field.ErrorDeclaration:
		j.errorDeclaration(e.ErrorDeclaration)
	case field.CertificationInfo:
		if len(e.CertificationInfo) == 1 {
			j.writeURI(e.CertificationInfo[0])
			return
		}
		j.array()
		for _, s := range e.CertificationInfo {
			j.writeURI(s)
		}
		j.endArray()
	case field.Action:
		j.string(e.Action)
	case field.TransformationID:
		j.writeURI(j.ID(e.TransformationID))
	case field.BizStep:
		j.term(epcis.TermBizStep, e.BizStep)
	case field.Disposition:
		j.term(epcis.TermDisposition, e.Disposition)
	case field.PersistentDisposition:
		if e.Type != "ObjectEvent" && e.Type != "TransformationEvent" {
			j.Refused("the JSON schema has no persistentDisposition in an "+e.Type+", though the standard has", "leave it in: readers that follow the standard take it")
		}
		j.object()
		j.dispositions("set", e.PersistentDisposition.Set)
		j.dispositions("unset", e.PersistentDisposition.Unset)
		j.endObject()
	case field.ReadPoint:
		j.place(e.ReadPoint)
	case field.BizLocation:
		j.place(e.BizLocation)
	case field.BizTransactionList:
		j.array()
		for _, t := range e.BizTransactionList {
			j.typed("bizTransaction", epcis.TermBizTransaction, t.Type, t.Value)
		}
		j.endArray()
	case field.QuantityList, field.ChildQuantityList, field.InputQuantityList, field.OutputQuantityList:
		j.array()
		for i, q := range accessor.Quantities(e, id) {
			j.quantity(i, q)
		}
		j.endArray()
	case field.SourceList:
		j.array()
		for _, s := range e.SourceList {
			j.typed("source", epcis.TermSourceDest, s.Type, s.Value)
		}
		j.endArray()
	case field.DestinationList:
		j.array()
		for _, s := range e.DestinationList {
			j.typed("destination", epcis.TermSourceDest, s.Type, s.Value)
		}
		j.endArray()
	case field.SensorElementList:
		j.array()
		for i := range e.SensorElementList {
			j.sensor(i, &e.SensorElementList[i])
		}
		j.endArray()
	case field.ILMD:
		if e.Type == "ObjectEvent" && e.Action != "ADD" {
			j.Refused("ilmd is only for the action ADD", "commission the items, or leave it out")
		}
		j.object()
		j.members(e.ILMD, func(string) bool { return false })
		j.endObject()
	case field.ParentID:
		j.writeURI(j.ID(e.ParentID))
	case field.EPCList, field.ChildEPCs, field.InputEPCList, field.OutputEPCList:
		j.array()
		for _, s := range accessor.EPCs(e, id) {
			j.writeURI(j.ID(s))
		}
		j.endArray()
	default: // no field
	}
	j.IDsDone()
}

// term writes a standard value.
func (j *writer) term(kind epcis.TermKind, s string) {
	s = termOf(kind, s)
	if !vocabulary.Lists[kind].Words[s] && !j.isURI(s) {
		j.Refused(excerpt.Quote(s)+" is no value of the Core Business Vocabulary", "write a standard value, or a URI of your own")
	}
	j.string(s)
}

func (j *writer) dispositions(key string, list []string) {
	if len(list) == 0 {
		return
	}
	j.key(key)
	j.array()
	seen := make(map[string]bool, len(list)) // the schema wants each once
	for _, s := range list {
		word := termOf(epcis.TermDisposition, s)
		if seen[word] {
			j.Lost(excerpt.Quote(s)+" stands there twice; it was written once", "")
			continue
		}
		seen[word] = true
		j.term(epcis.TermDisposition, word)
	}
	j.endArray()
}

func (j *writer) place(p *epcis.Place) {
	j.object()
	if p.ID != "" {
		j.key("id")
		j.writeURI(j.Word(p.ID))
	} else {
		j.Refused("the place has no id", "add it")
	}
	j.members(p.Extensions, func(key string) bool { return key == "id" })
	j.endObject()
}

func (j *writer) typed(name string, list epcis.TermKind, kind, value string) {
	j.object()
	if kind != "" {
		j.key("type")
		j.term(list, kind)
	} else if list == epcis.TermSourceDest {
		j.Refused("the type is missing", "add owning_party, possessing_party or location")
	}
	j.key(name)
	j.writeURI(j.Word(value))
	j.endObject()
}

func (j *writer) quantity(i int, q epcis.Quantity) {
	j.InItem("quantityElement", i)
	defer j.Out()
	j.object()
	j.key("epcClass")
	j.writeURI(j.Word(q.EPCClass))
	if q.Quantity != "" {
		j.key("quantity")
		if n, ok := extension.Number(q.Quantity); ok {
			j.number(n)
		} else {
			j.Refused(excerpt.Quote(q.Quantity)+" is no number", "write digits, with a point if needed")
			j.string(q.Quantity)
		}
	}
	if q.UOM != "" {
		if !isUOM(q.UOM) {
			j.Refused(excerpt.Quote(q.UOM)+" is no unit of UN/CEFACT Recommendation 20", "write two or three capitals or digits, such as KGM")
		}
		j.member("uom", q.UOM)
	}
	j.endObject()
}

func isUOM(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) == 2 || len(s) == 3
}

func (j *writer) errorDeclaration(d *epcis.ErrorDeclaration) {
	j.object()
	if d.DeclarationTime != "" {
		j.member("declarationTime", j.Time(d.DeclarationTime, ""))
	} else {
		j.Refused("declarationTime is missing", "say when the event was declared an error")
	}
	if d.Reason != "" {
		j.key("reason")
		j.term(epcis.TermErrorReason, d.Reason)
	}
	if len(d.CorrectiveEventIDs) > 0 {
		j.key("correctiveEventIDs")
		j.array()
		for _, s := range d.CorrectiveEventIDs {
			j.writeURI(s)
		}
		j.endArray()
	}
	j.members(d.Extensions, func(key string) bool {
		return key == "declarationTime" || key == "reason" || key == "correctiveEventIDs"
	})
	j.endObject()
}

func (j *writer) sensor(i int, s *epcis.SensorElement) {
	j.InItem("sensorElement", i)
	defer j.Out()
	j.object()
	if m := s.Metadata; m != nil {
		j.In("sensorMetadata")
		j.key("sensorMetadata")
		j.object()
		for _, name := range accessor.MetadataFields {
			j.sensorField(name, *accessor.MetadataField(m, name))
		}
		j.members(m.Extensions, func(key string) bool { return accessor.MetadataField(m, key) != nil })
		j.endObject()
		j.Out()
	}
	if len(s.Reports) == 0 {
		j.Refused("the sensor element has no report", "add one")
	} else {
		j.key("sensorReport")
		j.array()
		for k := range s.Reports {
			r := &s.Reports[k]
			j.InItem("sensorReport", k)
			j.object()
			if r.Type == "" {
				j.Refused("the report does not say what was measured", "add the type")
			}
			for _, name := range accessor.ReportFields {
				j.sensorField(name, *accessor.ReportField(r, name))
			}
			j.members(r.Extensions, func(key string) bool { return accessor.ReportField(r, key) != nil })
			j.endObject()
			j.Out()
		}
		j.endArray()
	}
	j.members(s.Extensions, func(key string) bool { return key == "sensorMetadata" || key == "sensorReport" })
	j.endObject()
}

func (j *writer) sensorField(name, s string) {
	if s == "" {
		return
	}
	j.In(name)
	defer j.Out()
	switch name {
	case "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue":
		switch n, ok := extension.Number(s); {
		case ok:
			j.key(name)
			j.number(n)
		case strings.Trim(strings.Trim(s, xsd.Blank), "+-") == "INF" || strings.Trim(s, xsd.Blank) == "NaN":
			j.Lost(excerpt.Quote(s)+" is no number in JSON; it was left out", "")
		default:
			j.Refused(excerpt.Quote(s)+" is no number", "write a number")
			j.member(name, s)
		}
		return
	case "booleanValue":
		j.key(name)
		switch strings.Trim(s, xsd.Blank) {
		case "true", "1":
			j.token(jsontext.True)
		case "false", "0":
			j.token(jsontext.False)
		default:
			j.Refused(excerpt.Quote(s)+" is neither true nor false", "write true or false")
			j.string(s)
		}
		return
	}
	j.key(name)
	switch name {
	case "type":
		j.term(epcis.TermMeasurement, s)
	case "exception":
		j.term(epcis.TermSensorAlert, s)
	case "component":
		j.term(epcis.TermComponent, s)
	case "deviceID":
		j.writeURI(j.ID(s))
		j.IDsDone()
	case "time", "startTime", "endTime":
		j.string(j.Time(s, ""))
	case "stringValue", "uom":
		j.string(s)
	case "hexBinaryValue":
		if strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || !xsd.IsHex(byte(r)) }) >= 0 {
			j.Refused(excerpt.Quote(s)+" is no hexadecimal number", "write digits and the letters A to F")
		}
		j.string(s)
	default:
		j.writeURI(s)
	}
}
