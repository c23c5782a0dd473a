package subscription

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"verilot.dev/epcis"
)

// verify is what docs/subscriptions.md tells receivers to do.
func verify(h http.Header, body []byte, token string) error {
	if h.Get("webhook-id") == "" || h.Get("webhook-timestamp") == "" {
		return fmt.Errorf("no webhook-id or webhook-timestamp: %v", h)
	}
	if token == "" {
		if h.Get("webhook-signature") != "" || h.Get("GS1-Signature") != "" {
			return errors.New("signed without a token")
		}
		return nil
	}
	key := []byte(token)
	if rest, ok := strings.CutPrefix(token, "whsec_"); ok {
		key, _ = base64.StdEncoding.DecodeString(rest)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("webhook-id"), h.Get("webhook-timestamp"), body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if h.Get("webhook-signature") != want || h.Get("GS1-Signature") != want {
		return fmt.Errorf("signature %s and %s, want %s", h.Get("webhook-signature"), h.Get("GS1-Signature"), want)
	}
	return nil
}

// The example of the Standard Webhooks specification, so that its libraries verify what we send.
func TestSignatureVector(t *testing.T) {
	h := http.Header{}
	sign(h, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if got := h.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || h.Get("GS1-Signature") != got || h.Get("webhook-timestamp") != "1614265330" {
		t.Errorf("%v", h)
	}
}

// Whatever is recorded after the subscription is sent at once, once, in order, with all that a receiver needs; to nobody who may not see it.
func TestStream(t *testing.T) {
	w := newWorld(t)
	w.engine.block("old")
	w.query("all")
	w.query("mine", "X-Who: lakeside")
	all, mine := newReceiver(w, "whsec_"+base64.StdEncoding.EncodeToString([]byte("0123456789abcdef01234567"))), newReceiver(w, "a plain token")
	path := w.subscribe(all, "all", stream, "GS1-EPC-Format: Always_EPC_URN")
	w.subscribe(mine, "mine", stream, "X-Who: lakeside")
	w.run()
	w.engine.block("a1", "a2@lakeside", "a3")
	w.until("the first block", func() bool { return all.ids() == "a1 a2 a3" && mine.ids() == "a2" })
	w.clock.Advance(time.Minute)
	w.engine.block()
	w.engine.block("b1@midland,lakeside")
	w.until("the third block", func() bool { return all.ids() == "a1 a2 a3 | b1" && mine.ids() == "a2 | b1" })
	d := all.deliveries()[1]
	for k, v := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "Verilot-Webhook/1", "GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0", "GS1-EPC-Format": "Always_EPC_URN",
		"webhook-timestamp": fmt.Sprint(w.clock.Now().Unix()),
	} {
		if d.header.Get(k) != v {
			t.Errorf("%s: %q, want %q", k, d.header.Get(k), v)
		}
	}
	if d.doc.Name != "all" || !strings.HasSuffix(path, d.doc.Subscription) || d.doc.Form != epcis.URN || mine.deliveries()[0].doc.Form != epcis.DigitalLink {
		t.Errorf("%+v of %s", d.doc, path)
	}
	if all.deliveries()[0].header.Get("webhook-id") == d.header.Get("webhook-id") {
		t.Error("two batches have one id")
	}
	w.settled()
	s := w.subscription(path)
	if s.State != "active" || s.LastNotifiedAt == nil || !s.LastNotifiedAt.Equal(begin.Add(time.Minute)) || !s.MinRecordTime.Equal(begin.Add(time.Minute)) || !s.Signed || s.EPCFormat != "Always_EPC_URN" {
		t.Errorf("%+v", s)
	}
	if got := w.metric("verilot_webhook_deliveries_total"); got != "ok=4" {
		t.Error(got)
	}
	if got := w.metric("verilot_webhook_events_total"); got != "6" {
		t.Error(got)
	}
}

// A subscription that begins in the past gets what was recorded since, over many blocks without a match, in batches.
func TestInitialRecordTime(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Events = 2 })
	w.engine.block("a1", "a2", "a3")
	for range 3 * stride {
		w.engine.block()
	}
	w.engine.block("b1", "b2")
	w.query("all")
	r := newReceiver(w, "")
	path := w.subscribe(r, "all", stream+`,"initialRecordTime":"2026-11-21T07:00:00+01:00"`)
	w.run()
	w.until("everything", func() bool { return r.ids() == "a1 a2 | a3 b1 | b2" })
	if s := w.subscription(path); s.InitialRecordTime == nil || !s.InitialRecordTime.Equal(begin.Add(-2*time.Hour)) || s.Signed {
		t.Errorf("%+v", s)
	}
}

// Batches are bounded by events and by bytes, and a receiver that answers 413 gets halves, down to one event; nothing is lost or out of order.
func TestBatches(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Events = 8 })
	w.query("all")
	r := newReceiver(w, "t")
	r.answer = func(_ int, d *delivery) (int, map[string]string) {
		if len(d.doc.IDs) > 2 {
			return http.StatusRequestEntityTooLarge, nil
		}
		return http.StatusNoContent, nil
	}
	path := w.subscribe(r, "all", stream)
	w.run()
	w.engine.block("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9")
	w.until("all in halves", func() bool { return r.ids() == "a1 a2 | a3 a4 | a5 a6 | a7 a8 | a9" })
	w.settled() // the receiver knows of its answer first
	if got := w.metric("verilot_webhook_deliveries_total"); got != "ok=5 too_large=2" {
		t.Error(got)
	}
	if s := w.subscription(path); s.State != "active" || s.Failures != 0 {
		t.Errorf("%+v", s)
	}
	// A receiver that takes more again is offered more again.
	r.mu.Lock()
	r.answer = nil
	r.mu.Unlock()
	for i := range grow {
		w.engine.block(fmt.Sprintf("b%d", i))
		w.settled()
	}
	w.engine.block("c1", "c2", "c3", "c4", "c5")
	w.until("more again", func() bool { return strings.HasSuffix(r.ids(), "| c1 c2 c3 c4 | c5") })
}

func TestDocumentsAreBounded(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Bytes, w.pad = 4000, 1500 })
	w.query("all")
	r := newReceiver(w, "")
	w.subscribe(r, "all", stream)
	w.run()
	w.engine.block("a1", "a2", "a3", "a4", "a5")
	w.until("all", func() bool { return len(strings.Fields(strings.ReplaceAll(r.ids(), "|", ""))) == 5 })
	for _, d := range r.deliveries() {
		if len(d.body) > 4000 {
			t.Errorf("%d bytes: %v", len(d.body), d.doc.IDs)
		}
	}
	// One event that is larger than that goes all the same: nothing is ever left out.
	w.pad = 9000
	w.engine.block("b1", "b2")
	w.until("large ones", func() bool { return strings.HasSuffix(r.ids(), "b1 | b2") })
}

// A receiver that fails is called again, later each time, with the same batch; after days GET says that it fails, and it still is called.
func TestRetries(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "token")
	healthy := false
	var ids []string
	var at []time.Time
	r.answer = func(_ int, d *delivery) (int, map[string]string) {
		ids, at = append(ids, d.header.Get("webhook-id")), append(at, d.at)
		if healthy {
			return http.StatusOK, nil
		}
		return http.StatusInternalServerError, nil
	}
	path := w.subscribe(r, "all", stream)
	w.run()
	w.engine.block("a1", "a2")
	w.until("the first call", func() bool { return r.called() == 1 })
	w.settled()
	s := w.subscription(path)
	if s.State != "retrying" || s.Failures != 1 || s.LastError != "the receiver answered 500" || s.FailingSince == nil || s.NextAttemptAt == nil || !s.NextAttemptAt.Equal(begin.Add(time.Second)) {
		t.Errorf("%+v", s)
	}
	w.engine.block("a3") // it does not join a batch that may have arrived, and it does not hasten the retry
	w.settled()
	if n := r.called(); n != 1 {
		t.Fatalf("%d calls", n)
	}
	w.passing(time.Second, "five calls", func() bool { return r.called() == 5 })
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if gap := at[i+1].Sub(at[i]); gap < want || gap > want+time.Minute {
			t.Errorf("gap %d is %s, want %s", i, gap, want)
		}
	}
	w.passing(10*time.Minute, "days", func() bool { return w.subscription(path).State == "failing" })
	if s := w.subscription(path); w.clock.Now().Sub(*s.FailingSince) < 72*time.Hour || s.Failures < 60 {
		t.Errorf("%+v", s)
	}
	w.again() // a restart changes nothing
	if s := w.subscription(path); s.State != "failing" || s.NextAttemptAt == nil {
		t.Errorf("%+v", s)
	}
	n := r.called()
	w.passing(10*time.Minute, "still called", func() bool { return r.called() >= n+2 })
	healthy = true
	w.passing(10*time.Minute, "delivered", func() bool { return r.ids() == "a1 a2 | a3" })
	w.settled()
	if s := w.subscription(path); s.State != "active" || s.Failures != 0 || s.LastError != "" || s.FailingSince != nil || s.NextAttemptAt != nil {
		t.Errorf("%+v", s)
	}
	for _, id := range ids[:len(ids)-1] {
		if id != ids[0] {
			t.Fatalf("one batch has the ids %s and %s", ids[0], id)
		}
	}
	if ids[len(ids)-1] == ids[0] {
		t.Error("two batches have one id")
	}
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "5": 5 * time.Second, "0": 0, "-1": 0, "": 0, "soon": 0, "4294967295": maxRetryAfter, "99999999999999999999": 0,
		begin.Add(time.Hour).Format(http.TimeFormat): time.Hour, begin.Add(-time.Hour).Format(http.TimeFormat): 0, begin.Add(9999 * time.Hour).Format(http.TimeFormat): maxRetryAfter,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, begin); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	r.answer = func(n int, _ *delivery) (int, map[string]string) {
		if n == 1 {
			return http.StatusServiceUnavailable, map[string]string{"Retry-After": "3600"}
		}
		return http.StatusOK, nil
	}
	path := w.subscribe(r, "all", stream)
	w.run()
	w.engine.block("a1")
	w.until("the first call", func() bool { return r.called() == 1 })
	w.settled()
	if s := w.subscription(path); !s.NextAttemptAt.Equal(begin.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
	w.passing(time.Minute, "the second call", func() bool { return r.called() == 2 })
	if got := r.deliveries()[0].at; got.Before(begin.Add(time.Hour)) {
		t.Errorf("called at %s", got)
	}
}

// Random parts of the waiting keep receivers that failed together apart.
func TestBackoff(t *testing.T) {
	s := &Service{limits: defaults()}
	for _, tt := range []struct {
		failures  int
		low, high time.Duration
	}{{1, time.Second / 2, time.Second}, {2, time.Second, 2 * time.Second}, {5, 8 * time.Second, 16 * time.Second}, {13, 30 * time.Minute, time.Hour}, {1 << 40, 30 * time.Minute, time.Hour}} {
		s.o.Random = func() float64 { return 0 }
		low := s.backoff(tt.failures)
		s.o.Random = func() float64 { return 1 }
		if high := s.backoff(tt.failures); low != tt.low || high != tt.high {
			t.Errorf("%d: %s to %s", tt.failures, low, high)
		}
	}
}

// Receivers that hang delay themselves, and nobody else: not those of other owners, and not for long those of the same.
func TestHangingReceivers(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Workers, w.limits.Timeout = 8, 500*time.Millisecond })
	w.query("all")
	w.query("mine", "X-Who: lakeside")
	var bad []*receiver
	for range 12 {
		r := newReceiver(w, "")
		r.hang()
		w.subscribe(r, "all", stream)
		bad = append(bad, r)
	}
	good, other := newReceiver(w, ""), newReceiver(w, "")
	w.subscribe(good, "all", stream)
	w.subscribe(other, "mine", stream, "X-Who: lakeside")
	w.run()
	w.engine.block("a1@lakeside")
	w.passing(time.Second, "another owner's", func() bool { return other.ids() == "a1" })
	w.passing(time.Second, "the same owner's", func() bool { return good.ids() == "a1" })
	for i := range 20 {
		w.engine.block(fmt.Sprintf("b%d@lakeside", i))
		w.clock.Advance(time.Hour)
		w.passing(time.Second, "both go on", func() bool {
			return strings.HasSuffix(good.ids(), fmt.Sprintf("b%d", i)) && strings.HasSuffix(other.ids(), fmt.Sprintf("b%d", i))
		})
	}
	for _, r := range bad {
		r.unblock()
	}
	for _, r := range bad {
		w.passing(time.Hour, "late, but all", func() bool { return strings.HasPrefix(r.ids(), "a1") && strings.HasSuffix(r.ids(), "b19") })
	}
}

// One subscription is never called twice at the same time.
func TestOneInFlight(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	r.hang()
	w.subscribe(r, "all", stream)
	w.run()
	w.engine.block("a1")
	w.until("the first call", func() bool { return r.called() == 1 })
	w.engine.block("a2")
	w.clock.Advance(time.Hour)
	w.engine.block("a3")
	for range 50 {
		w.svc.wake()
	}
	r.unblock()
	w.until("all", func() bool { return r.ids() == "a1 | a2 a3" })
	if n := r.called(); n != 2 {
		t.Errorf("%d calls", n)
	}
}

// A subscription that is deleted while a call is under way ends at once, and nothing of it comes back.
func TestUnsubscribeWhileDelivering(t *testing.T) {
	for _, what := range []string{"subscription", "query"} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.query("all")
			r := newReceiver(w, "")
			r.hang()
			path := w.subscribe(r, "all", stream)
			w.run()
			w.engine.block("a1")
			w.until("the call", func() bool { return r.called() == 1 })
			target := path
			if what == "query" {
				target = "/queries/all"
			}
			if a := w.call("DELETE", target, ""); a.status != http.StatusNoContent || len(a.body) != 0 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			r.unblock()
			w.settled()
			if a := w.call("GET", path, ""); a.status != http.StatusNotFound {
				t.Errorf("%d %s", a.status, a.body)
			}
			w.engine.block("a2")
			w.again()
			if len(w.svc.subs) != 0 || (what == "query") != (len(w.svc.named) == 0) {
				t.Errorf("%d subscriptions and %d queries after a restart", len(w.svc.subs), len(w.svc.named))
			}
			if n := r.called(); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// What the owner may not see any more when a batch is sent again is not in it.
func TestSightIsLost(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	r.answer = func(n int, _ *delivery) (int, map[string]string) {
		if n <= 2 {
			return http.StatusBadGateway, nil
		}
		return http.StatusOK, nil
	}
	w.subscribe(r, "all", stream)
	w.run()
	w.engine.block("a1", "a2")
	w.until("a call", func() bool { return r.called() == 1 })
	w.engine.hide("a2")
	w.passing(time.Second, "another", func() bool { return r.called() == 2 })
	w.engine.hide("a1")
	w.settled()
	w.engine.block("b1")
	w.passing(time.Second, "the next batch", func() bool { return r.ids() == "b1" })
}

// A ledger that cannot answer for a while delays, and loses nothing.
func TestEngineFails(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	w.subscribe(r, "all", stream)
	w.run()
	w.engine.set(errors.New("the copy is being built again"))
	if a := w.call("POST", "/queries/all/subscriptions", `{"dest":"http://127.0.0.1:9999/","stream":true}`); a.status != http.StatusInternalServerError || strings.Contains(string(a.body), "being built") {
		t.Errorf("%d %s", a.status, a.body)
	}
	w.engine.block("a1")
	w.clock.Advance(time.Minute)
	w.engine.set(nil)
	w.passing(time.Second, "it goes on", func() bool { return r.ids() == "a1" })
}

// A schedule runs at its times and tells what was recorded since the last run.
func TestSchedule(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Events = 3 })
	w.query("all")
	quiet, loud := newReceiver(w, ""), newReceiver(w, "t")
	path := w.subscribe(quiet, "all", `"schedule":{"minute":30}`)
	w.subscribe(loud, "all", `"schedule":{"minute":"0,30","second":"0"},"reportIfEmpty":true`)
	w.run()
	w.engine.block("a1")
	w.engine.block("a2", "a3", "a4")
	w.clock.Advance(29 * time.Minute)
	w.settled()
	if quiet.called()+loud.called() > 0 {
		t.Fatal("called before the time")
	}
	if s := w.subscription(path); s.NextRunAt == nil || !s.NextRunAt.Equal(begin.Add(30*time.Minute)) || s.Schedule == nil || s.Schedule.text[minute] != "30" || s.Stream {
		t.Errorf("%+v", s)
	}
	// The clock stands still while things happen: minutes that fly by would bring the next run.
	later := func(d time.Duration, what string, cond func() bool) {
		t.Helper()
		w.clock.Advance(d)
		w.svc.wake()
		w.until(what, cond)
		w.settled()
	}
	later(time.Minute, "8:30", func() bool { return quiet.ids() == "a1 a2 a3 | a4" && loud.ids() == "a1 a2 a3 | a4" })
	later(30*time.Minute, "9:00, and there is nothing", func() bool { return len(loud.deliveries()) == 3 })
	if d := loud.deliveries()[2]; len(d.doc.IDs) != 0 || len(quiet.deliveries()) != 2 {
		t.Errorf("%+v, and %d", d.doc, len(quiet.deliveries()))
	}
	w.engine.block("b1")
	later(30*time.Minute, "9:30", func() bool { return strings.HasSuffix(quiet.ids(), "b1") && strings.HasSuffix(loud.ids(), "b1") })
	if s := w.subscription(path); s.MinRecordTime.Before(begin.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
}

// Runs that fell due while the service was down are made up for, once.
func TestMissedRun(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	path := w.subscribe(r, "all", `"schedule":{"minute":"30"},"reportIfEmpty":true`)
	w.run()
	w.engine.block("a1")
	w.close()
	w.clock.Advance(10 * time.Hour)
	w.open()
	w.run()
	w.until("at once", func() bool { return r.ids() == "a1" })
	w.settled()
	if s := w.subscription(path); !s.NextRunAt.Equal(begin.Add(10*time.Hour + 30*time.Minute)) {
		t.Errorf("%+v", s)
	}
	if n := r.called(); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// A schedule of every second that cannot be kept up with falls behind by one run, not by all of them.
func TestScheduleCoalesces(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	r.hang()
	w.subscribe(r, "all", `"schedule":{"second":"[0-59]"},"reportIfEmpty":true`)
	w.run()
	w.passing(time.Second, "the first call", func() bool { return r.called() == 1 })
	w.clock.Advance(time.Hour)
	w.engine.block("a1")
	r.unblock()
	w.until("the second call", func() bool { return strings.HasSuffix(r.ids(), "a1") })
	w.settled()
	if n := r.called(); n > 3 {
		t.Errorf("%d calls", n)
	}
}

var errKilled = errors.New("killed")

// Killed at any moment, with a write lost or with a write done, the service goes on after a restart where it was: every event arrives, in
// order, and what arrives twice has the id that it had before.
func TestKilledAtEveryStep(t *testing.T) {
	places := []string{"store before", "store after", "before sending", "after sending", "after acknowledgement"}
	for _, place := range places {
		for nth := 1; nth <= 6; nth++ {
			for _, trigger := range []string{stream, `"schedule":{"second":"[0-59]"}`} {
				t.Run(fmt.Sprintf("%s %d %.8s", place, nth, trigger[1:]), func(t *testing.T) {
					w := newWorld(t, func(w *world) { w.limits.Events = 2 })
					w.query("all")
					r := newReceiver(w, "t")
					w.subscribe(r, "all", trigger)
					n := 0
					die := func(at string) error {
						if at == place {
							if n++; n == nth {
								return errKilled
							}
						}
						return nil
					}
					w.svc.step = die
					w.svc.st.fault = func(when string) error { return die("store " + when) }
					w.run()
					for _, b := range [][]string{{"a1", "a2", "a3"}, {"b1"}, {}, {"c1", "c2", "c3", "c4"}} {
						w.engine.block(b...)
					}
					w.passing(time.Second, "the end", func() bool {
						select {
						case err := <-w.ran:
							w.ran <- err
							return true
						default:
							return strings.HasSuffix(r.ids(), "c4")
						}
					})
					// It may have got to the end before the nth time, or just then.
					if err := w.halt(); err != nil && !errors.Is(err, errKilled) || err == nil && !strings.HasSuffix(r.ids(), "c4") {
						t.Fatalf("Run: %v", err)
					}
					w.shut()
					w.open()
					w.run()
					w.passing(time.Second, "the rest", func() bool { return strings.HasSuffix(r.ids(), "c4") })
					w.settled()
					w.engine.block("d1")
					w.passing(time.Second, "and on", func() bool { return strings.HasSuffix(r.ids(), "d1") })
					checkDeliveries(t, r.deliveries(), "a1 a2 a3 b1 c1 c2 c3 c4 d1")
				})
			}
		}
	}
}

// checkDeliveries fails when something is missing or out of order, or when a repeat is not the same batch under the same id.
func checkDeliveries(t *testing.T, list []delivery, want string) {
	t.Helper()
	seen := map[string]string{}
	var got []string
	for _, d := range list {
		id, ids := d.header.Get("webhook-id"), short(d.doc.IDs)
		before, repeated := seen[id]
		if repeated && before != ids {
			t.Errorf("%s is %q and %q", id, before, ids)
		}
		if !repeated && ids != "" {
			got = append(got, ids)
		}
		seen[id] = ids
	}
	if all := strings.Join(got, " "); all != want {
		t.Errorf("arrived without repeats: %s, want %s", all, want)
	}
}

// A write that fails ends Run: going on would promise what is not kept.
func TestStoreFails(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	w.subscribe(r, "all", stream)
	full := errors.New("no space left on device")
	w.svc.st.fault = func(string) error { return full }
	if a := w.call("POST", "/queries", shipping); a.status != http.StatusInternalServerError || strings.Contains(string(a.body), "space") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.call("GET", "/queries/shipping", ""); a.status != http.StatusNotFound {
		t.Errorf("a query that is not kept: %d", a.status)
	}
	if a := w.call("DELETE", "/queries/all", ""); a.status != http.StatusInternalServerError {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.call("GET", "/queries/all", ""); a.status != http.StatusOK {
		t.Errorf("a query that is kept: %d", a.status)
	}
	w.run()
	w.engine.block("a1")
	if err := w.crashed(); !errors.Is(err, full) {
		t.Errorf("Run: %v", err)
	}
	if r.called() != 0 {
		t.Error("sent before it was stored")
	}
}

// What is stored of progress can be read again: every field survives.
func TestProgressRoundTrip(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	r := newReceiver(w, "")
	r.answer = func(int, *delivery) (int, map[string]string) { return http.StatusTeapot, nil }
	path := w.subscribe(r, "all", `"schedule":{"second":"0"},"reportIfEmpty":true,"initialRecordTime":"2026-11-21T00:00:00.5Z"`, "GS1-EPC-Format: Never_Translates")
	w.run()
	w.engine.block("a1")
	w.passing(10*time.Second, "a failure", func() bool { return w.subscription(path).Failures >= 3 })
	w.settled()
	if err := w.halt(); err != nil {
		t.Fatal(err)
	}
	before := w.call("GET", path, "").body
	w.again()
	if after := w.call("GET", path, "").body; string(before) != string(after) {
		t.Errorf("before %s after %s", before, after)
	}
	var v map[string]any
	if err := json.Unmarshal(before, &v); err != nil || v["signatureToken"] != nil || v["lastError"] != "the receiver answered 418" {
		t.Errorf("%v %v", v, err)
	}
}
