package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// openError is why a message is an entry of kind 0.
type openError struct {
	code   verdict.Code
	detail string
}

// Prepared is everything of a message that can be found out without the state before it. A node makes it on as many
// goroutines as it likes; whether it did, and with which keys, changes no byte of a block.
type Prepared struct {
	network canonical.Network
	epoch   uint32
	payload []byte

	kind   block.Kind // NotOpened also for submissions, until open
	failed *openError // kind 0 whatever the registry says
	signed []byte     // of pulses and epoch records
	sig    [64]byte

	pulse     block.Pulse
	validator int

	env     *submission.Envelope // of a submission with a good header
	waiting bool                 // gets a verdict: neither pulse nor epoch record by its tag
	items   int                  // towards the limits of a block
	units   int
}

// Opener prepares messages, many at a time. None of its fields changes what comes out of Execute.
type Opener struct {
	Genesis *genesis.Genesis
	// Known is a registry as of any earlier block. With one, signatures are verified ahead; a key that is not in it, or
	// that has changed since, is looked up again when the block is executed. It may be nil.
	Known    submission.Keys
	Verifier *keys.Verifier // caches keys; nil for none
	Random   io.Reader      // crypto/rand.Reader: with it, signatures are verified as a batch; nil: one by one
}

// Prepare does the costly part of messages ahead of time. It may run on many goroutines at once if Known allows it.
func (o *Opener) Prepare(payloads ...[]byte) []*Prepared {
	out := make([]*Prepared, len(payloads))
	var batch []*submission.Envelope
	for i, payload := range payloads {
		p := &Prepared{network: o.Genesis.Network, epoch: o.Genesis.Epoch, payload: payload}
		out[i] = p
		switch block.Purpose(o.Genesis.Network, payload) {
		case block.PurposeEpoch:
			p.openEpoch(o.Genesis)
		case block.PurposePulse:
			p.openPulse(o.Genesis)
		default:
			p.waiting = true
			env, err := submission.Decode(p.network, p.epoch, payload)
			if err != nil {
				p.failed = openErrorOf(err)
				continue
			}
			p.env = env
			batch = append(batch, env)
		}
	}
	if o.Known != nil {
		v := o.Verifier
		if v == nil {
			v = &keys.Verifier{}
		}
		if o.Random != nil {
			submission.VerifyBatch(v, o.Random, o.Known, batch)
		} else {
			for _, env := range batch {
				env.Verify(v, o.Known)
			}
		}
	}
	for _, p := range out {
		if p.env != nil {
			p.weigh(o.Known)
		}
	}
	return out
}

// weigh reads the body and counts what it holds. The count depends on the payload alone, whatever the registry knows: a
// body counts if it can be read, also behind a bad signature. Its hashes are computed only behind a good one: strangers'
// bodies cost no more than reading.
func (p *Prepared) weigh(known submission.Keys) {
	if known != nil {
		if s, err := p.env.Open(known); err == nil {
			p.count(s.Items)
			return
		}
	}
	body := p.payload[len(p.env.RawHeader)+len(p.env.Signature):]
	items, err := wire.DecodeBody(body)
	if err != nil {
		return
	}
	p.count(items)
}

func (p *Prepared) count(items []wire.Item) {
	p.items = len(items)
	for i := range items {
		p.units += len(items[i].Committed.Units)
		if custody.TakesAll(&items[i]) {
			p.units += custody.MaxContents
		}
	}
}

// prepare returns the message's Prepared if it is of this payload, else makes one.
func prepare(g *genesis.Genesis, m *Message) *Prepared {
	p := m.Prepared
	if p != nil && p.network == g.Network && p.epoch == g.Epoch && bytes.Equal(p.payload, m.Payload) {
		return p
	}
	return (&Opener{Genesis: g}).Prepare(m.Payload)[0]
}

func (p *Prepared) fail(code verdict.Code, format string, args ...any) {
	p.failed = &openError{code, fmt.Sprintf(format, args...)}
}

func (p *Prepared) openEpoch(g *genesis.Genesis) {
	e, signed, sig, err := block.SplitEpoch(g.Network, p.payload)
	switch {
	case err != nil:
		p.fail(verdict.Malformed, "%v", err)
	case e.Epoch != g.Epoch || e.Genesis != g.Hash || e.LastHeader != canonical.Hash{}:
		p.fail(verdict.WrongEpoch, "epoch %d of genesis %x", e.Epoch, e.Genesis)
	default:
		if p.byValidator(g, e.KeyID, signed, sig) {
			p.kind, p.signed, p.sig = block.EpochRecord, signed, sig
		}
	}
}

func (p *Prepared) openPulse(g *genesis.Genesis) {
	pulse, signed, sig, err := block.SplitPulse(g.Network, p.payload)
	switch {
	case err != nil:
		p.fail(verdict.Malformed, "%v", err)
	case pulse.Epoch != g.Epoch:
		p.fail(verdict.WrongEpoch, "epoch %d", pulse.Epoch)
	default:
		if p.byValidator(g, pulse.KeyID, signed, sig) {
			p.kind, p.pulse, p.signed, p.sig = pulse.What, pulse, signed, sig
		}
	}
}

// byValidator finds the validator whose vote key signed, under the strict rule (spec section 1).
func (p *Prepared) byValidator(g *genesis.Genesis, id canonical.Hash, signed []byte, sig [64]byte) bool {
	i, ok := g.Validators.ByVoteKey(id)
	if !ok {
		p.fail(verdict.KeyUnknown, "%x is no vote key of the set", id)
		return false
	}
	if !g.Validators.VerifyVoteKey(i, signed, sig[:]) {
		p.fail(verdict.SigInvalid, "of validator %s", g.Validators.Validators[i].Name)
		return false
	}
	p.validator = i
	return true
}

func openErrorOf(err error) *openError {
	if e, ok := errors.AsType[*submission.Error](err); ok {
		return &openError{e.Code, e.Detail}
	}
	return &openError{verdict.Malformed, err.Error()} // not reached: the contract of submission is *Error
}

// open ends the opening of a submission with the keys that count.
func (p *Prepared) open(registered submission.Keys) (*submission.Submission, *openError) {
	s, err := p.env.Open(registered)
	if err != nil {
		return nil, openErrorOf(err)
	}
	return s, nil
}
