package draft

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/submission"
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
