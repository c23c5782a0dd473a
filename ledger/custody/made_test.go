package custody

import (
	"fmt"
	"slices"
	"testing"

	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/verdict"
)

// What is shipped in the minute in which it was made was not shipped before it was made; a minute earlier it was. That holds of
// the thing itself and of what is inside it, whichever record comes first.
func TestShippedBeforeMade(t *testing.T) {
	const day = "2026-02-03T"
	birth := func(at string) string { return "M commissions u1 lot A exp 2028-03-31 at " + day + at }
	orders := map[string]func(made, shipped string) []string{
		"alone": func(m, s string) []string { return []string{birth(m), "M ships u1 to W at " + day + s} },
		"inside": func(m, s string) []string {
			return []string{birth(m), "M packs u1 into c1", "M ships c1 to W at " + day + s}
		},
		"made later": func(m, s string) []string { return []string{"M ships u1 to W at " + day + s, birth(m)} },
		"made later, inside": func(m, s string) []string {
			return []string{"M packs u1 into c1", "M ships c1 to W at " + day + s, birth(m)}
		},
	}
	for _, tt := range []struct {
		made, shipped string
		found         bool
	}{
		{"10:05:00Z", "10:05:00Z", false},
		{"10:05:59.999Z", "10:05:00Z", false},
		{"10:05:30Z", "10:05:29.999Z", false},
		{"10:05:00Z", "10:04:59.999Z", true},
		{"10:05:59Z", "10:04:00Z", true},
		{"10:05:00Z", "10:06:00Z", false},
	} {
		for name, lines := range orders {
			w := newWorld(t)
			w.run(lines(tt.made, tt.shipped)...)
			found := slices.ContainsFunc(w.last.Findings, func(f Finding) bool { return f.Code == verdict.ShipBeforeCommission })
			if found != tt.found {
				t.Errorf("%s, made at %s, shipped at %s: found %t", name, tt.made, tt.shipped, found)
			}
		}
	}
}

// A line that gives each package a time of its own makes the sums of a pallet no longer: births count by the minute.
func TestCostOfBirthTimes(t *testing.T) {
	length := func(step int) int {
		w := newWorld(t)
		for i := range 500 {
			ms := i * step
			w.run(fmt.Sprintf("M commissions u%d lot A exp 2028-03-31 at 2026-02-03T10:05:%02d.%03dZ", i+1, ms/1000, ms%1000))
		}
		w.run("M packs u1..u500 into c1")
		n := 0
		w.st.Scan("i/", func(_ string, b []byte) bool {
			n += len(b)
			return true
		})
		return n
	}
	if same, each := length(0), length(7); each != same || same == 0 {
		t.Errorf("%d bytes of sums for 500 births at one time, %d at 500 times of a minute", same, each)
	}
}

func TestMinute(t *testing.T) {
	for ms, want := range map[int64]int64{0: 0, 59_999: 0, 60_000: 1, -1: -1, -60_000: -1, -60_001: -2} {
		if got := books.Minute(ms); got != want {
			t.Errorf("%d ms are in minute %d, not %d", ms, got, want)
		}
	}
}
