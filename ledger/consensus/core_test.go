package consensus_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// scripted is a stream with everything in it, cuts included: three blocks and an open one.
func scripted(tb testing.TB, g *genesis.Genesis) (stream [][]byte) {
	tb.Helper()
	add := func(b []byte) { stream = append(stream, b) }
	add(epochRecord(tb, g))
	counter := uint64(0)
	for h := range uint64(3) {
		for i := range uint64(4) {
			counter++
			add(sign(tb, g, message{party: "acme", counter: counter, items: []wire.Item{product([]string{"acme", "dist"}[(h+i)%2])}}))
		}
		add([]byte("garbage"))
		add(pulse(tb, g, "v1", block.Pulse{What: block.Cut, Height: h + 1, Clock: created + int64(h+1)*1000, Counter: h + 1}))
	}
	add(sign(tb, g, message{party: "acme", counter: counter + 1, items: []wire.Item{product("acme")}}))
	return stream
}

// muted is a world whose validator hears this stream and whose own pulses are lost.
func muted(tb testing.TB, g *genesis.Genesis) *world {
	tb.Helper()
	w := newWorld(tb, g)
	w.stream, w.fed, w.queue, w.mute = nil, 0, nil, true
	w.store = zeroStore(tb, g)
	w.blocks, w.journal, w.durable = nil, nil, 0
	return w
}

func headers(blocks []consensus.Decided) (out [][]byte) {
	for _, d := range blocks {
		out = append(out, d.Result.Raw)
	}
	return out
}

// Killed before any action, with or without what the disk had not synced, a validator comes back to the same blocks and
// never casts a second vote.
func TestKilledAnywhere(t *testing.T) {
	g := testGenesis(t, 1)
	stream := scripted(t, g)
	run := func(crashAt int, powerCut bool) *world {
		w := muted(t, g)
		for i, payload := range stream {
			w.stream = append(w.stream, consensus.Message{Seq: uint64(i) + 1, Payload: payload})
		}
		w.actions, w.crashAt = 0, crashAt
		w.boot()
		if w.crashed {
			if powerCut {
				w.journal = w.journal[:w.durable]
			}
			w.boot()
		}
		return w
	}
	want := run(0, false)
	if len(want.blocks) != 3 {
		t.Fatalf("%d blocks", len(want.blocks))
	}
	for crashAt := 1; crashAt <= want.actions; crashAt++ {
		for _, powerCut := range []bool{false, true} {
			got := run(crashAt, powerCut)
			if !slices.EqualFunc(headers(got.blocks), headers(want.blocks), bytes.Equal) {
				t.Errorf("killed before action %d (power cut %v): other blocks", crashAt, powerCut)
			}
			if a, b := fmt.Sprint(dumpStore(got.store)), fmt.Sprint(dumpStore(want.store)); a != b {
				t.Errorf("killed before action %d (power cut %v): other state", crashAt, powerCut)
			}
		}
	}
}

func dumpStore(v state.View) (out []string) {
	v.Scan("", func(k string, b []byte) bool {
		out = append(out, fmt.Sprintf("%q=%x", k, b))
		return true
	})
	return out
}

// A validator that has voted keeps to its recorded body when the broker then shows another history.
func TestStreamChangedAfterVote(t *testing.T) {
	g := testGenesis(t, 1)
	stream := scripted(t, g)
	w := muted(t, g)
	for i, payload := range stream[:7] {
		w.stream = append(w.stream, consensus.Message{Seq: uint64(i) + 1, Payload: payload})
	}
	for w.crashAt = 1; ; w.crashAt++ { // up to where the prepare is durable and nothing has left
		w.actions, w.journal, w.durable = 0, nil, 0
		w.boot()
		if w.durable == 1 {
			break
		}
	}
	prepared := w.journal[0].Record
	w.stream[3].Payload = []byte("another message")
	w.crashAt = 0
	w.boot()
	if len(w.blocks) != 1 || !bytes.Contains(prepared, w.blocks[0].Result.Entries[3].Payload) {
		t.Fatalf("not the recorded body: %d blocks, halt %v", len(w.blocks), w.halt)
	}
}

// What comes from the stream again after a vote is compared with the recorded body.
func TestStreamChangedWhileVoting(t *testing.T) {
	g := testGenesis(t, 1)
	stream := scripted(t, g)
	core, err := consensus.New(consensus.Config{Genesis: g, Vote: testKey("v1/vote"), Cosign: testKey("v1/cosign")}, zeroStore(t, g))
	if err != nil {
		t.Fatal(err)
	}
	for i, payload := range stream[:7] {
		if out := core.Step(created, consensus.Arrived{Message: consensus.Message{Seq: uint64(i) + 1, Payload: payload}}); out.Halt != nil {
			t.Fatal(out.Halt)
		}
	}
	for _, tt := range []struct {
		name    string
		payload []byte
		seq     uint64
		want    error
	}{
		{"the same again", stream[3], 4, nil},
		{"a gap", stream[8], 9, consensus.ErrSequence},
		{"stays halted", stream[7], 8, consensus.ErrSequence},
	} {
		out := core.Step(created, consensus.Arrived{Message: consensus.Message{Seq: tt.seq, Payload: tt.payload}})
		if !errors.Is(out.Halt, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, out.Halt, tt.want)
		}
	}
	core, err = consensus.New(consensus.Config{Genesis: g, Vote: testKey("v1/vote"), Cosign: testKey("v1/cosign")}, zeroStore(t, g))
	if err != nil {
		t.Fatal(err)
	}
	for i, payload := range append(slices.Clone(stream[:7]), nil) {
		m := consensus.Message{Seq: uint64(i) + 1, Payload: payload}
		if payload == nil {
			m = consensus.Message{Seq: 4, Payload: []byte("another")}
		}
		out := core.Step(created, consensus.Arrived{Message: m})
		if payload == nil && !errors.Is(out.Halt, consensus.ErrStream) {
			t.Errorf("another message at a number that was voted on: %v", out.Halt)
		}
	}
}

// Another set of rules, or a damaged store, must not vote a second time for one height.
func TestRecordedVoteForOtherHeader(t *testing.T) {
	g := testGenesis(t, 1)
	stream := scripted(t, g)
	w := muted(t, g)
	for i, payload := range stream {
		w.stream = append(w.stream, consensus.Message{Seq: uint64(i) + 1, Payload: payload})
	}
	w.boot()
	journal := w.journal
	record := bytes.Replace(w.journal[0].Record, []byte("garbage"), []byte("GARBAGE"), 1)
	w.store, w.stream, w.journal = zeroStore(t, g), nil, []consensus.Persist{{Record: record}}
	w.boot()
	if !errors.Is(w.halt, consensus.ErrVoted) {
		t.Errorf("halt %v", w.halt)
	}
	for name, records := range map[string][][]byte{
		"empty":                     {nil},
		"unknown kind":              {{9}},
		"torn":                      {record[:40]},
		"with a byte too many":      {append(slices.Clone(record), 0)},
		"two prepares":              {record, record},
		"commit without a body":     {journal[1].Record},
		"of a height too far ahead": {journal[3].Record},
	} {
		core, err := consensus.New(consensus.Config{Genesis: g, Vote: testKey("v1/vote"), Cosign: testKey("v1/cosign")}, zeroStore(t, g))
		if err != nil {
			t.Fatal(err)
		}
		if err := core.Recover(records); !errors.Is(err, consensus.ErrJournal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever happens to a machine, every message ends in one block, votes are cast once, and others can follow.
func TestHardLife(t *testing.T) {
	g := testGenesis(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, g)
		counter := uint64(0)
		rt.Repeat(map[string]func(*rapid.T){
			"submit": func(*rapid.T) {
				counter++
				w.publish(sign(t, g, message{party: "acme", counter: counter, items: []wire.Item{product("acme")}}))
			},
			"garbage": func(*rapid.T) { w.publish([]byte("garbage")) },
			"wait": func(rt *rapid.T) {
				w.wait(int64(rapid.SampledFrom([]int{1, 20, 100, 1500, 12000, 25000}).Draw(rt, "ms")))
			},
			"clock set back": func(rt *rapid.T) {
				w.now -= int64(rapid.IntRange(0, 5000).Draw(rt, "ms"))
				w.step(nil)
			},
			"restart": func(*rapid.T) { w.boot() },
			"crash": func(rt *rapid.T) {
				w.crashAt = w.actions + rapid.IntRange(1, 12).Draw(rt, "actions")
				counter++
				w.publish(sign(t, g, message{party: "acme", counter: counter, items: []wire.Item{product("acme")}}))
				w.wait(200)
				if rapid.Bool().Draw(rt, "power cut") {
					w.journal = w.journal[:w.durable]
				}
				w.crashAt = 0
				w.boot()
			},
		})
		w.wait(1000) // what is pending gets its block
		if w.halt != nil {
			rt.Fatal(w.halt)
		}
		light, err := consensus.NewLightChain(g, state.NewMemory())
		if err != nil {
			rt.Fatal(err)
		}
		full := zeroStore(t, g)
		judged := 0
		for _, d := range w.blocks {
			r := d.Result.Record(d.Certificate)
			res, err := consensus.Follow(g, full, r, w.stream[d.Result.Header.FirstSeq-1:d.Result.Header.LastSeq])
			if err != nil {
				rt.Fatal(err)
			}
			full.Apply(res.Writes)
			if _, err := light.Append(r); err != nil {
				rt.Fatal(err)
			}
			for _, e := range res.Entries {
				if e.Kind == block.Submission && e.Code == "" {
					judged++
				}
			}
		}
		if judged != int(counter) {
			rt.Fatalf("%d submissions of %d judged once", judged, counter)
		}
	})
}

// Blocks are cut and judged while the block before is still being voted on, over states that the store does not hold yet.
func TestPipelining(t *testing.T) {
	g := testGenesis(t, 1)
	stream := scripted(t, g)
	want := muted(t, g)
	want.boot()
	for _, payload := range stream {
		want.publish(payload)
	}

	store := zeroStore(t, g)
	core, err := consensus.New(consensus.Config{Genesis: g, Vote: testKey("v1/vote"), Cosign: testKey("v1/cosign")}, store)
	if err != nil {
		t.Fatal(err)
	}
	var got []consensus.Decided
	var persisted uint64
	do := func(in consensus.Input) {
		out := core.Step(created, in)
		if out.Halt != nil {
			t.Fatal(out.Halt)
		}
		for _, a := range out.Actions {
			switch a := a.(type) {
			case consensus.Decided:
				got = append(got, a)
			case consensus.Persist:
				persisted = a.ID
			}
		}
	}
	for i, payload := range stream { // the disk does not answer
		do(consensus.Arrived{Message: consensus.Message{Seq: uint64(i) + 1, Payload: payload}})
	}
	if len(got) != 0 || core.Backlog() == 0 {
		t.Fatalf("%d decided, backlog %d", len(got), core.Backlog())
	}
	for range 20 { // the disk answers; the store is never written
		do(consensus.Persisted{ID: persisted, Took: time.Millisecond})
	}
	if !slices.EqualFunc(headers(got), headers(want.blocks), bytes.Equal) || len(got) != 3 {
		t.Fatalf("%d blocks, want %d", len(got), len(want.blocks))
	}
	for _, d := range got { // then it is, late
		store.Apply(d.Result.Writes)
		do(consensus.Applied{Height: d.Result.Header.Height})
	}
	if core.Head().Header.Height != 3 {
		t.Errorf("head %d", core.Head().Header.Height)
	}
}

// Four validators in the one good round: the same blocks, a certificate of three, and one of them may be missing.
func TestFourValidators(t *testing.T) {
	g := testGenesis(t, 4)
	stream := scripted(t, g)
	var cores [4]*consensus.Core
	var stores [4]*state.Memory
	var blocks [4][]consensus.Decided
	type delivery struct {
		to int
		in consensus.Input
	}
	var queue []delivery
	for i := range cores {
		var err error
		name := fmt.Sprintf("v%d", i+1)
		stores[i] = zeroStore(t, g)
		if cores[i], err = consensus.New(consensus.Config{Genesis: g, Vote: testKey(name + "/vote"), Cosign: testKey(name + "/cosign")}, stores[i]); err != nil {
			t.Fatal(err)
		}
	}
	alive := 3 // the fourth hears nothing
	for seq, payload := range stream {
		for i := range alive {
			queue = append(queue, delivery{i, consensus.Arrived{Message: consensus.Message{Seq: uint64(seq) + 1, Payload: payload}}})
		}
	}
	for len(queue) > 0 {
		d := queue[0]
		queue = queue[1:]
		out := cores[d.to].Step(created, d.in)
		if out.Halt != nil {
			t.Fatal(out.Halt)
		}
		for _, a := range out.Actions {
			switch a := a.(type) {
			case consensus.Persist:
				if a.Sync {
					queue = append(queue, delivery{d.to, consensus.Persisted{ID: a.ID}})
				}
			case consensus.SendVote, consensus.SendCosignature:
				for i := range alive {
					switch a := a.(type) {
					case consensus.SendVote:
						queue = append(queue, delivery{i, consensus.VoteReceived(a)})
					case consensus.SendCosignature:
						queue = append(queue, delivery{i, consensus.CosignatureReceived(a)})
					}
				}
			case consensus.Decided:
				stores[d.to].Apply(a.Result.Writes)
				blocks[d.to] = append(blocks[d.to], a)
				queue = append(queue, delivery{d.to, consensus.Applied{Height: a.Result.Header.Height}})
			case consensus.Alarm:
				t.Errorf("%s: %s", a.Code, a.Detail)
			}
		}
	}
	for i := range alive {
		if len(blocks[i]) != 3 || !slices.EqualFunc(headers(blocks[i]), headers(blocks[0]), bytes.Equal) {
			t.Fatalf("validator %d: %d blocks", i, len(blocks[i]))
		}
		for _, d := range blocks[i] {
			if len(d.Certificate) != 3 {
				t.Errorf("certificate of %d", len(d.Certificate))
			}
		}
	}
}

// Two votes of one validator for one thing are evidence, and a cosignature that does not hold is dropped.
func TestLiarsAreNamed(t *testing.T) {
	g := testGenesis(t, 4)
	core, err := consensus.New(consensus.Config{Genesis: g, Vote: testKey("v1/vote"), Cosign: testKey("v1/cosign")}, zeroStore(t, g))
	if err != nil {
		t.Fatal(err)
	}
	var alarms []consensus.Alarm
	for _, header := range []byte{1, 2} {
		v := quorum.Vote{Epoch: 1, Height: 1, Kind: quorum.Prepare}
		v.Header[0] = header
		sv, err := quorum.SignVote(g.Network, v, testKey("v2/vote"))
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range core.Step(created, consensus.VoteReceived{Payload: sv.Payload()}).Actions {
			if a, ok := a.(consensus.Alarm); ok {
				alarms = append(alarms, a)
			}
		}
	}
	if len(alarms) != 1 || alarms[0].Code != consensus.AlarmEquivocation || alarms[0].Evidence == nil || alarms[0].Evidence.Validator != 1 {
		t.Errorf("alarms %v", alarms)
	}
}

func TestNewRefusesStrangers(t *testing.T) {
	g := testGenesis(t, 4)
	for name, cfg := range map[string]consensus.Config{
		"unknown keys":           {Genesis: g, Vote: testKey("x"), Cosign: testKey("y")},
		"keys of two validators": {Genesis: g, Vote: testKey("v1/vote"), Cosign: testKey("v2/cosign")},
	} {
		if _, err := consensus.New(cfg, zeroStore(t, g)); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
	if _, err := consensus.New(consensus.Config{Genesis: g}, state.NewMemory()); !errors.Is(err, consensus.ErrEmpty) {
		t.Errorf("empty store: %v", err)
	}
}
