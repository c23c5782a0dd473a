package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Ack says where the broker stored a message. Duplicate: it already had one with this id, at Seq.
type Ack struct {
	Seq       uint64
	Duplicate bool
}

// How a publish fails. After ErrUnavailable nothing was stored; after ErrUnknown nobody knows, and the same bytes may
// be sent again; after a *RefusedError the broker has said no.
var (
	ErrUnavailable = errors.New("bus: broker is not reachable")
	ErrUnknown     = errors.New("bus: no answer, the message may or may not be stored")
	ErrTooLarge    = errors.New("bus: over the broker's limit")
)

// RefusedError is the broker's own no.
type RefusedError struct {
	Code int // JetStream error code
	Text string
	Busy bool // it will take the same message later
}

func (e *RefusedError) Error() string { return fmt.Sprintf("broker refuses: %s (%d)", e.Text, e.Code) }

// Temporary reports whether sending the same bytes again later may help.
func Temporary(err error) bool {
	if r, ok := errors.AsType[*RefusedError](err); ok {
		return r.Busy
	}
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown)
}

// JetStream error codes that mean something here.
const (
	codeInsufficient   = 10023
	codeLastSeq        = 10071
	codeBatchPartial   = 10176
	codeBatchDuplicate = 10201
	codeBatchBusy      = 10210
	codeInProcess      = 10158 // an earlier attempt with this id is not stored yet, and not given up: a cluster without quorum
)

// Publish stores a submission under the party's subject. Its message id is the hash of the payload, so nobody can
// occupy it without having the payload, and sending it twice is harmless within the duplicate window.
func (b *Bus) Publish(ctx context.Context, party string, payload []byte) (Ack, error) {
	return b.publish(ctx, "submit", party, payload)
}

// PublishPulse stores a validator's cut, tick or heartbeat.
func (b *Bus) PublishPulse(ctx context.Context, validator string, payload []byte) (Ack, error) {
	return b.publish(ctx, "cut", validator, payload)
}

func (b *Bus) publish(ctx context.Context, verb, who string, payload []byte) (Ack, error) {
	name, err := token(who)
	if err != nil {
		return Ack{}, err
	}
	a, err := b.request(ctx, message("custody.v1."+verb+"."+name, payload))
	return Ack{Seq: a.Sequence, Duplicate: a.Duplicate}, err
}

// PublishEpoch stores the epoch record as message 1 unless there is one, and returns what message 1 is.
func (b *Bus) PublishEpoch(ctx context.Context, validator string, payload []byte) (first Message, err error) {
	name, err := token(validator)
	if err != nil {
		return Message{}, err
	}
	m := message("custody.v1.cut."+name, payload)
	m.Header.Set(jetstream.ExpectedLastSeqHeader, "0")
	_, err = b.request(ctx, m)
	if r, ok := errors.AsType[*RefusedError](err); ok && r.Code == codeLastSeq {
		err = nil // somebody was first, which is all that is needed
	}
	if err != nil {
		return Message{}, fmt.Errorf("publish epoch record: %w", err)
	}
	return b.GetMessage(ctx, 1)
}

// smallestBatch is from where on a batch is faster than its members: the broker stages a batch in a store of its own,
// which takes as long to make (8 ms here) as some 50 single messages, and others wait meanwhile.
const smallestBatch = 32

// PublishBatch stores submissions of one party in order: from smallestBatch on as one unit, with one sync, next to each
// other. If the broker has one of them already it refuses the unit, and the members are sent singly in order, as a
// small batch is: others' messages may stand between them then. The acks returned are those of the first members that are certain;
// err is about the one after them.
func (b *Bus) PublishBatch(ctx context.Context, party string, payloads [][]byte) ([]Ack, error) {
	name, err := token(party)
	if err != nil {
		return nil, err
	}
	if len(payloads) > MaxBatch {
		return nil, fmt.Errorf("batch of %d messages: %w", len(payloads), ErrTooLarge)
	}
	msgs, size := make([]*nats.Msg, len(payloads)), 0
	for i, p := range payloads {
		msgs[i] = message("custody.v1.submit."+name, p)
		size += len(p)
	}
	if size > MaxBatchBytes {
		return nil, fmt.Errorf("batch of %d bytes: %w", size, ErrTooLarge)
	}
	if len(msgs) >= smallestBatch {
		last, err := b.atomicBatch(ctx, batchID(payloads), msgs)
		if err == nil {
			acks := make([]Ack, len(msgs))
			for i := range acks {
				acks[i].Seq = last - uint64(len(msgs)-1-i)
			}
			return acks, nil
		}
		if r, ok := errors.AsType[*RefusedError](err); !ok || r.Code != codeBatchDuplicate {
			return nil, err
		}
	}
	acks := make([]Ack, 0, len(msgs))
	for _, m := range msgs {
		for _, h := range []string{"Nats-Batch-Id", "Nats-Batch-Sequence", "Nats-Batch-Commit"} {
			m.Header.Del(h)
		}
		a, err := b.request(ctx, m)
		if err != nil {
			return acks, err
		}
		acks = append(acks, Ack{Seq: a.Sequence, Duplicate: a.Duplicate})
	}
	return acks, nil
}

// batchID follows from the messages, so a second attempt is recognisably the same batch.
func batchID(payloads [][]byte) string {
	h := sha256.New()
	for _, p := range payloads {
		sum := sha256.Sum256(p)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// atomic publishes msgs as one JetStream batch (ADR-50) and returns the sequence of the last.
func (b *Bus) atomicBatch(ctx context.Context, id string, msgs []*nats.Msg) (last uint64, err error) {
	for i, m := range msgs {
		m.Header.Set("Nats-Batch-Id", id)
		m.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
	}
	msgs[len(msgs)-1].Header.Set("Nats-Batch-Commit", "1")
	for attempt := 0; ; attempt++ {
		last, err = b.atomicBatchOnce(ctx, msgs)
		// What is left of an earlier attempt that broke off makes the broker drop both; the next one is clean.
		if r, ok := errors.AsType[*RefusedError](err); !ok || r.Code != codeBatchPartial || attempt == 1 {
			return last, err
		}
	}
}

func (b *Bus) atomicBatchOnce(ctx context.Context, msgs []*nats.Msg) (last uint64, err error) {
	// The broker answers the first member at once, empty or with the reason why there will be no batch.
	if _, err := b.request(ctx, msgs[0]); err != nil {
		return 0, err
	}
	for _, m := range msgs[1 : len(msgs)-1] {
		if err := b.nc.PublishMsg(m); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	a, err := b.request(ctx, msgs[len(msgs)-1])
	if err != nil {
		return 0, err
	}
	if a.BatchSize != len(msgs) {
		return 0, fmt.Errorf("batch of %d acknowledged as %d: %w", len(msgs), a.BatchSize, ErrUnknown)
	}
	return a.Sequence, nil
}

func message(subject string, payload []byte) *nats.Msg {
	id := sha256.Sum256(payload)
	return &nats.Msg{Subject: subject, Data: payload, Header: nats.Header{jetstream.MsgIDHeader: {hex.EncodeToString(id[:])}}}
}

// pubAck is the broker's answer; an empty one acknowledges a member of a batch that is not committed yet.
type pubAck struct {
	Error     *jetstream.APIError `json:"error"`
	Stream    string              `json:"stream"`
	Sequence  uint64              `json:"seq"`
	Duplicate bool                `json:"duplicate"`
	BatchSize int                 `json:"count"`
}

func (b *Bus) request(ctx context.Context, m *nats.Msg) (pubAck, error) {
	if len(m.Data) > MaxPayload-4096 { // headers count too
		return pubAck{}, fmt.Errorf("message of %d bytes: %w", len(m.Data), ErrTooLarge)
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	release := context.AfterFunc(b.whileConnected(), cancel) //nolint:contextcheck // the connection's life, not the caller's
	defer release()
	resp, err := b.nc.RequestMsgWithContext(ctx, m)
	switch {
	case err == nil:
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrConnectionClosed):
		return pubAck{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	case errors.Is(err, nats.ErrMaxPayload):
		return pubAck{}, fmt.Errorf("%w: %w", ErrTooLarge, err)
	default:
		return pubAck{}, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	var a pubAck
	if len(resp.Data) == 0 {
		return a, nil
	}
	if err := json.Unmarshal(resp.Data, &a); err != nil {
		return a, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if a.Error != nil {
		code := int(a.Error.ErrorCode)
		busy := slices.Contains([]int{codeBatchBusy, codeInsufficient, codeInProcess}, code) || a.Error.Code >= 429
		return a, &RefusedError{Code: code, Text: a.Error.Description, Busy: busy}
	}
	if a.Stream == "" && a.BatchSize == 0 {
		return a, fmt.Errorf("%w: unreadable ack", ErrUnknown)
	}
	return a, nil
}
