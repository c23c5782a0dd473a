package consensus_test

import (
	"bytes"
	"errors"
	"testing"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/state"
)

// certifiedChain is the scripted chain as published, with its messages.
func certifiedChain(tb testing.TB, g *genesis.Genesis) (records []*consensus.BlockRecord, messages []consensus.Message) {
	tb.Helper()
	w := muted(tb, g)
	w.boot()
	for _, payload := range scripted(tb, g) {
		w.publish(payload)
	}
	for _, d := range w.blocks {
		r, err := consensus.DecodeBlockRecord(d.Result.Record(d.Certificate).Encode())
		if err != nil {
			tb.Fatal(err)
		}
		records = append(records, r)
	}
	return records, w.stream
}

func bodies(tb testing.TB, g *genesis.Genesis, r *consensus.BlockRecord, all []consensus.Message) []consensus.Message {
	tb.Helper()
	h, err := r.Check(g)
	if err != nil {
		tb.Fatal(err)
	}
	return all[h.FirstSeq-1 : h.LastSeq]
}

func TestFollowers(t *testing.T) {
	g := testGenesis(t, 1)
	records, messages := certifiedChain(t, g)
	full, light := zeroStore(t, g), state.NewMemory()
	chain, err := consensus.NewLightChain(g, light)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		res, err := consensus.Follow(g, full, r, bodies(t, g, r, messages))
		if err != nil {
			t.Fatal(err)
		}
		full.Apply(res.Writes)
		c, err := chain.Append(r)
		if err != nil {
			t.Fatal(err)
		}
		if c.Hash != res.Hash || chain.Head().Hash != res.Hash {
			t.Errorf("block %d: light and full chain differ", i+1)
		}
	}
	// Both keep the same header log, for any size.
	for size := uint64(1); size <= uint64(len(records))+1; size++ {
		a, _, errA := consensus.LogRoot(full, size, nil)
		b, _, errB := consensus.LogRoot(light, size, nil)
		if errA != nil || errB != nil || a != b {
			t.Errorf("log of size %d: %v %v", size, errA, errB)
		}
	}
	if _, _, err := consensus.LogRoot(full, uint64(len(records))+2, nil); err == nil {
		t.Error("a log longer than the chain")
	}
	again, err := consensus.NewLightChain(g, light)
	if err != nil || again.Head().Header.Height != uint64(len(records)) {
		t.Errorf("a light chain that starts again is at %d: %v", again.Head().Header.Height, err)
	}
}

func TestFollowersRefuse(t *testing.T) {
	g := testGenesis(t, 1)
	records, messages := certifiedChain(t, g)
	clone := func(r *consensus.BlockRecord) *consensus.BlockRecord {
		c, err := consensus.DecodeBlockRecord(r.Encode())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	other := clone(records[1])
	other.Certificate = records[0].Certificate
	none := clone(records[1])
	none.Certificate = nil
	short := clone(records[1])
	short.Entries = short.Entries[1:]
	swapped := clone(records[1])
	swapped.Verdicts[0], swapped.Verdicts[1] = swapped.Verdicts[1], swapped.Verdicts[0]
	for _, tt := range []struct {
		name string
		r    *consensus.BlockRecord
		want error
	}{
		{"a block again", records[0], consensus.ErrOld},
		{"a block too far", records[2], consensus.ErrGap},
		{"another block's certificate", other, consensus.ErrRecord},
		{"no certificate", none, consensus.ErrRecord},
		{"an entry left out", short, consensus.ErrRecord},
		{"verdicts in another order", swapped, consensus.ErrRecord},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := state.NewMemory()
			chain, err := consensus.NewLightChain(g, st)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := chain.Append(records[0]); err != nil {
				t.Fatal(err)
			}
			had := dumpStore(st)
			if _, err := chain.Append(tt.r); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if len(dumpStore(st)) != len(had) || chain.Head().Header.Height != 1 {
				t.Error("a refused record left something behind")
			}
			if _, err := chain.Append(records[1]); err != nil {
				t.Errorf("the good copy after it: %v", err)
			}
		})
	}

	t.Run("bodies of another stream", func(t *testing.T) {
		b := append([]consensus.Message(nil), bodies(t, g, records[0], messages)...)
		b[2].Payload = []byte("another")
		if _, err := consensus.Follow(g, zeroStore(t, g), records[0], b); !errors.Is(err, consensus.ErrBodies) {
			t.Error(err)
		}
		if _, err := consensus.Follow(g, zeroStore(t, g), records[0], b[1:]); !errors.Is(err, consensus.ErrSequence) {
			t.Error(err)
		}
	})
	t.Run("another state", func(t *testing.T) {
		st := zeroStore(t, g)
		st.Scan("", func(k string, _ []byte) bool { // acme's key is gone
			if bytes.Contains([]byte(k), []byte("acme")) || len(k) > 0 && !bytes.HasPrefix([]byte(k), []byte("consensus/")) {
				st.Delete(k)
			}
			return true
		})
		if _, err := consensus.Follow(g, st, records[0], bodies(t, g, records[0], messages)); !errors.Is(err, consensus.ErrBodies) && !errors.Is(err, consensus.ErrDiverged) {
			t.Error(err)
		}
	})
	t.Run("any flipped bit", func(t *testing.T) {
		raw := records[0].Encode()
		for i := range raw {
			bad := append([]byte(nil), raw...)
			bad[i] ^= 1 << (i % 8)
			chain, err := consensus.NewLightChain(g, state.NewMemory())
			if err != nil {
				t.Fatal(err)
			}
			r, err := consensus.DecodeBlockRecord(bad)
			if err != nil {
				continue
			}
			if _, err := chain.Append(r); err == nil {
				t.Fatalf("byte %d of %d flipped, and accepted", i, len(raw))
			}
		}
	})
}
