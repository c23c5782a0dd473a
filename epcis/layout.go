package epcis

import (
	"slices"
	"strconv"
	"strings"
)

// What may stand where. Reading does not depend on it: a known field is read wherever it is found, in a wrapper or not,
// in any order. The tables tell which deviations to report, per event type and version, so a further version is a
// further table.

type fieldID uint8

const (
	fNone fieldID = iota
	fEventTime
	fRecordTime
	fEventTimeZoneOffset
	fEventID
	fErrorDeclaration
	fCertificationInfo
	fAction
	fTransformationID
	fBizStep
	fDisposition
	fPersistentDisposition
	fReadPoint
	fBizLocation
	fBizTransactionList
	fQuantityList
	fChildQuantityList
	fInputQuantityList
	fOutputQuantityList
	fSourceList
	fDestinationList
	fSensorElementList
	fILMD
	fEPCList
	fParentID
	fChildEPCs
	fInputEPCList
	fOutputEPCList
	fEPCClass // of QuantityEvent
	fQuantity // of QuantityEvent
	numFields
)

var fieldNames = [numFields]string{
	fEventTime: "eventTime", fRecordTime: "recordTime", fEventTimeZoneOffset: "eventTimeZoneOffset",
	fEventID: "eventID", fErrorDeclaration: "errorDeclaration", fCertificationInfo: "certificationInfo",
	fAction: "action", fTransformationID: "transformationID", fBizStep: "bizStep", fDisposition: "disposition",
	fPersistentDisposition: "persistentDisposition", fReadPoint: "readPoint", fBizLocation: "bizLocation",
	fBizTransactionList: "bizTransactionList", fQuantityList: "quantityList",
	fChildQuantityList: "childQuantityList", fInputQuantityList: "inputQuantityList",
	fOutputQuantityList: "outputQuantityList", fSourceList: "sourceList", fDestinationList: "destinationList",
	fSensorElementList: "sensorElementList", fILMD: "ilmd", fEPCList: "epcList", fParentID: "parentID",
	fChildEPCs: "childEPCs", fInputEPCList: "inputEPCList", fOutputEPCList: "outputEPCList",
	fEPCClass: "epcClass", fQuantity: "quantity",
}

// itemNames are the elements of the list fields.
var itemNames = [numFields]string{
	fBizTransactionList: "bizTransaction", fQuantityList: "quantityElement", fChildQuantityList: "quantityElement",
	fInputQuantityList: "quantityElement", fOutputQuantityList: "quantityElement", fSourceList: "source",
	fDestinationList: "destination", fSensorElementList: "sensorElement", fEPCList: "epc", fChildEPCs: "epc",
	fInputEPCList: "epc", fOutputEPCList: "epc",
}

var fieldIDs = func() map[string]fieldID {
	m := make(map[string]fieldID, numFields)
	for id, name := range fieldNames {
		if name != "" {
			m[name] = fieldID(id)
		}
	}
	return m
}()

// slot is where the schema wants a field.
type slot struct {
	allowed bool
	wrapper string // "", "baseExtension/", "extension/", "extension/extension/"
	rank    int    // fields of lower rank come first
}

// layout is the schema of one event type in one version.
type layout struct {
	name     string // as in XML
	modelled string // Type in the model
	wrapper  string // around the event in EventList
	slots    [numFields]slot
}

// Field orders of the 1.2 XSD. Fields newer than 1.2 go where GS1's own down-conversion puts them.
const (
	newer12 = " ee:sensorElementList ee:persistentDisposition ee:certificationInfo"
	base12  = "eventTime recordTime eventTimeZoneOffset b:eventID b:errorDeclaration "
	where   = " bizStep disposition readPoint bizLocation"
	base20  = "eventTime recordTime eventTimeZoneOffset eventID errorDeclaration certificationInfo "
	lists20 = " sourceList destinationList sensorElementList persistentDisposition"
)

func makeLayout(name, wrapper, order string) *layout {
	l := &layout{name: name, modelled: name, wrapper: wrapper}
	rank := 0
	for f := range strings.FieldsSeq(order) {
		s := slot{allowed: true}
		prefix, field, ok := strings.Cut(f, ":")
		if !ok {
			prefix, field = "", f
		}
		switch prefix {
		case "b":
			s.wrapper = "baseExtension/"
		case "e":
			s.wrapper = "extension/"
		case "ee":
			s.wrapper = "extension/extension/"
		}
		if prefix != "ee" { // no schema orders what stands deeper
			rank++
		}
		s.rank = rank
		id, known := fieldIDs[field]
		if !known {
			panic("epcis: layout names an unknown field " + field)
		}
		l.slots[id] = s
	}
	return l
}

type layoutKey struct {
	version int
	name    string
}

var layouts = func() map[layoutKey]*layout {
	association := "parentID childEPCs childQuantityList action" + where + " bizTransactionList" + lists20
	transformation := "inputEPCList inputQuantityList outputEPCList outputQuantityList transformationID" + where +
		" bizTransactionList"
	m := map[layoutKey]*layout{}
	add := func(version int, l *layout) { m[layoutKey{version, l.name}] = l }

	add(1, makeLayout("ObjectEvent", "", base12+"epcList action"+where+
		" bizTransactionList e:quantityList e:sourceList e:destinationList e:ilmd"+newer12))
	add(1, makeLayout("AggregationEvent", "", base12+"parentID childEPCs action"+where+
		" bizTransactionList e:childQuantityList e:sourceList e:destinationList"+newer12))
	add(1, makeLayout("TransactionEvent", "", base12+"bizTransactionList parentID epcList action"+where+
		" e:quantityList e:sourceList e:destinationList"+newer12))
	add(1, makeLayout("TransformationEvent", "extension/", base12+transformation+
		" sourceList destinationList ilmd"+strings.ReplaceAll(newer12, "ee:", "e:")))
	// AssociationEvent is no part of 1.2, so neither is an order of its fields: see parser.place.
	add(1, makeLayout("AssociationEvent", "extension/extension/", base12+"certificationInfo "+association))
	quantity := makeLayout("QuantityEvent", "", base12+"epcClass quantity"+where+" bizTransactionList")
	quantity.modelled = "ObjectEvent"
	add(1, quantity)

	add(2, makeLayout("ObjectEvent", "", base20+"epcList action"+where+" bizTransactionList quantityList"+lists20+" ilmd"))
	add(2, makeLayout("AggregationEvent", "", base20+"parentID childEPCs action"+where+
		" bizTransactionList childQuantityList"+lists20))
	add(2, makeLayout("TransactionEvent", "", base20+"bizTransactionList parentID epcList action"+where+" quantityList"+lists20))
	add(2, makeLayout("TransformationEvent", "", base20+transformation+lists20+" ilmd"))
	add(2, makeLayout("AssociationEvent", "", base20+association))
	return m
}()

func itemPath(id fieldID, item int) string {
	if item < 0 || itemNames[id] == "" {
		return fieldNames[id]
	}
	return fieldNames[id] + "/" + itemNames[id] + "[" + strconv.Itoa(item+1) + "]"
}

// isMember reports whether a name is a member of an event in JSON.
func isMember(name string) bool {
	id, ok := fieldIDs[name]
	return ok && id < fEPCClass || name == "type"
}

type orderKey struct {
	layout  *layout
	wrapper string
}

// orders are the fields that stand in a wrapper of an event, in the order of the schema.
var orders = func() map[orderKey][]fieldID {
	m := map[orderKey][]fieldID{}
	for _, l := range layouts {
		for id := fEventTime; id < fEPCClass; id++ {
			if l.slots[id].allowed {
				key := orderKey{l, l.slots[id].wrapper}
				m[key] = append(m[key], id)
			}
		}
	}
	for key, ids := range m {
		slices.SortStableFunc(ids, func(a, b fieldID) int { return key.layout.slots[a].rank - key.layout.slots[b].rank })
	}
	return m
}()

func order(l *layout, wrapper string) []fieldID { return orders[orderKey{l, wrapper}] }

// layoutOf returns the layout of an event type, as XML names it, in version 1 or 2 of EPCIS; nil when the version has no such type.
func layoutOf(version int, name string) *layout { return layouts[layoutKey{version, name}] }
