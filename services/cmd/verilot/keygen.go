package main

import (
	"encoding/hex"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/keyring"
)

func (a *app) keygenCommand() *cobra.Command {
	var out, use string
	c := &cobra.Command{
		Use:   "keygen",
		Short: "Make a signing key",
		Long: `Makes an Ed25519 key pair, writes the private half to a file that only you can read, and prints the public half and its key
id. An existing file is never overwritten.`,
		Example: "  verilot keygen --out acme-event.pem\n  verilot keygen --out v5-vote.pem --use vote --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch use {
			case keys.Event, keys.Vote, keys.Cosign, keys.Authority:
			default:
				return unusable("--use %q: keys are for event, vote, cosign or authority", use)
			}
			key, err := keyring.Create(out, use)
			if errors.Is(err, fs.ErrExist) {
				return unusable("%s exists; a key is never overwritten", out)
			}
			if err != nil {
				return unusable("%w", err)
			}
			public := keyring.Public(key)
			id := keys.ID(use, public)
			if a.json {
				return a.printJSON(map[string]string{
					"use": use, "publicKey": hex.EncodeToString(public), "keyID": hex.EncodeToString(id[:]), "file": out,
				})
			}
			a.printf("use         %s\npublic key  %x\nkey id      %x\nprivate key in %s\n", use, public, id, out)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "key.pem", "where to write the private key (PKCS #8, PEM)")
	c.Flags().StringVar(&use, "use", keys.Event, "event, vote, cosign or authority")
	return c
}
