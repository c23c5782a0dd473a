package epcisjson

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/writing"
)

// NewEncoder returns an encoder of JSON documents. o.Format is FormatJSON.
func NewEncoder(w io.Writer, head epcis.Head, o epcis.WriteOptions) (epcis.Encoder, error) {
	j, err := newWriter(w, o)
	if err != nil {
		return nil, err
	}
	return writing.NewEncoder(j.Writer, j, head), nil
}

// EncodeEvent writes one event by itself, with its @context.
func EncodeEvent(w io.Writer, e *epcis.Event, recordTime string, o epcis.WriteOptions) (losses []epcis.Problem, err error) {
	j, err := newWriter(w, o)
	if err != nil {
		return nil, err
	}
	return writing.EncodeEvent(j.Writer, j, e, recordTime)
}

func newWriter(to io.Writer, o epcis.WriteOptions) (*writer, error) {
	if o.Format != epcis.FormatJSON {
		return nil, fmt.Errorf("write EPCIS: %q is not %s", o.Format, epcis.FormatJSON)
	}
	w, err := writing.New(o)
	if err != nil {
		return nil, err
	}
	opts := []jsontext.Options{
		jsontext.AllowInvalidUTF8(true),    // replaced, and reported by whole
		jsontext.AllowDuplicateNames(true), // there are none: extensions are grouped, names of the standard kept free
	}
	if o.Indent {
		opts = append(opts, jsontext.WithIndent("  "))
	}
	return &writer{Writer: w, enc: jsontext.NewEncoder(to, opts...)}, nil
}
