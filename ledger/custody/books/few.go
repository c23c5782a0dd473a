package books

// few is how many values of a table are found by looking through them.
const few = 8

// table keeps values by key, in the order in which they came. Most events need a few, and those need no index.
type table[K comparable, V any] struct {
	rows  []row[K, V]
	index map[K]int
	room  [2]row[K, V] // for the first rows
}

type row[K comparable, V any] struct {
	key   K
	value V
}

// newTable is a table with room for a number of values. It may be copied as long as it is empty.
func newTable[K comparable, V any](size int) (t table[K, V]) {
	if size > len(t.room) {
		t.rows = make([]row[K, V], 0, size)
	}
	if size > few {
		t.index = make(map[K]int, size)
	}
	return t
}

// at is the value of a key, nil if there is none. It is good until the next call of put.
func (t *table[K, V]) at(key K) *V {
	if t.index != nil {
		if i, ok := t.index[key]; ok {
			return &t.rows[i].value
		}
		return nil
	}
	for i := range t.rows {
		if t.rows[i].key == key {
			return &t.rows[i].value
		}
	}
	return nil
}

// put adds the value of a key that has none.
func (t *table[K, V]) put(key K, value V) {
	if t.rows == nil {
		t.rows = t.room[:0]
	}
	t.rows = append(t.rows, row[K, V]{key, value})
	switch n := len(t.rows); {
	case t.index != nil:
		t.index[key] = n - 1
	case n > few:
		t.index = make(map[K]int, 2*n)
		for i := range t.rows {
			t.index[t.rows[i].key] = i
		}
	}
}
