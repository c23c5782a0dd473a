package books

import (
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
)

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
