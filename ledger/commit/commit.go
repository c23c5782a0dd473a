// Package commit is docs/spec.md section 4: it turns the fields and units of an item into two salted Merkle trees,
// so that one field or one serial can be shown without the rest.
package commit

import (
	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/gs1"
)

// Type says how a value's text is meant (spec section 4.2).
type Type uint8

// The value types.
const (
	Text Type = 1 + iota
	Number
	Boolean
	Null
	Empty
	Bytes
)

// Path is an encoded path (spec section 4.1).
type Path string

// Field appends a field-number segment.
func (p Path) Field(n uint32) Path { panic("commit") }

// Index appends an index segment.
func (p Path) Index(i uint32) Path { panic("commit") }

// Name appends a namespace and local-name segment.
func (p Path) Name(namespace, local string) Path { panic("commit") }

// Field is one open leaf of the field tree.
type Field struct {
	Path Path
	Type Type
	Text string
}

// Sealed is a leaf of which only path and value hash are known here.
type Sealed struct {
	Path      Path
	ValueHash enc.Hash
}

// List says in which list of an event a unit stands.
type List uint8

// The unit lists; number 30+n is the field in item.proto.
const (
	EPCList List = 1 + iota
	ParentID
	ChildEPCs
	InputEPCList
	OutputEPCList
)

// Unit is one EPC of an item.
type Unit struct {
	List List
	Key  gs1.Key
	Form string // as captured
}

// Item is what is committed to: everything of an item that is hashed.
type Item struct {
	Kind   uint8
	Salt   [32]byte
	Fields []Field // in the order of spec section 4.2
	Sealed []Sealed
	Units  []Unit // by list, then in list order
}

// Roots are the two roots of an item and the hash over them.
type Roots struct {
	Fields, Units enc.Hash
	Item          enc.Hash
}

// Commit computes the roots. It fails on a path or an EPC that occurs twice.
func Commit(n enc.Network, it *Item) (Roots, error) { panic("commit") }

// Opening shows some leaves of an item with their multi-proofs (spec section 12.2, item).
type Opening struct {
	Kind       uint8
	FieldDepth uint8
	Fields     []OpenField
	FieldProof []enc.Hash
	UnitDepth  uint8 // NoUnits: the unit tree is empty
	Units      []OpenUnit
	UnitProof  []enc.Hash
}

// NoUnits is the unit depth of an item without units.
const NoUnits = 0xFF

// OpenField is a shown field. The count leaf has the path CountPath.
type OpenField struct {
	Leaf uint32
	Path Path
	Salt []byte
	Type Type
	Text string
}

// CountPath is the path of the count leaf.
const CountPath Path = "\x04"

// OpenUnit is a shown unit.
type OpenUnit struct {
	Leaf uint32
	Salt []byte
	List List
	Key  gs1.Key
	Form string
}

// SealedValue is the submitter's half of a sealed leaf.
type SealedValue struct {
	Path Path
	Salt [32]byte
	Type Type
	Text string
}

// ValueHash is the value hash of spec section 4.2.
func ValueHash(n enc.Network, salt []byte, t Type, text string) enc.Hash { panic("commit") }

// Open shows the fields and units that the two functions select (nil: none), with the count leaf if wanted.
// Sealed leaves are shown where known holds their value.
func Open(n enc.Network, it *Item, field func(*Field) bool, unit func(*Unit) bool, count bool, known []SealedValue) (Opening, error) {
	panic("commit")
}

// Roots recomputes the roots from what is shown.
func (o *Opening) Roots(n enc.Network) (Roots, error) { panic("commit") }
