package epcis

import "strings"

// Present reports whether a field has anything to write.
func Present(e *Event, id ID) bool {
	switch id {
	case EventTime:
		return e.EventTime != ""
	case RecordTime:
		return e.RecordTime != ""
	case EventTimeZoneOffset:
		return e.EventTimeZoneOffset != ""
	case EventID:
		return e.EventID != ""
	case fErrorDeclaration:
		return e.ErrorDeclaration != nil
	case CertificationInfo:
		return len(e.CertificationInfo) > 0
	case Action:
		return e.Action != ""
	case TransformationID:
		return e.TransformationID != ""
	case fBizStep:
		return e.BizStep != ""
	case fDisposition:
		return e.Disposition != ""
	case fPersistentDisposition:
		return e.PersistentDisposition != nil && len(e.PersistentDisposition.Set)+len(e.PersistentDisposition.Unset) > 0
	case ReadPoint:
		return e.ReadPoint != nil
	case BizLocation:
		return e.BizLocation != nil
	case BizTransactionList:
		return len(e.BizTransactionList) > 0
	case QuantityList, ChildQuantityList, InputQuantityList, OutputQuantityList:
		return len(Quantities(e, id)) > 0
	case SourceList:
		return len(e.SourceList) > 0
	case DestinationList:
		return len(e.DestinationList) > 0
	case SensorElementList:
		return len(e.SensorElementList) > 0
	case ILMD:
		return len(e.ILMD) > 0
	case ParentID:
		return e.ParentID != ""
	case EPCList, ChildEPCs, InputEPCList, OutputEPCList:
		return len(EPCs(e, id)) > 0
	default:
		return false
	}
}

func Quantities(e *Event, id ID) []Quantity {
	switch id {
	case QuantityList:
		return e.QuantityList
	case ChildQuantityList:
		return e.ChildQuantityList
	case InputQuantityList:
		return e.InputQuantityList
	case OutputQuantityList:
		return e.OutputQuantityList
	default:
		return nil
	}
}

func EPCs(e *Event, id ID) []string {
	switch id {
	case EPCList:
		return e.EPCList
	case ChildEPCs:
		return e.ChildEPCs
	case InputEPCList:
		return e.InputEPCList
	case OutputEPCList:
		return e.OutputEPCList
	default:
		return nil
	}
}

// MetadataField returns the field of an attribute of sensorMetadata, nil for one that the standard does not name.
func MetadataField(m *SensorMetadata, name string) *string {
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
func ReportField(r *SensorReport, name string) *string {
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

// sensorFields are the attributes of both, in the order of GS1's examples.
var (
	MetadataFields = strings.Fields("time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules")
	ReportFields   = strings.Fields(`type exception deviceID deviceMetadata rawData dataProcessingMethod bizRules time
		microorganism chemicalSubstance coordinateReferenceSystem value component stringValue booleanValue
		hexBinaryValue uriValue minValue maxValue meanValue sDev percRank percValue uom`)
)
