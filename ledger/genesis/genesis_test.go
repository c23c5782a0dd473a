package genesis_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
)

var update = flag.Bool("update", false, "rewrite the golden vectors")

// testKey is the Ed25519 key whose seed is SHA-256 of a name; the vectors say so.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func pub(name string) ed25519.PublicKey { return testKey(name).Public().(ed25519.PublicKey) }

func sample() *genesis.Genesis {
	g := &genesis.Genesis{
		Name: "test", Development: true, CreatedAt: 1767225600000, Epoch: 1, RulesVersion: 1, StateKind: 1,
		VerdictKey: sha256.Sum256([]byte("verilot test verdict key")), GraceSeconds: 86400,
		Authorities: []genesis.Authority{{Party: "board", Key: pub("board/authority")}},
	}
	for _, v := range []string{"v1", "v2", "v3", "v4"} {
		g.Validators.Validators = append(g.Validators.Validators, quorum.Validator{
			Name: v + ".test.example", Party: v, VoteKey: pub(v + "/vote"), CosignKey: pub(v + "/cosign"),
		})
		g.Parties = append(g.Parties, registry.Act{Party: v, Name: "Validator " + v, Roles: []string{"validator"}})
	}
	g.Parties = append(g.Parties,
		registry.Act{Party: "board", Name: "Board <of> “Pharmacy” & Co", Roles: []string{"authority", "regulator"}},
		registry.Act{
			Party: "acme", Name: "Acme Pharma", Roles: []string{"manufacturer"},
			Keys:     []registry.Key{{PublicKey: pub("acme/event"), Use: "event"}},
			GLNs:     []string{"0614141000012"},
			Prefixes: []string{"0614141"},
			Licences: []registry.Licence{{Number: "L-1", Kind: "fda_establishment", Jurisdiction: "US-NJ", ValidFrom: "2020-01-01", ValidTo: "2030-12-31"}},
			Places: []registry.Place{{
				ID: "urn:epc:id:sgln:0614141.00001.0", Name: "Plant 1", StreetOne: "1 Main St", City: "Newark", State: "NJ", PostalCode: "07101", Country: "US",
			}},
		})
	return g
}

func format(tb testing.TB, g *genesis.Genesis) []byte {
	tb.Helper()
	b, err := genesis.Format(g)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestFormatAndParse(t *testing.T) {
	file := format(t, sample())
	g, err := genesis.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := sha256.Sum256(append([]byte("verilot/genesis/v1\n"), file...)); g.Hash != want || canonical.Network(want[:16]) != g.Network {
		t.Error("hash or network is not of section 2")
	}
	if again := format(t, g); !bytes.Equal(again, file) {
		t.Errorf("formatting what was parsed differs:\n%s\n%s", again, file)
	}
	if got := g.Origin(); got != "verilot/test/"+hex.EncodeToString(g.Hash[:4])+"/1" {
		t.Errorf("origin %q", got)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, file); err != nil {
		t.Fatal(err)
	}
	h, err := genesis.Parse(compact.Bytes())
	if err != nil {
		t.Fatalf("the compact file: %v", err)
	}
	if h.Hash == g.Hash {
		t.Error("the exact bytes must be hashed, white space too")
	}
}

// refused are edits of the sample file that must not parse: (what, old text, new text).
var refused = []struct{ Name, Old, New string }{
	{"unknown member", `"network": "test"`, `"network": "test", "colour": "blue"`},
	{"member in another case", `"network": "test"`, `"Network": "test"`},
	{"member twice", `"network": "test"`, `"network": "test", "network": "test"`},
	{"members in another order", `"epoch": 1,
  "rulesVersion": 1,`, `"rulesVersion": 1,
  "epoch": 1,`},
	{"member missing", `"epoch": 1,`, ``},
	{"needless escape", `"network": "test"`, `"network": "\u0074est"`},
	{"number with an exponent", `"graceSeconds": 86400`, `"graceSeconds": 864e2`},
	{"null list", `"keys": []`, `"keys": null`},
	{"another format", `"verilot/genesis/v1"`, `"verilot/genesis/v2"`},
	{"network name in capitals", `"network": "test"`, `"network": "Test"`},
	{"epoch 2", `"epoch": 1`, `"epoch": 2`},
	{"rules version 2", `"rulesVersion": 1`, `"rulesVersion": 2`},
	{"no grace", `"graceSeconds": 86400`, `"graceSeconds": 0`},
	{"local time", `2026-01-01T00:00:00Z`, `2026-01-01T00:00:00+01:00`},
	{"time with idle zeros", `2026-01-01T00:00:00Z`, `2026-01-01T00:00:00.000Z`},
	{"time in microseconds", `2026-01-01T00:00:00Z`, `2026-01-01T00:00:00.000001Z`},
	{"validator name with a space", `"v1.test.example"`, `"v1 test"`},
	{"validator name with a plus", `"v1.test.example"`, `"v1+test"`},
	{"two validators of one name", `"v1.test.example"`, `"v2.test.example"`},
	{"validator of an unknown party", `"party": "v1"`, `"party": "v9"`},
	{"two validators of one organisation", `"party": "v1"`, `"party": "v2"`},
	{"validator without the role", `"party": "v1"`, `"party": "acme"`},
	{"authority of an unknown party", `"party": "board"`, `"party": "nobody"`},
	{"authority without the role", `"party": "board"`, `"party": "acme"`},
	{"party id in capitals", `"id": "acme"`, `"id": "Acme"`},
	{"party twice", `"id": "acme"`, `"id": "board"`},
	{"party without a name", `"Acme Pharma"`, `" "`},
	{"unknown role", `"manufacturer"
      ]`, `"wizard"
      ]`},
	{"role twice", `"manufacturer"
      ]`, `"manufacturer", "manufacturer"
      ]`},
	{"unknown key use", `"use": "event"`, `"use": "love"`},
	{"key in capitals", hex.EncodeToString(pub("acme/event")), strings.ToUpper(hex.EncodeToString(pub("acme/event")))},
	{"key cut short", hex.EncodeToString(pub("acme/event")), hex.EncodeToString(pub("acme/event"))[:62]},
	{"key of small order", hex.EncodeToString(pub("acme/event")), "01" + strings.Repeat("00", 31)},
	{"key in two places", hex.EncodeToString(pub("acme/event")), hex.EncodeToString(pub("v1/vote"))},
	{"vote and cosign key the same", hex.EncodeToString(pub("v1/vote")), hex.EncodeToString(pub("v1/cosign"))},
	{"GLN with a wrong check digit", `"0614141000012"`, `"0614141000013"`},
	{"company prefix of five digits", `"0614141"`, `"06141"`},
	{"company prefix of thirteen digits", `"0614141"`, `"0614141000000"`},
	{"licence that ends before it begins", `"2030-12-31"`, `"2019-12-31"`},
	{"licence on 30 February", `"2030-12-31"`, `"2030-02-30"`},
	{"place that is no SGLN", `urn:epc:id:sgln:0614141.00001.0`, `urn:epc:id:sscc:0614141.1234567890`},
	{"something after the object", "]\n}\n", "]\n}\n{}"},
	{"only two validators", "", ""}, // built in the test
}

func TestParseRefuses(t *testing.T) {
	file := string(format(t, sample()))
	for _, tt := range refused {
		t.Run(tt.Name, func(t *testing.T) {
			bad := strings.Replace(file, tt.Old, tt.New, 1)
			if tt.Old == "" {
				g := sample()
				g.Validators.Validators = g.Validators.Validators[:2]
				if _, err := genesis.Format(g); err == nil {
					t.Error("formatted")
				}
				return
			}
			if bad == file {
				t.Fatal("the edit changes nothing")
			}
			if _, err := genesis.Parse([]byte(bad)); err == nil {
				t.Error("parsed")
			} else {
				t.Log(err)
			}
		})
	}
}

// vectors is ledger/testdata/vectors/genesis.json.
type vectors struct {
	Comment  string    `json:"comment"`
	Valid    []valid   `json:"valid"`
	Refused  []invalid `json:"refused"`
	KeysFrom string    `json:"keysFrom"`
}

type valid struct {
	Name        string `json:"name"`
	File        string `json:"file"`
	PreImage    string `json:"preImage"`
	Hash        string `json:"hash"`
	Network     string `json:"network"`
	Origin      string `json:"origin"`
	CreatedAt   int64  `json:"createdAtMs,string"`
	SetPreImage string `json:"setPreImageHex"`
	SetHash     string `json:"setHash"`
}

// invalid is an edit of the first valid file: the first occurrence of Old becomes New.
type invalid struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

func TestVectors(t *testing.T) {
	v := vectors{
		Comment:  "docs/spec.md section 2: genesis files, byte for byte, with their hashes. A refused file is the first valid one with the first occurrence of old replaced by new.",
		KeysFrom: `every key's seed is SHA-256("verilot test key " + name), names like v1/vote, v1/cosign, acme/event, board/authority`,
	}
	lone := sample()
	lone.Name, lone.Development, lone.CreatedAt = "lone-dev.1", false, 1767225600123
	lone.Validators.Validators = lone.Validators.Validators[:1]
	for name, g := range map[string]*genesis.Genesis{"four validators": sample(), "one validator": lone} {
		file := format(t, g)
		p, err := genesis.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		set := canonical.AppendTag(nil, p.Network, "validators")
		set = canonical.U32(set, uint32(len(p.Validators.Validators)))
		for _, x := range p.Validators.Validators {
			set = append(append(canonical.Str8(canonical.Str8(set, x.Name), x.Party), x.VoteKey...), x.CosignKey...)
		}
		setHash := p.Validators.Hash(p.Network)
		if sha256.Sum256(set) != setHash {
			t.Error("set hash is not that of its pre-image")
		}
		v.Valid = append(v.Valid, valid{
			Name: name, File: string(file), PreImage: "verilot/genesis/v1\n || file",
			Hash: hex.EncodeToString(p.Hash[:]), Network: hex.EncodeToString(p.Network[:]), Origin: p.Origin(), CreatedAt: p.CreatedAt,
			SetPreImage: hex.EncodeToString(set), SetHash: hex.EncodeToString(setHash[:]),
		})
	}
	if v.Valid[0].Name > v.Valid[1].Name {
		v.Valid[0], v.Valid[1] = v.Valid[1], v.Valid[0]
	}
	for _, r := range refused {
		if r.Old != "" {
			v.Refused = append(v.Refused, invalid(r))
		}
	}
	golden(t, "genesis.json", v)
}

// golden compares v with a vector file, or rewrites it under -update.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "testdata", "vectors", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs from the golden file; a changed old vector is a fork", name)
	}
}

func FuzzParse(f *testing.F) {
	file := format(f, sample())
	f.Add(file)
	for _, r := range refused[:12] {
		f.Add([]byte(strings.Replace(string(file), r.Old, r.New, 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := genesis.Parse(b)
		if err != nil {
			return
		}
		again, err := genesis.Format(g)
		if err != nil {
			t.Fatalf("what parses must format: %v", err)
		}
		h, err := genesis.Parse(again)
		if err != nil || h.Name != g.Name || h.CreatedAt != g.CreatedAt || len(h.Parties) != len(g.Parties) {
			t.Fatalf("parse(format(parse(x))) differs: %v", err)
		}
	})
}
