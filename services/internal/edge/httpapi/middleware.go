package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
)

type requestKey struct{}

// RequestID is the id of the request that ctx belongs to, as a URN when it is one of ours.
func RequestID(ctx context.Context) string {
	s, _ := ctx.Value(requestKey{}).(string)
	return s
}

func setRequestID(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if !validRequestID(id) {
		u, err := uuid.NewV7()
		if err != nil {
			u = uuid.New()
		}
		id = "urn:uuid:" + u.String()
	}
	c.Header("X-Request-Id", id)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestKey{}, id))
	c.Next()
}

// joinAccept makes one line of several: net/http's Get, and the libraries, read the first line only.
func joinAccept(c *gin.Context) {
	if lines := c.Request.Header["Accept"]; len(lines) > 1 {
		c.Request.Header.Set("Accept", strings.Join(lines, ", "))
	}
	c.Next()
}

// validRequestID keeps log lines and headers free of what a stranger might put there.
func validRequestID(id string) bool {
	if len(id) < 8 || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		b := id[i]
		if (b < '0' || b > '9') && (b|0x20 < 'a' || b|0x20 > 'z') && b != '-' && b != '_' && b != ':' && b != '.' {
			return false
		}
	}
	return true
}

type httpMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r *prometheus.Registry) httpMetrics {
	m := httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "verilot_http_requests_total", Help: "Requests answered."}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "verilot_http_request_seconds", Help: "Time from the request's header to the end of the answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
	}
	r.MustRegister(m.requests, m.seconds)
	return m
}

func (m httpMetrics) observe(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		c.Next()
		took := time.Since(start)
		route := c.FullPath()
		if route == "" {
			route = "none" // an unknown path must not become a label
		}
		method := c.Request.Method
		switch method {
		case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		default:
			method = "other"
		}
		m.requests.WithLabelValues(method, route, strconv.Itoa(c.Writer.Status())).Inc()
		m.seconds.WithLabelValues(method, route).Observe(took.Seconds())
		level := slog.LevelInfo
		switch {
		case route == "/healthz", route == "/readyz", route == "/metrics":
			level = slog.LevelDebug
		case c.Writer.Status() >= http.StatusInternalServerError:
			level = slog.LevelError
		}
		// The path is logged by route: an identifier in it may say who holds what.
		log.LogAttrs(c.Request.Context(), level, "request", slog.String("request", RequestID(c.Request.Context())), slog.String("method", method),
			slog.String("route", route), slog.Int("status", c.Writer.Status()), slog.Int("bytes", max(0, c.Writer.Size())), slog.Duration("took", took))
	}
}

func securityHeaders(csp string, cors []string) gin.HandlerFunc {
	allowed := make(map[string]bool, len(cors))
	for _, o := range cors {
		allowed[o] = true
	}
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		if origin := c.GetHeader("Origin"); origin != "" && (allowed["*"] || allowed[origin]) {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Add("Vary", "Origin")
			h.Set("Access-Control-Expose-Headers", "Location, X-Request-Id, Link, Allow, GS1-EPCIS-Version, GS1-EPCIS-Min, GS1-EPCIS-Max, GS1-CBV-Version, GS1-CBV-Min, GS1-CBV-Max, GS1-EPC-Format, GS1-CBV-XML-Format, GS1-Extensions, GS1-Vendor-Version, GS1-Capture-Error-Behaviour, GS1-EPCIS-Capture-Limit, GS1-EPCIS-Capture-File-Size-Limit")
			if c.Request.Method == http.MethodOptions && c.GetHeader("Access-Control-Request-Method") != "" {
				h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS")
				h.Set("Access-Control-Allow-Headers", "Content-Type, Accept, Authorization, Idempotency-Key, X-Request-Id, GS1-Capture-Error-Behaviour, GS1-EPCIS-Capture-Error-Behaviour, GS1-EPCIS-Version, GS1-EPCIS-Min, GS1-EPCIS-Max, GS1-CBV-Version, GS1-CBV-Min, GS1-CBV-Max, GS1-EPC-Format, GS1-CBV-XML-Format, GS1-Extensions")
				h.Set("Access-Control-Max-Age", "600")
				c.AbortWithStatus(http.StatusNoContent)
				return
			}
		}
		c.Next()
	}
}

func recoverer(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
				panic(v)
			}
			if err, ok := v.(error); ok && c.Request.Context().Err() != nil && !errors.Is(err, errors.ErrUnsupported) {
				c.Abort() // the caller went away while huma was writing
				return
			}
			log.LogAttrs(c.Request.Context(), slog.LevelError, "handler panicked", slog.String("request", RequestID(c.Request.Context())),
				slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
			if c.Writer.Written() {
				c.Abort()
				return
			}
			Write(c, NewProblem(Internal, "the service met a fault of its own; give the operator the request id"))
		}()
		c.Next()
	}
}

func limitRequest(n int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		if len(c.Request.RequestURI) > 8192 {
			Write(c, NewProblem(URITooLong, "the address has %d characters, at most 8192 are read; send the query in parts", len(c.Request.RequestURI)))
			return
		}
		// Go's parser drops what it cannot read, and the answer would be about a parameter that was sent.
		if _, err := url.ParseQuery(c.Request.URL.RawQuery); err != nil {
			Write(c, NewProblem(MalformedRequest, "the query of the address cannot be read: %s; percent-encode what is no letter or digit (%% is %%25, ; is %%3B, + is %%2B)", err.Error()))
			return
		}
		if c.Request.Body != nil {
			c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, n)
		}
		c.Next()
	}
}

func guarded(guard func(*http.Request) *Problem) gin.HandlerFunc {
	return func(c *gin.Context) {
		p := guard(c.Request)
		if p == nil {
			c.Next()
			return
		}
		switch p.Status {
		case http.StatusUnauthorized:
			c.Header("WWW-Authenticate", "Bearer")
		case http.StatusTooManyRequests:
			c.Header("Retry-After", "10")
		}
		Write(c, p)
	}
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
