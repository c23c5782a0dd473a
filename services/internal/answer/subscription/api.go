package subscription

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/edge/httpapi"
)

const (
	maxBody  = 256 << 10
	maxQuery = 64 << 10 // of a query as it is kept
	maxName  = 128      // bytes
	maxToken = 512      // bytes

	queriesPath       = "/queries"
	queryPath         = "/queries/{name}"
	eventsPath        = "/queries/{name}/events"
	subscriptionsPath = "/queries/{name}/subscriptions"
	subscriptionPath  = "/queries/{name}/subscriptions/{id}"
)

// The values of GS1-EPC-Format.
const (
	noPreference      = "No_Preference"
	alwaysDigitalLink = "Always_GS1_Digital_Link"
	alwaysURN         = "Always_EPC_URN"
	neverTranslates   = "Never_Translates"
)

func formatOf(stored string) string {
	if stored == "" {
		return alwaysDigitalLink
	}
	return stored
}

// An object is JSON that is passed on as it came.
type object struct{ json.RawMessage }

// Schema implements huma.SchemaProvider.
func (object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "Parameters of the EPCIS query language; lists are arrays. May have an @context for prefixes of extensions."}
}

// scheduleBody is a schedule as it was sent: its values are texts, or numbers as many write them.
type scheduleBody map[string]json.RawMessage

// Schema implements huma.SchemaProvider.
func (scheduleBody) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, Description: "When the query runs, in UTC: values like 5, lists like 1,3 and ranges like [5-10]. What is left out takes every value, but for the second, which is 0."}
	for _, b := range bounds {
		s.Properties[b.name] = &huma.Schema{Type: huma.TypeString, Description: fmt.Sprintf("From %d to %d", b.lo, b.hi)}
	}
	return s
}

// NamedQuery is a named query.
type NamedQuery struct {
	Name  string `json:"name" doc:"Its name, unique among those of its owner"`
	Query object `json:"query"`
}

// Subscription is a webhook. Its signatureToken is never told.
type Subscription struct {
	ID                string     `json:"subscriptionID"`
	QueryName         string     `json:"queryName"`
	Dest              string     `json:"dest" doc:"Where EPCISQueryDocuments are sent to"`
	Stream            bool       `json:"stream,omitempty" doc:"Whenever something matches"`
	Schedule          *Schedule  `json:"schedule,omitempty"`
	ReportIfEmpty     bool       `json:"reportIfEmpty,omitempty"`
	InitialRecordTime *time.Time `json:"initialRecordTime,omitempty"`
	EPCFormat         string     `json:"epcFormat"`
	CreatedAt         time.Time  `json:"createdAt"`
	LastNotifiedAt    *time.Time `json:"lastNotifiedAt,omitempty" doc:"When the receiver last answered 2xx"`
	MinRecordTime     time.Time  `json:"minRecordTime" doc:"Everything recorded before is delivered"`
	NextRunAt         *time.Time `json:"nextRunAt,omitempty" doc:"Of a schedule"`

	Signed        bool       `json:"signed" doc:"Whether a signatureToken was given"`
	State         string     `json:"state" enum:"active,retrying,failing" doc:"failing: for three days and more; deliveries are tried all the same"`
	Failures      int        `json:"failures" doc:"In a row, since the last success"`
	LastError     string     `json:"lastError,omitempty"`
	FailingSince  *time.Time `json:"failingSince,omitempty"`
	NextAttemptAt *time.Time `json:"nextAttemptAt,omitempty"`
}

// Schema implements huma.SchemaProvider.
func (*Schedule) Schema(r huma.Registry) *huma.Schema { return scheduleBody{}.Schema(r) }

func (s *Service) view(sub *subscription) *Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, p := &sub.rec, &sub.p
	v := &Subscription{
		ID: r.ID.String(), QueryName: r.Query, Dest: r.Dest, Stream: r.Stream, Schedule: r.Schedule, ReportIfEmpty: r.ReportIfEmpty, InitialRecordTime: r.InitialRecordTime,
		EPCFormat: formatOf(r.EPCFormat), CreatedAt: r.CreatedAt, LastNotifiedAt: timeOrNil(p.NotifiedAt), MinRecordTime: p.MinRecordTime, Signed: r.Token != "",
		State: s.state(p, s.o.Clock.Now()), Failures: p.Failures, LastError: p.LastError, FailingSince: timeOrNil(p.FailingSince), NextAttemptAt: timeOrNil(p.RetryAt),
	}
	if r.Schedule != nil {
		v.NextRunAt = timeOrNil(sub.next)
	}
	return v
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// handlers answer the operations of one API.
type handlers struct {
	*Service
	callerOf func(*http.Request) (epcisrest.Caller, error)
}

// allowed are the addresses, and the methods that each of them offers.
func allowed() map[string]string {
	return map[string]string{
		queriesPath: "OPTIONS, GET, POST", queryPath: "OPTIONS, GET, DELETE", eventsPath: "OPTIONS, GET", subscriptionsPath: "OPTIONS, GET, POST", subscriptionPath: "OPTIONS, GET, DELETE",
	}
}

// Mount adds the operations. callerOf says who makes a request; its error, if it is a problem, is the answer.
func Mount(api *httpapi.API, callerOf func(*http.Request) (epcisrest.Caller, error), s *Service) {
	m := &handlers{s, callerOf}
	m.mountQueries(api.Huma)
	m.mountSubscriptions(api.Huma)
	m.mountEvents(api.Huma)
	for path, allow := range allowed() {
		op := m.operation("options-"+strings.Trim(strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path), "-"), http.MethodOptions, path, "Versions and formats that are offered here", http.StatusNoContent)
		for name := range pathParams(path) {
			op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
		}
		op.Responses = map[string]*huma.Response{"204": {Description: "Done"}}
		api.Describe(&op)
		api.Huma.Adapter().Handle(&huma.Operation{Method: http.MethodOptions, Path: path}, func(ctx huma.Context) {
			c := humagin.Unwrap(ctx)
			epcisrest.Announce(c.Writer.Header())
			if p := epcisrest.CheckVersions(c.Request.Header); p != nil {
				m.refuse(ctx, p)
				return
			}
			for k, v := range map[string]string{
				"Allow": allow, "GS1-EPCIS-Min": epcisrest.SpokenEPCIS, "GS1-EPCIS-Max": epcisrest.SpokenEPCIS, "GS1-CBV-Min": epcisrest.SpokenCBV, "GS1-CBV-Max": epcisrest.SpokenCBV,
				"GS1-EPC-Format": noPreference, "GS1-CBV-XML-Format": noPreference, // any of them can be asked for
			} {
				c.Header(k, v)
			}
			c.Status(http.StatusNoContent)
		})
	}
}

// pathParams are the names of the parameters of a path.
func pathParams(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for part := range strings.SplitSeq(path, "/") {
			if name, ok := strings.CutPrefix(part, "{"); ok && !yield(strings.TrimSuffix(name, "}")) {
				return
			}
		}
	}
}

// PassedOn lists the routes of this package that partner services pass on to their api: all that
// carry httpapi.PassedOn.
func PassedOn() []httpapi.Route {
	api := httpapi.New(httpapi.Options{})
	Mount(api, nil, nil)
	return api.PassedOn()
}

type callerKey struct{}

// identifyCaller finds out who asks before anything else is done.
func (m *handlers) identifyCaller(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	epcisrest.Announce(c.Writer.Header())
	caller, err := m.caller(c.Request)
	if err != nil {
		m.refuse(ctx, err)
		return
	}
	next(huma.WithValue(ctx, callerKey{}, caller))
}

func (m *handlers) caller(r *http.Request) (epcisrest.Caller, error) {
	caller, err := m.callerOf(r)
	if err == nil && caller.Party == "" && !caller.All {
		err = httpapi.NewProblem(httpapi.SignInRequired, "standing queries belong to who made them, and the request does not say who asks; sign in, or send Authorization: Bearer")
	}
	if err != nil {
		return caller, err
	}
	if p := epcisrest.CheckVersions(r.Header); p != nil {
		return caller, p
	}
	return caller, nil
}

func callerFrom(ctx context.Context) epcisrest.Caller {
	c, _ := ctx.Value(callerKey{}).(epcisrest.Caller)
	return c
}

// refuse answers an error outside huma.
func (m *handlers) refuse(ctx huma.Context, err error) {
	c := humagin.Unwrap(ctx)
	p := *epcisrest.ProblemOf(err) // somebody else's
	if p.Status >= http.StatusInternalServerError {
		m.o.Log.ErrorContext(ctx.Context(), "request about standing queries failed", "request", httpapi.RequestID(ctx.Context()), "code", p.Code, "err", err)
	}
	switch p.Status {
	case http.StatusUnauthorized:
		c.Header("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		c.Header("Retry-After", "10")
	}
	p.EPCIS()
	httpapi.Write(c, &p)
}

// CallerOf is the callerOf of Mount for what epcisrest asks.
func CallerOf(callers func(*http.Request) (epcisrest.Caller, *httpapi.Problem)) func(*http.Request) (epcisrest.Caller, error) {
	return func(r *http.Request) (epcisrest.Caller, error) {
		c, p := callers(r)
		if p != nil {
			return c, p
		}
		return c, nil
	}
}

// PageInput is what pages of lists take.
type PageInput struct {
	PerPage       int    `query:"perPage" minimum:"1" maximum:"500" default:"30"`
	NextPageToken string `query:"nextPageToken" maxLength:"1024"`
}

func (in *PageInput) after() (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(in.NextPageToken)
	if err != nil {
		return "", httpapi.NewProblem(httpapi.PageTokenInvalid, "nextPageToken is not one of ours; take it from the Link header of the page before, or leave it out")
	}
	return string(b), nil
}

func (in *PageInput) link(path, last string) string {
	return fmt.Sprintf(`<%s?perPage=%d&nextPageToken=%s>; rel="next"`, path, in.PerPage, base64.RawURLEncoding.EncodeToString([]byte(last)))
}

func (m *handlers) operation(id, method, path, summary string, status int, errs ...int) huma.Operation {
	metadata := maps.Clone(httpapi.EPCIS)
	metadata[httpapi.PassedOn] = true // a partner service offers all of them, by asking its api
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"EPCIS"}, DefaultStatus: status, MaxBodyBytes: maxBody,
		Errors: append(errs, 401, 403, 406), Metadata: metadata, Middlewares: huma.Middlewares{m.identifyCaller},
		SkipValidateBody: true,
	}
}

// NameInput is exported for huma, which fills no other embedded structs.
type NameInput struct {
	Name string `path:"name"`
}

// BodyInput is a body that is read here: huma's words for what is wrong with one are not the standard's.
type BodyInput struct {
	ContentType string `header:"Content-Type"`
	RawBody     []byte `contentType:"application/json"`
}

// read decodes the body.
func (in *BodyInput) read(v any) error {
	if t, _, err := mime.ParseMediaType(in.ContentType); err != nil || t != "application/json" && t != "application/ld+json" {
		return httpapi.NewProblem(httpapi.UnsupportedMediaType, "the Content-Type is %s; send application/json or application/ld+json", printable(in.ContentType))
	}
	var kind *json.UnmarshalTypeError
	err := json.Unmarshal(in.RawBody, v)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind) && kind.Field == "":
		return malformed("", "the body is a JSON %s; send one object", kind.Value)
	case errors.As(err, &kind):
		return malformed("/"+strings.ReplaceAll(kind.Field, ".", "/"), "%s of the body is a JSON %s, which it cannot be; its shape is in /openapi.json", kind.Field, kind.Value)
	}
	return malformed("", "the body cannot be read: %s; send one JSON object", err.Error())
}

// describe says in the OpenAPI document what a body read here looks like.
func describe[B any](h huma.API, path string) {
	o := h.OpenAPI()
	content := o.Paths[path].Post.RequestBody.Content
	content["application/json"].Schema = o.Components.Schemas.Schema(reflect.TypeFor[B](), true, "")
	content["application/ld+json"] = content["application/json"]
}

// NewQuery is what creates a named query.
type NewQuery struct {
	_     struct{} `additionalProperties:"true"` //nolint:revive // where huma looks for it
	Name  string   `json:"name" doc:"Up to 128 bytes, without / \\ ? # %"`
	Query object   `json:"query"`
}

type createInput struct {
	BodyInput
	Extensions string `header:"GS1-Extensions" doc:"Prefixes of extensions: prefix=namespace,…"`
}

type createAnswer struct {
	Location string `header:"Location"`
	Body     NamedQuery
}

func (m *handlers) mountQueries(h huma.API) {
	huma.Register(h, m.operation("create-query", http.MethodPost, queriesPath, "Create a named query", http.StatusCreated, 400, 409, 413, 415),
		func(ctx context.Context, in *createInput) (*createAnswer, error) {
			var body NewQuery
			if err := in.read(&body); err != nil {
				return nil, err
			}
			if err := checkName(body.Name); err != nil {
				return nil, err
			}
			if len(body.Query.RawMessage) == 0 {
				return nil, httpapi.NewProblem(httpapi.InvalidQuery, `the body has no query; send {"name": "…", "query": {…}}`).With(httpapi.Fault{Pointer: "/query", Message: "the query is missing"})
			}
			ext, err := extensionsOf(in.Extensions)
			if err != nil {
				return nil, err
			}
			q, err := epcisquery.ParseJSON(body.Query.RawMessage, ext)
			if err != nil {
				return nil, queryProblem(err)
			}
			r, err := m.create(callerFrom(ctx), body.Name, q)
			if err != nil {
				return nil, err
			}
			return &createAnswer{Location: queriesPath + "/" + url.PathEscape(r.Name), Body: NamedQuery{r.Name, object{r.Query}}}, nil
		})
	describe[NewQuery](h, queriesPath)
	huma.Register(h, m.operation("queries", http.MethodGet, queriesPath, "List your named queries", http.StatusOK, 400),
		func(ctx context.Context, in *PageInput) (*struct {
			Link string `header:"Link"`
			Body []NamedQuery
		}, error,
		) {
			after, err := in.after()
			if err != nil {
				return nil, err
			}
			out := &struct {
				Link string `header:"Link"`
				Body []NamedQuery
			}{Body: []NamedQuery{}}
			page, more := m.list(callerFrom(ctx), after, in.PerPage)
			for _, r := range page {
				out.Body = append(out.Body, NamedQuery{r.Name, object{r.Query}})
			}
			if more {
				out.Link = in.link(queriesPath, page[len(page)-1].Name)
			}
			return out, nil
		})
	huma.Register(h, m.operation("query-definition", http.MethodGet, queryPath, "One named query", http.StatusOK, 404),
		func(ctx context.Context, in *NameInput) (*struct{ Body NamedQuery }, error) {
			n, err := m.find(callerFrom(ctx), in.Name)
			if err != nil {
				return nil, err
			}
			return &struct{ Body NamedQuery }{NamedQuery{n.rec.Name, object{n.rec.Query}}}, nil
		})
	huma.Register(h, m.operation("delete-query", http.MethodDelete, queryPath, "Delete a named query, its subscriptions and its sockets", http.StatusNoContent, 404),
		func(ctx context.Context, in *NameInput) (*struct{}, error) {
			return nil, m.remove(callerFrom(ctx), in.Name)
		})
}

// checkName refuses what would not stand well in an address.
func checkName(name string) error {
	no := func(why string) error {
		return httpapi.NewProblem(httpapi.InvalidQuery, "the name %q of the query %s; choose up to %d bytes of letters, digits and signs", printable(name), why, maxName).With(httpapi.Fault{Pointer: "/name", Message: "the name " + why})
	}
	switch {
	case name == "":
		return no("is missing")
	case len(name) > maxName:
		return no("is too long")
	case !utf8.ValidString(name):
		return no("is not UTF-8")
	case name != strings.TrimSpace(name):
		return no("begins or ends with white space")
	case name == ".", name == "..", strings.ContainsAny(name, `/\?#%`):
		return no("cannot stand in an address")
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return no("has characters that cannot be seen")
	}
	return nil
}

func extensionsOf(header string) (map[string]string, error) {
	if strings.TrimSpace(header) == "" {
		return nil, nil
	}
	out := map[string]string{}
	for part := range strings.SplitSeq(header, ",") {
		prefix, namespace, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || prefix == "" || namespace == "" || len(out) == 50 {
			return nil, httpapi.NewProblem(httpapi.InvalidParameter, "GS1-Extensions is %q; write prefix=namespace, with commas between them, at most 50", printable(header))
		}
		out[prefix] = namespace
	}
	return out, nil
}

func queryProblem(err error) error {
	var e *epcisquery.Error
	if !errors.As(err, &e) {
		return err
	}
	code := httpapi.InvalidParameter
	switch e.Kind {
	case epcisquery.KindValidation:
		code = httpapi.InvalidQuery
	case epcisquery.KindTooComplex:
		code = httpapi.QueryTooComplex
	case epcisquery.KindParameter:
	}
	pointer := "/query"
	if e.Param != "" {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(e.Param)
	}
	detail := e.Message
	if e.Param != "" {
		detail = printable(e.Param) + ": " + detail
	}
	if e.Hint != "" {
		detail += "; " + e.Hint
	}
	return httpapi.NewProblem(code, "%s", detail).With(httpapi.Fault{Pointer: pointer, Message: e.Message, Hint: e.Hint})
}

// NewSubscription is what subscribes a webhook.
type NewSubscription struct {
	_                 struct{}     `additionalProperties:"true"` //nolint:revive // where huma looks for it
	Dest              string       `json:"dest" format:"uri" doc:"Where to send EPCISQueryDocuments to"`
	SignatureToken    string       `json:"signatureToken,omitempty" doc:"Secret of the receiver's choice, with which deliveries are signed. After whsec_ it is base64 (Standard Webhooks)"`
	Stream            *bool        `json:"stream,omitempty" doc:"Send whatever matches as soon as it is recorded; or give a schedule"`
	Schedule          scheduleBody `json:"schedule,omitempty"`
	ReportIfEmpty     bool         `json:"reportIfEmpty,omitempty" doc:"Of a schedule: also tell that there was nothing"`
	InitialRecordTime string       `json:"initialRecordTime,omitempty" format:"date-time" doc:"Begin with what was recorded then; default: now"`
}

type subscribeInput struct {
	NameInput
	BodyInput
	EPCFormat string `header:"GS1-EPC-Format" doc:"No_Preference, Always_GS1_Digital_Link (default), Always_EPC_URN or Never_Translates: of every delivery"`
}

type subscribeAnswer struct {
	Location string `header:"Location"`
	Body     *Subscription
}

func (m *handlers) mountSubscriptions(h huma.API) {
	huma.Register(h, m.operation("subscribe", http.MethodPost, subscriptionsPath, "Subscribe a webhook to a named query", http.StatusCreated, 400, 404, 415),
		func(ctx context.Context, in *subscribeInput) (*subscribeAnswer, error) {
			n, err := m.find(callerFrom(ctx), in.Name)
			if err != nil {
				return nil, err
			}
			if err := standable(n.query); err != nil {
				return nil, err
			}
			var body NewSubscription
			if err := in.BodyInput.read(&body); err != nil {
				return nil, err
			}
			r, err := m.read(&body, in.EPCFormat)
			if err != nil {
				return nil, err
			}
			sub, err := m.subscribe(ctx, callerFrom(ctx), in.Name, r)
			if err != nil {
				return nil, err
			}
			v := m.view(sub)
			return &subscribeAnswer{Location: subscriptionsOf(in.Name) + "/" + v.ID, Body: v}, nil
		})
	describe[NewSubscription](h, subscriptionsPath)
	type page struct {
		Link string `header:"Link"`
		Body []*Subscription
	}
	huma.Register(h, m.operation("subscriptions", http.MethodGet, subscriptionsPath, "List the subscriptions of a named query", http.StatusOK, 400, 404),
		func(ctx context.Context, in *struct {
			NameInput
			PageInput
		},
		) (*page, error) {
			after, err := in.after()
			if err != nil {
				return nil, err
			}
			n, err := m.find(callerFrom(ctx), in.Name)
			if err != nil {
				return nil, err
			}
			var subs []*subscription
			m.mu.Lock()
			for _, sub := range n.subs {
				if sub.rec.ID.String() > after {
					subs = append(subs, sub)
				}
			}
			m.mu.Unlock()
			slices.SortFunc(subs, func(a, b *subscription) int { return strings.Compare(a.rec.ID.String(), b.rec.ID.String()) })
			out := &page{Body: []*Subscription{}}
			if len(subs) > in.PerPage {
				subs = subs[:in.PerPage]
				out.Link = in.link(subscriptionsOf(in.Name), subs[len(subs)-1].rec.ID.String())
			}
			for _, sub := range subs {
				out.Body = append(out.Body, m.view(sub))
			}
			return out, nil
		})
	type oneInput struct {
		NameInput
		ID string `path:"id"`
	}
	huma.Register(h, m.operation("subscription", http.MethodGet, subscriptionPath, "One subscription, and how its deliveries go", http.StatusOK, 404),
		func(ctx context.Context, in *oneInput) (*struct{ Body *Subscription }, error) {
			sub, err := m.findSubscription(callerFrom(ctx), in.Name, in.ID)
			if err != nil {
				return nil, err
			}
			return &struct{ Body *Subscription }{m.view(sub)}, nil
		})
	huma.Register(h, m.operation("unsubscribe", http.MethodDelete, subscriptionPath, "Unsubscribe", http.StatusNoContent, 404),
		func(ctx context.Context, in *oneInput) (*struct{}, error) {
			return nil, m.unsubscribe(callerFrom(ctx), in.Name, in.ID)
		})
}

func subscriptionsOf(name string) string {
	return queriesPath + "/" + url.PathEscape(name) + "/subscriptions"
}

// standable refuses to subscribe to what has no meaning over time: the best ten events of all that are still to come.
func standable(q *epcisquery.Query) error {
	if o := q.Order(); o.Limit > 0 || o.Max > 0 {
		return httpapi.NewProblem(httpapi.SubscriptionControls, "the query has eventCountLimit or maxEventCount, which count the events of one answer; subscribe to a query without: every event is sent once it is recorded")
	}
	return nil
}

func controls(pointer, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return httpapi.NewProblem(httpapi.SubscriptionControls, "%s", message).With(httpapi.Fault{Pointer: pointer, Message: message})
}

func malformed(pointer, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return httpapi.NewProblem(httpapi.MalformedRequest, "%s", message).With(httpapi.Fault{Pointer: pointer, Message: message})
}

// read checks what is to be subscribed to.
func (m *handlers) read(b *NewSubscription, format string) (r subscriptionRecord, err error) {
	r = subscriptionRecord{Dest: b.Dest, Token: b.SignatureToken, ReportIfEmpty: b.ReportIfEmpty}
	if b.Dest == "" {
		return r, httpapi.NewProblem(httpapi.DestinationRefused, "the body has no dest; give the URL that EPCISQueryDocuments are to be sent to").With(httpapi.Fault{Pointer: "/dest", Message: "dest is missing"})
	}
	if err := m.sender.policy.check(b.Dest); err != nil {
		return r, err
	}
	if len(b.SignatureToken) > maxToken {
		return r, malformed("/signatureToken", "signatureToken has %d bytes, at most %d are kept", len(b.SignatureToken), maxToken)
	}
	if text, ok := strings.CutPrefix(b.SignatureToken, secretPrefix); ok {
		if key, err := base64.StdEncoding.DecodeString(text); err != nil || len(key) == 0 {
			return r, malformed("/signatureToken", "signatureToken begins with %s, and what follows is not base64; as in Standard Webhooks, send the base64 of your key there", secretPrefix)
		}
	}
	if r.EPCFormat, err = epcFormat(format); err != nil {
		return r, err
	}
	values := map[string]string{}
	for name, raw := range b.Schedule {
		known := slices.ContainsFunc(bounds[:], func(f struct {
			name   string
			lo, hi int
		},
		) bool {
			return f.name == name
		})
		if !known {
			return r, controls("/schedule", "the schedule has %q, which it does not know; there are second, minute, hour, dayOfMonth, month and dayOfWeek", printable(name))
		}
		if err := json.Unmarshal(raw, new(json.Number)); err == nil && raw[0] != '"' {
			values[name] = string(raw) // a number, as the examples of the OpenAPI document have it
			continue
		}
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return r, controls("/schedule/"+name, "%s of the schedule is no text; write it like \"5\", \"1,3\" or \"[5-10]\"", name)
		}
		values[name] = text
	}
	stream := ""
	if b.Stream != nil {
		stream = strconv.FormatBool(*b.Stream)
	}
	if r.Stream, r.Schedule, err = triggerOf(stream, b.Schedule != nil, func(name string) string { return values[name] }); err != nil {
		return r, err
	}
	if b.InitialRecordTime != "" {
		t, err := time.Parse(time.RFC3339, b.InitialRecordTime)
		if err != nil {
			return r, controls("/initialRecordTime", "initialRecordTime is %q; write it with its zone, like 2026-04-04T20:33:31.116-06:00", printable(b.InitialRecordTime))
		}
		t = t.UTC()
		r.InitialRecordTime = &t
	}
	return r, nil
}

func epcFormat(header string) (string, error) {
	switch header {
	case "", noPreference, alwaysDigitalLink, alwaysURN, neverTranslates:
		return header, nil
	}
	return "", httpapi.NewProblem(httpapi.NotAcceptable, "GS1-EPC-Format is %q; send %s, %s, %s or %s", printable(header), noPreference, alwaysDigitalLink, alwaysURN, neverTranslates)
}

// triggerOf reads when a subscription is told something: stream, or a schedule, and not both.
func triggerOf(stream string, has bool, get func(string) string) (bool, *Schedule, error) {
	on := false
	switch stream {
	case "", "false":
	case "true":
		on = true
	default:
		return false, nil, controls("/stream", "stream is %q; send true, or leave it out and give a schedule", printable(stream))
	}
	schedule, given, err := ParseSchedule(get)
	var field *fieldError
	switch {
	case errors.As(err, &field):
		return false, nil, controls("/schedule/"+field.name, "the schedule's %s %s", field.name, field.message)
	case err != nil:
		return false, nil, controls("/schedule", "%s", strings.TrimPrefix(err.Error(), "schedule: "))
	case on && (has || given):
		return false, nil, controls("", "both stream and a schedule are given; choose one")
	case !on && !given:
		return false, nil, controls("", `neither stream nor a schedule is given, so nothing says when to send; give "stream": true or a schedule such as {"hour": "1", "minute": "5"}`)
	}
	return on, schedule, nil
}

// printable keeps answers free of what a stranger might put there.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if r := []rune(s); len(r) > 100 {
		s = string(r[:100]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, s)
}
