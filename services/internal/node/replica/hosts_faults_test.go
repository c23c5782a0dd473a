package replica

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// hosts are four machines: on each a validator and a server of one JetStream cluster, which keeps the streams three times. A
// validator reaches its own server in process and nothing else, and every route between two servers is a TCP proxy of the
// test's: what the proxies do not carry does not arrive. (The servers tell each other an address where nobody listens, so that
// none finds a way around; checkCut looks.)
type hosts struct {
	*world
	seed    uint64
	wires   *wires
	servers []*server.Server
	lines   []*bus.Bus // of the test, one to each server
	nodes   []*running
	logs    []*logged

	mu     sync.Mutex
	counts uint64
	acked  map[canonical.Hash]uint64 // payload → sequence
}

const hostCount = 4

func newHosts(t *testing.T, seed uint64) *hosts {
	t.Helper()
	t.Logf("seed %d; again: FAULT_SEED=%d go test ./services/internal/node/replica -run '%s$' -v", seed, seed, t.Name())
	h := &hosts{
		world: &world{t: t, dir: t.TempDir(), g: chaintest.Genesis(t, hostCount, time.Now().Add(-time.Minute))},
		seed:  seed, wires: newWires(t), acked: map[canonical.Hash]uint64{},
	}
	for i := range hostCount {
		o := &server.Options{
			ServerName: fmt.Sprintf("n%d", i+1), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: filepath.Join(h.dir, fmt.Sprintf("n%d", i+1)),
			SyncAlways: true, MaxPayload: bus.MaxPayload, NoSigs: true, NoLog: os.Getenv("FAULT_LOG") == "",
			Cluster: server.ClusterOpts{Name: "hosts", Host: "127.0.0.1", Port: -1, PoolSize: -1, NoAdvertise: true, Advertise: "127.0.0.1:1"},
		}
		for j := range hostCount {
			if i != j {
				o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: h.wires.address(i, j)})
			}
		}
		s, err := server.NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if os.Getenv("FAULT_LOG") != "" {
			s.ConfigureLogger()
		}
		h.servers = append(h.servers, s)
		s.Start()
	}
	for i, s := range h.servers {
		h.eventually("a server listens", 10*time.Second, func() bool { return s.ClusterAddr() != nil })
		h.wires.target(i, s.ClusterAddr().String())
	}
	h.eventually("the servers find each other", 30*time.Second, func() bool {
		complete := false
		for _, s := range h.servers {
			if s.NumRoutes() != hostCount-1 {
				return false
			}
			complete = complete || len(s.JetStreamClusterPeers()) == hostCount // the leader knows
		}
		return complete
	})
	for i := range hostCount {
		h.lines = append(h.lines, h.line(i))
	}
	for i := range hostCount {
		name := fmt.Sprintf("v%d", i+1)
		c, log := h.open(name), &logged{}
		h.logs = append(h.logs, log)
		v, err := NewValidator(ValidatorConfig{
			Chain: c, Bus: h.line(i), Journal: filepath.Join(h.dir, name, "journal"), AuditEvery: time.Second,
			Log:  slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Vote: chaintest.Key(name + "/vote"), Cosign: chaintest.Key(name + "/cosign"), Metrics: prometheus.NewRegistry(),
		})
		if err != nil {
			t.Fatal(err)
		}
		h.nodes = append(h.nodes, h.run(c, v.Run, v.Status))
	}
	h.opened(h.lines[0])
	t.Cleanup(func() {
		if t.Failed() {
			for i, l := range h.logs {
				s := l.String()
				t.Logf("v%d said:\n%s", i+1, s[max(0, len(s)-3000):])
			}
		}
	})
	return h
}

// line connects to one host's server, in process.
func (h *hosts) line(i int) *bus.Bus {
	h.t.Helper()
	b, err := bus.Connect(h.t.Context(), bus.Options{Server: h.servers[i], Replicas: 3})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(b.Close)
	h.eventually("streams", 30*time.Second, func() bool { return b.Ensure(h.t.Context()) == nil })
	return b
}

func (h *hosts) eventually(what string, limit time.Duration, ok func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) { // polling real servers
		if time.Now().After(deadline) {
			h.t.Fatalf("not within %v: %s; %s", limit, what, h.where())
		}
	}
}

func (h *hosts) where() (s string) {
	for i, n := range h.nodes {
		head := n.chain.Head().Header
		s += fmt.Sprintf("v%d at height %d, sequence %d; ", i+1, head.Height, head.LastSeq)
		select {
		case err := <-n.done:
			s += fmt.Sprintf("STOPPED: %v; ", err)
			n.done <- err
		default:
		}
	}
	return s
}

// load submits at a host, as an outbox does: the same bytes until somebody acknowledges them.
func (h *hosts) load(i int) (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			h.mu.Lock()
			h.counts++
			n := h.counts
			h.mu.Unlock()
			h.send(i, n)
			sleep(ctx, 100*time.Millisecond)
		}
	})
	return func() { cancel(); wg.Wait() }
}

// send ends when the submission is acknowledged or the test over: what is begun is not given up when the load ends.
func (h *hosts) send(i int, n uint64) {
	payload := chaintest.Commission(h.t, h.g, n, int(n)*4, 4)
	for h.t.Context().Err() == nil {
		ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Second)
		a, err := h.lines[i].Publish(ctx, "acme", payload)
		cancel()
		if err == nil {
			h.mu.Lock()
			h.acked[sum(payload)] = a.Seq
			h.mu.Unlock()
			return
		}
		if !bus.Temporary(err) {
			h.t.Errorf("submission %d at host %d: %v", n, i+1, err)
			return
		}
		sleep(h.t.Context(), 100*time.Millisecond)
	}
}

func (h *hosts) stored() int { h.mu.Lock(); defer h.mu.Unlock(); return len(h.acked) }

func (h *hosts) heights() (all [hostCount]uint64) {
	for i, n := range h.nodes {
		all[i] = n.chain.Head().Header.Height
	}
	return all
}

// still requires that nothing new is decided for a while. One that is behind may get what others have.
func (h *hosts) still(d time.Duration) {
	h.t.Helper()
	before := h.top()
	sleep(h.t.Context(), d)
	if now := h.top(); now != before {
		h.t.Errorf("%d blocks were decided without a quorum; %s", now-before, h.where())
	}
}

// agree waits until everything that was acknowledged is in a block of every validator, and compares: the same blocks, the same
// state, one head, and each submission judged once.
func (h *hosts) agree() {
	h.t.Helper()
	last := uint64(0)
	for _, seq := range h.acked {
		last = max(last, seq)
	}
	h.eventually("everyone has everything", 90*time.Second, func() bool {
		for _, n := range h.nodes {
			if n.chain.Head().Header.LastSeq < last {
				return false
			}
		}
		return true
	})
	h.eventually("one head", 30*time.Second, func() bool {
		for _, n := range h.nodes[1:] {
			if n.chain.Head().Hash != h.nodes[0].chain.Head().Hash {
				return false
			}
		}
		return true
	})
	h.noFork()
	judged := map[canonical.Hash]int{}
	c := h.nodes[0].chain
	for height := uint64(1); height <= c.Head().Header.Height; height++ {
		b, err := c.Stored(height)
		if err != nil {
			h.t.Fatal(err)
		}
		refused := map[uint32]bool{}
		for _, leaf := range b.Verdicts {
			x, err := block.DecodeVerdictLeaf(leaf)
			if err != nil {
				h.t.Fatal(err)
			}
			if v, ok := x.(block.Verdict); ok && v.Pos.Item == canonical.WholeEntry {
				refused[v.Pos.Entry] = true
			}
		}
		for i, p := range b.Payloads {
			if !refused[uint32(i)] {
				judged[sum(p)]++
			}
		}
	}
	for id := range h.acked {
		if judged[id] != 1 {
			h.t.Errorf("a submission was judged %d times", judged[id])
		}
	}
	h.t.Logf("%d submissions judged once each, %d blocks, the same for all", len(h.acked), c.Head().Header.Height)
}

func (h *hosts) noFork() { h.t.Helper(); sameBlocks(h.t, h.nodes...) }

// sameBlocks compares the copies of nodes that may be at work, as far as each goes, byte for byte but for the certificates: any
// quorum will do there.
func sameBlocks(tb testing.TB, nodes ...*running) {
	tb.Helper()
	for i := range nodes {
		for j := range i {
			a, b := nodes[i].chain, nodes[j].chain
			for height := uint64(1); height <= min(a.Head().Header.Height, b.Head().Header.Height); height++ {
				x, errA := a.Stored(height)
				y, errB := b.Stored(height)
				if err := errors.Join(errA, errB); err != nil {
					tb.Fatal(err)
				}
				x.Certificate, y.Certificate = nil, nil
				if !reflect.DeepEqual(x, y) {
					tb.Fatalf("block %d of v%d and v%d differs", height, i+1, j+1)
				}
			}
		}
	}
}

// checkCut requires that the servers see the cut: no way around the proxies.
func (h *hosts) checkCut(side func(int) int) {
	h.t.Helper()
	for i, s := range h.servers {
		same := 0
		for j := range hostCount {
			if i != j && side(i) == side(j) {
				same++
			}
		}
		h.eventually(fmt.Sprintf("n%d has lost the other side", i+1), 10*time.Second, func() bool { return s.NumRoutes() == same })
	}
}

// How a wire between two hosts behaves, in one direction.
type mode int

const (
	pass    mode = iota
	closed       // connections are closed, and new ones refused
	swallow      // connections stay open; what is sent is lost
	held         // connections stay open; what is sent arrives when the wire is healed, as TCP does it
)

func (m mode) String() string { return [...]string{"pass", "closed", "swallow", "held"}[m] }

// wires are the TCP proxies between hosts: one for each pair in each direction of dialling.
type wires struct {
	t       *testing.T
	mu      sync.Mutex
	changed chan struct{} // closed at every change
	modes   [hostCount][hostCount]mode
	targets [hostCount]string
	addr    [hostCount][hostCount]string
	conns   map[*wire]bool
	closing bool
	wg      sync.WaitGroup
	carried [hostCount][hostCount]int64
}

// wire is one proxied connection. lost: bytes of it were swallowed, so it is of no use any more.
type wire struct {
	from, to int // who dialled whom
	a, b     net.Conn
	lost     bool
}

func (w *wire) close() { _ = w.a.Close(); _ = w.b.Close() }

func newWires(t *testing.T) *wires {
	t.Helper()
	ws := &wires{t: t, changed: make(chan struct{}), conns: map[*wire]bool{}}
	var listeners []net.Listener
	for i := range hostCount {
		for j := range hostCount {
			if i == j {
				continue
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			listeners = append(listeners, ln)
			ws.addr[i][j] = ln.Addr().String()
			ws.wg.Go(func() { ws.accept(ln, i, j) })
		}
	}
	t.Cleanup(func() {
		ws.mu.Lock()
		ws.closing = true
		for w := range ws.conns {
			w.close()
		}
		close(ws.changed)
		ws.changed = make(chan struct{})
		ws.mu.Unlock()
		for _, ln := range listeners {
			_ = ln.Close()
		}
		ws.wg.Wait()
	})
	return ws
}

func (ws *wires) address(from, to int) string { return ws.addr[from][to] }

func (ws *wires) target(i int, addr string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.targets[i] = addr
}

func (ws *wires) accept(ln net.Listener, from, to int) {
	for {
		a, err := ln.Accept()
		if err != nil {
			return
		}
		ws.mu.Lock()
		addr, free := ws.targets[to], ws.modes[from][to] == pass && ws.modes[to][from] == pass && !ws.closing
		ws.mu.Unlock()
		if !free || addr == "" { // no handshake over a wire that is cut in either direction
			_ = a.Close()
			continue
		}
		b, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			_ = a.Close()
			continue
		}
		w := &wire{from: from, to: to, a: a, b: b}
		ws.mu.Lock()
		ws.conns[w] = true
		if ws.closing {
			w.close()
		}
		ws.mu.Unlock()
		ws.wg.Go(func() { ws.pump(w, b, a, from, to) })
		ws.wg.Go(func() { ws.pump(w, a, b, to, from) })
	}
}

func (ws *wires) pump(w *wire, dst io.Writer, src io.Reader, from, to int) {
	defer func() {
		w.close()
		ws.mu.Lock()
		delete(ws.conns, w)
		ws.mu.Unlock()
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 && !ws.carry(w, dst, buf[:n], from, to) {
			return
		}
		if err != nil {
			return
		}
	}
}

// carry sends bytes, or loses or holds them; false: the connection is over.
func (ws *wires) carry(w *wire, dst io.Writer, b []byte, from, to int) bool {
	for {
		ws.mu.Lock()
		m, changed, closing := ws.modes[from][to], ws.changed, ws.closing
		if m == swallow {
			w.lost = true
		}
		if m == pass {
			ws.carried[from][to] += int64(len(b))
		}
		ws.mu.Unlock()
		switch {
		case closing || m == closed:
			return false
		case m == swallow:
			return true
		case m == held:
			<-changed
		default:
			_, err := dst.Write(b)
			return err == nil
		}
	}
}

// set changes what wires do. What was lost on an open connection makes it useless when it is healed, so it is closed then.
func (ws *wires) set(want func(from, to int) mode) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for i := range hostCount {
		for j := range hostCount {
			ws.modes[i][j] = want(i, j)
		}
	}
	for w := range ws.conns {
		there, back := ws.modes[w.from][w.to], ws.modes[w.to][w.from]
		if there == closed || back == closed || w.lost && there == pass && back == pass {
			w.close()
		}
	}
	close(ws.changed)
	ws.changed = make(chan struct{})
}

func (ws *wires) heal() { ws.set(func(int, int) mode { return pass }) }

// bytes that arrived since the beginning, from one to another.
func (ws *wires) bytes(from, to int) int64 {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.carried[from][to]
}

// faultSeeds are the seeds of a test: one in go test, another few for each slice of test-long, or that of FAULT_SEED.
func faultSeeds(t *testing.T, perSlice int) []uint64 {
	t.Helper()
	var one uint64
	if s := os.Getenv("FAULT_SEED"); s != "" {
		if _, err := fmt.Sscan(s, &one); err != nil {
			t.Fatalf("FAULT_SEED=%q: %v", s, err)
		}
		return []uint64{one}
	}
	if os.Getenv("VERILOT_LONG") == "" {
		return []uint64{1}
	}
	slice := cmp.Or(os.Getenv("SLICE"), "1/1")
	var i, n int
	if _, err := fmt.Sscanf(slice, "%d/%d", &i, &n); err != nil || i < 1 || i > n {
		t.Fatalf("SLICE=%q, want i/n", slice)
	}
	var seeds []uint64
	for k := range perSlice {
		seeds = append(seeds, uint64((i-1)*perSlice+k+2))
	}
	t.Logf("slice %s: %s with seeds %d to %d; one again: FAULT_SEED=N go test ./services/internal/node/replica -run '%s$' -v", slice, t.Name(), seeds[0], seeds[len(seeds)-1], t.Name())
	return seeds
}

// forSeeds runs a test for each seed, a few at a time.
func forSeeds(t *testing.T, perSlice int, test func(h *hosts, rng *rand.Rand)) {
	t.Helper()
	for _, seed := range faultSeeds(t, perSlice) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			test(newHosts(t, seed), rand.New(rand.NewPCG(seed, 0)))
		})
	}
}
