package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
)

// deployed is the network of the compose file on loopback: the same layout, NATS configuration, files and command lines, at other ports and paths.
type deployed struct {
	t    *testing.T
	dir  string
	l    layout
	nats []string // client addresses
	mon  []string // monitoring addresses
}

// ports finds free ones below those that the system hands out by itself.
func ports(t *testing.T, n int) []string {
	t.Helper()
	var out []string
	for port := 11000 + os.Getpid()%97*97; len(out) < n && port < 30000; port++ {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = ln.Close() })
		out = append(out, fmt.Sprint(port))
		_ = ln.Close()
	}
	return out
}

func deployNetwork(t *testing.T) *deployed {
	t.Helper()
	d := &deployed{t: t, dir: t.TempDir()}
	load(t, filepath.Join("layouts", "compose.yaml"), &d.l)
	d.l.Config, d.l.Data = filepath.Join(d.dir, "{service}"), filepath.Join(d.dir, "data", "{service}")
	free := ports(t, len(d.l.Services)+6)
	take := func() string { p := free[0]; free = free[1:]; return "127.0.0.1:" + p }
	for name, p := range d.l.Services {
		p.Listen = take()
		if p.Host != "" {
			p.Host = "127.0.0.1"
		}
		if p.Cluster != "" {
			p.Cluster = take()
		}
		d.l.Services[name] = p
	}
	b, err := yaml.Marshal(d.l)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(d.dir, "layout.yaml")
	write(t, file, string(b))
	verilot(t, 0, "init", "--data", d.dir, "--layout", file)
	for i := range 3 {
		d.nats = append(d.nats, "nats://"+d.l.Services[fmt.Sprintf("nats-%d", i+1)].Listen)
	}
	// Two servers are NATS's own, as in the compose file; the third is ours, as in the systemd units: they make one cluster.
	for i := range 2 {
		d.mon = append(d.mon, take())
		d.startNATS(fmt.Sprintf("nats-%d", i+1), d.mon[i])
	}
	d.start("nats-3")
	for _, name := range d.services() {
		d.start(name)
	}
	return d
}

// services are all but the brokers.
func (d *deployed) services() []string {
	var out []string
	for name := range d.l.Services {
		if !strings.HasPrefix(name, "nats-") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (d *deployed) startNATS(name, monitor string) {
	d.t.Helper()
	p := d.l.Services[name]
	opts := natsOptions(d.t, filepath.Join(d.dir, "root-"+name), filepath.Join(d.dir, name), []string{
		"listen: 0.0.0.0:4222", "listen: " + p.Listen, "listen: 0.0.0.0:6222", "listen: " + p.Cluster, "0.0.0.0:8222", monitor,
		"store_dir: " + volumeOf + "/data", "store_dir: " + filepath.Join(d.dir, "data", name),
	})
	opts.ServerName, opts.NoSigs, opts.NoLog = name, true, true
	s, err := server.NewServer(opts)
	if err != nil {
		d.t.Fatal(err)
	}
	s.Start()
	d.t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
}

// safe is a buffer for a process that goes on writing.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs a service with the arguments of the compose file.
func (d *deployed) start(name string) {
	d.t.Helper()
	bin, err := binary()
	if err != nil {
		d.t.Fatal(err)
	}
	args := []string{commandOf(name), "--config", filepath.Join(d.dir, name, "config.yaml")}
	if commandOf(name) != "broker" {
		args = append(args, "--stay")
	}
	cmd := exec.Command(bin, args...)
	log := &safe{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ends is seen in what it says
		close(ended)
	}()
	d.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			d.t.Errorf("%s does not stop", name)
		}
		if said := log.String(); d.t.Failed() {
			d.t.Logf("%s said:\n%s", name, said[max(0, len(said)-3000):])
		}
	})
}

func (d *deployed) url(name string) string { return "http://" + d.l.Services[name].Listen }

func get(url string) (int, string) {
	c := http.Client{Timeout: 3 * time.Second}
	resp, err := c.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func (d *deployed) eventually(what string, ok func() (bool, string)) {
	d.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) { // polling other processes
		done, last := ok()
		if done {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: not within 90 s; last: %s", what, last)
		}
	}
}

const event = `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="1.2" creationDate="2026-11-01T08:00:00Z"><EPCISBody><EventList>
<ObjectEvent><eventTime>2026-11-01T08:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
<epcList><epc>urn:epc:id:sgtin:0399990.012345.DEPLOY1</epc></epcList><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep>
<readPoint><id>urn:epc:id:sgln:0399990.00001.0</id></readPoint><bizLocation><id>urn:epc:id:sgln:0399990.00001.0</id></bizLocation>
<extension><ilmd><cbvmda:lotNumber>DEPLOY</cbvmda:lotNumber><cbvmda:itemExpirationDate>2028-11-30</cbvmda:itemExpirationDate></ilmd></extension></ObjectEvent>
</EventList></EPCISBody></epcis:EPCISDocument>
`

// TestDeployed runs the layout of the compose file without an engine: three NATS servers, four validators, api and partners, each from
// the files that init made for it. One event is captured and indexed; nobody may do at the brokers what is not theirs to do; every metric
// that the dashboard and the alerts name is there; and services that halted on purpose stay and say so.
func TestDeployed(t *testing.T) {
	d := deployNetwork(t)
	for _, name := range d.services() {
		d.eventually(name+" is ready", func() (bool, string) {
			code, body := get(d.url(name) + "/readyz")
			return code == http.StatusOK, body
		})
		verilot(t, 0, "healthcheck", d.url(name)+"/readyz")
	}
	verilot(t, 1, "healthcheck", d.url("api")+"/nothing-here")
	verilot(t, 1, "healthcheck", "http://127.0.0.1:1/readyz")

	file := filepath.Join(d.dir, "event.xml")
	write(t, file, event)
	args := []string{"capture", file, "--to", d.url("manufacturer"), "--onboard", "--wait", "indexed", "--timeout", "60s", "--json"}
	if token := filepath.Join(d.dir, "manufacturer", "manufacturer-sign-in.token"); exists(token) {
		args = append(args, "--token-file", token)
	}
	verilot(t, 0, args...)
	if out := verilot(t, 0, "trace", "urn:epc:id:sgtin:0399990.012345.DEPLOY1", "--api", d.url("api"), "--json"); !strings.Contains(out, "DEPLOY") {
		t.Errorf("the trace says nothing of it: %s", out)
	}

	check := []string{"stream", "check", "--nats", strings.Join(d.nats, ","), "--creds", filepath.Join(d.dir, "api", "api.creds"), "--replicas", "3"}
	for _, m := range d.mon {
		check = append(check, "--monitor", "http://"+m)
	}
	if out := verilot(t, 0, check...); !strings.Contains(out, "3 replicas") || strings.Count(out, ": always") != 2 {
		t.Errorf("stream check: %s", out)
	}
	d.checkPermissions()
	d.checkMetrics()
	d.checkHalted()
}

func (d *deployed) connect(creds string) (*nats.Conn, jetstream.JetStream) {
	d.t.Helper()
	nc, err := nats.Connect(d.nats[0], nats.UserCredentials(creds), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(5*time.Second))
	if err != nil {
		d.t.Fatal(err)
	}
	return nc, js
}

// refused reports whether the broker refuses to take a message.
func refused(nc *nats.Conn, subject string) bool {
	before := nc.LastError()
	if err := errors.Join(nc.Publish(subject, []byte("x")), nc.Flush()); err != nil {
		return true
	}
	// A refusal comes before the answer to the flush.
	after := nc.LastError()
	return after != nil && (before == nil || after.Error() != before.Error()) && errors.Is(after, nats.ErrPermissionViolation)
}

func (d *deployed) checkPermissions() {
	t := d.t
	t.Helper()
	if nc, err := nats.Connect(d.nats[0]); err == nil {
		nc.Close()
		t.Error("a stranger may connect")
	}
	if nc, _ := d.connect(filepath.Join(d.dir, "manufacturer", "manufacturer.creds")); refused(nc, "custody.v1.submit.lakeside") {
		t.Error("the manufacturer may not publish its own submissions")
	}
	for service, subjects := range map[string][]string{
		"manufacturer": {"custody.v1.submit.midland", "custody.v1.cut.lakeside", "blocks.v1.1", "votes.v1.1.lakeside", "$JS.API.STREAM.DELETE.CUSTODY", "$JS.API.STREAM.PURGE.CUSTODY", "$JS.API.STREAM.UPDATE.BLOCKS", "$JS.API.STREAM.CREATE.OTHER"},
		"api":          {"custody.v1.submit.lakeside", "votes.v1.1.lakeside", "$JS.API.STREAM.DELETE.BLOCKS"},
		"validator-1":  {"custody.v1.submit.lakeside", "custody.v1.cut.midland", "votes.v1.1.midland", "cosignatures.v1.1.midland", "$JS.API.STREAM.DELETE.CUSTODY", "$JS.API.STREAM.MSG.DELETE.CUSTODY"},
	} {
		nc, _ := d.connect(filepath.Join(d.dir, service, service+".creds"))
		for _, s := range subjects {
			if !refused(nc, s) {
				t.Errorf("%s may publish on %s", service, s)
			}
		}
	}
}

// checkMetrics compares what the dashboard and the alerts ask for with what the services offer.
func (d *deployed) checkMetrics() {
	t := d.t
	t.Helper()
	have := map[string]bool{"up": true}
	for _, name := range d.services() {
		code, body := get(d.url(name) + "/metrics")
		if code != http.StatusOK {
			t.Fatalf("%s: %s", name, body)
		}
		for line := range strings.Lines(body) {
			if n := strings.IndexAny(line, "{ "); n > 0 && line[0] != '#' {
				have[line[:n]] = true
			}
		}
	}
	// Nothing has raised an alarm or halted, and these are not there before.
	for metric, at := range map[string][2]string{
		"verilot_validator_alarms_total": {"node/replica", `"alarms_total"`},
		"verilot_halted":                 {"service", `"verilot_halted"`},
	} {
		if folder := filepath.Join("..", "services", "internal", at[0]); !anyGoFile(t, folder, at[1]) {
			t.Errorf("%s does not register %s any more", folder, metric)
		}
		have[metric] = true
	}
	for where, metrics := range asked(t) {
		for _, m := range metrics {
			if !have[m] {
				t.Errorf("%s asks for %s, which no service has", where, m)
			}
		}
	}
}

// anyGoFile reports whether a Go file below the folder, other than a test, contains the text.
func anyGoFile(t *testing.T, folder, text string) bool {
	t.Helper()
	found := false
	if err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			found = found || strings.Contains(read(t, path), text)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// checkHalted deletes the stream, as only who holds the account's key may. Whoever had a block of it halts, and stays.
func (d *deployed) checkHalted() {
	t := d.t
	t.Helper()
	seed := strings.TrimSpace(read(t, filepath.Join(d.dir, "all", "nats-accounts", "ledger.nk")))
	account, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		t.Fatal(err)
	}
	user, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := user.PublicKey()
	token, err := jwt.NewUserClaims(public).Encode(account)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := user.Seed()
	creds, err := jwt.FormatUserConfig(token, s)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(d.dir, "anything.creds")
	write(t, file, string(creds))
	_, js := d.connect(file)
	if err := js.DeleteStream(t.Context(), "CUSTODY"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"validator-1", "validator-2", "validator-3", "validator-4", "api"} {
		d.eventually(name+" halted and stays", func() (bool, string) {
			code, body := get(d.url(name) + "/readyz")
			_, metrics := get(d.url(name) + "/metrics")
			return code == http.StatusServiceUnavailable && strings.Contains(body, "no stream CUSTODY any more") && strings.Contains(metrics, "verilot_halted 1\n"), body
		})
		if code, body := get(d.url(name) + "/healthz"); code != http.StatusOK {
			t.Errorf("%s: %s", name, body)
		}
		verilot(t, 1, "healthcheck", d.url(name)+"/readyz")
	}
	if code, body := get(d.url("manufacturer") + "/healthz"); code != http.StatusOK {
		t.Errorf("the manufacturer's service ended, too: %s", body)
	}
}
