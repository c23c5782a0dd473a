package tracing

import (
	"fmt"
	"slices"
	"testing"

	"verilot.dev/ledger/canonical"
)

// Every wanted thing is on one page, once, in order: however few an answer looks at, and whatever is no longer wanted when the
// next page is asked for.
func TestPages(t *testing.T) {
	for _, tt := range []struct {
		name               string
		limit, most, every int
		gone               bool // what a page showed is not wanted any more afterwards
	}{
		{"all on one", 100, 1000, 1, false},
		{"one each", 1, 1000, 1, false},
		{"exactly full", 30, 1000, 1, false},
		{"few among many", 2, 5, 7, false},
		{"one look each", 3, 1, 2, false},
		{"received between the pages", 2, 1000, 1, true},
		{"received between the pages, few looks", 2, 3, 4, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want, got []int
			shown := map[int]bool{}
			for i := range 30 {
				if i%tt.every == 0 {
					want = append(want, i)
				}
			}
			for token, asked := "", 0; ; asked++ {
				p, err := newPages("test", Page{tt.limit, token}, tt.most)
				if err != nil || asked > 100 {
					t.Fatalf("%v after %d pages", err, asked)
				}
				page := 0
				for i := range 30 { // two names at each position, later positions first
					at := place{canonical.Position{Height: uint64(100 - i/2)}, fmt.Sprint(i % 2)}
					takes, goOn := p.offer(at, func() bool { return i%tt.every == 0 && !(tt.gone && shown[i]) })
					if takes {
						got, page = append(got, i), page+1
						shown[i] = true
					}
					if !goOn {
						break
					}
				}
				if page > tt.limit || p.looked > tt.most {
					t.Errorf("%d on a page after %d looks", page, p.looked)
				}
				if token = p.next(); token == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("pages %v, want %v", got, want)
			}
		})
	}
}
