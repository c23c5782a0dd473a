package consensus

import (
	"crypto"
	"crypto/ed25519"
	"fmt"
	"io"
	"maps"
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
)

// Sabotage breaks one rule of a validator: its lock, the order of sync and send, or the size of its quorums.
func Sabotage(c *Core, rule string) {
	switch rule {
	case "lock":
		c.sabotage.lock = true
	case "sync":
		c.sabotage.sync = true
	case "quorum":
		c.sabotage.quorum = true
	}
}

// Cosigned is the header that this validator has cosigned at the height that it is deciding.
func Cosigned(c *Core) (height uint64, header canonical.Hash, ok bool) {
	if c.rs.cosignature == nil || c.rs.final == nil {
		return 0, header, false
	}
	return c.rs.height, c.rs.final.res.Hash, true
}

// Head is the newest decided block.
func (c *Core) Head() Head { return c.head }

// Round is the round of the height that is being decided.
func Round(c *Core) (height uint64, round uint32) { return c.rs.height, c.rs.round }

// Proposal signs a proposal, also one that is not true.
func Proposal(n canonical.Network, b *quorum.Bundle, round, valid uint32, key crypto.Signer) ([]byte, error) {
	p := proposal{epoch: b.Epoch, height: b.Height, round: round, header: b.Header, validRound: valid, votes: b.Votes}
	return p.encode(n, key)
}

// NoRound is a proposal's valid round when there is none.
const NoRound = noRound

// Dump is the round state as text, to look for a fault.
func Dump(c *Core) string {
	rs := c.rs
	s := fmt.Sprintf("height %d round %d begun %v own %v final %v", rs.height, rs.round, rs.begun, rs.ownCut != nil, rs.final != nil)
	if rs.lockedValue != nil {
		s += fmt.Sprintf(" locked %d %.3x", rs.lockedValue.round, rs.lockedValue.header)
	}
	if rs.validValue != nil {
		s += fmt.Sprintf(" valid %d %.3x", rs.validValue.round, rs.validValue.header)
	}
	if rs.missing != nil {
		s += fmt.Sprintf(" wants %.3x of %d, try %d", rs.missing.header, rs.missing.asked, rs.missing.tries)
	}
	for h := range rs.values {
		s += fmt.Sprintf(" value %.3x", h)
	}
	for _, b := range rs.castVotes {
		s += fmt.Sprintf("\n   own %s@%d %.3x sent %v", b.vote.Vote.Kind, b.vote.Vote.Round, b.vote.Vote.Header, b.sent)
	}
	for _, key := range slices.SortedFunc(maps.Keys(c.tallies), tallyKey.compare) {
		s += fmt.Sprintf("\n   %d %s@%d:", key.height, key.kind, key.round)
		for i := range rs.set.Validators {
			if v, ok := c.tallies[key].Vote(i); ok {
				s += fmt.Sprintf(" v%d=%.3x", i+1, v.Vote.Header)
			}
		}
	}
	for r, p := range rs.proposals {
		s += fmt.Sprintf("\n   proposal@%d %.3x valid %d by v%d", r, p.header, int32(p.validRound), p.by+1)
	}
	return s
}

// The messages of spec sections 8.5 and 8.6, for vectors and fuzzing.

// Ask signs an ask.
func Ask(n canonical.Network, what uint8, height uint64, header canonical.Hash, to uint16, key crypto.Signer) ([]byte, error) {
	a := ask{what: what, epoch: 1, height: height, header: header, to: to}
	return a.encode(n, key)
}

// Chunks signs the chunks of a body.
func Chunks(n canonical.Network, height uint64, header canonical.Hash, messages []Message, key crypto.Signer) (body []byte, out [][]byte, err error) {
	body = encodeBodyBytes(messages)
	ch := chunk{epoch: 1, height: height, header: header, count: uint16((len(body) + chunkSize - 1) / chunkSize)}
	for ; ch.index < ch.count; ch.index++ {
		at := int(ch.index) * chunkSize
		ch.data = body[at:min(at+chunkSize, len(body))]
		payload, err := ch.encode(n, key)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, payload)
	}
	return body, out, nil
}

// Reencode opens what a validator sent and writes it again, with the signature it came with; false if it does not open.
func Reencode(g *genesis.Genesis, payload []byte) (what string, again []byte, ok bool) {
	set := SetAt(g, 1)
	if b, err := quorum.DecodeBundle(g.Network, payload); err == nil {
		return "quorum", b.Encode(g.Network), true
	}
	if p, err := openProposal(g, set, payload); err == nil {
		signed := len(payload) - 2 - 66*len(p.votes)
		again, _ = p.encode(g.Network, sealedBy(set, p.by, payload[:signed]))
		return "proposal", again, true
	}
	if a, err := openAsk(g, set, payload); err == nil {
		again, _ = a.encode(g.Network, sealedBy(set, a.by, payload))
		return "ask", again, true
	}
	if c, err := openChunk(g, set, payload); err == nil {
		again, _ = c.encode(g.Network, sealedBy(set, c.by, payload))
		return "chunk", again, true
	}
	return "", nil, false
}

// sealedBy is a signer that repeats the signature at the end of a payload.
func sealedBy(set *quorum.Set, by int, payload []byte) crypto.Signer {
	return repeated{set.Validators[by].VoteKey, payload[len(payload)-64:]}
}

type repeated struct {
	key ed25519.PublicKey
	sig []byte
}

func (r repeated) Public() crypto.PublicKey                                  { return r.key }
func (r repeated) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return r.sig, nil }
