package chain

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"verilot.dev/ledger/state"
)

// filter says of most keys that were never put that they are not there, without asking Badger: each fresh serial number
// is looked for once and never found. It never says so of a key that was put. Twelve bits a key make it wrong the other
// way about once in a hundred.
//
// It begins to answer when it holds every key. After Open that is once a walk over Badger, beside everything else, is done.
type filter struct {
	seed     maphash.Seed
	parts    atomic.Pointer[[]*bloom] // each twice as large as the one before
	complete atomic.Bool

	walk   sync.WaitGroup
	stop   atomic.Bool
	adding sync.Mutex // guards additions to parts: one writer at a time, the walk or put
}

// isPointKey reports whether a key is one that is looked up by name. A NUL stands in keys that are scanned (package custody,
// package index), and in a few by chance.
func isPointKey(key string) bool { return strings.IndexByte(key, 0) < 0 }

func newFilter() *filter {
	f := &filter{seed: maphash.MakeSeed()}
	f.reset()
	return f
}

// reset makes the filter that of an empty store.
func (f *filter) reset() {
	f.parts.Store(&[]*bloom{newBloom(1 << 18)})
	f.complete.Store(true)
}

func (f *filter) absent(key string) bool {
	if !f.complete.Load() || !isPointKey(key) {
		return false
	}
	h := maphash.String(f.seed, key)
	for _, p := range *f.parts.Load() {
		if p.has(h) {
			return false
		}
	}
	return true
}

func (f *filter) addAll(ws state.WriteSet) {
	f.adding.Lock()
	defer f.adding.Unlock()
	for i := range ws {
		if isPointKey(ws[i].Key) {
			f.add(maphash.String(f.seed, ws[i].Key))
		}
	}
}

// add must be called with adding held.
func (f *filter) add(h uint64) {
	parts := *f.parts.Load()
	for _, p := range parts {
		if p.has(h) {
			return
		}
	}
	last := parts[len(parts)-1]
	if last.room == 0 {
		last = newBloom(2 * len(last.words) * 64 / bitsPerKey)
		grown := append(slices.Clip(parts), last)
		f.parts.Store(&grown)
	}
	last.room--
	last.add(h)
}

// fill walks over db in the background, and then lets the filter answer.
func (f *filter) fill(db *badger.DB) {
	f.complete.Store(false)
	f.stop.Store(false)
	f.walk.Go(func() {
		txn := db.NewTransactionAt(math.MaxUint64, false)
		defer txn.Discard()
		o := badger.DefaultIteratorOptions
		o.PrefetchValues = false
		it := txn.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if f.stop.Load() {
				return
			}
			if key := it.Item().Key(); isPointKey(string(key)) {
				h := maphash.Bytes(f.seed, key)
				f.adding.Lock()
				f.add(h)
				f.adding.Unlock()
			}
		}
		f.complete.Store(true)
	})
}

// end stops the walk, if it is under way.
func (f *filter) end() {
	f.stop.Store(true)
	f.walk.Wait()
}

// bloom is a blocked Bloom filter: the bits of one key share a cache line. Reading is safe beside one writer.
type bloom struct {
	words []atomic.Uint64 // in lines of eight
	room  int
}

const bitsPerKey = 12

func newBloom(keys int) *bloom {
	lines := (keys*bitsPerKey + 511) / 512
	return &bloom{words: make([]atomic.Uint64, 8*lines), room: keys}
}

// eachBit calls fn with the six bits of a hash until it returns false.
func (b *bloom) eachBit(h uint64, fn func(word *atomic.Uint64, bit uint64) bool) bool {
	line := b.words[8*((h>>32)*uint64(len(b.words)/8)>>32):][:8]
	h *= 0x9E3779B97F4A7C15 // other bits than those that chose the line
	for range 6 {
		if !fn(&line[h>>61], 1<<(h>>55&63)) {
			return false
		}
		h <<= 9
	}
	return true
}

func (b *bloom) has(h uint64) bool {
	return b.eachBit(h, func(word *atomic.Uint64, bit uint64) bool { return word.Load()&bit != 0 })
}

func (b *bloom) add(h uint64) {
	b.eachBit(h, func(word *atomic.Uint64, bit uint64) bool {
		word.Or(bit)
		return true
	})
}
