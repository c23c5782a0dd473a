package directory

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

// directory is what this service knows of parties: genesis, its own registrations, and what an api service told. It
// decides what is refused here and how identifiers are written, never what the ledger says.
type directory struct {
	self string

	mu       sync.RWMutex
	mem      *state.Memory
	prefixes map[string]string // to the party
	told     map[string]bool   // key ids of this party according to the api service
	foreign  map[string]bool   // GLNs of parties that are known only not to be this one
}

// somebody stands for a party of which no more is known than that it is another.
const somebody = "?"

func newDirectory(g *genesis.Genesis, self string) (*directory, error) {
	d := &directory{self: self, mem: state.NewMemory(), prefixes: map[string]string{}, told: map[string]bool{}, foreign: map[string]bool{}}
	authorities := make([]registry.Authority, len(g.Authorities))
	for i, a := range g.Authorities {
		authorities[i] = registry.Authority{Party: a.Party, Key: a.Key}
	}
	if err := registry.Seed(d.mem, g.Parties, authorities); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	for i := range g.Parties {
		d.note(&g.Parties[i])
	}
	return d, nil
}

func (d *directory) note(a *registry.Act) {
	for _, p := range a.Prefixes {
		d.prefixes[p] = a.Party
	}
}

// learn adds a registration; one that contradicts what is known is ignored, as the ledger ignores it.
func (d *directory) learn(a *registry.Act) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if registry.ApplyAct(d.mem, a, false) == nil {
		d.note(a)
	}
}

func (d *directory) learnJSON(b []byte) error {
	var l learned
	if err := json.Unmarshal(b, &l); err != nil {
		return fmt.Errorf("stored registration: %w", err)
	}
	d.take(l)
	return nil
}

func (d *directory) take(l learned) {
	if l.Act != nil {
		d.learn(l.Act)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range l.Foreign {
		d.foreign[g] = true
	}
	if l.Product != nil {
		_ = registry.ApplyProduct(d.mem, l.Product) // the ledger has accepted it
	}
}

func (d *directory) hear(parties []KnownParty) {
	for _, p := range parties {
		d.learn(&registry.Act{Party: p.ID, Name: p.Name, Roles: p.Roles, GLNs: p.GLNs, Prefixes: p.Prefixes, Places: p.Places})
		if p.ID == d.self {
			d.mu.Lock()
			for _, k := range p.KeyIDs {
				d.told[k] = true
			}
			d.mu.Unlock()
		}
	}
}

// read runs fn over the registry.
func (d *directory) read(fn func(registry.Registry)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	fn(registry.Registry{View: d.mem})
}

func (d *directory) party(id string) (p registry.Party, ok bool) {
	d.read(func(r registry.Registry) { p, ok = r.Party(id) })
	return p, ok
}

func (d *directory) has(roles []string) bool {
	p, ok := d.party(d.self)
	return ok && p.Has(roles...)
}

// keyKnown reports whether the ledger, as far as known here, believes a key of this party.
func (d *directory) keyKnown(id canonical.Hash) (ok bool) {
	d.read(func(r registry.Registry) {
		k, found := r.Key(id)
		ok = found && k.Party == d.self && !k.Revoked || d.told[hex.EncodeToString(id[:])]
	})
	return ok
}

// partyOf is the party that a place or party identifier belongs to.
func (d *directory) partyOf(id string) (party string, ok bool) {
	epc, err := gs1.ParseEPC(id)
	if err != nil {
		return "", false
	}
	gln, ok := epc.Key().GLN()
	if !ok {
		return "", false
	}
	d.read(func(r registry.Registry) {
		if party, ok = r.PartyOfGLN(gln.String()); !ok && d.foreign[gln.String()] {
			party, ok = somebody, true
		}
	})
	return party, ok
}

func (d *directory) ownerOf(g gs1.GTIN) (party string, ok bool) {
	d.read(func(r registry.Registry) { party, ok = r.OwnerOfGTIN(g) })
	return party, ok
}

// split is the length of the registered company prefix that twelve digits begin with, 0 when none is known.
func (d *directory) split(digits string) int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for n := len(digits); n >= 6; n-- {
		if d.prefixes[digits[:n]] != "" {
			return n
		}
	}
	return 0
}

// write spells a key: as an EPC URN where the company prefix is registered, else as a Digital Link. It is never guessed.
func (d *directory) write(k gs1.Key) string {
	digits := ""
	if g, ok := k.GTIN(); ok {
		digits = g.String()[1:13]
	} else if s, ok := k.AsSSCC(); ok {
		digits = s.String()[1:13]
	} else if g, ok := k.GLN(); ok {
		digits = g.String()[:12]
	}
	if digits != "" {
		if n := d.split(digits); n > 0 {
			if urn, err := k.URN(n); err == nil {
				return urn
			}
		}
	}
	return k.DigitalLink()
}

// home is the place where this party's commands happen unless they say otherwise, "" when none is known.
func (d *directory) home() string { return d.address(d.self) }

// address is a party's first place, or its first GLN as a place.
func (d *directory) address(id string) string {
	p, ok := d.party(id)
	if !ok {
		return ""
	}
	if len(p.Places) > 0 {
		if k, err := registry.PlaceKey(p.Places[0].ID); err == nil {
			return d.write(k)
		}
	}
	return d.owner(id)
}

// owner is how a party is named as an owning party: its first GLN, written as the GS1 US guideline does, as an SGLN.
func (d *directory) owner(id string) string {
	p, ok := d.party(id)
	if !ok || len(p.GLNs) == 0 {
		return ""
	}
	gln, err := gs1.ParseGLN(p.GLNs[0])
	if err != nil {
		return ""
	}
	s, err := gs1.NewSGLN(gln, "")
	if err != nil {
		return ""
	}
	return d.write(s.Key())
}

// ownPrefix is the party's first prefix to number containers with.
func (d *directory) ownPrefix() string {
	p, _ := d.party(d.self)
	i := slices.IndexFunc(p.Prefixes, func(s string) bool { return len(s) >= 6 })
	if i < 0 {
		return ""
	}
	return p.Prefixes[i]
}
