package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestAgainstARealNetwork loads a network of real services for some seconds: everything that is sent must be accepted by the
// rules, in the order of a chain of custody.
func TestAgainstARealNetwork(t *testing.T) {
	dir := t.TempDir()
	verilot := filepath.Join(dir, "verilot")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", verilot, "../services/cmd/verilot").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config")) // `up` remembers its tokens there
	file := filepath.Join(dir, "report.json")
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{
		"--self", "--verilot", verilot, "--validators", "1", "--ports-base", strconv.Itoa(freePorts(t)), "--rate", "12", "--reads", "8", "--units", "5",
		"--warmup", "500ms", "--duration", "3s", "--follow", "1", "--json", file, "--html", filepath.Join(dir, "report.html"), "--max-p99", "indexed=1m",
	}, &out, &errs)
	if code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, &out, &errs)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Stages) != 4 || r.Counts["due"] != 60 || r.Counts["followed"] != 36 || r.Counts["verdict rejected"]+r.Counts["verdict flagged"] > 0 || r.Conditions.Validators != 1 {
		t.Errorf("not what was asked for: %+v %+v", r.Counts, r.Conditions)
	}
	if bytes.Contains(b, []byte("sign-in")) || bytes.Contains(b, []byte("oken")) {
		t.Error("the report tells a token")
	}
	for _, s := range r.Stages {
		if s.Latency.Count != 36 {
			t.Errorf("%s: %d measured, want 36", s.Name, s.Latency.Count)
		}
	}
}

// freePorts finds four ports in a row that nobody listens on.
func freePorts(t *testing.T) int {
	t.Helper()
	for base := 21_000 + os.Getpid()%500*16; base < 40_000; base += 16 {
		free := true
		for i := range 4 {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(base+i))
			if err != nil {
				free = false
				break
			}
			_ = l.Close()
		}
		if free {
			return base
		}
	}
	t.Fatal("no four free ports in a row")
	return 0
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{"help", []string{"--help"}, 0},
		{"unknown flag", []string{"--fast"}, 2},
		{"no rate", []string{"--rate", "0"}, 2},
		{"a limit that is no duration", []string{"--max-p99", "certified=fast"}, 2},
		{"somebody else's host", []string{"--api", "http://192.0.2.7"}, 2},
		{"a token for a service that takes no documents", []string{"--token-file", "api=x"}, 2},
		{"a token file that is not there", []string{"--token-file", "pharmacy=/nowhere/x.token"}, 2},
		{"nobody there", []string{"--api", "http://127.0.0.1:1", "--manufacturer", "http://127.0.0.1:1"}, 3},
		{"no such command for --self", []string{"--self", "--verilot", "/nowhere/verilot"}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(t.Context(), append(tt.args, "--json", "", "--html", ""), &out, &errs); got != tt.want {
				t.Errorf("exit code %d, want %d: %s", got, tt.want, &errs)
			}
		})
	}
}
