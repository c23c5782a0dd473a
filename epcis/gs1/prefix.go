package gs1

import (
	"errors"
	"strings"
)

// SplitEPC cuts an identifier where its serial usually begins: after the last "." of a URN, after the last "/" of
// a web address. Anything else is all tail. prefix+tail is always s. The cut is a storage economy, not a reading:
// a serial may hold a dot, and then part of it is in the prefix.
func SplitEPC(s string) (prefix, tail string) {
	i := -1
	switch {
	case hasPrefixFold(s, "urn:"):
		i = strings.LastIndexByte(s, '.')
	case hasPrefixFold(s, "http://"), hasPrefixFold(s, "https://"):
		i = strings.LastIndexByte(s, '/')
	}
	return s[:i+1], s[i+1:]
}

// A Prefix is the beginning of many identifiers, read once so that their serials can be read fast. The zero value
// is the empty prefix.
type Prefix struct {
	text string
	base string // Key text up to the tail; "" when tails must be read the slow way
	used int    // characters of the serial that are already in base
	max  int    // characters a serial may have
	gcp  string // of an SSCC URN: its company prefix
}

// ParsePrefix reads what [SplitEPC] put in front. It fails when no tail could make an identifier of it.
func ParsePrefix(prefix string) (Prefix, error) {
	p := Prefix{text: prefix}
	if len(prefix) >= maxURI {
		return Prefix{}, fail(CodeEPC, prefix, "prefix has %d characters, at most %d are allowed", len(prefix), maxURI-1)
	}
	if gcp, ok := strings.CutPrefix(prefix, "urn:epc:id:sscc:"); ok {
		gcp, ok = strings.CutSuffix(gcp, ".")
		if !ok || !isDigits(gcp) || len(gcp) < 6 || len(gcp) > 12 {
			// "urn:epc:id:sscc:" and half a company prefix can still be completed
			return p, nil
		}
		p.gcp = gcp
		return p, nil
	}
	if prefix == "" || strings.ContainsAny(prefix, "?#") || !strings.ContainsAny(prefix[len(prefix)-1:], "./") {
		return p, nil
	}
	// Read the prefix with the serial "0": when that gives a serialised kind whose serial ends in that "0", every
	// plain tail of fitting length can only stand in its place.
	epc, err := ParseEPC(prefix + "0")
	if err != nil {
		if p.hopeless(err) {
			return Prefix{}, err
		}
		return p, nil
	}
	k := epc.key.split()
	switch k.kind {
	case KindSGTIN, KindLGTIN:
		p.max = 20
	case KindUPUI:
		p.max = 28
	default:
		return p, nil
	}
	p.used = len(k.tail) - 1
	p.base = epc.key.text[:len(epc.key.text)-1]
	return p, nil
}

// hopeless reports whether err is about the part of an SGTIN or LGTIN URN before the serial. An error about the serial
// is no reason to give up: it may be about the "0" we added, and the tail may be empty.
func (p Prefix) hopeless(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code == CodeSerial || e.Code == CodeLot {
		return false
	}
	for _, scheme := range []string{"urn:epc:id:sgtin:", "urn:epc:class:lgtin:"} {
		if rest, ok := strings.CutPrefix(p.text, scheme); ok && strings.Count(rest, ".") >= 2 {
			return true
		}
	}
	return false
}

// String returns the prefix as given.
func (p Prefix) String() string { return p.text }

// Plain reports that prefix + tail is an identifier that is read fast. The keys of two such identifiers with this prefix
// are equal only when their tails are.
func (p Prefix) Plain(tail string) bool { return p.isSerial(tail) || p.isSSCC(tail) }

func (p Prefix) isSerial(tail string) bool {
	return p.base != "" && tail != "" && p.used+len(tail) <= p.max && plain.has(tail)
}

func (p Prefix) isSSCC(tail string) bool {
	return p.gcp != "" && len(tail) == 17-len(p.gcp) && isDigits(tail)
}

// Key returns ParseEPC(prefix + tail).Key().
func (p Prefix) Key(tail string) (Key, error) {
	switch {
	case p.isSerial(tail):
		return Key{p.base + tail}, nil
	case p.isSSCC(tail):
		body := tail[:1] + p.gcp + tail[1:]
		return Key{"00" + body + string(rune(CheckDigit(body)))}, nil
	}
	epc, err := ParseEPC(p.text + tail)
	if err != nil {
		return Key{}, err
	}
	return epc.key, nil
}
