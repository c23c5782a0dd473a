package consensus

import (
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
)

// How long a validator waits, in ms (design section 4, Finality).
const (
	roundTimeout   = 500 // for a proposal, for more prepares, for more commits; half as much again per round
	maxTimeout     = 60_000
	undecidedAfter = 10_000 // alarm
	undecidedAgain = 60_000
	fetchAfter     = 200 // a body that others vote for usually comes by the own stream
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

// contest is everything about the height that is being decided: Tendermint's rounds, but round 0 has no proposer, since
// every validator cuts its own block. The rules are those of design section 4; why they are safe is in docs/consensus.md.
type contest struct {
	height uint64
	set    *quorum.Set

	own    *candidate // what the own stream led to; nil before
	values map[canonical.Hash]*candidate

	ballots []*ballot // own votes in the order in which they were cast
	begun   bool
	since   int64
	round   uint32
	// When to stop waiting in this round; 0: not waiting. For a value to prepare, for one with a quorum of prepares after a
	// quorum of different ones, and the same for commits.
	proposeAt, prepareAt, commitAt int64

	locked    *choice // newest own commit
	valid     *choice // newest value known to have had a quorum of prepares, and its body here
	proposals map[uint32]*proposal
	proposed  []byte                      // own proposal of this round
	proven    map[tallyKey]*quorum.Bundle // quorums that others showed
	ahead     [][2]*quorum.SignedVote     // by validator and kind: newest vote of a round to come
	anyAhead  bool

	final       *candidate // has a quorum of commits
	finalProof  []byte     // those
	adoptRecord uint64
	adopted     bool // that it is final is durable
	cosignature []byte

	want        *want
	behind      bool // somebody shows a later height,
	behindSince int64
	fetchedAt   int64
	alarmedAt   int64
	streamAlarm bool
}

// choice is a value and the round in which it got there.
type choice struct {
	round  uint32
	header canonical.Hash
}

// ballot is one own vote on its way: signed and handed to the journal, then durable and sent.
type ballot struct {
	vote   *quorum.SignedVote
	record uint64 // journal record it waits for; 0: it came from there
	sent   bool
}

// want is a body that others vote for and this validator lacks.
type want struct {
	header  canonical.Hash
	since   int64
	asked   int // -1: nobody yet
	askedAt int64
	tries   int
	chunks  [][]byte
}

func newContest(set *quorum.Set, height uint64) *contest {
	return &contest{
		height: height, set: set,
		values:    map[canonical.Hash]*candidate{},
		proposals: map[uint32]*proposal{},
		proven:    map[tallyKey]*quorum.Bundle{},
		ahead:     make([][2]*quorum.SignedVote, len(set.Validators)),
	}
}

// shift moves every remembered time back with the clock.
func (k *contest) shift(by int64) {
	for _, t := range []*int64{&k.proposeAt, &k.prepareAt, &k.commitAt} {
		if *t != 0 {
			*t -= by
		}
	}
	for _, t := range []*int64{&k.since, &k.behindSince, &k.fetchedAt, &k.alarmedAt} {
		*t -= by
	}
	if k.want != nil {
		k.want.since -= by
		k.want.askedAt -= by
	}
}

func (k *contest) ballot(round uint32, kind quorum.VoteKind) *ballot {
	for _, b := range k.ballots {
		if v := &b.vote.Vote; v.Round == round && v.Kind == kind {
			return b
		}
	}
	return nil
}

// advance takes the contest as far as votes, clock and journal allow.
func (c *Core) advance() error {
	for {
		more, err := c.turn()
		if err != nil || !more {
			return err
		}
	}
}

// turn does one thing; more says that there may be another.
func (c *Core) turn() (more bool, err error) {
	k := c.k
	for _, b := range k.ballots {
		if !b.sent && b.record == 0 {
			c.send(b)
		}
	}
	if k.final == nil {
		c.findFinal()
	}
	if k.final != nil {
		return c.finish()
	}
	if k.own != nil && k.ballot(0, quorum.Prepare) == nil {
		if !k.begun {
			c.begin(0)
		}
		// Also when later rounds have begun: it may be the one that makes the value eligible.
		return true, c.cast(quorum.Prepare, 0, k.own)
	}
	if !k.begun {
		if _, ok := c.eligible(); ok {
			c.begin(0)
			return true, nil
		}
	}
	if r := c.skip(); r > k.round {
		c.begin(r)
		return true, nil
	}
	if !k.begun {
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
	k := c.k
	if !k.begun {
		k.since = c.now
	}
	k.begun, k.round = true, round
	k.proposeAt, k.prepareAt, k.commitAt, k.proposed = c.now+timeout(round), 0, 0, nil
	for r := range k.proposals {
		if r < round {
			delete(k.proposals, r)
		}
	}
	k.anyAhead = false
	for by := range k.ahead {
		for i, v := range k.ahead[by] {
			switch {
			case v == nil:
			case v.Vote.Round <= round:
				k.ahead[by][i] = nil
				c.count(*v, by)
			default:
				k.anyAhead = true
			}
		}
	}
}

// skip is the round that f + 1 validators have reached, one of them honest.
func (c *Core) skip() uint32 {
	if !c.k.anyAhead {
		return 0
	}
	rounds := make([]uint32, len(c.k.ahead))
	for by, kinds := range c.k.ahead {
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
	v := quorum.Vote{Epoch: c.g.Epoch, Height: c.k.height, Round: round, Kind: kind, Nil: cand == nil}
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
	b := &ballot{vote: &sv}
	k, record := encodeVote(&sv, c.head.Hash, body, proof)
	b.record = c.persist(k, record, true)
	c.k.ballots = append(c.k.ballots, b)
	if c.sabotage.sync {
		c.send(b)
	}
	return nil
}

// prepareStep prepares in this round: the coordinator's proposal if the lock allows, else nil.
func (c *Core) prepareStep() (bool, error) {
	k := c.k
	if k.ballot(k.round, quorum.Prepare) != nil {
		return false, nil
	}
	if k.round > 0 {
		if err := c.propose(); err != nil {
			return false, err
		}
		if p := k.proposals[k.round]; p != nil {
			if cand := k.values[p.header]; cand != nil {
				if !c.lockAllows(p) {
					cand = nil
				}
				return true, c.cast(quorum.Prepare, k.round, cand)
			}
		}
	}
	if c.now >= k.proposeAt {
		return true, c.cast(quorum.Prepare, k.round, nil)
	}
	return false, nil
}

// lockAllows is Tendermint's valid-round rule: whoever committed to a value prepares another one only if a quorum prepared
// that in the round of the lock or later.
func (c *Core) lockAllows(p *proposal) bool {
	l := c.k.locked
	return l == nil || l.header == p.header || p.valid != noRound && p.valid >= l.round || c.sabotage.lock
}

// propose speaks as coordinator of the round, once there is something to propose.
func (c *Core) propose() error {
	k := c.k
	if c.coordinator(k.round) != c.self || k.proposals[k.round] != nil {
		return nil
	}
	p := &proposal{epoch: c.g.Epoch, height: k.height, round: k.round, valid: noRound, by: c.self}
	if k.valid != nil {
		p.header, p.valid = k.valid.header, k.valid.round
		p.votes = c.proof(k.valid.round, quorum.Prepare, p.header).Votes
	} else {
		header, ok := c.eligible()
		if !ok || k.values[header] == nil {
			return nil
		}
		p.header, p.votes = header, c.tally(k.height, 0, quorum.Prepare).Bundle(header).Votes
	}
	var err error
	if k.proposed, err = p.encode(c.g.Network, c.vote); err != nil {
		return err
	}
	k.proposals[k.round] = p
	c.do(Tell{Everyone, k.proposed})
	return nil
}

// eligible is the value that f + 1 validators cut in round 0, one of them honest: somebody's stream did lead to it.
func (c *Core) eligible() (header canonical.Hash, ok bool) {
	return c.tally(c.k.height, 0, quorum.Prepare).Value(c.set.Faults() + 1)
}

func (c *Core) coordinator(round uint32) int {
	return int((c.k.height + uint64(round)) % uint64(len(c.set.Validators)))
}

// findValid looks for the newest value that had a quorum of prepares.
func (c *Core) findValid() {
	k := c.k
	for r := int64(k.round); r >= 0 && (k.valid == nil || r > int64(k.valid.round)); r-- {
		header, ok := c.winner(uint32(r), quorum.Prepare)
		if ok && header != (canonical.Hash{}) && k.values[header] != nil {
			k.valid = &choice{uint32(r), header}
			return
		}
	}
}

// commitStep commits in this round, once a quorum prepared the same, or there is no more hope for that.
func (c *Core) commitStep() (bool, error) {
	k := c.k
	if k.ballot(k.round, quorum.Commit) != nil || k.ballot(k.round, quorum.Prepare) == nil {
		return false, nil
	}
	header, ok := c.winner(k.round, quorum.Prepare)
	switch {
	case ok && header == (canonical.Hash{}):
		return true, c.cast(quorum.Commit, k.round, nil)
	case ok && k.values[header] != nil:
		k.locked = &choice{k.round, header}
		return true, c.cast(quorum.Commit, k.round, k.values[header])
	case k.prepareAt == 0 && (ok || c.tally(k.height, k.round, quorum.Prepare).Total() >= c.quorumSize()):
		k.prepareAt = c.now + timeout(k.round)
	case k.prepareAt != 0 && c.now >= k.prepareAt:
		return true, c.cast(quorum.Commit, k.round, nil)
	}
	return false, nil
}

// roundStep goes to the next round once a quorum committed, but not to the same.
func (c *Core) roundStep() (bool, error) {
	k := c.k
	t := c.tallies[tallyKey{k.height, k.round, quorum.Commit}]
	if t == nil || t.Total() < c.quorumSize() {
		return false, nil
	}
	header, ok := c.winner(k.round, quorum.Commit)
	switch {
	case ok && header != (canonical.Hash{}): // decided, but its body is not here yet
		return false, nil
	case ok || k.commitAt != 0 && c.now >= k.commitAt:
		c.begin(k.round + 1)
		return true, nil
	case k.commitAt == 0:
		k.commitAt = c.now + timeout(k.round)
	}
	return false, nil
}

// committed is the value with a quorum of commits in any round; there is at most one.
func (c *Core) committed() (round uint32, header canonical.Hash, ok bool) {
	for r := range int64(c.k.round) + 1 {
		if h, ok := c.winner(uint32(r), quorum.Commit); ok && h != (canonical.Hash{}) {
			return uint32(r), h, true
		}
	}
	for key, b := range c.k.proven { // of a round that this validator has not reached
		if key.kind == quorum.Commit && (!ok || key.round < round) {
			round, header, ok = key.round, b.Header, true
		}
	}
	return round, header, ok
}

func (c *Core) findFinal() {
	round, header, ok := c.committed()
	if cand := c.k.values[header]; ok && cand != nil {
		c.k.final = cand
		c.k.finalProof = c.proof(round, quorum.Commit, header).Encode(c.g.Network)
	}
}

// finish cosigns what is decided and waits for the certificate.
func (c *Core) finish() (bool, error) {
	k := c.k
	if k.cosignature == nil {
		own, waiting := c.ownCommit(k.final.res.Hash)
		switch {
		case own || k.adopted:
			if err := c.cosignFinal(); err != nil {
				return false, err
			}
		case waiting:
			return false, nil
		case k.adoptRecord == 0:
			k.final.recorded = true
			k.adoptRecord = c.persist(Adopted, encodeAdopted(k.height, c.head.Hash, k.final.res.Hash, k.final.messages, k.finalProof), true)
			return false, nil
		default:
			return false, nil
		}
	}
	cert := c.certify()
	if cert == nil {
		return false, nil
	}
	c.persist(Decision, encodeDecision(k.height, k.final.res.Hash, cert), false)
	return true, c.decide(k.final, cert)
}

// ownCommit reports whether a commit of this validator for a header is durable, or on its way to be.
func (c *Core) ownCommit(header canonical.Hash) (durable, waiting bool) {
	for _, b := range c.k.ballots {
		if v := &b.vote.Vote; v.Kind == quorum.Commit && v.Header == header {
			durable, waiting = durable || b.sent, waiting || !b.sent
		}
	}
	return durable, waiting
}

// send lets a durable vote out and counts it.
func (c *Core) send(b *ballot) {
	b.sent = true
	c.do(SendVote{b.vote.Payload()})
	c.count(*b.vote, c.self)
}
