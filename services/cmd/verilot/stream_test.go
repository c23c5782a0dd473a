package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"verilot.dev/services/internal/node/bus"
)

// natsServer is a broker that somebody else runs.
func natsServer(t *testing.T, set func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{ServerName: "theirs", Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, NoSigs: true, NoLog: true}
	if set != nil {
		set(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the broker does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func streamsOf(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// ensured are the settings of a stream as the services make it.
func ensured(t *testing.T, url string, js jetstream.JetStream) jetstream.StreamConfig {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), bus.Custody)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().Config
}

// TestStreamCheck: each dangerous setting is named with its remedy, against a real broker.
func TestStreamCheck(t *testing.T) {
	url := natsServer(t, nil).ClientURL()
	code, out, errs := verilot(t, "stream", "check", "--nats", url)
	if code != 0 || !strings.Contains(out, "no streams yet") || !strings.Contains(out, "not known") {
		t.Errorf("an empty broker: exit %d %s%s", code, out, errs)
	}
	js := streamsOf(t, url)
	good := ensured(t, url, js)
	code, out, errs = verilot(t, "stream", "check", "--nats", url)
	if code != 0 || !strings.Contains(out, "fine") || !strings.Contains(out, "stream CUSTODY: 0 messages, 1 replica\n") {
		t.Errorf("streams as we make them: exit %d %s%s", code, out, errs)
	}
	for setting, spoil := range map[string]func(*jetstream.StreamConfig){
		"storage":              func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"retention":            func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy },
		"discard":              func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"max_msgs":             func(c *jetstream.StreamConfig) { c.MaxMsgs = 10 },
		"max_bytes":            func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 },
		"max_age":              func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"max_msgs_per_subject": func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 1 },
		"max_msg_size":         func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 },
		"max_consumers":        func(c *jetstream.StreamConfig) { c.MaxConsumers = 1 },
		"deny_delete":          func(c *jetstream.StreamConfig) { c.DenyDelete = false },
		"deny_purge":           func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"allow_rollup_hdrs":    func(c *jetstream.StreamConfig) { c.AllowRollup, c.DenyPurge = true, false },
		"allow_msg_ttl":        func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
		"allow_msg_schedules":  func(c *jetstream.StreamConfig) { c.AllowMsgSchedules, c.Discard = true, jetstream.DiscardOld },
		"allow_atomic":         func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false },
		"no_ack":               func(c *jetstream.StreamConfig) { c.NoAck, c.AllowAtomicPublish = true, false },
		"first_seq":            func(c *jetstream.StreamConfig) { c.FirstSeq = 100 },
		"subjects":             func(c *jetstream.StreamConfig) { c.Subjects = append(slices.Clone(c.Subjects), "strangers.>") },
		"subject_transform": func(c *jetstream.StreamConfig) {
			c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: "custody.v1.submit.*", Destination: "custody.v1.cut.{{wildcard(1)}}"}
		},
		"republish": func(c *jetstream.StreamConfig) {
			c.RePublish = &jetstream.RePublish{Source: ">", Destination: "copy.>"}
		},
		"duplicate_window": func(c *jetstream.StreamConfig) { c.Duplicates = time.Second },
		"sources":          func(c *jetstream.StreamConfig) { c.Sources = []*jetstream.StreamSource{{Name: "OTHER"}} },
		"mirror": func(c *jetstream.StreamConfig) {
			*c = jetstream.StreamConfig{Name: c.Name, Mirror: &jetstream.StreamSource{Name: "OTHER"}, Storage: c.Storage, Replicas: 1}
		},
	} {
		t.Run(setting, func(t *testing.T) {
			_ = js.DeleteStream(t.Context(), bus.Custody) // not there if the one before was refused
			c := good
			spoil(&c)
			if _, err := js.CreateStream(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			code, out, errs := verilot(t, "stream", "check", "--nats", url)
			if code != 1 || !strings.Contains(out, "DANGEROUS CUSTODY: "+setting+" is ") || !strings.Contains(out, "Remedy: ") {
				t.Errorf("exit %d: %s%s", code, out, errs)
			}
			code, out, _ = verilot(t, "stream", "check", "--nats", url, "--json")
			r := decodeAs[bus.Report](t, out)
			if code != 1 || !slices.ContainsFunc(r.Problems, func(p bus.Problem) bool {
				return p.Setting == setting && p.Stream == bus.Custody && p.Why != "" && p.Remedy != ""
			}) {
				t.Errorf("exit %d: %s", code, out)
			}
		})
	}
	t.Run("the stream is gone", func(t *testing.T) {
		_ = js.DeleteStream(t.Context(), bus.Custody)
		if code, _, errs := verilot(t, "stream", "check", "--nats", url); code != 1 || !strings.Contains(errs, "never create the stream again") {
			t.Errorf("exit %d: %s", code, errs)
		}
	})
}

// What is the server's and not a stream's.
func TestStreamCheckOfServers(t *testing.T) {
	small := natsServer(t, func(o *server.Options) { o.MaxPayload = 4096 }).ClientURL()
	if code, out, _ := verilot(t, "stream", "check", "--nats", small); code != 1 || !strings.Contains(out, "DANGEROUS server: max_payload is 4096") {
		t.Errorf("exit %d: %s", code, out)
	}
	off := natsServer(t, func(o *server.Options) { o.JetStream = false }).ClientURL()
	if code, out, errs := verilot(t, "stream", "check", "--nats", off); code != 1 || !strings.Contains(out, "DANGEROUS server: JetStream is off") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := verilot(t, "stream", "check", "--nats", "nats://127.0.0.1:1"); code != 3 || !strings.Contains(errs, "no answer") {
		t.Errorf("exit %d: %s", code, errs)
	}
	// The sync interval, by the two ways there are.
	lazy := natsServer(t, func(o *server.Options) {
		o.SyncAlways, o.HTTPHost, o.HTTPPort = false, "127.0.0.1", -1
		o.SyncInterval = 2 * time.Minute
		system := server.NewAccount("SYS")
		o.Accounts = []*server.Account{system}
		o.SystemAccount = "SYS"
		o.Users = []*server.User{{Username: "sys", Password: "s", Account: system}, {Username: "us", Password: "u"}}
	})
	monitor := "http://" + lazy.MonitorAddr().String()
	for name, args := range map[string][]string{
		"monitoring port": {"--nats", strings.Replace(lazy.ClientURL(), "//", "//us:u@", 1), "--monitor", monitor},
		"system account":  {"--nats", strings.Replace(lazy.ClientURL(), "//", "//sys:s@", 1)},
	} {
		code, out, errs := verilot(t, append([]string{"stream", "check"}, args...)...)
		if code != 1 || !strings.Contains(out, " is 2m0s, must be always") {
			t.Errorf("%s: exit %d: %s%s", name, code, out, errs)
		}
	}
}

// operated starts a broker in operator mode, and writes credentials of a user that it knows.
func operated(t *testing.T) (url, creds string) {
	t.Helper()
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	pair := func(k nkeys.KeyPair, err error) (nkeys.KeyPair, string) {
		t.Helper()
		try(err)
		pub, err := k.PublicKey()
		try(err)
		return k, pub
	}
	operator, operatorID := pair(nkeys.CreateOperator())
	_, systemID := pair(nkeys.CreateAccount())
	account, accountID := pair(nkeys.CreateAccount())
	user, userID := pair(nkeys.CreateUser())
	resolver := &server.MemAccResolver{}
	for id, jets := range map[string]bool{systemID: false, accountID: true} {
		c := jwt.NewAccountClaims(id)
		if jets {
			c.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
		}
		token, err := c.Encode(operator)
		try(err)
		try(resolver.Store(id, token))
	}
	oc := jwt.NewOperatorClaims(operatorID)
	oc.SystemAccount = systemID
	token, err := oc.Encode(operator)
	try(err)
	trusted, err := jwt.DecodeOperatorClaims(token)
	try(err)
	s := natsServer(t, func(o *server.Options) {
		o.TrustedOperators, o.AccountResolver, o.SystemAccount = []*jwt.OperatorClaims{trusted}, resolver, systemID
	})
	userToken, err := jwt.NewUserClaims(userID).Encode(account)
	try(err)
	seed, err := user.Seed()
	try(err)
	file, err := jwt.FormatUserConfig(userToken, seed)
	try(err)
	creds = filepath.Join(t.TempDir(), "verilot.creds")
	try(os.WriteFile(creds, file, 0o600))
	return s.ClientURL(), creds
}

// TestUpWithBrokersOfOthers: a network over a broker that asks for credentials, and the refusal of a dangerous one.
func TestUpWithBrokersOfOthers(t *testing.T) {
	url, creds := operated(t)
	n := startNetwork(t)
	if code, _, errs := verilot(t, "up", "--data", n.dir, "--nats", url, "--ports-base", fmt.Sprint(n.base)); code != 3 || !strings.Contains(errs, "Authorization") {
		t.Errorf("without credentials: exit %d: %s", code, errs)
	}
	n.up(t, "--nats", url, "--creds", creds)
	load := makerLoad(t)
	for range 3 {
		if err := load.send(n, load.next); err != nil {
			t.Fatal(err)
		}
		load.next++
	}
	load.settle(n)
	load.checkChain(n)
	n.stop(t)
	if code, out, errs := verilot(t, "stream", "check", "--nats", url, "--creds", creds); code != 0 || !strings.Contains(out, "stream CUSTODY") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := verilot(t, "up", "--data", n.dir, "--ports-base", fmt.Sprint(n.base)); code != 3 || !strings.Contains(errs, "say which with --nats") {
		t.Errorf("without its broker: exit %d: %s", code, errs)
	}

	other := natsServer(t, nil).ClientURL()
	js := streamsOf(t, other)
	c := ensured(t, other, js)
	if err := js.DeleteStream(t.Context(), bus.Custody); err != nil {
		t.Fatal(err)
	}
	c.MaxAge = time.Hour
	if _, err := js.CreateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	code, _, errs := verilot(t, "up", "--data", t.TempDir(), "--nats", other, "--ports-base", fmt.Sprint(n.base))
	if code != 3 && code != 1 || !strings.Contains(errs, "CUSTODY: max_age is 1h0m0s, must be unlimited") || !strings.Contains(errs, "Remedy") {
		t.Errorf("a dangerous stream: exit %d: %s", code, errs)
	}
}
