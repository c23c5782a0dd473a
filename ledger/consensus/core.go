package consensus

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/state"
)

// Config is what makes a Core this validator and no other.
type Config struct {
	Genesis *genesis.Genesis
	Vote    crypto.Signer // Ed25519; must be a vote key of the set
	Cosign  crypto.Signer // Ed25519; the same validator's cosign key
}

// Input is one thing that happened. Now is the machine's clock, in ms since the Unix epoch, when it did: a Core has no
// other clock.
type Input struct {
	Now   int64
	Event Event
}

// Event is one of Arrived, VoteReceived, CosignatureReceived, Heard, Certified, Persisted, Applied; nil means that a timer
// went off or that the validator starts.
type Event interface{ event() }

type (
	// Arrived is the next message of the stream, in order, from the head's last sequence + 1 on.
	Arrived struct{ Message Message }
	// VoteReceived is what another validator sent as a vote.
	VoteReceived struct{ Payload []byte }
	// CosignatureReceived is what another validator sent as a cosignature.
	CosignatureReceived struct{ Payload []byte }
	// Heard is what another validator sent as Tell.
	Heard struct{ Payload []byte }
	// Certified is a block that others decided, from the BLOCKS stream or a peer, with its bodies from wherever: the answer
	// to FetchBlock. One that is not the next, or that does not hold, changes nothing.
	Certified struct {
		Record   *BlockRecord
		Messages []Message
	}
	// Persisted says that the record with this ID, and so every earlier one, is durable. Took is how long the disk needed.
	Persisted struct {
		ID   uint64
		Took time.Duration
	}
	// Applied says that the node's view now holds the state after this height.
	Applied struct{ Height uint64 }
)

func (Arrived) event()             {}
func (VoteReceived) event()        {}
func (CosignatureReceived) event() {}
func (Heard) event()               {}
func (Certified) event()           {}
func (Persisted) event()           {}
func (Applied) event()             {}

// Output is what to do about an Input, in order. With Halt set the validator has stopped for good: every later Step says
// the same.
type Output struct {
	Actions []Action
	Halt    error
}

// Action is one of Persist, Publish, SendVote, SendCosignature, Tell, Decided, FetchBlock, Reread, SetTimer, Alarm.
type Action interface{ action() }

type (
	// Persist appends a record to the journal. With Sync the node makes it durable, in the background if it likes, and then
	// hands in Persisted. The journal may forget a height once its block is stored durably and applied.
	Persist struct {
		ID     uint64
		Kind   RecordKind
		Height uint64
		Record []byte
		Sync   bool
	}
	// Publish sends a message to the stream: an epoch record, which must be sent with expected-last-sequence 0 (and whose
	// refusal is no error: somebody else was first), a cut, a tick or a heartbeat. If it gets lost a later one follows.
	Publish struct {
		Kind    block.Kind
		Payload []byte
	}
	// SendVote sends a vote to the other validators.
	SendVote struct{ Payload []byte }
	// SendCosignature sends a cosignature to the other validators.
	SendCosignature struct{ Payload []byte }
	// Tell sends a message to another validator, or to all others (To: Everyone). It may get lost.
	Tell struct {
		To      int
		Payload []byte
	}
	// FetchBlock asks for Certified of this height: others have decided it. It is repeated until the block is there.
	FetchBlock struct{ Height uint64 }
	// Reread asks for the messages of the stream from this sequence on, again: another block was decided than the one the
	// stream led to. Messages on their way may still come and are ignored. This is a reconnect: look at the message before
	// first (design section 4, Consumers), and halt if it is not the one in the block.
	Reread struct{ From uint64 }
	// Decided is a block with its certificate: store it durably, publish its Record, apply its writes, hand in Applied.
	// After a restart the newest blocks may come again, with the same bytes.
	Decided struct {
		Result      *Result
		Certificate quorum.Certificate
	}
	// SetTimer asks for a Step with a nil Event at this time (on the clock of Input.Now). It replaces the timer before.
	SetTimer struct{ At int64 }
	// Alarm is for the operator. Evidence, if there is some, convicts a validator and must be kept. Votes are those of round
	// 0 when a height stays undecided.
	Alarm struct {
		Code, Detail string
		Evidence     *quorum.Evidence
		Votes        []quorum.SignedVote
	}
)

func (Persist) action()         {}
func (Publish) action()         {}
func (SendVote) action()        {}
func (SendCosignature) action() {}
func (Tell) action()            {}
func (FetchBlock) action()      {}
func (Reread) action()          {}
func (Decided) action()         {}
func (SetTimer) action()        {}
func (Alarm) action()           {}

// Everyone as the receiver of a Tell.
const Everyone = -1

// Alarm codes.
const (
	AlarmEquivocation = "EQUIVOCATION" // two different votes of one validator for one thing
	AlarmOtherBlock   = "OTHER_BLOCK"  // another block was decided than the one that the own stream led to
	AlarmCosignature  = "BAD_COSIGNATURE"
	AlarmUndecided    = "UNDECIDED"    // no decision for ten seconds
	AlarmStream       = "OTHER_STREAM" // the stream shows another message than before, or than a decided block
)

// Errors that halt.
var (
	// ErrStream means that the stream shows another message than the one this validator has voted on: the broker lost its
	// tail and reused the number (design section 4, Consumers).
	ErrStream = errors.New("consensus: the stream shows another message than before")
	// ErrVoted means that the recorded body does not give the header that was voted for: other rules, or a damaged store.
	ErrVoted = errors.New("consensus: the recorded body does not give the recorded vote")
)

// SetAt is the validator set of a height. Sets change by governance acts, which no rules version knows yet.
func SetAt(g *genesis.Genesis, _ uint64) *quorum.Set { return &g.Validators }

// Core is one validator. It decides; the node around it stores and sends. Not safe for concurrent use.
//
// Between two decisions it goes through: cut, build, persist body and prepare, send prepare; on a quorum of prepares persist
// commit, send commit; on a quorum of commits cosign the checkpoint; on a quorum of cosignatures decided. When that does not
// come about in round 0, rounds with a coordinator follow (contest; docs/consensus.md has the argument). Messages that
// arrive meanwhile are cut into the next block, for which nothing is voted before.
type Core struct {
	g            *genesis.Genesis
	set          *quorum.Set // of the height being decided
	self         int
	vote, cosign crypto.Signer

	head    Head // newest decided block
	view    state.View
	layers  []*layer // decided blocks above view, ascending
	journal map[uint64]*recorded

	cutter    *Cutter   // of the open block; nil while ready waits
	open      []Message // taken by cutter
	ready     []Message // a closed block that waits for the decision on the one before
	backlog   []Message // not yet offered to a cutter
	adopted   []Message // the newest block, if the own stream had not shown all of it when it was decided
	rereading bool      // the stream is to be read again from next on

	k       *contest
	last    *finished // the newest decided block, for those who are behind
	tallies map[tallyKey]*quorum.Tally
	accused map[accusation]bool
	cosigs  map[uint64]map[uint16][]quorum.Cosignature // by height, by validator; not verified
	replied []int64                                    // by validator: when it was last helped

	now      int64
	started  bool
	recordID uint64
	pace     pace
	out      Output
	halted   error
	sabotage sabotage
}

// sabotage breaks one rule each, so that the simulator can show that it would notice. Only tests set it.
type sabotage struct{ lock, sync, quorum bool }

type tallyKey struct {
	height uint64
	round  uint32
	kind   quorum.VoteKind
}

type accusation struct {
	tallyKey
	validator int
}

// candidate is a body that was executed: a block that may be decided.
type candidate struct {
	messages []Message
	res      *Result
	layer    *layer
	log      quorum.Checkpoint
	recorded bool // its body is in the journal, or on the way there before anything that needs it
}

// finished is what is left of a decided block.
type finished struct {
	height      uint64
	at          int64
	header      canonical.Hash
	messages    []Message
	proof       []byte // quorum of commits, if it was seen
	cosignature []byte // own
}

// New starts a validator over the state after its newest stored block. The view must go on showing exactly that state, or
// that of a later block for which Applied is about to be handed in.
func New(cfg Config, view state.View) (*Core, error) {
	head, ok := ReadHead(view)
	if !ok {
		return nil, ErrEmpty
	}
	c := &Core{
		g: cfg.Genesis, set: SetAt(cfg.Genesis, head.Header.Height+1), self: -1, vote: cfg.Vote, cosign: cfg.Cosign,
		head: head, view: view,
		journal: map[uint64]*recorded{},
		tallies: map[tallyKey]*quorum.Tally{},
		accused: map[accusation]bool{},
		cosigs:  map[uint64]map[uint16][]quorum.Cosignature{},
	}
	for i, v := range c.set.Validators {
		if samePublic(cfg.Vote, v.VoteKey) && samePublic(cfg.Cosign, v.CosignKey) {
			c.self = i
		}
	}
	if c.self < 0 {
		return nil, errors.New("consensus: the signers are not those of a validator in the set")
	}
	var err error
	if c.cutter, err = NewCutter(c.g, view); err != nil {
		return nil, err
	}
	c.replied = make([]int64, len(c.set.Validators))
	c.k = newContest(c.set, head.Header.Height+1)
	c.pace.start(c)
	return c, nil
}

func samePublic(s crypto.Signer, want ed25519.PublicKey) bool {
	pub, ok := s.Public().(ed25519.PublicKey)
	return ok && bytes.Equal(pub, want)
}

// Head is the newest decided block.
func (c *Core) Head() Head { return c.head }

// Backlog is the number of messages waiting behind blocks that are not decided. A node stops reading the stream when it
// grows and lets it fall again.
func (c *Core) Backlog() int { return len(c.backlog) }

// Keys is the newest view of the registry, for an Opener: of decided blocks and the one being decided. It must not be used
// after the next Step.
func (c *Core) Keys() state.View { return c.top() }

// Step takes an input and says what to do.
func (c *Core) Step(in Input) Output {
	if c.halted != nil {
		return Output{Halt: c.halted}
	}
	c.out = Output{}
	if c.started && in.Now < c.now {
		c.pace.shift(c.now - in.Now) // the machine's clock was set back: what was due in 20 ms still is
		c.k.shift(c.now - in.Now)
		for i := range c.replied {
			c.replied[i] -= c.now - in.Now
		}
		if c.last != nil {
			c.last.at -= c.now - in.Now
		}
	}
	c.now = in.Now
	if err := c.step(in.Event); err != nil {
		c.halted = err
		c.out.Halt = err
	}
	return c.out
}

func (c *Core) step(ev Event) error {
	if !c.started {
		c.started = true
		if err := c.rebuild(); err != nil {
			return err
		}
		if len(c.set.Validators) > 1 {
			if err := c.ask(askVotes, canonical.Hash{}, everyone); err != nil {
				return err
			}
		}
	}
	var err error
	switch ev := ev.(type) {
	case Arrived:
		err = c.arrived(ev.Message)
	case VoteReceived:
		err = c.voteReceived(ev.Payload)
	case CosignatureReceived:
		c.cosignatureReceived(ev.Payload)
	case Heard:
		err = c.heard(ev.Payload)
	case Certified:
		err = c.certified(ev)
	case Persisted:
		c.persisted(ev)
	case Applied:
		c.applied(ev.Height)
	}
	if err == nil {
		err = c.advance()
	}
	if err == nil {
		err = c.pace.run(c)
	}
	return err
}

func (c *Core) do(a Action) { c.out.Actions = append(c.out.Actions, a) }

// base is the state after the newest decided block.
func (c *Core) base() state.View {
	if n := len(c.layers); n > 0 {
		return c.layers[n-1]
	}
	return c.view
}

// top is the state after the newest block that was cut.
func (c *Core) top() state.View {
	if c.k.own != nil {
		return c.k.own.layer
	}
	return c.base()
}

func (c *Core) applied(height uint64) {
	for len(c.layers) > 0 && c.layers[0].height <= height {
		done := c.layers[0]
		c.layers = c.layers[1:]
		if len(c.layers) > 0 {
			c.layers[0].base = c.view
			continue
		}
		for _, cand := range c.k.values {
			if cand.layer.base == state.View(done) {
				cand.layer.base = c.view
			}
		}
	}
}

// arrived queues a message of the stream. Redelivered ones are compared with what was seen before.
func (c *Core) arrived(m Message) error {
	want := c.next()
	if m.Seq > want {
		if c.rereading {
			return nil
		}
		return fmt.Errorf("%w: sequence %d where %d is due", ErrSequence, m.Seq, want)
	}
	if m.Seq < want {
		return c.again(m)
	}
	c.rereading = false
	m.Prepared = prepare(c.g, &m)
	if m.Seq == 1 && m.Prepared.kind != block.EpochRecord {
		return ErrNoEpochRecord // no cut would ever come to end the block and find out
	}
	c.pace.saw(c, &m)
	c.backlog = append(c.backlog, m)
	return c.drain()
}

// differs reports whether m is another message than the one in known.
func differs(m *Message, known []Message) bool {
	return len(known) > 0 && m.Seq >= known[0].Seq && m.Seq-known[0].Seq < uint64(len(known)) &&
		!bytes.Equal(m.Payload, known[m.Seq-known[0].Seq].Payload)
}

// again compares a redelivered message with what was seen before. A lone validator halts when it differs: its stream is
// all there is. In a cluster the votes say which of the two histories goes on: what was voted on stays, and the open block
// is cut again from what the stream shows now.
func (c *Core) again(m Message) error {
	voted := differs(&m, c.ownMessages()) || differs(&m, c.adopted)
	open := differs(&m, c.ready) || differs(&m, c.open) || differs(&m, c.backlog)
	if !voted && !open {
		return nil
	}
	if len(c.set.Validators) == 1 {
		return fmt.Errorf("%w: sequence %d", ErrStream, m.Seq)
	}
	c.streamAlarm(m.Seq)
	if voted {
		return nil
	}
	kept := slices.Concat(c.ready, c.open, c.backlog)
	kept = kept[:m.Seq-kept[0].Seq]
	return c.recut(kept, &m)
}

func (c *Core) streamAlarm(seq uint64) {
	if !c.k.streamAlarm {
		c.k.streamAlarm = true
		c.do(Alarm{Code: AlarmStream, Detail: fmt.Sprintf("sequence %d is not what it was, or what was decided", seq)})
	}
}

// recut starts the open block again from these messages and those that follow.
func (c *Core) recut(kept []Message, more ...*Message) error {
	var err error
	if c.cutter, err = NewCutter(c.g, c.top()); err != nil {
		return err
	}
	c.open, c.ready, c.backlog = nil, nil, slices.Clone(kept)
	c.pace.opened(c)
	for _, m := range more {
		if err := c.arrived(*m); err != nil {
			return err
		}
	}
	return c.drain()
}

func (c *Core) ownMessages() []Message {
	if c.k.own == nil {
		return nil
	}
	return c.k.own.messages
}

// next is the sequence that the stream must show next.
func (c *Core) next() uint64 {
	if n := len(c.backlog); n > 0 {
		return c.backlog[n-1].Seq + 1
	}
	if n := len(c.ready); n > 0 {
		return c.ready[n-1].Seq + 1
	}
	return c.cutter.next
}

// drain offers the backlog to the cutter, up to the end of the block after the candidate.
func (c *Core) drain() error {
	for len(c.backlog) > 0 && c.ready == nil {
		m := c.backlog[0]
		before, after, err := c.cutter.Add(m)
		if err != nil {
			return err
		}
		if !before {
			c.backlog = c.backlog[1:]
			c.open = append(c.open, m)
		}
		if before || after {
			if err := c.closeBlock(); err != nil {
				return err
			}
		}
	}
	if len(c.backlog) == 0 {
		c.backlog = nil // let go of the memory
	}
	return nil
}

// closeBlock ends the open block: it becomes the own cut, or waits for the decision on the present one.
func (c *Core) closeBlock() error {
	messages := c.open
	c.open = nil
	if c.k.own != nil {
		c.ready, c.cutter = messages, nil
		return nil
	}
	return c.build(messages)
}

// build executes the own cut and starts the next block's cutter above it.
func (c *Core) build(messages []Message) error {
	cand, err := c.execute(messages)
	if err != nil {
		return err
	}
	c.k.own = cand
	if c.cutter, err = NewCutter(c.g, c.top()); err != nil {
		return err
	}
	c.pace.opened(c)
	return nil
}

// execute makes a candidate for the height being decided.
func (c *Core) execute(messages []Message) (*candidate, error) {
	res, err := Execute(c.g, c.base(), messages)
	if err != nil {
		return nil, err
	}
	return c.candidate(messages, res)
}

func (c *Core) candidate(messages []Message, res *Result) (*candidate, error) {
	if known := c.k.values[res.Hash]; known != nil {
		return known, nil
	}
	cand := &candidate{
		messages: messages,
		res:      res,
		layer:    &layer{base: c.base(), height: res.Header.Height, writes: res.Writes},
	}
	root, _, err := LogRoot(cand.layer, res.Header.Height+1, nil)
	if err != nil {
		return nil, err
	}
	cand.log = quorum.Checkpoint{Origin: c.g.Origin(), Size: res.Header.Height + 1, Root: root}
	c.k.values[res.Hash] = cand
	return cand, nil
}

// rebuild brings back what the journal says of the next height.
func (c *Core) rebuild() error {
	height := c.head.Header.Height + 1
	rec := c.journal[height]
	if rec == nil {
		return nil
	}
	delete(c.journal, height)
	if rec.bodies != nil && rec.parent != c.head.Hash {
		return fmt.Errorf("%w at height %d: its parent is another block", ErrVoted, height)
	}
	// Messages of this height that came from the stream meanwhile must be the recorded ones.
	taken := slices.Concat(c.ready, c.open, c.backlog)
	var err error
	if c.cutter, err = NewCutter(c.g, c.base()); err != nil {
		return err
	}
	c.open, c.ready, c.backlog = nil, nil, nil
	for _, messages := range rec.bodies {
		cand, err := c.execute(messages)
		if err != nil {
			return err
		}
		cand.recorded = true
	}
	if err := c.resume(rec); err != nil {
		return err
	}
	if rec.cert != nil {
		cand := c.k.values[rec.decided]
		if cand == nil {
			return fmt.Errorf("%w at height %d", ErrVoted, height)
		}
		if err := c.decide(cand, rec.cert); err != nil {
			return err
		}
	}
	for i := range taken {
		if err := c.arrived(taken[i]); err != nil {
			return err
		}
	}
	return nil
}

// resume goes on with the votes in a journal: they stay as they are, the round is the highest voted in, and the lock that
// of the newest commit.
func (c *Core) resume(rec *recorded) error {
	k := c.k
	for i := range rec.votes {
		v := &rec.votes[i].vote
		if !v.Vote.Nil && k.values[v.Vote.Header] == nil {
			return fmt.Errorf("%w at height %d", ErrVoted, k.height)
		}
		k.ballots = append(k.ballots, &ballot{vote: v})
		if !k.begun || v.Vote.Round > k.round {
			c.begin(v.Vote.Round)
		}
		if v.Vote.Kind == quorum.Commit && !v.Vote.Nil {
			if k.locked == nil || v.Vote.Round > k.locked.round {
				k.locked = &choice{v.Vote.Round, v.Vote.Header}
			}
			if b, err := quorum.DecodeBundle(c.g.Network, rec.votes[i].proof); err == nil {
				c.prove(b)
			}
		}
	}
	if v := rec.vote(0, quorum.Prepare); v != nil && !v.Vote.Nil {
		k.own = k.values[v.Vote.Header]
		var err error
		if c.cutter, err = NewCutter(c.g, c.top()); err != nil {
			return err
		}
		c.pace.opened(c)
	}
	if rec.adopted != nil {
		if k.final = k.values[*rec.adopted]; k.final == nil {
			return fmt.Errorf("%w at height %d", ErrVoted, k.height)
		}
		k.adopted = true
		if len(rec.proof) > 0 { // none if it came with its certificate
			k.finalProof = rec.proof
		}
	}
	return nil
}

// voteReceived counts a vote for this height or the next, and helps those who still vote for an earlier one.
func (c *Core) voteReceived(payload []byte) error {
	v, by, err := c.set.OpenVote(c.g.Network, payload)
	if err != nil || v.Vote.Epoch != c.g.Epoch {
		return nil //nolint:nilerr // not a vote of this set
	}
	if v.Vote.Height < c.k.height {
		return c.help(by, v.Vote.Height)
	}
	c.count(v, by)
	return nil
}

// count takes a vote into the tallies: of the height being decided up to its round, of the next height in round 0. Votes of
// later rounds are kept one per validator and kind, however many are sent.
func (c *Core) count(v quorum.SignedVote, by int) {
	k := c.k
	c.saw(v.Vote.Height, by)
	var ev *quorum.Evidence
	switch {
	case v.Vote.Height == k.height && v.Vote.Round > k.round:
		k.anyAhead = true
		had := &k.ahead[by][v.Vote.Kind-1]
		switch {
		case *had == nil || (*had).Vote.Round < v.Vote.Round:
			*had = &v
		case (*had).Vote.Round == v.Vote.Round && (*had).Vote != v.Vote:
			ev = &quorum.Evidence{Validator: by, First: **had, Second: v}
		}
	case v.Vote.Height == k.height || v.Vote.Height == k.height+1 && v.Vote.Round == 0:
		_, ev = c.tally(v.Vote.Height, v.Vote.Round, v.Vote.Kind).Add(v, by)
	}
	if ev == nil {
		return
	}
	a := accusation{tallyKey{v.Vote.Height, v.Vote.Round, v.Vote.Kind}, by}
	if c.accused[a] {
		return
	}
	c.accused[a] = true
	c.do(Alarm{
		Code:     AlarmEquivocation,
		Detail:   fmt.Sprintf("%s cast two different votes at height %d", c.set.Validators[by].Name, v.Vote.Height),
		Evidence: ev,
	})
}

func (c *Core) tally(height uint64, round uint32, kind quorum.VoteKind) *quorum.Tally {
	k := tallyKey{height, round, kind}
	t := c.tallies[k]
	if t == nil {
		t = quorum.NewTally(SetAt(c.g, height), c.g.Epoch, height, round, kind)
		c.tallies[k] = t
	}
	return t
}

// persisted lets go of what waited for the journal.
func (c *Core) persisted(p Persisted) {
	c.pace.synced(p.Took)
	for _, b := range c.k.ballots {
		if !b.sent && b.record != 0 && b.record <= p.ID {
			c.send(b)
		}
	}
	if c.k.adoptRecord != 0 && c.k.adoptRecord <= p.ID {
		c.k.adopted = true
	}
}

// send lets a durable vote out and counts it.
func (c *Core) send(b *ballot) {
	b.sent = true
	c.do(SendVote{b.vote.Payload()})
	c.count(*b.vote, c.self)
}

func (c *Core) persist(kind RecordKind, record []byte, sync bool) uint64 {
	c.recordID++
	c.do(Persist{ID: c.recordID, Kind: kind, Height: c.k.height, Record: record, Sync: sync})
	return c.recordID
}

// decide makes a candidate the head and goes on with the next height: the recorded one, or the block that was closed
// meanwhile.
func (c *Core) decide(cand *candidate, cert quorum.Certificate) error {
	k := c.k
	c.do(Decided{Result: cand.res, Certificate: cert})
	c.layers = append(c.layers, cand.layer)
	c.head, _ = ReadHead(cand.layer)
	c.last = &finished{height: k.height, at: c.now, header: cand.res.Hash, messages: cand.messages, proof: k.finalProof, cosignature: k.cosignature}
	for t := range c.tallies {
		if t.height <= k.height {
			delete(c.tallies, t)
		}
	}
	for a := range c.accused {
		if a.height <= k.height {
			delete(c.accused, a)
		}
	}
	for h := range c.cosigs {
		if h <= k.height {
			delete(c.cosigs, h)
		}
	}
	c.set = SetAt(c.g, k.height+1)
	c.k = newContest(c.set, k.height+1)
	c.adopted = nil
	if cand != k.own {
		if err := c.rewind(k, cand); err != nil {
			return err
		}
	}
	if c.journal[c.k.height] != nil {
		return c.rebuild()
	}
	if c.ready != nil {
		messages := c.ready
		c.ready = nil
		if err := c.build(messages); err != nil {
			return err
		}
	}
	return c.drain()
}

// rewind goes on behind a decided block that is not the own cut: with what the stream showed behind it, if that is the same
// stream, else by reading it again.
func (c *Core) rewind(k *contest, cand *candidate) error {
	var seen []Message
	if k.own != nil {
		seen = k.own.messages
		c.do(Alarm{Code: AlarmOtherBlock, Detail: fmt.Sprintf("height %d: decided %x, ours is %x", k.height, cand.res.Hash, k.own.res.Hash)})
	}
	seen = slices.Concat(seen, c.ready, c.open, c.backlog)
	last := cand.res.Header.LastSeq
	for i := range seen {
		if differs(&seen[i], cand.messages) {
			c.streamAlarm(seen[i].Seq)
			c.rereading = true
			c.do(Reread{From: last + 1})
			return c.recut(nil)
		}
	}
	c.adopted = cand.messages
	seen = slices.DeleteFunc(seen, func(m Message) bool { return m.Seq <= last })
	return c.recut(seen)
}

// certified takes over a block that others decided.
func (c *Core) certified(ev Certified) error {
	height := c.k.height
	res, err := Follow(c.g, c.base(), ev.Record, ev.Messages)
	if errors.Is(err, ErrDiverged) {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // somebody's bad copy, or one that came too late: a good one will come
	}
	cand, err := c.candidate(ev.Messages, res)
	if err != nil {
		return err
	}
	// Not synced, but before every vote of the next height: a journal never begins behind the store.
	if !cand.recorded {
		c.persist(Adopted, encodeAdopted(height, c.head.Hash, res.Hash, cand.messages, nil), false)
	}
	c.persist(Decision, encodeDecision(height, res.Hash, ev.Record.Certificate), false)
	return c.decide(cand, ev.Record.Certificate)
}

// cosignFinal signs the checkpoint that ends with the decided block. There is never one of the same size with another root:
// the own synced commit, or the synced decision, is for this header.
func (c *Core) cosignFinal() error {
	k := c.k
	cs := quorum.Cosignature{Validator: uint16(c.self), Time: uint64(max(c.now, 0) / 1000)}
	var err error
	if cs.Signature, err = quorum.Cosign(k.final.log, cs.Time, c.cosign); err != nil {
		return err
	}
	k.cosignature = encodeCosignature(c.g, k.height, cs)
	c.do(SendCosignature{k.cosignature})
	c.keep(k.height, cs)
	return nil
}

// maxUnverified bounds the cosignatures kept in the name of one validator before they can be verified: anybody may claim
// to be it, and the real one comes again.
const maxUnverified = 4

func (c *Core) keep(height uint64, cs quorum.Cosignature) {
	m := c.cosigs[height]
	if m == nil {
		m = map[uint16][]quorum.Cosignature{}
		c.cosigs[height] = m
	}
	if have := m[cs.Validator]; len(have) < maxUnverified && !slices.Contains(have, cs) {
		m[cs.Validator] = append(have, cs)
	}
}

// certify makes the certificate once there are enough good cosignatures.
func (c *Core) certify() quorum.Certificate {
	m := c.cosigs[c.k.height]
	if len(m) < c.set.Quorum() {
		return nil
	}
	var have []quorum.Cosignature
	for i := range c.set.Validators {
		have = append(have, m[uint16(i)]...)
	}
	cert, bad := c.set.Certify(c.k.final.log, have)
	for _, cs := range bad {
		left := slices.DeleteFunc(slices.Clone(m[cs.Validator]), func(o quorum.Cosignature) bool { return o == cs })
		if m[cs.Validator] = left; len(left) == 0 {
			delete(m, cs.Validator)
		}
		c.do(Alarm{Code: AlarmCosignature, Detail: fmt.Sprintf("in the name of %s at height %d", c.set.Validators[cs.Validator].Name, c.k.height)})
	}
	return cert
}

// cosignatureReceived keeps a cosignature of this height or the next until there is a checkpoint to verify it with.
func (c *Core) cosignatureReceived(payload []byte) {
	height, cs, err := decodeCosignature(c.g, payload)
	h := c.head.Header.Height
	if err != nil || height <= h || height > h+2 || int(cs.Validator) >= len(c.set.Validators) || int(cs.Validator) == c.self {
		return
	}
	c.keep(height, cs)
}

// The message that carries a cosignature between validators (spec section 13.2): tag("cosignature"), u32 epoch, u64 height,
// u16 validator, u64 time, signature (64).
func encodeCosignature(g *genesis.Genesis, height uint64, cs quorum.Cosignature) []byte {
	b := canonical.AppendTag(nil, g.Network, "cosignature")
	b = canonical.U64(canonical.U32(b, g.Epoch), height)
	b = canonical.U64(canonical.U16(b, cs.Validator), cs.Time)
	return append(b, cs.Signature[:]...)
}

func decodeCosignature(g *genesis.Genesis, payload []byte) (height uint64, cs quorum.Cosignature, err error) {
	r := canonical.NewReader(payload)
	r.Tag(g.Network, "cosignature")
	if r.U32() != g.Epoch {
		r.Fail(canonical.ErrRange)
	}
	height = r.U64()
	cs.Validator, cs.Time = r.U16(), r.U64()
	copy(cs.Signature[:], r.Bytes(len(cs.Signature)))
	return height, cs, r.Done()
}
