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
