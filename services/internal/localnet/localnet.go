package localnet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/api"
	"verilot.dev/services/distributor"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/localnet/supervise"
	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/service"
	"verilot.dev/services/manufacturer"
	"verilot.dev/services/pharmacy"
	"verilot.dev/services/validator"
)

// ErrOtherNetwork: the data folder holds a network with another number of validators than asked for.
var ErrOtherNetwork = errors.New("the data folder holds another network")

// Options of a network on one machine.
type Options struct {
	Dir string
	// Validators of a new network: 1, or 4 and more; 0: 4. An existing folder keeps its own number.
	Validators int
	// PortsBase is the api's port; manufacturer, distributor and pharmacy follow. 0: any free ports.
	PortsBase int
	LogLevel  string    // default warn
	Log       io.Writer // nil: nothing is logged
	// OnHalt is called when a validator stopped while the others go on, at most once for each; may be nil.
	OnHalt func(validator string, err error)
	// SignIn gives every service a secret token, without which nothing is changed through it. Without it they are open to whoever reaches
	// them.
	SignIn bool
	// OnPlanned is called when addresses and tokens are known, before any service answers; may be nil.
	OnPlanned func(*Network)
	// NDC is the folder of the FDA's NDC Directory; "": a small selection.
	NDC string
	// MakerPrefixes are company prefixes that the demo maker of a new network gets beside its own.
	MakerPrefixes []string

	// Cluster is how many embedded brokers a new network gets: 1, 3 or 5; 0: 1. An existing folder keeps its own number.
	Cluster int
	// Broker are brokers that somebody else runs; none is embedded then. Replicas is how many of them keep a new stream (0: 1).
	Broker   service.Broker
	Replicas int
	// Processes makes every service a process of its own; nil: all run in this one.
	Processes *Processes
}

// Processes say how services become processes of their own.
type Processes struct {
	Binary  string // the verilot command
	Restart bool   // start again what ended by accident
	// OnChange is called when something happens to a process, OnWarning with the warnings that it prints; not concurrently.
	OnChange  func(supervise.Change)
	OnWarning func(name, line string)
}

// DefaultValidators is how many a new network gets: the fewest of which one may fail.
const DefaultValidators = 4

// CheckValidators refuses a number of validators that makes no cluster; 0 means the default.
func CheckValidators(n int) error {
	if n < 0 || n == 2 || n == 3 || n > 256 {
		return fmt.Errorf("%d validators make no cluster: one alone decides by itself, and from 4 on (to 256) fewer than a third may fail; with 2 or 3 none may", n)
	}
	return nil
}

// Network is a running network.
type Network struct {
	Genesis *genesis.Genesis
	Created bool // the data folder was new
	// URLs by service: api, manufacturer, distributor, pharmacy.
	URLs map[string]string

	// Tokens by service: what opens it. Empty without Options.SignIn.
	Tokens map[string]string

	// Brokers are the addresses of the brokers; empty if there is one in this process.
	Brokers []string

	mu             sync.Mutex
	validatorsLeft int
	plan           *plan
	supervisor     *supervise.Supervisor // of services that are processes; nil: they are not

	group *service.Group
	done  chan struct{}
	err   error
}

// Start starts everything and returns when all services are ready. The network ends when ctx does; Wait returns then.
func Start(ctx context.Context, o Options) (*Network, error) {
	n, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start network in %s: %w", o.Dir, err)
	}
	return n, nil
}

func start(ctx context.Context, o Options) (_ *Network, err error) {
	if err := errors.Join(CheckValidators(o.Validators), CheckCluster(o.Cluster)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	held, err := lock(o.Dir)
	if err != nil {
		return nil, err
	}
	release := func() {
		if held != nil {
			_ = held.Close()
		}
	}
	running := false
	defer func() {
		if !running {
			release()
		}
	}()
	if o.Broker.URL != "" {
		if err := checkSettings(ctx, &o); err != nil {
			return nil, err
		}
	}
	now := time.Now()
	g, created, err := loadGenesis(o.Dir, setup{validators: cmp.Or(o.Validators, DefaultValidators), makerPrefixes: o.MakerPrefixes, name: networkName(now), now: now})
	if err != nil {
		return nil, err
	}
	if have := len(g.Validators.Validators); o.Validators > 0 && o.Validators != have {
		return nil, fmt.Errorf("%w: it has %d validators, not %d; choose another --data folder for a new one", ErrOtherNetwork, have, o.Validators)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.LogLevel == "" {
		o.LogLevel = "warn"
	}
	ports, err := ports(ctx, o.PortsBase)
	if err != nil {
		return nil, err
	}
	embedded, err := countBrokers(&o)
	if err != nil {
		return nil, err
	}
	brokers, err := planBrokers(ctx, &o, embedded, o.Processes != nil)
	if err != nil {
		return nil, err
	}
	n := &Network{Genesis: g, Created: created, URLs: map[string]string{}, Brokers: brokers.urls, group: service.NewGroup(ctx), done: make(chan struct{})}
	for i, name := range services() {
		n.URLs[name] = "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[i]))
	}
	n.validatorsLeft = len(g.Validators.Validators)
	n.plan = &plan{o: &o, brokers: brokers, ports: ports, urls: n.URLs}
	if o.SignIn {
		if n.Tokens, err = tokens(o.Dir); err != nil {
			return nil, err
		}
	}
	if o.OnPlanned != nil {
		o.OnPlanned(n)
	}
	if o.Processes != nil {
		err = n.runProcesses(held)
	} else {
		err = n.runHere()
	}
	if err != nil {
		return nil, err
	}
	running = true
	go func() {
		n.err = n.group.Wait()
		n.err = errors.Join(n.err, brokers.close())
		release()
		close(n.done)
	}()
	if err := n.ready(ctx); err != nil {
		n.group.Stop()
		return nil, errors.Join(err, n.Wait())
	}
	return n, nil
}

// runHere runs everything in this process.
func (n *Network) runHere() error {
	p := n.plan
	level := slog.LevelWarn
	_ = level.UnmarshalText([]byte(p.o.LogLevel))
	log := slog.New(slog.NewTextHandler(p.o.Log, &slog.HandlerOptions{Level: max(level, slog.LevelWarn)})).With("service", "nats")
	if err := p.brokers.start(log); err != nil {
		return err
	}
	// Validators and followers end before the broker does, so that their last words are heard.
	for i := range n.Genesis.Validators.Validators {
		n.runValidator(p, i)
	}
	cfg := p.api()
	n.run("api", p.o, cfg.Common, func(ctx context.Context, env *service.Env) error { return api.Run(ctx, cfg, env) })
	for i, run := range []func(context.Context, partner.ServiceConfig, *service.Env) error{manufacturer.Run, distributor.Run, pharmacy.Run} {
		cfg := p.partner(i)
		n.run(roles[i], p.o, cfg.Common, func(ctx context.Context, env *service.Env) error { return run(ctx, cfg, env) })
	}
	return nil
}

// StopBroker stops one of several embedded brokers of a network in this process. It is for tests of what a lost broker means.
func (n *Network) StopBroker(i int) error { return n.plan.brokers.stop(i) }

// RestartBroker starts a broker again that was stopped.
func (n *Network) RestartBroker(i int) error { return n.plan.brokers.restart(i) }

// Wait returns when the network has ended, with what ended it.
func (n *Network) Wait() error {
	<-n.done
	return n.err
}

// Stop ends the network and waits for it.
func (n *Network) Stop() error {
	n.group.Stop()
	return n.Wait()
}

func (n *Network) run(name string, o *Options, c service.Common, part func(context.Context, *service.Env) error) {
	n.group.Go(name, func(ctx context.Context) error {
		env, err := service.New(name, c, o.Log)
		if err != nil {
			return err
		}
		return part(ctx, env)
	})
}

func (n *Network) runValidator(p *plan, i int) {
	name, cfg := validatorName(i), p.validator(i)
	n.run(name, p.o, cfg.Common, func(ctx context.Context, env *service.Env) error {
		err := validator.Run(ctx, cfg, env)
		if err == nil || ctx.Err() != nil {
			return err
		}
		// As with validators on machines of their own, one that stops leaves the others alone.
		n.mu.Lock()
		n.validatorsLeft--
		last := n.validatorsLeft == 0
		n.mu.Unlock()
		if last {
			return err
		}
		env.Log.Error("validator stopped; the others go on", "err", err)
		if p.o.OnHalt != nil {
			p.o.OnHalt(name, err)
		}
		return nil
	})
}

// ports finds the four ports, or says which one is taken.
func ports(ctx context.Context, base int) ([]int, error) {
	out := make([]int, 1+len(roles))
	var held []net.Listener // until all are known, so that no two get the same
	defer func() {
		for _, ln := range held {
			_ = ln.Close()
		}
	}()
	for i := range out {
		port := 0
		if base > 0 {
			port = base + i
		}
		ln, err := httpapi.Listen(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, fmt.Errorf("port %d: %w; choose others with --ports-base", port, err)
		}
		held = append(held, ln)
		addr, ok := ln.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("listen: unexpected address %s", ln.Addr())
		}
		out[i] = addr.Port
	}
	return out, nil
}

// ready waits until every service says so.
func (n *Network) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for name, url := range n.URLs {
		for {
			err := isReady(ctx, url)
			if err == nil {
				break
			}
			if down := n.whyDown(name); down != nil {
				return down
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s is not ready: %w", name, err)
			case <-n.done:
				return fmt.Errorf("%s ended", name)
			case <-tick.C:
			}
		}
	}
	return nil
}

func isReady(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("%s: %s", resp.Status, b)
	}
	return nil
}

// SignInLinks are what people open to sign in, by service; empty without Options.SignIn.
func (n *Network) SignInLinks() map[string]string {
	out := map[string]string{}
	for name, token := range n.Tokens {
		out[name] = signin.Link(n.URLs[name], token)
	}
	return out
}

// TokenFile is the file of a service's token.
func (n *Network) TokenFile(name string) string { return tokenFile(n.plan.o.Dir, name) }
