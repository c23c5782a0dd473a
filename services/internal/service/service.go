// Package service is what every process needs around its own work: configuration, log, metrics, health, and a
// group of goroutines that stops together. Nothing here is global: a process that runs several services has several Envs.
//
// Format: configuration is one YAML file per service, one documented struct; a key that the struct does not have is an
// error, and a missing file, like an empty one, means the defaults. Health is three paths: /healthz (the process
// runs), /readyz (it does its work: 503 with reasons if not) and /metrics (Prometheus).
//
// Trust: the operator writes the configuration; the health paths tell anyone who reaches them how the service is.
package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Load fills cfg, a pointer to a struct that may already hold defaults, from the YAML file at path. Without a path
// there is nothing to read.
func Load(path string, cfg any) error {
	if path == "" {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	// A file of comments is a null document, which would wipe the defaults.
	var doc any
	if err := yaml.Unmarshal(b, &doc); err == nil && doc == nil {
		return nil
	}
	if err := checkMoved(doc, cfg); err != nil {
		return fmt.Errorf("configuration %s: %w", path, err)
	}
	err = yaml.NewDecoder(bytes.NewReader(b), yaml.Strict(), yaml.DisallowUnknownField()).Decode(cfg)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("configuration %s: %w", path, err)
	}
	return nil
}

// Common is the part of a configuration that every service has; embed it with `yaml:",inline"`.
type Common struct {
	// Listen is the address of /healthz, /readyz and /metrics, and of the service's own API if it has one.
	// Empty: none.
	Listen string `yaml:"listen"`
	// LogLevel is debug, info, warn or error. Default info.
	LogLevel string `yaml:"log_level"`
	// LogFormat is text or json. Default text.
	LogFormat string `yaml:"log_format"`
}

// Broker is the part of a configuration that says which broker a service uses, under the key "broker".
type Broker struct {
	// URL is the broker's address, such as nats://localhost:4222; of a cluster several with commas, the preferred one first.
	URL string `yaml:"url"`
	// Creds is the path of a NATS .creds file, for a broker that asks for one.
	Creds string `yaml:"creds"`
}

// movedKeys are keys of earlier versions, and the keys under "broker" that have replaced them.
var movedKeys = map[string]string{"nats": "url", "creds": "creds", "nats_creds": "creds"}

// checkMoved reports a key of an earlier version in a configuration that has a Broker, with the name of the new key.
func checkMoved(doc, cfg any) error {
	if f, ok := reflect.TypeOf(cfg).Elem().FieldByName("Broker"); !ok || f.Type != reflect.TypeFor[Broker]() {
		return nil
	}
	keys, _ := doc.(map[string]any) // anything else is refused by the decoder
	for _, old := range slices.Sorted(maps.Keys(keys)) {
		if now, ok := movedKeys[old]; ok {
			return fmt.Errorf("the key %s is now broker.%s: write it as %s, indented, below a line \"broker:\"", old, now, now)
		}
	}
	return nil
}

// Env is what a service runs in.
type Env struct {
	Name    string
	Log     *slog.Logger
	Metrics *prometheus.Registry

	listen string
	mu     sync.Mutex
	checks map[string]func(context.Context) error
}

// New makes the surroundings of one service. Its log goes to w.
func New(name string, c Common, w io.Writer) (*Env, error) {
	opts := &slog.HandlerOptions{}
	if c.LogLevel != "" {
		var l slog.Level
		if err := l.UnmarshalText([]byte(c.LogLevel)); err != nil {
			return nil, fmt.Errorf("log_level: %w", err)
		}
		opts.Level = l
	}
	var h slog.Handler
	switch c.LogFormat {
	case "", "text":
		h = slog.NewTextHandler(w, opts)
	case "json":
		h = slog.NewJSONHandler(w, opts)
	default:
		return nil, fmt.Errorf("log_format is %q, must be text or json", c.LogFormat)
	}
	e := &Env{
		Name:    name,
		Log:     slog.New(h).With("service", name),
		Metrics: prometheus.NewRegistry(),
		listen:  c.Listen,
		checks:  map[string]func(context.Context) error{},
	}
	e.Metrics.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return e, nil
}

// Halted makes /metrics say that the service halted on purpose and stays only to say so.
func (e *Env) Halted() {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "verilot_halted", Help: "1: the service halted on purpose, and /readyz says why."})
	g.Set(1)
	e.Metrics.MustRegister(g)
}

// Ready adds a condition of readiness.
func (e *Env) Ready(name string, check func(context.Context) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.checks[name] = check
}

// Routes adds /healthz, /readyz and /metrics to mux.
func (e *Env) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := e.CheckReady(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(e.Metrics, promhttp.HandlerOpts{Registry: e.Metrics}))
}

// CheckReady is nil when every condition holds, else it names those that do not.
func (e *Env) CheckReady(ctx context.Context) error {
	e.mu.Lock()
	var names []string
	for n := range e.checks {
		names = append(names, n)
	}
	checks := e.checks
	slices.Sort(names)
	run := make([]func(context.Context) error, len(names))
	for i, n := range names {
		run[i] = checks[n]
	}
	e.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var bad []string
	for i, check := range run {
		if err := check(ctx); err != nil {
			bad = append(bad, names[i]+": "+err.Error())
		}
	}
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "\n"))
	}
	return nil
}

// Serve answers HTTP on the configured address until ctx ends, with h (nil: nothing) beside the health paths, and lets
// requests under way finish. Without an address it only waits. started, if not nil, hears the address.
func (e *Env) Serve(ctx context.Context, h http.Handler, started func(net.Addr)) error {
	if e.listen == "" {
		<-ctx.Done()
		return nil
	}
	mux := http.NewServeMux()
	e.Routes(mux)
	if h != nil {
		mux.Handle("/", h)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", e.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if started != nil {
		started(l.Addr())
	}
	e.Log.Info("listening", "addr", l.Addr().String())
	srv := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(e.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = srv.Shutdown(stop)
	<-done //nolint:errcheck // it only says that it was shut down
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

// Group runs the parts of a service. The first part that fails ends the others.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	once   sync.Once
	err    error
}

// NewGroup returns a group whose parts end when ctx does.
func NewGroup(ctx context.Context) *Group {
	g := &Group{}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g
}

// Go starts a part. Returning nil does not end the group, and neither does an error that only says that ctx ended.
func (g *Group) Go(name string, part func(context.Context) error) {
	g.wg.Go(func() {
		err := part(g.ctx)
		if err == nil || g.ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(g.ctx))) {
			return
		}
		g.once.Do(func() {
			g.err = fmt.Errorf("%s: %w", name, err)
			g.cancel(g.err)
		})
	})
}

// Stop ends all parts.
func (g *Group) Stop() { g.cancel(context.Canceled) }

// Wait returns when all parts have ended, with the error of the one that failed first.
func (g *Group) Wait() error {
	g.wg.Wait()
	g.cancel(nil)
	return g.err
}
