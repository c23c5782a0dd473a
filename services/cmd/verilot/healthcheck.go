package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/service"
)

// healthcheckCommand is for container engines: the image holds nothing but this binary.
func (a *app) healthcheckCommand() *cobra.Command {
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "healthcheck URL",
		Short: "Ask a service whether it is well",
		Long: `Asks for the URL once and says what the service answers if that is not 200. A service has /readyz (it does its work) and
/healthz (it runs).

Exit code 0: 200. 1: anything else, or no answer.`,
		Example: "  verilot healthcheck http://127.0.0.1:8080/readyz",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if u, err := url.Parse(args[0]); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
				return unusable("%q is no address such as http://127.0.0.1:8080/readyz", args[0])
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
			if err != nil {
				return unusable("%w", err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return no("no answer: %w", err)
			}
			defer func() { _ = resp.Body.Close() }()
			b, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
			if resp.StatusCode != http.StatusOK {
				return no("%s: %s", resp.Status, strings.TrimSpace(string(b)))
			}
			return nil
		},
	}
	c.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait for the answer")
	return c
}

// stay keeps a service that halted on purpose in sight until it is told to stop: not ready, with the reason. An engine that cannot tell
// exit codes apart would start it again and again.
func stay(ctx context.Context, env *service.Env, c service.Common, name string, err error) error {
	env.Log.Error("halted on purpose; staying only to say so", "err", err)
	still, wrong := service.New(name, c, io.Discard)
	if wrong != nil {
		return errors.Join(err, wrong)
	}
	still.Ready("halted", func(context.Context) error { return err })
	still.Halted()
	if wrong := still.Serve(ctx, nil, nil); wrong != nil {
		return fmt.Errorf("%w (and could not stay: %w)", err, wrong)
	}
	return err
}
