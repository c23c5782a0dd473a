// Package quorum is who must agree and how it is shown: validator sets, votes, checkpoints and certificates
// (docs/spec.md section 8; C2SP tlog-checkpoint and tlog-cosignature).
package quorum

import (
	"crypto"
	"crypto/ed25519"

	"verilot.dev/ledger/enc"
)

// Validator is one organisation's vote.
type Validator struct {
	Name, Party string
	VoteKey     ed25519.PublicKey
	CosignKey   ed25519.PublicKey
}

// Set is a validator set; the order is the validator index.
type Set struct{ Validators []Validator }

// Hash is the set hash of spec section 8.3.
func (s *Set) Hash(n enc.Network) enc.Hash { panic("quorum") }

// Quorum is floor(2n/3) + 1.
func (s *Set) Quorum() int { return 2*len(s.Validators)/3 + 1 }

// VoteKind is prepare or commit.
type VoteKind uint8

// The two votes.
const (
	Prepare VoteKind = 1
	Commit  VoteKind = 2
)

// Vote is one vote of spec section 8.1.
type Vote struct {
	Epoch  uint32
	Height uint64
	Round  uint32
	Kind   VoteKind
	Nil    bool
	Header enc.Hash
	KeyID  enc.Hash
}

// SignedVote is a vote's bytes and signature.
type SignedVote struct {
	Vote      Vote
	Raw       []byte
	Signature [64]byte
}

// SignVote signs v.
func SignVote(n enc.Network, v Vote, key crypto.Signer) (SignedVote, error) { panic("quorum") }

// OpenVote verifies a vote of a validator of s and returns its index.
func (s *Set) OpenVote(n enc.Network, payload []byte) (SignedVote, int, error) { panic("quorum") }

// Checkpoint is the head of the header log.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   enc.Hash
}

// Text is the three lines of spec section 8.2.
func (c Checkpoint) Text() string { panic("quorum") }

// Origin builds the origin line.
func Origin(network string, genesis enc.Hash, epoch uint32) string { panic("quorum") }

// Cosignature is one validator's signature of a checkpoint.
type Cosignature struct {
	Validator uint16
	Time      uint64 // seconds
	Signature [64]byte
}

// Certificate is exactly a quorum of cosignatures in validator order.
type Certificate []Cosignature

// Encode is the binary form of spec section 8.2.
func (c Certificate) Encode() []byte { panic("quorum") }

// ReadCertificate reads what Encode wrote.
func ReadCertificate(r *enc.Reader) Certificate { panic("quorum") }

// Cosign signs c at time t (seconds).
func Cosign(c Checkpoint, t uint64, key crypto.Signer) ([64]byte, error) { panic("quorum") }

// Check verifies that cert is a certificate of c: exactly a quorum, ascending, every signature good.
func (s *Set) Check(c Checkpoint, cert Certificate) error { panic("quorum") }

// Note is the checkpoint as a C2SP signed note with the certificate's lines.
func (s *Set) Note(c Checkpoint, cert Certificate) string { panic("quorum") }
