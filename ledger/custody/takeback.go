package custody

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
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

// was is the state of some things before an event.
type was struct {
	stored string   // the record as stored; "" if there was none
	leaned bool     // the event changed what is inside, and nothing else
	bits   uint16   // overlays that the event changed
	keys   []string // of things with this record
}

// history is what taking an event back needs.
type history struct {
	match   canonical.Hash
	id      string // where the event's id is stored; "" if it has none
	due     int64  // when its grace timers run out
	things  []was
	ships   []shipWas
	lots    []string // where the lists of its births are stored
	remarks []string // subjects of findings that are not among the things
	cured   []cure   // findings that it closed
	carried []string // where the findings are stored that things took along from their containers

	of map[string]*was // things by key, once it is asked
}

type shipWas struct {
	pos    canonical.Position
	stored string
}

// cure is a finding that an event closed, and its state before.
type cure struct {
	key  string
	pos  canonical.Position
	code verdict.Code
	old  uint8
}

func (h *history) encode() []byte {
	size := len(h.match) + len(h.id) + 64 + sizeOf(h.lots) + sizeOf(h.remarks) + sizeOf(h.carried)
	for i := range h.things {
		size += 7 + len(h.things[i].stored) + sizeOf(h.things[i].keys)
	}
	for i := range h.ships {
		size += 20 + len(h.ships[i].stored)
	}
	for i := range h.cured {
		size += 20 + len(h.cured[i].key) + len(h.cured[i].code)
	}
	b := canonical.Str16(append(make([]byte, 0, size), h.match[:]...), h.id)
	b = canonical.U32(canonical.I64(b, h.due), uint32(len(h.things)))
	for _, w := range h.things {
		b = canonical.Str32(b, w.stored)
		b = putKeys(canonical.U16(append(b, asByte(w.leaned)), w.bits), w.keys)
	}
	b = canonical.U32(b, uint32(len(h.ships)))
	for _, s := range h.ships {
		b = canonical.Str32(s.pos.Append(b), s.stored)
	}
	b = putKeys(putKeys(b, h.lots), h.remarks)
	b = canonical.U32(b, uint32(len(h.cured)))
	for _, c := range h.cured {
		b = canonical.Str8(c.pos.Append(canonical.Str16(b, c.key)), string(c.code))
		b = append(b, c.old)
	}
	return putKeys(b, h.carried)
}

// readHistory returns the history of an event in effect, an empty one for any other.
func readHistory(v state.View, pos canonical.Position) (h history) {
	b, ok := v.Get(atPosition(historyAt, pos))
	if !ok {
		return h
	}
	d := canonical.NewReader(b)
	h.match, h.id, h.due = d.Hash(), string(d.Str16()), d.I64()
	for n := d.U32(); n > 0 && d.Err() == nil; n-- {
		w := was{stored: string(d.Str32()), leaned: d.U8() == 1, bits: d.U16()}
		w.keys = readKeys(d)
		h.things = append(h.things, w)
	}
	for n := d.U32(); n > 0 && d.Err() == nil; n-- {
		h.ships = append(h.ships, shipWas{d.Position(), string(d.Str32())})
	}
	h.lots, h.remarks = readKeys(d), readKeys(d)
	for n := d.U32(); n > 0 && d.Err() == nil; n-- {
		c := cure{key: string(d.Str16()), pos: d.Position(), code: verdict.Code(d.Str8())}
		c.old = d.U8()
		h.cured = append(h.cured, c)
	}
	h.carried = readKeys(d)
	damaged(d, "history of "+pos.String())
	return h
}

// remember writes the history of the event being judged. It runs when everything else is decided, before records are written.
func (j *judging) remember(match canonical.Hash) {
	var room [1]was
	h := history{match: match, due: j.c.Time + j.c.Grace, id: j.idAt, things: room[:0]}
	type kind struct {
		stored string
		leaned bool
		bits   uint16
	}
	var kinds table[kind, int]
	last := kind{}
	i := -1
	for n := range j.things.rows {
		r := j.things.rows[n].value.r
		if r == nil || !r.dirty && !r.leaned {
			continue
		}
		k := kind{stored: r.stored, leaned: !r.dirty, bits: r.overlays ^ r.marked}
		if i < 0 || k != last { // most often what was alike before the event comes together
			if at := kinds.at(k); at != nil {
				i = *at
			} else {
				i = len(h.things)
				kinds.put(k, i)
				w := was{stored: k.stored, leaned: k.leaned, bits: k.bits}
				if i == 0 { // often the only one
					w.keys = make([]string, 0, len(j.things.rows)-n)
				}
				h.things = append(h.things, w)
			}
			last = k
		}
		h.things[i].keys = append(h.things[i].keys, r.key)
	}
	for i := range j.ships.rows {
		if s := j.ships.rows[i].value; s != nil && (s.dirty || s.short != s.counted) {
			h.ships = append(h.ships, shipWas{s.pos, s.stored})
		}
	}
	for _, g := range group(j.inLot, gtinOf) {
		h.lots = append(h.lots, birthsAt(g.by, j.ev.Lot(), j.c.Pos))
	}
	noted := map[string]bool{}
	note := func(key string) {
		if r := j.known(key); r != nil && (r.dirty || r.leaned) || noted[key] {
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
	j.st.Put(atPosition(historyAt, j.c.Pos), h.encode())
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
		if _, inEffect := j.st.Get(atPosition(historyAt, t.pos)); inEffect && (!ok || t.by == j.c.Party) {
			pos, author, ok = t.pos, t.by, true
		}
	}
	return pos, author, ok
}

// touchedAt is when a thing was last changed. leaned asks for changes of its contents too.
func (r *record) touchedAt(leaned bool) canonical.Position {
	if leaned && r.used.Compare(r.last) > 0 {
		return r.used
	}
	return r.last
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
			for _, k := range w.keys {
				if enough(list) || since != pos && room <= 0 {
					break
				}
				r := j.get(k)
				if r == nil {
					continue
				}
				list = append(list, follow(since, func(h *history) (canonical.Position, bool) { return h.touched(k, !w.leaned) }, r.touchedAt(!w.leaned))...)
			}
		}
		for _, s := range x.ships {
			if ship := j.shipment(s.pos); ship != nil && !enough(list) {
				list = append(list, follow(since, func(h *history) (canonical.Position, bool) { return h.shipped(s.pos) }, ship.last)...)
			}
		}
		for _, t := range readTold(j.st, x.match) {
			if _, inEffect := j.st.Get(atPosition(historyAt, t.pos)); inEffect && t.pos.Compare(since) > 0 { // not a mere copy
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
		n += len(h.things[i].keys)
	}
	return n
}

// touched is when a thing had last been changed before the event of this history.
func (h *history) touched(key string, leaned bool) (canonical.Position, bool) {
	if h.of == nil {
		h.of = map[string]*was{}
		for i := range h.things {
			for _, k := range h.things[i].keys {
				h.of[k] = &h.things[i]
			}
		}
	}
	w := h.of[key]
	if w == nil || w.stored == "" {
		return canonical.Position{}, false
	}
	return decodeRecord(key, w.stored).touchedAt(leaned), true
}

func (h *history) shipped(pos canonical.Position) (canonical.Position, bool) {
	for _, s := range h.ships {
		if s.pos == pos && s.stored != "" {
			return decodeShipment(pos, s.stored).last, true
		}
	}
	return canonical.Position{}, false
}

// takeBack restores what the event at pos changed.
func (j *judging) takeBack(pos canonical.Position, h *history) {
	before := map[string]*record{}
	bits := map[string]uint16{}
	var keys, gone []string
	for i := range h.things {
		w := &h.things[i]
		for _, k := range w.keys {
			r := j.get(k)
			if r == nil {
				continue
			}
			if w.leaned {
				if r.used == pos {
					r.used = decodeRecord(k, w.stored).used
				}
				r.quiet = true
				continue
			}
			keys = append(keys, k)
			bits[k] = w.bits
			if w.stored != "" {
				before[k] = decodeRecord(k, w.stored)
			} else {
				gone = append(gone, k)
			}
		}
	}
	j.restoreFindings(pos, h, keys)

	// Things leave the containers that they were not in.
	var left, put []string
	for _, k := range keys {
		r, b := j.get(k), before[k]
		if r.parent != "" && (b == nil || b.parent != r.parent) {
			left = append(left, k)
		}
		if b != nil && b.parent != "" && b.parent != r.parent {
			put = append(put, k)
		}
	}
	for _, g := range group(left, func(k string) string { return j.get(k).parent }) {
		j.emit(Unpacked{Parent: g.by, Keys: g.keys})
		rs := make([]*record, len(g.keys))
		for i, k := range g.keys {
			j.link(g.by, k, false)
			rs[i] = j.get(k)
		}
		j.exit(rs)
	}
	// What they are by themselves is as it was.
	var kept []string
	for _, k := range keys {
		r, b := j.get(k), before[k]
		if b == nil {
			continue
		}
		kept = append(kept, k)
		if r.lot != b.lot || r.expiry != b.expiry || r.made != b.made {
			j.label(r, b.lot, b.expiry, b.made)
		}
		for _, t := range slices.Clone(r.trips) {
			if !slices.Contains(b.trips, t) {
				j.cancelled(r, t)
			}
		}
		// Overlays that the event did not change may have been changed since, by a timer or a resolution.
		overlays := b.overlays&bits[k] | r.overlays&^bits[k]
		j.alter(r, func() { r.overlays, r.outOf = overlays, b.outOf })
		r.bits, r.state, r.phase, r.height = b.bits, b.state, b.phase, b.height
		r.holder, r.owner, r.to, r.place, r.shipment = b.holder, b.owner, b.to, b.place, b.shipment
		r.born, r.trips, r.first, r.recorders, r.owed, r.against = b.born, b.trips, b.first, b.recorders, b.owed, b.against
		if r.since.Compare(pos) <= 0 { // a resolution may have changed it since
			r.since = b.since
		}
		r.last, r.used = b.last, b.used
		r.dirty, r.quiet = true, true
	}
	for _, g := range group(put, func(k string) string { return before[k].parent }) {
		rs := make([]*record, len(g.keys))
		for i, k := range g.keys {
			j.link(g.by, k, true)
			rs[i] = j.get(k)
		}
		j.enter(rs, g.by, func(r *record) canonical.Position { return before[r.key].packed })
		j.emit(Packed{Parent: g.by, Keys: g.keys})
	}
	for _, k := range gone {
		r := j.get(k)
		j.recount(r, slot{})
		j.st.Delete(unitAt + k)
		r.dirty, r.leaned, r.gone = false, false, true
	}
	j.emit(Restored{Event: pos, Keys: kept, Gone: gone})
	for _, s := range h.ships {
		ship := j.shipment(s.pos)
		if ship == nil {
			continue
		}
		ship.dirty, ship.quiet = true, true
		if s.stored == "" {
			ship.gone = true
			j.st.Delete(atPosition(shippedAt, s.pos))
			continue
		}
		b := decodeShipment(s.pos, s.stored)
		ship.outstanding, ship.short, ship.last = b.outstanding, b.short, b.last
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
	j.st.Delete(atPosition(historyAt, pos))
	j.st.Put(atPosition(takenBackAt, pos), j.c.Pos.Append(nil))
}

// TakenBack returns the error declaration by which an event was taken back.
func TakenBack(v state.View, pos canonical.Position) (by canonical.Position, ok bool) {
	b, ok := v.Get(atPosition(takenBackAt, pos))
	if !ok {
		return by, false
	}
	d := canonical.NewReader(b)
	by = d.Position()
	damaged(d, "taken back "+pos.String())
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
		at := under(findingAt+k+nul, pos)
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
func (j *judging) rehold(keys []string, before map[string]*record) {
	for _, k := range keys {
		r := j.get(k)
		held := j.stillHeld(k)
		overlays := r.overlays &^ overlayHold
		if held {
			if overlays |= overlayHold; before[k].overlays&overlayHold == 0 {
				overlays |= overlayQuarantined
			}
		}
		j.alter(r, func() { r.overlays = overlays })
	}
	for bit := overlayQuarantined; bit <= overlayHold; bit <<= 1 {
		set, _ := split(keys, func(k string) bool { return j.get(k).overlays&bit != 0 && before[k].overlays&bit == 0 })
		cleared, _ := split(keys, func(k string) bool { return j.get(k).overlays&bit == 0 && before[k].overlays&bit != 0 })
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
