// Package webapp serves the web interface that was built into this binary: files made by `make web` from web/, at the root of a
// service's own address, so that a page asks nothing of any other origin.
//
// Trust: the pages prove what they show from bundles that they verify themselves; whoever serves them could serve others, so
// a party that must not trust its service verifies on its own machine (`verilot verify`).
package webapp

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"verilot.dev/services/internal/edge/httpapi"
)

//go:embed all:dist
var built embed.FS

// policy of the pages: nothing from elsewhere, no inline script; WebAssembly reads barcodes, the camera shows them to it.
const (
	policy      = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	permissions = "camera=(self), microphone=(), geolocation=(), payment=()"
)

// Setting tells the pages where they are: GET /app.json.
type Setting struct {
	// Service is api, manufacturer, distributor or pharmacy: it decides which screens there are.
	Service string `json:"service"`
	Network string `json:"network"`
	// Development is true for a network whose keys and parties are invented.
	Development bool `json:"development"`
	// Party whose service this is, and its name; empty for an api that acts for none.
	Party     string `json:"party"`
	PartyName string `json:"partyName"`
}

// Mount serves the interface on every path that the API does not use. Without a build of it nothing changes but that a browser
// is told how to get one.
func Mount(h *httpapi.API, s Setting) error { return mount(h, s, built) }

func mount(h *httpapi.API, s Setting, files fs.FS) error {
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		return fmt.Errorf("web interface: %w", err)
	}
	index, err := fs.ReadFile(dist, "index.html")
	if errors.Is(err, fs.ErrNotExist) {
		index = nil
	} else if err != nil {
		return fmt.Errorf("web interface: %w", err)
	}
	h.Engine.GET("/app.json", func(c *gin.Context) { c.JSON(http.StatusOK, s) })
	h.Describe(&huma.Operation{
		OperationID: "app", Method: http.MethodGet, Path: "/app.json", Summary: "What the web interface is told about this service", Tags: []string{httpapi.ServiceTag},
		Responses: httpapi.Answer("The setting", h.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Setting](), true, ""), "application/json"),
	})
	h.Page = func(c *gin.Context) bool {
		if index == nil || !shared(c.Request) {
			return false
		}
		page(c)
		c.Header("Vary", "Accept") // a program gets the jobs at this address
		c.Data(http.StatusOK, "text/html; charset=utf-8", index)
		return true
	}
	h.Engine.NoRoute(func(c *gin.Context) {
		if m := c.Request.Method; m != http.MethodGet && m != http.MethodHead {
			httpapi.NoRoute(c)
			return
		}
		name := strings.TrimPrefix(path.Clean(c.Request.URL.Path), "/")
		if serveFile(c, dist, name) {
			return
		}
		// A page's own address, such as /trace/01…21…, is opened by reloading it: the pages know their addresses, not we.
		if !wantsPage(c.Request) || reserved(name) {
			httpapi.NoRoute(c)
			return
		}
		if index == nil {
			httpapi.WriteNotFound(c, "this program was built without the web interface; `make web` (which needs Node) and a new build bring it")
			return
		}
		page(c)
		c.Data(http.StatusOK, "text/html; charset=utf-8", index)
	})
	return nil
}

func page(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Permissions-Policy", permissions)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
}

// reserved paths are the API's, now or later: a typing mistake in one gets a problem, not a page.
func reserved(name string) bool {
	if httpapi.IsEPCIS("/" + name) {
		return name != "" // the root is the first page's
	}
	for _, p := range []string{"v1", "01", "epcis", "openapi", "assets", "healthz", "readyz", "metrics"} {
		if name == p || strings.HasPrefix(name, p+"/") {
			return true
		}
	}
	return false
}

// shared are addresses that EPCIS gives to its interface and where our page about the same things is. Who comes with a browser's
// address line means the page.
func shared(r *http.Request) bool {
	p := r.URL.Path
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && (p == "/" || p == "/capture" || strings.HasPrefix(p, "/capture/")) && wantsPage(r)
}

func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

func serveFile(c *gin.Context, dist fs.FS, name string) bool {
	if name == "" || name == "index.html" || strings.HasPrefix(path.Base(name), ".") || !fs.ValidPath(name) {
		return false
	}
	b, err := fs.ReadFile(dist, name)
	if err != nil {
		return false
	}
	page(c)
	h := c.Writer.Header()
	if strings.HasPrefix(name, "assets/") { // named after their content
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		h.Set("Content-Type", t)
	}
	c.Status(http.StatusOK) // gin has begun a 404
	http.ServeContent(c.Writer, c.Request, name, time.Time{}, bytes.NewReader(b))
	return true
}
