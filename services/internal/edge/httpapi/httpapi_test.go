package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/getkin/kin-openapi/openapi3"
)

type echoIn struct {
	Limit int `query:"limit" minimum:"1" maximum:"10"`
	Body  struct {
		Name string `json:"name" minLength:"1"`
		Age  int    `json:"age,omitempty"`
	}
}

type echoOut struct {
	Body struct {
		Name   string `json:"name"`
		Height uint64 `json:"height,string"`
	}
}

func testAPI(t *testing.T) *API {
	t.Helper()
	api := New(Options{Ready: func(context.Context) error { return errors.New("block 7 of 9 is applied; wait") }})
	huma.Register(api.Huma, huma.Operation{OperationID: "echo", Method: http.MethodPost, Path: "/echo", MaxBodyBytes: 200},
		func(_ context.Context, in *echoIn) (*echoOut, error) {
			switch in.Body.Name {
			case "panic":
				panic("boom")
			case "secret":
				return nil, errors.New("password is hunter2")
			case "lot":
				return nil, NewProblem(UnknownLot, "lot %s is not recorded", in.Body.Name)
			}
			out := &echoOut{}
			out.Body.Name = in.Body.Name
			return out, nil
		})
	huma.Register(api.Huma, huma.Operation{OperationID: "epcis", Method: http.MethodGet, Path: "/epcis", Metadata: EPCIS},
		func(context.Context, *struct{}) (*struct{}, error) {
			return nil, NewProblem(NotFound, "nothing is here")
		})
	return api
}

// Whatever is wrong with a request, the answer has our shape, a code of the table, and a sentence.
func TestEveryErrorIsAProblem(t *testing.T) {
	api := testAPI(t)
	for _, tt := range []struct {
		name, method, path, contentType, accept, body string
		status                                        int
		code                                          Code
		typ, says                                     string
	}{
		{"unknown address", "GET", "/nowhere", "", "", "", 404, NotFound, "urn:verilot:problem:not_found", "/openapi.json"},
		{"wrong method", "DELETE", "/echo", "", "", "", 405, MethodNotAllowed, "", "POST"},
		{"no JSON", "POST", "/echo", "application/json", "", "{", 400, MalformedRequest, "", "JSON"},
		{"missing member", "POST", "/echo", "application/json", "", "{}", 400, MissingParameter, "", "name"},
		{"no body", "POST", "/echo", "application/json", "", "", 400, MissingParameter, "", "body"},
		{"wrong type", "POST", "/echo", "application/json", "", `{"name":"x","age":"old"}`, 400, InvalidParameter, "", "/age"},
		{"unknown member", "POST", "/echo", "application/json", "", `{"name":"x","agee":1}`, 400, InvalidParameter, "", "agee"},
		{"parameter out of range", "POST", "/echo?limit=11", "application/json", "", `{"name":"x"}`, 400, InvalidParameter, "", "query.limit"},
		{"unknown parameter", "POST", "/echo?limmit=1", "application/json", "", `{"name":"x"}`, 400, InvalidParameter, "", "limmit"},
		{"wrong format", "POST", "/echo", "text/csv", "", "a,b", 415, UnsupportedMediaType, "", "application/json"},
		{"no format", "POST", "/echo", "", "", `{"name":"x"}`, 415, UnsupportedMediaType, "", "application/json"},
		{"unwritable answer", "POST", "/echo", "application/json", "image/png", `{"name":"x"}`, 406, NotAcceptable, "", "application/json"},
		{"body too large", "POST", "/echo", "application/json", "", `{"name":"` + strings.Repeat("x", 300) + `"}`, 413, BodyTooLarge, "", "larger"},
		{"panic", "POST", "/echo", "application/json", "", `{"name":"panic"}`, 500, Internal, "", "request id"},
		{"error without a code", "POST", "/echo", "application/json", "", `{"name":"secret"}`, 500, Internal, "", "request id"},
		{"problem of a handler", "POST", "/echo", "application/json", "", `{"name":"lot"}`, 404, UnknownLot, "", "lot lot"},
		{"EPCIS endpoint", "GET", "/epcis", "", "", "", 404, NotFound, "epcisException:NoSuchNameException", ""},
		{"not ready", "GET", "/readyz", "", "", "", 503, NotReady, "", "block 7"},
		{"address too long", "GET", "/" + strings.Repeat("x", 9000), "", "", "", 414, URITooLong, "", "8192"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			if tt.contentType != "" {
				req.Header.Set("Content-Type", tt.contentType)
			}
			if tt.accept != "" {
				req.Header.Set("Accept", tt.accept)
			}
			w := httptest.NewRecorder()
			api.Engine.ServeHTTP(w, req)
			var p Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%v: %s", err, w.Body)
			}
			if w.Code != tt.status || p.Status != tt.status || p.Code != tt.code || p.Title == "" || p.Detail == "" {
				t.Errorf("got %d %s, want %d %s: %s", w.Code, p.Code, tt.status, tt.code, w.Body)
			}
			if ct := w.Header().Get("Content-Type"); ct != "application/problem+json" {
				t.Errorf("content type %q", ct)
			}
			if tt.typ != "" && p.Type != tt.typ {
				t.Errorf("type %q, want %q", p.Type, tt.typ)
			}
			if !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("answer does not say %q: %s", tt.says, w.Body)
			}
			if strings.Contains(w.Body.String(), "hunter2") || strings.Contains(w.Body.String(), "boom") {
				t.Errorf("answer tells what it must not: %s", w.Body)
			}
			if p.Instance == "" || w.Header().Get("X-Request-Id") != p.Instance {
				t.Errorf("instance %q, request id %q", p.Instance, w.Header().Get("X-Request-Id"))
			}
		})
	}
}

// A body that does not arrive in time is refused, and so is what Go's parser would silently drop from the address.
func TestSlowBodyAndUnreadableQuery(t *testing.T) {
	api := New(Options{})
	huma.Register(api.Huma, huma.Operation{OperationID: "slow", Method: http.MethodPost, Path: "/slow", BodyReadTimeout: 50 * time.Millisecond},
		func(context.Context, *echoIn) (*echoOut, error) { return &echoOut{}, nil })
	srv := httptest.NewServer(api.Engine)
	defer srv.Close()
	body, never := io.Pipe()
	defer never.Close()
	for _, tt := range []struct {
		name, path string
		body       io.Reader
		code       Code
	}{
		{"slow body", "/slow", body, RequestTimeout},
		{"semicolon", "/slow?limit=1;2", strings.NewReader("{}"), MalformedRequest},
		{"half an escape", "/slow?limit=%2", strings.NewReader("{}"), MalformedRequest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+tt.path, tt.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var p Problem
			if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Code != tt.code || resp.StatusCode != Lookup(tt.code).Status {
				t.Errorf("%d %v %+v", resp.StatusCode, err, p)
			}
		})
	}
}

func TestAccepts(t *testing.T) {
	for _, tt := range []struct {
		header string
		want   bool
	}{
		{"", true},
		{"*/*", true},
		{"application/*;q=0.5", true},
		{"text/html, application/json", true},
		{"Application/JSON", true},
		{"application/problem+json", true},
		{"text/html", false},
		{"application/json;q=0", false},
		{"application/json; q=0.0, text/plain", false},
		{"nonsense", false},
	} {
		if got := Accepts(tt.header, "application/json"); got != tt.want {
			t.Errorf("Accept: %s: %v", tt.header, got)
		}
	}
}

func TestEveryCodeHasStatusAndTitle(t *testing.T) {
	for _, c := range allCodes() {
		if s := Lookup(c); s.Status < 400 || s.Title == "" || s.EPCIS == "" {
			t.Errorf("%s: %+v", c, s)
		}
	}
}

func TestOpenAPIDocumentIsValid(t *testing.T) {
	api := testAPI(t)
	w := httptest.NewRecorder()
	api.Engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if doc.Components.Schemas["Problem"] == nil {
		t.Error("problems are not described")
	}
	if h := doc.Components.Schemas["EchoOutBody"].Value.Properties["height"]; !h.Value.Type.Is("string") {
		t.Errorf("a number that travels as text is described as %v", h.Value.Type)
	}
}

func TestMetricsAndHealth(t *testing.T) {
	api := testAPI(t)
	for _, path := range []string{"/healthz", "/metrics"} {
		w := httptest.NewRecorder()
		api.Engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
		if path == "/metrics" && !strings.Contains(w.Body.String(), `verilot_http_requests_total{method="GET",route="/healthz",status="200"} 1`) {
			t.Errorf("metrics: %s", w.Body)
		}
	}
}

func TestServeStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ln, err := Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered, waited := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- Serve(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-Draining(r.Context())
			w.WriteHeader(http.StatusNoContent)
		}))
	}()
	go func() {
		defer close(waited)
		resp, err := http.Get("http://" + ln.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusNoContent {
			t.Errorf("the request under way got %d", resp.StatusCode)
		}
	}()
	<-entered
	cancel()
	<-waited
	if err := <-done; err != nil {
		t.Error(err)
	}
}
