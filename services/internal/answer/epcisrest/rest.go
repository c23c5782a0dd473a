package epcisrest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/edge/httpapi"
)

const (
	defaultPerPage = 30
	maxPerPage     = 1000
	// simpleQuery is the standard's name of the query that /events answers.
	simpleQuery = "SimpleEventQuery"
)

// Mount adds the addresses of the query side, but for those of named queries, and returns the service.
func Mount(api *httpapi.API, o Options) *Service {
	s := New(o)
	s.handle(api, passedOn(http.MethodGet, "/", "Top-level resources of the EPCIS interface"), s.root)
	s.options(api, passedOn, "/")
	s.handle(api, passedOn(http.MethodGet, "/events", "Query EPCIS events", eventParams()...), s.events)
	s.options(api, here, "/events") // a partner service says itself what it offers: events are captured there
	s.handle(api, passedOn(http.MethodGet, "/events/{eventID}", "One EPCIS event, with what declares it an error"), s.event)
	s.options(api, passedOn, "/events/{eventID}")
	for i := range resources {
		r := &resources[i]
		path := "/" + r.name
		s.handle(api, passedOn(http.MethodGet, path, "Known "+r.words, pageParams()...), func(c *gin.Context) error { return s.list(c, r) })
		s.options(api, passedOn, path)
		path += "/{" + r.param + "}"
		s.handle(api, passedOn(http.MethodGet, path, "What there is about one of the "+r.words, pageParams()...), func(c *gin.Context) error { return s.resource(c, r) })
		s.options(api, passedOn, path)
		path += "/events"
		s.handle(api, passedOn(http.MethodGet, path, "EPCIS events with one of the "+r.words, eventParams()...), func(c *gin.Context) error { return s.resourceEvents(c, r) })
		s.options(api, passedOn, path)
	}
	s.handle(api, passedOn(http.MethodDelete, "/nextPageToken/{token}", "Invalidate a page token (not offered)"), func(*gin.Context) error {
		return httpapi.NewProblem(httpapi.NotImplemented, "page tokens name a place in an answer and are kept nowhere, so there is nothing to invalidate; forget the token")
	})
	return s
}

// PassedOn lists the routes of this package that partner services pass on to their api: all that
// carry httpapi.PassedOn.
func PassedOn() []httpapi.Route {
	api := httpapi.New(httpapi.Options{})
	Mount(api, Options{})
	return api.PassedOn()
}

// MountNoCapture says at a service that captures nothing where events are captured.
func MountNoCapture(api *httpapi.API) {
	s := New(Options{})
	s.handle(api, here(http.MethodGet, "/capture", "Capture jobs: none, this service captures nothing"), func(c *gin.Context) error {
		if _, p := formOf(c.Request, collectionTypes); p != nil {
			return p
		}
		c.Data(http.StatusOK, "application/json", []byte("[]"))
		return nil
	})
	s.handle(api, here(http.MethodPost, "/capture", "Not offered"), func(*gin.Context) error {
		return httpapi.NewProblem(httpapi.NotImplemented, "this service answers queries; events are captured at the service of the party whose they are, which signs them")
	})
	s.options(api, here, "/capture")
}

// operation is one operation of the EPCIS interface; path parameters are in braces.
type operation struct {
	method, path, summary string
	params                []*huma.Param
	passedOn              bool // by partner services, to their api
}

// here is an operation of the service itself.
func here(method, path, summary string, params ...*huma.Param) operation {
	return operation{method: method, path: path, summary: summary, params: params}
}

// passedOn is an operation that partner services offer, too, by passing it on to their api.
func passedOn(method, path, summary string, params ...*huma.Param) operation {
	o := here(method, path, summary, params...)
	o.passedOn = true
	return o
}

// handle mounts an operation and describes it in the OpenAPI document; c.Param has path parameters
// decoded. The problem or error that fn returns is the answer.
func (s *Service) handle(api *httpapi.API, o operation, fn func(*gin.Context) error) {
	ginPath, op := describe(api, &o)
	api.Huma.OpenAPI().AddOperation(op)
	api.Engine.Handle(o.method, ginPath, func(c *gin.Context) {
		announce(c)
		if err := fn(c); err != nil {
			httpapi.Write(c, problemOf(err))
		}
	})
}

// options mounts the discovery of one address. where is here or passedOn.
func (s *Service) options(api *httpapi.API, where func(method, path, summary string, params ...*huma.Param) operation, path string) {
	s.handle(api, where(http.MethodOptions, path, "Versions and formats that are offered here"), func(c *gin.Context) error {
		if p := checkVersions(c.Request.Header); p != nil {
			return p
		}
		s.discover(c)
		return nil
	})
}

var pathParam = regexp.MustCompile(`\{[A-Za-z]+\}`)

func describe(api *httpapi.API, o *operation) (ginPath string, op *huma.Operation) {
	problem := api.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[httpapi.Problem](), true, "Problem")
	op = &huma.Operation{
		OperationID: operationID(o.method, o.path), Method: o.method, Path: o.path, Summary: o.summary, Tags: []string{"EPCIS"}, Metadata: maps.Clone(httpapi.EPCIS),
		Responses: map[string]*huma.Response{
			"default": {Description: "Error", Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}},
		},
	}
	if o.passedOn {
		op.Metadata[httpapi.PassedOn] = true
	}
	switch o.method {
	case http.MethodGet:
		maps.Copy(op.Responses, answerOf(o.path))
	case http.MethodOptions, http.MethodDelete:
		op.Responses["204"] = &huma.Response{Description: "Done"}
	}
	ginPath = pathParam.ReplaceAllStringFunc(o.path, func(m string) string {
		name := strings.Trim(m, "{}")
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		return ":" + name
	})
	op.Parameters = append(op.Parameters, o.params...)
	return ginPath, op
}

// answerOf describes what is read at a path.
func answerOf(path string) map[string]*huma.Response {
	switch {
	case strings.HasPrefix(path, "/events"), strings.HasSuffix(path, "/events"):
		return httpapi.Answer("An EPCISQueryDocument", &huma.Schema{Type: huma.TypeObject}, documentTypes...)
	case path == "/capture":
		return httpapi.Answer("No jobs", &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject}}, "application/json")
	}
	return httpapi.Answer("A Collection", &huma.Schema{Type: huma.TypeObject}, collectionTypes...)
}

func operationID(method, path string) string {
	id := strings.ToLower("epcis-" + method + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path))
	return strings.TrimSuffix(id, "-")
}

func queryParam(name, doc, kind string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: kind}}
}

// eventParams describes what a query of events takes. The rest of the standard's parameters has names with fields and units in them.
func eventParams() []*huma.Param {
	out := pageParams()
	for _, p := range epcisquery.Parameters() {
		if !strings.ContainsAny(p.Name, "{") {
			out = append(out, queryParam(p.Name, p.Doc, huma.TypeString))
		}
	}
	return out
}

func pageParams() []*huma.Param {
	return []*huma.Param{
		queryParam("perPage", fmt.Sprintf("At most so many; %d if left out, and never more than %d. A page may hold fewer and still have a next one", defaultPerPage, maxPerPage), huma.TypeInteger),
		queryParam("nextPageToken", "From the Link header of the page before", huma.TypeString),
	}
}

// caller says who asks.
func (s *Service) caller(c *gin.Context) (Caller, error) {
	who, p := s.Callers(c.Request)
	if p != nil {
		if p.Status == http.StatusUnauthorized {
			c.Header("WWW-Authenticate", "Bearer")
		}
		return who, p
	}
	return who, nil
}

func (s *Service) root(c *gin.Context) error {
	TopLevel(c)
	return nil
}

// TopLevel answers the list of top-level resources, which is the same at every service of a network.
func TopLevel(c *gin.Context) {
	announce(c)
	f, p := formOf(c.Request, collectionTypes)
	if p != nil {
		httpapi.Write(c, p)
		return
	}
	members := []string{"events", "eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints", "dispositions", "capture", "queries"}
	writeCollection(c, f.ContentType, members)
}

const ldContext = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

func writeCollection(c *gin.Context, contentType string, members []string) {
	if members == nil {
		members = []string{}
	}
	b, err := json.Marshal(struct {
		Context string   `json:"@context"`
		Type    string   `json:"type"`
		Member  []string `json:"member"`
	}{ldContext, "Collection", members})
	if err != nil {
		httpapi.Write(c, problemOf(err))
		return
	}
	c.Data(http.StatusOK, contentType, b)
}

// paging reads perPage, and takes both paging parameters out of the query.
func paging(v url.Values) (perPage int, token string, err error) {
	perPage = defaultPerPage
	if text := v.Get("perPage"); v.Has("perPage") {
		if perPage, err = strconv.Atoi(text); err != nil || perPage < 1 {
			return 0, "", httpapi.NewProblem(httpapi.InvalidParameter, "perPage %q is not a number from 1 on; send how many a page may have, at most %d are given", clip(text), maxPerPage).With(httpapi.Fault{Pointer: "query.perPage"})
		}
	}
	token = v.Get("nextPageToken")
	v.Del("perPage")
	v.Del("nextPageToken")
	return min(perPage, maxPerPage), token, nil
}

func (s *Service) events(c *gin.Context) error {
	v := c.Request.URL.Query()
	f, p := formOf(c.Request, documentTypes)
	if p != nil {
		return p
	}
	q, err := epcisquery.ParseValues(v, f.Extensions)
	if err != nil {
		return err
	}
	return s.Events(c, simpleQuery, q, nil)
}

// Events answers a query page by page at the address that was asked: the body, and Link to the next page. missing, if given, is asked for
// the answer when nothing matches. Its error is an *httpapi.Problem.
func (s *Service) Events(c *gin.Context, queryName string, q *epcisquery.Query, missing func(context.Context, Caller) error) error {
	if err := s.answer(c, queryName, q, missing); err != nil {
		return problemOf(err)
	}
	return nil
}

func (s *Service) answer(c *gin.Context, queryName string, q *epcisquery.Query, missing func(context.Context, Caller) error) error {
	caller, err := s.caller(c)
	if err != nil {
		return err
	}
	f, p := formOf(c.Request, documentTypes)
	if p != nil {
		return p
	}
	perPage, token, err := paging(c.Request.URL.Query())
	if err != nil {
		return err
	}
	path := c.Request.URL.EscapedPath()
	d := digest(caller, path, string(q.JSON()))
	r := &request{caller: caller, q: q, limit: perPage}
	if token != "" {
		after, to, given, err := parseToken(token, d)
		if err != nil {
			return err
		}
		r.after, r.to, r.given = &after, to, given
	}
	var out *page
	var body bytes.Buffer
	err = s.read(c.Request.Context(), func(v state.View) error {
		if head, _ := headOf(v); r.after == nil || r.to > head {
			r.to = head
		}
		if out, err = s.page(c.Request.Context(), v, r); err != nil {
			return err
		}
		f.Write.PrefixLength = prefixLengths(v)
		return s.encode(&body, queryName, "", out.items, f.Write)
	})
	if err != nil {
		return err
	}
	if missing != nil && len(out.items) == 0 && out.next == nil && r.after == nil {
		if err := missing(c.Request.Context(), caller); err != nil {
			return err
		}
	}
	if out.next != nil {
		s.link(c, perPage, out.next.token(d, r.to, r.given+len(out.items)))
	}
	s.write(c, f, &body)
	return nil
}

// link says where the next page is: the address asked, with another token.
func (s *Service) link(c *gin.Context, perPage int, token string) {
	v := c.Request.URL.Query()
	v.Set("perPage", strconv.Itoa(perPage))
	v.Set("nextPageToken", token)
	c.Header("Link", "<"+c.Request.URL.EscapedPath()+"?"+v.Encode()+`>; rel="next"`)
}

func (s *Service) write(c *gin.Context, f form, body *bytes.Buffer) {
	switch f.Write.EPC {
	case epcis.DigitalLink:
		c.Header("GS1-EPC-Format", "Always_GS1_Digital_Link")
	case epcis.URN:
		c.Header("GS1-EPC-Format", "Always_EPC_URN")
	default:
		c.Header("GS1-EPC-Format", "Never_Translates")
	}
	c.Data(http.StatusOK, f.ContentType, body.Bytes())
}

// with is a query for one value of a parameter. JSON lists split nothing at "|".
func with(param, value string, ext map[string]string) (*epcisquery.Query, error) {
	raw, err := json.Marshal(map[string][]string{param: {value}})
	if err != nil {
		return nil, fmt.Errorf("query for %s: %w", param, err)
	}
	return epcisquery.ParseJSON(raw, ext)
}

func (s *Service) event(c *gin.Context) error {
	caller, err := s.caller(c)
	if err != nil {
		return err
	}
	f, p := formOf(c.Request, documentTypes)
	if p != nil {
		return p
	}
	for name := range c.Request.URL.Query() {
		return httpapi.NewProblem(httpapi.UnknownParameter, "%s: one event takes no query parameters; leave it out", clip(name)).With(httpapi.Fault{Pointer: "query." + name})
	}
	id := c.Param("eventID")
	q, err := with("EQ_eventID", id, nil)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	err = s.read(c.Request.Context(), func(v state.View) error {
		head, _ := headOf(v)
		out, err := s.page(c.Request.Context(), v, &request{caller: caller, q: q, limit: maxPerPage, to: head})
		if err != nil {
			return err
		}
		if len(out.items) == 0 {
			return httpapi.NewProblem(httpapi.UnknownEvent, "no event with the id %q is recorded, or none that you may see; an event can be asked for once its block is certified (GET /capture/… says when)", clip(id))
		}
		f.Write.PrefixLength = prefixLengths(v)
		return s.encode(&body, simpleQuery, "", out.items, f.Write)
	})
	if err != nil {
		return err
	}
	s.write(c, f, &body)
	return nil
}
