// Package supervise keeps processes running: it starts them in ranks, starts again what ended by accident, leaves down what
// ended on purpose, keeps their output in files, and stops them in the reverse order.
//
// Trust: the processes are this binary's own services. Nothing is sent to them but signals, and of what they print only the
// last words are shown.
package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is one to keep running.
type Process struct {
	Name string
	Args []string // of the binary
	// Rank is when it starts and ends: a rank starts when those below are ready, and ends before they do.
	Rank int
	// Ready, if set, returns when the ranks above may start.
	Ready func(context.Context) error
}

// Options of a supervisor. Binary and Logs are required.
type Options struct {
	Binary string
	Logs   string // folder of <name>.log; files grow, nobody cuts them
	// Restart starts again what ended by accident.
	Restart bool
	// IsFinal reports whether a process that exited with this code must stay down: starting it again does not help.
	IsFinal func(code int) bool
	// LockFile is kept open by every process, so that a lock on it lasts as long as any of them lives. May be nil.
	LockFile *os.File
	// OnChange is called when something happens to a process, OnWarning with warnings and last words that processes print. Both may be
	// nil, and are not called concurrently.
	OnChange  func(Change)
	OnWarning func(name, line string)
	// Grace is how long a process may take to end before it is killed. Default 20 s.
	Grace time.Duration
	// MinWait and MaxWait are the waits before a start again. Default 1 s and 30 s.
	MinWait, MaxWait time.Duration
}

// What happens to a process.
const (
	Started = "started"
	Ended   = "ended"  // and is started again after the wait, if there is one
	Halted  = "halted" // on purpose: it stays down
)

// Change is something that happened to a process.
type Change struct {
	Name  string        `json:"process"`
	What  string        `json:"event"`
	PID   int           `json:"pid"`
	Why   string        `json:"why,omitempty"`
	Again time.Duration `json:"againInNanoseconds,omitempty"`
}

// Supervisor runs processes.
type Supervisor struct {
	o     Options
	procs []Process
	spawn chan func()

	mu   sync.Mutex
	pids map[string]int
	down map[string]string // ended for good, and why

	callback sync.Mutex // held while a callback of the options runs
}

// New makes a supervisor of processes; Run starts them.
func New(o Options, procs []Process) *Supervisor {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&o.Grace, 20*time.Second)
	set(&o.MinWait, time.Second)
	set(&o.MaxWait, 30*time.Second)
	if o.IsFinal == nil {
		o.IsFinal = func(int) bool { return false }
	}
	return &Supervisor{o: o, procs: procs, spawn: make(chan func()), pids: map[string]int{}, down: map[string]string{}}
}

// PIDs are the processes that run now, by name.
func (s *Supervisor) PIDs() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.pids)
}

// Down returns why a process ended for good; false: it did not.
func (s *Supervisor) Down(name string) (why string, down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	why, down = s.down[name]
	return why, down
}

// Run runs the processes until ctx ends, and returns when all have ended.
func (s *Supervisor) Run(ctx context.Context) error {
	if err := os.MkdirAll(s.o.Logs, 0o700); err != nil {
		return fmt.Errorf("make folder of logs: %w", err)
	}
	stopSpawning := s.spawner()
	defer stopSpawning()
	ranks := map[int][]Process{}
	var order []int
	for _, p := range s.procs {
		if ranks[p.Rank] == nil {
			order = append(order, p.Rank)
		}
		ranks[p.Rank] = append(ranks[p.Rank], p)
	}
	slices.Sort(order)
	var stops []func()
	for _, r := range order {
		if ctx.Err() != nil {
			break
		}
		stops = append(stops, s.startRank(ctx, ranks[r]))
		for _, p := range ranks[r] {
			if p.Ready != nil && ctx.Err() == nil {
				if err := p.Ready(ctx); err != nil && ctx.Err() == nil {
					s.changed(Change{Name: p.Name, What: "slow", PID: s.PIDs()[p.Name], Why: err.Error()})
				}
			}
		}
	}
	<-ctx.Done()
	for _, stop := range slices.Backward(stops) {
		stop()
	}
	return nil
}

// startRank keeps processes running until stop, which waits for their end.
func (s *Supervisor) startRank(ctx context.Context, procs []Process) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	for _, p := range procs {
		wg.Go(func() { s.keepRunning(ctx, p) })
	}
	return func() { cancel(); wg.Wait() }
}

// keepRunning runs one process again and again.
func (s *Supervisor) keepRunning(ctx context.Context, p Process) {
	wait := s.o.MinWait
	for {
		start := time.Now()
		end := s.runOnce(ctx, p)
		if ctx.Err() != nil {
			return
		}
		if time.Since(start) > 2*s.o.MaxWait {
			wait = s.o.MinWait
		}
		e := Change{Name: p.Name, What: Ended, PID: end.pid, Why: end.why}
		switch {
		case s.o.IsFinal(end.code):
			e.What = Halted
		case s.o.Restart:
			e.Again = wait
		}
		if e.Again == 0 {
			s.mu.Lock()
			s.down[p.Name] = e.Why
			s.mu.Unlock()
		}
		s.changed(e)
		if e.Again == 0 {
			return
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		wait = min(2*wait, s.o.MaxWait)
	}
}

// exitStatus is how a process ended.
type exitStatus struct {
	pid, code int // code -1: by a signal, or it never started
	why       string
}

func (s *Supervisor) runOnce(ctx context.Context, p Process) exitStatus {
	file, err := os.OpenFile(filepath.Join(s.o.Logs, p.Name+".log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return exitStatus{code: -1, why: err.Error()}
	}
	defer func() { _ = file.Close() }() // a log; what was written was written
	out := &lines{file: file, warn: func(line string) { s.warn(p.Name, line) }}
	cmd := exec.CommandContext(ctx, s.o.Binary, p.Args...) //nolint:gosec // running what the caller names is the job
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = s.o.Grace
	if s.o.LockFile != nil {
		cmd.ExtraFiles = []*os.File{s.o.LockFile}
	}
	bindToSupervisor(cmd)
	started := make(chan error, 1)
	s.spawn <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return exitStatus{code: -1, why: err.Error()}
	}
	pid := cmd.Process.Pid
	s.mu.Lock()
	s.pids[p.Name] = pid
	s.mu.Unlock()
	s.changed(Change{Name: p.Name, What: Started, PID: pid})
	err = cmd.Wait()
	s.mu.Lock()
	delete(s.pids, p.Name)
	s.mu.Unlock()
	out.end()
	if ctx.Err() != nil && errors.Is(err, exec.ErrWaitDelay) {
		s.warn(p.Name, fmt.Sprintf("did not end within %s and was killed", s.o.Grace))
	}
	e := exitStatus{pid: pid, code: cmd.ProcessState.ExitCode(), why: cmd.ProcessState.String()}
	if out.last != "" && e.code > 0 {
		e.why = out.last
	}
	return e
}

// spawner starts processes from one thread that lives as long as they do: on Linux they end with the thread that started them.
func (s *Supervisor) spawner() (stop func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for start := range s.spawn {
			start()
		}
	}()
	return func() { close(s.spawn); <-done }
}

func (s *Supervisor) changed(e Change) {
	s.callback.Lock()
	defer s.callback.Unlock()
	if s.o.OnChange != nil {
		s.o.OnChange(e)
	}
}

func (s *Supervisor) warn(name, line string) {
	s.callback.Lock()
	defer s.callback.Unlock()
	if s.o.OnWarning != nil {
		s.o.OnWarning(name, line)
	}
}

// lines writes to a file and picks out the lines that somebody should see.
type lines struct {
	file io.Writer
	warn func(line string)
	rest []byte
	last string // of the lines that are no log: what a command says when it ends
}

// longestLine bounds what is kept of a line that does not end.
const longestLine = 64 << 10

func (l *lines) Write(p []byte) (int, error) {
	n, err := l.file.Write(p)
	l.rest = append(l.rest, p[:n]...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			break
		}
		l.line(string(line))
		l.rest = rest
	}
	if len(l.rest) > longestLine {
		l.end()
	}
	if err != nil {
		return n, fmt.Errorf("write log: %w", err)
	}
	return n, nil
}

func (l *lines) line(line string) {
	logged := strings.HasPrefix(line, "time=") || strings.HasPrefix(line, "{")
	switch {
	case line == "":
	case !logged:
		l.last = line
		l.warn(line)
	case strings.Contains(line, " level=WARN ") || strings.Contains(line, " level=ERROR "):
		l.warn(line)
	}
}

func (l *lines) end() {
	l.line(string(l.rest))
	l.rest = nil
}
