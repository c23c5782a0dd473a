package main

import (
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/answer/tracing"
)

func (a *app) blockCommand() *cobra.Command {
	var api string
	c := &cobra.Command{
		Use:     "block HEIGHT",
		Short:   "Show a block: header, certificate, entries",
		Example: "  verilot block 1 --api http://localhost:8080\n  verilot block 12 --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := strconv.ParseUint(args[0], 10, 64); err != nil {
				return unusable("%q is not a height", args[0])
			}
			cl, err := newClient(api)
			if err != nil {
				return err
			}
			var b tracing.Block
			raw, err := cl.get(cmd.Context(), "/v1/blocks/"+args[0], &b)
			if err != nil {
				return a.refused(err)
			}
			if a.json {
				a.printf("%s\n", strings.TrimSpace(string(raw)))
				return nil
			}
			a.showBlock(&b)
			return nil
		},
	}
	apiFlag(c, &api)
	return c
}

func (a *app) showBlock(b *tracing.Block) {
	h := &b.Header
	a.printf("block %d  %s\n", h.Height, b.Hash)
	a.printf("parent     %s\ntime       %s\nsequences  %d to %d\nentries    %s\nverdicts   %s (%d leaves, %d events)\nstate      %s (kind %d)\nrules      version %d\n",
		h.Parent, h.Time.Format(time.RFC3339Nano), h.FirstSeq, h.LastSeq, h.EntriesRoot, h.VerdictsRoot, h.VerdictLeaves, h.Events, h.StateRoot, h.StateRootKind, h.RulesVersion)
	for _, s := range b.Certificate {
		a.printf("cosigned   %s at %s\n", s.Validator, s.Time.Format(time.RFC3339))
	}
	var why reasons
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, e := range b.Entries {
		why.code(e.Code)
		_, _ = io.WriteString(w, strings.Join([]string{strconv.FormatUint(e.Sequence, 10), e.Kind, e.Party, e.Code, strconv.Itoa(len(e.Items)) + " items"}, "\t")+"\n")
		for _, it := range e.Items {
			var code strings.Builder
			code.WriteString(it.Code)
			why.code(it.Code)
			for _, f := range it.Findings {
				code.WriteString(" " + f.Code)
				why.code(f.Code)
			}
			_, _ = io.WriteString(w, strings.Join([]string{"", "  " + it.Position.String(), it.Kind, it.Verdict, strings.TrimSpace(code.String())}, "\t")+"\n")
		}
	}
	_ = w.Flush()
	a.showReasons(why)
}
