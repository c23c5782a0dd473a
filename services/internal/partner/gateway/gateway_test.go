package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"verilot.dev/services/internal/edge/httpapi"
)

func get(paths ...string) (list []httpapi.Route) {
	for _, p := range paths {
		list = append(list, httpapi.Route{Method: http.MethodGet, Path: p})
	}
	return list
}

// What an api declares, as far as these tests ask for it.
var (
	openRoutes = append(get("/v1/trace", "/v1/verify", "/v1/scan", "/v1/lots", "/v1/lots/{gtin}/{lot}", "/v1/lots/{gtin}/{lot}/units", "/v1/products", "/v1/blocks", "/v1/blocks/{height}",
		"/v1/events/{height}/{entry}/{item}", "/v1/parties/{id}", "/v1/recalls/{number}/units", "/v1/status", "/v1/validators", "/v1/genesis", "/v1/checkpoint", "/v1/proof", "/v1/search",
		"/v1/shipments", "/01/{gtin}/21/{serial}"), httpapi.Route{Method: http.MethodGet, Path: "/v1/feed", Endless: true})
	partyRoutes = append(get("/", "/events", "/events/{eventID}", "/eventTypes", "/eventTypes/{eventType}", "/epcs", "/epcs/{epc}/events", "/bizSteps", "/bizSteps/{bizStep}", "/dispositions", "/readPoints",
		"/bizLocations", "/queries", "/queries/{name}/events"),
		httpapi.Route{Method: http.MethodPost, Path: "/queries"}, httpapi.Route{Method: http.MethodDelete, Path: "/queries/{name}"},
		httpapi.Route{Method: http.MethodPost, Path: "/queries/{name}/subscriptions"}, httpapi.Route{Method: http.MethodDelete, Path: "/nextPageToken/{token}"})
)

func mount(h *httpapi.API, api string) (done func(), err error) {
	return Mount(h, Config{API: api, Open: openRoutes, Party: partyRoutes, Log: slog.New(slog.DiscardHandler)})
}

// readsOf is a partner service's way to an api, and nothing else.
func readsOf(t *testing.T, api string) *httptest.Server {
	t.Helper()
	h := httpapi.New(httpapi.Options{CORS: []string{"http://console.example"}})
	done, err := mount(h, api)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h.Engine)
	t.Cleanup(func() { s.Close(); done() })
	return s
}

func readFrom(t *testing.T, address string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	c := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// What a partner service passes on is the api's own answer, header by header and byte by byte; what it is trusted with it keeps.
func TestReadsAreTheAPIs(t *testing.T) {
	var asked []http.Header
	api := httpapi.New(httpapi.Options{})
	api.Engine.NoRoute(func(c *gin.Context) {
		if c.GetHeader(passedOn) != "" {
			asked = append(asked, c.Request.Header.Clone())
		}
		if strings.HasPrefix(c.Request.URL.Path, "/v1/genesis") {
			c.Header("Cache-Control", "public, max-age=60")
			c.Header("Content-Encoding", "gzip")
			c.Data(http.StatusOK, "application/json", []byte("\x1f\x8b not really"))
			return
		}
		if strings.HasPrefix(c.Request.URL.Path, "/v1/parties") {
			httpapi.Write(c, httpapi.NewProblem(httpapi.UnknownParty, "no party"))
			return
		}
		c.Header("Verilot-Height", "7")
		http.SetCookie(c.Writer, &http.Cookie{Name: "stray", Value: "x"})
		c.String(http.StatusOK, "%s %s", c.Request.Method, c.Request.RequestURI)
	})
	origin := httptest.NewServer(api.Engine)
	defer origin.Close()
	partner := readsOf(t, origin.URL)

	paths := []string{
		"/v1/trace?id=urn%3Aepc%3Aid%3Asgtin%3A0399990.001234.A%2FB&x=%25+%2B", "/v1/verify?id=1", "/v1/scan?text=%1D", "/v1/lots/00399990012347/A%2FB", "/v1/lots?limit=5",
		"/v1/lots/1/2/units?format=csv", "/v1/products", "/v1/blocks", "/v1/blocks/7", "/v1/events/1/0/0", "/v1/parties/nobody", "/v1/recalls/R%2F1/units", "/v1/status", "/v1/validators",
		"/v1/genesis", "/v1/checkpoint", "/v1/proof?id=1&format=binary", "/v1/search?q=%F0%9F%92%8A", "/v1/shipments?to=corner", "/01/00399990012347/21/A%2FB?17=281112",
	}
	for _, path := range paths {
		const id = "X-Request-Id: request-0001"
		want, wantBody := readFrom(t, origin.URL+path, id, "Accept-Encoding: gzip")
		got, body := readFrom(t, partner.URL+path, id, "Accept-Encoding: gzip", "Cookie: verilot_manufacturer_1=secret", "Authorization: Bearer secret", "Origin: http://other.example", "X-Forwarded-For: 10.0.0.1")
		want.Header.Del("Set-Cookie")
		for _, h := range []http.Header{want.Header, got.Header} {
			h.Del("Date")
		}
		if got.StatusCode != want.StatusCode || body != wantBody || fmt.Sprint(got.Header) != fmt.Sprint(want.Header) {
			t.Errorf("%s: %d %q %v\nthe api: %d %q %v", path, got.StatusCode, body, got.Header, want.StatusCode, wantBody, want.Header)
		}
	}
	if len(asked) != len(paths) {
		t.Errorf("the api was asked %d times, want %d", len(asked), len(paths))
	}
	for _, h := range asked {
		for _, name := range []string{"Cookie", "Authorization", "Origin", "X-Forwarded-For"} {
			if h[name] != nil {
				t.Errorf("the api was told %s: %s", name, h[name])
			}
		}
	}

	before := len(asked)
	for _, path := range []string{"/v1/products2", "/capture", "/metrics", "/v1/session", "/v1/onboarding", "/v1"} {
		readFrom(t, partner.URL+path)
	}
	if len(asked) > before {
		t.Error("more is passed on than what is listed")
	}
	if got, _ := readFrom(t, partner.URL+"/v1/status", "Origin: http://console.example"); !slices.Equal(got.Header["Access-Control-Allow-Origin"], []string{"http://console.example"}) {
		t.Errorf("a page that may call this service may not read through it: %v", got.Header)
	}
}

// A feed arrives piece by piece, and the api hears when its reader goes.
func TestFeedStreams(t *testing.T) {
	next, gone := make(chan string), make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		rc := http.NewResponseController(w)
		_ = rc.Flush()
		for {
			select {
			case text := <-next:
				fmt.Fprint(w, text)
				_ = rc.Flush()
			case <-r.Context().Done():
				close(gone)
				return
			}
		}
	}))
	defer origin.Close()
	partner := readsOf(t, origin.URL)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, partner.URL+"/v1/feed?after=3", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"event: block\n", ": still here\n"} {
		next <- want
		if got, err := lines.ReadString('\n'); err != nil || got != want {
			t.Fatalf("%q %v", got, err)
		}
	}
	resp.Body.Close()
	<-gone
}

// A feed that never ends does not hold up a service that stops, whether it has begun or not.
func TestFeedEndsWithTheService(t *testing.T) {
	for _, begun := range []bool{true, false} {
		arrived := make(chan struct{})
		origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if begun {
				w.Header().Set("Content-Type", "text/event-stream")
				_ = http.NewResponseController(w).Flush()
			}
			close(arrived)
			<-r.Context().Done()
		}))
		h := httpapi.New(httpapi.Options{})
		done, err := mount(h, origin.URL)
		if err != nil {
			t.Fatal(err)
		}
		ln, err := httpapi.Listen(t.Context(), "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- httpapi.Serve(ctx, ln, h.Engine) }()
		if !begun {
			go func() { <-arrived; stop() }()
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + ln.Addr().String() + "/v1/feed")
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: 200, false: 503}[begun]; resp.StatusCode != want {
			t.Errorf("begun %v: %d", begun, resp.StatusCode)
		}
		stop()
		start := time.Now()
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err := <-ended; err != nil || time.Since(start) > 5*time.Second {
			t.Errorf("begun %v: %v after %s", begun, err, time.Since(start))
		}
		done()
		origin.Close()
	}
}

func TestAPIIsAway(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	away.Close()
	round := httptest.NewUnstartedServer(nil)
	h := httpapi.New(httpapi.Options{})
	done, err := mount(h, "http://"+round.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	round.Config.Handler = h.Engine
	round.Start()
	defer round.Close()
	for _, tt := range []struct{ name, base, says string }{
		{"it does not answer", readsOf(t, away.URL).URL, "does not answer"},
		{"there is none", readsOf(t, "").URL, "set api"},
		{"it is this service itself", round.URL, "leads to a partner service"},
	} {
		resp, body := readFrom(t, tt.base+"/v1/status")
		var p httpapi.Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != http.StatusServiceUnavailable || p.Code != httpapi.APIUnavailable || !strings.Contains(p.Detail, tt.says) {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, body)
		}
		if resp.Header.Get("Content-Type") != "application/problem+json" || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %v", tt.name, resp.Header)
		}
	}
	for _, address := range []string{"localhost:8080", "ftp://x", "http://", ":"} {
		if _, err := mount(httpapi.New(httpapi.Options{}), address); err == nil || !strings.Contains(err.Error(), "configuration: api") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// What of the EPCIS interface is passed on is asked in the party's name, and only for who is signed in here.
func TestQueriesAreTheParty(t *testing.T) {
	type told struct{ request, authorization, body string }
	var heard []told
	api := httpapi.New(httpapi.Options{})
	api.Engine.NoRoute(func(c *gin.Context) {
		b, _ := io.ReadAll(c.Request.Body)
		heard = append(heard, told{c.Request.Method + " " + c.Request.RequestURI, c.GetHeader("Authorization"), string(b)})
		c.Header("GS1-EPCIS-Version", "2.0")
		c.Header("Link", `</events?nextPageToken=x>; rel="next"`)
		c.String(http.StatusOK, "answer")
	})
	origin := httptest.NewServer(api.Engine)
	defer origin.Close()
	h := httpapi.New(httpapi.Options{})
	c := Config{
		API: origin.URL, Open: openRoutes, Party: partyRoutes, Log: slog.New(slog.DiscardHandler),
		Reader: func(r *http.Request) *httpapi.Problem {
			if r.Header.Get("Authorization") == "Bearer mine" {
				return nil
			}
			return httpapi.NewProblem(httpapi.ReadNeedsSignIn, "sign in")
		},
		Token:    func(method string) (string, error) { return "signed for " + method, nil },
		TopLevel: func(c *gin.Context) { c.String(http.StatusOK, "resources of this service") },
	}
	done, err := Mount(h, c)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	partner := httptest.NewServer(h.Engine)
	defer partner.Close()
	ask := func(method, path, bearer, body string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, partner.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", "verilot_pharmacy_1=secret")
		req.Header.Set("GS1-EPC-Format", "Always_EPC_URN")
		if bearer != "" {
			req.Header.Set("Authorization", "Bearer "+bearer)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, string(b)
	}
	for _, request := range []string{
		"GET /events?EQ_bizStep=shipping%7Creceiving&perPage=2", "GET /events/ni%3A%2F%2F%2Fsha-256%3Bab%3Fver%3DCBV2.0", "GET /eventTypes", "GET /epcs/https%3A%2F%2Fid.gs1.org%2F01%2F1%2F21%2F2/events",
		"GET /bizSteps/shipping", "GET /dispositions", "GET /readPoints", "GET /bizLocations", "GET /queries", "POST /queries", "GET /queries/q/events", "DELETE /queries/q", "POST /queries/q/subscriptions",
		"DELETE /nextPageToken/abc",
	} {
		method, path, _ := strings.Cut(request, " ")
		heard = nil
		code, header, body := ask(method, path, "", "{}")
		var p httpapi.Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || code != http.StatusUnauthorized || p.Type != "epcisException:SecurityException" || header.Get("WWW-Authenticate") != "Bearer" || len(heard) > 0 {
			t.Errorf("%s of nobody: %d %s, the api heard %v", request, code, body, heard)
		}
		sent := "{}"
		if method == http.MethodGet {
			sent = ""
		}
		code, header, body = ask(method, path, "mine", sent)
		if want := []told{{request, "Bearer signed for " + method, sent}}; code != http.StatusOK || body != "answer" || header.Get("Link") == "" || !slices.Equal(heard, want) {
			t.Errorf("%s: %d %q, the api heard %v", request, code, body, heard)
		}
	}
	heard = nil
	for _, path := range []string{"/bizSteps", "/events/x", "/queries", "/"} {
		if code, _, _ := ask(http.MethodOptions, path, "", ""); code != http.StatusOK || len(heard) == 0 {
			t.Errorf("what is offered at %s is not told: %d", path, code)
		}
	}
	heard = nil
	if code, _, body := ask(http.MethodGet, "/", "", ""); code != http.StatusOK || body != "resources of this service" || len(heard) > 0 {
		t.Errorf("%d %s", code, body)
	}
	if code, _, _ := ask(http.MethodGet, "/v1/status", "", ""); code != http.StatusOK || heard[0].authorization != "" {
		t.Errorf("%d %v", code, heard)
	}
}

// A WebSocket goes through, both ways, and ends with the service.
func TestWebSocketIsPassedOn(t *testing.T) {
	ended := make(chan struct{})
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer close(ended)
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\n\r\n")
		_ = rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			fmt.Fprint(rw, "heard "+line)
			_ = rw.Flush()
		}
	}))
	defer origin.Close()
	h := httpapi.New(httpapi.Options{})
	done, err := Mount(h, Config{API: origin.URL, Party: partyRoutes, Token: func(string) (string, error) { return "x", nil }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	ln, err := httpapi.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- httpapi.Serve(ctx, ln, h.Engine) }()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /queries/q/events?stream=true HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", ln.Addr())
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	for _, word := range []string{"one\n", "two\n"} {
		fmt.Fprint(conn, word)
		if got, err := in.ReadString('\n'); err != nil || got != "heard "+word {
			t.Fatalf("%q %v", got, err)
		}
	}
	stop()
	<-ended
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A route that an api declares is served at a partner, one that the partner answers itself stays
// there, and no other goes on.
func TestWhatIsDeclaredIsPassedOn(t *testing.T) {
	api := httpapi.New(httpapi.Options{})
	type answer struct {
		Body string
	}
	declare := func(method, path string, on bool) {
		huma.Register(api.Huma, huma.Operation{OperationID: method + path, Method: method, Path: path, Metadata: map[string]any{httpapi.PassedOn: on}},
			func(context.Context, *struct{}) (*answer, error) { return &answer{"of the api"}, nil })
	}
	declare(http.MethodGet, "/v1/new", true)
	declare(http.MethodGet, "/v1/other", false)
	declare(http.MethodGet, "/v1/ours", true)
	origin := httptest.NewServer(api.Engine)
	defer origin.Close()
	h := httpapi.New(httpapi.Options{})
	h.Engine.GET("/v1/ours", func(c *gin.Context) { c.String(http.StatusOK, "of the partner") })
	done, err := Mount(h, Config{API: origin.URL, Open: api.PassedOn(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	partner := httptest.NewServer(h.Engine)
	defer partner.Close()
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/v1/new": {200, "of the api"}, "/v1/new/below": {404, "not_found"}, "/v1/ours": {200, "of the partner"}, "/v1/other": {404, "not_found"},
	} {
		if resp, body := readFrom(t, partner.URL+path); resp.StatusCode != want.status || !strings.Contains(body, want.says) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
}
