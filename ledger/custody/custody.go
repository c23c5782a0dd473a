// Package custody is the state machine of who holds what: it judges one item at a time over a view and returns
// verdict, findings and effects (design section 5, domain/dscsa.md section 7, docs/spec.md sections 9 and 10).
package custody

import (
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/gs1"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// Context is where and by whom an item was submitted.
type Context struct {
	Network   enc.Network
	Pos       enc.Position
	Time      int64  // block time, ms
	Party     string // publisher
	Authority bool   // signed by an authority key
	ItemHash  enc.Hash
}

// Judgement is what the rules say of an item.
type Judgement struct {
	Verdict  block.VerdictCode
	Code     string // for rejected and duplicate
	Detail   string // a sentence for people; not hashed
	Findings []Finding
	Effects  [][]byte // spec section 9, findings excluded (the block adds them)
	// Related is the earlier event that this one repeats or links to (DUP_EVENT, RELAYED).
	Related *enc.Position
}

// Finding is a remark; no subjects means the event itself.
type Finding struct {
	Code     string
	Severity block.Severity
	Subjects []gs1.Key
	Detail   string
}

// Judge applies the rules to one item. It writes to st only when the verdict is accepted or flagged (and the record that
// recognises repeated events).
func Judge(st state.Store, c Context, it *wire.Item) Judgement { panic("custody") }

// Phase says whether something is held or on its way.
type Phase uint8

// The phases.
const (
	NotSeen Phase = iota
	InTransit
	Held
)

// UnitState is the life of a unit (spec section 9, effect 5).
type UnitState uint8

// The states.
const (
	Active UnitState = 1 + iota
	Dispensed
	Destroyed
	Decommissioned
	Lost
	Stolen
)

// Unit is a unit or container as recorded. Holder, Owner, Place and Phase are those of its outermost container
// while it is inside one; Locate resolves them.
type Unit struct {
	Key         gs1.Key
	State       UnitState
	Lot, Expiry string // empty for containers
	Parent      gs1.Key
	Phase       Phase
	Holder      string // party id (while in transit: the sender)
	Owner       string
	To          string // destination owner while in transit
	Place       string // key text
	Shipment    enc.Position
	Provisional bool // commissioning not seen, or only relayed
	Overlays    []string
	Since       enc.Position // last event that changed it
	Born        enc.Position
}

// Lookup returns the record as stored.
func Lookup(v state.View, key gs1.Key) (Unit, bool) { panic("custody") }

// Locate returns the record with place, holder, owner, phase and inherited overlays of its containers, and the chain of
// containers, innermost first.
func Locate(v state.View, key gs1.Key) (u Unit, containers []gs1.Key, ok bool) { panic("custody") }

// Children lists the direct contents of a container in key order.
func Children(v state.View, parent gs1.Key, fn func(gs1.Key) bool) { panic("custody") }

// Total is the number of units of a lot with one holder in one state.
type Total struct {
	Party string `json:"party"`
	State string `json:"state"` // on_hand, in_transit, unaccounted, dispensed, destroyed, decommissioned, lost, stolen, unknown
	Units uint64 `json:"units"`
}

// LotTotals counts a lot's units per (party, state), sorted; they add up to the units commissioned (second result).
func LotTotals(v state.View, g gs1.GTIN, lot string) ([]Total, uint64) { panic("custody") }

// LotUnits lists a lot's units in key order with their located record and state name.
func LotUnits(v state.View, g gs1.GTIN, lot string, fn func(u Unit, state string) bool) {
	panic("custody")
}

// MatchHash is spec section 10.
func MatchHash(n enc.Network, it *wire.Item) enc.Hash { panic("custody") }
