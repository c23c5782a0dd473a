package epcisrest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/node/chain"
)

// What one answer may cost. Costs are microseconds, roughly, of one processor.
const (
	pageCost  = 1_500_000  // then a page ends early and says where the next one goes on
	wholeCost = 10_000_000 // of what must be seen as a whole before the first event of it is answered
	// gathered is how many candidates are sorted or merged in memory.
	gathered = 50_000
	// sorted is how many events are sorted by a field that no index knows.
	sorted = 5_000
	// pageObjects ends a page that names so many objects: answers are built in memory.
	pageObjects = 200_000
	// sides is how many values a term may have to be looked up block by block.
	sides = 16

	costRef, costOpen, costObject, costEvent, costLookup = 1, 100, 1, 20, 5
)

// errTooComplex: an answer needs more work than one request may cause.
var errTooComplex = errors.New("too much work")

// resultPosition is where an event stands in the order of an answer. Order is its event time where
// that decides, else 0.
type resultPosition struct {
	order uint64
	pos   canonical.Position
}

func (p resultPosition) compare(q resultPosition) int {
	return cmp.Or(cmp.Compare(p.order, q.order), p.pos.Compare(q.pos))
}

// scan goes through the events that one caller may see and one query matches, over one state of the
// ledger. It is not safe for concurrent use.
type scan struct {
	ctx     context.Context //nolint:containedctx // a scan lives within one call
	s       *Service
	view    state.View
	q       *epcisquery.Query
	vocab   epcisquery.Vocabulary
	visible *visibility
	terms   [][]index.Postings
	driver  int // the term that fewest events have; -1: none is worth it
	few     bool
	from    uint64 // heights
	to      uint64
	empty   bool
	blocks  blockCache
	cost    int
	// crowded: so many events have one time that they cannot be put in order.
	crowded bool
}

func (s *Service) newScan(ctx context.Context, v state.View, caller Caller, q *epcisquery.Query, from, to uint64) *scan {
	sc := &scan{
		ctx: ctx, s: s, view: v, q: q, vocab: masterData{v}, visible: newVisibility(caller, v), driver: -1, from: from, to: to,
		blocks: blockCache{open: s.Copy.Opened},
	}
	sc.bound()
	sc.plan()
	return sc
}

// bound narrows the heights to the record times asked for. The time of a block is never before that of its parent.
func (sc *scan) bound() {
	from, before := sc.q.RecordTime()
	if !from.IsZero() {
		h, ok := index.HeightAt(sc.view, from.UnixMilli())
		if !ok {
			sc.empty = true
		}
		sc.from = max(sc.from, h)
	}
	if !before.IsZero() {
		// A millisecond later, since a block's time has no smaller parts: Match looks at the rest.
		if h, ok := index.HeightAt(sc.view, before.UnixMilli()+1); ok {
			sc.to = min(sc.to, h-1)
		}
	}
	sc.empty = sc.empty || sc.from > sc.to
}

// plan chooses the term to go by.
func (sc *scan) plan() {
	best := gathered
	for _, t := range sc.q.Terms(sc.vocab) {
		var list []index.Postings
		n := 0
		for _, value := range t.Values {
			p := index.TermEvents(t.Kind, value)
			list = append(list, p)
			if n < best {
				n += p.Count(sc.view, sc.from, sc.to, best-n)
			}
		}
		sc.terms = append(sc.terms, list)
		if n < best || sc.driver < 0 && len(list) == 1 {
			best, sc.driver, sc.few = n, len(sc.terms)-1, n < gathered
		}
		if n == 0 {
			sc.empty = true
			return
		}
	}
}

// withOtherTerms keeps those of a block's events in which the other terms stand, too.
func (sc *scan) withOtherTerms(height uint64, refs []index.Ref) []index.Ref {
	for i, list := range sc.terms {
		if i == sc.driver || len(list) > sides || len(refs) == 0 {
			continue
		}
		has := map[index.Ref]bool{}
		for _, p := range list {
			sc.cost += 10
			for _, r := range p.In(sc.view, height) {
				has[r] = true
			}
		}
		refs = slices.DeleteFunc(slices.Clone(refs), func(r index.Ref) bool { return !has[r] })
	}
	return refs
}

// heights goes through the blocks that have candidates, from one height to another, up or down.
func (sc *scan) heights(from, to uint64) iter.Seq2[uint64, []index.Ref] {
	switch {
	case sc.empty:
		return func(func(uint64, []index.Ref) bool) {}
	case sc.driver < 0:
		return index.AllEvents().Blocks(sc.view, from, to)
	case len(sc.terms[sc.driver]) == 1:
		return sc.terms[sc.driver][0].Blocks(sc.view, from, to)
	}
	return func(yield func(uint64, []index.Ref) bool) { // few, or plan would not have taken it
		byHeight := map[uint64][]index.Ref{}
		for _, p := range sc.terms[sc.driver] {
			for h, refs := range p.Blocks(sc.view, min(from, to), max(from, to)) {
				byHeight[h] = append(byHeight[h], refs...)
			}
		}
		order := make([]uint64, 0, len(byHeight))
		for h, refs := range byHeight {
			slices.SortFunc(refs, index.Ref.Compare)
			byHeight[h] = slices.Compact(refs)
			order = append(order, h)
		}
		slices.Sort(order)
		if to < from {
			slices.Reverse(order)
		}
		for _, h := range order {
			if !yield(h, byHeight[h]) {
				return
			}
		}
	}
}

// inLedgerOrder yields candidates by position, from one on. The bool is false for a position that
// was only passed.
func (sc *scan) inLedgerOrder(after *resultPosition, ascending bool) iter.Seq2[resultPosition, bool] {
	from, to := sc.from, sc.to
	if !ascending {
		from, to = to, from
	}
	if after != nil {
		from = after.pos.Height
		if ascending && from > to || !ascending && from < to {
			return func(func(resultPosition, bool) bool) {}
		}
	}
	return func(yield func(resultPosition, bool) bool) {
		for h, all := range sc.heights(from, to) {
			sc.cost += costRef * len(all)
			refs := sc.withOtherTerms(h, all)
			if !ascending {
				refs = slices.Clone(refs)
				slices.Reverse(refs)
			}
			for _, r := range refs {
				if !yield(resultPosition{pos: r.At(h)}, true) {
					return
				}
			}
			last := all[len(all)-1]
			if !ascending {
				last = all[0]
			}
			if !yield(resultPosition{pos: last.At(h)}, false) {
				return
			}
		}
	}
}

// inTimeOrder yields candidates by their own time.
func (sc *scan) inTimeOrder(after *resultPosition, ascending bool) iter.Seq2[resultPosition, bool] {
	low, high := uint64(0), uint64(math.MaxUint64)
	from, before := sc.q.EventTime()
	if !from.IsZero() {
		low = index.TimeOrder(from.UnixMilli())
	}
	if !before.IsZero() {
		high = index.TimeOrder(before.UnixMilli()) // Match looks at what is smaller than a millisecond
	}
	if sc.empty {
		return func(func(resultPosition, bool) bool) {}
	}
	if sc.driver >= 0 && sc.few {
		return sc.gatheredByTime(low, high, ascending)
	}
	start := resultPosition{order: low}
	if !ascending {
		start = resultPosition{order: high, pos: canonical.Position{Height: math.MaxUint64, Entry: math.MaxUint32, Item: math.MaxUint32}}
	}
	if after != nil {
		start = *after
	}
	return func(yield func(resultPosition, bool) bool) {
		left := map[uint64]map[index.Ref]bool{} // by height: what has all terms
		sc.crowded = !index.ByTime(sc.view, start.order, start.pos, !ascending, func(order uint64, pos canonical.Position) bool {
			if order < low || order > high {
				return false
			}
			sc.cost += 5 * costRef
			candidate := pos.Height >= sc.from && pos.Height <= sc.to
			if candidate && len(sc.terms) > 0 {
				has, ok := left[pos.Height]
				if !ok {
					has = map[index.Ref]bool{}
					all := index.AllEvents().In(sc.view, pos.Height)
					sc.cost += costRef * len(all)
					driver := sc.driver
					sc.driver = -1 // it is a term like the others here
					for _, r := range sc.withOtherTerms(pos.Height, all) {
						has[r] = true
					}
					sc.driver = driver
					if len(left) > 1000 {
						clear(left)
					}
					left[pos.Height] = has
				}
				candidate = has[index.Ref{Entry: pos.Entry, Item: pos.Item}]
			}
			return yield(resultPosition{order, pos}, candidate)
		})
	}
}

// gatheredByTime sorts the candidates of a term that few events have.
func (sc *scan) gatheredByTime(low, high uint64, ascending bool) iter.Seq2[resultPosition, bool] {
	return func(yield func(resultPosition, bool) bool) {
		var all []resultPosition
		for h, refs := range sc.heights(sc.from, sc.to) {
			sc.cost += costRef * len(refs)
			if refs = sc.withOtherTerms(h, refs); len(refs) == 0 {
				continue
			}
			times := index.EventTimes(sc.view, h)
			for _, r := range refs {
				if t := times[r]; t >= low && t <= high {
					all = append(all, resultPosition{t, r.At(h)})
				}
			}
		}
		slices.SortFunc(all, resultPosition.compare)
		if !ascending {
			slices.Reverse(all)
		}
		for _, p := range all {
			if !yield(p, true) {
				return
			}
		}
	}
}

// load loads one event and returns it if the caller may see it and the query matches.
func (sc *scan) load(pos canonical.Position) (*Item, *epcisquery.Record, error) {
	b, err := sc.blocks.at(pos.Height)
	if err != nil {
		return nil, nil, err
	}
	sub, err := b.Submission(pos.Entry)
	if err != nil {
		return nil, nil, err
	}
	if !b.seen[pos.Entry] {
		b.seen[pos.Entry] = true
		sc.cost += costOpen + costObject*sub.Units
	}
	if int(pos.Item) >= len(sub.Items) {
		return nil, nil, fmt.Errorf("event %s is not in its block", pos)
	}
	before := sc.visible.lookups
	it := &sub.Items[pos.Item]
	seen, whole, hidden := sc.visible.see(sub.Header.Party, it)
	sc.cost += costEvent + costLookup*(sc.visible.lookups-before)
	if seen == nil {
		return nil, nil, nil
	}
	rec := &epcisquery.Record{Event: seen, RecordTime: time.UnixMilli(b.Time).UTC()}
	if stored, ok := it.Message.(*epcis.Event); ok {
		rec.Hash = index.EventHash(stored)
	}
	if !sc.q.Match(rec, sc.vocab) {
		return nil, nil, nil
	}
	item := &Item{Pos: pos, RecordTime: rec.RecordTime, Event: mark(seen, whole, hidden, pos)}
	if item.Event.EventID == "" && rec.Hash != "" {
		named := *item.Event
		named.EventID = rec.Hash
		item.Event = &named
	}
	return item, rec, nil
}

func objects(e *epcis.Event) int {
	return 1 + len(e.EPCList) + len(e.ChildEPCs) + len(e.InputEPCList) + len(e.OutputEPCList)
}

// request is one page that is asked for.
type request struct {
	caller Caller
	q      *epcisquery.Query
	limit  int
	after  *resultPosition // nil: the first page
	to     uint64          // blocks above were not there when the first page was answered
	given  int             // events that earlier pages held
}

// page is the answer to it.
type page struct {
	items []Item
	next  *resultPosition // nil: it is the last one
}

func (s *Service) page(ctx context.Context, v state.View, r *request) (*page, error) {
	order := r.q.Order()
	sc := s.newScan(ctx, v, r.caller, r.q, 0, r.to)
	if order.Max > 0 && r.after == nil {
		if err := sc.atMost(order.Max); err != nil {
			return nil, err
		}
	}
	limit, most := r.limit, math.MaxInt
	if order.Limit > 0 {
		if most = order.Limit - r.given; most <= 0 {
			return &page{}, nil
		}
	}
	var seq iter.Seq2[resultPosition, bool]
	switch order.By {
	case "", "recordTime":
		seq = sc.inLedgerOrder(r.after, order.Ascending)
	case "eventTime":
		seq = sc.inTimeOrder(r.after, order.Ascending)
	default:
		return sc.byField(r, min(limit, most), most)
	}
	sc.cost = 0
	out, size := &page{}, 0
	var last resultPosition
	for p, candidate := range seq {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if r.after != nil {
			if c := p.compare(*r.after); c == 0 || (c < 0) == order.Ascending {
				continue
			}
		}
		if candidate {
			item, _, err := sc.load(p.pos)
			if err != nil {
				return nil, err
			}
			if item != nil {
				if len(out.items) == limit || size > pageObjects {
					out.next = &last
					return out, nil
				}
				out.items = append(out.items, *item)
				size += objects(item.Event)
				if len(out.items) == most {
					return out, nil
				}
				last = p
			}
		}
		if len(out.items) < limit && size <= pageObjects {
			last = p
		}
		if sc.cost > pageCost {
			out.next = &last
			return out, nil
		}
	}
	if sc.crowded {
		return nil, errTooComplex
	}
	return out, nil
}

// tooManyError says that more events match than the query allows.
type tooManyError struct{ most int }

func (t *tooManyError) Error() string { return fmt.Sprintf("more than %d events match", t.most) }

// atMost counts what matches, as far as needed.
func (sc *scan) atMost(most int) error {
	n := 0
	for p, candidate := range sc.inLedgerOrder(nil, true) {
		if err := sc.ctx.Err(); err != nil {
			return context.Cause(sc.ctx)
		}
		if sc.cost > wholeCost {
			return errTooComplex
		}
		if !candidate {
			continue
		}
		item, _, err := sc.load(p.pos)
		if err != nil {
			return err
		}
		if item == nil {
			continue
		}
		if n++; n > most {
			return &tooManyError{most}
		}
	}
	return nil
}

// byField answers in the order of a field, which only the events themselves have. Each page sorts them again.
func (sc *scan) byField(r *request, limit, most int) (*page, error) {
	type found struct {
		item Item
		rec  *epcisquery.Record
	}
	var all []found
	size := 0
	for p, candidate := range sc.inLedgerOrder(nil, true) {
		if err := sc.ctx.Err(); err != nil {
			return nil, context.Cause(sc.ctx)
		}
		if sc.cost > wholeCost || len(all) > sorted || size > pageObjects {
			return nil, errTooComplex
		}
		if !candidate {
			continue
		}
		item, rec, err := sc.load(p.pos)
		if err != nil {
			return nil, err
		}
		if item != nil {
			all = append(all, found{*item, rec})
			size += objects(item.Event)
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		switch {
		case sc.q.Less(a.rec, b.rec):
			return -1
		case sc.q.Less(b.rec, a.rec):
			return 1
		}
		return 0
	})
	if r.after != nil {
		i := slices.IndexFunc(all, func(f found) bool { return f.item.Pos == r.after.pos })
		if i < 0 {
			return nil, errGone
		}
		all = all[i+1:]
	}
	out := &page{}
	for i := range all[:min(limit, len(all))] {
		out.items = append(out.items, all[i].item)
	}
	if n := len(out.items); n > 0 && n < len(all) && n < most {
		out.next = &resultPosition{pos: out.items[n-1].Pos}
	}
	return out, nil
}

// errGone: the event after which a page begins is not one that the caller may see any more.
var errGone = errors.New("the page's place is gone")

// blockCache keeps the blocks that a scan needs again.
type blockCache struct {
	open  func(uint64) (*chain.Opened, error)
	by    map[uint64]*openBlock
	order []uint64
	size  int
}

type openBlock struct {
	*chain.Opened
	seen map[uint32]bool
}

const cachedBlocks = 24 << 20

func (c *blockCache) at(height uint64) (*openBlock, error) {
	if b := c.by[height]; b != nil {
		return b, nil
	}
	o, err := c.open(height)
	if err != nil {
		return nil, err
	}
	if c.by == nil {
		c.by = map[uint64]*openBlock{}
	}
	b := &openBlock{o, map[uint32]bool{}}
	c.by[height], c.order, c.size = b, append(c.order, height), c.size+o.Size
	for c.size > cachedBlocks && len(c.order) > 1 {
		c.size -= c.by[c.order[0]].Size
		delete(c.by, c.order[0])
		c.order = c.order[1:]
	}
	return b, nil
}
