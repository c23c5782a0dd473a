package partner

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/keyring"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/replica"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
	"verilot.dev/services/internal/service"
)

// testFiles makes key files in dir and a genesis file that knows them.
func testFiles(t *testing.T, dir string) (genesisFile string, g *genesis.Genesis) {
	t.Helper()
	g = outboxtest.Genesis(t, true)
	create := func(name, use string) []byte {
		k, err := keyring.Create(filepath.Join(dir, name+".pem"), use)
		if err != nil {
			t.Fatal(err)
		}
		return keyring.Public(k)
	}
	for i := range g.Parties {
		for j := range g.Parties[i].Keys {
			g.Parties[i].Keys[j].PublicKey = create(g.Parties[i].Party, "event")
		}
	}
	g.Authorities[0].Key = create("board", "authority")
	raw, err := genesis.Format(g)
	if err != nil {
		t.Fatal(err)
	}
	if g, err = genesis.Parse(raw); err != nil {
		t.Fatal(err)
	}
	genesisFile = filepath.Join(dir, "genesis.json")
	if err := os.WriteFile(genesisFile, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return genesisFile, g
}

// The whole way with a real broker and a real validator: the GS1 US example is onboarded, captured by its maker and relayed by
// the distributor, over HTTP; the services start before the broker's streams exist, and stop and start again in between.
func TestServicesOverARealNetwork(t *testing.T) {
	dir := t.TempDir()
	file, g := testFiles(t, dir)
	server, err := bus.Embed(bus.EmbedOptions{Dir: filepath.Join(dir, "broker")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })

	start := func(p Profile, party, authority string) (url string, stop func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(context.Background())
		addr := make(chan net.Addr, 1)
		done := make(chan error, 1)
		c := ServiceConfig{
			Common: service.Common{Listen: "127.0.0.1:0"}, Genesis: file, Data: filepath.Join(dir, party), Party: party,
			Key: filepath.Join(dir, party+".pem"), DevAuthorityKey: authority, Server: server, Started: func(a net.Addr) { addr <- a },
			SignIn: signin.Config{DevelopmentOpen: true},
		}
		env, err := service.New(p.Name, c.Common, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		go func() { done <- Serve(ctx, p, c, env) }()
		stopped := false
		stop = func() {
			if stopped {
				return
			}
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
		t.Cleanup(stop)
		select {
		case a := <-addr:
			return "http://" + a.String(), stop
		case err := <-done:
			t.Fatal(err)
			return "", nil
		}
	}
	maker, stopMaker := start(Manufacturer(), "maker", filepath.Join(dir, "board.pem"))
	early := request(t, "POST", maker+"/v1/lots", jsonType, lotBody(1))
	if early.State != journal.Captured {
		t.Errorf("without a network a capture is %s", early.State)
	}
	startValidator(t, dir, g, server)
	request(t, "POST", maker+"/v1/products", jsonType, `{"gtin":"00399990100013","ndc":"99990-100-01","name":"Examplin"}`)

	doc := pharma(t)
	resp, err := http.Post(maker+"/v1/onboarding", "application/xml", strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"prefixes":["030001","039999"]`) {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	j := request(t, "POST", maker+"/capture", "application/xml", doc)
	stopMaker()
	maker, stopMaker = start(Manufacturer(), "maker", "")
	j = request(t, "GET", maker+"/capture/"+j.CaptureID+"?wait=indexed&timeout=30s", "", "")
	if j.State != journal.Indexed || !j.Success || len(j.Verdicts) != 9 {
		t.Errorf("%+v", j)
	}
	if e := request(t, "GET", maker+"/capture/"+early.CaptureID+"?wait=certified&timeout=30s", "", ""); e.Verdicts[0].Verdict != "accepted" {
		t.Errorf("%+v", e)
	}
	// A document of several submissions, with a stop in between.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, maker+"/capture", strings.NewReader(manyEvents(submission.MaxItems+5, "D")))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range proceed("divided") {
		req.Header.Set(k, v)
	}
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status)
	}
	at := resp.Header.Get("Location")
	stopMaker()
	maker, _ = start(Manufacturer(), "maker", "")
	j = request(t, "GET", maker+at+"?wait=indexed&timeout=60s", "", "")
	if len(j.Parts) < 2 || j.State != journal.Indexed || !j.Success || j.Counts.Accepted != submission.MaxItems+5 {
		t.Errorf("%+v %+v %+v", j.State, j.Counts, j.Parts)
	}
	dist, _ := start(Distributor(), "dist", filepath.Join(dir, "board.pem"))
	resp, err = http.Post(dist+"/v1/onboarding", "application/xml", strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	j = request(t, "POST", dist+"/capture", "application/xml", doc)
	j = request(t, "GET", dist+"/capture/"+j.CaptureID+"?wait=certified&timeout=30s", "", "")
	for _, v := range j.Verdicts[1:] {
		if v.Code != "RELAYED" {
			t.Errorf("relayed: %+v", v)
		}
	}
}

func startValidator(t *testing.T, dir string, g *genesis.Genesis, server *bus.Server) {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Options{Server: server})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := chain.Open(filepath.Join(dir, "chain"), g, chain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := replica.NewValidator(replica.ValidatorConfig{
		Chain: c, Bus: b, Journal: filepath.Join(dir, "journal"), Vote: outboxtest.Key("v1/vote"), Cosign: outboxtest.Key("v1/cosign"), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- v.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("validator: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		b.Close()
	})
}

func request(t *testing.T, method, url, contentType, body string) *capture.Job {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode > 299 {
		t.Fatalf("%v %d %s", err, resp.StatusCode, b)
	}
	var j capture.Job
	if err := json.Unmarshal(b, &j); err != nil {
		t.Fatal(err)
	}
	return &j
}

// A token is for development networks: a service of another does not start with one.
func TestTokensAreForDevelopment(t *testing.T) {
	dir := t.TempDir()
	file, g := testFiles(t, dir)
	g.Development = false
	raw, err := genesis.Format(g)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range []signin.Config{{DevelopmentTokenFile: filepath.Join(dir, "maker.token")}, {DevelopmentOpen: true}} {
		c := ServiceConfig{
			Common: service.Common{Listen: "127.0.0.1:0"}, Genesis: file, Data: dir, Party: "maker", Key: filepath.Join(dir, "maker.pem"), Broker: service.Broker{URL: "nats://127.0.0.1:1"}, SignIn: s,
		}
		env, err := service.New("manufacturer", c.Common, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := Serve(t.Context(), Manufacturer(), c, env); err == nil || !strings.Contains(err.Error(), "no development network") {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
