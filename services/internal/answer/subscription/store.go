package subscription

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/google/uuid"

	"verilot.dev/ledger/canonical"
	files "verilot.dev/services/internal/node/store"
)

// The keys of the store.
//
//	v                        the version of this layout
//	q/<owner> 00 <name>      queryRecord, JSON; never rewritten
//	s/<subscription 16>      subscriptionRecord, JSON; never rewritten
//	p/<subscription 16>      progress, JSON: how far its deliveries are
const (
	versionKey       = "v"
	queryKeys        = "q/"
	subscriptionKeys = "s/"
	progressKeys     = "p/"
	version          = "1"
	// marker is a file beside Badger's: where it is, there is something in the store. Badger takes a list of tables that was cut off
	// for one that ends there, and would begin anew.
	marker = "STANDING"
)

func queryKey(owner, name string) string { return queryKeys + owner + "\x00" + name }

// queryRecord is a named query.
type queryRecord struct {
	Owner     string          `json:"owner"` // party id; "": who sees everything
	Name      string          `json:"name"`
	Query     json.RawMessage `json:"query"`
	CreatedAt time.Time       `json:"createdAt"`
}

// subscriptionRecord is what was subscribed to. It holds the token in the clear, since signing needs it.
type subscriptionRecord struct {
	ID                uuid.UUID  `json:"id"`
	Owner             string     `json:"owner"`
	Query             string     `json:"query"`
	Dest              string     `json:"dest"`
	Token             string     `json:"token,omitempty"`
	Stream            bool       `json:"stream,omitempty"`
	Schedule          *Schedule  `json:"schedule,omitempty"`
	ReportIfEmpty     bool       `json:"reportIfEmpty,omitempty"`
	InitialRecordTime *time.Time `json:"initialRecordTime,omitempty"`
	EPCFormat         string     `json:"epcFormat,omitempty"`
	CreatedAt         time.Time  `json:"createdAt"`
}

// cursor is how far a reader is: every event in blocks up to Done, and in the one being read those up to After.
type cursor struct {
	Done  uint64              `json:"done,string"`
	After *canonical.Position `json:"after,omitempty"`
}

// progress is what of a subscription changes.
type progress struct {
	cursor
	// Limit is how many events the receiver takes at once, after it has refused more; 0: as many as we send. Kept counts the
	// deliveries at this limit.
	Limit int `json:"limit,omitempty"`
	Kept  int `json:"kept,omitempty"`
	// Pending is the batch that is being delivered. It is stored before it is sent, so that it keeps its id over a crash.
	Pending *pending `json:"pending,omitempty"`
	// LastRun is when the last scheduled run began that is done, MinRecordTime the recordTime up to which everything is delivered.
	LastRun       time.Time `json:"lastRun,omitzero"`
	MinRecordTime time.Time `json:"minRecordTime,omitzero"`
	NotifiedAt    time.Time `json:"notifiedAt,omitzero"`
	Failures      int       `json:"failures,omitempty"` // since the last success
	FailingSince  time.Time `json:"failingSince,omitzero"`
	RetryAt       time.Time `json:"retryAt,omitzero"`
	LastError     string    `json:"lastError,omitempty"`
}

// pending is a batch that may have been sent.
type pending struct {
	ID    string              `json:"id"`             // webhook-id
	Last  *canonical.Position `json:"last,omitempty"` // of its events; nil: an empty report
	Count int                 `json:"count"`
	Next  cursor              `json:"next"` // once it is delivered
	// Head is the time of the block that the run goes up to, RunAt when it began, and Ends whether it ends with this batch.
	Head  time.Time `json:"head"`
	RunAt time.Time `json:"runAt,omitzero"`
	Ends  bool      `json:"ends,omitempty"`
}

// store is Badger, with every write synced before it returns.
type store struct {
	db *badger.DB
	// fault, in tests, fails a write before or after it is durable.
	fault func(when string) error
}

func openStore(dir string) (*store, error) {
	wrap := func(err error) error {
		return fmt.Errorf("open the standing queries in %s: %w; put the folder back from where it was kept, or remove it, and with it every named query and subscription", dir, err)
	}
	// The folder holds the tokens of subscriptions.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, wrap(err)
	}
	if err := files.DropEmpty(dir); err != nil {
		return nil, wrap(err)
	}
	o := badger.DefaultOptions(dir).WithLogger(nil).WithSyncWrites(true).WithDetectConflicts(false).WithMetricsEnabled(false).
		WithMemTableSize(4 << 20).WithNumMemtables(2).WithNumCompactors(2).WithBlockCacheSize(4 << 20).WithIndexCacheSize(4 << 20).
		WithCompression(options.None).                               // see checkTable
		WithValueThreshold(512 << 10).WithValueLogFileSize(8 << 20). // everything lives in the tree; the value log stays empty
		WithChecksumVerificationMode(options.OnTableAndBlockRead)
	if err := checkTables(dir, o); err != nil {
		return nil, wrap(err)
	}
	db, err := badger.Open(o)
	if err != nil {
		return nil, wrap(err)
	}
	s := &store{db: db}
	if err := s.checkVersion(filepath.Join(dir, marker)); err != nil {
		return nil, wrap(errors.Join(err, db.Close()))
	}
	return s, nil
}

func (s *store) checkVersion(marker string) error {
	var have []byte
	err := s.db.View(func(txn *badger.Txn) error {
		it, err := txn.Get([]byte(versionKey))
		if err != nil {
			return err
		}
		have, err = it.ValueCopy(nil)
		return err
	})
	_, stat := os.Stat(marker)
	switch {
	case errors.Is(err, badger.ErrKeyNotFound) && errors.Is(stat, fs.ErrNotExist):
		if err := s.write(map[string]any{versionKey: json.RawMessage(version)}); err != nil {
			return err
		}
		return os.WriteFile(marker, []byte("Named queries and subscriptions of Verilot are kept in this folder.\n"), 0o600)
	case errors.Is(err, badger.ErrKeyNotFound):
		return errors.New("its records are lost")
	case err != nil:
		return err
	case string(have) != version:
		return fmt.Errorf("its layout is version %q, and this program reads %s", have, version)
	case stat != nil: // a crash came between the two
		return os.WriteFile(marker, nil, 0o600)
	}
	return nil
}

// write makes the values durable as a whole, as JSON; a nil value deletes its key.
func (s *store) write(values map[string]any) error {
	if s.fault != nil {
		if err := s.fault("before"); err != nil {
			return err
		}
	}
	err := s.db.Update(func(txn *badger.Txn) error {
		for k, v := range values {
			if v == nil {
				if err := txn.Delete([]byte(k)); err != nil {
					return err
				}
				continue
			}
			b, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("encode: %w", err)
			}
			if err := txn.Set([]byte(k), b); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write standing queries: %w", err)
	}
	if s.fault != nil {
		return s.fault("after")
	}
	return nil
}

// load reads everything; there is a bounded number of it.
func (s *store) load() (queries []queryRecord, subs []subscriptionRecord, at map[uuid.UUID]progress, err error) {
	at = map[uuid.UUID]progress{}
	err = s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			key := string(it.Item().Key())
			err := it.Item().Value(func(b []byte) error {
				switch {
				case strings.HasPrefix(key, queryKeys):
					var r queryRecord
					err := json.Unmarshal(b, &r)
					queries = append(queries, r)
					return err
				case strings.HasPrefix(key, subscriptionKeys):
					var r subscriptionRecord
					err := json.Unmarshal(b, &r)
					subs = append(subs, r)
					return err
				case strings.HasPrefix(key, progressKeys):
					id, err := uuid.FromBytes([]byte(key[len(progressKeys):]))
					if err != nil {
						return err
					}
					var p progress
					err = json.Unmarshal(b, &p)
					at[id] = p
					return err
				case key != versionKey:
					return errors.New("it is no record of this program")
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("read the record %q: %w", key, err)
			}
		}
		return nil
	})
	return queries, subs, at, err
}

func (s *store) close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close standing queries: %w", err)
	}
	return nil
}
