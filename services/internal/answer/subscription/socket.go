package subscription

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/edge/httpapi"
)

// sockets counts those that are open.
type sockets struct {
	mu     sync.Mutex // guards all, of and closed
	all    int
	of     map[string]int
	closed bool
	open   sync.WaitGroup
}

func (s *sockets) enter(owner string, l *Limits) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return httpapi.NewProblem(httpapi.Unavailable, "this service is stopping; connect again")
	}
	if s.all >= l.Sockets || s.of[owner] >= l.SocketsPerOwner {
		return httpapi.NewProblem(httpapi.TooManyListeners, "%d WebSockets are open here, %d of them yours, and at most %d and %d may be; close one, or subscribe a webhook", s.all, s.of[owner], l.Sockets, l.SocketsPerOwner)
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.all++
	s.of[owner]++
	s.open.Add(1)
	return nil
}

func (s *sockets) leave(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.of[owner]--; s.of[owner] == 0 {
		delete(s.of, owner)
	}
	s.open.Done()
}

func (s *sockets) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.open.Wait()
}

func (s *sockets) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

// mountEvents adds GET /queries/{name}/events beside huma: it answers in several formats, or becomes a WebSocket.
func (m *handlers) mountEvents(h huma.API) {
	op := m.operation("query-events", http.MethodGet, eventsPath, "Events that a named query matches, or a WebSocket of those to come", http.StatusOK)
	op.Description = "With Upgrade: websocket, and stream=true or a schedule (second, minute, hour, dayOfMonth, month, dayOfWeek), EPCISQueryDocuments are sent as text messages."
	text := func(in, name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: in, Required: in == "path", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.Parameters = []*huma.Param{
		text("path", "name", "Its name"), text("query", "perPage", "Events of a page"), text("query", "nextPageToken", "From the Link header of the page before"),
		text("query", "stream", "true: send whatever matches as soon as it is recorded"),
		text("query", "reportIfEmpty", "Of a schedule: also tell that there was nothing"), text("query", "initialRecordTime", "Begin with what was recorded then; default: now"),
		text("header", "GS1-EPC-Format", "No_Preference, Always_GS1_Digital_Link (default), Always_EPC_URN or Never_Translates"),
	}
	for _, b := range bounds {
		op.Parameters = append(op.Parameters, text("query", b.name, "Of a schedule"))
	}
	document := &huma.MediaType{Schema: &huma.Schema{}}
	op.Responses = map[string]*huma.Response{
		"101":     {Description: "The WebSocket is open"},
		"200":     {Description: "An EPCISQueryDocument", Content: map[string]*huma.MediaType{"application/json": document, "application/ld+json": document, "application/xml": document}},
		"default": {Description: "Error", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}}}},
	}
	h.OpenAPI().AddOperation(&op)
	h.Adapter().Handle(&op, func(ctx huma.Context) {
		c := humagin.Unwrap(ctx)
		epcisrest.Announce(c.Writer.Header())
		if err := m.events(ctx, c.Writer, c.Request, c.Param("name")); err != nil {
			m.refuse(ctx, err)
		}
	})
}

// events answers a page, or serves a WebSocket. Its error is to be the answer: nothing was written yet.
func (m *handlers) events(ctx huma.Context, w http.ResponseWriter, r *http.Request, name string) error {
	caller, err := m.caller(r)
	if err != nil {
		return err
	}
	n, err := m.find(caller, name)
	if err != nil {
		return err
	}
	values := r.URL.Query()
	if !upgrade(r.Header) {
		for _, p := range append([]string{"stream", "reportIfEmpty", "initialRecordTime"}, fieldNames()...) {
			if values.Has(p) {
				return controls("query."+p, "%s is for WebSockets, and the request has no Upgrade: websocket; leave it out for a page of events, or POST to %s for a webhook", p, subscriptionsOf(name))
			}
		}
		return m.o.Events(ctx, name, n.query)
	}
	if err := standable(n.query); err != nil {
		return err
	}
	l, err := m.listenerOf(values, r.Header, n, caller)
	if err != nil {
		return err
	}
	if err := m.sameOrigin(r); err != nil {
		return err
	}
	if err := l.start(r.Context(), m.Service, values.Get("initialRecordTime") != ""); err != nil {
		return err
	}
	if err := m.sockets.enter(owner(caller), &m.limits); err != nil {
		return err
	}
	defer m.sockets.leave(owner(caller))
	w.Header().Set("GS1-Query-Min-Record-Time", l.minRecordTime.Format(time.RFC3339Nano))
	w.Header().Set("GS1-EPC-Format", formatOf(l.format))
	opts := &websocket.AcceptOptions{OriginPatterns: m.o.Origins}
	if slices.Contains(m.o.Origins, "*") {
		opts.InsecureSkipVerify = true
	}
	conn, err := websocket.Accept(w, r, opts)
	if err != nil {
		return nil // it has answered
	}
	defer conn.CloseNow() //nolint:errcheck // nothing is left to be done about it
	// The request's context is of no use once the connection is taken over.
	m.serveSocket(conn.CloseRead(context.WithoutCancel(r.Context())), conn, l, httpapi.Draining(r.Context()))
	return nil
}

func fieldNames() []string {
	out := make([]string, len(bounds))
	for i := range bounds {
		out[i] = bounds[i].name
	}
	return out
}

func upgrade(h http.Header) bool {
	for _, v := range h.Values("Upgrade") {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "websocket") {
				return true
			}
		}
	}
	return false
}

// sameOrigin refuses pages of other addresses: a browser sends the session's cookie along with a WebSocket, whoever opens it.
func (m *handlers) sameOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	u, err := url.Parse(origin)
	if origin == "" || err == nil && strings.EqualFold(u.Host, r.Host) {
		return nil
	}
	for _, allowed := range m.o.Origins {
		target := origin
		if !strings.Contains(allowed, "://") && err == nil {
			target = u.Host
		}
		if ok, _ := path.Match(strings.ToLower(allowed), strings.ToLower(target)); ok || allowed == "*" {
			return nil
		}
	}
	return httpapi.NewProblem(httpapi.CrossOrigin, "the WebSocket is opened by a page of another address than this service's, and such pages may not act for whoever is signed in here; open this service's own address")
}

// A listener is what one socket is told.
type listener struct {
	id            string
	named         *namedQuery
	caller        epcisrest.Caller
	query         *epcisquery.Query
	stream        bool
	schedule      *Schedule
	reportIfEmpty bool
	format        string
	minRecordTime time.Time
	cur           cursor
}

func (m *handlers) listenerOf(v url.Values, h http.Header, n *namedQuery, c epcisrest.Caller) (*listener, error) {
	known := append([]string{"stream", "reportIfEmpty", "initialRecordTime", "perPage", "nextPageToken"}, fieldNames()...)
	for name, list := range v {
		if !slices.Contains(known, name) {
			return nil, httpapi.NewProblem(httpapi.UnknownParameter, "%q is no parameter of a WebSocket; there are %s", printable(name), strings.Join(known[:3], ", ")+", "+strings.Join(fieldNames(), ", "))
		}
		if len(list) > 1 {
			return nil, controls("query."+name, "%s is given %d times; give it once, with commas between its values", name, len(list))
		}
	}
	l := &listener{id: uuid.NewString(), named: n, caller: c, query: n.query, minRecordTime: m.now()}
	var err error
	if l.stream, l.schedule, err = triggerOf(v.Get("stream"), false, v.Get); err != nil {
		return nil, err
	}
	switch text := v.Get("reportIfEmpty"); text {
	case "", "false":
	case "true":
		l.reportIfEmpty = true
	default:
		return nil, controls("query.reportIfEmpty", "reportIfEmpty is %q; send true or false", printable(text))
	}
	if l.format, err = epcFormat(h.Get("GS1-EPC-Format")); err != nil {
		return nil, err
	}
	if text := v.Get("initialRecordTime"); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, controls("query.initialRecordTime", "initialRecordTime is %q; write it like 2026-04-04T20:33:31Z (in an address, + is %%2B)", printable(text))
		}
		l.minRecordTime = t.UTC()
		if l.query, err = since(n.query, &t); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// start finds out where in the ledger to begin.
func (l *listener) start(ctx context.Context, s *Service, initial bool) error {
	height, _, err := s.o.Engine.Head(ctx)
	if err != nil {
		return err
	}
	l.cur.Done = height
	if initial && !l.minRecordTime.After(s.o.Clock.Now()) {
		l.cur.Done, err = s.before(ctx, l.minRecordTime)
	}
	return err
}

// serveSocket tells a listener of what is recorded until it leaves, is too slow, or this service stops. ctx ends with the connection.
func (s *Service) serveSocket(ctx context.Context, conn *websocket.Conn, l *listener, draining <-chan struct{}) {
	var next time.Time
	if l.schedule != nil {
		next, _ = l.schedule.Next(s.o.Clock.Now())
	}
	beat, age := s.o.Clock.After(s.limits.Ping), s.o.Clock.After(s.limits.SocketAge)
	for {
		changed := s.o.Engine.Changed()
		height, _, err := s.o.Engine.Head(ctx)
		now := s.o.Clock.Now()
		var again time.Time
		switch {
		case err != nil:
			again = now.Add(engineRetry)
		case l.stream && height > l.cur.Done, l.schedule != nil && !next.IsZero() && !now.Before(next):
			if !s.tell(ctx, conn, l, height) {
				return
			}
			if l.schedule != nil {
				next, _ = l.schedule.Next(now)
			}
		}
		if l.schedule != nil && !next.IsZero() && (again.IsZero() || next.Before(again)) {
			again = next
		}
		var timer <-chan time.Time
		if !again.IsZero() {
			timer = s.o.Clock.At(again)
		}
		select {
		case <-ctx.Done():
			return
		case <-draining:
			_ = conn.Close(websocket.StatusGoingAway, "this service stops; connect again")
			return
		case <-s.life.Done():
			_ = conn.Close(websocket.StatusGoingAway, "this service stops; connect again")
			return
		case <-l.named.gone.Done():
			_ = conn.Close(websocket.StatusNormalClosure, "the query was deleted")
			return
		case <-age:
			_ = conn.Close(websocket.StatusServiceRestart, "a connection may be so old and no older; connect again")
			return
		case <-beat:
			if !s.within(ctx, conn.Ping) {
				return
			}
			beat = s.o.Clock.After(s.limits.Ping)
		case <-changed:
		case <-timer:
		}
	}
}

// tell sends what is recorded up to a height; false: the connection is of no use any more.
func (s *Service) tell(ctx context.Context, conn *websocket.Conn, l *listener, height uint64) bool {
	for sent := 0; ; sent++ {
		b, err := s.collect(ctx, l.caller, l.query, l.cur, height, nil, s.limits.SocketEvents, s.limits.SocketBytes)
		if err != nil {
			s.o.Log.Warn("a WebSocket's query could not be answered", "err", err)
			_ = conn.Close(websocket.StatusTryAgainLater, "the query could not be answered; connect again")
			return false
		}
		empty := l.schedule != nil && l.reportIfEmpty && sent == 0 && !b.more
		if len(b.items) > 0 || empty {
			if !s.write(ctx, conn, l, &b) {
				return false
			}
		} else {
			sent--
		}
		l.cur = b.next
		if !b.more {
			return true
		}
		select { // a long backlog must not keep a service from stopping
		case <-s.life.Done():
			return true
		case <-l.named.gone.Done():
			return true
		default:
		}
	}
}

func (s *Service) write(ctx context.Context, conn *websocket.Conn, l *listener, b *batch) bool {
	for {
		var doc bytes.Buffer
		if err := s.o.Answer(&doc, l.named.rec.Name, l.id, b.items, writeOptions(l.format)); err != nil {
			s.o.Log.Error("a WebSocket's document could not be written", "err", err)
			_ = conn.Close(websocket.StatusInternalError, "the document could not be written")
			return false
		}
		if doc.Len() > s.limits.SocketBytes && len(b.items) > 1 {
			b.cut(len(b.items) / 2)
			continue
		}
		return s.within(ctx, func(ctx context.Context) error { return conn.Write(ctx, websocket.MessageText, doc.Bytes()) })
	}
}

// within does something with a socket in bounded time; a reader that is too slow is dropped.
func (s *Service) within(ctx context.Context, do func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, s.limits.Timeout)
	defer cancel()
	// Whoever reads gets to the end of a message, and is told why there are no more.
	stop := context.AfterFunc(s.life, func() { time.AfterFunc(time.Second, cancel) }) //nolint:contextcheck // it is the life of the service
	defer stop()
	if err := do(ctx); err != nil {
		s.m.dropped.Inc()
		return false
	}
	return true
}
