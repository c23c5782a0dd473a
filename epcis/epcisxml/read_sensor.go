package epcisxml

import (
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/accessor"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// Sensor data are attributes in XML. Attributes that the standard does not name become extensions.

func (p *parser) sensors(e *epcis.Event) error {
	const list = "sensorElementList"
	return p.each(list, func() error {
		if !p.is("sensorElement", list) {
			return p.stranger(list)
		}
		if err := p.node(1); err != nil {
			return err
		}
		var s epcis.SensorElement
		const path = list + "/sensorElement"
		if err := p.onlyAttrs(&s.Extensions, path); err != nil {
			return err
		}
		err := p.foreign(&s.Extensions, path, []string{"sensorMetadata", "sensorReport"}, func(name string) (bool, error) {
			switch name {
			case "sensorMetadata":
				if s.Metadata != nil {
					p.fault(p.at, epcis.CodeFieldRepeated, path+"/"+name, name+" stands there twice", "keep one")
					return true, p.skip()
				}
				s.Metadata = &epcis.SensorMetadata{}
				return true, p.attributes(path+"/"+name, accessor.MetadataFields, func(name string) *string { return accessor.MetadataField(s.Metadata, name) }, &s.Metadata.Extensions)
			case "sensorReport":
				var r epcis.SensorReport
				err := p.attributes(path+"/"+name, accessor.ReportFields, func(name string) *string { return accessor.ReportField(&r, name) }, &r.Extensions)
				s.Reports = append(s.Reports, r)
				return true, err
			}
			return false, nil
		})
		e.SensorElementList = append(e.SensorElementList, s)
		return err
	})
}

func (p *parser) attributes(path string, names []string, field func(string) *string, rest *[]epcis.Extension) error {
	if err := p.node(4 + len(p.attrs)); err != nil {
		return err
	}
	for _, a := range p.attrs {
		if a.Name.Space == "" {
			if f := field(a.Name.Local); f != nil {
				*f = a.Value
				continue
			}
			if name := vocabulary.Near(a.Name.Local, names); name != "" && p.attr(name) == strings.Trim(a.Value, xsd.Blank) && *field(name) == "" {
				p.warn(p.at, epcis.CodeFieldUnknown, path, "the attribute "+excerpt.Quote(a.Name.Local)+" does not belong here", "was "+name+" meant? It was read as "+name)
				*field(name) = a.Value
				continue
			}
		}
		*rest = append(*rest, p.attribute(a))
	}
	return p.foreign(rest, path, nil, nil)
}
