package epcis

// Sensor data are attributes in XML. Attributes that the standard does not name become extensions.

func (m *SensorMetadata) attribute(name string) *string {
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

func (r *SensorReport) attribute(name string) *string {
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

func (p *parser) sensors(e *Event) error {
	const list = "sensorElementList"
	return p.each(list, func() error {
		if p.std() != "sensorElement" {
			return p.stranger(list)
		}
		if err := p.node(1); err != nil {
			return err
		}
		var s SensorElement
		const path = list + "/sensorElement"
		p.onlyAttrs(path)
		err := p.foreign(&s.Extensions, path, func(name string) (bool, error) {
			switch name {
			case "sensorMetadata":
				if s.Metadata != nil {
					p.fault(p.at, CodeFieldRepeated, path+"/"+name, name+" stands there twice", "keep one")
					return true, p.skip()
				}
				s.Metadata = &SensorMetadata{}
				return true, p.attributes(path+"/"+name, s.Metadata.attribute, &s.Metadata.Extensions)
			case "sensorReport":
				var r SensorReport
				err := p.attributes(path+"/"+name, r.attribute, &r.Extensions)
				s.Reports = append(s.Reports, r)
				return true, err
			}
			return false, nil
		})
		e.SensorElementList = append(e.SensorElementList, s)
		return err
	})
}

func (p *parser) attributes(path string, field func(string) *string, rest *[]Extension) error {
	if err := p.node(4 + len(p.attrs)); err != nil {
		return err
	}
	for _, a := range p.attrs {
		if a.Name.Space == "" {
			if f := field(a.Name.Local); f != nil {
				*f = a.Value
				continue
			}
		}
		*rest = append(*rest, p.attribute(a))
	}
	return p.foreign(rest, path, nil)
}
