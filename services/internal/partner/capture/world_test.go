package capture

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/clock/clocktest"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// The documents of the tests.
const (
	eventTime = outboxtest.EventTime
	ilmd      = outboxtest.ILMD
	jsonType  = "application/json"
)

var (
	event      = outboxtest.Event
	document   = outboxtest.Document
	sgtins     = outboxtest.SGTINs
	manyEvents = outboxtest.ManyEvents
)

var xmlType = map[string]string{"Content-Type": "application/xml"}

// world is what captures for the maker, over an outbox and a ledger; kill and restart keep only
// what is on disk.
type world struct {
	tb     testing.TB
	ledger *outboxtest.Ledger
	clock  *clocktest.Fake
	dir    string
	step   func(string) error
	items  int // of a part of a divided document
	free   func(string) (uint64, error)
	bus    outbox.Bus  // the ledger, if left out
	time   clock.Clock // the clock, if left out
	ask    foresee.Ask // nil: nobody is asked what the rules would say
	limit  foresee.Limit

	s       *Service
	metrics *prometheus.Registry
	handler http.Handler
	stop    context.CancelFunc
	done    chan error
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb, ledger: outboxtest.NewLedger(tb, outboxtest.Genesis(tb, true)), dir: tb.TempDir(), clock: outboxtest.NewClock()}
	w.start()
	tb.Cleanup(w.kill)
	return w
}

func (w *world) open() (*Service, error) {
	w.tb.Helper()
	g := w.ledger.G
	var source clock.Clock = w.clock
	if w.time != nil {
		source = w.time
	}
	var b outbox.Bus = w.ledger
	if w.bus != nil {
		b = w.bus
	}
	log, metrics, spool := slog.New(slog.DiscardHandler), prometheus.NewRegistry(), filepath.Join(w.dir, "spool")
	key := outboxtest.Key("maker/event")
	dir, err := directory.New(directory.Config{Genesis: g, Party: "maker", KeyID: keys.ID(keys.Event, outboxtest.Public("maker/event")), Now: source.Now})
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(w.dir)
	if err != nil {
		return nil, err
	}
	o, err := outbox.Open(outbox.Config{Journal: j, Spool: spool, Genesis: g, Party: "maker", Key: key, Bus: b, Clock: source, Registry: metrics, Step: w.step})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	jobs := NewJobs(o, j, source, log, nil)
	sealer, err := draft.NewSealer(g.Network, j)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	s, err := New(Config{Sealer: sealer, Journal: j, Outbox: o, Directory: dir, Rules: foresee.New(foresee.Config{Sealer: sealer, Party: "maker", Ask: w.ask, Limit: w.limit}), Jobs: jobs, Spool: spool, Clock: source, Log: log, Registry: metrics})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	if w.step != nil {
		s.step = w.step
	}
	if w.free != nil {
		s.free = w.free
	}
	if w.items > 0 {
		s.partItems = w.items
	}
	w.metrics = metrics
	return s, nil
}

func (w *world) start() {
	w.tb.Helper()
	s, err := w.open()
	if err != nil {
		w.tb.Fatal(err)
	}
	api := httpapi.New(httpapi.Options{MaxBody: MaxDocument + 1<<20, Registry: w.metrics})
	MountJobs(api, s.cfg.Jobs)
	Mount(api, s)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 2)
	for _, run := range []func(context.Context) error{s.cfg.Outbox.Run, s.Run} {
		go func() {
			err := run(ctx)
			if err != nil {
				stop()
			}
			done <- err
		}()
	}
	both := make(chan error, 1)
	go func() { both <- errors.Join(<-done, <-done) }()
	w.s, w.handler, w.stop, w.done = s, api.Engine, stop, both
}

// kill ends the service; what it had not made durable is gone.
func (w *world) kill() {
	w.tb.Helper()
	if w.s == nil {
		return
	}
	w.stop()
	if err := <-w.done; err != nil && !errors.Is(err, outboxtest.ErrKilled) {
		w.tb.Errorf("run: %v", err)
	}
	if err := w.s.cfg.Journal.Close(); err != nil {
		w.tb.Error(err)
	}
	w.s = nil
}

func (w *world) restart() {
	w.tb.Helper()
	w.kill()
	w.start()
}

// call sends a request through the service's own HTTP handler.
func (w *world) call(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
	w.tb.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for k, v := range header {
		req.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	return rec
}

// certified expects 202 and waits for the certified job.
func (w *world) certified(rec *httptest.ResponseRecorder) *Job {
	w.tb.Helper()
	if rec.Code != http.StatusAccepted {
		w.tb.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	var j Job
	if err := json.Unmarshal(rec.Body.Bytes(), &j); err != nil {
		w.tb.Fatal(err)
	}
	if rec.Header().Get("Location") != "/capture/"+j.CaptureID {
		w.tb.Errorf("location %q", rec.Header().Get("Location"))
	}
	return w.await(j.CaptureID, journal.Certified)
}

func (w *world) await(id string, want journal.State) *Job {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	j, err := w.s.cfg.Jobs.awaited(ctx, uuid.MustParse(id), want, time.Hour)
	if err != nil {
		w.tb.Fatal(err)
	}
	if j.State.Before(want) {
		w.tb.Fatalf("job %s is %s, want %s", id, j.State, want)
	}
	return j
}

// outstanding is how many rows the outbox has, as its metric says.
func (w *world) outstanding() int {
	w.tb.Helper()
	list, err := w.metrics.Gather()
	if err != nil {
		w.tb.Fatal(err)
	}
	for _, m := range list {
		if m.GetName() == "verilot_capture_outbox_rows" {
			return int(m.GetMetric()[0].GetGauge().GetValue())
		}
	}
	w.tb.Fatal("no metric of the outbox")
	return 0
}
