package outbox

import (
	"context"
	"errors"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/partner/journal"
)

// acknowledgedBeforeStart lists the rows that were acknowledged before a stop and whose block was
// followed before it too. It is called before anything is published: a row that is acknowledged
// later is judged by who records its ack, and a row has one judge. mu is held.
func (o *Outbox) acknowledgedBeforeStart() (late []*row) {
	for _, q := range o.queues {
		for seq, r := range q.bySeq {
			if seq <= o.followedSeq {
				late = append(late, r)
			}
		}
	}
	return late
}

// follow judges the rows in late, then checks every certified block and takes from it the verdicts
// on our own submissions.
func (o *Outbox) follow(ctx context.Context, late []*row) error {
	for _, r := range late {
		if err := o.judgeLate(r); err != nil {
			return err
		}
	}
	delay := minDelay
	for {
		err := o.cfg.Bus.ConsumeBlocks(ctx, o.Height()+1, func(_ uint64, raw []byte) (bool, error) {
			delay = minDelay
			taken, err := o.block(raw)
			if err != nil {
				err = &halt{err}
			}
			return taken, err
		})
		if h, ok := errors.AsType[*halt](err); ok {
			return h.err
		}
		if ctx.Err() == nil {
			o.cfg.Log.Info("blocks cannot be read now, will try again", "err", err)
		}
		select {
		case <-o.cfg.Clock.After(delay):
			delay = min(2*delay, maxDelay)
		case <-ctx.Done():
			return nil
		}
	}
}

// halt is an error of ours, as opposed to the broker's.
type halt struct{ err error }

func (h *halt) Error() string { return h.err.Error() }
func (h *halt) Unwrap() error { return h.err }

// block follows one record. What does not verify is not taken: a good copy may come.
func (o *Outbox) block(raw []byte) (taken bool, err error) {
	rec, err := consensus.DecodeBlockRecord(raw)
	if err != nil {
		o.cfg.Log.Warn("a block record is unreadable and was skipped", "err", err)
		return false, nil
	}
	ov := state.NewOverlay(o.j.Light())
	chain, err := consensus.NewLightChain(o.cfg.Genesis, ov)
	if err != nil {
		return false, err
	}
	cb, err := chain.Append(rec)
	switch {
	case errors.Is(err, consensus.ErrOld):
		return false, nil
	case errors.Is(err, consensus.ErrRecord), errors.Is(err, consensus.ErrGap):
		o.cfg.Log.Warn("a block record does not verify and was skipped", "err", err)
		return false, nil
	case err != nil:
		return false, err
	}
	if err := o.cfg.Step("follow: before commit"); err != nil {
		return false, err
	}
	w := &journal.Write{}
	w.PutLight(ov.WriteSet())
	outcomes, err := o.settle(w, cb, raw)
	if err != nil {
		return false, err
	}
	if err := w.Wait(); err != nil {
		return false, err
	}
	o.clear(outcomes...)
	o.metrics.height.Set(float64(cb.Header.Height))
	if err := o.cfg.Step("follow: after commit"); err != nil {
		return false, err
	}
	for _, x := range outcomes {
		o.Changed(x.row.job)
	}
	return true, nil
}

// settle judges our submissions in a block, and hands the journal what that changes together with
// w.
func (o *Outbox) settle(w *journal.Write, cb *consensus.CertifiedBlock, raw []byte) (outcomes []*outcome, err error) {
	b := &verifiedBlock{height: cb.Header.Height, first: cb.Header.FirstSeq, rec: cb.Record}
	judged := map[*row]bool{}
	for {
		o.mu.Lock()
		rows := o.acknowledged(cb.Header.FirstSeq, cb.Header.LastSeq, judged)
		if len(rows) == 0 {
			break // mu stays held: no row is acknowledged between the last look and the end of this block
		}
		o.mu.Unlock()
		for _, r := range rows { // others may be acknowledged meanwhile: the next round judges them
			x, err := o.judge(r, b)
			if err != nil {
				return nil, err
			}
			judged[r] = true
			outcomes = append(outcomes, x)
		}
		if err := o.cfg.Step("follow: judged"); err != nil {
			return nil, err
		}
	}
	defer o.mu.Unlock()
	for _, x := range outcomes {
		x.apply(w)
	}
	o.retain(w, b.height, raw)
	o.followed, o.followedSeq = cb.Header.Height, cb.Header.LastSeq
	o.j.Submit(w)
	return outcomes, nil
}

// acknowledged lists the rows that the broker says are in a range of sequences, in order, but for
// those judged already. mu is held.
func (o *Outbox) acknowledged(first, last uint64, judged map[*row]bool) (rows []*row) {
	for seq := first; seq <= last; seq++ {
		for _, q := range o.queues {
			if r := q.bySeq[seq]; r != nil && !judged[r] {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// maxPruned bounds what one block may delete: after a long outage there is much to forget.
const maxPruned = 1000

// retain decides whether a block must be kept: as long as a row is outstanding, one of its copies
// may be in it. mu is held.
func (o *Outbox) retain(w *journal.Write, height uint64, raw []byte) {
	oldest, outstanding := height, false
	for _, q := range o.queues {
		for _, r := range q.rows {
			oldest, outstanding = min(oldest, r.base), true
		}
	}
	if outstanding {
		w.PutBlock(height, raw)
	}
	for range maxPruned {
		if o.lowest > oldest || o.lowest >= height {
			break
		}
		w.DropBlock(o.lowest)
		o.lowest++
	}
}
