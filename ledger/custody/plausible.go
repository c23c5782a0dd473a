package custody

import (
	"crypto/sha256"
	"fmt"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// Storage: who recorded an event under an eventID. The eventID is hashed, so that the keys stay short and contain what
// they must whatever the id is.
//
//	e/<SHA-256 of the eventID><party>    match hash and position of the event
const eventIDAt = "e/"

func eventIDKey(id, party string) string {
	h := sha256.Sum256([]byte(id))
	b := make([]byte, 0, 64)
	return string(append(append(append(b, eventIDAt...), h[:]...), party...))
}

// readEventID returns the event that a party recorded under an eventID; at is its eventIDKey.
func readEventID(v state.View, at string) (hash canonical.Hash, pos canonical.Position, ok bool) {
	b, ok := v.Get(at)
	if !ok {
		return hash, pos, false
	}
	hash, pos = decodeEventID(b)
	return hash, pos, true
}

// eventsOfID lists the events that were recorded under an eventID, by party.
func eventsOfID(v state.View, id string, fn func(party string, hash canonical.Hash, pos canonical.Position) bool) {
	at := eventIDKey(id, "")
	v.Scan(at, func(k string, b []byte) bool {
		hash, pos := decodeEventID(b)
		return fn(k[len(at):], hash, pos)
	})
}

func decodeEventID(b []byte) (hash canonical.Hash, pos canonical.Position) {
	d := canonical.NewReader(b)
	hash, pos = d.Hash(), d.Position()
	books.Damaged(d, "event id")
	return hash, pos
}

// idReused says that the publisher has recorded another event under this eventID. What declares an event wrong carries
// the id of that event.
func (j *judging) idReused(hash canonical.Hash) *Judgement {
	if j.ev.EventID == "" || j.ev.ErrorDeclaration != nil {
		return nil
	}
	if before, pos, ok := readEventID(j.st, j.idAt); ok && before != hash {
		no := refuse(verdict.EventIDReused, "%s has recorded another event with the id %s, at %s: give this event an id of its own", j.c.Party, short(j.ev.EventID), pos)
		return &no
	}
	return nil
}

// putEventID remembers under which id the publisher recorded the event.
func (j *judging) putEventID(hash canonical.Hash) {
	if j.idAt != "" && j.ev.ErrorDeclaration == nil {
		j.st.Put(j.idAt, j.c.Pos.Append(append(make([]byte, 0, len(hash)+16), hash[:]...)))
	}
}

// Unnamed returns the list of a shipping event that does not name its party, sourceList for the seller or destinationList for
// the buyer, and "" when the event names both. Who declares a shipment wrong need not name them.
func Unnamed(ev *epcis.Event) (list string) {
	switch {
	case ev.Step() != epcis.StepShipping || ev.ErrorDeclaration != nil:
	case ev.Source(epcis.OwningParty) == "":
		return "sourceList"
	case ev.Destination(epcis.OwningParty) == "":
		return "destinationList"
	}
	return ""
}

// parties rejects a shipment that does not say who sells to whom, and remarks on one that stays within a company.
func (j *judging) parties() {
	if list := Unnamed(j.ev); list != "" {
		j.reject(verdict.ShipNoParties, "", "the shipment does not name both seller and buyer: fill in owning_party in %s", list)
		return
	}
	if j.sameParty(j.ev.Source(epcis.OwningParty), j.ev.Destination(epcis.OwningParty)) {
		j.find(verdict.SelfShip, block.Flag, nil, "seller and buyer are the same company")
	}
}

// sameParty says whether two identifiers are of one registered party, or of nobody and the same.
func (j *judging) sameParty(a, b string) bool {
	x, y := j.names.read(a).key, j.names.read(b).key
	if x.IsZero() || y.IsZero() {
		return false // rejected elsewhere
	}
	glnX, okX := x.GLN()
	glnY, okY := y.GLN()
	if !okX || !okY {
		return x == y
	}
	partyX, _ := j.names.party(a)
	partyY, _ := j.names.party(b)
	return partyX == partyY && (partyX != "" || glnX == glnY)
}

// checkProducts remarks on units whose lot or product is not registered, or is registered with the NDC of another GTIN.
func (j *judging) checkProducts(keys []string, lot string) {
	units, _ := split(keys, books.IsUnit)
	for _, g := range group(units, books.GTINOf) {
		gtin, _ := books.MustKey(g.keys[0]).GTIN()
		if _, ok := j.reg.Lot(gtin, lot); !ok {
			j.find(verdict.LotUnregistered, block.Flag, g.keys, fmt.Sprintf("lot %s of GTIN %s is not registered", short(lot), gtin))
		}
		p, ok := j.reg.Product(gtin)
		if !ok {
			j.find(verdict.GTINUnknown, block.Flag, g.keys, fmt.Sprintf("no product data are registered for GTIN %s", gtin))
		} else if detail, wrong := otherNDC(gtin, &p); wrong {
			j.find(verdict.NDCMismatch, block.Flag, g.keys, detail)
		}
	}
}

// remarkNDC flags the registration of a product whose NDC is not the one in its GTIN.
func remarkNDC(st state.Store, c Context, j Judgement, g gs1.GTIN, p *registry.Product) Judgement {
	if detail, wrong := otherNDC(g, p); wrong && j.Verdict == block.Accepted {
		j.Verdict = block.Flagged
		j.Findings = append(j.Findings, Finding{Code: verdict.NDCMismatch, Severity: block.Flag, Detail: detail})
		putFinding(st, block.EventSubject(c.Pos), FindingRecord{Pos: c.Pos, Code: verdict.NDCMismatch, Severity: block.Flag, State: block.Open, By: c.Party})
	}
	return j
}

// otherNDC says whether a product has an NDC that its GTIN contradicts.
func otherNDC(g gs1.GTIN, p *registry.Product) (detail string, wrong bool) {
	digits, ok := g.NDC10()
	if !ok || p.NDC == "" {
		return "", false
	}
	if n, err := gs1.ParseNDC(p.NDC); err == nil && n.InGTIN(g) {
		return "", false
	}
	return fmt.Sprintf("GTIN %s holds the NDC digits %s, and its product data give the NDC %s", g, digits, short(p.NDC)), true
}

// explained closes what was found because a thing had no birth record.
func (j *judging) explained(key string) {
	j.cure(verdict.NotCommissioned, key)
	j.cure(verdict.AggUnknownChild, key)
}
