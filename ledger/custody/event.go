package custody

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// futureSkew is how far an event's time may be ahead of the block's.
const futureSkew = 5 * 60 * 1000

// judging is one event being judged. Everything it changes stays here until the verdict is known, so that a rejected
// event writes nothing.
type judging struct {
	books.Books
	st  state.Store
	c   Context
	reg registry.Registry
	it  *wire.Item
	ev  *epcis.Event
	ms  int64
	day string // of the event, in its own time zone offset

	actor   string
	roles   *registry.Party
	rule    *rule // of the event's step
	hearsay bool
	lapsed  string // why the actor, in an act of its own, is no authorized trading partner; empty: it is one
	place   string // key text of where it happened

	inLot   []string // units that this event puts into the lot it names
	shipped []string // keys that this event sets on their way

	findings   []Finding
	found      map[subject]bool // nil until something is
	cured      []subject        // of earlier findings, in order
	lifted     []closing        // the same, each by itself
	amendments []Amendment
	isCured    map[subject]bool
	closed     map[string]closing // by where they are stored
	carried    []closing          // that things take along from their containers
	isHeld     map[string]bool    // by carried findings
	holding    map[string][]FindingRecord
	relieved   []string // things that left a container on hold
	looks      int      // into containers that have turned up
	effects    [][]byte
	no         *Finding // first rejecting rule
	goods      goods
	names      names  // identifiers of the event's places and parties
	idAt       string // where the event's id is stored; "" if it has none
}

type subject struct {
	code verdict.Code
	key  string
}

// newJudging begins to judge an item that names a number of things.
func newJudging(st state.Store, c Context, it *wire.Item, size int) *judging {
	j := &judging{st: st, Books: books.Open(st, c.Pos, size), c: c, reg: registry.Registry{View: st}, it: it}
	j.names.dir = &j.reg
	j.goods = goods{reg: j.reg, books: &j.Books}
	return j
}

func judgeEvent(st state.Store, c Context, publisher *registry.Party, it *wire.Item, ev *epcis.Event) Judgement {
	j := newJudging(st, c, it, len(it.Committed.Units))
	j.ev, j.looks = ev, looksFor(it)
	if ev.EventID != "" {
		j.idAt = eventIDKey(ev.EventID, c.Party)
	}
	ms, err := epcis.EventTimeMillis(ev)
	if err != nil {
		return refuse(verdict.MissingField, "the event has no usable time: %v", err)
	}
	j.ms = ms
	if j.day, err = epcis.EventDay(ev); err != nil {
		return refuse(verdict.MissingField, "the event has no usable day: %v", err)
	}
	if len(j.day) != len(time.DateOnly) || j.day[0] == '-' { // days are compared as text
		return refuse(verdict.MissingField, "the event's day at its own offset, %s, has no year of four digits", j.day)
	}
	resolved, no := j.findActor(publisher)
	if no != nil {
		return *no
	}

	// Idempotency comes first: who says again what is on the ledger gets the same answer whatever happened since.
	hash := matchHash(c.Network, it, ev, ms, &j.names)
	before := readTold(st, hash)
	if ev.ErrorDeclaration != nil {
		if _, _, inEffect := j.declared(); inEffect { // what is declared again stands, or stands again
			before = nil
		}
	}
	for _, t := range before {
		if t.by == c.Party {
			return Judgement{
				Verdict: block.Duplicate, Code: verdict.DupEvent, Related: &t.pos,
				Detail: fmt.Sprintf("%s has already recorded this event, at %s", c.Party, t.pos),
			}
		}
	}
	var related *canonical.Position
	if len(before) > 0 {
		related = &before[0].pos
		j.cure(verdict.Relayed, block.EventSubject(before[0].pos))
		// A copy of what another has recorded is a link, unless the act is the publisher's own: then all there is so far
		// is hearsay about it, and this is the original.
		if own := resolved && !j.hearsay; !own {
			putTold(st, hash, before, told{c.Party, c.Pos})
			return Judgement{
				Verdict: block.Duplicate, Code: verdict.Relayed, Related: related,
				Detail: fmt.Sprintf("%s has already recorded this event, at %s; this copy is a link to it", before[0].by, before[0].pos),
			}
		}
	}

	if no := j.idReused(hash); no != nil {
		return *no
	}
	j.common()
	j.step()
	if j.no != nil {
		return Judgement{Verdict: block.Rejected, Code: j.no.Code, Detail: j.no.Detail, Findings: []Finding{*j.no}}
	}
	j.amend()
	j.flush(hash)
	putTold(st, hash, before, told{c.Party, c.Pos})
	j.putEventID(hash)
	out := Judgement{Verdict: block.Accepted, Findings: j.findings, Amendments: j.amendments, Effects: j.effects, Related: related}
	if len(j.findings) > 0 {
		out.Verdict = block.Flagged
	}
	return out
}

// findActor finds the party that performed the event. resolved is false when the event does not say, and its publisher
// stands in.
func (j *judging) findActor(publisher *registry.Party) (resolved bool, no *Judgement) {
	for _, p := range []*epcis.Place{j.ev.BizLocation, j.ev.ReadPoint} {
		if p == nil || p.ID == "" {
			continue
		}
		at := j.names.read(p.ID)
		if at.err != nil {
			r := refuseFormat(at.err)
			return false, &r
		}
		key := at.key.String()
		if j.place == "" {
			j.place = key
		}
		if len(key) > wire.MaxUnitKey { // every unit of the event will carry it
			r := refuse(verdict.FmtEPC, "the place %s… has a key of more than %d bytes", short(p.ID), wire.MaxUnitKey)
			return false, &r
		}
	}
	id := actorID(j.ev)
	party, err := j.names.party(id)
	if err != nil {
		r := refuseFormat(err)
		return false, &r
	}
	j.actor = j.c.Party
	switch {
	case party != "":
		j.actor, resolved = party, true
	case id != "":
		j.find(verdict.GLNUnknown, block.Flag, nil, fmt.Sprintf("%s belongs to no registered party, so %s counts as the acting party: register the GLN or correct it", short(id), j.c.Party))
	}
	if j.actor == j.c.Party {
		j.roles = publisher
		return resolved, nil
	}
	j.hearsay = true
	p, ok := j.reg.Standing(j.actor)
	if !ok {
		r := refuse(verdict.ActorNotATP, "party %q is not registered", j.actor)
		return false, &r
	}
	j.roles = &p
	return resolved, nil
}

// common holds what is found about an event whatever its step.
func (j *judging) common() {
	if j.hearsay {
		j.find(verdict.Relayed, block.Flag, nil, fmt.Sprintf("%s tells an act of %s, which has not recorded it itself", j.c.Party, j.actor))
	}
	if j.ms > j.c.Time+futureSkew {
		j.find(verdict.FutureEvent, block.Flag, nil, fmt.Sprintf("the event's time %s lies after the time of its block", short(j.ev.EventTime)))
	}
	if step := j.ev.BizStep; step != "" && !epcis.KnownStep(step) {
		j.find(verdict.CBVUnknown, block.Flag, nil, notInCBV("business step", step, epcis.NearestStep(step)))
	}
	if d := j.ev.Disposition; d != "" && !epcis.KnownDisposition(d) {
		j.find(verdict.CBVUnknown, block.Flag, nil, notInCBV("disposition", d, epcis.NearestDisposition(d)))
	}
}

func notInCBV(what, text, nearest string) string {
	detail := fmt.Sprintf("%s %q is not in the Core Business Vocabulary", what, short(text))
	if nearest != "" {
		detail += fmt.Sprintf("; did you mean %q?", nearest)
	}
	return detail
}

// find opens a finding, or adds to it: there is one per code.
func (j *judging) find(code verdict.Code, sev block.Severity, keys []string, detail string) {
	i := slices.IndexFunc(j.findings, func(f Finding) bool { return f.Code == code })
	if i < 0 {
		i = len(j.findings)
		j.findings = append(j.findings, Finding{Code: code, Severity: sev, Detail: detail})
	}
	for _, k := range keys {
		if s := (subject{code, k}); !j.found[s] {
			if j.found == nil {
				j.found = make(map[subject]bool, len(keys))
			}
			j.found[s] = true
			j.findings[i].Subjects = append(j.findings[i].Subjects, books.MustKey(k))
		}
	}
}

// reject remembers the first rule that rejects, with everything that breaks it.
func (j *judging) reject(code verdict.Code, key, format string, args ...any) {
	if j.no == nil {
		j.no = &Finding{Code: code, Severity: block.Reject, Detail: fmt.Sprintf(format, args...)}
	}
	if j.no.Code == code && key != "" {
		j.no.Subjects = append(j.no.Subjects, books.MustKey(key))
	}
}

// keys lists the key texts of one list of the event.
func (j *judging) keys(list commit.List) []string { return keysIn(j.it, list) }

// located is a thing as the ledger sees it before this event. It must have a record.
func (j *judging) located(key string) *books.Record { return books.Inherit(j.Chain(key)) }

// deaf says that hearsay has nothing to tell about key: its actor has spoken for itself.
func (j *judging) deaf(key string) bool {
	if !j.hearsay {
		return false
	}
	return slices.ContainsFunc(j.Chain(key), func(r *books.Record) bool { return slices.Contains(r.Recorders, j.actor) })
}

// rests notes that what this event does rests on what is recorded of a thing.
func (j *judging) rests(key string) {
	for r, depth := j.Get(key), 0; r != nil && depth < books.MaxDepth; r, depth = j.Get(r.Parent), depth+1 {
		if r.Touch(); r.Parent == "" {
			return
		}
	}
}

// change marks a record as changed by this event, and as spoken about by the actor itself.
func (j *judging) change(r *books.Record) *books.Record {
	r.Touch()
	r.Since = j.c.Pos
	if !j.hearsay && !slices.Contains(r.Recorders, j.actor) {
		r.Recorders = append(r.Recorders, j.actor)
	}
	return r
}

// provisional makes a record of something that nobody has commissioned yet.
func (j *judging) provisional(key string) *books.Record {
	r := j.Add(key)
	r.Flags, r.State, r.Born = books.Provisional, Active, j.c.Pos
	if books.IsUnit(key) && j.goods.anyRecalled(books.GTINOf(key)) && j.reg.UnitRecalled(books.MustKey(key)) {
		r.Overlays |= books.NamedByRecall
	}
	return j.change(r)
}

// unknown makes provisional records of those keys that have none, opens the finding, and emits their birth.
func (j *judging) unknown(keys []string, holder string) {
	j.stranger(verdict.NotCommissioned, keys, holder)
}

// stranger is unknown with a code of its own.
func (j *judging) stranger(code verdict.Code, keys []string, holder string) {
	var strangers []string
	for _, k := range keys {
		if j.Get(k) == nil {
			r := j.provisional(k)
			if holder != "" {
				r.Holder, r.Owner, r.Place, r.Phase = holder, holder, j.place, Held
			}
			strangers = append(strangers, k)
		}
	}
	if len(strangers) == 0 {
		return
	}
	j.find(code, block.Flag, strangers, "no birth record has been received: ask the maker for its commissioning event")
	j.born(strangers, "", "", holder, true)
}

// born emits commissioned effects, one per GTIN and one for containers.
func (j *judging) born(keys []string, lot, expiry, holder string, provisional bool) {
	place := j.place
	if holder == "" {
		place = ""
	}
	for _, g := range group(keys, func(k string) string {
		if books.IsUnit(k) {
			return books.GTINOf(k)
		}
		return ""
	}) {
		e := Commissioned{GTIN: g.by, Holder: holder, Place: place, Provisional: provisional, Serials: g.keys}
		if g.by != "" {
			e.Lot, e.Expiry = lot, expiry
			e.Serials = books.Serials(g.keys)
		}
		j.emit(e)
	}
}

func (j *judging) emit(e Effect) { j.effects = append(j.effects, e.Encode()) }

type grouped[T comparable] struct {
	by   T
	keys []string
}

// group splits keys by a property, groups in order of first appearance. Its lists are not to be changed.
func group[T comparable](keys []string, by func(string) T) []grouped[T] {
	if len(keys) == 0 {
		return nil
	}
	first, same := by(keys[0]), 1
	for same < len(keys) && by(keys[same]) == first {
		same++
	}
	if same == len(keys) { // the common case
		return []grouped[T]{{first, keys}}
	}
	out := []grouped[T]{{first, slices.Clone(keys[:same])}}
	at := map[T]int{first: 0}
	last := 0
	for _, k := range keys[same:] {
		if t := by(k); out[last].by != t {
			i, ok := at[t]
			if !ok {
				i = len(out)
				at[t] = i
				out = append(out, grouped[T]{by: t})
			}
			last = i
		}
		out[last].keys = append(out[last].keys, k)
	}
	return out
}

// leave takes a thing that a shipment names off that shipment.
func (j *judging) leave(r *books.Record) {
	if r.Phase == InTransit {
		s := j.Shipment(r.Shipment)
		if s != nil && r.Is(books.Named) && s.Outstanding > 0 {
			s.Outstanding--
			s.Touch()
		}
		j.foundIt(r, s)
	}
	r.Set(books.Named, false)
}

// foundIt closes the shortage of what was missing of a shipment, with what is inside.
func (j *judging) foundIt(r *books.Record, s *books.Shipment) {
	if s != nil && s.Short {
		j.cure(verdict.QtyShort, r.Key)
		j.cureInside(r.Key, 0)
	}
}

// looksFor bounds the looks that an item may take at things it does not name.
func looksFor(it *wire.Item) int { return 64 + 4*len(it.Committed.Units) }

// detach takes things out of their container: they take on what they inherited.
func (j *judging) detach(keys []string) {
	rs, located := make([]*books.Record, len(keys)), make([]*books.Record, len(keys))
	copies := make([]bool, len(keys)) // none of those around it is suspect for another reason
	out := j.goods.cases(j.Chain(keys[0])[1:])
	for i, k := range keys {
		chain := j.Chain(k)
		r := chain[0]
		rs[i], located[i] = r, books.Inherit(chain)
		copies[i] = located[i].Overlays&books.OverlaySuspect != 0 && !slices.ContainsFunc(chain, func(c *books.Record) bool { return c.Overlays&books.OverlaySuspect != 0 && !c.Is(books.Copy) })
		j.Link(r.Parent, k, false)
		for _, c := range chain[1:] {
			for _, p := range c.Recorders {
				if !slices.Contains(r.Recorders, p) {
					r.Recorders = append(r.Recorders, p)
				}
			}
		}
		j.carry(r, chain[1:])
	}
	j.Exit(rs)
	for i, r := range rs {
		at := located[i]
		r.Overlays = at.Overlays&^books.NamedByRecall | r.Overlays&books.NamedByRecall // a recall names what it names
		if books.IsUnit(r.Key) || len(j.Look(r).Stocks) > 0 {
			r.OutOf = books.Together(j.goods.stillRecalled(r.OutOf), out)
		}
		r.Set(books.HearsayLink|books.Named, false)
		r.Set(books.Copy, copies[i])
		r.Phase, r.Holder, r.Owner, r.To, r.Place, r.Shipment = at.Phase, at.Holder, at.Owner, at.To, at.Place, at.Shipment
		j.change(r)
	}
}

// inside lists those of keys that are in a container.
func (j *judging) inside(keys []string) (inside []string) {
	for _, k := range keys {
		if j.Get(k).Parent != "" {
			inside = append(inside, k)
		}
	}
	return inside
}

// unpackAlone detaches things that the event names although they are inside something it does not name.
func (j *judging) unpackAlone(keys []string) {
	inside := j.inside(keys)
	if len(inside) == 0 {
		return
	}
	j.find(verdict.ChildEventWhilePacked, block.Flag, inside, "named alone while recorded inside a container: taken to be unpacked")
	j.unpack(inside)
}

// unpack detaches and emits, one effect per container.
func (j *judging) unpack(inside []string) {
	for _, g := range group(inside, func(k string) string { return j.Get(k).Parent }) {
		j.detach(g.keys)
		j.emit(Unpacked{Parent: g.by, Keys: g.keys})
	}
}

// hold puts what a finding of severity hold names on hold. Only the resolution of the finding lifts "hold"; "quarantined"
// stays with it, so that a reader need look for one word.
func (j *judging) hold(code verdict.Code, keys []string, format string, args ...any) {
	if len(keys) == 0 {
		return
	}
	j.find(code, block.Hold, keys, fmt.Sprintf(format, args...))
	j.overlay(books.OverlayHold, true, keys)
	j.overlay(books.OverlayQuarantined, true, keys)
}

// overlay sets or clears an overlay; only what changes is emitted.
func (j *judging) overlay(bit uint16, on bool, keys []string) {
	var changed []string
	for _, k := range keys {
		r := j.Get(k)
		if r == nil || (r.Overlays&bit != 0) == on {
			continue
		}
		j.SetMark(r, bit, on)
		r.Since = j.c.Pos
		changed = append(changed, k)
	}
	if len(changed) > 0 {
		j.emit(OverlaySet{Set: on, Overlay: overlayName(bit), Keys: changed})
	}
}

func overlayName(bit uint16) string {
	for i, name := range books.OverlayNames {
		if bit == 1<<i {
			return name
		}
	}
	return ""
}

// flush writes everything. The order of writes does not matter: a write-set is sorted.
func (j *judging) flush(match canonical.Hash) {
	slices.SortStableFunc(j.findings, func(a, b Finding) int { return cmp.Compare(a.Code, b.Code) })
	found := j.newFindings()
	if j.ev.ErrorDeclaration == nil {
		for i := range j.it.Committed.Units { // what an event names cannot be taken back from under it
			if j.rule != nil && !(j.rule.own && j.hearsay) { // hearsay of such a step never does anything
				j.rests(j.it.Committed.Units[i].Key.String())
			}
		}
		j.remember(match)
	}
	j.Write()
	for _, g := range group(j.inLot, books.GTINOf) {
		j.ListBirths(g.by, j.ev.Lot(), g.keys)
	}
	j.ListShipped(j.shipped)
	for _, c := range slices.Concat(found, j.carried) {
		putFinding(j.st, c.key, c.f)
	}
	for _, c := range j.closed {
		putFinding(j.st, c.key, c.f)
	}
	j.startTimers()
}

// short keeps what a stranger wrote from flooding a sentence.
func short(s string) string {
	const limit = 100
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
