package bus

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// EmbedOptions describe a broker inside this process.
type EmbedOptions struct {
	Dir  string       // where JetStream keeps its files; required
	Host string       // default 127.0.0.1
	Port int          // 0: in-process connections only; -1: any free port
	Name string       // default "verilot"
	Log  *slog.Logger // nil: silent
	// LosesAckedOnPowerCut acknowledges before the disk has synced. For experiments only.
	LosesAckedOnPowerCut bool
}

// Server is an embedded broker.
type Server struct{ s *server.Server }

// Embed starts a broker whose every ack is durable: JetStream syncs each write (an atomic batch once) before it answers.
func Embed(o EmbedOptions) (*Server, error) {
	if o.Dir == "" {
		return nil, fmt.Errorf("embed broker: no directory")
	}
	opts := &server.Options{
		ServerName: "verilot",
		Host:       "127.0.0.1",
		Port:       o.Port,
		DontListen: o.Port == 0,
		JetStream:  true,
		StoreDir:   o.Dir,
		SyncAlways: !o.LosesAckedOnPowerCut,
		MaxPayload: MaxPayload,
		NoSigs:     true, // signals are the service's
		NoLog:      o.Log == nil,
	}
	if o.Host != "" {
		opts.Host = o.Host
	}
	if o.Name != "" {
		opts.ServerName = o.Name
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
func (l natsLog) Warnf(f string, v ...any)   { l.log.Warn("broker", "text", fmt.Sprintf(f, v...)) }
func (l natsLog) Fatalf(f string, v ...any)  { l.log.Error("broker", "text", fmt.Sprintf(f, v...)) }
func (l natsLog) Errorf(f string, v ...any)  { l.log.Error("broker", "text", fmt.Sprintf(f, v...)) }
func (l natsLog) Debugf(string, ...any)      {}
func (l natsLog) Tracef(string, ...any)      {}
