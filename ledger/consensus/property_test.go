package consensus_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

// propertyUnits are few, so that random events meet.
var propertyUnits = []string{"1", "2", "3", "4", "5", "c1", "c2"}

// randomStream draws an epoch record and submissions that get in each other's way, with some garbage. Without pulses the
// block time stays the parent's, however the stream is cut.
func randomStream(tb testing.TB, t *rapid.T, g *genesis.Genesis) [][]byte {
	tb.Helper()
	stream := [][]byte{epochRecord(tb, g)}
	counters := map[string]uint64{}
	parties := []string{"acme", "dist", "pharm"}
	units := func(label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(propertyUnits), 1, 3, rapid.ID[string]).Draw(t, label)
	}
	for range rapid.IntRange(1, 12).Draw(t, "submissions") {
		if rapid.IntRange(0, 9).Draw(t, "garbage") == 0 {
			stream = append(stream, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes"))
			continue
		}
		m := message{party: rapid.SampledFrom(parties).Draw(t, "party"), onError: submission.Rollback}
		if rapid.Bool().Draw(t, "proceed") {
			m.onError = submission.Proceed
		}
		counters[m.party] += uint64(rapid.IntRange(0, 2).Draw(t, "step"))
		m.counter = max(counters[m.party], 1)
		other := rapid.SampledFrom(parties).Draw(t, "other")
		for range rapid.IntRange(1, 3).Draw(t, "items") {
			when := at(m.party, created+int64(rapid.IntRange(0, 5).Draw(t, "when"))*1000)
			switch rapid.IntRange(0, 6).Draw(t, "item") {
			case 0, 1:
				m.items = append(m.items, event(epcis.Commission(when, epcsOf(units("units")), "A", "2028-12-31")))
			case 2:
				m.items = append(m.items, event(epcis.Pack(when, epcOf("c1"), epcsOf(units("children")))))
			case 3:
				m.items = append(m.items, event(epcis.Ship(when, epcsOf(units("shipped")), sale(m.party, other))))
			case 4:
				m.items = append(m.items, event(epcis.Receive(when, epcsOf(units("received")), sale(other, m.party))))
			case 5:
				m.items = append(m.items, product(other))
			case 6:
				m.items = append(m.items, event(epcis.Commission(when, epcsOf([]string{"c1", "c2"}), "", "")))
			}
		}
		stream = append(stream, sign(tb, g, m))
	}
	return stream
}

// chain executes a stream in blocks of the given sizes; what is left over is the last block.
func chain(tb testing.TB, g *genesis.Genesis, stream [][]byte, sizes []int, prepare func([][]byte) []*consensus.Prepared) (*state.Memory, []*consensus.Result) {
	tb.Helper()
	st := zeroStore(tb, g)
	var results []*consensus.Result
	for seq := 0; seq < len(stream); {
		n := len(stream) - seq
		if len(sizes) > 0 {
			n, sizes = min(n, sizes[0]), sizes[1:]
		}
		messages := make([]consensus.Message, n)
		var prepared []*consensus.Prepared
		if prepare != nil {
			prepared = prepare(stream[seq : seq+n])
		}
		for i := range messages {
			messages[i] = consensus.Message{Seq: uint64(seq+i) + 1, Payload: stream[seq+i]}
			if prepared != nil {
				messages[i].Prepared = prepared[i]
			}
		}
		before := dumpStore(st)
		res, err := consensus.Execute(g, st, messages)
		if err != nil {
			tb.Fatal(err)
		}
		if !slices.Equal(before, dumpStore(st)) {
			tb.Fatal("Execute wrote to its view")
		}
		ws, err := state.DecodeWriteSet(res.Writes.Encode())
		if err != nil {
			tb.Fatal(err)
		}
		st.Apply(ws)
		results = append(results, res)
		seq += n
	}
	return st, results
}

func rawHeaders(results []*consensus.Result) (out [][]byte) {
	for _, r := range results {
		out = append(out, r.Raw)
	}
	return out
}

func unitKey(tb testing.TB, name string) gs1.Key {
	tb.Helper()
	e, err := gs1.ParseEPC(epcOf(name))
	if err != nil {
		tb.Fatal(err)
	}
	return e.Key()
}

// custodyOf is who holds what, without positions.
func custodyOf(tb testing.TB, v state.View) string {
	tb.Helper()
	var b strings.Builder
	for _, name := range propertyUnits {
		u, containers, ok := custody.Locate(v, unitKey(tb, name))
		u.Shipment, u.Since, u.Born = canonical.Position{}, canonical.Position{}, canonical.Position{}
		fmt.Fprintf(&b, "%s: %v %+v %v\n", name, ok, u, containers)
	}
	g, err := gs1.ParseGTIN(gtinOf("acme"))
	if err != nil {
		tb.Fatal(err)
	}
	totals, n := custody.LotTotals(v, g, "A")
	fmt.Fprintf(&b, "lot A: %v of %d\n", totals, n)
	return b.String()
}

// verdictsOf is the verdict and code of every entry and item, in stream order, without positions.
func verdictsOf(results []*consensus.Result) (out []string) {
	for _, r := range results {
		for _, e := range r.Entries {
			out = append(out, fmt.Sprintf("%d %s %s", e.Seq, e.Kind, e.Code))
			for _, j := range e.Items {
				s := fmt.Sprintf("  %s %s", j.Verdict, j.Code)
				for _, f := range j.Findings {
					s += fmt.Sprintf(" %s %d %v", f.Code, f.Severity, f.Subjects)
				}
				out = append(out, s)
			}
		}
	}
	return out
}

// Replay gives identical bytes: headers, leaves, effects and state; whoever prepared the messages, with whatever keys.
func TestReplayIsIdentical(t *testing.T) {
	g := testGenesis(t, 1)
	genesisKeys := registry.Registry{View: zeroStore(t, g)}
	parallel := func(payloads [][]byte) []*consensus.Prepared {
		out := make([]*consensus.Prepared, len(payloads))
		var wg sync.WaitGroup
		for i := range payloads {
			wg.Go(func() { out[i] = (&consensus.Opener{Genesis: g, Known: genesisKeys}).Prepare(payloads[i])[0] })
		}
		wg.Wait()
		return out
	}
	batch := func(payloads [][]byte) []*consensus.Prepared {
		o := consensus.Opener{Genesis: g, Known: genesisKeys, Random: bytes.NewReader(make([]byte, 1<<16))}
		return o.Prepare(payloads...)
	}
	blind := func(payloads [][]byte) []*consensus.Prepared {
		return (&consensus.Opener{Genesis: g}).Prepare(payloads...)
	}
	wrong := func(payloads [][]byte) []*consensus.Prepared { // of other payloads: of no use, and of no harm
		p := batch(payloads)
		slices.Reverse(p)
		return p
	}
	rapid.Check(t, func(rt *rapid.T) {
		stream := randomStream(t, rt, g)
		sizes := rapid.SliceOf(rapid.IntRange(1, 5)).Draw(rt, "sizes")
		st, want := chain(t, g, stream, sizes, nil)
		for name, prepare := range map[string]func([][]byte) []*consensus.Prepared{
			"again": nil, "parallel": parallel, "batch": batch, "blind": blind, "wrong": wrong,
		} {
			other, got := chain(t, g, stream, sizes, prepare)
			if !slices.EqualFunc(rawHeaders(got), rawHeaders(want), bytes.Equal) {
				rt.Fatalf("%s: other headers", name)
			}
			for i := range got {
				if !slices.EqualFunc(got[i].Verdicts, want[i].Verdicts, bytes.Equal) || !slices.EqualFunc(got[i].Effects, want[i].Effects, bytes.Equal) {
					rt.Fatalf("%s: other leaves or effects", name)
				}
			}
			if !slices.Equal(dumpStore(other), dumpStore(st)) {
				rt.Fatalf("%s: other state", name)
			}
		}
	})
}

// Where blocks end changes positions, and nothing about who holds what or what was found (the block time is the same here).
func TestCutsDoNotChangeCustody(t *testing.T) {
	g := testGenesis(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		stream := randomStream(t, rt, g)
		one, a := chain(t, g, stream, nil, nil)
		many, b := chain(t, g, stream, rapid.SliceOf(rapid.IntRange(1, 4)).Draw(rt, "sizes"), nil)
		if x, y := verdictsOf(a), verdictsOf(b); !slices.Equal(x, y) {
			rt.Fatalf("verdicts differ:\n%s\n\n%s", strings.Join(x, "\n"), strings.Join(y, "\n"))
		}
		if x, y := custodyOf(t, one), custodyOf(t, many); x != y {
			rt.Fatalf("custody differs:\n%s\n%s", x, y)
		}
	})
}

// Whatever the stream holds, every message is an entry, and every submission and every failure has its verdict.
func TestNothingIsJudgedSilently(t *testing.T) {
	g := testGenesis(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		stream := randomStream(t, rt, g)
		_, results := chain(t, g, stream, []int{3}, nil)
		seq := uint64(1)
		for _, r := range results {
			verdicts := map[canonical.Position]int{}
			findings := 0
			for _, leaf := range r.Verdicts {
				v, err := block.DecodeVerdictLeaf(leaf)
				if err != nil {
					rt.Fatal(err)
				}
				switch v := v.(type) {
				case block.Verdict:
					verdicts[v.Pos]++
				case block.Finding, block.Amendment:
					findings++
				}
			}
			if findings != len(r.Subjects) {
				rt.Fatalf("%d findings and amendments, %d subject sets", findings, len(r.Subjects))
			}
			for i, e := range r.Entries {
				if e.Seq != seq || !bytes.Equal(e.Payload, stream[seq-1]) {
					rt.Fatalf("entry %d is not message %d", i, seq)
				}
				seq++
				want := []uint32{}
				switch {
				case e.Kind == block.NotOpened || e.Code != "":
					want = append(want, canonical.WholeEntry)
				case e.Kind == block.Submission:
					for j := range e.Submission.Items {
						want = append(want, uint32(j))
					}
				}
				for _, item := range want {
					p := canonical.Position{Height: r.Header.Height, Entry: uint32(i), Item: item}
					if verdicts[p] != 1 {
						rt.Fatalf("%d verdicts at %s", verdicts[p], p)
					}
					delete(verdicts, p)
				}
			}
			if len(verdicts) != 0 {
				rt.Fatalf("verdicts on nothing: %v", verdicts)
			}
			if err := block.Check(&r.Header, r.EntryLeaves(), r.Verdicts); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// A submission under rollback is all or nothing.
func TestRollbackLeavesNothing(t *testing.T) {
	g := testGenesis(t, 1)
	bad := product("dist") // not acme's
	commission := event(epcis.Commission(at("acme", created), epcsOf([]string{"1", "2"}), "A", "2028-12-31"))
	run := func(items ...wire.Item) string {
		stream := [][]byte{epochRecord(t, g), sign(t, g, message{party: "acme", counter: 1, items: items})}
		st, results := chain(t, g, stream, nil, nil)
		if n := len(results[0].Effects); n != 0 && len(items) > 1 {
			t.Errorf("%d effects", n)
		}
		return custodyOf(t, st)
	}
	want := run(bad)
	for name, items := range map[string][]wire.Item{"before": {bad, commission}, "after": {commission, bad}} {
		if got := run(items...); got != want {
			t.Errorf("rejected item %s the good one: %s", name, got)
		}
	}
}
