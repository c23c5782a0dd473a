package epcisrest

import (
	"net/http"
	"strings"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/partnertoken"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/node/chain"
)

// Authenticator identifies the caller of an api: a trading partner, by the token that its own
// service signed, or somebody who is signed in at the api.
type Authenticator struct {
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
func (a *Authenticator) Caller(r *http.Request) (Caller, *httpapi.Problem) {
	text, ok := token(r)
	if !ok {
		if p := a.SignIn.CheckRead(r); p != nil {
			return Caller{}, p
		}
		return Caller{All: true}, nil
	}
	v, done, err := a.Snapshot()
	if err != nil {
		return Caller{}, httpapi.NewProblem(httpapi.Unavailable, "this copy of the ledger cannot be read now; try again in a moment").Because(err)
	}
	defer done()
	var caller Caller
	err = chain.Guard(func() error {
		caller.Party, err = partnertoken.Verify(text, r.Method, a.Genesis.Hash, a.Now(), registry.Registry{View: v})
		return err
	})
	if err != nil {
		return Caller{}, httpapi.NewProblem(httpapi.CallerUnknown, "%s; a program sends the token of this service, and a partner's own service signs one for each request", err).Because(err)
	}
	return caller, nil
}

// Check is the guard of the api's requests. A partner's token opens the named queries, which belong
// to the party that makes them, and the question what the rules would say, which changes nothing.
// For all other requests the sign-in decides.
func (a *Authenticator) Check(r *http.Request) *httpapi.Problem {
	path := r.URL.Path
	if _, ok := token(r); ok && (path == ledgerrest.ForeseePath || path == "/queries" || strings.HasPrefix(path, "/queries/") || strings.HasPrefix(path, "/nextPageToken/")) {
		caller, p := a.Caller(r)
		if p == nil && path == ledgerrest.ForeseePath && !caller.All && caller.Party != r.URL.Query().Get("party") {
			return httpapi.NewProblem(httpapi.Forbidden, "what the rules would say is told to the party that would submit it; the token is of %s", caller.Party)
		}
		return p
	}
	return a.SignIn.Check(r)
}
