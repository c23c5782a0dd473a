package replica

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// histories are several brokers whose streams agree up to some block and differ from there on, and four validators between
// them. What validators say to each other passes from broker to broker; the streams do not.
type histories struct {
	*world
	brokers []*bus.Server
	lines   []*bus.Bus
	at      []int // validator → broker
	nodes   []*running
	logs    []*logged
	common  uint64 // height up to which all agree
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }

func (l *logged) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func newHistories(t *testing.T, at ...int) *histories {
	t.Helper()
	w := newWorld(t, len(at))
	b := w.connect()
	all := w.cluster(b)
	waitAll(w.submit(b, 6), all...)
	stopNow(t, all...)
	b.Close()
	w.server.Close()
	h := &histories{world: w, at: at, nodes: make([]*running, len(at)), logs: make([]*logged, len(at))}
	for _, r := range all {
		h.common = max(h.common, r.chain.Head().Header.Height)
	}
	n := 0
	for _, a := range at {
		n = max(n, a+1)
	}
	for i := range n {
		dir := filepath.Join(w.dir, fmt.Sprintf("broker-%d", i+1))
		if err := os.CopyFS(dir, os.DirFS(w.brokerDir())); err != nil {
			t.Fatal(err)
		}
		s, err := bus.Embed(bus.EmbedOptions{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		h.brokers = append(h.brokers, s)
		h.lines = append(h.lines, h.line(i))
		w.submit(h.lines[i], 2) // other ones at each
	}
	for i := range n {
		for j := range n {
			if i != j {
				h.bridge(i, j)
			}
		}
	}
	return h
}

func (h *histories) line(broker int) *bus.Bus {
	h.t.Helper()
	b, err := bus.Connect(h.t.Context(), bus.Options{Server: h.brokers[broker]})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(b.Close)
	return b
}

// bridge carries what validators at one broker say to another, and the questions for blocks to those who live there.
func (h *histories) bridge(from, to int) {
	h.t.Helper()
	dial := func(i int) *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(h.brokers[i]))
		if err != nil {
			h.t.Fatal(err)
		}
		h.t.Cleanup(nc.Close)
		return nc
	}
	src, dst := dial(from), dial(to)
	home := func(subject string) int {
		var v int
		if _, err := fmt.Sscanf(strings.Split(subject, ".")[3], "v%d", &v); err != nil {
			return -1
		}
		return h.at[v-1]
	}
	subscribe := func(subject string, f nats.MsgHandler) {
		if _, err := src.Subscribe(subject, f); err != nil {
			h.t.Fatal(err)
		}
	}
	for _, kind := range []string{"votes", "cosignatures", "tell"} {
		subscribe(kind+".v1.>", func(m *nats.Msg) {
			if home(m.Subject) == from {
				_ = dst.Publish(m.Subject, m.Data)
			}
		})
	}
	subscribe("fetch.v1.>", func(m *nats.Msg) {
		if home(m.Subject) == to {
			if reply, err := dst.Request(m.Subject, m.Data, 2*time.Second); err == nil {
				_ = m.Respond(reply.Data)
			}
		}
	})
	if err := src.Flush(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *histories) start(v int) {
	h.t.Helper()
	name := fmt.Sprintf("v%d", v+1)
	c := h.open(name)
	h.logs[v] = &logged{}
	n, err := NewValidator(ValidatorConfig{
		Chain: c, Bus: h.line(h.at[v]), Journal: filepath.Join(h.dir, name, "journal"), AuditEvery: time.Second, Log: slog.New(slog.NewTextHandler(h.logs[v], nil)),
		Vote: chaintest.Key(name + "/vote"), Cosign: chaintest.Key(name + "/cosign"), Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.nodes[v] = h.run(c, n.Run, n.Status)
}

func (h *histories) startAll() {
	h.t.Helper()
	for v := range h.at {
		h.start(v)
	}
}

// says waits until a validator's log has all these words.
func (h *histories) says(v int, words ...string) {
	h.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(20 * time.Millisecond) { // polling a log
		missing := ""
		for _, w := range words {
			if !strings.Contains(h.logs[v].String(), w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("v%d does not say %q but %s", v+1, missing, h.logs[v])
		}
	}
}

func (h *histories) noFork() { h.t.Helper(); sameBlocks(h.t, h.nodes...) }

// TestHistoriesThreeOne: the one whose broker shows something else than what the three decide halts and says why; they go on.
// Given a broker with their history it comes back.
func TestHistoriesThreeOne(t *testing.T) {
	t.Parallel()
	h := newHistories(t, 0, 0, 0, 1)
	h.startAll()
	waitAll(h.submit(h.lines[0], 2), h.nodes[:3]...)
	h.nodes[3].halted("lost its tail or shows a different history")
	h.noFork()
	waitAll(h.submit(h.lines[0], 2), h.nodes[:3]...)
	stopNow(t, h.nodes[3])
	h.at[3] = 0
	h.start(3)
	waitAll(h.submit(h.lines[0], 2), h.nodes...)
	h.noFork()
}

// TestHistoriesTwoTwo: each history has two prepares, which is enough for a coordinator to propose it. One gets decided, those
// at the other broker halt, and the two that are left decide nothing more. Given the right broker, the halted ones come back.
func TestHistoriesTwoTwo(t *testing.T) {
	t.Parallel()
	h := newHistories(t, 0, 0, 1, 1)
	h.startAll()
	lost := -1
	for deadline := time.Now().Add(60 * time.Second); lost < 0; time.Sleep(20 * time.Millisecond) { // polling
		for v, n := range h.nodes {
			if n.state().Halted != "" {
				lost = h.at[v]
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody has halted")
		}
	}
	var up []*running
	for v, n := range h.nodes {
		if h.at[v] == lost {
			n.halted("lost its tail or shows a different history")
		} else {
			up = append(up, n)
		}
	}
	h.submit(h.lines[1-lost], 2)
	time.Sleep(time.Second) // what was said before may decide one more
	before := up[0].chain.Head().Header.Height
	for v := range h.nodes {
		if h.at[v] != lost {
			h.says(v, "code=UNDECIDED", "validators prepared in round 0")
			if now := h.nodes[v].chain.Head().Header.Height; now > before {
				t.Errorf("v%d decided %d blocks without a quorum", v+1, now-before)
			}
		}
	}
	h.noFork()
	for v, n := range h.nodes {
		if h.at[v] == lost {
			stopNow(t, n)
			h.at[v] = 1 - lost
			h.start(v)
		}
	}
	waitAll(h.submit(h.lines[1-lost], 2), h.nodes...)
	h.noFork()
}

// TestHistoriesAllDiffer: four histories. None gets two prepares, so nothing is ever decided, and everyone's alarm names what
// the others prepared. (Only a new epoch helps.)
func TestHistoriesAllDiffer(t *testing.T) {
	t.Parallel()
	h := newHistories(t, 0, 1, 2, 3)
	h.startAll()
	for v := range h.nodes {
		h.says(v, "code=UNDECIDED", "4 of 4 validators prepared in round 0", "v1.test.example: ", "v2.test.example: ", "v3.test.example: ", "v4.test.example: ")
	}
	for v, n := range h.nodes {
		if now := n.chain.Head().Header.Height; now > h.common {
			t.Errorf("v%d decided %d blocks, and nobody agrees with it", v+1, now-h.common)
		}
	}
	h.noFork()
}
