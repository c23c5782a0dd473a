package epcisjson

import (
	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/accessor"
	"verilot.dev/epcis/internal/field"
)

// sensorRules are what the schema asks of the members of sensorMetadata and sensorReport; what is not named here is a URI.
var sensorRules = map[string]rule{
	"time": ruleTime, "startTime": ruleTime, "endTime": ruleTime,
	"type": ruleMeasurement, "exception": ruleAlert, "component": ruleComponent,
	"stringValue": ruleText, "uom": ruleText, "hexBinaryValue": ruleHex,
}

var (
	metadataNames = []string{"time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"}
	reportNames   = []string{
		"type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules", "time", "microorganism",
		"chemicalSubstance", "coordinateReferenceSystem", "value", "component", "stringValue", "booleanValue", "hexBinaryValue",
		"uriValue", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue", "uom",
	}
)

func (p *parser) sensors(e *epcis.Event) error {
	id := field.SensorElementList
	return p.array(func() error {
		if err := p.node(1); err != nil {
			return err
		}
		p.item, p.sub = p.count[id], ""
		p.count[id]++
		if p.peek() != '{' {
			return p.misfit("an object")
		}
		var s epcis.SensorElement
		outer, reports := p.ctx, false
		err := p.object(func(key *word) error {
			switch p.sub = key.text; p.nearMember(p.sub, []string{"sensorMetadata", "sensorReport"}) {
			case "sensorMetadata":
				if p.peek() != '{' {
					return p.misfit("an object")
				}
				s.Metadata = &epcis.SensorMetadata{}
				return p.sensor("sensorMetadata", func(name string) *string { return accessor.MetadataField(s.Metadata, name) }, &s.Metadata.Extensions, metadataNames)
			case "sensorReport":
				reports = true
				n := 0
				err := p.array(func() error {
					n++
					if p.peek() != '{' {
						return p.misfit("an object")
					}
					var r epcis.SensorReport
					err := p.sensor("sensorReport", func(name string) *string { return accessor.ReportField(&r, name) }, &r.Extensions, reportNames)
					s.Reports = append(s.Reports, r)
					return err
				})
				if p.sub = "sensorReport"; err == nil && n == 0 {
					p.refuse(epcis.CodeFieldEmpty, "sensorReport is empty", "add a report")
				}
				return err
			case "@context":
				p.refuse(epcis.CodeFieldUnknown, "@context does not belong into sensorElement", "write it at the beginning of the document")
				return p.localContext(false, len(s.Extensions))
			}
			p.extensionKey(key, "sensorElement", []string{"sensorMetadata", "sensorReport"})
			return p.extension(&s.Extensions, p.extensionName(key), false)
		})
		p.restore(outer)
		if p.sub = ""; err == nil && !reports {
			p.refuse(epcis.CodeFieldMissing, "sensorReport is missing", "add a list with a report")
		}
		e.SensorElementList = append(e.SensorElementList, s)
		return err
	})
}

// sensor reads the members of sensorMetadata or of one sensorReport.
func (p *parser) sensor(name string, member func(string) *string, rest *[]epcis.Extension, known []string) error {
	if err := p.node(4); err != nil {
		return err
	}
	outer, typed := p.ctx, false
	err := p.object(func(key *word) (err error) {
		if err := p.node(1); err != nil {
			return err
		}
		p.sub = name + "/" + key.text
		at := key.text
		s := member(at)
		if s == nil {
			if at = p.nearMember(at, known); at != key.text {
				s = member(at)
			}
		}
		switch {
		case key.text == "@context":
			p.refuse(epcis.CodeFieldUnknown, "@context does not belong into "+name, "write it at the beginning of the document")
			return p.localContext(false, len(*rest))
		case s == nil:
			p.extensionKey(key, name, known)
			return p.extension(rest, p.extensionName(key), false)
		}
		typed = typed || at == "type"
		switch at {
		case "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue":
			*s, err = p.number()
		case "booleanValue":
			*s, err = p.boolean()
		default:
			r, ok := sensorRules[at]
			if !ok {
				r = ruleURI
			}
			*s, err = p.text(r)
		}
		return err
	})
	p.restore(outer)
	p.sub = name
	if err == nil && !typed && name == "sensorReport" {
		p.refuse(epcis.CodeFieldMissing, "the report has no type", "add what was measured, for example Temperature")
	}
	return err
}
