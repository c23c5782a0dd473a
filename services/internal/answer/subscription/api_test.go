package subscription

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/goccy/go-yaml"

	"verilot.dev/services/internal/edge/httpapi"
)

// Named queries from their making to their end, as one owner sees them, and another.
func TestNamedQueries(t *testing.T) {
	w := newWorld(t)
	r := w.call("POST", "/queries", `{"name":"goods out, été","query":{"eventType":["ObjectEvent"],"EQ_bizStep":["shipping"],"EQ_acme:colour":["red"]}}`, "GS1-Extensions: acme=https://acme.example.com/ns/")
	if r.status != http.StatusCreated || r.header.Get("Location") != "/queries/goods%20out%2C%20%C3%A9t%C3%A9" || r.header.Get("GS1-EPCIS-Version") != "2.0.0" || r.header.Get("GS1-CBV-Version") != "2.0.0" {
		t.Fatalf("%d %v %s", r.status, r.header, r.body)
	}
	one := w.call("GET", r.header.Get("Location"), "")
	var q NamedQuery
	one.json(t, &q)
	if one.status != http.StatusOK || q.Name != "goods out, été" || !strings.Contains(string(q.Query.RawMessage), "https://acme.example.com/ns#colour") {
		t.Errorf("%d %s", one.status, one.body)
	}
	page := w.call("GET", r.header.Get("Location")+"/events?perPage=5", "")
	if page.status != http.StatusOK || !strings.Contains(string(page.body), `{"name":"goods out, été"`) || !strings.Contains(string(page.body), "shipping") {
		t.Errorf("%d %s", page.status, page.body)
	}
	for _, name := range []string{"a", "b", "c"} {
		w.query(name)
		w.query(name, "X-Who: lakeside")
	}
	w.again()
	names := func(who string) string {
		var all []string
		for next := "/queries?perPage=2"; next != ""; {
			r := w.call("GET", next, "", "X-Who: "+who)
			var list []NamedQuery
			r.json(t, &list)
			for _, q := range list {
				all = append(all, q.Name)
			}
			next = ""
			if link := r.header.Get("Link"); link != "" {
				next = link[1:strings.IndexByte(link, '>')]
			}
		}
		return strings.Join(all, ",")
	}
	if got := names("") + " " + names("lakeside") + " " + names("midland"); got != "a,b,c,goods out, été a,b,c " {
		t.Error(got)
	}
	if r := w.call("DELETE", "/queries/b", "", "X-Who: lakeside"); r.status != http.StatusNoContent || len(r.body) > 0 {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.again()
	if got := names("") + " " + names("lakeside"); got != "a,b,c,goods out, été a,c" {
		t.Error(got)
	}
}

// Subscriptions of a query, page by page; the token is nowhere to be had.
func TestSubscriptions(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	for range 3 {
		r := w.call("POST", "/queries/all/subscriptions", `{"dest":"https://client.example.com/hook","signatureToken":"top secret","schedule":{"hour":"1","minute":5},"reportIfEmpty":true}`)
		var s Subscription
		r.json(t, &s)
		if r.status != http.StatusCreated || r.header.Get("Location") != "/queries/all/subscriptions/"+s.ID || s.Schedule == nil || s.Schedule.text != [fields]string{minute: "5", hour: "1"} || !s.ReportIfEmpty || s.State != "active" {
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
		if strings.Contains(string(r.body), "secret") {
			t.Errorf("%s", r.body)
		}
	}
	seen := map[string]bool{}
	for next := "/queries/all/subscriptions?perPage=2"; next != ""; {
		r := w.call("GET", next, "")
		var list []Subscription
		r.json(t, &list)
		for _, s := range list {
			seen[s.ID] = true
		}
		if strings.Contains(string(r.body), "secret") {
			t.Errorf("%s", r.body)
		}
		next = ""
		if link := r.header.Get("Link"); link != "" {
			next = link[1:strings.IndexByte(link, '>')]
		}
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
	for id := range seen {
		if r := w.call("DELETE", "/queries/all/subscriptions/"+id, ""); r.status != http.StatusNoContent {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	if r := w.call("GET", "/queries/all/subscriptions", ""); string(bytes.TrimSpace(r.body)) != "[]" {
		t.Errorf("%s", r.body)
	}
}

// A subscription gets what its query matches, and a socket too.
func TestQueriesFilter(t *testing.T) {
	w := newWorld(t)
	if r := w.call("POST", "/queries", shipping); r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	hook := newReceiver(w, "")
	w.subscribe(hook, "shipping", stream)
	l := w.listen("/queries/shipping/events?stream=true")
	w.run()
	w.engine.block("r1", "a1", "r2")
	w.engine.block("r3")
	w.engine.block("a2", "r4")
	w.until("both", func() bool { return strings.HasSuffix(hook.ids(), "a2") })
	var got []string
	for len(got) < 2 {
		got = append(got, l.next().IDs...)
	}
	if all := strings.ReplaceAll(hook.ids(), " | ", " "); all != "a1 a2" || short(got) != "a1 a2" {
		t.Errorf("%s, and %s", all, short(got))
	}
	w.again() // with the query as it was stored
	w.engine.block("r5", "a3")
	w.until("after a restart", func() bool { return strings.HasSuffix(hook.ids(), "| a3") })
}

func TestDiscovery(t *testing.T) {
	w := newWorld(t)
	for path, allow := range map[string]string{
		"/queries": "OPTIONS, GET, POST", "/queries/x": "OPTIONS, GET, DELETE", "/queries/x/events": "OPTIONS, GET",
		"/queries/x/subscriptions": "OPTIONS, GET, POST", "/queries/x/subscriptions/y": "OPTIONS, GET, DELETE",
	} {
		r := w.call("OPTIONS", path, "")
		if r.status != http.StatusNoContent || r.header.Get("Allow") != allow || r.header.Get("GS1-EPCIS-Min") != "2.0.0" || r.header.Get("GS1-EPC-Format") == "" || r.header.Get("GS1-Extensions") == "" {
			t.Errorf("%s: %d %v", path, r.status, r.header)
		}
	}
}

// official is the standard's OpenAPI document, repaired where it cannot be loaded, or says two things at once (epcis.md section 5.7).
func official(t *testing.T) *openapi3.T {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for err = os.ErrNotExist; err != nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		raw, err = os.ReadFile(filepath.Join(dir, "shared", "gs1", "openapi", "openapi.yaml"))
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the shared GS1 collection is missing")
		}
		t.Skip("the shared GS1 collection is not here")
	}
	var doc map[string]any
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(repaired(doc))
	if err != nil {
		t.Fatal(err)
	}
	out, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		t.Fatal(err)
	}
	// The example is one query, and so is its text; the schema is a list.
	one := out.Paths.Value("/queries/{queryName}").Get.Responses.Value("200").Value.Content["application/json"]
	one.Schema = one.Schema.Value.Items
	// A 409 whose status is 406, and a 404 whose example has another type than its schema.
	problem := out.Components.Responses["409ResourceAlreadyExistsException"].Value.Content["application/problem+json"].Schema.Value.AllOf[0].Value
	problem.Properties["status"].Value.Enum = []any{409.0}
	// A 400 without the content type that all other problems have.
	content := out.Components.Responses["400SubscriptionIssues"].Value.Content
	content["application/problem+json"] = content["application/json"]
	// prefix=namespace in requests, where it is exploded; the answers forget to say so.
	yes := true
	out.Components.Headers["GS1-Extensions"].Value.Explode = &yes
	return out
}

// repaired leaves out references to other hosts, examples, and patterns that are no regular expressions.
func repaired(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if ref, ok := x.(string); k == "$ref" && ok && !strings.HasPrefix(ref, "#") || k == "example" || k == "pattern" && strings.Contains(v["pattern"].(string), `\g<`) {
				continue
			}
			out[k] = repaired(x)
		}
		// Nothing, and a type: the library decodes no headers by that.
		if all, ok := out["allOf"].([]any); ok {
			all = slices.DeleteFunc(all, func(x any) bool { m, ok := x.(map[string]any); return ok && len(m) == 0 })
			if out["allOf"] = all; len(all) == 1 && len(out) == 1 {
				return all[0]
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = repaired(v[i])
		}
	}
	return v
}

// Every operation of the standard on named queries is there, and its answers, good and bad, are what the standard's document says.
func TestOpenAPI(t *testing.T) {
	doc := official(t)
	w := newWorld(t)
	hook := newReceiver(w, "token")
	w.run()
	subscription := ""
	path := func(template string) string {
		return strings.NewReplacer("{queryName}", "all", "{subscriptionID}", subscription).Replace(template)
	}
	asked := map[string]bool{}
	check := func(method, template, actual, body string, want int, header ...string) *reply {
		t.Helper()
		item := doc.Paths.Value(template)
		op := item.GetOperation(method)
		if op == nil {
			t.Fatalf("%s %s is not in the standard", method, template)
		}
		asked[method+" "+template] = true
		r := w.call(method, actual, body, header...)
		if r.status != want {
			t.Errorf("%s %s: %d %s, want %d", method, actual, r.status, r.body, want)
			return r
		}
		req, err := http.NewRequestWithContext(t.Context(), method, w.api.URL+actual, nil)
		if err != nil {
			t.Fatal(err)
		}
		if op.Responses.Value(http.StatusText(want)) == nil && op.Responses.Status(want) == nil {
			t.Errorf("%s %s: the standard has no answer %d", method, template, want)
			return r
		}
		if err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: &routers.Route{Spec: doc, Path: template, PathItem: item, Method: method, Operation: op}},
			Status:                 r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body)),
			Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
		}); err != nil {
			t.Errorf("%s %s: %d %.1500v", method, actual, r.status, err)
		}
		return r
	}
	const (
		queries, query, events, subscriptions, one = "/queries", "/queries/{queryName}", "/queries/{queryName}/events", "/queries/{queryName}/subscriptions", "/queries/{queryName}/subscriptions/{subscriptionID}"
	)
	named := `{"name":"all","query":{"eventType":["ObjectEvent"]}}`
	check("POST", queries, queries, named, 201)
	check("POST", queries, queries, named, 409)
	check("POST", queries, queries, named, 401, "X-Who: nobody")
	check("POST", queries, queries, named, 406, "Accept: text/csv")
	check("POST", queries, queries, named, 415, "Content-Type: text/plain")
	check("GET", queries, queries, "", 200)
	check("GET", queries, queries, "", 401, "X-Who: nobody")
	check("GET", queries, queries, "", 500, "X-Who: broken")
	check("GET", query, path(query), "", 200)
	check("GET", query, "/queries/none", "", 404)
	for _, trigger := range []string{stream, `"schedule":{"second":"0"}`, `"schedule":{"hour":"1","minute":"5","dayOfWeek":"[1-5]"},"reportIfEmpty":true,"initialRecordTime":"2020-04-04T20:33:31.116-06:00"`} {
		r := check("POST", subscriptions, path(subscriptions), `{"dest":"`+hook.srv.URL+`","signatureToken":"token",`+trigger+`}`, 201, "GS1-EPC-Format: Always_EPC_URN")
		var s Subscription
		r.json(t, &s)
		subscription = s.ID
		check("GET", one, path(one), "", 200)
	}
	check("POST", subscriptions, "/queries/none/subscriptions", `{"dest":"`+hook.srv.URL+`",`+stream+`}`, 404)
	w.engine.block("a1")
	w.until("a delivery", func() bool { return hook.called() > 0 })
	w.settled()
	check("GET", subscriptions, path(subscriptions), "", 200)
	check("GET", subscriptions, "/queries/none/subscriptions", "", 404)
	check("GET", one, path(subscriptions)+"/none", "", 404)
	check("GET", events, path(events), "", 200)
	check("GET", events, path(events)+"?stream=true", "", 400)
	check("GET", events, "/queries/none/events", "", 404)
	for template, p := range map[string]string{queries: queries, query: path(query), events: path(events), subscriptions: path(subscriptions), one: path(one)} {
		check("OPTIONS", template, p, "", 204)
	}
	check("DELETE", one, path(one), "", 204)
	check("DELETE", one, path(one), "", 404)
	check("DELETE", query, path(query), "", 204)
	check("DELETE", query, path(query), "", 404)
	for template, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if strings.HasPrefix(template, "/queries") && !asked[method+" "+template] {
				t.Errorf("%s %s was not asked", method, template)
			}
		}
	}
}

// Our own document is valid, and says of every operation what a problem looks like.
func TestOurOpenAPI(t *testing.T) {
	w := newWorld(t)
	r := w.call("GET", "/openapi.json", "")
	doc, err := openapi3.NewLoader().LoadFromData(r.body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			described := false
			for _, a := range op.Responses.Map() {
				m := a.Value.Content["application/problem+json"]
				described = described || m != nil && m.Schema.Ref == "#/components/schemas/Problem"
			}
			if op.Summary == "" || op.OperationID == "" || !described {
				t.Errorf("%s %s: %q %q %v", method, path, op.OperationID, op.Summary, described)
			}
			if op.RequestBody != nil && op.RequestBody.Value.Content["application/json"].Schema.Value.Properties == nil {
				t.Errorf("%s %s: its body is not described", method, path)
			}
		}
	}
	if n := len(doc.Paths.Map()) - 4; n != 5 { // four are about the service itself
		t.Errorf("%d paths", n)
	}
}

// Whatever stands in an address or a body is answered, and not with a fault of ours.
func TestNothingIsAFault(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	hostile := []string{"", "0", "-1", "1e9", "\x00", "\xff\xfe", "../../etc/passwd", "%", "'", `"`, "<script>", "☤", strings.Repeat("9", 2000), "a/b", "null", "true", "{}", "[]"}
	for _, x := range hostile {
		p := url.PathEscape(x)
		quoted, _ := json.Marshal(x)
		for _, c := range [][3]string{
			{"GET", "/queries/" + p, ""},
			{"GET", "/queries/" + p + "/events", ""},
			{"GET", "/queries/all/subscriptions/" + p, ""},
			{"GET", "/queries?nextPageToken=" + url.QueryEscape(x), ""},
			{"GET", "/queries/all/subscriptions?nextPageToken=" + url.QueryEscape(x), ""},
			{"GET", "/queries?perPage=" + url.QueryEscape(x), ""},
			{"DELETE", "/queries/x" + p, ""},
			{"POST", "/queries", x},
			{"POST", "/queries", `{"name":` + string(quoted) + `,"query":` + string(quoted) + `}`},
			{"POST", "/queries", `{"name":"n","query":{"EQ_bizStep":` + string(quoted) + `}}`},
			{"POST", "/queries/all/subscriptions", x},
			{"POST", "/queries/all/subscriptions", `{"dest":` + string(quoted) + `,"stream":true}`},
			{"POST", "/queries/all/subscriptions", `{"dest":"http://127.0.0.1:1/","schedule":{"hour":` + string(quoted) + `}}`},
			{"POST", "/queries/all/subscriptions", `{"dest":"http://127.0.0.1:1/","schedule":` + string(quoted) + `}`},
			{"POST", "/queries/all/subscriptions", `{"dest":"http://127.0.0.1:1/","stream":true,"initialRecordTime":` + string(quoted) + `}`},
		} {
			r := w.call(c[0], c[1], c[2])
			if r.status >= http.StatusInternalServerError {
				t.Errorf("%v: %d %s", c, r.status, r.body)
			}
			if r.status >= http.StatusBadRequest && r.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%v: %d %s", c, r.status, r.body)
			}
		}
	}
	var p httpapi.Problem
	w.call("GET", "/queries/"+strings.Repeat("x", 3000), "").json(t, &p)
	if len(p.Detail) > 400 {
		t.Errorf("%d characters are given back", len(p.Detail))
	}
}
