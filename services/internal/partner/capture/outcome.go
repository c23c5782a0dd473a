package capture

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/journal"
)

// extent is how much of a job is listed: every outcome if there are at most all of them, else the first some that somebody has to look
// at. Errors are listed up to errors.
type extent struct{ all, some, errors int }

var (
	nothing = extent{}
	inList  = extent{all: 100, some: 20, errors: 20}
	inFull  = extent{all: 20_000, some: 1000, errors: 1000}
)

func (s *Jobs) view(id uuid.UUID, d extent) (*Job, error) {
	rec, err := s.record(id)
	if err != nil {
		return nil, err
	}
	j := &Job{
		CaptureID: id.String(), CaptureErrorBehaviour: behaviour(rec.OnError), CreatedAt: rec.CreatedAt, Kind: rec.Kind, Events: rec.Events,
		Parts: []Part{}, Verdicts: []Verdict{}, Warnings: faults(rec.Warnings), Notes: rec.Notes, Result: rec.Result, State: journal.Indexed,
	}
	last := rec.CreatedAt
	parts, whole, err := s.journal.Parts(id, rec)
	if err != nil {
		return nil, err
	}
	if !whole {
		j.State = journal.Captured
	}
	j.Counts.Refused, j.ErrorCount = refusedEvents(rec), max(rec.Faults, len(rec.Refused))
	j.Judged = j.Counts.Refused
	for i := range parts {
		p := &parts[i]
		j.Parts = append(j.Parts, Part{
			SubmissionID: p.Submission.String(), Party: p.Party, Counter: p.Counter, State: p.State, Items: p.Count,
			Sequence: p.Seq, Height: p.Height, Entry: p.Entry, Code: p.Code,
		})
		j.Submitted += p.Events
		if p.DoneAt.After(last) {
			last = p.DoneAt
		}
		st := p.State
		if st == journal.Certified {
			j.Judged += p.Events
			j.Counts.Plus(p.Tally.Counts)
			j.ErrorCount += p.Tally.Failed
			if s.indexedUpTo(p.Height) {
				st = journal.Indexed
			}
		}
		if st.Before(j.State) {
			j.State = st
		}
	}
	var lost *JobError
	if rec.Divided > len(parts) {
		switch b, err := s.journal.Broken(id); {
		case err == nil:
			j.ErrorCount++
			lost = j.lost(b.Why)
			if b.At.After(last) {
				last = b.At
			}
		case !errors.Is(err, journal.ErrNotFound):
			return nil, err
		}
	}
	j.Running, j.Success = j.State.Before(journal.Certified), j.ErrorCount == 0
	if !j.Running {
		j.FinishedAt = &last
	}
	if d == inList && len(j.Parts) > d.some {
		j.Parts = j.Parts[:d.some]
	}
	if d != nothing {
		if lost != nil {
			j.Errors = append(j.Errors, *lost)
		}
		if err := s.list(j, id, rec, parts, d); err != nil {
			return nil, err
		}
	}
	if len(j.Errors) < j.ErrorCount {
		j.ErrorFile = "/capture/" + j.CaptureID + "/errors"
	}
	return j, nil
}

// lost is the error of a document that was not divided to its end.
func (j *Job) lost(why string) *JobError {
	spec := httpapi.Lookup(httpapi.Internal)
	return &JobError{
		Type: "epcisException:" + spec.EPCIS, Title: spec.Title, Status: spec.Status, Code: string(httpapi.Internal),
		Detail: fmt.Sprintf("the document could not be divided into submissions to its end: %s; %d of %d events were submitted. Send the document again: what is recorded of it already is recognised",
			why, j.Submitted, j.Events),
	}
}

// refusedEvents is how many events were refused; records of earlier versions do not say.
func refusedEvents(rec *journal.Job) int {
	if rec.Faults > 0 {
		return rec.RefusedEvents
	}
	seen := map[int]bool{}
	for _, f := range rec.Refused {
		if f.Event != nil {
			seen[*f.Event] = true
		}
	}
	return len(seen)
}

// advised is what is wrong and what to do about it.
func advised(f *journal.Fault) string {
	if f.Hint == "" {
		return f.Message
	}
	return strings.TrimSuffix(f.Message, ".") + ". What to do: " + f.Hint
}

// list puts the outcomes into a job.
func (s *Jobs) list(j *Job, id uuid.UUID, rec *journal.Job, parts []journal.Part, d extent) error {
	n := j.Counts.Refused
	for i := range parts {
		n += parts[i].Count
	}
	every := n <= d.all
	return s.outcomes(id, rec, parts, !every, func(v *Verdict, f *JobError) error {
		if f != nil && len(j.Errors) < d.errors {
			j.Errors = append(j.Errors, *f)
		}
		if v != nil && (every || v.Verdict != "accepted" && len(j.Verdicts) < d.some) {
			j.Verdicts = append(j.Verdicts, *v)
		}
		if !every && len(j.Errors) >= min(d.errors, j.ErrorCount) && len(j.Verdicts) >= d.some {
			return errEnough
		}
		return nil
	})
}

// errEnough ends a listing.
var errEnough = errors.New("capture: enough")

// outcomes calls fn for everything that became of a job's events, in order: what was refused here, then the verdicts, part by part. Of
// each, v is the verdict and f the error, if it is one; either may be nil. remarkable leaves parts out in which everything was accepted.
func (s *Jobs) outcomes(id uuid.UUID, rec *journal.Job, parts []journal.Part, remarkable bool, fn func(v *Verdict, f *JobError) error) error {
	err := s.refusals(id, rec, fn)
	for i := 0; err == nil && i < len(parts); i++ {
		p := &parts[i]
		if p.State != journal.Certified || remarkable && p.Tally.Accepted == p.Events && p.Tally.Failed == 0 {
			continue
		}
		items, err2 := s.journal.Outcome(id, rec, uint16(i), p)
		if err2 != nil {
			return err2
		}
		err = partOutcomes(p, items, fn)
		p.Items = nil
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (s *Jobs) refusals(id uuid.UUID, rec *journal.Job, fn func(v *Verdict, f *JobError) error) error {
	shown := map[int]bool{}
	list := rec.Refused
	for chunk := 0; ; chunk++ {
		for i := range list {
			f := &list[i]
			var v *Verdict
			if f.Event != nil && !shown[*f.Event] { // one verdict per event, however many faults it has
				shown[*f.Event] = true
				v = &Verdict{Index: f.Event, Kind: "event", Verdict: "refused", Code: f.Code, Detail: advised(f)}
			}
			spec := httpapi.Lookup(httpapi.Code(f.Code))
			if err := fn(v, failure(JobError{Title: spec.Title, Status: spec.Status, Code: f.Code, Detail: f.Message, Event: f.Event, Line: f.Line, Column: f.Column}, spec.EPCIS)); err != nil {
				return err
			}
		}
		if chunk == rec.FaultChunks {
			return nil
		}
		var err error
		if list, err = s.journal.Faults(id, chunk); err != nil {
			return err
		}
	}
}

func failure(e JobError, exception string) *JobError {
	if exception == "" {
		exception = "ValidationException"
	}
	e.Type = "epcisException:" + exception
	return &e
}

// partOutcomes calls fn for the items of a part.
func partOutcomes(p *journal.Part, items []journal.ItemInfo, fn func(v *Verdict, f *JobError) error) error {
	for i := range items {
		it := &items[i]
		v := Verdict{
			Kind: wire.KindName(it.Kind), EventID: it.EventID, LedgerID: it.LedgerID, Type: it.Type, BizStep: it.Step, Subject: it.Subject, Verdict: "rejected", Code: p.Code,
			Position: &canonical.Position{Height: p.Height, Entry: p.Entry, Item: uint32(i)},
		}
		if it.Event >= 0 {
			v.Index = &it.Event
		}
		if i < len(p.Items) {
			v.Verdict, v.Code, v.Findings = p.Items[i].Verdict.String(), p.Items[i].Code, p.Items[i].Findings
		}
		v.Detail = explain(v.Code)
		for k := range v.Findings {
			v.Findings[k].Detail = explain(v.Findings[k].Code)
		}
		var f *JobError
		if v.Verdict == "rejected" {
			f = failure(JobError{
				Title: "The ledger rejected an item", Status: 400, Code: v.Code, Event: v.Index,
				Detail: strings.TrimSpace(fmt.Sprintf("%s rejected at position %s with %s. %s", v.Kind, v.Position, v.Code, v.Detail)),
			}, "")
		}
		if err := fn(&v, f); err != nil {
			return err
		}
	}
	return nil
}
