package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The fake clock is synctest's: time passes when everybody waits.
func TestScheduleDoesNotWaitForAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var wg sync.WaitGroup
		sent := 0
		inFlight := make(slots, 1000)
		newSchedule(start, 10, 2*time.Second).run(t.Context(), func(i int, due time.Time) {
			if want := start.Add(time.Duration(i) * 100 * time.Millisecond); !due.Equal(want) || !time.Now().Equal(want) {
				t.Errorf("request %d is due at %s and sent at %s, want %s", i, due, time.Now(), want)
			}
			if inFlight.try(func() { time.Sleep(time.Minute) }, &wg) { // a server that hangs
				sent++
			}
		})
		if sent != 20 || time.Since(start) != 1900*time.Millisecond {
			t.Errorf("%d sent after %s, want 20 after 1.9s", sent, time.Since(start))
		}
		wg.Wait()
	})
}

func TestScheduleCountsLatenessFromTheDueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		st := newStats(start, 10*time.Second)
		newSchedule(start, 10, 10*time.Second).run(t.Context(), func(i int, due time.Time) {
			if i == 10 {
				time.Sleep(2 * time.Second) // the generator itself stalls once
			}
			st.record("captured", due, time.Now().Add(5*time.Millisecond))
		})
		s, _ := st.stageReport("captured")
		if s.Latency.Count != 100 {
			t.Errorf("%d measured, want all 100: those overdue are sent too", s.Latency.Count)
		}
		// 20 requests were due during the stall and the one that stalled: they waited 0.1 to 2 s, and say so.
		if s.Latency.P50 > 6 || s.Latency.P90 < 900 || s.Latency.Max < 2000 {
			t.Errorf("p50 %v p90 %v max %v ms; want 5, more than 900, more than 2000: a stall must not be left out", s.Latency.P50, s.Latency.P90, s.Latency.Max)
		}
	})
}

func TestWhatFindsNoSlotIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		inFlight := make(slots, 2)
		sent, unsent := 0, 0
		newSchedule(time.Now(), 10, time.Second).run(t.Context(), func(int, time.Time) {
			if inFlight.try(func() { time.Sleep(450 * time.Millisecond) }, &wg) {
				sent++
			} else {
				unsent++
			}
		})
		wg.Wait()
		if sent != 4 || unsent != 6 {
			t.Errorf("%d sent and %d not, want 4 and 6", sent, unsent)
		}
	})
}

func TestScheduleStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 550*time.Millisecond)
		defer cancel()
		n := 0
		newSchedule(time.Now(), 10, time.Hour).run(ctx, func(int, time.Time) { n++ })
		if n != 6 {
			t.Errorf("%d sent before the end, want 6", n)
		}
	})
}
