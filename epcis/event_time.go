package epcis

import (
	"fmt"
	"strings"
)

// EventTimeMillis is the event time in milliseconds since 1970 UTC, rounded down. A time without a zone is taken
// to be local, in eventTimeZoneOffset.
func EventTimeMillis(e *Event) (int64, error) {
	t, err := ParseTime(strings.Trim(e.EventTime, Blank))
	if err != nil {
		return 0, fmt.Errorf("eventTime: %w", err)
	}
	if t.Zoned {
		return t.Millis, nil
	}
	offset, err := ParseOffset(strings.Trim(e.EventTimeZoneOffset, Blank))
	if err != nil {
		return 0, fmt.Errorf("eventTime %s has no zone and eventTimeZoneOffset %s is %w", Quote(e.EventTime), Quote(e.EventTimeZoneOffset), err)
	}
	return t.Millis - int64(offset)*60_000, nil
}
