package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"verilot.dev/services/api"
	"verilot.dev/services/internal/service"
	"verilot.dev/services/manufacturer"
	"verilot.dev/services/validator"
)

// runbookConfigs are the YAML examples of docs/runbook.md by the service in their first line.
func runbookConfigs(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "runbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, part := range strings.Split(string(b), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(part, "```")
		words := strings.Fields(text)
		out[words[2]] = text
	}
	return out
}

// TestRunbook keeps the configuration examples true: every one of them loads.
func TestRunbook(t *testing.T) {
	configs := runbookConfigs(t)
	for name, into := range map[string]any{"validator": &validator.Config{}, "api": &api.Config{}, "manufacturer": &manufacturer.Config{}} {
		file := filepath.Join(t.TempDir(), name+".yaml")
		if err := os.WriteFile(file, []byte(configs[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := service.Load(file, into); err != nil {
			t.Errorf("the example of %s does not load: %v", name, err)
		}
	}
}

// A configuration file of an earlier version is refused with the name that its key has now.
func TestOldBrokerKeys(t *testing.T) {
	for service, old := range map[string][]string{
		"validator": {"nats", "creds"}, "api": {"nats", "creds"},
		"manufacturer": {"nats", "nats_creds"}, "distributor": {"nats", "nats_creds"}, "pharmacy": {"nats", "nats_creds"},
	} {
		for _, key := range old {
			file := filepath.Join(t.TempDir(), service+".yaml")
			if err := os.WriteFile(file, []byte("genesis: genesis.json\n"+key+": x\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			now := map[string]string{"nats": "broker.url", "creds": "broker.creds", "nats_creds": "broker.creds"}[key]
			if code, _, errs := verilot(t, service, "--config", file, "--check"); code != 2 || !strings.Contains(errs, "the key "+key+" is now "+now) {
				t.Errorf("%s with %s: exit code %d, %s", service, key, code, errs)
			}
		}
	}
}
