package custody

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/state"
)

// TestTimersInTurn: however many run out at once, a block runs so many, oldest first; nothing is forgotten.
func TestTimersInTurn(t *testing.T) {
	due := func(w *world) (timers, subjects int, codes string) {
		w.height++
		c := w.context("")
		c.Pos = block.TimerCause(w.height)
		for _, l := range Lapse(w.st, c) {
			timers++
			subjects += len(l.Subjects)
			if !strings.HasSuffix(codes, string(l.Code)) {
				codes += " " + string(l.Code)
			}
		}
		return timers, subjects, codes
	}
	w := newWorld(t)
	for i := range 1001 {
		w.run(fmt.Sprintf("W holds u%d", i+1)) // unknown: NOT_COMMISSIONED
	}
	w.now = w.now.Add(48 * time.Hour)
	for _, want := range []int{1000, 1, 0} {
		if n, s, codes := due(w); n != want || s != want {
			t.Errorf("%d timers of%s with %d subjects, want %d", n, codes, s, want)
		}
	}

	// By subjects: 3,000 and 3,000 do not fit one block, 5,000 are alone.
	w = newWorld(t)
	w.run("W holds u1..u3000", "W holds u3001..u6000", "W holds u6001..u11000", "W holds u11001..u11010", "W holds u11011")
	w.now = w.now.Add(48 * time.Hour)
	for _, want := range []string{"1 3000", "1 3000", "1 5000", "2 11", "0 0"} {
		if n, s, _ := due(w); fmt.Sprint(n, s) != want {
			t.Errorf("%d timers, %d subjects, want %s", n, s, want)
		}
	}
	if u, _ := Lookup(w.st, key("u4711")); strings.Join(u.Overlays, " ") != "hold quarantined" {
		t.Error(u.Overlays)
	}
}

// TestRolledBackStartsNothing: what is taken back leaves no timer, no closed finding and no lifted hold.
func TestRolledBackStartsNothing(t *testing.T) {
	w := newWorld(t)
	w.run("W receives u1", "M commissions u3 lot A exp 2028-03-31")
	w.now = w.now.Add(48 * time.Hour)
	w.line("later 1h")
	under := w.st
	before := dump(under)
	over := state.NewOverlay(under)
	w.st = over
	over.Attempt(func() bool {
		w.run("W receives u2", "M commissions u1 lot A exp 2028-03-31", "M ships u1 to W")
		if len(w.last.Amendments) != 1 {
			t.Error(w.last.Amendments)
		}
		return false
	})
	mem := under.(*state.Memory)
	mem.Apply(over.WriteSet())
	if after := dump(under); after != before {
		t.Error("a rolled-back submission left something behind")
	}
	w.st = under
	w.now = w.now.Add(48 * time.Hour)
	if got := w.line("later 1h"); got[0] != "nothing is due" {
		t.Error(got)
	}
}

func dump(v state.View) string {
	var b strings.Builder
	v.Scan("", func(k string, value []byte) bool {
		fmt.Fprintf(&b, "%q=%x\n", k, value)
		return true
	})
	return b.String()
}
