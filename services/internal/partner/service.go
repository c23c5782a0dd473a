package partner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/answer/ndc"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/partnertoken"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/edge/webapp"
	"verilot.dev/services/internal/keyring"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/service"
)

// ServiceConfig is the configuration of a partner's service. Genesis, Data, Party, Key and NATS are required.
type ServiceConfig struct {
	service.Common `yaml:",inline"`
	// Genesis is the path of the network's genesis file.
	Genesis string `yaml:"genesis"`
	// Data is the folder of the outbox and the jobs.
	Data string `yaml:"data"`
	// Party is the party id whose service this is.
	Party string `yaml:"party"`
	// Key is the path of the party's event key.
	Key string `yaml:"key"`
	// NATS is the broker's address (of a cluster several with commas, the preferred one first), and NATSCreds the path of a .creds file if it asks for one.
	NATS      string `yaml:"nats"`
	NATSCreds string `yaml:"nats_creds"`
	// API is the address of an api service, such as http://localhost:8080. It tells which parties there are and when a
	// block is indexed. Empty: this service goes by the genesis file and its own copy of the headers.
	API string `yaml:"api"`
	// DevAuthorityKey is the path of an authority key that onboards whatever a document names. Development networks only.
	DevAuthorityKey string `yaml:"dev_authority_key"`
	// SignIn says who may change something through this service.
	SignIn signin.Config `yaml:"sign_in"`
	// NDC is the folder of the FDA's NDC Directory (ndctext.zip, unpacked), which fills in forms. Empty: a small selection of it.
	NDC string `yaml:"ndc"`
	// CORS lists origins whose web pages may call this service, such as http://localhost:8080. Empty: none.
	CORS []string `yaml:"cors"`

	// Broker replaces NATS when broker and service share a process.
	Broker bus.InProcess `yaml:"-"`
	// Started, if set, hears the address once requests are taken.
	Started func(net.Addr) `yaml:"-"`
}

// Serve runs a partner's service until ctx ends.
func Serve(ctx context.Context, p Profile, c ServiceConfig, env *service.Env) (err error) {
	if c.Listen == "" {
		return errors.New("configuration: listen is missing")
	}
	raw, err := os.ReadFile(c.Genesis)
	if err != nil {
		return fmt.Errorf("read genesis: %w", err)
	}
	g, err := genesis.Parse(raw)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.Genesis, err)
	}
	guard, err := signin.New(c.SignIn, signin.Place{Service: p.Name, Party: c.Party, Genesis: g}, c.CORS...)
	if err != nil {
		return err
	}
	guard.Announce(env.Log)
	var peer Peer
	if c.API != "" {
		peer = HTTPPeer(c.API)
	}
	e, closeLine, err := OpenService(p, c, g, peer, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()); closeLine() }()
	env.Ready("outbox", e.Ready)
	api := e.API(env.CheckReady, guard, c.CORS...) //nolint:contextcheck // handlers take the context of their request
	as, err := e.queryAs(guard)
	if err != nil {
		return err
	}
	done, err := passReads(api, c.API, as, env.Log) //nolint:contextcheck // as above
	if err != nil {
		return err
	}
	defer done()
	if err := e.mountDirectory(api, c.NDC); err != nil {
		return err
	}
	place := guard.Place()
	if err := webapp.Mount(api, webapp.Setting{Service: p.Name, Network: g.Name, Development: g.Development, Party: c.Party, PartyName: place.PartyName}); err != nil {
		return err
	}
	ln, err := httpapi.Listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	env.Log.Info("listening", "addr", ln.Addr().String(), "party", c.Party)
	if c.Started != nil {
		c.Started(ln.Addr())
	}
	group := service.NewGroup(ctx)
	group.Go("outbox", e.Run)
	group.Go("http", func(ctx context.Context) error { return httpapi.Serve(ctx, ln, api.Engine) })
	return group.Wait()
}

// queryAs is how this party asks its api for events.
func (e *Engine) queryAs(guard *signin.Guard) (asking, error) {
	key := keyring.Public(e.cfg.Key)
	signer, err := partnertoken.NewSigner(e.cfg.Key, keys.ID(keys.Event, key), e.cfg.Party, e.cfg.Genesis.Hash)
	if err != nil {
		return asking{}, fmt.Errorf("configuration: key: %w", err)
	}
	return asking{reader: guard.Reader, token: func(method string) (string, error) { return signer.Sign(method, e.cfg.Clock.Now()) }}, nil
}

// mountDirectory offers the NDC directory where products are registered.
func (e *Engine) mountDirectory(api *httpapi.API, folder string) error {
	if !e.cfg.Profile.offers("products") {
		return nil
	}
	d, err := ndc.Open(folder)
	if err != nil {
		return fmt.Errorf("configuration: ndc: %w", err)
	}
	ndc.Mount(api, d, func(g gs1.GTIN) bool { return e.checkOwner(g) == nil })
	return nil
}

// OpenService opens the engine of a configured party, with its line to the broker, which close ends after the engine. Of c it reads
// what is about party and broker.
func OpenService(p Profile, c ServiceConfig, g *genesis.Genesis, peer Peer, env *service.Env) (e *Engine, closeLine func(), err error) {
	cfg, line, err := c.open(p, g, env)
	if err != nil {
		return nil, nil, err
	}
	cfg.Peer = peer
	if e, err = Open(cfg); err != nil {
		line.close()
		return nil, nil, err
	}
	return e, line.close, nil
}

func (c *ServiceConfig) open(p Profile, g *genesis.Genesis, env *service.Env) (_ Config, _ *line, err error) {
	for _, f := range []struct{ name, value string }{{"genesis", c.Genesis}, {"data", c.Data}, {"party", c.Party}, {"key", c.Key}} {
		if f.value == "" {
			return Config{}, nil, fmt.Errorf("configuration: %s is missing", f.name)
		}
	}
	if c.NATS == "" && c.Broker == nil {
		return Config{}, nil, errors.New("configuration: nats is missing")
	}
	cfg := Config{Dir: filepath.Join(c.Data, "outbox"), Profile: p, Party: c.Party, Genesis: g, Log: env.Log, Registry: env.Metrics}
	if cfg.Key, err = keyring.Load(c.Key, keys.Event); err != nil {
		return Config{}, nil, err
	}
	if c.DevAuthorityKey != "" {
		if err := c.authority(&cfg); err != nil {
			return Config{}, nil, err
		}
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return Config{}, nil, fmt.Errorf("make data folder: %w", err)
	}
	l := &line{o: bus.Options{URL: c.NATS, Server: c.Broker, Creds: c.NATSCreds, Name: p.Name + " " + c.Party, Log: env.Log}}
	cfg.Bus = l
	return cfg, l, nil
}

// authority finds whose authority key is configured. Outside development it is refused: an authority looks before it signs.
func (c *ServiceConfig) authority(cfg *Config) error {
	if !cfg.Genesis.Development {
		return fmt.Errorf("configuration: dev_authority_key is for development networks, and %s is none", cfg.Genesis.Name)
	}
	key, err := keyring.Load(c.DevAuthorityKey, keys.Authority)
	if err != nil {
		return err
	}
	for _, a := range cfg.Genesis.Authorities {
		if bytes.Equal(a.Key, keyring.Public(key)) {
			cfg.AuthorityParty, cfg.AuthorityKey = a.Party, key
			return nil
		}
	}
	return fmt.Errorf("configuration: %s is no authority of network %s", c.DevAuthorityKey, cfg.Genesis.Name)
}

// line is a Bus that need not be up when the service starts: captures go on into the outbox meanwhile.
type line struct {
	o  bus.Options
	mu sync.Mutex
	b  *bus.Bus
}

func (l *line) get(ctx context.Context) (*bus.Bus, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b != nil {
		return l.b, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	b, err := bus.Connect(ctx, l.o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bus.ErrUnavailable, err)
	}
	l.b = b
	return b, nil
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b != nil {
		l.b.Close()
	}
}

// LastSeq implements Bus.
func (l *line) LastSeq(ctx context.Context) (uint64, error) {
	b, err := l.get(ctx)
	if err != nil {
		return 0, err
	}
	return b.LastSeq(ctx)
}

// Publish implements Bus.
func (l *line) Publish(ctx context.Context, party string, payload []byte) (bus.Ack, error) {
	b, err := l.get(ctx)
	if err != nil {
		return bus.Ack{}, err
	}
	return b.Publish(ctx, party, payload)
}

// PublishBatch implements Bus.
func (l *line) PublishBatch(ctx context.Context, party string, payloads [][]byte) ([]bus.Ack, error) {
	b, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return b.PublishBatch(ctx, party, payloads)
}

// ConsumeBlocks implements Bus.
func (l *line) ConsumeBlocks(ctx context.Context, from uint64, handle func(uint64, []byte) (bool, error)) error {
	b, err := l.get(ctx)
	if err != nil {
		return err
	}
	return b.ConsumeBlocks(ctx, from, handle)
}
