// Package journal is what a trading partner's service must not lose: its jobs, the outbox, what it
// sealed, the numbers it gave out. It says under which keys and in which bytes that is stored, in
// Badger with group commit: writes that wait together share one sync.
//
// It decides nothing about submissions: what of them is written together, and when, is said by
// package outbox, which fills a Write. Four methods put a Write together themselves, each about one
// thing: Serials and Next give out numbers, Register keeps registrations, and Break ends a plan.
package journal

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/dgraph-io/badger/v4"

	files "verilot.dev/services/internal/node/store"
)

// A Write is a set of changes that becomes durable as a whole. nil values delete.
type Write struct {
	keys   []string
	values [][]byte
	done   chan error
}

func (w *Write) put(key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	w.keys, w.values = append(w.keys, key), append(w.values, value)
}

func (w *Write) del(key string) { w.keys, w.values = append(w.keys, key), append(w.values, nil) }

func (w *Write) putJSON(key string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("journal: encode %q: %w", key, err)) // our own structs always encode
	}
	w.put(key, b)
}

// Add takes over the changes of another write, which is not submitted.
func (w *Write) Add(v *Write) {
	w.keys, w.values = append(w.keys, v.keys...), append(w.values, v.values...)
}

// putPacked is putJSON for what is large and seldom read.
func (w *Write) putPacked(key string, v any) {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		err = errors.Join(json.NewEncoder(z).Encode(v), z.Close())
	}
	if err != nil {
		panic(fmt.Errorf("journal: encode %q: %w", key, err)) // our own structs, into memory
	}
	w.put(key, b.Bytes())
}

var (
	// ErrNotFound is of a record that is not there.
	ErrNotFound = errors.New("journal: no such record")
	// ErrTooBig is of a write that is more than one transaction holds.
	ErrTooBig = errors.New("journal: more than one transaction holds")

	errClosed = errors.New("journal: it is closed")
)

// Journal is the store: every write waits for its own transaction's sync, and writes that wait
// together share one. Badger itself would sync once per transaction. Writes become visible in the
// order of Submit.
type Journal struct {
	db *badger.DB

	// numbering is held while numbers are drawn and stored, on disk too: no two callers get the
	// same. It guards nothing in memory.
	numbering sync.Mutex

	// mu guards the fields below, in memory; nothing is written under it.
	mu     sync.Mutex
	queue  []*Write
	wake   chan struct{}
	closed bool
	idle   chan struct{} // closed when the committer has ended
}

// Open opens the journal in a folder of its own.
func Open(dir string) (*Journal, error) {
	o := badger.DefaultOptions(dir).WithLogger(nil).WithSyncWrites(true).WithDetectConflicts(false).
		WithMemTableSize(32 << 20).WithNumMemtables(3).WithNumCompactors(2).WithBlockCacheSize(16 << 20).WithIndexCacheSize(16 << 20).
		WithValueLogFileSize(64 << 20).WithValueThreshold(8 << 10) // messages go to the value log: a transaction holds many
	if err := files.DropEmpty(dir); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", dir, err)
	}
	db, err := badger.Open(o)
	if err != nil {
		return nil, fmt.Errorf("open journal %s: %w", dir, err)
	}
	s := &Journal{db: db, wake: make(chan struct{}, 1), idle: make(chan struct{})}
	go s.run()
	return s, nil
}

// Submit queues w and returns at once; w.Wait waits until it is durable. Callers hold their own
// locks across Submit, never across Wait, so that the order of writes is that of their decisions.
func (s *Journal) Submit(w *Write) {
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

// Wait waits until a submitted write is durable.
func (w *Write) Wait() error { return <-w.done }

// Put makes w durable.
func (s *Journal) Put(w *Write) error {
	s.Submit(w)
	return w.Wait()
}

func (s *Journal) run() {
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
func (s *Journal) commit(batch []*Write) {
	err := s.apply(batch)
	if !errors.Is(err, ErrTooBig) || len(batch) == 1 {
		for _, w := range batch {
			w.done <- err
		}
		return
	}
	half := len(batch) / 2
	s.commit(batch[:half])
	s.commit(batch[half:])
}

func (s *Journal) apply(batch []*Write) error {
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
				return ErrTooBig
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

// Close makes what was submitted durable and ends the journal.
func (s *Journal) Close() error {
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
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}

func (s *Journal) get(key string) ([]byte, error) {
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
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", key, err)
	}
	return out, nil
}

func (s *Journal) getJSON(key string, v any) error {
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
func (s *Journal) getPacked(key string, v any) error {
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
func (s *Journal) scan(prefix, after string, values, reverse bool, fn func(key string, value []byte) bool) error {
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

// Collect gives back the space of deleted messages; Badger never does it by itself.
func (s *Journal) Collect() {
	for s.db.RunValueLogGC(0.5) == nil {
	}
}
