// Package xsd reads texts as the simple types of XML Schema do: white space, digits, dates and
// times.
package xsd

import (
	"strings"
)

// IsBlank reports whether b is white space alone.
func IsBlank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// Trim removes white space around a value, as the schema does (whiteSpace="collapse") for
// everything standard.
func Trim(b []byte) []byte {
	for len(b) > 0 && IsBlank(b[:1]) {
		b = b[1:]
	}
	for len(b) > 0 && IsBlank(b[len(b)-1:]) {
		b = b[:len(b)-1]
	}
	return b
}

// Blank is the white space of XML.
const Blank = " \t\r\n"

// Trimmed removes white space around a value.
func Trimmed(s string) string { return strings.Trim(s, Blank) }

// Boolean writes a boolean as JSON does, where XML may have 1 and 0.
func Boolean(s string) string {
	switch s = Trimmed(s); s {
	case "1":
		return "true"
	case "0":
		return "false"
	}
	return s
}

// Digits reads decimal digits; "" is 0.
func Digits(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// IsHex reports whether c is a hexadecimal digit.
func IsHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
