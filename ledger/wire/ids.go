package wire

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
)

// An event id that can be computed from the event, or read, tells what is sealed: of a hash that covers a sealed order
// number, all numbers can be tried. Such an id is sealed, and a random-looking one stands in for it (docs/spec.md
// section 4.5).

// SealIDs puts an id that says nothing in the place of each id of an item's event that says something, and returns the
// ids as given, to keep. sealed are the values that Seal took out of the item before. standIn gives the same id for the
// same given one, and nobody else can compute it. The message given stays as it was: the item gets a copy.
func SealIDs(n canonical.Network, it *Item, sealed []commit.SealedValue, standIn func(given string) string, random func() [32]byte) []commit.SealedValue {
	ev, ok := it.Message.(*epcis.Event)
	if !ok {
		return nil
	}
	var values []commit.SealedValue
	replace := func(path commit.Path, id *string) {
		values = append(values, commit.SealedValue{Path: path, Salt: random(), Type: commit.Text, Text: *id})
		*id = standIn(*id)
	}
	out := *ev
	if id := ev.EventID; id != "" && !SaysNothing(id) && (!IsHash(id) || slices.ContainsFunc(sealed, isHashed)) {
		replace(FieldPath(FieldGivenEventID), &out.EventID)
	}
	if d := ev.ErrorDeclaration; d != nil && !allOf(d.CorrectiveEventIDs, SaysNothing) {
		copied := *d
		copied.CorrectiveEventIDs = slices.Clone(d.CorrectiveEventIDs)
		out.ErrorDeclaration = &copied
		for i, id := range copied.CorrectiveEventIDs {
			// Whether anything is sealed in that event is not known here.
			if id != "" && !SaysNothing(id) {
				replace(FieldPath(FieldErrorDeclaration).Field(givenCorrectiveIDs).Index(uint32(i)), &copied.CorrectiveEventIDs[i])
			}
		}
	}
	if len(values) == 0 {
		return nil
	}
	it.Message = &out
	it.Sealed = slices.Clip(it.Sealed)
	for i := range values {
		it.Sealed = append(it.Sealed, values[i].Seal(n))
	}
	return values
}

// IsGiven reports whether a path is that of an id as given, in whose place another stands.
func IsGiven(path []commit.Segment) bool {
	return path[0].N == FieldGivenEventID || path[0].N == FieldErrorDeclaration && len(path) > 1 && path[1].Kind == commit.FieldSegment && path[1].N == givenCorrectiveIDs
}

func allOf(list []string, is func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return s != "" && !is(s) })
}

// isHashed reports whether the CBV hash of an event covers a sealed value (docs/event-hash.md).
func isHashed(v commit.SealedValue) bool {
	path, err := commit.ParsePath(v.Path)
	if err != nil {
		return true
	}
	switch path[0].N {
	case FieldRecordTime, FieldErrorDeclaration, FieldCertificationInfo:
		return false
	}
	return true
}

// StandIn makes the id of 16 bytes that nobody else can compute: a UUID of version 4, like any random one.
func StandIn(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	const digits = "0123456789abcdef"
	out := []byte(uuidPrefix)
	for i, x := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

const uuidPrefix = "urn:uuid:"

// SaysNothing reports whether an id is a UUID drawn at random, or made of a time: version 1, 4, 6 or 7. The other
// versions are hashes, or may be.
func SaysNothing(id string) bool {
	if len(id) != len(uuidPrefix)+36 || !strings.EqualFold(id[:len(uuidPrefix)], uuidPrefix) {
		return false
	}
	id = id[len(uuidPrefix):]
	for i := range len(id) {
		if c := id[i]; i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isHex(c) {
			return false
		}
	}
	return strings.IndexByte("1467", id[14]) >= 0 && strings.IndexByte("89abAB", id[19]) >= 0
}

// IsHash reports whether an id has the form of a CBV hash (CBV 2.0 section 8.9).
func IsHash(id string) bool {
	rest, ok := strings.CutPrefix(id, "ni:///sha-256;")
	if !ok || len(rest) < 64 {
		return false
	}
	for i := range 64 {
		if !isHex(rest[i]) {
			return false
		}
	}
	version, ok := strings.CutPrefix(rest[64:], "?ver=CBV")
	return ok && version != "" && len(version) <= 5 && strings.Trim(version, "0123456789.") == ""
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// given is the text as captured of something that stands in the message under another one. It is only ever a sealed
// leaf: a message that holds it does not decode. put puts it back, false if it has no place.
func given[M any](num uint32, put func(m *M, path []commit.Segment, text string) bool) field[M] {
	return field[M]{
		num: num, typ: protowire.BytesType, repeated: true,
		decode: func(*decoder, *M, value) error { return errGiven },
		encode: func(b []byte, _ *M) []byte { return b },
		set: func(m *M, path []commit.Segment, leaf change) error {
			if leaf.take || leaf.typ != commit.Text || !put(m, path, leaf.text) {
				return errNoPlace
			}
			return nil
		},
	}
}
