package custody

import (
	"cmp"
	"encoding/binary"
	"slices"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// graced are the findings that wait for a record still to come: a flag while the grace time runs, a hold afterwards
// (docs/spec.md section 7.4).
var graced = []verdict.Code{verdict.NotCommissioned, verdict.AggUnknownChild, verdict.ReceiveNoShip, verdict.ShipBeforeCommission}

// Bounds of what the timers of one block may change (docs/spec.md section 7.4). One finding has at most
// submission.MaxUnits subjects, and a block runs at least one timer that is due.
const (
	MaxTimers        = 1000
	MaxTimerSubjects = 4096
)

// Amendment changes an earlier finding for some of its subjects (docs/spec.md section 7.4). A finding's subjects may change at
// different times: each amendment lists those that change with it.
type Amendment struct {
	Pos      canonical.Position // of the event that has the finding
	Code     verdict.Code
	Old, New uint8
	Subjects []string // key texts, or the event itself as in block.EventSubject
}

// Lapsed is what one timer that ran out changes.
type Lapsed struct {
	Amendment
	Effects [][]byte // that follow the amendment's own
}

// Timers are stored by when they are due, so that the first ones are found without looking at the rest:
//
//	g/<due, ms><position of the finding><position of the event that started it><code>   subjects of a finding whose grace time runs
//
// The two positions differ where things left a container and took its finding along.
const timerAt = "g/"

func timerKey(due int64, pos, by canonical.Position, code verdict.Code) string {
	var room [128]byte
	b := binary.BigEndian.AppendUint64(append(room[:0], timerAt...), uint64(due))
	return string(append(by.Append(pos.Append(b)), code...))
}

// timer is where the timer of a finding is stored.
func (f *FindingRecord) timer() string {
	if f.From != "" {
		return timerKey(f.Due, f.Pos, f.Taken, f.Code)
	}
	return timerKey(f.Due, f.Pos, f.Pos, f.Code)
}

// explainedMeanwhile says whether what a finding missed is there now: it was taken along from a container, and there it is closed,
// by a record and not by a company's word about that container.
func explainedMeanwhile(v state.View, f *FindingRecord) bool {
	if f.From == "" {
		return false
	}
	origin, ok := readFinding(v, f.From, f.Pos, f.Code)
	if !ok || origin.State != block.Closed {
		return false
	}
	_, _, resolved := closedBy(v, &origin)
	return !resolved
}

// Lapse runs the timers that are due at the time of a block: what is still open of their findings is held from now on, and so are
// the things themselves. It comes before everything else in the block; c.Pos is the cause of what it changes.
func Lapse(st state.Store, c Context) []Lapsed {
	type timer struct {
		at   string
		pos  canonical.Position
		code verdict.Code
		keys []string
	}
	var due []timer
	subjects := 0
	st.Scan(timerAt, func(at string, b []byte) bool {
		r := canonical.NewReader([]byte(at[len(timerAt):]))
		t := timer{at: at}
		when := int64(r.U64())
		t.pos, _, t.code = r.Position(), r.Position(), verdict.Code(r.Rest())
		books.Damaged(r, "timer")
		list := canonical.NewReader(b)
		t.keys = books.ReadKeys(list)
		books.Damaged(list, "timer")
		subjects += len(t.keys)
		if when > c.Time || len(due) == MaxTimers || len(due) > 0 && subjects > MaxTimerSubjects {
			return false
		}
		due = append(due, t)
		return true
	})
	var out []Lapsed
	b := books.Open(st, c.Pos, subjects)
	b.Silent = true
	for _, t := range due {
		st.Delete(t.at)
		var open, closed []string
		for _, k := range t.keys {
			f, ok := readFinding(st, k, t.pos, t.code)
			switch {
			case !ok || f.State != block.Open:
				continue
			case explainedMeanwhile(st, &f):
				f.amend(block.Closed, c.Pos)
				closed = append(closed, k)
			default:
				f.amend(block.Held, c.Pos)
				open = append(open, k)
			}
			putFinding(st, k, f)
		}
		if len(closed) > 0 {
			out = append(out, Lapsed{Amendment: Amendment{Pos: t.pos, Code: t.code, Old: block.Open, New: block.Closed, Subjects: closed}})
		}
		if len(open) == 0 {
			continue
		}
		l := Lapsed{Amendment: Amendment{Pos: t.pos, Code: t.code, Old: block.Open, New: block.Held, Subjects: open}}
		for _, bit := range []uint16{books.OverlayHold, books.OverlayQuarantined} {
			var changed []string
			for _, k := range open {
				r := b.Get(k)
				if r == nil || r.Overlays&bit != 0 {
					continue
				}
				b.SetMark(r, bit, true)
				changed = append(changed, k)
			}
			if len(changed) > 0 {
				l.Effects = append(l.Effects, OverlaySet{Set: true, Overlay: overlayName(bit), Keys: changed}.Encode())
			}
		}
		out = append(out, l)
	}
	b.Write()
	return out
}

// cure notes that what a finding missed of some things is there now. What is said of things without such a finding is not heard.
func (j *judging) cure(code verdict.Code, keys ...string) {
	for _, k := range keys {
		if s := (subject{code, k}); !j.isCured[s] {
			if j.isCured == nil {
				j.isCured = map[subject]bool{}
			}
			j.isCured[s] = true
			j.cured = append(j.cured, s)
		}
	}
}

// cureInside closes a shortage of what is inside a container that has turned up whole, as far as a few looks reach.
func (j *judging) cureInside(key string, depth int) {
	if depth > books.MaxDepth {
		return
	}
	j.Children(key, func(child string) bool {
		if j.looks--; j.looks < 0 {
			return false
		}
		j.cure(verdict.QtyShort, child)
		j.cureInside(child, depth+1)
		return true
	})
}

// amend closes the findings that this event cures. It runs before flush: the event's own findings are not stored yet.
func (j *judging) amend() {
	list := j.lifted
	for _, s := range j.cured {
		for _, f := range findingsOf(j.st, s.key) {
			if f.Code == s.code && f.State != block.Closed {
				list = append(list, closing{s.key, f})
			}
		}
	}
	j.close(list)
}

// close closes findings, whatever the reason, and lifts the hold of what no other finding holds.
func (j *judging) close(list []closing) {
	type change struct {
		pos  canonical.Position
		code verdict.Code
		old  uint8
	}
	if len(list) > 0 {
		j.closed = make(map[string]closing, len(list))
	}
	at := map[change]int{}
	released := j.relieved
	for _, c := range list {
		f := c.f
		to := change{f.Pos, f.Code, f.State}
		i, ok := at[to]
		if !ok {
			i = len(j.amendments)
			at[to] = i
			j.amendments = append(j.amendments, Amendment{Pos: f.Pos, Code: f.Code, Old: f.State, New: block.Closed})
		}
		j.amendments[i].Subjects = append(j.amendments[i].Subjects, c.key)
		if f.holds() {
			released = append(released, c.key)
		}
		f.Changes = slices.Clip(f.Changes)
		f.amend(block.Closed, j.c.Pos)
		j.closed[findingKey(c.key, f.Pos, f.Code)] = closing{c.key, f}
	}
	slices.SortStableFunc(j.amendments, func(a, b Amendment) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Old, b.Old))
	})
	// Quarantine stays until the holder ends it: a package is released by people, not by a message.
	_, free := split(released, j.stillHeld)
	j.overlay(books.OverlayHold, false, free)
}

// stillHeld says whether a finding, of this event or an earlier one that it does not close, holds a thing.
func (j *judging) stillHeld(key string) bool {
	for _, f := range j.findings {
		if f.Severity == block.Hold && j.found[subject{f.Code, key}] {
			return true
		}
	}
	for _, f := range findingsOf(j.st, key) {
		if c, ok := j.closed[findingKey(key, f.Pos, f.Code)]; ok {
			f = c.f // as this event leaves it
		}
		if f.holds() {
			return true
		}
	}
	return j.isHeld[key]
}

// closing is a finding record to be stored.
type closing struct {
	key string
	f   FindingRecord
}

// startTimers stores when the graced findings of this event lapse, and those that things take along.
func (j *judging) startTimers() {
	for _, f := range j.findings {
		if f.Severity != block.Flag || len(f.Subjects) == 0 || !slices.Contains(graced, f.Code) {
			continue
		}
		keys := make([]string, len(f.Subjects))
		for i, k := range f.Subjects {
			keys[i] = k.String()
		}
		j.st.Put(timerKey(j.c.Time+j.c.Grace, j.c.Pos, j.c.Pos, f.Code), books.PutKeys(nil, keys))
	}
	waiting := map[string][]string{}
	for i := range j.carried {
		f := &j.carried[i].f
		if f.State != block.Open || f.Due == 0 {
			continue
		}
		at := f.timer()
		waiting[at] = append(waiting[at], j.carried[i].key)
	}
	for at, keys := range waiting {
		j.st.Put(at, books.PutKeys(nil, keys))
	}
}
