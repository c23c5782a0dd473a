package signin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/edge/httpapi"
)

func testGenesis(name string, development bool) *genesis.Genesis {
	g := &genesis.Genesis{Name: name, Development: development, Parties: []registry.Act{{Party: "lakeside", Name: "Lakeside Pharma"}}}
	copy(g.Hash[:], name)
	return g
}

// desk is a service behind a guard, as every service mounts it.
type desk struct {
	t     *testing.T
	guard *Guard
	h     http.Handler
	now   time.Time
	did   int // how often something was changed
}

func newDesk(t *testing.T, c Config, p Identity, trusted ...string) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	p.Now = func() time.Time { return d.now }
	guard, err := New(c, p, trusted...)
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.New(httpapi.Options{Guard: guard.Check, CORS: trusted})
	guard.Mount(api)
	for _, op := range []huma.Operation{
		{OperationID: "lots", Method: http.MethodPost, Path: "/v1/lots"},
		{OperationID: "lot", Method: http.MethodPatch, Path: "/v1/lots/{id}"},
		{OperationID: "gone", Method: http.MethodDelete, Path: "/v1/lots/{id}"},
		{OperationID: "put", Method: http.MethodPut, Path: "/v1/lots/{id}"},
		{OperationID: "capture", Method: http.MethodPost, Path: "/capture", Metadata: httpapi.EPCIS},
	} {
		huma.Register(api.Huma, op, func(context.Context, *struct{}) (*struct{}, error) { d.did++; return nil, nil })
	}
	huma.Register(api.Huma, huma.Operation{OperationID: "trace", Method: http.MethodGet, Path: "/v1/trace"}, func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	d.guard, d.h = guard, api.Engine
	return d
}

func tokenFile(t *testing.T) (file, token string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "manufacturer-sign-in.token")
	token, err := LoadOrCreate(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, token
}

func manufacturer() Identity {
	return Identity{Service: "manufacturer", Party: "lakeside", Genesis: testGenesis("dev-1", true)}
}

// call sends a request with headers as name: value.
func (d *desk) call(method, path, body string, header ...string) (*httptest.ResponseRecorder, httpapi.Code) {
	d.t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8081"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
		if name == "TLS" {
			r.TLS = &tls.ConnectionState{}
		}
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	var p httpapi.Problem
	if w.Code > 299 {
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Detail == "" || w.Header().Get("Content-Type") != "application/problem+json" {
			d.t.Errorf("%s %s: %d %s %v", method, path, w.Code, w.Body, err)
		}
	}
	return w, p.Code
}

func (d *desk) session(w *httptest.ResponseRecorder) (s Session) {
	d.t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil {
		d.t.Fatalf("%v: %s", err, w.Body)
	}
	return s
}

// signIn exchanges the token for a cookie, as it stands in a Cookie header.
func (d *desk) signIn(token string, header ...string) (cookie *http.Cookie, header2 string) {
	d.t.Helper()
	w, _ := d.call("POST", "/v1/session", `{"token":"`+token+`"}`, header...)
	cookies := w.Result().Cookies()
	if w.Code != http.StatusOK || len(cookies) != 1 {
		d.t.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	return cookies[0], "Cookie: " + cookies[0].Name + "=" + cookies[0].Value
}

// Whoever wants to change something says who they are; with a cookie the browser says whose page asks. Nothing else is asked.
func TestWhoMayChange(t *testing.T) {
	file, token := tokenFile(t)
	d := newDesk(t, Config{DevelopmentTokenFile: file}, manufacturer())
	_, cookie := d.signIn(token)

	otherFile, otherToken := tokenFile(t)
	p := manufacturer()
	p.Service = "pharmacy"
	_, foreign := newDesk(t, Config{DevelopmentTokenFile: otherFile}, p).signIn(otherToken)
	_, sameToken := newDesk(t, Config{DevelopmentTokenFile: file}, p).signIn(token) // two services that were given one token
	p = manufacturer()
	p.Genesis = testGenesis("dev-2", true)
	_, otherNetwork := newDesk(t, Config{DevelopmentTokenFile: file}, p).signIn(token)
	as := func(cookie string) string { // under this service's name for it
		_, value, _ := strings.Cut(cookie, "=")
		return "Cookie: " + d.guard.cookie + "=" + value
	}

	for _, tt := range []struct {
		name, method, path string
		header             []string
		status             int
		code               httpapi.Code
	}{
		{"no token", "POST", "/v1/lots", nil, 401, httpapi.SignInRequired},
		{"a document without a token", "POST", "/capture", nil, 401, httpapi.SignInRequired},
		{"PATCH", "PATCH", "/v1/lots/1", nil, 401, httpapi.SignInRequired},
		{"PUT", "PUT", "/v1/lots/1", nil, 401, httpapi.SignInRequired},
		{"DELETE", "DELETE", "/v1/lots/1", nil, 401, httpapi.SignInRequired},
		{"a method that nobody knows", "BREW", "/v1/lots", nil, 401, httpapi.SignInRequired},
		{"an address that is not there", "POST", "/v1/nowhere", nil, 401, httpapi.SignInRequired},
		{"an address that only answers reads", "POST", "/healthz", nil, 401, httpapi.SignInRequired},
		{"signing out without being signed in", "DELETE", "/v1/session", nil, 401, httpapi.SignInRequired},
		{"an address that is written otherwise", "POST", "//v1/session", nil, 401, httpapi.SignInRequired},
		{"a bad token", "POST", "/v1/lots", []string{"Authorization: Bearer " + otherToken}, 401, httpapi.SignInFailed},
		{"the beginning of the token", "POST", "/v1/lots", []string{"Authorization: Bearer " + token[:20]}, 401, httpapi.SignInFailed},
		{"an empty token", "POST", "/v1/lots", []string{"Authorization: Bearer "}, 401, httpapi.SignInFailed},
		{"another kind of authorization", "POST", "/v1/lots", []string{"Authorization: Basic " + token}, 401, httpapi.SignInFailed},
		{"a bad token beside a good cookie", "POST", "/v1/lots", []string{"Authorization: Bearer x", cookie}, 401, httpapi.SignInFailed},
		{"the token", "POST", "/v1/lots", []string{"Authorization: Bearer " + token}, 204, ""},
		{"the token, by a program that writes bearer small", "DELETE", "/v1/lots/1", []string{"Authorization: bearer " + token}, 204, ""},
		{"the token from another page's program", "POST", "/v1/lots", []string{"Authorization: Bearer " + token, "Sec-Fetch-Site: cross-site"}, 204, ""},
		{"the cookie, from our page", "POST", "/v1/lots", []string{cookie, "Sec-Fetch-Site: same-origin"}, 204, ""},
		{"the cookie, from our page in an older browser", "POST", "/v1/lots", []string{cookie, "Origin: http://127.0.0.1:8081"}, 204, ""},
		{"the cookie beside others", "POST", "/v1/lots", []string{"Cookie: a=b; " + strings.TrimPrefix(cookie, "Cookie: ") + "; c=d"}, 204, ""},
		{"the cookie, from another site's page", "POST", "/v1/lots", []string{cookie, "Sec-Fetch-Site: cross-site"}, 403, httpapi.CrossOrigin},
		{"the cookie, from a page on another port", "POST", "/v1/lots", []string{cookie, "Sec-Fetch-Site: same-site"}, 403, httpapi.CrossOrigin},
		{"the cookie, from another port in an older browser", "POST", "/v1/lots", []string{cookie, "Origin: http://127.0.0.1:9999"}, 403, httpapi.CrossOrigin},
		{"signing in from another site's page", "POST", "/v1/session", []string{"Sec-Fetch-Site: cross-site"}, 403, httpapi.CrossOrigin},
		{"the cookie of another service", "POST", "/v1/lots", []string{foreign}, 401, httpapi.SignInRequired},
		{"the cookie of another service under our name", "POST", "/v1/lots", []string{as(foreign)}, 401, httpapi.SignInRequired},
		{"the cookie of another service with the same token", "POST", "/v1/lots", []string{as(sameToken)}, 401, httpapi.SignInRequired},
		{"the cookie of another network with the same token", "POST", "/v1/lots", []string{as(otherNetwork)}, 401, httpapi.SignInRequired},
		{"a cookie with a bit turned", "POST", "/v1/lots", []string{cookie[:len(cookie)-2] + map[bool]string{true: "B", false: "A"}[cookie[len(cookie)-2] == 'A'] + cookie[len(cookie)-1:]}, 401, httpapi.SignInRequired},
		{"an empty cookie", "POST", "/v1/lots", []string{"Cookie: " + d.guard.cookie + "="}, 401, httpapi.SignInRequired},
		{"a read", "GET", "/v1/trace", nil, 204, ""},
		{"a read with a bad token", "GET", "/v1/trace", []string{"Authorization: Bearer x"}, 204, ""},
		{"a read by another site", "GET", "/v1/trace", []string{"Sec-Fetch-Site: cross-site"}, 204, ""},
		{"health", "GET", "/healthz", nil, 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d.t, d.now = t, d.now.Add(10*time.Second) // attempts are for another test
			before := d.did
			w, code := d.call(tt.method, tt.path, "", tt.header...)
			if w.Code != tt.status || code != tt.code {
				t.Errorf("%d %s, want %d %s", w.Code, code, tt.status, tt.code)
			}
			if changed := d.did > before; changed != (tt.status < 300 && tt.method != "GET") {
				t.Errorf("changed something: %v", changed)
			}
			if (w.Code == http.StatusUnauthorized) != (w.Header().Get("WWW-Authenticate") == "Bearer") {
				t.Errorf("WWW-Authenticate %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

// A session is a cookie that no script reads, holds for 12 hours and over restarts, and ends with signing out or a new token.
func TestSession(t *testing.T) {
	file, token := tokenFile(t)
	d := newDesk(t, Config{DevelopmentTokenFile: file}, manufacturer())
	nobody := Session{Required: true, Kind: "development", Service: "manufacturer", Party: "lakeside", PartyName: "Lakeside Pharma"}
	if w, _ := d.call("GET", "/v1/session", ""); d.session(w) != nobody || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("before: %s", w.Body)
	}
	if w, code := d.call("POST", "/v1/session", `{"token":"wrong"}`); w.Code != 401 || code != httpapi.SignInFailed || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("a wrong token: %d %s", w.Code, w.Body)
	}
	if w, code := d.call("POST", "/v1/session", `{"token":"`+strings.Repeat("x", 5000)+`"}`); w.Code != 413 {
		t.Errorf("a huge token: %d %s", w.Code, code)
	}
	cookie, header := d.signIn(" "+token+" ", "Sec-Fetch-Site: same-origin")
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.MaxAge != 12*3600 || cookie.Secure || cookie.Domain != "" || !strings.HasPrefix(cookie.Name, "verilot_manufacturer_") || strings.Contains(cookie.Value, token) {
		t.Errorf("cookie %+v", cookie)
	}
	if secure, _ := d.signIn(token, "TLS: on"); !secure.Secure {
		t.Error("over TLS the cookie may travel without")
	}
	w, _ := d.call("GET", "/v1/session", "", header)
	s := d.session(w)
	if !s.SignedIn || s.ExpiresAt == nil || !s.ExpiresAt.Equal(d.now.Add(12*time.Hour)) || !strings.Contains(w.Body.String(), `"expiresAt":"2026-11-21T20:00:00Z"`) {
		t.Errorf("signed in: %s", w.Body)
	}
	if w, _ := d.call("GET", "/v1/session", "", "Authorization: Bearer "+token); !d.session(w).SignedIn {
		t.Errorf("a program's session: %s", w.Body)
	}

	again := newDesk(t, Config{DevelopmentTokenFile: file}, manufacturer())
	if w, _ := again.call("POST", "/v1/lots", "", header); w.Code != 204 {
		t.Errorf("after a restart: %d %s", w.Code, w.Body)
	}
	again.now = again.now.Add(12*time.Hour - time.Second)
	if w, _ := again.call("POST", "/v1/lots", "", header); w.Code != 204 {
		t.Errorf("just before the end: %d %s", w.Code, w.Body)
	}
	again.now = again.now.Add(time.Second)
	if w, code := again.call("POST", "/v1/lots", "", header); code != httpapi.SignInRequired {
		t.Errorf("at the end: %d %s", w.Code, w.Body)
	}
	if w, _ := again.call("GET", "/v1/session", "", header); d.session(w) != nobody {
		t.Errorf("at the end: %s", w.Body)
	}

	w, _ = d.call("DELETE", "/v1/session", "", header)
	if out := w.Result().Cookies(); d.session(w) != nobody || len(out) != 1 || out[0].MaxAge >= 0 || out[0].Name != cookie.Name || out[0].Value != "" {
		t.Errorf("signed out: %s %v", w.Body, w.Header())
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreate(file); err != nil {
		t.Fatal(err)
	}
	if _, code := newDesk(t, Config{DevelopmentTokenFile: file}, manufacturer()).call("POST", "/v1/lots", "", header); code != httpapi.SignInRequired {
		t.Errorf("with a new token the old session is %q", code)
	}
}

// Wrong tokens are counted, by either way in; the right one always opens.
func TestAttemptsAreLimited(t *testing.T) {
	file, token := tokenFile(t)
	d := newDesk(t, Config{DevelopmentTokenFile: file}, manufacturer())
	try := func() httpapi.Code {
		_, code := d.call("POST", "/v1/lots", "", "Authorization: Bearer wrong")
		return code
	}
	for i := range attempts {
		if code := try(); code != httpapi.SignInFailed {
			t.Fatalf("attempt %d: %s", i, code)
		}
	}
	w, code := d.call("POST", "/v1/session", `{"token":"wrong"}`)
	if code != httpapi.TooManyAttempts || w.Code != http.StatusTooManyRequests || try() != httpapi.TooManyAttempts {
		t.Errorf("one too many: %d %s", w.Code, w.Body)
	}
	if w, _ := d.call("POST", "/v1/lots", "", "Authorization: Bearer "+token); w.Code != 204 {
		t.Errorf("the owner is locked out: %d %s", w.Code, w.Body)
	}
	d.signIn(token)
	d.now = d.now.Add(attemptsEvery)
	if first, second := try(), try(); first != httpapi.SignInFailed || second != httpapi.TooManyAttempts {
		t.Errorf("after a while: %s, %s", first, second)
	}
}

// A service without a sign-in changes nothing; one that is open on purpose still asks whose page it is.
func TestWithoutSignIn(t *testing.T) {
	p := manufacturer()
	p.Genesis = testGenesis("live", false)
	_, token := tokenFile(t)
	for _, d := range []*desk{newDesk(t, Config{}, manufacturer()), newDesk(t, Config{}, p)} {
		for _, header := range []string{"Accept: */*", "Authorization: Bearer " + token, "Authorization: Bearer ", "Cookie: " + d.guard.cookie + "=" + strings.Repeat("A", 75)} {
			if w, code := d.call("POST", "/v1/lots", "", header); code != httpapi.SignInRequired || d.did > 0 {
				t.Errorf("%s: %d %s", header, w.Code, w.Body)
			}
		}
		if w, code := d.call("POST", "/v1/session", `{"token":""}`); code != httpapi.SignInRequired {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if w, _ := d.call("GET", "/v1/session", ""); d.session(w) != (Session{Required: true, Kind: "none", Service: "manufacturer", Party: "lakeside", PartyName: "Lakeside Pharma"}) {
			t.Errorf("%s", w.Body)
		}
	}
	open := newDesk(t, Config{DevelopmentOpen: true}, manufacturer(), "http://console.example")
	for _, tt := range []struct {
		header string
		status int
	}{
		{"Accept: */*", 204},
		{"Authorization: Bearer whatever", 204},
		{"Sec-Fetch-Site: same-origin", 204},
		{"Sec-Fetch-Site: cross-site", 403},
		{"Origin: http://console.example", 204},
		{"Origin: http://evil.example", 403},
	} {
		if w, _ := open.call("POST", "/v1/lots", "", tt.header); w.Code != tt.status {
			t.Errorf("open, %s: %d %s", tt.header, w.Code, w.Body)
		}
	}
	if w, _ := open.call("POST", "/v1/session", `{"token":"x"}`); w.Code != 200 || open.session(w).SignedIn || open.session(w).Required || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("open: %d %s", w.Code, w.Body)
	}
}

func TestConfig(t *testing.T) {
	file, _ := tokenFile(t)
	live := manufacturer()
	live.Genesis = testGenesis("live", false)
	write := func(text string, mode fs.FileMode) string {
		t.Helper()
		name := filepath.Join(t.TempDir(), "x.token")
		if err := errors.Join(os.WriteFile(name, []byte(text), mode), os.Chmod(name, mode)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, tt := range []struct {
		name    string
		config  Config
		place   Identity
		trusted string
		says    string
	}{
		{"a token on a network that is not development", Config{DevelopmentTokenFile: file}, live, "", "live is no development network"},
		{"open on a network that is not development", Config{DevelopmentOpen: true}, live, "", "live is no development network"},
		{"both", Config{DevelopmentTokenFile: file, DevelopmentOpen: true}, manufacturer(), "", "choose one"},
		{"no such file", Config{DevelopmentTokenFile: file + "x"}, manufacturer(), "", "no such file"},
		{"a file that others may read", Config{DevelopmentTokenFile: write(strings.Repeat("A", 43), 0o644)}, manufacturer(), "", "chmod 600"},
		{"an empty file", Config{DevelopmentTokenFile: write("", 0o600)}, manufacturer(), "", "32 random bytes"},
		{"a password", Config{DevelopmentTokenFile: write("correct horse battery staple\n", 0o600)}, manufacturer(), "", "32 random bytes"},
		{"31 bytes", Config{DevelopmentTokenFile: write(strings.Repeat("A", 42), 0o600)}, manufacturer(), "", "32 random bytes"},
		{"an origin that is none", Config{DevelopmentOpen: true}, manufacturer(), "console", "cors"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var trusted []string
			if tt.trusted != "" {
				trusted = []string{tt.trusted}
			}
			if _, err := New(tt.config, tt.place, trusted...); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
	again, err := LoadOrCreate(file)
	st, statErr := os.Stat(file)
	if token, _ := Load(file); err != nil || statErr != nil || again != token || len(token) != 43 || st.Mode().Perm() != 0o600 {
		t.Errorf("token %q, mode %v, %v", again, st.Mode(), err)
	}
	if link := Link("http://127.0.0.1:8081/", "abc"); link != "http://127.0.0.1:8081/sign-in#abc" {
		t.Error(link)
	}
}
