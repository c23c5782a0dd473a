package draft

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/partner/journal"
)

// Sealer seals items of one partner.
type Sealer struct {
	network canonical.Network
	secret  [32]byte
}

// NewSealer makes the sealer of a partner, with the secret that its journal keeps.
func NewSealer(n canonical.Network, j *journal.Journal) (*Sealer, error) {
	secret, err := j.Secret()
	if err != nil {
		return nil, err
	}
	return &Sealer{n, secret}, nil
}

// Seal moves what is not for everybody out of an item, which gets a message of its own: values of fields, and ids of
// events that tell of them. The values that it returns are all that there is of them.
func (s *Sealer) Seal(it *wire.Item) (values []commit.SealedValue, err error) {
	if it.Salt, err = salt(); err != nil {
		return nil, err
	}
	if values, err = wire.Seal(s.network, it, wire.DefaultSealed(it), mustSalt); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return append(values, wire.SealIDs(s.network, it, values, s.LedgerID, mustSalt)...), nil
}

// LedgerID is the id that stands on the ledger for a given one that is sealed: always the same, so that a repeat, an
// error declaration and a question about the event find it. Without the secret it can neither be computed nor tried.
func (s *Sealer) LedgerID(given string) string {
	h := hmac.New(sha256.New, s.secret[:])
	h.Write([]byte("verilot/event-id/v1\n"))
	h.Write([]byte(given))
	return wire.StandIn([16]byte(h.Sum(nil)))
}

// LedgerIDs are the ids under which an event of this partner may be on the ledger that was given an id, the likeliest
// first: the id itself is among them only if it says nothing of the event, or is a hash that stays where nothing is sealed.
func (s *Sealer) LedgerIDs(given string) []string {
	switch {
	case wire.SaysNothing(given):
		return []string{given}
	case wire.IsHash(given):
		return []string{s.LedgerID(given), given}
	default:
		return []string{s.LedgerID(given)}
	}
}

func salt() (s [32]byte, err error) {
	if _, err := rand.Read(s[:]); err != nil {
		return s, fmt.Errorf("draw a salt: %w", err)
	}
	return s, nil
}

// mustSalt is salt for wire.Seal, which takes no error; crypto/rand itself crashes the program rather than fail.
func mustSalt() [32]byte {
	s, err := salt()
	if err != nil {
		panic(err)
	}
	return s
}
