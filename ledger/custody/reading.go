package custody

import (
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/state"
)

// What readers of the ledger ask the books. Package books has the words.
type (
	Phase     = books.Phase
	UnitState = books.UnitState
	Unit      = books.Unit
	Total     = books.Total
	Stock     = books.Stock
	Contents  = books.Contents
	Shipped   = books.Shipped
)

// The phases.
const (
	NotSeen   = books.NotSeen
	InTransit = books.InTransit
	Held      = books.Held
)

// The states.
const (
	Active         = books.Active
	Dispensed      = books.Dispensed
	Destroyed      = books.Destroyed
	Decommissioned = books.Decommissioned
	Lost           = books.Lost
	Stolen         = books.Stolen
)

// Names of the states of active units.
const (
	OnHand      = books.OnHand
	OnItsWay    = books.OnItsWay
	Unaccounted = books.Unaccounted
	Nowhere     = books.Nowhere
)

// Lookup returns the record as stored.
func Lookup(v state.View, key gs1.Key) (Unit, bool) { return books.Lookup(v, key) }

// Locate returns the record with what it takes on from the containers around it, and those, innermost first.
func Locate(v state.View, key gs1.Key) (u Unit, containers []gs1.Key, ok bool) {
	return books.Locate(v, key)
}

// Inside returns what is inside a container. The cost grows with the number of lots in it, not with its units.
func Inside(v state.View, key gs1.Key) Contents { return books.Inside(v, key) }

// Children lists the direct contents of a container in key order.
func Children(v state.View, parent gs1.Key, fn func(gs1.Key) bool) { books.Children(v, parent, fn) }

// ShipmentAt returns the shipment that the event at pos began.
func ShipmentAt(v state.View, pos canonical.Position) (Shipped, bool) {
	return books.ShipmentAt(v, pos)
}

// UnitStates lists the names of states, as StateName gives them.
func UnitStates() []string { return books.UnitStates() }

// StateName is how lists and totals name the state of a unit that Locate returned.
func StateName(v state.View, u *Unit) string { return books.StateName(v, u) }

// LotUnits lists a lot's units, with their located record and state name.
func LotUnits(v state.View, g gs1.GTIN, lot string, fn func(u Unit, state string) bool) {
	books.LotUnits(v, g, lot, fn)
}

// LotTotals counts a lot's units per party and state; the second result is their sum.
func LotTotals(v state.View, g gs1.GTIN, lot string) ([]Total, uint64) {
	return books.LotTotals(v, g, lot)
}

// LotExpiry is the expiry that the maker recorded with the first units of a lot, "" if there are none. It is no walk.
func LotExpiry(v state.View, g gs1.GTIN, lot string) string { return books.LotExpiry(v, g, lot) }
