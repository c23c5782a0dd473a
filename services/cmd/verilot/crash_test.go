package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/localnet"
)

// TestKillNine kills a whole network with SIGKILL at random instants under load, restarts it and goes on. In the end every
// captured document has exactly one verdict that is not a duplicate, all validators have the same blocks, byte for byte, and
// the api's index equals a rebuild from its blocks.
func TestKillNine(t *testing.T) {
	for _, tt := range []struct{ validators, rounds, long int }{{1, 2, 20}, {4, 5, 60}} {
		t.Run(fmt.Sprintf("%d validators", tt.validators), func(t *testing.T) {
			seed, rounds := killRounds(t, tt.rounds, tt.long)
			killNine(t, tt.validators, seed, rounds)
		})
	}
}

func killNine(t *testing.T, validators int, seed uint64, rounds int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, uint64(validators)))
	n := startNetwork(t)
	n.validators = validators
	load := makerLoad(t)
	for round := range rounds {
		n.up(t)
		stop := load.run(n, 2)
		// The seed fixes when; what the kill meets there is the machine's business.
		time.Sleep(time.Duration(200+rng.IntN(1300)) * time.Millisecond)
		n.kill(t)
		stop()
		t.Logf("round %d: killed with %d documents captured so far", round+1, load.count())
	}
	n.up(t)
	load.settle(n)
	load.checkChain(n)
	n.stop(t)
	checkRebuild(t, n.dir)
}

// running is a network as its own process.
type running struct {
	bin, dir   string
	base       int
	validators int // of a new network; 0: 1, which is quickest
	cmd        *exec.Cmd
	log        *bytes.Buffer
}

func (n *running) url(offset int) string { return fmt.Sprintf("http://127.0.0.1:%d", n.base+offset) }

// tokenFile opens the service on a port.
func (n *running) tokenFile(offset int) string {
	return filepath.Join(n.dir, "keys", []string{"api", "manufacturer", "distributor", "pharmacy"}[offset]+"-sign-in.token")
}

// binary builds the command once for all tests of this package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "verilot-test-bin-")
	if err != nil {
		return "", err
	}
	atEnd = append(atEnd, func() error { return os.RemoveAll(dir) })
	bin := filepath.Join(dir, "verilot")
	out, err := exec.Command("go", "build", "-o", bin, "verilot.dev/services/cmd/verilot").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
})

// atEnd undoes what tests of this package share.
var atEnd []func() error

func ownConfigDir() error {
	goenv, err := exec.Command("go", "env", "GOENV").Output()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "verilot-config-")
	if err != nil {
		return err
	}
	atEnd = append(atEnd, func() error { return os.RemoveAll(dir) })
	return errors.Join(os.Setenv("GOENV", strings.TrimSpace(string(goenv))), os.Setenv("XDG_CONFIG_HOME", dir))
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(brokerDir); dir != "" {
		runBroker(dir, os.Getenv(brokerPort))
	}
	// What `up` remembers for its user is not for the user who runs the tests; where Go keeps its settings stays where it was.
	if err := ownConfigDir(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	for _, end := range atEnd {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func startNetwork(t *testing.T) *running {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	n := &running{bin: bin, dir: t.TempDir(), base: freePorts(t, 4)}
	t.Cleanup(func() {
		if n.cmd != nil {
			_ = n.cmd.Process.Kill()
			_ = n.cmd.Wait()
		}
		if t.Failed() && n.log != nil {
			t.Logf("the network said:\n%s", tail(n.log.String(), 6000))
		}
	})
	return n
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// freePorts finds n ports in a row that nobody listens on.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		base := 20000 + rand.IntN(20000)
		ok := true
		for i := range n {
			ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base+i))
			if err != nil {
				ok = false
				break
			}
			_ = ln.Close()
		}
		if ok {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

func (n *running) up(t *testing.T, args ...string) {
	t.Helper()
	n.log = &bytes.Buffer{}
	all := append([]string{"up", "--data", n.dir, "--validators", fmt.Sprint(max(n.validators, 1)), "--empty", "--ports-base", fmt.Sprint(n.base)}, args...)
	n.cmd = exec.Command(n.bin, all...)
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for offset := range 4 {
		for !ready(n.url(offset)) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is not ready after a minute; the network said:\n%s", n.url(offset), tail(n.log.String(), 4000))
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func ready(base string) bool {
	resp, err := http.Get(base + "/readyz")
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK
}

func (n *running) kill(t *testing.T) {
	t.Helper()
	if err := n.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = n.cmd.Wait()
	n.cmd = nil
}

func (n *running) stop(t *testing.T) {
	t.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Wait(); err != nil {
		t.Fatalf("stopping: %v\n%s", err, tail(n.log.String(), 4000))
	}
	n.cmd = nil
}

// crashLoad captures documents and remembers which of them the service took.
type crashLoad struct {
	t         *testing.T
	party     string
	service   int // offset of its port
	document  func(int) string
	mayRefuse bool // a verdict may be "rejected" too, if there is one
	mu        sync.Mutex
	next      int
	captured  map[string]string // idempotency key → job path
	unsure    []int             // sent, no answer: sent again with the same key
}

func makerLoad(t *testing.T) *crashLoad {
	t.Helper()
	return &crashLoad{
		t: t, party: localnet.DemoMaker, service: 1, captured: map[string]string{},
		document: func(i int) string { return document(localnet.DemoMakerPrefix, localnet.DemoMakerSGLN, i) },
	}
}

func (l *crashLoad) count() int { l.mu.Lock(); defer l.mu.Unlock(); return len(l.captured) }

func (l *crashLoad) run(n *running, workers int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil && l.one(n) { // until the network is dead
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// one sends a document, an earlier one again if there was no answer; false if there is none now.
func (l *crashLoad) one(n *running) (answered bool) {
	l.mu.Lock()
	var doc int
	if k := len(l.unsure); k > 0 {
		doc, l.unsure = l.unsure[k-1], l.unsure[:k-1]
	} else {
		doc = l.next
		l.next++
	}
	l.mu.Unlock()
	err := l.send(n, doc)
	if err != nil {
		l.mu.Lock()
		l.unsure = append(l.unsure, doc)
		l.mu.Unlock()
	}
	return err == nil
}

func (l *crashLoad) send(n *running, doc int) error {
	key := fmt.Sprintf("crash-%d", doc)
	req, err := http.NewRequest(http.MethodPost, n.url(l.service)+"/capture", strings.NewReader(l.document(doc)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/xml")
	req.Header.Set("Idempotency-Key", key)
	if token, err := signin.Load(n.tokenFile(l.service)); err == nil {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		if resp.StatusCode >= http.StatusInternalServerError {
			return errors.New(resp.Status)
		}
		l.t.Errorf("document %d: %s: %s", doc, resp.Status, body)
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	path := resp.Header.Get("Location")
	if before, ok := l.captured[key]; ok && before != path {
		l.t.Errorf("document %d became two jobs: %s and %s", doc, before, path)
	}
	l.captured[key] = path
	return nil
}

// document commissions four units and packs them: two events and a header.
func document(prefix, place string, i int) string {
	var epcs strings.Builder
	for u := range 4 {
		fmt.Fprintf(&epcs, "<epc>urn:epc:id:sgtin:%s.%06d.C%dU%d</epc>", prefix, 12345, i, u)
	}
	place = "<readPoint><id>" + place + "</id></readPoint><bizLocation><id>" + place + "</id></bizLocation>"
	when := "<eventTime>2026-11-01T08:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>"
	return `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="1.2" creationDate="2026-11-01T08:00:00Z"><EPCISBody><EventList>` +
		`<ObjectEvent>` + when + `<epcList>` + epcs.String() + `</epcList><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep>` + place +
		`<extension><ilmd><cbvmda:lotNumber>CRASH</cbvmda:lotNumber><cbvmda:itemExpirationDate>2028-11-30</cbvmda:itemExpirationDate></ilmd></extension></ObjectEvent>` +
		`<AggregationEvent>` + when + fmt.Sprintf(`<parentID>urn:epc:id:sscc:%s.%010d</parentID>`, prefix, i) +
		`<childEPCs>` + epcs.String() + `</childEPCs><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:packing</bizStep>` + place + `</AggregationEvent>` +
		`</EventList></EPCISBody></epcis:EPCISDocument>`
}

// settle sends again what got no answer and waits for the verdict of everything.
func (l *crashLoad) settle(n *running) {
	l.t.Helper()
	for _, doc := range l.unsure {
		if err := l.send(n, doc); err != nil {
			l.t.Fatalf("document %d: %v", doc, err)
		}
	}
	if len(l.captured) == 0 {
		l.t.Fatal("nothing was captured: the kills came too early to test anything")
	}
	for key, path := range l.captured {
		var job struct {
			State    string `json:"state"`
			Verdicts []struct {
				Kind    string `json:"kind"`
				Verdict string `json:"verdict"`
				Code    string `json:"code"`
			} `json:"verdicts"`
		}
		if err := fetch(n.url(l.service)+path+"?wait=certified&timeout=30s", &job); err != nil {
			l.t.Fatalf("%s: %v", key, err)
		}
		if job.State != "certified" && job.State != "indexed" {
			l.t.Errorf("%s: state %s after waiting", key, job.State)
		}
		events := 0
		for _, v := range job.Verdicts {
			if v.Kind == "event" {
				events++
			}
			if v.Verdict != "accepted" && v.Verdict != "flagged" && (v.Verdict != "rejected" || !l.mayRefuse) {
				l.t.Errorf("%s: verdict %s %s", key, v.Verdict, v.Code)
			}
		}
		if events != 2 {
			l.t.Errorf("%s: %d verdicts, want one for each of 2 events", key, events)
		}
	}
	l.t.Logf("%s: %d documents, each with its verdicts", l.party, len(l.captured))
}

// checkChain reads every block from the api and counts the verdicts of each submission.
func (l *crashLoad) checkChain(n *running) {
	l.t.Helper()
	var status tracing.Status
	judged, copies, h := map[string]int{}, 0, uint64(1)
	// A partner may know a verdict before the api has the block.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err := fetch(n.url(0)+"/v1/status", &status); err != nil {
			l.t.Fatal(err)
		}
		for ; h <= status.Height; h++ {
			var b tracing.Block
			if err := fetch(fmt.Sprintf("%s/v1/blocks/%d", n.url(0), h), &b); err != nil {
				l.t.Fatal(err)
			}
			for _, e := range b.Entries {
				if e.Kind != "submission" || e.Party != l.party {
					continue
				}
				if e.Code != "" {
					copies++
					continue
				}
				judged[e.SubmissionID]++
			}
		}
		if len(judged) >= len(l.captured) || time.Now().After(deadline) {
			break
		}
	}
	for id, times := range judged {
		if times != 1 {
			l.t.Errorf("submission %s was judged %d times", id, times)
		}
	}
	if len(judged) != len(l.captured) {
		l.t.Errorf("%d submissions were judged, %d documents captured", len(judged), len(l.captured))
	}
	l.t.Logf("%s: %d blocks, %d submissions judged once, %d later copies refused", l.party, status.Height, len(judged), copies)
}

func fetch(url string, v any) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, b)
	}
	return json.Unmarshal(b, v)
}
