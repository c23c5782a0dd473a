package ledgerrest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
)

// world is a running network on which a small story was told, once for all tests of this package.
type world struct {
	n    *localnet.Network
	told *demo.ShortStory
	stop func() error
}

var running = sync.OnceValues(func() (w *world, err error) {
	dir, err := os.MkdirTemp("", "verilot-query-")
	if err != nil {
		return nil, err
	}
	n, err := localnet.Start(context.Background(), localnet.Options{Dir: dir, Validators: 1})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	w = &world{n: n, stop: func() error { return errors.Join(n.Stop(), os.RemoveAll(dir)) }}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	w.told, err = demo.PlayShort(ctx, demo.NetworkOf(n), demo.Invented, demo.ShortSize{Cases: 2, PerCase: 3}, time.Now, func(string) {})
	return w, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	w, err := running()
	if w != nil {
		err = errors.Join(err, w.stop())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w, err := running()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// call asks the api and returns its answer with the body read.
func (w *world) call(t *testing.T, service, method, path string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.n.URLs[service]+path, http.NoBody)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	maps.Copy(req.Header, header)
	return w.do(t, req)
}

// do sends a request and reads the body of the answer.
func (w *world) do(t *testing.T, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

// storyCommand sends a business command to the maker and reports whether the ledger took it.
func storyCommand(t *testing.T, w *world, command string, body map[string]any) (bool, error) {
	t.Helper()
	job, err := demo.Command(t.Context(), w.n.URLs["manufacturer"], command, body)
	if err != nil {
		return false, err
	}
	return job.Success, nil
}
