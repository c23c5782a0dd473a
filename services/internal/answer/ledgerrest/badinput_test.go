package ledgerrest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/localnet"
)

// Everything that is wrong with a question has its own code, status, and a sentence that says what to do.
func TestBadInput(t *testing.T) {
	w := newWorld(t)
	unit := "id=" + url.QueryEscape(w.told.InPharmacy)
	lot := "/v1/lots/" + w.told.Product.GTIN + "/" + w.told.Lot
	const (
		ambiguous = "010039999001234721CMQTY98L1QF20J45NA0817280204105WPGHPR"
		onPackage = "Send what is on the package"
		printed   = "14 digits after (01)"
	)
	for _, tt := range []struct {
		name, path string
		header     string // name: value; or a method
		status     int
		code       httpapi.Code
		says       string
	}{
		{"no id", "/v1/trace", "", 400, httpapi.MissingParameter, "send what is on the package"},
		{"no id to check", "/v1/verify", "", 400, httpapi.MissingParameter, "send what is on the package"},
		{"no id to prove", "/v1/proof", "", 400, httpapi.MissingParameter, "send what is on the package"},
		{"nothing to read", "/v1/scan", "", 400, httpapi.MissingParameter, "text"},
		{"no identifier", "/v1/trace?id=hello", "", 400, httpapi.InvalidIdentifier, onPackage},
		{"no identifier to check", "/v1/verify?id=hello", "", 400, httpapi.InvalidIdentifier, onPackage},
		{"no identifier to prove", "/v1/proof?id=hello", "", 400, httpapi.InvalidIdentifier, onPackage},
		{"check digit of a scan", "/v1/trace?id=(01)00399990012348(21)1", "", 400, httpapi.InvalidIdentifier, "check digit"},
		{"a product, no unit", "/v1/trace?id=00399990012347", "", 400, httpapi.InvalidIdentifier, "serial"},
		{"an NDC", "/v1/trace?id=99990-012-34", "", 400, httpapi.InvalidIdentifier, "scan the 2D barcode"},
		{"a lot, no unit", "/v1/trace?id=(01)00399990012347(10)A1", "", 400, httpapi.InvalidIdentifier, "serial"},
		{"a place", "/v1/trace?id=urn:epc:id:sgln:0399990.00001.0", "", 400, httpapi.InvalidIdentifier, "only serialised units"},
		{"not UTF-8", "/v1/trace?id=%ff%fe", "", 400, httpapi.InvalidIdentifier, onPackage},
		{"an expiry that is none", "/v1/verify?" + unit + "&expiry=soon", "", 400, httpapi.InvalidParameter, "2028-03-31"},
		{"an expiry that cannot be", "/v1/verify?" + unit + "&expiry=2028-02-31", "", 400, httpapi.InvalidParameter, "2028-03-31"},
		{"ambiguous scan", "/v1/trace?id=" + ambiguous, "", 422, httpapi.AmbiguousScan, "choose the reading"},
		{"ambiguous scan at the counter", "/v1/verify?id=" + ambiguous, "", 422, httpapi.AmbiguousScan, "choose the reading"},
		{"short serial, separator lost: no ledger key", "/v1/verify?id=0100300010123455211117250327", "", 422, httpapi.AmbiguousScan, "choose the reading"},
		{"ambiguous scan to prove", "/v1/proof?id=" + ambiguous, "", 422, httpapi.AmbiguousScan, "choose the reading"},
		{"proof of nothing", "/v1/proof?id=(01)00399990012347(21)NEVERMADE", "", 404, httpapi.ProofUnavailable, "nothing to prove"},
		{"format of a proof", "/v1/proof?" + unit + "&format=pdf", "", 400, httpapi.InvalidParameter, "json or binary"},
		{"unknown parameter", "/v1/trace?" + unit + "&depth=3", "", 400, httpapi.InvalidParameter, "query.depth: unknown query parameter"},
		{"unknown parameter of a proof", "/v1/proof?" + unit + "&fromat=binary", "", 400, httpapi.InvalidParameter, "query.fromat: unknown query parameter"},
		{"unreadable query", "/v1/trace?id=urn:epc:id:sgtin:0399990.001234.A;B", "", 400, httpapi.MalformedRequest, "; is %3B"},
		{"check digit of a lot's GTIN", "/v1/lots/00399990012348/A1", "", 400, httpapi.InvalidIdentifier, "check digit"},
		{"lot of an NDC", "/v1/lots/99990-012-34/A1", "", 400, httpapi.InvalidIdentifier, "usually 00399990012347"},
		{"lot of ten digits", "/v1/lots/9999001234/A1", "", 400, httpapi.InvalidIdentifier, "looks like an NDC"},
		{"lot of a word", "/v1/lots/lakesidol/A1", "", 400, httpapi.InvalidIdentifier, printed},
		{"lot with a space", "/v1/lots/00399990012347/A%201", "", 400, httpapi.InvalidIdentifier, "exactly as it is printed"},
		{"lot that is too long", "/v1/lots/00399990012347/" + strings.Repeat("A", 21), "", 400, httpapi.InvalidIdentifier, "exactly as it is printed"},
		{"units of no GTIN", "/v1/lots/x/A1/units", "", 400, httpapi.InvalidIdentifier, printed},
		{"unknown lot", "/v1/lots/00399990012347/NONE", "", 404, httpapi.UnknownLot, "upper and lower case matter"},
		{"lot in lower case", strings.Replace(lot, "/A", "/a", 1), "", 404, httpapi.UnknownLot, "upper and lower case matter"},
		{"units of an unknown lot", "/v1/lots/00399990012347/NONE/units", "", 404, httpapi.UnknownLot, "upper and lower case matter"},
		{"lot of an unknown product", "/v1/lots/00300010123455/A1", "", 404, httpapi.UnknownLot, "no product is registered"},
		{"block too high", "/v1/blocks/999999", "", 404, httpapi.UnknownBlock, "/v1/status"},
		{"block higher than numbers go", "/v1/blocks/18446744073709551615", "", 404, httpapi.UnknownBlock, "/v1/status"},
		{"block that is no number", "/v1/blocks/newest", "", 400, httpapi.InvalidParameter, "path.height"},
		{"block below zero", "/v1/blocks/-1", "", 400, httpapi.InvalidParameter, "path.height"},
		{"too many blocks", "/v1/blocks?limit=201", "", 400, httpapi.InvalidParameter, "query.limit"},
		{"blocks before a word", "/v1/blocks?before=now", "", 400, httpapi.InvalidParameter, "query.before"},
		{"unknown event", "/v1/events/1/0/99", "", 404, httpapi.UnknownEvent, "/v1/blocks/1"},
		{"event of an unknown block", "/v1/events/999999/0/0", "", 404, httpapi.UnknownBlock, "/v1/status"},
		{"event that is no number", "/v1/events/1/first/0", "", 400, httpapi.InvalidParameter, "path.entry"},
		{"unknown party", "/v1/parties/nobody", "", 404, httpapi.UnknownParty, "/v1/parties lists them"},
		{"Digital Link with a bad GTIN", "/01/1/21/1", "", 400, httpapi.InvalidIdentifier, printed},
		{"Digital Link with a bad serial", "/01/00399990012347/21/" + strings.Repeat("1", 21), "", 400, httpapi.InvalidIdentifier, "exactly as it is printed"},
		{"wrong method", "/v1/trace", "POST", 405, httpapi.MethodNotAllowed, "allowed: GET"},
		{"wrong method of a proof", "/v1/proof", "DELETE", 405, httpapi.MethodNotAllowed, "allowed: GET"},
		{"unknown address", "/v2/trace", "", 404, httpapi.NotFound, "/openapi.json"},
		{"address too long", "/v1/trace?id=" + strings.Repeat("1", 9000), "", 414, httpapi.URITooLong, "8192"},
		{"answer that cannot be written", "/v1/trace?" + unit, "Accept: text/csv", 406, httpapi.NotAcceptable, "application/json"},
		{"proof that cannot be written", "/v1/proof?" + unit, "Accept: application/pdf", 406, httpapi.NotAcceptable, "application/json or application/octet-stream"},
		{"units that cannot be written", lot + "/units", "Accept: application/pdf", 406, httpapi.NotAcceptable, "application/x-ndjson or text/csv"},
		{"units in a state that cannot be read", lot + "/units?loose=maybe", "", 400, httpapi.InvalidParameter, "true or false"},
		{"units in a state that there is not", lot + "/units?state=onhand", "", 400, httpapi.InvalidParameter, "one of on_hand, in_transit"},
		{"units of a recall in a state that there is not", "/v1/recalls/" + w.told.RecallNumber + "/units?state=gone", "", 400, httpapi.InvalidParameter, "one of on_hand, in_transit"},
		{"page of no list", "/v1/products?after=bm90aGluZw", "", 400, httpapi.PageTokenInvalid, "next of the page before"},
		{"units without number", lot + "/units?limit=0", "", 400, httpapi.InvalidParameter, "a number from 1"},
		{"units as nobody writes them", lot + "/units?format=pdf", "", 400, httpapi.InvalidParameter, "ndjson or csv"},
		{"recall that nobody opened", "/v1/recalls/R-0", "", 404, httpapi.UnknownRecall, "/v1/recalls"},
		{"shipments of nobody", "/v1/shipments", "", 400, httpapi.MissingParameter, "to (the addressee"},
		{"page of another list", "/v1/lots?after=%21", "", 400, httpapi.PageTokenInvalid, "next of the page before"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			method, header := http.MethodGet, http.Header{}
			if k, v, ok := strings.Cut(tt.header, ": "); ok {
				header.Set(k, v)
			} else if tt.header != "" {
				method = tt.header
			}
			resp, b := w.call(t, "api", method, tt.path, header)
			p := problemOf(t, resp, b)
			if resp.StatusCode != tt.status || p.Code != tt.code {
				t.Errorf("got %d %s, want %d %s: %.600s", resp.StatusCode, p.Code, tt.status, tt.code, b)
			}
			if !strings.Contains(p.Detail, tt.says) {
				t.Errorf("does not say %q: %s", tt.says, p.Detail)
			}
			if tt.code == httpapi.AmbiguousScan {
				w.checkReadings(t, p.Readings)
			}
		})
	}
}

// brokenCopy is a copy of the ledger whose store cannot be read.
type brokenCopy struct{ ledgerrest.Copy }

func (brokenCopy) Snapshot() (state.View, func(), error) { return nil, nil, errors.New("disk on fire") }

// When its own copy cannot be read, the service says so and not why.
func TestBrokenCopy(t *testing.T) {
	w := newWorld(t)
	h := httpapi.New(httpapi.Options{})
	ledgerrest.Mount(h, ledgerrest.Options{Genesis: w.n.Genesis, Copy: brokenCopy{}, Now: time.Now})
	for _, path := range []string{"/v1/trace?id=(01)00399990012347(21)1", "/v1/proof?id=(01)00399990012347(21)1", "/v1/blocks", "/v1/status"} {
		rec := httptest.NewRecorder()
		h.Engine.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		resp := rec.Result()
		if p := problemOf(t, resp, rec.Body.Bytes()); p.Code != httpapi.Unavailable || strings.Contains(rec.Body.String(), "fire") {
			t.Errorf("%s: %s", path, rec.Body)
		}
		_ = resp.Body.Close()
	}
}

// problemOf checks what is true of every problem.
func problemOf(t *testing.T, resp *http.Response, b []byte) httpapi.Problem {
	t.Helper()
	var p httpapi.Problem
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	want := httpapi.Lookup(p.Code)
	if p.Status != resp.StatusCode || p.Status != want.Status || p.Title != want.Title || p.Detail == "" || len(p.Detail) > 1000 {
		t.Errorf("not a problem as the table has it: %s", b)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %q", ct)
	}
	if p.Instance == "" || p.Instance != resp.Header.Get("X-Request-Id") {
		t.Errorf("instance %q, request id %q", p.Instance, resp.Header.Get("X-Request-Id"))
	}
	return p
}

// checkReadings sends each reading of an ambiguous scan back: it must be one that is read without doubt.
func (w *world) checkReadings(t *testing.T, readings []string) {
	t.Helper()
	if len(readings) < 2 {
		t.Fatalf("%d readings, want several to choose from", len(readings))
	}
	for _, r := range readings {
		var a tracing.Scan
		resp, b := w.call(t, "api", http.MethodGet, "/v1/scan?text="+url.QueryEscape(r), nil)
		if err := json.Unmarshal(b, &a); err != nil || resp.StatusCode != http.StatusOK || a.Verdict != "valid" {
			t.Errorf("reading %s: %d %v %s", r, resp.StatusCode, err, b)
		}
	}
}

// A serial that nobody made is an answer, not an error.
func TestUnknownSerial(t *testing.T) {
	w := newWorld(t)
	id := url.QueryEscape(w.told.Counterfeit)
	var tr tracing.Trace
	resp, b := w.call(t, "api", http.MethodGet, "/v1/trace?id="+id, nil)
	if err := json.Unmarshal(b, &tr); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v: %s", resp.StatusCode, err, b)
	}
	if tr.Known || len(tr.Steps) != 0 || !strings.HasPrefix(tr.Answer, "No record of this unit") || tr.RestsOn.Height == 0 {
		t.Errorf("trace: %s", b)
	}
	var c tracing.Check
	resp, b = w.call(t, "api", http.MethodGet, "/v1/verify?id="+id, nil)
	if err := json.Unmarshal(b, &c); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d %v: %s", resp.StatusCode, err, b)
	}
	if c.Colour != "red" || c.Verified || c.Fit || c.Reasons[0].Code != "No_match_GTIN_Serial" || !strings.Contains(c.NextStep, "Do not dispense") {
		t.Errorf("check: %s", b)
	}
}

// What the package says beside the serial must be what its maker recorded.
func TestCheckComparesThePrint(t *testing.T) {
	w := newWorld(t)
	id := "/v1/verify?id=" + url.QueryEscape(w.told.InPharmacy)
	for _, tt := range []struct{ name, more, want string }{
		{"as printed", "&lot=" + w.told.Lot + "&expiry=" + w.told.Expiry, "Recalled"},
		{"another lot", "&lot=OTHER", "No_match_GTIN_Serial_Lot"},
		{"another expiry", "&expiry=2020-01-31", "No_match_GTIN_Serial_Expiry"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c tracing.Check
			_, b := w.call(t, "api", http.MethodGet, id+tt.more, nil)
			if err := json.Unmarshal(b, &c); err != nil {
				t.Fatal(err)
			}
			if c.Colour != "red" || c.Fit || len(c.Reasons) == 0 || c.Reasons[0].Code != tt.want || c.Verified != (tt.want == "Recalled") {
				t.Errorf("%s", b)
			}
		})
	}
}

// A scanner that types while Caps Lock is on swaps the case of every letter. That is no counterfeit: the
// answer is amber and names the unit on the ledger.
func TestCaseDiffers(t *testing.T) {
	w := newWorld(t)
	const serial, swapped, lot, swappedLot = "QX4Mab81K2", "qx4mAB81k2", "CASE-1", "case-1"
	made := map[string]any{"gtin": w.told.Product.GTIN, "lot": lot, "expiry": "2029-01-31", "serials": []string{serial}}
	if done, err := storyCommand(t, w, "commission", made); err != nil || !done {
		t.Fatalf("commission: %v %v", done, err)
	}
	key := "01" + w.told.Product.GTIN + "21" + serial
	label := func(symbol, serial, lot string) string {
		return url.QueryEscape(symbol + "01" + w.told.Product.GTIN + "21" + serial + "\x1d10" + lot)
	}
	for _, tt := range []struct {
		name, id, colour string
		reasons          []string
		other            string
	}{
		{"all of it", label("]D2", swapped, swappedLot), "amber", []string{"Case_differs"}, key},
		{"the lot", label("]d2", serial, swappedLot), "amber", []string{"Case_differs"}, ""},
		{"another serial", label("]d2", swapped+"x", swappedLot), "red", []string{"No_match_GTIN_Serial"}, ""},
		{"another lot", label("]d2", serial, "x"+swappedLot), "red", []string{"No_match_GTIN_Serial_Lot"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c tracing.Check
			_, b := w.call(t, "api", http.MethodGet, "/v1/verify?id="+tt.id, nil)
			if err := json.Unmarshal(b, &c); err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, r := range c.Reasons {
				codes = append(codes, r.Code)
			}
			other := ""
			if c.OtherCase != nil {
				other = c.OtherCase.Key
			}
			if c.Colour != tt.colour || c.Fit || c.Verified || !slices.Equal(codes, tt.reasons) || other != tt.other {
				t.Errorf("%s", b)
			}
		})
	}
	var tr tracing.Trace
	_, b := w.call(t, "api", http.MethodGet, "/v1/trace?id="+label("]D2", swapped, swappedLot), nil)
	if err := json.Unmarshal(b, &tr); err != nil || tr.Known || tr.OtherCase == nil || tr.OtherCase.Key != key {
		t.Errorf("trace: %v %s", err, b)
	}
}

// A lot that was announced and not made yet is known and empty, in totals and in units.
func TestLotWithoutUnits(t *testing.T) {
	w := newWorld(t)
	body := map[string]any{"gtin": w.told.Product.GTIN, "lot": "PLANNED", "expiry": "2029-01-31"}
	if job, err := storyCommand(t, w, "lots", body); err != nil || !job {
		t.Fatalf("register: %v %v", job, err)
	}
	var l tracing.LotTotals
	resp, b := w.call(t, "api", http.MethodGet, "/v1/lots/"+w.told.Product.GTIN+"/PLANNED", nil)
	if err := json.Unmarshal(b, &l); err != nil || l.Commissioned != 0 || len(l.Totals) != 0 || l.Registered == nil || l.Expiry != "2029-01-31" {
		t.Errorf("totals: %d %v %s", resp.StatusCode, err, b)
	}
	resp, b = w.call(t, "api", http.MethodGet, "/v1/lots/"+w.told.Product.GTIN+"/PLANNED/units", nil)
	if resp.StatusCode != http.StatusOK || len(b) != 0 || resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("units: %d %q", resp.StatusCode, b)
	}
}

// Every answer says what it rests on, also those without a member for it.
func TestEveryAnswerSaysItsHeight(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{
		"/v1/genesis", "/v1/checkpoint", "/v1/parties/" + localnet.DemoMaker, "/v1/blocks/1", "/v1/events/1/0/0", "/v1/blocks/999999",
		"/v1/lots/" + w.told.Product.GTIN + "/" + w.told.Lot + "/units",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.n.URLs["api"]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if h := resp.Header.Get("Verilot-Height"); h == "" || h == "0" || resp.Header.Get("Verilot-Age-Seconds") == "" {
			t.Errorf("%s: height %q, age %q", path, h, resp.Header.Get("Verilot-Age-Seconds"))
		}
	}
}

// One service feeds a bounded number of listeners; who comes later is told, and gets in when another has left.
func TestTooManyListeners(t *testing.T) {
	w := newWorld(t)
	listen := func() *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.n.URLs["api"]+"/v1/feed", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	var inside []*http.Response
	var refused *http.Response
	for {
		resp := listen()
		if resp.StatusCode != http.StatusOK {
			refused = resp
			break
		}
		if inside = append(inside, resp); len(inside) > 1000 {
			t.Fatal("a thousand listeners, and no end")
		}
	}
	b, err := io.ReadAll(refused.Body)
	if err != nil {
		t.Fatal(err)
	}
	if p := problemOf(t, refused, b); refused.StatusCode != http.StatusServiceUnavailable || p.Code != httpapi.TooManyListeners {
		t.Errorf("%d %s", refused.StatusCode, b)
	}
	_ = refused.Body.Close()
	for _, resp := range inside {
		_ = resp.Body.Close()
	}
	for {
		resp := listen() // the service notices within a moment that they have left
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
}
