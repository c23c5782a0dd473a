package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"verilot.dev/services/internal/node/store"
	"verilot.dev/services/internal/node/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBlockStores(t *testing.T) {
	t.Run("disk", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) func() (store.BlockStore, bool) {
			t.Helper()
			dir := t.TempDir()
			var last *store.Blocks
			return func() (store.BlockStore, bool) {
				if last != nil {
					if err := last.Close(); err != nil {
						t.Fatal(err)
					}
				}
				s, err := store.OpenBlocks(dir, store.LogOptions{SegmentSize: 4096})
				if err != nil {
					t.Fatal(err)
				}
				last = s
				t.Cleanup(func() { s.Close() })
				return s, true
			}
		})
	})
	t.Run("memory", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) func() (store.BlockStore, bool) {
			t.Helper()
			m := storetest.NewMemory(t)
			return func() (store.BlockStore, bool) { return m, false }
		})
	})
}

func open(tb testing.TB, dir string, size int64) *store.Log {
	tb.Helper()
	l, err := store.OpenLog(dir, store.LogOptions{SegmentSize: size})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	return l
}

func record(i int) store.Record {
	return store.Record{Type: store.Type(1 + i%5), Data: bytes.Repeat([]byte{byte(i)}, i)}
}

func fill(tb testing.TB, l *store.Log, from, n int) (offsets []uint64) {
	tb.Helper()
	for i := from; i < from+n; i++ {
		o, err := l.Append(i%3 == 0, record(i))
		if err != nil {
			tb.Fatal(err)
		}
		offsets = append(offsets, o...)
	}
	return offsets
}

// contents checks that the log holds the records from..to-1 and returns their offsets.
func contents(t *testing.T, l *store.Log, from, to int) (offsets []uint64) {
	t.Helper()
	i := from
	err := l.Iterate(0, func(o uint64, r store.Record) error {
		if w := record(i); r.Type != w.Type || !bytes.Equal(r.Data, w.Data) {
			t.Fatalf("record %d is of type %d with %d bytes", i, r.Type, len(r.Data))
		}
		i++
		offsets = append(offsets, o)
		return nil
	})
	if err != nil || i != to {
		t.Fatalf("read to record %d, want %d: %v", i, to, err)
	}
	return offsets
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 2000)
	contents(t, l, 0, 0)
	offsets := fill(t, l, 0, 100)
	more, err := l.Append(true, record(100), record(101), record(102))
	if err != nil || len(more) != 3 {
		t.Fatal(more, err)
	}
	offsets = append(offsets, more...)
	for range 2 {
		if got := contents(t, l, 0, 103); !slices.Equal(got, offsets) {
			t.Fatalf("offsets %v, want %v", got, offsets)
		}
		for i, o := range offsets {
			if r, err := l.ReadAt(o); err != nil || !bytes.Equal(r.Data, record(i).Data) {
				t.Fatal(i, err)
			}
		}
		n := 0
		if err := l.Scan(offsets[50], 3, func(o uint64, r store.Record) error {
			if o != offsets[50+n] || !bytes.Equal(r.Data, record(50 + n).Data[:3]) {
				t.Error(o, r)
			}
			n++
			return nil
		}); err != nil || n != 53 {
			t.Error(n, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Append(true, record(1)); err == nil {
			t.Error("append to a closed log")
		}
		l = open(t, dir, 2000)
	}
	if err := l.DropBefore(offsets[60]); err != nil {
		t.Fatal(err)
	}
	if l.First() > offsets[60] || l.First() < offsets[50] {
		t.Errorf("first %d after dropping before %d", l.First(), offsets[60])
	}
	if r, err := l.ReadAt(offsets[60]); err != nil || !bytes.Equal(r.Data, record(60).Data) {
		t.Error(err)
	}
	if _, err := l.ReadAt(offsets[10]); err == nil {
		t.Error("read a dropped record")
	}
	if _, err := l.Append(false, store.Record{Type: 0}); err == nil {
		t.Error("type 0 taken")
	}
	stop := errors.New("stop")
	if err := l.Iterate(0, func(uint64, store.Record) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	// A log of which the head is gone opens where it now begins.
	l.Close()
	l = open(t, dir, 2000)
	if fill(t, l, 103, 1)[0] <= offsets[102] {
		t.Error("offsets went back")
	}
}

// last returns the newest segment of a log.
func last(tb testing.TB, dir string) string {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) == 0 {
		tb.Fatal(names, err)
	}
	return names[len(names)-1]
}

func TestTornTail(t *testing.T) {
	master := t.TempDir()
	l := open(t, master, 0)
	offsets := fill(t, l, 0, 20)
	end := l.End()
	l.Close()
	whole, err := os.ReadFile(last(t, master))
	if err != nil {
		t.Fatal(err)
	}
	for cut := offsets[17]; cut <= end; cut++ {
		for _, junk := range []string{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.Base(last(t, master)))
			if err := os.WriteFile(path, append(slices.Clone(whole[:cut]), junk...), 0o644); err != nil {
				t.Fatal(err)
			}
			l := open(t, dir, 0)
			n, _ := slices.BinarySearch(append(slices.Clone(offsets), end), cut+1)
			contents(t, l, 0, n-1)
			fill(t, l, n-1, 2)
			contents(t, l, 0, n+1)
			l.Close()
			contents(t, open(t, dir, 0), 0, n+1)
		}
	}
}

func TestUnfinishedSegment(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, 1000)
	fill(t, l, 0, 50)
	end := l.End()
	l.Close()
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%016x.log", end)), []byte("VLTL"), 0o644); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir, 1000)
	contents(t, l, 0, 50)
	fill(t, l, 50, 10)
	contents(t, l, 0, 60)
}

func TestDamageIsNamed(t *testing.T) {
	master := t.TempDir()
	l := open(t, master, 1500)
	offsets := fill(t, l, 0, 100)
	l.Close()
	names, _ := filepath.Glob(filepath.Join(master, "*.log"))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tail := len(b)
		if name == last(t, master) {
			var start uint64
			if _, err := fmt.Sscanf(filepath.Base(name), "%x", &start); err != nil {
				t.Fatal(err)
			}
			tail = int(offsets[99] - start) // the last record is taken for unfinished
		}
		for at := 0; at < tail; at += 7 {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(master)); err != nil {
				t.Fatal(err)
			}
			bad := slices.Clone(b)
			bad[at] ^= 0x10
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), bad, 0o644); err != nil {
				t.Fatal(err)
			}
			l, err := store.OpenLog(dir, store.LogOptions{SegmentSize: 1500})
			if err == nil {
				err = l.Iterate(0, func(uint64, store.Record) error { return nil })
				l.Close()
			}
			e, ok := errors.AsType[*store.CorruptError](err)
			if !ok || !errors.Is(err, store.ErrCorrupt) || filepath.Base(e.Segment) != filepath.Base(name) || e.Offset > int64(at) {
				t.Fatalf("%s byte %d: %v", filepath.Base(name), at, err)
			}
		}
	}
	t.Run("a segment is missing", func(t *testing.T) {
		if err := os.Remove(names[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := store.OpenLog(master, store.LogOptions{}); !errors.Is(err, store.ErrCorrupt) {
			t.Error(err)
		}
	})
}

func TestFlippedByteInABlock(t *testing.T) {
	dir := t.TempDir()
	s, err := store.OpenBlocks(dir, store.LogOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for h := uint64(1); h <= 3; h++ {
		if err := s.Append(t.Context(), storetest.Block(h, 40)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(last(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	b[200] ^= 1
	if err := os.WriteFile(last(t, dir), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.At(t.Context(), 1); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), last(t, dir)+" is damaged at offset 16") {
		t.Error(err)
	}
	if _, err := s.At(t.Context(), 2); err != nil {
		t.Error(err)
	}
	s.Close()
	if _, err := store.OpenBlocks(dir, store.LogOptions{}); !errors.Is(err, store.ErrCorrupt) {
		t.Error(err)
	}
}

// FuzzLog opens arbitrary bytes as a segment: no panic, and what is read once is read again after a reopening.
func FuzzLog(f *testing.F) {
	dir := f.TempDir()
	l := open(f, dir, 0)
	fill(f, l, 0, 4)
	l.Close()
	b, err := os.ReadFile(last(f, dir))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[16:])
	f.Add(b[16 : len(b)-1])
	f.Fuzz(func(t *testing.T, records []byte) {
		dir := t.TempDir()
		head := binary.BigEndian.AppendUint64([]byte("VLTLOG1\n"), 0)
		if err := os.WriteFile(filepath.Join(dir, "0000000000000000.log"), append(head, records...), 0o644); err != nil {
			t.Fatal(err)
		}
		var counts [2]int
		for i := range counts {
			l, err := store.OpenLog(dir, store.LogOptions{})
			if err != nil {
				if !errors.Is(err, store.ErrCorrupt) {
					t.Fatal(err)
				}
				return
			}
			err = l.Iterate(0, func(uint64, store.Record) error { counts[i]++; return nil })
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
		}
		if counts[0] != counts[1] {
			t.Fatalf("read %d records, then %d", counts[0], counts[1])
		}
	})
}

func BenchmarkAppendSync(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			l := open(b, b.TempDir(), 0)
			r := store.Record{Type: store.Prepare, Data: make([]byte, size)}
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := l.Append(true, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
