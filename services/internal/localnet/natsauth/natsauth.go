// Package natsauth makes what a broker knows its clients by: an operator, an account for the ledger with one user for every service, and the
// system account.
//
// Format: NATS's own (decentralised) JWT authentication. access.conf is a fragment of a NATS server's configuration: operator, accounts and
// no secret. Every service gets NAME.creds, the usual file of a signed user claim and its private seed. The seeds of operator and
// accounts are in *.nk files, mode 0600, and needed only to make further users.
//
// Trust: a broker orders messages and nobody believes it, nor whom it let in. Permissions keep a stranger from filling the stream, one
// party from writing under another's name, and everybody from deleting: what counts is signed all the same. They do not keep a user from reading
// what others ask the broker, nor from ending another's reading, which then starts again.
package natsauth

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"verilot.dev/services/internal/node/bus"
)

// ConfFile is the fragment for the servers.
const ConfFile = "access.conf"

// User is a service that connects to the broker.
type User struct {
	Name string
	// Party is whose submissions it may publish; empty: none.
	Party string
	// Validator is the party whose validator it is; empty: it is none.
	Validator string
}

// CredsFile is where Make puts the credentials of a user.
func CredsFile(dir, name string) string { return filepath.Join(dir, name+".creds") }

// Make writes access.conf and the .creds of every user into dir. What is there is kept, so that it may be called again, also with more users.
func Make(dir, network string, users []User) error {
	if err := accounts(dir, network, users); err != nil {
		return fmt.Errorf("make the brokers' accounts in %s: %w", dir, err)
	}
	return nil
}

func accounts(dir, network string, users []User) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	operator, err := seed(dir, "operator", nkeys.CreateOperator)
	if err != nil {
		return err
	}
	ledger, err := seed(dir, "ledger", nkeys.CreateAccount)
	if err != nil {
		return err
	}
	system, err := seed(dir, "system", nkeys.CreateAccount)
	if err != nil {
		return err
	}
	if err := conf(filepath.Join(dir, ConfFile), network, operator, ledger, system); err != nil {
		return err
	}
	for _, u := range users {
		c, err := claims(u)
		if err != nil {
			return err
		}
		if err := creds(CredsFile(dir, u.Name), c, ledger); err != nil {
			return err
		}
	}
	return nil
}

// seed reads a private key, or makes it.
func seed(dir, name string, create func() (nkeys.KeyPair, error)) (nkeys.KeyPair, error) {
	file := filepath.Join(dir, name+".nk")
	b, err := os.ReadFile(file)
	if err == nil {
		k, err := nkeys.FromSeed([]byte(strings.TrimSpace(string(b))))
		if err != nil {
			return nil, fmt.Errorf("%s is damaged: %w", file, err)
		}
		return k, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	k, err := create()
	if err != nil {
		return nil, err
	}
	s, err := k.Seed()
	if err != nil {
		return nil, err
	}
	return k, write(file, append(s, '\n'), 0o600)
}

func conf(file, network string, operator, ledger, system nkeys.KeyPair) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	public := func(k nkeys.KeyPair) string {
		p, _ := k.PublicKey() // of a whole key pair, which cannot fail
		return p
	}
	oc := jwt.NewOperatorClaims(public(operator))
	oc.Name, oc.SystemAccount = "verilot "+network, public(system)
	sc := jwt.NewAccountClaims(public(system))
	sc.Name = "SYS"
	lc := jwt.NewAccountClaims(public(ledger))
	lc.Name = "VERILOT"
	// No limit may be reached: a stream that refuses, or forgets, stops everybody.
	lc.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: jwt.NoLimit, DiskStorage: jwt.NoLimit, Streams: jwt.NoLimit, Consumer: jwt.NoLimit, MaxAckPending: jwt.NoLimit, MemoryMaxStreamBytes: jwt.NoLimit, DiskMaxStreamBytes: jwt.NoLimit}
	var tokens [3]string
	for i, c := range []jwt.Claims{oc, sc, lc} {
		t, err := c.Encode(operator)
		if err != nil {
			return err
		}
		tokens[i] = t
	}
	text := fmt.Sprintf(`# Who may connect: include this file in the configuration of every server. Made by verilot; nothing in it is secret.
operator: %s
system_account: %s
resolver: MEMORY
resolver_preload: {
  %s: %s
  %s: %s
}
`, tokens[0], public(system), public(system), tokens[1], public(ledger), tokens[2])
	return write(file, []byte(text), 0o644)
}

func creds(file string, c *jwt.UserClaims, account nkeys.KeyPair) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	k, err := nkeys.CreateUser()
	if err != nil {
		return err
	}
	if c.Subject, err = k.PublicKey(); err != nil {
		return err
	}
	token, err := c.Encode(account)
	if err != nil {
		return err
	}
	s, err := k.Seed()
	if err != nil {
		return err
	}
	text, err := jwt.FormatUserConfig(token, s)
	if err != nil {
		return err
	}
	return write(file, text, 0o600)
}

func write(file string, b []byte, mode fs.FileMode) error {
	tmp := file + ".new"
	if err := os.WriteFile(tmp, b, mode); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

// plain names are one token of a subject and one name of a file.
var plain = regexp.MustCompile(`^[a-z0-9-]*$`)

// claims are what a user may do. Subjects are those of package bus; a validator says things only under its own name.
func claims(u User) (*jwt.UserClaims, error) {
	for _, s := range []string{u.Name, u.Party, u.Validator} {
		if !plain.MatchString(s) {
			return nil, fmt.Errorf("%q is no name of a user or party: it may have small letters, digits and dashes", s)
		}
	}
	c := jwt.NewUserClaims("-") // the key comes later
	c.Name = u.Name
	pub, sub := &c.Pub.Allow, &c.Sub.Allow
	sub.Add("_INBOX.>")
	for _, stream := range []string{bus.Custody, bus.Blocks} {
		pub.Add(
			"$JS.API.STREAM.INFO."+stream, "$JS.API.STREAM.MSG.GET."+stream,
			"$JS.API.CONSUMER.CREATE."+stream+".>", "$JS.API.CONSUMER.MSG.NEXT."+stream+".*", "$JS.API.CONSUMER.INFO."+stream+".*", "$JS.API.CONSUMER.DELETE."+stream+".*",
		)
	}
	sub.Add("votes.v1.>")
	if u.Party != "" {
		pub.Add("custody.v1.submit." + u.Party)
	}
	if v := u.Validator; v != "" {
		pub.Add("$JS.API.STREAM.CREATE."+bus.Custody, "$JS.API.STREAM.CREATE."+bus.Blocks)
		pub.Add("custody.v1.cut."+v, "blocks.v1.*")
		pub.Add("votes.v1.*."+v, "cosignatures.v1.*."+v, "tell.v1.*."+v, "tell.v1.*."+v+".*", "fetch.v1.*.*")
		sub.Add("cosignatures.v1.>", "tell.v1.*.*", "tell.v1.*.*."+v, "fetch.v1.*."+v)
		c.Resp = &jwt.ResponsePermission{MaxMsgs: 1, Expires: time.Minute} // answers to fetch
	}
	return c, nil
}
