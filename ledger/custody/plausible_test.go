package custody

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// An id stands for the first content that its publisher recorded under it, whatever the id is and whoever else uses it.
func TestEventIDs(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	ids := []string{"urn:uuid:1", "urn:uuid:2", "urn:uuid:", "\x00", "\x00w", long, long + "y"}
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		type owner struct{ id, party string }
		first := map[owner]canonical.Hash{}
		seen := map[string]bool{}
		for range rapid.IntRange(1, 30).Draw(t, "events") {
			id := rapid.SampledFrom(ids).Draw(t, "id")
			who := rapid.SampledFrom([]string{"M", "W"}).Draw(t, "who")
			it := w.item(who, "transports", []string{fmt.Sprintf("u%d", rapid.IntRange(1, 3).Draw(t, "unit"))})
			ev := it.Message.(*epcis.Event)
			ev.EventID, ev.EventTime = id, "2026-03-02T08:00:00Z"
			hash := MatchHash(w.net, it)
			told := who + string(hash[:])
			o := owner{id, partyID(who)}

			j := w.judge(who, it)
			before, taken := first[o]
			switch {
			case seen[told]:
				if j.Code != verdict.DupEvent {
					t.Fatalf("the same again: %s %s", j.Code, j.Detail)
				}
			case taken && before != hash:
				if j.Code != verdict.EventIDReused || j.Verdict != block.Rejected || len(j.Findings) > 0 {
					t.Fatalf("another event under the same id: %+v", j)
				}
			default:
				if j.Verdict != block.Accepted {
					t.Fatalf("%s %s", j.Code, j.Detail)
				}
				seen[told] = true
				first[o] = hash
			}
		}
		for _, id := range ids {
			var want, got []string
			for _, who := range []string{"M", "W"} {
				if hash, ok := first[owner{id, partyID(who)}]; ok {
					want = append(want, fmt.Sprintf("%s %x", partyID(who), hash))
				}
			}
			eventsOfID(w.st, id, func(party string, hash canonical.Hash, _ canonical.Position) bool {
				got = append(got, fmt.Sprintf("%s %x", party, hash))
				return true
			})
			if !slices.Equal(want, got) {
				t.Fatalf("id %.20q: recorded by %v, want %v", id, got, want)
			}
		}
		w.st.(*state.Memory).Scan(eventIDAt, func(k string, _ []byte) bool {
			if len(k) > 40 {
				t.Fatalf("a key of %d bytes", len(k))
			}
			return true
		})
	})
}
