package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// Whatever the broker does to a message, it is judged once, and the job says so.
// TestStoreKilledWhileAFileIsMade: kill -9 between the making of a file of the store and its first byte.
func TestStoreKilledWhileAFileIsMade(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"00099.mem", "000099.vlog"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestBrokerFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []fault
		sends  int
	}{
		{"all is well", nil, 1},
		{"the broker is down", []fault{down, down}, 3},
		{"the ack is lost, and the block is followed before the second copy is acknowledged", []fault{silent}, 2},
		{"the ack is lost, and the broker has forgotten the message when it comes again", []fault{silent, forgets}, 2},
		{"another message got the place that was acknowledged", []fault{hijacked, hijacked}, 3},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", tt.name, restart), func(t *testing.T) {
				w := newWorld(t, Manufacturer(), "maker")
				w.kill()
				w.ledger.fault = func(n int) fault {
					if n <= len(tt.faults) {
						return tt.faults[n-1]
					}
					return works
				}
				once := sync.Once{}
				if restart {
					w.step = func(name string) (err error) {
						if name == "publish: before ack is stored" {
							once.Do(func() { err = errKilled })
						}
						return err
					}
				}
				w.start()
				rec := w.call("POST", "/v1/lots", map[string]string{"Content-Type": jsonType, "Idempotency-Key": "k"}, lotBody(1))
				if restart {
					if err := <-w.done; err == nil {
						t.Error("the engine went on although it was killed")
					}
					w.done <- nil
					w.restart()
				}
				j := w.certified(rec)
				if len(j.Verdicts) != 1 || j.Verdicts[0].Verdict != "accepted" {
					t.Errorf("%+v", j.Verdicts)
				}
				for id, n := range w.ledger.judged() {
					if n != 1 {
						t.Errorf("%s was judged %d times", id, n)
					}
				}
				w.ledger.mu.Lock()
				sends := w.ledger.n
				w.ledger.mu.Unlock()
				if !restart && sends != tt.sends {
					t.Errorf("sent %d times, want %d", sends, tt.sends)
				}
			})
		}
	}
}

// A data folder that was put back gives out counters twice. The ledger refuses the second use, and the engine signs again.
func TestRestoredBackup(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	for i := range 3 {
		w.do("lots", lotBody(i))
	}
	w.kill()
	w.dir = t.TempDir()
	w.ledger.restored = true
	w.start()
	j := w.do("lots", lotBody(7))
	if j.Verdicts[0].Verdict != "accepted" || j.Parts[0].Counter != 4 {
		t.Errorf("%+v %+v", j.Verdicts, j.Parts)
	}
}

// The outbox keeps captures while the broker is away and sends them in order, in few batches, when it is back.
func TestOutage(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	w.clock.mu.Lock()
	w.clock.eager = false
	w.clock.mu.Unlock()
	away := true
	w.ledger.mu.Lock()
	w.ledger.fault = func(int) fault {
		if away {
			return down
		}
		return works
	}
	w.ledger.mu.Unlock()
	var ids []string
	for i := range 50 {
		rec := w.call("POST", "/v1/lots", map[string]string{"Content-Type": jsonType}, lotBody(i))
		var j Job
		if err := json.Unmarshal(rec.Body.Bytes(), &j); err != nil || j.State != Captured || rec.Code != http.StatusAccepted {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		ids = append(ids, j.CaptureID)
	}
	if n, _ := w.e.outstanding(); n != 50 {
		t.Errorf("%d rows in the outbox", n)
	}
	w.ledger.mu.Lock()
	away = false
	w.ledger.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var last uint64
	for i, id := range ids {
		for {
			w.clock.advance(time.Minute)
			j, err := w.e.Job(ctx, uuid.MustParse(id), Certified, 10*time.Second)
			if err != nil || ctx.Err() != nil {
				t.Fatal(err, ctx.Err())
			}
			if j.State.rank() < Certified.rank() {
				continue
			}
			if j.Parts[0].Sequence <= last {
				t.Errorf("capture %d was published at %d, after the next one", i, j.Parts[0].Sequence)
			}
			last = j.Parts[0].Sequence
			break
		}
	}
}

// A job can be waited for, state by state, without asking again and again.
func TestWait(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	w.clock.mu.Lock()
	w.clock.eager = false
	w.clock.mu.Unlock()
	w.ledger.mu.Lock()
	w.ledger.auto = false
	w.ledger.mu.Unlock()
	rec := w.call("POST", "/v1/lots", map[string]string{"Content-Type": jsonType}, lotBody(1))
	at := rec.Header().Get("Location")
	get := func(query string) *Job {
		t.Helper()
		rec := w.call("GET", at+query, nil, "")
		var j Job
		if err := json.Unmarshal(rec.Body.Bytes(), &j); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%d %v: %s", rec.Code, err, rec.Body)
		}
		return &j
	}
	if j := get("?wait=accepted&timeout=30s"); j.State != Accepted || !j.Running || !j.Success || j.Parts[0].Sequence != 2 {
		t.Errorf("%+v", j)
	}
	if j := get("?wait=certified&timeout=0s"); j.State != Accepted {
		t.Errorf("%+v", j)
	}
	answered := make(chan *Job)
	go func() { answered <- get("?wait=indexed&timeout=30s") }()
	w.ledger.cutNow()
	j := <-answered
	if j.State != Indexed || j.Running || !j.Success || j.FinishedAt == nil || j.Parts[0].Height != 1 || j.Verdicts[0].Position.Height != 1 {
		t.Errorf("%+v", j)
	}
}

// Many callers at once: every one is judged, and no counter is given out twice, not even after a restart.
func TestManyCallers(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	for round := range 3 {
		h := w.api()
		ids := make([]string, 40)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				req := httptest.NewRequest(http.MethodPost, "/v1/lots", strings.NewReader(lotBody(100*round+i)))
				req.Header.Set("Content-Type", jsonType)
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, req)
				ids[i] = strings.TrimPrefix(rec.Header().Get("Location"), "/capture/")
			})
		}
		wg.Wait()
		for _, id := range ids {
			if j := w.await(id, Certified); !j.Success {
				t.Errorf("%+v", j.Verdicts)
			}
		}
		w.restart()
	}
}

func TestJobsArePaged(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	for i := range 5 {
		w.do("lots", lotBody(i))
	}
	seen := map[string]bool{}
	path := "/capture?perPage=2"
	for pages := 0; path != ""; pages++ {
		rec := w.call("GET", path, nil, "")
		var jobs []Job
		if err := json.Unmarshal(rec.Body.Bytes(), &jobs); err != nil || pages > 5 {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		for _, j := range jobs {
			seen[j.CaptureID] = true
		}
		link := rec.Header().Get("Link")
		path, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
	}
	if len(seen) != 5 {
		t.Errorf("%d jobs listed", len(seen))
	}
}

func TestSerialsAreNeverGivenOutTwice(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	seen := map[string]bool{}
	for i := range 4 {
		var r serialsResult
		if err := json.Unmarshal(w.do("serials", `{"gtin":"00399990100013","count":500,"length":12}`).Result, &r); err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Serials {
			if seen[s] || len(s) != 12 || strings.Trim(s, alphabet) != "" {
				t.Errorf("serial %q", s)
			}
			seen[s] = true
		}
		if i == 1 {
			w.restart()
		}
	}
	if len(seen) != 2000 {
		t.Errorf("%d serials", len(seen))
	}
}

func TestOpenAPIAndOptions(t *testing.T) {
	for _, p := range []Profile{Manufacturer(), Distributor(), Pharmacy()} {
		w := newWorld(t, p, "maker")
		doc, err := openapi3.NewLoader().LoadFromData(w.call("GET", "/openapi.json", nil, "").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Error(err)
		}
		for _, c := range all {
			if doc.Paths.Find("/v1/"+c) == nil {
				t.Errorf("/v1/%s is not described", c)
			}
		}
		rec := w.call("OPTIONS", "/capture", nil, "")
		if rec.Code != http.StatusNoContent || rec.Header().Get("GS1-EPCIS-Capture-Limit") == "" || rec.Header().Get("Allow") == "" {
			t.Errorf("%d %v", rec.Code, rec.Header())
		}
		metrics := w.call("GET", "/metrics", nil, "").Body.String()
		for _, m := range []string{"verilot_capture_outbox_rows 0", "verilot_capture_outbox_age_seconds 0", "verilot_capture_height"} {
			if !strings.Contains(metrics, m) {
				t.Errorf("no metric %q", m)
			}
		}
	}
}

// behind is an api service that has indexed nothing yet.
type behind struct{ peerOf }

func (behind) Indexed(context.Context) (uint64, error) { return 0, nil }

func TestRunningJobsAreFoundAgain(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	j := w.do("lots", lotBody(0))
	running := func() (list []Job) {
		t.Helper()
		rec := w.call("GET", "/capture?running=true", nil, "")
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		return list
	}
	if list := running(); len(list) != 0 {
		t.Errorf("%d jobs run, though every answer shows them", len(list))
	}
	w.kill()
	w.peer = behind{peerOf{w}}
	w.start()
	if list := running(); len(list) != 1 || list[0].CaptureID != j.CaptureID {
		t.Errorf("%+v", list)
	}
}
