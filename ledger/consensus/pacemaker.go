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

// When a validator speaks up, in ms (design section 4, Cut and Time).
const (
	minInterval = 20     // from the first pending submission to cut(h)
	maxInterval = 100    //
	freshFor    = 1_000  // a submission that finds the own reading older gets a tick at once
	tickEvery   = 10_000 //
	cutAgain    = 1_000  // a cut that does not come back is sent again
	beatAgain   = 5_000  // so is a heartbeat: other clocks may be up to a tick behind
	epochAgain  = 1_000  // so is the epoch record
	voteAgain   = 500    // votes and cosignature, until the height is decided
	syncsKept   = 15     // for the moving median
)

// pace decides when to publish pulses and to repeat votes, from the clock in Input.Now alone.
type pace struct {
	counter      uint64 // newest own pulse, published or seen
	reading      int64  // its clock
	spoken       bool   // a pulse was published since the start
	open         bool   // the stream begins with the epoch record; nothing else may be published before
	wanted       bool   // a submission arrived in this step
	pending      bool   // the open block has something pending,
	pendingSince int64  // since then
	asked        uint64 // height of the newest own cut or heartbeat,
	askedFor     block.Kind
	askedAt      int64
	epochAt      int64 // newest try
	epochTried   bool
	sentAt       int64 // votes
	timer        int64
	syncs        []time.Duration
}

func (p *pace) start(c *Core) {
	p.opened(c)
	p.open = c.head.Header.LastSeq > 0
}

// saw notes a message of the stream as it arrives.
func (p *pace) saw(c *Core, m *Message) {
	switch pr := m.Prepared; pr.kind {
	case block.EpochRecord:
		p.open = p.open || m.Seq == 1
	case block.Cut, block.Tick, block.Heartbeat:
		if pr.validator == c.self {
			p.counter = max(p.counter, pr.pulse.Counter)
			p.reading = max(p.reading, min(pr.pulse.Clock, c.now))
		}
	default:
		p.wanted = p.wanted || pr.waiting
	}
}

// opened notes that a new block is open. A block built from the journal is all that is ever seen of its messages.
func (p *pace) opened(c *Core) {
	p.pending, p.open = false, true
	if r := c.cutter.clocks[c.self]; r.seen {
		p.counter = max(p.counter, r.counter)
	}
}

func (p *pace) synced(took time.Duration) {
	p.syncs = append(p.syncs, took)
	if len(p.syncs) > syncsKept {
		p.syncs = p.syncs[1:]
	}
}

// interval is max(20 ms, 4 x the moving median of the own sync time), up to 100 ms.
func (p *pace) interval() int64 {
	if len(p.syncs) == 0 {
		return minInterval
	}
	s := slices.Clone(p.syncs)
	slices.Sort(s)
	return min(max(4*s[len(s)/2].Milliseconds(), minInterval), maxInterval)
}

// shift moves every remembered time back with the clock.
func (p *pace) shift(by int64) {
	for _, t := range []*int64{&p.reading, &p.pendingSince, &p.askedAt, &p.epochAt, &p.sentAt} {
		*t -= by
	}
	p.timer = 0 // the node's is too late now
}

// run publishes what is due and asks for a timer.
func (p *pace) run(c *Core) error {
	next := int64(math.MaxInt64)
	due := func(at int64) bool {
		if at <= c.now {
			return true
		}
		next = min(next, at)
		return false
	}
	if !p.open {
		if err := p.openStream(c, due); err != nil {
			return err
		}
	} else {
		if err := p.pulse(c, due); err != nil {
			return err
		}
		if !p.spoken || p.wanted && c.now-p.reading > freshFor || due(p.reading+tickEvery) {
			if err := p.publish(c, block.Tick, 0); err != nil {
				return err
			}
		}
		due(p.reading + tickEvery)
	}
	p.wanted = false
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

func (p *pace) openStream(c *Core, due func(int64) bool) error {
	if p.epochTried && !due(p.epochAt+epochAgain) {
		return nil
	}
	rec, err := block.SignEpoch(c.g.Network, block.Epoch{Epoch: c.g.Epoch, Genesis: c.g.Hash}, c.vote)
	if err != nil {
		return err
	}
	p.epochTried, p.epochAt = true, c.now
	due(p.epochAt + epochAgain)
	c.do(Publish{Kind: block.EpochRecord, Payload: rec})
	return nil
}

// pulse asks for the end of the open block, but not before the block before it is decided: under load blocks then grow
// instead of queueing.
func (p *pace) pulse(c *Core, due func(int64) bool) error {
	if c.cutter == nil || c.cutter.Len() == 0 && c.head.Header.LastSeq == 0 {
		return nil
	}
	if c.cutter.Pending() && !p.pending {
		p.pending, p.pendingSince = true, c.now
	}
	if c.k.own != nil {
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
	if p.asked == height && p.askedFor == kind {
		at = max(at, p.askedAt+again)
	}
	if !due(at) {
		return nil
	}
	p.asked, p.askedFor, p.askedAt = height, kind, c.now
	due(c.now + again)
	return p.publish(c, kind, height)
}

// publish sends a pulse. Its counter follows the clock, so that a validator that restarts before its newest pulses came
// back from the stream does not use their counters again.
func (p *pace) publish(c *Core, kind block.Kind, height uint64) error {
	p.counter = max(p.counter+1, uint64(max(c.now, 0)))
	p.reading, p.spoken = c.now, true
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
func (p *pace) repeat(c *Core, due func(int64) bool) error {
	k := c.k
	if len(k.set.Validators) == 1 || !slices.ContainsFunc(k.ballots, func(b *ballot) bool { return b.sent }) && k.cosignature == nil {
		p.sentAt = c.now
		return nil
	}
	if !due(p.sentAt + voteAgain) {
		return nil
	}
	p.sentAt = c.now
	due(p.sentAt + voteAgain)
	return c.repeatVotes()
}

// timers asks to be woken when a wait of the contest ends, and does what is due apart from voting.
func (c *Core) timers(due func(int64) bool) error {
	k := c.k
	if len(k.set.Validators) == 1 {
		return nil
	}
	if k.final == nil && k.begun {
		if k.ballot(k.round, quorum.Prepare) == nil {
			due(k.proposeAt)
		}
		if k.prepareAt != 0 && k.ballot(k.round, quorum.Commit) == nil {
			due(k.prepareAt)
		}
		if k.commitAt != 0 {
			due(k.commitAt)
		}
	}
	if k.begun {
		c.alarmUndecided(due)
	}
	if k.behind && due(k.behindSince+behindAfter) && (k.fetchedAt == 0 || due(k.fetchedAt+fetchAgain)) {
		k.fetchedAt = c.now
		c.do(FetchBlock{Height: k.height})
		due(k.fetchedAt + fetchAgain)
	}
	return c.fetch(due)
}

func (c *Core) alarmUndecided(due func(int64) bool) {
	k := c.k
	at := k.since + undecidedAfter
	if k.alarmedAt != 0 {
		at = k.alarmedAt + undecidedAgain
	}
	if !due(at) {
		return
	}
	k.alarmedAt = c.now
	due(c.now + undecidedAgain)
	votes := c.tally(k.height, 0, quorum.Prepare).All()
	detail := fmt.Appendf(nil, "height %d, round %d, %d of %d validators prepared in round 0", k.height, k.round, len(votes), len(k.set.Validators))
	for i := range k.set.Validators {
		if v, ok := c.tally(k.height, 0, quorum.Prepare).Vote(i); ok {
			detail = fmt.Appendf(detail, "; %s: %.4x", k.set.Validators[i].Name, v.Vote.Header)
		}
	}
	c.do(Alarm{Code: AlarmUndecided, Detail: string(detail), Votes: votes})
}

// repeatVotes sends again what others may lack: votes of round 0, of the last two rounds, and all that are not nil.
func (c *Core) repeatVotes() error {
	k := c.k
	for _, b := range k.ballots {
		if v := &b.vote.Vote; b.sent && (!v.Nil || v.Round == 0 || v.Round+1 >= k.round) {
			c.do(SendVote{b.vote.Payload()})
		}
	}
	if k.proposed != nil && k.final == nil {
		c.do(Tell{Everyone, k.proposed})
	}
	c.tellQuorums(Everyone)
	if k.cosignature == nil {
		return nil
	}
	c.do(SendCosignature{k.cosignature})
	return c.ask(askVotes, canonical.Hash{}, everyone) // others may have the certificate, and no reason to speak
}
