package outbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/clock/clocktest"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// world is the outbox of the maker over a ledger; kill and restart keep only what is on disk.
type world struct {
	tb     testing.TB
	ledger *outboxtest.Ledger
	clock  *clocktest.Fake
	dir    string
	step   func(string) error

	o    *Outbox
	stop context.CancelFunc
	done chan error
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb, ledger: outboxtest.NewLedger(tb, outboxtest.Genesis(tb, true)), dir: tb.TempDir(), clock: outboxtest.NewClock()}
	w.start()
	tb.Cleanup(w.kill)
	return w
}

func (w *world) start() {
	w.tb.Helper()
	j, err := journal.Open(w.dir)
	if err != nil {
		w.tb.Fatal(err)
	}
	step := w.step
	o, err := Open(Config{
		Journal: j, Spool: filepath.Join(w.dir, "spool"), Genesis: w.ledger.G, Party: "maker", Key: outboxtest.Key("maker/event"),
		AuthorityParty: "board", AuthorityKey: outboxtest.Key("board/authority"), Bus: w.ledger, Clock: w.clock, Step: step,
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	w.o, w.stop, w.done = o, stop, done
}

// kill ends the service; what it had not made durable is gone.
func (w *world) kill() {
	w.tb.Helper()
	if w.o == nil {
		return
	}
	w.stop()
	if err := <-w.done; err != nil && !errors.Is(err, outboxtest.ErrKilled) {
		w.tb.Errorf("run: %v", err)
	}
	if err := w.o.j.Close(); err != nil {
		w.tb.Error(err)
	}
	w.o = nil
}

func (w *world) restart() {
	w.tb.Helper()
	w.kill()
	w.start()
}

// killed reports whether the service was, by a step.
func (w *world) killed() bool {
	select {
	case err := <-w.done:
		w.done <- err
		return true
	default:
		return false
	}
}

// lot is a draft of one registration.
func lot(i int) *draft.Draft {
	l := &registry.Lot{GTIN: "00399990100013", Lot: fmt.Sprintf("L%d", i), Expiry: "2028-01-31"}
	return &draft.Draft{Kind: "lots", OnError: submission.Rollback, Items: []draft.Item{draft.Registration(wire.KindLot, l, l.Lot)}}
}

func (w *world) submit(key string, i int) (uuid.UUID, error) {
	return w.o.Submit(context.Background(), NewRequest(key, fmt.Sprint("lot ", i), canonical.Hash{}), func(context.Context) (*draft.Draft, error) { return lot(i), nil })
}

func (w *world) mustSubmit(key string, i int) uuid.UUID {
	w.tb.Helper()
	id, err := w.submit(key, i)
	if err != nil {
		w.tb.Fatal(err)
	}
	return id
}

// await waits until all of a job is in a state, or the service was killed (nil).
func (w *world) await(id uuid.UUID, want journal.State) []journal.Part {
	w.tb.Helper()
	late := time.After(20 * time.Second)
	for {
		changed, done := w.o.Watch(id)
		rec, err := w.o.j.Job(id)
		if err != nil {
			w.tb.Fatal(err)
		}
		parts, whole, err := w.o.j.Parts(id, rec)
		if err != nil {
			w.tb.Fatal(err)
		}
		for _, p := range parts {
			whole = whole && !p.State.Before(want)
		}
		if whole {
			done()
			return parts
		}
		select {
		case <-changed:
		case err := <-w.done:
			w.done <- err
			done()
			return nil
		case <-late:
			w.tb.Fatalf("job %s is not %s: %+v", id, want, parts)
		}
		done()
	}
}

// accepted waits for a job's verdicts, which must be good.
func (w *world) accepted(id uuid.UUID) journal.Part {
	w.tb.Helper()
	parts := w.await(id, journal.Certified)
	if len(parts) != 1 || len(parts[0].Items) != 1 || parts[0].Items[0].Verdict != block.Accepted {
		w.tb.Errorf("%+v", parts)
		return journal.Part{}
	}
	return parts[0]
}

// once checks that everything was judged once, and that nothing is left to do.
func (w *world) once() {
	w.tb.Helper()
	for id, n := range w.ledger.Judged() {
		if n != 1 {
			w.tb.Errorf("submission %s was judged %d times", id, n)
		}
	}
	if n, _ := w.o.outstanding(); n != 0 {
		w.tb.Errorf("%d rows are left in the outbox", n)
	}
}
