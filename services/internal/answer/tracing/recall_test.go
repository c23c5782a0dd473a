package tracing_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// fair is a market whose traders do anything, in memory.
type fair struct {
	*market
	rng    *rand.Rand
	state  *state.Memory
	blocks []*consensus.Result
	ticks  uint64
	events []epcis.Event // that were accepted, and by whom
	by     []string
}

func newFair(t *testing.T, seed uint64) *fair {
	t.Helper()
	f := &fair{market: newMarket(t), rng: rand.New(rand.NewPCG(seed, 12)), state: state.NewMemory()}
	zero, err := consensus.Zero(f.g)
	if err != nil {
		t.Fatal(err)
	}
	f.keep(zero)
	return f
}

// keep applies a block as a node does: the index looks at the state before it, and both are written together.
func (f *fair) keep(res *consensus.Result) {
	f.tb.Helper()
	own, err := index.Project(res, f.state)
	if err != nil {
		f.tb.Fatal(err)
	}
	f.state.Apply(append(slices.Clone(res.Writes), own...))
	f.blocks = append(f.blocks, res)
}

// Block and Certificate implement tracing.BlockLog.
func (f *fair) Block(height uint64) (*consensus.Result, error) { return f.blocks[height], nil }

func (f *fair) Certificate(uint64) (quorum.Certificate, error) { return nil, nil }

func (f *fair) ask() *tracing.Snapshot {
	return &tracing.Snapshot{Genesis: f.g, View: f.state, Log: f, Now: f.when}
}

// block executes what was said, at the time that it is now.
func (f *fair) block(said ...[]byte) *consensus.Result {
	f.tb.Helper()
	f.ticks++
	tick, err := block.SignPulse(f.g.Network, block.Pulse{What: block.Tick, Epoch: f.g.Epoch, Clock: f.when.UnixMilli(), Counter: f.ticks}, chaintest.Key("v1/vote"))
	if err != nil {
		f.tb.Fatal(err)
	}
	said = append([][]byte{tick}, said...)
	if len(f.blocks) == 1 {
		said = append([][]byte{chaintest.Epoch(f.tb, f.g)}, said...)
	}
	res, _ := chaintest.Block(f.tb, f.g, f.state, said...)
	f.keep(res)
	return res
}

func (f *fair) unit(i int) string { return fmt.Sprintf("urn:epc:id:sgtin:0614141.107346.%d", i+1) }

// box is a container without a GTIN, or from 4 on with one: such a case has a lot itself.
func (f *fair) box(i int) string {
	if i >= 4 {
		return fmt.Sprintf("urn:epc:id:sgtin:0614141.207346.%d", i+1)
	}
	return fmt.Sprintf("urn:epc:id:sscc:0614141.%010d", i+1)
}

const boxes = 6

// goods are some units and containers, for the most part what somebody could have in hand together.
func (f *fair) goods() []string {
	var list []string
	for range 1 + f.rng.IntN(4) {
		thing := f.unit(f.rng.IntN(10))
		if f.rng.IntN(3) == 0 {
			thing = f.box(f.rng.IntN(boxes))
		}
		if !slices.Contains(list, thing) {
			list = append(list, thing)
		}
	}
	return list
}

func pick[T any](f *fair, list ...T) T { return list[f.rng.IntN(len(list))] }

// holder is who has a thing, more often than not.
func (f *fair) holder(thing string) string {
	u, _, ok := custody.Locate(f.state, keyOf(f.tb, thing))
	if ok && u.Phase == custody.InTransit && u.To != "" {
		return u.To
	}
	if ok && u.Holder != "" && f.rng.IntN(6) > 0 {
		return u.Holder
	}
	return pick(f, "acme", "acme", "whole", "care1", "care2")
}

func (f *fair) event() (string, epcis.Event) {
	things := f.goods()
	who := f.holder(things[0])
	at := f.at(who)
	if f.rng.IntN(8) == 0 { // another party relays it
		at = f.at(pick(f, "acme", "whole", "care1"))
	}
	other := pick(f, "acme", "whole", "whole", "care1", "care2", "care3")
	switch f.rng.IntN(16) {
	case 0, 1, 2:
		return "acme", epcis.Commission(f.at("acme"), things, pick(f, "A", "B"), "2035-12-31")
	case 3, 4, 5:
		return who, epcis.Pack(at, f.box(f.rng.IntN(boxes)), things)
	case 6:
		if f.rng.IntN(2) == 0 {
			things = nil
		}
		box := f.box(f.rng.IntN(boxes))
		who = f.holder(box)
		return who, epcis.Unpack(f.at(who), box, things)
	case 7, 8:
		if f.rng.IntN(4) == 0 {
			return who, epcis.ShipReturn(at, things, f.between(who, other), "0614141000012", "RMA-1")
		}
		return who, epcis.Ship(at, things, f.between(who, other))
	case 9, 10:
		return who, epcis.Receive(at, things, f.between(pick(f, "acme", "whole"), who))
	case 11:
		return who, epcis.Hold(at, things, pick(f, "", "damaged", "recalled", "expired", "returned", "lost", "stolen", "non_sellable_other"))
	case 12:
		e := epcis.Hold(at, things, pick(f, "sellable_accessible", "in_progress", "non_sellable_other", "damaged", "destroyed"))
		e.BizStep = epcis.StepPrefix + epcis.StepInspecting
		return who, e
	case 13:
		return who, epcis.Dispense(at, things, f.rng.IntN(4) == 0)
	case 14:
		if f.rng.IntN(2) == 0 {
			return who, epcis.Destroy(at, things)
		}
		return who, epcis.Decommission(at, things)
	}
	return who, epcis.Hold(at, things, "")
}

var fairRecalls = []registry.Recall{
	{RecallNumber: "R-LOT", GTIN: "10614141073464", Lot: "A", Reason: "Label"},
	{RecallNumber: "R-GTIN", GTIN: "10614141073464", Reason: "Label"},
	{RecallNumber: "R-CASE", GTIN: "20614141073461", Lot: "B", Reason: "Label"},
	{RecallNumber: "R-UNITS", Units: []string{"urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.2", "urn:epc:id:sgtin:0614141.207346.5"}, Reason: "Label"},
	{RecallNumber: "R-BOTH", GTIN: "10614141073464", Lot: "B", Reason: "Label"},
	{RecallNumber: "R-BOTH", Units: []string{"urn:epc:id:sgtin:0614141.107346.1", "urn:epc:id:sgtin:0614141.107346.3"}, Reason: "Label"},
}

func (f *fair) recall(rc registry.Recall, status string) []byte {
	rc.Status = status
	return f.say("acme", &rc)
}

// resolution closes a finding about some thing, as the board.
func (f *fair) resolution() []byte {
	thing := pick(f, f.goods()...)
	for _, found := range custody.Findings(f.state, keyOf(f.tb, thing)) {
		outcomes := custody.Outcomes(found.Code)
		if found.State == block.Closed || len(outcomes) == 0 {
			continue
		}
		return f.say("board", &registry.Resolution{
			Height: found.Pos.Height, Entry: found.Pos.Entry, Item: found.Pos.Item, Code: string(found.Code),
			Outcome: string(pick(f, outcomes...)), Units: []string{thing},
		})
	}
	return nil
}

// step is one block of what happens at the fair.
func (f *fair) step() {
	var said [][]byte
	var events []epcis.Event
	var by []string
	for range 1 + f.rng.IntN(3) {
		switch f.rng.IntN(24) {
		case 0:
			f.when = f.when.Add(pick(f, time.Hour, 30*time.Hour))
		case 1:
			said = append(said, f.recall(pick(f, fairRecalls...), pick(f, "open", "ended", "ended")))
		case 2, 3, 4:
			if raw := f.resolution(); raw != nil {
				said = append(said, raw)
			}
		case 5, 6, 7:
			if n := len(f.events); n > 0 {
				i := n - 1 - f.rng.IntN(min(n, 4))
				e := epcis.Withdraw(f.events[i], f.at("acme").Time, "did_not_occur")
				said = append(said, f.say(f.by[i], &e))
			}
		default:
			who, e := f.event()
			said, events, by = append(said, f.say(who, &e)), append(events, e), append(by, who)
		}
	}
	f.block(said...)
	f.events, f.by = append(f.events, events...), append(f.by, by...)
}

// recount counts a recall by looking at each of its units.
func recount(tb testing.TB, s *tracing.Snapshot, d *tracing.RecallDetail) (tracing.Effectiveness, map[string]uint64) {
	tb.Helper()
	e, totals, holders := tracing.Effectiveness{}, map[string]uint64{}, map[string]*tracing.RecallHolder{}
	err := s.RecallUnits(d.RecallNumber, func(u custody.Unit, state string) bool {
		e.Units++
		g, _ := u.Key.GTIN()
		if slices.ContainsFunc(d.Lots, func(l tracing.RecalledLot) bool { return l.GTIN == g.String() && l.Lot == u.Lot }) {
			totals[g.String()+" "+u.Lot+" "+u.Holder+" "+state]++
		}
		maker, _ := registry.Registry{View: s.View}.OwnerOfGTIN(g)
		apart := false
		for _, mark := range u.Overlays {
			switch mark {
			case "quarantined", "recalled", "suspect", "illegitimate", "damaged":
				apart = true
			}
		}
		o := &e.Outcomes
		switch {
		case u.State == custody.Dispensed:
			o.Dispensed++
			return true
		case u.State == custody.Destroyed, u.State == custody.Decommissioned:
			o.Destroyed++
			return true
		case u.State != custody.Active, state == custody.Unaccounted, u.Holder == "":
			o.Lost++
			return true
		case u.Phase == custody.InTransit:
			o.InTransit++
			return true
		case u.Holder == maker:
			o.WithMaker++
			apart = true
		case apart:
			o.Quarantined++
		default:
			o.Remaining++
		}
		h := holders[u.Holder]
		if h == nil {
			h = &tracing.RecallHolder{Party: &tracing.PartyRef{ID: u.Holder}}
			holders[u.Holder] = h
		}
		h.Units++
		if apart {
			h.SetAside++
		} else {
			h.Remaining++
		}
		return true
	})
	if err != nil {
		tb.Fatal(err)
	}
	e.Holders = []tracing.RecallHolder{}
	for _, h := range holders {
		e.Holders = append(e.Holders, *h)
	}
	slices.SortFunc(e.Holders, func(a, b tracing.RecallHolder) int {
		return cmp.Or(cmp.Compare(b.Remaining, a.Remaining), cmp.Compare(b.Units, a.Units), cmp.Compare(a.Party.ID, b.Party.ID))
	})
	return e, totals
}

// check compares what a recall says with a look at each of its units.
func (f *fair) check(number string) *tracing.RecallDetail {
	f.tb.Helper()
	s := f.ask()
	d, err := s.Recall(number)
	if err != nil {
		f.tb.Fatal(err)
	}
	want, rows := recount(f.tb, s, d)
	got := d.Effectiveness
	got.Holders = []tracing.RecallHolder{}
	for _, h := range d.Effectiveness.Holders {
		h.Place, h.Party = nil, &tracing.PartyRef{ID: h.Party.ID}
		got.Holders = append(got.Holders, h)
	}
	said, made := map[string]uint64{}, uint64(0)
	for _, l := range d.Lots {
		made += l.Commissioned
		for _, t := range l.Totals {
			said[l.GTIN+" "+l.Lot+" "+t.Party+" "+t.State] += t.Units
			made -= t.Units
		}
	}
	if diff := gocmp.Diff(want, got) + gocmp.Diff(rows, said); diff != "" || made != 0 {
		f.tb.Fatalf("recall %s at height %d (-counted +said):\n%s", number, len(f.blocks)-1, diff)
	}
	return d
}

// What a recall says is what a look at each of its units finds, whatever happened: things in and out of containers,
// marked, sold, taken back, and closed findings.
func TestRecallIsARecount(t *testing.T) {
	seeds, steps := uint64(150), 40
	if testing.Short() {
		seeds = 40
	}
	seen := tracing.RecallOutcomes{}
	for seed := range seeds {
		f := newFair(t, seed)
		for _, rc := range fairRecalls { // begun and ended: what follows may be sold
			f.block(f.recall(rc, ""), f.recall(rc, "ended"))
		}
		for range steps {
			f.step()
			for _, number := range []string{"R-GTIN", pick(f, "R-LOT", "R-CASE", "R-UNITS", "R-BOTH")} {
				o := f.check(number).Effectiveness.Outcomes
				seen.Dispensed += o.Dispensed
				seen.Destroyed += o.Destroyed
				seen.Lost += o.Lost
				seen.InTransit += o.InTransit
				seen.WithMaker += o.WithMaker
				seen.Quarantined += o.Quarantined
				seen.Remaining += o.Remaining
			}
		}
	}
	if seen.Dispensed == 0 || seen.Destroyed == 0 || seen.Lost == 0 || seen.InTransit == 0 || seen.WithMaker == 0 || seen.Quarantined == 0 || seen.Remaining == 0 {
		t.Errorf("the histories never come to some outcome: %+v", seen)
	}
	t.Logf("%+v", seen)
}
