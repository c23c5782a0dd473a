package custody

import "verilot.dev/ledger/verdict"

// chapter is what docs/custody.md says beside the steps: of every event, and of the items other than events.
type chapter struct {
	title   string
	who     string
	needs   []string // sentences, in the order of judging
	changes []string
	raises  []verdict.Code
}

// everyEvent is judged before the rule of the step.
var everyEvent = chapter{
	title: "Every event",
	needs: []string{
		"The publisher is registered and not suspended (`ACTOR_NOT_ATP`).",
		"No field that the rules read is sealed (`SEALED_FIELD`; spec.md section 5.3 lists them).",
		"The event has a time that can be read (`MISSING_FIELD`).",
		"Business location, read point and the identifier that names the actor are well-formed (`FMT_GLN` or another of the `FMT_` codes). The key of a place has at most 256 bytes (`FMT_EPC`).",
		"The *actor* is found. If the identifier belongs to nobody registered, the publisher counts as the actor (`GLN_UNKNOWN`).",
		"The publisher has not recorded the same content before (`DUP_EVENT`). If another party has, this record is a link to the first and changes nothing (`RELAYED`, duplicate). Only the actor's own record counts all the same, and closes the finding `RELAYED` of the first.",
		"The publisher has recorded no other event with the same `eventID` (`EVENT_ID_REUSED`). An error declaration carries the id of the event that it is about.",
		"If the actor is not the publisher, the event is *hearsay* (`RELAYED`, flag).",
		"Its time is at most five minutes after the time of its block (`FUTURE_EVENT`).",
		"Business step and disposition, where present, are words of CBV (`CBV_UNKNOWN`).",
		"It carries no error declaration. One that does takes back the event that it repeats, with all of its content. That event is in effect (`ERRDECL_UNKNOWN`), and the publisher recorded it (`ERRDECL_NOT_AUTHOR`). If later events named or changed the same things, nothing is undone (`ERRDECL_BREAKS_CHAIN`). If not, the records before it are restored, the findings that it raised are closed, and those that it closed are open again. Judging ends here.",
		"A step without a section below changes nothing: judging ends here. The others need the event type and action of their section (`STEP_MISMATCH`), unless the section says that another one is an observation.",
		"The actor has one of the roles of the step (`ROLE_FORBIDDEN`).",
		"The actor is an authorized trading partner in one of these roles, by the licences that the ledger has of it, on the day of the event in its own time zone offset. For units to be commissioned that is a maker's role. If it is not, hearsay is remarked on (`PARTNER_NOT_ATP`, flag). Of an act that it publishes itself the section says whether it is rejected (`ACTOR_NOT_ATP`).",
		"Every EPC names one thing, not a class or a place (`FMT_EPC`).",
		"Hearsay of a step that a party must tell itself changes nothing: judging ends here.",
	},
	changes: []string{
		"The ledger remembers content and publisher, so that it recognises the event when it comes again, and which event of the publisher has its `eventID`.",
		"Unless the event is hearsay, every thing that it changes or repeats notes that the actor has spoken about it. Hearsay about the actor's acts is not believed of that thing from then on.",
	},
	raises: []verdict.Code{
		verdict.ActorNotATP, verdict.SealedField, verdict.MissingField,
		verdict.FmtGLN, verdict.FmtGTIN, verdict.FmtSSCC, verdict.FmtSerial, verdict.FmtLot, verdict.FmtEPC,
		verdict.GLNUnknown, verdict.DupEvent, verdict.EventIDReused, verdict.Relayed, verdict.FutureEvent, verdict.CBVUnknown,
		verdict.ErrdeclUnknown, verdict.ErrdeclNotAuthor, verdict.ErrdeclBreaksChain,
		verdict.StepMismatch, verdict.RoleForbidden, verdict.PartnerNotATP,
	},
}

// asEvents is what registrations share with events.
const asEvents = "As for events, the publisher is registered and not suspended (`ACTOR_NOT_ATP`), and nothing is sealed (`SEALED_FIELD`)."

// otherItems are the items other than events.
var otherItems = []chapter{
	{
		title: "Document header (kind 10)", who: "any registered party",
		needs:   []string{"As for events, the publisher is registered and not suspended (`ACTOR_NOT_ATP`)."},
		changes: []string{"Nothing."},
		raises:  nil,
	},
	{
		title: "Party act (kind 12)", who: "an authority, with its authority key",
		needs: []string{
			asEvents,
			"The submission is signed with an authority's key (`ACTOR_NOT_AUTHORITY`).",
			"Party id, name, number of entries, roles, suspension and licences have allowed values (`BAD_VALUE`, `MISSING_FIELD`, `FMT_EXPIRY`).",
			"Keys to be revoked are keys of the party (`BAD_VALUE`). New keys are usable (`BAD_KEY`) and belong to no other party, whatever their use (`KEY_TAKEN`).",
			"GLNs are well-formed (`FMT_GLN`) and no other party's (`GLN_TAKEN`).",
			"Company prefixes have 4 to 12 digits (`BAD_VALUE`) and are no other party's (`PREFIX_TAKEN`).",
			"Places are well-formed (`FMT_GLN`, `FMT_EPC`). Neither they nor their GLNs are another party's (`GLN_TAKEN`).",
		},
		changes: []string{
			"The party is registered, or what the act names is added to it. Name, address of a place and suspension are replaced; everything else stays. A key revoked stays revoked.",
		},
		raises: []verdict.Code{
			verdict.ActorNotAuthority, verdict.BadValue, verdict.MissingField, verdict.FmtExpiry, verdict.BadKey,
			verdict.KeyTaken, verdict.FmtGLN, verdict.GLNTaken, verdict.PrefixTaken, verdict.FmtEPC,
		},
	},
	{
		title: "Product (kind 13)", who: "the owner of the GTIN's company prefix",
		needs: []string{
			asEvents,
			"The GTIN is well-formed (`FMT_GTIN`) and under a company prefix of the publisher (`GTIN_NOT_OWNED`).",
			"The GTIN of what it contains, if it names one, is well-formed (`FMT_GTIN`).",
			"Its NDC, if it has one and the digits behind the GTIN's first are `03`, is the one in the GTIN (`NDC_MISMATCH`). The billing form of 11 digits and the 12 digits of 2033 are read as the 10 they stand for.",
		},
		changes: []string{"Master data of the GTIN are replaced."},
		raises:  []verdict.Code{verdict.FmtGTIN, verdict.GTINNotOwned, verdict.NDCMismatch},
	},
	{
		title: "Lot (kind 14)", who: "the owner of the GTIN's company prefix",
		needs: []string{
			asEvents,
			"The GTIN is well-formed (`FMT_GTIN`) and under a company prefix of the publisher (`GTIN_NOT_OWNED`).",
			"If the lot is registered already and units carry it, the expiry is the registered one (`EXPIRY_MISMATCH`).",
			"The lot is well-formed (`FMT_LOT`). Expiry and day of manufacture are dates; the second may be missing (`FMT_EXPIRY`).",
		},
		changes: []string{"The lot is registered, or its registration replaced. Size and day of manufacture stay where the new one is silent."},
		raises: []verdict.Code{
			verdict.FmtGTIN, verdict.GTINNotOwned, verdict.ExpiryMismatch, verdict.FmtLot, verdict.FmtExpiry,
		},
	},
	{
		title: "Recall (kind 15)", who: "the owner of the GTIN's company prefix, or a regulator",
		needs: []string{
			asEvents,
			"Unless the publisher is a regulator, its company prefixes cover the GTIN of the recall and of every unit in it (`GTIN_NOT_OWNED`; `FMT_GTIN` or another of the `FMT_` codes).",
			"It has a number (`MISSING_FIELD`), its status is `open`, `ended` or empty, and its texts have allowed lengths (`BAD_VALUE`). The day it began is a date (`FMT_EXPIRY`).",
			"It names units (`BAD_VALUE` for anything else), or a GTIN (`MISSING_FIELD`), with a lot (`FMT_LOT`) or without.",
		},
		changes: []string{
			"The recall is open, or ended, for what it names: its units, or the lot, or all lots of the GTIN. Number and what it covers are its identity.",
		},
		raises: []verdict.Code{
			verdict.FmtGTIN, verdict.FmtSerial, verdict.FmtEPC, verdict.GTINNotOwned, verdict.MissingField, verdict.BadValue,
			verdict.FmtExpiry, verdict.FmtLot,
		},
	},
	{
		title: "Closing a finding (kind 16)", who: "a party that the table below names for the code",
		needs: []string{
			asEvents,
			"It has a code and an outcome (`MISSING_FIELD`). The code is one of the table below and the outcome one of that code's. The note has at most 1,000 bytes (`BAD_VALUE`).",
			"Its units are well-formed (`FMT_EPC` or another of the `FMT_` codes). They may be missing only if the finding is about the event itself (`MISSING_FIELD`).",
			"The event at that position has this finding about each of the units, and it is not closed (`FINDING_UNKNOWN`). If the publisher itself has closed it for all of them, with the same outcome, nothing is done (`DUP_EVENT`, duplicate).",
			"The publisher is one of those that may close the code, for each of the units. What holds goods is never closed by the publisher of the event that raised it. Only maker and regulator say `illegitimate` (`RESOLVE_FORBIDDEN`).",
		},
		changes: []string{
			"The finding is closed for the units named. The ledger keeps who closed it, outcome and note.",
			"A unit that no other finding holds is no longer on `hold`. It stays `quarantined` until its holder releases it.",
			"`TWO_PLACES` closed: the unit is no longer `suspect`, unless another one stands or it is illegitimate.",
			"The outcome `illegitimate` sets the overlay `illegitimate`, for ever. What is `suspect` stays so.",
		},
		raises: []verdict.Code{
			verdict.MissingField, verdict.BadValue, verdict.FmtEPC, verdict.FmtGTIN, verdict.FmtSSCC, verdict.FmtSerial, verdict.FmtLot, verdict.FmtGLN,
			verdict.FindingUnknown, verdict.DupEvent, verdict.ResolveForbidden,
		},
	},
	{
		title: "Any other kind", who: "nobody yet",
		needs: []string{
			"As for events, the publisher is registered and not suspended (`ACTOR_NOT_ATP`).",
			"Kinds 17 to 19 are reserved (`KIND_NOT_ACTIVE`), all others unknown (`UNKNOWN_KIND`).",
		},
		changes: []string{"Nothing."},
		raises:  []verdict.Code{verdict.KindNotActive, verdict.UnknownKind},
	},
}

// wholeMessages are the codes that a message or submission gets as a whole (docs/spec.md section 5.4); they are given by
// packages submission and consensus.
var wholeMessages = []verdict.Code{
	verdict.TooLarge, verdict.UnknownPurpose, verdict.Malformed, verdict.WrongNetwork, verdict.WrongEpoch, verdict.KeyUnknown, verdict.SigKeyRevoked,
	verdict.SigInvalid, verdict.BodyHash, verdict.BodyMalformed, verdict.TooManyItems, verdict.TooManyUnits, verdict.RootMismatch,
	verdict.CounterUsed, verdict.CounterGap,
}
