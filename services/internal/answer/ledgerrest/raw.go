package ledgerrest

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"verilot.dev/services/internal/edge/httpapi"
)

func types(t ...string) []string { return t }

// raw adds a route that writes its answer itself, and describes it in the OpenAPI document.
func (s *service) raw(api *httpapi.API, id, path, summary string, fn func(*gin.Context) error, contentTypes []string, queries ...*huma.Param) *huma.Operation {
	op := &huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Metadata: passedOn(),
		Responses: httpapi.Answer("OK", &huma.Schema{Type: huma.TypeObject}, contentTypes...),
	}
	known := map[string]bool{}
	for _, q := range queries {
		known[q.Name] = true
	}
	ginPath := ginPath(path, func(name string) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	})
	op.Parameters = append(op.Parameters, queries...)
	api.Huma.OpenAPI().AddOperation(op)
	s.paths[ginPath] = true
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
	return op
}

var pathParam = regexp.MustCompile(`\{[a-z]+\}`)

// ginPath writes the path of an operation as Gin does, and calls param, if not nil, with the name
// of each parameter.
func ginPath(path string, param func(name string)) string {
	return pathParam.ReplaceAllStringFunc(path, func(s string) string {
		name := strings.Trim(s, "{}")
		if param != nil {
			param(name)
		}
		return ":" + name
	})
}

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
