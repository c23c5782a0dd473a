package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/natsauth"
)

func (a *app) initCommand() *cobra.Command {
	var data, layout, owner string
	c := &cobra.Command{
		Use:   "init --layout FILE",
		Short: "Make a development network for several machines or containers",
		Long: `Makes keys, genesis file, the brokers' accounts and one folder for each service with its configuration and the keys that it needs, and no others.
Copy each folder to where its service runs. The folder "all" keeps every key; it runs nothing.

The layout is a YAML file that says which services there are, how the others reach them, and where they find their files; deploy/layouts/hosts.yaml explains it.
Run again, it keeps what is secret and writes the configuration anew.

Whoever runs this holds every key of the network, so it is for development. In a consortium each organisation makes its own keys with "verilot keygen", and
"verilot genesis make" composes the genesis file from the public ones.`,
		Example: "  verilot init --data ./network --layout deploy/layouts/hosts.yaml\n  verilot init --data /network --layout /layout.yaml --owner 65532:65532",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if layout == "" {
				return unusable("--layout is missing; deploy/layouts/hosts.yaml is an example")
			}
			l, err := localnet.LoadLayout(layout)
			if err != nil {
				return unusable("%w", err)
			}
			uid, gid, err := parseOwner(owner)
			if err != nil {
				return err
			}
			m, err := localnet.Init(localnet.InitOptions{Dir: data, Layout: l, UID: uid, GID: gid})
			if err != nil {
				return unusable("%w", err)
			}
			if a.json {
				return a.printJSON(map[string]any{"network": m.Genesis.Name, "created": m.Created, "folders": m.Folders})
			}
			what := "was there before; its configuration is written anew"
			if m.Created {
				what = "is new"
			}
			a.printf("Network %s %s (%s, development), in %s\n", m.Genesis.Name, what, validators(len(m.Genesis.Validators.Validators)), data)
			var names []string
			for name := range m.Folders {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				a.printf("  %-13s %s\n", name, m.Folders[name])
			}
			a.printf("The folder \"all\" there holds every private key of the network.\n")
			return nil
		},
	}
	c.Flags().StringVar(&data, "data", "network", "folder to make it in")
	c.Flags().StringVar(&layout, "layout", "", "YAML file: which services there are, and where (required)")
	c.Flags().StringVar(&owner, "owner", "", "UID:GID that will own the folders of the services (default: you)")
	return c
}

func parseOwner(s string) (uid, gid int, err error) {
	if s == "" {
		return -1, -1, nil
	}
	u, g, ok := strings.Cut(s, ":")
	uid, err1 := strconv.Atoi(u)
	gid, err2 := strconv.Atoi(g)
	if !ok || err1 != nil || err2 != nil || uid < 0 || gid < 0 {
		return 0, 0, unusable("--owner %q: it must be two numbers, such as 65532:65532", s)
	}
	return uid, gid, nil
}

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

// writeNew writes a file that must not exist.
func writeNew(file string, b []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return unusable("%s exists; it is never overwritten", file)
	}
	if err != nil {
		return unusable("%w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return failed(fmt.Errorf("write %s: %w", file, err))
	}
	return nil
}
