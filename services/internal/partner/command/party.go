package command

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
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

// mountParties offers registering parties to whoever runs a development network. A real authority looks before it signs, and has no
// place in a partner's service.
func (e *Engine) mountParties(h huma.API) {
	if e.authority == nil {
		return
	}
	huma.Register(h, huma.Operation{
		OperationID: "register-party", Method: http.MethodPost, Path: "/v1/parties", Summary: "Register a party (development networks only)", Tags: []string{"development"},
		DefaultStatus: http.StatusAccepted, MaxBodyBytes: 8 << 20, BodyReadTimeout: 90 * time.Second, Errors: []int{400, 403, 409, 413, 415, 503},
	}, func(ctx context.Context, in *commandInput[partyBody]) (*jobAnswer, error) {
		id, err := e.once(ctx, in.IdempotencyKey, requestHash("parties", in.RawBody), func(context.Context) (*draft, error) {
			return e.parties(&in.Body)
		})
		if err != nil {
			return nil, err
		}
		return e.answer(id)
	})
}

func (e *Engine) parties(b *partyBody) (*draft, error) {
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
	return &draft{
		kind: "parties", onError: submission.Rollback, lane: e.authority,
		items: []draftItem{{item: wire.Item{Kind: wire.KindPartyAct, Message: act}, meta: itemMeta{Kind: wire.KindPartyAct, Event: -1, Subject: "party " + b.ID}}},
	}, nil
}
