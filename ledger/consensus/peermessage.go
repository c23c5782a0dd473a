package consensus

import (
	"crypto"
	"crypto/ed25519"
	"errors"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
)

// What validators send each other besides votes and cosignatures (spec sections 8.4 to 8.6). A decoder says that a message
// is well formed and whose signature it bears; whether what it says counts is for the Core to judge.

// noRound stands for "no valid round" in a proposal.
const noRound = 0xFFFFFFFF

// proposal is a coordinator's word for a round.
type proposal struct {
	epoch      uint32
	height     uint64
	round      uint32
	header     canonical.Hash
	validRound uint32 // noRound: none
	votes      []quorum.Signature
	by         int
}

// bundle is what the proposal rests on.
func (p *proposal) bundle() *quorum.Bundle {
	b := &quorum.Bundle{Epoch: p.epoch, Height: p.height, Kind: quorum.Prepare, Header: p.header, Votes: p.votes}
	if p.validRound != noRound {
		b.Round = p.validRound
	}
	return b
}

func (p *proposal) encode(n canonical.Network, key crypto.Signer) ([]byte, error) {
	b := canonical.AppendTag(make([]byte, 0, 256+66*len(p.votes)), n, "proposal")
	b = canonical.U64(canonical.U32(b, p.epoch), p.height)
	b = append(canonical.U32(b, p.round), p.header[:]...)
	b, err := appendSignature(canonical.U32(b, p.validRound), key)
	if err != nil {
		return nil, err
	}
	return p.bundle().AppendVotes(b), nil
}

// appendSignature appends the signer's key id and its signature over all of b.
func appendSignature(b []byte, key crypto.Signer) ([]byte, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("consensus: not an Ed25519 key")
	}
	id := keys.ID(keys.Vote, pub)
	b = append(b, id[:]...)
	sig, err := key.Sign(nil, b, crypto.Hash(0))
	if err != nil || len(sig) != 64 {
		return nil, errors.Join(errors.New("consensus: signer returned no Ed25519 signature"), err)
	}
	return append(b, sig...), nil
}

// readSigner reads key id and signature behind what r has read of b so far, and returns whose they are; -1 after r.Fail.
func readSigner(set *quorum.Set, b []byte, r *canonical.Reader) int {
	id := r.Hash()
	signed := b[:len(b)-r.Len()]
	sig := r.Bytes(64)
	if r.Err() != nil {
		return -1
	}
	i, ok := set.ByVoteKey(id)
	if !ok || !set.VerifyVoteKey(i, signed, sig) {
		r.Fail(quorum.ErrSignature)
		return -1
	}
	return i
}

func openProposal(g *genesis.Genesis, set *quorum.Set, payload []byte) (*proposal, error) {
	r := canonical.NewReader(payload)
	r.Tag(g.Network, "proposal")
	p := &proposal{epoch: r.U32(), height: r.U64(), round: r.U32(), header: r.Hash(), validRound: r.U32()}
	p.by = readSigner(set, payload, r)
	var b quorum.Bundle
	b.ReadVotes(r)
	p.votes = b.Votes
	if p.round == 0 || p.validRound != noRound && p.validRound >= p.round || p.header == (canonical.Hash{}) {
		r.Fail(canonical.ErrRange)
	}
	return p, r.Done()
}

// What an ask wants.
const (
	askBody  = 1
	askVotes = 2
)

// everyone as the validator asked.
const everyone = 0xFFFF

type ask struct {
	what   uint8
	epoch  uint32
	height uint64
	header canonical.Hash
	to     uint16
	by     int
}

func (a *ask) encode(n canonical.Network, key crypto.Signer) ([]byte, error) {
	b := canonical.U8(canonical.AppendTag(make([]byte, 0, 256), n, "ask"), a.what)
	b = canonical.U64(canonical.U32(b, a.epoch), a.height)
	return appendSignature(canonical.U16(append(b, a.header[:]...), a.to), key)
}

func openAsk(g *genesis.Genesis, set *quorum.Set, payload []byte) (*ask, error) {
	r := canonical.NewReader(payload)
	r.Tag(g.Network, "ask")
	a := &ask{what: r.U8(), epoch: r.U32(), height: r.U64(), header: r.Hash(), to: r.U16()}
	a.by = readSigner(set, payload, r)
	if a.what != askBody && a.what != askVotes || (a.what == askVotes) != (a.header == canonical.Hash{}) {
		r.Fail(canonical.ErrRange)
	}
	return a, r.Done()
}

// Bodies travel in chunks that leave room in a message of 1 MiB.
const (
	chunkSize = 512 << 10
	maxChunks = 64
)

type chunk struct {
	epoch        uint32
	height       uint64
	header       canonical.Hash
	index, count uint16
	data         []byte
	by           int
}

func (c *chunk) encode(n canonical.Network, key crypto.Signer) ([]byte, error) {
	b := canonical.AppendTag(make([]byte, 0, 256+len(c.data)), n, "chunk")
	b = canonical.U64(canonical.U32(b, c.epoch), c.height)
	b = append(b, c.header[:]...)
	return appendSignature(canonical.Str32(canonical.U16(canonical.U16(b, c.index), c.count), c.data), key)
}

func openChunk(g *genesis.Genesis, set *quorum.Set, payload []byte) (*chunk, error) {
	r := canonical.NewReader(payload)
	r.Tag(g.Network, "chunk")
	c := &chunk{epoch: r.U32(), height: r.U64(), header: r.Hash(), index: r.U16(), count: r.U16(), data: r.Str32()}
	c.by = readSigner(set, payload, r)
	if c.count == 0 || c.count > maxChunks || c.index >= c.count ||
		len(c.data) > chunkSize || c.index+1 < c.count && len(c.data) != chunkSize {
		r.Fail(canonical.ErrRange)
	}
	return c, r.Done()
}

// appendBody appends u64 first sequence, u32 n, n x str32 payload.
func appendBody(b []byte, messages []Message) []byte {
	b = canonical.U64(b, messages[0].Seq)
	b = canonical.U32(b, uint32(len(messages)))
	for _, m := range messages {
		b = canonical.Str32(b, m.Payload)
	}
	return b
}

// readBody reads what appendBody wrote.
func readBody(r *canonical.Reader) []Message {
	seq := r.U64()
	n := int(r.U32())
	if 4*n > r.Len() {
		r.Fail(canonical.ErrShort)
		return nil
	}
	messages := make([]Message, n)
	for i := range messages {
		messages[i] = Message{Seq: seq + uint64(i), Payload: r.Str32()}
	}
	return messages
}

func encodeBodyBytes(messages []Message) []byte {
	size := 12
	for _, m := range messages {
		size += 4 + len(m.Payload)
	}
	return appendBody(make([]byte, 0, size), messages)
}

func decodeBodyBytes(b []byte) ([]Message, error) {
	r := canonical.NewReader(b)
	m := readBody(r)
	if err := r.Done(); err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, canonical.ErrRange
	}
	return m, nil
}
