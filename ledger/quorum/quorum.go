// Package quorum is who must agree and how it is shown: validator sets, votes, checkpoints and certificates
// (docs/spec.md section 8; C2SP tlog-checkpoint, tlog-cosignature and signed-note).
//
// Nothing that comes in is trusted: a vote exists only after its signature held under a key of the set, and a
// certificate says nothing until [Set.Check] accepted it. Both count only what crypto/ed25519 and ZIP-215 both accept.
package quorum

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
)

// Validator is one organisation's vote.
type Validator struct {
	Name, Party string
	VoteKey     ed25519.PublicKey
	CosignKey   ed25519.PublicKey
}

// Set is a validator set; the order is the validator index.
type Set struct {
	Validators []Validator
	// Strict replaces keys.VerifyStrict. It is for simulations alone, which check a million signatures: nil everywhere else.
	Strict func(key ed25519.PublicKey, msg, sig []byte) bool
}

// verify is the rule for everything that a validator signs (spec section 1).
func (s *Set) verify(key ed25519.PublicKey, msg, sig []byte) bool {
	if s.Strict != nil {
		return s.Strict(key, msg, sig)
	}
	return keys.VerifyStrict(key, msg, sig)
}

// VerifyVoteKey verifies what a validator signed with its vote key.
func (s *Set) VerifyVoteKey(validator int, msg, sig []byte) bool {
	return validator >= 0 && validator < len(s.Validators) && s.verify(s.Validators[validator].VoteKey, msg, sig)
}

// MaxValidators bounds a set, so that a certificate stays a few kilobytes.
const MaxValidators = 256

// NewSet checks what genesis or a governance act names: one validator for a lone developer or at least four, names that
// a note line can carry, one organisation one vote, and no key in two places.
func NewSet(validators []Validator) (*Set, error) {
	if n := len(validators); n != 1 && n < 4 || n > MaxValidators {
		return nil, fmt.Errorf("quorum: %d validators, want 1 or 4 to %d", n, MaxValidators)
	}
	seen := map[string]bool{}
	once := func(i int, what, v string) error {
		if seen[what+v] {
			return fmt.Errorf("quorum: validator %d: %s occurs twice", i, what)
		}
		seen[what+v] = true
		return nil
	}
	for i, v := range validators {
		if err := checkName(v.Name); err != nil {
			return nil, fmt.Errorf("quorum: validator %d: %w", i, err)
		}
		if v.Party == "" || len(v.Party) > 255 {
			return nil, fmt.Errorf("quorum: validator %d: bad party", i)
		}
		if err := errors.Join(once(i, "name ", v.Name), once(i, "party ", v.Party)); err != nil {
			return nil, err
		}
		for _, k := range []ed25519.PublicKey{v.VoteKey, v.CosignKey} {
			if err := keys.Check(k); err != nil {
				return nil, fmt.Errorf("quorum: validator %d: %w", i, err)
			}
			if err := once(i, "key ", string(k)); err != nil {
				return nil, err
			}
		}
	}
	return &Set{Validators: validators}, nil
}

// checkName is C2SP signed-note's rule for key names, and short enough for the set hash.
func checkName(s string) error {
	bad := func(r rune) bool { return r == '+' || unicode.IsSpace(r) || unicode.IsControl(r) }
	if s == "" || len(s) > 255 || !utf8.ValidString(s) || strings.ContainsFunc(s, bad) {
		return fmt.Errorf("name %q is not a note key name", s)
	}
	return nil
}

// Hash is the set hash of spec section 8.3.
func (s *Set) Hash(n canonical.Network) canonical.Hash {
	return canonical.Sum(n, "validators", s.encode())
}

func (s *Set) encode() []byte {
	b := canonical.U32(nil, uint32(len(s.Validators)))
	for _, v := range s.Validators {
		b = canonical.Str8(b, v.Name)
		b = canonical.Str8(b, v.Party)
		b = append(b, v.VoteKey...)
		b = append(b, v.CosignKey...)
	}
	return b
}

// Quorum is floor(2n/3) + 1.
func (s *Set) Quorum() int { return 2*len(s.Validators)/3 + 1 }

// Faults is f, how many validators may lie or stop: fewer than a third.
func (s *Set) Faults() int { return (len(s.Validators) - 1) / 3 }

// ByVoteKey finds the validator whose vote key has this id.
func (s *Set) ByVoteKey(id canonical.Hash) (index int, ok bool) {
	for i := range s.Validators {
		if keys.ID(keys.Vote, s.Validators[i].VoteKey) == id {
			return i, true
		}
	}
	return 0, false
}

// sign refuses signers that are not Ed25519 before they sign anything. The rand argument of Sign is nil: Ed25519 needs none.
func sign(key crypto.Signer, msg []byte) (sig [64]byte, err error) {
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return sig, errors.New("quorum: not an Ed25519 key")
	}
	b, err := key.Sign(nil, msg, crypto.Hash(0))
	if err != nil {
		return sig, fmt.Errorf("quorum: sign: %w", err)
	}
	if len(b) != len(sig) {
		return sig, errors.New("quorum: signer returned no Ed25519 signature")
	}
	copy(sig[:], b)
	return sig, nil
}
