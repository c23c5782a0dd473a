package localnet_test

import (
	"cmp"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/localnet"
)

// A start that cannot succeed says what to do, leaves a folder that the next start completes, and never makes a second
// network in it. That a network runs, stops and starts again is told in services/internal/localnet/demo.
func TestStartsThatFail(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := taken.Addr().(*net.TCPAddr).Port

	for _, validators := range []int{0, 1, 4, 7} {
		dir := t.TempDir()
		start := func(n int) error {
			net, err := localnet.Start(t.Context(), localnet.Options{Dir: dir, Validators: n, PortsBase: port, MakerPrefixes: []string{"030002"}})
			if err == nil {
				return errors.Join(errors.New("it started on a port that is taken"), net.Stop())
			}
			return err
		}
		read := func() *genesis.Genesis {
			raw, err := os.ReadFile(filepath.Join(dir, "genesis.json"))
			if err != nil {
				t.Fatal(err)
			}
			g, err := genesis.Parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		if err := start(validators); !strings.Contains(err.Error(), "--ports-base") {
			t.Errorf("%d validators: %v", validators, err)
		}
		g := read()
		if len(g.Validators.Validators) != cmp.Or(validators, localnet.DefaultValidators) || !g.Development || !slices.Contains(g.Parties[0].Prefixes, "030002") {
			t.Errorf("%d validators, development %v, prefixes %v", len(g.Validators.Validators), g.Development, g.Parties[0].Prefixes)
		}
		if err := start(validators); !strings.Contains(err.Error(), "--ports-base") {
			t.Errorf("%d validators, the second time: %v", validators, err)
		}
		if read().Hash != g.Hash {
			t.Error("the second start made another network")
		}
		if err := start(10); !errors.Is(err, localnet.ErrOtherNetwork) || !strings.Contains(err.Error(), "--data") {
			t.Errorf("ten validators: %v", err)
		}
		keys, err := filepath.Glob(filepath.Join(dir, "keys", "*.pem"))
		if err != nil || len(keys) == 0 {
			t.Errorf("%d keys %v", len(keys), err)
		}
		for _, k := range keys {
			if info, err := os.Stat(k); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", k, info.Mode(), err)
			}
		}

		// A crash between keys and genesis file: the keys stay, a genesis file is made for them.
		if err := os.Remove(filepath.Join(dir, "genesis.json")); err != nil {
			t.Fatal(err)
		}
		_ = start(validators)
		if again := read(); !again.Validators.Validators[0].VoteKey.Equal(g.Validators.Validators[0].VoteKey) {
			t.Error("the validator has another key than before")
		}
	}
}

// A second network in the same folder would open the running broker's files.
func TestFolderInUse(t *testing.T) {
	dir := t.TempDir()
	n, err := localnet.Start(t.Context(), localnet.Options{Dir: dir, Validators: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := localnet.Start(t.Context(), localnet.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another network is running in this folder") {
		t.Errorf("a second start in the same folder: %v", err)
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	// Without its genesis file the folder is no new network.
	if err := os.Remove(filepath.Join(dir, "genesis.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := localnet.Start(t.Context(), localnet.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "genesis.json is missing") {
		t.Errorf("a start without the genesis file: %v", err)
	}
}
