package signin

import (
	"net/http"
	"strings"

	"verilot.dev/services/internal/edge/httpapi"
)

// CheckRead returns nil for callers that may read events: those who are signed in, or all at an open service. Check has let the request
// pass before.
func (g *Guard) CheckRead(r *http.Request) *httpapi.Problem {
	if header := r.Header.Get("Authorization"); header != "" {
		return g.checkBearer(header)
	}
	if _, ok := g.session(r.Header["Cookie"]); !ok && !g.open {
		if g.kind == None {
			return httpapi.NewProblem(httpapi.ReadNeedsSignIn, "events are not everybody's to read, and no sign-in is configured here; have the operator of this service configure sign_in (docs/runbook.md)")
		}
		return httpapi.NewProblem(httpapi.ReadNeedsSignIn, "events are not everybody's to read, and the request has no session that still holds; a person opens the sign-in link that `verilot up` printed, a program sends Authorization: Bearer with the token of this service")
	}
	// A browser lets a page of any address open a WebSocket, and sends the cookie along: what comes through it is read by that page.
	if IsUpgrade(r) && g.cross != nil {
		write := r.Clone(r.Context())
		write.Method = http.MethodPost
		if err := g.cross.Check(write); err != nil {
			return httpapi.NewProblem(httpapi.CrossOrigin, "the WebSocket is opened by a page of another address than this service's, and such pages may not read what whoever is signed in here may; open this service's own address")
		}
	}
	return nil
}

// IsUpgrade reports whether a request asks for another protocol, such as a WebSocket.
func IsUpgrade(r *http.Request) bool {
	for _, line := range r.Header["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "Upgrade") {
				return true
			}
		}
	}
	return false
}
