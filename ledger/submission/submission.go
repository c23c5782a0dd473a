// Package submission signs and opens the messages that trading partners publish (docs/spec.md section 5).
// A Submission exists only if its signature, body hash and roots held.
//
// Open is the whole of it. A node that opens thousands a second takes it apart: Decode reads the header and needs no
// registry; Verify or VerifyBatch and ReadBody are the expensive steps and may run for many messages at once, ahead of
// their turn; Envelope.Open judges in the order of spec section 5.4 and does whatever has not been done yet. The answer
// is the same either way.
package submission

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// Limits of spec section 5.2.
const (
	MaxItems   = wire.MaxItems
	MaxUnits   = wire.MaxUnits
	MaxMessage = 786432
)

// Error says why a message does not open; Code is one of spec section 5.4.
type Error struct {
	Code   verdict.Code
	Detail string
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Detail }

func fail(code verdict.Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Keys looks keys up by id.
type Keys interface {
	Key(id canonical.Hash) (registry.KeyInfo, bool)
}

// Submission is an opened message.
type Submission struct {
	Header    Header
	RawHeader []byte
	Signature [64]byte
	Items     []wire.Item
	Hashes    []canonical.Hash // item hashes
	Units     int              // unit references
	Authority bool
}

// Sign fills in the derived header fields (KeyID, ItemCount, ItemsRoot, BodyHash) and returns the message. KeyID is the
// id of key for event use, unless the header already names its id for authority use.
func Sign(n canonical.Network, h Header, items []wire.Item, key crypto.Signer) ([]byte, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("sign submission: key is %T, not Ed25519", key.Public())
	}
	if h.KeyID != keys.ID(keys.Authority, pub) {
		h.KeyID = keys.ID(keys.Event, pub)
	}
	body, err := wire.EncodeBody(items)
	if err != nil {
		return nil, fmt.Errorf("sign submission: %w", err)
	}
	hashes, _, err := commitAll(n, items)
	if err != nil {
		return nil, fmt.Errorf("sign submission: %w", err)
	}
	h.ItemCount = uint16(len(items)) // EncodeBody holds items to MaxItems
	h.ItemsRoot = itemsRoot(hashes)
	h.BodyHash = bodyHash(n, body)
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("sign submission: %w", err)
	}
	raw := h.Encode(n)
	if size := len(raw) + signatureSize + len(body); size > MaxMessage {
		return nil, fmt.Errorf("sign submission: %d bytes, at most %d fit a message", size, MaxMessage)
	}
	sig, err := key.Sign(nil, raw, crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("sign submission: %w", err)
	}
	if len(sig) != signatureSize {
		return nil, fmt.Errorf("sign submission: signature of %d bytes", len(sig))
	}
	return append(append(raw, sig...), body...), nil
}

// commitAll computes the item hashes and counts the units.
func commitAll(n canonical.Network, items []wire.Item) (hashes []canonical.Hash, units int, err error) {
	hashes = make([]canonical.Hash, len(items))
	for i := range items {
		roots, err := commit.Commit(n, &items[i].Committed)
		if err != nil {
			return nil, 0, fmt.Errorf("item %d: %w", i, err)
		}
		hashes[i] = roots.Item
		units += len(items[i].Committed.Units)
	}
	return hashes, units, nil
}

// itemsRoot is MTH over item hashes as leaf data.
func itemsRoot(hashes []canonical.Hash) canonical.Hash {
	leaves := make([]canonical.Hash, len(hashes))
	for i := range hashes {
		leaves[i] = merkle.LeafHash(hashes[i][:])
	}
	return merkle.RootInPlace(leaves)
}

func bodyHash(n canonical.Network, body []byte) canonical.Hash { return canonical.Sum(n, "body", body) }

// Open checks everything of spec section 5.4. Errors are *Error.
func Open(n canonical.Network, epoch uint32, payload []byte, keys Keys) (*Submission, error) {
	e, err := Decode(n, epoch, payload)
	if err != nil {
		return nil, err
	}
	return e.Open(keys)
}

// Envelope is a message whose header is well-formed and meant for this ledger. Nothing else in it is known to be true.
type Envelope struct {
	Header    Header
	RawHeader []byte
	Signature [64]byte

	network canonical.Network
	body    []byte

	// Work done ahead. verified is the key under which the signature was found to hold, or not, as held says.
	verified ed25519.PublicKey
	held     bool
	read     bool
	items    []wire.Item
	hashes   []canonical.Hash
	units    int
	bodyErr  error
}

// Decode makes the checks that need neither registry nor cryptography: TooLarge to WrongEpoch. Errors are *Error. The
// envelope keeps payload, which must not change any more.
func Decode(n canonical.Network, epoch uint32, payload []byte) (*Envelope, error) {
	if len(payload) > MaxMessage {
		return nil, fail(verdict.TooLarge, "%d bytes, at most %d are allowed", len(payload), MaxMessage)
	}
	h, raw, err := DecodeHeader(n, payload)
	// A message that ends within its signature is malformed, which comes before a wrong network.
	if bad := (*Error)(nil); err == nil || errors.As(err, &bad) && bad.Code == verdict.WrongNetwork {
		if rest := len(payload) - headerSize(payload); rest < signatureSize {
			return nil, fail(verdict.Malformed, "the message ends within its signature")
		}
	}
	if err != nil {
		return nil, err
	}
	if h.Epoch != epoch {
		return nil, fail(verdict.WrongEpoch, "signed for epoch %d, this is %d", h.Epoch, epoch)
	}
	e := &Envelope{Header: h, RawHeader: raw, network: n, body: payload[len(raw)+signatureSize:]}
	copy(e.Signature[:], payload[len(raw):])
	return e, nil
}

// headerSize is the length of a well-formed header: only its party varies.
func headerSize(b []byte) int {
	at := len(start) + len(canonical.Network{}) + 4
	return at + 1 + int(b[at]) + 32 + 8 + 16 + 8 + 2 + 32 + 32 + 1 + 16 + 2 + 2
}

// signer looks the key up: KeyUnknown and SigKeyRevoked.
func (e *Envelope) signer(known Keys) (registry.KeyInfo, error) {
	info, ok := known.Key(e.Header.KeyID)
	switch {
	case !ok:
		return info, fail(verdict.KeyUnknown, "no key has the id %x", e.Header.KeyID)
	case info.Use != keys.Event && info.Use != keys.Authority:
		return info, fail(verdict.KeyUnknown, "the key is for %s, not for submissions", info.Use)
	case info.Party != e.Header.Party:
		return info, fail(verdict.KeyUnknown, "the key is not one of %s", e.Header.Party)
	case info.Revoked:
		return info, fail(verdict.SigKeyRevoked, "the key is revoked")
	}
	return info, nil
}

// Verify checks the signature ahead of Open, with cached keys. A key that is not known yet, or not any more, is left to
// Open: what it says depends on the ledger position.
func (e *Envelope) Verify(v *keys.Verifier, known Keys) {
	if info, err := e.signer(known); err == nil {
		e.verified, e.held = info.Public, v.Verify(info.Public, e.RawHeader, e.Signature[:])
	}
}

// VerifyBatch does Verify for many envelopes at once. Pass crypto/rand.Reader as random: see keys.Verifier.VerifyBatch.
func VerifyBatch(v *keys.Verifier, random io.Reader, known Keys, batch []*Envelope) {
	signed := make([]keys.Signed, 0, len(batch))
	at := make([]int, 0, len(batch))
	for i, e := range batch {
		if info, err := e.signer(known); err == nil {
			signed = append(signed, keys.Signed{Key: info.Public, Message: e.RawHeader, Bytes: e.Signature[:]})
			at = append(at, i)
		}
	}
	for j, held := range v.VerifyBatch(random, signed) {
		e := batch[at[j]]
		e.verified, e.held = signed[j].Key, held
	}
}

// ReadBody checks the body ahead of Open: BodyHash to RootMismatch.
func (e *Envelope) ReadBody() {
	if e.read {
		return
	}
	e.read = true
	e.bodyErr = e.readBody()
	e.body = nil
}

func (e *Envelope) readBody() error {
	if bodyHash(e.network, e.body) != e.Header.BodyHash {
		return fail(verdict.BodyHash, "the body is not the one signed for")
	}
	items, err := wire.DecodeBody(e.body)
	switch {
	case errors.Is(err, wire.ErrItems):
		return fail(verdict.TooManyItems, "more than %d", MaxItems)
	case errors.Is(err, wire.ErrUnits):
		return fail(verdict.TooManyUnits, "more than %d unit references", MaxUnits)
	case err != nil:
		return fail(verdict.BodyMalformed, "%v", err)
	}
	hashes, units, err := commitAll(e.network, items)
	switch {
	case err != nil:
		return fail(verdict.BodyMalformed, "%v", err)
	case len(items) != int(e.Header.ItemCount):
		return fail(verdict.RootMismatch, "%d items, the header says %d", len(items), e.Header.ItemCount)
	case itemsRoot(hashes) != e.Header.ItemsRoot:
		return fail(verdict.RootMismatch, "the items are not the ones signed for")
	}
	e.items, e.hashes, e.units = items, hashes, units
	return nil
}

// Open judges the message against the keys known at its position. Errors are *Error. An envelope is opened once: the
// items go to the submission.
func (e *Envelope) Open(known Keys) (*Submission, error) {
	info, err := e.signer(known)
	if err != nil {
		return nil, err
	}
	if e.verified == nil || !e.verified.Equal(info.Public) {
		e.verified, e.held = info.Public, keys.Verify(info.Public, e.RawHeader, e.Signature[:])
	}
	if !e.held {
		return nil, fail(verdict.SigInvalid, "the signature is not of this key over this header")
	}
	e.ReadBody()
	if e.bodyErr != nil {
		return nil, e.bodyErr
	}
	return &Submission{
		Header: e.Header, RawHeader: e.RawHeader, Signature: e.Signature,
		Items: e.items, Hashes: e.hashes, Units: e.units, Authority: info.Authority,
	}, nil
}
