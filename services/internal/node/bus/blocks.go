package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"verilot.dev/ledger/canonical"
)

// A decided block travels as one or more messages of at most chunkSize bytes of record, published as one unit:
//
//	u64 height || u32 chunk || u32 chunks || data
//
// on blocks.v1.<height mod slots>, so that the newest copy of a recent block is found without a search. Nobody trusts a
// position or a height in this stream: what a record claims is checked by whoever takes it.
const (
	chunkSize = 512 << 10
	maxChunks = 256
	slots     = RecentBlocks
)

// RecentBlocks is how far back Block finds a block.
const RecentBlocks = 1024

func blockSubject(height uint64) string {
	return "blocks.v1." + strconv.FormatUint(height%slots, 10)
}

func encodeChunk(height uint64, chunk, chunks uint32, data []byte) []byte {
	b := canonical.U64(make([]byte, 0, 16+len(data)), height)
	return append(canonical.U32(canonical.U32(b, chunk), chunks), data...)
}

func decodeChunk(b []byte) (height uint64, chunk, chunks uint32, data []byte, ok bool) {
	r := canonical.NewReader(b)
	height, chunk, chunks, data = r.U64(), r.U32(), r.U32(), r.Rest()
	ok = r.Done() == nil && chunks >= 1 && chunks <= maxChunks && chunk < chunks && len(data) <= chunkSize
	return height, chunk, chunks, data, ok
}

// PublishBlock appends a decided block.
func (b *Bus) PublishBlock(ctx context.Context, height uint64, record []byte) error {
	chunks := max(1, (len(record)+chunkSize-1)/chunkSize)
	if chunks > maxChunks {
		return fmt.Errorf("block record of %d bytes: %w", len(record), ErrTooLarge)
	}
	msgs := make([]*nats.Msg, chunks)
	for i := range msgs {
		part := record[i*chunkSize : min((i+1)*chunkSize, len(record))]
		msgs[i] = &nats.Msg{
			Subject: blockSubject(height),
			Data:    encodeChunk(height, uint32(i), uint32(chunks), part),
			Header:  nats.Header{},
		}
	}
	var err error
	if chunks == 1 {
		_, err = b.request(ctx, msgs[0])
	} else {
		_, err = b.atomicBatch(ctx, rand.Text(), msgs)
	}
	if err != nil {
		return fmt.Errorf("publish block %d: %w", height, err)
	}
	return nil
}

// Block returns the newest copy of a recent block's record, or ErrNotFound. It may be anything: the caller verifies.
func (b *Bus) Block(ctx context.Context, height uint64) ([]byte, error) {
	m, err := b.newest(ctx, Blocks, blockSubject(height))
	if err != nil {
		return nil, err
	}
	h, last, chunks, _, ok := decodeChunk(m.Data)
	if !ok || h != height || last != chunks-1 || m.Seq < uint64(chunks) {
		return nil, fmt.Errorf("block %d in stream %s: %w", height, Blocks, ErrNotFound)
	}
	var a assembler
	for seq := m.Seq - uint64(last); seq <= m.Seq; seq++ {
		part, err := b.get(ctx, Blocks, seq)
		if err != nil {
			return nil, err
		}
		if r, ok := a.add(part.Seq, part.Data); ok && r.height == height {
			return r.data, nil
		}
	}
	return nil, fmt.Errorf("block %d in stream %s: %w", height, Blocks, ErrNotFound)
}

// NewestBlock is the height that the newest message of BLOCKS claims to be of, 0 if there is none: a hint, no more.
func (b *Bus) NewestBlock(ctx context.Context) (uint64, error) {
	s, err := b.lookup(ctx, Blocks)
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", Blocks, err)
	}
	last := s.CachedInfo().State.LastSeq
	if last == 0 {
		return 0, nil
	}
	m, err := b.get(ctx, Blocks, last)
	if err != nil {
		return 0, err
	}
	height, _, _, _, _ := decodeChunk(m.Data)
	return height, nil
}

// ConsumeBlocks offers handle the records of BLOCKS that claim height from, until it takes one; then those of the
// next height, and so on. Copies may be missing, doubled, out of order or garbage: what does not decode is skipped,
// what handle does not take is skipped, and a late copy of a missing block makes it go back for the ones after it.
func (b *Bus) ConsumeBlocks(ctx context.Context, from uint64, handle func(height uint64, record []byte) (taken bool, err error)) error {
	start, err := b.findBlock(ctx, from)
	for ; err != nil; start, err = b.findBlock(ctx, from) {
		if errors.Is(err, jetstream.ErrStreamNotFound) || b.nc.IsClosed() {
			return err
		}
		b.log.Warn("broker does not answer, will try again", "err", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(500 * time.Millisecond):
		}
	}
	var (
		a       assembler
		next    = from
		guessed = start > 1
		ahead   uint64 // where the first record beyond next began, 0: none seen
	)
	return b.consume(ctx, Blocks, start, nil, func(m Message) error {
		r, ok := a.add(m.Seq, m.Data)
		switch {
		case !ok || r.height < next:
			return nil
		case r.height > next && guessed:
			guessed = false // the search was misled, or block next is not in the stream yet: read all of it once
			a = assembler{}
			return &seekError{1}
		case r.height > next:
			if ahead == 0 {
				ahead = r.first
			}
			return nil
		}
		taken, err := handle(r.height, r.data)
		if err != nil || !taken {
			return err
		}
		next, guessed = next+1, false
		if back := ahead; back != 0 {
			ahead, a = 0, assembler{}
			return &seekError{back}
		}
		return nil
	})
}

// findBlock guesses where to begin reading for height: heights rise along the stream, nearly.
func (b *Bus) findBlock(ctx context.Context, height uint64) (uint64, error) {
	const margin = 256
	s, err := b.lookup(ctx, Blocks)
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", Blocks, err)
	}
	lo, hi := uint64(1), s.CachedInfo().State.LastSeq+1
	for lo < hi && height > 1 {
		mid := lo + (hi-lo)/2
		m, err := b.get(ctx, Blocks, mid)
		if errors.Is(err, ErrNotFound) {
			return 1, nil
		}
		if err != nil {
			return 0, err
		}
		if h, _, _, _, ok := decodeChunk(m.Data); ok && h >= height {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	if height <= 1 || lo <= margin {
		return 1, nil
	}
	return lo - margin, nil
}

// assembler joins the chunks of one record. It keeps at most one unfinished record: a record's chunks are published
// as one unit, so nothing but its own chunks can stand between them.
type assembler struct {
	height        uint64
	first         uint64
	chunk, chunks uint32
	data          []byte
}

type blockRecord struct {
	height, first uint64
	data          []byte
}

func (a *assembler) add(seq uint64, msg []byte) (blockRecord, bool) {
	h, chunk, chunks, data, ok := decodeChunk(msg)
	switch {
	case !ok:
		return blockRecord{}, false
	case chunk == 0:
		*a = assembler{height: h, first: seq, chunks: chunks}
	case h != a.height || chunk != a.chunk || chunks != a.chunks:
		*a = assembler{}
		return blockRecord{}, false
	}
	if a.chunk++; chunks == 1 {
		a.data = data
	} else {
		a.data = append(a.data, data...)
	}
	if a.chunk < chunks {
		return blockRecord{}, false
	}
	r := blockRecord{height: h, first: a.first, data: a.data}
	*a = assembler{}
	return r, true
}
