package subscription

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
)

const (
	// engineRetry is when an engine that could not answer is asked again; for one query the time doubles.
	engineRetry    = time.Second
	maxEngineRetry = time.Minute
	// saveRun and saveBlocks bound what is done again after a crash when there was nothing to deliver.
	saveRun    = time.Minute
	saveBlocks = 4096
	// grow is the number of deliveries after which a receiver that refused large ones is offered twice as many events again.
	grow = 32
)

// errDeleted ends the work on a subscription that was deleted meanwhile.
var errDeleted = errors.New("subscription: the subscription was deleted")

// Run delivers until ctx ends, or until something is broken that going on would hide: then what is kept is not what is true.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var workers sync.WaitGroup
	defer workers.Wait()
	for {
		changed := s.o.Engine.Changed()
		height, head, err := s.o.Engine.Head(ctx)
		var next time.Time
		if err != nil {
			if ctx.Err() == nil {
				s.o.Log.Debug("standing queries wait for the ledger", "err", err)
			}
			next = s.o.Clock.Now().Add(engineRetry)
		} else {
			s.m.height.Store(height)
			var jobs []job
			jobs, next = s.due(height, head)
			for _, j := range jobs {
				jctx, end := context.WithCancel(ctx)
				s.mu.Lock()
				j.sub.cancel = end
				if j.sub.deleted {
					end()
				}
				s.mu.Unlock()
				workers.Go(func() {
					defer s.done(j.sub)
					defer end()
					if err := s.serve(jctx, j); err != nil {
						cancel(err)
					}
				})
			}
		}
		var timer <-chan time.Time
		if !next.IsZero() {
			timer = s.o.Clock.At(next)
		}
		select {
		case <-ctx.Done():
			workers.Wait()
			if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		case <-changed:
		case <-s.wakeup:
		case <-timer:
		}
	}
}

// A job is one turn of one subscription: at most one delivery.
type job struct {
	sub    *subscription
	height uint64
	head   time.Time
}

// due picks what is worked on now, within the limits, those that waited longest first; and says when to look again (zero: no need).
func (s *Service) due(height uint64, head time.Time) (jobs []job, next time.Time) {
	now := s.o.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	later := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	busy, bad, of := 0, 0, map[string]int{}
	var ready []*subscription
	for _, sub := range s.subs {
		if sub.running {
			busy++
			of[sub.rec.Owner]++
			if sub.slowOrFailing() {
				bad++
			}
			continue
		}
		at, has := sub.wants(height)
		switch {
		case !has:
		case at.After(now):
			later(at)
		default:
			ready = append(ready, sub)
		}
	}
	slices.SortFunc(ready, func(a, b *subscription) int {
		return cmp.Or(cmp.Compare(a.served, b.served), bytes.Compare(a.rec.ID[:], b.rec.ID[:]))
	})
	half, quarter := max(s.limits.Workers/2, 1), max(s.limits.Workers/4, 1)
	for _, sub := range ready {
		if busy >= s.limits.Workers {
			break // whoever ends wakes us
		}
		if of[sub.rec.Owner] >= half || sub.slowOrFailing() && bad >= quarter {
			continue
		}
		busy++
		of[sub.rec.Owner]++
		if sub.slowOrFailing() {
			bad++
		}
		s.turns++
		sub.running, sub.served = true, s.turns
		if sub.rec.Schedule != nil && sub.run == nil && sub.p.Pending == nil {
			sub.run = &run{at: now.UTC().Truncate(time.Millisecond), head: head, to: height}
		}
		jobs = append(jobs, job{sub, height, head})
	}
	return jobs, next
}

// slowOrFailing subscriptions hold a worker for long, and share a part of them.
func (sub *subscription) slowOrFailing() bool { return sub.p.Failures > 0 || sub.slow }

// wants says when there is something to do for a subscription, if the ledger stays at height.
func (sub *subscription) wants(height uint64) (at time.Time, has bool) {
	switch {
	case sub.p.Pending != nil, sub.run != nil, sub.rec.Stream && height > sub.p.Done:
		return sub.waitTill, true
	case sub.rec.Schedule != nil && !sub.next.IsZero():
		if sub.next.Before(sub.waitTill) {
			return sub.waitTill, true
		}
		return sub.next, true
	}
	return time.Time{}, false
}

func (s *Service) done(sub *subscription) {
	s.mu.Lock()
	sub.running, sub.cancel = false, nil
	s.mu.Unlock()
	s.wake()
}

// serve gives a subscription its turn. Its error ends the service.
func (s *Service) serve(ctx context.Context, j job) error {
	if err := s.turn(ctx, j); err != nil && !errors.Is(err, errDeleted) && ctx.Err() == nil {
		return err
	}
	return nil
}

func (s *Service) turn(ctx context.Context, j job) error {
	sub := j.sub
	p := sub.p // nobody else changes it while this runs
	caller := callerOf(sub.rec.Owner)
	limit := s.limits.Events
	if p.Limit > 0 {
		limit = min(limit, p.Limit)
	}
	var b batch
	var err error
	if p.Pending != nil {
		if p.Pending.Last != nil {
			b, err = s.collect(ctx, caller, sub.query, p.cursor, p.Pending.Last.Height, p.Pending.Last, limit, s.limits.Bytes)
		}
	} else {
		to, head := j.height, j.head
		if sub.run != nil {
			to, head = sub.run.to, sub.run.head
		}
		b, err = s.collect(ctx, caller, sub.query, p.cursor, to, nil, limit, s.limits.Bytes)
		if err == nil {
			b, err = s.prepare(sub, &p, b, head)
		}
	}
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, errDeleted) || errors.As(err, new(*storeError)) {
			return err
		}
		s.mu.Lock()
		wait := min(engineRetry<<min(sub.engineFailures, 10), maxEngineRetry)
		sub.engineFailures++
		sub.waitTill = s.o.Clock.Now().Add(wait)
		s.mu.Unlock()
		s.o.Log.Warn("a standing query could not be answered, will try again", "subscription", sub.rec.ID, "wait", wait, "err", err)
		return nil
	}
	s.mu.Lock()
	sub.engineFailures = 0
	s.mu.Unlock()
	if p.Pending == nil {
		return nil
	}
	if err := s.step("before sending"); err != nil {
		return err
	}
	return s.deliver(ctx, sub, p, b)
}

// storeError is an error of the store: what is kept is unknown.
type storeError struct{ err error }

func (f *storeError) Error() string { return f.err.Error() }
func (f *storeError) Unwrap() error { return f.err }

// prepare makes a batch the pending one, or notes that there is nothing to deliver.
func (s *Service) prepare(sub *subscription, p *progress, b batch, head time.Time) (batch, error) {
	r := sub.run
	if len(b.items) == 0 {
		if b.more { // a long stretch without a match; somebody else's turn
			p.cursor = b.next
			return b, s.keep(sub, *p, false)
		}
		if r == nil || !sub.rec.ReportIfEmpty || r.sent > 0 {
			p.cursor, p.MinRecordTime = b.next, latest(p.MinRecordTime, head)
			if r != nil {
				p.LastRun = r.at
			}
			return b, s.keep(sub, *p, true)
		}
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return b, err
	}
	p.Pending = &pending{ID: "msg_" + id.String(), Count: len(b.items), Next: b.next, Head: head, Ends: !b.more}
	if len(b.items) > 0 {
		p.Pending.Last = &b.items[len(b.items)-1].Pos
	}
	if r != nil {
		p.Pending.RunAt = r.at
	}
	return b, s.save(sub, *p)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// keep notes progress without deliveries, durably only now and then: after a crash it is found again.
func (s *Service) keep(sub *subscription, p progress, ends bool) error {
	if p.Done-sub.savedAt >= saveBlocks || p.LastRun.Sub(sub.savedRun) >= saveRun {
		if err := s.save(sub, p); err != nil {
			return err
		}
	} else {
		s.mu.Lock()
		sub.p = p
		s.mu.Unlock()
	}
	if ends {
		s.endRun(sub, p.LastRun)
	}
	return nil
}

func (s *Service) endRun(sub *subscription, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.run = nil
	if sub.rec.Schedule != nil {
		sub.next, _ = sub.rec.Schedule.Next(at)
	}
}

// save makes progress durable, unless the subscription is gone.
func (s *Service) save(sub *subscription, p progress) error {
	sub.write.Lock()
	defer sub.write.Unlock()
	s.mu.Lock()
	gone := sub.deleted
	s.mu.Unlock()
	if gone {
		return errDeleted
	}
	if err := s.st.write(map[string]any{progressKeys + string(sub.rec.ID[:]): p}); err != nil {
		return &storeError{err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.p, sub.savedAt, sub.savedRun = p, p.Done, p.LastRun
	return nil
}

// deliver sends the pending batch and notes what became of it.
func (s *Service) deliver(ctx context.Context, sub *subscription, p progress, b batch) error {
	if p.Pending.Last != nil && len(b.items) == 0 {
		return s.delivered(sub, p, false) // the owner sees none of these events any more
	}
	var body bytes.Buffer
	err := s.o.Answer(&body, sub.rec.Query, sub.rec.ID.String(), b.items, writeOptions(sub.rec.EPCFormat))
	if err != nil {
		return s.failed(ctx, sub, p, outcome{reason: "the service could not write the document: " + err.Error()})
	}
	if body.Len() > s.limits.Bytes && len(b.items) > 1 {
		return s.smaller(sub, p, len(b.items)) // a document larger than was reckoned with
	}
	started := s.o.Clock.Now()
	out := s.sender.post(ctx, &sub.rec, p.Pending.ID, started, body.Bytes())
	if ctx.Err() != nil {
		return nil //nolint:nilerr // told to stop: it is sent again
	}
	if err := s.step("after sending"); err != nil {
		return err
	}
	s.mu.Lock()
	sub.slow = s.o.Clock.Now().Sub(started) > s.limits.SlowAfter || out.took > s.limits.SlowAfter
	s.mu.Unlock()
	s.m.took.Observe(out.took.Seconds())
	switch {
	case out.ok:
		s.m.deliveries.WithLabelValues("ok").Inc()
		s.m.events.Add(float64(len(b.items)))
		return s.delivered(sub, p, true)
	case out.tooLarge && len(b.items) > 1:
		s.m.deliveries.WithLabelValues("too_large").Inc()
		return s.smaller(sub, p, len(b.items))
	default:
		s.m.deliveries.WithLabelValues("failed").Inc()
		return s.failed(ctx, sub, p, out)
	}
}

// delivered moves on. acknowledged: the receiver has answered, and not that there was nothing left
// to send.
func (s *Service) delivered(sub *subscription, p progress, acknowledged bool) error {
	if !p.FailingSince.IsZero() {
		s.o.Log.Info("a webhook answers again", "subscription", sub.rec.ID, "host", hostOf(sub.rec.Dest), "failures", p.Failures)
	}
	done := p.Pending
	p.cursor, p.Pending = done.Next, nil
	if acknowledged {
		p.NotifiedAt = s.now()
		p.Failures, p.FailingSince, p.RetryAt, p.LastError = 0, time.Time{}, time.Time{}, ""
		if p.Limit > 0 {
			p.Kept++
		}
		if p.Kept >= grow {
			p.Limit, p.Kept = p.Limit*2, 0
			if p.Limit >= s.limits.Events {
				p.Limit = 0
			}
		}
	}
	if done.Ends {
		p.MinRecordTime = latest(p.MinRecordTime, done.Head)
		if !done.RunAt.IsZero() {
			p.LastRun = done.RunAt
		}
	}
	if err := s.save(sub, p); err != nil {
		return err
	}
	s.mu.Lock()
	sub.waitTill = time.Time{}
	if sub.run != nil {
		sub.run.sent++
	}
	s.mu.Unlock()
	if done.Ends && sub.rec.Schedule != nil {
		s.endRun(sub, p.LastRun)
	}
	return s.step("after acknowledgement")
}

// smaller gives a batch up that is too large, for one of half as many events.
func (s *Service) smaller(sub *subscription, p progress, n int) error {
	p.Limit, p.Kept, p.Pending = max(n/2, 1), 0, nil
	return s.save(sub, p)
}

// failed waits for longer each time, and never gives up.
func (s *Service) failed(ctx context.Context, sub *subscription, p progress, out outcome) error {
	now := s.now()
	p.Failures++
	p.LastError = out.reason
	was := s.state(&p, now)
	if p.FailingSince.IsZero() {
		p.FailingSince = now
	}
	p.RetryAt = now.Add(max(s.backoff(p.Failures), out.retryAfter))
	if s.state(&p, now) == stateFailing && was != stateFailing {
		s.o.Log.WarnContext(ctx, "a webhook has failed for days; deliveries to it are tried for as long as it is subscribed", "subscription", sub.rec.ID,
			"host", hostOf(sub.rec.Dest), "since", p.FailingSince, "failures", p.Failures, "err", p.LastError)
	} else {
		s.o.Log.DebugContext(ctx, "a webhook failed", "subscription", sub.rec.ID, "host", hostOf(sub.rec.Dest), "failures", p.Failures, "err", p.LastError)
	}
	if err := s.save(sub, p); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.waitTill = p.RetryAt
	return nil
}

// backoff doubles up to a bound; the half of it is random, so that receivers that failed together are not called together.
func (s *Service) backoff(failures int) time.Duration {
	d := s.limits.MaxRetry
	if n := failures - 1; n < 30 {
		d = min(d, s.limits.MinRetry<<n)
	}
	return d/2 + time.Duration(s.o.Random()*float64(d/2))
}

// The states of a subscription, as GET tells them.
const (
	stateActive   = "active"
	stateRetrying = "retrying"
	stateFailing  = "failing"
)

func (s *Service) state(p *progress, now time.Time) string {
	switch {
	case p.Failures == 0:
		return stateActive
	case !p.FailingSince.IsZero() && now.Sub(p.FailingSince) >= s.limits.FailingAfter:
		return stateFailing
	}
	return stateRetrying
}

// hostOf is what of a destination may stand in a log: its path may hold a secret.
func hostOf(dest string) string {
	u, err := url.Parse(dest)
	if err != nil {
		return ""
	}
	return u.Host
}

// writeOptions are those of a GS1-EPC-Format.
func writeOptions(format string) epcis.WriteOptions {
	o := epcis.WriteOptions{Format: epcis.FormatJSON}
	switch format {
	case "", alwaysDigitalLink:
		o.EPC = epcis.DigitalLink
	case alwaysURN:
		o.EPC = epcis.URN
	}
	return o
}
