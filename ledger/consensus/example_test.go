package consensus_test

import (
	"time"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/state"
)

// machine is what a node puts around a Core.
type machine interface {
	Now() int64
	Next() consensus.Input // blocks: stream messages, votes, what others send, acks of the disk, nil when the timer goes off
	Append(record []byte, sync bool, done func(time.Duration))
	Publish(p consensus.Publish)
	Broadcast(payload []byte)    // to all other validators
	Send(to int, payload []byte) // to one, or to consensus.Everyone
	Fetch(height uint64)         // from BLOCKS or a peer, bodies too; then hands in Certified
	Reread(from uint64)          // reconnects to the stream there, after a look at the message before
	Store(d consensus.Decided)   // durably, with the record for BLOCKS; applies the writes, then hands in Applied
	SetTimer(at int64)
	Alarm(a consensus.Alarm)
	Enqueue(in consensus.Input)
}

// The loop of a validator: everything that decides is in the Core, everything that does is in the machine.
func validate(cfg consensus.Config, m machine, view state.View, journal [][]byte) error {
	core, err := consensus.New(cfg, view)
	if err != nil {
		return err
	}
	if err := core.Recover(journal); err != nil {
		return err
	}
	for in := consensus.Input(nil); ; in = m.Next() {
		out := core.Step(m.Now(), in)
		for _, a := range out.Actions {
			switch a := a.(type) {
			case consensus.Persist:
				m.Append(a.Record, a.Sync, func(took time.Duration) { m.Enqueue(consensus.Persisted{ID: a.ID, Took: took}) })
			case consensus.Publish:
				m.Publish(a)
			case consensus.SendVote:
				m.Broadcast(a.Payload)
			case consensus.SendCosignature:
				m.Broadcast(a.Payload)
			case consensus.Send:
				m.Send(a.To, a.Payload)
			case consensus.FetchBlock:
				m.Fetch(a.Height)
			case consensus.Reread:
				m.Reread(a.From)
			case consensus.Decided:
				m.Store(a)
			case consensus.SetTimer:
				m.SetTimer(a.At)
			case consensus.Alarm:
				m.Alarm(a)
			}
		}
		if out.Halt != nil {
			return out.Halt
		}
	}
}

// A full follower checks everything again and believes no sender.
func follow(g *genesis.Genesis, st *state.Memory, blocks <-chan []byte, bodies func(first, last uint64) []consensus.Message) error {
	if _, ok := consensus.ReadHead(st); !ok {
		zero, err := consensus.Zero(g)
		if err != nil {
			return err
		}
		st.Apply(zero.Writes)
	}
	for raw := range blocks {
		record, err := consensus.DecodeBlockRecord(raw)
		if err != nil {
			continue // anybody can write to BLOCKS: a good copy will come
		}
		h, err := record.Check(g)
		if err != nil {
			continue
		}
		res, err := consensus.Follow(g, st, record, bodies(h.FirstSeq, h.LastSeq))
		if err != nil {
			return err // a node sorts these: ErrOld, ErrGap, ErrRecord, ErrBodies; ErrDiverged halts
		}
		st.Apply(res.Writes)
	}
	return nil
}

func Example() {
	_, _ = validate, follow
}
