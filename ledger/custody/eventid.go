package custody

import "verilot.dev/ledger/state"

func withEventID(v state.View, id string) []told { return nil }
