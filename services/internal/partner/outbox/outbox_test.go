package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

const (
	works    = outboxtest.Works
	down     = outboxtest.Down
	silent   = outboxtest.Silent
	forgets  = outboxtest.Forgets
	hijacked = outboxtest.Hijacked
)

// Whatever the broker does to a message, it is judged once, and the job says so.
func TestBrokerFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []outboxtest.Fault
		sends  int
	}{
		{"all is well", nil, 1},
		{"the broker is down", []outboxtest.Fault{down, down}, 3},
		{"the ack is lost, and the block is followed before the second copy is acknowledged", []outboxtest.Fault{silent}, 2},
		{"the ack is lost, and the broker has forgotten the message when it comes again", []outboxtest.Fault{silent, forgets}, 2},
		{"another message got the place that was acknowledged", []outboxtest.Fault{hijacked, hijacked}, 3},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", tt.name, restart), func(t *testing.T) {
				w := newWorld(t)
				w.kill()
				w.ledger.Faults(func(n int) outboxtest.Fault {
					if n <= len(tt.faults) {
						return tt.faults[n-1]
					}
					return works
				})
				first := sync.Once{}
				if restart {
					w.step = func(name string) (err error) {
						if name == "publish: before ack is stored" {
							first.Do(func() { err = outboxtest.ErrKilled })
						}
						return err
					}
				}
				w.start()
				id := w.mustSubmit("k", 1)
				if restart {
					if err := <-w.done; err == nil {
						t.Error("the outbox went on although it was killed")
					}
					w.done <- nil
					w.restart()
				}
				w.accepted(id)
				w.once()
				if sends := w.ledger.Sends(); !restart && sends != tt.sends {
					t.Errorf("sent %d times, want %d", sends, tt.sends)
				}
			})
		}
	}
}

// A data folder that was put back gives out counters twice. The ledger refuses the second use, and
// the outbox signs again.
func TestRestoredBackup(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.accepted(w.mustSubmit("", i))
	}
	w.kill()
	w.dir = t.TempDir()
	w.ledger.Restored()
	w.start()
	if p := w.accepted(w.mustSubmit("", 7)); p.Counter != 4 {
		t.Errorf("%+v", p)
	}
}

// The same, killed at every step of it and again two steps later: also between signing again and
// storing that.
func TestRestoredBackupKilledAtEveryStep(t *testing.T) {
	steps := 0
	for at := 0; at == 0 || at <= steps; at++ {
		t.Run(fmt.Sprint("step ", at), func(t *testing.T) {
			w := newWorld(t)
			for i := range 3 {
				w.accepted(w.mustSubmit("", i))
			}
			w.kill()
			w.dir = t.TempDir()
			w.ledger.Restored()
			var mu sync.Mutex
			n := 0
			names := map[string]bool{}
			w.step = func(name string) error {
				mu.Lock()
				defer mu.Unlock()
				names[name] = true
				if n++; at > 0 && (n == at || n == at+2) {
					return outboxtest.ErrKilled
				}
				return nil
			}
			w.start()
			id, err := w.submit("k", 7)
			for tries := 0; err != nil; tries++ {
				if tries == 3 {
					t.Fatal(err)
				}
				w.restart()
				id, err = w.submit("k", 7)
			}
			for w.await(id, journal.Certified) == nil {
				w.restart()
			}
			if again := w.mustSubmit("k", 7); again != id {
				t.Errorf("two jobs: %s and %s", id, again)
			}
			w.restart()
			w.accepted(id)
			w.once()
			mu.Lock()
			defer mu.Unlock()
			if at == 0 {
				steps = n
				for _, name := range []string{"capture: before commit", "capture: after commit", "publish: before send", "publish: before ack is stored", "publish: after ack is stored", "follow: before commit", "follow: judged", "follow: after commit"} {
					if !names[name] {
						t.Errorf("no step %q", name)
					}
				}
			}
		})
	}
	if steps < 20 {
		t.Errorf("only %d steps", steps)
	}
}

// An ack that comes after its block was followed, killed at every step: the verdict is taken from
// the block that was kept.
func TestLateAckKilledAtEveryStep(t *testing.T) {
	for _, at := range []string{"", "late: judged", "late: after commit"} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t)
			w.kill()
			w.ledger.Faults(func(n int) outboxtest.Fault {
				if n == 1 {
					return silent
				}
				return works
			})
			followed := make(chan struct{})
			var first, gone sync.Once
			late := false
			w.step = func(name string) (err error) {
				switch name {
				case "follow: after commit":
					first.Do(func() { close(followed) })
				case "publish: before send": // the second copy waits until the block with the first is followed
					if w.ledger.Sends() == 1 {
						<-followed
					}
				case "late: judged":
					late = true
				}
				if name == at {
					gone.Do(func() { err = outboxtest.ErrKilled })
				}
				return err
			}
			w.start()
			id := w.mustSubmit("k", 1)
			for w.await(id, journal.Certified) == nil {
				w.restart()
			}
			w.accepted(id)
			w.restart()
			w.once()
			if !late {
				t.Error("the ack was not late")
			}
		})
	}
}

// The outbox keeps submissions while the broker is away and sends them in order, in few batches,
// when it is back.
func TestOutage(t *testing.T) {
	w := newWorld(t)
	outboxtest.Patient(w.clock, true)
	w.ledger.Faults(func(int) outboxtest.Fault { return down })
	var ids []uuid.UUID
	for i := range 50 {
		ids = append(ids, w.mustSubmit("", i))
	}
	if n, _ := w.o.outstanding(); n != 50 {
		t.Errorf("%d rows in the outbox", n)
	}
	w.ledger.Faults(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var last uint64
	for i, id := range ids {
		for {
			w.clock.Advance(time.Minute)
			changed, done := w.o.Watch(id)
			p, err := w.o.j.Part(id, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !p.State.Before(journal.Certified) {
				done()
				if p.Seq <= last {
					t.Errorf("submission %d was published at %d, after the next one", i, p.Seq)
				}
				last = p.Seq
				break
			}
			select {
			case <-changed:
			case <-time.After(10 * time.Millisecond): // the clock is moved again
			case <-ctx.Done():
				t.Fatal(ctx.Err())
			}
			done()
		}
	}
	if sends := w.ledger.Sends(); sends > 150 {
		t.Errorf("%d sends for 50 submissions", sends)
	}
}

// Many callers at once: every one is judged, and no counter is given out twice, not even after a restart.
func TestManyCallers(t *testing.T) {
	w := newWorld(t)
	for round := range 3 {
		ids := make([]uuid.UUID, 40)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				var err error
				if ids[i], err = w.submit("", 100*round+i); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			w.accepted(id)
		}
		w.restart()
	}
	w.once()
}

func TestSameRequest(t *testing.T) {
	w := newWorld(t)
	a := w.mustSubmit("k1", 1)
	w.restart()
	if b := w.mustSubmit("k1", 1); a != b {
		t.Errorf("two jobs for one request: %s and %s", a, b)
	}
	_, err := w.submit("k1", 2)
	if reused, ok := errors.AsType[*KeyReusedError](err); !ok || reused.Job != a {
		t.Errorf("another request under the same key: %v", err)
	}
	if d := w.mustSubmit("k2", 1); d == a {
		t.Error("another key got the same job")
	}
	var wg sync.WaitGroup
	ids := make([]uuid.UUID, 20)
	for i := range ids {
		wg.Go(func() { ids[i], _ = w.submit("k3", 3) })
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == uuid.Nil {
			t.Errorf("one request, asked at once: %v", ids)
			break
		}
	}
}

// An outbox that is killed between any two steps, over a broker that fails in every way it can,
// ends with each submission judged exactly once.
func TestCrashes(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	for seed := range rounds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewSource(int64(seed)))
			w := newWorld(t)
			w.kill()
			w.ledger.Auto(false)
			dice := rand.New(rand.NewSource(int64(seed) + 500)) // the ledger's own, under its lock
			w.ledger.Faults(func(int) outboxtest.Fault {
				if dice.Intn(3) == 0 {
					return []outboxtest.Fault{down, silent, forgets, hijacked}[dice.Intn(4)]
				}
				return works
			})
			killer := outboxtest.NewKiller(seed)
			w.step = killer.Step
			w.start()
			for i := range 12 {
				for {
					_, err := w.submit(fmt.Sprint("cmd-", i), i)
					if err == nil {
						break
					}
					if !errors.Is(err, outboxtest.ErrKilled) {
						t.Fatal(err)
					}
					w.restart() // the caller got no answer, so it asks again
				}
				if rng.Intn(2) == 0 {
					w.ledger.Cut()
				}
				if w.killed() {
					w.restart()
				}
			}
			killer.Spare()
			w.restart()
			w.ledger.Faults(nil)
			w.ledger.Auto(true)
			w.ledger.Cut()
			ids := map[uuid.UUID]bool{}
			for i := range 12 {
				id := w.mustSubmit(fmt.Sprint("cmd-", i), i)
				if ids[id] {
					t.Errorf("two requests share job %s", id)
				}
				ids[id] = true
				w.accepted(id)
			}
			w.once()
		})
	}
}

// A folder whose sync failed may or may not have the file: that is no "not stored", after which the service would go on.
func TestFailedSyncOfTheSpool(t *testing.T) {
	w := newWorld(t)
	fault := errors.New("input/output error")
	w.o.syncDir = func(string) error { return fault }
	job := uuid.Must(uuid.NewV7())
	d := lot(1)
	_, sealed, err := d.Group(w.o.sealer)
	if err != nil {
		t.Fatal(err)
	}
	err = w.o.AddPart(job, 0, 2, d.Items, sealed[0])
	if !errors.Is(err, fault) || errors.Is(err, ErrNotStored) {
		t.Errorf("the part: %v", err)
	}
	if n := w.o.Unacknowledged(job); n != 0 {
		t.Errorf("%d submissions are outstanding", n)
	}
	w.restart() // the file, if it is there, belongs to no row
	files, err := os.ReadDir(w.o.cfg.Spool)
	if err != nil || len(files) != 0 {
		t.Errorf("the spool has %v, %v", files, err)
	}
}

// A service that has no authority's key takes no draft for one.
func TestNoAuthority(t *testing.T) {
	w := newWorld(t)
	w.o.authority = nil
	d := lot(1)
	d.Authority = true
	_, err := w.o.Submit(t.Context(), NewRequest("", "lot", canonical.Hash{}), func(context.Context) (*draft.Draft, error) { return d, nil })
	if !errors.Is(err, ErrNoAuthority) {
		t.Error(err)
	}
}
