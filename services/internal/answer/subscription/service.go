// Package subscription keeps named queries and their subscriptions (EPCIS 2.0 sections 8.2.5 and 12.6): it calls webhooks and
// serves WebSockets when newly recorded events match.
//
// What is kept is in a Badger folder of its own (see store.go for the keys), synced before it is acknowledged. Named queries and
// subscriptions belong to who made them: a trading partner, or all who see everything; nobody else finds them.
//
// A webhook gets every event at least once, in the order of the ledger: how far a subscription is moves on only when its receiver
// has answered 2xx, and that is durable before the next batch is made. A batch is stored before it is sent first, so that it keeps
// its webhook-id over retries and crashes, and a receiver can tell repeats. A WebSocket starts anew with every connection.
//
// Trust: queries, names and destinations are given by callers, so everything is bounded, and what this process connects to is checked
// at the moment of dialling (dial.go). Receivers may hang, lie and send endless answers; they only ever delay themselves.
package subscription

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/edge/httpapi"
)

// Config is the key standing of a service's configuration.
type Config struct {
	// AllowPrivateDestinations lets subscriptions call addresses of private networks and of this machine. Link-local addresses, where
	// clouds keep their secrets, stay refused. Development networks allow this machine anyway.
	AllowPrivateDestinations bool `yaml:"allow_private_destinations"`
}

// Limits bound what callers can make this service keep and do.
type Limits struct {
	Queries, QueriesPerOwner                                     int
	Subscriptions, SubscriptionsPerOwner, SubscriptionsPerQuery  int
	Sockets, SocketsPerOwner                                     int
	Workers                                                      int           // deliveries at once; one owner gets a half of it, those that go badly a quarter
	Events, Bytes                                                int           // of one delivery
	SocketEvents, SocketBytes                                    int           // of one message: many sockets are told at once
	Timeout                                                      time.Duration // of one delivery, and of writing one message to a socket
	SlowAfter, FailingAfter, MinRetry, MaxRetry, Ping, SocketAge time.Duration
}

func defaults() Limits {
	return Limits{
		Queries: 5000, QueriesPerOwner: 500, Subscriptions: 2000, SubscriptionsPerOwner: 500, SubscriptionsPerQuery: 50, Sockets: 200, SocketsPerOwner: 50,
		Workers: 32, Events: 500, Bytes: 2 << 20, SocketEvents: 100, SocketBytes: 256 << 10, Timeout: 30 * time.Second,
		SlowAfter: 5 * time.Second, FailingAfter: 72 * time.Hour, MinRetry: time.Second, MaxRetry: time.Hour, Ping: 30 * time.Second, SocketAge: 12 * time.Hour,
	}
}

// Options of a Service. Dir, Engine, Answer and Events are needed.
type Options struct {
	Config
	Dir    string // the folder of its own
	Engine epcisrest.Engine
	// Answer writes an EPCISQueryDocument.
	Answer func(w io.Writer, queryName, subscriptionID string, items []epcisrest.Item, o epcis.WriteOptions) error
	// Events answers GET /queries/{name}/events that is no WebSocket: a page of what the caller sees and q matches. Its error is the answer.
	Events func(ctx huma.Context, queryName string, q *epcisquery.Query) error
	// Development allows destinations without TLS, and on this machine.
	Development bool
	// Origins are those whose pages may open WebSockets, besides our own; "*" is every one (the CORS setting of an open service).
	Origins  []string
	Log      *slog.Logger
	Registry *prometheus.Registry
	Clock    clock.Clock
	Random   func() float64 // from 0 to 1; nil: the machine's
	Limits   *Limits        // nil: the usual ones
}

// Over fills in what a service of EPCIS queries does for standing ones.
func (o Options) Over(s *epcisrest.Service) Options {
	o.Engine, o.Answer = s, s.Answer
	o.Events = func(ctx huma.Context, name string, q *epcisquery.Query) error {
		return s.Events(humagin.Unwrap(ctx), name, q, nil)
	}
	return o
}

// A namedQuery is a named query and what hangs on it.
type namedQuery struct {
	rec     queryRecord
	query   *epcisquery.Query
	subs    map[uuid.UUID]*subscription
	gone    context.Context // ended when the query is deleted: its sockets end then
	deleted context.CancelFunc
}

type nameKey struct{ owner, name string }

// A subscription is what runs. Its progress is changed by its one worker; reading and changing it need Service.mu.
type subscription struct {
	rec   subscriptionRecord
	query *epcisquery.Query
	p     progress

	// write is held while its records are written, so that none comes back after it was deleted.
	write   sync.Mutex
	deleted bool

	running        bool
	cancel         context.CancelFunc // of the worker
	served         uint64             // when it was last worked on, counted
	slow           bool               // its last delivery took long
	engineFailures int                // how often in a row the engine could not answer
	waitTill       time.Time          // not before this
	next           time.Time          // of a schedule
	run            *run
	savedRun       time.Time // what of p is durable
	savedAt        uint64
}

// A run is one execution of a scheduled query.
type run struct {
	at, head time.Time
	to       uint64
	sent     int
}

// Service keeps and serves standing queries. Its methods may be called concurrently.
type Service struct {
	o      Options
	limits Limits
	st     *store
	sender *sender
	m      *metrics

	admin sync.Mutex // creating and deleting, one at a time; taken before mu
	mu    sync.Mutex // guards named, subs, turns, and the subscriptions' progress
	named map[nameKey]*namedQuery
	subs  map[uuid.UUID]*subscription
	turns uint64

	wakeup  chan struct{} // something is to be done, or done
	sockets sockets
	life    context.Context // ended by Close
	end     context.CancelFunc

	// step, in tests, ends Run at a named place, as a crash there would.
	step func(place string) error
}

// Open reads what is kept. Run delivers; Close ends everything.
func Open(o Options) (*Service, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	s := &Service{
		o: o, limits: defaults(), named: map[nameKey]*namedQuery{}, subs: map[uuid.UUID]*subscription{}, wakeup: make(chan struct{}, 1),
		step: func(string) error { return nil },
	}
	if o.Limits != nil {
		s.limits = *o.Limits
	}
	s.sender = newSender(destinationPolicy{plain: o.Development, loopback: o.Development || o.AllowPrivateDestinations, private: o.AllowPrivateDestinations}, s.limits.Timeout)
	var err error
	if s.st, err = openStore(o.Dir); err != nil {
		return nil, err
	}
	s.life, s.end = context.WithCancel(context.Background())
	if err := s.load(); err != nil {
		err = fmt.Errorf("open the standing queries in %s: %w; put the folder back from where it was kept, or remove it, and with it every named query and subscription", o.Dir, err)
		return nil, errors.Join(err, s.Close())
	}
	s.m = newMetrics(o.Registry, s)
	return s, nil
}

func (s *Service) load() error {
	queries, subs, at, err := s.st.load()
	if err != nil {
		return err
	}
	for i := range queries {
		r := &queries[i]
		q, err := epcisquery.ParseJSON(r.Query, nil)
		if err != nil {
			return fmt.Errorf("read the query %q: %w", r.Name, err)
		}
		s.addNamed(*r, q)
	}
	for i := range subs {
		r := &subs[i]
		n := s.named[nameKey{r.Owner, r.Query}]
		p, ok := at[r.ID]
		if n == nil || !ok || r.Stream == (r.Schedule != nil) {
			return fmt.Errorf("the subscription %s has lost its query, its progress or its trigger", r.ID)
		}
		delete(at, r.ID)
		sub, err := s.newSubscription(*r, n.query, p)
		if err != nil {
			return fmt.Errorf("read the subscription %s: %w", r.ID, err)
		}
		n.subs[r.ID], s.subs[r.ID] = sub, sub
	}
	if len(at) > 0 {
		return fmt.Errorf("%d subscriptions have lost what they are about", len(at))
	}
	return nil
}

func (s *Service) addNamed(r queryRecord, q *epcisquery.Query) {
	n := &namedQuery{rec: r, query: q, subs: map[uuid.UUID]*subscription{}}
	n.gone, n.deleted = context.WithCancel(context.Background())
	s.named[nameKey{r.Owner, r.Name}] = n
}

func (s *Service) newSubscription(r subscriptionRecord, base *epcisquery.Query, p progress) (*subscription, error) {
	q, err := since(base, r.InitialRecordTime)
	if err != nil {
		return nil, err
	}
	sub := &subscription{rec: r, query: q, p: p, waitTill: p.RetryAt, savedRun: p.LastRun, savedAt: p.Done}
	if r.Schedule != nil {
		sub.next, _ = r.Schedule.Next(p.LastRun) // a run that was missed is made up for, once
	}
	return sub, nil
}

// Close ends the sockets and closes the folder. Run must have returned.
func (s *Service) Close() error {
	s.end()
	s.sockets.close()
	s.sender.close()
	return s.st.close()
}

// owner is whose standing queries a caller's are.
func owner(c epcisrest.Caller) string {
	if c.All {
		return ""
	}
	return c.Party
}

func callerOf(owner string) epcisrest.Caller { return epcisrest.Caller{Party: owner, All: owner == ""} }

func unknownQuery(name string) error {
	return httpapi.NewProblem(httpapi.UnknownQuery, "you have no query named %q; GET /queries lists yours, POST /queries makes one", printable(name))
}

// create makes a named query durable.
func (s *Service) create(c epcisrest.Caller, name string, q *epcisquery.Query) (queryRecord, error) {
	r := queryRecord{Owner: owner(c), Name: name, Query: q.JSON(), CreatedAt: s.now()}
	if len(r.Query) > maxQuery {
		return r, httpapi.NewProblem(httpapi.InvalidParameter, "the query has %d bytes, at most %d are kept; name fewer values", len(r.Query), maxQuery)
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	s.mu.Lock()
	known, all, own := s.named[nameKey{r.Owner, name}] != nil, len(s.named), 0
	for k := range s.named {
		if k.owner == r.Owner {
			own++
		}
	}
	s.mu.Unlock()
	switch {
	case known:
		return r, httpapi.NewProblem(httpapi.QueryExists, "you have a query named %q already; choose another name, or DELETE it first, which ends its subscriptions", printable(name))
	case all >= s.limits.Queries, own >= s.limits.QueriesPerOwner:
		return r, httpapi.NewProblem(httpapi.StandingLimit, "%d named queries are kept here, %d of them yours, and at most %d and %d may be; delete those that nobody uses", all, own, s.limits.Queries, s.limits.QueriesPerOwner)
	}
	if err := s.st.write(map[string]any{queryKey(r.Owner, name): r}); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addNamed(r, q)
	return r, nil
}

func (s *Service) find(c epcisrest.Caller, name string) (*namedQuery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.named[nameKey{owner(c), name}]
	if n == nil {
		return nil, unknownQuery(name)
	}
	return n, nil
}

// list is the caller's queries in the order of their names, those after a name.
func (s *Service) list(c epcisrest.Caller, after string, n int) (page []queryRecord, more bool) {
	own := owner(c)
	s.mu.Lock()
	for k, q := range s.named {
		if k.owner == own && k.name > after {
			page = append(page, q.rec)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(page, func(a, b queryRecord) int { return cmp.Compare(a.Name, b.Name) })
	if len(page) > n {
		return page[:n], true
	}
	return page, false
}

// remove deletes a query with its subscriptions and sockets.
func (s *Service) remove(c epcisrest.Caller, name string) error {
	s.admin.Lock()
	defer s.admin.Unlock()
	n, err := s.find(c, name)
	if err != nil {
		return err
	}
	gone := map[string]any{queryKey(n.rec.Owner, name): nil}
	s.mu.Lock()
	subs := slices.Collect(maps.Values(n.subs)) // nothing is added meanwhile: see admin
	s.mu.Unlock()
	if err := s.erase(gone, subs); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.named, nameKey{n.rec.Owner, name})
	n.deleted()
	return nil
}

// erase makes it durable that subs are gone, and ends them.
func (s *Service) erase(also map[string]any, subs []*subscription) error {
	defer func() {
		for _, sub := range subs {
			sub.write.Unlock()
		}
	}()
	for _, sub := range subs {
		sub.write.Lock() // until it is marked: its worker writes nothing in between
		also[subscriptionKeys+string(sub.rec.ID[:])], also[progressKeys+string(sub.rec.ID[:])] = nil, nil
	}
	if err := s.st.write(also); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range subs {
		sub.deleted = true
		if sub.cancel != nil {
			sub.cancel()
		}
		delete(s.subs, sub.rec.ID)
		if n := s.named[nameKey{sub.rec.Owner, sub.rec.Query}]; n != nil {
			delete(n.subs, sub.rec.ID)
		}
	}
	return nil
}

// subscribe makes a subscription durable; it covers what is recorded from now on, or from its initialRecordTime.
func (s *Service) subscribe(ctx context.Context, c epcisrest.Caller, name string, r subscriptionRecord) (*subscription, error) {
	height, _, err := s.o.Engine.Head(ctx)
	if err != nil {
		return nil, err
	}
	r.Owner, r.Query, r.CreatedAt = owner(c), name, s.now()
	p := progress{cursor: cursor{Done: height}, LastRun: r.CreatedAt, MinRecordTime: r.CreatedAt}
	if t := r.InitialRecordTime; t != nil {
		p.MinRecordTime = *t
		if !t.After(r.CreatedAt) {
			if p.Done, err = s.before(ctx, *t); err != nil {
				return nil, err
			}
		}
	}
	if r.ID, err = uuid.NewRandom(); err != nil {
		return nil, err
	}
	s.admin.Lock()
	defer s.admin.Unlock()
	n, err := s.find(c, name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	all, own, here := len(s.subs), 0, len(n.subs)
	for _, sub := range s.subs {
		if sub.rec.Owner == r.Owner {
			own++
		}
	}
	s.mu.Unlock()
	if all >= s.limits.Subscriptions || own >= s.limits.SubscriptionsPerOwner || here >= s.limits.SubscriptionsPerQuery {
		return nil, httpapi.NewProblem(httpapi.StandingLimit, "%d subscriptions are kept here, %d of them yours and %d to this query, and at most %d, %d and %d may be; delete those that nobody uses",
			all, own, here, s.limits.Subscriptions, s.limits.SubscriptionsPerOwner, s.limits.SubscriptionsPerQuery)
	}
	sub, err := s.newSubscription(r, n.query, p)
	if err != nil {
		return nil, err
	}
	if err := s.st.write(map[string]any{subscriptionKeys + string(r.ID[:]): r, progressKeys + string(r.ID[:]): p}); err != nil {
		return nil, err
	}
	s.mu.Lock()
	n.subs[r.ID], s.subs[r.ID] = sub, sub
	s.mu.Unlock()
	s.wake()
	return sub, nil
}

// before is a height up to which no event is as young as t. An engine that knows times says it; else everything is looked at, once,
// and the query's own bound sorts it out.
func (s *Service) before(ctx context.Context, t time.Time) (uint64, error) {
	if e, ok := s.o.Engine.(interface {
		HeightAt(ctx context.Context, t time.Time) (uint64, error)
	}); ok {
		return e.HeightAt(ctx, t)
	}
	return 0, nil
}

func (s *Service) findSubscription(c epcisrest.Caller, name, id string) (*subscription, error) {
	n, err := s.find(c, name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if u, err := uuid.Parse(id); err == nil && n.subs[u] != nil {
		return n.subs[u], nil
	}
	return nil, httpapi.NewProblem(httpapi.UnknownSubscription, "the query %q has no subscription %q; GET /queries/{name}/subscriptions lists them", printable(name), printable(id))
}

func (s *Service) unsubscribe(c epcisrest.Caller, name, id string) error {
	s.admin.Lock()
	defer s.admin.Unlock()
	sub, err := s.findSubscription(c, name, id)
	if err != nil {
		return err
	}
	return s.erase(map[string]any{}, []*subscription{sub})
}

// now is a time as it is stored: what is read back must be equal.
func (s *Service) now() time.Time { return s.o.Clock.Now().UTC().Truncate(time.Millisecond) }

// wake makes Run look again.
func (s *Service) wake() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}
