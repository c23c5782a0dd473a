package quorum

import (
	"errors"
	"fmt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
)

// Bundle is votes of several validators for one thing, without what they have in common (spec section 8.4). It needs no
// sender's word: whoever passes it on, its signatures say what was voted. It never holds nil votes.
type Bundle struct {
	Epoch  uint32
	Height uint64
	Round  uint32
	Kind   VoteKind
	Header canonical.Hash
	Votes  []Signature // ascending by validator
}

// Signature is one validator's vote in a Bundle.
type Signature struct {
	Validator uint16
	Signature [64]byte
}

const signatureSize = 2 + 64

// AppendVotes appends u16 count, then per vote u16 validator, signature (64).
func (b *Bundle) AppendVotes(out []byte) []byte {
	out = canonical.U16(out, uint16(len(b.Votes)))
	for _, v := range b.Votes {
		out = append(canonical.U16(out, v.Validator), v.Signature[:]...)
	}
	return out
}

// ReadVotes reads what AppendVotes wrote.
func (b *Bundle) ReadVotes(r *canonical.Reader) {
	n := int(r.U16())
	if n*signatureSize > r.Len() {
		r.Fail(canonical.ErrShort)
		return
	}
	b.Votes = make([]Signature, n)
	for i := range b.Votes {
		v := &b.Votes[i]
		v.Validator = r.U16()
		copy(v.Signature[:], r.Bytes(len(v.Signature)))
		if i > 0 && v.Validator <= b.Votes[i-1].Validator {
			r.Fail(canonical.ErrRange)
		}
	}
}

// Encode is tag("quorum") || u32 epoch || u64 height || u32 round || u8 kind || header (32) || votes.
func (b *Bundle) Encode(n canonical.Network) []byte {
	out := canonical.AppendTag(make([]byte, 0, 96+len(b.Votes)*signatureSize), n, "quorum")
	out = canonical.U64(canonical.U32(out, b.Epoch), b.Height)
	out = canonical.U8(canonical.U32(out, b.Round), uint8(b.Kind))
	return b.AppendVotes(append(out, b.Header[:]...))
}

// DecodeBundle reads what Encode wrote. Whether the votes hold is for CheckBundle to say.
func DecodeBundle(n canonical.Network, payload []byte) (*Bundle, error) {
	r := canonical.NewReader(payload)
	r.Tag(n, "quorum")
	b := &Bundle{Epoch: r.U32(), Height: r.U64(), Round: r.U32(), Kind: VoteKind(r.U8()), Header: r.Hash()}
	b.ReadVotes(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	v := b.vote()
	if err := v.check(); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *Bundle) vote() Vote {
	return Vote{Epoch: b.Epoch, Height: b.Height, Round: b.Round, Kind: b.Kind, Header: b.Header}
}

// CheckBundle verifies that b holds good votes of at least k validators of s, each once.
func (s *Set) CheckBundle(n canonical.Network, b *Bundle, k int) error {
	if len(b.Votes) < k {
		return fmt.Errorf("quorum: %d votes, want %d", len(b.Votes), k)
	}
	for i, v := range b.Votes {
		if i > 0 && v.Validator <= b.Votes[i-1].Validator {
			return errors.New("quorum: votes are not in ascending validator order")
		}
		if _, err := s.OpenSignature(n, b, v); err != nil {
			return err
		}
	}
	return nil
}

// OpenSignature verifies one vote of a bundle and returns it as it was sent.
func (s *Set) OpenSignature(n canonical.Network, b *Bundle, sig Signature) (SignedVote, error) {
	i := int(sig.Validator)
	if i >= len(s.Validators) {
		return SignedVote{}, fmt.Errorf("quorum: vote of validator %d of %d", i, len(s.Validators))
	}
	v := b.vote()
	v.KeyID = keys.ID(keys.Vote, s.Validators[i].VoteKey)
	if err := v.check(); err != nil {
		return SignedVote{}, err
	}
	sv := SignedVote{Vote: v, Raw: v.encode(n), Signature: sig.Signature}
	if !s.verify(s.Validators[i].VoteKey, sv.Raw, sv.Signature[:]) {
		return SignedVote{}, ErrSignature
	}
	return sv, nil
}

// Bundle collects the counted votes for a header.
func (t *Tally) Bundle(header canonical.Hash) *Bundle {
	b := &Bundle{Epoch: t.slot.epoch, Height: t.slot.height, Round: t.slot.round, Kind: t.slot.kind, Header: header}
	for i, v := range t.votes {
		if v != nil && v.Vote.Header == header {
			b.Votes = append(b.Votes, Signature{Validator: uint16(i), Signature: v.Signature})
		}
	}
	return b
}
