package custody

import (
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/ledger/verdict"
)

const (
	objectEvent      = "ObjectEvent"
	aggregationEvent = "AggregationEvent"
)

// rule is what a business step demands and does. The prose is for docs/custody.md, which a test writes; docs/spec.md
// section 14 has the same rules step by step.
type rule struct {
	steps   []string // business steps, as epcis.TermBizStep.Word gives them
	event   string   // EPCIS event type
	actions []string // that the step may have
	roles   []string // of which the acting party has one
	makers  []string // the same, where the event names units; nil: roles
	loose   bool     // another event or action makes it an observation; otherwise such an event is rejected
	own     bool     // counts only when the acting party itself publishes it
	// licence is what the step asks of the licences of a party that publishes its own act.
	licence licensing
	apply   func(*judging)

	title   string
	needs   []string // sentences, in the order of judging
	changes []string // sentences: state, holder, place, parent, overlays
	raises  []verdict.Code
}

var (
	makers  = []string{"manufacturer", "repackager"}
	traders = []string{"manufacturer", "repackager", "distributor", "3pl", "dispenser"}
	use     = []string{"OBSERVE", "DELETE"}
)

// Sentences that several steps share.
const (
	namesThings = "`epcList` names at least one thing (`MISSING_FIELD`)."
	notEnded    = "Nothing named has *ended*, itself or with a container around it (`DECOM_THEN_USED`, `DESTROYED_THEN_USED`)."
	strangers   = "A thing without a record gets one, *provisional* and with the actor (`NOT_COMMISSIONED`)."
	takenOut    = "What is named alone while recorded inside a container is taken out of it first (`CHILD_EVENT_WHILE_PACKED`)."
	masterData  = "Lot and expiry in the event are those of the birth record (`LOT_MISMATCH`, `EXPIRY_MISMATCH`: hold)."
	reappears   = "What was lost is active again; what was stolen is active and on hold (`THEFT_REAPPEARS`)."
	buyer       = "The party that the event names as owner is registered and an authorized trading partner in some role on the day of the event (`PARTNER_NOT_ATP`: hold)."
	noClaims    = "A claim to what it never had takes a licence, whatever the step."
	twoPlaces   = "If the actor once recorded the thing, and another received it since without a record of its leaving, it is suspect and on hold as well (`TWO_PLACES`)."
)

// onHoldInstead is what becomes of goods that must not be sold and have moved on already.
const onHoldInstead = "what was suspect, recalled, set aside, an unreleased return or expired is on hold (`SHIP_SUSPECT`, `SHIP_RECALLED`, `SHIP_QUARANTINED`, `SHIP_UNRELEASED_RETURN`, `SHIP_EXPIRED`), unless it is a return to its seller or maker."

// rules is the table of steps, in the order of a package's life.
var rules = []rule{
	{
		steps: []string{epcis.StepCommissioning}, event: objectEvent, actions: []string{"ADD"}, roles: traders, makers: makers,
		apply: (*judging).commission,
		title: "Commissioning",
		needs: []string{
			namesThings,
			"Units are commissioned by a maker (`ROLE_FORBIDDEN`) that owns the company prefix of their GTIN (`GTIN_NOT_OWNED`). Any trading partner commissions containers.",
			"With units, the event has a well-formed lot (`FMT_LOT`) and an expiry, both (`MISSING_ILMD`). The expiry is a date (`FMT_EXPIRY`) after the day of the event (`BORN_EXPIRED`).",
			"No birth record exists for anything named. If one does: `SERIAL_REUSED` where the thing was destroyed or decommissioned, `DUP_COMMISSION` otherwise. A provisional thing, and a container known only from packing, have none.",
			"If the lot is registered, its expiry is the event's (`EXPIRY_MISMATCH`: hold). If not, that is remarked on (`LOT_UNREGISTERED`).",
			"The units of the lot are not more than its registered size (`LOT_OVERRUN`).",
			"What was shipped before its birth record came was not shipped before it was made, by the times of the events, to the minute (`SHIP_BEFORE_COMMISSION`).",
			"What is in a container with a GTIN already, or is one, does not make it stand for several products or lots (`AGG_MIXED_LOT`).",
			"The product is registered (`GTIN_UNKNOWN`), and its NDC is the one in the GTIN, as at its registration (`NDC_MISMATCH`).",
		},
		changes: []string{
			"Each thing is recorded as active. Units take lot and expiry from the event.",
			"The actor becomes holder and owner, and the event's place its place, unless the thing has already moved on, ended or gone into a container. Then custody stays as it is.",
			"A birth record closes `NOT_COMMISSIONED` and `AGG_UNKNOWN_CHILD` findings of the thing.",
			"*Hearsay* makes provisional records. It does not overwrite a lot or expiry that other hearsay gave: the unit keeps the first and is on hold (`LOT_MISMATCH`).",
		},
		raises: []verdict.Code{
			verdict.MissingField, verdict.RoleForbidden, verdict.GTINNotOwned, verdict.FmtLot, verdict.MissingILMD, verdict.FmtExpiry, verdict.BornExpired,
			verdict.SerialReused, verdict.DupCommission, verdict.LotMismatch, verdict.ExpiryMismatch,
			verdict.LotUnregistered, verdict.LotOverrun, verdict.ShipBeforeCommission, verdict.AggMixedLot, verdict.GTINUnknown, verdict.NDCMismatch,
		},
	},
	{
		steps: []string{epcis.StepPacking}, event: aggregationEvent, actions: []string{"ADD"}, roles: traders,
		apply: (*judging).pack,
		title: "Packing", needs: packNeeds, changes: packChanges, raises: packRaises,
	},
	{
		steps: []string{"loading"}, event: aggregationEvent, actions: []string{"ADD"}, roles: traders, loose: true,
		apply: (*judging).pack,
		title: "Loading", needs: packNeeds, changes: packChanges, raises: packRaises,
	},
	{
		steps: []string{epcis.StepUnpacking}, event: aggregationEvent, actions: []string{"DELETE"}, roles: traders,
		apply: (*judging).unpackStep,
		title: "Unpacking", needs: unpackNeeds, changes: unpackChanges, raises: unpackRaises,
	},
	{
		steps: []string{"unloading"}, event: aggregationEvent, actions: []string{"DELETE"}, roles: traders, loose: true,
		apply: (*judging).unpackStep,
		title: "Unloading", needs: unpackNeeds, changes: unpackChanges, raises: unpackRaises,
	},
	{
		steps: []string{epcis.StepShipping}, event: objectEvent, actions: []string{"OBSERVE"}, roles: traders,
		licence: licensedToSell, apply: (*judging).ship,
		title: "Shipping",
		needs: []string{
			"A source and a destination of type `owning_party` say who sells and who buys (`SHIP_NO_PARTIES`). They are not one party, nor one identifier of nobody registered (`SELF_SHIP`).",
			"The destination of type `owning_party` is well-formed (`FMT_GLN` or another of the `FMT_` codes) and belongs to a registered party (`GLN_UNKNOWN`).",
			namesThings,
			"A thing that the destination has already received, and whose shipment it still misses, is a *late shipment*. The steps below leave it out. It is judged by what spoke against a sale when it was received: " + onHoldInstead + " Whether it is a return, its birth, lot, expiry and buyer are judged as below.",
			"Nothing named has *ended* (`SHIP_TERMINAL`).",
			strangers,
			"The thing is *with the actor*. If not, the shipment is a claim (`SHIP_BY_NON_HOLDER`: hold), and the next two steps leave it out. " + noClaims + " " + twoPlaces,
			"Nothing speaks against a sale of the thing, of a container around it, or of anything inside it: it is not suspect or illegitimate (`SHIP_SUSPECT`); there is no open recall of it, its lot or its GTIN, and no holder has marked it recalled (`SHIP_RECALLED`); it is not quarantined, damaged or on hold (`SHIP_QUARANTINED`); it did not come back as a return that was not released (`SHIP_UNRELEASED_RETURN`); it is not past its expiry on the day of the event, nor marked expired (`SHIP_EXPIRED`: hold). A *return* is no sale: the event has a business transaction of type `rma`, and the buyer owns the GTIN of all that is shipped, or has once sold all of it to the actor.",
			"An event with a business transaction of type `rma` sends the thing to such a party (`RETURN_WRONG_PARTY`).",
			"The thing, and what is inside it, was not made after it was shipped, by the times of the events, to the minute (`SHIP_BEFORE_COMMISSION`).",
			"It is not on its way already, unless only hearsay says so (`DOUBLE_SHIP`: hold).",
			"It is not inside a container that stays behind. If it is, it is taken out and on hold (`SHIP_CHILD_OUTSIDE_PARENT`).",
			masterData,
			buyer,
		},
		changes: []string{
			"Each thing, with everything inside it, is in transit from the actor to the destination's party. The actor stays its holder, and its owner too if it had none. Its place is the event's.",
			reappears,
			"A business transaction of type `rma` sets the overlay `returned`.",
			"The ledger remembers with the thing who sold it to whom, unless the event is hearsay or a return. A cancelled shipment is forgotten.",
			"A late shipment changes no custody. It closes the `RECEIVE_NO_SHIP` finding of the receiver, unless the thing was not to be sold for another reason than its expiry.",
			"A thing that the ledger missed from an earlier shipment is missing no longer: its `QTY_SHORT` finding closes.",
		},
		raises: []verdict.Code{
			verdict.ShipNoParties, verdict.SelfShip, verdict.FmtGLN, verdict.GLNUnknown, verdict.MissingField, verdict.ShipTerminal, verdict.NotCommissioned, verdict.ShipByNonHolder,
			verdict.TwoPlaces, verdict.DoubleShip, verdict.ShipChildOutsideParent, verdict.LotMismatch, verdict.ExpiryMismatch, verdict.TheftReappears,
			verdict.PartnerNotATP, verdict.ShipSuspect, verdict.ShipRecalled, verdict.ShipQuarantined, verdict.ShipUnreleasedReturn, verdict.ShipExpired,
			verdict.ReturnWrongParty, verdict.ShipBeforeCommission,
		},
	},
	{
		steps: []string{epcis.StepVoidShipping}, event: objectEvent, actions: []string{"OBSERVE"}, roles: traders,
		licence: licensedNever, apply: (*judging).voidShip,
		title: "Cancelling a shipment",
		needs: []string{
			namesThings,
			notEnded,
			strangers,
			"The thing is in transit from the actor. What is not is left out (`VOID_NO_SHIP`).",
			takenOut,
		},
		changes: []string{
			"The thing is held again, by the actor. Its place is the event's, if the event has one.",
			"A hold because of that shipment's buyer (`PARTNER_NOT_ATP`) ends. What its holder set aside stays so.",
			"It leaves the shipment. If it was missing from it, its `QTY_SHORT` finding closes.",
		},
		raises: []verdict.Code{verdict.MissingField, verdict.DecomThenUsed, verdict.DestroyedThenUsed, verdict.NotCommissioned, verdict.VoidNoShip, verdict.ChildEventWhilePacked},
	},
	{
		steps: []string{epcis.StepReceiving}, event: objectEvent, actions: []string{"OBSERVE"}, roles: traders,
		licence: licensedOrHeld, apply: (*judging).receive,
		title: "Receiving",
		needs: []string{
			"The destinations of type `owning_party` and `possessing_party`, if there are any, are well-formed (`FMT_GLN` or another of the `FMT_` codes) and belong to registered parties (`GLN_UNKNOWN`).",
			namesThings,
			notEnded,
			"A thing without a record gets one, *provisional* and with nobody (`NOT_COMMISSIONED`).",
			takenOut,
			masterData,
			"A thing that the receiver already holds changes nothing more.",
			"A thing in transit was sent to the actor, or by the actor, or to no named party, or the actor is a logistics firm. If not, it arrives and is on hold (`WRONG_RECEIVER`).",
			"A thing not in transit needs a record of its shipment. Without one it is `QTY_OVER` beside a shipment that arrives, and `RECEIVE_NO_SHIP` if none does. Neither is a finding of the second kind: a thing that the actor owns, and one that was sent to the actor and that another received (`TWO_PLACES`).",
			"What the actor owns and another held goes to the party named as possessing without a shipment. By what speaks against a sale then: " + onHoldInstead,
			"All of the shipment arrives. What does not is missing (`QTY_SHORT`), once per shipment.",
			"The thing, and what is inside it, is under no open recall and not past its expiry (`RECEIVE_RECALLED`, `RECEIVE_EXPIRED`).",
			"A thing that comes back, because the shipment or the event names a return authorisation, or by the disposition `returned`, was once sold by the new owner to the party that sends it. The owner of its GTIN takes back everything (`RETURN_NO_SALE`: hold).",
			"A return authorisation named on receipt is one of those that the shipment names (`RETURN_AUTH_MISMATCH`).",
			"The actor is an authorized trading partner in one of the roles of the step on the day of the event (`PARTNER_NOT_ATP`: hold).",
			"The parties that the event names as owner and as possessing are registered and authorized trading partners in some role on the day of the event (`PARTNER_NOT_ATP`: hold).",
			"The seller is one too, in any trading role (`PARTNER_NOT_ATP`: hold). It is the source of type `owning_party`, which is well-formed and belongs to a registered party (`GLN_UNKNOWN`); without a source it is the sender of the shipment with which a thing came. Nobody is asked for a licence to receive from itself.",
		},
		changes: []string{
			"The thing is held by the party named as possessing, or else by the actor, at the event's place. It is owned by the party named as owning. Without one a logistics firm leaves the owner as addressed or as it was, and any other actor becomes the owner.",
			"A container that was emptied by scanning its contents arrives with the last of them.",
			"What is missing stays in transit with its sender and counts as unaccounted for.",
			"Until the sender's record comes, the thing carries a note that the actor still misses it. That record then is a *late shipment*.",
			reappears,
			"The disposition `returned` sets the overlay `returned`. What is recalled or has expired is quarantined, with everything inside it.",
		},
		raises: []verdict.Code{
			verdict.FmtGLN, verdict.GLNUnknown, verdict.MissingField, verdict.DecomThenUsed, verdict.DestroyedThenUsed, verdict.NotCommissioned,
			verdict.ChildEventWhilePacked, verdict.LotMismatch, verdict.ExpiryMismatch, verdict.TheftReappears, verdict.QtyOver, verdict.QtyShort,
			verdict.WrongReceiver, verdict.ReceiveNoShip, verdict.TwoPlaces, verdict.PartnerNotATP,
			verdict.ReceiveRecalled, verdict.ReceiveExpired, verdict.ReturnNoSale, verdict.ReturnAuthMismatch,
			verdict.ShipSuspect, verdict.ShipRecalled, verdict.ShipQuarantined, verdict.ShipUnreleasedReturn, verdict.ShipExpired,
		},
	},
	{
		steps: []string{epcis.StepDispensing}, event: objectEvent, actions: use, roles: []string{"dispenser"}, own: true,
		apply: (*judging).dispense,
		title: "Dispensing",
		needs: []string{
			namesThings,
			"Nothing named was destroyed or decommissioned (`DESTROYED_THEN_USED`, `DECOM_THEN_USED`), is under an open recall of its GTIN, its lot or itself or marked recalled (`DISPENSE_RECALLED`), is past its expiry on the day of the event or marked expired (`DISPENSE_EXPIRED`), or is quarantined, damaged, suspect, illegitimate, on hold or an unreleased return (`DISPENSE_QUARANTINED`). The containers around it and everything inside it count. What is dispensed already is not asked.",
			strangers,
			"The thing was not dispensed before (`DISPENSE_TWICE`: hold).",
			"The thing is *with the actor* and not in transit. If not, it is a claim (`DISPENSE_BY_NON_HOLDER`: hold), except that what is on its way to the actor has evidently come. " + twoPlaces,
			takenOut,
			masterData,
		},
		changes: []string{
			"The thing is dispensed. With disposition `partially_dispensed` it stays active.",
			"What was on its way to the actor is held and owned by it, at the event's place.",
			reappears,
		},
		raises: []verdict.Code{
			verdict.MissingField, verdict.DestroyedThenUsed, verdict.DecomThenUsed, verdict.DispenseRecalled, verdict.DispenseExpired, verdict.DispenseQuarantined,
			verdict.NotCommissioned, verdict.DispenseTwice, verdict.DispenseByNonHolder, verdict.TwoPlaces, verdict.ChildEventWhilePacked,
			verdict.LotMismatch, verdict.ExpiryMismatch, verdict.TheftReappears,
		},
	},
	{
		steps: []string{epcis.StepDecommissioning}, event: objectEvent, actions: use, roles: traders, own: true,
		apply: func(j *judging) { j.end(Decommissioned) },
		title: "Decommissioning", needs: endNeeds,
		changes: []string{"The thing is decommissioned: its number is out of use, for ever. What is inside a container whose number is decommissioned is not.", endCloses},
		raises:  endRaises,
	},
	{
		steps: []string{epcis.StepDestroying}, event: objectEvent, actions: use, roles: traders, own: true,
		licence: licensedNever, apply: func(j *judging) { j.end(Destroyed) },
		title: "Destroying", needs: endNeeds,
		changes: []string{"The thing is destroyed, with everything inside it.", endCloses},
		raises:  endRaises,
	},
	{
		steps: []string{epcis.StepHolding, epcis.StepInspecting, "accepting", "storing", "stocking", "cycle_counting", "stock_taking"},
		event: objectEvent, actions: []string{"OBSERVE"}, roles: traders, loose: true, own: true,
		licence: licensedToFree, apply: (*judging).mark,
		title: "Holding, inspecting, counting",
		needs: []string{
			"The disposition is one of those below. Any other makes the event an observation, and nothing below is asked.",
			namesThings,
			notEnded,
			strangers,
			"The thing is *with the actor*. If not, the report has no effect on it (`HOLD_BY_NON_HOLDER`). " + twoPlaces,
			takenOut,
			masterData,
		},
		changes: []string{
			"`non_sellable_other` sets the overlay `quarantined`; `no_pedigree_match`, by which CBV means goods under investigation, `suspect` and `quarantined`. `damaged`, `expired`, `recalled` and `returned` set the overlay of that name.",
			"`unknown` makes the thing lost in `cycle_counting` and `stock_taking`, and sets `quarantined` in the other steps.",
			"`stolen` and `lost` make it stolen or lost. `lost` is no word of CBV (`CBV_UNKNOWN`) and understood all the same.",
			"`active`, `available`, `conformant`, `sellable_accessible` and `sellable_not_accessible` release it: `quarantined`, `suspect`, `damaged`, `returned`, and `recalled` and `expired` as a holder's words, are cleared. What a finding put on hold stays as it is but for `returned` (`HOLD_REMAINS`), and what is illegitimate stays suspect and illegitimate. What was lost is active again; what was stolen is active and on hold (`THEFT_REAPPEARS`).",
			"What becomes lost or stolen while missing from a shipment is missing no longer: its `QTY_SHORT` finding closes.",
		},
		raises: []verdict.Code{
			verdict.MissingField, verdict.DecomThenUsed, verdict.DestroyedThenUsed, verdict.NotCommissioned, verdict.HoldByNonHolder, verdict.TwoPlaces,
			verdict.ChildEventWhilePacked, verdict.LotMismatch, verdict.ExpiryMismatch, verdict.TheftReappears, verdict.HoldRemains,
		},
	},
}

var (
	packNeeds = []string{
		"`parentID` names the container and `childEPCs` at least one thing (`MISSING_FIELD`).",
		"The container has not *ended*, itself or with one around it (`DECOM_THEN_USED`, `DESTROYED_THEN_USED`).",
		"A thing that the actor once had and that has moved on was packed before that: the record comes late and leaves it where it is (`AGG_AFTER_SHIP`).",
		"None of the other things has *ended* (`DECOM_THEN_USED`, `DESTROYED_THEN_USED`).",
		"Nothing would be inside itself (`AGG_CYCLE`), in two containers (`AGG_TWO_PARENTS`; the packing party's record overrides hearsay), or inside more than 16 (`AGG_TOO_DEEP`).",
		"Things and container are recorded, or get *provisional* records with the actor (`AGG_UNKNOWN_CHILD` for the things, `NOT_COMMISSIONED` for the container). A container that is not a unit needs no commissioning: packing is its birth.",
		"Each thing is *with the actor* (`AGG_HOLDER_DIFF`: hold, and it is not packed).",
		"A container with a GTIN of its own stands for one product and one lot, and so does what is inside it, at any depth (`AGG_MIXED_LOT`).",
		"The container is *with the actor* and not in transit. If it has moved on since the actor had it, the record comes late, and its contents are taken to be where it is now (`AGG_AFTER_SHIP`). By what speaks against a sale of what is packed: " + onHoldInstead + " If the actor never had it, nothing is packed (`AGG_HOLDER_DIFF`: hold).",
	}
	packChanges = []string{
		"What was lost is active again; what was stolen is active and on hold (`THEFT_REAPPEARS`).",
		"Each thing is inside the container. Holder, owner, place and phase are from now on those of the outermost container.",
		"A record of packing by the packing party closes `NOT_COMMISSIONED` and `AGG_UNKNOWN_CHILD` of a container that somebody else turned up with.",
	}
	packRaises = []verdict.Code{
		verdict.MissingField, verdict.DecomThenUsed, verdict.DestroyedThenUsed, verdict.AggAfterShip, verdict.AggCycle, verdict.AggTwoParents, verdict.AggTooDeep,
		verdict.NotCommissioned, verdict.AggUnknownChild, verdict.AggHolderDiff, verdict.TheftReappears, verdict.AggMixedLot,
		verdict.ShipSuspect, verdict.ShipRecalled, verdict.ShipQuarantined, verdict.ShipUnreleasedReturn, verdict.ShipExpired,
	}

	unpackNeeds = []string{
		"`parentID` names the container (`MISSING_FIELD`). Without `childEPCs` the event empties it.",
		"None of the things has *ended*, and the container was neither dispensed nor destroyed (`DECOM_THEN_USED`, `DESTROYED_THEN_USED`). A decommissioned container may still be emptied.",
		"Hearsay about a container that the actor itself has recorded changes nothing.",
		strangers,
		"The container is *with the actor*, or in transit to it (`AGG_HOLDER_DIFF`: hold, and nothing is taken out).",
		"An event that empties a container takes out at most 1,024 things, and all such events of a submission at most 16,384 (`UNPACK_UNNAMED`).",
		"Each thing named is recorded as directly inside this container. What is not stays where it is (`AGG_DELETE_NO_ADD`).",
	}
	unpackChanges = []string{
		"Each thing is outside the container. It keeps the holder, owner, place, phase and overlays that it had through it.",
		"What leaves a case (a container with a GTIN) that is under an open recall counts as recalled as long as the recall of the case is open. A recall that begins later does not reach back to it.",
	}
	unpackRaises = []verdict.Code{
		verdict.MissingField, verdict.DecomThenUsed, verdict.DestroyedThenUsed, verdict.NotCommissioned, verdict.AggHolderDiff, verdict.UnpackUnnamed,
		verdict.AggDeleteNoAdd,
	}

	endNeeds = []string{
		namesThings,
		notEnded,
		strangers,
		"The thing is *with the actor*. If not, it is a claim (`DESTROY_BY_NON_HOLDER`: hold). " + noClaims + " " + twoPlaces,
		takenOut,
		masterData,
	}
	endRaises = []verdict.Code{
		verdict.MissingField, verdict.DecomThenUsed, verdict.DestroyedThenUsed, verdict.NotCommissioned, verdict.DestroyByNonHolder, verdict.TwoPlaces,
		verdict.ChildEventWhilePacked, verdict.LotMismatch, verdict.ExpiryMismatch,
	}
)

const endCloses = "If it was missing from a shipment, its `QTY_SHORT` finding closes."

// byStep finds rules by business step.
var byStep = func() map[string]*rule {
	m := map[string]*rule{}
	for i := range rules {
		for _, s := range rules[i].steps {
			m[s] = &rules[i]
		}
	}
	return m
}()

// needed are the roles of which a party must have one.
func (r *rule) needed(units bool) []string {
	if units && r.makers != nil {
		return r.makers
	}
	return r.roles
}

// Roles returns the roles of which a party must have one to perform a business step, given by its name (Event.Step). units
// says that the event names units: commissioning them takes a maker. nil is a step without effect on custody, which any
// registered party may record.
func Roles(step string, units bool) []string {
	r := byStep[step]
	if r == nil {
		return nil
	}
	return slices.Clone(r.needed(units))
}

// Traders returns the roles of trading partners. A party with one of them may perform any step that asks for no narrower
// role.
func Traders() []string { return slices.Clone(traders) }

// Allowed reports whether a party with these roles may perform a business step; see Roles.
func Allowed(step string, units bool, roles []string) bool {
	r := byStep[step]
	return r == nil || slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(r.needed(units), role) })
}
