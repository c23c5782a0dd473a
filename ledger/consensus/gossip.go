package consensus

import (
	"maps"
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
)

// What a validator does about what others send it: proposals, quorums, asks and bodies, and who is behind.

// noteHeight notes the height that a validator shows.
func (c *Core) noteHeight(height uint64, by int) {
	if by != c.self && height > c.rs.height && !c.rs.behind {
		c.rs.behind, c.rs.behindSince = true, c.now
	}
}

// peerReceived takes in what another validator sent. What is bad or late is dropped.
func (c *Core) peerReceived(payload []byte) error {
	if b, err := quorum.DecodeBundle(c.g.Network, payload); err == nil {
		c.quorumReceived(b)
	} else if p, err := openProposal(c.g, c.set, payload); err == nil {
		c.proposalReceived(p)
	} else if a, err := openAsk(c.g, c.set, payload); err == nil {
		return c.askReceived(a)
	} else if ch, err := openChunk(c.g, c.set, payload); err == nil {
		return c.chunkReceived(ch)
	}
	return nil
}

func (c *Core) quorumReceived(b *quorum.Bundle) {
	switch {
	case b.Epoch != c.g.Epoch:
	case b.Height == c.rs.height:
		c.acceptQuorum(b)
	case b.Height > c.rs.height && !c.rs.behind && c.set.CheckBundle(c.g.Network, b, c.set.Faults()+1) == nil:
		c.rs.behind, c.rs.behindSince = true, c.now
	}
}

func (c *Core) proposalReceived(p *proposal) {
	rs := c.rs
	if p.epoch != c.g.Epoch || p.by == c.self {
		return
	}
	c.noteHeight(p.height, p.by)
	if p.height != rs.height || p.round < rs.round || p.by != c.coordinator(p.round) || rs.proposals[p.round] != nil ||
		uint64(p.round) > uint64(rs.round)+uint64(len(rs.set.Validators)) {
		return
	}
	b, need := p.bundle(), c.set.Faults()+1
	if p.validRound != noRound {
		need = c.quorumSize()
	}
	if c.set.CheckBundle(c.g.Network, b, need) != nil {
		return
	}
	if p.validRound != noRound {
		c.acceptQuorum(b)
	}
	rs.proposals[p.round] = p
}

// helpBehind sends a validator that is behind what it lacks.
func (c *Core) helpBehind(by int, height uint64) error {
	l := c.lastDecided
	if by == c.self || height >= c.rs.height || l != nil && l.height == height && c.now < l.at+lateVote || !c.mayReply(by) {
		return nil
	}
	if l != nil && l.height == height {
		if l.proof != nil {
			c.do(Send{by, l.proof})
		}
		if l.cosignature != nil {
			c.do(SendCosignature{l.cosignature})
		}
	}
	return c.ask(askVotes, canonical.Hash{}, uint16(by)) // shows our height
}

// mayReply allows one answer to a validator every replyAgain.
func (c *Core) mayReply(by int) bool {
	if c.repliedAt[by] != 0 && c.now < c.repliedAt[by]+replyAgain {
		return false
	}
	c.repliedAt[by] = c.now
	return true
}

func (c *Core) askReceived(a *ask) error {
	if a.epoch != c.g.Epoch || a.by == c.self {
		return nil
	}
	c.noteHeight(a.height, a.by)
	if a.to != everyone && int(a.to) != c.self {
		return nil
	}
	if a.what == askBody {
		return c.sendBody(a)
	}
	if a.height < c.rs.height {
		return c.helpBehind(a.by, a.height)
	}
	if a.height > c.rs.height || !c.mayReply(a.by) {
		return nil
	}
	for _, key := range slices.SortedFunc(maps.Keys(c.tallies), tallyKey.compare) {
		if key.height != c.rs.height {
			continue
		}
		for _, v := range c.tallies[key].All() {
			c.do(SendVote{v.Payload()})
		}
	}
	c.sendQuorums(a.by)
	return nil
}

// sendQuorums shows the quorums that matter: behind the newest valid value, and behind the decision.
func (c *Core) sendQuorums(to int) {
	rs := c.rs
	if rs.finalProof != nil && len(c.set.Validators) > 1 {
		c.do(Send{to, rs.finalProof})
	} else if rs.validValue != nil && (rs.round > 0) {
		c.do(Send{to, c.proof(rs.validValue.round, quorum.Prepare, rs.validValue.header).Encode(c.g.Network)})
	}
}

func (c *Core) sendBody(a *ask) error {
	var messages []Message
	switch {
	case a.height == c.rs.height && c.rs.values[a.header] != nil:
		messages = c.rs.values[a.header].messages
	case c.lastDecided != nil && c.lastDecided.height == a.height && c.lastDecided.header == a.header:
		messages = c.lastDecided.messages
	default:
		return nil
	}
	if !c.mayReply(a.by) {
		return nil
	}
	ch := chunk{epoch: c.g.Epoch, height: a.height, header: a.header}
	body := encodeBodyBytes(messages)
	n := (len(body) + chunkSize - 1) / chunkSize
	if n > maxChunks {
		return nil // a flood of empty messages: only the stream and the BLOCKS stream carry that
	}
	ch.count = uint16(n)
	for i := range n {
		ch.index = uint16(i)
		ch.data = body[i*chunkSize : min((i+1)*chunkSize, len(body))]
		payload, err := ch.encode(c.g.Network, c.vote)
		if err != nil {
			return err
		}
		c.do(Send{a.by, payload})
	}
	return nil
}

func (c *Core) chunkReceived(ch *chunk) error {
	m := c.rs.missing
	if m == nil || ch.epoch != c.g.Epoch || ch.height != c.rs.height || ch.header != m.header || ch.by != m.asked {
		return nil
	}
	if len(m.chunks) != int(ch.count) {
		m.chunks = make([][]byte, ch.count)
	}
	m.chunks[ch.index] = ch.data
	var body []byte
	for _, b := range m.chunks {
		if b == nil {
			return nil
		}
		body = append(body, b...)
	}
	m.asked, m.chunks = -1, nil // good or bad: the next attempt is at another validator
	messages, err := decodeBodyBytes(body)
	if err != nil {
		return nil //nolint:nilerr // a liar's body
	}
	res, err := Execute(c.g, c.base(), messages)
	if err != nil || res.Hash != m.header {
		return nil //nolint:nilerr // a liar's body
	}
	_, err = c.candidate(messages, res)
	return err
}

// needed is the body that is lacking most, and whether it is worth waiting for the stream first.
func (c *Core) needed() (header canonical.Hash, atOnce, ok bool) {
	rs := c.rs
	if rs.final != nil {
		return header, false, false
	}
	lacks := func(h canonical.Hash) bool { return h != (canonical.Hash{}) && rs.values[h] == nil }
	if _, h, ok := c.committed(); ok && lacks(h) {
		return h, false, true
	}
	if p := rs.proposals[rs.round]; p != nil && lacks(p.header) {
		return p.header, true, true
	}
	if !rs.begun {
		return header, false, false
	}
	for r := int64(rs.round); r >= 0; r-- {
		if h, ok := c.winner(uint32(r), quorum.Prepare); ok && lacks(h) {
			return h, false, true
		}
	}
	if h, ok := c.eligible(); ok && lacks(h) {
		return h, false, true
	}
	return header, false, false
}

// fetch asks for a body that is lacking, one validator that votes for it after the other.
func (c *Core) fetch(due func(int64) bool) error {
	rs := c.rs
	header, atOnce, ok := c.needed()
	if !ok {
		rs.missing = nil
		return nil
	}
	if rs.missing == nil || rs.missing.header != header {
		rs.missing = &missingBody{header: header, since: c.now, asked: -1}
	}
	m := rs.missing
	if !atOnce && !due(m.since+fetchAfter) || m.tries > 0 && !due(m.askedAt+askAgain) {
		return nil
	}
	holders := c.holders(header)
	m.asked, m.askedAt, m.chunks = holders[m.tries%len(holders)], c.now, nil
	m.tries++
	due(m.askedAt + askAgain)
	return c.ask(askBody, header, uint16(m.asked))
}

// holders are the validators that vote for a header, and so keep its body; or all.
func (c *Core) holders(header canonical.Hash) (out []int) {
	rs := c.rs
	votes := map[int]bool{}
	for key, t := range c.tallies {
		if key.height == rs.height {
			for _, v := range t.Bundle(header).Votes {
				votes[int(v.Validator)] = true
			}
		}
	}
	for _, b := range rs.peerQuorums {
		if b.Header == header {
			for _, v := range b.Votes {
				votes[int(v.Validator)] = true
			}
		}
	}
	if p := rs.proposals[rs.round]; p != nil && p.header == header {
		votes[p.by] = true
	}
	for _, all := range []bool{false, true} {
		for i := range rs.set.Validators {
			if i != c.self && (all || votes[i]) {
				out = append(out, i)
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

func (c *Core) ask(what uint8, header canonical.Hash, to uint16) error {
	a := ask{what: what, epoch: c.g.Epoch, height: c.rs.height, header: header, to: to}
	payload, err := a.encode(c.g.Network, c.vote)
	if err != nil {
		return err
	}
	receiver := int(to)
	if to == everyone {
		receiver = Everyone
	}
	c.do(Send{receiver, payload})
	return nil
}
