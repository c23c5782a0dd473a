package chain

import (
	"errors"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"verilot.dev/ledger/state"
)

// view is the state at one height. Badger's read-only transactions may be used by many at once.
type view struct{ txn *badger.Txn }

// diskError is what a view panics with: see state.View.
type diskError struct{ err error }

func (e *diskError) Error() string { return "chain: read state: " + e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

// catch turns a view's panic into an error. Use it deferred where a view is given to rules or queries.
func catch(err *error) {
	switch p := recover().(type) { //nolint:revive // catch is what is deferred
	case nil:
	case *diskError:
		*err = p
	default:
		panic(p)
	}
}

// Guard calls fn and returns the error of a view that lost its disk.
func Guard(fn func() error) (err error) {
	defer catch(&err)
	return fn()
}

// Get implements state.View.
func (v view) Get(key string) ([]byte, bool) {
	item, err := v.txn.Get([]byte(key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, false
	}
	if err != nil {
		panic(&diskError{err})
	}
	b, err := item.ValueCopy([]byte{})
	if err != nil {
		panic(&diskError{err})
	}
	return b, true
}

// Scan implements state.View.
func (v view) Scan(prefix string, fn func(string, []byte) bool) {
	o := badger.DefaultIteratorOptions
	o.Prefix = []byte(prefix)
	o.PrefetchSize = 16
	it := v.txn.NewIterator(o)
	defer it.Close()
	for it.Seek(o.Prefix); it.ValidForPrefix(o.Prefix); it.Next() {
		item := it.Item()
		if prefix == "" && item.Key()[0] == markerKey[0] {
			continue
		}
		b, err := item.ValueCopy([]byte{})
		if err != nil {
			panic(&diskError{err})
		}
		if !fn(string(item.Key()), b) {
			return
		}
	}
}

// ScanFrom is Scan beginning at the first key that is not below from. index.Ordered.
func (v view) ScanFrom(prefix, from string, fn func(string, []byte) bool) {
	v.walk(prefix, max(from, prefix), false, fn)
}

// ScanBack calls fn for every key with the prefix that is not above from, in descending order, until fn returns false; an empty from
// is above all of them. index.Ordered.
func (v view) ScanBack(prefix, from string, fn func(string, []byte) bool) {
	if last := prefix + highest; from == "" || from > last {
		from = last
	}
	v.walk(prefix, from, true, fn)
}

// highest sorts after whatever stands behind a prefix: no key of ours has so many.
const highest = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

func (v view) walk(prefix, from string, back bool, fn func(string, []byte) bool) {
	o := badger.DefaultIteratorOptions
	o.Prefix, o.PrefetchSize, o.Reverse = []byte(prefix), 16, back
	it := v.txn.NewIterator(o)
	defer it.Close()
	for it.Seek([]byte(from)); it.ValidForPrefix(o.Prefix); it.Next() {
		item := it.Item()
		b, err := item.ValueCopy([]byte{})
		if err != nil {
			panic(&diskError{err})
		}
		if !fn(string(item.Key()), b) {
			return
		}
	}
}

// live is the newest state, whichever that is at each call; it may be a block ahead of Head while that is committed.
type live struct{ c *Chain }

// Live is the newest state at each call: what a validator builds on. Queries want a Snapshot.
func (c *Chain) Live() state.View { return live{c} }

func (l live) Get(key string) ([]byte, bool) {
	if b, ok := l.c.hot.get(key); ok {
		return b, b != nil
	}
	if l.c.filter.absent(key) {
		return nil, false
	}
	return l.c.head.Load().view.Get(key)
}

func (l live) Scan(prefix string, fn func(string, []byte) bool) {
	l.c.head.Load().view.Scan(prefix, fn)
}

// Snapshot is the state at the head of now, held until done is called.
func (c *Chain) Snapshot() (v state.View, done func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, ErrClosed
	}
	h := c.head.Load()
	ts := h.Header.Height + 1
	c.pins[ts]++
	return h.view, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pins[ts]--; c.pins[ts] == 0 {
			delete(c.pins, ts)
		}
		if !c.closed {
			c.discard()
		}
	}), nil
}

// hotCache holds values just written, which the next blocks are most likely to read: two generations, of which the
// older is forgotten when the younger is full. Of a key it holds the newest value or nothing.
type hotCache struct {
	mu         sync.RWMutex      // guards young, old and size
	young, old map[string][]byte // nil: deleted
	size, max  int64
}

func newHotCache(limit int64) *hotCache {
	return &hotCache{young: map[string][]byte{}, max: limit / 2}
}

const perEntry = 80 // bytes that the map and the headers take

func (h *hotCache) add(ws state.WriteSet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range ws {
		if isPointKey(w.Key) {
			h.young[w.Key] = w.Value
			h.size += int64(len(w.Key) + len(w.Value) + perEntry)
		}
	}
	if h.size > h.max {
		h.old, h.young, h.size = h.young, make(map[string][]byte, len(h.young)), 0
	}
}

func (h *hotCache) get(key string) ([]byte, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if b, ok := h.young[key]; ok {
		return b, true
	}
	b, ok := h.old[key]
	return b, ok
}

func (h *hotCache) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.young, h.old, h.size = map[string][]byte{}, nil, 0
}
