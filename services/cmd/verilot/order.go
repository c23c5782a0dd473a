package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/ledger/verdict"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/command"
	"verilot.dev/services/internal/partner/journal"
)

// orderOptions are those of a command that is sent to a partner service.
type orderOptions struct {
	to, wait, key, tokenFile string
	timeout                  time.Duration
	undone                   func(*capture.Job) bool // see finish
}

func (o *orderOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.to, "to", "http://localhost:8081", "address of the partner service")
	c.Flags().StringVar(&o.wait, "wait", "certified", "wait until it is captured, accepted, certified or indexed")
	c.Flags().DurationVar(&o.timeout, "timeout", 30*time.Second, "how long to wait")
	c.Flags().StringVar(&o.key, "idempotency-key", "", "the same key and content again is the same job")
	c.Flags().StringVar(&o.tokenFile, "token-file", "", "file with the service's sign-in token (default: $VERILOT_TOKEN, else that of the network that verilot up runs on this machine)")
}

// order sends a command and waits for its verdict.
func (a *app) order(ctx context.Context, name string, body []byte, o *orderOptions) error {
	if rank(journal.State(o.wait)) < 0 {
		return unusable("--wait %q: wait for captured, accepted, certified or indexed", o.wait)
	}
	cl, err := newClient(o.to)
	if err != nil {
		return err
	}
	if cl.token, err = findToken(o.to, o.tokenFile); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	header := http.Header{"Content-Type": {"application/json"}}
	if o.key != "" {
		header.Set("Idempotency-Key", o.key)
	}
	raw, answer, err := cl.do(ctx, http.MethodPost, command.Path(name), header, bytes.NewReader(body))
	if err != nil {
		return a.refused(err)
	}
	var job capture.Job
	if err := decode(raw, &job); err != nil {
		return err
	}
	return a.finish(ctx, cl, answer.Get("Location"), o.wait, o.to, o.timeout, raw, job, o.undone)
}

// blocked reports whether the ledger recorded a declaration and undid nothing, since later events build upon the event.
func blocked(job *capture.Job) bool {
	return slices.ContainsFunc(job.Verdicts, func(v capture.Verdict) bool {
		return slices.ContainsFunc(v.Findings, func(f journal.Finding) bool { return f.Code == string(verdict.ErrdeclBreaksChain) })
	})
}

func (a *app) takeBackCommand() *cobra.Command {
	o := orderOptions{undone: blocked}
	var reason string
	c := &cobra.Command{
		Use:   "take-back EVENT --to URL",
		Short: "Take back an event that was recorded by mistake",
		Long: `Declares an event an error, through the partner service that recorded it. EVENT is its position (height/entry/item), as "verilot trace" prints it, or
its eventID. The ledger restores what was before the event, unless later events build upon it: then they are listed, and nothing is undone.

Exit code 0: the event is taken back. 1: nothing was undone. 3: the verdict did not come in time; the declaration is safe in
the service's outbox.`,
		Example: `  verilot take-back 120/0/3 --to http://localhost:8083
  verilot take-back urn:uuid:0192f6a1-0000-7000-8000-000000000000 --reason incorrect_data --to http://localhost:8081`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := json.Marshal(map[string]string{"event": args[0], "reason": reason})
			if err != nil {
				return unusable("%w", err)
			}
			return a.order(cmd.Context(), "take-back", body, &o)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&reason, "reason", "did_not_occur", "did_not_occur or incorrect_data")
	return c
}
