package capture

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

// A document that needs more than one submission is divided behind the answer. What the answer rests on is durable before it: the
// document, in a file of the spool, and the plan, which says where each part begins. A worker then reads the document a second time and
// makes the parts in order. The plan, not what the worker happens to find, says what is in a part: it made a part when its outbox row,
// its record and its sealed values are stored, which is one write, so that after a crash it goes on with the first part that has no
// record. Ids of events and of the group follow from the job. The plan is deleted with the last part, the file after it.

// plan is how a document is divided.
type plan struct {
	Size        int64      `json:"size"`
	Sum         []byte     `json:"sum"`              // SHA-256 of the document
	Header      []byte     `json:"header,omitempty"` // a body with the document header alone, not sealed
	HeaderAlone bool       `json:"headerAlone,omitempty"`
	Parts       []planPart `json:"parts"`
	Refused     bitmap     `json:"refused,omitempty"` // events that are left out
}

// planPart is a run of good events: those from First on, up to the next part.
type planPart struct {
	First  uint32 `json:"f"`
	Events uint32 `json:"n"`
}

const (
	// maxPlanned is how many submissions are made of one document.
	maxPlanned = 8192
	// ahead is how many parts may wait for the broker's ack.
	ahead = 8
	// faultsPerChunk keeps records of a readable size.
	faultsPerChunk = 500
)

// count is how many parts there are.
func (p *plan) count() int {
	if p.HeaderAlone {
		return len(p.Parts) + 1
	}
	return len(p.Parts)
}

// numbered is the number of the i-th run of events.
func (p *plan) numbered(i int) uint16 {
	if p.HeaderAlone {
		i++
	}
	return uint16(i)
}

func spoolName(job uuid.UUID) string { return job.String() + spoolExt }

func partName(job uuid.UUID, part uint16) string { return fmt.Sprintf("%s-%d%s", job, part, partExt) }

// writePart makes the message of a part durable.
func (e *Engine) writePart(name string, payload []byte) error {
	f, err := os.OpenFile(filepath.Join(e.spool, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotStored, err)
	}
	_, err = f.Write(payload)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%w: %w", errNotStored, err)
	}
	return syncDir(e.spool)
}

// readHead reads how the message of a part begins: its header and signature, and how long it is.
func (e *Engine) readHead(name string) (head []byte, size int, err error) {
	f, err := os.Open(filepath.Join(e.spool, name))
	if err != nil {
		return nil, 0, fmt.Errorf("read outbox: %w; put the spool back from where it was kept, it belongs to the outbox", err)
	}
	defer func() { _ = f.Close() }()
	head = make([]byte, headroom)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, fmt.Errorf("read outbox: %w", err)
	}
	i, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("read outbox: %w", err)
	}
	return head[:n], int(i.Size()), nil
}

// forget removes the file of a row whose message is not needed any more.
func (w *write) forget(r *row) {
	if r.file != "" {
		w.gone = append(w.gone, r.file)
	}
}

// remove removes files of the spool; what stays is removed at the next start.
func (e *Engine) remove(names []string) {
	for _, name := range names {
		if err := os.Remove(filepath.Join(e.spool, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			e.cfg.Log.Warn("a file of the spool was not removed; the next start does it", "err", err)
		}
	}
}

// captureDivided makes a document and its plan durable. The worker makes the submissions.
func (e *Engine) captureDivided(d *draft, rec *jobRecord, w *write) error {
	e.mu.Lock()
	full := len(e.spooled) >= maxSpooled
	e.mu.Unlock()
	if full {
		return busy("%d documents wait for being divided into submissions", maxSpooled)
	}
	if err := e.keep(d.body, spoolName(d.job)); err != nil {
		return notStored(err)
	}
	if err := e.cfg.step("divide: spooled"); err != nil {
		d.body.file = "" // a killed service removes nothing
		return err
	}
	rec.Divided = d.plan.count()
	w.putJSON(planKey(d.job), d.plan)
	return nil
}

// divideLater leaves a job that is durable to the worker.
func (e *Engine) divideLater(d *draft) {
	e.mu.Lock()
	e.spooled = append(e.spooled, d.job)
	e.whole[d.job] = true
	e.mu.Unlock()
	select {
	case e.spoolWake <- struct{}{}:
	default:
	}
}

// loadSpool finds the documents that are not divided yet, and removes files that belong to none.
func (e *Engine) loadSpool() error {
	if err := os.MkdirAll(e.spool, 0o700); err != nil {
		return fmt.Errorf("make spool: %w", err)
	}
	if err := e.st.scan(planKeys, "", false, false, func(k string, _ []byte) bool {
		e.spooled = append(e.spooled, uuid.UUID([]byte(k[len(planKeys):])))
		return true
	}); err != nil {
		return err
	}
	files, err := os.ReadDir(e.spool)
	if err != nil {
		return fmt.Errorf("read spool: %w", err)
	}
	needed := map[string]bool{}
	for _, job := range e.spooled {
		needed[spoolName(job)] = true
	}
	for _, l := range e.lanes {
		for _, r := range l.rows {
			needed[r.file] = true
		}
	}
	for _, f := range files {
		name := f.Name()
		if ext := filepath.Ext(name); needed[name] || ext != uploadExt && ext != spoolExt && ext != partExt {
			continue
		}
		if err := os.Remove(filepath.Join(e.spool, name)); err != nil {
			return fmt.Errorf("clean spool: %w", err)
		}
	}
	return nil
}

// divideAll is the worker.
func (e *Engine) divideAll(ctx context.Context) error {
	for {
		e.mu.Lock()
		var job uuid.UUID
		if len(e.spooled) > 0 {
			job = e.spooled[0]
		}
		e.mu.Unlock()
		if job == (uuid.UUID{}) {
			select {
			case <-e.spoolWake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if err := e.divideJob(ctx, job); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the next start goes on
			}
			return err
		}
		e.mu.Lock()
		e.spooled = e.spooled[1:]
		delete(e.whole, job)
		e.mu.Unlock()
	}
}

// brokenError says why a document that was captured cannot be divided. It is told with the job.
type brokenError struct{ why string }

func (b *brokenError) Error() string { return b.why }

func broken(format string, args ...any) error { return &brokenError{fmt.Sprintf(format, args...)} }

func (e *Engine) divideJob(ctx context.Context, job uuid.UUID) error {
	var p plan
	if err := e.st.getJSON(planKey(job), &p); err != nil {
		return err
	}
	v := &divider{e: e, ctx: ctx, job: job, plan: &p}
	err := v.divide()
	if b, ok := errors.AsType[*brokenError](err); ok {
		// Nothing is judged that cannot be shown: the parts that were made stand, the rest is told to be missing.
		e.cfg.Log.Error("a captured document cannot be divided; its job tells which events are missing", "job", job, "made", v.made, "of", p.count(), "reason", b.why)
		w := &write{}
		w.putJSON(brokenKey(job), brokenRecord{Why: b.why, At: e.cfg.Clock.Now().UTC()})
		w.del(planKey(job))
		e.st.submit(w)
		err = w.wait()
	}
	if err != nil {
		return err
	}
	if err := e.cfg.step("divide: done"); err != nil {
		return err
	}
	e.changed(job)
	e.remove([]string{spoolName(job)})
	return nil
}

// divider makes the parts of one document.
type divider struct {
	e     *Engine
	ctx   context.Context //nolint:containedctx // of the worker, whose only work this is
	job   uuid.UUID
	plan  *plan
	made  int // parts that are stored
	at    int // the run of events being gathered, an index of plan.Parts
	items []draftItem
}

func (v *divider) divide() error {
	e := v.e
	if err := e.st.scan(string(append([]byte(partKeys), v.job[:]...)), "", false, false, func(string, []byte) bool {
		v.made++
		return true
	}); err != nil {
		return err
	}
	if v.made == v.plan.count() {
		return nil // killed between the last part and here: cannot be, they are one write; a plan of no parts neither
	}
	f, err := os.Open(filepath.Join(e.spool, spoolName(v.job)))
	if errors.Is(err, os.ErrNotExist) {
		return broken("its file is not in the spool any more")
	}
	if err != nil {
		return fmt.Errorf("read spooled document: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := v.verify(f); err != nil {
		return err
	}
	if v.plan.HeaderAlone && v.made == 0 {
		if err := v.make(0); err != nil {
			return err
		}
	}
	_, err = epcisdoc.Read(f, readOptions(), epcis.Handler{Event: v.event})
	if pe, ok := errors.AsType[*epcis.ParseError](err); ok {
		return broken("it reads differently than when it was checked (%s)", pe.Error())
	}
	if err != nil {
		return err
	}
	return v.flush()
}

// verify makes sure that a file from before a stop is what was checked.
func (v *divider) verify(f *os.File) error {
	v.e.mu.Lock()
	known := v.e.whole[v.job]
	v.e.mu.Unlock()
	if known {
		return nil
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return fmt.Errorf("read spooled document: %w", err)
	}
	if n != v.plan.Size || string(h.Sum(nil)) != string(v.plan.Sum) {
		return broken("its file in the spool is damaged (%d of %d bytes, or another checksum)", n, v.plan.Size)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read spooled document: %w", err)
	}
	v.e.mu.Lock()
	v.e.whole[v.job] = true
	v.e.mu.Unlock()
	return nil
}

func (v *divider) event(at epcis.EventAt) error {
	if err := v.ctx.Err(); err != nil {
		return fmt.Errorf("divide document: %w", err)
	}
	if v.plan.Refused.has(at.Index) {
		return nil
	}
	if next := v.at + 1; next < len(v.plan.Parts) && at.Index >= int(v.plan.Parts[next].First) {
		if err := v.flush(); err != nil {
			return err
		}
		v.at = next
	}
	if int(v.plan.numbered(v.at)) < v.made {
		return nil
	}
	ev := at.Event
	v.items = append(v.items, eventItem(&ev, v.job, at.Index, place{at.Line, at.Column}))
	return nil
}

// flush makes the part whose events have been gathered.
func (v *divider) flush() error {
	number := v.plan.numbered(v.at)
	if int(number) < v.made {
		return nil
	}
	if want := v.plan.Parts[v.at].Events; len(v.items) != int(want) {
		return broken("part %d has %d events where %d were checked", number, len(v.items), want)
	}
	err := v.make(number)
	v.items = nil
	return err
}

// make stores a part: with its header if it is the first.
func (v *divider) make(number uint16) error {
	e := v.e
	items := v.items
	if number == 0 && len(v.plan.Header) > 0 {
		head, err := wire.DecodeBody(v.plan.Header)
		if err != nil || len(head) != 1 {
			return broken("its plan is damaged")
		}
		items = append([]draftItem{{
			item: wire.Item{Kind: wire.KindDocumentHeader, Message: head[0].Message}, meta: itemMeta{Kind: wire.KindDocumentHeader, Event: -1},
		}}, items...)
	}
	if err := v.await(); err != nil {
		return err
	}
	sealed := make([][]commit.SealedValue, len(items))
	for i := range items {
		values, err := e.seal(&items[i].item)
		if err != nil {
			return broken("event %d cannot be encoded any more: %s", items[i].meta.Event, err)
		}
		sealed[i] = values
	}
	w := &write{}
	s := &signing{lane: e.event, job: v.job, onError: submission.Proceed, at: e.cfg.Clock.Now().UTC(), group: v.plan.count()}
	if err := e.signPart(s, w, number, items, sealed, true); err != nil {
		s.forget(e)
		if errors.Is(err, errNotStored) {
			return err
		}
		return broken("part %d cannot be signed: %s", number, err)
	}
	if int(number)+1 == v.plan.count() {
		w.del(planKey(v.job))
	}
	if err := e.store(s, w, "divide"); err != nil {
		return err
	}
	v.made = int(number) + 1
	e.changed(v.job)
	return nil
}

// await holds the worker back: the broker may be away, and the disk full of what it has not taken.
func (v *divider) await() error {
	e := v.e
	for told := false; ; {
		changed, done := e.watch(v.job)
		e.mu.Lock()
		waiting := 0
		for _, r := range e.event.queue {
			if r.job == v.job {
				waiting++
			}
		}
		e.mu.Unlock()
		var retry <-chan time.Time
		if waiting < ahead {
			err := e.space(submission.MaxMessage)
			if err == nil {
				done()
				return nil
			}
			if !told {
				e.cfg.Log.Error("a captured document waits for room on the disk", "job", v.job, "err", err)
			}
			told = true
			retry = e.cfg.Clock.After(minDelay)
		}
		select {
		case <-changed:
		case <-retry:
		case <-v.ctx.Done():
			done()
			return fmt.Errorf("divide document: %w", v.ctx.Err())
		}
		done()
	}
}

// signing is a set of submissions of one job that become durable together.
type signing struct {
	lane    *lane
	job     uuid.UUID
	onError submission.OnError
	at      time.Time
	group   int // submissions of the job
	rows    []*row
	durable func() // called when they are; may be nil
}

// forget gives up rows that were not stored.
func (s *signing) forget(e *Engine) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range s.rows {
		delete(r.lane.rows, r.counter)
	}
}

// signPart signs one submission of a job and adds everything about it to w. alone: its items are listed beside it, not in the job.
func (e *Engine) signPart(s *signing, w *write, number uint16, items []draftItem, sealed [][]commit.SealedValue, alone bool) error {
	sub, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("draw a submission id: %w", err)
	}
	h := submission.Header{Epoch: e.cfg.Genesis.Epoch, Party: s.lane.party, ID: sub, CreatedAt: s.at.UnixMilli(), OnError: s.onError}
	if s.group > 1 {
		h.GroupID, h.GroupIndex, h.GroupCount = s.job, number, uint16(s.group)
	}
	r, payload, err := e.sign(s.lane, h, items, s.job, number)
	if err != nil {
		return err
	}
	s.rows = append(s.rows, r)
	r.rec = partRecord{Lane: r.lane.id, Party: r.lane.party, Counter: r.counter, Base: r.base, At: s.at, State: Captured, Submission: sub, Count: len(items)}
	for i := range items {
		if items[i].meta.Event >= 0 {
			r.rec.Events++
		}
	}
	if alone {
		r.rec.Alone = true
		w.putPacked(metaKey(s.job, number), metas(items))
		r.file = partName(s.job, number)
		if err := e.writePart(r.file, payload); err != nil {
			return err
		}
		payload = nil
	}
	w.put(outKey(r.lane.id, r.counter), encodeOut(s.job, r.part, payload))
	w.putJSON(partKey(s.job, r.part), &r.rec)
	if values := 0; len(sealed) > 0 {
		for _, list := range sealed {
			values += len(list)
		}
		if values > 0 {
			w.put(sealedKeys+string(sub[:]), encodeSealed(sealed))
		}
	}
	return nil
}

func metas(items []draftItem) []itemMeta {
	list := make([]itemMeta, len(items))
	for i := range items {
		list[i] = items[i].meta
	}
	return list
}

// store makes a signing durable with all that is in w, and lets it be published.
func (e *Engine) store(s *signing, w *write, name string) error {
	if err := e.cfg.step(name + ": before commit"); err != nil {
		s.forget(e)
		return err
	}
	e.mu.Lock()
	if len(s.rows) > 0 {
		// Requests that sign at the same time are stored in any order: the highest counter given out so far is what counts.
		w.put(laneKeys+s.lane.id, canonical.U64(nil, s.lane.counter))
	}
	e.st.submit(w)
	e.mu.Unlock()
	if err := w.wait(); err != nil {
		s.forget(e)
		return fmt.Errorf("%w: %w", errNotStored, err)
	}
	if s.durable != nil {
		s.durable()
	}
	if err := e.cfg.step(name + ": after commit"); err != nil {
		return err
	}
	e.mu.Lock()
	for _, r := range s.rows {
		r.lane.enqueue(r)
	}
	e.mu.Unlock()
	return nil
}
