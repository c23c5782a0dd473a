package proof_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/proof"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

var update = flag.Bool("update", false, "rewrite the golden vectors")

// recertify makes what a test forged true as far as the log and the certificate go: headers follow their roots, the log
// follows the headers, and three validators sign. Only what the validators vouch for is then false.
func recertify(w *world, b *proof.Bundle) {
	c := quorum.Checkpoint{Origin: w.g.Origin(), Size: uint64(len(w.results))}
	heights := make([]uint64, len(b.Blocks))
	for i := range b.Blocks {
		h, err := block.DecodeHeader(w.g.Network, b.Blocks[i].Header)
		if err != nil {
			w.t.Fatal(err)
		}
		heights[i] = h.Height
		w.results[h.Height].Hash = block.HeaderHash(b.Blocks[i].Header)
	}
	c.Root, b.LogProof, _ = w.Log(c.Size, heights)
	b.Root = c.Root
	_, b.Certificate = w.certified()
}

// reheader edits the header of a shown block.
func reheader(w *world, b *proof.Bundle, i int, edit func(*block.Header)) {
	h, err := block.DecodeHeader(w.g.Network, b.Blocks[i].Header)
	if err != nil {
		w.t.Fatal(err)
	}
	edit(&h)
	b.Blocks[i].Header = h.Encode(w.g.Network)
}

// reenter makes the entries root of a shown block follow its submissions.
func reenter(w *world, b *proof.Bundle, i int) {
	reheader(w, b, i, func(h *block.Header) {
		var at []uint64
		var leaves []canonical.Hash
		for _, s := range b.Blocks[i].Submissions {
			at = append(at, s.Seq-h.FirstSeq)
			leaves = append(leaves, merkle.LeafHash(block.EntryLeaf(w.g.Network, s.Seq, block.Submission, s.Header, s.Signature)))
		}
		root, err := merkle.RootFromProof(h.Entries(), at, leaves, b.Blocks[i].EntriesProof)
		if err != nil {
			w.t.Fatal(err)
		}
		h.EntriesRoot = root
	})
	recertify(w, b)
}

// resubmit edits a submission header, signs it with a key and lets the block follow.
func resubmit(w *world, b *proof.Bundle, i int, key string, edit func(*submission.Header)) {
	s := &b.Blocks[i].Submissions[0]
	h, _, err := submission.DecodeHeader(w.g.Network, s.Header)
	if err != nil {
		w.t.Fatal(err)
	}
	edit(&h)
	s.Header = h.Encode(w.g.Network)
	copy(s.Signature[:], ed25519.Sign(testKey(key), s.Header))
	reenter(w, b, i)
}

// reverdict makes the verdicts root of a shown block follow its leaves.
func reverdict(w *world, b *proof.Bundle, i int) {
	reheader(w, b, i, func(h *block.Header) {
		var at []uint64
		var leaves []canonical.Hash
		for _, l := range b.Blocks[i].Verdicts {
			at = append(at, uint64(l.Index))
			leaves = append(leaves, merkle.LeafHash(l.Leaf))
		}
		root, err := merkle.RootFromProof(uint64(h.VerdictLeaves), at, leaves, b.Blocks[i].VerdictsProof)
		if err != nil {
			w.t.Fatal(err)
		}
		h.VerdictsRoot = root
	})
	recertify(w, b)
}

// The blocks of the bundle that is tampered with: registration, shipment, receipt, amendment.
const (
	actBlock = iota
	shipBlock
	receiveBlock
	amendBlock
)

// tampered are edits of one good bundle, with the step at which it must then fail. Edits that re-sign or re-certify make
// everything before that step hold.
var tampered = []struct {
	name, step string
	edit       func(w *world, b *proof.Bundle)
}{
	{"verdict leaves out of order", proof.StepFormat, func(_ *world, b *proof.Bundle) {
		v := b.Blocks[shipBlock].Verdicts
		v[0], v[1] = v[1], v[0]
	}},
	{"a block listed twice", proof.StepHeader, func(_ *world, b *proof.Bundle) {
		b.Blocks = append(b.Blocks, b.Blocks[amendBlock])
	}},
	{"a submission listed twice", proof.StepFormat, func(_ *world, b *proof.Bundle) {
		s := &b.Blocks[shipBlock].Submissions
		*s = append(*s, (*s)[0])
	}},
	{"an item listed twice", proof.StepFormat, func(_ *world, b *proof.Bundle) {
		it := &b.Blocks[shipBlock].Submissions[0].Items
		*it = append(*it, (*it)[0])
	}},
	{"a field listed twice", proof.StepFormat, func(_ *world, b *proof.Bundle) {
		f := &b.Blocks[shipBlock].Submissions[0].Items[0].Fields
		*f = append(*f, (*f)[0])
	}},
	{"a unit listed twice", proof.StepFormat, func(_ *world, b *proof.Bundle) {
		u := &b.Blocks[shipBlock].Submissions[0].Items[0].Units
		*u = append(*u, (*u)[0])
	}},
	{"a key that signed nothing", proof.StepFormat, func(_ *world, b *proof.Bundle) {
		i := uint16(7)
		b.Keys = append(b.Keys, proof.Key{Authority: &i})
	}},
	{"keys out of order", proof.StepFormat, func(_ *world, b *proof.Bundle) {
		b.Keys[0], b.Keys[1] = b.Keys[1], b.Keys[0]
		for i := range b.Blocks {
			for j := range b.Blocks[i].Submissions {
				if k := &b.Blocks[i].Submissions[j].Key; *k < 2 {
					*k = 1 - *k
				}
			}
		}
	}},
	{"a key index beyond the keys", proof.StepFormat, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Key = 3 }},
	{"a party_act that is not in the bundle", proof.StepFormat, func(_ *world, b *proof.Bundle) { b.Keys[1].Act.Item = 1 }},
	{"a subject of no leaf", proof.StepFormat, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Subjects[0].Leaf = 2 }},
	{"another genesis hash", proof.StepGenesis, func(_ *world, b *proof.Bundle) { b.Genesis[31] ^= 1 }},
	{"epoch 2", proof.StepCheckpoint, func(_ *world, b *proof.Bundle) { b.Epoch = 2 }},
	{"size 1", proof.StepCheckpoint, func(_ *world, b *proof.Bundle) { b.Size = 1 }},
	{"size 2^63", proof.StepCheckpoint, func(_ *world, b *proof.Bundle) { b.Size = 1 << 63 }},
	{"another size", proof.StepCertificate, func(_ *world, b *proof.Bundle) { b.Size++ }},
	{"another root", proof.StepCertificate, func(_ *world, b *proof.Bundle) { b.Root[0] ^= 1 }},
	{"another cosignature time", proof.StepCertificate, func(_ *world, b *proof.Bundle) { b.Certificate[0].Time++ }},
	{"one cosignature short", proof.StepCertificate, func(_ *world, b *proof.Bundle) { b.Certificate = b.Certificate[:2] }},
	{"one cosignature more than a quorum", proof.StepCertificate, func(w *world, b *proof.Bundle) { _, b.Certificate = w.certify(0, 1, 2, 3) }},
	{"cosignatures out of order", proof.StepCertificate, func(w *world, b *proof.Bundle) { _, b.Certificate = w.certify(1, 0, 3) }},
	{"one validator twice", proof.StepCertificate, func(w *world, b *proof.Bundle) { _, b.Certificate = w.certify(0, 1, 1) }},
	{"a validator that is not in the set", proof.StepCertificate, func(w *world, b *proof.Bundle) { _, b.Certificate = w.certify(0, 1, 4) }},
	{"a header of another network", proof.StepHeader, func(w *world, b *proof.Bundle) {
		h, _ := block.DecodeHeader(w.g.Network, b.Blocks[shipBlock].Header)
		b.Blocks[shipBlock].Header = h.Encode(canonical.Network{1})
	}},
	{"a header of epoch 2", proof.StepHeader, func(w *world, b *proof.Bundle) {
		reheader(w, b, shipBlock, func(h *block.Header) { h.Epoch = 2 })
	}},
	{"a header above the checkpoint", proof.StepHeader, func(w *world, b *proof.Bundle) {
		reheader(w, b, amendBlock, func(h *block.Header) { h.Height = 5 })
	}},
	{"headers out of order", proof.StepHeader, func(w *world, b *proof.Bundle) {
		reheader(w, b, amendBlock, func(h *block.Header) { h.Height = 3 })
	}},
	{"another block time", proof.StepLog, func(w *world, b *proof.Bundle) {
		reheader(w, b, shipBlock, func(h *block.Header) { h.Time++ })
	}},
	{"a log proof that is one hash short", proof.StepLog, func(_ *world, b *proof.Bundle) { b.LogProof = nil }},
	{"a log proof with a hash too many", proof.StepLog, func(_ *world, b *proof.Bundle) { b.LogProof = append(b.LogProof, canonical.Hash{}) }},
	{"another sequence", proof.StepEntries, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Seq-- }},
	{"a sequence of another block", proof.StepEntries, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Seq += 2 }},
	{"a byte of a submission header", proof.StepEntries, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Header[60] ^= 1 }},
	{"a byte of a submission signature", proof.StepEntries, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Signature[0] ^= 1 }},
	{"accepted for flagged", proof.StepVerdicts, func(_ *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Verdicts[0].Leaf = block.Verdict{Pos: shipAt, Verdict: block.Accepted}.Encode()
	}},
	{"a certified leaf of another block", proof.StepVerdicts, func(w *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Verdicts[0].Leaf = block.Verdict{Pos: receiveAt, Verdict: block.Accepted}.Encode()
		reverdict(w, b, shipBlock)
	}},
	{"a certified leaf that is nonsense", proof.StepVerdicts, func(w *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Verdicts[0].Leaf = []byte("nonsense")
		reverdict(w, b, shipBlock)
	}},
	{"another subject", proof.StepSubjects, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Subjects[0].Key = finding[1] }},
	{"another salt of a subject", proof.StepSubjects, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Subjects[0].Salt[0] ^= 1 }},
	{"a subject of a verdict", proof.StepSubjects, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Subjects[0].Leaf = 0 }},
	{"a subject index beyond the count", proof.StepSubjects, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Subjects[0].Index = 3 }},
	{"a party that is not in the genesis file", proof.StepKey, func(_ *world, b *proof.Bundle) { b.Keys[0].Genesis.Party = 6 }},
	{"a key for cosignatures", proof.StepKey, func(_ *world, b *proof.Bundle) { b.Keys[0].Genesis.Key = 0 }},
	{"an authority that is not in the genesis file", proof.StepKey, func(_ *world, b *proof.Bundle) { *b.Keys[2].Authority = 1 }},
	{"another key of the party_act", proof.StepKey, func(_ *world, b *proof.Bundle) { b.Keys[1].Act.Key = 0 }},
	{"a key of an event", proof.StepKey, func(_ *world, b *proof.Bundle) { b.Keys[1].Act.Block = shipBlock }},
	{"a key whose use is not shown", proof.StepKey, func(_ *world, b *proof.Bundle) {
		it := &b.Blocks[actBlock].Submissions[0].Items[0]
		for i := range it.Fields {
			if it.Fields[i].Path == commit.Path("").Field(4).Index(1).Field(2) {
				it.Fields = append(it.Fields[:i], it.Fields[i+1:]...)
				break
			}
		}
	}},
	{"a party_act that was rejected", proof.StepKey, func(w *world, b *proof.Bundle) {
		b.Blocks[actBlock].Verdicts[0].Leaf = block.Verdict{Pos: actAt, Verdict: block.Rejected, Code: "NOT_AUTHORISED"}.Encode()
		reverdict(w, b, actBlock)
	}},
	{"a party_act signed by a manufacturer", proof.StepKey, func(w *world, b *proof.Bundle) {
		i := b.Blocks[shipBlock].Submissions[0].Key
		b.Blocks[actBlock].Submissions[0].Key = i
		b.Keys = b.Keys[:2] // the authority's is no longer used
		resubmit(w, b, actBlock, "acme/event", func(h *submission.Header) {
			h.Party, h.KeyID = "acme", keys.ID(keys.Event, pub("acme/event"))
		})
	}},
	{"a submission in another party's name", proof.StepKey, func(w *world, b *proof.Bundle) {
		resubmit(w, b, shipBlock, "acme/event", func(h *submission.Header) { h.Party = "newco" })
	}},
	{"a submission of epoch 2", proof.StepKey, func(w *world, b *proof.Bundle) {
		resubmit(w, b, shipBlock, "acme/event", func(h *submission.Header) { h.Epoch = 2 })
	}},
	{"a submission that names another key", proof.StepKey, func(w *world, b *proof.Bundle) {
		resubmit(w, b, shipBlock, "acme/event", func(h *submission.Header) { h.KeyID[0] ^= 1 })
	}},
	{"a byte behind a submission header", proof.StepKey, func(w *world, b *proof.Bundle) {
		s := &b.Blocks[shipBlock].Submissions[0]
		s.Header = append(bytes.Clone(s.Header), 0)
		reenter(w, b, shipBlock)
	}},
	{"a certified submission with another's signature", proof.StepSignature, func(w *world, b *proof.Bundle) {
		resubmit(w, b, shipBlock, "newco/event", func(*submission.Header) {})
	}},
	{"a field proof that is one hash short", proof.StepFields, func(_ *world, b *proof.Bundle) {
		p := &b.Blocks[shipBlock].Submissions[0].Items[0].FieldProof
		*p = (*p)[1:]
	}},
	{"a field index beyond the tree", proof.StepFields, func(_ *world, b *proof.Bundle) {
		f := b.Blocks[shipBlock].Submissions[0].Items[0].Fields
		f[len(f)-1].Leaf = 32
	}},
	{"a field under a path that is none", proof.StepFields, func(_ *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Submissions[0].Items[0].Fields[0].Path = "\x05"
	}},
	{"a salt of 15 bytes", proof.StepFields, func(_ *world, b *proof.Bundle) {
		f := &b.Blocks[shipBlock].Submissions[0].Items[0].Fields[0]
		f.Salt = f.Salt[1:]
	}},
	{"a field depth of 200", proof.StepFields, func(_ *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Submissions[0].Items[0].FieldDepth = 200
	}},
	{"a unit proof with a hash too many", proof.StepUnits, func(_ *world, b *proof.Bundle) {
		p := &b.Blocks[shipBlock].Submissions[0].Items[0].UnitProof
		*p = append(*p, canonical.Hash{})
	}},
	{"units in an item without units", proof.StepUnits, func(_ *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Submissions[0].Items[0].UnitDepth = commit.NoUnits
	}},
	{"another text of a field", proof.StepItems, func(_ *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Submissions[0].Items[0].Fields[0].Text += "0"
	}},
	{"another serial", proof.StepItems, func(_ *world, b *proof.Bundle) {
		b.Blocks[shipBlock].Submissions[0].Items[0].Units[0].Form = sgtin(1)
	}},
	{"another item index", proof.StepItems, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Items[0].Index = 0 }},
	{"an item index beyond the count", proof.StepItems, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Items[0].Index = 2 }},
	{"a lot for an event", proof.StepItems, func(_ *world, b *proof.Bundle) { b.Blocks[shipBlock].Submissions[0].Items[0].Kind = wire.KindLot }},
	{"an item without its verdict", proof.StepVerdict, func(w *world, b *proof.Bundle) {
		blk := &b.Blocks[receiveBlock]
		blk.Verdicts, blk.VerdictsProof = nil, []canonical.Hash{w.results[3].Header.VerdictsRoot}
	}},
}

// tamper builds the bundle that edits start from: everything a bundle can hold, in little.
func tamper(tb testing.TB) (*world, *proof.Bundle) {
	tb.Helper()
	w := story(tb, 3)
	action := func(f *commit.Field) bool { return f.Path == commit.Path("").Field(8) }
	b := w.build(
		proof.Want{Pos: shipAt, Field: action, Unit: unit(0), Known: w.known[shipAt], Subjects: finding[:1], Amendments: []uint64{4}},
		proof.Want{Pos: receiveAt})
	again, err := proof.ParseBinary(b.Binary()) // edits must not reach the world
	if err != nil {
		tb.Fatal(err)
	}
	return w, again
}

func TestTampered(t *testing.T) {
	w, b := tamper(t)
	verified(t, w, b)
	for _, tt := range tampered {
		t.Run(tt.name, func(t *testing.T) {
			w, b := tamper(t)
			tt.edit(w, b)
			_, err := proof.Verify(w.g, b)
			if !isStep(err, tt.step) {
				t.Errorf("failed with %v, want step %s", err, tt.step)
			}
			for name, parse := range map[string]func() (*proof.Bundle, error){
				"binary": func() (*proof.Bundle, error) { return proof.ParseBinary(b.Binary()) },
				"json":   func() (*proof.Bundle, error) { return proof.ParseJSON(b.JSON()) },
			} {
				p, err := parse()
				if tt.step == proof.StepFormat {
					if !isStep(err, tt.step) {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
				} else if _, err = proof.Verify(w.g, p); !isStep(err, tt.step) {
					t.Errorf("%s: failed with %v", name, err)
				}
			}
		})
	}
}

type bundleVector struct {
	Name   string       `json:"name"`
	Binary string       `json:"binaryHex"`
	JSON   string       `json:"json"`
	Report reportVector `json:"report"`
}

type reportVector struct {
	Origin  string       `json:"origin"`
	Size    string       `json:"size"`
	Signers []string     `json:"signers"`
	Steps   []stepVector `json:"steps"`
	Closed  int          `json:"amendments"`
}

type stepVector struct {
	Position string        `json:"position"`
	Sequence string        `json:"sequence"`
	Time     string        `json:"time"`
	Party    string        `json:"party"`
	Kind     uint8         `json:"kind"`
	Verdict  string        `json:"verdict"`
	Code     string        `json:"code"`
	Findings []string      `json:"findings"`
	Fields   []fieldVector `json:"fields"`
	Units    []string      `json:"units"`
}

type fieldVector struct {
	Path string `json:"path"`
	Text string `json:"text"`
}

// tamperedVector is an edit of the bundle named in tamperedFrom: Remove bytes at offset At give way to Insert.
type tamperedVector struct {
	Name   string `json:"name"`
	Step   string `json:"step"`
	At     int    `json:"at"`
	Remove int    `json:"remove"`
	Insert string `json:"insertHex"`
}

func difference(name, step string, from, to []byte) tamperedVector {
	at := 0
	for at < len(from) && at < len(to) && from[at] == to[at] {
		at++
	}
	tail := 0
	for tail < len(from)-at && tail < len(to)-at && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	return tamperedVector{name, step, at, len(from) - tail - at, hex.EncodeToString(to[at : len(to)-tail])}
}

func (v *tamperedVector) apply(from []byte) []byte {
	insert, _ := hex.DecodeString(v.Insert)
	return append(append(bytes.Clone(from[:v.At]), insert...), from[v.At+v.Remove:]...)
}

func reportOf(r *proof.Report) reportVector {
	v := reportVector{Origin: r.Checkpoint.Origin, Size: strconv.FormatUint(r.Checkpoint.Size, 10), Signers: r.Signers, Closed: len(r.Amendments)}
	for _, s := range r.Steps {
		sv := stepVector{
			Position: s.Pos.String(), Sequence: strconv.FormatUint(s.Seq, 10), Time: strconv.FormatInt(s.Time, 10), Party: s.Party, Kind: s.Kind,
			Verdict: s.Verdict, Code: s.Code, Findings: append([]string{}, s.Findings...), Fields: []fieldVector{}, Units: []string{},
		}
		for _, f := range s.Fields {
			sv.Fields = append(sv.Fields, fieldVector{f.Path.String(), f.Text})
		}
		for _, u := range s.Units {
			sv.Units = append(sv.Units, u.Key.String())
		}
		v.Steps = append(v.Steps, sv)
	}
	return v
}

func TestVectors(t *testing.T) {
	var v struct {
		Comment  string           `json:"comment"`
		KeysFrom string           `json:"keysFrom"`
		Genesis  string           `json:"genesis"`
		Bundles  []bundleVector   `json:"bundles"`
		Base     string           `json:"tamperedFrom"`
		Tampered []tamperedVector `json:"tampered"`
		BadJSON  []jsonVector     `json:"jsonRefused"`
	}
	v.Comment = "docs/spec.md section 12. genesis is the file's text. Every bundle verifies and shows the report. A tampered bundle is the one named in tamperedFrom with remove bytes at offset at replaced by insertHex; it fails first at the step given; those that get past certificate were signed by the validators all the same. jsonRefused: the first bundle's json with the first old replaced by new, then append; fails at format."
	v.KeysFrom = `seed = SHA-256("verilot test key " + name), names v1/vote, v1/cosign, board/authority, acme/event, newco/event`
	w := story(t, 48)
	v.Genesis = string(w.g.File)
	if _, err := genesis.Parse([]byte(v.Genesis)); err != nil {
		t.Fatal(err)
	}
	add := func(name string, w *world, b *proof.Bundle) {
		v.Bundles = append(v.Bundles, bundleVector{name, hex.EncodeToString(b.Binary()), string(b.JSON()), reportOf(verified(t, w, b))})
	}
	add("all fields and one of 48 units, one field sealed, signed with a key of genesis", w, w.build(w.wants()[0]))
	add("one field and one of 48 units, signed with a key from a party_act", w, w.build(w.wants()[1]))
	add("only that an item stands there, with its verdict", w, w.build(proof.Want{Pos: shipAt}))
	add("only the checkpoint", w, w.build())
	w, b := tamper(t)
	add("the one that the tampered ones come from", w, b)
	v.Base = v.Bundles[len(v.Bundles)-1].Name
	good := b.Binary()
	v.Tampered = append(v.Tampered,
		difference("a trailing byte", proof.StepFormat, good, append(bytes.Clone(good), 0)),
		difference("cut short", proof.StepFormat, good, good[:len(good)-1]),
		difference("version 2", proof.StepFormat, good, append([]byte("VLTP\x02"), good[5:]...)),
		difference("a count that the input cannot hold", proof.StepFormat, good, append(bytes.Clone(good[:5+32+44]), 0xFF, 0xFF)))
	for _, tt := range tampered {
		w, b := tamper(t)
		tt.edit(w, b)
		v.Tampered = append(v.Tampered, difference(tt.name, tt.step, good, b.Binary()))
	}
	for _, tv := range v.Tampered {
		p, err := proof.ParseBinary(tv.apply(good))
		if err == nil {
			_, err = proof.Verify(w.g, p)
		}
		if !isStep(err, tv.Step) {
			t.Errorf("%s: %v, want step %s", tv.Name, err, tv.Step)
		}
	}
	v.BadJSON = badJSON()
	golden(t, "proof.json", v)
}

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
