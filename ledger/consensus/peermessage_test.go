package consensus_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
)

const roundsFile = "../testdata/vectors/rounds.json"

// roundsVector is what validators send each other in rounds (spec sections 8.4 to 8.6).
type roundsVector struct {
	About    string          `json:"about"`
	Genesis  string          `json:"genesis"`
	Header   string          `json:"headerHash"`
	Votes    []string        `json:"votes"`
	Messages []vectorMessage `json:"messages"`
	Body     string          `json:"body"`
}

type vectorMessage struct {
	Story string `json:"story"`
	Bytes string `json:"bytes"`
}

func bundleOf(tb testing.TB, g *genesis.Genesis, height uint64, round uint32, kind quorum.VoteKind, header canonical.Hash, by ...int) (*quorum.Bundle, [][]byte) {
	tb.Helper()
	b := &quorum.Bundle{Epoch: 1, Height: height, Round: round, Kind: kind, Header: header}
	var payloads [][]byte
	for _, i := range by {
		v, err := quorum.SignVote(g.Network, quorum.Vote{Epoch: 1, Height: height, Round: round, Kind: kind, Header: header}, testKey(fmt.Sprintf("v%d/vote", i+1)))
		if err != nil {
			tb.Fatal(err)
		}
		b.Votes = append(b.Votes, quorum.Signature{Validator: uint16(i), Signature: v.Signature})
		payloads = append(payloads, v.Payload())
	}
	return b, payloads
}

// peerMessages is one of each message.
func peerMessages(tb testing.TB, g *genesis.Genesis) roundsVector {
	tb.Helper()
	must := func(b []byte, err error) []byte {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return b
	}
	messages := []consensus.Message{{Seq: 1, Payload: epochRecord(tb, g)}, {Seq: 2, Payload: []byte("not a message")}}
	res, err := consensus.Execute(g, zeroStore(tb, g), messages)
	if err != nil {
		tb.Fatal(err)
	}
	prepares, votes := bundleOf(tb, g, 1, 1, quorum.Prepare, res.Hash, 0, 1, 3)
	commits, more := bundleOf(tb, g, 1, 1, quorum.Commit, res.Hash, 1, 2, 3)
	round0, _ := bundleOf(tb, g, 1, 0, quorum.Prepare, res.Hash, 0, 2)
	body, chunks, err := consensus.Chunks(g.Network, 1, res.Hash, messages, testKey("v2/vote"))
	if err != nil || len(chunks) != 1 {
		tb.Fatal(err)
	}
	v := roundsVector{
		About:   "What validators tell each other in rounds; docs/spec.md sections 8.4 to 8.6. Keys: Ed25519 seed = SHA-256(\"verilot test key v<n>/vote\").",
		Genesis: string(g.File), Header: hex.EncodeToString(res.Hash[:]), Votes: hexes(append(votes, more...)), Body: hex.EncodeToString(body),
	}
	for _, m := range []struct {
		story string
		bytes []byte
	}{
		{"quorum of prepares of v1, v2, v4 in round 1", prepares.Encode(g.Network)},
		{"quorum of commits of v2, v3, v4 in round 1", commits.Encode(g.Network)},
		{"v3 proposes in round 1 what two prepared in round 0", must(consensus.Proposal(g.Network, round0, 1, consensus.NoRound, testKey("v3/vote")))},
		{"v4 proposes in round 2 what a quorum prepared in round 1", must(consensus.Proposal(g.Network, prepares, 2, 1, testKey("v4/vote")))},
		{"v1 asks v2 for the body", must(consensus.Ask(g.Network, 1, 1, res.Hash, 1, testKey("v1/vote")))},
		{"v1 asks all for votes", must(consensus.Ask(g.Network, 2, 1, canonical.Hash{}, 0xFFFF, testKey("v1/vote")))},
		{"v2 sends the body, one chunk", chunks[0]},
	} {
		v.Messages = append(v.Messages, vectorMessage{m.story, hex.EncodeToString(m.bytes)})
	}
	return v
}

func TestRoundsVectors(t *testing.T) {
	g := testGenesis(t, 4)
	got := peerMessages(t, g)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(roundsFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(roundsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Error(firstDifference(b.Bytes(), want))
	}
	for _, m := range got.Messages {
		payload, err := hex.DecodeString(m.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		what, again, ok := consensus.Reencode(g, payload)
		if !ok || !bytes.Equal(again, payload) {
			t.Errorf("%s: %s does not come back", m.Story, what)
		}
		signed := len(payload)
		switch what {
		case "quorum":
			continue // its votes bear the signatures: TestBundleRefused
		case "proposal":
			signed = 1 + len("verilot/proposal") + 2 + 16 + 4 + 8 + 4 + 32 + 4 + 32 + 64 // then votes
		}
		for i := range signed { // whoever changes a bit says nothing
			bad := bytes.Clone(payload)
			bad[i] ^= 1
			if _, _, ok := consensus.Reencode(g, bad); ok {
				t.Fatalf("%s: byte %d does not count", m.Story, i)
			}
		}
	}
}

// What holds no quorum is none: too few, another's signature, a vote twice, another height.
func TestBundleRefused(t *testing.T) {
	g := testGenesis(t, 4)
	header := canonical.Hash{1}
	good := func() *quorum.Bundle {
		b, _ := bundleOf(t, g, 5, 2, quorum.Commit, header, 0, 1, 3)
		return b
	}
	if err := g.Validators.CheckBundle(g.Network, good(), 3); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*quorum.Bundle){
		"too few":            func(b *quorum.Bundle) { b.Votes = b.Votes[:2] },
		"one twice":          func(b *quorum.Bundle) { b.Votes[1] = b.Votes[0] },
		"another's":          func(b *quorum.Bundle) { b.Votes[1].Validator = 2 },
		"nobody's":           func(b *quorum.Bundle) { b.Votes[2].Validator = 4 },
		"other height":       func(b *quorum.Bundle) { b.Height++ },
		"other round":        func(b *quorum.Bundle) { b.Round = 0 },
		"prepares":           func(b *quorum.Bundle) { b.Kind = quorum.Prepare },
		"other header":       func(b *quorum.Bundle) { b.Header[0]++ },
		"nil":                func(b *quorum.Bundle) { b.Header = canonical.Hash{} },
		"of another epoch":   func(b *quorum.Bundle) { b.Epoch++ },
		"out of order":       func(b *quorum.Bundle) { b.Votes[0], b.Votes[1] = b.Votes[1], b.Votes[0] },
		"unknown vote kinds": func(b *quorum.Bundle) { b.Kind = 3 },
	} {
		b := good()
		change(b)
		if g.Validators.CheckBundle(g.Network, b, 3) == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

// FuzzPeerReceived: whatever another validator sends, there is no panic, one reading, and no effect without a signature.
func FuzzPeerReceived(f *testing.F) {
	g := testGenesis(f, 4)
	for _, m := range peerMessages(f, g).Messages {
		payload, err := hex.DecodeString(m.Bytes)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	cfg := consensus.Config{Genesis: g, Vote: testKey("v1/vote"), Cosign: testKey("v1/cosign")}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if _, again, ok := consensus.Reencode(g, payload); ok && !bytes.Equal(again, payload) {
			t.Fatal("a second encoding")
		}
		core, err := consensus.New(cfg, zeroStore(t, g))
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []consensus.Input{nil, consensus.PeerReceived{Payload: payload}, consensus.VoteReceived{Payload: payload}, consensus.CosignatureReceived{Payload: payload}} {
			if out := core.Step(created, in); out.Halt != nil {
				t.Fatal(out.Halt)
			}
		}
	})
}
