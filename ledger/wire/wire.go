// Package wire is the only package of the ledger that knows protobuf: submission bodies in and out, strictly
// (docs/spec.md 5.2), and the walk over a message that gives its committed fields and units (4.2, 4.3).
//
// Bodies come from strangers. A body that decodes is exactly the bytes that encoding its items gives, so it has one
// reading; what does not is an error that says where.
package wire

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
)

// Item kinds (docs/spec.md 5.3).
const (
	KindDocumentHeader uint8 = 10 + iota
	KindEvent
	KindPartyAct
	KindProduct
	KindLot
	KindRecall
	KindResolution
	KindGrant
	KindAnchor
	KindGovernance
)

var kindNames = [...]string{"document_header", "event", "party_act", "product", "lot", "recall", "resolution", "grant", "anchor", "governance"}

// KindName is how the kind of an item is written: event, party_act; kind_20 for one that these rules do not know.
func KindName(kind uint8) string {
	if i := int(kind) - int(KindDocumentHeader); i >= 0 && i < len(kindNames) {
		return kindNames[i]
	}
	return fmt.Sprintf("kind_%d", kind)
}

// The numbers kept for new kinds (docs/spec.md 5.2).
const (
	firstUnknown = 20
	lastUnknown  = 255
)

// Limits of a body (docs/spec.md 5.2).
const (
	MaxItems = 4096
	MaxUnits = 16384
	// The rest bounds what a short body can make every validator hold and hash. An empty element of a list costs two bytes
	// and a leaf; a long name is in the path of every leaf inside it; a run writes the prefix of its EPCs once.
	MaxLeaves    = 131072   // field leaves, and elements of lists
	MaxPathBytes = 16 << 20 // of the paths of open leaves together
	MaxUnitKey   = 256      // bytes of a unit's key text
)

// What DecodeBody returns when reading stops at a limit, before whatever else may be wrong further on.
var (
	ErrItems = fmt.Errorf("wire: more than %d items", MaxItems)
	ErrUnits = fmt.Errorf("wire: more than %d unit references", MaxUnits)
)

// Item is one item of a body. Message is a pointer to the type of its kind: *epcis.Header, *epcis.Event, *registry.Act,
// *registry.Product, *registry.Lot, *registry.Recall, *registry.Resolution, *registry.Grant, *registry.Anchor,
// *registry.Governance; or nil, with its bytes in Opaque, for an unknown kind.
type Item struct {
	Kind    uint8
	Salt    [32]byte
	Sealed  []commit.Sealed
	Message any
	Opaque  []byte
	// Committed is everything hashed: filled by DecodeBody and EncodeBody.
	Committed commit.Item
}

// EncodeBody encodes items deterministically and fills their Committed. It fails on whatever DecodeBody would refuse.
func EncodeBody(items []Item) ([]byte, error) {
	var body []byte
	for i := range items {
		var err error
		body = appendPrefixed(body, 1, func(b []byte) []byte {
			b, err = appendItem(b, &items[i])
			return b
		})
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
	}
	// What validators will read is what counts, so what is committed to comes from there.
	read, err := DecodeBody(body)
	if err != nil {
		return nil, err
	}
	for i := range items {
		items[i].Committed = read[i].Committed
	}
	return body, nil
}

// Size is what of a body's limits items take; the sizes of items add up to that of their body.
type Size struct{ Items, Bytes, Units, Leaves, Elements, Paths int }

// Measure encodes an item for itself. It fails on an item that no body can hold.
func Measure(it *Item) (Size, error) {
	var err error
	body := appendPrefixed(nil, 1, func(b []byte) []byte {
		b, err = appendItem(b, it)
		return b
	})
	if err != nil {
		return Size{}, err
	}
	_, _, v, _, err := next(string(body))
	if err != nil {
		return Size{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	d := newDecoder()
	read, err := d.item(v.s)
	if err != nil {
		return Size{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return Size{
		Items: 1, Bytes: len(body), Units: MaxUnits - d.room, Leaves: len(read.Committed.Fields) + len(read.Sealed),
		Elements: MaxLeaves - d.elements, Paths: MaxPathBytes - d.paths,
	}, nil
}

// Add returns the size of both.
func (s Size) Add(t Size) Size {
	return Size{s.Items + t.Items, s.Bytes + t.Bytes, s.Units + t.Units, s.Leaves + t.Leaves, s.Elements + t.Elements, s.Paths + t.Paths}
}

// Fits reports whether a body of this size has at most maxBytes and is within all other limits.
func (s Size) Fits(maxBytes int) bool {
	return s.Items <= MaxItems && s.Bytes <= maxBytes && s.Units <= MaxUnits && s.Leaves <= MaxLeaves && s.Elements <= MaxLeaves && s.Paths <= MaxPathBytes
}

// Fields of Item and SealedLeaf in item.proto.
const (
	fieldSalt   = 1
	fieldSealed = 2
)

func appendItem(b []byte, it *Item) ([]byte, error) {
	b = appendText(b, fieldSalt, string(it.Salt[:]))
	for i := range it.Sealed {
		b = appendPrefixed(b, fieldSealed, func(b []byte) []byte {
			b = appendText(b, 1, string(it.Sealed[i].Path))
			return appendText(b, 2, string(it.Sealed[i].ValueHash[:]))
		})
	}
	k, known := kinds[it.Kind]
	switch {
	case known:
		ok := false
		b = appendPrefixed(b, uint32(it.Kind), func(b []byte) []byte {
			b, ok = k.encode(b, it.Message)
			return b
		})
		if !ok {
			return b, fmt.Errorf("kind %d with a message of type %T", it.Kind, it.Message)
		}
	case it.Kind >= firstUnknown:
		b = appendText(b, uint32(it.Kind), string(it.Opaque))
	default:
		return b, fmt.Errorf("there is no kind %d", it.Kind)
	}
	return b, nil
}

// DecodeBody decodes strictly. Errors name the item and what is wrong: ErrItems, ErrUnits, or else ErrMalformed.
// Strings in the items share one copy of the body.
func DecodeBody(body []byte) ([]Item, error) {
	d := newDecoder()
	var items []Item
	leaves := 0
	for s := string(body); s != ""; {
		num, typ, v, rest, err := next(s)
		switch {
		case err == nil && num != 1:
			err = errUnknown
		case err == nil && typ != protowire.BytesType:
			err = errType
		}
		if err != nil {
			return nil, fmt.Errorf("%w: body: %w", ErrMalformed, err)
		}
		if len(items) == MaxItems {
			return nil, ErrItems
		}
		it, err := d.item(v.s)
		switch {
		case errors.Is(err, ErrUnits):
			return nil, ErrUnits
		case err != nil:
			return nil, fmt.Errorf("%w: item %d: %w", ErrMalformed, len(items), err)
		}
		if leaves += len(it.Committed.Fields) + len(it.Sealed); leaves > MaxLeaves {
			return nil, fmt.Errorf("%w: item %d: more than %d field leaves", ErrMalformed, len(items), MaxLeaves)
		}
		items = append(items, it)
		s = rest
	}
	return items, nil
}

func (d *decoder) item(s string) (it Item, err error) {
	d.depth, d.units = 2, nil // the body is level 1, the item 2
	var sealed []string
	last := uint32(0)
	for s != "" {
		num, typ, v, rest, err := next(s)
		switch {
		case err != nil:
			return it, err
		case num < last || num == last && num != fieldSealed || it.Kind != 0:
			return it, fmt.Errorf("field %d: %w", num, errOrder)
		case typ != protowire.BytesType:
			return it, fmt.Errorf("field %d: %w", num, errType)
		}
		switch {
		case num == fieldSalt:
			if len(v.s) != len(it.Salt) {
				return it, fmt.Errorf("salt of %d bytes", len(v.s))
			}
			copy(it.Salt[:], v.s)
		case last == 0:
			return it, errors.New("no salt")
		case num == fieldSealed:
			leaf, err := decodeSealed(v.s)
			if err != nil {
				return it, fmt.Errorf("sealed leaf %d: %w", len(it.Sealed), err)
			}
			it.Sealed = append(it.Sealed, leaf)
			sealed = append(sealed, string(leaf.Path))
		case num >= firstUnknown && num <= lastUnknown:
			it.Kind, it.Opaque = uint8(num), []byte(v.s)
		case num >= uint32(KindDocumentHeader) && num <= uint32(KindGovernance):
			it.Kind = uint8(num)
			if it.Message, err = kinds[it.Kind].decode(d, v.s); err != nil {
				return it, fmt.Errorf("kind %d: %w", num, err)
			}
		default:
			return it, fmt.Errorf("field %d: %w", num, errUnknown)
		}
		s, last = rest, num
	}
	if it.Kind == 0 {
		return it, errors.New("no kind")
	}
	slices.Sort(sealed)
	for i := 1; i < len(sealed); i++ {
		if sealed[i] == sealed[i-1] {
			return it, fmt.Errorf("path %s is sealed twice", commit.Path(sealed[i]))
		}
	}
	if it.Message == nil {
		it.Committed = commit.Opaque(it.Kind, it.Salt, it.Sealed, it.Opaque)
		return it, nil
	}
	w := walker{sealed: sealed, room: d.paths}
	kinds[it.Kind].walk(&w, it.Message)
	if w.long {
		return it, errPaths
	}
	d.paths -= len(w.arena)
	it.Committed = commit.Item{Kind: it.Kind, Salt: it.Salt, Fields: w.finish(), Sealed: it.Sealed, Units: d.units}
	return it, nil
}

// clone is a copy of a message of a known kind that shares nothing that can change.
func clone(it *Item) (any, error) {
	k, known := kinds[it.Kind]
	if !known {
		return nil, fmt.Errorf("wire: items of kind %d have no fields", it.Kind)
	}
	b, ok := k.encode(nil, it.Message)
	if !ok {
		return nil, fmt.Errorf("wire: kind %d with a message of type %T", it.Kind, it.Message)
	}
	d := newDecoder()
	d.depth = 2
	return k.decode(d, string(b))
}

// Seal moves the text of every open field that sel selects out of an item's message into sealed leaves, with salts
// taken from random, and returns the values to keep. The message it was given stays as it was: the item gets a copy.
// The item must then be encoded.
func Seal(n canonical.Network, it *Item, sel func(commit.Field) bool, random func() [32]byte) ([]commit.SealedValue, error) {
	message, err := clone(it)
	if err != nil {
		return nil, err
	}
	k := kinds[it.Kind]
	sealed := make([]string, len(it.Sealed))
	for i := range it.Sealed {
		sealed[i] = string(it.Sealed[i].Path)
	}
	slices.Sort(sealed)
	w := walker{sealed: sealed, room: MaxPathBytes}
	k.walk(&w, message)
	if w.long {
		return nil, errPaths
	}
	var values []commit.SealedValue
	for _, f := range w.finish() {
		if !sel(f) {
			continue
		}
		path, err := commit.ParsePath(f.Path)
		if err != nil {
			return nil, err
		}
		err = k.set(message, path, change{typ: f.Type, take: true})
		if errors.Is(err, errNothing) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("wire: seal %s: %w", f.Path, err)
		}
		values = append(values, commit.SealedValue{Path: f.Path, Salt: random(), Type: f.Type, Text: f.Text})
	}
	if len(values) == 0 {
		return nil, nil
	}
	it.Message = message
	it.Sealed = slices.Clip(it.Sealed) // so that appending leaves other copies of the item alone
	for i := range values {
		it.Sealed = append(it.Sealed, values[i].Seal(n))
	}
	return values, nil
}

// Unseal returns a copy of the item's message with known sealed values put back where they were: the submitter's own
// view. It does not check that the values are those sealed; values without a place in the message are an error.
func Unseal(it *Item, known []commit.SealedValue) (any, error) {
	message, err := clone(it)
	if err != nil {
		return nil, err
	}
	for i := range known {
		v := &known[i]
		path, err := commit.ParsePath(v.Path)
		if err != nil {
			return nil, err
		}
		if err := kinds[it.Kind].set(message, path, change{typ: v.Type, text: v.Text}); err != nil {
			return nil, fmt.Errorf("wire: unseal %s: %w", v.Path, err)
		}
	}
	return message, nil
}
