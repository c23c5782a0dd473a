package epcisrest

import (
	"net/http"
	"strings"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/partnertoken"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/node/chain"
)

// Gate says at an api who asks: a trading partner, by the token that its own service signed, or who is signed in here.
type Gate struct {
	Genesis  *genesis.Genesis
	Snapshot func() (state.View, func(), error)
	SignIn   *signin.Guard
	Now      func() time.Time
}

// token is the caller's token of a partner service, if the request has one.
func token(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && partnertoken.IsToken(token)
}

// Caller is for Options.Callers.
func (g *Gate) Caller(r *http.Request) (Caller, *httpapi.Problem) {
	text, ok := token(r)
	if !ok {
		if p := g.SignIn.CheckRead(r); p != nil {
			return Caller{}, p
		}
		return Caller{All: true}, nil
	}
	v, done, err := g.Snapshot()
	if err != nil {
		return Caller{}, httpapi.NewProblem(httpapi.Unavailable, "this copy of the ledger cannot be read now; try again in a moment").Because(err)
	}
	defer done()
	var caller Caller
	err = chain.Guard(func() error {
		caller.Party, err = partnertoken.Verify(text, r.Method, g.Genesis.Hash, g.Now(), registry.Registry{View: v})
		return err
	})
	if err != nil {
		return Caller{}, httpapi.NewProblem(httpapi.CallerUnknown, "%s; a program sends the token of this service, and a partner's own service signs one for each request", err).Because(err)
	}
	return caller, nil
}

// Check is the guard of the api's requests: a partner's token opens the named queries, which belong to whoever makes them, and nothing
// else; for all the rest the sign-in decides.
func (g *Gate) Check(r *http.Request) *httpapi.Problem {
	path := r.URL.Path
	if _, ok := token(r); ok && (path == "/queries" || strings.HasPrefix(path, "/queries/") || strings.HasPrefix(path, "/nextPageToken/")) {
		_, p := g.Caller(r)
		return p
	}
	return g.SignIn.Check(r)
}
