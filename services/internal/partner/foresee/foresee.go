// Package foresee asks an api service what the ledger's rules would say of a draft, before it is
// captured, so that goods that must not move are refused at once and in the words of the ledger.
//
// The ledger has the last word. Where the api does not answer, the draft is captured unasked, and
// its job says so: a partner whose api is down goes on working, and what breaks a rule is rejected
// there (docs/design.md section 10).
package foresee

import (
	"context"
	"log/slog"
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

// Ask asks what the rules would say of the items in a body, if the party submitted it now.
type Ask func(ctx context.Context, party string, body []byte) ([]Judgement, error)

// Rules are asked about drafts of one party.
type Rules struct {
	sealer *draft.Sealer
	party  string
	ask    Ask
	log    *slog.Logger
}

// New makes them; ask may be nil: then nothing is refused here.
func New(sealer *draft.Sealer, party string, ask Ask, log *slog.Logger) *Rules {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Rules{sealer, party, ask, log}
}

// asked are the steps that are asked about: those by which goods leave for sale or for a patient.
var asked = []string{epcis.StepShipping, epcis.StepDispensing}

const (
	patience = 3 * time.Second
	unasked  = "The ledger was not asked before whether its rules allow this, since the api service did not answer: the verdict will tell"
	tooLarge = "The ledger was not asked before whether its rules allow this, since the document is divided: the verdicts will tell"
)

// Divided notes on a document that needs several submissions that it was not asked about.
func (r *Rules) Divided(d *draft.Draft) {
	if r != nil && r.ask != nil {
		d.Notes = append(d.Notes, tooLarge)
	}
}

// Check asks about a draft. Under rollback the error is the problem that refuses all of it; under
// proceed what the rules would refuse is taken out of it and listed as refused.
func (r *Rules) Check(ctx context.Context, d *draft.Draft) error {
	if r == nil || r.ask == nil || d.Kind != takesBack && !slices.ContainsFunc(d.Items, leaves) {
		return nil
	}
	body, err := r.encode(d)
	if err != nil || len(body) > submission.MaxMessage-draft.Headroom {
		r.Divided(d) // what no submission holds is not this package's to refuse
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	said, err := r.ask(ctx, r.party, body)
	if err != nil || len(said) != len(d.Items) {
		r.log.Info("the api service did not say what the rules would", "err", err)
		d.Notes = append(d.Notes, unasked)
		return nil
	}
	var faults []journal.Fault
	refused := map[int]bool{}
	for i := range said {
		if f := fault(d.Kind, &d.Items[i], &said[i]); f != nil {
			refused[i] = true
			faults = append(faults, *f)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	if d.OnError == submission.Rollback {
		return refusal(faults)
	}
	i := -1
	d.Items = slices.DeleteFunc(d.Items, func(draft.Item) bool { i++; return refused[i] })
	if d.Sealed != nil {
		i = -1
		d.Sealed = slices.DeleteFunc(d.Sealed, func([]commit.SealedValue) bool { i++; return refused[i] })
	}
	d.Refused = append(d.Refused, faults...)
	d.RefusedEvents, d.Faults = d.RefusedEvents+len(faults), d.Faults+len(faults)
	if !slices.ContainsFunc(d.Items, func(it draft.Item) bool { return it.Kind == wire.KindEvent }) {
		d.Items, d.Sealed = nil, nil // a header without events has nobody to speak for
	}
	return nil
}

// takesBack: the command of that name; other systems may declare errors that have no effect.
const takesBack = "take-back"

// leaves says whether an item is an event of a step that is asked about.
func leaves(it draft.Item) bool {
	ev, ok := it.Message.(*epcis.Event)
	return ok && slices.Contains(asked, ev.Step()) && ev.ErrorDeclaration == nil
}

// encode seals copies of the items: what is sealed is not for the api either.
func (r *Rules) encode(d *draft.Draft) ([]byte, error) {
	items := make([]wire.Item, len(d.Items))
	for i := range d.Items {
		items[i] = d.Items[i].Item
		if d.Sealed != nil {
			continue
		}
		if _, err := r.sealer.Seal(&items[i]); err != nil {
			return nil, err
		}
	}
	return wire.EncodeBody(items)
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
func fault(kind string, it *draft.Item, said *Judgement) *journal.Fault {
	if kind != takesBack && !leaves(*it) {
		return nil
	}
	refuse := func(r rule, detail string) *journal.Fault {
		f := &journal.Fault{Line: it.Line, Column: it.Column, Code: string(r.code), Message: detail, Hint: r.hint}
		if it.Info.Event >= 0 {
			f.Event = &it.Info.Event
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
