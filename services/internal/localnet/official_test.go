package localnet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// An excuse is a row of the table in docs/epcis-rest.md.
type excuse struct {
	request, answer string
	used            bool
}

func excuses(t *testing.T) []*excuse {
	t.Helper()
	b, err := os.ReadFile("../../../docs/epcis-rest.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []*excuse
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z]+ /[^`]*)` \\| (\\d{3}(?:, no body)?(?: `[^`]+`)?) \\|").FindAllStringSubmatch(string(b), -1) {
		out = append(out, &excuse{request: m[1], answer: strings.ReplaceAll(m[2], "`", "")})
	}
	return out
}

// officialFile is the official OpenAPI file, or the excerpt of it that every clone has.
func officialFile(t *testing.T, name string) *openapi3.T {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("the official file is not beside the repository: %v", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		t.Fatal(err)
	}
	// kin-openapi reads a header by the type of its schema; the file wraps the typed one with its example in an allOf.
	for _, h := range doc.Components.Headers {
		if s := h.Value.Schema; s != nil && len(s.Value.AllOf) == 2 {
			h.Value.Schema = s.Value.AllOf[1]
		}
	}
	// A job is one of two schemas, and one without errors fits both.
	if s := doc.Components.Schemas["CaptureJob"]; s != nil {
		for _, part := range append(s.Value.AllOf, s) {
			part.Value.AnyOf, part.Value.OneOf = append(part.Value.AnyOf, part.Value.OneOf...), nil
		}
	}
	return doc
}

// What a partner's service and the api answer where documents are captured is what the official file
// says, but for what docs/epcis-rest.md excuses.
func TestOfficialCapture(t *testing.T) {
	openapi3filter.RegisterBodyDecoder("application/problem+xml", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("application/xml", openapi3filter.PlainBodyDecoder)
	c := newContract(t)
	c.startJob(t, "manufacturer")
	job, excused := c.job, excuses(t)
	drivers := c.drivers()
	for _, file := range []string{"testdata/epcis-openapi.json", "../../../../shared/gs1/openapi/openapi.json"} {
		t.Run(file[strings.LastIndexByte(file, '/')+1:], func(t *testing.T) {
			doc, asked := officialFile(t, file), 0
			for _, q := range []struct{ key, path string }{
				{"OPTIONS /capture", ""},
				{"GET /capture", ""},
				{"POST /capture", ""},
				{"OPTIONS /capture/{captureID}", "/capture/" + job},
				{"GET /capture/{captureID}", "/capture/" + job},
				{"OPTIONS /events", ""},
				{"POST /events", ""},
				{"GET /", ""},
				{"OPTIONS /", ""},
			} {
				method, path, _ := strings.Cut(q.key, " ")
				item := doc.Paths.Value(path)
				if item == nil || item.GetOperation(method) == nil {
					continue // an excerpt
				}
				calls := drivers[strings.Replace(q.key, "{captureID}", "{id}", 1)]
				calls = append(calls, call{}, call{header: []string{"GS1-EPCIS-Min: 3.0"}}, call{header: []string{"Accept: text/nonsense"}}, call{header: []string{"Content-Type: text/nonsense"}})
				for _, service := range []string{"manufacturer", "api"} {
					for i := range calls {
						k := &calls[i]
						if k.at != "" && k.at != service || service == "api" && method == http.MethodPost || strings.HasPrefix(k.path, "?") {
							continue // the api captures nothing, and pages are asked for in package epcisrest
						}
						at := path
						if q.path != "" {
							at = q.path
							if service == "api" {
								at = "/capture/" + "0194e9a4-0000-7000-8000-000000000000"
							}
						}
						for _, stranger := range []bool{false, true} {
							a := c.send(t, service, method, at, k, stranger)
							asked++
							judgeOfficial(t, doc, path, item, method, service, k, a, excused)
						}
					}
				}
			}
			if asked < 20 {
				t.Errorf("%d requests", asked)
			}
		})
	}
	// A row that only the official file needs is seen where that file is.
	_, err := os.Stat("../../../../shared/gs1/openapi/openapi.json")
	for _, e := range excused {
		if !e.used && err == nil {
			t.Errorf("docs/epcis-rest.md excuses %s with %s, and nothing needs it", e.request, e.answer)
		}
	}
}

func judgeOfficial(t *testing.T, doc *openapi3.T, path string, item *openapi3.PathItem, method, service string, k *call, a *answer, excused []*excuse) {
	t.Helper()
	xml := strings.HasSuffix(a.Header.Get("Content-Type"), "xml")
	err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: a.Request, Route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)},
		},
		Status: a.StatusCode, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: xml, // the official XSD judges those
			SchemaValidationOptions: []openapi3.SchemaValidationOption{
				openapi3.WithStringFormatValidator("uri", openapi3.NewRegexpFormatValidator(`^(<|[A-Za-z][A-Za-z0-9+.-]*:)`)),
			},
		},
	})
	if err == nil && a.StatusCode < http.StatusBadRequest && a.Header.Get("GS1-Extensions") == "" {
		err = fmt.Errorf("the answer has no GS1-Extensions")
	}
	if err == nil {
		return
	}
	var p struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(a.body, &p)
	for _, e := range excused {
		if e.request == method+" "+path && (e.answer == fmt.Sprint(a.StatusCode) || e.answer == fmt.Sprintf("%d %s", a.StatusCode, p.Type) ||
			len(a.body) == 0 && e.answer == fmt.Sprintf("%d, no body", a.StatusCode)) {
			e.used = true
			return
		}
	}
	t.Errorf("%s: %s %s %v: %d\n%.1200v\n%.500s", service, method, path, k.header, a.StatusCode, err, a.body)
}
