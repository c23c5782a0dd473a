package epcisrest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/partnertoken"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// Who asks is told by the sign-in of the api or by a partner's token, and a partner's token is no sign-in.
func TestWhoAsks(t *testing.T) {
	w := newWorld(t)
	w.event("acme", epcis.Commission(w.at("acme"), []string{unit(1)}, "A", "2035-12-31"))
	w.block()
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "api.token")
	secret, err := signin.LoadOrCreate(file)
	if err != nil {
		t.Fatal(err)
	}
	g := w.chain.Genesis()
	auth := func(c signin.Config) *Authenticator {
		guard, err := signin.New(c, signin.Identity{Service: "api", Genesis: g, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return &Authenticator{Genesis: g, Snapshot: w.chain.Snapshot, SignIn: guard, Now: func() time.Time { return now }}
	}
	signer, err := partnertoken.NewSigner(chaintest.Key("midland/event"), keys.ID(keys.Event, pub("midland/event")), "midland", g.Hash)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(method string, at time.Time) string {
		s, err := signer.Sign(method, at)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	closed, open := auth(signin.Config{DevelopmentTokenFile: file}), auth(signin.Config{DevelopmentOpen: true})
	none := auth(signin.Config{})
	for _, tt := range []struct {
		name   string
		auth   *Authenticator
		method string
		path   string
		bearer string
		want   Caller
		code   httpapi.Code
		check  httpapi.Code // of the guard of requests
	}{
		{"nobody", closed, "GET", "/events", "", Caller{}, httpapi.ReadNeedsSignIn, ""},
		{"nobody, and there is no sign-in", none, "GET", "/events", "", Caller{}, httpapi.ReadNeedsSignIn, ""},
		{"the api's token", closed, "GET", "/events", secret, Caller{All: true}, "", ""},
		{"another token", closed, "GET", "/events", strings.Repeat("A", 43), Caller{}, httpapi.SignInFailed, ""},
		{"anybody at an open api", open, "GET", "/events", "", Caller{All: true}, "", ""},
		{"a partner", closed, "GET", "/events", sign("GET", now), Caller{Party: "midland"}, "", ""},
		{"a partner, and there is no sign-in", none, "GET", "/events", sign("GET", now), Caller{Party: "midland"}, "", ""},
		{"a partner at an open api is itself", open, "GET", "/events", sign("GET", now), Caller{Party: "midland"}, "", ""},
		{"a token that has ended", closed, "GET", "/events", sign("GET", now.Add(-2*time.Minute)), Caller{}, httpapi.CallerUnknown, ""},
		{"a partner makes a query", closed, "POST", "/queries", sign("POST", now), Caller{Party: "midland"}, "", ""},
		{"a read's token makes no query", closed, "POST", "/queries", sign("GET", now), Caller{}, httpapi.CallerUnknown, httpapi.CallerUnknown},
		{"a partner's token orders no recall", closed, "POST", "/v1/recall", sign("POST", now), Caller{Party: "midland"}, "", httpapi.SignInFailed},
		{"a partner asks what the rules would say of its items", closed, "POST", "/v1/foresee?party=midland", sign("POST", now), Caller{Party: "midland"}, "", ""},
		{"a partner asks it of another's", closed, "POST", "/v1/foresee?party=acme", sign("POST", now), Caller{Party: "midland"}, "", httpapi.Forbidden},
		{"a partner asks it of nobody's", closed, "POST", "/v1/foresee", sign("POST", now), Caller{Party: "midland"}, "", httpapi.Forbidden},
		{"nobody makes a query", closed, "POST", "/queries", "", Caller{}, httpapi.ReadNeedsSignIn, httpapi.SignInRequired},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, http.NoBody)
		if tt.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+tt.bearer)
		}
		got, p := tt.auth.Caller(r)
		if code := codeOf(p); got != tt.want || code != tt.code {
			t.Errorf("%s: %+v %s, want %+v %s", tt.name, got, code, tt.want, tt.code)
		}
		if code := codeOf(tt.auth.Check(r)); code != tt.check {
			t.Errorf("%s: the guard says %q, want %q", tt.name, code, tt.check)
		}
	}

	// A page of another address opens a WebSocket with the cookie that the browser sends along.
	socket := func(origin string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "http://api.example/queries/q/events", http.NoBody)
		r.Header.Set("Connection", "keep-alive, Upgrade")
		r.Header.Set("Upgrade", "websocket")
		r.Header.Set("Origin", origin)
		return r
	}
	if _, p := open.Caller(socket("http://api.example")); p != nil {
		t.Error(p)
	}
	if _, p := open.Caller(socket("http://evil.example")); codeOf(p) != httpapi.CrossOrigin {
		t.Errorf("%v", p)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func codeOf(p *httpapi.Problem) httpapi.Code {
	if p == nil {
		return ""
	}
	return p.Code
}
