// Package signin decides who may change something through a service.
//
// One secret token per service opens it: a program sends it with every request (Authorization: Bearer), a person exchanges it once for
// a cookie. The cookie holds nothing but an end and a nonce under a MAC whose key is derived from the token, so there are no sessions
// to store: a restart keeps them, and a new token ends them all. Everything that is not plainly a read asks (default deny), on every
// path; reads never do.
//
// Format. Token: 32 random bytes or more as base64url, in a file of mode 0600. Cookie: base64url of end (u64 big-endian, Unix
// seconds), nonce (16 bytes), HMAC-SHA256 of both (32 bytes); its key is HKDF-SHA256 of the token with the genesis hash as salt and
// the names of service and party as info, so a cookie of one service is worth nothing at another.
//
// Trust: whoever knows the token is the party, and all are the same person: this is for development networks. Ports of one host share
// cookies (a name of its own keeps services apart, not secrets), and signing out forgets the cookie here, not a copy of it elsewhere.
package signin

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/edge/httpapi"
)

// Lifetime of a session, about a working day.
const Lifetime = 12 * time.Hour

const (
	minToken  = 32 // bytes
	nonceLen  = 16
	cookieLen = 8 + nonceLen + sha256.Size
	// A wrong token costs one of these; they come back at one in ten seconds.
	attempts      = 10
	attemptsEvery = 10 * time.Second
)

// Kinds of sign-in.
const (
	Development = "development"
	None        = "none"
)

// Config is the key sign_in of a service's configuration. Left out: whatever would change something is refused.
type Config struct {
	// DevelopmentTokenFile is the path of the file with the secret token. Development networks only.
	DevelopmentTokenFile string `yaml:"development_token_file"`
	// DevelopmentOpen leaves the service open to everybody who reaches it. Development networks only.
	DevelopmentOpen bool `yaml:"development_open"`
}

// Identity is the service that one signs in at.
type Identity struct {
	Service string // manufacturer, distributor, pharmacy or api
	Party   string // "" for an api without one
	// PartyName in words; "" is the party id.
	PartyName string
	Genesis   *genesis.Genesis
	// Now is the clock; nil: the machine's.
	Now func() time.Time
}

// Guard keeps one service.
type Guard struct {
	identity Identity
	kind     string
	open     bool
	token    [sha256.Size]byte           // its hash, so that comparing takes the same time for every length
	key      []byte                      // of the cookies
	cookie   string                      // their name
	cross    *http.CrossOriginProtection // nil: pages of every address may call (an open service with CORS *)
	failures *rate.Limiter
}

// New makes the guard of a service. trusted are origins whose pages may call an open service (its CORS setting).
func New(c Config, p Identity, trusted ...string) (*Guard, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.PartyName == "" {
		p.PartyName = nameOf(p.Genesis, p.Party)
	}
	g := &Guard{identity: p, kind: None, cross: http.NewCrossOriginProtection(), failures: rate.NewLimiter(rate.Every(attemptsEvery), attempts)}
	id := sha256.Sum256([]byte(p.Service + "\n" + p.Party + "\n" + string(p.Genesis.Hash[:])))
	g.cookie = fmt.Sprintf("verilot_%s_%x", p.Service, id[:4])
	if c == (Config{}) {
		return g, nil
	}
	if !p.Genesis.Development {
		return nil, fmt.Errorf("configuration: sign_in knows development tokens only so far, and %s is no development network; leave it out: the service then reads and changes nothing", p.Genesis.Name)
	}
	if c.DevelopmentOpen {
		if c.DevelopmentTokenFile != "" {
			return nil, errors.New("configuration: sign_in has both development_token_file and development_open; choose one")
		}
		g.open = true
		for _, origin := range trusted {
			if origin == "*" {
				g.cross = nil
				break
			}
			if err := g.cross.AddTrustedOrigin(origin); err != nil {
				return nil, fmt.Errorf("configuration: cors: %w", err)
			}
		}
		return g, nil
	}
	token, err := Load(c.DevelopmentTokenFile)
	if err != nil {
		return nil, fmt.Errorf("configuration: sign_in: %w", err)
	}
	g.kind, g.token = Development, sha256.Sum256([]byte(token))
	g.key, err = hkdf.Key(sha256.New, []byte(token), p.Genesis.Hash[:], "verilot sign-in cookie\n"+p.Service+"\n"+p.Party, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the key of cookies: %w", err)
	}
	return g, nil
}

func nameOf(g *genesis.Genesis, party string) string {
	for i := range g.Parties {
		if g.Parties[i].Party == party {
			return g.Parties[i].Name
		}
	}
	return party
}

// Identity returns the service that one signs in at.
func (g *Guard) Identity() Identity { return g.identity }

// Announce says at the start what is out of the ordinary.
func (g *Guard) Announce(log *slog.Logger) {
	switch {
	case g.open:
		log.Warn("no sign-in: whoever reaches this service may act for its party", "party", g.identity.Party)
	case g.kind == None:
		log.Info("no sign-in is configured: this service answers reads and changes nothing")
	}
}

// safe methods change nothing; every other one asks, also one that nobody has heard of.
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// Check is the guard: nil lets the request pass.
func (g *Guard) Check(r *http.Request) *httpapi.Problem {
	if safe(r.Method) {
		return nil
	}
	if header := r.Header.Get("Authorization"); header != "" {
		return g.checkBearer(header) // no page of another address can send this header unasked
	}
	signingIn := r.Method == http.MethodPost && r.URL.Path == sessionPath
	if _, ok := g.session(r.Header["Cookie"]); !ok && !signingIn && !g.open {
		return g.required()
	}
	// Pages of every port of this host get the cookie sent along with what they do; the browser says whose page it is.
	if g.cross == nil {
		return nil
	}
	if err := g.cross.Check(r); err != nil {
		return httpapi.NewProblem(httpapi.CrossOrigin, "the request comes from a page of another address than this service's, and such pages may not act for whoever is signed in here; open this service's own address")
	}
	return nil
}

func (g *Guard) required() *httpapi.Problem {
	if g.kind == None {
		return httpapi.NewProblem(httpapi.SignInRequired, "this service changes nothing for anybody, since no sign-in is configured; have its operator configure sign_in (docs/runbook.md)")
	}
	return httpapi.NewProblem(httpapi.SignInRequired, "only who is signed in may change something here, and the request has no session that still holds; a person opens the sign-in link that `verilot up` printed, a program sends Authorization: Bearer with the token of this service")
}

func (g *Guard) checkBearer(header string) *httpapi.Problem {
	token, ok := bearer(header)
	if !ok {
		return httpapi.NewProblem(httpapi.SignInFailed, "the Authorization header is not of the kind Bearer; send Authorization: Bearer and the token of this service")
	}
	return g.checkToken(token)
}

func bearer(header string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(header, " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

func (g *Guard) matches(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return g.key != nil && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// checkToken compares a token. Only wrong ones are counted: the right one always opens, or anybody could lock its owner out, and 256 random
// bits are guessed at no speed. The limit keeps a mistaken program, or a guesser, from being a load.
func (g *Guard) checkToken(token string) *httpapi.Problem {
	if g.open {
		return nil
	}
	if g.kind == None {
		return g.required()
	}
	if g.matches(token) {
		return nil
	}
	if !g.failures.AllowN(g.identity.Now(), 1) {
		return httpapi.NewProblem(httpapi.TooManyAttempts, "too many wrong tokens were sent to this service; wait ten seconds, and take the token from the sign-in link that `verilot up` printed")
	}
	return httpapi.NewProblem(httpapi.SignInFailed, "the token is not the one of this service; every service has its own: take it from the sign-in link that `verilot up` printed, or from the file keys/%s-sign-in.token of the network's folder", g.identity.Service)
}

// issue makes a cookie value that holds until end.
func (g *Guard) issue() (value string, end time.Time) {
	end = g.identity.Now().Add(Lifetime).Truncate(time.Second)
	b := binary.BigEndian.AppendUint64(nil, uint64(end.Unix()))
	b = append(b, make([]byte, nonceLen)...)
	_, _ = rand.Read(b[8:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(g.mac(b)), end
}

// mac appends the MAC.
func (g *Guard) mac(b []byte) []byte {
	h := hmac.New(sha256.New, g.key)
	h.Write(b)
	return h.Sum(b)
}

// session finds a cookie of this service that holds, and its end.
func (g *Guard) session(cookies []string) (end time.Time, ok bool) {
	if g.key == nil {
		return time.Time{}, false
	}
	r := http.Request{Header: http.Header{"Cookie": cookies}}
	for _, c := range r.CookiesNamed(g.cookie) {
		b, err := base64.RawURLEncoding.DecodeString(c.Value)
		if err != nil || len(b) != cookieLen {
			continue
		}
		body := b[:8+nonceLen]
		if !hmac.Equal(g.mac(slices.Clip(body)), b) {
			continue
		}
		if end := time.Unix(int64(binary.BigEndian.Uint64(body)), 0); g.identity.Now().Before(end) {
			return end.UTC(), true
		}
	}
	return time.Time{}, false
}

// Load reads a token file. Like a key, it must be readable by its owner alone.
func Load(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read sign-in token: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("read sign-in token: %s may be read by others (mode %04o): chmod 600 it, and replace the token if others use this machine", path, st.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read sign-in token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if raw, err := base64.RawURLEncoding.DecodeString(token); err != nil || len(raw) < minToken {
		return "", fmt.Errorf("read sign-in token: %s does not hold %d random bytes or more as base64url on one line; remove it and start again to get a new one", path, minToken)
	}
	return token, nil
}

// LoadOrCreate reads the token file, or makes one with a new token.
func LoadOrCreate(path string) (string, error) {
	token, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	raw := make([]byte, minToken)
	_, _ = rand.Read(raw) // it never fails
	token = base64.RawURLEncoding.EncodeToString(raw)
	// Written under another name first, so that a crash leaves no half token.
	f, err := os.CreateTemp(filepath.Dir(path), ".token-*") // 0600
	if err != nil {
		return "", fmt.Errorf("write sign-in token: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return "", fmt.Errorf("write sign-in token: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return token, nil
}

// Link is what a person opens to sign in at a service. The token stands after the #, which no browser sends to a server or puts
// into a log.
func Link(address, token string) string { return strings.TrimRight(address, "/") + "/sign-in#" + token }
