package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-yaml"
)

// binary is the real command, built once from the working tree.
var (
	binary = sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "verilot-deploy-")
		if err != nil {
			return "", err
		}
		built = dir
		out := filepath.Join(dir, "verilot")
		cmd := exec.Command("go", "build", "-o", out, "./cmd/verilot")
		cmd.Dir = filepath.Join("..", "services")
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if b, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build verilot: %w\n%s", err, b)
		}
		return out, nil
	})
	built string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// verilot runs the command and returns what it says; it must end with the code.
func verilot(t *testing.T, want int, args ...string) string {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	code := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		code = e.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if code != want {
		t.Errorf("verilot %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, out.String())
	}
	return out.String()
}

// load reads a YAML file of ours into v; what v does not have is an error.
func load(t *testing.T, file string, v any) {
	t.Helper()
	b := read(t, file)
	if err := yaml.NewDecoder(strings.NewReader(b), yaml.Strict(), yaml.DisallowUnknownField()).Decode(v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// layout is what `verilot init` reads.
type layout struct {
	Config    string           `yaml:"config"`
	Data      string           `yaml:"data"`
	LogLevel  string           `yaml:"log_level,omitempty"`
	LogFormat string           `yaml:"log_format,omitempty"`
	Services  map[string]place `yaml:"services"`
}

type place struct {
	Host    string `yaml:"host,omitempty"`
	Listen  string `yaml:"listen"`
	Cluster string `yaml:"cluster,omitempty"`
}

func (p place) port() string { return p.Listen[strings.LastIndex(p.Listen, ":")+1:] }

// commandOf is the subcommand that runs a service of a layout.
func commandOf(service string) string {
	kind, _, _ := strings.Cut(service, "-")
	if kind == "nats" {
		return "broker"
	}
	return kind
}

// TestLayouts makes a network of each layout. Every service gets a configuration that the service itself accepts, the files that it
// names, and nobody else's keys.
func TestLayouts(t *testing.T) {
	for _, name := range []string{"compose", "hosts"} {
		t.Run(name, func(t *testing.T) {
			file, dir := filepath.Join("layouts", name+".yaml"), t.TempDir()
			var l layout
			load(t, file, &l)
			verilot(t, 0, "init", "--data", dir, "--layout", file)
			before := read(t, filepath.Join(dir, "all", "genesis.json"))
			verilot(t, 0, "init", "--data", dir, "--layout", file)
			if read(t, filepath.Join(dir, "all", "genesis.json")) != before {
				t.Error("the second init made another network")
			}
			for service := range l.Services {
				folder := filepath.Join(dir, service)
				config := filepath.Join(folder, "config.yaml")
				verilot(t, 0, commandOf(service), "--config", config, "--check")
				there := strings.ReplaceAll(l.Config, "{service}", service) + "/"
				for field := range strings.FieldsSeq(read(t, config)) {
					if name, ok := strings.CutPrefix(field, there); ok && name != "data" && !exists(filepath.Join(folder, name)) {
						t.Errorf("%s: the configuration names %s, which is not delivered", service, name)
					}
				}
				checkSignIn(t, service, config)
				files, err := os.ReadDir(folder)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range files {
					info, err := f.Info()
					if err != nil {
						t.Fatal(err)
					}
					if info.Mode().Perm()&0o077 != 0 {
						t.Errorf("%s/%s may be read by others: %v", service, f.Name(), info.Mode())
					}
					own := f.Name() == "nats.creds" || strings.HasPrefix(f.Name(), service) || service == "api" && strings.HasPrefix(f.Name(), "regulator-")
					if secret := strings.HasSuffix(f.Name(), ".pem") || strings.HasSuffix(f.Name(), ".creds") || strings.HasSuffix(f.Name(), ".token"); secret && !own {
						t.Errorf("%s got %s", service, f.Name())
					}
					if strings.HasSuffix(f.Name(), ".nk") {
						t.Errorf("%s got %s: only whoever makes users needs it", service, f.Name())
					}
				}
			}
		})
	}
}

// checkSignIn: a service that knows sign-in must not be made open to everybody.
func checkSignIn(t *testing.T, service, config string) {
	t.Helper()
	var c struct {
		SignIn map[string]any `yaml:"sign_in"`
	}
	if err := yaml.Unmarshal([]byte(read(t, config)), &c); err != nil {
		t.Fatal(err)
	}
	if c.SignIn == nil {
		return
	}
	file, _ := c.SignIn["development_token_file"].(string)
	if open, _ := c.SignIn["development_open"].(bool); file == "" || open {
		t.Errorf("%s is open to whoever reaches it: sign_in is %v", service, c.SignIn)
	}
}

// TestLayoutRefused: what is wrong with a layout is said, all at once.
func TestLayoutRefused(t *testing.T) {
	for want, text := range map[string]string{
		"unknown field":                    "config: /a\ndata: /b\nfolder: /c\n",
		"config is \"relative\"":           "config: relative\ndata: /b\nservices: {}\n",
		"services: api is missing":         "config: /a\ndata: /b\nservices: {nats-1: {host: h, listen: \"h:1\"}}\n",
		"3 validators make no cluster":     "config: /a\ndata: /b\nservices: {validator-1: {listen: \"h:1\"}, validator-2: {listen: \"h:1\"}, validator-3: {listen: \"h:1\"}}\n",
		"services: wholesaler is not know": "config: /a\ndata: /b\nservices: {wholesaler: {listen: \"h:1\"}}\n",
		"such as 0.0.0.0:8080":             "config: /a\ndata: /b\nservices: {api: {host: h, listen: \"8080\"}}\n",
		"host is missing":                  "config: /a\ndata: /b\nservices: {api: {listen: \"h:8080\"}}\n",
	} {
		file := filepath.Join(t.TempDir(), "layout.yaml")
		write(t, file, text)
		if got := verilot(t, 2, "init", "--data", t.TempDir(), "--layout", file); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q:\n%s", text, want, got)
		}
	}
}

// TestConsortium composes the example of a network where nobody holds all keys, and makes its brokers' accounts.
func TestConsortium(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.json"), filepath.Join(dir, "two.json")
	verilot(t, 0, "genesis", "make", "network.yaml", "--out", one)
	verilot(t, 0, "genesis", "make", "network.yaml", "--out", two)
	if a, b := read(t, one), read(t, two); a != b || !strings.Contains(a, `"development": false`) {
		t.Error("the same document made two networks, or one for development")
	}
	verilot(t, 2, "genesis", "make", "network.yaml", "--out", one) // never overwritten
	verilot(t, 0, "creds", "--genesis", one, "--out", filepath.Join(dir, "accounts"))
	for _, f := range []string{"access.conf", "acme.creds", "acme-validator.creds", "corner.creds", "reader.creds"} {
		if !exists(filepath.Join(dir, "accounts", f)) {
			t.Errorf("%s was not made", f)
		}
	}
	for want, change := range map[string][2]string{
		`unknown field "colour"`:         {"network: example-2027", "network: example-2027\ncolour: red"},
		"created is":                     {"created: 2026-12-01T12:00:00Z", ""},
		"verdict_key is missing":         {"verdict_key:", "# verdict_key:"},
		"it must be 32 bytes":            {"event_keys: [", "event_keys: [00"},
		"validators: there are 0":        {"validators:\n", "validators: []\nnothing:\n"},
		"lacks the role":                 {"roles: [dispenser, validator]", "roles: [dispenser]"},
		"authorities is empty":           {"authorities:\n", "authorities: []\nnothing:\n"},
		"grace is":                       {"grace: 24h", "grace: a day"},
		"\"nobody\" is not in parties":   {"party: board", "party: nobody"},
		"company prefix \"12\" is not 6": {"prefixes: [\"0399991\"]", "prefixes: [\"12\"]"},
	} {
		doc := strings.Replace(read(t, "network.yaml"), change[0], change[1], 1)
		doc = strings.NewReplacer("nothing:\n  - {party: board", "# ", "nothing:\n", "").Replace(doc)
		if i := strings.Index(doc, "validators: []\n"); i >= 0 {
			doc = doc[:i+len("validators: []\n")]
		}
		file := filepath.Join(t.TempDir(), "network.yaml")
		write(t, file, doc)
		if got := verilot(t, 2, "genesis", "make", file); !strings.Contains(got, want) {
			t.Errorf("%v: it does not say %q:\n%s", change, want, got)
		}
	}
}
