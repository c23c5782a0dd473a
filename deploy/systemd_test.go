package deploy

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unit reads a unit file: values by section.key, of every line.
func unit(t *testing.T, file string) map[string][]string {
	t.Helper()
	out, section := map[string][]string{}, ""
	for line := range strings.Lines(read(t, file)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case ok:
			out[section+"."+key] = append(out[section+"."+key], value)
		default:
			t.Errorf("%s: %q is neither a section nor a setting", file, line)
		}
	}
	return out
}

// TestSystemd: every unit starts a command that accepts the example configuration, which names the unit's own folders, and is locked down.
func TestSystemd(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("systemd", "*.service"))
	if err != nil || len(files) != 6 {
		t.Fatalf("%d units, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			u := unit(t, file)
			for key, want := range map[string]string{
				"Service.User": "verilot", "Service.Restart": "on-failure", "Service.RestartPreventExitStatus": "2 4", "Service.NoNewPrivileges": "yes",
				"Service.ProtectSystem": "strict", "Service.ProtectHome": "yes", "Service.CapabilityBoundingSet": "", "Service.LimitNOFILE": "65536",
				"Service.UMask": "0077", "Service.StateDirectoryMode": "0700", "Install.WantedBy": "multi-user.target", "Unit.StartLimitIntervalSec": "0",
			} {
				if !slices.Equal(u[key], []string{want}) {
					t.Errorf("%s is %q, want %q", key, u[key], want)
				}
			}
			instance := strings.NewReplacer("%i", "1").Replace
			start := strings.Fields(instance(u["Service.ExecStart"][0]))
			if len(start) != 4 || start[0] != "/usr/local/bin/verilot" || start[2] != "--config" {
				t.Fatalf("ExecStart %v", start)
			}
			example := filepath.Join("systemd", "examples", start[1]+".yaml")
			verilot(t, 0, start[1], "--config", example, "--check")
			text, etc, state := read(t, example), filepath.Dir(start[3]), "/var/lib/"+instance(u["Service.StateDirectory"][0])
			if !strings.Contains(text, "# "+start[3]) || !strings.Contains(text, " "+state+"\n") || u["Service.WorkingDirectory"][0] != "/var/lib/"+u["Service.StateDirectory"][0] {
				t.Errorf("the example is not that of %s, with data in %s", start[3], state)
			}
			for field := range strings.FieldsSeq(text) {
				if strings.HasPrefix(field, "/etc/verilot/") && filepath.Dir(field) != etc || strings.HasPrefix(field, "/var/") && field != state {
					t.Errorf("the example names %s", field)
				}
			}
			analyze(t, file)
		})
	}
}

// analyze has systemd read the unit, where there is one; the checks above hold everywhere.
func analyze(t *testing.T, file string) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: the unit was read by this test alone")
		return
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	// It looks for the binary; a template is read as one of its instances.
	name := strings.Replace(filepath.Base(file), "@.", "@1.", 1)
	copied := filepath.Join(t.TempDir(), name)
	write(t, copied, strings.ReplaceAll(read(t, file), "/usr/local/bin/verilot", bin))
	if out, err := exec.Command(tool, "verify", "--man=no", copied).CombinedOutput(); err != nil || strings.Contains(string(out), name) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
