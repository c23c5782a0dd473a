package consensus

import (
	"crypto"

	"verilot.dev/ledger/enc"
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
func Cosigned(c *Core) (height uint64, header enc.Hash, ok bool) {
	if c.k.cosignature == nil || c.k.final == nil {
		return 0, header, false
	}
	return c.k.height, c.k.final.res.Hash, true
}

// Round is where the contest stands.
func Round(c *Core) (height uint64, round uint32) { return c.k.height, c.k.round }

// Proposal signs a proposal, also one that is not true.
func Proposal(n enc.Network, b *quorum.Bundle, round, valid uint32, key crypto.Signer) ([]byte, error) {
	p := proposal{epoch: b.Epoch, height: b.Height, round: round, header: b.Header, valid: valid, votes: b.Votes}
	return p.encode(n, key)
}

// NoRound is a proposal's valid round when there is none.
const NoRound = noRound
