// Package gateway is what a partner service passes on to its api service, so that its web interface
// calls one origin only.
//
// Which routes those are is declared where the api registers them (httpapi.PassedOn). The api gets
// no cookie and no token of the caller's; the EPCIS query interface is asked in the party's name.
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/signin"
)

// statusGone goes into the log for a caller that did not wait; nobody receives it.
const statusGone = 499

// passedOn marks what was passed on once: an api address that leads back here would go round for ever.
const passedOn = "Verilot-Passed-On" //nolint:gosec // the name of a header

// Config says what is passed on, and where to.
type Config struct {
	// API is the address of the api service; "": there is none, and every route says so.
	API string
	// Open are the routes that everybody may read. The api is not told who asks.
	Open []httpapi.Route
	// Party are the routes of the EPCIS query interface. They show a party's events, so the api is
	// told in whose name this service asks, and only who is signed in here is passed on.
	Party []httpapi.Route
	// TopLevel answers GET /, which names the resources of the EPCIS interface; nil: nothing does,
	// which is for tests.
	TopLevel gin.HandlerFunc
	// Reader says why a request may not read the party's events; nil: every request may, which is
	// for tests.
	Reader func(*http.Request) *httpapi.Problem
	// Token is what the api is shown for the Party routes; nil: nothing, which is for tests.
	Token func(method string) (string, error)
	Log   *slog.Logger
}

// Mount passes the routes on, and what lies below their first name. What the service answers itself
// stays with it. An answer of the api goes back as it is, piece by piece. done frees the
// connections.
func Mount(h *httpapi.API, c Config) (done func(), err error) {
	open := func(c *gin.Context) {
		httpapi.Write(c, unavailable("this service knows no api service to ask; have its operator set api in its configuration"))
	}
	endless, signed := open, open
	done = func() {}
	if c.API != "" {
		base, err := url.Parse(c.API)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return nil, fmt.Errorf("configuration: api %q is not an address like http://localhost:8080", c.API)
		}
		// Compression is between the caller and the api: nothing is unpacked on the way. No proxy of the environment: tokens of the
		// network's inside stay there.
		transport := &http.Transport{
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: time.Minute, DisableCompression: true,
		}
		done = transport.CloseIdleConnections
		open, endless = pass(base, transport, nil, false, c.Log), pass(base, transport, nil, true, c.Log)
		signed = pass(base, transport, c.Token, false, c.Log)
	}
	m := mounter{h.Engine, map[httpapi.Route]bool{}}
	for _, r := range h.Engine.Routes() {
		m.taken[httpapi.Route{Method: r.Method, Path: r.Path}] = true
	}
	for _, r := range c.Open {
		if r.Endless {
			m.open(r, endless)
		} else {
			m.open(r, open)
		}
	}
	guarded := guard(c.Reader, signed)
	m.party(c.Party, guarded)
	if c.TopLevel != nil {
		m.add(http.MethodGet, "/", c.TopLevel)
	}
	m.add(http.MethodOptions, "/", guarded)
	return done, nil
}

// mounter adds each route once.
type mounter struct {
	engine *gin.Engine
	taken  map[httpapi.Route]bool // in Gin's spelling
}

func (m *mounter) add(method, path string, h gin.HandlerFunc) {
	if r := (httpapi.Route{Method: method, Path: path}); !m.taken[r] {
		m.taken[r] = true
		m.engine.Handle(method, path, h)
	}
}

// open mounts everything at and below /v1/<name>, or everything below another first name, such as
// /01.
func (m *mounter) open(r httpapi.Route, h gin.HandlerFunc) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
	at := "/" + first
	if first == "v1" {
		name, _, _ := strings.Cut(rest, "/")
		at += "/" + name
		m.add(r.Method, at, h)
	}
	m.add(r.Method, at+"/*rest", h)
}

// party mounts, for every name at which there is a route, the methods offered there or below, and
// OPTIONS, which says what is offered. A name that only begins longer routes is mounted as those
// are.
func (m *mounter) party(routes []httpapi.Route, h gin.HandlerFunc) {
	for _, r := range routes {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		at := "/" + first
		switch {
		case first == "": // Mount answers the top level itself
		case slices.ContainsFunc(routes, func(x httpapi.Route) bool { return x.Path == at }):
			for _, path := range []string{at, at + "/*rest"} {
				m.add(r.Method, path, h)
				m.add(http.MethodOptions, path, h)
			}
		default:
			m.add(r.Method, strings.NewReplacer("{", ":", "}", "").Replace(r.Path), h)
		}
	}
}

// guard lets pass who may read the party's events.
func guard(reader func(*http.Request) *httpapi.Problem, next gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if reader != nil && c.Request.Method != http.MethodOptions { // what is offered is everybody's to know
			if p := reader(c.Request); p != nil {
				if p.Status == http.StatusUnauthorized {
					c.Header("WWW-Authenticate", "Bearer")
				}
				httpapi.Write(c, p)
				return
			}
		}
		next(c)
	}
}

func unavailable(detail string) *httpapi.Problem {
	return httpapi.NewProblem(httpapi.APIUnavailable, "%s", detail)
}

// pass hands requests on. token, if given, signs for them. endless: the answers have no end of their own.
func pass(base *url.URL, transport http.RoundTripper, token func(method string) (string, error), endless bool, log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		var authorization string
		if token != nil && c.GetHeader(passedOn) == "" {
			text, err := token(c.Request.Method)
			if err != nil {
				httpapi.Write(c, unavailable("this service cannot sign for its party, so the api would not know who asks; have its operator look at the key").Because(err))
				return
			}
			authorization = "Bearer " + text
		}
		if c.GetHeader(passedOn) != "" {
			httpapi.Write(c, unavailable("the address of the api service leads to a partner service; have its operator correct api in its configuration"))
			return
		}
		// The api sets the same headers as we did; twice would be another answer than its own.
		ours := c.Writer.Header().Clone()
		for name := range ours {
			if !strings.HasPrefix(name, "Access-Control-") && name != "Vary" {
				c.Writer.Header().Del(name)
			}
		}
		ctx, cancel := context.WithCancel(c.Request.Context())
		defer cancel()
		if endless || signin.IsUpgrade(c.Request) {
			// A WebSocket has no end of its own either. Neither must hold up the stopping of this service.
			draining, over := httpapi.Draining(ctx), make(chan struct{})
			defer close(over)
			go func() {
				select {
				case <-draining:
					cancel()
				case <-over:
				}
			}()
		}
		proxy := &httputil.ReverseProxy{
			Transport: transport, FlushInterval: -1, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
			Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(base)
				for _, name := range []string{"Cookie", "Authorization", "Origin", "Referer"} {
					r.Out.Header.Del(name)
				}
				if authorization != "" {
					r.Out.Header.Set("Authorization", authorization)
				}
				r.Out.Header.Set("X-Request-Id", httpapi.RequestID(r.In.Context()))
				r.Out.Header.Set(passedOn, "1")
			},
			ModifyResponse: func(r *http.Response) error {
				r.Header.Del("Set-Cookie")
				return nil
			},
			ErrorHandler: func(_ http.ResponseWriter, r *http.Request, err error) {
				if c.Request.Context().Err() != nil {
					c.AbortWithStatus(statusGone)
					return
				}
				log.LogAttrs(r.Context(), slog.LevelWarn, "the api service did not answer", slog.String("error", err.Error()))
				maps.Copy(c.Writer.Header(), ours)
				c.Header("Retry-After", "2")
				httpapi.Write(c, unavailable("the api service of this network does not answer, so nothing can be read now; what is sent here is still captured. Try again in a moment; if it lasts, have the operator look at the api service")) //nolint:contextcheck // c carries it
			},
		}
		proxy.ServeHTTP(c.Writer, c.Request.WithContext(ctx))
	}
}
