package main

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"verilot.dev/services/broker"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/service"
)

// TestBrokerLost: one of three brokers stops under load and comes back. Nothing acknowledged is lost, and blocks go on without it.
func TestBrokerLost(t *testing.T) {
	n, err := localnet.Start(t.Context(), localnet.Options{Dir: t.TempDir(), Cluster: 3, PortsBase: freePorts(t, 4)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	r := reachable(t, n)
	load := makerLoad(t)
	for range 3 {
		captureOne(t, load, r)
	}
	load.settle(r)
	stop := load.run(r, 1)
	if err := n.StopBroker(0); err != nil {
		t.Fatal(err)
	}
	before := height(t, r)
	for deadline := time.Now().Add(30 * time.Second); height(t, r) < before+3; time.Sleep(20 * time.Millisecond) { // polling a service
		if time.Now().After(deadline) {
			t.Fatal("no blocks with one of three brokers lost")
		}
	}
	if err := n.RestartBroker(0); err != nil {
		t.Fatal(err)
	}
	stop()
	load.settle(r)
	load.checkChain(r)
}

// reachable is a network in this process as the load knows it.
func reachable(t *testing.T, n *localnet.Network) *running {
	t.Helper()
	u, err := url.Parse(n.URLs["api"])
	if err != nil {
		t.Fatal(err)
	}
	base, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return &running{base: base}
}

func height(t *testing.T, r *running) uint64 {
	t.Helper()
	var s tracing.Status
	if err := fetch(r.url(0)+"/v1/status", &s); err != nil {
		t.Fatal(err)
	}
	return s.Height
}

func captureOne(t *testing.T, load *crashLoad, r *running) {
	t.Helper()
	if err := load.send(r, load.next); err != nil {
		t.Fatal(err)
	}
	load.next++
}

// TestBrokerProcessLost: kill -9 of one of three brokers that are processes, under load.
func TestBrokerProcessLost(t *testing.T) {
	s := startSupervised(t, "--cluster", "3")
	w := s.welcome()
	if len(w.Brokers) != 3 || len(w.Processes) != 11 {
		t.Errorf("%+v", w)
	}
	load := makerLoad(t)
	for range 3 {
		captureOne(t, load, s.running)
	}
	load.settle(s.running)
	stop := load.run(s.running, 1)
	s.killNine("nats-2")
	stop()
	load.settle(s.running)
	load.checkChain(s.running)
	code, out, errs := verilot(t, "stream", "check", "--nats", strings.Join(w.Brokers, ","))
	if code != 0 || !strings.Contains(out, "3 replicas") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}

	// The stream is deleted. Validators halt and stay down; the partner takes captures, says that it is not ready, and publishes nothing, not
	// even when somebody makes the stream again.
	js := streamsOf(t, w.Brokers[0])
	if err := js.DeleteStream(t.Context(), bus.Custody); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"validator-1", "validator-2", "validator-3", "validator-4", "api"} {
		s.eventually(name+" halted", func() bool {
			e := s.happened(name)
			return e[len(e)-1].What == "halted" && strings.Contains(e[len(e)-1].Why, "no stream CUSTODY any more")
		})
	}
	notReady := func(why string) {
		t.Helper()
		s.eventually("not ready: "+why, func() bool {
			code, body := readyz(t, s.url(1))
			return code == http.StatusServiceUnavailable && strings.Contains(body, why)
		})
	}
	notReady("no stream CUSTODY any more")
	b, err := bus.Connect(t.Context(), bus.Options{URL: w.Brokers[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := js.DeleteStream(t.Context(), bus.Blocks); err != nil { // or Ensure would refuse
		t.Fatal(err)
	}
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.PublishEpoch(t.Context(), "stranger", []byte("another network")); err != nil {
		t.Fatal(err)
	}
	notReady("shows a different history")
	captureOne(t, load, s.running)
	time.Sleep(3 * time.Second) // that nothing happens can only be waited for
	if last, err := b.LastSeq(t.Context()); err != nil || last != 1 {
		t.Errorf("%d messages in a stream that is not ours, %v", last, err)
	}
	s.stop(t)
}

// TestRunbookBroker keeps the broker's example true: it loads.
func TestRunbookBroker(t *testing.T) {
	file := filepath.Join(t.TempDir(), "broker.yaml")
	if err := os.WriteFile(file, []byte(runbookConfigs(t)["broker"]), 0o600); err != nil {
		t.Fatal(err)
	}
	var c broker.Config
	if err := service.Load(file, &c); err != nil || c.Dir == "" || len(c.Cluster.Routes) != 3 {
		t.Errorf("%+v, %v", c, err)
	}
}

func readyz(t *testing.T, base string) (int, string) {
	t.Helper()
	resp, err := http.Get(base + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
