package block

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
)

// The purposes of stream messages.
const (
	PurposeSubmission = "submission"
	PurposePulse      = "pulse"
	PurposeEpoch      = "epoch"
)

// Pulse is a validator's cut, tick or heartbeat (spec section 6).
type Pulse struct {
	What    Kind // Cut, Tick, Heartbeat
	Epoch   uint32
	Height  uint64
	Clock   int64
	Counter uint64
	KeyID   canonical.Hash
}

// Epoch is the record that opens a stream (spec section 6).
type Epoch struct {
	Epoch      uint32
	Genesis    canonical.Hash
	LastHeader canonical.Hash
	KeyID      canonical.Hash
}

// encode is tag("pulse") || u8 what || u32 epoch || u64 height || i64 clock || u64 counter || key id (32).
func (p *Pulse) encode(n canonical.Network) []byte {
	b := canonical.AppendTag(make([]byte, 0, 192), n, PurposePulse)
	b = canonical.U8(b, uint8(p.What-Cut+1))
	b = canonical.U32(b, p.Epoch)
	b = canonical.U64(b, p.Height)
	b = canonical.I64(b, p.Clock)
	b = canonical.U64(b, p.Counter)
	return append(b, p.KeyID[:]...)
}

func (p *Pulse) check() error {
	if p.What < Cut || p.What > Heartbeat || p.What == Tick && p.Height != 0 {
		return fmt.Errorf("block: pulse: %w", canonical.ErrRange)
	}
	return nil
}

// encode is tag("epoch") || u32 epoch || genesis hash (32) || last header (32) || key id (32).
func (e *Epoch) encode(n canonical.Network) []byte {
	b := canonical.AppendTag(make([]byte, 0, 256), n, PurposeEpoch)
	b = canonical.U32(b, e.Epoch)
	b = append(b, e.Genesis[:]...)
	b = append(b, e.LastHeader[:]...)
	return append(b, e.KeyID[:]...)
}

// SignPulse returns the stream message. The key id is the signer's.
func SignPulse(n canonical.Network, p Pulse, key crypto.Signer) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	var err error
	if p.KeyID, err = voteKeyID(key); err != nil {
		return nil, err
	}
	return seal(p.encode(n), key)
}

// SignEpoch returns the stream message. The key id is the signer's.
func SignEpoch(n canonical.Network, e Epoch, key crypto.Signer) ([]byte, error) {
	var err error
	if e.KeyID, err = voteKeyID(key); err != nil {
		return nil, err
	}
	return seal(e.encode(n), key)
}

func voteKeyID(key crypto.Signer) (canonical.Hash, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return canonical.Hash{}, errors.New("block: not an Ed25519 key")
	}
	return keys.ID(keys.Vote, pub), nil
}

func seal(signed []byte, key crypto.Signer) ([]byte, error) {
	sig, err := key.Sign(nil, signed, crypto.Hash(0)) // Ed25519 needs no randomness
	if err != nil {
		return nil, fmt.Errorf("block: sign: %w", err)
	}
	if len(sig) != 64 {
		return nil, errors.New("block: signer returned no Ed25519 signature")
	}
	return append(signed, sig...), nil
}

// SplitPulse decodes without verifying the signature: verify with the validator's vote key over signed.
func SplitPulse(n canonical.Network, payload []byte) (p Pulse, signed []byte, sig [64]byte, err error) {
	signed, sig, err = split(payload)
	r := canonical.NewReader(signed)
	r.Tag(n, PurposePulse)
	what := r.U8()
	p = Pulse{What: Kind(what) + Cut - 1, Epoch: r.U32(), Height: r.U64(), Clock: r.I64(), Counter: r.U64(), KeyID: r.Hash()}
	if err = errors.Join(err, r.Done()); err == nil && (what < 1 || what > 3) {
		err = canonical.ErrRange
	}
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return Pulse{}, nil, [64]byte{}, fmt.Errorf("block: pulse: %w", err)
	}
	return p, signed, sig, nil
}

// SplitEpoch decodes without verifying the signature.
func SplitEpoch(n canonical.Network, payload []byte) (e Epoch, signed []byte, sig [64]byte, err error) {
	signed, sig, err = split(payload)
	r := canonical.NewReader(signed)
	r.Tag(n, PurposeEpoch)
	e = Epoch{Epoch: r.U32(), Genesis: r.Hash(), LastHeader: r.Hash(), KeyID: r.Hash()}
	if err = errors.Join(err, r.Done()); err != nil {
		return Epoch{}, nil, [64]byte{}, fmt.Errorf("block: epoch record: %w", err)
	}
	return e, signed, sig, nil
}

// split takes the signature off the end.
func split(payload []byte) (signed []byte, sig [64]byte, err error) {
	at := len(payload) - len(sig)
	if at < 0 {
		return nil, sig, canonical.ErrShort
	}
	copy(sig[:], payload[at:])
	return payload[:at:at], sig, nil
}

// Purpose names the tag at the front of a payload: submission, pulse, epoch, or "" when it is none of ours.
func Purpose(n canonical.Network, payload []byte) string {
	var scratch [64]byte // every message passes here: no allocation
	for _, p := range [...]string{PurposeSubmission, PurposePulse, PurposeEpoch} {
		if bytes.HasPrefix(payload, canonical.AppendTag(scratch[:0], n, p)) {
			return p
		}
	}
	return ""
}
