// Package merkle is RFC 6962 trees: roots, the multi-proofs of docs/spec.md 12.1, and a log that grows (log.go).
//
// Hashing and the arithmetic of a growing log are those of golang.org/x/mod/sumdb/tlog. Everything that takes a proof
// takes it from a stranger: sizes up to 2^64-1 cost at most 64 steps per shown leaf, and nothing is allocated by size.
package merkle

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"verilot.dev/ledger/canonical"
)

// Hash is a node of a tree.
type Hash = canonical.Hash

// ErrProof is what every refused proof wraps.
var ErrProof = errors.New("merkle: proof refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProof, fmt.Sprintf(format, args...))
}

// LeafHash is SHA-256(0x00 || data).
func LeafHash(data []byte) Hash {
	var scratch [512]byte // short leaves need no allocation
	return sha256.Sum256(append(append(scratch[:0], 0x00), data...))
}

// NodeHash is SHA-256(0x01 || left || right).
func NodeHash(left, right Hash) Hash { return Hash(tlog.NodeHash(tlog.Hash(left), tlog.Hash(right))) }

// Empty is MTH({}), the root of a tree without leaves.
var Empty = sha256.Sum256(nil)

// Root is MTH over leaf hashes; Root(nil) is SHA-256("").
func Root(leaves []Hash) Hash {
	switch len(leaves) {
	case 0:
		return Empty
	case 1:
		return leaves[0]
	}
	level := make([]Hash, (len(leaves)+1)/2)
	return fold(level, leaves)
}

// RootInPlace is Root, using the memory of leaves for its work.
func RootInPlace(leaves []Hash) Hash {
	if len(leaves) == 0 {
		return Empty
	}
	return fold(leaves, leaves)
}

// fold writes each level over the one below it. An odd last node moves up as it is, which gives the same tree as
// splitting at the largest power of two.
func fold(dst, src []Hash) Hash {
	for len(src) > 1 {
		half := len(src) / 2
		for i := range half {
			dst[i] = NodeHash(src[2*i], src[2*i+1])
		}
		if len(src)%2 == 1 {
			dst[half] = src[len(src)-1]
			half++
		}
		src = dst[:half]
	}
	return src[0]
}

// split is the size of the left subtree of a tree of n > 1 leaves: the largest power of two below n.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// CheckIndexes says whether indexes ascend strictly and lie in a tree of size leaves.
func CheckIndexes(size uint64, indexes []uint64) error {
	for i, x := range indexes {
		switch {
		case x >= size:
			return refuse("leaf %d in a tree of %d", x, size)
		case i > 0 && indexes[i-1] >= x:
			return refuse("leaf %d after leaf %d", x, indexes[i-1])
		}
	}
	return nil
}

// Prove returns the multi-proof (spec section 12.1) of the ascending indexes in the tree over leaves. Indexes that
// CheckIndexes refuses are a programming error. Without indexes the proof is the root alone.
func Prove(leaves []Hash, indexes []uint64) []Hash {
	if err := CheckIndexes(uint64(len(leaves)), indexes); err != nil {
		panic(err)
	}
	proof, _ := prove(0, uint64(len(leaves)), indexes, nil, func(lo, n uint64) (Hash, error) {
		return Root(leaves[lo : lo+n]), nil
	})
	return proof
}

// prove appends the roots of the largest subtrees of [lo, lo+n) without a wanted index, from left to right.
func prove(lo, n uint64, indexes []uint64, proof []Hash, subtree func(lo, n uint64) (Hash, error)) ([]Hash, error) {
	switch {
	case n == 0:
		return proof, nil
	case len(indexes) == 0:
		h, err := subtree(lo, n)
		return append(proof, h), err
	case n == 1:
		return proof, nil
	}
	k := split(n)
	at := below(indexes, lo+k)
	proof, err := prove(lo, k, indexes[:at], proof, subtree)
	if err != nil {
		return nil, err
	}
	return prove(lo+k, n-k, indexes[at:], proof, subtree)
}

// below counts the ascending indexes that are less than limit.
func below(indexes []uint64, limit uint64) int {
	lo, hi := 0, len(indexes)
	for lo < hi {
		if m := (lo + hi) / 2; indexes[m] < limit {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}

// RootFromProof recomputes the root of a tree of size leaves from the leaf hashes at the ascending indexes
// (spec section 12.1). It consumes the whole proof or fails.
func RootFromProof(size uint64, indexes []uint64, leaves []Hash, proof []Hash) (Hash, error) {
	if len(indexes) != len(leaves) {
		return Hash{}, refuse("%d indexes for %d leaves", len(indexes), len(leaves))
	}
	if err := CheckIndexes(size, indexes); err != nil {
		return Hash{}, err
	}
	r := rebuild{indexes: indexes, leaves: leaves, proof: proof}
	root := Empty
	if size > 0 {
		root = r.root(0, size, len(indexes))
	}
	switch {
	case r.short:
		return Hash{}, refuse("it ends early")
	case len(r.proof) != 0:
		return Hash{}, refuse("%d hashes too many", len(r.proof))
	}
	return root, nil
}

// rebuild is one run of the recursion of spec section 12.1. Its three lists are consumed from the front.
type rebuild struct {
	indexes []uint64
	leaves  []Hash
	proof   []Hash
	short   bool
}

// root is the root of [lo, lo+n), in which the next wanted indexes stand. Only subtrees with a wanted index are entered.
func (r *rebuild) root(lo, n uint64, wanted int) Hash {
	switch {
	case r.short:
		return Hash{}
	case wanted == 0:
		if len(r.proof) == 0 {
			r.short = true
			return Hash{}
		}
		h := r.proof[0]
		r.proof = r.proof[1:]
		return h
	case n == 1:
		h := r.leaves[0]
		r.indexes, r.leaves = r.indexes[1:], r.leaves[1:]
		return h
	}
	k := split(n)
	left := below(r.indexes[:wanted], lo+k)
	l := r.root(lo, k, left)
	return NodeHash(l, r.root(lo+k, n-k, wanted-left))
}
