package epcis

import (
	"bufio"
	"bytes"
	"io"
)

// Read reads an EPCIS document of any format, told by its content, in bounded memory. What was received counts only when
// it returns nil: a document can turn out not to be well-formed behind its last event.
func Read(r io.Reader, opt Options, h Handler) (Summary, error) {
	in := bufio.NewReaderSize(r, ReadAhead)
	head, _ := in.Peek(512) // a read error comes again later
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), Blank)
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return readXML(in, opt, h)
	}
	if s, ok := r.(io.Seeker); ok { // JSON may be read twice
		if _, err := s.Seek(int64(-in.Buffered()), io.SeekCurrent); err == nil {
			return readJSON(r, opt, h)
		}
	}
	return readJSON(in, opt, h)
}

// Parse reads an EPCIS document of any format. A document that is not well-formed or
// not EPCIS fails as a whole with a *ParseError. An event with an error-level problem is reported and left out,
// so that the caller can choose between refusing the document and going on with the rest.
func Parse(r io.Reader, opt Options) (*Document, error) { return Collect(r, opt, Read) }

// NewEncoder returns an encoder of documents.
func NewEncoder(w io.Writer, head Head, o WriteOptions) (Encoder, error) {
	if o.Format == FormatJSON {
		return newJSONEncoder(w, head, o)
	}
	return newXMLEncoder(w, head, o)
}

// EncodeEvent writes one event by itself: in JSON with its own @context, in XML as an element with its namespaces.
func EncodeEvent(w io.Writer, ev *Event, recordTime string, o WriteOptions) (losses []Problem, err error) {
	if o.Format == FormatJSON {
		return encodeJSONEvent(w, ev, recordTime, o)
	}
	return encodeXMLEvent(w, ev, recordTime, o)
}
