package custody

import (
	"fmt"
	"testing"

	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// reads counts what is read of a ledger.
type reads struct {
	state.Store
	n *int
}

func (r reads) Get(key string) ([]byte, bool) {
	*r.n++
	return r.Store.Get(key)
}

// What a declaration looks at is bounded, however much the later events name: a block counts it as so much (TakesAll).
func TestCostOfDeclaration(t *testing.T) {
	w := newWorld(t)
	w.run("M commissions u1 lot A exp 2028-03-31", "first: M holds u1 as damaged")
	for i := range 8 {
		w.run(fmt.Sprintf("M holds u1,u%d..u%d as damaged", i*3000+2, i*3000+3001))
	}
	n := 0
	w.st = reads{w.st, &n}
	w.line("M retracts first")
	if len(w.last.Findings) != 1 || w.last.Findings[0].Code != verdict.ErrdeclBreaksChain {
		t.Error(w.last)
	}
	if n > MaxContents {
		t.Errorf("%d reads to take back an event about one thing", n)
	}
}
