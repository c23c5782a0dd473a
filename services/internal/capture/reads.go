package capture

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

	"verilot.dev/services/internal/httpapi"
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

// passReads mounts them. The api gets no cookie and no token of ours, and its answer goes back as it is, piece by piece. done frees the
// connections.
func passReads(h *httpapi.API, api string, log *slog.Logger) (done func(), err error) {
	handler := func(c *gin.Context) {
		httpapi.Write(c, unavailable("this service knows no api service to ask; have its operator set api in its configuration"))
	}
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
		handler = pass(base, transport, log)
	}
	for _, name := range reads {
		h.Engine.GET("/v1/"+name, handler)
		h.Engine.GET("/v1/"+name+"/*rest", handler)
	}
	h.Engine.GET("/01/*rest", handler)
	return done, nil
}

func unavailable(detail string) *httpapi.Problem {
	return httpapi.NewProblem(httpapi.APIUnavailable, "%s", detail)
}

func pass(base *url.URL, transport http.RoundTripper, log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
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
		if strings.HasPrefix(c.Request.URL.Path, "/v1/feed") {
			// A feed has no end of its own: it must not hold up the stopping of this service.
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
