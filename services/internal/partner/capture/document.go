package capture

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/eventhash"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/outbox"
)

// Limits of what is told about one document.
const (
	maxWarnings  = 100
	maxFaults    = outbox.MaxListed // in an answer
	maxKept      = 20_000           // faults that are kept with a job, to be read at /capture/{id}/errors
	kindDocument = "document"
	kindEvent    = "event"
)

// document checks an EPCIS document event by event and turns what is good in it into a draft. Under rollback one bad event refuses
// all. No more of it is held than one submission takes: of a document that needs several only a plan is made.
func (s *Service) document(ctx context.Context, b *body, onError submission.OnError) (*draft.Draft, error) {
	n, err := s.check(ctx, b, onError)
	if err != nil {
		return nil, err
	}
	return n.draft(b)
}

// check reads a document once. The error is what refuses it whole, whatever its events are.
func (s *Service) check(ctx context.Context, b *body, onError submission.OnError) (*intake, error) {
	if err := s.cfg.Directory.MayCapture(ctx); err != nil {
		return nil, err
	}
	job, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("draw a job id: %w", err)
	}
	n := &intake{s: s, ctx: ctx, d: &draft.Draft{Kind: kindDocument, OnError: onError, Job: job}, unmeasured: b.size <= draft.PlentyBytes}
	r, err := b.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	n.sum, err = epcisdoc.Read(r, readOptions(), epcis.Handler{
		Header:  func(h *epcis.Header) error { n.header = h; return nil },
		Event:   n.event,
		Problem: n.problem,
	})
	if _, ok := errors.AsType[*httpapi.Problem](err); ok {
		return nil, err
	}
	if err != nil {
		return nil, unreadable(err)
	}
	n.d.Events = n.sum.Events
	return n, nil
}

func readOptions() epcis.Options {
	return epcis.Options{MaxBytes: MaxDocument, MaxEvents: MaxEvents}
}

// eventItem wraps an event, giving it an id if it has none: without one it could not be asked for by id. Events are
// recognised by their match hash, which leaves ids out.
func eventItem(ev *epcis.Event, job uuid.UUID, index int) draft.Item {
	nameEvent(ev, job, index)
	return draft.EventItem(ev, index)
}

// nameEvent gives an event that has no id its CBV hash (CBV 2.0 section 8.9), which everybody finds who has the event, however often
// and in whatever format it is read. An event without a hash gets an id that follows from the job and its place there, so that a
// document that is read a second time, after a crash, becomes the same events.
func nameEvent(ev *epcis.Event, job uuid.UUID, index int) {
	if ev.EventID != "" {
		return
	}
	id, _, err := eventhash.Hash(ev)
	if err != nil {
		id = draft.EventID(job, index)
	}
	ev.EventID = id
}

// unreadable says why a document was not read.
func unreadable(err error) error {
	pe, ok := errors.AsType[*epcis.ParseError](err)
	if !ok {
		return fmt.Errorf("parse document: %w", err)
	}
	code := httpapi.MalformedDocument
	if pe.Code == epcis.CodeDocumentTooLarge {
		code = httpapi.CaptureLimitExceeded
	}
	hint := pe.Hint
	if hint == "" {
		hint = "send a well-formed EPCIS document, as XML or JSON"
	}
	return httpapi.NewProblem(code, "line %d, column %d: %s; nothing was stored. What to do: %s", pe.Line, pe.Column, pe.Message, hint).
		With(httpapi.Fault{Line: pe.Line, Column: pe.Column, Code: pe.Code, Message: pe.Message, Hint: pe.Hint})
}
