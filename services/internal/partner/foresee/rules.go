package foresee

import (
	"fmt"
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/verdict"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox"
)

// refusal is the problem that refuses all of a request. Faults of several kinds have a code of their own; no more of them are listed
// than with a document that is refused here.
func refusal(faults []journal.Fault) *httpapi.Problem {
	code := httpapi.Code(faults[0].Code)
	for _, f := range faults {
		if httpapi.Code(f.Code) != code {
			code = httpapi.RefusedByRules
		}
	}
	further := ""
	if n := len(faults) - outbox.MaxListed; n > 0 {
		further = fmt.Sprintf(" %d further events are refused and not listed.", n)
		faults = faults[:outbox.MaxListed]
	}
	list := make([]httpapi.Fault, len(faults))
	for i := range faults {
		list[i] = httpapi.Fault(faults[i])
	}
	return httpapi.NewProblem(code, "%s. Nothing was captured.%s What to do: %s", faults[0].Message, further, faults[0].Hint).With(list...)
}

// rule is how a service says what the ledger would.
type rule struct {
	code httpapi.Code
	hint string
	// remarked: the ledger would record the event all the same, on hold or with a remark.
	remarked bool
	// verb stands between the first thing that a remark is about and the ledger's words; says stands instead of these.
	verb, says string
	// marked: it rests on a mark or a licence, not on an event of the party that may be on its way to the ledger.
	marked bool
}

const (
	aside    = "set the goods aside, and ship or dispense others"
	usedUp   = "check what was scanned; if it is right, set the package aside and treat it as suspect"
	giveBack = "; goods go back with the command return, under the number of its authorisation, to the party that sold them or to their maker"
)

// rules are the codes of the ledger that are refused here.
var rules = map[verdict.Code]rule{
	verdict.ShipSuspect:          {code: httpapi.GoodsSuspect, hint: aside + giveBack, marked: true},
	verdict.ShipRecalled:         {code: httpapi.GoodsRecalled, hint: aside + giveBack, marked: true},
	verdict.ShipQuarantined:      {code: httpapi.GoodsQuarantined, hint: "inspect the goods and release them first, or ship others" + giveBack, marked: true},
	verdict.ShipUnreleasedReturn: {code: httpapi.GoodsUnreleasedReturn, hint: "verify what came back and release it first, or ship other goods", marked: true},
	verdict.ShipExpired:          {code: httpapi.GoodsExpired, hint: aside + giveBack, remarked: true, marked: true},
	verdict.DispenseRecalled:     {code: httpapi.GoodsRecalled, hint: aside, marked: true},
	verdict.DispenseQuarantined:  {code: httpapi.GoodsQuarantined, hint: aside + ", or inspect and release these first", marked: true},
	verdict.DispenseExpired:      {code: httpapi.GoodsExpired, hint: aside, marked: true},
	verdict.ActorNotATP:          {code: httpapi.ActorNotAuthorized, hint: "have an authority register the licence, or lift the suspension", marked: true},
	verdict.PartnerNotATP:        {code: httpapi.PartnerNotAuthorized, hint: "ask the buyer for its licence and have an authority register it, or sell to another", remarked: true, marked: true},
	verdict.ShipByNonHolder:      {code: httpapi.GoodsNotHeld, hint: "receive the goods first if they are here, or check what was scanned", remarked: true, says: "is with another company, by the ledger"},
	verdict.DoubleShip:           {code: httpapi.GoodsOnTheirWay, hint: "check what was scanned; take the first shipment back if it did not take place", remarked: true, verb: "is"},
	verdict.DispenseTwice:        {code: httpapi.GoodsUsedUp, hint: usedUp, remarked: true, verb: "is"},
	verdict.ShipTerminal:         {code: httpapi.GoodsUsedUp, hint: usedUp},
	verdict.DecomThenUsed:        {code: httpapi.GoodsUsedUp, hint: usedUp},
	verdict.DestroyedThenUsed:    {code: httpapi.GoodsUsedUp, hint: usedUp},
	verdict.EventIDReused:        {code: httpapi.EventIDReused, hint: "give the event an id of its own"},
	verdict.ResolveForbidden:     {code: httpapi.ResolveForbidden, hint: "ask one of those who may close it; verilot resolve --outcomes with the code lists them"},
	verdict.RoleForbidden:        {code: httpapi.RoleForbidden},
	verdict.GTINNotOwned:         {code: httpapi.GTINNotOwned},
	verdict.ShipNoParties:        {code: httpapi.ShipmentWithoutParties},
	verdict.ErrdeclBreaksChain:   {code: httpapi.TakeBackBlocked, hint: "take back the later events first, newest first, or record what is true now", remarked: true},
	verdict.ErrdeclNotAuthor:     {code: httpapi.TakeBackNotAuthor, hint: "have the party that recorded the event take it back"},
	verdict.ErrdeclUnknown:       {code: httpapi.UnknownEvent, hint: "nothing is left to take back: the event was taken back already, or never took effect"},
	verdict.ReturnWrongParty:     {code: httpapi.ReturnNotSold, hint: "send the goods back to the party that sold them, or to the owner of their GTIN", remarked: true, verb: "would be"},
}

// refused is what speaks against an item.
type refused struct {
	journal.Fault
	item   int
	marked bool
}

// fault is what speaks against an item; nil: nothing that is refused here. Every item that the ledger would reject is.
func fault(at place, said *Judgement) *refused {
	refuse := func(code verdict.Code, r rule, detail string) *refused {
		e, _ := verdict.Explain(code)
		if r.code == "" {
			r.code = httpapi.RefusedByRules
		}
		if at.resolves && code == verdict.MissingField {
			r.hint = "name the units and containers for which the finding is closed (units), as a trace shows them with it"
		}
		if r.hint == "" {
			r.hint = strings.TrimSuffix(e.Todo, ".")
		}
		if detail == "" {
			detail = strings.TrimSuffix(e.Meaning, ".")
		}
		if r.code == httpapi.RefusedByRules {
			detail = string(code) + ": " + detail // the problem's code does not say which rule it is
		}
		f := &refused{journal.Fault{Line: at.line, Column: at.column, Code: string(r.code), Message: gs1.BracketKeys(detail), Hint: r.hint}, said.Item, r.marked}
		if at.event >= 0 {
			f.Event = &at.event
		}
		return f
	}
	if code := verdict.Code(said.Code); said.Verdict == "rejected" {
		return refuse(code, rules[code], said.Detail)
	}
	relayed := func(f Finding) bool { return verdict.Code(f.Code) == verdict.Relayed }
	if !at.leaves || said.Verdict != "flagged" && said.Verdict != "accepted" || slices.ContainsFunc(said.Findings, relayed) {
		return nil // another party's act is not this party's to refuse
	}
	for _, f := range said.Findings {
		code := verdict.Code(f.Code)
		r, ok := rules[code]
		if !ok || !r.remarked {
			continue
		}
		detail := f.Detail
		switch {
		case len(f.Subjects) == 0:
		case r.says != "":
			detail = f.Subjects[0] + " " + r.says
		case r.verb != "":
			detail = f.Subjects[0] + " " + r.verb + " " + detail
		}
		return refuse(code, r, detail)
	}
	return nil
}
