// Package block is the bytes of a block: entries, header, verdicts tree, effects, and the validators' own stream
// messages (docs/spec.md sections 6, 7 and 9).
package block

import (
	"crypto"

	"verilot.dev/ledger/enc"
)

// Kind of an entry (spec section 7.1).
type Kind uint8

// The entry kinds.
const (
	NotOpened Kind = iota
	EpochRecord
	Submission
	Cut
	Tick
	Heartbeat
)

// Header of spec section 7.2.
type Header struct {
	Epoch             uint32
	Height            uint64
	Parent            enc.Hash
	FirstSeq, LastSeq uint64
	Time              int64
	EntriesRoot       enc.Hash
	VerdictsRoot      enc.Hash
	VerdictLeaves     uint32
	Events            uint32
	StateKind         uint8
	StateRoot         enc.Hash
	Validators        enc.Hash
	NextValidators    enc.Hash
	RulesVersion      uint32
}

// Encode is the header's bytes.
func (h *Header) Encode(n enc.Network) []byte { panic("block") }

// DecodeHeader reads exactly what Encode wrote.
func DecodeHeader(n enc.Network, b []byte) (Header, error) { panic("block") }

// HeaderHash is the leaf hash of header bytes.
func HeaderHash(raw []byte) enc.Hash { panic("block") }

// EntryLeaf is the leaf data of an entry that opened: signed are its header bytes.
func EntryLeaf(n enc.Network, seq uint64, kind Kind, signed []byte, sig [64]byte) []byte {
	panic("block")
}

// NotOpenedLeaf is the leaf data of kind 0.
func NotOpenedLeaf(n enc.Network, seq uint64, payload []byte) []byte { panic("block") }

// VerdictCode is the verdict of an item.
type VerdictCode uint8

// The verdicts.
const (
	Accepted VerdictCode = 1 + iota
	Flagged
	Rejected
	Duplicate
)

// Severity of a finding (domain/dscsa.md section 7: R, Q, F).
type Severity uint8

// The severities.
const (
	Reject Severity = 1 + iota
	Hold
	Flag
)

// Verdict, Finding and Amendment are the leaves of the verdicts tree (spec section 7.3).
type Verdict struct {
	Pos     enc.Position
	Verdict VerdictCode
	Code    string
}

// Finding is a rule's remark on an item.
type Finding struct {
	Pos      enc.Position
	Code     string
	Severity Severity
	Count    uint32
	Subjects enc.Hash
}

// Amendment changes an earlier finding.
type Amendment struct {
	Pos      enc.Position
	Code     string
	Old, New uint8
	Cause    enc.Position
	Count    uint32
	Subjects enc.Hash
}

// Encode is the leaf data.
func (v Verdict) Encode() []byte { panic("block") }

// Encode is the leaf data.
func (f Finding) Encode() []byte { panic("block") }

// Encode is the leaf data.
func (a Amendment) Encode() []byte { panic("block") }

// DecodeVerdictLeaf returns a Verdict, a Finding or an Amendment.
func DecodeVerdictLeaf(b []byte) (any, error) { panic("block") }

// Salts derives subject salts of one block (spec section 7.3).
type Salts struct {
	network enc.Network
	key     enc.Hash
	next    uint32
}

// NewSalts starts with K_h.
func NewSalts(n enc.Network, key enc.Hash) *Salts { return &Salts{network: n, key: key} }

// Subjects takes salts for keys (key texts), in order, and returns the root and, per key in the given order, salt and leaf index.
func (s *Salts) Subjects(keys []string) (root enc.Hash, salts [][]byte, index []uint32) {
	panic("block")
}

// NextVerdictKey is K_h from K_{h-1} and the item salts of the block.
func NextVerdictKey(n enc.Network, prev enc.Hash, itemSalts [][32]byte) enc.Hash { panic("block") }

// Pulse is a validator's cut, tick or heartbeat (spec section 6).
type Pulse struct {
	What    Kind // Cut, Tick, Heartbeat
	Epoch   uint32
	Height  uint64
	Clock   int64
	Counter uint64
	KeyID   enc.Hash
}

// Epoch is the record that opens a stream (spec section 6).
type Epoch struct {
	Epoch      uint32
	Genesis    enc.Hash
	LastHeader enc.Hash
	KeyID      enc.Hash
}

// SignPulse returns the stream message.
func SignPulse(n enc.Network, p Pulse, key crypto.Signer) ([]byte, error) { panic("block") }

// SignEpoch returns the stream message.
func SignEpoch(n enc.Network, e Epoch, key crypto.Signer) ([]byte, error) { panic("block") }

// SplitPulse decodes without verifying the signature: verify with the validator's vote key over signed.
func SplitPulse(n enc.Network, payload []byte) (p Pulse, signed []byte, sig [64]byte, err error) {
	panic("block")
}

// SplitEpoch decodes without verifying the signature.
func SplitEpoch(n enc.Network, payload []byte) (e Epoch, signed []byte, sig [64]byte, err error) {
	panic("block")
}

// Purpose names the tag at the front of a payload: submission, pulse, epoch, or "" when it is none of ours.
func Purpose(n enc.Network, payload []byte) string { panic("block") }

// StateRoot is S_h of spec section 9.
func StateRoot(n enc.Network, prev enc.Hash, effects [][]byte) enc.Hash { panic("block") }
