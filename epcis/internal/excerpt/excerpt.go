// Package excerpt quotes from documents in messages.
package excerpt

import (
	"fmt"
	"strings"
)

// Clip shortens what is quoted from a document, so that a message stays readable and small.
func Clip(s string) string {
	const most = 120
	if len(s) <= most {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func Quote(s string) string { return fmt.Sprintf("%q", Clip(s)) }
