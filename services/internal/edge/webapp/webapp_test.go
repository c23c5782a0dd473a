package webapp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"verilot.dev/services/internal/edge/httpapi"
)

func serve(t *testing.T, files fstest.MapFS) http.Handler {
	t.Helper()
	h := httpapi.New(httpapi.Options{})
	if err := mount(h, Setting{Service: "api", Network: "net"}, files); err != nil {
		t.Fatal(err)
	}
	return h.Engine
}

func get(t *testing.T, h http.Handler, method, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestServes(t *testing.T) {
	h := serve(t, fstest.MapFS{
		"dist/index.html":       {Data: []byte("<!doctype html><title>Verilot</title>")},
		"dist/assets/app-1a.js": {Data: []byte("export {}")},
		"dist/.secret":          {Data: []byte("hidden")},
		"outside.txt":           {Data: []byte("outside")},
	})
	const html, all = "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"
	tests := []struct {
		name, method, path, accept string
		status                     int
		contentType, body, cache   string
	}{
		{"the start page", "GET", "/", html, 200, "text/html; charset=utf-8", "<title>", "no-cache"},
		{"a page's own address, reloaded", "GET", "/trace/0100312345678906" + "21A%2FB", html, 200, "text/html; charset=utf-8", "<title>", "no-cache"},
		{"a script", "GET", "/assets/app-1a.js", all, 200, "text/javascript; charset=utf-8", "export", "public, max-age=31536000, immutable"},
		{"a script of an older build", "GET", "/assets/app-0.js", all, 404, "application/problem+json", "not_found", "no-store"},
		{"a typing mistake in the API, by a browser", "GET", "/v1/traec/1", html, 404, "application/problem+json", "not_found", "no-store"},
		{"a program at a page's address", "GET", "/trace/1", "application/json", 404, "application/problem+json", "not_found", "no-store"},
		{"sending to a page", "POST", "/trace/1", html, 404, "application/problem+json", "not_found", "no-store"},
		{"a hidden file", "GET", "/.secret", all, 404, "application/problem+json", "not_found", "no-store"},
		{"out of the folder", "GET", "/../outside.txt", all, 404, "application/problem+json", "not_found", "no-store"},
		{"the setting", "GET", "/app.json", all, 200, "application/json; charset=utf-8", `"service":"api"`, "no-store"},
		{"the page at an address of EPCIS, by a browser", "GET", "/capture/01a1fcf7", html, 200, "text/html; charset=utf-8", "<title>", "no-cache"},
		{"the same address, by a program", "GET", "/capture/01a1fcf7", "application/json", 404, "application/problem+json", "not_found", "no-store"},
		{"sending to it", "POST", "/capture", html, 404, "application/problem+json", "not_found", "no-store"},
		{"the API's own pages stay", "GET", "/healthz", html, 200, "application/json; charset=utf-8", "ok", "no-store"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := get(t, h, tt.method, tt.path, tt.accept)
			if w.Code != tt.status || w.Header().Get("Content-Type") != tt.contentType || w.Header().Get("Cache-Control") != tt.cache || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("%d %q %q %q", w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"), w.Body)
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "script-src 'self' 'unsafe") {
				t.Errorf("policy %q", csp)
			}
		})
	}
}

func TestNotBuilt(t *testing.T) {
	h := serve(t, fstest.MapFS{"dist/.gitkeep": {}})
	if w := get(t, h, "GET", "/", "text/html"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "make web") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
