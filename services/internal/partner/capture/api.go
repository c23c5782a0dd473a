package capture

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/journal"
)

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
	ID      string        `path:"id"`
	Wait    journal.State `query:"wait" enum:"captured,accepted,certified,indexed" doc:"Answer when the job is there, or after timeout"`
	Timeout string        `query:"timeout" doc:"How long to wait, like 5s or 500ms; at most 60s, 10s if left out"`
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

func waitOf(wait journal.State, text string) (time.Duration, error) {
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

// MountJobs adds reading jobs.
func MountJobs(api *httpapi.API, s *Jobs) {
	h := api.Huma
	huma.Register(h, huma.Operation{
		OperationID: "capture-jobs", Method: http.MethodGet, Path: "/capture", Summary: "List capture jobs, newest first", Tags: []string{"EPCIS"},
		Errors: []int{400, 406}, Metadata: httpapi.EPCIS, Middlewares: versioned, Parameters: rangeHeaders(),
	}, func(ctx context.Context, in *jobsInput) (*jobsAnswer, error) {
		if in.Running {
			s.ask(ctx)
		}
		jobs, next, err := s.List(in.PerPage, in.NextPageToken)
		if err != nil {
			return nil, err
		}
		if in.Running {
			jobs = slices.DeleteFunc(jobs, func(j *Job) bool { return j.State == journal.Indexed })
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
		s.askIfNeeded(ctx, id)
		j, err := s.awaited(ctx, id, in.Wait, timeout)
		if err != nil {
			return nil, err
		}
		return in.write(http.StatusOK, j)
	})
	mountOutcomes(h, s)
}

// OfferJobs answers what can be done at the addresses of jobs, at a service that captures no
// documents.
func OfferJobs(api *httpapi.API) {
	offer(api, "/capture", "OPTIONS, GET", versionHeaders)
	offer(api, "/capture/{id}", "OPTIONS, GET", versionHeaders)
}

func jobID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, httpapi.NewProblem(httpapi.JobNotFound, "%q is not the id of a capture job; the id is in the Location header of the 202 answer", httpapi.Printable(text))
	}
	return id, nil
}
