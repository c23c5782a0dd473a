package consensus

import (
	"sort"
	"strings"

	"verilot.dev/ledger/state"
)

// A layer is a block's writes above the state before it: the state after a block that is not decided, or decided but not
// yet in the node's store. It never changes, but for its base once the node has applied the block below.
type layer struct {
	base   state.View
	height uint64
	writes state.WriteSet
}

func (l *layer) from(key string) int {
	return sort.Search(len(l.writes), func(i int) bool { return l.writes[i].Key >= key })
}

// Get implements state.View.
func (l *layer) Get(key string) ([]byte, bool) {
	if i := l.from(key); i < len(l.writes) && l.writes[i].Key == key {
		return l.writes[i].Value, l.writes[i].Value != nil
	}
	return l.base.Get(key)
}

// Scan implements state.View.
func (l *layer) Scan(prefix string, fn func(string, []byte) bool) {
	i, goOn := l.from(prefix), true
	own := func(limit string, limited bool) { // the own keys that come before limit
		for ; goOn && i < len(l.writes); i++ {
			w := l.writes[i]
			if !strings.HasPrefix(w.Key, prefix) || limited && w.Key >= limit {
				return
			}
			if w.Value != nil {
				goOn = fn(w.Key, w.Value)
			}
		}
	}
	l.base.Scan(prefix, func(k string, v []byte) bool {
		own(k, true)
		if !goOn {
			return false
		}
		if i < len(l.writes) && l.writes[i].Key == k {
			if v = l.writes[i].Value; v == nil {
				i++
				return true
			}
			i++
		}
		goOn = fn(k, v)
		return goOn
	})
	own("", false)
}
