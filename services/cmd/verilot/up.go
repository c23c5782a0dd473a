package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/network"
	"verilot.dev/services/internal/story"
)

type upOptions struct {
	data, logLevel         string
	validators, portsBase  int
	demo, empty, ephemeral bool
}

func (a *app) upCommand() *cobra.Command {
	var o upOptions
	c := &cobra.Command{
		Use:   "up",
		Short: "Start a whole network on this machine",
		Long: `Starts broker, validators, api and the three partner services in one process, and plays a seeded story on first start. Everything is
kept in the data folder: stop with Ctrl-C, start again, and it goes on where it was.

A new network has four validators, each with its own keys, journal and copy of every block; one of them may fail. One alone needs less of the machine.

The api listens on the base port; manufacturer, distributor and pharmacy on the three after it.`,
		Example: `  verilot up
  verilot up --data ./data/network --ports-base 9000
  verilot up --empty --ephemeral --validators 1`,
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
	c.MarkFlagsMutuallyExclusive("demo", "empty")
	c.MarkFlagsMutuallyExclusive("data", "ephemeral")
	return c
}

func (a *app) up(ctx context.Context, o *upOptions) error {
	if err := network.CheckValidators(o.validators); err != nil {
		return unusable("--validators: %w", err)
	}
	if o.ephemeral {
		dir, err := os.MkdirTemp("", "verilot-")
		if err != nil {
			return failed(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		o.data = dir
	}
	n, err := network.Start(ctx, network.Options{Dir: o.data, Validators: o.validators, PortsBase: o.portsBase, LogLevel: o.logLevel, Log: a.err, Halted: a.halted})
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
		if err := network.MarkStoryTold(o.data, ""); err != nil {
			return failed(err)
		}
	}
	// A story that was cut short is told again from the start, with a lot of its own.
	if o.demo || !o.empty && !network.StoryTold(o.data) {
		if err := a.tell(ctx, n, o); err != nil && ctx.Err() == nil {
			_ = n.Stop()
			return failed(fmt.Errorf("the seeded story: %w", err))
		}
	}
	if !a.json && ctx.Err() == nil {
		a.suggest(n, network.StorySerial(o.data))
	}
	return failed(n.Wait())
}

func (a *app) welcome(n *network.Network, o *upOptions) error {
	if a.json {
		return a.printJSON(map[string]any{"network": n.Genesis.Name, "data": o.data, "urls": n.URLs, "validators": len(n.Genesis.Validators.Validators)})
	}
	a.printf("Network %s is up (%s, development), kept in %s\n", n.Genesis.Name, validators(len(n.Genesis.Validators.Validators)), o.data)
	for _, name := range []string{"api", "manufacturer", "distributor", "pharmacy"} {
		a.printf("  %-13s %s\n", name, n.URLs[name])
	}
	return nil
}

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

func (a *app) tell(ctx context.Context, n *network.Network, o *upOptions) error {
	start := time.Now()
	told, err := story.Tell(ctx, n.Story(), story.Invented, story.Size{Cases: 10, PerCase: 100}, time.Now, func(step string) {
		if !a.json {
			a.printf("  · %s\n", step)
		}
	})
	if err != nil {
		return err
	}
	if err := network.MarkStoryTold(o.data, told.InPharmacy); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"story": told})
	}
	a.printf("The story is told (%s). Lot %s of GTIN %s is recalled; the counterfeit was %s.\n", time.Since(start).Round(100*time.Millisecond), told.Lot, told.Product.GTIN, told.Counterfeit)
	return nil
}

func (a *app) suggest(n *network.Network, serial string) {
	if serial != "" {
		a.printf("\nTry:  verilot trace '%s' --api %s\n", serial, n.URLs["api"])
	}
	a.printf("Stop with Ctrl-C.\n")
}
