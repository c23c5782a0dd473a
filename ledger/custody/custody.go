// Package custody is the state machine of who holds what: it judges one item at a time over a view and returns
// verdict, findings and effects (docs/custody.md, docs/spec.md sections 9, 10 and 14).
//
// Units and containers have one kind of record. Whatever is inside a container stores only that it is there: holder,
// place and phase are those of the outermost container, so moving a sealed pallet writes one record however much is
// in it. Ledger position decides; event time is only checked for plausibility.
//
// Three words recur below. The actor is the party whose act an event tells, who need not be its publisher. Hearsay is
// an event published by somebody else than its actor: it takes effect only on things about which the actor has recorded
// nothing, and the actor's own event replaces it. A claim is an event that is admitted but not believed (severity hold
// for want of custody): it changes no custody, and the things it names are put on hold.
package custody

import (
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/verdict"
)

// Revision counts the changes of the rules in place before version 0.1. Blocks judged by other rules cannot be judged again:
// a data folder of another revision is refused.
const Revision = 2

// Context is where and by whom an item was submitted.
type Context struct {
	Network   canonical.Network
	Pos       canonical.Position
	Time      int64  // block time, ms
	Grace     int64  // how long a missing record may take, ms (genesis: graceSeconds)
	Party     string // publisher
	Authority bool   // signed by an authority key
	ItemHash  canonical.Hash
	// Contents is how much the items of one submission may still take out of containers without naming it: a limit of
	// what a short message costs. nil: as much as one event may, MaxContents.
	Contents *int
}

// Judgement is what the rules say of an item.
type Judgement struct {
	Verdict  block.VerdictCode
	Code     verdict.Code // for rejected and duplicate
	Detail   string       // a sentence for people; not hashed
	Findings []Finding
	// Amendments are the earlier findings that this event closes, in the order of the block.
	Amendments []Amendment
	Effects    [][]byte // spec section 9, findings and amendments excluded (the block adds them)
	// Related is the earlier event that this one repeats or links to (DUP_EVENT, RELAYED), or, of an accepted event,
	// the relayed copy that it replaces.
	Related *canonical.Position
}

// Finding is a remark; no subjects means the event itself.
type Finding struct {
	Code     verdict.Code
	Severity block.Severity
	Subjects []gs1.Key
	Detail   string
}

// Phase says whether something is held or on its way.
type Phase uint8

// The phases.
const (
	NotSeen Phase = iota
	InTransit
	Held
)

// String is not_seen, in_transit or held.
func (p Phase) String() string {
	switch p {
	case InTransit:
		return "in_transit"
	case Held:
		return "held"
	case NotSeen:
	}
	return "not_seen"
}

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

// String is active, dispensed, destroyed, decommissioned, lost or stolen.
func (s UnitState) String() string {
	switch s {
	case Active:
		return "active"
	case Dispensed:
		return "dispensed"
	case Destroyed:
		return "destroyed"
	case Decommissioned:
		return "decommissioned"
	case Lost:
		return "lost"
	case Stolen:
		return "stolen"
	}
	return "unknown"
}

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
	Shipment    canonical.Position
	Provisional bool // commissioning not seen, or only relayed
	Overlays    []string
	Since       canonical.Position // last event that changed it
	Born        canonical.Position
	Recorders   []string // parties that have themselves recorded something about it
	Owed        []string // parties that received it before its shipment was recorded by the sender
}

// Total is the number of units of a lot with one holder in one state.
type Total struct {
	Party string `json:"party"`
	State string `json:"state"` // on_hand, in_transit, unaccounted, dispensed, destroyed, decommissioned, lost, stolen, unknown
	Units uint64 `json:"units"`
}
