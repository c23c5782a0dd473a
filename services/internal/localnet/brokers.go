package localnet

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/service"
)

// external stands in the folder for brokers that somebody else runs.
const external = 0

// brokersFile keeps how many brokers the folder has; their streams cannot be spread over another number by starting differently.
const brokersFile = "brokers"

// CheckCluster refuses a number of embedded brokers that makes no cluster; 0 means the default.
func CheckCluster(n int) error {
	switch n {
	case 0, 1, 3, 5:
		return nil
	}
	return fmt.Errorf("%d brokers: 1, 3 or 5 are possible; of 3 one may be lost, of 5 two, and an even number adds nothing", n)
}

// countBrokers is how many brokers to embed, external for none: what the folder has, or what is asked for if it is new.
func countBrokers(o *Options) (int, error) {
	file := filepath.Join(o.Dir, brokersFile)
	b, err := os.ReadFile(file)
	have := -1
	switch {
	case err == nil:
		if have, err = strconv.Atoi(strings.TrimSpace(string(b))); err != nil || have != external && CheckCluster(have) != nil {
			return 0, fmt.Errorf("%s is damaged: it says %q; it must hold the number of brokers in this folder (their folders are nats, or nats-1 and so on), or 0 if they are elsewhere", file, b)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return 0, fmt.Errorf("read the number of brokers: %w", err)
	default:
		if _, err := os.Stat(filepath.Join(o.Dir, "nats")); err == nil {
			have = 1 // from before there were clusters
		}
	}
	want := cmp.Or(o.Cluster, 1)
	if o.Broker.URL != "" {
		want = external
	}
	switch {
	case have < 0:
		return want, WriteFile(file, []byte(strconv.Itoa(want)+"\n"))
	case have == want, have > 0 && o.Broker.URL == "" && o.Cluster == 0:
		return have, nil
	case have == external:
		return 0, fmt.Errorf("%w: its streams are on brokers that somebody else runs; say which with --nats", ErrOtherNetwork)
	case o.Broker.URL != "":
		return 0, fmt.Errorf("%w: its streams are in the folder, on %s of its own; leave --nats out, or choose another --data folder", ErrOtherNetwork, count(have, "broker"))
	}
	return 0, fmt.Errorf("%w: it has %s, not %d; choose another --data folder for a new one", ErrOtherNetwork, count(have, "broker"), o.Cluster)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// embeddedBroker is one of the servers in this folder.
type embeddedBroker struct {
	name        string
	dir         string
	port, route int // 0: not on the network
}

func (b *embeddedBroker) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", b.port) }

// brokers are those of a network, wherever they are.
type brokers struct {
	embedded []embeddedBroker
	secret   string   // of the cluster
	file     string   // where that is kept
	urls     []string // in a fixed order; empty: reached in this process only
	creds    string
	replicas int

	mu      sync.Mutex
	running []*bus.Server // in this process, nil if stopped
	log     *slog.Logger
}

// clusterName is of no meaning to anybody but the servers.
const clusterName = "verilot"

// planBrokers decides names, folders and ports. listen is whether others than this process must reach them.
func planBrokers(ctx context.Context, o *Options, n int, listen bool) (*brokers, error) {
	b := &brokers{replicas: max(n, 1)}
	if n == external {
		for u := range strings.SplitSeq(o.Broker.URL, ",") {
			b.urls = append(b.urls, strings.TrimSpace(u))
		}
		b.creds, b.replicas = o.Broker.Creds, max(o.Replicas, 1)
		return b, nil
	}
	ports := make([]int, 2*n)
	if listen || n > 1 {
		var err error
		if ports, err = lowPorts(ctx, len(ports)); err != nil {
			return nil, err
		}
	}
	for i := range n {
		own := embeddedBroker{name: "nats", dir: filepath.Join(o.Dir, "nats"), port: ports[2*i]}
		if n > 1 {
			own.name = fmt.Sprintf("nats-%d", i+1)
			own.dir, own.route = filepath.Join(o.Dir, own.name), ports[2*i+1]
		}
		b.embedded = append(b.embedded, own)
		if own.port > 0 {
			b.urls = append(b.urls, own.url())
		}
	}
	if n > 1 {
		b.file = filepath.Join(o.Dir, "cluster-secret")
		var err error
		b.secret, err = secret(b.file)
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// checkSettings refuses brokers whose settings could lose messages, before anything is published there.
func checkSettings(ctx context.Context, o *Options) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	r, err := bus.Examine(ctx, bus.Options{URL: o.Broker.URL, Creds: o.Broker.Creds, Name: "verilot up", Replicas: max(o.Replicas, 1)})
	if err != nil {
		return err
	}
	if len(r.Problems) > 0 {
		return &bus.SettingsError{Problems: r.Problems}
	}
	return nil
}

// secret reads what the servers of the cluster know each other by, or makes it up.
func secret(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err == nil && len(b) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read cluster secret: %w", err)
	}
	s := rand.Text()
	if err := os.WriteFile(file, []byte(s+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write cluster secret: %w", err)
	}
	return s, nil
}

func (b *brokers) routes() []string {
	var out []string
	for i := range b.embedded {
		out = append(out, fmt.Sprintf("127.0.0.1:%d", b.embedded[i].route))
	}
	return out
}

// client is the configuration of the i-th service: its own broker first, so that services spread over them, then the others.
func (b *brokers) client(i int) service.Broker {
	c := service.Broker{Creds: b.creds}
	if len(b.urls) > 0 {
		i %= len(b.urls)
		c.URL = strings.Join(append(append([]string{}, b.urls[i:]...), b.urls[:i]...), ",")
	}
	return c
}

// inProcess is the only broker, if it is in this process; services need no socket then.
func (b *brokers) inProcess() bus.InProcess {
	if len(b.running) == 1 {
		return b.running[0]
	}
	return nil
}

// start runs all own brokers in this process. Those of a cluster wait for each other.
func (b *brokers) start(log *slog.Logger) error {
	b.log, b.running = log, make([]*bus.Server, len(b.embedded))
	errs := make([]error, len(b.embedded))
	var wg sync.WaitGroup
	for i := range b.embedded {
		wg.Go(func() { errs[i] = b.restart(i) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return errors.Join(err, b.close())
	}
	return nil
}

func (b *brokers) restart(i int) error {
	own := &b.embedded[i]
	o := bus.EmbedOptions{Dir: own.dir, Port: own.port, Log: b.log.With("broker", own.name)}
	if own.route > 0 {
		o.Name = own.name
		o.Cluster = bus.Cluster{Name: clusterName, Port: own.route, Routes: b.routes(), Secret: b.secret}
	}
	s, err := bus.Embed(o)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running[i] = s
	return nil
}

func (b *brokers) stop(i int) error {
	b.mu.Lock()
	s := b.running[i]
	b.running[i] = nil
	b.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.Close()
}

// close stops all at once: one after the other, the last would wait for those that are gone.
func (b *brokers) close() error {
	errs := make([]error, len(b.running))
	var wg sync.WaitGroup
	for i := range b.running {
		wg.Go(func() { errs[i] = b.stop(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// waitReachable waits until a broker takes connections.
func (b *embeddedBroker) waitReachable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)))
		if err == nil {
			_ = c.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lowPorts finds n free ports below those that the system hands out by itself: a broker that comes back finds its own free, and nobody
// who calls it while it is away can be connected to themselves.
func lowPorts(ctx context.Context, n int) ([]int, error) {
	var out []int
	var held []net.Listener // until all are found, so that no two are the same
	defer func() {
		for _, ln := range held {
			_ = ln.Close()
		}
	}()
	for range 1000 {
		port := 10000 + mathrand.IntN(20000) //nolint:gosec // a guess, not a secret
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		held = append(held, ln)
		if out = append(out, port); len(out) == n {
			return out, nil
		}
	}
	return nil, errors.New("no free ports for the brokers")
}
