package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type config struct {
	Common `yaml:",inline"`
	Party  string        `yaml:"party"`
	Wait   time.Duration `yaml:"wait"`
	Deep   struct {
		N int `yaml:"n"`
	} `yaml:"deep"`
}

func TestLoad(t *testing.T) {
	for name, tt := range map[string]struct {
		file string
		want config
		bad  string
	}{
		"empty":            {file: "", want: config{Party: "default"}},
		"only a comment":   {file: "# nothing\n", want: config{Party: "default"}},
		"all":              {file: "listen: :80\nparty: acme\nwait: 5s\ndeep:\n  n: 3\n", want: config{Common: Common{Listen: ":80"}, Party: "acme", Wait: 5 * time.Second}},
		"unknown key":      {file: "prty: acme\n", bad: "prty"},
		"unknown deep key": {file: "deep:\n  m: 3\n", bad: "m"},
		"key twice":        {file: "party: a\nparty: b\n", bad: "party"},
		"wrong type":       {file: "deep:\n  n: x\n", bad: "n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.yaml")
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			got := config{Party: "default"}
			err := Load(path, &got)
			if tt.bad != "" {
				if err == nil || !strings.Contains(err.Error(), tt.bad) {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if tt.want.Wait != 0 {
				tt.want.Deep.N = 3
			}
			if err != nil || got != tt.want {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	if err := Load("", &config{}); err != nil {
		t.Error(err)
	}
	if err := Load(filepath.Join(t.TempDir(), "none"), &config{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A file of an earlier version is refused with the name that its key has now.
func TestMovedKeys(t *testing.T) {
	type withBroker struct {
		Common `yaml:",inline"`
		Broker Broker `yaml:"broker"`
	}
	load := func(text string, into any) error {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(path, into)
	}
	for old, now := range map[string]string{"nats": "broker.url", "creds": "broker.creds", "nats_creds": "broker.creds"} {
		err := load("listen: :80\n"+old+": x\n", &withBroker{})
		if err == nil || !strings.Contains(err.Error(), "the key "+old+" is now "+now+":") {
			t.Errorf("%s: %v", old, err)
		}
		// A configuration without a broker never had these keys.
		if err := load(old+": x\n", &config{}); err == nil || strings.Contains(err.Error(), "is now") {
			t.Errorf("%s without a broker: %v", old, err)
		}
	}
	var cfg withBroker
	if err := load("broker:\n  url: nats://a,nats://b\n  creds: c\n", &cfg); err != nil || cfg.Broker != (Broker{URL: "nats://a,nats://b", Creds: "c"}) {
		t.Errorf("%+v, %v", cfg, err)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
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
	return resp.StatusCode, string(b)
}

func TestServe(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	var log bytes.Buffer
	e, err := New("test", Common{Listen: "127.0.0.1:0", LogFormat: "json"}, &log)
	if err != nil {
		t.Fatal(err)
	}
	var bad error
	e.Ready("disk", func(context.Context) error { return bad })
	ctx, cancel := context.WithCancel(t.Context())
	g := NewGroup(ctx)
	addr := make(chan net.Addr, 1)
	g.Go("http", func(ctx context.Context) error {
		return e.Serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "own") }), func(a net.Addr) { addr <- a })
	})
	base := "http://" + (<-addr).String()
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n", "/x": "own"} {
		if code, body := get(t, base+path); code != 200 || body != want {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	if code, body := get(t, base+"/metrics"); code != 200 || !strings.Contains(body, "go_goroutines") {
		t.Errorf("%d %.100s", code, body)
	}
	bad = errors.New("full")
	if code, body := get(t, base+"/readyz"); code != 503 || body != "disk: full\n" {
		t.Errorf("%d %q", code, body)
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), `"service":"test"`) {
		t.Error(log.String())
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []Common{{LogLevel: "loud"}, {LogFormat: "xml"}} {
		if _, err := New("x", c, io.Discard); err == nil {
			t.Errorf("%+v", c)
		}
	}
}

func TestGroup(t *testing.T) {
	boom := errors.New("boom")
	g := NewGroup(t.Context())
	g.Go("waits", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	g.Go("done", func(context.Context) error { return nil })
	g.Go("fails", func(context.Context) error { return boom })
	if err := g.Wait(); !errors.Is(err, boom) || err.Error() != "fails: boom" {
		t.Error(err)
	}
	g = NewGroup(t.Context())
	g.Go("waits", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	g.Stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}
