package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/quorum"
)

// Block is a certified block as it is kept: everything that was hashed, signed or said of it.
type Block struct {
	Height      uint64
	Header      []byte // raw
	FirstSeq    uint64
	Payloads    [][]byte // the messages FirstSeq, FirstSeq+1, …
	Leaves      [][]byte // entry leaf data, one per message
	Verdicts    [][]byte // verdicts tree leaves
	Subjects    []consensus.SubjectSet
	Certificate quorum.Certificate
}

// Messages returns the block's messages as consensus takes them.
func (b *Block) Messages() []consensus.Message {
	m := make([]consensus.Message, len(b.Payloads))
	for i, p := range b.Payloads {
		m[i] = consensus.Message{Seq: b.FirstSeq + uint64(i), Payload: p}
	}
	return m
}

// Record returns the block as followers get it.
func (b *Block) Record() *consensus.BlockRecord {
	return &consensus.BlockRecord{Header: b.Header, Entries: b.Leaves, Verdicts: b.Verdicts, Certificate: b.Certificate}
}

// Errors of a BlockStore.
var (
	ErrGap      = errors.New("store: not the next block")
	ErrNotFound = errors.New("store: no such block")
)

// A BlockStore keeps certified blocks, heights 1 and up. Append must be durable when it returns, and must fail with
// ErrGap unless b.Height is the next height; a block that Append refused is not there, unless the error was of the
// disk, when it may or may not be. At fails with ErrNotFound above the head and with ErrCorrupt rather than return
// anything but what was appended. Blocks given or returned are not changed by either side. Methods may be called
// concurrently.
type BlockStore interface {
	Append(ctx context.Context, b *Block) error
	At(ctx context.Context, height uint64) (*Block, error)
	Head() uint64 // 0: empty
}

// Blocks is the BlockStore on disk: a Log of Whole records, and in memory the offset of each.
type Blocks struct {
	log *Log

	appending sync.Mutex   // held during Append: one at a time
	mu        sync.RWMutex // guards offsets
	offsets   []uint64     // of height i+1
}

var _ BlockStore = (*Blocks)(nil)

// OpenBlocks opens or creates the blocks in dir. It reads the heads of the records only.
func OpenBlocks(dir string, o LogOptions) (*Blocks, error) {
	l, err := OpenLog(dir, o)
	if err != nil {
		return nil, err
	}
	b := &Blocks{log: l}
	err = l.Scan(0, 8, func(offset uint64, r Record) error {
		height := uint64(len(b.offsets)) + 1
		if r.Type != Whole || len(r.Data) != 8 || binary.BigEndian.Uint64(r.Data) != height {
			return fmt.Errorf("%w: log %s holds something else than block %d at offset %d", ErrCorrupt, dir, height, offset)
		}
		b.offsets = append(b.offsets, offset)
		return nil
	})
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open blocks: %w", err)
	}
	return b, nil
}

// Close closes the files.
func (s *Blocks) Close() error { return s.log.Close() }

// Head implements BlockStore.
func (s *Blocks) Head() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return uint64(len(s.offsets))
}

// Append implements BlockStore.
func (s *Blocks) Append(ctx context.Context, b *Block) error {
	s.appending.Lock()
	defer s.appending.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if head := s.Head(); b.Height != head+1 {
		return fmt.Errorf("append block %d after %d: %w", b.Height, head, ErrGap)
	}
	offsets, err := s.log.Append(true, Record{Whole, b.encode()})
	if err != nil {
		return fmt.Errorf("append block %d: %w", b.Height, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offsets = append(s.offsets, offsets[0])
	return nil
}

// At implements BlockStore.
func (s *Blocks) At(_ context.Context, height uint64) (*Block, error) { return s.Read(height) }

// Read is At: a local file needs no context.
func (s *Blocks) Read(height uint64) (*Block, error) {
	s.mu.RLock()
	if height == 0 || height > uint64(len(s.offsets)) {
		s.mu.RUnlock()
		return nil, fmt.Errorf("block %d: %w", height, ErrNotFound)
	}
	offset := s.offsets[height-1]
	s.mu.RUnlock()
	r, err := s.log.ReadAt(offset)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	b, err := decodeBlock(r.Data)
	if err == nil && b.Height != height {
		err = fmt.Errorf("%w: it says that it is block %d", ErrCorrupt, b.Height)
	}
	if err != nil {
		return nil, fmt.Errorf("block %d: %w", height, err)
	}
	return b, nil
}

// The stored form: u64 height || u8 form || rest; form 1 is plain, form 2 zstd. Height comes first and plain, for the
// index. Submissions compress to about half, serials and hashes being random and the rest repeating.
//
//	str32 header || u64 first sequence || u32 n × (str16 leaf, str32 payload) || u32 n × str16 verdict
//	|| u32 n × subject set || certificate
//	subject set = u32 leaf || u32 n × (str16 key, str8 salt, u32 index)
const (
	formPlain = 1
	formZstd  = 2

	compressFrom = 512
	maxDecoded   = 256 << 20
)

var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
		if err != nil {
			panic(err) // only for options that do not exist
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxDecoded))
		if err != nil {
			panic(err) // only for options that do not exist
		}
		return d
	})
)

func (b *Block) encode() []byte {
	size := 64 + len(b.Header)
	for i, p := range b.Payloads {
		size += 6 + len(p) + len(b.Leaves[i])
	}
	for _, v := range b.Verdicts {
		size += 2 + len(v)
	}
	rest := canonical.Str32(make([]byte, 0, size), b.Header)
	rest = canonical.U32(canonical.U64(rest, b.FirstSeq), uint32(len(b.Payloads)))
	for i, p := range b.Payloads {
		rest = canonical.Str32(canonical.Str16(rest, b.Leaves[i]), p)
	}
	rest = canonical.U32(rest, uint32(len(b.Verdicts)))
	for _, v := range b.Verdicts {
		rest = canonical.Str16(rest, v)
	}
	rest = canonical.U32(rest, uint32(len(b.Subjects)))
	for _, s := range b.Subjects {
		rest = canonical.U32(canonical.U32(rest, s.Leaf), uint32(len(s.Keys)))
		for i, k := range s.Keys {
			rest = canonical.U32(canonical.Str8(canonical.Str16(rest, k), s.Salts[i]), s.Index[i])
		}
	}
	rest = append(rest, b.Certificate.Encode()...)
	out := canonical.U64(make([]byte, 0, 9+len(rest)), b.Height)
	if len(rest) < compressFrom {
		return append(append(out, formPlain), rest...)
	}
	return encoder().EncodeAll(rest, append(out, formZstd))
}

func decodeBlock(raw []byte) (*Block, error) {
	r := canonical.NewReader(raw)
	b := &Block{Height: r.U64()}
	switch form := r.U8(); {
	case r.Err() != nil:
	case form == formPlain:
	case form == formZstd:
		rest, err := decoder().DecodeAll(r.Rest(), nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		r = canonical.NewReader(rest)
	default:
		return nil, fmt.Errorf("%w: stored form %d", ErrCorrupt, form)
	}
	// count bounds what a wrong number could make us allocate by what is there.
	count := func(least int) int {
		n := int(r.U32())
		if n*least > r.Len() {
			r.Fail(canonical.ErrShort)
			return 0
		}
		return n
	}
	b.Header = r.Str32()
	b.FirstSeq = r.U64()
	n := count(6)
	b.Payloads, b.Leaves = make([][]byte, n), make([][]byte, n)
	for i := range n {
		b.Leaves[i], b.Payloads[i] = r.Str16(), r.Str32()
	}
	b.Verdicts = make([][]byte, count(2))
	for i := range b.Verdicts {
		b.Verdicts[i] = r.Str16()
	}
	b.Subjects = make([]consensus.SubjectSet, count(8))
	for i := range b.Subjects {
		s := &b.Subjects[i]
		s.Leaf = r.U32()
		n := count(7)
		s.Keys, s.Salts, s.Index = make([]string, n), make([][]byte, n), make([]uint32, n)
		for k := range n {
			s.Keys[k], s.Salts[k], s.Index[k] = string(r.Str16()), r.Str8(), r.U32()
		}
	}
	b.Certificate = quorum.ReadCertificate(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return b, nil
}
