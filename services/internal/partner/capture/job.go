package capture

import (
	"encoding/json"
	"time"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/journal"
)

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
	State                 journal.State   `json:"state" enum:"captured,accepted,certified,indexed" doc:"How far all of the job is"`
	Events                int             `json:"events" doc:"Events in the request, refused ones included"`
	Submitted             int             `json:"submitted" doc:"Events that are in signed submissions; of a document that needs many they are made behind the answer"`
	Judged                int             `json:"judged" doc:"Events whose outcome is certain: refused here, or with a certified verdict"`
	Counts                journal.Counts  `json:"counts" doc:"What became of the events that are judged"`
	ErrorCount            int             `json:"errorCount,omitempty" doc:"How many errors there are, also those that are not listed"`
	ErrorFile             string          `json:"errorFile,omitempty" doc:"Address of all errors, one JSON object a line, when there are more than are listed" example:"/capture/01a1fb68-fb49-7594-aac6-cf35fb24f6a9/errors"`
	Parts                 []Part          `json:"parts" doc:"The submissions it became; in a list of jobs the first 20"`
	Verdicts              []Verdict       `json:"verdicts" doc:"One per event and registration, once certified; events refused at capture are listed too. Of a job of more than 20,000 only the first 1,000 that were not simply accepted; /capture/{captureID}/verdicts tells all"`
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
	SubmissionID string        `json:"submissionID"`
	Party        string        `json:"party"`
	Counter      uint64        `json:"counter,string"`
	State        journal.State `json:"state"`
	Items        int           `json:"items"`
	Sequence     uint64        `json:"sequence,string,omitempty" doc:"Stream sequence, once the broker has stored it"`
	Height       uint64        `json:"height,string,omitempty" doc:"Block, once certified"`
	Entry        uint32        `json:"entry"`
	Code         string        `json:"code,omitempty" doc:"Verdict on the submission as a whole, if it has one"`
}

// Verdict is what became of one event or registration.
type Verdict struct {
	Index    *int                `json:"index,omitempty" doc:"Index of the event in the document"`
	Kind     string              `json:"kind" doc:"document_header, event, party_act, product, lot, recall"`
	EventID  string              `json:"eventID,omitempty" doc:"As it was given, or the event's CBV hash"`
	LedgerID string              `json:"ledgerEventID,omitempty" doc:"Id under which everybody else finds the event, if that is another one: a given id that tells of sealed values is sealed too"`
	Type     string              `json:"type,omitempty"`
	BizStep  string              `json:"bizStep,omitempty"`
	Subject  string              `json:"subject,omitempty"`
	Verdict  string              `json:"verdict" enum:"accepted,flagged,rejected,duplicate,refused" doc:"refused: at capture, it never reached the ledger"`
	Code     string              `json:"code,omitempty"`
	Detail   string              `json:"detail,omitempty" doc:"What the code means and what to do"`
	Findings []journal.Finding   `json:"findings,omitempty"`
	Position *canonical.Position `json:"position,omitempty"`
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
