// Package storetest is one suite for every store.BlockStore, and a BlockStore in memory for tests of its users, which
// checks that they keep their side of the contract.
//
// Trust: none; it exists to distrust others.
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/quorum"
	"verilot.dev/services/internal/node/store"
)

// Memory is a BlockStore in memory. It fails the test when a caller changes a block that it gave or got.
type Memory struct {
	// Strict also fails the test on a gap, for callers that never ask for one.
	Strict bool
	// Fail, if set, is asked before and after each block is kept; its error is Append's.
	Fail func(height uint64, after bool) error

	tb     testing.TB
	mu     sync.Mutex // guards blocks and prints
	blocks []*store.Block
	prints [][]byte
}

var _ store.BlockStore = (*Memory)(nil)

// NewMemory returns an empty store that reports to tb, at its end at the latest.
func NewMemory(tb testing.TB) *Memory {
	tb.Helper()
	m := &Memory{tb: tb}
	tb.Cleanup(func() {
		for h := range m.blocks {
			m.check(h)
		}
	})
	return m
}

func (m *Memory) check(i int) {
	if p := fingerprint(m.blocks[i]); !bytes.Equal(p, m.prints[i]) {
		m.tb.Errorf("block %d was changed after it was stored", i+1)
	}
}

func fingerprint(b *store.Block) []byte {
	p, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return p
}

// Head implements store.BlockStore.
func (m *Memory) Head() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.blocks))
}

// Append implements store.BlockStore.
func (m *Memory) Append(ctx context.Context, b *store.Block) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if head := uint64(len(m.blocks)); b.Height != head+1 {
		if m.Strict {
			m.tb.Errorf("append block %d after %d", b.Height, head)
		}
		return fmt.Errorf("append block %d after %d: %w", b.Height, head, store.ErrGap)
	}
	if m.Fail != nil {
		if err := m.Fail(b.Height, false); err != nil {
			return err
		}
	}
	m.blocks, m.prints = append(m.blocks, b), append(m.prints, fingerprint(b))
	if m.Fail != nil {
		return m.Fail(b.Height, true)
	}
	return nil
}

// At implements store.BlockStore.
func (m *Memory) At(_ context.Context, height uint64) (*store.Block, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if height == 0 || height > uint64(len(m.blocks)) {
		return nil, fmt.Errorf("block %d: %w", height, store.ErrNotFound)
	}
	m.check(int(height) - 1)
	return m.blocks[height-1], nil
}

// Block makes up a block. Its hashes prove nothing.
func Block(height uint64, messages int) *store.Block {
	b := &store.Block{
		Height:   height,
		Header:   fmt.Appendf(nil, "header %d", height),
		FirstSeq: 100 * height,
		Payloads: [][]byte{},
		Leaves:   [][]byte{},
		Verdicts: [][]byte{},
		Subjects: []consensus.SubjectSet{{
			Leaf: 3, Keys: []string{"010030001234567821" + fmt.Sprint(height)}, Salts: [][]byte{{1, 2, 3}}, Index: []uint32{0},
		}},
		Certificate: quorum.Certificate{{Validator: 1, Time: height, Signature: [64]byte{7}}},
	}
	for i := range messages {
		b.Payloads = append(b.Payloads, fmt.Appendf(nil, "message %d of block %d", i, height))
		b.Leaves = append(b.Leaves, fmt.Appendf(nil, "leaf %d", i))
		b.Verdicts = append(b.Verdicts, fmt.Appendf(nil, "verdict %d", i))
	}
	return b
}

// Run holds a BlockStore to its contract. open returns the same store each time it is called in one test; a store that
// keeps nothing when closed returns reopen false.
func Run(t *testing.T, open func(t *testing.T) func() (s store.BlockStore, reopen bool)) {
	t.Helper()
	t.Run("empty", func(t *testing.T) {
		s, _ := open(t)()
		if s.Head() != 0 {
			t.Errorf("head %d", s.Head())
		}
		for _, h := range []uint64{0, 1, 1 << 60} {
			if _, err := s.At(t.Context(), h); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("block %d: %v", h, err)
			}
		}
	})
	t.Run("keeps what it is given, in order only", func(t *testing.T) {
		again := open(t)
		s, _ := again()
		for h := uint64(1); h <= 20; h++ {
			for _, wrong := range []uint64{0, h - 1, h + 1} {
				if err := s.Append(t.Context(), Block(wrong, 1)); !errors.Is(err, store.ErrGap) {
					t.Fatalf("append %d after %d: %v", wrong, h-1, err)
				}
			}
			if err := s.Append(t.Context(), Block(h, int(h*h))); err != nil {
				t.Fatal(err)
			}
			if s.Head() != h {
				t.Fatalf("head %d after %d", s.Head(), h)
			}
		}
		for range 2 {
			for h := uint64(1); h <= 20; h++ {
				got, err := s.At(t.Context(), h)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(Block(h, int(h*h)), got); d != "" {
					t.Fatalf("block %d:\n%s", h, d)
				}
			}
			var kept bool
			if s, kept = again(); !kept {
				return
			}
		}
		if err := s.Append(t.Context(), Block(21, 1)); err != nil || s.Head() != 21 {
			t.Errorf("append after opening again: %v, head %d", err, s.Head())
		}
	})
	t.Run("a cancelled append does nothing", func(t *testing.T) {
		s, _ := open(t)()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Append(ctx, Block(1, 1)); !errors.Is(err, context.Canceled) || s.Head() != 0 {
			t.Errorf("%v, head %d", err, s.Head())
		}
	})
	t.Run("readers beside a writer", func(t *testing.T) {
		s, _ := open(t)()
		var wg sync.WaitGroup
		done := make(chan struct{})
		for range 3 {
			wg.Go(func() {
				for {
					if h := s.Head(); h > 0 {
						if b, err := s.At(t.Context(), h); err != nil || b.Height != h {
							t.Errorf("block %d: %v", h, err)
							return
						}
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for h := uint64(1); h <= 50; h++ {
			if err := s.Append(t.Context(), Block(h, 5)); err != nil {
				t.Error(err)
			}
		}
		close(done)
		wg.Wait()
	})
}
