package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/node/chain"
)

// checkRebuild opens the api's copy of a stopped network, drops its state and index, rebuilds both from the blocks, and compares
// every key. All validators' blocks must be the same
// bytes, but for the certificates and whose copy was damaged.
func checkRebuild(t *testing.T, dir string, damaged ...string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := genesis.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	open := func(path string, o chain.Options) *chain.Chain {
		c, err := chain.Open(filepath.Join(dir, path, "chain"), g, o)
		if err != nil {
			t.Fatalf("open the copy of %s: %v", path, err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		return c
	}
	api := open("api", chain.Options{Project: index.Project})
	before := dump(t, api)
	if err := api.Rebuild(t.Context()); err != nil {
		t.Fatalf("rebuild: %v", err)
	}
	after := dump(t, api)
	if len(before) == 0 || !maps.Equal(before, after) {
		for k, v := range before {
			if after[k] != v {
				t.Errorf("key %q differs after the rebuild", k)
			}
		}
		t.Fatalf("the index had %d keys, a rebuild has %d", len(before), len(after))
	}

	for i := range g.Validators.Validators {
		name := fmt.Sprintf("validator-%d", i+1)
		if slices.Contains(damaged, name) {
			continue
		}
		validator := open(name, chain.Options{})
		// Whoever is behind when all are stopped is behind by what was being decided.
		top := min(api.Head().Header.Height, validator.Head().Header.Height)
		if top+2 < api.Head().Header.Height {
			t.Errorf("%s is at height %d, the api at %d", name, top, api.Head().Header.Height)
		}
		for h := uint64(1); h <= top; h++ {
			a, err := api.Stored(h)
			if err != nil {
				t.Fatal(err)
			}
			v, err := validator.Stored(h)
			if err != nil {
				t.Fatal(err)
			}
			a.Certificate, v.Certificate = nil, nil // any quorum will do
			if !reflect.DeepEqual(a, v) {           // a diff of every block would take minutes
				t.Errorf("block %d differs between api and %s:\n%s", h, name, cmp.Diff(a, v))
			}
		}
	}
}

func dump(t *testing.T, c *chain.Chain) map[string]string {
	t.Helper()
	view, done, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	out := map[string]string{}
	view.Scan("", func(k string, v []byte) bool { out[k] = string(v); return true })
	return out
}
