// Package epcisrest is the query side of the EPCIS 2.0 REST interface (EPCIS 2.0 chapter 12): events and top-level
// resources over a node's own verified copy of the ledger.
//
// Only accepted and flagged events are answered. Who asks decides what is seen: a [Caller] that is a trading partner sees
// what it captured, what names it, and of what names objects that it holds those objects alone. The recordTime of an event
// is the time of the block it is in.
//
// It trusts the node's copy, which the follower verified, and nothing that a caller sends.
package epcisrest

import (
	"context"
	"time"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/canonical"
)

// Caller is who asks. The zero Caller sees nothing.
type Caller struct {
	Party string // id of the trading partner that asks
	All   bool   // a regulator (signed in at the api), or anybody at an open development api
}

// Item is one event of an answer.
type Item struct {
	Pos        canonical.Position
	RecordTime time.Time
	// Event is the caller's copy: what it may not see is not in it. It must not be changed.
	Event *epcis.Event
}

// Engine answers queries. Its methods may be called concurrently.
type Engine interface {
	// Head is the newest block, and its time.
	Head(ctx context.Context) (height uint64, at time.Time, err error)
	// Changed returns a channel that is closed when there is a newer block. Take it before Head, so that none is missed.
	Changed() <-chan struct{}
	// Since calls fn for every event recorded in the blocks after and up to (after, to], in ledger order, that the caller may
	// see and q matches; order and limits of q are not looked at. It stops at the first error of fn, or of ctx, and returns it.
	// What a caller may see is judged by the state at the head, so an event may be visible later that was not at first. It works
	// through a whole range: bound to-after for an answer within bounded time. to above the head is the head.
	Since(ctx context.Context, caller Caller, q *epcisquery.Query, after, to uint64, fn func(Item) error) error
}
