// Package genesisfile turns what organisations agreed on into the genesis file of their network. It needs public keys only: every organisation
// makes its own with `verilot keygen` and keeps the private half.
//
// Format: one YAML document, the struct Network; a key that it does not have is an error. The same document always makes the same genesis
// file, byte for byte, so that each organisation can compose it by itself and compare the hash.
//
// Trust: whoever writes the document proposes; ledger/genesis refuses what the rules of the ledger would refuse later.
package genesisfile

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
)

// Network is the document.
type Network struct {
	// Network is its name: lower-case letters, digits, dots and dashes.
	Network string `yaml:"network"`
	// Development allows what only tests and demonstrations may do. Default false.
	Development bool `yaml:"development"`
	// Created is when it was agreed on, such as 2026-12-01T12:00:00Z.
	Created string `yaml:"created"`
	// VerdictKey is 32 random bytes in hex, from `verilot genesis verdict-key`. Everybody knows it.
	VerdictKey string `yaml:"verdict_key"`
	// Grace is how long a finding may wait for the record that explains it. Default 24h.
	Grace string `yaml:"grace"`
	// Parties are the organisations.
	Parties []Party `yaml:"parties"`
	// Authorities may register parties later; their party needs the role authority.
	Authorities []Authority `yaml:"authorities"`
	// Validators are one, or four and more, each of another party with the role validator.
	Validators []Validator `yaml:"validators"`
}

// Party is an organisation.
type Party struct {
	ID        string    `yaml:"id"`
	Name      string    `yaml:"name"`
	Roles     []string  `yaml:"roles"`
	EventKeys []string  `yaml:"event_keys"`
	GLNs      []string  `yaml:"glns"`
	Prefixes  []string  `yaml:"prefixes"`
	Licences  []Licence `yaml:"licences"`
	Places    []Place   `yaml:"places"`
}

// Licence is an authorisation; days are YYYY-MM-DD.
type Licence struct {
	Number       string `yaml:"number"`
	Kind         string `yaml:"kind"`
	Jurisdiction string `yaml:"jurisdiction"`
	ValidFrom    string `yaml:"valid_from"`
	ValidTo      string `yaml:"valid_to"`
}

// Place is a site.
type Place struct {
	SGLN       string `yaml:"sgln"`
	Name       string `yaml:"name"`
	StreetOne  string `yaml:"street_one"`
	StreetTwo  string `yaml:"street_two"`
	City       string `yaml:"city"`
	State      string `yaml:"state"`
	PostalCode string `yaml:"postal_code"`
	Country    string `yaml:"country"`
}

// Authority is a key of a party that may register others.
type Authority struct {
	Party string `yaml:"party"`
	Key   string `yaml:"key"`
}

// Validator is one of a party.
type Validator struct {
	// Name is unique, such as validator-1.example-network.
	Name      string `yaml:"name"`
	Party     string `yaml:"party"`
	VoteKey   string `yaml:"vote_key"`
	CosignKey string `yaml:"cosign_key"`
}

// maxFile bounds what Compose reads.
const maxFile = 64 << 20

// Compose makes the genesis file of a document.
func Compose(doc []byte) ([]byte, *genesis.Genesis, error) {
	if len(doc) > maxFile {
		return nil, nil, fmt.Errorf("the document has %d bytes; at most %d are read", len(doc), maxFile)
	}
	var n Network
	err := yaml.NewDecoder(bytes.NewReader(doc), yaml.Strict(), yaml.DisallowUnknownField()).Decode(&n)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	g, err := n.genesis()
	if err != nil {
		return nil, nil, err
	}
	file, err := genesis.Format(g)
	if err != nil {
		return nil, nil, err
	}
	if g, err = genesis.Parse(file); err != nil {
		return nil, nil, err
	}
	return file, g, nil
}

// VerdictKey makes one up.
func VerdictKey() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// problems collects everything that is wrong, so that a document is mended in one go.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

func (n *Network) genesis() (*genesis.Genesis, error) {
	var bad problems
	g := &genesis.Genesis{Name: n.Network, Development: n.Development, Epoch: 1, RulesVersion: 1, StateKind: 1}
	if n.Network == "" {
		bad.add("network is missing: its name, such as midwest-2027")
	}
	if at, err := time.Parse(time.RFC3339, n.Created); err != nil {
		bad.add("created is %q: it must be a time such as 2026-12-01T12:00:00Z; it is not taken from the clock, so that everybody composes the same file", n.Created)
	} else {
		g.CreatedAt = at.UnixMilli()
	}
	if n.VerdictKey == "" {
		bad.add("verdict_key is missing: 32 bytes in hex that nobody chose, known to all; here are some: %s", VerdictKey())
	} else if copy(g.VerdictKey[:], bad.bytes("verdict_key", n.VerdictKey, "")) < 32 {
		g.VerdictKey = [32]byte{}
	}
	grace := 24 * time.Hour
	if n.Grace != "" {
		var err error
		if grace, err = time.ParseDuration(n.Grace); err != nil || grace%time.Second != 0 {
			bad.add("grace is %q: it must be a duration of whole seconds, such as 24h", n.Grace)
		}
	}
	g.GraceSeconds = int64(grace / time.Second)
	for i := range n.Parties {
		g.Parties = append(g.Parties, *n.Parties[i].act(i, &bad))
	}
	for i, a := range n.Authorities {
		at := fmt.Sprintf("authorities[%d] (%s): ", i, a.Party)
		g.Authorities = append(g.Authorities, genesis.Authority{Party: a.Party, Key: bad.bytes(at+"key", a.Key, keys.Authority)})
	}
	if len(n.Authorities) == 0 {
		bad.add("authorities is empty: nobody could ever register another party, key or site")
	}
	set := &g.Validators
	for i, v := range n.Validators {
		at := fmt.Sprintf("validators[%d] (%s): ", i, v.Name)
		set.Validators = append(set.Validators, quorum.Validator{
			Name: v.Name, Party: v.Party, VoteKey: bad.bytes(at+"vote_key", v.VoteKey, keys.Vote), CosignKey: bad.bytes(at+"cosign_key", v.CosignKey, keys.Cosign),
		})
	}
	if c := len(set.Validators); c != 1 && c < 4 {
		bad.add("validators: there are %d; one alone decides by itself, and from 4 on fewer than a third may fail", c)
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return g, nil
}

func (p *Party) act(i int, bad *problems) *registry.Act {
	at := fmt.Sprintf("parties[%d] (%s): ", i, p.ID)
	a := &registry.Act{Party: p.ID, Name: p.Name, Roles: p.Roles, GLNs: p.GLNs, Prefixes: p.Prefixes}
	for j, k := range p.EventKeys {
		a.Keys = append(a.Keys, registry.Key{PublicKey: bad.bytes(fmt.Sprintf("%sevent_keys[%d]", at, j), k, keys.Event), Use: keys.Event})
	}
	for _, l := range p.Licences {
		a.Licences = append(a.Licences, registry.Licence(l))
	}
	for _, pl := range p.Places {
		a.Places = append(a.Places, registry.Place{
			ID: pl.SGLN, Name: pl.Name, StreetOne: pl.StreetOne, StreetTwo: pl.StreetTwo, City: pl.City, State: pl.State, PostalCode: pl.PostalCode, Country: pl.Country,
		})
	}
	return a
}

// bytes reads 32 bytes in hex; use is that of the key they are.
func (p *problems) bytes(at, s, use string) []byte {
	b, err := hex.DecodeString(s)
	if err == nil && len(b) == 32 && s == strings.ToLower(s) {
		return b
	}
	if strings.Contains(s, "PRIVATE KEY") {
		p.add("%s holds a private key. Replace that key: it has been in a document meant for others", at)
		return nil
	}
	how := ""
	if use != "" {
		how = fmt.Sprintf("; \"verilot keygen --use %s\" prints it as public key", use)
	}
	if s == "" {
		p.add("%s is missing: 32 bytes in lower-case hex%s", at, how)
	} else {
		p.add("%s is %q: it must be 32 bytes in lower-case hex%s", at, s, how)
	}
	return nil
}
