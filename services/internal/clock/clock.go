// Package clock is where services take the time from, so that a test can move it.
//
// It has no format and trusts the machine's clock, which people set and which may jump. Nothing that validators agree on depends on it.
package clock

import "time"

// Clock is a source of time and of timers. Methods may be called concurrently. A channel of a timer receives once and is never closed.
type Clock interface {
	Now() time.Time
	// After fires when d has passed, or at once if d is not positive.
	After(d time.Duration) <-chan time.Time
	// At fires at t, or at once if t has passed. Use it for a moment that was computed from an earlier Now: the time spent since then
	// does not make it late.
	At(t time.Time) <-chan time.Time
}

// System returns the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time                         { return time.Now() }
func (system) After(d time.Duration) <-chan time.Time { return time.After(d) }
func (system) At(t time.Time) <-chan time.Time        { return time.After(time.Until(t)) }
