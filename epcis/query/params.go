package query

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/jsonld"
)

// Type says what values a parameter takes.
type Type string

// The types. In a URL everything is text; the words say what it must look like.
const (
	TypeTexts   Type = "list of texts"
	TypeTime    Type = "time"            // with a zone
	TypeNumbers Type = "list of numbers" // or one
	TypeNumber  Type = "number"
	TypeInteger Type = "integer" // above 0
	TypeBoolean Type = "boolean"
	TypeFlag    Type = "flag"                         // true; false asks for nothing
	TypeValue   Type = "list of texts, or a number"   // of an extension field
	TypeBound   Type = "number, time or date"         // of an extension field
	TypeOrder   Type = "name of a field or a keyword" // orderBy, orderDirection
)

// Parameter describes a parameter, or a family of parameters.
type Parameter struct {
	Name    string // of a family with {type}, {uom}, {field} or {attribute} where the name goes on
	Ops     string // of a family: what may stand for the EQ_ in Name, for example "EQ GT GE LT LE"; "" for Name alone
	Type    Type
	Doc     string
	Example string // a parameter and a value, as in a URL but not escaped
}

// A definition is a parameter with what it does.
type definition struct {
	Parameter
	also  string // another spelling in official files
	build func(p *parser, v *value) (*cond, *Error)
}

// A resolved parameter: its canonical name and what to do with its value.
type resolved struct {
	name  string
	typ   Type
	build func(p *parser, v *value) (*cond, *Error)
}

func nothing(*parser, *value) (*cond, *Error) { return nil, nil }

// definitions are the parameters with a fixed name, in the order of the standard.
var definitions = []definition{
	def("eventType", TypeTexts, "ObjectEvent|AggregationEvent", "Events of one of these types.", words(vocEvent, EventType, func(e *epcis.Event) string { return e.Type })),
	def("GE_eventTime", TypeTime, "2026-11-20T00:00:00Z", "Events that happened at this time or later.", nothing),
	def("LT_eventTime", TypeTime, "2026-11-21T00:00:00Z", "Events that happened before this time.", nothing),
	def("GE_recordTime", TypeTime, "2026-11-20T00:00:00Z", "Events recorded by the ledger at this time or later.", nothing),
	def("LT_recordTime", TypeTime, "2026-11-21T00:00:00Z", "Events recorded by the ledger before this time.", nothing),
	def("EQ_action", TypeTexts, "ADD|OBSERVE", "Events with one of these actions: ADD, OBSERVE, DELETE.", action),
	def("EQ_bizStep", TypeTexts, "shipping|receiving", "Events with one of these business steps: words of CBV, or URIs.", words(vocStep, BizStep, func(e *epcis.Event) string { return e.BizStep })),
	def("EQ_disposition", TypeTexts, "in_transit", "Events with one of these dispositions: words of CBV, or URIs.", words(vocDisp, Disposition, func(e *epcis.Event) string { return e.Disposition })),
	def("EQ_persistentDisposition_set", TypeTexts, "completeness_verified", "Events that set one of these persistent dispositions.", eachWord(vocDisp, "", func(e *epcis.Event, has func(string) bool) bool {
		return e.PersistentDisposition != nil && slices.ContainsFunc(e.PersistentDisposition.Set, has)
	})),
	def("EQ_persistentDisposition_unset", TypeTexts, "completeness_inferred", "Events that unset one of these persistent dispositions.", eachWord(vocDisp, "", func(e *epcis.Event, has func(string) bool) bool {
		return e.PersistentDisposition != nil && slices.ContainsFunc(e.PersistentDisposition.Unset, has)
	})),
	def("EQ_readPoint", TypeTexts, "urn:epc:id:sgln:0614141.07346.1234", "Events read at one of these read points.", place(ReadPoint, readPoint, false)),
	def("WD_readPoint", TypeTexts, "urn:epc:id:sgln:0614141.07346.0", "Events read at one of these read points or, by master data, at a place within one of them.", place(ReadPoint, readPoint, true)),
	def("EQ_bizLocation", TypeTexts, "https://id.gs1.org/414/0614141073467", "Events after which the objects are at one of these places.", place(BizLocation, bizLocation, false)),
	def("WD_bizLocation", TypeTexts, "https://id.gs1.org/414/0614141073467", "Events after which the objects are at one of these places or, by master data, at a place within one of them.", place(BizLocation, bizLocation, true)),
	def("EQ_transformationID", TypeTexts, "urn:epc:id:gdti:0614141.12345.400", "Transformations with one of these identifiers.", ids(TransformationID, func(e *epcis.Event, has func(string) bool) bool { return has(e.TransformationID) })),
	def("MATCH_epc", TypeTexts, "urn:epc:id:sgtin:0614141.107346.2018|urn:epc:idpat:sgtin:4012345.*.*", "Events whose epcList or childEPCs name one of these objects, or an object of one of these classes or patterns.", match(epcs)),
	def("MATCH_parentID", TypeTexts, "urn:epc:id:sscc:0614141.1234567890", "Events whose parentID is one of these objects, or matches a pattern.", match(parents)),
	def("MATCH_inputEPC", TypeTexts, "urn:epc:id:sgtin:4012345.011122.25", "Transformations whose inputEPCList names one of these objects, classes or patterns.", match(inputs)),
	def("MATCH_outputEPC", TypeTexts, "urn:epc:id:sgtin:4012345.077889.25", "Transformations whose outputEPCList names one of these objects, classes or patterns.", match(outputs)),
	def("MATCH_anyEPC", TypeTexts, "https://id.gs1.org/01/10614141073464/21/2018", "Events that name one of these objects, classes or patterns in any list of EPCs, parentID included.", match(epcs|parents|inputs|outputs)),
	def("MATCH_epcClass", TypeTexts, "urn:epc:class:lgtin:4012345.012345.998877", "Events whose quantityList or childQuantityList names one of these classes or patterns.", match(classes)),
	def("MATCH_inputEPCClass", TypeTexts, "urn:epc:class:lgtin:4012345.011111.4444", "Transformations whose inputQuantityList names one of these classes or patterns.", match(inputClasses)),
	def("MATCH_outputEPCClass", TypeTexts, "https://id.gs1.org/01/04012345111118", "Transformations whose outputQuantityList names one of these classes or patterns.", match(outputClasses)),
	def("MATCH_anyEPCClass", TypeTexts, "urn:epc:idpat:sgtin:4012345.012345.*", "Events that name one of these classes or patterns in any quantity list.", match(classes|inputClasses|outputClasses)),
	def("EQ_eventID", TypeTexts, "urn:uuid:b99d9099-2a3c-4d8e-8b5f-2f2b7b2f7b11", "Events with one of these event IDs. An event without one is found by its hash ID.", eventIDs),
	def("EXISTS_errorDeclaration", TypeFlag, "true", "Events that withdraw an event: those with an error declaration.", feature(FeatureError, func(e *epcis.Event) bool { return e.ErrorDeclaration != nil })),
	also("GE_errorDeclaration_Time", def("GE_errorDeclarationTime", TypeTime, "2026-11-20T00:00:00Z", "Error declarations made at this time or later.", declared(opGE))),
	also("LT_errorDeclaration_Time", def("LT_errorDeclarationTime", TypeTime, "2026-11-21T00:00:00Z", "Error declarations made before this time.", declared(opLT))),
	def("EQ_errorReason", TypeTexts, "did_not_occur", "Error declarations with one of these reasons: words of CBV, or URIs.", eachWord(vocReason, FeatureError, func(e *epcis.Event, has func(string) bool) bool {
		return e.ErrorDeclaration != nil && has(e.ErrorDeclaration.Reason)
	})),
	def("EQ_correctiveEventID", TypeTexts, "urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8", "Error declarations that name one of these events as the corrected one.", corrective),
	def("EXISTS_sensorElementList", TypeFlag, "true", "Events with sensor data.", feature(FeatureSensor, func(e *epcis.Event) bool { return len(e.SensorElementList) > 0 })),
	def("GE_time", TypeTime, "2026-11-20T00:00:00Z", "Events with sensor data taken at this time or later (time of the metadata or of a report).", sensorTime(opGE, sensorTimes)),
	def("LT_time", TypeTime, "2026-11-21T00:00:00Z", "Events with sensor data taken before this time.", sensorTime(opLT, sensorTimes)),
	def("GE_startTime", TypeTime, "2026-11-20T00:00:00Z", "Events whose sensor data begins at this time or later.", sensorTime(opGE, metadataOnly(func(m *epcis.SensorMetadata) string { return m.StartTime }))),
	def("LT_startTime", TypeTime, "2026-11-21T00:00:00Z", "Events whose sensor data begins before this time.", sensorTime(opLT, metadataOnly(func(m *epcis.SensorMetadata) string { return m.StartTime }))),
	def("GE_endTime", TypeTime, "2026-11-20T00:00:00Z", "Events whose sensor data ends at this time or later.", sensorTime(opGE, metadataOnly(func(m *epcis.SensorMetadata) string { return m.EndTime }))),
	def("LT_endTime", TypeTime, "2026-11-21T00:00:00Z", "Events whose sensor data ends before this time.", sensorTime(opLT, metadataOnly(func(m *epcis.SensorMetadata) string { return m.EndTime }))),
	def("EQ_type", TypeTexts, "Temperature", "Events with a sensor report of one of these measurement types: words of the GS1 Web Vocabulary, or URIs.", eachWord(vocType, FeatureSensor, reports(func(r *epcis.SensorReport) string { return r.Type }))),
	def("EQ_deviceID", TypeTexts, "urn:epc:id:giai:4000001.111", "Events with sensor data of one of these devices.", ids("", both(func(m *epcis.SensorMetadata) string { return m.DeviceID }, func(r *epcis.SensorReport) string { return r.DeviceID }))),
	def("EQ_dataProcessingMethod", TypeTexts, "https://example.com/253/4012345000054987", "Events with sensor data processed by one of these methods.", ids("", both(func(m *epcis.SensorMetadata) string { return m.DataProcessingMethod }, func(r *epcis.SensorReport) string { return r.DataProcessingMethod }))),
	def("EQ_microorganism", TypeTexts, "https://www.ncbi.nlm.nih.gov/taxonomy/1126011", "Events with a sensor report on one of these microorganisms.", ids("", reports(func(r *epcis.SensorReport) string { return r.Microorganism }))),
	def("EQ_chemicalSubstance", TypeTexts, "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N", "Events with a sensor report on one of these substances.", ids("", reports(func(r *epcis.SensorReport) string { return r.ChemicalSubstance }))),
	def("EQ_bizRules", TypeTexts, "https://example.com/253/4012345000054987", "Events with sensor data that follows one of these rules.", ids("", both(func(m *epcis.SensorMetadata) string { return m.BizRules }, func(r *epcis.SensorReport) string { return r.BizRules }))),
	def("EQ_stringValue", TypeTexts, "OK", "Events with a sensor report of one of these texts.", texts(trim, reports(func(r *epcis.SensorReport) string { return r.StringValue }))),
	def("EQ_booleanValue", TypeBoolean, "true", "Events with a sensor report of this truth value.", boolean),
	def("EQ_hexBinaryValue", TypeTexts, "f0f0f0", "Events with a sensor report of one of these binary values; upper and lower case are equal.", texts(hexadecimal, reports(func(r *epcis.SensorReport) string { return r.HexBinaryValue }))),
	def("EQ_uriValue", TypeTexts, "https://id.example.com/value", "Events with a sensor report of one of these URIs.", ids("", reports(func(r *epcis.SensorReport) string { return r.URIValue }))),
	def("orderBy", TypeOrder, "eventTime", "The order of the result: eventTime, recordTime, or an extension field, written as in EQ_{field}.", nil),
	def("orderDirection", TypeOrder, "ASC", "ASC for smallest and oldest first, DESC (the default) for largest and newest first.", direction),
	def("eventCountLimit", TypeInteger, "1", "Only the first so many events, in the order of orderBy, which must be given.", nothing),
	def("maxEventCount", TypeInteger, "1000", "Refuse the query (QueryTooLargeException) when more events match. Not together with eventCountLimit.", nothing),
}

// families are the parameters whose name goes on.
var families = []Parameter{
	{"EQ_bizTransaction_{type}", "", TypeTexts, "Events with one of these business transactions of that type. The type is a word, usually of CBV, or a URI.", "EQ_bizTransaction_po=urn:epcglobal:cbv:bt:0614141073467:1152"},
	{"EQ_source_{type}", "", TypeTexts, "Events with one of these sources of that type: owning_party, possessing_party, location, or a URI.", "EQ_source_possessing_party=urn:epc:id:pgln:4012345.00001"},
	{"EQ_destination_{type}", "", TypeTexts, "Events with one of these destinations of that type.", "EQ_destination_location=urn:epc:id:sgln:4012345.00001.0"},
	{"EQ_quantity", "EQ GT GE LT LE", TypeNumbers, "events that count something in this quantity, in whatever unit.", "GE_quantity=200"},
	{"EQ_quantity_{uom}", "EQ GT GE LT LE", TypeNumbers, "Events that count something in this quantity of exactly this unit (UN/CEFACT Rec. 20); units are not converted. EQ takes a list, the others one number.", "GE_quantity_KGM=200.5"},
	{"EQ_value_{uom}", "EQ GT GE LT LE", TypeNumbers, "Events with a sensor report of this value in exactly this unit; units are not converted.", "GE_value_CEL=8"},
	{"EQ_minValue_{uom}", "EQ GT GE LT LE", TypeNumbers, "The same of the lowest value of a report.", "LT_minValue_CEL=2"},
	{"EQ_maxValue_{uom}", "EQ GT GE LT LE", TypeNumbers, "The same of the highest value.", "GT_maxValue_CEL=8"},
	{"EQ_meanValue_{uom}", "EQ GT GE LT LE", TypeNumbers, "The same of the mean.", "GE_meanValue_CEL=5"},
	{"EQ_sDev_{uom}", "EQ GT GE LT LE", TypeNumbers, "The same of the standard deviation.", "GE_sDev_CEL=0.1"},
	{"EQ_percValue_{uom}", "EQ GT GE LT LE", TypeNumbers, "The same of the value of a percentile.", "GE_percValue_CEL=8"},
	{"EQ_percRank", "EQ GT GE LT LE", TypeNumbers, "events with a sensor report of this percentile rank.", "GE_percRank=50"},
	{"EQ_{field}", fieldOps, TypeValue, "Events with an extension field of this value at top level. {field} is prefix:name, or namespace#name. GT, GE, LT and LE take a number, a time or a date; EXISTS asks for a field that is not empty.", "EQ_gs1ushc:dropShipment=true"},
	{"EQ_INNER_{field}", fieldOps, TypeValue, "The same of an element or attribute at any depth inside an extension field. #name is one without a namespace.", "EQ_INNER_https://ns.example.com/epcis#innerField=5"},
	{"EQ_ILMD_{field}", fieldOps, TypeValue, "The same of the instance and lot master data.", "EQ_ILMD_cbvmda:lotNumber=A123"},
	{"EQ_INNER_ILMD_{field}", fieldOps, TypeValue, "The same at any depth inside a field of the instance and lot master data.", "GE_INNER_ILMD_cbvmda:measurementValue=3.5"},
	{"EQ_ERROR_DECLARATION_{field}", fieldOps, TypeValue, "The same of extensions of the error declaration.", "EXISTS_ERROR_DECLARATION_https://ns.example.com/epcis#ticket=true"},
	{"EQ_INNER_ERROR_DECLARATION_{field}", fieldOps, TypeValue, "The same at any depth inside them.", "EQ_INNER_ERROR_DECLARATION_https://ns.example.com/epcis#ticket=7"},
	{"EQ_readPoint_{field}", fieldOps, TypeValue, "The same of extensions of the read point.", "EQ_readPoint_https://ns.example.com/epcis#gate=7"},
	{"EQ_INNER_readPoint_{field}", fieldOps, TypeValue, "The same at any depth inside them.", "EQ_INNER_readPoint_https://ns.example.com/epcis#gate=7"},
	{"EQ_bizLocation_{field}", fieldOps, TypeValue, "The same of extensions of the business location.", "EQ_bizLocation_https://ns.example.com/epcis#room=7"},
	{"EQ_INNER_bizLocation_{field}", fieldOps, TypeValue, "The same at any depth inside them.", "EQ_INNER_bizLocation_https://ns.example.com/epcis#room=7"},
	{"EQ_SENSORELEMENT_{field}", fieldOps, TypeValue, "The same of extensions of a sensor element.", "GE_SENSORELEMENT_https://ns.example.com/epcis#measured=7"},
	{"EQ_INNER_SENSORELEMENT_{field}", fieldOps, TypeValue, "The same at any depth inside them.", "EQ_INNER_SENSORELEMENT_https://ns.example.com/epcis#measured=7"},
	{"EQ_SENSORMETADATA_{field}", fieldOps, TypeValue, "The same of extensions of sensor metadata.", "EQ_SENSORMETADATA_https://ns.example.com/epcis#shift=7"},
	{"EQ_INNER_SENSORMETADATA_{field}", fieldOps, TypeValue, "The same at any depth inside them.", "EQ_INNER_SENSORMETADATA_https://ns.example.com/epcis#shift=7"},
	{"EQ_SENSORREPORT_{field}", fieldOps, TypeValue, "The same of extensions of a sensor report.", "EXISTS_SENSORREPORT_https://ns.example.com/epcis#note=true"},
	{"EQ_INNER_SENSORREPORT_{field}", fieldOps, TypeValue, "The same at any depth inside them.", "EQ_INNER_SENSORREPORT_https://ns.example.com/epcis#note=7"},
	{"HASATTR_{field}", "", TypeTexts, "Events where the value of {field} has one of these attributes in master data. {field} is a standard field (bizLocation, readPoint, bizStep, disposition, bizTransaction, source, destination, epcClass, epc, parentID) or an extension field.", "HASATTR_bizLocation=cbvmda:countryCode"},
	{"EQATTR_{field}_{attribute}", "", TypeTexts, "Events where the value of {field} has this attribute in master data, with one of these values. Also written EQ_ATTR_.", "EQATTR_bizLocation_cbvmda:countryCode=US|CA"},
}

const fieldOps = "EQ GT GE LT LE EXISTS"

// Parameters documents every parameter: those with a fixed name, then the families, whose names have braces.
func Parameters() []Parameter {
	var list, open []Parameter
	for i := range definitions {
		list = append(list, definitions[i].Parameter)
	}
	for _, f := range families {
		if strings.Contains(f.Name, "{") {
			open = append(open, f)
			continue
		}
		rest := strings.TrimPrefix(f.Name, "EQ")
		_, value, _ := strings.Cut(f.Example, "=")
		for op := range strings.FieldsSeq(f.Ops) {
			p := Parameter{Name: op + rest, Type: TypeNumber, Doc: opDocs[op] + f.Doc, Example: op + rest + "=" + value}
			if op == "EQ" {
				p.Type = TypeNumbers
			}
			list = append(list, p)
		}
	}
	return append(list, open...)
}

var opDocs = map[string]string{"EQ": "Equal: ", "GT": "Greater: ", "GE": "Greater or equal: ", "LT": "Less: ", "LE": "Less or equal: "}

func def(name string, typ Type, example, doc string, build func(*parser, *value) (*cond, *Error)) definition {
	return definition{Parameter: Parameter{Name: name, Type: typ, Doc: doc, Example: name + "=" + example}, build: build}
}

func also(name string, d definition) definition {
	d.also = name
	return d
}

// fixed are the definitions by name; orderBy is left to the parser, because it reads fields.
var fixed = func() map[string]*definition {
	m := map[string]*definition{}
	for i := range definitions {
		m[definitions[i].Name] = &definitions[i]
		if definitions[i].also != "" {
			m[definitions[i].also] = &definitions[i]
		}
	}
	return m
}()

// resolve finds what a name means.
func (p *parser) resolve(name string) (resolved, *Error) {
	if name == "orderBy" {
		return resolved{name, TypeOrder, orderBy}, nil
	}
	if d, ok := fixed[name]; ok {
		return resolved{d.Name, d.Type, d.build}, nil
	}
	for _, f := range [...]struct {
		prefix string
		voc    *vocabulary
		build  func(kind string) func(*parser, *value) (*cond, *Error)
	}{
		{"EQ_bizTransaction_", vocBTT, bizTransaction},
		{"EQ_source_", vocSDT, source},
		{"EQ_destination_", vocSDT, destination},
	} {
		if kind, ok := strings.CutPrefix(name, f.prefix); ok {
			word, e := p.word(f.voc, kind)
			switch {
			case e == nil:
			case isName(kind) && (len(kind) < 5 || f.voc.nearest(kind) == ""):
				word = kind // the official schema has any word here; only what looks misspelt is refused
			default:
				return resolved{}, e
			}
			return resolved{f.prefix + word, TypeTexts, f.build(word)}, nil
		}
	}
	if rest, ok := strings.CutPrefix(name, "HASATTR_"); ok {
		at, e := p.attributed(rest)
		if e != nil {
			return resolved{}, e
		}
		return resolved{"HASATTR_" + at.name, TypeTexts, at.has}, nil
	}
	for _, prefix := range [...]string{"EQATTR_", "EQ_ATTR_"} {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		at, attribute, e := p.attribute(rest)
		if e != nil {
			return resolved{}, e
		}
		return resolved{"EQATTR_" + at.name + "_" + attribute, TypeTexts, at.equals(attribute)}, nil
	}
	for _, o := range [...]struct {
		op     op
		prefix string
	}{{opEQ, "EQ_"}, {opGT, "GT_"}, {opGE, "GE_"}, {opLT, "LT_"}, {opLE, "LE_"}, {opEXISTS, "EXISTS_"}} {
		if rest, ok := strings.CutPrefix(name, o.prefix); ok {
			return p.resolveOp(name, o.op, o.prefix, rest)
		}
	}
	return resolved{}, unknown(name)
}

func (p *parser) resolveOp(name string, o op, prefix, rest string) (resolved, *Error) {
	typ := TypeNumber
	if o == opEQ {
		typ = TypeNumbers
	}
	if o != opEXISTS {
		if rest == "quantity" {
			return resolved{name, typ, quantity(o, "")}, nil
		}
		if rest == "percRank" {
			return resolved{name, typ, measure(o, "", func(r *epcis.SensorReport) string { return r.PercRank })}, nil
		}
		if what, uom, ok := strings.Cut(rest, "_"); ok && isUnit(uom) {
			if what == "quantity" {
				return resolved{name, typ, quantity(o, uom)}, nil
			}
			if get := measures[what]; get != nil {
				return resolved{name, typ, measure(o, uom, get)}, nil
			}
		}
		if measures[rest] != nil {
			return resolved{}, &Error{Message: "is no parameter without a unit", Hint: "write " + name + "_CEL, with the unit code of the reports"}
		}
	}
	where, inner := rest, false
	if s, ok := strings.CutPrefix(rest, "INNER_"); ok {
		where, inner = s, true
	}
	in := inEvent
	for _, a := range areas {
		if s, ok := strings.CutPrefix(where, a.prefix); ok && a.prefix != "" {
			where, in = s, a.area
			break
		}
	}
	if !strings.ContainsAny(where, ":#") {
		return resolved{}, unknown(name)
	}
	f, e := p.field(where)
	if e != nil {
		return resolved{}, e
	}
	switch o {
	case opEQ:
		typ = TypeValue
	case opEXISTS:
		typ = TypeFlag
	default:
		typ = TypeBound
	}
	canonical := prefix
	if inner {
		canonical += "INNER_"
	}
	canonical += areas[in].prefix + f.String()
	return resolved{canonical, typ, extension(o, in, inner, f)}, nil
}

// isName reports whether s is a word by the official schema: a small letter, then letters, digits and _.
func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (i == 0 || (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_') {
			return false
		}
	}
	return s != ""
}

// isUnit reports whether s looks like a code of UN/CEFACT Rec. 20 (or 21).
func isUnit(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != "" && len(s) <= 5
}

// unknown is the error for a name that is none.
func unknown(name string) *Error {
	e := &Error{Message: "is not a parameter of EPCIS 2.0"}
	if near := epcis.Nearest(name, parameterNames); near != "" {
		e.Hint = "was " + near + " meant?"
	} else if strings.HasPrefix(name, "EQ_") || strings.HasPrefix(name, "EXISTS_") {
		e.Hint = "an extension field is written prefix:name or namespace#name"
	}
	return e
}

// parameterNames are the names to suggest. Where a family is asked with a type or unit, there is no nearest.
var parameterNames = func() (list []string) {
	for i := range definitions {
		list = append(list, definitions[i].Name)
	}
	for op := range strings.FieldsSeq("EQ GT GE LT LE") {
		list = append(list, op+"_quantity", op+"_percRank")
	}
	for _, word := range vocBTT.list() {
		list = append(list, "EQ_bizTransaction_"+word)
	}
	for _, word := range vocSDT.list() {
		list = append(list, "EQ_source_"+word, "EQ_destination_"+word)
	}
	return list
}()

// prefixes need no declaration, and neither do those of the JSON-LD context.
var prefixes = map[string]string{"cbvmda": epcis.NamespaceMDA, "gs1ushc": epcis.NamespaceHC}

func (p *parser) prefix(s string) (namespace string, ok bool) {
	if namespace, ok = p.ext[s]; ok {
		return namespace, true
	}
	if namespace, ok = prefixes[s]; ok {
		return namespace, true
	}
	namespace, ok = jsonld.Prefixes[s]
	return namespace, ok
}

// word reads a CBV value: a word that CBV has, or a URI. A URI of such a word becomes the word.
func (p *parser) word(v *vocabulary, s string) (string, *Error) {
	w := v.bare(s)
	if prefix, name, ok := strings.Cut(w, ":"); ok {
		if prefix == "" || name == "" {
			return "", &Error{Message: excerpt.Quote(s) + " is not a " + v.what, Hint: "write a word of the Core Business Vocabulary, or a URI"}
		}
		return w, nil
	}
	switch {
	case v.knows(w):
		return w, nil
	case strings.Contains(s, ":"): // a word that CBV has not, with its prefix: events with it may have been captured
		return s, nil
	}
	e := &Error{Message: excerpt.Quote(s) + " is not a " + v.what + " of the Core Business Vocabulary", Hint: "a value of your own is a URI"}
	if near := v.nearest(s); near != "" {
		e.Hint = "was " + near + " meant? A value of your own is a URI"
	}
	return "", e
}

// expand adds what names with a declared prefix stand for: in an event either may have been captured.
func (p *parser) expand(v *value) *Error {
	for _, s := range v.texts {
		if prefix, name, ok := strings.Cut(s, ":"); ok && !strings.HasPrefix(name, "//") && prefix != "urn" {
			if ns, ok := p.ext[prefix]; ok {
				v.texts = append(v.texts, ns+name)
				if len(v.texts) > MaxValues || len(ns)+len(name) > MaxText {
					return &Error{Message: "the list is too long with its prefixes written in full", Hint: "ask in parts", Kind: KindTooComplex}
				}
			}
		}
	}
	slices.Sort(v.texts)
	v.texts = slices.Compact(v.texts)
	return nil
}
