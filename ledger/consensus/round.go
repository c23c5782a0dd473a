package consensus

import (
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
)

// How long a validator waits, in ms (docs/design.md section 4, Finality).
const (
	roundTimeout   = 500 // for a proposal, for more prepares, for more commits; half as much again per round
	maxTimeout     = 60_000
	undecidedAfter = 10_000 // alarm
	undecidedAgain = 60_000
	fetchAfter     = 200 // a body that others vote for usually comes by the stream
	askAgain       = 500
	replyAgain     = 250   // help for one validator
	lateVote       = 400   // votes that come within this time of the decision were only slow
	behindAfter    = 300   // before a block is fetched that others have decided
	fetchAgain     = 1_000 //
)

// timeout is that of a round.
func timeout(round uint32) int64 {
	t := int64(roundTimeout)
	for ; round > 0 && t < maxTimeout; round-- {
		t += t / 2
	}
	return min(t, maxTimeout)
}

// roundState is everything about the height that is being decided: Tendermint's rounds, but round 0 has no proposer, since
// every validator cuts its own block. The rules are those of docs/design.md section 4; docs/consensus.md says why they are
// safe.
type roundState struct {
	height uint64
	set    *quorum.Set

	ownCut *candidate // what this validator's stream led to; nil before
	values map[canonical.Hash]*candidate

	castVotes []*castVote // this validator's, in the order in which they were cast
	begun     bool
	begunAt   int64
	round     uint32
	// When to stop waiting in this round; 0: not waiting. For a value to prepare, for one with a quorum of prepares after a
	// quorum of different ones, and the same for commits.
	proposeDeadline, prepareDeadline, commitDeadline int64

	lockedValue *roundValue // of this validator's newest commit
	validValue  *roundValue // newest value known to have had a quorum of prepares, and its body here
	proposals   map[uint32]*proposal
	proposed    []byte                      // this validator's proposal of this round
	peerQuorums map[tallyKey]*quorum.Bundle // quorums that others showed
	laterVotes  [][2]*quorum.SignedVote     // by validator and kind: newest vote of a round to come
	anyLater    bool

	final       *candidate // has a quorum of commits
	finalProof  []byte     // those
	adoptRecord uint64
	adopted     bool // that it is final is durable
	cosignature []byte

	missing     *missingBody
	behind      bool // somebody shows a later height,
	behindSince int64
	fetchedAt   int64
	alarmedAt   int64
	streamAlarm bool
}

// roundValue is a value and the round in which it was locked or became valid.
type roundValue struct {
	round  uint32
	header canonical.Hash
}

// castVote is a vote of this validator: signed and handed to the journal, then durable and sent.
type castVote struct {
	vote   *quorum.SignedVote
	record uint64 // journal record it waits for; 0: it came from there
	sent   bool
}

// missingBody is a body that others vote for and this validator lacks.
type missingBody struct {
	header  canonical.Hash
	since   int64
	asked   int // -1: nobody yet
	askedAt int64
	tries   int
	chunks  [][]byte
}

func newRoundState(set *quorum.Set, height uint64) *roundState {
	return &roundState{
		height: height, set: set,
		values:      map[canonical.Hash]*candidate{},
		proposals:   map[uint32]*proposal{},
		peerQuorums: map[tallyKey]*quorum.Bundle{},
		laterVotes:  make([][2]*quorum.SignedVote, len(set.Validators)),
	}
}

// shift moves every remembered time back with the clock.
func (rs *roundState) shift(by int64) {
	for _, t := range []*int64{&rs.proposeDeadline, &rs.prepareDeadline, &rs.commitDeadline} {
		if *t != 0 {
			*t -= by
		}
	}
	for _, t := range []*int64{&rs.begunAt, &rs.behindSince, &rs.fetchedAt, &rs.alarmedAt} {
		*t -= by
	}
	if rs.missing != nil {
		rs.missing.since -= by
		rs.missing.askedAt -= by
	}
}

func (rs *roundState) castVote(round uint32, kind quorum.VoteKind) *castVote {
	for _, b := range rs.castVotes {
		if v := &b.vote.Vote; v.Round == round && v.Kind == kind {
			return b
		}
	}
	return nil
}

// advance takes the height as far as votes, clock and journal allow.
func (c *Core) advance() error {
	for {
		more, err := c.advanceOnce()
		if err != nil || !more {
			return err
		}
	}
}

// advanceOnce does one thing; more says that there may be another.
func (c *Core) advanceOnce() (more bool, err error) {
	rs := c.rs
	for _, b := range rs.castVotes {
		if !b.sent && b.record == 0 {
			c.sendVote(b)
		}
	}
	if rs.final == nil {
		c.findFinal()
	}
	if rs.final != nil {
		return c.finish()
	}
	if rs.ownCut != nil && rs.castVote(0, quorum.Prepare) == nil {
		if !rs.begun {
			c.begin(0)
		}
		// Also when later rounds have begun: it may be the one that makes the value eligible.
		return true, c.cast(quorum.Prepare, 0, rs.ownCut)
	}
	if !rs.begun {
		if _, ok := c.eligible(); ok {
			c.begin(0)
			return true, nil
		}
	}
	if r := c.skip(); r > rs.round {
		c.begin(r)
		return true, nil
	}
	if !rs.begun {
		return false, nil
	}
	c.findValid()
	for _, step := range []func() (bool, error){c.prepareStep, c.commitStep, c.roundStep} {
		if more, err = step(); more || err != nil {
			return more, err
		}
	}
	return false, nil
}

// begin enters a round.
func (c *Core) begin(round uint32) {
	rs := c.rs
	if !rs.begun {
		rs.begunAt = c.now
	}
	rs.begun, rs.round = true, round
	rs.proposeDeadline, rs.prepareDeadline, rs.commitDeadline, rs.proposed = c.now+timeout(round), 0, 0, nil
	for r := range rs.proposals {
		if r < round {
			delete(rs.proposals, r)
		}
	}
	rs.anyLater = false
	for by := range rs.laterVotes {
		for i, v := range rs.laterVotes[by] {
			switch {
			case v == nil:
			case v.Vote.Round <= round:
				rs.laterVotes[by][i] = nil
				c.count(*v, by)
			default:
				rs.anyLater = true
			}
		}
	}
}

// skip is the round that f + 1 validators have reached, one of them honest.
func (c *Core) skip() uint32 {
	if !c.rs.anyLater {
		return 0
	}
	rounds := make([]uint32, len(c.rs.laterVotes))
	for by, kinds := range c.rs.laterVotes {
		for _, v := range kinds {
			if v != nil {
				rounds[by] = max(rounds[by], v.Vote.Round)
			}
		}
	}
	slices.Sort(rounds)
	return rounds[len(rounds)-1-c.set.Faults()]
}

// cast votes; a nil candidate is a nil vote. The vote leaves when its record is durable.
func (c *Core) cast(kind quorum.VoteKind, round uint32, cand *candidate) error {
	v := quorum.Vote{Epoch: c.g.Epoch, Height: c.rs.height, Round: round, Kind: kind, Nil: cand == nil}
	var body []Message
	var proof []byte
	if cand != nil {
		v.Header = cand.res.Hash
		if !cand.recorded {
			body, cand.recorded = cand.messages, true
		}
		if kind == quorum.Commit {
			proof = c.proof(round, quorum.Prepare, v.Header).Encode(c.g.Network)
		}
	}
	sv, err := quorum.SignVote(c.g.Network, v, c.vote)
	if err != nil {
		return err
	}
	b := &castVote{vote: &sv}
	k, record := encodeVote(&sv, c.head.Hash, body, proof)
	b.record = c.persist(k, record, true)
	c.rs.castVotes = append(c.rs.castVotes, b)
	if c.sabotage.sync {
		c.sendVote(b)
	}
	return nil
}

// prepareStep prepares in this round: the coordinator's proposal if the lock allows, else nil.
func (c *Core) prepareStep() (bool, error) {
	rs := c.rs
	if rs.castVote(rs.round, quorum.Prepare) != nil {
		return false, nil
	}
	if rs.round > 0 {
		if err := c.propose(); err != nil {
			return false, err
		}
		if p := rs.proposals[rs.round]; p != nil {
			if cand := rs.values[p.header]; cand != nil {
				if !c.lockAllows(p) {
					cand = nil
				}
				return true, c.cast(quorum.Prepare, rs.round, cand)
			}
		}
	}
	if c.now >= rs.proposeDeadline {
		return true, c.cast(quorum.Prepare, rs.round, nil)
	}
	return false, nil
}

// lockAllows is Tendermint's valid-round rule: whoever committed to a value prepares another one only if a quorum prepared
// that in the round of the lock or later.
func (c *Core) lockAllows(p *proposal) bool {
	l := c.rs.lockedValue
	return l == nil || l.header == p.header || p.validRound != noRound && p.validRound >= l.round || c.sabotage.lock
}

// propose speaks as coordinator of the round, once there is something to propose.
func (c *Core) propose() error {
	rs := c.rs
	if c.coordinator(rs.round) != c.self || rs.proposals[rs.round] != nil {
		return nil
	}
	p := &proposal{epoch: c.g.Epoch, height: rs.height, round: rs.round, validRound: noRound, by: c.self}
	if rs.validValue != nil {
		p.header, p.validRound = rs.validValue.header, rs.validValue.round
		p.votes = c.proof(rs.validValue.round, quorum.Prepare, p.header).Votes
	} else {
		header, ok := c.eligible()
		if !ok || rs.values[header] == nil {
			return nil
		}
		p.header, p.votes = header, c.tally(rs.height, 0, quorum.Prepare).Bundle(header).Votes
	}
	var err error
	if rs.proposed, err = p.encode(c.g.Network, c.vote); err != nil {
		return err
	}
	rs.proposals[rs.round] = p
	c.do(Send{Everyone, rs.proposed})
	return nil
}

// eligible is the value that f + 1 validators cut in round 0, one of them honest: somebody's stream did lead to it.
func (c *Core) eligible() (header canonical.Hash, ok bool) {
	return c.tally(c.rs.height, 0, quorum.Prepare).Value(c.set.Faults() + 1)
}

func (c *Core) coordinator(round uint32) int {
	return int((c.rs.height + uint64(round)) % uint64(len(c.set.Validators)))
}

// findValid looks for the newest value that had a quorum of prepares.
func (c *Core) findValid() {
	rs := c.rs
	for r := int64(rs.round); r >= 0 && (rs.validValue == nil || r > int64(rs.validValue.round)); r-- {
		header, ok := c.winner(uint32(r), quorum.Prepare)
		if ok && header != (canonical.Hash{}) && rs.values[header] != nil {
			rs.validValue = &roundValue{uint32(r), header}
			return
		}
	}
}

// commitStep commits in this round, once a quorum prepared the same, or there is no more hope for that.
func (c *Core) commitStep() (bool, error) {
	rs := c.rs
	if rs.castVote(rs.round, quorum.Commit) != nil || rs.castVote(rs.round, quorum.Prepare) == nil {
		return false, nil
	}
	header, ok := c.winner(rs.round, quorum.Prepare)
	switch {
	case ok && header == (canonical.Hash{}):
		return true, c.cast(quorum.Commit, rs.round, nil)
	case ok && rs.values[header] != nil:
		rs.lockedValue = &roundValue{rs.round, header}
		return true, c.cast(quorum.Commit, rs.round, rs.values[header])
	case rs.prepareDeadline == 0 && (ok || c.tally(rs.height, rs.round, quorum.Prepare).Total() >= c.quorumSize()):
		rs.prepareDeadline = c.now + timeout(rs.round)
	case rs.prepareDeadline != 0 && c.now >= rs.prepareDeadline:
		return true, c.cast(quorum.Commit, rs.round, nil)
	}
	return false, nil
}

// roundStep goes to the next round once a quorum committed, but not to the same.
func (c *Core) roundStep() (bool, error) {
	rs := c.rs
	t := c.tallies[tallyKey{rs.height, rs.round, quorum.Commit}]
	if t == nil || t.Total() < c.quorumSize() {
		return false, nil
	}
	header, ok := c.winner(rs.round, quorum.Commit)
	switch {
	case ok && header != (canonical.Hash{}): // decided, but its body is not here yet
		return false, nil
	case ok || rs.commitDeadline != 0 && c.now >= rs.commitDeadline:
		c.begin(rs.round + 1)
		return true, nil
	case rs.commitDeadline == 0:
		rs.commitDeadline = c.now + timeout(rs.round)
	}
	return false, nil
}

// committed is the value with a quorum of commits in any round; there is at most one.
func (c *Core) committed() (round uint32, header canonical.Hash, ok bool) {
	for r := range int64(c.rs.round) + 1 {
		if h, ok := c.winner(uint32(r), quorum.Commit); ok && h != (canonical.Hash{}) {
			return uint32(r), h, true
		}
	}
	for key, b := range c.rs.peerQuorums { // of a round that this validator has not reached
		if key.kind == quorum.Commit && (!ok || key.round < round) {
			round, header, ok = key.round, b.Header, true
		}
	}
	return round, header, ok
}

func (c *Core) findFinal() {
	round, header, ok := c.committed()
	if cand := c.rs.values[header]; ok && cand != nil {
		c.rs.final = cand
		c.rs.finalProof = c.proof(round, quorum.Commit, header).Encode(c.g.Network)
	}
}

// finish cosigns what is decided and waits for the certificate.
func (c *Core) finish() (bool, error) {
	rs := c.rs
	if rs.cosignature == nil {
		own, waiting := c.ownCommit(rs.final.res.Hash)
		switch {
		case own || rs.adopted:
			if err := c.cosignFinal(); err != nil {
				return false, err
			}
		case waiting:
			return false, nil
		case rs.adoptRecord == 0:
			rs.final.recorded = true
			rs.adoptRecord = c.persist(Adopted, encodeAdopted(rs.height, c.head.Hash, rs.final.res.Hash, rs.final.messages, rs.finalProof), true)
			return false, nil
		default:
			return false, nil
		}
	}
	cert := c.certify()
	if cert == nil {
		return false, nil
	}
	c.persist(Decision, encodeDecision(rs.height, rs.final.res.Hash, cert), false)
	return true, c.decide(rs.final, cert)
}

// ownCommit reports whether a commit of this validator for a header is durable, or on its way to be.
func (c *Core) ownCommit(header canonical.Hash) (durable, waiting bool) {
	for _, b := range c.rs.castVotes {
		if v := &b.vote.Vote; v.Kind == quorum.Commit && v.Header == header {
			durable, waiting = durable || b.sent, waiting || !b.sent
		}
	}
	return durable, waiting
}

// sendVote lets a durable vote out and counts it.
func (c *Core) sendVote(b *castVote) {
	b.sent = true
	c.do(SendVote{b.vote.Payload()})
	c.count(*b.vote, c.self)
}
