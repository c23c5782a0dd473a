package consensus

import (
	"errors"
	"fmt"
	"slices"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
)

// RecordKind says what a journal record holds.
type RecordKind uint8

// The journal records of a validator. Their form is this validator's own business: nobody else reads them. Other records of
// a node have the numbers 4 and 5.
const (
	// BodyAndPrepare: the block's messages, its parent and the prepare vote for it, which must become durable together.
	BodyAndPrepare RecordKind = 1 + iota
	// CommitVote: the commit vote, nil or for a recorded body, and the quorum of prepares that it rests on.
	CommitVote
	// Decision: header hash and certificate.
	Decision
	// PrepareVote: a prepare that is nil or for a recorded body.
	PrepareVote RecordKind = 3 + iota
	// BodyAndCommit: what CommitVote holds, and the body.
	BodyAndCommit
	// Adopted: that a block was decided which this validator did not commit to, its body and the quorum of commits.
	Adopted
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
	case PrepareVote:
		return "prepare"
	case BodyAndCommit:
		return "body and commit"
	case Adopted:
		return "adopted"
	}
	return fmt.Sprintf("record kind %d", uint8(k))
}

// recoveredHeight is what the journal says of one height.
type recoveredHeight struct {
	parent  canonical.Hash
	bodies  [][]Message
	votes   []recoveredVote
	adopted *canonical.Hash
	proof   []byte // quorum of commits for adopted; empty if it came with a certificate
	decided canonical.Hash
	cert    quorum.Certificate
}

type recoveredVote struct {
	vote  quorum.SignedVote
	proof []byte
}

func (r *recoveredHeight) vote(round uint32, kind quorum.VoteKind) *quorum.SignedVote {
	for i := range r.votes {
		if v := &r.votes[i].vote; v.Vote.Round == round && v.Vote.Kind == kind {
			return v
		}
	}
	return nil
}

func startRecord(kind RecordKind, height uint64, size int) []byte {
	return canonical.U64(append(make([]byte, 0, 256+size), byte(kind)), height)
}

func recordBody(b []byte, parent canonical.Hash, messages []Message) []byte {
	return appendBody(append(b, parent[:]...), messages)
}

// encodeVote is the record of a vote; messages is nil if the body is recorded already, or the vote is nil.
func encodeVote(v *quorum.SignedVote, parent canonical.Hash, messages []Message, proof []byte) (RecordKind, []byte) {
	kind, size := PrepareVote, len(proof)
	switch {
	case v.Vote.Kind == quorum.Commit && messages == nil:
		kind = CommitVote
	case v.Vote.Kind == quorum.Commit:
		kind = BodyAndCommit
	case messages != nil:
		kind = BodyAndPrepare
	}
	for _, m := range messages {
		size += 4 + len(m.Payload)
	}
	b := startRecord(kind, v.Vote.Height, size)
	if messages != nil {
		b = recordBody(b, parent, messages)
	}
	b = canonical.Str16(b, v.Payload())
	if v.Vote.Kind == quorum.Commit {
		b = canonical.Str32(b, proof)
	}
	return kind, b
}

func encodeAdopted(height uint64, parent, header canonical.Hash, messages []Message, proof []byte) []byte {
	b := recordBody(startRecord(Adopted, height, len(proof)), parent, messages)
	return canonical.Str32(append(b, header[:]...), proof)
}

func encodeDecision(height uint64, header canonical.Hash, cert quorum.Certificate) []byte {
	b := append(startRecord(Decision, height, 0), header[:]...)
	return append(b, cert.Encode()...)
}

// ErrJournal means that the journal does not hold what this validator can have written: it is damaged, or another's.
var ErrJournal = errors.New("consensus: bad journal")

// Recover takes the journal of the last run, in order, before the first Step. The node syncs it first: what it holds counts
// as durable. Records of blocks up to the head are skipped. What was voted stays voted: the recorded bodies are used and the
// recorded votes sent as they are, whatever the stream shows now.
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
	r := canonical.NewReader(b)
	kind, height := RecordKind(r.U8()), r.U64()
	rec := c.journal[height]
	if rec == nil {
		rec = &recoveredHeight{}
	}
	if kind == BodyAndPrepare || kind == BodyAndCommit || kind == Adopted {
		rec.parent = r.Hash()
		body := readBody(r)
		if len(body) == 0 {
			r.Fail(canonical.ErrRange)
		}
		rec.bodies = append(rec.bodies, body)
	}
	var vote, proof []byte
	switch kind {
	case BodyAndPrepare, PrepareVote:
		vote = r.Str16()
	case BodyAndCommit, CommitVote:
		vote, proof = r.Str16(), r.Str32()
	case Adopted:
		h := r.Hash()
		rec.adopted, rec.proof = &h, r.Str32()
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
		if err := c.recoverVote(rec, kind, height, vote, proof); err != nil {
			return err
		}
	}
	if kind == Decision && rec.bodies == nil {
		return errors.New("no body before it")
	}
	c.journal[height] = rec
	return nil
}

func (c *Core) recoverVote(rec *recoveredHeight, kind RecordKind, height uint64, payload, proof []byte) error {
	want := quorum.Prepare
	if kind == CommitVote || kind == BodyAndCommit {
		want = quorum.Commit
	}
	v, by, err := SetAt(c.g, height).OpenVote(c.g.Network, payload)
	switch {
	case err != nil:
		return err
	case by != c.self || v.Vote.Epoch != c.g.Epoch || v.Vote.Height != height:
		return errors.New("vote of another validator, epoch or height")
	case v.Vote.Kind != want || rec.vote(v.Vote.Round, v.Vote.Kind) != nil:
		return errors.New("vote of another kind, or a second one")
	case !v.Vote.Nil && rec.bodies == nil:
		return errors.New("no body before it")
	}
	rec.votes = append(rec.votes, recoveredVote{v, proof})
	return nil
}

// rebuild brings back what the journal says of the next height.
func (c *Core) rebuild() error {
	height := c.head.Header.Height + 1
	rec := c.journal[height]
	if rec == nil {
		return nil
	}
	delete(c.journal, height)
	if rec.bodies != nil && rec.parent != c.head.Hash {
		return fmt.Errorf("%w at height %d: its parent is another block", ErrVoted, height)
	}
	// Messages of this height that came from the stream meanwhile must be the recorded ones.
	taken := slices.Concat(c.ready, c.open, c.backlog)
	var err error
	if c.cutter, err = NewCutter(c.g, c.base()); err != nil {
		return err
	}
	c.open, c.ready, c.backlog = nil, nil, nil
	for _, messages := range rec.bodies {
		cand, err := c.execute(messages)
		if err != nil {
			return err
		}
		cand.recorded = true
	}
	if err := c.resume(rec); err != nil {
		return err
	}
	if rec.cert != nil {
		cand := c.rs.values[rec.decided]
		if cand == nil {
			return fmt.Errorf("%w at height %d", ErrVoted, height)
		}
		if err := c.decide(cand, rec.cert); err != nil {
			return err
		}
	}
	for i := range taken {
		if err := c.arrived(taken[i]); err != nil {
			return err
		}
	}
	return nil
}

// resume goes on with the votes in a journal: they stay as they are, the round is the highest voted in, and the lock that
// of the newest commit.
func (c *Core) resume(rec *recoveredHeight) error {
	rs := c.rs
	for i := range rec.votes {
		v := &rec.votes[i].vote
		if !v.Vote.Nil && rs.values[v.Vote.Header] == nil {
			return fmt.Errorf("%w at height %d", ErrVoted, rs.height)
		}
		rs.castVotes = append(rs.castVotes, &castVote{vote: v})
		if !rs.begun || v.Vote.Round > rs.round {
			c.begin(v.Vote.Round)
		}
		if v.Vote.Kind == quorum.Commit && !v.Vote.Nil {
			if rs.lockedValue == nil || v.Vote.Round > rs.lockedValue.round {
				rs.lockedValue = &roundValue{v.Vote.Round, v.Vote.Header}
			}
			if b, err := quorum.DecodeBundle(c.g.Network, rec.votes[i].proof); err == nil {
				c.acceptQuorum(b)
			}
		}
	}
	if v := rec.vote(0, quorum.Prepare); v != nil && !v.Vote.Nil {
		rs.ownCut = rs.values[v.Vote.Header]
		var err error
		if c.cutter, err = NewCutter(c.g, c.top()); err != nil {
			return err
		}
		c.pacemaker.blockOpened(c)
	}
	if rec.adopted != nil {
		if rs.final = rs.values[*rec.adopted]; rs.final == nil {
			return fmt.Errorf("%w at height %d", ErrVoted, rs.height)
		}
		rs.adopted = true
		if len(rec.proof) > 0 { // none if it came with its certificate
			rs.finalProof = rec.proof
		}
	}
	return nil
}
