package submission

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/verdict"
)

// Header is what is signed.
type Header struct {
	Epoch      uint32
	Party      string
	KeyID      canonical.Hash
	Counter    uint64
	ID         [16]byte // UUIDv7
	CreatedAt  int64    // ms since 1970, UTC
	ItemCount  uint16
	ItemsRoot  canonical.Hash
	BodyHash   canonical.Hash
	OnError    OnError
	GroupID    [16]byte
	GroupIndex uint16
	GroupCount uint16
}

// OnError says what one rejected item does to the others.
type OnError uint8

// The two behaviours.
const (
	Rollback OnError = 1
	Proceed  OnError = 2
)

const purpose = "submission"

// start is how every submission begins: its tag up to the network (spec section 1).
var start = string(canonical.AppendTag(nil, canonical.Network{}, purpose)[:len("?verilot/"+purpose)+2])

// Encode is the header's bytes for network n, tag included (spec section 5.1). A header that check refuses encodes to
// something that does not decode.
func (h *Header) Encode(n canonical.Network) []byte {
	b := canonical.AppendTag(make([]byte, 0, 256), n, purpose)
	b = canonical.U32(b, h.Epoch)
	b = canonical.Str8(b, h.Party)
	b = append(b, h.KeyID[:]...)
	b = canonical.U64(b, h.Counter)
	b = append(b, h.ID[:]...)
	b = canonical.I64(b, h.CreatedAt)
	b = canonical.U16(b, h.ItemCount)
	b = append(b, h.ItemsRoot[:]...)
	b = append(b, h.BodyHash[:]...)
	b = canonical.U8(b, uint8(h.OnError))
	b = append(b, h.GroupID[:]...)
	b = canonical.U16(b, h.GroupIndex)
	return canonical.U16(b, h.GroupCount)
}

// DecodeHeader reads a header from the front of b and returns its bytes. Errors are *Error with the codes UnknownPurpose,
// Malformed and WrongNetwork.
func DecodeHeader(n canonical.Network, b []byte) (h Header, raw []byte, err error) {
	if len(b) < len(start) || string(b[:len(start)]) != start {
		return h, nil, fail(verdict.UnknownPurpose, "the payload does not begin like a submission")
	}
	r := canonical.NewReader(b[len(start):])
	var network canonical.Network
	copy(network[:], r.Bytes(len(network)))
	h.Epoch = r.U32()
	h.Party = string(r.Str8())
	h.KeyID = r.Hash()
	h.Counter = r.U64()
	copy(h.ID[:], r.Bytes(16))
	h.CreatedAt = r.I64()
	h.ItemCount = r.U16()
	h.ItemsRoot = r.Hash()
	h.BodyHash = r.Hash()
	h.OnError = OnError(r.U8())
	copy(h.GroupID[:], r.Bytes(16))
	h.GroupIndex = r.U16()
	h.GroupCount = r.U16()
	if r.Err() == nil {
		if bad := h.check(); bad != nil {
			r.Fail(bad)
		}
	}
	if err := r.Err(); err != nil {
		return Header{}, nil, fail(verdict.Malformed, "header: %v", err)
	}
	if network != n {
		return Header{}, nil, fail(verdict.WrongNetwork, "signed for network %x, this is %x", network, n)
	}
	size := len(b) - r.Len()
	return h, b[:size:size], nil
}

// check is the ranges of spec section 5.1.
func (h *Header) check() error {
	var none [16]byte
	switch {
	case !isPartyID(h.Party):
		return fmt.Errorf("party %q is not 1 to 32 of a-z, 0-9 and -, not beginning with -", h.Party)
	case h.Counter == 0:
		return errors.New("counters start at 1")
	case h.ID[6]>>4 != 7 || h.ID[8]>>6 != 2:
		return errors.New("submission id is not a UUIDv7")
	case h.ItemCount == 0:
		return errors.New("no items")
	case h.OnError != Rollback && h.OnError != Proceed:
		return fmt.Errorf("on_error %d", h.OnError)
	case h.GroupID == none && (h.GroupIndex != 0 || h.GroupCount != 0):
		return errors.New("a place in no group")
	case h.GroupID != none && h.GroupIndex >= h.GroupCount:
		return fmt.Errorf("part %d of a group of %d, counting from 0", h.GroupIndex, h.GroupCount)
	case h.OnError == Rollback && h.GroupCount > 1:
		return errors.New("rollback in a group of several")
	}
	return nil
}

// isPartyID is the syntax of spec section 2.
func isPartyID(s string) bool {
	if s == "" || len(s) > 32 || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

const signatureSize = ed25519.SignatureSize
