package query

import (
	"encoding/base64"
	"strings"

	"verilot.dev/services/internal/httpapi"
)

// pageToken names the last thing of a page: where the next one goes on, however much has come before it meanwhile.
func pageToken(last string) string { return base64.RawURLEncoding.EncodeToString([]byte(last)) }

func readPageToken(token string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) > 512 {
		return "", httpapi.NewProblem(httpapi.PageTokenInvalid, "after %q is not a token of this list; send what stands in next of the page before, or nothing", clip(token))
	}
	return string(b), nil
}

// pages cuts a list into pages: of what it is shown, in a list's own order, it takes what comes after the token.
type pages struct {
	after   string
	reached bool
	limit   int
	taken   int
	last    string
	more    bool
}

func newPages(token string, limit int) (*pages, error) {
	after, err := readPageToken(token)
	if err != nil {
		return nil, err
	}
	return &pages{after: after, reached: after == "", limit: limit}, nil
}

// take reports whether the thing of this id belongs to the page, and whether to go on.
func (p *pages) take(id string) (takes, goOn bool) {
	if !p.reached {
		p.reached = id == p.after
		return false, true
	}
	if p.taken == p.limit {
		p.more = true
		return false, false
	}
	p.taken++
	p.last = id
	return true, true
}

func (p *pages) next() string {
	if !p.more {
		return ""
	}
	return pageToken(p.last)
}

// contains compares texts as people search: without regard to case.
func contains(text, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
