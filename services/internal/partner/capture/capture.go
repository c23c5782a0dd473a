// Package capture takes EPCIS documents and single events in: it checks them event by event, holds
// large ones in a spool, divides what needs several submissions behind the answer, and shows the
// jobs that requests become. What it drafts, package outbox signs and stores.
//
// No more of a document is held in memory than one submission takes.
package capture

import (
	"log/slog"
	"sync"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox"
)

// Config of a service. All of it is required.
type Config struct {
	Sealer    *draft.Sealer
	Journal   *journal.Journal
	Outbox    *outbox.Outbox
	Directory *directory.Directory
	Rules     *foresee.Rules // asked before anything is captured; nil: nothing is
	Jobs      *Jobs
	Spool     string // folder of documents that are being received or divided; the outbox keeps messages of parts there
	Clock     clock.Clock
	Log       *slog.Logger
	Registry  *prometheus.Registry
}

// Service takes documents in. Methods may be called concurrently.
type Service struct {
	cfg   Config
	large chan struct{} // a place for each large document being checked

	// mu guards the fields below, in memory; no file is touched under it.
	mu        sync.Mutex
	spooled   []uuid.UUID        // jobs whose document is to be divided, in order
	whole     map[uuid.UUID]bool // jobs whose file is known to be what was checked
	spoolWake chan struct{}      // something was added to spooled

	// For tests. free is how many bytes the disk of a folder has left; partItems is how many items
	// a part of a divided document may have; step is called between any two steps that a crash
	// could part, and an error stops the service there, as a kill would.
	free      func(dir string) (uint64, error)
	partItems int
	step      func(name string) error
}

// New makes a service over what is stored. Run does the dividing.
func New(cfg Config) (*Service, error) {
	s := &Service{
		cfg: cfg, large: make(chan struct{}, maxLarge), spoolWake: make(chan struct{}, 1), whole: map[uuid.UUID]bool{},
		free: freeSpace, partItems: submission.MaxItems, step: func(string) error { return nil },
	}
	if err := s.loadSpool(); err != nil {
		return nil, err
	}
	cfg.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "verilot_capture_spool_jobs", Help: "Documents that are not divided into submissions to their end."}, func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.spooled))
	}))
	return s, nil
}
