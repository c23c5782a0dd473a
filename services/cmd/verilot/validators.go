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

func (a *app) validatorsCommand() *cobra.Command {
	var api string
	c := &cobra.Command{
		Use:   "validators",
		Short: "Show the validators and where each stands",
		Long: `Shows the validators of the network, and what the api has heard each of them vote since it started: the height and round of its newest vote,
how long ago that came, how many certified blocks it is behind, and how many pairs of its votes contradict each other.

When nothing is submitted there is a vote about every 20 seconds.`,
		Example: "  verilot validators --api http://localhost:8080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := newClient(api)
			if err != nil {
				return err
			}
			var v tracing.Validators
			raw, err := cl.get(cmd.Context(), "/v1/validators", &v)
			if err != nil {
				return a.refused(err)
			}
			if a.json {
				a.printf("%s\n", strings.TrimSpace(string(raw)))
				return nil
			}
			a.showValidators(&v)
			return nil
		},
	}
	apiFlag(c, &api)
	return c
}

func (a *app) showValidators(v *tracing.Validators) {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	row := func(cells ...string) { _, _ = io.WriteString(w, strings.Join(cells, "\t")+"\n") }
	row("#", "NAME", "PARTY", "VOTED FOR", "ROUND", "HEARD", "BEHIND", "EVIDENCE")
	for _, x := range v.Validators {
		height, round, heard, lag := "-", "-", "never", "-"
		if x.VoteHeight != nil && x.HeardAt != nil && x.Lag != nil {
			height, round = strconv.FormatUint(*x.VoteHeight, 10), strconv.FormatUint(uint64(x.VoteRound), 10)
			heard = max(0, time.Since(*x.HeardAt)).Round(100*time.Millisecond).String() + " ago"
			lag = strconv.FormatUint(*x.Lag, 10)
		}
		row(strconv.Itoa(x.Index), x.Name, nonEmpty(x.PartyName, x.Party)[0], height, round, heard, lag, strconv.Itoa(x.Evidence))
	}
	_ = w.Flush()
	a.printf("%d of %d must agree. Rests on block %d.\n", v.Quorum, len(v.Validators), v.RestsOn.Height)
}
