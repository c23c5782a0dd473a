// Package state is the ledger's view of stored facts: keys and values in byte order, read through a View and
// written through an Overlay, whose write-set a node stores durably with the block (docs/design: section 8).
//
// Keys and values are storage, derived from effects and free to change; nothing here is hashed.
package state

import (
	"errors"
	"slices"
	"strings"

	"verilot.dev/ledger/canonical"
)

// A View reads facts as of one position. Values must not be changed by the caller. An implementation that
// loses its disk panics with its error: a rule cannot go on over half an answer.
type View interface {
	// Get returns the value of key.
	Get(key string) ([]byte, bool)
	// Scan calls fn for every key with the prefix, in ascending order, until fn returns false.
	Scan(prefix string, fn func(key string, value []byte) bool)
}

// A Store is a View that can be written. A nil value deletes.
type Store interface {
	View
	Put(key string, value []byte)
	Delete(key string)
}

// Overlay collects writes above a View. It is not safe for concurrent use.
//
// A scan for a prefix that holds a NUL looks only at writes that agree up to there: the rules scan once or more per unit,
// and a block has tens of thousands of writes.
type Overlay struct {
	base   View
	writes map[string][]byte // nil: deleted
	groups map[string]*group // written keys that hold a NUL, by what stands up to the first one
	loose  []string          // such keys since the last scan: in no group yet

	attempt bool
	before  []before // during an attempt: what its writes replaced, oldest first
}

// before is what a write replaced; there may have been nothing.
type before struct {
	key   string
	value []byte
	known bool
}

// group is some written keys. They are put in order when they are scanned.
type group struct {
	sorted, fresh []string
	scans         int // under way
}

func (g *group) keys() []string {
	if len(g.fresh) == 0 {
		return g.sorted
	}
	if g.scans > 0 {
		g.sorted = slices.Clone(g.sorted)
	}
	if len(g.fresh) > 8 {
		g.sorted = append(g.sorted, g.fresh...)
		slices.Sort(g.sorted)
	} else {
		for _, k := range g.fresh {
			at, _ := slices.BinarySearch(g.sorted, k)
			g.sorted = slices.Insert(g.sorted, at, k)
		}
	}
	g.fresh = g.fresh[:0]
	return g.sorted
}

// groupOf is a key or prefix up to its first NUL.
func groupOf(key string) (string, bool) {
	i := strings.IndexByte(key, 0)
	return key[:i+1], i >= 0
}

// NewOverlay puts an empty overlay above base.
func NewOverlay(base View) *Overlay { return NewOverlayFor(base, 0) }

// NewOverlayFor is NewOverlay with room for a number of writes.
func NewOverlayFor(base View, writes int) *Overlay {
	return &Overlay{base: base, writes: make(map[string][]byte, writes)}
}

// Get reads through the overlay.
func (o *Overlay) Get(key string) ([]byte, bool) {
	if v, ok := o.writes[key]; ok {
		return v, v != nil
	}
	return o.base.Get(key)
}

// Put writes into the overlay.
func (o *Overlay) Put(key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	o.set(key, value)
}

// Delete hides key.
func (o *Overlay) Delete(key string) { o.set(key, nil) }

func (o *Overlay) set(key string, value []byte) {
	grouped := strings.IndexByte(key, 0) >= 0
	if grouped || o.attempt {
		old, known := o.writes[key]
		if o.attempt {
			o.before = append(o.before, before{key, old, known})
		}
		if grouped && !known {
			o.loose = append(o.loose, key)
		}
	}
	o.writes[key] = value
}

// sort puts the loose keys into their groups.
func (o *Overlay) sort() {
	if o.groups == nil {
		o.groups = map[string]*group{}
	}
	for _, key := range o.loose {
		at, _ := groupOf(key)
		g := o.groups[at]
		if g == nil {
			g = &group{}
			o.groups[at] = g
		}
		g.fresh = append(g.fresh, key)
	}
	o.loose = o.loose[:0]
}

// Attempt calls fn and, if it returns false, takes back what it wrote. Attempts do not nest.
func (o *Overlay) Attempt(fn func() bool) {
	o.attempt, o.before = true, o.before[:0]
	ok := fn()
	o.attempt = false
	if ok {
		return
	}
	scanned := map[*group]bool{}
	for _, b := range slices.Backward(o.before) {
		if b.known {
			o.writes[b.key] = b.value
			continue
		}
		delete(o.writes, b.key)
		if last := len(o.loose) - 1; last >= 0 && o.loose[last] == b.key {
			o.loose = o.loose[:last]
		} else if at, ok := groupOf(b.key); ok {
			g := o.groups[at]
			if last := len(g.fresh) - 1; last >= 0 && g.fresh[last] == b.key {
				g.fresh = g.fresh[:last]
			} else {
				scanned[g] = true
			}
		}
	}
	for g := range scanned {
		g.sorted = slices.DeleteFunc(g.sorted, func(k string) bool {
			_, known := o.writes[k]
			return !known
		})
	}
}

// Scan merges the overlay's keys with the base's. fn may write to the overlay; what it writes may or may not be seen.
func (o *Overlay) Scan(prefix string, fn func(string, []byte) bool) {
	var own []string
	if at, ok := groupOf(prefix); ok {
		o.sort()
		if g := o.groups[at]; g != nil {
			own = g.keys()
			from, _ := slices.BinarySearch(own, prefix)
			own = own[from:]
			g.scans++
			defer func() { g.scans-- }()
		}
	} else {
		for k := range o.writes {
			if strings.HasPrefix(k, prefix) {
				own = append(own, k)
			}
		}
		slices.Sort(own)
	}
	i, stopped := 0, false
	emit := func(k string) bool {
		if v := o.writes[k]; v != nil {
			return fn(k, v)
		}
		return true
	}
	o.base.Scan(prefix, func(k string, v []byte) bool {
		for i < len(own) && own[i] < k {
			i++
			if !emit(own[i-1]) {
				stopped = true
				return false
			}
		}
		if i < len(own) && own[i] == k {
			i++
			stopped = !emit(k)
		} else {
			stopped = !fn(k, v)
		}
		return !stopped
	})
	for ; !stopped && i < len(own) && strings.HasPrefix(own[i], prefix); i++ {
		stopped = !emit(own[i])
	}
}

// WriteSet returns the writes in key order.
func (o *Overlay) WriteSet() WriteSet {
	ws := make(WriteSet, 0, len(o.writes))
	for k, v := range o.writes {
		ws = append(ws, Write{Key: k, Value: v})
	}
	slices.SortFunc(ws, func(a, b Write) int { return strings.Compare(a.Key, b.Key) })
	return ws
}

// Write is one changed key; a nil value deletes.
type Write struct {
	Key   string
	Value []byte
}

// WriteSet is what a block changes, in key order.
type WriteSet []Write

// Encode is the stored form: per write str16 key, u8 present, str32 value.
func (ws WriteSet) Encode() []byte {
	size := 4
	for _, w := range ws {
		size += 7 + len(w.Key) + len(w.Value)
	}
	b := canonical.U32(make([]byte, 0, size), uint32(len(ws)))
	for _, w := range ws {
		b = canonical.Str16(b, w.Key)
		if w.Value == nil {
			b = append(b, 0)
			continue
		}
		b = canonical.Str32(append(b, 1), w.Value)
	}
	return b
}

// DecodeWriteSet reads what Encode wrote.
func DecodeWriteSet(b []byte) (WriteSet, error) {
	r := canonical.NewReader(b)
	n := int(r.U32())
	if n > len(b) {
		return nil, canonical.ErrShort
	}
	ws := make(WriteSet, 0, n)
	for range n {
		w := Write{Key: string(r.Str16())}
		switch r.U8() {
		case 0:
		case 1:
			w.Value = append([]byte{}, r.Str32()...)
		default:
			r.Fail(errors.New("state: bad write"))
		}
		ws = append(ws, w)
	}
	return ws, r.Done()
}

// Memory is a Store in memory, for tests and small tools.
type Memory struct{ m map[string][]byte }

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{m: map[string][]byte{}} }

// Get implements View.
func (s *Memory) Get(key string) ([]byte, bool) { v, ok := s.m[key]; return v, ok }

// Put implements Store.
func (s *Memory) Put(key string, value []byte) { s.m[key] = append([]byte{}, value...) }

// Delete implements Store.
func (s *Memory) Delete(key string) { delete(s.m, key) }

// Scan implements View.
func (s *Memory) Scan(prefix string, fn func(string, []byte) bool) {
	var keys []string
	for k := range s.m {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if !fn(k, s.m[k]) {
			return
		}
	}
}

// Apply puts ws into the store.
func (s *Memory) Apply(ws WriteSet) {
	for _, w := range ws {
		if w.Value == nil {
			s.Delete(w.Key)
		} else {
			s.Put(w.Key, w.Value)
		}
	}
}
