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

	"verilot.dev/services/internal/bus"
	"verilot.dev/services/internal/network"
	"verilot.dev/services/internal/query"
)

// processes is a network whose services are processes of their own, around a broker of the test's.
type processes struct {
	t      *testing.T
	n      *running // binary, folder, ports
	broker *bus.Server
	run    map[string]*process
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

func startProcesses(t *testing.T) *processes {
	t.Helper()
	n := startNetwork(t)
	n.validators = 4
	n.up(t) // makes genesis file and keys
	n.stop(t)
	broker, err := bus.Embed(bus.EmbedOptions{Dir: filepath.Join(n.dir, "nats"), Port: -1})
	if err != nil {
		t.Fatal(err)
	}
	p := &processes{t: t, n: n, broker: broker, run: map[string]*process{}}
	t.Cleanup(func() {
		for name := range p.run {
			p.kill(name)
			if t.Failed() {
				t.Logf("%s said:\n%s", name, tail(p.run[name].log.String(), 2000))
			}
		}
		_ = broker.Close()
	})
	for i := range 4 {
		p.validator(i + 1)
	}
	common := fmt.Sprintf("genesis: %s/genesis.json\nnats: %s\nlog_level: warn\n", n.dir, broker.URL())
	p.start("api", common+fmt.Sprintf("data: %s/api\nlisten: 127.0.0.1:%d\n", n.dir, n.base))
	p.start("manufacturer", common+fmt.Sprintf("data: %s/manufacturer\nlisten: 127.0.0.1:%d\nparty: %s\nkey: %s/keys/manufacturer-event.pem\napi: %s\n",
		n.dir, n.base+1, network.DemoMaker, n.dir, n.url(0)))
	for i := range 2 {
		p.eventually("ready", func() bool { return ready(n.url(i)) })
	}
	return p
}

func (p *processes) validator(i int) {
	p.t.Helper()
	name, dir := fmt.Sprintf("validator-%d", i), p.n.dir
	p.start(name, fmt.Sprintf("genesis: %s/genesis.json\nnats: %s\ndata: %s/%s\nvote_key: %s/keys/%s-vote.pem\ncosign_key: %s/keys/%s-cosign.pem\nlog_level: warn\n",
		dir, p.broker.URL(), dir, name, dir, name, dir, name))
}

func (p *processes) start(name, config string) {
	p.t.Helper()
	file := filepath.Join(p.n.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		p.t.Fatal(err)
	}
	kind := strings.TrimRight(name, "-1234")
	r := &process{cmd: exec.Command(p.n.bin, kind, "--config", file), log: &safeBuffer{}, done: make(chan struct{})}
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
	var s query.Status
	if err := fetch(p.n.url(0)+"/v1/status", &s); err != nil {
		p.t.Fatal(err)
	}
	return s.Height
}

// TestClusterOfProcesses: four validators, api and maker, each a process of its own, and what the design says of faults.
func TestClusterOfProcesses(t *testing.T) {
	p := startProcesses(t)
	load := &crashLoad{t: t, captured: map[string]string{}}
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
	p.validator(2)
	p.validator(4)
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
	p.validator(3)
	p.stopped("validator-3", "an own block was changed on disk")
	capture(3)
	load.settle(p.n)
	code, out := cli(t, "validators", "--api", p.n.url(0))
	if code != 0 || strings.Count(out, "validator-") != 4 || !strings.Contains(out, "3 of 4 must agree") {
		t.Errorf("exit %d: %s", code, out)
	}

	// The stream is deleted: everyone halts and says why, also when started again.
	nc, err := nats.Connect(p.broker.URL())
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
	p.validator(1)
	p.stopped("validator-1", "no stream CUSTODY any more")
	if _, err := js.Stream(t.Context(), bus.Custody); err == nil {
		t.Error("somebody created the stream again")
	}
	p.kill("manufacturer")
	checkRebuild(t, p.n.dir, "validator-3")
}
