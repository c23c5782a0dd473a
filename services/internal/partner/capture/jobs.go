package capture

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox"
)

// Jobs shows what becomes of requests. It is where the outbox meets HTTP: its refusals are problems
// here.
type Jobs struct {
	outbox  *outbox.Outbox
	journal *journal.Journal
	clock   clock.Clock
	log     *slog.Logger
	height  func(context.Context) (uint64, error)

	// mu guards the fields below. The api service is asked outside of it, by one caller at a time.
	mu      sync.Mutex
	indexed uint64
	asking  bool
}

// NewJobs shows the jobs of an outbox and its journal. indexed asks an api service up to which
// height it has applied blocks; nil: there is none, and what is certified here counts as indexed.
func NewJobs(o *outbox.Outbox, j *journal.Journal, clock clock.Clock, log *slog.Logger, indexed func(context.Context) (uint64, error)) *Jobs {
	return &Jobs{outbox: o, journal: j, clock: clock, log: log, height: indexed}
}

// Submit takes the draft that build makes of a request, and returns its job.
func (s *Jobs) Submit(ctx context.Context, q outbox.Request, build func(context.Context) (*draft.Draft, error)) (uuid.UUID, error) {
	id, err := s.outbox.Submit(ctx, q, build)
	return id, problem(err)
}

// problem says over HTTP why a draft was not taken.
func problem(err error) error {
	var limit *draft.LimitError
	var reused *outbox.KeyReusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limit):
		return limitProblem(limit)
	case errors.As(err, &reused):
		return httpapi.NewProblem(httpapi.IdempotencyKeyReused,
			"the Idempotency-Key was already used for another request, whose job is /capture/%s; take a new key for a new request, or repeat the first request unchanged", reused.Job)
	case errors.Is(err, journal.ErrTooBig):
		return httpapi.NewProblem(httpapi.CaptureLimitExceeded, "the request is larger than the service stores at once; send it in parts")
	case errors.Is(err, outbox.ErrNotStored):
		return httpapi.NewProblem(httpapi.Unavailable, "the request could not be stored, so nothing of it was captured; send it again with the same Idempotency-Key").Because(err)
	}
	return err
}

func limitProblem(e *draft.LimitError) *httpapi.Problem {
	switch {
	case e.Item:
		return httpapi.NewProblem(httpapi.EventTooLarge, "%s; nothing was stored. Split the event", e.What)
	case e.OnError == submission.Rollback:
		return httpapi.NewProblem(httpapi.CaptureLimitExceeded,
			"%s; nothing was stored. A document that is rolled back as a whole must fit one submission: send fewer events, or GS1-Capture-Error-Behaviour: proceed, under which it is divided", e.What)
	default:
		return httpapi.NewProblem(httpapi.CaptureLimitExceeded, "%s; nothing was stored. Send fewer events at a time", e.What)
	}
}

// Job puts a job together from what is durable.
func (s *Jobs) Job(id uuid.UUID) (*Job, error) { return s.view(id, inFull) }

// Accepted is a job as it is answered with 202, and its address.
func (s *Jobs) Accepted(id uuid.UUID) (location string, j *Job, err error) {
	j, err = s.Job(id)
	return jobPath(id), j, err
}

func jobPath(id uuid.UUID) string { return "/capture/" + id.String() }

func (s *Jobs) record(id uuid.UUID) (*journal.Job, error) {
	rec, err := s.journal.Job(id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, httpapi.NewProblem(httpapi.JobNotFound, "this service has no capture job %s; the id is in the Location header of the 202 answer, and only the service that gave it knows it", id)
	}
	return rec, err
}

// faults are stored faults as they are shown.
func faults(list []journal.Fault) []httpapi.Fault {
	if list == nil {
		return nil
	}
	out := make([]httpapi.Fault, len(list))
	for i := range list {
		out[i] = httpapi.Fault(list[i])
	}
	return out
}

// Await waits up to timeout for the wanted state of a job. A timeout is no error: the state says
// how far it is.
func (s *Jobs) Await(ctx context.Context, id uuid.UUID, want journal.State, timeout time.Duration) (journal.State, error) {
	var expired <-chan time.Time
	for {
		changed, done := s.outbox.Watch(id)
		j, err := s.view(id, nothing)
		if err != nil {
			done()
			return "", err
		}
		if timeout <= 0 || !j.State.Before(want) {
			done()
			return j.State, nil
		}
		if expired == nil {
			expired = s.clock.After(timeout)
		}
		var ask <-chan time.Time
		if j.State == journal.Certified { // certified here; the api service is asked how far it is
			ask = s.clock.After(askEvery)
		}
		select {
		case <-changed:
		case <-ask:
			s.ask(ctx)
		case <-expired:
			timeout = 0
		case <-ctx.Done():
			timeout = 0
		case <-httpapi.Draining(ctx):
			timeout = 0
		}
		done()
	}
}

// awaited returns a job after waiting for it.
func (s *Jobs) awaited(ctx context.Context, id uuid.UUID, want journal.State, timeout time.Duration) (*Job, error) {
	if _, err := s.Await(ctx, id, want, timeout); err != nil {
		return nil, err
	}
	return s.Job(id)
}

// askEvery is how often the api service is asked for its height while somebody waits for "indexed".
const askEvery = 25 * time.Millisecond

func (s *Jobs) indexedUpTo(height uint64) bool {
	if s.height == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.indexed >= height
}

// ask learns the api service's height. Its answer is a courtesy: nothing rests on it but the word "indexed".
func (s *Jobs) ask(ctx context.Context) {
	if s.height == nil {
		return
	}
	s.mu.Lock()
	busy := s.asking
	s.asking = true
	s.mu.Unlock()
	if busy {
		return // one question at a time is enough for all who wait
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	h, err := s.height(ctx)
	followed := s.outbox.Height()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = false
	if err != nil {
		s.log.Debug("the api service did not tell its height", "err", err)
		return
	}
	s.indexed = max(s.indexed, min(h, followed)) // it cannot have indexed what is not certified
}

// askIfNeeded refreshes the api service's height when a job waits for nothing else.
func (s *Jobs) askIfNeeded(ctx context.Context, id uuid.UUID) {
	if j, err := s.view(id, nothing); err == nil && j.State == journal.Certified {
		s.ask(ctx)
	}
}

// List lists jobs, newest first. The token is opaque to callers: the id of the last job shown.
func (s *Jobs) List(perPage int, token string) (jobs []*Job, next string, err error) {
	var after *uuid.UUID
	if token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(b) != 16 {
			return nil, "", httpapi.NewProblem(httpapi.PageTokenInvalid, "nextPageToken is not one that this service gave; start again without it")
		}
		after = (*uuid.UUID)(b)
	}
	ids, more, err := s.journal.Jobs(after, perPage)
	if err != nil {
		return nil, "", err
	}
	jobs = make([]*Job, 0, len(ids))
	for _, id := range ids {
		j, err := s.view(id, inList)
		if err != nil {
			return nil, "", err
		}
		jobs = append(jobs, j)
	}
	if more {
		next = base64.RawURLEncoding.EncodeToString(ids[len(ids)-1][:])
	}
	return jobs, next, nil
}
