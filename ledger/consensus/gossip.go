package consensus

import (
	"maps"
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
)

// What a validator does about what others tell it: proposals, quorums, asks and bodies, and who is behind.

// saw notes the height that a validator shows.
func (c *Core) saw(height uint64, by int) {
	if by != c.self && height > c.k.height && !c.k.behind {
		c.k.behind, c.k.behindSince = true, c.now
	}
}

// heard takes in what another validator tells. What is bad or late is dropped.
func (c *Core) heard(payload []byte) error {
	if b, err := quorum.DecodeBundle(c.g.Network, payload); err == nil {
		c.heardBundle(b)
	} else if p, err := openProposal(c.g, c.set, payload); err == nil {
		c.heardProposal(p)
	} else if a, err := openAsk(c.g, c.set, payload); err == nil {
		return c.heardAsk(a)
	} else if ch, err := openChunk(c.g, c.set, payload); err == nil {
		return c.heardChunk(ch)
	}
	return nil
}

func (c *Core) heardBundle(b *quorum.Bundle) {
	switch {
	case b.Epoch != c.g.Epoch:
	case b.Height == c.k.height:
		c.prove(b)
	case b.Height > c.k.height && !c.k.behind && c.set.CheckBundle(c.g.Network, b, c.set.Faults()+1) == nil:
		c.k.behind, c.k.behindSince = true, c.now
	}
}

func (c *Core) heardProposal(p *proposal) {
	k := c.k
	if p.epoch != c.g.Epoch || p.by == c.self {
		return
	}
	c.saw(p.height, p.by)
	if p.height != k.height || p.round < k.round || p.by != c.coordinator(p.round) || k.proposals[p.round] != nil ||
		uint64(p.round) > uint64(k.round)+uint64(len(k.set.Validators)) {
		return
	}
	b, need := p.bundle(), c.set.Faults()+1
	if p.valid != noRound {
		need = c.quorumSize()
	}
	if c.set.CheckBundle(c.g.Network, b, need) != nil {
		return
	}
	if p.valid != noRound {
		c.prove(b)
	}
	k.proposals[p.round] = p
}

// help tells a validator that is behind what it lacks.
func (c *Core) help(by int, height uint64) error {
	l := c.last
	if by == c.self || height >= c.k.height || l != nil && l.height == height && c.now < l.at+lateVote || !c.turnOf(by) {
		return nil
	}
	if l != nil && l.height == height {
		if l.proof != nil {
			c.do(Tell{by, l.proof})
		}
		if l.cosignature != nil {
			c.do(SendCosignature{l.cosignature})
		}
	}
	return c.ask(askVotes, canonical.Hash{}, uint16(by)) // shows our height
}

// turnOf allows one answer per validator and while.
func (c *Core) turnOf(by int) bool {
	if c.replied[by] != 0 && c.now < c.replied[by]+replyAgain {
		return false
	}
	c.replied[by] = c.now
	return true
}

func (c *Core) heardAsk(a *ask) error {
	if a.epoch != c.g.Epoch || a.by == c.self {
		return nil
	}
	c.saw(a.height, a.by)
	if a.to != everyone && int(a.to) != c.self {
		return nil
	}
	if a.what == askBody {
		return c.giveBody(a)
	}
	if a.height < c.k.height {
		return c.help(a.by, a.height)
	}
	if a.height > c.k.height || !c.turnOf(a.by) {
		return nil
	}
	for _, key := range slices.SortedFunc(maps.Keys(c.tallies), tallyKey.compare) {
		if key.height != c.k.height {
			continue
		}
		for _, v := range c.tallies[key].All() {
			c.do(SendVote{v.Payload()})
		}
	}
	c.tellQuorums(a.by)
	return nil
}

// tellQuorums shows the quorums that matter: behind the newest valid value, and behind the decision.
func (c *Core) tellQuorums(to int) {
	k := c.k
	if k.finalProof != nil && len(c.set.Validators) > 1 {
		c.do(Tell{to, k.finalProof})
	} else if k.valid != nil && (k.round > 0) {
		c.do(Tell{to, c.proof(k.valid.round, quorum.Prepare, k.valid.header).Encode(c.g.Network)})
	}
}

func (c *Core) giveBody(a *ask) error {
	var messages []Message
	switch {
	case a.height == c.k.height && c.k.values[a.header] != nil:
		messages = c.k.values[a.header].messages
	case c.last != nil && c.last.height == a.height && c.last.header == a.header:
		messages = c.last.messages
	default:
		return nil
	}
	if !c.turnOf(a.by) {
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
		c.do(Tell{a.by, payload})
	}
	return nil
}

func (c *Core) heardChunk(ch *chunk) error {
	w := c.k.want
	if w == nil || ch.epoch != c.g.Epoch || ch.height != c.k.height || ch.header != w.header || ch.by != w.asked {
		return nil
	}
	if len(w.chunks) != int(ch.count) {
		w.chunks = make([][]byte, ch.count)
	}
	w.chunks[ch.index] = ch.data
	var body []byte
	for _, b := range w.chunks {
		if b == nil {
			return nil
		}
		body = append(body, b...)
	}
	w.asked, w.chunks = -1, nil // good or bad: the next attempt is at another validator
	messages, err := decodeBodyBytes(body)
	if err != nil {
		return nil //nolint:nilerr // a liar's body
	}
	res, err := Execute(c.g, c.base(), messages)
	if err != nil || res.Hash != w.header {
		return nil //nolint:nilerr // a liar's body
	}
	_, err = c.candidate(messages, res)
	return err
}

// needed is the body that is lacking most, and whether it is worth waiting for the own stream first.
func (c *Core) needed() (header canonical.Hash, atOnce, ok bool) {
	k := c.k
	if k.final != nil {
		return header, false, false
	}
	lacks := func(h canonical.Hash) bool { return h != (canonical.Hash{}) && k.values[h] == nil }
	if _, h, ok := c.committed(); ok && lacks(h) {
		return h, false, true
	}
	if p := k.proposals[k.round]; p != nil && lacks(p.header) {
		return p.header, true, true
	}
	if !k.begun {
		return header, false, false
	}
	for r := int64(k.round); r >= 0; r-- {
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
	k := c.k
	header, atOnce, ok := c.needed()
	if !ok {
		k.want = nil
		return nil
	}
	if k.want == nil || k.want.header != header {
		k.want = &want{header: header, since: c.now, asked: -1}
	}
	w := k.want
	if !atOnce && !due(w.since+fetchAfter) || w.tries > 0 && !due(w.askedAt+askAgain) {
		return nil
	}
	holders := c.holders(header)
	w.asked, w.askedAt, w.chunks = holders[w.tries%len(holders)], c.now, nil
	w.tries++
	due(w.askedAt + askAgain)
	return c.ask(askBody, header, uint16(w.asked))
}

// holders are the validators that vote for a header, and so keep its body; or all.
func (c *Core) holders(header canonical.Hash) (out []int) {
	k := c.k
	votes := map[int]bool{}
	for key, t := range c.tallies {
		if key.height == k.height {
			for _, v := range t.Bundle(header).Votes {
				votes[int(v.Validator)] = true
			}
		}
	}
	for _, b := range k.proven {
		if b.Header == header {
			for _, v := range b.Votes {
				votes[int(v.Validator)] = true
			}
		}
	}
	if p := k.proposals[k.round]; p != nil && p.header == header {
		votes[p.by] = true
	}
	for _, all := range []bool{false, true} {
		for i := range k.set.Validators {
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
	a := ask{what: what, epoch: c.g.Epoch, height: c.k.height, header: header, to: to}
	payload, err := a.encode(c.g.Network, c.vote)
	if err != nil {
		return err
	}
	receiver := int(to)
	if to == everyone {
		receiver = Everyone
	}
	c.do(Tell{receiver, payload})
	return nil
}
