package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"verilot.dev/services/internal/clock"
)

func TestSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, begin := clock.System(), time.Now()
		if !c.Now().Equal(begin) {
			t.Errorf("it is %s, want %s", c.Now(), begin)
		}
		after, at := c.After(time.Minute), c.At(begin.Add(2*time.Minute))
		time.Sleep(30 * time.Second) // no time passes outside the bubble
		late := c.At(begin.Add(time.Minute))
		for name, tt := range map[string]struct {
			timer <-chan time.Time
			want  time.Duration
		}{
			"after a minute":                    {after, time.Minute},
			"at the second minute":              {at, 2 * time.Minute},
			"at the first minute, asked late":   {late, time.Minute},
			"after nothing":                     {c.After(0), 30 * time.Second},
			"at a moment that has passed":       {c.At(begin), 30 * time.Second},
			"after less than nothing":           {c.After(-time.Hour), 30 * time.Second},
			"at the moment that it is just now": {c.At(c.Now()), 30 * time.Second},
		} {
			if fired := <-tt.timer; fired.Sub(begin) != tt.want {
				t.Errorf("%s: fired after %s, want %s", name, fired.Sub(begin), tt.want)
			}
		}
	})
}
