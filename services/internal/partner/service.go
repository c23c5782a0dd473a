package partner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/answer/ndc"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/partnertoken"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/edge/webapp"
	"verilot.dev/services/internal/keyring"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/partner/gateway"
	"verilot.dev/services/internal/service"
)

// ServiceConfig is the configuration of a partner's service. Genesis, Data, Party, Key and Broker are required.
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
	// Broker is the broker to use.
	Broker service.Broker `yaml:"broker"`
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

	// Server replaces Broker when broker and service share a process.
	Server bus.InProcess `yaml:"-"`
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
	guard, err := signin.New(c.SignIn, signin.Identity{Service: p.Name, Party: c.Party, Genesis: g}, c.CORS...)
	if err != nil {
		return err
	}
	guard.Announce(env.Log)
	var peer Peer
	var token func(method string) (string, error) // made below, when the key has been read
	if c.API != "" {
		peer = HTTPPeer(c.API, func(method string) (string, error) { return token(method) })
	}
	s, err := OpenService(p, c, g, peer, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	env.Ready("outbox", s.Ready)
	api := s.API(env.CheckReady, guard, c.CORS...) //nolint:contextcheck // handlers take the context of their request
	if token, err = s.token(); err != nil {
		return err
	}
	open, party := passedOn() //nolint:contextcheck // routes are listed; no request is served
	through := gateway.Config{
		API: c.API, Open: open, Party: party, TopLevel: epcisrest.TopLevel, Reader: guard.CheckRead, Token: token, Log: env.Log,
	}
	done, err := gateway.Mount(api, through) //nolint:contextcheck // as above
	if err != nil {
		return err
	}
	defer done()
	if err := describePassedOn(api); err != nil { //nolint:contextcheck // as above
		return err
	}
	if err := s.mountNDC(api, c.NDC); err != nil {
		return err
	}
	place := guard.Identity()
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
	group.Go("outbox", s.Run)
	group.Go("http", func(ctx context.Context) error { return httpapi.Serve(ctx, ln, api.Engine) })
	return group.Wait()
}

// token returns how this party shows its api who asks for events.
func (s *Service) token() (func(method string) (string, error), error) {
	signer, err := partnertoken.NewSigner(s.cfg.Key, s.keyID, s.cfg.Party, s.cfg.Genesis.Hash)
	if err != nil {
		return nil, fmt.Errorf("configuration: key: %w", err)
	}
	return func(method string) (string, error) { return signer.Sign(method, s.cfg.Clock.Now()) }, nil
}

// mountNDC offers the NDC directory where products are registered.
func (s *Service) mountNDC(api *httpapi.API, folder string) error {
	if !s.cfg.Profile.offers("products") {
		return nil
	}
	d, err := ndc.Open(folder)
	if err != nil {
		return fmt.Errorf("configuration: ndc: %w", err)
	}
	ndc.Mount(api, d, func(g gs1.GTIN) bool { return s.directory.CheckOwner(g) == nil })
	return nil
}

// OpenService opens the service of a configured party with its connection to the broker. Of c it
// reads what is about party and broker.
func OpenService(p Profile, c ServiceConfig, g *genesis.Genesis, peer Peer, env *service.Env) (*Service, error) {
	cfg, conn, err := c.open(p, g, env)
	if err != nil {
		return nil, err
	}
	cfg.Peer = peer
	s, err := Open(cfg)
	if err != nil {
		conn.close()
		return nil, err
	}
	s.closeBroker = conn.close
	return s, nil
}

func (c *ServiceConfig) open(p Profile, g *genesis.Genesis, env *service.Env) (_ Config, _ *brokerConn, err error) {
	for _, f := range []struct{ name, value string }{{"genesis", c.Genesis}, {"data", c.Data}, {"party", c.Party}, {"key", c.Key}} {
		if f.value == "" {
			return Config{}, nil, fmt.Errorf("configuration: %s is missing", f.name)
		}
	}
	if c.Broker.URL == "" && c.Server == nil {
		return Config{}, nil, errors.New("configuration: broker.url is missing")
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
	conn := &brokerConn{o: bus.Options{URL: c.Broker.URL, Server: c.Server, Creds: c.Broker.Creds, Name: p.Name + " " + c.Party, Log: env.Log}}
	cfg.Bus = conn
	return cfg, conn, nil
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
