package epcisrest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
)

func sharedFile(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("../../../../../shared/gs1", name))
	if err == nil {
		return b
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("the shared GS1 files are needed in CI: %v", err)
	}
	tb.Skipf("the shared GS1 files are not beside the repository: %v", err)
	return nil
}

// notHere are paths of the official file that others mount: capture at partner services, named queries in package standing. They
// have contract tests of their own.
func notHere(path string) bool {
	return strings.HasPrefix(path, "/queries") || strings.HasPrefix(path, "/capture")
}

// lookBehindless compiles the file's patterns. Two kinds of them are none that RE2 knows (epcis.md 5.7): "^(?!x)" is read as "does not begin
// with x", and the schedule's recursive ones, which no answer here has, match everything.
func lookBehindless(expr string) (openapi3.RegexMatcher, error) {
	if inner, ok := strings.CutPrefix(expr, "^(?!"); ok {
		re, err := regexp.Compile("^(?:" + strings.TrimSuffix(inner, ")") + ")")
		return not{re}, err
	}
	if strings.Contains(expr, `\g<`) {
		expr = ""
	}
	return regexp.Compile(expr)
}

type not struct{ re *regexp.Regexp }

func (n not) MatchString(s string) bool { return !n.re.MatchString(s) }

// The official file's own gaps and slips. Each answer that meets one is listed here, and nothing else is excused.
var official = []struct {
	why    string
	path   string // a suffix
	method string
	status int
	as     string // judged by this response of the file; "" by none
}{
	{"the file forgets bad parameters at /events, which it has at /{resource}/{value}/events", "/events", "GET", 400, "400QueryIssues"},
	{"the file forgets queries that are too large, which it has at /queries/{queryName}/events", "/events", "GET", 413, "413QueryScopeOrSize"},
	{"the file forgets tokens and parameters that do not belong to a list", "", "GET", 400, "400QueryIssues"},
}

// What the live service answers at every path of the official OpenAPI file is what that file says: status, headers, and body.
func TestOfficialContract(t *testing.T) {
	raw := sharedFile(t, "openapi/openapi.json")
	loader := openapi3.NewLoader()
	loader.IsExternalRefsAllowed = false
	doc, err := loader.LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	// kin-openapi reads a header by the type of its schema; the file wraps the typed one with its example in an allOf.
	for _, h := range doc.Components.Headers {
		if s := h.Value.Schema; s != nil && len(s.Value.AllOf) == 2 {
			h.Value.Schema = s.Value.AllOf[1]
		}
	}
	w := trade(t)
	unitValue, step, gln := url.PathEscape(unit(1)), "shipping", url.PathEscape(site("acme"))
	values := map[string]string{"{epc}": unitValue, "{bizStep}": step, "{disposition}": "in_transit", "{readPoint}": gln, "{bizLocation}": gln, "{eventType}": "ObjectEvent", "{eventID}": "urn%3Ax%3Apack1", "{token}": "abc"}
	unknown := map[string]string{"{epc}": url.PathEscape(unit(99)), "{bizStep}": "loading", "{disposition}": "stolen", "{readPoint}": "urn%3Ax", "{bizLocation}": "urn%3Ax", "{eventType}": "urn%3Ax", "{eventID}": "urn%3Ax%3Anone"}
	asked, statuses := 0, map[int]int{}
	for path, pathItem := range doc.Paths.Map() {
		if notHere(path) {
			continue
		}
		for method, op := range pathItem.Operations() {
			if method == http.MethodPost { // POST /events is capture
				continue
			}
			filled := path
			missing := ""
			for name, v := range values {
				if strings.Contains(path, name) {
					missing = strings.ReplaceAll(path, name, unknown[name])
				}
				filled = strings.ReplaceAll(filled, name, v)
			}
			type question struct {
				path   string
				header []string
				caller Caller
			}
			all := Caller{All: true}
			questions := []question{
				{filled, nil, all},
				{filled, []string{"GS1-EPCIS-Min: 2.0", "GS1-EPCIS-Max: 2.0.0", "GS1-CBV-Min: 1.2", "GS1-CBV-Max: 2.1", "GS1-EPC-Format: Always_EPC_URN", "GS1-Extensions: ex=http://ns.example.com/"}, all},
				{filled, []string{"GS1-EPCIS-Min: 3.0"}, all},
				{filled, []string{"GS1-EPCIS-Min: 3.0", "Accept: application/problem+xml"}, all},
				{filled, []string{"X-Nobody: 1"}, all},
				{filled, []string{"Accept: application/xml"}, all},
				{filled, nil, Caller{Party: "midland"}},
			}
			if missing != "" && method == http.MethodGet {
				questions = append(questions, question{missing, nil, all}, question{missing, []string{"Accept: application/problem+xml, application/xml"}, all})
			}
			if strings.HasSuffix(path, "/events") && method == http.MethodGet {
				for _, q := range []string{"?perPage=1", "?EQ_nothing=1", "?perPage=x", "?maxEventCount=1", "?EQ_action=ADD%7COBSERVE&orderBy=eventTime&eventCountLimit=2", "?nextPageToken=x", "?EQ_eventID=" + strings.Repeat("x", 9000)} {
					questions = append(questions, question{filled + q, nil, all})
				}
			} else if method == http.MethodGet && op.Parameters.GetByInAndName("query", "perPage") != nil {
				questions = append(questions, question{filled + "?perPage=1", nil, all}, question{filled + "?nextPageToken=x", nil, all})
			}
			route := &routers.Route{Spec: doc, Path: path, PathItem: pathItem, Method: method, Operation: op}
			for _, q := range questions {
				w.caller = q.caller
				rec := w.ask(method, q.path, q.header...)
				asked++
				statuses[rec.Code]++
				judge(t, doc, route, rec, method+" "+q.path+" "+strings.Join(q.header, "; "))
			}
		}
	}
	if asked < 150 {
		t.Errorf("%d questions were asked", asked)
	}
	t.Logf("%d answers: %v", asked, statuses)
}

func judge(t *testing.T, doc *openapi3.T, route *routers.Route, rec *httptest.ResponseRecorder, what string) {
	t.Helper()
	op := route.Operation
	if op.Responses.Status(rec.Code) == nil {
		for _, o := range official {
			if strings.HasSuffix(route.Path, o.path) && route.Method == o.method && rec.Code == o.status {
				copied := *op
				responses := openapi3.NewResponses()
				responses.Set("default", &openapi3.ResponseRef{Value: doc.Components.Responses[o.as].Value})
				copied.Responses = responses
				op = &copied
				break
			}
		}
	}
	changed := *route
	changed.Operation = op
	isXML := strings.HasSuffix(strings.Split(rec.Header().Get("Content-Type"), ";")[0], "xml")
	if isXML && rec.Code == http.StatusOK {
		// The body is judged by our reader of XML, whose verdict is that of the official XSD; the file has no schema for it.
		d, err := epcisdoc.Parse(bytes.NewReader(rec.Body.Bytes()), epcis.Options{})
		if err != nil || len(d.Problems) > 0 {
			t.Errorf("%s: %v %+v\n%s", what, err, d, rec.Body)
		}
	}
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: httptest.NewRequestWithContext(t.Context(), route.Method, "/", http.NoBody), Route: &changed},
		Status:                 rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: isXML,
			SchemaValidationOptions: []openapi3.SchemaValidationOption{
				openapi3.SetSchemaRegexCompiler(lookBehindless),
				// The file calls the whole of a Link header, which begins with "<", a URI; bare words are none, and CURIEs look like one.
				openapi3.WithStringFormatValidator("uri", openapi3.NewRegexpFormatValidator(`^(<|[A-Za-z][A-Za-z0-9+.-]*:)`)),
			},
		},
	})
	if err != nil {
		t.Errorf("%s: %d %.1500v\n%.600s", what, rec.Code, err, rec.Body)
	}
}
