package capture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

func proceed(key string) map[string]string {
	return map[string]string{"Content-Type": "text/xml", "GS1-Capture-Error-Behaviour": "proceed", "Idempotency-Key": key}
}

// smallParts is a world where a submission holds five items.
func smallParts(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.kill()
	w.items = 5
	w.start()
	return w
}

func (w *world) spooled() []string {
	w.tb.Helper()
	list, err := filepath.Glob(filepath.Join(w.dir, "spool", "*"))
	if err != nil {
		w.tb.Fatal(err)
	}
	return list
}

// whole checks that a document of n events became what it should: every event judged once, nothing left behind.
func (w *world) whole(j *Job, n int) {
	w.tb.Helper()
	parts := (n + 1 + 4) / 5 // the header is an item too
	if j.Events != n || j.Submitted != n || j.Judged != n || j.Counts.Accepted != n || !j.Success || len(j.Parts) != parts || len(j.Verdicts) != n+1 {
		w.tb.Errorf("job: %d events, %d submitted, %d judged, %+v, %d parts, %d verdicts, errors %+v", j.Events, j.Submitted, j.Judged, j.Counts, len(j.Parts), len(j.Verdicts), j.Errors)
	}
	groups := w.ledger.Groups()
	if len(groups) != parts {
		w.tb.Errorf("parts on the ledger: %v", groups)
	}
	for part, n := range groups {
		if n != 1 {
			w.tb.Errorf("part %s was made %d times", part, n)
		}
	}
	for id, n := range w.ledger.Judged() {
		if n != 1 {
			w.tb.Errorf("%s was judged %d times", id, n)
		}
	}
	if n := w.outstanding(); n != 0 {
		w.tb.Errorf("%d rows are left in the outbox", n)
	}
	if err := w.s.cfg.Journal.Plan(uuid.MustParse(j.CaptureID), &plan{}); !errors.Is(err, journal.ErrNotFound) {
		w.tb.Errorf("the plan is still there: %v", err)
	}
	if list := w.spooled(); len(list) != 0 {
		w.tb.Errorf("left in the spool: %q", list)
	}
}

// The service is killed at every step of a document of three parts, and again two steps later. Whoever asks again gets the same job, and
// in the end every event was judged exactly once.
func TestDividedKilledAtEveryStep(t *testing.T) {
	const events = 12
	doc := manyEvents(events, "K")
	steps := 0
	for at := 0; at == 0 || at <= steps; at++ {
		t.Run(fmt.Sprint("step ", at), func(t *testing.T) {
			w := newWorld(t)
			w.kill()
			w.items = 5
			var mu sync.Mutex
			n := 0
			w.step = func(string) error {
				mu.Lock()
				defer mu.Unlock()
				if n++; at > 0 && (n == at || n == at+2) {
					return outboxtest.ErrKilled
				}
				return nil
			}
			w.start()
			var rec *httptest.ResponseRecorder
			for tries := 0; ; tries++ {
				if rec = w.call("POST", "/capture", proceed("k"), doc); rec.Code == http.StatusAccepted {
					break
				}
				if tries == 3 {
					t.Fatalf("%d %s", rec.Code, rec.Body)
				}
				w.restart()
			}
			id := strings.TrimPrefix(rec.Header().Get("Location"), "/capture/")
			for w.untilDone(id) {
				w.restart()
			}
			again := w.call("POST", "/capture", proceed("k"), doc)
			j := w.certified(again)
			if j.CaptureID != id {
				t.Errorf("two jobs: %s and %s", id, j.CaptureID)
			}
			w.restart() // what a killed service left in the spool goes now
			w.whole(w.await(id, journal.Certified), events)
			mu.Lock()
			defer mu.Unlock()
			if at == 0 {
				steps = n
			}
		})
	}
	if steps < 20 {
		t.Errorf("only %d steps", steps)
	}
}

// untilDone waits until a job is certified, or the service was killed, which it reports.
func (w *world) untilDone(id string) (killed bool) {
	w.tb.Helper()
	for {
		changed, done := w.s.cfg.Outbox.Watch(uuid.MustParse(id))
		j, err := w.s.cfg.Jobs.view(uuid.MustParse(id), nothing)
		if err != nil {
			w.tb.Fatal(err)
		}
		if !j.State.Before(journal.Certified) {
			done()
			return false
		}
		select {
		case err := <-w.done:
			w.done <- err
			done()
			return true
		case <-changed:
		}
	}
}

// A service that is killed again and again, over a broker that fails in every way it can.
func TestDividedCrashes(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	const events = 40
	for seed := range rounds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(t)
			w.kill()
			w.items = 5
			dice := outboxtest.NewKiller(seed + 77)
			w.ledger.Faults(func(n int) outboxtest.Fault {
				if n < 60 && dice.Step("") != nil {
					return []outboxtest.Fault{outboxtest.Down, outboxtest.Silent, outboxtest.Forgets, outboxtest.Hijacked}[n%4]
				}
				return outboxtest.Works
			})
			killer := outboxtest.NewKiller(seed)
			w.step = killer.Step
			w.start()
			docs := []string{manyEvents(events, "A"), manyEvents(events, "B")}
			ids := make([]string, len(docs))
			for i, doc := range docs {
				for ids[i] == "" {
					rec := w.call("POST", "/capture", proceed(fmt.Sprint("doc-", i)), doc)
					if rec.Code == http.StatusAccepted {
						ids[i] = strings.TrimPrefix(rec.Header().Get("Location"), "/capture/")
					} else {
						w.restart()
					}
				}
			}
			for deaths := 0; ; deaths++ {
				if deaths == 40 {
					killer.Spare()
				}
				if !w.untilDone(ids[0]) && !w.untilDone(ids[1]) {
					break
				}
				w.restart()
			}
			killer.Spare()
			w.restart()
			for _, id := range ids {
				j := w.await(id, journal.Certified)
				if j.Counts.Accepted != events || !j.Success || len(j.Parts) != 9 {
					t.Errorf("%+v, %d parts, %+v", j.Counts, len(j.Parts), j.Errors)
				}
			}
			groups := w.ledger.Groups()
			for part, n := range groups {
				if n != 1 {
					t.Errorf("part %s was made %d times", part, n)
				}
			}
			if len(groups) != 18 || len(w.spooled()) != 0 {
				t.Errorf("%d parts, spool %q", len(groups), w.spooled())
			}
		})
	}
}

// While the broker is away, only so many parts are made; progress is shown; the rest follows when it is back.
func TestDividedWaitsForTheBroker(t *testing.T) {
	w := smallParts(t)
	w.kill()
	outboxtest.Patient(w.clock, true)
	w.ledger.Faults(func(int) outboxtest.Fault { return outboxtest.Down })
	made := make(chan struct{}, 100)
	w.step = func(name string) error {
		if name == "divide: after commit" {
			made <- struct{}{}
		}
		return nil
	}
	w.start()
	const events = 99 // with the header 20 parts
	rec := w.call("POST", "/capture", proceed("k"), manyEvents(events, "W"))
	id := strings.TrimPrefix(rec.Header().Get("Location"), "/capture/")
	for range ahead {
		<-made
	}
	j, err := w.s.cfg.Jobs.Job(uuid.MustParse(id))
	if err != nil || j.Submitted != ahead*5-1 || j.Judged != 0 || !j.Running || !j.Success || j.State != journal.Captured || j.FinishedAt != nil {
		t.Errorf("%v: %+v", err, j)
	}
	w.restart()
	if n := w.outstanding(); n != ahead {
		t.Errorf("%d parts wait for the broker", n)
	}
	w.ledger.Faults(nil)
	outboxtest.Patient(w.clock, false)
	w.clock.Advance(time.Minute)
	w.whole(w.await(id, journal.Certified), events)
}

// Bad events of a document that is divided are left out and told; what does not fit the answer is in a file.
func TestDividedWithFaults(t *testing.T) {
	w := smallParts(t)
	var list []string
	for i := range 30 {
		switch {
		case i%3 == 1:
			list = append(list, event(eventTime, "commissioning", "ADDED", "", sgtins(1, fmt.Sprintf("B%d", i))...))
		case i == 29: // the ledger knows better: the unit was commissioned in event 0
			list = append(list, event("2026-11-20T05:00:00-05:00", "commissioning", "ADD", ilmd, "urn:epc:id:sgtin:0399990.010001.F0"))
		default:
			list = append(list, event(eventTime, "commissioning", "ADD", ilmd, fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.F%d", i)))
		}
	}
	j := w.certified(w.call("POST", "/capture", proceed("k"), document(list...)))
	if want := (journal.Counts{Accepted: 19, Rejected: 1, Refused: 10}); j.Counts != want || j.Success || j.Judged != 30 || j.ErrorCount != 11 || len(j.Errors) != 11 || j.ErrorFile != "" {
		t.Errorf("%+v, %d errors of %d, judged %d, file %q", j.Counts, len(j.Errors), j.ErrorCount, j.Judged, j.ErrorFile)
	}
	lines := func(name string) (out []map[string]any) {
		rec := w.call("GET", "/capture/"+j.CaptureID+"/"+name, map[string]string{"Accept": "application/x-ndjson"}, "")
		if ct := rec.Header().Get("Content-Type"); rec.Code != http.StatusOK || ct != "application/x-ndjson" {
			t.Fatalf("%d %s %s", rec.Code, ct, rec.Body)
		}
		for d := json.NewDecoder(rec.Body); d.More(); {
			var m map[string]any
			if err := d.Decode(&m); err != nil {
				t.Fatal(err)
			}
			out = append(out, m)
		}
		return out
	}
	errs := lines("errors")
	if len(errs) != 11 || errs[0]["event"] != 1.0 || errs[0]["type"] != "epcisException:ValidationException" || errs[10]["code"] != "DUP_COMMISSION" || errs[10]["event"] != 29.0 {
		t.Errorf("%v", errs)
	}
	if v := lines("verdicts"); len(v) != 31 {
		t.Errorf("%d verdicts", len(v))
	}
	// A short listing has the errors that fit, and says where the others are.
	rec, err := w.s.cfg.Jobs.record(uuid.MustParse(j.CaptureID))
	if err != nil {
		t.Fatal(err)
	}
	short, err := w.s.cfg.Jobs.view(uuid.MustParse(j.CaptureID), extent{all: 5, some: 3, errors: 4})
	if err != nil || len(short.Errors) != 4 || len(short.Verdicts) != 3 || short.ErrorFile != "/capture/"+j.CaptureID+"/errors" || rec.Divided != len(j.Parts) {
		t.Errorf("%v %d errors, %d verdicts, file %q, divided into %d", err, len(short.Errors), len(short.Verdicts), short.ErrorFile, rec.Divided)
	}
	if x := w.call("GET", "/capture/"+j.CaptureID, map[string]string{"Accept": "application/xml"}, "").Body.String(); !strings.Contains(x, "<code>") && !strings.Contains(x, "<verilot:code>DUP_COMMISSION</verilot:code>") {
		t.Error(x)
	}
}

// More faults than a job's record holds go into records of their own, and are all told.
func TestManyFaults(t *testing.T) {
	w := newWorld(t)
	const bad = maxFaults + 2*500 + 7 // two further records of faults, and a part of one
	list := make([]string, bad+1)
	for i := range list {
		list[i] = event(eventTime, "commissioning", "ADDED", "", fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.M%d", i))
	}
	list[bad] = event(eventTime, "commissioning", "ADD", ilmd, sgtins(1, "OK")...)
	j := w.certified(w.call("POST", "/capture", proceed("k"), document(list...)))
	if j.Counts.Refused != bad || j.Counts.Accepted != 1 || j.ErrorCount != bad || len(j.Errors) != maxFaults || j.ErrorFile == "" {
		t.Errorf("%+v, %d errors of %d, file %q", j.Counts, len(j.Errors), j.ErrorCount, j.ErrorFile)
	}
	rec := w.call("GET", j.ErrorFile, nil, "")
	if n := strings.Count(rec.Body.String(), "\n"); n != bad || rec.Code != http.StatusOK {
		t.Errorf("%d %d lines", rec.Code, n)
	}
	x := w.call("GET", "/capture/"+j.CaptureID, map[string]string{"Accept": "application/xml"}, "")
	if s := x.Body.String(); !strings.Contains(s, "<errorFile>"+j.ErrorFile+"</errorFile>") || strings.Contains(s, "<errors>") {
		t.Error(s)
	}
	var jobs []Job
	if err := json.Unmarshal(w.call("GET", "/capture", nil, "").Body.Bytes(), &jobs); err != nil || len(jobs) != 1 || len(jobs[0].Errors) != inList.errors || jobs[0].ErrorFile == "" {
		t.Errorf("%v: %d jobs", err, len(jobs))
	}
}

// Under rollback a document that does not fit one submission is refused before anything is stored, and the answer says how much fits.
func TestRollbackThatDoesNotFit(t *testing.T) {
	w := smallParts(t)
	rec := w.call("POST", "/capture", xmlType, manyEvents(12, "R"))
	if rec.Code != http.StatusRequestEntityTooLarge || !strings.Contains(rec.Body.String(), "its first 4 of 12 events fit") ||
		!strings.Contains(rec.Body.String(), `"type":"epcisException:CaptureLimitExceededException"`) || rec.Header().Get("GS1-EPCIS-Capture-Limit") == "" {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	// What is wrong with it comes first: it would not go in by dividing it either.
	doc := document(event(eventTime, "commissioning", "ADD", ilmd, sgtins(1, "1")...), strings.Repeat(event(eventTime, "commissioning", "ADDED", ilmd, sgtins(1, "2")...), 7))
	if rec := w.call("POST", "/capture", xmlType, doc); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "7 of 8 events") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if jobs, _, err := w.s.cfg.Jobs.List(10, ""); err != nil || len(jobs) != 0 || len(w.spooled()) != 0 {
		t.Errorf("%v, %d jobs, spool %q", err, len(jobs), w.spooled())
	}
	// What just fits goes in as one.
	if j := w.certified(w.call("POST", "/capture", xmlType, manyEvents(4, "S"))); len(j.Parts) != 1 || !j.Success {
		t.Errorf("%+v", j)
	}
}

// A header that comes behind the events, as JSON may have it, gets a part of its own if the first has no room for it.
func TestDividedWithLateHeader(t *testing.T) {
	w := smallParts(t)
	doc := strings.Replace(manyEvents(9, "H"), "</EPCISBody>", `</EPCISBody><EPCISHeader><x:note xmlns:x="http://example.com/">late</x:note></EPCISHeader>`, 1)
	j := w.certified(w.call("POST", "/capture", proceed("k"), doc))
	if !j.Success || len(j.Parts) != 3 || j.Parts[0].Items != 1 || j.Counts.Accepted != 9 || j.Verdicts[0].Kind != "document_header" {
		t.Errorf("%+v %+v %+v", j.Parts, j.Counts, j.Errors)
	}
}

// A document that was lost or damaged between the answer and its division is told with the job, never passed over.
func TestDividedDocumentIsLost(t *testing.T) {
	for name, damage := range map[string]func(file string) error{
		"lost": os.Remove,
		"damaged": func(file string) error {
			b, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 1
			return os.WriteFile(file, b, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := smallParts(t)
			w.kill()
			n := 0
			w.step = func(name string) error {
				if name == "divide: after commit" {
					if n++; n == 2 {
						return outboxtest.ErrKilled
					}
				}
				return nil
			}
			w.start()
			rec := w.call("POST", "/capture", proceed("k"), manyEvents(22, "L"))
			id := strings.TrimPrefix(rec.Header().Get("Location"), "/capture/")
			if !w.untilDone(id) {
				t.Fatal("it was not killed")
			}
			w.kill()
			files, err := filepath.Glob(filepath.Join(w.dir, "spool", "*"+spoolExt))
			if err != nil || len(files) != 1 {
				t.Fatalf("%v: spool %q", err, w.spooled())
			}
			if err := damage(files[0]); err != nil {
				t.Fatal(err)
			}
			w.start()
			j := w.await(id, journal.Certified)
			if j.Success || j.Running || j.Submitted != 9 || j.Counts.Accepted != 9 || len(j.Errors) != 1 || !strings.Contains(j.Errors[0].Detail, "9 of 22 events were submitted") {
				t.Errorf("%+v %+v", j.Counts, j.Errors)
			}
			w.restart()
			if list := w.spooled(); len(list) != 0 {
				t.Errorf("spool %q", list)
			}
		})
	}
}

// What is sealed leaves the ledger with a hash only, so the values are kept here, of every part.
func TestDividedKeepsWhatIsSealed(t *testing.T) {
	w := smallParts(t)
	const more = `<bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">urn:epcglobal:cbv:bt:0399990000016:PO%d</bizTransaction>` +
		`<bizTransaction type="urn:epcglobal:cbv:btt:desadv">urn:epcglobal:cbv:bt:0399990000016:DA%d</bizTransaction></bizTransactionList>`
	var events []string
	for i := range 8 {
		events = append(events, event(fmt.Sprintf("2026-11-20T06:00:%02d-05:00", i), "inspecting", "OBSERVE", fmt.Sprintf(more, i, i), sgtins(1, fmt.Sprint("S", i))...))
	}
	j := w.certified(w.call("POST", "/capture", proceed("sealed"), document(events...)))
	if len(j.Parts) != 2 {
		t.Fatalf("%d parts, %+v", len(j.Parts), j.Errors)
	}
	got := map[string]bool{}
	for _, part := range j.Parts {
		items, err := w.s.cfg.Journal.Sealed(uuid.MustParse(part.SubmissionID))
		if err != nil {
			t.Fatal(err)
		}
		for _, values := range items {
			for _, v := range values {
				got[v.Text] = true
			}
		}
	}
	for i := range 8 {
		for _, id := range []string{fmt.Sprint("urn:epcglobal:cbv:bt:0399990000016:PO", i), fmt.Sprint("urn:epcglobal:cbv:bt:0399990000016:DA", i)} {
			if !got[id] {
				t.Errorf("%s is not kept", id)
			}
		}
	}
}

// asked is an api service that would reject what names one of some units.
type asked struct {
	bad    []string
	bodies [][]byte
	err    error
}

func (a *asked) ask(_ context.Context, _ string, bodies iter.Seq[[]byte]) (judged int, said []foresee.Judgement, err error) {
	if a.err != nil {
		return 0, nil, a.err
	}
	a.bodies = nil
	for b := range bodies {
		a.bodies = append(a.bodies, b)
		items, err := wire.DecodeBody(b)
		if err != nil {
			return 0, nil, fmt.Errorf("what is asked: %w", err)
		}
		for i := range items {
			if ev, ok := items[i].Message.(*epcis.Event); ok && slices.ContainsFunc(ev.EPCList, func(id string) bool { return slices.Contains(a.bad, id) }) {
				said = append(said, foresee.Judgement{Item: judged + i, Verdict: "rejected", Code: string(verdict.ShipRecalled), Detail: ev.EPCList[0] + " is recalled"})
			}
		}
		judged += len(items)
	}
	return judged, said, nil
}

func guarded(t *testing.T, a *asked, limit foresee.Limit) *world {
	t.Helper()
	w := newWorld(t)
	w.kill()
	w.items, w.rules = 5, foresee.New(foresee.Config{Network: w.ledger.G.Network, Party: "maker", Ask: a.ask, Limit: limit})
	w.start()
	return w
}

func shipments(n int) (doc string, units []string) {
	const parties = `<extension><sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:sgln:0399990.00001.0</source></sourceList>` +
		`<destinationList><destination type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:sgln:0399991.00001.0</destination></destinationList></extension>`
	list := make([]string, n)
	for i := range list {
		units = append(units, fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.G%d", i))
		list[i] = event(eventTime, "shipping", "OBSERVE", parties, units[i])
	}
	return document(list...), units
}

// A document that is divided is asked about whole, in the parts that it becomes, before anything is stored.
func TestDividedIsAskedAbout(t *testing.T) {
	doc, units := shipments(12)
	all := foresee.Limit{Units: 100, Bytes: 1 << 20}
	for _, tt := range []struct {
		name  string
		bad   []int
		parts string
	}{
		{"nothing", nil, "4 5 3"},
		{"one in the last part", []int{11}, "4 5 2"},
		{"a part", []int{4, 5, 6, 7, 8}, "4 3"},
		{"the first part", []int{0, 1, 2, 3}, "0 5 3"},
		{"all but one", []int{0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11}, "0 1"},
		{"all", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &asked{}
			for _, i := range tt.bad {
				a.bad = append(a.bad, units[i])
			}
			w := guarded(t, a, all)
			rec := w.call("POST", "/capture", xmlType, doc)
			if len(tt.bad) == 0 {
				if rec.Code != http.StatusRequestEntityTooLarge {
					t.Errorf("under rollback: %d %s", rec.Code, rec.Body)
				}
			} else if p := rec.Body.String(); rec.Code != http.StatusConflict || !strings.Contains(p, units[tt.bad[0]]+" is recalled. Nothing was captured.") || len(w.spooled()) != 0 {
				t.Errorf("under rollback: %d %s, spool %q", rec.Code, p, w.spooled())
			}
			if jobs, _, err := w.s.cfg.Jobs.List(10, ""); err != nil || len(jobs) != 0 {
				t.Errorf("%v: %d jobs of a document that was refused", err, len(jobs))
			}
			j := w.certified(w.call("POST", "/capture", proceed("k"), doc))
			if len(a.bodies) != 3 || len(j.Notes) != 0 {
				t.Errorf("asked with %d bodies; notes %q", len(a.bodies), j.Notes)
			}
			var parts []string
			for i, p := range j.Parts {
				n := p.Items
				if i == 0 {
					n-- // the header
				}
				parts = append(parts, fmt.Sprint(n))
			}
			if got := strings.Join(parts, " "); got != tt.parts || j.Counts.Refused != len(tt.bad) || j.Judged != 12 || len(j.Errors) != len(tt.bad) {
				t.Errorf("parts %q, want %q; %+v, judged %d, %+v", got, tt.parts, j.Counts, j.Judged, j.Errors)
			}
			for i, e := range j.Errors {
				if e.Code != string(httpapi.GoodsRecalled) || e.Status != http.StatusConflict || e.Event == nil || *e.Event != tt.bad[i] || e.Line == 0 || e.Detail != units[tt.bad[i]]+" is recalled" {
					t.Errorf("%+v", e)
				}
			}
			if list := w.spooled(); len(list) != 0 {
				t.Errorf("left in the spool: %q", list)
			}
		})
	}
}

// What is not asked about is not captured silently: the bound is a refusal, and an api that is away a note of the job.
func TestDividedIsNotAskedAbout(t *testing.T) {
	doc, _ := shipments(12)
	for name, tt := range map[string]struct {
		limit foresee.Limit
		says  string
	}{
		"units": {foresee.Limit{Units: 11, Bytes: 1 << 20}, "names 12 packages and containers; at most 11"},
		"bytes": {foresee.Limit{Units: 12, Bytes: 1000}, "which is the most that is held against the rules at once"},
	} {
		t.Run(name, func(t *testing.T) {
			w := guarded(t, &asked{}, tt.limit)
			rec := w.call("POST", "/capture", proceed("k"), doc)
			if rec.Code != http.StatusRequestEntityTooLarge || !strings.Contains(rec.Body.String(), tt.says) || len(w.spooled()) != 0 {
				t.Errorf("%d %s, spool %q", rec.Code, rec.Body, w.spooled())
			}
			if j := w.certified(w.call("POST", "/capture", proceed("made"), manyEvents(20, "N"))); !j.Success {
				t.Errorf("goods that do not leave: %+v", j)
			}
		})
	}
	t.Run("away", func(t *testing.T) {
		w := guarded(t, &asked{err: errors.New("away")}, foresee.Limit{Units: 12, Bytes: 1 << 20})
		if j := w.certified(w.call("POST", "/capture", proceed("k"), doc)); len(j.Parts) != 3 || len(j.Notes) != 1 || !strings.Contains(j.Notes[0], "was not asked") {
			t.Errorf("%d parts, notes %q", len(j.Parts), j.Notes)
		}
	})
}
