package tracing

import (
	"encoding/hex"

	"verilot.dev/ledger/registry"
)

// Party is a party as shown.
type Party struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Roles     []string  `json:"roles"`
	Suspended bool      `json:"suspended,omitempty"`
	GLNs      []string  `json:"glns,omitempty"`
	Prefixes  []string  `json:"companyPrefixes,omitempty"`
	KeyIDs    []string  `json:"keyIDs,omitempty"`
	Licences  []Licence `json:"licences,omitempty"`
	Places    []Place   `json:"places,omitempty"`
}

// Licence is registry.Licence as shown.
type Licence struct {
	Number       string `json:"number"`
	Kind         string `json:"kind,omitempty"`
	Jurisdiction string `json:"jurisdiction,omitempty"`
	ValidFrom    string `json:"validFrom,omitempty"`
	ValidTo      string `json:"validTo,omitempty"`
}

// Place is registry.Place as shown.
type Place struct {
	ID         string `json:"id"`
	Name       string `json:"name,omitempty"`
	StreetOne  string `json:"streetOne,omitempty"`
	StreetTwo  string `json:"streetTwo,omitempty"`
	City       string `json:"city,omitempty"`
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postalCode,omitempty"`
	Country    string `json:"country,omitempty"`
}

func partyView(p *registry.Party) Party {
	out := Party{ID: p.ID, Name: p.Name, Roles: p.Roles, Suspended: p.Suspended, GLNs: p.GLNs, Prefixes: p.Prefixes}
	for _, l := range p.Licences {
		out.Licences = append(out.Licences, Licence(l))
	}
	for _, place := range p.Places {
		out.Places = append(out.Places, Place(place))
	}
	for _, k := range p.Keys {
		out.KeyIDs = append(out.KeyIDs, hex.EncodeToString(k[:]))
	}
	return out
}

// Parties is the list of parties.
type Parties struct {
	Parties []Party `json:"parties"`
	RestsOn AsOf    `json:"restsOn"`
}

// Parties lists all registered parties.
func (s *Snapshot) Parties() *Parties {
	out := &Parties{Parties: []Party{}, RestsOn: s.AsOf()}
	for _, p := range s.registry().Parties() {
		out.Parties = append(out.Parties, partyView(&p))
	}
	return out
}

// Party is one registered party; ErrNoParty if there is none of that id.
func (s *Snapshot) Party(id string) (*Party, error) {
	p, ok := s.registry().Party(id)
	if !ok {
		return nil, ErrNoParty
	}
	out := partyView(&p)
	return &out, nil
}
