package consensus

import (
	"bytes"
	"fmt"
	"slices"

	"verilot.dev/ledger/block"
)

// arrived queues a message of the stream. Redelivered ones are compared with what was seen before.
func (c *Core) arrived(m Message) error {
	want := c.next()
	if m.Seq > want {
		if c.rereading {
			return nil
		}
		return fmt.Errorf("%w: sequence %d where %d is due", ErrSequence, m.Seq, want)
	}
	if m.Seq < want {
		return c.redelivered(m)
	}
	c.rereading = false
	m.Prepared = prepare(c.g, &m)
	if m.Seq == 1 && m.Prepared.kind != block.EpochRecord {
		return ErrNoEpochRecord // no cut would ever come to end the block and find out
	}
	c.pacemaker.messageArrived(c, &m)
	c.backlog = append(c.backlog, m)
	return c.drain()
}

// differs reports whether m is another message than the one in known.
func differs(m *Message, known []Message) bool {
	return len(known) > 0 && m.Seq >= known[0].Seq && m.Seq-known[0].Seq < uint64(len(known)) &&
		!bytes.Equal(m.Payload, known[m.Seq-known[0].Seq].Payload)
}

// redelivered compares a redelivered message with what was seen before. A lone validator halts when it differs: its
// stream is all there is. In a cluster the votes say which of the two histories goes on: what was voted on stays, and the
// open block is cut again from what the stream shows now.
func (c *Core) redelivered(m Message) error {
	voted := differs(&m, c.ownMessages()) || differs(&m, c.adoptedMessages)
	open := differs(&m, c.ready) || differs(&m, c.open) || differs(&m, c.backlog)
	if !voted && !open {
		return nil
	}
	if len(c.set.Validators) == 1 {
		return fmt.Errorf("%w: sequence %d", ErrStream, m.Seq)
	}
	c.streamAlarm(m.Seq)
	if voted {
		return nil
	}
	kept := slices.Concat(c.ready, c.open, c.backlog)
	kept = kept[:m.Seq-kept[0].Seq]
	return c.recut(kept, &m)
}

func (c *Core) streamAlarm(seq uint64) {
	if !c.rs.streamAlarm {
		c.rs.streamAlarm = true
		c.do(Alarm{Code: AlarmStream, Detail: fmt.Sprintf("sequence %d is not what it was, or what was decided", seq)})
	}
}

// recut starts the open block again from these messages and those that follow.
func (c *Core) recut(kept []Message, more ...*Message) error {
	var err error
	if c.cutter, err = NewCutter(c.g, c.top()); err != nil {
		return err
	}
	c.open, c.ready, c.backlog = nil, nil, slices.Clone(kept)
	c.pacemaker.blockOpened(c)
	for _, m := range more {
		if err := c.arrived(*m); err != nil {
			return err
		}
	}
	return c.drain()
}

func (c *Core) ownMessages() []Message {
	if c.rs.ownCut == nil {
		return nil
	}
	return c.rs.ownCut.messages
}

// next is the sequence that the stream must show next.
func (c *Core) next() uint64 {
	if n := len(c.backlog); n > 0 {
		return c.backlog[n-1].Seq + 1
	}
	if n := len(c.ready); n > 0 {
		return c.ready[n-1].Seq + 1
	}
	return c.cutter.next
}

// drain offers the backlog to the cutter, up to the end of the block after the candidate.
func (c *Core) drain() error {
	for len(c.backlog) > 0 && c.ready == nil {
		m := c.backlog[0]
		before, after, err := c.cutter.Add(m)
		if err != nil {
			return err
		}
		if !before {
			c.backlog = c.backlog[1:]
			c.open = append(c.open, m)
		}
		if before || after {
			if err := c.closeBlock(); err != nil {
				return err
			}
		}
	}
	if len(c.backlog) == 0 {
		c.backlog = nil // let go of the memory
	}
	return nil
}

// closeBlock ends the open block: it becomes the own cut, or waits for the decision on the present one.
func (c *Core) closeBlock() error {
	messages := c.open
	c.open = nil
	if c.rs.ownCut != nil {
		c.ready, c.cutter = messages, nil
		return nil
	}
	return c.build(messages)
}

// build executes the own cut and starts the next block's cutter above it.
func (c *Core) build(messages []Message) error {
	cand, err := c.execute(messages)
	if err != nil {
		return err
	}
	c.rs.ownCut = cand
	if c.cutter, err = NewCutter(c.g, c.top()); err != nil {
		return err
	}
	c.pacemaker.blockOpened(c)
	return nil
}

// rewind goes on behind a decided block that is not the own cut: with what the stream showed behind it, if that is the same
// stream, else by reading it again.
func (c *Core) rewind(rs *roundState, cand *candidate) error {
	var seen []Message
	if rs.ownCut != nil {
		seen = rs.ownCut.messages
		c.do(Alarm{Code: AlarmOtherBlock, Detail: fmt.Sprintf("height %d: decided %x, ours is %x", rs.height, cand.res.Hash, rs.ownCut.res.Hash)})
	}
	seen = slices.Concat(seen, c.ready, c.open, c.backlog)
	last := cand.res.Header.LastSeq
	for i := range seen {
		if differs(&seen[i], cand.messages) {
			c.streamAlarm(seen[i].Seq)
			c.rereading = true
			c.do(Reread{From: last + 1})
			return c.recut(nil)
		}
	}
	c.adoptedMessages = cand.messages
	seen = slices.DeleteFunc(seen, func(m Message) bool { return m.Seq <= last })
	return c.recut(seen)
}
