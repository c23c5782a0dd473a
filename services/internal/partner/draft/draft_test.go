package draft

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/partner/journal"
)

// events are n events of units each.
func events(n, units int) *Draft {
	d := &Draft{OnError: submission.Proceed}
	for i := range n {
		epcs := make([]string, units)
		for k := range epcs {
			epcs[k] = fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.%d-%d", i, k)
		}
		e := epcis.Commission(epcis.At{Time: "2026-11-20T11:00:00Z", Offset: "+00:00"}, epcs, "L1", "2028-01-31")
		e.EventID = EventID(uuid.UUID{}, i)
		d.Items = append(d.Items, EventItem(&e, i))
	}
	return d
}

// Items are grouped in order, within every limit of a submission, and sealed once each.
func TestGroup(t *testing.T) {
	for _, tt := range []struct{ n, units, parts int }{{0, 0, 0}, {1, 1, 1}, {10, 200, 1}, {3, 8000, 2}, {5, 16000, 5}, {submission.MaxItems + 1, 1, 2}} {
		d := events(tt.n, tt.units)
		parts, sealed, err := d.Group(&Sealer{network: canonical.Network{1}})
		if err != nil || len(parts) != tt.parts || len(sealed) != tt.parts {
			t.Errorf("%+v: %d parts, %d sealed, %v", tt, len(parts), len(sealed), err)
		}
		next := 0
		for i, items := range parts {
			units := 0
			for _, it := range items {
				if it.Info.Event != next {
					t.Errorf("%+v: event %d in place of %d", tt, it.Info.Event, next)
				}
				next++
				units += CountUnits(&it.Item)
			}
			if len(items) > submission.MaxItems || units > submission.MaxUnits || len(sealed[i]) != len(items) {
				t.Errorf("%+v: part %d has %d items, %d units, %d sealed", tt, i, len(items), units, len(sealed[i]))
			}
		}
		if next != tt.n {
			t.Errorf("%+v: %d events", tt, next)
		}
	}
}

func TestGroupRefuses(t *testing.T) {
	rollback := events(3, 8000)
	rollback.OnError = submission.Rollback
	for name, d := range map[string]*Draft{"more than one submission under rollback": rollback, "more submissions than are made of one request": events(maxParts+1, 16000)} {
		_, _, err := d.Group(&Sealer{network: canonical.Network{1}})
		if limit, ok := errors.AsType[*LimitError](err); !ok || limit.Item || limit.OnError != d.OnError {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One given id has one id on the ledger, at one partner; another partner's says nothing about it.
func TestLedgerID(t *testing.T) {
	const hash = "ni:///sha-256;6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7?ver=CBV2.0"
	dir := t.TempDir()
	sealer := func(dir string) *Sealer {
		j, err := journal.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSealer(canonical.Network{1}, j)
		if err := errors.Join(err, j.Close()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s, again, other := sealer(dir), sealer(dir), sealer(t.TempDir())
	if s.LedgerID(hash) != again.LedgerID(hash) || s.LedgerID(hash) == other.LedgerID(hash) || s.LedgerID(hash) == s.LedgerID(hash+" ") {
		t.Error(s.LedgerID(hash), again.LedgerID(hash), other.LedgerID(hash))
	}
	random := regexp.MustCompile("^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
	for _, id := range []string{s.LedgerID(hash), EventID(uuid.New(), 0)} {
		if !random.MatchString(id) {
			t.Error(id)
		}
	}

	for id, want := range map[string][]string{
		hash: {s.LedgerID(hash), hash}, "urn:acme:order:4711": {s.LedgerID("urn:acme:order:4711")}, s.LedgerID(hash): {s.LedgerID(hash)},
	} {
		if got := s.LedgerIDs(id); !slices.Equal(got, want) {
			t.Errorf("%s may be %v", id, got)
		}
	}

	// What is sealed comes back as it was: text, number, boolean, null, nothing at all; and in the same order.
	was := func() *epcis.Event {
		ext := func(name string, typ epcis.ValueType, text string) epcis.Extension {
			return epcis.Extension{Namespace: "urn:x", Name: name, Type: typ, Text: text}
		}
		e := epcis.Commission(epcis.At{Time: "2026-11-20T11:00:00Z", Offset: "+00:00"}, []string{"urn:epc:id:sgtin:0399990.010001.1"}, "L1", "2028-01-31")
		e.EventID = hash
		e.Extensions = []epcis.Extension{
			ext("t", epcis.Text, "12.50"), ext("n", epcis.Number, "12.50"), ext("b", epcis.Boolean, "true"), ext("z", epcis.Null, ""), ext("e", epcis.Empty, ""), ext("o", epcis.NoValue, ""),
			{Namespace: "urn:x", Name: "l", Attributes: []epcis.Extension{{Name: "[]", Type: epcis.Empty}}, Children: []epcis.Extension{ext("l", epcis.Number, "1"), ext("l", epcis.Text, "1")}},
		}
		return &e
	}
	it := wire.Item{Kind: wire.KindEvent, Message: was()}
	known, err := s.Seal(&it)
	if err != nil {
		t.Fatal(err)
	}
	if ev, _ := it.Message.(*epcis.Event); ev.EventID != s.LedgerID(hash) {
		t.Error(ev.EventID)
	}
	back, err := wire.Unseal(&it, known)
	if diff := cmp.Diff(any(was()), back); diff != "" || err != nil {
		t.Error(err, diff)
	}

	// An event in which nothing is sealed keeps its hash.
	plain := was()
	plain.Extensions = nil
	it = wire.Item{Kind: wire.KindEvent, Message: plain}
	if known, err := s.Seal(&it); err != nil || len(known) != 0 || it.Message.(*epcis.Event).EventID != hash {
		t.Errorf("%v %v %+v", known, err, it.Message)
	}
}
