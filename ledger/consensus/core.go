package consensus

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"

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

// SetAt is the validator set of a height. Sets change by governance acts, which no rules version knows yet.
func SetAt(g *genesis.Genesis, _ uint64) *quorum.Set { return &g.Validators }

// Core is one validator. It decides; the node around it stores and sends. Not safe for concurrent use.
//
// Between two decisions it goes through: cut, build, persist body and prepare, send prepare; on a quorum of prepares persist
// commit, send commit; on a quorum of commits cosign the checkpoint; on a quorum of cosignatures decided. When that does not
// come about in round 0, rounds with a coordinator follow (roundState; docs/consensus.md has the argument). Messages that
// arrive meanwhile are cut into the next block, for which nothing is voted before.
type Core struct {
	g            *genesis.Genesis
	set          *quorum.Set // of the height being decided
	self         int
	vote, cosign crypto.Signer

	head    Head // newest decided block
	view    state.View
	layers  []*layer // decided blocks above view, ascending
	journal map[uint64]*recoveredHeight

	cutter          *Cutter   // of the open block; nil while ready waits
	open            []Message // taken by cutter
	ready           []Message // a closed block that waits for the decision on the one before
	backlog         []Message // not yet offered to a cutter
	adoptedMessages []Message // the newest block, if the stream had not shown all of it when it was decided
	rereading       bool      // the stream is to be read again from next on

	rs          *roundState
	lastDecided *decidedBlock // the newest decided block, for those who are behind
	tallies     map[tallyKey]*quorum.Tally
	accused     map[accusation]bool
	cosigs      map[uint64]map[uint16][]quorum.Cosignature // by height, by validator; not verified
	repliedAt   []int64                                    // by validator: when it was last helped

	now       int64
	started   bool
	recordID  uint64
	pacemaker pacemaker
	out       Output
	halted    error
	sabotage  sabotage
}

// sabotage breaks one rule each, so that the simulator can show that it would notice. Only tests set it.
type sabotage struct{ lock, sync, quorum bool }

// candidate is a body that was executed: a block that may be decided.
type candidate struct {
	messages   []Message
	res        *Result
	layer      *layer
	checkpoint quorum.Checkpoint
	recorded   bool // its body is in the journal, or on the way there before anything that needs it
}

// decidedBlock is what is kept of a block after its decision.
type decidedBlock struct {
	height      uint64
	at          int64
	header      canonical.Hash
	messages    []Message
	proof       []byte // quorum of commits, if it was seen
	cosignature []byte // this validator's
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
		journal: map[uint64]*recoveredHeight{},
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
	c.repliedAt = make([]int64, len(c.set.Validators))
	c.rs = newRoundState(c.set, head.Header.Height+1)
	c.pacemaker.start(c)
	return c, nil
}

func samePublic(s crypto.Signer, want ed25519.PublicKey) bool {
	pub, ok := s.Public().(ed25519.PublicKey)
	return ok && bytes.Equal(pub, want)
}

// Backlog is the number of messages waiting behind blocks that are not decided. A node stops reading the stream when it
// grows and lets it fall again.
func (c *Core) Backlog() int { return len(c.backlog) }

// Step takes an input and says what to do. now is the machine's clock when it happened, in ms since the Unix epoch: a Core
// has no other clock.
func (c *Core) Step(now int64, in Input) Output {
	if c.halted != nil {
		return Output{Halt: c.halted}
	}
	c.out = Output{}
	if c.started && now < c.now {
		c.pacemaker.shift(c.now - now) // the machine's clock was set back: what was due in 20 ms still is
		c.rs.shift(c.now - now)
		for i := range c.repliedAt {
			c.repliedAt[i] -= c.now - now
		}
		if c.lastDecided != nil {
			c.lastDecided.at -= c.now - now
		}
	}
	c.now = now
	if err := c.step(in); err != nil {
		c.halted = err
		c.out.Halt = err
	}
	return c.out
}

func (c *Core) step(in Input) error {
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
	switch in := in.(type) {
	case Arrived:
		err = c.arrived(in.Message)
	case VoteReceived:
		err = c.voteReceived(in.Payload)
	case CosignatureReceived:
		c.cosignatureReceived(in.Payload)
	case PeerReceived:
		err = c.peerReceived(in.Payload)
	case Certified:
		err = c.certified(in)
	case Persisted:
		c.persisted(in)
	case Applied:
		c.applied(in.Height)
	}
	if err == nil {
		err = c.advance()
	}
	if err == nil {
		err = c.pacemaker.run(c)
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
	if c.rs.ownCut != nil {
		return c.rs.ownCut.layer
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
		for _, cand := range c.rs.values {
			if cand.layer.base == state.View(done) {
				cand.layer.base = c.view
			}
		}
	}
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
	if known := c.rs.values[res.Hash]; known != nil {
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
	cand.checkpoint = quorum.Checkpoint{Origin: c.g.Origin(), Size: res.Header.Height + 1, Root: root}
	c.rs.values[res.Hash] = cand
	return cand, nil
}

// persisted lets go of what waited for the journal.
func (c *Core) persisted(p Persisted) {
	c.pacemaker.journalSynced(p.Took)
	for _, b := range c.rs.castVotes {
		if !b.sent && b.record != 0 && b.record <= p.ID {
			c.sendVote(b)
		}
	}
	if c.rs.adoptRecord != 0 && c.rs.adoptRecord <= p.ID {
		c.rs.adopted = true
	}
}

func (c *Core) persist(kind RecordKind, record []byte, sync bool) uint64 {
	c.recordID++
	c.do(Persist{ID: c.recordID, Kind: kind, Height: c.rs.height, Record: record, Sync: sync})
	return c.recordID
}

// decide makes a candidate the head and goes on with the next height: the recorded one, or the block that was closed
// meanwhile.
func (c *Core) decide(cand *candidate, cert quorum.Certificate) error {
	rs := c.rs
	c.do(Decided{Result: cand.res, Certificate: cert})
	c.layers = append(c.layers, cand.layer)
	c.head, _ = ReadHead(cand.layer)
	c.lastDecided = &decidedBlock{height: rs.height, at: c.now, header: cand.res.Hash, messages: cand.messages, proof: rs.finalProof, cosignature: rs.cosignature}
	for t := range c.tallies {
		if t.height <= rs.height {
			delete(c.tallies, t)
		}
	}
	for a := range c.accused {
		if a.height <= rs.height {
			delete(c.accused, a)
		}
	}
	for h := range c.cosigs {
		if h <= rs.height {
			delete(c.cosigs, h)
		}
	}
	c.set = SetAt(c.g, rs.height+1)
	c.rs = newRoundState(c.set, rs.height+1)
	c.adoptedMessages = nil
	if cand != rs.ownCut {
		if err := c.rewind(rs, cand); err != nil {
			return err
		}
	}
	if c.journal[c.rs.height] != nil {
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

// certified takes over a block that others decided.
func (c *Core) certified(in Certified) error {
	height := c.rs.height
	res, err := Follow(c.g, c.base(), in.Record, in.Messages)
	if errors.Is(err, ErrDiverged) {
		return err
	}
	if err != nil {
		return nil //nolint:nilerr // somebody's bad copy, or one that came too late: a good one will come
	}
	cand, err := c.candidate(in.Messages, res)
	if err != nil {
		return err
	}
	// Not synced, but before every vote of the next height: a journal never begins behind the store.
	if !cand.recorded {
		c.persist(Adopted, encodeAdopted(height, c.head.Hash, res.Hash, cand.messages, nil), false)
	}
	c.persist(Decision, encodeDecision(height, res.Hash, in.Record.Certificate), false)
	return c.decide(cand, in.Record.Certificate)
}
