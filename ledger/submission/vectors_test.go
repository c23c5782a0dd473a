package submission_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// The vectors of docs/spec.md sections 1, 3 to 5 and 12.1 are made here, in the one package that sees all of them, and
// checked twice on the way: against the reference program and by the packages themselves. Other languages read the
// files. Hashes stand beside their pre-images; bytes are hex.

var update = flag.Bool("update", false, "rewrite the golden files")

// octets are bytes that are hex in JSON.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, o), nil }

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

type vectors struct {
	Spec    string `json:"spec"`
	About   string `json:"about"`
	Network octets `json:"network"`
	Cases   any    `json:"cases"`
}

// golden compares v with the file, or writes the file.
func golden(t *testing.T, name string, v vectors) {
	t.Helper()
	v.Network = network[:]
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
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("%s: a changed old vector is a fork (-file +now)\n%s", name, diff)
	}
}

func TestVectorsEnc(t *testing.T) {
	type vector struct {
		What     string `json:"what"`
		Purpose  string `json:"purpose,omitempty"`
		Use      string `json:"use,omitempty"`
		Data     octets `json:"data,omitempty"`
		PreImage octets `json:"preImage"`
		Hash     octets `json:"hash,omitempty"`
		Error    string `json:"error,omitempty"`
	}
	var cases []vector
	for _, purpose := range []string{"submission", "value", "item", "body", "entry", "header", "vote", "pulse", "epoch", "state"} {
		if got, want := canonical.AppendTag(nil, network, purpose), tag(network, purpose); !bytes.Equal(got, want) {
			t.Errorf("tag %q is %x, want %x", purpose, got, want)
		}
		cases = append(cases, vector{What: "tag", Purpose: purpose, PreImage: tag(network, purpose)})
	}
	for _, data := range []string{"", "abc", strings.Repeat("x", 300)} {
		pre := cat(tag(network, "body"), []byte(data))
		if got := canonical.Sum(network, "body", []byte(data)); !bytes.Equal(got[:], sha(pre)) {
			t.Errorf("H(body, %q) is %x, want %x", data, got, sha(pre))
		}
		cases = append(cases, vector{What: "H", Purpose: "body", Data: []byte(data), PreImage: pre, Hash: sha(pre)})
	}
	pub := acme.Public().(ed25519.PublicKey)
	for _, use := range []string{keys.Event, keys.Vote, keys.Cosign, keys.Authority} {
		pre := cat(str8([]byte("verilot/key/"+use)), pub)
		if got := keys.ID(use, pub); !bytes.Equal(got[:], sha(pre)) {
			t.Errorf("key id for %s is %x, want %x", use, got, sha(pre))
		}
		cases = append(cases, vector{What: "key id", Use: use, Data: octets(pub), PreImage: pre, Hash: sha(pre)})
	}
	for _, k := range []struct{ key, err string }{
		{hex.EncodeToString(pub), ""},
		{"0100000000000000000000000000000000000000000000000000000000000000", "small order"},
		{"0000000000000000000000000000000000000000000000000000000000000080", "small order"},
		{"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "small order"},
		{"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "small order"},
		{"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "not canonical"},
		{"0200000000000000000000000000000000000000000000000000000000000000", "no point"},
	} {
		key, err := hex.DecodeString(k.key)
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Check(key); (err == nil) != (k.err == "") {
			t.Errorf("key %s: %v, want %q", k.key, err, k.err)
		}
		cases = append(cases, vector{What: "may this key be registered", PreImage: key, Error: k.err})
	}
	golden(t, "enc.json", vectors{Spec: "1", About: "Tags, H(purpose, data), key ids, and which keys are refused.", Cases: cases})
}

func TestVectorsMerkle(t *testing.T) {
	type vector struct {
		Name    string   `json:"name"`
		Size    uint64   `json:"size,string"`
		Indexes []string `json:"indexes"`
		Leaves  []octets `json:"leaves"` // hashes of the leaves at the indexes
		Proof   []octets `json:"proof"`
		Root    octets   `json:"root,omitempty"`
		Error   bool     `json:"error,omitempty"`
	}
	all := make([][]byte, 40)
	hashes := make([]canonical.Hash, len(all))
	for i := range all {
		all[i] = leafHash(binary.BigEndian.AppendUint64(nil, uint64(i)))
		hashes[i] = canonical.Hash(all[i])
	}
	show := func(hs []canonical.Hash) []octets {
		out := []octets{}
		for _, h := range hs {
			out = append(out, slices.Clone(h[:]))
		}
		return out
	}
	var cases []vector
	add := func(name string, size uint64, indexes []uint64, leaves, proof []canonical.Hash, want []byte) {
		v := vector{Name: name, Size: size, Indexes: []string{}, Leaves: show(leaves), Proof: show(proof), Root: want, Error: want == nil}
		for _, i := range indexes {
			b, err := json.Marshal(i)
			if err != nil {
				t.Fatal(err)
			}
			v.Indexes = append(v.Indexes, string(b))
		}
		if got, err := merkle.RootFromProof(size, indexes, leaves, proof); (err == nil) != (want != nil) || err == nil && !bytes.Equal(got[:], want) {
			t.Errorf("%s: root %x (%v), want %x", name, got, err, want)
		}
		cases = append(cases, v)
	}
	pick := func(indexes []uint64) (out []canonical.Hash) {
		for _, i := range indexes {
			out = append(out, hashes[i])
		}
		return out
	}
	for _, tt := range []struct {
		size    int
		indexes []uint64
	}{
		{0, nil},
		{1, nil},
		{1, []uint64{0}},
		{2, []uint64{0}},
		{2, []uint64{1}},
		{2, []uint64{0, 1}},
		{3, []uint64{2}},
		{5, []uint64{4}},
		{7, nil},
		{7, []uint64{0, 6}},
		{8, []uint64{2, 3, 5}},
		{13, []uint64{0, 1, 2, 12}},
		{40, []uint64{31, 32}},
		{40, []uint64{7, 20, 39}},
	} {
		root := mth(all[:tt.size])
		if !bytes.Equal(root, tlogRoot(all[:tt.size])) {
			t.Fatalf("tlog has another root of %d leaves", tt.size)
		}
		add("leaf i is the leaf hash of u64 i", uint64(tt.size), tt.indexes, pick(tt.indexes), merkle.Prove(hashes[:tt.size], tt.indexes), root)
	}
	good := merkle.Prove(hashes[:7], []uint64{0, 6})
	two := []uint64{0, 6}
	add("a hash short", 7, two, pick(two), good[:len(good)-1], nil)
	add("a hash too many", 7, two, pick(two), append(slices.Clone(good), hashes[0]), nil)
	add("a leaf outside", 7, []uint64{0, 7}, pick([]uint64{0, 7}), good, nil)
	add("indexes descend", 7, []uint64{6, 0}, pick([]uint64{6, 0}), good, nil)
	add("an index twice", 7, []uint64{0, 0}, pick([]uint64{0, 0}), good, nil)
	add("a leaf of the empty tree", 0, []uint64{0}, pick([]uint64{0}), nil, nil)
	add("a proof of the empty tree", 0, nil, nil, hashes[:1], nil)
	golden(t, "merkle.json", vectors{Spec: "1, 12.1", About: "Multi-proofs; a size and indexes are decimal strings. error: the proof is refused.", Cases: cases})
}

// opening is a commit.Opening in JSON.
type opening struct {
	Kind       int         `json:"kind"`
	FieldDepth int         `json:"fieldDepth"`
	Fields     []openField `json:"fields"`
	FieldProof []octets    `json:"fieldProof"`
	UnitDepth  int         `json:"unitDepth"`
	Units      []openUnit  `json:"units"`
	UnitProof  []octets    `json:"unitProof"`
}

type openField struct {
	Leaf uint32 `json:"leaf"`
	Path octets `json:"path"`
	Salt octets `json:"salt"`
	Type int    `json:"type"`
	Text string `json:"text"`
}

type openUnit struct {
	Leaf uint32 `json:"leaf"`
	Salt octets `json:"salt"`
	List int    `json:"list"`
	Key  string `json:"key"`
	Form string `json:"form"`
}

func shown(o commit.Opening) opening {
	out := opening{
		Kind: int(o.Kind), FieldDepth: int(o.FieldDepth), UnitDepth: int(o.UnitDepth),
		Fields: []openField{}, Units: []openUnit{}, FieldProof: []octets{}, UnitProof: []octets{},
	}
	for _, f := range o.Fields {
		out.Fields = append(out.Fields, openField{f.Leaf, octets(f.Path), f.Salt, int(f.Type), f.Text})
	}
	for _, u := range o.Units {
		out.Units = append(out.Units, openUnit{u.Leaf, u.Salt, int(u.List), u.Key.String(), u.Form})
	}
	for _, h := range o.FieldProof {
		out.FieldProof = append(out.FieldProof, slices.Clone(h[:]))
	}
	for _, h := range o.UnitProof {
		out.UnitProof = append(out.UnitProof, slices.Clone(h[:]))
	}
	return out
}

func TestVectorsCommit(t *testing.T) {
	type path struct {
		Path  octets `json:"path"`
		Text  string `json:"text,omitempty"`
		Error bool   `json:"error,omitempty"`
	}
	type cases struct {
		Paths    []path                `json:"paths"`
		Sealed   map[string]octets     `json:"sealedValue"`
		Items    map[string]itemRecord `json:"items"`
		Openings map[string]opening    `json:"openings"` // of the event
		Refused  map[string]opening    `json:"refused"`
		Wrong    map[string]opening    `json:"otherRoot"` // well-formed, but of another item hash
	}
	c := cases{Items: map[string]itemRecord{}, Openings: map[string]opening{}, Refused: map[string]opening{}, Wrong: map[string]opening{}}

	root := commit.Path("")
	for _, p := range []commit.Path{
		root.Field(2), root.Field(15).Index(0).Field(2), root.Field(24).Index(3).Name("http://example.org/", "price").Field(5).Index(0).Name("", "währung"),
		root.Field(1<<32 - 1).Index(1<<32 - 1),
	} {
		c.Paths = append(c.Paths, path{Path: octets(p), Text: p.String()})
	}
	for _, p := range []commit.Path{
		"", "\x00", "\x04", "\x01", "\x01\x00\x00\x00", root.Index(0), root.Name("a", "b"), root.Field(1) + "\x01", root.Field(1) + "\x05\x00\x00\x00\x00",
		root.Field(1) + "\x03\x00\x01", root.Field(1) + "\x03\x00\x01a\x00\x02b", root.Field(1) + "\x03\x00\x01\xff\x00\x00",
		root.Field(1).Name(strings.Repeat("a", 100), "") + "\x02\x00\x00",
	} {
		if p.Check() == nil {
			t.Errorf("path %x is accepted", string(p))
		}
		c.Paths = append(c.Paths, path{Path: octets(p), Error: true})
	}

	list := items(t)
	if _, err := wire.EncodeBody(list); err != nil {
		t.Fatal(err)
	}
	values := []commit.SealedValue{{
		Path: wire.BizTransactionValue(0), Salt: [32]byte(bytes.Repeat([]byte{0x51}, 32)), Type: commit.Text, Text: "urn:epcglobal:cbv:bt:0300011111116:A123",
	}}
	v := values[0]
	pre := cat(tag(network, "value"), str8(v.Salt[:]), []byte{1}, str32([]byte(v.Text)))
	c.Sealed = map[string]octets{"path": octets(v.Path), "salt": v.Salt[:], "preImage": pre, "valueHash": sha(pre)}
	if got := list[1].Sealed[0]; got.Path != v.Path || !bytes.Equal(got.ValueHash[:], sha(pre)) {
		t.Errorf("sealed %x, want %x", got.ValueHash, sha(pre))
	}

	for i, name := range []string{"document header", "event", "unknown kind"} {
		it := &list[i].Committed
		rec := reference(network, it)
		roots, err := commit.Commit(network, it)
		if err != nil || !bytes.Equal(roots.Item[:], rec.ItemHash) || !bytes.Equal(roots.Fields[:], rec.FieldRoot) || !bytes.Equal(roots.Units[:], rec.UnitRoot) {
			t.Errorf("%s: %x (%v), the reference says %x", name, roots, err, rec.ItemHash)
		}
		c.Items[name] = rec
	}

	event := &list[1].Committed
	want, err := commit.Commit(network, event)
	if err != nil {
		t.Fatal(err)
	}
	open := func(field func(*commit.Field) bool, unit func(*commit.Unit) bool, count bool, known []commit.SealedValue) commit.Opening {
		o, err := commit.Open(network, event, field, unit, count, known)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	everyField := func(*commit.Field) bool { return true }
	everyUnit := func(*commit.Unit) bool { return true }
	oneUnit := func(u *commit.Unit) bool { return strings.HasSuffix(u.Form, "/10000000003") }
	step := func(f *commit.Field) bool { return f.Path == wire.FieldPath(wire.FieldBizStep) }
	for name, o := range map[string]commit.Opening{
		"nothing":                 open(nil, nil, false, nil),
		"everything":              open(everyField, everyUnit, true, values),
		"one unit":                open(nil, oneUnit, false, nil),
		"the step and the counts": open(step, nil, true, nil),
		"the sealed field":        open(nil, nil, false, values),
	} {
		if got, err := o.Roots(network); err != nil || got != want {
			t.Errorf("%s: opens to %x (%v), want %x", name, got, err, want)
		}
		c.Openings[name] = shown(o)
	}
	wrong := func(name string, f func(*commit.Opening)) {
		o := open(step, oneUnit, true, values)
		f(&o)
		if got, err := o.Roots(network); err != nil || got == want {
			t.Errorf("%s: %x, %v", name, got, err)
		}
		c.Wrong[name] = shown(o)
	}
	refused := func(name string, f func(*commit.Opening)) {
		o := open(step, oneUnit, true, values)
		f(&o)
		if got, err := o.Roots(network); err == nil {
			t.Errorf("%s: opens to %x", name, got)
		}
		c.Refused[name] = shown(o)
	}
	at := func(o *commit.Opening, p commit.Path) *commit.OpenField {
		i := slices.IndexFunc(o.Fields, func(f commit.OpenField) bool { return f.Path == p })
		return &o.Fields[i]
	}
	wrong("another kind", func(o *commit.Opening) { o.Kind++ })
	wrong("another text", func(o *commit.Opening) { o.Fields[0].Text += " " })
	wrong("another type", func(o *commit.Opening) { at(o, wire.FieldPath(wire.FieldBizStep)).Type = commit.Number })
	wrong("another salt", func(o *commit.Opening) { o.Fields[0].Salt[0] ^= 1 })
	wrong("another list", func(o *commit.Opening) { o.Units[0].List = commit.EPCList })
	wrong("another form", func(o *commit.Opening) { o.Units[0].Form = "urn:epc:id:sgtin:030001.0012345.10000000003" })
	refused("field salt of 15 bytes", func(o *commit.Opening) { o.Fields[0].Salt = o.Fields[0].Salt[:15] })
	refused("unit salt of 32 bytes", func(o *commit.Opening) { o.Units[0].Salt = make([]byte, 32) })
	refused("type 0", func(o *commit.Opening) { at(o, wire.FieldPath(wire.FieldBizStep)).Type = 0 })
	refused("type 7", func(o *commit.Opening) { at(o, wire.FieldPath(wire.FieldBizStep)).Type = 7 })
	refused("count that is a text", func(o *commit.Opening) { at(o, commit.CountPath).Type = commit.Text })
	refused("malformed path", func(o *commit.Opening) { o.Fields[0].Path += "\x01" })
	refused("padding shown as a field", func(o *commit.Opening) { o.Fields[0].Path = "\x00" })
	refused("list 0", func(o *commit.Opening) { o.Units[0].List = 0 })
	refused("list 6", func(o *commit.Opening) { o.Units[0].List = 6 })
	refused("no key", func(o *commit.Opening) { o.Units[0].Key = gs1.Key{} })
	refused("leaf outside", func(o *commit.Opening) { o.Units[0].Leaf = 4 })
	refused("leaves descend", func(o *commit.Opening) { slices.Reverse(o.Fields) })
	refused("a leaf twice", func(o *commit.Opening) { o.Fields[1].Leaf = o.Fields[0].Leaf })
	refused("a field twice", func(o *commit.Opening) { o.Fields[1].Path = o.Fields[0].Path })
	refused("a hash short", func(o *commit.Opening) { o.UnitProof = o.UnitProof[1:] })
	refused("a hash too many", func(o *commit.Opening) { o.FieldProof = append(o.FieldProof, canonical.Hash{}) })
	refused("depth too small", func(o *commit.Opening) { o.FieldDepth-- })
	refused("depth 33", func(o *commit.Opening) { o.FieldDepth = 33 })
	refused("units of an item without", func(o *commit.Opening) { o.UnitDepth = commit.NoUnits })
	golden(t, "commit.json", vectors{
		Spec:  "4, 12.2 (item)",
		About: "Paths; a sealed value; items leaf by leaf; openings of the item \"event\"; openings that are refused, or lead to another item hash.",
		Cases: c,
	})
}

var codes = []verdict.Code{
	verdict.TooLarge, verdict.UnknownPurpose, verdict.Malformed, verdict.WrongNetwork, verdict.WrongEpoch,
	verdict.KeyUnknown, verdict.SigKeyRevoked, verdict.SigInvalid, verdict.BodyHash, verdict.BodyMalformed,
	verdict.TooManyItems, verdict.TooManyUnits, verdict.RootMismatch,
}

// refusal is a message that does not open. Its bytes are the parts, each as often as it says.
type refusal struct {
	Name  string       `json:"name"`
	Code  verdict.Code `json:"code"`
	Parts []part       `json:"parts"`
}

type part struct {
	Bytes octets `json:"bytes"`
	Times int    `json:"times"`
}

func (r refusal) message() (m []byte) {
	for _, p := range r.Parts {
		m = append(m, bytes.Repeat(p.Bytes, p.Times)...)
	}
	return m
}

// forge signs whatever header and body it is given; the body hash is right, the rest as it is.
func forge(h submission.Header, key ed25519.PrivateKey, body ...part) []part {
	h.BodyHash = canonical.Sum(network, "body", refusal{Parts: body}.message())
	if h.KeyID == (canonical.Hash{}) {
		h.KeyID = keys.ID(keys.Event, key.Public().(ed25519.PublicKey))
	}
	raw := h.Encode(network)
	return append([]part{{cat(raw, ed25519.Sign(key, raw)), 1}}, body...)
}

func refusals(tb testing.TB) (out []refusal) {
	tb.Helper()
	good := sign(tb, header(), items(tb), acme)
	opened, err := submission.Open(network, epoch, good, known)
	if err != nil {
		tb.Fatal(err)
	}
	size := len(opened.RawHeader)
	body := part{good[size+64:], 1}
	add := func(code verdict.Code, name string, parts ...part) { out = append(out, refusal{name, code, parts}) }
	whole := func(b []byte) part { return part{b, 1} }
	changed := func(f func(h *submission.Header)) []part {
		h := opened.Header
		f(&h)
		return forge(h, acme, body)
	}
	patched := func(at int, with ...byte) part {
		b := slices.Clone(good)
		copy(b[at:], with)
		return whole(b)
	}
	foreign := sign(tb, header(), items(tb), acme)
	foreign = cat(canonical.AppendTag(nil, other, "submission"), foreign[len(tag(network, "submission")):])

	add(verdict.TooLarge, "786,433 bytes", whole(good), part{[]byte{0}, submission.MaxMessage + 1 - len(good)})
	add(verdict.TooLarge, "786,433 bytes of anything", part{[]byte("x"), submission.MaxMessage + 1})
	add(verdict.UnknownPurpose, "no bytes")
	add(verdict.UnknownPurpose, "a pulse", whole(canonical.AppendTag(nil, network, "pulse")))
	add(verdict.UnknownPurpose, "format 2", patched(len("?verilot/submission"), 2))
	add(verdict.UnknownPurpose, "version 2", patched(len("?verilot/submission")+1, 2))
	add(verdict.Malformed, "ends behind the purpose", whole(good[:len("?verilot/submission")+2]))
	add(verdict.Malformed, "ends within the header", whole(good[:size-1]))
	add(verdict.Malformed, "ends within the signature", whole(good[:size+63]))
	add(verdict.Malformed, "of another network, ends within the signature", whole(foreign[:size+63]))
	for name, f := range map[string]func(h *submission.Header){
		"party empty":                 func(h *submission.Header) { h.Party = "" },
		"party in capitals":           func(h *submission.Header) { h.Party = "ACME" },
		"party begins with a hyphen":  func(h *submission.Header) { h.Party = "-acme" },
		"party of 33 letters":         func(h *submission.Header) { h.Party = strings.Repeat("a", 33) },
		"counter 0":                   func(h *submission.Header) { h.Counter = 0 },
		"UUIDv4":                      func(h *submission.Header) { h.ID[6] = 0x4e },
		"UUID of another variant":     func(h *submission.Header) { h.ID[8] = 0xca },
		"no items":                    func(h *submission.Header) { h.ItemCount = 0 },
		"on_error 0":                  func(h *submission.Header) { h.OnError = 0 },
		"on_error 3":                  func(h *submission.Header) { h.OnError = 3 },
		"group count without a group": func(h *submission.Header) { h.GroupCount = 1 },
		"group index without a group": func(h *submission.Header) { h.GroupIndex = 1 },
		"group of no parts":           func(h *submission.Header) { h.GroupID[0] = 1 },
		"group index behind the count": func(h *submission.Header) {
			h.GroupID[0], h.GroupIndex, h.GroupCount, h.OnError = 1, 2, 2, submission.Proceed
		},
		"rollback in a group of two": func(h *submission.Header) { h.GroupID[0], h.GroupCount = 1, 2 },
	} {
		add(verdict.Malformed, name, changed(f)...)
	}
	slices.SortStableFunc(out, func(a, b refusal) int { // maps have no order
		return (slices.Index(codes, a.Code)-slices.Index(codes, b.Code))*10 + strings.Compare(a.Name, b.Name)
	})
	add(verdict.WrongNetwork, "another network", whole(foreign))
	add(verdict.WrongNetwork, "another network and epoch", whole(slices.Replace(slices.Clone(foreign), len(tag(network, "submission")), len(tag(network, "submission"))+4, 0, 0, 0, 9)))
	add(verdict.WrongEpoch, "epoch 2", changed(func(h *submission.Header) { h.Epoch = 2 })...)
	add(verdict.WrongEpoch, "epoch 2 and an unknown key", changed(func(h *submission.Header) { h.Epoch, h.KeyID[0] = 2, h.KeyID[0]+1 })...)
	add(verdict.KeyUnknown, "key of a stranger", forge(with(opened.Header, func(h *submission.Header) { h.KeyID = canonical.Hash{} }), stranger, body)...)
	add(verdict.KeyUnknown, "key of another party", changed(func(h *submission.Header) { h.Party = "other" })...)
	add(verdict.KeyUnknown, "key for votes", forge(with(opened.Header, func(h *submission.Header) {
		h.KeyID = keys.ID(keys.Vote, voter.Public().(ed25519.PublicKey))
	}), voter, body)...)
	add(verdict.SigKeyRevoked, "revoked key", forge(with(opened.Header, func(h *submission.Header) { h.KeyID = canonical.Hash{} }), lost, body)...)
	add(verdict.SigInvalid, "signature changed", patched(size, good[size]^1))
	add(verdict.SigInvalid, "scalar not reduced", patched(size+63, good[size+63]|0xe0))
	add(verdict.SigInvalid, "signed by another key", forge(opened.Header, stranger, body)...)
	add(verdict.SigInvalid, "header changed", patched(size-1-2-2-16-1-32-32, good[size-1-2-2-16-1-32-32]^1))
	add(verdict.BodyHash, "body changed", patched(len(good)-1, good[len(good)-1]^1))
	add(verdict.BodyHash, "body cut", whole(good[:len(good)-1]))
	add(verdict.BodyHash, "no body", whole(good[:size+64]))

	event := func(f func(e *epcis.Event)) part {
		e := &epcis.Event{Type: "ObjectEvent"}
		f(e)
		b, err := wire.EncodeBody([]wire.Item{{Kind: wire.KindEvent, Message: e}})
		if err != nil {
			tb.Fatal(err)
		}
		return part{b, 1}
	}
	one := with(opened.Header, func(h *submission.Header) { h.ItemCount = 1 })
	add(verdict.BodyMalformed, "not protobuf", forge(one, acme, part{[]byte("hello"), 1})...)
	add(verdict.BodyMalformed, "an unknown field", forge(one, acme, body, part{[]byte{0x12, 0}, 1})...)
	add(verdict.BodyMalformed, "an EPC twice, written alike", forge(one, acme, event(func(e *epcis.Event) {
		e.EPCList = []string{"urn:epc:id:sgtin:030001.0012345.1", "urn:epc:id:sgtin:030001.0012345.1"}
	}))...)
	add(verdict.BodyMalformed, "an EPC twice, written in two ways", forge(one, acme, event(func(e *epcis.Event) {
		e.EPCList = []string{"urn:epc:id:sgtin:030001.0012345.1", "https://id.gs1.org/01/00300010123455/21/1"}
	}))...)
	twice := wire.Item{Kind: wire.KindEvent, Message: &epcis.Event{Type: "ObjectEvent"}, Sealed: []commit.Sealed{{Path: wire.FieldPath(1)}}}
	b, err := wire.EncodeBody([]wire.Item{twice})
	if err != nil {
		tb.Fatal(err)
	}
	add(verdict.BodyMalformed, "a path open and sealed", forge(one, acme, part{b, 1})...)

	// The smallest item: a salt and an empty event.
	small, err := wire.EncodeBody([]wire.Item{{Kind: wire.KindEvent, Message: &epcis.Event{}}})
	if err != nil {
		tb.Fatal(err)
	}
	most := with(opened.Header, func(h *submission.Header) { h.ItemCount = submission.MaxItems })
	add(verdict.TooManyItems, "4,097 items", forge(most, acme, part{small, submission.MaxItems + 1})...)
	add(verdict.TooManyItems, "4,097 items, and nonsense behind", forge(most, acme, part{small, submission.MaxItems + 1}, part{[]byte("nonsense"), 1})...)
	add(verdict.BodyMalformed, "4,096 items, and nonsense behind", forge(most, acme, part{small, submission.MaxItems}, part{[]byte("nonsense"), 1})...)
	// One event with one run of one serial, over and over: reading stops before anybody looks for doubles.
	units := func(n int) []part {
		tails := part{[]byte{0x12, 1, '1'}, n}
		prefix := "\x0a\x20urn:epc:id:sgtin:030001.0012345."
		run := 3*n + len(prefix)
		head := []byte{0x0a, 32}
		head = append(head, make([]byte, 32)...)
		var inner []byte
		inner = binary.AppendUvarint(append(inner, 0xfa, 0x01), uint64(1+len(binary.AppendUvarint(nil, uint64(run)))+run))
		inner = binary.AppendUvarint(append(inner, 0x0a), uint64(run))
		inner = append(inner, prefix...)
		head = binary.AppendUvarint(append(head, 0x5a), uint64(len(inner)+3*n))
		head = append(head, inner...)
		return []part{{binary.AppendUvarint([]byte{0x0a}, uint64(len(head)+3*n)), 1}, {head, 1}, tails}
	}
	add(verdict.TooManyUnits, "16,385 unit references", forge(one, acme, units(submission.MaxUnits+1)...)...)
	add(verdict.BodyMalformed, "16,384 unit references, all alike", forge(one, acme, units(submission.MaxUnits)...)...)
	add(verdict.RootMismatch, "another items root", changed(func(h *submission.Header) { h.ItemsRoot[0] ^= 1 })...)
	add(verdict.RootMismatch, "another item count", changed(func(h *submission.Header) { h.ItemCount++ })...)
	add(verdict.RootMismatch, "a body without items", forge(one, acme, part{nil, 0})...)
	return out
}

func with(h submission.Header, f func(h *submission.Header)) submission.Header {
	f(&h)
	return h
}

func TestVectorsSubmission(t *testing.T) {
	type keyRecord struct {
		Seed      octets `json:"seed"`
		Public    octets `json:"publicKey"`
		Use       string `json:"use"`
		ID        octets `json:"id"`
		Party     string `json:"party"`
		Revoked   bool   `json:"revoked,omitempty"`
		Authority bool   `json:"authority,omitempty"`
	}
	type opened struct {
		Name         string   `json:"name"`
		Message      octets   `json:"message"`
		Header       octets   `json:"header"`
		Signature    octets   `json:"signature"`
		Body         octets   `json:"body"`
		BodyPreImage octets   `json:"bodyPreImage"`
		BodyHash     octets   `json:"bodyHash"`
		ItemHashes   []octets `json:"itemHashes"`
		ItemsRoot    octets   `json:"itemsRoot"`
		Units        int      `json:"units"`
	}
	c := struct {
		Epoch   int         `json:"epoch"`
		Keys    []keyRecord `json:"keys"`
		Opens   []opened    `json:"opens"`
		Refused []refusal   `json:"refused"`
	}{Epoch: epoch}
	for _, key := range []ed25519.PrivateKey{acme, authority, lost, voter} {
		for id, info := range known {
			if info.Public.Equal(key.Public()) {
				c.Keys = append(c.Keys, keyRecord{key.Seed(), octets(info.Public), info.Use, id[:], info.Party, info.Revoked, info.Authority})
			}
		}
	}
	h := header()
	h.OnError, h.GroupID[15], h.GroupIndex, h.GroupCount = submission.Proceed, 9, 1, 2
	a := header()
	a.Party, a.KeyID = "agency", keys.ID(keys.Authority, authority.Public().(ed25519.PublicKey))
	act := []wire.Item{{Kind: wire.KindPartyAct, Message: &registry.Act{
		Party: "acme", Roles: []string{"manufacturer"}, Keys: []registry.Key{{PublicKey: acme.Public().(ed25519.PublicKey), Use: keys.Event}},
	}}}
	for _, m := range []struct {
		name    string
		message []byte
	}{
		{"three items, one field sealed", sign(t, header(), items(t), acme)},
		{"part 2 of 2", sign(t, h, items(t)[:1], acme)},
		{"a party act", sign(t, a, act, authority)},
	} {
		s, err := submission.Open(network, epoch, m.message, known)
		if err != nil {
			t.Fatal(err)
		}
		o := opened{Name: m.name, Message: m.message, Header: s.RawHeader, Signature: s.Signature[:], Body: m.message[len(s.RawHeader)+64:], Units: s.Units}
		o.BodyPreImage = cat(tag(network, "body"), o.Body)
		o.BodyHash = sha(o.BodyPreImage)
		var leaves [][]byte
		for i := range s.Items {
			rec := reference(network, &s.Items[i].Committed)
			o.ItemHashes = append(o.ItemHashes, rec.ItemHash)
			leaves = append(leaves, leafHash(rec.ItemHash))
		}
		o.ItemsRoot = mth(leaves)
		if !bytes.Equal(o.ItemsRoot, s.Header.ItemsRoot[:]) || !bytes.Equal(o.BodyHash, s.Header.BodyHash[:]) {
			t.Errorf("%s: roots differ from the reference", m.name)
		}
		c.Opens = append(c.Opens, o)
	}
	c.Refused = refusals(t)
	seen := map[verdict.Code]bool{}
	for _, r := range c.Refused {
		seen[r.Code] = true
		if _, err := submission.Open(network, epoch, r.message(), known); code(err) != r.Code {
			t.Errorf("%s: %v, want %s", r.Name, err, r.Code)
		}
	}
	for _, code := range codes {
		if !seen[code] {
			t.Errorf("no vector for %s", code)
		}
	}
	golden(t, "submission.json", vectors{
		Spec:  "5",
		About: "Messages that open, with what they commit to, and messages that do not, with their code. A refused message is its parts, each repeated as often as it says.",
		Cases: c,
	})
}
