package partner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/command"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/onboard"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

// call sends a request through the service's own HTTP handler.
func (w *world) call(method, path string, header map[string]string, body string) *httptest.ResponseRecorder {
	w.tb.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for k, v := range header {
		req.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.api().ServeHTTP(rec, req)
	return rec
}

func (w *world) api() http.Handler {
	if w.handler == nil || w.handlerOf != w.s {
		w.handler, w.handlerOf = w.s.API(nil, nil).Engine, w.s
	}
	return w.handler
}

// do posts a command, expects 202 and waits for the certified job.
func (w *world) do(command, body string) *capture.Job {
	w.tb.Helper()
	rec := w.call("POST", "/v1/"+command, map[string]string{"Content-Type": "application/json"}, body)
	return w.certified(rec)
}

func (w *world) certified(rec *httptest.ResponseRecorder) *capture.Job {
	w.tb.Helper()
	if rec.Code != http.StatusAccepted {
		w.tb.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	var j capture.Job
	if err := json.Unmarshal(rec.Body.Bytes(), &j); err != nil {
		w.tb.Fatal(err)
	}
	if rec.Header().Get("Location") != "/capture/"+j.CaptureID {
		w.tb.Errorf("location %q", rec.Header().Get("Location"))
	}
	return w.await(j.CaptureID, journal.Certified)
}

func (w *world) await(id string, want journal.State) *capture.Job {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := w.s.jobs.Await(ctx, uuid.MustParse(id), want, time.Hour); err != nil {
		w.tb.Fatal(err)
	}
	j, err := w.s.jobs.Job(uuid.MustParse(id))
	if err != nil {
		w.tb.Fatal(err)
	}
	if j.State.Before(want) {
		w.tb.Fatalf("job %s is %s, want %s", id, j.State, want)
	}
	return j
}

func pharma(tb testing.TB) string {
	tb.Helper()
	for _, p := range []string{os.Getenv("VERILOT_SHARED"), "../../../../../shared", "testdata"} {
		b, err := os.ReadFile(filepath.Join(p, "gs1/examples/xml-1.2/openepcis/GS1_US_Pharma_Example_2_2_1_1.xml"))
		if err == nil {
			return string(b)
		}
	}
	b, err := os.ReadFile("testdata/pharma.xml")
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// The GS1 US example goes in whole: onboarded once, captured by its maker, then relayed by the distributor.
func TestPharmaExample(t *testing.T) {
	doc := pharma(t)
	w := newWorld(t, Manufacturer(), "maker")
	for i := range 2 {
		rec := w.call("POST", "/v1/onboarding", xmlType, doc)
		var o onboard.Onboarding
		if err := json.Unmarshal(rec.Body.Bytes(), &o); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%d %v: %s", rec.Code, err, rec.Body)
		}
		want := fmt.Sprint([]string{"maker", "gs1-drug-distributor"}, []string{"030001", "039999"}, []string{"00300010123455", "10300010123452"},
			[]string{"(01)00300010123455(10)A123", "(01)10300010123452(10)A123"})
		if i == 1 {
			want = fmt.Sprint([]string{}, []string{}, []string{}, []string{})
		}
		if got := fmt.Sprint(o.Parties, o.Prefixes, o.Products, o.Lots); got != want {
			t.Errorf("onboarding %d: %s, want %s (notes %q)", i+1, got, want, o.Notes)
		}
		if want := []string{"gs1-drug-distributor"}; i == 0 && !slices.Equal(o.Unlicensed, want) || i == 1 && len(o.Unlicensed) > 0 {
			t.Errorf("onboarding %d: without a licence are %v", i+1, o.Unlicensed)
		}
	}
	// The document names no licences. The distributor's are registered beside it, by its id or its GLN, and once.
	const licences = `[{"party":"gs1-drug-distributor","number":"WDD-1","kind":"state_wholesale","jurisdiction":"US-KY","validFrom":"2020-01-01"},` +
		`{"party":"0399999999991","number":"AR-2023","kind":"fda_annual_report","validFrom":"2023-01-31","validTo":"2024-03-31"}]`
	for _, want := range []string{"[gs1-drug-distributor] 1", "[] 0"} {
		rec := w.call("POST", "/v1/onboarding/licences", map[string]string{"Content-Type": jsonType}, licences)
		var o onboard.Onboarding
		if err := json.Unmarshal(rec.Body.Bytes(), &o); err != nil || rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), "null") {
			t.Fatalf("%d %v: %s", rec.Code, err, rec.Body)
		}
		if got := fmt.Sprint(o.Parties, len(o.Jobs)); got != want {
			t.Errorf("licences: %s, want %s (notes %q)", got, want, o.Notes)
		}
	}
	w.ledger.Registry(func(r registry.Registry) {
		if p, _ := r.Party("gs1-drug-distributor"); len(p.Licences) != 2 || !slices.Equal(p.AuthorizedRoles("2023-03-27"), []string{"distributor"}) {
			t.Errorf("the distributor has %+v", p.Licences)
		}
	})
	j := w.certified(w.call("POST", "/capture", xmlType, doc))
	if !j.Success || j.Running || j.State != journal.Indexed || j.Events != 8 || len(j.Verdicts) != 9 {
		t.Errorf("job: %+v", j)
	}
	for _, v := range j.Verdicts {
		if v.Verdict != "accepted" && v.Verdict != "flagged" {
			t.Errorf("verdict: %+v", v)
		}
		for _, f := range v.Findings {
			if f.Code == string(verdict.PartnerNotATP) {
				t.Errorf("%s: %+v", v.BizStep, f)
			}
		}
		if v.Kind == "event" && v.EventID == "" {
			t.Errorf("event %d has no id", *v.Index)
		}
	}
	sealed, err := w.s.journal.Sealed(uuid.MustParse(j.Parts[0].SubmissionID))
	documents := 0
	for _, v := range sealed[8] {
		if strings.HasPrefix(wire.PathName(wire.KindEvent, v.Path), "biz_transaction_list[") && v.Text != "" {
			documents++
		}
	}
	if err != nil || documents != 2 {
		t.Errorf("purchase order and despatch advice are not kept: %v %v", sealed[8], err)
	}
	dist := &world{tb: t, ledger: w.ledger, clock: w.clock, dir: t.TempDir(), profile: Distributor(), party: "dist"}
	dist.peer = peerOf{w}
	dist.start()
	t.Cleanup(dist.kill)
	relayed := dist.certified(dist.call("POST", "/capture", xmlType, doc))
	for _, v := range relayed.Verdicts[1:] {
		if v.Verdict != "duplicate" || v.Code != "RELAYED" {
			t.Errorf("relayed: %+v", v)
		}
	}
	// The same document again from the same party changes nothing.
	again := w.certified(w.call("POST", "/capture", xmlType, doc))
	for _, v := range again.Verdicts[1:] {
		if v.Code != "DUP_EVENT" {
			t.Errorf("again: %+v", v)
		}
	}
}

// peerOf is an api service that has everything a ledger has.
type peerOf struct{ w *world }

func (p peerOf) Indexed(context.Context) (uint64, error) { return 1 << 30, nil }

func (p peerOf) Parties(context.Context) (list []directory.KnownParty, err error) {
	p.w.ledger.Registry(func(r registry.Registry) {
		for _, q := range r.Parties() {
			list = append(list, directory.KnownParty{ID: q.ID, Name: q.Name, Roles: q.Roles, GLNs: q.GLNs, Prefixes: q.Prefixes, Places: q.Places})
		}
	})
	return list, nil
}

// Event is asked of whole networks only.
func (p peerOf) Event(context.Context, string) (*epcis.Event, error) { return nil, command.ErrNoEvent }

// Foresee is asked of whole networks only.
func (p peerOf) Foresee(context.Context, string, iter.Seq[[]byte]) (int, []foresee.Judgement, error) {
	return 0, nil, errors.New("not asked here")
}

// Make, pack, ship: every command ends in accepted events, and ids are taken in every form.
func TestCommands(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	ok := func(j *capture.Job) *capture.Job {
		t.Helper()
		for _, v := range j.Verdicts {
			if v.Verdict != "accepted" {
				t.Errorf("%s: %+v", j.Kind, v)
			}
		}
		return j
	}
	ok(w.do("products", `{"gtin":"00399990100013","name":"Testol","strength":"10 mg"}`))
	ok(w.do("lots", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31","size":100}`))
	var made struct {
		Serials []string
		EPCs    []string
	}
	j := ok(w.do("commission", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31","count":6}`))
	if err := json.Unmarshal(j.Result, &made); err != nil || len(made.EPCs) != 6 || !strings.HasPrefix(made.EPCs[0], "urn:epc:id:sgtin:0399990.010001.") {
		t.Fatalf("%v %s", err, j.Result)
	}
	gtin, s := "00399990100013", made.Serials
	children, _ := json.Marshal([]string{
		made.EPCs[0], "(01)" + gtin + "(21)" + s[1], "https://example.com/01/" + gtin + "/21/" + s[2], "]d201" + gtin + "21" + s[3] + "\x1d17280131",
	})
	var packed struct{ Parent string }
	j = ok(w.do("pack", `{"children":`+string(children)+`}`))
	if err := json.Unmarshal(j.Result, &packed); err != nil || packed.Parent != "urn:epc:id:sscc:0399990.0000000001" {
		t.Fatalf("%v %s", err, j.Result)
	}
	ok(w.do("quarantine", `{"items":["`+made.EPCs[4]+`"],"reason":"suspect"}`))
	ok(w.do("release", `{"items":["`+made.EPCs[4]+`"]}`))
	ok(w.do("destroy", `{"items":["`+made.EPCs[4]+`"]}`))
	ok(w.do("decommission", `{"items":["`+made.EPCs[5]+`"]}`))
	ok(w.do("ship", `{"items":["`+packed.Parent+`"],"to":{"party":"dist"},"po":"PO-1","desadv":"D-1"}`))

	dist := &world{tb: t, ledger: w.ledger, clock: w.clock, dir: t.TempDir(), profile: Distributor(), party: "dist"}
	dist.start()
	t.Cleanup(dist.kill)
	ok(dist.do("receive", `{"items":["`+packed.Parent+`"],"from":{"party":"maker"},"po":"PO-1","desadv":"D-1"}`))
	ok(dist.do("unpack", `{"parent":"`+packed.Parent+`"}`))
	ok(dist.do("return", `{"items":["`+made.EPCs[0]+`"],"to":{"party":"maker"},"returnAuthorization":"RMA-1"}`))
	ok(w.do("receive", `{"items":["`+made.EPCs[0]+`"],"from":{"owner":"0399991000015"},"returnAuthorization":"RMA-1"}`))
	ok(w.do("recall", `{"recallNumber":"R-1","gtin":"00399990100013","lot":"L1","classification":"II","depth":"retail","reason":"a label"}`))
}

func lotBody(i int) string {
	return fmt.Sprintf(`{"gtin":"00399990100013","lot":"L%d","expiry":"2028-01-31"}`, i)
}

func TestIdempotency(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	post := func(key, body string) *httptest.ResponseRecorder {
		return w.call("POST", "/v1/lots", map[string]string{"Content-Type": "application/json", "Idempotency-Key": key}, body)
	}
	a := post("k1", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31"}`)
	w.restart()
	b := post("k1", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31"}`)
	if a.Code != 202 || b.Code != 202 || a.Header().Get("Location") != b.Header().Get("Location") {
		t.Errorf("%d %s, %d %s", a.Code, a.Header(), b.Code, b.Header())
	}
	c := post("k1", `{"gtin":"00399990100013","lot":"L2","expiry":"2028-01-31"}`)
	if c.Code != 409 || !strings.Contains(c.Body.String(), `"code":"idempotency_key_reused"`) {
		t.Errorf("%d %s", c.Code, c.Body)
	}
	d := post("k2", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31"}`)
	if d.Header().Get("Location") == a.Header().Get("Location") {
		t.Error("another key got the same job")
	}
}

// A job can be waited for, state by state, without asking again and again.
func TestWait(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	outboxtest.Patient(w.clock, true)
	w.ledger.Auto(false)
	rec := w.call("POST", "/v1/lots", map[string]string{"Content-Type": jsonType}, lotBody(1))
	at := rec.Header().Get("Location")
	get := func(query string) *capture.Job {
		t.Helper()
		rec := w.call("GET", at+query, nil, "")
		var j capture.Job
		if err := json.Unmarshal(rec.Body.Bytes(), &j); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%d %v: %s", rec.Code, err, rec.Body)
		}
		return &j
	}
	if j := get("?wait=accepted&timeout=30s"); j.State != journal.Accepted || !j.Running || !j.Success || j.Parts[0].Sequence != 2 {
		t.Errorf("%+v", j)
	}
	if j := get("?wait=certified&timeout=0s"); j.State != journal.Accepted {
		t.Errorf("%+v", j)
	}
	answered := make(chan *capture.Job)
	go func() { answered <- get("?wait=indexed&timeout=30s") }()
	w.ledger.Cut()
	j := <-answered
	if j.State != journal.Indexed || j.Running || !j.Success || j.FinishedAt == nil || j.Parts[0].Height != 1 || j.Verdicts[0].Position.Height != 1 {
		t.Errorf("%+v", j)
	}
}

func TestJobsArePaged(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	for i := range 5 {
		w.do("lots", lotBody(i))
	}
	seen := map[string]bool{}
	path := "/capture?perPage=2"
	for pages := 0; path != ""; pages++ {
		rec := w.call("GET", path, nil, "")
		var jobs []capture.Job
		if err := json.Unmarshal(rec.Body.Bytes(), &jobs); err != nil || pages > 5 {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		for _, j := range jobs {
			seen[j.CaptureID] = true
		}
		link := rec.Header().Get("Link")
		path, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
	}
	if len(seen) != 5 {
		t.Errorf("%d jobs listed", len(seen))
	}
}

func TestSerialsAreNeverGivenOutTwice(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	seen := map[string]bool{}
	for i := range 4 {
		var r struct{ Serials []string }
		if err := json.Unmarshal(w.do("serials", `{"gtin":"00399990100013","count":500,"length":12}`).Result, &r); err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Serials {
			if seen[s] || len(s) != 12 || strings.Trim(s, "34679ACDEFGHJKMNPQRTWXY") != "" {
				t.Errorf("serial %q", s)
			}
			seen[s] = true
		}
		if i == 1 {
			w.restart()
		}
	}
	if len(seen) != 2000 {
		t.Errorf("%d serials", len(seen))
	}
}

func TestOpenAPIAndOptions(t *testing.T) {
	for _, p := range []Profile{Manufacturer(), Distributor(), Pharmacy()} {
		w := newWorld(t, p, "maker")
		doc, err := openapi3.NewLoader().LoadFromData(w.call("GET", "/openapi.json", nil, "").Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Error(err)
		}
		for _, c := range command.Names {
			if doc.Paths.Find(command.Path(c)) == nil {
				t.Errorf("%s is not described", command.Path(c))
			}
		}
		rec := w.call("OPTIONS", "/capture", nil, "")
		if rec.Code != http.StatusNoContent || rec.Header().Get("GS1-EPCIS-Capture-Limit") == "" || rec.Header().Get("Allow") == "" {
			t.Errorf("%d %v", rec.Code, rec.Header())
		}
		metrics := w.call("GET", "/metrics", nil, "").Body.String()
		for _, m := range []string{"verilot_capture_outbox_rows 0", "verilot_capture_outbox_age_seconds 0", "verilot_capture_height"} {
			if !strings.Contains(metrics, m) {
				t.Errorf("no metric %q", m)
			}
		}
	}
}

// behind is an api service that has indexed nothing yet.
type behind struct{ peerOf }

func (behind) Indexed(context.Context) (uint64, error) { return 0, nil }

func TestRunningJobsAreFoundAgain(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	j := w.do("lots", lotBody(0))
	running := func() (list []capture.Job) {
		t.Helper()
		rec := w.call("GET", "/capture?running=true", nil, "")
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
			t.Fatalf("%v: %s", err, rec.Body)
		}
		return list
	}
	if list := running(); len(list) != 0 {
		t.Errorf("%d jobs run, though every answer shows them", len(list))
	}
	w.kill()
	w.peer = behind{peerOf{w}}
	w.start()
	if list := running(); len(list) != 1 || list[0].CaptureID != j.CaptureID {
		t.Errorf("%+v", list)
	}
}
