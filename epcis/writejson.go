package epcis

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonWriter writes JSON-LD 2.0. The keys of an event stand in the order of the XML schema, behind its context and type.
type jsonWriter struct {
	*writer
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

func (j *jsonWriter) string(s string) { j.token(jsontext.String(j.whole(s))) }

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

func (j *jsonWriter) context(list []declaration) {
	j.key("@context")
	j.array()
	j.string(contextURL)
	if len(list) > 0 {
		j.prefixes(list)
	}
	j.endArray()
}

func (j *jsonWriter) prefixes(list []declaration) {
	j.object()
	for _, d := range list {
		j.member(d.prefix, d.space)
	}
	j.endObject()
}

func (j *jsonWriter) begin(head Head, _ bool) error {
	j.head = head
	h := head.Header
	j.object()
	j.context(j.root)
	kind := "EPCISDocument"
	if head.Query != nil {
		kind = "EPCISQueryDocument"
	}
	j.member("type", kind)
	if h.ID != "" {
		j.in("id")
		j.member("id", j.uri(h.ID))
		j.out()
	}
	j.member("schemaVersion", "2.0")
	j.in("creationDate")
	if head.CreationDate != "" {
		j.member("creationDate", j.time(head.CreationDate, ""))
	} else if head.Query == nil {
		j.refused("the document has no creationDate", "give the time at which it is made")
	}
	j.out()
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

func (j *jsonWriter) end() error {
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
	extensions := headerExtensions(h)
	if b := h.SBDH; b != nil {
		flat := flatSBDH(b, j.head.CreationDate)
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
			extensions = append(slices.Clone(extensions), sbdhExtension(b))
		}
	}
	if j.head.Query != nil {
		j.members(extensions, inDocument)
		return
	}
	if len(h.Vocabularies)+len(extensions) == 0 {
		return
	}
	j.in("epcisHeader")
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
	j.out()
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
		j.in("vocabulary")
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
		j.out()
	}
	j.endArray()
}

func (j *jsonWriter) vocabularyElement(e *VocabularyElement) {
	j.in("vocabularyElement")
	defer j.out()
	j.object()
	j.member("id", j.uri(j.id(e.ID)))
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
			j.writeURI(j.id(s))
		}
		j.endArray()
	}
	j.idsDone()
	j.members(e.Extensions, func(key string) bool { return key == "id" || key == "attributes" || key == "children" })
	j.endObject()
}

// uri passes s on; it reports what the schema does not take for a URI.
func (j *jsonWriter) uri(s string) string {
	if !j.isURI(s) {
		j.refused(quote(s)+" is no URI, which JSON wants here", "write a URI")
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

func (j *jsonWriter) event(e *Event, recordTime string, bare bool) error {
	j.at = append(j.at[:0], e.Type)
	end := j.names.event()
	defer end()
	j.eventNamespaces(e, j.declare)
	l := j.layout(e)
	j.object()
	switch {
	case bare:
		j.context(append(slices.Clone(j.root), j.local...))
	case len(j.local) > 0:
		j.key("@context")
		j.prefixes(j.local)
	}
	j.member("type", e.Type)
	if l == nil {
		if !j.isURI(e.Type) {
			j.refused(quote(e.Type)+" is no event type of EPCIS", "use one of the five")
		}
		l = layoutOf(2, "ObjectEvent")
	}
	j.strangers(e, l)
	j.required(e)
	for _, id := range order(l, "") {
		j.field(id, e, recordTime)
	}
	j.members(e.Extensions, inJSONEvent)
	j.endObject()
	j.at = j.at[:0]
	return j.err
}

func inJSONEvent(key string) bool {
	id, known := fieldIDs[key]
	return known && id < fEPCClass || key == "type" || key == "@context"
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

func (j *jsonWriter) field(id fieldID, e *Event, recordTime string) {
	name := fieldNames[id]
	if id == fRecordTime && recordTime != "" {
		j.member(name, recordTime)
		return
	}
	if !present(e, id) {
		if id == fEPCList && emptyEPCList(e) {
			j.key(name)
			j.array()
			j.endArray()
		}
		return
	}
	j.in(name)
	defer j.out()
	j.key(name)
	switch id {
	case fEventTime:
		j.string(j.time(e.EventTime, e.EventTimeZoneOffset))
	case fRecordTime:
		j.string(j.time(e.RecordTime, ""))
	case fEventTimeZoneOffset:
		if _, err := parseOffset(e.EventTimeZoneOffset); err != nil {
			j.refused(quote(e.EventTimeZoneOffset)+" is "+err.Error(), "write it as -05:00")
		}
		j.string(e.EventTimeZoneOffset)
	case fEventID:
		j.writeURI(e.EventID)
	case fErrorDeclaration:
		j.errorDeclaration(e.ErrorDeclaration)
	case fCertificationInfo:
		if len(e.CertificationInfo) == 1 {
			j.writeURI(e.CertificationInfo[0])
			return
		}
		j.array()
		for _, s := range e.CertificationInfo {
			j.writeURI(s)
		}
		j.endArray()
	case fAction:
		j.string(e.Action)
	case fTransformationID:
		j.writeURI(j.id(e.TransformationID))
	case fBizStep:
		j.term(TermBizStep, e.BizStep)
	case fDisposition:
		j.term(TermDisposition, e.Disposition)
	case fPersistentDisposition:
		if e.Type != "ObjectEvent" && e.Type != "TransformationEvent" {
			j.refused("the JSON schema has no persistentDisposition in an "+e.Type+", though the standard has", "leave it in: readers that follow the standard take it")
		}
		j.object()
		j.dispositions("set", e.PersistentDisposition.Set)
		j.dispositions("unset", e.PersistentDisposition.Unset)
		j.endObject()
	case fReadPoint:
		j.place(e.ReadPoint)
	case fBizLocation:
		j.place(e.BizLocation)
	case fBizTransactionList:
		j.array()
		for _, t := range e.BizTransactionList {
			j.typed("bizTransaction", TermBizTransaction, t.Type, t.Value)
		}
		j.endArray()
	case fQuantityList, fChildQuantityList, fInputQuantityList, fOutputQuantityList:
		j.array()
		for i, q := range quantitiesOf(e, id) {
			j.quantity(i, q)
		}
		j.endArray()
	case fSourceList:
		j.array()
		for _, s := range e.SourceList {
			j.typed("source", TermSourceDest, s.Type, s.Value)
		}
		j.endArray()
	case fDestinationList:
		j.array()
		for _, s := range e.DestinationList {
			j.typed("destination", TermSourceDest, s.Type, s.Value)
		}
		j.endArray()
	case fSensorElementList:
		j.array()
		for i := range e.SensorElementList {
			j.sensor(i, &e.SensorElementList[i])
		}
		j.endArray()
	case fILMD:
		if e.Type == "ObjectEvent" && e.Action != "ADD" {
			j.refused("ilmd is only for the action ADD", "commission the items, or leave it out")
		}
		j.object()
		j.members(e.ILMD, func(string) bool { return false })
		j.endObject()
	case fParentID:
		j.writeURI(j.id(e.ParentID))
	case fEPCList, fChildEPCs, fInputEPCList, fOutputEPCList:
		j.array()
		for _, s := range epcsOf(e, id) {
			j.writeURI(j.id(s))
		}
		j.endArray()
	default: // no field
	}
	j.idsDone()
}

// term writes a standard value.
func (j *jsonWriter) term(kind TermKind, s string) {
	s = jsonTerm(kind, s)
	if !codeLists[kind].words[s] && !j.isURI(s) {
		j.refused(quote(s)+" is no value of the Core Business Vocabulary", "write a standard value, or a URI of your own")
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
			j.lost(quote(s)+" stands there twice; it was written once", "")
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
		j.writeURI(j.word(p.ID))
	} else {
		j.refused("the place has no id", "add it")
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
		j.refused("the type is missing", "add owning_party, possessing_party or location")
	}
	j.key(name)
	j.writeURI(j.word(value))
	j.endObject()
}

func (j *jsonWriter) quantity(i int, q Quantity) {
	j.inItem("quantityElement", i)
	defer j.out()
	j.object()
	j.key("epcClass")
	j.writeURI(j.word(q.EPCClass))
	if q.Quantity != "" {
		j.key("quantity")
		if n, ok := number(q.Quantity); ok {
			j.number(n)
		} else {
			j.refused(quote(q.Quantity)+" is no number", "write digits, with a point if needed")
			j.string(q.Quantity)
		}
	}
	if q.UOM != "" {
		if !isUOM(q.UOM) {
			j.refused(quote(q.UOM)+" is no unit of UN/CEFACT Recommendation 20", "write two or three capitals or digits, such as KGM")
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
		j.member("declarationTime", j.time(d.DeclarationTime, ""))
	} else {
		j.refused("declarationTime is missing", "say when the event was declared an error")
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
	j.inItem("sensorElement", i)
	defer j.out()
	j.object()
	if m := s.Metadata; m != nil {
		j.in("sensorMetadata")
		j.key("sensorMetadata")
		j.object()
		for _, name := range metadataFields {
			j.sensorField(name, *metadataField(m, name))
		}
		j.members(m.Extensions, func(key string) bool { return metadataField(m, key) != nil })
		j.endObject()
		j.out()
	}
	if len(s.Reports) == 0 {
		j.refused("the sensor element has no report", "add one")
	} else {
		j.key("sensorReport")
		j.array()
		for k := range s.Reports {
			r := &s.Reports[k]
			j.inItem("sensorReport", k)
			j.object()
			if r.Type == "" {
				j.refused("the report does not say what was measured", "add the type")
			}
			for _, name := range reportFields {
				j.sensorField(name, *reportField(r, name))
			}
			j.members(r.Extensions, func(key string) bool { return reportField(r, key) != nil })
			j.endObject()
			j.out()
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
	j.in(name)
	defer j.out()
	switch name {
	case "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue":
		switch n, ok := number(s); {
		case ok:
			j.key(name)
			j.number(n)
		case strings.Trim(strings.Trim(s, blank), "+-") == "INF" || strings.Trim(s, blank) == "NaN":
			j.lost(quote(s)+" is no number in JSON; it was left out", "")
		default:
			j.refused(quote(s)+" is no number", "write a number")
			j.member(name, s)
		}
		return
	case "booleanValue":
		j.key(name)
		switch strings.Trim(s, blank) {
		case "true", "1":
			j.token(jsontext.True)
		case "false", "0":
			j.token(jsontext.False)
		default:
			j.refused(quote(s)+" is neither true nor false", "write true or false")
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
		j.writeURI(j.id(s))
		j.idsDone()
	case "time", "startTime", "endTime":
		j.string(j.time(s, ""))
	case "stringValue", "uom":
		j.string(s)
	case "hexBinaryValue":
		if strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 || !isHex(byte(r)) }) >= 0 {
			j.refused(quote(s)+" is no hexadecimal number", "write digits and the letters A to F")
		}
		j.string(s)
	default:
		j.writeURI(s)
	}
}
