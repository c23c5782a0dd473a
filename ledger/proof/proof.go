// Package proof is the proof bundle of docs/spec.md section 12: what a stranger needs, with the genesis file, to check
// that an event stands on the ledger with its verdict. The browser re-implements this package; the vectors are shared.
package proof

import (
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
)

// Failure names the first step of spec section 12.4 that failed.
type Failure struct{ Step, Reason string }

func (f *Failure) Error() string { return f.Step + ": " + f.Reason }

// Bundle is the structure of spec section 12.2; see there.
type Bundle struct{} // to be filled in

// Report is what a verified bundle shows.
type Report struct {
	Checkpoint quorum.Checkpoint
	Signers    []string
	Steps      []Step
}

// Step is one disclosed item.
type Step struct {
	Pos      enc.Position
	Seq      uint64
	Time     int64 // block time
	Party    string
	Kind     uint8
	Verdict  string
	Code     string
	Findings []string
	Fields   []commit.OpenField
	Units    []commit.OpenUnit
}

// Want selects what to show of one item. Field and Unit may be nil (none).
type Want struct {
	Pos   enc.Position
	Field func(*commit.Field) bool
	Unit  func(*commit.Unit) bool
	Known []commit.SealedValue
	// Subjects are key texts to show in findings on this item.
	Subjects []string
}

// Source gives a builder the blocks of a node's own copy.
type Source interface {
	// Block returns an executed block as stored.
	Block(height uint64) (*consensus.Result, error)
	// Log is consensus.LogRoot over the newest view.
	Log(size uint64, heights []uint64) (enc.Hash, []enc.Hash, error)
	// KeyRecord says where the key of a submission was registered: a genesis index or the position of a party_act.
	KeyRecord(id enc.Hash) (KeyRecord, error)
}

// KeyRecord locates a key.
type KeyRecord struct {
	Genesis   bool
	Authority bool // of genesis
	Party     int  // genesis party or authority index
	Key       int
	Act       enc.Position
}

// Build makes the bundle of the wanted items under a certified checkpoint.
func Build(g *genesis.Genesis, src Source, c quorum.Checkpoint, cert quorum.Certificate, wants []Want) (*Bundle, error) {
	panic("proof")
}

// Verify checks a bundle against a genesis file. The error is a *Failure.
func Verify(g *genesis.Genesis, b *Bundle) (*Report, error) { panic("proof") }
