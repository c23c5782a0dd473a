package subscription

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// A Schedule says when a scheduled query runs (EPCIS 2.0 section 8.2.5.3): at every second, in UTC, whose parts are all in the
// fields that are given. A field that is left out takes every value, but for the second, which is 0: "minute 5 of hour 1" is one
// run a night, as in the OpenAPI document's example, and not sixty.
type Schedule struct {
	text [fields]string // as it was given, without white space
	set  [fields]uint64 // bit n: the value n is in it
}

// The fields, in the order of [Schedule].text.
const (
	second = iota
	minute
	hour
	dayOfMonth
	month
	dayOfWeek
	fields
)

var bounds = [fields]struct {
	name   string
	lo, hi int
}{{"second", 0, 59}, {"minute", 0, 59}, {"hour", 0, 23}, {"dayOfMonth", 1, 31}, {"month", 1, 12}, {"dayOfWeek", 1, 7}}

const (
	maxField = 256 // characters
	// horizon is the number of days after which a schedule that has not come never will: leap days fall on every day of the
	// week within 40 years, also around a century's end.
	horizon = 41 * 366
)

var errNever = errors.New("schedule: there is no such day; change dayOfMonth, month or dayOfWeek")

// A fieldError says which field of a schedule is wrong.
type fieldError struct{ name, message string }

func (e *fieldError) Error() string { return "schedule: " + e.name + " " + e.message }

// ParseSchedule reads the fields that get knows; "" is one that is left out. ok is false when all are.
func ParseSchedule(get func(name string) string) (s *Schedule, ok bool, err error) {
	s = &Schedule{}
	for i, b := range bounds {
		text := strings.TrimSpace(get(b.name))
		if text == "" {
			s.set[i] = span(b.lo, b.hi)
			continue
		}
		ok = true
		if s.set[i], err = parseField(text, b.lo, b.hi); err != nil {
			return nil, true, &fieldError{b.name, err.Error()}
		}
		s.text[i] = text
	}
	if !ok {
		return nil, false, nil
	}
	if s.text[second] == "" {
		s.set[second] = 1
	}
	if _, comes := s.Next(time.Unix(0, 0)); !comes {
		return nil, true, errNever
	}
	return s, true, nil
}

func span(lo, hi int) uint64 { return (uint64(1)<<(hi+1) - 1) &^ (uint64(1)<<lo - 1) }

// parseField reads Element ("," Element)*, where an element is a number or "[" number "-" number "]".
func parseField(text string, lo, hi int) (set uint64, err error) {
	if len(text) > maxField {
		return 0, fmt.Errorf("has more than %d characters", maxField)
	}
	for element := range strings.SplitSeq(text, ",") {
		from, to := element, element
		if inner, ok := strings.CutPrefix(element, "["); ok {
			if inner, ok = strings.CutSuffix(inner, "]"); ok {
				from, to, ok = strings.Cut(inner, "-")
			}
			if !ok {
				return 0, fmt.Errorf("has %q, which is not a range; write it like [%d-%d]", element, lo, hi)
			}
		}
		a, err := parseNumber(from, lo, hi)
		if err != nil {
			return 0, err
		}
		b, err := parseNumber(to, lo, hi)
		if err != nil {
			return 0, err
		}
		if a > b {
			return 0, fmt.Errorf("has the range %s, whose first number is the greater one", element)
		}
		set |= span(a, b)
	}
	return set, nil
}

func parseNumber(text string, lo, hi int) (int, error) {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' { // Atoi would take a sign
			return 0, fmt.Errorf("has %q, which is neither a number nor a range; write values like 1,3 and ranges like [%d-%d]", text, lo, hi)
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < lo || n > hi {
		return 0, fmt.Errorf("has %q, which is not from %d to %d", text, lo, hi)
	}
	return n, nil
}

// Next is the first time after `after` at which the schedule runs; false: there is none.
func (s *Schedule) Next(after time.Time) (time.Time, bool) {
	t := after.UTC().Truncate(time.Second).Add(time.Second)
	from := [3]int{second: t.Second(), minute: t.Minute(), hour: t.Hour()}
	year, m, day := t.Date()
	for i := range horizon {
		d := time.Date(year, m, day+i, 0, 0, 0, 0, time.UTC)
		if s.onDay(d) {
			if of, ok := s.inDay(from); ok {
				return d.Add(of), true
			}
		}
		from = [3]int{}
	}
	return time.Time{}, false
}

func (s *Schedule) has(field, value int) bool { return s.set[field]>>value&1 == 1 }

func (s *Schedule) onDay(d time.Time) bool {
	weekday := int(d.Weekday())
	if weekday == 0 {
		weekday = 7
	}
	return s.has(month, int(d.Month())) && s.has(dayOfMonth, d.Day()) && s.has(dayOfWeek, weekday)
}

// inDay is the first time of a matching day at or after from.
func (s *Schedule) inDay(from [3]int) (time.Duration, bool) {
	at := func(h, m, sec int) (time.Duration, bool) {
		return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second, true
	}
	firstMinute, firstSecond := s.first(minute, 0), s.first(second, 0)
	if s.has(hour, from[hour]) {
		if s.has(minute, from[minute]) {
			if sec := s.first(second, from[second]); sec >= 0 {
				return at(from[hour], from[minute], sec)
			}
		}
		if m := s.first(minute, from[minute]+1); m >= 0 {
			return at(from[hour], m, firstSecond)
		}
	}
	if h := s.first(hour, from[hour]+1); h >= 0 {
		return at(h, firstMinute, firstSecond)
	}
	return 0, false
}

// first is the smallest value of a field that is at least lo; -1: none.
func (s *Schedule) first(field, lo int) int {
	rest := s.set[field] >> lo << lo
	if rest == 0 {
		return -1
	}
	return bits.TrailingZeros64(rest)
}

// scheduleText is a schedule in JSON.
type scheduleText struct {
	Second     string `json:"second,omitempty"`
	Minute     string `json:"minute,omitempty"`
	Hour       string `json:"hour,omitempty"`
	DayOfMonth string `json:"dayOfMonth,omitempty"`
	Month      string `json:"month,omitempty"`
	DayOfWeek  string `json:"dayOfWeek,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (s *Schedule) MarshalJSON() ([]byte, error) {
	return json.Marshal(scheduleText{s.text[second], s.text[minute], s.text[hour], s.text[dayOfMonth], s.text[month], s.text[dayOfWeek]})
}

// UnmarshalJSON implements json.Unmarshaler, for what was stored.
func (s *Schedule) UnmarshalJSON(b []byte) error {
	var t scheduleText
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	values := map[string]string{"second": t.Second, "minute": t.Minute, "hour": t.Hour, "dayOfMonth": t.DayOfMonth, "month": t.Month, "dayOfWeek": t.DayOfWeek}
	p, ok, err := ParseSchedule(func(name string) string { return values[name] })
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("schedule: no field is given")
	}
	*s = *p
	return nil
}
