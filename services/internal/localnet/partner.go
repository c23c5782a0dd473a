package localnet

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/service"
)

// Service is the address of a service, and the token that signs in there; the token is empty if the service is open.
type Service struct{ URL, Token string }

// PartnerKey returns the public event key of a party that the genesis file does not name. The key is made on first use. The party may act
// once an authority has registered it with this key.
func (n *Network) PartnerKey(party string) (ed25519.PublicKey, error) {
	return public(n.plan.o.Dir, addedName(party), keys.Event)
}

// addedName is the service's name in the log and in the names of its key files.
func addedName(party string) string { return "guest-" + party }

// StartPartner runs the service of such a party in this process, at a free port, until stop is called. A whole country can act on one
// machine in this way, without running all services at once. The outbox stays in the folder; the next start continues it.
func (n *Network) StartPartner(ctx context.Context, p partner.Profile, party string) (_ Service, stop func() error, err error) {
	pl, name := n.plan, addedName(party)
	if _, err := n.PartnerKey(party); err != nil {
		return Service{}, nil, err
	}
	file := tokenFile(pl.o.Dir, name)
	token, err := signin.LoadOrCreate(file)
	if err != nil {
		return Service{}, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	started := make(chan net.Addr, 1)
	cfg := partner.ServiceConfig{
		Common: service.Common{Listen: "127.0.0.1:0", LogLevel: pl.o.LogLevel}, Genesis: pl.in("genesis.json"),
		Data: filepath.Join(pl.o.Dir, "guests", party), Party: party, Key: keyFile(pl.o.Dir, name, keys.Event),
		Broker: pl.brokers.client(0), Server: pl.brokers.inProcess(), API: pl.urls["api"],
		SignIn: signin.Config{DevelopmentTokenFile: file}, Started: func(a net.Addr) { started <- a },
	}
	env, err := service.New(name, cfg.Common, pl.o.Log)
	if err == nil {
		err = os.MkdirAll(cfg.Data, 0o700)
	}
	if err != nil {
		cancel()
		return Service{}, nil, fmt.Errorf("service of %s: %w", party, err)
	}
	done := make(chan error, 1)
	go func() { done <- partner.Serve(ctx, p, cfg, env) }()
	stop = func() error {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("service of %s: %w", party, err)
		}
		return nil
	}
	select {
	case addr := <-started:
		return Service{URL: "http://" + addr.String(), Token: token}, stop, nil
	case err := <-done:
		cancel()
		return Service{}, nil, fmt.Errorf("service of %s: %w", party, err)
	}
}
