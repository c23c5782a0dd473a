package subscription

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/clock/clocktest"
	"verilot.dev/services/internal/edge/httpapi"
)

func TestMain(m *testing.M) {
	// Badger leaves these behind when it refuses a damaged folder.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"), goleak.IgnoreAnyFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"))
}

// patience is how long a test waits for what must happen at once.
const patience = 20 * time.Second

// recorded is an event of a scripted block, and the parties that see it.
type recorded struct {
	item epcisrest.Item
	seen []string
}

// fakeEngine is a ledger of scripted blocks. It checks its callers: nobody asks for nothing, for everybody, or for too much at once.
type fakeEngine struct {
	tb    testing.TB
	clock *clocktest.Fake

	mu      sync.Mutex
	blocks  [][]recorded
	times   []time.Time
	changed chan struct{}
	fail    error
	asked   int
}

func (e *fakeEngine) Head(context.Context) (uint64, time.Time, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail != nil {
		return 0, time.Time{}, e.fail
	}
	n := len(e.blocks)
	if n == 0 {
		return 0, time.Time{}, nil
	}
	return uint64(n), e.times[n-1], nil
}

func (e *fakeEngine) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

func (e *fakeEngine) Since(ctx context.Context, c epcisrest.Caller, q *epcisquery.Query, after, to uint64, fn func(epcisrest.Item) error) error {
	if c == (epcisrest.Caller{}) || q == nil || after >= to || to-after > stride {
		e.tb.Errorf("Since(%+v, %v, %d, %d)", c, q, after, to)
	}
	e.mu.Lock()
	e.asked++
	blocks, fail := e.blocks, e.fail
	e.mu.Unlock()
	if fail != nil {
		return fail
	}
	for h := after + 1; h <= min(to, uint64(len(blocks))); h++ {
		for _, r := range blocks[h-1] {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !c.All && !slices.Contains(r.seen, c.Party) || !q.Match(&epcisquery.Record{Event: r.item.Event, RecordTime: r.item.RecordTime}, nil) {
				continue
			}
			if err := fn(r.item); err != nil {
				return err
			}
		}
	}
	return nil
}

// block records events, each given as "id", "id@party" or "id@party,party"; bizStep receiving when the id begins with r, else shipping.
func (e *fakeEngine) block(events ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.Now()
	height := uint64(len(e.blocks) + 1)
	var list []recorded
	for i, text := range events {
		id, seen, _ := strings.Cut(text, "@")
		step := "shipping"
		if strings.HasPrefix(id, "r") {
			step = "receiving"
		}
		list = append(list, recorded{seen: strings.Split(seen, ","), item: epcisrest.Item{
			Pos: canonical.Position{Height: height, Entry: uint32(i / 3), Item: uint32(i % 3)}, RecordTime: now,
			Event: &epcis.Event{
				Type: "ObjectEvent", EventID: "urn:test:" + id, EventTime: now.Format(time.RFC3339), EventTimeZoneOffset: "+00:00", Action: "OBSERVE", BizStep: step,
				EPCList: []string{"urn:epc:id:sgtin:0399990.001234." + id},
			},
		}})
	}
	e.blocks, e.times = append(e.blocks, list), append(e.times, now)
	close(e.changed)
	e.changed = make(chan struct{})
}

// hide takes the sight of an event from everybody.
func (e *fakeEngine) hide(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.blocks {
		e.blocks[i] = slices.DeleteFunc(slices.Clone(e.blocks[i]), func(r recorded) bool { return r.item.Event.EventID == "urn:test:"+id })
	}
}

func (e *fakeEngine) set(fail error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fail = fail
	close(e.changed)
	e.changed = make(chan struct{})
}

// document is what the fake answer writes: enough of an EPCISQueryDocument to see what is in it.
type document struct {
	Name, Subscription string
	IDs                []string
	Form               epcis.EPCForm
	Padding            string `json:",omitempty"`
}

// A delivery is one call that a receiver got.
type delivery struct {
	at     time.Time
	header http.Header
	body   []byte
	doc    document
}

// A receiver is a webhook. It checks every signature.
type receiver struct {
	tb    testing.TB
	clock *clocktest.Fake
	srv   *httptest.Server
	token string

	mu     sync.Mutex
	got    []delivery
	answer func(n int, d *delivery) (status int, header map[string]string) // n from 1
	block  chan struct{}                                                   // calls wait for it
	calls  int
}

func newReceiver(w *world, token string) *receiver {
	r := &receiver{tb: w.t, clock: w.clock, token: token}
	r.srv = httptest.NewServer(r)
	w.t.Cleanup(func() { r.unblock(); r.srv.Close() })
	return r
}

func (r *receiver) unblock() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.block != nil {
		close(r.block)
		r.block = nil
	}
}

func (r *receiver) hang() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.block = make(chan struct{})
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the caller went away
	}
	d := delivery{at: r.clock.Now(), header: req.Header.Clone(), body: body}
	if err := json.Unmarshal(body, &d.doc); err != nil {
		r.tb.Errorf("body %s: %v", body, err)
	}
	if err := verify(req.Header, body, r.token); err != nil {
		r.tb.Error(err)
	}
	r.mu.Lock()
	r.calls++
	wait, answer, n := r.block, r.answer, r.calls
	r.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-req.Context().Done():
			return
		}
	}
	status := http.StatusOK
	if answer != nil {
		var header map[string]string
		status, header = answer(n, &d)
		for k, v := range header {
			w.Header().Set(k, v)
		}
	}
	r.mu.Lock()
	if status >= 200 && status < 300 {
		r.got = append(r.got, d)
	}
	r.mu.Unlock()
	w.WriteHeader(status)
}

func (r *receiver) called() int { r.mu.Lock(); defer r.mu.Unlock(); return r.calls }

func (r *receiver) deliveries() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// ids are the events that were acknowledged, in the order of their arrival.
func (r *receiver) ids() string {
	var out []string
	for _, d := range r.deliveries() {
		out = append(out, short(d.doc.IDs))
	}
	return strings.Join(out, " | ")
}

func short(ids []string) string {
	return strings.ReplaceAll(strings.Join(ids, " "), "urn:test:", "")
}

// world is a service with its API, over a scripted ledger and fake time.
type world struct {
	t       testing.TB
	dir     string
	clock   *clocktest.Fake
	engine  *fakeEngine
	limits  Limits
	options Options
	svc     *Service
	api     *httptest.Server
	reg     *prometheus.Registry
	pad     int // bytes that the answer adds per event

	stop context.CancelFunc
	ran  chan error
}

var begin = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func newWorld(tb testing.TB, change ...func(*world)) *world {
	tb.Helper()
	w := &world{t: tb, dir: tb.TempDir(), clock: clocktest.New(begin), limits: defaults()}
	w.engine = &fakeEngine{tb: tb, clock: w.clock, changed: make(chan struct{})}
	w.limits.Timeout = 5 * time.Second
	w.options.Development = true
	for _, c := range change {
		c(w)
	}
	w.open()
	tb.Cleanup(w.close)
	return w
}

// open starts the service on its folder.
func (w *world) open() {
	w.t.Helper()
	o := w.options
	w.reg = prometheus.NewRegistry()
	o.Dir, o.Engine, o.Clock, o.Registry, o.Limits, o.Random = w.dir, w.engine, w.clock, w.reg, &w.limits, func() float64 { return 1 }
	o.Answer = func(out io.Writer, name, id string, items []epcisrest.Item, wo epcis.WriteOptions) error {
		d := document{Name: name, Subscription: id, IDs: []string{}, Form: wo.EPC}
		for i := range items {
			d.IDs = append(d.IDs, items[i].Event.EventID)
		}
		d.Padding = strings.Repeat("x", w.pad*len(items))
		return json.NewEncoder(out).Encode(d)
	}
	o.Events = func(ctx huma.Context, name string, q *epcisquery.Query) error {
		if ctx.Query("perPage") == "0" {
			return httpapi.NewProblem(httpapi.InvalidParameter, "perPage is 0")
		}
		ctx.SetHeader("Content-Type", "application/json")
		fmt.Fprintf(ctx.BodyWriter(), `{"name":%q,"query":%s}`, name, q.JSON())
		return nil
	}
	svc, err := Open(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.svc = svc
	h := httpapi.New(httpapi.Options{})
	Mount(h, func(r *http.Request) (epcisrest.Caller, error) {
		switch who := r.Header.Get("X-Who"); who {
		case "":
			return epcisrest.Caller{All: true}, nil
		case "nobody":
			return epcisrest.Caller{}, nil
		case "wrong":
			return epcisrest.Caller{}, httpapi.NewProblem(httpapi.SignInFailed, "the signature is wrong")
		case "broken":
			return epcisrest.Caller{}, errors.New("a secret of ours")
		default:
			return epcisrest.Caller{Party: who}, nil
		}
	}, svc)
	w.api = httptest.NewServer(h.Engine)
}

// run delivers until halt.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	w.stop, w.ran = cancel, make(chan error, 1)
	svc := w.svc
	go func() { w.ran <- svc.Run(ctx) }()
}

func (w *world) halt() error {
	if w.stop == nil {
		return nil
	}
	w.stop()
	w.stop = nil
	select {
	case err := <-w.ran:
		return err
	case <-time.After(patience):
		w.t.Fatal("Run does not end")
		return nil
	}
}

// crashed waits until Run has ended by itself.
func (w *world) crashed() error {
	w.t.Helper()
	select {
	case err := <-w.ran:
		w.stop()
		w.stop = nil
		return err
	case <-time.After(patience):
		w.t.Fatal("Run goes on")
		return nil
	}
}

func (w *world) close() {
	if w.svc == nil {
		return
	}
	if err := w.halt(); err != nil {
		w.t.Errorf("Run: %v", err)
	}
	w.shut()
}

// shut closes what Run has left.
func (w *world) shut() {
	svc := w.svc
	w.svc = nil
	if err := svc.Close(); err != nil {
		w.t.Errorf("Close: %v", err)
	}
	w.api.Close()
}

// again is a restart.
func (w *world) again() {
	w.t.Helper()
	w.close()
	w.open()
	w.run()
}

// until waits for something that must happen by itself.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	w.passing(0, what, cond)
}

// passing lets time pass until something happens.
func (w *world) passing(step time.Duration, what string, cond func() bool) {
	w.t.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(end) {
			w.t.Fatalf("%s: it does not come about", what)
		}
		<-tick.C
		if step > 0 {
			w.clock.Advance(step)
		}
	}
}

// settled waits until the service has nothing left to do.
func (w *world) settled() {
	w.t.Helper()
	w.until("nothing left to do", func() bool {
		height, _, err := w.engine.Head(context.Background())
		if err != nil {
			return false
		}
		w.svc.mu.Lock()
		defer w.svc.mu.Unlock()
		for _, sub := range w.svc.subs {
			at, has := sub.wants(height)
			if sub.running || has && !at.After(w.clock.Now()) {
				return false
			}
		}
		return true
	})
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r *reply) json(tb testing.TB, v any) {
	tb.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		tb.Fatalf("%s: %v", r.body, err)
	}
}

func (w *world) call(method, path, body string, header ...string) *reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.api.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		k, v, _ := strings.Cut(h, ": ")
		req.Header.Set(k, v)
	}
	resp, err := w.api.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return &reply{resp.StatusCode, resp.Header, b}
}

const shipping = `{"name":"shipping","query":{"eventType":["ObjectEvent"],"EQ_bizStep":["shipping"]}}`

// query makes a named query of all events.
func (w *world) query(name string, header ...string) {
	w.t.Helper()
	if r := w.call("POST", "/queries", `{"name":"`+name+`","query":{"eventType":["ObjectEvent"]}}`, header...); r.status != http.StatusCreated {
		w.t.Fatalf("%d %s", r.status, r.body)
	}
}

// subscribe subscribes a receiver and returns the path of the subscription. more are further members of the body.
func (w *world) subscribe(r *receiver, name, more string, header ...string) string {
	w.t.Helper()
	body := fmt.Sprintf(`{"dest":%q,%s`, r.srv.URL+"/hook", more)
	if r.token != "" {
		body += fmt.Sprintf(`,"signatureToken":%q`, r.token)
	}
	a := w.call("POST", "/queries/"+url.PathEscape(name)+"/subscriptions", body+"}", header...)
	if a.status != http.StatusCreated {
		w.t.Fatalf("%d %s", a.status, a.body)
	}
	return a.header.Get("Location")
}

func (w *world) subscription(path string, header ...string) *Subscription {
	w.t.Helper()
	r := w.call("GET", path, "", header...)
	if r.status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", path, r.status, r.body)
	}
	var s Subscription
	r.json(w.t, &s)
	return &s
}

const stream = `"stream":true`

// metric is the value of a metric, as it is scraped.
func (w *world) metric(name string) string {
	w.t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	var b bytes.Buffer
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				fmt.Fprintf(&b, "%s=", l.GetValue())
			}
			fmt.Fprintf(&b, "%v ", m.GetCounter().GetValue()+m.GetGauge().GetValue())
		}
	}
	return strings.TrimSpace(b.String())
}
