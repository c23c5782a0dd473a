package block_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden vectors")

// testKey is the Ed25519 key whose seed is SHA-256 of a name; the vectors say so.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func sum(s string) canonical.Hash { return sha256.Sum256([]byte(s)) }

var (
	genesis = sum("verilot test network")
	network = canonical.Network(genesis[:16])
)

func header() block.Header {
	return block.Header{
		Epoch: 1, Height: 42, Parent: sum("parent"), FirstSeq: 1000, LastSeq: 1009, Time: 1767225600123,
		EntriesRoot: sum("entries"), VerdictsRoot: sum("verdicts"), VerdictLeaves: 7, Events: 6,
		StateKind: 1, StateRoot: sum("state"), Validators: sum("set"), NextValidators: sum("next set"), RulesVersion: 1,
	}
}

func TestHeader(t *testing.T) {
	h := header()
	raw := h.Encode(network)
	back, err := block.DecodeHeader(network, raw)
	if err != nil || back != h {
		t.Fatalf("decode(encode(h)) = %+v, %v", back, err)
	}
	if block.HeaderHash(raw) != sha256.Sum256(append([]byte{0}, raw...)) {
		t.Error("the header hash is the leaf hash of its bytes")
	}
	for _, tt := range []struct {
		name string
		edit func(*block.Header)
	}{
		{"state root kind 2", func(h *block.Header) { h.StateKind = 2 }},
		{"entries in block 0", func(h *block.Header) { h.Height = 0 }},
		{"no entries after block 0", func(h *block.Header) { h.FirstSeq, h.LastSeq = 0, 0 }},
		{"last sequence before the first", func(h *block.Header) { h.LastSeq = h.FirstSeq - 1 }},
		{"more entries than can be counted", func(h *block.Header) { h.LastSeq = h.FirstSeq + 1<<32 }},
	} {
		h := header()
		tt.edit(&h)
		if _, err := block.DecodeHeader(network, h.Encode(network)); !errors.Is(err, canonical.ErrRange) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if _, err := block.DecodeHeader(canonical.Network{}, raw); !errors.Is(err, canonical.ErrTag) {
		t.Errorf("header of another network: %v", err)
	}
	if _, err := block.DecodeHeader(network, append(raw, 0)); !errors.Is(err, canonical.ErrTrailing) {
		t.Errorf("a trailing byte: %v", err)
	}
	zero := block.Header{Epoch: 1, StateKind: 1, RulesVersion: 1}
	if back, err := block.DecodeHeader(network, zero.Encode(network)); err != nil || back.Entries() != 0 {
		t.Errorf("block 0: %v", err)
	}
}

// leaves are one of each kind of verdict leaf.
func leaves() []any {
	at := func(entry, item uint32) canonical.Position {
		return canonical.Position{Height: 42, Entry: entry, Item: item}
	}
	return []any{
		block.Amendment{
			Pos: canonical.Position{Height: 7, Entry: 1, Item: 2}, Code: "RELAYED", Old: block.Open, New: block.Closed,
			Cause: at(3, 0), Count: 2, Subjects: sum("closed subjects"),
		},
		block.Verdict{Pos: at(0, 0), Verdict: block.Accepted},
		block.Verdict{Pos: at(0, 1), Verdict: block.Flagged},
		block.Finding{Pos: at(0, 1), Code: "NO_HISTORY", Severity: block.Flag, Count: 3, Subjects: sum("subjects")},
		block.Verdict{Pos: at(0, 2), Verdict: block.Rejected, Code: "GTIN_NOT_OWNED"},
		block.Finding{Pos: at(0, 2), Code: "GTIN_NOT_OWNED", Severity: block.Reject, Count: 1, Subjects: sum("subject")},
		block.Verdict{Pos: at(1, canonical.WholeEntry), Verdict: block.Duplicate, Code: "COUNTER_USED"},
	}
}

func encode(leaf any) []byte { return leaf.(interface{ Encode() []byte }).Encode() }

func TestVerdictLeaves(t *testing.T) {
	for _, leaf := range leaves() {
		back, err := block.DecodeVerdictLeaf(encode(leaf))
		if err != nil || back != leaf {
			t.Errorf("decode(encode(%+v)) = %+v, %v", leaf, back, err)
		}
		if got := block.LeafHeight(leaf); got != 42 {
			t.Errorf("%T stands in block %d", leaf, got)
		}
	}
	for _, bad := range badLeaves() {
		if v, err := block.DecodeVerdictLeaf(bad.leaf); err == nil {
			t.Errorf("%s: decoded %+v", bad.name, v)
		}
	}
}

type badLeaf struct {
	name string
	leaf []byte
}

func badLeaves() []badLeaf {
	l := leaves()
	amendment, accepted, finding := l[0].(block.Amendment), l[1].(block.Verdict), l[3].(block.Finding)
	var out []badLeaf
	add := func(name string, leaf any) { out = append(out, badLeaf{name, encode(leaf)}) }
	v := accepted
	v.Code = "REASON"
	add("accepted with a code", v)
	v = accepted
	v.Verdict = block.Rejected
	add("rejected without a code", v)
	v.Code = "lower case"
	add("a code in lower case", v)
	v.Code = verdict.Code(strings.Repeat("A", 65))
	add("a code of 65 letters", v)
	v = accepted
	v.Verdict = 5
	add("verdict 5", v)
	v.Verdict = 0
	add("verdict 0", v)
	f := finding
	f.Severity = 4
	add("severity 4", f)
	f = finding
	f.Code = ""
	add("a finding without a code", f)
	a := amendment
	a.New = 4
	add("a finding in state 4", a)
	a = amendment
	a.Old = 0
	add("a finding from state 0", a)
	out = append(out,
		badLeaf{"a trailing byte", append(encode(accepted), 0)},
		badLeaf{"cut short", encode(finding)[:50]},
		badLeaf{"leaf kind 4", append([]byte{4}, encode(accepted)[1:]...)},
		badLeaf{"nothing", nil})
	return out
}

func TestCheckBlock(t *testing.T) {
	story := func() (block.Header, [][]byte, [][]byte) {
		h := header()
		var entries, verdicts [][]byte
		for s := h.FirstSeq; s <= h.LastSeq; s++ {
			entries = append(entries, block.NotOpenedLeaf(network, s, []byte("noise")))
		}
		for _, l := range leaves() {
			verdicts = append(verdicts, encode(l))
		}
		h.EntriesRoot, h.VerdictsRoot = block.Root(entries), block.Root(verdicts)
		return h, entries, verdicts
	}
	h, entries, verdicts := story()
	if err := block.Check(&h, entries, verdicts); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		edit func(h *block.Header, entries, verdicts *[][]byte)
	}{
		{"an entry is missing", func(_ *block.Header, e, _ *[][]byte) { *e = (*e)[1:] }},
		{"an entry is swapped", func(_ *block.Header, e, _ *[][]byte) { (*e)[1], (*e)[2] = (*e)[2], (*e)[1] }},
		{"an entry is other than said", func(_ *block.Header, e, _ *[][]byte) { (*e)[1] = block.NotOpenedLeaf(network, 1001, []byte("else")) }},
		{"an entry leaf is too long", func(_ *block.Header, e, _ *[][]byte) { (*e)[1] = append((*e)[1], 0) }},
		{"a verdict is missing", func(_ *block.Header, _, v *[][]byte) { *v = (*v)[1:] }},
		{"verdicts are swapped", func(_ *block.Header, _, v *[][]byte) { (*v)[1], (*v)[2] = (*v)[2], (*v)[1] }},
		{"a verdict is of another block", func(_ *block.Header, _, v *[][]byte) {
			(*v)[1] = block.Verdict{Pos: canonical.Position{Height: 41}, Verdict: block.Accepted}.Encode()
		}},
		{"a verdict is nonsense", func(_ *block.Header, _, v *[][]byte) { (*v)[1] = []byte("nonsense") }},
	} {
		h, entries, verdicts := story()
		tt.edit(&h, &entries, &verdicts)
		if err := block.Check(&h, entries, verdicts); err == nil {
			t.Errorf("%s: passes", tt.name)
		}
	}
	zero := block.Header{EntriesRoot: merkle.Root(nil), VerdictsRoot: merkle.Root(nil)}
	if err := block.Check(&zero, nil, nil); err != nil {
		t.Errorf("block 0: %v", err)
	}
}

func TestEntryLeaves(t *testing.T) {
	sig := [64]byte{1, 2, 3}
	leaf := block.EntryLeaf(network, 1001, block.Submission, []byte("header"), sig)
	seq, kind, hash, err := block.SplitEntryLeaf(leaf)
	want := canonical.Sum(network, "entry", canonical.Str32(nil, "header"), sig[:])
	if err != nil || seq != 1001 || kind != block.Submission || hash != want {
		t.Errorf("leaf = %x", leaf)
	}
	leaf = block.NotOpenedLeaf(network, 1002, []byte("payload"))
	if _, kind, hash, err = block.SplitEntryLeaf(leaf); err != nil || kind != block.NotOpened || hash != canonical.Sum(network, "entry", canonical.Str32(nil, "payload")) {
		t.Errorf("leaf = %x", leaf)
	}
	if _, _, _, err := block.SplitEntryLeaf(append(leaf[:8:8], append([]byte{6}, leaf[9:]...)...)); err == nil {
		t.Error("kind 6 splits")
	}
}

func TestSubjects(t *testing.T) {
	key := sum("verdict key")
	texts := []string{"0100614141999996" + "21A", "event:42/0/1", "0100614141999996" + "21B"}
	salts := block.NewSalts(network, key)
	salts.Subjects([]string{"an earlier finding's"}) // takes salt 0
	root, given, index := salts.Subjects(texts)

	tree := make([]canonical.Hash, len(texts))
	for i, text := range texts {
		mac := hmac.New(sha256.New, key[:])
		mac.Write([]byte("verilot/salt/v1s"))
		mac.Write([]byte{0, 0, 0, byte(i + 1)})
		want := mac.Sum(nil)[:16]
		if !bytes.Equal(given[i], want) {
			t.Errorf("salt %d = %x, want %x", i, given[i], want)
		}
		data := canonical.Sum(network, "subject", canonical.Str8(nil, want), canonical.Str16(nil, text))
		tree[index[i]] = merkle.LeafHash(data[:])
	}
	for i := 1; i < len(tree); i++ {
		if bytes.Compare(tree[i-1][:], tree[i][:]) >= 0 {
			t.Error("subjects are not sorted by leaf hash")
		}
	}
	if merkle.Root(tree) != root {
		t.Error("the indexes do not lead to the root")
	}
	if r, _, _ := block.NewSalts(network, key).Subjects(nil); r != sha256.Sum256(nil) {
		t.Error("no subjects: the empty tree")
	}
}

func pulses() []block.Pulse {
	return []block.Pulse{
		{What: block.Cut, Epoch: 1, Height: 42, Clock: 1767225600123, Counter: 5},
		{What: block.Tick, Epoch: 1, Clock: 1767225600124, Counter: 6},
		{What: block.Heartbeat, Epoch: 1, Height: 43, Clock: -1, Counter: 7},
	}
}

func TestPulses(t *testing.T) {
	key := testKey("v1/vote")
	for _, p := range pulses() {
		msg, err := block.SignPulse(network, p, key)
		if err != nil {
			t.Fatal(err)
		}
		p.KeyID = keys.ID(keys.Vote, key.Public().(ed25519.PublicKey))
		got, signed, sig, err := block.SplitPulse(network, msg)
		if err != nil || got != p || !keys.VerifyStrict(key.Public().(ed25519.PublicKey), signed, sig[:]) {
			t.Errorf("%s: %v %s", p.What, err, cmp.Diff(p, got))
		}
		if block.Purpose(network, msg) != "pulse" || block.Purpose(canonical.Network{}, msg) != "" {
			t.Error("purpose")
		}
		if _, _, _, err := block.SplitEpoch(network, msg); err == nil {
			t.Error("a pulse is no epoch record")
		}
	}
	for _, p := range []block.Pulse{{What: block.Tick, Height: 1}, {What: block.Submission}, {What: block.Heartbeat + 1}, {}} {
		if _, err := block.SignPulse(network, p, key); !errors.Is(err, canonical.ErrRange) {
			t.Errorf("signed %+v", p)
		}
	}
}

func TestEpochRecord(t *testing.T) {
	key := testKey("v1/vote")
	e := block.Epoch{Epoch: 1, Genesis: genesis}
	msg, err := block.SignEpoch(network, e, key)
	if err != nil {
		t.Fatal(err)
	}
	e.KeyID = keys.ID(keys.Vote, key.Public().(ed25519.PublicKey))
	got, signed, sig, err := block.SplitEpoch(network, msg)
	if err != nil || got != e || !ed25519.Verify(key.Public().(ed25519.PublicKey), signed, sig[:]) {
		t.Errorf("%+v, %v", got, err)
	}
	if block.Purpose(network, msg) != "epoch" || block.Purpose(network, msg[:20]) != "" || block.Purpose(network, nil) != "" {
		t.Error("purpose")
	}
}

func TestDecodersHaveOneReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := header()
		h.Height = rapid.Uint64Min(1).Draw(t, "height")
		h.FirstSeq = rapid.Uint64Range(1, 1<<62).Draw(t, "first")
		h.LastSeq = h.FirstSeq + uint64(rapid.Uint32Max(1<<32-2).Draw(t, "more"))
		h.Time = rapid.Int64().Draw(t, "time")
		raw := h.Encode(network)
		if back, err := block.DecodeHeader(network, raw); err != nil || back != h {
			t.Fatalf("%+v, %v", back, err)
		}
		at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
		raw[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if back, err := block.DecodeHeader(network, raw); err == nil && (back == h || !bytes.Equal(back.Encode(network), raw)) {
			t.Fatal("a changed header reads the same, or encodes otherwise")
		}
	})
}

type hashVector struct {
	Name     string `json:"name"`
	PreImage string `json:"preImageHex,omitempty"`
	Hash     string `json:"hash"`
}

type leafVector struct {
	Name  string `json:"name"`
	Value any    `json:"value,omitempty"`
	Leaf  string `json:"leafHex"`
	Hash  string `json:"leafHash,omitempty"`
}

type messageVector struct {
	Name    string `json:"name"`
	Value   any    `json:"value"`
	KeyID   string `json:"keyId"`
	Payload string `json:"payloadHex"`
}

type entryVector struct {
	Name     string `json:"name"`
	Seq      uint64 `json:"sequence,string"`
	Kind     uint8  `json:"kind"`
	Signed   string `json:"signedOrPayloadHex"`
	Sig      string `json:"signature,omitempty"`
	PreImage string `json:"preImageHex"`
	Leaf     string `json:"leafHex"`
}

type subjectsVector struct {
	VerdictKey string   `json:"verdictKey"`
	FirstSalt  uint32   `json:"firstSalt"`
	Keys       []string `json:"keys"`
	Salts      []string `json:"salts"`
	LeafData   []string `json:"leafData"`
	Index      []uint32 `json:"index"`
	Root       string   `json:"root"`
}

func hx(b []byte) string { return hex.EncodeToString(b) }

func TestVectors(t *testing.T) {
	var v struct {
		Comment  string `json:"comment"`
		KeysFrom string `json:"keysFrom"`
		Network  string `json:"network"`
		Header   struct {
			Epoch          uint32 `json:"epoch"`
			Height         uint64 `json:"height,string"`
			Parent         string `json:"parent"`
			FirstSeq       uint64 `json:"firstSequence,string"`
			LastSeq        uint64 `json:"lastSequence,string"`
			Time           int64  `json:"time,string"`
			EntriesRoot    string `json:"entriesRoot"`
			VerdictsRoot   string `json:"verdictsRoot"`
			VerdictLeaves  uint32 `json:"verdictLeaves"`
			Events         uint32 `json:"events"`
			StateKind      uint8  `json:"stateRootKind"`
			StateRoot      string `json:"stateRoot"`
			Validators     string `json:"validators"`
			NextValidators string `json:"nextValidators"`
			RulesVersion   uint32 `json:"rulesVersion"`
			Bytes          string `json:"bytesHex"`
			Hash           string `json:"hash"`
		} `json:"header"`
		HeadersRefused []leafVector    `json:"headersRefused"`
		Entries        []entryVector   `json:"entries"`
		Leaves         []leafVector    `json:"verdictLeaves"`
		LeavesRefused  []leafVector    `json:"verdictLeavesRefused"`
		Subjects       subjectsVector  `json:"subjects"`
		VerdictKey     hashVector      `json:"nextVerdictKey"`
		Messages       []messageVector `json:"messages"`
		MessagesBad    []leafVector    `json:"messagesRefused"`
		StateRoot      struct {
			Previous string   `json:"previous"`
			Effects  []string `json:"effectsHex"`
			MTH      string   `json:"effectsRoot"`
			hashVector
		} `json:"stateRoot"`
	}
	v.Comment = "docs/spec.md sections 6, 7 and 9. Bytes are hex; preImageHex is what SHA-256 is applied to; leafHash = SHA-256(0x00 || leaf)."
	v.KeysFrom = `seed = SHA-256("verilot test key " + name), here v1/vote; network = first 16 bytes of SHA-256("verilot test network"); a hash called x is SHA-256(x)`
	v.Network = hx(network[:])

	h := header()
	raw := h.Encode(network)
	hash := block.HeaderHash(raw)
	o := &v.Header
	o.Epoch, o.Height, o.FirstSeq, o.LastSeq, o.Time = h.Epoch, h.Height, h.FirstSeq, h.LastSeq, h.Time
	o.VerdictLeaves, o.Events, o.StateKind, o.RulesVersion = h.VerdictLeaves, h.Events, h.StateKind, h.RulesVersion
	o.Parent, o.EntriesRoot, o.VerdictsRoot, o.StateRoot = hx(h.Parent[:]), hx(h.EntriesRoot[:]), hx(h.VerdictsRoot[:]), hx(h.StateRoot[:])
	o.Validators, o.NextValidators, o.Bytes, o.Hash = hx(h.Validators[:]), hx(h.NextValidators[:]), hx(raw), hx(hash[:])
	bad := func(name string, edit func(*block.Header)) {
		h := header()
		edit(&h)
		v.HeadersRefused = append(v.HeadersRefused, leafVector{Name: name, Leaf: hx(h.Encode(network))})
	}
	bad("state root kind 2", func(h *block.Header) { h.StateKind = 2 })
	bad("entries in block 0", func(h *block.Header) { h.Height = 0 })
	bad("last sequence before the first", func(h *block.Header) { h.LastSeq = h.FirstSeq - 1 })
	v.HeadersRefused = append(v.HeadersRefused, leafVector{Name: "a trailing byte", Leaf: hx(append(slices.Clip(raw), 0))},
		leafVector{Name: "another network", Leaf: hx(h.Encode(canonical.Network{1}))}, leafVector{Name: "cut short", Leaf: hx(raw[:len(raw)-1])})

	sig := [64]byte(append(bytes.Repeat([]byte{0xAA}, 32), bytes.Repeat([]byte{0xBB}, 32)...))
	tag := canonical.AppendTag(nil, network, "entry")
	pre := append(canonical.Str32(bytes.Clone(tag), "signed header bytes"), sig[:]...)
	v.Entries = append(v.Entries, entryVector{
		"a submission", 1001, 2, hx([]byte("signed header bytes")), hx(sig[:]), hx(pre),
		hx(block.EntryLeaf(network, 1001, block.Submission, []byte("signed header bytes"), sig)),
	}, entryVector{
		"a cut", 1002, 3, hx([]byte("signed header bytes")), hx(sig[:]), hx(pre),
		hx(block.EntryLeaf(network, 1002, block.Cut, []byte("signed header bytes"), sig)),
	}, entryVector{
		"not opened", 1003, 0, hx([]byte("noise")), "", hx(canonical.Str32(bytes.Clone(tag), "noise")),
		hx(block.NotOpenedLeaf(network, 1003, []byte("noise"))),
	})

	for _, l := range leaves() {
		raw := encode(l)
		lh := merkle.LeafHash(raw)
		name := strings.ToLower(strings.TrimPrefix(strings.SplitN(typeName(l), ".", 2)[1], "."))
		v.Leaves = append(v.Leaves, leafVector{name, leafValue(l), hx(raw), hx(lh[:])})
	}
	for _, b := range badLeaves() {
		v.LeavesRefused = append(v.LeavesRefused, leafVector{Name: b.name, Leaf: hx(b.leaf)})
	}

	k := sum("verdict key")
	salts := block.NewSalts(network, k)
	salts.Subjects([]string{"x", "y"})
	texts := []string{"010061414199999621A", block.EventSubject(canonical.Position{Height: 42, Entry: 0, Item: 1}), "010061414199999621B", "00106141412345678908"}
	root, given, index := salts.Subjects(texts)
	s := subjectsVector{VerdictKey: hx(k[:]), FirstSalt: 2, Keys: texts, Index: index, Root: hx(root[:])}
	for i := range given {
		s.Salts = append(s.Salts, hx(given[i]))
		s.LeafData = append(s.LeafData, hx(block.SubjectLeaf(network, given[i], texts[i])))
	}
	v.Subjects = s

	itemSalts := [][32]byte{sum("item salt 0"), sum("item salt 1")}
	next := block.NextVerdictKey(network, k, itemSalts)
	pre = append(canonical.AppendTag(nil, network, "verdict-key"), k[:]...)
	pre = append(append(pre, itemSalts[0][:]...), itemSalts[1][:]...)
	v.VerdictKey = hashVector{"K_h of K_{h-1} = verdict key and two items", hx(pre), hx(next[:])}
	if sha256.Sum256(pre) != next {
		t.Error("verdict key is not that of its pre-image")
	}

	key := testKey("v1/vote")
	id := keys.ID(keys.Vote, key.Public().(ed25519.PublicKey))
	for _, p := range pulses() {
		msg, err := block.SignPulse(network, p, key)
		if err != nil {
			t.Fatal(err)
		}
		v.Messages = append(v.Messages, messageVector{p.What.String(), map[string]any{
			"what": uint8(p.What) - 2, "epoch": p.Epoch, "height": itoa(int64(p.Height)), "clock": itoa(p.Clock), "counter": itoa(int64(p.Counter)),
		}, hx(id[:]), hx(msg)})
	}
	msg, err := block.SignEpoch(network, block.Epoch{Epoch: 1, Genesis: genesis}, key)
	if err != nil {
		t.Fatal(err)
	}
	v.Messages = append(v.Messages, messageVector{"epoch record", map[string]any{
		"epoch": 1, "genesis": hx(genesis[:]), "lastHeader": strings.Repeat("0", 64),
	}, hx(id[:]), hx(msg)})
	cut, _ := block.SignPulse(network, pulses()[0], key)
	at := len(canonical.AppendTag(nil, network, "pulse"))
	edit := func(name string, b []byte) {
		v.MessagesBad = append(v.MessagesBad, leafVector{Name: name, Leaf: hx(b)})
	}
	change := func(at int, to byte) []byte { b := bytes.Clone(cut); b[at] = to; return b }
	edit("what 0", change(at, 0))
	edit("what 4", change(at, 4))
	edit("a tick with a height", change(at, 2))
	edit("version 2", change(at-17, 2))
	edit("a byte too many", append(bytes.Clone(cut), 0))
	edit("cut short", cut[:100])
	for _, b := range v.MessagesBad {
		raw, _ := hex.DecodeString(b.Leaf)
		if _, _, _, err := block.SplitPulse(network, raw); err == nil {
			t.Errorf("%s: splits", b.Name)
		}
	}

	prev := sum("previous state root")
	effects := [][]byte{[]byte("effect 0"), []byte("effect 1"), []byte("effect 2")}
	mth := block.Root(effects)
	st := block.StateRoot(network, prev, effects)
	pre = append(append(canonical.AppendTag(nil, network, "state"), prev[:]...), mth[:]...)
	v.StateRoot.Previous, v.StateRoot.MTH = hx(prev[:]), hx(mth[:])
	v.StateRoot.hashVector = hashVector{"three effects", hx(pre), hx(st[:])}
	for _, e := range effects {
		v.StateRoot.Effects = append(v.StateRoot.Effects, hx(e))
	}
	if sha256.Sum256(pre) != st {
		t.Error("state root is not that of its pre-image")
	}
	golden(t, "block.json", v)
}

func typeName(v any) string {
	switch v.(type) {
	case block.Verdict:
		return "block.Verdict"
	case block.Finding:
		return "block.Finding"
	}
	return "block.Amendment"
}

func leafValue(l any) map[string]any {
	switch l := l.(type) {
	case block.Verdict:
		return map[string]any{"position": l.Pos, "verdict": l.Verdict, "code": l.Code}
	case block.Finding:
		return map[string]any{"position": l.Pos, "code": l.Code, "severity": l.Severity, "count": l.Count, "subjects": hx(l.Subjects[:])}
	case block.Amendment:
		return map[string]any{
			"position": l.Pos, "code": l.Code, "old": l.Old, "new": l.New, "cause": l.Cause, "count": l.Count, "subjects": hx(l.Subjects[:]),
		}
	}
	return nil
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

// golden compares v with a vector file, or rewrites it under -update.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "testdata", "vectors", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs from the golden file; a changed old vector is a fork", name)
	}
}

func FuzzDecodeHeader(f *testing.F) {
	h := header()
	f.Add(h.Encode(network))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := block.DecodeHeader(network, b); err == nil && !bytes.Equal(h.Encode(network), b) {
			t.Fatal("a header has two spellings")
		}
	})
}

func FuzzDecodeVerdictLeaf(f *testing.F) {
	for _, l := range leaves() {
		f.Add(encode(l))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := block.DecodeVerdictLeaf(b); err == nil && !bytes.Equal(encode(l), b) {
			t.Fatal("a leaf has two spellings")
		}
	})
}

func FuzzSplit(f *testing.F) {
	key := testKey("v1/vote")
	for _, p := range pulses() {
		msg, _ := block.SignPulse(network, p, key)
		f.Add(msg)
	}
	msg, _ := block.SignEpoch(network, block.Epoch{Epoch: 1, Genesis: genesis}, key)
	f.Add(msg)
	f.Fuzz(func(t *testing.T, b []byte) {
		purpose := block.Purpose(network, b)
		p, signed, sig, err := block.SplitPulse(network, b)
		if err == nil && (purpose != "pulse" || !bytes.Equal(append(bytes.Clone(signed), sig[:]...), b) || p.What < block.Cut) {
			t.Fatal("a pulse has two readings")
		}
		if _, signed, sig, err := block.SplitEpoch(network, b); err == nil && (purpose != "epoch" || !bytes.Equal(append(bytes.Clone(signed), sig[:]...), b)) {
			t.Fatal("an epoch record has two readings")
		}
		_, _, _, _ = block.SplitEntryLeaf(b)
	})
}

func BenchmarkEntryLeaf(b *testing.B) {
	signed := make([]byte, 230)
	b.ReportAllocs()
	for b.Loop() {
		block.EntryLeaf(network, 1, block.Submission, signed, [64]byte{})
	}
}

func BenchmarkSubjects(b *testing.B) {
	texts := make([]string, 1000)
	for i := range texts {
		texts[i] = "010061414199999621A" + itoa(int64(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		block.NewSalts(network, genesis).Subjects(texts)
	}
}
