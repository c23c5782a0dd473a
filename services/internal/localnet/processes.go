package localnet

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/goccy/go-yaml"

	"verilot.dev/ledger/keys"
	"verilot.dev/services/api"
	"verilot.dev/services/broker"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/localnet/supervise"
	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/service"
	"verilot.dev/services/validator"
)

// plan is every service's configuration, wherever it runs.
type plan struct {
	o       *Options
	brokers *brokers
	ports   []int
	urls    map[string]string
}

func validatorName(i int) string { return fmt.Sprintf("validator-%d", i+1) }

func (p *plan) in(name string) string { return filepath.Join(p.o.Dir, name) }

func (p *plan) common(port int) service.Common {
	c := service.Common{LogLevel: p.o.LogLevel}
	if port > 0 {
		c.Listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	return c
}

func (p *plan) signIn(name string) signin.Config {
	if !p.o.SignIn {
		return signin.Config{DevelopmentOpen: true}
	}
	return signin.Config{DevelopmentTokenFile: tokenFile(p.o.Dir, name)}
}

func (p *plan) validator(i int) validator.Config {
	name := validatorName(i)
	return validator.Config{
		Common: p.common(0), Genesis: p.in("genesis.json"), Data: p.in(name),
		VoteKey: keyFile(p.o.Dir, name, keys.Vote), CosignKey: keyFile(p.o.Dir, name, keys.Cosign),
		Broker: p.brokers.client(i), Server: p.brokers.inProcess(), Replicas: p.brokers.replicas,
	}
}

func (p *plan) api() api.Config {
	return api.Config{
		Common: p.common(p.ports[0]), Genesis: p.in("genesis.json"), Data: p.in("api"),
		Broker: p.brokers.client(1), Server: p.brokers.inProcess(), SignIn: p.signIn("api"),
		Party: DemoRegulator, Key: keyFile(p.o.Dir, DemoRegulator, keys.Event), NDC: p.o.NDC,
	}
}

func (p *plan) partner(i int) partner.ServiceConfig {
	role := roles[i]
	return partner.ServiceConfig{
		Common: p.common(p.ports[i+1]), Genesis: p.in("genesis.json"), Data: p.in(role), Party: partners()[i].id,
		Key: keyFile(p.o.Dir, role, keys.Event), DevAuthorityKey: keyFile(p.o.Dir, role, keys.Authority),
		Broker: p.brokers.client(i), Server: p.brokers.inProcess(), API: p.urls["api"],
		SignIn: p.signIn(role), NDC: p.o.NDC,
	}
}

func (p *plan) broker(i int) broker.Config {
	b := &p.brokers.embedded[i]
	c := broker.Config{Common: p.common(0), Dir: b.dir, Host: "127.0.0.1", Port: b.port, Name: b.name}
	if b.route > 0 {
		c.Cluster = broker.Cluster{Name: clusterName, Host: "127.0.0.1", Port: b.route, Routes: p.brokers.routes(), SecretFile: p.brokers.file}
	}
	return c
}

// The order in which processes start; they stop in the reverse one, so that what validators and followers say last is heard.
const (
	rankBrokers = iota
	rankValidators
	rankServices
)

// runProcesses runs every service as a process of its own, from configuration files in the folder.
func (n *Network) runProcesses(held *os.File) error {
	p := n.plan
	dir, err := filepath.Abs(p.o.Dir)
	if err != nil {
		return fmt.Errorf("find the folder: %w", err)
	}
	// Their logs go to files, where more is welcome than on a terminal.
	level := slog.LevelWarn
	if err := level.UnmarshalText([]byte(p.o.LogLevel)); err != nil {
		return fmt.Errorf("log level: %w", err)
	}
	o := *p.o
	o.Dir, o.LogLevel = dir, min(level, slog.LevelInfo).String()
	if o.NDC != "" {
		if o.NDC, err = filepath.Abs(o.NDC); err != nil {
			return fmt.Errorf("find the NDC directory: %w", err)
		}
	}
	p.o = &o
	for i := range p.brokers.embedded {
		p.brokers.embedded[i].dir = filepath.Join(dir, filepath.Base(p.brokers.embedded[i].dir))
	}
	if p.brokers.file != "" {
		p.brokers.file = filepath.Join(dir, filepath.Base(p.brokers.file))
	}
	if p.brokers.creds != "" {
		if p.brokers.creds, err = filepath.Abs(p.brokers.creds); err != nil {
			return fmt.Errorf("find the creds file: %w", err)
		}
	}
	var procs []supervise.Process
	var bad []error
	add := func(name, command string, rank int, config any) *supervise.Process {
		file := filepath.Join(dir, "config", name+".yaml")
		bad = append(bad, writeConfig(file, command, "Written by verilot up --processes at every start.", config))
		procs = append(procs, supervise.Process{Name: name, Args: []string{command, "--config", file}, Rank: rank})
		return &procs[len(procs)-1]
	}
	for i := range p.brokers.embedded {
		b := &p.brokers.embedded[i]
		add(b.name, "broker", rankBrokers, p.broker(i)).Ready = b.waitReachable
	}
	for i := range n.Genesis.Validators.Validators {
		add(validatorName(i), "validator", rankValidators, p.validator(i))
	}
	add("api", "api", rankServices, p.api())
	for i, role := range roles {
		add(role, role, rankServices, p.partner(i))
	}
	if err := errors.Join(bad...); err != nil {
		return err
	}
	n.supervisor = supervise.New(supervise.Options{
		Binary: o.Processes.Binary, Logs: filepath.Join(dir, "logs"), Restart: o.Processes.Restart, IsFinal: Final, LockFile: held,
		OnChange: o.Processes.OnChange, OnWarning: o.Processes.OnWarning,
	}, procs)
	n.group.Go("processes", n.supervisor.Run)
	return nil
}

// Exit codes of a service after which starting it again does not help: its configuration cannot be used, or it halted.
const (
	ExitUnusable = 2
	ExitHalted   = 4
)

// Final reports whether an exit code is one of them.
func Final(code int) bool { return code == ExitUnusable || code == ExitHalted }

// writeConfig writes the file that a service is started with. Keys and tokens are named by path only: there is nothing secret in it but what a
// broker's address may hold.
func writeConfig(file, command, remark string, config any) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("make folder of configuration files: %w", err)
	}
	b, err := yaml.Marshal(config)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	head := fmt.Sprintf("# verilot %s --config %s\n# %s\n", command, filepath.Base(file), remark)
	if err := os.WriteFile(file, append([]byte(head), b...), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// PIDs are the processes of the services by name; nil if all run in this process.
func (n *Network) PIDs() map[string]int {
	if n.supervisor == nil {
		return nil
	}
	return n.supervisor.PIDs()
}

// whyDown returns why waiting for a service is no use: it ended for good, or no validator is left.
func (n *Network) whyDown(name string) error {
	if n.supervisor == nil {
		return nil
	}
	if why, down := n.supervisor.Down(name); down {
		return fmt.Errorf("%s ended: %s", name, why)
	}
	var last string
	for i := range n.Genesis.Validators.Validators {
		why, down := n.supervisor.Down(validatorName(i))
		if !down {
			return nil
		}
		last = cmp.Or(last, why)
	}
	return fmt.Errorf("every validator ended; the first: %s", last)
}
