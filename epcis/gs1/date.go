package gs1

import (
	"fmt"

	"verilot.dev/epcis/internal/xsd"
)

// A Date is a calendar day: an expiry, a production date. Dates are comparable. The zero value is invalid.
type Date struct {
	year  int16
	month uint8
	day   uint8
}

// ParseExpiry reads the YYMMDD of application identifiers 11, 13, 15, 16 and 17 (General Specifications 7.12).
// Day 00 means the last day of the month. The century follows from ref, the year in which the reading is made: a
// year 51 or more ahead of it belongs to the century before, one 50 or more behind it to the century after.
// Validators must agree on ref, so it comes from the event or the block, never from a clock. Keep the raw text
// where it matters whether the label said 00.
func ParseExpiry(yymmdd string, ref int) (Date, error) {
	if ref < 100 || ref > 9899 {
		return Date{}, fail(CodeExpiry, yymmdd, "the reference year is %d, want 100 to 9899", ref)
	}
	if len(yymmdd) != 6 || !isDigits(yymmdd) {
		return Date{}, fail(CodeExpiry, yymmdd, "want six digits YYMMDD")
	}
	yy, month, day := two(yymmdd), two(yymmdd[2:]), two(yymmdd[4:])
	year := ref - ref%100 + yy
	switch ahead := yy - ref%100; {
	case ahead >= 51:
		year -= 100
	case ahead <= -50:
		year += 100
	}
	if month >= 1 && month <= 12 && day == 0 {
		day = xsd.DaysIn(year, month)
	}
	return newDate(yymmdd, year, month, day)
}

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' || !isDigits(s[:4]) || !isDigits(s[5:7]) || !isDigits(s[8:]) {
		return Date{}, fail(CodeExpiry, s, "want a date YYYY-MM-DD")
	}
	return newDate(s, two(s)*100+two(s[2:]), two(s[5:]), two(s[8:]))
}

// NewDate makes the date of a year, month and day.
func NewDate(year, month, day int) (Date, error) {
	return newDate(fmt.Sprintf("%04d-%02d-%02d", year, month, day), year, month, day)
}

func newDate(input string, year, month, day int) (Date, error) {
	switch {
	case year < 1 || year > 9999:
		return Date{}, fail(CodeExpiry, input, "the year is %d, want 1 to 9999", year)
	case month < 1 || month > 12:
		return Date{}, fail(CodeExpiry, input, "the month is %02d, want 01 to 12", month)
	case day < 1 || day > xsd.DaysIn(year, month):
		return Date{}, fail(CodeExpiry, input, "the day is %02d, but %04d-%02d has %d days", day, year, month, xsd.DaysIn(year, month))
	}
	return Date{int16(year), uint8(month), uint8(day)}, nil
}

func two(s string) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

// String returns YYYY-MM-DD, "" for the zero value.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day)
}

// YYMMDD returns the six digits of an element string, with the true day.
func (d Date) YYMMDD() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d%02d%02d", d.year%100, d.month, d.day)
}

// IsZero reports whether d is the invalid zero value.
func (d Date) IsZero() bool { return d == Date{} }

// Year returns the year.
func (d Date) Year() int { return int(d.year) }

// Month returns the month, 1 to 12.
func (d Date) Month() int { return int(d.month) }

// Day returns the day, 1 to 31.
func (d Date) Day() int { return int(d.day) }

// Compare orders dates by time: -1, 0 or +1.
func (d Date) Compare(e Date) int {
	a := int(d.year)<<16 | int(d.month)<<8 | int(d.day)
	b := int(e.year)<<16 | int(e.month)<<8 | int(e.day)
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Before reports whether d is earlier than e. A package may be used on its expiry day, so it has expired when its
// expiry is Before today.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After reports whether d is later than e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }
