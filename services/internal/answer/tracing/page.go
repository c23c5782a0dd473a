package tracing

import (
	"encoding/base64"
	"strings"

	"verilot.dev/ledger/canonical"
)

// place is where a thing stands in a list: newest first, and by name where one position brought several.
type place struct {
	pos  canonical.Position
	name string
}

func (p place) before(q place) bool {
	if c := p.pos.Compare(q.pos); c != 0 {
		return c > 0
	}
	return p.name < q.name
}

// pages cuts a list into pages: of what it is offered, in the list's own order, it takes what is wanted and comes after the
// token. A token names a place and not a thing, so it is good whatever became of the thing since.
type pages struct {
	list  string // of whose tokens it takes
	after *place
	limit int
	// most is how many things one answer looks at; where it stopped, the next one goes on.
	most          int
	looked, taken int
	last          place
	more          bool
}

// Page asks for a part of a list: at most Limit things, after the page whose Next is given as
// After; "" is the first page.
type Page struct {
	Limit int
	After string
}

func newPages(list string, page Page, most int) (*pages, error) {
	p := &pages{list: list, limit: page.Limit, most: most}
	if page.After == "" {
		return p, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(page.After)
	rest, ours := strings.CutPrefix(string(b), list+"\x00")
	r := canonical.NewReader([]byte(rest))
	after := place{pos: r.Position()}
	after.name = string(r.Rest())
	if err != nil || !ours || r.Done() != nil || len(b) > 512 {
		return nil, ErrPageToken
	}
	p.after = &after
	return p, nil
}

// offer reports whether the thing at a place belongs to the page, and whether to go on. wanted is asked only of what comes
// after the token.
func (p *pages) offer(at place, wanted func() bool) (takes, goOn bool) {
	if p.after != nil && !p.after.before(at) {
		return false, true
	}
	if p.looked == p.most {
		p.more = true
		return false, false
	}
	p.looked++
	switch {
	case !wanted():
		if p.taken < p.limit {
			p.last = at
		}
		return false, true
	case p.taken == p.limit:
		p.more = true
		return false, false
	}
	p.taken++
	p.last = at
	return true, true
}

func (p *pages) next() string {
	if !p.more {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(p.last.pos.Append([]byte(p.list+"\x00")), p.last.name...))
}

// contains compares texts as people search: without regard to case.
func contains(text, part string) bool {
	return part == "" || strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
