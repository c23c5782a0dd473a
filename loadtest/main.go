// Command loadtest measures a network through its public interfaces: documents that follow units from maker to patient, and
// reads, at a rate that does not wait for answers (open loop). It trusts nothing but the clock of its own machine, from which
// every latency is counted; what it writes is documented in README.md.
//
// Exit codes: 0 every target met; 1 one missed; 2 a command line that cannot be used; 3 no answer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// exit is an error that knows its exit code.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

func unusable(format string, args ...any) error { return &exit{2, fmt.Errorf(format, args...)} }
func noAnswer(format string, args ...any) error { return &exit{3, fmt.Errorf(format, args...)} }

type options struct {
	Settings
	warmup, duration, drain time.Duration
	mix                     string
	validators, portsBase   int
	verilot                 string
	own                     []string
	gtin, json, html        string
	api, maker, dist, phar  string
	makerID, distID, pharID string
	maxP50, maxP99          map[string]string
	tokenFiles              map[string]string
	tokens                  map[string]string // never part of the report
	minRate, maxFailed      float64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := &options{}
	root := &cobra.Command{
		Use: "loadtest", Short: "Load a Verilot network at a fixed rate and report latency and throughput per stage",
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error { return o.run(ctx, stdout, stderr) },
	}
	f := root.Flags()
	f.Float64Var(&o.Rate, "rate", 20, "documents per second")
	f.Float64Var(&o.Reads, "reads", 20, "reads per second, beside the documents")
	f.IntVar(&o.Units, "units", 48, "units per case, so per commissioning, packing and dispensing event")
	f.StringVar(&o.mix, "mix", "", "weights as kind=n,… over commission=1,pack=1,ship=2,receive=2,unpack=1,dispense=1 and trace=4,check=4,proof=1,lot=1")
	f.DurationVar(&o.warmup, "warmup", 5*time.Second, "load before anything counts")
	f.DurationVar(&o.duration, "duration", 30*time.Second, "load that counts")
	f.DurationVar(&o.drain, "drain", 30*time.Second, "how long to wait for what was sent, at the end")
	f.Uint64Var(&o.Seed, "seed", 1, "of every draw")
	f.IntVar(&o.InFlight, "in-flight", 512, "requests under way at most; what is due beyond that is not sent, and counted")
	f.Float64Var(&o.Follow, "follow", 0.2, "share of documents followed through accepted, certified and indexed")
	f.IntVar(&o.Followers, "followers", 256, "documents followed at a time, at most")
	f.BoolVar(&o.Self, "self", false, "start a network in a temporary folder on this machine, and stop it afterwards")
	f.IntVar(&o.validators, "validators", 4, "validators of --self")
	f.IntVar(&o.portsBase, "ports-base", 18080, "first port of --self")
	f.StringVar(&o.verilot, "verilot", "bin/verilot", "the verilot command, for --self")
	f.StringSliceVar(&o.own, "i-own-these", nil, "hosts other than this machine that may be loaded")
	f.StringVar(&o.api, "api", "http://127.0.0.1:8080", "address of the api")
	f.StringVar(&o.maker, "manufacturer", "http://127.0.0.1:8081", "address of the manufacturer's service")
	f.StringVar(&o.dist, "distributor", "http://127.0.0.1:8082", "address of the distributor's service")
	f.StringVar(&o.phar, "pharmacy", "http://127.0.0.1:8083", "address of the pharmacy's service")
	f.StringToStringVar(&o.tokenFiles, "token-file", nil, "files with the services' sign-in tokens: manufacturer=FILE,distributor=FILE,pharmacy=FILE (--self finds its own)")
	f.StringVar(&o.makerID, "manufacturer-party", "lakeside", "the manufacturer's party id")
	f.StringVar(&o.distID, "distributor-party", "midland", "the distributor's party id")
	f.StringVar(&o.pharID, "pharmacy-party", "corner", "the pharmacy's party id")
	f.StringVar(&o.gtin, "gtin", "00399990012347", "GTIN of the units, under a prefix of the manufacturer")
	f.StringVar(&o.json, "json", "bin/loadtest.json", "where the report goes as JSON; empty for nowhere")
	f.StringVar(&o.html, "html", "bin/loadtest.html", "where the report goes as a page; empty for nowhere")
	f.StringToStringVar(&o.maxP50, "max-p50", nil, "target: stage or kind=duration,…, as certified=80ms,trace=5ms")
	f.StringToStringVar(&o.maxP99, "max-p99", nil, "target: the same for the 99th percentile")
	f.Float64Var(&o.minRate, "min-throughput", 0, "target: documents captured per second")
	f.Float64Var(&o.maxFailed, "max-failed", 0, "target: share of requests that may fail, not be sent, not end, or be rejected")
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "loadtest: "+err.Error())
	if e, ok := errors.AsType[*exit](err); ok {
		return e.code
	}
	return 2 // cobra's own errors are about the command line
}

func durations(flag string, in map[string]string) (map[string]time.Duration, error) {
	out := map[string]time.Duration{}
	for k, v := range in {
		d, err := time.ParseDuration(v)
		if err != nil {
			return nil, unusable("--%s %s=%s: write the limit like 250ms", flag, k, v)
		}
		out[k] = d
	}
	return out, nil
}

func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	mix, err := parseMix(o.mix)
	if err != nil {
		return unusable("--mix: %w", err)
	}
	p50, err := durations("max-p50", o.maxP50)
	if err != nil {
		return err
	}
	p99, err := durations("max-p99", o.maxP99)
	if err != nil {
		return err
	}
	if o.Rate <= 0 || o.Reads < 0 || o.Units < 1 || o.Units > 10_000 || o.duration < time.Second || o.warmup < 0 || o.InFlight < 1 || o.Followers < 1 || o.Follow < 0 || o.Follow > 1 {
		return unusable("--rate must be above 0, --units 1 to 10000, --duration 1s or more, --in-flight and --followers 1 or more, --follow 0 to 1")
	}
	if o.Reads > 0 && pick(rand.New(rand.NewPCG(1, 1)), mix, readKinds) == "" { //nolint:gosec // a seeded draw is the point
		return unusable("--mix leaves no kind of read; give --reads 0 as well")
	}
	o.Mix, o.Warmup, o.Duration = mix, o.warmup.String(), o.duration.String()
	o.Network = network{
		URLs:  map[string]string{"api": o.api, "manufacturer": o.maker, "distributor": o.dist, "pharmacy": o.phar},
		Party: map[string]string{"manufacturer": o.makerID, "distributor": o.distID, "pharmacy": o.pharID},
	}
	r := &Report{Version: 1, Settings: o.Settings, Conditions: Conditions{Cores: runtime.NumCPU(), LoadBefore: loadAverage(), Git: gitVersion(ctx), Go: runtime.Version(), FsyncDir: os.TempDir()}}
	if !o.Self {
		if err := checkTargets(o.Network.URLs, o.own); err != nil {
			return unusable("%w", err)
		}
	}
	if o.tokens, err = readTokens(o.tokenFiles); err != nil {
		return unusable("--token-file: %w", err)
	}
	if r.Conditions.FsyncP50, r.Conditions.FsyncP99, err = fsync(os.TempDir()); err != nil {
		return unusable("%w", err)
	}
	if o.Self {
		n, stop, err := startSelf(ctx, o.verilot, o.validators, o.portsBase)
		if err != nil {
			return noAnswer("%w", err)
		}
		defer stop()
		o.Network.URLs, r.Settings.Network.URLs, o.tokens = n.URLs, n.URLs, n.tokens()
	}
	if err := o.measure(ctx, r, stderr); err != nil {
		return err
	}
	r.judge(p50, p99, o.minRate, o.maxFailed)
	if err := o.write(r, stdout); err != nil {
		return err
	}
	if r.Counts["answered"] == 0 {
		return noAnswer("not one request was answered")
	}
	if !r.Met {
		return &exit{1, errors.New("a target was missed")}
	}
	return nil
}

// measure runs the load and fills in what it found.
func (o *options) measure(ctx context.Context, r *Report, stderr io.Writer) error {
	transport := &http.Transport{MaxIdleConns: 2 * (o.InFlight + o.Followers), MaxIdleConnsPerHost: o.InFlight + o.Followers, IdleConnTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	now := time.Now().UTC()
	l := &load{
		net: o.Network, tokens: o.tokens, c: &http.Client{Transport: transport, Timeout: time.Minute}, gtin: o.gtin, lot: "L" + now.Format("060102150405"), expiry: now.AddDate(2, 0, 0).Format(time.DateOnly),
		units: o.Units, follow: o.Follow, followers: make(slots, o.Followers), rng: rand.New(rand.NewPCG(o.Seed, 0)), //nolint:gosec // a seeded draw is the point
		mix: o.Mix, ready: make([][]*chain, len(steps)), errors: map[string]int{},
	}
	if err := l.prepare(ctx); err != nil {
		return noAnswer("%w", err)
	}
	var status struct {
		Validators int `json:"validators"`
	}
	if err := l.get(ctx, l.net.URLs["api"]+"/v1/status", &status); err != nil {
		return noAnswer("ask the api where it stands: %w", err)
	}
	r.Conditions.Validators = status.Validators

	begin := time.Now().Add(50 * time.Millisecond)
	l.s = newStats(begin.Add(o.warmup), o.duration)
	r.StartedAt = l.s.start.UTC()
	reqCtx, cancel := context.WithDeadline(ctx, l.s.end.Add(o.drain))
	defer cancel()
	inFlight := make(slots, o.InFlight)
	send := func(due time.Time, fn func()) bool {
		l.s.count("due", 1, due)
		ok := inFlight.try(fn, &l.wg)
		if !ok {
			l.s.count("could not send", 1, due)
		}
		return ok
	}
	var clocks sync.WaitGroup
	clocks.Go(func() {
		newSchedule(begin, o.Rate, o.warmup+o.duration).run(ctx, func(_ int, due time.Time) {
			c, other := l.take()
			if !send(due, func() { l.document(reqCtx, c, due) }) {
				l.giveBack(c)
			} else if other {
				l.s.count("not of the kind drawn", 1, due)
			}
		})
	})
	if o.Reads > 0 {
		clocks.Go(func() {
			newSchedule(begin, o.Reads, o.warmup+o.duration).run(ctx, func(_ int, due time.Time) {
				send(due, func() { l.read(reqCtx, due) })
			})
		})
	}
	var first uint64
	clocks.Go(func() { // where the api stands when counting starts
		select {
		case <-time.After(time.Until(l.s.start)):
			_, first, _ = l.waiting(ctx) // a failure shows as no figure
		case <-ctx.Done():
		}
	})
	stopProgress := l.progress(stderr)
	clocks.Wait()
	if ctx.Err() != nil {
		stopProgress()
		l.wg.Wait()
		return noAnswer("stopped before the end: %w", ctx.Err())
	}
	at, last, err := l.waiting(reqCtx)
	took := time.Since(l.s.start).Seconds()
	if err == nil && first > 0 && last >= first {
		r.Backlog.Indexed, r.Backlog.IndexedPerSec = last-first, float64(last-first)/took
	}
	r.Backlog.AtEnd = at
	drain := time.Now()
	l.wg.Wait()
	r.Backlog.DrainSeconds = time.Since(drain).Seconds()
	r.Backlog.AfterDrain, _, _ = l.waiting(ctx)
	stopProgress()
	r.Conditions.LoadAfter = loadAverage()
	for _, name := range stageNames {
		if s, ok := l.s.stageReport(name); ok {
			r.Stages = append(r.Stages, s)
		}
	}
	for _, name := range []string{"commission", "pack", "ship", "receive", "unpack", "dispense", "trace", "check", "proof", "lot", "send delay"} {
		if s, ok := l.s.stageReport(name); ok {
			r.Requests = append(r.Requests, s)
			if name != "send delay" {
				l.s.counts["answered"] += int(s.Latency.Count)
			}
		}
	}
	for _, name := range []string{"could not send", "failed", "followed", "unfinished", "rejected", "followers busy"} {
		l.s.counts[name] += 0 // a zero is a finding too
	}
	r.Counts, r.Errors = l.s.counts, l.errors
	return nil
}

// progress tells a person at a terminal how far it is, and nobody else.
func (l *load) progress(w io.Writer) (stop func()) {
	f, ok := w.(*os.File)
	if !ok {
		return func() {}
	}
	if st, err := f.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(w, "\r\033[K")
				return
			case <-tick.C:
				fmt.Fprintf(w, "\r\033[K%4.0f s  due %d  failed %d  could not send %d  followed %d", time.Since(l.s.start).Seconds(), l.s.get("due"), l.s.get("failed"), l.s.get("could not send"), l.s.get("followed"))
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

func (o *options) write(r *Report, stdout io.Writer) error {
	for _, s := range append(append([]Stage{}, r.Stages...), r.Requests...) {
		fmt.Fprintf(stdout, "%-11s %7d  %8.1f/s  p50 %9s  p99 %9s  max %9s\n", s.Name, s.Latency.Count, s.PerSecond, ms(s.Latency.P50), ms(s.Latency.P99), ms(s.Latency.Max))
	}
	for _, t := range r.Targets {
		word := "met   "
		if !t.Met {
			word = "MISSED"
		}
		fmt.Fprintf(stdout, "%s %s: %s, wanted %s\n", word, t.Name, t.Got, t.Want)
	}
	for _, out := range []struct {
		path string
		fn   func(io.Writer) error
	}{
		{o.json, func(w io.Writer) error { e := json.NewEncoder(w); e.SetIndent("", "  "); return e.Encode(r) }},
		{o.html, r.html},
	} {
		if out.path == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(out.path), 0o755); err != nil {
			return unusable("write the report: %w", err)
		}
		f, err := os.Create(out.path)
		if err != nil {
			return unusable("write the report: %w", err)
		}
		if err := errors.Join(out.fn(f), f.Close()); err != nil {
			return unusable("write the report: %w", err)
		}
		fmt.Fprintln(stdout, "report: "+out.path)
	}
	return nil
}
