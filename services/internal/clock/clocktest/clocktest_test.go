package clocktest

import (
	"testing"
	"time"
)

func TestFake(t *testing.T) {
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	c := New(begin)
	fired := func(timer <-chan time.Time) time.Duration {
		select {
		case at := <-timer:
			return at.Sub(begin)
		default:
			return -1
		}
	}
	minute, hour := c.After(time.Minute), c.At(begin.Add(time.Hour))
	if d := fired(c.After(0)); d != 0 {
		t.Errorf("after nothing: %s", d)
	}
	if d := fired(c.At(begin.Add(-time.Hour))); d != 0 {
		t.Errorf("at a moment that has passed: %s", d)
	}
	c.Advance(59 * time.Second)
	if a, b := fired(minute), fired(hour); a != -1 || b != -1 {
		t.Errorf("too early: %s, %s", a, b)
	}
	c.Advance(time.Second)
	if a, b := fired(minute), fired(hour); a != time.Minute || b != -1 {
		t.Errorf("after a minute: %s, %s", a, b)
	}
	c.SetEager(time.Minute)
	if a, b := fired(c.After(time.Minute)), fired(c.After(time.Minute+1)); a != time.Minute || b != -1 {
		t.Errorf("eager for a minute: %s, %s", a, b)
	}
	c.SetEager(0)
	if d := fired(c.After(1)); d != -1 {
		t.Errorf("no longer eager: %s", d)
	}
	c.Advance(2 * time.Hour)
	if d := fired(hour); d != 2*time.Hour+time.Minute || !c.Now().Equal(begin.Add(d)) {
		t.Errorf("after two hours: %s, and it is %s", d, c.Now())
	}
	if len(c.timers) != 0 {
		t.Errorf("%d timers are left", len(c.timers))
	}
}
