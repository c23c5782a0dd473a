package custody

import (
	"errors"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
)

// Effect kinds (docs/spec.md section 9). Findings and amendments (7 and 8) are the block's.
const (
	EffectCommissioned uint8 = 1 + iota
	EffectMoved
	EffectPacked
	EffectUnpacked
	EffectState
	EffectOverlay
	EffectFinding
	EffectAmendment
	EffectRegistry
	EffectRestored
)

// What a registry effect is about.
const (
	RegistryGenesis uint8 = iota
	RegistryParty
	RegistryProduct
	RegistryLot
	RegistryRecall
)

// An Effect is one change of state as the state root hashes it. Encode gives exactly the bytes of docs/spec.md
// section 9; the texts in it have been parsed before, so lengths fit.
type Effect interface{ Encode() []byte }

// Commissioned (kind 1) is the birth of units of one GTIN, or of containers (GTIN empty; then Serials are key texts).
// An empty Holder leaves custody as it is: the birth record came after the units had moved.
type Commissioned struct {
	GTIN, Lot, Expiry, Holder, Place string
	Provisional                      bool
	Serials                          []string
}

// Moved (kind 2) is a change of custody of what the keys name, with everything inside.
type Moved struct {
	Phase                    Phase
	Holder, Owner, Place, To string
	Shipment                 canonical.Position
	Keys                     []string
}

// Packed (kind 3) puts keys into a container.
type Packed struct {
	Parent string
	Keys   []string
}

// Unpacked (kind 4) takes keys out of a container; they keep its custody and overlays.
type Unpacked struct {
	Parent string
	Keys   []string
}

// StateSet (kind 5) is a step in the life of units.
type StateSet struct {
	State UnitState
	Keys  []string
}

// OverlaySet (kind 6) sets or clears an overlay.
type OverlaySet struct {
	Set     bool
	Overlay string
	Keys    []string
}

// Registered (kind 9) is an accepted registry item.
type Registered struct {
	What uint8
	ID   string
	Hash canonical.Hash
}

// Restored (kind 10) takes an event back: what the keys name is again as it was before the event, and what Gone names was
// not born. Overlay effects that follow say what has changed otherwise since.
type Restored struct {
	Event      canonical.Position
	Keys, Gone []string
}

// begin makes room for an effect: a few fixed bytes, and a number of others.
func begin(kind uint8, size int) []byte {
	const fixed = 48
	return append(make([]byte, 0, fixed+size), kind)
}

// Encode implements Effect.
func (e Commissioned) Encode() []byte {
	size := len(e.GTIN) + len(e.Lot) + len(e.Expiry) + len(e.Holder) + len(e.Place)
	b := canonical.Str8(begin(EffectCommissioned, size+books.SizeOf(e.Serials)), e.GTIN)
	b = canonical.Str8(b, e.Lot)
	b = canonical.Str8(b, e.Expiry)
	b = canonical.Str8(b, e.Holder)
	b = canonical.Str16(b, e.Place)
	return books.PutKeys(append(b, books.AsByte(e.Provisional)), e.Serials)
}

// Encode implements Effect.
func (e Moved) Encode() []byte {
	size := len(e.Holder) + len(e.Owner) + len(e.Place) + len(e.To)
	b := canonical.Str8(append(begin(EffectMoved, size+books.SizeOf(e.Keys)), uint8(e.Phase)), e.Holder)
	b = canonical.Str8(b, e.Owner)
	b = canonical.Str16(b, e.Place)
	b = canonical.Str8(b, e.To)
	return books.PutKeys(e.Shipment.Append(b), e.Keys)
}

// Encode implements Effect.
func (e Packed) Encode() []byte {
	return books.PutKeys(canonical.Str16(begin(EffectPacked, len(e.Parent)+books.SizeOf(e.Keys)), e.Parent), e.Keys)
}

// Encode implements Effect.
func (e Unpacked) Encode() []byte {
	return books.PutKeys(canonical.Str16(begin(EffectUnpacked, len(e.Parent)+books.SizeOf(e.Keys)), e.Parent), e.Keys)
}

// Encode implements Effect.
func (e StateSet) Encode() []byte {
	return books.PutKeys(append(begin(EffectState, books.SizeOf(e.Keys)), uint8(e.State)), e.Keys)
}

// Encode implements Effect.
func (e OverlaySet) Encode() []byte {
	b := append(begin(EffectOverlay, len(e.Overlay)+books.SizeOf(e.Keys)), books.AsByte(e.Set))
	return books.PutKeys(canonical.Str8(b, e.Overlay), e.Keys)
}

// Encode implements Effect.
func (e Registered) Encode() []byte {
	b := canonical.Str16([]byte{EffectRegistry, e.What}, e.ID)
	return append(b, e.Hash[:]...)
}

// Encode implements Effect.
func (e Restored) Encode() []byte {
	b := begin(EffectRestored, books.SizeOf(e.Keys)+books.SizeOf(e.Gone))
	return books.PutKeys(books.PutKeys(e.Event.Append(b), e.Keys), e.Gone)
}

// ErrEffect says that bytes are no effect of this package.
var ErrEffect = errors.New("custody: not an effect")

func readBool(r *canonical.Reader) bool {
	v := r.U8()
	if v > 1 {
		r.Fail(canonical.ErrRange)
	}
	return v == 1
}

// DecodeEffect reads exactly what Encode wrote; kinds 7 and 8 are leaves of the verdicts tree (block.DecodeVerdictLeaf).
func DecodeEffect(b []byte) (Effect, error) {
	r := canonical.NewReader(b)
	var e Effect
	switch r.U8() {
	case EffectCommissioned:
		c := Commissioned{GTIN: string(r.Str8()), Lot: string(r.Str8()), Expiry: string(r.Str8()), Holder: string(r.Str8()), Place: string(r.Str16())}
		c.Provisional, c.Serials = readBool(r), books.ReadKeys(r)
		e = c
	case EffectMoved:
		m := Moved{Phase: Phase(r.U8()), Holder: string(r.Str8()), Owner: string(r.Str8()), Place: string(r.Str16()), To: string(r.Str8())}
		if m.Phase != InTransit && m.Phase != Held {
			r.Fail(canonical.ErrRange)
		}
		m.Shipment, m.Keys = r.Position(), books.ReadKeys(r)
		e = m
	case EffectPacked:
		e = Packed{Parent: string(r.Str16()), Keys: books.ReadKeys(r)}
	case EffectUnpacked:
		e = Unpacked{Parent: string(r.Str16()), Keys: books.ReadKeys(r)}
	case EffectState:
		s := StateSet{State: UnitState(r.U8()), Keys: books.ReadKeys(r)}
		if s.State < Active || s.State > Stolen {
			r.Fail(canonical.ErrRange)
		}
		e = s
	case EffectOverlay:
		e = OverlaySet{Set: readBool(r), Overlay: string(r.Str8()), Keys: books.ReadKeys(r)}
	case EffectRegistry:
		g := Registered{What: r.U8(), ID: string(r.Str16()), Hash: r.Hash()}
		if g.What > RegistryRecall {
			r.Fail(canonical.ErrRange)
		}
		e = g
	case EffectRestored:
		e = Restored{Event: r.Position(), Keys: books.ReadKeys(r), Gone: books.ReadKeys(r)}
	default:
		r.Fail(ErrEffect)
	}
	if err := r.Done(); err != nil {
		return nil, err
	}
	return e, nil
}
