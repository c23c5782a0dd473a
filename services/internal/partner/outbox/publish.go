package outbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/partner/journal"
)

const (
	minDelay = time.Second
	maxDelay = time.Minute
)

// publish sends a queue's rows in counter order, one message or one batch at a time.
func (o *Outbox) publish(ctx context.Context, q *keyQueue) error {
	if !o.awaitEpoch(ctx) {
		return nil
	}
	var checked time.Time // when the stream was last seen to be ours
	for {
		o.mu.Lock()
		delay := q.delay
		o.mu.Unlock()
		if delay > 0 {
			select {
			case <-o.cfg.Clock.After(delay):
			case <-ctx.Done():
				return nil
			}
		}
		rows := o.next(q)
		if len(rows) == 0 {
			select {
			case <-q.wake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if o.cfg.Clock.Now().Sub(checked) >= streamCheck {
			if err := o.sameStream(ctx); err != nil {
				o.mu.Lock()
				q.delay = streamCheck
				o.mu.Unlock()
				continue
			}
			checked = o.cfg.Clock.Now()
		}
		if err := o.cfg.Step("publish: before send"); err != nil {
			return err
		}
		acks, err := o.send(ctx, q, rows)
		if stop := o.cfg.Step("publish: before ack is stored"); stop != nil {
			return stop
		}
		o.metrics.acks.Add(float64(len(acks)))
		if stop := o.acked(q, rows, acks, err); stop != nil {
			return stop
		}
		if err != nil {
			checked = time.Time{} // the stream may have gone with the line
		}
		switch {
		case err == nil, ctx.Err() != nil: // the loop sees the end by itself
		case bus.Temporary(err):
			o.cfg.Log.Info("broker did not take a submission, will try again", "party", q.party, "err", err)
		default:
			o.cfg.Log.Error("broker refuses a submission; it stays in the outbox and is tried again", "party", q.party, "err", err)
		}
	}
}

// awaitEpoch waits until the stream has its first message: were it one of ours, the network could never start. false:
// ctx ended first.
func (o *Outbox) awaitEpoch(ctx context.Context) bool {
	for {
		last, err := o.cfg.Bus.LastSeq(ctx)
		if err == nil && last >= 1 && o.sameStream(ctx) == nil {
			return true
		}
		select {
		case <-o.cfg.Clock.After(100 * time.Millisecond):
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
func (o *Outbox) sameStream(ctx context.Context) error {
	o.mu.Lock()
	followed := o.followedSeq
	o.mu.Unlock()
	if followed == 0 {
		return nil
	}
	last, err := o.cfg.Bus.LastSeq(ctx)
	why := ""
	switch {
	case errors.Is(err, bus.ErrGone):
		why = streamGone
	case err != nil:
		return nil //nolint:nilerr // it cannot be reached, which publishing finds out by itself
	case last < followed:
		why = fmt.Sprintf("%s (it ends at message %d, a certified block holds %d)", streamOther, last, followed)
	}
	before := o.astray.Swap(&why)
	switch was := before != nil && *before != ""; {
	case why != "" && !was:
		o.cfg.Log.Error("nothing is published any more; captures are kept in the outbox", "reason", why)
	case why == "" && was:
		o.cfg.Log.Warn("the stream is back; the outbox is published again")
	}
	if why != "" {
		return errors.New(why)
	}
	return nil
}

// Ready is nil unless the stream is not the one that the certified blocks came from.
func (o *Outbox) Ready(context.Context) error {
	if why := o.astray.Load(); why != nil && *why != "" {
		return errors.New("captures are kept, and not published: " + *why)
	}
	return nil
}

// next picks the rows of the next send: all that wait, up to what one batch may hold.
func (o *Outbox) next(q *keyQueue) []*row {
	o.mu.Lock()
	defer o.mu.Unlock()
	var rows []*row
	size := 0
	for _, r := range q.queue {
		if len(rows) == bus.MaxBatch || size+r.size > bus.MaxBatchBytes && len(rows) > 0 {
			break
		}
		rows = append(rows, r)
		size += r.size
	}
	return rows
}

// payload reads the message of a row; journal.ErrNotFound: its verdict is certified.
func (o *Outbox) payload(r *row) ([]byte, error) {
	payload, err := o.j.Row(r.queue.id, r.counter)
	if err != nil || r.file == "" {
		return payload, err
	}
	payload, err = os.ReadFile(filepath.Join(o.cfg.Spool, r.file))
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := o.j.Row(r.queue.id, r.counter); errors.Is(gone, journal.ErrNotFound) {
			return nil, gone // judged in the meantime
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return payload, nil
}

// send publishes rows and returns the acks of the first ones that are certain.
func (o *Outbox) send(ctx context.Context, q *keyQueue, rows []*row) ([]bus.Ack, error) {
	payloads := make([][]byte, 0, len(rows))
	for _, r := range rows {
		p, err := o.payload(r)
		if errors.Is(err, journal.ErrNotFound) {
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
		a, err := o.cfg.Bus.Publish(ctx, q.party, payloads[0])
		if err != nil {
			return nil, err
		}
		return []bus.Ack{a}, nil
	}
	return o.cfg.Bus.PublishBatch(ctx, q.party, payloads)
}

// acked records where the broker stored rows. A "duplicate" only says where an earlier copy is: the verdict is what
// counts, and that comes from a block.
func (o *Outbox) acked(q *keyQueue, rows []*row, acks []bus.Ack, failed error) error {
	w := &journal.Write{}
	var jobs []uuid.UUID
	o.mu.Lock()
	if failed != nil || len(acks) == 0 { // none and no error: a row's verdict is being stored just now
		q.delay = min(max(2*q.delay, minDelay), maxDelay)
	} else {
		q.delay = 0
	}
	var late []*row
	for i, a := range acks {
		r := rows[i]
		if q.rows[r.counter] != r {
			continue // judged already
		}
		q.dequeue(r)
		r.seq = a.Seq
		q.bySeq[a.Seq] = r
		r.rec.State, r.rec.Seq = journal.Accepted, a.Seq
		w.PutPart(r.job, r.part, &r.rec)
		jobs = append(jobs, r.job)
		if a.Seq <= o.followedSeq {
			late = append(late, r)
		}
	}
	if len(jobs) > 0 {
		o.j.Submit(w)
	}
	o.mu.Unlock()
	if len(jobs) == 0 {
		return nil
	}
	if err := w.Wait(); err != nil {
		return err
	}
	if err := o.cfg.Step("publish: after ack is stored"); err != nil {
		return err
	}
	o.Changed(jobs...)
	for _, r := range late {
		if err := o.judgeLate(r); err != nil {
			return err
		}
	}
	return nil
}
