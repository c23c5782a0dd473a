package consensus

import (
	"errors"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/quorum"
)

// Output is what to do about an Input, in order. With Halt set the validator has stopped for good: every later Step says
// the same.
type Output struct {
	Actions []Action
	Halt    error
}

// Action is one of Persist, Publish, SendVote, SendCosignature, Send, Decided, FetchBlock, Reread, SetTimer, Alarm.
type Action interface{ action() }

type (
	// Persist appends a record to the journal. With Sync the node makes it durable, in the background if it likes, and then
	// hands in Persisted. The journal may forget a height once its block is stored durably and applied.
	Persist struct {
		ID     uint64
		Kind   RecordKind
		Height uint64
		Record []byte
		Sync   bool
	}
	// Publish sends a message to the stream: an epoch record, which must be sent with expected-last-sequence 0 (and whose
	// refusal is no error: somebody else was first), a cut, a tick or a heartbeat. If it gets lost a later one follows.
	Publish struct {
		Kind    block.Kind
		Payload []byte
	}
	// SendVote sends a vote to the other validators.
	SendVote struct{ Payload []byte }
	// SendCosignature sends a cosignature to the other validators.
	SendCosignature struct{ Payload []byte }
	// Send sends a message to another validator, or to all others (To: Everyone). It may get lost.
	Send struct {
		To      int
		Payload []byte
	}
	// FetchBlock asks for Certified of this height: others have decided it. It is repeated until the block is there.
	FetchBlock struct{ Height uint64 }
	// Reread asks for the messages of the stream from this sequence on, again: another block was decided than the one the
	// stream led to. Messages on their way may still come and are ignored. This is a reconnect: look at the message before
	// first (docs/design.md section 4, Consumers), and halt if it is not the one in the block.
	Reread struct{ From uint64 }
	// Decided is a block with its certificate: store it durably, publish its Record, apply its writes, hand in Applied.
	// After a restart the newest blocks may come again, with the same bytes.
	Decided struct {
		Result      *Result
		Certificate quorum.Certificate
	}
	// SetTimer asks for a Step with a nil Input at this time (on the clock that Step is given). It replaces the timer before.
	SetTimer struct{ At int64 }
	// Alarm is for the operator. Evidence, if there is some, convicts a validator and must be kept. Votes are those of round
	// 0 when a height stays undecided.
	Alarm struct {
		Code, Detail string
		Evidence     *quorum.Evidence
		Votes        []quorum.SignedVote
	}
)

func (Persist) action()         {}
func (Publish) action()         {}
func (SendVote) action()        {}
func (SendCosignature) action() {}
func (Send) action()            {}
func (FetchBlock) action()      {}
func (Reread) action()          {}
func (Decided) action()         {}
func (SetTimer) action()        {}
func (Alarm) action()           {}

// Everyone as the receiver of a Send.
const Everyone = -1

// Alarm codes.
const (
	AlarmEquivocation = "EQUIVOCATION" // two different votes of one validator for one thing
	AlarmOtherBlock   = "OTHER_BLOCK"  // another block was decided than the one that this validator's stream led to
	AlarmCosignature  = "BAD_COSIGNATURE"
	AlarmUndecided    = "UNDECIDED"    // no decision for ten seconds
	AlarmStream       = "OTHER_STREAM" // the stream shows another message than before, or than a decided block
)

// Errors that halt.
var (
	// ErrStream means that the stream shows another message than the one this validator has voted on: the broker lost its
	// tail and reused the number (docs/design.md section 4, Consumers).
	ErrStream = errors.New("consensus: the stream shows another message than before")
	// ErrVoted means that the recorded body does not give the header that was voted for: other rules, or a damaged store.
	ErrVoted = errors.New("consensus: the recorded body does not give the recorded vote")
)
