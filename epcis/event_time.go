package epcis

import (
	"fmt"
	"strings"
	"time"

	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/xsd"
)

// EventTimeMillis is the event time in milliseconds since 1970 UTC, rounded down. A time without a zone is taken
// to be local, in eventTimeZoneOffset.
func EventTimeMillis(e *Event) (int64, error) {
	t, err := xsd.ParseTime(strings.Trim(e.EventTime, xsd.Blank))
	if err != nil {
		return 0, fmt.Errorf("eventTime: %w", err)
	}
	if t.Zoned {
		return t.Millis, nil
	}
	offset, err := xsd.ParseOffset(strings.Trim(e.EventTimeZoneOffset, xsd.Blank))
	if err != nil {
		return 0, fmt.Errorf("eventTime %s has no zone and eventTimeZoneOffset %s is %w", excerpt.Quote(e.EventTime), excerpt.Quote(e.EventTimeZoneOffset), err)
	}
	return t.Millis - int64(offset)*60_000, nil
}

// EventDay is the calendar day, as YYYY-MM-DD, on which the event happened for those who were there: at the offset that
// eventTimeZoneOffset gives. If that cannot be read, the zone of the event time counts.
func EventDay(e *Event) (string, error) {
	t, err := xsd.ParseTime(strings.Trim(e.EventTime, xsd.Blank))
	if err != nil {
		return "", fmt.Errorf("eventTime: %w", err)
	}
	offset, err := xsd.ParseOffset(strings.Trim(e.EventTimeZoneOffset, xsd.Blank))
	switch {
	case err == nil && !t.Zoned: // the time is local already
		offset = 0
	case err != nil && !t.Zoned:
		return "", fmt.Errorf("eventTime %s has no zone and eventTimeZoneOffset %s is %w", excerpt.Quote(e.EventTime), excerpt.Quote(e.EventTimeZoneOffset), err)
	case err != nil:
		offset = t.Offset
	}
	return time.UnixMilli(t.Millis + int64(offset)*60_000).UTC().Format(time.DateOnly), nil
}
