package ledgerrest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

func (w *world) document(t *testing.T, service string) *openapi3.T {
	t.Helper()
	_, b := w.call(t, service, http.MethodGet, "/openapi.json", nil)
	doc, err := openapi3.NewLoader().LoadFromData(b)
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Errorf("%s: %v", service, err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("%s: OpenAPI %s, want 3.1", service, doc.OpenAPI)
	}
	return doc
}

// Each service describes itself in a valid document, and every operation of it says what a problem looks like.
func TestOpenAPIDocuments(t *testing.T) {
	w := newWorld(t)
	for service := range w.n.URLs {
		doc := w.document(t, service)
		if doc.Paths.Len() == 0 {
			t.Errorf("%s: no paths", service)
		}
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				if op.Summary == "" || op.OperationID == "" {
					t.Errorf("%s: %s %s has no summary or no operation id", service, method, path)
				}
				described := false
				for _, r := range op.Responses.Map() {
					m := r.Value.Content["application/problem+json"]
					described = described || m != nil && m.Schema.Ref == "#/components/schemas/Problem"
				}
				if !described {
					t.Errorf("%s: %s %s does not describe its problems", service, method, path)
				}
			}
		}
	}
}

// What the api answers is what its OpenAPI document says: for every operation a good answer and a problem.
func TestAnswersMatchOpenAPI(t *testing.T) {
	w := newWorld(t)
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.PlainBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/csv", openapi3filter.PlainBodyDecoder)
	doc := w.document(t, "api")
	unit, lot := url.QueryEscape(w.told.InPharmacy), w.told.Product.GTIN+"/"+w.told.Lot
	serial := w.told.InPharmacy[strings.LastIndexByte(w.told.InPharmacy, '.')+1:]
	examples := map[string][]string{
		"trace": {
			"/v1/trace?id=" + unit, "/v1/trace?id=" + url.QueryEscape(w.told.Cases[0]), "/v1/trace?id=" + url.QueryEscape(w.told.Returned),
			"/v1/trace?id=" + url.QueryEscape(w.told.Counterfeit), "/v1/trace?id=x", "/v1/trace?id=010039999001234721CMQTY98L1QF20J45NA0817280204105WPGHPR",
		},
		"check":          {"/v1/verify?id=" + unit, "/v1/verify?id=" + url.QueryEscape(w.told.Counterfeit), "/v1/verify?id=x"},
		"scan":           {"/v1/scan?text=" + unit, "/v1/scan?text=x", "/v1/scan?text=010039999001234721CMQTY98L1QF20J45NA0817280204105WPGHPR", "/v1/scan"},
		"lot":            {"/v1/lots/" + lot, "/v1/lots/" + w.told.Product.GTIN + "/NONE"},
		"lot-units":      {"/v1/lots/" + lot + "/units", "/v1/lots/x/y/units"},
		"blocks":         {"/v1/blocks", "/v1/blocks?limit=2&before=3", "/v1/blocks?limit=0"},
		"block":          {"/v1/blocks/0", "/v1/blocks/1", "/v1/blocks/5", "/v1/blocks/999999"},
		"event":          {"/v1/events/1/0/0", "/v1/events/5/0/0", "/v1/events/1/0/99"},
		"parties":        {"/v1/parties", "/v1/parties?x=y"},
		"party":          {"/v1/parties/lakeside", "/v1/parties/authority", "/v1/parties/nobody"},
		"recalls":        {"/v1/recalls", "/v1/recalls?x=y"},
		"status":         {"/v1/status", "/v1/status?x=y"},
		"validators":     {"/v1/validators", "/v1/validators?x=y"},
		"digital-link":   {"/01/" + w.told.Product.GTIN + "/21/" + serial, "/01/1/21/1"},
		"genesis":        {"/v1/genesis", "/v1/genesis?x=y"},
		"checkpoint":     {"/v1/checkpoint", "/v1/checkpoint?x=y"},
		"lots":           {"/v1/lots", "/v1/lots?gtin=" + w.told.Product.GTIN + "&party=lakeside&limit=1", "/v1/lots?q=" + w.told.Lot, "/v1/lots?after=%21"},
		"products":       {"/v1/products", "/v1/products?q=lakes&limit=1", "/v1/products?after=%21"},
		"shipments":      {"/v1/shipments?to=midland", "/v1/shipments?from=lakeside&to=midland&open=true", "/v1/shipments"},
		"search":         {"/v1/search?q=" + w.told.Lot, "/v1/search?q=nothing+at+all", "/v1/search?q=" + unit, "/v1/search"},
		"recall-detail":  {"/v1/recalls/" + w.told.RecallNumber, "/v1/recalls/NONE"},
		"recall-units":   {"/v1/recalls/" + w.told.RecallNumber + "/units", "/v1/recalls/" + w.told.RecallNumber + "/units?format=csv", "/v1/recalls/NONE/units"},
		"lot-containers": {"/v1/lots/" + lot + "/containers", "/v1/lots/" + w.told.Product.GTIN + "/NONE/containers"},
		"proof":          {"/v1/proof?id=" + unit, "/v1/proof?format=binary&id=" + unit, "/v1/proof?id=x"},
	}
	for id, paths := range examples {
		t.Run(id, func(t *testing.T) {
			route := routeOf(t, doc, id)
			good, bad := 0, 0
			for _, path := range paths {
				resp, b := w.call(t, "api", http.MethodGet, path, nil)
				if resp.StatusCode == http.StatusOK {
					good++
				} else {
					bad++
				}
				if err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
					RequestValidationInput: &openapi3filter.RequestValidationInput{Request: resp.Request, Route: route},
					Status:                 resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(b)),
					Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
				}); err != nil {
					t.Errorf("%s: %d %.2000v", path, resp.StatusCode, err)
				}
			}
			if good == 0 || bad == 0 {
				t.Errorf("%d good answers and %d problems, want both", good, bad)
			}
		})
	}
	for _, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			// The feed never ends (TestFeed); sign-in and the regulator's own captures have tags, and tests of their own.
			if op.OperationID == "feed" || len(op.Tags) > 0 {
				continue
			}
			if examples[op.OperationID] == nil || method != http.MethodGet {
				t.Errorf("%s %s has no example here", method, op.OperationID)
			}
		}
	}
}

func routeOf(t *testing.T, doc *openapi3.T, id string) *routers.Route {
	t.Helper()
	for path, item := range doc.Paths.Map() {
		if item.Get != nil && item.Get.OperationID == id {
			return &routers.Route{Spec: doc, Path: path, PathItem: item, Method: http.MethodGet, Operation: item.Get}
		}
	}
	t.Fatalf("the document has no operation %s", id)
	return nil
}

// Whatever stands in an address, the api answers with a problem or an answer, and never with a fault of its own.
func TestNothingIsAFault(t *testing.T) {
	w := newWorld(t)
	hostile := []string{
		"", "0", "-1", "1e9", "18446744073709551616", "\x00", "\x1d", "\xff\xfe", "../../etc/passwd", "%", "'", `"`, "<script>", "☤", "(01)", "]d2", "urn:epc:id:",
		"https://id.gs1.org/01/", "(01)00399990012347(21)", strings.Repeat("(10)", 500), strings.Repeat("9", 2000), "0100399990012347\x1d21\x1d", "00399990012347",
	}
	doc := w.document(t, "api")
	asked := 0
	for path, item := range doc.Paths.Map() {
		if item.Get == nil || item.Get.OperationID == "feed" || len(item.Get.Tags) > 0 { // as in TestAnswersMatchOpenAPI
			continue
		}
		for _, p := range item.Get.Parameters {
			for _, text := range hostile {
				address, query := path, url.Values{}
				for _, other := range item.Get.Parameters {
					value := "1"
					if other.Value.Name == p.Value.Name {
						value = text
					} else if !other.Value.Required {
						continue
					}
					if other.Value.In == openapi3.ParameterInPath {
						address = strings.ReplaceAll(address, "{"+other.Value.Name+"}", url.PathEscape(value))
					} else {
						query.Set(other.Value.Name, value)
					}
				}
				resp, b := w.call(t, "api", http.MethodGet, address+"?"+query.Encode(), nil)
				asked++
				if resp.StatusCode >= http.StatusInternalServerError {
					t.Errorf("%s?%s: %d %s", address, query.Encode(), resp.StatusCode, b)
				}
				if resp.StatusCode != http.StatusOK {
					problemOf(t, resp, b)
				}
			}
		}
	}
	if asked < 300 {
		t.Errorf("%d questions asked, want hundreds", asked)
	}
}
