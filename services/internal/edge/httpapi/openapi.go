package httpapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// Names of the ways to sign in, in the OpenAPI document.
const (
	TokenScheme   = "token"   // Authorization: Bearer
	SessionScheme = "session" // the cookie of a session
)

// ServiceTag marks operations about the service itself.
const ServiceTag = "service"

// Describe adds an operation to the OpenAPI document that is mounted elsewhere. Its problems and its
// sign-in are added when the document is written.
func (a *API) Describe(op *huma.Operation) { a.Huma.OpenAPI().AddOperation(op) }

// DescribePassedOn adds what another API marks as PassedOn, for a service that passes it on. What
// this API has itself stays.
func (a *API) DescribePassedOn(from *API) error {
	to, names := a.Huma.OpenAPI(), map[string]bool{}
	for _, item := range to.Paths {
		for _, op := range operations(item) {
			names[op.OperationID] = true
		}
	}
	for path, item := range from.Huma.OpenAPI().Paths {
		for _, op := range operations(item) {
			on, _ := op.Metadata[PassedOn].(bool)
			ours := slices.ContainsFunc(operations(to.Paths[path]), func(o *huma.Operation) bool { return o.Method == op.Method })
			if !on || ours {
				continue
			}
			copied := *op
			if names[op.OperationID] { // a command may have the name of a list
				copied.OperationID = strings.ToLower(op.Method) + "-" + op.OperationID
			}
			to.AddOperation(&copied)
		}
	}
	schemas := to.Components.Schemas.Map()
	for name, schema := range from.Huma.OpenAPI().Components.Schemas.Map() {
		if have, ok := schemas[name]; ok && !sameJSON(have, schema) {
			return fmt.Errorf("the OpenAPI document would have two schemas of the name %s", name)
		}
		schemas[name] = schema
	}
	return nil
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func operations(item *huma.PathItem) []*huma.Operation {
	if item == nil {
		return nil
	}
	all := []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete, item.Options, item.Head}
	return slices.DeleteFunc(all, func(op *huma.Operation) bool { return op == nil })
}

// document is the OpenAPI document as it is served, by the end of its address.
type document struct {
	once  sync.Once
	files map[string][]byte
	err   error
}

var documentTypes = map[string]string{
	".json": "application/openapi+json", "-3.0.json": "application/openapi+json", ".yaml": "application/openapi+yaml", "-3.0.yaml": "application/openapi+yaml",
}

// mountDocument serves the document, which is written once: when it is first asked for, everything
// is mounted.
func (a *API) mountDocument() {
	var d document
	for end, contentType := range documentTypes {
		a.Engine.GET("/openapi"+end, func(c *gin.Context) {
			d.once.Do(func() { d.files, d.err = a.document() })
			if d.err != nil {
				Write(c, NewProblem(Internal, "the description of this service could not be written; give the operator the request id").Because(d.err))
				return
			}
			c.Data(http.StatusOK, contentType, d.files[end])
		})
	}
	a.Describe(&huma.Operation{
		OperationID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Summary: "This document; also as .yaml, and in OpenAPI 3.0 as -3.0.json and -3.0.yaml", Tags: []string{ServiceTag},
		Responses: Answer("The document", &huma.Schema{Type: huma.TypeObject}, "application/openapi+json"),
	})
}

// Answer describes an answer of 200 in the content types.
func Answer(doc string, schema *huma.Schema, contentTypes ...string) map[string]*huma.Response {
	r := &huma.Response{Description: doc, Content: map[string]*huma.MediaType{}}
	for _, t := range contentTypes {
		r.Content[t] = &huma.MediaType{Schema: schema}
		if !strings.HasSuffix(t, "/json") && !strings.HasSuffix(t, "+json") {
			r.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		}
	}
	return map[string]*huma.Response{"200": r}
}

func (a *API) document() (map[string][]byte, error) {
	o := a.Huma.OpenAPI()
	for _, item := range o.Paths {
		for _, op := range operations(item) {
			a.complete(op)
		}
	}
	out := map[string][]byte{}
	for end, write := range map[string]func() ([]byte, error){
		".json": func() ([]byte, error) { return json.Marshal(o) }, ".yaml": o.YAML, "-3.0.json": o.Downgrade, "-3.0.yaml": o.DowngradeYAML,
	} {
		b, err := write()
		if err != nil {
			return nil, fmt.Errorf("write openapi%s: %w", end, err)
		}
		out[end] = b
	}
	return out, nil
}

// complete adds what this package does with every request: it asks for a sign-in, and writes
// problems.
func (a *API) complete(op *huma.Operation) {
	problem := a.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	if a.asksWho(op) {
		op.Security = []map[string][]string{{TokenScheme: {}}, {SessionScheme: {}}}
		for status, doc := range map[string]string{"401": "Not signed in", "403": "Not for this caller"} {
			if op.Responses[status] == nil {
				op.Responses[status] = &huma.Response{Description: doc}
			}
		}
	}
	if op.Responses["default"] == nil {
		op.Responses["default"] = &huma.Response{Description: "Error"}
	}
	for status, r := range op.Responses {
		if n, err := strconv.Atoi(status); err == nil && n < http.StatusBadRequest {
			continue
		}
		r.Content = map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}
		if IsEPCIS(op.Path) {
			r.Content["application/problem+xml"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Description: "epcis:EPCISException"}}
		}
	}
}

// asksWho reports whether an operation answers 401 to callers that are not signed in.
func (a *API) asksWho(op *huma.Operation) bool {
	switch op.Method {
	case http.MethodOptions:
		return false
	case http.MethodGet:
		events := IsEPCIS(op.Path) && op.Path != "/" && op.Path != "/capture" && !strings.HasPrefix(op.Path, "/capture/")
		return a.guarded && events
	}
	signsIn, _ := op.Metadata[SignsIn].(bool)
	return a.guarded && !signsIn
}

// acceptedTypes lists the content types that an operation reads, or nothing.
func acceptedTypes(op *huma.Operation) []string {
	if op == nil || op.RequestBody == nil {
		return nil
	}
	var out []string
	for t := range op.RequestBody.Content {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	return out
}
