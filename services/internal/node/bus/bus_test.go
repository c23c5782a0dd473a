package bus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

func broker(tb testing.TB, dir string) *Server {
	tb.Helper()
	s, err := Embed(EmbedOptions{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func connect(tb testing.TB, s InProcess) *Bus {
	tb.Helper()
	b, err := Connect(tb.Context(), Options{Server: s, Name: tb.Name()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(b.Close)
	if err := b.Ensure(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return b
}

func one(tb testing.TB) *Bus { tb.Helper(); return connect(tb, broker(tb, tb.TempDir())) }

func payload(i int) []byte { return fmt.Appendf(nil, "message %d", i) }

// collect consumes until n messages came.
func collect(t *testing.T, b *Bus, from uint64, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	stop := errors.New("enough")
	err := b.Consume(ctx, from, nil, func(m Message) error {
		if got = append(got, string(m.Data)); len(got) == n {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Fatalf("after %d of %d messages: %v", len(got), n, err)
	}
	return got
}

func TestPublish(t *testing.T) {
	b := one(t)
	ctx := t.Context()
	for i := 1; i <= 3; i++ {
		if a, err := b.Publish(ctx, "acme", payload(i)); err != nil || a != (Ack{Seq: uint64(i)}) {
			t.Fatal(a, err)
		}
	}
	if a, err := b.Publish(ctx, "acme", payload(2)); err != nil || a != (Ack{Seq: 2, Duplicate: true}) {
		t.Errorf("the same bytes again: %+v, %v", a, err)
	}
	if a, err := b.Publish(ctx, "other", payload(2)); err != nil || !a.Duplicate {
		t.Errorf("the same bytes under another party's subject: %+v, %v", a, err)
	}
	m, err := b.GetMessage(ctx, 3)
	if err != nil || m.Subject != "custody.v1.submit.acme" || string(m.Data) != "message 3" {
		t.Error(m, err)
	}
	if _, err := b.GetMessage(ctx, 4); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if n, err := b.LastSeq(ctx); n != 3 || err != nil {
		t.Error(n, err)
	}
	if got := collect(t, b, 2, 2); !slices.Equal(got, []string{"message 2", "message 3"}) {
		t.Error(got)
	}
	for _, party := range []string{"", "a.b", "*", ">", "Acme", "a b"} {
		if _, err := b.Publish(ctx, party, payload(9)); err == nil {
			t.Errorf("published as %q", party)
		}
	}
	if _, err := b.Publish(ctx, "acme", make([]byte, MaxPayload)); !errors.Is(err, ErrTooLarge) || Temporary(err) {
		t.Error(err)
	}
}

func TestEpochRecordIsFirst(t *testing.T) {
	b := one(t)
	var wg sync.WaitGroup
	got := make([]string, 4)
	for i := range got {
		wg.Go(func() {
			m, err := b.PublishEpoch(t.Context(), fmt.Sprintf("v%d", i), payload(i))
			if err != nil || m.Seq != 1 {
				t.Error(m, err)
			}
			got[i] = string(m.Data)
		})
	}
	wg.Wait()
	if len(slices.Compact(got)) != 1 {
		t.Errorf("validators saw different first messages: %q", got)
	}
	if n, _ := b.LastSeq(t.Context()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestBatch(t *testing.T) {
	b := one(t)
	ctx := t.Context()
	var all [][]byte
	for i := range MaxBatch {
		all = append(all, payload(i))
	}
	acks, err := b.PublishBatch(ctx, "acme", all)
	if err != nil || len(acks) != MaxBatch || acks[0].Seq != 1 || acks[MaxBatch-1].Seq != MaxBatch {
		t.Fatal(len(acks), err)
	}
	t.Run("sent again, every member is known", func(t *testing.T) {
		acks, err := b.PublishBatch(ctx, "acme", all[:10])
		for i, a := range acks {
			if a != (Ack{Seq: uint64(i + 1), Duplicate: true}) {
				t.Error(i, a)
			}
		}
		if err != nil || len(acks) != 10 {
			t.Error(len(acks), err)
		}
	})
	t.Run("one member is known: the others are stored in order", func(t *testing.T) {
		members := [][]byte{[]byte("x"), all[3], []byte("y")}
		for i := range smallestBatch {
			members = append(members, all[i+5])
		}
		acks, err := b.PublishBatch(ctx, "acme", members)
		if err != nil || !slices.Equal(acks[:4], []Ack{{Seq: 1001}, {Seq: 4, Duplicate: true}, {Seq: 1002}, {Seq: 6, Duplicate: true}}) {
			t.Error(acks, err)
		}
	})
	t.Run("a small batch and one of none", func(t *testing.T) {
		acks, err := b.PublishBatch(ctx, "acme", [][]byte{[]byte("z")})
		if err != nil || !slices.Equal(acks, []Ack{{Seq: 1003}}) {
			t.Error(acks, err)
		}
		if acks, err := b.PublishBatch(ctx, "acme", nil); err != nil || len(acks) != 0 {
			t.Error(acks, err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		if _, err := b.PublishBatch(ctx, "acme", make([][]byte, MaxBatch+1)); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
		big := make([][]byte, 12)
		for i := range big {
			big[i] = bytes.Repeat([]byte{byte(i)}, 768<<10)
		}
		if _, err := b.PublishBatch(ctx, "acme", big); !errors.Is(err, ErrTooLarge) {
			t.Error(err)
		}
	})
	t.Run("as large as allowed", func(t *testing.T) {
		big := make([][]byte, 40)
		for i := range big {
			big[i] = bytes.Repeat([]byte{byte(i)}, MaxBatchBytes/40)
		}
		if acks, err := b.PublishBatch(ctx, "acme", big); err != nil || len(acks) != 40 {
			t.Error(acks, err)
		}
	})
	t.Run("a sender died inside the batch", func(t *testing.T) {
		var members [][]byte
		for i := range smallestBatch {
			members = append(members, fmt.Appendf(nil, "member %d", i))
		}
		for i, p := range members[:2] {
			m := message("custody.v1.submit.acme", p)
			m.Header.Set("Nats-Batch-Id", batchID(members))
			m.Header.Set("Nats-Batch-Sequence", fmt.Sprint(i+1))
			if err := b.nc.PublishMsg(m); err != nil {
				t.Fatal(err)
			}
		}
		acks, err := b.PublishBatch(ctx, "acme", members)
		if err != nil || acks[0] != (Ack{Seq: 1044}) {
			t.Error(acks, err)
		}
	})
	got := collect(t, b, 1001, 3)
	if !slices.Equal(got, []string{"x", "y", "z"}) {
		t.Error(got)
	}
}

func TestEnsureRefusesDangerousStream(t *testing.T) {
	for name, spoil := range map[string]func(*jetstream.StreamConfig){
		"max_msgs":          func(c *jetstream.StreamConfig) { c.MaxMsgs = 1000 },
		"max_age":           func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour },
		"deny_delete":       func(c *jetstream.StreamConfig) { c.DenyDelete = false },
		"deny_purge":        func(c *jetstream.StreamConfig) { c.DenyPurge = false },
		"discard":           func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld },
		"storage":           func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage },
		"subjects":          func(c *jetstream.StreamConfig) { c.Subjects = c.Subjects[:1] },
		"allow_atomic":      func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = false },
		"allow_msg_ttl":     func(c *jetstream.StreamConfig) { c.AllowMsgTTL = true },
		"allow_rollup_hdrs": func(c *jetstream.StreamConfig) { c.AllowRollup, c.DenyPurge = true, false },
	} {
		t.Run(name, func(t *testing.T) {
			s := broker(t, t.TempDir())
			b, err := Connect(t.Context(), Options{Server: s})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			c := streams(1)[0]
			spoil(&c)
			if _, err := b.js.CreateStream(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			err = b.Ensure(t.Context())
			if e, ok := errors.AsType[*SettingsError](err); !ok || e.Stream != Custody || !strings.Contains(err.Error(), name+" is ") {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("what the operator may choose", func(t *testing.T) {
		s := broker(t, t.TempDir())
		b, err := Connect(t.Context(), Options{Server: s})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		c := streams(1)[0]
		c.Duplicates, c.Compression, c.AllowDirect = time.Minute, jetstream.S2Compression, true
		if _, err := b.js.CreateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := b.Ensure(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// plug is a broker that a test can replace while clients hold on.
type plug struct {
	mu sync.Mutex
	s  *Server
}

func (p *plug) InProcessConn() (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.s == nil {
		return nil, errors.New("broker is down")
	}
	return p.s.InProcessConn()
}

func (p *plug) swap(s *Server) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.s = s
}

func TestConsumeOutlivesTheBroker(t *testing.T) {
	dir := t.TempDir()
	s := broker(t, dir)
	p := &plug{s: s}
	b := connect(t, p)
	for i := 1; i <= 3; i++ {
		if _, err := b.Publish(t.Context(), "acme", payload(i)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got, checks := make(chan Message, 10), make(chan struct{}, 10)
	done := make(chan error, 1)
	stop := errors.New("stop")
	go func() {
		done <- b.Consume(ctx, 1, func(context.Context) error {
			checks <- struct{}{}
			return nil
		}, func(m Message) error {
			got <- m
			if m.Seq == 5 {
				return stop
			}
			return nil
		})
	}()
	expect := func(seq uint64) {
		t.Helper()
		select {
		case m := <-got:
			if m.Seq != seq {
				t.Fatalf("got message %d, want %d", m.Seq, seq)
			}
		case <-ctx.Done():
			t.Fatalf("waiting for %d: %v", seq, ctx.Err())
		}
	}
	<-checks
	for i := range 3 {
		expect(uint64(i + 1))
	}
	p.swap(nil)
	s.Close()
	if _, err := b.Publish(ctx, "acme", payload(4)); !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrUnknown) || !Temporary(err) {
		t.Errorf("publish without a broker: %v", err)
	}
	p.swap(broker(t, dir))
	<-checks // before anything new is delivered
	for i := 4; i <= 5; i++ {
		for {
			if _, err := b.Publish(ctx, "acme", payload(i)); err == nil {
				break
			} else if !Temporary(err) {
				t.Fatal(err)
			}
		}
		expect(uint64(i))
	}
	if err := <-done; !errors.Is(err, stop) {
		t.Error(err)
	}
}

func TestConsumeStops(t *testing.T) {
	b := one(t)
	if _, err := b.Publish(t.Context(), "acme", payload(1)); err != nil {
		t.Fatal(err)
	}
	bad := errors.New("history differs")
	if err := b.Consume(t.Context(), 1, func(context.Context) error { return bad }, nil); !errors.Is(err, bad) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Consume(ctx, 1, nil, func(Message) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestGapIsAnError(t *testing.T) {
	s := broker(t, t.TempDir())
	b, err := Connect(t.Context(), Options{Server: s})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := streams(1)[0]
	c.DenyDelete = false
	st, err := b.js.CreateStream(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 4; i++ {
		if _, err := b.Publish(t.Context(), "acme", payload(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.DeleteMsg(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	err = b.Consume(t.Context(), 1, nil, func(Message) error { return nil })
	if g, ok := errors.AsType[*GapError](err); !ok || g.Want != 3 || g.Got != 4 {
		t.Error(err)
	}
}

// offers consumes blocks from a height and reports what was taken, until height last.
func offers(t *testing.T, b *Bus, from, last uint64) []uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stop := errors.New("stop")
	var got []uint64
	err := b.ConsumeBlocks(ctx, from, func(h uint64, rec []byte) (bool, error) {
		if !bytes.HasPrefix(rec, fmt.Appendf(nil, "good %d.", h)) {
			return false, nil
		}
		if got = append(got, h); h == last {
			return true, stop
		}
		return true, nil
	})
	if !errors.Is(err, stop) {
		t.Fatal(got, err)
	}
	return got
}

func TestBlocks(t *testing.T) {
	b := one(t)
	ctx := t.Context()
	record := func(h uint64, size int) []byte {
		r := fmt.Appendf(nil, "good %d.", h)
		return append(r, bytes.Repeat([]byte{byte(h)}, size)...)
	}
	pub := func(h uint64, rec []byte) {
		t.Helper()
		if err := b.PublishBlock(ctx, h, rec); err != nil {
			t.Fatal(err)
		}
	}
	raw := func(subject string, data []byte) {
		t.Helper()
		if _, err := b.request(ctx, &nats.Msg{Subject: subject, Data: data, Header: nats.Header{}}); err != nil {
			t.Fatal(err)
		}
	}
	pub(1, record(1, 10))
	raw("blocks.v1.7", []byte("garbage"))
	raw(blockSubject(2), encodeChunk(2, 0, 2, []byte("good 2.half of it")))
	pub(2, []byte("bad 2"))
	raw(blockSubject(3), encodeChunk(3, 1, 2, []byte("a second half without a first")))
	pub(2, record(2, 3*chunkSize))
	pub(4, record(4, chunkSize)) // 3 comes late
	pub(5, record(5, 0))
	pub(1, record(1, 10))
	raw(blockSubject(3), encodeChunk(3, 0, maxChunks+1, nil))
	pub(3, record(3, 1))
	pub(6, record(6, 1))
	if got := offers(t, b, 1, 6); !slices.Equal(got, []uint64{1, 2, 3, 4, 5, 6}) {
		t.Error(got)
	}
	if got := offers(t, b, 4, 6); !slices.Equal(got, []uint64{4, 5, 6}) {
		t.Error(got)
	}
	for h, want := range map[uint64]int{2: 3 * chunkSize, 4: chunkSize, 3: 1} {
		if rec, err := b.Block(ctx, h); err != nil || !bytes.Equal(rec, record(h, want)) {
			t.Errorf("block %d: %d bytes, %v", h, len(rec), err)
		}
	}
	if _, err := b.Block(ctx, 7); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := b.Block(ctx, 2+slots); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if err := b.PublishBlock(ctx, 9, make([]byte, maxChunks*chunkSize+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestBlocksAreFoundInALongStream(t *testing.T) {
	b := one(t)
	for h := uint64(1); h <= 600; h++ {
		if h == 500 {
			continue // late
		}
		if err := b.PublishBlock(t.Context(), h, fmt.Appendf(nil, "good %d.", h)); err != nil {
			t.Fatal(err)
		}
	}
	if start, err := b.findBlock(t.Context(), 550); err != nil || start < 200 || start > 550 {
		t.Error(start, err)
	}
	if got := offers(t, b, 550, 600); len(got) != 51 {
		t.Error(got)
	}
	if err := b.PublishBlock(t.Context(), 500, []byte("good 500.")); err != nil {
		t.Fatal(err)
	}
	if got := offers(t, b, 499, 600); len(got) != 102 {
		t.Error(got)
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte{20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'a', 'b', 'c', 'd'})
	f.Add([]byte{17, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 'a', 17, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 'b'})
	f.Fuzz(func(t *testing.T, script []byte) {
		var a assembler
		for seq := uint64(1); len(script) > 0; seq++ {
			n := min(int(script[0]), len(script)-1)
			msg := script[1 : 1+n]
			script = script[1+n:]
			r, ok := a.add(seq, msg)
			if ok && (binary.BigEndian.Uint64(msg) != r.height || r.first > seq || r.first == 0) {
				t.Fatalf("%+v from %x", r, msg)
			}
		}
	})
}

func BenchmarkPublish(b *testing.B) {
	bus := one(b)
	i := 0
	for b.Loop() {
		i++
		if _, err := bus.Publish(b.Context(), "acme", fmt.Appendf(nil, "%1000d", i)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPublishBatch(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bus := one(b)
			i := 0
			for b.Loop() {
				batch := make([][]byte, n)
				for k := range batch {
					i++
					batch[k] = fmt.Appendf(nil, "%1000d", i)
				}
				if _, err := bus.PublishBatch(b.Context(), "acme", batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

func BenchmarkConsume(b *testing.B) {
	s, err := Embed(EmbedOptions{Dir: b.TempDir(), LosesAckedOnPowerCut: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	bus := connect(b, s)
	const n = 20000
	for i := 0; i < n; i += MaxBatch {
		batch := make([][]byte, MaxBatch)
		for k := range batch {
			batch[k] = fmt.Appendf(nil, "%1000d", i+k)
		}
		if _, err := bus.PublishBatch(b.Context(), "acme", batch); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := bus.Read(b.Context(), 1, n, func(Message) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "msg/s")
}
