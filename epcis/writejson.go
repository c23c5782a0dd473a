package epcis

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonWriter writes JSON-LD 2.0. The keys of an event stand in the order of the XML schema, behind its context and type.
type jsonWriter struct {
	*Writer
	enc  *jsontext.Encoder
	err  error // the first of enc
	head Head
	buf  []byte
}

func (j *jsonWriter) token(t jsontext.Token) {
	if j.err == nil {
		j.err = j.enc.WriteToken(t)
	}
}

func (j *jsonWriter) object()      { j.token(jsontext.BeginObject) }
func (j *jsonWriter) endObject()   { j.token(jsontext.EndObject) }
func (j *jsonWriter) array()       { j.token(jsontext.BeginArray) }
func (j *jsonWriter) endArray()    { j.token(jsontext.EndArray) }
func (j *jsonWriter) key(s string) { j.token(jsontext.String(s)) }

func (j *jsonWriter) string(s string) { j.token(jsontext.String(j.Whole(s))) }

func (j *jsonWriter) member(key, value string) {
	j.key(key)
	j.string(value)
}

// optional writes a member that has something to say.
func (j *jsonWriter) optional(key, value string) {
	if value != "" {
		j.member(key, value)
	}
}

func (j *jsonWriter) number(s string) {
	if j.err == nil {
		j.err = j.enc.WriteValue(jsontext.Value(s))
	}
}

func (j *jsonWriter) context(list []Declaration) {
	j.key("@context")
	j.array()
	j.string(Context)
	if len(list) > 0 {
		j.prefixes(list)
	}
	j.endArray()
}

func (j *jsonWriter) prefixes(list []Declaration) {
	j.object()
	for _, d := range list {
		j.member(d.Prefix, d.Space)
	}
	j.endObject()
}

func (j *jsonWriter) Begin(head Head, _ bool) error {
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

func (j *jsonWriter) End() error {
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
func (j *jsonWriter) header(h *Header) {
	extensions := Extensions(h)
	if b := h.SBDH; b != nil {
		flat := FlatSBDH(b, j.head.CreationDate)
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
			extensions = append(slices.Clone(extensions), SBDHExtension(b))
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

func (j *jsonWriter) vocabularies(list []Vocabulary) {
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

func (j *jsonWriter) vocabularyElement(e *VocabularyElement) {
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
			j.value(&Extension{Type: Text, Text: a.Text, Children: a.Children})
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
func (j *jsonWriter) uri(s string) string {
	if !j.isURI(s) {
		j.Refused(Quote(s)+" is no URI, which JSON wants here", "write a URI")
	}
	return s
}

// writeURI writes a value that the schema wants to be a URI.
func (j *jsonWriter) writeURI(s string) {
	if j.isURI(s) {
		j.token(jsontext.String(s)) // its characters are plain
		return
	}
	j.string(j.uri(s))
}

func (j *jsonWriter) isURI(s string) bool {
	j.buf = append(j.buf[:0], s...)
	return isURI(j.buf)
}

func (j *jsonWriter) Event(e *Event, recordTime string, bare bool) error {
	j.At = append(j.At[:0], e.Type)
	end := j.names.EventScope()
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
			j.Refused(Quote(e.Type)+" is no event type of EPCIS", "use one of the five")
		}
		l = LayoutOf(2, "ObjectEvent")
	}
	j.Strangers(e, l)
	j.Required(e)
	for _, id := range Order(l, "") {
		j.field(id, e, recordTime)
	}
	j.members(e.Extensions, inJSONEvent)
	j.endObject()
	j.At = j.At[:0]
	return j.err
}

func inJSONEvent(key string) bool {
	id, known := IDs[key]
	return known && id < EPCClass || key == "type" || key == "@context"
}

// emptyEPCList reports whether the schema wants an epcList though there is none.
func emptyEPCList(e *Event) bool {
	switch e.Type {
	case "ObjectEvent":
		return len(e.QuantityList) == 0 && (len(e.SensorElementList) == 0 || e.ReadPoint == nil)
	case "TransactionEvent":
		return len(e.QuantityList) == 0 && e.Action != "DELETE"
	}
	return false
}

func (j *jsonWriter) field(id ID, e *Event, recordTime string) {
	name := fieldNames[id]
	if id == RecordTime && recordTime != "" {
		j.member(name, recordTime)
		return
	}
	if !Present(e, id) {
		if id == EPCList && emptyEPCList(e) {
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
	case EventTime:
		j.string(j.Time(e.EventTime, e.EventTimeZoneOffset))
	case RecordTime:
		j.string(j.Time(e.RecordTime, ""))
	case EventTimeZoneOffset:
		if _, err := ParseOffset(e.EventTimeZoneOffset); err != nil {
			j.Refused(Quote(e.EventTimeZoneOffset)+" is "+err.Error(), "write it as -05:00")
		}
		j.string(e.EventTimeZoneOffset)
	case EventID:
		j.writeURI(e.EventID)
	case fErrorDeclaration:
		j.errorDeclaration(e.ErrorDeclaration)
	case CertificationInfo:
		if len(e.CertificationInfo) == 1 {
			j.writeURI(e.CertificationInfo[0])
			return
		}
		j.array()
		for _, s := range e.CertificationInfo {
			j.writeURI(s)
		}
		j.endArray()
	case Action:
		j.string(e.Action)
	case TransformationID:
		j.writeURI(j.ID(e.TransformationID))
	case fBizStep:
		j.term(TermBizStep, e.BizStep)
	case fDisposition:
		j.term(TermDisposition, e.Disposition)
	case fPersistentDisposition:
		if e.Type != "ObjectEvent" && e.Type != "TransformationEvent" {
			j.Refused("the JSON schema has no persistentDisposition in an "+e.Type+", though the standard has", "leave it in: readers that follow the standard take it")
		}
		j.object()
		j.dispositions("set", e.PersistentDisposition.Set)
		j.dispositions("unset", e.PersistentDisposition.Unset)
		j.endObject()
	case ReadPoint:
		j.place(e.ReadPoint)
	case BizLocation:
		j.place(e.BizLocation)
	case BizTransactionList:
		j.array()
		for _, t := range e.BizTransactionList {
			j.typed("bizTransaction", TermBizTransaction, t.Type, t.Value)
		}
		j.endArray()
	case QuantityList, ChildQuantityList, InputQuantityList, OutputQuantityList:
		j.array()
		for i, q := range Quantities(e, id) {
			j.quantity(i, q)
		}
		j.endArray()
	case SourceList:
		j.array()
		for _, s := range e.SourceList {
			j.typed("source", TermSourceDest, s.Type, s.Value)
		}
		j.endArray()
	case DestinationList:
		j.array()
		for _, s := range e.DestinationList {
			j.typed("destination", TermSourceDest, s.Type, s.Value)
		}
		j.endArray()
	case SensorElementList:
		j.array()
		for i := range e.SensorElementList {
			j.sensor(i, &e.SensorElementList[i])
		}
		j.endArray()
	case ILMD:
		if e.Type == "ObjectEvent" && e.Action != "ADD" {
			j.Refused("ilmd is only for the action ADD", "commission the items, or leave it out")
		}
		j.object()
		j.members(e.ILMD, func(string) bool { return false })
		j.endObject()
	case ParentID:
		j.writeURI(j.ID(e.ParentID))
	case EPCList, ChildEPCs, InputEPCList, OutputEPCList:
		j.array()
		for _, s := range EPCs(e, id) {
			j.writeURI(j.ID(s))
		}
		j.endArray()
	default: // no field
	}
	j.IDsDone()
}

// term writes a standard value.
func (j *jsonWriter) term(kind TermKind, s string) {
	s = jsonTerm(kind, s)
	if !Lists[kind].Words[s] && !j.isURI(s) {
		j.Refused(Quote(s)+" is no value of the Core Business Vocabulary", "write a standard value, or a URI of your own")
	}
	j.string(s)
}

func (j *jsonWriter) dispositions(key string, list []string) {
	if len(list) == 0 {
		return
	}
	j.key(key)
	j.array()
	seen := make(map[string]bool, len(list)) // the schema wants each once
	for _, s := range list {
		word := jsonTerm(TermDisposition, s)
		if seen[word] {
			j.Lost(Quote(s)+" stands there twice; it was written once", "")
			continue
		}
		seen[word] = true
		j.term(TermDisposition, word)
	}
	j.endArray()
}

func (j *jsonWriter) place(p *Place) {
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

func (j *jsonWriter) typed(name string, list TermKind, kind, value string) {
	j.object()
	if kind != "" {
		j.key("type")
		j.term(list, kind)
	} else if list == TermSourceDest {
		j.Refused("the type is missing", "add owning_party, possessing_party or location")
	}
	j.key(name)
	j.writeURI(j.Word(value))
	j.endObject()
}

func (j *jsonWriter) quantity(i int, q Quantity) {
	j.InItem("quantityElement", i)
	defer j.Out()
	j.object()
	j.key("epcClass")
	j.writeURI(j.Word(q.EPCClass))
	if q.Quantity != "" {
		j.key("quantity")
		if n, ok := number(q.Quantity); ok {
			j.number(n)
		} else {
			j.Refused(Quote(q.Quantity)+" is no number", "write digits, with a point if needed")
			j.string(q.Quantity)
		}
	}
	if q.UOM != "" {
		if !isUOM(q.UOM) {
			j.Refused(Quote(q.UOM)+" is no unit of UN/CEFACT Recommendation 20", "write two or three capitals or digits, such as KGM")
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

func (j *jsonWriter) errorDeclaration(d *ErrorDeclaration) {
	j.object()
	if d.DeclarationTime != "" {
		j.member("declarationTime", j.Time(d.DeclarationTime, ""))
	} else {
		j.Refused("declarationTime is missing", "say when the event was declared an error")
	}
	if d.Reason != "" {
		j.key("reason")
		j.term(TermErrorReason, d.Reason)
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

func (j *jsonWriter) sensor(i int, s *SensorElement) {
	j.InItem("sensorElement", i)
	defer j.Out()
	j.object()
	if m := s.Metadata; m != nil {
		j.In("sensorMetadata")
		j.key("sensorMetadata")
		j.object()
		for _, name := range MetadataFields {
			j.sensorField(name, *MetadataField(m, name))
		}
		j.members(m.Extensions, func(key string) bool { return MetadataField(m, key) != nil })
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
			for _, name := range ReportFields {
				j.sensorField(name, *ReportField(r, name))
			}
			j.members(r.Extensions, func(key string) bool { return ReportField(r, key) != nil })
			j.endObject()
			j.Out()
		}
		j.endArray()
	}
	j.members(s.Extensions, func(key string) bool { return key == "sensorMetadata" || key == "sensorReport" })
	j.endObject()
}

func (j *jsonWriter) sensorField(name, s string) {
	if s == "" {
		return
	}
	j.In(name)
	defer j.Out()
	switch name {
	case "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue":
		switch n, ok := number(s); {
		case ok:
			j.key(name)
			j.number(n)
		case strings.Trim(strings.Trim(s, Blank), "+-") == "INF" || strings.Trim(s, Blank) == "NaN":
			j.Lost(Quote(s)+" is no number in JSON; it was left out", "")
		default:
			j.Refused(Quote(s)+" is no number", "write a number")
			j.member(name, s)
		}
		return
	case "booleanValue":
		j.key(name)
		switch strings.Trim(s, Blank) {
		case "true", "1":
			j.token(jsontext.True)
		case "false", "0":
			j.token(jsontext.False)
		default:
			j.Refused(Quote(s)+" is neither true nor false", "write true or false")
			j.string(s)
		}
		return
	}
	j.key(name)
	switch name {
	case "type":
		j.term(TermMeasurement, s)
	case "exception":
		j.term(TermSensorAlert, s)
	case "component":
		j.term(TermComponent, s)
	case "deviceID":
		j.writeURI(j.ID(s))
		j.IDsDone()
	case "time", "startTime", "endTime":
		j.string(j.Time(s, ""))
	case "stringValue", "uom":
		j.string(s)
	case "hexBinaryValue":
		if strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || !IsHex(byte(r)) }) >= 0 {
			j.Refused(Quote(s)+" is no hexadecimal number", "write digits and the letters A to F")
		}
		j.string(s)
	default:
		j.writeURI(s)
	}
}
