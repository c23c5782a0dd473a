package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/localnet"
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
