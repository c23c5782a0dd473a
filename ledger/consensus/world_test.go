package consensus_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/registry/registrytest"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

// created is the time of block 0: 2026-01-01.
const created = 1767225600000

func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func testPub(name string) ed25519.PublicKey { return testKey(name).Public().(ed25519.PublicKey) }

// prefixes of the test parties; a party's first GLN is its prefix, 00001 and the check digit.
var prefixes = map[string]string{"acme": "0614141", "dist": "0614142", "pharm": "0614143"}

func testGenesis(tb testing.TB, validators int) *genesis.Genesis {
	tb.Helper()
	g := &genesis.Genesis{
		Name: "test", Development: true, CreatedAt: created, Epoch: 1, RulesVersion: 1, StateKind: 1,
		VerdictKey: sha256.Sum256([]byte("verilot test verdict key")), GraceSeconds: 86400,
		Authorities: []genesis.Authority{{Party: "board", Key: testPub("board/authority")}},
	}
	for i := range validators {
		v := fmt.Sprintf("v%d", i+1)
		g.Validators.Validators = append(g.Validators.Validators, quorum.Validator{
			Name: v + ".test.example", Party: v, VoteKey: testPub(v + "/vote"), CosignKey: testPub(v + "/cosign"),
		})
		g.Parties = append(g.Parties, registry.Act{Party: v, Name: "Validator " + v, Roles: []string{"validator"}})
	}
	g.Parties = append(g.Parties, registry.Act{Party: "board", Name: "Board", Roles: []string{"authority", "regulator"}})
	for _, p := range []struct{ id, role string }{{"acme", "manufacturer"}, {"dist", "distributor"}, {"pharm", "dispenser"}} {
		g.Parties = append(g.Parties, registry.Act{
			Party: p.id, Name: p.id, Roles: []string{p.role},
			Keys:     []registry.Key{{PublicKey: testPub(p.id + "/event"), Use: keys.Event}},
			GLNs:     []string{gln(p.id)},
			Prefixes: []string{prefixes[p.id]},
			Licences: registrytest.Licences(p.id, p.role),
			Places:   []registry.Place{{ID: site(p.id), Name: p.id, City: "Newark", State: "NJ", Country: "US"}},
		})
	}
	file, err := genesis.Format(g)
	if err != nil {
		tb.Fatal(err)
	}
	g, err = genesis.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func checked(digits string) string {
	sum := 0
	for i := range len(digits) {
		w := 1
		if (len(digits)-i)%2 == 1 {
			w = 3
		}
		sum += w * int(digits[i]-'0')
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

func gln(party string) string  { return checked(prefixes[party] + "00001") }
func site(party string) string { return "urn:epc:id:sgln:" + prefixes[party] + ".00001.0" }
func gtinOf(party string) string {
	return checked("1" + prefixes[party] + "07346")
}

// unit is an SGTIN of acme; "c…" an SSCC.
func epcOf(name string) string {
	if n, ok := strings.CutPrefix(name, "c"); ok {
		return fmt.Sprintf("urn:epc:id:sscc:0614141.1%09s", n)
	}
	return "urn:epc:id:sgtin:0614141.107346." + name
}

func epcsOf(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = epcOf(n)
	}
	return out
}

func rfc3339(ms int64) string {
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// An act is what a test party writes; eventTime is a minute before block 0 unless it says otherwise.
func at(party string, ms int64) epcis.At {
	return epcis.At{Time: rfc3339(ms), Offset: "+00:00", ReadPoint: site(party), BizLocation: site(party)}
}

func sale(from, to string) epcis.Shipment {
	return epcis.Shipment{SourceOwner: site(from), SourceLocation: site(from), DestinationOwner: site(to), DestinationLocation: site(to)}
}

func salted(items []wire.Item, seed string) []wire.Item {
	for i := range items {
		items[i].Salt = sha256.Sum256(fmt.Appendf(nil, "%s item %d", seed, i))
	}
	return items
}

func event(e epcis.Event) wire.Item { return wire.Item{Kind: wire.KindEvent, Message: &e} }

func product(owner string) wire.Item {
	return wire.Item{Kind: wire.KindProduct, Message: &registry.Product{GTIN: gtinOf(owner), Name: "Tablets of " + owner, Manufacturer: owner}}
}

// lotOf registers a lot of the owner's product.
func lotOf(owner, lot string) wire.Item {
	return wire.Item{Kind: wire.KindLot, Message: &registry.Lot{GTIN: gtinOf(owner), Lot: lot, Expiry: "2028-12-31"}}
}

// message signs a submission.
type message struct {
	party, key string // key defaults to <party>/event
	counter    uint64
	epoch      uint32
	network    *canonical.Network
	onError    submission.OnError
	items      []wire.Item
}

func sign(tb testing.TB, g *genesis.Genesis, m message) []byte {
	tb.Helper()
	if m.key == "" {
		m.key = m.party + "/event"
	}
	if m.epoch == 0 {
		m.epoch = g.Epoch
	}
	if m.onError == 0 {
		m.onError = submission.Rollback
	}
	n := g.Network
	if m.network != nil {
		n = *m.network
	}
	id := sha256.Sum256(fmt.Appendf(nil, "%s %d", m.key, m.counter))
	h := submission.Header{
		Epoch: m.epoch, Party: m.party, Counter: m.counter, ID: [16]byte(id[:16]), CreatedAt: created, OnError: m.onError,
	}
	if strings.HasSuffix(m.key, "/authority") {
		h.KeyID = keys.ID(keys.Authority, testPub(m.key))
	}
	h.ID[6], h.ID[8] = 0x70|h.ID[6]&0x0f, 0x80|h.ID[8]&0x3f // a UUIDv7
	b, err := submission.Sign(n, h, salted(m.items, fmt.Sprintf("%s %d", m.key, m.counter)), testKey(m.key))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func pulse(tb testing.TB, g *genesis.Genesis, by string, p block.Pulse) []byte {
	tb.Helper()
	if p.Epoch == 0 {
		p.Epoch = g.Epoch
	}
	b, err := block.SignPulse(g.Network, p, testKey(by+"/vote"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func epochRecord(tb testing.TB, g *genesis.Genesis) []byte {
	tb.Helper()
	b, err := block.SignEpoch(g.Network, block.Epoch{Epoch: g.Epoch, Genesis: g.Hash}, testKey("v1/vote"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// zeroStore is a store that holds block 0.
func zeroStore(tb testing.TB, g *genesis.Genesis) *state.Memory {
	tb.Helper()
	zero, err := consensus.Zero(g)
	if err != nil {
		tb.Fatal(err)
	}
	st := state.NewMemory()
	st.Apply(zero.Writes)
	return st
}

// world is a machine for one validator: a stream, a journal and a store that check what the Core asks of them.
type world struct {
	tb    testing.TB
	g     *genesis.Genesis
	store *state.Memory
	core  *consensus.Core
	now   int64

	stream    []consensus.Message
	fed       int  // messages of the stream that were handed in
	mute      bool // what the Core publishes is dropped
	journal   []consensus.Persist
	durable   int // journal records that would survive a power cut
	blocks    []consensus.Decided
	timer     int64
	queue     []consensus.Input
	delayed   bool // Applied is not handed in at once
	halt      error
	crashAt   int // stop before performing this action, counted from 1; 0: never
	actions   int
	crashed   bool
	sent      map[string][]byte // votes that left, by height, round and kind
	published []block.Kind
}

func newWorld(tb testing.TB, g *genesis.Genesis, stream ...[]byte) *world {
	tb.Helper()
	w := &world{tb: tb, g: g, store: zeroStore(tb, g), now: created + 1000, sent: map[string][]byte{}}
	for _, m := range stream {
		w.append(m)
	}
	w.boot()
	return w
}

// boot starts the validator over what is durable and feeds it the stream from its head on.
func (w *world) boot() {
	w.tb.Helper()
	core, err := consensus.New(consensus.Config{Genesis: w.g, Vote: testKey("v1/vote"), Cosign: testKey("v1/cosign")}, w.store)
	if err != nil {
		w.tb.Fatal(err)
	}
	var records [][]byte
	for _, p := range w.journal {
		records = append(records, p.Record)
	}
	if err := core.Recover(records); err != nil {
		w.tb.Fatal(err)
	}
	w.core, w.queue, w.timer, w.crashed, w.halt = core, nil, 0, false, nil
	w.fed = int(core.Head().Header.LastSeq)
	w.step(nil)
}

// step hands in an input, everything that follows from it, and what the stream then holds.
func (w *world) step(in consensus.Input) {
	w.tb.Helper()
	w.queue = append(w.queue, in)
	for !w.crashed && w.halt == nil {
		if len(w.queue) == 0 {
			if w.fed == len(w.stream) {
				return
			}
			w.fed++
			w.queue = append(w.queue, consensus.Arrived{Message: w.stream[w.fed-1]})
		}
		in := w.queue[0]
		w.queue = w.queue[1:]
		out := w.core.Step(w.now, in)
		for _, a := range out.Actions {
			w.actions++
			if w.actions == w.crashAt {
				w.crashed = true
				return
			}
			w.perform(a)
		}
		w.halt = out.Halt
	}
}

func (w *world) perform(a consensus.Action) {
	w.tb.Helper()
	switch a := a.(type) {
	case consensus.Persist:
		w.journal = append(w.journal, a)
		if a.Sync {
			w.durable = len(w.journal)
			w.queue = append(w.queue, consensus.Persisted{ID: a.ID, Took: 2 * time.Millisecond})
		}
	case consensus.Publish:
		w.published = append(w.published, a.Kind)
		if !w.mute && (a.Kind != block.EpochRecord || len(w.stream) == 0) {
			w.append(a.Payload)
		}
	case consensus.SendVote:
		w.checkVote(a.Payload)
	case consensus.SendCosignature:
		if n := w.durable; n == 0 || w.journal[n-1].Kind != consensus.CommitVote {
			w.tb.Errorf("cosigned before the commit was durable")
		}
	case consensus.Decided:
		w.decided(a)
	case consensus.SetTimer:
		w.timer = a.At
	case consensus.Alarm:
		w.tb.Errorf("alarm %s: %s", a.Code, a.Detail)
	}
}

// checkVote holds the validator to its promise: durable first, one vote for one thing.
func (w *world) checkVote(payload []byte) {
	w.tb.Helper()
	v, _, err := w.g.Validators.OpenVote(w.g.Network, payload)
	if err != nil {
		w.tb.Fatal(err)
	}
	durable := slices.ContainsFunc(w.journal[:w.durable], func(p consensus.Persist) bool { return bytes.Contains(p.Record, payload) })
	if !durable {
		w.tb.Errorf("%s at height %d left before it was durable", v.Vote.Kind, v.Vote.Height)
	}
	k := fmt.Sprint(v.Vote.Height, v.Vote.Round, v.Vote.Kind)
	if had, ok := w.sent[k]; ok && !bytes.Equal(had, payload) {
		w.tb.Errorf("two different votes: %s at height %d", v.Vote.Kind, v.Vote.Height)
	}
	w.sent[k] = payload
}

func (w *world) decided(d consensus.Decided) {
	w.tb.Helper()
	h := d.Result.Header.Height
	head, _ := consensus.ReadHead(w.store)
	if h != head.Header.Height+1 {
		w.tb.Fatalf("height %d decided over %d", h, head.Header.Height)
	}
	w.store.Apply(d.Result.Writes)
	root, _, err := consensus.LogRoot(w.store, h+1, nil)
	if err != nil {
		w.tb.Fatal(err)
	}
	c := quorum.Checkpoint{Origin: w.g.Origin(), Size: h + 1, Root: root}
	if err := w.g.Validators.Check(c, d.Certificate); err != nil {
		w.tb.Errorf("height %d: %v", h, err)
	}
	w.blocks = append(w.blocks, d)
	if !w.delayed {
		w.queue = append(w.queue, consensus.Applied{Height: h})
	}
}

// append puts a message at the end of the stream.
func (w *world) append(payload []byte) {
	w.stream = append(w.stream, consensus.Message{Seq: uint64(len(w.stream)) + 1, Payload: payload})
}

// publish puts a message at the end of the stream and lets it arrive.
func (w *world) publish(payload []byte) {
	w.tb.Helper()
	w.append(payload)
	w.fed++
	w.step(consensus.Arrived{Message: w.stream[w.fed-1]})
}

// wait lets time pass; timers go off in between.
func (w *world) wait(ms int64) {
	w.tb.Helper()
	end := w.now + ms
	for w.timer != 0 && w.timer <= end && !w.crashed && w.halt == nil {
		w.now = max(w.now, w.timer)
		w.timer = 0
		w.step(nil)
	}
	w.now = end
}

// describe is a block as a story shows it.
func describe(d *consensus.Result) string {
	var b strings.Builder
	h := &d.Header
	fmt.Fprintf(&b, "block %d: messages %d to %d, +%.3f s, %d events, %d verdict leaves, %d effects\n",
		h.Height, h.FirstSeq, h.LastSeq, float64(h.Time-created)/1000, h.Events, h.VerdictLeaves, len(d.Effects))
	var timers []string
	amended := map[canonical.Position]string{} // by cause
	for _, leaf := range d.Verdicts {
		if l, _ := block.DecodeVerdictLeaf(leaf); l != nil {
			if a, ok := l.(block.Amendment); ok {
				s := fmt.Sprintf("%s of %s: %d of %d to %d", a.Code, a.Pos, a.Count, a.Old, a.New)
				if a.Cause == block.TimerCause(h.Height) {
					timers = append(timers, s)
				} else {
					amended[a.Cause] += " [" + s + "]"
				}
			}
		}
	}
	for _, s := range timers {
		fmt.Fprintf(&b, "  timer %s\n", s)
	}
	for entry, e := range d.Entries {
		fmt.Fprintf(&b, "  %d %s %s", e.Seq, e.Kind, e.Code)
		for i, j := range e.Items {
			sep := ","
			if i == 0 {
				sep = ""
			}
			fmt.Fprintf(&b, "%s %s", sep, j.Verdict)
			if j.Code != "" {
				fmt.Fprintf(&b, " %s", j.Code)
			}
			for _, f := range j.Findings {
				fmt.Fprintf(&b, " (%s %s)", f.Code, f.Severity)
			}
			b.WriteString(amended[canonical.Position{Height: h.Height, Entry: uint32(entry), Item: uint32(i)}])
		}
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), " \n", "\n")
}
