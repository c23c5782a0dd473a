// Package merkle is RFC 6962 over golang.org/x/mod/sumdb/tlog: roots, multi-proofs (docs/spec.md 12.1) and a growing log.
package merkle

import "verilot.dev/ledger/enc"

// Hash is a node of a tree.
type Hash = enc.Hash

// LeafHash is SHA-256(0x00 || data).
func LeafHash(data []byte) Hash { panic("merkle") }

// Root is MTH over leaf hashes; Root(nil) is SHA-256("").
func Root(leaves []Hash) Hash { panic("merkle") }

// Prove returns the multi-proof of the ascending indexes in the tree over leaves.
func Prove(leaves []Hash, indexes []uint64) []Hash { panic("merkle") }

// RootFromProof recomputes the root of a tree of size leaves from the leaf hashes at the ascending indexes.
// It consumes the whole proof or fails.
func RootFromProof(size uint64, indexes []uint64, leaves []Hash, proof []Hash) (Hash, error) {
	panic("merkle")
}
