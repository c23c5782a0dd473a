// Package keys is what docs/spec.md section 1 says about Ed25519 public keys: their ids, which of them may be registered,
// and the two verification rules of the ledger. It trusts nothing: keys and signatures may be any bytes.
package keys

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/oasisprotocol/curve25519-voi/curve"
	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"verilot.dev/ledger/canonical"
)

// The uses of keys (spec section 1).
const (
	Event     = "event"
	Vote      = "vote"
	Cosign    = "cosign"
	Authority = "authority"
)

// Errors of Check.
var (
	ErrLength     = errors.New("public key is not 32 bytes")
	ErrPoint      = errors.New("public key is not a point of the curve in its one canonical encoding")
	ErrSmallOrder = errors.New("public key has small order: anyone can sign for it")
)

// ID is the key id of spec section 1. The network is not in it: a key keeps its id across networks.
func ID(use string, key ed25519.PublicKey) canonical.Hash {
	var scratch [128]byte
	b := canonical.Str8(scratch[:0], "verilot/key/"+use)
	return sha256.Sum256(append(b, key...))
}

// Check says whether a key may be registered. A key in a second, non-canonical encoding is refused like one that is no
// point at all (RFC 8032 section 5.1.3), since it would have a second id.
func Check(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w but %d", ErrLength, len(key))
	}
	var y curve.CompressedEdwardsY
	var p curve.EdwardsPoint
	if _, err := y.SetBytes(key); err != nil {
		return ErrPoint
	}
	if _, err := p.SetCompressedY(&y); err != nil {
		return ErrPoint
	}
	// The order comes first: small-order points have non-canonical encodings too, and the better reason is the danger.
	if p.IsSmallOrder() {
		return ErrSmallOrder
	}
	if !y.IsCanonicalVartime() {
		return ErrPoint
	}
	return nil
}

// zip215 makes single and batch verification agree on every input, which is why submissions use it.
var zip215 = &voi.Options{Verify: voi.VerifyOptionsZIP_215}

// Verify is ZIP-215, the rule for submissions.
func Verify(key ed25519.PublicKey, msg, sig []byte) bool {
	return len(key) == ed25519.PublicKeySize && voi.VerifyWithOptions(voi.PublicKey(key), msg, sig, zip215)
}

// VerifyStrict accepts what both ZIP-215 and crypto/ed25519 accept: the rule for votes, pulses and cosignatures, so that
// outside verifiers agree whichever they use.
func VerifyStrict(key ed25519.PublicKey, msg, sig []byte) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, msg, sig) && Verify(key, msg, sig)
}

// Signed is a signature to verify under ZIP-215.
type Signed struct {
	Key            ed25519.PublicKey
	Message, Bytes []byte // Bytes is the signature
}

// Verifier is ZIP-215 with the expensive form of known keys kept: 1.5 KiB a key, at most Max of them (zero: 8,192).
// The zero value is ready. It may be used by several goroutines at once.
type Verifier struct {
	Max int

	mu    sync.RWMutex
	cache map[[ed25519.PublicKeySize]byte]*voi.ExpandedPublicKey
}

const defaultMax = 8192

func (v *Verifier) expanded(key ed25519.PublicKey) *voi.ExpandedPublicKey {
	if len(key) != ed25519.PublicKeySize {
		return nil
	}
	id := [ed25519.PublicKeySize]byte(key)
	v.mu.RLock()
	e, ok := v.cache[id]
	v.mu.RUnlock()
	if ok {
		return e
	}
	e, err := voi.NewExpandedPublicKey(voi.PublicKey(key))
	if err != nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	limit := v.Max
	if limit <= 0 {
		limit = defaultMax
	}
	if v.cache == nil || len(v.cache) >= limit {
		// Starting over costs one expansion per live key; tracking their use would cost every verification.
		v.cache = make(map[[ed25519.PublicKeySize]byte]*voi.ExpandedPublicKey)
	}
	v.cache[id] = e
	return e
}

// Verify gives the same answer as the function Verify.
func (v *Verifier) Verify(key ed25519.PublicKey, msg, sig []byte) bool {
	e := v.expanded(key)
	return e != nil && voi.VerifyExpandedWithOptions(e, msg, sig, zip215)
}

// VerifyBatch reports for every entry what Verify would. The blinding of the batch equation comes from random, and a
// forger who can predict it can get a bad signature past: pass crypto/rand.Reader.
func (v *Verifier) VerifyBatch(random io.Reader, batch []Signed) []bool {
	out := make([]bool, len(batch))
	b := voi.NewBatchVerifierWithCapacity(len(batch))
	at := make([]int, 0, len(batch)) // the library wants only keys that are points
	for i, s := range batch {
		if e := v.expanded(s.Key); e != nil {
			b.AddExpandedWithOptions(e, s.Message, s.Bytes, zip215)
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return out
	}
	_, valid := b.Verify(random)
	for j, i := range at {
		out[i] = valid[j]
	}
	return out
}
