package gs1

import (
	"fmt"
	"strconv"
)

// Codes of [Error] and [Problem]. The FMT_ codes are the intake rules of docs (custody rules, "FMT_*").
const (
	CodeGTIN   = "FMT_GTIN"   // wrong length or check digit
	CodeSSCC   = "FMT_SSCC"   // wrong length or check digit
	CodeGLN    = "FMT_GLN"    // wrong length or check digit, or a bad GLN extension
	CodeSerial = "FMT_SERIAL" // empty, too long, or outside its character set
	CodeLot    = "FMT_LOT"    // empty, too long, or outside its character set
	CodeExpiry = "FMT_EXPIRY" // not a date
	CodeEPC    = "FMT_EPC"    // URN, Digital Link or key malformed, or company prefix impossible
	CodeNDC    = "FMT_NDC"    // not a National Drug Code
)

// Error says what is wrong with an input, where, and what to do.
type Error struct {
	Code   string // one of the Code constants
	Input  string // what was given, untouched
	Detail string // a sentence for the person who has to fix it
}

func (e *Error) Error() string {
	in := e.Input
	if len(in) > 120 {
		in = in[:120] + "…"
	}
	return e.Code + ": " + strconv.Quote(in) + ": " + e.Detail
}

func fail(code, input, format string, args ...any) *Error {
	return &Error{Code: code, Input: input, Detail: fmt.Sprintf(format, args...)}
}
