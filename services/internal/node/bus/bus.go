// Package bus is the way to the broker: every stream, subject and consumer is declared here, once.
//
// Format: two JetStream streams, and beside them what validators say to each other and do not keep (see peers.go). CUSTODY keeps every message of the ledger, for ever, in the one order that the
// blocks follow: custody.v1.submit.<party> carries signed submissions, custody.v1.cut.<validator> the epoch record and
// the validators' pulses. BLOCKS carries decided blocks to followers, in chunks (see blocks.go).
//
// Trust: the broker is trusted to answer, never to be right. An ack means stored and synced, not judged; a duplicate
// flag says that some message had this id, not that it was ours; a sequence number names a message only as long as
// the broker has not lost its tail, so Consume has its caller compare histories on every connection.
package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The streams.
const (
	Custody = "CUSTODY"
	Blocks  = "BLOCKS"
)

// Limits of the broker (docs/spec.md section 5.2; one atomic batch).
const (
	MaxPayload      = 1 << 20
	MaxBatch        = 1000
	MaxBatchBytes   = 8 << 20
	DuplicateWindow = 2 * time.Minute
)

// streams declares both streams. replicas is 1 for an embedded broker, 3 or 5 in a cluster.
func streams(replicas int) []jetstream.StreamConfig {
	base := jetstream.StreamConfig{
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		MaxMsgs:            -1,
		MaxBytes:           -1,
		MaxMsgsPerSubject:  -1,
		MaxMsgSize:         -1,
		MaxConsumers:       -1,
		DenyDelete:         true,
		DenyPurge:          true,
		AllowAtomicPublish: true,
		Duplicates:         DuplicateWindow,
		Replicas:           replicas,
	}
	custody, blocks := base, base
	custody.Name, custody.Subjects = Custody, []string{"custody.v1.submit.*", "custody.v1.cut.*"}
	custody.Description = "Every message of the ledger, in order"
	blocks.Name, blocks.Subjects = Blocks, []string{"blocks.v1.*"}
	blocks.Description = "Decided blocks; a position here means nothing"
	return []jetstream.StreamConfig{custody, blocks}
}

// Options say which broker to use and who is calling.
type Options struct {
	URL      string       // of a broker on the network, or several of one cluster with commas, the preferred one first; ignored with Server
	Server   InProcess    // an embedded broker, reached without a socket
	Name     string       // shown by the broker's monitoring
	Creds    string       // path of a NATS .creds file, for a broker that asks for one
	Replicas int          // of streams that Ensure creates; 0 is 1
	Log      *slog.Logger // nil: silent
}

// InProcess is what *Server is, and what a test wraps to cut the line.
type InProcess interface{ nats.InProcessConnProvider }

// Bus is one connection. Methods may be called concurrently.
type Bus struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	log      *slog.Logger
	replicas int

	mu         sync.Mutex     // guards the fields below
	watchers   map[int]func() // called when the connection came back
	nextID     int
	connected  context.Context // ends when the connection breaks: who waits for an answer need not wait longer
	disconnect context.CancelFunc
}

// Connect dials the broker and keeps the connection up until Close.
func Connect(ctx context.Context, o Options) (*Bus, error) {
	b := &Bus{log: o.Log, replicas: max(o.Replicas, 1), watchers: map[int]func(){}}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.connected, b.disconnect = context.WithCancel(context.Background())
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.DontRandomize(), // who lists several servers says which is its own
		nats.ReconnectWait(200 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		// What is published while the line is down fails at once instead of leaving later, out of order.
		nats.ReconnectBufSize(-1),
		nats.ReconnectHandler(func(*nats.Conn) { b.reconnected() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				b.log.Warn("broker connection lost", "err", err)
			}
			b.disconnected()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { b.log.Warn("broker", "err", err) }),
	}
	if deadline, ok := ctx.Deadline(); ok {
		opts = append(opts, nats.Timeout(time.Until(deadline)))
	}
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	url := o.URL
	if o.Server != nil {
		opts, url = append(opts, nats.InProcessServer(o.Server)), ""
	}
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	b.nc = nc
	if b.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout)); err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	return b, nil
}

// Dial is Connect that waits for a broker that is not there yet: services may start in any order.
func Dial(ctx context.Context, o Options) (*Bus, error) {
	for told := false; ; told = true {
		b, err := Connect(ctx, o)
		if err == nil || ctx.Err() != nil {
			return b, err
		}
		if o.Log != nil && !told {
			o.Log.Warn("the broker does not answer; waiting for it", "err", err)
		}
		wait := time.NewTimer(500 * time.Millisecond)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil, err
		case <-wait.C:
		}
	}
}

const requestTimeout = 10 * time.Second

// lookup asks for a stream, and not for long: a cluster that has no leader yet says nothing, and would not answer later either.
func (b *Bus) lookup(ctx context.Context, name string) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return b.js.Stream(ctx, name)
}

// Close ends the connection; consumers end with an error or their context, whichever they see first.
func (b *Bus) Close() {
	b.nc.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disconnect()
}

// Connected reports whether the line to the broker is up now.
func (b *Bus) Connected() bool { return b.nc.IsConnected() }

func (b *Bus) disconnected() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.disconnect()
	b.connected, b.disconnect = context.WithCancel(context.Background())
}

func (b *Bus) whileConnected() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connected
}

func (b *Bus) reconnected() {
	b.log.Info("broker connection is back")
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.watchers {
		f()
	}
}

// onReconnect calls f, which must not block, whenever the connection came back, until cancel.
func (b *Bus) onReconnect(f func()) (cancel func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.nextID
	b.nextID++
	b.watchers[id] = f
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, id)
	}
}

// ErrGone: the broker answers, and has no stream CUSTODY, though there was one.
var ErrGone = errors.New("bus: the stream " + Custody + " is gone")

// Check fails with ErrGone if the broker answers that it has no CUSTODY. It asks three times: a broker that is just
// starting may not know its streams yet.
func (b *Bus) Check(ctx context.Context) error {
	for tries := 1; ; tries++ {
		_, err := b.lookup(ctx, Custody)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, jetstream.ErrStreamNotFound):
			return fmt.Errorf("look up stream %s: %w", Custody, err)
		case tries == 3:
			return ErrGone
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Ensure creates the streams that do not exist and checks those that do. It changes nothing about an existing stream, and
// never creates CUSTODY beside a BLOCKS that is there already: that would replace a history that somebody deleted.
func (b *Bus) Ensure(ctx context.Context) error {
	if _, err := b.lookup(ctx, Blocks); err == nil {
		if err := b.Check(ctx); err != nil {
			return err
		}
	}
	for _, want := range streams(b.replicas) {
		s, err := b.ensure(ctx, want)
		if err != nil {
			return fmt.Errorf("ensure stream %s: %w", want.Name, err)
		}
		if p := dangerous(s.CachedInfo(), &want); len(p) > 0 {
			return &SettingsError{Stream: want.Name, Problems: p}
		}
	}
	if p := b.tooSmall(); p != nil {
		return &SettingsError{Problems: p}
	}
	return nil
}

// ensure waits as long as it takes for a cluster to be able to make a stream: its servers come one by one and elect a leader.
func (b *Bus) ensure(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	told := time.Time{}
	for {
		s, err := b.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			s, err = b.lookup(ctx, want.Name)
		}
		if err == nil || ctx.Err() != nil || !forming(err) {
			return s, err
		}
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			b.log.Info("the brokers cannot make or show a stream yet; waiting for them to elect a leader", "stream", want.Name, "replicas", want.Replicas, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// JetStream error codes of a cluster that is not complete, or has no leader now.
const (
	codeIncomplete   = 10004
	codeNoPeers      = 10005
	codeNotActive    = 10006
	codeNotAvailable = 10008
	codeNotLeader    = 10009
)

// forming reports whether err is what a cluster says, or does not say, that is not ready yet.
func forming(err error) bool {
	if e, ok := errors.AsType[*jetstream.APIError](err); ok {
		return slices.Contains([]jetstream.ErrorCode{codeIncomplete, codeNoPeers, codeNotActive, codeNotAvailable, codeNotLeader, codeInsufficient}, e.ErrorCode)
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrReconnectBufExceeded)
}

// LastSeq returns the sequence of the newest message in CUSTODY, 0 when there is none; ErrGone when there is no stream.
func (b *Bus) LastSeq(ctx context.Context) (uint64, error) {
	s, err := b.lookup(ctx, Custody)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = cmp.Or(b.Check(ctx), err)
	}
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", Custody, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// ErrNotFound: the stream holds no such message.
var ErrNotFound = errors.New("bus: no such message")

// GetMessage reads one message of CUSTODY, or fails with ErrNotFound. The stream's leader answers, so that "not found"
// is never a replica that lags.
func (b *Bus) GetMessage(ctx context.Context, seq uint64) (Message, error) {
	return b.get(ctx, Custody, seq)
}

func (b *Bus) get(ctx context.Context, stream string, seq uint64) (Message, error) {
	return b.getFrom(ctx, stream, func(s jetstream.Stream) (*jetstream.RawStreamMsg, error) { return s.GetMsg(ctx, seq) }, seq)
}

// newest reads the newest message of a subject.
func (b *Bus) newest(ctx context.Context, stream, subject string) (Message, error) {
	return b.getFrom(ctx, stream, func(s jetstream.Stream) (*jetstream.RawStreamMsg, error) {
		return s.GetLastMsgForSubject(ctx, subject)
	}, subject)
}

func (b *Bus) getFrom(ctx context.Context, stream string, get func(jetstream.Stream) (*jetstream.RawStreamMsg, error), which any) (Message, error) {
	s, err := b.lookup(ctx, stream)
	if errors.Is(err, jetstream.ErrStreamNotFound) && stream == Custody {
		err = cmp.Or(b.Check(ctx), err)
	}
	if err != nil {
		return Message{}, fmt.Errorf("look up stream %s: %w", stream, err)
	}
	m, err := get(s)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Message{}, fmt.Errorf("message %v of %s: %w", which, stream, ErrNotFound)
	}
	if err != nil {
		return Message{}, fmt.Errorf("read message %v of %s: %w", which, stream, err)
	}
	return Message{Seq: m.Sequence, Subject: m.Subject, Data: m.Data}, nil
}

// Message is one stored message.
type Message struct {
	Seq     uint64
	Subject string
	Data    []byte
}

// token refuses what would not be exactly one literal subject token.
func token(s string) (string, error) {
	if s == "" || len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	}) {
		return "", fmt.Errorf("bus: %s is no name for a subject", strconv.Quote(s))
	}
	return s, nil
}

// Await returns when both streams exist: services may start in any order, and the validators make the streams.
func (b *Bus) Await(ctx context.Context) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := b.lookup(ctx, Custody)
		if err == nil {
			// The validators make BLOCKS last.
			if _, err = b.lookup(ctx, Blocks); err == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
