package consensus_test

import (
	"bytes"
	"encoding/binary"
	"slices"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/quorum"
)

// --- promises of the protocol

func (s *sim) sendVote(n *simNode, payload []byte) {
	v, by, err := s.g.Validators.OpenVote(s.g.Network, payload)
	if err != nil {
		s.fail("%s sends a bad vote: %v", n.name(), err)
		return
	}
	if by == n.i && !n.liar {
		slot := simSlot{by, v.Vote.Height, v.Vote.Round, v.Vote.Kind}
		if had, ok := s.votes[slot]; ok && had != v.Vote.Header {
			s.fail("%s votes twice: %s at height %d, round %d", n.name(), v.Vote.Kind, v.Vote.Height, v.Vote.Round)
		}
		_, again := s.votes[slot]
		s.votes[slot] = v.Vote.Header
		if s.sabotage != "sync" && !slices.ContainsFunc(n.journal[:n.durable], func(p consensus.Persist) bool { return bytes.Contains(p.Record, payload) }) {
			s.fail("%s sends a vote that is not durable", n.name())
		}
		s.remember(slot, v)
		if !again {
			s.lie(v)
		}
	}
	if n.liar && by == n.i && s.chance(50) {
		return
	}
	s.send(n, consensus.Everyone, consensus.VoteReceived{Payload: payload})
}

func (s *sim) checkCosigned(n *simNode, height uint64, header canonical.Hash) {
	if had, ok := s.cosigned[simCosigned{n.i, height}]; ok && had != header {
		s.fail("%s cosigns two headers of height %d", n.name(), height)
	}
	s.cosigned[simCosigned{n.i, height}] = header
	for i := range s.nodes {
		if had, ok := s.cosigned[simCosigned{i, height}]; ok && had != header {
			s.fail("%s and v%d cosign different headers of height %d", n.name(), i+1, height)
		}
	}
}

func (s *sim) decided(n *simNode, d consensus.Decided) {
	h := d.Result.Header.Height
	s.trace.Write(d.Result.Raw)
	if head, _ := consensus.ReadHead(n.store); h <= head.Header.Height {
		s.fail("%s decides height %d over %d", n.name(), h, head.Header.Height)
		return
	}
	n.store.Apply(d.Result.Writes)
	s.enter(n, int64(s.rng.IntN(10)), func() { s.step(n, consensus.Applied{Height: h}) })
	root, _, err := consensus.LogRoot(n.store, h+1, nil)
	if err == nil {
		err = s.g.Validators.Check(quorum.Checkpoint{Origin: s.g.Origin(), Size: h + 1, Root: root}, d.Certificate)
	}
	if err != nil {
		s.fail("%s decides height %d without a certificate: %v", n.name(), h, err)
	}
	switch {
	case h > uint64(len(s.chain))+1:
		s.fail("%s decides height %d, but nobody %d", n.name(), h, h-1)
	case h == uint64(len(s.chain))+1:
		b := certifiedBlock{record: d.Result.Record(d.Certificate), header: d.Result.Hash}
		for _, e := range d.Result.Entries {
			b.messages = append(b.messages, s.w.message(int(e.Seq), e.Payload))
			if e.Kind == block.Submission && e.Code == "" {
				b.subs++
			}
		}
		if h > 1 {
			b.subs += s.chain[h-2].subs
		}
		s.chain = append(s.chain, b)
		s.say("block %d: messages %d to %d", h, d.Result.Header.FirstSeq, d.Result.Header.LastSeq)
	case s.chain[h-1].header != d.Result.Hash:
		s.fail("two certificates at height %d", h)
	}
}

// --- liars

func (s *sim) remember(slot simSlot, v quorum.SignedVote) {
	key := slot
	key.validator = 0
	if s.castVotes[key] == nil {
		s.castVotes[key] = map[canonical.Hash][]quorum.Signature{}
	}
	m := s.castVotes[key]
	if !slices.ContainsFunc(m[v.Vote.Header], func(sig quorum.Signature) bool { return int(sig.Validator) == slot.validator }) {
		m[v.Vote.Header] = append(m[v.Vote.Header], quorum.Signature{Validator: uint16(slot.validator), Signature: v.Signature})
	}
}

// lie lets every liar support what an honest validator has just voted for, towards some: so it votes for everything that
// anybody votes for. When it is its turn to propose, it proposes to each what it likes.
func (s *sim) lie(v quorum.SignedVote) {
	for _, l := range s.nodes {
		if !l.liar || !l.up || !s.chance(80) {
			continue
		}
		if favourite, ok := s.favourite(v.Vote.Height); ok && v.Vote.Round > 0 && v.Vote.Header != favourite {
			s.proposeSoon(l, &v.Vote)
			continue
		}
		mine, err := quorum.SignVote(s.g.Network, quorum.Vote{
			Epoch: v.Vote.Epoch, Height: v.Vote.Height, Round: v.Vote.Round, Kind: v.Vote.Kind, Nil: v.Vote.Nil, Header: v.Vote.Header,
		}, s.key(l.i, "vote"))
		if err != nil {
			s.tb.Fatal(err)
		}
		s.remember(simSlot{l.i, v.Vote.Height, v.Vote.Round, v.Vote.Kind}, mine)
		for _, n := range s.nodes {
			if s.chance(60) {
				s.send(l, n.i, consensus.VoteReceived{Payload: mine.Payload()})
			}
		}
		s.proposeSoon(l, &v.Vote)
	}
}

func (s *sim) proposeSoon(l *simNode, v *quorum.Vote) {
	round := v.Round + 1
	if v.Kind == quorum.Commit && int(v.Height+uint64(round))%len(s.nodes) == l.i {
		s.after(s.delay(), func() { s.proposeLies(l, v.Height, round) })
	}
}

// favourite is what liars want to see decided at every other height: of the values cut in round 0, one that few voted for.
func (s *sim) favourite(height uint64) (header canonical.Hash, ok bool) {
	if height%2 == 0 {
		return header, false
	}
	fewest := len(s.nodes) + 1
	for h, votes := range s.castVotes[simSlot{0, height, 0, quorum.Prepare}] {
		if n := len(votes); h != (canonical.Hash{}) && (n < fewest || n == fewest && bytes.Compare(h[:], header[:]) < 0) {
			header, fewest, ok = h, n, true
		}
	}
	return header, ok
}

// twist makes a liar give away other bodies than the one that was asked for.
func (s *sim) twist(n *simNode, payload []byte) []byte {
	const header = 1 + len("verilot/chunk") + 2 + 16 + 4 + 8
	if !n.liar || !bytes.HasPrefix(payload[1:], []byte("verilot/chunk")) || s.chance(50) {
		return payload
	}
	height := binary.BigEndian.Uint64(payload[header-8:])
	seq := n.core.Head().Header.LastSeq + 1
	_, chunks, err := consensus.Chunks(s.g.Network, height, canonical.Hash(payload[header:header+32]), []consensus.Message{{Seq: seq, Payload: []byte("a lie")}}, s.key(n.i, "vote"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return chunks[0]
}

func (s *sim) proposeLies(l *simNode, height uint64, round uint32) {
	for r := range round {
		votes := s.castVotes[simSlot{0, height, r, quorum.Prepare}]
		for _, header := range slices.SortedFunc(mapKeys(votes), func(a, b canonical.Hash) int { return bytes.Compare(a[:], b[:]) }) {
			sigs := slices.SortedFunc(slices.Values(votes[header]), func(a, b quorum.Signature) int { return int(a.Validator) - int(b.Validator) })
			b := &quorum.Bundle{Epoch: 1, Height: height, Kind: quorum.Prepare, Header: header, Votes: sigs}
			valid := r
			if len(sigs) < s.g.Validators.Quorum() {
				valid = consensus.NoRound
			}
			if favourite, ok := s.favourite(height); header == (canonical.Hash{}) || valid == consensus.NoRound && r > 0 || ok && favourite != header {
				continue
			}
			payload, err := consensus.Proposal(s.g.Network, b, round, valid, s.key(l.i, "vote"))
			if err != nil {
				s.tb.Fatal(err)
			}
			for _, n := range s.nodes {
				if s.chance(50) {
					s.send(l, n.i, consensus.PeerReceived{Payload: payload})
				}
			}
		}
	}
}

func mapKeys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
