package custody

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// An event can be taken back by its author (EPCIS 2.0, section 7.4.1.4, error declaration). The ledger keeps, per event, the
// records as they were before it. Taking it back restores them, unless a later event built upon what it did.
//
//	h/<position>                  history of an event
//	b/<position>                  of an event that was taken back: position of the declaration
const (
	historyAt   = "h/"
	takenBackAt = "b/"
)

// maxLater is how many later events are looked up and named when a declaration has no effect. lookedAt is how many things
// of theirs are looked at for it, about: they are counted as MaxContents (TakesAll), however many there are.
const (
	maxLater = 32
	lookedAt = MaxContents
)

// history is what taking an event back needs.
type history struct {
	match   canonical.Hash
	id      string // where the event's id is stored; "" if it has none
	due     int64  // when its grace timers run out
	things  []books.Was
	ships   []books.ShipWas
	lots    []string // where the lists of its births are stored
	remarks []string // subjects of findings that are not among the things
	cured   []cure   // findings that it closed
	carried []string // where the findings are stored that things took along from their containers

	of map[string]*books.Was // things by key, once it is asked
}

// cure is a finding that an event closed, and its state before.
type cure struct {
	key  string
	pos  canonical.Position
	code verdict.Code
	old  uint8
}

func (h *history) encode() []byte {
	size := len(h.match) + len(h.id) + 64 + books.SizeOf(h.lots) + books.SizeOf(h.remarks) + books.SizeOf(h.carried)
	for i := range h.things {
		size += 7 + len(h.things[i].Stored) + books.SizeOf(h.things[i].Keys)
	}
	for i := range h.ships {
		size += 20 + len(h.ships[i].Stored)
	}
	for i := range h.cured {
		size += 20 + len(h.cured[i].key) + len(h.cured[i].code)
	}
	b := canonical.Str16(append(make([]byte, 0, size), h.match[:]...), h.id)
	b = canonical.U32(canonical.I64(b, h.due), uint32(len(h.things)))
	for _, w := range h.things {
		b = canonical.Str32(b, w.Stored)
		b = books.PutKeys(canonical.U16(append(b, books.AsByte(w.Leaned)), w.Overlays), w.Keys)
	}
	b = canonical.U32(b, uint32(len(h.ships)))
	for _, s := range h.ships {
		b = canonical.Str32(s.Pos.Append(b), s.Stored)
	}
	b = books.PutKeys(books.PutKeys(b, h.lots), h.remarks)
	b = canonical.U32(b, uint32(len(h.cured)))
	for _, c := range h.cured {
		b = canonical.Str8(c.pos.Append(canonical.Str16(b, c.key)), string(c.code))
		b = append(b, c.old)
	}
	return books.PutKeys(b, h.carried)
}

// readHistory returns the history of an event in effect, an empty one for any other.
func readHistory(v state.View, pos canonical.Position) (h history) {
	b, ok := v.Get(books.AtPosition(historyAt, pos))
	if !ok {
		return h
	}
	d := canonical.NewReader(b)
	h.match, h.id, h.due = d.Hash(), string(d.Str16()), d.I64()
	for n := d.U32(); n > 0 && d.Err() == nil; n-- {
		w := books.Was{Stored: string(d.Str32()), Leaned: d.U8() == 1, Overlays: d.U16()}
		w.Keys = books.ReadKeys(d)
		h.things = append(h.things, w)
	}
	for n := d.U32(); n > 0 && d.Err() == nil; n-- {
		h.ships = append(h.ships, books.ShipWas{Pos: d.Position(), Stored: string(d.Str32())})
	}
	h.lots, h.remarks = books.ReadKeys(d), books.ReadKeys(d)
	for n := d.U32(); n > 0 && d.Err() == nil; n-- {
		c := cure{key: string(d.Str16()), pos: d.Position(), code: verdict.Code(d.Str8())}
		c.old = d.U8()
		h.cured = append(h.cured, c)
	}
	h.carried = books.ReadKeys(d)
	books.Damaged(d, "history of "+pos.String())
	return h
}

// remember writes the history of the event being judged. It runs when everything else is decided, before records are written.
func (j *judging) remember(match canonical.Hash) {
	h := history{match: match, due: j.c.Time + j.c.Grace, id: j.idAt}
	h.things, h.ships = j.Before()
	for _, g := range group(j.inLot, books.GTINOf) {
		h.lots = append(h.lots, books.BirthsAt(g.by, j.ev.Lot(), j.c.Pos))
	}
	noted := map[string]bool{}
	note := func(key string) {
		if r := j.Known(key); r != nil && r.Changed() || noted[key] {
			return
		}
		noted[key] = true
		h.remarks = append(h.remarks, key)
	}
	for _, f := range j.findings {
		for _, k := range f.Subjects {
			note(k.String())
		}
		if len(f.Subjects) == 0 {
			note(block.EventSubject(j.c.Pos))
		}
	}
	for _, c := range j.carried {
		h.carried = append(h.carried, findingKey(c.key, c.f.Pos, c.f.Code))
	}
	for _, c := range j.closed {
		h.cured = append(h.cured, cure{c.key, c.f.Pos, c.f.Code, c.f.before()})
	}
	slices.SortFunc(h.cured, func(a, b cure) int {
		return cmp.Or(cmp.Compare(a.key, b.key), a.pos.Compare(b.pos), cmp.Compare(a.code, b.code))
	})
	j.st.Put(books.AtPosition(historyAt, j.c.Pos), h.encode())
}

// before is the state of a finding before its last change.
func (f *FindingRecord) before() uint8 {
	if n := len(f.Changes); n > 1 {
		return f.Changes[n-2].State
	}
	return block.Open
}

// declare judges an event with an error declaration: it takes back the event that it repeats.
func (j *judging) declare() {
	pos, author, ok := j.declared()
	switch {
	case !ok:
		why := "it was never recorded, or has been taken back"
		eventsOfID(j.st, j.ev.EventID, func(party string, _ canonical.Hash, at canonical.Position) bool {
			why = fmt.Sprintf("the one with the id %s, recorded by %s at %s, says something else: a declaration repeats the event's content", short(j.ev.EventID), party, at)
			return j.ev.EventID == ""
		})
		j.reject(verdict.ErrdeclUnknown, "", "no event with this content is in effect: %s", why)
		return
	case author != j.c.Party:
		j.reject(verdict.ErrdeclNotAuthor, "", "the event at %s was recorded by %s, and only %s can take it back", pos, author, author)
		return
	}
	h := readHistory(j.st, pos)
	if later := j.later(pos, &h); len(later) > 0 {
		var list []string
		for _, p := range later {
			list = append(list, p.String())
		}
		j.find(verdict.ErrdeclBreaksChain, block.Flag, nil,
			fmt.Sprintf("nothing was undone: later events touched the same goods, and would have to be declared first, newest first: %s", strings.Join(list, ", ")))
		return
	}
	j.takeBack(pos, &h)
}

// declared finds the event in effect that a declaration repeats, the publisher's own before that of others. It names the same
// things: so what taking it back costs is counted like what recording it cost.
func (j *judging) declared() (pos canonical.Position, author string, ok bool) {
	plain := *j.ev
	plain.ErrorDeclaration = nil
	it := *j.it
	it.Message = &plain
	for _, t := range readTold(j.st, MatchHash(j.c.Network, &it)) {
		if _, inEffect := j.st.Get(books.AtPosition(historyAt, t.pos)); inEffect && (!ok || t.by == j.c.Party) {
			pos, author, ok = t.pos, t.by, true
		}
	}
	return pos, author, ok
}

// later lists the events after the one at pos that built upon what it did, and those that built upon them, newest first.
func (j *judging) later(pos canonical.Position, h *history) []canonical.Position {
	found := map[canonical.Position]bool{}
	looked := map[canonical.Position]*history{}
	room := lookedAt
	read := func(p canonical.Position) *history {
		if looked[p] == nil {
			x := history{}
			if room > 0 { // that there are later events is known by then; the list of them is for people
				x = readHistory(j.st, p)
				room -= 1 + x.size()
			}
			looked[p] = &x
		}
		return looked[p]
	}
	enough := func(list []canonical.Position) bool { return len(found)+len(list) >= maxLater }
	// follow goes back from the last change of a thing to the event at pos.
	follow := func(since canonical.Position, last func(*history) (canonical.Position, bool), at canonical.Position) (list []canonical.Position) {
		for at.Compare(since) > 0 && len(list) < maxLater {
			list = append(list, at)
			before, ok := last(read(at))
			if !ok {
				break
			}
			at = before
		}
		return list
	}
	queue := []canonical.Position{pos}
	looked[pos] = h
	for len(queue) > 0 && len(found) < maxLater {
		since := queue[0]
		x := read(since)
		queue = queue[1:]
		var list []canonical.Position
		for i := range x.things {
			w := &x.things[i]
			for _, k := range w.Keys {
				if enough(list) || since != pos && room <= 0 {
					break
				}
				r := j.Get(k)
				if r == nil {
					continue
				}
				list = append(list, follow(since, func(h *history) (canonical.Position, bool) { return h.touched(k, !w.Leaned) }, r.TouchedAt(!w.Leaned))...)
			}
		}
		for _, s := range x.ships {
			if ship := j.Shipment(s.Pos); ship != nil && !enough(list) {
				list = append(list, follow(since, func(h *history) (canonical.Position, bool) { return h.shipped(s.Pos) }, ship.Last)...)
			}
		}
		for _, t := range readTold(j.st, x.match) {
			if _, inEffect := j.st.Get(books.AtPosition(historyAt, t.pos)); inEffect && t.pos.Compare(since) > 0 { // not a mere copy
				list = append(list, t.pos)
			}
		}
		for _, p := range list {
			if !found[p] {
				found[p] = true
				queue = append(queue, p)
			}
		}
	}
	var out []canonical.Position
	for p := range found {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b canonical.Position) int { return b.Compare(a) })
	return out[:min(len(out), maxLater)]
}

// size is how many things the event changed.
func (h *history) size() (n int) {
	for i := range h.things {
		n += len(h.things[i].Keys)
	}
	return n
}

// touched is when a thing had last been changed before the event of this history.
func (h *history) touched(key string, leaned bool) (canonical.Position, bool) {
	if h.of == nil {
		h.of = map[string]*books.Was{}
		for i := range h.things {
			for _, k := range h.things[i].Keys {
				h.of[k] = &h.things[i]
			}
		}
	}
	w := h.of[key]
	if w == nil || w.Stored == "" {
		return canonical.Position{}, false
	}
	return w.Record(key).TouchedAt(leaned), true
}

func (h *history) shipped(pos canonical.Position) (canonical.Position, bool) {
	for i := range h.ships {
		if was := &h.ships[i]; was.Pos == pos && was.Stored != "" {
			return was.Shipment().Last, true
		}
	}
	return canonical.Position{}, false
}

// takeBack restores what the event at pos changed.
func (j *judging) takeBack(pos canonical.Position, h *history) {
	before := map[string]*books.Record{}
	bits := map[string]uint16{}
	var keys, gone []string
	for i := range h.things {
		w := &h.things[i]
		for _, k := range w.Keys {
			r := j.Get(k)
			if r == nil {
				continue
			}
			if w.Leaned {
				j.Emptied(r, w, pos)
				continue
			}
			keys = append(keys, k)
			bits[k] = w.Overlays
			if was := w.Record(k); was != nil {
				before[k] = was
			} else {
				gone = append(gone, k)
			}
		}
	}
	j.restoreFindings(pos, h, keys)

	// Things leave the containers that they were not in.
	var left, put []string
	for _, k := range keys {
		r, b := j.Get(k), before[k]
		if r.Parent != "" && (b == nil || b.Parent != r.Parent) {
			left = append(left, k)
		}
		if b != nil && b.Parent != "" && b.Parent != r.Parent {
			put = append(put, k)
		}
	}
	for _, g := range group(left, func(k string) string { return j.Get(k).Parent }) {
		j.emit(Unpacked{Parent: g.by, Keys: g.keys})
		rs := make([]*books.Record, len(g.keys))
		for i, k := range g.keys {
			j.Link(g.by, k, false)
			rs[i] = j.Get(k)
		}
		j.Exit(rs)
	}
	// What they are by themselves is as it was.
	var kept []string
	for _, k := range keys {
		b := before[k]
		if b == nil {
			continue
		}
		kept = append(kept, k)
		r := j.Get(k)
		if j.Restore(r, b, bits[k], pos); r.Since.Compare(pos) > 0 {
			r.Since = j.resolvedSince(k, pos, b.Since)
		}
	}
	for _, g := range group(put, func(k string) string { return before[k].Parent }) {
		rs := make([]*books.Record, len(g.keys))
		for i, k := range g.keys {
			j.Link(g.by, k, true)
			rs[i] = j.Get(k)
		}
		j.Enter(rs, g.by, func(r *books.Record) canonical.Position { return before[r.Key].Packed })
		j.emit(Packed{Parent: g.by, Keys: g.keys})
	}
	for _, k := range gone {
		j.Unborn(j.Get(k))
	}
	j.emit(Restored{Event: pos, Keys: kept, Gone: gone})
	for i := range h.ships {
		j.RestoreShipment(&h.ships[i])
	}
	for _, at := range h.carried {
		key, rest, _ := strings.Cut(at[len(findingAt):], nul)
		d := canonical.NewReader([]byte(rest))
		if f, ok := readFinding(j.st, key, d.Position(), verdict.Code(d.Rest())); ok && f.Due > 0 {
			j.st.Delete(f.timer())
		}
	}
	for _, at := range slices.Concat(h.lots, h.carried) {
		j.st.Delete(at)
	}
	if h.id != "" {
		j.st.Delete(h.id)
	}
	j.rehold(kept, before)
	if told := slices.DeleteFunc(readTold(j.st, h.match), func(t told) bool { return t.pos == pos }); len(told) > 0 {
		putTold(j.st, h.match, told)
	} else {
		j.st.Delete(matchAt + string(h.match[:]))
	}
	j.st.Delete(books.AtPosition(historyAt, pos))
	j.st.Put(books.AtPosition(takenBackAt, pos), j.c.Pos.Append(nil))
}

// resolvedSince is since when a thing was as it is without the event at pos: before it, or when a finding of another event was
// resolved in a way that marked the thing, or freed it. What became of the findings of the event at pos never happened.
func (j *judging) resolvedSince(key string, pos, before canonical.Position) canonical.Position {
	for _, f := range findingsOf(j.st, key) {
		if f.Pos == pos || f.From != "" && f.Taken == pos {
			continue
		}
		by, at, resolved := closedBy(j.st, &f)
		held := f.Severity == block.Hold || slices.ContainsFunc(f.Changes, func(c Change) bool { return c.State == block.Held })
		if resolved && (held || by.Outcome == Illegitimate) && at.Compare(before) > 0 {
			before = at
		}
	}
	return before
}

// TakenBack returns the error declaration by which an event was taken back.
func TakenBack(v state.View, pos canonical.Position) (by canonical.Position, ok bool) {
	b, ok := v.Get(books.AtPosition(takenBackAt, pos))
	if !ok {
		return by, false
	}
	d := canonical.NewReader(b)
	by = d.Position()
	books.Damaged(d, "taken back "+pos.String())
	return by, true
}

// restoreFindings closes what the event had found, and opens again what it had closed.
func (j *judging) restoreFindings(pos canonical.Position, h *history, keys []string) {
	if j.closed == nil {
		j.closed = map[string]closing{}
	}
	type change struct {
		pos      canonical.Position
		code     verdict.Code
		old, new uint8
	}
	at := map[change]int{}
	amend := func(key string, f FindingRecord, to uint8) {
		c := change{f.Pos, f.Code, f.State, to}
		i, ok := at[c]
		if !ok {
			i = len(j.amendments)
			at[c] = i
			j.amendments = append(j.amendments, Amendment{Pos: f.Pos, Code: f.Code, Old: f.State, New: to})
		}
		j.amendments[i].Subjects = append(j.amendments[i].Subjects, key)
		f.amend(to, j.c.Pos)
		j.closed[findingKey(key, f.Pos, f.Code)] = closing{key, f}
	}
	for _, k := range slices.Concat(keys, h.remarks) {
		at := books.Under(findingAt+k+nul, pos)
		j.st.Scan(at, func(path string, b []byte) bool {
			code := verdict.Code(path[len(at):])
			if f := decodeFinding(k, pos, code, b); f.State != block.Closed {
				amend(k, f, block.Closed)
			}
			j.st.Delete(timerKey(h.due, pos, pos, code))
			return true
		})
	}
	for _, c := range h.cured {
		f, ok := readFinding(j.st, c.key, c.pos, c.code)
		if !ok || f.State != block.Closed {
			continue
		}
		to := c.old
		if to == block.Open && slices.Contains(graced, c.code) && f.Due > 0 && f.Due <= j.c.Time { // its timer has run out meanwhile
			if _, waits := j.st.Get(f.timer()); !waits {
				to = block.Held
			}
		}
		amend(c.key, f, to)
	}
	slices.SortStableFunc(j.amendments, func(a, b Amendment) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
	})
}

// rehold puts on hold what a finding still holds, and frees what none does; and says which overlays are not those of before.
func (j *judging) rehold(keys []string, before map[string]*books.Record) {
	for _, k := range keys {
		r := j.Get(k)
		held := j.stillHeld(k)
		overlays := r.Overlays &^ books.OverlayHold
		if held {
			if overlays |= books.OverlayHold; before[k].Overlays&books.OverlayHold == 0 {
				overlays |= books.OverlayQuarantined
			}
		}
		j.Alter(r, func() { r.Overlays = overlays })
	}
	for bit := books.OverlayQuarantined; bit <= books.OverlayHold; bit <<= 1 {
		set, _ := split(keys, func(k string) bool { return j.Get(k).Overlays&bit != 0 && before[k].Overlays&bit == 0 })
		cleared, _ := split(keys, func(k string) bool { return j.Get(k).Overlays&bit == 0 && before[k].Overlays&bit != 0 })
		for _, x := range []struct {
			on   bool
			keys []string
		}{{true, set}, {false, cleared}} {
			if len(x.keys) > 0 {
				j.emit(OverlaySet{Set: x.on, Overlay: overlayName(bit), Keys: x.keys})
			}
		}
	}
}
