package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/node/bus"
)

func (a *app) streamCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "stream",
		Short:   "Look after a broker's streams",
		Long:    `Commands about the streams that a broker keeps. They only read.`,
		Example: "  verilot stream check --nats nats://localhost:4222",
	}
	c.AddCommand(a.streamCheckCommand())
	return c
}

func (a *app) streamCheckCommand() *cobra.Command {
	var o bus.Options
	var monitors []string
	c := &cobra.Command{
		Use:   "check",
		Short: "Tell which settings of a broker could lose messages",
		Long: `Compares a broker's streams and limits with what Verilot needs. For each dangerous setting one line says what is wrong, why that matters, and
the remedy. Services refuse to start on such streams; nothing is changed here.

When a server syncs what it acknowledges (sync_interval) is known only to clients of the system account, and to its monitoring port: give that with --monitor,
once for each server.

Exit code 0: fine. 1: dangerous, or the stream is gone. 3: no answer.`,
		Example: `  verilot stream check --nats nats://localhost:4222
  verilot stream check --nats nats://n1:4222,nats://n2:4222 --creds verilot.creds --replicas 3 --json
  verilot stream check --nats nats://n1:4222 --monitor http://n1:8222`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.streamCheck(cmd.Context(), o, monitors) },
	}
	c.Flags().StringVar(&o.URL, "nats", "nats://localhost:4222", "address of the broker, or of several in one cluster with commas")
	c.Flags().StringVar(&o.Creds, "creds", "", "NATS .creds file")
	c.Flags().IntVar(&o.Replicas, "replicas", 0, "how many servers must keep each message (default 3 in a cluster, else 1)")
	c.Flags().StringArrayVar(&monitors, "monitor", nil, "address of a server's monitoring port, such as http://n1:8222; may be repeated")
	return c
}

func (a *app) streamCheck(ctx context.Context, o bus.Options, monitors []string) error {
	if err := localnet.CheckCluster(o.Replicas); err != nil {
		return unusable("--replicas: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	o.Name = "verilot stream check"
	r, err := bus.Examine(ctx, o)
	if errors.Is(err, bus.ErrGone) {
		return no("%s has blocks but no stream %s any more. Put the broker's data back from where it was kept; never create the stream again", o.URL, bus.Custody)
	}
	if err != nil {
		return noAnswer("no answer from %s: %w", o.URL, err)
	}
	for _, m := range monitors {
		sync, err := monitored(ctx, m)
		if err != nil {
			return noAnswer("no answer from %s: %w", m, err)
		}
		if r.Sync[m] = sync; sync != bus.SyncAlways {
			r.Problems = append(r.Problems, bus.BadSync(m, sync))
		}
	}
	if a.json {
		if err := a.printJSON(r); err != nil {
			return failed(err)
		}
	} else {
		a.showReport(r)
	}
	if len(r.Problems) > 0 {
		return &exit{code: 1, quiet: true}
	}
	return nil
}

func monitored(ctx context.Context, base string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/jsz?config=true", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", err
	}
	sync, ok := bus.ReadSync(b)
	if !ok {
		return "", fmt.Errorf("%s: it says nothing of sync_interval", resp.Status)
	}
	return sync, nil
}

func (a *app) showReport(r *bus.Report) {
	where := ""
	if r.Cluster != "" {
		where = " of cluster " + r.Cluster
	}
	a.printf("server %s%s, NATS %s\n", r.Server, where, r.Version)
	for i := range r.Streams {
		s := &r.Streams[i]
		a.printf("stream %s: %d messages, %s", s.Name, s.Messages, replicas(s.Replicas))
		if len(s.Behind) > 0 {
			a.printf(", away or behind: %s", strings.Join(s.Behind, ", "))
		}
		a.printf("\n")
	}
	if len(r.Streams) == 0 {
		a.printf("no streams yet: the validators make them\n")
	}
	if len(r.Sync) == 0 {
		a.printf("sync_interval: not known, this client may not ask. It must be \"always\": see /jsz on the monitoring port (--monitor) or the server's configuration; the brokers of verilot always sync\n")
	}
	for _, server := range slices.Sorted(maps.Keys(r.Sync)) {
		a.printf("sync_interval of %s: %s\n", server, r.Sync[server])
	}
	for i := range r.Problems {
		a.printf("DANGEROUS %s\n", r.Problems[i].String())
	}
	if len(r.Problems) == 0 {
		a.printf("fine\n")
	}
}

func replicas(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return fmt.Sprintf("%d replicas", n)
}
