package custody

import (
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/wire"
)

// MatchHash is docs/spec.md section 10: two events with one match hash say the same to the rules, whoever sent them
// and however they wrote it. It is zero for an item that is no event.
func MatchHash(n canonical.Network, it *wire.Item) canonical.Hash {
	ev, ok := it.Message.(*epcis.Event)
	if !ok {
		return canonical.Hash{}
	}
	return canonical.Sum(n, "match", matched(it, ev))
}

// matched is what the match hash is over, tag excluded.
func matched(it *wire.Item, ev *epcis.Event) []byte {
	ms, _ := epcis.EventTimeMillis(ev)
	size := 512
	for i := range it.Committed.Units {
		size += 2 + len(it.Committed.Units[i].Key.String())
	}
	b := make([]byte, 0, size)
	b = canonical.Str16(b, clip(ev.Type))
	b = canonical.Str16(b, clip(ev.Action))
	b = canonical.I64(b, ms)
	b = canonical.Str16(b, clip(ev.EventTimeZoneOffset))
	b = canonical.Str16(b, clip(ev.Step()))
	b = canonical.Str16(b, clip(epcis.TermDisposition.Word(ev.Disposition)))
	b = canonical.Str16(b, placeText(ev.ReadPoint))
	b = canonical.Str16(b, placeText(ev.BizLocation))
	b = putTyped(b, ev.SourceList)
	b = putTyped(b, ev.DestinationList)
	b = putKeys(b, authorisations(ev))
	b = canonical.Str16(b, clip(ev.Lot()))
	b = canonical.Str16(b, clip(ev.Expiry()))
	b = append(b, asByte(ev.ErrorDeclaration != nil))
	for list := commit.EPCList; list <= commit.OutputEPCList; list++ {
		keys := keysIn(it, list)
		if !slices.IsSorted(keys) {
			slices.Sort(keys)
		}
		b = putKeys(b, keys)
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

// keyText is the key text of an identifier as captured; what does not parse stands for itself.
func keyText(id string) string {
	if id == "" {
		return ""
	}
	if epc, err := gs1.ParseEPC(id); err == nil {
		return epc.Key().String()
	}
	return clip("uri:" + id)
}

func placeText(p *epcis.Place) string {
	if p == nil {
		return ""
	}
	return keyText(p.ID)
}

func putTyped(b []byte, list []epcis.SourceDest) []byte {
	pairs := make([]string, len(list))
	for i, sd := range list {
		pairs[i] = string(canonical.Str16(canonical.Str16(nil, clip(epcis.TermSourceDest.Word(sd.Type))), keyText(sd.Value)))
	}
	slices.SortFunc(pairs, comparePairs)
	b = canonical.U32(b, uint32(len(pairs)))
	for _, p := range pairs {
		b = append(b, p...)
	}
	return b
}

// comparePairs orders encoded (type, key) pairs by type, then key.
func comparePairs(x, y string) int {
	split := func(p string) (string, string) {
		r := canonical.NewReader([]byte(p))
		return string(r.Str16()), string(r.Str16())
	}
	xt, xk := split(x)
	yt, yk := split(y)
	if c := strings.Compare(xt, yt); c != 0 {
		return c
	}
	return strings.Compare(xk, yk)
}
