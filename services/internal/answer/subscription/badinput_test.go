package subscription

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/services/internal/edge/httpapi"
)

// What is wrong with a request is said with a stable code, the standard's exception, and what to do.
func TestBadInput(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Development = false })
	w.query("all")
	w.query("mine", "X-Who: lakeside")
	if r := w.call("POST", "/queries", `{"name":"first","query":{"maxEventCount":10}}`); r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	sub := w.call("POST", "/queries/all/subscriptions", `{"dest":"https://client.example.com/","stream":true}`).header.Get("Location")
	dest := `{"dest":"https://client.example.com/hook",`
	for _, tt := range []struct {
		name, method, path, body string
		code                     httpapi.Code
		exception, detail        string
		header                   []string
	}{
		{"nobody", "GET", "/queries", "", httpapi.SignInRequired, "SecurityException", "belong to who made them", []string{"X-Who: nobody"}},
		{"a wrong signature", "POST", "/queries", shipping, httpapi.SignInFailed, "SecurityException", "the signature is wrong", []string{"X-Who: wrong"}},
		{"our own fault", "GET", "/queries", "", httpapi.Internal, "ImplementationException", "operator the request id", []string{"X-Who: broken"}},
		{"no body", "POST", "/queries", "", httpapi.MissingParameter, "QueryParameterException", "required", []string{"Content-Type: application/json"}},
		{"no JSON", "POST", "/queries", "{", httpapi.MalformedRequest, "ValidationException", "cannot be read", nil},
		{"XML", "POST", "/queries", "<a/>", httpapi.UnsupportedMediaType, "UnsupportedMediaTypeException", "application/json", []string{"Content-Type: application/xml"}},
		{"only CSV is taken", "GET", "/queries", "", httpapi.NotAcceptable, "NotAcceptableException", "application/json", []string{"Accept: text/csv"}},
		{"a list", "POST", "/queries", "[]", httpapi.MalformedRequest, "ValidationException", "the body is a JSON array; send one object", nil},
		{"a body too large", "POST", "/queries", `{"name":"` + strings.Repeat("a", maxBody) + `"}`, httpapi.BodyTooLarge, "CaptureLimitExceededException", "in parts", nil},
		{"no name", "POST", "/queries", `{"query":{}}`, httpapi.InvalidQuery, "QueryValidationException", "is missing", nil},
		{"a name of a number", "POST", "/queries", `{"name":5,"query":{}}`, httpapi.MalformedRequest, "ValidationException", "name of the body is a JSON number", nil},
		{"a long name", "POST", "/queries", `{"name":"` + strings.Repeat("a", maxName+1) + `","query":{}}`, httpapi.InvalidQuery, "QueryValidationException", "is too long", nil},
		{"a name with a slash", "POST", "/queries", `{"name":"a/b","query":{}}`, httpapi.InvalidQuery, "QueryValidationException", "cannot stand in an address", nil},
		{"a name of dots", "POST", "/queries", `{"name":"..","query":{}}`, httpapi.InvalidQuery, "QueryValidationException", "cannot stand in an address", nil},
		{"a name with a line end", "POST", "/queries", `{"name":"a\nb","query":{}}`, httpapi.InvalidQuery, "QueryValidationException", "cannot be seen", nil},
		{"a name with a space at its end", "POST", "/queries", `{"name":"a ","query":{}}`, httpapi.InvalidQuery, "QueryValidationException", "white space", nil},
		{"no query", "POST", "/queries", `{"name":"a"}`, httpapi.InvalidQuery, "QueryValidationException", "has no query", nil},
		{"an unknown parameter of a query", "POST", "/queries", `{"name":"a","query":{"EQ_bizstep":["shipping"]}}`, httpapi.InvalidParameter, "QueryParameterException", "EQ_bizstep", nil},
		{"a query of a list", "POST", "/queries", `{"name":"a","query":[]}`, httpapi.InvalidQuery, "QueryValidationException", "object", nil},
		{"a query of too many parts", "POST", "/queries", `{"name":"a","query":{"EQ_eventID":[` + strings.Repeat(`"urn:a:b",`, epcisquery.MaxValues) + `"urn:a:b"]}}`, httpapi.QueryTooComplex, "QueryTooComplexException", "EQ_eventID", nil},
		{"a name taken", "POST", "/queries", `{"name":"all","query":{}}`, httpapi.QueryExists, "ResourceAlreadyExistsException", "choose another name", nil},
		{"extensions", "POST", "/queries", shipping, httpapi.InvalidParameter, "QueryParameterException", "GS1-Extensions", []string{"GS1-Extensions: nonsense"}},
		{"an old version", "GET", "/queries", "", httpapi.NotAcceptable, "NotAcceptableException", "GS1-EPCIS-Max asks for 1.2", []string{"GS1-EPCIS-Max: 1.2"}},
		{"a coming version", "GET", "/queries/all/subscriptions", "", httpapi.NotAcceptable, "NotAcceptableException", "GS1-CBV-Min asks for 2.0.1", []string{"GS1-CBV-Min: 2.0.1"}},
		{"a version that is none", "GET", "/queries", "", httpapi.NotAcceptable, "NotAcceptableException", "is not a version", []string{"GS1-EPCIS-Min: two"}},
		{"a page token", "GET", "/queries?nextPageToken=!", "", httpapi.PageTokenInvalid, "QueryParameterException", "Link header", nil},
		{"pages of none", "GET", "/queries?perPage=0", "", httpapi.InvalidParameter, "QueryParameterException", "perPage", nil},
		{"an unknown parameter", "GET", "/queries?x=y", "", httpapi.InvalidParameter, "QueryParameterException", "x", nil},
		{"an unknown query", "GET", "/queries/none", "", httpapi.UnknownQuery, "NoSuchNameException", `no query named "none"`, nil},
		{"another's query", "GET", "/queries/mine", "", httpapi.UnknownQuery, "NoSuchNameException", `no query named "mine"`, nil},
		{"another's query, to delete", "DELETE", "/queries/all", "", httpapi.UnknownQuery, "NoSuchNameException", `no query named "all"`, []string{"X-Who: lakeside"}},
		{"another's query, to subscribe to", "POST", "/queries/all/subscriptions", dest + stream + "}", httpapi.UnknownQuery, "NoSuchNameException", `no query named "all"`, []string{"X-Who: lakeside"}},
		{"another's subscription", "GET", strings.Replace(sub, "all", "mine", 1), "", httpapi.UnknownSubscription, "NoSuchNameException", "no subscription", []string{"X-Who: lakeside"}},
		{"an unknown subscription", "DELETE", "/queries/all/subscriptions/7cec849f-72f7-4a9d-bc86-080d3c5b7c98", "", httpapi.UnknownSubscription, "NoSuchNameException", "no subscription", nil},
		{"no id of a subscription", "GET", "/queries/all/subscriptions/x%00y", "", httpapi.UnknownSubscription, "NoSuchNameException", "no subscription", nil},
		{"no dest", "POST", "/queries/all/subscriptions", `{"stream":true}`, httpapi.DestinationRefused, "ValidationException", "has no dest", nil},
		{"a dest without TLS", "POST", "/queries/all/subscriptions", `{"dest":"http://client.example.com/","stream":true}`, httpapi.DestinationRefused, "ValidationException", "use https", nil},
		{"a dest on this machine", "POST", "/queries/all/subscriptions", `{"dest":"https://127.0.0.1/","stream":true}`, httpapi.DestinationRefused, "ValidationException", "on this machine", nil},
		{"neither stream nor schedule", "POST", "/queries/all/subscriptions", dest + `"reportIfEmpty":true}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "neither stream nor a schedule", nil},
		{"stream is false", "POST", "/queries/all/subscriptions", dest + `"stream":false}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "neither stream nor a schedule", nil},
		{"an empty schedule", "POST", "/queries/all/subscriptions", dest + `"schedule":{}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "neither stream nor a schedule", nil},
		{"both", "POST", "/queries/all/subscriptions", dest + `"stream":true,"schedule":{"hour":"1"}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "choose one", nil},
		{"stream and an empty schedule", "POST", "/queries/all/subscriptions", dest + `"stream":true,"schedule":{}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "choose one", nil},
		{"a schedule out of range", "POST", "/queries/all/subscriptions", dest + `"schedule":{"hour":"25"}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", `hour has "25"`, nil},
		{"a number out of range", "POST", "/queries/all/subscriptions", dest + `"schedule":{"hour":-1}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", `hour has "-1"`, nil},
		{"a step, as cron has them", "POST", "/queries/all/subscriptions", dest + `"schedule":{"second":"0/30"}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "values like 1,3", nil},
		{"a schedule of a list", "POST", "/queries/all/subscriptions", dest + `"schedule":{"hour":[1,2]}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "is no text", nil},
		{"a field that there is not", "POST", "/queries/all/subscriptions", dest + `"schedule":{"year":"2027"}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", `"year"`, nil},
		{"a day that never comes", "POST", "/queries/all/subscriptions", dest + `"schedule":{"dayOfMonth":"30","month":"2"}}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "there is no such day", nil},
		{"no time", "POST", "/queries/all/subscriptions", dest + `"stream":true,"initialRecordTime":"yesterday"}`, httpapi.SubscriptionControls, "SubscriptionControlsException", "with its zone", nil},
		{"a long token", "POST", "/queries/all/subscriptions", dest + `"stream":true,"signatureToken":"` + strings.Repeat("a", maxToken+1) + `"}`, httpapi.MalformedRequest, "ValidationException", "at most 512", nil},
		{"a token of no base64", "POST", "/queries/all/subscriptions", dest + `"stream":true,"signatureToken":"whsec_!"}`, httpapi.MalformedRequest, "ValidationException", "base64", nil},
		{"a query that counts events", "POST", "/queries/first/subscriptions", dest + stream + "}", httpapi.SubscriptionControls, "SubscriptionControlsException", "maxEventCount", nil},
		{"a form of EPCs", "POST", "/queries/all/subscriptions", dest + stream + "}", httpapi.NotAcceptable, "NotAcceptableException", "GS1-EPC-Format", []string{"GS1-EPC-Format: JSON"}},
		{"stream without a socket", "GET", "/queries/all/events?stream=true", "", httpapi.SubscriptionControls, "SubscriptionControlsException", "no Upgrade: websocket", nil},
		{"a schedule without a socket", "GET", "/queries/all/events?hour=1", "", httpapi.SubscriptionControls, "SubscriptionControlsException", "no Upgrade: websocket", nil},
		{"events of an unknown query", "GET", "/queries/none/events", "", httpapi.UnknownQuery, "NoSuchNameException", "none", nil},
		{"a page of none of a query's events", "GET", "/queries/all/events?perPage=0", "", httpapi.InvalidParameter, "QueryParameterException", "perPage", nil},
		{"events for nobody", "GET", "/queries/all/events", "", httpapi.SignInRequired, "SecurityException", "does not say who asks", []string{"X-Who: nobody"}},
		{"events in a broken service", "GET", "/queries/all/events", "", httpapi.Internal, "ImplementationException", "request id", []string{"X-Who: broken"}},
		{"an unknown method", "PUT", "/queries/all", "", httpapi.MethodNotAllowed, "", "PUT", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.call(tt.method, tt.path, tt.body, tt.header...)
			var p httpapi.Problem
			r.json(t, &p)
			if p.Code != tt.code || r.status != httpapi.Lookup(tt.code).Status || p.Status != r.status || !strings.Contains(p.Detail, tt.detail) || p.Instance == "" {
				t.Errorf("%d %s, want %s and %s", r.status, r.body, tt.code, tt.detail)
			}
			if want := "epcisException:" + tt.exception; tt.exception != "" && p.Type != want {
				t.Errorf("type %s, want %s", p.Type, want)
			}
			if r.header.Get("Content-Type") != "application/problem+json" || strings.Contains(string(r.body), "a secret of ours") {
				t.Errorf("%s %s", r.header.Get("Content-Type"), r.body)
			}
		})
	}
	if n := len(w.svc.subs); n != 1 {
		t.Errorf("%d subscriptions came about", n)
	}
	full := newWorld(t, func(w *world) { w.limits.QueriesPerOwner = 0 })
	if r := full.call("POST", "/queries", shipping); r.status != http.StatusForbidden || !strings.Contains(string(r.body), string(httpapi.StandingLimit)) || !strings.Contains(string(r.body), "epcisException:SecurityException") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// What the query language finds wrong keeps its place and its kind.
func TestQueryProblems(t *testing.T) {
	for _, tt := range []struct {
		kind epcisquery.ErrorKind
		code httpapi.Code
	}{{epcisquery.KindParameter, httpapi.InvalidParameter}, {epcisquery.KindValidation, httpapi.InvalidQuery}, {epcisquery.KindTooComplex, httpapi.QueryTooComplex}} {
		err := queryProblem(fmt.Errorf("read: %w", &epcisquery.Error{Param: "EQ_a/b", Message: "is wrong", Hint: "change it", Kind: tt.kind}))
		var p *httpapi.Problem
		if !errors.As(err, &p) || p.Code != tt.code || p.Detail != "EQ_a/b: is wrong; change it" || len(p.Errors) != 1 || p.Errors[0].Pointer != "/query/EQ_a~1b" {
			b, _ := json.Marshal(err)
			t.Errorf("%s", b)
		}
	}
	if err := errors.New("other"); !errors.Is(queryProblem(err), err) {
		t.Error("another error is changed")
	}
}
