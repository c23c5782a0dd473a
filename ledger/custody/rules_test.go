package custody

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// run plays lines that must all take effect.
func (w *world) run(lines ...string) {
	w.t.Helper()
	for _, l := range lines {
		w.last = Judgement{}
		w.line(l)
		if w.last.Verdict == block.Rejected {
			w.t.Fatalf("%s: rejected, %s", l, w.last.Detail)
		}
	}
}

// A wholesaler sends its customer the maker's commissioning and packing inside its own file. Whether the maker's own
// copies or the relayed ones come first must not show in the end.
func TestRelayedOrderDoesNotMatter(t *testing.T) {
	const (
		birth  = "draft birth: M commissions u1..u6 lot A exp 2028-03-31"
		boxes  = "draft boxes: M commissions c1"
		pack   = "draft pack: M packs u1..u6 into c1"
		ship   = "draft ship: M ships c1 to W"
		arrive = "draft arrive: W receives c1"
		onward = "draft onward: W ships c1 to D"
	)
	maker := []string{"M publishes birth", "M publishes boxes", "M publishes pack", "M publishes ship"}
	relayed := []string{"W publishes birth", "W publishes boxes", "W publishes pack"}
	relayedShip := []string{"W publishes ship"}
	own := []string{"W publishes arrive", "W publishes onward"}
	join := slices.Concat[[]string]
	orders := map[string][]string{
		"maker first":                       join(maker, own, relayed, relayedShip),
		"maker first, nothing relayed":      join(maker, own),
		"relayed first":                     join(relayed, maker, own),
		"relayed with its shipment first":   join(relayed, relayedShip, maker, own),
		"maker's copies come last":          join(relayed, own, maker),
		"and after a relayed shipment":      join(relayed, relayedShip, own, maker),
		"the wholesaler's steps even first": join(own, relayed, maker),
	}
	var want []string
	for _, order := range []string{
		"maker first", "maker first, nothing relayed", "relayed first", "relayed with its shipment first",
		"maker's copies come last", "and after a relayed shipment", "the wholesaler's steps even first",
	} {
		w := newWorld(t)
		w.run(birth, boxes, pack, ship, arrive, onward)
		for _, l := range orders[order] {
			w.run(l)
			for _, f := range w.last.Findings {
				if !slices.Contains([]verdict.Code{verdict.Relayed, verdict.NotCommissioned, verdict.ReceiveNoShip, verdict.AggAfterShip}, f.Code) {
					t.Errorf("%s: %s: finding %s", order, l, f.Code)
				}
			}
		}
		got := slices.Concat(w.line("? u1..u6"), w.line("? c1"), w.line("? lot A"))
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: final custody differs (-maker first):\n%s", order, d)
		}
	}
}

func TestSealedPalletMovesAsOneThing(t *testing.T) {
	writes := func(units int) []string {
		w := newWorld(t)
		w.run(fmt.Sprintf("M commissions u1..u%d lot A exp 2028-03-31", units), fmt.Sprintf("M packs u1..u%d into c1", units), "M packs c1 into c2")
		var counts []string
		for _, l := range []string{"M ships c2 to W", "W receives c2", "W holds c2", "W inspects c2", "W ships c2 to D", "W voids c2"} {
			over := state.NewOverlay(w.st)
			base := w.st
			w.st = over
			w.run(l)
			ws := over.WriteSet()
			counts = append(counts, fmt.Sprintf("%s: %d keys, %d bytes", l, len(ws), len(ws.Encode())))
			mem := base.(*state.Memory)
			mem.Apply(ws)
			w.st = mem
		}
		return counts
	}
	if d := cmp.Diff(writes(10), writes(10_000)); d != "" {
		t.Errorf("moving 10 and 10,000 units differs:\n%s", d)
	}
}

// mirror is custody replayed from effects alone: what an auditor who has only the effects would know.
type mirror map[string]*record

func (m mirror) at(k string) *record {
	if m[k] == nil {
		m[k] = &record{key: k, state: Active}
	}
	return m[k]
}

func (m mirror) apply(e Effect) {
	switch e := e.(type) {
	case Commissioned:
		for _, s := range e.Serials {
			k := s
			if e.GTIN != "" {
				k = "01" + e.GTIN + "21" + s
			}
			r := m.at(k)
			r.lot, r.expiry = e.Lot, e.Expiry
			r.set(bitProvisional, e.Provisional)
			if e.Holder != "" {
				r.holder, r.owner, r.place, r.phase = e.Holder, e.Holder, e.Place, Held
			}
		}
	case Moved:
		for _, k := range e.Keys {
			r := m.at(k)
			r.phase, r.holder, r.owner, r.place, r.to, r.shipment = e.Phase, e.Holder, e.Owner, e.Place, e.To, e.Shipment
		}
	case Packed:
		for _, k := range e.Keys {
			r := m.at(k)
			r.parent, r.phase, r.holder, r.owner, r.place, r.to, r.shipment = e.Parent, NotSeen, "", "", "", "", canonical.Position{}
		}
	case Unpacked:
		for _, k := range e.Keys {
			at := inherit(chainOf(k, func(k string) *record { return m[k] }))
			r := m.at(k)
			r.parent, r.overlays = "", at.overlays
			r.phase, r.holder, r.owner, r.place, r.to, r.shipment = at.phase, at.holder, at.owner, at.place, at.to, at.shipment
		}
	case StateSet:
		for _, k := range e.Keys {
			m.at(k).state = e.State
		}
	case OverlaySet:
		for _, k := range e.Keys {
			for i, name := range overlayNames {
				if name != e.Overlay {
					continue
				}
				if r := m.at(k); e.Set {
					r.overlays |= 1 << i
				} else {
					r.overlays &^= 1 << i
				}
			}
		}
	}
}

func (m mirror) clone() mirror {
	c := mirror{}
	for k, r := range m {
		x := *r
		c[k] = &x
	}
	return c
}

// restore takes an event back; past is the mirror before each event.
func (m mirror) restore(e Restored, past map[canonical.Position]mirror) {
	before := past[e.Event].clone()
	for _, k := range e.Keys {
		m[k] = before[k]
	}
	for _, k := range e.Gone {
		delete(m, k)
	}
}

// TestAnything throws random events by random parties about a few things at the rules.
func TestAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		mem := w.st.(*state.Memory)
		m, past := mirror{}, map[canonical.Position]mirror{}
		var history []counted
		thing := rapid.SampledFrom([]string{"u1", "u2", "u3", "u4", "u5", "u6", "v1", "k1", "k2", "c1", "c2", "c3"})
		things := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfNDistinct(thing, 1, 5, rapid.ID[string]).Draw(t, "things"), ",")
		})
		party := rapid.SampledFrom([]string{"M", "M", "M", "N", "R", "W", "W", "X", "L", "D", "D", "E", "V", "P", "B", "G"})
		disposition := rapid.SampledFrom([]string{
			"active", "stolen", "lost", "unknown", "damaged", "returned", "recalled", "expired", "non_sellable_other", "sellable_accessible", "in_progress", "partially_dispensed",
		})
		var labels []string
		for i := range rapid.IntRange(5, 40).Draw(t, "events") {
			who := party.Draw(t, "who")
			verb := rapid.SampledFrom([]string{
				"commissions", "commissions", "packs", "packs", "unpacks", "ships", "ships", "receives", "receives", "voids", "dispenses",
				"decommissions", "destroys", "holds", "inspects", "counts", "publishes", "publishes", "recalls", "resolves", "resolves",
				"retracts", "retracts", "retracts", "later",
			}).Draw(t, "verb")
			words := []string{who, verb}
			switch verb {
			case "later":
				words = []string{"later", rapid.SampledFrom([]string{"1h", "30h"}).Draw(t, "by")}
			case "resolves":
				if words = anyResolution(t, mem, who); words == nil {
					continue
				}
			case "publishes", "retracts":
				if len(labels) == 0 {
					continue
				}
				words = append(words, rapid.SampledFrom(labels).Draw(t, "label"))
			case "recalls":
				if rapid.Bool().Draw(t, "units") {
					words = append(words, rapid.SampledFrom([]string{"u1", "u1,u2", "u3..u5"}).Draw(t, "recalled"))
				} else {
					words = append(words, "lot", rapid.SampledFrom([]string{"A", "B"}).Draw(t, "lot"))
				}
				if rapid.Bool().Draw(t, "ended") {
					words[1] = "ends"
				}
			default:
				words = append(words, things.Draw(t, "what"))
			}
			switch verb {
			case "commissions":
				words = append(words, "lot", rapid.SampledFrom([]string{"A", "B"}).Draw(t, "lot"), "exp", "2028-03-31")
			case "packs":
				words = append(words, "into", thing.Draw(t, "parent"))
			case "unpacks":
				if rapid.Bool().Draw(t, "all") {
					words[2] = "all"
				}
				words = append(words, "from", thing.Draw(t, "parent"))
			case "ships":
				if words = append(words, "to", party.Draw(t, "to")); rapid.IntRange(0, 2).Draw(t, "return") == 0 {
					words = append(words, "rma")
				}
			case "holds", "inspects", "counts", "receives", "dispenses":
				words = append(words, "as", disposition.Draw(t, "disposition"))
			}
			if verb == "receives" && rapid.Bool().Draw(t, "for another") {
				words = append(words, "for", party.Draw(t, "owner"))
			}
			if verb != "publishes" && verb != "recalls" && verb != "retracts" && verb != "later" && verb != "resolves" {
				label := fmt.Sprintf("e%d", i)
				words = append([]string{label + ":"}, words...)
				if labels = append(labels, label); rapid.IntRange(0, 3).Draw(t, "draft") == 0 {
					words = append([]string{"draft"}, words...)
				}
			}
			line := strings.Join(words, " ")

			over := state.NewOverlay(mem)
			w.st = over
			w.last = Judgement{}
			w.line(line)
			if verb == "later" {
				t.Log(line)
				mem.Apply(over.WriteSet())
				w.st = mem
				for _, l := range w.lapsed {
					for _, raw := range l.Effects {
						e, _ := DecodeEffect(raw)
						m.apply(e)
					}
				}
				at := w.when
				history = append(history, counted{lapse: &at})
				checkState(t, mem, m)
				continue
			}
			j, ws := w.last, over.WriteSet()
			if j.Verdict == 0 {
				continue
			}
			t.Logf("%s: %s", line, strings.Join(w.say(j), "; "))
			checkJudgement(t, w, mem, j, ws, words)
			if it := w.judged[len(w.judged)-1].it; verb != "resolves" && verb != "recalls" {
				checkGuard(t, mem, it, j)
			}
			mem.Apply(ws)
			w.st = mem
			past[w.when.Pos] = m.clone()
			restored := false
			for _, raw := range j.Effects {
				e, err := DecodeEffect(raw)
				if err != nil || !bytes.Equal(e.Encode(), raw) {
					t.Fatalf("effect %x does not come back: %v", raw, err)
				}
				if e, ok := e.(Restored); ok {
					m.restore(e, past)
					history = slices.DeleteFunc(history, func(h counted) bool { return h.at.Pos == e.Event })
					restored = true
					continue
				}
				m.apply(e)
			}
			checkState(t, mem, m)
			if verb != "retracts" && (j.Verdict == block.Accepted || j.Verdict == block.Flagged) {
				history = append(history, counted{at: w.when, it: w.judged[len(w.judged)-1].it})
			}
			if restored {
				checkReplay(t, mem, history)
			}
		}
		resolveAll(t, w, mem)
	})
}

// anyResolution draws a finding that is on record, closed or not, and an outcome of its code.
func anyResolution(t *rapid.T, v state.View, who string) []string {
	all := storedFindings(v)
	if len(all) == 0 {
		return nil
	}
	c := rapid.SampledFrom(all).Draw(t, "finding")
	return resolves(who, c, rapid.SampledFrom(Outcomes(c.f.Code)).Draw(t, "outcome"))
}

// resolves is the line of a story that closes a finding.
func resolves(who string, c closing, as Outcome) []string {
	words := []string{who, "resolves", string(c.f.Code), "of", strconv.FormatUint(c.f.Pos.Height, 10), "as", string(as)}
	if !strings.HasPrefix(c.key, "event:") {
		words = append(words, "about", nick(mustKey(c.key)))
	}
	return words
}

func storedFindings(v state.View) (all []closing) {
	v.Scan(findingAt, func(k string, b []byte) bool {
		key, at, _ := strings.Cut(k[len(findingAt):], nul)
		d := canonical.NewReader([]byte(at))
		pos, code := d.Position(), verdict.Code(d.Rest())
		all = append(all, closing{key, decodeFinding(key, pos, code, b)})
		return true
	})
	return all
}

// resolveAll closes what is open, as a regulator may that has recorded nothing itself. Then nothing is on hold any more.
func resolveAll(t *rapid.T, w *world, mem *state.Memory) {
	w.st = mem
	w.judge("A", &wire.Item{Kind: wire.KindPartyAct, Message: &registry.Act{Party: partyID("A"), Roles: []string{"regulator"}}})
	for _, c := range storedFindings(mem) {
		line := strings.Join(resolves("A", c, Outcomes(c.f.Code)[0]), " ")
		w.line(line)
		if open := c.f.State != block.Closed; open != (w.last.Verdict == block.Accepted) {
			t.Fatalf("%s: %s", line, strings.Join(w.say(w.last), "; "))
		}
	}
	mem.Scan(unitAt, func(k string, b []byte) bool {
		if r := decodeRecord(k[len(unitAt):], string(b)); r.overlays&overlayHold != 0 || r.overlays&overlaySuspect != 0 && r.overlays&overlayIllegitimate == 0 {
			t.Fatalf("%s is marked %v, and every finding is closed", r.key, overlayList(r.overlays))
		}
		return true
	})
}

// counted is an item that counts, or the timers of a block.
type counted struct {
	at    Context
	it    *wire.Item
	lapse *Context
}

// checkReplay compares with the state of a history in which what was taken back never happened.
func checkReplay(t *rapid.T, mem *state.Memory, history []counted) {
	w := newWorld(t)
	for _, h := range history {
		if h.lapse != nil {
			Lapse(w.st, *h.lapse)
			continue
		}
		Judge(w.st, h.at, h.it)
	}
	if d := cmp.Diff(custodyOf(w.st), custodyOf(mem)); d != "" {
		t.Fatalf("(-never happened +taken back):\n%s", d)
	}
}

// custodyOf writes out what is recorded of things, containers, shipments and lots.
func custodyOf(v state.View) map[string]string {
	out := map[string]string{}
	for _, at := range []string{unitAt, childAt, contentsAt, totalsAt, shipmentAt, shippedAt, lotAt} {
		v.Scan(at, func(k string, b []byte) bool {
			switch at {
			case unitAt:
				r := decodeRecord(k[len(unitAt):], string(b))
				r.last, r.used = canonical.Position{}, canonical.Position{}
				chain := chainOf(r.key, func(k string) *record { return readRecord(v, unitAt+k) })
				for i := range chain[1:] {
					r.trips = append(r.trips, passedOn(chain, i+1)...)
				}
				slices.SortFunc(r.trips, canonical.Position.Compare)
				out[fmt.Sprintf("%q", k)] = fmt.Sprintf("%+v", r)
				return true
			case contentsAt:
				c := readContents(v, k[len(contentsAt):])
				c.sales = nil
				for i := range c.stocks {
					c.stocks[i].newest = 0
				}
				if c.empty() {
					return true
				}
				out[fmt.Sprintf("%q", k)] = fmt.Sprintf("%+v", c)
				return true
			case shipmentAt:
				s := decodeShipment(canonical.NewReader([]byte(k[len(shipmentAt):])).Position(), b)
				s.last = canonical.Position{}
				out[fmt.Sprintf("%q", k)] = fmt.Sprintf("%+v", s)
				return true
			}
			out[fmt.Sprintf("%q", k)] = fmt.Sprintf("%x", b)
			return true
		})
	}
	return out
}

func checkJudgement(t *rapid.T, w *world, mem *state.Memory, j Judgement, ws state.WriteSet, words []string) {
	if j.Verdict == block.Rejected && (len(ws) > 0 || len(j.Effects) > 0) {
		t.Fatalf("a rejected item wrote %d keys and %d effects", len(ws), len(j.Effects))
	}
	if j.Verdict == block.Duplicate && len(j.Effects) > 0 {
		t.Fatal("a duplicate has effects")
	}
	if (j.Verdict == block.Flagged) != (len(j.Findings) > 0) && j.Verdict != block.Rejected {
		t.Fatal("flagged means with findings, and nothing else does")
	}
	if !slices.IsSortedFunc(j.Findings, func(a, b Finding) int { return strings.Compare(string(a.Code), string(b.Code)) }) {
		t.Fatal("findings are not sorted")
	}
	if w.again == nil {
		return
	}
	over := state.NewOverlay(mem)
	if again := w.again(over); !cmp.Equal(j.Effects, again.Effects) || !bytes.Equal(ws.Encode(), over.WriteSet().Encode()) {
		t.Fatalf("judged twice, two results: %v", words)
	}
}

// checkGuard looks at every unit that an event ships for sale or dispenses, by its records alone: nothing may speak against it.
func checkGuard(t *rapid.T, before *state.Memory, it *wire.Item, j Judgement) {
	ev, ok := it.Message.(*epcis.Event)
	if !ok || ev.ErrorDeclaration != nil || isReturn(ev) {
		return
	}
	get := func(k string) *record { return readRecord(before, unitAt+k) }
	day, _ := epcis.EventDay(ev)
	reg := registry.Registry{View: before}
	var whole func(key, what string)
	whole = func(key, what string) {
		for _, r := range chainOf(key, get) {
			against := r.overlays & (overlayQuarantined | overlaySuspect | overlayIllegitimate | overlayRecalled | overlayHold | overlayReturned)
			if what == "dispensed" {
				against |= r.overlays & overlayExpired
			}
			if isUnit(r.key) {
				k := mustKey(r.key)
				g, _ := k.GTIN()
				if len(reg.Recalls(g, r.lot)) > 0 || len(reg.UnitRecalls(k)) > 0 {
					t.Fatalf("%s is %s, and %s is recalled", key, what, r.key)
				}
				if what == "dispensed" && r.expiry != "" && r.expiry < day {
					t.Fatalf("%s is dispensed, and %s expired on %s", key, r.key, r.expiry)
				}
			}
			if against != 0 {
				t.Fatalf("%s is %s, and %s is %v", key, what, r.key, overlayList(against))
			}
		}
		childrenOf(before, key, func(child string) bool {
			whole(child, what)
			return true
		})
	}
	for _, raw := range j.Effects {
		switch e, _ := DecodeEffect(raw); e := e.(type) {
		case Moved:
			if e.Phase != InTransit {
				continue
			}
			for _, k := range e.Keys {
				whole(k, "shipped for sale")
			}
		case StateSet:
			if e.State != Dispensed {
				continue
			}
			for _, k := range e.Keys {
				whole(k, "dispensed")
			}
		}
	}
}

func checkState(t *rapid.T, mem *state.Memory, m mirror) {
	named := map[canonical.Position]uint32{}
	mem.Scan(unitAt, func(k string, b []byte) bool {
		r := decodeRecord(k[len(unitAt):], string(b))
		want := m[r.key]
		if want == nil {
			t.Fatalf("%s is on record without an effect", r.key)
		}
		got := *r
		got.since, got.born, got.recorders, got.owed = canonical.Position{}, canonical.Position{}, nil, nil
		got.last, got.used, got.stored, got.marked = canonical.Position{}, canonical.Position{}, "", 0
		got.made, got.packed, got.trips, got.slot = 0, canonical.Position{}, nil, slot{}
		got.height = 0 // follows from what was ever inside
		got.bits &= bitProvisional
		got.overlays &^= namedByRecall
		want.self, got.self = [1]*record{}, [1]*record{}
		if !cmp.Equal(*want, got, cmp.AllowUnexported(record{}, slot{})) {
			t.Fatalf("the record is not what its effects say:\n%s", cmp.Diff(*want, got, cmp.AllowUnexported(record{}, slot{})))
		}
		if r.parent != "" {
			if _, ok := mem.Get(childAt + r.parent + nul + r.key); !ok {
				t.Fatalf("%s is not among the contents of %s", r.key, r.parent)
			}
			c := chainOf(r.key, func(k string) *record { return readRecord(mem, unitAt+k) })
			if len(c) > maxNesting+1 {
				t.Fatalf("%s is too deep, or inside itself", r.key)
			}
			for i := 1; i < len(c); i++ {
				if c[i].height <= c[i-1].height {
					t.Fatalf("%s has height %d, %s inside it %d", c[i].key, c[i].height, c[i-1].key, c[i-1].height)
				}
			}
		}
		if r.lot != "" {
			b, _ := mem.Get(lotAt + lgtin(gtinOf(r.key), r.lot) + nul + position(r.born))
			if !slices.Contains(readKeys(canonical.NewReader(b)), r.key[18:]) {
				t.Fatalf("%s is not listed in its lot", r.key)
			}
		}
		held := slices.ContainsFunc(findingsOf(mem, r.key), func(f FindingRecord) bool { return f.holds() })
		if held != (r.overlays&overlayHold != 0) {
			t.Fatalf("%s has the overlays %v and a finding that holds it: %t", r.key, overlayList(r.overlays), held)
		}
		if r.is(bitNamed) {
			named[r.shipment]++
		}
		return true
	})
	mem.Scan(childAt, func(k string, _ []byte) bool {
		parent, child, _ := strings.Cut(k[len(childAt):], nul)
		if r := readRecord(mem, unitAt+child); r == nil || r.parent != parent {
			t.Fatalf("%s lists %s, which is elsewhere", parent, child)
		}
		return true
	})
	mem.Scan(shipmentAt, func(k string, _ []byte) bool {
		d := canonical.NewReader([]byte(k[len(shipmentAt):]))
		s := readShipment(mem, d.Position())
		if s.outstanding != named[s.pos] {
			t.Fatalf("shipment %s counts %d outstanding, %d are on their way", s.pos, s.outstanding, named[s.pos])
		}
		return true
	})
	for _, lot := range []string{"A", "B"} {
		for _, series := range []byte{'u', 'v', 'k'} {
			g, _ := gs1.ParseGTIN(gtin(series))
			commissioned := uint64(0)
			for _, r := range m {
				if isUnit(r.key) && gtinOf(r.key) == g.String() && r.lot == lot {
					commissioned++
				}
			}
			totals, sum := LotTotals(mem, g, lot)
			var n uint64
			for _, x := range totals {
				n += x.Units
			}
			if n != commissioned || sum != commissioned {
				t.Fatalf("lot %s of %s: %d commissioned, totals say %d of %d: %v", lot, g, commissioned, n, sum, totals)
			}
			recount := map[Total]uint64{}
			LotUnits(mem, g, lot, func(u Unit, state string) bool {
				recount[Total{Party: u.Holder, State: state}]++
				at, _, ok := Locate(mem, u.Key)
				if !ok || !cmp.Equal(at, u, cmp.AllowUnexported(gs1.Key{})) {
					t.Fatalf("LotUnits and Locate differ on %s: %s", u.Key, cmp.Diff(at, u, cmp.AllowUnexported(gs1.Key{})))
				}
				return true
			})
			for _, x := range totals {
				if n := recount[Total{Party: x.Party, State: x.State}]; n != x.Units {
					t.Fatalf("lot %s of %s: %d units are %s with %q, totals say %d", lot, g, n, x.State, x.Party, x.Units)
				}
			}
		}
	}
	checkContents(t, mem, m)
}

// checkContents counts again what containers and shipments say of their contents.
func checkContents(t *rapid.T, mem *state.Memory, m mirror) {
	inside, moving := map[string]*contents{}, map[canonical.Position]*contents{}
	get := func(k string) *record { return readRecord(mem, unitAt+k) }
	for key := range m {
		chain := chainOf(key, get)
		if at := slotOf(chain[len(chain)-1]); isUnit(key) && chain[0].lot != "" {
			if len(chain) > 1 {
				at = at.inside()
			}
			if at.moving() {
				if moving[at.shipment] == nil {
					moving[at.shipment] = &contents{}
				}
				moving[at.shipment].add(&contents{stocks: []stock{{gtin: gtinOf(key), lot: chain[0].lot, units: 1}}}, 1)
			}
		}
		carried, sold := uint16(0), map[sale]bool{}
		for i, r := range chain {
			if i > 0 {
				c := inside[r.key]
				if c == nil {
					c = &contents{}
					inside[r.key] = c
				}
				d := &contents{}
				if isUnit(key) {
					d.stocks = []stock{{gtin: gtinOf(key), lot: chain[0].lot, expiry: chain[0].expiry, units: 1}}
				}
				for m := range marks {
					if len(d.stocks) > 0 && carried&(1<<m) != 0 {
						d.stocks[0].marked[m] = 1
					}
					if chain[0].overlays&(1<<m) != 0 {
						d.things[m] = 1
					}
				}
				c.add(d, 1)
			}
			trips := r.trips
			if i > 0 {
				trips = passedOn(chain, i)
			}
			for _, at := range trips {
				s := readShipment(mem, at)
				sold[sale{from: s.from, to: s.to}] = true
			}
			if i > 0 && isUnit(key) {
				for s := range sold {
					inside[r.key].addSale(sale{s.from, s.to, 1}, 1)
				}
			}
			carried |= r.overlays
		}
	}
	for key := range m {
		got, want := readContents(mem, key), inside[key]
		if want == nil {
			want = &contents{}
		}
		for i := range got.stocks {
			got.stocks[i].newest = 0
		}
		for _, s := range got.sales { // a cancelled shipment may make it forget an earlier one of the same two parties
			if n := want.sold(s.from, s.to); s.units < 0 || s.units > n {
				t.Fatalf("of what is inside %s, %d units were sold by %s to %s, and it says %d", key, n, s.from, s.to, s.units)
			}
		}
		if d := cmp.Diff(want.stocks, got.stocks, cmp.AllowUnexported(stock{}), cmpopts.EquateEmpty()) + cmp.Diff(want.things, got.things); d != "" {
			t.Fatalf("contents of %s (-counted +kept):\n%s", key, d)
		}
	}
	mem.Scan(shipmentAt, func(k string, _ []byte) bool {
		s := readShipment(mem, canonical.NewReader([]byte(k[len(shipmentAt):])).Position())
		want := moving[s.pos]
		if want == nil {
			want = &contents{}
		}
		if d := cmp.Diff(want.stocks, s.lots, cmp.AllowUnexported(stock{}), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("shipment %s (-counted +kept):\n%s", s.pos, d)
		}
		return true
	})
}

// A pile of containers ends somewhere, whichever end it is built from, and cannot be closed to a ring.
func TestDepth(t *testing.T) {
	for _, order := range []string{"from inside", "from outside"} {
		w := newWorld(t)
		for i := 1; i < 100; i++ {
			inner := i
			if order == "from outside" {
				inner = 100 - i
			}
			w.line(fmt.Sprintf("M packs c%d into c%d", inner, inner+1))
			if deep := w.last.Code == "AGG_TOO_DEEP"; deep != (i == maxNesting+1) && i <= maxNesting+1 {
				t.Errorf("%s: container %d: %s", order, i, w.last.Code)
			}
		}
		for i := 1; i <= 100; i++ {
			if _, containers, ok := Locate(w.st, key(fmt.Sprintf("c%d", i))); ok && len(containers) > maxNesting {
				t.Errorf("%s: c%d is inside %d containers", order, i, len(containers))
			}
		}
	}
	// What was emptied may be packed again: old height does not count.
	w := newWorld(t)
	for i := range maxNesting {
		w.run(fmt.Sprintf("M packs c%d into c%d", i+1, i+2))
	}
	w.run(fmt.Sprintf("M unpacks c%d from c%d", maxNesting, maxNesting+1), fmt.Sprintf("M packs c%d into c90", maxNesting+1))
}

// A container may be emptied without naming its contents, up to a point and up to what is left for the submission.
func TestUnpackUnnamed(t *testing.T) {
	for _, tt := range []struct {
		inside, left int
		code         verdict.Code
	}{{MaxContents, MaxContents, ""}, {MaxContents + 1, 5000, verdict.UnpackUnnamed}, {3, 2, verdict.UnpackUnnamed}, {3, 3, ""}} {
		w := newWorld(t)
		w.run(fmt.Sprintf("M packs u1..u%d into c1", tt.inside))
		it := w.item("M", "unpacks", strings.Fields("all from c1"))
		if !TakesAll(it) {
			t.Fatal("not the event that is meant")
		}
		left := tt.left
		c := w.context("M")
		c.Contents = &left
		j := Judge(w.st, c, it)
		want := tt.left - tt.inside
		if tt.code != "" {
			want = tt.left
		}
		if j.Code != tt.code || left != want {
			t.Errorf("%d inside: %q (%s), %d left", tt.inside, j.Code, j.Detail, left)
		}
	}
}

// What the rules read cannot be sealed: a proof would show beside "accepted" what nobody accepted.
func TestSealedRules(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		path commit.Path
		bad  bool
	}{
		{"disposition", wire.FieldPath(wire.FieldDisposition), true},
		{"destination", wire.FieldPath(wire.FieldDestinationList).Index(0).Field(2), true},
		{"read point", wire.FieldPath(wire.FieldReadPoint).Field(1), true},
		{"read point, extension", wire.FieldPath(wire.FieldReadPoint).Field(2).Index(0).Name("urn:x", "note"), false},
		{"lot", wire.FieldPath(wire.FieldILMD).Index(7).Name("urn:epcglobal:cbv:mda", "lotNumber"), true},
		{"attribute of a lot", wire.FieldPath(wire.FieldILMD).Index(0).Name("urn:epcglobal:cbv:mda", "lotNumber").Field(5).Index(0).Name("urn:x", "a"), false},
		{"another lot", wire.FieldPath(wire.FieldILMD).Index(7).Name("urn:x", "lotNumber"), false},
		{"declared an error", wire.FieldPath(wire.FieldErrorDeclaration).Field(2), true},
		{"purchase order", wire.BizTransactionValue(0), false},
		{"kind of document", wire.FieldPath(wire.FieldBizTransactionList).Index(0).Field(1), true},
		{"unit", wire.FieldPath(wire.FieldEPCList).Index(0), true},
		{"event id", wire.FieldPath(wire.FieldEventID), true},
	} {
		it := w.item("M", "commissions", strings.Fields("u1 lot A exp 2028-03-31"))
		it.Sealed = []commit.Sealed{{Path: tt.path}}
		if j := Judge(state.NewOverlay(w.st), w.context("M"), it); (j.Code == "SEALED_FIELD") != tt.bad {
			t.Errorf("%s: %s (%s)", tt.name, j.Code, j.Detail)
		}
	}
	lot := &wire.Item{Kind: wire.KindLot, Message: &registry.Lot{}, Sealed: []commit.Sealed{{Path: wire.FieldPath(2)}}}
	if j := Judge(w.st, w.context("M"), lot); j.Code != "SEALED_FIELD" {
		t.Errorf("a lot without number: %s", j.Code)
	}
	note := &wire.Item{Kind: wire.KindResolution, Message: &registry.Resolution{}, Sealed: []commit.Sealed{{Path: wire.FieldPath(6)}}}
	if j := Judge(w.st, w.context("M"), note); j.Code != "SEALED_FIELD" {
		t.Errorf("a resolution with a secret note: %s", j.Code)
	}
}

func BenchmarkJudge(b *testing.B) {
	prepare := func(n int) (*world, []*wire.Item) {
		w := newWorld(b)
		items := make([]*wire.Item, n)
		return w, items
	}
	units48 := func(i int) string { return fmt.Sprintf("u%d..u%d", i*48+1, i*48+48) }
	b.Run("commission 48 units", func(b *testing.B) {
		w, items := prepare(b.N)
		for i := range items {
			items[i] = w.item("M", "commissions", []string{units48(i), "lot", "A", "exp", "2028-03-31"})
		}
		benchmark(b, w, items)
	})
	b.Run("pack 48 units", func(b *testing.B) {
		w, items := prepare(b.N)
		for i := range items {
			w.judge("M", w.item("M", "commissions", []string{units48(i), "lot", "A", "exp", "2028-03-31"}))
			items[i] = w.item("M", "packs", []string{units48(i), "into", fmt.Sprintf("c%d", i+1)})
		}
		benchmark(b, w, items)
	})
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("ship a sealed pallet of %d", n), func(b *testing.B) {
			w, _ := prepare(0)
			w.run(fmt.Sprintf("M commissions u1..u%d lot A exp 2028-03-31", n), fmt.Sprintf("M packs u1..u%d into c1", n))
			it := w.item("M", "ships", []string{"c1", "to", "W"})
			base, c := w.st, w.context("M")
			b.ReportAllocs()
			for b.Loop() {
				over := state.NewOverlay(base)
				if j := Judge(over, c, it); j.Verdict != block.Accepted {
					b.Fatal(j.Code, j.Detail)
				}
				over.WriteSet()
			}
		})
	}
}

// What a lot's totals cost, and its recall, whatever its size.
func BenchmarkLot(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		w := newWorld(b)
		for i := 0; i < n; i += 10_000 {
			w.run(fmt.Sprintf("M commissions u%d..u%d lot A exp 2028-03-31", i+1, min(i+10_000, n)))
		}
		g, _ := gs1.ParseGTIN(gtin('u'))
		b.Run(fmt.Sprintf("totals of %d units", n), func(b *testing.B) {
			for b.Loop() {
				if _, sum := LotTotals(w.st, g, "A"); sum != uint64(n) {
					b.Fatal(sum)
				}
			}
		})
		it, base, c := w.item("M", "recalls", []string{"lot", "A"}), w.st, w.context("M")
		b.Run(fmt.Sprintf("recall of %d units", n), func(b *testing.B) {
			for b.Loop() {
				over := state.NewOverlay(base)
				if j := Judge(over, c, it); j.Verdict != block.Accepted {
					b.Fatal(j.Code, j.Detail)
				}
			}
		})
	}
}

func benchmark(b *testing.B, w *world, items []*wire.Item) {
	b.Helper()
	over := state.NewOverlay(w.st)
	w.st = over
	units := 0
	b.ReportAllocs()
	b.ResetTimer()
	for _, it := range items {
		if j := w.judge("M", it); j.Verdict == block.Rejected {
			b.Fatal(j.Detail)
		}
		units += len(it.Committed.Units)
	}
	b.ReportMetric(float64(units)/b.Elapsed().Seconds(), "units/s")
}

// A place is written into the record of every unit of the event, so its key has a limit.
func TestLongPlace(t *testing.T) {
	w := newWorld(t)
	it := w.item("M", "commissions", strings.Fields("u1 lot A exp 2028-03-31"))
	for n, code := range map[int]verdict.Code{wire.MaxUnitKey - 6: "", wire.MaxUnitKey - 5: verdict.FmtEPC} {
		it.Message.(*epcis.Event).ReadPoint = &epcis.Place{ID: "x:" + strings.Repeat("y", n)}
		if j := Judge(state.NewOverlay(w.st), w.context("M"), it); j.Code != code {
			t.Errorf("key of %d bytes: %q (%s)", n+6, j.Code, j.Detail)
		}
	}
}

// What asks for units in a state offers UnitStates: a name too few could not be asked for, one too many would find nothing.
func TestUnitStates(t *testing.T) {
	short := canonical.Position{Height: 2}
	l := newLotReader(state.NewMemory())
	l.short[short] = true
	var names []string
	for _, r := range []record{
		{state: Active, phase: Held, holder: "m"},
		{state: Active, phase: InTransit, holder: "m"},
		{state: Active, phase: InTransit, holder: "m", shipment: short},
		{state: Dispensed},
		{state: Destroyed},
		{state: Decommissioned},
		{state: Lost},
		{state: Stolen},
		{state: Active},
	} {
		names = append(names, l.stateName(&r))
	}
	if d := cmp.Diff(names, UnitStates()); d != "" {
		t.Error(d)
	}
}
