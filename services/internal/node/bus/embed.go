package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// EmbedOptions describe a broker inside this process.
type EmbedOptions struct {
	Dir  string       // where JetStream keeps its files; required
	Host string       // default 127.0.0.1
	Port int          // 0: in-process connections only; -1: any free port
	Name string       // default "verilot"; in a cluster each server's own
	Log  *slog.Logger // nil: silent
	// Access is a file that says who may connect, in NATS's own format; see package access. Empty: everybody.
	Access string
	// Cluster makes this server one of several that keep the streams together. Zero: it is alone.
	Cluster Cluster
	// LosesAckedOnPowerCut acknowledges before the disk has synced. For experiments only.
	LosesAckedOnPowerCut bool
}

// Cluster is what the servers of one cluster agree on, and where this one meets the others.
type Cluster struct {
	Name   string   // the same for all; empty: no cluster
	Host   string   // where the others reach this one; default 127.0.0.1
	Port   int      // the same; required
	Routes []string // host:port of the others, or of all
	// Secret is what the servers know each other by; the same for all. Without one, whoever reaches the port joins.
	Secret string
}

// routeUser is the name beside the secret; NATS wants one.
const routeUser = "broker"

func (c *Cluster) apply(opts *server.Options) error {
	if c.Name == "" {
		return nil
	}
	if c.Port <= 0 {
		return errors.New("a cluster needs a port that the other servers know")
	}
	opts.Cluster.Name, opts.Cluster.Host, opts.Cluster.Port = c.Name, cmp.Or(c.Host, "127.0.0.1"), c.Port
	opts.Cluster.AuthTimeout = 5 // seconds, on a machine that is busy starting
	var user *url.Userinfo
	if c.Secret != "" {
		opts.Cluster.Username, opts.Cluster.Password = routeUser, c.Secret
		user = url.UserPassword(routeUser, c.Secret)
	}
	for _, r := range c.Routes {
		if _, _, err := net.SplitHostPort(r); err != nil {
			return fmt.Errorf("route %q: %w", r, err)
		}
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats-route", Host: r, User: user})
	}
	return nil
}

// Server is an embedded broker.
type Server struct{ s *server.Server }

// Embed starts a broker whose every ack is durable: JetStream syncs each write (an atomic batch once) before it answers.
func Embed(o EmbedOptions) (*Server, error) {
	if o.Dir == "" {
		return nil, fmt.Errorf("embed broker: no directory")
	}
	opts, err := accessOptions(o.Access)
	if err != nil {
		return nil, fmt.Errorf("embed broker: %w", err)
	}
	opts.ServerName, opts.Host = "verilot", "127.0.0.1"
	opts.Port, opts.DontListen = o.Port, o.Port == 0
	opts.JetStream, opts.StoreDir, opts.SyncAlways = true, o.Dir, !o.LosesAckedOnPowerCut
	opts.MaxPayload = MaxPayload
	opts.NoSigs = true // signals are the service's
	opts.NoLog = o.Log == nil
	if o.Host != "" {
		opts.Host = o.Host
	}
	if o.Name != "" {
		opts.ServerName = o.Name
	}
	if err := o.Cluster.apply(opts); err != nil {
		return nil, fmt.Errorf("embed broker: %w", err)
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("embed broker: %w", err)
	}
	if o.Log != nil {
		s.SetLoggerV2(natsLog{o.Log}, false, false, false)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		return nil, fmt.Errorf("embed broker in %s: not ready within 30 s", o.Dir)
	}
	if !s.JetStreamEnabled() {
		s.Shutdown()
		return nil, fmt.Errorf("embed broker in %s: JetStream did not start", o.Dir)
	}
	return &Server{s}, nil
}

// accessOptions start from a file that says who may connect. Everything else that it says and that is decided here is overridden.
func accessOptions(file string) (*server.Options, error) {
	if file == "" {
		return &server.Options{}, nil
	}
	opts, err := server.ProcessConfigFile(file)
	if err != nil {
		return nil, fmt.Errorf("read who may connect: %w", err)
	}
	if len(opts.TrustedOperators) == 0 || opts.AccountResolver == nil || opts.SystemAccount == "" {
		return nil, fmt.Errorf("%s must have operator, system_account, resolver and resolver_preload", file)
	}
	return opts, nil
}

// URL is where clients outside this process connect; empty if there is no listener.
func (s *Server) URL() string {
	if s.s.Addr() == nil {
		return ""
	}
	return s.s.ClientURL()
}

// InProcessConn lets Connect reach the broker without a socket.
func (s *Server) InProcessConn() (net.Conn, error) { return s.s.InProcessConn() }

// Close stops the broker and waits until its files are closed.
func (s *Server) Close() error {
	s.s.Shutdown()
	s.s.WaitForShutdown()
	return nil
}

// natsLog passes the broker's log on; what it calls a notice is of interest only when looking closer.
type natsLog struct{ log *slog.Logger }

func (l natsLog) Noticef(f string, v ...any) { l.log.Debug("broker", "text", fmt.Sprintf(f, v...)) }
func (l natsLog) Warnf(f string, v ...any)   { l.say(slog.LevelWarn, f, v) }
func (l natsLog) Fatalf(f string, v ...any)  { l.log.Error("broker", "text", fmt.Sprintf(f, v...)) }
func (l natsLog) Errorf(f string, v ...any)  { l.say(slog.LevelError, f, v) }
func (l natsLog) Debugf(string, ...any)      {}
func (l natsLog) Tracef(string, ...any)      {}

// ordinary is what every cluster says while its servers come one by one; who waits for it to be ready says so.
var ordinary = []string{"Error trying to connect to route", "Waiting for routing to be established", "JetStream has not established contact with a meta leader"}

func (l natsLog) say(level slog.Level, f string, v []any) {
	text := fmt.Sprintf(f, v...)
	if slices.ContainsFunc(ordinary, func(s string) bool { return strings.HasPrefix(text, s) }) {
		level = slog.LevelInfo
	}
	l.log.Log(context.Background(), level, "broker", "text", text)
}
