package outbox

import (
	"bytes"
	"errors"
	"fmt"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/partner/journal"
)

// Judging a row reads blocks from disk and may sign, so it happens outside Outbox.mu, and only its
// outcome is applied under it. That is safe because an acknowledged row has one judge: follow, if
// the ack was recorded before the row's block was followed, else who recorded the ack (judgeLate).
// Until an outcome is applied nobody else changes the row.

// outcome is what judging a row comes to.
type outcome struct {
	row   *row
	write journal.Write // what becomes durable with it
	then  func()        // changes the queues; mu is held
	over  bool          // the row's message is not needed any more
}

// apply adds an outcome to what becomes durable next. mu is held.
func (x *outcome) apply(w *journal.Write) {
	x.then()
	w.Add(&x.write)
}

// clear removes the messages that durable outcomes leave behind.
func (o *Outbox) clear(outcomes ...*outcome) {
	for _, x := range outcomes {
		if x.over && x.row.file != "" {
			o.remove(x.row.file)
		}
	}
}

// judge takes row r's verdict from the entry at its acknowledged sequence, which b holds.
func (o *Outbox) judge(r *row, b *verifiedBlock) (*outcome, error) {
	seq := r.seq
	leaf := b.rec.Entries[seq-b.first]
	if !bytes.Equal(leaf, r.leaf(o.n, seq)) {
		payload, err := o.payload(r)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(leaf, block.NotOpenedLeaf(o.n, seq, payload)) {
			// The broker gave our place to another message: it is as if it had never acknowledged.
			o.cfg.Log.Warn("a certified block holds another message where ours was acknowledged; it is sent again", "sequence", seq, "job", r.job)
			return o.resend(r), nil
		}
	}
	v, err := b.verdicts(uint32(seq - b.first))
	if err != nil {
		return nil, err
	}
	if v.code != verdict.CounterUsed && v.code != verdict.CounterGap {
		return o.certify(r, b, seq, v), nil
	}
	first, at, err := o.findFirst(r, b)
	if err != nil {
		return nil, err
	}
	if first != nil {
		v, err := first.verdicts(uint32(at - first.first))
		if err != nil {
			return nil, err
		}
		return o.certify(r, first, at, v), nil
	}
	// Other bytes were judged under our counter (a restored backup), or the counter ran too far ahead.
	return o.signAgain(r)
}

// judgeLate is for an ack that came after its block was followed.
func (o *Outbox) judgeLate(r *row) error {
	o.mu.Lock()
	followed, late := o.followed, r.queue.rows[r.counter] == r && r.seq != 0 && r.seq <= o.followedSeq
	o.mu.Unlock()
	if !late {
		return nil
	}
	b, err := o.holding(r, followed)
	if err != nil {
		return err
	}
	x := o.resend(r) // if no block since its capture holds the sequence, what is there cannot be ours
	if b != nil {
		if x, err = o.judge(r, b); err != nil {
			return err
		}
	}
	if err := o.cfg.Step("late: judged"); err != nil {
		return err
	}
	w := &journal.Write{}
	o.mu.Lock()
	x.apply(w)
	o.j.Submit(w)
	o.mu.Unlock()
	if err := w.Wait(); err != nil {
		return err
	}
	o.clear(x)
	if err := o.cfg.Step("late: after commit"); err != nil {
		return err
	}
	o.Changed(r.job)
	return nil
}

// holding finds the block with r's sequence among those that were followed since its capture; nil
// if there is none.
func (o *Outbox) holding(r *row, followed uint64) (*verifiedBlock, error) {
	for h := followed; h > r.base; h-- {
		b, err := o.stored(h)
		if err != nil {
			return nil, err
		}
		if b != nil && b.first <= r.seq {
			if r.seq >= b.first+uint64(len(b.rec.Entries)) {
				return nil, nil
			}
			return b, nil
		}
	}
	return nil, nil
}

// findFirst looks for a copy of r that was judged, in the blocks since its capture up to and including b.
func (o *Outbox) findFirst(r *row, b *verifiedBlock) (*verifiedBlock, uint64, error) {
	for h := r.base + 1; h <= b.height; h++ {
		at := b
		if h != b.height {
			var err error
			if at, err = o.stored(h); err != nil {
				return nil, 0, err
			}
			if at == nil {
				continue
			}
		}
		for i, leaf := range at.rec.Entries {
			seq := at.first + uint64(i)
			if !bytes.Equal(leaf, r.leaf(o.n, seq)) {
				continue
			}
			v, err := at.verdicts(uint32(i))
			if err != nil {
				return nil, 0, err
			}
			if v.code != verdict.CounterUsed && v.code != verdict.CounterGap {
				return at, seq, nil
			}
		}
	}
	return nil, 0, nil
}

// stored reads a followed block back; nil if it was not kept.
func (o *Outbox) stored(height uint64) (*verifiedBlock, error) {
	raw, err := o.j.Block(height)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := consensus.DecodeBlockRecord(raw)
	if err != nil {
		return nil, fmt.Errorf("stored block %d: %w", height, err)
	}
	h, err := block.DecodeHeader(o.n, rec.Header)
	if err != nil {
		return nil, fmt.Errorf("stored block %d: %w", height, err)
	}
	return &verifiedBlock{height: height, first: h.FirstSeq, rec: rec}, nil
}

// certify ends a row: its verdict is known and certified.
func (o *Outbox) certify(r *row, b *verifiedBlock, seq uint64, v *entryVerdicts) *outcome {
	p := r.rec
	p.State, p.Seq, p.Height, p.Entry, p.DoneAt = journal.Certified, seq, b.height, uint32(seq-b.first), o.cfg.Clock.Now().UTC()
	p.Code = string(v.code)
	x := &outcome{row: r, over: true, then: func() { r.queue.drop(r) }}
	if p.Alone {
		// A job of many parts is asked for often, its single verdicts seldom.
		p.Tally = tallyOf(v, p.Count, p.Events)
		x.write.PutVerdicts(r.job, r.part, v.items)
	} else {
		p.Items = v.items
	}
	x.write.PutPart(r.job, r.part, &p)
	x.write.DropRow(r.queue.id, r.counter)
	if v.code != "" {
		o.metrics.verdicts.WithLabelValues("rejected", string(v.code)).Inc()
	}
	for _, it := range v.items {
		o.metrics.verdicts.WithLabelValues(it.Verdict.String(), it.Code).Inc()
	}
	o.metrics.seconds.Observe(p.DoneAt.Sub(p.At).Seconds())
	return x
}

// resend forgets an ack; the same bytes go out again.
func (o *Outbox) resend(r *row) *outcome {
	p := r.rec
	p.State, p.Seq = journal.Captured, 0
	x := &outcome{row: r, then: func() {
		q := r.queue
		r.rec = p
		if q.bySeq[r.seq] == r {
			delete(q.bySeq, r.seq)
		}
		r.seq = 0
		q.delay = min(max(2*q.delay, minDelay), maxDelay)
		q.enqueue(r)
	}}
	x.write.PutPart(r.job, r.part, &p)
	return x
}

// signAgain gives the same items the next counter of their queue. The old row goes and the new one
// comes in one write, so there is never more than one message that can still be judged.
func (o *Outbox) signAgain(r *row) (*outcome, error) {
	q := r.queue
	if q.signer == nil {
		q = o.event // the key of that queue is gone from the configuration; ours signs from now on
	}
	payload, err := o.payload(r)
	if err != nil {
		return nil, err
	}
	h, raw, err := submission.DecodeHeader(o.n, payload)
	if err != nil {
		return nil, fmt.Errorf("sign again: %w", err)
	}
	items, err := wire.DecodeBody(payload[len(raw)+len(r.sig):])
	if err != nil {
		return nil, fmt.Errorf("sign again: %w", err)
	}
	o.mu.Lock()
	taken := q.take(r.base)
	o.mu.Unlock()
	h.Counter, h.KeyID, h.Party, h.Epoch = taken.counter, q.keyID, q.party, o.cfg.Genesis.Epoch
	again, err := submission.Sign(o.n, h, items, q.signer)
	if err != nil {
		return nil, fmt.Errorf("sign again: %w", err)
	}
	p := r.rec
	p.State, p.Seq, p.Lane, p.Party, p.Counter = journal.Captured, 0, q.id, q.party, taken.counter
	n := &row{queue: q, counter: taken.counter, job: r.job, part: r.part, base: r.base, rec: p}
	if err := n.read(o.n, again); err != nil {
		return nil, err
	}
	x := &outcome{row: r, over: true}
	x.write.DropRow(r.queue.id, r.counter)
	x.write.PutRow(q.id, n.counter, n.job, n.part, again)
	x.write.PutPart(r.job, r.part, &p)
	x.then = func() {
		r.queue.drop(r)
		q.rows[n.counter] = n
		q.enqueue(n)
		x.write.PutCounter(q.id, q.counter)
	}
	o.cfg.Log.Warn("a submission's counter was used before; it is signed again with the next", "job", r.job, "was", r.counter, "is", n.counter)
	return x, nil
}

// verifiedBlock is a block that was followed.
type verifiedBlock struct {
	height, first uint64
	rec           *consensus.BlockRecord
	byEntry       map[uint32]*entryVerdicts
}

// tallyOf counts what a submission of count items, the last events of which are events, was given.
func tallyOf(v *entryVerdicts, count, events int) *journal.Tally {
	t := &journal.Tally{}
	for i := range count {
		code := block.Rejected
		if i < len(v.items) {
			code = v.items[i].Verdict
		}
		t.Add(code, i >= count-events)
	}
	return t
}

// entryVerdicts is what a block says of one entry.
type entryVerdicts struct {
	code  verdict.Code // verdict on the whole entry, or ""
	items []journal.ItemVerdict
}

// verdicts sorts the block's verdict leaves by entry, once.
func (b *verifiedBlock) verdicts(entry uint32) (*entryVerdicts, error) {
	if b.byEntry == nil {
		b.byEntry = map[uint32]*entryVerdicts{}
		for _, leaf := range b.rec.Verdicts {
			x, err := block.DecodeVerdictLeaf(leaf)
			if err != nil {
				return nil, fmt.Errorf("verdict leaf of block %d: %w", b.height, err)
			}
			b.add(x)
		}
	}
	if v := b.byEntry[entry]; v != nil {
		return v, nil
	}
	return &entryVerdicts{}, nil
}

func (b *verifiedBlock) add(leaf any) {
	var pos canonical.Position
	switch v := leaf.(type) {
	case block.Verdict:
		pos = v.Pos
	case block.Finding:
		pos = v.Pos
	default:
		return // amendments are about earlier blocks
	}
	of := b.byEntry[pos.Entry]
	if of == nil {
		of = &entryVerdicts{}
		b.byEntry[pos.Entry] = of
	}
	if v, ok := leaf.(block.Verdict); ok && pos.Item == canonical.WholeEntry {
		of.code = v.Code
		return
	}
	if pos.Item >= submission.MaxItems {
		return
	}
	for uint32(len(of.items)) <= pos.Item {
		of.items = append(of.items, journal.ItemVerdict{Verdict: block.Rejected}) // until its leaf says otherwise
	}
	it := &of.items[pos.Item]
	switch v := leaf.(type) {
	case block.Verdict:
		it.Verdict, it.Code = v.Verdict, string(v.Code)
	case block.Finding:
		it.Findings = append(it.Findings, journal.Finding{Code: string(v.Code), Severity: v.Severity.String(), Count: v.Count})
	}
}
