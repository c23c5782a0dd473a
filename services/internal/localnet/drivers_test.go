package localnet_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"verilot.dev/services/internal/localnet"
)

const inXML = "Content-Type: application/xml"

// drivers are the requests that each operation is tried with, by method and path: a good one and a
// bad one where there is such a thing.
func (c *contract) drivers() map[string][]call {
	unit, gtin := url.QueryEscape(c.told.InPharmacy), c.told.Product.GTIN
	get := map[string][]string{
		"/healthz": {""}, "/readyz": {""}, "/metrics": {""}, "/openapi.json": {""}, "/app.json": {""}, "/": {""},
		"/v1/session": {"", "?x=y"}, "/v1/status": {"", "?x=y"}, "/v1/validators": {"", "?x=y"}, "/v1/genesis": {"", "?x=y"}, "/v1/checkpoint": {"", "?x=y"}, "/v1/feed": {"", "?after=x"},
		"/v1/trace":  {"?id=" + unit, "?id=" + url.QueryEscape(c.told.Cases[0]), "?id=" + url.QueryEscape(c.told.Counterfeit), "?id=x", ""},
		"/v1/verify": {"?id=" + unit, "?id=" + url.QueryEscape(c.told.Counterfeit), "?id=x"}, "/v1/scan": {"?text=" + unit, "?text=x", ""},
		"/v1/proof": {"?id=" + unit, "?format=binary&id=" + unit, "?id=x"}, "/v1/search": {"?q=" + c.told.Lot, ""},
		"/v1/lots": {"", "?gtin=" + gtin + "&limit=1", "?after=%21"}, "/v1/lots/{gtin}/{lot}": {"", "/v1/lots/" + gtin + "/NONE"},
		"/v1/lots/{gtin}/{lot}/units": {"", "?format=csv", "/v1/lots/x/y/units"}, "/v1/lots/{gtin}/{lot}/containers": {"", "/v1/lots/x/y/containers"},
		"/v1/products": {"", "?after=%21"}, "/v1/shipments": {"?to=" + localnet.DemoDistributor, ""}, "/v1/recalls": {"", "?x=y"}, "/v1/recalls/{number}": {"", "/v1/recalls/NONE"},
		"/v1/recalls/{number}/units": {"", "?format=csv", "/v1/recalls/NONE/units"}, "/v1/blocks": {"", "?limit=0"}, "/v1/blocks/{height}": {"", "/v1/blocks/0", "/v1/blocks/999999"},
		"/v1/events/{height}/{entry}/{item}": {"", "/v1/events/1/0/999"}, "/v1/parties": {"", "?x=y"}, "/v1/parties/{id}": {"", "/v1/parties/nobody"},
		"/01/{gtin}/21/{serial}": {"", "/01/1/21/1"}, "/v1/ndc": {"?q=aspirin", "?limit=0"},
		"/capture": {"", "?perPage=1", "?perPage=x"}, "/capture/{id}": {"", "/capture/x"}, "/capture/{id}/errors": {"", "/capture/x/errors"}, "/capture/{id}/verdicts": {"", "/capture/x/verdicts"},
		"/events": {"", "?perPage=2", "?EQ_nothing=1"}, "/events/{eventID}": {""},
		"/queries": {"", "?perPage=x"}, "/queries/{name}": {"", "/queries/none"}, "/queries/{name}/events": {"", "?perPage=1", "/queries/none/events"},
		"/queries/{name}/subscriptions": {"", "/queries/none/subscriptions"}, "/queries/{name}/subscriptions/{id}": {""},
	}
	for _, r := range [][2]string{{"eventTypes", "{eventType}"}, {"epcs", "{epc}"}, {"bizSteps", "{bizStep}"}, {"dispositions", "{disposition}"}, {"readPoints", "{readPoint}"}, {"bizLocations", "{bizLocation}"}} {
		get["/"+r[0]] = []string{"", "?perPage=x"}
		get["/"+r[0]+"/"+r[1]] = []string{"", "/" + r[0] + "/urn%3Ax%3Anone"}
		get["/"+r[0]+"/"+r[1]+"/events"] = []string{"", "?EQ_nothing=1"}
	}
	out := map[string][]call{
		"DELETE /v1/session": {{}}, "POST /v1/session": {{body: `{"token":"wrong"}`}, {body: `{}`}}, "DELETE /nextPageToken/{token}": {{}},
		"POST /v1/foresee":       {{header: []string{"Content-Type: application/octet-stream"}}},
		"DELETE /queries/{name}": {{path: "/queries/gone"}, {path: "/queries/none"}}, "DELETE /queries/{name}/subscriptions/{id}": {{}},
	}
	for path, list := range get {
		for _, p := range list {
			out["GET "+path] = append(out["GET "+path], call{path: p})
		}
	}
	for service, token := range c.n.Tokens {
		out["POST /v1/session"] = append(out["POST /v1/session"], call{at: service, body: `{"token":"` + token + `"}`})
	}
	xml := call{header: []string{"Accept: application/xml"}}
	for _, key := range []string{"GET /events", "GET /epcs/{epc}/events", "GET /capture/{id}", "GET /queries/{name}/events"} {
		out[key] = append(out[key], xml)
	}
	c.commands(out)
	c.documents(out)
	return out
}

// commands are the orders of the trade, each at a service whose business it is.
func (c *contract) commands(out map[string][]call) {
	gtin, u := c.told.Product.GTIN, c.unit
	party := func(id string) map[string]any { return map[string]any{"party": id} }
	for _, k := range []struct {
		name, at string
		body     map[string]any
	}{
		{"products", "manufacturer", map[string]any{"gtin": gtin, "name": "Lakesidol, renamed"}},
		{"lots", "manufacturer", map[string]any{"gtin": gtin, "lot": "ANOTHER", "expiry": c.told.Expiry}},
		{"serials", "manufacturer", map[string]any{"gtin": gtin, "count": 2}},
		{"commission", "manufacturer", map[string]any{"gtin": gtin, "lot": c.lot, "expiry": c.told.Expiry, "count": 1}},
		{"pack", "manufacturer", map[string]any{"children": u[12:14]}},
		{"unpack", "manufacturer", map[string]any{"parent": c.case1}},
		{"ship", "manufacturer", map[string]any{"items": u[14:15], "to": party(localnet.DemoDistributor)}},
		{"receive", "distributor", map[string]any{"items": u[2:3], "from": party(localnet.DemoMaker)}},
		{"return", "distributor", map[string]any{"items": u[0:1], "to": party(localnet.DemoMaker), "returnAuthorization": "RMA-1"}},
		{"dispense", "pharmacy", map[string]any{"items": u[1:2]}},
		{"quarantine", "manufacturer", map[string]any{"items": u[15:16]}},
		{"release", "manufacturer", map[string]any{"items": u[7:8]}},
		{"recall", "manufacturer", map[string]any{"recallNumber": "R-CONTRACT", "units": u[16:17]}},
		{"decommission", "manufacturer", map[string]any{"items": u[17:18]}},
		{"destroy", "manufacturer", map[string]any{"items": u[8:9]}},
		{"findings/resolve", "manufacturer", map[string]any{"event": c.finding, "code": "LOT_UNREGISTERED", "outcome": "acknowledged", "units": c.found}},
		{"take-back", "manufacturer", map[string]any{"event": c.position}},
		{"parties", "manufacturer", map[string]any{"id": "harbor", "name": "Harbor Drug", "roles": []string{"dispenser"}}},
	} {
		b, err := json.Marshal(k.body)
		if err != nil {
			panic(err)
		}
		out["POST /v1/"+k.name] = []call{{body: `{}`}, {at: k.at, body: string(b)}, {body: `{`}}
	}
}

// documents are what is captured, and named queries.
func (c *contract) documents(out map[string][]call) {
	event := func(id int) string {
		return fmt.Sprintf(`{"type":"ObjectEvent","action":"OBSERVE","bizStep":"inspecting","eventID":"urn:uuid:0194e9a4-0000-7000-8000-%012d","eventTime":%q,"eventTimeZoneOffset":"+00:00",`+
			`"epcList":[%q],"readPoint":{"id":%q}`, id, time.Now().UTC().Add(-time.Duration(id)*time.Minute).Format(time.RFC3339), c.unit[9], localnet.DemoMakerSGLN)
	}
	const context = `"@context":"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",`
	document := `{` + context + `"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-01-01T00:00:00Z","epcisBody":{"eventList":[` + event(1) + `}]}}`
	out["POST /capture"] = []call{
		{at: "manufacturer", body: document},
		{at: "manufacturer", body: document, header: []string{"Accept: application/xml"}},
		{body: `{}`},
		{body: `<x/>`, header: []string{inXML}},
		{body: `<x/>`, header: []string{inXML, "Accept: application/xml"}},
		{body: document, header: []string{"GS1-Capture-Error-Behaviour: nonsense"}},
	}
	out["POST /events"] = []call{{at: "manufacturer", body: `{` + context + event(2)[1:] + `}`}, {body: document}, {body: `<x/>`, header: []string{inXML, "Accept: application/xml"}}}
	out["GET /events/{eventID}"] = append(out["GET /events/{eventID}"], call{at: "manufacturer", path: "/events/urn%3Auuid%3A0194e9a4-0000-7000-8000-000000000002"})
	out["POST /v1/onboarding"] = []call{{at: "manufacturer", body: document}, {body: `[]`}}
	out["POST /v1/onboarding/licences"] = []call{{at: "manufacturer", body: `[{"party":"lakeside","number":"L-1","kind":"fda_establishment"}]`}, {body: `{}`}, {body: `[{"party":"nobody","number":"1","kind":"x"}]`}}
	out["POST /queries"] = []call{{body: `{"name":"contract","query":{"EQ_bizStep":["shipping"]}}`}, {body: `{"name":"gone","query":{}}`}, {body: `{}`}}
	out["POST /queries/{name}/subscriptions"] = []call{{at: "manufacturer", body: `{"dest":"http://127.0.0.1:65000/","stream":true}`}, {body: `{}`}}
}
