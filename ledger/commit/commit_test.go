package commit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
)

// The hashes themselves are held to a second program and to the vectors in ledger/submission.

var network = canonical.Network{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

func TestPathsForPeople(t *testing.T) {
	root := commit.Path("")
	for _, tt := range []struct {
		path commit.Path
		want string
	}{
		{root.Field(6).Index(0), "field(6)/index(0)"},
		{root.Field(24).Index(1).Name("http://example.org/", "price"), `field(24)/index(1)/name("http://example.org/","price")`},
		{commit.CountPath, "count"},
		{"", "whole"},
		{"\x01\x00", "malformed(0100)"},
	} {
		if got := tt.path.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	long := root.Field(1).Name(strings.Repeat("n", 40_000), "").Name(strings.Repeat("n", 40_000), "")
	if !errors.Is(long.Check(), commit.ErrPath) {
		t.Error("a path of 80,000 bytes is accepted")
	}
}

func TestCommitRefuses(t *testing.T) {
	unit := func(list commit.List, epc string) commit.Unit {
		e, err := gs1.ParseEPC(epc)
		if err != nil {
			t.Fatal(err)
		}
		return commit.Unit{List: list, Key: e.Key(), Form: epc}
	}
	const (
		urn  = "urn:epc:id:sgtin:030001.0012345.1"
		link = "https://id.gs1.org/01/00300010123455/21/1"
		next = "urn:epc:id:sgtin:030001.0012345.2"
	)
	step := commit.Path("").Field(10)
	for _, tt := range []struct {
		name string
		it   commit.Item
		want error
	}{
		{"nothing at all", commit.Item{}, nil},
		{"a field open and sealed", commit.Item{Fields: []commit.Field{{Path: step, Type: commit.Text}}, Sealed: []commit.Sealed{{Path: step}}}, commit.ErrDuplicate},
		{"a field twice", commit.Item{Fields: []commit.Field{{Path: step, Type: commit.Text}, {Path: step, Type: commit.Empty}}}, commit.ErrDuplicate},
		{"a malformed path", commit.Item{Fields: []commit.Field{{Path: "\x04", Type: commit.Number}}}, commit.ErrPath},
		{"a malformed sealed path", commit.Item{Sealed: []commit.Sealed{{Path: ""}}}, commit.ErrPath},
		{"no type", commit.Item{Fields: []commit.Field{{Path: step}}}, commit.ErrItem},
		{"one thing written in two ways", commit.Item{Units: []commit.Unit{unit(1, urn), unit(1, link)}}, commit.ErrDuplicate},
		{"one thing twice, not side by side", commit.Item{Units: []commit.Unit{unit(1, urn), unit(1, next), unit(1, urn)}}, commit.ErrDuplicate},
		{"one thing in two lists", commit.Item{Units: []commit.Unit{unit(4, urn), unit(5, urn)}}, nil},
		{"lists out of order", commit.Item{Units: []commit.Unit{unit(5, urn), unit(4, next)}}, commit.ErrItem},
		{"list 6", commit.Item{Units: []commit.Unit{unit(6, urn)}}, commit.ErrItem},
		{"a unit without a key", commit.Item{Units: []commit.Unit{{List: 1, Form: urn}}}, commit.ErrItem},
		{"an unknown kind", commit.Opaque(99, [32]byte{}, []commit.Sealed{{Path: step}}, []byte("x")), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := commit.Commit(network, &tt.it); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if _, err := commit.Open(network, &tt.it, nil, nil, true, nil); !errors.Is(err, tt.want) {
				t.Errorf("opens with %v, want %v", err, tt.want)
			}
		})
	}
}

// A value that is not the one sealed cannot be shown, by mistake or otherwise.
func TestSealedValueMustMatch(t *testing.T) {
	v := commit.SealedValue{Path: commit.Path("").Field(15).Index(0).Field(2), Salt: [32]byte{1}, Type: commit.Text, Text: "PO-1"}
	it := commit.Item{Kind: 11, Sealed: []commit.Sealed{v.Seal(network)}}
	want, err := commit.Commit(network, &it)
	if err != nil {
		t.Fatal(err)
	}
	o, err := commit.Open(network, &it, nil, nil, false, []commit.SealedValue{v})
	if err != nil || len(o.Fields) != 1 || o.Fields[0].Text != "PO-1" {
		t.Fatalf("%+v, %v", o, err)
	}
	if got, err := o.Roots(network); err != nil || got != want {
		t.Errorf("%x, %v", got, err)
	}
	v.Text = "PO-2"
	if _, err := commit.Open(network, &it, nil, nil, false, []commit.SealedValue{v}); !errors.Is(err, commit.ErrOpening) {
		t.Errorf("shown: %v", err)
	}
}

// The same item on another network, with another salt or of another kind has nothing in common with it.
func TestNothingCarriesOver(t *testing.T) {
	seen := map[canonical.Hash]bool{}
	for _, n := range []canonical.Network{network, {}} {
		for kind := range uint8(3) {
			for salt := range byte(3) {
				it := event(t, 3)
				it.Kind, it.Salt[0] = kind, salt
				r, err := commit.Commit(n, it)
				if err != nil || seen[r.Item] {
					t.Errorf("kind %d, salt %d: %x, %v", kind, salt, r.Item, err)
				}
				seen[r.Item] = true
			}
		}
	}
}

// However many units there are, one is shown by a proof as long as its tree is deep, and the depth says only the next
// power of two.
func TestOneUnitOfMany(t *testing.T) {
	for _, n := range []int{1, 2, 3, 64, 65, 1000} {
		it := event(t, n)
		want, err := commit.Commit(network, it)
		if err != nil {
			t.Fatal(err)
		}
		pick := it.Units[n/2].Key
		o, err := commit.Open(network, it, nil, func(u *commit.Unit) bool { return u.Key == pick }, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Units) != 1 || len(o.UnitProof) != int(o.UnitDepth) || 1<<o.UnitDepth < n || 1<<o.UnitDepth >= 2*n {
			t.Errorf("%d units: depth %d, %d hashes", n, o.UnitDepth, len(o.UnitProof))
		}
		if got, err := o.Roots(network); err != nil || got != want {
			t.Errorf("%d units: %x, %v", n, got, err)
		}
	}
}

// With everything shown, everything needed for the roots is there.
func TestEverythingShown(t *testing.T) {
	all := event(t, 300)
	rapid.Check(t, func(t *rapid.T) {
		it := *all
		it.Units = it.Units[:rapid.IntRange(1, 300).Draw(t, "n")]
		it.Salt[5] = rapid.Byte().Draw(t, "salt")
		o, err := commit.Open(network, &it, func(*commit.Field) bool { return true }, func(*commit.Unit) bool { return true }, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := commit.Commit(network, &it)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := o.Roots(network); err != nil || got != r {
			t.Fatalf("%x, %v, want %x", got, err, r)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	f.Add([]byte(commit.Path("").Field(24).Index(1).Name("http://example.org/", "price").Field(5)))
	f.Add([]byte("\x01\x00\x00\x00\x01\x03\x00\x01\xff\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := commit.Path(b)
		segments, err := commit.ParsePath(p)
		if (err == nil) != (p.Check() == nil) {
			t.Error("Check and ParsePath disagree")
		}
		if err == nil && commit.BuildPath(segments) != p {
			t.Errorf("%x becomes %x", b, string(commit.BuildPath(segments)))
		}
		_ = p.String()
	})
}

func FuzzOpening(f *testing.F) {
	f.Add(uint8(11), uint8(4), uint8(2), []byte("paths and salts"), "text", []byte{1, 2})
	f.Fuzz(func(t *testing.T, kind, fieldDepth, unitDepth uint8, b []byte, text string, leaves []byte) {
		it := event(t, 3)
		want, err := commit.Commit(network, it)
		if err != nil {
			t.Fatal(err)
		}
		o, err := commit.Open(network, it, func(*commit.Field) bool { return true }, func(*commit.Unit) bool { return true }, true, nil)
		if err != nil {
			t.Fatal(err)
		}
		honest := slices.Clone(o.Fields)
		o.Kind, o.FieldDepth, o.UnitDepth = kind, fieldDepth, unitDepth
		for i, l := range leaves {
			f := &o.Fields[i%len(o.Fields)]
			switch l % 4 {
			case 0:
				f.Leaf = uint32(l)
			case 1:
				f.Path = commit.Path(b)
			case 2:
				f.Text = text
			case 3:
				f.Salt = b
			}
		}
		got, err := o.Roots(network)
		same := o.Kind == it.Kind && slices.EqualFunc(honest, o.Fields, func(a, b commit.OpenField) bool {
			return a.Leaf == b.Leaf && a.Path == b.Path && a.Text == b.Text && string(a.Salt) == string(b.Salt)
		})
		if err == nil && got == want && !same {
			t.Errorf("a changed opening gives the same hash: %+v", o)
		}
	})
}
