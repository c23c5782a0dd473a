// Package canonical is the byte language of docs/spec.md section 1: fixed-width big-endian integers,
// length-prefixed strings, and the tag that keeps everything hashed or signed apart by purpose and network.
//
// Writers append to a slice. Reader never panics: it remembers its first error, and Done refuses what is left over.
package canonical

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Hash is a SHA-256 hash.
type Hash = [32]byte

// Network names one ledger: the first 16 bytes of its genesis hash (spec section 1).
type Network [16]byte

const (
	format  = 1
	version = 1
)

// AppendTag appends the domain separation prefix of spec section 1.
func AppendTag(b []byte, n Network, purpose string) []byte {
	b = append(b, byte(len("verilot/")+len(purpose)))
	b = append(b, "verilot/"...)
	b = append(b, purpose...)
	b = append(b, format, version)
	return append(b, n[:]...)
}

// Sum is H(purpose, parts…) of spec section 1.
func Sum(n Network, purpose string, parts ...[]byte) Hash {
	var scratch [256]byte
	b := AppendTag(scratch[:0], n, purpose)
	for _, p := range parts {
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// Position is the identity of an item on the ledger. Entry and Item count from 0.
type Position struct {
	Height uint64 `json:"height,string"`
	Entry  uint32 `json:"entry"`
	Item   uint32 `json:"item"`
}

// WholeEntry is the item index that stands for all of an entry (spec section 7.3).
const WholeEntry = 0xFFFFFFFF

// Append appends the 16 bytes of p.
func (p Position) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, p.Height)
	b = binary.BigEndian.AppendUint32(b, p.Entry)
	return binary.BigEndian.AppendUint32(b, p.Item)
}

// String is height/entry/item.
func (p Position) String() string { return fmt.Sprintf("%d/%d/%d", p.Height, p.Entry, p.Item) }

// Compare orders positions by height, entry, item.
func (p Position) Compare(q Position) int {
	switch {
	case p.Height != q.Height:
		if p.Height < q.Height {
			return -1
		}
		return 1
	case p.Entry != q.Entry:
		if p.Entry < q.Entry {
			return -1
		}
		return 1
	case p.Item != q.Item:
		if p.Item < q.Item {
			return -1
		}
		return 1
	}
	return 0
}

// U8 appends one byte.
func U8(b []byte, v uint8) []byte { return append(b, v) }

// U16 appends v, big-endian.
func U16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }

// U32 appends v, big-endian.
func U32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// U64 appends v, big-endian.
func U64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// I64 appends v as two's complement.
func I64(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }

// Str8 appends s behind a one-byte length. A longer s is a programming error: callers parse their input first.
func Str8[T ~string | ~[]byte](b []byte, s T) []byte {
	if len(s) > 0xFF {
		panic("enc: str8 too long")
	}
	return append(append(b, byte(len(s))), s...)
}

// Str16 appends s behind a two-byte length.
func Str16[T ~string | ~[]byte](b []byte, s T) []byte {
	if len(s) > 0xFFFF {
		panic("enc: str16 too long")
	}
	return append(U16(b, uint16(len(s))), s...)
}

// Str32 appends s behind a four-byte length.
func Str32[T ~string | ~[]byte](b []byte, s T) []byte {
	if uint64(len(s)) > 0xFFFFFFFF {
		panic("enc: str32 too long")
	}
	return append(U32(b, uint32(len(s))), s...)
}

// Errors of Reader.
var (
	ErrShort    = errors.New("enc: input ends early")
	ErrTrailing = errors.New("enc: trailing bytes")
	ErrTag      = errors.New("enc: wrong tag")
	ErrRange    = errors.New("enc: value out of range")
)

// Reader takes values off the front of a slice. Slices it returns share the input's memory.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err is the first error met.
func (r *Reader) Err() error { return r.err }

// Fail records err unless there is an earlier one.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Len is the number of bytes left.
func (r *Reader) Len() int { return len(r.b) }

// Rest takes everything that is left.
func (r *Reader) Rest() []byte { return r.Bytes(len(r.b)) }

// Done is the first error met, or ErrTrailing if anything is left.
func (r *Reader) Done() error {
	if r.err == nil && len(r.b) != 0 {
		r.err = ErrTrailing
	}
	return r.err
}

// Bytes takes n bytes.
func (r *Reader) Bytes(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.Fail(ErrShort)
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// U8 takes one byte.
func (r *Reader) U8() uint8 {
	if v := r.Bytes(1); v != nil {
		return v[0]
	}
	return 0
}

// U16 takes two bytes.
func (r *Reader) U16() uint16 {
	if v := r.Bytes(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

// U32 takes four bytes.
func (r *Reader) U32() uint32 {
	if v := r.Bytes(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

// U64 takes eight bytes.
func (r *Reader) U64() uint64 {
	if v := r.Bytes(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// I64 takes eight bytes as two's complement.
func (r *Reader) I64() int64 { return int64(r.U64()) }

// Hash takes 32 bytes.
func (r *Reader) Hash() (h Hash) {
	copy(h[:], r.Bytes(len(h)))
	return h
}

// Str8 takes a string with a one-byte length.
func (r *Reader) Str8() []byte { return r.Bytes(int(r.U8())) }

// Str16 takes a string with a two-byte length.
func (r *Reader) Str16() []byte { return r.Bytes(int(r.U16())) }

// Str32 takes a string with a four-byte length.
func (r *Reader) Str32() []byte { return r.Bytes(int(r.U32())) }

// Position takes 16 bytes.
func (r *Reader) Position() Position {
	return Position{Height: r.U64(), Entry: r.U32(), Item: r.U32()}
}

// Tag takes the tag of purpose and network, or fails with ErrTag.
func (r *Reader) Tag(n Network, purpose string) {
	want := AppendTag(nil, n, purpose)
	if got := r.Bytes(len(want)); got != nil && string(got) != string(want) {
		r.Fail(ErrTag)
	}
}
