// Package tracing is the way out: trace, check, lot totals, blocks, parties and proofs over a node's own verified copy of the
// ledger. Every answer says which certified header it rests on and how old that is.
//
// It trusts its copy, which the follower verified, and nothing that a caller sends.
package tracing

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/edge/httpapi"
)

// A Copy is a node's own verified copy of the ledger.
type Copy interface {
	// Snapshot is a consistent view; the function releases it.
	Snapshot() (state.View, func(), error)
	// Block returns the block as stored; an error that Is ErrNoBlock for one that is not there.
	Block(height uint64) (*consensus.Result, error)
	// Certificate returns the certificate of the checkpoint of size height + 1.
	Certificate(height uint64) (quorum.Certificate, error)
	// Changed is closed when there is a newer block.
	Changed() <-chan struct{}
}

// Options of the query service.
type Options struct {
	Genesis *genesis.Genesis
	Copy    Copy
	Now     func() time.Time
	// NoBlock reports whether an error of Copy.Block means that there is no such block.
	NoBlock func(error) bool
	// Waiting says how many stream messages are known that are in no block of this copy yet.
	Waiting func() uint64
	// Heard says what this node heard a validator vote since it started; nil: it does not listen.
	Heard func(validator int) Heard
}

// Heard is what was heard of a validator: its newest vote, when that came, and how many pairs of its votes contradict each
// other. Without a vote all is zero.
type Heard struct {
	Height   uint64
	Round    uint32
	At       time.Time
	Evidence int
}

// Service answers queries.
type Service struct {
	Options
	listeners atomic.Int64 // of the feed
}

// stale is the age from which on a check cannot be green (design section 7).
const stale = 60 * time.Second

// Mount adds the routes.
func Mount(api *httpapi.API, o Options) *Service {
	s := &Service{Options: o}
	api.Engine.Use(s.sayHeight)
	h := api.Huma
	register(h, "trace", "/v1/trace", "History and present state of one unit or container", s.trace)
	register(h, "check", "/v1/verify", "Pharmacy check: verified, and fit to dispense, with reasons", s.check)
	register(h, "scan", "/v1/scan", "Read a scanned, typed or pasted text", s.scan)
	register(h, "lot", "/v1/lots/{gtin}/{lot}", "Totals of a lot per party and state; they add up to the units commissioned", s.lot)
	register(h, "lots", "/v1/lots", "Lots, those that the ledger heard of last first", s.lots)
	register(h, "lot-containers", "/v1/lots/{gtin}/{lot}/containers", "The outermost containers that hold units of a lot", s.lotContainers)
	register(h, "products", "/v1/products", "Registered products, newest first", s.products)
	register(h, "shipments", "/v1/shipments", "What was shipped to or from a party, and what of it is still on its way", s.shipments)
	register(h, "search", "/v1/search", "Find anything: units, containers, lots, products, parties, blocks, events, recalls", s.search)
	register(h, "recall-detail", "/v1/recalls/{number}", "One recall: what it covers, where it is, and how far it has come", s.recall)
	register(h, "blocks", "/v1/blocks", "Newest blocks first", s.blocks)
	register(h, "block", "/v1/blocks/{height}", "One block: header, certificate, entries with verdicts", s.block)
	register(h, "event", "/v1/events/{height}/{entry}/{item}", "One item of the ledger with verdict and findings", s.event)
	register(h, "parties", "/v1/parties", "All registered parties", s.parties)
	register(h, "party", "/v1/parties/{id}", "One party", s.party)
	register(h, "recalls", "/v1/recalls", "All recalls on the ledger", s.recalls)
	register(h, "status", "/v1/status", "Where this copy of the ledger stands", s.status)
	register(h, "validators", "/v1/validators", "The validators, and where each stands as far as its votes were heard here", s.validators)
	register(h, "digital-link", "/01/{gtin}/21/{serial}", "A GS1 Digital Link resolves to the unit's trace", s.digitalLink)
	// Answers that are not our JSON go past huma and describe themselves in the OpenAPI document.
	raw(api, "genesis", "/v1/genesis", "The genesis file, byte for byte", s.genesis, types("application/json"))
	raw(api, "checkpoint", "/v1/checkpoint", "Newest certified checkpoint, a C2SP signed note", s.checkpoint, types("text/plain"))
	raw(api, "proof", "/v1/proof", "Proof bundle of a unit's trace", s.proof, types("application/json", "application/octet-stream"),
		&huma.Param{Name: "id", In: "query", Required: true, Description: "As for /v1/trace", Schema: &huma.Schema{Type: huma.TypeString}},
		&huma.Param{Name: "format", In: "query", Description: "json, if left out", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"json", "binary"}}})
	raw(api, "lot-units", "/v1/lots/{gtin}/{lot}/units", "Every unit of a lot, NDJSON or CSV", s.lotUnits, types(ndjson, textCSV), unitQueries()...)
	raw(api, "recall-units", "/v1/recalls/{number}/units", "Every unit under a recall, NDJSON or CSV", s.recallUnits, types(ndjson, textCSV), unitQueries()...)
	schemas := api.Huma.OpenAPI().Components.Schemas
	schemas.Schema(reflect.TypeFor[FeedBlock](), true, "FeedBlock") // one message of the feed
	schemas.Schema(reflect.TypeFor[LotUnit](), true, "LotUnit")     // one line of a list of units
	raw(api, "feed", "/v1/feed", "Every new block as it comes, server-sent events", s.feed, types(eventStream),
		&huma.Param{Name: "after", In: "query", Description: "Begin after this height, at most 100 blocks back; left out: with the newest", Schema: &huma.Schema{Type: huma.TypeString}})
	return s
}

func types(t ...string) []string { return t }

func register[I, O any](api huma.API, id, path, summary string, fn func(context.Context, *I) (*O, error)) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary}, fn)
}

func raw(api *httpapi.API, id, path, summary string, fn func(*gin.Context) error, contentTypes []string, queries ...*huma.Param) {
	answer := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{}}
	for _, t := range contentTypes {
		answer.Content[t] = &huma.MediaType{Schema: &huma.Schema{}}
	}
	problem := api.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[httpapi.Problem](), true, "Problem")
	op := &huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary,
		Responses: map[string]*huma.Response{
			"200":     answer,
			"default": {Description: "Error", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}},
		},
	}
	known := map[string]bool{}
	for _, q := range queries {
		known[q.Name] = true
	}
	ginPath := pathParam.ReplaceAllStringFunc(path, func(s string) string {
		name := strings.Trim(s, "{}")
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		return ":" + name
	})
	op.Parameters = append(op.Parameters, queries...)
	api.Huma.OpenAPI().AddOperation(op)
	api.Engine.GET(ginPath, func(c *gin.Context) {
		err := expected(c, known, contentTypes)
		if err == nil {
			err = fn(c)
		}
		if err != nil {
			p, ok := errors.AsType[*httpapi.Problem](err)
			if !ok {
				p = httpapi.NewProblem(httpapi.Internal, "the service met a fault of its own; give the operator the request id").Because(err)
			}
			httpapi.Write(c, p)
		}
	})
}

var pathParam = regexp.MustCompile(`\{[a-z]+\}`)

// expected refuses what huma refuses of its own operations: parameters that nobody reads, and formats that are not written.
func expected(c *gin.Context, known map[string]bool, contentTypes []string) error {
	for name := range c.Request.URL.Query() {
		if !known[name] {
			return httpapi.NewProblem(httpapi.InvalidParameter, "query.%s: unknown query parameter; correct it and send the request again (the parameters are listed in /openapi.json)", clip(name))
		}
	}
	if !httpapi.Accepts(c.GetHeader("Accept"), contentTypes...) {
		return httpapi.NewProblem(httpapi.NotAcceptable, "no format named in Accept can be written; ask for %s", strings.Join(contentTypes, " or "))
	}
	return nil
}

// read runs fn over one consistent view.
func (s *Service) read(fn func(r *Reader) error) error {
	view, done, err := s.Copy.Snapshot()
	if err != nil {
		return httpapi.NewProblem(httpapi.Unavailable, "this copy of the ledger cannot be read now; try again in a moment").Because(err)
	}
	defer done()
	return fn(&Reader{Genesis: s.Genesis, View: view, Blocks: s.Copy})
}

// rest completes what an answer rests on with the age by our clock.
func (s *Service) rest(r Rest) Rest {
	r.AgeSeconds = max(0, s.Now().Sub(r.Time).Seconds())
	return r
}

// identify reads an identifier in any form, or says why it cannot.
func (s *Service) identify(text string) (gs1.Key, Scan, error) {
	if text == "" {
		return gs1.Key{}, Scan{}, httpapi.NewProblem(httpapi.MissingParameter, "id is missing; send what is on the package: a scan, a Digital Link, an EPC URN or (01)…(21)…")
	}
	// A ledger key needs no form of its own: it is a scan without separators, and as ambiguous as one.
	answer, key := ReadScan(text, s.Now().Year())
	switch {
	case answer.Verdict == "ambiguous":
		p := httpapi.NewProblem(httpapi.AmbiguousScan, "the scan can be read in %d ways, because a separator was lost; scan again with a scanner that sends it (GS), or choose the reading that is printed on the package", len(answer.Readings))
		for _, r := range answer.Readings {
			p.Readings = append(p.Readings, r.Text)
		}
		return gs1.Key{}, answer, p
	case answer.Verdict != "valid" || key.IsZero():
		why := "it names no unit or container"
		if len(answer.Problems) > 0 {
			why = answer.Problems[0].Detail
		}
		p := httpapi.NewProblem(httpapi.InvalidIdentifier, "%q cannot be read: %s. Send what is on the package: a scan, a Digital Link, an EPC URN or (01)…(21)…", clip(text), why)
		for _, x := range answer.Problems {
			p.Errors = append(p.Errors, httpapi.Fault{Pointer: "query.id", Code: x.Code, Message: x.Detail})
		}
		return gs1.Key{}, answer, p
	case !key.IsUnit() && key.Kind() != gs1.KindSSCC:
		return gs1.Key{}, answer, httpapi.NewProblem(httpapi.InvalidIdentifier, "%q names a %s; only serialised units (GTIN and serial) and containers (SSCC) have a history. Scan the barcode on the package or the container", clip(text), key.Kind())
	}
	return key, answer, nil
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

type body[T any] struct{ Body T }

type idInput struct {
	ID string `query:"id" doc:"What is on the package: scan, Digital Link, EPC URN, (01)…(21)… or ledger key"`
}

func (s *Service) trace(_ context.Context, in *idInput) (*body[Trace], error) {
	key, answer, err := s.identify(in.ID)
	if err != nil {
		return nil, err
	}
	return s.traceKey(key, answer.EPC)
}

func (s *Service) digitalLink(_ context.Context, in *struct {
	GTIN   string `path:"gtin"`
	Serial string `path:"serial"`
},
) (*body[Trace], error) {
	g, err := parseGTIN(in.GTIN)
	if err != nil {
		return nil, err
	}
	u, err := gs1.NewSGTIN(g, in.Serial)
	if err != nil {
		return nil, malformed("serial", in.Serial, err, "send the serial exactly as it is printed after (21) or SN")
	}
	return s.traceKey(u.Key(), "")
}

func (s *Service) traceKey(key gs1.Key, captured string) (out *body[Trace], err error) {
	err = s.read(func(r *Reader) error {
		t, err := r.Trace(key)
		if err != nil {
			return err
		}
		t.RestsOn = s.rest(t.RestsOn)
		if captured != "" {
			t.ID.EPC = captured
		}
		out = &body[Trace]{*t}
		return nil
	})
	return out, err
}

func (s *Service) scan(_ context.Context, in *struct {
	Text string `query:"text" doc:"What a scanner sent, with GS as 0x1D" required:"true"`
},
) (*body[Scan], error) {
	answer, _ := ReadScan(in.Text, s.Now().Year())
	return &body[Scan]{answer}, nil
}

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
	RestsOn Rest    `json:"restsOn"`
}

func (s *Service) parties(context.Context, *struct{}) (out *body[Parties], err error) {
	err = s.read(func(r *Reader) error {
		out = &body[Parties]{Parties{RestsOn: s.rest(r.Head()), Parties: []Party{}}}
		for _, p := range r.Registry().Parties() {
			out.Body.Parties = append(out.Body.Parties, partyView(&p))
		}
		return nil
	})
	return out, err
}

func (s *Service) party(_ context.Context, in *struct {
	ID string `path:"id"`
},
) (out *body[Party], err error) {
	err = s.read(func(r *Reader) error {
		p, ok := r.Registry().Party(in.ID)
		if !ok {
			return httpapi.NewProblem(httpapi.UnknownParty, "no party is registered as %q; /v1/parties lists them", clip(in.ID))
		}
		out = &body[Party]{partyView(&p)}
		return nil
	})
	return out, err
}

// Status is where a copy of the ledger stands.
type Status struct {
	Network     string `json:"network"`
	GenesisHash string `json:"genesisHash"`
	Development bool   `json:"development"`
	Height      uint64 `json:"height,string"`
	LastSeq     uint64 `json:"lastSequence,string"`
	Waiting     uint64 `json:"messagesWaiting,string"`
	Validators  int    `json:"validators"`
	Quorum      int    `json:"quorum"`
	RestsOn     Rest   `json:"restsOn"`
}

func (s *Service) status(context.Context, *struct{}) (out *body[Status], err error) {
	err = s.read(func(r *Reader) error {
		head, _ := consensus.ReadHead(r.View)
		st := Status{
			Network: s.Genesis.Name, GenesisHash: hex.EncodeToString(s.Genesis.Hash[:]), Development: s.Genesis.Development,
			Height: head.Header.Height, LastSeq: head.Header.LastSeq, Validators: len(s.Genesis.Validators.Validators),
			Quorum: s.Genesis.Validators.Quorum(), RestsOn: s.rest(r.Head()),
		}
		if s.Waiting != nil {
			st.Waiting = s.Waiting()
		}
		out = &body[Status]{st}
		return nil
	})
	return out, err
}

// Validators is the set, and where each stands.
type Validators struct {
	Quorum     int         `json:"quorum"`
	Validators []Validator `json:"validators"`
	RestsOn    Rest        `json:"restsOn"`
}

// Validator is one of the set. What was heard of it is hearsay of this service since it started: votes are not on the
// ledger. No vote is heard for up to 20 s when nothing is submitted.
type Validator struct {
	Index      int        `json:"index"`
	Name       string     `json:"name"`
	Party      string     `json:"party"`
	PartyName  string     `json:"partyName,omitempty"`
	VoteHeight *uint64    `json:"voteHeight,omitempty,string" doc:"Height of the newest vote heard; absent: none was heard"`
	VoteRound  uint32     `json:"voteRound" doc:"Round of that vote; 0 when all is well"`
	HeardAt    *time.Time `json:"heardAt,omitempty"`
	Lag        *uint64    `json:"lag,omitempty,string" doc:"Certified blocks that it was not heard to vote for"`
	Evidence   int        `json:"evidence" doc:"Pairs of contradicting votes that were heard: it lies, or its key is used twice"`
}

func (s *Service) validators(context.Context, *struct{}) (out *body[Validators], err error) {
	err = s.read(func(r *Reader) error {
		head, _ := consensus.ReadHead(r.View)
		known := registry.Registry{View: r.View}
		set := &s.Genesis.Validators
		a := Validators{Quorum: set.Quorum(), RestsOn: s.rest(r.Head())}
		for i := range set.Validators {
			v := Validator{Index: i, Name: set.Validators[i].Name, Party: set.Validators[i].Party}
			if p, ok := known.Party(v.Party); ok {
				v.PartyName = p.Name
			}
			if s.Heard != nil {
				if h := s.Heard(i); h.Height > 0 {
					at, lag := h.At.UTC(), max(head.Header.Height, h.Height)-h.Height
					v.VoteHeight, v.VoteRound, v.HeardAt, v.Lag, v.Evidence = &h.Height, h.Round, &at, &lag, h.Evidence
				}
			}
			a.Validators = append(a.Validators, v)
		}
		out = &body[Validators]{a}
		return nil
	})
	return out, err
}

func (s *Service) genesis(c *gin.Context) error {
	c.Data(http.StatusOK, "application/json", s.Genesis.File)
	return nil
}

func (s *Service) checkpoint(c *gin.Context) error {
	return s.read(func(r *Reader) error {
		cp, cert, err := s.certified(r)
		if err != nil {
			return err
		}
		c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(s.Genesis.Validators.Note(cp, cert)))
		return nil
	})
}

// certified returns the checkpoint of the view's head and its certificate.
func (s *Service) certified(r *Reader) (cp quorum.Checkpoint, cert quorum.Certificate, err error) {
	head, ok := consensus.ReadHead(r.View)
	if !ok || head.Header.Height == 0 {
		return cp, nil, httpapi.NewProblem(httpapi.ProofUnavailable, "no block is certified yet; capture something first")
	}
	size := head.Header.Height + 1
	root, _, err := consensus.LogRoot(r.View, size, nil)
	if err != nil {
		return cp, nil, fmt.Errorf("header log of size %d: %w", size, err)
	}
	cert, err = s.Copy.Certificate(head.Header.Height)
	if err != nil {
		return cp, nil, fmt.Errorf("certificate of block %d: %w", head.Header.Height, err)
	}
	return quorum.Checkpoint{Origin: s.Genesis.Origin(), Size: size, Root: root}, cert, nil
}

// sayHeight puts on every answer, problems and streams included, the newest certified block that this copy had when the answer
// began, and its age. What an answer rests on is that block or a newer one.
func (s *Service) sayHeight(c *gin.Context) {
	_ = s.read(func(r *Reader) error { // without a view the answer itself says so
		rest := s.rest(r.Head())
		c.Header("Verilot-Height", strconv.FormatUint(rest.Height, 10))
		c.Header("Verilot-Block-Time", rest.Time.Format(time.RFC3339Nano))
		c.Header("Verilot-Age-Seconds", strconv.FormatFloat(rest.AgeSeconds, 'f', 3, 64))
		return nil
	})
	c.Next()
}
