package submission_test

import (
	"crypto/aes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
)

// A second, plain program for docs/spec.md sections 1 and 4, written from the page. It shares nothing with the packages
// it checks and keeps every pre-image, which is what the vectors show.

func cat(parts ...[]byte) []byte { return slices.Concat(parts...) }

func beU16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func beU32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func str8(s []byte) []byte  { return cat([]byte{byte(len(s))}, s) }
func str16(s []byte) []byte { return cat(beU16(len(s)), s) }
func str32(s []byte) []byte { return cat(beU32(len(s)), s) }

func tag(n canonical.Network, purpose string) []byte {
	return cat(str8([]byte("verilot/"+purpose)), []byte{1, 1}, n[:])
}

func sha(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

func leafHash(data []byte) []byte { return sha(cat([]byte{0}, data)) }

// mth is RFC 6962 section 2.1, word by word.
func mth(leaves [][]byte) []byte {
	switch n := len(leaves); n {
	case 0:
		return sha(nil)
	case 1:
		return leaves[0]
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		return sha(cat([]byte{1}, mth(leaves[:k]), mth(leaves[k:])))
	}
}

// tlogRoot is the same by tlog.
func tlogRoot(leaves [][]byte) []byte {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, x := range at {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, l := range leaves {
		hs, err := tlog.StoredHashesForRecordHash(int64(i), tlog.Hash(l), read)
		if err != nil {
			panic(err)
		}
		stored = append(stored, hs...)
	}
	h, err := tlog.TreeHash(int64(len(leaves)), read)
	if err != nil {
		panic(err)
	}
	return h[:]
}

// leafRecord is a leaf with everything that leads to it.
type leafRecord struct {
	What      string `json:"what"`
	Path      octets `json:"path,omitempty"`
	PathText  string `json:"pathText,omitempty"`
	Type      int    `json:"type,omitempty"`
	Text      string `json:"text,omitempty"`
	List      int    `json:"list,omitempty"`
	Key       string `json:"key,omitempty"`
	Form      string `json:"form,omitempty"`
	SaltInput octets `json:"saltInput,omitempty"`
	Salt      octets `json:"salt,omitempty"`
	PreImage  octets `json:"preImage,omitempty"`
	Hash      octets `json:"hash,omitempty"`
	LeafData  octets `json:"leafData"`
	LeafHash  octets `json:"leafHash"`
}

// itemRecord is the commitment of an item.
type itemRecord struct {
	Kind       int          `json:"kind"`
	Salt       octets       `json:"salt"`
	FieldTree  []leafRecord `json:"fieldTree"` // in the order they are made; the tree sorts them by leafHash
	UnitTree   []leafRecord `json:"unitTree"`
	FieldRoot  octets       `json:"fieldRoot"`
	UnitRoot   octets       `json:"unitRoot"`
	PreImage   octets       `json:"preImage"`
	ItemHash   octets       `json:"itemHash"`
	FieldDepth int          `json:"fieldDepth"`
	UnitDepth  int          `json:"unitDepth"`
}

func reference(n canonical.Network, it *commit.Item) itemRecord {
	salt := func(kind byte, i int) (input, salt []byte) {
		input = cat([]byte{kind}, make([]byte, 11), beU32(i))
		c, err := aes.NewCipher(it.Salt[:])
		if err != nil {
			panic(err)
		}
		salt = make([]byte, 16)
		c.Encrypt(salt, input)
		return input, salt
	}
	value := func(salt []byte, typ int, text string) []byte {
		return cat(tag(n, "value"), str8(salt), []byte{byte(typ)}, str32([]byte(text)))
	}
	rec := itemRecord{Kind: int(it.Kind), Salt: it.Salt[:], UnitDepth: commit.NoUnits}
	for i, f := range it.Fields {
		l := leafRecord{What: "field", Path: []byte(f.Path), PathText: f.Path.String(), Type: int(f.Type), Text: f.Text}
		l.SaltInput, l.Salt = salt('f', i)
		l.PreImage = value(l.Salt, l.Type, l.Text)
		l.Hash = sha(l.PreImage)
		l.LeafData = cat(l.Path, l.Hash)
		rec.FieldTree = append(rec.FieldTree, l)
	}
	for _, s := range it.Sealed {
		rec.FieldTree = append(rec.FieldTree, leafRecord{
			What: "sealed field", Path: []byte(s.Path), PathText: s.Path.String(), Hash: s.ValueHash[:], LeafData: cat([]byte(s.Path), s.ValueHash[:]),
		})
	}
	counts := make([]int, 6)
	for _, u := range it.Units {
		counts[u.List]++
	}
	count := leafRecord{What: "count", Path: []byte{4}, PathText: "count", Type: 2}
	count.Text = fmt.Sprintf("f:%d 1:%d 2:%d 3:%d 4:%d 5:%d", len(rec.FieldTree), counts[1], counts[2], counts[3], counts[4], counts[5])
	count.SaltInput, count.Salt = salt('c', 0)
	count.PreImage = value(count.Salt, 2, count.Text)
	count.Hash = sha(count.PreImage)
	count.LeafData = cat([]byte{4}, count.Hash)
	rec.FieldTree = append(rec.FieldTree, count)
	for i := 0; len(rec.FieldTree)&(len(rec.FieldTree)-1) != 0; i++ {
		l := leafRecord{What: "padding"}
		l.SaltInput, l.Salt = salt('p', i)
		l.LeafData = cat([]byte{0}, l.Salt)
		rec.FieldTree = append(rec.FieldTree, l)
	}
	for i, u := range it.Units {
		l := leafRecord{What: "unit", List: int(u.List), Key: u.Key.String(), Form: u.Form}
		l.SaltInput, l.Salt = salt('u', i)
		l.LeafData = cat([]byte("u"), str8(l.Salt), []byte{byte(u.List)}, str16([]byte(l.Key)), str16([]byte(l.Form)))
		rec.UnitTree = append(rec.UnitTree, l)
	}
	for i := 0; len(rec.UnitTree)&(len(rec.UnitTree)-1) != 0; i++ {
		l := leafRecord{What: "padding"}
		l.SaltInput, l.Salt = salt('q', i)
		l.LeafData = cat([]byte("q"), l.Salt)
		rec.UnitTree = append(rec.UnitTree, l)
	}
	root := func(tree []leafRecord) (root []byte, depth int) {
		hashes := make([][]byte, len(tree))
		for i := range tree {
			tree[i].LeafHash = leafHash(tree[i].LeafData)
			hashes[i] = tree[i].LeafHash
		}
		slices.SortFunc(hashes, slices.Compare)
		for 1<<depth < len(tree) {
			depth++
		}
		return mth(hashes), depth
	}
	rec.FieldRoot, rec.FieldDepth = root(rec.FieldTree)
	rec.UnitRoot, _ = root(rec.UnitTree)
	if len(rec.UnitTree) > 0 {
		_, rec.UnitDepth = root(rec.UnitTree)
	}
	rec.PreImage = cat(tag(n, "item"), []byte{it.Kind}, rec.FieldRoot, rec.UnitRoot)
	rec.ItemHash = sha(rec.PreImage)
	return rec
}
