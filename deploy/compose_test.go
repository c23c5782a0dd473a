package deploy

import (
	"bufio"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/nats-io/nats-server/v2/server"
)

func composeProject(t *testing.T) *types.Project {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: here, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(here, "compose.yaml")}}, Environment: types.Mapping{},
	}, func(o *loader.Options) { o.SetProjectName("verilot", true) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// volumeOf is where services find their folder in a container.
const volumeOf = "/var/lib/verilot"

func ours(s *types.ServiceConfig) bool { return strings.HasPrefix(s.Image, "verilot:") }

var (
	pinned = regexp.MustCompile(`^[a-z/]+:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z0-9.]+)?$`)
	secret = regexp.MustCompile(`(?i)password|passwd|secret|token|credential|(^|_)key($|_)`)
)

// TestCompose holds every service to the same rules.
func TestCompose(t *testing.T) {
	p := composeProject(t)
	here, _ := os.Getwd()
	outside := map[string]bool{} // networks from which there is a way out
	for name := range p.Networks {
		outside[name] = !p.Networks[name].Internal
	}
	published := map[string]bool{"api": true, "manufacturer": true, "distributor": true, "pharmacy": true, "grafana": true}
	for name := range p.Services {
		s := p.Services[name]
		no := func(format string, args ...any) { t.Helper(); t.Errorf(name+": "+format, args...) }
		once := name == "init"
		if !ours(&s) && !pinned.MatchString(s.Image) {
			no("image %q is not pinned to a version", s.Image)
		}
		if b := s.Build; b != nil && (b.Context != filepath.Dir(here) || !exists(filepath.Join(b.Context, b.Dockerfile))) {
			no("build %s in %s", b.Dockerfile, b.Context)
		}
		if (s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 || s.HealthCheck.Disable) != once {
			no("it lacks a health check")
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			no("it is not locked down: read only %v, drops %v, %v", s.ReadOnly, s.CapDrop, s.SecurityOpt)
		}
		if want := map[bool]string{true: types.RestartPolicyNo, false: types.RestartPolicyUnlessStopped}[once]; s.Restart != want {
			no("restart %q, want %q", s.Restart, want)
		}
		if root := s.User == "0:0"; root != once || !once && len(s.CapAdd) > 0 {
			no("user %q, capabilities %v", s.User, s.CapAdd)
		}
		for key, value := range s.Environment {
			if secret.MatchString(key) || value == nil {
				no("%s in the environment", key)
			}
		}
		for _, v := range s.Volumes {
			switch v.Type {
			case types.VolumeTypeBind:
				if rel, err := filepath.Rel(here, v.Source); err != nil || strings.HasPrefix(rel, "..") || !exists(v.Source) || !v.ReadOnly {
					no("mounts %s: it must be in deploy/, exist, and be read only", v.Source)
				}
			case types.VolumeTypeVolume:
				if _, ok := p.Volumes[v.Source]; !ok || !once && v.Source != name {
					no("mounts the volume %s: it is not its own", v.Source)
				}
			default:
				no("mounts a %s", v.Type)
			}
		}
		if (len(s.Ports) > 0) != published[name] {
			no("publishes %v", s.Ports)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				no("publishes on %q", port.HostIP)
			}
		}
		if len(s.Ports) == 0 {
			for n := range s.Networks {
				if outside[n] {
					no("reaches the outside through %s", n)
				}
			}
		}
		if ours(&s) && !once || strings.HasPrefix(name, "nats-") {
			if d := s.DependsOn["init"]; d.Condition != types.ServiceConditionCompletedSuccessfully {
				no("it starts before init has made its files")
			}
		}
		for other, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionHealthy && p.Services[other].HealthCheck == nil {
				no("waits for %s, which has no health check", other)
			}
		}
	}
}

// TestComposeCommands: what init makes in the volumes is what the other services are started with, and the real command accepts it.
func TestComposeCommands(t *testing.T) {
	p := composeProject(t)
	var l layout
	load(t, filepath.Join("layouts", "compose.yaml"), &l)
	dir := t.TempDir()
	// /network/NAME in init is dir/NAME here.
	mounts := map[string]string{}
	init := p.Services["init"]
	for _, v := range init.Volumes {
		if v.Type == types.VolumeTypeBind {
			mounts[v.Target] = v.Source
		} else if filepath.Dir(v.Target) != "/network" || filepath.Base(v.Target) != v.Source && v.Source != "all-keys" {
			t.Errorf("init mounts %s at %s", v.Source, v.Target)
		}
	}
	var args []string
	for _, a := range init.Command {
		a = strings.Replace(a, "/network", dir, 1)
		if m, ok := mounts[a]; ok {
			a = m
		}
		if a == "65532:65532" && os.Getuid() != 0 {
			a = "" // only root gives files away
		}
		args = append(args, a)
	}
	verilot(t, 0, args...)
	for service := range l.Services {
		s, ok := p.Services[service]
		if !ok {
			t.Errorf("init makes %s, which the compose file lacks", service)
			continue
		}
		if !slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Source == service && v.Target == volumeOf }) {
			t.Errorf("%s: its volume is not at %s", service, volumeOf)
		}
		if strings.HasPrefix(service, "nats-") {
			checkNATS(t, filepath.Join(dir, service), &s)
			continue
		}
		if s.Command[0] != commandOf(service) {
			t.Errorf("%s runs %v", service, s.Command)
		}
		var args []string
		for _, a := range s.Command {
			args = append(args, strings.Replace(a, volumeOf, filepath.Join(dir, service), 1))
		}
		verilot(t, 0, append(args, "--check")...)
		h := s.HealthCheck.Test
		if u, err := url.Parse(h[len(h)-1]); err != nil || u.Port() != l.Services[service].port() || u.Path != "/readyz" || h[0] != "CMD" || h[1] != "/usr/bin/verilot" || h[2] != "healthcheck" {
			t.Errorf("%s listens at %s; its health is asked with %v", service, l.Services[service].Listen, h)
		}
		for _, port := range s.Ports {
			if l.Services[service].port() != strings.TrimSpace(port.Published) || port.Target == 0 {
				t.Errorf("%s listens at %s, and %s is published", service, l.Services[service].Listen, port.Published)
			}
		}
	}
	for name := range p.Services {
		s := p.Services[name]
		if _, ok := l.Services[name]; !ok && ours(&s) && name != "init" {
			t.Errorf("%s gets no configuration from init", name)
		}
	}
}

// checkNATS reads the configuration with NATS's own parser, at the paths that it has in the container.
func checkNATS(t *testing.T, folder string, s *types.ServiceConfig) {
	t.Helper()
	opts := natsOptions(t, "", folder, nil)
	name := s.Command[slices.Index(s.Command, "--name")+1]
	if !slices.Contains(s.Command, "/etc/nats/nats.conf") || name != filepath.Base(folder) {
		t.Errorf("%v does not start %s", s.Command, filepath.Base(folder))
	}
	if !opts.JetStream || !opts.SyncAlways || opts.StoreDir != volumeOf+"/data" || opts.MaxPayload < 1<<20 {
		t.Errorf("JetStream %v, sync_interval: always %v, store_dir %q, max_payload %d", opts.JetStream, opts.SyncAlways, opts.StoreDir, opts.MaxPayload)
	}
	if opts.JetStreamMaxStore > 0 || opts.JetStreamMaxMemory > 0 {
		t.Error("a limit would stop everybody when it is reached")
	}
	if opts.Cluster.Name == "" || len(opts.Routes) != 3 || opts.Cluster.Username == "" || len(opts.Cluster.Password) < 20 {
		t.Errorf("cluster %q, %d routes", opts.Cluster.Name, len(opts.Routes))
	}
	if len(opts.TrustedOperators) != 1 || opts.SystemAccount == "" || opts.AccountResolver == nil {
		t.Error("whoever reaches the port may do anything")
	}
}

// natsOptions reads deploy/nats/nats.conf beside the files that `verilot init` made in folder, which is where the container has /var/lib/verilot,
// after changing some of its text.
func natsOptions(t *testing.T, root, folder string, change []string) *server.Options {
	t.Helper()
	if root == "" {
		root = t.TempDir()
	}
	there := filepath.Join(root, volumeOf)
	for _, f := range []string{"access.conf", "cluster.conf"} {
		write(t, filepath.Join(there, f), read(t, filepath.Join(folder, f)))
	}
	file := filepath.Join(root, "etc", "nats", "nats.conf")
	write(t, file, strings.NewReplacer(change...).Replace(read(t, filepath.Join("nats", "nats.conf"))))
	opts, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return opts
}

// TestDockerfile: what it copies is there, its bases are pinned, and the image that it makes runs as nobody in particular.
func TestDockerfile(t *testing.T) {
	var last, user string
	var entry bool
	stages := map[string]bool{"scratch": true}
	copied := map[string]bool{}
	args := map[string]string{}
	s := bufio.NewScanner(strings.NewReader(strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")))
	for s.Scan() {
		f := strings.Fields(s.Text())
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		switch f[0] {
		case "ARG":
			name, value, _ := strings.Cut(f[1], "=")
			args[name] = value
		case "FROM":
			last, user = f[1], ""
			if base := args[strings.Trim(last, "${}")]; !stages[last] && !regexp.MustCompile(`^[a-z]+:[0-9]+(\.[0-9]+)?-bookworm(-slim)?$`).MatchString(base) {
				t.Errorf("base %s is %q", last, base)
			}
			if len(f) == 4 {
				stages[f[3]] = true
			}
		case "COPY":
			var from bool
			var paths []string
			for _, a := range f[1:] {
				if stage, ok := strings.CutPrefix(a, "--from="); ok {
					if from = true; !stages[stage] {
						t.Errorf("copies from %s, which is not built before", stage)
					}
				} else if !strings.HasPrefix(a, "--") {
					paths = append(paths, a)
				}
			}
			for _, p := range paths[:len(paths)-1] {
				if copied[strings.TrimSuffix(p, "/")] = true; !from && !exists(filepath.Join("..", p)) {
					t.Errorf("copies %s, which is not there", p)
				}
			}
		case "USER":
			user = f[1]
		case "ENTRYPOINT":
			entry = strings.Contains(s.Text(), `["/usr/bin/verilot"]`)
		}
	}
	if last != "scratch" || user != "65532:65532" || !entry {
		t.Errorf("the last stage is from %s, as user %s", last, user)
	}
	for _, m := range regexp.MustCompile(`=> \.\./(\w+)`).FindAllStringSubmatch(read(t, filepath.Join("..", "services", "go.mod")), -1) {
		if !copied[m[1]] {
			t.Errorf("services needs the module %s, which is not copied", m[1])
		}
	}
	if main := read(t, filepath.Join("..", "services", "cmd", "verilot", "main.go")); !strings.Contains(main, "var version = ") {
		t.Error("-X main.version sets nothing any more")
	}
}
