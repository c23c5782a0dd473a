package epcisapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"verilot.dev/ledger/epcisquery"
)

// NamedEvents answers GET /queries/{name}/events, which package standing serves: a page of what the caller sees and the query matches.
func (s *Service) NamedEvents(ctx huma.Context, queryName string, q *epcisquery.Query) error {
	c := humagin.Unwrap(ctx)
	announce(c)
	if err := s.Events(c, queryName, q, nil); err != nil {
		return problemOf(err)
	}
	return nil
}

// CallerOf says who makes a request; its error is a problem.
func (s *Service) CallerOf(r *http.Request) (Caller, error) {
	who, p := s.Callers(r)
	if p != nil {
		return Caller{}, p
	}
	return who, nil
}
