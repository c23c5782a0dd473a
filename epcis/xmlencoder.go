package epcis

import (
	"fmt"
	"io"
)

// newXMLEncoder returns an encoder of XML documents. o.Format is FormatXML2 or FormatXML12.
func newXMLEncoder(w io.Writer, head Head, o WriteOptions) (Encoder, error) {
	x, err := newXMLWriter(w, o)
	if err != nil {
		return nil, err
	}
	return newEncoder(x.Writer, x, head), nil
}

// encodeXMLEvent writes one event by itself, as an element with its namespaces.
func encodeXMLEvent(w io.Writer, e *Event, recordTime string, o WriteOptions) (losses []Problem, err error) {
	x, err := newXMLWriter(w, o)
	if err != nil {
		return nil, err
	}
	return encodeEvent(x.Writer, x, e, recordTime)
}

func newXMLWriter(to io.Writer, o WriteOptions) (*xmlWriter, error) {
	if o.Format == FormatJSON {
		return nil, fmt.Errorf("write EPCIS: %q is no format of XML: use %s or %s", o.Format, FormatXML2, FormatXML12)
	}
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	return &xmlWriter{Writer: w, to: to}, nil
}
