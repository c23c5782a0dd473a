package custody

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
	for _, r := range []record{
		{state: Active, phase: Held, holder: "m"},
		{state: Active, phase: InTransit, holder: "m"},
		{state: Active, phase: InTransit, holder: "m", shipment: short},
		{state: Dispensed},
		{state: Destroyed},
		{state: Decommissioned},
		{state: Lost},
		{state: Stolen},
		{state: Active},
	} {
		names = append(names, l.stateName(&r))
	}
	if d := cmp.Diff(names, UnitStates()); d != "" {
		t.Error(d)
	}
}
