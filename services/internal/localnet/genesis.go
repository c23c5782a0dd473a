// Package localnet starts a whole Verilot network on one machine: broker, validators, api and partner services, each with
// its own keys and its own data folder, wired as they would be on machines of their own. It is what `verilot up` runs and
// what tests of the whole run against.
//
// Such a network is a development network: its genesis file says so, and every service holds an authority key of its own for
// onboarding, and one secret token each for signing in. All its parties, numbers and addresses are invented.
package localnet

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/keyring"
)

// The invented parties of a development network. Labeler code 99990 and its neighbours are not assigned by the FDA.
const (
	DemoMaker       = "lakeside"
	DemoMakerPrefix = "0399990"
	DemoMakerSGLN   = "urn:epc:id:sgln:0399990.00001.0"

	DemoDistributor       = "midland"
	DemoDistributorPrefix = "0399991"
	DemoDistributorSGLN   = "urn:epc:id:sgln:0399991.00001.0"

	DemoPharmacy       = "corner"
	DemoPharmacyPrefix = "0399992"
	DemoPharmacySGLN   = "urn:epc:id:sgln:0399992.00001.0"

	DemoRegulator = "regulator"
	authority     = "authority"
)

// roles are the partner services in the order of their ports.
var roles = []string{"manufacturer", "distributor", "pharmacy"}

// services are the api and the partner services in the order of their ports.
func services() []string { return append([]string{"api"}, roles...) }

type organisation struct {
	id, name, role, prefix, gln, sgln string
	licence                           string // its number
	place                             registry.Place
}

func partners() []organisation {
	return []organisation{
		{
			id: DemoMaker, name: "Lakeside Pharma", role: "manufacturer", prefix: DemoMakerPrefix, gln: "0399990000016", sgln: DemoMakerSGLN,
			licence: "FEI-3009990",
			place:   registry.Place{Name: "Lakeside Pharma, Plant 1", StreetOne: "1 Lakeside Way", City: "Madison", State: "WI", PostalCode: "53703", Country: "US"},
		},
		{
			id: DemoDistributor, name: "Midland Drug", role: "distributor", prefix: DemoDistributorPrefix, gln: "0399991000015", sgln: DemoDistributorSGLN,
			licence: "WDD-KY-4471",
			place:   registry.Place{Name: "Midland Drug, Louisville DC", StreetOne: "200 Freight Street", City: "Louisville", State: "KY", PostalCode: "40218", Country: "US"},
		},
		{
			id: DemoPharmacy, name: "Corner Pharmacy", role: "dispenser", prefix: DemoPharmacyPrefix, gln: "0399992000014", sgln: DemoPharmacySGLN,
			licence: "PH-OH-02210",
			place:   registry.Place{Name: "Corner Pharmacy", StreetOne: "12 Main Street", City: "Dayton", State: "OH", PostalCode: "45402", Country: "US"},
		},
	}
}

// Keys of a network on one machine, by file.
func keyFile(dir, name, use string) string { return filepath.Join(dir, "keys", name+"-"+use+".pem") }

func tokenFile(dir, name string) string { return filepath.Join(dir, "keys", name+"-sign-in.token") }

// tokens reads the sign-in token of every service, or makes it: networks from before there was a sign-in get theirs at the next start.
func tokens(dir string) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range services() {
		token, err := signin.LoadOrCreate(tokenFile(dir, name))
		if err != nil {
			return nil, err
		}
		out[name] = token
	}
	return out, nil
}

// setup is what a new network gets.
type setup struct {
	validators    int
	makerPrefixes []string // of the demo maker beside its own, for tests that play with real products
	name          string
	now           time.Time
}

// loadGenesis reads the genesis file of an existing data folder, or makes keys and genesis file of a new one. A crash while
// making leaves keys and no genesis file; the next start finishes the work.
func loadGenesis(dir string, s setup) (g *genesis.Genesis, created bool, err error) {
	file := filepath.Join(dir, "genesis.json")
	raw, err := os.ReadFile(file)
	if err == nil {
		g, err = genesis.Parse(raw)
		if err != nil {
			return nil, false, fmt.Errorf("read %s: %w", file, err)
		}
		return g, false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("read genesis: %w", err)
	}
	for _, sub := range []string{"nats", "nats-1", "validator-1", "api"} {
		if _, err := os.Stat(filepath.Join(dir, sub)); err == nil {
			return nil, false, fmt.Errorf("genesis.json is missing, and %s is there: this folder held a network. Put its genesis file back, or choose another folder", sub)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "keys"), 0o700); err != nil {
		return nil, false, fmt.Errorf("make key folder: %w", err)
	}
	g, err = makeGenesis(dir, s)
	if err != nil {
		return nil, false, err
	}
	raw, err = genesis.Format(g)
	if err != nil {
		return nil, false, fmt.Errorf("format genesis: %w", err)
	}
	if err := WriteFile(file, raw); err != nil {
		return nil, false, err
	}
	g, err = genesis.Parse(raw)
	if err != nil {
		return nil, false, fmt.Errorf("our own genesis file: %w", err)
	}
	return g, true, nil
}

func makeGenesis(dir string, s setup) (*genesis.Genesis, error) {
	g := &genesis.Genesis{
		Name: s.name, Development: true, CreatedAt: s.now.UTC().Truncate(time.Second).UnixMilli(), Epoch: 1, RulesVersion: 1, StateKind: 1,
		GraceSeconds: 86400,
	}
	if _, err := rand.Read(g.VerdictKey[:]); err != nil {
		return nil, fmt.Errorf("random verdict key: %w", err)
	}
	orgs := append(partners(), organisation{id: DemoRegulator, name: "Regulator (development)", role: "regulator"})
	for i := range s.validators {
		name := fmt.Sprintf("validator-%d", i+1)
		if i == len(orgs) { // one organisation, one vote
			orgs = append(orgs, organisation{id: fmt.Sprintf("auditor-%d", i+1), name: fmt.Sprintf("Auditor %d (development)", i+1)})
		}
		vote, err := public(dir, name, keys.Vote)
		if err != nil {
			return nil, err
		}
		cosign, err := public(dir, name, keys.Cosign)
		if err != nil {
			return nil, err
		}
		g.Validators.Validators = append(g.Validators.Validators, quorum.Validator{
			Name: fmt.Sprintf("%s.%s", name, s.name), Party: orgs[i].id, VoteKey: vote, CosignKey: cosign,
		})
	}
	for _, name := range append([]string{authority}, roles...) {
		key, err := public(dir, name, keys.Authority)
		if err != nil {
			return nil, err
		}
		g.Authorities = append(g.Authorities, genesis.Authority{Party: authority, Key: key})
	}
	for i, p := range orgs {
		act := registry.Act{Party: p.id, Name: p.name}
		if p.role != "" {
			act.Roles = append(act.Roles, p.role)
		}
		if i < s.validators {
			act.Roles = append(act.Roles, "validator")
		}
		if i < len(roles) {
			key, err := public(dir, roles[i], keys.Event)
			if err != nil {
				return nil, err
			}
			act.Keys = []registry.Key{{PublicKey: key, Use: keys.Event}}
			act.GLNs, act.Prefixes, act.Licences = []string{p.gln}, []string{p.prefix}, Licences(p.role, p.licence, p.place.State, s.now)
			p.place.ID = p.sgln
			act.Places = []registry.Place{p.place}
			if i == 0 {
				act.Prefixes = append(act.Prefixes, s.makerPrefixes...)
			}
		} else {
			key, err := public(dir, p.id, keys.Event)
			if err != nil {
				return nil, err
			}
			act.Keys = []registry.Key{{PublicKey: key, Use: keys.Event}}
		}
		g.Parties = append(g.Parties, act)
	}
	g.Parties = append(g.Parties, registry.Act{Party: authority, Name: "Registration authority (development)", Roles: []string{"authority"}})
	return g, nil
}

func signer(dir, name, use string) (crypto.Signer, error) {
	k, err := keyring.LoadOrCreate(keyFile(dir, name, use), use)
	if err != nil {
		return nil, fmt.Errorf("key of %s for %s: %w", name, use, err)
	}
	return k, nil
}

func public(dir, name, use string) (ed25519.PublicKey, error) {
	k, err := signer(dir, name, use)
	if err != nil {
		return nil, err
	}
	key, ok := k.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("key of %s for %s is not Ed25519", name, use)
	}
	return key, nil
}

// WriteFile replaces a file so that after a crash it is whole or absent.
func WriteFile(file string, b []byte) error {
	tmp := file + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.Rename(tmp, file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// networkName is unique enough to tell two development networks apart by eye.
func networkName(now time.Time) string {
	var b [3]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(fmt.Sprintf("dev-%s-%x", now.UTC().Format("20060102"), b))
}
