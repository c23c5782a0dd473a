package xsd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"verilot.dev/epcis/internal/excerpt"
)

// TimeHint says how to write a time.
const TimeHint = "write it as 2026-11-20T13:15:00.000-05:00"

// Instant is an xsd:dateTime. Its fraction is cut to milliseconds: times before 1970 too go down,
// not towards zero.
type Instant struct {
	Millis int64 // since 1970 UTC; as if in UTC when there is no zone
	Zoned  bool
	Offset int // of the zone, in minutes
}

// ParseTime reads an xsd:dateTime of the years 0001 to 9999. Package time is not used: it takes and refuses other
// texts than XML Schema does, and the reading of a text must not change with the Go version.
func ParseTime(s string) (Instant, error) {
	bad := func() error { return fmt.Errorf("%s is not a date and time", excerpt.Quote(s)) } // made only when needed
	if len(s) < len("2006-01-02T15:04:05") || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return Instant{}, bad()
	}
	year, ok1 := Digits(s[0:4])
	month, ok2 := Digits(s[5:7])
	day, ok3 := Digits(s[8:10])
	hour, ok4 := Digits(s[11:13])
	minute, ok5 := Digits(s[14:16])
	second, ok6 := Digits(s[17:19])
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 {
		return Instant{}, bad()
	}
	rest := s[19:]
	millis := 0
	if strings.HasPrefix(rest, ".") {
		n := 1
		for n < len(rest) && '0' <= rest[n] && rest[n] <= '9' {
			n++
		}
		if n == 1 {
			return Instant{}, bad()
		}
		millis, _ = Digits((rest[1:n] + "00")[:3])
		if hour == 24 && strings.Trim(rest[1:n], "0") != "" {
			return Instant{}, bad()
		}
		rest = rest[n:]
	}
	switch {
	case year < 1, month < 1, month > 12, day < 1, day > DaysIn(year, month):
		return Instant{}, fmt.Errorf("%s: there is no such day", excerpt.Quote(s))
	case hour > 24, minute > 59, second > 59, hour == 24 && (minute > 0 || second > 0):
		return Instant{}, fmt.Errorf("%s: there is no such time of day", excerpt.Quote(s))
	}
	t := Instant{Millis: ((int64(days(year, month, day))*24+int64(hour))*60+int64(minute))*60_000 + int64(second)*1000 + int64(millis)}
	switch rest {
	case "":
		return t, nil
	case "Z":
		t.Zoned = true
		return t, nil
	}
	offset, err := ParseOffset(rest)
	if err != nil {
		return Instant{}, fmt.Errorf("%s: after the seconds, want Z or a zone such as -05:00", excerpt.Quote(s))
	}
	t.Zoned, t.Offset = true, offset
	t.Millis -= int64(offset) * 60_000
	return t, nil
}

// ErrOffset is the error of ParseOffset.
var ErrOffset = errors.New("not an offset between -14:00 and +14:00")

// ParseOffset reads an eventTimeZoneOffset and returns its minutes.
func ParseOffset(s string) (int, error) {
	if len(s) != 6 || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, ErrOffset
	}
	h, ok1 := Digits(s[1:3])
	m, ok2 := Digits(s[4:6])
	if !ok1 || !ok2 || m > 59 || h > 14 || h == 14 && m > 0 {
		return 0, ErrOffset
	}
	if s[0] == '-' {
		return -(h*60 + m), nil
	}
	return h*60 + m, nil
}

// DaysIn is the number of days of a month.
func DaysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// days counts from 1970-01-01 in the Gregorian calendar.
func days(year, month, day int) int {
	if month <= 2 { // the year begins in March: leap days are last
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 719469
}

// Moment is what all spellings of a moment have in common; anything else is returned as it is. A time without zone is in that
// of offset.
func Moment(s, offset string) string {
	s = strings.Trim(s, Blank)
	t, err := ParseTime(s)
	if err != nil {
		return s
	}
	if !t.Zoned {
		minutes, bad := ParseOffset(offset)
		if bad != nil {
			return s
		}
		t.Millis -= int64(minutes) * 60_000
	}
	rest := ""
	if fraction, ok := strings.CutPrefix(s[19:], "."); ok {
		end := strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(fraction)
		}
		if end > 3 {
			rest = strings.TrimRight(fraction[3:end], "0")
		}
	}
	return strconv.Itoa(int(t.Millis)) + "." + rest
}
