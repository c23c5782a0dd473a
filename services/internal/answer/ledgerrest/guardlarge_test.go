package ledgerrest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/partner/capture"
)

// A document that needs several submissions is held against the rules before anything of it is captured, in the same words as a small
// one: what leaves in its last event is refused, also where an earlier event of the same document is the reason.
func TestLargeDocumentWithGoodsThatMustNotMove(t *testing.T) {
	w := newWorld(t)
	const maker = "manufacturer"
	made := w.makeUnits(t, "GUARD-LARGE", 2)
	recalled, fine := made[0], made[1]
	w.tell(t, maker, "recall", map[string]any{"recallNumber": "R-LARGE", "classification": "I", "reason": "Glass", "units": []string{recalled}})
	place := w.sgln(t, localnet.DemoMaker)
	now := time.Now().UTC().Format(time.RFC3339)
	stem := recalled[:strings.LastIndexByte(recalled, '.')+1]
	one := func(document string) string { // the event of a document
		_, event, _ := strings.Cut(document, `"eventList":[`)
		return strings.TrimSuffix(event, "]}}")
	}
	var births []string
	for i := range 20 {
		epcs := make([]string, 1000)
		for k := range epcs {
			epcs[k] = fmt.Sprintf("%q", fmt.Sprintf("%sLARGE%02d%03d", stem, i, k))
		}
		births = append(births, fmt.Sprintf(`{"type":"ObjectEvent","eventTime":%q,"eventTimeZoneOffset":"+00:00","epcList":[%s],"action":"ADD","bizStep":"commissioning",
			"disposition":"active","readPoint":{"id":%q},"bizLocation":{"id":%[3]q},"ilmd":{"cbvmda:lotNumber":"GUARD-20000","cbvmda:itemExpirationDate":"2029-01-31"}}`,
			now, strings.Join(epcs, ","), place))
	}
	document := func(first, last string) string {
		list := births
		if first != "" {
			list = append([]string{first}, births...)
		}
		return fmt.Sprintf(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],"type":"EPCISDocument","schemaVersion":"2.0",
			"creationDate":%q,"epcisBody":{"eventList":[%s]}}`, now, strings.Join(append(slices.Clip(list), last), ",\n"))
	}
	shipped := func(item string) string {
		return one(w.shipDocuments(t, item, localnet.DemoMaker, localnet.DemoDistributor, false)["JSON"])
	}
	jobs := func() string {
		_, b := w.call(t, maker, http.MethodGet, "/capture?perPage=1", nil)
		var list []capture.Job
		if err := json.Unmarshal(b, &list); err != nil || len(list) != 1 {
			t.Fatalf("%v: %s", err, b)
		}
		return list[0].CaptureID
	}

	before := jobs()
	inCommand := w.post(t, maker, "/v1/ship", `{"items":["`+recalled+`"],"to":{"party":"`+localnet.DemoDistributor+`"}}`)
	inDocument := w.post(t, maker, "/capture", document("", shipped(recalled)))
	if inDocument.Code != httpapi.GoodsRecalled || inDocument.Status != http.StatusConflict || inDocument.Detail != inCommand.Detail || *inDocument.Errors[0].Event != 20 {
		t.Errorf("%+v\nby command: %+v", inDocument, inCommand)
	}
	aside := one(documentOf("holding", "no_pedigree_match", place, fine, ""))
	if p := w.post(t, maker, "/capture", document(aside, shipped(fine))); p.Code != httpapi.GoodsSuspect || !strings.Contains(p.Detail, fine[len("urn:epc:id:"):]) && !strings.Contains(p.Detail, "marked suspect") {
		t.Errorf("marked in its first part: %+v", p)
	}
	if now := jobs(); now != before {
		t.Errorf("a document that was refused became job %s", now)
	}
	if resp, b := w.call(t, "api", http.MethodGet, "/v1/lots/"+w.told.Product.GTIN+"/GUARD-20000", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the lot of a document that was refused: %d %s", resp.StatusCode, b)
	}

	// Under proceed only that event is left out.
	resp, b := w.send(t, maker, document("", shipped(recalled)))
	var j capture.Job
	if err := json.Unmarshal(b, &j); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%v: %d %s", err, resp.StatusCode, b)
	}
	for j.Running {
		if _, b := w.call(t, maker, http.MethodGet, "/capture/"+j.CaptureID+"?wait=indexed&timeout=30s", nil); json.Unmarshal(b, &j) != nil || t.Context().Err() != nil {
			t.Fatalf("%s", b)
		}
	}
	if j.Counts.Accepted+j.Counts.Flagged != 20 || j.Counts.Refused != 1 || len(j.Parts) != 2 || len(j.Errors) != 1 || j.Errors[0].Detail != inCommand.Errors[0].Message {
		t.Errorf("%+v, %d parts, %+v", j.Counts, len(j.Parts), j.Errors)
	}
	if got := ask[tracing.Trace](t, w, "/v1/trace?id="+recalled); got.Phase == "in_transit" {
		t.Errorf("it was shipped: %+v", got)
	}
}

// send captures a document under proceed.
func (w *world) send(t *testing.T, service, document string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.n.URLs[service]+"/capture", strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("GS1-Capture-Error-Behaviour", "proceed")
	return w.do(t, req)
}
