package capture

import (
	"strings"
	"testing"

	"verilot.dev/ledger/block"
	"verilot.dev/services/internal/partner/journal"
)

// What the ledger's codes mean and what to do is told with the job: for a second commissioning that is not "send it again".
func TestJobExplainsCodes(t *testing.T) {
	j := &Job{}
	p := &journal.Part{State: journal.Certified, Items: []journal.ItemVerdict{
		{Verdict: block.Rejected, Code: "DUP_COMMISSION", Findings: []journal.Finding{{Code: "DUP_COMMISSION", Severity: "reject", Count: 1}}},
		{Verdict: block.Flagged, Findings: []journal.Finding{{Code: "QTY_SHORT", Severity: "flag", Count: 2}}},
		{Verdict: block.Rejected, Code: "OF_LATER_RULES"},
	}}
	items := []journal.ItemInfo{{Kind: 11, Event: 0}, {Kind: 11, Event: 1}, {Kind: 11, Event: 2}}
	if err := partOutcomes(p, items, func(v *Verdict, f *JobError) error {
		j.Verdicts = append(j.Verdicts, *v)
		if f != nil {
			j.Errors = append(j.Errors, *f)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	const advice = "Do not send it again."
	if v := j.Verdicts[0]; !strings.Contains(v.Detail, advice) || v.Findings[0].Detail != v.Detail {
		t.Errorf("rejected: %+v", v)
	}
	if v := j.Verdicts[1]; v.Detail != "" || !strings.HasPrefix(v.Findings[0].Detail, "Less was received than was shipped") {
		t.Errorf("flagged: %+v", v)
	}
	if len(j.Errors) != 2 {
		t.Fatalf("%d errors, want 2: %+v", len(j.Errors), j.Errors)
	}
	if d := j.Errors[0].Detail; !strings.HasPrefix(d, "event rejected at position 0/0/0 with DUP_COMMISSION. ") || !strings.Contains(d, advice) {
		t.Errorf("error: %q", d)
	}
	if d := j.Errors[1].Detail; d != "event rejected at position 0/0/2 with OF_LATER_RULES." {
		t.Errorf("error with a code of later rules: %q", d)
	}
}
