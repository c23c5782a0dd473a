package main

import (
	"context"
	"sync"
	"time"
)

// A schedule is open loop: request i is due at start + i/rate, whatever became of the ones before it.
type schedule struct {
	start time.Time
	rate  float64 // per second
	n     int
}

func newSchedule(start time.Time, rate float64, d time.Duration) schedule {
	return schedule{start: start, rate: rate, n: int(rate * d.Seconds())}
}

func (s schedule) due(i int) time.Time {
	return s.start.Add(time.Duration(float64(i) / s.rate * float64(time.Second)))
}

// run calls fire at every due time. fire must not block: one that is late makes the next ones late, and that shows as
// lateness, since everything is counted from due. Requests that are overdue are fired at once, never left out.
func (s schedule) run(ctx context.Context, fire func(i int, due time.Time)) {
	for i := range s.n {
		due := s.due(i)
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		fire(i, due)
	}
}

// slots bound what is under way. A request that finds none free is not sent, and is counted.
type slots chan struct{}

// try runs fn beside the caller, as one of wg, if there is a free slot.
func (s slots) try(fn func(), wg *sync.WaitGroup) bool {
	select {
	case s <- struct{}{}:
		wg.Go(func() {
			defer func() { <-s }()
			fn()
		})
		return true
	default:
		return false
	}
}
