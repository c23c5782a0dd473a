package consensus_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

const chainFile = "../testdata/vectors/consensus_chain.json"

// chainVector is a small chain with everything that goes into its hashes, for other implementations and against changes.
type chainVector struct {
	About   string        `json:"about"`
	Genesis string        `json:"genesis"` // the file's text
	Zero    blockVector   `json:"zero"`
	Blocks  []blockVector `json:"blocks"`
}

type blockVector struct {
	Height      string          `json:"height"`
	Messages    []string        `json:"messages"`
	Entries     []string        `json:"entryLeaves"`
	Verdicts    []string        `json:"verdictLeaves"`
	Subjects    []subjectVector `json:"subjects"`
	Effects     []string        `json:"effects"`
	EntriesRoot string          `json:"entriesRoot"`
	StateRoot   string          `json:"stateRoot"`
	VerdictKey  string          `json:"verdictKey"`
	Header      string          `json:"header"`
	Hash        string          `json:"headerHash"`
	Checkpoint  string          `json:"checkpoint,omitempty"` // three lines
	Note        string          `json:"note,omitempty"`
	Record      string          `json:"record,omitempty"`
	Story       string          `json:"story"`
}

type subjectVector struct {
	Leaf  uint32   `json:"verdictLeaf"`
	Keys  []string `json:"keys"`
	Salts []string `json:"salts"`
	Index []uint32 `json:"index"`
}

// vectorStream is four blocks of messages. Before the fourth the grace time ends: its timers put on hold what the second left open,
// and its submissions bring what was missing.
func vectorStream(tb testing.TB, g *genesis.Genesis) [][][]byte {
	tb.Helper()
	acme, dist, pharm := at("acme", created+1000), at("dist", created+2000), at("pharm", created+3000)
	tick := func(by string, counter uint64, s int64) []byte {
		return pulse(tb, g, by, block.Pulse{What: block.Tick, Clock: created + s*1000, Counter: counter})
	}
	cut := func(by string, counter, height uint64, s int64) []byte {
		return pulse(tb, g, by, block.Pulse{What: block.Cut, Height: height, Clock: created + s*1000, Counter: counter})
	}
	late := g.GraceSeconds + 3600
	header := wire.Item{Kind: wire.KindDocumentHeader, Message: &epcis.Header{SchemaVersion: "2.0", TransactionStatement: "true"}}
	signed := func(party string, counter uint64, how submission.OnError, items ...wire.Item) []byte {
		return sign(tb, g, message{party: party, counter: counter, onError: how, items: items})
	}
	first := signed("acme", 1, submission.Rollback,
		product("acme"), lotOf("acme", "A"),
		event(epcis.Commission(acme, epcsOf([]string{"1001", "1002", "1003"}), "A", "2028-12-31")),
		event(epcis.Commission(acme, epcsOf([]string{"c1"}), "", "")),
		event(epcis.Pack(acme, epcOf("c1"), epcsOf([]string{"1001", "1002"}))))
	return [][][]byte{
		{
			epochRecord(tb, g), tick("v1", 1, 1), tick("v2", 1, 1), tick("v3", 1, 2), tick("v4", 1, 2),
			first, first, []byte("not a message"), cut("v1", 2, 1, 3),
		},
		{
			signed("acme", 2, submission.Proceed, header, event(epcis.Ship(acme, epcsOf([]string{"c1"}), sale("acme", "dist"))), product("dist")),
			signed("pharm", 1, submission.Rollback, event(epcis.Receive(pharm, epcsOf([]string{"1003", "1999"}), sale("acme", "pharm"))), header),
			signed("acme", 5, submission.Rollback, header, event(epcis.Commission(acme, epcsOf([]string{"1001", "1004"}), "A", "2028-12-31"))),
			tick("v2", 2, 4), cut("v3", 2, 1, 4), cut("v4", 2, 2, 4),
		},
		{
			signed("dist", 1, submission.Rollback, event(epcis.Receive(dist, epcsOf([]string{"c1"}), sale("acme", "dist")))),
			signed("acme", 3, submission.Rollback, event(epcis.Commission(acme, epcsOf([]string{"1005"}), "B", "2029-01-31"))),
			tampered(signed("acme", 4, submission.Rollback, header), true),
			cut("v2", 3, 3, 30),
		},
		{
			tick("v1", 3, late), tick("v3", 3, late), tick("v4", 3, late+1),
			signed("acme", 6, submission.Proceed,
				event(epcis.Commission(acme, epcsOf([]string{"1999"}), "A", "2028-12-31")),
				event(epcis.Ship(acme, epcsOf([]string{"1003"}), sale("acme", "pharm")))),
			cut("v1", 4, 4, late+1),
		},
	}
}

func hexes(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = hex.EncodeToString(b)
	}
	return out
}

func vectorOf(res *consensus.Result, head consensus.Head) blockVector {
	v := blockVector{
		Height:      fmt.Sprint(res.Header.Height),
		Messages:    []string{},
		Entries:     hexes(res.EntryLeaves()),
		Verdicts:    hexes(res.Verdicts),
		Subjects:    []subjectVector{},
		Effects:     hexes(res.Effects),
		EntriesRoot: hex.EncodeToString(res.Header.EntriesRoot[:]),
		StateRoot:   hex.EncodeToString(res.Header.StateRoot[:]),
		VerdictKey:  hex.EncodeToString(head.VerdictKey[:]),
		Header:      hex.EncodeToString(res.Raw),
		Hash:        hex.EncodeToString(res.Hash[:]),
		Story:       describe(res),
	}
	for _, e := range res.Entries {
		v.Messages = append(v.Messages, hex.EncodeToString(e.Payload))
	}
	for _, s := range res.Subjects {
		v.Subjects = append(v.Subjects, subjectVector{Leaf: s.Leaf, Keys: s.Keys, Salts: hexes(s.Salts), Index: s.Index})
	}
	return v
}

func TestVectors(t *testing.T) {
	g := testGenesis(t, 4)
	zero, err := consensus.Zero(g)
	if err != nil {
		t.Fatal(err)
	}
	st := state.NewMemory()
	st.Apply(zero.Writes)
	head, _ := consensus.ReadHead(st)
	got := chainVector{
		About:   "A chain of four validators: messages, leaves and roots of every block. docs/spec.md; rewritten by -update.",
		Genesis: string(g.File), Zero: vectorOf(zero, head),
	}
	seq := uint64(0)
	for _, payloads := range vectorStream(t, g) {
		var messages []consensus.Message
		cutter := mustCutter(t, g, st)
		for i, p := range payloads {
			seq++
			messages = append(messages, consensus.Message{Seq: seq, Payload: p})
			before, after, err := cutter.Add(messages[i])
			if err != nil || before || after != (i == len(payloads)-1) {
				t.Fatalf("message %d: close before %v, after %v, %v", seq, before, after, err)
			}
		}
		res, err := consensus.Execute(g, st, messages)
		if err != nil {
			t.Fatal(err)
		}
		st.Apply(res.Writes)
		head, _ = consensus.ReadHead(st)
		v := vectorOf(res, head)
		size := res.Header.Height + 1
		root, _, err := consensus.LogRoot(st, size, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := quorum.Checkpoint{Origin: g.Origin(), Size: size, Root: root}
		var cert quorum.Certificate
		for i := range uint16(3) {
			cs := quorum.Cosignature{Validator: i, Time: created/1000 + size}
			if cs.Signature, err = quorum.Cosign(c, cs.Time, testKey(fmt.Sprintf("v%d/cosign", i+1))); err != nil {
				t.Fatal(err)
			}
			cert = append(cert, cs)
		}
		v.Checkpoint, v.Note = c.Text(), g.Validators.Note(c, cert)
		v.Record = hex.EncodeToString(res.Record(cert).Encode())
		got.Blocks = append(got.Blocks, v)
	}

	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(chainFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(chainFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Error(firstDifference(b.Bytes(), want))
	}
}

// firstDifference shows the first line that differs: the file's member names say which step of the chain moved.
func firstDifference(got, want []byte) string {
	a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range a {
		if i >= len(b) || !slices.Equal(a[i], b[i]) {
			return fmt.Sprintf("%s:%d: got %.200s", chainFile, i+1, a[i])
		}
	}
	return chainFile + " is longer"
}

// The chain in the vectors is followed by both kinds of follower from the file alone.
func TestVectorsAreFollowed(t *testing.T) {
	raw, err := os.ReadFile(chainFile)
	if err != nil {
		t.Fatal(err)
	}
	var v chainVector
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	g, err := genesis.Parse([]byte(v.Genesis))
	if err != nil {
		t.Fatal(err)
	}
	full := zeroStore(t, g)
	light, err := consensus.NewLightChain(g, state.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(0)
	for _, b := range v.Blocks {
		data, err := hex.DecodeString(b.Record)
		if err != nil {
			t.Fatal(err)
		}
		r, err := consensus.DecodeBlockRecord(data)
		if err != nil {
			t.Fatal(err)
		}
		var messages []consensus.Message
		for _, m := range b.Messages {
			payload, err := hex.DecodeString(m)
			if err != nil {
				t.Fatal(err)
			}
			seq++
			messages = append(messages, consensus.Message{Seq: seq, Payload: payload})
		}
		res, err := consensus.Follow(g, full, r, messages)
		if err != nil {
			t.Fatal(err)
		}
		full.Apply(res.Writes)
		if _, err := light.Append(r); err != nil {
			t.Fatal(err)
		}
	}
}
