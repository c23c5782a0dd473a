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
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/signin"
)

// statusGone goes into the log for a caller that did not wait; nobody receives it.
const statusGone = 499

// reads are what a partner service passes on to its api service, so that its web interface asks nothing of another origin.
var reads = []string{
	"trace", "verify", "scan", "lots", "products", "blocks", "events", "parties", "recalls", "status", "validators", "genesis", "checkpoint", "proof", "search",
	"shipments", "feed",
}

// passedOn marks what was passed on once: an api address that leads back here would go round for ever.
const passedOn = "Verilot-Passed-On" //nolint:gosec // the name of a header

// queries are what it passes on of the EPCIS query interface. Events are not everybody's: the api is told in whose name this service asks,
// and only who is signed in here is passed on.
var queries = []string{"events", "eventTypes", "epcs", "bizSteps", "dispositions", "readPoints", "bizLocations", "queries"}

// asking is in whose name the EPCIS interface is passed on.
type asking struct {
	// reader says why a request may not read the party's events; nil: everybody may, which is for tests.
	reader func(*http.Request) *httpapi.Problem
	// token is what the api is shown.
	token func(method string) (string, error)
}

// passReads mounts them. The api gets no cookie and no token of ours, and its answer goes back as it is, piece by piece. done frees the
// connections.
func passReads(h *httpapi.API, api string, as asking, log *slog.Logger) (done func(), err error) {
	handler := func(c *gin.Context) {
		httpapi.Write(c, unavailable("this service knows no api service to ask; have its operator set api in its configuration"))
	}
	known := handler
	done = func() {}
	if api != "" {
		base, err := url.Parse(api)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return nil, fmt.Errorf("configuration: api %q is not an address like http://localhost:8080", api)
		}
		// Compression is between the caller and the api: nothing is unpacked on the way. No proxy of the environment: tokens of the
		// network's inside stay there.
		transport := &http.Transport{
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: time.Minute, DisableCompression: true,
		}
		done = transport.CloseIdleConnections
		handler, known = pass(base, transport, nil, log), pass(base, transport, as.token, log)
	}
	for _, name := range reads {
		h.Engine.GET("/v1/"+name, handler)
		h.Engine.GET("/v1/"+name+"/*rest", handler)
	}
	h.Engine.GET("/01/*rest", handler)
	mountQueries(h, as, known)
	return done, nil
}

func mountQueries(h *httpapi.API, as asking, known gin.HandlerFunc) {
	guarded := func(c *gin.Context) {
		if as.reader != nil && c.Request.Method != http.MethodOptions { // what is offered is everybody's to know
			if p := as.reader(c.Request); p != nil {
				if p.Status == http.StatusUnauthorized {
					c.Header("WWW-Authenticate", "Bearer")
				}
				httpapi.Write(c, p)
				return
			}
		}
		known(c)
	}
	for _, name := range queries {
		for _, path := range []string{"/" + name, "/" + name + "/*rest"} {
			h.Engine.GET(path, guarded)
			if path != "/events" { // one event is captured there, so this service says itself what it offers
				h.Engine.OPTIONS(path, guarded)
			}
		}
	}
	for _, path := range []string{"/queries", "/queries/*rest"} {
		h.Engine.POST(path, guarded)
		h.Engine.DELETE(path, guarded)
	}
	h.Engine.DELETE("/nextPageToken/:token", guarded)
	h.Engine.GET("/", epcisrest.TopLevel)
	h.Engine.OPTIONS("/", guarded)
}

func unavailable(detail string) *httpapi.Problem {
	return httpapi.NewProblem(httpapi.APIUnavailable, "%s", detail)
}

// pass hands requests on. token, if given, signs for them.
func pass(base *url.URL, transport http.RoundTripper, token func(method string) (string, error), log *slog.Logger) gin.HandlerFunc {
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
		if strings.HasPrefix(c.Request.URL.Path, "/v1/feed") || signin.Upgrades(c.Request) {
			// A feed, or a WebSocket, has no end of its own: it must not hold up the stopping of this service.
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
