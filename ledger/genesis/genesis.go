// Package genesis reads the file that a network starts from (docs/spec.md section 2).
//
// The file is what everybody trusts: its hash names the network, so Parse accepts one spelling of its content (white space
// between tokens apart) and nothing that a rule of the ledger would refuse later.
package genesis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
)

// Genesis is a parsed genesis file. File is its exact bytes.
type Genesis struct {
	File         []byte
	Hash         canonical.Hash
	Network      canonical.Network
	Name         string
	Development  bool
	CreatedAt    int64 // ms
	Epoch        uint32
	RulesVersion uint32
	StateKind    uint8
	VerdictKey   canonical.Hash // K_0
	GraceSeconds int64
	Validators   quorum.Set
	Authorities  []Authority
	Parties      []registry.Act
}

// Authority is a party whose party_acts under this key are believed.
type Authority struct {
	Party string
	Key   []byte // Ed25519 public key
}

// fileFormat is the first member and, with a line feed, what the file's hash begins with.
const fileFormat = "verilot/genesis/v1"

// maxFile bounds what Parse reads: a hundred thousand parties.
const maxFile = 64 << 20

// file is the JSON of spec section 2; the order of the fields is the order of the members.
type file struct {
	Format       string      `json:"format"`
	Network      string      `json:"network"`
	Development  bool        `json:"development"`
	CreatedAt    string      `json:"createdAt"`
	Epoch        uint32      `json:"epoch"`
	RulesVersion uint32      `json:"rulesVersion"`
	StateKind    uint8       `json:"stateRootKind"`
	VerdictKey   string      `json:"verdictKey"`
	GraceSeconds int64       `json:"graceSeconds"`
	Validators   []validator `json:"validators"`
	Authorities  []authority `json:"authorities"`
	Parties      []party     `json:"parties"`
}

type validator struct {
	Name      string `json:"name"`
	Party     string `json:"party"`
	VoteKey   string `json:"voteKey"`
	CosignKey string `json:"cosignKey"`
}

type authority struct {
	Party string `json:"party"`
	Key   string `json:"key"`
}

type party struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`
	Keys     []key     `json:"keys"`
	GLNs     []string  `json:"glns"`
	Prefixes []string  `json:"prefixes"`
	Licences []licence `json:"licences"`
	Places   []place   `json:"places"`
}

type key struct {
	PublicKey string `json:"publicKey"`
	Use       string `json:"use"`
}

type licence struct {
	Number       string `json:"number"`
	Kind         string `json:"kind"`
	Jurisdiction string `json:"jurisdiction"`
	ValidFrom    string `json:"validFrom"`
	ValidTo      string `json:"validTo"`
}

type place struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	StreetOne  string `json:"streetOne"`
	StreetTwo  string `json:"streetTwo"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"country"`
}

// timeLayout is RFC 3339 with as many digits of a second as are not zero.
const timeLayout = "2006-01-02T15:04:05.999Z07:00"

// Parse reads a genesis file strictly.
func Parse(raw []byte) (*Genesis, error) {
	if len(raw) > maxFile {
		return nil, errors.New("genesis: file too large")
	}
	var f file
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("genesis: something follows the object")
	}
	// encoding/json takes members in any order and case, twice, or not at all. One comparison refuses all of that, and
	// every second spelling of a string or number.
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	if again, err := f.encode(); err != nil {
		return nil, err
	} else if !bytes.Equal(again, compact.Bytes()) {
		return nil, fmt.Errorf("genesis: members missing, repeated, out of order or oddly spelled near %q", firstDifference(compact.Bytes(), again))
	}
	g, err := f.parse()
	if err != nil {
		return nil, err
	}
	g.File = append([]byte(nil), raw...)
	g.Hash = sha256.Sum256(append([]byte(fileFormat+"\n"), raw...))
	copy(g.Network[:], g.Hash[:])
	return g, nil
}

// encode is the compact JSON, without the escapes that only HTML needs; lists that are absent are written empty.
func (f *file) encode() ([]byte, error) {
	f.fill()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (f *file) fill() {
	f.Validators = list(f.Validators)
	f.Authorities = list(f.Authorities)
	f.Parties = list(f.Parties)
	for i := range f.Parties {
		p := &f.Parties[i]
		p.Roles, p.Keys, p.GLNs = list(p.Roles), list(p.Keys), list(p.GLNs)
		p.Prefixes, p.Licences, p.Places = list(p.Prefixes), list(p.Licences), list(p.Places)
	}
}

func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

func firstDifference(a, b []byte) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return string(a[max(0, i-20):min(len(a), i+20)])
}

// Format writes a genesis file for g (ignoring File, Hash and Network): indented JSON that Parse accepts.
func Format(g *Genesis) ([]byte, error) {
	f, err := g.file()
	if err != nil {
		return nil, err
	}
	compact, err := f.encode()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, compact, "", "  "); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	b.WriteByte('\n')
	if _, err := Parse(b.Bytes()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (g *Genesis) file() (*file, error) {
	f := &file{
		Format: fileFormat, Network: g.Name, Development: g.Development,
		CreatedAt: time.UnixMilli(g.CreatedAt).UTC().Format(timeLayout),
		Epoch:     g.Epoch, RulesVersion: g.RulesVersion, StateKind: g.StateKind,
		VerdictKey: hex.EncodeToString(g.VerdictKey[:]), GraceSeconds: g.GraceSeconds,
	}
	for _, v := range g.Validators.Validators {
		f.Validators = append(f.Validators, validator{v.Name, v.Party, hex.EncodeToString(v.VoteKey), hex.EncodeToString(v.CosignKey)})
	}
	for _, a := range g.Authorities {
		f.Authorities = append(f.Authorities, authority{a.Party, hex.EncodeToString(a.Key)})
	}
	for _, a := range g.Parties {
		if a.Suspended != "" || len(a.RevokedKeys) > 0 || a.Note != "" {
			return nil, fmt.Errorf("genesis: party %s: a genesis file cannot suspend, revoke or remark", a.Party)
		}
		p := party{ID: a.Party, Name: a.Name, Roles: slices.Clone(a.Roles), GLNs: slices.Clone(a.GLNs), Prefixes: slices.Clone(a.Prefixes)}
		for _, k := range a.Keys {
			p.Keys = append(p.Keys, key{hex.EncodeToString(k.PublicKey), k.Use})
		}
		for _, l := range a.Licences {
			p.Licences = append(p.Licences, licence(l))
		}
		for _, pl := range a.Places {
			p.Places = append(p.Places, place(pl))
		}
		f.Parties = append(f.Parties, p)
	}
	return f, nil
}

// Origin is the checkpoint origin line of the network's current epoch.
func (g *Genesis) Origin() string { return quorum.Origin(g.Name, g.Hash, g.Epoch) }
