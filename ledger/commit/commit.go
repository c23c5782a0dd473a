// Package commit is docs/spec.md section 4: it turns the fields and units of an item into two salted Merkle trees,
// so that one field or one serial can be shown without the rest.
//
// Commit is what validators recompute for every item they judge; Open and Opening.Roots are the two sides of showing a
// part. Openings come from strangers: what Roots returns is worth what the signed root it is compared with is worth.
package commit

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/merkle"
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

// String is the type's name in JSON.
func (t Type) String() string {
	switch t {
	case Text:
		return "text"
	case Number:
		return "number"
	case Boolean:
		return "boolean"
	case Null:
		return "null"
	case Empty:
		return "empty"
	case Bytes:
		return "bytes"
	}
	return "type(" + strconv.Itoa(int(t)) + ")"
}

// Field is one open leaf of the field tree.
type Field struct {
	Path Path
	Type Type
	Text string
}

// Sealed is a leaf of which only path and value hash are known here.
type Sealed struct {
	Path      Path
	ValueHash canonical.Hash
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

// String is the list's EPCIS name.
func (l List) String() string {
	switch l {
	case EPCList:
		return "epcList"
	case ParentID:
		return "parentID"
	case ChildEPCs:
		return "childEPCs"
	case InputEPCList:
		return "inputEPCList"
	case OutputEPCList:
		return "outputEPCList"
	}
	return "list(" + strconv.Itoa(int(l)) + ")"
}

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

// Opaque is the commitment of an item of unknown kind (spec section 4.4): one leaf for all its bytes.
func Opaque(kind uint8, salt [32]byte, sealed []Sealed, message []byte) Item {
	return Item{Kind: kind, Salt: salt, Sealed: sealed, Fields: []Field{{Type: Bytes, Text: hex.EncodeToString(message)}}}
}

// Roots are the two roots of an item and the hash over them.
type Roots struct {
	Fields, Units canonical.Hash
	Item          canonical.Hash
}

// Errors that Commit and Open wrap.
var (
	ErrDuplicate = errors.New("commit: occurs twice")
	ErrItem      = errors.New("commit: no such item")
)

// Commit computes the roots. It fails on a path or an EPC that occurs twice.
func Commit(n canonical.Network, it *Item) (Roots, error) {
	if err := it.check(); err != nil {
		return Roots{}, err
	}
	h := newHasher(n, it.Salt)
	// Two trees, one after the other, in one piece of memory.
	work := make([]canonical.Hash, max(it.fieldTree(), it.unitTree()))
	fields := h.fieldLeaves(it, work[:0])
	sortHashes(fields)
	r := Roots{Fields: merkle.RootInPlace(fields), Units: merkle.Empty}
	if len(it.Units) > 0 {
		units := h.unitLeaves(it, work[:0])
		sortHashes(units)
		r.Units = merkle.RootInPlace(units)
	}
	r.Item = itemHash(n, it.Kind, r.Fields, r.Units)
	return r, nil
}

func itemHash(n canonical.Network, kind uint8, fields, units canonical.Hash) canonical.Hash {
	return canonical.Sum(n, "item", []byte{kind}, fields[:], units[:])
}

// fieldTree and unitTree are the numbers of leaves, padding included.
func (it *Item) fieldTree() int { return pad(len(it.Fields) + len(it.Sealed) + 1) }

func (it *Item) unitTree() int { return pad(len(it.Units)) }

// pad is the next power of two; a power of two is its own.
func pad(n int) int {
	if n <= 1 {
		return n
	}
	return 1 << bits.Len(uint(n-1))
}

// check refuses what has no commitment (spec sections 4.2 and 4.3).
func (it *Item) check() error {
	opaque := len(it.Fields) == 1 && it.Fields[0].Path == "" && it.Fields[0].Type == Bytes
	paths := make(map[Path]struct{}, len(it.Fields)+len(it.Sealed))
	add := func(p Path) error {
		if err := p.Check(); err != nil {
			return err
		}
		if _, twice := paths[p]; twice {
			return fmt.Errorf("%w: path %s", ErrDuplicate, p)
		}
		paths[p] = struct{}{}
		return nil
	}
	for i := range it.Fields {
		f := &it.Fields[i]
		if f.Type < Text || f.Type > Bytes {
			return fmt.Errorf("%w: %s at %s", ErrItem, f.Type, f.Path)
		}
		if opaque {
			break
		}
		if err := add(f.Path); err != nil {
			return err
		}
	}
	for i := range it.Sealed {
		if err := add(it.Sealed[i].Path); err != nil {
			return err
		}
	}
	return it.checkUnits()
}

func (it *Item) checkUnits() error {
	for from := 0; from < len(it.Units); {
		list := it.Units[from].List
		to := from + 1
		for to < len(it.Units) && it.Units[to].List == list {
			to++
		}
		switch {
		case list < EPCList || list > OutputEPCList:
			return fmt.Errorf("%w: %s", ErrItem, list)
		case to < len(it.Units) && it.Units[to].List < list:
			return fmt.Errorf("%w: %s behind %s", ErrItem, it.Units[to].List, list)
		}
		if err := checkKeys(it.Units[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// checkKeys looks for an EPC that occurs twice in one list. Keys in ascending order, the usual case for fresh serials,
// need no table.
func checkKeys(units []Unit) error {
	ascending := true
	for i := range units {
		u := &units[i]
		switch {
		case u.Key.IsZero():
			return fmt.Errorf("%w: unit without a key in %s", ErrItem, u.List)
		case len(u.Key.String()) > 0xFFFF || len(u.Form) > 0xFFFF:
			return fmt.Errorf("%w: unit too long in %s", ErrItem, u.List)
		}
		ascending = ascending && (i == 0 || units[i-1].Key.String() < u.Key.String())
	}
	if ascending {
		return nil
	}
	seen := make(map[gs1.Key]struct{}, len(units))
	for i := range units {
		k := units[i].Key
		if _, twice := seen[k]; twice {
			return fmt.Errorf("%w: EPC %q in %s", ErrDuplicate, units[i].Form, units[i].List)
		}
		seen[k] = struct{}{}
	}
	return nil
}

// countText is the text of the count leaf (spec section 4.4).
func (it *Item) countText() string {
	var n [OutputEPCList + 1]int
	for i := range it.Units {
		n[it.Units[i].List]++
	}
	return fmt.Sprintf("f:%d 1:%d 2:%d 3:%d 4:%d 5:%d", len(it.Fields)+len(it.Sealed), n[1], n[2], n[3], n[4], n[5])
}

// ValueHash is the value hash of spec section 4.2.
func ValueHash(n canonical.Network, salt []byte, t Type, text string) canonical.Hash {
	var scratch [256]byte
	b := canonical.AppendTag(scratch[:0], n, "value")
	return sha256.Sum256(appendValue(b, salt, t, text))
}

func appendValue(b, salt []byte, t Type, text string) []byte {
	return canonical.Str32(canonical.U8(canonical.Str8(b, salt), uint8(t)), text)
}

func appendUnit(b, salt []byte, list List, key gs1.Key, form string) []byte {
	return canonical.Str16(canonical.Str16(canonical.U8(canonical.Str8(b, salt), uint8(list)), key.String()), form)
}

// Salt kinds (spec section 4.4).
const (
	saltField    = 'f'
	saltUnit     = 'u'
	saltCount    = 'c'
	saltPadField = 'p'
	saltPadUnit  = 'q'
	saltSize     = aes.BlockSize
	sealedSize   = 32
	maxDepth     = 32 // leaf indexes are u32
)

// The first bytes of leaves that are no path (spec sections 4.3 and 4.4).
const (
	unitMark     = 'u'
	padUnitMark  = 'q'
	padFieldMark = 0x00
)

// hasher makes the leaves of one item. It keeps what all of them share.
type hasher struct {
	salts cipher.Block
	block [saltSize]byte // the newest salt
	value []byte         // the tag, with room behind it
	unit  []byte
}

func newHasher(n canonical.Network, salt [32]byte) *hasher {
	c, err := aes.NewCipher(salt[:])
	if err != nil {
		panic("commit: AES-256 refuses 32 bytes: " + err.Error())
	}
	return &hasher{
		salts: c,
		value: canonical.AppendTag(make([]byte, 0, 256), n, "value"),
		unit:  append(make([]byte, 0, 256), unitMark),
	}
}

// salt is the n'th salt of a kind. It is good until the next call.
func (h *hasher) salt(kind byte, n uint32) []byte {
	h.block = [saltSize]byte{kind}
	binary.BigEndian.PutUint32(h.block[saltSize-4:], n)
	h.salts.Encrypt(h.block[:], h.block[:])
	return h.block[:]
}

func (h *hasher) valueHash(salt []byte, t Type, text string) canonical.Hash {
	b := appendValue(h.value, salt, t, text)
	if cap(b) <= maxKeep {
		h.value = b[:len(h.value)]
	}
	return sha256.Sum256(b)
}

// maxKeep bounds the buffer that one long text leaves behind.
const maxKeep = 64 << 10

// padLeaf is the leaf hash of a padding leaf.
func (h *hasher) padLeaf(mark, kind byte, n uint32) canonical.Hash {
	var data [1 + saltSize]byte
	data[0] = mark
	copy(data[1:], h.salt(kind, n))
	return merkle.LeafHash(data[:])
}

// fieldLeaves appends the leaf hashes of the field tree in this order: open fields, sealed leaves, the count, padding.
func (h *hasher) fieldLeaves(it *Item, out []canonical.Hash) []canonical.Hash {
	for i := range it.Fields {
		f := &it.Fields[i]
		out = append(out, fieldLeaf(f.Path, h.valueHash(h.salt(saltField, uint32(i)), f.Type, f.Text)))
	}
	for i := range it.Sealed {
		out = append(out, fieldLeaf(it.Sealed[i].Path, it.Sealed[i].ValueHash))
	}
	out = append(out, fieldLeaf(CountPath, h.valueHash(h.salt(saltCount, 0), Number, it.countText())))
	for i := range it.fieldTree() - len(out) {
		out = append(out, h.padLeaf(padFieldMark, saltPadField, uint32(i)))
	}
	return out
}

func fieldLeaf(p Path, value canonical.Hash) canonical.Hash {
	var scratch [256]byte
	return merkle.LeafHash(append(append(scratch[:0], p...), value[:]...))
}

// unitLeaves appends the leaf hashes of the unit tree: units, then padding.
func (h *hasher) unitLeaves(it *Item, out []canonical.Hash) []canonical.Hash {
	for i := range it.Units {
		u := &it.Units[i]
		out = append(out, merkle.LeafHash(appendUnit(h.unit, h.salt(saltUnit, uint32(i)), u.List, u.Key, u.Form)))
	}
	for i := range it.unitTree() - len(out) {
		out = append(out, h.padLeaf(padUnitMark, saltPadUnit, uint32(i)))
	}
	return out
}

func compareHashes(a, b canonical.Hash) int {
	return cmp.Or(
		cmp.Compare(first(&a), first(&b)),
		slices.Compare(a[8:], b[8:]),
	)
}

func first(h *canonical.Hash) uint64 {
	return uint64(h[0])<<56 | uint64(h[1])<<48 | uint64(h[2])<<40 | uint64(h[3])<<32 |
		uint64(h[4])<<24 | uint64(h[5])<<16 | uint64(h[6])<<8 | uint64(h[7])
}

// sortHashes deals the hashes into buckets by their leading bits and sorts those: hashes are spread evenly, unless
// somebody searched for others, and then the sort inside the bucket is still n log n.
func sortHashes(hs []canonical.Hash) {
	if len(hs) < 64 {
		slices.SortFunc(hs, compareHashes)
		return
	}
	shift := 64 - (bits.Len(uint(len(hs))) - 2) // four to a bucket
	at := make([]int32, 1<<(64-shift)+1)
	for i := range hs {
		at[first(&hs[i])>>shift+1]++
	}
	for i := 1; i < len(at); i++ {
		at[i] += at[i-1]
	}
	dealt := make([]canonical.Hash, len(hs))
	next := slices.Clone(at[:len(at)-1])
	for i := range hs {
		b := first(&hs[i]) >> shift
		dealt[next[b]] = hs[i]
		next[b]++
	}
	copy(hs, dealt)
	for b := range next {
		if bucket := hs[at[b]:at[b+1]]; len(bucket) > 1 {
			slices.SortFunc(bucket, compareHashes)
		}
	}
}
