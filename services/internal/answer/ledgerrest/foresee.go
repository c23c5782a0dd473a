package ledgerrest

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
)

// ForeseePath is where partner services ask what the rules would say.
const ForeseePath = "/v1/foresee"

// Limits of one question. What the items change is held in memory until the last one is judged.
const (
	// MaxForeseenUnits is how many packages and containers its items may name.
	MaxForeseenUnits = 250_000
	// MaxForeseenBytes is how large it may be; every service reads bodies of this size.
	MaxForeseenBytes = 60 << 20

	maxForesights = 2 // questions of several submissions that are judged at a time
	foreseePause  = 20 * time.Second
)

// mountForesee adds the one question that is posted: it carries the items of submissions, sealed as they would be.
func (s *service) mountForesee(api *httpapi.API) {
	s.paths[ForeseePath] = true
	huma.Register(api.Huma, huma.Operation{
		OperationID: "foresee", Method: http.MethodPost, Path: ForeseePath, Tags: []string{"partner services"},
		Summary:     "What the custody rules would say of items if the party submitted them now; nothing is recorded",
		Description: "The body holds the bodies of one or more submissions (docs/spec.md section 5), not signed, in order. Before each stands its length: four bytes, the most significant first. Each is judged over what the ones before it changed.",
		Errors:      []int{400, 401, 408, 413, 503},
	}, s.foresee)
	api.Huma.OpenAPI().Paths[ForeseePath].Post.RequestBody = &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
}

// WriteForeseen writes the body of a submission into a question.
func WriteForeseen(w io.Writer, body []byte) error {
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(body)))); err != nil {
		return fmt.Errorf("ask what the rules would say: %w", err)
	}
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("ask what the rules would say: %w", err)
	}
	return nil
}

// readForeseen reads it again. The error is io.EOF behind the last one.
func readForeseen(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err //nolint:wrapcheck // io.EOF has a meaning
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > submission.MaxMessage {
		return nil, httpapi.NewProblem(httpapi.BodyTooLarge, "a submission of %d bytes is announced, and none is larger than %d; divide it", n, submission.MaxMessage)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("the submission ends early: %w", err)
	}
	return body, nil
}

// Question is a request whose body is read piece by piece. It is exported because huma does not look
// into what is not.
type Question struct {
	ctx   huma.Context
	Party string `query:"party" required:"true" maxLength:"32" doc:"Party id of the publisher"`
}

// Resolve implements huma.Resolver.
func (q *Question) Resolve(ctx huma.Context) []error { q.ctx = ctx; return nil }

func (s *service) foresee(ctx context.Context, in *Question) (*body[tracing.Foreseen], error) {
	r := bufio.NewReader(in.ctx.BodyReader())
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Foreseen, error) {
		f, err := snap.Foresee(in.Party)
		if errors.Is(err, tracing.ErrNotCertified) {
			return nil, httpapi.NewProblem(httpapi.Unavailable, "no block is certified yet; try again in a moment")
		}
		if err != nil {
			return nil, err
		}
		units := 0
		for number := 0; ; number++ {
			_ = in.ctx.SetReadDeadline(time.Now().Add(foreseePause)) // the recorder of a test has none
			raw, err := readForeseen(r)
			if errors.Is(err, io.EOF) && number > 0 {
				return f.Foreseen(), nil
			}
			if err != nil {
				return nil, notAsked(err)
			}
			if number == 1 { // most questions have one
				select {
				case s.foresights <- struct{}{}:
					defer func() { <-s.foresights }()
				case <-ctx.Done():
					return nil, fmt.Errorf("wait for a place among large questions: %w", ctx.Err())
				}
			}
			items, err := wire.DecodeBody(raw)
			if err != nil {
				return nil, httpapi.NewProblem(httpapi.MalformedRequest, "body %d holds no items as a submission does: %v", number, err)
			}
			for i := range items {
				units += len(items[i].Committed.Units)
			}
			if units > MaxForeseenUnits {
				return nil, httpapi.NewProblem(httpapi.BodyTooLarge, "the items name more than %d packages and containers, which is the most that is judged at once; ask in several questions", MaxForeseenUnits)
			}
			if err := f.Next(items); err != nil {
				return nil, httpapi.NewProblem(httpapi.MalformedRequest, "body %d cannot be submitted: %v", number, err)
			}
		}
	})
}

// notAsked says why a question was not read.
func notAsked(err error) error {
	if _, ok := errors.AsType[*httpapi.Problem](err); ok {
		return err
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return httpapi.NewProblem(httpapi.BodyTooLarge, "the question is larger than %d MiB; ask in several", MaxForeseenBytes>>20)
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return httpapi.NewProblem(httpapi.RequestTimeout, "the question did not arrive in time; ask again")
	}
	return httpapi.NewProblem(httpapi.MalformedRequest, "the question does not hold whole submissions, each behind its length (%s)", err.Error())
}
