// Package partner is the service of one trading partner: what it captures and orders goes through
// its outbox to the ledger, what it reads it passes on to its api. This package puts the rooms
// together; each says itself what it promises.
//
// One service has three profiles (manufacturer, distributor, pharmacy), which differ only in what
// they offer; a fourth, of a regulator, is part of an api service.
package partner

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/command"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/onboard"
	"verilot.dev/services/internal/partner/outbox"
)

// Config of a service. Dir, Genesis, Profile, Party, Key and Bus are required.
type Config struct {
	Dir     string // of the journal
	Spool   string // folder of documents that are being received or divided; "spool" in Dir, if left out
	Genesis *genesis.Genesis
	Profile Profile
	Party   string        // whose service this is
	Key     crypto.Signer // the party's event key
	// AuthorityParty and AuthorityKey switch development onboarding on, if the genesis file allows it.
	AuthorityParty string
	AuthorityKey   crypto.Signer
	Bus            outbox.Bus
	// Peer asks an api service; nil: the service knows only what genesis and its own registrations
	// say.
	Peer     Peer
	Clock    clock.Clock
	Log      *slog.Logger
	Registry *prometheus.Registry
}

// Service is one party's. Methods may be called concurrently.
type Service struct {
	cfg         Config
	keyID       canonical.Hash
	journal     *journal.Journal
	outbox      *outbox.Outbox
	directory   *directory.Directory
	jobs        *capture.Jobs
	capture     *capture.Service
	commands    *command.Commands
	onboard     *onboard.Service
	closeBroker func()
}

// Open opens the journal and reads what is outstanding. Run does the work.
func Open(cfg Config) (*Service, error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.System()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	if cfg.Spool == "" {
		cfg.Spool = filepath.Join(cfg.Dir, "spool")
	}
	if !cfg.Genesis.Development {
		cfg.AuthorityKey = nil
	}
	pub, ok := cfg.Key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("key of party %s is not Ed25519", cfg.Party)
	}
	j, err := journal.Open(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, keyID: keys.ID(keys.Event, pub), journal: j, closeBroker: func() {}}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return s, nil
}

func (s *Service) open() (err error) {
	c := s.cfg
	sealer, err := draft.NewSealer(c.Genesis.Network, s.journal)
	if err != nil {
		return err
	}
	dir := directory.Config{Genesis: c.Genesis, Party: c.Party, KeyID: s.keyID, Now: c.Clock.Now, Log: c.Log}
	var indexed func(context.Context) (uint64, error)
	var rules *foresee.Rules
	var event func(context.Context, string) (*epcis.Event, error)
	if c.Peer != nil {
		dir.Parties, indexed = c.Peer.Parties, c.Peer.Indexed
		event = func(ctx context.Context, name string) (ev *epcis.Event, err error) {
			if position.MatchString(name) {
				return c.Peer.Event(ctx, name)
			}
			for _, id := range sealer.LedgerIDs(name) { // the api is not told a given id that tells of sealed values
				if ev, err = c.Peer.Event(ctx, id); !errors.Is(err, command.ErrNoEvent) {
					break
				}
			}
			return ev, err
		}
		rules = foresee.New(foresee.Config{
			Sealer: sealer, Party: c.Party, Ask: c.Peer.Foresee, Settle: s.settle, Clock: c.Clock, Log: c.Log, Registry: c.Registry,
			Limit: foresee.Limit{Units: ledgerrest.MaxForeseenUnits, Bytes: ledgerrest.MaxForeseenBytes},
		})
	}
	if s.directory, err = directory.New(dir); err != nil {
		return err
	}
	if err := s.journal.Registrations(s.directory.Load); err != nil {
		return err
	}
	if s.outbox, err = outbox.Open(outbox.Config{
		Journal: s.journal, Spool: c.Spool, Genesis: c.Genesis, Party: c.Party, Key: c.Key, AuthorityParty: c.AuthorityParty, AuthorityKey: c.AuthorityKey,
		Bus: c.Bus, Clock: c.Clock, Log: c.Log, Registry: c.Registry,
	}); err != nil {
		return err
	}
	s.jobs = capture.NewJobs(s.outbox, s.journal, c.Clock, c.Log, indexed)
	if s.capture, err = capture.New(capture.Config{
		Sealer: sealer, Journal: s.journal, Outbox: s.outbox, Directory: s.directory, Rules: rules, Jobs: s.jobs, Spool: c.Spool, Clock: c.Clock, Log: c.Log, Registry: c.Registry,
	}); err != nil {
		return err
	}
	s.commands = command.New(command.Config{Directory: s.directory, Numbers: s.journal, Now: c.Clock.Now, Event: event, Rules: rules, Foreign: c.Profile.foreign})
	s.onboard = onboard.New(onboard.Config{
		Genesis: c.Genesis, Authority: s.outbox.Authority(), Directory: s.directory, Jobs: s.jobs, Journal: s.journal, MaxEvents: capture.MaxEvents,
	})
	return nil
}

// settleEvery is how often settle looks.
const settleEvery = 25 * time.Millisecond

// settle waits until the api service has indexed all that was captured before. false: ctx ended first.
func (s *Service) settle(ctx context.Context) bool {
	until := func(done func() bool) bool {
		for !done() {
			select {
			case <-ctx.Done():
				return false
			case <-s.cfg.Clock.After(settleEvery):
			}
		}
		return true
	}
	if !until(s.capture.Divided()) || !until(s.outbox.Judged()) {
		return false
	}
	height := s.outbox.Height()
	return until(func() bool {
		h, err := s.cfg.Peer.Indexed(ctx)
		return err == nil && h >= height
	})
}

// Run does the work until ctx ends or something is broken that going on would hide.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, run := range []func(context.Context) error{s.outbox.Run, s.capture.Run} {
		wg.Go(func() {
			if err := run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Ready is nil unless the stream is not the one that the certified blocks came from.
func (s *Service) Ready(ctx context.Context) error { return s.outbox.Ready(ctx) }

// Close ends the service; Run must have returned.
func (s *Service) Close() error {
	err := s.journal.Close()
	s.closeBroker()
	return err
}

// API returns the service's HTTP handler. guard authorizes requests that change state; nil disables
// authorization and is for tests only. Pages of the origins may call it; other pages may not, since
// a service on a person's own machine must not take commands from whatever page that person has
// open.
func (s *Service) API(ready func(context.Context) error, guard *signin.Guard, origins ...string) *httpapi.API {
	o := httpapi.Options{
		Title: "Verilot capture: " + s.cfg.Profile.Name, Version: "1", Log: s.cfg.Log, Registry: s.cfg.Registry, Ready: ready, MaxBody: capture.MaxDocument + 1<<20,
		CORS:        origins,
		Description: "The way in for a trading partner: EPCIS documents and business commands become signed submissions. Every answer of 202 is a job that ends in a certified verdict per event. What the api service answers under /v1 and /01 can be read here as well.",
	}
	if guard != nil {
		o.Guard = guard.Check
	}
	api := httpapi.New(o)
	if guard != nil {
		guard.Mount(api)
	}
	s.Mount(api)
	return api
}

// Mount adds the operations. A party that does one thing only, beside a service of another kind,
// gets only that and its jobs.
func (s *Service) Mount(api *httpapi.API) {
	p := s.cfg.Profile
	capture.MountJobs(api, s.jobs)
	if p.beside {
		capture.OfferJobs(api)
	} else {
		capture.Mount(api, s.capture)
		capture.MountDocument(api, s.capture, huma.Operation{
			OperationID: "onboarding", Method: http.MethodPost, Path: "/v1/onboarding", Summary: "Register what a document names (development networks only)",
			Tags: []string{"development"}, Errors: []int{400, 403, 408, 413, 415, 503, 504, 507},
		}, "An EPCIS document of at most 32 MiB", s.onboard.Document)
		huma.Register(api.Huma, huma.Operation{
			OperationID: "onboarding-licences", Method: http.MethodPost, Path: "/v1/onboarding/licences",
			Summary: "Register licences of parties (development networks only)", Tags: []string{"development"}, MaxBodyBytes: 8 << 20,
			Errors: []int{400, 403, 408, 413, 415, 422, 503, 504, 507},
		}, func(ctx context.Context, in *struct{ Body []onboard.LicenceEntry }) (*struct{ Body *onboard.Onboarding }, error) {
			out, err := s.onboard.Licences(ctx, in.Body)
			if err != nil {
				return nil, err
			}
			return &struct{ Body *onboard.Onboarding }{out}, nil
		})
	}
	command.Mount(api, s.commands, command.Offer{By: p.Name, Names: p.commands, Only: p.beside, Authority: s.outbox.Authority()}, s.jobs)
}
