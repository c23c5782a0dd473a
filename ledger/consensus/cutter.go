package consensus

import (
	"errors"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/state"
)

// Limits of a block (spec section 11).
const (
	MaxBlockItems = 4096
	MaxBlockUnits = 16384
	MaxBlockBytes = 4 << 20
	// MaxBlockMessages keeps empty messages, which count for nothing else, from making a block that no node can hold.
	MaxBlockMessages = 8192

	heartbeatAfter = 20_000 // ms of block time since the parent
)

// A Cutter says where one block ends. It is a pure function of the state after the parent and the messages in order, and
// of no key registry: a submission counts with the items and units it decodes to, whether or not its key is known.
type Cutter struct {
	g       *genesis.Genesis
	height  uint64
	parent  int64 // block time of the parent
	clocks  clocks
	next    uint64 // sequence that must come next
	count   int
	items   int
	units   int
	bytes   int
	pending bool
}

// NewCutter starts the block after the head of view.
func NewCutter(g *genesis.Genesis, view state.View) (*Cutter, error) {
	head, ok := ReadHead(view)
	if !ok {
		return nil, ErrEmpty
	}
	return newCutter(g, &head, readClocks(g, view)), nil
}

func newCutter(g *genesis.Genesis, head *Head, readings clocks) *Cutter {
	return &Cutter{
		g: g, height: head.Header.Height + 1, parent: head.Header.Time, clocks: readings, next: head.Header.LastSeq + 1,
	}
}

// ErrOrder means that a Cutter was given another message than the next.
var ErrOrder = errors.New("consensus: message out of order")

// Add takes the next message. With closeBefore the message does not belong to this block any more and was not taken: add
// it to the Cutter of the next block. With closeAfter it is the block's last.
func (c *Cutter) Add(m Message) (closeBefore, closeAfter bool, err error) {
	if m.Seq != c.next {
		return false, false, ErrOrder
	}
	p := prepare(c.g, &m)
	if c.count > 0 && (c.count == MaxBlockMessages || c.items+p.items > MaxBlockItems || c.units+p.units > MaxBlockUnits || c.bytes+len(m.Payload) > MaxBlockBytes) {
		return true, false, nil
	}
	c.next++
	c.count++
	c.items += p.items
	c.units += p.units
	c.bytes += len(m.Payload)
	switch p.kind {
	case block.Cut, block.Tick, block.Heartbeat:
		c.clocks.note(p.validator, &p.pulse)
		if p.pulse.Height != c.height {
			return false, false, nil
		}
		closeAfter = p.kind == block.Cut && c.pending ||
			p.kind == block.Heartbeat && !c.pending && c.clocks.blockTime(c.parent)-c.parent >= heartbeatAfter
	default:
		c.pending = c.pending || p.waiting
	}
	return false, closeAfter, nil
}

// Height of the block that is being cut.
func (c *Cutter) Height() uint64 { return c.height }

// Pending reports whether a message waits for a verdict: a cut(h) would close the block.
func (c *Cutter) Pending() bool { return c.pending }

// Len is the number of messages taken.
func (c *Cutter) Len() int { return c.count }
