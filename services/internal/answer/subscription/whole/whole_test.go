// Package whole tests standing queries on a whole network, through the addresses that everybody uses.
package whole

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
)

// heard is what a webhook or WebSocket was told.
type heard struct {
	tb  testing.TB
	mu  sync.Mutex
	ids []string
}

func (h *heard) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		h.tb.Error(err)
	}
	h.take(b)
}

func (h *heard) take(b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, err := epcisdoc.Read(bytes.NewReader(b), epcis.Options{}, epcis.Handler{
		Event:   func(e epcis.EventAt) error { h.ids = append(h.ids, e.Event.EventID); return nil },
		Problem: func(p epcis.Problem) error { h.tb.Errorf("%+v", p); return nil },
	}); err != nil {
		h.tb.Error(err)
	}
}

func (h *heard) list() []string { h.mu.Lock(); defer h.mu.Unlock(); return slices.Clone(h.ids) }

// Who subscribes through a partner's service is told what that partner may see, who subscribes at the api everything; each event once, in
// the order of the ledger, while a story is told.
func TestSubscriptionsOnANetwork(t *testing.T) {
	n, err := localnet.Start(t.Context(), localnet.Options{Dir: t.TempDir(), Validators: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	call := func(method, address, body string, want int) []byte {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s %s: %d %s %v", method, address, resp.StatusCode, b, err)
		}
		return b
	}
	hooks := map[string]*heard{}
	for _, service := range []string{"api", "manufacturer", "pharmacy"} {
		hooks[service] = &heard{tb: t}
		srv := httptest.NewServer(hooks[service])
		defer srv.Close()
		call("POST", n.URLs[service]+"/queries", `{"name":"all","query":{}}`, http.StatusCreated)
		call("POST", n.URLs[service]+"/queries/all/subscriptions", `{"dest":"`+srv.URL+`","stream":true}`, http.StatusCreated)
	}
	conn, _, err := websocket.Dial(t.Context(), n.URLs["pharmacy"]+"/queries/all/events?stream=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	defer conn.CloseNow()
	socket := &heard{tb: t}
	go func() {
		for {
			_, b, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			socket.take(b)
		}
	}()
	if _, err := demo.PlayShort(t.Context(), demo.NetworkOf(n), demo.Invented, demo.ShortSize{Cases: 2, PerCase: 3}, time.Now, func(string) {}); err != nil {
		t.Fatal(err)
	}
	var page struct {
		Body struct {
			Results struct {
				Body struct {
					Events []struct {
						ID string `json:"eventID"`
					} `json:"eventList"`
				} `json:"resultsBody"`
			} `json:"queryResults"`
		} `json:"epcisBody"`
	}
	events := func(service string) (ids []string) {
		page.Body.Results.Body.Events = nil
		if err := json.Unmarshal(call("GET", n.URLs[service]+"/queries/all/events?perPage=1000", "", http.StatusOK), &page); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Body.Results.Body.Events {
			ids = append(ids, e.ID)
		}
		slices.Sort(ids)
		return ids
	}
	sorted := func(h *heard) []string { return slices.Sorted(slices.Values(h.list())) }
	all := events("api")
	for end, tick := time.Now().Add(20*time.Second), time.NewTicker(20*time.Millisecond); ; <-tick.C {
		if slices.Equal(sorted(hooks["api"]), all) && len(socket.list()) > 0 && slices.Equal(socket.list(), hooks["pharmacy"].list()) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the api has %v, its webhook heard %v, the pharmacy's %v, its socket %v", all, hooks["api"].list(), hooks["pharmacy"].list(), socket.list())
		}
	}
	if len(all) < 10 || len(slices.Compact(sorted(hooks["api"]))) != len(all) {
		t.Errorf("%d events, heard %d", len(all), len(hooks["api"].list()))
	}
	// A partner hears what it may see when it is recorded; later it may see more, of goods that it got.
	for _, service := range []string{"manufacturer", "pharmacy"} {
		ids, own := hooks[service].list(), events(service)
		if len(ids) == 0 || len(ids) >= len(all) {
			t.Errorf("%s heard %d of %d", service, len(ids), len(all))
		}
		for _, id := range ids {
			if !slices.Contains(own, id) {
				t.Errorf("%s heard of %s, which it may not see", service, id)
			}
		}
	}
}
