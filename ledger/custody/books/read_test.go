package books

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// What asks for units in a state offers UnitStates: a name too few could not be asked for, one too many would find nothing.
func TestUnitStates(t *testing.T) {
	short := canonical.Position{Height: 2}
	l := newLotReader(state.NewMemory())
	l.short[short] = true
	var names []string
	for _, r := range []Record{
		{State: Active, Phase: Held, Holder: "m"},
		{State: Active, Phase: InTransit, Holder: "m"},
		{State: Active, Phase: InTransit, Holder: "m", Shipment: short},
		{State: Dispensed},
		{State: Destroyed},
		{State: Decommissioned},
		{State: Lost},
		{State: Stolen},
		{State: Active},
	} {
		names = append(names, l.stateName(&r))
	}
	if d := cmp.Diff(names, UnitStates()); d != "" {
		t.Error(d)
	}
}
