package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/localnet/genesisfile"
)

func (a *app) genesisCommand() *cobra.Command {
	var api string
	c := &cobra.Command{
		Use:     "genesis",
		Short:   "Print the network's genesis file, byte for byte",
		Example: "  verilot genesis --api http://localhost:8080 > genesis.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := newClient(api)
			if err != nil {
				return err
			}
			b, err := cl.get(cmd.Context(), "/v1/genesis", nil)
			if err != nil {
				return a.refused(err)
			}
			_, err = a.out.Write(b)
			return failed(err)
		},
	}
	apiFlag(c, &api)
	c.AddCommand(a.genesisMakeCommand(), a.verdictKeyCommand())
	return c
}

func (a *app) genesisMakeCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "make NETWORK.yaml",
		Short: "Compose a genesis file from public keys",
		Long: `Composes the genesis file of a network from a document that its organisations agreed on: parties, authorities, validators and their public keys.
No private key is needed. The same document always makes the same file: let every organisation compose it by itself and compare the hash,
which is the network's name in everything that is signed.

deploy/network.yaml is an example. Without --out the file is printed.`,
		Example: "  verilot keygen --out acme-vote.pem --use vote\n  verilot genesis make network.yaml --out genesis.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			doc, err := os.ReadFile(args[0])
			if err != nil {
				return unusable("%w", err)
			}
			file, g, err := genesisfile.Compose(doc)
			if err != nil {
				return unusable("%s:\n%w", args[0], err)
			}
			if out == "" {
				_, err := a.out.Write(file)
				return failed(err)
			}
			if err := writeNew(out, file); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"network": g.Name, "hash": hex.EncodeToString(g.Hash[:]), "development": g.Development, "file": out})
			}
			a.printf("network      %s\nhash         %x\ndevelopment  %v\nparties      %d\nvalidators   %d\ngenesis file in %s\n", g.Name, g.Hash, g.Development, len(g.Parties), len(g.Validators.Validators), out)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "file to write, which must not exist (default: print it)")
	return c
}

func (a *app) verdictKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "verdict-key",
		Short:   "Make the verdict key of a new network: 32 random bytes",
		Example: "  verilot genesis verdict-key",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(map[string]string{"verdictKey": genesisfile.VerdictKey()})
			}
			a.printf("%s\n", genesisfile.VerdictKey())
			return nil
		},
	}
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
