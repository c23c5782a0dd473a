package capture

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

// bareEvent is one event as the root of a document.
func bareEvent(event string) string { return `<?xml version="1.0"?>` + event }

// A single event is answered when the network has recorded it, at its own address.
func TestSingleEvent(t *testing.T) {
	w := newWorld(t)
	outboxtest.Patient(w.clock, true)
	one := bareEvent(event(eventTime, "commissioning", "ADD", ilmd, sgtins(3, "E")...))
	rec := w.call("POST", "/events", map[string]string{"Content-Type": "application/xml", "Idempotency-Key": "k"}, one)
	at, err := url.PathUnescape(strings.TrimPrefix(rec.Header().Get("Location"), "/events/"))
	if err != nil || rec.Code != http.StatusCreated || !strings.HasPrefix(at, "ni:///sha-256;") || !strings.HasSuffix(at, "?ver=CBV2.0") || strings.Count(rec.Header().Get("Location"), "/") != 2 {
		t.Errorf("%v %d %v %s", err, rec.Code, rec.Header(), rec.Body)
	}
	if rec.Header().Get("GS1-EPCIS-Version") != "2.0.0" {
		t.Errorf("%v", rec.Header())
	}
	job, _, _ := strings.Cut(strings.TrimPrefix(rec.Header().Get("Link"), "</capture/"), ">")
	if j := w.await(job, journal.Certified); len(j.Verdicts) != 1 || j.Verdicts[0].EventID != at || j.Kind != kindEvent {
		t.Errorf("%+v", j)
	}
	again := w.call("POST", "/events", map[string]string{"Content-Type": "application/xml", "Idempotency-Key": "k"}, one)
	if again.Code != http.StatusCreated || again.Header().Get("Location") != rec.Header().Get("Location") || again.Header().Get("Link") != rec.Header().Get("Link") {
		t.Errorf("the same request again: %d %v %s", again.Code, again.Header(), again.Body)
	}
	named := strings.Replace(one, "</eventTimeZoneOffset>", "</eventTimeZoneOffset><baseExtension><eventID>urn:uuid:0af5e5b1-4a3c-4a67-a1ff-3b4d0b7f5c11</eventID></baseExtension>", 1)
	for _, tt := range []struct {
		name, body string
		status     int
		code       httpapi.Code
		says       string
	}{
		{"recorded already", one, 409, httpapi.EventExists, "DUP_EVENT"},
		{"recorded already, under another id", named, 409, httpapi.EventExists, "DUP_EVENT"},
		{"rejected", bareEvent(event("2026-11-20T05:00:00-05:00", "commissioning", "ADD", ilmd, sgtins(1, "E")...)), 400, httpapi.EventRejected, "DUP_COMMISSION"},
		{"against the standard", bareEvent(event(eventTime, "commissioning", "ADDED", "", sgtins(1, "X")...)), 400, httpapi.InvalidEvent, "action"},
	} {
		rec := w.call("POST", "/events", xmlType, tt.body)
		if rec.Code != tt.status || !strings.Contains(rec.Body.String(), `"code":"`+string(tt.code)+`"`) || !strings.Contains(rec.Body.String(), tt.says) || !strings.Contains(rec.Body.String(), `"type":"epcisException:`) {
			t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
		}
	}
}

// An event whose verdict does not come in time is not lost: the answer names its job.
func TestSingleEventNotJudgedInTime(t *testing.T) {
	w := newWorld(t)
	w.ledger.Auto(false)
	rec := w.call("POST", "/events?timeout=0s", xmlType, bareEvent(event(eventTime, "commissioning", "ADD", ilmd, sgtins(1, "E")...)))
	w.ledger.Auto(true)
	w.ledger.Cut()
	if j := w.certified(rec); !j.Success {
		t.Errorf("%+v", j)
	}
	asXML := w.call("POST", "/events?timeout=0s", map[string]string{"Content-Type": "application/xml", "Accept": "application/xml"}, bareEvent(event(eventTime, "commissioning", "ADD", ilmd, sgtins(1, "F")...)))
	if s := asXML.Body.String(); asXML.Code == http.StatusAccepted && !strings.Contains(s, "<epcis:EPCISCaptureJob ") {
		t.Errorf("%d %s", asXML.Code, s)
	}
}

// jsonEvent is one ObjectEvent of the maker's as JSON, without a context.
func jsonEvent(time, action string, epcs ...string) string {
	return `{"type":"ObjectEvent","eventTime":"` + time + `","eventTimeZoneOffset":"-05:00","epcList":["` + strings.Join(epcs, `","`) + `"],"action":"` + action + `","bizStep":"commissioning",` +
		`"readPoint":{"id":"urn:epc:id:sgln:0399990.00001.0"},"bizLocation":{"id":"urn:epc:id:sgln:0399990.00001.0"},"ilmd":{"cbvmda:lotNumber":"L1","cbvmda:itemExpirationDate":"2028-01-31"}}`
}

const jsonContext = `"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]`

func jsonDocument(events ...string) string {
	return `{` + jsonContext + `,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-11-20T00:00:00Z","epcisBody":{"eventList":[` + strings.Join(events, ",\n") + `]}}`
}

// JSON is captured as XML is: an event is the same in both to the ledger. (Its hash is another: the namespace of ILMD has another name.)
func TestJSON(t *testing.T) {
	w := newWorld(t)
	for _, contentType := range []string{"application/json", "application/ld+json; charset=utf-8"} {
		serial := string(contentType[12])
		j := w.certified(w.call("POST", "/capture", map[string]string{"Content-Type": contentType}, jsonDocument(jsonEvent(eventTime, "ADD", sgtins(2, serial)...), jsonEvent(eventTime, "ADD", sgtins(2, serial+"-")...))))
		if !j.Success || j.Counts.Accepted != 2 || !strings.HasPrefix(j.Verdicts[2].EventID, "ni:///sha-256;") {
			t.Errorf("%+v %+v", j.Verdicts, j.Errors)
		}
		again := w.certified(w.call("POST", "/capture", xmlType, document(event(eventTime, "commissioning", "ADD", ilmd, sgtins(2, serial)...))))
		if again.Counts.Duplicate != 1 || again.Verdicts[1].Code != "DUP_EVENT" {
			t.Errorf("as XML: %+v, as JSON: %+v", again.Verdicts, j.Verdicts)
		}
	}
	outboxtest.Patient(w.clock, true)
	one := "{" + jsonContext + "," + jsonEvent(eventTime, "ADD", sgtins(1, "X")...)[1:]
	rec := w.call("POST", "/events", map[string]string{"Content-Type": "application/json"}, one)
	if rec.Code != http.StatusCreated || rec.Body.Len() != 0 || !strings.HasPrefix(rec.Header().Get("Location"), "/events/ni:%2F%2F%2Fsha-256%3B") {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	bad := w.call("POST", "/capture", map[string]string{"Content-Type": "application/json"}, jsonDocument(jsonEvent(eventTime, "ADD", sgtins(1, "Y")...), jsonEvent(eventTime, "ADDED", sgtins(1, "Z")...)))
	if bad.Code != http.StatusBadRequest || !strings.Contains(bad.Body.String(), `"pointer":"/epcisBody/eventList/1/action"`) {
		t.Errorf("%d %s", bad.Code, bad.Body)
	}
}

// What can be done at an address is told there, with the versions and limits.
func TestDiscovery(t *testing.T) {
	w := newWorld(t)
	for path, allow := range map[string]string{"/capture": "OPTIONS, GET, POST", "/events": "OPTIONS, GET, POST", "/capture/" + uuid.NewString(): "OPTIONS, GET"} {
		rec := w.call("OPTIONS", path, nil, "")
		h := rec.Header()
		if rec.Code != http.StatusNoContent || h.Get("Allow") != allow || h.Get("GS1-EPCIS-Version") != "2.0.0" || h.Get("GS1-EPCIS-Min") != "1.0.0" || h.Get("GS1-CBV-Max") != "2.0.0" {
			t.Errorf("%s: %d %v", path, rec.Code, h)
		}
		if path == "/capture" && (h.Get("GS1-EPCIS-Capture-Limit") != "1000000" || h.Get("GS1-Capture-Error-Behaviour") != "all") {
			t.Errorf("%v", h)
		}
		if rec := w.call("OPTIONS", path, map[string]string{"GS1-EPCIS-Min": "2.1.0"}, ""); rec.Code != http.StatusNotAcceptable {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	if rec := w.call("GET", "/capture", map[string]string{"GS1-EPCIS-Max": "0.5"}, ""); rec.Code != http.StatusNotAcceptable || !strings.Contains(rec.Body.String(), "epcisException:NotAcceptableException") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

// A job as XML is what the schema of EPCIS 2.0 says.
func TestJobAsXML(t *testing.T) {
	w := newWorld(t)
	rec := w.call("POST", "/capture", map[string]string{"Content-Type": "application/xml", "Accept": "application/xml"}, manyEvents(1, "J"))
	at := rec.Header().Get("Location")
	if rec.Code != http.StatusAccepted || rec.Header().Get("Content-Type") != "application/xml" || !strings.Contains(rec.Body.String(), `captureID="`+strings.TrimPrefix(at, "/capture/")+`"`) {
		t.Fatalf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	w.await(strings.TrimPrefix(at, "/capture/"), journal.Indexed)
	for accept, want := range map[string]string{
		"application/xml": "application/xml", "text/xml": "text/xml", "application/xml;q=0.5, application/json": "application/json", "*/*": "application/json", "": "application/json",
	} {
		rec := w.call("GET", at, map[string]string{"Accept": accept}, "")
		if rec.Header().Get("Content-Type") != want {
			t.Errorf("Accept %q: %s", accept, rec.Header().Get("Content-Type"))
		}
		const begin = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<epcis:EPCISCaptureJob xmlns:epcis="urn:epcglobal:epcis:xsd:2" xmlns:verilot="urn:verilot:capture" running="false" success="true" captureID="`
		if s := rec.Body.String(); strings.HasSuffix(want, "xml") && (!strings.HasPrefix(s, begin) || !strings.Contains(s, "<captureErrorBehaviour>rollback</captureErrorBehaviour><createdAt>2026-11-20T12:00:00Z</createdAt><finishedAt>")) {
			t.Error(s)
		}
	}
}

// A document that does not fit in memory is the same document: the same key gives the same job, and its file is gone when it is done.
func TestSpooledDocument(t *testing.T) {
	w := newWorld(t)
	padding := "<!--" + strings.Repeat("x", inMemory-100) + "-->"
	doc := strings.Replace(manyEvents(3, "P"), "<EPCISBody>", padding+padding+"<EPCISBody>", 1)
	a := w.call("POST", "/capture", proceed("k"), doc)
	w.restart()
	b := w.call("POST", "/capture", proceed("k"), doc)
	if a.Code != 202 || b.Code != 202 || a.Header().Get("Location") != b.Header().Get("Location") {
		t.Errorf("%d %v %s, %d %v", a.Code, a.Header(), a.Body, b.Code, b.Header())
	}
	if c := w.call("POST", "/capture", proceed("k"), doc+"\n"); c.Code != http.StatusConflict {
		t.Errorf("another document with the same key: %d %s", c.Code, c.Body)
	}
	if j := w.certified(b); !j.Success || len(j.Parts) != 1 || j.Counts.Accepted != 3 {
		t.Errorf("%+v", j)
	}
	if list := w.spooled(); len(list) != 0 {
		t.Errorf("spool %q", list)
	}
}

// What a killed service left in its spool is removed, and nothing else.
func TestSpoolIsCleaned(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(w.dir, "spool")
	for _, name := range []string{"123" + uploadExt, uuid.NewString() + spoolExt, "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.restart()
	if list := w.spooled(); len(list) != 1 || filepath.Base(list[0]) != "notes.txt" {
		t.Errorf("%q", list)
	}
}
