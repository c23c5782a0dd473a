package capture

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"verilot.dev/services/internal/edge/httpapi"
)

// What the service has no room for is refused before anything of it is stored, and the answer says when to come again.
func TestNoRoom(t *testing.T) {
	w := newWorld(t)
	refused := func(body string, length int64, code httpapi.Code, says string) *httptest.ResponseRecorder {
		t.Helper()
		req := httptest.NewRequest(http.MethodPost, "/capture", io.MultiReader(strings.NewReader(body))) // of no known length
		req.ContentLength = length
		req.Header.Set("Content-Type", "application/xml")
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, req)
		if rec.Code != httpapi.Lookup(code).Status || !strings.Contains(rec.Body.String(), `"code":"`+string(code)+`"`) || !strings.Contains(rec.Body.String(), says) {
			t.Errorf("%d, want %s: %s", rec.Code, code, rec.Body)
		}
		if list := w.spooled(); len(list) != 0 {
			t.Errorf("left in the spool: %q", list)
		}
		return rec
	}
	for range maxLarge {
		w.s.large <- struct{}{}
	}
	large := strings.Repeat(" ", largeBody+2*checkSpace)
	for _, length := range []int64{-1, int64(len(large))} {
		if rec := refused(large, length, httpapi.CaptureBusy, "in a moment"); rec.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if j := w.certified(w.call("POST", "/capture", xmlType, manyEvents(2, "N"))); !j.Success {
		t.Error("a small document waits for large ones")
	}
	for range maxLarge {
		<-w.s.large
	}
	if rec := refused("", MaxDocument+1, httpapi.CaptureLimitExceeded, "256 MiB"); rec.Header().Get("GS1-EPCIS-Capture-File-Size-Limit") != "268435456" {
		t.Errorf("%v", rec.Header())
	}
	refused(large, 10, httpapi.MalformedDocument, "line 1") // takes no more places than it gives back
	if len(w.s.large) != 0 {
		t.Errorf("%d places are taken", len(w.s.large))
	}
	w.s.mu.Lock()
	w.s.spooled = make([]uuid.UUID, maxSpooled)
	w.s.mu.Unlock()
	w.s.partItems = 5
	rec := w.call("POST", "/capture", proceed("k"), manyEvents(9, "O"))
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || len(w.spooled()) != 0 {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	w.kill()
	w.free = func(string) (uint64, error) { return keepFree + 2<<20, nil }
	w.start()
	refused(large, -1, httpapi.StorageFull, "disk")
	refused(large, 2<<20, httpapi.StorageFull, "68 MiB")
}

// Where the caller asks to proceed, good events go through and bad ones are listed.
func TestProceed(t *testing.T) {
	const when = "2026-11-20T06:00:00-05:00"
	w := newWorld(t)
	for i, name := range []string{"GS1-Capture-Error-Behaviour", "GS1-EPCIS-Capture-Error-Behaviour"} {
		serial := string(rune('A' + i))
		doc := document(event(when, "commissioning", "ADD", ilmd, sgtins(2, serial)...), event(when, "commissioning", "ADD", ilmd, "urn:epc:id:sgtin:0614141.010001.X1"))
		j := w.certified(w.call("POST", "/capture", map[string]string{"Content-Type": "text/xml; charset=utf-8", name: "proceed"}, doc))
		if j.Success || j.CaptureErrorBehaviour != "proceed" || len(j.Errors) != 1 || j.Errors[0].Code != "gtin_not_owned" || *j.Errors[0].Event != 1 {
			t.Errorf("job %+v", j)
		}
		got := map[string]string{}
		for _, v := range j.Verdicts {
			if v.Index != nil {
				got[fmt.Sprint(*v.Index)] = v.Verdict
			}
		}
		if got["0"] != "accepted" || got["1"] != "refused" {
			t.Errorf("verdicts %v", got)
		}
	}
	// Two events with one id are a fault of the document; the first goes through. On its own the second would be rejected.
	named := func(serial string) string {
		return strings.Replace(event(when, "commissioning", "ADD", ilmd, sgtins(1, serial)...), "</eventTimeZoneOffset>", "</eventTimeZoneOffset><baseExtension><eventID>urn:x:1</eventID></baseExtension>", 1)
	}
	twice := w.certified(w.call("POST", "/capture", map[string]string{"Content-Type": "text/xml", "GS1-Capture-Error-Behaviour": "proceed"}, document(named("C"), named("C"), named("D"))))
	if len(twice.Errors) != 1 || *twice.Errors[0].Event != 2 || !strings.Contains(fmt.Sprint(twice.Errors[0]), "event_id_repeated") || twice.Counts.Accepted != 1 || twice.Counts.Duplicate != 1 {
		t.Errorf("two events with one id: %+v %+v", twice.Counts, twice.Errors)
	}
	later := w.certified(w.call("POST", "/capture", map[string]string{"Content-Type": "text/xml"}, document(named("D"))))
	if len(later.Verdicts) != 2 || later.Verdicts[1].Code != "EVENT_ID_REUSED" {
		t.Errorf("the id of an earlier document: %+v", later.Verdicts)
	}
	all := w.certified(w.call("POST", "/capture", map[string]string{"Content-Type": "text/xml", "GS1-Capture-Error-Behaviour": "proceed"},
		document(event(when, "dispensing", "OBSERVE", "", sgtins(1, "A")...))))
	if all.Success || len(all.Parts) != 0 || all.Running {
		t.Errorf("nothing good: %+v", all)
	}
}

// A document that is too large for one submission becomes several, linked, each judged in its own right.
func TestDivided(t *testing.T) {
	const when = "2026-11-20T06:00:00-05:00"
	w := newWorld(t)
	doc := document(event(when, "commissioning", "ADD", ilmd, sgtins(9000, "M")...), event(when, "commissioning", "ADD", ilmd, sgtins(9000, "N")...))
	j := w.certified(w.call("POST", "/capture", map[string]string{"Content-Type": "text/xml", "GS1-Capture-Error-Behaviour": "proceed"}, doc))
	if len(j.Parts) != 2 || !j.Success || len(j.Verdicts) != 3 {
		t.Errorf("%d parts, %d verdicts, %+v", len(j.Parts), len(j.Verdicts), j.Errors)
	}
}
