package genesis

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

var networkName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)

const (
	maxGrace = 366 * 24 * 3600 // a year of seconds

	// minPrefix is more than the registry asks for (docs/spec.md section 2). No EPC URN has a company prefix of four or
	// five digits. An act may register one later; to take one here would read a genesis file that other releases refuse.
	minPrefix = 6
)

func (f *file) parse() (*Genesis, error) {
	g := &Genesis{
		Name: f.Network, Development: f.Development, Epoch: f.Epoch, RulesVersion: f.RulesVersion,
		StateKind: f.StateKind, GraceSeconds: f.GraceSeconds,
	}
	switch {
	case f.Format != fileFormat:
		return nil, fmt.Errorf("genesis: format %q, want %q", f.Format, fileFormat)
	case !networkName.MatchString(f.Network):
		return nil, fmt.Errorf("genesis: network name %q", f.Network)
	case f.Epoch != 1 || f.RulesVersion != 1 || f.StateKind != 1:
		return nil, errors.New("genesis: epoch, rulesVersion and stateRootKind must be 1")
	case f.GraceSeconds < 1 || f.GraceSeconds > maxGrace:
		return nil, fmt.Errorf("genesis: graceSeconds %d, want 1 to %d", f.GraceSeconds, maxGrace)
	}
	at, err := time.Parse(time.RFC3339, f.CreatedAt)
	if err != nil || at.UTC().Format(timeLayout) != f.CreatedAt || at.UnixMilli() < 0 {
		return nil, fmt.Errorf("genesis: createdAt %q is not RFC 3339 in UTC, in milliseconds at most", f.CreatedAt)
	}
	g.CreatedAt = at.UnixMilli()
	k0, err := unhex(f.VerdictKey)
	if err != nil {
		return nil, fmt.Errorf("genesis: verdictKey: %w", err)
	}
	copy(g.VerdictKey[:], k0)

	c := checker{seen: map[string]string{}, roles: map[string][]string{}}
	for i := range f.Parties {
		act, err := c.party(&f.Parties[i])
		if err != nil {
			return nil, fmt.Errorf("genesis: party %d (%s): %w", i, f.Parties[i].ID, err)
		}
		g.Parties = append(g.Parties, *act)
	}
	for i, a := range f.Authorities {
		k, err := c.key(a.Key)
		if err = errors.Join(err, c.has(a.Party, "authority")); err != nil {
			return nil, fmt.Errorf("genesis: authority %d: %w", i, err)
		}
		g.Authorities = append(g.Authorities, Authority{Party: a.Party, Key: k})
	}
	var vs []quorum.Validator
	for i, v := range f.Validators {
		vote, err1 := c.key(v.VoteKey)
		cosign, err2 := c.key(v.CosignKey)
		if err := errors.Join(err1, err2, c.has(v.Party, "validator")); err != nil {
			return nil, fmt.Errorf("genesis: validator %d: %w", i, err)
		}
		vs = append(vs, quorum.Validator{Name: v.Name, Party: v.Party, VoteKey: vote, CosignKey: cosign})
	}
	set, err := quorum.NewSet(vs)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	g.Validators = *set
	// Block 0 will write these parties: what the registry refuses must not come that far.
	var as []registry.Authority
	for _, a := range g.Authorities {
		as = append(as, registry.Authority(a))
	}
	if err := registry.Seed(state.NewMemory(), g.Parties, as); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return g, nil
}

// checker refuses what occurs twice in a file: a key in two places would let one signature count as two people's.
type checker struct {
	seen  map[string]string // what || value -> where
	roles map[string][]string
	id    string // of the party being read
}

func (c *checker) once(what, value string) error {
	k := what + " " + value
	if at, ok := c.seen[k]; ok {
		if at != "" {
			return fmt.Errorf("%s is also in party %s", k, at)
		}
		return fmt.Errorf("%s occurs twice", k)
	}
	c.seen[k] = c.id
	return nil
}

func (c *checker) key(s string) ([]byte, error) {
	k, err := unhex(s)
	if err != nil {
		return nil, err
	}
	if err := keys.Check(k); err != nil {
		return nil, fmt.Errorf("key %s: %w", s, err)
	}
	return k, c.once("key", s)
}

func (c *checker) has(id, role string) error {
	if r, ok := c.roles[id]; !ok {
		return fmt.Errorf("%q is not in parties", id)
	} else if !slices.Contains(r, role) {
		return fmt.Errorf("party %s lacks the role %s", id, role)
	}
	return nil
}

func (c *checker) party(p *party) (*registry.Act, error) {
	if err := registry.CheckPartyID(p.ID); err != nil {
		return nil, err
	}
	if _, ok := c.roles[p.ID]; ok {
		return nil, errors.New("id occurs twice")
	}
	c.id, c.roles[p.ID] = p.ID, p.Roles
	defer func() { c.id = "" }()
	if strings.TrimSpace(p.Name) == "" {
		return nil, errors.New("name is missing")
	}
	a := &registry.Act{Party: p.ID, Name: p.Name, Roles: p.Roles, GLNs: p.GLNs, Prefixes: p.Prefixes}
	if len(p.Roles) == 0 {
		return nil, errors.New("roles are missing")
	}
	for i, r := range p.Roles {
		if !registry.IsRole(r) || slices.Contains(p.Roles[:i], r) {
			return nil, fmt.Errorf("role %q is unknown or occurs twice", r)
		}
	}
	for _, k := range p.Keys {
		pub, err := c.key(k.PublicKey)
		if err != nil {
			return nil, err
		}
		if !registry.IsKeyUse(k.Use) {
			return nil, fmt.Errorf("key use %q", k.Use)
		}
		a.Keys = append(a.Keys, registry.Key{PublicKey: pub, Use: k.Use})
	}
	for _, g := range p.GLNs {
		if _, err := gs1.ParseGLN(g); err != nil {
			return nil, fmt.Errorf("gln: %w", err)
		}
		if err := c.once("gln", g); err != nil {
			return nil, err
		}
	}
	for _, x := range p.Prefixes {
		if !registry.IsPrefix(x) || len(x) < minPrefix {
			return nil, fmt.Errorf("company prefix %q is not %d to 12 digits", x, minPrefix)
		}
		if err := c.once("prefix", x); err != nil {
			return nil, err
		}
	}
	for _, l := range p.Licences {
		from, err1 := day(l.ValidFrom)
		to, err2 := day(l.ValidTo)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("licence %s: %w", l.Number, err)
		}
		if l.Number == "" || l.Kind == "" || !to.IsZero() && to.Before(from) {
			return nil, fmt.Errorf("licence %q lacks a number or kind, or ends before it begins", l.Number)
		}
		a.Licences = append(a.Licences, registry.Licence(l))
	}
	for _, pl := range p.Places {
		k, err := registry.PlaceKey(pl.ID)
		if err != nil {
			return nil, fmt.Errorf("place: %w", err)
		}
		if err := c.once("place", k.String()); err != nil {
			return nil, err
		}
		a.Places = append(a.Places, registry.Place(pl))
	}
	return a, nil
}

// day reads a date that may be left open.
func day(s string) (gs1.Date, error) {
	if s == "" {
		return gs1.Date{}, nil
	}
	return gs1.ParseDate(s)
}

// unhex reads 32 bytes of lower-case hex.
func unhex(s string) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 || hex.EncodeToString(b) != s {
		return nil, fmt.Errorf("%q is not 32 bytes in lower-case hex", s)
	}
	return b, nil
}
