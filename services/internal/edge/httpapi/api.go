package httpapi

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
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

	guarded bool // Options has a Guard
}

// EPCIS marks an operation whose problems carry the EPCIS standard's type names.
var EPCIS = map[string]any{"epcis": true}

// Further keys of an operation's metadata.
const (
	// Produces lists content types that it answers with beside JSON: []string.
	Produces = "produces"
	// ChecksContentType marks one whose handler checks the Content-Type of the request: bool.
	ChecksContentType = "checksContentType"
	// PassedOn marks one that partner services offer too, by passing it on to their api: bool.
	PassedOn = "passedOn"
	// Endless marks one whose answer has no end of its own: bool.
	Endless = "endless"
	// SignsIn marks one that a caller signs in with: bool.
	SignsIn = "signsIn"
)

// Route is the method and the path of an operation, with parameters in braces, as OpenAPI writes them.
type Route struct {
	Method, Path string
	Endless      bool // it carries the mark Endless
}

// PassedOn lists the operations that carry the mark of that name, by path and method.
func (a *API) PassedOn() []Route {
	var out []Route
	for path, item := range a.Huma.OpenAPI().Paths {
		for _, op := range operations(item) {
			if on, _ := op.Metadata[PassedOn].(bool); on {
				endless, _ := op.Metadata[Endless].(bool)
				out = append(out, Route{op.Method, path, endless})
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

func setLibraryHooks() {
	once.Do(func() {
		gin.SetMode(gin.ReleaseMode)
		huma.NewError = fromHuma
	})
}

// New sets an engine up. Routes that are no huma operations may be added to API.Engine.
func New(o Options) *API {
	setLibraryHooks()
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
	e.Use(setRequestID, joinAccept, m.observe(o.Log), securityHeaders(o.CSP, o.CORS), recoverer(o.Log), limitRequest(o.MaxBody))
	if o.Guard != nil {
		e.Use(guarded(o.Guard))
	}
	a := &API{Engine: e, Registry: o.Registry, guarded: o.Guard != nil}
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
	cfg.Info.Description = strings.TrimSpace(o.Description + " HEAD is answered wherever GET is.")
	cfg.OpenAPIPath = "" // huma's document says less than is done, and is written without a lock
	cfg.DocsPath = ""    // huma's page loads from a CDN
	cfg.SchemasPath = ""
	cfg.CreateHooks = nil // no $schema members in answers
	cfg.RejectUnknownQueryParameters = true
	cfg.Formats = map[string]huma.Format{"application/json": jsonOrProblem, "json": jsonOrProblem}
	cfg.Transformers = []huma.Transformer{finishProblem(o.Log)}
	cfg.OnAddOperation = append(cfg.OnAddOperation, func(doc *huma.OpenAPI, op *huma.Operation) {
		numbersAsText(doc.Components.Schemas)
		if b := op.RequestBody; b != nil && b.Content["application/json"] != nil {
			delete(b.Content, "application/octet-stream") // huma takes the raw body, which a command hashes, for a format of its own
		}
	})
	a.Huma = humagin.New(e, cfg)
	a.Huma.UseMiddleware(checkAccept)
	a.mountDocument()
	for path, doc := range map[string]string{"/healthz": "Whether the process answers", "/readyz": "Whether the service can serve"} {
		state := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{"status": {Type: huma.TypeString}}, Required: []string{"status"}}
		a.Describe(&huma.Operation{OperationID: path[1:], Method: http.MethodGet, Path: path, Summary: doc, Tags: []string{ServiceTag}, Responses: Answer(doc, state, "application/json")})
	}
	a.Describe(&huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Summary: "Metrics for Prometheus", Tags: []string{ServiceTag},
		Responses: Answer("Metrics", &huma.Schema{}, "text/plain"),
	})
	return a
}

// NoRoute answers that there is nothing at this address.
func NoRoute(c *gin.Context) {
	WriteNotFound(c, "there is nothing at %s %s; the addresses are listed in /openapi.json", c.Request.Method, clip(c.Request.URL.Path))
}

// WriteNotFound answers an address where there could be something, saying why there is not.
func WriteNotFound(c *gin.Context, format string, args ...any) {
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

// checkAccept refuses what could not be answered as asked before anything is done; huma would notice afterwards.
func checkAccept(ctx huma.Context, next func(huma.Context)) {
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
	own, _ := ctx.Operation().Metadata[ChecksContentType].(bool)
	if b := ctx.Operation().RequestBody; !own && b != nil && b.Content["application/json"] != nil && ctx.Header("Content-Type") == "" && ctx.Method() != http.MethodGet {
		types := acceptedTypes(ctx.Operation())
		ctx.SetHeader("Accept", strings.Join(types, ", "))
		Write(humagin.Unwrap(ctx), NewProblem(UnsupportedMediaType, "the body has no Content-Type; send %s", strings.Join(types, " or ")))
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

// finishProblem gives problems that leave through huma their type and instance, and logs what the caller is not told.
func finishProblem(log *slog.Logger) huma.Transformer {
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
		if types := acceptedTypes(ctx.Operation()); q.Status == http.StatusUnsupportedMediaType && len(types) > 0 {
			ctx.SetHeader("Accept", strings.Join(types, ", "))
		}
		if q.Status >= http.StatusInternalServerError && q.cause != nil {
			log.LogAttrs(ctx.Context(), slog.LevelError, "request failed", slog.String("request", q.Instance),
				slog.String("code", string(q.Code)), slog.String("error", q.cause.Error()))
		}
		if IsEPCIS(ctx.Operation().Path) && prefersXML(ctx.Header("Accept")) {
			ctx.SetHeader("Content-Type", "application/problem+xml")
			return xmlProblem{&q}, nil
		}
		return &q, nil
	}
}

// xmlProblem is a problem that leaves through huma in XML.
type xmlProblem struct{ *Problem } //nolint:errname // as Problem

// jsonOrProblem writes JSON, and problems that finishProblem wants as XML.
var jsonOrProblem = huma.Format{
	Unmarshal: huma.DefaultJSONFormat.Unmarshal,
	Marshal: func(w io.Writer, v any) error {
		p, ok := v.(xmlProblem)
		if !ok {
			return huma.DefaultJSONFormat.Marshal(w, v)
		}
		_, err := w.Write(p.xml())
		return err
	},
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
