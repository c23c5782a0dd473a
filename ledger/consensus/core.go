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
	"verilot.dev/ledger/enc"
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

// Event is one of Arrived, VoteReceived, CosignatureReceived, Persisted, Applied; nil means that a timer went off or that
// the validator starts.
type Event interface{ event() }

type (
	// Arrived is the next message of the stream, in order, from the head's last sequence + 1 on.
	Arrived struct{ Message Message }
	// VoteReceived is what another validator sent as a vote.
	VoteReceived struct{ Payload []byte }
	// CosignatureReceived is what another validator sent as a cosignature.
	CosignatureReceived struct{ Payload []byte }
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
func (Persisted) event()           {}
func (Applied) event()             {}

// Output is what to do about an Input, in order. With Halt set the validator has stopped for good: every later Step says
// the same.
type Output struct {
	Actions []Action
	Halt    error
}

// Action is one of Persist, Publish, SendVote, SendCosignature, Decided, SetTimer, Alarm.
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
	// Decided is a block with its certificate: store it durably, publish its Record, apply its writes, hand in Applied.
	// After a restart the newest blocks may come again, with the same bytes.
	Decided struct {
		Result      *Result
		Certificate quorum.Certificate
	}
	// SetTimer asks for a Step with a nil Event at this time (on the clock of Input.Now). It replaces the timer before.
	SetTimer struct{ At int64 }
	// Alarm is for the operator. Evidence, if there is some, convicts a validator and must be kept.
	Alarm struct {
		Code, Detail string
		Evidence     *quorum.Evidence
	}
)

func (Persist) action()         {}
func (Publish) action()         {}
func (SendVote) action()        {}
func (SendCosignature) action() {}
func (Decided) action()         {}
func (SetTimer) action()        {}
func (Alarm) action()           {}

// Alarm codes.
const (
	AlarmEquivocation = "EQUIVOCATION" // two different votes of one validator for one thing
	AlarmOtherBlock   = "OTHER_BLOCK"  // a quorum commits to a block that is not ours
	AlarmCosignature  = "BAD_COSIGNATURE"
)

// Errors that halt.
var (
	// ErrStream means that the stream shows another message than the one this validator has voted on: the broker lost its
	// tail and reused the number (design section 4, Consumers).
	ErrStream = errors.New("consensus: the stream shows another message than before")
	// ErrVoted means that the recorded body does not give the header that was voted for: other rules, or a damaged store.
	ErrVoted = errors.New("consensus: the recorded body does not give the recorded vote")
)

// Core is one validator. It decides; the node around it stores and sends. Not safe for concurrent use.
//
// Between two decisions it goes through: cut, build, persist body and prepare, send prepare; on a quorum of prepares persist
// commit, send commit; on a quorum of commits cosign the checkpoint; on a quorum of cosignatures decided. Messages that
// arrive meanwhile are cut into the next block, for which nothing is voted before.
//
// So far there is round 0 only, which is all that one validator alone needs: no timeouts, nil votes, locks or rounds.
type Core struct {
	g            *genesis.Genesis
	set          *quorum.Set
	self         int
	vote, cosign crypto.Signer

	head    Head // newest decided block
	view    state.View
	layers  []*layer // blocks above view, ascending
	journal map[uint64]*recorded

	cutter  *Cutter   // of the open block; nil while ready waits
	open    []Message // taken by cutter
	ready   []Message // a closed block that waits for the decision on cand
	backlog []Message // not yet offered to a cutter
	cand    *candidate

	tallies map[tallyKey]*quorum.Tally
	cosigs  map[uint64]map[uint16]quorum.Cosignature // by height, by validator; not verified

	now      int64
	started  bool
	recordID uint64
	pace     pace
	out      Output
	halted   error
}

type tallyKey struct {
	height uint64
	kind   quorum.VoteKind
}

// candidate is the block that is being voted on.
type candidate struct {
	messages []Message
	res      *Result
	log      quorum.Checkpoint
	prepare  ballot
	commit   ballot
	cosigned bool
	alarmed  bool // that a quorum commits to another block
}

// ballot is one own vote on its way: signed and handed to the journal, then durable and sent.
type ballot struct {
	vote   *quorum.SignedVote
	record uint64 // journal record it waits for
	sent   bool
}

// New starts a validator over the state after its newest stored block. The view must go on showing exactly that state, or
// that of a later block for which Applied is about to be handed in.
func New(cfg Config, view state.View) (*Core, error) {
	head, ok := ReadHead(view)
	if !ok {
		return nil, ErrEmpty
	}
	c := &Core{
		g: cfg.Genesis, set: &cfg.Genesis.Validators, self: -1, vote: cfg.Vote, cosign: cfg.Cosign,
		head: head, view: view,
		journal: map[uint64]*recorded{},
		tallies: map[tallyKey]*quorum.Tally{},
		cosigs:  map[uint64]map[uint16]quorum.Cosignature{},
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
	}
	var err error
	switch ev := ev.(type) {
	case Arrived:
		err = c.arrived(ev.Message)
	case VoteReceived:
		c.voteReceived(ev.Payload)
	case CosignatureReceived:
		c.cosignatureReceived(ev.Payload)
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

// top is the state after the newest block that was built.
func (c *Core) top() state.View {
	if n := len(c.layers); n > 0 {
		return c.layers[n-1]
	}
	return c.view
}

func (c *Core) applied(height uint64) {
	for len(c.layers) > 0 && c.layers[0].height <= height && c.layers[0].height <= c.head.Header.Height {
		c.layers = c.layers[1:]
		if len(c.layers) > 0 {
			c.layers[0].base = c.view
		}
	}
}

// arrived queues a message of the stream. Redelivered ones are compared with what was voted on, or dropped.
func (c *Core) arrived(m Message) error {
	want := c.next()
	if m.Seq > want {
		return fmt.Errorf("%w: sequence %d where %d is due", ErrSequence, m.Seq, want)
	}
	if m.Seq < want {
		for _, known := range [][]Message{c.candidateMessages(), c.ready, c.open, c.backlog} {
			if len(known) > 0 && m.Seq >= known[0].Seq && m.Seq-known[0].Seq < uint64(len(known)) &&
				!bytes.Equal(m.Payload, known[m.Seq-known[0].Seq].Payload) {
				return fmt.Errorf("%w: sequence %d", ErrStream, m.Seq)
			}
		}
		return nil
	}
	m.Prepared = prepare(c.g, &m)
	if m.Seq == 1 && m.Prepared.kind != block.EpochRecord {
		return ErrNoEpochRecord // no cut would ever come to end the block and find out
	}
	c.pace.saw(c, &m)
	c.backlog = append(c.backlog, m)
	return c.drain()
}

func (c *Core) candidateMessages() []Message {
	if c.cand == nil {
		return nil
	}
	return c.cand.messages
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

// closeBlock ends the open block: it becomes the candidate, or waits for the decision on the present one.
func (c *Core) closeBlock() error {
	messages := c.open
	c.open = nil
	if c.cand != nil {
		c.ready, c.cutter = messages, nil
		return nil
	}
	return c.build(messages)
}

// build executes the next block and starts the next one's cutter above it.
func (c *Core) build(messages []Message) error {
	res, err := Execute(c.g, c.top(), messages)
	if err != nil {
		return err
	}
	c.layers = append(c.layers, &layer{base: c.top(), height: res.Header.Height, writes: res.Writes})
	root, _, err := LogRoot(c.top(), res.Header.Height+1, nil)
	if err != nil {
		return err
	}
	c.cand = &candidate{
		messages: messages,
		res:      res,
		log:      quorum.Checkpoint{Origin: c.g.Origin(), Size: res.Header.Height + 1, Root: root},
	}
	if c.cutter, err = NewCutter(c.g, c.top()); err != nil {
		return err
	}
	c.pace.opened(c)
	return nil
}

// rebuild brings back what the journal says of the next height.
func (c *Core) rebuild() error {
	height := c.head.Header.Height + 1
	rec := c.journal[height]
	if rec == nil {
		return nil
	}
	delete(c.journal, height)
	if rec.parent != c.head.Hash {
		return fmt.Errorf("%w at height %d: its parent is another block", ErrVoted, height)
	}
	// Messages of this body that came from the stream meanwhile are in open: they must be the same.
	taken := slices.Concat(c.open, c.ready, c.backlog)
	c.open, c.ready, c.backlog = nil, nil, nil
	if err := c.build(rec.messages); err != nil {
		return err
	}
	for _, v := range []*quorum.SignedVote{rec.prepare, rec.commit} {
		if v != nil && v.Vote.Header != c.cand.res.Hash {
			return fmt.Errorf("%w at height %d", ErrVoted, height)
		}
	}
	c.cand.prepare.vote, c.cand.commit.vote = rec.prepare, rec.commit
	if rec.cert != nil {
		if rec.decided != c.cand.res.Hash {
			return fmt.Errorf("%w at height %d", ErrVoted, height)
		}
		c.decide(rec.cert)
		if err := c.afterDecision(); err != nil {
			return err
		}
	}
	for _, m := range taken {
		if err := c.arrived(m); err != nil {
			return err
		}
	}
	return nil
}

// voteReceived counts a vote for this height or the next.
func (c *Core) voteReceived(payload []byte) {
	v, by, err := c.set.OpenVote(c.g.Network, payload)
	if err == nil {
		c.count(v, by)
	}
}

func (c *Core) count(v quorum.SignedVote, by int) {
	h := c.head.Header.Height
	if v.Vote.Epoch != c.g.Epoch || v.Vote.Height <= h || v.Vote.Height > h+2 || v.Vote.Round != 0 {
		return
	}
	if _, ev := c.tally(v.Vote.Height, v.Vote.Kind).Add(v, by); ev != nil {
		c.do(Alarm{
			Code:     AlarmEquivocation,
			Detail:   fmt.Sprintf("%s cast two different votes at height %d", c.set.Validators[by].Name, v.Vote.Height),
			Evidence: ev,
		})
	}
}

func (c *Core) tally(height uint64, kind quorum.VoteKind) *quorum.Tally {
	k := tallyKey{height, kind}
	t := c.tallies[k]
	if t == nil {
		t = quorum.NewTally(c.set, c.g.Epoch, height, 0, kind)
		c.tallies[k] = t
	}
	return t
}

// persisted lets go of what waited for the journal.
func (c *Core) persisted(p Persisted) {
	c.pace.synced(p.Took)
	if c.cand == nil {
		return
	}
	for _, b := range []*ballot{&c.cand.prepare, &c.cand.commit} {
		if b.vote != nil && !b.sent && b.record != 0 && b.record <= p.ID {
			c.send(b)
		}
	}
}

// send lets a durable vote out and counts it.
func (c *Core) send(b *ballot) {
	b.sent = true
	c.do(SendVote{b.vote.Payload()})
	c.count(*b.vote, c.self)
}

// advance takes the candidate as far as votes and journal allow.
func (c *Core) advance() error {
	for c.cand != nil {
		decided, err := c.push()
		if err != nil || !decided {
			return err
		}
		if err := c.afterDecision(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Core) push() (decided bool, err error) {
	cand, height := c.cand, c.cand.res.Header.Height
	switch b := &cand.prepare; {
	case b.vote == nil:
		v, err := c.sign(quorum.Prepare)
		if err != nil {
			return false, err
		}
		b.vote = &v
		b.record = c.persist(BodyAndPrepare, encodeBody(height, c.head.Hash, cand.messages, &v), true)
		return false, nil
	case !b.sent && b.record == 0: // from the journal
		c.send(b)
	case !b.sent:
		return false, nil
	}

	switch b := &cand.commit; {
	case b.vote == nil:
		header, ok := c.tally(height, quorum.Prepare).Quorum()
		if !ok || header != cand.res.Hash {
			return false, nil
		}
		v, err := c.sign(quorum.Commit)
		if err != nil {
			return false, err
		}
		b.vote = &v
		b.record = c.persist(CommitVote, encodeCommit(height, &v), true)
		return false, nil
	case !b.sent && b.record == 0:
		c.send(b)
	case !b.sent:
		return false, nil
	}

	if !cand.cosigned {
		header, ok := c.tally(height, quorum.Commit).Quorum()
		if !ok {
			return false, nil
		}
		if header != cand.res.Hash {
			if cand.alarmed {
				return false, nil
			}
			cand.alarmed = true
			c.do(Alarm{Code: AlarmOtherBlock, Detail: fmt.Sprintf("height %d: a quorum commits to %x, ours is %x", height, header, cand.res.Hash)})
			return false, nil
		}
		if err := c.cosignCandidate(); err != nil {
			return false, err
		}
	}
	cert := c.certify()
	if cert == nil {
		return false, nil
	}
	c.persist(Decision, encodeDecision(height, cand.res.Hash, cert), false)
	c.decide(cert)
	return true, nil
}

func (c *Core) sign(kind quorum.VoteKind) (quorum.SignedVote, error) {
	return quorum.SignVote(c.g.Network, quorum.Vote{
		Epoch:  c.g.Epoch,
		Height: c.cand.res.Header.Height,
		Kind:   kind,
		Header: c.cand.res.Hash,
	}, c.vote)
}

func (c *Core) persist(kind RecordKind, record []byte, sync bool) uint64 {
	c.recordID++
	c.do(Persist{ID: c.recordID, Kind: kind, Height: c.cand.res.Header.Height, Record: record, Sync: sync})
	return c.recordID
}

// decide makes the candidate the head.
func (c *Core) decide(cert quorum.Certificate) {
	res := c.cand.res
	c.do(Decided{Result: res, Certificate: cert})
	c.head, _ = ReadHead(c.top())
	c.cand = nil
	for k := range c.tallies {
		if k.height <= res.Header.Height {
			delete(c.tallies, k)
		}
	}
	for h := range c.cosigs {
		if h <= res.Header.Height {
			delete(c.cosigs, h)
		}
	}
}

// afterDecision goes on with the next block: the recorded one, or the one that was closed meanwhile.
func (c *Core) afterDecision() error {
	if c.journal[c.head.Header.Height+1] != nil {
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

// cosignCandidate signs the checkpoint that ends with the candidate. There is never one of the same size with another root:
// the own synced commit is for this header.
func (c *Core) cosignCandidate() error {
	cs := quorum.Cosignature{Validator: uint16(c.self), Time: uint64(max(c.now, 0) / 1000)}
	var err error
	if cs.Signature, err = quorum.Cosign(c.cand.log, cs.Time, c.cosign); err != nil {
		return err
	}
	c.cand.cosigned = true
	height := c.cand.res.Header.Height
	c.do(SendCosignature{encodeCosignature(c.g, height, cs)})
	c.keep(height, cs)
	return nil
}

func (c *Core) keep(height uint64, cs quorum.Cosignature) {
	m := c.cosigs[height]
	if m == nil {
		m = map[uint16]quorum.Cosignature{}
		c.cosigs[height] = m
	}
	m[cs.Validator] = cs
}

// certify makes the certificate once there are enough good cosignatures.
func (c *Core) certify() quorum.Certificate {
	m := c.cosigs[c.cand.res.Header.Height]
	if len(m) < c.set.Quorum() {
		return nil
	}
	have := make([]quorum.Cosignature, 0, len(m))
	for i := range c.set.Validators {
		if cs, ok := m[uint16(i)]; ok {
			have = append(have, cs)
		}
	}
	cert, bad := c.set.Certify(c.cand.log, have)
	for _, cs := range bad {
		delete(m, cs.Validator)
		c.do(Alarm{Code: AlarmCosignature, Detail: fmt.Sprintf("of %s at height %d", c.set.Validators[cs.Validator].Name, c.cand.res.Header.Height)})
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
	b := enc.AppendTag(nil, g.Network, "cosignature")
	b = enc.U64(enc.U32(b, g.Epoch), height)
	b = enc.U64(enc.U16(b, cs.Validator), cs.Time)
	return append(b, cs.Signature[:]...)
}

func decodeCosignature(g *genesis.Genesis, payload []byte) (height uint64, cs quorum.Cosignature, err error) {
	r := enc.NewReader(payload)
	r.Tag(g.Network, "cosignature")
	if r.U32() != g.Epoch {
		r.Fail(enc.ErrRange)
	}
	height = r.U64()
	cs.Validator, cs.Time = r.U16(), r.U64()
	copy(cs.Signature[:], r.Bytes(len(cs.Signature)))
	return height, cs, r.Done()
}
