package epcis

import (
	"fmt"
	"strings"

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
