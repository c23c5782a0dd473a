package ledgerrest

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
)

// ForeseePath is where partner services ask what the rules would say.
const ForeseePath = "/v1/foresee"

// mountForesee adds the one question that is posted: it carries the items of a submission, sealed as they would be.
func (s *service) mountForesee(api *httpapi.API) {
	s.paths[ForeseePath] = true
	huma.Register(api.Huma, huma.Operation{
		OperationID: "foresee", Method: http.MethodPost, Path: ForeseePath, Tags: []string{"partner services"},
		Summary:      "What the custody rules would say of items if the party submitted them now; nothing is recorded",
		MaxBodyBytes: submission.MaxMessage, Errors: []int{400, 401, 413, 503},
	}, s.foresee)
}

func (s *service) foresee(ctx context.Context, in *struct {
	Party   string `query:"party" required:"true" maxLength:"32" doc:"Party id of the publisher"`
	RawBody []byte `contentType:"application/octet-stream" doc:"The body of a submission (docs/spec.md section 5), not signed"`
},
) (*body[tracing.Foreseen], error) {
	items, err := wire.DecodeBody(in.RawBody)
	if err != nil {
		return nil, httpapi.NewProblem(httpapi.MalformedRequest, "the body holds no items as a submission does: %v", err)
	}
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Foreseen, error) {
		out, err := snap.Foresee(in.Party, items)
		if errors.Is(err, tracing.ErrNotCertified) {
			return nil, httpapi.NewProblem(httpapi.Unavailable, "no block is certified yet; try again in a moment")
		}
		return out, err
	})
}
