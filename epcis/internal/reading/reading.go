// Package reading holds the limits that all readers keep.
package reading

import (
	"errors"
	"io"
	"strconv"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/xmlns"
)

// The errors of what is too large.
var (
	ErrDocumentBytes = errors.New("document too large")
	ErrTokenBytes    = errors.New("token too large")
	// ErrEventTooLarge unwinds the reading of one event, which is then skipped.
	ErrEventTooLarge = errors.New("event too large")
)

// Sizes in bytes.
const (
	MaxToken  = 1 << 20 // bytes of one tag, text or comment, of one string or number
	ReadAhead = 32 << 10
)

// MaxEventProblems is how many errors, and how many warnings, of one event are told; a list of
// 16,384 bad EPCs is one mistake.
const MaxEventProblems = 100

// Limits on what is much larger in memory than in the document.
const (
	MaxEventNodes    = 1 << 16
	MaxDocumentNodes = 1 << 20
)

// NotEPCISHint says what to send instead of what is not EPCIS.
const NotEPCISHint = "send an EPCISDocument in the namespace " + xmlns.EPCIS2 + ", or " + xmlns.EPCIS1 + " for EPCIS 1.2"

// Defaults sets the limits that are zero.
func Defaults(o epcis.Options) epcis.Options {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def64(&o.MaxBytes, 32<<20)
	def64(&o.MaxEventBytes, 4<<20)
	def(&o.MaxDepth, 64)
	def(&o.MaxAttributes, 64)
	def(&o.MaxEvents, 100_000)
	def(&o.MaxEPCs, epcis.MaxEPCs)
	def(&o.MaxProblems, 10_000)
	return o
}

// Collect reads a whole document: what every Parse does with its Read.
func Collect(r io.Reader, opt epcis.Options, read func(io.Reader, epcis.Options, epcis.Handler) (epcis.Summary, error)) (*epcis.Document, error) {
	opt = Defaults(opt)
	opt.KeepsAll = true
	doc := &epcis.Document{}
	more, schema := 0, false
	header := &epcis.Header{}
	var err error
	doc.Summary, err = read(r, opt, epcis.Handler{
		Header: func(h *epcis.Header) error { header = h; return nil },
		Event:  func(e epcis.EventAt) error { doc.Events = append(doc.Events, e); return nil },
		Problem: func(p epcis.Problem) error {
			if len(doc.Problems) < opt.MaxProblems {
				doc.Problems = append(doc.Problems, p)
			} else {
				more++
				schema = schema || p.Schema
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	if more > 0 {
		doc.Problems = append(doc.Problems, epcis.Problem{
			Severity: epcis.SeverityWarning, Code: epcis.CodeTruncated, Event: -1, Schema: schema,
			Message: "there are " + strconv.Itoa(more) + " more problems", Hint: "repair those above and send the document again",
		})
	}
	doc.Header, doc.Rejected = *header, doc.Summary.Rejected
	return doc, nil
}
