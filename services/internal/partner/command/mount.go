// Package command is what a partner orders in words of the trade: make, pack, ship, receive,
// dispense, recall. A command becomes a draft of EPCIS events or registrations; it stores nothing
// but the numbers that it gives out.
package command

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/partner/outbox"
)

// Config of the commands of a partner. Directory, Numbers and Now are required.
type Config struct {
	Directory *directory.Directory
	Numbers   Numbers
	Now       func() time.Time
	// Event asks an api service for an event on the ledger, by its position (height/entry/item) or its
	// id; nil: there is none to ask.
	Event   func(ctx context.Context, name string) (*epcis.Event, error)
	Rules   *foresee.Rules // asked before anything is captured; nil: nothing is
	Foreign bool           // recalls what others made
}

// Numbers are given out once and never again, even if the service is killed in between.
type Numbers interface {
	// Serials reserves serials of a GTIN; draw makes a candidate.
	Serials(gtin string, count int, draw func() (string, error)) ([]string, error)
	// Next is the next number for a purpose, from 1.
	Next(purpose string) (uint64, error)
}

// Commands are those of one partner. Methods may be called concurrently.
type Commands struct {
	cfg Config
	dir *directory.Directory
}

// New makes the commands.
func New(cfg Config) *Commands { return &Commands{cfg, cfg.Directory} }

// Names are the commands that there are.
var Names = []string{
	"products", "lots", "serials", "commission", "pack", "unpack", "ship", "receive", "dispense", "return", "quarantine", "release",
	"recall", "decommission", "destroy", "resolve", "take-back",
}

// Path is where a command is posted to.
func Path(name string) string {
	if name == "resolve" {
		return "/v1/findings/resolve"
	}
	return "/v1/" + name
}

// Offer says which commands a service offers.
type Offer struct {
	By    string // the kind of service, for the text of a refusal
	Names []string
	// Only: what is not offered is not there. Otherwise it is refused with a reason.
	Only bool
	// Authority: parties can be registered too, which is for whoever runs a development network. A
	// real authority looks before it signs, and has no place in a partner's service.
	Authority bool
}

// Desk takes what a command drafts, and shows the job that it became.
type Desk[J any] interface {
	Submit(context.Context, outbox.Request, func(context.Context) (*draft.Draft, error)) (uuid.UUID, error)
	Accepted(id uuid.UUID) (location string, job *J, err error)
}

// Mount adds the commands that are offered.
func Mount[J any](api *httpapi.API, c *Commands, offer Offer, desk Desk[J]) {
	m := &mounter[J]{api.Huma, c, offer, desk}
	if offer.Authority {
		op := huma.Operation{
			OperationID: "register-party", Path: "/v1/parties", Summary: "Register a party (development networks only)", Tags: []string{"development"},
			Errors: []int{400, 403, 409, 413, 415, 503},
		}
		post(m, op, "parties", nil, func(_ context.Context, b *partyBody) (*draft.Draft, error) { return parties(b) })
	}
	add(m, "products", "Register a product (trade item)", c.products)
	add(m, "lots", "Register a lot", c.lots)
	add(m, "serials", "Draw fresh random serials", c.serials)
	add(m, "commission", "Commission serials of a lot", c.commission)
	add(m, "pack", "Pack into a case or pallet", c.pack)
	add(m, "unpack", "Unpack a case or pallet", c.unpack)
	add(m, "ship", "Ship to another party", c.ship)
	add(m, "receive", "Receive from another party", c.receive)
	add(m, "dispense", "Dispense to patients; no patient data", c.dispense)
	add(m, "return", "Send goods back to their seller", c.giveBack)
	add(m, "quarantine", "Take goods out of sale", c.quarantine)
	add(m, "release", "Put goods back into sale after inspection", c.release)
	add(m, "recall", "Open or end a recall", c.recall)
	add(m, "decommission", "Retire identifiers for ever", c.decommission)
	add(m, "destroy", "Report destruction", c.destroy)
	add(m, "take-back", "Take an event back that this party recorded by mistake", c.takeBack)
	add(m, "resolve", "Close a finding with an outcome", c.resolve)
}

type mounter[J any] struct {
	huma  huma.API
	c     *Commands
	offer Offer
	desk  Desk[J]
}

type commandInput[B any] struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"A repeated request with the same key and body gets the job of the first"`
	RawBody        []byte
	Body           B
}

type jobAnswer[J any] struct {
	Status   int
	Location string `header:"Location"`
	Body     *J
}

// add offers a command, or says why this service does not.
func add[J, B any](m *mounter[J], name, summary string, build func(context.Context, *B) (*draft.Draft, error)) {
	offered := slices.Contains(m.offer.Names, name)
	if m.offer.Only && !offered {
		return
	}
	op := huma.Operation{
		OperationID: name, Path: Path(name), Summary: summary, Tags: []string{"commands"}, Errors: []int{400, 403, 409, 413, 415, 422, 503},
	}
	post(m, op, name, func() error {
		if !offered {
			return httpapi.NewProblem(httpapi.RoleForbidden, "a %s does not %s; have the party whose business it is do it through its own service", m.offer.By, verb(name))
		}
		return nil
	}, func(ctx context.Context, b *B) (*draft.Draft, error) {
		if err := m.c.dir.MayCapture(ctx); err != nil {
			return nil, err
		}
		d, err := build(ctx, b)
		if err != nil {
			return nil, err
		}
		return d, m.c.cfg.Rules.Check(ctx, d)
	})
}

// post mounts an operation that ends in a job. what names it in a request's identity. may, if
// given, says why it is refused to everybody.
func post[J, B any](m *mounter[J], op huma.Operation, what string, may func() error, build func(context.Context, *B) (*draft.Draft, error)) {
	op.Method, op.DefaultStatus, op.MaxBodyBytes, op.BodyReadTimeout = http.MethodPost, http.StatusAccepted, 8<<20, 90*time.Second
	huma.Register(m.huma, op, func(ctx context.Context, in *commandInput[B]) (*jobAnswer[J], error) {
		if may != nil {
			if err := may(); err != nil {
				return nil, err
			}
		}
		id, err := m.desk.Submit(ctx, outbox.NewRequest(in.IdempotencyKey, what, sha256.Sum256(in.RawBody)), func(ctx context.Context) (*draft.Draft, error) {
			return build(ctx, &in.Body)
		})
		if err != nil {
			return nil, err
		}
		location, j, err := m.desk.Accepted(id)
		if err != nil {
			return nil, err
		}
		return &jobAnswer[J]{Status: http.StatusAccepted, Location: location, Body: j}, nil
	})
}

func verb(name string) string {
	switch name {
	case "products", "lots":
		return "register " + name
	case "serials":
		return "number units"
	case "recall":
		return "recall what others made"
	case "resolve":
		return "close findings"
	case "take-back":
		return "take events back"
	default:
		return name
	}
}
