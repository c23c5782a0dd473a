package quorum

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
)

// VoteKind is prepare or commit.
type VoteKind uint8

// The two votes.
const (
	Prepare VoteKind = 1
	Commit  VoteKind = 2
)

// String is the vote's name in logs and status pages.
func (k VoteKind) String() string {
	switch k {
	case Prepare:
		return "prepare"
	case Commit:
		return "commit"
	}
	return fmt.Sprintf("vote kind %d", uint8(k))
}

// Vote is one vote of spec section 8.1.
type Vote struct {
	Epoch  uint32
	Height uint64
	Round  uint32
	Kind   VoteKind
	Nil    bool
	Header canonical.Hash // zero if and only if Nil
	KeyID  canonical.Hash
}

// SignedVote is a vote's bytes and signature.
type SignedVote struct {
	Vote      Vote
	Raw       []byte
	Signature [64]byte
}

// Payload is what travels: the vote's bytes, then the signature.
func (v SignedVote) Payload() []byte {
	return append(append(make([]byte, 0, len(v.Raw)+64), v.Raw...), v.Signature[:]...)
}

// Errors of OpenVote.
var (
	ErrUnknownKey = errors.New("quorum: key of no validator in the set")
	ErrSignature  = errors.New("quorum: signature does not verify")
)

// SignVote signs v; the key id is the signer's.
func SignVote(n canonical.Network, v Vote, key crypto.Signer) (SignedVote, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return SignedVote{}, errors.New("quorum: not an Ed25519 key")
	}
	v.KeyID = keys.ID(keys.Vote, pub)
	if err := v.check(); err != nil {
		return SignedVote{}, err
	}
	raw := v.encode(n)
	sig, err := sign(key, raw)
	return SignedVote{Vote: v, Raw: raw, Signature: sig}, err
}

func (v *Vote) check() error {
	if v.Kind != Prepare && v.Kind != Commit {
		return fmt.Errorf("quorum: vote kind %d: %w", v.Kind, canonical.ErrRange)
	}
	// With one way to write nil, two nil votes can never look like two different votes.
	if v.Nil != (v.Header == canonical.Hash{}) {
		return fmt.Errorf("quorum: nil vote with a header, or the reverse: %w", canonical.ErrRange)
	}
	return nil
}

// encode is tag("vote") || u32 epoch || u64 height || u32 round || u8 kind || u8 nil || header (32) || key id (32).
func (v *Vote) encode(n canonical.Network) []byte {
	b := canonical.AppendTag(make([]byte, 0, 144), n, "vote")
	b = canonical.U32(b, v.Epoch)
	b = canonical.U64(b, v.Height)
	b = canonical.U32(b, v.Round)
	b = canonical.U8(b, uint8(v.Kind))
	var isNil uint8
	if v.Nil {
		isNil = 1
	}
	b = canonical.U8(b, isNil)
	b = append(b, v.Header[:]...)
	return append(b, v.KeyID[:]...)
}

// OpenVote verifies a vote of a validator of s and returns its index. The vote keeps a copy of the payload.
func (s *Set) OpenVote(n canonical.Network, payload []byte) (SignedVote, int, error) {
	if len(payload) < 64 {
		return SignedVote{}, 0, canonical.ErrShort
	}
	sv := SignedVote{Raw: append([]byte(nil), payload[:len(payload)-64]...)}
	copy(sv.Signature[:], payload[len(payload)-64:])
	r := canonical.NewReader(sv.Raw)
	r.Tag(n, "vote")
	v := &sv.Vote
	v.Epoch, v.Height, v.Round, v.Kind = r.U32(), r.U64(), r.U32(), VoteKind(r.U8())
	isNil := r.U8()
	v.Nil, v.Header, v.KeyID = isNil == 1, r.Hash(), r.Hash()
	if err := r.Done(); err != nil {
		return SignedVote{}, 0, err
	}
	if isNil > 1 {
		return SignedVote{}, 0, canonical.ErrRange
	}
	if err := v.check(); err != nil {
		return SignedVote{}, 0, err
	}
	i, ok := s.ByVoteKey(v.KeyID)
	if !ok {
		return SignedVote{}, 0, ErrUnknownKey
	}
	if !s.verify(s.Validators[i].VoteKey, sv.Raw, sv.Signature[:]) {
		return SignedVote{}, 0, ErrSignature
	}
	return sv, i, nil
}
