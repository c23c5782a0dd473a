package epcisrest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/chain"
)

// mount offers the world's copy over HTTP; w.caller is who asks.
func (w *world) mount() *world {
	w.s = Mount(w.api, Options{
		Genesis: w.chain.Genesis(), Copy: w.chain, Now: func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) }, Version: "verilot test",
		Callers: func(r *http.Request) (Caller, *httpapi.Problem) {
			if r.Header.Get("X-Nobody") != "" {
				return Caller{}, httpapi.NewProblem(httpapi.ReadNeedsSignIn, "sign in")
			}
			return w.caller, nil
		},
	})
	MountNoCapture(w.api)
	return w
}

// ask calls the api; headers are written "Name: value".
func (w *world) ask(method, path string, header ...string) *httptest.ResponseRecorder {
	w.tb.Helper()
	r := httptest.NewRequestWithContext(w.tb.Context(), method, path, http.NoBody)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	rec := httptest.NewRecorder()
	w.api.Engine.ServeHTTP(rec, r)
	return rec
}

// read parses an answer with our own reader, which refuses what the official schema refuses.
func read(tb testing.TB, rec *httptest.ResponseRecorder) *epcis.Document {
	tb.Helper()
	if rec.Code != http.StatusOK {
		tb.Fatalf("%d %s", rec.Code, rec.Body)
	}
	d, err := epcisdoc.Parse(bytes.NewReader(rec.Body.Bytes()), epcis.Options{})
	if err != nil {
		tb.Fatalf("%v\n%s", err, rec.Body)
	}
	if len(d.Problems) > 0 {
		tb.Logf("%+v\n%s", d.Problems, rec.Body)
	}
	for _, p := range d.Problems {
		if p.Schema {
			tb.Errorf("the official schema refuses the answer: %+v\n%s", p, rec.Body)
		}
	}
	return d
}

func problem(tb testing.TB, rec *httptest.ResponseRecorder) httpapi.Problem {
	tb.Helper()
	var p httpapi.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Header().Get("Content-Type") != "application/problem+json" || p.Status != rec.Code || p.Detail == "" || p.Instance == "" {
		tb.Errorf("not a problem: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	return p
}

func members(tb testing.TB, rec *httptest.ResponseRecorder) []string {
	tb.Helper()
	var c struct {
		Context any      `json:"@context"`
		Type    string   `json:"type"`
		Member  []string `json:"member"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &c); err != nil || rec.Code != http.StatusOK || c.Context == nil || c.Type != "Collection" {
		tb.Errorf("not a collection: %d %s", rec.Code, rec.Body)
	}
	return c.Member
}

func next(rec *httptest.ResponseRecorder) string {
	link, ok := strings.CutSuffix(rec.Header().Get("Link"), `>; rel="next"`)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(link, "<")
}

func ids(d *epcis.Document) []string {
	var out []string
	for i := range d.Events {
		out = append(out, d.Events[i].Event.EventID)
	}
	return out
}

// trade is a small story: acme makes six units, packs two cases and a pallet, sells one case to midland, which sells a unit to corner.
func trade(tb testing.TB) *world {
	tb.Helper()
	w := newWorld(tb).mount()
	w.told("acme", "make", epcis.Commission(w.at("acme"), []string{unit(1), unit(2), unit(3), unit(4), unit(5), unit(6)}, "A", "2035-12-31"))
	w.told("acme", "boxes", epcis.Commission(w.at("acme"), []string{box(1), box(2)}, "", ""))
	w.told("acme", "pack1", epcis.Pack(w.at("acme"), box(1), []string{unit(1), unit(2), unit(3)}))
	w.told("acme", "pack2", epcis.Pack(w.at("acme"), box(2), []string{unit(4), unit(5)}))
	w.block()
	w.told("acme", "ship", epcis.Ship(w.at("acme"), []string{box(1)}, shipment("acme", "midland")))
	w.told("midland", "receive", epcis.Receive(w.at("midland"), []string{box(1)}, shipment("acme", "midland")))
	w.block()
	w.told("midland", "unpack", epcis.Unpack(w.at("midland"), box(1), []string{unit(1)}))
	s := shipment("midland", "corner")
	w.told("midland", "ship2", epcis.Ship(w.at("midland"), []string{unit(1)}, s))
	w.told("corner", "receive2", epcis.Receive(w.at("corner"), []string{unit(1)}, s))
	w.block()
	w.told("corner", "dispense", epcis.Dispense(w.at("corner"), []string{unit(1)}, false))
	w.block()
	return w
}

// Each sees what it captured, what names it, and of the rest what it holds, and no more.
func TestVisibility(t *testing.T) {
	w := trade(t)
	all := []string{"make", "boxes", "pack1", "pack2", "ship", "receive", "unpack", "ship2", "receive2", "dispense"}
	for _, tt := range []struct {
		caller Caller
		sees   []string
	}{
		{Caller{All: true}, all},
		{Caller{}, nil},
		{Caller{Party: "faraway"}, nil},
		{Caller{Party: "nobody"}, nil},
		// acme is the source of what midland receives, and holds nothing of what came later.
		{Caller{Party: "acme"}, []string{"make", "boxes", "pack1", "pack2", "ship", "receive"}},
		// midland holds case 1 with units 2 and 3.
		{Caller{Party: "midland"}, []string{"make", "boxes", "pack1", "ship", "receive", "unpack", "ship2", "receive2"}},
		// corner holds unit 1, which was made, packed and taken out of a case.
		{Caller{Party: "corner"}, []string{"make", "pack1", "unpack", "ship2", "receive2", "dispense"}},
	} {
		var want []string
		for _, id := range tt.sees {
			want = append(want, "urn:x:"+id)
		}
		for _, size := range []int{1, 1000} {
			got := names(w.pages(tt.caller, "orderBy=recordTime&orderDirection=ASC", size, nil))
			if !slices.Equal(got, want) {
				t.Errorf("%+v sees %v\nwant %v", tt.caller, got, want)
			}
		}
		head := w.chain.Head().Header.Height
		var since []Item
		for h := range head { // block by block, as a standing query does
			if err := w.s.Since(t.Context(), tt.caller, query(t, ""), h, h+1, func(it Item) error { since = append(since, it); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if got := names(since); !slices.Equal(got, want) {
			t.Errorf("Since tells %+v of %v\nwant %v", tt.caller, got, want)
		}
	}
}

// What is hidden in an event cannot be found out by asking for it.
func TestRedaction(t *testing.T) {
	w := trade(t)
	w.caller = Caller{Party: "corner"}
	made := read(t, w.ask("GET", "/events/urn%3Ax%3Amake", "GS1-EPC-Format: Never_Translates"))
	e := &made.Events[0].Event
	if !slices.Equal(e.EPCList, []string{unit(1)}) || e.Lot() != "A" {
		t.Errorf("corner sees %v of lot %q", e.EPCList, e.Lot())
	}
	if i := slices.IndexFunc(e.Extensions, func(x epcis.Extension) bool { return x.Namespace == Namespace && x.Name == "hidden" && x.Text == "5" }); i < 0 {
		t.Errorf("nothing says that five identifiers are hidden: %+v", e.Extensions)
	}
	packed := read(t, w.ask("GET", "/events/urn%3Ax%3Apack1", "GS1-EPC-Format: Never_Translates"))
	if e := &packed.Events[0].Event; !strings.HasPrefix(e.ParentID, "urn:verilot:hidden:") || !slices.Equal(e.ChildEPCs, []string{unit(1)}) {
		t.Errorf("corner sees %q %v", e.ParentID, e.ChildEPCs)
	}
	for _, text := range []string{"MATCH_epc=" + unit(2), "MATCH_anyEPC=" + unit(4), "MATCH_parentID=" + box(1), "MATCH_anyEPC=" + box(1) + "|" + unit(3)} {
		if got := w.pages(w.caller, text, 10, nil); len(got) > 0 {
			t.Errorf("%s tells corner of %v", text, names(got))
		}
	}
	if got := names(w.pages(w.caller, "MATCH_anyEPC="+unit(1), 10, nil)); len(got) != 6 {
		t.Errorf("of its own unit corner sees %v", got)
	}
	for _, path := range []string{"/events/urn%3Ax%3Apack2", "/epcs/" + url.PathEscape(unit(4)), "/epcs/" + url.PathEscape(unit(4)) + "/events", "/epcs/" + url.PathEscape(box(1)), "/readPoints/" + url.PathEscape(site("faraway"))} {
		if rec := w.ask("GET", path); rec.Code != http.StatusNotFound {
			t.Errorf("%s tells corner: %d %s", path, rec.Code, rec.Body)
		}
	}
	if got := members(t, w.ask("GET", "/epcs", "GS1-EPC-Format: Never_Translates")); !slices.Equal(got, []string{unit(1)}) {
		t.Errorf("corner knows of %v", got)
	}
	if got := members(t, w.ask("GET", "/dispositions")); slices.Contains(got, "retail_sold") || !slices.Contains(got, "dispensed") {
		t.Errorf("corner knows the dispositions %v", got)
	}
	w.caller = Caller{Party: "faraway"}
	for _, list := range []string{"/epcs", "/bizSteps", "/readPoints"} {
		if got := members(t, w.ask("GET", list)); len(got) > 0 {
			t.Errorf("faraway knows of %s %v", list, got)
		}
	}
}

func TestAnswerForms(t *testing.T) {
	w := trade(t)
	dl := "https://id.gs1.org/01/10614141073464/21/1"
	for _, tt := range []struct {
		header []string
		kind   string
		epc    string
	}{
		{nil, "application/json", dl},
		{[]string{"Accept: application/ld+json"}, "application/ld+json", dl},
		{[]string{"Accept: */*"}, "application/json", dl},
		{[]string{"Accept: text/plain, application/*;q=0.1"}, "application/json", dl},
		{[]string{"Accept: application/json;q=0.2, application/xml"}, "application/xml", dl},
		{[]string{"Accept: text/xml", "GS1-EPC-Format: Always_EPC_URN"}, "text/xml", unit(1)},
		{[]string{"GS1-EPC-Format: Always_EPC_URN"}, "application/json", unit(1)},
		{[]string{"GS1-EPC-Format: Always_GS1_Digital_Link"}, "application/json", dl},
		{[]string{"GS1-EPC-Format: Never_Translates"}, "application/json", unit(1)},
		{[]string{"GS1-EPC-Format: No_Preference"}, "application/json", unit(1)},
		{[]string{"GS1-EPCIS-Min: 1.2", "GS1-EPCIS-Max: 2", "GS1-CBV-Version: 2.0.0"}, "application/json", dl},
	} {
		rec := w.ask("GET", "/events/urn%3Ax%3Adispense", tt.header...)
		d := read(t, rec)
		if got := rec.Header().Get("Content-Type"); got != tt.kind {
			t.Errorf("%v: %s, want %s", tt.header, got, tt.kind)
		}
		if e := &d.Events[0].Event; len(d.Events) != 1 || !slices.Equal(e.EPCList, []string{tt.epc}) || e.RecordTime == "" {
			t.Errorf("%v: %+v", tt.header, e)
		}
		if rec.Header().Get("GS1-EPCIS-Version") != "2.0.0" || rec.Header().Get("GS1-CBV-Version") != "2.0.0" {
			t.Errorf("%v: %v", tt.header, rec.Header())
		}
	}
	for format, want := range map[string]string{
		"Always_Web_URI": "https://ref.gs1.org/cbv/BizStep-dispensing", "Always_URN": "urn:epcglobal:cbv:bizstep:dispensing", "Never_Translates": "urn:epcglobal:cbv:bizstep:dispensing",
	} {
		rec := w.ask("GET", "/events/urn%3Ax%3Adispense", "Accept: application/xml", "GS1-CBV-XML-Format: "+format)
		if !strings.Contains(rec.Body.String(), ">"+want+"<") {
			t.Errorf("%s: %s", format, rec.Body)
		}
	}
	for _, tt := range []struct {
		header string
		says   string
	}{
		{"Accept: text/html", "application/xml"},
		{"Accept: application/json;q=0", "Accept"},
		{"GS1-EPCIS-Min: 2.1", "speaks EPCIS 2.0"},
		{"GS1-EPCIS-Max: 1.2", "speaks EPCIS 2.0"},
		{"GS1-EPCIS-Version: 1.2", "speaks EPCIS 2.0"},
		{"GS1-CBV-Max: 1.2.2", "speaks CBV 2.0"},
		{"GS1-CBV-Min: two", "not a version"},
		{"GS1-EPC-Format: URN", "Always_EPC_URN"},
		{"GS1-CBV-XML-Format: URN", "Always_URN"},
	} {
		rec := w.ask("GET", "/events", tt.header)
		if p := problem(t, rec); rec.Code != http.StatusNotAcceptable || p.Type != "epcisException:NotAcceptableException" || !strings.Contains(p.Detail, tt.says) {
			t.Errorf("%s: %d %s", tt.header, rec.Code, rec.Body)
		}
	}
	for _, path := range []string{"/events", "/bizSteps"} {
		rec := w.ask("GET", path+"?EQ_nothing=1", "Accept: application/xml")
		if rec.Header().Get("Content-Type") != "application/problem+xml" || !strings.Contains(rec.Body.String(), "xmlns:verilot=\"urn:verilot:problem\"><type>epcisException:") {
			t.Errorf("%s: %v %s", path, rec.Header(), rec.Body)
		}
	}
}

// Links lead from page to page until everything was seen, and belong to their query and caller.
func TestLinks(t *testing.T) {
	w := trade(t)
	var got []string
	for path := "/events?orderBy=eventTime&orderDirection=ASC&perPage=3&EQ_action=ADD%7COBSERVE%7CDELETE"; path != ""; {
		rec := w.ask("GET", path)
		got = append(got, ids(read(t, rec))...)
		path = next(rec)
	}
	if len(got) != 10 || got[0] != "urn:x:make" || got[9] != "urn:x:dispense" {
		t.Errorf("%v", got)
	}
	first := next(w.ask("GET", "/events?perPage=3"))
	u, err := url.Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	token := u.Query().Get("nextPageToken")
	if again := next(w.ask("GET", "/events?perPage=3")); again != first {
		t.Errorf("the same question leads to %s and to %s", first, again)
	}
	for _, path := range []string{
		"/events?EQ_bizStep=packing&nextPageToken=" + token, "/bizSteps/packing/events?nextPageToken=" + token, "/bizSteps?nextPageToken=" + token, "/events?nextPageToken=30",
		"/events?nextPageToken=" + token[:len(token)-2], "/events?nextPageToken=%00",
	} {
		if p := problem(t, w.ask("GET", path)); p.Code != httpapi.PageTokenInvalid || p.Type != "epcisException:QueryParameterException" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	if rec := w.ask("GET", "/events?perPage=100&nextPageToken="+token); len(read(t, rec).Events) != 7 || next(rec) != "" {
		t.Errorf("with another perPage: %s", rec.Body)
	}
	w.caller = Caller{Party: "corner"}
	if p := problem(t, w.ask("GET", "/events?nextPageToken="+token)); p.Code != httpapi.PageTokenInvalid {
		t.Errorf("another caller's token: %+v", p)
	}
	w.caller = Caller{All: true}
	var units []string
	for path := "/epcs?perPage=3"; path != ""; {
		rec := w.ask("GET", path, "GS1-EPC-Format: Always_EPC_URN")
		units = append(units, members(t, rec)...)
		path = next(rec)
	}
	if len(units) != 8 || !slices.Contains(units, unit(6)) || !slices.Contains(units, box(2)) {
		t.Errorf("%v", units)
	}
	var steps []string
	for path := "/bizSteps?perPage=2"; path != ""; {
		rec := w.ask("GET", path)
		steps = append(steps, members(t, rec)...)
		path = next(rec)
	}
	if !slices.Equal(steps, []string{"commissioning", "dispensing", "packing", "receiving", "shipping", "unpacking"}) {
		t.Errorf("%v", steps)
	}
}

func TestTopLevel(t *testing.T) {
	w := trade(t)
	if got := members(t, w.ask("GET", "/")); len(got) != 9 {
		t.Errorf("%v", got)
	}
	if got := members(t, w.ask("GET", "/eventTypes")); !slices.Equal(got, eventTypes) {
		t.Errorf("%v", got)
	}
	gln := "https://id.gs1.org/414/0614141000012"
	for _, tt := range []struct {
		path   string
		events int
	}{
		{"/eventTypes/AggregationEvent", 3},
		{"/eventTypes/TransactionEvent", 0},
		{"/epcs/" + url.PathEscape(unit(1)), 6},
		{"/epcs/https%3A%2F%2Fid.gs1.org%2F01%2F10614141073464%2F21%2F1", 6},
		{"/bizSteps/shipping", 2},
		{"/bizSteps/" + url.PathEscape("urn:epcglobal:cbv:bizstep:shipping"), 2},
		{"/bizSteps/" + url.PathEscape("https://ref.gs1.org/cbv/BizStep-shipping"), 2},
		{"/dispositions/in_transit", 2},
		{"/readPoints/" + url.PathEscape(gln), 5},
		{"/readPoints/" + url.PathEscape(site("acme")), 5},
		{"/bizLocations/" + url.PathEscape(site("corner")), 2},
	} {
		if got := members(t, w.ask("GET", tt.path)); !slices.Equal(got, []string{"events"}) {
			t.Errorf("%s: %v", tt.path, got)
		}
		if d := read(t, w.ask("GET", tt.path+"/events?perPage=1000")); len(d.Events) != tt.events {
			t.Errorf("%s/events: %v, want %d", tt.path, ids(d), tt.events)
		}
	}
	if got := ids(read(t, w.ask("GET", "/bizSteps/shipping/events?MATCH_epc="+unit(1)))); !slices.Equal(got, []string{"urn:x:ship2"}) {
		t.Errorf("a resource's events, narrowed: %v", got)
	}
	if got := members(t, w.ask("GET", "/readPoints")); len(got) != 3 || !slices.Contains(got, gln) {
		t.Errorf("%v", got)
	}
	if got := members(t, w.ask("GET", "/readPoints", "GS1-EPC-Format: Always_EPC_URN")); !slices.Contains(got, site("acme")) {
		t.Errorf("%v", got)
	}
	for _, path := range []string{"/bizSteps/loading", "/bizSteps/loading/events", "/eventTypes/NoEvent/events", "/epcs/urn%3Ax", "/readPoints/" + url.PathEscape(site("faraway")), "/events/urn%3Ax%3Anothing"} {
		if p := problem(t, w.ask("GET", path)); p.Status != http.StatusNotFound || p.Type != "epcisException:NoSuchNameException" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	if d := read(t, w.ask("GET", "/bizSteps/shipping/events?EQ_action=ADD")); len(d.Events) != 0 {
		t.Errorf("%v", ids(d))
	}
}

func TestDiscovery(t *testing.T) {
	w := trade(t)
	for path, allow := range map[string]string{
		"/": "OPTIONS, GET", "/events": "OPTIONS, GET", "/events/urn%3Ax": "OPTIONS, GET", "/eventTypes": "OPTIONS, GET", "/epcs/x%2Fy": "OPTIONS, GET", "/bizSteps/x/events": "OPTIONS, GET", "/readPoints": "OPTIONS, GET",
	} {
		rec := w.ask("OPTIONS", path, "X-Nobody: 1")
		h := rec.Header()
		if rec.Code != http.StatusNoContent || h.Get("Allow") != allow || h.Get("GS1-EPCIS-Version") != "2.0.0" || h.Get("GS1-EPCIS-Min") != "2.0.0" || h.Get("GS1-EPCIS-Max") != "2.0.0" ||
			h.Get("GS1-CBV-Version") != "2.0.0" || h.Get("GS1-CBV-Min") != "2.0.0" || h.Get("GS1-CBV-Max") != "2.0.0" || h.Get("GS1-Vendor-Version") != "verilot test" || h.Get("GS1-EPC-Format") == "" ||
			h.Get("GS1-CBV-XML-Format") == "" || h.Get("GS1-Extensions") == "" {
			t.Errorf("%s: %d %v", path, rec.Code, h)
		}
		if rec := w.ask("OPTIONS", path, "GS1-EPCIS-Min: 3"); rec.Code != http.StatusNotAcceptable {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := trade(t)
	for _, tt := range []struct {
		method, path string
		status       int
		code         httpapi.Code
		kind         string
	}{
		{"GET", "/events?EQ_nothing=1", 400, httpapi.InvalidParameter, "QueryParameterException"},
		{"GET", "/events?eventCountLimit=3", 400, httpapi.InvalidParameter, "QueryParameterException"},
		{"GET", "/events?maxEventCount=3", 413, httpapi.QueryTooLarge, "QueryTooLargeException"},
		{"GET", "/events?maxEventCount=10", 200, "", ""},
		{"GET", "/events?EQ_bizStep=shipping&maxEventCount=1", 413, httpapi.QueryTooLarge, "QueryTooLargeException"},
		{"GET", "/events?perPage=0", 400, httpapi.InvalidParameter, "QueryParameterException"},
		{"GET", "/events?perPage=x", 400, httpapi.InvalidParameter, "QueryParameterException"},
		{"GET", "/events?perPage=100000", 200, "", ""},
		{"GET", "/bizSteps?EQ_bizStep=shipping", 400, httpapi.UnknownParameter, "QueryParameterException"},
		{"GET", "/bizSteps/shipping?x=y", 400, httpapi.UnknownParameter, "QueryParameterException"},
		{"GET", "/events/urn%3Ax%3Amake?x=y", 400, httpapi.UnknownParameter, "QueryParameterException"},
		{"GET", "/events/urn%3Ax%3Anothing", 404, httpapi.UnknownEvent, "NoSuchNameException"},
		{"GET", "/bizSteps/loading", 404, httpapi.UnknownValue, "NoSuchNameException"},
		{"GET", "/bizSteps/no%20such%20step", 404, httpapi.UnknownValue, "NoSuchNameException"},
		{"GET", "/events?nextPageToken=x", 400, httpapi.PageTokenInvalid, "QueryParameterException"},
		{"GET", "/events?EQ_eventID=" + strings.Repeat("x", 9000), 414, httpapi.URITooLong, "URITooLongException"},
		{"DELETE", "/nextPageToken/abc", 501, httpapi.NotImplemented, "ImplementationException"},
		{"PUT", "/events", 405, httpapi.MethodNotAllowed, "ImplementationException"},
		{"POST", "/capture", 501, httpapi.NotImplemented, "ImplementationException"},
		{"GET", "/capture", 200, "", ""},
	} {
		rec := w.ask(tt.method, tt.path)
		if rec.Code != tt.status {
			t.Errorf("%s %.80s: %d %s", tt.method, tt.path, rec.Code, rec.Body)
		}
		if tt.status != 200 {
			if p := problem(t, rec); p.Code != tt.code || p.Type != "epcisException:"+tt.kind {
				t.Errorf("%s %.80s: %s %s", tt.method, tt.path, p.Code, p.Type)
			}
		}
	}
	for _, path := range []string{"/events", "/events/x", "/epcs", "/epcs/x", "/epcs/x/events", "/eventTypes"} {
		rec := w.ask("GET", path, "X-Nobody: 1")
		if p := problem(t, rec); rec.Code != 401 || p.Code != httpapi.ReadNeedsSignIn || p.Type != "epcisException:SecurityException" || rec.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %+v", path, rec.Code, p)
		}
	}
	for _, tt := range []struct {
		err  error
		code httpapi.Code
	}{
		{&epcisquery.Error{Kind: epcisquery.KindParameter, Param: "EQ_x", Message: "m", Hint: "h"}, httpapi.InvalidParameter},
		{&epcisquery.Error{Kind: epcisquery.KindValidation, Message: "m"}, httpapi.InvalidQuery},
		{&epcisquery.Error{Kind: epcisquery.KindTooComplex, Message: "m"}, httpapi.QueryTooComplex},
		{fmt.Errorf("page: %w", errTooComplex), httpapi.QueryTooComplex},
		{errGone, httpapi.PageTokenInvalid},
		{chain.ErrClosed, httpapi.Unavailable},
		{errors.New("secret"), httpapi.Internal},
	} {
		if p := problemOf(tt.err); p.Code != tt.code || strings.Contains(p.Detail, "secret") {
			t.Errorf("%v: %+v", tt.err, p)
		}
	}
}

// An event and what declares it an error have one id, and are answered together.
func TestErrorDeclaration(t *testing.T) {
	w := newWorld(t).mount()
	e := epcis.Commission(w.at("acme"), []string{unit(1)}, "A", "2035-12-31")
	e.EventID = "urn:x:wrong"
	w.event("acme", e)
	w.block()
	w.event("acme", epcis.Withdraw(e, "2026-01-01T01:00:00Z", epcis.DidNotOccur))
	w.block()
	d := read(t, w.ask("GET", "/events/urn%3Ax%3Awrong"))
	if len(d.Events) != 2 {
		t.Fatalf("%d events", len(d.Events))
	}
}

// A partner's own token, once it does not hold, says so.
func TestCallerUnknown(t *testing.T) {
	w := newWorld(t)
	w.block()
	g := w.chain.Genesis()
	auth := &Authenticator{Genesis: g, Snapshot: w.chain.Snapshot, Now: time.Now}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/events", http.NoBody)
	r.Header.Set("Authorization", "Bearer a.b.c")
	if _, p := auth.Caller(r); p == nil || p.Code != httpapi.CallerUnknown || p.Status != http.StatusUnauthorized {
		t.Errorf("%+v", p)
	}
}

// Whatever stands in an address, the answer is an answer or a problem, and never a fault of the service, for whoever asks.
func TestNothingIsAFault(t *testing.T) {
	w := trade(t)
	hostile := []string{
		"", "0", "-1", "1e9", "18446744073709551616", "\x00", "\xff\xfe", "../../etc/passwd", "%", "'", `"`, "<script>", "☤", "|", "||", "a|b", "urn:epc:id:", "urn:epc:idpat:sgtin:*.*.*", "urn:epc:idpat:sgtin:0614141.107346.*",
		"https://id.gs1.org/01/", unit(1), box(1), site("acme"), "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-0001-01-01T00:00:00Z", "ASC", "eventTime", "recordTime", "gs1ushc:dropShipment", "true", "null", strings.Repeat("9", 2000),
	}
	var names []string
	for _, p := range epcisquery.Parameters() {
		names = append(names, strings.NewReplacer("{type}", "po", "{uom}", "KGM", "{field}", "gs1ushc:dropShipment", "{attribute}", "cbvmda:city").Replace(p.Name))
	}
	names = append(names, "perPage", "nextPageToken", "", "EQ_", "x")
	asked, ok := 0, 0
	check := func(path string) {
		rec := w.ask("GET", path)
		asked++
		if rec.Code >= http.StatusInternalServerError {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
		if rec.Code == http.StatusOK {
			ok++
		} else if rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v", path, rec.Header())
		}
	}
	for _, caller := range []Caller{{All: true}, {Party: "midland"}} {
		w.caller = caller
		for _, text := range hostile {
			for _, name := range names {
				v := url.Values{name: {text}}
				check("/events?" + v.Encode())
				v.Set("orderBy", "eventTime")
				check("/bizSteps/shipping/events?" + v.Encode())
			}
			for _, list := range []string{"events", "eventTypes", "epcs", "bizSteps", "dispositions", "readPoints", "bizLocations"} {
				check("/" + list + "/" + url.PathEscape(text))
				if list != "events" {
					check("/" + list + "/" + url.PathEscape(text) + "/events")
					check("/" + list + "?" + url.Values{"nextPageToken": {text}, "perPage": {"2"}}.Encode())
				}
			}
		}
	}
	if ok < asked/20 {
		t.Errorf("%d answers of %d questions", ok, asked)
	}
	t.Logf("%d questions, %d answers", asked, ok)
}
