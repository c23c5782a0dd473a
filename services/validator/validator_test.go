package validator

import (
	"bytes"
	"context"
	"crypto"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/keyring"
	"verilot.dev/services/internal/node/chain/chaintest"
	"verilot.dev/services/internal/service"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

// TestLoneValidator starts one from its files alone, with a broker of its own, and watches it make block 1.
func TestLoneValidator(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	dir := t.TempDir()
	g := chaintest.Genesis(t, 1, time.Now().Add(-time.Hour))
	create := func(use string) crypto.Signer {
		k, err := keyring.Create(filepath.Join(dir, use+".pem"), use)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	set := &g.Validators.Validators[0]
	set.VoteKey, set.CosignKey = keyring.Public(create(keys.Vote)), keyring.Public(create(keys.Cosign))
	file, err := genesis.Format(g)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "genesis.json")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()

	config := filepath.Join(dir, "validator.yaml")
	yaml := "genesis: " + path + "\ndata: " + dir + "\nlisten: 127.0.0.1:" + strconv.Itoa(port) + "\n"
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	var cfg Config
	if err := service.Load(config, &cfg); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	env, err := service.New("validator", cfg.Common, &log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg, env) }()
	get := func(path string) string {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+strconv.Itoa(port)+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return ""
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	deadline := time.Now().Add(30 * time.Second)
	for !strings.Contains(get("/metrics"), "verilot_node_height 1\n") {
		select {
		case err := <-done:
			t.Fatalf("%v\n%s", err, &log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("no block")
		}
	}
	if got := get("/readyz"); got != "ready\n" {
		t.Error(got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
