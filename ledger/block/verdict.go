package block

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sort"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/verdict"
)

// VerdictCode is the verdict of an item.
type VerdictCode uint8

// The verdicts.
const (
	Accepted VerdictCode = 1 + iota
	Flagged
	Rejected
	Duplicate
)

// String is the verdict's name on screens.
func (v VerdictCode) String() string {
	switch v {
	case Accepted:
		return "accepted"
	case Flagged:
		return "flagged"
	case Rejected:
		return "rejected"
	case Duplicate:
		return "duplicate"
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Severity of a finding (docs/dscsa.md section 6).
type Severity uint8

// The severities.
const (
	Reject Severity = 1 + iota
	Hold
	Flag
)

// String is the severity's name on screens.
func (s Severity) String() string {
	switch s {
	case Reject:
		return "reject"
	case Hold:
		return "hold"
	case Flag:
		return "flag"
	}
	return fmt.Sprintf("severity %d", uint8(s))
}

// The states of a finding, as amendments write them.
const (
	Open uint8 = 1 + iota
	Held
	Closed
)

// The first byte of a verdict leaf.
const (
	verdictLeaf   = 0x01
	findingLeaf   = 0x02
	amendmentLeaf = 0x03
)

// Verdict, Finding and Amendment are the leaves of the verdicts tree (spec section 7.3).
type Verdict struct {
	Pos     canonical.Position
	Verdict VerdictCode
	Code    verdict.Code
}

// Finding is a rule's remark on an item.
type Finding struct {
	Pos      canonical.Position
	Code     verdict.Code
	Severity Severity
	Count    uint32
	Subjects canonical.Hash
}

// Amendment changes an earlier finding.
type Amendment struct {
	Pos      canonical.Position
	Code     verdict.Code
	Old, New uint8
	Cause    canonical.Position
	Count    uint32
	Subjects canonical.Hash
}

// TimerCause is the cause of what the timers of a block amend: no item, but the block itself (spec section 7.4).
func TimerCause(height uint64) canonical.Position {
	return canonical.Position{Height: height, Entry: canonical.WholeEntry, Item: canonical.WholeEntry}
}

// Encode is the leaf data.
func (v Verdict) Encode() []byte {
	b := v.Pos.Append(append(make([]byte, 0, 24+len(v.Code)), verdictLeaf))
	return canonical.Str8(canonical.U8(b, uint8(v.Verdict)), string(v.Code))
}

// Encode is the leaf data.
func (f Finding) Encode() []byte {
	b := f.Pos.Append(append(make([]byte, 0, 64+len(f.Code)), findingLeaf))
	b = canonical.U8(canonical.Str8(b, string(f.Code)), uint8(f.Severity))
	return append(canonical.U32(b, f.Count), f.Subjects[:]...)
}

// Encode is the leaf data.
func (a Amendment) Encode() []byte {
	b := a.Pos.Append(append(make([]byte, 0, 80+len(a.Code)), amendmentLeaf))
	b = canonical.U8(canonical.U8(canonical.Str8(b, string(a.Code)), a.Old), a.New)
	b = a.Cause.Append(b)
	return append(canonical.U32(b, a.Count), a.Subjects[:]...)
}

// DecodeVerdictLeaf returns a Verdict, a Finding or an Amendment.
func DecodeVerdictLeaf(b []byte) (any, error) {
	r := canonical.NewReader(b)
	switch what := r.U8(); what {
	case verdictLeaf:
		v := Verdict{Pos: r.Position(), Verdict: VerdictCode(r.U8()), Code: verdict.Code(r.Str8())}
		// Accepted and flagged say it all; a refusal names its reason.
		if v.Verdict < Accepted || v.Verdict > Duplicate || (v.Verdict <= Flagged) != (v.Code == "") || v.Code != "" && !isCode(v.Code) {
			r.Fail(canonical.ErrRange)
		}
		return leafOrError(r, v)
	case findingLeaf:
		f := Finding{Pos: r.Position(), Code: verdict.Code(r.Str8()), Severity: Severity(r.U8()), Count: r.U32(), Subjects: r.Hash()}
		if !isCode(f.Code) || f.Severity < Reject || f.Severity > Flag {
			r.Fail(canonical.ErrRange)
		}
		return leafOrError(r, f)
	case amendmentLeaf:
		a := Amendment{Pos: r.Position(), Code: verdict.Code(r.Str8()), Old: r.U8(), New: r.U8(), Cause: r.Position(), Count: r.U32(), Subjects: r.Hash()}
		if !isCode(a.Code) || a.Old < Open || a.Old > Closed || a.New < Open || a.New > Closed {
			r.Fail(canonical.ErrRange)
		}
		return leafOrError(r, a)
	default:
		r.Fail(canonical.ErrRange)
		return nil, fmt.Errorf("block: verdict leaf of kind %d: %w", what, r.Err())
	}
}

func leafOrError(r *canonical.Reader, v any) (any, error) {
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("block: verdict leaf: %w", err)
	}
	return v, nil
}

// LeafHeight is the height of the block that holds a leaf: an amendment's is its cause's.
func LeafHeight(leaf any) uint64 {
	switch v := leaf.(type) {
	case Verdict:
		return v.Pos.Height
	case Finding:
		return v.Pos.Height
	case Amendment:
		return v.Cause.Height
	}
	return 0
}

// isCode: codes are 1 to 64 of A-Z, 0-9 and _.
func isCode(s verdict.Code) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// Salts derives subject salts of one block (spec section 7.3).
type Salts struct {
	network canonical.Network
	mac     hash.Hash
	next    uint32
}

// NewSalts starts with K_h.
func NewSalts(n canonical.Network, key canonical.Hash) *Salts {
	return &Salts{network: n, mac: hmac.New(sha256.New, key[:])}
}

const saltSize = 16

// salt appends the next salt to b, which must have room for a whole hash behind it.
func (s *Salts) salt(b []byte) []byte {
	var label [20]byte
	s.mac.Reset()
	s.mac.Write(canonical.U32(append(label[:0], "verilot/salt/v1s"...), s.next))
	s.next++
	return s.mac.Sum(b)[:len(b)+saltSize]
}

// SubjectLeaf is the leaf data of one subject.
func SubjectLeaf(n canonical.Network, salt []byte, key string) []byte {
	var scratch [256]byte
	b := canonical.AppendTag(scratch[:0], n, "subject")
	h := sha256.Sum256(canonical.Str16(canonical.Str8(b, salt), key))
	return h[:]
}

// EventSubject is the key text of a finding's subject when no EPC is.
func EventSubject(p canonical.Position) string { return "event:" + p.String() }

// Subjects takes salts for keys (key texts), in order, and returns the root and, per key in the given order, salt and leaf index.
func (s *Salts) Subjects(keys []string) (root canonical.Hash, salts [][]byte, index []uint32) {
	leaves := make([]canonical.Hash, len(keys))
	order := make([]int, len(keys))
	salts = make([][]byte, len(keys))
	all := make([]byte, 0, saltSize*len(keys)+sha256.Size) // one allocation for a finding on ten thousand units
	for i, k := range keys {
		all = s.salt(all)
		salts[i] = all[saltSize*i : saltSize*(i+1) : saltSize*(i+1)]
		leaves[i] = merkle.LeafHash(SubjectLeaf(s.network, salts[i], k))
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return string(leaves[order[a]][:]) < string(leaves[order[b]][:]) })
	sorted := make([]canonical.Hash, len(keys))
	index = make([]uint32, len(keys))
	for at, i := range order {
		sorted[at] = leaves[i]
		index[i] = uint32(at)
	}
	return merkle.Root(sorted), salts, index
}

// NextVerdictKey is K_h from K_{h-1} and the item salts of the block.
func NextVerdictKey(n canonical.Network, prev canonical.Hash, itemSalts [][32]byte) canonical.Hash {
	b := make([]byte, 0, 32*len(itemSalts))
	for i := range itemSalts {
		b = append(b, itemSalts[i][:]...)
	}
	return canonical.Sum(n, "verdict-key", prev[:], b)
}
