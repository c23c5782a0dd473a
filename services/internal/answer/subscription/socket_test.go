package subscription

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"verilot.dev/epcis"
	"verilot.dev/services/internal/edge/httpapi"
)

// A listening is the client's end of a WebSocket. Its messages arrive in a channel, which closes with the connection.
type listening struct {
	t    testing.TB
	conn *websocket.Conn
	resp *http.Response
	got  chan document
	why  error
	done chan struct{}
}

func (w *world) dial(path string, header ...string) (*listening, *reply) {
	w.t.Helper()
	h := http.Header{}
	for _, kv := range header {
		k, v, _ := strings.Cut(kv, ": ")
		h.Set(k, v)
	}
	// A transport of its own, since it keeps the connection.
	client := &http.Client{Transport: &http.Transport{}}
	conn, resp, err := websocket.Dial(context.Background(), w.api.URL+path, &websocket.DialOptions{HTTPHeader: h, HTTPClient: client})
	if err != nil {
		client.CloseIdleConnections()
		if resp == nil {
			w.t.Fatal(err)
		}
		b := make([]byte, 4096)
		n, _ := resp.Body.Read(b)
		return nil, &reply{resp.StatusCode, resp.Header, b[:n]}
	}
	conn.SetReadLimit(8 << 20)
	l := &listening{t: w.t, conn: conn, resp: resp, got: make(chan document, 1000), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for {
			_, b, err := conn.Read(context.Background())
			if err != nil {
				l.why = err
				return
			}
			var d document
			if err := json.Unmarshal(b, &d); err != nil {
				w.t.Errorf("%s: %v", b, err)
			}
			l.got <- d
		}
	}()
	w.t.Cleanup(func() { _ = conn.CloseNow(); <-l.done })
	return l, nil
}

func (w *world) listen(path string, header ...string) *listening {
	w.t.Helper()
	l, r := w.dial(path, header...)
	if r != nil {
		w.t.Fatalf("%d %s", r.status, r.body)
	}
	return l
}

// next is what arrives next.
func (l *listening) next() document {
	l.t.Helper()
	select {
	case d := <-l.got:
		return d
	case <-l.done:
		l.t.Fatalf("closed: %v", l.why)
	case <-time.After(patience):
		l.t.Fatal("nothing arrives")
	}
	return document{}
}

// closed waits for the end, and says with which code it came.
func (l *listening) closed() websocket.StatusCode {
	l.t.Helper()
	select {
	case <-l.done:
		return websocket.CloseStatus(l.why)
	case <-time.After(patience):
		l.t.Fatal("it stays open")
	}
	return 0
}

// A socket gets what is recorded while it is open, in order, in the form that it asked for, and only what its caller may see.
func TestSocketStream(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.SocketEvents = 2 })
	w.engine.block("old@lakeside")
	w.query("all")
	w.query("mine", "X-Who: lakeside")
	all, mine := w.listen("/queries/all/events?stream=true", "GS1-EPC-Format: Always_EPC_URN"), w.listen("/queries/mine/events?stream=true", "X-Who: lakeside")
	if h := all.resp.Header; h.Get("GS1-Query-Min-Record-Time") != "2026-11-21T08:00:00Z" || h.Get("GS1-EPCIS-Version") != "2.0.0" || h.Get("GS1-EPC-Format") != alwaysURN {
		t.Errorf("%v", h)
	}
	w.engine.block("a1", "a2@lakeside", "a3")
	w.engine.block()
	w.engine.block("b1")
	var got []string
	for len(got) < 4 {
		d := all.next()
		got = append(got, d.IDs...)
		if d.Name != "all" || d.Subscription == "" || d.Form != epcis.URN || len(d.IDs) > 2 {
			t.Errorf("%+v", d)
		}
	}
	if short(got) != "a1 a2 a3 b1" {
		t.Error(got)
	}
	if d := mine.next(); short(d.IDs) != "a2" || d.Form != epcis.DigitalLink {
		t.Errorf("%+v", d)
	}
	past := w.listen("/queries/all/events?stream=true&initialRecordTime=" + url.QueryEscape("2026-11-21T09:00:00+01:00"))
	if d := past.next(); short(d.IDs) != "old a1" {
		t.Errorf("%+v", d)
	}
	if got := w.metric("verilot_websockets"); got != "3" {
		t.Error(got)
	}
	if err := past.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	w.until("one has left", func() bool { return w.metric("verilot_websockets") == "2" })
}

func TestSocketSchedule(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	l := w.listen("/queries/all/events?minute=30&hour=[8-9]&reportIfEmpty=true")
	w.engine.block("a1")
	w.engine.block("a2")
	arrives := func() bool { return len(l.got) > 0 }
	w.passing(time.Minute, "8:30", arrives)
	if d := l.next(); short(d.IDs) != "a1 a2" || w.clock.Now().Before(begin.Add(30*time.Minute)) {
		t.Errorf("%+v at %s", d, w.clock.Now())
	}
	w.passing(time.Minute, "9:30", arrives)
	if d := l.next(); len(d.IDs) != 0 || w.clock.Now().Before(begin.Add(90*time.Minute)) {
		t.Errorf("%+v at %s", d, w.clock.Now())
	}
}

// Everything ends a socket with a reason: its query, the service, its age.
func TestSocketEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(w *world)
		want websocket.StatusCode
	}{
		{"the query is deleted", func(w *world) { w.call("DELETE", "/queries/all", "") }, websocket.StatusNormalClosure},
		{"the service is closed", func(w *world) { go w.svc.end() }, websocket.StatusGoingAway},
		{"it is old", func(w *world) { w.clock.Advance(w.limits.SocketAge) }, websocket.StatusServiceRestart},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.limits.Ping = 1000 * time.Hour })
			w.query("all")
			l := w.listen("/queries/all/events?stream=true")
			w.engine.block("a1")
			l.next()
			tt.do(w)
			if got := l.closed(); got != tt.want {
				t.Errorf("%v, want %v: %v", got, tt.want, l.why)
			}
			w.until("it is counted no more", func() bool { return w.metric("verilot_websockets") == "0" })
		})
	}
}

// A server that drains takes leave of its sockets.
func TestSocketDrains(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- httpapi.Serve(ctx, ln, w.api.Config.Handler) }()
	before := w.api.URL
	w.api.URL = "http://" + ln.Addr().String()
	l := w.listen("/queries/all/events?stream=true")
	w.api.URL = before
	stop()
	if got := l.closed(); got != websocket.StatusGoingAway {
		t.Errorf("%v", l.why)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A client that does not answer pings is dropped; one that does stays.
func TestSocketPings(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Timeout = 2 * time.Second })
	w.query("all")
	alive := w.listen("/queries/all/events?stream=true")
	// A client that upgrades and then never reads.
	var d net.Dialer
	dead, err := d.DialContext(t.Context(), "tcp", w.api.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	if _, err := dead.Write([]byte("GET /queries/all/events?stream=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	w.until("both are open", func() bool { return w.metric("verilot_websockets") == "2" })
	w.passing(time.Second, "one is dropped", func() bool { return w.metric("verilot_websockets") == "1" })
	if w.metric("verilot_websockets_dropped_total") != "1" {
		t.Error(w.metric("verilot_websockets_dropped_total"))
	}
	w.engine.block("a1")
	if d := alive.next(); short(d.IDs) != "a1" {
		t.Errorf("%+v", d)
	}
}

// A reader that is too slow is dropped, and delays nobody.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Timeout, w.pad = 2*time.Second, 4<<20 })
	w.query("all")
	fast := w.listen("/queries/all/events?stream=true")
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	slow, _, err := websocket.Dial(t.Context(), w.api.URL+"/queries/all/events?stream=true", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer slow.CloseNow()
	for _, id := range []string{"a1", "a2", "a3", "a4", "a5"} {
		w.engine.block(id)
		if d := fast.next(); short(d.IDs) != id {
			t.Errorf("%+v", d)
		}
	}
	w.until("the slow one is dropped", func() bool { return w.metric("verilot_websockets") == "1" })
}

// Sockets are bounded, for each owner and for all, and what closes makes room.
func TestSocketBounds(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Sockets, w.limits.SocketsPerOwner = 3, 2 })
	for _, who := range []string{"a", "b"} {
		w.query("q", "X-Who: "+who)
	}
	const path = "/queries/q/events?stream=true"
	first := w.listen(path, "X-Who: a")
	w.listen(path, "X-Who: a")
	refused := func(who string) {
		t.Helper()
		l, r := w.dial(path, "X-Who: "+who)
		if l != nil || r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(string(r.body), string(httpapi.TooManyListeners)) {
			t.Errorf("%+v", r)
		}
	}
	refused("a")
	w.listen(path, "X-Who: b")
	refused("b")
	_ = first.conn.CloseNow()
	w.until("room", func() bool { return w.metric("verilot_websockets") == "2" })
	w.listen(path, "X-Who: b")
}

// What is wrong with a handshake is a problem, as it is with any request.
func TestSocketRefusals(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Origins = []string{"https://app.example.com", "other.example.com"} })
	w.query("all")
	if r := w.call("POST", "/queries", `{"name":"first","query":{"orderBy":"eventTime","eventCountLimit":10}}`); r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for _, tt := range []struct {
		name, path string
		code       httpapi.Code
		header     []string
	}{
		{"neither stream nor schedule", "/queries/all/events", httpapi.SubscriptionControls, nil},
		{"both", "/queries/all/events?stream=true&hour=1", httpapi.SubscriptionControls, nil},
		{"stream is maybe", "/queries/all/events?stream=maybe", httpapi.SubscriptionControls, nil},
		{"an hour out of range", "/queries/all/events?hour=25", httpapi.SubscriptionControls, nil},
		{"an hour twice", "/queries/all/events?hour=1&hour=2", httpapi.SubscriptionControls, nil},
		{"reportIfEmpty", "/queries/all/events?hour=1&reportIfEmpty=1", httpapi.SubscriptionControls, nil},
		{"a time with a bare plus", "/queries/all/events?stream=true&initialRecordTime=2026-11-21T09:00:00+01:00", httpapi.SubscriptionControls, nil},
		{"an unknown parameter", "/queries/all/events?stream=true&EQ_bizStep=shipping", httpapi.UnknownParameter, nil},
		{"a form", "/queries/all/events?stream=true", httpapi.NotAcceptable, []string{"GS1-EPC-Format: x"}},
		{"a version", "/queries/all/events?stream=true", httpapi.NotAcceptable, []string{"GS1-EPCIS-Max: 1.2"}},
		{"an unknown query", "/queries/none/events?stream=true", httpapi.UnknownQuery, nil},
		{"another's query", "/queries/all/events?stream=true", httpapi.UnknownQuery, []string{"X-Who: lakeside"}},
		{"a query that counts", "/queries/first/events?stream=true", httpapi.SubscriptionControls, nil},
		{"nobody", "/queries/all/events?stream=true", httpapi.SignInRequired, []string{"X-Who: nobody"}},
		{"a page of another address", "/queries/all/events?stream=true", httpapi.CrossOrigin, []string{"Origin: https://evil.example.com"}},
		{"a page without one", "/queries/all/events?stream=true", httpapi.CrossOrigin, []string{"Origin: null"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, r := w.dial(tt.path, tt.header...)
			if l != nil {
				t.Fatal("it is open")
			}
			var p httpapi.Problem
			r.json(t, &p)
			if p.Code != tt.code || r.status != httpapi.Lookup(tt.code).Status || !strings.HasPrefix(p.Type, "epcisException:") {
				t.Errorf("%d %s, want %s", r.status, r.body, tt.code)
			}
		})
	}
	for _, origin := range []string{"https://app.example.com", "http://other.example.com", w.api.URL} {
		if l, r := w.dial("/queries/all/events?stream=true", "Origin: "+origin); l == nil {
			t.Errorf("%s: %d %s", origin, r.status, r.body)
		}
	}
	w.engine.set(errors.New("the copy is being built again"))
	if l, r := w.dial("/queries/all/events?stream=true"); l != nil || r.status != http.StatusInternalServerError || strings.Contains(string(r.body), "being built") {
		t.Errorf("%+v", r)
	}
	if n := w.svc.sockets.count(); n != 3 {
		t.Errorf("%d sockets are counted", n)
	}
}
