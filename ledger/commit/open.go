package commit

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/merkle"
)

// Opening shows some leaves of an item with their multi-proofs (spec section 12.2, item).
type Opening struct {
	Kind       uint8
	FieldDepth uint8
	Fields     []OpenField // by leaf
	FieldProof []canonical.Hash
	UnitDepth  uint8      // NoUnits: the unit tree is empty
	Units      []OpenUnit // by leaf
	UnitProof  []canonical.Hash
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

// Seal is the public half of v.
func (v *SealedValue) Seal(n canonical.Network) Sealed {
	return Sealed{Path: v.Path, ValueHash: ValueHash(n, v.Salt[:], v.Type, v.Text)}
}

// ErrOpening is what a refused opening wraps.
var ErrOpening = errors.New("commit: opening refused")

// Open shows the fields and units that the two functions select (nil: none), with the count leaf if wanted.
// Sealed leaves are shown where known holds their value; it fails if a value there is not the sealed one.
func Open(n canonical.Network, it *Item, field func(*Field) bool, unit func(*Unit) bool, count bool, known []SealedValue) (Opening, error) {
	if err := it.check(); err != nil {
		return Opening{}, err
	}
	h := newHasher(n, it.Salt)
	o := Opening{Kind: it.Kind, UnitDepth: NoUnits}

	made := h.fieldLeaves(it, make([]canonical.Hash, 0, it.fieldTree()))
	tree := slices.Clone(made)
	sortHashes(tree)
	o.FieldDepth = depth(len(tree))
	place := func(i int) uint32 {
		at, _ := slices.BinarySearchFunc(tree, made[i], compareHashes)
		return uint32(at)
	}
	for i := range it.Fields {
		if f := &it.Fields[i]; field != nil && field(f) {
			o.Fields = append(o.Fields, OpenField{place(i), f.Path, slices.Clone(h.salt(saltField, uint32(i))), f.Type, f.Text})
		}
	}
	values := make(map[Path]*SealedValue, len(known))
	for i := range known {
		values[known[i].Path] = &known[i]
	}
	for i := range it.Sealed {
		v, ok := values[it.Sealed[i].Path]
		if !ok {
			continue
		}
		if ValueHash(n, v.Salt[:], v.Type, v.Text) != it.Sealed[i].ValueHash {
			return Opening{}, fmt.Errorf("%w: the value known for %s is not the one sealed", ErrOpening, v.Path)
		}
		o.Fields = append(o.Fields, OpenField{place(len(it.Fields) + i), v.Path, slices.Clone(v.Salt[:]), v.Type, v.Text})
	}
	if count {
		o.Fields = append(o.Fields, OpenField{
			place(len(it.Fields) + len(it.Sealed)), CountPath, slices.Clone(h.salt(saltCount, 0)), Number, it.countText(),
		})
	}
	slices.SortFunc(o.Fields, func(a, b OpenField) int { return cmp.Compare(a.Leaf, b.Leaf) })
	o.FieldProof = merkle.Prove(tree, indexes(o.Fields, func(f *OpenField) uint32 { return f.Leaf }))

	if len(it.Units) == 0 {
		return o, nil
	}
	made = h.unitLeaves(it, make([]canonical.Hash, 0, it.unitTree()))
	tree = slices.Clone(made)
	sortHashes(tree)
	o.UnitDepth = depth(len(tree))
	for i := range it.Units {
		if u := &it.Units[i]; unit != nil && unit(u) {
			o.Units = append(o.Units, OpenUnit{place(i), slices.Clone(h.salt(saltUnit, uint32(i))), u.List, u.Key, u.Form})
		}
	}
	slices.SortFunc(o.Units, func(a, b OpenUnit) int { return cmp.Compare(a.Leaf, b.Leaf) })
	o.UnitProof = merkle.Prove(tree, indexes(o.Units, func(u *OpenUnit) uint32 { return u.Leaf }))
	return o, nil
}

// depth of a tree whose leaves are a power of two.
func depth(leaves int) uint8 { return uint8(bits.TrailingZeros(uint(leaves))) }

func indexes[T any](shown []T, leaf func(*T) uint32) []uint64 {
	out := make([]uint64, len(shown))
	for i := range shown {
		out[i] = uint64(leaf(&shown[i]))
	}
	return out
}

// Roots recomputes the roots from what is shown. It fails unless leaves ascend and fit their depth, nothing is shown
// twice, every part is well-formed, and the proofs are of exactly the right length.
func (o *Opening) Roots(n canonical.Network) (Roots, error) {
	fields, err := o.fieldRoot(n)
	if err != nil {
		return Roots{}, err
	}
	units, err := o.unitRoot()
	if err != nil {
		return Roots{}, err
	}
	return Roots{Fields: fields, Units: units, Item: itemHash(n, o.Kind, fields, units)}, nil
}

func (o *Opening) fieldRoot(n canonical.Network) (canonical.Hash, error) {
	if o.FieldDepth > maxDepth {
		return canonical.Hash{}, fmt.Errorf("%w: field depth %d", ErrOpening, o.FieldDepth)
	}
	seen := make(map[Path]struct{}, len(o.Fields))
	leaves := make([]canonical.Hash, len(o.Fields))
	for i := range o.Fields {
		f := &o.Fields[i]
		if err := f.check(); err != nil {
			return canonical.Hash{}, fmt.Errorf("%w: field %s: %w", ErrOpening, f.Path, err)
		}
		if _, twice := seen[f.Path]; twice {
			return canonical.Hash{}, fmt.Errorf("%w: field %s is shown twice", ErrOpening, f.Path)
		}
		seen[f.Path] = struct{}{}
		leaves[i] = fieldLeaf(f.Path, ValueHash(n, f.Salt, f.Type, f.Text))
	}
	return rootOf(o.FieldDepth, indexes(o.Fields, func(f *OpenField) uint32 { return f.Leaf }), leaves, o.FieldProof)
}

func (f *OpenField) check() error {
	switch {
	case len(f.Salt) != saltSize && len(f.Salt) != sealedSize:
		return fmt.Errorf("salt of %d bytes", len(f.Salt))
	case f.Path == CountPath:
		if f.Type != Number {
			return fmt.Errorf("the count is a number, not %s", f.Type)
		}
		return nil
	case f.Path == "": // an item of unknown kind
		if f.Type != Bytes {
			return fmt.Errorf("a whole item is bytes, not %s", f.Type)
		}
		return nil
	case f.Type < Text || f.Type > Bytes:
		return fmt.Errorf("unknown %s", f.Type)
	}
	return f.Path.Check()
}

func (o *Opening) unitRoot() (canonical.Hash, error) {
	if o.UnitDepth == NoUnits {
		if len(o.Units) != 0 || len(o.UnitProof) != 0 {
			return canonical.Hash{}, fmt.Errorf("%w: units of an item without units", ErrOpening)
		}
		return merkle.Empty, nil
	}
	if o.UnitDepth > maxDepth {
		return canonical.Hash{}, fmt.Errorf("%w: unit depth %d", ErrOpening, o.UnitDepth)
	}
	type id struct {
		list List
		key  gs1.Key
	}
	seen := make(map[id]struct{}, len(o.Units))
	leaves := make([]canonical.Hash, len(o.Units))
	for i := range o.Units {
		u := &o.Units[i]
		switch {
		case len(u.Salt) != saltSize:
			return canonical.Hash{}, fmt.Errorf("%w: unit %d: salt of %d bytes", ErrOpening, i, len(u.Salt))
		case u.List < EPCList || u.List > OutputEPCList:
			return canonical.Hash{}, fmt.Errorf("%w: unit %d: %s", ErrOpening, i, u.List)
		case u.Key.IsZero() || len(u.Key.String()) > 0xFFFF || len(u.Form) > 0xFFFF:
			return canonical.Hash{}, fmt.Errorf("%w: unit %d: no such key or form", ErrOpening, i)
		}
		if _, twice := seen[id{u.List, u.Key}]; twice {
			return canonical.Hash{}, fmt.Errorf("%w: unit %s of %s is shown twice", ErrOpening, u.Key, u.List)
		}
		seen[id{u.List, u.Key}] = struct{}{}
		var scratch [512]byte
		leaves[i] = merkle.LeafHash(appendUnit(append(scratch[:0], unitMark), u.Salt, u.List, u.Key, u.Form))
	}
	return rootOf(o.UnitDepth, indexes(o.Units, func(u *OpenUnit) uint32 { return u.Leaf }), leaves, o.UnitProof)
}

func rootOf(depth uint8, at []uint64, leaves, proof []canonical.Hash) (canonical.Hash, error) {
	root, err := merkle.RootFromProof(1<<depth, at, leaves, proof)
	if err != nil {
		return canonical.Hash{}, fmt.Errorf("%w: %w", ErrOpening, err)
	}
	return root, nil
}
