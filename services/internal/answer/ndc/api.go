package ndc

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"verilot.dev/epcis/gs1"
	"verilot.dev/services/internal/edge/httpapi"
)

// NDCHit is a package of the directory, as it concerns the party whose service this is.
type NDCHit struct {
	Package
	Yours bool `json:"yours" doc:"The GTIN is under a company prefix of this service's party"`
}

// NDCAnswer is what a search finds. The names say NDC because the api service's OpenAPI document has an Answer and a Hit already.
type NDCAnswer struct {
	Source Source   `json:"source"`
	Hits   []NDCHit `json:"hits"`
}

// Mount offers the directory at /v1/ndc; yours says whether a GTIN is the party's own, nil: none is.
func Mount(api *httpapi.API, d *Directory, yours func(gs1.GTIN) bool) {
	huma.Register(api.Huma, huma.Operation{
		OperationID: "ndc", Method: http.MethodGet, Path: "/v1/ndc", Summary: "Search the FDA's NDC Directory", Tags: []string{"directory"}, Errors: []int{400},
	}, func(_ context.Context, in *struct {
		Q     string `query:"q" maxLength:"100" doc:"An NDC in any writing, a GTIN, or words of name, labeler, form, strength"`
		Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	},
	) (*struct{ Body NDCAnswer }, error) {
		out := &struct{ Body NDCAnswer }{NDCAnswer{Source: d.Source(), Hits: []NDCHit{}}}
		for _, p := range d.Search(in.Q, in.Limit) {
			h := NDCHit{Package: p}
			if g, err := gs1.ParseGTIN(p.GTIN); err == nil && yours != nil {
				h.Yours = yours(g)
			}
			out.Body.Hits = append(out.Body.Hits, h)
		}
		return out, nil
	})
}
