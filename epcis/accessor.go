package epcis

import "strings"

// present reports whether a field has anything to write.
func present(e *Event, id fieldID) bool {
	switch id {
	case fEventTime:
		return e.EventTime != ""
	case fRecordTime:
		return e.RecordTime != ""
	case fEventTimeZoneOffset:
		return e.EventTimeZoneOffset != ""
	case fEventID:
		return e.EventID != ""
	case fErrorDeclaration:
		return e.ErrorDeclaration != nil
	case fCertificationInfo:
		return len(e.CertificationInfo) > 0
	case fAction:
		return e.Action != ""
	case fTransformationID:
		return e.TransformationID != ""
	case fBizStep:
		return e.BizStep != ""
	case fDisposition:
		return e.Disposition != ""
	case fPersistentDisposition:
		return e.PersistentDisposition != nil && len(e.PersistentDisposition.Set)+len(e.PersistentDisposition.Unset) > 0
	case fReadPoint:
		return e.ReadPoint != nil
	case fBizLocation:
		return e.BizLocation != nil
	case fBizTransactionList:
		return len(e.BizTransactionList) > 0
	case fQuantityList, fChildQuantityList, fInputQuantityList, fOutputQuantityList:
		return len(quantitiesOf(e, id)) > 0
	case fSourceList:
		return len(e.SourceList) > 0
	case fDestinationList:
		return len(e.DestinationList) > 0
	case fSensorElementList:
		return len(e.SensorElementList) > 0
	case fILMD:
		return len(e.ILMD) > 0
	case fParentID:
		return e.ParentID != ""
	case fEPCList, fChildEPCs, fInputEPCList, fOutputEPCList:
		return len(epcsOf(e, id)) > 0
	default:
		return false
	}
}

func quantitiesOf(e *Event, id fieldID) []Quantity {
	switch id {
	case fQuantityList:
		return e.QuantityList
	case fChildQuantityList:
		return e.ChildQuantityList
	case fInputQuantityList:
		return e.InputQuantityList
	case fOutputQuantityList:
		return e.OutputQuantityList
	default:
		return nil
	}
}

func epcsOf(e *Event, id fieldID) []string {
	switch id {
	case fEPCList:
		return e.EPCList
	case fChildEPCs:
		return e.ChildEPCs
	case fInputEPCList:
		return e.InputEPCList
	case fOutputEPCList:
		return e.OutputEPCList
	default:
		return nil
	}
}

// metadataField returns the field of an attribute of sensorMetadata, nil for one that the standard does not name.
func metadataField(m *SensorMetadata, name string) *string {
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

// reportField does the same for sensorReport.
func reportField(r *SensorReport, name string) *string {
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
	metadataFields = strings.Fields("time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules")
	reportFields   = strings.Fields(`type exception deviceID deviceMetadata rawData dataProcessingMethod bizRules time
		microorganism chemicalSubstance coordinateReferenceSystem value component stringValue booleanValue
		hexBinaryValue uriValue minValue maxValue meanValue sDev percRank percValue uom`)
)
