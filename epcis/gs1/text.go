package gs1

import (
	"fmt"
	"strconv"
)

// CheckDigit computes the GS1 modulo-10 check digit (General Specifications 7.9) of a number given without it:
// weights 3, 1, 3, … from the right, up to the next multiple of ten. It returns an ASCII digit, or 0 when the
// input is empty or holds anything but digits.
func CheckDigit(digits string) byte {
	if !isDigits(digits) {
		return 0
	}
	sum, weight := 0, 3
	for i := len(digits) - 1; i >= 0; i-- {
		sum += int(digits[i]-'0') * weight
		weight = 4 - weight
	}
	return byte('0' + (10-sum%10)%10)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isDigits reports whether s is one or more ASCII digits.
func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// cset82 marks the 82 characters GS1 allows in serials and lots (General Specifications 7.11, table 1).
var cset82 = charset(`!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)

// cset39 marks the 39 characters allowed in a component/part identifier (General Specifications 7.11, table 2).
var cset39 = charset(`#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ`)

// plain marks what stands for itself in an EPC URN and in a Digital Link alike.
var plain = charset(`-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)

type set [256]bool

func charset(members string) (s set) {
	for i := range len(members) {
		s[members[i]] = true
	}
	return s
}

// has reports whether every byte of s is a member.
func (m *set) has(s string) bool {
	for i := range len(s) {
		if !m[s[i]] {
			return false
		}
	}
	return true
}

// checkText checks the length and characters of a variable-length value. The answer is "" or what is wrong.
func checkText(name, s string, limit int, allowed *set, setName string) string {
	switch {
	case s == "":
		return name + " is empty"
	case len(s) > limit:
		return fmt.Sprintf("%s has %d characters, at most %d are allowed", name, len(s), limit)
	}
	for i := range len(s) {
		if !allowed[s[i]] {
			return fmt.Sprintf("%s has %q at character %d, which is outside %s", name, s[i:i+1], i+1, setName)
		}
	}
	return ""
}

const cset82Name = "GS1 character set 82 (letters, digits and !\"%&'()*+,-./:;<=>?_)"

// checkNumber checks an all-digit value of fixed length whose last digit is a check digit.
func checkNumber(name, s string, n int) string {
	if len(s) != n {
		return fmt.Sprintf("%s has %d characters, want %d digits", name, len(s), n)
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return fmt.Sprintf("%s has %q at character %d, want digits only", name, s[i:i+1], i+1)
		}
	}
	if want := CheckDigit(s[:n-1]); s[n-1] != want {
		return fmt.Sprintf("%s fails its check digit: it ends in %c, the other digits give %c; scan or type it again", name, s[n-1], want)
	}
	return ""
}

// escapeWith percent-encodes every byte outside keep, in upper-case hexadecimal.
func escapeWith(s string, keep *set) string {
	if keep.has(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		if c := s[i]; keep[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// unescape decodes percent-encoding once. raw marks the bytes that may stand unencoded. A failure is the byte
// index and what is wrong there.
func unescape(s string, raw *set) (out string, at int, problem string) {
	if plain.has(s) {
		return s, 0, ""
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) || unhex(s[i+1]) < 0 || unhex(s[i+2]) < 0 {
				return "", i, `"%" must be followed by two hexadecimal digits; write a literal percent sign as %25`
			}
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		case raw[c]:
			b = append(b, c)
		default:
			return "", i, fmt.Sprintf("%q may not stand here; write it as %%%02X", s[i:i+1], c)
		}
	}
	return string(b), 0, ""
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func itoa(n int) string { return strconv.Itoa(n) }

// count writes "1 digit", "13 digits".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
