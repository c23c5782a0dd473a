package capture

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox"
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

// leaveOut takes an event out that was to be recorded.
func (p *plan) leaveOut(event int) {
	i := sort.Search(len(p.Parts), func(i int) bool { return int(p.Parts[i].First) > event }) - 1
	if p.Parts[i].Events--; p.Parts[i].Events > 0 {
		return
	}
	// The header goes with the first part, and need not fit the one that becomes it.
	p.HeaderAlone = p.HeaderAlone || i == 0 && len(p.Header) > 0
	p.Parts = slices.Delete(p.Parts, i, i+1)
}

func spoolName(job uuid.UUID) string { return job.String() + spoolExt }

// keepPlanned makes a document that is divided durable; it is the job's once the draft is stored.
func (s *Service) keepPlanned(d *draft.Draft, b *body) error {
	s.mu.Lock()
	full := len(s.spooled) >= maxSpooled
	s.mu.Unlock()
	if full {
		return busy("%d documents wait for being divided into submissions", maxSpooled)
	}
	if err := s.keep(b, spoolName(d.Job)); err != nil {
		return notStored(err)
	}
	if err := s.step("divide: spooled"); err != nil {
		b.file = "" // a killed service removes nothing
		return err
	}
	d.Stored = func() { b.file = "" }
	return nil
}

// divideLater leaves a job that is durable to the worker.
func (s *Service) divideLater(job uuid.UUID) {
	s.mu.Lock()
	s.spooled = append(s.spooled, job)
	s.whole[job] = true
	s.mu.Unlock()
	select {
	case s.spoolWake <- struct{}{}:
	default:
	}
}

// Divided returns a function that reports whether all documents that wait now for being divided are.
func (s *Service) Divided() func() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := slices.Clone(s.spooled)
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !slices.ContainsFunc(waiting, func(job uuid.UUID) bool { return slices.Contains(s.spooled, job) })
	}
}

// loadSpool finds the documents that are not divided yet, and removes files that belong to none.
func (s *Service) loadSpool() error {
	if err := os.MkdirAll(s.cfg.Spool, 0o700); err != nil {
		return fmt.Errorf("make spool: %w", err)
	}
	var err error
	if s.spooled, err = s.cfg.Journal.Plans(); err != nil {
		return err
	}
	files, err := os.ReadDir(s.cfg.Spool)
	if err != nil {
		return fmt.Errorf("read spool: %w", err)
	}
	needed := map[string]bool{}
	for _, job := range s.spooled {
		needed[spoolName(job)] = true
	}
	for _, f := range files {
		name := f.Name()
		if ext := filepath.Ext(name); needed[name] || ext != uploadExt && ext != spoolExt {
			continue
		}
		if err := os.Remove(filepath.Join(s.cfg.Spool, name)); err != nil {
			return fmt.Errorf("clean spool: %w", err)
		}
	}
	return nil
}

// Run divides documents until ctx ends or something is broken that going on would hide.
func (s *Service) Run(ctx context.Context) error {
	for {
		s.mu.Lock()
		var job uuid.UUID
		if len(s.spooled) > 0 {
			job = s.spooled[0]
		}
		s.mu.Unlock()
		if job == (uuid.UUID{}) {
			select {
			case <-s.spoolWake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		if err := s.divideJob(ctx, job); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the next start goes on
			}
			return fmt.Errorf("divide documents: %w", err)
		}
		s.mu.Lock()
		s.spooled = s.spooled[1:]
		delete(s.whole, job)
		s.mu.Unlock()
	}
}

// brokenError says why a document that was captured cannot be divided. It is told with the job.
type brokenError struct{ why string }

func (b *brokenError) Error() string { return b.why }

func broken(format string, args ...any) error { return &brokenError{fmt.Sprintf(format, args...)} }

func (s *Service) divideJob(ctx context.Context, job uuid.UUID) error {
	var p plan
	if err := s.cfg.Journal.Plan(job, &p); err != nil {
		return err
	}
	v := &divider{s: s, ctx: ctx, job: job, plan: &p}
	err := v.divide()
	if b, ok := errors.AsType[*brokenError](err); ok {
		// Nothing is judged that cannot be shown: the parts that were made stand, the rest is told to be missing.
		s.cfg.Log.Error("a captured document cannot be divided; its job tells which events are missing", "job", job, "made", v.made, "of", p.count(), "reason", b.why)
		err = s.cfg.Journal.Break(job, journal.Broken{Why: b.why, At: s.cfg.Clock.Now().UTC()})
	}
	if err != nil {
		return err
	}
	if err := s.step("divide: done"); err != nil {
		return err
	}
	s.cfg.Outbox.Changed(job)
	if err := os.Remove(filepath.Join(s.cfg.Spool, spoolName(job))); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.cfg.Log.Warn("a file of the spool was not removed; the next start does it", "err", err)
	}
	return nil
}

// divider makes the parts of one document.
type divider struct {
	s    *Service
	ctx  context.Context //nolint:containedctx // of the worker, whose only work this is
	job  uuid.UUID
	plan *plan
	made int // parts that are stored
}

func (v *divider) divide() error {
	s := v.s
	var err error
	if v.made, err = s.cfg.Journal.Made(v.job); err != nil {
		return err
	}
	if v.made == v.plan.count() {
		return nil // killed between the last part and here: cannot be, they are one write; a plan of no parts neither
	}
	f, err := os.Open(filepath.Join(s.cfg.Spool, spoolName(v.job)))
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
		if err := v.make(0, nil); err != nil {
			return err
		}
	}
	r := partReader{ctx: v.ctx, job: v.job, plan: v.plan, part: v.make, skip: func(number uint16) bool { return int(number) < v.made }}
	return r.read(f)
}

// verify makes sure that a file from before a stop is what was checked.
func (v *divider) verify(f *os.File) error {
	v.s.mu.Lock()
	known := v.s.whole[v.job]
	v.s.mu.Unlock()
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
	v.s.mu.Lock()
	v.s.whole[v.job] = true
	v.s.mu.Unlock()
	return nil
}

// partReader reads a document again, part by part as the plan has it.
type partReader struct {
	ctx  context.Context //nolint:containedctx // of whoever reads, who does nothing beside it
	job  uuid.UUID
	plan *plan
	skip func(number uint16) bool // says which parts are not wanted; nil: all are
	part func(number uint16, items []draft.Item) error

	at    int // the run of events being gathered, an index of plan.Parts
	items []draft.Item
}

func (r *partReader) read(from io.Reader) error {
	_, err := epcisdoc.Read(from, readOptions(), epcis.Handler{Event: r.event})
	if pe, ok := errors.AsType[*epcis.ParseError](err); ok {
		return broken("it reads differently than when it was checked (%s)", pe.Error())
	}
	if err != nil {
		return err //nolint:wrapcheck // of r.part, or of the reader, which says what it read
	}
	return r.flush()
}

func (r *partReader) skips() bool { return r.skip != nil && r.skip(r.plan.numbered(r.at)) }

func (r *partReader) event(at epcis.EventAt) error {
	if err := r.ctx.Err(); err != nil {
		return fmt.Errorf("divide document: %w", err)
	}
	if r.plan.Refused.has(at.Index) {
		return nil
	}
	if next := r.at + 1; next < len(r.plan.Parts) && at.Index >= int(r.plan.Parts[next].First) {
		if err := r.flush(); err != nil {
			return err
		}
		r.at = next
	}
	if r.skips() {
		return nil
	}
	ev := at.Event
	it := eventItem(&ev, r.job, at.Index)
	it.Line, it.Column = at.Line, at.Column
	r.items = append(r.items, it)
	return nil
}

// flush hands over the part whose events have been gathered.
func (r *partReader) flush() error {
	if r.skips() {
		return nil
	}
	number := r.plan.numbered(r.at)
	if want := r.plan.Parts[r.at].Events; len(r.items) != int(want) {
		return broken("part %d has %d events where %d were checked", number, len(r.items), want)
	}
	err := r.part(number, r.items)
	r.items = nil
	return err
}

// make stores a part: with its header if it is the first.
func (v *divider) make(number uint16, items []draft.Item) error {
	if number == 0 && len(v.plan.Header) > 0 {
		head, err := wire.DecodeBody(v.plan.Header)
		if err != nil || len(head) != 1 {
			return broken("its plan is damaged")
		}
		items = append([]draft.Item{draft.Registration(wire.KindDocumentHeader, head[0].Message, "")}, items...)
	}
	if err := v.await(); err != nil {
		return err
	}
	sealed := make([][]commit.SealedValue, len(items))
	for i := range items {
		values, err := v.s.cfg.Sealer.Seal(&items[i].Item)
		if err != nil {
			return broken("event %d cannot be encoded any more: %s", items[i].Info.Event, err)
		}
		sealed[i] = values
	}
	err := v.s.cfg.Outbox.AddPart(v.job, number, v.plan.count(), items, sealed)
	if _, unsigned := errors.AsType[*outbox.SignError](err); unsigned {
		return broken("part %d cannot be signed: %s", number, err)
	}
	if err != nil {
		return err
	}
	v.made = int(number) + 1
	return nil
}

// await holds the worker back: the broker may be away, and the disk full of what it has not taken.
func (v *divider) await() error {
	s := v.s
	for told := false; ; {
		changed, done := s.cfg.Outbox.Watch(v.job)
		var retry <-chan time.Time
		if s.cfg.Outbox.Unacknowledged(v.job) < ahead {
			err := s.space(submission.MaxMessage)
			if err == nil {
				done()
				return nil
			}
			if !told {
				s.cfg.Log.Error("a captured document waits for room on the disk", "job", v.job, "err", err)
			}
			told = true
			retry = s.cfg.Clock.After(time.Second)
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
