package consensus

import (
	"fmt"
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
)

// cosignFinal signs the checkpoint that ends with the decided block. There is never one of the same size with another root:
// the own synced commit, or the synced decision, is for this header.
func (c *Core) cosignFinal() error {
	rs := c.rs
	cs := quorum.Cosignature{Validator: uint16(c.self), Time: uint64(max(c.now, 0) / 1000)}
	var err error
	if cs.Signature, err = quorum.Cosign(rs.final.checkpoint, cs.Time, c.cosign); err != nil {
		return err
	}
	rs.cosignature = encodeCosignature(c.g, rs.height, cs)
	c.do(SendCosignature{rs.cosignature})
	c.keepCosignature(rs.height, cs)
	return nil
}

// maxUnverified bounds the cosignatures kept in the name of one validator before they can be verified: anybody may claim
// to be it, and the real one comes again.
const maxUnverified = 4

func (c *Core) keepCosignature(height uint64, cs quorum.Cosignature) {
	m := c.cosigs[height]
	if m == nil {
		m = map[uint16][]quorum.Cosignature{}
		c.cosigs[height] = m
	}
	if have := m[cs.Validator]; len(have) < maxUnverified && !slices.Contains(have, cs) {
		m[cs.Validator] = append(have, cs)
	}
}

// certify makes the certificate once there are enough good cosignatures.
func (c *Core) certify() quorum.Certificate {
	m := c.cosigs[c.rs.height]
	if len(m) < c.set.Quorum() {
		return nil
	}
	var have []quorum.Cosignature
	for i := range c.set.Validators {
		have = append(have, m[uint16(i)]...)
	}
	cert, bad := c.set.Certify(c.rs.final.checkpoint, have)
	for _, cs := range bad {
		left := slices.DeleteFunc(slices.Clone(m[cs.Validator]), func(o quorum.Cosignature) bool { return o == cs })
		if m[cs.Validator] = left; len(left) == 0 {
			delete(m, cs.Validator)
		}
		c.do(Alarm{Code: AlarmCosignature, Detail: fmt.Sprintf("in the name of %s at height %d", c.set.Validators[cs.Validator].Name, c.rs.height)})
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
	c.keepCosignature(height, cs)
}

// The message that carries a cosignature between validators (spec section 13.2): tag("cosignature"), u32 epoch, u64 height,
// u16 validator, u64 time, signature (64).
func encodeCosignature(g *genesis.Genesis, height uint64, cs quorum.Cosignature) []byte {
	b := canonical.AppendTag(nil, g.Network, "cosignature")
	b = canonical.U64(canonical.U32(b, g.Epoch), height)
	b = canonical.U64(canonical.U16(b, cs.Validator), cs.Time)
	return append(b, cs.Signature[:]...)
}

func decodeCosignature(g *genesis.Genesis, payload []byte) (height uint64, cs quorum.Cosignature, err error) {
	r := canonical.NewReader(payload)
	r.Tag(g.Network, "cosignature")
	if r.U32() != g.Epoch {
		r.Fail(canonical.ErrRange)
	}
	height = r.U64()
	cs.Validator, cs.Time = r.U16(), r.U64()
	copy(cs.Signature[:], r.Bytes(len(cs.Signature)))
	return height, cs, r.Done()
}
