package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options of an API. The zero value works.
type Options struct {
	Title, Version string // of the OpenAPI document
	Description    string
	Log            *slog.Logger         // nil: nothing is logged
	Registry       *prometheus.Registry // nil: a new one
	// Ready says why the service cannot serve yet, or nil. nil func: always ready.
	Ready func(context.Context) error
	// MaxBody bounds every body that no operation bounds more tightly. 0: 64 MiB.
	MaxBody int64
	// CSP is the Content-Security-Policy; "" is that of an API that serves no page.
	CSP string
	// CORS lists origins whose pages may call this API; "*" allows every one. Credentials are never allowed.
	CORS []string
	// Guard looks at every request before anything else does, also at one that no route would take; a problem is the answer. nil: nobody
	// is refused, which is for services that change nothing and for tests.
	Guard func(*http.Request) *Problem
}

// API is a Gin engine and the huma API on top of it.
type API struct {
	Engine   *gin.Engine
	Huma     huma.API
	Registry *prometheus.Registry
	// Page answers a browser that opens an address which a page shares with an operation, and reports whether it did. It is set
	// before the first request, if at all; nil: there are no pages.
	Page func(*gin.Context) bool
}

// EPCIS marks an operation whose problems carry the EPCIS standard's type names.
var EPCIS = map[string]any{"epcis": true}

// Further keys of an operation's metadata.
const (
	// Produces lists content types that it answers with beside JSON: []string.
	Produces = "produces"
	// OwnContentTypes marks one that says itself which Content-Types it reads: bool.
	OwnContentTypes = "ownContentTypes"
	// PassedOn marks one that partner services offer too, by passing it on to their api: bool.
	PassedOn = "passedOn"
)

// Route is the method and the path of an operation, with parameters in braces, as OpenAPI writes them.
type Route struct{ Method, Path string }

// PassedOn lists the operations that carry the mark of that name, by path and method.
func (a *API) PassedOn() []Route {
	var out []Route
	for path, item := range a.Huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete, item.Options, item.Head} {
			if op == nil {
				continue
			}
			if on, _ := op.Metadata[PassedOn].(bool); on {
				out = append(out, Route{op.Method, path})
			}
		}
	}
	slices.SortFunc(out, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return out
}

// once guards the two hooks that the libraries offer only as package state; every API wants the same value.
var once sync.Once

func hooks() {
	once.Do(func() {
		gin.SetMode(gin.ReleaseMode)
		huma.NewError = fromHuma
	})
}

// New sets an engine up. Routes that are no huma operations may be added to API.Engine.
func New(o Options) *API {
	hooks()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 20
	}
	if o.CSP == "" {
		o.CSP = "default-src 'none'; frame-ancestors 'none'"
	}
	if o.Title == "" {
		o.Title = "Verilot"
	}
	if o.Version == "" {
		o.Version = "0"
	}
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.UseRawPath = true // a serial may hold an escaped slash
	e.UnescapePathValues = true
	e.ContextWithFallback = true
	m := newMetrics(o.Registry)
	e.Use(identify, m.observe(o.Log), secure(o.CSP, o.CORS), recoverer(o.Log), limit(o.MaxBody))
	if o.Guard != nil {
		e.Use(guarded(o.Guard))
	}
	a := &API{Engine: e, Registry: o.Registry}
	e.Use(func(c *gin.Context) {
		if a.Page != nil && a.Page(c) {
			c.Abort()
		}
	})
	e.NoRoute(NoRoute)
	e.NoMethod(func(c *gin.Context) {
		Write(c, NewProblem(MethodNotAllowed, "%s is not offered at %s; allowed: %s", c.Request.Method, clip(c.Request.URL.Path), c.Writer.Header().Get("Allow")))
	})
	e.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	e.GET("/readyz", func(c *gin.Context) {
		if o.Ready != nil {
			if err := o.Ready(c.Request.Context()); err != nil {
				c.Header("Retry-After", "1")
				Write(c, NewProblem(NotReady, "%s", err.Error()))
				return
			}
		}
		c.JSON(http.StatusOK, gin.H{"status": "ready"})
	})
	metrics := promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{Registry: o.Registry})
	e.GET("/metrics", gin.WrapH(metrics))

	cfg := huma.DefaultConfig(o.Title, o.Version)
	cfg.Info.Description = o.Description
	cfg.DocsPath = "" // huma's page loads from a CDN
	cfg.SchemasPath = ""
	cfg.CreateHooks = nil // no $schema members in answers
	cfg.RejectUnknownQueryParameters = true
	cfg.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	cfg.Transformers = []huma.Transformer{complete(o.Log)}
	cfg.OnAddOperation = append(cfg.OnAddOperation, func(doc *huma.OpenAPI, _ *huma.Operation) { numbersAsText(doc.Components.Schemas) })
	a.Huma = humagin.New(e, cfg)
	a.Huma.UseMiddleware(acceptable)
	return a
}

// NoRoute answers that there is nothing at this address.
func NoRoute(c *gin.Context) {
	NotThere(c, "there is nothing at %s %s; the addresses are listed in /openapi.json", c.Request.Method, clip(c.Request.URL.Path))
}

// NotThere answers an address where there could be something, saying why there is not.
func NotThere(c *gin.Context, format string, args ...any) {
	Write(c, NewProblem(NotFound, format, args...))
}

// numbersAsText describes members whose tag says ",string" as what they are in JSON, which huma does not see: 64-bit numbers
// travel as text, because a browser's numbers have 53 bits.
func numbersAsText(r huma.Registry) {
	for name, schema := range r.Map() {
		t := r.TypeFromRef("#/components/schemas/" + name)
		for t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t == nil || t.Kind() != reflect.Struct {
			continue
		}
		for _, f := range reflect.VisibleFields(t) {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := schema.Properties[tag]
			if p == nil || !slices.Contains(strings.Split(options, ","), "string") || p.Type == huma.TypeString {
				continue
			}
			*p = huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$", Description: p.Description, Examples: []any{"42"}}
			p.PrecomputeMessages()
		}
	}
}

// acceptable refuses what could not be answered as asked before anything is done; huma would notice afterwards.
func acceptable(ctx huma.Context, next func(huma.Context)) {
	more, _ := ctx.Operation().Metadata[Produces].([]string)
	if formats := append([]string{"application/json"}, more...); !Accepts(ctx.Header("Accept"), formats...) {
		p := NewProblem(NotAcceptable, "no format named in Accept can be written; ask for %s", strings.Join(formats, " or "))
		if on, _ := ctx.Operation().Metadata["epcis"].(bool); on {
			p.EPCIS()
		}
		Write(humagin.Unwrap(ctx), p)
		return
	}
	// A body without a Content-Type is refused although it could be read: a browser sends one like that for any page,
	// without asking this service whether the page may.
	own, _ := ctx.Operation().Metadata[OwnContentTypes].(bool)
	if b := ctx.Operation().RequestBody; !own && b != nil && b.Content["application/json"] != nil && ctx.Header("Content-Type") == "" && ctx.Method() != http.MethodGet {
		Write(humagin.Unwrap(ctx), NewProblem(UnsupportedMediaType, "the body has no Content-Type; send application/json"))
		return
	}
	next(ctx)
}

// Accepts reports whether an Accept header allows one of the content types, or at least to be told of a problem.
func Accepts(header string, contentTypes ...string) bool {
	if header == "" {
		return true
	}
	for part := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if q := strings.ReplaceAll(params, " ", ""); q == "q=0" || q == "q=0.0" {
			continue
		}
		if name == "*/*" || name == "application/problem+json" {
			return true
		}
		for _, t := range contentTypes {
			if group, _, _ := strings.Cut(t, "/"); name == t || name == group+"/*" {
				return true
			}
		}
	}
	return false
}

// complete gives problems that leave through huma their type and instance, and logs what the caller is not told.
func complete(log *slog.Logger) huma.Transformer {
	return func(ctx huma.Context, _ string, v any) (any, error) {
		p, ok := v.(*Problem)
		if !ok {
			return v, nil
		}
		q := *p // a handler may return a shared value
		if on, _ := ctx.Operation().Metadata["epcis"].(bool); on {
			q.EPCIS()
		}
		q.Instance = RequestID(ctx.Context())
		if q.Status >= http.StatusInternalServerError && q.cause != nil {
			log.LogAttrs(ctx.Context(), slog.LevelError, "request failed", slog.String("request", q.Instance),
				slog.String("code", string(q.Code)), slog.String("error", q.cause.Error()))
		}
		return &q, nil
	}
}

// Write answers with a problem outside huma. At the addresses of the EPCIS standard its type is the standard's, and it is XML for who
// asks for that.
func Write(c *gin.Context, p *Problem) {
	q := *p
	q.Instance = RequestID(c.Request.Context())
	if IsEPCIS(c.Request.URL.Path) {
		q.EPCIS()
		if prefersXML(c.GetHeader("Accept")) {
			c.Abort()
			c.Data(q.Status, "application/problem+xml", q.xml())
			return
		}
	}
	c.Header("Content-Type", "application/problem+json")
	c.Abort()
	c.JSON(q.Status, &q)
}

type requestKey struct{}

// RequestID is the id of the request that ctx belongs to, as a URN when it is one of ours.
func RequestID(ctx context.Context) string {
	s, _ := ctx.Value(requestKey{}).(string)
	return s
}

func identify(c *gin.Context) {
	id := c.GetHeader("X-Request-Id")
	if !plausible(id) {
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

// plausible keeps log lines and headers free of what a stranger might put there.
func plausible(id string) bool {
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

func secure(csp string, cors []string) gin.HandlerFunc {
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

func limit(n int64) gin.HandlerFunc {
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

type drainKey struct{}

// Draining is closed when the server stops taking requests: what waits for something answers with what it has.
func Draining(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(drainKey{}).(chan struct{})
	return ch
}

// Serve answers on ln until ctx ends, then stops taking requests and gives those under way ten seconds.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	draining := make(chan struct{})
	base := context.WithValue(context.WithoutCancel(ctx), drainKey{}, draining)
	srv := &http.Server{
		// A read deadline that passes while a long poll waits would cancel it, so it is longer than any wait.
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 3 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	close(draining)
	grace, end := context.WithTimeout(base, 10*time.Second)
	defer end()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	if end := <-done; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// Listen opens a TCP listener; port 0 picks a free one.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return ln, nil
}
