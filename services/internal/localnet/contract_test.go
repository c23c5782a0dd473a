package localnet_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
)

// contract is a running network with sign-in, on which a short story was told.
type contract struct {
	n        *localnet.Network
	told     *demo.ShortStory
	net      demo.Network
	lot      string   // one that is under no recall
	unit     []string // of that lot
	found    []string // what the finding is about
	finding, // the event that raised one
	case1,
	job, // the id of a capture job at the service that is asked
	position, // of an event of the maker
	subscription string // the newest
}

func newContract(t *testing.T) *contract {
	t.Helper()
	n, err := localnet.Start(t.Context(), localnet.Options{Dir: t.TempDir(), Validators: 1, SignIn: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	c := &contract{n: n, net: demo.NetworkOf(n), lot: "CONTRACT"}
	if c.told, err = demo.PlayShort(t.Context(), c.net, demo.Invented, demo.ShortSize{Cases: 2, PerCase: 3}, time.Now, func(string) {}); err != nil {
		t.Fatal(err)
	}
	c.do(t, "manufacturer", "lots", map[string]any{"gtin": c.told.Product.GTIN, "lot": c.lot, "expiry": c.told.Expiry})
	var made struct {
		EPCs []string `json:"epcs"`
	}
	c.do(t, "manufacturer", "commission", map[string]any{"gtin": c.told.Product.GTIN, "lot": c.lot, "expiry": c.told.Expiry, "count": 20}, &made)
	c.unit = made.EPCs
	c.do(t, "manufacturer", "commission", map[string]any{"gtin": c.told.Product.GTIN, "lot": "NOBODYS", "expiry": c.told.Expiry, "count": 1}, &made)
	c.finding, c.found = c.position, made.EPCs // LOT_UNREGISTERED
	var packed struct {
		Parent string `json:"parent"`
	}
	c.do(t, "manufacturer", "pack", map[string]any{"children": c.unit[10:12]}, &packed)
	c.case1 = packed.Parent
	to := func(party string) map[string]any { return map[string]any{"party": party} }
	c.do(t, "manufacturer", "ship", map[string]any{"items": c.unit[0:3], "to": to(localnet.DemoDistributor)})
	c.do(t, "distributor", "receive", map[string]any{"items": c.unit[0:2], "from": to(localnet.DemoMaker)})
	c.do(t, "distributor", "ship", map[string]any{"items": c.unit[1:2], "to": to(localnet.DemoPharmacy)})
	c.do(t, "pharmacy", "receive", map[string]any{"items": c.unit[1:2], "from": to(localnet.DemoDistributor)})
	c.do(t, "manufacturer", "quarantine", map[string]any{"items": c.unit[7:8]})
	c.do(t, "manufacturer", "quarantine", map[string]any{"items": c.unit[8:9], "reason": "damaged"})
	c.do(t, "manufacturer", "quarantine", map[string]any{"items": c.unit[6:7], "reason": "other"}) // what is taken back later
	return c
}

func (c *contract) do(t *testing.T, service, command string, body map[string]any, result ...any) {
	t.Helper()
	job, err := c.net.At(service).Command(t.Context(), command, body)
	if err != nil || !job.Success {
		t.Fatalf("%s %s: %v %+v", service, command, err, job)
	}
	for _, v := range job.Verdicts {
		c.position = fmt.Sprint(v.Position)
	}
	for _, r := range result {
		if err := json.Unmarshal(job.Result, r); err != nil {
			t.Fatal(err)
		}
	}
}

// startJob makes a capture job that can be looked at.
func (c *contract) startJob(t *testing.T, service string) {
	t.Helper()
	command, body := "quarantine", map[string]any{"items": []string{c.unit[19]}, "reason": "other"}
	switch service {
	case "api":
		command, body = "recall", map[string]any{"recallNumber": "R-OFFICE", "units": []string{c.unit[18]}}
	case "distributor":
		body["items"] = []string{c.told.Returned}
	case "pharmacy":
		body["items"] = []string{c.told.InPharmacy}
	}
	job, err := c.net.At(service).Command(t.Context(), command, body)
	if err != nil {
		t.Fatal(err)
	}
	c.job = job.CaptureID
}

// A call is one request of a driver. Its path is that of the operation, unless it has one.
type call struct {
	path   string
	body   string
	header []string
	at     string // the only service at which it is sent; "": all
}

// signIn puts the service's token on a request. No other code does.
func (c *contract) signIn(req *http.Request, service string) {
	req.Header.Set("Authorization", "Bearer "+c.n.Tokens[service])
}

type answer struct {
	*http.Response
	body []byte
}

// send sends a call. stranger: without a token.
func (c *contract) send(t *testing.T, service, method, path string, k *call, stranger bool) *answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.n.URLs[service]+path, strings.NewReader(k.body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range k.header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Del(name)
		req.Header.Add(name, value)
	}
	if !stranger {
		c.signIn(req, service)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") == "text/event-stream" { // it has no end
		b := make([]byte, 100)
		n, err := io.ReadAtLeast(resp.Body, b, 1)
		if err != nil && method != http.MethodHead {
			t.Fatal(err)
		}
		return &answer{resp, b[:n]}
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &answer{resp, b}
}

// Every operation of every service, over HTTP: what is answered is what the service's own document says, 401 and HEAD and XML
// included. An operation without a driver fails.
func TestContract(t *testing.T) {
	for _, contentType := range []string{"application/x-ndjson", "text/csv", "text/event-stream", "application/problem+xml", "application/xml", "text/xml"} {
		openapi3filter.RegisterBodyDecoder(contentType, openapi3filter.PlainBodyDecoder)
	}
	c := newContract(t)
	drivers := c.drivers()
	good, driven := map[string]bool{}, map[string]bool{}
	for _, service := range slices.Sorted(maps.Keys(c.n.URLs)) {
		doc, err := openapi3.NewLoader().LoadFromData(c.send(t, service, "GET", "/openapi.json", &call{}, true).body)
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", service, err)
		}
		c.startJob(t, service)
		for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
			item := doc.Paths.Value(path)
			ops := item.Operations()
			for _, method := range slices.Backward(slices.Sorted(maps.Keys(ops))) { // POST first, DELETE last
				op := ops[method]
				key := method + " " + path
				calls, ok := drivers[key]
				if !ok && method == http.MethodOptions {
					calls, ok = []call{{}}, true
				}
				if !ok {
					t.Errorf("%s: %s has no driver", service, key)
					continue
				}
				driven[key] = true
				route := &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op}
				v := &visit{c: c, t: t, service: service, route: route, fill: c.fill(path)}
				for i := range calls {
					if calls[i].at == "" || calls[i].at == service {
						good[key] = v.call(&calls[i]) || good[key]
					}
				}
				v.around(calls)
			}
		}
	}
	for key := range drivers {
		if !driven[key] {
			t.Errorf("%s is driven, and no service has it", key)
		}
		if !good[key] && !slices.Contains(neverGood, key) {
			t.Errorf("%s has no good answer anywhere", key)
		}
	}
}

// neverGood are operations that only say why they do nothing here: page tokens are kept nowhere, and
// what the rules would say is asked by partner services alone, which do it in this test.
var neverGood = []string{"DELETE /nextPageToken/{token}", "POST /v1/foresee"}

// visit is one operation of one service.
type visit struct {
	c       *contract
	t       *testing.T
	service string
	route   *routers.Route
	fill    string
}

// call sends a call and judges the answer; it reports whether that is a good one.
func (v *visit) call(k *call) bool {
	a := v.send(k, v.route.Method, false)
	v.judge(k, a)
	if at := a.Header.Get("Location"); strings.Contains(at, "/subscriptions/") {
		v.c.subscription = at[strings.LastIndexByte(at, '/')+1:]
	}
	good := a.StatusCode < http.StatusBadRequest
	if k.at != "" && !good {
		v.fault(k, a, "the request is meant to be good")
	}
	return good
}

func (v *visit) path(k *call) string {
	if k.path == "" {
		return v.fill
	}
	if strings.HasPrefix(k.path, "?") {
		return v.fill + k.path
	}
	return k.path
}

func (v *visit) send(k *call, method string, stranger bool) *answer {
	v.t.Helper()
	return v.c.send(v.t, v.service, method, v.path(k), k, stranger)
}

func (v *visit) fault(k *call, a *answer, format string, args ...any) {
	v.t.Helper()
	v.t.Errorf("%s: %s %s %v: %d %s\n%.1500s\n%.600s", v.service, v.route.Method, v.path(k), k.header, a.StatusCode, a.Header.Get("Content-Type"), fmt.Sprintf(format, args...), a.body)
}

// judge compares an answer with the document.
func (v *visit) judge(k *call, a *answer) {
	v.t.Helper()
	problem := strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+")
	if a.StatusCode >= http.StatusInternalServerError && a.StatusCode != http.StatusNotImplemented || problem != (a.StatusCode >= http.StatusBadRequest) {
		v.fault(k, a, "no good answer and no problem")
	}
	if len(a.body) > 0 && !problem && a.Header.Get("Content-Type") == "" {
		v.fault(k, a, "a body without a type")
	}
	exclude := a.Header.Get("Content-Type") == "" || strings.HasPrefix(a.Header.Get("Content-Type"), "text/") // no schema says more than that it is text
	if err := openapi3filter.ValidateResponse(v.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: a.Request, Route: v.route},
		Status:                 a.StatusCode, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: exclude},
	}); err != nil {
		v.fault(k, a, "%v", err)
	}
	if r := v.route.Operation.Responses.Status(a.StatusCode); r == nil && a.StatusCode < http.StatusBadRequest {
		v.fault(k, a, "the document does not have this status")
	} else if r != nil && len(a.body) > 0 {
		name, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";")
		if r.Value.Content[name] == nil {
			v.fault(k, a, "the document does not have this type")
		}
	}
}

// around asks what holds for every operation alike.
func (v *visit) around(calls []call) {
	op, method := v.route.Operation, v.route.Method
	first := call{}
	for _, k := range calls {
		if k.at == "" || k.at == v.service {
			first = k
			break
		}
	}
	if v.fill != "/v1/session" {
		a := v.send(&first, method, true)
		asks := op.Security != nil && len(*op.Security) > 0
		if (a.StatusCode == http.StatusUnauthorized) != asks || asks && (op.Responses.Value("401") == nil || a.Header.Get("WWW-Authenticate") == "") {
			v.fault(&first, a, "the document says sign-in needed: %v", asks)
		}
		v.judge(&first, a)
	}
	epcis := slices.Contains(op.Tags, "EPCIS")
	if method == http.MethodGet {
		get, head := v.send(&first, method, false), v.send(&first, http.MethodHead, false)
		if get.StatusCode != head.StatusCode || get.Header.Get("Content-Type") != head.Header.Get("Content-Type") || len(head.body) > 0 {
			v.fault(&first, head, "HEAD is not GET without its body: %d %s", get.StatusCode, get.Header.Get("Content-Type"))
		}
		if !slices.Contains(op.Tags, "service") {
			k := first
			k.header = append(slices.Clone(first.header), "Accept: text/nonsense")
			a := v.send(&k, method, false)
			if v.judge(&k, a); a.StatusCode != http.StatusNotAcceptable {
				v.fault(&k, a, "an Accept that nothing fits is not refused")
			}
		}
	}
	if body := op.RequestBody; body != nil {
		k := first
		k.header = append(slices.Clone(first.header), "Content-Type: text/nonsense")
		a := v.send(&k, method, false)
		v.judge(&k, a)
		for name := range body.Value.Content {
			if a.StatusCode == http.StatusUnsupportedMediaType && !(strings.Contains(string(a.body), name) && strings.Contains(a.Header.Get("Accept"), name)) {
				v.fault(&k, a, "%s is accepted, and not named", name)
			}
		}
		if a.StatusCode != http.StatusUnsupportedMediaType && a.StatusCode != http.StatusForbidden && body.Value.Content["application/octet-stream"] == nil {
			v.fault(&k, a, "a Content-Type that nothing reads is not refused so")
		}
	}
	if epcis && method != http.MethodDelete {
		k := first
		k.header = append(slices.Clone(first.header), "Accept: application/problem+xml, application/xml;q=0.9, application/json;q=0.1", "GS1-EPCIS-Min: 3.0")
		a := v.send(&k, method, false)
		if v.judge(&k, a); a.StatusCode != http.StatusNotAcceptable || a.Header.Get("Content-Type") != "application/problem+xml" || !bytes.Contains(a.body, []byte("<epcis:EPCISException")) {
			v.fault(&k, a, "a problem is not XML")
		}
	}
}

// fill puts values that exist into a path.
func (c *contract) fill(path string) string {
	height, rest, _ := strings.Cut(c.position, "/")
	entry, item, _ := strings.Cut(rest, "/")
	lot, name := c.told.Lot, "contract"
	serial := c.told.InPharmacy[strings.LastIndexByte(c.told.InPharmacy, '.')+1:]
	return strings.NewReplacer(
		"{gtin}", c.told.Product.GTIN, "{lot}", lot, "{serial}", serial, "{height}", height, "{entry}", entry, "{item}", item, "{number}", c.told.RecallNumber,
		"/v1/parties/{id}", "/v1/parties/lakeside", "/capture/{id}", "/capture/"+c.job, "/subscriptions/{id}", "/subscriptions/"+cmp.Or(c.subscription, "none"),
		"{name}", name, "{epc}", url.PathEscape(c.told.InPharmacy), "{bizStep}", "shipping", "{disposition}", "in_transit", "{eventType}", "ObjectEvent",
		"{readPoint}", url.PathEscape(localnet.DemoMakerSGLN), "{bizLocation}", url.PathEscape(localnet.DemoMakerSGLN), "{eventID}", "urn%3Ax", "{token}", "abc",
	).Replace(path)
}
