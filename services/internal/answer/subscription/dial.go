package subscription

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"verilot.dev/services/internal/edge/httpapi"
)

// destinationPolicy says what a webhook may be sent to. A name is checked by what it is resolved
// to, at the moment of dialling: what it meant before, or will mean later, is worth nothing.
type destinationPolicy struct {
	plain    bool // http without TLS
	loopback bool // this machine
	private  bool // private networks
}

var (
	errPrivate   = errors.New("the address is on this machine or on a private network, where this service sends nothing")
	errForbidden = errors.New("the address is none of a public host")
	errPort      = errors.New("the port is one of another protocol; use 443, 80 or one from 1024")
)

// Ranges that are no public hosts and that netip does not know by name (IANA special-purpose address registries).
var special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

// embedded are ranges whose last 32 bits are the IPv4 address that is called in truth.
var embedded = prefixes("64:ff9b::/96", "::/96")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// allow judges an address.
func (p destinationPolicy) allow(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsLoopback():
		if p.loopback {
			return nil
		}
		return errPrivate
	case a.IsPrivate() || within(a, special[1:2]): // 100.64.0.0/10 is private between a carrier and its customers
		if p.private {
			return nil
		}
		return errPrivate
	case a.Is6() && within(a, embedded):
		b := a.As16()
		return p.allow(netip.AddrFrom4([4]byte(b[12:])))
	case !a.IsGlobalUnicast() || within(a, special):
		return errForbidden
	}
	return nil
}

// control is the last step before a connection is made (net.Dialer.Control).
func (p destinationPolicy) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return errForbidden
	}
	if err := p.port(a.Port()); err != nil {
		return err
	}
	return p.allow(a.Addr())
}

// port keeps callers from talking to mail servers and the like in the words of HTTP.
func (p destinationPolicy) port(n uint16) error {
	if n == 80 || n == 443 || n >= 1024 {
		return nil
	}
	return errPort
}

const maxDest = 2048

// check refuses what can be refused before dialling, and says why.
func (p destinationPolicy) check(dest string) error {
	no := func(format string, args ...any) error {
		problem := httpapi.NewProblem(httpapi.DestinationRefused, "dest "+format, args...)
		return problem.With(httpapi.Fault{Pointer: "/dest", Message: "the destination is refused"})
	}
	if len(dest) > maxDest {
		return no("has %d characters, at most %d are kept", len(dest), maxDest)
	}
	u, err := url.Parse(dest)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" {
		return no("is not an absolute URL; write it like https://client.example.com/callback")
	}
	switch {
	case u.Scheme == "http" && !p.plain:
		return no("is without TLS; events say who holds what, so use https (http is for development networks)")
	case u.Scheme != "https" && u.Scheme != "http":
		return no("has the scheme %q; use https", printable(u.Scheme))
	case u.User != nil:
		return no("holds a user name or password, and dest is shown to whoever lists subscriptions; use signatureToken, which proves that a call is ours")
	case u.Fragment != "" || strings.HasSuffix(dest, "#"):
		return no("has a fragment (#…), which is never sent; leave it out")
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return no("has the port %q, which there is none of", printable(text))
		}
		if err := p.port(uint16(n)); err != nil {
			return no("is refused: %s", err.Error())
		}
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		if err := p.allow(a); err != nil {
			return no("is refused: %s", err.Error())
		}
	}
	return nil
}

// reasonOf tells the owner of a webhook why a call failed, and nothing about the network that this service is in.
func reasonOf(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	for _, known := range []error{errPrivate, errForbidden, errPort} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	switch {
	case errors.As(err, &dns):
		return "the host name cannot be resolved"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	}
	if reason, ok := tlsReason(err); ok {
		return reason
	}
	return "the connection failed or broke"
}
