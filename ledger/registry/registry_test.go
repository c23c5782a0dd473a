package registry

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

func pub(name string) ed25519.PublicKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
}

func acme() *Act {
	return &Act{
		Party: "acme", Name: "Acme Pharma", Roles: []string{"manufacturer", "distributor"},
		Keys:     []Key{{pub("acme"), keys.Event}},
		GLNs:     []string{"0399990000016"},
		Prefixes: []string{"0399990"},
		Licences: []Licence{{Number: "L1", Kind: "manufacturer", Jurisdiction: "US-NJ", ValidFrom: "2020-01-01", ValidTo: "2030-01-01"}},
		Places:   []Place{{ID: "urn:epc:id:sgln:0399990.00002.0", Name: "Plant", City: "Trenton"}},
	}
}

func code(err error) verdict.Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if err != nil {
		return verdict.Code("not a registry.Error: " + err.Error())
	}
	return ""
}

func TestPartyIsKnownByEverythingItRegistered(t *testing.T) {
	st := state.NewMemory()
	r := Registry{st}
	if err := ApplyAct(st, acme(), false); err != nil {
		t.Fatal(err)
	}
	// A second act adds; nothing is taken away.
	if err := ApplyAct(st, &Act{Party: "acme", Roles: []string{"repackager"}, Prefixes: []string{"0399991"}}, false); err != nil {
		t.Fatal(err)
	}
	id := keys.ID(keys.Event, pub("acme"))
	want := Party{
		ID: "acme", Name: "Acme Pharma", Roles: []string{"distributor", "manufacturer", "repackager"},
		GLNs: []string{"0399990000016", "0399990000023"}, Prefixes: []string{"0399990", "0399991"}, Keys: []canonical.Hash{id},
		Licences: acme().Licences, Places: acme().Places,
	}
	got, ok := r.Party("acme")
	if d := cmp.Diff(want, got); !ok || d != "" {
		t.Error(d)
	}
	if !got.Has("regulator", "repackager") || got.Has("dispenser") {
		t.Error("roles")
	}
	if k, ok := r.Key(id); !ok || k.Party != "acme" || k.Use != keys.Event || k.Authority || k.Revoked || !k.Public.Equal(pub("acme")) {
		t.Errorf("key %+v", k)
	}
	for gln, want := range map[string]string{
		"0399990000016": "acme", // registered
		"0399990000023": "acme", // a place
		"0399990999996": "acme", // by prefix
		"0355555000013": "",
		"":              "",
	} {
		if got, _ := r.PartyOfGLN(gln); got != want {
			t.Errorf("GLN %s is %q's, want %q", gln, got, want)
		}
	}
	if p, ok := r.Place("4140399990000023"); !ok || p.Name != "Plant" {
		t.Errorf("place %+v", p)
	}
	if list := r.Parties(); len(list) != 1 || list[0].ID != "acme" {
		t.Errorf("parties %+v", list)
	}
}

func TestLongestPrefixOwns(t *testing.T) {
	st := state.NewMemory()
	for party, prefix := range map[string]string{"acme": "0399990", "daughter": "03999901"} {
		if err := ApplyAct(st, &Act{Party: party, Prefixes: []string{prefix}}, false); err != nil {
			t.Fatal(err)
		}
	}
	for text, want := range map[string]string{"00399990012347": "acme", "50399990012342": "acme", "00399990123456": "daughter", "00355555001232": ""} {
		g, err := gs1.ParseGTIN(text[:13] + string(rune(gs1.CheckDigit(text[:13]))))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := (Registry{st}).OwnerOfGTIN(g); got != want {
			t.Errorf("%s is %q's, want %q", g, got, want)
		}
	}
}

func TestActsThatAreRefusedWriteNothing(t *testing.T) {
	st := state.NewMemory()
	if err := ApplyAct(st, acme(), false); err != nil {
		t.Fatal(err)
	}
	small := make([]byte, 32) // the point of order 4
	for _, tt := range []struct {
		name string
		act  Act
		want verdict.Code
	}{
		{"no id", Act{}, verdict.BadValue},
		{"an id with a slash", Act{Party: "a/b"}, verdict.BadValue},
		{"an id that begins with a hyphen", Act{Party: "-a"}, verdict.BadValue},
		{"an unknown role", Act{Party: "x", Roles: []string{"king"}}, verdict.BadValue},
		{"suspended, perhaps", Act{Party: "x", Suspended: "maybe"}, verdict.BadValue},
		{"a licence until doomsday", Act{Party: "x", Licences: []Licence{{Number: "1", ValidTo: "doomsday"}}}, verdict.FmtExpiry},
		{"a licence without number", Act{Party: "x", Licences: []Licence{{}}}, verdict.MissingField},
		{"a key of small order", Act{Party: "x", Keys: []Key{{small, keys.Event}}}, verdict.BadKey},
		{"a short key", Act{Party: "x", Keys: []Key{{small[:31], keys.Event}}}, verdict.BadKey},
		{"a key for nothing", Act{Party: "x", Keys: []Key{{pub("x"), "fun"}}}, verdict.BadValue},
		{"another's key", Act{Party: "x", Keys: []Key{{pub("acme"), keys.Event}}}, verdict.KeyTaken},
		{"another's key for another use", Act{Party: "x", Keys: []Key{{pub("acme"), keys.Authority}}}, verdict.KeyTaken},
		{"another's GLN", Act{Party: "x", GLNs: []string{"0399990000016"}}, verdict.GLNTaken},
		{"another's place", Act{Party: "x", Places: []Place{{ID: "https://id.gs1.org/414/0399990000023"}}}, verdict.GLNTaken},
		{"a place at another's GLN", Act{Party: "x", Places: []Place{{ID: "https://id.gs1.org/414/0399990000016/254/dock"}}}, verdict.GLNTaken},
		{"a GLN with a wrong check digit", Act{Party: "x", GLNs: []string{"0399990000017"}}, verdict.FmtGLN},
		{"a place that is none", Act{Party: "x", Places: []Place{{ID: "nowhere"}}}, verdict.FmtEPC},
		{"another's prefix", Act{Party: "x", Prefixes: []string{"0399990"}}, verdict.PrefixTaken},
		{"a prefix of letters", Act{Party: "x", Prefixes: []string{"abcdef"}}, verdict.BadValue},
		{"a short prefix", Act{Party: "x", Prefixes: []string{"039"}}, verdict.BadValue},
		{"another's key revoked", Act{Party: "x", RevokedKeys: [][]byte{hash(keys.ID(keys.Event, pub("acme")))}}, verdict.BadValue},
		{"half a key id revoked", Act{Party: "x", RevokedKeys: [][]byte{{1}}}, verdict.BadValue},
	} {
		over := state.NewOverlay(st)
		if got := code(ApplyAct(over, &tt.act, false)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if n := len(over.WriteSet()); n != 0 {
			t.Errorf("%s: refused, but wrote %d keys", tt.name, n)
		}
	}
}

func hash(h canonical.Hash) []byte { return h[:] }

func TestRevokedKeyStaysRevoked(t *testing.T) {
	st := state.NewMemory()
	id := keys.ID(keys.Event, pub("acme"))
	for _, a := range []*Act{acme(), {Party: "acme", RevokedKeys: [][]byte{id[:]}}, acme(), {Party: "acme", Suspended: "true"}} {
		if err := ApplyAct(st, a, false); err != nil {
			t.Fatal(err)
		}
	}
	if k, _ := (Registry{st}).Key(id); !k.Revoked {
		t.Error("registering a revoked key again revived it")
	}
	if p, _ := (Registry{st}).Party("acme"); !p.Suspended {
		t.Error("not suspended")
	}
}

func TestSeedNamesTheOnlyAuthorities(t *testing.T) {
	st := state.NewMemory()
	board := Authority{Party: "board", Key: pub("board")}
	if err := Seed(st, []Act{*acme()}, []Authority{board}); code(errors.Unwrap(err)) != verdict.MissingField {
		t.Errorf("an authority without party: %v", err)
	}
	if err := Seed(st, []Act{*acme(), {Party: "board", Roles: []string{"authority"}}}, []Authority{board}); err != nil {
		t.Fatal(err)
	}
	if k, ok := (Registry{st}).Key(keys.ID(keys.Authority, pub("board"))); !ok || !k.Authority {
		t.Errorf("authority key %+v", k)
	}
	// An authority's act may register a key of that use, but nobody believes it before governance says so.
	if err := ApplyAct(st, &Act{Party: "acme", Keys: []Key{{pub("acme/authority"), keys.Authority}}}, false); err != nil {
		t.Fatal(err)
	}
	if k, _ := (Registry{st}).Key(keys.ID(keys.Authority, pub("acme/authority"))); k.Authority {
		t.Error("an authority made another one")
	}
}

func TestRecallsCoverLotsClassesAndUnits(t *testing.T) {
	st := state.NewMemory()
	r := Registry{st}
	g, _ := gs1.ParseGTIN("00399990012347")
	unit, _ := gs1.ParseKey("010039999001234721X")
	apply := func(height uint64, rc Recall) {
		t.Helper()
		if err := ApplyRecall(st, "acme", canonical.Position{Height: height}, &rc); err != nil {
			t.Fatal(err)
		}
	}
	apply(3, Recall{RecallNumber: "lot", GTIN: "00399990012347", Lot: "A/1"})
	apply(2, Recall{RecallNumber: "class", GTIN: "00399990012347"})
	apply(4, Recall{RecallNumber: "unit", Units: []string{"urn:epc:id:sgtin:0399990.001234.X"}})
	numbers := func(list []RecallRecord) (out []string) {
		for _, rc := range list {
			out = append(out, rc.RecallNumber)
		}
		return out
	}
	for _, tt := range []struct {
		lot  string
		want []string
	}{{"A/1", []string{"class", "lot"}}, {"A", []string{"class"}}, {"", []string{"class"}}} {
		if d := cmp.Diff(tt.want, numbers(r.Recalls(g, tt.lot))); d != "" {
			t.Errorf("lot %q: %s", tt.lot, d)
		}
	}
	if d := cmp.Diff([]string{"unit"}, numbers(r.UnitRecalls(unit))); d != "" {
		t.Error(d)
	}
	apply(5, Recall{RecallNumber: "class", GTIN: "00399990012347", Status: "ended"})
	if d := cmp.Diff([]string{"lot"}, numbers(r.Recalls(g, "A/1"))); d != "" {
		t.Error("ended recall:", d)
	}
	for name, rc := range map[string]Recall{
		"of nothing": {RecallNumber: "1"}, "without number": {GTIN: "00399990012347"},
		"of a pallet":      {RecallNumber: "1", Units: []string{"urn:epc:id:sscc:0399990.5000000001"}},
		"in a third state": {RecallNumber: "1", GTIN: "00399990012347", Status: "postponed"},
	} {
		if code(ApplyRecall(st, "acme", canonical.Position{}, &rc)) == "" {
			t.Errorf("recall %s was taken", name)
		}
	}
}

func TestProductsAndLotsComeBack(t *testing.T) {
	st := state.NewMemory()
	r := Registry{st}
	g, _ := gs1.ParseGTIN("00399990012347")
	p := Product{GTIN: "00399990012347", NDC: "99990-012-34", Name: "Examplin", CompanyPrefixLength: 7, ContainsGTIN: "00399990012347", ContainsCount: 12}
	if err := ApplyProduct(st, &p); err != nil {
		t.Fatal(err)
	}
	if got, ok := r.Product(g); !ok || got != p {
		t.Errorf("product %+v", got)
	}
	l := Lot{GTIN: "00399990012347", Lot: "A/1", Expiry: "2028-03-31", Size: 1000}
	if err := ApplyLot(st, &l); err != nil {
		t.Fatal(err)
	}
	if got, ok := r.Lot(g, "A/1"); !ok || got != l {
		t.Errorf("lot %+v", got)
	}
	if _, ok := r.Lot(g, ""); ok {
		t.Error("a lot without name")
	}
	for _, bad := range []Lot{{GTIN: "1", Lot: "A", Expiry: "2028-03-31"}, {GTIN: l.GTIN, Expiry: "2028-03-31"}, {GTIN: l.GTIN, Lot: "A"}} {
		if code(ApplyLot(st, &bad)) == "" {
			t.Errorf("lot %+v was taken", bad)
		}
	}
}

func TestWhatCanBeRegistered(t *testing.T) {
	for s, want := range map[string]bool{"": false, "123": false, "1234": true, "123456789012": true, "1234567890123": false, "12345x": false} {
		if IsPrefix(s) != want {
			t.Errorf("company prefix %q: %v", s, !want)
		}
	}
	if !IsRole("3pl") || IsRole("wizard") || IsRole("") || !IsKeyUse(keys.Cosign) || IsKeyUse("love") {
		t.Error("roles and uses")
	}
}
