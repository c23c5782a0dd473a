package signin

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"verilot.dev/services/internal/edge/httpapi"
)

const sessionPath = "/v1/session"

// Session is whose service this is, and whether the caller may change something through it.
type Session struct {
	SignedIn  bool       `json:"signedIn"`
	Required  bool       `json:"required" doc:"Whether changing something needs a sign-in"`
	Kind      string     `json:"kind" enum:"development,none" doc:"How one signs in; none: one cannot"`
	Service   string     `json:"service" enum:"manufacturer,distributor,pharmacy,api"`
	Party     string     `json:"party" doc:"The party whose service this is; empty for an api that acts for none"`
	PartyName string     `json:"partyName"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty" doc:"When the session ends"`
}

type answer struct {
	SetCookie string `header:"Set-Cookie"`
	Body      Session
}

// credentials are the cookies and the header of a request that may sign in.
type credentials struct {
	cookies       []string
	authorization string
	tls           bool
}

// Resolve implements huma.Resolver.
func (c *credentials) Resolve(ctx huma.Context) []error {
	ctx.EachHeader(func(name, value string) {
		if strings.EqualFold(name, "Cookie") {
			c.cookies = append(c.cookies, value)
		}
	})
	c.authorization, c.tls = ctx.Header("Authorization"), ctx.TLS() != nil
	return nil
}

func (g *Guard) state() Session {
	return Session{Required: !g.open, Kind: g.kind, Service: g.identity.Service, Party: g.identity.Party, PartyName: g.identity.PartyName}
}

func (g *Guard) set(value string, secure bool) string {
	c := &http.Cookie{Name: g.cookie, Value: value, Path: "/", MaxAge: int(Lifetime / time.Second), HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode} //nolint:gosec // Secure when it came over TLS: development networks have none
	if value == "" {
		c.MaxAge = -1
	}
	return c.String()
}

type signInInput struct {
	credentials
	Body struct {
		Token string `json:"token" maxLength:"1024" doc:"The secret token of this service"`
	}
}

// Mount adds the operations of a session. The guard itself must be the Guard of the API's options.
func (g *Guard) Mount(api *httpapi.API) {
	api.Huma.OpenAPI().Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		httpapi.TokenScheme:   {Type: "http", Scheme: "bearer", Description: "The secret token of this service"},
		httpapi.SessionScheme: {Type: "apiKey", In: "cookie", Name: g.cookie, Description: "The cookie that POST " + sessionPath + " answers with"},
	}
	huma.Register(api.Huma, huma.Operation{
		OperationID: "sign-in", Method: http.MethodPost, Path: sessionPath, Summary: "Exchange the token for a session cookie", Tags: []string{"sign-in"},
		DefaultStatus: http.StatusOK, MaxBodyBytes: 4096, Errors: []int{400, 401, 403, 413, 415, 429},
		Metadata: map[string]any{httpapi.SignsIn: true},
	}, func(_ context.Context, in *signInInput) (*answer, error) {
		s := g.state()
		if g.open {
			return &answer{Body: s}, nil
		}
		if p := g.checkToken(strings.TrimSpace(in.Body.Token)); p != nil {
			return nil, p
		}
		value, end := g.issue()
		end = end.UTC()
		s.SignedIn, s.ExpiresAt = true, &end
		return &answer{SetCookie: g.set(value, in.tls), Body: s}, nil
	})
	huma.Register(api.Huma, huma.Operation{
		OperationID: "session", Method: http.MethodGet, Path: sessionPath, Summary: "Whose service this is, and whether you are signed in", Tags: []string{"sign-in"},
	}, func(_ context.Context, in *credentials) (*answer, error) {
		s := g.state()
		if end, ok := g.session(in.cookies); ok {
			s.SignedIn, s.ExpiresAt = true, &end
		} else if token, ok := bearer(in.authorization); ok && g.matches(token) {
			s.SignedIn = true
		}
		return &answer{Body: s}, nil
	})
	huma.Register(api.Huma, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: sessionPath, Summary: "Forget the session cookie", Tags: []string{"sign-in"},
		DefaultStatus: http.StatusOK, Errors: []int{401, 403},
	}, func(_ context.Context, in *credentials) (*answer, error) {
		return &answer{SetCookie: g.set("", in.tls), Body: g.state()}, nil
	})
}
