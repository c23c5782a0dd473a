package canonical_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/ledger/canonical"
)

var network = canonical.Network{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// Whatever is written is read back, and every earlier end of the input is noticed.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u8, u16, u32, u64 := rapid.Uint8().Draw(t, "u8"), rapid.Uint16().Draw(t, "u16"), rapid.Uint32().Draw(t, "u32"), rapid.Uint64().Draw(t, "u64")
		i64 := rapid.Int64().Draw(t, "i64")
		text := rapid.StringN(0, 60, 255).Draw(t, "text")
		p := canonical.Position{Height: u64, Entry: u32, Item: canonical.WholeEntry}
		h := canonical.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"))

		b := canonical.AppendTag(nil, network, "test")
		b = canonical.I64(canonical.U64(canonical.U32(canonical.U16(canonical.U8(b, u8), u16), u32), u64), i64)
		b = canonical.Str32(canonical.Str16(canonical.Str8(b, text), text), []byte(text))
		b = append(p.Append(b), h[:]...)

		read := func(b []byte) error {
			r := canonical.NewReader(b)
			r.Tag(network, "test")
			same := r.U8() == u8
			same = r.U16() == u16 && same
			same = r.U32() == u32 && same
			same = r.U64() == u64 && same
			same = r.I64() == i64 && same
			same = string(r.Str8()) == text && same
			same = string(r.Str16()) == text && same
			same = string(r.Str32()) == text && same
			same = r.Position() == p && same
			same = r.Hash() == h && same
			if err := r.Done(); err != nil {
				return err
			}
			if !same {
				t.Fatal("read something else")
			}
			return nil
		}
		if err := read(b); err != nil {
			t.Fatal(err)
		}
		if err := read(append(bytes.Clone(b), 0)); !errors.Is(err, canonical.ErrTrailing) {
			t.Fatalf("a byte too many: %v", err)
		}
		if err := read(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); !errors.Is(err, canonical.ErrShort) {
			t.Fatalf("cut: %v", err)
		}
	})
}

func TestTagKeepsApart(t *testing.T) {
	b := canonical.AppendTag(nil, network, "vote")
	for _, tt := range []struct {
		name    string
		network canonical.Network
		purpose string
		want    error
	}{
		{"itself", network, "vote", nil},
		{"another purpose", network, "veto", canonical.ErrTag},
		{"another network", canonical.Network{}, "vote", canonical.ErrTag},
		{"a longer purpose", network, "votes", canonical.ErrShort},
	} {
		r := canonical.NewReader(b)
		r.Tag(tt.network, tt.purpose)
		if err := r.Done(); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// The first error stays, and nothing is read behind it.
func TestReaderRemembers(t *testing.T) {
	r := canonical.NewReader([]byte{0, 5, 1, 2})
	if r.Str16() != nil || r.U8() != 0 || r.Rest() != nil {
		t.Error("read behind an error")
	}
	r.Fail(canonical.ErrRange)
	if !errors.Is(r.Err(), canonical.ErrShort) || !errors.Is(r.Done(), canonical.ErrShort) {
		t.Errorf("error %v", r.Err())
	}
	r = canonical.NewReader([]byte{1, 2, 3})
	if r.Len() != 3 || !bytes.Equal(r.Rest(), []byte{1, 2, 3}) || r.Done() != nil {
		t.Error("rest")
	}
	if r.Bytes(-1) != nil || r.Err() == nil {
		t.Error("negative length")
	}
}

// A slice handed out must not be a way to write into what follows it.
func TestSlicesAreCut(t *testing.T) {
	b := []byte{1, 'a', 'b'}
	r := canonical.NewReader(b)
	_ = append(r.Str8(), 'x')
	if b[2] != 'b' {
		t.Error("append wrote into the input")
	}
}

func TestTooLongIsAProgrammingError(t *testing.T) {
	for name, f := range map[string]func(){
		"str8":  func() { canonical.Str8(nil, strings.Repeat("x", 256)) },
		"str16": func() { canonical.Str16(nil, strings.Repeat("x", 65536)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestPositionsAreOrdered(t *testing.T) {
	in := []canonical.Position{{1, 0, 0}, {1, 0, 5}, {1, 1, 0}, {2, 0, 0}}
	for i, p := range in {
		for j, q := range in {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := p.Compare(q); got != want || bytes.Compare(p.Append(nil), q.Append(nil)) != want {
				t.Errorf("%s against %s: %d, want %d", p, q, got, want)
			}
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, ops, in []byte) {
		r := canonical.NewReader(in)
		for _, op := range ops {
			before := r.Len()
			switch op % 10 {
			case 0:
				r.U8()
			case 1:
				r.U16()
			case 2:
				r.U32()
			case 3:
				r.U64()
			case 4:
				r.Hash()
			case 5:
				r.Str8()
			case 6:
				r.Str16()
			case 7:
				r.Str32()
			case 8:
				r.Position()
			case 9:
				r.Tag(network, "x")
			}
			if r.Len() > before || r.Err() == nil && r.Len() == before {
				t.Error("took nothing and said nothing")
			}
		}
	})
}
