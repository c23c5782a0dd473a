package index

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// memory is a view of the postings of some blocks, in order.
func memory(tb testing.TB, blocks map[uint64][]*epcis.Event) state.View {
	tb.Helper()
	st := state.NewOverlay(state.NewMemory())
	for _, h := range slices.Sorted(maps.Keys(blocks)) {
		p := projection{look: state.NewOverlay(st)}
		for i, e := range blocks[h] {
			p.event(canonical.Position{Height: h, Entry: uint32(i / 100), Item: uint32(i % 100)}, e)
		}
		p.endEvents(h, int64(h)*1000)
		for _, w := range append(p.writes, p.look.WriteSet()...) {
			st.Put(w.Key, w.Value)
		}
	}
	return st
}

func plain(id, step, at string) *epcis.Event {
	return &epcis.Event{Type: "ObjectEvent", Action: "OBSERVE", EventID: id, BizStep: step, EventTime: at, EventTimeZoneOffset: "+00:00"}
}

// What the postings say of every term, in either direction and from anywhere, is what the events say.
func TestPostings(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	steps := []string{"shipping", "urn:epcglobal:cbv:bizstep:shipping", "https://x.example/" + strings.Repeat("long", 50), "https://x.example/a", "https://x.example/a\x00b", "https://x.example/a\x00" + strings.Repeat("c", 12)}
	blocks := map[uint64][]*epcis.Event{}
	for h := uint64(1); h < 40; h += uint64(1 + random.IntN(3)) {
		n := random.IntN(30)
		if h == 1 {
			n = 2*partEvents + 7
		}
		for i := range n {
			// Few seconds, so that many events share one.
			at := fmt.Sprintf("2026-01-01T00:00:%02d.%03dZ", random.IntN(5), random.IntN(3))
			blocks[h] = append(blocks[h], plain(fmt.Sprintf("urn:x:%d-%d", h, i), steps[random.IntN(len(steps))], at))
		}
	}
	v := memory(t, blocks)
	terms := map[string][]canonical.Position{}
	type timed struct {
		order uint64
		pos   canonical.Position
	}
	var times []timed
	for _, h := range slices.Sorted(maps.Keys(blocks)) {
		for i, e := range blocks[h] {
			pos := canonical.Position{Height: h, Entry: uint32(i / 100), Item: uint32(i % 100)}
			epcisquery.TermsOf(e, func(kind epcisquery.TermKind, value string) {
				key := string(kind) + "\n" + value
				terms[key] = append(terms[key], pos)
			})
			terms["all"] = append(terms["all"], pos)
			ms, err := epcis.EventTimeMillis(e)
			if err != nil {
				t.Fatal(err)
			}
			times = append(times, timed{TimeOrder(ms), pos})
		}
	}
	walk := func(p Postings, from, to uint64) (out []canonical.Position) {
		last := uint64(math.MaxUint64)
		for h, refs := range p.Blocks(v, from, to) {
			if h == last || len(refs) == 0 || !slices.IsSortedFunc(refs, Ref.Compare) {
				t.Fatalf("block %d after %d with %v", h, last, refs)
			}
			last = h
			for _, r := range refs {
				out = append(out, r.At(h))
			}
			if got := p.In(v, h); !slices.Equal(got, refs) {
				t.Fatalf("in block %d: %v, want %v", h, got, refs)
			}
		}
		return out
	}
	for key, all := range terms {
		p := AllEvents()
		if kind, value, ok := strings.Cut(key, "\n"); ok {
			if kind == string(epcisquery.EventID) && random.IntN(100) > 0 {
				continue
			}
			p = TermEvents(epcisquery.TermKind(kind), value)
		}
		for range 5 {
			from, to := uint64(random.IntN(42)), uint64(random.IntN(42))
			if from > to {
				from, to = to, from
			}
			want := slices.DeleteFunc(slices.Clone(all), func(p canonical.Position) bool { return p.Height < from || p.Height > to })
			if got := walk(p, from, to); !slices.Equal(got, want) {
				t.Errorf("%q from %d to %d: %d events, want %d", key, from, to, len(got), len(want))
			}
			if from < to {
				back := walk(p, to, from)
				slices.SortFunc(back, canonical.Position.Compare)
				if !slices.Equal(back, want) {
					t.Errorf("%q from %d down to %d: %d events, want %d", key, to, from, len(back), len(want))
				}
			}
			for _, limit := range []int{1, 10, 100_000} {
				if got := p.Count(v, from, to, limit); got != min(len(want), limit) {
					t.Errorf("%q from %d to %d: counts %d of at most %d, want %d", key, from, to, got, limit, len(want))
				}
			}
		}
	}
	slices.SortFunc(times, func(a, b timed) int {
		if a.order != b.order {
			return map[bool]int{true: -1, false: 1}[a.order < b.order]
		}
		return a.pos.Compare(b.pos)
	})
	for range 20 {
		i := random.IntN(len(times))
		for _, back := range []bool{false, true} {
			want := slices.Clone(times[i:])
			if back {
				want = slices.Clone(times[:i+1])
				slices.Reverse(want)
			}
			var got []timed
			if !ByTime(v, times[i].order, times[i].pos, back, func(order uint64, pos canonical.Position) bool {
				got = append(got, timed{order, pos})
				return true
			}) {
				t.Fatal("too many")
			}
			if !slices.Equal(got, want) {
				t.Errorf("by time from %d, back %v: %d events, want %d", i, back, len(got), len(want))
			}
		}
	}
	for h, events := range blocks {
		if len(events) > 0 && len(EventTimes(v, h)) != len(events) {
			t.Errorf("block %d: %d times", h, len(EventTimes(v, h)))
		}
	}
	if h, ok := HeightAt(v, 1500); !ok || h < 2 {
		t.Errorf("%d %v", h, ok)
	}
	if h, ok := HeightAt(v, 1_000_000); ok {
		t.Errorf("%d", h)
	}
	var values []string
	Values(v, epcisquery.BizStep, "", func(_, captured string) bool {
		values = append(values, captured)
		return true
	})
	if len(values) != len(steps)-1 { // two of them are one
		t.Errorf("%q", values)
	}
}

func TestMasterData(t *testing.T) {
	st := state.NewOverlay(state.NewMemory())
	add := func(h *epcis.Header) {
		p := projection{look: state.NewOverlay(st)}
		p.masterData(h)
		for _, w := range p.look.WriteSet() {
			st.Put(w.Key, w.Value)
		}
	}
	place := "urn:epc:id:sgln:0614141.00001.0"
	add(&epcis.Header{Vocabularies: []epcis.Vocabulary{{Elements: []epcis.VocabularyElement{{
		ID: place, Attributes: []epcis.VocabularyAttribute{{ID: "urn:epcglobal:cbv:mda#city", Text: "Newark"}, {ID: "urn:x#tag", Text: "a"}, {ID: "urn:x#tag", Text: "b"}},
		Children: []string{"urn:epc:id:sgln:0614141.00001.1"},
	}}}}})
	add(&epcis.Header{Vocabularies: []epcis.Vocabulary{{Elements: []epcis.VocabularyElement{{ID: "https://id.gs1.org/414/0614141000012", Attributes: []epcis.VocabularyAttribute{{ID: "urn:epcglobal:cbv:mda#city", Text: "Trenton"}}}}}}})
	if got := MasterAttribute(st, place, "urn:epcglobal:cbv:mda#city"); !slices.Equal(got, []string{"Trenton"}) {
		t.Errorf("%q", got)
	}
	if got := MasterAttribute(st, "https://id.gs1.org/414/0614141000012", "urn:x#tag"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q", got)
	}
	if got := MasterAttribute(st, place, "urn:x#other"); got != nil {
		t.Errorf("%q", got)
	}
	var children []string
	MasterChildren(st, place, func(c string) bool { children = append(children, c); return true })
	if !slices.Equal(children, []string{MasterID("urn:epc:id:sgln:0614141.00001.1")}) {
		t.Errorf("%q", children)
	}
}
