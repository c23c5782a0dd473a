// Package epcisdoc reads and writes EPCIS documents of any format. Read and Parse tell the format
// by the content. Convert reads one format and writes another.
package epcisdoc

import (
	"bufio"
	"bytes"
	"io"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisjson"
	"verilot.dev/epcis/epcisxml"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/xsd"
)

// Read reads an EPCIS document of any format, told by its content, in bounded memory. What was received counts only when
// it returns nil: a document can turn out not to be well-formed behind its last event.
func Read(r io.Reader, opt epcis.Options, h epcis.Handler) (epcis.Summary, error) {
	in := bufio.NewReaderSize(r, reading.ReadAhead)
	head, _ := in.Peek(512)                                           // a read error comes again later
	head = bytes.TrimLeft(head, xsd.Blank+"\x00\xEF\xBB\xBF\xFE\xFF") // of UTF-16, too, of which JSON says no
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return epcisxml.Read(in, opt, h)
	}
	if s, ok := r.(io.Seeker); ok { // JSON may be read twice
		if _, err := s.Seek(int64(-in.Buffered()), io.SeekCurrent); err == nil {
			return epcisjson.Read(r, opt, h)
		}
	}
	return epcisjson.Read(in, opt, h)
}

// Parse reads an EPCIS document of any format. A document that is not well-formed or
// not EPCIS fails as a whole with a *ParseError. An event with an error-level problem is reported and left out,
// so that the caller can choose between refusing the document and going on with the rest.
func Parse(r io.Reader, opt epcis.Options) (*epcis.Document, error) {
	return reading.Collect(r, opt, Read)
}

// NewEncoder returns an encoder of documents.
func NewEncoder(w io.Writer, head epcis.Head, o epcis.WriteOptions) (epcis.Encoder, error) {
	if o.Format == epcis.FormatJSON {
		return epcisjson.NewEncoder(w, head, o)
	}
	return epcisxml.NewEncoder(w, head, o)
}

// EncodeEvent writes one event by itself: in JSON with its own @context, in XML as an element with its namespaces.
func EncodeEvent(w io.Writer, ev *epcis.Event, recordTime string, o epcis.WriteOptions) (losses []epcis.Problem, err error) {
	if o.Format == epcis.FormatJSON {
		return epcisjson.EncodeEvent(w, ev, recordTime, o)
	}
	return epcisxml.EncodeEvent(w, ev, recordTime, o)
}
