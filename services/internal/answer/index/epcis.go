package index

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/eventhash"
	"verilot.dev/epcis/gs1"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// What EPCIS queries are answered from: accepted and flagged events alone. A posting says in which events of one block a term
// stands, so that a block of hundreds of events costs one key per term and not one per event.
//
//	x/e/<kind>/<value> 00 <height u64><part u32>   a term: (u32 entry, u32 item) of each event, ascending
//	x/a/<height u64><part u32>                       every event: (u32 entry, u32 item, u64 event time)
//	x/et/<second u64><height u64><part u32>          every event by its own time: as x/a, those of one second
//	x/bt/<block time u64><height u64>                blocks with events by their time
//	x/v/<kind>/<value>                              the values of a top-level resource: the value as first captured
//	x/md/<id> 00 a<attribute>                        master data of an id: str16 values, as last captured
//	x/md/<id> 00 c<id>                               a child of it
//
// Parts count from 0 and hold at most partEvents. Times are milliseconds since 1970 plus 2^63, so that they sort. A value that is
// long or holds NUL is written as 01 and the first 16 bytes of its SHA-256: two values may then share a posting, which is no more
// than a candidate anyway. Most long values are hash ids of events.
const (
	termPrefix      = "x/e/"
	eventsPrefix    = "x/a/"
	timePrefix      = "x/et/"
	blockTimePrefix = "x/bt/"
	valuePrefix     = "x/v/"
	masterPrefix    = "x/md/"

	partEvents = 4096
	longValue  = 60
	longChild  = 500
	refSize    = 8
	eventSize  = 16
)

// Ref is an event within its block.
type Ref struct{ Entry, Item uint32 }

// Compare orders refs as the block does.
func (r Ref) Compare(s Ref) int {
	return cmp.Or(cmp.Compare(r.Entry, s.Entry), cmp.Compare(r.Item, s.Item))
}

// At is the ref's position.
func (r Ref) At(height uint64) canonical.Position {
	return canonical.Position{Height: height, Entry: r.Entry, Item: r.Item}
}

// TimeOrder is a time in milliseconds since 1970 as it stands in keys.
func TimeOrder(millis int64) uint64 { return uint64(millis) ^ 1<<63 }

// eventPostings is what one block adds.
type eventPostings struct {
	by    map[string]*posting
	order []*posting
	all   []byte
	times []timed
}

// timed are events of one second that follow each other in a block.
type timed struct {
	second uint64
	refs   []byte
}

const perSecond = 1000 // milliseconds

type posting struct {
	key  string
	refs []byte
}

// event adds an accepted event.
func (p *projection) event(pos canonical.Position, e *epcis.Event) {
	ref := canonical.U32(canonical.U32(nil, pos.Entry), pos.Item)
	millis, err := epcis.EventTimeMillis(e)
	if err != nil {
		millis = math.MinInt64 // not of an accepted event
	}
	order := TimeOrder(millis)
	p.events.all = canonical.U64(append(p.events.all, ref...), order)
	if n := len(p.events.times); n == 0 || p.events.times[n-1].second != order/perSecond {
		p.events.times = append(p.events.times, timed{second: order / perSecond})
	}
	last := &p.events.times[len(p.events.times)-1]
	last.refs = canonical.U64(append(last.refs, ref...), order)
	add := func(kind epcisquery.TermKind, value string) {
		key := string(kind) + "/" + stored(value)
		t := p.events.by[key]
		if t == nil {
			if p.events.by == nil {
				p.events.by = map[string]*posting{}
			}
			t = &posting{key: key}
			p.events.by[key] = t
			p.events.order = append(p.events.order, t)
			if captured := capturedAs(kind, e); captured != "" {
				if at := valuePrefix + key; !p.has(at) {
					p.look.Put(at, []byte(captured))
				}
			}
		}
		t.refs = append(t.refs, ref...)
	}
	epcisquery.TermsOf(e, add)
	if id := EventHash(e); id != "" {
		add(epcisquery.EventID, id)
	}
}

// EventHash is the CBV hash id by which an event can be asked for that has no id of its own; else "".
func EventHash(e *epcis.Event) string {
	if e.EventID != "" {
		return ""
	}
	id, _, err := eventhash.Hash(e)
	if err != nil {
		return ""
	}
	return id
}

var one = []byte{1}

// capturedAs is the text of a value that a top-level resource lists, as the event has it.
func capturedAs(kind epcisquery.TermKind, e *epcis.Event) string {
	switch kind {
	case epcisquery.EventType:
		return e.Type
	case epcisquery.BizStep:
		return e.BizStep
	case epcisquery.Disposition:
		return e.Disposition
	case epcisquery.ReadPoint:
		if e.ReadPoint != nil {
			return e.ReadPoint.ID
		}
	case epcisquery.BizLocation:
		if e.BizLocation != nil {
			return e.BizLocation.ID
		}
	default:
	}
	return ""
}

// stored is a value as it stands in keys.
func stored(value string) string {
	if len(value) <= longValue && strings.IndexByte(value, 0) < 0 {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return "\x01" + string(sum[:16])
}

// endEvents writes the postings of a block.
func (p *projection) endEvents(height uint64, blockTime int64) {
	if len(p.events.all) == 0 {
		return
	}
	p.put(blockTimePrefix+string(canonical.U64(canonical.U64(nil, TimeOrder(blockTime)), height)), one)
	p.parts(eventsPrefix, height, p.events.all, eventSize)
	slices.SortStableFunc(p.events.times, func(a, b timed) int { return cmp.Compare(a.second, b.second) })
	for i := 0; i < len(p.events.times); {
		t := p.events.times[i]
		for i++; i < len(p.events.times) && p.events.times[i].second == t.second; i++ {
			t.refs = append(t.refs, p.events.times[i].refs...)
		}
		p.parts(timePrefix+string(canonical.U64(nil, t.second)), height, t.refs, eventSize)
	}
	for _, t := range p.events.order {
		p.parts(termPrefix+t.key+"\x00", height, t.refs, refSize)
	}
}

func (p *projection) parts(prefix string, height uint64, all []byte, size int) {
	n := uint32(0)
	for part := range slices.Chunk(all, partEvents*size) {
		p.put(prefix+string(canonical.U32(canonical.U64(nil, height), n)), part)
		n++
	}
}

// masterData adds what an accepted document header says about places, products and whatever else.
func (p *projection) masterData(h *epcis.Header) {
	for i := range h.Vocabularies {
		for j := range h.Vocabularies[i].Elements {
			el := &h.Vocabularies[i].Elements[j]
			if el.ID == "" {
				continue // sealed
			}
			at := masterPrefix + stored(MasterID(el.ID)) + "\x00"
			values := map[string][]byte{}
			for k := range el.Attributes {
				if el.Attributes[k].ID == "" {
					continue // sealed
				}
				name := stored(el.Attributes[k].ID)
				values[name] = canonical.Str16(values[name], clipValue(el.Attributes[k].Text))
			}
			for name, b := range values { // in any order: the keys differ
				p.look.Put(at+"a"+name, b)
			}
			for _, child := range el.Children {
				if id := MasterID(child); id != "" && len(id) <= longChild && strings.IndexByte(id, 0) < 0 {
					p.look.Put(at+"c"+id, one)
				}
			}
		}
	}
}

func clipValue(s string) string { return s[:min(len(s), 1000)] }

// MasterID is an identifier as master data is kept by: one thing under one text, however it is written.
func MasterID(id string) string {
	if epc, err := gs1.ParseEPC(id); err == nil {
		return epc.Key().String()
	}
	return id
}

// MasterAttribute returns the values of an attribute in the master data of an id, as last captured.
func MasterAttribute(v state.View, id, name string) []string {
	b, ok := v.Get(masterPrefix + stored(MasterID(id)) + "\x00a" + stored(name))
	if !ok {
		return nil
	}
	var out []string
	for r := canonical.NewReader(b); r.Len() > 0 && r.Err() == nil; {
		if s := string(r.Str16()); r.Err() == nil {
			out = append(out, s)
		}
	}
	return out
}

// MasterChildren lists the children that master data gives an id.
func MasterChildren(v state.View, id string, fn func(child string) bool) {
	at := masterPrefix + stored(MasterID(id)) + "\x00c"
	v.Scan(at, func(key string, _ []byte) bool { return fn(key[len(at):]) })
}

// Postings are the events of a term with one value, of an object, or all events.
type Postings struct {
	prefix string
	size   int // of a record; 0: of an object, a key for each event
}

// TermEvents are the events in which a term stands. A value that was hashed may bring others with it.
func TermEvents(kind epcisquery.TermKind, value string) Postings {
	if kind == epcisquery.Object {
		return Postings{prefix: historyPrefix + value + "\x00"}
	}
	return Postings{prefix: termPrefix + string(kind) + "/" + stored(value) + "\x00", size: refSize}
}

// AllEvents are all events.
func AllEvents() Postings { return Postings{prefix: eventsPrefix, size: eventSize} }

// decode reads a key and its value; ok is false for a key of another term, whose value begins like this one and NUL.
func (p Postings) decode(key string, value []byte) (height uint64, refs []Ref, ok bool) {
	rest := key[len(p.prefix):]
	if p.size == 0 {
		if len(rest) != positionSize || len(value) != 2 {
			return 0, nil, false
		}
		pos := positionOf(key)
		if verdict := block.VerdictCode(value[0]); verdict == block.Accepted || verdict == block.Flagged {
			refs = []Ref{{pos.Entry, pos.Item}}
		}
		return pos.Height, refs, true
	}
	if len(rest) != 12 || len(value)%p.size != 0 {
		return 0, nil, false
	}
	refs = make([]Ref, 0, len(value)/p.size)
	for ; len(value) > 0; value = value[p.size:] {
		refs = append(refs, Ref{binary.BigEndian.Uint32(value), binary.BigEndian.Uint32(value[4:])})
	}
	return binary.BigEndian.Uint64([]byte(rest)), refs, true
}

// In returns the events of one block, in order.
func (p Postings) In(v state.View, height uint64) []Ref {
	var out []Ref
	v.Scan(p.prefix+string(canonical.U64(nil, height)), func(key string, value []byte) bool {
		if _, refs, ok := p.decode(key, value); ok {
			out = append(out, refs...)
		}
		return true
	})
	return out
}

// Blocks goes through the blocks from one height to another, both included and the second the lower one for going backwards, with
// their events in ascending order. Blocks without any are left out.
func (p Postings) Blocks(v state.View, from, to uint64) iter.Seq2[uint64, []Ref] {
	return func(yield func(uint64, []Ref) bool) {
		var at uint64
		var refs []Ref
		back := to < from
		step := func(key string, value []byte) bool {
			h, more, ok := p.decode(key, value)
			switch {
			case !ok || len(more) == 0:
				return true
			case !back && h > to, back && h < to:
				return false
			case len(refs) > 0 && h != at:
				if !yield(at, refs) {
					refs = nil
					return false
				}
				refs = nil
			}
			at = h
			if back {
				refs = append(more, refs...)
			} else {
				refs = append(refs, more...)
			}
			return true
		}
		first := p.prefix + string(canonical.U64(nil, from))
		if back {
			scanBack(v, p.prefix, first+"\xff\xff\xff\xff\xff\xff\xff\xff\xff", step)
		} else {
			scanFrom(v, p.prefix, first, step)
		}
		if len(refs) > 0 {
			yield(at, refs)
		}
	}
}

// Count is how many events there are between two heights, or limit if there are as many or more.
func (p Postings) Count(v state.View, from, to uint64, limit int) int {
	n := 0
	scanFrom(v, p.prefix, p.prefix+string(canonical.U64(nil, from)), func(key string, value []byte) bool {
		h, refs, ok := p.decode(key, value)
		if ok {
			if h > to {
				return false
			}
			n += len(refs)
		}
		return n < limit
	})
	return min(n, limit)
}

// EventTimes returns the time orders of the events of a block.
func EventTimes(v state.View, height uint64) map[Ref]uint64 {
	out := map[Ref]uint64{}
	v.Scan(eventsPrefix+string(canonical.U64(nil, height)), func(_ string, b []byte) bool {
		for ; len(b) >= eventSize; b = b[eventSize:] {
			out[Ref{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}] = binary.BigEndian.Uint64(b[8:])
		}
		return true
	})
	return out
}

// maxSecond is how many events of one second are put in order.
const maxSecond = 500_000

// ByTime goes through all events in the order of their own time and position, from one order and position on, up or down. It returns
// false if it stopped at a second with too many events to put in order.
func ByTime(v state.View, order uint64, pos canonical.Position, back bool, yield func(order uint64, pos canonical.Position) bool) bool {
	type event struct {
		order uint64
		pos   canonical.Position
	}
	compare := func(a, b event) int { return cmp.Or(cmp.Compare(a.order, b.order), a.pos.Compare(b.pos)) }
	start := event{order, pos}
	var second []event
	at, stopped, over := uint64(0), false, false
	flush := func() bool {
		slices.SortFunc(second, compare)
		if back {
			slices.Reverse(second)
		}
		for _, e := range second {
			if c := compare(e, start); c != 0 && (c < 0) != back {
				continue
			}
			if !yield(e.order, e.pos) {
				stopped = true
				return false
			}
		}
		second = second[:0]
		return true
	}
	step := func(key string, b []byte) bool {
		rest := []byte(key[len(timePrefix):])
		if len(rest) != 20 {
			return true
		}
		if s := binary.BigEndian.Uint64(rest); s != at {
			if !flush() {
				return false
			}
			at = s
		}
		height := binary.BigEndian.Uint64(rest[8:])
		for ; len(b) >= eventSize; b = b[eventSize:] {
			ref := Ref{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
			second = append(second, event{binary.BigEndian.Uint64(b[8:]), ref.At(height)})
		}
		over = len(second) > maxSecond
		return !over
	}
	from := timePrefix + string(canonical.U64(nil, order/perSecond))
	if back {
		scanBack(v, timePrefix, from+"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", step)
	} else {
		scanFrom(v, timePrefix, from, step)
	}
	if !stopped && !over {
		flush()
	}
	return !over
}

// HeightAt is the first block with events whose time is not before the given one, in milliseconds since 1970; ok is false if there is none.
func HeightAt(v state.View, millis int64) (height uint64, ok bool) {
	scanFrom(v, blockTimePrefix, blockTimePrefix+string(canonical.U64(nil, TimeOrder(millis))), func(key string, _ []byte) bool {
		height, ok = binary.BigEndian.Uint64([]byte(key[len(key)-8:])), true
		return false
	})
	return height, ok
}

// Values lists the values of a top-level resource from one value on: as they are asked for, and as first captured. Values that
// were hashed come first, under their hash.
func Values(v state.View, kind epcisquery.TermKind, from string, fn func(value, captured string) bool) {
	at := valuePrefix + string(kind) + "/"
	scanFrom(v, at, at+from, func(key string, value []byte) bool { return fn(key[len(at):], string(value)) })
}

// Objects lists the key texts of all objects that accepted events name, from one on.
func Objects(v state.View, from string, fn func(key string) bool) {
	last, same := "", 0
	next := historyPrefix + from
	for next != "" {
		start := next
		next = ""
		scanFrom(v, historyPrefix, start, func(key string, value []byte) bool {
			if len(key) < len(historyPrefix)+1+positionSize || len(value) != 2 {
				return true
			}
			text := key[len(historyPrefix) : len(key)-1-positionSize]
			if text == last {
				if same++; same < 8 {
					return true
				}
				next = historyPrefix + text + "\x01" // an object with a long history is stepped over
				same = 0
				return false
			}
			if verdict := block.VerdictCode(value[0]); verdict != block.Accepted && verdict != block.Flagged {
				return true
			}
			last, same = text, 0
			return fn(text)
		})
	}
}
