package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"verilot.dev/services/internal/localnet/supervise"
)

// supervised is a network of processes under verilot up.
type supervised struct {
	*running
	t   *testing.T
	out *safeBuffer // JSON, one line for each thing that happened
}

func startSupervised(t *testing.T, args ...string) *supervised {
	t.Helper()
	s := &supervised{running: startNetwork(t), t: t, out: &safeBuffer{}}
	s.validators = 4
	s.start(args...)
	return s
}

func (s *supervised) start(args ...string) {
	s.t.Helper()
	s.cmd = exec.Command(s.bin, append([]string{"up", "--json", "--processes", "--empty", "--data", s.dir, "--ports-base", fmt.Sprint(s.base)}, args...)...)
	s.out = &safeBuffer{}
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("up said:\n%s", tail(s.out.String(), 6000))
		}
	})
	s.eventually("up", func() bool { return s.welcome() != nil })
}

func (s *supervised) eventually(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) { // polling other processes
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not within a minute", what)
		}
	}
}

type welcome struct {
	Network   string            `json:"network"`
	Brokers   []string          `json:"brokers"`
	Processes map[string]int    `json:"processes"`
	SignIn    map[string]string `json:"signIn"`
}

// welcome is what up says when everything runs.
func (s *supervised) welcome() *welcome {
	for line := range strings.Lines(s.out.String()) {
		var w welcome
		if json.Unmarshal([]byte(line), &w) == nil && w.Network != "" {
			return &w
		}
	}
	return nil
}

// happened lists what became of one process.
func (s *supervised) happened(name string) []supervise.Change {
	var out []supervise.Change
	for line := range strings.Lines(s.out.String()) {
		var e supervise.Change
		if json.Unmarshal([]byte(line), &e) == nil && e.Name == name {
			out = append(out, e)
		}
	}
	return out
}

// killNine kills one process and waits until its successor runs.
func (s *supervised) killNine(name string) {
	s.t.Helper()
	before := s.happened(name)
	if err := syscall.Kill(before[len(before)-1].PID, syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	s.eventually(name+" runs again", func() bool { return len(s.happened(name)) >= len(before)+2 })
	now := s.happened(name)
	ended, again := now[len(before)], now[len(before)+1]
	if ended.What != supervise.Ended || !strings.Contains(ended.Why, "killed") || ended.Again == 0 || again.What != supervise.Started || again.PID == ended.PID {
		s.t.Errorf("%+v, then %+v", ended, again)
	}
}

// gone waits until no process of the network is left.
func (s *supervised) gone(pids map[string]int) {
	s.t.Helper()
	for name, pid := range pids {
		s.eventually(name+" is gone", func() bool { return syscall.Kill(pid, 0) != nil })
	}
}

// TestUpProcesses: every service is a process; one that is killed comes back, and in the end all have the same blocks.
func TestUpProcesses(t *testing.T) {
	s := startSupervised(t)
	w := s.welcome()
	if len(w.Processes) != 9 || len(w.Brokers) != 1 || len(w.SignIn) != 4 || !strings.HasPrefix(w.SignIn["pharmacy"], s.url(3)+"/sign-in#") {
		t.Errorf("%+v", w)
	}
	load := makerLoad(t)
	stop := load.run(s.running, 1)
	s.killNine("validator-2")
	s.killNine("nats")
	stop()
	load.settle(s.running)
	load.checkChain(s.running)

	// The supervisor is killed: nobody lingers, and the folder can be used at once.
	last := map[string]int{}
	for name := range w.Processes {
		events := s.happened(name)
		last[name] = events[len(events)-1].PID
	}
	s.kill(t)
	s.gone(last)
	s.start()
	load.settle(s.running)
	pids := s.welcome().Processes
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	s.cmd = nil
	s.gone(pids)
	for name := range pids {
		if e := s.happened(name); len(e) != 1 {
			t.Errorf("%s did not run through: %+v", name, e)
		}
	}
	checkRebuild(t, s.dir)
}
