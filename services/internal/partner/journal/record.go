package journal

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/submission"
)

// The durable records of a job, as they are stored: a data folder of any earlier version opens. A
// member is never renamed or retyped; a new one is left out when it is empty. keys.go says under
// which keys they are.

// State is how far a job is; captured: durable here. accepted: the broker stored it. certified: a
// quorum of the validators stands behind a block with its verdicts. indexed: the api service has
// applied that block, or, without one, our own follower has.
type State string

// The states, in order.
const (
	Captured  State = "captured"
	Accepted  State = "accepted"
	Certified State = "certified"
	Indexed   State = "indexed"
)

// Before reports whether s comes before t.
func (s State) Before(t State) bool { return s.rank() < t.rank() }

func (s State) rank() int {
	switch s {
	case Accepted:
		return 1
	case Certified:
		return 2
	case Indexed:
		return 3
	default:
		return 0
	}
}

// Job is what is known of a job when it is captured. It never changes.
type Job struct {
	Kind      string             `json:"kind"`
	OnError   submission.OnError `json:"onError"`
	CreatedAt time.Time          `json:"createdAt"`
	Events    int                `json:"events"`
	Parts     []PartItems        `json:"parts,omitempty"`
	Refused   []Fault            `json:"refused,omitempty"` // the first; the others are in records of their own
	Warnings  []Fault            `json:"warnings,omitempty"`
	Notes     []string           `json:"notes,omitempty"`
	Result    json.RawMessage    `json:"result,omitempty"`

	RefusedEvents int `json:"refusedEvents,omitempty"`
	Faults        int `json:"faults,omitempty"` // also those that are not kept
	FaultChunks   int `json:"faultChunks,omitempty"`
	// Divided is into how many parts a document is divided behind the answer; the parts say themselves what is in them. 0: Parts does.
	Divided int `json:"divided,omitempty"`
}

// PartItems is what a submission of a job holds.
type PartItems struct {
	Submission uuid.UUID  `json:"submission"`
	Items      []ItemInfo `json:"items"`
}

// ItemInfo is what a job remembers of an item.
type ItemInfo struct {
	Kind    uint8  `json:"k"`
	Event   int    `json:"e"`           // index in the document, -1: not an event
	EventID string `json:"i,omitempty"` // as given, or made of the event
	// LedgerID is the id under which the event is on the ledger, if that is another one: then EventID is sealed.
	LedgerID string `json:"l,omitempty"`
	Type     string `json:"t,omitempty"`
	Step     string `json:"s,omitempty"`
	Subject  string `json:"n,omitempty"` // of items other than events: what it registers
}

// Fault is one thing wrong with a request, or a remark on it.
type Fault struct {
	Pointer string `json:"pointer,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Event   *int   `json:"event,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Part is where one submission of a job stands.
type Part struct {
	Lane    string        `json:"lane"` // the queue of its key
	Party   string        `json:"party"`
	Counter uint64        `json:"counter"`
	Base    uint64        `json:"base"`
	At      time.Time     `json:"at"`
	State   State         `json:"state"`
	Seq     uint64        `json:"seq,omitempty"`
	Height  uint64        `json:"height,omitempty"`
	Entry   uint32        `json:"entry,omitempty"`
	DoneAt  time.Time     `json:"doneAt,omitzero"`
	Code    string        `json:"code,omitempty"` // verdict on the whole submission
	Items   []ItemVerdict `json:"items,omitempty"`

	Submission uuid.UUID `json:"submission,omitzero"`
	Count      int       `json:"count,omitempty"`  // items
	Events     int       `json:"events,omitempty"` // of the items
	// Alone: what is in it, and the verdicts on that, are records of their own, and here is only their sum.
	Alone bool   `json:"alone,omitempty"`
	Tally *Tally `json:"tally,omitempty"`
}

// ItemVerdict is the certified verdict on one item.
type ItemVerdict struct {
	Verdict  block.VerdictCode `json:"v"`
	Code     string            `json:"c,omitempty"`
	Findings []Finding         `json:"f,omitempty"`
}

// Finding is a remark of the ledger's rules.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity" enum:"reject,hold,flag"`
	Count    uint32 `json:"count" doc:"How many units or containers it is about"`
	Detail   string `json:"detail,omitempty" doc:"What the code means and what to do"`
}

// Counts are numbers of events.
type Counts struct {
	Accepted  int `json:"accepted"`
	Flagged   int `json:"flagged"`
	Duplicate int `json:"duplicate"`
	Rejected  int `json:"rejected"`
	Refused   int `json:"refused" doc:"At capture: they never reached the ledger"`
}

// Plus adds verdicts.
func (c *Counts) Plus(d Counts) {
	c.Accepted += d.Accepted
	c.Flagged += d.Flagged
	c.Duplicate += d.Duplicate
	c.Rejected += d.Rejected
}

// Tally counts verdicts: those on events, and how many items were rejected, events or not.
type Tally struct {
	Counts
	Failed int `json:"failed,omitempty"`
}

// Add counts the verdict on one item. event: it is an event.
func (t *Tally) Add(v block.VerdictCode, event bool) {
	if v == block.Rejected {
		t.Failed++
	}
	if !event {
		return
	}
	switch v {
	case block.Accepted:
		t.Accepted++
	case block.Flagged:
		t.Flagged++
	case block.Duplicate:
		t.Duplicate++
	default:
		t.Rejected++
	}
}

// Broken says why a document was not divided to its end.
type Broken struct {
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// Job returns the record of a job, or ErrNotFound.
func (s *Journal) Job(id uuid.UUID) (*Job, error) {
	var rec Job
	err := s.getJSON(jobKey(id), &rec)
	return &rec, err
}

// Jobs lists up to n jobs, newest first, after the given one (nil: from the newest). more: there
// are others.
func (s *Journal) Jobs(after *uuid.UUID, n int) (ids []uuid.UUID, more bool, err error) {
	last := ""
	if after != nil {
		last = jobKey(*after)
	}
	err = s.scan(jobKeys, last, false, true, func(k string, _ []byte) bool {
		if len(ids) == n {
			more = true
			return false
		}
		ids = append(ids, uuid.UUID([]byte(k[len(jobKeys):])))
		return true
	})
	return ids, more, err
}

// Parts reads where the submissions of a job stand. whole: they are all there, or no more will
// come.
func (s *Journal) Parts(id uuid.UUID, rec *Job) (list []Part, whole bool, err error) {
	for i := range max(len(rec.Parts), rec.Divided) {
		var p Part
		err := s.getJSON(partKey(id, uint16(i)), &p)
		if errors.Is(err, ErrNotFound) && rec.Divided > 0 {
			_, err := s.get(brokenKey(id))
			if errors.Is(err, ErrNotFound) {
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
func (p *Part) from(m *PartItems) {
	p.Submission, p.Count, p.Events = m.Submission, len(m.Items), 0
	p.Tally = &Tally{}
	for i := range m.Items {
		event := m.Items[i].Event >= 0
		if event {
			p.Events++
		}
		code := block.Rejected
		if i < len(p.Items) {
			code = p.Items[i].Verdict
		}
		p.Tally.Add(code, event)
	}
}

// Outcome returns the items of a certified part, and puts the verdicts on them into p.Items.
func (s *Journal) Outcome(id uuid.UUID, rec *Job, number uint16, p *Part) ([]ItemInfo, error) {
	if !p.Alone {
		return rec.Parts[number].Items, nil
	}
	var items []ItemInfo
	err := errors.Join(s.getPacked(metaKey(id, number), &items), s.getPacked(verdictKey(id, number), &p.Items))
	return items, err
}

// Faults reads further faults of a document; chunks count from 0 to Job.FaultChunks.
func (s *Journal) Faults(id uuid.UUID, chunk int) (list []Fault, err error) {
	err = s.getJSON(faultKey(id, chunk), &list)
	return list, err
}

// PutJob writes the record of a job.
func (w *Write) PutJob(id uuid.UUID, rec *Job) { w.putJSON(jobKey(id), rec) }

// PutFaults writes a chunk of further faults.
func (w *Write) PutFaults(id uuid.UUID, chunk int, list []Fault) {
	w.putJSON(faultKey(id, chunk), list)
}

// PutPart writes where a submission of a job stands.
func (w *Write) PutPart(id uuid.UUID, number uint16, p *Part) { w.putJSON(partKey(id, number), p) }

// PutItems writes what is in a part of a divided document.
func (w *Write) PutItems(id uuid.UUID, number uint16, items []ItemInfo) {
	w.putPacked(metaKey(id, number), items)
}

// PutVerdicts writes the verdicts on that.
func (w *Write) PutVerdicts(id uuid.UUID, number uint16, list []ItemVerdict) {
	w.putPacked(verdictKey(id, number), list)
}

// PutPlan writes how a document is divided behind the answer. What is in a plan is known to the
// divider only.
func (w *Write) PutPlan(id uuid.UUID, plan any) { w.putJSON(planKey(id), plan) }

// DropPlan removes a plan.
func (w *Write) DropPlan(id uuid.UUID) { w.del(planKey(id)) }

// Part reads where a submission of a job stands. What the job lists is left out.
func (s *Journal) Part(id uuid.UUID, number uint16) (p Part, err error) {
	err = s.getJSON(partKey(id, number), &p)
	return p, err
}

// Made is how many parts of a job are stored: the first ones.
func (s *Journal) Made(job uuid.UUID) (n int, err error) {
	err = s.scan(string(append([]byte(partKeys), job[:]...)), "", false, false, func(string, []byte) bool {
		n++
		return true
	})
	return n, err
}

// Plans lists the jobs that have a plan, oldest first.
func (s *Journal) Plans() (jobs []uuid.UUID, err error) {
	err = s.scan(planKeys, "", false, false, func(k string, _ []byte) bool {
		jobs = append(jobs, uuid.UUID([]byte(k[len(planKeys):])))
		return true
	})
	return jobs, err
}

// Plan reads the plan of a job, or returns ErrNotFound.
func (s *Journal) Plan(job uuid.UUID, plan any) error { return s.getJSON(planKey(job), plan) }

// Break ends the plan of a job that cannot be carried out to its end, and keeps why.
func (s *Journal) Break(job uuid.UUID, b Broken) error {
	w := &Write{}
	w.putJSON(brokenKey(job), b)
	w.DropPlan(job)
	return s.Put(w)
}

// Broken returns why a plan was broken, or ErrNotFound.
func (s *Journal) Broken(job uuid.UUID) (b Broken, err error) {
	err = s.getJSON(brokenKey(job), &b)
	return b, err
}
