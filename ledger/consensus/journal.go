package consensus

import (
	"errors"
	"fmt"

	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/quorum"
)

// RecordKind says what a journal record holds.
type RecordKind uint8

// The journal records of a validator. Their form is this validator's own business: nobody else reads them.
const (
	// BodyAndPrepare: the block's messages, its parent and the prepare vote for it, which must become durable together.
	BodyAndPrepare RecordKind = 1 + iota
	// CommitVote: the commit vote.
	CommitVote
	// Decision: header hash and certificate.
	Decision
)

// String is the kind's name in logs.
func (k RecordKind) String() string {
	switch k {
	case BodyAndPrepare:
		return "body and prepare"
	case CommitVote:
		return "commit"
	case Decision:
		return "decision"
	}
	return fmt.Sprintf("record kind %d", uint8(k))
}

// recorded is what the journal says of one height.
type recorded struct {
	parent   enc.Hash
	messages []Message
	prepare  *quorum.SignedVote
	commit   *quorum.SignedVote
	decided  enc.Hash
	cert     quorum.Certificate
}

func encodeBody(height uint64, parent enc.Hash, messages []Message, prepare *quorum.SignedVote) []byte {
	size := 256
	for _, m := range messages {
		size += 4 + len(m.Payload)
	}
	b := enc.U64(append(make([]byte, 0, size), byte(BodyAndPrepare)), height)
	b = append(b, parent[:]...)
	b = enc.U64(b, messages[0].Seq)
	b = enc.U32(b, uint32(len(messages)))
	for _, m := range messages {
		b = enc.Str32(b, m.Payload)
	}
	return enc.Str16(b, prepare.Payload())
}

func encodeCommit(height uint64, commit *quorum.SignedVote) []byte {
	return enc.Str16(enc.U64([]byte{byte(CommitVote)}, height), commit.Payload())
}

func encodeDecision(height uint64, header enc.Hash, cert quorum.Certificate) []byte {
	b := append(enc.U64([]byte{byte(Decision)}, height), header[:]...)
	return append(b, cert.Encode()...)
}

// ErrJournal means that the journal does not hold what this validator can have written: it is damaged, or another's.
var ErrJournal = errors.New("consensus: bad journal")

// Recover takes the journal of the last run, in order, before the first Step. The node syncs it first: what it holds counts
// as durable. Records of blocks up to the head are skipped. What was voted stays voted: the recorded body is used and the
// recorded vote sent as it is, whatever the stream shows now.
func (c *Core) Recover(records [][]byte) error {
	for i, b := range records {
		if err := c.recoverOne(b); err != nil {
			return fmt.Errorf("%w: record %d: %w", ErrJournal, i, err)
		}
	}
	// Behind a store that was set back, heights would look as if nothing had been voted there.
	if next := c.head.Header.Height + 1; len(c.journal) > 0 && c.journal[next] == nil {
		return fmt.Errorf("%w: it holds nothing of height %d, which is next in the store: one of the two is from another time", ErrJournal, next)
	}
	return nil
}

func (c *Core) recoverOne(b []byte) error {
	r := enc.NewReader(b)
	kind, height := RecordKind(r.U8()), r.U64()
	rec := c.journal[height]
	if rec == nil {
		rec = &recorded{}
	}
	var vote []byte
	switch kind {
	case BodyAndPrepare:
		rec.parent = r.Hash()
		seq := r.U64()
		n := int(r.U32())
		if 4*n > r.Len() {
			return enc.ErrShort
		}
		rec.messages = make([]Message, n)
		for i := range rec.messages {
			rec.messages[i] = Message{Seq: seq + uint64(i), Payload: r.Str32()}
		}
		vote = r.Str16()
	case CommitVote:
		vote = r.Str16()
	case Decision:
		rec.decided = r.Hash()
		rec.cert = quorum.ReadCertificate(r)
	default:
		return fmt.Errorf("unknown kind %d", kind)
	}
	if err := r.Done(); err != nil {
		return err
	}
	if height <= c.head.Header.Height {
		return nil
	}
	if vote != nil {
		v, by, err := c.set.OpenVote(c.g.Network, vote)
		switch {
		case err != nil:
			return err
		case by != c.self || v.Vote.Epoch != c.g.Epoch || v.Vote.Height != height || v.Vote.Round != 0:
			return errors.New("vote of another validator, epoch, height or round")
		case kind == BodyAndPrepare && v.Vote.Kind == quorum.Prepare && rec.prepare == nil:
			rec.prepare = &v
		case kind == CommitVote && v.Vote.Kind == quorum.Commit && rec.commit == nil:
			rec.commit = &v
		default:
			return errors.New("vote of another kind, or a second one")
		}
	}
	if rec.messages == nil {
		return errors.New("no body before it")
	}
	c.journal[height] = rec
	return nil
}
