package main

import (
	"bytes"
	"testing"

	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/journal"
)

// A code stands once in its line, and its meaning once below the table.
func TestShowJob(t *testing.T) {
	zero, one, two := 0, 1, 2
	mismatch := journal.Finding{Code: "STEP_MISMATCH", Severity: "reject", Count: 1, Detail: "The kind of event does not fit the business step; for example, packing is an AggregationEvent with action ADD. Correct it."}
	var out bytes.Buffer
	a := &app{out: &out}
	a.showJob(&capture.Job{CaptureID: "7", State: journal.Certified, Events: 3, Verdicts: []capture.Verdict{
		{Index: &zero, Kind: "event", BizStep: "packing", Verdict: "rejected", Code: mismatch.Code, Detail: mismatch.Detail, Findings: []journal.Finding{mismatch}},
		{Index: &one, Kind: "event", BizStep: "packing", Verdict: "rejected", Code: mismatch.Code, Detail: mismatch.Detail, Findings: []journal.Finding{mismatch}},
		{Index: &two, Kind: "event", Verdict: "refused", Code: "invalid_event", Detail: "eventTime is missing"},
	}})
	const want = `job 7: certified, 3 events
EVENT  WHAT           VERDICT   WHY                        POSITION
0      event packing  rejected  STEP_MISMATCH (reject, 1)  -
1      event packing  rejected  STEP_MISMATCH (reject, 1)  -
2      event          refused   invalid_event              -

STEP_MISMATCH
  The kind of event does not fit the business step; for example, packing is an AggregationEvent with
  action ADD. Correct it.

invalid_event, event 2
  eventTime is missing

`
	if out.String() != want {
		t.Errorf("%s", out.String())
	}
}
