package consensus_test

import (
	"bytes"
	"testing"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

func FuzzDecodeBlockRecord(f *testing.F) {
	g := testGenesis(f, 1)
	records, _ := certifiedChain(f, g)
	for _, r := range records {
		f.Add(r.Encode())
	}
	f.Add([]byte("VLTB\x01"))
	genuine := records[0].Encode()
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := consensus.DecodeBlockRecord(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Encode(), raw) {
			t.Fatal("a second encoding of one record")
		}
		chain, err := consensus.NewLightChain(g, state.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := chain.Append(r); err == nil && !bytes.Equal(raw, genuine) {
			t.Fatal("accepted what no quorum signed")
		}
	})
}

// Whatever is on the stream, a block comes out, the same one twice, and what was good before stays good.
func FuzzExecute(f *testing.F) {
	g := testGenesis(f, 1)
	good := sign(f, g, message{party: "acme", counter: 1, items: []wire.Item{product("acme")}})
	f.Add([]byte("garbage"))
	f.Add([]byte{})
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(epochRecord(f, g))
	f.Add(pulse(f, g, "v1", block.Pulse{What: block.Cut, Height: 1, Clock: created, Counter: 1}))
	st := zeroStore(f, g)
	first := epochRecord(f, g)
	f.Fuzz(func(t *testing.T, payload []byte) {
		messages := []consensus.Message{{Seq: 1, Payload: first}, {Seq: 2, Payload: payload}, {Seq: 3, Payload: good}}
		a, err := consensus.Execute(g, st, messages)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range (&consensus.Opener{Genesis: g}).Prepare(first, payload, good) {
			messages[i].Prepared = p
		}
		b, err := consensus.Execute(g, st, messages)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Raw, b.Raw) {
			t.Fatal("two blocks from one stream")
		}
		if e := a.Entries[2]; e.Kind != block.Submission || e.Code != "" && !bytes.Equal(payload, good) {
			t.Fatalf("the good submission: %s %s", e.Kind, e.Code)
		}
		cutter, err := consensus.NewCutter(g, st)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if _, _, err := cutter.Add(m); err != nil {
				t.Fatal(err)
			}
		}
	})
}
