package commit

import (
	"math/rand"
	"slices"
	"testing"

	"verilot.dev/ledger/canonical"
)

// Evenly spread or all alike in front, as after a search for such salts: the order is that of the bytes.
func TestSortHashes(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for _, n := range []int{0, 1, 63, 64, 65, 1000, 5000} {
		for alike := range 12 {
			hs := make([]canonical.Hash, n)
			for i := range hs {
				random.Read(hs[i][alike:])
			}
			want := slices.Clone(hs)
			slices.SortFunc(want, func(a, b canonical.Hash) int { return slices.Compare(a[:], b[:]) })
			if sortHashes(hs); !slices.Equal(hs, want) {
				t.Fatalf("%d hashes, %d bytes alike: not sorted", n, alike)
			}
		}
	}
}
