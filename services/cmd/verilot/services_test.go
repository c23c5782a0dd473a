package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
	"verilot.dev/services/internal/partner/capture"
)

// TestServicesAlone runs every service as a process of its own, from the configuration files of the runbook, in an order that
// leaves each without what it needs at first; a unit then goes from the maker's service to the api's trace.
func TestServicesAlone(t *testing.T) {
	n := startNetwork(t)
	n.up(t) // makes genesis file and keys
	n.stop(t)
	dir, base := t.TempDir(), freePorts(t, 5)
	keys, err := filepath.Glob(filepath.Join(n.dir, "keys", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range append(keys, filepath.Join(n.dir, "genesis.json")) {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(from)), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	port := func(i int) string { return fmt.Sprint(base + i) }
	ports := strings.NewReplacer(":8080", ":"+port(0), ":8081", ":"+port(1), ":8090", ":"+port(3), "4222", port(4))
	configs := runbookConfigs(t)
	for _, name := range []string{"manufacturer", "api", "validator"} {
		file := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(file, []byte(ports.Replace(configs[name])), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(n.bin, name, "--config", file)
		cmd.Dir = dir
		log := &strings.Builder{}
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			if err := cmd.Wait(); err != nil {
				t.Errorf("%s ended with %v", name, err)
			}
			if t.Failed() {
				t.Logf("%s said:\n%s", name, tail(log.String(), 3000))
			}
		})
	}
	for i := range 2 {
		deadline := time.Now().Add(time.Minute)
		for !ready(fmt.Sprintf("http://127.0.0.1:%d", base+i)) {
			if time.Now().After(deadline) {
				t.Fatalf("the service on port %d is not ready after a minute", base+i)
			}
			time.Sleep(20 * time.Millisecond) // polling another process
		}
	}

	file := filepath.Join(t.TempDir(), "doc.xml")
	if err := os.WriteFile(file, []byte(document(localnet.DemoMakerPrefix, localnet.DemoMakerSGLN, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := cli(t, "capture", file, "--to", "http://127.0.0.1:"+port(1), "--token-file", filepath.Join(dir, "manufacturer-sign-in.token"), "--wait", "indexed", "--json")
	if job := decodeAs[capture.Job](t, out); code != 0 || !job.Success {
		t.Fatalf("exit %d: %s", code, out)
	}
	var trace tracing.Trace
	if err := demo.Get(t.Context(), "http://127.0.0.1:"+port(0)+"/01/00399990123456/21/C1U0", &trace); err != nil {
		t.Fatal(err)
	}
	if len(trace.Steps) != 2 || trace.Lot != "CRASH" {
		t.Errorf("trace: %+v", trace)
	}
}
