// Package genesis reads the file that a network starts from (docs/spec.md section 2).
package genesis

import (
	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
)

// Genesis is a parsed genesis file. File is its exact bytes.
type Genesis struct {
	File         []byte
	Hash         enc.Hash
	Network      enc.Network
	Name         string
	Development  bool
	CreatedAt    int64 // ms
	Epoch        uint32
	RulesVersion uint32
	StateKind    uint8
	VerdictKey   enc.Hash // K_0
	GraceSeconds int64
	Validators   quorum.Set
	Authorities  []Authority
	Parties      []registry.Act
}

// Authority is a party whose party_acts under this key are believed.
type Authority struct {
	Party string
	Key   []byte // Ed25519 public key
}

// Parse reads a genesis file strictly.
func Parse(file []byte) (*Genesis, error) { panic("genesis") }

// Format writes a genesis file for g (ignoring File, Hash and Network): indented JSON that Parse accepts.
func Format(g *Genesis) ([]byte, error) { panic("genesis") }

// Origin is the checkpoint origin line of the network's current epoch.
func (g *Genesis) Origin() string { return quorum.Origin(g.Name, g.Hash, g.Epoch) }
