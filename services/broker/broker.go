// Package broker is the service that carries and keeps the streams: one NATS server, alone or one of a cluster, that
// syncs every write before it acknowledges. Whoever runs NATS servers of their own does not need it.
package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/service"
)

// Config of a broker. Dir and Port are required.
type Config struct {
	service.Common `yaml:",inline"`
	// Dir is where the streams are kept. It belongs to this server alone.
	Dir string `yaml:"dir"`
	// Host and Port are where clients connect. Default host 127.0.0.1; port -1: any free one.
	Host string `yaml:"host"`
	Port int    `yaml:"port"`
	// Name is the server's own in a cluster. Default "verilot".
	Name string `yaml:"name"`
	// Access is a fragment of a NATS configuration that says who may connect: operator, system_account, resolver and resolver_preload, as
	// verilot init and verilot creds write it. Empty: whoever reaches the port.
	Access string `yaml:"access"`
	// Cluster is for a server that is one of several.
	Cluster Cluster `yaml:"cluster"`
}

// Cluster says where the servers of a cluster meet. All but Port and Host are the same for each of them.
type Cluster struct {
	// Name of the cluster. Empty: the server is alone.
	Name string `yaml:"name"`
	// Host and Port are where the other servers connect. Default host 127.0.0.1.
	Host string `yaml:"host"`
	Port int    `yaml:"port"`
	// Routes are the host:port of the servers; this one may be among them.
	Routes []string `yaml:"routes"`
	// SecretFile holds what the servers know each other by. Without it whoever reaches the port is one of them.
	SecretFile string `yaml:"secret_file"`
}

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config, env *service.Env) (err error) {
	if cfg.Dir == "" || cfg.Port == 0 {
		return errors.New("configuration: dir and port are required")
	}
	c := bus.Cluster{Name: cfg.Cluster.Name, Host: cfg.Cluster.Host, Port: cfg.Cluster.Port, Routes: cfg.Cluster.Routes}
	if f := cfg.Cluster.SecretFile; f != "" {
		b, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("read cluster secret: %w", err)
		}
		if c.Secret = strings.TrimSpace(string(b)); c.Secret == "" {
			return fmt.Errorf("cluster secret %s is empty", f)
		}
	}
	s, err := bus.Embed(bus.EmbedOptions{Dir: cfg.Dir, Host: cfg.Host, Port: cfg.Port, Name: cfg.Name, Access: cfg.Access, Log: env.Log, Cluster: c})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	env.Log.Info("the broker takes clients", "url", s.URL())
	return env.Serve(ctx, nil, nil)
}
