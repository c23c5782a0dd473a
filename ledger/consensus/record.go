package consensus

import (
	"bytes"
	"errors"
	"fmt"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/state"
)

// A BlockRecord is a certified block without its bodies, as it travels on the BLOCKS stream (spec section 13.1). It is only
// what somebody says until a LightChain or Follow has accepted it.
type BlockRecord struct {
	Header      []byte // raw
	Entries     [][]byte
	Verdicts    [][]byte
	Certificate quorum.Certificate
}

const recordMagic = "VLTB\x01"

// ErrRecord is what every refusal of a BlockRecord wraps, but for the two of position: ErrOld and ErrGap.
var ErrRecord = errors.New("consensus: block record")

// Encode is the binary form of spec section 13.1.
func (b *BlockRecord) Encode() []byte {
	size := len(recordMagic) + 4 + len(b.Header) + 8 + 2 + 74*len(b.Certificate)
	for _, l := range b.Entries {
		size += 2 + len(l)
	}
	for _, l := range b.Verdicts {
		size += 2 + len(l)
	}
	out := append(make([]byte, 0, size), recordMagic...)
	out = canonical.Str32(out, b.Header)
	for _, leaves := range [][][]byte{b.Entries, b.Verdicts} {
		out = canonical.U32(out, uint32(len(leaves)))
		for _, l := range leaves {
			out = canonical.Str16(out, l)
		}
	}
	return append(out, b.Certificate.Encode()...)
}

// DecodeBlockRecord reads what Encode wrote. The record shares the memory of raw.
func DecodeBlockRecord(raw []byte) (*BlockRecord, error) {
	r := canonical.NewReader(raw)
	if magic := r.Bytes(len(recordMagic)); magic != nil && string(magic) != recordMagic {
		r.Fail(canonical.ErrTag)
	}
	b := &BlockRecord{Header: r.Str32()}
	b.Entries, b.Verdicts = readLeaves(r), readLeaves(r)
	b.Certificate = quorum.ReadCertificate(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return b, nil
}

func readLeaves(r *canonical.Reader) [][]byte {
	n := int(r.U32())
	if 2*n > r.Len() { // every leaf has a length, so a stranger cannot make us allocate more than was sent
		r.Fail(canonical.ErrShort)
		return nil
	}
	leaves := make([][]byte, n)
	for i := range leaves {
		leaves[i] = r.Str16()
	}
	return leaves
}

// Record is the block as it is published.
func (r *Result) Record(cert quorum.Certificate) *BlockRecord {
	return &BlockRecord{Header: r.Raw, Entries: r.EntryLeaves(), Verdicts: r.Verdicts, Certificate: cert}
}

// Check decodes the header and recomputes its roots from the leaves. It says nothing about the certificate.
func (b *BlockRecord) Check(g *genesis.Genesis) (block.Header, error) {
	h, err := block.DecodeHeader(g.Network, b.Header)
	if err == nil {
		err = block.Check(&h, b.Entries, b.Verdicts)
	}
	if err != nil {
		return block.Header{}, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return h, nil
}

// CheckCertificate verifies the certificate against the root of one's own header log, of size height + 1.
func (b *BlockRecord) CheckCertificate(g *genesis.Genesis, height uint64, root canonical.Hash) error {
	c := quorum.Checkpoint{Origin: g.Origin(), Size: height + 1, Root: root}
	if err := g.Validators.Check(c, b.Certificate); err != nil {
		return fmt.Errorf("%w of height %d: %w", ErrRecord, height, err)
	}
	return nil
}

// The two refusals that say where a record stands, not that it is bad.
var (
	// ErrOld means that the record's height is not above the head: skip it.
	ErrOld = errors.New("consensus: block is not above the head")
	// ErrGap means that blocks are missing before the record: fetch them first.
	ErrGap = errors.New("consensus: blocks are missing before this one")
)

// next checks that h continues the chain of head. A record that passes may still be a lie of its sender: only the
// certificate makes it true.
func next(g *genesis.Genesis, head *Head, h *block.Header) error {
	p := &head.Header
	set := g.Validators.Hash(g.Network)
	switch {
	case h.Height <= p.Height:
		return fmt.Errorf("%w: height %d, head %d", ErrOld, h.Height, p.Height)
	case h.Height != p.Height+1:
		return fmt.Errorf("%w: height %d, head %d", ErrGap, h.Height, p.Height)
	case h.Parent != head.Hash:
		return fmt.Errorf("%w of height %d: parent is another block", ErrRecord, h.Height)
	case h.Epoch != g.Epoch || h.FirstSeq != p.LastSeq+1 || h.Time < p.Time || h.StateKind != p.StateKind ||
		h.RulesVersion != p.RulesVersion || h.Validators != set || h.NextValidators != set:
		return fmt.Errorf("%w of height %d: header does not continue the chain", ErrRecord, h.Height)
	}
	return nil
}

// Follow executes the bodies of a published block over view (the state after its parent) and accepts it only if every
// byte of its header comes out again and the certificate holds over the resulting header log. The caller gets the messages
// of h.FirstSeq to h.LastSeq from the stream or a peer.
//
// ErrRecord means that the record is bad: wait for a good copy. ErrBodies means that the messages are not those of the
// block: the broker shows another history, get them from a peer. ErrDiverged means that a quorum signed what these rules
// do not give over these very bodies: stop.
func Follow(g *genesis.Genesis, view state.View, b *BlockRecord, messages []Message) (*Result, error) {
	h, err := checkNext(g, view, b)
	if err != nil {
		return nil, err
	}
	if h.FirstSeq != first(messages) || h.Entries() != uint64(len(messages)) {
		return nil, fmt.Errorf("%w: %d from %d, block holds %d to %d", ErrSequence, len(messages), first(messages), h.FirstSeq, h.LastSeq)
	}
	res, err := Execute(g, view, messages)
	if err != nil {
		return nil, err
	}
	for i := range res.Entries {
		if !bytes.Equal(res.Entries[i].Leaf, b.Entries[i]) {
			return nil, fmt.Errorf("%w of height %d: message %d", ErrBodies, h.Height, res.Entries[i].Seq)
		}
	}
	if !bytes.Equal(res.Raw, b.Header) {
		return nil, fmt.Errorf("%w at height %d: %s", ErrDiverged, h.Height, difference(&res.Header, &h))
	}
	return res, nil
}

// Errors of Follow.
var (
	ErrBodies   = errors.New("consensus: message is not the one in the certified block")
	ErrDiverged = errors.New("consensus: certified block differs from ours")
)

func first(m []Message) uint64 {
	if len(m) == 0 {
		return 0
	}
	return m[0].Seq
}

// checkNext checks all of a record that can be checked without bodies.
func checkNext(g *genesis.Genesis, view state.View, b *BlockRecord) (block.Header, error) {
	head, ok := ReadHead(view)
	if !ok {
		return block.Header{}, ErrEmpty
	}
	h, err := block.DecodeHeader(g.Network, b.Header)
	if err != nil {
		return h, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if err := next(g, &head, &h); err != nil {
		return h, err
	}
	if _, err := b.Check(g); err != nil {
		return h, err
	}
	// The head record of this overlay is never read: it exists for the header log's new leaf.
	st := state.NewOverlay(view)
	hash := block.HeaderHash(b.Header)
	if err := putHead(st, g.Network, &Head{Header: h, Raw: b.Header, Hash: hash}); err != nil {
		return h, err
	}
	root, _, err := LogRoot(st, h.Height+1, nil)
	if err != nil {
		return h, err
	}
	return h, b.CheckCertificate(g, h.Height, root)
}

// difference names the first field in which two headers differ.
func difference(ours, theirs *block.Header) string {
	switch {
	case ours.EntriesRoot != theirs.EntriesRoot:
		return "entries root"
	case ours.Time != theirs.Time:
		return "time"
	case ours.VerdictsRoot != theirs.VerdictsRoot:
		return "verdicts root"
	case ours.StateRoot != theirs.StateRoot:
		return "state root"
	}
	return "header"
}

// A LightChain follows certified headers without bodies: it knows every verdict, and that a quorum stands behind it, but
// judges nothing itself. It keeps the head and the header log in its store, under the keys that Execute uses.
type LightChain struct {
	g  *genesis.Genesis
	st state.Store
}

// NewLightChain continues the chain in st, or starts it at block 0.
func NewLightChain(g *genesis.Genesis, st state.Store) (*LightChain, error) {
	if _, ok := ReadHead(st); !ok {
		zero, err := Zero(g)
		if err != nil {
			return nil, err
		}
		if err := putHead(st, g.Network, &Head{Header: zero.Header, Raw: zero.Raw, Hash: zero.Hash}); err != nil {
			return nil, err
		}
	}
	return &LightChain{g: g, st: st}, nil
}

// Head is the newest accepted header.
func (l *LightChain) Head() Head {
	h, _ := ReadHead(l.st)
	return h
}

// Append accepts the next block: parent link, contiguous sequences, roots, and the certificate over the chain's own log.
// Anything else changes nothing; see ErrOld, ErrGap and ErrRecord.
func (l *LightChain) Append(b *BlockRecord) (*CertifiedBlock, error) {
	h, err := checkNext(l.g, l.st, b)
	if err != nil {
		return nil, err
	}
	c, err := certified(h, b)
	if err != nil {
		return nil, err
	}
	return c, putHead(l.st, l.g.Network, &Head{Header: h, Raw: b.Header, Hash: c.Hash})
}

// CertifiedBlock is an accepted BlockRecord. Nothing else makes one.
type CertifiedBlock struct {
	Header block.Header
	Hash   canonical.Hash
	Record *BlockRecord
}

func certified(h block.Header, b *BlockRecord) (*CertifiedBlock, error) {
	c := &CertifiedBlock{Header: h, Hash: block.HeaderHash(b.Header), Record: b}
	leaf := 0
	for ; leaf < len(b.Verdicts); leaf++ {
		if _, ok := entryOf(b.Verdicts[leaf]); ok {
			break
		}
	}
	for i := range b.Entries {
		for ; leaf < len(b.Verdicts); leaf++ {
			if e, ok := entryOf(b.Verdicts[leaf]); !ok || e != uint32(i) {
				break
			}
		}
	}
	if leaf != len(b.Verdicts) {
		// A quorum signed it all the same, so this is no liar's record but a difference of rules.
		return nil, fmt.Errorf("%w at height %d: verdict leaf %d is out of order", ErrDiverged, h.Height, leaf)
	}
	return c, nil
}

// entryOf is the entry that a leaf belongs to, an amendment to that of its cause; false for the amendments of timers.
func entryOf(leaf []byte) (uint32, bool) {
	v, err := block.DecodeVerdictLeaf(leaf)
	if err != nil {
		return 0, false
	}
	switch v := v.(type) {
	case block.Verdict:
		return v.Pos.Entry, true
	case block.Finding:
		return v.Pos.Entry, true
	case block.Amendment:
		return v.Cause.Entry, v.Cause.Entry != canonical.WholeEntry
	}
	return 0, false
}
