package consensus_test

import (
	"bytes"
	"container/heap"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// fastKey signs for simulated validators: a hash anybody could make. Ed25519 would be all that a simulation spends its time
// on, and that nobody forges signatures is not what it is to find out.
type fastKey ed25519.PublicKey

func (k fastKey) Public() crypto.PublicKey { return ed25519.PublicKey(k) }

func (k fastKey) Sign(_ io.Reader, msg []byte, _ crypto.SignerOpts) ([]byte, error) {
	sum := sha512.Sum512(append(slices.Clone([]byte(k)), msg...))
	return sum[:], nil
}

func fastVerify(key ed25519.PublicKey, msg, sig []byte) bool {
	want, _ := fastKey(key).Sign(nil, msg, nil)
	return bytes.Equal(sig, want)
}

// simWorld is what simulations of one size share: genesis, signed submissions, opened messages.
type simWorld struct {
	g           *genesis.Genesis
	submissions [][]byte
	known       registry.Registry
	zero        state.WriteSet
	mu          sync.Mutex
	prepared    map[string]*consensus.Prepared
}

var (
	simWorlds   = map[string]*simWorld{}
	simWorldsMu sync.Mutex
)

const mostSubmissions = 80

func simWorldOf(tb testing.TB, n int, fast bool) *simWorld {
	tb.Helper()
	simWorldsMu.Lock()
	defer simWorldsMu.Unlock()
	name := fmt.Sprint(n, fast)
	if w := simWorlds[name]; w != nil {
		return w
	}
	w := &simWorld{g: testGenesis(tb, n), prepared: map[string]*consensus.Prepared{}}
	if fast {
		w.g.Validators.Strict = fastVerify
	}
	w.known = registry.Registry{View: zeroStore(tb, w.g)}
	zero, err := consensus.Zero(w.g)
	if err != nil {
		tb.Fatal(err)
	}
	w.zero = zero.Writes
	for i := range uint64(mostSubmissions) {
		w.submissions = append(w.submissions, sign(tb, w.g, message{party: "acme", counter: i + 1, items: []wire.Item{product("acme")}}))
	}
	simWorlds[name] = w
	return w
}

// message opens a payload once for all validators.
func (w *simWorld) message(seq int, payload []byte) consensus.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.prepared[string(payload)]
	if p == nil {
		p = (&consensus.Opener{Genesis: w.g, Known: w.known}).Prepare(payload)[0]
		if len(w.prepared) > 20_000 {
			clear(w.prepared)
		}
		w.prepared[string(payload)] = p
	}
	return consensus.Message{Seq: uint64(seq), Payload: payload, Prepared: p}
}

// sim runs a script (see clusterHelp) over simulated validators, stream, network and disks, and checks the promises of the
// protocol at every step. The same script gives the same run.
type sim struct {
	tb    testing.TB
	w     *simWorld
	g     *genesis.Genesis
	fast  bool
	rng   *rand.Rand
	now   int64
	order int
	queue simQueue
	nodes []*simNode
	logs  []*simLog
	cut   [][]bool // [from][to]: the link is down

	delayFrom, delayTo, dropPercent, dupPercent int
	disk                                        int // a sync takes up to this long
	holdPercent                                 int // of what ends a height: commits, quorums, cosignatures
	hushed                                      int // from whom none of these gets through, counted from 1; 0: nobody
	loseNext                                    int

	submitted int
	healthy   bool
	sabotage  string
	chain     []certifiedBlock // what was decided, by whoever was first
	votes     map[simSlot]canonical.Hash
	heard     map[simSlot]map[canonical.Hash][]quorum.Signature // every vote ever cast, for liars
	cosigned  map[simCosigned]canonical.Hash
	violation error
	trace     hash.Hash
	out       strings.Builder
	quiet     bool
	slowest   int64
}

type certifiedBlock struct {
	record   *consensus.BlockRecord
	messages []consensus.Message
	header   canonical.Hash
	subs     int // submissions up to and with this block
}

type simSlot struct {
	validator int
	height    uint64
	round     uint32
	kind      quorum.VoteKind
}

type simCosigned struct {
	validator int
	height    uint64
}

type simLog struct{ messages [][]byte }

type simNode struct {
	i       int
	core    *consensus.Core
	store   *state.Memory
	journal []consensus.Persist
	durable int
	log     *simLog
	cursor  int
	up      bool
	life    int // events of earlier lives are void
	timer   int64
	clock   int64 // ahead of the world
	crashIn int   // actions until it crashes; 0: never
	power   bool  // and loses what is not synced
	liar    bool
	silent  bool
	deaf    bool
}

func (n *simNode) name() string { return fmt.Sprintf("v%d", n.i+1) }

type simEvent struct {
	at    int64
	order int
	do    func()
}

type simQueue []simEvent

func (q simQueue) Len() int { return len(q) }
func (q simQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q simQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *simQueue) Push(x any)   { *q = append(*q, x.(simEvent)) }
func (q *simQueue) Pop() any {
	e := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return e
}

func newSim(tb testing.TB, n int, seed uint64, fast bool, sabotage string) *sim {
	tb.Helper()
	w := simWorldOf(tb, n, fast)
	s := &sim{
		tb: tb, w: w, g: w.g, fast: fast, rng: rand.New(rand.NewPCG(seed, 1)), sabotage: sabotage,
		delayFrom: 1, delayTo: 5, disk: 8, healthy: true, now: created + 1000,
		logs: []*simLog{{}}, votes: map[simSlot]canonical.Hash{}, heard: map[simSlot]map[canonical.Hash][]quorum.Signature{},
		cosigned: map[simCosigned]canonical.Hash{}, trace: sha256.New(), cut: make([][]bool, n),
	}
	for i := range n {
		s.cut[i] = make([]bool, n)
		st := state.NewMemory()
		st.Apply(w.zero)
		s.nodes = append(s.nodes, &simNode{i: i, store: st, log: s.logs[0]})
	}
	for _, node := range s.nodes {
		s.start(node)
	}
	return s
}

func (s *sim) key(i int, use string) crypto.Signer {
	if !s.fast {
		return testKey(fmt.Sprintf("v%d/%s", i+1, use))
	}
	if use == "vote" {
		return fastKey(s.g.Validators.Validators[i].VoteKey)
	}
	return fastKey(s.g.Validators.Validators[i].CosignKey)
}

func (s *sim) fail(format string, args ...any) {
	if s.violation == nil {
		s.violation = fmt.Errorf("at +%.3f s: "+format, append([]any{s.seconds()}, args...)...)
	}
}

func (s *sim) seconds() float64 { return float64(s.now-created-1000) / 1000 }

func (s *sim) say(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(&s.out, "| %.3f "+format+"\n", append([]any{s.seconds()}, args...)...)
	}
}

func (s *sim) after(ms int64, do func()) {
	s.order++
	heap.Push(&s.queue, simEvent{s.now + ms, s.order, do})
}

func (s *sim) chance(percent int) bool { return percent > 0 && s.rng.IntN(100) < percent }

func (s *sim) delay() int64 { return int64(s.delayFrom + s.rng.IntN(s.delayTo-s.delayFrom+1)) }

// run lets time pass until the end, or until done says so.
func (s *sim) run(until int64, done func() bool) bool {
	for s.violation == nil && len(s.queue) > 0 && s.queue[0].at <= until {
		e := heap.Pop(&s.queue).(simEvent)
		s.now = max(s.now, e.at)
		e.do()
		if done != nil && done() {
			return true
		}
	}
	s.now = max(s.now, until)
	return done != nil && done()
}

// --- validators

func (s *sim) start(n *simNode) {
	n.life++
	n.up, n.timer, n.crashIn = true, 0, 0
	core, err := consensus.New(consensus.Config{Genesis: s.g, Vote: s.key(n.i, "vote"), Cosign: s.key(n.i, "cosign")}, n.store)
	if err != nil {
		s.fail("%s does not start: %v", n.name(), err)
		return
	}
	var records [][]byte
	for _, p := range n.journal {
		records = append(records, p.Record)
	}
	n.durable = len(n.journal)
	if err := core.Recover(records); err != nil {
		s.fail("%s does not start: %v", n.name(), err)
		return
	}
	if !n.liar {
		consensus.Sabotage(core, s.sabotage)
	}
	n.core = core
	n.cursor = int(core.Head().Header.LastSeq)
	s.enter(n, 0, func() { s.step(n, nil) })
	s.pump(n)
}

// enter runs something in this life of a validator, later.
func (s *sim) enter(n *simNode, ms int64, do func()) {
	life := n.life
	s.after(ms, func() {
		if n.up && n.life == life {
			do()
		}
	})
}

func (s *sim) crash(n *simNode, power bool) {
	if !n.up {
		return
	}
	n.up = false
	if power { // any part of what was not synced may be there all the same
		n.journal = n.journal[:n.durable+s.rng.IntN(len(n.journal)-n.durable+1)]
	}
}

// pump hands the messages that the stream holds now to a validator, a little later.
func (s *sim) pump(n *simNode) {
	to := len(n.log.messages)
	log := n.log
	s.enter(n, s.delay(), func() {
		if n.log != log || n.deaf {
			return
		}
		for n.cursor < min(to, len(log.messages)) && n.up {
			n.cursor++
			s.step(n, consensus.Arrived{Message: s.w.message(n.cursor, log.messages[n.cursor-1])})
		}
	})
}

func (s *sim) append(log *simLog, payload []byte) {
	if len(log.messages) == 0 && block.Purpose(s.g.Network, payload) != block.PurposeEpoch {
		s.after(10, func() { s.append(log, payload) }) // publishers wait for the epoch record
		return
	}
	log.messages = append(log.messages, payload)
	for _, n := range s.nodes {
		if n.log == log {
			s.pump(n)
		}
	}
}

func (s *sim) step(n *simNode, ev consensus.Event) {
	out := n.core.Step(consensus.Input{Now: s.now + n.clock, Event: ev})
	life := n.life
	for _, a := range out.Actions {
		if n.crashIn > 0 {
			if n.crashIn--; n.crashIn == 0 {
				s.say("%s crashes", n.name())
				s.crash(n, n.power)
			}
		}
		if !n.up || n.life != life || s.violation != nil {
			return
		}
		s.perform(n, a)
	}
	if out.Halt != nil && !n.liar {
		s.fail("%s halts: %v", n.name(), out.Halt)
	}
	if h, header, ok := consensus.Cosigned(n.core); ok && !n.liar {
		s.checkCosigned(n, h, header)
	}
}

func (s *sim) perform(n *simNode, a consensus.Action) {
	fmt.Fprintf(s.trace, "%d %d %T\n", s.now, n.i, a)
	switch a := a.(type) {
	case consensus.Persist:
		s.trace.Write(a.Record)
		n.journal = append(n.journal, a)
		if a.Sync {
			upTo := len(n.journal)
			took := int64(1 + s.rng.IntN(s.disk))
			s.enter(n, took, func() {
				n.durable = max(n.durable, min(upTo, len(n.journal)))
				s.step(n, consensus.Persisted{ID: a.ID, Took: time.Duration(took) * time.Millisecond})
			})
		}
	case consensus.Publish:
		s.trace.Write(a.Payload)
		if n.silent || s.chance(s.dropPercent) {
			return
		}
		s.after(s.delay(), func() {
			if a.Kind != block.EpochRecord || len(n.log.messages) == 0 {
				s.append(n.log, a.Payload)
			}
		})
	case consensus.SendVote:
		s.trace.Write(a.Payload)
		s.sendVote(n, a.Payload)
	case consensus.SendCosignature:
		s.trace.Write(a.Payload)
		s.send(n, consensus.Everyone, consensus.CosignatureReceived(a))
		if n.liar && s.chance(30) {
			bad := slices.Clone(a.Payload)
			bad[len(bad)-1] ^= 1
			s.send(n, consensus.Everyone, consensus.CosignatureReceived{Payload: bad})
		}
	case consensus.Tell:
		s.trace.Write(a.Payload)
		if len(a.Payload) == 0 {
			s.fail("%s tells nothing", n.name())
			return
		}
		s.send(n, a.To, consensus.Heard{Payload: s.twist(n, a.Payload)})
	case consensus.Decided:
		s.decided(n, a)
	case consensus.FetchBlock:
		if h := int(a.Height); h <= len(s.chain) && !s.chance(s.dropPercent) {
			b := s.chain[h-1]
			s.enter(n, s.delay(), func() { s.step(n, consensus.Certified{Record: b.record, Messages: b.messages}) })
		}
	case consensus.Reread:
		n.cursor = int(a.From) - 1
		s.pump(n)
	case consensus.SetTimer:
		n.timer = a.At
		s.enter(n, max(0, a.At-n.clock-s.now), func() {
			if n.timer == a.At {
				s.step(n, nil)
			}
		})
	case consensus.Alarm:
		s.alarm(n, a)
	}
}

func (s *sim) alarm(n *simNode, a consensus.Alarm) {
	s.say("%s alarm %s", n.name(), a.Code)
	if e := a.Evidence; e != nil {
		if !s.nodes[e.Validator].liar {
			s.fail("%s accuses %s, who is honest", n.name(), s.nodes[e.Validator].name())
		}
		if _, err := s.g.Validators.OpenEvidence(s.g.Network, e.First.Payload(), e.Second.Payload()); err != nil {
			s.fail("evidence does not hold: %v", err)
		}
	}
}

// send carries a message over the network, or not, or twice, at any time.
func (s *sim) send(from *simNode, to int, ev consensus.Event) {
	if from.silent {
		return
	}
	for _, n := range s.nodes {
		if n == from || to != consensus.Everyone && to != n.i || s.cut[from.i][n.i] || s.chance(s.dropPercent) {
			continue
		}
		if s.loseNext > 0 {
			s.loseNext--
			continue
		}
		if !from.liar && (s.hushed == from.i+1 || s.chance(s.holdPercent)) && decisive(ev) {
			continue
		}
		for again := true; again; again = s.chance(s.dupPercent) {
			s.enter(n, s.delay(), func() { s.step(n, ev) })
		}
	}
}

// decisive reports whether a message may end a height. The kind of a vote stands behind its tag, epoch, height and round.
func decisive(ev consensus.Event) bool {
	switch ev := ev.(type) {
	case consensus.VoteReceived:
		return ev.Payload[1+len("verilot/vote")+2+16+4+8+4] == byte(quorum.Commit)
	case consensus.Heard:
		return bytes.HasPrefix(ev.Payload[1:], []byte("verilot/quorum"))
	case consensus.CosignatureReceived:
		return true
	}
	return false
}

// --- promises

func (s *sim) sendVote(n *simNode, payload []byte) {
	v, by, err := s.g.Validators.OpenVote(s.g.Network, payload)
	if err != nil {
		s.fail("%s sends a bad vote: %v", n.name(), err)
		return
	}
	if by == n.i && !n.liar {
		slot := simSlot{by, v.Vote.Height, v.Vote.Round, v.Vote.Kind}
		if had, ok := s.votes[slot]; ok && had != v.Vote.Header {
			s.fail("%s votes twice: %s at height %d, round %d", n.name(), v.Vote.Kind, v.Vote.Height, v.Vote.Round)
		}
		_, again := s.votes[slot]
		s.votes[slot] = v.Vote.Header
		if s.sabotage != "sync" && !slices.ContainsFunc(n.journal[:n.durable], func(p consensus.Persist) bool { return bytes.Contains(p.Record, payload) }) {
			s.fail("%s sends a vote that is not durable", n.name())
		}
		s.remember(slot, v)
		if !again {
			s.lie(v)
		}
	}
	if n.liar && by == n.i && s.chance(50) {
		return
	}
	s.send(n, consensus.Everyone, consensus.VoteReceived{Payload: payload})
}

func (s *sim) checkCosigned(n *simNode, height uint64, header canonical.Hash) {
	if had, ok := s.cosigned[simCosigned{n.i, height}]; ok && had != header {
		s.fail("%s cosigns two headers of height %d", n.name(), height)
	}
	s.cosigned[simCosigned{n.i, height}] = header
	for i := range s.nodes {
		if had, ok := s.cosigned[simCosigned{i, height}]; ok && had != header {
			s.fail("%s and v%d cosign different headers of height %d", n.name(), i+1, height)
		}
	}
}

func (s *sim) decided(n *simNode, d consensus.Decided) {
	h := d.Result.Header.Height
	s.trace.Write(d.Result.Raw)
	if head, _ := consensus.ReadHead(n.store); h <= head.Header.Height {
		s.fail("%s decides height %d over %d", n.name(), h, head.Header.Height)
		return
	}
	n.store.Apply(d.Result.Writes)
	s.enter(n, int64(s.rng.IntN(10)), func() { s.step(n, consensus.Applied{Height: h}) })
	root, _, err := consensus.LogRoot(n.store, h+1, nil)
	if err == nil {
		err = s.g.Validators.Check(quorum.Checkpoint{Origin: s.g.Origin(), Size: h + 1, Root: root}, d.Certificate)
	}
	if err != nil {
		s.fail("%s decides height %d without a certificate: %v", n.name(), h, err)
	}
	switch {
	case h > uint64(len(s.chain))+1:
		s.fail("%s decides height %d, but nobody %d", n.name(), h, h-1)
	case h == uint64(len(s.chain))+1:
		b := certifiedBlock{record: d.Result.Record(d.Certificate), header: d.Result.Hash}
		for _, e := range d.Result.Entries {
			b.messages = append(b.messages, s.w.message(int(e.Seq), e.Payload))
			if e.Kind == block.Submission && e.Code == "" {
				b.subs++
			}
		}
		if h > 1 {
			b.subs += s.chain[h-2].subs
		}
		s.chain = append(s.chain, b)
		s.say("block %d: messages %d to %d", h, d.Result.Header.FirstSeq, d.Result.Header.LastSeq)
	case s.chain[h-1].header != d.Result.Hash:
		s.fail("two certificates at height %d", h)
	}
}

// --- liars

func (s *sim) remember(slot simSlot, v quorum.SignedVote) {
	key := slot
	key.validator = 0
	if s.heard[key] == nil {
		s.heard[key] = map[canonical.Hash][]quorum.Signature{}
	}
	m := s.heard[key]
	if !slices.ContainsFunc(m[v.Vote.Header], func(sig quorum.Signature) bool { return int(sig.Validator) == slot.validator }) {
		m[v.Vote.Header] = append(m[v.Vote.Header], quorum.Signature{Validator: uint16(slot.validator), Signature: v.Signature})
	}
}

// lie lets every liar support what an honest validator has just voted for, towards some: so it votes for everything that
// anybody votes for. When it is its turn to propose, it proposes to each what it likes.
func (s *sim) lie(v quorum.SignedVote) {
	for _, l := range s.nodes {
		if !l.liar || !l.up || !s.chance(80) {
			continue
		}
		if favourite, ok := s.favourite(v.Vote.Height); ok && v.Vote.Round > 0 && v.Vote.Header != favourite {
			s.proposeSoon(l, &v.Vote)
			continue
		}
		mine, err := quorum.SignVote(s.g.Network, quorum.Vote{
			Epoch: v.Vote.Epoch, Height: v.Vote.Height, Round: v.Vote.Round, Kind: v.Vote.Kind, Nil: v.Vote.Nil, Header: v.Vote.Header,
		}, s.key(l.i, "vote"))
		if err != nil {
			s.tb.Fatal(err)
		}
		s.remember(simSlot{l.i, v.Vote.Height, v.Vote.Round, v.Vote.Kind}, mine)
		for _, n := range s.nodes {
			if s.chance(60) {
				s.send(l, n.i, consensus.VoteReceived{Payload: mine.Payload()})
			}
		}
		s.proposeSoon(l, &v.Vote)
	}
}

func (s *sim) proposeSoon(l *simNode, v *quorum.Vote) {
	round := v.Round + 1
	if v.Kind == quorum.Commit && int(v.Height+uint64(round))%len(s.nodes) == l.i {
		s.after(s.delay(), func() { s.proposeLies(l, v.Height, round) })
	}
}

// favourite is what liars want to see decided at every other height: of the values cut in round 0, one that few voted for.
func (s *sim) favourite(height uint64) (header canonical.Hash, ok bool) {
	if height%2 == 0 {
		return header, false
	}
	fewest := len(s.nodes) + 1
	for h, votes := range s.heard[simSlot{0, height, 0, quorum.Prepare}] {
		if n := len(votes); h != (canonical.Hash{}) && (n < fewest || n == fewest && bytes.Compare(h[:], header[:]) < 0) {
			header, fewest, ok = h, n, true
		}
	}
	return header, ok
}

// twist makes a liar give away other bodies than the one that was asked for.
func (s *sim) twist(n *simNode, payload []byte) []byte {
	const header = 1 + len("verilot/chunk") + 2 + 16 + 4 + 8
	if !n.liar || !bytes.HasPrefix(payload[1:], []byte("verilot/chunk")) || s.chance(50) {
		return payload
	}
	height := binary.BigEndian.Uint64(payload[header-8:])
	seq := n.core.Head().Header.LastSeq + 1
	_, chunks, err := consensus.Chunks(s.g.Network, height, canonical.Hash(payload[header:header+32]), []consensus.Message{{Seq: seq, Payload: []byte("a lie")}}, s.key(n.i, "vote"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return chunks[0]
}

func (s *sim) proposeLies(l *simNode, height uint64, round uint32) {
	for r := range round {
		votes := s.heard[simSlot{0, height, r, quorum.Prepare}]
		for _, header := range slices.SortedFunc(mapKeys(votes), func(a, b canonical.Hash) int { return bytes.Compare(a[:], b[:]) }) {
			sigs := slices.SortedFunc(slices.Values(votes[header]), func(a, b quorum.Signature) int { return int(a.Validator) - int(b.Validator) })
			b := &quorum.Bundle{Epoch: 1, Height: height, Kind: quorum.Prepare, Header: header, Votes: sigs}
			valid := r
			if len(sigs) < s.g.Validators.Quorum() {
				valid = consensus.NoRound
			}
			if favourite, ok := s.favourite(height); header == (canonical.Hash{}) || valid == consensus.NoRound && r > 0 || ok && favourite != header {
				continue
			}
			payload, err := consensus.Proposal(s.g.Network, b, round, valid, s.key(l.i, "vote"))
			if err != nil {
				s.tb.Fatal(err)
			}
			for _, n := range s.nodes {
				if s.chance(50) {
					s.send(l, n.i, consensus.Heard{Payload: payload})
				}
			}
		}
	}
}

func mapKeys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// --- scripts

// clusterHelp: commands of a script; validators are counted from 1, times are ms.
//
//	submit [n]                     n submissions reach every history of the stream
//	garbage n [size=bytes]         a message that only history n holds (0 is the first)
//	wait <ms>
//	net [delay=a..b] [drop=%] [dup=%] [hold=%]   hold: this many more of commits, quorums and cosignatures are lost
//	disk <ms>                      syncs take up to this long
//	hush <v>                       all commits, quorums and cosignatures of v are lost; 0: of nobody
//	deliver drop=<n>               the next n messages between validators are lost
//	part 1 2 | 3 4                 no messages between the groups; heal: all links work again, nothing is lost
//	crash <v> [power] [in=<actions>]   power: what is not synced is lost; in: before its n-th action from now
//	start <v>
//	deaf <v>, hear <v>             the stream does not reach v; it does again
//	liar <v>, silent <v>, clock <v> <ms ahead>
//	fork <v>… [lose=n]             these see another history from now on, without the last n messages
//	move <v> <n>                   v sees history n from now on
//	lose <n>                       the stream loses its last n messages; their numbers are used again
//	reconnect <v>                  reads the stream again from its newest block on
//	status
//	finish [limit]                 starts and heals everything; in a healthy stream all that was submitted must be decided
func (s *sim) command(line string) {
	words := strings.Fields(line)
	opts := map[string]string{}
	var args []string
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			opts[k] = v
		} else {
			args = append(args, w)
		}
	}
	number := func(text string, otherwise int) int {
		if text == "" {
			return otherwise
		}
		v, err := strconv.Atoi(text)
		if err != nil {
			s.tb.Fatalf("%q: %v", line, err)
		}
		return v
	}
	arg := func(i, otherwise int) int {
		if i >= len(args) {
			return otherwise
		}
		return number(args[i], 0)
	}
	node := func() *simNode { return s.nodes[arg(0, 1)-1] }
	switch words[0] {
	case "submit":
		for range arg(0, 1) {
			s.submit()
		}
	case "garbage":
		text := fmt.Appendf(nil, "garbage %d %d", s.now, arg(0, 0))
		text = append(text, make([]byte, number(opts["size"], 0))...)
		s.append(s.logs[arg(0, 0)%len(s.logs)], text)
	case "wait":
		s.run(s.now+int64(arg(0, 0)), nil)
	case "net":
		if d, ok := opts["delay"]; ok {
			a, b, _ := strings.Cut(d, "..")
			s.delayFrom, s.delayTo = number(a, 1), number(b, 1)
		}
		s.dropPercent, s.dupPercent = number(opts["drop"], s.dropPercent), number(opts["dup"], s.dupPercent)
		s.holdPercent = number(opts["hold"], s.holdPercent)
	case "deliver":
		s.loseNext = number(opts["drop"], 1)
	case "part":
		s.part(args)
	case "heal":
		s.heal()
	case "crash":
		if in := number(opts["in"], 0); in > 0 {
			node().crashIn, node().power = in, slices.Contains(args, "power")
		} else {
			s.crash(node(), slices.Contains(args, "power"))
		}
	case "start":
		if !node().up {
			s.start(node())
		}
	case "disk":
		s.disk = arg(0, 8)
	case "hush":
		s.hushed = arg(0, 0)
	case "deaf":
		node().deaf = true
	case "hear":
		node().deaf = false
		s.pump(node())
	case "liar":
		node().liar = true
	case "silent":
		node().silent = true
	case "clock":
		node().clock = int64(arg(1, 0))
	case "fork":
		s.fork(args, number(opts["lose"], 0))
	case "move":
		s.healthy = false
		n := node()
		n.log = s.logs[arg(1, 0)%len(s.logs)]
		if n.up {
			n.cursor = int(n.core.Head().Header.LastSeq)
			s.pump(n)
		}
	case "lose":
		s.healthy = false
		log := s.logs[0]
		log.messages = slices.Clone(log.messages[:max(min(1, len(log.messages)), len(log.messages)-arg(0, 1))])
		for _, n := range s.nodes {
			if n.log == log {
				n.cursor = min(n.cursor, len(log.messages)) // consumers go on behind the new end
				if n.up && n.core.Head().Header.LastSeq <= uint64(n.cursor) {
					n.cursor = int(n.core.Head().Header.LastSeq)
				}
				s.pump(n)
			}
		}
	case "reconnect":
		if n := node(); n.up {
			n.cursor = int(n.core.Head().Header.LastSeq)
			s.pump(n)
		}
	case "status":
		s.status()
	case "finish":
		s.finish(int64(arg(0, 120_000)))
	default:
		s.tb.Fatalf("unknown command %q", line)
	}
}

func (s *sim) submit() {
	if s.submitted == mostSubmissions {
		return
	}
	payload := s.w.submissions[s.submitted]
	s.submitted++
	for _, log := range s.logs {
		s.append(log, payload)
	}
}

func (s *sim) part(args []string) {
	group, at := make([]int, len(s.nodes)), 1
	for _, a := range args {
		if a == "|" {
			at++
			continue
		}
		i, err := strconv.Atoi(a)
		if err != nil {
			s.tb.Fatal(err)
		}
		group[i-1] = at
	}
	for i := range s.cut {
		for j := range s.cut {
			s.cut[i][j] = group[i] != group[j]
		}
	}
}

func (s *sim) heal() {
	for i := range s.cut {
		clear(s.cut[i])
	}
	s.dropPercent, s.dupPercent, s.holdPercent, s.loseNext, s.hushed = 0, 0, 0, 0, 0
	s.delayFrom, s.delayTo, s.disk = 1, 20, 8
}

func (s *sim) fork(args []string, lose int) {
	s.healthy = false
	var log *simLog
	for _, a := range args {
		i, err := strconv.Atoi(a)
		if err != nil {
			s.tb.Fatal(err)
		}
		n := s.nodes[i-1]
		if log == nil {
			m := n.log.messages
			log = &simLog{slices.Clone(m[:max(min(1, len(m)), len(m)-lose)])}
			s.logs = append(s.logs, log)
		}
		n.log = log
		if n.up {
			n.cursor = int(n.core.Head().Header.LastSeq)
			s.pump(n)
		}
	}
}

func (s *sim) status() {
	for _, n := range s.nodes {
		if !n.up {
			s.say("%s is down", n.name())
			continue
		}
		h, r := consensus.Round(n.core)
		s.say("%s is at height %d, round %d", n.name(), h, r)
	}
}

// finish is the liveness promise: with everything working again, and fewer than a third at fault, all ends well.
func (s *sim) finish(limit int64) {
	s.heal()
	for _, n := range s.nodes {
		n.crashIn = 0
		if n.deaf {
			n.deaf = false
			s.pump(n)
		}
		if !n.up {
			s.start(n)
		}
	}
	since := s.now
	done := func() bool {
		if len(s.chain) == 0 || s.chain[len(s.chain)-1].subs < s.submitted {
			return false
		}
		for _, n := range s.nodes {
			if !n.liar && !n.silent && int(n.core.Head().Header.Height) < len(s.chain) {
				return false
			}
		}
		return true
	}
	if !s.healthy {
		limit = min(limit, 15_000)
	}
	if done() || s.run(s.now+limit, done) {
		s.slowest = s.now - since
		s.say("everything is decided")
	} else if s.healthy {
		heights := ""
		for _, n := range s.nodes {
			h, r := consensus.Round(n.core)
			heights += fmt.Sprintf(" %s %d/%d", n.name(), h, r)
		}
		subs := 0
		if len(s.chain) > 0 {
			subs = s.chain[len(s.chain)-1].subs
		}
		s.fail("not everything is decided after %d s: %d of %d submissions, height/round%s", limit/1000, subs, s.submitted, heights)
	}
}

// replay follows the decided chain from nothing.
func (s *sim) replay() error {
	st := state.NewMemory()
	st.Apply(s.w.zero)
	for _, b := range s.chain {
		res, err := consensus.Follow(s.g, st, b.record, b.messages)
		if err != nil {
			return err
		}
		if res.Hash != b.header {
			return errors.New("replay gives another header")
		}
		st.Apply(res.Writes)
	}
	return nil
}

// play runs a script.
func play(tb testing.TB, script string, fast bool, sabotage string) *sim {
	tb.Helper()
	var s *sim
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "|") {
			continue
		}
		if s != nil {
			s.out.WriteString(line + "\n")
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if s == nil {
			var n int
			var seed uint64
			if _, err := fmt.Sscanf(line, "cluster %d seed %d", &n, &seed); err != nil {
				tb.Fatalf("%q: %v", line, err)
			}
			s = newSim(tb, n, seed, fast, sabotage)
			s.out.WriteString(line + "\n")
			continue
		}
		s.command(line)
		if s.violation != nil {
			fmt.Fprintf(&s.out, "| BROKEN: %v\n", s.violation)
			return s
		}
	}
	if err := s.replay(); err != nil {
		s.fail("the chain cannot be followed: %v", err)
	}
	return s
}
