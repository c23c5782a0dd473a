// Package proof is the proof bundle of docs/spec.md section 12: what a stranger needs, with the genesis file, to check
// that an event stands on the ledger with its verdict. The browser re-implements this package; the vectors are shared.
//
// A bundle comes from somebody who may lie: Verify trusts nothing in it but what a quorum of the genesis validators
// signed, and names the first step that fails. The two spellings of a bundle, compact binary and JSON, hold the same
// and have one reading each: whatever parses encodes to the same bytes.
package proof

import (
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/quorum"
)

// The steps of spec section 12.4, in the order in which Verify takes them.
const (
	StepFormat      = "format"
	StepGenesis     = "genesis"
	StepCheckpoint  = "checkpoint"
	StepCertificate = "certificate"
	StepHeader      = "header"
	StepLog         = "log"
	StepEntries     = "entries"
	StepVerdicts    = "verdicts"
	StepSubjects    = "subjects"
	StepKey         = "key"
	StepSignature   = "signature"
	StepFields      = "fields"
	StepUnits       = "units"
	StepItems       = "items"
	StepVerdict     = "verdict"
)

// Failure names the first step of spec section 12.4 that failed.
//
//nolint:errname // it is the answer to "what failed?" before it is an error, and the browser calls it so too
type Failure struct{ Step, Reason string }

func (f *Failure) Error() string { return f.Step + ": " + f.Reason }

// Bundle is the structure of spec section 12.2; see there.
type Bundle struct {
	Genesis     canonical.Hash
	Epoch       uint32
	Size        uint64 // of the header log
	Root        canonical.Hash
	Certificate quorum.Certificate
	Keys        []Key
	LogProof    []canonical.Hash
	Blocks      []Block
}

// Key says where a submission's key was registered: exactly one member is set.
type Key struct {
	Genesis   *GenesisKey
	Act       *ActKey
	Authority *uint16 // index in the genesis file's authorities
}

// GenesisKey is a key of a party in the genesis file.
type GenesisKey struct{ Party, Key uint16 }

// ActKey is a key that a party_act shown in this bundle registers: Key is its place in the act's list of keys.
type ActKey struct{ Block, Submission, Item, Key uint16 }

// Block is a header and what is shown below it.
type Block struct {
	Header        []byte
	EntriesProof  []canonical.Hash
	Verdicts      []VerdictLeaf
	VerdictsProof []canonical.Hash
	Subjects      []Subject
	Submissions   []Submission
}

// VerdictLeaf is a shown leaf of the verdicts tree.
type VerdictLeaf struct {
	Index uint32
	Leaf  []byte
}

// Subject is a shown subject of a finding or an amendment.
type Subject struct {
	Leaf  uint16 // position in Block.Verdicts
	Index uint32 // in the subjects tree
	Salt  []byte
	Key   string
	Proof []canonical.Hash
}

// Submission is a shown entry.
type Submission struct {
	Seq        uint64
	Header     []byte
	Signature  [64]byte
	Key        uint16 // index in Bundle.Keys
	ItemsProof []canonical.Hash
	Items      []Item
}

// Item is a shown item.
type Item struct {
	Index uint16
	commit.Opening
}

// Report is what a verified bundle shows.
type Report struct {
	Checkpoint quorum.Checkpoint
	Signers    []string
	Checks     []Check // what was verified, in order, for people
	Steps      []Step
	Amendments []Amended
}

// Check is one step of the verification in words.
type Check struct{ Step, Text string }

// Step is one disclosed item.
type Step struct {
	Pos       canonical.Position
	Seq       uint64
	Time      int64 // block time
	CreatedAt int64 // of the submission, by its submitter's clock
	Party     string
	Kind      uint8
	Verdict   string
	Code      string
	Findings  []string // codes of the findings shown
	Remarks   []Remark // the same findings with their details
	Fields    []commit.OpenField
	Units     []commit.OpenUnit
}

// Remark is a shown finding. A flagged item shown without its findings stays flagged, so hiding them gains nothing.
type Remark struct {
	Code     string
	Severity string
	Count    uint32
	Subjects []string // those shown
}

// Amended is a shown amendment of an earlier finding.
type Amended struct {
	block.Amendment
	Time      int64    // of the block that amends
	OfSubject []string // subjects shown
}

// newFailure is a Failure of a step.
func newFailure(step, reason string) *Failure { return &Failure{Step: step, Reason: reason} }
