package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite golden files")

// sample is a run of ten seconds at ten documents a second: the n-th takes n ms to be captured and 10 n to be certified.
func sample() *Report {
	start := time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	st := newStats(start, 10*time.Second)
	st.record("captured", start.Add(-time.Second), start.Add(-time.Millisecond)) // warm-up
	for i := range 100 {
		due := start.Add(time.Duration(i) * 100 * time.Millisecond)
		lat := time.Duration(i+1) * time.Millisecond
		st.record("captured", due, due.Add(lat))
		st.record("certified", due, due.Add(10*lat))
		st.count("due", 1, due)
	}
	r := &Report{
		Version: 1, StartedAt: start,
		Settings:   Settings{Rate: 10, Units: 48, Mix: map[string]int{"ship": 2}, Warmup: "1s", Duration: "10s", Seed: 1, InFlight: 8, Follow: 1, Followers: 8},
		Conditions: Conditions{Cores: 2, LoadBefore: "1.00 1.00 1.00", LoadAfter: "2.00 1.00 1.00", FsyncP50: 0.2, FsyncP99: 3, FsyncDir: "/tmp", Git: "abc", Go: "go1.26", Validators: 4},
		Counts:     st.counts, Errors: map[string]int{"ship: 422 <script>": 1},
	}
	for _, name := range []string{"captured", "certified"} {
		s, _ := st.stageReport(name)
		r.Stages = append(r.Stages, s)
	}
	return r
}

func TestReport(t *testing.T) {
	r := sample()
	r.judge(map[string]time.Duration{"captured": 60 * time.Millisecond}, map[string]time.Duration{"certified": 800 * time.Millisecond}, 9, 0)
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", b)
	var page bytes.Buffer
	if err := r.html(&page); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.html", page.Bytes())
	for _, outside := range []string{"http://", "https://", "src=", "<script", "<link", "url("} {
		if strings.Contains(page.String(), outside) {
			t.Errorf("the page has %q: it must be whole by itself", outside)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; make golden rewrites it, git diff says how\n%s", file, got)
	}
}

func TestTargets(t *testing.T) {
	for _, tt := range []struct {
		name     string
		p50, p99 map[string]time.Duration
		rate     float64
		failed   int
		allowed  float64
		want     bool
	}{
		{name: "nothing asked, nothing failed", want: true},
		{name: "one failed", failed: 1},
		{name: "one of a hundred failed and may", failed: 1, allowed: 0.01, want: true},
		{name: "fast enough", p99: map[string]time.Duration{"certified": time.Second}, want: true},
		{name: "too slow", p99: map[string]time.Duration{"certified": 900 * time.Millisecond}},
		{name: "a stage that was never measured", p50: map[string]time.Duration{"indexed": time.Hour}},
		{name: "throughput missed", rate: 11},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := sample()
			r.Counts["failed"] = tt.failed
			r.judge(tt.p50, tt.p99, tt.rate, tt.allowed)
			if r.Met != tt.want {
				t.Errorf("met: %v, want %v: %+v", r.Met, tt.want, r.Targets)
			}
		})
	}
}

func TestOnlyThisMachineIsLoaded(t *testing.T) {
	for _, tt := range []struct {
		url string
		own []string
		ok  bool
	}{
		{"http://127.0.0.1:8080", nil, true},
		{"http://[::1]:8080", nil, true},
		{"http://localhost:8080", nil, true},
		{"http://192.0.2.7:8080", nil, false},
		{"http://localhost.example.com", nil, false},
		{"http://127.0.0.1@example.com", nil, false},
		{"http://staging.example.com", []string{"staging.example.com"}, true},
		{"http://example.com", []string{"staging.example.com"}, false},
		{"127.0.0.1:8080", nil, false},
	} {
		if err := checkTargets(map[string]string{"api": tt.url}, tt.own); (err == nil) != tt.ok {
			t.Errorf("%s with %q: %v", tt.url, tt.own, err)
		}
	}
}

func TestMix(t *testing.T) {
	mix, err := parseMix("trace=0,check=0,lot=0,ship=5")
	if err != nil || mix["ship"] != 5 || mix["pack"] != 1 {
		t.Fatal(mix, err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		if k := pick(rng, mix, readKinds); k != "proof" {
			t.Fatalf("drew %q, which has no weight", k)
		}
	}
	for _, bad := range []string{"trace", "fly=1", "ship=-1", "ship=x"} {
		if _, err := parseMix(bad); err == nil {
			t.Errorf("--mix %s is taken", bad)
		}
	}
}
