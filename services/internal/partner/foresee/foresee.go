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
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
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

// Rules are asked about drafts of one party.
type Rules struct {
	sealer *draft.Sealer
	party  string
	ask    Ask
	limit  Limit
	log    *slog.Logger
}

// New makes them; ask may be nil: then nothing is refused here.
func New(sealer *draft.Sealer, party string, ask Ask, limit Limit, log *slog.Logger) *Rules {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Rules{sealer, party, ask, limit, log}
}

// asked are the steps that are asked about: those by which goods leave for sale or for a patient.
var asked = []string{epcis.StepShipping, epcis.StepDispensing}

const (
	// patience is how long the api may take for a submission, and patienceWith many of them for any
	// one of those that are on their way.
	patience     = 3 * time.Second
	patienceWith = 30 * time.Second
	unasked      = "The ledger was not asked before whether its rules allow this, since the api service did not answer: the verdict will tell"
	// room is what the items of a submission may take.
	room = submission.MaxMessage - draft.Headroom
)

// Check asks about a draft. Under rollback the error is the problem that refuses all of it; under
// proceed what the rules would refuse is taken out of it and listed as refused.
func (r *Rules) Check(ctx context.Context, d *draft.Draft) error {
	if r == nil || r.ask == nil || d.Kind != takesBack && !slices.ContainsFunc(d.Items, Leaves) {
		return nil
	}
	faults, err := r.judge(ctx, d, patience, func(yield func([]draft.Item) error) error { return yield(d.Items) })
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
// that refuses all of it. Under proceed the faults are those of the events to leave out.
func (r *Rules) CheckParts(ctx context.Context, d *draft.Draft, units int, parts func(yield func([]draft.Item) error) error) ([]journal.Fault, error) {
	if r == nil || r.ask == nil {
		return nil, nil
	}
	if units > r.limit.Units {
		return nil, httpapi.NewProblem(httpapi.CaptureLimitExceeded,
			"the document ships or dispenses goods and names %d packages and containers; at most %d are held against the rules at once, and goods that leave are not captured before. Nothing was stored. Send it in several documents, one after the other",
			units, r.limit.Units)
	}
	faults, err := r.judge(ctx, d, patienceWith, parts)
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

// Leaves says whether an item is an event of a step that is asked about.
func Leaves(it draft.Item) bool {
	ev, ok := it.Message.(*epcis.Event)
	return ok && slices.Contains(asked, ev.Step()) && ev.ErrorDeclaration == nil
}

// place is where an item that is asked about stands in its document.
type place struct{ event, line, column int }

var (
	errEnough = errors.New("the api service takes no more")
	// errTooLarge: what no submission holds is not this package's to refuse.
	errTooLarge = errors.New("an item is larger than a submission")
)

// judge asks about the items of the parts, and returns what speaks against each, by its place among
// all of them. Under rollback that is the error.
func (r *Rules) judge(ctx context.Context, d *draft.Draft, patience time.Duration, parts func(yield func([]draft.Item) error) error) (map[int]journal.Fault, error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	places := map[int]place{}
	var sent, size int
	var broken error // why not all was sent, other than that the api takes no more
	judged, said, err := r.ask(asking, r.party, func(yield func([]byte) bool) {
		broken = parts(func(items []draft.Item) error {
			for i := range items {
				if it := &items[i]; d.Kind == takesBack || Leaves(*it) {
					places[sent+i] = place{it.Info.Event, it.Line, it.Column}
				}
			}
			sent += len(items)
			return r.bodies(items, func(body []byte) error {
				if size += len(body) + 4; size > r.limit.Bytes {
					return httpapi.NewProblem(httpapi.CaptureLimitExceeded,
						"the document ships or dispenses goods and becomes more than %d MiB of submissions, which is the most that is held against the rules at once; goods that leave are not captured before. Nothing was stored. Send it in several documents, one after the other", r.limit.Bytes>>20)
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
	case errors.Is(broken, errTooLarge):
		return nil, nil
	case broken != nil && !errors.Is(broken, errEnough):
		return nil, broken
	case ctx.Err() != nil:
		return nil, fmt.Errorf("ask what the rules would say: %w", ctx.Err())
	case err != nil || broken != nil || judged != sent:
		r.log.Info("the api service did not say what the rules would", "err", err)
		d.Notes = append(d.Notes, unasked)
		return nil, nil
	}
	faults := map[int]journal.Fault{}
	var list []journal.Fault
	for i := range said {
		at, ok := places[said[i].Item]
		if !ok {
			continue
		}
		if f := fault(at, &said[i]); f != nil {
			faults[said[i].Item] = *f
			list = append(list, *f)
		}
	}
	if len(list) > 0 && d.OnError == submission.Rollback {
		return nil, refusal(list)
	}
	return faults, nil
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
		if _, err := r.sealer.Seal(&items[i]); err != nil {
			return nil, fmt.Errorf("encode item %d: %w", i, err)
		}
	}
	body, err := wire.EncodeBody(items)
	if err != nil {
		return nil, fmt.Errorf("encode items: %w", err)
	}
	return body, nil
}

func refusal(faults []journal.Fault) *httpapi.Problem {
	code := httpapi.Code(faults[0].Code)
	list := make([]httpapi.Fault, 0, len(faults))
	for _, f := range faults {
		if httpapi.Code(f.Code) != code {
			code = httpapi.EventsRefused
		}
		list = append(list, httpapi.Fault(f))
	}
	return httpapi.NewProblem(code, "%s. Nothing was captured. What to do: %s", faults[0].Message, faults[0].Hint).With(list...)
}

// rule is how a service says what the ledger would.
type rule struct {
	code httpapi.Code
	hint string
	// remarked: the ledger would record the event all the same, on hold or with a remark.
	remarked bool
}

const (
	aside    = "set the goods aside, and ship or dispense others"
	giveBack = "; goods go back with the command return, under the number of its authorisation, to the party that sold them or to their maker"
)

// rules are the codes of the ledger that are refused here.
var rules = map[verdict.Code]rule{
	verdict.ShipSuspect:          {code: httpapi.GoodsSuspect, hint: aside + giveBack},
	verdict.ShipRecalled:         {code: httpapi.GoodsRecalled, hint: aside + giveBack},
	verdict.ShipQuarantined:      {code: httpapi.GoodsQuarantined, hint: "inspect the goods and release them first, or ship others" + giveBack},
	verdict.ShipUnreleasedReturn: {code: httpapi.GoodsUnreleasedReturn, hint: "verify what came back and release it first, or ship other goods"},
	verdict.ShipExpired:          {code: httpapi.GoodsExpired, hint: aside + giveBack, remarked: true},
	verdict.DispenseRecalled:     {code: httpapi.GoodsRecalled, hint: aside},
	verdict.DispenseQuarantined:  {code: httpapi.GoodsQuarantined, hint: aside + ", or inspect and release these first"},
	verdict.DispenseExpired:      {code: httpapi.GoodsExpired, hint: aside},
	verdict.ActorNotATP:          {code: httpapi.ActorNotAuthorized, hint: "have an authority register the licence, or lift the suspension"},
	verdict.PartnerNotATP:        {code: httpapi.PartnerNotAuthorized, hint: "ask the buyer for its licence and have an authority register it, or sell to another", remarked: true},
	verdict.ErrdeclBreaksChain:   {code: httpapi.TakeBackBlocked, hint: "take back the later events first, newest first, or record what is true now", remarked: true},
	verdict.ErrdeclNotAuthor:     {code: httpapi.TakeBackNotAuthor, hint: "have the party that recorded the event take it back"},
	verdict.ErrdeclUnknown:       {code: httpapi.UnknownEvent, hint: "nothing is left to take back: the event was taken back already, or never took effect"},
	verdict.ReturnWrongParty:     {code: httpapi.ReturnNotSold, hint: "send the goods back to the party that sold them, or to the owner of their GTIN", remarked: true},
}

// fault is what speaks against an item; nil: nothing that is refused here.
func fault(at place, said *Judgement) *journal.Fault {
	refuse := func(r rule, detail string) *journal.Fault {
		f := &journal.Fault{Line: at.line, Column: at.column, Code: string(r.code), Message: detail, Hint: r.hint}
		if at.event >= 0 {
			f.Event = &at.event
		}
		return f
	}
	if r, ok := rules[verdict.Code(said.Code)]; ok && said.Verdict == "rejected" {
		return refuse(r, said.Detail)
	}
	relayed := func(f Finding) bool { return verdict.Code(f.Code) == verdict.Relayed }
	if said.Verdict != "flagged" && said.Verdict != "accepted" || slices.ContainsFunc(said.Findings, relayed) {
		return nil // another party's act is not this party's to refuse
	}
	for _, f := range said.Findings {
		if r, ok := rules[verdict.Code(f.Code)]; ok && r.remarked {
			detail := f.Detail
			if verdict.Code(f.Code) == verdict.ReturnWrongParty && len(f.Subjects) > 0 {
				detail = f.Subjects[0] + " would be " + detail
			}
			return refuse(r, detail)
		}
	}
	return nil
}
