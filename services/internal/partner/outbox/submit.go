package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
)

const (
	// MaxListed is how many faults are kept in the record of a job itself.
	MaxListed = 1000
	// faultsPerChunk keeps the records of further faults of a readable size.
	faultsPerChunk = 500
)

// Submit takes the draft that build makes of a request and returns its job. When it returns without
// an error, everything about the draft is durable. A repeated request gets the job of the first,
// and build is not called.
func (o *Outbox) Submit(ctx context.Context, q Request, build func(context.Context) (*draft.Draft, error)) (uuid.UUID, error) {
	h := sha256.Sum256([]byte(q.Key))
	if q.Key != "" {
		release, err := o.hold(ctx, h)
		if err != nil {
			return uuid.Nil, err
		}
		defer release()
		was, job, err := o.j.Request(h)
		switch {
		case err == nil && was == q.Sum:
			return job, nil
		case err == nil:
			return uuid.Nil, &KeyReusedError{job}
		case !errors.Is(err, journal.ErrNotFound):
			return uuid.Nil, err
		}
	}
	d, err := build(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	if d.Job == (uuid.UUID{}) {
		if d.Job, err = uuid.NewV7(); err != nil {
			return uuid.Nil, fmt.Errorf("draw a job id: %w", err)
		}
	}
	s := &signing{name: "capture", queue: o.event, job: d.Job, onError: d.OnError, at: o.cfg.Clock.Now().UTC(), write: &journal.Write{}, durable: d.Stored}
	if d.Authority {
		if o.authority == nil {
			return uuid.Nil, ErrNoAuthority
		}
		s.queue = o.authority
	}
	if err := o.record(d, s); err != nil {
		return uuid.Nil, err
	}
	if q.Key != "" {
		s.write.PutRequest(h, q.Sum, d.Job)
	}
	if err := o.store(s); err != nil {
		return uuid.Nil, err
	}
	o.metrics.captured.WithLabelValues(d.Kind).Inc()
	return d.Job, nil
}

// Request identifies what is asked, so that a repeated request gets the job of the first.
type Request struct {
	Key string         // that the caller gave it; "": it is a new one each time
	Sum canonical.Hash // of what is asked, byte for byte
}

// NewRequest identifies a request by what is asked, with which options, and the hash of the bytes
// it is asked over.
func NewRequest(key, what string, body canonical.Hash) Request {
	return Request{key, sha256.Sum256([]byte(what + "\n" + string(body[:])))}
}

// ErrNotStored is of a write that is not durable: nothing of the draft is kept.
var ErrNotStored = errors.New("outbox: not stored")

// ErrNoAuthority is of a draft for an authority, at a service that has no authority's key.
var ErrNoAuthority = errors.New("outbox: this service has no key of an authority")

// SignError says why a submission was not signed.
type SignError struct{ Err error }

// Error implements error.
func (e *SignError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e *SignError) Unwrap() error { return e.Err }

// KeyReusedError says that a request's key was already used for another one.
type KeyReusedError struct{ Job uuid.UUID }

// Error implements error.
func (e *KeyReusedError) Error() string {
	return "outbox: the key of the request is that of job " + e.Job.String()
}

// hold lets one request at a time use a key.
func (o *Outbox) hold(ctx context.Context, h canonical.Hash) (release func(), err error) {
	for {
		o.asking.Lock()
		busy := o.inflight[h]
		if busy == nil {
			done := make(chan struct{})
			o.inflight[h] = done
			o.asking.Unlock()
			return func() {
				o.asking.Lock()
				delete(o.inflight, h)
				o.asking.Unlock()
				close(done)
			}, nil
		}
		o.asking.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// record groups the items of a draft into submissions and writes down what is known of its job.
func (o *Outbox) record(d *draft.Draft, s *signing) error {
	parts, sealed, err := d.Group(o.sealer)
	if err != nil {
		return err
	}
	rec := journal.Job{
		Kind: d.Kind, OnError: d.OnError, CreatedAt: s.at, Events: d.Events, Warnings: d.Warnings, Notes: d.Notes,
		RefusedEvents: d.RefusedEvents, Faults: d.Faults,
	}
	if d.Result != nil {
		if rec.Result, err = json.Marshal(d.Result); err != nil {
			return fmt.Errorf("encode result: %w", err)
		}
	}
	w := s.write
	rec.Refused = d.Refused[:min(len(d.Refused), MaxListed)]
	for rest := range slices.Chunk(d.Refused[len(rec.Refused):], faultsPerChunk) {
		w.PutFaults(d.Job, rec.FaultChunks, rest)
		rec.FaultChunks++
	}
	if d.Plan != nil {
		rec.Divided = d.Parts
		w.PutPlan(d.Job, d.Plan)
	}
	s.group = len(parts)
	for i, items := range parts {
		p, err := newPart(uint16(i), items, sealed[i])
		if err != nil {
			return err
		}
		s.parts = append(s.parts, p)
		rec.Parts = append(rec.Parts, journal.PartItems{Submission: p.id, Items: infos(items)})
	}
	w.PutJob(d.Job, &rec)
	return nil
}

func infos(items []draft.Item) []journal.ItemInfo {
	list := make([]journal.ItemInfo, len(items))
	for i := range items {
		list[i] = items[i].Info
		if ev, ok := items[i].Message.(*epcis.Event); ok && ev.EventID != list[i].EventID {
			list[i].LedgerID = ev.EventID
		}
	}
	return list
}

// AddPart makes part number of a divided document's job durable, which is stored with the plan of
// count parts. The plan goes with the last.
func (o *Outbox) AddPart(job uuid.UUID, number uint16, count int, items []draft.Item, sealed [][]commit.SealedValue) error {
	p, err := newPart(number, items, sealed)
	if err != nil {
		return err
	}
	p.alone = true
	s := &signing{name: "divide", queue: o.event, job: job, onError: submission.Proceed, at: o.cfg.Clock.Now().UTC(), group: count, write: &journal.Write{}, parts: []*draftPart{p}}
	if int(number)+1 == count {
		s.write.DropPlan(job)
	}
	if err := o.store(s); err != nil {
		return err
	}
	o.Changed(job)
	return nil
}

// signing is a set of submissions of one job that become durable together.
type signing struct {
	name    string // of its steps
	queue   *keyQueue
	job     uuid.UUID
	onError submission.OnError
	at      time.Time
	group   int // submissions of the job
	parts   []*draftPart
	write   *journal.Write // what else becomes durable with them
	durable func()         // called when they are; may be nil
}

// draftPart is one submission being made.
type draftPart struct {
	number uint16
	id     uuid.UUID
	items  []draft.Item
	sealed [][]commit.SealedValue
	alone  bool // its items are listed beside it, not in the job, and its message is a file of the spool
}

func newPart(number uint16, items []draft.Item, sealed [][]commit.SealedValue) (*draftPart, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("draw a submission id: %w", err)
	}
	return &draftPart{number: number, id: id, items: items, sealed: sealed}, nil
}

// store is the write path, in the order in which things become durable. Up to the commit an error
// leaves nothing behind; from there on only the end of the service stops it, and the next start
// goes on from what is stored.
func (o *Outbox) store(s *signing) (err error) {
	// 1. Take counters. The rows are outstanding from here on: blocks are kept for them.
	rows := make([]*row, len(s.parts))
	o.mu.Lock()
	for i := range rows {
		rows[i] = s.queue.take(o.followed)
	}
	o.mu.Unlock()
	committed := false
	defer func() {
		if err != nil && !committed {
			o.mu.Lock()
			for _, r := range rows {
				delete(s.queue.rows, r.counter)
			}
			o.mu.Unlock()
		}
	}()

	// 2. Sign. The message of a divided document's part goes into a file, which is synced before
	// the row that names it.
	for i, p := range s.parts {
		signed, message, err := o.sign(s, p, rows[i])
		if err != nil {
			return &SignError{err}
		}
		if signed.file != "" {
			s.write.PutItems(s.job, p.number, infos(p.items))
			if err := o.writePart(signed.file, message); err != nil {
				return err
			}
			message = nil
		}
		s.write.PutRow(s.queue.id, signed.counter, s.job, p.number, message)
		s.write.PutPart(s.job, p.number, &signed.rec)
		s.write.PutSealed(p.id, p.sealed)
		o.mu.Lock()
		*rows[i] = *signed
		o.mu.Unlock()
	}
	if err := o.cfg.Step(s.name + ": before commit"); err != nil {
		return err
	}

	// 3. Commit: job, plan, faults, idempotency record, rows, their records, sealed values and the
	// counter, in one synced transaction.
	o.mu.Lock()
	if len(rows) > 0 {
		// Requests that sign at the same time are stored in any order: the highest counter given out so far is what counts.
		s.write.PutCounter(s.queue.id, s.queue.counter)
	}
	o.j.Submit(s.write)
	o.mu.Unlock()
	if err := s.write.Wait(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	committed = true
	if s.durable != nil {
		s.durable()
	}
	if err := o.cfg.Step(s.name + ": after commit"); err != nil {
		return err
	}

	// 4. Publish. The caller is answered meanwhile.
	o.mu.Lock()
	for _, r := range rows {
		s.queue.enqueue(r)
	}
	o.mu.Unlock()
	return nil
}

// sign makes the message of a part under a row's counter. The row that it returns is to take r's
// place.
func (o *Outbox) sign(s *signing, p *draftPart, r *row) (*row, []byte, error) {
	q := s.queue
	h := submission.Header{
		Epoch: o.cfg.Genesis.Epoch, Party: q.party, ID: p.id, CreatedAt: s.at.UnixMilli(), OnError: s.onError, Counter: r.counter, KeyID: q.keyID,
	}
	if s.group > 1 {
		h.GroupID, h.GroupIndex, h.GroupCount = s.job, p.number, uint16(s.group)
	}
	list := make([]wire.Item, len(p.items))
	events := 0
	for i := range p.items {
		list[i] = p.items[i].Item
		if p.items[i].Info.Event >= 0 {
			events++
		}
	}
	message, err := submission.Sign(o.n, h, list, q.signer)
	if err != nil {
		return nil, nil, draft.Sized(s.onError, fmt.Errorf("sign: %w", err))
	}
	if len(message) > submission.MaxMessage {
		return nil, nil, draft.TooLarge(s.onError, "the submission has %d bytes, at most %d are allowed", len(message), submission.MaxMessage)
	}
	signed := &row{queue: q, counter: r.counter, job: s.job, part: p.number, base: r.base, rec: journal.Part{
		Lane: q.id, Party: q.party, Counter: r.counter, Base: r.base, At: s.at, State: journal.Captured, Submission: p.id, Count: len(p.items), Events: events, Alone: p.alone,
	}}
	if p.alone {
		signed.file = partName(s.job, p.number)
	}
	return signed, message, signed.read(o.n, message)
}
