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
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// mirror is custody replayed from effects alone: what an auditor who has only the effects would know.
type mirror map[string]*books.Record

func (m mirror) at(k string) *books.Record {
	if m[k] == nil {
		m[k] = &books.Record{Key: k, State: Active}
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
			r.Lot, r.Expiry = e.Lot, e.Expiry
			r.Set(books.Provisional, e.Provisional)
			if e.Holder != "" {
				r.Holder, r.Owner, r.Place, r.Phase = e.Holder, e.Holder, e.Place, Held
			}
		}
	case Moved:
		for _, k := range e.Keys {
			r := m.at(k)
			r.Phase, r.Holder, r.Owner, r.Place, r.To, r.Shipment = e.Phase, e.Holder, e.Owner, e.Place, e.To, e.Shipment
		}
	case Packed:
		for _, k := range e.Keys {
			r := m.at(k)
			r.Parent, r.Phase, r.Holder, r.Owner, r.Place, r.To, r.Shipment = e.Parent, NotSeen, "", "", "", "", canonical.Position{}
		}
	case Unpacked:
		for _, k := range e.Keys {
			at := books.Inherit(books.ChainOf(k, func(k string) *books.Record { return m[k] }))
			r := m.at(k)
			r.Parent, r.Overlays = "", at.Overlays
			r.Phase, r.Holder, r.Owner, r.Place, r.To, r.Shipment = at.Phase, at.Holder, at.Owner, at.Place, at.To, at.Shipment
		}
	case StateSet:
		for _, k := range e.Keys {
			m.at(k).State = e.State
		}
	case OverlaySet:
		for _, k := range e.Keys {
			for i, name := range books.OverlayNames {
				if name != e.Overlay {
					continue
				}
				if r := m.at(k); e.Set {
					r.Overlays |= 1 << i
				} else {
					r.Overlays &^= 1 << i
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
		party := rapid.SampledFrom([]string{"M", "M", "M", "M", "M", "M", "W", "W", "W", "W", "W", "D", "D", "L", "P", "N", "R", "X", "E", "V", "B", "G"})
		disposition := rapid.SampledFrom([]string{
			"active", "stolen", "lost", "unknown", "damaged", "returned", "recalled", "expired", "non_sellable_other", "sellable_accessible", "in_progress", "partially_dispensed",
			"no_pedigree_match", "no_pedigree_match", "non_sellable_other",
		})
		var labels []string
		play := func(verb string, words []string) {
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
				return
			}
			j, ws := w.last, over.WriteSet()
			if j.Verdict == 0 {
				return
			}
			t.Logf("%s: %s", line, strings.Join(w.say(j), "; "))
			checkJudgement(t, w, mem, j, ws, words)
			if it := w.judged[len(w.judged)-1].it; verb != "resolves" && verb != "recalls" && verb != "authority" {
				checkGuard(t, mem, over, it, j)
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
		// Half of the histories begin with goods that have a maker and are somewhere.
		if rapid.Bool().Draw(t, "begun") {
			for _, line := range []string{
				"M commissions u1,u2,u3,u4 lot A exp 2028-03-31", "M commissions k1,k2 lot A exp 2028-03-31", "M packs u1,u2 into k1", "M packs k1 into c1", "M packs u3 into c2", "M ships c2 to W",
				"W receives c2 as active",
			} {
				words := strings.Fields(line)
				play(words[1], words)
			}
		}
		for i := range rapid.IntRange(5, 40).Draw(t, "events") {
			who := party.Draw(t, "who")
			verb := rapid.SampledFrom([]string{
				"commissions", "commissions", "packs", "packs", "unpacks", "ships", "ships", "receives", "receives", "voids", "dispenses",
				"decommissions", "destroys", "holds", "inspects", "counts", "publishes", "publishes", "recalls", "resolves", "resolves",
				"retracts", "retracts", "retracts", "later", "authority",
			}).Draw(t, "verb")
			words := []string{who, verb}
			switch verb {
			case "later":
				words = []string{"later", rapid.SampledFrom([]string{"1h", "30h"}).Draw(t, "by")}
			case "authority":
				who = "A"
				words = []string{who, rapid.SampledFrom([]string{
					"suspends W", "reinstates W", "suspends D", "reinstates D", "licenses P state_pharmacy 2026-01-01..2026-12-31", "licenses V state_wholesale 2026-01-01..2026-12-31",
					"licenses V fda_annual_report 2026-01-01..2026-03-03",
				}).Draw(t, "act")}
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
					words = append(words, rapid.SampledFrom([]string{"u1", "u1,u2", "u3..u5", "k1", "k2"}).Draw(t, "recalled"))
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
				words = append(words, "lot", rapid.SampledFrom([]string{"A", "B"}).Draw(t, "lot"), "exp", rapid.SampledFrom([]string{"2028-03-31", "2028-03-31", "2026-03-03"}).Draw(t, "expiry"))
				if rapid.IntRange(0, 4).Draw(t, "made later") == 0 {
					words = append(words, "at", "2026-03-02T20:00:00Z")
				}
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
			if verb == "receives" {
				switch rapid.IntRange(0, 3).Draw(t, "for another") {
				case 0, 1:
					words = append(words, "for", party.Draw(t, "owner"))
				case 2:
					words = append(words, "with", party.Draw(t, "holder"))
				}
			}
			if verb != "authority" && verb != "publishes" && verb != "recalls" && verb != "retracts" && verb != "later" && verb != "resolves" {
				label := fmt.Sprintf("e%d", i)
				words = append([]string{label + ":"}, words...)
				if labels = append(labels, label); rapid.IntRange(0, 3).Draw(t, "draft") == 0 {
					words = append([]string{"draft"}, words...)
				}
			}
			play(verb, words)
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
		words = append(words, "about", nick(books.MustKey(c.key)))
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
	books.Each(mem, func(r *books.Record) bool {
		if r.Overlays&books.OverlayHold != 0 || r.Overlays&books.OverlaySuspect != 0 && r.Overlays&books.OverlayIllegitimate == 0 && r.Is(books.Copy) {
			t.Fatalf("%s is marked %v, and every finding is closed", r.Key, books.OverlayList(r.Overlays))
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
	counts := map[canonical.Position]bool{}
	for _, h := range history {
		counts[h.at.Pos] = true
	}
	if d := cmp.Diff(factsOf(w.st, counts), factsOf(mem, counts)); d != "" {
		t.Fatalf("(-never happened +taken back):\n%s", d)
	}
}

// factsOf are the facts of the books, and the findings of events that count.
func factsOf(v state.View, counts map[canonical.Position]bool) map[string]string {
	out := books.Facts(v)
	for _, c := range storedFindings(v) {
		if counts[c.f.Pos] {
			c.f.Changes = nil // it may have been closed meanwhile
			out[fmt.Sprintf("%q of %s about %q", c.f.Code, c.f.Pos, c.key)] = fmt.Sprintf("%+v", c.f)
		}
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

// checkGuard looks at every thing that an event moves to another, or dispenses, by its records alone. What speaks against it, on
// itself, around it or inside, keeps it from being sold or dispensed; what turns out to have moved already is on hold.
func checkGuard(t *rapid.T, before *state.Memory, after state.View, it *wire.Item, j Judgement) {
	ev, ok := it.Message.(*epcis.Event)
	if !ok || ev.ErrorDeclaration != nil || j.Verdict == block.Rejected || j.Verdict == block.Duplicate {
		return
	}
	get := func(k string) *books.Record { return books.Read(before, k) }
	day, _ := epcis.EventDay(ev)
	reg := registry.Registry{View: before}
	sailed := books.Open(before, canonical.Position{}, 0)
	// against says why one unit or container, with what is inside it, must not be sold.
	const marked = books.OverlayQuarantined | books.OverlaySuspect | books.OverlayIllegitimate | books.OverlayRecalled | books.OverlayHold | books.OverlayReturned | books.OverlayExpired | books.OverlayDamaged
	recalled := func(r *books.Record) bool {
		if !books.IsUnit(r.Key) {
			return false
		}
		k := books.MustKey(r.Key)
		g, _ := k.GTIN()
		return len(reg.Recalls(g, r.Lot)) > 0 || len(reg.UnitRecalls(k)) > 0
	}
	own := func(r *books.Record) (why []string) {
		if bits := r.Overlays & marked; bits != 0 {
			why = append(why, fmt.Sprintf("%s is marked %v", r.Key, books.OverlayList(bits)))
		}
		if recalled(r) {
			why = append(why, r.Key+" is recalled")
		}
		for c := range strings.FieldsSeq(r.OutOf) {
			if recalled(get(c)) {
				why = append(why, r.Key+" came out of "+c+", which is recalled")
			}
		}
		if r.Expiry != "" && r.Expiry < day {
			why = append(why, r.Key+" expired on "+r.Expiry)
		}
		return why
	}
	var inside func(key string) []string
	inside = func(key string) (why []string) {
		books.ChildrenOf(before, key, func(child string) bool {
			why = append(append(why, own(get(child))...), inside(child)...)
			return true
		})
		return why
	}
	against := func(key string) (why []string) {
		for _, r := range books.ChainOf(key, get) {
			why = append(why, own(r)...)
		}
		return append(why, inside(key)...)
	}
	onHold := func(k string) bool {
		chain := books.ChainOf(k, func(k string) *books.Record { return books.Read(after, k) })
		return len(chain) > 0 && books.Inherit(chain).Overlays&books.OverlayHold != 0
	}
	// soldBefore is the law in the words of records: a return goes to the maker, or to who sold it to the one that returns it.
	sentBack := func(k, by, to string) bool {
		owner, _ := reg.OwnerOfKey(books.MustKey(k))
		var trips []canonical.Position
		chain := books.ChainOf(k, get)
		for i := range chain {
			if i == 0 {
				trips = append(trips, chain[0].Trips...)
			} else {
				trips = append(trips, soldWith(chain, i)...)
			}
		}
		return to != "" && (owner == to && books.IsUnit(k) || slices.ContainsFunc(trips, func(at canonical.Position) bool {
			s := sailed.Shipment(at)
			return s.From == to && s.To == by
		}))
	}
	units := func(k string) (list []string) {
		var walk func(string)
		walk = func(k string) {
			if books.IsUnit(k) {
				list = append(list, k)
			}
			books.ChildrenOf(before, k, func(c string) bool { walk(c); return true })
		}
		walk(k)
		return list
	}
	for _, raw := range j.Effects {
		switch e, _ := DecodeEffect(raw); e := e.(type) {
		case Moved:
			for _, k := range e.Keys {
				why := against(k)
				switch {
				case len(why) == 0 || len(books.ChainOf(k, get)) == 0:
				case e.Phase == InTransit && isReturn(ev):
					list := units(k)
					back := len(list) > 0
					for _, u := range list {
						back = back && sentBack(u, e.Holder, e.To)
					}
					if back || len(list) == 0 {
						continue
					}
					fallthrough
				case e.Phase == InTransit:
					if !onHold(k) || slices.ContainsFunc(why, func(s string) bool { return !strings.Contains(s, "expired") }) {
						t.Fatalf("%s is shipped for sale: %v", k, why)
					}
				case e.Phase == Held && ev.Step() == epcis.StepReceiving: // from one holder to another, by their owner
					actor, _, _ := Actor(ev, &reg)
					if r := books.Inherit(books.ChainOf(k, get)); r.Phase == Held && r.Owner == actor && r.Holder != "" && e.Holder != r.Holder && e.Holder != actor && !onHold(k) {
						t.Fatalf("%s is passed from %s to %s: %v", k, r.Holder, e.Holder, why)
					}
				}
			}
		case Packed: // into what is with another
			chain := books.ChainOf(e.Parent, get)
			if len(chain) == 0 {
				continue
			}
			at := books.Inherit(chain)
			s := sailed.Shipment(at.Shipment)
			for _, k := range e.Keys {
				around := books.ChainOf(k, get)
				if len(around) == 0 {
					continue
				}
				r := books.Inherit(around)
				moves := at.Phase == InTransit || at.Holder != "" && at.Holder != r.Holder && at.Owner != r.Holder && at.Holder != r.Owner
				if why := against(k); moves && len(why) > 0 && !onHold(k) && (s == nil || len(s.Returns) == 0) {
					t.Fatalf("%s goes into %s, which has moved on: %v", k, e.Parent, why)
				}
			}
		case StateSet:
			if e.State != Dispensed {
				continue
			}
			for _, k := range e.Keys {
				if why := against(k); len(why) > 0 {
					t.Fatalf("%s is dispensed: %v", k, why)
				}
			}
		}
	}
	// A shipment that comes to light after its receipt is no better than one in time: it closes nothing that it may not.
	for _, a := range j.Amendments {
		if a.Code != verdict.ReceiveNoShip || ev.Step() != epcis.StepShipping || isReturn(ev) {
			continue
		}
		for _, k := range a.Subjects {
			why := beforeReceipt(before, k, a.Pos)
			if why != "" {
				t.Fatalf("a late shipment closes RECEIVE_NO_SHIP of %s, which was %s when it was received", k, why)
			}
		}
	}
}

// soldWith lists the sales of the i-th container around a thing that were made while the thing was inside, and that are not its own.
func soldWith(chain []*books.Record, i int) (sold []canonical.Position) {
	for _, t := range chain[i].Trips {
		if !slices.ContainsFunc(chain[:i], func(c *books.Record) bool { return t.Compare(c.Packed) <= 0 || slices.Contains(c.Trips, t) }) {
			sold = append(sold, t)
		}
	}
	return sold
}

// beforeReceipt says, by the history of the event at pos, what speaks against a thing as it was before it.
func beforeReceipt(v state.View, key string, pos canonical.Position) string {
	h := readHistory(v, pos)
	for _, w := range h.things {
		if w.Leaned || w.Stored == "" || !slices.Contains(w.Keys, key) {
			continue
		}
		const barred = books.OverlaySuspect | books.OverlayIllegitimate | books.OverlayRecalled | books.OverlayQuarantined | books.OverlayHold | books.OverlayReturned | books.OverlayDamaged
		if bits := w.Record(key).Overlays & barred; bits != 0 {
			return strings.Join(books.OverlayList(bits), "+")
		}
	}
	return ""
}

func checkState(t *rapid.T, mem *state.Memory, m mirror) {
	books.Each(mem, func(r *books.Record) bool {
		want := m[r.Key]
		if want == nil {
			t.Fatalf("%s is on record without an effect", r.Key)
		}
		got := books.Record{
			Key: r.Key, Flags: r.Flags & books.Provisional, State: r.State, Phase: r.Phase, Overlays: r.Overlays &^ books.NamedByRecall,
			Lot: r.Lot, Expiry: r.Expiry, Parent: r.Parent, Holder: r.Holder, Owner: r.Owner, To: r.To, Place: r.Place, Shipment: r.Shipment,
		}
		if d := cmp.Diff(*want, got, cmpopts.IgnoreUnexported(books.Record{})); d != "" {
			t.Fatalf("the record is not what its effects say:\n%s", d)
		}
		if r.Parent != "" {
			c := books.ChainOf(r.Key, func(k string) *books.Record { return books.Read(mem, k) })
			if len(c) > maxNesting+1 {
				t.Fatalf("%s is too deep, or inside itself", r.Key)
			}
		}
		held := slices.ContainsFunc(findingsOf(mem, r.Key), func(f FindingRecord) bool { return f.holds() })
		if held != (r.Overlays&books.OverlayHold != 0) {
			t.Fatalf("%s has the overlays %v and a finding that holds it: %t", r.Key, books.OverlayList(r.Overlays), held)
		}
		return true
	})
	for _, lot := range []string{"A", "B"} {
		for _, series := range []byte{'u', 'v', 'k'} {
			g, _ := gs1.ParseGTIN(gtin(series))
			commissioned := uint64(0)
			for _, r := range m {
				if books.IsUnit(r.Key) && books.GTINOf(r.Key) == g.String() && r.Lot == lot {
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
	if err := books.Recount(mem); err != nil {
		t.Fatal(err)
	}
}
