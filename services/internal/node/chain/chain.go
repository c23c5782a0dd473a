// Package chain is a node's own copy of the ledger: the certified blocks, and the state that they lead to.
//
// Format: a directory with blocks/ (store.Blocks, for ever), writes/ (a store.Log of the write-sets of the newest blocks,
// u64 height || state.WriteSet) and state/ (Badger). In Badger the state after height h is what is visible at
// timestamp h+1, so a reader that holds a timestamp sees one block's state and never half of the next. The file "clean"
// says that Badger was closed in order, and at which height; the file "genesis" whose blocks these are, and by which rules
// they were judged.
//
// Trust: blocks/ is the truth and checks its sums; everything else can be rebuilt from it. Badger does not sync: after
// any end but an orderly one it may lack what its memtables held, or hold half a block. So the write-sets of the last
// 256 MiB, which is more than all memtables together, are put again, in order, before anything is served. What Commit
// is given must come from consensus, which has verified it.
package chain

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/store"
)

// Project says what a block adds to the node's own records, for queries. It must be a pure function: a rebuild calls it
// again. view is the state before the block, the projection's own keys included.
type Project func(res *consensus.Result, view state.View) (state.WriteSet, error)

// Options have working zero values.
type Options struct {
	Project Project // nil: nothing
	// ProjectVersion is what Project's keys are like; a copy made with another builds its state again from its blocks.
	ProjectVersion int
	Log            *slog.Logger // nil: silent
	BlockCache     int64        // of Badger, in bytes; default 64 MiB
	HotCache       int64        // of values just written, in bytes; default 64 MiB
	// KeepWrites is how many bytes of write-sets are kept for an unclean stop; default and least 256 MiB.
	KeepWrites int64

	smallKeep bool                    // tests: take KeepWrites as it is
	step      func(step string) error // tests: fail here
}

// Errors.
var (
	// ErrDiffers: a block's header is not the one that this node has, or not what its bodies lead to.
	ErrDiffers = errors.New("chain: own block differs")
	ErrClosed  = errors.New("chain: closed")
	// ErrRefused: the directory is of another network or of other rules. Opening it again does not help.
	ErrRefused = errors.New("the data folder cannot be used")
)

const (
	markerKey = "\x00height" // the newest height that is completely in Badger
	cleanFile = "clean"

	defaultCache = 64 << 20
	leastKept    = 256 << 20
	chunkBytes   = 512 << 10 // what is handed to Badger before waiting for it
	versionsKept = 16        // versions this many blocks old stay readable without a pin
)

// Chain is one copy. Reading is safe beside the one writer.
type Chain struct {
	g       *genesis.Genesis
	o       Options
	dir     string
	log     *slog.Logger
	writing sync.Mutex // held by the one writer; guards writes, keptWrites, db and failed

	blocks     *store.Blocks
	writes     *store.Log
	keptWrites []keptWrite
	db         *badger.DB
	hot        *hotCache
	filter     *filter
	failed     error // a commit that broke off: Badger may hold half a block until the next Open

	mu     sync.Mutex     // guards pins, closed and news
	pins   map[uint64]int // timestamps in use
	closed bool
	news   chan struct{} // closed and replaced at each new head

	head    atomic.Pointer[headState]
	results resultCache
	opener  keys.Verifier
}

// headState is a height and the state there.
type headState struct {
	consensus.Head
	view view
}

type keptWrite struct{ height, offset uint64 }

// Open opens or creates the copy in dir and brings its state to the newest stored block.
func Open(dir string, g *genesis.Genesis, o Options) (*Chain, error) {
	c := &Chain{g: g, o: o, dir: dir, log: o.Log, pins: map[uint64]int{}, news: make(chan struct{})}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.o.Project == nil {
		c.o.Project = func(*consensus.Result, state.View) (state.WriteSet, error) { return nil, nil }
	}
	if c.o.BlockCache <= 0 {
		c.o.BlockCache = defaultCache
	}
	if c.o.HotCache <= 0 {
		c.o.HotCache = defaultCache
	}
	if c.o.KeepWrites < leastKept && !c.o.smallKeep {
		c.o.KeepWrites = leastKept
	}
	c.hot, c.filter = newHotCache(c.o.HotCache), newFilter()
	if err := c.open(); err != nil {
		_ = c.closeFiles()
		return nil, fmt.Errorf("open chain %s: %w", dir, err)
	}
	return c, nil
}

func (c *Chain) open() (err error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	if err := c.checkGenesis(); err != nil {
		return err
	}
	if c.blocks, err = store.OpenBlocks(filepath.Join(c.dir, "blocks"), store.LogOptions{}); err != nil {
		return err
	}
	if same, err := c.sameProjection(); err != nil {
		return err
	} else if !same {
		// Kept write-sets of an older version would, put again after an unclean stop, bring its records back. The version is
		// marked only when others stand in for them, so a crash in between begins this anew.
		if err := os.RemoveAll(filepath.Join(c.dir, "writes")); err != nil {
			return err
		}
	}
	segment := min(64<<20, max(c.o.KeepWrites/4, 4096))
	if c.writes, err = store.OpenLog(filepath.Join(c.dir, "writes"), store.LogOptions{SegmentSize: segment}); err != nil {
		return err
	}
	err = c.writes.Scan(0, 8, func(offset uint64, r store.Record) error {
		if r.Type != store.Writes || len(r.Data) != 8 {
			return fmt.Errorf("%w: the log of write-sets holds something else at offset %d", store.ErrCorrupt, offset)
		}
		c.keptWrites = append(c.keptWrites, keptWrite{binary.BigEndian.Uint64(r.Data), offset})
		return nil
	})
	if err != nil {
		return err
	}
	clean := c.takeClean()
	if err := store.DropEmpty(filepath.Join(c.dir, "state")); err != nil {
		return fmt.Errorf("open state: %w", err)
	}
	opts := badger.DefaultOptions(filepath.Join(c.dir, "state")).
		WithLogger(badgerLog{c.log}).
		WithSyncWrites(false).
		WithMemTableSize(32 << 20).
		WithNumMemtables(3).
		WithNumCompactors(2).
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithValueThreshold(1 << 20).    // everything lives in the tree; the value log stays empty,
		WithValueLogFileSize(16 << 20). // and need not reserve 2 GB
		WithBlockCacheSize(c.o.BlockCache)
	if c.db, err = badger.OpenManaged(opts); err != nil {
		return fmt.Errorf("open state: %w", err)
	}
	c.filter.fill(c.db)
	if err := c.recover(clean); err != nil {
		return err
	}
	return c.markProjection()
}

// checkGenesis keeps a directory to one network.
func (c *Chain) checkGenesis() error {
	path := filepath.Join(c.dir, "genesis")
	want := fmt.Appendf(nil, "%x\nrules %d\n", c.g.Hash, custody.Revision)
	have, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return writeFile(path, want)
	}
	if err != nil || bytes.Equal(have, want) {
		return err
	}
	genesis, rules, _ := strings.Cut(strings.TrimSpace(string(have)), "\n")
	if genesis != hex.EncodeToString(c.g.Hash[:]) {
		return fmt.Errorf("%w: it is a copy of another network, whose genesis hash is %s", ErrRefused, genesis)
	}
	return fmt.Errorf("%w: its blocks were judged by other rules (%s; this program has rules %d), from before version 0.1: make the network anew, in an empty folder", ErrRefused, cmp.Or(rules, "rules 1"), custody.Revision)
}

// takeClean reads the clean mark and removes it for good: from here on the state is not clean until Close.
func (c *Chain) takeClean() (height int64) {
	path := filepath.Join(c.dir, cleanFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	height, err = strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if e := errors.Join(err, os.Remove(path), store.SyncDir(c.dir)); e != nil {
		return -1
	}
	return height
}

func writeFile(path string, b []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close(), store.SyncDir(filepath.Dir(path)))
}

// recover brings the state to the newest block.
func (c *Chain) recover(clean int64) error {
	top := c.blocks.Head()
	marker, ok, err := c.marker()
	if err != nil {
		return err
	}
	same, err := c.sameProjection()
	if err != nil {
		return err
	}
	switch {
	case !same && top > 0:
		c.log.Warn("this version of the program keeps other records for queries: building them again from the blocks", "blocks", top)
		return c.remake()
	case !ok, !same:
		return c.replay(noStop, true)
	case marker > top:
		return fmt.Errorf("%w: the state is at height %d but the newest block is %d", store.ErrCorrupt, marker, top)
	case clean >= 0 && uint64(clean) == top && marker == top:
		return c.setHead(top)
	}
	c.log.Info("the last stop was not orderly: putting the newest write-sets again", "height", top, "kept", len(c.keptWrites))
	// Later records of a height replace earlier ones: a block that was not stored may have left a write-set behind.
	next := uint64(0)
	for _, k := range c.keptWrites {
		if next == 0 {
			next = k.height
		}
		if k.height > next {
			return c.replay(noStop, true)
		}
		next = k.height + 1
	}
	if top > 0 && (len(c.keptWrites) == 0 || c.keptWrites[0].height > marker+1) {
		c.log.Warn("the kept write-sets do not reach back to the state: building it again from the blocks")
		return c.replay(noStop, true)
	}
	done := uint64(0)
	for _, k := range c.keptWrites {
		if k.height > top {
			continue
		}
		r, err := c.writes.ReadAt(k.offset)
		if err != nil {
			return err
		}
		ws, err := state.DecodeWriteSet(r.Data[8:])
		if err != nil {
			return fmt.Errorf("%w: write-set of height %d: %w", store.ErrCorrupt, k.height, err)
		}
		if err := c.put(k.height, ws); err != nil {
			return err
		}
		done = k.height
	}
	if top == 0 || done < marker {
		return c.replay(noStop, true)
	}
	if err := c.setHead(done); err != nil {
		return err
	}
	return c.replay(noStop, false)
}

// remake builds the state again for another version of the projection, and the write-sets that an unclean stop needs with it.
func (c *Chain) remake() error {
	err := c.build(noStop, true, func(height uint64, ws state.WriteSet) error {
		return errors.Join(c.keepWrites(height, ws, false), c.trim())
	})
	return errors.Join(err, c.writes.Sync())
}

// projectionFile says which version of the projection the state was made by; without it: 0.
func (c *Chain) projectionFile() string { return filepath.Join(c.dir, "projection") }

func (c *Chain) sameProjection() (bool, error) {
	b, err := os.ReadFile(c.projectionFile())
	if errors.Is(err, os.ErrNotExist) {
		return c.o.ProjectVersion == 0, nil
	}
	return strings.TrimSpace(string(b)) == strconv.Itoa(c.o.ProjectVersion), err
}

// markProjection is called when the state is whole: a crash while it is built begins it anew.
func (c *Chain) markProjection() error {
	if same, err := c.sameProjection(); same || err != nil {
		return err
	}
	return writeFile(c.projectionFile(), []byte(strconv.Itoa(c.o.ProjectVersion)+"\n"))
}

func noStop() error { return nil }

// replay executes stored blocks above the state until the newest; fresh: from block 0 on, in an empty Badger.
func (c *Chain) replay(stop func() error, fresh bool) error {
	return c.build(stop, fresh, func(height uint64, ws state.WriteSet) error {
		if fresh {
			return nil // they are there, and the same
		}
		return c.keepWrites(height, ws, true) // the crash took its write-set, and the next recovery must not find a gap
	})
}

// build is replay; keep is called with each write-set before it is put.
func (c *Chain) build(stop func() error, fresh bool, keep func(height uint64, ws state.WriteSet) error) error {
	if fresh {
		c.filter.end()
		if err := c.db.DropAll(); err != nil {
			return fmt.Errorf("empty the state: %w", err)
		}
		c.hot.drop()
		c.filter.reset()
		zero, err := consensus.Zero(c.g)
		if err != nil {
			return err
		}
		own, err := c.o.Project(zero, state.NewMemory())
		if err != nil {
			return fmt.Errorf("project block 0: %w", err)
		}
		if err := c.put(0, append(append(state.WriteSet{}, zero.Writes...), own...)); err != nil {
			return err
		}
		if err := c.setHead(0); err != nil {
			return err
		}
	}
	for h := c.Head().Header.Height + 1; h <= c.blocks.Head(); h++ {
		if err := stop(); err != nil {
			return err
		}
		b, err := c.blocks.Read(h)
		if err != nil {
			return err
		}
		messages := b.Messages()
		c.Prepare(messages)
		res, err := consensus.Execute(c.g, c.Live(), messages)
		if err != nil {
			return fmt.Errorf("execute block %d: %w", h, err)
		}
		if !bytes.Equal(res.Raw, b.Header) {
			return fmt.Errorf("execute block %d again: %w", h, ErrDiffers)
		}
		ws, err := c.writeSet(res)
		if err != nil {
			return err
		}
		if err := keep(h, ws); err != nil {
			return err
		}
		if err := c.put(h, ws); err != nil {
			return err
		}
		if err := c.setHead(h); err != nil {
			return err
		}
	}
	return nil
}

func (c *Chain) keepWrites(height uint64, ws state.WriteSet, sync bool) error {
	offsets, err := c.writes.Append(sync, store.Record{Type: store.Writes, Data: append(canonical.U64(nil, height), ws.Encode()...)})
	if err == nil {
		c.keptWrites = append(c.keptWrites, keptWrite{height, offsets[0]})
	}
	return err
}

// Rebuild drops the state and builds it again from the blocks, with the same result. Nothing may read meanwhile.
func (c *Chain) Rebuild(ctx context.Context) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.replay(ctx.Err, true); err != nil {
		c.failed = fmt.Errorf("rebuild: %w", err)
		return c.failed
	}
	c.failed = nil
	return nil
}

// Prepare does the costly part of messages that can be done ahead, on all processors.
func (c *Chain) Prepare(messages []consensus.Message) {
	o := consensus.Opener{Genesis: c.g, Known: registry.Registry{View: c.Live()}, Verifier: &c.opener, Random: rand.Reader}
	const least = 16 // signatures are verified in batches
	n := min(runtime.GOMAXPROCS(0), (len(messages)+least-1)/least)
	var wg sync.WaitGroup
	for i := range n {
		part := messages[i*len(messages)/n : (i+1)*len(messages)/n]
		wg.Go(func() {
			payloads := make([][]byte, len(part))
			for i := range part {
				payloads[i] = part[i].Payload
			}
			for i, p := range o.Prepare(payloads...) {
				part[i].Prepared = p
			}
		})
	}
	wg.Wait()
}

func (c *Chain) writeSet(res *consensus.Result) (state.WriteSet, error) {
	own, err := c.o.Project(res, c.Live())
	if err != nil {
		return nil, fmt.Errorf("project block %d: %w", res.Header.Height, err)
	}
	ws := make(state.WriteSet, 0, len(res.Writes)+len(own))
	return append(append(ws, res.Writes...), own...), nil
}

// Commit makes a certified block the newest: durable first, then visible. The one before must be the head; a block that
// is there already, byte for byte, is fine. An error other than ErrGap and ErrDiffers is final: the process should end.
func (c *Chain) Commit(ctx context.Context, res *consensus.Result, cert quorum.Certificate) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.failed != nil {
		return c.failed
	}
	height, head := res.Header.Height, c.Head().Header.Height
	if height <= head {
		b, err := c.blocks.At(ctx, height)
		if err == nil && !bytes.Equal(b.Header, res.Raw) {
			err = fmt.Errorf("commit block %d: %w", height, ErrDiffers)
		}
		return err
	}
	if height != head+1 {
		return fmt.Errorf("commit block %d after %d: %w", height, head, store.ErrGap)
	}
	if err := c.commit(ctx, res, cert); err != nil {
		c.failed = fmt.Errorf("commit block %d: %w", height, err)
		return c.failed
	}
	return nil
}

func (c *Chain) commit(ctx context.Context, res *consensus.Result, cert quorum.Certificate) error {
	height := res.Header.Height
	ws, err := c.writeSet(res)
	if err != nil {
		return err
	}
	if err := c.step("before log"); err != nil {
		return err
	}
	// Both logs sync at the same time. Either may be ahead after a crash: without its write-set a block is executed
	// again, over a state that it cannot have touched; a write-set without its block is ignored.
	var offsets []uint64
	failed := make(chan error, 1)
	go func() {
		var err error
		offsets, err = c.writes.Append(true, store.Record{
			Type: store.Writes, Data: append(canonical.U64(nil, height), ws.Encode()...),
		})
		failed <- err
	}()
	err = c.blocks.Append(ctx, stored(res, cert))
	if err = errors.Join(err, <-failed); err != nil {
		return err
	}
	c.keptWrites = append(c.keptWrites, keptWrite{height, offsets[0]})
	if err := c.step("after log"); err != nil {
		return err
	}
	if err := c.put(height, ws); err != nil {
		return err
	}
	c.results.put(height, res)
	if err := c.setHead(height); err != nil {
		return err
	}
	return c.trim()
}

func (c *Chain) step(name string) error {
	if c.o.step == nil {
		return nil
	}
	return c.o.step(name)
}

// put writes a block's write-set into Badger, in bounded chunks, and then that it is there.
func (c *Chain) put(height uint64, ws state.WriteSet) error {
	c.filter.addAll(ws)
	for ws := ws; len(ws) > 0; {
		b, size, n := c.db.NewWriteBatchAt(height+1), 0, 0
		for ; n < len(ws) && size < chunkBytes; n++ {
			var err error
			w := &ws[n]
			if size += len(w.Key) + len(w.Value); w.Value == nil {
				err = b.Delete([]byte(w.Key))
			} else {
				err = b.Set([]byte(w.Key), w.Value)
			}
			if err != nil {
				b.Cancel()
				return fmt.Errorf("write state: %w", err)
			}
		}
		if err := b.Flush(); err != nil {
			return fmt.Errorf("write state: %w", err)
		}
		ws = ws[n:]
		if err := c.step("after chunk"); err != nil {
			return err
		}
	}
	b := c.db.NewWriteBatchAt(height + 1)
	if err := errors.Join(b.Set([]byte(markerKey), canonical.U64(nil, height)), b.Flush()); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	c.hot.add(ws) // not before: half a block must not be seen
	return nil
}

func (c *Chain) marker() (uint64, bool, error) {
	item, err := c.db.NewTransactionAt(1<<63, false).Get([]byte(markerKey))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read state: %w", err)
	}
	v, err := item.ValueCopy(nil)
	if err != nil || len(v) != 8 {
		return 0, false, fmt.Errorf("read state: bad height mark: %w", errors.Join(err, store.ErrCorrupt))
	}
	return binary.BigEndian.Uint64(v), true, nil
}

// setHead shows the state after height to readers.
func (c *Chain) setHead(height uint64) (err error) {
	defer catch(&err)
	v := view{c.db.NewTransactionAt(height+1, false)}
	head, ok := consensus.ReadHead(v)
	if !ok || head.Header.Height != height {
		return fmt.Errorf("%w: the state at height %d says that it is at %d", store.ErrCorrupt, height, head.Header.Height)
	}
	c.head.Store(&headState{head, v})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.discard()
	close(c.news)
	c.news = make(chan struct{})
	return nil
}

// discard lets Badger forget versions that nobody reads. mu is held.
func (c *Chain) discard() {
	ts := c.head.Load().Header.Height + 1
	ts -= min(ts, versionsKept)
	for pinned := range c.pins {
		ts = min(ts, pinned)
	}
	c.db.SetDiscardTs(ts)
}

// trim forgets write-sets that Badger has long written to its tables.
func (c *Chain) trim() error {
	end := c.writes.End()
	if end < uint64(c.o.KeepWrites) {
		return nil
	}
	if err := c.writes.DropBefore(end - uint64(c.o.KeepWrites)); err != nil {
		return err
	}
	first, n := c.writes.First(), 0
	for n < len(c.keptWrites) && c.keptWrites[n].offset < first {
		n++
	}
	c.keptWrites = c.keptWrites[n:]
	return nil
}

// Head is the newest block.
func (c *Chain) Head() consensus.Head { return c.head.Load().Head }

// Genesis is what the chain begins with.
func (c *Chain) Genesis() *genesis.Genesis { return c.g }

// Changed returns a channel that is closed at the next new head.
func (c *Chain) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.news
}

// Wait returns when the head is at height or above.
func (c *Chain) Wait(ctx context.Context, height uint64) error {
	for {
		news := c.Changed()
		c.mu.Lock()
		closed := c.closed
		c.mu.Unlock()
		if c.Head().Header.Height >= height {
			return nil
		}
		if closed {
			return ErrClosed
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-news:
		}
	}
}

// Close waits for a commit under way and closes the files in order, so that the next Open need not repair anything.
func (c *Chain) Close() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	close(c.news)
	c.news = make(chan struct{})
	c.mu.Unlock()
	broken := c.failed != nil
	c.failed = ErrClosed
	height := c.Head().Header.Height
	err := c.closeFiles()
	if err == nil && !broken {
		err = writeFile(filepath.Join(c.dir, cleanFile), strconv.AppendUint(nil, height, 10))
	}
	if err != nil {
		return fmt.Errorf("close chain: %w", err)
	}
	return nil
}

func (c *Chain) closeFiles() error {
	var err error
	if c.db != nil {
		c.filter.end()
		err = c.db.Close()
	}
	if c.writes != nil {
		err = errors.Join(err, c.writes.Close())
	}
	if c.blocks != nil {
		err = errors.Join(err, c.blocks.Close())
	}
	return err
}

type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(f string, v ...any) { l.log.Error("state", "text", fmt.Sprintf(f, v...)) }

func (l badgerLog) Warningf(f string, v ...any) { l.log.Warn("state", "text", fmt.Sprintf(f, v...)) }

func (l badgerLog) Infof(f string, v ...any) { l.log.Debug("state", "text", fmt.Sprintf(f, v...)) }
func (l badgerLog) Debugf(string, ...any)    {}
