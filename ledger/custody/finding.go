package custody

import (
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// Storage (package state: free to change, never hashed), besides that of the books:
//
//	m/<match hash>                   who recorded an event of this content, and where
//	f/<key>\x00<position><code>      findings by subject; those without one by the event itself
//	z/<position>                     what a resolution says: by whom, outcome, note
//	g/<due><position><position><code>  subjects of a finding whose grace time runs; see amend.go
//	e/<hash of the eventID><party>   the event recorded under an eventID; see plausible.go
//	h/, b/<position>                 what taking an event back needs, and where it was taken back; see takeback.go
const (
	matchAt    = "m/"
	findingAt  = "f/"
	resolvedAt = "z/"
	nul        = "\x00"
)

// told is one recording of an event's content.
type told struct {
	by  string
	pos canonical.Position
}

func readTold(v state.View, h canonical.Hash) []told {
	b, ok := v.Get(matchAt + string(h[:]))
	if !ok {
		return nil
	}
	d := canonical.NewReader(b)
	var list []told
	for d.Len() > 0 && d.Err() == nil {
		list = append(list, told{by: string(d.Str8()), pos: d.Position()})
	}
	books.Damaged(d, "match")
	return list
}

func putTold(st state.Store, h canonical.Hash, list []told, more ...told) {
	b := make([]byte, 0, 24*(len(list)+len(more)))
	for _, l := range [][]told{list, more} {
		for i := range l {
			b = l[i].pos.Append(canonical.Str8(b, l[i].by))
		}
	}
	st.Put(matchAt+string(h[:]), b)
}

// FindingRecord is a finding about a unit or container (or about an event), as a trace shows it.
type FindingRecord struct {
	Pos      canonical.Position // of the event
	Code     verdict.Code
	Severity block.Severity
	By       string // publisher of the event
	Other    string // the other side: see resolve.go; empty if there is none
	Due      int64  // when its grace time ends, ms; 0 if it has none
	// From is the container whose finding it was when the thing left it, by the event at Taken; empty: its own.
	From  string
	Taken canonical.Position
	State uint8 // docs/spec.md 7.3: 1 open, 2 held, 3 closed
	// Changes are the states after the first, which is open, and what caused each: an item, or the block whose timers ran.
	Changes []Change
}

// Change is one step of a finding's state.
type Change struct {
	State uint8
	Cause canonical.Position
}

func (f *FindingRecord) amend(to uint8, cause canonical.Position) {
	f.State = to
	f.Changes = append(f.Changes, Change{to, cause})
}

func findingKey(key string, pos canonical.Position, code verdict.Code) string {
	b := make([]byte, 0, 160)
	b = append(append(append(b, findingAt...), key...), nul...)
	return string(append(pos.Append(b), code...))
}

func putFinding(st state.Store, key string, f FindingRecord) {
	b := canonical.Str8(canonical.Str8([]byte{uint8(f.Severity)}, f.By), f.Other)
	b = canonical.Str16(canonical.I64(b, f.Due), f.From)
	if f.From != "" {
		b = f.Taken.Append(b)
	}
	for _, c := range f.Changes {
		b = c.Cause.Append(append(b, c.State))
	}
	st.Put(findingKey(key, f.Pos, f.Code), b)
}

func readFinding(v state.View, key string, pos canonical.Position, code verdict.Code) (FindingRecord, bool) {
	b, ok := v.Get(findingKey(key, pos, code))
	if !ok {
		return FindingRecord{}, false
	}
	return decodeFinding(key, pos, code, b), true
}

func decodeFinding(key string, pos canonical.Position, code verdict.Code, b []byte) FindingRecord {
	d := canonical.NewReader(b)
	f := FindingRecord{Pos: pos, Code: code, Severity: block.Severity(d.U8()), By: string(d.Str8()), Other: string(d.Str8()), Due: d.I64(), From: string(d.Str16()), State: block.Open}
	if f.From != "" {
		f.Taken = d.Position()
	}
	for d.Len() > 0 && d.Err() == nil {
		f.amend(d.U8(), d.Position())
	}
	books.Damaged(d, "finding of "+key)
	return f
}

func findingsOf(v state.View, key string) []FindingRecord {
	at := findingAt + key + nul
	var list []FindingRecord
	v.Scan(at, func(k string, b []byte) bool {
		d := canonical.NewReader([]byte(k[len(at):]))
		pos, code := d.Position(), verdict.Code(d.Rest())
		books.Damaged(d, "finding of "+key)
		list = append(list, decodeFinding(key, pos, code, b))
		return true
	})
	return list
}

// Findings lists what was found about key itself, oldest first. What was found about its containers applies to it too:
// ask for each container of Locate.
func Findings(v state.View, key gs1.Key) []FindingRecord { return findingsOf(v, key.String()) }

// FindingOf is the state of a finding about one thing, or about the event itself (no key).
func FindingOf(v state.View, key gs1.Key, pos canonical.Position, code verdict.Code) (FindingRecord, bool) {
	text := key.String()
	if text == "" {
		text = block.EventSubject(pos)
	}
	return readFinding(v, text, pos, code)
}
