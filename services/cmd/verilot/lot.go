package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/answer/tracing"
)

func (a *app) lotCommand() *cobra.Command {
	var api string
	var units bool
	c := &cobra.Command{
		Use:   "lot GTIN LOT",
		Short: "Where is every unit of a lot, now?",
		Long: `Prints the lot's units per party and state. The rows add up to the units commissioned.
GTIN is the 14 digits after (01) on the package; 8, 12 or 13 digits are padded. LOT is compared exactly.

--units lists every unit instead, one JSON object a line.`,
		Example: "  verilot lot 00300010123455 A123 --api http://localhost:8080\n  verilot lot 00300010123455 A123 --units > units.ndjson",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := newClient(api)
			if err != nil {
				return err
			}
			path := "/v1/lots/" + url.PathEscape(args[0]) + "/" + url.PathEscape(args[1])
			if units {
				return a.lotUnits(cmd.Context(), cl, path+"/units")
			}
			return a.lotTotals(cmd.Context(), cl, path)
		},
	}
	apiFlag(c, &api)
	c.Flags().BoolVar(&units, "units", false, "list every unit as NDJSON")
	return c
}

func (a *app) lotUnits(ctx context.Context, cl *client, path string) error {
	resp, err := cl.open(ctx, http.MethodGet, path, http.Header{"Accept": {"application/x-ndjson"}}, nil)
	if err != nil {
		return a.refused(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(a.out, resp.Body); err != nil {
		return noAnswer("%w", err)
	}
	return nil
}

func (a *app) lotTotals(ctx context.Context, cl *client, path string) error {
	var l tracing.LotTotals
	raw, err := cl.get(ctx, path, &l)
	if err != nil {
		return a.refused(err)
	}
	if a.json {
		a.printf("%s\n", strings.TrimSpace(string(raw)))
	} else {
		name := l.GTIN
		if l.Product != nil {
			name += " " + l.Product.Name
		}
		a.printf("%s\nlot %s  expiry %s  %d units commissioned\n", name, l.Lot, l.Expiry, l.Commissioned)
		for _, r := range l.Recalls {
			a.printf("RECALL %s class %s: %s\n", r.RecallNumber, r.Classification, r.Reason)
		}
		w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
		_, _ = io.WriteString(w, "PARTY\tSTATE\tUNITS\n")
		for _, t := range l.Totals {
			_, _ = io.WriteString(w, strings.Join([]string{nonEmpty(t.Name, t.Party, "-")[0], t.State, strconv.FormatUint(t.Units, 10)}, "\t")+"\n")
		}
		_ = w.Flush()
		a.printf("Rests on block %d.\n", l.RestsOn.Height)
	}
	if l.Commissioned == 0 && len(l.Totals) == 0 {
		return &exit{code: 1, quiet: true}
	}
	return nil
}
