package proof_test

import (
	"fmt"
	"testing"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/proof"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// executed is a Source over blocks that consensus.Execute made.
type executed struct {
	*world
	view    *state.Memory
	results []*consensus.Result
}

func (e *executed) Block(height uint64) (*consensus.Result, error) {
	if height >= uint64(len(e.results)) {
		return nil, fmt.Errorf("no block %d", height)
	}
	return e.results[height], nil
}

func (e *executed) Log(size uint64, heights []uint64) (canonical.Hash, []canonical.Hash, error) {
	return consensus.LogRoot(e.view, size, heights)
}

// TestExecutedLedger proves what the rules judged, not what a test put together: every item of every submission, with
// all its fields, units, findings and their subjects.
func TestExecutedLedger(t *testing.T) {
	w := newWorld(t, 4)
	e := &executed{world: w, view: state.NewMemory()}
	keep := func(r *consensus.Result, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		e.results = append(e.results, r)
		e.view.Apply(r.Writes)
	}
	keep(consensus.Zero(w.g))
	seq := uint64(0)
	execute := func(payloads ...[]byte) {
		var ms []consensus.Message
		for _, p := range payloads {
			seq++
			ms = append(ms, consensus.Message{Seq: seq, Payload: p})
		}
		keep(consensus.Execute(w.g, e.view, ms))
	}
	epoch, err := block.SignEpoch(w.g.Network, block.Epoch{Epoch: 1, Genesis: w.g.Hash}, testKey("v1/vote"))
	if err != nil {
		t.Fatal(err)
	}
	act := w.item(&registry.Act{Party: "newco", Name: "New Co", Roles: []string{"distributor"}, Keys: []registry.Key{
		{PublicKey: pub("newco/event"), Use: keys.Event},
	}})
	execute(epoch, []byte("noise"), w.submit("board", "board/authority", keys.Authority, []wire.Item{act}).e.Payload)
	w.records[keys.ID(keys.Event, pub("newco/event"))] = proof.KeyRecord{Act: canonical.Position{Height: 1, Entry: 2}}
	execute(
		w.submit("acme", "acme/event", keys.Event, []wire.Item{w.item(shipping(5)), w.item(shipping(48))}).e.Payload,
		w.submit("newco", "newco/event", keys.Event, []wire.Item{w.item(shipping(3))}).e.Payload)

	c := quorum.Checkpoint{Origin: w.g.Origin(), Size: uint64(len(e.results))}
	if c.Root, _, err = e.Log(c.Size, nil); err != nil {
		t.Fatal(err)
	}
	var have []quorum.Cosignature
	for i := range w.g.Validators.Validators {
		sig, err := quorum.Cosign(c, 1767225700, testKey(fmt.Sprintf("v%d/cosign", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, quorum.Cosignature{Validator: uint16(i), Time: 1767225700, Signature: sig})
	}
	cert, _ := w.g.Validators.Certify(c, have)

	var wants []proof.Want
	for h, r := range e.results {
		var subjects []string
		for _, s := range r.Subjects {
			subjects = append(subjects, s.Keys...)
		}
		for i, en := range r.Entries {
			if en.Submission == nil {
				continue
			}
			for j := range en.Submission.Items {
				wants = append(wants, proof.Want{
					Pos: canonical.Position{Height: uint64(h), Entry: uint32(i), Item: uint32(j)}, Field: allFields,
					Unit: func(*commit.Unit) bool { return true }, Subjects: subjects,
				})
			}
		}
	}
	if len(wants) != 4 {
		t.Fatalf("%d items opened, want 4", len(wants))
	}
	b, err := proof.Build(w.g, e, c, cert, wants)
	if err != nil {
		t.Fatal(err)
	}
	r := verified(t, w, b)
	if len(r.Steps) != 4 {
		t.Errorf("%d steps", len(r.Steps))
	}
	for _, s := range r.Steps {
		t.Log(s.Pos, s.Party, s.Verdict, s.Code, s.Remarks)
		for _, f := range s.Remarks {
			if int(f.Count) != len(f.Subjects) {
				t.Errorf("%s of %s shows %d of %d subjects", f.Code, s.Pos, len(f.Subjects), f.Count)
			}
		}
	}
}
