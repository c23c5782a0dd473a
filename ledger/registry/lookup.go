package registry

import (
	"crypto/ed25519"

	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/gs1"
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
	Keys      []enc.Hash
	Licences  []Licence
	Places    []Place
}

// Has reports whether the party has one of the roles.
func (p *Party) Has(roles ...string) bool { panic("registry") }

// Registry answers over a view. It implements submission.Keys.
type Registry struct{ View state.View }

// Key looks up a key by id.
func (r Registry) Key(id enc.Hash) (KeyInfo, bool) { panic("registry") }

// Party looks up a party by id.
func (r Registry) Party(id string) (Party, bool) { panic("registry") }

// Parties lists all parties by id.
func (r Registry) Parties() []Party { panic("registry") }

// PartyOfGLN finds who a GLN belongs to: registered as such, or by the longest registered company prefix it starts with.
func (r Registry) PartyOfGLN(gln string) (string, bool) { panic("registry") }

// OwnerOfGTIN finds the party whose registered company prefix covers the GTIN (longest wins).
func (r Registry) OwnerOfGTIN(g gs1.GTIN) (string, bool) { panic("registry") }

// Place looks up a site by key text of its SGLN.
func (r Registry) Place(key string) (Place, bool) { panic("registry") }

// Product looks up master data by GTIN.
func (r Registry) Product(g gs1.GTIN) (Product, bool) { panic("registry") }

// Lot looks up a registered lot.
func (r Registry) Lot(g gs1.GTIN, lot string) (Lot, bool) { panic("registry") }

// Recalls returns the open recalls that cover a lot (lot-wide, GTIN-wide), newest last.
func (r Registry) Recalls(g gs1.GTIN, lot string) []RecallRecord { panic("registry") }

// RecallRecord is a recall and where it stands.
type RecallRecord struct {
	Recall
	Party string
	Pos   enc.Position
}

// ApplyAct, ApplyProduct, ApplyLot and ApplyRecall write what an accepted item says. They check nothing but form; who may
// say it is custody's business. The error is for malformed content (bad prefix, small-order key, …) and writes nothing.
func ApplyAct(st state.Store, a *Act, authority bool) error { panic("registry") }

// ApplyProduct stores master data.
func ApplyProduct(st state.Store, p *Product) error { panic("registry") }

// ApplyLot stores a lot.
func ApplyLot(st state.Store, l *Lot) error { panic("registry") }

// ApplyRecall stores a recall.
func ApplyRecall(st state.Store, party string, pos enc.Position, rc *Recall) error { panic("registry") }

// KeyID is the key id of docs/spec.md section 1; submission and genesis use it too.
func KeyID(use string, key ed25519.PublicKey) enc.Hash { panic("registry") }
