package epcis

import (
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// newJSONEncoder returns an encoder of JSON documents. o.Format is FormatJSON.
func newJSONEncoder(w io.Writer, head Head, o WriteOptions) (Encoder, error) {
	j, err := newJSONWriter(w, o)
	if err != nil {
		return nil, err
	}
	return newEncoder(j.Writer, j, head), nil
}

// encodeJSONEvent writes one event by itself, with its @context.
func encodeJSONEvent(w io.Writer, e *Event, recordTime string, o WriteOptions) (losses []Problem, err error) {
	j, err := newJSONWriter(w, o)
	if err != nil {
		return nil, err
	}
	return encodeEvent(j.Writer, j, e, recordTime)
}

func newJSONWriter(to io.Writer, o WriteOptions) (*jsonWriter, error) {
	if o.Format != FormatJSON {
		return nil, fmt.Errorf("write EPCIS: %q is not %s", o.Format, FormatJSON)
	}
	w, err := New(o)
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
	return &jsonWriter{Writer: w, enc: jsontext.NewEncoder(to, opts...)}, nil
}
