package epcisxml

import (
	"fmt"
	"io"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/writing"
)

// NewEncoder returns an encoder of XML documents. o.Format is FormatXML2 or FormatXML12.
func NewEncoder(w io.Writer, head epcis.Head, o epcis.WriteOptions) (epcis.Encoder, error) {
	x, err := newWriter(w, o)
	if err != nil {
		return nil, err
	}
	return writing.NewEncoder(x.Writer, x, head), nil
}

// EncodeEvent writes one event by itself, as an element with its namespaces.
func EncodeEvent(w io.Writer, e *epcis.Event, recordTime string, o epcis.WriteOptions) (losses []epcis.Problem, err error) {
	x, err := newWriter(w, o)
	if err != nil {
		return nil, err
	}
	return writing.EncodeEvent(x.Writer, x, e, recordTime)
}

func newWriter(to io.Writer, o epcis.WriteOptions) (*writer, error) {
	if o.Format == epcis.FormatJSON {
		return nil, fmt.Errorf("write EPCIS: %q is no format of XML: use %s or %s", o.Format, epcis.FormatXML2, epcis.FormatXML12)
	}
	w, err := writing.New(o)
	if err != nil {
		return nil, err
	}
	return &writer{Writer: w, to: to}, nil
}
