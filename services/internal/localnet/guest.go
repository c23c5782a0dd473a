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
	"verilot.dev/services/internal/localnet/story"
	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/service"
)

// GuestKey is the public event key of a further party on this machine, made when it is first asked for. The party acts once an authority
// has registered it with this key.
func (n *Network) GuestKey(party string) (ed25519.PublicKey, error) {
	return public(n.plan.o.Dir, guestName(party), keys.Event)
}

func guestName(party string) string { return "guest-" + party }

// Guest runs a service of a further party in this process, at an address of its own, until stop is called: so that a whole country can
// act on one machine without running all at once. Its outbox stays in the folder, and it goes on where it was.
func (n *Network) Guest(ctx context.Context, p partner.Profile, party string) (_ story.Service, stop func() error, err error) {
	pl, name := n.plan, guestName(party)
	if _, err := n.GuestKey(party); err != nil {
		return story.Service{}, nil, err
	}
	file := tokenFile(pl.o.Dir, name)
	token, err := signin.LoadOrCreate(file)
	if err != nil {
		return story.Service{}, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	started := make(chan net.Addr, 1)
	cfg := partner.ServiceConfig{
		Common: service.Common{Listen: "127.0.0.1:0", LogLevel: pl.o.LogLevel}, Genesis: pl.in("genesis.json"),
		Data: filepath.Join(pl.o.Dir, "guests", party), Party: party, Key: keyFile(pl.o.Dir, name, keys.Event),
		NATS: pl.brokers.reach(0), NATSCreds: pl.brokers.creds, API: pl.urls["api"], Broker: pl.brokers.inProcess(),
		SignIn: signin.Config{DevelopmentTokenFile: file}, Started: func(a net.Addr) { started <- a },
	}
	env, err := service.New(name, cfg.Common, pl.o.Log)
	if err == nil {
		err = os.MkdirAll(cfg.Data, 0o700)
	}
	if err != nil {
		cancel()
		return story.Service{}, nil, fmt.Errorf("service of %s: %w", party, err)
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
		return story.Service{URL: "http://" + addr.String(), Token: token}, stop, nil
	case err := <-done:
		cancel()
		return story.Service{}, nil, fmt.Errorf("service of %s: %w", party, err)
	}
}
