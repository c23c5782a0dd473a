package consensus_test

import (
	"errors"
	"fmt"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

func mustCutter(tb testing.TB, g *genesis.Genesis, v state.View) *consensus.Cutter {
	tb.Helper()
	c, err := consensus.NewCutter(g, v)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// packed is a submission with n items of u units each.
func packed(tb testing.TB, g *genesis.Genesis, n, u int) []byte {
	tb.Helper()
	m := message{party: "acme", counter: 1}
	for i := range n {
		units := make([]string, u)
		for j := range units {
			units[j] = epcOf(fmt.Sprintf("%d%06d", i+1, j))
		}
		if u == 0 {
			m.items = append(m.items, wire.Item{Kind: wire.KindDocumentHeader, Message: &epcis.Header{SchemaVersion: "2.0"}})
		} else {
			m.items = append(m.items, event(epcis.Commission(at("acme", created), units, "A", "2028-12-31")))
		}
	}
	return sign(tb, g, m)
}

func TestBlockLimits(t *testing.T) {
	g := testGenesis(t, 1)
	store := zeroStore(t, g)
	big := make([]byte, 1<<20)
	many, bulky := packed(t, g, 1500, 0), packed(t, g, 2, 3500)
	unread := many[:len(many)-1] // its body does not decode, so it has no items
	forged := append([]byte(nil), many...)
	forged[submissionSignature(many)] ^= 1 // its body does
	for _, tt := range []struct {
		name     string
		payload  []byte
		fit      int
		verdicts string
	}{
		{"4 MiB", big, 4, ""},
		{"4,096 items", many, 2, ""},
		{"16,384 unit references", bulky, 2, ""},
		{"items behind a bad signature", forged, 2, ""},
		{"items that cannot be read", unread, 40, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := mustCutter(t, g, store)
			for i := range tt.fit + 1 {
				before, after, err := c.Add(consensus.Message{Seq: uint64(i) + 1, Payload: tt.payload})
				if err != nil || after {
					t.Fatal(after, err)
				}
				if want := i == tt.fit && tt.fit != 40; before != want {
					t.Fatalf("message %d: close before %v", i, before)
				}
			}
		})
	}
	t.Run("messages that hold nothing at all", func(t *testing.T) {
		c := mustCutter(t, g, store)
		for i := range consensus.MaxBlockMessages + 1 {
			before, _, err := c.Add(consensus.Message{Seq: uint64(i) + 1})
			if err != nil || before != (i == consensus.MaxBlockMessages) {
				t.Fatal(i, before, err)
			}
		}
	})
	t.Run("containers emptied without naming what is in them", func(t *testing.T) {
		e := epcis.Event{Type: "AggregationEvent", Action: "DELETE", BizStep: "unpacking", EventTime: rfc3339(created), ParentID: epcOf("c1")}
		payload := sign(t, g, message{party: "acme", counter: 1, items: []wire.Item{event(e), event(e), event(e), event(e), event(e)}})
		c := mustCutter(t, g, store)
		for i := range 4 { // 5 × 1,025 unit references each
			if before, _, err := c.Add(consensus.Message{Seq: uint64(i) + 1, Payload: payload}); err != nil || before != (i == 3) {
				t.Fatal(i, before, err)
			}
		}
	})
	t.Run("one message that is over by itself", func(t *testing.T) {
		c := mustCutter(t, g, store)
		if before, _, _ := c.Add(consensus.Message{Seq: 1, Payload: make([]byte, 5<<20)}); before {
			t.Error("a block without messages")
		}
		if before, _, _ := c.Add(consensus.Message{Seq: 2, Payload: []byte("x")}); !before {
			t.Error("it is alone in its block")
		}
	})
	t.Run("order", func(t *testing.T) {
		if _, _, err := mustCutter(t, g, store).Add(consensus.Message{Seq: 2}); !errors.Is(err, consensus.ErrOrder) {
			t.Error(err)
		}
	})
}

// With four validators the block's time is the lower median of their newest readings; one with a wrong clock moves nothing.
func TestBlockTime(t *testing.T) {
	g := testGenesis(t, 4)
	store := zeroStore(t, g)
	type reading struct {
		by      string
		counter uint64
		clock   int64 // s after block 0
	}
	for _, tt := range []struct {
		name     string
		readings []reading
		want     int64
	}{
		{"no readings", nil, 0},
		{"a validator without one counts with the parent's time", []reading{{"v1", 1, 10}, {"v2", 1, 20}}, 0},
		{"the lower median", []reading{{"v1", 1, 10}, {"v2", 1, 20}, {"v3", 1, 30}, {"v4", 1, 40}}, 20},
		{"one from the far future", []reading{{"v1", 1, 10}, {"v2", 1, 20}, {"v3", 1, 30}, {"v4", 1, 1 << 40}}, 20},
		{"one from the past", []reading{{"v1", 1, 10}, {"v2", 1, 20}, {"v3", 1, 30}, {"v4", 1, -1 << 40}}, 10},
		{"never before the parent", []reading{{"v1", 1, -10}, {"v2", 1, -20}, {"v3", 1, -30}, {"v4", 1, -40}}, 0},
		{"the highest counter, not the latest", []reading{{"v1", 2, 10}, {"v1", 1, 90}, {"v2", 1, 10}, {"v3", 1, 10}, {"v4", 1, 10}}, 10},
		{"of one counter the first", []reading{{"v1", 1, 10}, {"v1", 1, 90}, {"v2", 1, 10}, {"v3", 1, 90}, {"v4", 1, 90}}, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			messages := []consensus.Message{{Seq: 1, Payload: epochRecord(t, g)}}
			for i, r := range tt.readings {
				messages = append(messages, consensus.Message{
					Seq:     uint64(i) + 2,
					Payload: pulse(t, g, r.by, block.Pulse{What: block.Tick, Clock: created + r.clock*1000, Counter: r.counter}),
				})
			}
			res, err := consensus.Execute(g, store, messages)
			if err != nil {
				t.Fatal(err)
			}
			if got := (res.Header.Time - created) / 1000; got != tt.want {
				t.Errorf("block time +%d s, want +%d s", got, tt.want)
			}
			// A later block knows the readings from the state.
			next := state.NewMemory()
			copyStore(next, store)
			next.Apply(res.Writes)
			again, err := consensus.Execute(g, next, []consensus.Message{{Seq: uint64(len(messages)) + 1, Payload: []byte("x")}})
			if err != nil {
				t.Fatal(err)
			}
			if again.Header.Time != res.Header.Time {
				t.Errorf("next block's time %d, want %d", again.Header.Time, res.Header.Time)
			}
		})
	}
}

func copyStore(dst state.Store, src state.View) {
	src.Scan("", func(k string, v []byte) bool { dst.Put(k, v); return true })
}

func TestCutMarks(t *testing.T) {
	g := testGenesis(t, 4)
	store := zeroStore(t, g)
	sub := sign(t, g, message{party: "acme", counter: 1, items: []wire.Item{product("acme")}})
	mark := func(by string, what block.Kind, height uint64, clock int64) []byte {
		return pulse(t, g, by, block.Pulse{What: what, Height: height, Clock: created + clock*1000, Counter: 2})
	}
	tick := func(by string, clock int64) []byte {
		return pulse(t, g, by, block.Pulse{What: block.Tick, Clock: created + clock*1000, Counter: 1})
	}
	for _, tt := range []struct {
		name   string
		before [][]byte
		last   []byte
		closes bool
	}{
		{"cut with a submission pending", [][]byte{sub}, mark("v3", block.Cut, 1, 1), true},
		{"cut with nothing pending", nil, mark("v3", block.Cut, 1, 1), false},
		{"cut with a message pending that will not open", [][]byte{[]byte("x")}, mark("v3", block.Cut, 1, 1), true},
		{"cut of another height", [][]byte{sub}, mark("v3", block.Cut, 2, 1), false},
		{"cut by a stranger", [][]byte{sub}, mark("v9", block.Cut, 1, 1), false},
		{"forged cut", [][]byte{sub}, tampered(mark("v3", block.Cut, 1, 1), true), false},
		{"pulses are never pending", [][]byte{tick("v1", 1), tampered(tick("v1", 1), true)}, mark("v3", block.Cut, 1, 1), false},
		{"heartbeat after 20 s", [][]byte{tick("v1", 20), tick("v2", 20)}, mark("v3", block.Heartbeat, 1, 20), true},
		{"heartbeat that not enough clocks agree with", [][]byte{tick("v1", 20), tick("v2", 19)}, mark("v3", block.Heartbeat, 1, 20), false},
		{"heartbeat with a submission pending", [][]byte{tick("v1", 20), tick("v2", 20), sub}, mark("v3", block.Heartbeat, 1, 20), false},
		{"heartbeat of another height", [][]byte{tick("v1", 20), tick("v2", 20)}, mark("v3", block.Heartbeat, 2, 20), false},
		{"tick", [][]byte{sub}, tick("v1", 20), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := mustCutter(t, g, store)
			messages := append([][]byte{epochRecord(t, g)}, append(tt.before, tt.last)...)
			for i, payload := range messages {
				before, after, err := c.Add(consensus.Message{Seq: uint64(i) + 1, Payload: payload})
				if err != nil || before {
					t.Fatal(before, err)
				}
				if want := tt.closes && i == len(messages)-1; after != want {
					t.Fatalf("message %d closes: %v", i, after)
				}
			}
		})
	}
}
