package merkle

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// A log is stored as the hashes of its complete subtrees under the dense numbers of tlog.StoredHashIndex: a hash, once
// written, never changes, and the root of any earlier size and every proof need O(log n) of them.

// MaxLog bounds the size of a log, so that storage numbers fit 63 bits.
const MaxLog = 1 << 62

// ReadHash reads the hash that is stored under a number.
type ReadHash func(index uint64) (Hash, error)

// StoredHashes returns what appending leaf n to a log of n leaves adds to its storage: hashes to be written under the
// numbers first, first+1, … It reads at most log2(n) earlier ones.
func StoredHashes(n uint64, leaf Hash, read ReadHash) (hashes []Hash, first uint64, err error) {
	if n >= MaxLog {
		return nil, 0, fmt.Errorf("merkle: log of %d leaves is full", n)
	}
	hashes = []Hash{leaf}
	h := leaf
	for level := range bits.TrailingZeros64(n + 1) { // each trailing 1 bit of n completes a subtree
		left, err := read(storedIndex(level, n>>level-1))
		if err != nil {
			return nil, 0, err
		}
		h = NodeHash(left, h)
		hashes = append(hashes, h)
	}
	return hashes, storedIndex(0, n), nil
}

// StoredCount is the number of hashes in the storage of a log of size leaves.
func StoredCount(size uint64) uint64 { return uint64(tlog.StoredHashCount(int64(size))) }

func storedIndex(level int, n uint64) uint64 { return uint64(tlog.StoredHashIndex(level, int64(n))) }

// TreeRoot is the root of the first size leaves.
func TreeRoot(size uint64, read ReadHash) (Hash, error) {
	if size == 0 {
		return Empty, nil
	}
	if size > MaxLog {
		return Hash{}, fmt.Errorf("merkle: no log has %d leaves", size)
	}
	return RangeRoot(0, size, read)
}

// RangeRoot is the root of the n > 0 leaves from lo on, where lo is a multiple of the smallest power of two that is not
// below n: a subtree in the sense of spec section 12.1.
func RangeRoot(lo, n uint64, read ReadHash) (Hash, error) {
	if n == 0 || lo > MaxLog || n > MaxLog-lo || n > 1 && lo&(2*split(n)-1) != 0 {
		return Hash{}, fmt.Errorf("merkle: leaves %d to %d are no subtree", lo, lo+n)
	}
	// n leaves are complete subtrees of falling size, one for each bit of n.
	parts := make([]Hash, 0, 64)
	for n > 0 {
		level := bits.Len64(n) - 1
		h, err := read(storedIndex(level, lo>>level))
		if err != nil {
			return Hash{}, err
		}
		parts = append(parts, h)
		lo += 1 << level
		n -= 1 << level
	}
	last := len(parts) - 1
	root := parts[last]
	for i := last - 1; i >= 0; i-- {
		root = NodeHash(parts[i], root)
	}
	return root, nil
}

// ProveLog returns the multi-proof (spec section 12.1) of the ascending indexes in the first size leaves of a log.
func ProveLog(size uint64, indexes []uint64, read ReadHash) ([]Hash, error) {
	if size > MaxLog {
		return nil, fmt.Errorf("merkle: no log has %d leaves", size)
	}
	if err := CheckIndexes(size, indexes); err != nil {
		return nil, err
	}
	return prove(0, size, indexes, nil, func(lo, n uint64) (Hash, error) { return RangeRoot(lo, n, read) })
}

// Inclusion returns the RFC 6962 audit path of one leaf, leaf to root, in the first size leaves of a log. Proof bundles
// use multi-proofs; this is for the transparency-log tools of others.
func Inclusion(size, index uint64, read ReadHash) ([]Hash, error) {
	if size > MaxLog || index >= size {
		return nil, fmt.Errorf("merkle: leaf %d of a log of %d", index, size)
	}
	p, err := tlog.ProveRecord(int64(size), int64(index), reader(read))
	return fromTlog(p), err
}

// CheckInclusion checks an RFC 6962 audit path.
func CheckInclusion(path []Hash, size uint64, root Hash, index uint64, leaf Hash) error {
	if size > MaxLog || index >= size {
		return refuse("leaf %d of a log of %d", index, size)
	}
	if err := tlog.CheckRecord(toTlog(path), int64(size), tlog.Hash(root), int64(index), tlog.Hash(leaf)); err != nil {
		return refuse("%v", err)
	}
	return nil
}

// Consistency returns the RFC 6962 proof that the first old leaves of a log begin its first size leaves.
func Consistency(size, old uint64, read ReadHash) ([]Hash, error) {
	if size > MaxLog || old > size {
		return nil, fmt.Errorf("merkle: no log of %d begins a log of %d", old, size)
	}
	if old == 0 {
		return nil, nil
	}
	p, err := tlog.ProveTree(int64(size), int64(old), reader(read))
	return fromTlog(p), err
}

// CheckConsistency checks that a log of old leaves with oldRoot begins a log of size leaves with root. The empty log
// begins every log, with an empty proof.
func CheckConsistency(proof []Hash, size uint64, root Hash, old uint64, oldRoot Hash) error {
	switch {
	case size > MaxLog || old > size:
		return refuse("no log of %d begins a log of %d", old, size)
	case old == 0:
		if len(proof) != 0 || oldRoot != Empty || size == 0 && root != Empty {
			return refuse("an empty log has an empty proof and its fixed root")
		}
		return nil
	}
	if err := tlog.CheckTree(toTlog(proof), int64(size), tlog.Hash(root), int64(old), tlog.Hash(oldRoot)); err != nil {
		return refuse("%v", err)
	}
	return nil
}

func reader(read ReadHash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			h, err := read(uint64(x))
			if err != nil {
				return nil, err
			}
			out[i] = tlog.Hash(h)
		}
		return out, nil
	})
}

func toTlog(hs []Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(hs))
	for i, h := range hs {
		out[i] = tlog.Hash(h)
	}
	return out
}

func fromTlog[S ~[]tlog.Hash](hs S) []Hash {
	out := make([]Hash, len(hs))
	for i, h := range hs {
		out[i] = Hash(h)
	}
	return out
}
