package main

import (
	"os"

	"github.com/spf13/cobra"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/localnet/natsauth"
)

// credsCommand is for whoever runs the brokers of a network that is no development network.
func (a *app) credsCommand() *cobra.Command {
	var genesisFile, out string
	var more []string
	c := &cobra.Command{
		Use:   "creds --genesis FILE",
		Short: "Make the brokers' accounts, and credentials for every party of a genesis file",
		Long: `Makes access.conf, which every broker includes, and one .creds file for each party (NAME.creds: publishes its submissions), each validator
(NAME-validator.creds: its pulses, blocks and votes) and one that only reads (reader.creds, for an api of no party's). Give each file to its party over a channel that you trust.

What is there is kept: run it again with --party for one that the authorities registered later.
What a creds file allows is to send; what counts is signed with the party's own key.`,
		Example: "  verilot creds --genesis genesis.json --out accounts\n  verilot creds --genesis genesis.json --out accounts --party newcomer",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if genesisFile == "" {
				return unusable("--genesis is missing")
			}
			raw, err := os.ReadFile(genesisFile)
			if err != nil {
				return unusable("%w", err)
			}
			g, err := genesis.Parse(raw)
			if err != nil {
				return unusable("%s is not a genesis file: %w", genesisFile, err)
			}
			users := []natsauth.User{{Name: "reader"}}
			for i := range g.Parties {
				id := g.Parties[i].Party
				users = append(users, natsauth.User{Name: id, Party: id})
			}
			for _, id := range more {
				users = append(users, natsauth.User{Name: id, Party: id})
			}
			for _, v := range g.Validators.Validators {
				users = append(users, natsauth.User{Name: v.Party + "-validator", Validator: v.Party})
			}
			if err := natsauth.Make(out, g.Name, users); err != nil {
				return failed(err)
			}
			if a.json {
				var names []string
				for _, u := range users {
					names = append(names, u.Name)
				}
				return a.printJSON(map[string]any{"folder": out, "users": names})
			}
			a.printf("%d .creds files and %s are in %s\n", len(users), natsauth.ConfFile, out)
			return nil
		},
	}
	c.Flags().StringVar(&genesisFile, "genesis", "", "the network's genesis file (required)")
	c.Flags().StringVar(&out, "out", "accounts", "folder to make them in")
	c.Flags().StringArrayVar(&more, "party", nil, "also for this party, which the genesis file does not name; may be repeated")
	return c
}
