package capture

import (
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/edge/httpapi"
)

// extent is how much of a job is listed: every outcome if there are at most all of them, else the first some that somebody has to look
// at. Errors are listed up to errors.
type extent struct{ all, some, errors int }

var (
	nothing = extent{}
	inList  = extent{all: 100, some: 20, errors: 20}
	inFull  = extent{all: 20_000, some: 1000, errors: 1000}
)

// job puts a job together from what is durable.
func (e *Engine) job(id uuid.UUID) (*Job, error) { return e.view(id, inFull) }

func (e *Engine) record(id uuid.UUID) (*jobRecord, error) {
	var rec jobRecord
	err := e.st.getJSON(jobKey(id), &rec)
	if errors.Is(err, errNotFound) {
		return nil, httpapi.NewProblem(httpapi.JobNotFound, "this service has no capture job %s; the id is in the Location header of the 202 answer, and only the service that gave it knows it", id)
	}
	return &rec, err
}

func (e *Engine) view(id uuid.UUID, d extent) (*Job, error) {
	rec, err := e.record(id)
	if err != nil {
		return nil, err
	}
	j := &Job{
		CaptureID: id.String(), CaptureErrorBehaviour: behaviour(rec.OnError), CreatedAt: rec.CreatedAt, Kind: rec.Kind, Events: rec.Events,
		Parts: []Part{}, Verdicts: []Verdict{}, Warnings: rec.Warnings, Notes: rec.Notes, Result: rec.Result, State: Indexed,
	}
	last := rec.CreatedAt
	parts, whole, err := e.parts(id, rec)
	if err != nil {
		return nil, err
	}
	if !whole {
		j.State = Captured
	}
	j.Counts.Refused, j.ErrorCount = rec.refusedEvents(), max(rec.Faults, len(rec.Refused))
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
		if st == Certified {
			j.Judged += p.Events
			j.Counts.plus(p.Tally.Counts)
			j.ErrorCount += p.Tally.Failed
			if e.indexedUpTo(p.Height) {
				st = Indexed
			}
		}
		if st.rank() < j.State.rank() {
			j.State = st
		}
	}
	var lost *JobError
	if rec.Divided > len(parts) {
		var b brokenRecord
		switch err := e.st.getJSON(brokenKey(id), &b); {
		case err == nil:
			j.ErrorCount++
			lost = j.lost(b.Why)
			if b.At.After(last) {
				last = b.At
			}
		case !errors.Is(err, errNotFound):
			return nil, err
		}
	}
	j.Running, j.Success = j.State.rank() < Certified.rank(), j.ErrorCount == 0
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
		if err := e.list(j, id, rec, parts, d); err != nil {
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
func (rec *jobRecord) refusedEvents() int {
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

// parts reads where the submissions of a job stand. whole: they are all there, or no more will come.
func (e *Engine) parts(id uuid.UUID, rec *jobRecord) (list []partRecord, whole bool, err error) {
	for i := range max(len(rec.Parts), rec.Divided) {
		var p partRecord
		err := e.st.getJSON(partKey(id, uint16(i)), &p)
		if errors.Is(err, errNotFound) && rec.Divided > 0 {
			_, err := e.st.get(brokenKey(id))
			if errors.Is(err, errNotFound) {
				return list, false, nil
			}
			return list, true, err
		}
		if err != nil {
			return nil, false, err
		}
		if !p.Alone {
			p.from(&rec.Parts[i])
		}
		list = append(list, p)
	}
	return list, true, nil
}

// from completes the record of a part whose items are listed with the job.
func (p *partRecord) from(m *partMeta) {
	p.Submission, p.Count, p.Events = m.Submission, len(m.Items), 0
	p.Tally = &tally{}
	for i := range m.Items {
		event := m.Items[i].Event >= 0
		if event {
			p.Events++
		}
		code := block.Rejected
		if i < len(p.Items) {
			code = p.Items[i].Verdict
		}
		p.Tally.add(code, event)
	}
}

// list puts the outcomes into a job.
func (e *Engine) list(j *Job, id uuid.UUID, rec *jobRecord, parts []partRecord, d extent) error {
	n := j.Counts.Refused
	for i := range parts {
		n += parts[i].Count
	}
	every := n <= d.all
	return e.outcomes(id, rec, parts, !every, func(v *Verdict, f *JobError) error {
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
func (e *Engine) outcomes(id uuid.UUID, rec *jobRecord, parts []partRecord, remarkable bool, fn func(v *Verdict, f *JobError) error) error {
	err := e.refusals(id, rec, fn)
	for i := 0; err == nil && i < len(parts); i++ {
		p := &parts[i]
		if p.State != Certified || remarkable && p.Tally.Accepted == p.Events && p.Tally.Failed == 0 {
			continue
		}
		var items []itemMeta
		if p.Alone {
			number := uint16(i)
			if err := errors.Join(e.st.getPacked(metaKey(id, number), &items), e.st.getPacked(verdictKey(id, number), &p.Items)); err != nil {
				return err
			}
		} else {
			items = rec.Parts[i].Items
		}
		err = p.outcomes(items, fn)
		p.Items = nil
	}
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (e *Engine) refusals(id uuid.UUID, rec *jobRecord, fn func(v *Verdict, f *JobError) error) error {
	shown := map[int]bool{}
	list := rec.Refused
	for chunk := 0; ; chunk++ {
		for i := range list {
			f := &list[i]
			var v *Verdict
			if f.Event != nil && !shown[*f.Event] { // one verdict per event, however many faults it has
				shown[*f.Event] = true
				v = &Verdict{Index: f.Event, Kind: "event", Verdict: "refused", Code: f.Code, Detail: f.Message}
			}
			spec := httpapi.Lookup(httpapi.Code(f.Code))
			if err := fn(v, failure(JobError{Title: spec.Title, Status: spec.Status, Code: f.Code, Detail: f.Message, Event: f.Event, Line: f.Line, Column: f.Column}, spec.EPCIS)); err != nil {
				return err
			}
		}
		if chunk == rec.FaultChunks {
			return nil
		}
		list = nil
		if err := e.st.getJSON(faultKey(id, chunk), &list); err != nil {
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

// outcomes are those of the items of a part.
func (p *partRecord) outcomes(items []itemMeta, fn func(v *Verdict, f *JobError) error) error {
	for i := range items {
		it := &items[i]
		v := Verdict{
			Kind: kindName(it.Kind), EventID: it.EventID, Type: it.Type, BizStep: it.Step, Subject: it.Subject, Verdict: "rejected", Code: p.Code,
			Position: &canonical.Position{Height: p.Height, Entry: p.Entry, Item: uint32(i)},
		}
		if it.Event >= 0 {
			v.Index = &it.Event
		}
		if i < len(p.Items) {
			v.Verdict, v.Code, v.Findings = verdictName(p.Items[i].Verdict), p.Items[i].Code, p.Items[i].Findings
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
