package foresee

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"verilot.dev/epcis"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/clock/clocktest"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/outbox"
)

// api says of every item what say says, or err.
type api struct {
	asked int
	say   func(asked, item int) Judgement
	err   error
}

func (a *api) ask(_ context.Context, _ string, bodies iter.Seq[[]byte]) (judged int, said []Judgement, err error) {
	a.asked++
	for b := range bodies {
		items, err := wire.DecodeBody(b)
		if err != nil {
			return 0, nil, fmt.Errorf("what is asked: %w", err)
		}
		for range items {
			if j := a.say(a.asked, judged); j.Verdict != "accepted" {
				j.Item = judged
				said = append(said, j)
			}
			judged++
		}
	}
	return judged, said, a.err
}

func rejected(code verdict.Code) func(int, int) Judgement {
	return func(int, int) Judgement {
		return Judgement{Verdict: "rejected", Code: string(code), Detail: "0100399990100013217 is refused"}
	}
}

func acts(n int, step string) *draft.Draft {
	d := &draft.Draft{Kind: "document", OnError: submission.Rollback, Events: n}
	for i := range n {
		ev := epcis.Event{Type: "ObjectEvent", EventID: fmt.Sprint("urn:x:", i), Action: "OBSERVE", BizStep: step, EPCList: []string{fmt.Sprint("urn:epc:id:sgtin:0399990.010001.", i)}}
		d.Items = append(d.Items, draft.EventItem(&ev, i))
	}
	return d
}

func rulesOf(a *api, settle func(context.Context) bool) (*Rules, *clocktest.Fake, *bytes.Buffer) {
	var log bytes.Buffer
	c := clocktest.New(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	r := New(Config{
		Sealer: &draft.Sealer{}, Party: "maker", Ask: a.ask, Settle: settle, Limit: Limit{Units: 1 << 20, Bytes: 1 << 26}, Clock: c,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})), Registry: prometheus.NewRegistry(),
	})
	return r, c, &log
}

// What is captured unasked says so: in its job, in a metric, and in the log at the level that operators see, though not every time.
func TestUnaskedIsTold(t *testing.T) {
	a := &api{err: errors.New("401 Unauthorized"), say: func(int, int) Judgement { return Judgement{Verdict: "accepted"} }}
	r, c, log := rulesOf(a, nil)
	for i := range 3 {
		d := acts(1, "shipping")
		if err := r.Check(t.Context(), d); err != nil || len(d.Notes) != 1 || d.Notes[0] != notes[away] {
			t.Errorf("%v, notes %q", err, d.Notes)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 {
			t.Errorf("after %d requests %d warnings: %s", i+1, n, log)
		}
	}
	c.Advance(warnEvery)
	_ = r.Check(t.Context(), acts(1, "shipping"))
	if n := strings.Count(log.String(), "level=WARN"); n != 2 || !strings.Contains(log.String(), "requests=3") || !strings.Contains(log.String(), "401 Unauthorized") {
		t.Errorf("%d warnings: %s", n, log)
	}
	if n := testutil.ToFloat64(r.unasked.WithLabelValues(away)); n != 4 {
		t.Errorf("metric %v", n)
	}
}

// An item that no question holds is noted.
func TestTooLargeIsTold(t *testing.T) {
	r, _, _ := rulesOf(&api{say: func(int, int) Judgement { return Judgement{Verdict: "accepted"} }}, nil)
	d := acts(1, "shipping")
	ev := d.Items[0].Message.(*epcis.Event)
	for i := range 60_000 {
		ev.EPCList = append(ev.EPCList, fmt.Sprint("urn:epc:id:sgtin:0399990.010001.", strings.Repeat("X", 15), i))
	}
	if err := r.Check(t.Context(), d); err != nil || len(d.Notes) != 1 || d.Notes[0] != notes[tooLarge] {
		t.Errorf("%v, notes %q", err, d.Notes)
	}
}

// A refusal lists no more faults than others do, and says how many it leaves out.
func TestRefusalIsCapped(t *testing.T) {
	r, _, _ := rulesOf(&api{say: rejected(verdict.ShipRecalled)}, nil)
	err := r.Check(t.Context(), acts(outbox.MaxListed+7, "shipping"))
	p, ok := errors.AsType[*httpapi.Problem](err)
	if !ok || p.Code != httpapi.GoodsRecalled || len(p.Errors) != outbox.MaxListed || !strings.Contains(p.Detail, " 7 further") || !strings.HasPrefix(p.Detail, "(01)00399990100013(21)7 is refused") {
		t.Errorf("%v", err)
	}
}

// Faults of two codes are refused as either is.
func TestRefusalOfSeveralKinds(t *testing.T) {
	r, _, _ := rulesOf(&api{say: func(_, item int) Judgement {
		return rejected([]verdict.Code{verdict.ShipRecalled, verdict.ShipSuspect}[item])(0, item)
	}}, nil)
	err := r.Check(t.Context(), acts(2, "shipping"))
	if p, ok := errors.AsType[*httpapi.Problem](err); !ok || p.Code != httpapi.RefusedByRules || p.Status != 409 {
		t.Errorf("%v", err)
	}
}

// What is refused is asked about again when the api knows of all that was captured before; what rests on a mark is refused all the same
// if that takes too long.
func TestAnApiThatIsBehind(t *testing.T) {
	for _, tt := range []struct {
		name    string
		code    verdict.Code
		later   string // the verdict when it is asked again
		settled bool
		refused bool
		note    string
	}{
		{"it allows it later", verdict.ShipTerminal, "accepted", true, false, ""},
		{"it refuses it later", verdict.ShipTerminal, "rejected", true, true, ""},
		{"it does not catch up", verdict.ShipTerminal, "", false, false, notes[behind]},
		{"it does not catch up, and the goods are recalled", verdict.ShipRecalled, "", false, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &api{say: func(asked, item int) Judgement {
				j := rejected(tt.code)(asked, item)
				if asked > 1 {
					j.Verdict = tt.later
				}
				return j
			}}
			r, _, _ := rulesOf(a, func(context.Context) bool { return tt.settled })
			d := acts(1, "shipping")
			err := r.Check(t.Context(), d)
			if (err != nil) != tt.refused || strings.Join(d.Notes, "") != tt.note || a.asked != map[bool]int{true: 2, false: 1}[tt.settled] {
				t.Errorf("%v, notes %q, asked %d times", err, d.Notes, a.asked)
			}
		})
	}
}

// Remarks on goods that do not leave refuse nothing: the ledger must know where they are.
func TestRemarksOnWhatStays(t *testing.T) {
	say := func(int, int) Judgement {
		return Judgement{Verdict: "flagged", Findings: []Finding{{Code: string(verdict.PartnerNotATP), Severity: "hold", Detail: "no licence"}}}
	}
	for step, refused := range map[string]bool{"receiving": false, "shipping": true} {
		r, _, _ := rulesOf(&api{say: say}, nil)
		if err := r.Check(t.Context(), acts(1, step)); (err != nil) != refused {
			t.Errorf("%s: %v", step, err)
		}
	}
}
