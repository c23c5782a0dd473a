package chain

import (
	"fmt"
	"sync"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/node/store"
)

// ErrNoBlock: this copy has no block of that height, not yet or not at all.
var ErrNoBlock = store.ErrNotFound

// stored is the form in which a block is kept.
func stored(res *consensus.Result, cert quorum.Certificate) *store.Block {
	b := &store.Block{
		Height: res.Header.Height, Header: res.Raw, FirstSeq: res.Header.FirstSeq,
		Payloads: make([][]byte, len(res.Entries)), Leaves: make([][]byte, len(res.Entries)),
		Verdicts: res.Verdicts, Subjects: res.Subjects, Certificate: cert,
	}
	for i := range res.Entries {
		b.Payloads[i], b.Leaves[i] = res.Entries[i].Payload, res.Entries[i].Leaf
	}
	return b
}

// Stored returns a block as it is kept; ErrNoBlock for one that is not there, block 0 among them.
func (c *Chain) Stored(height uint64) (*store.Block, error) {
	return c.blocks.Read(height)
}

// Block returns a block with its messages opened again, or ErrNoBlock. What was judged is in
// Verdicts; Items of its entries, Effects and Writes may be empty. The result is shared: do not
// change it.
func (c *Chain) Block(height uint64) (*consensus.Result, error) {
	if height > c.Head().Header.Height { // stored, but its state is not there yet
		return nil, fmt.Errorf("block %d: %w", height, ErrNoBlock)
	}
	if res := c.results.get(height); res != nil {
		return res, nil
	}
	if height == 0 {
		return consensus.Zero(c.g)
	}
	b, err := c.Stored(height)
	if err != nil {
		return nil, err
	}
	res, err := c.reopen(b)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w: %w", height, store.ErrCorrupt, err)
	}
	c.results.put(height, res)
	return res, nil
}

// Opened is a block whose submissions are opened one by one: what one event of a block costs must not grow with the block. It is for
// one goroutine.
type Opened struct {
	Time int64 // of the block, ms since 1970
	Size int   // bytes that it holds on to, about

	c    *Chain
	res  *consensus.Result // nil: not read before
	b    *store.Block
	subs map[uint32]*submission.Submission
}

// Opened returns a block to read single entries of.
func (c *Chain) Opened(height uint64) (*Opened, error) {
	if height > c.Head().Header.Height {
		return nil, fmt.Errorf("block %d: %w", height, ErrNoBlock)
	}
	if res := c.results.get(height); res != nil {
		return &Opened{Time: res.Header.Time, Size: 4096, res: res}, nil
	}
	b, err := c.Stored(height)
	if err != nil {
		return nil, err
	}
	h, err := block.DecodeHeader(c.g.Network, b.Header)
	if err != nil {
		return nil, fmt.Errorf("block %d: %w: %w", height, store.ErrCorrupt, err)
	}
	o := &Opened{Time: h.Time, c: c, b: b, subs: map[uint32]*submission.Submission{}, Size: 4096}
	for _, p := range b.Payloads {
		o.Size += 128 + 2*len(p)
	}
	return o, nil
}

// Submission opens an entry that is one. The result is shared: do not change it.
func (o *Opened) Submission(entry uint32) (sub *submission.Submission, err error) {
	if o.res != nil {
		if int(entry) < len(o.res.Entries) {
			sub = o.res.Entries[entry].Submission
		}
	} else if sub = o.subs[entry]; sub == nil && int(entry) < len(o.b.Payloads) {
		defer catch(&err)
		sub, err = submission.Open(o.c.g.Network, o.c.g.Epoch, o.b.Payloads[entry], ignoreRevoked{registry.Registry{View: o.c.Live()}})
		if err != nil {
			return nil, fmt.Errorf("block %d, entry %d: %w: %w", o.b.Height, entry, store.ErrCorrupt, err)
		}
		o.subs[entry] = sub
	}
	if sub == nil {
		return nil, fmt.Errorf("entry %d is no submission", entry)
	}
	return sub, nil
}

func (c *Chain) reopen(b *store.Block) (res *consensus.Result, err error) {
	defer catch(&err)
	h, err := block.DecodeHeader(c.g.Network, b.Header)
	if err != nil {
		return nil, err
	}
	res = &consensus.Result{
		Header: h, Raw: b.Header, Hash: block.HeaderHash(b.Header),
		Entries: make([]consensus.Entry, len(b.Payloads)), Verdicts: b.Verdicts, Subjects: b.Subjects,
	}
	for i, p := range b.Payloads {
		e := &res.Entries[i]
		e.Seq, e.Payload, e.Leaf = b.FirstSeq+uint64(i), p, b.Leaves[i]
		if _, e.Kind, _, err = block.SplitEntryLeaf(e.Leaf); err != nil {
			return nil, err
		}
		switch e.Kind {
		case block.Submission:
			e.Submission, err = submission.Open(c.g.Network, c.g.Epoch, p, ignoreRevoked{registry.Registry{View: c.Live()}})
		case block.Cut, block.Tick, block.Heartbeat:
			var pulse block.Pulse
			pulse, _, _, err = block.SplitPulse(c.g.Network, p)
			e.Pulse = &pulse
		case block.NotOpened, block.EpochRecord:
		}
		if err != nil {
			return nil, fmt.Errorf("message %d: %w", e.Seq, err)
		}
	}
	for _, leaf := range b.Verdicts {
		v, err := block.DecodeVerdictLeaf(leaf)
		if err != nil {
			return nil, err
		}
		if v, ok := v.(block.Verdict); ok && v.Pos.Item == canonical.WholeEntry && int(v.Pos.Entry) < len(res.Entries) {
			res.Entries[v.Pos.Entry].Code = v.Code
		}
	}
	return res, nil
}

// ignoreRevoked knows keys that were revoked later: the block says that the submission opened at its position.
type ignoreRevoked struct{ keys submission.Keys }

func (k ignoreRevoked) Key(id canonical.Hash) (registry.KeyInfo, bool) {
	info, ok := k.keys.Key(id)
	info.Revoked = false
	return info, ok
}

// Certificate returns the certificate of the checkpoint of size height + 1. Block 0 has none:
// ErrNoBlock.
func (c *Chain) Certificate(height uint64) (quorum.Certificate, error) {
	b, err := c.Stored(height)
	if err != nil {
		return nil, err
	}
	return b.Certificate, nil
}

// Checkpoint is the header log's head after height, which the certificate of height signs.
func (c *Chain) Checkpoint(height uint64) (quorum.Checkpoint, error) {
	root, _, err := c.Log(height+1, nil)
	return quorum.Checkpoint{Origin: c.g.Origin(), Size: height + 1, Root: root}, err
}

// Log returns the root of the header log of a size, and a multi-proof of the headers at heights.
func (c *Chain) Log(size uint64, heights []uint64) (root canonical.Hash, proof []canonical.Hash, err error) {
	err = c.read(func(v state.View) error {
		root, proof, err = consensus.LogRoot(v, size, heights)
		return err
	})
	return root, proof, err
}

func (c *Chain) read(fn func(state.View) error) error {
	v, done, err := c.Snapshot()
	if err != nil {
		return err
	}
	defer done()
	return Guard(func() error { return fn(v) })
}

// resultCache holds the blocks read or committed last. Whole blocks are few and large, so it counts payload bytes.
type resultCache struct {
	mu    sync.Mutex // guards the fields below
	byH   map[uint64]*consensus.Result
	order []uint64
	size  int
}

const resultBytes = 32 << 20

func weight(r *consensus.Result) int {
	n := 4096
	for i := range r.Entries {
		n += 512 + len(r.Entries[i].Payload)
	}
	return n
}

func (rc *resultCache) get(h uint64) *consensus.Result {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return rc.byH[h]
}

func (rc *resultCache) put(h uint64, r *consensus.Result) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	if rc.byH == nil {
		rc.byH = map[uint64]*consensus.Result{}
	}
	if rc.byH[h] != nil {
		return
	}
	rc.byH[h], rc.order, rc.size = r, append(rc.order, h), rc.size+weight(r)
	for rc.size > resultBytes && len(rc.order) > 1 {
		rc.size -= weight(rc.byH[rc.order[0]])
		delete(rc.byH, rc.order[0])
		rc.order = rc.order[1:]
	}
}
