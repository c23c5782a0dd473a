package localnet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/broker"
	"verilot.dev/services/internal/localnet/natsauth"
	"verilot.dev/services/internal/service"
)

// all is the folder, beside those of the services, that keeps every private key of the network.
const all = "all"

// configFile is what a service is started with, in its folder.
const configFile = "config.yaml"

// Files of a broker's folder beside natsauth.ConfFile.
const (
	secretFile  = "cluster-secret"
	clusterFile = "cluster.conf" // for a NATS server that is not verilot broker
)

// InitOptions say what Init makes.
type InitOptions struct {
	Dir    string
	Layout *Layout
	// UID and GID will own the folders of services; -1: whoever calls.
	UID, GID int
}

// InitResult is what Init made, or found.
type InitResult struct {
	Genesis *genesis.Genesis
	Created bool // it was not there before
	// Folders by service.
	Folders map[string]string
}

// Init makes a development network for several machines: one folder for each service with its configuration, the genesis file and the keys
// that it needs and no others, and the folder "all" with every key, which runs nothing. Called again it keeps keys and genesis file and
// writes the configuration anew.
func Init(o InitOptions) (*InitResult, error) {
	m, err := o.init()
	if err != nil {
		return nil, fmt.Errorf("make a network in %s: %w", o.Dir, err)
	}
	return m, nil
}

func (o *InitOptions) init() (*InitResult, error) {
	l := o.Layout
	dir, err := filepath.Abs(filepath.Join(o.Dir, all))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	held, err := lock(dir)
	if err != nil {
		return nil, err
	}
	if held != nil {
		defer func() { _ = held.Close() }()
	}
	validators, now := max(l.count("validator-"), 1), time.Now()
	g, created, err := loadGenesis(dir, setup{validators: validators, name: networkName(now), now: now})
	if err != nil {
		return nil, err
	}
	if have := len(g.Validators.Validators); have != validators {
		return nil, fmt.Errorf("%w: it has %s, and the layout %d", ErrOtherNetwork, count(have, "validator"), validators)
	}
	// Should somebody run "verilot up" in there, it says that the streams are elsewhere instead of voting with these keys.
	if err := WriteFile(filepath.Join(dir, brokersFile), []byte(strconv.Itoa(external)+"\n")); err != nil {
		return nil, err
	}
	if _, err := tokens(dir); err != nil {
		return nil, err
	}
	if err := o.makeAccounts(dir, g); err != nil {
		return nil, err
	}
	configs, err := o.configs(dir, g)
	if err != nil {
		return nil, err
	}
	m := &InitResult{Genesis: g, Created: created, Folders: map[string]string{}}
	for name, c := range configs {
		folder := filepath.Join(o.Dir, name)
		m.Folders[name] = folder
		if err := o.writeFolder(dir, folder, name, c); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return m, nil
}

// serviceFiles are a service's configuration and the files that it needs without naming them.
type serviceFiles struct {
	command string
	config  any
	beside  map[string]string // by name
}

// configs are those of all services, with the files of the folder dir.
func (o *InitOptions) configs(dir string, g *genesis.Genesis) (map[string]serviceFiles, error) {
	l := o.Layout
	api := l.Services["api"]
	p := &plan{
		o: &Options{Dir: dir, LogLevel: l.LogLevel, SignIn: true}, brokers: l.brokers(), ports: make([]int, 1+len(roles)),
		urls: map[string]string{"api": "http://" + api.at(api.Listen)},
	}
	common := func(name string) service.Common {
		return service.Common{Listen: l.Services[name].Listen, LogLevel: l.LogLevel, LogFormat: l.LogFormat}
	}
	creds := func(name string) string { return natsauth.CredsFile(natsDir(dir), name) }
	out := map[string]serviceFiles{}
	for i := range g.Validators.Validators {
		name, c := validatorName(i), p.validator(i)
		c.Common, c.Data, c.Broker.Creds = common(name), in(l.Data, name), creds(name)
		out[name] = serviceFiles{command: "validator", config: c}
	}
	c := p.api()
	c.Common, c.Data, c.Broker.Creds = common("api"), in(l.Data, "api"), creds("api")
	out["api"] = serviceFiles{command: "api", config: c}
	for i, role := range roles {
		c := p.partner(i)
		c.Common, c.Data, c.Broker.Creds = common(role), in(l.Data, role), creds(role)
		out[role] = serviceFiles{command: role, config: c}
	}
	clusterSecret, err := secret(filepath.Join(dir, secretFile))
	if err != nil {
		return nil, err
	}
	for i := range l.count("nats-") {
		name := brokerName(i)
		out[name] = serviceFiles{command: "broker", config: o.broker(dir, name), beside: map[string]string{clusterFile: l.routes(clusterSecret)}}
	}
	return out, nil
}

func natsDir(dir string) string { return filepath.Join(dir, "nats-accounts") }

// makeAccounts makes the brokers' accounts.
func (o *InitOptions) makeAccounts(dir string, g *genesis.Genesis) error {
	users := []natsauth.User{{Name: "api", Party: DemoRegulator}}
	for i, v := range g.Validators.Validators {
		users = append(users, natsauth.User{Name: validatorName(i), Validator: v.Party})
	}
	for i, role := range roles {
		users = append(users, natsauth.User{Name: role, Party: partners()[i].id})
	}
	return natsauth.Make(natsDir(dir), g.Name, users)
}

// broker is the configuration of one that is run with "verilot broker".
func (o *InitOptions) broker(dir, name string) broker.Config {
	l := o.Layout
	p := l.Services[name]
	host, _, _ := net.SplitHostPort(p.Listen) // checked when the layout was read
	port, _ := portOf(p.Listen)
	c := broker.Config{
		Common: service.Common{LogLevel: l.LogLevel, LogFormat: l.LogFormat},
		Dir:    in(l.Data, name), Host: host, Port: port, Name: name, Access: filepath.Join(natsDir(dir), natsauth.ConfFile),
	}
	if p.Cluster != "" {
		c.Cluster = broker.Cluster{Name: clusterName, SecretFile: filepath.Join(dir, secretFile), Routes: l.clusterAddresses()}
		c.Cluster.Host, _, _ = net.SplitHostPort(p.Cluster)
		c.Cluster.Port, _ = portOf(p.Cluster)
	}
	return c
}

func (l *Layout) clusterAddresses() []string {
	var out []string
	for i := range l.count("nats-") {
		if p := l.Services[brokerName(i)]; p.Cluster != "" {
			out = append(out, p.at(p.Cluster))
		}
	}
	return out
}

// routes is what the cluster block of a NATS server includes.
func (l *Layout) routes(secret string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Include this in the cluster block. Secret: whoever knows it is one of the servers.\nauthorization { user: broker, password: %q, timeout: 5 }\nroutes: [\n", secret)
	for _, a := range l.clusterAddresses() {
		fmt.Fprintf(&b, "  %q\n", "nats-route://broker:"+secret+"@"+a)
	}
	b.WriteString("]\n")
	return b.String()
}

// writeFolder writes a service's folder: every file that the configuration names is copied there and named by where the service will find it.
func (o *InitOptions) writeFolder(dir, folder, name string, f serviceFiles) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	there := in(o.Layout.Config, name)
	b, err := yaml.Marshal(f.config)
	if err != nil {
		return err
	}
	var doc yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(b, &doc, yaml.UseOrderedMap()); err != nil {
		return err
	}
	files := []string{folder}
	moved, err := replaceStrings(doc, func(s string) (string, error) {
		if !strings.HasPrefix(s, dir+string(filepath.Separator)) {
			return s, nil
		}
		to := filepath.Join(folder, filepath.Base(s))
		files = append(files, to)
		return there + "/" + filepath.Base(s), copyFile(s, to)
	})
	if err != nil {
		return err
	}
	for base, text := range f.beside {
		to := filepath.Join(folder, base)
		files = append(files, to)
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return err
		}
	}
	to := filepath.Join(folder, configFile)
	if err := writeConfig(to, f.command, "Written by verilot init, every time that it runs.", moved); err != nil {
		return err
	}
	if o.UID < 0 && o.GID < 0 {
		return nil
	}
	for _, file := range append(files, to) {
		if err := os.Chown(file, o.UID, o.GID); err != nil {
			return err
		}
	}
	return nil
}

// replaceStrings replaces every text of a document.
func replaceStrings(v any, f func(string) (string, error)) (any, error) {
	var errs []error
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			s, err := f(v)
			errs = append(errs, err)
			return s
		case yaml.MapSlice:
			for i := range v {
				v[i].Value = walk(v[i].Value)
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		}
		return v
	}
	v = walk(v)
	return v, errors.Join(errs...)
}

// copyFile copies a file so that after a crash it is whole or absent, and only its owner may read it.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	tmp := to + ".new"
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}
