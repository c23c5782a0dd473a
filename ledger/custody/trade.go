package custody

import (
	"fmt"
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/verdict"
)

// destination is who the event says will own (or hold) the goods.
func (j *judging) destination(kind string) string { return j.partyAt(j.ev.Destination(kind)) }

// partyAt is the party that a source or destination names; an unregistered one is remarked on.
func (j *judging) partyAt(id string) string {
	if id == "" {
		return ""
	}
	party, err := j.names.party(id)
	if err != nil {
		no := refuseFormat(err)
		j.reject(no.Code, "", "%s", no.Detail)
		return ""
	}
	if party == "" {
		j.find(verdict.GLNUnknown, block.Flag, nil, fmt.Sprintf("%s belongs to no registered party: register the GLN or correct it", short(id)))
	}
	return party
}

func (j *judging) ship() {
	j.parties()
	to := j.destination(epcis.OwningParty)
	keys := j.heard(j.subjects())
	// A shipment that the other side has already received: what was owed is now there, and the goods have moved on.
	late, keys := split(keys, func(k string) bool {
		chain := j.Chain(k)
		if len(chain) == 0 || to == "" {
			return false
		}
		at := books.Inherit(chain)
		return !j.withActor(at) && slices.ContainsFunc(chain, func(c *books.Record) bool { return slices.Contains(c.Owed, to) })
	})
	j.living(keys, verdict.ShipTerminal)
	if j.no != nil {
		return
	}
	returns := authorisations(j.ev)
	sold := !j.hearsay && to != "" && len(returns) == 0
	if sold && len(late) > 0 {
		j.Sail(&books.Shipment{Pos: j.c.Pos, From: j.actor, To: to, EventTime: j.ms})
	}
	j.shipLate(late, to, sold, len(returns) > 0)
	j.unknown(keys, j.actor)
	mine, claimed := split(j.alone(keys), func(k string) bool {
		at := j.located(k)
		return j.withActor(at)
	})
	expired, why := j.checkSale(mine, to)
	if j.no != nil {
		return
	}
	if len(expired) > 0 {
		j.hold(verdict.ShipExpired, expired, "%s %s: not to be sold or dispensed", expired[0], why)
	}
	j.checkClaim(claimed)
	if len(claimed) > 0 {
		j.hold(verdict.ShipByNonHolder, claimed, "%s does not hold what it says it shipped: the shipment is noted as a claim, the holder stays", j.actor)
		j.twoPlaces(claimed)
	}
	twice, mine := split(mine, func(k string) bool {
		at := j.located(k)
		if at.Phase != InTransit {
			return false
		}
		s := j.Shipment(at.Shipment)
		return s != nil && !s.Hearsay
	})
	if len(twice) > 0 {
		first := j.located(twice[0])
		j.hold(verdict.DoubleShip, twice, "already on its way since the shipment at %s, which stays the one that counts: void that one before shipping again", first.Shipment)
	}
	if len(mine) == 0 {
		return
	}
	if outside := j.inside(mine); len(outside) > 0 {
		j.unpack(outside)
		j.hold(verdict.ShipChildOutsideParent, outside, "shipped alone while recorded inside a container that was not shipped: taken to be unpacked")
	}
	j.checkMasterData(mine)
	if len(returns) > 0 {
		j.checkReturn(mine, to)
	}
	j.checkMade(mine)
	s := &books.Shipment{Pos: j.c.Pos, From: j.actor, To: to, EventTime: j.ms, Outstanding: uint32(len(mine)), Hearsay: j.hearsay, Returns: returns}
	j.Sail(s)
	for _, k := range mine {
		r := j.Get(k)
		j.reappear(r)
		j.leave(r)
		if sold {
			j.Travelled(r, s.Pos)
		}
		r.Phase, r.Holder, r.To, r.Place, r.Shipment = InTransit, j.actor, to, j.place, j.c.Pos
		if r.Owner == "" {
			r.Owner = j.actor
		}
		r.Set(books.Named, true)
		j.change(r)
	}
	j.shipped = mine
	j.moved(mine)
	if len(returns) > 0 {
		j.overlay(books.OverlayReturned, true, mine)
	}
	j.checkBuyer(to, mine)
}

// shipLate records the shipping of what its receiver recorded first. It is judged like any other, by what spoke against a sale
// when the goods were received; but they have moved on, so that what would be refused is put on hold, and closes nothing.
func (j *judging) shipLate(keys []string, to string, sold, returns bool) {
	noted, barred := map[string]Fault{}, map[string]bool{}
	for _, k := range keys {
		var f Fault
		for _, r := range j.Chain(k) {
			if i := slices.Index(r.Owed, to); i >= 0 {
				f = graver(f, gravest(r.Against[i]))
			}
		}
		for _, x := range j.goods.faults(k, j.day) {
			if x.Fault == IsExpired && x.Expiry != "" { // by the day of this event
				f = graver(f, IsExpired)
			}
		}
		if returns && j.returning(k, to) {
			f = 0
		} else {
			j.needLicence()
		}
		noted[k], barred[k] = f, f != 0 && f != IsExpired
	}
	for _, k := range keys {
		if r := j.Get(k); sold {
			j.TravelledInside(r, j.c.Pos)
		}
		for _, r := range j.Chain(k) {
			if i := slices.Index(r.Owed, to); i >= 0 {
				r.Owed, r.Against = slices.Delete(slices.Clone(r.Owed), i, i+1), slices.Delete(slices.Clone(r.Against), i, i+1)
				j.change(r)
				if !barred[k] {
					j.cure(verdict.ReceiveNoShip, r.Key)
				}
			}
		}
	}
	j.movedOn(keys, func(k string) Fault { return noted[k] }, "when it was received")
	j.checkMasterData(keys)
	if returns {
		j.checkReturn(keys, to)
	}
	j.checkMade(keys)
	j.checkBuyer(to, keys)
}

// companyName is a party in a sentence.
func companyName(party string) string {
	if party == "" {
		return "an unregistered company"
	}
	return party
}

// moved emits what the records now say, one effect per common custody.
func (j *judging) moved(keys []string) {
	type custody struct {
		phase                    Phase
		holder, owner, place, to string
		shipment                 canonical.Position
	}
	for _, g := range group(keys, func(k string) custody {
		r := j.Get(k)
		return custody{r.Phase, r.Holder, r.Owner, r.Place, r.To, r.Shipment}
	}) {
		c := g.by
		j.emit(Moved{Phase: c.phase, Holder: c.holder, Owner: c.owner, Place: c.place, To: c.to, Shipment: c.shipment, Keys: g.keys})
	}
}

// reappear brings a lost or stolen thing back.
func (j *judging) reappear(r *books.Record) {
	if r.State != Lost && r.State != Stolen {
		return
	}
	stolen := r.State == Stolen
	r.State = Active
	j.emit(StateSet{State: Active, Keys: []string{r.Key}})
	if stolen {
		j.hold(verdict.TheftReappears, []string{r.Key}, "recorded as stolen and now seen again: quarantine it and tell the party that lost it")
	}
}

func (j *judging) voidShip() {
	keys := j.subjects()
	j.living(keys, "")
	if j.no != nil {
		return
	}
	keys = j.heard(keys)
	j.unknown(keys, j.actor)
	keys, odd := split(j.alone(keys), func(k string) bool {
		at := j.located(k)
		return at.Phase == InTransit && at.Holder == j.actor
	})
	if len(odd) > 0 {
		j.find(verdict.VoidNoShip, block.Flag, odd, fmt.Sprintf("not on the way from %s: there is no shipment of it to be voided", j.actor))
	}
	if len(keys) == 0 {
		return
	}
	j.unpackAlone(keys)
	for _, k := range keys {
		r := j.Get(k)
		// It did not go to that buyer after all.
		if f, ok := readFinding(j.st, k, r.Shipment, verdict.PartnerNotATP); ok && f.State != block.Closed {
			j.lifted = append(j.lifted, closing{k, f})
		}
		j.leave(r)
		j.Cancelled(r, r.Shipment)
		r.Phase, r.To, r.Shipment = Held, "", canonical.Position{}
		if j.place != "" {
			r.Place = j.place
		}
		j.change(r)
	}
	j.moved(keys)
}

func (j *judging) receive() {
	owner, holder := j.destination(epcis.OwningParty), j.destination(epcis.PossessingParty)
	named := holder
	if holder == "" {
		holder = j.actor
	}
	keys := j.subjects()
	j.living(keys, "")
	if j.no != nil {
		return
	}
	keys = j.heard(keys)
	j.unknown(keys, "")
	keys = j.alone(keys)

	// Containers from which single things are taken without having been received themselves.
	var opened []string
	isOpened := map[string]bool{}
	for _, k := range keys {
		for _, c := range j.Chain(k)[1:] {
			if !isOpened[c.Key] {
				isOpened[c.Key] = true
				opened = append(opened, c.Key)
			}
		}
	}
	against := map[string]uint8{} // what speaks against selling what nobody has shipped, before it comes
	for _, k := range keys {
		if at := j.located(k); at.Phase != InTransit {
			against[k] = faultBits(j.goods.faults(k, j.day))
		}
	}
	j.unpackAlone(keys)
	j.checkMasterData(keys)

	var passed []string // by the actor, to another holder, without a shipment
	var arrived, extra, unshipped, misled, contested, unsold, mismatched []string
	authorised := authorisations(j.ev)
	returned := len(authorised) > 0 || epcis.TermDisposition.Word(j.ev.Disposition) == epcis.DispReturned
	var shipments []*books.Shipment
	arrive := func(r *books.Record) {
		j.reappear(r)
		s := j.Shipment(r.Shipment)
		onTheWay := r.Phase == InTransit && s != nil
		if onTheWay && !slices.Contains(shipments, s) {
			shipments = append(shipments, s)
		}
		j.owe(r, onTheWay, against[r.Key])
		j.leave(r)
		newOwner := owner
		switch {
		case newOwner != "":
		case j.roles.Has("3pl") && r.To != "": // a logistics firm holds but never owns
			newOwner = r.To
		case j.roles.Has("3pl") && r.Owner != "":
			newOwner = r.Owner
		default:
			newOwner = j.actor
		}
		var returner string
		if onTheWay {
			returner = s.From
			if len(authorised) > 0 && !slices.ContainsFunc(authorised, func(a string) bool { return slices.Contains(s.Returns, a) }) {
				mismatched = append(mismatched, r.Key)
			}
		} else {
			r.Shipment = canonical.Position{}
			returner, _ = j.names.party(j.ev.Source(epcis.OwningParty))
		}
		if (returned || onTheWay && len(s.Returns) > 0) && !j.hearsay && returner != newOwner && !j.owns(r.Key, newOwner) && !j.SoldBy(r.Key, newOwner, returner) {
			unsold = append(unsold, r.Key)
		}
		r.Phase, r.Holder, r.Owner, r.To, r.Place = Held, holder, newOwner, "", j.place
		j.change(r)
		arrived = append(arrived, r.Key)
	}
	for _, k := range keys {
		r := j.Get(k)
		if r.Phase == Held && (r.Holder == holder || r.Holder == j.actor) {
			j.owe(r, r.Shipment != canonical.Position{}, against[k]) // already here, perhaps by hearsay
			j.change(r)
			continue
		}
		switch s := j.Shipment(r.Shipment); {
		case r.Phase == InTransit:
			// A logistics firm takes in what is for its customer, and a sender what comes back undelivered.
			if r.To != "" && r.To != j.actor && r.Holder != j.actor && !j.roles.Has("3pl") {
				misled = append(misled, k)
			}
		case r.Holder != "" && holder != j.actor && j.withActor(r): // its own, from one logistics firm to another
			extra, passed = append(extra, k), append(passed, k)
		case r.Owner == j.actor: // its own, back from a logistics firm
			extra = append(extra, k)
		case s != nil && s.To == j.actor: // another has received what was sent to this one
			extra, contested = append(extra, k), append(contested, k)
		default:
			extra = append(extra, k)
			if !j.hearsay {
				unshipped = append(unshipped, k)
			}
		}
		arrive(r)
	}
	// A container that was emptied by scanning its contents has arrived with them, and so perhaps has the one around it.
	for again := true; again; {
		again = false
		for _, k := range opened {
			if at := j.located(k); at.Phase != InTransit || !j.Empty(k) {
				continue
			}
			if j.Get(k).Parent != "" {
				j.unpack([]string{k})
			}
			arrive(j.Get(k))
			again = true
		}
	}
	j.moved(arrived)
	j.quantities(shipments, extra, isOpened)
	j.hold(verdict.WrongReceiver, misled, "sent to another company, not to %s: it is here, and on hold", j.actor)
	if len(unshipped) > 0 && len(shipments) == 0 { // beside a shipment it is QTY_OVER
		j.find(verdict.ReceiveNoShip, block.Flag, unshipped, "received without a record of its shipment: product, no data. Ask the sender for its shipping event")
	}
	j.clones(contested)
	j.movedOn(passed, func(k string) Fault { return gravest(against[k]) }, "when it was passed on")
	j.setAside(arrived)
	j.hold(verdict.ReturnNoSale, unsold, "taken back, and there is no record of a sale of it by the company that took it back to the one that returned it")
	if len(mismatched) > 0 {
		j.find(verdict.ReturnAuthMismatch, block.Flag, mismatched, fmt.Sprintf("received under the return authorisation %s, which the shipment does not name", short(authorised[0])))
	}
	if epcis.TermDisposition.Word(j.ev.Disposition) == epcis.DispReturned {
		j.overlay(books.OverlayReturned, true, arrived)
	}
	j.checkSeller(owner, named, keys)
}

// owe notes that whoever sent a thing still owes the record of sending it, unless that record is what it came with.
func (j *judging) owe(r *books.Record, shipped bool, against uint8) {
	if j.hearsay || slices.Contains(r.Owed, j.actor) || r.Holder == j.actor && slices.Contains(r.Recorders, j.actor) {
		return
	}
	if s := j.Shipment(r.Shipment); shipped && s != nil && !s.Hearsay {
		return
	}
	r.Owed, r.Against = append(slices.Clone(r.Owed), j.actor), append(slices.Clone(r.Against), against)
}

// quantities compares what came with what was shipped. A shortage is found once, when part of a shipment first arrives;
// what is missing stays with the sender as unaccounted until it is received, voided or reported lost. All of it does,
// whether or not the finding names it: a short event about a long shipment names what the first few looks find.
func (j *judging) quantities(shipments []*books.Shipment, extra []string, opened map[string]bool) {
	if len(shipments) > 0 && len(extra) > 0 {
		j.find(verdict.QtyOver, block.Flag, extra, "received, but not part of the shipment it came with")
	}
	looks := looksFor(j.it)
	for _, s := range shipments {
		if s.Outstanding == 0 || s.Short {
			continue
		}
		s.Short = true
		s.Touch()
		var missing []string
		var list func(k string, depth int)
		list = func(k string, depth int) {
			if !opened[k] || depth > books.MaxDepth {
				missing = append(missing, k)
				return
			}
			j.Children(k, func(child string) bool {
				if looks--; looks >= 0 {
					list(child, depth+1)
				}
				return looks > 0
			})
		}
		var shipped []string
		if looks > 0 {
			shipped = books.ReadShipped(j.st, s.Pos)
		}
		for _, k := range shipped {
			if looks--; looks < 0 {
				break
			}
			if r := j.Get(k); r != nil && r.Phase == InTransit && r.Shipment == s.Pos && r.Is(books.Named) {
				list(k, 0)
			}
		}
		j.find(verdict.QtyShort, block.Flag, missing, fmt.Sprintf("shipped by %s at %s and not received with the rest: unaccounted for until received, voided or reported lost", s.From, s.Pos))
	}
}

// twoPlaces looks at what the actor does not hold, by the ledger, and treats as its own: if it had it, and another has received it
// without a record of its leaving, one of the two packages is a copy.
func (j *judging) twoPlaces(claimed []string) {
	if j.hearsay {
		return
	}
	clones, _ := split(claimed, func(k string) bool {
		had, owed := false, false
		for _, r := range j.Chain(k) {
			had = had || slices.Contains(r.Recorders, j.actor)
			owed = owed || len(r.Owed) > 0 && !slices.Contains(r.Owed, j.actor)
		}
		return had && owed
	})
	j.clones(clones)
}

func (j *judging) clones(keys []string) {
	if len(keys) == 0 {
		return
	}
	j.hold(verdict.TwoPlaces, keys, "%s and another company both have it: one of the two packages may be a copy", j.actor)
	for _, k := range keys {
		if r := j.Get(k); r.Overlays&books.OverlaySuspect == 0 {
			r.Set(books.Copy, true)
		}
	}
	j.overlay(books.OverlaySuspect, true, keys)
}
