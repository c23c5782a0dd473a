package custody

import (
	"fmt"
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/verdict"
)

// licensing is what a step asks of the licences of a party that publishes its own act. Goods that an unlicensed party has
// must stay visible, so what only says where they are, or takes them out of trade, is recorded all the same.
type licensing uint8

const (
	licensedAlways licensing = iota // without a licence: rejected
	licensedToSell                  // the same, unless the event is a return
	licensedToFree                  // the same, where the disposition releases the goods
	licensedOrHeld                  // recorded, and what is received is on hold
	licensedNever                   // recorded
)

// String says it in a sentence of docs/custody.md.
func (l licensing) String() string {
	return [...]string{
		licensedAlways: "the actor needs one (`ACTOR_NOT_ATP`)",
		licensedToSell: "the actor needs one (`ACTOR_NOT_ATP`), unless the event has a business transaction of type `rma` and everything goes to its seller or to the owner of its GTIN",
		licensedToFree: "the actor needs one to release goods (`ACTOR_NOT_ATP`), not to set them aside or report them lost",
		licensedOrHeld: "not needed; without one, what is received is on hold (`PARTNER_NOT_ATP`)",
		licensedNever:  "not needed",
	}[l]
}

// isReturn says whether the event names a return authorisation.
func isReturn(ev *epcis.Event) bool {
	return slices.ContainsFunc(ev.BizTransactionList, func(t epcis.BizTransaction) bool {
		return epcis.TermBizTransaction.Word(t.Type) == epcis.ReturnAuthorization
	})
}

// checkActor asks whether the actor is an authorized trading partner in a role that the step demands. What others relay of
// an unlicensed party is remarked on: it would happen whether the ledger knew of it or not.
func (j *judging) checkActor() {
	ok, why := authorized(j.roles, j.rule.needed(j.makesUnits()), j.day)
	if ok {
		return
	}
	if j.hearsay {
		j.find(verdict.PartnerNotATP, block.Flag, nil, j.unlicensed(j.actor, why))
		return
	}
	j.lapsed = j.unlicensed(j.actor, why)
	if licence := j.rule.licence; licence == licensedAlways || licence == licensedToSell && !isReturn(j.ev) {
		j.needLicence()
	}
}

// authorized says whether a party may trade on a day in one of some roles, and if not, why. One that is suspended may not,
// whatever licences it has.
func authorized(p *registry.Party, roles []string, day string) (ok bool, why string) {
	if p.Suspended {
		return false, "is suspended by an authority"
	}
	return p.AuthorizedIn(roles, day)
}

// checkClaim rejects what an unlicensed party says of goods that it never had: it would put another's on hold.
func (j *judging) checkClaim(claimed []string) {
	if slices.ContainsFunc(claimed, func(k string) bool {
		return !slices.ContainsFunc(j.Chain(k), func(r *books.Record) bool { return slices.Contains(r.Recorders, j.actor) })
	}) {
		j.needLicence()
	}
}

// makesUnits says whether the event names units in a step that only makers perform on units.
func (j *judging) makesUnits() bool {
	return j.rule.makers != nil && slices.ContainsFunc(j.keys(commit.EPCList), books.IsUnit) && j.roles.Has(j.rule.makers...)
}

// needLicence rejects the event of an actor that is not authorized.
func (j *judging) needLicence() {
	if j.lapsed != "" {
		j.reject(verdict.ActorNotATP, "", "%s; have the licence registered by the authority", j.lapsed)
	}
}

func (j *judging) unlicensed(party, why string) string {
	return fmt.Sprintf("%s is not authorized on %s: %s", party, j.day, why)
}

// checkBuyer puts on hold what is shipped to a party that is not authorized to trade.
func (j *judging) checkBuyer(to string, keys []string) {
	j.checkPartner("buyer", j.ev.Destination(epcis.OwningParty), to, keys)
}

// checkSeller puts on hold what is received from, by or for a party that is not authorized to trade. The seller is the one that
// the event names or, if it names none, the sender of the shipment with which each thing came.
func (j *judging) checkSeller(owner, holder string, keys []string) {
	if j.lapsed != "" {
		j.partner(keys, j.lapsed)
	}
	j.checkPartner("buyer", j.ev.Destination(epcis.OwningParty), owner, keys)
	j.checkPartner("holder", j.ev.Destination(epcis.PossessingParty), holder, keys)
	if id := j.ev.Source(epcis.OwningParty); id != "" {
		j.checkPartner("seller", id, j.partyAt(id), keys)
		return
	}
	for _, g := range group(keys, func(k string) string {
		if s := j.Shipment(j.Get(k).Shipment); s != nil {
			return s.From
		}
		return ""
	}) {
		j.checkPartner("seller", g.by, g.by, g.keys)
	}
}

// checkPartner looks at the licences of the party that an identifier names, on the day of the event. The actor's own are
// judged by the step.
func (j *judging) checkPartner(as, id, party string, keys []string) {
	if id == "" || party == j.actor || len(keys) == 0 {
		return
	}
	p, known := j.reg.Standing(party)
	if !known {
		j.partner(keys, fmt.Sprintf("the %s %s is not registered", as, short(id)))
		return
	}
	if ok, why := authorized(&p, traders, j.day); !ok {
		j.partner(keys, fmt.Sprintf("the %s %s", as, j.unlicensed(party, why)))
	}
}

// partner opens the finding, or adds to it. Hearsay marks nobody's goods.
func (j *judging) partner(keys []string, detail string) {
	if i := slices.IndexFunc(j.findings, func(f Finding) bool { return f.Code == verdict.PartnerNotATP }); i >= 0 {
		j.findings[i].Detail += "; " + detail
	}
	if j.hearsay {
		j.find(verdict.PartnerNotATP, block.Flag, keys, detail)
		return
	}
	j.hold(verdict.PartnerNotATP, keys, "%s", detail)
}
