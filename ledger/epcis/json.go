package epcis

import "io"

func readJSON(_ io.Reader, _ Options, _ Handler) (Summary, error) {
	return Summary{}, &ParseError{Code: CodeNotEPCIS, Line: 1, Column: 1, Message: "the document is JSON, which is not read yet", Hint: hintNotEPCIS}
}
