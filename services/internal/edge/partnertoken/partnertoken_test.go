package partnertoken

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

type party struct {
	id    string
	key   ed25519.PrivateKey
	keyID canonical.Hash
}

func newParty(tb testing.TB, id string) party {
	tb.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return party{id, key, keys.ID(keys.Event, public)}
}

func registryOf(tb testing.TB, list ...party) registry.Registry {
	tb.Helper()
	st := state.NewOverlay(state.NewMemory())
	var acts []registry.Act
	for _, p := range list {
		acts = append(acts, registry.Act{Party: p.id, Name: p.id, Roles: []string{"distributor"}, Keys: []registry.Key{{PublicKey: p.key.Public().(ed25519.PublicKey), Use: keys.Event}}})
	}
	if err := registry.Seed(st, acts, nil); err != nil {
		tb.Fatal(err)
	}
	return registry.Registry{View: st}
}

func TestToken(t *testing.T) {
	here, elsewhere := canonical.Hash{1}, canonical.Hash{2}
	midland, corner, stranger := newParty(t, "midland"), newParty(t, "corner"), newParty(t, "stranger")
	reg := registryOf(t, midland, corner)
	sign := func(p party, as string, network canonical.Hash, method string, at time.Time) string {
		s, err := NewSigner(p.key, p.keyID, as, network)
		if err != nil {
			t.Fatal(err)
		}
		token, err := s.Sign(method, at)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	// made is a token that no Signer makes.
	made := func(alg jose.SignatureAlgorithm, key any, typ string, claims ...any) string {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", hex.EncodeToString(midland.keyID[:])))
		if err != nil {
			t.Fatal(err)
		}
		b := jwt.Signed(s)
		for _, c := range claims {
			b = b.Claims(c)
		}
		token, err := b.Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	claims := func(lifetime time.Duration) jwt.Claims {
		return jwt.Claims{Issuer: "midland", Audience: jwt.Audience{hex.EncodeToString(here[:])}, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(lifetime))}
	}
	good := sign(midland, "midland", here, "GET", now)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"` + hex.EncodeToString(midland.keyID[:]) + `","typ":"` + headerType + `"}`))
	for _, tt := range []struct {
		name, token, says string
	}{
		{"good", good, ""},
		{"almost ended", sign(midland, "midland", here, "GET", now.Add(-59*time.Second)), ""},
		{"a clock that is slow", sign(midland, "midland", here, "GET", now.Add(5*time.Second)), ""},
		{"ended", sign(midland, "midland", here, "GET", now.Add(-2*time.Minute)), "has ended"},
		{"from the future", sign(midland, "midland", here, "GET", now.Add(time.Minute)), "future"},
		{"another network", sign(midland, "midland", elsewhere, "GET", now), "another network"},
		{"another method", sign(midland, "midland", here, "DELETE", now), "another method"},
		{"a key that nobody registered", sign(stranger, "midland", here, "GET", now), "not registered"},
		{"in another's name", sign(corner, "midland", here, "GET", now), "not one of"},
		{"another's signature under its key id", sign(party{"corner", corner.key, midland.keyID}, "midland", here, "GET", now), "signature"},
		{"without a signature", none + "." + parts[1] + ".", "EdDSA"},
		{"HMAC with the public key", made(jose.HS256, []byte(midland.key.Public().(ed25519.PublicKey)), headerType, claims(Lifetime), method{"GET"}), "EdDSA"},
		{"made for something else", made(jose.EdDSA, midland.key, "JWT", claims(Lifetime), method{"GET"}), "typ"},
		{"for ever", made(jose.EdDSA, midland.key, headerType, claims(time.Hour), method{"GET"}), "longer"},
		{"without an end", made(jose.EdDSA, midland.key, headerType, jwt.Claims{Issuer: "midland", Audience: jwt.Audience{hex.EncodeToString(here[:])}, IssuedAt: jwt.NewNumericDate(now)}, method{"GET"}), "longer"},
		{"without a method", made(jose.EdDSA, midland.key, headerType, claims(Lifetime)), "another method"},
		{"changed", parts[0] + "." + parts[1][:len(parts[1])-1] + "A." + parts[2], "signature"},
		{"not a token", "a.b.c", "EdDSA"},
		{"very long", strings.Repeat("a", 5000), "longer"},
		{"nothing", "", "EdDSA"},
	} {
		who, err := Verify(tt.token, "GET", here, now, reg)
		switch {
		case tt.says == "" && (err != nil || who != "midland"):
			t.Errorf("%s: %q %v", tt.name, who, err)
		case tt.says != "" && (who != "" || !errors.Is(err, ErrToken) || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: %q %v, want %q", tt.name, who, err, tt.says)
		}
	}
}
