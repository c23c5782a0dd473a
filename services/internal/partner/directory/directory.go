// Package directory is what a partner's service knows of parties: genesis, its own registrations,
// and what an api service told. It decides what is refused at capture and how identifiers are
// written, never what the ledger says.
package directory

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

// Config of a directory. Genesis, Party, KeyID and Now are required.
type Config struct {
	Genesis *genesis.Genesis
	Party   string         // whose service this is
	KeyID   canonical.Hash // of the party's event key
	// Parties asks an api service for all registered parties; nil: the directory knows only what
	// genesis and its own registrations say.
	Parties func(context.Context) ([]KnownParty, error)
	Now     func() time.Time
	Log     *slog.Logger // nil: nothing is logged
}

// KnownParty is a party as an api service tells it.
type KnownParty struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Roles    []string         `json:"roles"`
	GLNs     []string         `json:"glns"`
	Prefixes []string         `json:"companyPrefixes"`
	KeyIDs   []string         `json:"keyIDs"`
	Places   []registry.Place `json:"places"`
}

// Registration is something that was registered through this service, as it is stored.
type Registration struct {
	Act     *registry.Act     `json:"act,omitempty"`
	Product *registry.Product `json:"product,omitempty"`
	Lot     *registry.Lot     `json:"lot,omitempty"`
	// Foreign are GLNs that the ledger says are another party's, without saying whose.
	Foreign []string `json:"foreign,omitempty"`
}

// Directory is safe for concurrent use.
type Directory struct {
	cfg  Config
	self string

	// mu guards the fields below, which are in memory. Readers see every registration whole or not
	// at all.
	mu       sync.RWMutex
	mem      *state.Memory
	prefixes map[string]string // to the party
	told     map[string]bool   // key ids of this party according to the api service
	foreign  map[string]bool   // GLNs of parties that are known only not to be this one
}

// somebody stands for a party of which no more is known than that it is another.
const somebody = "?"

// New makes a directory that knows the parties of the genesis file.
func New(cfg Config) (*Directory, error) {
	g := cfg.Genesis
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &Directory{cfg: cfg, self: cfg.Party, mem: state.NewMemory(), prefixes: map[string]string{}, told: map[string]bool{}, foreign: map[string]bool{}}
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

func (d *Directory) note(a *registry.Act) {
	for _, p := range a.Prefixes {
		d.prefixes[p] = a.Party
	}
}

// learn adds a registration; one that contradicts what is known is ignored, as the ledger ignores it.
func (d *Directory) learn(a *registry.Act) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if registry.ApplyAct(d.mem, a, false) == nil {
		d.note(a)
	}
}

// Load adds a stored registration.
func (d *Directory) Load(b []byte) error {
	var l Registration
	if err := json.Unmarshal(b, &l); err != nil {
		return fmt.Errorf("stored registration: %w", err)
	}
	d.Add(l)
	return nil
}

// Add adds a registration that the ledger has accepted.
func (d *Directory) Add(l Registration) {
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
	if l.Lot != nil {
		_ = registry.ApplyLot(d.mem, l.Lot)
	}
}

// Refresh asks the api service for the parties. What it answers is a courtesy: without it more is
// left to the ledger.
func (d *Directory) Refresh(ctx context.Context) {
	if d.cfg.Parties == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	list, err := d.cfg.Parties(ctx)
	if err != nil {
		d.cfg.Log.Info("the api service did not tell the parties", "err", err)
		return
	}
	d.hear(list)
}

func (d *Directory) hear(parties []KnownParty) {
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

// View is a directory while nothing in it changes. It holds for the length of one Read.
type View struct {
	registry.Registry
	Prefixes map[string]string // registered company prefixes, and whose they are; not to be changed
}

// Read runs fn over the directory. fn must not call it.
func (d *Directory) Read(fn func(View)) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	fn(View{registry.Registry{View: d.mem}, d.prefixes})
}

// Self is the party whose service this is.
func (d *Directory) Self() string { return d.self }

func (d *Directory) party(id string) (p registry.Party, ok bool) {
	d.Read(func(r View) { p, ok = r.Party(id) })
	return p, ok
}

// keyKnown reports whether the ledger, as far as known here, believes a key of this party.
func (d *Directory) keyKnown(id canonical.Hash) (ok bool) {
	d.Read(func(r View) {
		k, found := r.Key(id)
		ok = found && k.Party == d.self && !k.Revoked || d.told[hex.EncodeToString(id[:])]
	})
	return ok
}

// PartyOf is the party that a place or party identifier belongs to.
func (d *Directory) PartyOf(id string) (party string, ok bool) {
	epc, err := gs1.ParseEPC(id)
	if err != nil {
		return "", false
	}
	gln, ok := epc.Key().GLN()
	if !ok {
		return "", false
	}
	return d.PartyOfGLN(gln.String())
}

// PartyOfGLN implements custody.Directory.
func (d *Directory) PartyOfGLN(gln string) (party string, ok bool) {
	d.Read(func(r View) {
		if party, ok = r.PartyOfGLN(gln); !ok && d.foreign[gln] {
			party, ok = somebody, true
		}
	})
	return party, ok
}

// OwnerOf is the party whose company prefix covers a GTIN.
func (d *Directory) OwnerOf(g gs1.GTIN) (party string, ok bool) {
	d.Read(func(r View) { party, ok = r.OwnerOfGTIN(g) })
	return party, ok
}

// Split is the length of the registered company prefix that twelve digits begin with, 0 when none
// is known.
func (d *Directory) Split(digits string) int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for n := len(digits); n >= 6; n-- {
		if d.prefixes[digits[:n]] != "" {
			return n
		}
	}
	return 0
}

// Write spells a key: as an EPC URN where the company prefix is registered, else as a Digital Link.
// It is never guessed.
func (d *Directory) Write(k gs1.Key) string {
	digits := ""
	if g, ok := k.GTIN(); ok {
		digits = g.String()[1:13]
	} else if s, ok := k.AsSSCC(); ok {
		digits = s.String()[1:13]
	} else if g, ok := k.GLN(); ok {
		digits = g.String()[:12]
	}
	if digits != "" {
		if n := d.Split(digits); n > 0 {
			if urn, err := k.URN(n); err == nil {
				return urn
			}
		}
	}
	return k.DigitalLink()
}

// Home is the place where this party's commands happen unless they say otherwise, "" when none is
// known.
func (d *Directory) Home() string { return d.Address(d.self) }

// Address is a party's first place, or its first GLN as a place.
func (d *Directory) Address(id string) string {
	p, ok := d.party(id)
	if !ok {
		return ""
	}
	if len(p.Places) > 0 {
		if k, err := registry.PlaceKey(p.Places[0].ID); err == nil {
			return d.Write(k)
		}
	}
	return d.Owner(id)
}

// Owner is how a party is named as an owning party: its first GLN, written as the GS1 US guideline
// does, as an SGLN.
func (d *Directory) Owner(id string) string {
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
	return d.Write(s.Key())
}

// OwnPrefix is the party's first prefix to number containers with.
func (d *Directory) OwnPrefix() string {
	p, _ := d.party(d.self)
	i := slices.IndexFunc(p.Prefixes, func(s string) bool { return len(s) >= 6 })
	if i < 0 {
		return ""
	}
	return p.Prefixes[i]
}
