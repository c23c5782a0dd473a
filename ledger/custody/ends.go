package custody

import (
	"fmt"
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/verdict"
)

func (j *judging) dispense() {
	keys := j.subjects()
	for _, k := range keys {
		if r := j.Get(k); r != nil && j.located(k).State == Dispensed {
			continue
		}
		j.living([]string{k}, "")
		j.checkFit(k)
	}
	if j.no != nil {
		return
	}
	keys = j.heard(keys)
	j.unknown(keys, j.actor)
	keys = j.alone(keys)
	twice, keys := split(keys, func(k string) bool { return j.located(k).State == Dispensed })
	j.hold(verdict.DispenseTwice, twice, "already dispensed: one of the two packages is not what it says it is")

	// What was on its way to this dispenser has evidently come; what is with somebody else has not.
	strange, keys := split(keys, func(k string) bool {
		at := j.located(k)
		return !j.withActor(at) || at.Phase == InTransit
	})
	j.hold(verdict.DispenseByNonHolder, strange, "%s has never recorded receiving it", j.actor)
	j.twoPlaces(strange)
	coming, _ := split(strange, func(k string) bool {
		at := j.located(k)
		return at.Phase == InTransit && at.To == j.actor
	})
	keys = append(keys, coming...)
	if len(keys) == 0 {
		return
	}
	j.unpackAlone(keys)
	j.checkMasterData(keys)
	for _, k := range coming {
		r := j.Get(k)
		j.leave(r)
		r.Phase, r.Holder, r.Owner, r.To, r.Place = Held, j.actor, j.actor, "", j.place
		j.change(r)
	}
	if len(coming) > 0 {
		j.moved(coming)
	}
	for _, k := range keys {
		r := j.Get(k)
		j.reappear(r)
		j.change(r)
	}
	if epcis.TermDisposition.Word(j.ev.Disposition) != epcis.DispPartiallyDispensed {
		j.state(Dispensed, keys)
	}
}

// checkFit rejects the dispensing of what may not be dispensed whoever has it: the check at the counter says the same before.
// A recall and an expiry are named before a quarantine, which often follows from them.
func (j *judging) checkFit(key string) {
	faults := j.goods.faults(key, j.day)
	for _, row := range []struct {
		faults []Fault
		code   verdict.Code
		todo   string
	}{
		{[]Fault{IsRecalled}, verdict.DispenseRecalled, "set it aside and follow the recall"},
		{[]Fault{IsExpired}, verdict.DispenseExpired, "set it aside for destruction or return"},
		{[]Fault{IsSuspect, IsHeld, IsUnreleased}, verdict.DispenseQuarantined, "keep it aside until that is cleared up"},
	} {
		if i := slices.IndexFunc(faults, func(r Reason) bool { return slices.Contains(row.faults, r.Fault) }); i >= 0 {
			j.reject(row.code, key, "%s %s: %s", key, &faults[i], row.todo)
			return
		}
	}
}

func (j *judging) state(s UnitState, keys []string) {
	var changed []string
	for _, k := range keys {
		r := j.Get(k)
		if r.State != s {
			r.State = s
			changed = append(changed, k)
		}
		if r.Phase == InTransit { // missing no longer: it is known what became of it
			j.foundIt(r, j.Shipment(r.Shipment))
		}
		j.change(r)
	}
	if len(changed) > 0 {
		j.emit(StateSet{State: s, Keys: changed})
	}
}

// end is decommissioning and destroying.
func (j *judging) end(s UnitState) {
	keys := j.subjects()
	j.living(keys, "")
	if j.no != nil {
		return
	}
	if keys = j.believed(keys, verdict.DestroyByNonHolder, block.Hold); len(keys) > 0 {
		j.state(s, keys)
	}
}

// believed prepares the subjects of an event about things that must be with the actor: unknown ones become provisional,
// others' are a claim, and what is inside something is taken out.
func (j *judging) believed(keys []string, code verdict.Code, sev block.Severity) []string {
	keys = j.heard(keys)
	j.unknown(keys, j.actor)
	mine, others := split(j.alone(keys), func(k string) bool {
		at := j.located(k)
		return j.withActor(at)
	})
	j.twoPlaces(others)
	if sev == block.Hold {
		j.checkClaim(others)
	}
	if len(others) > 0 {
		const detail = "%s does not hold it: noted, without effect"
		if sev == block.Hold {
			j.hold(code, others, detail, j.actor)
		} else {
			j.find(code, sev, others, fmt.Sprintf(detail, j.actor))
		}
	}
	if len(mine) > 0 {
		j.unpackAlone(mine)
		j.checkMasterData(mine)
	}
	return mine
}

// mark is what a holder says of the condition of its goods, by disposition.
func (j *judging) mark() {
	var (
		bit     uint16
		becomes UnitState
		free    bool
		suspect bool
	)
	switch epcis.TermDisposition.Word(j.ev.Disposition) {
	case epcis.DispNonSellable:
		bit = books.OverlayQuarantined
	case epcis.DispNoPedigreeMatch:
		bit, suspect = books.OverlayQuarantined, true
	case epcis.DispUnknown:
		if step := j.ev.Step(); step == "cycle_counting" || step == "stock_taking" {
			becomes = Lost // counted, and not there
		} else {
			bit = books.OverlayQuarantined
		}
	case epcis.DispDamaged:
		bit = books.OverlayDamaged
	case epcis.DispExpired:
		bit = books.OverlayExpired
	case epcis.DispRecalled:
		bit = books.OverlayRecalled
	case epcis.DispReturned:
		bit = books.OverlayReturned
	case epcis.DispStolen:
		becomes = Stolen
	case "lost":
		becomes = Lost
	case epcis.DispActive, "available", "conformant", "sellable_accessible", "sellable_not_accessible":
		free = true
		j.needLicence()
	default:
		return // an observation
	}
	keys := j.subjects()
	j.living(keys, "")
	if j.no != nil {
		return
	}
	keys = j.believed(keys, verdict.HoldByNonHolder, block.Flag)
	switch {
	case len(keys) == 0:
		return
	case free:
		for _, k := range keys {
			j.reappear(j.Get(k))
		}
		own, held := split(keys, func(k string) bool { return j.Get(k).Overlays&books.OverlayHold == 0 })
		j.overlay(books.OverlayQuarantined, false, own)
		cleared, _ := split(own, func(k string) bool { return j.Get(k).Overlays&books.OverlayIllegitimate == 0 })
		j.overlay(books.OverlaySuspect, false, cleared)
		// A recall on the ledger and the expiry date are read there; these are a holder's own words.
		j.overlay(books.OverlayRecalled, false, own)
		j.overlay(books.OverlayExpired, false, own)
		j.overlay(books.OverlayDamaged, false, own)
		if len(held) > 0 {
			j.find(verdict.HoldRemains, block.Flag, held, "a finding put it on hold, and only the resolution of that finding lifts it: the release changes nothing")
		}
		j.overlay(books.OverlayReturned, false, keys)
	case becomes != 0:
		j.state(becomes, keys)
	default:
		if suspect {
			for _, k := range keys {
				j.Get(k).Set(books.Copy, false) // its holder's own word now
			}
			j.overlay(books.OverlaySuspect, true, keys)
		}
		j.overlay(bit, true, keys)
	}
	for _, k := range keys {
		j.change(j.Get(k))
	}
}
