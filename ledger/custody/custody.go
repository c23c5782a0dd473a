// Package custody is the state machine of who holds what: it judges one item at a time over a view and returns
// verdict, findings and effects (docs/custody.md, docs/spec.md sections 9, 10 and 14).
//
// Records of units and containers, and all sums over them, are in package books: the rules read and write them only through
// it. Whatever is inside a container stores only that it is there, so moving a sealed pallet writes one record however much is
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
