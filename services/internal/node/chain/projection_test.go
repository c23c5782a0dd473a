package chain

import (
	"os"
	"path/filepath"
	"testing"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/chain/chaintest"
)

func projectAs(kind string) Project {
	return func(*consensus.Result, state.View) (state.WriteSet, error) {
		return state.WriteSet{{Key: "x/make", Value: []byte(kind)}}, nil
	}
}

// A copy of older make is built again at start, and stays of the new make whatever befalls it then: what the older one kept
// for an unclean stop must not come back.
func TestProjectionOfAnotherMake(t *testing.T) {
	g := chaintest.Genesis(t, 1, created)
	dir := t.TempDir()
	start := func(version int, kind string) (*Chain, string) {
		t.Helper()
		c, err := Open(dir, g, Options{Project: projectAs(kind), ProjectVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		b, _ := c.Live().Get("x/make")
		return c, string(b)
	}
	c, _ := start(1, "old")
	grow(t, c, 5)
	c.Close()
	c, made := start(2, "new")
	if made != "new" {
		t.Fatalf("after the update the records are %q", made)
	}
	c.Close()
	if err := os.Remove(filepath.Join(dir, cleanFile)); err != nil { // kill -9
		t.Fatal(err)
	}
	c, made = start(2, "new")
	if made != "new" {
		t.Errorf("after an unclean stop the records are %q again", made)
	}
	grow(t, c, 7)
	c.Close()
	if err := os.Remove(filepath.Join(dir, cleanFile)); err != nil {
		t.Fatal(err)
	}
	if _, made = start(2, "new"); made != "new" {
		t.Errorf("after another one they are %q", made)
	}
}
