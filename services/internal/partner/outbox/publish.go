package outbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"verilot.dev/services/internal/node/bus"
)

// Run publishes and follows until ctx ends or something is broken that going on would hide.
func (e *Engine) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e.mu.Lock()
	lanes := make([]*lane, 0, len(e.lanes))
	for _, l := range e.lanes {
		lanes = append(lanes, l)
	}
	e.mu.Unlock()
	var wg sync.WaitGroup
	for _, l := range lanes {
		wg.Go(func() {
			if err := e.publish(ctx, l); err != nil {
				cancel(fmt.Errorf("outbox of %s: %w", l.party, err))
			}
		})
	}
	wg.Go(func() {
		if err := e.divideAll(ctx); err != nil {
			cancel(fmt.Errorf("divide documents: %w", err))
		}
	})
	wg.Go(func() {
		if err := e.follow(ctx); err != nil {
			cancel(fmt.Errorf("follow blocks: %w", err))
		}
	})
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-e.cfg.Clock.After(10 * time.Minute):
				e.st.collect()
			}
		}
	})
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-e.cfg.Clock.After(streamCheck):
				_ = e.sameStream(ctx) // it says so itself
			}
		}
	})
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

const (
	minDelay = time.Second
	maxDelay = time.Minute
)

// publish sends the lane's rows in counter order, one message or one batch at a time.
func (e *Engine) publish(ctx context.Context, l *lane) error {
	if !e.awaitEpoch(ctx) {
		return nil
	}
	var checked time.Time // when the stream was last seen to be ours
	for {
		e.mu.Lock()
		delay := l.delay
		e.mu.Unlock()
		if delay > 0 {
			select {
			case <-e.cfg.Clock.After(delay):
			case <-ctx.Done():
				return nil
			}
		}
		rows := e.next(l)
		if len(rows) == 0 {
			select {
			case <-l.wake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if e.cfg.Clock.Now().Sub(checked) >= streamCheck {
			if err := e.sameStream(ctx); err != nil {
				e.mu.Lock()
				l.delay = streamCheck
				e.mu.Unlock()
				continue
			}
			checked = e.cfg.Clock.Now()
		}
		if err := e.cfg.step("publish: before send"); err != nil {
			return err
		}
		acks, err := e.send(ctx, l, rows)
		if stop := e.cfg.step("publish: before ack is stored"); stop != nil {
			return stop
		}
		e.metrics.acks.Add(float64(len(acks)))
		if stop := e.acked(l, rows, acks, err); stop != nil {
			return stop
		}
		if err != nil {
			checked = time.Time{} // the stream may have gone with the line
		}
		switch {
		case err == nil, ctx.Err() != nil: // the loop sees the end by itself
		case bus.Temporary(err):
			e.cfg.Log.Info("broker did not take a submission, will try again", "party", l.party, "err", err)
		default:
			e.cfg.Log.Error("broker refuses a submission; it stays in the outbox and is tried again", "party", l.party, "err", err)
		}
	}
}

// awaitEpoch waits until the stream has its first message: were it one of ours, the network could never start. false:
// ctx ended first.
func (e *Engine) awaitEpoch(ctx context.Context) bool {
	for {
		last, err := e.cfg.Bus.LastSeq(ctx)
		if err == nil && last >= 1 && e.sameStream(ctx) == nil {
			return true
		}
		select {
		case <-e.cfg.Clock.After(100 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}

// streamCheck is how often the stream is looked at.
const streamCheck = time.Second

// Why nothing is published.
const (
	streamGone  = "the broker has no stream " + bus.Custody + " any more; put the broker's data back from where it was kept, and never create the stream again"
	streamOther = "the broker lost its tail or shows a different history; put the broker's data back, or connect to a broker with the history that the others have"
)

// sameStream fails when the broker shows that its stream is not the one that the certified blocks came from: it is gone, or shorter
// than they are. Publishing into another one would only seem to work. Captures go on into the outbox, and everything goes on by itself
// when the stream is back.
func (e *Engine) sameStream(ctx context.Context) error {
	e.mu.Lock()
	followed := e.followedSeq
	e.mu.Unlock()
	if followed == 0 {
		return nil
	}
	last, err := e.cfg.Bus.LastSeq(ctx)
	why := ""
	switch {
	case errors.Is(err, bus.ErrGone):
		why = streamGone
	case err != nil:
		return nil //nolint:nilerr // it cannot be reached, which publishing finds out by itself
	case last < followed:
		why = fmt.Sprintf("%s (it ends at message %d, a certified block holds %d)", streamOther, last, followed)
	}
	before := e.astray.Swap(&why)
	switch was := before != nil && *before != ""; {
	case why != "" && !was:
		e.cfg.Log.Error("nothing is published any more; captures are kept in the outbox", "reason", why)
	case why == "" && was:
		e.cfg.Log.Warn("the stream is back; the outbox is published again")
	}
	if why != "" {
		return errors.New(why)
	}
	return nil
}

// Ready is nil unless the stream is not the one that the certified blocks came from.
func (e *Engine) Ready(context.Context) error {
	if why := e.astray.Load(); why != nil && *why != "" {
		return errors.New("captures are kept, and not published: " + *why)
	}
	return nil
}

// next picks the rows of the next send: all that wait, up to what one batch may hold.
func (e *Engine) next(l *lane) []*row {
	e.mu.Lock()
	defer e.mu.Unlock()
	var rows []*row
	size := 0
	for _, r := range l.queue {
		if len(rows) == bus.MaxBatch || size+r.size > bus.MaxBatchBytes && len(rows) > 0 {
			break
		}
		rows = append(rows, r)
		size += r.size
	}
	return rows
}

func (e *Engine) payload(r *row) ([]byte, error) {
	b, err := e.st.get(outKey(r.lane.id, r.counter))
	if err != nil {
		return nil, err
	}
	_, _, payload, err := decodeOut(b)
	if err != nil || r.file == "" {
		return payload, err
	}
	payload, err = os.ReadFile(filepath.Join(e.spool, r.file))
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := e.st.get(outKey(r.lane.id, r.counter)); errors.Is(gone, errNotFound) {
			return nil, gone // judged in the meantime
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return payload, nil
}

// send publishes rows and returns the acks of the first ones that are certain.
func (e *Engine) send(ctx context.Context, l *lane, rows []*row) ([]bus.Ack, error) {
	payloads := make([][]byte, 0, len(rows))
	for _, r := range rows {
		p, err := e.payload(r)
		if errors.Is(err, errNotFound) {
			break // its verdict came in the meantime; the next round leaves it out
		}
		if err != nil {
			return nil, err
		}
		payloads = append(payloads, p)
	}
	switch len(payloads) {
	case 0:
		return nil, nil
	case 1:
		a, err := e.cfg.Bus.Publish(ctx, l.party, payloads[0])
		if err != nil {
			return nil, err
		}
		return []bus.Ack{a}, nil
	}
	return e.cfg.Bus.PublishBatch(ctx, l.party, payloads)
}

// acked records where the broker stored rows. A "duplicate" only says where an earlier copy is: the verdict is what
// counts, and that comes from a block.
func (e *Engine) acked(l *lane, rows []*row, acks []bus.Ack, failed error) error {
	w := &write{}
	var jobs []uuid.UUID
	e.mu.Lock()
	if failed != nil || len(acks) == 0 { // none and no error: a row's verdict is being stored just now
		l.delay = min(max(2*l.delay, minDelay), maxDelay)
	} else {
		l.delay = 0
	}
	var late []*row
	for i, a := range acks {
		r := rows[i]
		if l.rows[r.counter] != r {
			continue // judged already
		}
		l.dequeue(r)
		r.seq = a.Seq
		l.bySeq[a.Seq] = r
		r.rec.State, r.rec.Seq = Accepted, a.Seq
		w.putJSON(partKey(r.job, r.part), &r.rec)
		jobs = append(jobs, r.job)
		if a.Seq <= e.followedSeq {
			late = append(late, r)
		}
	}
	if len(jobs) > 0 {
		e.st.submit(w)
	}
	e.mu.Unlock()
	if len(jobs) == 0 {
		return nil
	}
	if err := w.wait(); err != nil {
		return err
	}
	if err := e.cfg.step("publish: after ack is stored"); err != nil {
		return err
	}
	e.changed(jobs...)
	for _, r := range late {
		if err := e.judgeLate(r); err != nil {
			return err
		}
	}
	return nil
}
