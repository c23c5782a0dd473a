package consensus

import (
	"fmt"
	"math"
	"slices"
	"time"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
)

// When a validator speaks up, in ms (docs/design.md section 4, Cut and Time).
const (
	minInterval = 20     // from the first pending submission to cut(h)
	maxInterval = 100    //
	freshFor    = 1_000  // a submission that finds this validator's clock reading older gets a tick at once
	tickEvery   = 10_000 //
	cutAgain    = 1_000  // a cut that does not come back is sent again
	beatAgain   = 5_000  // so is a heartbeat: other clocks may be up to a tick behind
	epochAgain  = 1_000  // so is the epoch record
	voteAgain   = 500    // votes and cosignature, until the height is decided
	syncsKept   = 15     // for the moving median
)

// pacemaker decides when to publish pulses and to repeat votes, from the clock that Step is given alone.
type pacemaker struct {
	counter           uint64 // newest pulse of this validator, published or seen
	lastClock         int64  // its clock
	published         bool   // a pulse was published since the start
	streamOpen        bool   // the stream begins with the epoch record; nothing else may be published before
	submissionArrived bool   // a submission arrived in this step
	pending           bool   // the open block has something pending,
	pendingSince      int64  // since then
	pulseHeight       uint64 // height of the newest cut or heartbeat published,
	pulseKind         block.Kind
	pulsedAt          int64
	epochTriedAt      int64 // newest attempt
	epochTried        bool
	votesSentAt       int64 // votes
	timer             int64
	syncs             []time.Duration
}

func (p *pacemaker) start(c *Core) {
	p.blockOpened(c)
	p.streamOpen = c.head.Header.LastSeq > 0
}

// messageArrived notes a message of the stream as it arrives.
func (p *pacemaker) messageArrived(c *Core, m *Message) {
	switch pr := m.Prepared; pr.kind {
	case block.EpochRecord:
		p.streamOpen = p.streamOpen || m.Seq == 1
	case block.Cut, block.Tick, block.Heartbeat:
		if pr.validator == c.self {
			p.counter = max(p.counter, pr.pulse.Counter)
			p.lastClock = max(p.lastClock, min(pr.pulse.Clock, c.now))
		}
	default:
		p.submissionArrived = p.submissionArrived || pr.waiting
	}
}

// blockOpened notes that a new block is open. A block built from the journal is all that is ever seen of its messages.
func (p *pacemaker) blockOpened(c *Core) {
	p.pending, p.streamOpen = false, true
	if r := c.cutter.clocks[c.self]; r.seen {
		p.counter = max(p.counter, r.counter)
	}
}

func (p *pacemaker) journalSynced(took time.Duration) {
	p.syncs = append(p.syncs, took)
	if len(p.syncs) > syncsKept {
		p.syncs = p.syncs[1:]
	}
}

// interval is max(20 ms, 4 x the moving median of the journal's sync time), up to 100 ms.
func (p *pacemaker) interval() int64 {
	if len(p.syncs) == 0 {
		return minInterval
	}
	s := slices.Clone(p.syncs)
	slices.Sort(s)
	return min(max(4*s[len(s)/2].Milliseconds(), minInterval), maxInterval)
}

// shift moves every remembered time back with the clock.
func (p *pacemaker) shift(by int64) {
	for _, t := range []*int64{&p.lastClock, &p.pendingSince, &p.pulsedAt, &p.epochTriedAt, &p.votesSentAt} {
		*t -= by
	}
	p.timer = 0 // the node's is too late now
}

// run publishes what is due and asks for a timer.
func (p *pacemaker) run(c *Core) error {
	next := int64(math.MaxInt64)
	due := func(at int64) bool {
		if at <= c.now {
			return true
		}
		next = min(next, at)
		return false
	}
	if !p.streamOpen {
		if err := p.openStream(c, due); err != nil {
			return err
		}
	} else {
		if err := p.pulse(c, due); err != nil {
			return err
		}
		if !p.published || p.submissionArrived && c.now-p.lastClock > freshFor || due(p.lastClock+tickEvery) {
			if err := p.publish(c, block.Tick, 0); err != nil {
				return err
			}
		}
		due(p.lastClock + tickEvery)
	}
	p.submissionArrived = false
	if err := p.repeat(c, due); err != nil {
		return err
	}
	if err := c.timers(due); err != nil {
		return err
	}
	if next != math.MaxInt64 && (next != p.timer || p.timer <= c.now) {
		p.timer = next
		c.do(SetTimer{At: next})
	}
	return nil
}

func (p *pacemaker) openStream(c *Core, due func(int64) bool) error {
	if p.epochTried && !due(p.epochTriedAt+epochAgain) {
		return nil
	}
	rec, err := block.SignEpoch(c.g.Network, block.Epoch{Epoch: c.g.Epoch, Genesis: c.g.Hash}, c.vote)
	if err != nil {
		return err
	}
	p.epochTried, p.epochTriedAt = true, c.now
	due(p.epochTriedAt + epochAgain)
	c.do(Publish{Kind: block.EpochRecord, Payload: rec})
	return nil
}

// pulse asks for the end of the open block, but not before the block before it is decided: under load blocks then grow
// instead of queueing.
func (p *pacemaker) pulse(c *Core, due func(int64) bool) error {
	if c.cutter == nil || c.cutter.Len() == 0 && c.head.Header.LastSeq == 0 {
		return nil
	}
	if c.cutter.Pending() && !p.pending {
		p.pending, p.pendingSince = true, c.now
	}
	if c.rs.ownCut != nil {
		return nil
	}
	height := c.cutter.Height()
	kind, at, again := block.Heartbeat, c.cutter.parent+heartbeatAfter, int64(beatAgain)
	if p.pending {
		kind, at, again = block.Cut, p.pendingSince+p.interval(), cutAgain
	}
	n := uint64(len(c.set.Validators))
	rank := (uint64(c.self) + n - height%n) % n
	at += int64(rank) * p.interval()
	if p.pulseHeight == height && p.pulseKind == kind {
		at = max(at, p.pulsedAt+again)
	}
	if !due(at) {
		return nil
	}
	p.pulseHeight, p.pulseKind, p.pulsedAt = height, kind, c.now
	due(c.now + again)
	return p.publish(c, kind, height)
}

// publish sends a pulse. Its counter follows the clock, so that a validator that restarts before its newest pulses came
// back from the stream does not use their counters again.
func (p *pacemaker) publish(c *Core, kind block.Kind, height uint64) error {
	p.counter = max(p.counter+1, uint64(max(c.now, 0)))
	p.lastClock, p.published = c.now, true
	payload, err := block.SignPulse(c.g.Network, block.Pulse{
		What: kind, Epoch: c.g.Epoch, Height: height, Clock: c.now, Counter: p.counter,
	}, c.vote)
	if err != nil {
		return err
	}
	c.do(Publish{Kind: kind, Payload: payload})
	return nil
}

// repeat sends votes and cosignature again while others may lack them.
func (p *pacemaker) repeat(c *Core, due func(int64) bool) error {
	rs := c.rs
	if len(rs.set.Validators) == 1 || !slices.ContainsFunc(rs.castVotes, func(b *castVote) bool { return b.sent }) && rs.cosignature == nil {
		p.votesSentAt = c.now
		return nil
	}
	if !due(p.votesSentAt + voteAgain) {
		return nil
	}
	p.votesSentAt = c.now
	due(p.votesSentAt + voteAgain)
	return c.repeatVotes()
}

// timers asks to be woken when a wait of the round ends, and does what is due apart from voting.
func (c *Core) timers(due func(int64) bool) error {
	rs := c.rs
	if len(rs.set.Validators) == 1 {
		return nil
	}
	if rs.final == nil && rs.begun {
		if rs.castVote(rs.round, quorum.Prepare) == nil {
			due(rs.proposeDeadline)
		}
		if rs.prepareDeadline != 0 && rs.castVote(rs.round, quorum.Commit) == nil {
			due(rs.prepareDeadline)
		}
		if rs.commitDeadline != 0 {
			due(rs.commitDeadline)
		}
	}
	if rs.begun {
		c.alarmUndecided(due)
	}
	if rs.behind && due(rs.behindSince+behindAfter) && (rs.fetchedAt == 0 || due(rs.fetchedAt+fetchAgain)) {
		rs.fetchedAt = c.now
		c.do(FetchBlock{Height: rs.height})
		due(rs.fetchedAt + fetchAgain)
	}
	return c.fetch(due)
}

func (c *Core) alarmUndecided(due func(int64) bool) {
	rs := c.rs
	at := rs.begunAt + undecidedAfter
	if rs.alarmedAt != 0 {
		at = rs.alarmedAt + undecidedAgain
	}
	if !due(at) {
		return
	}
	rs.alarmedAt = c.now
	due(c.now + undecidedAgain)
	votes := c.tally(rs.height, 0, quorum.Prepare).All()
	detail := fmt.Appendf(nil, "height %d, round %d, %d of %d validators prepared in round 0", rs.height, rs.round, len(votes), len(rs.set.Validators))
	for i := range rs.set.Validators {
		if v, ok := c.tally(rs.height, 0, quorum.Prepare).Vote(i); ok {
			detail = fmt.Appendf(detail, "; %s: %.4x", rs.set.Validators[i].Name, v.Vote.Header)
		}
	}
	c.do(Alarm{Code: AlarmUndecided, Detail: string(detail), Votes: votes})
}

// repeatVotes sends again what others may lack: votes of round 0, of the last two rounds, and all that are not nil.
func (c *Core) repeatVotes() error {
	rs := c.rs
	for _, b := range rs.castVotes {
		if v := &b.vote.Vote; b.sent && (!v.Nil || v.Round == 0 || v.Round+1 >= rs.round) {
			c.do(SendVote{b.vote.Payload()})
		}
	}
	if rs.proposed != nil && rs.final == nil {
		c.do(Send{Everyone, rs.proposed})
	}
	c.sendQuorums(Everyone)
	if rs.cosignature == nil {
		return nil
	}
	c.do(SendCosignature{rs.cosignature})
	return c.ask(askVotes, canonical.Hash{}, everyone) // others may have the certificate, and no reason to speak
}
