package registry

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// Error says why an item cannot be written to the registry.
type Error struct {
	Code   verdict.Code
	Detail string
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

func fail(code verdict.Code, format string, args ...any) error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// format turns an error of package gs1 into ours.
func format(err error) error {
	return &Error{Code: verdict.OfIdentifier(err), Detail: err.Error()}
}

const (
	minPrefix  = 4
	maxPrefix  = 12
	maxName    = 200 // of texts that effects and screens carry around
	maxReason  = 4000
	maxEntries = 1 << 13 // keys, prefixes, licences of a party: every event of the party reads them
)

var (
	roles = []string{"manufacturer", "repackager", "distributor", "3pl", "dispenser", "regulator", "validator", "authority"}
	uses  = []string{keys.Event, keys.Vote, keys.Cosign, keys.Authority}
)

// CheckPartyID says whether id is a party id of docs/spec.md section 2.
func CheckPartyID(id string) error {
	const first, rest = "abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz0123456789-"
	if id == "" || len(id) > 32 || !strings.Contains(first, id[:1]) || strings.Trim(id, rest) != "" {
		return fail(verdict.BadValue, "party id %q: want 1 to 32 of a-z, 0-9 and -, not beginning with -", id)
	}
	return nil
}

// IsRole reports whether a party can have a role, IsKeyUse whether a key can have a use.
func IsRole(s string) bool   { return slices.Contains(roles, s) }
func IsKeyUse(s string) bool { return slices.Contains(uses, s) }

// IsPrefix reports whether a company prefix can be registered: it has 4 to 12 digits.
func IsPrefix(s string) bool { return digits(s) && len(s) >= minPrefix && len(s) <= maxPrefix }

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func checkText(what, s string, required bool) error {
	switch {
	case s == "" && required:
		return fail(verdict.MissingField, "%s is missing", what)
	case len(s) > maxName:
		return fail(verdict.BadValue, "%s has %d bytes, at most %d are allowed", what, len(s), maxName)
	case strings.ContainsRune(s, 0):
		return fail(verdict.BadValue, "%s contains a NUL character", what)
	}
	return nil
}

func checkDate(what, s string, required bool) error {
	if s == "" && !required {
		return nil
	}
	if _, err := gs1.ParseDate(s); err != nil {
		return fail(verdict.FmtExpiry, "%s %q is not a date: write YYYY-MM-DD", what, s)
	}
	return nil
}

// Authority is a party whose party_acts under this key are believed.
type Authority struct {
	Party string
	Key   []byte // Ed25519 public key
}

// Seed writes what a genesis file says of parties and authorities. Parties come in the order of the file; the
// authorities' parties must be among them.
func Seed(st state.Store, parties []Act, authorities []Authority) error {
	for i := range parties {
		if err := ApplyAct(st, &parties[i], false); err != nil {
			return fmt.Errorf("party %q: %w", parties[i].Party, err)
		}
	}
	for _, a := range authorities {
		if _, ok := (Registry{st}).Standing(a.Party); !ok {
			return fmt.Errorf("authority: %w", fail(verdict.MissingField, "party %q is not in the list of parties", a.Party))
		}
		act := &Act{Party: a.Party, Keys: []Key{{PublicKey: a.Key, Use: keys.Authority}}}
		if err := ApplyAct(st, act, true); err != nil {
			return fmt.Errorf("authority %q: %w", a.Party, err)
		}
	}
	return nil
}

// ApplyAct, ApplyProduct, ApplyLot and ApplyRecall write what an accepted item says. They check form and that nobody's
// key, GLN or prefix is taken over; who may say it is custody's business. Errors are *Error and write nothing.
//
// authority makes the act's keys of use "authority" believed. Only genesis says so under rules version 1: authorities
// are named by governance, so an authority cannot name another.
func ApplyAct(st state.Store, a *Act, authority bool) error {
	reg := Registry{st}
	if err := CheckPartyID(a.Party); err != nil {
		return err
	}
	if err := checkText("the party's name", a.Name, false); err != nil {
		return err
	}
	p, known := reg.recorded(a.Party, true)
	if !known {
		p = Party{ID: a.Party, Name: a.Party}
	}
	if len(p.Keys)+len(a.Keys) > maxEntries || len(p.Prefixes)+len(a.Prefixes) > maxEntries || len(p.Licences)+len(a.Licences) > maxEntries {
		return fail(verdict.BadValue, "party %q would have more than %d keys, prefixes or licences", a.Party, maxEntries)
	}
	if a.Name != "" {
		p.Name = a.Name
	}
	for _, role := range a.Roles {
		if !IsRole(role) {
			return fail(verdict.BadValue, "role %q is unknown: want one of %s", role, strings.Join(roles, ", "))
		}
		if !slices.Contains(p.Roles, role) {
			p.Roles = append(p.Roles, role)
		}
	}
	slices.Sort(p.Roles)
	switch a.Suspended {
	case "":
	case "true", "false":
		p.Suspended = a.Suspended == "true"
	default:
		return fail(verdict.BadValue, "suspended is %q: want true, false or nothing", a.Suspended)
	}
	for _, l := range a.Licences {
		for _, f := range []struct{ what, text string }{{"licence number", l.Number}, {"licence kind", l.Kind}, {"jurisdiction", l.Jurisdiction}} {
			if err := checkText(f.what, f.text, f.what == "licence number"); err != nil {
				return err
			}
		}
		if err := checkDate("the licence's first day", l.ValidFrom, false); err != nil {
			return err
		}
		if err := checkDate("the licence's last day", l.ValidTo, false); err != nil {
			return err
		}
		if !slices.Contains(p.Licences, l) {
			p.Licences = append(p.Licences, l)
		}
	}
	w := writer{st: st}
	if err := w.keys(reg, &p, a, authority); err != nil {
		return err
	}
	if err := w.numbers(reg, &p, a); err != nil {
		return err
	}
	if err := w.places(reg, &p, a); err != nil {
		return err
	}
	w.put(partyAt+p.ID, encodeParty(&p))
	w.flush()
	return nil
}

// writer keeps the writes of an act back until all of it is found good.
type writer struct {
	st   state.Store
	list []state.Write
}

func (w *writer) put(key string, value []byte) {
	w.list = append(w.list, state.Write{Key: key, Value: value})
}

func (w *writer) flush() {
	for _, e := range w.list {
		w.st.Put(e.Key, e.Value)
	}
}

func (w *writer) keys(reg Registry, p *Party, a *Act, authority bool) error {
	revoked := map[canonical.Hash]bool{}
	for _, id := range a.RevokedKeys {
		if len(id) != len(canonical.Hash{}) {
			return fail(verdict.BadValue, "a revoked key id has %d bytes, want 32", len(id))
		}
		k, ok := reg.Key(canonical.Hash(id))
		if !ok || k.Party != p.ID {
			return fail(verdict.BadValue, "key %x to be revoked is not a key of party %q", id, p.ID)
		}
		revoked[canonical.Hash(id)] = true
		k.Revoked = true
		w.put(keyAt+string(id), encodeKey(k))
	}
	for i, k := range a.Keys {
		if !IsKeyUse(k.Use) {
			return fail(verdict.BadValue, "key %d has the use %q: want event, authority, cosign or vote", i, k.Use)
		}
		pub := ed25519.PublicKey(slices.Clone(k.PublicKey))
		if err := keys.Check(pub); err != nil {
			return fail(verdict.BadKey, "key %d (%s) of party %q: %v", i, k.Use, p.ID, err)
		}
		for _, use := range uses {
			if other, ok := reg.Key(keys.ID(use, pub)); ok && other.Party != p.ID {
				return fail(verdict.KeyTaken, "key %d (%s) already belongs to party %q: every party needs its own", i, k.Use, other.Party)
			}
		}
		id := keys.ID(k.Use, pub)
		info, ok := reg.Key(id)
		if !ok {
			info = KeyInfo{Party: p.ID, Use: k.Use, Public: pub}
		}
		info.Authority = info.Authority || authority && k.Use == keys.Authority
		info.Revoked = info.Revoked || revoked[id]
		w.put(keyAt+string(id[:]), encodeKey(info))
		if !slices.Contains(p.Keys, id) {
			p.Keys = append(p.Keys, id)
		}
	}
	return nil
}

func (w *writer) numbers(reg Registry, p *Party, a *Act) error {
	for _, s := range a.GLNs {
		if _, err := gs1.ParseGLN(s); err != nil {
			return format(err)
		}
		if b, ok := reg.View.Get(glnAt + s); ok && string(b) != p.ID {
			return fail(verdict.GLNTaken, "GLN %s already belongs to party %q", s, b)
		}
		w.put(glnAt+s, []byte(p.ID))
		w.put(partyGLNAt+p.ID+"/"+s, []byte{1})
	}
	for _, s := range a.Prefixes {
		if !IsPrefix(s) {
			return fail(verdict.BadValue, "company prefix %q: want %d to %d digits", s, minPrefix, maxPrefix)
		}
		if b, ok := reg.View.Get(prefixAt + s); ok && string(b) != p.ID {
			return fail(verdict.PrefixTaken, "company prefix %s already belongs to party %q", s, b)
		}
		w.put(prefixAt+s, []byte(p.ID))
		if !slices.Contains(p.Prefixes, s) {
			p.Prefixes = append(p.Prefixes, s)
		}
	}
	return nil
}

func (w *writer) places(reg Registry, p *Party, a *Act) error {
	for i := range a.Places {
		pl := a.Places[i]
		key, err := PlaceKey(pl.ID)
		if err != nil {
			return format(err)
		}
		if owner, _, ok := reg.place(key.String()); ok && owner != p.ID {
			return fail(verdict.GLNTaken, "place %s already belongs to party %q", key, owner)
		}
		// A site's GLN need not be listed again among the party's GLNs to be found.
		if gln, ok := key.GLN(); ok {
			if b, taken := reg.View.Get(glnAt + gln.String()); taken && string(b) != p.ID {
				return fail(verdict.GLNTaken, "GLN %s of place %s already belongs to party %q", gln, key, b)
			}
			w.put(glnAt+gln.String(), []byte(p.ID))
			w.put(partyGLNAt+p.ID+"/"+gln.String(), []byte{1})
		}
		w.put(placeAt+key.String(), putFields(canonical.Str32(nil, p.ID), placeFields(&pl)))
		w.put(partyPlaceAt+p.ID+"/"+key.String(), []byte{1})
	}
	return nil
}

// PlaceKey reads a place id as captured: 13 digits, key text, SGLN URN or Digital Link.
func PlaceKey(id string) (gs1.Key, error) {
	if gln, err := gs1.ParseGLN(id); err == nil {
		s, err := gs1.NewSGLN(gln, "")
		return s.Key(), err
	}
	s, err := gs1.ParseSGLN(id)
	return s.Key(), err
}

// ApplyProduct stores master data.
func ApplyProduct(st state.Store, p *Product) error {
	g, err := gs1.ParseGTIN(p.GTIN)
	if err != nil {
		return format(err)
	}
	if p.ContainsGTIN != "" {
		if _, err := gs1.ParseGTIN(p.ContainsGTIN); err != nil {
			return format(err)
		}
	}
	c := *p
	c.GTIN = g.String()
	b := putFields(nil, productFields(&c))
	b = canonical.U32(b, p.CompanyPrefixLength)
	st.Put(productAt+g.String(), canonical.U32(b, p.ContainsCount))
	return nil
}

// ApplyLot stores a lot.
func ApplyLot(st state.Store, l *Lot) error {
	g, err := gs1.ParseGTIN(l.GTIN)
	if err != nil {
		return format(err)
	}
	lg, err := gs1.NewLGTIN(g, l.Lot)
	if err != nil {
		return format(err)
	}
	if err := checkDate("the lot's expiry", l.Expiry, true); err != nil {
		return err
	}
	if err := checkDate("the lot's day of manufacture", l.ManufacturedOn, false); err != nil {
		return err
	}
	c := *l
	c.GTIN = g.String()
	st.Put(lotAt+lg.Key().String(), canonical.U64(putFields(nil, lotFields(&c)), l.Size))
	return nil
}

// ApplyRecall stores a recall, or the new status of one: the number and what it covers are its identity. With units
// it covers only them.
func ApplyRecall(st state.Store, party string, pos canonical.Position, rc *Recall) error {
	if err := checkText("the recall number", rc.RecallNumber, true); err != nil {
		return err
	}
	if rc.Status != "" && rc.Status != "open" && rc.Status != "ended" {
		return fail(verdict.BadValue, "the recall's status is %q: want open or ended", rc.Status)
	}
	if err := checkDate("the day the recall began", rc.InitiatedOn, false); err != nil {
		return err
	}
	for _, f := range []struct{ what, text string }{{"the classification", rc.Classification}, {"the recall's depth", rc.Depth}} {
		if err := checkText(f.what, f.text, false); err != nil {
			return err
		}
	}
	if len(rc.Reason) > maxReason {
		return fail(verdict.BadValue, "the recall's reason has %d bytes, at most %d are allowed", len(rc.Reason), maxReason)
	}
	rec := RecallRecord{Recall: *rc, Party: party, Pos: pos}
	if rc.GTIN != "" {
		g, err := gs1.ParseGTIN(rc.GTIN)
		if err != nil {
			return format(err)
		}
		rec.GTIN = g.String()
		if rc.Lot != "" {
			if _, err := gs1.NewLGTIN(g, rc.Lot); err != nil {
				return format(err)
			}
		}
	}
	if len(rc.Units) > 0 {
		units := make([]gs1.Key, len(rc.Units))
		for i, s := range rc.Units {
			epc, err := gs1.ParseEPC(s)
			if err != nil {
				return format(err)
			}
			if units[i] = epc.Key(); !units[i].IsUnit() {
				return fail(verdict.BadValue, "recalled unit %s is not a serialised trade item: name the lot, or each unit", units[i])
			}
		}
		rec.Units = nil // every unit has its own record, which would otherwise name all others
		at := string(pos.Append(nil))
		st.Put(recallOfAt+at, encodeRecall(&rec))
		for _, k := range units {
			gtin, _ := k.GTIN()
			putRecall(st, gtin, unitRecallAt+k.String()+"\x00"+rc.RecallNumber, rc.Status, []byte(at))
		}
		return nil
	}
	if rc.GTIN == "" {
		return fail(verdict.MissingField, "recall %s names neither a GTIN nor units", rc.RecallNumber)
	}
	g, _ := gs1.ParseGTIN(rec.GTIN)
	putRecall(st, g, recallAt+rec.GTIN+"/"+rc.Lot+"\x00"+rc.RecallNumber, rc.Status, encodeRecall(&rec))
	return nil
}

// putRecall keeps open recalls only, and counts them by GTIN: most products have none, and every
// shipment asks.
func putRecall(st state.Store, g gs1.GTIN, key, status string, record []byte) {
	_, was := st.Get(key)
	open := Registry{st}.openRecalls(g.String())
	switch {
	case status != "ended":
		st.Put(key, record)
		if was {
			return
		}
		open++
	case was:
		st.Delete(key)
		open--
	default:
		return
	}
	if open == 0 {
		st.Delete(recallsAt + g.String())
	} else {
		st.Put(recallsAt+g.String(), canonical.U64(nil, open))
	}
}
