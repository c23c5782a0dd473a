// Package partnertoken says at an api service which trading partner asks. A partner service that passes a read on signs a token with
// its party's event key, and the api finds the key in the registry: there are no passwords between services.
//
// Format: a JWT (RFC 7519) in a JWS of compact form, signed with EdDSA over Ed25519 (RFC 8037). Header: typ "verilot-caller+jwt", kid the
// key's id in hex. Claims: iss the party's id, aud the genesis hash in hex, iat and exp at most 60 s apart, htm the request's HTTP
// method, so that a token overheard from a read changes nothing.
//
// Trust: what Verify returns was said by whoever holds a registered event key of that party that is not revoked. A token can be used
// again until it ends; it carries no more than the right to read what the party may read anyway (docs/threat-model.md).
package partnertoken

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
	"github.com/go-jose/go-jose/v4/jwt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
)

// Lifetime of a token.
const Lifetime = 60 * time.Second

const (
	// skew is how far the clocks of two services may be apart.
	skew = 10 * time.Second
	// headerType keeps what the key signs here apart from everything else that it may ever sign as a JWS.
	headerType = "verilot-caller+jwt"
	maxToken   = 2048
)

// ErrToken is what every refused token wraps. Its text may be shown.
var ErrToken = errors.New("the token is refused")

type method struct {
	Method string `json:"htm"`
}

// Signer signs the tokens of one party. It may be used concurrently if its key may.
type Signer struct {
	party, audience string
	jws             jose.Signer
}

// NewSigner takes the party's event key.
func NewSigner(key crypto.Signer, keyID canonical.Hash, party string, genesis canonical.Hash) (*Signer, error) {
	o := (&jose.SignerOptions{}).WithType(headerType).WithHeader("kid", hex.EncodeToString(keyID[:]))
	jws, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: cryptosigner.Opaque(key)}, o)
	if err != nil {
		return nil, fmt.Errorf("sign for %s: %w", party, err)
	}
	return &Signer{party: party, audience: hex.EncodeToString(genesis[:]), jws: jws}, nil
}

// Sign makes a token for one request.
func (s *Signer) Sign(httpMethod string, now time.Time) (string, error) {
	token, err := jwt.Signed(s.jws).Claims(jwt.Claims{
		Issuer: s.party, Audience: jwt.Audience{s.audience}, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(Lifetime)),
	}).Claims(method{httpMethod}).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign for %s: %w", s.party, err)
	}
	return token, nil
}

// IsToken reports whether a bearer token has the shape of one of these, and not of a service's secret token.
func IsToken(token string) bool { return strings.Count(token, ".") == 2 }

// Verify returns the party that signed a token for this network and HTTP method.
func Verify(token, httpMethod string, genesis canonical.Hash, now time.Time, reg registry.Registry) (party string, err error) {
	if len(token) > maxToken {
		return "", refused("it is longer than %d characters", maxToken)
	}
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(t.Headers) != 1 {
		return "", refused("it is no JWT signed with EdDSA")
	}
	head := t.Headers[0]
	if typ, _ := head.ExtraHeaders[jose.HeaderType].(string); typ != headerType {
		return "", refused("its typ is not %s", headerType)
	}
	var id canonical.Hash
	if n, err := hex.Decode(id[:], []byte(head.KeyID[:min(len(head.KeyID), 2*len(id))])); err != nil || n != len(id) {
		return "", refused("its kid is no key id in hex")
	}
	key, ok := reg.Key(id)
	switch {
	case !ok:
		return "", refused("its key is not registered")
	case key.Use != keys.Event:
		return "", refused("its key is no event key")
	case key.Revoked:
		return "", refused("its key is revoked")
	}
	var claims jwt.Claims
	var m method
	if err := t.Claims(key.Public, &claims, &m); err != nil {
		return "", refused("its signature does not hold")
	}
	switch {
	case claims.Issuer != key.Party:
		return "", refused("its key is not one of %q", claims.Issuer)
	case !claims.Audience.Contains(hex.EncodeToString(genesis[:])):
		return "", refused("it is for another network")
	case claims.IssuedAt == nil || claims.Expiry == nil || claims.Expiry.Time().Sub(claims.IssuedAt.Time()) > Lifetime:
		return "", refused("it holds for longer than %s", Lifetime)
	case now.After(claims.Expiry.Time().Add(skew)):
		return "", refused("it has ended; are the clocks of both services right?")
	case now.Add(skew).Before(claims.IssuedAt.Time()):
		return "", refused("it is from the future; are the clocks of both services right?")
	case m.Method != httpMethod:
		return "", refused("it is for another method")
	}
	if p, ok := reg.Standing(key.Party); !ok || p.Suspended {
		return "", refused("%s is suspended", key.Party)
	}
	return key.Party, nil
}

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrToken, fmt.Sprintf(format, args...))
}
