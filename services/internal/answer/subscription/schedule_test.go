package subscription

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func scheduleFor(tb testing.TB, text string) *Schedule {
	tb.Helper()
	s, ok, err := ParseSchedule(fieldsOf(text))
	if err != nil || !ok {
		tb.Fatalf("%q: %v %v", text, ok, err)
	}
	return s
}

// fieldsOf reads "hour=1 minute=5".
func fieldsOf(text string) func(string) string {
	values := map[string]string{}
	for f := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(f, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

// When a schedule comes next, by examples of the standard and around the ends of months and years.
func TestScheduleNext(t *testing.T) {
	for _, tt := range []struct{ name, schedule, after, want string }{
		{"every night, as in the OpenAPI document", "hour=1 minute=5", "2026-11-21T08:00:00Z", "2026-11-22T01:05:00Z"},
		{"the same, and it is once a night", "hour=1 minute=5", "2026-11-22T01:05:00Z", "2026-11-23T01:05:00Z"},
		{"the same, a moment before", "hour=1 minute=5", "2026-11-22T01:04:59.999Z", "2026-11-22T01:05:00Z"},
		{"once per hour (example 1 of the standard)", "second=0 minute=0", "2026-11-21T08:00:00Z", "2026-11-21T09:00:00Z"},
		{"at 2:30 (example 2)", "second=0 minute=30 hour=2", "2026-11-21T02:30:00Z", "2026-11-22T02:30:00Z"},
		{"hourly on weekdays (example 3): Friday night to Monday", "second=0 minute=0 dayOfWeek=[1-5]", "2026-11-20T23:00:00Z", "2026-11-23T00:00:00Z"},
		{"an hour alone is every minute of it", "hour=2", "2026-11-21T02:00:00Z", "2026-11-21T02:01:00Z"},
		{"an hour alone, its last minute", "hour=2", "2026-11-21T02:59:00Z", "2026-11-22T02:00:00Z"},
		{"seconds only when asked for", "hour=2 second=[0-59]", "2026-11-21T02:59:58Z", "2026-11-21T02:59:59Z"},
		{"twice a minute", "second=0,30", "2026-11-21T08:00:01Z", "2026-11-21T08:00:30Z"},
		{"over the end of the year", "second=0,30", "2026-12-31T23:59:30Z", "2027-01-01T00:00:00Z"},
		{"the 31st skips short months", "dayOfMonth=31 hour=0 minute=0", "2026-08-31T00:00:00Z", "2026-10-31T00:00:00Z"},
		{"a leap day", "dayOfMonth=29 month=2 hour=0 minute=0", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"a leap day on a Monday", "dayOfMonth=29 month=2 dayOfWeek=1 hour=0 minute=0", "2026-01-01T00:00:00Z", "2044-02-29T00:00:00Z"},
		{"over a century that has none", "dayOfMonth=29 month=2 dayOfWeek=1 hour=0 minute=0", "2072-02-29T00:00:00Z", "2112-02-29T00:00:00Z"},
		{"day of month and of week must both match", "dayOfMonth=13 dayOfWeek=5 hour=0 minute=0", "2026-11-21T00:00:00Z", "2027-08-13T00:00:00Z"},
		{"Sunday is 7", "dayOfWeek=7 hour=0 minute=0", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
		{"a list of ranges", "minute=[5-6],[10-11],59 hour=[22-23]", "2026-11-21T22:11:00Z", "2026-11-21T22:59:00Z"},
		{"any zone is UTC", "hour=1 minute=5", "2026-11-22T02:04:00+01:00", "2026-11-22T01:05:00Z"},
		{"before 1970", "hour=1 minute=5", "1969-12-31T23:59:59.5Z", "1970-01-01T01:05:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after, err := time.Parse(time.RFC3339, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := scheduleFor(t, tt.schedule).Next(after)
			if text := got.Format(time.RFC3339Nano); !ok || text != tt.want {
				t.Errorf("%s %v, want %s", text, ok, tt.want)
			}
		})
	}
}

func TestScheduleRefusals(t *testing.T) {
	for _, tt := range []struct{ schedule, want string }{
		{"second=60", `second has "60", which is not from 0 to 59`},
		{"hour=24", "not from 0 to 23"},
		{"dayOfMonth=0", "not from 1 to 31"},
		{"month=13", "not from 1 to 12"},
		{"dayOfWeek=0", "not from 1 to 7"},
		{"dayOfWeek=8", "not from 1 to 7"},
		{"minute=-1", "neither a number nor a range"},
		{"minute=+1", "neither a number nor a range"},
		{"minute=1,", "which is not from"},
		{"minute=,", "which is not from"},
		{"minute=*", "neither a number nor a range"},
		{"minute=0/30", "neither a number nor a range"},
		{"minute=1-5", "ranges like [0-59]"},
		{"minute=[5-1]", "whose first number is the greater one"},
		{"minute=[1-5", "is not a range"},
		{"minute=[1]", "is not a range"},
		{"minute=[1-60]", "not from 0 to 59"},
		{"minute=[-5]", "which is not from"},
		{"minute=99999999999999999999", "not from 0 to 59"},
		{"minute=" + strings.Repeat("1,", 200) + "1", "more than 256"},
		{"dayOfMonth=30 month=2", "there is no such day"},
		{"dayOfMonth=31 month=2,4,6,9,11", "there is no such day"},
	} {
		if _, _, err := ParseSchedule(fieldsOf(tt.schedule)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40s: %v, want %s", tt.schedule, err, tt.want)
		}
	}
	if s, ok, err := ParseSchedule(func(string) string { return "" }); s != nil || ok || err != nil {
		t.Errorf("no field: %v %v %v", s, ok, err)
	}
}

// plainly says whether a second is in a schedule, from the definition.
func plainly(s *Schedule, t time.Time) bool {
	weekday := map[time.Weekday]int{time.Monday: 1, time.Tuesday: 2, time.Wednesday: 3, time.Thursday: 4, time.Friday: 5, time.Saturday: 6, time.Sunday: 7}[t.Weekday()]
	for i, v := range [fields]int{t.Second(), t.Minute(), t.Hour(), t.Day(), int(t.Month()), weekday} {
		if s.set[i]&(1<<v) == 0 {
			return false
		}
	}
	return true
}

// Next is in the schedule and later, and nothing between is in it; a schedule stays the same over JSON.
func TestScheduleProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text []string
		for i, b := range bounds {
			// Few values make gaps that are worth searching, on days as in hours.
			if !rapid.Bool().Draw(t, b.name) && i != minute {
				continue
			}
			var parts []string
			for range rapid.IntRange(1, 4).Draw(t, "parts") {
				lo := rapid.IntRange(b.lo, b.hi).Draw(t, "lo")
				if hi := rapid.IntRange(lo, b.hi).Draw(t, "hi"); rapid.Bool().Draw(t, "range") {
					parts = append(parts, fmt.Sprintf("[%d-%d]", lo, hi))
				} else {
					parts = append(parts, fmt.Sprint(lo))
				}
			}
			text = append(text, b.name+"="+strings.Join(parts, ","))
		}
		s, ok, err := ParseSchedule(fieldsOf(strings.Join(text, " ")))
		if err == errNever { //nolint:errorlint // it is what is returned
			t.Skip("never")
		}
		if err != nil || !ok {
			t.Fatal(err)
		}
		after := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "after")).UTC()
		next, ok := s.Next(after)
		if !ok || !next.After(after) || !plainly(s, next) || next.Nanosecond() != 0 {
			t.Fatalf("%v after %s: %s %v", text, after, next, ok)
		}
		// Second by second for a while, and then at random.
		from := after.Truncate(time.Second).Add(time.Second)
		for at := from; at.Before(next) && at.Before(from.Add(3*time.Hour)); at = at.Add(time.Second) {
			if plainly(s, at) {
				t.Fatalf("%v after %s: %s, but %s comes before", text, after, next, at)
			}
		}
		for range 2000 {
			if gap := next.Unix() - from.Unix(); gap > 0 {
				if at := from.Add(time.Duration(rapid.Int64Range(0, gap-1).Draw(t, "at")) * time.Second); plainly(s, at) {
					t.Fatalf("%v after %s: %s, but %s comes before", text, after, next, at)
				}
			}
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var again Schedule
		if err := json.Unmarshal(b, &again); err != nil || again != *s {
			t.Fatalf("%s: %v %v", b, again, err)
		}
	})
}

// A field that is read is one of the grammar, and means the same when its values are written one by one.
func FuzzParseField(f *testing.F) {
	for _, seed := range []string{"0", "1,3", "[5-10]", "[0-59]", "1,[2-3],4", "", ",", "[", "[]", "[-]", "[1-2-3]", "00", "0x1", "١", "1 ,2", "[[1-2]]", "59,[58-59]"} {
		f.Add(seed, byte(0))
		f.Add(seed, byte(5))
	}
	f.Fuzz(func(t *testing.T, text string, field byte) {
		b := bounds[int(field)%len(bounds)]
		set, err := parseField(text, b.lo, b.hi)
		if err != nil {
			return
		}
		if set == 0 || set&^span(b.lo, b.hi) != 0 {
			t.Errorf("%q: %b", text, set)
		}
		if strings.Trim(text, "0123456789,-[]") != "" {
			t.Errorf("%q is not of the grammar", text)
		}
		var values []string
		for v := b.lo; v <= b.hi; v++ {
			if set>>v&1 == 1 {
				values = append(values, fmt.Sprint(v))
			}
		}
		if again, err := parseField(strings.Join(values, ","), b.lo, b.hi); err != nil || again != set {
			t.Errorf("%q: %b, then %b %v", text, set, again, err)
		}
	})
}

func BenchmarkScheduleNext(b *testing.B) {
	s := scheduleFor(b, "dayOfMonth=29 month=2 dayOfWeek=1 hour=0 minute=0")
	after := time.Date(2072, 3, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		s.Next(after)
	}
}
