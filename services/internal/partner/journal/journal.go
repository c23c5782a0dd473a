package journal

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/google/uuid"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	files "verilot.dev/services/internal/node/store"
)

// The keys of the store. Numbers are big-endian, so that they sort.
//
//	j/<job 16>                  jobRecord, JSON; never rewritten
//	r/<job 16><part u16>        partRecord, JSON: where a submission of the job stands
//	m/<job 16><part u16>        items of a part of a divided document, JSON, compressed: []itemMeta
//	v/<job 16><part u16>        the verdicts on them, JSON, compressed: []itemVerdict
//	p/<job 16>                  plan of a document that is not divided yet, JSON
//	q/<job 16>                  brokenRecord, JSON: why a document was not divided to its end
//	f/<job 16><chunk u32>       further faults of a document, JSON: []httpapi.Fault
//	o/<lane>/<counter u64>      outbox: job 16, part u16, the signed message; gone once its verdict is certified. The message of a part
//	                            of a divided document is a file of the spool instead: what the value log holds is mapped into memory
//	c/<lane>                    highest counter ever given out, u64
//	i/<SHA-256 of the key>      idempotency: hash of the request 32, job 16
//	s/<submission 16>           sealed values: see encodeSealed
//	d/<u64>                     registrations made here, JSON, in order
//	u/<gtin>/<serial>           a serial that was given out
//	n/<purpose>                 a running number, u64
//	b/<height u64>              what a followed block says: see facts
//	l/…                         the light chain's own state
const (
	jobKeys     = "j/"
	partKeys    = "r/"
	metaKeys    = "m/"
	verdictKeys = "v/"
	planKeys    = "p/"
	brokenKeys  = "q/"
	faultKeys   = "f/"
	outKeys     = "o/"
	laneKeys    = "c/"
	idemKeys    = "i/"
	sealedKeys  = "s/"
	actKeys     = "d/"
	serialKeys  = "u/"
	numberKeys  = "n/"
	blockKeys   = "b/"
	lightKeys   = "l/"
)

func jobKey(id uuid.UUID) string { return jobKeys + string(id[:]) }

func partKey(id uuid.UUID, part uint16) string {
	return string(binary.BigEndian.AppendUint16([]byte(partKeys+string(id[:])), part))
}

func metaKey(id uuid.UUID, part uint16) string {
	return string(binary.BigEndian.AppendUint16([]byte(metaKeys+string(id[:])), part))
}

func verdictKey(id uuid.UUID, part uint16) string {
	return string(binary.BigEndian.AppendUint16([]byte(verdictKeys+string(id[:])), part))
}

func planKey(id uuid.UUID) string { return planKeys + string(id[:]) }

func brokenKey(id uuid.UUID) string { return brokenKeys + string(id[:]) }

func faultKey(id uuid.UUID, chunk int) string {
	return string(binary.BigEndian.AppendUint32([]byte(faultKeys+string(id[:])), uint32(chunk)))
}

func outKey(lane string, counter uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte(outKeys+lane+"/"), counter))
}

func blockKey(height uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte(blockKeys), height))
}

func u64(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// A write is a set of changes that becomes durable as a whole. nil values delete.
type write struct {
	keys   []string
	values [][]byte
	done   chan error
	gone   []string // files to be removed when it is durable
}

func (w *write) put(key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	w.keys, w.values = append(w.keys, key), append(w.values, value)
}

func (w *write) del(key string) { w.keys, w.values = append(w.keys, key), append(w.values, nil) }

func (w *write) putJSON(key string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("capture: encode %q: %w", key, err)) // our own structs always encode
	}
	w.put(key, b)
}

// putPacked is putJSON for what is large and seldom read.
func (w *write) putPacked(key string, v any) {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		err = errors.Join(json.NewEncoder(z).Encode(v), z.Close())
	}
	if err != nil {
		panic(fmt.Errorf("capture: encode %q: %w", key, err)) // our own structs, into memory
	}
	w.put(key, b.Bytes())
}

var (
	errNotFound = errors.New("capture: no such record")
	errTooBig   = errors.New("capture: more than one transaction holds")
	errClosed   = errors.New("capture: store is closed")
	// errNotStored is of a write that is not durable.
	errNotStored = errors.New("capture: not stored")
)

// store is Badger with group commit: every write waits for its own transaction's sync, and writes that wait together
// share one. Badger itself would sync once per transaction. Writes become visible in the order of submit.
type store struct {
	db *badger.DB

	mu     sync.Mutex
	queue  []*write
	wake   chan struct{}
	closed bool
	idle   chan struct{} // closed when the committer has ended
}

func openStore(dir string) (*store, error) {
	o := badger.DefaultOptions(dir).WithLogger(nil).WithSyncWrites(true).WithDetectConflicts(false).
		WithMemTableSize(32 << 20).WithNumMemtables(3).WithNumCompactors(2).WithBlockCacheSize(16 << 20).WithIndexCacheSize(16 << 20).
		WithValueLogFileSize(64 << 20).WithValueThreshold(8 << 10) // messages go to the value log: a transaction holds many
	if err := files.DropEmpty(dir); err != nil {
		return nil, fmt.Errorf("open capture store %s: %w", dir, err)
	}
	db, err := badger.Open(o)
	if err != nil {
		return nil, fmt.Errorf("open capture store %s: %w", dir, err)
	}
	s := &store{db: db, wake: make(chan struct{}, 1), idle: make(chan struct{})}
	go s.run()
	return s, nil
}

// submit queues w and returns at once; w.wait waits until it is durable. Callers hold their own locks across submit,
// never across wait, so that the order of writes is that of their decisions.
func (s *store) submit(w *write) {
	w.done = make(chan error, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		w.done <- errClosed
		return
	}
	s.queue = append(s.queue, w)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (w *write) wait() error { return <-w.done }

func (s *store) run() {
	defer close(s.idle)
	for range s.wake {
		for {
			s.mu.Lock()
			batch := s.queue
			s.queue = nil
			s.mu.Unlock()
			if len(batch) == 0 {
				break
			}
			s.commit(batch)
		}
	}
}

// commit makes batch durable in order, with as few transactions as Badger's limit allows.
func (s *store) commit(batch []*write) {
	err := s.apply(batch)
	if !errors.Is(err, errTooBig) || len(batch) == 1 {
		for _, w := range batch {
			w.done <- err
		}
		return
	}
	half := len(batch) / 2
	s.commit(batch[:half])
	s.commit(batch[half:])
}

func (s *store) apply(batch []*write) error {
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	for _, w := range batch {
		for i, k := range w.keys {
			var err error
			if w.values[i] == nil {
				err = txn.Delete([]byte(k))
			} else {
				err = txn.Set([]byte(k), w.values[i])
			}
			if errors.Is(err, badger.ErrTxnTooBig) {
				return errTooBig
			}
			if err != nil {
				return fmt.Errorf("write %q: %w", k, err)
			}
		}
	}
	if err := txn.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (s *store) close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.wake)
	<-s.idle
	s.mu.Lock()
	for _, w := range s.queue {
		w.done <- errClosed
	}
	s.queue = nil
	s.mu.Unlock()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close capture store: %w", err)
	}
	return nil
}

func (s *store) get(key string) ([]byte, error) {
	var out []byte
	err := s.db.View(func(txn *badger.Txn) error {
		it, err := txn.Get([]byte(key))
		if err != nil {
			return err
		}
		out, err = it.ValueCopy(nil)
		return err
	})
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", key, err)
	}
	return out, nil
}

func (s *store) getJSON(key string, v any) error {
	b, err := s.get(key)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %q: %w", key, err)
	}
	return nil
}

// getPacked reads what putPacked wrote.
func (s *store) getPacked(key string, v any) error {
	b, err := s.get(key)
	if err != nil {
		return err
	}
	z := flate.NewReader(bytes.NewReader(b))
	if err := errors.Join(json.NewDecoder(z).Decode(v), z.Close()); err != nil {
		return fmt.Errorf("read %q: %w", key, err)
	}
	return nil
}

// scan calls fn for the keys with prefix that are > after ("" is all), ascending, until it returns false.
func (s *store) scan(prefix, after string, values, reverse bool, fn func(key string, value []byte) bool) error {
	return s.db.View(func(txn *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.PrefetchValues, o.Reverse, o.Prefix = values, reverse, []byte(prefix)
		it := txn.NewIterator(o)
		defer it.Close()
		switch {
		case after != "":
			it.Seek([]byte(after))
		case reverse:
			it.Seek(append([]byte(prefix), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF))
		default:
			it.Rewind()
		}
		for ; it.ValidForPrefix([]byte(prefix)); it.Next() {
			k := string(it.Item().Key())
			if k == after {
				continue
			}
			var v []byte
			if values {
				var err error
				if v, err = it.Item().ValueCopy(nil); err != nil {
					return fmt.Errorf("read %q: %w", k, err)
				}
			}
			if !fn(k, v) {
				return nil
			}
		}
		return nil
	})
}

// collect gives back the space of deleted messages; Badger never does it by itself.
func (s *store) collect() {
	for s.db.RunValueLogGC(0.5) == nil {
	}
}

// lightView is the light chain's state: a state.View over the keys l/….
type lightView struct{ s *store }

// Get implements state.View.
func (v lightView) Get(key string) ([]byte, bool) {
	b, err := v.s.get(lightKeys + key)
	if errors.Is(err, errNotFound) {
		return nil, false
	}
	if err != nil {
		panic(err) // state.View: losing the disk ends the reading
	}
	return b, true
}

// Scan implements state.View.
func (v lightView) Scan(prefix string, fn func(string, []byte) bool) {
	err := v.s.scan(lightKeys+prefix, "", true, false, func(k string, b []byte) bool { return fn(k[len(lightKeys):], b) })
	if err != nil {
		panic(err)
	}
}

// encodeSealed is u32 count, then per value: u16 item, str16 path, salt (32), u8 type, str32 text.
func encodeSealed(items [][]commit.SealedValue) []byte {
	n := 0
	for _, it := range items {
		n += len(it)
	}
	b := canonical.U32(nil, uint32(n))
	for i, it := range items {
		for _, v := range it {
			b = canonical.U16(b, uint16(i))
			b = canonical.Str16(b, string(v.Path))
			b = append(b, v.Salt[:]...)
			b = canonical.U8(b, uint8(v.Type))
			b = canonical.Str32(b, v.Text)
		}
	}
	return b
}

func decodeSealed(b []byte) (map[uint16][]commit.SealedValue, error) {
	r := canonical.NewReader(b)
	out := map[uint16][]commit.SealedValue{}
	for n := r.U32(); n > 0 && r.Err() == nil; n-- {
		item := r.U16()
		v := commit.SealedValue{Path: commit.Path(r.Str16()), Salt: r.Hash(), Type: commit.Type(r.U8()), Text: string(r.Str32())}
		out[item] = append(out[item], v)
	}
	return out, r.Done()
}
