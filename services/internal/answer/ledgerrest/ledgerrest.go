// Package ledgerrest serves the answers of package tracing as JSON under /v1, with problems for
// questions that cannot be answered, a feed of new blocks, and lists of units as lines or as a
// table. One request is answered from one state of the ledger, and the headers of the answer say
// which.
//
// It trusts the node's own copy, which the follower verified, and nothing that a caller sends.
package ledgerrest

import (
	"context"
	"net/http"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
)

// A Copy is a node's own verified copy of the ledger: a *chain.Chain.
type Copy interface {
	tracing.BlockLog
	// Snapshot is a consistent view; the function releases it.
	Snapshot() (state.View, func(), error)
	// Changed is closed when there is a newer block.
	Changed() <-chan struct{}
}

// Options of the service. Genesis, Copy and Now are required.
type Options struct {
	Genesis *genesis.Genesis
	Copy    Copy
	Now     func() time.Time
	// Waiting returns how many stream messages are known that are in no block of this copy yet;
	// nil: 0.
	Waiting func() uint64
	// LastVote returns what this node received of a validator's votes since it started; nil: it
	// receives none.
	LastVote func(validator int) tracing.LastVote
}

// service answers over HTTP.
type service struct {
	Options
	listeners atomic.Int64 // of the feed
	// foresights has a place for each large question about what the rules would say.
	foresights chan struct{}
	paths      map[string]bool // Gin's paths of the routes of this package
}

// Mount adds the routes.
func Mount(api *httpapi.API, o Options) {
	s := &service{Options: o, paths: map[string]bool{}, foresights: make(chan struct{}, maxForesights)}
	api.Engine.Use(s.snapshot)
	s.mountJSON(api)
	s.mountForesee(api)
	// Answers that are not our JSON go past huma and describe themselves in the OpenAPI document.
	s.raw(api, "genesis", "/v1/genesis", "The genesis file, byte for byte", s.genesis, types("application/json"))
	s.raw(api, "checkpoint", "/v1/checkpoint", "Newest certified checkpoint, a C2SP signed note", s.checkpoint, types("text/plain"))
	s.raw(api, "proof", "/v1/proof", "Proof bundle of a unit's trace", s.proof, types("application/json", "application/octet-stream"),
		&huma.Param{Name: "id", In: "query", Required: true, Description: "As for /v1/trace", Schema: &huma.Schema{Type: huma.TypeString}},
		&huma.Param{Name: "format", In: "query", Description: "json, if left out", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"json", "binary"}}})
	s.raw(api, "lot-units", "/v1/lots/{gtin}/{lot}/units", "Every unit of a lot, NDJSON or CSV", s.lotUnits, types(ndjson, textCSV), unitQueries()...)
	s.raw(api, "recall-units", "/v1/recalls/{number}/units", "Every unit under a recall, NDJSON or CSV", s.recallUnits, types(ndjson, textCSV), unitQueries()...)
	schemas := api.Huma.OpenAPI().Components.Schemas
	schemas.Schema(reflect.TypeFor[tracing.FeedBlock](), true, "FeedBlock") // one message of the feed
	schemas.Schema(reflect.TypeFor[tracing.LotUnit](), true, "LotUnit")     // one line of a list of units
	feed := s.raw(api, "feed", "/v1/feed", "Every new block as it comes, server-sent events", s.feed, types(eventStream),
		&huma.Param{Name: "after", In: "query", Description: "Begin after this height, at most 100 blocks back; left out: with the newest", Schema: &huma.Schema{Type: huma.TypeString}})
	feed.Metadata[httpapi.Endless] = true
}

// Names that the OpenAPI document has for types of tracing whose names in Go say more.
type (
	// Rest is tracing.AsOf.
	Rest tracing.AsOf
	// Answer is tracing.Scan.
	Answer tracing.Scan
)

func (s *service) mountJSON(api *httpapi.API) {
	schemas := api.Huma.OpenAPI().Components.Schemas
	schemas.RegisterTypeAlias(reflect.TypeFor[tracing.AsOf](), reflect.TypeFor[Rest]())
	schemas.RegisterTypeAlias(reflect.TypeFor[tracing.Scan](), reflect.TypeFor[Answer]())
	register(s, api, "trace", "/v1/trace", "History and present state of one unit or container", s.trace)
	register(s, api, "check", "/v1/verify", "Check of a package or container: verified, and fit to dispense or ship, with reasons", s.check)
	register(s, api, "scan", "/v1/scan", "Read a scanned, typed or pasted text", s.scan)
	register(s, api, "lot", "/v1/lots/{gtin}/{lot}", "Totals of a lot per party and state; they add up to the units commissioned", s.lot)
	register(s, api, "lots", "/v1/lots", "Lots, those that the ledger heard of last first", s.lots)
	register(s, api, "lot-containers", "/v1/lots/{gtin}/{lot}/containers", "The outermost containers that hold units of a lot", s.lotContainers)
	register(s, api, "products", "/v1/products", "Registered products, newest first", s.products)
	register(s, api, "shipments", "/v1/shipments", "What was shipped to or from a party, and what of it is still on its way", s.shipments)
	register(s, api, "search", "/v1/search", "Find anything: units, containers, lots, products, parties, blocks, events, recalls", s.search)
	register(s, api, "recall-detail", "/v1/recalls/{number}", "One recall: what it covers, where it is, and how far it has come", s.recall)
	register(s, api, "blocks", "/v1/blocks", "Newest blocks first", s.blocks)
	register(s, api, "block", "/v1/blocks/{height}", "One block: header, certificate, entries with verdicts", s.block)
	register(s, api, "event", "/v1/events/{height}/{entry}/{item}", "One item of the ledger with verdict and findings", s.event)
	register(s, api, "parties", "/v1/parties", "All registered parties", s.parties)
	register(s, api, "party", "/v1/parties/{id}", "One party", s.party)
	register(s, api, "recalls", "/v1/recalls", "All recalls on the ledger", s.recalls)
	register(s, api, "status", "/v1/status", "Where this copy of the ledger stands", s.status)
	register(s, api, "validators", "/v1/validators", "The validators, and where each stands as far as its votes were heard here", s.validators)
	register(s, api, "digital-link", "/01/{gtin}/21/{serial}", "A GS1 Digital Link resolves to the unit's trace", s.digitalLink)
}

// PassedOn lists the routes of this package that partner services pass on to their api: all that
// carry httpapi.PassedOn.
func PassedOn() []httpapi.Route {
	api := httpapi.New(httpapi.Options{})
	Mount(api, Options{})
	return api.PassedOn()
}

type body[T any] struct{ Body *T }

// answer computes one answer from the snapshot of a request.
func answer[T any](ctx context.Context, s *service, fn func(*tracing.Snapshot) (*T, error)) (*body[T], error) {
	var out *T
	err := s.read(ctx, func(snap *tracing.Snapshot) (err error) {
		out, err = fn(snap)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &body[T]{out}, nil
}

func register[I, O any](s *service, api *httpapi.API, id, path, summary string, fn func(context.Context, *I) (*O, error)) {
	s.paths[ginPath(path, nil)] = true
	huma.Register(api.Huma, huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Metadata: passedOn(),
	}, fn)
}

// passedOn is the metadata of every operation here: a partner service offers all of them, by asking
// its api.
func passedOn() map[string]any { return map[string]any{httpapi.PassedOn: true} }
