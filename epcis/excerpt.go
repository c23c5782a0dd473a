package epcis

import (
	"fmt"
	"strings"
)

// clip shortens what is quoted from a document, so that a message stays readable and small.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func quote(s string) string { return fmt.Sprintf("%q", clip(s)) }
