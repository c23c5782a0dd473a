package outbox

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
)

// keyQueue is the ordered way of one key's submissions to the broker. Guarded by Outbox.mu, but for
// the first four fields, which do not change after Open.
type keyQueue struct {
	id     string
	party  string
	keyID  canonical.Hash
	signer crypto.Signer // nil: an earlier key, whose rows are still sent but not signed again

	counter uint64          // the highest given out
	rows    map[uint64]*row // without a certified verdict, by counter
	bySeq   map[uint64]*row // those of them that are acknowledged
	queue   []*row          // those that are not, by counter
	wake    chan struct{}
	delay   time.Duration // before the next send
}

// row is a submission that has no certified verdict yet.
type row struct {
	queue   *keyQueue
	counter uint64
	job     uuid.UUID
	part    uint16
	base    uint64 // height followed when it was captured: no block up to it can hold it
	seq     uint64 // where the broker says it is; 0: not acknowledged
	signed  []byte
	sig     [ed25519.SignatureSize]byte
	size    int
	file    string       // of the spool, with the message; "": the outbox row holds it
	rec     journal.Part // as stored
	queued  bool
}

// take gives out the next counter. The row is outstanding from here on, so that blocks are kept for
// it. mu is held.
func (q *keyQueue) take(base uint64) *row {
	q.counter++
	r := &row{queue: q, counter: q.counter, base: base}
	q.rows[r.counter] = r
	return r
}

// enqueue lets a row be sent, in the order of counters. mu is held.
func (q *keyQueue) enqueue(r *row) {
	if r.queued {
		return
	}
	r.queued = true
	i, _ := slices.BinarySearchFunc(q.queue, r.counter, func(q *row, c uint64) int {
		switch {
		case q.counter < c:
			return -1
		case q.counter > c:
			return 1
		}
		return 0
	})
	q.queue = slices.Insert(q.queue, i, r)
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *keyQueue) dequeue(r *row) {
	if !r.queued {
		return
	}
	r.queued = false
	if len(q.queue) > 0 && q.queue[0] == r {
		q.queue = q.queue[1:]
		return
	}
	if i := slices.Index(q.queue, r); i >= 0 {
		q.queue = slices.Delete(q.queue, i, i+1)
	}
}

// drop forgets a row. mu is held.
func (q *keyQueue) drop(r *row) {
	delete(q.rows, r.counter)
	if r.seq != 0 && q.bySeq[r.seq] == r {
		delete(q.bySeq, r.seq)
	}
	q.dequeue(r)
}

// read takes over what a row has to know of its message.
func (r *row) read(n canonical.Network, payload []byte) error {
	_, raw, err := submission.DecodeHeader(n, payload)
	if err != nil || len(payload) < len(raw)+ed25519.SignatureSize {
		return fmt.Errorf("outbox holds an unreadable message of job %s: %w", r.job, errors.Join(err, canonical.ErrShort))
	}
	r.size, r.signed = len(payload), slices.Clone(raw)
	copy(r.sig[:], payload[len(raw):])
	return nil
}

func (r *row) leaf(n canonical.Network, seq uint64) []byte {
	return block.EntryLeaf(n, seq, block.Submission, r.signed, r.sig)
}

func (o *Outbox) loadRow(queue string, counter uint64, job uuid.UUID, part uint16, message []byte) error {
	p, err := o.j.Part(job, part)
	if err != nil {
		return err
	}
	r := &row{queue: o.queue(queue, p.Party), counter: counter, job: job, part: part, base: p.Base, seq: p.Seq, rec: p}
	size := len(message)
	if size == 0 {
		r.file = partName(job, part)
		if message, size, err = o.readHead(r.file); err != nil {
			return err
		}
	}
	if err := r.read(o.n, message); err != nil {
		return err
	}
	r.size = size
	r.queue.rows[r.counter] = r
	r.queue.counter = max(r.queue.counter, r.counter)
	if r.seq == 0 {
		r.queue.enqueue(r)
		return nil
	}
	r.queue.bySeq[r.seq] = r
	return nil
}

// partExt ends the names of files of the spool that hold the signed message of a part. Other files
// of the folder are not the outbox's.
const partExt = ".part"

func partName(job uuid.UUID, part uint16) string { return fmt.Sprintf("%s-%d%s", job, part, partExt) }

// writePart makes the message of a part durable.
func (o *Outbox) writePart(name string, payload []byte) error {
	f, err := os.OpenFile(filepath.Join(o.cfg.Spool, name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	_, err = f.Write(payload)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	return o.syncDir(o.cfg.Spool) // not ErrNotStored: whether the file will be there is not known
}

// readHead reads how the message of a part begins: its header and signature, and how long it is.
func (o *Outbox) readHead(name string) (head []byte, size int, err error) {
	f, err := os.Open(filepath.Join(o.cfg.Spool, name))
	if err != nil {
		return nil, 0, fmt.Errorf("read outbox: %w; put the spool back from where it was kept, it belongs to the outbox", err)
	}
	defer func() { _ = f.Close() }()
	head = make([]byte, draft.Headroom)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, fmt.Errorf("read outbox: %w", err)
	}
	i, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("read outbox: %w", err)
	}
	return head[:n], int(i.Size()), nil
}

// remove removes a file of the spool; what stays is removed at the next start.
func (o *Outbox) remove(name string) {
	if err := os.Remove(filepath.Join(o.cfg.Spool, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		o.cfg.Log.Warn("a file of the spool was not removed; the next start does it", "err", err)
	}
}

// cleanSpool removes messages of parts that belong to no row.
func (o *Outbox) cleanSpool() error {
	files, err := os.ReadDir(o.cfg.Spool)
	if err != nil {
		return fmt.Errorf("read spool: %w", err)
	}
	needed := map[string]bool{}
	for _, q := range o.queues {
		for _, r := range q.rows {
			needed[r.file] = true
		}
	}
	for _, f := range files {
		if name := f.Name(); filepath.Ext(name) == partExt && !needed[name] {
			if err := os.Remove(filepath.Join(o.cfg.Spool, name)); err != nil {
				return fmt.Errorf("clean spool: %w", err)
			}
		}
	}
	return nil
}

// SyncDir makes the names of a folder's files durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
