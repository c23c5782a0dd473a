package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"verilot.dev/services/api"
	"verilot.dev/services/broker"
	"verilot.dev/services/distributor"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/replica"
	"verilot.dev/services/internal/service"
	"verilot.dev/services/manufacturer"
	"verilot.dev/services/pharmacy"
	"verilot.dev/services/validator"
)

// serviceCommands run one service alone.
func (a *app) serviceCommands() []*cobra.Command {
	return []*cobra.Command{
		serviceCommand(a, "manufacturer", "Run the service of a manufacturer", manufacturer.Run, func(c *manufacturer.Config) *service.Common { return &c.Common }),
		serviceCommand(a, "distributor", "Run the service of a wholesale distributor", distributor.Run, func(c *distributor.Config) *service.Common { return &c.Common }),
		serviceCommand(a, "pharmacy", "Run the service of a pharmacy", pharmacy.Run, func(c *pharmacy.Config) *service.Common { return &c.Common }),
		serviceCommand(a, "validator", "Run one validator", validator.Run, func(c *validator.Config) *service.Common { return &c.Common }),
		serviceCommand(a, "broker", "Run a broker, alone or as one of a cluster", broker.Run, func(c *broker.Config) *service.Common { return &c.Common }),
		serviceCommand(a, "api", "Run the query service, a full follower", api.Run, func(c *api.Config) *service.Common { return &c.Common }),
	}
}

func serviceCommand[C any](a *app, name, short string, run func(context.Context, C, *service.Env) error, common func(*C) *service.Common) *cobra.Command {
	var file string
	var check, staying bool
	c := &cobra.Command{
		Use:   name + " --config FILE",
		Short: short,
		Long: short + `.

Exit codes: 0 stopped, 2 the configuration cannot be used, 3 it failed and may be started again, 4 it halted on purpose and must not be.`,
		Example: "  verilot " + name + " --config " + name + ".yaml\n  verilot " + name + " --config " + name + ".yaml --check",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var cfg C
			if file == "" {
				return unusable("--config is missing; docs/runbook.md has an example for each service")
			}
			if err := service.Load(file, &cfg); err != nil {
				return unusable("%w", err)
			}
			env, err := service.New(name, *common(&cfg), a.err)
			if err != nil {
				return unusable("%w", err)
			}
			if check {
				a.printf("%s can be used\n", file)
				return nil
			}
			err = ended(run(cmd.Context(), cfg, env))
			if e, ok := errors.AsType[*exit](err); ok && staying && e.code == localnet.ExitHalted {
				return ended(stay(cmd.Context(), env, *common(&cfg), name, err))
			}
			return err
		},
	}
	c.Flags().StringVar(&file, "config", "", "YAML configuration file (required)")
	c.Flags().BoolVar(&check, "check", false, "only read the configuration file, and say what is wrong with it")
	c.Flags().BoolVar(&staying, "stay", false, "after halting on purpose go on to answer at /healthz, /readyz (503, with the reason) and /metrics, until told to stop: for engines that start again whatever ends")
	return c
}

// ended is failed with an exit code of its own for a service that stopped on purpose, or whose data folder it refuses: starting it again
// does not help.
func ended(err error) error {
	_, halted := errors.AsType[*replica.HaltError](err)
	_, refused := errors.AsType[*bus.SettingsError](err)
	if halted || refused {
		return &exit{code: localnet.ExitHalted, err: err}
	}
	if errors.Is(err, chain.ErrRefused) {
		return unusable("%w", err)
	}
	return failed(err)
}
