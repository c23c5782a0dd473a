// Package tracing computes the answers about the ledger: the trace of a package, the check at the
// counter, lots, shipments, recalls, blocks, a search and proofs. Each answer is a struct, computed
// over one [Snapshot] of a node's own verified copy, and says which certified block it rests on and
// how old that block is.
//
// It knows nothing of HTTP: package ledgerrest serves the answers. It trusts the copy, which the
// follower verified.
package tracing

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/node/chain"
)

// What a question may name that the ledger does not have. A block that is not there is
// [chain.ErrNoBlock].
var (
	ErrNoParty  = errors.New("tracing: no such party")
	ErrNoRecall = errors.New("tracing: no such recall")
	ErrNoItem   = errors.New("tracing: no such item")
	ErrNoLot    = errors.New("tracing: no such lot")
	// ErrNoProduct is an ErrNoLot: no product is registered under the lot's GTIN either.
	ErrNoProduct = fmt.Errorf("%w, and no product of that GTIN", ErrNoLot)
	// ErrNoEvents: no event names the unit or container.
	ErrNoEvents = errors.New("tracing: no event names it")
	// ErrNotCertified: no block is certified yet.
	ErrNotCertified = errors.New("tracing: no block is certified yet")
	// ErrPageToken: the token of a page was given by another list, or by none.
	ErrPageToken = errors.New("tracing: not a token of this list")
)

// BlockLog is the certified blocks of a node's own verified copy. Both methods may be called
// concurrently.
type BlockLog interface {
	// Block returns a block; the error for one that is not there is a chain.ErrNoBlock.
	Block(height uint64) (*consensus.Result, error)
	// Certificate returns the certificate of the checkpoint of size height + 1.
	Certificate(height uint64) (quorum.Certificate, error)
}

// A Snapshot is one state of the ledger, and the questions that it answers. Everything that one
// request answers comes from one Snapshot. It is not safe for concurrent use.
type Snapshot struct {
	Genesis *genesis.Genesis
	View    state.View
	Log     BlockLog
	// Now is the time of the question: ages and expiry dates are compared with it.
	Now time.Time

	parties map[string]*PartyRef // named before: a trace names few, many times
	places  map[string]*PlaceRef
}

// AsOf is the newest certified header that an answer rests on.
type AsOf struct {
	Height     uint64    `json:"height,string"`
	Time       time.Time `json:"time"`
	AgeSeconds float64   `json:"ageSeconds"`
	BlockHash  string    `json:"blockHash"`
}

// AsOf is what every answer of this snapshot rests on.
func (s *Snapshot) AsOf() AsOf {
	var a AsOf
	if head, ok := consensus.ReadHead(s.View); ok {
		a = AsOf{Height: head.Header.Height, Time: time.UnixMilli(head.Header.Time).UTC(), BlockHash: hex32(head.Hash)}
	}
	a.AgeSeconds = max(0, s.Now.Sub(a.Time).Seconds())
	return a
}

// block returns a block of this snapshot. A block that came after it is not there.
func (s *Snapshot) block(height uint64) (*consensus.Result, error) {
	if head, _ := consensus.ReadHead(s.View); height > head.Header.Height {
		return nil, fmt.Errorf("block %d: %w", height, chain.ErrNoBlock)
	}
	return s.Log.Block(height)
}

// registry is the registry as of this snapshot.
func (s *Snapshot) registry() registry.Registry { return registry.Registry{View: s.View} }

// ID names an object in every form that is known.
type ID struct {
	Key         string `json:"key"`
	Kind        string `json:"kind"`
	GTIN        string `json:"gtin,omitempty"`
	Serial      string `json:"serial,omitempty"`
	SSCC        string `json:"sscc,omitempty"`
	EPC         string `json:"epc,omitempty"` // as first captured
	DigitalLink string `json:"digitalLink,omitempty"`
}

// idOf names a key in every form that can be derived.
func idOf(key gs1.Key) ID {
	id := ID{Key: key.String(), Kind: key.Kind().String(), DigitalLink: key.DigitalLink(), Serial: key.Serial()}
	if g, ok := key.GTIN(); ok {
		id.GTIN = g.String()
	}
	if s, ok := key.AsSSCC(); ok {
		id.SSCC = s.String()
	}
	return id
}

// PartyRef names a party.
type PartyRef struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// PlaceRef names a place.
type PlaceRef struct {
	Key     string `json:"key"`
	GLN     string `json:"gln,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	Party   string `json:"party,omitempty"`
}

// party names a party by id.
func (s *Snapshot) party(id string) *PartyRef {
	if id == "" {
		return nil
	}
	ref, ok := s.parties[id]
	if !ok {
		ref = &PartyRef{ID: id}
		if p, ok := s.registry().Standing(id); ok {
			ref.Name = p.Name
		}
		if s.parties == nil {
			s.parties = map[string]*PartyRef{}
		}
		s.parties[id] = ref
	}
	return ref
}

// place names a place by key text.
func (s *Snapshot) place(key string) *PlaceRef {
	if key == "" {
		return nil
	}
	ref, ok := s.places[key]
	if !ok {
		ref = s.lookPlace(key)
		if s.places == nil {
			s.places = map[string]*PlaceRef{}
		}
		s.places[key] = ref
	}
	return ref
}

func (s *Snapshot) lookPlace(key string) *PlaceRef {
	ref := &PlaceRef{Key: key}
	if k, err := gs1.ParseKey(key); err == nil {
		if gln, ok := k.GLN(); ok {
			ref.GLN = gln.String()
			ref.Party, _ = s.registry().PartyOfGLN(ref.GLN)
		}
	}
	if p, ok := s.registry().Place(key); ok {
		ref.Name = p.Name
		var parts []string
		for _, part := range []string{p.StreetOne, p.StreetTwo, p.City, strings.TrimSpace(p.State + " " + p.PostalCode), p.Country} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		ref.Address = strings.Join(parts, ", ")
	}
	return ref
}

func (s *Snapshot) placeOf(p *epcis.Place) *PlaceRef {
	if p == nil || p.ID == "" {
		return nil
	}
	epc, err := gs1.ParseEPC(p.ID)
	if err != nil {
		return &PlaceRef{Key: "uri:" + p.ID}
	}
	return s.place(epc.Key().String())
}

func (s *Snapshot) partyOf(list []epcis.SourceDest) *PartyRef {
	for _, sd := range list {
		if epcis.TermSourceDest.Word(sd.Type) != "owning_party" {
			continue
		}
		epc, err := gs1.ParseEPC(sd.Value)
		if err != nil {
			return &PartyRef{ID: sd.Value}
		}
		if gln, ok := epc.Key().GLN(); ok {
			if id, ok := s.registry().PartyOfGLN(gln.String()); ok {
				return s.party(id)
			}
			return &PartyRef{ID: gln.String()}
		}
		return &PartyRef{ID: sd.Value}
	}
	return nil
}
