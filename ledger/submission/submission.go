// Package submission signs and opens the messages that trading partners publish (docs/spec.md section 5).
// A Submission exists only if its signature, body hash and roots held.
package submission

import (
	"crypto"

	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/wire"
)

// Limits of spec section 5.2.
const (
	MaxItems   = 4096
	MaxUnits   = 16384
	MaxMessage = 786432
)

// OnError says what one rejected item does to the others.
type OnError uint8

// The two behaviours.
const (
	Rollback OnError = 1
	Proceed  OnError = 2
)

// Header is what is signed.
type Header struct {
	Epoch      uint32
	Party      string
	KeyID      enc.Hash
	Counter    uint64
	ID         [16]byte
	CreatedAt  int64
	ItemCount  uint16
	ItemsRoot  enc.Hash
	BodyHash   enc.Hash
	OnError    OnError
	GroupID    [16]byte
	GroupIndex uint16
	GroupCount uint16
}

// Encode is the header's bytes for network n, tag included.
func (h *Header) Encode(n enc.Network) []byte { panic("submission") }

// DecodeHeader reads a header from the front of b and returns its bytes.
func DecodeHeader(n enc.Network, b []byte) (h Header, raw []byte, err error) { panic("submission") }

// Sign fills in the derived header fields (KeyID, ItemCount, ItemsRoot, BodyHash) and returns the message.
func Sign(n enc.Network, h Header, items []wire.Item, key crypto.Signer) ([]byte, error) {
	panic("submission")
}

// Keys looks keys up by id.
type Keys interface {
	Key(id enc.Hash) (registry.KeyInfo, bool)
}

// Submission is an opened message.
type Submission struct {
	Header    Header
	RawHeader []byte
	Signature [64]byte
	Items     []wire.Item
	Hashes    []enc.Hash // item hashes
	Units     int        // unit references
	Authority bool
}

// Error says why a message does not open; Code is one of spec section 5.4.
type Error struct{ Code, Detail string }

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

// Open checks everything of spec section 5.4. Errors are *Error.
func Open(n enc.Network, epoch uint32, payload []byte, keys Keys) (*Submission, error) {
	panic("submission")
}
