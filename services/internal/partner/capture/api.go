package capture

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/edge/signin"
)

// API is everything this engine answers, ready to serve. guard says who may change something; nil, for tests, asks nobody. Pages of the
// origins may call it; other pages may not, since a service on a person's own machine must not take commands from whatever page that
// person has open.
func (e *Engine) API(ready func(context.Context) error, guard *signin.Guard, origins ...string) *httpapi.API {
	o := httpapi.Options{
		Title: "Verilot capture: " + e.cfg.Profile.Name, Version: "1", Log: e.cfg.Log, Registry: e.cfg.Registry, Ready: ready, MaxBody: MaxDocument + 1<<20,
		CORS:        origins,
		Description: "The way in for a trading partner: EPCIS documents and business commands become signed submissions. Every answer of 202 is a job that ends in a certified verdict per event. What the api service answers under /v1 and /01 can be read here as well.",
	}
	if guard != nil {
		o.Guard = guard.Check
	}
	api := httpapi.New(o)
	if guard != nil {
		guard.Mount(api)
	}
	e.Mount(api)
	return api
}

type jobAnswer struct {
	Status   int
	Location string `header:"Location"`
	Body     *Job
}

func (e *Engine) answer(id uuid.UUID) (*jobAnswer, error) {
	j, err := e.job(id)
	if err != nil {
		return nil, err
	}
	return &jobAnswer{Status: http.StatusAccepted, Location: jobPath(id), Body: j}, nil
}

func jobPath(id uuid.UUID) string { return "/capture/" + id.String() }

// Mount registers the operations. A party that does one thing only, beside a service of another kind, gets only that and its jobs.
func (e *Engine) Mount(api *httpapi.API) {
	h := api.Huma
	e.mountJobs(h)
	if !e.cfg.Profile.beside {
		e.mountCapture(api)
	}
	e.mountParties(h)
	add(e, h, "products", "Register a product (trade item)", e.products)
	add(e, h, "lots", "Register a lot", e.lots)
	add(e, h, "serials", "Draw fresh random serials", e.serials)
	add(e, h, "commission", "Commission serials of a lot", e.commission)
	add(e, h, "pack", "Pack into a case or pallet", e.pack)
	add(e, h, "unpack", "Unpack a case or pallet", e.unpack)
	add(e, h, "ship", "Ship to another party", e.ship)
	add(e, h, "receive", "Receive from another party", e.receive)
	add(e, h, "dispense", "Dispense to patients; no patient data", e.dispense)
	add(e, h, "return", "Send goods back to their seller", e.giveBack)
	add(e, h, "quarantine", "Take goods out of sale", e.quarantine)
	add(e, h, "release", "Put goods back into sale after inspection", e.release)
	add(e, h, "recall", "Open or end a recall", e.recall)
	add(e, h, "decommission", "Retire identifiers for ever", e.decommission)
	add(e, h, "destroy", "Report destruction", e.destroy)
}

type commandInput[B any] struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"A repeated request with the same key and body gets the job of the first"`
	RawBody        []byte
	Body           B
}

// add offers a command, or says why this service does not.
func add[B any](e *Engine, h huma.API, name, summary string, build func(context.Context, *B) (*draft, error)) {
	if e.cfg.Profile.beside && !e.cfg.Profile.offers(name) {
		return
	}
	huma.Register(h, huma.Operation{
		OperationID: name, Method: http.MethodPost, Path: "/v1/" + name, Summary: summary, Tags: []string{"commands"},
		DefaultStatus: http.StatusAccepted, MaxBodyBytes: 8 << 20, BodyReadTimeout: 90 * time.Second,
		Errors: []int{400, 403, 409, 413, 415, 422, 503},
	}, func(ctx context.Context, in *commandInput[B]) (*jobAnswer, error) {
		if !e.cfg.Profile.offers(name) {
			return nil, httpapi.NewProblem(httpapi.RoleForbidden, "a %s does not %s; have the party whose business it is do it through its own service", e.cfg.Profile.Name, verb(name))
		}
		id, err := e.once(ctx, in.IdempotencyKey, requestHash(name, in.RawBody), func(ctx context.Context) (*draft, error) {
			if err := e.mayCapture(ctx); err != nil {
				return nil, err
			}
			return build(ctx, &in.Body)
		})
		if err != nil {
			return nil, err
		}
		return e.answer(id)
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
	default:
		return name
	}
}

// requestHash identifies a request: what is asked, with which options, over which bytes.
func requestHash(what string, body []byte) canonical.Hash {
	return requestOf(what, sha256.Sum256(body))
}

func requestOf(what string, sum canonical.Hash) canonical.Hash {
	return sha256.Sum256([]byte(what + "\n" + string(sum[:])))
}

func onErrorOf(a, b string) (submission.OnError, error) {
	switch v := strings.ToLower(strings.TrimSpace(a + b)); {
	case v == "", v == "rollback", a == b && strings.EqualFold(a, "rollback"):
		return submission.Rollback, nil
	case v == "proceed", a == b && strings.EqualFold(a, "proceed"):
		return submission.Proceed, nil
	default:
		return 0, httpapi.NewProblem(httpapi.InvalidParameter, "GS1-Capture-Error-Behaviour is %q; send rollback or proceed, once", strings.TrimSpace(a+" "+b))
	}
}

type jobInput struct {
	ID      string `path:"id"`
	Wait    State  `query:"wait" enum:"captured,accepted,certified,indexed" doc:"Answer when the job is there, or after timeout"`
	Timeout string `query:"timeout" doc:"How long to wait, like 5s or 500ms; at most 60s, 10s if left out"`
	incoming
}

type jobsInput struct {
	PerPage       int    `query:"perPage" minimum:"1" maximum:"200" default:"30"`
	NextPageToken string `query:"nextPageToken"`
	Running       bool   `query:"running" doc:"Of these jobs only those that are not indexed yet: what a page that was closed may still wait for"`
}

type jobsAnswer struct {
	Link string `header:"Link"`
	Body []*Job
}

const (
	maxWait     = 60 * time.Second
	defaultWait = 10 * time.Second
)

func waitOf(wait State, text string) (time.Duration, error) {
	if wait == "" {
		return 0, nil
	}
	if text == "" {
		return defaultWait, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, httpapi.NewProblem(httpapi.InvalidParameter, "timeout %q is not a duration; write it like 5s or 500ms", text)
	}
	return min(d, maxWait), nil
}

func (e *Engine) mountJobs(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "capture-jobs", Method: http.MethodGet, Path: "/capture", Summary: "List capture jobs, newest first", Tags: []string{"EPCIS"},
		Errors: []int{400, 406}, Metadata: httpapi.EPCIS, Middlewares: versioned, Parameters: rangeHeaders(),
	}, func(ctx context.Context, in *jobsInput) (*jobsAnswer, error) {
		if in.Running {
			e.ask(ctx)
		}
		jobs, next, err := e.Jobs(in.PerPage, in.NextPageToken)
		if err != nil {
			return nil, err
		}
		if in.Running {
			jobs = slices.DeleteFunc(jobs, func(j *Job) bool { return j.State == Indexed })
		}
		out := &jobsAnswer{Body: jobs}
		if next != "" {
			more := ""
			if in.Running {
				more = "&running=true"
			}
			out.Link = fmt.Sprintf(`</capture?perPage=%d%s&nextPageToken=%s>; rel="next"`, in.PerPage, more, url.QueryEscape(next))
		}
		return out, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "capture-job", Method: http.MethodGet, Path: "/capture/{id}", Summary: "One capture job, with a verdict per event once certified",
		Tags: []string{"EPCIS"}, Errors: []int{400, 404, 406}, Metadata: jobFormats, Middlewares: versioned, Parameters: rangeHeaders(),
		Responses: jobResponse(h, http.StatusOK, "The job"),
	}, func(ctx context.Context, in *jobInput) (*writtenJob, error) {
		id, err := jobID(in.ID)
		if err != nil {
			return nil, err
		}
		timeout, err := waitOf(in.Wait, in.Timeout)
		if err != nil {
			return nil, err
		}
		e.askIfNeeded(ctx, id)
		j, err := e.Job(ctx, id, in.Wait, timeout)
		if err != nil {
			return nil, err
		}
		return in.write(http.StatusOK, j)
	})
	e.mountOutcomes(h)
}

func jobID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, httpapi.NewProblem(httpapi.JobNotFound, "%q is not the id of a capture job; the id is in the Location header of the 202 answer", printable(text))
	}
	return id, nil
}

// askIfNeeded refreshes the api service's height when a job waits for nothing else.
func (e *Engine) askIfNeeded(ctx context.Context, id uuid.UUID) {
	if j, err := e.view(id, nothing); err == nil && j.State == Certified {
		e.ask(ctx)
	}
}

// HTTPPeer asks an api service over HTTP.
func HTTPPeer(base string) Peer {
	return &httpPeer{base: strings.TrimRight(base, "/"), c: &http.Client{Timeout: 5 * time.Second}}
}

type httpPeer struct {
	base string
	c    *http.Client
}

func (p *httpPeer) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	resp, err := p.c.Do(req)
	if err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask api service: %s answers %s", path, resp.Status)
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 64<<20)).Decode(v); err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	return nil
}

func (p *httpPeer) Indexed(ctx context.Context) (uint64, error) {
	var s struct {
		Height uint64 `json:"height,string"`
	}
	err := p.get(ctx, "/v1/status", &s)
	return s.Height, err
}

func (p *httpPeer) Parties(ctx context.Context) ([]KnownParty, error) {
	var s struct {
		Parties []KnownParty `json:"parties"`
	}
	err := p.get(ctx, "/v1/parties", &s)
	return s.Parties, err
}
