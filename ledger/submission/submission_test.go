package submission_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

var (
	network = canonical.Network{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	other   = canonical.Network{0xff}
)

const epoch = 1

// book is a registry of keys by hand.
type book map[canonical.Hash]registry.KeyInfo

func (b book) Key(id canonical.Hash) (registry.KeyInfo, bool) {
	info, ok := b[id]
	return info, ok
}

func (b book) add(seed byte, info registry.KeyInfo) ed25519.PrivateKey {
	priv := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	info.Public = priv.Public().(ed25519.PublicKey)
	b[keys.ID(info.Use, info.Public)] = info
	return priv
}

var (
	known     = book{}
	acme      = known.add(1, registry.KeyInfo{Party: "acme", Use: keys.Event})
	authority = known.add(2, registry.KeyInfo{Party: "agency", Use: keys.Authority, Authority: true})
	lost      = known.add(3, registry.KeyInfo{Party: "acme", Use: keys.Event, Revoked: true})
	voter     = known.add(4, registry.KeyInfo{Party: "acme", Use: keys.Vote})
	stranger  = book{}.add(5, registry.KeyInfo{Use: keys.Event})
)

func header() submission.Header {
	return submission.Header{
		Epoch: epoch, Party: "acme", Counter: 7, OnError: submission.Rollback, CreatedAt: 1_772_355_600_000,
		ID: [16]byte{0x01, 0x9c, 0xa9, 0x5e, 0x14, 0x80, 0x7e, 0x4f, 0x8a, 0x5b, 0x6c, 0x7d, 0x8e, 0x9f, 0x0a, 0x1b},
	}
}

// items are a document of three: its header, a packing event with one sealed field, and something from the future.
func items(tb testing.TB) []wire.Item {
	tb.Helper()
	out := []wire.Item{
		{Kind: wire.KindDocumentHeader, Message: &epcis.Header{SchemaVersion: "2.0", TransactionStatement: "true"}},
		{Kind: wire.KindEvent, Message: &epcis.Event{
			Type: "AggregationEvent", EventTime: "2026-03-01T09:00:00.000-05:00", EventTimeZoneOffset: "-05:00",
			Action: "ADD", BizStep: "packing", ReadPoint: &epcis.Place{ID: "urn:epc:id:sgln:030001.111111.0"},
			BizTransactionList: []epcis.BizTransaction{{Type: "po", Value: "urn:epcglobal:cbv:bt:0300011111116:A123"}},
			ILMD:               []epcis.Extension{{Namespace: "urn:epcglobal:cbv:mda", Name: "lotNumber", Type: epcis.Text, Text: "A1"}},
			ParentID:           "urn:epc:id:sscc:030001.00000000001",
			ChildEPCs: []string{
				"urn:epc:id:sgtin:030001.0012345.10000000001", "urn:epc:id:sgtin:030001.0012345.10000000002",
				"https://id.gs1.org/01/00300010123455/21/10000000003",
			},
		}},
		{Kind: 77, Opaque: []byte("a kind of later")},
	}
	for i := range out {
		out[i].Salt = [32]byte(bytes.Repeat([]byte{byte(0xa0 + i)}, 32))
	}
	if _, err := seal(&out[1]); err != nil {
		tb.Fatal(err)
	}
	return out
}

func seal(it *wire.Item) ([]commit.SealedValue, error) {
	n := byte(0x50)
	return wire.Seal(network, it, wire.DefaultSealed(it), func() [32]byte {
		n++
		return [32]byte(bytes.Repeat([]byte{n}, 32))
	})
}

func sign(tb testing.TB, h submission.Header, items []wire.Item, key crypto.Signer) []byte {
	tb.Helper()
	m, err := submission.Sign(network, h, items, key)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func code(err error) verdict.Code {
	if err == nil {
		return ""
	}
	if e := (*submission.Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return verdict.Code("not an *Error: " + err.Error())
}

func TestSignedMessageOpens(t *testing.T) {
	m := sign(t, header(), items(t), acme)
	s, err := submission.Open(network, epoch, m, known)
	if err != nil {
		t.Fatal(err)
	}
	if s.Authority || s.Header.Party != "acme" || s.Header.Counter != 7 || len(s.Items) != 3 || s.Units != 4 {
		t.Errorf("opened as %+v", s.Header)
	}
	for i := range s.Items {
		if roots, err := commit.Commit(network, &s.Items[i].Committed); err != nil || roots.Item != s.Hashes[i] {
			t.Errorf("item %d: hash %x, want %x (%v)", i, s.Hashes[i], roots.Item, err)
		}
	}
	if !bytes.HasPrefix(m, s.RawHeader) || !bytes.Equal(s.RawHeader, s.Header.Encode(network)) {
		t.Error("the header's bytes are not those received")
	}
}

func TestAuthoritySigns(t *testing.T) {
	h := header()
	h.Party, h.KeyID = "agency", keys.ID(keys.Authority, authority.Public().(ed25519.PublicKey))
	act := []wire.Item{{Kind: wire.KindPartyAct, Message: &registry.Act{Party: "acme", Roles: []string{"manufacturer"}}}}
	s, err := submission.Open(network, epoch, sign(t, h, act, authority), known)
	if err != nil || !s.Authority {
		t.Errorf("opened as %+v (%v)", s, err)
	}
}

func TestSignRefuses(t *testing.T) {
	epcs := make([]string, 5000)
	for i := range epcs {
		epcs[i] = fmt.Sprintf("urn:epc:id:sgtin:030001.0012345.%d", i%4999) // one twice
	}
	for _, tt := range []struct {
		name  string
		h     func(*submission.Header)
		items []wire.Item
	}{
		{"no items", nil, nil},
		{"party in capitals", func(h *submission.Header) { h.Party = "Acme" }, items(t)},
		{"counter 0", func(h *submission.Header) { h.Counter = 0 }, items(t)},
		{"an EPC twice", nil, []wire.Item{{Kind: wire.KindEvent, Message: &epcis.Event{EPCList: epcs}}}},
		{"too large", nil, []wire.Item{{Kind: 99, Opaque: make([]byte, submission.MaxMessage)}}},
		{"message of another kind", nil, []wire.Item{{Kind: wire.KindLot, Message: &epcis.Event{}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := header()
			if tt.h != nil {
				tt.h(&h)
			}
			if _, err := submission.Sign(network, h, tt.items, acme); err == nil {
				t.Error("signed")
			}
		})
	}
}

// In steps, in batches or in one go: the same answer. Work done ahead under one key does not count for another.
func TestStepsAgreeWithOpen(t *testing.T) {
	var v keys.Verifier
	var payloads [][]byte
	for _, c := range refusals(t) {
		payloads = append(payloads, c.message())
	}
	payloads = append(payloads, sign(t, header(), items(t), acme), sign(t, header(), items(t), lost))
	var batch []*submission.Envelope
	var want []verdict.Code
	for _, p := range payloads {
		e, err := submission.Decode(network, epoch, p)
		_, openErr := submission.Open(network, epoch, p, known)
		if err != nil {
			if code(err) != code(openErr) {
				t.Errorf("decode says %v, open %v", err, openErr)
			}
			continue
		}
		batch = append(batch, e)
		want = append(want, code(openErr))
	}
	submission.VerifyBatch(&v, rand.New(rand.NewSource(1)), known, batch)
	for i, e := range batch {
		if i%2 == 0 {
			e.ReadBody()
		}
		if _, err := e.Open(known); code(err) != want[i] {
			t.Errorf("in steps %v, in one go %q", err, want[i])
		}
	}

	e, err := submission.Decode(network, epoch, payloads[len(payloads)-2])
	if err != nil {
		t.Fatal(err)
	}
	e.Verify(&v, known)
	e.ReadBody()
	changed := book{e.Header.KeyID: {Party: "acme", Use: keys.Event, Public: stranger.Public().(ed25519.PublicKey)}}
	if _, err := e.Open(changed); code(err) != verdict.SigInvalid {
		t.Errorf("under another key: %v", err)
	}
	if _, err := e.Open(book{}); code(err) != verdict.KeyUnknown {
		t.Errorf("under no key: %v", err)
	}
	if _, err := e.Open(known); err != nil {
		t.Errorf("under its key again: %v", err)
	}
}

// anItem draws an item that can be signed.
func anItem() *rapid.Generator[wire.Item] {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abcé0-:.")), 0, 6, -1)
	return rapid.Custom(func(t *rapid.T) wire.Item {
		it := wire.Item{Kind: wire.KindEvent, Salt: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "salt"))}
		if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
			it.Kind, it.Opaque = uint8(rapid.IntRange(20, 255).Draw(t, "unknown kind")), rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
			return it
		}
		var ext func(depth int) []epcis.Extension
		ext = func(depth int) (out []epcis.Extension) {
			for range rapid.IntRange(0, 2).Draw(t, "extensions") {
				x := epcis.Extension{Namespace: text.Draw(t, "ns"), Name: text.Draw(t, "name"), Type: epcis.ValueType(rapid.IntRange(0, 5).Draw(t, "type"))}
				if x.Type >= epcis.Text && x.Type <= epcis.Boolean {
					x.Text = text.Draw(t, "text")
				}
				if depth > 0 {
					x.Attributes, x.Children = ext(depth-1), ext(depth-1)
				}
				out = append(out, x)
			}
			return out
		}
		e := &epcis.Event{
			Type: text.Draw(t, "type"), Action: text.Draw(t, "action"), CertificationInfo: rapid.SliceOfN(text, 0, 3).Draw(t, "certificates"),
			ILMD: ext(1), Extensions: ext(2),
		}
		for range rapid.IntRange(0, 3).Draw(t, "transactions") {
			e.BizTransactionList = append(e.BizTransactionList, epcis.BizTransaction{Type: text.Draw(t, "type"), Value: text.Draw(t, "value")})
		}
		serials := func() (out []string) {
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 99), 0, 9, rapid.ID[int]).Draw(t, "serials") {
				if n%3 == 0 {
					out = append(out, fmt.Sprintf("https://id.gs1.org/01/00300010123455/21/%d", n))
				} else {
					out = append(out, fmt.Sprintf("urn:epc:id:sgtin:030001.0012345.%d", n))
				}
			}
			return out
		}
		e.EPCList, e.ChildEPCs = serials(), serials()
		if rapid.Bool().Draw(t, "parent") {
			e.ParentID = "urn:epc:id:sscc:030001.00000000001"
		}
		it.Message = e
		return it
	})
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(anItem(), 1, 5).Draw(t, "items")
		var values []commit.SealedValue
		if items[0].Message != nil && rapid.Bool().Draw(t, "seal") {
			n := byte(0)
			var err error
			values, err = wire.Seal(network, &items[0], func(commit.Field) bool { return rapid.Bool().Draw(t, "seal this") }, func() [32]byte {
				n++
				return [32]byte{n}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		m, err := submission.Sign(network, header(), items, acme)
		if err != nil {
			t.Fatal(err)
		}
		s, err := submission.Open(network, epoch, m, known)
		if err != nil {
			t.Fatal(err)
		}

		for i := range s.Items {
			// The other program gets the same hash.
			it := &s.Items[i].Committed
			if want := reference(network, it).ItemHash; !bytes.Equal(want, s.Hashes[i][:]) {
				t.Fatalf("item %d: hash %x, the reference says %x", i, s.Hashes[i], want)
			}
			// Whatever is shown of it leads to that hash, and nothing that was changed does.
			o, err := commit.Open(network, it,
				func(*commit.Field) bool { return rapid.Bool().Draw(t, "show field") },
				func(*commit.Unit) bool { return rapid.Bool().Draw(t, "show unit") },
				rapid.Bool().Draw(t, "show count"), values[:len(values)*(1-min(i, 1))])
			if err != nil {
				t.Fatal(err)
			}
			if roots, err := o.Roots(network); err != nil || roots.Item != s.Hashes[i] {
				t.Fatalf("item %d opens to %x (%v), want %x", i, roots.Item, err, s.Hashes[i])
			}
			if len(o.Fields) > 0 {
				o.Fields[0].Text += "x"
				if roots, err := o.Roots(network); err == nil && roots.Item == s.Hashes[i] {
					t.Fatal("a changed text opens to the same hash")
				}
			}
		}

		at := rapid.IntRange(0, len(m)-1).Draw(t, "at")
		m[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		if _, err := submission.Open(network, epoch, m, known); err == nil {
			t.Fatalf("opens with byte %d changed", at)
		}
	})
}

// One message, every byte of it.
func TestEveryByteCounts(t *testing.T) {
	m := sign(t, header(), items(t), acme)
	for at := range m {
		bad := slices.Clone(m)
		bad[at] ^= 0x01
		if _, err := submission.Open(network, epoch, bad, known); err == nil {
			t.Errorf("opens with byte %d changed", at)
		}
	}
	for n := range m {
		if _, err := submission.Open(network, epoch, m[:n], known); err == nil {
			t.Errorf("opens with %d of %d bytes", n, len(m))
		}
	}
}

// anyone makes fuzzing reach the body: every key is acme's, and it signs what it is given.
func FuzzOpen(f *testing.F) {
	f.Add(sign(f, header(), items(f), acme), false)
	for _, c := range refusals(f) {
		if m := c.message(); len(m) < 4000 {
			f.Add(m, true)
		}
	}
	id := keys.ID(keys.Event, acme.Public().(ed25519.PublicKey))
	f.Fuzz(func(t *testing.T, payload []byte, signIt bool) {
		if signIt {
			if h, raw, err := submission.DecodeHeader(network, payload); err == nil && len(payload) >= len(raw)+64 {
				body := payload[len(raw)+64:]
				h.KeyID, h.Party, h.Epoch = id, "acme", epoch
				h.BodyHash = canonical.Sum(network, "body", body)
				raw = h.Encode(network)
				payload = slices.Concat(raw, ed25519.Sign(acme, raw), body)
			}
		}
		s, err := submission.Open(network, epoch, payload, known)
		if err != nil {
			if c := code(err); !slices.Contains(codes, c) {
				t.Fatalf("code %q", c)
			}
			return
		}
		again, err := submission.Sign(network, s.Header, slices.Clone(s.Items), acme)
		if err != nil || !bytes.Equal(again, payload) {
			t.Fatalf("signed again it is %x (%v)\nit was %x", again, err, payload)
		}
	})
}

func FuzzDecodeHeader(f *testing.F) {
	m := sign(f, header(), items(f), acme)
	f.Add(m)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, raw, err := submission.DecodeHeader(network, b)
		if err == nil && (!bytes.Equal(h.Encode(network), raw) || !bytes.HasPrefix(b, raw)) {
			t.Errorf("%x encodes to %x", raw, h.Encode(network))
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{1, 48, 10_000} {
		e := &epcis.Event{
			Type: "ObjectEvent", EventTime: "2026-03-01T09:00:00.000-05:00", EventTimeZoneOffset: "-05:00", Action: "OBSERVE",
			BizStep: "shipping", Disposition: "in_transit", ReadPoint: &epcis.Place{ID: "urn:epc:id:sgln:030001.111111.0"},
			SourceList:      []epcis.SourceDest{{Type: "owning_party", Value: "urn:epc:id:pgln:030001.111111"}},
			DestinationList: []epcis.SourceDest{{Type: "owning_party", Value: "urn:epc:id:pgln:039999.999999"}},
		}
		for i := range n {
			e.EPCList = append(e.EPCList, fmt.Sprintf("urn:epc:id:sgtin:030001.0012345.%012d", i))
		}
		m := sign(b, header(), []wire.Item{{Kind: wire.KindEvent, Message: e}}, acme)
		var v keys.Verifier
		b.Run(fmt.Sprintf("units=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e, err := submission.Decode(network, epoch, m)
				if err != nil {
					b.Fatal(err)
				}
				e.Verify(&v, known)
				if _, err := e.Open(known); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
