// Package verdict lists the codes of verdicts and findings, and says what each means. A code's text goes into blocks: it
// never changes. This is the only place where it is written; the rules and the services use the constants.
package verdict

import (
	"cmp"
	"slices"
)

// A Code names the rule behind a verdict or finding (docs/custody.md). Its text is hashed into a block's verdict leaves.
type Code string

// The codes that rules version 1 gives. A constant is named after its text.
const (
	ActorNotATP            Code = "ACTOR_NOT_ATP"
	ActorNotAuthority      Code = "ACTOR_NOT_AUTHORITY"
	AggAfterShip           Code = "AGG_AFTER_SHIP"
	AggCycle               Code = "AGG_CYCLE"
	AggDeleteNoAdd         Code = "AGG_DELETE_NO_ADD"
	AggHolderDiff          Code = "AGG_HOLDER_DIFF"
	AggMixedLot            Code = "AGG_MIXED_LOT"
	AggTooDeep             Code = "AGG_TOO_DEEP"
	AggTwoParents          Code = "AGG_TWO_PARENTS"
	AggUnknownChild        Code = "AGG_UNKNOWN_CHILD"
	BadKey                 Code = "BAD_KEY"
	BadValue               Code = "BAD_VALUE"
	BodyHash               Code = "BODY_HASH"
	BodyMalformed          Code = "BODY_MALFORMED"
	BornExpired            Code = "BORN_EXPIRED"
	CBVUnknown             Code = "CBV_UNKNOWN"
	ChildEventWhilePacked  Code = "CHILD_EVENT_WHILE_PACKED"
	CounterGap             Code = "COUNTER_GAP"
	CounterUsed            Code = "COUNTER_USED"
	DecomThenUsed          Code = "DECOM_THEN_USED"
	DestroyedThenUsed      Code = "DESTROYED_THEN_USED"
	DestroyByNonHolder     Code = "DESTROY_BY_NON_HOLDER"
	DispenseByNonHolder    Code = "DISPENSE_BY_NON_HOLDER"
	DispenseExpired        Code = "DISPENSE_EXPIRED"
	DispenseQuarantined    Code = "DISPENSE_QUARANTINED"
	DispenseRecalled       Code = "DISPENSE_RECALLED"
	DispenseTwice          Code = "DISPENSE_TWICE"
	DoubleShip             Code = "DOUBLE_SHIP"
	DupCommission          Code = "DUP_COMMISSION"
	DupEvent               Code = "DUP_EVENT"
	ErrdeclBreaksChain     Code = "ERRDECL_BREAKS_CHAIN"
	ErrdeclNotAuthor       Code = "ERRDECL_NOT_AUTHOR"
	ErrdeclUnknown         Code = "ERRDECL_UNKNOWN"
	EventIDReused          Code = "EVENT_ID_REUSED"
	ExpiryMismatch         Code = "EXPIRY_MISMATCH"
	FindingUnknown         Code = "FINDING_UNKNOWN"
	FmtEPC                 Code = "FMT_EPC"
	FmtExpiry              Code = "FMT_EXPIRY"
	FmtGLN                 Code = "FMT_GLN"
	FmtGTIN                Code = "FMT_GTIN"
	FmtLot                 Code = "FMT_LOT"
	FmtSerial              Code = "FMT_SERIAL"
	FmtSSCC                Code = "FMT_SSCC"
	FutureEvent            Code = "FUTURE_EVENT"
	GLNTaken               Code = "GLN_TAKEN"
	GLNUnknown             Code = "GLN_UNKNOWN"
	GTINNotOwned           Code = "GTIN_NOT_OWNED"
	GTINUnknown            Code = "GTIN_UNKNOWN"
	HoldByNonHolder        Code = "HOLD_BY_NON_HOLDER"
	HoldRemains            Code = "HOLD_REMAINS"
	KeyTaken               Code = "KEY_TAKEN"
	KeyUnknown             Code = "KEY_UNKNOWN"
	KindNotActive          Code = "KIND_NOT_ACTIVE"
	LotMismatch            Code = "LOT_MISMATCH"
	LotOverrun             Code = "LOT_OVERRUN"
	LotUnregistered        Code = "LOT_UNREGISTERED"
	Malformed              Code = "MALFORMED"
	MissingField           Code = "MISSING_FIELD"
	MissingILMD            Code = "MISSING_ILMD"
	NDCMismatch            Code = "NDC_MISMATCH"
	NotCommissioned        Code = "NOT_COMMISSIONED"
	PartnerNotATP          Code = "PARTNER_NOT_ATP"
	PrefixTaken            Code = "PREFIX_TAKEN"
	QtyOver                Code = "QTY_OVER"
	QtyShort               Code = "QTY_SHORT"
	ReceiveExpired         Code = "RECEIVE_EXPIRED"
	ReceiveNoShip          Code = "RECEIVE_NO_SHIP"
	ReceiveRecalled        Code = "RECEIVE_RECALLED"
	Relayed                Code = "RELAYED"
	ResolveForbidden       Code = "RESOLVE_FORBIDDEN"
	ReturnAuthMismatch     Code = "RETURN_AUTH_MISMATCH"
	ReturnNoSale           Code = "RETURN_NO_SALE"
	ReturnWrongParty       Code = "RETURN_WRONG_PARTY"
	RoleForbidden          Code = "ROLE_FORBIDDEN"
	RolledBack             Code = "ROLLED_BACK"
	RootMismatch           Code = "ROOT_MISMATCH"
	SealedField            Code = "SEALED_FIELD"
	SelfShip               Code = "SELF_SHIP"
	SerialReused           Code = "SERIAL_REUSED"
	ShipBeforeCommission   Code = "SHIP_BEFORE_COMMISSION"
	ShipByNonHolder        Code = "SHIP_BY_NON_HOLDER"
	ShipChildOutsideParent Code = "SHIP_CHILD_OUTSIDE_PARENT"
	ShipExpired            Code = "SHIP_EXPIRED"
	ShipNoParties          Code = "SHIP_NO_PARTIES"
	ShipQuarantined        Code = "SHIP_QUARANTINED"
	ShipRecalled           Code = "SHIP_RECALLED"
	ShipSuspect            Code = "SHIP_SUSPECT"
	ShipTerminal           Code = "SHIP_TERMINAL"
	ShipUnreleasedReturn   Code = "SHIP_UNRELEASED_RETURN"
	SigInvalid             Code = "SIG_INVALID"
	SigKeyRevoked          Code = "SIG_KEY_REVOKED"
	StepMismatch           Code = "STEP_MISMATCH"
	TheftReappears         Code = "THEFT_REAPPEARS"
	TooLarge               Code = "TOO_LARGE"
	TooManyItems           Code = "TOO_MANY_ITEMS"
	TooManyUnits           Code = "TOO_MANY_UNITS"
	TwoPlaces              Code = "TWO_PLACES"
	UnknownKind            Code = "UNKNOWN_KIND"
	UnknownPurpose         Code = "UNKNOWN_PURPOSE"
	UnpackUnnamed          Code = "UNPACK_UNNAMED"
	VoidNoShip             Code = "VOID_NO_SHIP"
	WrongEpoch             Code = "WRONG_EPOCH"
	WrongNetwork           Code = "WRONG_NETWORK"
	WrongReceiver          Code = "WRONG_RECEIVER"
)

// Explanation says what a code of a verdict or a finding means, to people who pack, ship, receive or dispense. The codes
// are all that goes into a block; these words are not hashed and may be improved at any time.
type Explanation struct {
	Code     Code
	Severity string // reject, hold, flag or duplicate; empty if it depends on the case
	Meaning  string // what is wrong
	Todo     string // what to do about it
}

// Explain looks up a code that rules version 1 can give: to an event or registration, to a finding about one, or to a
// whole message.
func Explain(code Code) (Explanation, bool) {
	i, ok := slices.BinarySearchFunc(explanations, code, func(e Explanation, code Code) int { return cmp.Compare(e.Code, code) })
	if !ok {
		return Explanation{}, false
	}
	return explanations[i], true
}

// List returns all explanations, sorted by code.
func List() []Explanation { return slices.Clone(explanations) }

const (
	rejects    = "reject"
	holds      = "hold"
	flags      = "flag"
	duplicates = "duplicate"

	// What most faults of the software that signed a document come to.
	tellSupplier = "Nothing is wrong with the goods. Tell the operator of the service that signed it; the document has to be signed again."
)

// explanations is sorted by code; a test compares it with the codes in the sources.
var explanations = []Explanation{
	{ActorNotATP, rejects, "The company that sent this, or whose act it tells, was no authorized trading partner that day: it is not registered on this network, is suspended, or has no valid licence on the ledger in a role that may do this. The detail names the licence and the day on which it ended.", "Ask the network's authority to register the company, its licence or (wholesalers and logistics firms) this year's annual report, or to lift the suspension. Then send the event again. Receiving, returning, quarantining and destroying are recorded without a licence too."},
	{ActorNotAuthority, rejects, "Only an authority of the network may register companies, keys, places and company prefixes, and this was not signed with an authority's key.", "Ask the authority to register it. Sending it again does not help."},
	{AggAfterShip, flags, "The record of packing came after the container, or what is in it, had already moved on.", "Check where these goods are: what was recorded as moved on stays there, and the rest is taken to be where the container is now. What must not be sold is on hold. Send packing events before shipping events."},
	{AggCycle, rejects, "A container would be inside itself.", "Check parentID and childEPCs: one of the containers named is wrong, or an unpacking was never recorded. Correct the event and send it again."},
	{AggDeleteNoAdd, flags, "Something was unpacked from a container that it was never recorded to be in.", "Scan it again to be sure of the container. If the scan is right, ask the company that packed it for the missing packing event."},
	{AggHolderDiff, holds, "Something was packed or unpacked by a company that, by the ledger, does not have it, so the packing was not believed and what it names is on hold.", "Look up who has it, and ask them for the missing shipping event, or record your own receiving event if it is missing. Keep the goods aside until it is cleared up."},
	{AggMixedLot, flags, "A container with a product code and serial of its own, which stands for one product and one lot, holds units of another product or lot.", "Look into the container. If its contents really differ, give it an SSCC instead; if not, check the serial numbers that were scanned."},
	{AggTooDeep, rejects, "Containers would be nested too deeply inside each other.", "Check that the containers named are the right ones, and record the unpacking of those that are no longer packed. Then send the event again."},
	{AggTwoParents, rejects, "Something was packed that is, by the ledger, still inside another container.", "Record its unpacking from the other container first, then send this event again. If it was never in the other one, check the serial number that was scanned."},
	{AggUnknownChild, flags, "Something was packed whose birth record has not been received. When the grace time ends without one, it is on hold.", "Ask the maker for its commissioning event. Keep the package aside until it has come."},
	{BadKey, rejects, "A public key in this registration is not a usable Ed25519 key.", "Ask the owner of the key for its public half again, and register that."},
	{BadValue, rejects, "A field of this registration or event has a value that is not allowed, such as an unknown role, a text that is too long or a number of the wrong length.", "Compare its fields with docs/spec.md, correct the value, and send it again."},
	{BodyHash, rejects, "The content of the document is not what its sender signed: it was damaged or changed on the way.", tellSupplier},
	{BodyMalformed, rejects, "The signed content of the document cannot be read.", tellSupplier},
	{BornExpired, rejects, "The units were commissioned with an expiry date that is not after the day of commissioning.", "Check itemExpirationDate and eventTime against the batch record. Correct whichever is wrong and send the event again; do not ship units that have really expired."},
	{CBVUnknown, flags, "The business step or disposition is not a word of the GS1 Core Business Vocabulary, so the ledger recorded the event without understanding that part.", "Use the standard word in future events. If this event was meant to change who has the goods or their state, record that with the right word too."},
	{ChildEventWhilePacked, flags, "Something was shipped, received, dispensed or otherwise handled alone while it was still recorded as packed in a container; the ledger took it to be unpacked.", "If it was unpacked, nothing is needed; record unpacking events in future. If it was not, check the serial number that was scanned."},
	{CounterGap, rejects, "The sending service skipped so many of its own document numbers that the ledger cannot keep track of them.", "Nothing is wrong with the goods. Tell the operator of the sending service: its missing documents have to be sent first, or it needs a new signing key."},
	{CounterUsed, duplicates, "A document with this number of the sending service is already on the ledger, so this copy was not judged.", "If it is the same document, nothing is needed: the first copy counts. If it is not, tell the operator of the sending service: two services may share one key, or an old backup was restored."},
	{DecomThenUsed, rejects, "Something happened to a package whose serial number was already dispensed or taken out of use.", "Do not send the event again. Check the serial number that was scanned; if it is right, set the package aside, treat it as suspect and ask the maker."},
	{DestroyedThenUsed, rejects, "Something happened to a package that is recorded as destroyed.", "Do not send the event again. Check the serial number that was scanned; if it is right, set the package aside, treat it as suspect and ask the maker."},
	{DestroyByNonHolder, holds, "A company reported destroying or decommissioning something that, by the ledger, it does not have; it was noted without effect, and the goods are on hold.", "Look up who has it. If a receiving event is missing, record it and then the destruction again; if the serial number is wrong, record the right one."},
	{DispenseByNonHolder, holds, "A pharmacy dispensed a package that it has not recorded as received.", "Record the missing receiving event if the package came in a delivery. If it came in none, treat it as suspect: do not dispense others like it until its origin is known."},
	{DispenseExpired, rejects, "The package is past its expiry date and must not be dispensed.", "Do not dispense it. Set it aside for destruction or return, and check the stock for others of the lot. If the expiry on the package is later than the one shown, ask the maker."},
	{DispenseQuarantined, rejects, "The package is in quarantine, damaged, on hold, suspect or illegitimate, and must not be dispensed.", "Do not dispense it. Keep it aside; trace it to see what put it there. Its holder releases a quarantine of its own; a hold ends when the finding behind it is cleared up."},
	{DispenseRecalled, rejects, "The package is under an open recall and must not be dispensed.", "Do not dispense it. Set it aside, and follow the instructions of the recall. If it has reached a patient already, follow the recall's steps for that."},
	{DispenseTwice, holds, "A package with this serial number has already been dispensed: one of the two is not what it says it is, or one was scanned twice.", "Do not hand it out. Check whether the same package was scanned twice; if not, quarantine it as suspect and tell the maker."},
	{DoubleShip, holds, "Something was shipped that is already on its way. The first shipment counts, and the goods are on hold.", "Check what was scanned. If the first shipment did not take place, void it (void_shipping) and ship again; if this one did not, nothing more is to be sent."},
	{DupCommission, rejects, "A package with this product code and serial number has already been commissioned: a serial number belongs to one package for ever.", "Do not send it again. If the event was a repeat of the first, nothing is needed. If there are two packages, set the second aside and give it a new serial number, and find out how the number was used twice."},
	{DupEvent, duplicates, "You have already recorded this very event.", "Nothing is needed: the first record counts."},
	{ErrdeclBreaksChain, flags, "The event to be taken back has been built upon: later events touched the same goods. The declaration is recorded, and nothing was undone.", "Have the later events declared wrong first, newest first: the detail lists them. Then declare this one again. If they are right, record a new event that corrects the state instead."},
	{ErrdeclNotAuthor, rejects, "The event to be taken back was recorded by another company; only the company that recorded an event may take it back.", "Ask the company that recorded it to declare it wrong."},
	{ErrdeclUnknown, rejects, "The event to be taken back is not on the ledger, did nothing, or has been taken back already.", "Check that the declaration repeats the event's content exactly: time, step, places, parties and everything it names. Then send it again."},
	{EventIDReused, rejects, "The company has used this eventID for another event before.", "Give the event an eventID of its own and send it again. To take an event back, repeat it with an errorDeclaration."},
	{ExpiryMismatch, "", "The expiry date told is not the one with which the package or its lot was registered. As a finding (hold): the goods are quarantined. As a verdict (reject): the expiry of a lot with packages in it cannot be changed.", "Compare with what is printed on the package, and ask the maker which date is right before selling or dispensing it. A maker checks the date it registers for a lot before commissioning packages of it."},
	{FindingUnknown, rejects, "The finding to be closed does not exist, is closed already, or is not about the packages named.", "Trace the package to see which findings are open, and name the event, the code and the packages as shown there."},
	{FmtEPC, rejects, "The identifier of a package, container or place is malformed, or it names a kind of thing where one single thing is needed.", "Check the identifier against the code on the label; list packages and containers with their serial numbers. Correct it and send it again."},
	{FmtExpiry, rejects, "A date is not a date of the calendar written YYYY-MM-DD.", "Write it as YYYY-MM-DD, for example 2027-11-30, and send it again."},
	{FmtGLN, rejects, "A location number (GLN) has the wrong length or check digit.", "Check its 13 digits against your records: usually one digit is mistyped. Correct it and send it again."},
	{FmtGTIN, rejects, "A product code (GTIN) has the wrong length or check digit.", "Check its 14 digits against the package: usually one digit is mistyped. Correct it and send it again."},
	{FmtLot, rejects, "A lot number is empty, longer than 20 characters, or has a character that GS1 does not allow.", "Write the lot exactly as it is printed on the package, and send it again."},
	{FmtSerial, rejects, "A serial number is empty, longer than 20 characters, or has a character that GS1 does not allow.", "Scan the package again, or write the serial number exactly as printed, and send it again."},
	{FmtSSCC, rejects, "A container number (SSCC) has the wrong length or check digit.", "Check its 18 digits against the label: usually one digit is mistyped. Correct it and send it again."},
	{FutureEvent, flags, "The event says that it happened later than the time at which the ledger recorded it.", "Check the clock and the time zone of the system that recorded the event. The goods themselves are not affected."},
	{GLNTaken, rejects, "The location number or place is already registered to another company.", "Check the number. If it is right, the two companies and the authority have to settle whose it is."},
	{GLNUnknown, flags, "A place or company in the event is not registered on this network.", "Check its location number. If it is right, have it registered by the authority."},
	{GTINNotOwned, rejects, "The product code belongs to another company's prefix, or to no registered one; only its owner may commission, describe or recall the product.", "Check the product code. If it is yours, have your company prefix registered by the authority, then send it again; if it is not, its owner has to send this."},
	{GTINUnknown, flags, "Packages were commissioned of a product code for which no product data is registered.", "Register the product (name, NDC, strength, form). The packages themselves are not affected."},
	{HoldByNonHolder, flags, "A company reported the condition of something that, by the ledger, it does not have; it was noted without effect.", "Look up who has it. If your receiving event is missing, record it and then this one again; otherwise tell the holder."},
	{HoldRemains, flags, "The goods were released, but a finding of the ledger put them on hold, and a release does not lift that.", "Keep them in quarantine and clear up the finding that put them on hold; trace the package to see which it is."},
	{KeyTaken, rejects, "The key is already registered to another company; every company needs its own.", "Make a new key for the company, and register that."},
	{KeyUnknown, rejects, "The key with which the document was signed is not registered for this company and use.", "Have the service's key registered by the authority, then send the document again."},
	{KindNotActive, rejects, "This kind of record is reserved for a later version of the network's rules.", "Leave it out until the network has taken up those rules."},
	{LotMismatch, holds, "The lot told is not the one with which the package was commissioned, or two accounts of its making differ.", "Compare with what is printed on the package. Keep it aside and ask the maker which lot is right before selling or dispensing it."},
	{LotOverrun, flags, "More packages of the lot were commissioned than its registered size.", "Compare with the batch record. If the size was registered too small, register the lot again with the right one; if not, find out where the extra packages come from."},
	{LotUnregistered, flags, "Packages were commissioned in a lot that its maker has not registered.", "Register the lot with its expiry date and size. The packages themselves are not affected."},
	{Malformed, rejects, "The head or the signature of the message cannot be read.", tellSupplier},
	{MissingField, rejects, "Something that this step or registration needs is missing, such as the packages it is about, the container, the time or a name.", "Fill in the missing field and send it again: packing and unpacking need parentID, other steps need epcList, and the closing of a finding the units that it is about."},
	{MissingILMD, rejects, "Packages were commissioned without lot number or expiry date.", "Add lotNumber and itemExpirationDate to the event and send it again."},
	{NDCMismatch, flags, "The NDC registered for a product is not the one inside its product code (GTIN).", "Check both numbers against the label and register the product again with the right one."},
	{NotCommissioned, flags, "The ledger has no record of the maker commissioning this serial number. When none has come within the network's grace time (usually a day), it is put on hold.", "Ask the maker, or the company that sold it to you, for the commissioning event. When it comes after the grace time the hold ends; release the package from quarantine then. Check the serial number; if the maker does not know it, treat the package as suspect."},
	{PartnerNotATP, "", "A company named as seller, buyer or receiver has no licence on the ledger that makes it an authorized trading partner on that day. As a finding of severity hold: the goods are on hold. Of an act that another company relays: a flag only.", "Do not sell or move the goods on. Check the company's licence with the State board or the FDA list, have the authority register it, then have the finding closed."},
	{PrefixTaken, rejects, "The company prefix is already registered to another company.", "Check the prefix. If it is right, the two companies and the authority have to settle whose it is."},
	{QtyOver, flags, "More was received than was shipped: these packages or containers were not part of the shipment.", "Count again. If they are really there, ask the sender for the missing shipping event, and keep them aside until it comes."},
	{QtyShort, flags, "Less was received than was shipped: the rest counts as missing with the sender.", "Look for the rest, and receive it when it comes. Otherwise the sender cancels that part of the shipment (void_shipping) or reports it lost or stolen."},
	{ReceiveExpired, flags, "What was received, or something inside it, is past its expiry date. The goods are in quarantine from now on.", "Keep the delivery aside. Return it or send it for destruction; after unpacking, release what is not expired."},
	{ReceiveNoShip, flags, "Something was received without a record of its being shipped: product, no data. When none has come within the network's grace time (usually a day), it is put on hold.", "Ask the sender for its shipping event, and keep the goods aside until it is there. When it comes after the grace time the hold ends; release the goods from quarantine then."},
	{ReceiveRecalled, flags, "What was received, or something inside it, is under an open recall. The goods are in quarantine from now on.", "Keep the delivery aside and follow the instructions of the recall; after unpacking, release what is not recalled."},
	{Relayed, "", "A company tells what another company did. As a verdict (duplicate): the event was on the ledger already, and this copy is a link to it. As a finding (flag): the other company has not recorded it itself yet.", "Nothing is needed for a duplicate. For the finding, ask the company that did it to record its own event, which then replaces this account."},
	{ResolveForbidden, rejects, "This company may not close that finding: a hold is never closed only by the company whose event raised it.", "Ask one of those who may close it: verilot resolve --outcomes with the code lists them."},
	{ReturnAuthMismatch, flags, "The return authorisation named on receipt is not the one named on the shipment.", "Compare the two numbers with the authorisation that was issued, and record the right one."},
	{ReturnNoSale, holds, "A wholesaler took back a package for which the ledger shows no sale by it to the company that returned it.", "Do not sell the package on. Look up who sold it to the returner and send it there, or have the missing shipping event recorded; the law wants every return tied to its sale."},
	{ReturnWrongParty, flags, "Goods are being returned to a company that neither sold them to the sender nor owns the product.", "Check the addressee. Cancel the shipment (void_shipping) and return them to the company that sold them, or to the maker."},
	{RoleForbidden, rejects, "The company is not registered in a role that may do this; for example, only a maker or repackager commissions packages and only a pharmacy dispenses them.", "Check the company and the step in the event. If both are right, have the role registered by the authority, then send it again."},
	{RolledBack, rejects, "Nothing is wrong with this item: another one of the same document was rejected, so none of the document was recorded.", "Look at the rejected item that has another code, put that right or leave it out, and send the document again."},
	{RootMismatch, rejects, "The content of the document is not what the sender's signature vouches for.", tellSupplier},
	{SealedField, rejects, "A field is kept secret (sealed) that the rules have to read.", "Change the sending service's settings so that it does not seal this field, and send the event again."},
	{SelfShip, flags, "The shipment's seller and buyer are the same company.", "If goods only move between sites of one company, nothing is needed. Otherwise correct the buyer."},
	{SerialReused, rejects, "The serial number was taken out of use or its package destroyed; a serial number is never used again.", "Do not send it again. Give the package a new serial number, and find out how the old one came to be printed."},
	{ShipBeforeCommission, flags, "By the times of its events, it was shipped before it was made. When the grace time ends and neither event has been taken back, it is on hold.", "Check the clocks and the two events. The company whose time is wrong declares its event wrong and records it again with the right time."},
	{ShipByNonHolder, holds, "A company reported shipping something that, by the ledger, it does not have; the holder stays the same and the goods are on hold.", "Look up who has it. If your receiving event is missing, record it and then the shipment again; otherwise check the serial numbers that were scanned."},
	{ShipChildOutsideParent, holds, "Something was shipped alone while it was still recorded inside a container that was not shipped; the ledger took it to be unpacked, and it is on hold.", "Look whether it really left the container. If it did, record unpacking before shipping in future; if not, void the shipment and check the serial number that was scanned."},
	{ShipExpired, holds, "It, or something inside it, was shipped for sale after its expiry date.", "Do not sell or dispense it. Return it with an authorisation or send it for destruction."},
	{ShipNoParties, rejects, "The shipment does not name both seller and buyer.", "Fill in owning_party in sourceList and in destinationList, and send the event again."},
	{ShipQuarantined, "", "It, something around it or something inside it is in quarantine, damaged or on hold, and must not be shipped for sale. As a verdict: refused. As a finding (hold): it had moved on before the record came.", "Take it out of the shipment and keep it aside. Its holder releases a quarantine of its own; a hold ends when the finding behind it is closed. A return to its seller or maker names the return authorisation."},
	{ShipRecalled, "", "It, or something inside it, is under a recall and must not be shipped for sale. As a verdict: refused. As a finding (hold): it had moved on before the record came.", "Take it out of the shipment and set it aside. A return under the recall names the return authorisation and goes to its seller or maker."},
	{ShipSuspect, "", "It, something around it or something inside it is suspect or illegitimate, and must not be shipped for sale. As a verdict: refused. As a finding (hold): it had moved on before the record came.", "Take it out of the shipment, keep it in quarantine and finish the investigation. A return to its seller or maker names the return authorisation."},
	{ShipTerminal, rejects, "A shipment names a package that is recorded as dispensed, destroyed or taken out of use.", "Take the package out of the shipment and send the event without it. Check its serial number; if it is right, treat the package as suspect."},
	{ShipUnreleasedReturn, "", "A returned package was shipped for sale before it was checked and released. As a verdict: refused. As a finding (hold): it had moved on before the record came.", "Verify its product identifier, release it, and ship it again. Otherwise send it on as a return."},
	{SigInvalid, rejects, "The signature does not match: the message was damaged or changed, or somebody pretends to be the sender.", tellSupplier + " If nobody there sent it, tell the network's operator."},
	{SigKeyRevoked, rejects, "The document was signed with a key that has been withdrawn.", "Set the service up with the company's current key, then send the document again. If nobody there sent it, tell the network's operator: somebody may have the old key."},
	{StepMismatch, rejects, "The kind of event or its action does not fit the business step; for example, commissioning is an ObjectEvent with action ADD and packing an AggregationEvent with action ADD.", "Correct the event type, the action or the business step, and send it again."},
	{TheftReappears, holds, "A package recorded as stolen has been seen again.", "Quarantine it as suspect. Tell the company that lost it, and the authorities as your procedures say."},
	{TooLarge, rejects, "The document is larger than the ledger takes in one message.", "Send it in smaller documents."},
	{TooManyItems, rejects, "The document holds more events and registrations than the ledger takes in one message.", "Send them in smaller documents."},
	{TooManyUnits, rejects, "The document names more packages and containers than the ledger takes in one message.", "Send it in smaller documents."},
	{TwoPlaces, holds, "Two companies both have what should be one package: one of the two may be a copy.", "Quarantine the package as suspect, do not sell or dispense it, and tell the maker and your trading partner. Trace it to see who else claims it."},
	{UnknownKind, rejects, "The ledger does not know this kind of record.", "Leave it out, or ask the maker of the sending service for a version that fits this network."},
	{UnknownPurpose, rejects, "The message is none of this network's: it is for something else, or for another network.", "Nothing is wrong with the goods. Tell the operator of the sending service to check which network it is set up for."},
	{UnpackUnnamed, rejects, "The container holds more than may be unpacked without naming each thing.", "List what was taken out in childEPCs, and send the event again."},
	{VoidNoShip, flags, "A shipment was cancelled, but these goods are not on their way from that company.", "Check the serial numbers and whether they were received already. There is nothing to cancel for these; the others in the event are cancelled."},
	{WrongEpoch, rejects, "The message was signed for another period (epoch) of the network.", "Nothing is wrong with the goods. Tell the operator of the sending service to load the network's current genesis file, then send it again."},
	{WrongNetwork, rejects, "The document was signed for another network, such as a test network.", "Send it through a service that belongs to this network."},
	{WrongReceiver, holds, "Something was received by another company than the one it was sent to. It is where it arrived, and on hold.", "Tell sender and addressee. Send it on or back; if the shipping event names the wrong addressee, the sender voids it and records the right one."},
}
