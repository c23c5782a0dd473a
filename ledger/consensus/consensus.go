// Package consensus is the validator without the machine: it opens stream messages, cuts blocks, judges their items, votes,
// and says what to persist and send (docs/design.md section 4; docs/spec.md sections 5.4, 7, 8, 11 and 13).
//
// Four things are exported, each usable without the others. Execute turns messages into a block over a view of the state
// after its parent. A Cutter says where blocks end. A Core is a validator: inputs in, actions out. A BlockRecord is a
// certified block as others receive it, to be followed with the bodies (Follow) or without them (LightChain).
//
// Everything that arrives is distrusted: a message that does not open is an entry with a code, never an error. Errors mean
// that the caller, the stored state or the stream itself is broken, and that a node must stop.
package consensus

import (
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
)

// Message is one stream message.
type Message struct {
	Seq     uint64
	Payload []byte
	// Prepared may hold what an Opener made of this payload, on any goroutine. It saves work and changes no result.
	Prepared *Prepared
}

// Entry is a message as judged.
type Entry struct {
	Seq        uint64
	Kind       block.Kind
	Payload    []byte
	Leaf       []byte                 // entry leaf data
	Submission *submission.Submission // kind 2
	Pulse      *block.Pulse           // kinds 3-5
	Code       verdict.Code           // verdict of the whole entry, if it has one
	Detail     string
	Items      []custody.Judgement // per item of a judged submission
}

// Result is an executed block: everything a node stores or shows of it.
type Result struct {
	Header   block.Header
	Raw      []byte // header bytes
	Hash     canonical.Hash
	Entries  []Entry
	Verdicts [][]byte // leaves in order
	Subjects []SubjectSet
	Effects  [][]byte
	Writes   state.WriteSet
}

// SubjectSet is what the root in one finding or amendment leaf stands for.
type SubjectSet struct {
	Leaf  uint32 // index in Verdicts
	Keys  []string
	Salts [][]byte
	Index []uint32 // position in the subjects tree, per key
}
