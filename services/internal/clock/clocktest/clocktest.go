// Package clocktest has a clock for tests: it stands still until a test moves it.
package clocktest

import (
	"slices"
	"sync"
	"time"

	"verilot.dev/services/internal/clock"
)

// Fake is a clock that stands still until Advance. Methods may be called concurrently.
type Fake struct {
	mu     sync.Mutex // guards what follows
	now    time.Time
	timers []timer
	eager  time.Duration
}

type timer struct {
	at time.Time
	ch chan time.Time
}

var _ clock.Clock = (*Fake)(nil)

// New returns a clock that shows now.
func New(now time.Time) *Fake { return &Fake{now: now} }

// Now implements [clock.Clock].
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// After implements [clock.Clock].
func (f *Fake) After(d time.Duration) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.timer(f.now.Add(d))
}

// At implements [clock.Clock].
func (f *Fake) At(t time.Time) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.timer(t)
}

func (f *Fake) timer(at time.Time) <-chan time.Time {
	ch := make(chan time.Time, 1)
	if !at.After(f.now.Add(f.eager)) {
		ch <- f.now
		return ch
	}
	f.timers = append(f.timers, timer{at, ch})
	return ch
}

// Advance moves the clock, and fires the timers that it passes.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	f.timers = slices.DeleteFunc(f.timers, func(t timer) bool {
		if t.at.After(f.now) {
			return false
		}
		t.ch <- f.now
		return true
	})
}

// SetEager makes new timers of up to d fire at once, for tests of code that waits between attempts. 0 ends it. Timers that were made
// before wait on.
func (f *Fake) SetEager(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.eager = d
}
