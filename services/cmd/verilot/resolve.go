package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/verdict"
)

type resolveOptions struct {
	orderOptions
	note     string
	outcomes bool
}

func (a *app) resolveCommand() *cobra.Command {
	var o resolveOptions
	c := &cobra.Command{
		Use:   "resolve EVENT CODE OUTCOME [UNIT...] --to URL",
		Short: "Close a finding, with what came of it",
		Long: `Closes a finding for the units and containers named, through a partner service that signs it. EVENT is the position of the event that has the finding
(height/entry/item) and CODE its code, both as "verilot trace" prints them. OUTCOME is one of the code's words; --outcomes lists them, with who may close it.
UNIT is what is on the package, in any form. Without a UNIT the finding is about the event itself.

A hold ends when the last finding behind it is closed. The goods stay in quarantine until their holder releases them.

Exit code 0: the finding is closed. 1: the service refused, or the ledger rejected it. 3: the verdict did not come in time; the resolution is safe in the
service's outbox.`,
		Example: `  verilot resolve 120/0/3 DOUBLE_SHIP cleared '(01)00300010123455(21)11' --note "counted, all here" --to http://localhost:8082
  verilot resolve 98/2/0 CBV_UNKNOWN acknowledged --to http://localhost:8081
  verilot resolve --outcomes TWO_PLACES
  verilot resolve --outcomes --json | jq '.[] | select(.closers | index("maker")) | .code'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.outcomes {
				return cobra.MaximumNArgs(1)(cmd, args)
			}
			return cobra.MinimumNArgs(3)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.outcomes {
				return a.outcomes(args)
			}
			return a.resolve(cmd.Context(), args, &o)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.note, "note", "", "a note for people; everybody on the network reads it")
	c.Flags().BoolVar(&o.outcomes, "outcomes", false, "list outcomes and who may close, of CODE or of all codes; asks no service")
	return c
}

func (a *app) resolve(ctx context.Context, args []string, o *resolveOptions) error {
	body, err := json.Marshal(struct {
		Event   string   `json:"event"`
		Code    string   `json:"code"`
		Outcome string   `json:"outcome"`
		Note    string   `json:"note,omitempty"`
		Units   []string `json:"units,omitempty"`
	}{args[0], args[1], args[2], o.note, args[3:]})
	if err != nil {
		return unusable("%w", err)
	}
	return a.order(ctx, "resolve", body, &o.orderOptions)
}

// closable is how a finding may be closed.
type closable struct {
	Code     verdict.Code      `json:"code"`
	Outcomes []closableOutcome `json:"outcomes"`
	Closers  []custody.Closer  `json:"closers"`
}

type closableOutcome struct {
	Outcome custody.Outcome `json:"outcome"`
	Meaning string          `json:"meaning"`
}

func (a *app) outcomes(args []string) error {
	list := []closable{}
	for _, e := range verdict.List() {
		if len(args) == 1 && string(e.Code) != args[0] || len(custody.Outcomes(e.Code)) == 0 {
			continue
		}
		c := closable{Code: e.Code, Closers: custody.Closers(e.Code)}
		for _, o := range custody.Outcomes(e.Code) {
			c.Outcomes = append(c.Outcomes, closableOutcome{o, o.Meaning()})
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return no("%q is no finding that can be closed", args[0])
	}
	if a.json {
		return a.printJSON(list)
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, c := range list {
		var who []string
		for _, x := range c.Closers {
			who = append(who, string(x))
		}
		_, _ = io.WriteString(w, string(c.Code)+"\t\tby "+strings.Join(who, ", ")+"\n")
		for _, x := range c.Outcomes {
			_, _ = io.WriteString(w, "  "+string(x.Outcome)+"\t\t"+x.Meaning+"\n")
		}
	}
	return w.Flush()
}
