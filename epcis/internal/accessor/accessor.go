// Package accessor reaches the parts of an event by the number or name of their field.
package accessor

import (
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/field"
)

// Present reports whether a field has anything to write.
func Present(e *epcis.Event, id field.ID) bool {
	switch id {
	case field.EventTime:
		return e.EventTime != ""
	case field.RecordTime:
		return e.RecordTime != ""
	case field.EventTimeZoneOffset:
		return e.EventTimeZoneOffset != ""
	case field.EventID:
		return e.EventID != ""
	case field.ErrorDeclaration:
		return e.ErrorDeclaration != nil
	case field.CertificationInfo:
		return len(e.CertificationInfo) > 0
	case field.Action:
		return e.Action != ""
	case field.TransformationID:
		return e.TransformationID != ""
	case field.BizStep:
		return e.BizStep != ""
	case field.Disposition:
		return e.Disposition != ""
	case field.PersistentDisposition:
		return e.PersistentDisposition != nil && len(e.PersistentDisposition.Set)+len(e.PersistentDisposition.Unset) > 0
	case field.ReadPoint:
		return e.ReadPoint != nil
	case field.BizLocation:
		return e.BizLocation != nil
	case field.BizTransactionList:
		return len(e.BizTransactionList) > 0
	case field.QuantityList, field.ChildQuantityList, field.InputQuantityList, field.OutputQuantityList:
		return len(Quantities(e, id)) > 0
	case field.SourceList:
		return len(e.SourceList) > 0
	case field.DestinationList:
		return len(e.DestinationList) > 0
	case field.SensorElementList:
		return len(e.SensorElementList) > 0
	case field.ILMD:
		return len(e.ILMD) > 0
	case field.ParentID:
		return e.ParentID != ""
	case field.EPCList, field.ChildEPCs, field.InputEPCList, field.OutputEPCList:
		return len(EPCs(e, id)) > 0
	default:
		return false
	}
}

// Quantities is a list of quantities of an event, nil for another field.
func Quantities(e *epcis.Event, id field.ID) []epcis.Quantity {
	switch id {
	case field.QuantityList:
		return e.QuantityList
	case field.ChildQuantityList:
		return e.ChildQuantityList
	case field.InputQuantityList:
		return e.InputQuantityList
	case field.OutputQuantityList:
		return e.OutputQuantityList
	default:
		return nil
	}
}

// EPCs is a list of EPCs of an event, nil for another field.
func EPCs(e *epcis.Event, id field.ID) []string {
	switch id {
	case field.EPCList:
		return e.EPCList
	case field.ChildEPCs:
		return e.ChildEPCs
	case field.InputEPCList:
		return e.InputEPCList
	case field.OutputEPCList:
		return e.OutputEPCList
	default:
		return nil
	}
}

// MetadataField returns the field of an attribute of sensorMetadata, nil for one that the standard
// does not name.
func MetadataField(m *epcis.SensorMetadata, name string) *string {
	switch name {
	case "time":
		return &m.Time
	case "startTime":
		return &m.StartTime
	case "endTime":
		return &m.EndTime
	case "deviceID":
		return &m.DeviceID
	case "deviceMetadata":
		return &m.DeviceMetadata
	case "rawData":
		return &m.RawData
	case "dataProcessingMethod":
		return &m.DataProcessingMethod
	case "bizRules":
		return &m.BizRules
	}
	return nil
}

// ReportField does the same for sensorReport.
func ReportField(r *epcis.SensorReport, name string) *string {
	switch name {
	case "type":
		return &r.Type
	case "exception":
		return &r.Exception
	case "deviceID":
		return &r.DeviceID
	case "deviceMetadata":
		return &r.DeviceMetadata
	case "rawData":
		return &r.RawData
	case "dataProcessingMethod":
		return &r.DataProcessingMethod
	case "bizRules":
		return &r.BizRules
	case "time":
		return &r.Time
	case "microorganism":
		return &r.Microorganism
	case "chemicalSubstance":
		return &r.ChemicalSubstance
	case "coordinateReferenceSystem":
		return &r.CoordinateReferenceSystem
	case "value":
		return &r.Value
	case "component":
		return &r.Component
	case "stringValue":
		return &r.StringValue
	case "booleanValue":
		return &r.BooleanValue
	case "hexBinaryValue":
		return &r.HexBinaryValue
	case "uriValue":
		return &r.URIValue
	case "minValue":
		return &r.MinValue
	case "maxValue":
		return &r.MaxValue
	case "meanValue":
		return &r.MeanValue
	case "sDev":
		return &r.SDev
	case "percRank":
		return &r.PercRank
	case "percValue":
		return &r.PercValue
	case "uom":
		return &r.UOM
	}
	return nil
}

// The attributes of both, in the order of GS1's examples.
var (
	MetadataFields = strings.Fields("time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules")
	ReportFields   = strings.Fields(`type exception deviceID deviceMetadata rawData dataProcessingMethod bizRules time
		microorganism chemicalSubstance coordinateReferenceSystem value component stringValue booleanValue
		hexBinaryValue uriValue minValue maxValue meanValue sDev percRank percValue uom`)
)
