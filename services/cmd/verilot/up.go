package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
	"verilot.dev/services/internal/localnet/supervise"
	"verilot.dev/services/internal/service"
)

type upOptions struct {
	data, logLevel, ndc    string
	nats, creds            string
	validators, portsBase  int
	cluster, replicas      int
	demo, empty, ephemeral bool
	processes, restart     bool
	national               *nationalStory // instead of the short one
	noSignIn               bool
}

func (a *app) upCommand() *cobra.Command {
	var o upOptions
	c := &cobra.Command{
		Use:   "up",
		Short: "Start a whole network on this machine",
		Long: `Starts broker, validators, api and the three partner services in one process (with --processes each in its own), and plays a seeded story on first start. Everything is
kept in the data folder: stop with Ctrl-C, start again, and it goes on where it was.

A new network has four validators, each with its own keys, journal and copy of every block; one of them may fail. One alone needs less of the machine.

With --cluster 3 three brokers keep every message three times, and one of them may be lost. With --nats brokers that somebody else runs are used; their settings
are checked first, as "verilot stream check" does. A network keeps its number of brokers, too.

With --processes a service that ends is started again after 1 to 30 seconds, unless it halted on purpose; logs are in the folder "logs".

Changing something needs a sign-in at the service: people open the links that this command prints, programs send the token of keys/SERVICE-sign-in.token. With
--no-sign-in whoever reaches a service may act for its party.

The api listens on the base port; manufacturer, distributor and pharmacy on the three after it.`,
		Example: `  verilot up
  verilot up --data ./data/network --ports-base 9000
  verilot up --empty --ephemeral --validators 1
  verilot up --data ./data/three --cluster 3 --processes
  verilot up --data ./data/ours --nats nats://n1:4222,nats://n2:4222,nats://n3:4222 --creds verilot.creds --replicas 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.up(cmd.Context(), &o) },
	}
	c.Flags().StringVar(&o.data, "data", filepath.Join("data", "network"), "folder of the network")
	c.Flags().IntVar(&o.validators, "validators", 0, "validators of a new network: 1, or 4 and more (default 4; a network keeps its number)")
	c.Flags().BoolVar(&o.demo, "demo", false, "play the seeded story even if the network is not new")
	c.Flags().BoolVar(&o.empty, "empty", false, "play no story")
	c.Flags().BoolVar(&o.ephemeral, "ephemeral", false, "keep nothing when it stops")
	c.Flags().IntVar(&o.portsBase, "ports-base", 8080, "port of the api; the partner services follow")
	c.Flags().StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn or error")
	c.Flags().IntVar(&o.cluster, "cluster", 0, "embedded brokers of a new network: 1, 3 or 5 (default 1; a network keeps its number)")
	c.Flags().StringVar(&o.nats, "nats", "", "use these brokers, addresses with commas, instead of embedding any")
	c.Flags().StringVar(&o.creds, "creds", "", "NATS .creds file for --nats")
	c.Flags().IntVar(&o.replicas, "replicas", 0, "how many of the --nats brokers keep each message: 1, 3 or 5 (default 1)")
	c.Flags().BoolVar(&o.processes, "processes", false, "run every service as a process of its own")
	c.Flags().BoolVar(&o.restart, "restart", true, "with --processes: start again what ended by accident")
	c.Flags().StringVar(&o.ndc, "ndc", "", "folder of the FDA's NDC Directory (ndctext.zip, unpacked) for the manufacturer to search in (default a small selection)")
	c.Flags().BoolVar(&o.noSignIn, "no-sign-in", false, "leave every service open, for scripts and load tests on a machine of your own")
	c.MarkFlagsMutuallyExclusive("demo", "empty")
	c.MarkFlagsMutuallyExclusive("cluster", "nats")
	c.MarkFlagsMutuallyExclusive("data", "ephemeral")
	return c
}

func (a *app) up(ctx context.Context, o *upOptions) error {
	if err := localnet.CheckValidators(o.validators); err != nil {
		return unusable("--validators: %w", err)
	}
	if err := localnet.CheckCluster(o.cluster); err != nil {
		return unusable("--cluster: %w", err)
	}
	if err := localnet.CheckCluster(o.replicas); err != nil {
		return unusable("--replicas: %w", err)
	}
	if o.nats == "" && (o.creds != "" || o.replicas != 0) {
		return unusable("--creds and --replicas are about the brokers of --nats")
	}
	if o.ephemeral {
		dir, err := os.MkdirTemp("", "verilot-")
		if err != nil {
			return failed(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.data = dir
	}
	no := localnet.Options{
		Dir: o.data, Validators: o.validators, PortsBase: o.portsBase, LogLevel: o.logLevel, Log: a.err, OnHalt: a.halted,
		Cluster: o.cluster, Broker: service.Broker{URL: o.nats, Creds: o.creds}, Replicas: o.replicas, SignIn: !o.noSignIn, NDC: o.ndc,
	}
	if o.processes {
		binary, err := os.Executable()
		if err != nil {
			return failed(fmt.Errorf("find this command: %w", err))
		}
		no.Processes = &localnet.Processes{Binary: binary, Restart: o.restart, OnChange: a.processChanged, OnWarning: a.processWarned}
		if supervise.ProcessesSurvive {
			a.note("On this system the processes go on if this command is killed; Ctrl-C ends them.")
		}
	}
	forget := func() {}
	no.OnPlanned = func(n *localnet.Network) { forget = a.rememberTokens(n) }
	defer func() { forget() }()
	n, err := localnet.Start(ctx, no)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return failed(err)
	}
	if err := a.welcome(n, o); err != nil {
		return failed(err)
	}
	if o.empty && n.Created {
		if err := demo.MarkPlayed(o.data, ""); err != nil {
			return failed(err)
		}
	}
	// A story that was cut short is told again from the start, with lots of its own.
	if o.national != nil {
		if err := a.playNational(ctx, n, o); err != nil && ctx.Err() == nil {
			_ = n.Stop()
			return failed(fmt.Errorf("the national story: %w", err))
		}
	} else if o.demo || !o.empty && !demo.Played(o.data) {
		if err := a.playShort(ctx, n, o); err != nil && ctx.Err() == nil {
			_ = n.Stop()
			return failed(fmt.Errorf("the seeded story: %w", err))
		}
	}
	if !a.json && ctx.Err() == nil && o.national != nil {
		a.printf("Stop with Ctrl-C.\n")
	} else if !a.json && ctx.Err() == nil {
		a.suggest(n, demo.SerialToTry(o.data))
	}
	return failed(n.Wait())
}

func (a *app) welcome(n *localnet.Network, o *upOptions) error {
	if o.noSignIn {
		a.note("WARNING: no sign-in. Everybody who reaches these addresses acts for their parties. For development only.")
	}
	if a.json {
		m := map[string]any{"network": n.Genesis.Name, "data": o.data, "urls": n.URLs, "validators": len(n.Genesis.Validators.Validators)}
		if len(n.Brokers) > 0 {
			m["brokers"] = n.Brokers
		}
		if len(n.Tokens) > 0 {
			m["signIn"] = n.SignInLinks()
		}
		if o.processes {
			m["processes"] = n.PIDs()
		}
		return a.printJSON(m)
	}
	brokers := ""
	if len(n.Brokers) > 1 {
		brokers = fmt.Sprintf(", %d brokers", len(n.Brokers))
	}
	a.printf("Network %s is up (%s%s, development), kept in %s\n", n.Genesis.Name, validators(len(n.Genesis.Validators.Validators)), brokers, o.data)
	names := []string{"api", "manufacturer", "distributor", "pharmacy"}
	for _, name := range names {
		a.printf("  %-13s %s\n", name, n.URLs[name])
	}
	links := n.SignInLinks()
	for _, name := range names {
		if links[name] != "" {
			a.printf("Sign in:  %-13s %s\n", name, links[name])
		}
	}
	if o.processes {
		a.showProcesses(n.PIDs(), o.data)
	}
	return nil
}

func (a *app) showProcesses(pids map[string]int, data string) {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = io.WriteString(w, "\nPROCESS\tPID\n")
	for _, name := range slices.Sorted(maps.Keys(pids)) {
		_, _ = fmt.Fprintf(w, "%s\t%d\n", name, pids[name])
	}
	_ = w.Flush()
	a.printf("Their logs are in %s.\n\n", filepath.Join(data, "logs"))
}

// processChanged reports what happened to a process. The first start of each is in the table.
func (a *app) processChanged(e supervise.Change) {
	if a.json {
		_ = a.printJSON(e) // nobody left to tell
		return
	}
	switch {
	case e.What == supervise.Started:
		if a.ended[e.Name] {
			a.note("%s runs again, process %d", e.Name, e.PID)
		}
	case e.What == supervise.Halted:
		a.note("%s (process %d) halted and stays down: %s", e.Name, e.PID, e.Why)
	case e.What != supervise.Ended:
		a.note("%s (process %d): %s", e.Name, e.PID, e.Why)
	case e.Again > 0:
		a.note("%s (process %d) ended: %s; it is started again in %s", e.Name, e.PID, e.Why, e.Again)
	default:
		a.note("%s (process %d) ended: %s; it stays down", e.Name, e.PID, e.Why)
	}
	if e.What == supervise.Ended {
		if a.ended == nil {
			a.ended = map[string]bool{}
		}
		a.ended[e.Name] = true
	}
}

// processWarned passes on a line that a process printed.
func (a *app) processWarned(name, line string) { a.note("%s: %s", name, line) }

func validators(n int) string {
	if n == 1 {
		return "1 validator"
	}
	return fmt.Sprintf("%d validators", n)
}

// halted tells whoever looks at the terminal; the log has it too.
func (a *app) halted(validator string, err error) {
	fmt.Fprintf(a.err, "%s stopped, the others go on: %v\n", validator, err)
}

func (a *app) playShort(ctx context.Context, n *localnet.Network, o *upOptions) error {
	start := time.Now()
	told, err := demo.PlayShort(ctx, demo.NetworkOf(n), demo.Invented, demo.ShortSize{Cases: 10, PerCase: 100}, time.Now, func(step string) {
		if !a.json {
			a.printf("  · %s\n", step)
		}
	})
	if err != nil {
		return err
	}
	if err := demo.MarkPlayed(o.data, told.InPharmacy); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"story": told})
	}
	a.printf("The story is told (%s). Lot %s of GTIN %s is recalled; the counterfeit was %s.\n", time.Since(start).Round(100*time.Millisecond), told.Lot, told.Product.GTIN, told.Counterfeit)
	return nil
}

func (a *app) suggest(n *localnet.Network, serial string) {
	if serial != "" {
		a.printf("\nTry:  verilot trace '%s' --api %s\n", serial, n.URLs["api"])
	}
	a.printf("Stop with Ctrl-C.\n")
}
