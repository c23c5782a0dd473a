package registry

import (
	"crypto/ed25519"
	"encoding/binary"
	"slices"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/state"
)

// KeyInfo is what is known of a key at a position.
type KeyInfo struct {
	Party     string
	Use       string
	Public    ed25519.PublicKey
	Authority bool // its party_acts are believed
	Revoked   bool
}

// Party is a party at a position.
type Party struct {
	ID, Name  string
	Roles     []string
	Suspended bool
	GLNs      []string // 13 digits
	Prefixes  []string
	Keys      []canonical.Hash
	Licences  []Licence
	Places    []Place
}

// Has reports whether the party has one of the roles.
func (p *Party) Has(roles ...string) bool {
	for _, role := range roles {
		if slices.Contains(p.Roles, role) {
			return true
		}
	}
	return false
}

// Registry answers over a view. It implements submission.Keys.
type Registry struct{ View state.View }

// Key looks up a key by id.
func (r Registry) Key(id canonical.Hash) (KeyInfo, bool) {
	b, ok := r.View.Get(keyAt + string(id[:]))
	if !ok {
		return KeyInfo{}, false
	}
	return decodeKey(b), true
}

// Standing looks up a party with its roles and licences, and without GLNs, places, prefixes and keys: what a rule asks for
// every event.
func (r Registry) Standing(id string) (Party, bool) { return r.recorded(id, false) }

// recorded looks up a party without its GLNs and places, which may be thousands.
func (r Registry) recorded(id string, all bool) (Party, bool) {
	b, ok := r.View.Get(partyAt + id)
	if !ok {
		return Party{}, false
	}
	return decodeParty(id, b, all), true
}

// Party looks up a party by id.
func (r Registry) Party(id string) (Party, bool) {
	p, ok := r.recorded(id, true)
	if !ok {
		return Party{}, false
	}
	at := partyGLNAt + id + "/"
	r.View.Scan(at, func(k string, _ []byte) bool {
		p.GLNs = append(p.GLNs, k[len(at):])
		return true
	})
	at = partyPlaceAt + id + "/"
	r.View.Scan(at, func(k string, _ []byte) bool {
		if pl, ok := r.Place(k[len(at):]); ok {
			p.Places = append(p.Places, pl)
		}
		return true
	})
	return p, true
}

// Parties lists all parties by id.
func (r Registry) Parties() []Party {
	var ids []string
	r.View.Scan(partyAt, func(k string, _ []byte) bool {
		ids = append(ids, k[len(partyAt):])
		return true
	})
	list := make([]Party, 0, len(ids))
	for _, id := range ids {
		if p, ok := r.Party(id); ok {
			list = append(list, p)
		}
	}
	return list
}

// PartyOfGLN finds who a GLN belongs to: registered as such, or by the longest registered company prefix it starts with.
func (r Registry) PartyOfGLN(gln string) (string, bool) {
	if b, ok := r.View.Get(glnAt + gln); ok {
		return string(b), true
	}
	if len(gln) != 13 {
		return "", false
	}
	return r.ownerOfNumber(gln[:12])
}

// OwnerOfGTIN finds the party whose registered company prefix covers the GTIN (longest wins).
func (r Registry) OwnerOfGTIN(g gs1.GTIN) (string, bool) {
	if g.IsZero() {
		return "", false
	}
	return r.ownerOfNumber(g.String()[1:13])
}

// OwnerOfKey finds the party whose registered company prefix covers the number of a thing: of its GTIN, or of its SSCC.
func (r Registry) OwnerOfKey(k gs1.Key) (string, bool) {
	if g, ok := k.GTIN(); ok {
		return r.OwnerOfGTIN(g)
	}
	if s := k.String(); len(s) == 20 && s[:2] == "00" { // of an SSCC: 00, extension digit, prefix and reference, check digit
		return r.ownerOfNumber(s[3:15])
	}
	return "", false
}

// ownerOfNumber takes twelve digits without lead and check digit.
func (r Registry) ownerOfNumber(digits string) (string, bool) {
	for n := len(digits); n >= minPrefix; n-- {
		if b, ok := r.View.Get(prefixAt + digits[:n]); ok {
			return string(b), true
		}
	}
	return "", false
}

// PrefixLength is how many digits the longest registered company prefix has with which twelve digits begin, without lead and check
// digit.
func (r Registry) PrefixLength(digits string) (int, bool) {
	for n := len(digits); n >= minPrefix; n-- {
		if _, ok := r.View.Get(prefixAt + digits[:n]); ok {
			return n, true
		}
	}
	return 0, false
}

// Place looks up a site by key text of its SGLN.
func (r Registry) Place(key string) (Place, bool) {
	_, p, ok := r.place(key)
	return p, ok
}

func (r Registry) place(key string) (party string, p Place, ok bool) {
	b, ok := r.View.Get(placeAt + key)
	if !ok {
		return "", Place{}, false
	}
	d := canonical.NewReader(b)
	party = string(d.Str32())
	readFields(d, placeFields(&p))
	must(d, "place "+key)
	return party, p, true
}

// Product looks up master data by GTIN.
func (r Registry) Product(g gs1.GTIN) (Product, bool) {
	b, ok := r.View.Get(productAt + g.String())
	if !ok {
		return Product{}, false
	}
	var p Product
	d := canonical.NewReader(b)
	readFields(d, productFields(&p))
	p.CompanyPrefixLength, p.ContainsCount = d.U32(), d.U32()
	must(d, "product "+g.String())
	return p, true
}

// Lot looks up a registered lot.
func (r Registry) Lot(g gs1.GTIN, lot string) (Lot, bool) {
	lg, err := gs1.NewLGTIN(g, lot)
	if err != nil {
		return Lot{}, false
	}
	b, ok := r.View.Get(lotAt + lg.Key().String())
	if !ok {
		return Lot{}, false
	}
	var l Lot
	d := canonical.NewReader(b)
	readFields(d, lotFields(&l))
	l.Size = d.U64()
	must(d, "lot "+lg.String())
	return l, true
}

// Recalls returns the open recalls that cover a lot (lot-wide, GTIN-wide), newest last. With an empty lot (a unit whose
// commissioning has not been seen) only those of the whole GTIN.
func (r Registry) Recalls(g gs1.GTIN, lot string) []RecallRecord {
	list := r.recallsAt(recallAt+g.String()+"/\x00", nil)
	if lot != "" {
		list = r.recallsAt(recallAt+g.String()+"/"+lot+"\x00", list)
	}
	return list
}

// UnitRecalls returns the open recalls that name this unit or container alone, newest last.
func (r Registry) UnitRecalls(key gs1.Key) []RecallRecord {
	var list []RecallRecord
	r.View.Scan(unitRecallAt+key.String()+"\x00", func(_ string, v []byte) bool {
		list = append(list, r.recallOf(v))
		return true
	})
	slices.SortStableFunc(list, func(a, b RecallRecord) int { return a.Pos.Compare(b.Pos) })
	return list
}

func (r Registry) recallOf(pos []byte) RecallRecord {
	b, ok := r.View.Get(recallOfAt + string(pos))
	if !ok {
		panic("registry: a unit's recall is missing")
	}
	return decodeRecall(b)
}

// AnyRecalled reports whether a recall of a GTIN (14 digits), of one of its lots or of one of its units is open.
func (r Registry) AnyRecalled(gtin string) bool { return r.openRecalls(gtin) > 0 }

func (r Registry) openRecalls(gtin string) uint64 {
	b, ok := r.View.Get(recallsAt + gtin)
	if !ok {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// Recalled returns one of the open recalls that cover a unit, however many there are: of its GTIN, its lot, or itself.
//
// Without a unit it looks for recalls of all units of the lot.
func (r Registry) Recalled(unit gs1.Key, g gs1.GTIN, lot string) (rec RecallRecord, ok bool) {
	if r.openRecalls(g.String()) == 0 {
		return RecallRecord{}, false
	}
	prefixes := []string{recallAt + g.String() + "/\x00"}
	if lot != "" {
		prefixes = append(prefixes, recallAt+g.String()+"/"+lot+"\x00")
	}
	for _, at := range prefixes {
		r.View.Scan(at, func(_ string, v []byte) bool {
			rec, ok = decodeRecall(v), true
			return false
		})
		if ok {
			return rec, true
		}
	}
	if unit == (gs1.Key{}) {
		return rec, false
	}
	r.View.Scan(unitRecallAt+unit.String()+"\x00", func(_ string, v []byte) bool {
		rec, ok = r.recallOf(v), true
		return false
	})
	return rec, ok
}

// UnitRecalled reports whether an open recall names this unit.
func (r Registry) UnitRecalled(unit gs1.Key) (named bool) {
	if g, ok := unit.GTIN(); !ok || r.openRecalls(g.String()) == 0 {
		return false
	}
	r.View.Scan(unitRecallAt+unit.String()+"\x00", func(string, []byte) bool {
		named = true
		return false
	})
	return named
}

func (r Registry) recallsAt(prefix string, list []RecallRecord) []RecallRecord {
	r.View.Scan(prefix, func(_ string, v []byte) bool {
		list = append(list, decodeRecall(v))
		return true
	})
	slices.SortStableFunc(list, func(a, b RecallRecord) int { return a.Pos.Compare(b.Pos) })
	return list
}

// RecallRecord is a recall and where it stands.
type RecallRecord struct {
	Recall
	Party string
	Pos   canonical.Position
}

// KeyID is the key id of docs/spec.md section 1; submission and genesis use it too.
func KeyID(use string, key ed25519.PublicKey) canonical.Hash { return keys.ID(use, key) }
