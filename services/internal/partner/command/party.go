package command

import (
	"crypto/ed25519"
	"encoding/base64"

	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
)

// partyBody is what an authority attests of a party. A party that is registered gets what is new of it.
type partyBody struct {
	ID        string         `json:"id" minLength:"1" maxLength:"32" doc:"Party id: lower case letters, digits, hyphens"`
	Name      string         `json:"name,omitempty" maxLength:"200"`
	Roles     []string       `json:"roles,omitempty" maxItems:"8" doc:"manufacturer, repackager, distributor, 3pl, dispenser"`
	GLNs      []string       `json:"glns,omitempty" maxItems:"1000"`
	Prefixes  []string       `json:"companyPrefixes,omitempty" maxItems:"1000"`
	EventKey  string         `json:"eventKey,omitempty" doc:"Ed25519 public key that the party signs events with, 32 bytes as base64"`
	Licences  []partyLicence `json:"licences,omitempty" maxItems:"100"`
	Places    []partyPlace   `json:"places,omitempty" maxItems:"1000"`
	Reference string         `json:"note,omitempty" maxLength:"200"`
}

type (
	partyLicence struct {
		Number       string `json:"number"`
		Kind         string `json:"kind,omitempty"`
		Jurisdiction string `json:"jurisdiction,omitempty"`
		ValidFrom    string `json:"validFrom,omitempty"`
		ValidTo      string `json:"validTo,omitempty"`
	}
	partyPlace struct {
		ID         string `json:"id" doc:"SGLN"`
		Name       string `json:"name,omitempty"`
		StreetOne  string `json:"streetOne,omitempty"`
		StreetTwo  string `json:"streetTwo,omitempty"`
		City       string `json:"city,omitempty"`
		State      string `json:"state,omitempty"`
		PostalCode string `json:"postalCode,omitempty"`
		Country    string `json:"country,omitempty"`
	}
)

// parties drafts a registration that the authority signs.
func parties(b *partyBody) (*draft.Draft, error) {
	act := &registry.Act{Party: b.ID, Name: b.Name, Roles: b.Roles, GLNs: b.GLNs, Prefixes: b.Prefixes, Note: b.Reference}
	if b.EventKey != "" {
		key, err := base64.StdEncoding.DecodeString(b.EventKey)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, httpapi.NewProblem(httpapi.InvalidParameter, "eventKey is not an Ed25519 public key; send its 32 bytes as base64")
		}
		act.Keys = []registry.Key{{PublicKey: key, Use: keys.Event}}
	}
	for _, l := range b.Licences {
		act.Licences = append(act.Licences, registry.Licence(l))
	}
	for _, p := range b.Places {
		act.Places = append(act.Places, registry.Place(p))
	}
	d := registration("parties", wire.KindPartyAct, act, "party "+b.ID)
	d.Authority = true
	return d, nil
}
