package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"verilot.dev/ledger/canonical"
)

// What validators say to each other travels on plain subjects: nothing keeps it, and what gets lost is said again.
//
//	votes.v1.<epoch>.<from>         a vote
//	cosignatures.v1.<epoch>.<from>  a cosignature
//	tell.v1.<epoch>.<from>          the rest of consensus, to all
//	tell.v1.<epoch>.<from>.<to>     and to one
//	fetch.v1.<epoch>.<of>           a request for a decided block: u64 height || u32 chunk; the reply is a chunk as in
//	                                BLOCKS, of the record and its bodies, or empty if there is no such block
//
// Names are those of the validators' parties. Permissions may bind <from> to whom it names; nothing here relies on it,
// since everything that counts is signed.
const (
	votes        = "votes"
	cosignatures = "cosignatures"
	tell         = "tell"
	fetch        = "fetch"
)

// PeerKind is the kind of a PeerMessage.
type PeerKind uint8

// The kinds of peer messages.
const (
	Vote PeerKind = 1 + iota
	Cosignature
	Gossip // the rest of consensus
)

// PeerMessage is what somebody said who claims to be validator From.
type PeerMessage struct {
	Kind PeerKind
	From string
	Data []byte
}

// Peers is one validator's line to the others.
type Peers struct {
	b           *Bus
	epoch, self string
}

// Peers makes the line of a validator, by the name of its party.
func (b *Bus) Peers(epoch uint32, self string) (*Peers, error) {
	self, err := token(self)
	return &Peers{b, fmt.Sprint(epoch), self}, err
}

func subject(kind string, rest ...string) string { return kind + ".v1." + strings.Join(rest, ".") }

// Send says something to all others, or (only Gossip) to one. It does not wait; what is lost is lost.
func (p *Peers) Send(kind PeerKind, to string, payload []byte) error {
	var s string
	switch {
	case kind == Vote:
		s = subject(votes, p.epoch, p.self)
	case kind == Cosignature:
		s = subject(cosignatures, p.epoch, p.self)
	case to == "":
		s = subject(tell, p.epoch, p.self)
	default:
		to, err := token(to)
		if err != nil {
			return err
		}
		s = subject(tell, p.epoch, p.self, to)
	}
	if err := p.b.nc.Publish(s, payload); err != nil {
		return fmt.Errorf("send to %s: %w", s, err)
	}
	return nil
}

// Bounds of what waits for a slow listener; more is dropped.
const (
	waitingMessages = 8192
	waitingBytes    = 64 << 20
)

// Listen calls hear for what the others say, from several goroutines, until stop.
func (p *Peers) Listen(hear func(PeerMessage)) (stop func(), err error) {
	return p.b.listen(p.self, hear, map[string]PeerKind{
		subject(votes, p.epoch, "*"):        Vote,
		subject(cosignatures, p.epoch, "*"): Cosignature,
		subject(tell, p.epoch, "*"):         Gossip,
		subject(tell, p.epoch, "*", p.self): Gossip,
	})
}

// WatchVotes calls hear for all votes of an epoch until stop.
func (b *Bus) WatchVotes(epoch uint32, hear func(PeerMessage)) (stop func(), err error) {
	return b.listen("", hear, map[string]PeerKind{subject(votes, fmt.Sprint(epoch), "*"): Vote})
}

func (b *Bus) listen(self string, hear func(PeerMessage), subjects map[string]PeerKind) (stop func(), err error) {
	var subs []*nats.Subscription
	stop = func() {
		for _, s := range subs {
			_ = s.Unsubscribe() // of a connection that may be closed
		}
	}
	for s, kind := range subjects {
		sub, err := b.nc.Subscribe(s, func(m *nats.Msg) {
			if from := strings.Split(m.Subject, ".")[3]; from != self {
				hear(PeerMessage{kind, from, m.Data})
			}
		})
		if err == nil {
			subs = append(subs, sub)
			err = sub.SetPendingLimits(waitingMessages, waitingBytes)
		}
		if err != nil {
			stop()
			return nil, fmt.Errorf("listen to %s: %w", s, err)
		}
	}
	return stop, nil
}

// Serve answers Fetch of others with what block returns, which is nil for a block that is not there, until stop. It is
// not called concurrently.
func (p *Peers) Serve(block func(height uint64) []byte) (stop func(), err error) {
	var last uint64 // asked for chunk by chunk
	var data []byte
	sub, err := p.b.nc.Subscribe(subject(fetch, p.epoch, p.self), func(m *nats.Msg) {
		r := canonical.NewReader(m.Data)
		height, chunk := r.U64(), int(r.U32())
		if r.Done() != nil {
			return
		}
		if height != last || data == nil {
			last, data = height, block(height)
		}
		var reply []byte
		chunks := (len(data) + chunkSize - 1) / chunkSize
		if chunk < chunks && chunks <= maxChunks {
			part := data[chunk*chunkSize : min((chunk+1)*chunkSize, len(data))]
			reply = encodeChunk(height, uint32(chunk), uint32(chunks), part)
		}
		if chunk+1 >= chunks {
			data = nil
		}
		_ = m.Respond(reply) // who asks asks again
	})
	if err != nil {
		return nil, fmt.Errorf("serve blocks: %w", err)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}

// Fetch asks a validator for a block: what its Serve gives, or ErrNotFound. It may be anything: the caller verifies.
func (p *Peers) Fetch(ctx context.Context, of string, height uint64) ([]byte, error) {
	of, err := token(of)
	if err != nil {
		return nil, err
	}
	var data []byte
	for i, n := uint32(0), uint32(1); i < n; i++ {
		m, err := p.b.nc.RequestWithContext(ctx, subject(fetch, p.epoch, of), canonical.U32(canonical.U64(nil, height), i))
		if errors.Is(err, nats.ErrNoResponders) {
			return nil, fmt.Errorf("block %d from %s, who is not there: %w", height, of, ErrNotFound)
		}
		if err != nil {
			return nil, fmt.Errorf("block %d from %s: %w", height, of, err)
		}
		h, chunk, chunks, part, ok := decodeChunk(m.Data)
		if !ok || h != height || chunk != i || i > 0 && chunks != n {
			return nil, fmt.Errorf("block %d from %s: %w", height, of, ErrNotFound)
		}
		n, data = chunks, append(data, part...)
	}
	return data, nil
}
