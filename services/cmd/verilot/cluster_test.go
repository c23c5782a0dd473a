package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/node/bus"
)

// processes is a network whose services are processes of their own, around a broker of the test's.
type processes struct {
	t   *testing.T
	n   *running // binary, folder, ports
	url string   // of the broker
	run map[string]*process
}

type process struct {
	cmd  *exec.Cmd
	log  *safeBuffer
	done chan struct{}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// startProcesses makes a network of four validators, api and maker around a broker of the test's, which has the life of the test.
func startProcesses(t *testing.T) *processes {
	t.Helper()
	p := newProcesses(t)
	broker, err := bus.Embed(bus.EmbedOptions{Dir: filepath.Join(p.n.dir, "nats"), Port: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.killAll()
		_ = broker.Close()
	})
	p.url = broker.URL()
	for _, name := range []string{"validator-1", "validator-2", "validator-3", "validator-4", "api", "manufacturer"} {
		p.start(name)
	}
	for i := range 2 {
		p.eventually("ready", func() bool { return ready(p.n.url(i)) })
	}
	return p
}

// newProcesses makes the genesis file and the keys. All processes are killed when the test ends.
func newProcesses(t *testing.T) *processes {
	t.Helper()
	p := &processes{t: t, n: startNetwork(t), run: map[string]*process{}}
	p.n.validators = 4
	p.n.up(t)
	p.n.stop(t)
	t.Cleanup(p.killAll)
	return p
}

func (p *processes) killAll() {
	for name, r := range p.run {
		p.kill(name)
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", name, tail(r.log.String(), 2000))
		}
	}
	clear(p.run)
}

// config is the configuration file of a service.
func (p *processes) config(name string) string {
	dir := p.n.dir
	common := fmt.Sprintf("genesis: %s/genesis.json\nbroker:\n  url: %s\nlog_level: warn\ndata: %s/%s\n", dir, p.url, dir, name)
	partner := func(offset int, party string) string {
		return common + fmt.Sprintf("listen: 127.0.0.1:%d\nparty: %s\nkey: %s/keys/%s-event.pem\napi: %s\nsign_in: {development_token_file: %s}\n", p.n.base+offset, party, dir, name, p.n.url(0), p.n.tokenFile(offset))
	}
	switch name {
	case "api":
		return common + fmt.Sprintf("listen: 127.0.0.1:%d\n", p.n.base)
	case "manufacturer":
		return partner(1, localnet.DemoMaker)
	case "distributor":
		return partner(2, localnet.DemoDistributor)
	case "pharmacy":
		return partner(3, localnet.DemoPharmacy)
	}
	return common + fmt.Sprintf("vote_key: %s/keys/%s-vote.pem\ncosign_key: %s/keys/%s-cosign.pem\n", dir, name, dir, name)
}

func (p *processes) start(name string) {
	p.t.Helper()
	file := filepath.Join(p.n.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(p.config(name)), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.launch(name, exec.Command(p.n.bin, strings.TrimRight(name, "-1234"), "--config", file))
}

func (p *processes) launch(name string, cmd *exec.Cmd) {
	p.t.Helper()
	r := &process{cmd: cmd, log: &safeBuffer{}, done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	if err := r.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { _ = r.cmd.Wait(); close(r.done) }()
	p.run[name] = r
}

func (p *processes) kill(name string) {
	r := p.run[name]
	_ = r.cmd.Process.Kill()
	<-r.done
}

// stopped waits until a process ended by itself, with this in its last words.
func (p *processes) stopped(name, words string) {
	p.t.Helper()
	select {
	case <-p.run[name].done:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("%s goes on", name)
	}
	if out := p.run[name].log.String(); !strings.Contains(out, words) || p.run[name].cmd.ProcessState.ExitCode() == 0 {
		p.t.Errorf("%s ended with %d: %s", name, p.run[name].cmd.ProcessState.ExitCode(), tail(out, 1000))
	}
}

func (p *processes) eventually(what string, ok func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) { // polling other processes
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: not within a minute", what)
		}
	}
}

func (p *processes) height() uint64 {
	var s tracing.Status
	if err := fetch(p.n.url(0)+"/v1/status", &s); err != nil {
		p.t.Fatal(err)
	}
	return s.Height
}

// TestClusterOfProcesses: four validators, api and maker, each a process of its own, and the faults of docs/design.md section 10.
func TestClusterOfProcesses(t *testing.T) {
	p := startProcesses(t)
	load := makerLoad(t)
	capture := func(docs int) {
		t.Helper()
		for range docs {
			if err := load.send(p.n, load.next); err != nil {
				t.Fatal(err)
			}
			load.next++
		}
	}
	capture(3)
	load.settle(p.n)

	p.kill("validator-2") // one down: blocks go on
	before := p.height()
	capture(3)
	load.settle(p.n)
	for deadline := time.Now().Add(30 * time.Second); p.height() == before; time.Sleep(20 * time.Millisecond) { // the api is a moment behind
		if time.Now().After(deadline) {
			t.Fatal("no block with one of four down")
		}
	}

	p.kill("validator-4") // two down: none, but captures are taken
	time.Sleep(time.Second)
	before = p.height()
	capture(3)
	time.Sleep(3 * time.Second) // several rounds
	if h := p.height(); h != before {
		t.Errorf("%d blocks with two of four down", h-before)
	}
	p.start("validator-2")
	p.start("validator-4")
	load.settle(p.n) // and certified after they return

	// A stored block is changed on disk: its validator says so and stops, the others go on.
	p.kill("validator-3")
	capture(2)
	path := filepath.Join(p.n.dir, "validator-3", "chain", "blocks", "0000000000000000.log")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/3] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	p.start("validator-3")
	p.stopped("validator-3", "an own block was changed on disk")
	capture(3)
	load.settle(p.n)
	code, out := cli(t, "validators", "--api", p.n.url(0))
	if code != 0 || strings.Count(out, "validator-") != 4 || !strings.Contains(out, "3 of 4 must agree") {
		t.Errorf("exit %d: %s", code, out)
	}

	// The stream is deleted: everyone halts and says why, also when started again.
	nc, err := nats.Connect(p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), bus.Custody); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"validator-1", "validator-2", "validator-4", "api"} {
		p.stopped(name, "no stream CUSTODY any more")
	}
	p.start("validator-1")
	p.stopped("validator-1", "no stream CUSTODY any more")
	if _, err := js.Stream(t.Context(), bus.Custody); err == nil {
		t.Error("somebody created the stream again")
	}
	p.kill("manufacturer")
	checkRebuild(t, p.n.dir, "validator-3")
}
