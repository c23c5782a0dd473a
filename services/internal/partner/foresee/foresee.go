// Package foresee asks an api service what the ledger's rules would say of a draft, before it is
// captured, so that goods that must not move are refused at once and in the words of the ledger.
//
// The ledger has the last word. Where the api does not answer, the draft is captured unasked, and
// its job says so: a partner whose api is down goes on working, and what breaks a rule is rejected
// there (docs/design.md section 10).
package foresee

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/epcis"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
)

// Judgement is what the rules would say of one item, as an api service tells it.
type Judgement struct {
	Item     int       `json:"item"` // its place among all that were asked about
	Verdict  string    `json:"verdict"`
	Code     string    `json:"code"`
	Detail   string    `json:"detail"`
	Findings []Finding `json:"findings"`
}

// Finding is a remark of the rules.
type Finding struct {
	Code     string   `json:"code"`
	Severity string   `json:"severity"`
	Detail   string   `json:"detail"`
	Subjects []string `json:"subjects"`
}

// Ask asks what the rules would say of the bodies of submissions, if the party submitted them now,
// one after the other. It returns how many items were judged, and what was said of those that are
// not simply accepted, in order.
type Ask func(ctx context.Context, party string, bodies iter.Seq[[]byte]) (judged int, said []Judgement, err error)

// Limit is how much one question may hold.
type Limit struct{ Units, Bytes int }

// Config of the rules. Sealer, Party and Limit are required.
type Config struct {
	Sealer *draft.Sealer
	Party  string
	Ask    Ask // nil: nothing is refused here
	// Settle waits until the api knows of all that the party captured before. false: it does not yet.
	// What the rules say may rest on that. nil: the api knows at once.
	Settle   func(context.Context) bool
	Limit    Limit
	Clock    clock.Clock
	Log      *slog.Logger
	Registry *prometheus.Registry
}

// Rules are asked about drafts of one party.
type Rules struct {
	Config
	unasked *prometheus.CounterVec

	mu     sync.Mutex // guards the fields below
	warned time.Time  // when it was last logged that nothing was asked
	since  int        // how often that was so since then
}

// New makes them.
func New(cfg Config) *Rules {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	r := &Rules{Config: cfg, unasked: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "verilot_capture_unasked_total", Help: "Requests captured without asking the api first what the rules would say, by reason.",
	}, []string{"reason"})}
	cfg.Registry.MustRegister(r.unasked)
	for _, reason := range []string{away, behind, tooLarge} {
		r.unasked.WithLabelValues(reason)
	}
	return r
}

// leaving are the steps by which goods leave for sale or for a patient.
var leaving = []string{epcis.StepShipping, epcis.StepDispensing}

const (
	// patience is how long the api may take for a submission, and patienceWith many of them for any
	// one of those that are on their way.
	patience     = 3 * time.Second
	patienceWith = 30 * time.Second
	// warnEvery is how often the log says at most that nothing is asked.
	warnEvery = time.Minute
	// away, behind and tooLarge are why nothing was asked, or the answer not heeded.
	away     = "unavailable"
	behind   = "behind"
	tooLarge = "too_large"
	// room is what the items of a submission may take.
	room = submission.MaxMessage - draft.Headroom
)

// notes are what a job says of its not having been asked about, by reason.
var notes = map[string]string{
	away:     "The ledger was not asked before whether its rules allow this, since the api service did not answer: the verdict will tell",
	behind:   "The ledger had not recorded yet what was captured before, and may not allow this without it: the verdict will tell",
	tooLarge: "The ledger was not asked before whether its rules allow this, since the document is too large for one question: the verdict will tell",
}

// captureUnasked notes in the draft that it was not asked about, and tells the operator.
func (r *Rules) captureUnasked(d *draft.Draft, reason string, err error) {
	d.Notes = append(d.Notes, notes[reason])
	r.unasked.WithLabelValues(reason).Inc()
	now := r.Clock.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since++
	if !r.warned.IsZero() && now.Sub(r.warned) < warnEvery {
		return
	}
	r.Log.Warn("captured without asking the api service what the rules would say", "reason", reason, "requests", r.since, "err", err)
	r.warned, r.since = now, 0
}

// Check asks about a draft. Under rollback the error is the problem that refuses all of it; under
// proceed what the rules would refuse is taken out of it and listed as refused.
func (r *Rules) Check(ctx context.Context, d *draft.Draft) error {
	if r == nil || r.Ask == nil || len(d.Items) == 0 {
		return nil
	}
	faults, err := r.judge(ctx, d, slices.ContainsFunc(d.Items, Leaves), patience, func(yield func([]draft.Item) error) error { return yield(d.Items) })
	if err != nil || len(faults) == 0 {
		return err
	}
	i := -1
	refused := func() bool {
		i++
		_, bad := faults[i]
		return bad
	}
	for _, n := range slices.Sorted(maps.Keys(faults)) {
		d.Refused = append(d.Refused, faults[n])
	}
	d.Items = slices.DeleteFunc(d.Items, func(draft.Item) bool { return refused() })
	if d.Sealed != nil {
		i = -1
		d.Sealed = slices.DeleteFunc(d.Sealed, func([]commit.SealedValue) bool { return refused() })
	}
	d.RefusedEvents, d.Faults = d.RefusedEvents+len(faults), d.Faults+len(faults)
	if !slices.ContainsFunc(d.Items, func(it draft.Item) bool { return it.Kind == wire.KindEvent }) {
		d.Items, d.Sealed = nil, nil // a header without events has nobody to speak for
	}
	return nil
}

// CheckParts asks about a draft whose items are not held in memory, before it is divided: parts calls
// its argument with the items of each submission, in order. Under rollback the error is the problem
// that refuses all of it. Under proceed the faults are those of the events to leave out. units is how many packages and containers it
// names; leaves says whether goods leave by it, in which case it is not captured unasked for its size.
func (r *Rules) CheckParts(ctx context.Context, d *draft.Draft, units int, leaves bool, parts func(yield func([]draft.Item) error) error) ([]journal.Fault, error) {
	if r == nil || r.Ask == nil {
		return nil, nil
	}
	if units > r.Limit.Units && !leaves {
		r.captureUnasked(d, tooLarge, nil)
		return nil, nil
	}
	if units > r.Limit.Units {
		return nil, httpapi.NewProblem(httpapi.CaptureLimitExceeded,
			"the document ships or dispenses goods and names %d packages and containers; at most %d are held against the rules at once, and goods that leave are not captured before. Nothing was stored. Send it in several documents, one after the other",
			units, r.Limit.Units)
	}
	faults, err := r.judge(ctx, d, leaves, patienceWith, parts)
	if err != nil {
		return nil, err
	}
	list := make([]journal.Fault, 0, len(faults))
	for _, n := range slices.Sorted(maps.Keys(faults)) {
		list = append(list, faults[n])
	}
	return list, nil
}

// takesBack: the command of that name; other systems may declare errors that have no effect.
const takesBack = "take-back"

// Leaves says whether goods leave by an item, for sale or for a patient.
func Leaves(it draft.Item) bool {
	ev, ok := it.Message.(*epcis.Event)
	return ok && slices.Contains(leaving, ev.Step()) && ev.ErrorDeclaration == nil
}

// place is where an item that is asked about stands in its document. leaves: holds and remarks on it count too. resolves:
// it closes a finding.
type place struct {
	event, line, column int
	leaves, resolves    bool
}

var (
	errEnough = errors.New("the api service takes no more")
	// errTooLarge: what no submission or question holds is not this package's to refuse, unless goods leave by it.
	errTooLarge = errors.New("it is larger than what is asked about at once")
)

// judge asks about the items of the parts, and returns what speaks against each, by its place among all of them. Under rollback that is
// the error. What is refused is asked about twice if the api may not have known all that the party captured before.
func (r *Rules) judge(ctx context.Context, d *draft.Draft, leaves bool, patience time.Duration, parts func(yield func([]draft.Item) error) error) (map[int]journal.Fault, error) {
	said, err := r.question(ctx, d, leaves, patience, parts)
	settled := true
	if err == nil && len(said) > 0 && r.Settle != nil {
		waiting, cancel := context.WithTimeout(ctx, patience)
		settled = r.Settle(waiting)
		cancel()
		if settled {
			said, err = r.question(ctx, d, leaves, patience, parts)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("ask what the rules would say: %w", ctx.Err())
	case errors.Is(err, errTooLarge):
		r.captureUnasked(d, tooLarge, err)
		return nil, nil
	case errors.Is(err, errUnanswered):
		r.captureUnasked(d, away, err)
		return nil, nil
	case err != nil:
		return nil, err
	}
	faults := map[int]journal.Fault{}
	var list []journal.Fault
	late := false
	for _, f := range said {
		if !settled && !f.marked {
			late = true // an event that is on its way may be what it rests on
			continue
		}
		faults[f.item] = f.Fault
		list = append(list, f.Fault)
	}
	if late {
		r.captureUnasked(d, behind, nil)
	}
	if len(list) > 0 && d.OnError == submission.Rollback {
		return nil, refusal(list)
	}
	return faults, nil
}

// errUnanswered: the api service did not say what the rules would.
var errUnanswered = errors.New("no answer")

// question asks once, and returns what is refused, in order.
func (r *Rules) question(ctx context.Context, d *draft.Draft, leaves bool, patience time.Duration, parts func(yield func([]draft.Item) error) error) ([]refused, error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	places := map[int]place{}
	var sent, size int
	var broken error // why not all was sent, other than that the api takes no more
	judged, said, err := r.Ask(asking, r.Party, func(yield func([]byte) bool) {
		broken = parts(func(items []draft.Item) error {
			for i := range items {
				it := &items[i]
				if it.Kind == wire.KindDocumentHeader && d.OnError == submission.Proceed {
					continue // the events go on without it
				}
				places[sent+i] = place{it.Info.Event, it.Line, it.Column, Leaves(*it) || d.Kind == takesBack, it.Kind == wire.KindResolution}
			}
			sent += len(items)
			return r.bodies(items, func(body []byte) error {
				if size += len(body) + 4; size > r.Limit.Bytes {
					return errTooLarge
				}
				late.Reset(patience)
				if !yield(body) {
					return errEnough
				}
				return nil
			})
		})
	})
	switch {
	case errors.Is(broken, errTooLarge) && size > r.Limit.Bytes && leaves:
		return nil, httpapi.NewProblem(httpapi.CaptureLimitExceeded,
			"the document ships or dispenses goods and becomes more than %d MiB of submissions, which is the most that is held against the rules at once; goods that leave are not captured before. Nothing was stored. Send it in several documents, one after the other", r.Limit.Bytes>>20)
	case broken != nil && !errors.Is(broken, errEnough):
		return nil, broken
	case err != nil || broken != nil || judged != sent:
		return nil, fmt.Errorf("%w: %d of %d items judged: %w", errUnanswered, judged, sent, errors.Join(err, broken))
	}
	var list []refused
	for i := range said {
		if at, ok := places[said[i].Item]; ok {
			if f := fault(at, &said[i]); f != nil {
				list = append(list, *f)
			}
		}
	}
	return list, nil
}

// bodies encodes items as bodies of submissions: one, or more where they do not fit.
func (r *Rules) bodies(items []draft.Item, yield func([]byte) error) error {
	body, err := r.encode(items)
	if err == nil && len(body) <= room {
		return yield(body)
	}
	if len(items) < 2 {
		return errTooLarge
	}
	if err := r.bodies(items[:len(items)/2], yield); err != nil {
		return err
	}
	return r.bodies(items[len(items)/2:], yield)
}

// encode seals copies of the items, unless they are sealed: what is sealed is not for the api either.
func (r *Rules) encode(list []draft.Item) ([]byte, error) {
	items := make([]wire.Item, len(list))
	for i := range list {
		items[i] = list[i].Item
		if items[i].Salt != [32]byte{} {
			continue
		}
		if _, err := r.Sealer.Seal(&items[i]); err != nil {
			return nil, fmt.Errorf("encode item %d: %w", i, err)
		}
	}
	body, err := wire.EncodeBody(items)
	if err != nil {
		return nil, fmt.Errorf("encode items: %w", err)
	}
	return body, nil
}
