package partner

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/partner/gateway"
)

// Every route that is passed on is served at a partner, beside all that the partner offers itself,
// and the answer is the api's.
func TestPassedOnRoutesAreServed(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api", r.Method+" "+r.URL.Path)
	}))
	defer api.Close()
	h := w.s.API(nil, nil)
	open, party := passedOn()
	done, err := gateway.Mount(h, gateway.Config{API: api.URL, Open: open, Party: party, TopLevel: epcisrest.TopLevel, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	service := httptest.NewServer(h.Engine)
	defer service.Close()
	for _, r := range append(open, party...) {
		path := strings.NewReplacer("{", "", "}", "").Replace(r.Path)
		req, err := http.NewRequestWithContext(t.Context(), r.Method, service.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if path == "/" && r.Method == http.MethodGet { // answered here
			if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"capture"`) {
				t.Errorf("GET /: %d %s", resp.StatusCode, body)
			}
			continue
		}
		if r.Endless != (path == "/v1/feed") {
			t.Errorf("%s %s has no end: %v", r.Method, path, r.Endless)
		}
		if got := resp.Header.Get("Api"); got != r.Method+" "+path {
			t.Errorf("%s %s: %d, the api got %q", r.Method, path, resp.StatusCode, got)
		}
	}
	if len(open) == 0 || len(party) == 0 {
		t.Error("nothing is passed on")
	}
}
