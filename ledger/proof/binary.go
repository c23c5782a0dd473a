package proof

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/quorum"
)

// MaxSize bounds a bundle in either spelling.
const MaxSize = 16 << 20

const (
	magic   = "VLTP"
	version = 1
)

// The sources of keys.
const (
	sourceGenesis   = 1
	sourceAct       = 2
	sourceAuthority = 3
)

// Binary is the compact form of spec section 12.2.
func (b *Bundle) Binary() []byte {
	w := append(make([]byte, 0, 8192), magic...)
	w = canonical.U8(w, version)
	w = append(w, b.Genesis[:]...)
	w = canonical.U64(canonical.U32(w, b.Epoch), b.Size)
	w = append(w, b.Root[:]...)
	w = append(w, b.Certificate.Encode()...)
	w = canonical.U16(w, uint16(len(b.Keys)))
	for i := range b.Keys {
		w = b.Keys[i].append(w)
	}
	w = appendHashes(w, b.LogProof)
	w = canonical.U32(w, uint32(len(b.Blocks)))
	for i := range b.Blocks {
		w = b.Blocks[i].append(w)
	}
	return w
}

func appendHashes(w []byte, hs []canonical.Hash) []byte {
	w = canonical.U32(w, uint32(len(hs)))
	for i := range hs {
		w = append(w, hs[i][:]...)
	}
	return w
}

func (k *Key) append(w []byte) []byte {
	switch {
	case k.Genesis != nil:
		return canonical.U16(canonical.U16(canonical.U8(w, sourceGenesis), k.Genesis.Party), k.Genesis.Key)
	case k.Act != nil:
		w = canonical.U16(canonical.U16(canonical.U8(w, sourceAct), k.Act.Block), k.Act.Submission)
		return canonical.U16(canonical.U16(w, k.Act.Item), k.Act.Key)
	case k.Authority != nil:
		return canonical.U16(canonical.U8(w, sourceAuthority), *k.Authority)
	}
	return canonical.U8(w, 0) // refused by every reader
}

func (b *Block) append(w []byte) []byte {
	w = canonical.Str32(w, b.Header)
	w = appendHashes(w, b.EntriesProof)
	w = canonical.U32(w, uint32(len(b.Verdicts)))
	for _, v := range b.Verdicts {
		w = canonical.Str16(canonical.U32(w, v.Index), v.Leaf)
	}
	w = appendHashes(w, b.VerdictsProof)
	w = canonical.U16(w, uint16(len(b.Subjects)))
	for _, s := range b.Subjects {
		w = canonical.U32(canonical.U16(w, s.Leaf), s.Index)
		w = canonical.Str16(canonical.Str8(w, s.Salt), s.Key)
		w = appendHashes(w, s.Proof)
	}
	w = canonical.U16(w, uint16(len(b.Submissions)))
	for i := range b.Submissions {
		w = b.Submissions[i].append(w)
	}
	return w
}

func (s *Submission) append(w []byte) []byte {
	w = canonical.Str16(canonical.U64(w, s.Seq), s.Header)
	w = append(w, s.Signature[:]...)
	w = canonical.U16(w, s.Key)
	w = appendHashes(w, s.ItemsProof)
	w = canonical.U16(w, uint16(len(s.Items)))
	for i := range s.Items {
		w = s.Items[i].append(w)
	}
	return w
}

func (it *Item) append(w []byte) []byte {
	w = canonical.U8(canonical.U8(canonical.U16(w, it.Index), it.Kind), it.FieldDepth)
	w = canonical.U32(w, uint32(len(it.Fields)))
	for i := range it.Fields {
		f := &it.Fields[i]
		w = canonical.Str8(canonical.Str16(canonical.U32(w, f.Leaf), f.Path), f.Salt)
		w = canonical.Str32(canonical.U8(w, uint8(f.Type)), f.Text)
	}
	w = appendHashes(w, it.FieldProof)
	w = canonical.U8(w, it.UnitDepth)
	w = canonical.U32(w, uint32(len(it.Units)))
	for i := range it.Units {
		u := &it.Units[i]
		w = canonical.U8(canonical.Str8(canonical.U32(w, u.Leaf), u.Salt), uint8(u.List))
		w = canonical.Str16(canonical.Str16(w, u.Key.String()), u.Form)
	}
	return appendHashes(w, it.UnitProof)
}

// ParseBinary reads exactly what Binary wrote. What it returns shares memory with raw.
func ParseBinary(raw []byte) (*Bundle, error) {
	if len(raw) > MaxSize {
		return nil, newFailure(StepFormat, "too large")
	}
	r := canonical.NewReader(raw)
	if m := r.Bytes(len(magic)); m != nil && string(m) != magic {
		r.Fail(errors.New("not a proof bundle"))
	}
	if v := r.U8(); v != version {
		r.Fail(fmt.Errorf("version %d", v))
	}
	b := &Bundle{Genesis: r.Hash(), Epoch: r.U32(), Size: r.U64(), Root: r.Hash(), Certificate: quorum.ReadCertificate(r)}
	b.Keys = list(r, int(r.U16()), 3, readKey)
	b.LogProof = readHashes(r)
	b.Blocks = list(r, int(r.U32()), 20, readBlock)
	if err := r.Done(); err != nil {
		return nil, newFailure(StepFormat, err.Error())
	}
	if err := b.check(); err != nil {
		return nil, newFailure(StepFormat, err.Error())
	}
	return b, nil
}

// list reads count elements of at least size bytes each: nothing is allocated that the input could not fill.
func list[T any](r *canonical.Reader, count, size int, read func(*canonical.Reader) T) []T {
	if count > r.Len()/size {
		r.Fail(canonical.ErrShort)
		return nil
	}
	out := make([]T, 0, count)
	for range count {
		if r.Err() != nil {
			return nil
		}
		out = append(out, read(r))
	}
	return out
}

func readHashes(r *canonical.Reader) []canonical.Hash {
	return list(r, int(r.U32()), 32, (*canonical.Reader).Hash)
}

func readText(b []byte, r *canonical.Reader) string {
	if !utf8.Valid(b) {
		r.Fail(errors.New("text is not UTF-8"))
	}
	return string(b)
}

func readKey(r *canonical.Reader) Key {
	switch source := r.U8(); source {
	case sourceGenesis:
		return Key{Genesis: &GenesisKey{Party: r.U16(), Key: r.U16()}}
	case sourceAct:
		return Key{Act: &ActKey{Block: r.U16(), Submission: r.U16(), Item: r.U16(), Key: r.U16()}}
	case sourceAuthority:
		i := r.U16()
		return Key{Authority: &i}
	default:
		r.Fail(fmt.Errorf("key source %d", source))
		return Key{}
	}
}

func readBlock(r *canonical.Reader) Block {
	return Block{
		Header:        r.Str32(),
		EntriesProof:  readHashes(r),
		Verdicts:      list(r, int(r.U32()), 6, readVerdict),
		VerdictsProof: readHashes(r),
		Subjects:      list(r, int(r.U16()), 13, readSubject),
		Submissions:   list(r, int(r.U16()), 82, readSubmission),
	}
}

func readVerdict(r *canonical.Reader) VerdictLeaf {
	return VerdictLeaf{Index: r.U32(), Leaf: r.Str16()}
}

func readSubject(r *canonical.Reader) Subject {
	return Subject{Leaf: r.U16(), Index: r.U32(), Salt: r.Str8(), Key: readText(r.Str16(), r), Proof: readHashes(r)}
}

func readSubmission(r *canonical.Reader) Submission {
	s := Submission{Seq: r.U64(), Header: r.Str16()}
	copy(s.Signature[:], r.Bytes(64))
	s.Key = r.U16()
	s.ItemsProof = readHashes(r)
	s.Items = list(r, int(r.U16()), 21, readItem)
	return s
}

func readItem(r *canonical.Reader) Item {
	it := Item{Index: r.U16()}
	it.Kind, it.FieldDepth = r.U8(), r.U8()
	it.Fields = list(r, int(r.U32()), 12, readField)
	it.FieldProof = readHashes(r)
	it.UnitDepth = r.U8()
	it.Units = list(r, int(r.U32()), 10, readUnit)
	it.UnitProof = readHashes(r)
	return it
}

func readField(r *canonical.Reader) commit.OpenField {
	return commit.OpenField{
		Leaf: r.U32(), Path: commit.Path(r.Str16()), Salt: r.Str8(), Type: commit.Type(r.U8()), Text: readText(r.Str32(), r),
	}
}

func readUnit(r *canonical.Reader) commit.OpenUnit {
	u := commit.OpenUnit{Leaf: r.U32(), Salt: r.Str8(), List: commit.List(r.U8())}
	var err error
	if u.Key, err = readUnitKey(readText(r.Str16(), r)); err != nil {
		r.Fail(err)
	}
	u.Form = readText(r.Str16(), r)
	return u
}

func readUnitKey(text string) (gs1.Key, error) {
	k, err := gs1.ParseKey(text)
	if err == nil && k.String() != text {
		err = errors.New("key text is not in its one spelling")
	}
	return k, err
}

// check is what both spellings demand of the structure: everything fits its length field, is in order and listed once,
// and every key is there for a submission.
func (b *Bundle) check() error {
	used := make([]bool, len(b.Keys))
	if len(b.Keys) > 0xFFFF || len(b.Blocks) > 0xFFFF || len(b.Certificate) > 0xFFFF {
		return errors.New("too many keys, blocks or cosignatures")
	}
	for _, c := range b.Certificate {
		if c.Time > math.MaxInt64 {
			return errors.New("time of a cosignature is out of range")
		}
	}
	for i := range b.Blocks {
		if err := b.Blocks[i].check(used); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
	}
	var last []byte
	for i := range b.Keys {
		k := &b.Keys[i]
		if !used[i] {
			return fmt.Errorf("key %d is of no submission", i)
		}
		this := k.append(nil)
		if countSet(k.Genesis)+countSet(k.Act)+countSet(k.Authority) != 1 {
			return fmt.Errorf("key %d must have one source", i)
		}
		if bytes.Compare(last, this) >= 0 {
			return fmt.Errorf("key %d is out of order or listed twice", i)
		}
		last = this
		if k.Act != nil && b.item(k.Act) == nil {
			return fmt.Errorf("key %d refers to an item that is not here", i)
		}
	}
	return nil
}

// countSet is 1 if p is set, else 0.
func countSet[T any](p *T) int {
	if p == nil {
		return 0
	}
	return 1
}

// item is what an ActKey refers to, or nil.
func (b *Bundle) item(k *ActKey) *Item {
	if int(k.Block) >= len(b.Blocks) {
		return nil
	}
	subs := b.Blocks[k.Block].Submissions
	if int(k.Submission) >= len(subs) || int(k.Item) >= len(subs[k.Submission].Items) {
		return nil
	}
	return &subs[k.Submission].Items[k.Item]
}

func (b *Block) check(used []bool) error {
	if len(b.Subjects) > 0xFFFF || len(b.Submissions) > 0xFFFF {
		return errors.New("too many subjects or submissions")
	}
	for i, v := range b.Verdicts {
		if len(v.Leaf) > 0xFFFF || i > 0 && b.Verdicts[i-1].Index >= v.Index {
			return fmt.Errorf("verdict leaf %d is too long, out of order or listed twice", i)
		}
	}
	for i, s := range b.Subjects {
		if len(s.Salt) > 0xFF || len(s.Key) > 0xFFFF || !utf8.ValidString(s.Key) || int(s.Leaf) >= len(b.Verdicts) {
			return fmt.Errorf("subject %d is malformed", i)
		}
		if i > 0 {
			if p := b.Subjects[i-1]; p.Leaf > s.Leaf || p.Leaf == s.Leaf && p.Index >= s.Index {
				return fmt.Errorf("subject %d is out of order or listed twice", i)
			}
		}
	}
	for i := range b.Submissions {
		s := &b.Submissions[i]
		if i > 0 && b.Submissions[i-1].Seq >= s.Seq {
			return fmt.Errorf("submission %d is out of order or listed twice", i)
		}
		if int(s.Key) >= len(used) {
			return fmt.Errorf("submission %d has no key", i)
		}
		used[s.Key] = true
		if err := s.check(); err != nil {
			return fmt.Errorf("submission %d: %w", i, err)
		}
	}
	return nil
}

func (s *Submission) check() error {
	if len(s.Header) > 0xFFFF || len(s.Items) > 0xFFFF {
		return errors.New("header too long or too many items")
	}
	for i := range s.Items {
		it := &s.Items[i]
		if i > 0 && s.Items[i-1].Index >= it.Index {
			return fmt.Errorf("item %d is out of order or listed twice", i)
		}
		for j, f := range it.Fields {
			if len(f.Path) > 0xFFFF || len(f.Salt) > 0xFF || !utf8.ValidString(f.Text) || j > 0 && it.Fields[j-1].Leaf >= f.Leaf {
				return fmt.Errorf("item %d: field %d is malformed, out of order or listed twice", i, j)
			}
		}
		for j, u := range it.Units {
			if len(u.Salt) > 0xFF || len(u.Key.String()) > 0xFFFF || len(u.Form) > 0xFFFF || !utf8.ValidString(u.Form) || j > 0 && it.Units[j-1].Leaf >= u.Leaf {
				return fmt.Errorf("item %d: unit %d is malformed, out of order or listed twice", i, j)
			}
		}
	}
	return nil
}
