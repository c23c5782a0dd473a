package partner

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
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
	if w.handler == nil || w.handlerOf != w.e {
		w.handler, w.handlerOf = w.e.API(nil, nil).Engine, w.e
	}
	return w.handler
}

// do posts a command, expects 202 and waits for the certified job.
func (w *world) do(command, body string) *Job {
	w.tb.Helper()
	rec := w.call("POST", "/v1/"+command, map[string]string{"Content-Type": "application/json"}, body)
	return w.certified(rec)
}

func (w *world) certified(rec *httptest.ResponseRecorder) *Job {
	w.tb.Helper()
	if rec.Code != http.StatusAccepted {
		w.tb.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	var j Job
	if err := json.Unmarshal(rec.Body.Bytes(), &j); err != nil {
		w.tb.Fatal(err)
	}
	if rec.Header().Get("Location") != "/capture/"+j.CaptureID {
		w.tb.Errorf("location %q", rec.Header().Get("Location"))
	}
	return w.await(j.CaptureID, Certified)
}

func (w *world) await(id string, want State) *Job {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	j, err := w.e.Job(ctx, uuid.MustParse(id), want, time.Hour)
	if err != nil {
		w.tb.Fatal(err)
	}
	if j.State.rank() < want.rank() {
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

var xmlType = map[string]string{"Content-Type": "application/xml"}

// The GS1 US example goes in whole: onboarded once, captured by its maker, then relayed by the distributor.
func TestPharmaExample(t *testing.T) {
	doc := pharma(t)
	w := newWorld(t, Manufacturer(), "maker")
	for i := range 2 {
		rec := w.call("POST", "/v1/onboarding", xmlType, doc)
		var o Onboarding
		if err := json.Unmarshal(rec.Body.Bytes(), &o); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%d %v: %s", rec.Code, err, rec.Body)
		}
		want := fmt.Sprint([]string{"maker", "gs1-drug-distributor"}, []string{"030001", "039999"}, []string{"00300010123455", "10300010123452"})
		if i == 1 {
			want = fmt.Sprint([]string{}, []string{}, []string{})
		}
		if got := fmt.Sprint(o.Parties, o.Prefixes, o.Products); got != want {
			t.Errorf("onboarding %d: %s, want %s (notes %q)", i+1, got, want, o.Notes)
		}
	}
	j := w.certified(w.call("POST", "/capture", xmlType, doc))
	if !j.Success || j.Running || j.State != Indexed || j.Events != 8 || len(j.Verdicts) != 9 {
		t.Errorf("job: %+v", j)
	}
	for _, v := range j.Verdicts {
		if v.Verdict != "accepted" && v.Verdict != "flagged" {
			t.Errorf("verdict: %+v", v)
		}
		if v.Kind == "event" && v.EventID == "" {
			t.Errorf("event %d has no id", *v.Index)
		}
	}
	sealed, err := w.e.Sealed(uuid.MustParse(j.Parts[0].SubmissionID))
	if err != nil || len(sealed[8]) != 2 {
		t.Errorf("purchase order and despatch advice are not kept: %v %v", sealed, err)
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

func (p peerOf) Parties(context.Context) (list []KnownParty, err error) {
	p.w.ledger.mu.Lock()
	defer p.w.ledger.mu.Unlock()
	for _, q := range registryOf(p.w.ledger.view).Parties() {
		list = append(list, KnownParty{ID: q.ID, Name: q.Name, Roles: q.Roles, GLNs: q.GLNs, Prefixes: q.Prefixes, Places: q.Places})
	}
	return list, nil
}

// Make, pack, ship: every command ends in accepted events, and ids are taken in every form.
func TestCommands(t *testing.T) {
	w := newWorld(t, Manufacturer(), "maker")
	ok := func(j *Job) *Job {
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
	var made serialsResult
	j := ok(w.do("commission", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31","count":6}`))
	if err := json.Unmarshal(j.Result, &made); err != nil || len(made.EPCs) != 6 || !strings.HasPrefix(made.EPCs[0], "urn:epc:id:sgtin:0399990.010001.") {
		t.Fatalf("%v %s", err, j.Result)
	}
	gtin, s := "00399990100013", made.Serials
	children, _ := json.Marshal([]string{
		made.EPCs[0], "(01)" + gtin + "(21)" + s[1], "https://example.com/01/" + gtin + "/21/" + s[2], "]d201" + gtin + "21" + s[3] + "\x1d17280131",
	})
	var packed packResult
	j = ok(w.do("pack", `{"children":`+string(children)+`}`))
	if err := json.Unmarshal(j.Result, &packed); err != nil || packed.Parent != "urn:epc:id:sscc:0399990.0000000001" {
		t.Fatalf("%v %s", err, j.Result)
	}
	ok(w.do("quarantine", `{"items":["`+made.EPCs[4]+`"],"reason":"suspect"}`))
	ok(w.do("release", `{"items":["`+made.EPCs[4]+`"]}`))
	ok(w.do("destroy", `{"items":["`+made.EPCs[4]+`"]}`))
	ok(w.do("decommission", `{"items":["`+made.EPCs[5]+`"]}`))
	ok(w.do("ship", `{"items":["`+packed.Parent+`"],"to":{"party":"dist"},"po":"PO-1","desadv":"D-1"}`))
	ok(w.do("recall", `{"recallNumber":"R-1","gtin":"00399990100013","lot":"L1","classification":"II","depth":"retail","reason":"a label"}`))

	dist := &world{tb: t, ledger: w.ledger, clock: w.clock, dir: t.TempDir(), profile: Distributor(), party: "dist"}
	dist.start()
	t.Cleanup(dist.kill)
	ok(dist.do("receive", `{"items":["`+packed.Parent+`"],"from":{"party":"maker"},"po":"PO-1","desadv":"D-1"}`))
	ok(dist.do("unpack", `{"parent":"`+packed.Parent+`"}`))
	ok(dist.do("return", `{"items":["`+made.EPCs[0]+`"],"to":{"party":"maker"},"returnAuthorization":"RMA-1"}`))
	ok(w.do("receive", `{"items":["`+made.EPCs[0]+`"],"from":{"owner":"0399991000015"},"returnAuthorization":"RMA-1"}`))
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

// A service that is killed between any two steps, over a broker that fails in every way it can, ends with each captured
// command judged exactly once.
func TestCrashes(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	for seed := range rounds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewSource(int64(seed)))
			w := newWorld(t, Manufacturer(), "maker")
			w.kill()
			w.ledger.auto = false
			dice := rand.New(rand.NewSource(int64(seed) + 500)) // the ledger's own, under its lock
			w.ledger.fault = func(int) fault {
				if dice.Intn(3) == 0 {
					return []fault{down, silent, forgets, hijacked}[dice.Intn(4)]
				}
				return works
			}
			killer := newKiller(seed)
			w.step = killer.step
			w.start()
			var keys []string
			for i := range 12 {
				key := fmt.Sprint("cmd-", i)
				keys = append(keys, key)
				for !w.try(key, i) {
					w.restart() // the caller got no answer, so it asks again
				}
				if rng.Intn(2) == 0 {
					w.ledger.cutNow()
				}
				select {
				case err := <-w.done:
					w.done <- err
					w.restart()
				default:
				}
			}
			killer.spare()
			w.restart()
			w.ledger.mu.Lock()
			w.ledger.fault, w.ledger.auto = nil, true
			w.ledger.mu.Unlock()
			w.ledger.cutNow()
			ids := map[string]bool{}
			for i, key := range keys {
				rec := w.call("POST", "/v1/lots", map[string]string{"Content-Type": "application/json", "Idempotency-Key": key}, lotBody(i))
				j := w.certified(rec)
				if ids[j.CaptureID] {
					t.Errorf("two requests share job %s", j.CaptureID)
				}
				ids[j.CaptureID] = true
				if len(j.Verdicts) != 1 || j.Verdicts[0].Verdict != "accepted" {
					t.Errorf("%s: %+v", key, j.Verdicts)
				}
			}
			for id, n := range w.ledger.judged() {
				if n != 1 {
					t.Errorf("submission %s was judged %d times", id, n)
				}
			}
			if n, _ := w.e.outstanding(); n != 0 {
				t.Errorf("%d rows are left in the outbox", n)
			}
		})
	}
}

func lotBody(i int) string {
	return fmt.Sprintf(`{"gtin":"00399990100013","lot":"L%d","expiry":"2028-01-31"}`, i)
}

func (w *world) try(key string, i int) bool {
	rec := w.call("POST", "/v1/lots", map[string]string{"Content-Type": "application/json", "Idempotency-Key": key}, lotBody(i))
	return rec.Code == http.StatusAccepted
}
