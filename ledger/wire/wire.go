// Package wire is the only package of the ledger that knows protobuf: submission bodies in and out, strictly
// (docs/spec.md 5.2), and the walk over a message that gives its committed fields and units (4.2, 4.3).
package wire

import (
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/enc"
)

// Item kinds (docs/spec.md 5.3).
const (
	KindDocumentHeader uint8 = 10 + iota
	KindEvent
	KindPartyAct
	KindProduct
	KindLot
	KindRecall
	KindResolution
	KindGrant
	KindAnchor
	KindGovernance
)

// Item is one item of a body. Message is a pointer to the type of its kind: *epcis.Header, *epcis.Event, *registry.Act,
// *registry.Product, *registry.Lot, *registry.Recall, *registry.Resolution, *registry.Grant, *registry.Anchor,
// *registry.Governance; or Opaque for an unknown kind.
type Item struct {
	Kind    uint8
	Salt    [32]byte
	Sealed  []commit.Sealed
	Message any
	Opaque  []byte
	// Committed is everything hashed: filled by DecodeBody and EncodeBody.
	Committed commit.Item
}

// EncodeBody encodes items deterministically and fills their Committed.
func EncodeBody(items []Item) ([]byte, error) { panic("wire") }

// DecodeBody decodes strictly. Errors name the item and what is wrong.
func DecodeBody(body []byte) ([]Item, error) { panic("wire") }

// Seal moves the text of every open field that sel selects out of the items' messages into sealed leaves, with salts
// taken from random, and returns the values to keep, per item. The items must then be encoded.
func Seal(n enc.Network, it *Item, sel func(commit.Field) bool, random func() [32]byte) ([]commit.SealedValue, error) {
	panic("wire")
}
