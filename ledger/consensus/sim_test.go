package consensus_test

import (
	"bytes"
	"container/heap"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"slices"
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
	castVotes map[simSlot]map[canonical.Hash][]quorum.Signature // every vote ever cast, for liars
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
	life    int // tasks of earlier lives are void
	timer   int64
	clock   int64 // ahead of the world
	crashIn int   // actions until it crashes; 0: never
	power   bool  // and loses what is not synced
	liar    bool
	silent  bool
	deaf    bool
}

func (n *simNode) name() string { return fmt.Sprintf("v%d", n.i+1) }

type simTask struct {
	at    int64
	order int
	do    func()
}

type simQueue []simTask

func (q simQueue) Len() int { return len(q) }
func (q simQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].order < q[j].order
}
func (q simQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *simQueue) Push(x any)   { *q = append(*q, x.(simTask)) }
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
		logs: []*simLog{{}}, votes: map[simSlot]canonical.Hash{}, castVotes: map[simSlot]map[canonical.Hash][]quorum.Signature{},
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
	heap.Push(&s.queue, simTask{s.now + ms, s.order, do})
}

func (s *sim) chance(percent int) bool { return percent > 0 && s.rng.IntN(100) < percent }

func (s *sim) delay() int64 { return int64(s.delayFrom + s.rng.IntN(s.delayTo-s.delayFrom+1)) }

// run lets time pass until the end, or until done says so.
func (s *sim) run(until int64, done func() bool) bool {
	for s.violation == nil && len(s.queue) > 0 && s.queue[0].at <= until {
		e := heap.Pop(&s.queue).(simTask)
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

func (s *sim) step(n *simNode, in consensus.Input) {
	out := n.core.Step(s.now+n.clock, in)
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
	case consensus.Send:
		s.trace.Write(a.Payload)
		if len(a.Payload) == 0 {
			s.fail("%s tells nothing", n.name())
			return
		}
		s.send(n, a.To, consensus.PeerReceived{Payload: s.twist(n, a.Payload)})
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
func (s *sim) send(from *simNode, to int, in consensus.Input) {
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
		if !from.liar && (s.hushed == from.i+1 || s.chance(s.holdPercent)) && decisive(in) {
			continue
		}
		for again := true; again; again = s.chance(s.dupPercent) {
			s.enter(n, s.delay(), func() { s.step(n, in) })
		}
	}
}

// decisive reports whether a message may end a height. The kind of a vote stands behind its tag, epoch, height and round.
func decisive(in consensus.Input) bool {
	switch in := in.(type) {
	case consensus.VoteReceived:
		return in.Payload[1+len("verilot/vote")+2+16+4+8+4] == byte(quorum.Commit)
	case consensus.PeerReceived:
		return bytes.HasPrefix(in.Payload[1:], []byte("verilot/quorum"))
	case consensus.CosignatureReceived:
		return true
	}
	return false
}
