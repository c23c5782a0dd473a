package capture

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/services/internal/edge/httpapi"
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
	Refused   []httpapi.Fault    `json:"refused,omitempty"` // the first; the others are in records of their own
	Warnings  []httpapi.Fault    `json:"warnings,omitempty"`
	Notes     []string           `json:"notes,omitempty"`
	Result    json.RawMessage    `json:"result,omitempty"`

	RefusedEvents int `json:"refusedEvents,omitempty"`
	Faults        int `json:"faults,omitempty"` // also those that are not kept
	FaultChunks   int `json:"faultChunks,omitempty"`
	// Divided is into how many parts a document is divided behind the answer; the parts say themselves what is in them. 0: Parts does.
	Divided int `json:"divided,omitempty"`
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

	Submission uuid.UUID `json:"submission,omitzero"`
	Count      int       `json:"count,omitempty"`  // items
	Events     int       `json:"events,omitempty"` // of the items
	// Alone: what is in it, and the verdicts on that, are records of their own, and here is only their sum.
	Alone bool   `json:"alone,omitempty"`
	Tally *tally `json:"tally,omitempty"`
}

// brokenRecord says why a document was not divided to its end.
type brokenRecord struct {
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

// tally counts verdicts: those on events, and how many items were rejected, events or not.
type tally struct {
	Counts
	Failed int `json:"failed,omitempty"`
}

// tallyOf counts what a submission of count items, the last events of which are events, was given.
func tallyOf(v *entryVerdicts, count, events int) *tally {
	t := &tally{}
	for i := range count {
		code := block.Rejected
		if i < len(v.items) {
			code = v.items[i].Verdict
		}
		t.add(code, i >= count-events)
	}
	return t
}

func (t *tally) add(v block.VerdictCode, event bool) {
	name := verdictName(v)
	if name == "rejected" {
		t.Failed++
	}
	if !event {
		return
	}
	switch name {
	case "accepted":
		t.Accepted++
	case "flagged":
		t.Flagged++
	case "duplicate":
		t.Duplicate++
	default:
		t.Rejected++
	}
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
	Errors                []JobError      `json:"errors,omitempty" doc:"One problem per event that was not recorded; the first of them if there are many"`
	Kind                  string          `json:"kind" doc:"document, or the name of the business command"`
	State                 State           `json:"state" enum:"captured,accepted,certified,indexed" doc:"How far all of the job is"`
	Events                int             `json:"events" doc:"Events in the request, refused ones included"`
	Submitted             int             `json:"submitted" doc:"Events that are in signed submissions; of a document that needs many they are made behind the answer"`
	Judged                int             `json:"judged" doc:"Events whose outcome is certain: refused here, or with a certified verdict"`
	Counts                Counts          `json:"counts" doc:"What became of the events that are judged"`
	ErrorCount            int             `json:"errorCount,omitempty" doc:"How many errors there are, also those that are not listed"`
	ErrorFile             string          `json:"errorFile,omitempty" doc:"Address of all errors, one JSON object a line, when there are more than are listed" example:"/capture/01a1fb68-fb49-7594-aac6-cf35fb24f6a9/errors"`
	Parts                 []Part          `json:"parts" doc:"The submissions it became; in a list of jobs the first 20"`
	Verdicts              []Verdict       `json:"verdicts" doc:"One per event and registration, once certified; events refused at capture are listed too. Of a job of more than 20,000 only the first 1,000 that were not simply accepted; /capture/{captureID}/verdicts tells all"`
	Warnings              []httpapi.Fault `json:"warnings,omitempty" doc:"What was read as meant, but is not as the standard has it"`
	Notes                 []string        `json:"notes,omitempty"`
	Result                json.RawMessage `json:"result,omitempty" doc:"What a command made: serials, containers"`
}

// Counts are numbers of events.
type Counts struct {
	Accepted  int `json:"accepted"`
	Flagged   int `json:"flagged"`
	Duplicate int `json:"duplicate"`
	Rejected  int `json:"rejected"`
	Refused   int `json:"refused" doc:"At capture: they never reached the ledger"`
}

func (c *Counts) plus(d Counts) {
	c.Accepted += d.Accepted
	c.Flagged += d.Flagged
	c.Duplicate += d.Duplicate
	c.Rejected += d.Rejected
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
	Index    *int                `json:"index,omitempty" doc:"Index of the event in the document"`
	Kind     string              `json:"kind" doc:"document_header, event, party_act, product, lot, recall"`
	EventID  string              `json:"eventID,omitempty"`
	Type     string              `json:"type,omitempty"`
	BizStep  string              `json:"bizStep,omitempty"`
	Subject  string              `json:"subject,omitempty"`
	Verdict  string              `json:"verdict" enum:"accepted,flagged,rejected,duplicate,refused" doc:"refused: at capture, it never reached the ledger"`
	Code     string              `json:"code,omitempty"`
	Detail   string              `json:"detail,omitempty" doc:"What the code means and what to do"`
	Findings []Finding           `json:"findings,omitempty"`
	Position *canonical.Position `json:"position,omitempty"`
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

// explain says what a code of the ledger means and what to do; nothing for one of rules that this service does not know.
func explain(code string) string {
	e, ok := verdict.Explain(verdict.Code(code))
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
		j, err := e.view(id, nothing)
		if err == nil && (timeout <= 0 || j.State.rank() >= want.rank()) {
			done()
			return e.job(id)
		}
		if err != nil {
			done()
			return nil, err
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
		j, err := e.view(id, inList)
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
