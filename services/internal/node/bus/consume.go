package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// GapError: the stream has no message Want but later ones. CUSTODY never deletes, so its history is damaged.
type GapError struct {
	Stream    string
	Want, Got uint64
}

func (e *GapError) Error() string {
	return fmt.Sprintf("stream %s has a gap: message %d is missing, the next is %d", e.Stream, e.Want, e.Got)
}

// Consume calls handle for every message of CUSTODY from sequence from on, in order, without a gap, until ctx ends
// or an error other than a broken line occurs. It outlives broker restarts.
//
// check (nil: none) is called before the first message and again before any message that comes over a new
// connection or consumer: there the caller compares its own history with the broker's. Its errors end Consume unless
// they are Temporary or the line broke meanwhile.
func (b *Bus) Consume(ctx context.Context, from uint64, check func(context.Context) error, handle func(Message) error) error {
	return b.consume(ctx, Custody, from, check, handle)
}

// Read is Consume for the messages from..to, all of which are there already.
func (b *Bus) Read(ctx context.Context, from, to uint64, handle func(Message) error) error {
	if from > to {
		return nil
	}
	err := b.consume(ctx, Custody, from, nil, func(m Message) error {
		if err := handle(m); err != nil {
			return err
		}
		if m.Seq >= to {
			return errDone
		}
		return nil
	})
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

var (
	errDone        = errors.New("bus: done")
	errReconnected = errors.New("bus: connection changed")
)

// seekError makes consume go on from another sequence.
type seekError struct{ to uint64 }

func (e *seekError) Error() string { return fmt.Sprintf("bus: go on from %d", e.to) }

// callerError is an error of the caller's functions, as opposed to one of the line.
type callerError struct{ err error }

func (e *callerError) Error() string { return e.err.Error() }
func (e *callerError) Unwrap() error { return e.err }

func (b *Bus) consume(ctx context.Context, stream string, from uint64, check func(context.Context) error, handle func(Message) error) error {
	next, wait := max(from, 1), time.Duration(0)
	for {
		before := next
		err := b.consumeOnce(ctx, stream, &next, check, handle)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if e, ok := errors.AsType[*seekError](err); ok {
			next, wait = e.to, 0
			continue
		}
		if e, ok := errors.AsType[*callerError](err); ok {
			return e.err
		}
		if g, ok := errors.AsType[*GapError](err); ok && g.Want == before {
			return err // a fresh consumer begins beyond what we asked for
		}
		if wait = min(max(2*wait, 20*time.Millisecond), 2*time.Second); next != before || errors.Is(err, errReconnected) {
			wait = 20 * time.Millisecond
		}
		b.log.Debug("consumer starts again", "stream", stream, "next", next, "err", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		if b.nc.IsClosed() {
			return fmt.Errorf("consume %s: %w", stream, ErrUnavailable)
		}
	}
}

// consumeOnce runs one consumer on one connection. A plain pull consumer without acks is used rather than the
// client's ordered one because that replaces itself silently, and then nobody would compare histories.
func (b *Bus) consumeOnce(ctx context.Context, stream string, next *uint64, check func(context.Context) error, handle func(Message) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	line := b.nc.Stats().Reconnects
	forget := b.onReconnect(func() { cancel(errReconnected) })
	defer forget()
	if check != nil {
		if err := check(ctx); err != nil {
			if Temporary(err) || ctx.Err() != nil || b.nc.Stats().Reconnects != line || !b.nc.IsConnected() {
				return err
			}
			return &callerError{err}
		}
	}
	c, err := b.js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       *next,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("consume %s from %d: %w", stream, *next, err)
	}
	defer func() {
		// The broker forgets an idle consumer by itself; saying goodbye only keeps its list short.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if b.nc.IsConnected() {
			_ = b.js.DeleteConsumer(ctx, stream, c.CachedInfo().Name)
		}
	}()
	// In a cluster the consumer may live on another server than the line goes to: only the heartbeat tells that it died.
	it, err := c.Messages(jetstream.PullMaxBytes(16<<20), jetstream.PullExpiry(10*time.Second), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return fmt.Errorf("consume %s: %w", stream, err)
	}
	defer it.Stop()
	release := context.AfterFunc(ctx, it.Stop)
	defer release()
	for {
		m, err := it.Next()
		if err != nil {
			return fmt.Errorf("consume %s: %w", stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("consume %s: %w", stream, err)
		}
		if ctx.Err() != nil || b.nc.Stats().Reconnects != line {
			return errReconnected
		}
		seq := meta.Sequence.Stream
		if seq < *next {
			continue
		}
		if seq > *next {
			return &GapError{Stream: stream, Want: *next, Got: seq}
		}
		if err := handle(Message{Seq: seq, Subject: m.Subject(), Data: m.Data()}); err != nil {
			return &callerError{err}
		}
		*next = seq + 1
	}
}
