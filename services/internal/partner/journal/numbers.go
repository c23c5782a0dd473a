package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"verilot.dev/ledger/canonical"
)

// What a partner gives out once, or keeps beside its jobs: serials, running numbers, its secret, registrations.

// Serials reserves count serials of a GTIN that were never given out before; draw makes a
// candidate.
func (s *Journal) Serials(gtin string, count int, draw func() (string, error)) ([]string, error) {
	// Two requests at once must not draw the same serial; the odds are nil, the promise is not.
	s.numbering.Lock()
	defer s.numbering.Unlock()
	list := make([]string, 0, count)
	drawn := make(map[string]bool, count)
	for len(list) < count {
		serial, err := draw()
		if err != nil {
			return nil, err
		}
		if drawn[serial] {
			continue
		}
		if _, err := s.get(serialKey(gtin, serial)); err == nil {
			continue
		} else if !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		drawn[serial] = true
		list = append(list, serial)
	}
	// One record for the lot of them would make the look-up slow; one each would overflow a transaction. Reserve now,
	// in writes of their own: a serial that is reserved and never used is only lost, never doubled.
	for chunk := range slices.Chunk(list, 10_000) {
		w := &Write{}
		for _, serial := range chunk {
			w.put(serialKey(gtin, serial), nil)
		}
		if err := s.Put(w); err != nil {
			return nil, fmt.Errorf("reserve serials: %w", err)
		}
	}
	return list, nil
}

// Next gives out the next number for a purpose, from 1.
func (s *Journal) Next(purpose string) (uint64, error) {
	s.numbering.Lock()
	defer s.numbering.Unlock()
	key := numberKeys + purpose
	n, err := s.number(key)
	if err != nil {
		return 0, err
	}
	n++
	w := &Write{}
	w.put(key, canonical.U64(nil, n))
	return n, s.Put(w)
}

// Secret is the partner's secret of 32 bytes, from which the ids follow that stand for sealed ones. It is made once, and
// durable when it is returned: another one would make other ids of the same events.
func (s *Journal) Secret() (secret [32]byte, err error) {
	s.numbering.Lock()
	defer s.numbering.Unlock()
	b, err := s.get(secretKey)
	switch {
	case err == nil && len(b) == len(secret):
		return [32]byte(b), nil
	case err == nil:
		return secret, fmt.Errorf("journal: the secret has %d bytes in place of %d; put the journal back from a backup", len(b), len(secret))
	case !errors.Is(err, ErrNotFound):
		return secret, err
	}
	if _, err := rand.Read(secret[:]); err != nil {
		return secret, fmt.Errorf("journal: draw a secret: %w", err)
	}
	w := &Write{}
	w.put(secretKey, secret[:])
	return secret, s.Put(w)
}

// Register keeps registrations that the ledger has accepted.
func (s *Journal) Register(list [][]byte) error {
	s.numbering.Lock()
	defer s.numbering.Unlock()
	var n uint64
	if err := s.scan(actKeys, "", false, false, func(string, []byte) bool { n++; return true }); err != nil {
		return err
	}
	w := &Write{}
	for _, b := range list {
		w.put(actKeys+string(canonical.U64(nil, n)), b)
		n++
	}
	return s.Put(w)
}

// Registrations calls fn for those that were kept, in order.
func (s *Journal) Registrations(fn func([]byte) error) error {
	var bad error
	err := s.scan(actKeys, "", true, false, func(_ string, v []byte) bool {
		bad = fn(v)
		return bad == nil
	})
	return errors.Join(err, bad)
}
