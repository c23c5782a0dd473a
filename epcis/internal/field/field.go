// Package field names the fields of an event and says what may stand where. Reading does not depend on it: a known field is read wherever it is found, in a wrapper or not,
// in any order. The tables tell which deviations to report, per event type and version, so a further version is a
// further table.
package field

import (
	"slices"
	"strconv"
	"strings"
)

// ID numbers the fields of an event.
type ID uint8

// The fields. Count is how many there are.
const (
	None ID = iota
	EventTime
	RecordTime
	EventTimeZoneOffset
	EventID
	ErrorDeclaration
	CertificationInfo
	Action
	TransformationID
	BizStep
	Disposition
	PersistentDisposition
	ReadPoint
	BizLocation
	BizTransactionList
	QuantityList
	ChildQuantityList
	InputQuantityList
	OutputQuantityList
	SourceList
	DestinationList
	SensorElementList
	ILMD
	EPCList
	ParentID
	ChildEPCs
	InputEPCList
	OutputEPCList
	EPCClass // of QuantityEvent
	Quantity // of QuantityEvent
	Count
)

// Names are the names of the fields.
var Names = [Count]string{
	EventTime: "eventTime", RecordTime: "recordTime", EventTimeZoneOffset: "eventTimeZoneOffset",
	EventID: "eventID", ErrorDeclaration: "errorDeclaration", CertificationInfo: "certificationInfo",
	Action: "action", TransformationID: "transformationID", BizStep: "bizStep", Disposition: "disposition",
	PersistentDisposition: "persistentDisposition", ReadPoint: "readPoint", BizLocation: "bizLocation",
	BizTransactionList: "bizTransactionList", QuantityList: "quantityList",
	ChildQuantityList: "childQuantityList", InputQuantityList: "inputQuantityList",
	OutputQuantityList: "outputQuantityList", SourceList: "sourceList", DestinationList: "destinationList",
	SensorElementList: "sensorElementList", ILMD: "ilmd", EPCList: "epcList", ParentID: "parentID",
	ChildEPCs: "childEPCs", InputEPCList: "inputEPCList", OutputEPCList: "outputEPCList",
	EPCClass: "epcClass", Quantity: "quantity",
}

// ItemNames are the elements of the list fields.
var ItemNames = [Count]string{
	BizTransactionList: "bizTransaction", QuantityList: "quantityElement", ChildQuantityList: "quantityElement",
	InputQuantityList: "quantityElement", OutputQuantityList: "quantityElement", SourceList: "source",
	DestinationList: "destination", SensorElementList: "sensorElement", EPCList: "epc", ChildEPCs: "epc",
	InputEPCList: "epc", OutputEPCList: "epc",
}

// IDs are the fields by name.
var IDs = func() map[string]ID {
	m := make(map[string]ID, Count)
	for id, name := range Names {
		if name != "" {
			m[name] = ID(id)
		}
	}
	return m
}()

// slot is where the schema wants a field.
type slot struct {
	Allowed bool
	Wrapper string // "", "baseExtension/", "extension/", "extension/extension/"
	Rank    int    // fields of lower rank come first
}

// Layout is the schema of one event type in one version.
type Layout struct {
	Name     string // as in XML
	Modelled string // Type in the model
	Wrapper  string // around the event in EventList
	Slots    [Count]slot
}

// Field orders of the 1.2 XSD. Fields newer than 1.2 go where GS1's own down-conversion puts them.
const (
	newer12 = " ee:sensorElementList ee:persistentDisposition ee:certificationInfo"
	base12  = "eventTime recordTime eventTimeZoneOffset b:eventID b:errorDeclaration "
	where   = " bizStep disposition readPoint bizLocation"
	base20  = "eventTime recordTime eventTimeZoneOffset eventID errorDeclaration certificationInfo "
	lists20 = " sourceList destinationList sensorElementList persistentDisposition"
)

func makeLayout(name, wrapper, order string) *Layout {
	l := &Layout{Name: name, Modelled: name, Wrapper: wrapper}
	rank := 0
	for f := range strings.FieldsSeq(order) {
		s := slot{Allowed: true}
		prefix, field, ok := strings.Cut(f, ":")
		if !ok {
			prefix, field = "", f
		}
		switch prefix {
		case "b":
			s.Wrapper = "baseExtension/"
		case "e":
			s.Wrapper = "extension/"
		case "ee":
			s.Wrapper = "extension/extension/"
		}
		if prefix != "ee" { // no schema orders what stands deeper
			rank++
		}
		s.Rank = rank
		id, known := IDs[field]
		if !known {
			panic("epcis: layout names an unknown field " + field)
		}
		l.Slots[id] = s
	}
	return l
}

type layoutKey struct {
	version int
	name    string
}

var layouts = func() map[layoutKey]*Layout {
	association := "parentID childEPCs childQuantityList action" + where + " bizTransactionList" + lists20
	transformation := "inputEPCList inputQuantityList outputEPCList outputQuantityList transformationID" + where +
		" bizTransactionList"
	m := map[layoutKey]*Layout{}
	add := func(version int, l *Layout) { m[layoutKey{version, l.Name}] = l }

	add(1, makeLayout("ObjectEvent", "", base12+"epcList action"+where+
		" bizTransactionList e:quantityList e:sourceList e:destinationList e:ilmd"+newer12))
	add(1, makeLayout("AggregationEvent", "", base12+"parentID childEPCs action"+where+
		" bizTransactionList e:childQuantityList e:sourceList e:destinationList"+newer12))
	add(1, makeLayout("TransactionEvent", "", base12+"bizTransactionList parentID epcList action"+where+
		" e:quantityList e:sourceList e:destinationList"+newer12))
	add(1, makeLayout("TransformationEvent", "extension/", base12+transformation+
		" sourceList destinationList ilmd"+strings.ReplaceAll(newer12, "ee:", "e:")))
	// AssociationEvent is no part of 1.2, so neither is an order of its fields: see place in
	// package epcisxml.
	add(1, makeLayout("AssociationEvent", "extension/extension/", base12+"certificationInfo "+association))
	quantity := makeLayout("QuantityEvent", "", base12+"epcClass quantity"+where+" bizTransactionList")
	quantity.Modelled = "ObjectEvent"
	add(1, quantity)

	add(2, makeLayout("ObjectEvent", "", base20+"epcList action"+where+" bizTransactionList quantityList"+lists20+" ilmd"))
	add(2, makeLayout("AggregationEvent", "", base20+"parentID childEPCs action"+where+
		" bizTransactionList childQuantityList"+lists20))
	add(2, makeLayout("TransactionEvent", "", base20+"bizTransactionList parentID epcList action"+where+" quantityList"+lists20))
	add(2, makeLayout("TransformationEvent", "", base20+transformation+lists20+" ilmd"))
	add(2, makeLayout("AssociationEvent", "", base20+association))
	return m
}()

// Path is the path of a field in an event, or of one item of a list field, from 0; -1 for the
// field.
func Path(id ID, item int) string {
	if item < 0 || ItemNames[id] == "" {
		return Names[id]
	}
	return Names[id] + "/" + ItemNames[id] + "[" + strconv.Itoa(item+1) + "]"
}

// IsMember reports whether a name is a member of an event in JSON.
func IsMember(name string) bool {
	id, ok := IDs[name]
	return ok && id < EPCClass || name == "type"
}

type orderKey struct {
	layout  *Layout
	wrapper string
}

// orders are the fields that stand in a wrapper of an event, in the order of the schema.
var orders = func() map[orderKey][]ID {
	m := map[orderKey][]ID{}
	for _, l := range layouts {
		for id := EventTime; id < EPCClass; id++ {
			if l.Slots[id].Allowed {
				key := orderKey{l, l.Slots[id].Wrapper}
				m[key] = append(m[key], id)
			}
		}
	}
	for key, ids := range m {
		slices.SortStableFunc(ids, func(a, b ID) int { return key.layout.Slots[a].Rank - key.layout.Slots[b].Rank })
	}
	return m
}()

// Order returns the fields that stand in a wrapper of an event, in the order of the schema.
func Order(l *Layout, wrapper string) []ID { return orders[orderKey{l, wrapper}] }

// LayoutOf returns the layout of an event type, as XML names it, in version 1 or 2 of EPCIS; nil
// when the version has no such type.
func LayoutOf(version int, name string) *Layout { return layouts[layoutKey{version, name}] }
