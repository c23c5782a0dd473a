package merkle_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"verilot.dev/ledger/merkle"
)

// leaf is the i'th leaf hash of the trees here.
func leaf(i int) merkle.Hash { return merkle.LeafHash(binary.BigEndian.AppendUint64(nil, uint64(i))) }

func leaves(n int) []merkle.Hash {
	out := make([]merkle.Hash, n)
	for i := range out {
		out[i] = leaf(i)
	}
	return out
}

// memory is the storage of a log. It fails a test that reads past what was written or rewrites a hash.
type memory struct {
	tb     testing.TB
	hashes []merkle.Hash
	reads  int
}

func (m *memory) read(index uint64) (merkle.Hash, error) {
	m.reads++
	if index >= uint64(len(m.hashes)) {
		m.tb.Fatalf("read of hash %d, %d are stored", index, len(m.hashes))
	}
	return m.hashes[index], nil
}

// Read makes memory a tlog.HashReader.
func (m *memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		h, err := m.read(uint64(x))
		if err != nil {
			return nil, err
		}
		out[i] = tlog.Hash(h)
	}
	return out, nil
}

func grow(tb testing.TB, n int) *memory {
	tb.Helper()
	m := &memory{tb: tb}
	for i := range n {
		hashes, first, err := merkle.StoredHashes(uint64(i), leaf(i), m.read)
		if err != nil {
			tb.Fatal(err)
		}
		if first != uint64(len(m.hashes)) || first+uint64(len(hashes)) != uint64(tlog.StoredHashCount(int64(i+1))) {
			tb.Fatalf("leaf %d stores %d hashes from %d on, %d were stored", i, len(hashes), first, len(m.hashes))
		}
		m.hashes = append(m.hashes, hashes...)
	}
	return m
}

const many = 130

// Three programs written apart agree on every root: ours, tlog and transparency-dev.
func TestRootsAgree(t *testing.T) {
	log := grow(t, many)
	all := leaves(many)
	other := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for n := range many + 1 {
		ours := merkle.Root(all[:n])
		kept := slices.Clone(all[:n])
		if got := merkle.RootInPlace(kept); got != ours {
			t.Errorf("%d leaves: in place %x, else %x", n, got, ours)
		}
		if got, err := merkle.TreeRoot(uint64(n), log.read); err != nil || got != ours {
			t.Errorf("%d leaves: the log says %x (%v), the leaves %x", n, got, err, ours)
		}
		if got, err := tlog.TreeHash(int64(n), log); err != nil || merkle.Hash(got) != ours {
			t.Errorf("%d leaves: tlog says %x (%v), we %x", n, got, err, ours)
		}
		theirs, err := other.GetRootHash(nil)
		if n == 0 {
			theirs = rfc6962.DefaultHasher.EmptyRoot()
		}
		if err != nil || merkle.Hash(theirs) != ours {
			t.Errorf("%d leaves: transparency-dev says %x (%v), we %x", n, theirs, err, ours)
		}
		if n < many {
			h := all[n]
			if err := other.Append(h[:], nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	data := make([]byte, 2000)
	for _, n := range []int{0, 1, 511, 512, 2000} {
		if got, want := merkle.LeafHash(data[:n]), merkle.Hash(tlog.RecordHash(data[:n])); got != want {
			t.Errorf("leaf of %d bytes: %x, want %x", n, got, want)
		}
	}
}

// A multi-proof of one leaf is the audit path of RFC 6962, sorted from left to right.
func TestProofsOfOneLeafAgree(t *testing.T) {
	log := grow(t, many)
	for size := 1; size <= many; size++ {
		all := leaves(size)
		root := merkle.Root(all)
		for i := range size {
			path, err := tlog.ProveRecord(int64(size), int64(i), log)
			if err != nil {
				t.Fatal(err)
			}
			theirs := make([][]byte, len(path))
			for j := range path {
				theirs[j] = path[j][:]
			}
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), uint64(size), all[i][:], theirs, root[:]); err != nil {
				t.Fatalf("leaf %d of %d: transparency-dev: %v", i, size, err)
			}
			multi := merkle.Prove(all, []uint64{uint64(i)})
			got, want := slices.Clone(multi), make([]merkle.Hash, len(path))
			for j := range path {
				want[j] = merkle.Hash(path[j])
			}
			for _, s := range [][]merkle.Hash{got, want} {
				slices.SortFunc(s, func(a, b merkle.Hash) int { return slices.Compare(a[:], b[:]) })
			}
			if !slices.Equal(got, want) {
				t.Fatalf("leaf %d of %d: multi-proof %x, audit path %x", i, size, multi, path)
			}
		}
	}
}

// Consistency proofs that tlog makes from our log's storage hold between our roots.
func TestConsistency(t *testing.T) {
	log := grow(t, many)
	all := leaves(many)
	for size := 1; size <= many; size += 3 {
		for old := 1; old <= size; old++ {
			p, err := tlog.ProveTree(int64(size), int64(old), log)
			if err != nil {
				t.Fatal(err)
			}
			root, oldRoot := merkle.Root(all[:size]), merkle.Root(all[:old])
			theirs := make([][]byte, len(p))
			for j := range p {
				theirs[j] = p[j][:]
			}
			if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old), uint64(size), theirs, oldRoot[:], root[:]); err != nil {
				t.Fatalf("%d begins %d: transparency-dev: %v", old, size, err)
			}
		}
	}
}

// Whatever leaves are picked, the proof gives the root back; and it is tight: without any of its hashes, with one more,
// or with one changed, it does not.
func TestMultiProof(t *testing.T) {
	log := grow(t, many)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, many).Draw(t, "size")
		var picked []uint64
		var shown []merkle.Hash
		for i := range size {
			if rapid.IntRange(0, 5).Draw(t, "pick") == 0 {
				picked = append(picked, uint64(i))
				shown = append(shown, leaf(i))
			}
		}
		all := leaves(size)
		p := merkle.Prove(all, picked)
		log.reads = 0
		fromLog, err := merkle.ProveLog(uint64(size), picked, log.read)
		if err != nil || !slices.Equal(p, fromLog) {
			t.Fatalf("the log proves %x (%v), the leaves %x", fromLog, err, p)
		}
		if limit := (len(picked) + 1) * 2 * 8 * 8; log.reads > limit {
			t.Fatalf("%d reads for %d leaves", log.reads, len(picked))
		}
		root := merkle.Root(all)
		if got, err := merkle.RootFromProof(uint64(size), picked, shown, p); err != nil || got != root {
			t.Fatalf("root %x (%v), want %x", got, err, root)
		}
		if _, err := merkle.RootFromProof(uint64(size), picked, shown, append(slices.Clone(p), root)); !errors.Is(err, merkle.ErrProof) {
			t.Fatalf("one hash more: %v", err)
		}
		if len(p) > 0 {
			at := rapid.IntRange(0, len(p)-1).Draw(t, "at")
			if _, err := merkle.RootFromProof(uint64(size), picked, shown, slices.Delete(slices.Clone(p), at, at+1)); !errors.Is(err, merkle.ErrProof) {
				t.Fatalf("one hash less: %v", err)
			}
			bad := slices.Clone(p)
			bad[at][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 0x10
			if got, err := merkle.RootFromProof(uint64(size), picked, shown, bad); err == nil && got == root {
				t.Fatal("a changed hash gives the same root")
			}
		}
	})
}

func TestRefusedProofs(t *testing.T) {
	h := leaf(0)
	deep := make([]merkle.Hash, 64)
	for _, tt := range []struct {
		name    string
		size    uint64
		indexes []uint64
		leaves  []merkle.Hash
		proof   []merkle.Hash
		ok      bool
	}{
		{"no leaves, no proof", 0, nil, nil, nil, true},
		{"no leaves, but a proof", 0, nil, nil, []merkle.Hash{h}, false},
		{"root alone", 7, nil, nil, []merkle.Hash{h}, true},
		{"index outside", 1, []uint64{1}, []merkle.Hash{h}, nil, false},
		{"index twice", 2, []uint64{1, 1}, []merkle.Hash{h, h}, nil, false},
		{"indexes descend", 2, []uint64{1, 0}, []merkle.Hash{h, h}, nil, false},
		{"fewer leaves than indexes", 2, []uint64{0, 1}, []merkle.Hash{h}, nil, false},
		{"the greatest size", math.MaxUint64, []uint64{math.MaxUint64 - 1}, []merkle.Hash{h}, deep[:63], true},
		{"the greatest size, first leaf", math.MaxUint64, []uint64{0}, []merkle.Hash{h}, deep, true},
		{"a great size without hashes", 1 << 63, []uint64{5}, []merkle.Hash{h}, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := merkle.RootFromProof(tt.size, tt.indexes, tt.leaves, tt.proof)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, merkle.ErrProof) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// Storage numbers stay inside 63 bits up to the greatest log.
func TestGreatestLog(t *testing.T) {
	var seen []uint64
	read := func(i uint64) (merkle.Hash, error) {
		seen = append(seen, i)
		return merkle.Hash{}, nil
	}
	if _, err := merkle.TreeRoot(merkle.MaxLog, read); err != nil {
		t.Error(err)
	}
	if _, err := merkle.ProveLog(merkle.MaxLog, []uint64{0, merkle.MaxLog - 1}, read); err != nil {
		t.Error(err)
	}
	hashes, first, err := merkle.StoredHashes(merkle.MaxLog-1, merkle.Hash{}, read)
	if err != nil || len(hashes) != 63 || first > math.MaxInt64 {
		t.Errorf("%d hashes from %d on: %v", len(hashes), first, err)
	}
	if i := slices.Max(seen); i > math.MaxInt64 {
		t.Errorf("read of %d", i)
	}
	_, _, full := merkle.StoredHashes(merkle.MaxLog, merkle.Hash{}, read)
	_, root := merkle.TreeRoot(merkle.MaxLog+1, read)
	_, multi := merkle.ProveLog(math.MaxUint64, nil, read)
	_, odd := merkle.RangeRoot(3, 2, read)
	for i, err := range []error{full, root, multi, odd} {
		if err == nil {
			t.Errorf("call %d should fail", i)
		}
	}
}

// A read that fails is passed on, from every depth.
func TestReadErrors(t *testing.T) {
	bad := errors.New("disk")
	log := grow(t, 13)
	for after := range 20 {
		n := 0
		read := func(i uint64) (merkle.Hash, error) {
			if n++; n > after {
				return merkle.Hash{}, bad
			}
			return log.read(i)
		}
		if _, err := merkle.ProveLog(13, []uint64{2, 12}, read); n > after && !errors.Is(err, bad) {
			t.Errorf("after %d reads: %v", after, err)
		}
		n = 0
		if _, _, err := merkle.StoredHashes(11, leaf(11), read); n > after && !errors.Is(err, bad) {
			t.Errorf("after %d reads: %v", after, err)
		}
	}
}

func FuzzRootFromProof(f *testing.F) {
	f.Add(uint64(7), []byte{2, 5}, []byte("0123456789"))
	f.Add(uint64(math.MaxUint64), []byte{1}, []byte{})
	f.Fuzz(func(t *testing.T, size uint64, steps, hashes []byte) {
		var indexes []uint64
		var shown []merkle.Hash
		at := uint64(0)
		for _, s := range steps {
			at += uint64(s) << (s % 60)
			indexes = append(indexes, at)
			shown = append(shown, leaf(int(s)))
		}
		var p []merkle.Hash
		for _, b := range hashes {
			p = append(p, sha256.Sum256([]byte{b}))
		}
		_, err := merkle.RootFromProof(size, indexes, shown, p)
		if err == nil && merkle.CheckIndexes(size, indexes) != nil {
			t.Error("accepted indexes that are refused")
		}
	})
}

func BenchmarkRoot(b *testing.B) {
	all := leaves(16384)
	b.ReportAllocs()
	for b.Loop() {
		merkle.Root(all)
	}
}

func BenchmarkLeafHash(b *testing.B) {
	data := make([]byte, 100)
	b.ReportAllocs()
	for b.Loop() {
		merkle.LeafHash(data)
	}
}
