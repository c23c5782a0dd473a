// Package block is the bytes of a block: entries, header, verdicts tree, effects, and the validators' own stream
// messages (docs/spec.md sections 6, 7 and 9).
//
// Decoders are strict: for every structure encode(decode(x)) == x. They say that bytes are well formed, never that
// they are true; [Check] says that the leaves are those of a header, and a certificate that the header counts.
package block

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/merkle"
)

// Kind of an entry (spec section 7.1).
type Kind uint8

// The entry kinds.
const (
	NotOpened Kind = iota
	EpochRecord
	Submission
	Cut
	Tick
	Heartbeat
)

// String is the kind's name on screens.
func (k Kind) String() string {
	if names := [...]string{"not opened", "epoch record", "submission", "cut", "tick", "heartbeat"}; int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Header of spec section 7.2.
type Header struct {
	Epoch             uint32
	Height            uint64
	Parent            canonical.Hash
	FirstSeq, LastSeq uint64
	Time              int64
	EntriesRoot       canonical.Hash
	VerdictsRoot      canonical.Hash
	VerdictLeaves     uint32
	Events            uint32
	StateKind         uint8
	StateRoot         canonical.Hash
	Validators        canonical.Hash
	NextValidators    canonical.Hash
	RulesVersion      uint32
}

// StateKind1 is the one kind of state root that version 1 of the header knows.
const StateKind1 = 1

// Entries is the number of leaves in the entries tree: none in block 0.
func (h *Header) Entries() uint64 {
	if h.LastSeq == 0 {
		return 0
	}
	return h.LastSeq - h.FirstSeq + 1
}

// Encode is the header's bytes.
func (h *Header) Encode(n canonical.Network) []byte {
	b := canonical.AppendTag(make([]byte, 0, 320), n, "header")
	b = canonical.U32(b, h.Epoch)
	b = canonical.U64(b, h.Height)
	b = append(b, h.Parent[:]...)
	b = canonical.U64(b, h.FirstSeq)
	b = canonical.U64(b, h.LastSeq)
	b = canonical.I64(b, h.Time)
	b = append(b, h.EntriesRoot[:]...)
	b = append(b, h.VerdictsRoot[:]...)
	b = canonical.U32(b, h.VerdictLeaves)
	b = canonical.U32(b, h.Events)
	b = canonical.U8(b, h.StateKind)
	b = append(b, h.StateRoot[:]...)
	b = append(b, h.Validators[:]...)
	b = append(b, h.NextValidators[:]...)
	return canonical.U32(b, h.RulesVersion)
}

// DecodeHeader reads exactly what Encode wrote.
func DecodeHeader(n canonical.Network, b []byte) (Header, error) {
	r := canonical.NewReader(b)
	r.Tag(n, "header")
	h := Header{
		Epoch:    r.U32(),
		Height:   r.U64(),
		Parent:   r.Hash(),
		FirstSeq: r.U64(), LastSeq: r.U64(),
		Time:           r.I64(),
		EntriesRoot:    r.Hash(),
		VerdictsRoot:   r.Hash(),
		VerdictLeaves:  r.U32(),
		Events:         r.U32(),
		StateKind:      r.U8(),
		StateRoot:      r.Hash(),
		Validators:     r.Hash(),
		NextValidators: r.Hash(),
		RulesVersion:   r.U32(),
	}
	if err := r.Done(); err != nil {
		return Header{}, fmt.Errorf("block: header: %w", err)
	}
	if err := h.check(); err != nil {
		return Header{}, err
	}
	return h, nil
}

func (h *Header) check() error {
	switch {
	case h.StateKind != StateKind1:
		return fmt.Errorf("block: state root kind %d: %w", h.StateKind, canonical.ErrRange)
	case h.Height == 0 && (h.FirstSeq != 0 || h.LastSeq != 0):
		return fmt.Errorf("block: block 0 has no entries: %w", canonical.ErrRange)
	case h.Height > 0 && (h.FirstSeq == 0 || h.LastSeq < h.FirstSeq):
		return fmt.Errorf("block: sequences %d to %d: %w", h.FirstSeq, h.LastSeq, canonical.ErrRange)
	case h.LastSeq-h.FirstSeq >= math.MaxUint32: // entry indexes are u32, and the last one stands for something else
		return fmt.Errorf("block: too many entries: %w", canonical.ErrRange)
	}
	return nil
}

// HeaderHash is the leaf hash of header bytes.
func HeaderHash(raw []byte) canonical.Hash { return merkle.LeafHash(raw) }

// EntryLeaf is the leaf data of an entry that opened: signed are its header bytes.
func EntryLeaf(n canonical.Network, seq uint64, kind Kind, signed []byte, sig [64]byte) []byte {
	// The bytes before signed come from the stack, and sha256 sees signed in place: a leaf costs one small allocation.
	var scratch [64]byte
	pre := canonical.U32(canonical.AppendTag(scratch[:0], n, "entry"), uint32(len(signed)))
	h := sha256.New()
	h.Write(pre)
	h.Write(signed)
	h.Write(sig[:])
	return appendSum(seq, kind, h.Sum)
}

// NotOpenedLeaf is the leaf data of kind 0.
func NotOpenedLeaf(n canonical.Network, seq uint64, payload []byte) []byte {
	var scratch [64]byte
	pre := canonical.U32(canonical.AppendTag(scratch[:0], n, "entry"), uint32(len(payload)))
	h := sha256.New()
	h.Write(pre)
	h.Write(payload)
	return appendSum(seq, NotOpened, h.Sum)
}

// entryLeafSize is u64 sequence || u8 kind || hash.
const entryLeafSize = 8 + 1 + 32

func appendSum(seq uint64, kind Kind, sum func([]byte) []byte) []byte {
	return sum(canonical.U8(canonical.U64(make([]byte, 0, entryLeafSize), seq), uint8(kind)))
}

// SplitEntryLeaf reads what EntryLeaf or NotOpenedLeaf wrote.
func SplitEntryLeaf(leaf []byte) (seq uint64, kind Kind, hash canonical.Hash, err error) {
	r := canonical.NewReader(leaf)
	seq, kind, hash = r.U64(), Kind(r.U8()), r.Hash()
	if kind > Heartbeat {
		r.Fail(canonical.ErrRange)
	}
	return seq, kind, hash, r.Done()
}

// Root is MTH over leaf data.
func Root(leaves [][]byte) canonical.Hash {
	hashes := make([]canonical.Hash, len(leaves))
	for i, l := range leaves {
		hashes[i] = merkle.LeafHash(l)
	}
	return merkle.Root(hashes)
}

// Check recomputes both roots of a header from the leaf data of its entries and verdicts: sequences without a gap,
// verdict leaves well formed and of this block.
func Check(h *Header, entries, verdicts [][]byte) error {
	if uint64(len(entries)) != h.Entries() {
		return fmt.Errorf("block %d: %d entries, header says %d", h.Height, len(entries), h.Entries())
	}
	for i, leaf := range entries {
		if len(leaf) != entryLeafSize || binary.BigEndian.Uint64(leaf) != h.FirstSeq+uint64(i) {
			return fmt.Errorf("block %d: entry %d is not the leaf of sequence %d", h.Height, i, h.FirstSeq+uint64(i))
		}
	}
	if len(verdicts) != int(h.VerdictLeaves) {
		return fmt.Errorf("block %d: %d verdict leaves, header says %d", h.Height, len(verdicts), h.VerdictLeaves)
	}
	for i, leaf := range verdicts {
		v, err := DecodeVerdictLeaf(leaf)
		if err != nil {
			return fmt.Errorf("block %d: verdict leaf %d: %w", h.Height, i, err)
		}
		if at := LeafHeight(v); at != h.Height {
			return fmt.Errorf("block %d: verdict leaf %d is of block %d", h.Height, i, at)
		}
	}
	if Root(entries) != h.EntriesRoot {
		return fmt.Errorf("block %d: %w", h.Height, ErrEntriesRoot)
	}
	if Root(verdicts) != h.VerdictsRoot {
		return fmt.Errorf("block %d: %w", h.Height, ErrVerdictsRoot)
	}
	return nil
}

// Errors of Check.
var (
	ErrEntriesRoot  = errors.New("entries root differs from the header's")
	ErrVerdictsRoot = errors.New("verdicts root differs from the header's")
)

// StateRoot is S_h of spec section 9.
func StateRoot(n canonical.Network, prev canonical.Hash, effects [][]byte) canonical.Hash {
	root := Root(effects)
	return canonical.Sum(n, "state", prev[:], root[:])
}
