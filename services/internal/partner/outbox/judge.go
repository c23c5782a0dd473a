package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

// codes of verdicts on a whole submission that say "not this copy" (docs/spec.md 5.4).
const (
	counterUsed = "COUNTER_USED"
	counterGap  = "COUNTER_GAP"
)

// follow checks every certified block and takes from it the verdicts on our own submissions.
func (e *Engine) follow(ctx context.Context) error {
	// What was acknowledged before a stop may be judged in a block that was followed before it.
	e.mu.Lock()
	var late []*row
	for _, l := range e.lanes {
		for seq, r := range l.bySeq {
			if seq <= e.followedSeq {
				late = append(late, r)
			}
		}
	}
	e.mu.Unlock()
	for _, r := range late {
		if err := e.judgeLate(r); err != nil {
			return err
		}
	}
	delay := minDelay
	for {
		e.mu.Lock()
		from := e.followed + 1
		e.mu.Unlock()
		err := e.cfg.Bus.ConsumeBlocks(ctx, from, func(_ uint64, raw []byte) (bool, error) {
			delay = minDelay
			taken, err := e.block(raw)
			if err != nil {
				err = &halt{err}
			}
			return taken, err
		})
		if h, ok := errors.AsType[*halt](err); ok {
			return h.err
		}
		if ctx.Err() == nil {
			e.cfg.Log.Info("blocks cannot be read now, will try again", "err", err)
		}
		select {
		case <-e.cfg.Clock.After(delay):
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
func (e *Engine) block(raw []byte) (taken bool, err error) {
	rec, err := consensus.DecodeBlockRecord(raw)
	if err != nil {
		e.cfg.Log.Warn("a block record is unreadable and was skipped", "err", err)
		return false, nil
	}
	ov := state.NewOverlay(lightView{e.st})
	chain, err := consensus.NewLightChain(e.cfg.Genesis, ov)
	if err != nil {
		return false, err
	}
	cb, err := chain.Append(rec)
	switch {
	case errors.Is(err, consensus.ErrOld):
		return false, nil
	case errors.Is(err, consensus.ErrRecord), errors.Is(err, consensus.ErrGap):
		e.cfg.Log.Warn("a block record does not verify and was skipped", "err", err)
		return false, nil
	case err != nil:
		return false, err
	}
	if err := e.cfg.step("follow: before commit"); err != nil {
		return false, err
	}
	w := &write{}
	for _, c := range ov.WriteSet() {
		if c.Value == nil {
			w.del(lightKeys + c.Key)
		} else {
			w.put(lightKeys+c.Key, c.Value)
		}
	}
	e.mu.Lock()
	jobs, err := e.settle(w, cb, raw)
	if err == nil {
		e.followed, e.followedSeq = cb.Header.Height, cb.Header.LastSeq
		e.st.submit(w)
	}
	e.mu.Unlock()
	if err != nil {
		return false, err
	}
	if err := w.wait(); err != nil {
		return false, err
	}
	e.remove(w.gone)
	e.metrics.height.Set(float64(cb.Header.Height))
	if err := e.cfg.step("follow: after commit"); err != nil {
		return false, err
	}
	e.changed(jobs...)
	return true, nil
}

// maxPruned bounds what one block may delete: after a long outage there is much to forget.
const maxPruned = 1000

// settle finds the verdicts of own submissions in a block and decides whether the block must be kept: as long as a
// row is outstanding, one of its copies may be in it. Engine.mu is held.
func (e *Engine) settle(w *write, cb *consensus.CertifiedBlock, raw []byte) ([]uuid.UUID, error) {
	var jobs []uuid.UUID
	b := &found{height: cb.Header.Height, first: cb.Header.FirstSeq, rec: cb.Record}
	for seq := cb.Header.FirstSeq; seq <= cb.Header.LastSeq; seq++ {
		for _, l := range e.lanes {
			r := l.bySeq[seq]
			if r == nil {
				continue
			}
			if err := e.judge(w, r, b, seq); err != nil {
				return nil, err
			}
			jobs = append(jobs, r.job)
		}
	}
	height := cb.Header.Height
	oldest, outstanding := height, false
	for _, l := range e.lanes {
		for _, r := range l.rows {
			oldest, outstanding = min(oldest, r.base), true
		}
	}
	if outstanding {
		w.put(blockKey(height), raw)
	}
	for range maxPruned {
		if e.lowest > oldest || e.lowest >= height {
			break
		}
		w.del(blockKey(e.lowest))
		e.lowest++
	}
	return jobs, nil
}

// found is a verified block that we hold.
type found struct {
	height, first uint64
	rec           *consensus.BlockRecord
	byEntry       map[uint32]*entryVerdicts
}

// judge takes row r's verdict from the entry at its acknowledged sequence. Engine.mu is held.
func (e *Engine) judge(w *write, r *row, b *found, seq uint64) error {
	leaf := b.rec.Entries[seq-b.first]
	if !bytes.Equal(leaf, leafOf(e.n, r, seq)) {
		payload, err := e.payload(r)
		if err != nil {
			return err
		}
		if !bytes.Equal(leaf, block.NotOpenedLeaf(e.n, seq, payload)) {
			// The broker gave our place to another message: it is as if it had never acknowledged.
			e.cfg.Log.Warn("a certified block holds another message where ours was acknowledged; it is sent again", "sequence", seq, "job", r.job)
			e.resend(w, r)
			return nil
		}
	}
	v, err := b.verdicts(uint32(seq - b.first))
	if err != nil {
		return err
	}
	if v.code != counterUsed && v.code != counterGap {
		e.certify(w, r, b, seq, v)
		return nil
	}
	first, at, err := e.findFirst(r, b)
	if err != nil {
		return err
	}
	if first != nil {
		v, err := first.verdicts(uint32(at - first.first))
		if err != nil {
			return err
		}
		e.certify(w, r, first, at, v)
		return nil
	}
	// Other bytes were judged under our counter (a restored backup), or the counter ran too far ahead.
	return e.resign(w, r)
}

// findFirst looks for a copy of r that was judged, in the blocks since its capture up to and including b.
func (e *Engine) findFirst(r *row, b *found) (*found, uint64, error) {
	for h := r.base + 1; h <= b.height; h++ {
		at := b
		if h != b.height {
			var err error
			if at, err = e.stored(h); err != nil {
				return nil, 0, err
			}
			if at == nil {
				continue
			}
		}
		for i, leaf := range at.rec.Entries {
			seq := at.first + uint64(i)
			if !bytes.Equal(leaf, leafOf(e.n, r, seq)) {
				continue
			}
			v, err := at.verdicts(uint32(i))
			if err != nil {
				return nil, 0, err
			}
			if v.code != counterUsed && v.code != counterGap {
				return at, seq, nil
			}
		}
	}
	return nil, 0, nil
}

// stored reads a followed block back; nil if it was not kept.
func (e *Engine) stored(height uint64) (*found, error) {
	raw, err := e.st.get(blockKey(height))
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := consensus.DecodeBlockRecord(raw)
	if err != nil {
		return nil, fmt.Errorf("stored block %d: %w", height, err)
	}
	h, err := block.DecodeHeader(e.n, rec.Header)
	if err != nil {
		return nil, fmt.Errorf("stored block %d: %w", height, err)
	}
	return &found{height: height, first: h.FirstSeq, rec: rec}, nil
}

// judgeLate is for an ack that came after its block was followed.
func (e *Engine) judgeLate(r *row) error {
	w := &write{}
	e.mu.Lock()
	if r.lane.rows[r.counter] != r || r.seq == 0 || r.seq > e.followedSeq {
		e.mu.Unlock()
		return nil
	}
	err := func() error {
		for h := e.followed; h > r.base; h-- {
			b, err := e.stored(h)
			if err != nil {
				return err
			}
			if b != nil && b.first <= r.seq {
				if r.seq >= b.first+uint64(len(b.rec.Entries)) {
					break
				}
				return e.judge(w, r, b, r.seq)
			}
		}
		// The sequence lies in a block from before the capture, so what is there cannot be ours.
		e.resend(w, r)
		return nil
	}()
	if err == nil {
		e.st.submit(w)
	}
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if err := w.wait(); err != nil {
		return err
	}
	e.remove(w.gone)
	e.changed(r.job)
	return nil
}

// certify ends a row: its verdict is known and certified.
func (e *Engine) certify(w *write, r *row, b *found, seq uint64, v *entryVerdicts) {
	p := r.rec
	p.State, p.Seq, p.Height, p.Entry, p.DoneAt = Certified, seq, b.height, uint32(seq-b.first), e.cfg.Clock.Now().UTC()
	p.Code = v.code
	if p.Alone {
		// A job of many parts is asked for often, its single verdicts seldom.
		p.Tally = tallyOf(v, p.Count, p.Events)
		w.putPacked(verdictKey(r.job, r.part), v.items)
	} else {
		p.Items = v.items
	}
	w.putJSON(partKey(r.job, r.part), &p)
	w.del(outKey(r.lane.id, r.counter))
	w.forget(r)
	e.drop(r)
	if v.code != "" {
		e.metrics.verdicts.WithLabelValues("rejected", v.code).Inc()
	}
	for _, it := range v.items {
		e.metrics.verdicts.WithLabelValues(verdictName(it.Verdict), it.Code).Inc()
	}
	e.metrics.seconds.Observe(p.DoneAt.Sub(p.At).Seconds())
}

func (e *Engine) drop(r *row) {
	delete(r.lane.rows, r.counter)
	if r.seq != 0 && r.lane.bySeq[r.seq] == r {
		delete(r.lane.bySeq, r.seq)
	}
	r.lane.dequeue(r)
}

// resend forgets an ack; the same bytes go out again.
func (e *Engine) resend(w *write, r *row) {
	p := r.rec
	p.State, p.Seq = Captured, 0
	w.putJSON(partKey(r.job, r.part), &p)
	r.rec = p
	if r.lane.bySeq[r.seq] == r {
		delete(r.lane.bySeq, r.seq)
	}
	r.seq = 0
	r.lane.delay = min(max(2*r.lane.delay, minDelay), maxDelay)
	r.lane.enqueue(r)
}

// resign gives the same items the lane's next counter. The old row goes and the new one comes in one write, so there
// is never more than one message that can still be judged.
func (e *Engine) resign(w *write, r *row) error {
	l := r.lane
	if l.signer == nil {
		l = e.event // the key of that lane is gone from the configuration; ours signs from now on
	}
	payload, err := e.payload(r)
	if err != nil {
		return err
	}
	h, raw, err := submission.DecodeHeader(e.n, payload)
	if err != nil {
		return fmt.Errorf("sign again: %w", err)
	}
	items, err := wire.DecodeBody(payload[len(raw)+len(r.sig):])
	if err != nil {
		return fmt.Errorf("sign again: %w", err)
	}
	p := r.rec
	l.counter++
	h.Counter, h.KeyID, h.Party, h.Epoch = l.counter, l.keyID, l.party, e.cfg.Genesis.Epoch
	again, err := submission.Sign(e.n, h, items, l.signer)
	if err != nil {
		return fmt.Errorf("sign again: %w", err)
	}
	n, err := e.newRow(l, l.counter, r.job, r.part, again)
	if err != nil {
		return err
	}
	n.base = r.base
	w.del(outKey(r.lane.id, r.counter))
	w.forget(r)
	w.put(outKey(l.id, n.counter), encodeOut(n.job, n.part, again))
	w.put(laneKeys+l.id, canonical.U64(nil, n.counter))
	p.State, p.Seq, p.Lane, p.Party, p.Counter = Captured, 0, l.id, l.party, n.counter
	w.putJSON(partKey(r.job, r.part), &p)
	n.rec = p
	e.cfg.Log.Warn("a submission's counter was used before; it is signed again with the next", "job", r.job, "was", r.counter, "is", n.counter)
	e.drop(r)
	l.rows[n.counter] = n
	l.enqueue(n)
	return nil
}

// entryVerdicts is what a block says of one entry.
type entryVerdicts struct {
	code  string // verdict on the whole entry, or ""
	items []itemVerdict
}

// verdicts sorts the block's verdict leaves by entry, once.
func (b *found) verdicts(entry uint32) (*entryVerdicts, error) {
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

func (b *found) add(leaf any) {
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
		of.items = append(of.items, itemVerdict{})
	}
	it := &of.items[pos.Item]
	switch v := leaf.(type) {
	case block.Verdict:
		it.Verdict, it.Code = v.Verdict, v.Code
	case block.Finding:
		it.Findings = append(it.Findings, Finding{Code: v.Code, Severity: severityName(v.Severity), Count: v.Count})
	}
}

// Followed is the newest certified height that this service has checked.
func (e *Engine) Followed(context.Context) (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.followed, nil
}
