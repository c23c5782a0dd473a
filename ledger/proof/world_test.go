package proof_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/proof"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/registry/registrytest"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

// testKey is the Ed25519 key whose seed is SHA-256 of a name; the vectors say so.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func pub(name string) ed25519.PublicKey { return testKey(name).Public().(ed25519.PublicKey) }

func sum(s string) canonical.Hash { return sha256.Sum256([]byte(s)) }

const created = 1767225600000

// world is a small ledger put together by hand, so that vectors rest on bytes alone and not on the rules of custody. It
// is also the Source of a builder. Tests may make it lie: what it certifies is then false, and Verify must say so.
type world struct {
	t       testing.TB
	g       *genesis.Genesis
	results []*consensus.Result
	records map[canonical.Hash]proof.KeyRecord
	known   map[canonical.Position][]commit.SealedValue
	salts   int // item salts drawn
	ids     int
	counter uint64
	corrupt func(*submission.Header, *[64]byte) // applied to the next message after signing
}

func newWorld(tb testing.TB, validators int) *world {
	tb.Helper()
	g := &genesis.Genesis{
		Name: "test", Development: true, CreatedAt: created, Epoch: 1, RulesVersion: 1, StateKind: 1,
		VerdictKey: sum("verilot test verdict key"), GraceSeconds: 86400,
		Authorities: []genesis.Authority{{Party: "board", Key: pub("board/authority")}},
	}
	for i := range validators {
		v := fmt.Sprintf("v%d", i+1)
		g.Validators.Validators = append(g.Validators.Validators, quorum.Validator{
			Name: v + ".test.example", Party: v, VoteKey: pub(v + "/vote"), CosignKey: pub(v + "/cosign"),
		})
		g.Parties = append(g.Parties, registry.Act{Party: v, Name: "Validator " + v, Roles: []string{"validator"}})
	}
	g.Parties = append(g.Parties,
		registry.Act{Party: "board", Name: "Board", Roles: []string{"authority"}},
		registry.Act{Party: "acme", Name: "Acme", Roles: []string{"manufacturer"}, Keys: []registry.Key{
			{PublicKey: pub("acme/cosign"), Use: keys.Cosign}, {PublicKey: pub("acme/event"), Use: keys.Event},
		}, Licences: registrytest.Licences("acme", "manufacturer")})
	file, err := genesis.Format(g)
	if err != nil {
		tb.Fatal(err)
	}
	w := &world{t: tb, known: map[canonical.Position][]commit.SealedValue{}}
	if w.g, err = genesis.Parse(file); err != nil {
		tb.Fatal(err)
	}
	w.records = map[canonical.Hash]proof.KeyRecord{
		keys.ID(keys.Authority, pub("board/authority")): {Genesis: true, Authority: true, Party: 0},
		keys.ID(keys.Event, pub("acme/event")):          {Genesis: true, Party: validators + 1, Key: 1},
	}
	w.block()
	return w
}

func (w *world) salt() [32]byte {
	w.salts++
	return sum(fmt.Sprintf("verilot test salt %d", w.salts))
}

// entry is a message of a block and what is judged of it.
type entry struct {
	e        consensus.Entry
	verdicts []any // verdicts and findings; positions are filled in
	subjects map[int][]string
}

func (w *world) noise(text string) entry {
	return entry{e: consensus.Entry{Kind: block.NotOpened, Payload: []byte(text)}}
}

func (w *world) submit(party, key, use string, items []wire.Item, verdicts ...any) entry {
	w.t.Helper()
	w.ids++
	w.counter++
	h := submission.Header{
		Epoch: 1, Party: party, KeyID: keys.ID(use, pub(key)), Counter: w.counter,
		CreatedAt: created + int64(w.ids)*1000, OnError: submission.Proceed,
	}
	id := sum(fmt.Sprintf("verilot test id %d", w.ids))
	copy(h.ID[:], id[:])
	h.ID[6], h.ID[8] = h.ID[6]&0x0F|0x70, h.ID[8]&0x3F|0x80
	payload, err := submission.Sign(w.g.Network, h, items, testKey(key))
	if err != nil {
		w.t.Fatal(err)
	}
	h, raw, err := submission.DecodeHeader(w.g.Network, payload)
	if err != nil {
		w.t.Fatal(err)
	}
	sub := &submission.Submission{Header: h, RawHeader: bytes.Clone(raw), Items: items}
	copy(sub.Signature[:], payload[len(raw):])
	if w.corrupt != nil {
		w.corrupt(&sub.Header, &sub.Signature)
		sub.RawHeader = sub.Header.Encode(w.g.Network)
		w.corrupt = nil
	}
	for i := range items {
		roots, err := commit.Commit(w.g.Network, &items[i].Committed)
		if err != nil {
			w.t.Fatal(err)
		}
		sub.Hashes = append(sub.Hashes, roots.Item)
	}
	return entry{e: consensus.Entry{Kind: block.Submission, Payload: payload, Submission: sub}, verdicts: verdicts, subjects: map[int][]string{}}
}

// amended is an amendment that a block begins with.
type amended struct {
	a        block.Amendment
	subjects []string
}

// block appends a block of entries.
func (w *world) block(entries ...entry) *consensus.Result { return w.amendingBlock(nil, entries...) }

func (w *world) amendingBlock(amendments []amended, entries ...entry) *consensus.Result {
	r := &consensus.Result{Header: block.Header{
		Epoch: 1, Height: uint64(len(w.results)), Time: created + int64(len(w.results))*20000, StateKind: 1, RulesVersion: 1,
		StateRoot: sum(fmt.Sprintf("state %d", len(w.results))), Validators: w.g.Validators.Hash(w.g.Network), NextValidators: w.g.Validators.Hash(w.g.Network),
	}}
	h := &r.Header
	if h.Height > 0 {
		last := w.results[h.Height-1]
		h.Parent = last.Hash
		h.FirstSeq, h.LastSeq = last.Header.LastSeq+1, last.Header.LastSeq+uint64(len(entries))
	}
	salts := block.NewSalts(w.g.Network, sum(fmt.Sprintf("verdict key %d", h.Height)))
	withSubjects := func(subjects []string) canonical.Hash {
		root, ss, index := salts.Subjects(subjects)
		r.Subjects = append(r.Subjects, consensus.SubjectSet{Leaf: uint32(len(r.Verdicts)), Keys: subjects, Salts: ss, Index: index})
		return root
	}
	for _, a := range amendments {
		a.a.Cause.Height, a.a.Count = h.Height, uint32(len(a.subjects))
		a.a.Subjects = withSubjects(a.subjects)
		r.Verdicts = append(r.Verdicts, a.a.Encode())
	}
	var leaves [][]byte
	for i, e := range entries {
		e.e.Seq = h.FirstSeq + uint64(i)
		if e.e.Kind == block.NotOpened {
			e.e.Leaf = block.NotOpenedLeaf(w.g.Network, e.e.Seq, e.e.Payload)
		} else {
			e.e.Leaf = block.EntryLeaf(w.g.Network, e.e.Seq, e.e.Kind, e.e.Submission.RawHeader, e.e.Submission.Signature)
			for i := range e.e.Submission.Items {
				if e.e.Submission.Items[i].Kind == wire.KindEvent {
					h.Events++
				}
			}
		}
		for j, leaf := range e.verdicts {
			switch l := leaf.(type) {
			case block.Verdict:
				l.Pos.Height, l.Pos.Entry = h.Height, uint32(i)
				r.Verdicts = append(r.Verdicts, l.Encode())
			case block.Finding:
				l.Pos.Height, l.Pos.Entry = h.Height, uint32(i)
				l.Count, l.Subjects = uint32(len(e.subjects[j])), withSubjects(e.subjects[j])
				r.Verdicts = append(r.Verdicts, l.Encode())
			}
		}
		r.Entries = append(r.Entries, e.e)
		leaves = append(leaves, e.e.Leaf)
	}
	h.EntriesRoot, h.VerdictsRoot, h.VerdictLeaves = block.Root(leaves), block.Root(r.Verdicts), uint32(len(r.Verdicts))
	r.Raw = h.Encode(w.g.Network)
	r.Hash = block.HeaderHash(r.Raw)
	if err := block.Check(h, leaves, r.Verdicts); err != nil {
		w.t.Fatal(err)
	}
	w.results = append(w.results, r)
	return r
}

func (w *world) Block(height uint64) (*consensus.Result, error) {
	if height >= uint64(len(w.results)) {
		w.t.Errorf("block %d asked for, the newest is %d", height, len(w.results)-1)
		return nil, fmt.Errorf("no block %d", height)
	}
	return w.results[height], nil
}

func (w *world) Log(size uint64, heights []uint64) (canonical.Hash, []canonical.Hash, error) {
	leaves := make([]canonical.Hash, size)
	for i := range leaves {
		leaves[i] = w.results[i].Hash
	}
	return merkle.Root(leaves), merkle.Prove(leaves, heights), nil
}

func (w *world) KeyRecord(id canonical.Hash) (proof.KeyRecord, error) {
	r, ok := w.records[id]
	if !ok {
		return r, fmt.Errorf("key %x is not registered", id[:4])
	}
	return r, nil
}

// certified is the newest checkpoint with a certificate.
func (w *world) certified() (quorum.Checkpoint, quorum.Certificate) {
	if len(w.g.Validators.Validators) == 1 {
		return w.certify(0)
	}
	return w.certify(0, 1, 3)
}

func (w *world) certify(validators ...int) (quorum.Checkpoint, quorum.Certificate) {
	root, _, _ := w.Log(uint64(len(w.results)), nil)
	c := quorum.Checkpoint{Origin: w.g.Origin(), Size: uint64(len(w.results)), Root: root}
	var cert quorum.Certificate
	for _, i := range validators {
		at := uint64(created/1000 + 100 + i)
		sig, err := quorum.Cosign(c, at, testKey(fmt.Sprintf("v%d/cosign", i+1)))
		if err != nil {
			w.t.Fatal(err)
		}
		cert = append(cert, quorum.Cosignature{Validator: uint16(i), Time: at, Signature: sig})
	}
	return c, cert
}

func (w *world) build(wants ...proof.Want) *proof.Bundle {
	w.t.Helper()
	c, cert := w.certified()
	b, err := proof.Build(w.g, w, c, cert, wants)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) item(message any) wire.Item {
	it := wire.Item{Salt: w.salt(), Message: message}
	switch message.(type) {
	case *registry.Act:
		it.Kind = wire.KindPartyAct
	case *epcis.Event:
		it.Kind = wire.KindEvent
	default:
		w.t.Fatalf("no kind for %T", message)
	}
	return it
}

func sgtin(serial int) string { return fmt.Sprintf("urn:epc:id:sgtin:0614141.107346.%d", 1000+serial) }

// shipping has 20 fields and n units.
func shipping(n int) *epcis.Event {
	e := &epcis.Event{
		Type: "ObjectEvent", EventTime: "2026-01-01T00:00:00.000Z", EventTimeZoneOffset: "-05:00",
		EventID: "ni:///sha-256;df7bb3c352fef055578554f09f5e2aa41782150ced7bd0b8af24dd3ccb30ba69?ver=CBV2.0",
		Action:  "OBSERVE", BizStep: "urn:epcglobal:cbv:bizstep:shipping", Disposition: "urn:epcglobal:cbv:disp:in_transit",
		ReadPoint:   &epcis.Place{ID: "urn:epc:id:sgln:0614141.00001.0"},
		BizLocation: &epcis.Place{ID: "urn:epc:id:sgln:0614141.00001.0"},
		BizTransactionList: []epcis.BizTransaction{
			{Type: "urn:epcglobal:cbv:btt:po", Value: "urn:epcglobal:cbv:bt:0614141000012:PO-77"},
			{Type: "urn:epcglobal:cbv:btt:desadv", Value: "urn:epcglobal:cbv:bt:0614141000012:DA <88> & “1”"},
		},
		SourceList:      []epcis.SourceDest{{Type: "urn:epcglobal:cbv:sdt:owning_party", Value: "urn:epc:id:pgln:0614141.00001"}},
		DestinationList: []epcis.SourceDest{{Type: "urn:epcglobal:cbv:sdt:owning_party", Value: "urn:epc:id:pgln:0614142.00001"}},
		ILMD: []epcis.Extension{
			{Namespace: "urn:epcglobal:cbv:mda", Name: "lotNumber", Type: epcis.ValueType(1), Text: "LOT-1"},
			{Namespace: "urn:epcglobal:cbv:mda", Name: "itemExpirationDate", Type: epcis.ValueType(1), Text: "2028-12-31"},
			{Namespace: "urn:x", Name: "note", Type: epcis.ValueType(1), Text: "line\u2028separator, <tag> & \"quotes\""},
		},
	}
	for i := range n {
		e.EPCList = append(e.EPCList, sgtin(i))
	}
	return e
}

// Where things stand in the story.
var (
	actAt     = canonical.Position{Height: 1, Entry: 1, Item: 0}
	shipAt    = canonical.Position{Height: 2, Entry: 3, Item: 1}
	receiveAt = canonical.Position{Height: 3, Entry: 0, Item: 0}
	finding   = []string{"0110614141073464211000", "0110614141073464211001", "0110614141073464211002"}
)

// story: the board registers newco; acme ships 48 units to newco with a sealed purchase order, flagged; newco receives
// them under its registered key; the finding on three of the units is closed for one of them.
func story(tb testing.TB, units int) *world {
	tb.Helper()
	return storyOf(tb, 4, units)
}

func storyOf(tb testing.TB, validators, units int) *world {
	tb.Helper()
	w := newWorld(tb, validators)
	accepted := func(item uint32) block.Verdict {
		return block.Verdict{Pos: canonical.Position{Item: item}, Verdict: block.Accepted}
	}

	act := w.item(&registry.Act{Party: "newco", Name: "New Co", Roles: []string{"distributor"}, Keys: []registry.Key{
		{PublicKey: pub("newco/cosign"), Use: keys.Cosign}, {PublicKey: pub("newco/event"), Use: keys.Event},
	}})
	w.block(w.noise("first"), w.submit("board", "board/authority", keys.Authority, []wire.Item{act}, accepted(0)), w.noise("last"))
	w.records[keys.ID(keys.Event, pub("newco/event"))] = proof.KeyRecord{Act: actAt}

	ship := w.item(shipping(units))
	known, err := wire.Seal(w.g.Network, &ship, func(f commit.Field) bool {
		return f.Path == commit.Path("").Field(15).Index(0).Field(2)
	}, w.salt)
	if err != nil {
		tb.Fatal(err)
	}
	w.known[shipAt] = known
	other := w.item(shipping(1))
	e := w.submit("acme", "acme/event", keys.Event, []wire.Item{other, ship},
		accepted(0),
		block.Verdict{Pos: canonical.Position{Item: 1}, Verdict: block.Flagged},
		block.Finding{Pos: canonical.Position{Item: 1}, Code: "NO_HISTORY", Severity: block.Flag})
	e.subjects[2] = finding
	w.block(w.noise("a"), w.noise("b"), w.noise("c"), e, w.noise("d"))

	receive := shipping(units)
	receive.BizStep, receive.Disposition = "urn:epcglobal:cbv:bizstep:receiving", "urn:epcglobal:cbv:disp:in_progress"
	w.block(w.submit("newco", "newco/event", keys.Event, []wire.Item{w.item(receive)}, accepted(0)))

	w.amendingBlock([]amended{{
		block.Amendment{Pos: shipAt, Code: "NO_HISTORY", Old: block.Open, New: block.Closed, Cause: canonical.Position{Entry: 0}}, finding[:1],
	}}, w.noise("e"))
	return w
}

func allFields(*commit.Field) bool { return true }

func unit(serial int) func(*commit.Unit) bool {
	return func(u *commit.Unit) bool { return u.Form == sgtin(serial) }
}

// wants of the story: the shipment and the receipt of unit 0.
func (w *world) wants() []proof.Want {
	return []proof.Want{
		{Pos: shipAt, Field: allFields, Unit: unit(0), Known: w.known[shipAt], Subjects: finding[:1], Amendments: []uint64{4}},
		{Pos: receiveAt, Field: func(f *commit.Field) bool { return f.Path == commit.Path("").Field(10) }, Unit: unit(0)},
	}
}
