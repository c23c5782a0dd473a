package index

import (
	"slices"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// maxDepth bounds how deep containers are followed. The rules flag more than six levels (AGG_DEPTH); a trace that meets
// more stops there and says so.
const maxDepth = 12

// Touch is an event in the history of a unit.
type Touch struct {
	Pos     canonical.Position
	Verdict block.VerdictCode
	Lists   byte // lists of the event in which the unit itself stands; 0 when inherited
	// Via are the containers that carried the unit through this event, innermost first; empty when the event names the unit itself.
	Via []gs1.Key
}

// Observed reports whether the event names the unit itself.
func (t *Touch) Observed() bool { return len(t.Via) == 0 }

// Stay is one interval that an object spent directly inside another, by ledger position. Until is nil while it lasts.
type Stay struct {
	Parent gs1.Key
	From   canonical.Position
	Until  *canonical.Position
}

// Stays lists the containers a key has been in.
func Stays(v state.View, key gs1.Key) []Stay {
	var out []Stay
	v.Scan(containmentPrefix+key.String()+"\x00", func(k string, value []byte) bool {
		pos := positionOf(k)
		if n := len(out); n > 0 && out[n-1].Until == nil {
			out[n-1].Until = &pos
		}
		r := canonical.NewReader(value)
		if r.U8() != 1 {
			return true
		}
		if parent, err := gs1.ParseKey(string(r.Str16())); err == nil {
			out = append(out, Stay{Parent: parent, From: pos})
		}
		return true
	})
	return out
}

// interval is a half-open range of positions after from, up to and including until (the event that ends a stay is part of
// the unit's history even when it names only the container).
type interval struct {
	from  canonical.Position
	until *canonical.Position
}

func (i interval) has(p canonical.Position) bool {
	return i.from.Compare(p) < 0 && (i.until == nil || p.Compare(*i.until) <= 0)
}

// History returns every event that touched key, its own and, for exactly the time it was inside one, its containers', in
// ledger order, each event once. cut reports that a chain of containers was deeper than the trace follows.
func History(v state.View, key gs1.Key) (touches []Touch, cut bool) {
	seen := map[canonical.Position]bool{}
	var follow func(k gs1.Key, in interval, via []gs1.Key)
	follow = func(k gs1.Key, in interval, via []gs1.Key) {
		v.Scan(historyPrefix+k.String()+"\x00", func(stored string, value []byte) bool {
			pos := positionOf(stored)
			if len(value) != 2 || !in.has(pos) || seen[pos] {
				return true
			}
			// What a container did before it was opened is inherited only if the rules let it happen.
			verdict := block.VerdictCode(value[0])
			if len(via) > 0 && verdict != block.Accepted && verdict != block.Flagged {
				return true
			}
			seen[pos] = true
			t := Touch{Pos: pos, Verdict: verdict, Via: via}
			if len(via) == 0 {
				t.Lists = value[1]
			}
			touches = append(touches, t)
			return true
		})
		for _, s := range Stays(v, k) {
			if slices.Contains(via, s.Parent) || s.Parent == key {
				continue
			}
			next := interval{from: s.From, until: s.Until}
			if in.from.Compare(next.from) > 0 {
				next.from = in.from
			}
			if in.until != nil && (next.until == nil || in.until.Compare(*next.until) < 0) {
				next.until = in.until
			}
			if next.until != nil && next.from.Compare(*next.until) >= 0 {
				continue
			}
			if len(via) == maxDepth {
				cut = true
				return
			}
			follow(s.Parent, next, append(slices.Clip(via), s.Parent))
		}
	}
	follow(key, interval{}, nil)
	slices.SortFunc(touches, func(a, b Touch) int { return a.Pos.Compare(b.Pos) })
	return touches, cut
}
