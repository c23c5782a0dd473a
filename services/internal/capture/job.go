package capture

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/httpapi"
)

// State is how far a job is; see the package comment.
type State string

// The states, in order.
const (
	Captured  State = "captured"
	Accepted  State = "accepted"
	Certified State = "certified"
	Indexed   State = "indexed"
)

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

// jobRecord is what is known of a job when it is captured. It never changes.
type jobRecord struct {
	Kind      string             `json:"kind"`
	OnError   submission.OnError `json:"onError"`
	CreatedAt time.Time          `json:"createdAt"`
	Events    int                `json:"events"`
	Parts     []partMeta         `json:"parts,omitempty"`
	Refused   []httpapi.Fault    `json:"refused,omitempty"`
	Warnings  []httpapi.Fault    `json:"warnings,omitempty"`
	Notes     []string           `json:"notes,omitempty"`
	Result    json.RawMessage    `json:"result,omitempty"`
}

type partMeta struct {
	Submission uuid.UUID  `json:"submission"`
	Items      []itemMeta `json:"items"`
}

type itemMeta struct {
	Kind    uint8  `json:"k"`
	Event   int    `json:"e"` // index in the document, -1: not an event
	EventID string `json:"i,omitempty"`
	Type    string `json:"t,omitempty"`
	Step    string `json:"s,omitempty"`
	Subject string `json:"n,omitempty"` // of an item that is no event: what it registers
}

// partRecord is where one submission of a job stands.
type partRecord struct {
	Lane    string        `json:"lane"`
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
	Items   []itemVerdict `json:"items,omitempty"`
}

type itemVerdict struct {
	Verdict  block.VerdictCode `json:"v"`
	Code     string            `json:"c,omitempty"`
	Findings []Finding         `json:"f,omitempty"`
}

// Job is a capture job: the EPCIS members first (EPCIS 2.0 section 12.6.1), then ours.
type Job struct {
	CaptureID             string          `json:"captureID" doc:"Id of the job; its address is /capture/{captureID}"`
	Running               bool            `json:"running" doc:"Whether verdicts are still awaited"`
	Success               bool            `json:"success" doc:"While running: no error so far. Afterwards: everything was recorded"`
	CaptureErrorBehaviour string          `json:"captureErrorBehaviour" enum:"rollback,proceed"`
	CreatedAt             time.Time       `json:"createdAt"`
	FinishedAt            *time.Time      `json:"finishedAt,omitempty"`
	Errors                []JobError      `json:"errors,omitempty" doc:"One problem per event that was not recorded"`
	Kind                  string          `json:"kind" doc:"document, or the name of the business command"`
	State                 State           `json:"state" enum:"captured,accepted,certified,indexed" doc:"How far all of the job is"`
	Events                int             `json:"events" doc:"Events in the request, refused ones included"`
	Parts                 []Part          `json:"parts" doc:"The submissions it became"`
	Verdicts              []Verdict       `json:"verdicts" doc:"One per event and registration, once certified; events refused at capture are listed too"`
	Warnings              []httpapi.Fault `json:"warnings,omitempty" doc:"What was read as meant, but is not as the standard has it"`
	Notes                 []string        `json:"notes,omitempty"`
	Result                json.RawMessage `json:"result,omitempty" doc:"What a command made: serials, containers"`
}

// JobError is a problem object of an EPCIS job.
type JobError struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Event  *int   `json:"event,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Part is one submission of a job.
type Part struct {
	SubmissionID string `json:"submissionID"`
	Party        string `json:"party"`
	Counter      uint64 `json:"counter,string"`
	State        State  `json:"state"`
	Items        int    `json:"items"`
	Sequence     uint64 `json:"sequence,string,omitempty" doc:"Stream sequence, once the broker has stored it"`
	Height       uint64 `json:"height,string,omitempty" doc:"Block, once certified"`
	Entry        uint32 `json:"entry"`
	Code         string `json:"code,omitempty" doc:"Verdict on the submission as a whole, if it has one"`
}

// Verdict is what became of one event or registration.
type Verdict struct {
	Index    *int          `json:"index,omitempty" doc:"Index of the event in the document"`
	Kind     string        `json:"kind" doc:"document_header, event, party_act, product, lot, recall"`
	EventID  string        `json:"eventID,omitempty"`
	Type     string        `json:"type,omitempty"`
	BizStep  string        `json:"bizStep,omitempty"`
	Subject  string        `json:"subject,omitempty"`
	Verdict  string        `json:"verdict" enum:"accepted,flagged,rejected,duplicate,refused" doc:"refused: at capture, it never reached the ledger"`
	Code     string        `json:"code,omitempty"`
	Detail   string        `json:"detail,omitempty" doc:"What the code means and what to do"`
	Findings []Finding     `json:"findings,omitempty"`
	Position *enc.Position `json:"position,omitempty"`
}

// Finding is a remark of the ledger's rules.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity" enum:"reject,hold,flag"`
	Count    uint32 `json:"count" doc:"How many units or containers it is about"`
	Detail   string `json:"detail,omitempty" doc:"What the code means and what to do"`
}

func verdictName(v block.VerdictCode) string {
	switch v {
	case block.Accepted:
		return "accepted"
	case block.Flagged:
		return "flagged"
	case block.Duplicate:
		return "duplicate"
	default:
		return "rejected"
	}
}

func severityName(s block.Severity) string {
	switch s {
	case block.Hold:
		return "hold"
	case block.Flag:
		return "flag"
	default:
		return "reject"
	}
}

func kindName(k uint8) string {
	names := [...]string{"document_header", "event", "party_act", "product", "lot", "recall", "resolution", "grant", "anchor", "governance"}
	if i := int(k) - 10; i >= 0 && i < len(names) {
		return names[i]
	}
	return "unknown"
}

// job puts a job together from what is durable.
func (e *Engine) job(id uuid.UUID) (*Job, error) {
	var rec jobRecord
	err := e.st.getJSON(jobKey(id), &rec)
	if errors.Is(err, errNotFound) {
		return nil, httpapi.NewProblem(httpapi.JobNotFound, "this service has no capture job %s; the id is in the Location header of the 202 answer, and only the service that gave it knows it", id)
	}
	if err != nil {
		return nil, err
	}
	j := &Job{
		CaptureID: id.String(), CaptureErrorBehaviour: behaviour(rec.OnError), CreatedAt: rec.CreatedAt, Kind: rec.Kind, Events: rec.Events,
		Parts: []Part{}, Verdicts: []Verdict{}, Warnings: rec.Warnings, Notes: rec.Notes, Result: rec.Result, Success: true, State: Indexed,
	}
	shown := map[int]bool{}
	for _, f := range rec.Refused {
		if f.Event != nil && !shown[*f.Event] { // one verdict per event, however many faults it has
			shown[*f.Event] = true
			j.Verdicts = append(j.Verdicts, Verdict{Index: f.Event, Kind: "event", Verdict: "refused", Code: f.Code, Detail: f.Message})
		}
		spec := httpapi.Lookup(httpapi.Code(f.Code))
		j.fail(JobError{Title: spec.Title, Status: spec.Status, Code: f.Code, Detail: f.Message, Event: f.Event, Line: f.Line, Column: f.Column}, spec.EPCIS)
	}
	last := rec.CreatedAt
	for i := range rec.Parts {
		var p partRecord
		if err := e.st.getJSON(partKey(id, uint16(i)), &p); err != nil {
			return nil, err
		}
		j.add(&rec.Parts[i], &p)
		if p.DoneAt.After(last) {
			last = p.DoneAt
		}
		st := p.State
		if st == Certified && e.indexedUpTo(p.Height) {
			st = Indexed
		}
		if st.rank() < j.State.rank() {
			j.State = st
		}
	}
	j.Running = j.State.rank() < Certified.rank()
	if !j.Running {
		j.FinishedAt = &last
	}
	return j, nil
}

func (j *Job) fail(e JobError, exception string) {
	if exception == "" {
		exception = "ValidationException"
	}
	e.Type = "epcisException:" + exception
	j.Errors = append(j.Errors, e)
	j.Success = false
}

func (j *Job) add(m *partMeta, p *partRecord) {
	j.Parts = append(j.Parts, Part{
		SubmissionID: m.Submission.String(), Party: p.Party, Counter: p.Counter, State: p.State, Items: len(m.Items),
		Sequence: p.Seq, Height: p.Height, Entry: p.Entry, Code: p.Code,
	})
	if p.State != Certified {
		return
	}
	for i, it := range m.Items {
		v := Verdict{
			Kind: kindName(it.Kind), EventID: it.EventID, Type: it.Type, BizStep: it.Step, Subject: it.Subject, Verdict: "rejected", Code: p.Code,
			Position: &enc.Position{Height: p.Height, Entry: p.Entry, Item: uint32(i)},
		}
		if it.Event >= 0 {
			v.Index = &m.Items[i].Event
		}
		if i < len(p.Items) {
			v.Verdict, v.Code, v.Findings = verdictName(p.Items[i].Verdict), p.Items[i].Code, p.Items[i].Findings
		}
		v.Detail = explain(v.Code)
		for k := range v.Findings {
			v.Findings[k].Detail = explain(v.Findings[k].Code)
		}
		j.Verdicts = append(j.Verdicts, v)
		if v.Verdict == "rejected" {
			j.fail(JobError{
				Title: "The ledger rejected an item", Status: 400, Code: v.Code, Event: v.Index,
				Detail: strings.TrimSpace(fmt.Sprintf("%s rejected at position %s with %s. %s", v.Kind, v.Position, v.Code, v.Detail)),
			}, "")
		}
	}
}

// explain says what a code of the ledger means and what to do; nothing for one of rules that this service does not know.
func explain(code string) string {
	e, ok := custody.Explain(code)
	if !ok {
		return ""
	}
	return e.Meaning + " " + e.Todo
}

func behaviour(o submission.OnError) string {
	if o == submission.Proceed {
		return "proceed"
	}
	return "rollback"
}

// Job returns a job, after waiting up to timeout for the wanted state. A timeout is no error: the state says how far it is.
func (e *Engine) Job(ctx context.Context, id uuid.UUID, want State, timeout time.Duration) (*Job, error) {
	var expired <-chan time.Time
	for {
		changed, done := e.watch(id)
		j, err := e.job(id)
		if err != nil || timeout <= 0 || j.State.rank() >= want.rank() {
			done()
			return j, err
		}
		if expired == nil {
			expired = e.cfg.Clock.After(timeout)
		}
		var ask <-chan time.Time
		if j.State == Certified { // certified here; the api service is asked how far it is
			ask = e.cfg.Clock.After(askEvery)
		}
		select {
		case <-changed:
		case <-ask:
			e.ask(ctx)
		case <-expired:
			timeout = 0
		case <-ctx.Done():
			timeout = 0
		case <-httpapi.Draining(ctx):
			timeout = 0
		}
		done()
	}
}

// askEvery is how often the api service is asked for its height while somebody waits for "indexed".
const askEvery = 25 * time.Millisecond

// watch returns a channel that is closed when the job changes.
func (e *Engine) watch(id uuid.UUID) (<-chan struct{}, func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := e.watchers[id]
	if ch == nil {
		ch = make(chan struct{})
		e.watchers[id] = ch
	}
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.watchers[id] == ch {
			// Others may wait on it too; they find a new channel when they look again.
			delete(e.watchers, id)
			close(ch)
		}
	}
}

// changed wakes who waits for the jobs. It is called after the change is durable.
func (e *Engine) changed(ids ...uuid.UUID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, id := range ids {
		if ch := e.watchers[id]; ch != nil {
			delete(e.watchers, id)
			close(ch)
		}
	}
}

func (e *Engine) indexedUpTo(height uint64) bool {
	if e.cfg.Peer == nil {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.indexed >= height
}

// ask learns the api service's height. Its answer is a courtesy: nothing rests on it but the word "indexed".
func (e *Engine) ask(ctx context.Context) {
	if e.cfg.Peer == nil {
		return
	}
	e.mu.Lock()
	busy := e.asking
	e.asking = true
	e.mu.Unlock()
	if busy {
		return // one question at a time is enough for all who wait
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	h, err := e.cfg.Peer.Indexed(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asking = false
	if err != nil {
		e.cfg.Log.Debug("the api service did not tell its height", "err", err)
		return
	}
	e.indexed = max(e.indexed, min(h, e.followed)) // it cannot have indexed what is not certified
}

// Jobs lists jobs, newest first. The token is opaque to callers: the id of the last job shown.
func (e *Engine) Jobs(perPage int, token string) (jobs []*Job, next string, err error) {
	after := ""
	if token != "" {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(b) != 16 {
			return nil, "", httpapi.NewProblem(httpapi.PageTokenInvalid, "nextPageToken is not one that this service gave; start again without it")
		}
		after = jobKeys + string(b)
	}
	var ids []uuid.UUID
	more := false
	err = e.st.scan(jobKeys, after, false, true, func(k string, _ []byte) bool {
		if len(ids) == perPage {
			more = true
			return false
		}
		ids = append(ids, uuid.UUID([]byte(k[len(jobKeys):])))
		return true
	})
	if err != nil {
		return nil, "", err
	}
	jobs = make([]*Job, 0, len(ids))
	for _, id := range ids {
		j, err := e.job(id)
		if err != nil {
			return nil, "", err
		}
		jobs = append(jobs, j)
	}
	if more {
		next = base64.RawURLEncoding.EncodeToString(ids[len(ids)-1][:])
	}
	return jobs, next, nil
}
