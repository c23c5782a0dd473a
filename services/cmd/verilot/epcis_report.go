package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"verilot.dev/services/cmd/verilot/internal/epcischeck"
)

// epcisReportCommand is for those who work on Verilot: make epcis-report.
func (a *app) epcisReportCommand() *cobra.Command {
	markdown := false
	c := &cobra.Command{
		Use:    "report [FOLDER]",
		Short:  "Compare what is found in the shared GS1 examples with what is known of them",
		Hidden: true,
		Long: `Reads every document and hash vector of the shared GS1 collection and prints what was expected and what was found, with totals.

Exit code 0: everything agrees, but for what is known to differ and why. 1: something else. 2: the collection is not there.`,
		Example: "  verilot epcis report ../shared/gs1 --markdown",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := filepath.Join("..", "shared", "gs1")
			if len(args) == 1 {
				dir = args[0]
			}
			r, err := epcischeck.Run(dir)
			if err != nil {
				return unusable("%w", err)
			}
			if a.json {
				if err := a.printJSON(r); err != nil {
					return failed(err)
				}
			} else {
				r.Print(a.out, markdown)
			}
			if len(r.Unexpected) > 0 {
				return &exit{code: 1, quiet: true}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&markdown, "markdown", false, "print tables of Markdown")
	return c
}
