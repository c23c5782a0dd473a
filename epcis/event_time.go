package epcis

import (
	"fmt"
	"strings"
)

// EventTimeMillis is the event time in milliseconds since 1970 UTC, rounded down. A time without a zone is taken
// to be local, in eventTimeZoneOffset.
func EventTimeMillis(e *Event) (int64, error) {
	t, err := parseTime(strings.Trim(e.EventTime, blank))
	if err != nil {
		return 0, fmt.Errorf("eventTime: %w", err)
	}
	if t.zoned {
		return t.millis, nil
	}
	offset, err := parseOffset(strings.Trim(e.EventTimeZoneOffset, blank))
	if err != nil {
		return 0, fmt.Errorf("eventTime %s has no zone and eventTimeZoneOffset %s is %w", quote(e.EventTime), quote(e.EventTimeZoneOffset), err)
	}
	return t.millis - int64(offset)*60_000, nil
}
