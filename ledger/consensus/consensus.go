// Package consensus is the validator without the machine: it opens stream messages, cuts blocks, judges their items, votes,
// and says what to persist and send (design section 4; docs/spec.md sections 5.4, 7, 8 and 11).
package consensus

import (
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
)

// Message is one stream message.
type Message struct {
	Seq     uint64
	Payload []byte
}

// Entry is a message as judged.
type Entry struct {
	Seq        uint64
	Kind       block.Kind
	Payload    []byte
	Leaf       []byte                 // entry leaf data
	Submission *submission.Submission // kind 2
	Pulse      *block.Pulse           // kinds 3-5
	Code       string                 // verdict of the whole entry, if it has one
	Detail     string
	Items      []custody.Judgement // per item of a judged submission
}

// Result is an executed block: everything a node stores or shows of it.
type Result struct {
	Header   block.Header
	Raw      []byte // header bytes
	Hash     enc.Hash
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

// Zero computes block 0 from the genesis file.
func Zero(g *genesis.Genesis) (*Result, error) { panic("consensus") }

// Execute opens and judges messages over view (the state after the parent) and builds the block. It is a pure function:
// validators and followers get the same bytes. The messages must follow the parent's last sequence without a gap.
func Execute(g *genesis.Genesis, view state.View, messages []Message) (*Result, error) {
	panic("consensus")
}

// Head is the newest block in a view.
type Head struct {
	Header     block.Header
	Raw        []byte
	Hash       enc.Hash
	VerdictKey enc.Hash
}

// ReadHead returns the head of a view; false in an empty one.
func ReadHead(v state.View) (Head, bool) { panic("consensus") }

// LogRoot returns the root of the header log of the given size (≤ head height + 1) and a multi-proof of the headers at heights.
func LogRoot(v state.View, size uint64, heights []uint64) (root enc.Hash, proof []enc.Hash, err error) {
	panic("consensus")
}
