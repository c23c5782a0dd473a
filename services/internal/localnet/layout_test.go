package localnet_test

import (
	"os"
	"path/filepath"
	"testing"

	"verilot.dev/services/internal/localnet"
)

// FuzzParseLayout: a layout that is accepted has every service that a network needs. That networks made of the layouts in deploy/ run is
// told by the tests there.
func FuzzParseLayout(f *testing.F) {
	for _, name := range []string{"compose.yaml", "hosts.yaml"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "layouts", name))
		if err != nil {
			f.Fatal(err)
		}
		if _, err := localnet.ParseLayout(name, b); err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := localnet.ParseLayout("fuzz", b)
		if err != nil {
			return
		}
		for _, name := range []string{"nats-1", "validator-1", "api", "manufacturer", "distributor", "pharmacy"} {
			if l.Services[name].Listen == "" {
				t.Errorf("%s is missing", name)
			}
		}
	})
}
