package canonical_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/ledger/canonical"
)

// A TextReader reads what a Reader reads, and notices every earlier end of the input and every byte too many.
func TestTextReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u16, u32, u64 := rapid.Uint16().Draw(t, "u16"), rapid.Uint32().Draw(t, "u32"), rapid.Uint64().Draw(t, "u64")
		text := rapid.StringN(0, 60, 255).Draw(t, "text")
		p := canonical.Position{Height: u64, Entry: u32, Item: uint32(u16)}
		h := canonical.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))
		b := canonical.I64(canonical.U64(canonical.U32(canonical.U16(canonical.U8(nil, 7), u16), u32), u64), -int64(u32))
		b = canonical.Str16(canonical.Str8(b, text), text)
		b = append(p.Append(b), h[:]...)

		read := func(b []byte) (same, whole bool) {
			d := canonical.NewTextReader(string(b))
			same = d.U8() == 7
			same = d.U16() == u16 && same
			same = d.U32() == u32 && same
			same = d.U64() == u64 && same
			same = d.I64() == -int64(u32) && same
			same = d.Text(1) == text && same
			same = d.Text(2) == text && same
			same = d.Position() == p && same
			same = d.Hash() == h && same
			return same, !d.Damaged()
		}
		if same, whole := read(b); !same || !whole {
			t.Fatalf("read the same: %t, all of it: %t", same, whole)
		}
		if _, whole := read(append(slices.Clip(b), 0)); whole {
			t.Fatal("a byte too many")
		}
		if _, whole := read(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); whole {
			t.Fatal("a byte too few")
		}
	})
}
