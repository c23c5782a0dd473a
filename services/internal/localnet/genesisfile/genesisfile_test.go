package genesisfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/localnet/genesisfile"
)

// FuzzCompose: whatever the document, there is an error or a genesis file that the ledger accepts, the same one every time.
// What wrong documents are told is in deploy/main_test.go.
func FuzzCompose(f *testing.F) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "deploy", "network.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	if _, g, err := genesisfile.Compose(doc); err != nil || g.Development || len(g.Validators.Validators) != 4 {
		f.Fatalf("the example: %v", err)
	}
	f.Add(doc)
	f.Add([]byte("network: x\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, doc []byte) {
		one, _, err := genesisfile.Compose(doc)
		if err != nil {
			return
		}
		two, _, err := genesisfile.Compose(doc)
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("the second time: %v", err)
		}
		if _, err := genesis.Parse(one); err != nil {
			t.Error(err)
		}
	})
}
