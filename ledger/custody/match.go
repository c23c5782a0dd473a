package custody

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/wire"
)

// MatchHash is docs/spec.md section 10: two events with one match hash say the same to the rules, whoever sent them
// and however they wrote it. It is zero for an item that is no event.
func MatchHash(n canonical.Network, it *wire.Item) canonical.Hash {
	ev, ok := it.Message.(*epcis.Event)
	if !ok {
		return canonical.Hash{}
	}
	ms, _ := epcis.EventTimeMillis(ev)
	return matchHash(n, it, ev, ms, &names{})
}

func matchHash(n canonical.Network, it *wire.Item, ev *epcis.Event, ms int64, names *names) canonical.Hash {
	size := 512
	for i := range it.Committed.Units {
		size += 2 + len(it.Committed.Units[i].Key.String())
	}
	var room [640]byte
	b := room[:0]
	if size > len(room) {
		b = make([]byte, 0, size)
	}
	return sha256.Sum256(matched(canonical.AppendTag(b, n, "match"), it, ev, ms, names))
}

// matched appends what the match hash is over behind its tag.
func matched(b []byte, it *wire.Item, ev *epcis.Event, ms int64, names *names) []byte {
	b = canonical.Str16(b, clip(ev.Type))
	b = canonical.Str16(b, clip(ev.Action))
	b = canonical.I64(b, ms)
	b = canonical.Str16(b, clip(ev.EventTimeZoneOffset))
	b = canonical.Str16(b, clip(ev.Step()))
	b = canonical.Str16(b, clip(epcis.TermDisposition.Word(ev.Disposition)))
	b = canonical.Str16(b, placeText(ev.ReadPoint, names))
	b = canonical.Str16(b, placeText(ev.BizLocation, names))
	b = putTyped(b, ev.SourceList, names)
	b = putTyped(b, ev.DestinationList, names)
	b = books.PutKeys(b, authorisations(ev))
	b = canonical.Str16(b, clip(ev.Lot()))
	b = canonical.Str16(b, clip(ev.Expiry()))
	b = append(b, books.AsByte(ev.ErrorDeclaration != nil))
	for list := commit.EPCList; list <= commit.OutputEPCList; list++ {
		keys := keysIn(it, list)
		if !slices.IsSorted(keys) {
			slices.Sort(keys)
		}
		b = books.PutKeys(b, keys)
	}
	return b
}

// clip keeps absurd texts encodable; two that differ only beyond 65,535 bytes are none of ours to tell apart.
func clip(s string) string { return s[:min(len(s), 0xFFFF)] }

// keysIn lists the key texts of one list in the order of the event.
func keysIn(it *wire.Item, list commit.List) []string {
	var keys []string
	for i := range it.Committed.Units {
		if u := &it.Committed.Units[i]; u.List == list {
			if keys == nil {
				keys = make([]string, 0, len(it.Committed.Units)-i)
			}
			keys = append(keys, u.Key.String())
		}
	}
	return keys
}

func placeText(p *epcis.Place, names *names) string {
	if p == nil {
		return ""
	}
	return names.keyText(p.ID)
}

// putTyped appends (type, key) pairs in order of type, then key.
func putTyped(b []byte, list []epcis.SourceDest, names *names) []byte {
	type pair struct{ kind, key string }
	var room [4]pair
	pairs := room[:0]
	for _, sd := range list {
		pairs = append(pairs, pair{clip(epcis.TermSourceDest.Word(sd.Type)), names.keyText(sd.Value)})
	}
	slices.SortFunc(pairs, func(x, y pair) int { return cmp.Or(strings.Compare(x.kind, y.kind), strings.Compare(x.key, y.key)) })
	b = canonical.U32(b, uint32(len(pairs)))
	for _, p := range pairs {
		b = canonical.Str16(canonical.Str16(b, p.kind), p.key)
	}
	return b
}
